//! Upper ends of values in their order. Trust: untrusted; it ranks bounds.
//!
//! A covering number may be 2^(10^7): such ends are compared by their magnitude, and written out only where that does not tell.

use crate::kernel::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Signed;
use std::cmp::Ordering;

/// `fraction * 2^exponent`: the upper end of a value, rounded outward where it is no known rational.
#[derive(Clone, Debug)]
pub struct Height {
    fraction: BigRational,
    exponent: i64,
}

impl Height {
    /// `None` where the value has no upper end.
    pub fn of(value: &Value) -> Option<Height> {
        if let Some(fraction) = value.high().and_then(|surd| surd.as_rational()) {
            return Some(Height { fraction, exponent: 0 });
        }
        let end = value.enclosure().hi()?;
        Some(Height { fraction: BigRational::from_integer(end.mantissa().clone()), exponent: end.exponent() })
    }

    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        i8::from(self.fraction.is_positive()) - i8::from(self.fraction.is_negative())
    }

    /// The modulus of a nonzero one lies in `(2^(m-1), 2^(m+1))`.
    fn magnitude(&self) -> i64 {
        self.fraction.numer().bits() as i64 - self.fraction.denom().bits() as i64 + self.exponent
    }
}

impl Ord for Height {
    fn cmp(&self, other: &Height) -> Ordering {
        let signs = self.sign().cmp(&other.sign());
        if signs != Ordering::Equal || self.sign() == 0 {
            return signs;
        }
        let (a, b) = (self.magnitude(), other.magnitude());
        if (a - b).abs() >= 2 {
            return if self.sign() > 0 { a.cmp(&b) } else { b.cmp(&a) };
        }
        // The magnitudes agree, so that the exponents differ by no more than the fractions are long.
        let common = self.exponent.min(other.exponent);
        let whole = |height: &Height| &height.fraction * (BigInt::from(1) << (height.exponent - common).unsigned_abs());
        whole(self).cmp(&whole(other))
    }
}

impl PartialOrd for Height {
    fn partial_cmp(&self, other: &Height) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Height {
    fn eq(&self, other: &Height) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Height {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::real::{Dyadic, Enclosure};

    #[test]
    fn heights_are_ordered_as_the_numbers_are() {
        let rational = |a: i64, b: i64| Value::rational(&BigRational::new(a.into(), b.into()), 64);
        let dyadic = |mantissa: i64, exponent: i64| {
            Value::approximate(Enclosure::exact(Dyadic::new(BigInt::from(mantissa), exponent).unwrap()))
        };
        // In increasing order; the longest has more than 2^30 bits.
        let values = [
            dyadic(-1, 1 << 30),
            rational(-7, 2),
            dyadic(-3, 0),
            rational(0, 1),
            dyadic(1, -(1 << 30)),
            rational(1, 3),
            dyadic(3, -3),
            rational(1, 2),
            rational(4, 3),
            dyadic(3, -1),
            dyadic(1, 1 << 30),
            dyadic(3, 1 << 30),
        ];
        let heights: Vec<Height> = values.iter().map(|value| Height::of(value).unwrap()).collect();
        for (i, a) in heights.iter().enumerate() {
            for (j, b) in heights.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a:?} {b:?}");
            }
        }
        assert_eq!(Height::of(&rational(3, 2)), Height::of(&dyadic(3, -1)));
        assert_eq!(Height::of(&Value::entire()), None);
    }
}
