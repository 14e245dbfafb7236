//! Local slopes and values of activations that are not piecewise linear, in outward dyadic arithmetic. Trust: kernel.
//!
//! Each derivative is monotone between its critical points. So its range on `[l, u]` is the hull of its values at `l` and `u` and
//! of the global extremes whose place may lie in `[l, u]`; including one that lies outside only enlarges the range.

use super::LipError;
use super::dyadic::Dyadic;
use super::slope::{Range, Slope, global};
use crate::kernel::net::Activation;
use num_rational::BigRational;
use num_traits::Signed;

const BITS: u32 = 96;

/// An enclosure of a real number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enclosure {
    pub lower: Dyadic,
    pub upper: Dyadic,
}

impl Enclosure {
    fn new(lower: Dyadic, upper: Dyadic) -> Enclosure {
        Enclosure { lower: lower.round_down(BITS), upper: upper.round_up(BITS) }
    }

    fn point(x: &Dyadic) -> Enclosure {
        Enclosure { lower: x.clone(), upper: x.clone() }
    }

    fn integer(n: i64) -> Enclosure {
        Enclosure::point(&Dyadic::integer(n))
    }

    fn rational(x: &BigRational) -> Enclosure {
        Enclosure { lower: Dyadic::below(x, BITS), upper: Dyadic::above(x, BITS) }
    }

    /// `digits * 10^-30`, give or take one unit.
    fn decimal(digits: i128) -> Enclosure {
        let ends = |n: i128| BigRational::new(n.into(), num_bigint::BigInt::from(10).pow(30));
        Enclosure { lower: Dyadic::below(&ends(digits - 1), BITS), upper: Dyadic::above(&ends(digits + 1), BITS) }
    }

    fn add(&self, other: &Enclosure) -> Enclosure {
        Enclosure::new(&self.lower + &other.lower, &self.upper + &other.upper)
    }

    fn sub(&self, other: &Enclosure) -> Enclosure {
        Enclosure::new(&self.lower - &other.upper, &self.upper - &other.lower)
    }

    fn mul(&self, other: &Enclosure) -> Enclosure {
        let (a, b) = (&self.lower * &other.lower, &self.lower * &other.upper);
        let (c, d) = (&self.upper * &other.lower, &self.upper * &other.upper);
        let lower = (&a).min(&b).min(&c).min(&d).clone();
        let upper = (&a).max(&b).max(&c).max(&d).clone();
        Enclosure::new(lower, upper)
    }

    /// `1 / self`, for a positive enclosure.
    fn inverse(&self) -> Result<Enclosure, LipError> {
        if !self.lower.is_positive() {
            return Err(LipError::NotProved);
        }
        let lower = Dyadic::below(&self.upper.to_rational().recip(), BITS);
        Ok(Enclosure { lower, upper: Dyadic::above(&self.lower.to_rational().recip(), BITS) })
    }

    fn hull(&self, other: &Enclosure) -> Enclosure {
        Enclosure { lower: (&self.lower).min(&other.lower).clone(), upper: (&self.upper).max(&other.upper).clone() }
    }

    fn clamp(self, lower: i64, upper: i64) -> Enclosure {
        Enclosure { lower: self.lower.max(Dyadic::integer(lower)), upper: self.upper.min(Dyadic::integer(upper)) }
    }
}

/// `e^x` for `x <= 0`.
fn exp_nonpositive(x: &Dyadic) -> Enclosure {
    let magnitude = x.magnitude().unwrap_or(-10);
    if magnitude > 10 {
        // x <= -2^10, and e^-1024 < 2^-1024.
        return Enclosure { lower: Dyadic::ZERO, upper: Dyadic::ONE.scaled(-1024) };
    }
    // x = 2^m r with |r| < 1/2; the Taylor series of degree 27 leaves at most 2 |r|^28 / 28! < 2^-120.
    let doublings = (magnitude + 1).max(0);
    let r = Enclosure::new(x.scaled(-doublings), x.scaled(-doublings));
    let (mut sum, mut term) = (Enclosure::integer(1), Enclosure::integer(1));
    for n in 1..28 {
        let factor = Enclosure::rational(&BigRational::new(1.into(), n.into()));
        term = term.mul(&r).mul(&factor);
        sum = sum.add(&term);
    }
    let rest = Dyadic::ONE.scaled(-120);
    let mut power = sum.add(&Enclosure { lower: -&rest, upper: rest });
    for _ in 0..doublings {
        power = power.mul(&power);
    }
    power.clamp(0, 1)
}

