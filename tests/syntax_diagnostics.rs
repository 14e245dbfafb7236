//! What the parser accepts and rejects, side by side, and how it says so.

use proptest::prelude::*;
use std::path::Path;
use supremum::syntax::{Parsed, ast::*, parse};
use supremum::text::{Kind, Source, Style};

fn read(text: &str) -> (Source, Parsed) {
    let source = Source::new("t.spec", text).unwrap();
    let parsed = parse(&source);
    (source, parsed)
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).1.diagnostics.iter().map(|d| d.code).collect()
}

fn shown(text: &str) -> String {
    let (source, parsed) = read(text);
    parsed.diagnostics.iter().map(|d| d.render(&source, Style::Unicode) + "\n").collect()
}

#[test]
fn accepted_and_rejected() {
    for (good, bad, code) in [
        ("let s = 0.5", "let s = .5", "E0101"),
        ("let s = 16", "let s = 0x10", "E0104"),
        ("let s = 1_000", "let s = 1__000", "E0104"),
        ("let s = 1_0", "let s = 1_", "E0104"),
        ("let s = f(1, 0)", "let s = f(1,000)", "E0104"),
        ("let s = 7", "let s = 007", "E0104"),
        ("let s = 2*x", "let s = 2x", "E0104"),
        ("let s = 2*x", "let s = 2 x", "E0116"),
        ("let s = x^2", "let s = x**2", "E0101"),
        ("let s = x^2", "let s = x²", "E0102"),
        ("let s = √(2)", "let s = √2", "E0101"),
        ("let delta = 1", "let дельта = 1", "E0102"),
        ("let δ = 1", "let µ = 1", "E0102"),
        ("let a = 1", "let a‌b = 1", "E0102"),
        ("spec \"ü δ ≤ 漢\"", "spec ü", "E0102"),
        ("-- ü 漢\nlet a = 1", "// ü\nlet a = 1", "E0116"),
        ("spec \"a\"", "spec \"a", "E0103"),
        ("spec \"a\"", "spec “a”", "E0102"),
        ("let s = ln(2)", "let s = log(2)", "E0107"),
        ("let s = log2(2)", "claim c : a <= sqrt(log(1/delta)/n)", "E0107"),
        ("let s = |1 - (|x|)|", "let s = |1 - |x||", "E0113"),
        ("let s = |x|_2", "let s = ||x||_2", "E0113"),
        ("claim c : x <= ?", "claim c : ? <= x", "E0114"),
        ("claim c : x >= ? by m", "claim c : x <= 1 + ?", "E0114"),
        ("claim table : x <= 1", "claim for : x <= 1", "E0105"),
        ("claim : x <= 1", "claim x <= 1", "E0101"),
        ("claim c : x = 1", "claim c : x := 1", "E0116"),
        ("claim c : a <= b < c", "claim c : (a <= b) < c", "E0101"),
        ("claim c : f(a <= b)", "claim c : a and b", "E0116"),
        ("claim c : x != y", "claim c : x <> y", "E0101"),
        ("claim c : x <= 1 by m within 60", "claim c : x <= 1 by m by n", "E0106"),
        ("claim c : x <= 1 expecting refuted", "claim c : x <= 1 expecting refused", "E0115"),
        ("claim c : x <= 1 with probability >= 0.9", "claim c : x <= 1 with probability > 0.9", "E0101"),
        ("claim c : f(n) in O(n) as n -> inf", "claim c : f(n) in O(n)", "E0101"),
        ("claim c : forall x in S : a <= b", "claim c : forall x : a <= b", "E0101"),
        ("let s = sum(l in 1..n : l)", "let s = sum(l <= n : l)", "E0101"),
        ("let s = max(x for x in I)", "let s = max(x for x <= I)", "E0101"),
        ("let s = {k for k in 1..3}", "let s = {}", "E0101"),
        ("let s = [0, 1]", "let s = [0]", "E0101"),
        ("let s = (a, b)", "let s = ()", "E0101"),
        ("let s = cases { a if b < c, d otherwise }", "let s = cases { a if b, c otherwise }", "E0101"),
        ("network f = 2 -> 1 relu", "network f = 2 relu", "E0101"),
        ("network f = n -> 1", "network f = 2.5 -> 1", "E0104"),
        ("network f { conv 6, kernel 5 }", "network f { conv 6, kernal 5 }", "E0115"),
        ("network f { residual { relu } via dense 2 }", "network f { residual relu }", "E0101"),
        ("class F = f where |W[l]|_spec <= 2 for l in 1..3", "class F = f", "E0101"),
        ("split D into train 1000, test 1000", "split D into train 1,000", "E0104"),
        ("split D into train 1000, test 1000", "split D into train 1,234", "E0101"),
        ("assume a : f depends on nothing", "assume a : f depends nothing", "E0116"),
        ("theorem t(x) ensures x <= 1", "theorem t(x) requires x <= 1", "E0101"),
        ("theorem t(x, y : nat) ensures x <= 1", "theorem t(x, y : ) ensures x <= 1", "E0101"),
        ("theorem t(x) ensures x <= 1 example x = 1 gives 2", "theorem t(x) ensures x <= 1 example x = 1", "E0101"),
        ("theorem t(x) ensures x <= 1 note \"a\"", "theorem t(x) ensures x <= 1 note \"a\" note \"b\"", "E0106"),
        ("table \"t\" { rows claims }", "table \"t\" { row claims }", "E0101"),
        ("claim c : x <= 1", "clam c : x <= 1", "E0116"),
    ] {
        assert_eq!(codes(good), Vec::<&str>::new(), "{good}\n{}", shown(good));
        assert_eq!(codes(bad).first(), Some(&code), "{bad}\n{}", shown(bad));
    }
}

