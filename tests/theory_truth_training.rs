//! Statements on training and on approximation by few units against exact arithmetic: every path of a small stochastic descent, gradients by
//! the rules of calculus, laws on sign vectors by enumeration, integrals of polynomials.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

mod theory_support;
use theory_support::{Random, library, lower, q, upper};

fn square(x: &BigRational) -> BigRational {
    x * x
}

fn sum<'a>(terms: impl IntoIterator<Item = &'a BigRational>) -> BigRational {
    terms.into_iter().fold(BigRational::zero(), |a, b| a + b)
}

fn sign(x: &BigRational) -> BigRational {
    if x.is_zero() { BigRational::zero() } else { x.signum() }
}

/// r(t) = |t - w|, direction the slope and a noise of 3/4 in either sense: its mean square is at most (5/4)^2. All paths of K = k^2 steps of
/// length 1/k.
#[test]
fn averaged_descent_is_as_good_as_stated() {
    let library = library();
    for k in 1..=3i64 {
        let steps = u32::try_from(k * k).expect("few");
        for w in [q(1, 10), q(1, 3), q(1, 1), q(-2, 1), q(7, 2)] {
            let mut excess = BigRational::zero();
            for path in 0..1u64 << steps {
                let (mut t, mut mean) = (BigRational::zero(), BigRational::zero());
                for step in 0..steps {
                    mean += &t / q(k * k, 1);
                    let noise = if path >> step & 1 == 1 { q(3, 4) } else { q(-3, 4) };
                    t -= (sign(&(&t - &w)) + noise) / q(k, 1);
                }
                excess += (mean - &w).abs() / q(1 << steps, 1);
            }
            let bound = upper(&library, "optimization.averaged_sgd", &format!("K = {steps}, z = {}, G = 5/4", w.abs()));
            assert!(excess <= bound, "K = {steps}, w = {w}: {excess} > {bound}");
        }
    }
}

/// Two examples, two features: v is on a grid below the least eigenvalue, by trace and determinant of A A' - v.
#[test]
fn gradients_are_as_long_as_stated() {
    let (library, mut random) = (library(), Random(11));
    let mut compared = 0;
    for _ in 0..300 {
        let mut entry = || q(random.within(-4, 4), 1);
        let (a, b, c, d, y0, y1) = (entry(), entry(), entry(), entry(), entry(), entry());
        let (s, t, u) = (square(&a) + square(&b), &a * &c + &b * &d, square(&c) + square(&d));
        let Some(v) = (0..80).rev().map(|v| q(v, 2)).find(|v| {
            let (s, u) = (&s - v, &u - v);
            !s.is_negative() && !u.is_negative() && &s * &u >= square(&t)
        }) else {
            continue;
        };
        let (w0, w1) = (entry(), entry());
        let (r0, r1) = (&a * &w0 + &b * &w1 - y0, &c * &w0 + &d * &w1 - y1);
        let error = (square(&r0) + square(&r1)) / q(2, 1);
        // The derivative of (r0^2 + r1^2)/2 in w0 is r0 a + r1 c.
        let gradient = square(&(&r0 * &a + &r1 * &c)) + square(&(&r0 * &b + &r1 * &d));
        let bound = lower(&library, "optimization.gradient_inequality", &format!("m = 2, v = {v}, r = {error}"));
        assert!(gradient >= bound, "{gradient} < {bound}");
        compared += usize::from(bound.is_positive());
    }
    assert!(compared > 100, "{compared}");
}

