//! Statements on what an algorithm learns, against algorithms small enough to enumerate: every sample, every order of a stochastic descent,
//! every outcome of a randomized rule. Descents are run in exact arithmetic; informations are sums of logarithms in floating point,
//! rounded towards the stronger statement.

use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

mod theory_support;
use theory_support::{Random, library, q, upper};

type Slope = fn(&BigRational, &BigRational) -> BigRational;
type Loss = fn(&BigRational, &BigRational) -> BigRational;

/// |x| - 1/2 with a parabola for |x| <= 1: convex, 1-Lipschitz, 1-smooth.
fn huber(w: &BigRational, z: &BigRational) -> BigRational {
    let x = (w - z).abs();
    if x <= BigRational::one() { &x * &x / q(2, 1) } else { x - q(1, 2) }
}

fn huber_slope(w: &BigRational, z: &BigRational) -> BigRational {
    (w - z).clamp(q(-1, 1), q(1, 1))
}

/// [`huber`] and w^2/4: 1/2-strongly convex, 3/2-smooth, 3/2-Lipschitz on [-1, 1].
fn strong(w: &BigRational, z: &BigRational) -> BigRational {
    huber(w, z) + w * w / q(4, 1)
}

fn strong_slope(w: &BigRational, z: &BigRational) -> BigRational {
    huber_slope(w, z) + w / q(2, 1)
}

/// 2 x^2 near 0, 1 from |x| = 1 on, two parabolas joined at 1/2: in [0, 1], 2-Lipschitz, 4-smooth, not convex.
fn bump(w: &BigRational, z: &BigRational) -> BigRational {
    let x = (w - z).abs().min(BigRational::one());
    let y = BigRational::one() - &x;
    if x <= q(1, 2) { q(2, 1) * &x * &x } else { BigRational::one() - q(2, 1) * &y * &y }
}

fn bump_slope(w: &BigRational, z: &BigRational) -> BigRational {
    let x = w - z;
    if x.abs() <= q(1, 2) {
        q(4, 1) * x
    } else if x.abs() <= BigRational::one() {
        q(4, 1) * (x.signum() - x)
    } else {
        BigRational::zero()
    }
}

/// |E(risk - empirical risk)| of stochastic descent from 0 over all samples of `n` examples, which are one of two numbers with equal
/// probability, and all choices of an example per step.
fn gap(
    loss: Loss,
    slope: Slope,
    atoms: [&BigRational; 2],
    n: usize,
    steps: &[BigRational],
    is_projected: bool,
) -> BigRational {
    let mut total = BigRational::zero();
    let orders = n.pow(u32::try_from(steps.len()).expect("few"));
    for sample in 0..1usize << n {
        let example = |i: usize| atoms[sample >> i & 1];
        for order in 0..orders {
            let (mut w, mut rest) = (BigRational::zero(), order);
            for step in steps {
                w -= step * slope(&w, example(rest % n));
                if is_projected {
                    w = w.clamp(q(-1, 1), q(1, 1));
                }
                rest /= n;
            }
            let risk = (loss(&w, atoms[0]) + loss(&w, atoms[1])) / q(2, 1);
            let seen = (0..n).map(|i| loss(&w, example(i))).sum::<BigRational>() / q(n as i64, 1);
            total += risk - seen;
        }
    }
    (total / q((orders << n) as i64, 1)).abs()
}

/// The largest part of its bound that a gap reaches.
fn reached(gap: &BigRational, bound: &BigRational, most: &mut f64) {
    assert!(gap <= bound, "{gap} > {bound}");
    *most = most.max((gap / bound).to_f64().expect("a quotient"));
}

#[test]
fn descent_on_convex_losses_is_stable() {
    let (library, mut most) = (library(), 0.0);
    for n in 1..=3usize {
        for length in 1..=4usize {
            for step in [q(1, 10), q(1, 2), q(1, 1), q(2, 1)] {
                for atoms in [[q(-1, 1), q(1, 1)], [q(0, 1), q(3, 1)], [q(-1, 3), q(2, 5)]] {
                    let found = gap(huber, huber_slope, [&atoms[0], &atoms[1]], n, &vec![step.clone(); length], false);
                    let total = &step * q(length as i64, 1);
                    let bindings = format!("n = {n}, L = 1, beta = 1, step = {step}, total = {total}");
                    reached(&found, &upper(&library, "stability.sgd_convex", &bindings), &mut most);
                }
            }
        }
    }
    // The bound is no idle one: one step on one example reaches a quarter of it.
    assert!(most >= 0.24, "{most}");
}

