//! The shipped specs, run as a user runs them. Expected values come from the literature's formulas computed independently.

#[path = "specs/certified.rs"]
mod certified;
#[path = "certificates/commands.rs"]
mod commands;
#[path = "specs/information.rs"]
mod information;

use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    let binary = env!("CARGO_BIN_EXE_supremum");
    Command::new(binary).current_dir(root).arg("check").args(arguments).output().expect("the binary runs")
}

/// Verdict, lower and upper end of every item of a spec, and the exit code.
fn items(spec: &str) -> (Vec<serde_json::Value>, i32) {
    let output = check(&[spec, "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{spec}: {error}\n{}", String::from_utf8_lossy(&output.stderr)));
    let items = json["items"].as_array().expect("items").clone();
    (items, output.status.code().expect("an exit code"))
}

fn item<'a>(items: &'a [serde_json::Value], name: &str) -> &'a serde_json::Value {
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item {name}"))
}

fn upper(item: &serde_json::Value) -> f64 {
    let text = item["upper"].as_str().expect("an upper end");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
}

/// A spec given as text, on standard input: exit code and standard error.
fn text(spec: &str) -> (i32, String) {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(spec.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    (output.status.code().expect("an exit code"), String::from_utf8_lossy(&output.stderr).to_string())
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Everything that a shipped spec prints and writes, by the view's name.
fn views(spec: &str, threads: &str) -> Vec<(&'static str, String)> {
    let folder = std::env::temp_dir().join(format!("supremum-specs-{}-{spec}-{threads}", std::process::id()));
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("RAYON_NUM_THREADS", threads)
            .args(arguments)
            .output()
            .expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let path = format!("specs/{spec}.spec");
    let text = run(&["check", &path]);
    let json = run(&["check", "--format", "json", &path]);
    run(&["table", "--to", "md,csv,tex", "-o", folder.to_str().expect("UTF-8"), &path]);
    let table = |ending| std::fs::read_to_string(folder.join(format!("{spec}.{ending}"))).expect("a table");
    let views = vec![
        ("check", text),
        ("json", json),
        ("table_md", table("md")),
        ("table_csv", table("csv")),
        ("table_tex", table("tex")),
    ];
    std::fs::remove_dir_all(&folder).expect("removed");
    views
}

#[test]
fn shipped_specs_print_the_same_bytes_whatever_the_number_of_threads() {
    for spec in ["relu_depth3", "digits", "acas", "lecture_vc"] {
        let one = views(spec, "1");
        for ((view, text), (_, again)) in one.iter().zip(views(spec, "2")) {
            assert_eq!(*text, again, "{view} of {spec}");
            snapshot(&format!("{view}@{spec}"), text);
        }
    }
}

#[test]
fn relu_depth3_shows_its_numbers() {
    let (items, exit) = items("specs/relu_depth3.spec");
    assert_eq!(exit, 0);
    assert_eq!(item(&items, "size")["upper"], "337");
    let lip = item(&items, "lip");
    assert_eq!((&lip["verdict"], &lip["lower"], &lip["upper"]), (&"proved".into(), &"8".into(), &"8".into()));
    assert_eq!(item(&items, "range")["verdict"], "proved");
    // The implicit form of Bartlett, Harvey, Liaw, Mehrabian 2019 for 2-16-16-1.
    assert_eq!(item(&items, "vc")["upper"], "7344");
    let bits = item(&items, "bits");
    assert_eq!(bits["vacuous"], true);
    // sqrt((337 * 32 ln 2 + ln 100) / 2000) = 1.93384..., plus no training errors.
    assert!((1.93384..1.94).contains(&upper(bits)), "{bits}");
    assert!(upper(item(&items, "risk")) < 0.02);
    assert!(upper(item(&items, "slope")) < 488.0);
}

#[test]
fn acas_is_below_its_product_bound() {
    let (items, exit) = items("specs/acas.spec");
    assert_eq!(exit, 0);
    assert_eq!(item(&items, "size")["upper"], "13305");
    // LipSDP-Neuron's optimum is 88258.8192...; a certified bound lies just above.
    let lip = upper(item(&items, "lip"));
    assert!((88258.819..88258.83).contains(&lip), "{lip}");
    assert!(upper(item(&items, "product")) > 2.8e7);
}

#[test]
fn digits_has_real_held_out_images() {
    let (items, exit) = items("specs/digits.spec");
    assert_eq!(exit, 0);
    assert_eq!(item(&items, "size")["upper"], "3466");
    assert!((32.22..32.4).contains(&upper(item(&items, "lip"))));
    // 24 of 500 held-out images are misclassified.
    assert_eq!(item(&items, "errors")["upper"], "24");
    let risk = upper(item(&items, "risk"));
    assert!((0.048..0.08).contains(&risk), "{risk}");
}

#[test]
fn lecture_refutes_and_is_vacuous_as_expected() {
    let (items, exit) = items("specs/lecture_vc.spec");
    assert_eq!(item(&items, "closed")["upper"], "178");
    assert_eq!(item(&items, "implicit")["upper"], "169");
    assert_eq!(item(&items, "wrong")["verdict"], "refuted");
    assert_eq!(item(&items, "empty")["vacuous"], true);
    assert_eq!(exit, 0);
}

#[test]
fn numbers_are_exact_and_comparisons_honest() {
    for (claim, exit) in [
        ("0.1 + 0.2 == 0.3", 0),
        ("ln(1/1e-400) <= 921.0341", 0),
        ("sqrt(4) == 2", 0),
        ("sqrt(1/9) == 1/3", 0),
        ("exp(pi*sqrt(163)) < 262537412640768744", 0),
        ("exp(ln(2)) <= 2", 4),
        ("exp(ln(2)) < 2", 4),
        ("1 <= 2 <= 1", 1),
        ("1/0 <= 5", 3),
        ("1/(-0) >= 0", 3),
        ("forall x in [-1, 2] : ln(x) <= 1", 3),
        ("forall x in [0, 1] : ln(x) <= 0", 3),
        ("forall x in [0, inf] : exp(-x) <= 1", 0),
        ("forall x in [0, 1] : x - x == 0", 4),
        ("1e308*10 <= 1e309", 0),
        ("log(2) <= 1", 3),
    ] {
        let (found, message) = text(&format!("claim t : {claim}\n"));
        assert_eq!(found, exit, "{claim}\n{message}");
    }
}

#[test]
fn hypotheses_are_never_overlooked() {
    for (spec, exit, code) in [
        ("", 3, "E0136"),
        ("network f = 784 -> 0 -> 10 relu\nclaim t : params(f) = 1", 3, "E0120"),
        ("network f = 2 -> 3 -> 1 sigmoid\nclaim t : vcdim(sign(f)) <= ? by bhlm2019", 3, "E0302"),
        ("claim t : growth(halfspaces(100), 10) <= ? by sauer_shelah", 3, "E0302"),
        ("network f = 1000000000 -> 1000000000\nclaim t : params(f) = 1000000001000000000", 0, ""),
        ("let a = a\nclaim t : 1 <= 2", 3, "E0131"),
        ("let pi = 3\nclaim t : 1 <= 2", 3, "E0128"),
        ("claim t : 1 <= 2\nclaim t : 1 <= 2", 3, "E0129"),
        ("network f from \"../../../etc/passwd\"\nclaim t : params(f) = 1", 7, "E0502"),
        ("claim t : vcdim(halfspaces(2)) <= ? by bhlm2017", 3, "E0009"),
        ("network f = 2 -> 3 -> 1 relu\ndomain X = [0, 1]^3\nclaim t : lip(f on X, l2) <= 4", 3, "E0301"),
    ] {
        let (found, message) = text(spec);
        assert_eq!(found, exit, "{spec}\n{message}");
        assert!(message.contains(code), "{spec}\n{message}");
    }
}

#[test]
fn a_network_is_not_tested_on_its_own_training_sample() {
    let spec = "data D = two_moons(n: 200, noise: 0.1, seed: 1)\nsplit D into train 100, test 100\n\
                network f = 2 -> 4 -> 1 relu\n\
                train h : f on D.train { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n\
                claim t : risk(h, zero_one) <= ? with probability >= 0.99 by test_set(D.SAMPLE)\n";
    let (exit, message) = text(&spec.replace("SAMPLE", "test"));
    assert_eq!(exit, 0, "{message}");
    let (exit, message) = text(&spec.replace("SAMPLE", "train"));
    assert_eq!(exit, 3, "{message}");
    assert!(message.contains("E0310"), "{message}");
}

#[test]
fn two_data_sets_from_one_source_are_refused() {
    let spec = "data A = two_moons(n: 100, noise: 0.1, seed: 1)\ndata B = two_moons(n: 50, noise: 0.1, seed: SEED)\n\
                network f = 2 -> 4 -> 1 relu\n\
                train h : f on A { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n\
                claim t : risk(h, zero_one) <= ? with probability >= 0.99 by test_set(B)\n";
    let (exit, message) = text(&spec.replace("SEED", "2"));
    assert_eq!(exit, 0, "{message}");
    // The same generator and seed draw the same points: `B` would be training data under another name.
    let (exit, message) = text(&spec.replace("SEED", "1"));
    assert_eq!(exit, 3, "{message}");
    assert!(message.contains("E0138"), "{message}");
}

#[test]
fn samples_of_two_data_sets_need_one_law() {
    let spec = "network F = 2 -> 4 -> 1 relu\ndata A = two_moons(n: 100, noise: 0.1, seed: 1)\n\
                data B = two_moons(n: 100, noise: 0.3, seed: 2)\n\
                theorem two(f : net, S : sample, T : sample) \"constructed\"\n  requires iid(S), iid(T)\n\
                  ensures risk(f, zero_one) <= 1/2\n  source \"constructed\"\n  status unproved\n\
                claim t : risk(F, zero_one) <= 1/2 by two(S: A, T: SECOND)\n";
    let daggers = |second: &str| {
        let folder = std::env::temp_dir().join(format!("supremum-laws-{second}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("t.spec");
        std::fs::write(&path, spec.replace("SECOND", second)).expect("written");
        let (items, _) = items(path.to_str().expect("a path"));
        std::fs::remove_dir_all(&folder).expect("removed");
        item(&items, "t")["daggers"].to_string()
    };
    assert!(!daggers("A").contains("follow one law"));
    assert!(daggers("B").contains("`A` and `B` follow one law"));
}

/// The table of this name in a spec, as CSV.
fn csv(name: &str, spec: &str) -> String {
    let folder = std::env::temp_dir().join(format!("supremum-table-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("t.spec");
    std::fs::write(&path, spec).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["table", "--to", "csv", "-o"])
        .args([&folder, &path])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let csv = std::fs::read_to_string(folder.join(format!("{name}.csv"))).expect("the table");
    std::fs::remove_dir_all(&folder).expect("removed");
    csv
}

#[test]
fn a_table_of_networks_has_a_row_for_each() {
    let text = "network a = 2 -> 3 -> 1 relu\nnetwork b = 2 -> 1\nclaim t : params(a) = 13\n\
                table \"nets\" { rows n in {a, b} cols params(n), vcdim(sign(n)) as \"VC\" }\n";
    let csv = csv("nets", text);
    // 2-3-1 has 13 parameters and the implicit bound 169; affine classifiers of the plane have VC dimension 3.
    for cell in ["a,13,", "169", "b,3,3"] {
        assert!(csv.contains(cell), "{cell}\n{csv}");
    }
}

/// A bound of a risk is as many times the trivial bound 1 as it says; the number of parameters has no trivial bound.
#[test]
fn a_table_takes_the_rows_of_a_block_and_claims_and_shows_how_vacuous_they_are() {
    let text = "network f = 2 -> 8 -> 1 relu\ndata D = two_moons(n: 2000, noise: 0.1, seed: 1)\n\
                split D into train 1000, test 1000\n\
                train h : f on D.train { loss logistic, adam, lr 0.01, epochs 20, batch 64, seed 7 }\n\
                bounds B for risk(h, zero_one) { test_set(D.test)\nfinite_class.hoeffding(f, D.train, bits: 320) }\n\
                claim size : params(f) = 33\nclaim other : params(f) <= 40\n\
                table \"rows\" { rows {B, size} cols upper, factor, vacuous }\n";
    let csv = csv("rows", text);
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 4, "{csv}");
    assert_eq!(rows[3], ["size", "33", "", ""]);
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    // sqrt(320*33 ln 2/2000) is already 1.913.
    assert!(number(rows[1][2]) < 0.5 && rows[1][3].is_empty(), "{csv}");
    assert!(number(rows[2][2]) > 1.913 && rows[2][3] == "yes", "{csv}");
}

/// The rows are printed numbers: their order is decided, what is false of them refuted.
/// They were read off data, so they stand inside no quantity and no definition.
#[test]
fn rows_of_a_block_are_compared_and_computed_with() {
    let setting = "network f = 2 -> 8 -> 1 relu\ndata D = two_moons(n: 2000, noise: 0.1, seed: 1)\n\
                   split D into train 1000, test 1000\n\
                   train h : f on D.train { loss logistic, adam, lr 0.01, epochs 20, batch 64, seed 7 }\n\
                   measure gap : risk(h, D.test, zero_one)\n\
                   bounds B for risk(h, zero_one) {\n\
                   test_set.hoeffding(D.test)\ntest_set.kl(D.test)\ntest_set.kl(D.test) }\n";
    let claims = "claim best : min(B) < 1\nclaim most : max(B) = B.test_set.hoeffding\n\
                  claim same : B.test_set.kl = B.test_set.kl_2\nclaim less : B.test_set.kl <= B.test_set.hoeffding\n\
                  claim over : B.test_set.kl >= 1/2 expecting refuted\n\
                  expect sound : forall b in B : b >= risk(h, D.test, zero_one)\n";
    let (code, report) = text(&format!("{setting}{claims}"));
    assert_eq!(code, 0, "{report}");
    for (rows, expected) in [
        ("let k = B.test_set.kl\nclaim t : k <= 1", "E0206"),
        ("claim t : vcdim(halfspaces(B.test_set.kl)) <= 5", "E0206"),
        ("claim t : forall b in B : vcdim(halfspaces(b)) <= 5", "E0206"),
        ("claim t : B <= 1", "E0206"),
        ("claim t : gap <= 1", "E0206"),
        ("claim t : B.test_set <= 1", "E0131"),
    ] {
        let (code, report) = text(&format!("{setting}{rows}"));
        assert_eq!(code, 3, "{report}");
        assert!(report.contains(expected), "{rows}: {report}");
    }
}

#[test]
fn denied_results_say_why() {
    for (lint, code, name, exit) in [
        ("vacuous", "W0601", "bits", 5),
        ("assumptions", "W0604", "risk", 5),
        ("observed", "W0604", "fit", 5),
        ("unproved", "", "", 0),
    ] {
        let output = check(&["specs/relu_depth3.spec", "--deny", lint, "--format", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!((output.status.code(), &json["exit"]), (Some(exit), &exit.into()), "{lint}");
        let found = json["diagnostics"].as_array().expect("diagnostics");
        let of_lint = |d: &&serde_json::Value| {
            d["code"] == code && d["severity"] == "warning" && d["message"].as_str().is_some_and(|m| m.contains(name))
        };
        assert_eq!(found.iter().any(|d| of_lint(&d)), exit == 5, "{lint}: {found:?}");
        // The vacuous claim has its warning in any case.
        assert!(exit == 5 || found.iter().all(|d| d["code"] == "W0601"), "{lint}: {found:?}");
        assert_eq!(found.iter().filter(|d| d["code"] == "W0601").count(), 1, "{lint}: {found:?}");
    }
}

/// Theorem 7 of Bartlett, Harvey, Liaw, Mehrabian 2019 in its closed form, in floating point and independent of the library:
/// L + sum_l W_l log2(4 e R log2(2 e R)), W_l the parameters up to layer l, R = sum_l k_l (1 + (l - 1)) for ReLU.
fn bhlm_closed(sizes: &[u32]) -> f64 {
    let (mut parameters, mut total, mut r, mut layers) = (0.0, 0.0, 0.0, 0.0);
    for pair in sizes.windows(2) {
        let [n, k] = [pair[0], pair[1]].map(f64::from);
        layers += 1.0;
        parameters += (n + 1.0) * k;
        total += parameters;
        r += k * layers;
    }
    let e = std::f64::consts::E;
    layers + total * (4.0 * e * r * (2.0 * e * r).log2()).log2()
}

/// How far outputs move with the parameters, layer by layer: |a_l| <= A_l, A_l = R (n_(l-1) A_(l-1) + 1), and the moves add up by
/// E_l = n_(l-1) R E_(l-1) + n_(l-1) A_(l-1) + 1.
fn parameter_lipschitz(sizes: &[u64], r: u64, b: u64) -> u64 {
    let (mut a, mut e) = (b, 0);
    for n in &sizes[..sizes.len() - 1] {
        e = n * r * e + n * a + 1;
        a = r * (n * a + 1);
    }
    e
}

#[test]
fn numbers_of_the_theory() {
    let folder = std::env::temp_dir().join(format!("supremum-numbers-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let value = |spec: &str| -> String {
        let path = folder.join("t.spec");
        std::fs::write(&path, spec).expect("written");
        let (items, exit) = items(path.to_str().expect("a path"));
        assert_eq!(exit, 0, "{spec}\n{items:?}");
        items[0]["upper"].as_str().expect("an upper end").to_string()
    };
    let chain = |sizes: &[u64]| sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" -> ");
    for (sizes, closed, implicit) in
        [(&[2, 3, 1][..], 178, 169), (&[784, 128, 128, 1], 5_187_334, 4_416_891), (&[2, 16, 16, 1], 8558, 7344)]
    {
        let small: Vec<u32> = sizes.iter().map(|n| u32::try_from(*n).expect("small")).collect();
        assert_eq!(bhlm_closed(&small).floor(), f64::from(closed));
        for (form, expected) in [("closed", closed), ("implicit", implicit)] {
            let spec = format!("network f = {} relu\nclaim t : vcdim(sign(f)) <= ? by bhlm2019_{form}\n", chain(sizes));
            assert_eq!(value(&spec), expected.to_string(), "{spec}");
        }
    }
    for (sizes, lambda) in [(&[1, 3, 1][..], 13), (&[2, 16, 1], 97), (&[784, 100, 10], 157_001)] {
        assert_eq!(parameter_lipschitz(sizes, 1, 1), lambda);
        let spec = format!(
            "network f = {} relu\ndomain X = [-1, 1]^{}\nclaim t : parameter_lipschitz(f on X, 1) <= ?\n",
            chain(sizes),
            sizes[0]
        );
        assert_eq!(value(&spec), lambda.to_string(), "{spec}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn an_open_enclosure_has_both_ends() {
    let folder = std::env::temp_dir().join(format!("supremum-ends-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let model = format!("{}/specs/models/square_relu.onnx", env!("CARGO_MANIFEST_DIR"));
    std::fs::copy(model, folder.join("model.onnx")).expect("copied");
    let path = folder.join("t.spec");
    let text = "network f from \"model.onnx\"\nclaim norm : weight_norm(f, 1, l2) in ?\nclaim lip : lip(f, l2) in ?\n";
    std::fs::write(&path, text).expect("written");
    let (items, exit) = items(path.to_str().expect("a path"));
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(exit, 0, "{items:?}");
    let end = |name: &str, end: &str| -> f64 {
        let text = item(&items, name)[end].as_str().expect("an end");
        let number = |text: &str| text.parse::<f64>().expect("a number");
        text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
    };
    // A spectral norm is enclosed tightly; a Lipschitz constant is attained somewhere.
    assert!((1.0 - 1e-9..=1.0).contains(&(end("norm", "lower") / end("norm", "upper"))), "{items:?}");
    assert!(0.0 < end("lip", "lower") && end("lip", "lower") <= end("lip", "upper"), "{items:?}");
}