#[test]
fn messages() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in [
            ("which_logarithm", "let n = 5\nclaim t : risk(f, zero_one) <= sqrt(log(1/delta)/(2*n))\n"),
            ("misspelt_item", "spec \"a\"\nclam lip : lip(f, l2) <= 1\nclaim b : x <= 1 bye m\n"),
            ("bars", "claim c : ||x||_2 <= 1\n"),
            ("hole", "claim c : ? <= x\n"),
            ("digits", "split D into train 1,234\n"),
            ("product", "claim c : x <= 2 x\n"),
            ("unclosed", "let s = f(1, [2, 3)\nclaim c : x <= 1\nspec \"open\nclaim d : y <= \n"),
            ("no_conclusion", "theorem vc.a(x)\n  requires x <= 1\nclaim c : x <= 1\n"),
            ("foreign", "let µ = 1\nlet x² = 1\nspec “curly”\n"),
            ("second_clause", "claim c : x <= 1\n  by a\n  by b\n"),
            ("deep", &format!("let s = {}1\n", "(".repeat(300))),
            ("within_a_block", "simulate s {\n  for k in 1..3\n  data D from\n  train g : f on D { sgd }\n}\nclaim c : x <= \nclaim d : x\n"),
        ] {
            insta::assert_snapshot!(format!("diag@{name}"), shown(text));
        }
    });
}

