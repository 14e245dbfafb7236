//! erf, erfc, ln Gamma, factorials and binomials. Trust: kernel.

use super::dyadic::{Dyadic, End, Toward};
use super::elementary::{nearly_linear, pi};
use super::enclosure::{Enclosure, Truth};
use super::series::{self, Slack};
use super::{Bits, MAX_BITS, RealError};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// Largest argument of an exact factorial or smaller index of an exact binomial.
const FACTORIAL_LIMIT: u64 = 100_000;

/// `n!`. Errors: `n` beyond the limit.
pub fn factorial(n: u64) -> Result<BigInt, RealError> {
    if n > FACTORIAL_LIMIT {
        return Err(RealError::TooLarge { what: "the argument of a factorial", limit: FACTORIAL_LIMIT });
    }
    Ok((1..=n).map(BigInt::from).product())
}

/// `binomial(n, k)`, 0 for `k > n`. Errors: `min(k, n - k)` beyond the limit.
pub fn binomial(n: &BigInt, k: &BigInt) -> Result<BigInt, RealError> {
    if k > n || k.is_negative() {
        return Ok(BigInt::zero());
    }
    let k = k.min(&(n - k)).clone();
    let Some(k) = k.to_u64().filter(|k| *k <= FACTORIAL_LIMIT) else {
        return Err(RealError::TooLarge { what: "the smaller index of a binomial", limit: FACTORIAL_LIMIT });
    };
    let mut result = BigInt::one();
    for i in 1..=k {
        // The product of i consecutive integers is divisible by i!.
        result = result * (n - BigInt::from(k - i)) / BigInt::from(i);
    }
    Ok(result)
}

/// Binomials asked for one after another, as the terms of a sum are.
#[derive(Default)]
pub struct Binomials {
    /// Upper index, lower index and value of the last ones.
    last: Vec<(BigInt, BigInt, BigInt)>,
}

impl Binomials {
    /// How many upper indices are remembered.
    const KEPT: usize = 4;

    /// As [`binomial`].
    pub fn at(&mut self, n: &BigInt, k: &BigInt) -> Result<BigInt, RealError> {
        let known = self.last.iter().position(|(upper, lower, _)| upper == n && lower + 1 == *k && k <= n);
        let value = match known.map(|position| self.last.remove(position)) {
            // C(n, k) = C(n, k - 1) (n - k + 1)/k, an integer.
            Some((_, lower, value)) if k.min(&(n - k)) <= &BigInt::from(FACTORIAL_LIMIT) => value * (n - lower) / k,
            _ => binomial(n, k)?,
        };
        if self.last.len() >= Self::KEPT {
            self.last.remove(0);
        }
        self.last.push((n.clone(), k.clone(), value.clone()));
        Ok(value)
    }
}

/// `ln binomial(n, k)` from the exact integer. Errors: as for [`binomial`].
pub fn ln_binomial(n: &BigInt, k: &BigInt, bits: Bits) -> Result<Enclosure, RealError> {
    Enclosure::exact(Dyadic::from(binomial(n, k)?)).ln(bits)
}

