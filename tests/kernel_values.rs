//! Exact numbers and exact ends, by enumeration: what can be worked out in integers for every small case must come out exactly, or
//! enclosed and nothing more.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow};
use supremum::kernel::psd::Symmetric;
use supremum::kernel::real::{Bits, Dyadic, Enclosure, binomial_tail};
use supremum::kernel::surd::Surd;
use supremum::kernel::value::Value;

fn whole(n: i64) -> BigRational {
    BigRational::from_integer(n.into())
}

fn dyadic(n: i64) -> Dyadic {
    Dyadic::from(n)
}

fn interval(low: i64, high: i64) -> Enclosure {
    Enclosure::new(Some(dyadic(low)), Some(dyadic(high))).expect("an interval")
}

/// All intervals with ends in `-3..=3`.
fn intervals() -> impl Iterator<Item = (i64, i64)> {
    (-3..=3).flat_map(|a| (a..=3).map(move |b| (a, b)))
}

#[test]
fn enclosures_of_whole_numbers_have_sharp_ends() {
    let sharp = |found: &Enclosure, low: i64, high: i64, what: &str| {
        assert_eq!((found.lo(), found.hi()), (Some(&dyadic(low)), Some(&dyadic(high))), "{what}");
    };
    for (a, b) in intervals() {
        let x = interval(a, b);
        for n in 0..6u32 {
            let (p, q) = (a.pow(n), b.pow(n));
            let (low, high) = match (n, n % 2) {
                (0, _) => (1, 1),
                (_, 1) => (p, q),
                _ => (if a <= 0 && 0 <= b { 0 } else { p.min(q) }, p.max(q)),
            };
            sharp(&x.powi(n.into(), 64).expect("a power"), low, high, &format!("[{a}, {b}]^{n}"));
        }
        for (c, d) in intervals() {
            let y = interval(c, d);
            sharp(&x.min(&y), a.min(c), b.min(d), "minimum");
            sharp(&x.max(&y), a.max(c), b.max(d), "maximum");
            sharp(&x.add(&y, 64), a + c, b + d, "sum");
            sharp(&x.sub(&y, 64), a - d, b - c, "difference");
            let corners = [a * c, a * d, b * c, b * d];
            let (low, high) = (corners.into_iter().min().unwrap_or(0), corners.into_iter().max().unwrap_or(0));
            sharp(&x.mul(&y, 64), low, high, "product");
        }
    }
}

/// The ends that comparisons use. An end that is not known exactly may be missing; one that is there must be the end.
#[test]
fn values_of_whole_numbers_have_true_ends() {
    let value = |low: i64, high: i64| Value::ends(Some(&whole(low)), Some(&whole(high)), 64).expect("a value");
    let contains = |found: &Value, low: i64, high: i64, what: &str| {
        let end = |end: Option<&Surd>| end.map(|end| end.as_rational().expect("a rational end"));
        assert!(end(found.low()).is_none_or(|end| end <= whole(low)), "{what}: {:?} above {low}", found.low());
        assert!(end(found.high()).is_none_or(|end| end >= whole(high)), "{what}: {:?} below {high}", found.high());
        assert!(
            found.enclosure().lo() <= Some(&dyadic(low)) && found.enclosure().hi() >= Some(&dyadic(high)),
            "{what}"
        );
    };
    for (a, b) in intervals() {
        let x = value(a, b);
        contains(&x.neg(), -b, -a, "negative");
        let magnitudes = [a.abs(), b.abs()];
        let least = if a <= 0 && 0 <= b { 0 } else { magnitudes[0].min(magnitudes[1]) };
        contains(&x.abs(), least, magnitudes[0].max(magnitudes[1]), "magnitude");
        for (c, d) in intervals() {
            let y = value(c, d);
            contains(&x.add(&y, 64), a + c, b + d, "sum");
            let corners = [a * c, a * d, b * c, b * d];
            let (low, high) = (corners.into_iter().min().unwrap_or(0), corners.into_iter().max().unwrap_or(0));
            contains(&x.mul(&y, 64), low, high, &format!("[{a}, {b}] [{c}, {d}]"));
            contains(&x.min(&y), a.min(c), b.min(d), "minimum");
            contains(&x.max(&y), a.max(c), b.max(d), "maximum");
            // A low end above the high one is no value; what both intervals hold is.
            assert_eq!(Value::between(&x, &y).is_ok(), a <= d, "[{a}, {b}] to [{c}, {d}]");
            match x.intersect(&y) {
                Ok(both) => contains(&both, a.max(c), b.min(d), "intersection"),
                Err(_) => assert!(b < c || d < a, "[{a}, {b}] meets [{c}, {d}]"),
            }
        }
    }
}

