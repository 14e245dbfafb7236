//! Binary relative entropy, binomial tails, and their inverses. Trust: kernel.
//!
//! An inverse is found by bisection over dyadic points; what is returned rests on the sign at one point alone, because the
//! function is strictly monotone beyond it.

use super::dyadic::{Dyadic, End};
use super::enclosure::{Enclosure, Truth};
use super::special::binomial;
use super::{Bits, RealError};
use num_bigint::BigInt;
use num_traits::One;

/// Bits to which an inverse is located; more would cost a bisection step each.
const INVERSE_BITS: Bits = 128;

/// The relative width that an inverse aims at, `2^-located(bits)`: half of the working precision, since the functions are flat
/// where the inverse is sensitive.
fn located(bits: Bits) -> Bits {
    (bits / 2).clamp(32, INVERSE_BITS)
}

fn unit(x: &Enclosure, what: &'static str) -> Result<(), RealError> {
    let (zero, one) = (Enclosure::exact_int(0), Enclosure::exact_int(1));
    if zero.le(x) == Truth::True && x.le(&one) == Truth::True {
        Ok(())
    } else {
        Err(RealError::OutsideDomain { function: what, argument: x.to_string() })
    }
}

/// `q ln(q/p)`, with `0 ln 0 = 0`.
fn entropy_term(q: &Enclosure, p: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    if q.hi().is_some_and(Dyadic::is_zero) {
        return Ok(Enclosure::exact_int(0));
    }
    // Differences of logarithms cancel where q is near p: a few more bits do no harm.
    q.div(p, bits).and_then(|ratio| ratio.ln(bits)).map(|ln| q.mul(&ln, bits))
}

/// `kl(q, p) = q ln(q/p) + (1-q) ln((1-q)/(1-p))` in nats. Errors: `q` outside [0, 1], or `p` not certainly inside (0, 1) where
/// a logarithm needs it.
pub fn kl(q: &Enclosure, p: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    unit(q, "`kl(q, p)` with q in [0, 1]")?;
    unit(p, "`kl(q, p)` with p in [0, 1]")?;
    let working = bits.saturating_add(16);
    let one = Enclosure::exact_int(1);
    let first = entropy_term(q, p, working)?;
    let second = entropy_term(&one.sub(q, working), &one.sub(p, working), working)?;
    let value = first.add(&second, bits);
    // Relative entropy is nonnegative (Gibbs).
    let floor = Enclosure::at_least(Some(Dyadic::zero()));
    Ok(value.intersect(&floor).unwrap_or(Enclosure::exact_int(0)))
}

/// Whether `sup { p in [q, 1] : kl(q, p) <= c } <= b`, for points: `b >= 1`, or `q <= b < 1`, `b > 0` and `kl(q, b) > c`.
///
/// `kl(q, .)` is strictly increasing on `[q, 1)`, so beyond such a `b` no point is in the set. The strict sign also covers a
/// `b` that equals `q`.
pub fn kl_inverse_upper_holds(q: &Dyadic, c: &Dyadic, b: &Dyadic, bits: Bits) -> bool {
    if *b >= Dyadic::one() {
        return true;
    }
    if b < q || !b.is_positive() {
        return false;
    }
    let value = kl(&Enclosure::exact(q.clone()), &Enclosure::exact(b.clone()), bits);
    value.is_ok_and(|value| Enclosure::exact(c.clone()).le(&value) == Truth::True)
}

/// Whether `kl(q, b) <= c` for a point `q <= b < 1`: then the supremum is at least `b`.
fn kl_inverse_lower_holds(q: &Dyadic, c: &Dyadic, b: &Dyadic, bits: Bits) -> bool {
    let value = kl(&Enclosure::exact(q.clone()), &Enclosure::exact(b.clone()), bits);
    b >= q && value.is_ok_and(|value| value.le(&Enclosure::exact(c.clone())) == Truth::True)
}

/// Two points `a < b` of `[low, 1]`, `holds` true at `b` (or `b = 1`), false at `a` (or `a = low`), within `2^-target` of each other
/// relatively if the steps suffice. `holds` is assumed monotone, but only its values at the two points matter.
fn bisect(low: &Dyadic, target: Bits, holds: impl Fn(&Dyadic) -> bool) -> Result<(Dyadic, Dyadic), RealError> {
    let bits = target + 8;
    let (mut a, mut b) = (low.round_down(bits), Dyadic::one());
    let half = Dyadic::new(BigInt::one(), -1)?;
    for _ in 0..4 * bits {
        if b.sub(&a)?.top() < b.top() - i64::from(target) {
            break;
        }
        let middle = a.add(&b)?.mul(&half)?.round_up(bits);
        if middle >= b || middle <= a {
            break;
        }
        if holds(&middle) {
            b = middle;
        } else {
            a = middle;
        }
    }
    Ok((a, b))
}