/// The lower and upper end of erf at a positive point.
///
/// `erf x = (2/sqrt pi) e^(-x^2) sum t_n` with `t_0 = x`, `t_n = t_(n-1) 2 x^2/(2n+1)`: both sides of the sum solve
/// `y' = 1 + 2xy`, `y(0) = 0`.
fn erf_positive(x: &Dyadic, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
    let one = Enclosure::exact_int(1);
    let point = Enclosure::exact(x.clone());
    if x.top() > 20 || certainly_beyond(x, bits) {
        // erfc x <= e^(-x^2) for x >= 0.
        let tail = point.powi(2, 64)?.neg().exp(64)?;
        return Ok(Enclosure { lo: one.sub(&tail, bits).lo, hi: one.hi });
    }
    let working = bits.saturating_add(16);
    if x.top() < -i64::from(bits / 2) - 4 {
        // erf x = (2/sqrt pi) int_0^x e^(-s^2) ds.
        let factor = Enclosure::exact_int(2).div(&pi(working).sqrt(working)?, working)?;
        return Ok(nearly_linear(x, working)?.mul(&factor, bits));
    }
    let square = point.mul(&point, MAX_BITS);
    let magnitude = square.hi().map_or(0, Dyadic::top).max(0);
    // The sum is about e^(x^2) and the terms start at x: the grid carries both, and the smallness of x.
    let room = if magnitude > 0 { 2i64 << magnitude.min(14) } else { 0 };
    let w = i64::from(bits) + slack.bits(8 + room + (-x.top()).max(0));
    let run = |toward: Toward| -> BigInt {
        let end = if toward == Toward::Up { square.hi() } else { square.lo() };
        let s = end.map_or_else(BigInt::zero, |s| s.fixed(w, toward));
        series::erf_sum(&x.fixed(w, toward), &s, w, slack.terms, toward)
    };
    let bound = |n: BigInt, toward| End::bound(n, -w, bits.saturating_add(16), toward);
    let sum = Enclosure { lo: bound(run(Toward::Down), Toward::Down), hi: bound(run(Toward::Up), Toward::Up) };
    let factor = square.neg().exp(working)?.mul(&Enclosure::exact_int(2), working);
    let value = factor.mul(&sum, working).div(&pi(working).sqrt(working)?, bits)?;
    Ok(Enclosure { lo: value.lo, hi: value.hi.min(one.hi) })
}

/// Whether `0.7 (bits + 1) < x^2`, so that erf is 1 to this precision; `0.7 > ln 2`.
fn certainly_beyond(x: &Dyadic, bits: Bits) -> bool {
    let square = Enclosure::exact(x.clone()).powi(2, 64);
    let limit = Enclosure::point(&BigRational::new(BigInt::from(7 * (u64::from(bits) + 1)), BigInt::from(10)), 64);
    square.is_ok_and(|square| limit.lt(&square) == Truth::True)
}

/// erfc at a point `x >= 1`, with relative accuracy.
///
/// With `I_n(x) = (2/sqrt pi) int_x^inf (t-x)^n/n! e^(-t^2) dt` and `rho_n = I_n/I_(n-1)`: `1/rho_n = 2x + 2(n+1) rho_(n+1)` and
/// `0 < rho_n < 1/(2x)`. Starting from that bracket at `n = K` and going down gives a bracket of `rho_0`, and
/// `erfc = rho_0 (2/sqrt pi) e^(-x^2)`.
fn erfc_from_one(x: &Dyadic, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
    let working = bits.saturating_add(slack.bits(0) as Bits);
    let point = Enclosure::exact(x.clone());
    let double = point.mul(&Enclosure::exact_int(2), working);
    let one = Enclosure::exact_int(1);
    let w = u64::from(working);
    // Width only: about 0.09 w^2/x^2 + w/3 + 8 steps reach full accuracy.
    let x_floor = if x.top() > 1 { 1u64 << (x.top() - 1).min(20) } else { 1 };
    let steps = (9 * w * w / (100 * x_floor * x_floor) + w / 3 + 8).min(u64::from(slack.terms));
    let mut rho = Enclosure { lo: End::At(Dyadic::zero()), hi: one.div(&double, working)?.hi };
    for n in (0..steps).rev() {
        let factor = Enclosure::exact_int(2 * (i64::try_from(n).unwrap_or(i64::MAX - 1) + 1));
        rho = one.div(&double.add(&factor.mul(&rho, working), working), working)?;
    }
    let gauss = point.mul(&point, MAX_BITS).neg().exp(working)?;
    let value = gauss.mul(&Enclosure::exact_int(2), working).mul(&rho, working);
    value.div(&pi(working).sqrt(working)?, bits)
}

fn side(value: Enclosure, toward: Toward) -> End {
    if toward == Toward::Down { value.lo } else { value.hi }
}

