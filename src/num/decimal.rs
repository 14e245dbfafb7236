//! Outward printing of bounds and exact parsing of decimals.
//!
//! Trust: untrusted. Printing rounds once, in the direction asked for; parsing never rounds.

use super::error::NumError;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{Pow, Signed, Zero};
use rug::Float;
use rug::float::Round;

/// The longest text that [`parse`] reads, in bytes.
pub const MAX_LENGTH: usize = 20_000;
/// The greatest magnitude of the exponent after `e`, and of the place of the last digit.
pub const MAX_EXPONENT: u32 = 100_000;
/// The most significant digits that are printed.
pub const MAX_DIGITS: usize = 10_000;

/// Where a printed bound may lie relative to the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Down,
    Up,
}

/// A number in decimal: the sign, and the magnitude 0.d1 d2 d3 ... times 10^exponent with d1 != 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digits {
    Zero,
    Infinite { negative: bool },
    NotANumber,
    Finite { negative: bool, digits: String, exponent: i64 },
}

/// A number that can be rounded to decimal digits in a direction.
pub trait Decimal {
    /// At most `count` significant digits, 1 <= `count` <= [`MAX_DIGITS`], rounded towards `direction`.
    fn digits(&self, count: usize, direction: Direction) -> Digits;
}

impl Decimal for f64 {
    fn digits(&self, count: usize, direction: Direction) -> Digits {
        Float::with_val(53, *self).digits(count, direction)
    }
}

impl Decimal for Float {
    fn digits(&self, count: usize, direction: Direction) -> Digits {
        let negative = self.is_sign_negative();
        if self.is_nan() {
            return Digits::NotANumber;
        }
        if self.is_infinite() {
            return Digits::Infinite { negative };
        }
        let round = match direction {
            Direction::Down => Round::Down,
            Direction::Up => Round::Up,
        };
        // MPFR takes at least one digit and rounds the signed value.
        match self.to_sign_string_exp_round(10, Some(count), round) {
            (negative, digits, Some(exponent)) => Digits::Finite { negative, digits, exponent: i64::from(exponent) },
            (_, _, None) => Digits::Zero,
        }
    }
}

impl Decimal for BigRational {
    fn digits(&self, count: usize, direction: Direction) -> Digits {
        if self.is_zero() {
            return Digits::Zero;
        }
        let negative = self.is_negative();
        let away = negative == (direction == Direction::Down);
        let (n, d) = (self.numer().magnitude(), self.denom().magnitude());
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let bits = |k: &BigUint| i64::try_from(k.bits()).unwrap_or(i64::MAX);
        // |x| lies in (2^(b-1), 2^(b+1)), so its decimal exponent is within 2 of b log10(2); the loop corrects the guess.
        let mut exponent = bits(n).saturating_sub(bits(d)).saturating_mul(30_103).div_euclid(100_000);
        let least = power_of_ten(count.saturating_sub(1));
        let most = &least * 10u32;
        loop {
            let scale = count.saturating_sub(exponent);
            let factor = power_of_ten(scale.saturating_abs());
            let (quotient, rest) = if scale >= 0 { (n * factor).div_rem(d) } else { n.div_rem(&(d * factor)) };
            if quotient >= most {
                exponent += 1;
            } else if quotient < least {
                exponent -= 1;
            } else {
                let up = away && !rest.is_zero();
                let rounded = if up { quotient + 1u32 } else { quotient };
                // 999... + 1 has one digit more and is a power of ten: its extra zero is trimmed later.
                if rounded == most {
                    exponent += 1;
                }
                return Digits::Finite { negative, digits: rounded.to_string(), exponent };
            }
        }
    }
}

fn power_of_ten(e: i64) -> BigUint {
    BigUint::from(10u32).pow(u64::try_from(e).unwrap_or(0))
}

/// The text of the largest decimal with `digits` significant digits that is at most `x`. `digits` is cut to
/// 1 ..= [`MAX_DIGITS`].
pub fn lower<T: Decimal + ?Sized>(x: &T, digits: usize) -> String {
    text(&x.digits(digits.clamp(1, MAX_DIGITS), Direction::Down))
}