/// A point at which `reaches` is true, at or a little below `a`, where an upper certificate failed; `a < b`. Else `low`.
fn below(low: &Dyadic, a: &Dyadic, b: &Dyadic, reaches: impl Fn(&Dyadic) -> bool) -> Result<Dyadic, RealError> {
    let gap = b.sub(a)?;
    for places in [0, 1, 8, 24] {
        let step = if places == 0 { Dyadic::zero() } else { gap.mul(&Dyadic::power_of_two(places))? };
        let point = a.sub(&step)?;
        if point >= *low && reaches(&point) {
            return Ok(point);
        }
    }
    Ok(low.clone())
}

/// `sup { p in [q, 1] : kl(q, p) <= c }`, which increases with `q` and `c`. Errors: `q` outside [0, 1], `c < 0`.
pub fn kl_inverse(q: &Enclosure, c: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    unit(q, "`kl_inverse(q, c)` with q in [0, 1]")?;
    if Enclosure::exact_int(0).le(c) != Truth::True {
        return Err(RealError::OutsideDomain { function: "`kl_inverse(q, c)` with c >= 0", argument: c.to_string() });
    }
    let (target, working) = (located(bits), bits.saturating_add(32));
    let (Some(q_lo), Some(q_hi)) = (q.lo(), q.hi()) else { return Ok(Enclosure::entire()) };
    let upper = |q: &Dyadic, c: &Dyadic| bisect(q, target, |b| kl_inverse_upper_holds(q, c, b, working));
    let hi = match c.hi() {
        Some(c) => upper(q_hi, c)?.1,
        None => Dyadic::one(),
    };
    let lo = match c.lo() {
        Some(c) => {
            let (a, b) = upper(q_lo, c)?;
            below(q_lo, &a, &b, |p| kl_inverse_lower_holds(q_lo, c, p, working))?
        }
        None => q_lo.clone(),
    };
    Enclosure::new(Some(lo.min(hi.clone())), Some(hi))
}

/// `binomial(n, k)` with exponents that fit `i64`. Errors: too large.
fn coefficient(n: u64, k: u64, bits: Bits) -> Result<Enclosure, RealError> {
    if i64::try_from(n).is_err() {
        return Err(RealError::TooLarge { what: "the number of trials", limit: i64::MAX as u64 });
    }
    let exact = Enclosure::exact(Dyadic::from(binomial(&BigInt::from(n), &BigInt::from(k))?));
    Ok(exact.mul(&Enclosure::exact_int(1), bits))
}

/// `P(Bin(n, p) <= k)` at a point `0 < p < 1`, `k < n`, from the binomial coefficient of `n` and `k`.
///
/// `t_k = binomial(n, k) p^k (1-p)^(n-k)` and `t_(i-1) = t_i i/(n-i+1) (1-p)/p`. The ratios decrease as i does, so once a ratio is
/// at most 1/2 the terms below sum to at most the last one.
fn tail_at(n: u64, k: u64, coefficient: &Enclosure, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
    let point = Enclosure::exact(p.clone());
    let other = Enclosure::exact_int(1).sub(&point, super::MAX_BITS);
    let odds = other.div(&point, bits)?;
    // The exponents fit, as n does.
    let powers = point.powi(k as i64, bits)?.mul(&other.powi((n - k) as i64, bits)?, bits);
    let mut term = coefficient.mul(&powers, bits);
    let mut sum = term.clone();
    let half = Enclosure::exact(Dyadic::new(BigInt::one(), -1)?);
    let mut i = k;
    while i > 0 {
        let step = Enclosure::exact(Dyadic::from(BigInt::from(i)))
            .div(&Enclosure::exact(Dyadic::from(BigInt::from(n - i + 1))), bits)?
            .mul(&odds, bits);
        let is_geometric = step.le(&half) == Truth::True;
        let is_small = term.hi().zip(sum.hi()).is_some_and(|(t, s)| t.top() < s.top() - i64::from(bits));
        if is_geometric && is_small {
            // The rest is at most the last term.
            let rest = Enclosure { lo: End::At(Dyadic::zero()), hi: term.hi.clone() };
            return Ok(sum.add(&rest, bits));
        }
        term = term.mul(&step, bits);
        sum = sum.add(&term, bits);
        i -= 1;
    }
    Ok(sum)
}

