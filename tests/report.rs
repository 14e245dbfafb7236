//! The renderers on views made by hand: snapshots, widths, hostile names.

use proptest::prelude::*;
use supremum::report::derivation::{self, DerivationView};
use supremum::report::table::{self, Align, Cell, Column, Latex, TableView};
use supremum::report::{
    CheckView, DiagnosticView, FileView, ItemKind, ItemView, LedgerView, SettingView, Severity, Style, TrainingView,
    Verdict, json, terminal,
};
use unicode_width::UnicodeWidthStr;

const ASCII: Style = Style { ascii: true, color: false, width: 100 };

fn snapshot(name: &str, text: String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn some(text: &str) -> Option<String> {
    Some(text.to_string())
}

fn item(kind: ItemKind, name: &str, verdict: Verdict, shown: &str, detail: &str, line: usize) -> ItemView {
    ItemView { shown: some(shown), detail: some(detail), ..ItemView::new(kind, name, verdict, "", line) }
}

/// The example of the manual, with made-up numbers where a number needs a run.
fn depth3() -> CheckView {
    let claim = |name, verdict, shown, detail, line| item(ItemKind::Claim, name, verdict, shown, detail, line);
    let mut size = claim("size", Verdict::PROVED, "params(f) = 337", "exact", 7);
    size.statement = "params(f) = 337".to_string();
    (size.lower, size.upper, size.delta) = (some("337"), some("337"), some("0"));
    let mut lip = claim("lip", Verdict::PROVED, "Lip₂(F) = 8", "2·2·2, attained", 8);
    lip.statement = "lip(F, l2) = 8".to_string();
    (lip.method, lip.source) = (some("spectral_product"), some("Szegedy et al. 2014, Section 4.3"));
    (lip.lower, lip.upper, lip.delta) = (some("8"), some("8"), some("0"));
    let range = claim("range", Verdict::PROVED, "F(X) ⊂ [-18.31371, 18.31371]", "8√2 + 7", 9);
    let modulo = Verdict::Proved { vacuous: false, modulo: true };
    let mut vc = claim("vc", modulo, "VCdim(sgn F) ≤ 8 214", "vc.bhlm_piecewise", 10);
    vc.source = some("Bartlett, Harvey, Liaw, Mehrabian 2019, JMLR 20(63), Theorem 7");
    vc.daggers = vec!["`vc.bhlm_piecewise` is recalled: its constants were not compared with the source".to_string()];
    let fit = item(ItemKind::Expect, "fit", Verdict::Consistent, "train error 0/1000 ≤ 1/50", "observed", 19);
    let mut slope = claim("slope", Verdict::PROVED, "Lip₂(h on X) ≤ 132.5", "1 240 boxes", 20);
    slope.witness = some("x = (0.40625, -0.21875): slope ≥ 131.1, gap 1.1 %");
    slope.notes = vec!["product of norms would give 488.76".to_string()];
    let mut risk = claim("risk", Verdict::PROVED, "P(err) ≤ 0.00662  w.p. ≥ 0.99", "1 error in 1000", 21);
    risk.source = some("Clopper, Pearson 1934");
    risk.statement = "risk(h, zero_one) <= ?".to_string();
    (risk.lower, risk.upper, risk.delta) = (some("0"), some("0.0066197261530428031"), some("1/100"));
    risk.assumptions = vec!["D.test i.i.d.".to_string()];
    let vacuous = Verdict::Proved { vacuous: true, modulo: false };
    let mut bits = claim("bits", vacuous, "P(err) ≤ 1.94  w.p. ≥ 0.99", "337 × 32 bits", 22);
    bits.notes = vec!["vacuous: needs n ≥ 3 740 to be below 1, n ≥ 14 960 for ½".to_string()];
    bits.source = some("Hoeffding 1963, with a union bound over the class");
    bits.assumptions = vec!["D.train i.i.d.".to_string()];
    CheckView {
        title: some("Depth-3 ReLU networks on the square"),
        spec: "specs/relu_depth3.spec".to_string(),
        setting: [
            ("X", "[-1, 1]²"),
            ("f", "2 → 16 → 16 → 1, relu     337 parameters"),
            ("F", "f with ‖W‖ ≤ 2, ‖b‖₂ ≤ 1"),
        ]
        .map(|(name, text)| SettingView { name: name.to_string(), text: text.to_string() })
        .to_vec(),
        files: vec![],
        training: vec![TrainingView {
            name: "h".to_string(),
            text: "train(f)   logistic, adam, 200 epochs, seed 7".to_string(),
            sha256: "3f9c5a0b2d7788aa00bbccddeeff00112233445566778899aabbccddeeff0011".to_string(),
            line: 17,
        }],
        items: vec![size, lip, range, vc, fit, slope, risk, bits],
        assumptions: vec![],
        semantics: None,
        ledger: Some(LedgerView {
            budget: "1/20".to_string(),
            spent: "1/50".to_string(),
            parts: vec![("risk".to_string(), "1/100".to_string()), ("bits".to_string(), "1/100".to_string())],
            together: some("49/50"),
        }),
        diagnostics: vec![DiagnosticView {
            code: "W0601".to_string(),
            severity: Severity::Warning,
            line: 22,
            column: 1,
            message: "claim `bits` is vacuous".to_string(),
        }],
        written: vec!["tables/relu_depth3.tex".to_string(), "certs/relu_depth3.cert".to_string()],
        exit: 0,
    }
}

/// Verdicts that the example lacks.
fn failing() -> CheckView {
    let claim = |name, verdict, shown, detail, line| item(ItemKind::Claim, name, verdict, shown, detail, line);
    let mut greedy = claim("greedy", Verdict::Refuted, "sup |sq(m) − x²| ≤ 2⁻²ᵐ⁻³", "", 4);
    greedy.detail = None;
    greedy.expected = true;
    greedy.witness = some("m = 1, x = 1/4:  |sq(1)(1/4) − 1/16| = 1/16 > 1/32");
    let mut gap = claim("gap", Verdict::Unknown, "‖∇h‖₂ ≤ 100 on X", "time limit", 5);
    (gap.lower, gap.upper) = (some("99"), some("100.5"));
    gap.notes = vec!["between 99 and 100.5: 12 400 boxes left; raise `within`, or allow more time".to_string()];
    let both = Verdict::Proved { vacuous: true, modulo: true };
    let mut ours = claim("ours", both, "risk ≤ 2.2", "", 6);
    ours.daggers = vec!["`ours` is the spec's own theorem, unproved".to_string()];
    let long = claim(
        "a_very_long_name_of_a_claim",
        Verdict::PROVED,
        "|f(x₁, x₂, x₃, x₄) − g(x₁, x₂, x₃, x₄)| ≤ 1/1000000000000000 for every x in [-1, 1]⁴ and every f in F",
        "induction over layers; each layer multiplies the error by its norm",
        7,
    );
    CheckView {
        title: None,
        spec: "specs/failing.spec".to_string(),
        setting: vec![],
        files: vec![FileView { path: "models/controller.onnx".to_string(), sha256: "8c1e".repeat(16) }],
        training: vec![],
        items: vec![
            greedy,
            gap,
            ours,
            long,
            claim("plain", Verdict::Refuted, "Lip∞(c) ≤ 3", "3.06 at x = (−0.41, 0.77)", 8),
            item(ItemKind::Expect, "rate", Verdict::Contradicted, "slope in [-0.65, -0.35]", "-0.9 ± 0.1 observed", 9),
            item(ItemKind::Measure, "move", Verdict::Measured, "‖θ − θ₀‖₂", "0.731", 10),
            item(ItemKind::Bound, "B.vc", Verdict::Error, "risk(f, zero_one)", "`vc` needs a scalar output", 11),
        ],
        assumptions: vec!["S i.i.d.".to_string()],
        semantics: some("exact real arithmetic on the stored weights"),
        ledger: None,
        diagnostics: vec![],
        written: vec![],
        exit: 1,
    }
}

fn bounds() -> TableView {
    let column = |title: &str, align| Column { title: title.to_string(), align };
    let cell = |text: &str, footnotes: &[usize]| Cell { text: text.to_string(), footnotes: footnotes.to_vec() };
    TableView {
        name: "relu_depth3".to_string(),
        caption: some("Bounds for h & friends, 95% sure"),
        columns: vec![
            column("bound", Align::Left),
            column("value ≤", Align::Right),
            column("method", Align::Left),
            column("status", Align::Left),
        ],
        rows: vec![
            vec![cell("P(err)", &[]), cell("0.00662", &[0]), cell("test_set", &[0]), "✓".into()],
            vec![cell("VCdim(sgn F)", &[]), cell("8\u{a0}214", &[1]), cell("vc.bhlm_piecewise", &[1, 2]), "✓†".into()],
            vec![cell("ln N(F, 1/10, ‖·‖∞)", &[]), cell("−3·10⁻⁷", &[]), cell("parameter_cover", &[])],
        ],
        footnotes: vec![
            "Clopper, Pearson 1934".to_string(),
            "Bartlett, Harvey, Liaw, Mehrabian 2019, JMLR 20(63), Theorem 7".to_string(),
            "recalled, not compared with the source".to_string(),
        ],
        sort: some("bound"),
    }
}

/// A table whose every text is an attack.
fn hostile() -> TableView {
    let attacks = [
        r"\input{/etc/passwd}",
        "%_&",
        "=cmd|' /C calc'!A0",
        "| a | b |\n|---|---|",
        "<script>alert(1)</script>",
        "$x$ \\\\ \\hline",
        "[1ex] * \"~^#{}",
        "\u{1b}[2J\u{202e}gnirts",
        "`x` ![y](z)",
        "漢字 Łódź Erdős ?` !` -- ,, <<",
        "",
    ];
    let column = |title: &str| Column { title: title.to_string(), align: Align::Left };
    TableView {
        name: r"a}\input{x}%".to_string(),
        caption: some(attacks.concat().as_str()),
        columns: vec![column("=model"), column("& \\name|")],
        rows: attacks.map(|text| vec![Cell { text: text.to_string(), footnotes: vec![0, 7] }, text.into()]).to_vec(),
        footnotes: vec![attacks.join(" ")],
        sort: some(attacks[0]),
    }
}

fn proof() -> DerivationView {
    let step = |statement: &str, rule: &str| DerivationView {
        statement: statement.to_string(),
        rule: some(rule),
        ..DerivationView::default()
    };
    let mut norms = step("Lip₂(f) ≤ ∏ ‖W[l]‖", "lipschitz.composition");
    norms.source = some("Szegedy et al. 2014, Section 4.3");
    norms.formal = some("Mathlib: LipschitzWith.comp");
    norms.requirements = vec![("lipschitz(relu) ≤ 1".to_string(), "activation.relu".to_string())];
    for l in 1..=3 {
        let mut layer = step(&format!("‖W[{l}]‖₂ ≤ 2"), "class F");
        layer.value = some("[2, 2]");
        norms.children.0.push(layer);
    }
    let mut root = step("Lip₂(F) = 8", "order.antisymmetry");
    root.value = some("[8, 8]");
    let mut attained = step("Lip₂(F) ≥ 8", "witness");
    attained.requirements = vec![
        ("witness ∈ F".to_string(), "evaluated exactly".to_string()),
        (
            "|f(x) − f(y)| = 8 |x − y| at two rational points that the certificate names".to_string(),
            "exact".to_string(),
        ),
    ];
    attained.dagger = some("the witness uses a theorem that is recalled");
    root.children = vec![norms, attained].into();
    root
}

#[test]
fn check_on_a_terminal() {
    snapshot("check@depth3", terminal::check(&depth3(), Style::default()));
    snapshot("check@depth3_ascii", terminal::check(&depth3(), ASCII));
    snapshot("check@depth3_narrow", terminal::check(&depth3(), Style { width: 60, ..Style::default() }));
    snapshot("check@failing", terminal::check(&failing(), Style::default()));
    snapshot("check@failing_ascii", terminal::check(&failing(), ASCII));
    let colored = terminal::check(&failing(), Style { color: true, ..Style::default() });
    assert_eq!(strip(&colored), terminal::check(&failing(), Style::default()));
    assert_ne!(strip(&colored), colored);
}

/// Removes colours.
fn strip(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let mut plain = parts.next().unwrap().to_string();
    for part in parts {
        plain += part.split_once('m').unwrap().1;
    }
    plain
}

#[test]
fn check_as_json() {
    let text = json::check(&depth3()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["exit"], 0);
    assert_eq!(value["ledger"]["budget"], "1/20");
    assert_eq!(value["items"][1]["statement"], "lip(F, l2) = 8");
    assert_eq!(value["items"][3]["verdict"], "proved");
    assert_eq!(value["items"][7]["vacuous"], true);
    assert_eq!(value["items"][0]["source"], serde_json::Value::Null);
    // The order of keys is part of the format.
    let keys = ["kind", "name", "verdict", "vacuous", "statement", "lower", "upper", "method", "source", "delta"];
    let first = text.split('}').nth(1).unwrap();
    let places: Vec<usize> = keys
        .iter()
        .chain(&["assumptions", "daggers", "witness", "line"])
        .map(|k| first.find(&format!("\"{k}\":")).unwrap())
        .collect();
    assert!(places.is_sorted());
    snapshot("json@depth3", text);
    let failing = json::check(&failing()).unwrap();
    let value: serde_json::Value = serde_json::from_str(&failing).unwrap();
    let verdicts: Vec<&str> =
        value["items"].as_array().unwrap().iter().map(|i| i["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["refuted", "unknown", "proved", "proved", "refuted", "contradicted", "measured", "error"]);
    assert_eq!(value["ledger"], serde_json::Value::Null);
}

#[test]
fn tables() {
    let table = bounds();
    snapshot("table@bounds", table::terminal(&table, Style::default()));
    snapshot("table@bounds_ascii", table::terminal(&table, Style { width: 60, ..ASCII }));
    snapshot("table_md@bounds", table::markdown(&table));
    snapshot("table_csv@bounds", table::csv(&table));
    snapshot("table_tex@bounds", table::latex(&table, Latex::Fragment));
}

#[test]
fn hostile_tables() {
    let table = hostile();
    snapshot("table@hostile", table::terminal(&table, Style::default()));
    snapshot("table_md@hostile", table::markdown(&table));
    snapshot("table_csv@hostile", table::csv(&table));
    snapshot("table_tex@hostile", table::latex(&table, Latex::Standalone));
    // Every line of the Markdown table has its three borders, and no HTML but ours.
    let markdown = table::markdown(&table);
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(line.matches('|').count(), 3, "{line}");
    }
    assert_eq!(markdown.matches('<').count(), 2 * markdown.matches("<sup>").count());
    let csv = table::csv(&table);
    assert_eq!(csv.lines().count(), 1 + table.rows.len());
    assert!(!csv.lines().any(|line| line.starts_with(['=', '@'])));
    let latex = table::latex(&table, Latex::Fragment);
    assert!(!latex.contains(r"\input") && !latex.contains(r"\hline") && !latex.contains("\\documentclass"));
    assert_eq!(latex.matches(r"\label{tab:").count(), 1);
    for text in [markdown, csv, latex, table::terminal(&table, Style::default())] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']));
    }
}

#[test]
fn derivations() {
    snapshot("why@lip", derivation::tree(&proof(), Style::default()));
    snapshot("why@lip_ascii", derivation::tree(&proof(), Style { width: 50, ..ASCII }));
}

#[test]
fn a_deep_derivation_neither_overflows_nor_widens() {
    let mut node = DerivationView { statement: "leaf".to_string(), ..DerivationView::default() };
    for level in 0..100_000 {
        node = DerivationView {
            statement: format!("step {level}"),
            children: vec![node].into(),
            ..DerivationView::default()
        };
    }
    let text = derivation::tree(&node, Style { width: 60, ..Style::default() });
    assert_eq!(text.lines().count(), 100_001);
    assert!(text.lines().all(|line| line.width() <= 60));
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ≤√²₂]{0,120}", "\\PC{0,60}", "[\\x00-\\x1f a]{0,10}", Just("x".repeat(300))]
}

