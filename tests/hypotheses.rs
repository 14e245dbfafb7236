//! Violated hypotheses: every one is an error of the spec that names the requirement, and never a number.

mod spec_support;

use spec_support::check;
use std::path::Path;
use std::process::Command;

const TRAINED: &str = "network g = 2 -> 3 -> 1 relu
data D = two_moons(n: 200, noise: 0.1, seed: 1)
split D into train 100, test 100
train f : g on D.train { loss logistic, adam, lr 0.01, epochs 2, batch 50, seed 1 }
";

/// Exit code and standard error of a spec that lies in `folder`, beside its data.
fn check_in(folder: &Path, spec: &str) -> (i32, String) {
    std::fs::write(folder.join("s.spec"), spec).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(folder)
        .args(["check", "s.spec"])
        .output()
        .expect("the binary runs");
    (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).to_string())
}

/// Every case is refused with exit code 3 and a text that names what is wrong.
fn refused(cases: &[(&str, &str)]) {
    for (spec, found) in cases {
        let (exit, text) = check(spec);
        assert_eq!(exit, 3, "{spec}\n{text}");
        assert!(text.contains(found), "{spec}\nexpected `{found}` in\n{text}");
    }
}

#[test]
fn theorems_about_other_networks_do_not_apply() {
    refused(&[
        // A theorem on piecewise polynomial units, a sigmoid network.
        ("network n = 2 -> 3 -> 1 sigmoid\nclaim a : vcdim(n) <= ? by bhlm2019_closed\n", "piecewise_polynomial(N)"),
        // A theorem without biases, a network with them.
        (
            "network n = 2 -> 3 -> 1 relu\ndomain X = [-1, 1]^2\nclass F = n where |W[l]|_fro <= 2, |b[l]|_2 <= 1 for l in 1..2\nclaim a : rademacher(F on X, 100) <= ? by peeling\n",
            "no_bias(N)",
        ),
        // The product of norms peels homogeneous units only.
        (
            "network n = 2 -> 3 -> 1 tanh\ndomain X = [-1, 1]^2\nclass F = n where |W[l]|_fro <= 2 for l in 1..2\nclaim a : rademacher(F on X, 100) <= ? by golowich_rakhlin_shamir\n",
            "is false",
        ),
    ]);
}

#[test]
fn samples_that_are_too_small_give_no_number() {
    refused(&[
        // Sauer's closed form needs d <= m: affine half-spaces of R^99 have dimension 100.
        ("claim a : growth(halfspaces(99), 10) <= ? by sauer_shelah\n", "d <= m"),
        ("data D = two_moons(n: 0, noise: 0.1, seed: 1)\nclaim a : samples(D) = 0\n", "nonempty"),
    ]);
}

#[test]
fn losses_and_probabilities_have_their_ranges() {
    refused(&[
        (
            &format!(
                "{TRAINED}claim a : risk(f, squared) <= ? with probability >= 0.99 by test_set.hoeffding(D.test)\n"
            ),
            "bounded_loss(loss)",
        ),
        (
            &format!("{TRAINED}claim a : risk(f, zero_one) <= ? with probability >= 1 by test_set(D.test)\n"),
            "strictly between 0 and 1",
        ),
        (
            &format!("{TRAINED}claim a : risk(f, zero_one) <= ? with probability >= 0 by test_set(D.test)\n"),
            "strictly between 0 and 1",
        ),
    ]);
}

#[test]
fn malformed_networks_are_no_networks() {
    refused(&[
        ("network n = 784 -> 0 -> 10 relu\nclaim a : params(n) = 10\n", "error"),
        ("network n = 784\nclaim a : params(n) = 0\n", "error"),
    ]);
}

#[test]
fn what_saw_the_sample_is_not_fixed_before_it() {
    refused(&[
        // The held-out bound on the data of training: the network is no member of a class fixed beforehand.
        (
            &format!("{TRAINED}claim a : risk(f, zero_one) <= ? with probability >= 0.99 by test_set(D.train)\n"),
            "depends on `D.train`",
        ),
        // A class whose bound is the trained network's norm.
        (
            &format!(
                "{TRAINED}class F = g where |W[l]|_fro <= 1 + params(f), |b[l]|_2 <= 1 + params(f) for l in 1..2\ndomain X = [-3, 3]^2\nclaim a : risk(f, zero_one) <= ? with probability >= 0.99 by margin.rademacher(F, X, D.train, g: 1, r: 1)\n"
            ),
            "depends on `D.train`",
        ),
    ]);
}

