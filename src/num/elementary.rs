//! The elementary functions of [`Interval`], by MPFR at 53 bits with directed rounding.
//!
//! Trust: untrusted. Rests on MPFR's correct rounding; never on the mathematical library of the platform, whose functions
//! promise no error bound.
//!
//! Domains, ranges and shapes are those of [`super::mpfr_functions`]. The ends are the tightest f64 ones: rounding to 53 bits and
//! then to f64 (subnormals, overflow) in the same direction is rounding once. A function costs one to two MPFR evaluations,
//! about a microsecond each.

use super::error::NumError;
use super::interval::Interval;
use super::mpfr::{MIN_PRECISION, MpInterval};

impl Interval {
    fn exactly(self) -> MpInterval {
        MpInterval::from_interval(MIN_PRECISION, self)
    }

    /// e^x. Domain R, range (0, inf), increasing.
    pub fn exp(self) -> Interval {
        self.exactly().exp().to_interval()
    }

    /// 2^x. Domain R, range (0, inf), increasing.
    pub fn exp2(self) -> Interval {
        self.exactly().exp2().to_interval()
    }

    /// e^x - 1. Domain R, range (-1, inf), increasing.
    pub fn exp_m1(self) -> Interval {
        self.exactly().exp_m1().to_interval()
    }

    /// The natural logarithm. Domain (0, inf), range R, increasing.
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn ln(self) -> Result<Interval, NumError> {
        Ok(self.exactly().ln()?.to_interval())
    }

    /// The logarithm to base 2. Domain (0, inf), range R, increasing.
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn log2(self) -> Result<Interval, NumError> {
        Ok(self.exactly().log2()?.to_interval())
    }

    /// ln(1 + x). Domain (-1, inf), range R, increasing.
    ///
    /// # Errors
    /// `Domain` unless x > -1.
    pub fn ln_1p(self) -> Result<Interval, NumError> {
        Ok(self.exactly().ln_1p()?.to_interval())
    }

    /// The hyperbolic tangent. Domain R, range (-1, 1), increasing.
    pub fn tanh(self) -> Interval {
        self.exactly().tanh().to_interval()
    }

    /// The error function. Domain R, range (-1, 1), increasing.
    pub fn erf(self) -> Interval {
        self.exactly().erf().to_interval()
    }

    /// 1 - erf(x). Domain R, range (0, 2), decreasing.
    pub fn erfc(self) -> Interval {
        self.exactly().erfc().to_interval()
    }

    /// ln Gamma(x). Domain (0, inf), range [-0.1214..., inf), convex with its minimum at 1.4616...
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn ln_gamma(self) -> Result<Interval, NumError> {
        Ok(self.exactly().ln_gamma()?.to_interval())
    }

    /// x^n with 0^0 = 1. Domain R, without 0 for n < 0.
    ///
    /// # Errors
    /// `DivisionByZero` for n < 0 if the interval contains 0.
    pub fn powi(self, n: i32) -> Result<Interval, NumError> {
        Ok(self.exactly().powi(n)?.to_interval())
    }

    /// x^y. Domain x > 0, or x >= 0 and y > 0; range [0, inf); extreme at the corners of the box.
    ///
    /// # Errors
    /// `Domain` outside.
    pub fn pow(self, y: Interval) -> Result<Interval, NumError> {
        Ok(self.exactly().pow(&y.exactly())?.to_interval())
    }
}