/// A network 1 -> 3 -> 1 of ReLU units without biases, square loss on three examples, one step of length 1/7.
#[test]
fn steps_move_the_balance_as_stated() {
    let (library, mut random) = (library(), Random(5));
    for _ in 0..200 {
        let mut entry = || q(random.within(-3, 3), 1);
        let inner: Vec<BigRational> = (0..3).map(|_| entry()).collect();
        let outer: Vec<BigRational> = (0..3).map(|_| entry()).collect();
        let (mut inner_gradient, mut outer_gradient) = (vec![BigRational::zero(); 3], vec![BigRational::zero(); 3]);
        for _ in 0..3 {
            let (x, y) = (entry(), entry());
            let hidden: Vec<BigRational> = inner.iter().map(|w| (w * &x).max(BigRational::zero())).collect();
            let residual = hidden.iter().zip(&outer).map(|(h, v)| h * v).sum::<BigRational>() - y;
            for j in 0..3 {
                outer_gradient[j] += &residual * &hidden[j];
                if hidden[j].is_positive() {
                    inner_gradient[j] += &residual * &outer[j] * &x;
                }
            }
        }
        let norm = |w: &[BigRational]| sum(&w.iter().map(square).collect::<Vec<_>>());
        let moved = |w: &[BigRational], g: &[BigRational]| -> Vec<BigRational> {
            w.iter().zip(g).map(|(w, g)| w - g / q(7, 1)).collect()
        };
        let before = norm(&outer) - norm(&inner);
        let after = norm(&moved(&outer, &outer_gradient)) - norm(&moved(&inner, &inner_gradient));
        let bindings = format!("h = 1/7, g = {}, k = {}", norm(&outer_gradient), norm(&inner_gradient));
        let stated = upper(&library, "optimization.balance", &bindings);
        assert_eq!(after - before, stated);
    }
}

/// A linear r, whose gradient is v everywhere, after normalization: the derivative of v.(b - mean)/sqrt(s) by the quotient rule.
#[test]
fn gradients_pass_batch_normalization_as_stated() {
    let (library, mut random) = (library(), Random(3));
    let mut compared = 0;
    for _ in 0..200 {
        let m = 2 + i64::try_from(random.below(4)).expect("small");
        let b: Vec<BigRational> = (0..m).map(|_| q(random.within(-5, 5), 1)).collect();
        let v: Vec<BigRational> = (0..m).map(|_| q(random.within(-5, 5), 2)).collect();
        let mean = sum(&b) / q(m, 1);
        let centred: Vec<BigRational> = b.iter().map(|b| b - &mean).collect();
        let s = sum(&centred.iter().map(square).collect::<Vec<_>>()) / q(m, 1);
        if s.is_zero() {
            continue;
        }
        let product: BigRational = v.iter().zip(&centred).map(|(v, b)| v * b).sum();
        let average = sum(&v) / q(m, 1);
        let slopes = v.iter().zip(&centred).map(|(v, b)| square(&(v - &average - &product * b / (&s * q(m, 1)))));
        let c = q(random.within(1, 5), 2);
        let gradient = slopes.sum::<BigRational>() * square(&c) / &s;
        let squares = sum(&v.iter().map(square).collect::<Vec<_>>());
        let bindings = format!("m = {m}, c = {c}, s = {s}, q = {squares}, a = {}, d = {product}", sum(&v));
        assert_eq!(gradient, upper(&library, "optimization.batch_norm", &bindings), "{bindings}");
        compared += 1;
    }
    assert!(compared > 150, "{compared}");
}

/// The first c coordinates of a sign vector are equal: E XX' over all vectors, then the mean of X' (E XX') X/d^2.
#[test]
fn one_example_has_the_stated_variance() {
    let library = library();
    for d in 1..=6usize {
        for c in 1..=d {
            let free = d - c + 1;
            let vector = |bits: usize| -> Vec<i64> {
                (0..d).map(|i| if bits >> i.saturating_sub(c - 1) & 1 == 1 { 1 } else { -1 }).collect()
            };
            let count = 1i64 << free;
            let mut moments = vec![vec![0i64; d]; d];
            for x in (0..1 << free).map(vector) {
                (0..d).for_each(|i| (0..d).for_each(|j| moments[i][j] += x[i] * x[j]));
            }
            let form =
                |x: Vec<i64>| -> i64 { (0..d).map(|i| (0..d).map(|j| x[i] * x[j] * moments[i][j]).sum::<i64>()).sum() };
            let total: i64 = (0..1 << free).map(vector).map(form).sum();
            let d = i64::try_from(d).expect("small");
            let bindings = format!("d = {d}, c = {c}");
            let stated = upper(&library, "double_descent.one_point", &bindings);
            assert_eq!(q(total, count * count * d * d), stated, "{bindings}");
        }
    }
}