#[test]
fn one_slip_costs_one_item() {
    let text = "claim a : x <= 1\nclaim b : x <= \nclaim c : x <= 1\nsimulate s {\n  data D = = 1\n  train g : f on D { sgd }\n}\nlet z = 1 +\n\nclaim d : x <= 1";
    let (_, parsed) = read(text);
    assert_eq!(parsed.diagnostics.len(), 3, "{}", shown(text));
    let names: Vec<&str> = parsed
        .file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Claim(claim) => claim.name.as_ref().map(|name| name.name.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(names, ["a", "c", "d"]);
}

/// Keywords are contextual: any of them may name a claim, a variable, a field, an option.
#[test]
fn keywords_are_names_elsewhere() {
    for word in
        supremum::syntax::ITEM_WORDS.into_iter().chain(["rows", "x", "source", "gives", "into", "log", "global"])
    {
        for text in [
            format!("claim {word} : {word} <= {word}.{word} by {word}({word}: {word})"),
            format!("let {word} = {word} + 1\nlet y = {word}"),
            format!("split D into {word} 10, {word} 20"),
            format!("train t : f on D {{ {word}, {word} 1 }}"),
            format!("let f({word}) = {word} |-> {{{word} for {word} in {word}}}"),
        ] {
            assert_eq!(codes(&text), Vec::<&str>::new(), "{}", shown(&text));
        }
    }
    for word in supremum::syntax::RESERVED {
        assert_eq!(codes(&format!("claim {word} : x <= 1")), ["E0105"], "{word}");
        assert_eq!(codes(&format!("split D.{word} into {word} 10")), Vec::<&str>::new(), "{word}");
    }
}

#[test]
fn expressions_have_the_shape_of_mathematics() {
    let value = |text: &str| {
        let (_, parsed) = read(&format!("let s = {text}"));
        assert!(parsed.diagnostics.is_empty(), "{}", shown(&format!("let s = {text}")));
        let ItemKind::Let(item) = parsed.file.items.into_iter().next().unwrap().kind else { panic!() };
        item.value.kind
    };
    let ExprKind::Sum(terms) = value("a - b + c") else { panic!() };
    assert_eq!(terms.iter().map(|t| t.sign).collect::<Vec<_>>(), [Sign::Plus, Sign::Minus, Sign::Plus]);
    let ExprKind::Product(factors) = value("a/b*c") else { panic!() };
    assert_eq!(factors.iter().map(|f| f.inverse).collect::<Vec<_>>(), [false, true, false]);
    let ExprKind::Neg(inner) = value("-x^2") else { panic!() };
    assert!(matches!(inner.kind, ExprKind::Power { .. }));
    let ExprKind::Power { exponent, .. } = value("2^3^4") else { panic!() };
    assert!(matches!(exponent.kind, ExprKind::Power { .. }));
    let ExprKind::Number(percent) = value("5%") else { panic!() };
    assert_eq!(percent.value.to_string(), "1/20");
    let ExprKind::Call { args, .. } = value("err(sq(m), x |-> x^2 on I, linf)") else { panic!() };
    assert!(args[0].domain.is_none());
    assert!(matches!(args[1].domain.as_ref().unwrap().as_name(), Some("I")));
    assert!(matches!(&args[1].value, ArgValue::Expr(Expr { kind: ExprKind::Lambda { .. }, .. })));
    let ExprKind::Norm { norm, .. } = value("|W[l]|_spec") else { panic!() };
    assert_eq!(norm.unwrap().name, "spec");
}

#[test]
fn spans_are_the_text_of_their_nodes() {
    let text = "claim lip : lip(f on X, l2) + δ <= 2*sqrt(2)  by m(tol: 1%)  -- c";
    let (source, parsed) = read(text);
    let ItemKind::Claim(claim) = &parsed.file.items[0].kind else { panic!() };
    let PropKind::Relation { first, rest } = &claim.prop.kind else { panic!() };
    assert_eq!(source.slice(parsed.file.items[0].span), text.split("  --").next().unwrap());
    assert_eq!(source.slice(first.span), "lip(f on X, l2) + δ");
    assert_eq!(source.slice(rest[0].1.span), "2*sqrt(2)");
    assert_eq!(source.slice(claim.prop.span), "lip(f on X, l2) + δ <= 2*sqrt(2)");
    let method = claim.method.as_ref().unwrap();
    assert_eq!(source.slice(method.span), "m(tol: 1%)");
    assert_eq!(source.slice(method.args[0].span), "tol: 1%");
}

#[test]
fn bytes_are_checked_before_anything_else() {
    let error = |bytes: &[u8]| Source::from_bytes("t", bytes).unwrap_err();
    assert_eq!(error(b"\xFF\xFEc\0").code, "E0109");
    assert!(error(b"\xFE\xFF\0c").title.contains("UTF-16"));
    let invalid = error(b"let a = 1\nlet b\xC3 = 1");
    assert!(invalid.title.contains("byte 0xC3 at offset 15 (line 2)"), "{}", invalid.title);
    for c in ['\u{202E}', '\u{2066}', '\u{200F}', '\u{061C}'] {
        let hidden = error(format!("-- a\n-- b {c} c").as_bytes());
        assert_eq!((hidden.code, hidden.kind), ("E0108", Kind::Spec));
        assert!(hidden.title.contains("at 2:6"), "{}", hidden.title);
    }
    assert_eq!(Source::from_bytes("t", b"\xEF\xBB\xBFlet a = 1").unwrap().text(), "let a = 1");
}

#[test]
fn long_lines_are_cut_around_the_place() {
    let long = format!("let s = {} + log(2) + {}", "1 + ".repeat(100_000) + "1", "1 + ".repeat(100_000) + "1");
    let drawn = shown(&long);
    assert!(drawn.len() < 2000 && drawn.contains("log(2)"), "{} bytes", drawn.len());
}

fn corpus() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/specs");
    [root.clone(), root.join("workflows")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.is_file())
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// Reads, draws all diagnostics in all styles, formats; must only return.
fn survives(bytes: &[u8]) {
    let Ok(source) = Source::from_bytes("t.spec", bytes) else { return };
    let parsed = parse(&source);
    for diagnostic in parsed.diagnostics.iter().take(5) {
        for style in [Style::Ascii, Style::Unicode, Style::Color] {
            assert!(diagnostic.render(&source, style).contains(diagnostic.code));
        }
        let span = diagnostic.span().unwrap();
        assert!(span.end <= source.text().len() && source.text().is_char_boundary(span.start));
    }
    if let Ok(formatted) = supremum::syntax::format(&source) {
        let again = Source::new("t", formatted.clone()).unwrap();
        assert_eq!(supremum::syntax::format(&again).unwrap(), formatted);
    }
}

/// Pieces that are more likely than random bytes to reach deep into the parser.
const PIECES: [&str; 48] = [
    "claim ",
    "a",
    " : ",
    "<=",
    "?",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
    "_2",
    "|->",
    "->",
    "..",
    "1",
    "0.5",
    "%",
    "^",
    "-",
    "--",
    "\n",
    "\"",
    "forall ",
    " in ",
    " for ",
    "log",
    " on ",
    ",",
    "=",
    "x",
    ".",
    "network f ",
    "theorem t(",
    "ensures ",
    "cases {",
    " otherwise",
    " if ",
    "then ",
    "residual {",
    "≤",
    "₂",
    "‖",
    "√",
    "é",
    "example ",
    "simulate s {",
];

proptest! {
    #[test]
    fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        survives(&bytes);
    }

    #[test]
    fn random_pieces_are_survived(picks in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.iter().map(|i| PIECES[*i]).collect();
        survives(text.as_bytes());
    }

    #[test]
    fn mutations_of_the_corpus_are_survived(file: prop::sample::Index, at: prop::sample::Index, cut in 0usize..40, piece in 0..PIECES.len()) {
        let corpus = corpus();
        let text = file.get(&corpus);
        let start = at.index(text.len());
        let mut bytes = text.as_bytes().to_vec();
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, PIECES[piece].bytes());
        survives(&bytes);
        survives(&text.as_bytes()[..start]);
    }
}
