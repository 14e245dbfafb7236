//! Relative entropy, binomial tails and their inverses: against MPFR, against values from the literature, to twelve digits.
#![cfg(feature = "engine")]

mod kernel_support;

use kernel_support::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use rug::Float;
use supremum::kernel::real::{Dyadic, Enclosure, Inverse, Question, RealError, Toward, binomial_tail, kl};
use supremum::kernel::real::{binomial_tail_inverse as binomial_tail_inverse_at, kl_inverse as kl_inverse_at};
use supremum::point::propose;

const PREC: u32 = 500;

fn ask(question: &Question) -> Option<Dyadic> {
    Some(propose(question))
}

fn kl_inverse(q: &Enclosure, c: &Enclosure) -> Result<Enclosure, RealError> {
    kl_inverse_at(q, c, &ask)
}

fn binomial_tail_inverse(n: u64, k: u64, delta: &Enclosure) -> Result<Enclosure, RealError> {
    binomial_tail_inverse_at(n, (k, k), delta, &ask)
}

/// A decimal numeral, enclosed.
fn decimal(text: &str) -> Enclosure {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().expect("digits");
    let exponent = exponent.parse::<i32>().expect("an exponent") - fraction.len() as i32;
    let power = BigRational::from_integer(BigInt::from(10)).pow(exponent);
    Enclosure::point(&(BigRational::from_integer(digits) * power), 600)
}

/// `n ln(n/p) + ...` at the judge's precision; its error is far below 2^-400.
fn entropy(q: &Float, p: &Float) -> Float {
    let one = Float::with_val(PREC, 1);
    let term = |a: Float, b: Float| {
        if a.is_zero() { a } else { Float::with_val(PREC, &a / &b).ln() * a }
    };
    let (r, s) = (Float::with_val(PREC, &one - q), Float::with_val(PREC, &one - p));
    term(Float::with_val(PREC, q), Float::with_val(PREC, p)) + term(r, s)
}

/// `P(Bin(n, p) <= k)` at the judge's precision, by the plain sum.
fn tail(n: u64, k: u64, p: &Float) -> Float {
    let q = Float::with_val(PREC, 1 - p);
    let odds = Float::with_val(PREC, p / &q);
    let mut term = Float::with_val(PREC, q.ln() * n).exp();
    let mut sum = term.clone();
    for i in 0..k {
        term = term * (n - i) / (i + 1) * &odds;
        sum += &term;
    }
    sum
}

