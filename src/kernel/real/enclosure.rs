//! Closed intervals of the extended reals with dyadic ends. Trust: kernel.
//!
//! Invariant: `lo <= hi`, the lower end is not `+inf` and the upper end is not `-inf`. Every operation contains all results of
//! the real operation on members (products with the convention `0 * inf = 0`, as all members are finite).

use super::dyadic::{Dyadic, End, Toward};
use super::{Bits, RealError};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// Three-valued truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    True,
    False,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    pub(super) lo: End,
    pub(super) hi: End,
}

/// Bounds of both sides from one function of the side.
pub(super) fn both(f: impl Fn(Toward) -> End) -> Enclosure {
    Enclosure { lo: f(Toward::Down), hi: f(Toward::Up) }
}

impl Enclosure {
    /// Errors: `lo > hi`.
    pub fn new(lo: Option<Dyadic>, hi: Option<Dyadic>) -> Result<Enclosure, RealError> {
        let lo = lo.map_or(End::Minus, End::At);
        let hi = hi.map_or(End::Plus, End::At);
        if lo > hi { Err(RealError::Empty) } else { Ok(Enclosure { lo, hi }) }
    }

    /// The closest enclosure of a rational by ends of `bits` bits.
    pub fn point(q: &BigRational, bits: Bits) -> Enclosure {
        if let Some(exact) = Dyadic::from_rational(q) {
            return both(|toward| End::At(exact.clone()).rounded(bits, toward));
        }
        let numerator = End::At(Dyadic::from(q.numer().clone()));
        let denominator = End::At(Dyadic::from(q.denom().clone()));
        both(|toward| numerator.quotient(&denominator, bits, toward))
    }

    pub fn exact(x: Dyadic) -> Enclosure {
        Enclosure { lo: End::At(x.clone()), hi: End::At(x) }
    }

    pub fn exact_int(n: i64) -> Enclosure {
        Enclosure::exact(Dyadic::from(n))
    }

    pub fn entire() -> Enclosure {
        Enclosure { lo: End::Minus, hi: End::Plus }
    }

    pub fn at_most(hi: Option<Dyadic>) -> Enclosure {
        Enclosure { lo: End::Minus, hi: hi.map_or(End::Plus, End::At) }
    }

    pub fn at_least(lo: Option<Dyadic>) -> Enclosure {
        Enclosure { lo: lo.map_or(End::Minus, End::At), hi: End::Plus }
    }

    /// `None` is minus infinity.
    pub fn lo(&self) -> Option<&Dyadic> {
        self.lo.finite()
    }

    /// `None` is plus infinity.
    pub fn hi(&self) -> Option<&Dyadic> {
        self.hi.finite()
    }

    pub fn hull(&self, other: &Enclosure) -> Enclosure {
        Enclosure { lo: self.lo.clone().min(other.lo.clone()), hi: self.hi.clone().max(other.hi.clone()) }
    }

    pub fn intersect(&self, other: &Enclosure) -> Option<Enclosure> {
        let (lo, hi) = (self.lo.clone().max(other.lo.clone()), self.hi.clone().min(other.hi.clone()));
        (lo <= hi).then_some(Enclosure { lo, hi })
    }

    pub fn neg(&self) -> Enclosure {
        Enclosure { lo: self.hi.neg(), hi: self.lo.neg() }
    }

    pub fn add(&self, other: &Enclosure, bits: Bits) -> Enclosure {
        Enclosure { lo: self.lo.sum(&other.lo, bits, Toward::Down), hi: self.hi.sum(&other.hi, bits, Toward::Up) }
    }

    pub fn sub(&self, other: &Enclosure, bits: Bits) -> Enclosure {
        self.add(&other.neg(), bits)
    }

    pub fn mul(&self, other: &Enclosure, bits: Bits) -> Enclosure {
        // The extremes over a box are attained at corners.
        let corners = [
            self.lo.product(&other.lo),
            self.lo.product(&other.hi),
            self.hi.product(&other.lo),
            self.hi.product(&other.hi),
        ];
        let mut least = &corners[0];
        let mut greatest = &corners[0];
        for corner in &corners[1..] {
            least = least.min(corner);
            greatest = greatest.max(corner);
        }
        Enclosure { lo: least.clone().rounded(bits, Toward::Down), hi: greatest.clone().rounded(bits, Toward::Up) }
    }

