//! Attempts to falsify the library: confidence bounds by exact binomial sums, networks by exact arithmetic. Capacity is in
//! `theory_truth.rs`.

mod theory_support;

use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use theory_support::{Random, library, lower, q, upper};

fn binomial(n: i64, k: i64) -> BigRational {
    (0..k).fold(BigRational::one(), |product, i| product * q(n - i, i + 1))
}

/// P(Bin(n, p) = k) for every k.
fn law(n: i64, p: &BigRational) -> Vec<BigRational> {
    let power = |base: BigRational, e: i64| base.pow(i32::try_from(e).expect("small"));
    (0..=n).map(|k| binomial(n, k) * power(p.clone(), k) * power(BigRational::one() - p, n - k)).collect()
}

/// The least multiple of 10^-6 at or above a number, at most 1.
fn above(value: &BigRational) -> BigRational {
    let million = q(1_000_000, 1);
    ((value * &million).ceil() / million).min(BigRational::one())
}

/// The largest probability, over risks just above each bound, that the bound of the errors seen lies below the risk.
fn largest_failure(n: i64, bounds: &[BigRational]) -> BigRational {
    let failure = |p: &BigRational| -> BigRational {
        law(n, p).iter().zip(bounds).filter(|(_, bound)| *bound < p).map(|(mass, _)| mass).sum()
    };
    bounds.iter().map(|bound| failure(&above(bound))).fold(BigRational::zero(), BigRational::max)
}

#[test]
fn test_set_bounds_cover() {
    let library = library();
    for n in [1i64, 6, 15] {
        for delta in [q(1, 20), q(1, 3)] {
            let bounds = |theorem: &str, binding: &dyn Fn(i64) -> String| -> Vec<BigRational> {
                (0..=n)
                    .map(|k| upper(&library, theorem, &format!("n = {n}, delta = {delta}, {}", binding(k))))
                    .collect()
            };
            let errors = |k: i64| format!("k = {k}");
            let mean = |k: i64| format!("empirical_risk(f, S, loss) = {k}/{n}");
            let exact = bounds("test_set.clopper_pearson", &errors);
            let chernoff = bounds("test_set.kl", &errors);
            let hoeffding = bounds("test_set.hoeffding", &mean);
            for (name, bounds) in [("clopper_pearson", &exact), ("kl", &chernoff), ("hoeffding", &hoeffding)] {
                let failure = largest_failure(n, bounds);
                assert!(failure <= delta, "{name}: n = {n}, delta = {delta}: fails with {failure}");
            }
            // The exact bound uses all of delta; the others are weaker, each than the one before.
            assert!(largest_failure(n, &exact) > &delta * q(999, 1000), "n = {n}, delta = {delta}");
            for k in 0..exact.len() {
                assert!(exact[k] <= chernoff[k] && chernoff[k] <= hoeffding[k], "n = {n}, k = {k}");
            }
            // From below: the mirror image.
            let below: Vec<BigRational> = (0..=n)
                .map(|k| lower(&library, "test_set.hoeffding_lower", &format!("n = {n}, delta = {delta}, {}", mean(k))))
                .collect();
            let mirrored: Vec<BigRational> = below.iter().rev().map(|bound| BigRational::one() - bound).collect();
            assert!(largest_failure(n, &mirrored) <= delta);
        }
    }
}

