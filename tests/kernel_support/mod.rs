//! MPFR as the judge of the kernel's enclosures.
#![allow(dead_code, reason = "every test uses its part")]

use num_bigint::{BigInt, Sign};
use rug::Float;
use rug::float::Round;
use rug::integer::Order;
use std::cmp::Ordering;
use supremum::kernel::real::{Bits, Dyadic, Enclosure};

/// The integer as a float, exactly.
pub fn integer(n: &BigInt) -> Float {
    let mut magnitude = rug::Integer::from_digits(&n.magnitude().to_bytes_le(), Order::Lsf);
    if n.sign() == Sign::Minus {
        magnitude = -magnitude;
    }
    Float::with_val(u32::try_from(n.bits()).expect("a short integer").max(2), magnitude)
}

/// The dyadic number as a float, exactly.
pub fn float(x: &Dyadic) -> Float {
    integer(x.mantissa()) << i32::try_from(x.exponent()).expect("an exponent of MPFR's range")
}

/// The float as a dyadic number, exactly.
pub fn dyadic(x: &Float) -> Dyadic {
    let Some((mantissa, exponent)) = x.to_integer_exp() else { panic!("a finite float, found {x}") };
    let magnitude = BigInt::from_bytes_le(Sign::Plus, &mantissa.to_digits::<u8>(Order::Lsf));
    let mantissa = if mantissa.cmp0().is_lt() { -magnitude } else { magnitude };
    Dyadic::new(mantissa, i64::from(exponent)).expect("a moderate exponent")
}

/// `mantissa * 2^exponent`.
pub fn point(mantissa: i64, exponent: i64) -> Dyadic {
    Dyadic::new(BigInt::from(mantissa), exponent).expect("a moderate exponent")
}

/// A function in place, rounded in a direction to the argument's precision.
pub type Judge = fn(&mut Float, Round) -> Ordering;

/// The function at an exact point, rounded down and up to at least `prec` bits.
pub fn bracket(x: &Dyadic, prec: u32, judge: Judge) -> (Float, Float) {
    let x = float(x);
    let at = |round| {
        let mut y = Float::with_val(prec.max(x.prec()), &x);
        judge(&mut y, round);
        y
    };
    (at(Round::Down), at(Round::Up))
}

/// Asserts `lo <= f <= hi` for the value `f` in `[down, up]`; at best it could be off by the width of that bracket.
#[track_caller]
pub fn assert_contains(found: &Enclosure, (down, up): &(Float, Float), what: &str) {
    assert!(!down.is_nan() && !up.is_nan(), "{what}: the judge has no value");
    let low_ok = found.lo().is_none_or(|lo| float(lo) <= *up);
    let high_ok = found.hi().is_none_or(|hi| float(hi) >= *down);
    assert!(low_ok && high_ok, "{what}: {found} misses [{down}, {up}]");
}

/// The logarithm base two of `(hi - lo) / |value|`; `None` for a point.
#[track_caller]
pub fn relative_bits(found: &Enclosure, value: &Float) -> Option<f64> {
    let (Some(lo), Some(hi)) = (found.lo(), found.hi()) else { panic!("a bounded enclosure, found {found}") };
    let width = Float::with_val(64, float(hi) - float(lo));
    if width.is_zero() {
        return None;
    }
    Some((Float::with_val(64, width / value.clone().abs())).log2().to_f64())
}

/// Asserts a width of at most `2^slack` units of the last of `bits` places.
#[track_caller]
pub fn assert_narrow(found: &Enclosure, value: &Float, bits: Bits, slack: f64, what: &str) {
    if let Some(width) = relative_bits(found, value) {
        assert!(
            width <= slack - f64::from(bits),
            "{what}: width 2^{width} at {bits} bits, allowed 2^({slack} - {bits})"
        );
    }
}

/// Whether `inner` lies in `outer`.
pub fn lies_in(inner: &Enclosure, outer: &Enclosure) -> bool {
    let low = outer.lo().is_none_or(|b| inner.lo().is_some_and(|a| b <= a));
    low && outer.hi().is_none_or(|b| inner.hi().is_some_and(|a| a <= b))
}
