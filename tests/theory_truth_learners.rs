//! What no learner beats, what a word costs, what a draw tells: laws on a few points, every sample, every word, in exact arithmetic.

mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use theory_support::{Random, evaluate, library, lower, q, rational, upper};

fn binomial(n: i64, k: i64) -> BigRational {
    (0..k).fold(BigRational::one(), |product, i| product * q(n - i, i + 1))
}

fn power(base: &BigRational, exponent: i64) -> BigRational {
    base.pow(i32::try_from(exponent).expect("small"))
}

/// P(Bin(n, p) = k).
fn mass(n: i64, k: i64, p: &BigRational) -> BigRational {
    binomial(n, k) * power(p, k) * power(&(BigRational::one() - p), n - k)
}

/// P(k of n points of probability p each are not among m draws), by adding one draw after the other.
fn unseen(n: i64, p: &BigRational, m: i64) -> Vec<BigRational> {
    let mut seen: Vec<BigRational> = (0..=n).map(|k| q(i64::from(k == 0), 1)).collect();
    for _ in 0..m {
        seen = (0..=n)
            .map(|k| {
                let index = usize::try_from(k).expect("small");
                let stays = BigRational::one() - p * q(n - k, 1);
                let comes = if k == 0 { BigRational::zero() } else { &seen[index - 1] * p * q(n - k + 1, 1) };
                &seen[index] * stays + comes
            })
            .collect();
    }
    seen.reverse();
    seen
}

/// P(at least `least` of n fair coins show errors).
fn coins(n: i64, least: &BigRational) -> BigRational {
    (0..=n).filter(|k| q(*k, 1) >= *least).map(|k| mass(n, k, &q(1, 2))).sum()
}

/// Labels of unseen points are fair coins to every learner, so the mean over all labellings of the probability of a large risk is at least the
/// number here, and so is the probability for some labelling.
#[test]
fn no_learner_knows_unseen_labels() {
    let library = library();
    for (d, m) in [(2, 1), (2, 7), (3, 1), (5, 1), (5, 4), (9, 2), (9, 20), (17, 4)] {
        let error = lower(&library, "uniform.lower_realizable", &format!("d = {d}, m = {m}"));
        // d - 1 rare points of probability 8 error together, and one of the rest.
        let rare = q(8, d - 1) * &error;
        assert!(&rare * q(d - 1, 1) <= BigRational::one());
        let enough = &error / &rare;
        let likely: BigRational =
            (0..).zip(unseen(d - 1, &rare, m)).map(|(count, chance)| chance * coins(count, &enough)).sum();
        assert!(likely >= q(1, 100), "d = {d}, m = {m}: {likely}");
    }
    for n in 1..=8i64 {
        for m in 0..=n / 2 {
            let stated = lower(&library, "no_free_lunch.shalev_shwartz_ben_david", &format!("m = {m}, N = {n}"));
            let law = unseen(n, &q(1, n), m);
            let likely: BigRational =
                (0..).zip(&law).map(|(count, chance)| chance * coins(count, &(&stated * q(n, 1)))).sum();
            assert!(likely >= q(1, 7), "m = {m}, N = {n}: {likely}");
            let mean: BigRational = (0..).zip(&law).map(|(count, chance)| chance * q(count, 2 * n)).sum();
            assert!(mean >= lower(&library, "no_free_lunch.survey_1_13", &format!("m = {m}, N = {n}, a = 1/16")));
        }
    }
}

/// d coins with a small bias of unknown sign: the majority of its tosses is the best guess, which is wrong on a mean share Z of the coins, and
/// P(Z > t) >= (E Z - t)/(1 - t).
#[test]
fn no_learner_knows_a_small_bias() {
    let library = library();
    for (d, m) in [(2, 26), (2, 40), (3, 39), (4, 52), (4, 80)] {
        let error = lower(&library, "uniform.lower_agnostic", &format!("d = {d}, m = {m}"));
        let bias = (&error * q(64, 7) * q(1_000_000, 1)).ceil() / q(1_000_000, 1);
        let likely = (BigRational::one() + &bias) / q(2, 1);
        let wrong = |n: i64| -> BigRational {
            let wrongly: BigRational = (0..=n).filter(|k| 2 * k < n).map(|k| mass(n, k, &likely)).sum();
            let tie = if n % 2 == 0 { mass(n, n / 2, &likely) / q(2, 1) } else { BigRational::zero() };
            wrongly + tie
        };
        let mean: BigRational = (0..=m).map(|n| mass(m, n, &q(1, d)) * wrong(n)).sum();
        let share = q(7, 64);
        assert!(&bias * &share >= error);
        assert!((&mean - &share) / (BigRational::one() - &share) >= q(1, 64), "d = {d}, m = {m}: {mean}");
    }
}

