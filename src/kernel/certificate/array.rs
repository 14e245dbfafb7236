//! Numbers and arrays of numbers. Trust: kernel.
//!
//! A rational is `p` or `p/q` in lowest terms. A dyadic number is an integer, or `m*2^e` with an odd `m` and `e < 0` or a very large
//! one. An array is a list of dyadic numbers, or a place in the side file with one of these layouts, little-endian:
//!
//! - `u8`: integers `m` from 0 to 255, each standing for `m * 2^exponent`;
//! - `i8`, `i16`, `i32`, `i64`: two's complement integers `m`, each standing for `m * 2^exponent`;
//! - `binary32`, `binary64`: the bits of IEEE 754 numbers, taken apart by integer operations; infinities and NaN are refused.

use super::json::Field;
use super::{DIGIT_LIMIT, EXPONENT_LIMIT, Reason, Refusal};
use crate::kernel::lipschitz;
use crate::kernel::net::Weight;
use crate::kernel::real::{self, Bits};
use crate::kernel::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// Integers up to this many bits are spelled without a power of two.
pub const PLAIN_BITS: i64 = 96;

/// An integer with its canonical spelling: no sign `+`, no leading zeros.
pub fn integer(field: &Field, text: &str) -> Result<BigInt, Refusal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.len() > DIGIT_LIMIT {
        return field.refuse(Reason::Limit, format!("expected at most {DIGIT_LIMIT} digits, found {}", digits.len()));
    }
    let is_canonical = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !digits.starts_with('0'));
    match text.parse::<BigInt>() {
        Ok(n) if is_canonical => Ok(n),
        _ => field.refuse(Reason::Number, format!("expected an integer such as `-12`, found `{}`", short(text))),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// `p` or `p/q` in lowest terms with `q >= 2`.
pub fn rational(field: &Field) -> Result<BigRational, Refusal> {
    let text = field.text()?;
    let Some((numerator, denominator)) = text.split_once('/') else {
        return Ok(BigRational::from_integer(integer(field, text)?));
    };
    let (p, q) = (integer(field, numerator)?, integer(field, denominator)?);
    if q > BigInt::zero() {
        let value = BigRational::new(p, q);
        if value.to_string() == text {
            return Ok(value);
        }
    }
    field.refuse(Reason::Number, format!("expected a fraction in lowest terms, found `{}`", short(text)))
}

/// Mantissa and exponent of `m` or `m*2^e`; the exponent is at most `limit` in magnitude.
fn parts(field: &Field, limit: i64) -> Result<(BigInt, i64), Refusal> {
    let text = field.text()?;
    let Some((mantissa, exponent)) = text.split_once("*2^") else {
        let n = integer(field, text)?;
        if n.bits() as i64 > PLAIN_BITS && n.trailing_zeros() != Some(0) {
            return field.refuse(Reason::Number, "expected `m*2^e` for a long even integer");
        }
        return Ok((n, 0));
    };
    let (m, e) = (integer(field, mantissa)?, integer(field, exponent)?);
    let Some(e) = i64::try_from(&e).ok().filter(|e| e.abs() <= limit) else {
        return field.refuse(Reason::Limit, format!("expected an exponent up to {limit}, found `{}`", short(exponent)));
    };
    let is_canonical = m.trailing_zeros() == Some(0) && (e < 0 || m.bits() as i64 + e > PLAIN_BITS);
    if is_canonical {
        return Ok((m, e));
    }
    field.refuse(Reason::Number, format!("expected an odd mantissa, found `{}`", short(text)))
}

/// A size: an integer `>= 0` that may exceed 64 bits.
pub fn size(field: &Field) -> Result<u128, Refusal> {
    let n = integer(field, field.text()?)?;
    u128::try_from(n).or_else(|_| field.refuse(Reason::Number, "expected an integer from 0 to 2^128"))
}

/// An end of an enclosure: a rational or a dyadic number of any magnitude; `null` where there is none.
pub fn end(field: &Field, bits: Bits) -> Result<Option<Value>, Refusal> {
    if field.is_null() {
        return Ok(None);
    }
    if !field.text()?.contains("*2^") {
        return Ok(Some(Value::rational(&rational(field)?, bits)));
    }
    Ok(Some(Value::approximate(real::Enclosure::exact(point(field)?))))
}

/// A dyadic number of any magnitude.
pub fn point(field: &Field) -> Result<real::Dyadic, Refusal> {
    let (m, e) = parts(field, real::MAX_EXPONENT)?;
    real::Dyadic::new(m, e).or_else(|error| field.refuse(Reason::Limit, error))
}

/// A dyadic number of a witness.
pub fn dyadic(field: &Field) -> Result<lipschitz::Dyadic, Refusal> {
    let (m, e) = parts(field, EXPONENT_LIMIT)?;
    lipschitz::Dyadic::from_parts(m, e).map_or_else(|| field.refuse(Reason::Limit, "expected a smaller exponent"), Ok)
}

/// The bytes of the side file.
#[derive(Clone, Copy)]
pub struct Side<'s>(pub &'s [u8]);

