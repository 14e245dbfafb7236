//! Lower bounds of Lipschitz constants by exhibited points. Trust: kernel.

use super::bounds::Domain;
use super::dyadic::Dyadic;
use super::smooth::value;
use super::system::{Row, System};
use super::{LipError, Norm, Norms};
use crate::kernel::net::Activation;
use num_rational::BigRational;
use num_traits::Zero;

/// What is exhibited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LowerWitness {
    /// A point of the domain and a direction `v` into it, such that every argument of a (piecewise linear) activation is off its
    /// kinks or stands still: the network is affine along a segment, and the constant is at least `|J v| / |v|`.
    Direction { point: Vec<Dyadic>, direction: Vec<Dyadic> },
    /// Two points of the domain: the constant is at least `|f(x) - f(y)| / |x - y|`.
    Pair { from: Vec<Dyadic>, to: Vec<Dyadic> },
}

fn check_point(system: &System, domain: Option<&Domain>, point: &[Dyadic]) -> Result<(), LipError> {
    if point.len() != system.inputs {
        return Err(LipError::shape(&format!("a point of dimension {}", system.inputs), &point.len().to_string()));
    }
    let Some(domain) = domain else { return Ok(()) };
    if domain.intervals().len() != point.len() {
        return Err(LipError::shape(
            &format!("a domain of dimension {}", point.len()),
            &domain.intervals().len().to_string(),
        ));
    }
    domain.leaves(&rationals(point)).map_or(Ok(()), |position| Err(LipError::Outside { position }))
}

/// Whether `point + t direction` stays in the domain for all small `t > 0`, or for all small `t < 0`.
fn stays_inside(domain: Option<&Domain>, point: &[Dyadic], direction: &[Dyadic]) -> Result<(), LipError> {
    let Some(domain) = domain else { return Ok(()) };
    if !domain.is_inside_ball(&rationals(point)) {
        return Err(LipError::Outside { position: 0 });
    }
    let (mut forward, mut backward) = (None, None);
    for (position, ((x, v), (lower, upper))) in point.iter().zip(direction).zip(domain.intervals()).enumerate() {
        let x = x.to_rational();
        let (below, above) = (x > *lower, x < *upper);
        let (ahead, behind) = match v.signum() {
            0 => continue,
            1 => (above, below),
            _ => (below, above),
        };
        forward = forward.or((!ahead).then_some(position));
        backward = backward.or((!behind).then_some(position));
    }
    match (forward, backward) {
        (Some(position), Some(_)) => Err(LipError::Outside { position }),
        _ => Ok(()),
    }
}

/// The square of a proved lower bound.
pub fn check(
    system: &System,
    norms: Norms,
    domain: Option<&Domain>,
    witness: &LowerWitness,
) -> Result<BigRational, LipError> {
    match witness {
        LowerWitness::Direction { point, direction } => {
            check_point(system, domain, point)?;
            if direction.len() != system.inputs {
                let found = direction.len().to_string();
                return Err(LipError::shape(&format!("a direction of dimension {}", system.inputs), &found));
            }
            stays_inside(domain, point, direction)?;
            let image = derivative(system, point, direction)?;
            quotient(&norm_squared(norms.output, &image), &norm_squared(norms.input, &rationals(direction)))
        }
        LowerWitness::Pair { from, to } => {
            check_point(system, domain, from)?;
            check_point(system, domain, to)?;
            let (a, b) = (evaluate(system, from, from)?, evaluate(system, to, to)?);
            // The distance between two disjoint intervals, zero when they meet.
            let gaps: Vec<BigRational> =
                a.iter().zip(&b).map(|((al, au), (bl, bu))| (al - bu).max(bl - au).max(BigRational::zero())).collect();
            let step: Vec<BigRational> = from.iter().zip(to).map(|(x, y)| x.to_rational() - y.to_rational()).collect();
            quotient(&norm_squared(norms.output, &gaps), &norm_squared(norms.input, &step))
        }
    }
}

fn quotient(numerator: &BigRational, denominator: &BigRational) -> Result<BigRational, LipError> {
    if denominator.is_zero() {
        return Err(LipError::NotPositive { what: "length of the step", position: 0 });
    }
    Ok(numerator / denominator)
}

fn rationals(v: &[Dyadic]) -> Vec<BigRational> {
    v.iter().map(Dyadic::to_rational).collect()
}

/// The square of a norm.
pub fn norm_squared(norm: Norm, v: &[BigRational]) -> BigRational {
    let size = |x: &BigRational| num_traits::Signed::abs(x);
    match norm {
        Norm::L2 => v.iter().map(|x| x * x).sum(),
        Norm::L1 => {
            let sum: BigRational = v.iter().map(size).sum();
            &sum * &sum
        }
        Norm::Linf => {
            let most = v.iter().map(size).max().unwrap_or_else(BigRational::zero);
            &most * &most
        }
    }
}

fn linear(row: &Row, values: &[Dyadic], start: Dyadic) -> Dyadic {
    row.iter().fold(start, |sum, (v, coefficient)| match values.get(*v) {
        Some(value) => &sum + &(coefficient * value),
        None => sum,
    })
}