#[test]
fn bounds_for_many_networks_pay_for_each() {
    let library = library();
    let (n, delta, bits) = (12i64, q(1, 10), 4);
    // 2^4 networks, or one with a word of 4 bits: each may fail with delta/16.
    let share = &delta / q(1 << bits, 1);
    let word = format!("m = {n}, delta = {delta}, bits = {bits}");
    // One weight and one bias of 2 bits each.
    let class = format!("F = 1 -> 1, m = {n}, delta = {delta}, bits = {}", bits / 2);
    let mean = |k: i64| format!("empirical_risk(f, S, loss) = {k}/{n}");
    let errors = |k: i64| format!("k = {k}");
    let bounds = |theorem: &str, fixed: &str, binding: &dyn Fn(i64) -> String| -> Vec<BigRational> {
        (0..=n).map(|k| upper(&library, theorem, &format!("{fixed}, {}", binding(k)))).collect()
    };
    for (theorem, bounds) in [
        ("occam.binomial", bounds("occam.binomial", &word, &errors)),
        ("occam.kl", bounds("occam.kl", &word, &errors)),
        ("occam.hoeffding", bounds("occam.hoeffding", &word, &mean)),
        ("finite_class.kl", bounds("finite_class.kl", &class, &errors)),
        ("finite_class.hoeffding", bounds("finite_class.hoeffding", &class, &mean)),
    ] {
        let failure = largest_failure(n, &bounds);
        assert!(failure <= share, "{theorem} fails with {failure}");
    }
    // Without errors only: more errors make no statement.
    let mut consistent = vec![BigRational::one(); 13];
    consistent[0] = upper(&library, "finite_class.realizable", &class).min(BigRational::one());
    assert!(largest_failure(n, &consistent) <= share);
    // Two-sided, each side with half of the share.
    let countable = |k: i64| format!("{word}, {}", mean(k));
    let high: Vec<BigRational> =
        (0..=n).map(|k| upper(&library, "finite_class.weighted_countable", &countable(k))).collect();
    let low: Vec<BigRational> = (0..=n)
        .rev()
        .map(|k| BigRational::one() - lower(&library, "finite_class.weighted_countable", &countable(k)))
        .collect();
    assert!(largest_failure(n, &high) <= &share / q(2, 1) && largest_failure(n, &low) <= &share / q(2, 1));
}

/// An affine function of one variable on an interval; `None` is an infinite end.
#[derive(Clone)]
struct Piece {
    from: Option<BigRational>,
    to: Option<BigRational>,
    values: Vec<(BigRational, BigRational)>,
}

/// Pieces of a ReLU network on the line on which no hidden unit changes its branch. A layer is its rows of weights and bias.
fn pieces(layers: &[Vec<(Vec<BigRational>, BigRational)>]) -> usize {
    let mut pieces = vec![Piece { from: None, to: None, values: vec![(BigRational::one(), BigRational::zero())] }];
    for layer in layers {
        let mut next = Vec::new();
        for piece in &pieces {
            let forms: Vec<(BigRational, BigRational)> = layer
                .iter()
                .map(|(weights, bias)| {
                    weights
                        .iter()
                        .zip(&piece.values)
                        .fold((BigRational::zero(), bias.clone()), |(a, b), (w, (c, d))| (a + w * c, b + w * d))
                })
                .collect();
            let inside = |x: &BigRational| {
                piece.from.as_ref().is_none_or(|from| from < x) && piece.to.as_ref().is_none_or(|to| x < to)
            };
            let mut cuts: Vec<BigRational> =
                forms.iter().filter(|(a, _)| !a.is_zero()).map(|(a, b)| -b / a).filter(inside).collect();
            cuts.sort();
            cuts.dedup();
            let ends: Vec<Option<BigRational>> = std::iter::once(piece.from.clone())
                .chain(cuts.into_iter().map(Some))
                .chain([piece.to.clone()])
                .collect();
            for pair in ends.windows(2) {
                let middle = match (&pair[0], &pair[1]) {
                    (Some(a), Some(b)) => (a + b) / q(2, 1),
                    (Some(a), None) => a + q(1, 1),
                    (None, Some(b)) => b - q(1, 1),
                    (None, None) => BigRational::zero(),
                };
                let active = |(a, b): &(BigRational, BigRational)| {
                    if (a * &middle + b).is_positive() {
                        (a.clone(), b.clone())
                    } else {
                        (BigRational::zero(), BigRational::zero())
                    }
                };
                next.push(Piece {
                    from: pair[0].clone(),
                    to: pair[1].clone(),
                    values: forms.iter().map(active).collect(),
                });
            }
        }
        pieces = next;
    }
    pieces.len()
}

