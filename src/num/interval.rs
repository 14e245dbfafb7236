//! Closed intervals of reals with f64 ends.
//!
//! Trust: untrusted.
//!
//! `[l, u]` stands for {x real : l <= x <= u}, l <= u, l < +inf, u > -inf; infinite ends say "no bound". The set is never
//! empty: an empty intersection is `None`, because a statement about all points of the empty set would be vacuously true.
//!
//! # Enclosure
//!
//! With exact ends and 0 (+-inf) := 0, t/(+-inf) := 0 the formulas below are the closed hulls of the exact images: + and -
//! are monotone in each variable; x -> x y is affine, so products over a box are extremal at its corners (an infinite end is
//! the limit of truncated boxes: a corner t N tends to sign(t) inf, and is constantly 0 for t = 0); x/y with y > 0 increases in
//! x and is monotone in y with the sign of -x. Rounding lower ends down and upper ends up keeps enclosures.
//!
//! # Comparisons
//!
//! There is no `PartialOrd`: two intervals that overlap are neither less nor greater. [`Interval::le`] and [`Interval::lt`]
//! answer `Some(true)` (all pairs of points), `Some(false)` (no pair) or `None` (unknown).

use super::error::NumError;
use super::round::{add_down, add_up, div_down, div_up, mul_down, mul_up, sqrt_down, sqrt_up, sub_down, sub_up};
use super::{decimal, exact};
use num_rational::BigRational;
use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

/// A nonempty closed interval of reals. Equality compares ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    lo: f64,
    hi: f64,
}

