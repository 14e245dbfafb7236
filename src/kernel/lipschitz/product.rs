//! Bounds by products of layer norms. Trust: kernel.
//!
//! Node by node: an affine node multiplies the constant of its input by its operator norm, an activation by its largest slope,
//! a sum adds, a concatenation combines. The l1 and linf norms are exact sums; a spectral norm comes with a certificate.

use super::dyadic::{Dyadic, sqrt_above};
use super::layer::folded;
use super::operator::Operator;
use super::slope::global;
use super::system::{Row, System, missing};
use super::{LipError, Norm};
use crate::kernel::net::{Network, Op, Size, Source, Tensor};

/// How the spectral norm of one affine node is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerNorm {
    /// The square of the norm is at most this number, see [`Operator::is_spectral_at_most`].
    Spectral(Dyadic),
    /// `|W|^2 <= max_i sum_j |G|_ij` for the smaller of the Gram matrices (Prach and Lampert 2022).
    Gram,
    /// `|W|^2 <= |W|_1 |W|_inf` (Schur).
    Schur,
}

/// The square of a bound of the constant from norm `p` to norm `p`. `layers[i]` speaks of node `i` and is read for l2 only.
pub fn check(network: &Network, norm: Norm, layers: &[Option<LayerNorm>]) -> Result<Dyadic, LipError> {
    let architecture = network.architecture();
    let shapes = architecture.shapes().map_err(|e| LipError::Unsupported(e.to_string()))?;
    // Constants for l1 and linf, their squares for l2.
    let mut bounds: Vec<Dyadic> = Vec::with_capacity(architecture.nodes.len());
    // Bounds of affine nodes at the last of the normalizations that are folded into them. Nothing but the next normalization
    // reads a node before that, so what stands in `bounds` for it does not matter.
    let mut normalized: Vec<(usize, Dyadic)> = Vec::new();
    for (i, node) in architecture.nodes.iter().enumerate() {
        let mut sources = Vec::with_capacity(node.inputs.len());
        for source in &node.inputs {
            sources.push(match source {
                Source::Input => &Dyadic::ONE,
                Source::Node(j) => bounds.get(*j).ok_or_else(missing)?,
            });
        }
        let own = *sources.first().ok_or_else(missing)?;
        let first = node.inputs.first().ok_or_else(missing)?;
        let shape = architecture.shape_of(&shapes, *first);
        let parameters = network.parameters().get(i).and_then(Option::as_ref);
        let powered = |value: Dyadic| if norm == Norm::L2 { &value * &value } else { value };
        let bound = match &node.op {
            Op::Dense { .. } | Op::Conv { .. } => {
                let norm = operator_norm(network, i, norm, layers.get(i).and_then(Option::as_ref))?;
                let bound = &norm * own;
                let last = folded(network, i);
                if last != i {
                    normalized.push((last, bound.clone()));
                }
                bound
            }
            Op::Activation(activation) => &powered(global(activation)?.largest()) * own,
            Op::BatchNorm | Op::FixedAffine => match normalized.iter().position(|(last, _)| *last == i) {
                Some(position) => normalized.swap_remove(position).1,
                None => &powered(largest(&parameters.ok_or_else(missing)?.weight)) * own,
            },
            // An input belongs to at most ceil(window / stride) windows per axis.
            Op::MaxPool { window, stride, .. } => match norm {
                Norm::Linf => own.clone(),
                Norm::L1 | Norm::L2 => &Dyadic::natural(overlap(*window, *stride)?) * own,
            },
            Op::AvgPool { window, stride } => pooled(norm, own, *window, *stride)?,
            Op::GlobalAvgPool => match shape {
                [_, h, w] => pooled(norm, own, (*h, *w), (*h, *w))?,
                _ => return Err(missing()),
            },
            Op::Flatten => own.clone(),
            Op::Add if norm == Norm::L2 => {
                let sum = sources.iter().fold(Dyadic::ZERO, |sum, s| &sum + &sqrt_above(&s.to_rational(), 64));
                &sum * &sum
            }
            Op::Add => sources.iter().fold(Dyadic::ZERO, |sum, s| &sum + s),
            // l1: sums; l2: sums of squares; linf: the largest.
            Op::Concat if norm == Norm::Linf => sources.iter().copied().max().cloned().ok_or_else(missing)?,
            Op::Concat => sources.iter().fold(Dyadic::ZERO, |sum, s| &sum + s),
            Op::Gradients(_) => return Err(discontinuous()),
        };
        bounds.push(bound);
    }
    let last = bounds.pop().ok_or_else(missing)?;
    Ok(if norm == Norm::L2 { last } else { &last * &last })
}

