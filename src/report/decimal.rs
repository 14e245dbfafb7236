//! Outward decimal printing of exact numbers.
//!
//! INVARIANT: a number printed upwards is at least the exact one, printed downwards at most.

use num_bigint::{BigInt, Sign};
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Pow, Signed, Zero};

/// Which way a printed number may leave the exact one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Down,
    Up,
}

/// Decimal exponents of positional notation; beyond them `d.ddde±n` is printed.
const POSITIONAL: std::ops::RangeInclusive<i64> = -6..=14;
/// Longest numerator and denominator, together, that [`exact_or_decimal`] prints exactly.
const EXACT_DIGITS: usize = 60;
/// Digits of an enclosure for scripts.
const FULL_DIGITS: u32 = 20;

/// At most `digits` significant decimal digits (at least 1), rounded outward; trailing zeros after the point are left out, so a number
/// that fits is printed exactly.
pub fn decimal(value: &BigRational, digits: u32, direction: Direction) -> String {
    if value.is_zero() {
        return "0".to_string();
    }
    let digits = i64::from(digits.clamp(1, 1000));
    let negative = value.is_negative();
    let away = (direction == Direction::Up) != negative;
    let (p, q) = (value.numer().magnitude().clone(), value.denom().magnitude().clone());
    let (p, q) = (BigInt::from_biguint(Sign::Plus, p), BigInt::from_biguint(Sign::Plus, q));
    let mut exponent = exponent_of(&p, &q);
    // value = mantissa * 10^(exponent - digits + 1) with `digits` digits in the mantissa.
    let scale = digits - 1 - exponent;
    let (p, q) = if scale >= 0 { (p * ten_to(scale), q) } else { (p, q * ten_to(-scale)) };
    let (mut mantissa, rest) = p.div_rem(&q);
    if away && !rest.is_zero() {
        mantissa += 1;
    }
    let mut text = mantissa.to_string();
    if text.len() as i64 > digits {
        // 9.99 rounded away is 10.0: one digit more, a zero.
        text.pop();
        exponent += 1;
    }
    place(&text, exponent, negative)
}

/// `p/q` or an integer if short enough, else a decimal of 20 digits rounded outward: the form of enclosures for scripts.
pub fn exact_or_decimal(value: &BigRational, direction: Direction) -> String {
    // log10(2) < 0.302: a bound of the digits without printing them.
    let digits = (value.numer().bits() + value.denom().bits()) as f64 * 0.302;
    if digits > EXACT_DIGITS as f64 {
        return decimal(value, FULL_DIGITS, direction);
    }
    value.to_string()
}

/// An integer with its digits in groups of three: `269 322`. The space is a no-break space.
pub fn grouped(value: &BigInt) -> String {
    let digits = value.magnitude().to_string();
    let mut text = String::new();
    if value.is_negative() {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{a0}');
        }
        text.push(digit);
    }
    text
}

/// The `e` with `10^e <= p/q < 10^(e+1)`, for positive `p`, `q`.
fn exponent_of(p: &BigInt, q: &BigInt) -> i64 {
    // A first guess by bits, off by at most one or two, corrected by exact comparison.
    let bits = p.bits() as i64 - q.bits() as i64;
    let mut e = (bits as f64 * std::f64::consts::LOG10_2).floor() as i64 - 1;
    let at_least = |e: i64| if e >= 0 { *p >= q * ten_to(e) } else { p * ten_to(-e) >= *q };
    while !at_least(e) {
        e -= 1;
    }
    while at_least(e + 1) {
        e += 1;
    }
    e
}

fn ten_to(n: i64) -> BigInt {
    if n == 0 { BigInt::one() } else { Pow::pow(BigInt::from(10), n.unsigned_abs()) }
}

fn place(mantissa: &str, exponent: i64, negative: bool) -> String {
    let significant = mantissa.trim_end_matches('0');
    let mut text = String::new();
    if negative {
        text.push('-');
    }
    if !POSITIONAL.contains(&exponent) {
        let (head, tail) = significant.split_at(significant.len().min(1));
        text.push_str(head);
        if !tail.is_empty() {
            text.push('.');
            text.push_str(tail);
        }
        text.push('e');
        text.push_str(&exponent.to_string());
        return text;
    }
    if exponent < 0 {
        text.push_str("0.");
        text.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
        text.push_str(significant);
        return text;
    }
    let whole = exponent as usize + 1;
    if significant.len() <= whole {
        text.push_str(significant);
        text.extend(std::iter::repeat_n('0', whole - significant.len()));
    } else {
        let (head, tail) = significant.split_at(whole);
        text.push_str(head);
        text.push('.');
        text.push_str(tail);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rational(p: i64, q: i64) -> BigRational {
        BigRational::new(p.into(), q.into())
    }

    /// The exact value of what was printed.
    fn read(text: &str) -> BigRational {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
        let exponent = exponent.parse::<i64>().unwrap() - fraction.len() as i64;
        if exponent >= 0 {
            BigRational::from(digits * ten_to(exponent))
        } else {
            BigRational::new(digits, ten_to(-exponent))
        }
    }

    #[test]
    fn known_values() {
        for (p, q, digits, down, up) in [
            (1, 3, 4, "0.3333", "0.3334"),
            (-1, 3, 4, "-0.3334", "-0.3333"),
            (8, 1, 3, "8", "8"),
            (999, 100, 2, "9.9", "10"),
            (123_456, 1, 3, "123000", "124000"),
            (1, 1_000_000, 3, "0.000001", "0.000001"),
            (1, 10_000_000, 3, "1e-7", "1e-7"),
            (2, 30_000_000, 3, "6.66e-8", "6.67e-8"),
            (0, 1, 3, "0", "0"),
            (100, 1, 1, "100", "100"),
        ] {
            assert_eq!(decimal(&rational(p, q), digits, Direction::Down), down);
            assert_eq!(decimal(&rational(p, q), digits, Direction::Up), up);
        }
        assert_eq!(decimal(&BigRational::from(ten_to(40)), 5, Direction::Up), "1e40");
        assert_eq!(exact_or_decimal(&rational(2, 6), Direction::Up), "1/3");
        assert_eq!(exact_or_decimal(&rational(8, 1), Direction::Up), "8");
        let long = BigRational::new(BigInt::one(), Pow::pow(BigInt::from(3), 200u64));
        // 3^-200 = 3.764861949599026...e-96 (computed apart, to 40 digits).
        assert_eq!(exact_or_decimal(&long, Direction::Down), "3.7648619495990264198e-96");
        assert_eq!(exact_or_decimal(&long, Direction::Up), "3.7648619495990264199e-96");
        for (n, text) in [(0, "0"), (1234, "1234"), (12_345, "12 345"), (-1_234_567, "-1 234 567")] {
            assert_eq!(grouped(&BigInt::from(n)).replace('\u{a0}', " "), text);
        }
    }

    proptest! {
        #[test]
        fn printing_is_outward_and_tight(p in any::<i64>(), q in 1..i64::MAX, digits in 1u32..25) {
            let value = rational(p, q);
            let (down, up) = (read(&decimal(&value, digits, Direction::Down)), read(&decimal(&value, digits, Direction::Up)));
            prop_assert!(down <= value && value <= up);
            // One unit in the last place, which is at most 10^(1 - digits) of the value, twice at a power of ten.
            let unit = value.abs() * BigRational::new(BigInt::from(10), ten_to(i64::from(digits)));
            prop_assert!(&up - &down <= unit * BigRational::from(BigInt::from(2)));
        }
    }
}
