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
use supremum::theory::{Library, check, compile};

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
    /// The library has a sharper form: the theorem applies at the entry's m + 1.
    ImplicitAtMost,
    /// The library has a sharper form.
    AtMost,
    /// The entry is the logarithm of a larger number.
    LnAtMost,
}
use By::{AtMost, Floor, Implicit, ImplicitAtMost, Ln, LnAtMost, Value};

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
    ("VC.codebook_bits", "", "vc.codebook", "N = {params}, K = {K}, b = {bc}", Value),
    ("VC.sparse_bits", "", "vc.sparse", "N = {params}, s = {s}, b = {b}", Value),
    ("VC.ab84", "", "vc.programs_anthony_bartlett", "d = {d}, t = {t}", Value),
    ("VC.ab83", "", "vc.polynomial_signs", "d = {d}, k = {k}, l = {l}", Value),
    ("VC.gj95", "", "vc.goldberg_jerrum", "k = {k}, d = {d}, s = {s}", Value),
    ("VC.argmax_graphdim_implicit", "", "vc.mistakes_implicit", "N = {net} relu, m = {_}", ImplicitAtMost),
    ("VC.bhlm8_derived", "", "vc.predicates_of_cells", "N = {scalar} relu", Value),
    ("VC.ab813_sigmoid", "", "vc.karpinski_macintyre", "N = {scalar} sigmoid", Value),
    ("VC.ab814_exp", "", "vc.exponential_programs", "d = {d}, t = {t}, q = {q}", Value),
    ("VC.lower_bit_extraction", "vcdim_at_least", "vc.bit_extraction", "r = {r}, m = {m}, n = {n}", Value),
    ("VC.natarajan_growth", "", "vc.natarajan_growth", "d = {d}, m = {m}, K = {K}", Ln),
    ("VC.bhlm10_explicit", "", "vc.bhlm2019_units", "N = {scalar} relu", Value),
    ("VC.bhlm_remark9", "", "vc.bhlm2019_growth_closed", "N = {scalar} relu, m = {m}", Ln),
    ("FAT.linear", "", "fat.linear", "weight_norm(N, 1, fro) = {B}, B = {R}, gamma = {gamma}", Value),
    ("COV.schmidt_hieber5", "", "covering.schmidt_hieber", "N = {net} relu, eps = {delta}", Ln),
    ("COV.bgj_prop28", "", "covering.berner_grohs_jentzen", "N = {net} relu, R = {R}, B = {uv}, eps = {r}", Ln),
    (
        "COV.ab145",
        "",
        "covering.bounded_units",
        "W = {W}, l = {ell}, m = {m}, b = {b}, V = {V}, s = {Lp}, eps = {eps}",
        LnAtMost,
    ),
    (
        "COV.ab1417",
        "",
        "covering.bounded_units_l2",
        "l = {ell}, n = {n}, b = {b}, V = {V}, s = {Lp}, eps = {eps}",
        AtMost,
    ),
    ("COV.ab122_pseudo", "", "covering.pseudo_dimension", "d = {d}, m = {m}, M = {B}/2, eps = {eps}", LnAtMost),
    ("COV.haussler95", "", "covering.haussler", "d = {d}, eps = {eps}/{B}", Ln),
    (
        "COV.maurey_matrix",
        "ln_cover",
        "covering.matrix_products",
        "a = {a}, b = {b}, d = {d}, k = {mm}, eps = {eps}",
        LnAtMost,
    ),
    (
        "COV.zhang_linear",
        "",
        "covering.linear",
        "input_dim(N) = {d}, weight_norm(N, 1, fro) = {a}, B = {b}, eps = {eps}",
        LnAtMost,
    ),
    ("DUD.poly2", "", "dudley.square", "R = {Rp}, m = {m}, a = {alpha}, c = {c}", Value),
    ("DUD.parametric", "", "dudley.parametric", "d = {d}, K = {K}, m = {m}, c = {c}", Value),
    (
        "RAD.linear_l2",
        "",
        "rademacher.peeling",
        "N = 1 -> 1 relu, weight_norm(N, 1, fro) = {Bw}, B = {X}, m = {m}",
        Value,
    ),
    (
        "RAD.linear_l1",
        "",
        "rademacher.golowich_rakhlin_shamir_rows",
        "N = {d} -> 1 relu, weight_norm(N, 1, linf) = {Bw}, B = {X}, m = {m}",
        Value,
    ),
    (
        "RAD.symmetrization_gap",
        "expected",
        "uniform.rademacher",
        "m = {m}, r = 0, delta = {delta}, empirical_risk(f, S, loss) = 0",
        Value,
    ),
    (
        "RAD.symmetrization_gap",
        "empirical",
        "uniform.rademacher_empirical",
        "m = {m}, r = 0, delta = {delta}, empirical_risk(f, S, loss) = 0",
        AtMost,
    ),
    (
        "GEN.neyshabur18",
        "gap",
        "margin.neyshabur_bhojanapalli_srebro",
        "F = {net} relu, f = {net} relu, m = {m}, g = {gamma}, B = {B}, delta = {delta}, margin_error(f, S, g) = 0, {spectral of f}, {frobenius of f}",
        AtMost,
    ),
    (
        "GEN.neyshabur18_tight",
        "",
        "margin.neyshabur_bhojanapalli_srebro",
        "F = {net} relu, f = {net} relu, m = {m}, g = {gamma}, B = {B}, delta = {delta}, margin_error(f, S, g) = 0, {spectral of f}, {frobenius of f}",
        AtMost,
    ),
    (
        "UC.ab43",
        "",
        "uniform.vapnik_chervonenkis",
        "m = {m}, G = {growth 2m}, delta = {delta}, empirical_risk(f, S, zero_one) = 0",
        Value,
    ),
    (
        "UC.dgl_32",
        "",
        "uniform.devroye_gyorfi_lugosi",
        "m = {m}, G = {growth m}, delta = {delta}, empirical_risk(f, S, zero_one) = 0",
        AtMost,
    ),
    (
        "UC.ssbd_611",
        "",
        "uniform.shalev_shwartz_ben_david",
        "m = {m}, G = {growth 2m}, delta = {delta}, empirical_risk(f, S, zero_one) = 0",
        Value,
    ),
    ("UC.relative_vc", "", "uniform.relative_sharp", "m = {m}, G = {growth 2m}, delta = {delta}, r = {emp}", AtMost),
    (
        "UC.haussler_dudley",
        "",
        "uniform.haussler_dudley",
        "m = {m}, d = {d}, delta = {delta}, empirical_risk(f, S, zero_one) = 0",
        Value,
    ),
    ("PB.mc_correction", "", "pac_bayes.monte_carlo_kl", "n = {n}, k = {emp}*{n}, delta = {delta}", Value),
    ("NTK.H_entry", "", "kernel.tangent", "t = {t}", Value),
    ("PB.thiemann_opt", "bound", "pac_bayes.quadratic", "r = {emp}, C = {KL}, m = {m}, delta = {delta}", Value),
    ("TST.empirical_bernstein", "", "test_set.empirical_bernstein", "n = {n}, k = {k}, delta = {delta}", Value),
    ("TST.conformal", "lower", "test_set.conformal", "n = {n}, r = ceil(({n} + 1)*(1 - {alpha}))", Value),
    ("ALG.hrs_convex", "", "stability.sgd_convex", "n = {n}, L = {L}, beta = 1, step = 1, total = {sum_alpha}", Value),
    (
        "ALG.hrs_strongly_convex",
        "",
        "stability.sgd_strongly_convex",
        "n = {n}, L = {L}, beta = 1, gamma = {g}, step = 1",
        Value,
    ),
    ("ALG.hrs_nonconvex", "", "stability.sgd_nonconvex", "n = {n}, T = {T}, L = {L}, beta = {beta}, c = {c}", Value),
    (
        "ALG.bousquet_elisseeff",
        "",
        "stability.bousquet_elisseeff",
        "m = {m}, b = {b}, delta = {delta}, empirical_risk(f, S, loss) = 0",
        Value,
    ),
    ("ALG.xu_raginsky", "", "information.xu_raginsky", "m = {m}, I = {I_bits}*ln(2)", Value),
    ("ALG.steinke_zakynthinou", "", "information.steinke_zakynthinou", "m = {m}, I = {cmi}", Value),
    (
        "NTK.rkhs_explicit",
        "gap",
        "kernel.rkhs_ball",
        "m = {m}, j = {B}, t = {trK}, delta = {delta}, empirical_risk(f, S, ramp) = 0",
        Value,
    ),
    ("APX.barron_sq", "", "approximation.barron", "n = {n}, C = {C}, r = {r}", AtMost),
    ("APX.maurey_sq", "", "approximation.maurey", "n = {n}, b = {b}, t = {f}", Value),
    ("APX.yarotsky_square", "", "approximation.sawtooth_square", "m = {m}", Value),
    ("APX.telgarsky16", "l1_gap", "approximation.telgarsky", "k = {k}", Value),
    ("REG.serra18_upper", "", "regions.serra2018", "N = {net} relu", Value),
    ("REG.telgarsky_crossings", "", "regions.telgarsky_crossings", "t = 1, m = {m}, l = {l}, a = 1, b = 1", Value),
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

