//! The printer: what it prints is read back to the same tree, formatting twice is formatting once, comments survive.

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use supremum::syntax::{format, parse, print};
use supremum::text::{Source, Style};

fn source(text: &str) -> Source {
    Source::new("t.spec", text).unwrap()
}

/// The tree of a text without its spans, as `Debug` shows it. Panics if the text cannot be read.
fn tree(text: &str) -> String {
    let source = source(text);
    let parsed = parse(&source);
    let shown: Vec<String> = parsed.diagnostics.iter().map(|d| d.render(&source, Style::Ascii)).collect();
    assert!(shown.is_empty(), "{}\n--- of ---\n{text}", shown.join("\n"));
    without_spans(&format!("{:?}", parsed.file))
}

/// Removes every `12..34` outside quotes: `Debug` shows nothing but spans like that.
fn without_spans(debug: &str) -> String {
    let number = |c: char| c.is_ascii_digit() || c == '.';
    let mut out = String::new();
    for (i, piece) in debug.split('"').enumerate() {
        out.push('"');
        if i % 2 == 1 {
            out.push_str(piece);
            continue;
        }
        let mut rest = piece;
        while let Some(start) = rest.find(number) {
            let (before, after) = rest.split_at(start);
            let end = after.find(|c| !number(c)).unwrap_or(after.len());
            out.push_str(before);
            if !after[..end].contains("..") {
                out.push_str(&after[..end]);
            }
            rest = &after[end..];
        }
        out.push_str(rest);
    }
    out
}

fn check(text: &str) {
    let printed = print(&parse(&source(text)).file);
    assert_eq!(tree(text), tree(&printed), "\n{printed}");
    assert_eq!(print(&parse(&source(&printed)).file), printed);
    let formatted = format(&source(text)).unwrap();
    assert_eq!(tree(text), tree(&formatted), "\n{formatted}");
    assert_eq!(format(&source(&formatted)).unwrap(), formatted);
    let comments = |text: &str| -> Vec<String> {
        let source = source(text);
        let mut found: Vec<String> = parse(&source).comments.iter().map(|c| source.slice(c.span).to_string()).collect();
        found.sort();
        found
    };
    assert_eq!(comments(text), comments(&formatted));
}

fn corpus() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/specs");
    let mut found: Vec<PathBuf> = [root.clone(), root.join("workflows")]
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|e| e == "spec" || e == "thm"))
        .collect();
    found.sort();
    found
}

#[test]
fn the_corpus_survives() {
    for path in corpus() {
        check(&std::fs::read_to_string(path).unwrap());
    }
}

#[test]
fn layouts() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in corpus() {
            let name = format!("fmt@{}", path.file_stem().unwrap().to_str().unwrap());
            let text = std::fs::read_to_string(&path).unwrap();
            insta::assert_snapshot!(name, format(&source(&text)).unwrap());
        }
    });
}

#[test]
fn operators_keep_their_trees() {
    for expr in [
        "a + (b + c)",
        "(a + b) + c",
        "a - (b - c)",
        "a - -b",
        "-(-a)",
        "- -a",
        "-a^2",
        "(-a)^2",
        "2^-12",
        "(2^3)^4",
        "2^3^4",
        "a/(b*c)",
        "a/b/c",
        "(a/b)/c",
        "a*(b/c)",
        "-(a*b)",
        "-a*b",
        "(a + b)*c",
        "a*-b",
        "(x |-> x^2)(3)",
        "x |-> y |-> x + y",
        "1 - (x |-> x)(2)",
        "|1 - (|x|)|",
        "||x|| + 0",
        "|(|x|_2)|_spec",
        "|f(|x|)|",
        "|[|a|, 2]|",
        "{2^k for k in 1..3}",
        "sum(l in 1..n : l^2)",
        "max(x for x in I)",
        "f(p <= n)",
        "f(forall x in S : x <= 1)",
        "lip(f on X, l2)",
        "f(x |-> x on I)",
        "g(on: 3, by: 4)",
        "D.train.x[1][2](3)",
        "a.for",
        "(1..2)[0]",
        "(a, b)",
        "\"text\"",
        "[0, 1]^(3, 32, 32)",
        "cases { a if x <= 1, b otherwise }",
        "cases { table if data <= 1, train otherwise }",
        "5%",
        "30_000",
        "1e-400",
        "0.10",
        "|x|^2",
        "-|x|",
        "1.5.a",
        "2(3)",
        "(-1)..(-2 + 3)",
        "((a..b), c)",
    ] {
        if expr.starts_with("||") {
            continue;
        }
        check(&format!("let s = {expr}"));
        check(&format!("let s(x, y) = 1 + ({expr})*2"));
        check(&format!("claim : ({expr}) <= f({expr})^2 < ? by m({expr}) where (x |-> ({expr})) == y"));
    }
}

