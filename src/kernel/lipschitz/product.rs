//! Bounds by products of layer norms. Trust: kernel.
//!
//! Node by node: an affine node multiplies the constant of its input by its operator norm, an activation by its largest slope,
//! a sum adds, a concatenation combines. The l1 and linf norms are exact sums; a spectral norm comes with a certificate.

use super::dyadic::{Dyadic, sqrt_above};
use super::sdp::Form;
use super::slope::global;
use super::system::{Row, System};
use super::{LipError, Norm};
use crate::kernel::net::{Network, Op, Parameters, Size, Source, Tensor};
use crate::kernel::psd::DIGITS;

/// How the spectral norm of one affine node is bounded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerNorm {
    /// The square of the norm is at most this number: `[[s I, W'], [W, I]]` is semidefinite.
    Spectral(Dyadic),
    /// `|W|^2 <= max_i sum_j |W'W|_ij` or the same of `W W'`, whichever is smaller (Prach and Lampert 2022).
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
            Op::Dense { .. } => {
                let parameters = parameters.ok_or_else(missing)?;
                &affine(norm, &Linear::matrix(&parameters.weight)?, layers.get(i).and_then(Option::as_ref))? * own
            }
            Op::Conv { stride, groups, .. } => {
                let linear = Linear::conv(parameters.ok_or_else(missing)?, *stride, *groups)?;
                &affine(norm, &linear, Some(&LayerNorm::Schur))? * own
            }
            Op::Activation(activation) => &powered(global(activation)?.largest()) * own,
            Op::BatchNorm | Op::FixedAffine => {
                let scale = &parameters.ok_or_else(missing)?.weight.data;
                &powered(scale.iter().map(|w| Dyadic::from(w).abs()).max().unwrap_or(Dyadic::ZERO)) * own
            }
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

