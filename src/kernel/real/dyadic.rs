//! Dyadic numbers, their exact arithmetic and their rounding to one side. Trust: kernel.
//!
//! Invariant of [`Dyadic`]: the mantissa is odd, or both fields are zero; so equality of fields is equality of values. The
//! magnitude of a nonzero one lies in `[2^(-MAX_EXPONENT-1), 2^(MAX_EXPONENT+1)]`, so exponents of products fit `i64`.

use super::{Bits, RealError};
use crate::kernel::net::Weight;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::cmp::Ordering;

/// Magnitudes are kept within `2^±MAX_EXPONENT`.
pub const MAX_EXPONENT: i64 = 1 << 40;
/// The largest working precision.
pub const MAX_BITS: Bits = 1 << 16;
/// Exact sums and conversions to rationals refuse to build longer integers.
const MAX_SPAN: i64 = 1 << 22;

/// The side to which a result is rounded: a lower bound (`Down`) or an upper bound (`Up`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Toward {
    Down,
    Up,
}

/// `a / 2^by`, rounded to an integer; exact for `by <= 0`. (`>>` of `BigInt` is the floor, also for negative numbers.)
pub(super) fn shift(a: BigInt, by: i64, toward: Toward) -> BigInt {
    if by <= 0 {
        return a << by.unsigned_abs();
    }
    let inexact = a.trailing_zeros().is_some_and(|zeros| zeros < by.unsigned_abs());
    let floor = a >> by.unsigned_abs();
    if inexact && toward == Toward::Up { floor + 1 } else { floor }
}

/// `a / b` for `b > 0`, rounded to an integer.
pub(super) fn quotient(a: &BigInt, b: &BigInt, toward: Toward) -> BigInt {
    let (floor, rest) = a.div_mod_floor(b);
    if toward == Toward::Up && !rest.is_zero() { floor + 1 } else { floor }
}

/// `mantissa * 2^exponent`, with an odd mantissa or both zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dyadic {
    mantissa: BigInt,
    exponent: i64,
}

impl Dyadic {
    /// Errors: the magnitude leaves `2^±MAX_EXPONENT`.
    pub fn new(mantissa: BigInt, exponent: i64) -> Result<Dyadic, RealError> {
        let too_large = RealError::TooLarge { what: "a binary exponent", limit: MAX_EXPONENT.unsigned_abs() };
        if exponent.unsigned_abs() > 4 * MAX_EXPONENT.unsigned_abs() {
            return if mantissa.is_zero() { Ok(Dyadic::zero()) } else { Err(too_large) };
        }
        let value = Dyadic::normalised(mantissa, exponent);
        if value.top().abs() > MAX_EXPONENT { Err(too_large) } else { Ok(value) }
    }

    /// Requires `|exponent| <= 4 MAX_EXPONENT`.
    fn normalised(mantissa: BigInt, exponent: i64) -> Dyadic {
        match mantissa.trailing_zeros() {
            None => Dyadic::zero(),
            Some(0) => Dyadic { mantissa, exponent },
            Some(zeros) => Dyadic { mantissa: mantissa >> zeros, exponent: exponent + zeros as i64 },
        }
    }

    pub fn zero() -> Dyadic {
        Dyadic { mantissa: BigInt::zero(), exponent: 0 }
    }

    pub fn one() -> Dyadic {
        Dyadic { mantissa: BigInt::one(), exponent: 0 }
    }

