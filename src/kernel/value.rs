//! Values: an enclosure, and beside it the exact ends where they are known. Trust: kernel.
//!
//! Exactness is what decides claims that hold with equality, such as `lip(F, l2) = 8` or a range that ends at `8 sqrt 2 + 7`:
//! an exact end is an element of a field of real square roots, and equality there is decidable.
//!
//! Invariant: the represented set lies in `enclosure`, above `low` and below `high` where these are present.

use super::real::{Bits, Dyadic, Enclosure, RealError, Truth};
use super::surd::Surd;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Value {
    enclosure: Enclosure,
    /// A point has its number once.
    low: Option<Arc<Surd>>,
    high: Option<Arc<Surd>>,
}

/// The exact lower and upper end, where they are known.
type Ends = (Option<Arc<Surd>>, Option<Arc<Surd>>);

impl Value {
    pub fn rational(q: &BigRational, bits: Bits) -> Value {
        Value::surd(Surd::rational(q.clone()), bits)
    }

    pub fn integer(n: impl Into<BigInt>, bits: Bits) -> Value {
        Value::rational(&BigRational::from_integer(n.into()), bits)
    }

    pub fn surd(surd: Surd, bits: Bits) -> Value {
        let enclosure = surd.enclosure(bits);
        let end = Some(Arc::new(surd));
        Value { enclosure, low: end.clone(), high: end }
    }

    pub fn approximate(enclosure: Enclosure) -> Value {
        Value { enclosure, low: None, high: None }
    }

    pub fn entire() -> Value {
        Value::approximate(Enclosure::entire())
    }

    /// Everything between the lower end of `low` and the upper end of `high`. Errors: `low` certainly exceeds `high`.
    pub fn between(low: &Value, high: &Value) -> Result<Value, RealError> {
        let enclosure = Enclosure::new(low.enclosure.lo().cloned(), high.enclosure.hi().cloned())?;
        if let (Some(a), Some(b)) = (&low.low, &high.high)
            && a.compare(b) == Some(Ordering::Greater)
        {
            return Err(RealError::Empty);
        }
        Ok(Value { enclosure, low: low.low.clone(), high: high.high.clone() })
    }

    /// Everything at or below the upper end.
    pub fn lower_unbounded(&self) -> Value {
        Value { enclosure: Enclosure::at_most(self.enclosure.hi().cloned()), low: None, high: self.high.clone() }
    }

    /// Everything at or above the lower end.
    pub fn upper_unbounded(&self) -> Value {
        Value { enclosure: Enclosure::at_least(self.enclosure.lo().cloned()), low: self.low.clone(), high: None }
    }

    /// The lower end as a point, where there is one.
    pub fn low_end(&self) -> Option<Value> {
        let lo = self.enclosure.lo()?.clone();
        let enclosure = match &self.low {
            // The point is the exact end; the dyadic end lies below it.
            Some(_) => self.enclosure.clone(),
            None => Enclosure::new(Some(lo.clone()), Some(lo)).ok()?,
        };
        Some(Value { enclosure, low: self.low.clone(), high: self.low.clone() })
    }

    /// The upper end as a point, where there is one.
    pub fn high_end(&self) -> Option<Value> {
        self.neg().low_end().map(|value| value.neg())
    }

    pub fn enclosure(&self) -> &Enclosure {
        &self.enclosure
    }

    pub fn low(&self) -> Option<&Surd> {
        self.low.as_deref()
    }

    pub fn high(&self) -> Option<&Surd> {
        self.high.as_deref()
    }

    /// The value, where it is one exactly known number.
    pub fn exact(&self) -> Option<&Surd> {
        match (&self.low, &self.high) {
            (Some(low), Some(high)) if Arc::ptr_eq(low, high) || low == high => Some(low),
            _ => None,
        }
    }

    pub fn as_rational(&self) -> Option<BigRational> {
        self.exact()?.as_rational()
    }

    pub fn as_integer(&self) -> Option<BigInt> {
        let q = self.as_rational()?;
        q.is_integer().then(|| q.to_integer())
    }

    pub fn neg(&self) -> Value {
        let (high, low) = self.mapped(|end| Some(end.neg()));
        Value { enclosure: self.enclosure.neg(), low, high }
    }

    pub fn add(&self, other: &Value, bits: Bits) -> Value {
        let (low, high) = self.combined(other, Surd::add);
        Value { enclosure: self.enclosure.add(&other.enclosure, bits), low, high }
    }

