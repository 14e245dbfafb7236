//! Covers, packings, scale-sensitive dimensions and the entropy integral against families that are enumerated: a cover has at least as many
//! members as there are functions more than two radii apart.

mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::collections::BTreeMap;
use theory_support::{Random, larger_sums, library, q, upper};

/// Subsets of 0..m.
fn subsets(m: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1u32 << m).map(move |mask| (0..m).filter(|i| mask >> i & 1 == 1).collect())
}

/// The largest set that is shattered with levels: above `level + gap` and at most `level` on both sides. `gap = 0`: pseudo-shattered by whole
/// numbers.
fn dimension(family: &[Vec<i64>], m: usize, gap: i64) -> usize {
    let levels = |i: usize| {
        let mut values: Vec<i64> = family.iter().map(|f| f[i]).collect();
        values.sort_unstable();
        values.dedup();
        values
    };
    let shattered = |set: &Vec<usize>| {
        let choices: Vec<Vec<i64>> = set.iter().map(|&i| levels(i)).collect();
        let count: usize = choices.iter().map(Vec::len).product();
        (0..count).any(|mut choice| {
            let low: Vec<i64> = choices
                .iter()
                .map(|values| {
                    let value = values[choice % values.len()];
                    choice /= values.len();
                    value
                })
                .collect();
            let mut seen: Vec<u32> = family
                .iter()
                .filter_map(|f| {
                    set.iter().zip(&low).enumerate().try_fold(0u32, |sides, (k, (&i, &level))| {
                        match (f[i] <= level, f[i] > level && f[i] >= level + gap) {
                            (true, _) => Some(sides),
                            (_, true) => Some(sides | 1 << k),
                            _ => None,
                        }
                    })
                })
                .collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len() == 1 << set.len()
        })
    };
    subsets(m).filter(shattered).map(|set| set.len()).max().unwrap_or(0)
}

/// The most members of which any two are at least so far apart.
fn packing(family: &[Vec<i64>], least: i64, distance: impl Fn(&[i64], &[i64]) -> i64) -> usize {
    (0..1u32 << family.len())
        .filter(|mask| {
            let chosen: Vec<&Vec<i64>> = (0..family.len()).filter(|i| mask >> i & 1 == 1).map(|i| &family[i]).collect();
            chosen.iter().enumerate().all(|(i, f)| chosen[..i].iter().all(|g| distance(f, g) >= least))
        })
        .map(|mask| mask.count_ones() as usize)
        .max()
        .unwrap_or(0)
}

/// Nine functions with whole values, or with the two ends of the range only.
fn family(random: &mut Random, m: usize, most: i64) -> Vec<Vec<i64>> {
    let only_ends = random.below(2) == 0;
    let mut value = || if only_ends { most * (2 * random.within(0, 1) - 1) } else { random.within(-most, most) };
    let mut family: Vec<Vec<i64>> = (0..9).map(|_| (0..m).map(|_| value()).collect()).collect();
    family.sort();
    family.dedup();
    family
}

/// Families of nine functions with whole values from -2 to 2 on three points: packings in the largest difference and in the mean of it.
#[test]
fn packings_are_bounded_by_the_pseudo_dimension() {
    let (library, mut random) = (library(), Random(41));
    let (m, most) = (3usize, 2i64);
    let whole = |n: usize| BigRational::from_integer(n.into());
    let mut tight = 0;
    for _ in 0..60 {
        let family = family(&mut random, m, most);
        let d = dimension(&family, m, 0);
        for least in 1..=2 * most {
            let farthest = |f: &[i64], g: &[i64]| f.iter().zip(g).map(|(a, b)| (a - b).abs()).max().unwrap_or(0);
            let given = format!("d = {d}, m = {m}, M = {most}, eps = {least}");
            let bound = upper(&library, "covering.pseudo_dimension", &given);
            let found = whole(packing(&family, least, farthest));
            assert!(found <= bound, "{family:?} {given}");
            tight += usize::from(found == bound);
            // L1 of the uniform law, in thirds: a distance above eps is at least the next third.
            let total = |f: &[i64], g: &[i64]| f.iter().zip(g).map(|(a, b)| (a - b).abs()).sum::<i64>();
            for thirds in 3 * least - 2..=3 * least {
                let given = format!("d = {}, M = {most}, eps = {thirds}/3", d.max(1));
                let bound = upper(&library, "covering.haussler_real", &given);
                assert!(whole(packing(&family, thirds, total)) <= bound, "{family:?} {given}");
            }
        }
        // Shattering with a gap shatters without one.
        for gap in 1..=3 {
            let fat = whole(dimension(&family, m, gap));
            assert!(fat <= upper(&library, "fat.pseudo_dimension", &format!("d = {d}, gamma = {gap}/2")), "{family:?}");
        }
    }
    assert!(tight > 0, "no family attains the sum");
}

