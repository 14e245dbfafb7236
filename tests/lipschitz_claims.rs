//! Claims about Lipschitz constants and radii as a user writes them: what is printed is what is proved, and no more.
#![cfg(feature = "engine")]

mod lipschitz_support;
mod spec_support;

use lipschitz_support::load;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use spec_support::{Items, check, run};
use std::process::Command;
use std::sync::atomic::Ordering;
use supremum::kernel::lipschitz::{Norms, check_upper};
use supremum::quantity::interrupt;
use supremum::quantity::lipschitz::{Effort, Limits, branch_and_bound, relaxation};

/// Items of a spec from standard input.
fn items(spec: &str) -> Items {
    Items::of(&run(spec, &["--format", "json"]))
}

/// What is attained on a domain is at most what is certified there, and that at most what is certified everywhere; for every
/// activation that is Lipschitz, on a box and on the ball inside it.
#[test]
fn local_constants_of_every_activation() {
    let spec = include_str!("../specs/lipschitz/activations.spec").replace("\"models/", "\"specs/lipschitz/models/");
    let items = items(&spec);
    let mut sharper = 0;
    let names: Vec<&str> =
        spec.lines().filter_map(|line| line.strip_prefix("network f_")?.split_whitespace().next()).collect();
    assert_eq!(names.len(), 15);
    for name in names {
        let upper = |what: &str| items.upper(&format!("{name}_{what}"));
        let lower = |what: &str| items.lower(&format!("{name}_{what}"));
        let (whole, on_box, on_ball) = (upper("whole"), upper("box"), upper("ball"));
        assert!(lower("seen") <= on_box && on_box <= whole * (1.0 + 1e-9), "{name} on the box");
        assert!(lower("near") <= on_ball && on_ball <= whole * (1.0 + 1e-9), "{name} on the ball");
        // Neither end is empty talk: points come within a small factor of the bound, smooth activations with wide ranges last.
        assert!(lower("seen") > 0.15 * on_box, "{name}: {} of {on_box}", lower("seen"));
        assert!(lower("near") > 0.2 * on_ball, "{name}: {} of {on_ball}", lower("near"));
        sharper += usize::from(on_box < 0.95 * whole);
    }
    // Only the identity has the same slopes everywhere.
    assert!(sharper >= 12, "{sharper}");
}