pub(super) fn discontinuous() -> LipError {
    LipError::Unsupported("expected continuous layers, found integer features, which jump".to_string())
}

fn overlap(window: (Size, Size), stride: (Size, Size)) -> Result<u64, LipError> {
    let ceil = |a: Size, b: Size| a.checked_add(b.checked_sub(1)?)?.checked_div(b);
    ceil(window.0, stride.0)
        .zip(ceil(window.1, stride.1))
        .and_then(|(a, b)| u64::try_from(a.checked_mul(b)?).ok())
        .ok_or_else(|| LipError::too_large("a pooling window below 2^64"))
}

/// Each of the `k` inputs of a mean has weight `1/k`: l1 at most `overlap / k`, l2 squared at most `overlap / k`, linf 1.
fn pooled(norm: Norm, own: &Dyadic, window: (Size, Size), stride: (Size, Size)) -> Result<Dyadic, LipError> {
    if norm == Norm::Linf {
        return Ok(own.clone());
    }
    let count = window.0.checked_mul(window.1).filter(|&k| k > 0).ok_or_else(|| LipError::too_large("a window"))?;
    let share = num_rational::BigRational::new(overlap(window, stride)?.into(), count.into());
    Ok(&Dyadic::above(&share, 128) * own)
}

/// The operator norm of the dense or convolution node `first` with its normalizations; for l2 its square.
fn operator_norm(network: &Network, first: usize, norm: Norm, layer: Option<&LayerNorm>) -> Result<Dyadic, LipError> {
    let operator = match Operator::of(network, first) {
        Ok(operator) => operator,
        Err(LipError::TooLarge(_)) => return interior(network, first, norm),
        Err(error) => return Err(error),
    };
    certified(&operator, norm, layer)
}

pub(super) fn certified(operator: &Operator, norm: Norm, layer: Option<&LayerNorm>) -> Result<Dyadic, LipError> {
    match (norm, layer) {
        (Norm::L1, _) => Ok(operator.column_sum()),
        (Norm::Linf, _) => Ok(operator.row_sum()),
        (Norm::L2, None | Some(LayerNorm::Schur)) => Ok(operator.schur()),
        (Norm::L2, Some(LayerNorm::Gram)) => operator.gram_sum().ok_or(LipError::NotProved),
        (Norm::L2, Some(LayerNorm::Spectral(square))) if operator.is_spectral_at_most(square) => Ok(square.clone()),
        (Norm::L2, Some(LayerNorm::Spectral(_))) => Err(LipError::NotProved),
    }
}

/// Bounds for a convolution too large to unroll: a position in the interior meets the whole kernel, an input position one
/// residue class of it modulo the stride. For l2 their product (Schur).
fn interior(network: &Network, first: usize, norm: Norm) -> Result<Dyadic, LipError> {
    let parameters = |i: usize| network.parameters().get(i).and_then(Option::as_ref).ok_or_else(missing);
    let node = network.architecture().nodes.get(first).ok_or_else(missing)?;
    let Op::Conv { stride, groups, .. } = &node.op else {
        return Err(LipError::too_large("a layer of less than 2^23 coefficients"));
    };
    let weight = &parameters(first)?.weight;
    let [outputs, inputs, kh, kw] = weight.shape.as_slice() else { return Err(missing()) };
    let (outputs, inputs, kh, kw) = (*outputs, *inputs, *kh, *kw);
    let clip = |n: Size| usize::try_from(n).unwrap_or(usize::MAX).max(1);
    let (sy, sx, groups) = (clip(stride.0).min(kh.max(1)), clip(stride.1).min(kw.max(1)), clip(*groups));
    let per_group = (outputs / groups).max(1);
    let mut row_sum = Dyadic::ZERO;
    let mut columns = vec![Dyadic::ZERO; groups * inputs * sy * sx];
    for output in 0..outputs {
        let mut sum = Dyadic::ZERO;
        for c in 0..inputs {
            for y in 0..kh {
                for x in 0..kw {
                    let index = ((output * inputs + c) * kh + y) * kw + x;
                    let size = Dyadic::from(weight.data.get(index).ok_or_else(missing)?).abs();
                    sum = &sum + &size;
                    let class = ((output / per_group * inputs + c) * sy + y % sy) * sx + x % sx;
                    let column = columns.get_mut(class).ok_or_else(missing)?;
                    *column = &*column + &size;
                }
            }
        }
        row_sum = row_sum.max(sum);
    }
    let column_sum = columns.into_iter().max().unwrap_or(Dyadic::ZERO);
    // Normalizations act by their largest scale.
    let mut scale = Dyadic::ONE;
    let mut node = folded(network, first);
    while node != first {
        scale = &scale * &largest(&parameters(node)?.weight);
        node = match network.architecture().nodes.get(node).and_then(|node| node.inputs.first()) {
            Some(Source::Node(previous)) => *previous,
            _ => return Err(missing()),
        };
    }
    Ok(match norm {
        Norm::L1 => &column_sum * &scale,
        Norm::Linf => &row_sum * &scale,
        Norm::L2 => &(&row_sum * &column_sum) * &(&scale * &scale),
    })
}