/// d orthogonal points of norm B are shattered by w = gamma/B (+-1, ..., +-1), which has norm at most the bound as long as d is at most the theorem's.
#[test]
fn the_fat_shattering_dimension_of_linear_functions_is_attained() {
    let (library, mut random) = (library(), Random(42));
    for _ in 0..300 {
        let (w, b, gamma) = (q(random.within(1, 12), 4), q(random.within(1, 12), 4), q(random.within(1, 12), 8));
        let given = format!("weight_norm(N, 1, fro) = {w}, B = {b}, gamma = {gamma}");
        let bound = upper(&library, "fat.linear", &given).floor();
        // The norm of w squared is d gamma^2/B^2.
        let fits = |d: &BigRational| d * &gamma * &gamma <= &w * &w * &b * &b;
        assert!(fits(&bound) && !fits(&(&bound + BigRational::one())), "{given}: {bound}");
    }
}

/// Functions with values that are multiples of a step above 2 eps at the knots of a grid, and differences that the Lipschitz constant allows:
/// two of them are more than 2 eps apart.
fn zigzags(l: &BigRational, r: &BigRational, bound: &BigRational, eps: &BigRational, knots: i64) -> BigRational {
    let step = eps * q(2001, 1000);
    let highest = (bound / &step).floor().to_integer();
    let highest = i64::try_from(highest).expect("small");
    let gap = r * q(2, 1) / q((knots - 1).max(1), 1);
    let jump = i64::try_from((l * &gap / &step).floor().to_integer()).expect("small");
    let mut ends: Vec<BigRational> = vec![BigRational::one(); usize::try_from(2 * highest + 1).expect("small")];
    for _ in 1..knots {
        ends = (0..=2 * highest)
            .map(|to| {
                (0..=2 * highest)
                    .filter(|from| (from - to).abs() <= jump)
                    .map(|from| ends[usize::try_from(from).expect("an index")].clone())
                    .sum()
            })
            .collect();
    }
    ends.into_iter().sum()
}

#[test]
fn lipschitz_functions_need_as_many_balls() {
    let (library, mut random) = (library(), Random(43));
    for round in 0..120 {
        // Constants first: the case that a formula with L as a factor loses.
        let l = if round % 5 == 0 { BigRational::zero() } else { q(random.within(1, 8), 2) };
        let (r, bound, eps) = (q(random.within(1, 4), 2), q(random.within(1, 6), 2), q(random.within(1, 8), 8));
        let given = format!("dim(X) = 1, L = {l}, r = {r}, M = {bound}, eps = {eps}");
        for knots in 1..=9 {
            let found = zigzags(&l, &r, &bound, &eps, knots);
            for theorem in ["covering.lipschitz", "covering.lipschitz_improper"] {
                assert!(found <= upper(&library, theorem, &given), "{theorem}: {given}, {knots} knots: {found}");
            }
        }
    }
}