/// `sigmoid(x) = y / (1 + y)` or `1 / (1 + y)` with `y = e^-|x|`.
fn sigmoid(x: &Dyadic) -> Result<Enclosure, LipError> {
    let y = exp_nonpositive(&-&x.abs());
    let inverse = Enclosure::integer(1).add(&y).inverse()?;
    Ok(if x.is_negative() { Enclosure::integer(1).sub(&inverse) } else { inverse }.clamp(0, 1))
}

/// `tanh(x) = 2 sigmoid(2 x) - 1`
fn tanh(x: &Dyadic) -> Result<Enclosure, LipError> {
    let s = sigmoid(&x.scaled(1))?;
    Ok(Enclosure::integer(2).mul(&s).sub(&Enclosure::integer(1)).clamp(-1, 1))
}

/// `ln(1 + y)` for `y` in `[0, 1]`.
fn ln_one_plus(y: &Enclosure) -> Result<Enclosure, LipError> {
    // ln(1 + y) = 2 artanh(z) = 2 sum_n z^(2n+1) / (2n+1) with z = y / (2 + y) <= 1/3, whose terms fall by 1/9 or faster: the
    // rest after a term is at most 1/8 of it.
    let z = y.mul(&Enclosure::integer(2).add(y).inverse()?);
    let square = z.mul(&z);
    let (mut power, mut sum) = (z.clone(), z);
    for n in 1..32 {
        power = power.mul(&square);
        let term = power.mul(&Enclosure::rational(&BigRational::new(1.into(), (2 * n + 1).into())));
        sum = sum.add(&term);
    }
    sum.upper = &sum.upper + &power.upper.scaled(-3);
    Ok(Enclosure::integer(2).mul(&sum))
}

/// `arctan(x)` for `x >= 0`.
fn arctan(x: &Dyadic) -> Result<Enclosure, LipError> {
    let e = Enclosure::new(x.clone(), x.clone());
    if *x <= Dyadic::ONE {
        return arctan_by_euler(&e);
    }
    // pi/2 - arctan(1/x), and pi/4 = arctan(1).
    let quarter = arctan_by_euler(&Enclosure::integer(1))?;
    Ok(quarter.add(&quarter).sub(&arctan_by_euler(&e.inverse()?)?))
}

/// Euler's series `arctan(x) = sum_n (2^(2n) n!^2 / (2n+1)!) x^(2n+1) / (1 + x^2)^(n+1)` (1755) for `x` in `[0, 1]`: the integral
/// of `x / (1 + x^2 s^2)` over `s` in `[0, 1]`, where `1 + x^2 s^2 = (1 + x^2)(1 - r (1 - s^2))` with `r = x^2 / (1 + x^2)`, expanded
/// in powers of `r (1 - s^2)`; the integral of `(1 - s^2)^n` is `2^(2n) n!^2 / (2n+1)!`.
fn arctan_by_euler(x: &Enclosure) -> Result<Enclosure, LipError> {
    let square = x.mul(x);
    let base = Enclosure::integer(1).add(&square).inverse()?;
    // A term is 2n/(2n+1) x^2/(1 + x^2) times the one before, at most one half: the rest is at most the last term.
    let ratio = square.mul(&base);
    let mut term = x.mul(&base);
    let mut sum = term.clone();
    for n in 1..96 {
        term = term.mul(&ratio).mul(&Enclosure::rational(&BigRational::new((2 * n).into(), (2 * n + 1).into())));
        sum = sum.add(&term);
    }
    sum.upper = &sum.upper + &term.upper;
    Ok(sum)
}

