//! Ends of values as rationals and as decimals, rounded outward.

use crate::kernel::surd::Surd;
use crate::kernel::value::Value;
use crate::report::decimal::{Direction, decimal};
use num_rational::BigRational;

/// Significant digits of a bound in the terminal.
const SHOWN_DIGITS: u32 = 7;

/// The lower end as a rational, rounded down where it is none.
pub fn low(value: &Value) -> Option<BigRational> {
    match value.low().and_then(Surd::as_rational) {
        Some(q) => Some(q),
        None => value.enclosure().lo().and_then(|lo| lo.to_rational().ok()),
    }
}

/// The upper end, rounded up.
pub fn high(value: &Value) -> Option<BigRational> {
    low(&value.neg()).map(|q| -q)
}

/// A number for the terminal: integers in full, others with a few digits, rounded outward.
pub fn display(q: &BigRational, direction: Direction) -> String {
    if q.is_integer() && q.numer().bits() <= 64 {
        q.to_integer().to_string()
    } else {
        decimal(q, SHOWN_DIGITS, direction)
    }
}
