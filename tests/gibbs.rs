//! Laws with noise in the last layer: the Gibbs risk on a sample by quadrature and from draws, and what is refused.

use std::io::Write;
use std::process::{Command, Stdio};

const SETTING: &str = "spec \"Gibbs\"
network c {
  input 64
  gradients(18)
  dense 16
  relu
  dense 10
}
network b = 64 -> 4 -> 10 relu
data D from \"data/digits\"
split permute(D.train, seed: 1) into prior 800, bound 497
assume iid : iid(D)
train h : c on D.train.prior { loss cross_entropy, adam, lr 0.01, decay, epochs 20, batch 50, seed 1 }
train a : b on D.train.prior { loss cross_entropy, adam, lr 0.01, epochs 1, batch 50, seed 1 }
prior     P = gaussian(mean: h, std: 0.03, noise: last_layer)
posterior Q = gaussian(mean: h, std: 0.03, noise: last_layer)
posterior W = gaussian(mean: h, std: 30, noise: last_layer)
posterior Z = gaussian(mean: h, std: 0, noise: last_layer)
posterior A = gaussian(mean: h, std: 0.03)
posterior B = gaussian(mean: a, std: 0.03, noise: last_layer)
";

fn check(claims: &str) -> (Vec<serde_json::Value>, i32, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/specs");
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(folder)
        .args(["check", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(format!("{SETTING}{claims}").as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let text = format!("{}{json}", String::from_utf8_lossy(&output.stderr));
    (json["items"].as_array().cloned().unwrap_or_default(), output.status.code().expect("an exit code"), text)
}

fn end(item: &serde_json::Value, side: &str) -> f64 {
    let text = item[side].as_str().unwrap_or_else(|| panic!("no {side}: {item}"));
    let number = |text: &str| text.parse::<f64>().expect("a number");
    text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
}

#[test]
fn quadrature_and_draws_agree_and_bound_the_risk() {
    let (items, exit, text) = check(
        "claim q : risk(Q, D.train.bound, zero_one) in ?
         claim n : drawn_errors(Q, D.train.bound, 20000) in ?
         claim d : risk(Q, D.train.bound, zero_one) <= ? with probability >= 0.99 by monte_carlo(n: 20000)
         claim w : risk(W, D.train.bound, zero_one) in ?
         claim z : risk(Z, D.train.bound, zero_one) <= ?
         claim pixels : risk(B, D.train.bound, zero_one) in ?
         claim p : risk(Q, zero_one) <= ? with probability >= 0.98 by pac_bayes_kl(P, D.train.bound)
         claim hold_out : risk(h, zero_one) <= ? with probability >= 0.98 by test_set(D.train.bound)",
    );
    assert_eq!(exit, 0, "{text}");
    let item = |name: &str| items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let (low, high) = (end(item("q"), "lower"), end(item("q"), "upper"));
    assert!(0.0 < low && low <= high && high < 0.1 && high - low < 1e-3, "{low} {high}");
    // 20000 draws: five standard deviations around the quadrature, and few draws are undecided.
    let (least, most) = (end(item("n"), "lower"), end(item("n"), "upper"));
    let deviation = 5.0 * (20_000.0 * high * (1.0 - low)).sqrt();
    assert!(least <= most && most - least <= 20.0, "{least} {most}");
    assert!((least - 20_000.0 * low).abs() < deviation + 20.0, "{least} {low}");
    assert!(end(item("d"), "upper") > low, "{text}");
    assert!(item("d")["assumptions"].to_string().contains("SHA-256"), "{}", item("d"));
    // Noise that drowns the network guesses: nine of ten are wrong.
    let (low_w, high_w) = (end(item("w"), "lower"), end(item("w"), "upper"));
    assert!(low_w > 0.85 && high_w < 0.95, "{low_w} {high_w}");
    // Without noise an example may be a tie with certainty: nothing is known.
    assert_eq!(end(item("z"), "upper"), 1.0);
    // Pixels that are no features go through the same quadrature.
    assert!(end(item("pixels"), "lower") > 0.01 && end(item("pixels"), "upper") < 0.99, "{text}");
    // kl(r, p) <= (0 + ln(2 sqrt(497)/0.02))/497 at r = high: the bound is the root.
    let p = end(item("p"), "upper");
    let kl = high * (high / p).ln() + (1.0 - high) * ((1.0 - high) / (1.0 - p)).ln();
    assert!((kl - (2.0 * 497f64.sqrt() / 0.02).ln() / 497.0).abs() < 1e-6, "{p} {kl}");
    assert!(end(item("hold_out"), "upper") < p, "{text}");
}

#[test]
fn what_the_kernel_cannot_integrate_or_draw_is_said() {
    for (claim, exit) in [
        // Noise in all layers has no quadrature here.
        ("claim t : risk(A, D.train.bound, zero_one) <= ?", 4),
        ("claim t : drawn_errors(A, D.train.bound, 100) <= ?", 4),
        // The number of draws must be stated.
        ("claim t : risk(Q, D.train.bound, zero_one) <= ? with probability >= 0.99 by monte_carlo", 4),
        // The prior saw these examples.
        ("claim t : risk(Q, zero_one) <= ? with probability >= 0.99 by pac_bayes_kl(P, D.train.prior)", 3),
        ("claim t : drawn_errors(Q, D.train.bound, 100000000) <= ?", 4),
        ("network k { input 60 gradients(1) dense 2 }\nclaim t : params(k) = 2", 3),
        ("network k { input 64 gradients(1024) dense 2 }\nclaim t : params(k) = 2", 8),
        ("network k { input 64 gradients(1, 2) dense 2 }\nclaim t : params(k) = 2", 3),
        ("network k { input 64 gradients(1) dense 2 }\nclaim t : params(k) = 148", 0),
        // Features jump: no range on a box by intervals, no Lipschitz constant.
        ("domain X = [0, 1]^64\nclaim t : range(h on X) in ?", 3),
    ] {
        let (_, found, text) = check(claim);
        assert_eq!(found, exit, "{claim}\n{text}");
    }
}

/// `max { p : kl(q, p) <= c }` by bisection in floating point.
fn kl_inverse(q: f64, c: f64) -> f64 {
    let kl = |p: f64| q * (q / p).ln() + (1.0 - q) * ((1.0 - q) / (1.0 - p)).ln();
    let (mut low, mut high) = (q, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if kl(middle) <= c { low = middle } else { high = middle }
    }
    low
}

#[test]
fn drawn_networks_bound_the_risk_at_half_the_probability_each() {
    let (items, exit, text) = check(
        "claim d : risk(Q, D.train.bound, zero_one) <= ?  with probability >= 0.975  by monte_carlo(n: 2000)\n\
         claim e : risk(Q, zero_one) <= ?  with probability >= 0.975  by pac_bayes.drawn_kl(P, D.train.bound, n: 2000)\n",
    );
    assert_eq!(exit, 0, "{text}");
    // The first claim spends 1/40, of which the draws of the second get half: a larger bound on the Gibbs risk of the sample.
    let m = 497.0f64;
    let drawn = |gibbs: f64| kl_inverse(gibbs, (4.0 * m.sqrt() / 0.025).ln() / m);
    let (gibbs, risk) = (end(&items[0], "upper"), end(&items[1], "upper"));
    assert!(drawn(gibbs) < risk && risk < drawn(1.15 * gibbs), "{gibbs} {risk}");
    assert_eq!(items[1]["delta"], "1/40");
}

#[test]
fn a_posterior_that_learned_nothing_is_sent_to_the_hold_out_bound() {
    let text = |claim: &str| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/specs"))
            .args(["check", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        child.stdin.take().expect("standard input").write_all(format!("{SETTING}{claim}").as_bytes()).expect("written");
        String::from_utf8_lossy(&child.wait_with_output().expect("output").stdout).to_string()
    };
    let hint = "the divergence is 0";
    let still = text("claim t : risk(Q, zero_one) <= ?  by pac_bayes_kl(P, D.train.bound)\n");
    assert!(still.contains(hint) && still.contains("test_set(D.train.bound)"), "{still}");
    let moved = text(
        "prior R = gaussian(mean: h, std: 0.04, noise: last_layer)\n\
                      claim t : risk(Q, zero_one) <= ?  by pac_bayes_kl(R, D.train.bound)\n",
    );
    assert!(!moved.contains(hint) && moved.contains("gibbs_risk"), "{moved}");
}