#[test]
fn descent_on_strongly_convex_losses_is_stable() {
    let (library, mut most) = (library(), 0.0);
    for n in 1..=3usize {
        for length in 1..=4usize {
            for step in [q(1, 10), q(1, 2), q(2, 3)] {
                for atoms in [[q(-1, 1), q(1, 1)], [q(0, 1), q(1, 1)], [q(-1, 3), q(2, 5)]] {
                    let found = gap(strong, strong_slope, [&atoms[0], &atoms[1]], n, &vec![step.clone(); length], true);
                    let bindings = format!("n = {n}, L = 3/2, beta = 3/2, gamma = 1/2, step = {step}");
                    reached(&found, &upper(&library, "stability.sgd_strongly_convex", &bindings), &mut most);
                }
            }
        }
    }
    assert!(most > 0.05, "{most}");
}

#[test]
fn descent_on_smooth_losses_is_stable() {
    let (library, mut most) = (library(), 0.0);
    for n in 2..=3usize {
        for length in 1..=4usize {
            for c in [q(1, 20), q(1, 4), q(1, 1)] {
                for atoms in [[q(-1, 4), q(1, 4)], [q(1, 10), q(3, 4)], [q(-1, 2), q(1, 3)]] {
                    let steps: Vec<BigRational> = (1..=length).map(|t| &c / q(t as i64, 1)).collect();
                    let found = gap(bump, bump_slope, [&atoms[0], &atoms[1]], n, &steps, false);
                    let bindings = format!("n = {n}, T = {length}, L = 2, beta = 4, c = {c}");
                    reached(&found, &upper(&library, "stability.sgd_nonconvex", &bindings), &mut most);
                }
            }
        }
    }
    assert!(most > 0.05, "{most}");
}

/// A law on `0..count` by integer weights, some of them 0.
fn law(random: &mut Random, count: usize) -> Vec<f64> {
    let weights: Vec<u64> = (0..count).map(|_| random.below(4).saturating_sub(1)).collect();
    let total: u64 = weights.iter().sum();
    if total == 0 {
        return (0..count).map(|i| f64::from(u8::from(i == 0))).collect();
    }
    weights.iter().map(|w| *w as f64 / total as f64).collect()
}

/// The mutual information in nats of an index with the given law and an outcome with the given laws, one per index.
fn information(index: &[f64], outcome: &[Vec<f64>]) -> f64 {
    let mean: Vec<f64> =
        (0..outcome[0].len()).map(|h| index.iter().zip(outcome).map(|(p, law)| p * law[h]).sum()).collect();
    let divergence = |law: &Vec<f64>| -> f64 {
        law.iter().zip(&mean).filter(|(p, _)| **p > 0.0).map(|(p, mean)| p * (p / mean).ln()).sum()
    };
    index.iter().zip(outcome).map(|(p, law)| p * divergence(law)).sum()
}

/// A number of at most nine places below `x`, less a little.
fn below(x: f64) -> String {
    let places = ((x - 1e-9) * 1e9).floor().max(0.0);
    format!("{places}/1000000000")
}

/// The losses in [0, 1] of three hypotheses on two examples, and the probability of the second.
fn problem(random: &mut Random) -> (Vec<[f64; 2]>, f64) {
    let losses = (0..3).map(|_| [random.below(9) as f64 / 8.0, random.below(9) as f64 / 8.0]).collect();
    (losses, random.within(1, 7) as f64 / 8.0)
}

/// The rule sees the sample.
#[test]
fn expected_gaps_are_bounded_by_information() {
    let (library, mut random, mut most) = (library(), Random(17), 0.0f64);
    for case in 0..1500 {
        let m = 1 + case % 3;
        let (losses, p) = problem(&mut random);
        let chance = |z: usize| if z == 1 { p } else { 1.0 - p };
        let samples: Vec<f64> = (0..1usize << m).map(|s| (0..m).map(|i| chance(s >> i & 1)).product()).collect();
        let rule: Vec<Vec<f64>> = samples.iter().map(|_| law(&mut random, 3)).collect();
        let mut gap = 0.0;
        for (s, weight) in samples.iter().enumerate() {
            for (h, of_rule) in losses.iter().zip(&rule[s]) {
                let risk = p * h[1] + (1.0 - p) * h[0];
                let seen = (0..m).map(|i| h[s >> i & 1]).sum::<f64>() / m as f64;
                gap += weight * of_rule * (risk - seen);
            }
        }
        let found = information(&samples, &rule);
        let bound = upper(&library, "information.xu_raginsky", &format!("m = {m}, I = {}", below(found)));
        let bound = bound.to_f64().expect("a bound");
        assert!(gap.abs() <= bound + 1e-12 || found < 1e-6, "case {case}: {gap} > {bound}");
        if found > 1e-6 {
            most = most.max(gap.abs() / bound);
        }
    }
    assert!(most > 0.6, "{most}");
}

