//! Numbers that a theorem fixes before the sample: stated by the claim they count, read off the trained network they do not.

use std::process::{Command, Stdio};

const SETTING: &str = "data D = two_moons(n: 300, noise: 0.1, seed: 1)\nsplit D into train 200, test 100\n\
                       network f = 2 -> 4 -> 1 relu\n\
                       train h : f on D.train { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n\
                       train g : f on D.test { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n";

/// The exit code, the report as JSON and its diagnostics as one text, of `check` on the setting with these lines.
fn check(lines: &str) -> (i32, serde_json::Value, String) {
    use std::io::Write;
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(format!("{SETTING}{lines}\n").as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let diagnostics = json["diagnostics"].to_string();
    (output.status.code().expect("an exit code"), json, diagnostics)
}

fn claim(method: &str) -> String {
    format!("claim t : risk(h, zero_one) <= ? with probability >= 0.99 by {method}")
}

/// Assumptions and undeclared conditions of the last item.
fn assumptions(json: &serde_json::Value) -> String {
    json["items"].as_array().and_then(|items| items.last()).expect("an item")["assumptions"].to_string()
}

#[test]
fn a_stated_width_is_the_authors_declaration() {
    let finite = claim("finite_class(bits: 32, on: D.train)");
    for (lines, needle) in [
        (finite.clone(), "bits = 32 was chosen before `D.train` was seen, as the spec states"),
        (format!("let b = 2^5\n{}", claim("finite_class(bits: b, on: D.train)")), "bits = 32 was chosen"),
        // The width of a network that never saw the sample may be read off it.
        (claim("finite_class(bits: weight_bits(g), on: D.train)"), "bits = 32 was chosen"),
        (format!("let b = weight_bits(g)\n{}", claim("finite_class(bits: b, on: D.train)")), "bits = 32 was chosen"),
    ] {
        let (exit, json, message) = check(&lines);
        assert_eq!(exit, 0, "{lines}\n{message}\n{json}");
        assert!(assumptions(&json).contains(needle), "{lines}\n{json}");
    }
}

#[test]
fn a_width_read_off_the_trained_network_is_refused() {
    for (lines, title) in [
        (claim("finite_class.hoeffding(on: D.train)"), "no claim states `bits`"),
        (claim("finite_class.kl(on: D.train)"), "no claim states `bits`"),
        (claim("finite_class.hoeffding(bits: weight_bits(h), on: D.train)"), "`h` depends on `D.train`"),
        (
            format!("let b = weight_bits(h)\n{}", claim("finite_class.hoeffding(bits: b, on: D.train)")),
            "`h` depends on `D.train`",
        ),
        (
            format!("let b = weight_bits(h)\nlet c = b\n{}", claim("finite_class.kl(bits: c, on: D.train)")),
            "`h` depends on",
        ),
        (claim("finite_class.hoeffding(bits: samples(D.train), on: D.train)"), "it is computed from `D.train`"),
    ] {
        let (exit, json, message) = check(&lines);
        assert_eq!(exit, 3, "{lines}\n{message}\n{json}");
        assert!(message.contains("E0311") && message.contains(title), "{lines}\n{message}");
    }
}

#[test]
fn a_width_that_is_part_of_the_word_may_be_read_off() {
    // 17 parameters of 32 bits, 2*5 + 2 bits for the width: 556 bits.
    let (exit, json, message) = check(&claim("occam.hoeffding(on: D.train)"));
    assert_eq!(exit, 0, "{message}\n{json}");
    let (_, explicit, _) = check(&claim("occam.hoeffding(on: D.train, bits: 556)"));
    let upper = |json: &serde_json::Value| json["items"][0]["upper"].clone();
    assert_eq!(upper(&json), upper(&explicit));
    // Asked for by its topic, the finite class falls back on the weights of the same code.
    let (exit, countable, message) = check(&claim("finite_class(on: D.train)"));
    assert_eq!((exit, &countable["items"][0]["method"]), (0, &"finite_class.weighted_countable".into()), "{message}");
    let (exit, _, message) = check(&claim("occam.hoeffding(on: D.train, bits: 555)"));
    assert_eq!(exit, 4, "fewer bits than the word has\n{message}");
}

#[test]
fn a_class_with_bounds_read_off_the_trained_network_depends_on_the_sample() {
    let uniform = |bound: &str| {
        format!(
            "let b(l) = weight_norm(h, l, fro)\nclass F = f where |W[l]|_fro <= {bound} for l in 1..2\n{}",
            claim("uniform.bhlm2019(F: F, on: D.train)")
        )
    };
    for (bound, is_refused) in
        [("9", false), ("2 * weight_norm(h, l, fro)", true), ("2*b(l)", true), ("9 + weight_norm(g, l, fro)", false)]
    {
        let lines = uniform(bound);
        let (exit, json, message) = check(&lines);
        assert_eq!(exit, if is_refused { 3 } else { 0 }, "{lines}\n{message}\n{json}");
        assert_eq!(
            message.contains("E0310") && message.contains("`F` is defined by `h`"),
            is_refused,
            "{lines}\n{message}"
        );
    }
}

#[test]
fn a_margin_is_stated() {
    let setting =
        "domain X = ball(0, 4, l2, dim: 2)\nclass F = f where |W[l]|_max <= 9, |b[l]|_inf <= 9 for l in 1..2\n";
    for (method, exit, title) in [
        ("margin.rademacher(g: 1/2, on: D.train)", 0, ""),
        ("margin.rademacher(on: D.train)", 4, ""),
        ("margin.rademacher(g: 1/2*weight_norm(h, 1, max), on: D.train)", 3, "`h` depends on `D.train`"),
    ] {
        let lines = format!("{setting}{}", claim(method));
        let (found, json, message) = check(&lines);
        assert_eq!(found, exit, "{lines}\n{message}\n{json}");
        assert!(message.contains(title), "{lines}\n{message}");
    }
}
