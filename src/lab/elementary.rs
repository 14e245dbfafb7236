//! Elementary functions with the same bits on every IEEE 754 machine. Trust: untrusted.
//!
//! The platform's `exp`, `ln`, `sin` differ in the last bit between machines, and training amplifies one bit to another network.
//! Here everything is `+ - * /` in a written order (Rust never contracts `a * b + c` into one rounding), table-free. Absolute or
//! relative error is below 1e-14 on the working range; no proof rests on it.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, FRAC_PI_4, LOG2_E, PI};

/// High part of ln 2 with 32 significant bits: `k * LN2_HI` is exact for `|k| < 2^20`.
const LN2_HI: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
const LN2_LO: f64 = 1.908_214_929_270_587_7e-10;
/// `1 / sqrt(2 pi)`
const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

/// `2^k` for `-1022 <= k <= 1023`, by its bits.
fn power_of_two(k: i64) -> f64 {
    f64::from_bits(((k.clamp(-1022, 1023) + 1023) as u64) << 52)
}

/// `e^x`; 0 below -708, infinite above 709, NaN for NaN.
pub fn exp(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x > 709.0 {
        return f64::INFINITY;
    }
    if x < -708.0 {
        return 0.0;
    }
    // x = k ln 2 + r with |r| <= 0.35; the Taylor remainder after r^13/13! is below 0.35^14 / 14! < 1e-17.
    let k = (x * LOG2_E + 0.5).floor();
    let r = (x - k * LN2_HI) - k * LN2_LO;
    let mut sum = 1.0;
    let mut n = 13.0;
    while n >= 1.0 {
        sum = 1.0 + sum * r / n;
        n -= 1.0;
    }
    let k = k as i64;
    // 709 / ln 2 rounds to 1023, so one scaling suffices.
    sum * power_of_two(k)
}

/// Natural logarithm; `-inf` at 0, NaN below.
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x < 0.0 {
        return f64::NAN;
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    if x.is_infinite() {
        return x;
    }
    let (x, shift) = if x < f64::MIN_POSITIVE { (x * power_of_two(54), -54) } else { (x, 0) };
    let bits = x.to_bits();
    let mut k = (bits >> 52) as i64 - 1022 + shift;
    let mut m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3fe0_0000_0000_0000);
    if m < FRAC_1_SQRT_2 {
        m *= 2.0;
        k -= 1;
    }
    // ln m = 2 artanh(s) = 2 (s + s^3/3 + ...), |s| <= 0.1716; the first omitted term is s^25/25 < 1e-20.
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let mut sum = 0.0;
    let mut n = 23.0;
    while n >= 1.0 {
        sum = sum * s2 + 1.0 / n;
        n -= 2.0;
    }
    k as f64 * LN2_HI + (2.0 * s * sum + k as f64 * LN2_LO)
}

/// Hyperbolic tangent, to absolute accuracy.
pub fn tanh(x: f64) -> f64 {
    let e = exp(-2.0 * x.abs());
    let t = (1.0 - e) / (1.0 + e);
    if x < 0.0 { -t } else { t }
}

/// `1 / (1 + e^-x)`
pub fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + exp(-x))
    } else {
        let e = exp(x);
        e / (1.0 + e)
    }
}

/// `ln(1 + e^x)` without overflow.
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + ln(1.0 + exp(-x.abs()))
}

/// `(sin(pi u), cos(pi u))` for `0 <= u <= 1`; other arguments are clamped.
pub fn sin_cos_pi(u: f64) -> (f64, f64) {
    let u = u.clamp(0.0, 1.0);
    if u > 0.5 {
        let (s, c) = sin_cos_pi(1.0 - u);
        return (s, -c);
    }
    if u > 0.25 {
        let (s, c) = sin_cos_small(PI * (0.5 - u));
        return (c, s);
    }
    sin_cos_small(PI * u)
}

/// Taylor series for `0 <= x <= pi/4`; the first omitted terms are below x^19/19! < 1e-19.
fn sin_cos_small(x: f64) -> (f64, f64) {
    let x2 = x * x;
    let (mut s, mut c) = (1.0, 1.0);
    let mut n = 17.0;
    while n >= 3.0 {
        s = 1.0 - s * x2 / (n * (n - 1.0));
        c = 1.0 - c * x2 / ((n + 1.0) * n);
        n -= 2.0;
    }
    (x * s, 1.0 - c * x2 / 2.0)
}

