//! Directed rounding, intervals, conversions and decimals against exact rationals.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use proptest::prelude::*;
use rug::float::Round;
use supremum::num::decimal::{self, lower, upper};
use supremum::num::round::{self, add_down, add_up, div_down, div_up, inf, mul_down, mul_up, sqrt_down, sqrt_up, sup};
use supremum::num::{Interval, MpInterval, NumError, exact, self_test};

const OMEGA: f64 = f64::MAX;
const ETA: f64 = f64::from_bits(1);

fn rational(x: f64) -> BigRational {
    exact::rational_of_f64(x).expect("finite")
}

/// The edges of the format, and what lies beside them.
fn special() -> Vec<f64> {
    let mut xs = vec![0.0, -0.0];
    for x in [
        ETA,
        f64::MIN_POSITIVE,
        1.0,
        1.5,
        3.0,
        0.1,
        1e-160,
        1e160,
        2f64.powi(-968),
        2f64.powi(-967),
        2f64.powi(1022),
        OMEGA,
    ] {
        for y in [x, x.next_up(), x.next_down()] {
            if y.is_finite() {
                xs.extend([y, -y]);
            }
        }
    }
    xs
}

fn any_float() -> impl Strategy<Value = f64> {
    let all = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite());
    let modest = -1e3f64..1e3;
    let edge = proptest::sample::select(special());
    prop_oneof![all, modest, edge]
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (any_float(), any_float()).prop_map(|(a, b)| Interval::new(a.min(b), a.max(b)).expect("ordered"))
}

/// `lo <= x <= hi`, where an infinite end is no bound.
fn encloses(lo: f64, hi: f64, x: &BigRational) -> bool {
    !lo.is_nan()
        && !hi.is_nan()
        && lo != f64::INFINITY
        && hi != f64::NEG_INFINITY
        && exact::rational_of_f64(lo).is_none_or(|l| &l <= x)
        && exact::rational_of_f64(hi).is_none_or(|h| x <= &h)
}

/// The directed operations at a pair of floats: they enclose the exact result, and are neighbours of the nearest one.
fn check_operations(a: f64, b: f64) {
    let (x, y) = (rational(a), rational(b));
    assert!(encloses(add_down(a, b), add_up(a, b), &(&x + &y)), "{a:e} + {b:e}");
    assert!(encloses(mul_down(a, b), mul_up(a, b), &(&x * &y)), "{a:e} * {b:e}");
    // Sums are the tightest: equal to the direct conversions of the exact value.
    let sum = &x + &y;
    if sum.abs() < rational(OMEGA / 2.0) {
        assert_eq!((add_down(a, b), add_up(a, b)), (exact::f64_down(&sum), exact::f64_up(&sum)), "{a:e} + {b:e}");
    }
    // So are products and quotients of normal numbers away from the ends of the range.
    let inner = |z: f64| z.is_normal() && z.abs() < 2f64.powi(1023);
    let product = &x * &y;
    let size = product.abs();
    if size >= rational(2f64.powi(-960)) && size <= rational(2f64.powi(1021)) && inner(a) && inner(b) {
        assert_eq!(
            (mul_down(a, b), mul_up(a, b)),
            (exact::f64_down(&product), exact::f64_up(&product)),
            "{a:e} * {b:e}"
        );
    }
    if b != 0.0 {
        let quotient = &x / &y;
        assert!(encloses(div_down(a, b), div_up(a, b), &quotient), "{a:e} / {b:e}");
        if quotient.abs() >= rational(1e-280)
            && quotient.abs() <= rational(1e280)
            && (1e-280..1e280).contains(&a.abs())
            && inner(b)
        {
            assert_eq!((div_down(a, b), div_up(a, b)), (exact::f64_down(&quotient), exact::f64_up(&quotient)));
        }
    } else {
        assert!(div_up(a, b).is_nan() && div_down(a, b).is_nan());
    }
    if a >= 0.0 {
        let (lo, hi) = (sqrt_down(a), sqrt_up(a));
        assert!(lo >= 0.0 || a == 0.0 || a < 1e-290);
        assert!(lo <= 0.0 || rational(lo) * rational(lo) <= x, "sqrt {a:e}");
        assert!(rational(hi) * rational(hi) >= x, "sqrt {a:e}");
        assert!(hi <= lo.next_up().next_up());
    }
}

