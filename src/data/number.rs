//! Exact conversion of stored numbers to dyadic weights, and exact arithmetic on them. Trust: checked.
//!
//! Every finite f16, bf16, f32 and f64 is `m * 2^e` with `|m| < 2^53`; the bits are taken apart by integer operations only.
//! Invariant: a weight made here is canonical (odd mantissa, or `0 * 2^0`), so equal numbers are equal values, and -0.0 is 0.
//! Arithmetic returns `None` where the exact result does not fit 63 bits; nothing is ever rounded.

use crate::kernel::net::Weight;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow, Zero};

/// `mantissa * 2^exponent` in canonical form, if the exponent fits.
pub fn dyadic(mantissa: i64, exponent: i32) -> Option<Weight> {
    if mantissa == 0 {
        return Some(Weight::default());
    }
    let shift = mantissa.trailing_zeros();
    let exponent = exponent.checked_add(i32::try_from(shift).ok()?)?;
    Some(Weight { mantissa: mantissa >> shift, exponent: i16::try_from(exponent).ok()? })
}

/// An integer, exactly.
pub fn from_integer(value: i64) -> Weight {
    // An exponent of at most 63 always fits.
    dyadic(value, 0).unwrap_or_default()
}

/// A binary floating-point number with `fraction` fraction bits and `width` bits in all; `None` for NaN and infinities.
fn from_bits(bits: u64, width: u32, fraction: u32) -> Option<Weight> {
    let exponent_bits = width - 1 - fraction;
    let all_ones = (1u64 << exponent_bits) - 1;
    let biased = (bits >> fraction) & all_ones;
    if biased == all_ones {
        return None;
    }
    let stored = bits & ((1u64 << fraction) - 1);
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    // Subnormal numbers have no implicit bit and the exponent of the smallest normal ones.
    let (significand, exponent) = if biased == 0 { (stored, 1) } else { (stored | (1u64 << fraction), biased as i32) };
    let negative = (bits >> (width - 1)) & 1 == 1;
    let magnitude = i64::try_from(significand).ok()?;
    dyadic(if negative { -magnitude } else { magnitude }, exponent - bias - i32::try_from(fraction).ok()?)
}

pub fn from_f16_bits(bits: u16) -> Option<Weight> {
    from_bits(u64::from(bits), 16, 10)
}

pub fn from_bf16_bits(bits: u16) -> Option<Weight> {
    from_bits(u64::from(bits), 16, 7)
}

pub fn from_f32(value: f32) -> Option<Weight> {
    from_bits(u64::from(value.to_bits()), 32, 23)
}

pub fn from_f64(value: f64) -> Option<Weight> {
    from_bits(value.to_bits(), 64, 52)
}

/// The exact product.
pub fn product(a: Weight, b: Weight) -> Option<Weight> {
    dyadic(a.mantissa.checked_mul(b.mantissa)?, i32::from(a.exponent) + i32::from(b.exponent))
}

/// The exact sum.
pub fn sum(a: Weight, b: Weight) -> Option<Weight> {
    if a.mantissa == 0 {
        return Some(b);
    }
    if b.mantissa == 0 {
        return Some(a);
    }
    let (high, low) = if a.exponent >= b.exponent { (a, b) } else { (b, a) };
    let shift = u32::try_from(i32::from(high.exponent) - i32::from(low.exponent)).ok()?;
    if shift >= 64 {
        return None;
    }
    // |mantissa| < 2^63 and shift < 64, so the shifted value is below 2^127.
    let total = (i128::from(high.mantissa) << shift) + i128::from(low.mantissa);
    let zeros = total.trailing_zeros().min(64);
    let mantissa = i64::try_from(total >> zeros).ok()?;
    dyadic(mantissa, i32::from(low.exponent).checked_add(i32::try_from(zeros).ok()?)?)
}

pub fn negated(a: Weight) -> Option<Weight> {
    Some(Weight { mantissa: a.mantissa.checked_neg()?, exponent: a.exponent })
}

/// The exact reciprocal: only a power of two has a dyadic one.
pub fn reciprocal(a: Weight) -> Option<Weight> {
    let a = dyadic(a.mantissa, i32::from(a.exponent))?;
    match a.mantissa {
        1 | -1 => dyadic(a.mantissa, -i32::from(a.exponent)),
        _ => None,
    }
}

pub fn to_rational(a: Weight) -> BigRational {
    let power = BigInt::one() << u32::from(a.exponent.unsigned_abs());
    let mantissa = BigInt::from(a.mantissa);
    if a.exponent >= 0 { BigRational::from_integer(mantissa * power) } else { BigRational::new(mantissa, power) }
}