impl Side<'_> {
    /// The array at a field, as mantissas and exponents. Errors: a place outside the side file, an unknown layout.
    fn array(self, field: &Field) -> Result<Vec<(i64, i64)>, Refusal> {
        let [at, count, exponent, layout] = field.fields(["at", "count", "exponent", "layout"])?;
        let (start, count) = (at.natural()?, count.natural()?);
        let width = match layout.text()? {
            "u8" | "i8" => 1,
            "i16" => 2,
            "i32" | "binary32" => 4,
            "i64" | "binary64" => 8,
            other => {
                return layout.refuse(
                    Reason::Field,
                    format!("expected u8, i8, i16, i32, i64, binary32 or binary64, found `{other}`"),
                );
            }
        };
        let bytes = count.checked_mul(width).and_then(|length| self.0.get(start..start.checked_add(length)?));
        let Some(bytes) = bytes else {
            let text = format!("expected {count} numbers at byte {start} of the side file, found its end");
            return field.refuse(Reason::Side, text);
        };
        let exponent = i64::try_from(&integer(&exponent, exponent.text()?)?).ok().filter(|e| e.abs() <= EXPONENT_LIMIT);
        let Some(exponent) = exponent else {
            return field.refuse(Reason::Limit, format!("expected an exponent up to {EXPONENT_LIMIT}"));
        };
        let word = |chunk: &[u8]| chunk.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let numbers = bytes.chunks_exact(width).map(|chunk| match (layout.text()?, width) {
            ("binary32", _) => binary(&layout, word(chunk), 8, 23).map(|(m, e)| (m, e + exponent)),
            ("binary64", _) => binary(&layout, word(chunk), 11, 52).map(|(m, e)| (m, e + exponent)),
            ("u8", _) => Ok((word(chunk) as i64, exponent)),
            // Shifting left and back repeats the sign bit.
            (_, width) => {
                let unused = 64 - 8 * width as u32;
                Ok((((word(chunk) << unused) as i64) >> unused, exponent))
            }
        });
        numbers.collect()
    }

    /// Canonical weights: an odd mantissa, or zero.
    pub fn weights(self, field: &Field) -> Result<Vec<Weight>, Refusal> {
        let weight = |field: &Field, m: i64, e: i64| {
            let zeros = if m == 0 { 0 } else { m.trailing_zeros() };
            let exponent = if m == 0 { 0 } else { e + i64::from(zeros) };
            match i16::try_from(exponent) {
                Ok(exponent) => Ok(Weight { mantissa: m >> zeros, exponent }),
                Err(_) => field.refuse(Reason::Limit, "expected an exponent of 16 bits"),
            }
        };
        if field.is_map() {
            return self.array(field)?.into_iter().map(|(m, e)| weight(field, m, e)).collect();
        }
        let numbers = field.list()?.into_iter().map(|item| {
            let (m, e) = parts(&item, EXPONENT_LIMIT)?;
            match i64::try_from(&m) {
                Ok(m) => weight(&item, m, e),
                Err(_) => item.refuse(Reason::Limit, "expected a mantissa of 64 bits"),
            }
        });
        numbers.collect()
    }

    pub fn dyadics(self, field: &Field) -> Result<Vec<lipschitz::Dyadic>, Refusal> {
        if field.is_map() {
            let number = |(m, e)| {
                lipschitz::Dyadic::new(m, e)
                    .map_or_else(|| field.refuse(Reason::Limit, "expected a smaller exponent"), Ok)
            };
            return self.array(field)?.into_iter().map(number).collect();
        }
        field.list()?.iter().map(dyadic).collect()
    }

    pub fn integers(self, field: &Field) -> Result<Vec<i64>, Refusal> {
        if field.is_map() {
            let number = |(m, e)| if e == 0 { Ok(m) } else { field.refuse(Reason::Number, "expected integers") };
            return self.array(field)?.into_iter().map(number).collect();
        }
        let number = |item: Field| {
            let n = integer(&item, item.text()?)?;
            i64::try_from(&n).or_else(|_| item.refuse(Reason::Limit, "expected an integer of 64 bits"))
        };
        field.list()?.into_iter().map(number).collect()
    }
}

/// Takes the bits of a binary floating-point number apart.
fn binary(field: &Field, bits: u64, exponent_bits: u32, fraction_bits: u32) -> Result<(i64, i64), Refusal> {
    let all_ones = (1u64 << exponent_bits) - 1;
    let biased = bits >> fraction_bits & all_ones;
    if biased == all_ones {
        return field.refuse(Reason::Number, "expected finite numbers, found an infinity or NaN");
    }
    let fraction = bits & ((1 << fraction_bits) - 1);
    // Subnormal numbers have no hidden bit and the exponent of the smallest normal ones.
    let (magnitude, exponent) = if biased == 0 { (fraction, 1) } else { (fraction | 1 << fraction_bits, biased) };
    let bias = (1i64 << (exponent_bits - 1)) - 1 + i64::from(fraction_bits);
    let sign = if bits >> (exponent_bits + fraction_bits) & 1 == 1 { -1 } else { 1 };
    Ok((sign * magnitude as i64, exponent as i64 - bias))
}
