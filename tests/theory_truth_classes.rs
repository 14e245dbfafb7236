//! Statements on finite classes against enumeration: label vectors of several classes, packings, Rademacher averages by all signs,
//! PAC-Bayes bounds on a class of two, and the sum behind the factor 2 sqrt(m). Both sides are exact, or rounded against the theorem.

mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use theory_support::{evaluate, library, natarajan, rational, subsets, upper};

fn q(p: i64, r: i64) -> BigRational {
    BigRational::new(p.into(), r.into())
}

/// Knuth's MMIX generator: the same cases in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

#[test]
fn label_vectors_are_as_few_as_stated() {
    let library = library();
    let (m, labels) = (3usize, 3u64);
    let bounds: Vec<(BigRational, BigRational)> = (0..=m)
        .map(|d| {
            let given = format!("d = {d}, K = {labels}, m = {m}");
            (upper(&library, "vc.natarajan_growth", &given), upper(&library, "vc.natarajan_closed", &given))
        })
        .collect();
    let (mut draw, mut tight) = (Draw(1), 0);
    for _ in 0..3000 {
        let size = 1 + draw.below(20) as usize;
        let mut family: Vec<Vec<u8>> = (0..size).map(|_| (0..m).map(|_| draw.below(labels) as u8).collect()).collect();
        family.sort();
        family.dedup();
        let (sum, closed) = &bounds[natarajan(&family, m)];
        let count = BigRational::from_integer(family.len().into());
        assert!(count <= *sum && sum <= closed, "{family:?}");
        tight += usize::from(count == *sum);
    }
    assert!(tight > 0, "no family attains the bound");
}

#[test]
fn packings_are_as_small_as_stated() {
    let library = library();
    let m = 5;
    let mut draw = Draw(2);
    for _ in 0..60 {
        let mut family: Vec<u32> = (0..10).map(|_| draw.below(1 << m) as u32).collect();
        family.sort_unstable();
        family.dedup();
        let shattered = |s: &Vec<usize>| {
            let mut seen: Vec<Vec<bool>> =
                family.iter().map(|f| s.iter().map(|&i| f >> i & 1 == 1).collect()).collect();
            seen.sort();
            seen.dedup();
            seen.len() == 1 << s.len()
        };
        let d = subsets(m).filter(shattered).map(|s| s.len()).max().unwrap_or(0).max(1);
        // L1 of the uniform law: the fraction of points where two members differ; more than (k - 1)/m is at least k/m.
        for k in 1..=m as u32 {
            let largest = (0..1u32 << family.len())
                .filter(|mask| {
                    let chosen: Vec<u32> =
                        (0..family.len()).filter(|i| mask >> i & 1 == 1).map(|i| family[i]).collect();
                    chosen.iter().enumerate().all(|(i, a)| chosen[..i].iter().all(|b| (a ^ b).count_ones() >= k))
                })
                .map(u32::count_ones)
                .max()
                .unwrap_or(0);
            let bound = upper(&library, "covering.haussler", &format!("d = {d}, eps = {}/{m}", k));
            assert!(BigRational::from_integer(largest.into()) <= bound, "{family:?} {d} {k}: {largest}");
        }
    }
}

/// `2^m m` times the Rademacher average of vectors, with or without the modulus.
fn average(vectors: &[Vec<i64>], m: usize, modulus: bool) -> i64 {
    (0..1u32 << m)
        .map(|signs| {
            let value = |v: &Vec<i64>| -> i64 { (0..m).map(|i| if signs >> i & 1 == 1 { v[i] } else { -v[i] }).sum() };
            vectors.iter().map(|v| if modulus { value(v).abs() } else { value(v) }).max().unwrap_or(0)
        })
        .sum()
}

