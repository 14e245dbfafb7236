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

/// Bits of the points that a bisection visits.
const POINT_BITS: i64 = 64;

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

/// The least grid point in `[low, 1]` at which an upper certificate holds and the greatest below it, by bisection; `holds` is
/// assumed monotone, but only the two points returned matter.
fn bisect(low: &Dyadic, holds: impl Fn(&Dyadic) -> bool) -> Result<(Dyadic, Dyadic), RealError> {
    let (mut a, mut b) = (low.round_down(POINT_BITS as Bits), Dyadic::one());
    let half = Dyadic::new(BigInt::one(), -1)?;
    for _ in 0..2 * POINT_BITS {
        let middle = a.add(&b)?.mul(&half)?;
        let middle = middle.round_up(POINT_BITS as Bits);
        if middle >= b || middle <= a {
            break;
        }
        if holds(&middle) {
            b = middle;
        } else {
            a = middle;
        }
        // 48 relative bits suffice for a bound that is printed with a few digits.
        if b.sub(&a)?.top() < a.top().max(b.top() - 40) - 52 {
            break;
        }
    }
    Ok((a, b))
}

/// `sup { p in [q, 1] : kl(q, p) <= c }`, which increases with `q` and `c`. Errors: `q` outside [0, 1], `c < 0`.
pub fn kl_inverse(q: &Enclosure, c: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    unit(q, "`kl_inverse(q, c)` with q in [0, 1]")?;
    if Enclosure::exact_int(0).le(c) != Truth::True {
        return Err(RealError::OutsideDomain { function: "`kl_inverse(q, c)` with c >= 0", argument: c.to_string() });
    }
    let working = bits.clamp(96, 160);
    let (Some(q_lo), Some(q_hi)) = (q.lo(), q.hi()) else { return Ok(Enclosure::entire()) };
    let hi = match c.hi() {
        Some(c) => bisect(q_hi, |b| kl_inverse_upper_holds(q_hi, c, b, working))?.1,
        None => Dyadic::one(),
    };
    let lo = match c.lo() {
        // The last point at which the upper certificate failed usually has kl <= c; otherwise q itself is a lower bound.
        Some(c) => {
            let below = bisect(q_lo, |b| !kl_inverse_lower_holds(q_lo, c, b, working))?.0;
            if kl_inverse_lower_holds(q_lo, c, &below, working) { below } else { q_lo.clone() }
        }
        None => q_lo.clone(),
    };
    Enclosure::new(Some(lo.clone().min(hi.clone())), Some(hi))
}

/// `P(Bin(n, p) <= k)` at a point `0 < p < 1`, `k < n`.
///
/// `t_k = binomial(n, k) p^k (1-p)^(n-k)` and `t_(i-1) = t_i i/(n-i+1) (1-p)/p`. The ratios decrease as i does, so once a ratio is
/// at most 1/2 the terms below sum to at most the last one.
fn tail_at(n: u64, k: u64, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
    let point = Enclosure::exact(p.clone());
    let other = Enclosure::exact_int(1).sub(&point, super::MAX_BITS);
    let odds = other.div(&point, bits)?;
    let exponent =
        |n: u64| i64::try_from(n).map_err(|_| RealError::TooLarge { what: "an exponent", limit: i64::MAX as u64 });
    let coefficient = Enclosure::exact(Dyadic::from(binomial(&BigInt::from(n), &BigInt::from(k))?));
    let mut term =
        coefficient.mul(&point.powi(exponent(k)?, bits)?, bits).mul(&other.powi(exponent(n - k)?, bits)?, bits);
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
    let at = |p: Option<&Dyadic>| -> Result<Enclosure, RealError> {
        match p {
            Some(p) if p.is_positive() && *p < Dyadic::one() => tail_at(n, k, p, working),
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
    let tail = tail_at(n, k, b, bits);
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
    let working = bits.clamp(80, 112);
    let zero = Dyadic::zero();
    let hi = bisect(&zero, |b| binomial_inverse_upper_holds(n, k, d_lo, b, working))?.1;
    // A point whose tail is at least delta is a lower bound.
    let reaches = |b: &Dyadic| {
        b.is_positive()
            && tail_at(n, k, b, working).is_ok_and(|tail| Enclosure::exact(d_hi.clone()).le(&tail) == Truth::True)
    };
    let below = if d_lo == d_hi {
        // Just below the upper point the certificate fails; try a little lower.
        let step = Dyadic::new(BigInt::one(), hi.top() - 50)?;
        hi.sub(&step)?
    } else {
        bisect(&zero, |b| !reaches(b))?.0
    };
    let lo = if reaches(&below) { below } else { zero };
    Enclosure::new(Some(lo.min(hi.clone())), Some(hi))
}