#[test]
fn floors_of_quarters() {
    for n in -40i64..=40 {
        let floor = Dyadic::new(BigInt::from(n), -2).expect("a quarter").floor();
        assert_eq!(floor, dyadic(n.div_euclid(4)), "{n}/4");
    }
}

/// Next to 0 these functions are bounded by their arguments, which may have more digits than are asked for: `x - x^3/3 < tanh x < x`,
/// and the same for arctan.
#[test]
fn tiny_arguments_of_many_digits_are_rounded_outward() {
    let digits: Bits = 53;
    for sign in [1, -1] {
        // (1 + 2^-200) 2^-100: the last digit is far below the precision, and far above x^3.
        let last = BigInt::one() << 200u32;
        let x = Dyadic::new((last + 1) * sign, -300).expect("a number");
        let magnitude = if sign == 1 { x.clone() } else { x.neg() };
        let below = Dyadic::new(BigInt::from(2), -301).expect("a number");
        let nearly = magnitude.add(&below.neg()).expect("a number");
        for (name, found) in
            [("tanh", Enclosure::exact(x.clone()).tanh(digits)), ("arctan", Enclosure::exact(x.clone()).arctan(digits))]
        {
            let found = found.expect("a value");
            let found = if sign == 1 { found } else { found.neg() };
            // x - x^3/3 > 2^-100 here, which is what x rounded down would be.
            assert!(nearly >= Dyadic::new(BigInt::one(), -100).expect("a number"));
            assert!(found.hi() > Some(&nearly), "{name}");
            assert!(found.lo() < Some(&magnitude), "{name}");
        }
    }
}

fn is_squarefree(n: u64) -> bool {
    (2..).take_while(|p| p * p <= n).all(|p| !n.is_multiple_of(p * p))
}

/// `sqrt n = s sqrt f` with `n = s^2 f` and `f` without a square: only then is equality of roots equality of their terms.
#[test]
fn roots_of_whole_numbers_are_reduced() {
    // Small ones all; beyond them products of large primes, one of them beyond the trial division.
    let large = [65_521u64 * 65_521 * 3, 2 * 65_537 * 65_537, 4 * 65_537, 65_521 * 65_521, 3 * 49 * 1_000_003];
    for n in (1..3000).chain(large) {
        let root = Surd::sqrt(&BigRational::from_integer(n.into())).expect("a root");
        let [(free, factor)] = root.terms() else { panic!("{n}: {root:?}") };
        assert!(is_squarefree(*free), "{n} = ({factor})^2 {free}");
        assert_eq!(factor * factor * BigRational::from_integer((*free).into()), BigRational::from_integer(n.into()));
    }
    for (p, q) in (1..40).flat_map(|p| (1..40).map(move |q| (p, q))) {
        let ratio = BigRational::new(p.into(), q.into());
        let root = Surd::sqrt(&ratio).expect("a root");
        assert_eq!(root.mul(&root).and_then(|square| square.as_rational()), Some(ratio), "{p}/{q}");
        let (a, b) = (Surd::sqrt(&whole(p)).expect("a root"), Surd::sqrt(&whole(q)).expect("a root"));
        assert_eq!(a.mul(&b), Surd::sqrt(&whole(p * q)), "sqrt {p} sqrt {q}");
        assert_eq!(a.div(&b), Some(root), "sqrt {p} / sqrt {q}");
        assert_eq!(a.compare(&b), Some(p.cmp(&q)));
    }
}

/// Too long to factor, a number has a root here only if it is a square.
#[test]
fn long_numbers_have_exact_roots_only() {
    let long = BigInt::from(10).pow(50u32);
    let square = &long * &long;
    let root = |numerator: &BigInt, denominator: &BigInt| {
        Surd::sqrt(&BigRational::new(numerator.clone(), denominator.clone()))
    };
    let one = BigInt::one();
    assert_eq!(root(&square, &one), Some(Surd::rational(BigRational::from_integer(long.clone()))));
    assert_eq!(root(&square, &BigInt::from(9)), Some(Surd::rational(BigRational::new(long.clone(), 3.into()))));
    assert_eq!(root(&one, &square), Some(Surd::rational(BigRational::new(one.clone(), long))));
    for (numerator, denominator) in [
        (&square + 1, one.clone()),
        (one.clone(), &square + 1),
        (square.clone(), BigInt::from(7)),
        (BigInt::from(7), square),
    ] {
        assert_eq!(root(&numerator, &denominator), None, "{numerator}/{denominator}");
    }
}