/// Arc tangent.
pub fn arctan(x: f64) -> f64 {
    let a = x.abs();
    let t = if a > 1.0 { FRAC_PI_2 - arctan_unit(1.0 / a) } else { arctan_unit(a) };
    if x < 0.0 { -t } else { t }
}

/// For `0 <= x <= 1`: atan x = pi/4 + atan((x-1)/(x+1)) above tan(pi/8), then the alternating series; 0.4143^47/47 < 1e-19.
fn arctan_unit(x: f64) -> f64 {
    let (base, x) = if x > 0.414_213_562_373_095 { (FRAC_PI_4, (x - 1.0) / (x + 1.0)) } else { (0.0, x) };
    let x2 = x * x;
    let mut sum = 0.0;
    let mut n = 45.0;
    while n >= 1.0 {
        sum = 1.0 / n - sum * x2;
        n -= 2.0;
    }
    base + x * sum
}

/// Density of the standard normal distribution.
pub fn normal_density(x: f64) -> f64 {
    INV_SQRT_2PI * exp(-0.5 * x * x)
}

/// Distribution function of the standard normal distribution, to absolute accuracy:
/// `Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...)` (Marsaglia 2004).
pub fn normal_distribution(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    // The tail beyond 8.5 is below 1e-16.
    if x > 8.5 {
        return 1.0;
    }
    if x < -8.5 {
        return 0.0;
    }
    let x2 = x * x;
    let (mut term, mut sum, mut n) = (x, 0.0, 1.0);
    while term.abs() > 1e-18 * (1.0 + f64::abs(sum)) {
        sum += term;
        n += 2.0;
        term *= x2 / n;
    }
    0.5 + normal_density(x) * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares with the platform's function on a grid; the platform is accurate to a few units in the last place.
    fn agrees(name: &str, ours: fn(f64) -> f64, theirs: fn(f64) -> f64, from: f64, to: f64, relative: bool) {
        let steps = 20_011;
        for i in 0..=steps {
            let x = from + (to - from) * f64::from(i) / f64::from(steps);
            let (a, b) = (ours(x), theirs(x));
            let scale = if relative { b.abs() } else { b.abs().max(1.0) };
            assert!((a - b).abs() <= 1e-13 * scale, "{name}({x}): {a} against {b}");
        }
    }

    #[test]
    fn functions_agree_with_the_platform() {
        agrees("exp", exp, f64::exp, -700.0, 705.0, true);
        agrees("exp", exp, f64::exp, -2.0, 2.0, true);
        agrees("ln", ln, f64::ln, 1e-3, 50.0, false);
        agrees("ln", ln, f64::ln, 0.999, 1.001, false);
        agrees("tanh", tanh, f64::tanh, -20.0, 20.0, false);
        agrees("sigmoid", sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -40.0, 40.0, false);
        agrees("softplus", softplus, |x| x.exp().ln_1p(), -40.0, 40.0, false);
        agrees("arctan", arctan, f64::atan, -30.0, 30.0, false);
        agrees("sin", |u| sin_cos_pi(u).0, |u| (PI * u).sin(), 0.0, 1.0, false);
        agrees("cos", |u| sin_cos_pi(u).1, |u| (PI * u).cos(), 0.0, 1.0, false);
    }

    #[test]
    fn the_normal_distribution_matches_tables() {
        // Abramowitz and Stegun 1964, Table 26.1.
        for (x, p) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746_068_543),
            (2.0, 0.977_249_868_051_821),
            (-3.0, 0.001_349_898_031_630),
            (5.0, 0.999_999_713_348),
        ] {
            assert!((normal_distribution(x) - p).abs() < 1e-12, "{x}");
        }
        assert_eq!(normal_distribution(9.0), 1.0);
        assert_eq!(normal_distribution(-9.0), 0.0);
    }

    #[test]
    fn ends_of_the_range() {
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp(f64::INFINITY), f64::INFINITY);
        assert!(exp(709.0).is_finite());
        assert!(exp(f64::NAN).is_nan() && ln(f64::NAN).is_nan() && ln(-1.0).is_nan());
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(1.0), 0.0);
        assert!((ln(5e-324) + 744.440_071_921_381_3).abs() < 1e-10);
        assert_eq!(sin_cos_pi(0.0), (0.0, 1.0));
        assert_eq!(sin_cos_pi(0.5), (1.0, 0.0));
        assert_eq!(sin_cos_pi(1.0), (0.0, -1.0));
        assert_eq!(tanh(f64::INFINITY), 1.0);
    }
}