/// The unit t^(p+2), whose derivative of order p + 2 is (p+2)!: differences exactly, against the bound; for p = 2 they are equal.
#[test]
fn differences_approximate_monomials_as_stated() {
    let library = library();
    for p in 1..=4i64 {
        let power = |x: &BigRational, n: i64| (0..n).fold(BigRational::one(), |y, _| y * x);
        let factorial = |n: i64| (1..=n).product::<i64>();
        for (l, h, x) in [(1, q(1, 2), q(1, 1)), (2, q(1, 5), q(-3, 2)), (3, q(1, 1), q(2, 3)), (-1, q(1, 4), q(5, 1))]
        {
            let derivative = q(factorial(p + 2) / 2, 1) * power(&q(l, 1), 2);
            let difference: BigRational = (0..=p)
                .map(|i| {
                    let choose = factorial(p) / (factorial(i) * factorial(p - i));
                    let at = q(l, 1) + &h * &x * q(p - 2 * i, 2);
                    power(&at, p + 2) * q(if i % 2 == 0 { choose } else { -choose }, 1)
                })
                .sum();
            let error = (difference / (power(&h, p) * &derivative) - power(&x, p)).abs();
            let bindings = format!("p = {p}, h = {h}, x = {x}, M = {}, c = {derivative}", factorial(p + 2));
            let bound = upper(&library, "approximation.monomial", &bindings);
            assert!(error <= bound, "{bindings}: {error} > {bound}");
            assert!(p != 2 || error == bound, "{bindings}: {error}, {bound}");
        }
    }
}

/// Cuts on a grid of twelfths: on each piece the affine function of least squares, from the integrals of 1, x, x^2, x^3, x^4.
#[test]
fn pieces_approximate_the_square_as_stated() {
    let library = library();
    let least = |a: i64, b: i64| -> BigRational {
        let moment = |k: i32| (q(b, 12).pow(k + 1) - q(a, 12).pow(k + 1)) / q(i64::from(k) + 1, 1);
        let [m0, m1, m2, m3, m4] = [0, 1, 2, 3, 4].map(moment);
        // Normal equations of c + d x.
        let determinant = &m0 * &m2 - &m1 * &m1;
        let c = (&m2 * &m2 - &m1 * &m3) / &determinant;
        let d = (&m0 * &m3 - &m1 * &m2) / &determinant;
        m4 - c * m2 - d * m3
    };
    for n in 1..=4usize {
        let mut best: Vec<Option<BigRational>> = (0..=12).map(|b| (b > 0).then(|| least(0, b))).collect();
        for _ in 1..n {
            best = (0..=12i64)
                .map(|b| {
                    let split = |a: i64| best[usize::try_from(a).ok()?].clone().map(|left| left + least(a, b));
                    (1..b).filter_map(split).min()
                })
                .collect();
        }
        let error = best[12].clone().expect("a cut");
        // 12 is a multiple of n: the equal pieces are among them.
        assert_eq!(error, upper(&library, "approximation.square_pieces", &format!("n = {n}")));
        assert_eq!(error, lower(&library, "approximation.square_pieces", &format!("n = {n}")));
    }
}

/// t^2 has second derivative 2: on an interval of length h the best affine function is off by h^2/8 at both ends and in the middle, which no affine
/// function betters at all three, and n equal pieces have h = l/n.
#[test]
fn few_pieces_are_far_from_a_parabola() {
    let (library, mut random) = (library(), Random(61));
    for _ in 0..100 {
        let (n, l) = (random.within(1, 6), q(random.within(1, 9), 2));
        let bound = lower(&library, "approximation.pieces", &format!("n = {n}, k = 2, l = {l}"));
        let h = &l / q(n, 1);
        assert_eq!(bound, square(&h) / q(8, 1));
        // Any other function on one piece, as far as three points tell.
        let (slope, constant) = (q(random.within(-9, 9), 2), q(random.within(-9, 9), 4));
        let error = |t: &BigRational| (square(t) - &slope * t - &constant).abs();
        let places = [BigRational::zero(), &h / q(2, 1), h.clone()];
        assert!(places.iter().map(error).max().is_some_and(|worst| worst >= bound), "{l}/{n}, {slope}, {constant}");
    }
}

