//! The numbers of `specs/mnist_all_bounds.spec` and `specs/mnist_random_labels.spec`: one table, one confidence. Errors are PyTorch's counts for
//! the same weights (`specs/models/README.md`), the other values are recomputed here in floating point.
#![cfg(feature = "engine")]

use serde_json::Value as Json;
use std::process::Command;

fn checked(spec: &str) -> Json {
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", spec, "--format", "json"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn item<'j>(view: &'j Json, name: &str) -> &'j Json {
    let items = view["items"].as_array().expect("items");
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item `{name}`"))
}

/// An exact number or a decimal.
fn number(text: &str) -> f64 {
    match text.split_once('/') {
        Some((a, b)) => a.parse::<f64>().expect("digits") / b.parse::<f64>().expect("digits"),
        None => text.parse().expect("digits"),
    }
}

fn upper(view: &Json, name: &str) -> f64 {
    number(item(view, name)["upper"].as_str().unwrap_or_else(|| panic!("`{name}` has no upper end")))
}

/// Within a millionth, and an upper bound of what floating point says up to its rounding.
fn is_near(found: f64, expected: f64, name: &str) {
    assert!((found / expected - 1.0).abs() < 1e-6, "{name}: {found}, expected {expected}");
}

/// `sqrt((bits ln 2 + ln(1/delta))/(2 m))`
fn finite(bits: f64, m: f64, delta: f64) -> f64 {
    ((bits * 2f64.ln() + (1.0 / delta).ln()) / (2.0 * m)).sqrt()
}

/// The gap from a growth function of `2^m`: `sqrt(2 ln 2) + sqrt(ln(1/delta)/(2 m))`.
fn trivial_growth(m: f64, delta: f64) -> f64 {
    (2.0 * 2f64.ln()).sqrt() + ((1.0 / delta).ln() / (2.0 * m)).sqrt()
}

/// Vacuous rows are marked, and the ledger holds for all rows at once.
fn is_one_table(view: &Json, rows: usize, vacuous: &[&str]) {
    assert_eq!(view["ledger"]["spent"], "1/20");
    let share = format!("1/{}", 20 * rows);
    let items = view["items"].as_array().expect("items");
    let drawn: Vec<&Json> = items.iter().filter(|item| item["delta"].as_str().is_some_and(|q| q != "0")).collect();
    assert_eq!(drawn.len(), rows);
    for item in drawn {
        assert_eq!(item["delta"], *share, "{}", item["name"]);
        let name = item["name"].as_str().expect("a name");
        assert_eq!(item["vacuous"], vacuous.contains(&name), "{name}");
        assert_eq!(item["verdict"], "proved", "{name}");
    }
}

#[test]
fn random_labels_leave_every_bound_from_the_training_examples_vacuous() {
    let view = checked("specs/mnist_random_labels.spec");
    let vacuous = [
        "B.finite_class.realizable",
        "B.uniform.growth",
        "B.margin_grid.frobenius",
        "B.margin_grid.path_norm",
        "B.margin_grid.bartlett_foster_telgarsky",
        "quantized_class",
        "gibbs",
    ];
    is_one_table(&view, 8, &vacuous);
    assert_eq!(upper(&view, "train"), 0.0);
    assert_eq!(upper(&view, "test"), 1807.0);
    // No network is right on more than a tenth of random labels: a smaller bound would be wrong.
    for name in vacuous.iter().chain(&["B.test_set"]) {
        assert!(upper(&view, name) >= 0.9, "{name}");
    }
    assert!(upper(&view, "B.test_set") < 0.92);
    let delta: f64 = 1.0 / 160.0;
    // One class of stored numbers, and the class of the network rounded to half as many bits, which is right on all examples too.
    for (name, bits) in [("B.finite_class.realizable", 32.0), ("quantized_class", 16.0)] {
        is_near(upper(&view, name), (bits * 269_322.0 * 2f64.ln() + (1.0 / delta).ln()) / 8000.0, name);
    }
    is_near(upper(&view, "B.uniform.growth"), trivial_growth(8000.0, delta), "growth");
    // The chain of norms is at least this far beyond 1.
    assert!(upper(&view, "B.margin_grid.frobenius") > 1000.0);
}

/// `P(Bin(n, p) <= k)`, term by term.
fn tail(n: u32, k: u32, p: f64) -> f64 {
    let mut term = f64::from(n) * (1.0 - p).ln();
    let mut sum = term.exp();
    for i in 0..k {
        term += (f64::from(n - i) / f64::from(i + 1)).ln() + (p / (1.0 - p)).ln();
        sum += term.exp();
    }
    sum
}

#[test]
fn every_bound_on_one_network_holds_at_once() {
    let view = checked("specs/mnist_all_bounds.spec");
    let vacuous = [
        "B.finite_class.hoeffding",
        "B.uniform.growth",
        "B.margin_grid.frobenius",
        "B.margin_grid.path_norm",
        "B.margin_grid.bartlett_foster_telgarsky",
        "quantized_class",
        "gibbs",
    ];
    is_one_table(&view, 8, &vacuous);
    let (m, delta) = (8000.0, 1.0 / 160.0);
    assert_eq!((upper(&view, "train"), upper(&view, "test")), (116.0, 112.0));
    let test_set = upper(&view, "B.test_set");
    assert!((tail(2000, 112, test_set) / delta - 1.0).abs() < 1e-4, "{test_set}");
    let wide = 116.0 / m + finite(32.0 * 118_282.0, m, delta);
    is_near(upper(&view, "B.finite_class.hoeffding"), wide, "finite class");
    // Half the bits; PyTorch counts as many errors of the rounded network.
    let narrow = 116.0 / m + finite(16.0 * 118_282.0, m, delta);
    is_near(upper(&view, "quantized_class"), narrow, "quantized");
    is_near(upper(&view, "B.uniform.growth"), 116.0 / m + trivial_growth(m, delta), "growth");
    // The divergence 178,387 of specs/models/mnist_mlp from its initialization at deviation 3/100, over 8,000 examples.
    assert!((178_387.0..178_388.0).contains(&upper(&view, "kl")));
    for name in ["B.margin_grid.frobenius", "B.margin_grid.path_norm", "B.margin_grid.bartlett_foster_telgarsky"] {
        assert!(upper(&view, name) > 50.0, "{name}");
    }
}