/// The value with room for the judge's own error.
fn about(value: Float) -> (Float, Float) {
    let error = Float::with_val(PREC, value.clone().abs() >> 300) + (Float::with_val(PREC, 1) >> 420);
    (Float::with_val(PREC, &value - &error), Float::with_val(PREC, &value + &error))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn relative_entropies(q in 0i64..=1 << 20, p in 1i64..1 << 20, scale in 20i64..60, bits in 40u32..200) {
        let (q, p) = (point(q, -scale), point(p, -scale));
        let found = kl(&Enclosure::exact(q.clone()), &Enclosure::exact(p.clone()), bits).unwrap();
        assert_contains(&found, &about(entropy(&float(&q), &float(&p))), &format!("kl({q}, {p})"));
        prop_assert!(found.lo().is_some_and(|lo| !lo.is_negative()));
    }

    #[test]
    fn tails(n in 1u64..400, share in 0.0f64..1.0, p in 1i64..1 << 20, scale in 20i64..50, bits in 40u32..160) {
        let k = ((n as f64) * share) as u64;
        let p = point(p, -scale);
        let found = binomial_tail(n, k, &Enclosure::exact(p.clone()), bits).unwrap();
        let judged = about(tail(n, k, &float(&p)));
        assert_contains(&found, &judged, &format!("P(Bin({n}, {p}) <= {k})"));
        assert_narrow(&found, &judged.0, bits, 8.0, "the tail");
    }

    /// Each end of an inverse is on its side, and they agree to thirty digits.
    #[test]
    fn entropy_inverses(q in 0i64..1 << 30, rarity in 0i64..30, c in 1i64..1 << 30, small in 0i64..40) {
        let (q, c) = (point(q, -30 - rarity), point(c, -30 - small));
        let found = kl_inverse(&Enclosure::exact(q.clone()), &Enclosure::exact(c.clone())).unwrap();
        assert_inverse_entropy(&found, &q, &c);
        let width = relative_bits(&found, &float(found.hi().unwrap())).unwrap_or(-199.0);
        prop_assert!(width < -100.0, "kl_inverse({q}, {c}) is 2^{width} wide: {found}");
    }

    /// Whatever points are proposed, the inverse lies between those that are accepted.
    #[test]
    fn hostile_points_of_entropies(q in 0i64..1 << 20, c in 1i64..1 << 20, small in 0i64..30, shifts in shifts(), bits in 1u32..200) {
        let (q, c) = (point(q, -20), point(c, -20 - small));
        let ask = |question: &Question| Some(shifted(question, &shifts));
        if let Ok(found) = kl_inverse_at(&Enclosure::exact(q.clone()), &Enclosure::exact(c.clone()), &ask) {
            assert_inverse_entropy(&found, &q, &c);
        }
        // A sign at low precision is the true one where there is one.
        let inverse = Inverse::Kl { q: q.clone(), c: c.clone() };
        for side in [Toward::Down, Toward::Up] {
            let p = shifted(&Question { inverse: inverse.clone(), side }, &shifts);
            if inverse.is_at_most(&p, bits) {
                assert_inverse_entropy(&Enclosure::at_most(Some(p.clone())), &q, &c);
            }
            if inverse.is_at_least(&p, bits) {
                assert_inverse_entropy(&Enclosure::at_least(Some(p)), &q, &c);
            }
        }
    }

    #[test]
    fn hostile_points_of_tails(n in 1u64..200, share in 0.0f64..1.0, delta in 1i64..1 << 20, small in 0i64..60, shifts in shifts(), bits in 1u32..200) {
        let k = ((n as f64) * share) as u64;
        let delta = point(delta, -20 - small);
        let ask = |question: &Question| Some(shifted(question, &shifts));
        if let Ok(found) = binomial_tail_inverse_at(n, (k, k), &Enclosure::exact(delta.clone()), &ask) {
            assert_inverse_tail(&found, n, k, &delta);
        }
        let inverse = Inverse::BinomialTail { n, k, delta: delta.clone() };
        for side in [Toward::Down, Toward::Up] {
            let p = shifted(&Question { inverse: inverse.clone(), side }, &shifts);
            if inverse.is_at_most(&p, bits) {
                assert_inverse_tail(&Enclosure::at_most(Some(p.clone())), n, k, &delta);
            }
            if inverse.is_at_least(&p, bits) {
                assert_inverse_tail(&Enclosure::at_least(Some(p)), n, k, &delta);
            }
        }
    }
}

/// How far a point for the lower and for the upper end is moved: a signed number of units of `2^-e`.
fn shifts() -> impl Strategy<Value = [(i64, i64); 2]> {
    let one = || (-4i64..=4, prop_oneof![0i64..12, 100i64..140, 0i64..300]);
    [one(), one()]
}

/// The proposed point, moved.
fn shifted(question: &Question, shifts: &[(i64, i64); 2]) -> Dyadic {
    let (units, exponent) = shifts[usize::from(question.side == Toward::Up)];
    propose(question).add(&point(units, -exponent)).unwrap()
}

/// `kl(q, .)` increases from 0 at `q`: beyond the upper end it exceeds `c`, at the lower end it does not.
#[track_caller]
fn assert_inverse_entropy(found: &Enclosure, q: &Dyadic, c: &Dyadic) {
    if let Some(hi) = found.hi().filter(|hi| **hi < Dyadic::one()) {
        assert!(hi >= q && entropy(&float(q), &float(hi)) >= about(float(c)).0, "{found} for {q}, {c}");
    }
    if let Some(lo) = found.lo().filter(|lo| *lo > q) {
        assert!(*lo <= Dyadic::one() && entropy(&float(q), &float(lo)) <= about(float(c)).1, "{found} for {q}, {c}");
    }
}

