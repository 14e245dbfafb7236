//! Exact conversions between f64, MPFR and rationals, and directed ones where exactness is impossible.
//!
//! Trust: untrusted.

use super::error::NumError;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use rug::integer::Order;
use rug::{Float, Integer, Rational};

/// The largest binary exponent (in magnitude) of an MPFR number that becomes a rational; beyond, it would fill the memory.
pub const MAX_BINARY_EXPONENT: u64 = 1 << 20;

/// The rational that a finite f64 is, `None` for NaN and infinities.
pub fn rational_of_f64(x: f64) -> Option<BigRational> {
    BigRational::from_float(x)
}

/// The largest f64 at most `x`; -inf below all finite ones.
pub fn f64_down(x: &BigRational) -> f64 {
    if x.is_negative() { -magnitude(x, true) } else { magnitude(x, false) }
}

/// The least f64 at least `x`; +inf above all finite ones.
pub fn f64_up(x: &BigRational) -> f64 {
    if x.is_negative() { -magnitude(x, false) } else { magnitude(x, true) }
}

/// |x| rounded up or down to an f64. Rounded down, an overflow is the largest float.
fn magnitude(x: &BigRational, up: bool) -> f64 {
    if x.is_zero() {
        return 0.0;
    }
    let (n, d) = (x.numer().magnitude(), x.denom().magnitude());
    let bits = |k: &BigUint| i64::try_from(k.bits()).unwrap_or(i64::MAX);
    // |x| lies in [2^(e-1), 2^(e+1)).
    let e = bits(n).saturating_sub(bits(d));
    if e > 1026 {
        return if up { f64::INFINITY } else { f64::MAX };
    }
    if e < -1080 {
        return if up { f64::from_bits(1) } else { 0.0 };
    }
    // The quotient in units of 2^unit has 54 or 53 bits, or fewer where the result is subnormal.
    let unit = (e - 53).max(-1074);
    let shift = unit.unsigned_abs();
    let (numerator, denominator) = if unit < 0 { (n << shift, d.clone()) } else { (n.clone(), d << shift) };
    let (mut quotient, rest) = numerator.div_rem(&denominator);
    let mut unit = unit;
    let mut inexact = !rest.is_zero();
    if quotient.bits() > 53 {
        inexact |= quotient.bit(0);
        quotient >>= 1u32;
        unit += 1;
    }
    if inexact && up {
        quotient += 1u32;
    }
    // At most 2^53, hence exact; the scaling is exact too: the unit is at least 2^-1074. Overflow gives +inf.
    let significand = quotient.to_u64().map_or(f64::INFINITY, |q| q as f64);
    let value = super::round::scale_by_power_of_two(significand, i32::try_from(unit).unwrap_or(i32::MAX));
    if value.is_infinite() && !up { f64::MAX } else { value }
}

/// The MPFR-side integer equal to `n`.
pub fn integer_of_bigint(n: &BigInt) -> Integer {
    let (sign, digits) = n.to_u64_digits();
    let magnitude = Integer::from_digits(&digits, Order::Lsf);
    if sign == Sign::Minus { -magnitude } else { magnitude }
}

/// The `num_bigint` integer equal to `n`.
pub fn bigint_of_integer(n: &Integer) -> BigInt {
    let digits = n.to_digits::<u32>(Order::Lsf);
    let sign = match n.cmp0() {
        std::cmp::Ordering::Less => Sign::Minus,
        std::cmp::Ordering::Equal => Sign::NoSign,
        std::cmp::Ordering::Greater => Sign::Plus,
    };
    BigInt::from_biguint(sign, BigUint::new(digits))
}

/// The GMP-side rational equal to `x`.
pub fn rug_rational(x: &BigRational) -> Rational {
    // The denominator of a reduced `BigRational` is positive.
    Rational::from((integer_of_bigint(x.numer()), integer_of_bigint(x.denom())))
}

/// The rational that a finite MPFR number is.
///
/// # Errors
/// `NotFinite` for NaN and infinities, `TooLarge` for exponents beyond [`MAX_BINARY_EXPONENT`].
pub fn rational_of_float(x: &Float) -> Result<BigRational, NumError> {
    let (n, e) = x.to_integer_exp().ok_or(NumError::NotFinite)?;
    let shift = u64::from(e.unsigned_abs());
    if shift > MAX_BINARY_EXPONENT && n.cmp0().is_ne() {
        return Err(NumError::TooLarge { what: "a binary exponent", limit: MAX_BINARY_EXPONENT });
    }
    let n = bigint_of_integer(&n);
    Ok(match e {
        _ if n.is_zero() => BigRational::zero(),
        0.. => BigRational::from_integer(n << shift),
        _ => BigRational::new(n, BigInt::from(1) << shift),
    })
}
