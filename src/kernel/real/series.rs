//! Power series on an integer grid `2^-w`, with proven remainders. Trust: kernel.
//!
//! Every function returns integers `lo <= 2^w f <= hi`. How fine the working grid is and where a series stops only decides the
//! width: the bounds count what each rounding loses and what the rest of the series is at most, for any [`Slack`]. Tests set the
//! slack to none, since guard bits would hide a wrong remainder.

use super::dyadic::{Toward, quotient, shift};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Extra bits of the working grids and the largest number of terms. Soundness rests on neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slack {
    /// Bits beyond those that are asked for.
    pub guard: i64,
    /// Most terms of a series.
    pub terms: u32,
}

impl Slack {
    pub const USUAL: Slack = Slack { guard: 16, terms: u32::MAX };
    pub const NONE: Slack = Slack { guard: 0, terms: u32::MAX };

    /// Guard bits where a loss of `loss` bits is expected; none if the slack is none.
    pub(super) fn bits(self, loss: i64) -> i64 {
        if self.guard == 0 { 0 } else { self.guard + loss }
    }
}

fn isqrt(w: i64) -> i64 {
    BigInt::from(w.max(0)).sqrt().to_i64().unwrap_or(0)
}

pub(super) fn bit_length(w: i64) -> i64 {
    64 - i64::from(w.unsigned_abs().leading_zeros())
}

/// `exp(x / 2^w)` for `0 <= x <= 2^w`.
///
/// With `r = x / 2^(w+j) <= 1/2`, exact on the working grid. A floored term `t_n` is less than 2 units below the true one: the
/// defect obeys `d_n <= d_(n-1) r/n + 1`. So `N` terms lose less than `2N`, and as later ratios are at most 1/2, the rest is at
/// most the last true term, below `t_N + 2`. Then `j` squarings, rounded outward.
pub fn exp_unit(x: &BigInt, w: i64, slack: Slack) -> (BigInt, BigInt) {
    let halvings = isqrt(w) / 2 + 1;
    let working = w + halvings + slack.bits(halvings + bit_length(w));
    let r = x << (working - w - halvings).unsigned_abs();
    let mut term = BigInt::one() << working.unsigned_abs();
    let mut sum = term.clone();
    let mut n = 0u32;
    while !term.is_zero() && n < slack.terms {
        n += 1;
        term = (&term * &r) / (BigInt::from(n) << working.unsigned_abs());
        sum += &term;
    }
    let mut hi = &sum + term + 2 * u64::from(n) + 2u32;
    let mut lo = sum;
    for _ in 0..halvings {
        lo = shift(&lo * &lo, working, Toward::Down);
        hi = shift(&hi * &hi, working, Toward::Up);
    }
    (shift(lo, working - w, Toward::Down), shift(hi, working - w, Toward::Up))
}

/// `atanh(a / b)` for `0 <= a/b <= 1/3`.
///
/// Flooring `z = a/b` to the grid loses less than 9/8 units of the result, as the derivative is at most 9/8. A floored power is
/// less than 2 units low (`d_n <= d_(n-1)/9 + 4/3`), a floored term of `sum z^(2n+1)/(2n+1)` less than 2. The rest after power
/// `p_N` is at most `(p_N + 2) (1/9 + 1/81 + ...) <= p_N/8 + 1/4`.
pub fn atanh(a: &BigInt, b: &BigInt, w: i64, slack: Slack) -> (BigInt, BigInt) {
    let working = w + slack.bits(bit_length(w));
    let z = (a << working.unsigned_abs()).div_floor(b);
    let square = shift(&z * &z, working, Toward::Down);
    let mut power = z.clone();
    let mut sum = z;
    let mut n = 0u32;
    while !power.is_zero() && n < slack.terms {
        n += 1;
        power = shift(&power * &square, working, Toward::Down);
        sum += &power / (2 * u64::from(n) + 1);
    }
    // 9/8 + 2N + p_N/8 + 1/4, and one more for the floor of p_N/8.
    let hi = &sum + power / 8 + 2 * u64::from(n) + 3u32;
    (shift(sum, working - w, Toward::Down), shift(hi, working - w, Toward::Up))
}

/// Grids on which `ln 2` is kept, as every exponential and logarithm needs it.
const KEPT_GRIDS: i64 = 4096;

thread_local! {
    static LN2: RefCell<BTreeMap<i64, (BigInt, BigInt)>> = const { RefCell::new(BTreeMap::new()) };
}

/// `ln 2 = 2 atanh(1/3)`.
pub fn ln2(w: i64, slack: Slack) -> (BigInt, BigInt) {
    let compute = || atanh(&BigInt::one(), &BigInt::from(3), w + 1, slack);
    if slack != Slack::USUAL || w > KEPT_GRIDS {
        return compute();
    }
    LN2.with_borrow_mut(|known| known.entry(w).or_insert_with(compute).clone())
}

/// `pi = 16 atan(1/5) - 4 atan(1/239)` (Machin 1706).
///
/// A floored power is less than 2 units low, a floored term less than 2; the series alternates and decreases, so its rest is
/// below the first omitted true term, at most `p_K + 2`.
pub fn pi(w: i64, slack: Slack) -> (BigInt, BigInt) {
    let working = w + slack.bits(bit_length(w));
    let atan = |n: u32| -> (BigInt, BigInt) {
        let square = BigInt::from(n) * n;
        let mut power = (BigInt::one() << working.unsigned_abs()) / n;
        let mut sum = BigInt::zero();
        let mut k = 0u32;
        while !power.is_zero() && k < slack.terms {
            let term = &power / (2 * u64::from(k) + 1);
            sum += if k.is_multiple_of(2) { term } else { -term };
            power /= &square;
            k += 1;
        }
        let loss = power + 2 * u64::from(k) + 2u32;
        (&sum - &loss, sum + loss)
    };
    let (five, other) = (atan(5), atan(239));
    let lo: BigInt = five.0 * 16 - &other.1 * 4;
    let hi: BigInt = five.1 * 16 - &other.0 * 4;
    (shift(lo, working - w, Toward::Down), shift(hi, working - w, Toward::Up))
}

/// A bound on side `toward` of `sum t_n` with `t_0 = x` and `t_n = t_(n-1) 2 s/(2n+1)`, for `x > 0`, `s > 0` given as bounds on the
/// same side in units of `2^-w`.
///
/// Every rounding is towards the side. A partial sum is a lower bound; once the next ratio is at most 1/2, so are the later ones,
/// and the rest is at most the last term.
pub fn erf_sum(x: &BigInt, s: &BigInt, w: i64, terms: u32, toward: Toward) -> BigInt {
    let double = s * 2;
    let mut term = x.clone();
    let mut sum = term.clone();
    let mut n = 0u32;
    loop {
        n += 1;
        let product = shift(&term * &double, w, toward);
        term = quotient(&product, &BigInt::from(2 * u64::from(n) + 1), toward);
        sum += &term;
        let is_geometric = &double * 2 <= BigInt::from(2 * u64::from(n) + 3) << w.unsigned_abs();
        if is_geometric && (n >= terms || term <= BigInt::one()) {
            return if toward == Toward::Up { sum + term } else { sum };
        }
    }
}