/// Entries that are formulas and no bound of the library, as the language writes them: steps of proofs, leading terms, lengths that no
/// code has, a variance that is on no grid, sample sizes.
const FORMULAS: &[(&str, &str, &str)] = &[
    // kernel.arora_order is a rate: the remainder has no constant.
    ("NTK.arora19_leading", "", "sqrt(2*{yHy}/{n})"),
    // Weights 2^-length add up to pi^2/6; occam.self_delimiting is a code.
    ("OCC.prefix_cost", "", "{bits} + 2*log2({bits})"),
    // pac_bayes.prior_grid has whole j only, and 0.0025 is not 0.1 exp(-j/100).
    (
        "PB.dziugaite_roy",
        "",
        "kl_inverse({emp}, ({KL} + ln(pi^2*{m}/(6*{delta})) + 2*ln({b}*ln({c}/{lam})))/({m} - 1))",
    ),
    ("PB.gaussian_kl", "", "1/2*({d}*{s}/{lam} - {d} + {dist2}/{lam} + {d}*ln({lam}/{s}))"),
    ("PB.maurer_xi_exact", "xi", "sum(k in 0..{m} : binomial({m}, k)*(k/{m})^k*(1 - k/{m})^({m} - k))"),
    ("PB.maurer_xi_exact", "two_sqrt_m", "2*sqrt({m})"),
    // e^7000 is no exact number of functions; the theorem is compared at e^10 below.
    ("RAD.massart", "", "sqrt({r2})*sqrt(2*{lnA})/{m}"),
    ("UC.lower_agnostic", "", "{d}/(320*{eps}^2)"),
    ("UC.lower_realizable", "", "({d} - 1)/(32*{eps})"),
];