/// All words that the theorems on code lengths speak of fit into one prefix code: Kraft's sum is at most 1.
#[test]
fn words_fit_into_one_code() {
    let library = library();
    let half = q(1, 2);
    for parameters in [1i64, 2, 3, 7, 12] {
        // 2^10 feature maps; of m nonzero weights binomial(P, m) places and 2^m signs.
        let ternary: BigRational = (0..=parameters)
            .map(|m| {
                let given = format!("params(f) = {parameters}, nonzero(f) = {m}");
                let length = upper(&library, "occam.ternary_readout", &given).to_integer();
                let words = binomial(parameters, m) * power(&q(2, 1), m + 10);
                words / BigRational::from_integer(BigInt::from(2).pow(u32::try_from(length).expect("small")))
            })
            .sum();
        assert!(ternary <= half, "{parameters}: {ternary}");
        // Any number of widths: the words of width b are 2^(b P), and 2^(b P - length) does not depend on P.
        let stored: BigRational = (1..=300i64)
            .map(|bits| {
                let length =
                    upper(&library, "finite_class.code_length", &format!("F = {parameters} -> 1, bits = {bits}"));
                power(&half, i64::try_from(length.to_integer()).expect("small") - bits * (parameters + 1))
            })
            .sum();
        assert!(stored <= half, "{parameters}: {stored}");
    }
    // Weights 2^-n/(n (n + 1)) of the 2^n words of n bits add up to 1 - 1/(N + 1): no length may be below n + log2(n (n + 1)).
    for n in 1..=60i64 {
        let length = upper(&library, "occam.self_delimiting", &format!("bits = {n}"));
        let steps = ((length - q(n, 1)) * q(64, 1)).ceil().to_integer();
        assert!(power(&q(n * (n + 1), 1), 64) <= power(&q(2, 1), i64::try_from(steps).expect("small")), "{n}");
    }
}

/// Draws from a posterior on a sample err with the Gibbs error: the bound of the count fails with probability at most delta.
#[test]
fn draws_tell_the_gibbs_error() {
    let library = library();
    for n in [1i64, 5, 12] {
        for delta in [q(1, 20), q(1, 3)] {
            for theorem in ["pac_bayes.monte_carlo", "pac_bayes.monte_carlo_kl"] {
                let bounds: Vec<BigRational> =
                    (0..=n).map(|k| upper(&library, theorem, &format!("n = {n}, k = {k}, delta = {delta}"))).collect();
                for step in 1..60 {
                    let gibbs = q(step, 60);
                    let failure: BigRational =
                        (0..).zip(&bounds).filter(|(_, b)| **b < gibbs).map(|(k, _)| mass(n, k, &gibbs)).sum();
                    assert!(failure <= delta, "{theorem}: n = {n}, error {gibbs}: {failure}");
                }
            }
        }
    }
}

/// Two predictors that are right together or err together, a posterior that is taken after the sample to make the bound fail, and draws from it.
#[test]
fn bounds_from_draws_fail_as_rarely_as_stated() {
    let library = library();
    let (m, n, delta) = (3i64, 4i64, q(1, 3));
    // The first errs with probability p, the second with 1 - p, exactly where the first is right.
    for p in [q(1, 10), q(1, 2), q(4, 5)] {
        let mut failure = BigRational::zero();
        for errors in 0..=m {
            let worst = (0..=4)
                .map(|step| {
                    let weight = q(step, 4);
                    let rest = BigRational::one() - &weight;
                    let seen = &weight * q(errors, m) + &rest * q(m - errors, m);
                    let risk = &weight * &p + &rest * (BigRational::one() - &p);
                    let information = match step {
                        0 | 4 => "ln(2)".to_string(),
                        _ => format!("{weight}*ln(2*{weight}) + {rest}*ln(2*{rest})"),
                    };
                    let fails = |k: i64| {
                        let given = format!("C = {information}, m = {m}, n = {n}, k = {k}, delta = {delta}");
                        let bound = evaluate(&library, "pac_bayes.drawn_kl", &given).right.1;
                        rational(bound.enclosure().hi()) < risk
                    };
                    (0..=n).filter(|k| fails(*k)).map(|k| mass(n, k, &seen)).sum::<BigRational>()
                })
                .fold(BigRational::zero(), BigRational::max);
            failure += worst * mass(m, errors, &p);
        }
        assert!(failure <= delta, "{p}: {failure}");
    }
}

