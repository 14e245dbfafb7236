//! Numbers and arrays of numbers. Trust: kernel.
//!
//! A rational is `p` or `p/q` in lowest terms. A dyadic number is an integer, or `m*2^e` with an odd `m` and `e < 0` or a very large
//! one. An array is a list of dyadic numbers, or `[layout, byte, count]` or `[layout, byte, count, exponent]`, a place in the side file with
//! one of these layouts, little-endian; without an exponent it is zero:
//!
//! - `u8`: integers `m` from 0 to 255, each standing for `m * 2^exponent`;
//! - `i8`, `i16`, `i32`, `i64`: two's complement integers `m`, each standing for `m * 2^exponent`;
//! - `binary32`, `binary64`: the bits of IEEE 754 numbers, taken apart by integer operations; infinities and NaN are refused.

use super::document::SideRecord;
use super::json::Field;
use super::{DIGIT_LIMIT, EXPONENT_LIMIT, Reason, Refusal};
use crate::kernel::lipschitz;
use crate::kernel::net::Weight;
use crate::kernel::real::{self, Bits};
use crate::kernel::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::io::{self, Read, Seek};

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

/// Where the bytes of a side file come from.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// Bytes of the side file that are read and hashed at a time.
const PIECE: usize = 1 << 20;
/// Numbers of an array that are taken from it at a time.
const WORDS: usize = 1 << 12;

/// The side file, of which one piece is held at a time. A piece that is read again has the hash of the first time, so that what arrays
/// are made of is what the certificate's hash stands for, even if the file is altered meanwhile.
pub struct Side {
    source: RefCell<Box<dyn Source>>,
    length: u64,
    /// SHA-256 of each piece.
    pieces: Vec<[u8; 32]>,
    /// The piece that was read last, and its number.
    held: RefCell<(usize, Vec<u8>)>,
}

fn piece(source: &mut dyn Source) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let unreadable = |error: io::Error| Refusal::new(Reason::Side, format!("the side file cannot be read ({error})"));
    source.take(PIECE as u64).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

impl Side {
    /// Reads the file once. Errors: another length, another hash.
    pub fn open(record: &SideRecord, mut source: Box<dyn Source>) -> Result<Side, Refusal> {
        let (mut whole, mut pieces, mut length) = (Sha256::new(), Vec::new(), 0);
        // A file that goes on and on is read no further than one piece beyond its stated length.
        while length <= record.bytes {
            let bytes = piece(&mut *source)?;
            if bytes.is_empty() {
                break;
            }
            whole.update(&bytes);
            pieces.push(Sha256::digest(&bytes).into());
            length += bytes.len() as u64;
        }
        if length != record.bytes {
            let more = if length > record.bytes { "more" } else { &length.to_string() };
            let text = format!("expected {} bytes in `{}`, found {more}", record.bytes, record.file);
            return Err(Refusal::new(Reason::Side, text));
        }
        if hexadecimal(&whole.finalize()) != record.sha256 {
            let text = format!("`{}` was altered: its SHA-256 is not the certificate's", record.file);
            return Err(Refusal::new(Reason::Side, text));
        }
        Ok(Side { source: RefCell::new(source), length, pieces, held: RefCell::new((usize::MAX, Vec::new())) })
    }

    /// Nothing, for a certificate without a side file.
    pub fn none() -> Side {
        let held = RefCell::new((usize::MAX, Vec::new()));
        Side { source: RefCell::new(Box::new(io::empty())), length: 0, pieces: Vec::new(), held }
    }

    /// The bytes from `start` on. Errors: the file has been altered since it was opened.
    fn bytes(&self, start: usize, length: usize) -> Result<Vec<u8>, Refusal> {
        let mut found = Vec::with_capacity(length);
        let mut held = self.held.borrow_mut();
        while found.len() < length {
            let at = start + found.len();
            let number = at / PIECE;
            if held.0 != number {
                let mut source = self.source.borrow_mut();
                let altered = || Refusal::new(Reason::Side, "the side file was altered while it was read");
                source.seek(io::SeekFrom::Start((number * PIECE) as u64)).map_err(|_| altered())?;
                let bytes = piece(&mut **source)?;
                let hash: [u8; 32] = Sha256::digest(&bytes).into();
                if self.pieces.get(number) != Some(&hash) {
                    return Err(altered());
                }
                *held = (number, bytes);
            }
            let rest = held.1.get(at - number * PIECE..).unwrap_or_default();
            found.extend_from_slice(&rest[..rest.len().min(length - found.len())]);
        }
        Ok(found)
    }

