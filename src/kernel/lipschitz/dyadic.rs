//! Exact dyadic numbers `m * 2^e` with mantissas of any size. Trust: kernel.
//!
//! Invariant: the representation is canonical. The mantissa is odd, or the number is zero with exponent zero; a mantissa that
//! fits `i128` is stored there. So derived equality is equality of numbers.

use crate::kernel::net::Weight;
use num_bigint::{BigInt, Sign};
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

/// Largest magnitude of an exponent that a witness may carry; it keeps every sum of exponents far inside `i64`.
pub const EXPONENT_LIMIT: i64 = 1 << 24;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mantissa {
    Small(i128),
    Large(BigInt),
}

/// An exact dyadic number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dyadic {
    mantissa: Mantissa,
    exponent: i64,
}

impl Dyadic {
    pub const ZERO: Dyadic = Dyadic { mantissa: Mantissa::Small(0), exponent: 0 };
    pub const ONE: Dyadic = Dyadic { mantissa: Mantissa::Small(1), exponent: 0 };

    /// `mantissa * 2^exponent`. `None` when the exponent exceeds [`EXPONENT_LIMIT`] in magnitude.
    pub fn new(mantissa: i64, exponent: i64) -> Option<Dyadic> {
        (exponent.unsigned_abs() <= EXPONENT_LIMIT as u64).then(|| Dyadic::small(i128::from(mantissa), exponent))
    }

    /// `mantissa * 2^exponent` with a mantissa of any size. `None` when the exponent exceeds [`EXPONENT_LIMIT`] in magnitude.
    pub fn from_parts(mantissa: BigInt, exponent: i64) -> Option<Dyadic> {
        (exponent.unsigned_abs() <= EXPONENT_LIMIT as u64).then(|| Dyadic::large(mantissa, exponent))
    }

    /// Mantissa and exponent, odd mantissa.
    pub fn to_parts(&self) -> (BigInt, i64) {
        (self.big(), self.exponent)
    }

    /// The integer `n`.
    pub fn integer(n: i64) -> Dyadic {
        Dyadic::small(i128::from(n), 0)
    }

    /// The integer `n`.
    pub fn natural(n: u64) -> Dyadic {
        Dyadic::small(i128::from(n), 0)
    }

    fn small(mantissa: i128, exponent: i64) -> Dyadic {
        if mantissa == 0 {
            return Dyadic::ZERO;
        }
        let zeros = mantissa.trailing_zeros();
        Dyadic { mantissa: Mantissa::Small(mantissa >> zeros), exponent: exponent + i64::from(zeros) }
    }

    fn large(mantissa: BigInt, exponent: i64) -> Dyadic {
        if let Some(small) = mantissa.to_i128() {
            return Dyadic::small(small, exponent);
        }
        let zeros = mantissa.trailing_zeros().unwrap_or(0);
        let mantissa = mantissa >> zeros;
        let exponent = exponent + zeros as i64;
        match mantissa.to_i128() {
            Some(small) => Dyadic { mantissa: Mantissa::Small(small), exponent },
            None => Dyadic { mantissa: Mantissa::Large(mantissa), exponent },
        }
    }

    fn big(&self) -> BigInt {
        match &self.mantissa {
            Mantissa::Small(m) => BigInt::from(*m),
            Mantissa::Large(m) => m.clone(),
        }
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa == Mantissa::Small(0)
    }

    /// `-1`, `0` or `1`.
    pub fn signum(&self) -> i32 {
        match &self.mantissa {
            Mantissa::Small(m) => m.signum() as i32,
            Mantissa::Large(m) => match m.sign() {
                Sign::Minus => -1,
                Sign::NoSign => 0,
                Sign::Plus => 1,
            },
        }
    }

    pub fn is_positive(&self) -> bool {
        self.signum() > 0
    }

    pub fn is_negative(&self) -> bool {
        self.signum() < 0
    }

    pub fn abs(&self) -> Dyadic {
        if self.is_negative() { -self } else { self.clone() }
    }

    /// `self * 2^k`.
    pub fn scaled(&self, k: i64) -> Dyadic {
        if self.is_zero() {
            return Dyadic::ZERO;
        }
        Dyadic { mantissa: self.mantissa.clone(), exponent: self.exponent + k }
    }

    /// The least `k` with `|self| < 2^k`; `None` for zero.
    pub fn magnitude(&self) -> Option<i64> {
        let bits = match &self.mantissa {
            Mantissa::Small(0) => return None,
            Mantissa::Small(m) => 128 - i64::from(m.unsigned_abs().leading_zeros()),
            Mantissa::Large(m) => m.bits() as i64,
        };
        Some(bits + self.exponent)
    }