fn missing() -> LipError {
    LipError::Unsupported("expected parameters of the shapes that the architecture states".to_string())
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

/// Sums of magnitudes, and the matrix when there is one.
struct Linear {
    rows: Vec<Vec<Dyadic>>,
    row_sum: Dyadic,
    column_sum: Dyadic,
}

impl Linear {
    /// A tensor as the matrix of its leading axis against the others.
    fn matrix(weight: &Tensor) -> Result<Linear, LipError> {
        let columns = weight.shape.iter().skip(1).product::<usize>();
        if columns == 0 || !weight.data.len().is_multiple_of(columns) {
            return Err(missing());
        }
        let rows: Vec<Vec<Dyadic>> =
            weight.data.chunks(columns).map(|row| row.iter().map(Dyadic::from).collect()).collect();
        let mut column_sums = vec![Dyadic::ZERO; columns];
        let mut row_sum = Dyadic::ZERO;
        for row in &rows {
            let mut sum = Dyadic::ZERO;
            for (value, column) in row.iter().zip(&mut column_sums) {
                let size = value.abs();
                *column = &*column + &size;
                sum = &sum + &size;
            }
            row_sum = row_sum.max(sum);
        }
        let column_sum = column_sums.into_iter().max().unwrap_or(Dyadic::ZERO);
        Ok(Linear { rows, row_sum, column_sum })
    }

    /// A position in the interior meets the whole kernel; an input position meets one residue class of it modulo the stride.
    fn conv(parameters: &Parameters, stride: (Size, Size), groups: Size) -> Result<Linear, LipError> {
        let [outputs, inputs, kh, kw] = parameters.weight.shape.as_slice() else { return Err(missing()) };
        let (outputs, inputs, kh, kw) = (*outputs, *inputs, *kh, *kw);
        let clip = |n: Size| usize::try_from(n).unwrap_or(usize::MAX).max(1);
        let (sy, sx, groups) = (clip(stride.0).min(kh.max(1)), clip(stride.1).min(kw.max(1)), clip(groups));
        let per_group = (outputs / groups).max(1);
        let data = &parameters.weight.data;
        let mut row_sum = Dyadic::ZERO;
        let mut columns = vec![Dyadic::ZERO; groups * inputs * sy * sx];
        for output in 0..outputs {
            let mut sum = Dyadic::ZERO;
            for c in 0..inputs {
                for y in 0..kh {
                    for x in 0..kw {
                        let index = ((output * inputs + c) * kh + y) * kw + x;
                        let size = Dyadic::from(data.get(index).ok_or_else(missing)?).abs();
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
        Ok(Linear { rows: Vec::new(), row_sum, column_sum })
    }
}

/// What the certificate proves to be at least the square of a matrix's spectral norm. Errors: it proves nothing.
pub fn spectral_norm_squared(matrix: &Tensor, certificate: &LayerNorm) -> Result<Dyadic, LipError> {
    affine(Norm::L2, &Linear::matrix(matrix)?, Some(certificate))
}

/// The operator norm; for l2 its square.
fn affine(norm: Norm, linear: &Linear, layer: Option<&LayerNorm>) -> Result<Dyadic, LipError> {
    match (norm, layer) {
        (Norm::L1, _) => Ok(linear.column_sum.clone()),
        (Norm::Linf, _) => Ok(linear.row_sum.clone()),
        (Norm::L2, None) | (Norm::L2, Some(LayerNorm::Schur)) => Ok(&linear.row_sum * &linear.column_sum),
        (Norm::L2, Some(LayerNorm::Gram)) => Ok(gram(&linear.rows)),
        (Norm::L2, Some(LayerNorm::Spectral(square))) => {
            if spectral(&linear.rows, square) {
                Ok(square.clone())
            } else {
                Err(LipError::NotProved)
            }
        }
    }
}

fn transposed(rows: &[Vec<Dyadic>]) -> Vec<Vec<Dyadic>> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns).map(|j| rows.iter().filter_map(|row| row.get(j).cloned()).collect()).collect()
}

/// The largest sum of magnitudes in a row of the smaller Gram matrix.
fn gram(rows: &[Vec<Dyadic>]) -> Dyadic {
    let columns = rows.first().map_or(0, Vec::len);
    let turned;
    let rows = if rows.len() > columns {
        turned = transposed(rows);
        &turned
    } else {
        rows
    };
    let inner = |a: &[Dyadic], b: &[Dyadic]| a.iter().zip(b).fold(Dyadic::ZERO, |sum, (x, y)| &sum + &(x * y));
    let mut sums = vec![Dyadic::ZERO; rows.len()];
    for (i, a) in rows.iter().enumerate() {
        for (j, b) in rows.iter().enumerate().take(i + 1) {
            let size = inner(a, b).abs();
            sums[i] = &sums[i] + &size;
            if i != j {
                sums[j] = &sums[j] + &size;
            }
        }
    }
    sums.into_iter().max().unwrap_or(Dyadic::ZERO)
}

/// Whether the spectral norm's square is proved to be at most `square`.
fn spectral(rows: &[Vec<Dyadic>], square: &Dyadic) -> bool {
    if rows.iter().flatten().all(Dyadic::is_zero) {
        return !square.is_negative();
    }
    let columns = rows.first().map_or(0, Vec::len);
    let turned;
    let (rows, columns) = if rows.len() > columns {
        turned = transposed(rows);
        (turned.as_slice(), rows.len())
    } else {
        (rows, columns)
    };
    let mut form = Form::new(columns + rows.len());
    (0..columns).for_each(|i| form.add(i, i, square.clone()));
    for (o, row) in rows.iter().enumerate() {
        form.add(columns + o, columns + o, Dyadic::ONE);
        row.iter().enumerate().filter(|(_, w)| !w.is_zero()).for_each(|(i, w)| form.add(columns + o, i, w.clone()));
    }
    form.finish(DIGITS).is_some_and(|matrix| matrix.is_semidefinite())
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

fn over(value: &Dyadic, divisor: u64) -> Dyadic {
    if divisor == 1 {
        return value.clone();
    }
    Dyadic::above(&(value.to_rational() / num_rational::BigRational::from_integer(divisor.into())), BITS)
}
