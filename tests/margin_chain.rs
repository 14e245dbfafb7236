//! `specs/margin_chain.spec`: norms, a cover, Dudley's integral, a Rademacher complexity, a margin bound, the risk. Values are recomputed here in
//! floating point from the norms that the class states.
#![cfg(feature = "engine")]

use serde_json::Value as Json;
use std::process::Command;

fn upper(view: &Json, name: &str) -> f64 {
    let items = view["items"].as_array().expect("items");
    let item = items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item `{name}`"));
    item["upper"].as_str().unwrap_or_else(|| panic!("`{name}` has no upper end")).parse().expect("a decimal")
}

#[test]
fn a_risk_is_reached_from_norms_through_a_cover() {
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "specs/margin_chain.spec", "--format", "json"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let view: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    let is_near = |name: &str, expected: f64| {
        let found = upper(&view, name);
        assert!((found / expected - 1.0).abs() < 1e-9, "{name}: {found}, expected {expected}");
    };
    // Bartlett, Foster, Telgarsky: B^2 ln(2 W^2) (sum_l (b_l prod_(j != l) s_j)^(2/3))^3 with s = (1.02, 1), b = (1.4, 1).
    let (m, radius, width) = (8000f64, 16f64, 784f64);
    let norms = 1.4f64.powf(2.0 / 3.0) + 1.02f64.powf(2.0 / 3.0);
    let entropy = radius.powi(2) * (2.0 * width * width).ln() * norms.powi(3);
    is_near("entropy", entropy);
    // Dudley's integral of sqrt(R)/x from the cutoff 3 sqrt(R/m) to c/2, for functions of modulus at most c = 16 * 1.02 * 1.
    let root = (entropy / m).sqrt();
    let complexity = 12.0 * root * (1.0 + (16.0 * 1.02 / (6.0 * root)).ln());
    is_near("complexity", complexity);
    // No output reaches the largest margin of the grid, 48; each of the four rows has its share of what the claim leaves.
    let share = |row: &str| {
        let items = view["items"].as_array().expect("items");
        let delta = items.iter().find(|item| item["name"] == row).expect("a row")["delta"].as_str().expect("a share");
        let (a, b) = delta.split_once('/').expect("a fraction");
        a.parse::<f64>().expect("digits") / b.parse::<f64>().expect("digits")
    };
    let row = "B.margin.rademacher_grid";
    is_near(row, 1.0 + 2.0 * complexity / 48.0 + ((2.0 / share(row)).ln() / (2.0 * m)).sqrt());
    // The margins of a fixed bound, and of one for all margins at once, are at most 1: each example counts.
    let row = "B.margin.rademacher";
    is_near(row, 1.0 + 2.0 * complexity + ((1.0 / share(row)).ln() / (2.0 * m)).sqrt());
    let row = "B.margin.rademacher_uniform";
    let tails = (96f64.log2().ln() / m).sqrt() + ((2.0 / share(row)).ln() / (2.0 * m)).sqrt();
    is_near(row, 1.0 + 4.0 * complexity + tails);
    assert_eq!(view["ledger"]["spent"], "1/20");
}
