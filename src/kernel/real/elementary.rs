//! exp, ln and their relatives: argument reduction around the series of [`super::series`]. Trust: kernel.
//!
//! Points are handled on an integer grid `2^-w`; intervals by monotonicity, end by end.

use super::dyadic::{Dyadic, End, Toward, shift};
use super::enclosure::{Enclosure, both};
use super::series::{self, Slack, bit_length};
use super::{Bits, MAX_BITS, RealError};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Arguments of `exp` beyond this have results outside the range of magnitudes.
const EXP_TOP: i64 = 38;

fn grid(bits: Bits, extra: i64) -> i64 {
    i64::from(bits.min(MAX_BITS)) + extra.clamp(0, i64::from(MAX_BITS))
}

fn pick(lo: BigInt, hi: BigInt, toward: Toward) -> BigInt {
    if toward == Toward::Down { lo } else { hi }
}

fn exp_end(x: &End, bits: Bits, slack: Slack, toward: Toward) -> End {
    let x = match x {
        End::Minus => return End::At(Dyadic::zero()),
        End::Plus => return End::none(Toward::Up),
        End::At(x) => x,
    };
    if x.is_zero() {
        return End::At(Dyadic::one());
    }
    if x.top() > EXP_TOP {
        // |x| >= 2^38 and e^x lies beyond 2^(2^38) or below 2^-(2^38).
        let far = Dyadic::power_of_two(if x.is_negative() { -(1 << 38) } else { 1 << 38 });
        return match (x.is_negative(), toward) {
            (false, Toward::Down) | (true, Toward::Up) => End::At(far),
            (false, Toward::Up) => End::Plus,
            (true, Toward::Down) => End::At(Dyadic::zero()),
        };
    }
    let w = grid(bits, slack.guard).max(4);
    // ln 2 to `extra` more bits, since it is multiplied by k < 2^39; six of them let the remainder fit below.
    let extra = x.top().max(0) + slack.bits(0).max(6);
    let (l_lo, l_hi) = series::ln2(w + extra, slack);
    let x_lo = x.fixed(w + extra, Toward::Down);
    let x_hi = x.fixed(w + extra, Toward::Up);
    let one = BigInt::one() << w.unsigned_abs();
    let mut k = x_lo.div_floor(&l_hi);
    // x - k ln 2 in [0, 1], for this k or, where rounding made it negative, for the next smaller one.
    for _ in 0..2 {
        let (k_lo, k_hi) = if k.is_negative() { (&k * &l_hi, &k * &l_lo) } else { (&k * &l_lo, &k * &l_hi) };
        let r_lo = shift(&x_lo - k_hi, extra, Toward::Down);
        let r_hi = shift(&x_hi - k_lo, extra, Toward::Up);
        if !r_lo.is_negative() && r_hi <= one {
            let (lo, hi) = (series::exp_unit(&r_lo, w, slack).0, series::exp_unit(&r_hi, w, slack).1);
            return End::bound(pick(lo, hi, toward), k.to_i64().unwrap_or(0) - w, bits, toward);
        }
        k -= 1;
    }
    // Not reached with a series of full length; true in any case.
    if toward == Toward::Down { End::At(Dyadic::zero()) } else { End::Plus }
}

/// ln of a positive dyadic number, rounded to both sides.
fn ln_point(x: &Dyadic, bits: Bits, slack: Slack) -> Enclosure {
    // x = m 2^k with m in [1/2, 1), or in [1, 3/2) after doubling, so that |z| = |m-1|/(m+1) <= 1/3.
    let mut k = x.top();
    let mut numerator = x.mantissa().clone();
    let denominator = BigInt::one() << x.mantissa().bits();
    if &numerator * 4 < &denominator * 3 {
        numerator *= 2;
        k -= 1;
    }
    let (a, b) = (&numerator - &denominator, &numerator + &denominator);
    if a.is_zero() && k == 0 {
        return Enclosure::exact_int(0);
    }
    // Near 1 the logarithm is about x - 1: the grid follows it.
    let near = if k == 0 { denominator.bits() as i64 - a.bits() as i64 } else { 0 };
    let w = grid(bits, slack.bits(near.max(0) + bit_length(k)));
    let (lo, hi) = series::atanh(&a.abs(), &b, w + 1, slack);
    let (lo, hi) = if a.is_negative() { (-hi, -lo) } else { (lo, hi) };
    let places = slack.bits(bit_length(k));
    let (l_lo, l_hi) = series::ln2(w + places, slack);
    let k_big = BigInt::from(k);
    let (k_lo, k_hi) = if k < 0 { (&k_big * &l_hi, &k_big * &l_lo) } else { (&k_big * &l_lo, &k_big * &l_hi) };
    let lo = lo + shift(k_lo, places, Toward::Down);
    let hi = hi + shift(k_hi, places, Toward::Up);
    Enclosure { lo: End::bound(lo, -w, bits, Toward::Down), hi: End::bound(hi, -w, bits, Toward::Up) }
}