/// 1 -> 1 -> 1 networks with parameters from a grid of [-R, R], at the points -1, 0, 1 of [-1, 1]: a greedy choice of functions more than 2 eps apart.
#[test]
fn small_networks_need_as_many_balls() {
    let library = library();
    let relu = |t: BigRational| t.max(BigRational::zero());
    for radius in [q(1, 2), q(1, 1)] {
        let grid: Vec<BigRational> = (-2..=2).map(|i| &radius * q(i, 2)).collect();
        // Every function with the least number of parameters that are not 0.
        let mut functions: BTreeMap<Vec<BigRational>, usize> = BTreeMap::new();
        for a in &grid {
            for b in &grid {
                for v in &grid {
                    for c in &grid {
                        let nonzero = [a, b, v, c].into_iter().filter(|p| !p.is_zero()).count();
                        let values = (-1..=1).map(|x| v * relu(a * q(x, 1) + b) + c).collect();
                        functions.entry(values).and_modify(|n| *n = nonzero.min(*n)).or_insert(nonzero);
                    }
                }
            }
        }
        for eps in [q(1, 16), q(1, 8), q(1, 4), q(1, 2), q(3, 4), q(1, 1), q(3, 2)] {
            let apart = |most: usize| {
                let mut chosen: Vec<&Vec<BigRational>> = Vec::new();
                for (f, _) in functions.iter().filter(|(_, nonzero)| **nonzero <= most) {
                    let is_far = |g: &&Vec<BigRational>| f.iter().zip(*g).any(|(s, t)| (s - t).abs() > &eps * q(2, 1));
                    if chosen.iter().all(is_far) {
                        chosen.push(f);
                    }
                }
                BigRational::from_integer(chosen.len().into())
            };
            let net = "N = 1 -> 1 -> 1 relu";
            let norms = format!(
                "weight_norm(N, 1, max) = {radius}, weight_norm(N, 2, max) = {radius}, bias_norm(N, 1, linf) = {radius}, bias_norm(N, 2, linf) = {radius}"
            );
            let whole = apart(4);
            let mut bounds = vec![
                ("covering.parameter_cover", format!("{net}, R = {radius}, B = 1, eps = {eps}")),
                ("covering.parameter_cover_layers", format!("{net}, B = 1, eps = {eps}, {norms}")),
            ];
            if radius.is_one() {
                bounds.push(("covering.berner_grohs_jentzen", format!("{net}, R = 1, B = 1, eps = {eps}")));
                bounds.push(("covering.schmidt_hieber", format!("{net}, eps = {eps}")));
                for s in 0..=4 {
                    let bound =
                        upper(&library, "covering.schmidt_hieber_sparse", &format!("{net}, s = {s}, eps = {eps}"));
                    assert!(apart(s) <= bound, "s = {s}, eps = {eps}");
                }
            }
            for (theorem, given) in bounds {
                assert!(whole <= upper(&library, theorem, &given), "{theorem} at {given}: {whole}");
            }
        }
    }
    // Where the radius reaches its largest value one ball is left, which must do: |f| <= 2 for R = 1.
    let largest = q(2 * 2 * 8 * 8, 1);
    let bound = upper(&library, "covering.schmidt_hieber", &format!("N = 1 -> 1 -> 1 relu, eps = {largest}"));
    assert!(bound >= BigRational::one() && largest >= q(2, 1));
}

/// w x with |w| <= s at the points of modulus at most B: an interval of half-length s B in any mean over the sample.
#[test]
fn linear_functions_of_one_variable_are_an_interval() {
    let (library, mut random) = (library(), Random(44));
    for _ in 0..200 {
        let (s, b) = (q(random.within(1, 8), 2), q(random.within(1, 8), 2));
        let t = &s * &b;
        let eps = q(random.within(1, 40), 16);
        let balls = (&t / &eps).ceil();
        let norms = format!("weight_norm(N, 1, fro) = {s}, B = {b}");
        let zhang = upper(&library, "covering.linear", &format!("input_dim(N) = 1, {norms}, eps = {eps}, m = 5"));
        assert!(balls <= zhang, "{s} {b} {eps}");
        let matrix = format!("a = {s}, b = {b}, d = 1, k = 1, eps = {eps}");
        assert!(balls <= upper(&library, "covering.matrix_products", &matrix), "{matrix}");
        // Two columns: the square |a_1| + |a_2| <= s scaled by b, of area 2 t^2.
        let area = q(2, 1) * &t * &t / (q(22, 7) * &eps * &eps);
        let matrix = format!("a = {s}, b = {b}, d = 1, k = 2, eps = {eps}");
        assert!(area <= upper(&library, "covering.matrix_products", &matrix), "{matrix}");
        // ln(balls) <= R/x^2 for every radius; the logarithm of two from below.
        let coefficient = |theorem: &str, norms: &str| {
            upper(&library, theorem, &format!("N = 1 -> 1 relu, no_bias(N), B = {b}, m = 5, {norms}"))
        };
        for (theorem, norms) in [
            (
                "covering.bartlett_foster_telgarsky",
                format!("weight_norm(N, 1, l21) = {s}, weight_norm(N, 1, l2) = {s}"),
            ),
            (
                "covering.bartlett_foster_telgarsky_reference",
                format!("reference_distance(N, 1) = {s}, weight_norm(N, 1, l2) = {s}"),
            ),
        ] {
            let r = coefficient(theorem, &norms);
            // Just below x = t/k there are k + 1 balls.
            for k in 1..=8i64 {
                let logarithm = ln_below(k + 1);
                assert!(logarithm * &t * &t / q(k * k, 1) <= r, "{theorem} {norms} {k}");
            }
        }
    }
}

