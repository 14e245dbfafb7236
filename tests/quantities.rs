//! Every quantity of the vocabulary with arguments of its sorts, reasonable and not: each claim gets a verdict, no engine disagrees
//! with the kernel, ends are in order, and what is asked from above, from below and on both sides agrees.

mod spec_support;

use supremum::kernel::signature::QUANTITIES;
use supremum::kernel::theorem::Sort;

const SETTING: &str = "network f = 2 -> 3 -> 1 relu\nnetwork g = 3 -> 4 -> 2 tanh\nnetwork s = 2 -> 1\n\
    domain X = [-1, 1]^2\ndomain Y = ball(0, 2, l2, dim: 2)\n\
    class F = f where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..2\n\
    data D = two_moons(n: 40, noise: 0.1, seed: 1)\nsplit D into train 20, test 20\n\
    train h : f on D.train { loss logistic, adam, lr 0.01, epochs 3, seed 1 }\n";

fn members(sort: Sort) -> &'static [&'static str] {
    match sort {
        Sort::Net => &["f", "h", "F", "g", "s"],
        Sort::Map => &["h", "h on X", "F on X", "f", "g on X", "F on Y"],
        Sort::Class => {
            &["sign(f)", "halfspaces(3)", "boxes(0)", "intervals()", "sign(h)", "finite_class(0)", "sign(g)"]
        }
        Sort::Domain => &["X", "Y", "cube(3, 0)", "ball(2, 1, l1)"],
        Sort::Sample => &["D.test", "D.train", "D"],
        Sort::Norm => &["l2", "l1", "linf", "fro", "max", "l21"],
        Sort::Loss => &["zero_one", "squared", "ramp", "cross_entropy"],
        Sort::Activation => &["relu", "sigmoid", "leaky_relu(-2)", "elu(3)"],
        Sort::Natural => &["1", "2", "0", "7", "1000000000000", "-1", "1/2"],
        Sort::Real => &["1/10", "0", "-1", "10^30", "10^(-30)"],
        _ => &[],
    }
}

/// Argument lists: the first members of all sorts, then every member of each in turn.
fn calls(sorts: &[Sort]) -> Vec<String> {
    let pools: Vec<&[&str]> = sorts.iter().map(|sort| members(*sort)).collect();
    if pools.iter().any(|pool| pool.is_empty()) {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (place, pool) in pools.iter().enumerate() {
        for member in pool.iter() {
            for second in 0..2 {
                let pick = |(i, pool): (usize, &&[&'static str])| {
                    if i == place { *member } else { pool[second.min(pool.len() - 1)] }
                };
                all.push(pools.iter().enumerate().map(pick).collect::<Vec<_>>().join(", "));
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

fn check(spec: &str) -> (i32, serde_json::Value) {
    let output = spec_support::run(spec, &["--format", "json"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{errors}"));
    (output.status.code().expect("an exit code"), json)
}

fn number(value: &serde_json::Value) -> Option<f64> {
    let text = value.as_str()?;
    let number = |text: &str| text.parse::<f64>().expect("a number");
    Some(text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q)))
}

#[test]
fn every_quantity_answers() {
    let mut spec = SETTING.to_string();
    let mut count = 0;
    for quantity in QUANTITIES {
        for call in calls(quantity.arguments) {
            let term = format!("{}({call})", quantity.name);
            for (side, hole) in [("u", "<= ?"), ("l", ">= ?"), ("b", "in ?")] {
                spec += &format!("claim {side}{count} : {term} {hole}\n");
            }
            count += 1;
        }
    }
    let (exit, json) = check(&spec);
    assert!([0, 3, 4, 8].contains(&exit), "{exit}: {}", json["diagnostics"]);
    let items = json["items"].as_array().expect("items");
    assert_eq!(items.len(), 3 * count, "{}", json["diagnostics"]);
    let mut bounded = 0;
    for triple in items.chunks(3) {
        for item in triple {
            assert!(!item["diagnostics"].to_string().contains("E0070"));
            if let (Some(low), Some(high)) = (number(&item["lower"]), number(&item["upper"])) {
                assert!(low <= high, "{item}");
                bounded += 1;
            }
        }
        // Whatever was asked, no lower end lies above an upper one.
        let ends = |key: &str| triple.iter().filter_map(|item| number(&item[key])).collect::<Vec<_>>();
        for low in ends("lower") {
            for high in ends("upper") {
                assert!(low - high <= high.abs() * 1e-15 + 1e-300, "{triple:?}");
            }
        }
    }
    assert!(bounded > 100, "{bounded} of {count}");
    assert!(!json["diagnostics"].to_string().contains("E0070"), "{}", json["diagnostics"]);
}

#[test]
fn arguments_of_other_sorts_are_refused() {
    for claim in [
        "params(X)",
        "params(D)",
        "params(3)",
        "lip(X, l2)",
        "lip(f, D)",
        "lip(f, 3)",
        "risk(X, zero_one)",
        "risk(f, l2)",
        "errors(f, X)",
        "errors(D.test, f)",
        "vcdim(X)",
        "vcdim(3)",
        "growth(halfspaces(2), f)",
        "cover(f on D, 1/10, l2)",
        "range(D.test)",
        "weight_norm(f, l2, 1)",
        "radius(f, l2)",
        "f",
        "X",
        "D",
        "l2",
        "zero_one",
        "f + 1",
        "params(f, f)",
        "params()",
        "params(f)(f)",
        "params[f]",
        "D.nothing",
        "f.train",
    ] {
        let (exit, json) = check(&format!("{SETTING}claim t : {claim} <= ?\n"));
        assert_eq!(exit, 3, "{claim}: {json}");
        assert!(!json["diagnostics"].as_array().expect("diagnostics").is_empty(), "{claim}");
    }
}