/// The number pi.
pub fn pi(bits: Bits) -> Enclosure {
    let w = grid(bits, Slack::USUAL.guard);
    let (lo, hi) = series::pi(w, Slack::USUAL);
    both(|toward| End::bound(pick(lo.clone(), hi.clone(), toward), -w, bits, toward))
}

thread_local! {
    static E: RefCell<BTreeMap<Bits, Enclosure>> = const { RefCell::new(BTreeMap::new()) };
}

/// The number e, kept for the precisions of [`crate::kernel::derive::PRECISIONS`] and below.
pub fn e(bits: Bits) -> Enclosure {
    let one = End::At(Dyadic::one());
    let compute = || both(|toward| exp_end(&one, bits, Slack::USUAL, toward));
    if bits > 4096 {
        return compute();
    }
    E.with_borrow_mut(|known| known.entry(bits).or_insert_with(compute).clone())
}

/// `[x (1 - x^2/3), x]` for `0 < x <= 1`: it contains `int_0^x g` whenever `1 - s^2 <= g(s) <= 1`, as for `tanh' = 1 - tanh^2`,
/// by `0 <= tanh s <= s`, and for `e^(-s^2)`.
pub(super) fn nearly_linear(x: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
    let point = Enclosure::exact(x.clone());
    let third = point.mul(&point, bits).div(&Enclosure::exact_int(3), bits)?;
    let low = point.mul(&Enclosure::exact_int(1).sub(&third, bits.saturating_add(4)), bits);
    Ok(Enclosure { lo: low.lo, hi: End::At(x.clone()).rounded(bits, Toward::Up) })
}

/// arctan on an enclosure in `(0, 1]`.
///
/// `arctan x = 2 arctan(x/(1 + sqrt(1 + x^2)))` until the argument is small, then `sum (-1)^k x^(2k+1)/(2k+1)`: the series alternates
/// and decreases, so its rest lies between 0 and the first omitted term.
fn arctan_unit(x: &Enclosure, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
    let one = Enclosure::exact_int(1);
    let top = x.hi().map_or(0, Dyadic::top);
    let halvings = (BigInt::from(bits).sqrt().to_i64().unwrap_or(0) / 2 + top).max(0);
    let mut y = x.clone();
    for _ in 0..halvings {
        let root = one.add(&y.mul(&y, bits), bits).sqrt(bits)?;
        y = y.div(&one.add(&root, bits), bits)?;
    }
    let square = y.mul(&y, bits).neg();
    // Where the terms no longer matter beside the first.
    let negligible = y.hi().map_or(0, Dyadic::top) - i64::from(bits) - 1;
    let mut power = y;
    let mut sum = Enclosure::exact_int(0);
    for k in 0i64.. {
        let term = power.div(&Enclosure::exact_int(2 * k + 1), bits)?;
        if k >= i64::from(slack.terms) || term.abs().hi().is_none_or(|t| t.top() < negligible) {
            sum = sum.add(&term.hull(&Enclosure::exact_int(0)), bits);
            break;
        }
        sum = sum.add(&term, bits);
        power = power.mul(&square, bits);
    }
    Ok(sum.mul(&Enclosure::exact(Dyadic::power_of_two(halvings)), bits))
}

/// arctan at a positive point; above 1 it is `pi/2 - arctan(1/x)`.
fn arctan_positive(x: &Dyadic, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
    let working = bits.saturating_add(slack.bits(16) as Bits);
    let point = Enclosure::exact(x.clone());
    if x.top() < 1 {
        // arctan x <= x, which is nearer than a rounded sum where x is tiny.
        let value = arctan_unit(&point, working, slack)?;
        return value.intersect(&Enclosure::new(Some(Dyadic::zero()), Some(x.clone()))?).ok_or(RealError::Empty);
    }
    let inverse = Enclosure::exact_int(1).div(&point, working)?;
    let quarter = pi(working).mul(&Enclosure::exact(Dyadic::power_of_two(-1)), working);
    Ok(quarter.sub(&arctan_unit(&inverse, working, slack)?, working))
}

fn arctan_end(x: &End, bits: Bits, slack: Slack, toward: Toward) -> Result<End, RealError> {
    let value = match x {
        End::Minus | End::Plus => pi(bits).mul(&Enclosure::exact(Dyadic::power_of_two(-1)), bits),
        End::At(x) if x.is_zero() => return Ok(End::At(Dyadic::zero())),
        End::At(x) if x.is_negative() => arctan_positive(&x.neg(), bits, slack)?,
        End::At(x) => arctan_positive(x, bits, slack)?,
    };
    let value = if x.is_negative() { value.neg() } else { value };
    Ok(if toward == Toward::Down { value.lo } else { value.hi }.rounded(bits, toward))
}