#[test]
fn regions_of_networks_on_the_line() {
    let (library, mut random) = (library(), Random(4));
    let mut largest = 0;
    for case in 0..200 {
        let widths = [1 + case % 3, 1 + case / 3 % 3];
        let mut inputs = 1;
        let mut layers = Vec::new();
        for width in widths {
            let row = |random: &mut Random| {
                ((0..inputs).map(|_| q(random.within(-6, 6), 2)).collect(), q(random.within(-6, 6), 3))
            };
            layers.push((0..width).map(|_| row(&mut random)).collect::<Vec<_>>());
            inputs = width;
        }
        let count = q(i64::try_from(pieces(&layers)).expect("small"), 1);
        let network = format!("N = 1 -> {} -> {} -> 1 relu", widths[0], widths[1]);
        for theorem in ["regions.univariate", "regions.montufar2017", "regions.serra2018"] {
            assert!(count <= upper(&library, theorem, &network), "{count} pieces of {network}");
        }
        largest = largest.max(usize::from(count > q(3, 1)));
    }
    assert_eq!(largest, 1, "the random networks are not trivial");
    // The zigzag of three pieces, then two thresholds inside: the bound from below is attained.
    for (p, k) in [(2i64, 1i64), (2, 3), (3, 2), (4, 3)] {
        let first = (0..p).map(|j| (vec![q(p, 1)], q(-j, 1))).collect();
        let zigzag: Vec<BigRational> =
            (0..p).map(|j| if j == 0 { q(1, 1) } else { q(if j % 2 == 1 { -2 } else { 2 }, 1) }).collect();
        let second = (1..=k).map(|i| (zigzag.clone(), q(-i, k + 1))).collect();
        let count = q(i64::try_from(pieces(&[first, second])).expect("small"), 1);
        let network = format!("N = 1 -> {p} -> {k} -> 1 relu");
        assert!(lower(&library, "regions.montufar2014", &network) <= count, "{count} pieces of {network}");
        assert!(count <= upper(&library, "regions.univariate", &network));
    }
}

#[test]
fn cells_of_lines_in_the_plane() {
    let (library, mut random) = (library(), Random(5));
    for k in 1..=6i64 {
        let bound = upper(&library, "regions.one_layer", &format!("N = 2 -> {k} -> 1 relu"));
        let mut largest = BigRational::zero();
        for _ in 0..60 {
            let mut lines: Vec<(i64, i64, i64)> = Vec::new();
            let mut cells = 1usize;
            for _ in 0..k {
                let (a, b, c) = (random.within(-7, 7), random.within(-7, 7), random.within(-7, 7));
                let same = |l: &&(i64, i64, i64)| l.0 * b == l.1 * a && l.0 * c == l.2 * a && l.1 * c == l.2 * b;
                if (a, b) == (0, 0) || lines.iter().any(|l| same(&l)) {
                    continue;
                }
                // A line cuts as many cells as the points where it meets the others cut it into.
                let mut points: Vec<(BigRational, BigRational)> = lines
                    .iter()
                    .filter(|l| l.0 * b != l.1 * a)
                    .map(|l| {
                        let d = l.0 * b - l.1 * a;
                        (q(l.2 * b - l.1 * c, d), q(l.0 * c - l.2 * a, d))
                    })
                    .collect();
                points.sort();
                points.dedup();
                cells += 1 + points.len();
                lines.push((a, b, c));
            }
            largest = largest.max(q(i64::try_from(cells).expect("small"), 1));
        }
        assert_eq!(largest, bound, "{k} lines: general position is among the random ones");
    }
}

type Matrix = Vec<Vec<i64>>;

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    a.iter().map(|row| (0..b[0].len()).map(|j| row.iter().zip(b).map(|(x, r)| x * r[j]).sum()).collect()).collect()
}

