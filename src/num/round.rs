//! Directed f64 operations in the default rounding mode.
//!
//! Trust: untrusted, and every inequality is proved here or cited.
//!
//! Notation: u = 2^-53, eta = 2^-1074 (least subnormal), Omega = 2^1024 - 2^971 (largest float), fl = round to nearest.
//! The processor's rounding mode is never changed. Two ways lead outward:
//!
//! - [`sup`] and [`inf`] widen a rounded result by a proven inflation. Rump, Zimmermann, Boldo, Melquiond, *Computing
//!   predecessor and successor in rounding to nearest* (2009): with e = fl(fl(PHI |c|) + eta), PHI = u(1 + 2u), fl(c + e) is at
//!   least the successor of c and fl(c - e) at most its predecessor. So every real x that rounds to the finite float c lies
//!   strictly between. The added eta is needed: without it products near the underflow threshold escape.
//! - `*_up`, `*_down` compute the rounding error itself by an error-free transformation and step to the neighbour only in
//!   the direction needed. They are the tightest possible where the transformation is valid, and fall back on the first way
//!   elsewhere. So exact results stay exact (1 + 2, 0 a, a - a, a / 1).
//!
//! Special values, the same for all: NaN stays NaN; a lower bound that overflows to +inf becomes Omega and an upper bound
//! that overflows to -inf becomes -Omega (the exact value lies beyond); -inf below and +inf above say "no bound".

/// u(1 + 2u) = 2^-53 + 2^-105, a float.
const PHI: f64 = f64::EPSILON * 0.5 * (1.0 + f64::EPSILON);
/// The least positive float, 2^-1074.
pub const ETA: f64 = f64::from_bits(1);
/// Half the distance from 1 to the next float: 2^-53.
pub const U: f64 = f64::EPSILON * 0.5;

/// An upper bound of every real that rounds to `c`, without looking at how `c` was computed.
#[inline]
pub fn sup(c: f64) -> f64 {
    let widened = c + (PHI * c.abs() + ETA);
    // -inf + inf is NaN in the formula; a computed -inf is an overflow, so the exact value lies below -Omega.
    if c == f64::NEG_INFINITY { f64::MIN } else { widened }
}

/// A lower bound of every real that rounds to `c`.
#[inline]
pub fn inf(c: f64) -> f64 {
    -sup(-c)
}

/// The least float at least `c`'s exact value, given the sign of the exact value minus `c`.
#[inline]
fn step_up(c: f64, rest: f64) -> f64 {
    if rest > 0.0 { c.next_up() } else { c }
}

/// 2^-968: below, the error of a product may not be a float.
const PRODUCT_LEAST: f64 = f64::from_bits((1023 - 968) << 52);
/// 2^1022.
const PRODUCT_MOST: f64 = f64::from_bits((1023 + 1022) << 52);

/// The error a b - p of the rounded product p, exact if `Some`.
///
/// Dekker's product with the factors split by masks (27 + 26 bits). All partial products and sums are exact for normal (or
/// zero) factors below 2^1023 in magnitude and 2^-968 <= |p| <= 2^1022: with A, B the integer significands, H = the upper part
/// of A, a multiple of 2^27, |L| = |A - H| <= 2^26 and p a multiple of 2^52 in units of the last places, the successive sums
/// are multiples of 2^52, 2^27, 2^27, 1 bounded by 2^80 + 2^53, 2^79 + 2^53, 2^53, 2^52, hence floats.
#[inline]
fn product_error(a: f64, b: f64, p: f64) -> Option<f64> {
    let size = p.abs();
    let normal = |x: f64| x.abs() >= f64::MIN_POSITIVE && x.abs() < 2.0 * PRODUCT_MOST;
    if !(normal(a) && normal(b) && (PRODUCT_LEAST..=PRODUCT_MOST).contains(&size)) {
        return None;
    }
    let high = |x: f64| f64::from_bits(x.to_bits().wrapping_add(0x0400_0000) & !0x07FF_FFFF);
    let (ah, bh) = (high(a), high(b));
    let (al, bl) = (a - ah, b - bh);
    Some((((ah * bh - p) + ah * bl) + al * bh) + al * bl)
}

/// An upper bound of a + b.
///
/// Knuth's TwoSum: if s and t are finite, s + t = a + b exactly. A finite s does not make t finite (an intermediate value can
/// overflow near Omega): then the inflation decides.
#[inline]
pub fn add_up(a: f64, b: f64) -> f64 {
    let s = a + b;
    let a_part = s - b;
    let b_part = s - a_part;
    let t = (a - a_part) + (b - b_part);
    if t.is_finite() { step_up(s, t) } else { sup_keeping_infinity(s, a.is_finite() && b.is_finite()) }
}

/// `sup`, except that -inf stays -inf when it came from an infinite operand.
#[inline]
fn sup_keeping_infinity(c: f64, finite_operands: bool) -> f64 {
    if c == f64::NEG_INFINITY && !finite_operands { c } else { sup(c) }
}

/// A lower bound of a + b.
#[inline]
pub fn add_down(a: f64, b: f64) -> f64 {
    -add_up(-a, -b)
}

/// An upper bound of a - b.
#[inline]
pub fn sub_up(a: f64, b: f64) -> f64 {
    add_up(a, -b)
}

/// A lower bound of a - b.
#[inline]
pub fn sub_down(a: f64, b: f64) -> f64 {
    -add_up(-a, b)
}