    /// `floor(self * 2^k)` when its magnitude is below `2^126`.
    pub fn floor_scaled(&self, k: i64) -> Option<i128> {
        let Some(magnitude) = self.magnitude() else { return Some(0) };
        let shift = self.exponent + k;
        if magnitude + k > 126 {
            return None;
        }
        if magnitude + k <= 0 {
            // |self| 2^k < 1, and self is not zero.
            return Some(if self.is_negative() { -1 } else { 0 });
        }
        match &self.mantissa {
            Mantissa::Small(m) if shift >= 0 => Some(m << shift),
            Mantissa::Small(m) => Some(m >> shift.unsigned_abs().min(127)),
            Mantissa::Large(m) if shift >= 0 => (m << shift.unsigned_abs()).to_i128(),
            // `BigInt >> n` rounds towards minus infinity.
            Mantissa::Large(m) => (m >> shift.unsigned_abs()).to_i128(),
        }
    }

    /// The largest number of at most `bits` mantissa bits that is `<= self`.
    pub fn round_down(&self, bits: u32) -> Dyadic {
        let length = match &self.mantissa {
            Mantissa::Small(m) => 128 - u64::from(m.unsigned_abs().leading_zeros()),
            Mantissa::Large(m) => m.bits(),
        };
        if length <= u64::from(bits) {
            return self.clone();
        }
        let drop = length - u64::from(bits);
        let exponent = self.exponent + drop as i64;
        match &self.mantissa {
            Mantissa::Small(m) => Dyadic::small(m >> drop, exponent),
            Mantissa::Large(m) => Dyadic::large(m >> drop, exponent),
        }
    }

    /// The smallest number of at most `bits` mantissa bits that is `>= self`.
    pub fn round_up(&self, bits: u32) -> Dyadic {
        -&(-self).round_down(bits)
    }

    /// The largest multiple of `2^k` with `k = magnitude - bits` that is `<= value`, for any rational.
    pub fn below(value: &BigRational, bits: u32) -> Dyadic {
        if value.is_zero() {
            return Dyadic::ZERO;
        }
        let shift = i64::from(bits) + value.denom().bits() as i64 - value.numer().bits() as i64;
        let numerator = if shift >= 0 { value.numer() << shift.unsigned_abs() } else { value.numer().clone() };
        let denominator = if shift < 0 { value.denom() << shift.unsigned_abs() } else { value.denom().clone() };
        Dyadic::large(num_integer::Integer::div_floor(&numerator, &denominator), -shift)
    }

    /// A dyadic number `>= value`, within `2^-bits` relatively.
    pub fn above(value: &BigRational, bits: u32) -> Dyadic {
        -&Dyadic::below(&-value, bits)
    }

    pub fn to_rational(&self) -> BigRational {
        let mantissa = self.big();
        if self.exponent >= 0 {
            BigRational::from_integer(mantissa << self.exponent.unsigned_abs())
        } else {
            BigRational::new(mantissa, BigInt::from(1) << self.exponent.unsigned_abs())
        }
    }

    /// Mantissa and exponent, when the mantissa fits `i128`.
    pub fn parts(&self) -> Option<(i128, i64)> {
        match &self.mantissa {
            Mantissa::Small(m) => Some((*m, self.exponent)),
            Mantissa::Large(_) => None,
        }
    }
}

impl From<&Weight> for Dyadic {
    fn from(weight: &Weight) -> Dyadic {
        Dyadic::small(i128::from(weight.mantissa), i64::from(weight.exponent))
    }
}

impl Neg for &Dyadic {
    type Output = Dyadic;
    fn neg(self) -> Dyadic {
        match &self.mantissa {
            Mantissa::Small(m) => match m.checked_neg() {
                Some(m) => Dyadic { mantissa: Mantissa::Small(m), exponent: self.exponent },
                None => Dyadic::large(-BigInt::from(*m), self.exponent),
            },
            Mantissa::Large(m) => Dyadic::large(-m, self.exponent),
        }
    }
}

impl Mul for &Dyadic {
    type Output = Dyadic;
    fn mul(self, other: &Dyadic) -> Dyadic {
        let exponent = self.exponent + other.exponent;
        if let (Mantissa::Small(a), Mantissa::Small(b)) = (&self.mantissa, &other.mantissa)
            && let Some(product) = a.checked_mul(*b)
        {
            // The product of odd mantissas is odd.
            let exponent = if product == 0 { 0 } else { exponent };
            return Dyadic { mantissa: Mantissa::Small(product), exponent };
        }
        Dyadic::large(self.big() * other.big(), exponent)
    }
}

fn shifted(m: i128, by: i64) -> Option<i128> {
    let by = u32::try_from(by).ok()?;
    let room = m.unsigned_abs().leading_zeros();
    (room >= 2 && by <= room - 2).then(|| m << by)
}