fn rows_norm(a: &Matrix) -> i64 {
    a.iter().map(|row| row.iter().map(|x| x.abs()).sum()).max().unwrap_or(0)
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

#[test]
fn jacobians_stay_below_products_of_norms() {
    let (library, mut random) = (library(), Random(6));
    for _ in 0..80 {
        let mut matrix = |rows: usize, columns: usize| -> Matrix {
            (0..rows).map(|_| (0..columns).map(|_| random.within(-3, 3)).collect()).collect()
        };
        let (w1, w2) = (matrix(3, 2), matrix(2, 3));
        let norm = |p: &str, w: &Matrix| if p == "linf" { rows_norm(w) } else { rows_norm(&transposed(w)) };
        let mut bounds = Vec::new();
        for p in ["linf", "l1"] {
            let facts = format!("weight_norm(N, 1, {p}) = {}, weight_norm(N, 2, {p}) = {}", norm(p, &w1), norm(p, &w2));
            let bound = upper(&library, "lipschitz.norm_product", &format!("N = 2 -> 3 -> 2 relu, p = {p}, {facts}"));
            for pattern in 0..8u32 {
                let masked: Matrix = w1
                    .iter()
                    .enumerate()
                    .map(|(i, row)| row.iter().map(|x| x * i64::from(pattern >> i & 1)).collect())
                    .collect();
                let jacobian = product(&w2, &masked);
                assert!(q(norm(p, &jacobian), 1) <= bound, "{w1:?} {w2:?}");
            }
            bounds.push(bound);
        }
        // |J|_2^2 <= |J|_1 |J|_inf: no eigenvalue of J^T J exceeds the product, by the principal minors of the difference.
        let euclidean = upper(&library, "lipschitz.geometric_mean", &format!("a = {}, b = {}", bounds[1], bounds[0]));
        let jacobian = product(&w2, &w1);
        let gram = product(&transposed(&jacobian), &jacobian);
        let gap = |i: usize| &euclidean * &euclidean - q(gram[i][i], 1);
        assert!(!gap(0).is_negative() && gap(0) * gap(1) >= q(gram[0][1] * gram[0][1], 1), "{jacobian:?}");
    }
}

#[test]
fn norms_of_matrices_of_rank_one() {
    let library = library();
    // Vectors with integer Euclidean norm: every norm of their product is rational.
    let vectors = [([3i64, 4], 5i64), ([5, -12], 13), ([0, 2], 2), ([8, 15], 17), ([-1, 0], 1)];
    for (u, u2) in vectors {
        for (v, v2) in vectors {
            let matrix: Matrix = u.iter().map(|a| v.iter().map(|b| a * b).collect()).collect();
            let (spectral, frobenius) = (u2 * v2, u2 * v2);
            let largest = matrix.iter().flatten().map(|x| x.abs()).max().expect("entries");
            let sums = rows_norm(&matrix);
            let l21 = u.iter().map(|a| a.abs() * v2).sum::<i64>();
            for (theorem, known, truth) in [
                ("norms.max_spectral", spectral, largest),
                ("norms.max_frobenius", frobenius, largest),
                ("norms.max_row", sums, largest),
                ("norms.spectral_frobenius", frobenius, spectral),
                ("norms.frobenius_spectral", spectral, frobenius),
                ("norms.row_spectral", spectral, sums),
                ("norms.l21_frobenius", frobenius, l21),
            ] {
                let bound = upper(&library, theorem, &format!("N = 2 -> 2, l = 1, w = {known}"));
                assert!(q(truth, 1) <= bound, "{theorem}: {matrix:?}");
            }
        }
    }
}

/// A network 1 -> 3 -> 1 with ReLU: weights, biases, output weights, output bias.
fn small(parameters: &[BigRational], x: &BigRational) -> BigRational {
    let unit = |i: usize| (&parameters[i] * x + &parameters[3 + i]).max(BigRational::zero());
    (0..3).map(|i| &parameters[6 + i] * unit(i)).sum::<BigRational>() + &parameters[9]
}

#[test]
fn networks_move_with_their_parameters_as_stated() {
    let (library, mut random) = (library(), Random(7));
    for (radius, bound) in [(1i64, 1i64), (2, 3)] {
        let lipschitz = upper(
            &library,
            "covering.parameter_lipschitz",
            &format!("N = 1 -> 3 -> 1 relu, R = {radius}, B = {bound}"),
        );
        let facts = format!(
            "radius(X, linf) = {bound}, weight_norm(N, 1, linf) = {radius}, weight_norm(N, 2, linf) = {}, \
             bias_norm(N, 1, linf) = {radius}, bias_norm(N, 2, linf) = {radius}",
            3 * radius
        );
        let range = upper(&library, "range.norm_propagation", &format!("N = 1 -> 3 -> 1 relu, p = linf, {facts}"));
        for _ in 0..1500 {
            let mut draw =
                || -> Vec<BigRational> { (0..10).map(|_| q(random.within(-8 * radius, 8 * radius), 8)).collect() };
            let (a, b) = (draw(), draw());
            let x = q(random.within(-8 * bound, 8 * bound), 8);
            let moved = (small(&a, &x) - small(&b, &x)).abs();
            let apart = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).max().expect("parameters");
            assert!(moved <= &lipschitz * apart);
            assert!(small(&a, &x).abs() <= range);
        }
        // All parameters at the corner, moved inward together: the constants are attained in the limit.
        let corner = vec![q(radius, 1); 10];
        let step = q(1, 1000);
        let near: Vec<BigRational> = corner.iter().map(|p| p - &step).collect();
        let slope = (small(&corner, &q(bound, 1)) - small(&near, &q(bound, 1))) / step;
        assert!(slope <= lipschitz && slope > &lipschitz * q(99, 100), "{slope} {lipschitz}");
        assert_eq!(small(&corner, &q(bound, 1)), range);
    }
}