/// An upper bound of a b, with 0 times an infinity read as 0 (the value of the limit at a corner of a box).
#[inline]
pub fn mul_up(a: f64, b: f64) -> f64 {
    if a == 0.0 || b == 0.0 {
        return if a.is_nan() || b.is_nan() { f64::NAN } else { 0.0 };
    }
    let p = a * b;
    match product_error(a, b, p) {
        Some(rest) => step_up(p, rest),
        // A factor 1 or -1 is exact at any size.
        None if a.abs() == 1.0 || b.abs() == 1.0 => p,
        None if p == 0.0 => least_above_zero(p),
        None => sup_keeping_infinity(p, a.is_finite() && b.is_finite()),
    }
}

/// An upper bound of a nonzero product or quotient that underflowed to `zero`, whose sign is exact.
#[inline]
fn least_above_zero(zero: f64) -> f64 {
    if zero.is_sign_negative() { 0.0 } else { ETA }
}

/// A lower bound of a b, with 0 times an infinity read as 0.
#[inline]
pub fn mul_down(a: f64, b: f64) -> f64 {
    -mul_up(-a, b)
}

/// An upper bound of a / b for b != 0, with t / inf read as 0. NaN for b = 0.
///
/// With q = fl(a / b) and q b = p + e exactly, a - p is exact (p and a are within a factor 2, Sterbenz), so the sign of
/// (a - p) - e is the sign of a - q b, and a / b - q has this sign times the sign of b.
#[inline]
pub fn div_up(a: f64, b: f64) -> f64 {
    if b == 0.0 || b.is_nan() || a.is_nan() {
        return f64::NAN;
    }
    if a == 0.0 {
        return 0.0;
    }
    if b.is_infinite() {
        return if a.is_finite() { 0.0 } else { f64::NAN };
    }
    let q = a / b;
    let p = q * b;
    match product_error(q, b, p) {
        Some(e) => {
            let rest = (a - p) - e;
            step_up(q, if b > 0.0 { rest } else { -rest })
        }
        None if b.abs() == 1.0 => q,
        None if q == 0.0 => least_above_zero(q),
        None => sup_keeping_infinity(q, a.is_finite()),
    }
}

/// A lower bound of a / b for b != 0. NaN for b = 0.
#[inline]
pub fn div_down(a: f64, b: f64) -> f64 {
    -div_up(-a, b)
}

/// An upper bound of sqrt(a) for a >= 0. NaN for a < 0.
#[inline]
pub fn sqrt_up(a: f64) -> f64 {
    let s = a.sqrt();
    match square_rest(a, s) {
        Some(rest) => step_up(s, rest),
        None => sup(s),
    }
}

/// A lower bound of sqrt(a) for a >= 0, never negative. NaN for a < 0.
#[inline]
pub fn sqrt_down(a: f64) -> f64 {
    let s = a.sqrt();
    match square_rest(a, s) {
        Some(rest) if rest < 0.0 => s.next_down(),
        Some(_) => s,
        None => inf(s),
    }
}

/// The sign of a - s^2 for s = fl(sqrt a), with sqrt(0) = 0 and sqrt(inf) = inf exact; the argument is that of [`div_up`].
#[inline]
fn square_rest(a: f64, s: f64) -> Option<f64> {
    if a == 0.0 || a == f64::INFINITY {
        return Some(0.0);
    }
    let p = s * s;
    product_error(s, s, p).map(|e| (a - p) - e)
}

/// 2^e as a float, for -1074 <= e <= 1023.
fn power_of_two(e: i32) -> f64 {
    if e >= -1022 {
        f64::from_bits(u64::from((e.clamp(-1022, 1023) + 1023).unsigned_abs()) << 52)
    } else {
        f64::from_bits(1u64 << (e.max(-1074) + 1074).unsigned_abs())
    }
}

/// x 2^e rounded once to nearest: exact unless the result leaves the normal range.
///
/// A shrinking factor is applied in one multiplication where it is a float; else the part that underflows comes last, so at
/// most one rounding happens. Magnitudes of `e` beyond 2200 act as 2200 (every nonzero float over- or underflows there).
pub fn scale_by_power_of_two(x: f64, e: i32) -> f64 {
    let e = e.clamp(-2200, 2200);
    if (-1074..=1023).contains(&e) {
        return x * power_of_two(e);
    }
    if e > 0 {
        // Growing steps are exact until they overflow.
        let first = x * power_of_two(1023);
        let rest = e - 1023;
        return if rest > 1023 {
            first * power_of_two(1023) * power_of_two(rest - 1023)
        } else {
            first * power_of_two(rest)
        };
    }
    // Shrinking by more than 2^-1074: x 2^-52 ... is exact while normal; below, everything ends at 0 or the least float.
    let (significand, exponent) = frexp(x);
    let total = exponent.saturating_add(e);
    if total < -1075 { 0.0 * x } else { significand * 0.5 * power_of_two((total + 1).max(-1074)) }
}

/// x = m 2^k with 1/2 <= |m| < 1 for finite x != 0; m = x and k = 0 otherwise.
pub fn frexp(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let field = |y: f64| i32::try_from((y.to_bits() >> 52) & 0x7FF).unwrap_or(0);
    let (y, shift) = if x.abs() < f64::MIN_POSITIVE { (x * power_of_two(54), 54) } else { (x, 0) };
    let m = f64::from_bits((y.to_bits() & !(0x7FF << 52)) | (1022 << 52));
    (m, field(y) - 1022 - shift)
}