/// `e^(-x^2 / 2)`
fn gaussian(x: &Dyadic) -> Enclosure {
    // Rounding x^2 up decreases the result, rounding it down increases it.
    let square = x * x;
    let (far, near) = (square.round_up(BITS), square.round_down(BITS));
    Enclosure { lower: exp_nonpositive(&-&far.scaled(-1)).lower, upper: exp_nonpositive(&-&near.scaled(-1)).upper }
}

/// `1 / sqrt(2 pi)` and `sqrt(2 / pi)`.
fn constants() -> (Enclosure, Enclosure) {
    (
        Enclosure::decimal(398_942_280_401_432_677_939_946_059_934),
        Enclosure::decimal(797_884_560_802_865_355_879_892_119_868),
    )
}

/// The normal distribution function and density.
fn normal(x: &Dyadic) -> (Enclosure, Enclosure) {
    let density = gaussian(x).mul(&constants().0);
    let size = x.abs();
    let half = Enclosure::point(&Dyadic::ONE.scaled(-1));
    let upper_half = if size >= Dyadic::integer(12) {
        // 1 - Phi(x) <= e^(-x^2 / 2) / 2 <= e^-72 / 2 < 2^-100.
        Enclosure { lower: &Dyadic::ONE - &Dyadic::ONE.scaled(-100), upper: Dyadic::ONE }
    } else {
        // Phi(x) = 1/2 + phi(x) sum_n x^(2n+1) / (1 3 5 ... (2n+1)); once the ratio x^2 / (2n+3) is below 1/2 the rest is at
        // most the last term.
        let square = Enclosure::new(&size * &size, &size * &size);
        let mut term = Enclosure::new(size.clone(), size.clone());
        let mut sum = term.clone();
        for n in 1..400 {
            term = term.mul(&square).mul(&Enclosure::rational(&BigRational::new(1.into(), (2 * n + 1).into())));
            sum = sum.add(&term);
            let small = term.upper < Dyadic::ONE.scaled(-110);
            if small && square.upper.scaled(1) < Dyadic::integer(2 * n + 3) {
                break;
            }
        }
        // With n = 399 and x < 12 the ratio is below 1/2 as well.
        sum.upper = &sum.upper + &term.upper;
        half.add(&density.mul(&sum)).clamp(0, 1)
    };
    let phi = if x.is_negative() { Enclosure::integer(1).sub(&upper_half).clamp(0, 1) } else { upper_half };
    (phi, density)
}

/// `t = tanh(k (x + c x^3))` and `v = k (1 + 3 c x^2)` with `k = sqrt(2 / pi)`, `c = 0.044715`.
fn gelu_tanh_parts(x: &Dyadic) -> Result<(Enclosure, Enclosure), LipError> {
    let c = Enclosure::rational(&BigRational::new(44_715.into(), 1_000_000.into()));
    let k = constants().1;
    let e = Enclosure::new(x.clone(), x.clone());
    let square = c.mul(&e).mul(&e);
    let argument = k.mul(&e).mul(&Enclosure::integer(1).add(&square));
    let t = Enclosure { lower: tanh(&argument.lower)?.lower, upper: tanh(&argument.upper)?.upper };
    Ok((t, k.mul(&Enclosure::integer(1).add(&Enclosure::integer(3).mul(&square)))))
}

/// `f'(x)` (at the kink of ELU, from above).
fn derivative(activation: &Activation, x: &Dyadic) -> Result<Enclosure, LipError> {
    let one = Enclosure::integer(1);
    let e = Enclosure::new(x.clone(), x.clone());
    Ok(match activation {
        Activation::Tanh => {
            let t = tanh(&x.abs())?;
            // 1 - t^2 = (1 - t)(1 + t)
            one.sub(&t).mul(&one.add(&t)).clamp(0, 1)
        }
        Activation::Sigmoid => {
            let s = sigmoid(&x.abs())?;
            s.mul(&one.sub(&s)).clamp(0, 1)
        }
        Activation::Softplus => sigmoid(x)?,
        Activation::Arctan => one.add(&e.mul(&e)).inverse()?,
        Activation::Softsign => {
            let base = one.add(&Enclosure::new(x.abs(), x.abs()));
            base.mul(&base).inverse()?
        }
        Activation::Elu(alpha) if x.is_negative() => Enclosure::rational(alpha).mul(&exp_nonpositive(x)),
        Activation::Elu(_) => one,
        Activation::Silu => {
            let s = sigmoid(x)?;
            s.mul(&one.add(&e.mul(&one.sub(&s))))
        }
        Activation::Gelu => {
            let (phi, density) = normal(x);
            phi.add(&e.mul(&density))
        }
        Activation::GeluTanh => {
            let (t, v) = gelu_tanh_parts(x)?;
            let half = Enclosure::point(&Dyadic::ONE.scaled(-1));
            let bell = one.sub(&t).mul(&one.add(&t)).clamp(0, 1);
            half.mul(&one.add(&t)).add(&half.mul(&e).mul(&bell).mul(&v))
        }
        Activation::Gaussian => Enclosure::integer(-1).mul(&e).mul(&gaussian(x)),
        _ => return Err(LipError::NotProved),
    })
}

