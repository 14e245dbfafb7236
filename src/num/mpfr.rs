//! Closed intervals of reals with MPFR ends.
//!
//! Trust: untrusted. Rests on MPFR's correct rounding (Fousse, Hanrot, Lefèvre, Pélissier, Zimmermann 2007).
//!
//! The conventions are those of [`Interval`]: nonempty, no NaN end, lower end below +inf, upper end above -inf,
//! 0 (+-inf) := 0, no division by an interval that contains 0. Both ends have the precision of the interval; an operation on
//! two intervals works at the greater precision.
//!
//! Only interval operations compose: a bound of a - b, a / b or log_b x needs the *other* end of the coordinate in which the
//! expression decreases, so "round everything up" is no upper bound.

use super::error::NumError;
use super::exact;
use super::interval::Interval;
use num_rational::BigRational;
use rug::Float;
use rug::float::Round;
use rug::ops::AssignRound;
use std::cmp::Ordering;
use std::ops::{Add, Mul, Neg, Sub};

/// The least precision: that of f64, so that every finite f64 is exact.
pub const MIN_PRECISION: u32 = 53;
/// The greatest precision, in bits. Requests beyond it get it.
pub const MAX_PRECISION: u32 = 1 << 20;

/// A nonempty closed interval with MPFR ends. Equality compares ends.
#[derive(Debug, Clone, PartialEq)]
pub struct MpInterval {
    lo: Float,
    hi: Float,
}

fn directed<T>(precision: u32, value: T, round: Round) -> Float
where
    Float: AssignRound<T, Round = Round, Ordering = Ordering>,
{
    Float::with_val_round(precision.clamp(MIN_PRECISION, MAX_PRECISION), value, round).0
}

impl MpInterval {
    /// Ends that are bounds by construction. A NaN end would mean that nothing is known on its side.
    pub(crate) fn enclose(lo: Float, hi: Float) -> MpInterval {
        let unknown = |x: Float, sign: rug::float::Special| {
            if x.is_nan() { Float::with_val(x.prec(), sign) } else { x }
        };
        MpInterval { lo: unknown(lo, rug::float::Special::NegInfinity), hi: unknown(hi, rug::float::Special::Infinity) }
    }

    /// The f64 interval `x`, exactly, at `precision` bits (at least [`MIN_PRECISION`]).
    pub fn from_interval(precision: u32, x: Interval) -> MpInterval {
        MpInterval::enclose(directed(precision, x.lo(), Round::Down), directed(precision, x.hi(), Round::Up))
    }

    /// The one point `x`, exactly.
    ///
    /// # Errors
    /// `NotANumber` for NaN, `NotFinite` for an infinity.
    pub fn from_f64(precision: u32, x: f64) -> Result<MpInterval, NumError> {
        Ok(MpInterval::from_interval(precision, Interval::point(x)?))
    }

    /// The tightest interval around an integer.
    pub fn from_integer(precision: u32, n: i128) -> MpInterval {
        MpInterval::enclose(directed(precision, n, Round::Down), directed(precision, n, Round::Up))
    }

    /// The tightest interval around a rational: both ends are rounded from it directly.
    pub fn from_rational(precision: u32, x: &BigRational) -> MpInterval {
        let x = exact::rug_rational(x);
        MpInterval::enclose(directed(precision, &x, Round::Down), directed(precision, &x, Round::Up))
    }

    /// The lower end, possibly -inf.
    pub fn lo(&self) -> &Float {
        &self.lo
    }

    /// The upper end, possibly +inf.
    pub fn hi(&self) -> &Float {
        &self.hi
    }

    /// The precision of the ends in bits.
    pub fn precision(&self) -> u32 {
        self.lo.prec()
    }

    /// The tightest f64 interval around this one.
    ///
    /// Rounding twice in the same direction is rounding once, because every f64 is an MPFR number of at least 53 bits;
    /// rounding twice to nearest is not.
    pub fn to_interval(&self) -> Interval {
        Interval::enclose(self.lo.to_f64_round(Round::Down), self.hi.to_f64_round(Round::Up))
    }