#[test]
fn directed_operations_at_the_edges() {
    for a in special() {
        for b in special() {
            check_operations(a, b);
        }
    }
}

/// Every binade, both ends of it and the middle, both signs: the inflation reaches beyond the neighbours.
#[test]
fn inflation_reaches_the_neighbours_in_all_binades() {
    for exponent in 0..2047u64 {
        for mantissa in [0, 1, 2, (1 << 51) - 1, 1 << 51, (1 << 52) - 2, (1 << 52) - 1, 0x5_5555_5555_5555] {
            let c = f64::from_bits(exponent << 52 | mantissa);
            for c in [c, -c] {
                assert!(sup(c) >= c.next_up() && inf(c) <= c.next_down(), "{c:e}");
                // Not more than one float further.
                assert!(sup(c) <= c.next_up().next_up() && inf(c) >= c.next_down().next_down(), "{c:e}");
            }
        }
    }
}

/// Infinities and NaN, row by row of the special cases.
#[test]
fn special_values_of_the_inflation() {
    assert_eq!((sup(f64::INFINITY), inf(f64::INFINITY)), (f64::INFINITY, OMEGA));
    assert_eq!((sup(f64::NEG_INFINITY), inf(f64::NEG_INFINITY)), (-OMEGA, f64::NEG_INFINITY));
    assert!(sup(f64::NAN).is_nan() && inf(f64::NAN).is_nan());
    assert_eq!((sup(0.0), inf(0.0)), (ETA, -ETA));
    assert_eq!((sup(OMEGA), inf(OMEGA)), (f64::INFINITY, OMEGA.next_down()));
    // Knuth's TwoSum overflows inside although the sum is finite.
    let b = -1.5 * 2f64.powi(971);
    check_operations(OMEGA, b);
    check_operations(b, OMEGA);
    assert!(add_up(OMEGA, b) >= OMEGA + b && add_down(OMEGA, b) <= OMEGA + b);
    assert_eq!((add_down(OMEGA, OMEGA), add_up(OMEGA, OMEGA)), (OMEGA, f64::INFINITY));
    // A NaN is never repaired into a bound.
    assert!(add_up(f64::INFINITY, f64::NEG_INFINITY).is_nan());
    assert!(mul_up(f64::NAN, 0.0).is_nan() && div_up(f64::NAN, 1.0).is_nan());
}

#[test]
fn exact_results_are_not_widened() {
    let of = |x: f64| Interval::point(x).expect("finite");
    assert_eq!(of(1.0) + of(2.0), of(3.0));
    assert_eq!(of(0.1) - of(0.1), Interval::ZERO);
    assert_eq!(of(0.1) + Interval::ZERO, of(0.1));
    assert_eq!(Interval::ENTIRE * Interval::ZERO, Interval::ZERO);
    assert_eq!(of(3.0) * of(7.0), of(21.0));
    assert_eq!(of(21.0).checked_div(of(7.0)), Ok(of(3.0)));
    assert_eq!(of(4.0).sqrt(), Ok(of(2.0)));
    assert_eq!(Interval::new(-2.0, 1.0).map(Interval::sqr), Interval::new(0.0, 4.0));
    assert_eq!(Interval::try_from(0.1f32), Ok(of(f64::from(0.1f32))));
    assert!(!(of(0.1) + of(0.2)).is_point());
}