/// Enclosures of the places of the extremes of `f'`, in thousandths.
fn critical(activation: &Activation) -> &'static [(i64, i64)] {
    match activation {
        Activation::Tanh | Activation::Sigmoid | Activation::Arctan | Activation::Softsign => &[(0, 0)],
        Activation::Silu => &[(-2400, -2399), (2399, 2400)],
        Activation::Gelu => &[(-1415, -1414), (1414, 1415)],
        Activation::GeluTanh => &[(-1419, -1418), (1418, 1419)],
        Activation::Gaussian => &[(-1000, -1000), (1000, 1000)],
        // Monotone derivatives; ELU jumps at 0 by one when alpha is not 1.
        _ => &[],
    }
}

fn divided(x: &Dyadic, divisor: u64) -> Enclosure {
    if divisor == 1 {
        return Enclosure::point(x);
    }
    Enclosure::rational(&(x.to_rational() / BigRational::from_integer(divisor.into())))
}

/// The slopes of an activation while its argument stays in `range / divisor`.
pub fn slope(activation: &Activation, divisor: u64, range: &Range) -> Result<Slope, LipError> {
    let whole = global(activation)?;
    let (Some(lower), Some(upper)) = (&range.lower, &range.upper) else { return Ok(whole) };
    let smooth = !matches!(activation, Activation::Relu | Activation::LeakyRelu(_) | Activation::Identity);
    if !smooth || lower > upper || lower.magnitude().max(upper.magnitude()).unwrap_or(0) > 20 {
        return Ok(whole);
    }
    let (l, u) = (divided(lower, divisor).lower, divided(upper, divisor).upper);
    let mut hull = derivative(activation, &l)?.hull(&derivative(activation, &u)?);
    let thousand = |x: &Dyadic| x * &Dyadic::integer(1000);
    if critical(activation)
        .iter()
        .any(|(low, high)| thousand(&l) <= Dyadic::integer(*high) && thousand(&u) >= Dyadic::integer(*low))
    {
        // Which extreme it is does not matter for soundness: the global range contains both.
        hull = match (thousand(&l).is_negative(), thousand(&u).is_positive()) {
            (true, false) if critical(activation).len() == 2 => low_end(activation, &hull, &whole),
            (false, true) if critical(activation).len() == 2 => high_end(activation, &hull, &whole),
            _ => hull.hull(&Enclosure { lower: whole_lower(activation, &hull, &whole), upper: whole.upper.clone() }),
        };
    }
    if let Activation::Elu(alpha) = activation
        && l.is_negative()
        && !u.is_negative()
    {
        hull = hull.hull(&Enclosure::rational(alpha));
    }
    // The hull is widened by the rounding of its ends only; the global range still holds.
    let lower = hull.lower.round_down(53).max(whole.lower.clone());
    let upper = hull.upper.round_up(53).min(whole.upper.clone());
    Ok(if lower <= upper { Slope { lower, upper } } else { whole })
}

/// Activations with one critical point have their maximum there; their minimum is at an end.
fn whole_lower(activation: &Activation, hull: &Enclosure, whole: &Slope) -> Dyadic {
    if critical(activation).len() == 1 { hull.lower.clone() } else { whole.lower.clone() }
}

