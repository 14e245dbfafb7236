//! Quantities of numbers alone, by enumeration or from an instance that attains part of them.

use super::capacity::Known;
use super::enumerate;
use crate::kernel::term::{Op, Term};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

fn rational(p: i64, r: i64) -> BigRational {
    BigRational::new(BigInt::from(p), BigInt::from(r))
}

fn small(term: &Term, most: u32) -> Option<u32> {
    match term {
        Term::Number(q) if q.is_integer() && !q.is_negative() => q.to_integer().to_u32().filter(|n| *n <= most),
        _ => None,
    }
}

/// What is known of a quantity with these arguments.
pub fn known(head: &str, arguments: &[Term]) -> Known {
    bounds(head, arguments).unwrap_or_default()
}

fn bounds(head: &str, arguments: &[Term]) -> Option<Known> {
    Some(match (head, arguments) {
        // The functions r and -r on a law with one point: E |S|/m.
        ("signed_rademacher", [Term::Quantity(class, of), m]) if class == "finite_functions" => {
            let (k, Term::Number(r), m) = (small(of.first()?, 1 << 20)?, of.get(1)?, small(m, 12)?) else {
                return None;
            };
            let spread = if k >= 2 { enumerate::mean_absolute_sum(m) } else { BigRational::zero() };
            Known::at_least(Term::Number(spread * r / BigInt::from(m.max(1))))
        }
        // A coin where the point is new is the best learner, and errs there half of the time.
        ("expected_risk_of_any_learner", [m, n]) => {
            let (m, n) = (small(m, 60)?, small(n, 60).filter(|n| *n >= 1)?);
            let missed = rational(i64::from(n) - 1, i64::from(n));
            Known::exactly(Term::Number(num_traits::pow(missed, m as usize) / BigInt::from(2)))
        }
        // The rank of a fresh score among n others is uniform if there are no ties.
        ("coverage", [r, n]) => {
            let (r, n) = (small(r, 1000)?, small(n, 1000)?);
            Known::exactly(Term::Number(rational(i64::from(r.min(n + 1)), i64::from(n) + 1)))
        }
        // Labels that differ from one of the K in at most d places.
        ("label_vectors", [d, labels, m]) => {
            let (d, labels, m) = (small(d, 12)?, small(labels, 12).filter(|k| *k >= 1)?, small(m, 12)?);
            let others = |i: u32| enumerate::binomial(m, i) * num_traits::pow(BigInt::from(labels - 1), i as usize);
            Known::at_least(Term::Number(BigRational::from_integer((0..=d.min(m)).map(others).sum())))
        }
        // f(x) = x is the limit of sin(t x)/t: uniform law on [-r, r], n + 1 equal steps, scaled by the moment.
        ("barron_error", [n, Term::Number(moment), Term::Number(r)]) => {
            let steps = BigInt::from(small(n, 1000)? + 1);
            Known::at_least(Term::Number(moment * moment * r * r / (BigInt::from(3) * &steps * &steps)))
        }
        // x^2 against its chord on the middle of one of 2^m teeth.
        ("sawtooth_error", [m]) => Known::at_least(Term::Number(sawtooth(small(m, 8)?))),
        // Means of n of the unit vectors of R^4, radius 1, around their centre of norm 1/2.
        ("hull_error", [n, Term::Number(b), Term::Number(t)]) if b.is_one() && *t == rational(1, 2) => {
            let n = small(n, 60).filter(|n| *n >= 1)?;
            let (each, more) = (n / 4, n % 4);
            let squares = more * (each + 1).pow(2) + (4 - more) * each.pow(2);
            Known::at_least(Term::Number(rational(i64::from(squares), i64::from(n * n)) - rational(1, 4)))
        }
        // One coordinate of which all examples have the largest value: an interval.
        ("dual_linear_cover", [_, Term::Number(t), Term::Number(eps)]) => interval(t, eps)?,
        ("matrix_cover", [Term::Number(a), Term::Number(b), _, _, Term::Number(eps)]) => interval(&(a * b), eps)?,
        ("group_matrix_cover", [Term::Number(a), Term::Number(b), _, _, _, Term::Number(eps)]) => {
            interval(&(a * b), eps)?
        }
        // One unit per layer, one point: E |S|/m.
        ("group_rademacher", [_, _, _, _, _, Term::Number(t), m]) => {
            let m = small(m, 12).filter(|m| *m >= 1)?;
            Known::at_least(Term::Number(enumerate::mean_absolute_sum(m) * t / BigInt::from(m)))
        }
        ("activation_lipschitz", [activation]) => Known::at_least(steepest(activation)?),
        _ => return None,
    })
}