    /// `2^exponent`, for `|exponent| <= MAX_EXPONENT`, to which it is clamped.
    pub(super) fn power_of_two(exponent: i64) -> Dyadic {
        Dyadic { mantissa: BigInt::one(), exponent: exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT) }
    }

    pub fn mantissa(&self) -> &BigInt {
        &self.mantissa
    }

    pub fn exponent(&self) -> i64 {
        self.exponent
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa.is_zero()
    }

    pub fn is_negative(&self) -> bool {
        self.mantissa.is_negative()
    }

    pub fn is_positive(&self) -> bool {
        self.mantissa.is_positive()
    }

    pub fn is_integer(&self) -> bool {
        self.exponent >= 0
    }

    /// The exponent `t` with `2^(t-1) <= |self| < 2^t`; 0 for zero.
    pub fn top(&self) -> i64 {
        self.mantissa.bits() as i64 + self.exponent
    }

    /// The number itself if its denominator is a power of two.
    pub fn from_rational(value: &BigRational) -> Option<Dyadic> {
        let denominator = value.denom();
        let zeros = denominator.trailing_zeros()?;
        if denominator.bits() != zeros + 1 {
            return None;
        }
        Dyadic::new(value.numer().clone(), -(zeros as i64)).ok()
    }

    /// Errors: the integers would be longer than a few million bits.
    pub fn to_rational(&self) -> Result<BigRational, RealError> {
        if self.exponent.abs() > MAX_SPAN {
            return Err(RealError::TooLarge { what: "an exact fraction's bits", limit: MAX_SPAN.unsigned_abs() });
        }
        let power = BigInt::one() << self.exponent.unsigned_abs();
        Ok(if self.exponent >= 0 {
            BigRational::from_integer(&self.mantissa * power)
        } else {
            BigRational::new_raw(self.mantissa.clone(), power)
        })
    }

    pub fn neg(&self) -> Dyadic {
        Dyadic { mantissa: -&self.mantissa, exponent: self.exponent }
    }

    /// The exact sum. Errors: it would need millions of bits.
    pub fn add(&self, other: &Dyadic) -> Result<Dyadic, RealError> {
        if self.is_zero() || other.is_zero() {
            return Ok(if self.is_zero() { other.clone() } else { self.clone() });
        }
        let grid = self.exponent.min(other.exponent);
        if self.top().max(other.top()) - grid > MAX_SPAN {
            return Err(RealError::TooLarge { what: "an exact sum's bits", limit: MAX_SPAN.unsigned_abs() });
        }
        Dyadic::new(self.fixed(-grid, Toward::Down) + other.fixed(-grid, Toward::Down), grid)
    }

    /// The exact difference; errors as for [`Dyadic::add`].
    pub fn sub(&self, other: &Dyadic) -> Result<Dyadic, RealError> {
        self.add(&other.neg())
    }

    /// The exact product. Errors: its magnitude leaves `2^±MAX_EXPONENT`.
    pub fn mul(&self, other: &Dyadic) -> Result<Dyadic, RealError> {
        Dyadic::new(&self.mantissa * &other.mantissa, self.exponent + other.exponent)
    }

    /// `self * 2^scale`, rounded to an integer. The caller keeps `top + scale` small.
    pub(super) fn fixed(&self, scale: i64, toward: Toward) -> BigInt {
        shift(self.mantissa.clone(), -(self.exponent + scale), toward)
    }

    /// The largest number of at most `bits` significant bits that is not above `self`.
    pub fn round_down(&self, bits: Bits) -> Dyadic {
        self.clone().round(bits, Toward::Down)
    }

    /// The smallest number of at most `bits` significant bits that is not below `self`.
    pub fn round_up(&self, bits: Bits) -> Dyadic {
        self.clone().round(bits, Toward::Up)
    }

    fn round(self, bits: Bits, toward: Toward) -> Dyadic {
        let excess = self.mantissa.bits() as i64 - i64::from(bits.max(1));
        if excess <= 0 {
            return self;
        }
        Dyadic::normalised(shift(self.mantissa, excess, toward), self.exponent + excess)
    }

    /// The largest integer not above `self`; `self` if that is an integer.
    pub fn floor(&self) -> Dyadic {
        if self.is_integer() { self.clone() } else { Dyadic::normalised(self.fixed(0, Toward::Down), 0) }
    }
}

impl From<BigInt> for Dyadic {
    fn from(value: BigInt) -> Dyadic {
        Dyadic::normalised(value, 0)
    }
}

impl From<i64> for Dyadic {
    fn from(value: i64) -> Dyadic {
        Dyadic::from(BigInt::from(value))
    }
}

impl From<Weight> for Dyadic {
    fn from(weight: Weight) -> Dyadic {
        Dyadic::normalised(BigInt::from(weight.mantissa), i64::from(weight.exponent))
    }
}

impl Ord for Dyadic {
    fn cmp(&self, other: &Dyadic) -> Ordering {
        let signs = self.mantissa.sign().cmp(&other.mantissa.sign());
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let tops = self.top().cmp(&other.top());
        let magnitudes = if tops == Ordering::Equal {
            // Equal tops: the shift equals the difference of the mantissas' lengths, so the integers stay short.
            let gap = self.exponent - other.exponent;
            let (mine, theirs) = (self.mantissa.magnitude(), other.mantissa.magnitude());
            if gap >= 0 { (mine << gap.unsigned_abs()).cmp(theirs) } else { mine.cmp(&(theirs << gap.unsigned_abs())) }
        } else {
            tops
        };
        if self.is_negative() { magnitudes.reverse() } else { magnitudes }
    }
}

impl PartialOrd for Dyadic {
    fn partial_cmp(&self, other: &Dyadic) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::fmt::Display for Dyadic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.exponent {
            0 => write!(f, "{}", self.mantissa),
            exponent => write!(f, "{}*2^{exponent}", self.mantissa),
        }
    }
}

/// An end of an enclosure. The derived order is that of the extended real line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum End {
    Minus,
    At(Dyadic),
    Plus,
}

impl End {
    /// The bound on side `toward` that says nothing.
    pub(super) fn none(toward: Toward) -> End {
        match toward {
            Toward::Down => End::Minus,
            Toward::Up => End::Plus,
        }
    }

