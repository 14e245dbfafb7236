//! Relative entropy, binomial tails and their inverses: against MPFR, against values from the literature, to twelve digits.
#![cfg(feature = "engine")]

mod kernel_support;

use kernel_support::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use rug::Float;
use supremum::kernel::real::{
    Dyadic, Enclosure, RealError, binomial_inverse_upper_holds, binomial_tail, binomial_tail_inverse, kl, kl_inverse,
    kl_inverse_upper_holds,
};

const PREC: u32 = 500;

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

    /// Each end of an inverse is on its side, and they agree to twelve digits.
    #[test]
    fn entropy_inverses(q in 0i64..1 << 30, rarity in 0i64..30, c in 1i64..1 << 30, small in 0i64..40) {
        let (q, c) = (point(q, -30 - rarity), point(c, -30 - small));
        let found = kl_inverse(&Enclosure::exact(q.clone()), &Enclosure::exact(c.clone()), 128).unwrap();
        let (lo, hi) = (found.lo().unwrap(), found.hi().unwrap());
        prop_assert!(*lo >= q && *hi <= Dyadic::one());
        if *hi < Dyadic::one() {
            prop_assert!(entropy(&float(&q), &float(hi)) >= about(float(&c)).0);
        }
        prop_assert!(*lo == q || entropy(&float(&q), &float(lo)) <= about(float(&c)).1);
        let width = relative_bits(&found, &float(hi)).unwrap_or(-99.0);
        prop_assert!(width < -40.0, "kl_inverse({q}, {c}) is 2^{width} wide: {found}");
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
    assert!(width < -50.0, "{what}: 2^{width} wide");
    assert_contains(found, &(down, up), what);
}

#[test]
fn reference_values() {
    for (k, n, code, delta, binomial, entropy) in REFERENCE {
        let power = BigRational::new(1.into(), BigInt::from(1) << code);
        let delta = decimal(delta).mul(&Enclosure::point(&power, 600), 600);
        if let Some(digits) = binomial {
            let found = binomial_tail_inverse(n, k, &delta, 128).unwrap();
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
            let found = kl_inverse(&q, &c, 128).unwrap();
            assert_digits(&found, digits, &format!("kl inverse of {k}/{n}"));
        }
    }
}

/// More bits locate an inverse more closely, and the finer enclosure lies in the coarser one.
#[test]
fn inverses_sharpen_with_precision() {
    let (q, c) = (decimal("0.05"), decimal("0.01"));
    let delta = decimal("0.05");
    for finder in
        [&|bits| kl_inverse(&q, &c, bits).unwrap(), &|bits| binomial_tail_inverse(300, 7, &delta, bits).unwrap()]
            as [&dyn Fn(u32) -> Enclosure; 2]
    {
        let found = [64, 128, 256].map(finder);
        assert!(lies_in(&found[1], &found[0]) && lies_in(&found[2], &found[1]));
        let width = |i: usize| relative_bits(&found[i], &float(found[i].hi().unwrap())).unwrap();
        assert!(width(0) < -28.0 && width(1) < -60.0 && width(2) < -120.0, "{} {} {}", width(0), width(1), width(2));
    }
}

#[test]
fn edges() {
    let (zero, one) = (Enclosure::exact_int(0), Enclosure::exact_int(1));
    let outside = |found: Result<Enclosure, RealError>| matches!(found, Err(RealError::OutsideDomain { .. }));
    // q = 0: kl(0, p) = -ln(1 - p), so the inverse is 1 - e^-c.
    let found = kl_inverse(&zero, &decimal("0.5"), 128).unwrap();
    let value = Float::with_val(PREC, -0.5).exp();
    assert_contains(&found, &about(1 - value), "1 - e^-1/2");
    assert_eq!(kl_inverse(&one, &decimal("0.5"), 128), Ok(one.clone()));
    let found = kl_inverse(&decimal("0.25"), &zero, 128).unwrap();
    assert!(found.lo() <= Some(&point(1, -2)) && found.hi() >= Some(&point(1, -2)));
    assert_eq!(
        kl_inverse(&decimal("0.25"), &Enclosure::at_least(Some(Dyadic::zero())), 128).unwrap().hi(),
        Some(&Dyadic::one())
    );
    assert!(outside(kl_inverse(&decimal("1.5"), &zero, 128)) && outside(kl_inverse(&zero, &decimal("-1"), 128)));
    assert!(outside(kl(&zero, &decimal("2"), 64)) && kl(&decimal("0.5"), &zero, 64).is_err());
    assert_eq!(kl(&zero, &zero, 64), Ok(zero.clone()));
    // All trials fail, none do, no trial, more failures than trials, delta out of range.
    assert_eq!(binomial_tail_inverse(5, 5, &decimal("0.1"), 128), Ok(one.clone()));
    let found = binomial_tail_inverse(20, 0, &decimal("0.05"), 128).unwrap();
    let root = (Float::with_val(PREC, Float::parse("0.05").unwrap()).ln() / 20u32).exp();
    assert_contains(&found, &about(1 - root), "1 - 0.05^(1/20)");
    assert!(
        outside(binomial_tail_inverse(0, 0, &decimal("0.1"), 64))
            && outside(binomial_tail_inverse(3, 4, &decimal("0.1"), 64))
    );
    assert!(
        outside(binomial_tail_inverse(3, 1, &zero, 64)) && outside(binomial_tail_inverse(3, 1, &decimal("1.5"), 64))
    );
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
fn certificates_of_inverses_are_refused_where_they_fail() {
    let (q, c) = (point(1, -2), point(1, -4));
    let found = kl_inverse(&Enclosure::exact(q.clone()), &Enclosure::exact(c.clone()), 128).unwrap();
    let hi = found.hi().unwrap();
    assert!(kl_inverse_upper_holds(&q, &c, hi, 160) && kl_inverse_upper_holds(&q, &c, &Dyadic::one(), 160));
    let small = hi.sub(&point(1, -20)).unwrap();
    for b in [small, point(1, -30), q.clone(), Dyadic::zero(), point(-1, 0)] {
        assert!(!kl_inverse_upper_holds(&q, &c, &b, 160), "{b}");
    }
    let delta = point(1, -5);
    let found = binomial_tail_inverse(100, 3, &Enclosure::exact(delta.clone()), 128).unwrap();
    let hi = found.hi().unwrap();
    assert!(binomial_inverse_upper_holds(100, 3, &delta, hi, 160));
    let small = hi.sub(&point(1, -20)).unwrap();
    for b in [small, Dyadic::zero(), point(-1, 0)] {
        assert!(!binomial_inverse_upper_holds(100, 3, &delta, &b, 160), "{b}");
    }
    assert!(!binomial_inverse_upper_holds(3, 3, &delta, &point(1, -1), 160));
    assert!(binomial_inverse_upper_holds(3, 3, &delta, &Dyadic::one(), 160));
}