/// The hypothesis is the best of the class up to o on the sample, and sample and truth differ by at most u: three finite classes of risks.
#[test]
fn excess_risks_decompose() {
    let (library, mut random) = (library(), Random(62));
    let mut nearest = BigRational::zero();
    for _ in 0..500 {
        let count = 2 + random.below(3) as usize;
        let risks: Vec<BigRational> = (0..count).map(|_| q(random.within(0, 10), 10)).collect();
        let seen: Vec<BigRational> = risks.iter().map(|r| r + q(random.within(-3, 3), 20)).collect();
        let gap = risks.iter().zip(&seen).map(|(a, b)| (a - b).abs()).max().expect("a gap");
        let chosen = random.below(count as u64) as usize;
        let best = risks.iter().min().expect("a risk");
        let at_best = risks.iter().position(|r| r == best).expect("a place");
        let o = (&seen[chosen] - &seen[at_best]).max(BigRational::zero());
        let a = q(1, 20);
        let bound = upper(&library, "optimization.error_decomposition", &format!("o = {o}, u = {gap}, a = {a}"));
        let excess = &risks[chosen] - best + a;
        assert!(excess <= bound, "{risks:?} {seen:?}");
        nearest = nearest.max(excess / bound);
    }
    assert!(nearest > q(9, 10), "{nearest}");
}

/// Branch points of normal units are Cauchy: half of them between -1 and 1, a third beyond sqrt(3) in modulus. Lengths of two units: a half of the
/// units is on, E|g| = sqrt(2/pi), and two normal coordinates have length sqrt(pi/2) on average.
#[test]
fn networks_at_their_start_bend_and_stretch_as_stated() {
    let library = library();
    let near = |theorem: &str, given: &str, value: BigRational, digits: u32| {
        let slack = BigRational::one() / BigRational::from_integer(BigInt::from(10).pow(digits));
        let stated = upper(&library, theorem, given);
        assert!((&stated - &value).abs() <= slack, "{theorem} {given}: {stated}, expected {value}");
    };
    near("regions.normal_breakpoints", "n = 12, a = -1, b = 1", q(6, 1), 12);
    near("regions.normal_breakpoints", "n = 12, a = 0, b = 1", q(3, 1), 12);
    near("regions.normal_breakpoints", "n = 7, a = 2, b = 2", q(0, 1), 12);
    near("regions.trajectory_length", "n = 1, l = 1, s = 1, c = 1", q(398_942_280, 1_000_000_000), 8);
    near("regions.trajectory_length", "n = 2, l = 1, s = 1, c = 1", q(503_652, 1_000_000), 6);
    near("regions.trajectory_length", "n = 2, l = 3, s = 2, c = 5", q(5_110_348, 1_000_000), 5);
    // Widths that add up to m in l layers make at most prod (n_i + 1) pieces of the line, hence no more crossings.
    for widths in [vec![1i64], vec![4], vec![1, 1, 1], vec![3, 3], vec![5, 1, 2], vec![2, 2, 2, 2]] {
        let (m, l) = (widths.iter().sum::<i64>(), widths.len());
        let pieces: i64 = widths.iter().map(|n| n + 1).product();
        let bound = upper(&library, "regions.telgarsky_crossings", &format!("t = 1, m = {m}, l = {l}, a = 1, b = 1"));
        assert!(q(pieces, 1) <= bound, "{widths:?}: {bound}");
    }
}

/// Point j of the grid of prior variances is pac_bayes.kl at that variance with the share 6/(pi j)^2 of delta; the shares add up to less than 1.
#[test]
fn a_grid_of_priors_pays_for_its_points() {
    let library = library();
    let slack = q(1, 1_000_000_000);
    for (j, d, v, s) in [(1, 3, "1/10", "2"), (7, 20, "1/50", "1/3"), (60, 5, "1/200", "0")] {
        let variance = format!("(1/2*exp(-{j}/10))");
        let divergence = format!("({d}*({v}/{variance} - 1 + ln({variance}/({v}))) + {s}/{variance})/2");
        let given = format!(
            "m = 500, r = 1/20, c = 1/2, b = 10, j = {j}, delta = 1/20, noisy_params(Q) = {d}, variance(Q) = {v}, squared_distance(Q, P) = {s}"
        );
        let grid = upper(&library, "pac_bayes.prior_grid", &given);
        let point = format!("m = 500, r = 1/20, C = {divergence}, delta = 6/(20*pi^2*{j}^2)");
        let point = theory_support::evaluate(&library, "pac_bayes.kl", &point).right.1;
        let point = theory_support::rational(point.enclosure().hi());
        assert!((&grid - &point).abs() <= slack, "{j}: {grid} {point}");
    }
    // The shares of the theorem's 1000 points, with pi^2 > 9.8696.
    let sum: BigRational = (1..=1000i64).map(|j| q(1, j * j)).sum();
    assert!(sum * q(6, 1) < q(98_696, 10_000));
}
