//! `specs/three_instances.spec` against values that were computed independently: `data/theory/reference.json`, with another interval
//! arithmetic, and for the deep network the two digits of the table that the spec reproduces.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};
use serde_json::Value as Json;
use std::process::Command;

/// Item of the spec, entry, instance, field of the value.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("ab88_a", "VC.ab88_bmm98", "A", ""),
    ("ab88_b", "VC.ab88_bmm98", "B", ""),
    ("bmm_a", "VC.bmm98_derived", "A", ""),
    ("bmm_b", "VC.bmm98_derived", "B", ""),
    ("bhlm10_a", "VC.bhlm10_explicit", "A", ""),
    ("bhlm10_b", "VC.bhlm10_explicit", "B", ""),
    ("sigmoid_a", "VC.ab813_sigmoid", "A", ""),
    ("sigmoid_b", "VC.ab813_sigmoid", "B", ""),
    ("gap_a8", "UC.finite_hoeffding", "A int8", ""),
    ("massart_a", "UC.rad_massart", "A", ""),
    ("massart_b", "UC.rad_massart", "B", ""),
    ("symmetric_a", "UC.ab43", "A", ""),
    ("symmetric_b", "UC.ab43", "B", ""),
    ("devroye_a", "UC.dgl_32", "A", ""),
    ("devroye_b", "UC.dgl_32", "B", ""),
    ("expected_a", "UC.ssbd_611", "A", ""),
    ("expected_b", "UC.ssbd_611", "B", ""),
    ("realizable_a", "UC.realizable", "A", ""),
    ("realizable_b", "UC.realizable", "B", ""),
    ("relative_a", "UC.relative_vc", "A", ""),
    ("relative_b", "UC.relative_vc", "B", ""),
    ("frobenius_a", "GEN.grs_margin", "A", ""),
    ("frobenius_b", "GEN.grs_margin", "B", ""),
    ("spectral_a", "GEN.bft_margin", "A", "gap_fixed_norms"),
    ("spectral_b", "GEN.bft_margin", "B", "gap_fixed_norms"),
    ("neyshabur_a", "GEN.neyshabur18", "A", "gap"),
    ("neyshabur_b", "GEN.neyshabur18", "B", "gap"),
    ("pac_bayes", "PB.maurer_kl", "A", ""),
    ("dziugaite_roy", "PB.dziugaite_roy", "A", ""),
    ("pinsker", "PB.mcallester_pinsker", "A", ""),
    ("catoni", "PB.catoni", "A", ""),
    ("occam", "OCC.binomial_tail", "20k bits", ""),
    ("occam_kl", "OCC.chernoff_kl", "20k bits", ""),
    ("occam_root", "OCC.hoeffding", "20k bits", ""),
    ("occam_3000", "OCC.binomial_tail", "3k bits", ""),
    ("test_set", "TST.clopper_pearson", "MNIST test 180/10000", ""),
    ("test_kl", "TST.chernoff_kl", "MNIST test 180/10000", ""),
    ("test_variance", "TST.empirical_bernstein", "MNIST test 180/10000", ""),
    ("test_root", "TST.hoeffding", "MNIST test 180/10000", ""),
];

/// Integers of the reference that a claim proves exactly: item, entry, instance, field.
const INTEGERS: &[(&str, &str, &str, &str)] = &[
    ("vc_a", "VC.bhlm7", "A", "floor"),
    ("vc_ai", "VC.bhlm7_implicit", "A", ""),
    ("vc_b", "VC.bhlm7", "B", "floor"),
    ("vc_bi", "VC.bhlm7_implicit", "B", ""),
    ("bits_a", "VC.finite_bits", "A fp32", ""),
];