    /// A bound of `mantissa * 2^exponent` on side `toward` with about `bits` significant bits; `|exponent| <= 4 MAX_EXPONENT`.
    ///
    /// Beyond the range of magnitudes the bound is the nearest representable one on that side: a value `v >= 2^MAX_EXPONENT`
    /// has the lower bound `2^MAX_EXPONENT` and the upper bound `+inf`; `0 < v < 2^-MAX_EXPONENT` lies between 0 and that.
    pub(super) fn bound(mantissa: BigInt, exponent: i64, bits: Bits, toward: Toward) -> End {
        let value = Dyadic { mantissa, exponent }.round(bits.min(MAX_BITS), toward);
        let value = Dyadic::normalised(value.mantissa, value.exponent);
        let outward = if value.is_negative() { toward == Toward::Down } else { toward == Toward::Up };
        let sign = |limit: Dyadic| if value.is_negative() { limit.neg() } else { limit };
        if value.is_zero() || value.top().abs() <= MAX_EXPONENT {
            End::At(value)
        } else if value.top() > MAX_EXPONENT {
            if outward { End::none(toward) } else { End::At(sign(Dyadic::power_of_two(MAX_EXPONENT))) }
        } else if outward {
            End::At(sign(Dyadic::power_of_two(-MAX_EXPONENT)))
        } else {
            End::At(Dyadic::zero())
        }
    }

    pub(super) fn rounded(self, bits: Bits, toward: Toward) -> End {
        match self {
            End::At(x) => End::bound(x.mantissa, x.exponent, bits, toward),
            infinite => infinite,
        }
    }

    pub(super) fn neg(&self) -> End {
        match self {
            End::Minus => End::Plus,
            End::At(x) => End::At(x.neg()),
            End::Plus => End::Minus,
        }
    }

    pub(super) fn finite(&self) -> Option<&Dyadic> {
        match self {
            End::At(x) => Some(x),
            _ => None,
        }
    }

    /// -1, 0 or 1.
    fn signum(&self) -> i8 {
        match self {
            End::Minus => -1,
            End::Plus => 1,
            End::At(x) if x.is_zero() => 0,
            End::At(x) => 1 - 2 * i8::from(x.is_negative()),
        }
    }

    pub(super) fn is_negative(&self) -> bool {
        self.signum() < 0
    }

    pub(super) fn is_positive(&self) -> bool {
        self.signum() > 0
    }

    /// A bound of the sum of two ends of the same side. Infinite ends absorb: both are bounds of the same side.
    pub(super) fn sum(&self, other: &End, bits: Bits, toward: Toward) -> End {
        let (End::At(a), End::At(b)) = (self, other) else {
            return End::none(toward);
        };
        if a.is_zero() || b.is_zero() {
            return if a.is_zero() { other.clone() } else { self.clone() }.rounded(bits, toward);
        }
        // Exact on the finer of the two grids, unless that is far below the result: then both parts are first rounded to `toward`
        // on a grid `span` bits below the larger one, which keeps the sum a bound and the integers short.
        let top = a.top().max(b.top());
        let span = 4 * i64::from(bits.min(MAX_BITS)) + (1 << 14);
        let grid = a.exponent.min(b.exponent).max(top - span);
        End::bound(a.fixed(-grid, toward) + b.fixed(-grid, toward), grid, bits, toward)
    }

    /// The exact product with `0 * inf = 0`, as a mantissa and exponent that [`End::rounded`] still has to bound.
    pub(super) fn product(&self, other: &End) -> End {
        match (self, other) {
            (End::At(a), End::At(b)) => {
                End::At(Dyadic { mantissa: &a.mantissa * &b.mantissa, exponent: a.exponent + b.exponent })
            }
            _ => match self.signum() * other.signum() {
                0 => End::At(Dyadic::zero()),
                1 => End::Plus,
                _ => End::Minus,
            },
        }
    }

    /// A bound of `self / divisor` for `divisor > 0`, with `t / inf = 0`; `self` and `divisor` are not both infinite.
    pub(super) fn quotient(&self, divisor: &End, bits: Bits, toward: Toward) -> End {
        match (self, divisor) {
            (End::At(a), End::At(b)) => {
                let scale =
                    (i64::from(bits.min(MAX_BITS)) + 1 + b.mantissa.bits() as i64 - a.mantissa.bits() as i64).max(0);
                let ratio = quotient(&(&a.mantissa << scale.unsigned_abs()), &b.mantissa, toward);
                End::bound(ratio, a.exponent - b.exponent - scale, bits, toward)
            }
            (End::At(_), _) => End::At(Dyadic::zero()),
            (infinite, _) => infinite.clone(),
        }
    }
}