/// One example of the sample decides: the rule "label at and right of this point as this example says, left of it otherwise". The example is
/// taken to make the bound fail.
#[test]
fn rules_from_one_example_fail_as_rarely_as_stated() {
    let library = library();
    let (m, points) = (4usize, 3usize);
    let delta = q(2, 3);
    let bound: Vec<BigRational> = (0..m)
        .map(|k| upper(&library, "occam.sample_compression", &format!("m = {m}, c = 1, k = {k}, delta = {delta}")))
        .collect();
    let mut random = Random(31);
    for _ in 0..12 {
        // Probabilities of the six pairs of a point and a label.
        let weights: Vec<i64> = (0..2 * points).map(|_| random.within(0, 9)).collect();
        let total: i64 = weights.iter().sum();
        if total == 0 {
            continue;
        }
        let predicts = |rule: usize, place: usize| (place / 2 >= rule / 2) == (rule % 2 == 1);
        let errs = |rule: usize, place: usize| predicts(rule, place) != (place % 2 == 1);
        let risk = |rule: usize| q((0..2 * points).filter(|p| errs(rule, *p)).map(|p| weights[p]).sum(), total);
        let mut failure = BigRational::zero();
        for sample in 0..(2 * points).pow(u32::try_from(m).expect("small")) {
            let places: Vec<usize> =
                (0..m).map(|i| sample / (2 * points).pow(u32::try_from(i).expect("small")) % (2 * points)).collect();
            let fails = (0..m).any(|chosen| {
                let rule = places[chosen];
                let outside = (0..m).filter(|i| *i != chosen && errs(rule, places[*i])).count();
                bound[outside] < risk(rule)
            });
            if fails {
                failure += places.iter().map(|place| q(weights[*place], total)).product::<BigRational>();
            }
        }
        assert!(failure <= delta, "{weights:?}: {failure}");
    }
}

/// A predictor that gives the label probability 1 or 0: its smoothed loss has two values, and the mean of m of them deviates by
/// Hoeffding's inequality times their distance.
#[test]
fn smoothed_losses_deviate_as_hoeffding_says() {
    let library = library();
    for (m, v, a) in [(1i64, 2i64, q(1, 2)), (4, 3, q(1, 3)), (9, 256, q(1, 10))] {
        for delta in [q(1, 10), q(1, 2)] {
            let given =
                format!("bits = 0, V = {v}, a = {a}, m = {m}, delta = {delta}, empirical_smoothed_nll(f, S, V, a) = 0");
            let term = upper(&library, "occam.smoothed_nll", &given);
            let plain = upper(
                &library,
                "test_set.hoeffding",
                &format!("n = {m}, delta = {delta}, empirical_risk(f, S, loss) = 0"),
            );
            // The distance log2((1 - a + a/V)/(a/V)) of the two values, enclosed by counting halvings of a power.
            let ratio = (BigRational::one() - &a + &a / q(v, 1)) / (&a / q(v, 1));
            let (mut exponent, bits) = (0i64, power(&ratio, 64));
            let mut below = BigRational::one();
            while below <= bits {
                below *= q(2, 1);
                exponent += 1;
            }
            let (low, high) = (q(exponent - 1, 64), q(exponent, 64));
            let slack = q(1, 1_000_000);
            assert!(&low * &plain <= &term + &slack && &high * &plain >= &term - &slack, "{given}: {term}");
            // A share p of wrong labels is underestimated by plain with probability at most delta.
            for step in 0..=10 {
                let p = q(step, 10);
                let failure: BigRational = (0..=m).filter(|k| q(*k, m) + &plain < p).map(|k| mass(m, k, &p)).sum();
                assert!(failure <= delta && !plain.is_negative(), "{given}");
            }
        }
    }
}