    /// The array at a field, as mantissas and exponents. Errors: a place outside the side file, an unknown layout.
    fn array(&self, field: &Field) -> Result<Vec<(i64, i64)>, Refusal> {
        let list = field.list()?;
        let (layout, at, count, exponent) = match list.as_slice() {
            [layout, at, count] => (layout, at, count, 0),
            [layout, at, count, exponent] => {
                let e = i64::try_from(&integer(exponent, exponent.text()?)?).ok().filter(|e| e.abs() <= EXPONENT_LIMIT);
                match e {
                    Some(0) => return exponent.refuse(Reason::Spelling, "expected no exponent where it is zero"),
                    Some(e) => (layout, at, count, e),
                    None => {
                        return exponent.refuse(Reason::Limit, format!("expected an exponent up to {EXPONENT_LIMIT}"));
                    }
                }
            }
            _ => return field.refuse(Reason::Field, "expected a layout, a place, a count, and an exponent or none"),
        };
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
        let length = count
            .checked_mul(width)
            .filter(|length| start.checked_add(*length).is_some_and(|end| end as u64 <= self.length));
        let Some(length) = length else {
            let text = format!("expected {count} numbers at byte {start} of the side file, found its end");
            return field.refuse(Reason::Side, text);
        };
        let number = |word: u64| match (layout.text()?, width) {
            ("binary32", _) => binary(layout, word, 8, 23).map(|(m, e)| (m, e + exponent)),
            ("binary64", _) => binary(layout, word, 11, 52).map(|(m, e)| (m, e + exponent)),
            ("u8", _) => Ok((word as i64, exponent)),
            // Shifting left and back repeats the sign bit.
            (_, width) => {
                let unused = 64 - 8 * width as u32;
                Ok((((word << unused) as i64) >> unused, exponent))
            }
        };
        let mut numbers = Vec::with_capacity(count);
        for at in (start..start + length).step_by(WORDS * width) {
            let bytes = self.bytes(at, (start + length - at).min(WORDS * width))?;
            for chunk in bytes.chunks_exact(width) {
                numbers.push(number(chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))?);
            }
        }
        Ok(numbers)
    }

    /// Canonical weights: an odd mantissa, or zero.
    pub fn weights(&self, field: &Field) -> Result<Vec<Weight>, Refusal> {
        let weight = |field: &Field, m: i64, e: i64| {
            let zeros = if m == 0 { 0 } else { m.trailing_zeros() };
            let exponent = if m == 0 { 0 } else { e + i64::from(zeros) };
            match i16::try_from(exponent) {
                Ok(exponent) => Ok(Weight { mantissa: m >> zeros, exponent }),
                Err(_) => field.refuse(Reason::Limit, "expected an exponent of 16 bits"),
            }
        };
        if is_place(field) {
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

    pub fn dyadics(&self, field: &Field) -> Result<Vec<lipschitz::Dyadic>, Refusal> {
        if is_place(field) {
            let number = |(m, e)| {
                lipschitz::Dyadic::new(m, e)
                    .map_or_else(|| field.refuse(Reason::Limit, "expected a smaller exponent"), Ok)
            };
            return self.array(field)?.into_iter().map(number).collect();
        }
        field.list()?.iter().map(dyadic).collect()
    }

    pub fn integers(&self, field: &Field) -> Result<Vec<i64>, Refusal> {
        if is_place(field) {
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

/// Whether an array stands in the side file: its list begins with a layout, while no number begins with a letter.
fn is_place(field: &Field) -> bool {
    let first = field.first();
    first.is_some_and(|first| first.text().is_ok_and(|text| text.starts_with(|c: char| c.is_ascii_alphabetic())))
}

/// In hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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