/// The speed of the outputs along `point + t direction` near `t = 0`.
///
/// By induction every variable is affine in `t` near zero: an argument off the kinks stays on its piece, and one that stands
/// still keeps its value.
fn derivative(system: &System, point: &[Dyadic], direction: &[Dyadic]) -> Result<Vec<BigRational>, LipError> {
    let (mut values, mut motion) = (point.to_vec(), direction.to_vec());
    for (j, neuron) in system.neurons.iter().enumerate() {
        let argument = linear(&neuron.argument.row, &values, neuron.argument.constant.clone());
        let speed = linear(&neuron.argument.row, &motion, Dyadic::ZERO);
        let at = |n: i64| &Dyadic::integer(n) * &Dyadic::natural(neuron.argument.divisor);
        let kinks: &[i64] = match &neuron.activation {
            Activation::Relu => &[0],
            Activation::Relu6 => &[0, 6],
            Activation::HardTanh => &[-1, 1],
            Activation::LeakyRelu(slope) if is_dyadic(slope) => &[0],
            other => {
                return Err(LipError::Unsupported(format!(
                    "expected a piecewise linear activation with dyadic slopes, found {other:?}; exhibit two points instead"
                )));
            }
        };
        if !speed.is_zero() && kinks.iter().any(|&k| argument == at(k)) {
            return Err(LipError::Kink { neuron: j });
        }
        let (value, slope) = match (&neuron.activation, kinks) {
            (Activation::LeakyRelu(slope), _) if argument.is_negative() => {
                let slope = Dyadic::below(slope, slope.numer().bits() as u32 + 1);
                (&argument * &slope, slope)
            }
            (Activation::LeakyRelu(_), _) => (argument, Dyadic::ONE),
            (Activation::Relu, _) if argument.is_negative() => (Dyadic::ZERO, Dyadic::ZERO),
            (Activation::Relu, _) => (argument, Dyadic::ONE),
            (_, [low, high]) if argument < at(*low) || argument > at(*high) => {
                (argument.clamp(at(*low), at(*high)), Dyadic::ZERO)
            }
            _ => (argument, Dyadic::ONE),
        };
        values.push(value);
        motion.push(&speed * &slope);
    }
    Ok(system
        .outputs
        .iter()
        .map(|output| {
            linear(&output.row, &motion, Dyadic::ZERO).to_rational() / BigRational::from_integer(output.divisor.into())
        })
        .collect())
}

fn is_dyadic(slope: &BigRational) -> bool {
    slope.denom().trailing_zeros().is_some_and(|zeros| zeros + 1 == slope.denom().bits()) && slope.numer().bits() < 4096
}

/// Precision of values in a difference quotient.
const BITS: u32 = 160;

/// Enclosures of the outputs at a rational point.
pub fn enclosed_outputs(system: &System, point: &[BigRational]) -> Result<Vec<(BigRational, BigRational)>, LipError> {
    if point.len() != system.inputs {
        return Err(LipError::shape(&format!("a point of dimension {}", system.inputs), &point.len().to_string()));
    }
    let ends = |end: fn(&BigRational, u32) -> Dyadic| point.iter().map(|x| end(x, BITS)).collect::<Vec<_>>();
    evaluate(system, &ends(Dyadic::below), &ends(Dyadic::above))
}

/// Enclosures of the outputs on a box.
fn evaluate(system: &System, lower: &[Dyadic], upper: &[Dyadic]) -> Result<Vec<(BigRational, BigRational)>, LipError> {
    let (mut lower, mut upper) = (lower.to_vec(), upper.to_vec());
    for neuron in &system.neurons {
        let (l, u) = interval(&neuron.argument.row, &lower, &upper, &neuron.argument.constant);
        let divisor = neuron.argument.divisor;
        let (low, high) = match &neuron.activation {
            Activation::Relu => (l.max(Dyadic::ZERO), u.max(Dyadic::ZERO)),
            activation => {
                let d = BigRational::from_integer(divisor.into());
                let (x, y) = (&l.to_rational() / &d, &u.to_rational() / &d);
                let (x, y) = (Dyadic::below(&x, BITS), Dyadic::above(&y, BITS));
                let (a, b) = (value(activation, &x)?, value(activation, &y)?);
                // Between x and y the function stays within (largest slope) * (y - x) of its values at the ends.
                let reach = &(&y - &x) * &super::slope::global(activation)?.largest();
                let factor = Dyadic::natural(divisor);
                let low = &a.lower.min(b.lower) - &reach;
                let high = &a.upper.max(b.upper) + &reach;
                ((&low * &factor).round_down(BITS), (&high * &factor).round_up(BITS))
            }
        };
        lower.push(low);
        upper.push(high);
    }
    Ok(system
        .outputs
        .iter()
        .map(|output| {
            let (l, u) = interval(&output.row, &lower, &upper, &output.constant);
            let d = BigRational::from_integer(output.divisor.into());
            (l.to_rational() / &d, u.to_rational() / &d)
        })
        .collect())
}

fn interval(row: &Row, lower: &[Dyadic], upper: &[Dyadic], constant: &Dyadic) -> (Dyadic, Dyadic) {
    let (mut low, mut high) = (constant.clone(), constant.clone());
    for (v, coefficient) in row {
        if let (Some(l), Some(u)) = (lower.get(*v), upper.get(*v)) {
            let (l, u) = if coefficient.is_negative() { (u, l) } else { (l, u) };
            low = (&low + &(coefficient * l)).round_down(BITS);
            high = (&high + &(coefficient * u)).round_up(BITS);
        }
    }
    (low, high)
}
