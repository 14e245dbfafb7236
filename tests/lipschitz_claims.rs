//! Claims about Lipschitz constants and radii as a user writes them: what is printed is what is proved, and no more.
#![cfg(feature = "engine")]

mod spec_support;

use spec_support::{check, run};

/// Items of a spec from standard input, by name.
struct Items(serde_json::Value);

impl Items {
    fn of(spec: &str) -> Items {
        let output = run(spec, &["--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
        Items(serde_json::from_slice(&output.stdout).expect("one object"))
    }

    fn end(&self, name: &str, end: &str) -> f64 {
        let items = self.0["items"].as_array().expect("items");
        let item = items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item {name}"));
        let text = item[end].as_str().unwrap_or_else(|| panic!("no {end} end: {item}"));
        let number = |text: &str| text.parse::<f64>().expect("a number");
        text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
    }
}

/// What is attained on a domain is at most what is certified there, and that at most what is certified everywhere; for every
/// activation that is Lipschitz, on a box and on the ball inside it.
#[test]
fn local_constants_of_every_activation() {
    let spec = include_str!("../specs/lipschitz/activations.spec").replace("\"models/", "\"specs/lipschitz/models/");
    let items = Items::of(&spec);
    let mut sharper = 0;
    let names: Vec<&str> =
        spec.lines().filter_map(|line| line.strip_prefix("network f_")?.split_whitespace().next()).collect();
    assert_eq!(names.len(), 15);
    for name in names {
        let upper = |what: &str| items.end(&format!("{name}_{what}"), "upper");
        let lower = |what: &str| items.end(&format!("{name}_{what}"), "lower");
        let (whole, on_box, on_ball) = (upper("whole"), upper("box"), upper("ball"));
        assert!(lower("seen") <= on_box && on_box <= whole * (1.0 + 1e-9), "{name} on the box");
        assert!(lower("near") <= on_ball && on_ball <= on_box * (1.0 + 1e-9), "{name} on the ball");
        // Neither end is empty talk: they lie within a factor of each other.
        assert!(lower("near") > 0.25 * on_ball, "{name}: {} of {on_ball}", lower("near"));
        sharper += usize::from(on_box < 0.95 * whole);
    }
    // Only the identity has the same slopes everywhere.
    assert!(sharper >= 12, "{sharper}");
}