    /// Errors: the divisor contains 0.
    pub fn div(&self, other: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
        if other.hi.is_negative() {
            return self.neg().div(&other.neg(), bits);
        }
        if !other.lo.is_positive() {
            return Err(RealError::DivisionByZero);
        }
        // For a positive divisor: the lower end is lo/hi' where lo >= 0 and lo/lo' where lo < 0, and mirrored.
        let lo = self.lo.quotient(if self.lo.is_negative() { &other.lo } else { &other.hi }, bits, Toward::Down);
        let hi = self.hi.quotient(if self.hi.is_negative() { &other.hi } else { &other.lo }, bits, Toward::Up);
        Ok(Enclosure { lo, hi })
    }

    pub fn abs(&self) -> Enclosure {
        if !self.lo.is_negative() {
            self.clone()
        } else if !self.hi.is_positive() {
            self.neg()
        } else {
            Enclosure { lo: End::At(Dyadic::zero()), hi: self.hi.clone().max(self.lo.neg()) }
        }
    }

    pub fn min(&self, other: &Enclosure) -> Enclosure {
        Enclosure { lo: self.lo.clone().min(other.lo.clone()), hi: self.hi.clone().min(other.hi.clone()) }
    }

    pub fn max(&self, other: &Enclosure) -> Enclosure {
        Enclosure { lo: self.lo.clone().max(other.lo.clone()), hi: self.hi.clone().max(other.hi.clone()) }
    }

    /// `x^n`, with `x^0 = 1`. Errors: a negative exponent of an enclosure that contains 0.
    pub fn powi(&self, n: i64, bits: Bits) -> Result<Enclosure, RealError> {
        if n < 0 {
            return Enclosure::exact_int(1).div(&self.powi_natural(n.unsigned_abs(), bits), bits);
        }
        Ok(self.powi_natural(n.unsigned_abs(), bits))
    }

    fn powi_natural(&self, n: u64, bits: Bits) -> Enclosure {
        if n == 0 {
            return Enclosure::exact_int(1);
        }
        if n.is_multiple_of(2) {
            // An even power depends on |x| and increases with it.
            return self.abs().powi_nonnegative(n, bits);
        }
        if !self.lo.is_negative() {
            return self.powi_nonnegative(n, bits);
        }
        if !self.hi.is_positive() {
            return self.neg().powi_nonnegative(n, bits).neg();
        }
        let below = Enclosure { lo: End::At(Dyadic::zero()), hi: self.lo.neg() }.powi_nonnegative(n, bits);
        let above = Enclosure { lo: End::At(Dyadic::zero()), hi: self.hi.clone() }.powi_nonnegative(n, bits);
        Enclosure { lo: below.hi.neg(), hi: above.hi }
    }

    /// Square and multiply, outward at every step: sound because all factors are nonnegative.
    fn powi_nonnegative(&self, n: u64, bits: Bits) -> Enclosure {
        let working = bits.saturating_add(72).min(super::MAX_BITS);
        let mut result = Enclosure::exact_int(1);
        for i in (0..64 - n.leading_zeros()).rev() {
            result = result.mul(&result.clone(), working);
            if n >> i & 1 == 1 {
                result = result.mul(self, working);
            }
        }
        both(|toward| if toward == Toward::Down { &result.lo } else { &result.hi }.clone().rounded(bits, toward))
    }