#[test]
fn invalid_ends_are_refused() {
    assert_eq!(Interval::new(f64::NAN, 1.0), Err(NumError::NotANumber));
    assert_eq!(Interval::new(1.0, 0.0), Err(NumError::Reversed));
    assert_eq!(Interval::new(f64::INFINITY, f64::INFINITY), Err(NumError::Reversed));
    assert_eq!(Interval::try_from(f64::INFINITY), Err(NumError::NotFinite));
    assert_eq!(Interval::try_from(f32::NAN), Err(NumError::NotANumber));
    let of = |lo, hi| Interval::new(lo, hi).expect("ordered");
    assert_eq!(of(1.0, 2.0).checked_div(of(0.0, 1.0)), Err(NumError::DivisionByZero));
    assert!(of(-1.0, 4.0).sqrt().is_err());
    assert_eq!(of(-1.0, 4.0).sqrt_of_nonnegative(), Ok(of(0.0, 2.0)));
    assert_eq!(of(0.0, 1.0).intersection(of(2.0, 3.0)), None);
}

#[test]
fn comparisons_have_three_values() {
    let of = |lo, hi| Interval::new(lo, hi).expect("ordered");
    let (a, b, c) = (of(0.0, 1.0), of(1.0, 2.0), of(3.0, f64::INFINITY));
    assert_eq!((a.le(b), a.lt(b), b.lt(a), b.le(a)), (Some(true), None, Some(false), None));
    assert_eq!((a.lt(c), c.le(a)), (Some(true), Some(false)));
    assert_eq!(
        (a.le(a), Interval::ONE.le(Interval::ONE), Interval::ONE.lt(Interval::ONE)),
        (None, Some(true), Some(false))
    );
    assert!(a.possibly_le(b) && b.possibly_le(a) && !b.possibly_lt(a) && !c.possibly_le(a));
    assert_eq!(Interval::ENTIRE.le(c), None);
}