    /// The lower and the upper end as exact rationals.
    ///
    /// # Errors
    /// `NotFinite` for an infinite end, `TooLarge` for an exponent beyond [`exact::MAX_BINARY_EXPONENT`].
    pub fn to_rationals(&self) -> Result<(BigRational, BigRational), NumError> {
        Ok((exact::rational_of_float(&self.lo)?, exact::rational_of_float(&self.hi)?))
    }

    pub fn is_point(&self) -> bool {
        self.lo == self.hi
    }

    pub fn is_bounded(&self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    pub fn contains_zero(&self) -> bool {
        self.lo <= 0 && self.hi >= 0
    }

    /// Exact membership of a rational.
    pub fn contains_rational(&self, x: &BigRational) -> bool {
        let x = exact::rug_rational(x);
        self.lo <= x && self.hi >= x
    }

    pub fn is_subset(&self, other: &MpInterval) -> bool {
        other.lo <= self.lo && self.hi <= other.hi
    }

    /// An upper bound of hi - lo.
    pub fn width(&self) -> Float {
        directed(self.precision(), &self.hi - &self.lo, Round::Up)
    }

    fn joint_precision(&self, other: &MpInterval) -> u32 {
        self.precision().max(other.precision())
    }

    /// The quotient.
    ///
    /// # Errors
    /// `DivisionByZero` if `divisor` contains zero.
    pub fn checked_div(&self, divisor: &MpInterval) -> Result<MpInterval, NumError> {
        if divisor.contains_zero() {
            return Err(NumError::DivisionByZero);
        }
        if divisor.hi < 0 {
            return (-self).checked_div(&-divisor);
        }
        let p = self.joint_precision(divisor);
        // A finite numerator over an infinite divisor is +-0 in MPFR too; an infinite numerator only meets the finite end c.
        let (c, d) = (&divisor.lo, &divisor.hi);
        let (below, above) = (if self.lo >= 0 { d } else { c }, if self.hi >= 0 { c } else { d });
        Ok(MpInterval::enclose(directed(p, &self.lo / below, Round::Down), directed(p, &self.hi / above, Round::Up)))
    }

    /// |x|, exact.
    pub fn abs(&self) -> MpInterval {
        if self.lo >= 0 {
            self.clone()
        } else if self.hi <= 0 {
            -self
        } else {
            let negated = Float::with_val(self.precision(), -&self.lo);
            MpInterval::enclose(Float::new(self.precision()), greater(&negated, &self.hi))
        }
    }

    /// x^2, never below 0.
    pub fn sqr(&self) -> MpInterval {
        let (a, p) = (self.abs(), self.precision());
        MpInterval::enclose(directed(p, a.lo.square_ref(), Round::Down), directed(p, a.hi.square_ref(), Round::Up))
    }

    /// The square root.
    ///
    /// # Errors
    /// `Domain` if the interval reaches below 0.
    pub fn sqrt(&self) -> Result<MpInterval, NumError> {
        if self.lo < 0 {
            return Err(NumError::Domain { function: "sqrt", domain: "[0, inf)" });
        }
        let p = self.precision();
        Ok(MpInterval::enclose(
            directed(p, self.lo.sqrt_ref(), Round::Down),
            directed(p, self.hi.sqrt_ref(), Round::Up),
        ))
    }

    /// The pointwise minimum, exact.
    pub fn min(&self, other: &MpInterval) -> MpInterval {
        self.at(self.joint_precision(other), &lesser(&self.lo, &other.lo), &lesser(&self.hi, &other.hi))
    }

    /// The pointwise maximum, exact.
    pub fn max(&self, other: &MpInterval) -> MpInterval {
        self.at(self.joint_precision(other), &greater(&self.lo, &other.lo), &greater(&self.hi, &other.hi))
    }

    /// The least interval that contains both.
    pub fn hull(&self, other: &MpInterval) -> MpInterval {
        self.at(self.joint_precision(other), &lesser(&self.lo, &other.lo), &greater(&self.hi, &other.hi))
    }

    /// What lies in both, `None` if nothing does.
    pub fn intersection(&self, other: &MpInterval) -> Option<MpInterval> {
        let (lo, hi) = (greater(&self.lo, &other.lo), lesser(&self.hi, &other.hi));
        (lo <= hi).then(|| self.at(self.joint_precision(other), &lo, &hi))
    }

    fn at(&self, precision: u32, lo: &Float, hi: &Float) -> MpInterval {
        MpInterval::enclose(directed(precision, lo, Round::Down), directed(precision, hi, Round::Up))
    }

    /// Every point of `self` is at most every point of `other`.
    pub fn certainly_le(&self, other: &MpInterval) -> bool {
        self.hi <= other.lo
    }

    /// Every point of `self` is less than every point of `other`.
    pub fn certainly_lt(&self, other: &MpInterval) -> bool {
        self.hi < other.lo
    }

    /// `self <= other` for all pairs of points, for none, or unknown.
    pub fn le(&self, other: &MpInterval) -> Option<bool> {
        match (self.certainly_le(other), other.certainly_lt(self)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    /// `self < other` for all pairs of points, for none, or unknown.
    pub fn lt(&self, other: &MpInterval) -> Option<bool> {
        match (self.certainly_lt(other), other.certainly_le(self)) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// The lesser of two numbers, neither of which is NaN.
pub(crate) fn lesser(a: &Float, b: &Float) -> Float {
    if a <= b { a.clone() } else { b.clone() }
}

/// The greater of two numbers, neither of which is NaN.
pub(crate) fn greater(a: &Float, b: &Float) -> Float {
    if a >= b { a.clone() } else { b.clone() }
}

impl Add for &MpInterval {
    type Output = MpInterval;
    fn add(self, other: &MpInterval) -> MpInterval {
        let p = self.joint_precision(other);
        MpInterval::enclose(
            directed(p, &self.lo + &other.lo, Round::Down),
            directed(p, &self.hi + &other.hi, Round::Up),
        )
    }
}

impl Sub for &MpInterval {
    type Output = MpInterval;
    fn sub(self, other: &MpInterval) -> MpInterval {
        let p = self.joint_precision(other);
        MpInterval::enclose(
            directed(p, &self.lo - &other.hi, Round::Down),
            directed(p, &self.hi - &other.lo, Round::Up),
        )
    }
}

impl Neg for &MpInterval {
    type Output = MpInterval;
    fn neg(self) -> MpInterval {
        let p = self.precision();
        MpInterval::enclose(Float::with_val(p, -&self.hi), Float::with_val(p, -&self.lo))
    }
}

impl Mul for &MpInterval {
    type Output = MpInterval;
    /// The extremes of x y over a box lie at its corners.
    fn mul(self, other: &MpInterval) -> MpInterval {
        let p = self.joint_precision(other);
        let corner = |a: &Float, b: &Float, round: Round| {
            if a.is_zero() || b.is_zero() { Float::new(p) } else { directed(p, a * b, round) }
        };
        let extreme = |round: Round, better: fn(&Float, &Float) -> Float| {
            let low = better(&corner(&self.lo, &other.lo, round), &corner(&self.lo, &other.hi, round));
            let high = better(&corner(&self.hi, &other.lo, round), &corner(&self.hi, &other.hi, round));
            better(&low, &high)
        };
        MpInterval::enclose(extreme(Round::Down, lesser), extreme(Round::Up, greater))
    }
}

/// Asks `attempt` at 64, 128, 256, ... bits, at most `max_precision`, until it decides.
///
/// `attempt` returns `Ok(None)` where its enclosures are too wide to decide. `Ok(None)` from here means: unknown.
///
/// # Errors
/// The first error of `attempt`.
pub fn decide<T>(
    max_precision: u32,
    mut attempt: impl FnMut(u32) -> Result<Option<T>, NumError>,
) -> Result<Option<T>, NumError> {
    let most = max_precision.clamp(MIN_PRECISION, MAX_PRECISION);
    let mut precision = most.min(64);
    loop {
        if let Some(answer) = attempt(precision)? {
            return Ok(Some(answer));
        }
        if precision >= most {
            return Ok(None);
        }
        precision = precision.saturating_mul(2).min(most);
    }
}