/// A constant that is attained and bounded by the same number is that number, and no other: `3 x + 4 y`.
#[test]
fn equalities_hold_for_one_number() {
    let folder = std::env::temp_dir().join(format!("supremum-claims-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let header = r#"{"layers.0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend([3f32, 4f32].iter().flat_map(|weight| weight.to_le_bytes()));
    std::fs::write(folder.join("layer.safetensors"), bytes).expect("written");
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/specs/models/square_relu.onnx");
    std::fs::copy(models, folder.join("square.onnx")).expect("a copy");
    let setting = "network f from \"layer.safetensors\" as 2 -> 1\ndomain X = [0, 1]^2\n\
                   network s from \"square.onnx\"\ndomain I = [0, 1]\n";
    for (claim, exit) in [
        ("lip(f, linf) = 7", 0),
        ("lip(f, linf) = 7.0000001", 1),
        ("lip(f, linf) = 6.9999999", 1),
        ("lip(f, l1) = 4", 0),
        ("lip(f, l1) = 3", 1),
        ("lip(f, l1) = 5", 1),
        ("lip(f, l2) = 5", 0),
        ("lip(f, l2) = 4.9999999", 1),
        ("lip(f, l2) = 5.0000001", 1),
        ("lip(f on X, l2) = 5", 0),
        ("lip(f on X, l2) = 4", 1),
        ("lip(f on X, linf) = 7", 0),
        // A slope of a trained network is no short decimal: it is enclosed, and equal to nothing outside of that.
        ("lip(s on I, l2) in [1.888824, 1.888825] by branch_and_bound(tol: 1e-7)", 0),
        ("lip(s on I, l2) = 1.8889 by branch_and_bound(tol: 1e-7)", 1),
        ("lip(s on I, l2) = 1.8888 by branch_and_bound(tol: 1e-7)", 1),
        ("lip(s on I, l2) = 1.8888241694 by branch_and_bound(tol: 1e-7)", 4),
    ] {
        let path = folder.join("claim.spec");
        std::fs::write(&path, format!("{setting}claim c : {claim}\n")).expect("written");
        let output =
            Command::new(env!("CARGO_BIN_EXE_supremum")).arg("check").arg(&path).output().expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let code = output.status.code().expect("an exit code");
        assert_eq!(code, exit, "{claim}\n{text}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// The number printed behind a sign, with its decimal places.
fn printed(text: &str, sign: &str) -> (String, usize) {
    let number = text.split(sign).nth(1).and_then(|rest| rest.split_whitespace().next()).expect("a number").to_string();
    let places = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    (number, places)
}

/// A printed radius, read back as a claim, is proved; one more in its last place is not.
#[test]
fn printed_radii_are_proved_and_larger_ones_are_not() {
    let setting = "network f from \"specs/models/digits_mlp.onnx\"\ndata D from \"specs/data/digits\"\n";
    for radius in ["radius(f, D.test[0], l2)", "radius(f, D.test[1], linf)"] {
        let (exit, text) = check(&format!("{setting}claim safe : {radius} >= ?\n"));
        assert_eq!(exit, 0, "{text}");
        let (number, places) = printed(&text, ">= ");
        let scale = 10f64.powi(i32::try_from(places).expect("few places"));
        let more = format!("{:.places$}", (number.parse::<f64>().expect("a number") * scale + 1.0).round() / scale);
        assert_ne!(more, number);
        let claims = format!("claim same : {radius} >= {number}\nclaim more : {radius} >= {more} expecting unknown\n");
        let (exit, text) = check(&format!("{setting}{claims}"));
        assert_eq!(exit, 0, "{number} and {more}: {text}");
        // It is the distance that is meant, and not its double.
        let (exit, text) = check(&format!("{setting}claim far : {radius} >= 10\n"));
        assert_eq!(exit, 1, "{text}");
    }
}

fn root(square: &BigRational) -> f64 {
    square.to_f64().expect("a number").sqrt()
}

/// Wherever a search is stopped, its tree proves about the bound that it had reached, below the relaxation of the whole.
#[test]
fn a_stopped_search_proves_the_bound_of_its_tree() {
    let network = load("hcas_pra4_tau60");
    let whole = root(&relaxation(&network, Norms::L2, None, Effort::default()).expect("a bound").square);
    let mut last = whole * (1.0 + 1e-6);
    for (nodes, is_asked) in [(41, false), (41, true), (161, true), (401, true)] {
        let mut reached = 0.0;
        let limits = if is_asked { Limits::default() } else { Limits { nodes, ..Limits::default() } };
        let found = branch_and_bound(&network, Norms::L2, None, limits, |state| {
            reached = state.upper;
            // What Ctrl-C does.
            let stops = is_asked && state.nodes >= nodes;
            interrupt::flag().store(stops, Ordering::Relaxed);
            !stops
        });
        interrupt::flag().store(false, Ordering::Relaxed);
        let found = found.expect("a bound");
        let upper = root(&check_upper(&network, Norms::L2, None, &found.upper.witness).expect("accepted"));
        assert!(
            !found.closed && upper <= reached * 1.01 && upper <= last * (1.0 + 1e-3),
            "{nodes}: {upper}, {reached}"
        );
        // The largest of all activation patterns.
        assert!(upper >= 27.415_31, "{nodes}: {upper}");
        last = upper;
    }
    assert!(last < 0.97 * whole, "{last} and {whole}");
}

/// The same from a spec: out of time, with the best bound and the gap.
#[test]
fn out_of_time_is_said_with_bound_and_gap() {
    let spec = "network f from \"specs/lipschitz/models/hcas_pra4_tau60.safetensors\" as 3 -> 25 -> 25 -> 25 -> 25 -> 25 -> 5 relu\n\
                claim c : lip(f, l2) <= ? by branch_and_bound(tol: 1e-9) within 1\n";
    let (exit, text) = check(spec);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("out of time at") && text.contains("gap") && text.contains("patterns need"), "{text}");
    let bound: f64 = printed(&text, "<= ").0.parse().expect("a number");
    assert!((27.415_31..32.6935).contains(&bound), "{bound}");
}
