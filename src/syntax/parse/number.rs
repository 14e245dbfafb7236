//! Literals to exact rationals.

use super::input::{Input, Parse, fail};
use crate::syntax::ast::{Expr, ExprKind, Number};
use crate::syntax::token::Symbol;
use crate::text::Diagnostic;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Zero};

/// Longest accepted literal and largest accepted decimal exponent.
pub const MAX_DIGITS: usize = 16_384;

/// `NUMBER ["%"]`
pub fn number(input: Input<'_>) -> Parse<'_, Expr> {
    let token = input.token();
    let written = input.context.source.slice(token.span());
    let mut rest = input.advance();
    let percent = rest.at_symbol(0, Symbol::Percent);
    if percent {
        rest = rest.advance();
    }
    let limit = |title: String| {
        fail(
            Diagnostic::limit("E0111", title)
                .at(token.span(), "too long")
                .help("write a product of powers: `3 * 10^20`"),
        )
    };
    if written.len() > MAX_DIGITS {
        return limit(format!("expected a number of at most {MAX_DIGITS} digits, found {}", written.len()));
    }
    let Some((value, exponent)) = value(written, percent) else {
        return limit(format!("expected a decimal exponent between -{MAX_DIGITS} and {MAX_DIGITS}, found `{written}`"));
    };
    // An exponent of a few characters asks for thousands of digits; all of them together are bounded.
    let left = &input.context.digits_left;
    match left.get().checked_sub(exponent) {
        Some(fewer) => left.set(fewer),
        None => return limit("expected fewer large exponents in one file, found too many".to_string()),
    }
    let literal = if percent { format!("{written}%") } else { written.to_string() };
    Ok((rest, Expr::new(ExprKind::Number(Number { value, literal }), rest.span_from(input))))
}

/// The value and the size of its decimal exponent, or `None` for an exponent out of range.
fn value(written: &str, percent: bool) -> Option<(BigRational, usize)> {
    let plain: String = written.chars().filter(|c| *c != '_').collect();
    let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
        None => (plain.as_str(), 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // A trailing zero cancels against the power of ten; without them the reduction below is by 2 only or by 5 only.
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let shift = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_sub(if percent { 2 } else { 0 })?
        .checked_add(i64::try_from(digits.len() - kept.len()).ok()?)?;
    if exponent.unsigned_abs() > MAX_DIGITS as u64 {
        return None;
    }
    let numerator = if kept.is_empty() { BigInt::zero() } else { BigInt::parse_bytes(kept.as_bytes(), 10)? };
    if numerator.is_zero() {
        return Some((BigRational::zero(), 0));
    }
    let power = u32::try_from(shift.unsigned_abs()).ok()?;
    let cost = usize::try_from(exponent.unsigned_abs()).ok()?;
    if shift >= 0 {
        return Some((BigRational::from_integer(numerator * BigInt::from(10).pow(power)), cost));
    }
    // numerator / 10^power, and 10 does not divide the numerator: only 2s or only 5s cancel. This is far cheaper than a gcd.
    let twos = u32::try_from(numerator.trailing_zeros().unwrap_or(0)).ok()?.min(power);
    let mut numerator = numerator >> twos;
    let mut fives = 0;
    let five = BigInt::from(5);
    while twos == 0 && fives < power {
        let (quotient, remainder) = numerator.div_rem(&five);
        if !remainder.is_zero() {
            break;
        }
        numerator = quotient;
        fives += 1;
    }
    let denominator = (BigInt::one() << (power - twos)) * five.pow(power - fives);
    Some((BigRational::new_raw(numerator, denominator), cost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, without any of the shortcuts above.
    fn reference(whole: u64, fraction: &str, exponent: i32, percent: bool) -> BigRational {
        let ten = BigRational::from_integer(BigInt::from(10));
        let mut value = BigRational::from_integer(BigInt::from(whole));
        let mut place = BigRational::one();
        for digit in fraction.chars() {
            place /= &ten;
            value += &place * BigRational::from_integer(BigInt::from(digit.to_digit(10).unwrap()));
        }
        value *= ten.pow(exponent);
        if percent { value / BigRational::from_integer(BigInt::from(100)) } else { value }
    }

    proptest! {
        #[test]
        fn literals_are_exact_and_reduced(whole in 0u64..2_000_000, fraction in "[0-9]{0,8}", exponent in -30i32..30, percent: bool) {
            let point = if fraction.is_empty() { "" } else { "." };
            let written = format!("{whole}{point}{fraction}e{exponent}");
            let (found, _) = value(&written, percent).unwrap();
            let expected = reference(whole, &fraction, exponent, percent);
            prop_assert_eq!(found.numer(), expected.numer());
            prop_assert_eq!(found.denom(), expected.denom());
        }
    }

    #[test]
    fn exponents_are_bounded() {
        assert!(value("1e16384", false).is_some());
        assert!(value("1e-16384", false).is_some());
        for written in ["1e16385", "0e99999", "1e-16385", "1e99999999999999999999999"] {
            assert!(value(written, false).is_none(), "{written}");
        }
    }
}