impl Enclosure {
    /// Increasing and odd.
    pub fn arctan(&self, bits: Bits) -> Result<Enclosure, RealError> {
        self.arctan_with(bits, Slack::USUAL)
    }

    /// [`Enclosure::arctan`] with another slack: wider or narrower, never wrong.
    pub fn arctan_with(&self, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
        let lo = arctan_end(&self.lo, bits, slack, Toward::Down)?;
        Ok(Enclosure { lo, hi: arctan_end(&self.hi, bits, slack, Toward::Up)? })
    }

    /// Increasing: end by end. Never fails; huge arguments give a huge or unbounded end.
    pub fn exp(&self, bits: Bits) -> Result<Enclosure, RealError> {
        Ok(self.exp_with(bits, Slack::USUAL))
    }

    /// [`Enclosure::exp`] with another slack: wider or narrower, never wrong.
    pub fn exp_with(&self, bits: Bits, slack: Slack) -> Enclosure {
        Enclosure { lo: exp_end(&self.lo, bits, slack, Toward::Down), hi: exp_end(&self.hi, bits, slack, Toward::Up) }
    }

    /// Increasing. Errors: a member may be <= 0.
    pub fn ln(&self, bits: Bits) -> Result<Enclosure, RealError> {
        self.ln_with(bits, Slack::USUAL)
    }

    /// [`Enclosure::ln`] with another slack: wider or narrower, never wrong.
    pub fn ln_with(&self, bits: Bits, slack: Slack) -> Result<Enclosure, RealError> {
        if !self.lo.is_positive() {
            return Err(RealError::OutsideDomain { function: "`ln` of a positive number", argument: self.to_string() });
        }
        let at = |x: &End| match x {
            End::At(x) => ln_point(x, bits, slack),
            infinite => Enclosure { lo: infinite.clone(), hi: infinite.clone() },
        };
        let low = at(&self.lo);
        let hi = if self.hi == self.lo { low.hi } else { at(&self.hi).hi };
        Ok(Enclosure { lo: low.lo, hi })
    }

    /// Errors: a member may be <= 0.
    pub fn log2(&self, bits: Bits) -> Result<Enclosure, RealError> {
        if !self.lo.is_positive() {
            return Err(RealError::OutsideDomain {
                function: "`log2` of a positive number",
                argument: self.to_string(),
            });
        }
        let working = bits.saturating_add(8);
        let two = Enclosure::exact_int(2).ln(working)?;
        self.ln(working)?.div(&two, bits)
    }

    /// `tanh x = (1 - y) / (1 + y)` with `y = e^(-2x)`; increasing and odd.
    pub fn tanh(&self, bits: Bits) -> Result<Enclosure, RealError> {
        let end = |x: &End, toward: Toward| -> Result<End, RealError> {
            let unit = |sign: i64| Ok(End::At(Dyadic::from(sign)));
            let point = match x {
                End::Minus => return unit(-1),
                End::Plus => return unit(1),
                End::At(x) if x.is_zero() => return Ok(End::At(Dyadic::zero())),
                End::At(x) => x,
            };
            let magnitude = if point.is_negative() { point.neg() } else { point.clone() };
            if magnitude.top() < -i64::from(bits / 2) - 2 {
                let value = nearly_linear(&magnitude, bits)?;
                let value = if point.is_negative() { value.neg() } else { value };
                return Ok(if toward == Toward::Down { value.lo } else { value.hi });
            }
            // Near 0 the difference 1 - y cancels as many bits as |x| is small.
            let working =
                bits.saturating_add(16 + u32::try_from((-point.top()).max(0)).unwrap_or(MAX_BITS)).min(MAX_BITS);
            let one = Enclosure::exact_int(1);
            let y = Enclosure::exact(magnitude).mul(&Enclosure::exact_int(-2), working).exp(working)?;
            // (1 - y)/(1 + y) decreases with y.
            let at = |y: End, working| -> Result<Enclosure, RealError> {
                let y = Enclosure { lo: y.clone(), hi: y };
                one.sub(&y, working).div(&one.add(&y, working), working)
            };
            let value = Enclosure { lo: at(y.hi.clone(), working)?.lo, hi: at(y.lo, working)?.hi };
            let value = if point.is_negative() { value.neg() } else { value };
            Ok(if toward == Toward::Down { value.lo } else { value.hi }.rounded(bits, toward))
        };
        Ok(Enclosure { lo: end(&self.lo, Toward::Down)?, hi: end(&self.hi, Toward::Up)? })
    }
}