/// The text of the least decimal with `digits` significant digits that is at least `x`. `digits` is cut to
/// 1 ..= [`MAX_DIGITS`].
pub fn upper<T: Decimal + ?Sized>(x: &T, digits: usize) -> String {
    text(&x.digits(digits.clamp(1, MAX_DIGITS), Direction::Up))
}

/// Decimal exponents in this range are written out; others take the scientific form `1.25e-9`.
const PLAIN: std::ops::RangeInclusive<i64> = -3..=17;

fn text(number: &Digits) -> String {
    let (negative, digits, exponent) = match number {
        Digits::Zero => return "0".to_owned(),
        Digits::NotANumber => return "nan".to_owned(),
        Digits::Infinite { negative } => return if *negative { "-inf".to_owned() } else { "inf".to_owned() },
        Digits::Finite { negative, digits, exponent } => (*negative, digits.trim_end_matches('0'), *exponent),
    };
    let sign = if negative { "-" } else { "" };
    let length = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
    if !PLAIN.contains(&exponent) {
        let (first, rest) = digits.split_at(digits.len().min(1));
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}e{}", exponent - 1);
    }
    if exponent <= 0 {
        format!("{sign}0.{}{digits}", zeros(-exponent))
    } else if length <= exponent {
        format!("{sign}{digits}{}", zeros(exponent - length))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(exponent).unwrap_or(0));
        format!("{sign}{whole}.{fraction}")
    }
}

/// The exact value of a decimal: `[+-] digits [. digits] [(e|E) [+-] digits]`.
///
/// # Errors
/// `Decimal` with the byte and the character found there; `TooLarge` beyond [`MAX_LENGTH`] bytes or [`MAX_EXPONENT`].
pub fn parse(input: &str) -> Result<BigRational, NumError> {
    if input.len() > MAX_LENGTH {
        return Err(NumError::TooLarge { what: "the length of a decimal number in bytes", limit: MAX_LENGTH as u64 });
    }
    let mut reader = Reader { input, at: 0 };
    let negative = reader.sign();
    let whole = reader.run_of_digits("a digit")?;
    let fraction = if reader.take('.') { reader.run_of_digits("a digit after the point")? } else { "" };
    let exponent = if reader.take('e') || reader.take('E') {
        let negative = reader.sign();
        let size = reader.run_of_digits("a digit of the exponent")?.trim_start_matches('0');
        let size = if size.is_empty() { Ok(0) } else { size.parse::<i64>() };
        let size = size.unwrap_or(i64::MAX).min(i64::from(u32::MAX));
        if negative { -size } else { size }
    } else {
        0
    };
    if reader.at < input.len() {
        return Err(reader.fault("the end of the number"));
    }
    let place = exponent.saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX));
    let limit = i64::from(MAX_EXPONENT);
    if exponent.abs() > limit || place.abs() > limit {
        return Err(NumError::TooLarge { what: "the exponent of a decimal number", limit: u64::from(MAX_EXPONENT) });
    }
    // Digits only, so the radix conversion has a value.
    let digits = BigInt::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10).unwrap_or_default();
    let digits = if negative { -digits } else { digits };
    let factor = BigInt::from(power_of_ten(place.abs()));
    Ok(if place >= 0 { BigRational::from_integer(digits * factor) } else { BigRational::new(digits, factor) })
}

struct Reader<'a> {
    input: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.input.get(self.at..).unwrap_or("")
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    /// Reads an optional sign; true for minus.
    fn sign(&mut self) -> bool {
        let negative = self.take('-');
        if !negative {
            self.take('+');
        }
        negative
    }

    fn run_of_digits(&mut self, expected: &'static str) -> Result<&'a str, NumError> {
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.fault(expected));
        }
        self.at += length;
        Ok(rest.get(..length).unwrap_or(""))
    }

    fn fault(&self, expected: &'static str) -> NumError {
        let found = self.rest().chars().next().map_or("the end".to_owned(), |c| format!("`{}`", c.escape_debug()));
        NumError::Decimal { at: self.at, expected, found }
    }
}
