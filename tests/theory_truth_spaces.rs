//! Dimensions of spaces of functions, of codes, of polynomials of one parameter and of pooled networks, against enumeration.

mod spec_support;
mod theory_support;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use spec_support::check;
use theory_support::{Random, library, natarajan, q, upper};

fn whole(n: usize) -> BigRational {
    BigRational::from_integer(n.into())
}

fn binomial(n: i64, k: i64) -> BigRational {
    (0..k).fold(BigRational::one(), |product, i| product * q(n - i, i + 1))
}

/// The largest set of places that takes all label vectors.
fn vc_dimension(family: &[u32], m: usize) -> usize {
    (0..1u32 << m)
        .filter(|set| {
            let mut seen: Vec<u32> = family.iter().map(|f| f & set).collect();
            seen.sort_unstable();
            seen.dedup();
            seen.len() == 1 << set.count_ones()
        })
        .map(|set| set.count_ones() as usize)
        .max()
        .unwrap_or(0)
}

/// Combinations of k vectors with whole coefficients, moved by a fixed vector: the signs of some of the functions g + f.
#[test]
fn vector_spaces_shatter_as_stated() {
    let (library, mut random) = (library(), Random(51));
    let m = 5usize;
    let mut most = [0usize; 4];
    for _ in 0..150 {
        let k = 1 + random.below(3) as usize;
        let vectors: Vec<Vec<i64>> = (0..=k).map(|_| (0..m).map(|_| random.within(-2, 2)).collect()).collect();
        let side = 9usize;
        let family: Vec<u32> = (0..side.pow(k as u32))
            .map(|mut place| {
                let mut values = vectors[k].clone();
                for vector in &vectors[..k] {
                    let factor = i64::try_from(place % side).expect("small") - 4;
                    place /= side;
                    values.iter_mut().zip(vector).for_each(|(value, v)| *value += factor * v);
                }
                (0..m).filter(|&i| values[i] > 0).fold(0, |labels, i| labels | 1 << i)
            })
            .collect();
        let found = vc_dimension(&family, m);
        assert!(whole(found) <= upper(&library, "vc.vector_space", &format!("k = {k}")), "{vectors:?}");
        most[k] = most[k].max(found);
    }
    assert_eq!(most[1..], [1, 2, 3], "no space attains its dimension");
}

/// argmax_y w.psi(x, y) over whole w, the first of ties: some of the classifiers.
#[test]
fn linear_classifiers_with_three_labels() {
    let (library, mut random) = (library(), Random(52));
    for d in 1..=2usize {
        let mut most = 0;
        for _ in 0..200 {
            let psi: Vec<Vec<Vec<i64>>> =
                (0..3).map(|_| (0..3).map(|_| (0..d).map(|_| random.within(-3, 3)).collect()).collect()).collect();
            let mut family: Vec<Vec<usize>> = (0..11usize.pow(d as u32))
                .map(|place| {
                    let w: Vec<i64> =
                        (0..d).map(|j| i64::try_from(place / 11usize.pow(j as u32) % 11).expect("small") - 5).collect();
                    let score = |f: &Vec<i64>| -> i64 { f.iter().zip(&w).map(|(a, b)| a * b).sum() };
                    psi.iter().map(|x| (0..3).rev().max_by_key(|&y| score(&x[y])).unwrap_or(0)).collect()
                })
                .collect();
            family.sort();
            family.dedup();
            let found = natarajan(&family, 3);
            assert!(whole(found) <= upper(&library, "vc.natarajan_linear", &format!("d = {d}")), "{psi:?}");
            most = most.max(found);
        }
        assert_eq!(most, d);
    }
}