/// `erf` at an end.
fn erf_end(x: &End, bits: Bits, slack: Slack, toward: Toward) -> Result<End, RealError> {
    match x {
        End::Minus => Ok(End::At(Dyadic::from(-1))),
        End::Plus => Ok(End::At(Dyadic::one())),
        End::At(x) if x.is_zero() => Ok(End::At(Dyadic::zero())),
        End::At(x) if x.is_negative() => Ok(side(erf_positive(&x.neg(), bits, slack)?.neg(), toward)),
        End::At(x) => Ok(side(erf_positive(x, bits, slack)?, toward)),
    }
}

fn erfc_end(x: &End, bits: Bits, slack: Slack, toward: Toward) -> Result<End, RealError> {
    let one = Enclosure::exact_int(1);
    match x {
        End::Minus => Ok(End::At(Dyadic::from(2))),
        End::Plus => Ok(End::At(Dyadic::zero())),
        End::At(x) if x.is_negative() || x.top() < 1 => {
            // x < 1: no cancellation beyond three bits, as erfc 1 > 1/8.
            let erf = Enclosure {
                lo: erf_end(&End::At(x.clone()), bits.saturating_add(8), slack, Toward::Down)?,
                hi: erf_end(&End::At(x.clone()), bits.saturating_add(8), slack, Toward::Up)?,
            };
            Ok(side(one.sub(&erf, bits), toward))
        }
        End::At(x) => Ok(side(erfc_from_one(x, bits, slack)?, toward)),
    }
}

/// `B_2, B_4, ..., B_(2 count)` by the recurrence `sum_(j<=m) binomial(m+1, j) B_j = 0`.
fn bernoulli(count: usize) -> Vec<BigRational> {
    let mut all: Vec<BigRational> = vec![BigRational::one()];
    for m in 1..=2 * count {
        let mut sum = BigRational::zero();
        let mut choose = BigInt::one();
        for (j, b) in all.iter().enumerate() {
            if !b.is_zero() {
                sum += b * BigRational::from_integer(choose.clone());
            }
            choose = choose * BigInt::from(m + 1 - j) / BigInt::from(j + 1);
        }
        all.push(-sum / BigRational::from_integer(BigInt::from(m + 1)));
    }
    (1..=count).map(|k| all[2 * k].clone()).collect()
}

/// ln Gamma at a positive point.
///
/// Half-integers up to a few thousand exactly: `Gamma(n) = (n-1)!` and `Gamma(n + 1/2) = (1 3 5 ... (2n-1)) sqrt(pi) / 2^n`. Else
/// the argument is shifted up by `Gamma(x+1) = x Gamma(x)`, and Stirling's series applies: by Binet's formula its rest lies
/// between 0 and the first omitted term.
fn lgamma_point(x: &Dyadic, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
    let working = bits.saturating_add(slack.bits(8) as Bits);
    if x.exponent() >= -1 && x.top() <= 12 {
        let twice = (x.to_rational()? * BigRational::from_integer(BigInt::from(2))).to_integer().to_u64().unwrap_or(2);
        let n = twice / 2;
        return if twice.is_multiple_of(2) {
            Enclosure::exact(Dyadic::from(factorial(n - 1)?)).ln(bits)
        } else {
            let odd: BigInt = (0..n).map(|i| BigInt::from(2 * i + 1)).product();
            let ln = Enclosure::exact(Dyadic::new(odd, -(n as i64))?).ln(working)?;
            let half_ln_pi = pi(working).ln(working)?.div(&Enclosure::exact_int(2), working)?;
            Ok(ln.add(&half_ln_pi, bits))
        };
    }
    let w = i64::from(working);
    let target = BigInt::from(w * 12 / 100 + 12);
    let floor = if x.top() > 40 { None } else { x.floor().to_rational()?.to_integer().to_i64() };
    let steps = floor.map_or(0, |floor| (target.to_i64().unwrap_or(0) - floor).max(0));
    let mut product = Enclosure::exact_int(1);
    let mut argument = Enclosure::exact(x.clone());
    for _ in 0..steps {
        product = product.mul(&argument, working);
        argument = argument.add(&Enclosure::exact_int(1), working.saturating_add(64));
    }
    let half = Enclosure::point(&BigRational::new(BigInt::one(), BigInt::from(2)), working);
    let ln = argument.ln(working)?;
    let two_pi = pi(working).mul(&Enclosure::exact_int(2), working);
    let mut sum = argument.sub(&half, working).mul(&ln, working).sub(&argument, working);
    sum = sum.add(&two_pi.ln(working)?.mul(&half, working), working);
    let count = usize::try_from(w / 8 + 4).unwrap_or(40).min(200).min(slack.terms as usize).max(1);
    let numbers = bernoulli(count);
    let square = argument.mul(&argument, working);
    let mut power = argument.clone();
    for (k, b) in numbers.iter().enumerate() {
        let k = k as i64 + 1;
        let coefficient = b / BigRational::from_integer(BigInt::from(2 * k * (2 * k - 1)));
        let term = Enclosure::point(&coefficient, working).div(&power, working)?;
        let is_last = k as usize == count || term.abs().hi().is_none_or(|t| t.top() < -w);
        if is_last {
            // The rest lies between 0 and this term.
            sum = sum.add(&term.hull(&Enclosure::exact_int(0)), working);
            break;
        }
        sum = sum.add(&term, working);
        power = power.mul(&square, working);
    }
    Ok(sum.sub(&product.ln(working)?, bits))
}

