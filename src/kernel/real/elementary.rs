//! exp, ln and their relatives, by positive series with proven remainders. Trust: kernel.
//!
//! Points are handled on an integer grid `2^-w`; intervals by monotonicity, end by end.

use super::dyadic::{Dyadic, End, Toward, shift};
use super::enclosure::{Enclosure, both};
use super::{Bits, MAX_BITS, RealError};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// Arguments of `exp` beyond this have results outside the range of magnitudes.
const EXP_TOP: i64 = 38;

fn grid(bits: Bits, extra: i64) -> i64 {
    i64::from(bits.min(MAX_BITS)) + extra.clamp(0, i64::from(MAX_BITS))
}

fn pick(lo: BigInt, hi: BigInt, toward: Toward) -> BigInt {
    if toward == Toward::Down { lo } else { hi }
}

/// `2^w exp(x / 2^w)` for `0 <= x <= 2^w`, enclosed by integers.
///
/// With `r = x / 2^(w+j) <= 1/2` on the grid `2^-W`, `W = w + 2j + 12 + bitlen(w)`: the floored terms lose less than 2 units each,
/// the rest after the last term less than 2 more, so `2^W exp(r)` lies in `[S, S + 2N + 4]`. Then `j` squarings, rounded outward.
fn exp01(x: &BigInt, w: i64) -> (BigInt, BigInt) {
    let j = isqrt(w) / 2 + 1;
    let working = w + 2 * j + 12 + bit_length(w);
    let r = x << (working - w - j).unsigned_abs();
    let mut term = BigInt::one() << working.unsigned_abs();
    let mut sum = term.clone();
    let mut n = 0u32;
    while !term.is_zero() {
        n += 1;
        term = (&term * &r) / (BigInt::from(n) << working.unsigned_abs());
        sum += &term;
    }
    let mut lo = sum.clone();
    let mut hi = sum + BigInt::from(2 * n + 4);
    for _ in 0..j {
        lo = shift(&lo * &lo, working, Toward::Down);
        hi = shift(&hi * &hi, working, Toward::Up);
    }
    (shift(lo, working - w, Toward::Down), shift(hi, working - w, Toward::Up))
}

fn isqrt(w: i64) -> i64 {
    BigInt::from(w.max(0)).sqrt().to_i64().unwrap_or(0)
}

fn bit_length(w: i64) -> i64 {
    64 - i64::from(w.unsigned_abs().leading_zeros())
}

/// `2^w atanh(a/b)` for `0 <= a/b <= 1/3`, enclosed by integers.
///
/// On the grid `2^-W` each floored term of `sum z^(2n+1)/(2n+1)` loses less than 2 units, the rest is at most 1 unit, and
/// flooring `z` less than 2: the value lies in `[S, S + 2N + 3]`.
fn atanh(a: &BigInt, b: &BigInt, w: i64) -> (BigInt, BigInt) {
    let working = w + 8 + bit_length(w);
    let z = (a << working.unsigned_abs()).div_floor(b);
    let square = shift(&z * &z, working, Toward::Down);
    let mut power = z.clone();
    let mut sum = z;
    let mut n = 0u32;
    while !power.is_zero() {
        n += 1;
        power = shift(&power * &square, working, Toward::Down);
        sum += &power / BigInt::from(2 * n + 1);
    }
    let hi = &sum + BigInt::from(2 * n + 3);
    (shift(sum, working - w, Toward::Down), shift(hi, working - w, Toward::Up))
}

/// `2^w ln 2 = 2^w 2 atanh(1/3)`.
fn ln2(w: i64) -> (BigInt, BigInt) {
    let (lo, hi) = atanh(&BigInt::one(), &BigInt::from(3), w + 1);
    (lo, hi)
}

fn exp_end(x: &End, bits: Bits, toward: Toward) -> End {
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
    let w = grid(bits, 16);
    // ln 2 to `extra` more bits, since it is multiplied by k < 2^39.
    let extra = x.top().max(0) + 8;
    let (l_lo, l_hi) = ln2(w + extra);
    let x_lo = x.fixed(w + extra, Toward::Down);
    let x_hi = x.fixed(w + extra, Toward::Up);
    let mut k = x_lo.div_floor(&l_hi);
    // x - k ln 2 in [0, 1]: k may be one too large where x is negative.
    loop {
        let (k_lo, k_hi) = if k.is_negative() { (&k * &l_hi, &k * &l_lo) } else { (&k * &l_lo, &k * &l_hi) };
        let (r_lo, r_hi) = (&x_lo - k_hi, &x_hi - k_lo);
        if r_lo.is_negative() {
            k -= 1;
            continue;
        }
        let (r_lo, r_hi) = (shift(r_lo, extra, Toward::Down), shift(r_hi, extra, Toward::Up));
        let one = BigInt::one() << w.unsigned_abs();
        // r <= ln 2 + 2 units + one step of k at most; a remainder above 1 is reduced by another ln 2.
        if r_hi > one {
            k += 1;
            continue;
        }
        let (lo, hi) = (exp01(&r_lo, w).0, exp01(&r_hi, w).1);
        let k = k.to_i64().unwrap_or(0);
        return End::bound(pick(lo, hi, toward), k - w, bits, toward);
    }
}