#[test]
fn items_keep_their_trees() {
    for item in [
        "use lipschitz as l",
        "use \"a.spec\"",
        "param w : nat",
        "param s : real > 0",
        "network f(a, b) = a -> 2 -> b leaky_relu(1/100), train first",
        "network f from \"a\" as 1 -> 2, parameterization ntk",
        "network f from \"a\" like g",
        "network f { input 1, 2, 3 repeat 2 { residual { relu } via residual { tanh } } maxpool 2, stride 2 avgpool 3 }",
        "class F(s) = f where |W[l]|_spec <= s",
        "assume a : f depends on nothing",
        "train h : f on D {}",
        "bounds B for x { }",
        "claim : a implies b implies c",
        "claim : f on X",
        "claim : f(x) in Omega(2^n) as n -> inf  within 60  expecting vacuous",
        "claim a : x != y assuming p, q where a < b for n in 1..3 for m >= 2 where c with probability >= 1 - delta",
        "theorem a.b(H : class, m, d : nat, x) \"t\" alias a.c, d.e choose eps > 0, k in 1..3 requires forall l in 1..depth(N) : |W[l]|_spec <= s, c \
         ensures a <= b with probability >= 1 - delta survey \"Thm 1.17\" source \"s\" formal \"f\" status derived note \"n\" proof { a <= b by m = c by n(1) } \
         example N = 2 -> 3 -> 1 relu, m = 5 gives 178 example F = (2 -> 3 -> 1 relu) where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..2, m = 5 gives [1, 2] \
         reject vcdim(H) = 4, N = 2 -> 3 breaks d <= m",
        "theorem a(x : nat, y : nat) ensures x <= y",
        "theorem a() ensures x <= y",
        "table \"t\" { rows x in {1, 2} cols a, b as \"c\" sort -a caption \"d\" }",
        "plot \"p\" { x a log y b as \"c\" dashed log band 0.9 mark 1 as \"m\" }",
        "simulate s { for k in 1..3 data D = f(k) train g : f on D { sgd } record r = g.loss }",
    ] {
        check(item);
    }
}

#[test]
fn comments_stay_where_they_were() {
    let text = "-- first\n\n\n-- second\nclaim  a : x<=1 -- trailing\n-- own\nclaim b : -- inside\n   x<=1\n-- last";
    let expected =
        "-- first\n\n-- second\nclaim  a : x <= 1  -- trailing\n-- own\nclaim b : -- inside\n   x<=1\n-- last\n";
    assert_eq!(format(&source(text)).unwrap(), expected);
    check(text);
    assert_eq!(format(&source("")).unwrap(), "");
    assert_eq!(format(&source("-- only")).unwrap(), "-- only\n");
    assert!(format(&source("claim a b")).is_err());
}

#[test]
fn unicode_becomes_ascii() {
    let text = "claim a : ∀ x ∈ X : ‖W·x‖₂ ≤ δ×π − √(2)  where ε ≠ γ1\nlet f = x ↦ |x|_∞\nclaim b : f ⊂ g implies p in Θ(n) as n → ∞";
    let expected = "claim a : forall x in X : |W*x|_2 <= delta*pi - sqrt(2)  where eps != gamma1\n\
                    let f = x |-> |x|_inf\nclaim b : f subset g implies p in Theta(n) as n -> inf\n";
    assert_eq!(format(&source(text)).unwrap(), expected);
    assert_eq!(tree(text), tree(expected));
}

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-d]".prop_map(String::from),
        "[0-9]{1,3}".prop_map(|d| d.parse::<u32>().unwrap().to_string()),
        Just("0.5%".to_string()),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (two.clone(), "[-+*/^]").prop_map(|((a, b), op)| format!("({a}) {op} ({b})")),
            two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            two.clone().prop_map(|(a, b)| format!("({a})..({b})")),
            two.clone().prop_map(|(a, b)| format!("f({a} on {b}, n: {b})").replace("on x |-> ", "on ")),
            two.clone().prop_map(|(a, b)| format!("f({a} <= {b})")),
            two.clone().prop_map(|(a, b)| format!("cases {{ {a} if {a} < {b}, {b} otherwise }}")),
            two.prop_map(|(a, b)| format!("sum(k in ({a}) : {b})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("x |-> ({a})")),
            inner.clone().prop_map(|a| format!("|({a})|_2")),
            inner.clone().prop_map(|a| format!("({a})[1]")),
            inner.prop_map(|a| format!("({a}).part")),
        ]
    })
}

proptest! {
    #[test]
    fn expressions_keep_their_trees(text in expression()) {
        check(&format!("let s = {text}"));
        check(&format!("claim c : ({text}) <= {text}  by m({text})"));
    }

    /// A text that can be read is printed to one that can.
    #[test]
    fn mutations_of_the_corpus_are_read_back(file: prop::sample::Index, at: prop::sample::Index, piece in 0..PIECES.len()) {
        let corpus = corpus();
        let text = std::fs::read_to_string(file.get(&corpus)).unwrap();
        let at = at.index(text.len());
        if text.is_char_boundary(at) {
            let mutated = format!("{}{}{}", &text[..at], PIECES[piece], &text[at..]);
            if !parse(&source(&mutated)).has_errors() {
                check(&mutated);
            }
        }
    }
}

const PIECES: [&str; 24] = [
    "data",
    "cases { table if x <= 1, train otherwise }",
    "claim ",
    "network ",
    "a",
    " : ",
    "<=",
    "(",
    ")",
    "|",
    "_2",
    "|->",
    "->",
    "..",
    "1",
    "%",
    "^",
    "-",
    "\n",
    " in ",
    " for ",
    ",",
    "then ",
    "table ",
];

fn specs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            specs(&path, found);
        } else if path.extension().is_some_and(|e| e == "spec") {
            found.push(path);
        }
    }
}

#[test]
fn shipped_specs_are_laid_out() {
    let mut found = Vec::new();
    specs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"), &mut found);
    assert!(found.len() >= 4);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(format(&source(&text)).unwrap(), text, "run `supremum fmt {}`", path.display());
    }
}