/// The tail decreases: at the upper end it is at most delta, at the lower end at least.
#[track_caller]
fn assert_inverse_tail(found: &Enclosure, n: u64, k: u64, delta: &Dyadic) {
    let at =
        |p: &Dyadic| if *p < Dyadic::one() { tail(n, k, &float(p)) } else { Float::with_val(PREC, u8::from(k >= n)) };
    if let Some(hi) = found.hi().filter(|hi| **hi < Dyadic::one()) {
        assert!(hi.is_positive() && at(hi) <= about(float(delta)).1, "{found} for {n}, {k}, {delta}");
    }
    if let Some(lo) = found.lo().filter(|lo| lo.is_positive()) {
        assert!(at(lo) >= about(float(delta)).0, "{found} for {n}, {k}, {delta}");
    }
}

/// `(errors, trials, code length in bits, delta, binomial inverse, kl inverse)` of `delta 2^-bits`, to 30 digits by 60-digit interval
/// arithmetic (mpmath), computed independently; one unit of the last digit is left for their own rounding.
type Reference = (u64, u64, u32, &'static str, Option<&'static str>, Option<&'static str>);

const REFERENCE: [Reference; 7] = [
    (180, 10_000, 0, "0.01", Some("2.13398068294476969668057700573e-2"), Some("2.23350905038075013217773368198e-2")),
    (101, 2000, 0, "0.01", Some("6.30618332449030704106374525354e-2"), Some("6.67517748177534019507682647626e-2")),
    (612, 2000, 0, "0.01", Some("3.30591179632140338464779345077e-1"), None),
    (372, 2000, 0, "0.01", Some("2.07108091413098148876523780306e-1"), None),
    (1351, 8000, 1222, "0.01", Some("3.79262655482370614505283265649e-1"), Some("3.79825312168811056052910519040e-1")),
    (
        3000,
        60_000,
        3000,
        "0.01",
        Some("1.28387761264813936503114864621e-1"),
        Some("1.28493713096789309348597135057e-1"),
    ),
    (
        1800,
        60_000,
        20_000,
        "0.01",
        Some("2.87173512782664489011521510217e-1"),
        Some("2.87234158532395643249621428740e-1"),
    ),
];

#[track_caller]
fn assert_digits(found: &Enclosure, digits: &str, what: &str) {
    let down = float(decimal(digits).lo().expect("a bound"));
    let up = Float::with_val(PREC, &down * (Float::with_val(PREC, 1) + Float::with_val(PREC, 1e-29)));
    let width = relative_bits(found, &up).expect("an inverse is no point");
    assert!(width < -95.0, "{what}: 2^{width} wide");
    assert_contains(found, &(down, up), what);
}

#[test]
fn reference_values() {
    for (k, n, code, delta, binomial, entropy) in REFERENCE {
        let power = BigRational::new(1.into(), BigInt::from(1) << code);
        let delta = decimal(delta).mul(&Enclosure::point(&power, 600), 600);
        if let Some(digits) = binomial {
            let found = binomial_tail_inverse(n, k, &delta).unwrap();
            assert_digits(&found, digits, &format!("binomial inverse of {k}/{n}"));
        }
        if let Some(digits) = entropy {
            let one = Enclosure::exact_int(1);
            let c = one
                .div(&delta, 600)
                .and_then(|x| x.ln(600))
                .unwrap()
                .div(&Enclosure::exact_int(n as i64), 600)
                .unwrap();
            let q = Enclosure::point(&BigRational::new(k.into(), n.into()), 600);
            let found = kl_inverse(&q, &c).unwrap();
            assert_digits(&found, digits, &format!("kl inverse of {k}/{n}"));
        }
    }
}

/// What an inverse is checked at is near it, also where its function is flat or steep: at hardly any and at nearly all failures, at
/// probabilities near 0 and 1, with an intensity near 0.
#[test]
fn points_are_proposed_near_the_inverse() {
    let close = |found: Enclosure, what: &str| {
        let width = relative_bits(&found, &float(found.hi().unwrap())).expect("no point");
        assert!(width < -120.0, "{what}: 2^{width} wide");
    };
    for q in ["0", "1e-9", "0.009", "0.5", "0.999999999"] {
        for c in ["1e-15", "1e-4", "0.3", "5", "40"] {
            close(kl_inverse(&decimal(q), &decimal(c)).unwrap(), &format!("kl_inverse({q}, {c})"));
        }
    }
    for (n, k) in [(1, 0), (2, 1), (100, 0), (100, 3), (100, 99), (5000, 2500), (60_000, 101)] {
        for delta in ["1e-30", "0.05", "0.5", "0.9", "0.999999"] {
            let found = binomial_tail_inverse(n, k, &decimal(delta)).unwrap();
            close(found, &format!("binomial_tail_inverse({n}, {k}, {delta})"));
        }
    }
}

/// Each side asks once, and the same arguments ask the same questions.
#[test]
fn questions_are_few_and_always_the_same() {
    let asked = std::cell::RefCell::new(Vec::new());
    let ask = |question: &Question| {
        asked.borrow_mut().push(question.clone());
        Some(propose(question))
    };
    for _ in 0..2 {
        kl_inverse_at(&decimal("0.05"), &decimal("0.01"), &ask).unwrap();
        binomial_tail_inverse_at(300, (7, 9), &decimal("0.05"), &ask).unwrap();
    }
    let asked = asked.into_inner();
    assert_eq!(asked.len(), 8);
    assert_eq!(asked[..4], asked[4..]);
    let counts = asked[2..4].iter().map(|question| match question.inverse {
        Inverse::BinomialTail { k, .. } => (question.side, k),
        Inverse::Kl { .. } => panic!("{question}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [(Toward::Up, 9), (Toward::Down, 7)]);
}

#[test]
fn edges() {
    let (zero, one) = (Enclosure::exact_int(0), Enclosure::exact_int(1));
    let outside = |found: Result<Enclosure, RealError>| matches!(found, Err(RealError::OutsideDomain { .. }));
    // q = 0: kl(0, p) = -ln(1 - p), so the inverse is 1 - e^-c.
    let found = kl_inverse(&zero, &decimal("0.5")).unwrap();
    let value = Float::with_val(PREC, -0.5).exp();
    assert_contains(&found, &about(1 - value), "1 - e^-1/2");
    assert_eq!(kl_inverse(&one, &decimal("0.5")), Ok(one.clone()));
    let found = kl_inverse(&decimal("0.25"), &zero).unwrap();
    assert!(found.lo() <= Some(&point(1, -2)) && found.hi() >= Some(&point(1, -2)));
    assert_eq!(
        kl_inverse(&decimal("0.25"), &Enclosure::at_least(Some(Dyadic::zero()))).unwrap().hi(),
        Some(&Dyadic::one())
    );
    assert!(outside(kl_inverse(&decimal("1.5"), &zero)) && outside(kl_inverse(&zero, &decimal("-1"))));
    assert!(outside(kl(&zero, &decimal("2"), 64)) && kl(&decimal("0.5"), &zero, 64).is_err());
    assert_eq!(kl(&zero, &zero, 64), Ok(zero.clone()));
    // All trials fail, none do, no trial, more failures than trials, delta out of range.
    assert_eq!(binomial_tail_inverse(5, 5, &decimal("0.1")), Ok(one.clone()));
    let found = binomial_tail_inverse(20, 0, &decimal("0.05")).unwrap();
    let root = (Float::with_val(PREC, Float::parse("0.05").unwrap()).ln() / 20u32).exp();
    assert_contains(&found, &about(1 - root), "1 - 0.05^(1/20)");
    assert!(
        outside(binomial_tail_inverse(0, 0, &decimal("0.1"))) && outside(binomial_tail_inverse(3, 4, &decimal("0.1")))
    );
    assert!(outside(binomial_tail_inverse(3, 1, &zero)) && outside(binomial_tail_inverse(3, 1, &decimal("1.5"))));
    assert_eq!(binomial_tail(7, 7, &decimal("0.3"), 64), Ok(one.clone()));
    assert_eq!(binomial_tail(7, 3, &zero, 64), Ok(one.clone()));
    assert_eq!(binomial_tail(7, 3, &one, 64), Ok(zero));
}

/// A set of frequencies that contains 0 is not the frequency 0.
#[test]
fn intervals_of_frequencies_are_covered() {
    let p = decimal("0.25");
    let q = Enclosure::new(Some(Dyadic::zero()), Some(point(1, -1))).unwrap();
    // For a tiny p the relative entropies of the members differ by far: kl(1/2, p) is about 6, kl(0, p) about 0.
    let tiny = point(1, -20);
    if let Ok(found) = kl(&q, &Enclosure::exact(tiny.clone()), 64) {
        for member in [point(1, -1), point(1, -5), Dyadic::zero()] {
            assert_contains(&found, &about(entropy(&float(&member), &float(&tiny))), "kl of an interval");
        }
    }
    let narrow = Enclosure::new(Some(point(3, -3)), Some(point(1, -1))).unwrap();
    let found = kl(&narrow, &p, 64).unwrap();
    for member in [point(3, -3), point(7, -4), point(1, -1)] {
        assert_contains(&found, &about(entropy(&float(&member), &float(&point(1, -2)))), "kl of an interval");
    }
}

/// Points that certify nothing are refused: too small, or on the left branch where kl is large as well.
#[test]
fn points_are_refused_where_they_show_nothing() {
    let kl = Inverse::Kl { q: point(1, -2), c: point(1, -4) };
    let tail = Inverse::BinomialTail { n: 100, k: 3, delta: point(1, -5) };
    for inverse in [kl, tail] {
        let [low, high] = [Toward::Down, Toward::Up].map(|side| propose(&Question { inverse: inverse.clone(), side }));
        assert!(inverse.is_at_most(&high, 160) && inverse.is_at_most(&Dyadic::one(), 160));
        assert!(inverse.is_at_least(&low, 160) && inverse.is_at_least(&Dyadic::zero(), 160));
        let gap = point(1, -20);
        for b in [high.sub(&gap).unwrap(), low.clone(), point(1, -30), Dyadic::zero(), point(-1, 0)] {
            assert!(!inverse.is_at_most(&b, 160), "{b}");
        }
        for a in [low.add(&gap).unwrap(), high.clone(), Dyadic::one(), point(2, 0)] {
            assert!(!inverse.is_at_least(&a, 160), "{a}");
        }
    }
    // At `q` itself kl is 0: that is at most, and never at least, a positive c.
    assert!(!Inverse::Kl { q: point(1, -2), c: point(1, -90) }.is_at_most(&point(1, -2), 160));
    // All trials fail: no tail of k < n.
    let all = Inverse::BinomialTail { n: 3, k: 3, delta: point(1, -1) };
    assert!(!all.is_at_most(&point(1, -1), 160) && all.is_at_most(&Dyadic::one(), 160));
}

#[test]
fn points_that_are_missing_or_wrong_are_named() {
    let refusal = |found: Result<Enclosure, RealError>| found.expect_err("a refusal").to_string();
    let (q, c, delta) = (decimal("0.25"), decimal("0.0625"), decimal("0.03125"));
    let low = |question: &Question| Some(propose(&Question { side: Toward::Down, ..question.clone() }));
    let high = |question: &Question| Some(propose(&Question { side: Toward::Up, ..question.clone() }));
    let found = refusal(kl_inverse_at(&q, &c, &|_| None));
    assert_eq!(found, "expected a point above kl_inverse(0.25, 0.0625), found none");
    let found = refusal(kl_inverse_at(&q, &c, &low));
    assert!(found.starts_with("expected a point above kl_inverse(0.25, 0.0625), found 0.4"), "{found}");
    let found = refusal(kl_inverse_at(&q, &c, &high));
    assert!(found.starts_with("expected a point below kl_inverse(0.25, 0.0625), found 0.4"), "{found}");
    let found = refusal(binomial_tail_inverse_at(100, (3, 3), &delta, &|_| None));
    assert_eq!(found, "expected a point above binomial_tail_inverse(100, 3, 0.03125), found none");
    let found = refusal(binomial_tail_inverse_at(100, (3, 3), &delta, &low));
    assert!(found.starts_with("expected a point above binomial_tail_inverse(100, 3, 0.03125), found 0.0"), "{found}");
}
