//! Binary relative entropy, binomial tails, and their inverses. Trust: kernel.
//!
//! An inverse is not searched for. A point is asked for, and the sign of a strictly monotone function there tells on which side of the
//! inverse it lies; whoever proposes points decides how close an enclosure is, not whether it is one.

use super::dyadic::{Dyadic, End, Toward};
use super::enclosure::{Enclosure, Truth};
use super::special::binomial;
use super::{Bits, RealError};
use num_bigint::BigInt;
use num_traits::One;

/// The arguments of an inverse are rounded outward to this many bits: by monotonicity a bound stays one.
const ARGUMENT_BITS: Bits = 192;
/// The precision at which a sign is looked at.
const SIGN_BITS: Bits = 320;

/// A largest probability, at exact arguments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inverse {
    /// `sup { p in [q, 1] : kl(q, p) <= c }` for `0 <= q <= 1` and `c >= 0`.
    Kl { q: Dyadic, c: Dyadic },
    /// `sup { p in [0, 1] : P(Bin(n, p) <= k) >= delta }` for `k < n` and `0 < delta <= 1`.
    BinomialTail { n: u64, k: u64, delta: Dyadic },
}

/// What is asked for: a point at or below an inverse (`Down`), or at or above it (`Up`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    pub inverse: Inverse,
    pub side: Toward,
}

/// Whoever answers questions.
pub type Ask<'a> = &'a dyn Fn(&Question) -> Option<Dyadic>;

impl Inverse {
    /// Whether the inverse is at most `b`, by one sign at a precision of `bits`.
    ///
    /// For `q <= b < 1` and `kl(q, b) >= c`: `kl(q, .)` is strictly increasing on `[q, 1)` and infinite at 1, so it exceeds `c` beyond `b`.
    /// For `0 < b < 1` and `P(Bin(n, b) <= k) <= delta`: for `k < n` the tail is strictly decreasing on (0, 1), so it is below `delta` beyond.
    pub fn is_at_most(&self, b: &Dyadic, bits: Bits) -> bool {
        if *b >= Dyadic::one() {
            return true;
        }
        match self {
            Inverse::Kl { q, c } => {
                b >= q && b.is_positive() && kl_at(q, b, bits).is_ok_and(|kl| point(c).le(&kl) == Truth::True)
            }
            Inverse::BinomialTail { n, k, delta } => {
                b.is_positive() && tail_at(*n, *k, b, bits).is_ok_and(|tail| tail.le(&point(delta)) == Truth::True)
            }
        }
    }

    /// Whether the inverse is at least `a`, by one sign: `a` is a member of the set. The trivial end needs no sign.
    pub fn is_at_least(&self, a: &Dyadic, bits: Bits) -> bool {
        match self {
            Inverse::Kl { q, c } => a <= q || kl_at(q, a, bits).is_ok_and(|kl| kl.le(&point(c)) == Truth::True),
            Inverse::BinomialTail { n, k, delta } => {
                !a.is_positive()
                    || *a < Dyadic::one()
                        && tail_at(*n, *k, a, bits).is_ok_and(|tail| point(delta).le(&tail) == Truth::True)
            }
        }
    }
}

fn point(x: &Dyadic) -> Enclosure {
    Enclosure::exact(x.clone())
}

fn kl_at(q: &Dyadic, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
    kl(&point(q), &point(p), bits)
}

fn tail_at(n: u64, k: u64, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
    Tail::new(n, k)?.at(p, bits)
}

impl Question {
    /// Whether a point is an answer.
    pub fn holds(&self, point: &Dyadic) -> bool {
        match self.side {
            Toward::Up => self.inverse.is_at_most(point, SIGN_BITS),
            Toward::Down => self.inverse.is_at_least(point, SIGN_BITS),
        }
    }

    /// A point that is an answer. Errors: none is known, or one that lies on the other side, or too close for the sign.
    fn answered(self, ask: Ask) -> Result<Dyadic, RealError> {
        match ask(&self) {
            Some(found) if self.holds(&found) => Ok(found),
            Some(found) => Err(RealError::Point { question: self.to_string(), found: point(&found).to_string() }),
            None => Err(RealError::Point { question: self.to_string(), found: "none".to_string() }),
        }
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = if self.side == Toward::Up { "above" } else { "below" };
        match &self.inverse {
            Inverse::Kl { q, c } => write!(f, "{side} kl_inverse({}, {})", point(q), point(c)),
            Inverse::BinomialTail { n, k, delta } => {
                write!(f, "{side} binomial_tail_inverse({n}, {k}, {})", point(delta))
            }
        }
    }
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

/// `sup { p in [q, 1] : kl(q, p) <= c }`, which increases with `q` and `c`. Errors: `q` outside [0, 1], `c < 0`, a point that is missing.
pub fn kl_inverse(q: &Enclosure, c: &Enclosure, ask: Ask) -> Result<Enclosure, RealError> {
    unit(q, "`kl_inverse(q, c)` with q in [0, 1]")?;
    let (Some(q_lo), Some(q_hi)) = (q.lo(), q.hi()) else { return Ok(Enclosure::entire()) };
    let Some(c_lo) = c.lo().filter(|c| !c.is_negative()) else {
        return Err(RealError::OutsideDomain { function: "`kl_inverse(q, c)` with c >= 0", argument: c.to_string() });
    };
    let (q_lo, q_hi) = (q_lo.round_down(ARGUMENT_BITS), q_hi.round_up(ARGUMENT_BITS));
    let hi = match c.hi() {
        Some(c) if q_hi < Dyadic::one() => {
            let inverse = Inverse::Kl { q: q_hi, c: c.round_up(ARGUMENT_BITS) };
            Question { inverse, side: Toward::Up }.answered(ask)?.min(Dyadic::one())
        }
        _ => Dyadic::one(),
    };
    let lo = if c_lo.is_zero() || q_lo == Dyadic::one() {
        q_lo
    } else {
        let inverse = Inverse::Kl { q: q_lo.clone(), c: c_lo.round_down(ARGUMENT_BITS) };
        Question { inverse, side: Toward::Down }.answered(ask)?.max(q_lo)
    };
    Enclosure::new(Some(lo), Some(hi))
}

/// `P(Bin(n, .) <= k)` for `k < n`, with its binomial coefficient.
pub struct Tail {
    n: u64,
    k: u64,
    coefficient: Enclosure,
}

impl Tail {
    /// Errors: sizes beyond the limits. Requires `k < n`.
    pub fn new(n: u64, k: u64) -> Result<Tail, RealError> {
        if i64::try_from(n).is_err() || k >= n {
            return Err(RealError::TooLarge { what: "the number of trials", limit: i64::MAX as u64 });
        }
        let coefficient = Dyadic::from(binomial(&BigInt::from(n), &BigInt::from(k))?);
        Ok(Tail { n, k, coefficient: Enclosure::exact(coefficient) })
    }