#[test]
fn this_processor_passes_the_self_test() {
    assert_eq!(self_test(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn directed_operations_enclose(a in any_float(), b in any_float()) {
        check_operations(a, b);
    }

    /// Points of the arguments give points of the result, exactly.
    #[test]
    fn interval_operations_contain_exact_results(x in any_interval(), y in any_interval(), s in 0.0f64..1.0, t in 0.0f64..1.0) {
        let inside = |z: Interval, w: f64| (z.lo() * (1.0 - w) + z.hi() * w).clamp(z.lo(), z.hi());
        let (p, q) = (rational(inside(x, s)), rational(inside(y, t)));
        prop_assert!((x + y).contains_rational(&(&p + &q)));
        prop_assert!((x - y).contains_rational(&(&p - &q)));
        prop_assert!((x * y).contains_rational(&(&p * &q)));
        prop_assert!(x.sqr().contains_rational(&(&p * &p)));
        prop_assert!(x.sqr().lo() >= 0.0);
        prop_assert!(x.abs().contains_rational(&p.abs()));
        prop_assert!((-x).contains_rational(&-p.clone()));
        prop_assert!(x.hull(y).contains_rational(&p) && x.hull(y).contains_rational(&q));
        prop_assert!(x.min(y).contains_rational((&p).min(&q)));
        prop_assert!(x.max(y).contains_rational((&p).max(&q)));
        prop_assert!(rational(x.mag()) >= p.abs() && rational(x.mig()) <= p.abs());
        prop_assert!(x.contains(x.midpoint()));
        prop_assert!(exact::rational_of_f64(x.radius()).is_none_or(|r| (rational(x.midpoint()) - &p).abs() <= r));
        prop_assert!(exact::rational_of_f64(x.width()).is_none_or(|w| w >= rational(x.hi()) - rational(x.lo())));
        match x.checked_div(y) {
            Ok(z) => prop_assert!(z.contains_rational(&(&p / &q))),
            Err(_) => prop_assert!(y.contains_zero()),
        }
        if let Some(z) = x.intersection(y) {
            prop_assert!(z.is_subset(x) && z.is_subset(y));
        }
        // The comparison never contradicts a pair of points.
        prop_assert!(x.le(y) != Some(p > q) || p == q && x.le(y) == Some(true));
    }

    #[test]
    fn interval_operations_are_inclusion_monotone(x in any_interval(), y in any_interval(), z in any_interval()) {
        let outer = x.hull(z);
        prop_assert!((x + y).is_subset(outer + y) && (x - y).is_subset(outer - y) && (y - x).is_subset(y - outer));
        prop_assert!((x * y).is_subset(outer * y) && x.sqr().is_subset(outer.sqr()));
        if let (Ok(a), Ok(b)) = (x.checked_div(y), outer.checked_div(y)) {
            prop_assert!(a.is_subset(b));
        }
        if let (Ok(a), Ok(b)) = (y.checked_div(x), y.checked_div(outer)) {
            prop_assert!(a.is_subset(b));
        }
    }

    /// f64, MPFR and exact arithmetic: the MPFR result at 53 bits is the tightest, ours contains it and is at most a float wider.
    #[test]
    fn both_tiers_agree(x in any_interval(), y in any_interval()) {
        let of = |z: Interval| MpInterval::from_interval(53, z);
        let (mx, my) = (of(x), of(y));
        let mut pairs = vec![(x + y, &mx + &my), (x - y, &mx - &my), (x * y, &mx * &my), (x.sqr(), mx.sqr()), (x.abs(), mx.abs())];
        if let (Ok(a), Ok(b)) = (x.checked_div(y), mx.checked_div(&my)) {
            pairs.push((a, b));
        }
        for (ours, mp) in pairs {
            let tight = mp.to_interval();
            prop_assert!(tight.is_subset(ours), "{ours:?} {tight:?}");
            prop_assert!(ours.lo() >= tight.lo().next_down().next_down() && ours.hi() <= tight.hi().next_up().next_up());
        }
    }

    #[test]
    fn mpfr_operations_contain_exact_results(a in any_float(), b in any_float(), p in 53u32..200) {
        let of = |z: f64| MpInterval::from_f64(p, z).expect("finite");
        let (x, y) = (rational(a), rational(b));
        prop_assert!((&of(a) + &of(b)).contains_rational(&(&x + &y)));
        prop_assert!((&of(a) - &of(b)).contains_rational(&(&x - &y)));
        prop_assert!((&of(a) * &of(b)).contains_rational(&(&x * &y)));
        if b != 0.0 {
            prop_assert!(of(a).checked_div(&of(b)).expect("not zero").contains_rational(&(&x / &y)));
            let quotient = MpInterval::from_rational(p, &(&x / &y));
            prop_assert!(quotient.contains_rational(&(&x / &y)));
            let (lo, hi) = quotient.to_rationals().expect("bounded");
            prop_assert!(lo <= &x / &y && &x / &y <= hi);
        }
        prop_assert_eq!(exact::rational_of_float(of(a).lo()), Ok(x));
    }

    /// Directed conversion of a rational: by integers here, by MPFR, and both enclose.
    #[test]
    fn rationals_to_floats(n in any::<i128>(), d in 1i128.., shift in -1200i32..1200) {
        let power = BigRational::from_integer(BigInt::from(1) << shift.unsigned_abs());
        let x = BigRational::new(BigInt::from(n), BigInt::from(d));
        let x = if shift < 0 { x / power } else { x * power };
        let (lo, hi) = (exact::f64_down(&x), exact::f64_up(&x));
        prop_assert!(encloses(lo, hi, &x));
        prop_assert!(hi <= lo.next_up());
        let mp = MpInterval::from_rational(80, &x);
        prop_assert_eq!(mp.lo().to_f64_round(Round::Down), lo);
        prop_assert_eq!(mp.hi().to_f64_round(Round::Up), hi);
        prop_assert_eq!(Interval::from_rational(&x), Interval::new(lo, hi).expect("ordered"));
    }

    #[test]
    fn integers_to_intervals(n in any::<i128>(), m in any::<i64>(), k in any::<u64>()) {
        let check = |x: Interval, n: BigInt| x == Interval::from_rational(&BigRational::from_integer(n));
        prop_assert!(check(Interval::from(n), BigInt::from(n)));
        prop_assert!(check(Interval::from(m), BigInt::from(m)));
        prop_assert!(check(Interval::from(k), BigInt::from(k)));
    }

    #[test]
    fn scaling_rounds_once(x in any_float(), e in -2300i32..2300) {
        let scaled = round::scale_by_power_of_two(x, e);
        let two = BigRational::from_integer(BigInt::from(1) << e.unsigned_abs());
        let exact_value = if e < 0 { rational(x) / two } else { rational(x) * two };
        let (lo, hi) = (exact::f64_down(&exact_value), exact::f64_up(&exact_value));
        prop_assert!(scaled == lo || scaled == hi, "{x:e} 2^{e}: {scaled:e} outside {lo:e} {hi:e}");
        // To nearest: not farther than the other neighbour.
        if lo != hi && lo.is_finite() && hi.is_finite() {
            let distance = |y: f64| (rational(y) - &exact_value).abs();
            prop_assert!(distance(scaled) <= distance(lo).min(distance(hi)));
        }
        let (m, k) = round::frexp(x);
        prop_assert!(x == 0.0 || (0.5..1.0).contains(&m.abs()) && round::scale_by_power_of_two(m, k) == x);
    }

    /// Printed bounds are bounds, within one unit of the last digit, the same for all three kinds of numbers.
    #[test]
    fn printed_bounds_are_outward(x in any_float(), digits in 1usize..40) {
        let value = rational(x);
        let (down, up) = (lower(&x, digits), upper(&x, digits));
        let (lo, hi) = (decimal::parse(&down).expect("a decimal"), decimal::parse(&up).expect("a decimal"));
        prop_assert!(lo <= value && value <= hi, "{down} {x:e} {up}");
        let unit = BigRational::new(BigInt::from(1), num_traits::pow(BigInt::from(10), digits - 1));
        prop_assert!(&hi - &lo <= value.abs() * unit);
        prop_assert_eq!((&down, &up), (&lower(&value, digits), &upper(&value, digits)));
        let float = rug::Float::with_val(60, x);
        prop_assert_eq!((down, up), (lower(&float, digits), upper(&float, digits)));
    }

    #[test]
    fn printed_rationals_are_outward(n in any::<i64>(), d in 1i64.., digits in 1usize..30) {
        let x = BigRational::new(BigInt::from(n), BigInt::from(d));
        let (lo, hi) = (decimal::parse(&lower(&x, digits)).expect("a decimal"), decimal::parse(&upper(&x, digits)).expect("a decimal"));
        prop_assert!(lo <= x && x <= hi);
        let unit = BigRational::new(BigInt::from(1), num_traits::pow(BigInt::from(10), digits - 1));
        prop_assert!(&hi - &lo <= x.abs() * unit);
    }

    #[test]
    fn any_text_parses_or_is_refused(text in "[-+0-9.eE]{0,12}") {
        // Rust's parser accepts a superset (`.5`, `1.`, `inf`); where both accept, the values agree to rounding.
        if let Ok(x) = decimal::parse(&text) {
            let near: f64 = text.parse().expect("Rust accepts what we accept");
            if near.is_finite() {
                prop_assert!(exact::f64_down(&x) <= near && near <= exact::f64_up(&x));
            }
        }
    }
}

#[test]
fn decimals_are_exact() {
    let third_digit = decimal::parse("0.1").expect("a decimal") + decimal::parse("0.2").expect("a decimal");
    assert_eq!(third_digit, decimal::parse("0.3").expect("a decimal"));
    assert_eq!(decimal::parse("-12.50e-1"), Ok(BigRational::new(BigInt::from(-5), BigInt::from(4))));
    assert_eq!(decimal::parse("+3E+2"), Ok(BigRational::from_integer(BigInt::from(300))));
    assert!(!decimal::parse("1e-400").expect("a decimal").is_zero());
    let tenth = Interval::from_decimal("0.1").expect("a decimal");
    assert_eq!((tenth.lo(), tenth.hi()), (0.1f64.next_down(), 0.1));
    assert_eq!(Interval::from_decimal("1e400"), Ok(Interval::new(OMEGA, f64::INFINITY).expect("ordered")));
    assert_eq!(Interval::from_decimal("0.5"), Ok(Interval::point(0.5).expect("finite")));
}

#[test]
fn faulty_decimals_are_refused_with_their_place() {
    let at = |text: &str| match decimal::parse(text) {
        Err(NumError::Decimal { at, .. }) => Some(at),
        _ => None,
    };
    assert_eq!(at(""), Some(0));
    assert_eq!(at(".5"), Some(0));
    assert_eq!(at("1."), Some(2));
    assert_eq!(at("1e"), Some(2));
    assert_eq!(at("--3"), Some(1));
    assert_eq!(at("1_000"), Some(1));
    assert_eq!(at("0x10"), Some(1));
    assert_eq!(at("1 "), Some(1));
    assert_eq!(at("\u{0661}"), Some(0));
    assert_eq!(
        decimal::parse("1,5").map_err(|e| e.to_string()),
        Err("at byte 1: expected the end of the number, found `,`".into())
    );
    assert!(matches!(decimal::parse("1e100001"), Err(NumError::TooLarge { .. })));
    assert!(matches!(decimal::parse("1e-99999999999999999999999"), Err(NumError::TooLarge { .. })));
    assert!(matches!(decimal::parse(&"9".repeat(20_001)), Err(NumError::TooLarge { .. })));
    assert!(decimal::parse(&"9".repeat(20_000)).is_ok());
}

#[test]
fn bounds_print_in_both_forms() {
    assert_eq!((lower(&0.1, 3), upper(&0.1, 3)), ("0.1".into(), "0.101".into()));
    assert_eq!((lower(&-0.1, 2), upper(&-0.1, 2)), ("-0.11".into(), "-0.1".into()));
    assert_eq!(upper(&8.0, 17), "8");
    assert_eq!(upper(&0.1, 17), "0.10000000000000001");
    assert_eq!(upper(&0.1, 30), "0.100000000000000005551115123126");
    assert_eq!((lower(&12345.0, 2), upper(&12345.0, 2)), ("12000".into(), "13000".into()));
    assert_eq!((lower(&9.99, 2), upper(&9.99, 2)), ("9.9".into(), "10".into()));
    assert_eq!(upper(&1e300, 4), "1.001e300");
    assert_eq!(upper(&ETA, 2), "5e-324");
    assert_eq!(lower(&ETA, 2), "4.9e-324");
    assert_eq!(
        (upper(&0.0, 5), upper(&f64::INFINITY, 5), lower(&f64::NEG_INFINITY, 5)),
        ("0".into(), "inf".into(), "-inf".into())
    );
    assert_eq!(upper(&f64::NAN, 5), "nan");
    let third = BigRational::new(BigInt::from(1), BigInt::from(3));
    assert_eq!((lower(&third, 5), upper(&third, 5)), ("0.33333".into(), "0.33334".into()));
    // 2^(2^29) has 161614249 digits: printing it must not write them out.
    let huge = rug::Float::with_val(53, 1) << (1 << 29);
    assert!(upper(&huge, 3).ends_with("e161614248"));
    assert!(matches!(exact::rational_of_float(&huge), Err(NumError::TooLarge { .. })));
    let x = Interval::new(0.1, 0.2).expect("ordered");
    assert_eq!(format!("{x:.3}"), "[0.1, 0.201]");
}