/// On the negative half-line: the critical point of SiLU and GELU is a minimum of `f'`, that of the Gaussian a maximum.
fn low_end(activation: &Activation, hull: &Enclosure, whole: &Slope) -> Enclosure {
    match activation {
        Activation::Gaussian => Enclosure { lower: hull.lower.clone(), upper: whole.upper.clone() },
        _ => Enclosure { lower: whole.lower.clone(), upper: hull.upper.clone() },
    }
}

fn high_end(activation: &Activation, hull: &Enclosure, whole: &Slope) -> Enclosure {
    match activation {
        Activation::Gaussian => Enclosure { lower: whole.lower.clone(), upper: hull.upper.clone() },
        _ => Enclosure { lower: hull.lower.clone(), upper: whole.upper.clone() },
    }
}

/// `f(x)`.
pub fn value(activation: &Activation, x: &Dyadic) -> Result<Enclosure, LipError> {
    let e = Enclosure::new(x.clone(), x.clone());
    let zero = Dyadic::ZERO;
    let clipped = |low: i64, high: i64| Enclosure::point(&x.clone().clamp(Dyadic::integer(low), Dyadic::integer(high)));
    Ok(match activation {
        Activation::Identity => e,
        Activation::Relu => Enclosure::point(&x.clone().max(zero)),
        Activation::LeakyRelu(slope) if x.is_negative() => Enclosure::rational(slope).mul(&e),
        Activation::LeakyRelu(_) => Enclosure::point(x),
        Activation::Relu6 => clipped(0, 6),
        Activation::HardTanh => clipped(-1, 1),
        Activation::Sigmoid => sigmoid(x)?,
        Activation::Tanh => tanh(x)?,
        Activation::Arctan => {
            let size = arctan(&x.abs())?;
            if x.is_negative() { Enclosure::integer(0).sub(&size) } else { size }
        }
        // max(x, 0) + ln(1 + e^-|x|)
        Activation::Softplus => Enclosure::point(&x.clone().max(zero)).add(&ln_one_plus(&exp_nonpositive(&-&x.abs()))?),
        Activation::Softsign => {
            let base = Enclosure::integer(1).add(&Enclosure::new(x.abs(), x.abs()));
            e.mul(&base.inverse()?)
        }
        Activation::Elu(alpha) if x.is_negative() => {
            Enclosure::rational(alpha).mul(&exp_nonpositive(x).sub(&Enclosure::integer(1)))
        }
        Activation::Elu(_) => Enclosure::point(x),
        Activation::Silu => e.mul(&sigmoid(x)?),
        Activation::Gelu => e.mul(&normal(x).0),
        Activation::GeluTanh => {
            let half = Enclosure::point(&Dyadic::ONE.scaled(-1));
            half.mul(&e).mul(&Enclosure::integer(1).add(&gelu_tanh_parts(x)?.0))
        }
        Activation::Gaussian => gaussian(x),
        Activation::Heaviside => return Err(LipError::NotProved),
    })
}

