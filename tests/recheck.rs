//! Published tables recomputed row by row. The shipped tables are made up: each wrong row has one slip, computed independently in
//! double precision, and the slip must be the one that is named.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn supremum(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_supremum")).current_dir(root).args(arguments).output().expect("the binary runs")
}

fn snapshot(name: &str, output: &Output) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots/recheck");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, String::from_utf8_lossy(&output.stdout)));
}

/// Text files in a folder of their own.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("supremum-recheck-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    folder
}

#[test]
fn every_slip_of_the_shipped_table_is_named() {
    let output = supremum(&["recheck", "specs/recheck/pac_bayes.spec", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let claim = &json["claims"][0];
    for (label, slip) in [
        ("letters", "log2(2*sqrt(n)/delta) for ln(2*sqrt(n)/delta)"),
        ("faces", "sqrt(n) for 2*sqrt(n)"),
        ("streets", "n for sqrt(n)"),
        ("birds", "delta/2 for delta"),
        ("flowers", "kl_nats*ln(2) for kl_nats"),
        ("wine", "n - 1 for n (place 2)"),
        ("maps", "2*sqrt(n/delta) for 2*sqrt(n)/delta"),
        ("leaves", "kl(p, q) for kl(q, p) in kl_inverse"),
        ("stars", "the last midpoint after 9 halvings for kl_inverse"),
        ("hills", "n for 2*sqrt(n)"),
        ("clouds", "train_err + sqrt("),
    ] {
        let row = claim["rows"].as_array().expect("rows").iter().find(|row| row["label"] == label).expect("a row");
        assert_eq!(row["verdict"], "disagrees", "{label}");
        let explains = |explanation: &&serde_json::Value| {
            explanation["rows"].as_array().expect("rows").iter().any(|pair| pair[0] == row["row"])
        };
        let found: Vec<&str> = claim["explanations"]
            .as_array()
            .expect("explanations")
            .iter()
            .filter(explains)
            .map(|explanation| explanation["slip"].as_str().expect("a text"))
            .collect();
        // The first one named, and nothing of another kind beside its synonyms.
        assert!(found.first().is_some_and(|first| first.starts_with(slip)), "{label}: {found:?}");
        assert!(found.len() <= 2, "{label}: {found:?}");
    }
    let agreeing = claim["rows"].as_array().expect("rows").iter().filter(|row| row["verdict"] == "agrees").count();
    assert_eq!(agreeing, 3);
}

/// Rows of Hoeffding's bound `q + sqrt(ln(1/delta)/(2 n))`, each with one slip, as Python's `math` gives them.
#[test]
fn slips_of_a_square_root_bound_are_named() {
    let spec = "spec \"h\"\ndata t from \"h.csv\"\nclaim digits : forall r in t.rows : r.err + sqrt(ln(1/r.delta)/(2*r.n)) = r.bound\n";
    let rows = [
        ("right", "0.05,100,0.05,0.172387", ""),
        ("base 2", "0.06,137,0.05,0.185592", "log2(1/delta) for ln(1/delta)"),
        ("base 10", "0.07,174,0.05,0.131144", "ln(1/delta)/ln(10) for ln(1/delta)"),
        ("confidence", "0.13,396,0.05,0.138048", "1 - delta for delta"),
        ("sign", "0.14,433,0.05,0.081184", "err - sqrt("),
        ("percent", "5,100,0.05,0.172387", "percent given for a fraction: err/100 for err"),
        ("printed", "0.05,100,0.05,17.238734", "percent printed for a fraction: 100 times err + sqrt("),
        ("share", "0.05,100,5,0.172387", "percent given for a fraction: delta/100 for delta"),
    ];
    let table: String = rows.iter().map(|(name, numbers, _)| format!("{name},{numbers}\n")).collect();
    let folder = folder("hoeffding", &[("h.spec", spec), ("h.csv", &format!("name,err,n,delta,bound\n{table}"))]);
    let output = supremum(&["recheck", &folder.join("h.spec").to_string_lossy(), "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let claim = &json["claims"][0];
    for (label, _, slip) in rows {
        let row = claim["rows"].as_array().expect("rows").iter().find(|row| row["label"] == label).expect("a row");
        let explanations = claim["explanations"].as_array().expect("explanations").iter();
        let of_row = |explanation: &&serde_json::Value| {
            explanation["rows"].as_array().expect("rows").iter().any(|pair| pair[0] == row["row"])
        };
        let found: Vec<&str> = explanations.filter(of_row).filter_map(|e| e["slip"].as_str()).collect();
        assert_eq!(row["verdict"] == "agrees", slip.is_empty(), "{label}: {row}");
        assert!(slip.is_empty() || found.iter().any(|found| found.starts_with(slip)), "{label}: {found:?}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// One published number, and the tuned parameter that nobody paid for.
#[test]
fn a_published_number_is_met_and_unpaid_choices_are_named() {
    for (spec, rows) in [
        ("dziugaite_roy", vec![("T-600", ""), ("T-600 by Pinsker", "train_err + sqrt(")]),
        ("catoni", vec![("paid", ""), ("tuned", "kl_nats + ln(1/delta) for kl_nats + ln(1/delta) + 2*ln(")]),
    ] {
        let output = supremum(&["recheck", &format!("specs/recheck/{spec}.spec"), "--format", "json"]);
        assert_eq!(output.status.code(), Some(1), "{spec}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let claim = &json["claims"][0];
        for (label, slip) in rows {
            let row = claim["rows"].as_array().expect("rows").iter().find(|row| row["label"] == label).expect("a row");
            let explanations = claim["explanations"].as_array().expect("explanations").iter();
            let of_row = |explanation: &&serde_json::Value| {
                explanation["rows"].as_array().expect("rows").iter().any(|pair| pair[0] == row["row"])
            };
            let found: Vec<&str> = explanations.filter(of_row).filter_map(|e| e["slip"].as_str()).collect();
            let expected = if slip.is_empty() { "agrees" } else { "disagrees" };
            assert_eq!(row["verdict"], expected, "{spec} {label}: {found:?}");
            assert!(slip.is_empty() || found.iter().any(|found| found.starts_with(slip)), "{spec} {label}: {found:?}");
        }
    }
}

#[test]
fn reports_read_well() {
    snapshot("text@pac_bayes", &supremum(&["recheck", "specs/recheck/pac_bayes.spec"]));
    snapshot("text@gaussian", &supremum(&["recheck", "specs/recheck/gaussian.spec", "--ascii"]));
    snapshot("md@gaussian", &supremum(&["recheck", "specs/recheck/gaussian.spec", "--format", "md"]));
    snapshot("check@gaussian", &supremum(&["check", "specs/recheck/gaussian.spec"]));
}

/// The reviewer's spec of the language's manual, with a table of six rows; the fourth has the slip of the manual.
#[test]
fn the_manuals_spec_runs_as_it_stands() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/specs/workflows/recheck.spec");
    let spec = std::fs::read_to_string(manual).expect("the spec");
    let table = "dataset,n,kl_nats,train_err,delta,bound\nmnist,60000,6000,0.03,0.05,0.172\nmoons,30000,40,0.02,0.01,0.030\n\
                 faces,800,20,0.035,0.05,0.105\nsvhn,800,20,0.035,0.05,0.1033\nbirds,1200,30,0.04,0.05,0.109\n\
                 coins,1300,35,0.055,0.05,0.133\n";
    let folder = folder("manual", &[("recheck.spec", &spec), ("papers/table2.csv", table)]);
    let path = folder.join("recheck.spec");
    let check = supremum(&["check", &path.to_string_lossy(), "--format", "json"]);
    assert_eq!(check.status.code(), Some(1), "{}", String::from_utf8_lossy(&check.stderr));
    let json: serde_json::Value = serde_json::from_slice(&check.stdout).expect("JSON");
    assert_eq!((&json["items"][0]["verdict"], &json["items"][1]["verdict"]), (&"refuted".into(), &"proved".into()));
    let text = String::from_utf8(supremum(&["check", &path.to_string_lossy()]).stdout).expect("text");
    assert!(text.contains("row 4 (svhn): the formula gives [0.104424, 0.10442401]"), "{text}");
    assert!(text.contains("rows 1-3 5 6 agree"), "{text}");
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn exit_codes_and_diagnostics() {
    let table = "name,n,bound\na,4,2\nb,9,3\n";
    let data = "data t from \"t.csv\"\n";
    for (name, spec, exit, says) in [
        ("right", "claim c : forall r in t.rows : sqrt(r.n) = r.bound", 0, "2 rows agree"),
        ("expected", "claim c : forall r in t.rows : r.n <= r.bound expecting refuted", 0, "as expected"),
        ("not_refuted", "claim c : forall r in t.rows : r.n >= r.bound expecting refuted", 1, "2 rows agree"),
        (
            "wrong",
            "claim c : forall r in t.rows : r.n/2 = r.bound",
            1,
            "row 2 (b): the formula gives 4.5, the table says 3",
        ),
        ("undecided", "claim c : forall r in t.rows : exp(ln(r.n)) <= r.n", 4, "undecided"),
        ("undefined", "claim c : forall r in t.rows : 1/(r.n - 4) <= r.bound", 3, "division by zero"),
        ("column", "claim c : forall r in t.rows : r.m <= r.bound", 3, "E0131"),
        ("text", "claim c : forall r in t.rows : r.name <= r.bound", 3, "undefined"),
        ("table", "claim c : forall r in s.rows : r.n <= r.bound", 3, "E0640"),
        ("nothing", "claim c : 1 <= 2", 3, "E0642"),
        ("twice", "claim c : 1 <= 2\nclaim c : forall r in t.rows : r.n <= r.bound", 3, "E0129"),
        (
            "large",
            "let a(r) = r.n + r.n\nlet b(r) = a(r)*a(r)*a(r)*a(r)*a(r)*a(r)*a(r)*a(r)\nlet c(r) = b(r)*b(r)*b(r)*b(r)*b(r)*b(r)*b(r)*b(r)\n\
             let d(r) = c(r)*c(r)*c(r)*c(r)*c(r)*c(r)*c(r)*c(r)\nlet f(r) = d(r)*d(r)*d(r)*d(r)*d(r)*d(r)*d(r)*d(r)\n\
             let g(r) = f(r)*f(r)*f(r)*f(r)*f(r)*f(r)*f(r)*f(r)\nclaim c : forall r in t.rows : g(r) <= r.bound",
            8,
            "E0123",
        ),
    ] {
        let folder = folder(name, &[("t.csv", table), ("s.spec", &format!("{data}{spec}\n"))]);
        let output = supremum(&["recheck", &folder.join("s.spec").to_string_lossy()]);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "{name}\n{said}");
        assert!(said.contains(says), "{name}\n{said}");
        std::fs::remove_dir_all(&folder).expect("removed");
    }
    let folder = folder("missing", &[("s.spec", "data t from \"t.csv\"\nclaim c : forall r in t.rows : r.n <= 1\n")]);
    for command in ["recheck", "check"] {
        let output = supremum(&[command, &folder.join("s.spec").to_string_lossy()]);
        assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// Hostile cells reach the terminal and Markdown as plain text.
#[test]
fn strangers_cells_are_harmless() {
    let table = "name,n,bound\n\"a|b\u{1b}[31m<i>\",4,1\n";
    let spec = "data t from \"t.csv\"\nclaim c : forall r in t.rows : r.n <= r.bound\n";
    let folder = folder("hostile", &[("t.csv", table), ("s.spec", spec)]);
    let path = folder.join("s.spec").to_string_lossy().to_string();
    let text = String::from_utf8(supremum(&["recheck", &path]).stdout).expect("text");
    assert!(!text.contains('\u{1b}'), "{text}");
    let markdown = String::from_utf8(supremum(&["recheck", &path, "--format", "md"]).stdout).expect("text");
    assert!(markdown.contains("a\\|b") && markdown.contains("\\<i\\>") && !markdown.contains('\u{1b}'), "{markdown}");
    std::fs::remove_dir_all(&folder).expect("removed");
}