fn largest(scale: &Tensor) -> Dyadic {
    scale.data.iter().map(|w| Dyadic::from(w).abs()).max().unwrap_or(Dyadic::ZERO)
}

/// Propagates magnitudes along every path: the norm of the entrywise bound of the Jacobian. `slopes[j]` is the largest slope
/// of neuron `j`. For l2 the product of the l1 and the linf bound. Returns the square.
pub fn absolute(system: &System, slopes: &[Dyadic], norm: Norm) -> Result<Dyadic, LipError> {
    if slopes.len() != system.neurons.len() {
        return Err(LipError::shape("a slope of every neuron", &slopes.len().to_string()));
    }
    let squared = |value: Dyadic| &value * &value;
    Ok(match norm {
        Norm::Linf => squared(forward(system, slopes)),
        Norm::L1 => squared(backward(system, slopes)),
        Norm::L2 => &forward(system, slopes) * &backward(system, slopes),
    })
}

/// Rounding keeps the numbers of a deep network short.
const BITS: u32 = 128;

fn forward(system: &System, slopes: &[Dyadic]) -> Dyadic {
    let mut sizes: Vec<Dyadic> = vec![Dyadic::ONE; system.inputs];
    let weighted = |row: &Row, sizes: &[Dyadic]| {
        row.iter().fold(Dyadic::ZERO, |sum, (v, value)| match sizes.get(*v) {
            Some(size) => (&sum + &(&value.abs() * size)).round_up(BITS),
            None => sum,
        })
    };
    for (neuron, slope) in system.neurons.iter().zip(slopes) {
        let size = &weighted(&neuron.argument.row, &sizes) * slope;
        sizes.push(size.round_up(BITS));
    }
    system
        .outputs
        .iter()
        .map(|output| over(&weighted(&output.row, &sizes), output.divisor))
        .max()
        .unwrap_or(Dyadic::ZERO)
}

fn backward(system: &System, slopes: &[Dyadic]) -> Dyadic {
    let mut sizes = vec![Dyadic::ZERO; system.inputs + system.neurons.len()];
    let spread = |sizes: &mut [Dyadic], row: &Row, factor: &Dyadic| {
        for (v, value) in row {
            if let Some(size) = sizes.get_mut(*v) {
                *size = (&*size + &(&value.abs() * factor)).round_up(BITS);
            }
        }
    };
    for output in &system.outputs {
        spread(&mut sizes, &output.row, &over(&Dyadic::ONE, output.divisor));
    }
    for (j, (neuron, slope)) in system.neurons.iter().zip(slopes).enumerate().rev() {
        let factor = match sizes.get(system.inputs + j) {
            Some(size) => (size * slope).round_up(BITS),
            None => continue,
        };
        spread(&mut sizes, &neuron.argument.row, &factor);
    }
    sizes.into_iter().take(system.inputs).max().unwrap_or(Dyadic::ZERO)
}

pub(super) fn over(value: &Dyadic, divisor: u64) -> Dyadic {
    if divisor == 1 {
        return value.clone();
    }
    Dyadic::above(&(value.to_rational() / num_rational::BigRational::from_integer(divisor.into())), BITS)
}