    pub fn mul(&self, other: &Value, bits: Bits) -> Value {
        let enclosure = self.enclosure.mul(&other.enclosure, bits);
        // Ends of a product: for nonnegative factors the ends multiply; a known point scales, and swaps if negative.
        let (low, high) = if self.is_nonnegative() && other.is_nonnegative() {
            self.combined(other, Surd::mul)
        } else if let Some(point) = self.exact() {
            scaled(point, other)
        } else if let Some(point) = other.exact() {
            scaled(point, self)
        } else {
            (None, None)
        };
        Value { enclosure, low, high }
    }

    /// Errors: the divisor may be zero.
    pub fn div(&self, other: &Value, bits: Bits) -> Result<Value, RealError> {
        if let Some(point) = other.exact() {
            if point.is_zero() {
                return Err(RealError::DivisionByZero);
            }
            if let Some(inverse) = Surd::rational(BigRational::one()).div(point) {
                return Ok(self.mul(&Value::surd(inverse, bits), bits));
            }
        }
        Ok(Value::approximate(self.enclosure.div(&other.enclosure, bits)?))
    }

    /// Errors: see [`crate::kernel::term::Op::Pow`].
    pub fn pow(&self, exponent: &Value, bits: Bits) -> Result<Value, RealError> {
        let Some(n) = exponent.as_integer() else {
            let half = exponent.as_rational().is_some_and(|q| q == BigRational::new(1.into(), 2.into()));
            return if half {
                self.sqrt(bits)
            } else {
                Ok(Value::approximate(self.enclosure.pow(&exponent.enclosure, bits)?))
            };
        };
        let Some(n) = n.to_i64() else {
            return Err(RealError::TooLarge { what: "an exponent", limit: i64::MAX.unsigned_abs() });
        };
        if n < 0 {
            let positive = self.pow(&exponent.neg(), bits)?;
            return Value::integer(1, bits).div(&positive, bits);
        }
        let enclosure = self.enclosure.powi(n, bits)?;
        let (low, high) = if self.is_nonnegative() || self.exact().is_some() {
            self.mapped(|end| end.powi(u32::try_from(n).ok()?))
        } else {
            (None, None)
        };
        Ok(Value { enclosure, low, high })
    }

    /// Errors: the argument may be negative.
    pub fn sqrt(&self, bits: Bits) -> Result<Value, RealError> {
        let (low, high) = self.mapped(|end| Surd::sqrt(&end.as_rational()?));
        // An exact end 0 must not fail because its enclosure was rounded outward below 0: points are enclosed exactly.
        Ok(Value { enclosure: self.enclosure.sqrt(bits)?, low, high })
    }

    /// The images of both ends under an increasing function, or in the other order under a decreasing one.
    fn mapped(&self, f: impl Fn(&Surd) -> Option<Surd>) -> Ends {
        let image = |end: Option<&Surd>| end.and_then(&f).map(Arc::new);
        let low = image(self.low());
        let high = if self.exact().is_some() { low.clone() } else { image(self.high()) };
        (low, high)
    }

    /// A function of two numbers that increases in both, of the lower ends and of the upper ends.
    fn combined(&self, other: &Value, f: impl Fn(&Surd, &Surd) -> Option<Surd>) -> Ends {
        let image = |a: Option<&Surd>, b: Option<&Surd>| f(a?, b?).map(Arc::new);
        let low = image(self.low(), other.low());
        let are_points = self.exact().is_some() && other.exact().is_some();
        let high = if are_points { low.clone() } else { image(self.high(), other.high()) };
        (low, high)
    }

    pub fn abs(&self) -> Value {
        if self.is_nonnegative() {
            self.clone()
        } else if self.neg().is_nonnegative() {
            self.neg()
        } else {
            Value::approximate(self.enclosure.abs())
        }
    }

    pub fn max(&self, other: &Value) -> Value {
        let (low, high) =
            self.combined(other, |a, b| Some(if a.compare(b)? == Ordering::Less { b.clone() } else { a.clone() }));
        Value { enclosure: self.enclosure.max(&other.enclosure), low, high }
    }

    pub fn min(&self, other: &Value) -> Value {
        self.neg().max(&other.neg()).neg()
    }

    /// The common part. Errors: it is empty.
    pub fn intersect(&self, other: &Value) -> Result<Value, RealError> {
        let enclosure = self.enclosure.intersect(&other.enclosure).ok_or(RealError::Empty)?;
        let low = tighter(self, other, true);
        let high = tighter(self, other, false);
        Ok(Value { enclosure, low, high })
    }