/// Vectors of W parameters of b bits: all, those with at most K values, those with at most s that are not 0. A class of so many functions
/// has at most the logarithm as its dimension, and the bounds are not below it.
#[test]
fn parameters_in_few_bits_are_counted() {
    let library = library();
    let power = |base: BigRational, n: i64| base.pow(i32::try_from(n).expect("small"));
    let fits = |count: &BigRational, bits: &BigRational| {
        // count^64 <= 2^(64 bits), the exponent rounded up.
        let exponent = (bits * q(64, 1)).ceil().to_integer();
        power(count.clone(), 64) <= power(q(2, 1), i64::try_from(exponent).expect("small"))
    };
    for (sizes, parameters) in [("1 -> 1", 2i64), ("2 -> 1", 3), ("1 -> 1 -> 1", 4)] {
        let net = format!("N = {sizes} heaviside");
        for bits in 1..=3i64 {
            let values = 1i64 << bits;
            let all = power(q(values, 1), parameters);
            assert!(fits(&all, &upper(&library, "vc.quantized", &format!("{net}, b = {bits}"))));
            for words in 1..=values {
                // Surjections on j of the values, j at most K: sum_i (-1)^i C(j, i) (j - i)^W each.
                let onto = |j: i64| -> BigRational {
                    (0..=j)
                        .map(|i| {
                            q(if i % 2 == 0 { 1 } else { -1 }, 1) * binomial(j, i) * power(q(j - i, 1), parameters)
                        })
                        .sum()
                };
                let count: BigRational = (1..=words).map(|j| binomial(values, j) * onto(j)).sum();
                let given = format!("{net}, K = {words}, b = {bits}");
                // The bound is a dimension, so rounded down; a bit more than it holds the logarithm.
                let bound = upper(&library, "vc.codebook", &given) + BigRational::one();
                assert!(fits(&count, &bound), "{given}: {count} {bound}");
            }
            for s in 0..=parameters {
                let count: BigRational = (0..=s).map(|j| binomial(parameters, j) * power(q(values - 1, 1), j)).sum();
                let given = format!("{net}, s = {s}, b = {bits}");
                let bound = upper(&library, "vc.sparse", &given) + BigRational::one();
                assert!(fits(&count, &bound), "{given}: {count} {bound}");
            }
        }
    }
}

/// k polynomials of degree l in one parameter change their signs at k l places for each of m points: k l m + 1 label vectors, and as many points
/// as that allows are shattered at most.
#[test]
fn polynomials_of_one_parameter_have_few_signs() {
    let library = library();
    for k in 1..=4i64 {
        for l in 1..=4i64 {
            let vectors = |m: i64| k * l * m + 1;
            for m in 1..=20i64 {
                let given = format!("d = 1, k = {k}, l = {l}, m = {m}");
                let count = q(vectors(m), 1).min(BigRational::from_integer(BigInt::from(1u64 << m)));
                assert!(count <= upper(&library, "vc.polynomial_signs_growth", &given), "{given}");
            }
            // Lagrange: points enough, one polynomial of degree l with l roots at will for each, give every change of sign a place of its own.
            let most = (1..30i64).take_while(|m| 1i64 << m <= vectors(*m)).last().unwrap_or(0);
            let signs = upper(&library, "vc.polynomial_signs", &format!("d = 1, k = {k}, l = {l}"));
            let formulas = upper(&library, "vc.goldberg_jerrum", &format!("k = 1, d = {l}, s = {k}"));
            assert!(q(most, 1) <= signs && q(most, 1) <= formulas, "k = {k}, l = {l}: {most}");
        }
    }
    // Comparing a parameter with an input is a program of one operation, with dimension 1; t of them give intervals with t ends.
    for t in 1..=6i64 {
        for theorem in ["vc.programs", "vc.programs_anthony_bartlett"] {
            assert!(q(t, 1) <= upper(&library, theorem, &format!("d = {t}, t = {t}")), "{theorem}");
        }
        assert!(q(t, 1) <= upper(&library, "vc.exponential_programs", &format!("d = {t}, t = {t}, q = 1")));
    }
}

/// v sigmoid(w x + b) + c is monotone: at most 2 m label vectors on m points of the line, and two points are shattered.
#[test]
fn one_sigmoid_is_monotone() {
    let library = library();
    for m in 4..=15i64 {
        let given = format!("N = 1 -> 1 -> 1 sigmoid, D = {m}, m = {m}");
        assert!(q(2 * m, 1) <= upper(&library, "vc.sigmoid_integer_growth", &given), "{given}");
        assert!(q(2, 1) <= upper(&library, "vc.sigmoid_integer_inputs", &format!("N = 1 -> 1 -> 1 sigmoid, D = {m}")));
    }
}