fn interval(half: &BigRational, eps: &BigRational) -> Option<Known> {
    eps.is_positive().then(|| {
        let pieces = (half / eps).ceil().max(BigRational::one());
        Known::at_least(Term::Number(pieces))
    })
}

/// `x - sum_(s <= m) g_s(x)/4^s - x^2` in the middle of the first tooth, with the hats evaluated one after the other.
fn sawtooth(m: u32) -> BigRational {
    let x = BigRational::new(BigInt::one(), BigInt::one() << (m + 1));
    let (mut hat, mut value) = (x.clone(), x.clone());
    for s in 1..=m {
        let doubled = &hat + &hat;
        hat = if doubled <= BigRational::one() { doubled } else { BigRational::from_integer(2.into()) - doubled };
        value -= &hat / (BigInt::one() << (2 * s));
    }
    (value - &x * &x).abs()
}

/// The largest quotient of differences over a few short intervals.
fn steepest(activation: &Term) -> Option<Term> {
    let (name, parameter) = match activation {
        Term::Name(name) => (name.as_str(), None),
        Term::Quantity(name, of) => (name.as_str(), of.first().cloned()),
        _ => return None,
    };
    let ends = [(-1, 0), (0, 1), (-1, 1), (63, 65), (90, 91), (153, 154), (1280, 1284), (-2000, -1900)];
    let quotients = ends.into_iter().map(|(a, b)| {
        let value = |n: i64| at(name, parameter.as_ref(), Term::Number(rational(n, 64)));
        let rise = Term::Apply(Op::Add, vec![value(b)?, Term::Apply(Op::Neg, vec![value(a)?])]);
        Some(Term::Apply(Op::Div, vec![Term::Apply(Op::Abs, vec![rise]), Term::Number(rational(b - a, 64))]))
    });
    Some(Term::Apply(Op::Max, quotients.collect::<Option<Vec<Term>>>()?))
}

/// The activation at a point, as a term.
fn at(name: &str, parameter: Option<&Term>, x: Term) -> Option<Term> {
    let op = |op: Op, terms: Vec<Term>| Term::Apply(op, terms);
    let minus = |x: &Term| op(Op::Neg, vec![x.clone()]);
    let exp = |x: Term| op(Op::Exp, vec![x]);
    let add = |a: Term, b: Term| op(Op::Add, vec![a, b]);
    let over = |a: Term, b: Term| op(Op::Div, vec![a, b]);
    let (above, below) = (op(Op::Max, vec![x.clone(), Term::int(0)]), op(Op::Min, vec![x.clone(), Term::int(0)]));
    let clipped =
        |low: i64, high: i64| op(Op::Min, vec![op(Op::Max, vec![x.clone(), Term::int(low)]), Term::int(high)]);
    let sigmoid = || over(Term::int(1), add(Term::int(1), exp(minus(&x))));
    Some(match (name, parameter) {
        ("identity", None) => x,
        ("relu", None) => above,
        ("relu6", None) => clipped(0, 6),
        ("hard_tanh", None) => clipped(-1, 1),
        ("leaky_relu", Some(slope)) => add(above, op(Op::Mul, vec![slope.clone(), below])),
        ("elu", Some(scale)) => add(above, op(Op::Mul, vec![scale.clone(), add(exp(below), Term::int(-1))])),
        ("sigmoid", None) => sigmoid(),
        ("tanh", None) => op(Op::Tanh, vec![x]),
        ("arctan", None) => op(Op::Arctan, vec![x]),
        ("softplus", None) => op(Op::Ln, vec![add(Term::int(1), exp(x))]),
        ("softsign", None) => over(x.clone(), add(Term::int(1), op(Op::Abs, vec![x]))),
        ("gaussian", None) => exp(minus(&over(op(Op::Mul, vec![x.clone(), x]), Term::int(2)))),
        ("silu", None) => op(Op::Mul, vec![x.clone(), sigmoid()]),
        ("gelu", None) => {
            let phi = add(Term::int(1), op(Op::Erf, vec![over(x.clone(), op(Op::Sqrt, vec![Term::int(2)]))]));
            over(op(Op::Mul, vec![x, phi]), Term::int(2))
        }
        _ => return None,
    })
}