#[test]
fn averages_over_all_signs_obey_massart_and_contraction() {
    let library = library();
    let (m, r) = (5usize, 3i64);
    let scale = BigRational::from_integer(BigInt::from((1 << m) * m as i64));
    let massart: Vec<BigRational> =
        (1..=8).map(|k| upper(&library, "rademacher.massart", &format!("k = {k}, m = {m}, r = {r}"))).collect();
    let mistakes: Vec<BigRational> =
        (1..=8).map(|k| upper(&library, "rademacher.mistakes", &format!("m = {m}, G = {k}"))).collect();
    let mut draw = Draw(3);
    for _ in 0..500 {
        let k = 1 + draw.below(8) as usize;
        let vectors: Vec<Vec<i64>> =
            (0..k).map(|_| (0..m).map(|_| draw.below(2 * r as u64 + 1) as i64 - r).collect()).collect();
        let signed = average(&vectors, m, false);
        assert!(BigRational::from_integer(signed.into()) / &scale <= massart[k - 1], "{vectors:?}");
        // Losses 0 and 1: as many vectors as the class has.
        let losses: Vec<Vec<i64>> = vectors.iter().map(|v| v.iter().map(|&t| i64::from(t > 0)).collect()).collect();
        let count = losses.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert!(
            BigRational::from_integer(average(&losses, m, false).into()) / &scale <= mistakes[count - 1],
            "{losses:?}"
        );
        // Contraction by ReLU, and by the modulus shifted away from 0: L = 1.
        for contract in [|t: i64| t.max(0), |t: i64| t.abs() + 2] {
            let images: Vec<Vec<i64>> = vectors.iter().map(|v| v.iter().map(|&t| contract(t)).collect()).collect();
            assert!(average(&images, m, false) <= signed, "{vectors:?}");
        }
        let images: Vec<Vec<i64>> = vectors.iter().map(|v| v.iter().map(|&t| t.max(0)).collect()).collect();
        let whole = average(&vectors, m, true);
        assert!(average(&images, m, true) <= 2 * whole && signed <= whole, "{vectors:?}");
    }
    // The factors of the library for these complexities.
    assert_eq!(upper(&library, "rademacher.contraction", "m = 5, L = 1, r = 7"), q(7, 1));
    assert_eq!(upper(&library, "rademacher.contraction_modulus", "m = 5, L = 1, r = 7"), q(14, 1));
}

fn binomial(n: usize, k: usize) -> BigInt {
    (0..k).fold(BigInt::one(), |c, i| c * BigInt::from(n - i) / BigInt::from(i + 1))
}

/// Maurer's sum xi(m) = sum C(m, k) (k/m)^k (1 - k/m)^(m - k) is at most 2 sqrt(m), for every m and not from 8 on only.
#[test]
fn the_factor_of_the_kl_bound_is_right_for_small_samples() {
    for m in 1..=80usize {
        let power = |base: usize, exponent: usize| BigInt::from(base).pow(exponent as u32);
        let terms = (0..=m).map(|k| binomial(m, k) * power(k, k) * power(m - k, m - k));
        let xi = BigRational::new(terms.sum(), power(m, m));
        assert!(&xi * &xi <= BigRational::from_integer((4 * m).into()), "{m}");
        // The value that others computed for m = 8.
        if m == 8 {
            assert!(xi > q(42450180, 10_000_000) && xi < q(42450181, 10_000_000));
        }
    }
}

/// Two predictors with a joint law of their errors, all samples of size n by counts, posteriors on a grid: the probability that
/// some posterior has a risk above its bound is at most delta.
#[test]
fn pac_bayes_bounds_fail_as_rarely_as_stated() {
    let library = library();
    let (n, delta) = (3usize, q(1, 4));
    // Probabilities in 1/20 of: both right, only the second errs, only the first errs, both err.
    for law in [[2, 9, 9, 0], [1, 3, 12, 4]] {
        for theorem in [
            "pac_bayes.kl",
            "pac_bayes.langford",
            "pac_bayes.mcallester",
            "pac_bayes.quadratic",
            "pac_bayes.catoni",
            "pac_bayes.catoni_grid",
            "pac_bayes.cross_entropy",
        ] {
            let mut failure = BigRational::zero();
            for a in 0..=n {
                for b in 0..=n - a {
                    for c in 0..=n - a - b {
                        let counts = [a, b, c, n - a - b - c];
                        if fails(&library, theorem, &law, &counts, n, &delta) {
                            failure += probability(&law, &counts, n);
                        }
                    }
                }
            }
            assert!(failure <= delta, "{theorem} {law:?}: {failure}");
        }
    }
}

fn probability(law: &[i64; 4], counts: &[usize; 4], n: usize) -> BigRational {
    let (mut left, mut result) = (n, BigRational::one());
    for (p, &count) in law.iter().zip(counts) {
        let power = q(*p, 20).pow(i32::try_from(count).expect("small"));
        result *= power * BigRational::from_integer(binomial(left, count));
        left -= count;
    }
    result
}

