//! Where the kernel looks at the sign beside an inverse. Trust: untrusted.
//!
//! Newton's method for the inverses of relative entropy and of binomial tails, from the side on which its steps are monotone, and from
//! the root a little outward until the kernel's own test accepts the point. All of it in the kernel's integers: every machine proposes the
//! same points, also a build without the engine.

use crate::kernel::real::{Bits, Dyadic, Enclosure, Inverse, Question, RealError, Tail, Toward, kl};
use num_bigint::BigInt;

/// Bits of a proposed point.
const POINT_BITS: Bits = 128;
/// Working precision of the last steps.
const BITS: Bits = 320;
/// Most steps of Newton's method at one precision.
const STEPS: usize = 64;
/// How far outward a point is tried, relative to the root, in powers of two.
const BUMPS: [i64; 10] = [127, 125, 121, 113, 97, 65, 33, 17, 9, 3];

/// A point beside an inverse on the side that is asked for; the trivial end where none is found.
pub fn propose(question: &Question) -> Dyadic {
    let least = match &question.inverse {
        Inverse::Kl { q, .. } => q.clone(),
        Inverse::BinomialTail { .. } => Dyadic::zero(),
    };
    let trivial = if question.side == Toward::Up { Dyadic::one() } else { least };
    let Ok(root) = root(&question.inverse) else { return trivial };
    let outward = |places: i64| {
        let step = root.mul(&Dyadic::new(BigInt::from(1), -places)?)?;
        Ok::<_, RealError>(match question.side {
            Toward::Up => root.add(&step)?.round_up(POINT_BITS).min(Dyadic::one()),
            Toward::Down => root.sub(&step)?.round_down(POINT_BITS),
        })
    };
    BUMPS.iter().filter_map(|places| outward(*places).ok()).find(|point| question.holds(point)).unwrap_or(trivial)
}

/// A number close to an inverse; nothing is promised.
fn root(inverse: &Inverse) -> Result<Dyadic, RealError> {
    match inverse {
        Inverse::Kl { q, c } => kl_root(q, c),
        Inverse::BinomialTail { n, k, delta } => tail_root(*n, *k, delta),
    }
}

fn exact(x: &Dyadic) -> Enclosure {
    Enclosure::exact(x.clone())
}

fn natural(n: u64) -> Enclosure {
    Enclosure::exact(Dyadic::from(BigInt::from(n)))
}

/// The lower end, as a number.
fn number(x: &Enclosure) -> Result<Dyadic, RealError> {
    x.lo().cloned().ok_or(RealError::Empty)
}

/// Repeats a step from `start` until it moves less than `2^-places` relatively, leaves (0, 1), or cannot be taken.
fn settle(
    start: Dyadic,
    places: i64,
    step: impl Fn(&Dyadic) -> Result<Dyadic, RealError>,
) -> Result<Dyadic, RealError> {
    let mut p = start;
    for _ in 0..STEPS {
        let Some(next) = step(&p).ok().filter(|next| next.is_positive() && *next < Dyadic::one()) else { break };
        let moved = next.sub(&p)?;
        p = next;
        if moved.is_zero() || moved.top() < p.top() - places {
            break;
        }
    }
    Ok(p)
}

/// The root of `kl(q, p) = c` above `q`. In `p` the entropy is convex, so that from above the root Newton's steps stay above it; above it
/// are `q + sqrt(2 q c) + 2 c` and, as `q ln(q/p) >= q ln q >= -(1-q)`, also `1 - (1-q) e^(-1 - c/(1-q))`.
fn kl_root(q: &Dyadic, c: &Dyadic) -> Result<Dyadic, RealError> {
    let (one, two) = (Enclosure::exact_int(1), Enclosure::exact_int(2));
    let (q, c) = (exact(q), exact(c));
    if c.hi().is_some_and(Dyadic::is_zero) {
        return number(&q);
    }
    let twice = c.mul(&two, BITS);
    let near = q.add(&q.mul(&twice, BITS).sqrt(BITS)?, BITS).add(&twice, BITS);
    let rest = one.sub(&q, BITS);
    let far = one.sub(&rest.mul(&c.div(&rest, BITS)?.add(&one, BITS).neg().exp(BITS)?, BITS), BITS);
    settle(number(&near.min(&far))?, i64::from(BITS) / 2, |p| {
        let p = exact(p);
        let excess = kl(&q, &p, BITS)?.sub(&c, BITS);
        let slope = p.sub(&q, BITS).div(&p.mul(&one.sub(&p, BITS), BITS), BITS)?;
        number(&p.sub(&excess.div(&slope, BITS)?, BITS))
    })
}

/// The root of `F(p) = delta` for the tail `F` of at most `k` successes. `ln F` is concave in `p`, as the density of a beta law is
/// log-concave: from above the root Newton's steps stay above it, and Chernoff's bound, an inverse of relative entropy, is above it. Where
/// the tail is flat, near 1, the other tail is used.
fn tail_root(n: u64, k: u64, delta: &Dyadic) -> Result<Dyadic, RealError> {
    let one = Enclosure::exact_int(1);
    let delta = exact(delta);
    let rest = number(&one.sub(&delta, BITS))?;
    if !rest.is_positive() {
        return Ok(Dyadic::zero());
    }
    if number(&delta)? > rest {
        return number(&one.sub(&exact(&tail_root(n, n - k - 1, &rest)?), BITS));
    }
    let tail = Tail::new(n, k)?;
    let ln = delta.ln(BITS)?;
    let (share, rate) = (natural(k).div(&natural(n), BITS)?, ln.neg().div(&natural(n), BITS)?);
    let mut p = kl_root(&number(&share)?, &number(&rate)?)?;
    for bits in [64, 128, BITS] {
        p = settle(p, i64::from(bits) / 2, |p| {
            let (value, mass) = (tail.at(p, bits)?, tail.mass(p, bits)?);
            // F' = -(n - k)/(1 - p) times the probability of k successes.
            let p = exact(p);
            let excess = value.ln(bits)?.sub(&ln, bits);
            let slope = mass.mul(&natural(n - k), bits).div(&one.sub(&p, BITS), bits)?;
            number(&p.add(&excess.mul(&value, bits).div(&slope, bits)?, BITS))
        })?;
    }
    Ok(p)
}