/// `P(Bin(n, p) <= k)` as a sum of rationals, at few bits: what is cut off is charged.
#[test]
fn tails_hold_the_sum_at_few_bits() {
    for n in 1..14u64 {
        for k in 0..=n {
            for tenth in 1..10 {
                let p = BigRational::new(tenth.into(), 10.into());
                let q = BigRational::one() - &p;
                let mut coefficient = BigInt::one();
                let mut sum = BigRational::from_integer(0.into());
                for i in 0..=k {
                    sum += BigRational::from_integer(coefficient.clone()) * Pow::pow(&p, i) * Pow::pow(&q, n - i);
                    coefficient = coefficient * (n - i) / (i + 1);
                }
                for bits in [3, 8, 30] {
                    let point = Enclosure::point(&p, 128);
                    let found = binomial_tail(n, k, &point, bits).expect("a tail");
                    let end = |x: Option<&Dyadic>| x.expect("an end").to_rational().expect("a number");
                    assert!(end(found.lo()) <= sum && sum <= end(found.hi()), "{n} {k} {tenth}/10 at {bits}");
                }
            }
        }
    }
}

/// `(sqrt a + sqrt b)^2 = a + b + 2 sqrt(a b)` and `(sqrt a + sqrt b)(sqrt a - sqrt b) = a - b`, term by term.
#[test]
fn sums_of_roots_keep_their_terms_apart() {
    let root = |n: i64| Surd::sqrt(&whole(n)).expect("a root");
    for (a, b) in (1..40).flat_map(|a| (1..40).map(move |b| (a, b))) {
        let sum = root(a).add(&root(b)).expect("a sum");
        let twice = Surd::sqrt(&whole(4 * a * b)).expect("a root");
        assert_eq!(sum.mul(&sum), Surd::rational(whole(a + b)).add(&twice), "{a}, {b}");
        let difference = root(a).add(&root(b).neg()).expect("a difference");
        assert_eq!(difference.is_zero(), a == b, "{a}, {b}");
        assert_eq!(sum.mul(&difference), Some(Surd::rational(whole(a - b))), "{a}, {b}");
    }
}

/// Determinants of the leading corners of a symmetric matrix of order 2 or 3, given as `[a00, a10, a11, a20, a21, a22]`.
fn is_semidefinite(entries: &[i64]) -> bool {
    let at = |i: usize, j: usize| entries[if i >= j { i * (i + 1) / 2 + j } else { j * (j + 1) / 2 + i }];
    let order = if entries.len() == 3 { 2 } else { 3 };
    let two = |i: usize, j: usize| at(i, i) * at(j, j) - at(i, j) * at(i, j);
    let pairs = [(0, 1), (0, 2), (1, 2)];
    (0..order).all(|i| at(i, i) >= 0)
        && pairs.iter().filter(|(_, j)| *j < order).all(|(i, j)| two(*i, *j) >= 0)
        && (order == 2
            || at(0, 0) * two(1, 2) - at(1, 0) * (at(1, 0) * at(2, 2) - at(2, 1) * at(2, 0))
                + at(2, 0) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))
                >= 0)
}

/// What is accepted is semidefinite whatever the entries' errors of up to one unit are: a set of matrices is convex, so its corners decide.
#[test]
fn small_forms_are_semidefinite_within_their_errors() {
    let accepted = |entries: &[i64]| {
        let order = if entries.len() == 3 { 2 } else { 3 };
        let mut form = Symmetric::new(order);
        let places = (0..order).flat_map(|i| (0..=i).map(move |j| (i, j)));
        places.zip(entries).for_each(|((i, j), value)| form.add(i, j, i128::from(*value)).expect("an entry"));
        form.is_semidefinite()
    };
    let holds_at_every_corner = |entries: &[i64]| {
        (0..1u32 << entries.len()).all(|signs| {
            let moved: Vec<i64> =
                entries.iter().enumerate().map(|(k, x)| if signs >> k & 1 == 1 { x + 1 } else { x - 1 }).collect();
            is_semidefinite(&moved)
        })
    };
    let mut count = [0; 2];
    let mut look = |entries: &[i64]| {
        if accepted(entries) {
            count[entries.len() / 4] += 1;
            assert!(holds_at_every_corner(entries), "{entries:?}");
        }
    };
    for (a, b, c) in (0..60).flat_map(|a| (-30..=30).flat_map(move |b| (0..60).map(move |c| (a, b, c)))) {
        look(&[a, b, c]);
    }
    // Order 3: a fixed walk through the entries below 100, off the diagonal below 60.
    let mut state = 1u64;
    let mut next = |below: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as i64 % below
    };
    for _ in 0..200_000 {
        let diagonal = [next(100), next(100), next(100)];
        let off = [next(121) - 60, next(121) - 60, next(121) - 60];
        look(&[diagonal[0], off[0], diagonal[1], off[1], off[2], diagonal[2]]);
    }
    assert!(count.iter().all(|count| *count > 1000), "{count:?}");
}