/// Whether a posterior (w, 1 - w) has a risk above the bound's upper end; the prior is (1/2, 1/2).
fn fails(
    library: &supremum::theory::Library,
    theorem: &str,
    law: &[i64; 4],
    counts: &[usize; 4],
    n: usize,
    delta: &BigRational,
) -> bool {
    let size = BigRational::from_integer(n.into());
    let observed = |one: usize, two: usize| BigRational::from_integer((counts[one] + counts[two]).into()) / &size;
    // The first errs in cells 2 and 3, the second in cells 1 and 3.
    let (risk1, risk2) = (q(law[2] + law[3], 20), q(law[1] + law[3], 20));
    let (seen1, seen2) = (observed(2, 3), observed(1, 3));
    (0..=4).any(|step| {
        let w = q(step, 4);
        let rest = BigRational::one() - &w;
        let (risk, seen) = (&w * &risk1 + &rest * &risk2, &w * &seen1 + &rest * &seen2);
        let information = match step {
            _ if theorem.ends_with("cross_entropy") => "ln(2)".to_string(),
            0 | 4 => "ln(2)".to_string(),
            _ => format!("{w}*ln(2*{w}) + {rest}*ln(2*{rest})"),
        };
        let parameter = match theorem {
            "pac_bayes.catoni" => ", beta = 2",
            "pac_bayes.catoni_grid" => ", j = 32",
            _ => "",
        };
        let given = format!("C = {information}, m = {n}, r = {seen}, delta = {delta}{parameter}");
        rational(evaluate(library, theorem, &given).right.1.enclosure().hi()) < risk
    })
}

/// The event of uniform.rademacher_empirical: Phi = sup (risk - empirical risk) - 2 complexity on the sample has mean at most 0, and one example
/// moves it by at most 3/m. Classes of subsets of three points where a predictor errs, any law, all samples.
#[test]
fn the_empirical_complexity_pays_for_the_largest_gap() {
    let (m, points) = (3usize, 3usize);
    let mut draw = Draw(4);
    let mut nearest = q(-1, 1);
    for _ in 0..150 {
        let class: Vec<u32> = (0..1 + draw.below(5)).map(|_| draw.below(8) as u32).collect();
        let weights: Vec<i64> = (0..points).map(|_| 1 + draw.below(9) as i64).collect();
        let total: i64 = weights.iter().sum();
        let errs = |f: u32, x: usize| i64::from(f >> x & 1 == 1);
        let phi = |sample: &[usize]| -> BigRational {
            let gap = |f: u32| {
                let risk: i64 = (0..points).map(|x| errs(f, x) * weights[x]).sum();
                q(risk, total) - q(sample.iter().map(|x| errs(f, *x)).sum(), m as i64)
            };
            let losses: Vec<Vec<i64>> = class.iter().map(|f| sample.iter().map(|x| errs(*f, *x)).collect()).collect();
            let complexity = q(average(&losses, m, false), (m as i64) << m);
            class.iter().map(|f| gap(*f)).max().expect("a predictor") - complexity * q(2, 1)
        };
        let samples: Vec<Vec<usize>> = (0..points.pow(m as u32))
            .map(|place| (0..m).map(|i| place / points.pow(i as u32) % points).collect())
            .collect();
        let mut mean = BigRational::zero();
        for sample in &samples {
            let value = phi(sample);
            for i in 0..m {
                for x in 0..points {
                    let mut other = sample.clone();
                    other[i] = x;
                    assert!(phi(&other) - &value <= q(3, m as i64), "{class:?} {sample:?}");
                }
            }
            let chance: BigRational = sample.iter().map(|x| q(weights[*x], total)).product();
            mean += chance * value;
        }
        assert!(mean <= BigRational::zero(), "{class:?} {weights:?}: {mean}");
        nearest = nearest.max(mean);
    }
    assert!(nearest > q(-1, 4), "{nearest}");
}

/// One point, two labels by a fair coin, networks 1 -> 2 with |W| <= 1: those that are sure of a label have the margin sqrt(2) > 7/5, and the larger
/// share of labels is overestimated by E|share - 1/2| = binomial(m, m/2)/2^(m + 1) on average. Near delta = 1 the bounds are their complexities.
#[test]
fn margin_bounds_pay_for_a_coin() {
    let library = library();
    let sure = "delta = 999999999/1000000000, margin_error(f, S, g) = 0, g = 7/5, B = 1";
    for m in [2i64, 10, 100, 700] {
        let mean = BigRational::new(binomial(m as usize, (m / 2) as usize), BigInt::one() << (m as usize + 1));
        let frobenius = format!("F = 1 -> 2, no_bias(F), m = {m}, {sure}, weight_norm(F, 1, fro) = 1");
        let bound = upper(&library, "margin.frobenius", &frobenius);
        assert!(mean <= bound && bound <= &mean * q(40, 1), "{m}: {bound}");
        // The entropy form holds for 12 c < 1, c = sqrt(2 ln(8)/m) 1.415/1.4.
        if m >= 700 {
            let c = "c = 1/12.1";
            let norms = "weight_norm(F, 1, l2) = 1, weight_norm(F, 1, l21) = 1415/1000";
            let spectral = format!("F = 1 -> 2, no_bias(F), m = {m}, {sure}, {c}, {norms}");
            assert!(mean <= upper(&library, "margin.bartlett_foster_telgarsky", &spectral), "{m}");
        }
    }
}