/// `P(Bin(n, p) <= k)`, which decreases with `p`. Errors: `p` outside [0, 1], sizes beyond the limits.
pub fn binomial_tail(n: u64, k: u64, p: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    unit(p, "`binomial_tail(n, k, p)` with p in [0, 1]")?;
    let one = Enclosure::exact_int(1);
    if k >= n {
        return Ok(one);
    }
    let working = bits.saturating_add(40);
    let coefficient = coefficient(n, k, working)?;
    let at = |p: Option<&Dyadic>| -> Result<Enclosure, RealError> {
        match p {
            Some(p) if p.is_positive() && *p < Dyadic::one() => tail_at(n, k, &coefficient, p, working),
            Some(p) if p.is_positive() => Ok(Enclosure::exact_int(0)),
            _ => Ok(one.clone()),
        }
    };
    let (low, high) = (at(p.hi())?, at(p.lo())?);
    let value = Enclosure { lo: low.lo, hi: high.hi };
    let unit = Enclosure::new(Some(Dyadic::zero()), Some(Dyadic::one()))?;
    value.intersect(&unit).ok_or(RealError::Empty)
}

/// Whether `sup { p : P(Bin(n, p) <= k) >= delta } <= b`: `b >= 1`, or `0 < b < 1`, `k < n` and `P(Bin(n, b) <= k) <= delta`.
///
/// For `k < n` the tail is strictly decreasing in `p` on (0, 1), so it is below `delta` beyond such a `b`.
pub fn binomial_inverse_upper_holds(n: u64, k: u64, delta: &Dyadic, b: &Dyadic, bits: Bits) -> bool {
    if *b >= Dyadic::one() {
        return true;
    }
    if k >= n || !b.is_positive() {
        return false;
    }
    coefficient(n, k, bits).is_ok_and(|coefficient| upper_holds(n, k, &coefficient, delta, b, bits))
}

/// For `0 < b < 1` and `k < n`.
fn upper_holds(n: u64, k: u64, coefficient: &Enclosure, delta: &Dyadic, b: &Dyadic, bits: Bits) -> bool {
    let tail = tail_at(n, k, coefficient, b, bits);
    tail.is_ok_and(|tail| tail.le(&Enclosure::exact(delta.clone())) == Truth::True)
}

/// `sup { p in [0, 1] : P(Bin(n, p) <= k) >= delta }`, which decreases with `delta`. Errors: `n = 0`, `k > n`, `delta` outside
/// (0, 1].
pub fn binomial_tail_inverse(n: u64, k: u64, delta: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    if n == 0 || k > n {
        return Err(RealError::OutsideDomain {
            function: "`binomial_tail_inverse(n, k, delta)` with 1 <= n and k <= n",
            argument: format!("n = {n}, k = {k}"),
        });
    }
    unit(delta, "`binomial_tail_inverse(n, k, delta)` with delta in (0, 1]")?;
    let (Some(d_lo), Some(d_hi)) = (delta.lo(), delta.hi()) else { return Ok(Enclosure::entire()) };
    if !d_lo.is_positive() {
        return Err(RealError::OutsideDomain {
            function: "`binomial_tail_inverse(n, k, delta)` with delta > 0",
            argument: delta.to_string(),
        });
    }
    if k == n {
        return Ok(Enclosure::exact_int(1));
    }
    let (target, working) = (located(bits), bits.saturating_add(32));
    let coefficient = coefficient(n, k, working)?;
    let zero = Dyadic::zero();
    let upper = |delta: &Dyadic| {
        bisect(&zero, target, |b| *b >= Dyadic::one() || upper_holds(n, k, &coefficient, delta, b, working))
    };
    // A point whose tail is at least delta is a lower bound.
    let reaches = |b: &Dyadic| {
        let tail = if b.is_positive() { tail_at(n, k, &coefficient, b, working).ok() } else { None };
        tail.is_some_and(|tail| Enclosure::exact(d_hi.clone()).le(&tail) == Truth::True)
    };
    let (a, hi) = upper(d_lo)?;
    let (a, b) = if d_lo == d_hi { (a, hi.clone()) } else { upper(d_hi)? };
    let lo = below(&zero, &a, &b, reaches)?;
    Enclosure::new(Some(lo.min(hi.clone())), Some(hi))
}