/// ln of a positive dyadic number.
fn ln_point(x: &Dyadic, bits: Bits, toward: Toward) -> End {
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
        return End::At(Dyadic::zero());
    }
    // Near 1 the logarithm is about x - 1: the grid follows it.
    let near = if k == 0 { denominator.bits() as i64 - a.bits() as i64 } else { 0 };
    let w = grid(bits, 16 + near.max(0) + bit_length(k));
    let (lo, hi) = atanh(&a.abs(), &b, w + 1);
    let (lo, hi) = if a.is_negative() { (-hi, -lo) } else { (lo, hi) };
    let (l_lo, l_hi) = ln2(w + bit_length(k));
    let k_big = BigInt::from(k);
    let (k_lo, k_hi) = if k < 0 { (&k_big * &l_hi, &k_big * &l_lo) } else { (&k_big * &l_lo, &k_big * &l_hi) };
    let places = bit_length(k);
    let value = match toward {
        Toward::Down => lo + shift(k_lo, places, toward),
        Toward::Up => hi + shift(k_hi, places, toward),
    };
    End::bound(value, -w, bits, toward)
}

fn ln_end(x: &End, bits: Bits, toward: Toward) -> End {
    match x {
        End::At(x) => ln_point(x, bits, toward),
        infinite => infinite.clone(),
    }
}

/// pi by Machin: 16 atan(1/5) - 4 atan(1/239). Each floored term loses less than 2 units, the rest is below the last term:
/// either sum is within `2N + 2` units.
pub fn pi(bits: Bits) -> Enclosure {
    let w = grid(bits, 16 + 16);
    let atan = |n: u32| -> (BigInt, BigInt) {
        let square = BigInt::from(n) * n;
        let mut power = (BigInt::one() << w.unsigned_abs()) / n;
        let mut sum = BigInt::zero();
        let mut k = 0u32;
        while !power.is_zero() {
            let term = &power / (2 * k + 1);
            sum += if k.is_multiple_of(2) { term } else { -term };
            power /= &square;
            k += 1;
        }
        let slack = BigInt::from(2 * k + 2);
        (&sum - &slack, sum + slack)
    };
    let (five, other) = (atan(5), atan(239));
    let lo: BigInt = &five.0 * 16 - &other.1 * 4;
    let hi: BigInt = &five.1 * 16 - &other.0 * 4;
    both(|toward| End::bound(pick(lo.clone(), hi.clone(), toward), -w, bits, toward))
}

/// The number e.
pub fn e(bits: Bits) -> Enclosure {
    let one = End::At(Dyadic::one());
    both(|toward| exp_end(&one, bits, toward))
}

impl Enclosure {
    /// Increasing: end by end. Never fails; huge arguments give a huge or unbounded end.
    pub fn exp(&self, bits: Bits) -> Result<Enclosure, RealError> {
        Ok(Enclosure { lo: exp_end(&self.lo, bits, Toward::Down), hi: exp_end(&self.hi, bits, Toward::Up) })
    }

    /// Increasing. Errors: a member may be <= 0.
    pub fn ln(&self, bits: Bits) -> Result<Enclosure, RealError> {
        if !self.lo.is_positive() {
            return Err(RealError::OutsideDomain { function: "`ln` of a positive number", argument: self.to_string() });
        }
        Ok(Enclosure { lo: ln_end(&self.lo, bits, Toward::Down), hi: ln_end(&self.hi, bits, Toward::Up) })
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
            // Near 0 the difference 1 - y cancels as many bits as |x| is small.
            let working =
                bits.saturating_add(16 + u32::try_from((-point.top()).max(0)).unwrap_or(MAX_BITS)).min(MAX_BITS);
            let one = Enclosure::exact_int(1);
            let magnitude = if point.is_negative() { point.neg() } else { point.clone() };
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