prop_compose! {
    fn any_item()(
        texts in prop::collection::vec(text(), 8),
        verdict in prop::sample::select(vec![
            Verdict::PROVED, Verdict::Proved { vacuous: true, modulo: true }, Verdict::Refuted, Verdict::Unknown,
            Verdict::Consistent, Verdict::Contradicted, Verdict::Measured, Verdict::Error,
        ]),
        expected in any::<bool>(),
    ) -> ItemView {
        ItemView {
            shown: Some(texts[1].clone()),
            detail: Some(texts[2].clone()),
            notes: vec![texts[3].clone()],
            source: Some(texts[4].clone()),
            daggers: vec![texts[5].clone()],
            witness: Some(texts[6].clone()),
            assumptions: vec![texts[7].clone()],
            expected,
            ..ItemView::new(ItemKind::Claim, &texts[0], verdict, "", 1)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_report_is_wider_than_asked(
        items in prop::collection::vec(any_item(), 0..5), title in text(), width in 0usize..130, ascii in any::<bool>(),
    ) {
        let setting = vec![SettingView { name: title.clone(), text: title.clone() }];
        let view = CheckView { title: Some(title), items, setting, ..depth3() };
        let style = Style { ascii, color: false, width };
        let text = terminal::check(&view, style);
        for line in text.lines() {
            prop_assert!(line.width() <= width.clamp(40, 100), "{line}");
            prop_assert!(!line.ends_with(' ') && !line.contains(char::is_control));
            prop_assert!(!ascii || line.is_ascii());
        }
        let value: serde_json::Value = serde_json::from_str(&json::check(&view).unwrap()).unwrap();
        prop_assert_eq!(value["items"].as_array().unwrap().len(), view.items.len());
    }

    #[test]
    fn no_table_is_wider_than_asked(
        texts in prop::collection::vec(prop::collection::vec(text(), 0..14), 1..4), width in 0usize..130, columns in 0usize..14,
    ) {
        let table = TableView {
            columns: (0..columns).map(|c| Column { title: format!("column {c}"), align: if c % 2 == 0 { Align::Left } else { Align::Right } }).collect(),
            rows: texts.iter().map(|row| row.iter().map(|text| text.as_str().into()).collect()).collect(),
            ..bounds()
        };
        let text = table::terminal(&table, Style { width, ..Style::default() });
        prop_assert!(text.lines().all(|line| line.width() <= width.clamp(40, 100)), "{text}");
        prop_assert_eq!(table::csv(&table).lines().count(), 1 + table.rows.len());
        let markdown = table::markdown(&table);
        for line in markdown.lines().filter(|line| line.starts_with('|')) {
            prop_assert_eq!(line.matches('|').count(), columns.max(1) + 1);
        }
    }

    #[test]
    fn no_derivation_is_wider_than_asked(texts in prop::collection::vec(text(), 12), width in 0usize..130) {
        let mut node = DerivationView::default();
        for text in texts {
            node = DerivationView {
                statement: text.clone(),
                rule: Some(text.clone()),
                requirements: vec![(text.clone(), text.clone())],
                children: vec![node, DerivationView { statement: text, ..DerivationView::default() }].into(),
                ..DerivationView::default()
            };
        }
        let text = derivation::tree(&node, Style { width, ..Style::default() });
        prop_assert!(text.lines().all(|line| line.width() <= width.clamp(40, 100)), "{text}");
    }
}