    /// `P(Bin(n, p) = k)` at a point `0 < p < 1`.
    pub fn mass(&self, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
        let p = point(p);
        let other = Enclosure::exact_int(1).sub(&p, super::MAX_BITS);
        // The exponents fit, as n does.
        let powers = p.powi(self.k as i64, bits)?.mul(&other.powi((self.n - self.k) as i64, bits)?, bits);
        Ok(self.coefficient.mul(&powers, bits))
    }

    /// `P(Bin(n, p) <= k)` at a point `0 < p < 1`.
    ///
    /// `t_k = binomial(n, k) p^k (1-p)^(n-k)` and `t_(i-1) = t_i i/(n-i+1) (1-p)/p`. The ratios decrease as i does, so once a ratio is
    /// at most 1/2 the terms below sum to at most the last one.
    pub fn at(&self, p: &Dyadic, bits: Bits) -> Result<Enclosure, RealError> {
        let odds = Enclosure::exact_int(1).sub(&point(p), super::MAX_BITS).div(&point(p), bits)?;
        let mut term = self.mass(p, bits)?;
        let mut sum = term.clone();
        let half = Enclosure::exact(Dyadic::new(BigInt::one(), -1)?);
        let mut i = self.k;
        while i > 0 {
            let step = Enclosure::exact(Dyadic::from(BigInt::from(i)))
                .div(&Enclosure::exact(Dyadic::from(BigInt::from(self.n - i + 1))), bits)?
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
}

/// `P(Bin(n, p) <= k)`, which decreases with `p`. Errors: `p` outside [0, 1], sizes beyond the limits.
pub fn binomial_tail(n: u64, k: u64, p: &Enclosure, bits: Bits) -> Result<Enclosure, RealError> {
    unit(p, "`binomial_tail(n, k, p)` with p in [0, 1]")?;
    let one = Enclosure::exact_int(1);
    if k >= n {
        return Ok(one);
    }
    let tail = Tail::new(n, k)?;
    let at = |p: Option<&Dyadic>| -> Result<Enclosure, RealError> {
        match p {
            Some(p) if p.is_positive() && *p < Dyadic::one() => tail.at(p, bits.saturating_add(40)),
            Some(p) if p.is_positive() => Ok(Enclosure::exact_int(0)),
            _ => Ok(one.clone()),
        }
    };
    let (low, high) = (at(p.hi())?, at(p.lo())?);
    let value = Enclosure { lo: low.lo, hi: high.hi };
    let unit = Enclosure::new(Some(Dyadic::zero()), Some(Dyadic::one()))?;
    value.intersect(&unit).ok_or(RealError::Empty)
}

/// `sup { p in [0, 1] : P(Bin(n, p) <= k) >= delta }` for every `k` from `k.0` to `k.1`: it increases with `k` and decreases with `delta`.
/// Errors: `n = 0`, `k > n`, `delta` outside (0, 1], a point that is missing.
pub fn binomial_tail_inverse(n: u64, k: (u64, u64), delta: &Enclosure, ask: Ask) -> Result<Enclosure, RealError> {
    if n == 0 || k.1 > n {
        return Err(RealError::OutsideDomain {
            function: "`binomial_tail_inverse(n, k, delta)` with 1 <= n and k <= n",
            argument: format!("n = {n}, k = {}", k.1),
        });
    }
    unit(delta, "`binomial_tail_inverse(n, k, delta)` with delta in (0, 1]")?;
    let (Some(d_lo), Some(d_hi)) = (delta.lo().filter(|d| d.is_positive()), delta.hi()) else {
        return Err(RealError::OutsideDomain {
            function: "`binomial_tail_inverse(n, k, delta)` with delta > 0",
            argument: delta.to_string(),
        });
    };
    let end = |k: u64, delta: Dyadic, side: Toward| {
        if k == n {
            return Ok(Dyadic::one());
        }
        Question { inverse: Inverse::BinomialTail { n, k, delta }, side }.answered(ask)
    };
    let hi = end(k.1, d_lo.round_down(ARGUMENT_BITS), Toward::Up)?.min(Dyadic::one());
    let lo = end(k.0, d_hi.round_up(ARGUMENT_BITS), Toward::Down)?.max(Dyadic::zero());
    Enclosure::new(Some(lo), Some(hi))
}