/// A class whose biases are 0 is one without biases: peeling, covers by norms, Dudley's integral and margins chain to a risk.
#[test]
fn biases_of_zero_are_none() {
    let class = "domain X = [-3, 3]^2\nclass F = g where |W[l]|_fro <= 2, |W[l]|_2 <= 2, |W[l]|_21 <= 2, |b[l]|_inf <= BIAS for l in 1..2\n";
    let claims = "claim a : rademacher(F on X, 100) <= ? by peeling\n\
                  claim b : entropy_coefficient(F on X, 100) <= ? by covering.bartlett_foster_telgarsky\n";
    let (exit, shown) = check(&format!("{TRAINED}{}{claims}", class.replace("BIAS", "0")));
    // 2^(2 - 1) * 4 * sqrt(18)/sqrt(100), and 18 ln(18) (4^(2/3) + 4^(2/3))^3 = 18*8*16 ln(18).
    assert!(exit == 0 && shown.contains("3.394113") && shown.contains("6659.41"), "{shown}");
    let (exit, shown) = check(&format!("{TRAINED}{}{claims}", class.replace("BIAS", "1/10")));
    assert!(exit == 3 && shown.contains("no_bias(N)"), "{shown}");
    // The trained network has biases: it is no member.
    let risk = "claim c : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: 1)\n";
    let (exit, shown) = check(&format!("{TRAINED}{}{risk}", class.replace("BIAS", "0")));
    assert!(exit == 3 && shown.contains("member(f, F)"), "{shown}");
}

/// The cutoff of Dudley's integral is searched: between the closed form at the best cutoff and a thousandth more, also where the range leaves
/// little room for it (then the closed form does not apply, and the trivial bound is 4a for a near c/2).
#[test]
fn cutoffs_are_searched() {
    let class = "domain X = [-3, 3]^2\nclass F = g where |W[l]|_fro <= 2, |W[l]|_2 <= 2, |W[l]|_21 <= 2, |b[l]|_inf <= 0 for l in 1..2\n";
    let bounds = "bounds B for signed_rademacher(F on X, 10^9) { dudley.square\ndudley.square_optimal }\n\
                  claim a : B.dudley.square_optimal <= B.dudley.square\n\
                  claim b : B.dudley.square <= 1.001*B.dudley.square_optimal\n";
    let (exit, shown) = check(&format!("{TRAINED}{class}{bounds}"));
    assert!(exit == 0 && shown.contains("4 proved"), "{shown}");
    let few = "claim c : signed_rademacher(F on X, 100) <= ? by dudley.square\n";
    let (exit, shown) = check(&format!("{TRAINED}{class}{few}"));
    assert!(exit == 0 && shown.contains("1 proved"), "{shown}");
}

/// Every constant that theorems want fixed before the sample, read off it: the error names the form that pays.
#[test]
fn constants_that_were_read_off_the_sample_name_the_form_that_pays() {
    let margin = "domain X = [-3, 3]^2\nclass F = g where |W[l]|_fro <= 20, |b[l]|_2 <= 10 for l in 1..2\n";
    let laws = "prior P = gaussian(mean: f, std: 0.03, noise: last_layer)\n\
                posterior Q = gaussian(mean: f, std: 0.02, noise: last_layer)\n";
    for (text, code, form) in [
        // The margin: a quantile of the margins, by name and as it is.
        (
            format!(
                "{margin}let gamma = quantile(margins(f, D.train), 0.10)\nclaim a : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: gamma, r: 1)\n"
            ),
            "E0311",
            "margin.rademacher_uniform",
        ),
        (
            format!(
                "{margin}claim a : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: quantile(margins(f, D.train), 0.10), r: 1)\n"
            ),
            "E0311",
            "computed from `D.train`",
        ),
        // The norms of the class.
        (
            "domain X = [-3, 3]^2\nclass F = g where |W[l]|_fro <= weight_norm(f, l, fro), |b[l]|_2 <= 10 for l in 1..2\n\
             claim a : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: 1, r: 1)\n"
                .to_string(),
            "E0310",
            "margin_grid.frobenius",
        ),
        // Catoni's inverse temperature.
        (
            format!(
                "{laws}let beta = 1 + empirical_risk(f, D.test, zero_one)\nclaim a : gibbs_risk(Q, zero_one) <= ? by pac_bayes.catoni(P, D.test, beta: beta)\n"
            ),
            "E0311",
            "pac_bayes.catoni_grid",
        ),
        // The variance of the prior.
        (
            "let s = empirical_risk(f, D.test, zero_one) + 1/100\nprior P = gaussian(mean: f, std: s, noise: last_layer)\n\
             claim a : 1 <= 2\n"
                .to_string(),
            "E0311",
            "pac_bayes.prior_grid",
        ),
        // The prior's centre.
        (
            format!("{laws}claim a : gibbs_risk(Q, zero_one) <= ? by pac_bayes_kl(P, D.train)\n"),
            "E0310",
            "split D into prior",
        ),
    ] {
        let (exit, shown) = check(&format!("{TRAINED}{text}"));
        assert_eq!(exit, 3, "{text}\n{shown}");
        assert!(shown.contains(&format!("error[{code}]")) && shown.contains(form), "{text}\n{shown}");
    }
}

