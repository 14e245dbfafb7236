//! The elementary functions of [`MpInterval`].
//!
//! Trust: untrusted. Rests on MPFR's correct rounding.
//!
//! | function | domain | range | shape |
//! | --- | --- | --- | --- |
//! | `exp` | R | (0, inf) | increasing |
//! | `exp2` | R | (0, inf) | increasing |
//! | `exp_m1` = e^x - 1 | R | (-1, inf) | increasing |
//! | `ln`, `log2` | (0, inf) | R | increasing |
//! | `ln_1p` = ln(1 + x) | (-1, inf) | R | increasing |
//! | `tanh` | R | (-1, 1) | increasing, odd |
//! | `erf` | R | (-1, 1) | increasing, odd |
//! | `erfc` = 1 - erf | R | (0, 2) | decreasing |
//! | `ln_gamma` | (0, inf) | [-0.1214..., inf) | convex, least at 1.4616... |
//! | `powi` = x^n | R, without 0 for n < 0 | R | odd n: monotone on each side of 0; even n: by abs(x) |
//! | `pow` = x^y | x > 0, or x >= 0 and y > 0 | [0, inf) | monotone in each variable: extreme at corners |
//!
//! A point outside the domain is an error for the whole interval. Infinite ends give limits.
//!
//! At a single point one evaluation serves both ends: if the rounded-down y differs from f, then y < f < next(y), because y is
//! the largest number of the precision that is at most f. This holds for the last operation alone, never for a composite.

use super::error::NumError;
use super::mpfr::{MpInterval, greater, lesser};
use rug::Float;
use rug::float::Round;
use rug::ops::PowAssignRound;
use std::cmp::Ordering;

type Rounded = fn(&mut Float, Round) -> Ordering;

fn positive(x: &MpInterval, function: &'static str) -> Result<(), NumError> {
    if *x.lo() > 0 { Ok(()) } else { Err(NumError::Domain { function, domain: "(0, inf)" }) }
}

impl MpInterval {
    fn increasing(&self, f: impl Fn(&mut Float, Round) -> Ordering) -> MpInterval {
        let mut lo = self.lo().clone();
        let side = f(&mut lo, Round::Down);
        let hi = if self.is_point() {
            let mut hi = lo.clone();
            if side != Ordering::Equal {
                hi.next_up();
            }
            hi
        } else {
            let mut hi = self.hi().clone();
            f(&mut hi, Round::Up);
            hi
        };
        MpInterval::enclose(lo, hi)
    }

    fn decreasing(&self, f: impl Fn(&mut Float, Round) -> Ordering) -> MpInterval {
        let (mut lo, mut hi) = (self.hi().clone(), self.lo().clone());
        f(&mut lo, Round::Down);
        f(&mut hi, Round::Up);
        MpInterval::enclose(lo, hi)
    }

    /// e^x.
    pub fn exp(&self) -> MpInterval {
        self.increasing(Float::exp_round as Rounded)
    }

    /// 2^x.
    pub fn exp2(&self) -> MpInterval {
        self.increasing(Float::exp2_round as Rounded)
    }

    /// e^x - 1 without cancellation.
    pub fn exp_m1(&self) -> MpInterval {
        self.increasing(Float::exp_m1_round as Rounded)
    }

    /// The natural logarithm.
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn ln(&self) -> Result<MpInterval, NumError> {
        positive(self, "ln")?;
        Ok(self.increasing(Float::ln_round as Rounded))
    }

    /// The logarithm to base 2.
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn log2(&self) -> Result<MpInterval, NumError> {
        positive(self, "log2")?;
        Ok(self.increasing(Float::log2_round as Rounded))
    }

    /// ln(1 + x) without cancellation.
    ///
    /// # Errors
    /// `Domain` unless x > -1.
    pub fn ln_1p(&self) -> Result<MpInterval, NumError> {
        if *self.lo() > -1 {
            Ok(self.increasing(Float::ln_1p_round as Rounded))
        } else {
            Err(NumError::Domain { function: "ln_1p", domain: "(-1, inf)" })
        }
    }

    /// The hyperbolic tangent.
    pub fn tanh(&self) -> MpInterval {
        self.increasing(Float::tanh_round as Rounded)
    }

    /// The error function (2/sqrt pi) int_0^x exp(-t^2) dt.
    pub fn erf(&self) -> MpInterval {
        self.increasing(Float::erf_round as Rounded)
    }

    /// 1 - erf(x) with relative accuracy for large x.
    pub fn erfc(&self) -> MpInterval {
        self.decreasing(Float::erfc_round as Rounded)
    }

