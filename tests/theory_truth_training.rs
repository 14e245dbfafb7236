//! Statements on training and on approximation by few units against exact arithmetic: every path of a small stochastic descent, gradients by
//! the rules of calculus, laws on sign vectors by enumeration, integrals of polynomials.

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