/// Two candidates per place of the sample, a fair coin for each place; the rule sees the chosen ones.
#[test]
fn expected_risks_are_bounded_by_conditional_information() {
    let (library, mut random, mut most) = (library(), Random(23), 0.0f64);
    for case in 0..600 {
        let m = 1 + case % 2;
        let (losses, p) = problem(&mut random);
        let chance = |z: usize| if z == 1 { p } else { 1.0 - p };
        let rule: Vec<Vec<f64>> = (0..1usize << m).map(|_| law(&mut random, 3)).collect();
        let coins = vec![1.0 / (1 << m) as f64; 1 << m];
        let (mut found, mut gap, mut risk, mut seen) = (0.0, 0.0, 0.0, 0.0);
        for pairs in 0..1usize << (2 * m) {
            let weight: f64 = (0..2 * m).map(|i| chance(pairs >> i & 1)).product();
            let sample = |u: usize| (0..m).map(|i| (pairs >> (2 * i + (u >> i & 1)) & 1) << i).sum::<usize>();
            let outcomes: Vec<Vec<f64>> = (0..1usize << m).map(|u| rule[sample(u)].clone()).collect();
            found += weight * information(&coins, &outcomes);
            for (u, outcome) in outcomes.iter().enumerate() {
                let s = sample(u);
                for (h, of_rule) in losses.iter().zip(outcome) {
                    let share = weight * coins[u] * of_rule;
                    let of_sample = (0..m).map(|i| h[s >> i & 1]).sum::<f64>() / m as f64;
                    let of_law = p * h[1] + (1.0 - p) * h[0];
                    gap += share * (of_law - of_sample);
                    risk += share * of_law;
                    seen += share * of_sample;
                }
            }
        }
        if found < 1e-6 {
            continue;
        }
        let bindings = format!("m = {m}, I = {}", below(found));
        let bound = upper(&library, "information.steinke_zakynthinou", &bindings).to_f64().expect("a bound");
        assert!(gap.abs() <= bound + 1e-12, "case {case}: {gap} > {bound}");
        most = most.max(gap.abs() / bound);
        let bindings = format!("{bindings}, q = {}", below(seen));
        let bound = upper(&library, "information.steinke_zakynthinou_risk", &bindings).to_f64().expect("a bound");
        assert!(risk <= bound + 1e-12, "case {case}: {risk} > {bound}");
    }
    assert!(most > 0.2, "{most}");
}

/// The rule answers a fraction of the mean of 0-1 examples, judged by |h - z|: the probability that its risk exceeds the bound, over all counts.
#[test]
fn stable_rules_fail_as_seldom_as_stated() {
    let library = library();
    let mut tightest = 1.0f64;
    for m in [4i64, 8, 12] {
        for fraction in [q(0, 1), q(1, 4), q(1, 1)] {
            for (theorem, stability) in [
                // One example moves the answer by fraction/m; a removed one by at most as much over m.
                ("stability.replace_one", &fraction / q(m, 1)),
                ("stability.bousquet_elisseeff", &fraction / q(m, 1)),
            ] {
                for delta in [q(1, 2), q(1, 5), q(1, 20)] {
                    for p in [q(1, 10), q(1, 2), q(9, 10)] {
                        let mut failing = BigRational::zero();
                        let mut ways = BigRational::one();
                        for k in 0..=m {
                            let answer = &fraction * q(k, m);
                            let judged = |p: &BigRational| (q(1, 1) - &answer) * p + &answer * (q(1, 1) - p);
                            let bindings = format!(
                                "m = {m}, b = {stability}, delta = {delta}, empirical_risk(f, S, loss) = {}",
                                judged(&q(k, m))
                            );
                            let bound = upper(&library, theorem, &bindings);
                            tightest = tightest.min(bound.to_f64().expect("a bound"));
                            if judged(&p) > bound {
                                let power = |x: &BigRational, n: i64| (0..n).fold(q(1, 1), |a, _| a * x);
                                failing += &ways * power(&p, k) * power(&(q(1, 1) - &p), m - k);
                            }
                            ways = ways * q(m - k, 1) / q(k + 1, 1);
                        }
                        assert!(failing <= delta, "{theorem}: m = {m}, fails with {failing} > {delta}");
                    }
                }
            }
        }
    }
    // Some of these bounds are below 1 and can fail.
    assert!(tightest < 0.3, "{tightest}");
}