    /// ln Gamma(x).
    ///
    /// # Errors
    /// `Domain` unless x > 0.
    pub fn ln_gamma(&self) -> Result<MpInterval, NumError> {
        positive(self, "ln_gamma")?;
        // At a point MPFR decides alone; this also spares the search for the minimum.
        if self.is_point() {
            return Ok(self.increasing(Float::ln_gamma_round as Rounded));
        }
        let least = LeastGamma::at(self.precision());
        if *self.lo() >= least.right {
            return Ok(self.increasing(Float::ln_gamma_round as Rounded));
        }
        if *self.hi() <= least.left {
            return Ok(self.decreasing(Float::ln_gamma_round as Rounded));
        }
        let (mut a, mut b) = (self.lo().clone(), self.hi().clone());
        a.ln_gamma_round(Round::Up);
        b.ln_gamma_round(Round::Up);
        Ok(MpInterval::enclose(least.value, greater(&a, &b)))
    }

    /// x^n, with 0^0 = 1.
    ///
    /// # Errors
    /// `DivisionByZero` for n < 0 if the interval contains 0.
    pub fn powi(&self, n: i32) -> Result<MpInterval, NumError> {
        if n < 0 && self.contains_zero() {
            return Err(NumError::DivisionByZero);
        }
        if n == 0 {
            return Ok(MpInterval::from_integer(self.precision(), 1));
        }
        let f = move |x: &mut Float, round: Round| x.pow_assign_round(n, round);
        let base = if n % 2 == 0 { self.abs() } else { self.clone() };
        Ok(if n > 0 { base.increasing(f) } else { base.decreasing(f) })
    }

    /// x^y = exp(y ln x). y ln x is affine in each of y and ln x, so the extremes over a box lie at its corners; an infinite
    /// end is the limit of truncated boxes, and MPFR's 1^inf = inf^0 = 1 are the limits along such an edge.
    ///
    /// # Errors
    /// `Domain` unless x > 0, or x >= 0 and y > 0.
    pub fn pow(&self, y: &MpInterval) -> Result<MpInterval, NumError> {
        if !(*self.lo() > 0 || (*self.lo() >= 0 && *y.lo() > 0)) {
            return Err(NumError::Domain { function: "pow", domain: "x > 0, or x >= 0 and y > 0" });
        }
        let p = self.precision().max(y.precision());
        let corner = |a: &Float, b: &Float, round: Round| {
            // The base is copied at the result's precision, which is at least its own: no rounding.
            let mut x = Float::with_val(p, a);
            x.pow_assign_round(b, round);
            x
        };
        let extreme = |round: Round, better: fn(&Float, &Float) -> Float| {
            let low = better(&corner(self.lo(), y.lo(), round), &corner(self.lo(), y.hi(), round));
            let high = better(&corner(self.hi(), y.lo(), round), &corner(self.hi(), y.hi(), round));
            better(&low, &high)
        };
        Ok(MpInterval::enclose(extreme(Round::Down, lesser), extreme(Round::Up, greater)))
    }
}

/// Where Gamma is least on (0, inf), and a lower bound of ln Gamma there.
struct LeastGamma {
    left: Float,
    right: Float,
    value: Float,
}

impl LeastGamma {
    /// ln Gamma is convex and its derivative psi (digamma) increases, so psi(left) < 0 < psi(right) brackets the minimum, and
    /// the tangent at `left` bounds it: ln Gamma >= ln Gamma(left) + psi(left) (right - left) between the two. The loss is
    /// about psi' (right - left)^2, so half the digits of the minimizer suffice.
    fn at(precision: u32) -> LeastGamma {
        let working = precision + 32;
        let mut left = Float::with_val(working, 1.0);
        let mut right = Float::with_val(working, 2.0);
        // DLMF 5.4.19: the minimizer is 1.46163 21449 68362 ...; the signs, not this, decide whether the guess brackets it.
        let near: f64 = 1.461_632_144_968_362_3;
        for guess in [near.next_down(), near, near.next_up()] {
            narrow(&mut left, &mut right, Float::with_val(working, guess));
        }
        let goal = Float::with_val(working, 1.0) >> (working / 2);
        for _ in 0..working {
            if Float::with_val(working, &right - &left) <= goal {
                break;
            }
            let middle = Float::with_val(working, &left + &right) / 2;
            narrow(&mut left, &mut right, middle);
        }
        let mut value = left.clone();
        value.ln_gamma_round(Round::Down);
        let mut slope = left.clone();
        slope.digamma_round(Round::Down);
        let distance = Float::with_val_round(working, &right - &left, Round::Up).0;
        let drop = Float::with_val_round(working, &slope * &distance, Round::Down).0;
        let value = Float::with_val_round(precision, &value + &drop, Round::Down).0;
        LeastGamma { left, right, value }
    }
}

/// Moves one end to `x` by the sign of psi(x), which correct rounding keeps.
fn narrow(left: &mut Float, right: &mut Float, x: Float) {
    let mut slope = x.clone();
    slope.digamma_round(Round::Down);
    if slope < 0 {
        if x > *left {
            *left = x;
        }
    } else if slope > 0 && x < *right {
        *right = x;
    }
}