/// Entries that are compared elsewhere, and those of which the library has a sharper form that is stated otherwise. This list is to shrink.
const WITHOUT: &[(&str, &str)] = &[
    ("COV.bft33", "compared in its own test: the library has the coefficient"),
    ("GEN.grs_margin", "superseded; margin.frobenius has the sharper form, with the expected complexity"),
    (
        "GEN.bft_margin",
        "superseded; margin.bartlett_foster_telgarsky has the sharper form, with the expected complexity",
    ),
    ("VC.cnn_shared_implicit", "compared in theory_shared_weights.rs: examples have no convolutions"),
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
    // A chain with this many parameters, where nothing else of the network matters.
    let params = if inputs["W"] == 118_282 { "784 -> 128 -> 128 -> 10 relu" } else { "2 -> 3 -> 1 relu" };
    let net = match (&inputs["w"], instance) {
        (sizes @ Json::Array(_), _) => chain(sizes),
        (_, "A") => "784 -> 128 -> 128 -> 1".to_string(),
        _ => "2 -> 3 -> 1".to_string(),
    };
    let scalar = if instance.starts_with('A') { "784 -> 128 -> 128 -> 1" } else { "2 -> 3 -> 1" };
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
        .replace("{params}", params)
        .replace("{spectral of f}", &norms("spec", "l2").replace("(N,", "(f,"))
        .replace("{frobenius of f}", &norms("frod", "fro").replace("(N,", "(f,"))
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
            let place = format!("{id} {field} ({}) by {theorem}", result["instance"]);
            let at = |m: &BigInt| check::evaluate(statement, &parsed(&bindings(template, result, m)), &library);
            compared += 1;
            if matches!(by, Implicit | ImplicitAtMost) {
                // The theorem applies at the entry's value plus 1 and, unless it is sharper, not at the value itself.
                let applies = |m: &BigInt| {
                    at(m).is_ok_and(|value| value.requirements.iter().all(|truth| *truth == Some(Truth::True)))
                };
                let m = low.to_integer();
                let (before, after) = (applies(&m), applies(&(&m + BigInt::one())));
                if (before && *by == Implicit) || !after {
                    failures.push(format!("{place}: applies at m {before}, at m + 1 {after}"));
                }
                continue;
            }
            let evaluated = match at(&BigInt::zero()) {
                Ok(evaluated) => evaluated,
                Err(problem) => {
                    failures.push(format!("{place}: {problem:?}"));
                    continue;
                }
            };
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
    assert!(compared >= 210, "{compared}");
}