/// What the printed table says of the deep network, and numbers that no entry of the reference has: from and up to.
const PRINTED: &[(&str, &str, &str)] = &[
    ("vc_c", "1.819e8", "1.820e8"),
    ("vc_ci", "1.751e8", "1.752e8"),
    ("ab88_c", "2.15e9", "2.25e9"),
    ("bmm_c", "1.65e9", "1.75e9"),
    ("bhlm10_c", "2.45e9", "2.55e9"),
    ("sigmoid_c", "6.05e17", "6.15e17"),
    ("gap_a", "4.65", "4.75"),
    ("gap_b", "0.0494", "0.0495"),
    ("gap_b8", "0.0252", "0.0253"),
    ("gap_c", "6.7975", "6.7976"),
    ("prior_half", "0.02915", "0.02925"),
    ("cover_c", "5.35e7", "5.45e7"),
    ("bits_nonvacuous", "173123", "173124"),
];

fn decimal(text: &str) -> BigRational {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (numerator, denominator) = digits.split_once('/').unwrap_or((digits, "1"));
    let (whole, part) = numerator.split_once('.').unwrap_or((numerator, ""));
    let mantissa: BigInt = format!("{whole}{part}").parse().expect("digits");
    let places = exponent.parse::<i32>().expect("an exponent") - i32::try_from(part.len()).expect("short");
    let scale = BigRational::from_integer(BigInt::from(10)).pow(places);
    BigRational::from_integer(mantissa) * scale / BigRational::from_integer(denominator.parse().expect("digits"))
}

fn checked() -> Vec<Json> {
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "specs/three_instances.spec", "--format", "json"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let view: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    view["items"].as_array().expect("items").clone()
}

fn ends(items: &[Json], name: &str) -> (Option<BigRational>, BigRational) {
    let item = items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item `{name}`"));
    let end = |side: &str| item[side].as_str().map(decimal);
    (end("lower"), end("upper").unwrap_or_else(|| panic!("{name} has no upper end")))
}

#[test]
fn the_table_of_the_three_instances_is_reproduced() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/theory/reference.json");
    let reference: Json = serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON");
    let find = |list: &Json, key: &str, text: &str| -> Json {
        let found = list.as_array().and_then(|all| all.iter().find(|json| json[key] == *text));
        found.unwrap_or_else(|| panic!("no {key} `{text}`")).clone()
    };
    let value = |id: &str, instance: &str, field: &str| {
        let result = find(&find(&reference["entries"], "id", id)["results"], "instance", instance);
        if field.is_empty() { result["value"].clone() } else { result["value"][field].clone() }
    };
    let number = |json: &Json| decimal(json.as_str().expect("a number"));
    let items = checked();
    let narrow = decimal("1e-12");
    for (name, id, instance, field) in ROWS {
        let (low, high) = ends(&items, name);
        let low = low.unwrap_or_else(|| panic!("{name} has no lower end"));
        let expected = value(id, instance, field);
        // Both enclose one number: the intervals meet, and ours is narrow.
        assert!(low <= number(&expected["hi"]) && number(&expected["lo"]) <= high, "{name}: {id}");
        assert!((&high - &low) <= &narrow * high.abs(), "{name} is wide");
    }
    for (name, id, instance, field) in INTEGERS {
        let expected = value(id, instance, field)["exact_int"].as_str().map(decimal).expect("an integer");
        assert_eq!(ends(&items, name).1, expected, "{name}");
    }
    for (name, from, to) in PRINTED {
        let (_, high) = ends(&items, name);
        assert!(decimal(from) <= high && high <= decimal(to), "{name}: {high}");
    }
    // Sharper than the entry: 45 pairs of outputs are compared there, nine differences here; and its quotient is rounded up once more.
    let graph = value("VC.argmax_graphdim_implicit", "A", "")["exact_int"].as_str().map(decimal).expect("an integer");
    assert!(ends(&items, "graph_a").1 < graph);
    for (name, instance) in [("cover_a", "A"), ("cover_b", "B")] {
        let (_, high) = ends(&items, name);
        let entry = number(&value("COV.param_lipschitz", instance, "ln_cover")["hi"]);
        assert!(high <= entry && high >= &entry * (BigRational::one() - decimal("1e-3")), "{name}: {high}");
    }
}