impl Interval {
    pub const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
    pub const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };
    /// The whole line: nothing is known.
    pub const ENTIRE: Interval = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };

    /// The interval from `lo` to `hi`, either of which may be infinite on its own side.
    ///
    /// # Errors
    /// `NotANumber` for a NaN end, `Reversed` for `lo > hi`, `lo = +inf` or `hi = -inf`.
    pub fn new(lo: f64, hi: f64) -> Result<Interval, NumError> {
        if lo.is_nan() || hi.is_nan() {
            return Err(NumError::NotANumber);
        }
        if lo > hi || lo == f64::INFINITY || hi == f64::NEG_INFINITY {
            return Err(NumError::Reversed);
        }
        Ok(Interval::enclose(lo, hi))
    }

    /// The interval with the one point `x`.
    ///
    /// # Errors
    /// `NotANumber` for NaN, `NotFinite` for an infinity.
    pub fn point(x: f64) -> Result<Interval, NumError> {
        match x {
            _ if x.is_nan() => Err(NumError::NotANumber),
            _ if x.is_infinite() => Err(NumError::NotFinite),
            _ => Ok(Interval::enclose(x, x)),
        }
    }

    /// Ends that are bounds by construction. A NaN end would mean that nothing is known on its side. Zeros become +0.
    pub(crate) fn enclose(lo: f64, hi: f64) -> Interval {
        Interval {
            lo: if lo.is_nan() { f64::NEG_INFINITY } else { lo + 0.0 },
            hi: if hi.is_nan() { f64::INFINITY } else { hi + 0.0 },
        }
    }

    /// The tightest interval around an exact rational.
    pub fn from_rational(x: &BigRational) -> Interval {
        Interval::enclose(exact::f64_down(x), exact::f64_up(x))
    }

    /// The tightest interval around an exact decimal such as `-0.1` or `2.5e-3`.
    ///
    /// # Errors
    /// `Decimal` with the place of the fault; `TooLarge` beyond [`decimal::MAX_LENGTH`], [`decimal::MAX_EXPONENT`].
    pub fn from_decimal(text: &str) -> Result<Interval, NumError> {
        Ok(Interval::from_rational(&decimal::parse(text)?))
    }

    /// The lower end, possibly -inf.
    pub fn lo(self) -> f64 {
        self.lo
    }

    /// The upper end, possibly +inf.
    pub fn hi(self) -> f64 {
        self.hi
    }

    pub fn is_point(self) -> bool {
        self.lo == self.hi
    }

    /// Both ends finite.
    pub fn is_bounded(self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// `x` lies inside; false for NaN and infinities.
    pub fn contains(self, x: f64) -> bool {
        x.is_finite() && self.lo <= x && x <= self.hi
    }

    pub fn contains_zero(self) -> bool {
        self.contains(0.0)
    }

    /// Exact membership of a rational.
    pub fn contains_rational(self, x: &BigRational) -> bool {
        let above = exact::rational_of_f64(self.lo).is_none_or(|lo| &lo <= x);
        let below = exact::rational_of_f64(self.hi).is_none_or(|hi| x <= &hi);
        above && below
    }

    pub fn is_subset(self, other: Interval) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }

    /// The quotient.
    ///
    /// # Errors
    /// `DivisionByZero` if `divisor` contains zero: the quotient may be undefined there, so no interval encloses it.
    pub fn checked_div(self, divisor: Interval) -> Result<Interval, NumError> {
        if divisor.contains_zero() {
            return Err(NumError::DivisionByZero);
        }
        let (Interval { lo: a, hi: b }, Interval { lo: c, hi: d }) =
            if divisor.lo > 0.0 { (self, divisor) } else { (-self, -divisor) };
        Ok(Interval::enclose(
            if a >= 0.0 { div_down(a, d) } else { div_down(a, c) },
            if b >= 0.0 { div_up(b, c) } else { div_up(b, d) },
        ))
    }

    /// 1/x. Errors as [`Interval::checked_div`].
    pub fn recip(self) -> Result<Interval, NumError> {
        Interval::ONE.checked_div(self)
    }

    /// |x|, exact.
    pub fn abs(self) -> Interval {
        Interval::enclose(self.mig(), self.mag())
    }

    /// The pointwise minimum, exact.
    pub fn min(self, other: Interval) -> Interval {
        Interval::enclose(lesser(self.lo, other.lo), lesser(self.hi, other.hi))
    }

    /// The pointwise maximum, exact.
    pub fn max(self, other: Interval) -> Interval {
        Interval::enclose(-lesser(-self.lo, -other.lo), -lesser(-self.hi, -other.hi))
    }

    /// x^2. Not `x * x`, which forgets that both factors are the same and can reach below zero.
    pub fn sqr(self) -> Interval {
        let (mig, mag) = (self.mig(), self.mag());
        let lo = mul_down(mig, mig);
        // The inflated lower bound of an underflowing square can be negative, a square cannot.
        Interval::enclose(if lo > 0.0 { lo } else { 0.0 }, mul_up(mag, mag))
    }

    /// The square root.
    ///
    /// # Errors
    /// `Domain` if the interval reaches below 0.
    pub fn sqrt(self) -> Result<Interval, NumError> {
        if self.lo < 0.0 {
            return Err(NumError::Domain { function: "sqrt", domain: "[0, inf)" });
        }
        Ok(Interval::enclose(sqrt_down(self.lo), sqrt_up(self.hi)))
    }

    /// The square root of a quantity known to be nonnegative: what the enclosure holds below 0 is cut off.
    ///
    /// # Errors
    /// `Domain` if the whole interval lies below 0, which contradicts that knowledge.
    pub fn sqrt_of_nonnegative(self) -> Result<Interval, NumError> {
        if self.hi < 0.0 {
            return Err(NumError::Domain { function: "sqrt", domain: "[0, inf)" });
        }
        Ok(Interval::enclose(if self.lo > 0.0 { sqrt_down(self.lo) } else { 0.0 }, sqrt_up(self.hi)))
    }

    /// The least interval that contains both.
    pub fn hull(self, other: Interval) -> Interval {
        Interval::enclose(lesser(self.lo, other.lo), -lesser(-self.hi, -other.hi))
    }

    /// What lies in both, `None` if nothing does.
    pub fn intersection(self, other: Interval) -> Option<Interval> {
        let (lo, hi) = (-lesser(-self.lo, -other.lo), lesser(self.hi, other.hi));
        (lo <= hi).then(|| Interval::enclose(lo, hi))
    }

    /// An upper bound of hi - lo.
    pub fn width(self) -> f64 {
        sub_up(self.hi, self.lo)
    }

    /// A finite point of the interval near its middle.
    pub fn midpoint(self) -> f64 {
        match (self.lo == f64::NEG_INFINITY, self.hi == f64::INFINITY) {
            (true, true) => 0.0,
            (true, false) => f64::MIN,
            (false, true) => f64::MAX,
            // Rounding is monotone, so the half sum stays between the ends. Halving first avoids overflow, and loses only
            // where both halves are tiny: there the sum cannot overflow.
            (false, false) => {
                let sum = self.lo + self.hi;
                if sum.is_finite() { 0.5 * sum } else { 0.5 * self.lo + 0.5 * self.hi }
            }
        }
    }

    /// An upper bound of the distance from [`Interval::midpoint`] to the farther end.
    pub fn radius(self) -> f64 {
        let m = self.midpoint();
        -lesser(-sub_up(self.hi, m), -sub_up(m, self.lo))
    }

    /// The magnitude max |x|.
    pub fn mag(self) -> f64 {
        -lesser(self.lo, -self.hi)
    }

    /// The mignitude min |x|.
    pub fn mig(self) -> f64 {
        if self.contains_zero() { 0.0 } else { lesser(self.lo.abs(), self.hi.abs()) }
    }

    /// Every point of `self` is at most every point of `other`.
    pub fn certainly_le(self, other: Interval) -> bool {
        self.hi <= other.lo
    }

    /// Every point of `self` is less than every point of `other`.
    pub fn certainly_lt(self, other: Interval) -> bool {
        self.hi < other.lo
    }

    /// Some point of `self` is at most some point of `other`.
    pub fn possibly_le(self, other: Interval) -> bool {
        self.lo <= other.hi
    }

    /// Some point of `self` is less than some point of `other`.
    pub fn possibly_lt(self, other: Interval) -> bool {
        self.lo < other.hi
    }

    /// `self <= other` for all pairs of points, for none, or unknown.
    pub fn le(self, other: Interval) -> Option<bool> {
        match (self.certainly_le(other), other.certainly_lt(self)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// `self < other` for all pairs of points, for none, or unknown.
    pub fn lt(self, other: Interval) -> Option<bool> {
        match (self.certainly_lt(other), other.certainly_le(self)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// The lesser of two numbers; NaN if either is NaN (`f64::min` would drop it).
fn lesser(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        Interval::enclose(add_down(self.lo, other.lo), add_up(self.hi, other.hi))
    }
}

impl Sub for Interval {
    type Output = Interval;
    fn sub(self, other: Interval) -> Interval {
        Interval::enclose(sub_down(self.lo, other.hi), sub_up(self.hi, other.lo))
    }
}

impl Neg for Interval {
    type Output = Interval;
    fn neg(self) -> Interval {
        Interval::enclose(-self.hi, -self.lo)
    }
}

impl Mul for Interval {
    type Output = Interval;
    fn mul(self, other: Interval) -> Interval {
        let (Interval { lo: a, hi: b }, Interval { lo: c, hi: d }) = (self, other);
        // The signs tell at which corners the extremes lie; only when both change sign are two corners compared.
        let ((l1, l2), (u1, u2)) = match (a >= 0.0, b <= 0.0, c >= 0.0, d <= 0.0) {
            (true, _, true, _) => ((a, c), (b, d)),
            (true, _, _, true) => ((b, c), (a, d)),
            (true, _, _, _) => ((b, c), (b, d)),
            (_, true, true, _) => ((a, d), (b, c)),
            (_, true, _, true) => ((b, d), (a, c)),
            (_, true, _, _) => ((a, d), (a, c)),
            (_, _, true, _) => ((a, d), (b, d)),
            (_, _, _, true) => ((b, c), (a, c)),
            _ => {
                return Interval::enclose(
                    lesser(mul_down(a, d), mul_down(b, c)),
                    -lesser(-mul_up(a, c), -mul_up(b, d)),
                );
            }
        };
        Interval::enclose(mul_down(l1, l2), mul_up(u1, u2))
    }
}

impl TryFrom<f64> for Interval {
    type Error = NumError;
    fn try_from(x: f64) -> Result<Interval, NumError> {
        Interval::point(x)
    }
}

impl TryFrom<f32> for Interval {
    type Error = NumError;
    /// Exact: every f32 is an f64.
    fn try_from(x: f32) -> Result<Interval, NumError> {
        Interval::point(f64::from(x))
    }
}

impl From<i64> for Interval {
    fn from(n: i64) -> Interval {
        Interval::from(i128::from(n))
    }
}

impl From<u64> for Interval {
    fn from(n: u64) -> Interval {
        Interval::from(i128::from(n))
    }
}

impl From<i32> for Interval {
    fn from(n: i32) -> Interval {
        let x = f64::from(n);
        Interval { lo: x, hi: x }
    }
}

impl From<u32> for Interval {
    fn from(n: u32) -> Interval {
        let x = f64::from(n);
        Interval { lo: x, hi: x }
    }
}

impl From<i128> for Interval {
    /// The conversion rounds to nearest and the float is an integer, so comparing back tells on which side it lies.
    fn from(n: i128) -> Interval {
        let x = n as f64;
        // 2^127 is a float but no i128; a saturated cast compares equal to i128::MAX, and lies above it.
        let back = if x >= 170_141_183_460_469_231_731_687_303_715_884_105_728.0 { None } else { Some(x as i128) };
        match back {
            Some(m) if m == n => Interval { lo: x, hi: x },
            Some(m) if m < n => Interval { lo: x, hi: x.next_up() },
            _ => Interval { lo: x.next_down(), hi: x },
        }
    }
}

impl fmt::Display for Interval {
    /// `[lower, upper]`, outward, with as many digits as the precision asks for (17 unless told).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(17);
        write!(f, "[{}, {}]", decimal::lower(&self.lo, digits), decimal::upper(&self.hi, digits))
    }
}
