//! The library against independent values: every entry of `data/theory/reference.json` whose formula the library states is enclosed,
//! and where the library has a sharper form it is not above the entry. The entries without a theorem are listed.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use supremum::kernel::real::{Enclosure, Truth};
use supremum::syntax::{self, ast};
use supremum::text::Source;
use supremum::theory::{Library, check};

/// How an entry compares with the conclusion's right side.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// The same number.
    Value,
    /// The entry is the logarithm.
    Ln,
    /// The entry is the integer part.
    Floor,
    /// The entry is the largest m that the growth bound leaves: the theorem applies at m + 1 and not at m.
    Implicit,
    /// The library has a sharper form.
    AtMost,
    /// The entry is the logarithm of a larger number.
    LnAtMost,
}
use By::{AtMost, Floor, Implicit, Ln, LnAtMost, Value};

/// Entry, field of its value, theorem, bindings with `{input}` for the entry's inputs, comparison. `{net}` is the instance's chain,
/// `{fro}` and the like its norms as facts on the layers of N.
const ROWS: &[(&str, &str, &str, &str, By)] = &[
    ("VC.sauer_sum", "int", "vc.sauer_sum", "m = {m}, d = {d}", Value),
    ("VC.sauer_sum", "ln", "vc.sauer_sum", "m = {m}, d = {d}", Ln),
    ("VC.sauer_em", "", "vc.sauer_shelah", "m = {m}, d = {d}", Ln),
    ("VC.halfspace", "affine", "vc.halfspaces", "n = {n}", Value),
    ("VC.halfspace", "homogeneous", "vc.homogeneous_halfspaces", "n = {n}", Value),
    ("VC.poly_threshold", "", "vc.polynomials", "n = {n}, D = {D}", Value),
    ("VC.cover_count", "int", "vc.cover_count", "n = {n}, m = {m}", Value),
    ("VC.cover_count", "ln", "vc.cover_count", "n = {n}, m = {m}", Ln),
    ("VC.finite_bits", "", "vc.cardinality", "k = 2^({b}*{W})", Value),
    ("VC.baum_haussler", "", "vc.baum_haussler", "N = {net} heaviside", Value),
    ("VC.ab61", "", "vc.baum_haussler", "N = {net} heaviside", AtMost),
    ("VC.ltu_implicit", "", "vc.threshold_implicit", "N = {net} heaviside, m = {_}", Implicit),
    ("VC.ab88_bmm98", "", "vc.bartlett_maiorov_meir", "N = {net} relu", AtMost),
    ("VC.bmm98_derived", "", "vc.bartlett_maiorov_meir", "N = {net} relu", AtMost),
    ("VC.bhlm7", "bound", "vc.bhlm2019_closed", "N = {net} relu", Value),
    ("VC.bhlm7", "floor", "vc.bhlm2019_closed", "N = {net} relu", Floor),
    ("VC.bhlm7", "floor", "pdim.bhlm2019_closed", "N = {net} relu", Floor),
    ("VC.bhlm7_d0", "bound", "vc.bhlm2019_closed_steps", "N = {net} heaviside", Value),
    ("VC.bhlm7_d0", "floor", "vc.bhlm2019_closed_steps", "N = {net} heaviside", Floor),
    ("VC.bhlm7_implicit", "", "vc.bhlm2019_implicit", "N = {net} relu, m = {_}", Implicit),
    ("VC.bhlm7_implicit", "", "pdim.bhlm2019_implicit", "N = {net} relu, m = {_}", Implicit),
    ("VC.lower_ltu2", "", "vc.two_layer_threshold_lower", "N = {n} -> {k} -> 1 heaviside", Value),
    ("COV.ball", "", "covering.ball", "n = {n}, r = {R}, p = l2, eps = {eps}", Ln),
    ("COV.cube_linf", "", "covering.cube", "n = {n}, r = {R}, eps = {eps}", Ln),
    ("COV.param_lipschitz", "Lambda", "covering.parameter_lipschitz", "N = {net} relu, R = {R}, B = {B0}", Value),
    // The entry rounds R Lambda/eps up to the next integer even where it is one: 0.1 was an interval there.
    (
        "COV.param_lipschitz",
        "ln_cover",
        "covering.parameter_cover",
        "N = {net} relu, R = {R}, B = {B0}, eps = {eps}",
        LnAtMost,
    ),
    ("COV.lipschitz_functions", "", "covering.lipschitz", "dim(X) = {n}, L = {L}, r = 1/2, M = {M}, eps = {eps}", Ln),
    ("RAD.nts15_fro", "", "rademacher.peeling", "N = {scalar} relu, no_bias(N), m = {m}, B = {B}, {fro}", AtMost),
    ("RAD.peeling_fro", "", "rademacher.peeling", "N = {scalar} relu, no_bias(N), m = {m}, B = {rms}, {fro}", Value),
    (
        "RAD.grs1",
        "",
        "rademacher.golowich_rakhlin_shamir",
        "N = {scalar} relu, no_bias(N), m = {m}, B = {rms}, {fro}",
        AtMost,
    ),
    (
        "RAD.grs1_refined",
        "",
        "rademacher.golowich_rakhlin_shamir",
        "N = {scalar} relu, no_bias(N), m = {m}, B = {rms}, {fro}",
        Value,
    ),
    (
        "RAD.grs2",
        "",
        "rademacher.golowich_rakhlin_shamir_rows",
        "N = {scalar} relu, no_bias(N), m = {m}, B = 1, {linf}",
        AtMost,
    ),
    (
        "UC.rad_massart",
        "",
        "uniform.growth",
        "m = {m}, G = {growth m}, delta = {delta}, empirical_risk(f, S, zero_one) = 0",
        Value,
    ),
    ("UC.realizable", "", "uniform.realizable", "m = {m}, G = {growth 2m}, delta = {delta}", Value),
    (
        "UC.finite_hoeffding",
        "",
        "occam.hoeffding",
        "bits = {bits}, m = {m}, delta = {delta}, empirical_risk(f, S, loss) = 0",
        Value,
    ),
    (
        "UC.finite_realizable",
        "",
        "finite_class.realizable",
        "F = 1 -> 1, bits = {bits}/2, m = {m}, delta = {delta}",
        Value,
    ),
    ("UC.nfl_expected", "", "no_free_lunch.uniform_labels", "N = {N}, m = {m}", Value),
    ("PB.maurer_kl", "", "pac_bayes.kl", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.mcallester_pinsker", "", "pac_bayes.mcallester", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.mcallester99", "", "pac_bayes.mcallester_1999", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.ssbd311", "", "pac_bayes.shalev_shwartz_ben_david", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.langford_seeger", "", "pac_bayes.langford_seeger", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.langford05", "", "pac_bayes.langford", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.pq_quadratic", "", "pac_bayes.quadratic", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("PB.catoni", "", "pac_bayes.catoni", "r = {emp}, C = {KL}, m = {m}, delta = {delta}, beta = {beta}", Value),
    ("PB.thiemann", "", "pac_bayes.thiemann", "r = {emp}, C = {KL}, m = {m}, delta = {delta}, l = {lam}", Value),
    (
        "OCC.hoeffding",
        "",
        "occam.hoeffding",
        "bits = {bits}, m = {m}, delta = {delta}, empirical_risk(f, S, loss) = {k}/{m}",
        Value,
    ),
    ("OCC.chernoff_kl", "", "occam.kl", "bits = {bits}, m = {m}, k = {k}, delta = {delta}", Value),
    ("OCC.binomial_tail", "", "occam.binomial", "bits = {bits}, m = {m}, k = {k}, delta = {delta}", Value),
    ("TST.clopper_pearson", "", "test_set.clopper_pearson", "n = {n}, k = {k}, delta = {delta}", Value),
    (
        "TST.hoeffding",
        "",
        "test_set.hoeffding",
        "n = {n}, delta = {delta}, empirical_risk(f, S, loss) = {k}/{n}",
        Value,
    ),
    ("TST.chernoff_kl", "", "test_set.kl", "n = {n}, k = {k}, delta = {delta}", Value),
    ("REG.zaslavsky", "", "regions.one_layer", "N = {n0} -> {n1} -> 1 relu", Value),
    ("REG.montufar14_lower", "", "regions.montufar2014", "N = {net} relu", Value),
    ("REG.montufar17_upper", "", "regions.montufar2017", "N = {net} relu", Value),
    ("REG.univariate_pieces", "", "regions.univariate", "N = 1 -> {h} -> 1 relu", Value),
    ("DEMO.occam_mnist10k", "binomial", "occam.binomial", "bits = {bits}, m = {m}, k = {k}, delta = {delta}", Value),
    ("DEMO.occam_mnist10k", "chernoff", "occam.kl", "bits = {bits}, m = {m}, k = {k}, delta = {delta}", Value),
    (
        "DEMO.occam_mnist10k",
        "hoeffding",
        "occam.hoeffding",
        "bits = {bits}, m = {m}, delta = {delta}, empirical_risk(f, S, loss) = {k}/{m}",
        Value,
    ),
    ("DEMO.testset_mnist10k", "", "test_set.clopper_pearson", "n = {n}, k = {k}, delta = {delta}", Value),
];

/// Entries that no theorem of the library states, and why. This list is to shrink.
const WITHOUT: &[(&str, &str)] = &[
    ("VC.codebook_bits", "no class of networks with a codebook"),
    ("VC.sparse_bits", "no class of sparse networks"),
    ("VC.ab84", "no class given by a program"),
    ("VC.ab83", "no class given by polynomial predicates"),
    ("VC.gj95", "no class given by polynomial predicates"),
    ("VC.argmax_graphdim_implicit", "the library counts mistakes (K - 1 predicates per example), not label vectors"),
    ("VC.bhlm8_derived", "above vc.bhlm2019_closed"),
    ("VC.ab813_sigmoid", "recalled only"),
    ("VC.ab814_exp", "recalled only"),
    ("VC.lower_bit_extraction", "a special sparse network"),
    ("VC.natarajan_growth", "no multiclass growth function"),
    ("FAT.linear", "no fat-shattering dimension"),
    ("COV.schmidt_hieber5", "above covering.parameter_cover"),
    ("COV.bgj_prop28", "above covering.parameter_cover, other norms of the parameters"),
    ("COV.ab145", "recalled only"),
    ("COV.ab1417", "recalled only"),
    ("COV.ab122_pseudo", "no covering numbers on a sample"),
    ("COV.haussler95", "recalled only"),
    ("COV.maurey_matrix", "no covering numbers of matrix classes"),
    ("COV.zhang_linear", "no covering numbers of matrix classes"),
    ("COV.bft33", "stated inside margin.bartlett_foster_telgarsky"),
    ("DUD.poly2", "stated inside margin.bartlett_foster_telgarsky"),
    ("DUD.parametric", "stated inside rademacher.parameter_dudley"),
    ("RAD.massart", "stated inside uniform.growth"),
    ("RAD.linear_l2", "rademacher.peeling for one layer"),
    ("RAD.linear_l1", "no class of linear functions"),
    ("RAD.symmetrization_gap", "stated inside uniform.growth"),
    ("GEN.grs_margin", "the empirical form; margin.frobenius has the expected one"),
    ("GEN.bft_margin", "the empirical form; margin.bartlett_foster_telgarsky has the expected one"),
    ("GEN.neyshabur18", "not yet"),
    ("GEN.neyshabur18_tight", "not yet"),
    ("UC.ab43", "above uniform.growth"),
    ("UC.dgl_32", "above uniform.growth"),
    ("UC.ssbd_611", "above uniform.growth"),
    ("UC.relative_vc", "uniform.relative has the constant that has a formal proof"),
    ("UC.lower_agnostic", "not yet"),
    ("UC.lower_realizable", "not yet"),
    ("UC.haussler_dudley", "above uniform.growth"),
    ("PB.thiemann_opt", "pac_bayes.quadratic is its value"),
    ("PB.dziugaite_roy", "pac_bayes.prior_grid has the variance as a grid point"),
    ("PB.gaussian_kl", "compared in its own test on concrete laws"),
    ("PB.mc_correction", "compared in its own test on concrete laws"),
    ("PB.maurer_xi_exact", "an inequality inside pac_bayes.kl"),
    ("OCC.prefix_cost", "no code of this form"),
    ("TST.empirical_bernstein", "not yet"),
    ("TST.conformal", "not yet"),
    ("ALG.hrs_convex", "not yet"),
    ("ALG.hrs_strongly_convex", "not yet"),
    ("ALG.hrs_nonconvex", "not yet"),
    ("ALG.bousquet_elisseeff", "not yet"),
    ("ALG.xu_raginsky", "not yet"),
    ("ALG.steinke_zakynthinou", "not yet"),
    ("NTK.rkhs_explicit", "not yet"),
    ("NTK.arora19_leading", "a leading term without remainder"),
    ("NTK.H_entry", "not yet"),
    ("APX.barron_sq", "not yet"),
    ("APX.maurey_sq", "not yet"),
    ("APX.yarotsky_square", "not yet"),
    ("APX.telgarsky16", "not yet"),
    ("REG.serra18_upper", "a sum over index vectors"),
    ("REG.telgarsky_crossings", "not yet"),
    ("VC.cnn_shared_implicit", "no classes with shared weights"),
    ("VC.bhlm10_explicit", "above vc.bhlm2019_closed"),
    ("VC.bhlm_remark9", "above vc.bhlm2019_growth"),
];

fn entries() -> Vec<Json> {
    let text = include_str!("data/theory/reference.json");
    let json: Json = serde_json::from_str(text).expect("JSON");
    json["entries"].as_array().expect("entries").clone()
}

fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_string)
}