/// A rational below ln(n) = 2 artanh((n - 1)/(n + 1)), whose series has positive terms.
fn ln_below(n: i64) -> BigRational {
    let x = q(n - 1, n + 1);
    let square = &x * &x;
    let (mut term, mut sum) = (x, BigRational::zero());
    for j in 0..40 {
        sum += &term / q(2 * j + 1, 1);
        term *= &square;
    }
    sum * q(2, 1)
}

/// w x with |w| <= t and all points at 1: the complexity is t E|sum of signs|/m. Its entropy is at most t^2 ln(2)/x^2, at most ln(2 t/x), and
/// ln(ceil(t/x)) exactly.
#[test]
fn entropy_integrals_are_above_the_complexity() {
    let library = library();
    let ln2 = q(693_148, 1_000_000);
    for m in 1..=12u32 {
        let total: i64 = (0u32..1 << m).map(|s| (2 * i64::from(s.count_ones()) - i64::from(m)).abs()).sum();
        let mean = q(total, i64::from(m) << m);
        for t in [q(1, 2), q(1, 1)] {
            let truth = &mean * &t;
            let entropy = &ln2 * &t * &t;
            for cut in 1..=9i64 {
                let a = &t * q(cut, 20);
                let given = format!("R = {entropy}, c = {t}, m = {m}, a = {a}");
                assert!(truth <= upper(&library, "dudley.square", &given), "{given}");
                let eps = &t * q(cut, 9);
                let balls = (&t / &eps).ceil();
                assert!(truth <= upper(&library, "rademacher.one_step", &format!("m = {m}, eps = {eps}, G = {balls}")));
            }
            let given = format!("d = 1, K = {}, c = {t}, m = {m}", &t * q(2, 1));
            assert!(truth <= upper(&library, "dudley.parametric", &given), "{given}");
            if m > 25 {
                assert!(truth <= upper(&library, "dudley.square_optimal", &format!("R = {entropy}, c = {t}, m = {m}")));
            }
            assert!(truth <= upper(&library, "dudley.discrete", &format!("m = {m}, k = 1")));
            assert_eq!(upper(&library, "rademacher.signed", &format!("m = {m}, r = {truth}")), truth);
        }
        // All parameters of 1 -> 1 at most 1 in modulus, points at 1: w + b is an interval of half-length 2, and Lambda = 2.
        let given = format!("N = 1 -> 1 relu, R = 1, Lambda = 2, m = {m}");
        assert!(&mean * q(2, 1) <= upper(&library, "rademacher.parameter_dudley", &given));
    }
    // The best cutoff, where it is below c/2: 6 sqrt(R/m) < c.
    for m in [30i64, 100, 1000] {
        let at = upper(&library, "dudley.square_optimal", &format!("R = {ln2}, c = 1, m = {m}"));
        for cut in 1..100 {
            let given = format!("R = {ln2}, c = 1, m = {m}, a = {cut}/200");
            assert!(at <= upper(&library, "dudley.square", &given) + q(1, 1_000_000), "{given}");
        }
    }
}