impl Enclosure {
    /// Increasing and odd.
    pub fn erf(&self, bits: Bits) -> Result<Enclosure, RealError> {
        self.erf_with(bits, Slack::USUAL)
    }

    /// [`Enclosure::erf`] with another slack: wider or narrower, never wrong.
    pub fn erf_with(&self, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
        let lo = erf_end(&self.lo, bits, slack, Toward::Down)?;
        Ok(Enclosure { lo, hi: erf_end(&self.hi, bits, slack, Toward::Up)? })
    }

    /// Decreasing, with relative accuracy for large arguments.
    pub fn erfc(&self, bits: Bits) -> Result<Enclosure, RealError> {
        self.erfc_with(bits, Slack::USUAL)
    }

    /// [`Enclosure::erfc`] with another slack: wider or narrower, never wrong.
    pub fn erfc_with(&self, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
        let lo = erfc_end(&self.hi, bits, slack, Toward::Down)?;
        Ok(Enclosure { lo, hi: erfc_end(&self.lo, bits, slack, Toward::Up)? })
    }

    /// `ln Gamma(x)` for `x > 0`: decreasing up to 1.4616..., increasing from there. Errors: a member may be <= 0.
    pub fn lgamma(&self, bits: Bits) -> Result<Enclosure, RealError> {
        self.lgamma_with(bits, Slack::USUAL)
    }

    /// [`Enclosure::lgamma`] with another slack: wider or narrower, never wrong.
    pub fn lgamma_with(&self, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
        if !self.lo.is_positive() {
            return Err(RealError::OutsideDomain {
                function: "`lgamma` of a positive number",
                argument: self.to_string(),
            });
        }
        let at = |end: &End| match end {
            End::At(x) => lgamma_point(x, bits, slack),
            _ => Ok(Enclosure { lo: End::Plus, hi: End::Plus }),
        };
        let ends = at(&self.lo)?.hull(&at(&self.hi)?);
        let turning = Enclosure::point(&BigRational::new(BigInt::from(14616), BigInt::from(10000)), 64)
            .hull(&Enclosure::point(&BigRational::new(BigInt::from(14617), BigInt::from(10000)), 64));
        if self.intersect(&turning).is_some() {
            // The minimum, at 1.46163..., is -0.12148... > -0.1215.
            let least = Enclosure::point(&BigRational::new(BigInt::from(-1215), BigInt::from(10000)), bits);
            return Ok(ends.hull(&least));
        }
        Ok(ends)
    }
}