/// A decimal such as `5.17e+0`, exactly.
fn rational(text: &str) -> BigRational {
    if let Some((p, q)) = text.split_once('/') {
        return BigRational::new(p.parse().expect("an integer"), q.parse().expect("an integer"));
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().expect("digits");
    let exponent: i32 = exponent.parse::<i32>().expect("an exponent") - i32::try_from(fraction.len()).expect("short");
    let ten = BigRational::from_integer(10.into());
    BigRational::from_integer(digits) * ten.pow(exponent)
}

/// The entry's value as an interval.
fn interval(value: &Json) -> (BigRational, BigRational) {
    for key in ["exact_int", "exact_rational"] {
        if let Some(exact) = value[key].as_str() {
            return (rational(exact), rational(exact));
        }
    }
    (rational(value["lo"].as_str().expect("lo")), rational(value["hi"].as_str().expect("hi")))
}

fn chain(sizes: &Json) -> String {
    sizes.as_array().expect("sizes").iter().map(Json::to_string).collect::<Vec<_>>().join(" -> ")
}

/// The bindings of a row for one result.
fn bindings(template: &str, result: &Json, implicit: &BigInt) -> String {
    let (instance, inputs) = (result["instance"].as_str().expect("an instance"), &result["inputs"]);
    let net = match (&inputs["w"], instance) {
        (sizes @ Json::Array(_), _) => chain(sizes),
        (_, "A") => "784 -> 128 -> 128 -> 1".to_string(),
        _ => "2 -> 3 -> 1".to_string(),
    };
    let scalar = if instance == "A" { "784 -> 128 -> 128 -> 1" } else { "2 -> 3 -> 1" };
    let norms = |key: &str, norm: &str| -> String {
        let values = inputs[key].as_array().map_or(&[][..], Vec::as_slice);
        let facts =
            values.iter().enumerate().map(|(l, value)| format!("weight_norm(N, {}, {norm}) = {}", l + 1, text(value)));
        facts.collect::<Vec<_>>().join(", ")
    };
    // A growth function from the VC dimension, by Sauer's lemma where it says something.
    let growth = |factor: u64| -> String {
        match (inputs["d"].as_u64(), inputs["m"].as_u64()) {
            (Some(d), Some(m)) if d <= factor * m => format!("(e*{}/{d})^{d}", factor * m),
            (_, m) => format!("2^{}", factor * m.unwrap_or(0)),
        }
    };
    let mut filled = template
        .replace("{net}", &net)
        .replace("{scalar}", scalar)
        .replace("{fro}", &norms("fro", "fro"))
        .replace("{linf}", &norms("l1", "linf"))
        .replace("{growth m}", &growth(1))
        .replace("{growth 2m}", &growth(2))
        .replace("{_}", &implicit.to_string());
    if inputs["h"].is_array() {
        filled = filled.replace("{h}", &chain(&inputs["h"]));
    }
    for (key, value) in inputs.as_object().expect("inputs") {
        filled = filled.replace(&format!("{{{key}}}"), &text(value));
    }
    assert!(!filled.contains('{'), "{filled}");
    filled
}

fn parsed(bindings: &str) -> Vec<ast::Binding> {
    let text = format!("theorem t() ensures 0 <= 1 example {bindings} gives 0");
    let source = Source::new("bindings", text).expect("a source");
    let parsed = syntax::parse(&source);
    assert!(parsed.diagnostics.is_empty(), "{bindings}: {:?}", parsed.diagnostics);
    match &parsed.file.items[0].kind {
        ast::ItemKind::Theorem(theorem) => theorem.examples[0].bindings.clone(),
        _ => unreachable!("a theorem was written"),
    }
}

/// Ends of an enclosure as rationals.
fn ends(enclosure: &Enclosure) -> (BigRational, BigRational) {
    let end =
        |end: Option<&supremum::kernel::real::Dyadic>| end.expect("a bounded value").to_rational().expect("a rational");
    (end(enclosure.lo()), end(enclosure.hi()))
}

#[test]
fn every_entry_with_a_theorem_is_enclosed() {
    let (library, problems) = Library::embedded();
    assert!(problems.is_empty(), "{problems:?}");
    let tolerance = BigRational::new(1.into(), BigInt::from(10).pow(12));
    let (entries, mut failures, mut compared) = (entries(), Vec::new(), 0);
    for (id, field, theorem, template, by) in ROWS {
        let entry = entries.iter().find(|entry| entry["id"] == *id).unwrap_or_else(|| panic!("no entry {id}"));
        let statement = library.find(theorem).unwrap_or_else(|| panic!("no theorem {theorem}"));
        for result in entry["results"].as_array().expect("results") {
            let value = if field.is_empty() { &result["value"] } else { &result["value"][field] };
            let (low, high) = interval(value);
            let at = |m: &BigInt| -> check::Evaluated {
                let text = bindings(template, result, m);
                check::evaluate(statement, &parsed(&text), &library)
                    .unwrap_or_else(|problem| panic!("{id} by {theorem} at {text}: {problem:?}"))
            };
            compared += 1;
            let place = format!("{id} {field} ({}) by {theorem}", result["instance"]);
            if *by == Implicit {
                // The theorem applies at the entry's value plus 1 and not at the value itself.
                let applies = |m: &BigInt| at(m).requirements.iter().all(|truth| *truth == Some(Truth::True));
                let m = low.to_integer();
                let (before, after) = (applies(&m), applies(&(&m + BigInt::one())));
                if before || !after {
                    failures.push(format!("{place}: applies at m {before}, at m + 1 {after}"));
                }
                continue;
            }
            let evaluated = at(&BigInt::zero());
            let right = evaluated.right.1.enclosure();
            let found = match by {
                Ln | LnAtMost => right.ln(192).expect("a logarithm"),
                _ => right.clone(),
            };
            let (found_low, found_high) = ends(&found);
            let agrees = match by {
                AtMost | LnAtMost => found_high <= high && found_high.is_positive(),
                Floor => found_low.floor() == low && found_high.floor() == high,
                _ => {
                    let width = &found_high - &found_low;
                    found_low <= high && low <= found_high && width <= &tolerance * high.abs()
                }
            };
            if !agrees {
                failures.push(format!(
                    "{place}: expected [{}, {}], found {found}",
                    text(&value["lo"]),
                    text(&value["hi"])
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(compared >= 110, "{compared}");
}

#[test]
fn every_entry_is_compared_or_listed() {
    let entries = entries();
    assert_eq!(entries.len(), 114);
    let all: BTreeSet<&str> = entries.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
    let with: BTreeSet<&str> = ROWS.iter().map(|row| row.0).collect();
    let without: BTreeSet<&str> = WITHOUT.iter().map(|row| row.0).collect();
    assert!(with.is_disjoint(&without), "{:?}", with.intersection(&without).collect::<Vec<_>>());
    let missing: Vec<&&str> = all.iter().filter(|id| !with.contains(*id) && !without.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(with.iter().chain(&without).all(|id| all.contains(id)));
    assert_eq!(WITHOUT.len(), without.len());
}