#[test]
fn a_point_is_no_prior_and_requirements_show_both_sides() {
    refused(&[
        (
            &format!(
                "{TRAINED}prior P = gaussian(mean: f, std: 0, noise: last_layer)\nposterior Q = gaussian(mean: f, std: 0.02, noise: last_layer)\n\
                 claim a : gibbs_risk(Q, zero_one) <= ? by pac_bayes.kl(P, D.test)\n"
            ),
            "`0 < variance(P)` is false: `variance(P)` is 0",
        ),
        ("claim a : growth(halfspaces(99), 10) <= ? by sauer_shelah\n", "`d <= m` is false: d = 100, m = 10"),
        (
            &format!(
                "{TRAINED}domain X = [-3, 3]^2\nclass F = g where |W[l]|_fro <= 20, |b[l]|_2 <= 10 for l in 1..2\n\
                 claim a : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: -1, r: 1)\n"
            ),
            "`0 < g` is false: g = -1",
        ),
    ]);
}

/// Order statistics of the margins, against the counts of margins below them, which another rule of the kernel gives.
#[test]
fn quantiles_of_margins_are_where_the_counts_jump() {
    let mut text = format!("{TRAINED}let q = quantile(margins(f, D.test), 1/4)\n");
    text += "claim low : quantile(margins(f, D.test), 1/10) <= quantile(margins(f, D.test), 1/2)\nclaim number : q >= -100\n";
    let (exit, shown) = check(&text);
    assert_eq!(exit, 0, "{shown}");
    for share in ["0", "-1/2", "11/10"] {
        let (exit, shown) = check(&format!("{TRAINED}claim a : quantile(margins(f, D.test), {share}) >= -100\n"));
        assert!(exit != 0 && !shown.contains("proved"), "{share}: {shown}");
    }
    // Of 100 examples, number 25 in order of the margin.
    let (_, shown) = check(&format!("{TRAINED}measure q : quantile(margins(f, D.test), 1/4)\n"));
    let between = shown.split("in [").nth(1).and_then(|rest| rest.split(']').next()).expect("an enclosure");
    let (low, high) = between.split_once(", ").expect("two ends");
    let claims = format!(
        "{TRAINED}claim below : margin_error(f, D.test, {low}) <= 24/100\nclaim reached : margin_error(f, D.test, {high} + 1/1000000) >= 25/100\n"
    );
    let (exit, shown) = check(&claims);
    assert_eq!(exit, 0, "{shown}");
}

#[test]
fn a_margin_that_nobody_stated_is_asked_for() {
    let spec = format!(
        "{TRAINED}domain X = [-3, 3]^2\nclaim a : risk(f, zero_one) <= ? with probability >= 0.99 by margin.rademacher(g, X, D.train, r: 1)\n"
    );
    let (exit, text) = check(&spec);
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("it must be") && text.contains("write `g: ...`"), "{text}");
}

#[test]
fn a_margin_of_the_grid_may_be_read_off_the_sample() {
    let spec = format!(
        "{TRAINED}claim a : risk(f, zero_one) <= ? with probability >= 0.99 by margin_grid.path_norm(g, D.train)   expecting vacuous\n"
    );
    let (exit, text) = check(&spec);
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("margin_grid.path_norm"), "{text}");
    // The bound on training data holds for the trained network: nothing is assumed of its provenance.
    assert!(!text.contains("does not depend"), "{text}");
}