/// Largest decimal exponent and longest literal that are read: a value beyond these is a mistake, and expanding it costs memory.
const DECIMAL_EXPONENT: i64 = 400;
const DECIMAL_DIGITS: usize = 1000;

/// The exact value of a decimal literal such as `-0.25`, `3e-4` or `17`; `None` if `text` is not one or is out of range.
pub fn from_decimal(text: &str) -> Option<BigRational> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, text.get(1..)?),
        b'+' => (false, text.get(1..)?),
        _ => (false, text),
    };
    let (digits, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (unsigned.get(..at)?, unsigned.get(at + 1..)?.parse::<i64>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = [whole, fraction].concat();
    if all.is_empty() || all.len() > DECIMAL_DIGITS || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if !(-DECIMAL_EXPONENT..=DECIMAL_EXPONENT).contains(&exponent) {
        return None;
    }
    let scale = exponent - i64::try_from(fraction.len()).ok()?;
    let mut value = BigRational::from_integer(all.parse::<BigInt>().ok()?);
    let power = BigRational::from_integer(Pow::pow(BigInt::from(10), scale.unsigned_abs()));
    if value.is_zero() {
        return Some(value);
    }
    value = if scale >= 0 { value * power } else { value / power };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stored_values_are_exact() {
        // The values follow from the definitions of the formats in IEEE 754-2008 and of bfloat16.
        assert_eq!(from_f16_bits(0x7BFF), Some(Weight { mantissa: 2047, exponent: 5 })); // 65504
        assert_eq!(from_f16_bits(0x0001), Some(Weight { mantissa: 1, exponent: -24 }));
        assert_eq!(from_f16_bits(0x8000), Some(Weight::default()));
        assert_eq!(from_f16_bits(0x7C00), None);
        assert_eq!(from_bf16_bits(0x7F7F), Some(Weight { mantissa: 255, exponent: 120 }));
        assert_eq!(from_bf16_bits(0x0001), Some(Weight { mantissa: 1, exponent: -133 }));
        assert_eq!(from_bf16_bits(0x7FC0), None);
        assert_eq!(from_f32(-0.0), Some(Weight::default()));
        assert_eq!(from_f64(f64::from_bits(1)), Some(Weight { mantissa: 1, exponent: -1074 }));
        assert_eq!(from_f64(f64::MAX), Some(Weight { mantissa: (1 << 53) - 1, exponent: 971 }));
        assert_eq!(from_f64(f64::NEG_INFINITY), None);
        assert_eq!(from_integer(i64::MIN), Weight { mantissa: -1, exponent: 63 });
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let big = Weight { mantissa: i64::MAX, exponent: 0 };
        assert_eq!(product(big, big), None);
        assert_eq!(sum(big, Weight { mantissa: 1, exponent: -1 }), None);
        assert_eq!(sum(big, Weight { mantissa: 1, exponent: 0 }), Some(Weight { mantissa: 1, exponent: 63 }));
        assert_eq!(reciprocal(Weight { mantissa: 3, exponent: 0 }), None);
        assert_eq!(reciprocal(Weight { mantissa: -1, exponent: 5 }), Some(Weight { mantissa: -1, exponent: -5 }));
        assert_eq!(reciprocal(Weight::default()), None);
    }

    #[test]
    fn decimals_are_exact() {
        let q = |n: i64, d: i64| Some(BigRational::new(n.into(), d.into()));
        assert_eq!(from_decimal("0.1"), q(1, 10));
        assert_eq!(from_decimal("-2.5e-1"), q(-1, 4));
        assert_eq!(from_decimal("+3E2"), q(300, 1));
        assert_eq!(from_decimal(".5"), q(1, 2));
        for bad in ["", "-", ".", "1e", "nan", "inf", "0x1", "1e401", "1_000", "1.2.3", "--1", "1e99999999999999999999"]
        {
            assert_eq!(from_decimal(bad), None, "{bad}");
        }
    }

    proptest! {
        /// The bits are taken apart as the rational library does it.
        #[test]
        fn f64_agrees_with_the_rational_library(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assert_eq!(from_f64(value).map(to_rational), BigRational::from_float(value));
        }

        #[test]
        fn sums_and_products_agree_with_rationals(a in any::<f32>(), b in any::<f32>()) {
            if let (Some(a), Some(b)) = (from_f32(a), from_f32(b)) {
                if let Some(s) = sum(a, b) { prop_assert_eq!(to_rational(s), to_rational(a) + to_rational(b)); }
                let p = product(a, b).unwrap();
                prop_assert_eq!(to_rational(p), to_rational(a) * to_rational(b));
            }
        }
    }
}