impl Add for &Dyadic {
    type Output = Dyadic;
    fn add(self, other: &Dyadic) -> Dyadic {
        if self.is_zero() {
            return other.clone();
        }
        if other.is_zero() {
            return self.clone();
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let by = high.exponent - low.exponent;
        if let (Mantissa::Small(a), Mantissa::Small(b)) = (&high.mantissa, &low.mantissa)
            && let Some(sum) = shifted(*a, by).and_then(|a| a.checked_add(*b))
        {
            return Dyadic::small(sum, low.exponent);
        }
        Dyadic::large((high.big() << by.unsigned_abs()) + low.big(), low.exponent)
    }
}

impl Sub for &Dyadic {
    type Output = Dyadic;
    fn sub(self, other: &Dyadic) -> Dyadic {
        self + &-other
    }
}

impl PartialOrd for Dyadic {
    fn partial_cmp(&self, other: &Dyadic) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dyadic {
    fn cmp(&self, other: &Dyadic) -> Ordering {
        let signs = self.signum().cmp(&other.signum());
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let size = self.magnitude().cmp(&other.magnitude());
        if size != Ordering::Equal {
            return if self.is_positive() { size } else { size.reverse() };
        }
        (self - other).signum().cmp(&0)
    }
}

/// `ceil(sqrt(value))` to about `bits` bits: a dyadic number `s >= 0` with `s^2 >= value`. Errors: none; negative gives zero.
pub fn sqrt_above(value: &BigRational, bits: u32) -> Dyadic {
    if !value.is_positive() {
        return Dyadic::ZERO;
    }
    let bits = i64::from(bits);
    // Scale by an even power of two so that the radicand has about 2 * bits bits, round it up, and take the ceiling of the root.
    let mut shift = 2 * bits + value.denom().bits() as i64 - value.numer().bits() as i64;
    shift += shift.rem_euclid(2);
    let numerator = if shift >= 0 { value.numer() << shift.unsigned_abs() } else { value.numer().clone() };
    let denominator = if shift < 0 { value.denom() << shift.unsigned_abs() } else { value.denom().clone() };
    let radicand = num_integer::Integer::div_ceil(&numerator, &denominator);
    let root = radicand.sqrt();
    let root = if &root * &root == radicand { root } else { root + 1 };
    Dyadic::large(root, -shift / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dyadic() -> impl Strategy<Value = Dyadic> {
        (any::<i64>(), -200i64..200).prop_map(|(m, e)| Dyadic::new(m, e).unwrap())
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_rationals(a in dyadic(), b in dyadic(), c in dyadic()) {
            let (ra, rb, rc) = (a.to_rational(), b.to_rational(), c.to_rational());
            prop_assert_eq!((&(&a * &b) + &c).to_rational(), &ra * &rb + &rc);
            prop_assert_eq!((&(&(&a * &b) * &c) - &a).to_rational(), &(&ra * &rb) * &rc - &ra);
            prop_assert_eq!(a.cmp(&b), ra.cmp(&rb));
        }

        #[test]
        fn rounding_is_directed(a in dyadic(), b in dyadic(), bits in 1u32..80) {
            let product = &a * &b;
            let (down, up) = (product.round_down(bits), product.round_up(bits));
            prop_assert!(down <= product && product <= up);
            let width = (&up - &down).abs();
            prop_assert!(width <= product.abs().scaled(2 - i64::from(bits)));
        }

        #[test]
        fn floor_agrees_with_rationals(a in dyadic(), k in -300i64..60) {
            let exact = (a.to_rational() * BigRational::new(1.into(), 1.into())
                * if k >= 0 { BigRational::from_integer(BigInt::from(1) << k as u64) }
                  else { BigRational::new(1.into(), BigInt::from(1) << k.unsigned_abs()) }).floor().to_integer();
            if let Some(found) = a.floor_scaled(k) {
                prop_assert_eq!(BigInt::from(found), exact);
            } else {
                prop_assert!(exact.bits() >= 125);
            }
        }

        #[test]
        fn roots_and_rationals_are_outward(n in 1u64.., d in 1u64..) {
            let value = BigRational::new(n.into(), d.into());
            let root = sqrt_above(&value, 60).to_rational();
            prop_assert!(&root * &root >= value);
            prop_assert!(&root * &root <= &value * BigRational::new(1_000_000_001.into(), 1_000_000_000.into()));
            let (low, high) = (Dyadic::below(&value, 64).to_rational(), Dyadic::above(&value, 64).to_rational());
            prop_assert!(low <= value && value <= high);
        }
    }

    #[test]
    fn exponents_of_witnesses_are_limited() {
        assert!(Dyadic::new(1, EXPONENT_LIMIT).is_some());
        assert!(Dyadic::new(1, EXPONENT_LIMIT + 1).is_none());
        assert!(Dyadic::new(1, i64::MIN).is_none());
    }
}