#[test]
fn every_entry_is_compared_or_listed() {
    let entries = entries();
    assert_eq!(entries.len(), 114);
    let all: BTreeSet<&str> = entries.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
    let with: BTreeSet<&str> = ROWS.iter().map(|row| row.0).collect();
    let without: BTreeSet<&str> = WITHOUT.iter().map(|row| row.0).chain(FORMULAS.iter().map(|row| row.0)).collect();
    assert!(with.is_disjoint(&without), "{:?}", with.intersection(&without).collect::<Vec<_>>());
    let missing: Vec<&&str> = all.iter().filter(|id| !with.contains(*id) && !without.contains(*id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(with.iter().chain(&without).all(|id| all.contains(id)));
    // What has no theorem of its own is superseded, or compared by a test.
    for (id, reason) in WITHOUT {
        let entry = entries.iter().find(|entry| entry["id"] == *id).expect("an entry");
        assert!(entry["superseded"].is_string() || reason.starts_with("compared in"), "{id}");
    }
}

/// The number of functions is e^10 to 40 digits, computed in 60 digits elsewhere: ln(k) is off by less than 10^-38.
#[test]
fn massarts_lemma_meets_its_entry() {
    let (library, _) = Library::embedded();
    let entries = entries();
    let entry = entries.iter().find(|entry| entry["id"] == "RAD.massart").expect("an entry");
    let result = &entry["results"][1];
    // |a|_2^2 <= m r^2.
    assert_eq!((&result["inputs"]["lnA"], &result["inputs"]["r2"]), (&"10".into(), &result["inputs"]["m"]));
    let k = "2202646579480671651695790064528424436635/10^35";
    let given = format!("k = {k}, m = {}, r = 1", result["inputs"]["m"]);
    let statement = library.find("rademacher.massart").expect("a theorem");
    let evaluated = check::evaluate(statement, &parsed(&given), &library).expect("a value");
    let (found_low, found_high) = ends(evaluated.right.1.enclosure());
    let (low, high) = interval(&result["value"]);
    let tolerance = &high / BigRational::from_integer(BigInt::from(10).pow(12));
    assert!((&found_low - &low).abs() <= tolerance && (&found_high - &high).abs() <= tolerance);
}

/// Formulas are enclosed as bounds are: the right side of a statement that nobody makes.
#[test]
fn every_formula_is_enclosed() {
    let tolerance = BigRational::new(1.into(), BigInt::from(10).pow(12));
    let entries = entries();
    for (id, field, formula) in FORMULAS {
        let entry = entries.iter().find(|entry| entry["id"] == *id).unwrap_or_else(|| panic!("no entry {id}"));
        for result in entry["results"].as_array().expect("results") {
            let value = if field.is_empty() { &result["value"] } else { &result["value"][field] };
            let (low, high) = interval(value);
            let formula = bindings(formula, result, &BigInt::zero());
            let stated = format!("theorem t.t() ensures vcdim(finite_class(1)) <= {formula} source \"none\"");
            let mut library = Library::default();
            let source = Source::new("formula", stated).expect("a source");
            assert_eq!(library.add_source(&source, compile::Origin::User), Vec::new(), "{id}");
            let evaluated = check::evaluate(&library.entries[0], &parsed("1 = 1"), &library).expect("a value");
            let (found_low, found_high) = ends(evaluated.right.1.enclosure());
            assert!(found_low <= high && low <= found_high, "{id}: {formula}");
            assert!(&found_high - &found_low <= &tolerance * high.abs(), "{id}: {formula}");
        }
    }
}

/// Entries that give the sample size for an error: at that size the theorem gives the error.
#[test]
fn lower_bounds_meet_their_sample_sizes() {
    let (library, _) = Library::embedded();
    for (id, theorem) in
        [("UC.lower_agnostic", "uniform.lower_agnostic"), ("UC.lower_realizable", "uniform.lower_realizable")]
    {
        let entries = entries();
        let entry = entries.iter().find(|entry| entry["id"] == id).expect("an entry");
        for result in entry["results"].as_array().expect("results") {
            let (eps, d) = (rational(&text(&result["inputs"]["eps"])), &result["inputs"]["d"]);
            let (low, high) = interval(&result["value"]);
            let middle = (low + high) / BigRational::from_integer(2.into());
            // The ends are within 1e-20 of a rational with denominator 4.
            let four = BigRational::from_integer(4.into());
            let size = (middle * &four).round() / four;
            let statement = library.find(theorem).expect("a theorem");
            let at = check::evaluate(statement, &parsed(&format!("d = {d}, m = {size}")), &library).expect("a value");
            let value = at.right.1.enclosure();
            let (found_low, found_high) = ends(value);
            assert!(found_low <= eps && eps <= found_high, "{id}: {eps} at {size}");
        }
    }
}

/// The entry is the entropy at the radius 1/10 in root mean square, R/x^2.
#[test]
fn the_entropy_coefficient_meets_its_entry() {
    let (library, _) = Library::embedded();
    let entries = entries();
    let entry = entries.iter().find(|entry| entry["id"] == "COV.bft33").expect("an entry");
    for result in entry["results"].as_array().expect("results") {
        let inputs = &result["inputs"];
        let norms = |key: &str, norm: &str| -> String {
            let values = inputs[key].as_array().expect("norms").iter().enumerate();
            let facts = values.map(|(l, value)| format!("weight_norm(N, {}, {norm}) = {}", l + 1, text(value)));
            facts.collect::<Vec<_>>().join(", ")
        };
        let given = format!(
            "N = {} relu, B = {}, m = {}, {}, {}",
            chain(&inputs["w"]),
            text(&inputs["rms"]),
            inputs["m"],
            norms("spec", "l2"),
            norms("l21", "l21")
        );
        let statement = library.find("covering.bartlett_foster_telgarsky").expect("a theorem");
        let evaluated = check::evaluate(statement, &parsed(&given), &library).expect("a value");
        let found = evaluated.right.1.enclosure();
        let (low, high) = interval(&result["value"]);
        let hundred = BigRational::from_integer(100.into());
        let (found_low, found_high) = ends(found);
        assert!(found_low * &hundred <= high && low <= found_high * &hundred, "{given}");
    }
}