/// v max(relu(w x_1 + b), relu(w x_2 + b)) + c with whole parameters on pairs of whole numbers: the largest set that it shatters, against the bounds
/// for one convolution and a maximum, or a mean, over two places.
#[test]
fn pooled_networks_shatter_few_points() {
    let mut random = Random(53);
    for (layer, is_maximum) in [("maxpool 2, stride 2", true), ("avgpool 2", false)] {
        let mut most = 0;
        for _ in 0..40 {
            let m = 5usize;
            let points: Vec<[i64; 4]> = (0..m).map(|_| [0; 4].map(|_| random.within(-4, 4))).collect();
            let mut family = Vec::new();
            for w in -3..=3i64 {
                for b in -4..=4i64 {
                    for v in -1..=1i64 {
                        for c in -4..=4i64 {
                            let value = |x: &[i64; 4]| {
                                let units = x.map(|t| (w * t + b).max(0));
                                // The mean times four.
                                if is_maximum {
                                    v * units.iter().max().copied().unwrap_or(0) + c
                                } else {
                                    v * units.iter().sum::<i64>() + 4 * c
                                }
                            };
                            family.push((0..m).filter(|&i| value(&points[i]) >= 0).fold(0u32, |f, i| f | 1 << i));
                        }
                    }
                }
            }
            family.sort_unstable();
            family.dedup();
            most = most.max(vc_dimension(&family, m));
        }
        assert!(most >= 2, "{layer}: {most}");
        let net = format!(
            "network f {{\n  input 1, 2, 2\n  conv 1, kernel 1 then relu\n  {layer}\n  flatten then dense 1\n}}\n"
        );
        let (exit, shown) = check(&format!("{net}claim vc : vcdim(sign(f)) <= {}\n", most - 1));
        // What is shattered refutes, or leaves open, and is never proved away.
        assert!(exit == 4 || exit == 1, "{layer}, {most} points: {exit}\n{shown}");
        let (exit, shown) = check(&format!("{net}claim vc : vcdim(sign(f)) <= 200\n"));
        assert_eq!(exit, 0, "{shown}");
    }
}

/// Kernels: E[1(w.x > 0) 1(w.y > 0)] x.y for angles that divide the circle, and the ball of a linear kernel over all signs.
#[test]
fn kernels_at_known_angles_and_balls_over_all_signs() {
    let library = library();
    let slack = q(1, 1_000_000_000);
    // Angles pi/3, pi/2, 2 pi/3, 0: half-planes share (pi - angle)/(2 pi) of the circle.
    for (t, value) in [("1/2", q(1, 6)), ("0", q(0, 1)), ("-1/2", q(-1, 12)), ("1", q(1, 2))] {
        let stated = upper(&library, "kernel.tangent", &format!("t = {t}"));
        assert!(stated >= value && stated <= &value + &slack, "{t}: {stated}");
    }
    // The ball of radius j of the kernel x.y has empirical complexity j E|sum eps_i x_i|/m.
    let mut random = Random(54);
    for _ in 0..100 {
        let m = 1 + random.below(8) as usize;
        let points: Vec<i64> = (0..m).map(|_| random.within(-3, 3)).collect();
        let total: i64 = (0..1u32 << m)
            .map(|signs| (0..m).map(|i| if signs >> i & 1 == 1 { points[i] } else { -points[i] }).sum::<i64>().abs())
            .sum();
        let trace: i64 = points.iter().map(|x| x * x).sum();
        let j = random.within(1, 4);
        let at = |trace: i64| {
            upper(
                &library,
                "kernel.rkhs_ball",
                &format!("m = {m}, j = {j}, t = {trace}, delta = 1/2, empirical_risk(f, S, ramp) = 0"),
            )
        };
        // Twice the complexity is what a trace adds to the bound.
        let complexity = q(j * total, (m as i64) << m) * q(2, 1);
        assert!(complexity <= at(trace) - at(0) + &slack, "{points:?}");
    }
}

/// Two points of weight 1/2 with labels that are fair coins: E sup (risk - empirical risk) over the ball of w with |w| <= 1, ramp loss, is at most the
/// complexity part of the bound.
#[test]
fn the_deviation_of_a_ball_is_paid_for() {
    let library = library();
    for m in 1..=9i64 {
        // One point x = 1; the label is a fair coin. w = 1 or -1 is best: risk 1/2 against the smaller share of labels.
        let mean: BigRational =
            (0..=m).map(|k| binomial(m, k) * (q(1, 2) - q(k.min(m - k), m))).sum::<BigRational>() / q(1 << m, 1);
        let at = |trace: i64| {
            let given = format!("m = {m}, j = 1, t = {trace}, delta = 1/2, empirical_risk(f, S, ramp) = 0");
            upper(&library, "kernel.rkhs_ball", &given)
        };
        let paid = at(m) - at(0);
        assert!(mean <= &paid + q(1, 1_000_000) && !paid.is_zero(), "{m}: {mean} {paid}");
    }
}