#[test]
fn a_part_of_a_sorted_file_is_no_independent_sample() {
    let folder = std::env::temp_dir().join(format!("supremum-hypotheses-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    // The first ten rows have class 0, the others class 1.
    let rows: String = (0..20).map(|i| format!("0.{i},0.{},{}\n", 20 - i, i / 10)).collect();
    std::fs::write(folder.join("d.csv"), format!("x,y,label\n{rows}")).expect("written");
    let spec = "network g = 2 -> 3 -> 1 relu
data D from \"d.csv\"
assume iid : iid(D)
split D into first 10, rest 10
train f : g on D.first { loss logistic, adam, lr 0.01, epochs 2, batch 5, seed 1 }
claim a : risk(f, zero_one) <= ? with probability >= 0.99 by test_set(D.rest)
";
    let (exit, text) = check_in(&folder, spec);
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!(exit, 3, "{text}");
    assert!(text.contains("iid(S)") && text.contains("may be sorted"), "{text}");
}

/// That all inputs lie in the domain cannot be seen in a sample: undeclared it is a dagger, declared an assumption of the whole data set.
#[test]
fn inputs_lie_in_the_domain_by_declaration() {
    let claim = "domain X = [-9, 9]^2\ndomain Y = [-8, 8]^2\nclass F = g where |W[l]|_fro <= 20, |b[l]|_2 <= 10 for l in 1..2\n\
                 claim a : risk(f, zero_one) <= ? by margin.rademacher(F, X, D.train, g: 1) expecting vacuous\n";
    let check = |spec: &str| {
        let (exit, shown) = check(spec);
        (exit, shown.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (_, shown) = check(&format!("{TRAINED}{claim}"));
    assert!(shown.contains("inputs like those of `D.train` lie in `X` with probability 1"), "{shown}");
    assert!(shown.contains("\u{2020}"), "{shown}");
    // Of another domain, or of the other part.
    for other in ["D, Y", "D.test, X"] {
        let (_, shown) = check(&format!("{TRAINED}{}assume s : supported({other})\n", claim));
        assert!(shown.contains("inputs like those of `D.train`"), "{other}: {shown}");
    }
    let (exit, shown) = check(&format!("{TRAINED}{claim}assume s : supported(D, X)\n"));
    assert_eq!(exit, 0, "{shown}");
    assert!(
        shown.contains("`s`: inputs of `D` lie in `X` with probability 1") && !shown.contains('\u{2020}'),
        "{shown}"
    );
    // Balls in three norms, against points that do not fit.
    for (domain, fits) in
        [("ball(0, 9, l2, dim: 2)", true), ("ball(0, 9, l1, dim: 2)", true), ("ball(0, 1/2, linf, dim: 2)", false)]
    {
        let (exit, shown) =
            check(&format!("{TRAINED}domain Z = {domain}\nassume s : supported(D, Z)\nclaim a : params(g) = 13\n"));
        assert_eq!((exit, shown.contains("E0431")), if fits { (0, false) } else { (3, true) }, "{domain}: {shown}");
    }
}

/// Labels without an output, inputs of another dimension, pixels that are no numbers: errors, and no counts.
#[test]
fn examples_that_do_not_fit_are_not_counted() {
    let folder = std::env::temp_dir().join(format!("supremum-fits-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, rows) in [
        ("three", "x,y,label\n0.1,0.2,0\n0.3,0.1,2\n0.2,0.2,1\n"),
        ("line", "x,label\n0.1,0\n0.3,1\n"),
        ("nan", "x,y,label\n0.1,nan,0\n0.3,0.2,1\n"),
        ("infinite", "x,y,label\n0.1,inf,0\n0.3,0.2,1\n"),
        ("negative", "x,y,label\n0.1,0.2,-3\n0.3,0.2,1\n"),
        ("none", "x,y,label\n"),
        ("fine", "x,y,label\n0.1,0.2,0\n0.3,0.1,1\n"),
    ] {
        std::fs::write(folder.join(format!("{name}.csv")), rows).expect("written");
    }
    let run = |data: &str, outputs: u32, line: &str| {
        let loss = if outputs == 1 { "logistic" } else { "cross_entropy" };
        let spec = format!(
            "network g = 2 -> 3 -> {outputs} relu\ndata E from \"{data}.csv\"\ndata D = two_moons(n: 20, noise: 0.1, seed: 1)\n\
             train f : g on D {{ loss {loss}, adam, lr 0.01, epochs 2, batch 2, seed 1 }}\n{line}\n"
        );
        check_in(&folder, &spec)
    };
    for line in [
        "claim a : errors(f, E) <= ?",
        "measure a : margin_error(f, E, 1/2)",
        "expect a : empirical_risk(f, E, zero_one) <= 1",
    ] {
        for (data, outputs, says) in [("three", 1, "3 classes"), ("line", 1, "takes 2 inputs")] {
            let (exit, said) = run(data, outputs, line);
            assert!(exit == 3 && said.contains("error[E0432]") && said.contains(says), "{data} {line}: {exit}\n{said}");
        }
        let (exit, said) = run("fine", 1, line);
        assert!(exit == 0 && said.is_empty(), "{line}: {exit}\n{said}");
    }
    for data in ["nan", "infinite", "negative", "none"] {
        let (exit, said) = run(data, 1, "claim a : samples(E) = 2");
        assert!(exit == 7 && said.contains("error[E0502]"), "{data}: {exit}\n{said}");
    }
    let (exit, said) = run("three", 1, "claim a : errors(f, E) <= 3 expecting error E0432");
    assert!(exit == 0 && said.is_empty(), "{exit}\n{said}");
    std::fs::remove_dir_all(&folder).expect("removed");
}