/// Sums over all signs for random families of vectors with two coordinates, and the losses max(f_1, f_2) and |f_1 - f_2|/sqrt(2), 1-Lipschitz in l2.
#[test]
fn vector_contraction_over_all_signs() {
    let (library, mut random) = (library(), Random(45));
    let m = 3usize;
    let factor = upper(&library, "rademacher.maurer", "m = 3, L = 1, r = 1");
    let mut nearest = BigRational::zero();
    for _ in 0..400 {
        let count = 1 + random.below(5);
        let family: Vec<Vec<[i64; 2]>> =
            (0..count).map(|_| (0..m).map(|_| [random.within(-3, 3), random.within(-3, 3)]).collect()).collect();
        let signed = |loss: &dyn Fn(&[i64; 2]) -> i64| -> i64 {
            (0..1u32 << m)
                .map(|signs| {
                    let of = |f: &Vec<[i64; 2]>| -> i64 {
                        (0..m).map(|i| if signs >> i & 1 == 1 { loss(&f[i]) } else { -loss(&f[i]) }).sum()
                    };
                    family.iter().map(of).max().unwrap_or(0)
                })
                .sum()
        };
        let coordinates: i64 = (0..1u32 << (2 * m))
            .map(|signs| {
                let of = |f: &Vec<[i64; 2]>| -> i64 {
                    (0..2 * m).map(|i| if signs >> i & 1 == 1 { f[i / 2][i % 2] } else { -f[i / 2][i % 2] }).sum()
                };
                family.iter().map(of).max().unwrap_or(0)
            })
            .sum();
        let right = q(coordinates, 1 << (2 * m)) * &factor;
        let largest = q(signed(&|v| v[0].max(v[1])), 1 << m);
        // sqrt(2) times the loss |f_1 - f_2|/sqrt(2): compare the squares.
        let difference = q(signed(&|v| (v[0] - v[1]).abs()), 1 << m);
        assert!(largest <= right, "{family:?}");
        assert!(&difference * &difference <= q(2, 1) * &right * &right, "{family:?}");
        if right.is_positive() {
            nearest = nearest.max(largest / &right);
        }
    }
    assert!(nearest > q(1, 2), "the test is far from the bound: {nearest}");
}

/// |sum eps_i relu(u x_i)| for u in {-1, 1} and points at +-C, times the path norm B.
#[test]
fn two_layer_networks_over_all_signs() {
    let library = library();
    for m in 1..=10u32 {
        for ones in 0..=m {
            let truth = q(3 * 2 * larger_sums(m, ones), i64::from(m) << m);
            let bound = upper(&library, "rademacher.two_layer", &format!("B = 3, C = 2, m = {m}"));
            assert!(truth <= bound, "{m} {ones}");
        }
    }
}

/// Bounded monotone units: steps at any place of m points are 2 b apart, so below that radius 2 m of them need a ball each.
#[test]
fn bounded_units_make_steps() {
    let library = library();
    for m in 4..=12i64 {
        for (v, b) in [(q(3, 2), 1), (q(2, 1), 2), (q(4, 1), 3)] {
            for eps in [q(1, 4), q(1, 2), q(9, 10)] {
                let eps = eps * q(b, 1);
                let given = format!("W = 4, l = 2, m = {m}, b = {b}, V = {v}, s = 1, eps = {eps}");
                assert!(q(2 * m, 1) <= upper(&library, "covering.bounded_units", &given), "{given}");
                // The logarithm of a cover in the root mean square: x -> w x with |w| <= V and units of slope 1 up to b, an interval.
                let given = format!("l = 1, n = 1, b = {b}, V = {v}, s = 1, eps = {eps}");
                let balls = (q(b, 1) / &eps).ceil().to_integer();
                // Less than one bit is given away by the floor.
                let bits = upper(&library, "covering.bounded_units_l2", &given).floor().to_integer();
                let bits = u32::try_from(bits).unwrap_or(u32::MAX).min(200);
                assert!(balls <= BigInt::from(2).pow(bits + 1), "{given}");
            }
        }
    }
}
