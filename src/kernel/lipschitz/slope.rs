//! Ranges of difference quotients of scalar activations. Trust: kernel.
//!
//! A locally Lipschitz `f` with `a <= f' <= b` almost everywhere on an interval has `a <= (f(y) - f(x)) / (y - x) <= b` there,
//! because the difference is the integral of `f'`. Kinks are harmless.

use super::LipError;
use super::dyadic::Dyadic;
use crate::kernel::net::Activation;
use num_rational::BigRational;
use num_traits::Signed;

/// Mantissa bits of slopes that are not dyadic.
const BITS: u32 = 62;

/// All difference quotients of the activation lie in `[lower, upper]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slope {
    pub lower: Dyadic,
    pub upper: Dyadic,
}

impl Slope {
    fn integers(lower: i64, upper: i64) -> Slope {
        Slope { lower: Dyadic::integer(lower), upper: Dyadic::integer(upper) }
    }

    fn rationals(lower: &BigRational, upper: &BigRational) -> Slope {
        Slope { lower: Dyadic::below(lower, BITS), upper: Dyadic::above(upper, BITS) }
    }

    /// A neuron that is linear on the domain: `z = lower * u` for increments.
    pub fn is_linear(&self) -> bool {
        self.lower == self.upper
    }

    /// `max(|lower|, |upper|)`
    pub fn largest(&self) -> Dyadic {
        self.lower.abs().max(self.upper.abs())
    }
}

fn ratio(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(numerator.into(), denominator.into())
}

/// The slopes of an activation on the whole line. Errors: an activation that is not Lipschitz.
pub fn global(activation: &Activation) -> Result<Slope, LipError> {
    let one = ratio(1, 1);
    let zero = ratio(0, 1);
    Ok(match activation {
        Activation::Identity => Slope::integers(1, 1),
        // Piecewise linear with slopes 0 and 1, or derivatives in (0, 1]: 1 - tanh^2, 1 / (1 + x^2), sigmoid, (1 + |x|)^-2.
        Activation::Relu
        | Activation::Relu6
        | Activation::HardTanh
        | Activation::Tanh
        | Activation::Arctan
        | Activation::Softplus
        | Activation::Softsign => Slope::integers(0, 1),
        // s (1 - s) <= 1/4.
        Activation::Sigmoid => Slope { lower: Dyadic::ZERO, upper: Dyadic::ONE.scaled(-2) },
        Activation::LeakyRelu(slope) => Slope::rationals(slope.min(&one), slope.max(&one)),
        // The derivative is 1 above zero and alpha e^x, between 0 and alpha, below.
        Activation::Elu(alpha) => {
            let low = if alpha.is_negative() { alpha } else { &zero };
            Slope::rationals(low, alpha.max(&one))
        }
        // f'' = s (1 - s) (2 - x tanh(x / 2)) changes sign at +-x* with x* tanh(x* / 2) = 2 only, so the extremes of f' are
        // 1/2 +- x*/4. At 2.3993572805 and 2.3993572806, x tanh(x / 2) lies on either side of 2.
        Activation::Silu => Slope::rationals(
            &ratio(-998_393_201_289, 10_000_000_000_000),
            &ratio(10_998_393_201_289, 10_000_000_000_000),
        ),
        // f'' = phi (2 - x^2), so the extremes are 1/2 +- (erf(1) / 2 + e^-1 / sqrt(pi)) = 1/2 +- 0.62890414518515...
        Activation::Gelu => Slope::rationals(
            &ratio(-1_289_041_451_852, 10_000_000_000_000),
            &ratio(11_289_041_451_852, 10_000_000_000_000),
        ),
        // The extremes are 1/2 +- 0.62899306865877..., at +-1.41850400879...
        Activation::GeluTanh => Slope::rationals(
            &ratio(-1_289_930_686_588, 10_000_000_000_000),
            &ratio(11_289_930_686_588, 10_000_000_000_000),
        ),
        // f' = -x e^(-x^2 / 2) has extremes -+e^(-1/2) = -+0.606530659712633...
        Activation::Gaussian => Slope::rationals(
            &ratio(-6_065_306_597_127, 10_000_000_000_000),
            &ratio(6_065_306_597_127, 10_000_000_000_000),
        ),
        Activation::Heaviside => {
            return Err(LipError::Unsupported(
                "expected a lipschitz activation, found heaviside, which jumps at 0".to_string(),
            ));
        }
    })
}

/// A closed range of a neuron's argument; `None` is infinite.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Range {
    pub lower: Option<Dyadic>,
    pub upper: Option<Dyadic>,
}

impl Range {
    pub fn is_empty(&self) -> bool {
        matches!((&self.lower, &self.upper), (Some(lower), Some(upper)) if lower > upper)
    }

    /// The intersection with `[bound, inf)`.
    pub fn raise(&mut self, bound: Dyadic) {
        if self.lower.as_ref().is_none_or(|lower| *lower < bound) {
            self.lower = Some(bound);
        }
    }

    /// The intersection with `(-inf, bound]`.
    pub fn cut(&mut self, bound: Dyadic) {
        if self.upper.as_ref().is_none_or(|upper| *upper > bound) {
            self.upper = Some(bound);
        }
    }

    pub fn is_at_least(&self, bound: &Dyadic) -> bool {
        self.lower.as_ref().is_some_and(|lower| lower >= bound)
    }

    pub fn is_at_most(&self, bound: &Dyadic) -> bool {
        self.upper.as_ref().is_some_and(|upper| upper <= bound)
    }
}

/// The slopes that matter while the argument, divided by `divisor`, stays in `range / divisor`.
///
/// Along an absolutely continuous path a kink is met either at a null set of times or with zero speed, so a kink at an end of
/// the range counts for one side only.
pub fn on(activation: &Activation, divisor: u64, range: &Range) -> Result<Slope, LipError> {
    let at = |n: i64| &Dyadic::integer(n) * &Dyadic::natural(divisor);
    let piecewise = |low: i64, high: i64| {
        if range.is_at_least(&at(low)) && range.is_at_most(&at(high)) {
            Slope::integers(1, 1)
        } else if range.is_at_least(&at(high)) || range.is_at_most(&at(low)) {
            Slope::integers(0, 0)
        } else {
            Slope::integers(0, 1)
        }
    };
    let (positive, negative) = (range.is_at_least(&Dyadic::ZERO), range.is_at_most(&Dyadic::ZERO));
    Ok(match activation {
        Activation::Relu if positive => Slope::integers(1, 1),
        Activation::Relu if negative => Slope::integers(0, 0),
        Activation::LeakyRelu(_) | Activation::Elu(_) if positive => Slope::integers(1, 1),
        // A slope that is not dyadic leaves a range of width 2^-62.
        Activation::LeakyRelu(slope) if negative => Slope::rationals(slope, slope),
        Activation::HardTanh => piecewise(-1, 1),
        Activation::Relu6 => piecewise(0, 6),
        other => super::smooth::slope(other, divisor, range)?,
    })
}