/// A range of `divisor * f(u / divisor)` over `[lower, upper]`.
pub fn enclose(
    activation: &Activation,
    divisor: u64,
    lower: &Dyadic,
    upper: &Dyadic,
) -> Result<(Dyadic, Dyadic), LipError> {
    let (l, u) = (divided(lower, divisor).lower, divided(upper, divisor).upper);
    let ends = value(activation, &l)?.hull(&value(activation, &u)?);
    // Monotone functions have their extremes at the ends. The others have one extreme inside, which is always included when 0 is
    // not known to be outside: SiLU > -0.279 and GELU > -0.171 everywhere, and the Gaussian is at most 1.
    let crosses = !u.is_negative() && !l.is_positive();
    let hull = match activation {
        Activation::Silu | Activation::Gelu | Activation::GeluTanh if l.is_negative() => {
            let depth = if *activation == Activation::Silu { -279 } else { -171 };
            ends.hull(&Enclosure::rational(&BigRational::new(depth.into(), 1000.into())))
        }
        Activation::Gaussian if crosses => ends.hull(&Enclosure::integer(1)),
        // Below zero ELU with alpha < 0 decreases to zero, then it increases.
        Activation::Elu(alpha) if alpha.is_negative() && crosses => ends.hull(&Enclosure::integer(0)),
        Activation::LeakyRelu(slope) if slope.is_negative() && crosses => ends.hull(&Enclosure::integer(0)),
        _ => ends,
    };
    let d = Dyadic::natural(divisor);
    Ok((&hull.lower * &d, &hull.upper * &d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_traits::ToPrimitive;
    use proptest::prelude::*;

    fn float(x: &Dyadic) -> f64 {
        x.to_rational().to_f64().unwrap()
    }

    fn all() -> Vec<Activation> {
        let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
        vec![
            Activation::Tanh,
            Activation::Sigmoid,
            Activation::Softplus,
            Activation::Arctan,
            Activation::Softsign,
            Activation::Elu(ratio(1, 2)),
            Activation::Elu(ratio(3, 2)),
            Activation::Elu(ratio(-1, 2)),
            Activation::Silu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Gaussian,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        /// Difference quotients inside a range lie between its slopes, and values between its value bounds.
        #[test]
        fn quotients_and_values_are_enclosed(
            which in 0usize..12, low in -3000i64..3000, width in 1i64..3000, p in 0i64..100, q in 0i64..100, divisor in 1u64..4,
        ) {
            prop_assume!(p != q);
            let activation = &all()[which];
            let end = |n: i64| Dyadic::integer(n).scaled(-8);
            let range = Range { lower: Some(end(low)), upper: Some(end(low + width)) };
            let slope = slope(activation, divisor, &range).unwrap();
            let (least, most) = enclose(activation, divisor, &end(low), &end(low + width)).unwrap();
            // Exact points l + (p / 128) width, in units of the divisor.
            let at = |k: i64| Dyadic::integer(low * 128 + width * k).scaled(-15);
            let f = |x: &Dyadic| value(activation, &divided(x, divisor).lower).unwrap();
            let (x, y) = (at(p), at(q));
            let (fx, fy) = (f(&x), f(&y));
            let d = divisor as f64;
            prop_assert!(float(&fx.upper) * d >= float(&least) - 1e-12 && float(&fx.lower) * d <= float(&most) + 1e-12);
            let quotient = d * (float(&fx.lower) - float(&fy.lower)) / (float(&x) - float(&y));
            let slack = 1e-9;
            prop_assert!(
                quotient >= float(&slope.lower) - slack && quotient <= float(&slope.upper) + slack,
                "{activation:?} on [{low}, {width}]: {quotient} outside {} {}", float(&slope.lower), float(&slope.upper)
            );
        }
    }

    /// Values of the functions to 16 digits, by a libm with erfc and tanh.
    #[test]
    fn known_values() {
        let at = |activation: &Activation, x: i64| value(activation, &Dyadic::integer(x)).unwrap();
        for (activation, x, expected) in [
            (Activation::Tanh, 1, 0.761_594_155_955_764_9),
            (Activation::Sigmoid, -2, 0.119_202_922_022_117_55),
            (Activation::Gelu, 1, 0.841_344_746_068_543),
            (Activation::Gelu, -3, -0.004_049_694_094_890_284),
            (Activation::Silu, 3, 2.857_722_380_467_299_8),
            (Activation::Gaussian, 2, 0.135_335_283_236_612_7),
            (Activation::Softsign, 3, 0.75),
            (Activation::Arctan, 1, std::f64::consts::FRAC_PI_4),
            (Activation::Arctan, -3, -1.249_045_772_398_254_4),
            (Activation::Arctan, 0, 0.0),
            (Activation::Softplus, 0, std::f64::consts::LN_2),
            (Activation::Softplus, -2, 0.126_928_011_042_972_5),
            (Activation::Softplus, 5, 5.006_715_348_489_118),
        ] {
            let found = at(&activation, x);
            assert!(found.lower <= found.upper);
            assert!((float(&found.lower) - expected).abs() < 1e-14, "{activation:?} {}", float(&found.lower));
            assert!((&found.upper - &found.lower) < Dyadic::ONE.scaled(-60), "{activation:?} is too wide");
        }
    }
}
