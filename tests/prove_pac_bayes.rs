//! PAC-Bayes bounds from a spec: laws, their divergence, and what the theorems refuse. Expected values are worked out by hand.

use std::io::Write;
use std::process::{Command, Stdio};

const SETTING: &str = "spec \"PAC-Bayes\"
network g = 2 -> 8 -> 1 relu
data D = two_moons(n: 400, noise: 0.1, seed: 1)
split D into prior 100, bound 300
train f0 : g on D.prior { loss logistic, adam, lr 0.01, epochs 2, batch 64, seed 7 }
train f  : g on D { loss logistic, adam, lr 0.01, epochs 2, batch 64, seed 7 }
posterior Q = gaussian(mean: f, std: 0.1)
posterior R = gaussian(mean: f0, std: 0.1)
posterior L = gaussian(mean: f, std: 0.1, noise: last_layer)
prior P = gaussian(mean: f0, std: 0.1)
prior W = gaussian(mean: f0, std: 0.2)
prior Z = gaussian(mean: f0, std: 0)
prior K = gaussian(mean: f0, std: 0.1, noise: last_layer)
";

/// The items of the setting with these claims, the exit code, and the standard error.
fn check(claims: &str) -> (Vec<serde_json::Value>, i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(format!("{SETTING}{claims}").as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stderr), json["diagnostics"]);
    (json["items"].as_array().cloned().unwrap_or_default(), output.status.code().expect("an exit code"), text)
}

fn upper(item: &serde_json::Value) -> f64 {
    let text = item["upper"].as_str().expect("an upper end");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
}

#[test]
fn the_divergence_of_gaussians_has_its_closed_form() {
    let (items, exit, text) = check("claim a : kl(R, W) <= ?\nclaim b : kl(R, P) = 0\nclaim c : noisy_params(L) = 9\n");
    assert_eq!(exit, 0, "{text}");
    // 33 parameters, variances 1/100 and 4/100, equal means: 33/2 (1/4 - 1 + ln 4) = 10.498...
    let expected = 16.5 * (4f64.ln() - 0.75);
    assert!((upper(&items[0]) - expected).abs() < 1e-12 * expected, "{}", items[0]);
    assert!(items.iter().all(|item| item["verdict"] == "proved"), "{items:?}");
}

#[test]
fn a_bound_holds_with_a_prior_from_other_data() {
    let (items, exit, text) =
        check("claim a : risk(R, zero_one) <= ? with probability >= 0.99 by pac_bayes_kl(P, D.bound)\n");
    assert_eq!(exit, 0, "{text}");
    assert_eq!(items[0]["delta"], "1/100");
    assert_eq!(items[0]["method"], "pac_bayes.kl");
}

#[test]
fn violated_hypotheses_are_errors() {
    for (claim, code, found) in [
        // f0 was trained on D.prior.
        ("risk(Q, zero_one) <= ? with probability >= 0.99 by pac_bayes_kl(P, D.prior)", "E0310", "D.prior"),
        ("risk(Q, zero_one) <= ? with probability >= 0.99 by pac_bayes_kl(Q, D.bound)", "E0310", "`f` depends on"),
        ("kl(Q, Z) <= ? by gaussian_divergence", "E0302", "`variance(Z)` is 0"),
        ("kl(Z, P) <= ? by gaussian_divergence", "E0302", "0 < variance(Q)"),
        // The hidden layers of f and f0 differ: no network has mass under both laws.
        ("kl(L, K) <= ? by gaussian_divergence", "E0302", "differ in a parameter without noise"),
        ("kl(Q, K) <= ? by gaussian_divergence", "E0302", "the last layer only"),
        ("risk(Q, squared) <= ? with probability >= 0.99 by pac_bayes_kl(P, D.bound)", "E0302", "bounded"),
    ] {
        let (items, exit, text) = check(&format!("claim a : {claim}\n"));
        assert_eq!(exit, 3, "{claim}: {text}");
        assert!(text.contains(code) && text.contains(found), "{claim}: {text}");
        assert_eq!(items[0]["verdict"], "error", "{claim}");
    }
}

#[test]
fn a_law_needs_a_mean_and_a_deviation() {
    for law in [
        "gaussian(std: 0.1)",
        "gaussian(mean: f)",
        "gaussian(mean: f, std: -1)",
        "gaussian(mean: D, std: 0.1)",
        "gaussian(mean: f, std: 0.1, noise: some)",
        "gaussian(mean: g, std: 0.1)",
        "uniform(mean: f)",
    ] {
        let (_, exit, text) = check(&format!("prior B = {law}\nclaim a : params(f) = 33\n"));
        assert_eq!(exit, 3, "{law}: {text}");
        assert!(text.contains("E0430"), "{law}: {text}");
    }
}