    /// `x^y` for real `y`: `x > 0`, or `x >= 0` with `y > 0`.
    pub fn pow(&self, exponent: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
        if let (Some(a), Some(b)) = (exponent.lo(), exponent.hi())
            && a == b
            && a.is_integer()
            && let Some(n) = a.to_rational().ok().and_then(|q| q.to_integer().to_i64())
        {
            return self.powi(n, bits);
        }
        if self.lo.is_negative() || (!self.lo.is_positive() && !exponent.lo.is_positive()) {
            return Err(RealError::OutsideDomain {
                function: "a positive base of a real power",
                argument: self.to_string(),
            });
        }
        let working = bits.saturating_add(32);
        let power = |base: &End, toward: Toward| -> Result<End, RealError> {
            let point = Enclosure { lo: base.clone(), hi: base.clone() };
            let value = match base {
                End::Plus => return Ok(if toward == Toward::Up { End::Plus } else { End::At(Dyadic::zero()) }),
                base if !base.is_positive() => return Ok(End::At(Dyadic::zero())),
                _ => point.ln(working)?.mul(exponent, working).exp(bits)?,
            };
            Ok(if toward == Toward::Down { value.lo } else { value.hi })
        };
        // For a fixed exponent the power is monotone in the base; over an interval of exponents both ends are tried.
        let ends = [power(&self.lo, Toward::Down)?, power(&self.hi, Toward::Down)?];
        let tops = [power(&self.lo, Toward::Up)?, power(&self.hi, Toward::Up)?];
        let [a, b] = ends;
        let [c, d] = tops;
        Ok(Enclosure { lo: a.min(b), hi: c.max(d) })
    }

    /// Errors: the lower end is negative.
    pub fn sqrt(&self, bits: Bits) -> Result<Enclosure, RealError> {
        if self.lo.is_negative() {
            return Err(RealError::OutsideDomain { function: "`sqrt` of a number >= 0", argument: self.to_string() });
        }
        let root = |end: &End, toward: Toward| match end {
            End::At(x) => {
                // s = isqrt(floor(x 4^w)) has s <= 2^w sqrt x < s + 1, and equality iff s^2 = x 4^w.
                let w = i64::from(bits) + 2 - x.top() / 2;
                let scaled = x.fixed(2 * w, Toward::Down);
                let s = scaled.sqrt();
                let exact = &s * &s == scaled && x.exponent() + 2 * w >= 0;
                let s = if toward == Toward::Up && !exact { s + 1 } else { s };
                End::bound(s, -w, bits, toward)
            }
            infinite => infinite.clone(),
        };
        Ok(Enclosure { lo: root(&self.lo, Toward::Down), hi: root(&self.hi, Toward::Up) })
    }

    /// `self <= other` for all members.
    pub fn le(&self, other: &Enclosure) -> Truth {
        if self.hi.finite().is_some() && other.lo.finite().is_some() && self.hi <= other.lo {
            Truth::True
        } else if self.lo.finite().is_some() && other.hi.finite().is_some() && self.lo > other.hi {
            Truth::False
        } else {
            Truth::Unknown
        }
    }

    /// `self < other` for all members.
    pub fn lt(&self, other: &Enclosure) -> Truth {
        match other.le(self) {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }

    /// The integer, if both ends are the same integer.
    pub fn as_integer(&self) -> Option<BigInt> {
        match (&self.lo, &self.hi) {
            (End::At(a), End::At(b)) if a == b && a.is_integer() => a.to_rational().ok().map(|q| q.to_integer()),
            _ => None,
        }
    }
}

impl std::fmt::Display for Enclosure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = |end: &End| match end {
            End::Minus => "-inf".to_string(),
            End::Plus => "inf".to_string(),
            End::At(x) if x.top().abs() < 200 => short(x),
            End::At(x) => format!("{}2^{}", if x.is_negative() { "-" } else { "" }, x.top()),
        };
        let (lo, hi) = (end(&self.lo), end(&self.hi));
        if lo == hi { f.write_str(&lo) } else { write!(f, "[{lo}, {hi}]") }
    }
}

/// About ten significant digits, for messages only.
fn short(x: &Dyadic) -> String {
    let Ok(q) = x.to_rational() else { return x.to_string() };
    if q.is_integer() {
        return q.to_integer().to_string();
    }
    let sign = if x.is_negative() { "-" } else { "" };
    let places = usize::try_from((10 - x.top() * 3 / 10).clamp(1, 60)).unwrap_or(10);
    let scaled = (&q * BigRational::from_integer(BigInt::from(10u8).pow(places as u32))).round().to_integer();
    let digits = scaled.magnitude().to_string();
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}