    /// Both ends rounded to integers towards the inside: for quantities that are integers.
    pub fn inner_integers(&self, bits: Bits) -> Result<Value, RealError> {
        let high = match (&self.high, self.enclosure.hi()) {
            (Some(end), _) if end.as_rational().is_some() => end.as_rational().map(|q| q.floor()),
            (_, Some(end)) => end.to_rational().ok().map(|q| q.floor()),
            _ => None,
        };
        let low = match (&self.low, self.enclosure.lo()) {
            (Some(end), _) if end.as_rational().is_some() => end.as_rational().map(|q| q.ceil()),
            (_, Some(end)) => end.to_rational().ok().map(|q| q.ceil()),
            _ => None,
        };
        Value::ends(low.as_ref(), high.as_ref(), bits)
    }

    /// `[low, high]` with `None` for an absent bound. Errors: `low > high`.
    pub fn ends(low: Option<&BigRational>, high: Option<&BigRational>, bits: Bits) -> Result<Value, RealError> {
        let end = |q: Option<&BigRational>| q.map_or_else(Value::entire, |q| Value::rational(q, bits));
        Value::between(&end(low), &end(high))
    }

    pub fn floor(&self, bits: Bits) -> Result<Value, RealError> {
        self.rounded(bits, BigRational::floor)
    }

    pub fn ceil(&self, bits: Bits) -> Result<Value, RealError> {
        self.rounded(bits, BigRational::ceil)
    }

    /// A nondecreasing rounding function applied to both ends.
    fn rounded(&self, bits: Bits, round: fn(&BigRational) -> BigRational) -> Result<Value, RealError> {
        let end = |exact: Option<&Surd>, dyadic: Option<&Dyadic>| match exact.and_then(Surd::as_rational) {
            Some(q) => Some(round(&q)),
            None => dyadic.and_then(|d| d.to_rational().ok()).map(|q| round(&q)),
        };
        let low = end(self.low(), self.enclosure.lo());
        let high = end(self.high(), self.enclosure.hi());
        Value::ends(low.as_ref(), high.as_ref(), bits)
    }

    /// A few digits, for messages: `11`, `[0.25, 0.26]`, `at least 3`.
    pub fn describe(&self) -> String {
        match self.as_rational() {
            Some(q) => q.to_string(),
            None if self.enclosure.lo().is_none() && self.enclosure.hi().is_none() => "unknown".to_string(),
            None => self.enclosure.to_string(),
        }
    }

    pub fn is_nonnegative(&self) -> bool {
        match &self.low {
            Some(low) => !matches!(low.compare(&Surd::rational(BigRational::zero())), None | Some(Ordering::Less)),
            None => self.enclosure.lo().is_some_and(|lo| !lo.is_negative()),
        }
    }

    /// `self <= other` for all members.
    pub fn le(&self, other: &Value) -> Truth {
        // True iff sup self <= inf other; false iff inf self > sup other.
        if let (Some(a), Some(b)) = (&self.high, &other.low)
            && a.compare(b).is_some_and(|order| order != Ordering::Greater)
        {
            return Truth::True;
        }
        if let (Some(a), Some(b)) = (&self.low, &other.high)
            && a.compare(b) == Some(Ordering::Greater)
        {
            return Truth::False;
        }
        self.enclosure.le(&other.enclosure)
    }

    /// `self < other` for all members.
    pub fn lt(&self, other: &Value) -> Truth {
        match other.le(self) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }

    /// `self = other` for all members: both are the same point.
    pub fn equals(&self, other: &Value) -> Truth {
        match (self.le(other), other.le(self)) {
            (Truth::True, Truth::True) => Truth::True,
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            _ => Truth::Unknown,
        }
    }
}

/// The exact ends of `point * value`.
fn scaled(point: &Surd, value: &Value) -> Ends {
    let (low, high) = value.mapped(|end| point.mul(end));
    match point.compare(&Surd::rational(BigRational::zero())) {
        Some(Ordering::Less) => (high, low),
        Some(_) => (low, high),
        None => (None, None),
    }
}

/// The exact lower (or upper) end of an intersection, where it can be told.
fn tighter(a: &Value, b: &Value, low: bool) -> Option<Arc<Surd>> {
    let ends = if low { (&a.low, &b.low) } else { (&a.high, &b.high) };
    let absent = |v: &Value| if low { v.enclosure.lo().is_none() } else { v.enclosure.hi().is_none() };
    match ends {
        (Some(x), Some(y)) => {
            let x_greater = x.compare(y)? == Ordering::Greater;
            Some(if x_greater == low { x.clone() } else { y.clone() })
        }
        (Some(x), None) if absent(b) => Some(x.clone()),
        (None, Some(y)) if absent(a) => Some(y.clone()),
        _ => None,
    }
}
