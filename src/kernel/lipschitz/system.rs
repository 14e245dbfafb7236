//! A network as scalar neurons with sparse affine rows. Trust: kernel.
//!
//! Every affine operation (dense, convolution, normalization, pooling by means, sums, concatenation) is unrolled exactly, so that
//! residual and branched networks need no theory of their own: variable `i < inputs` is an input coordinate and variable
//! `inputs + j` the output of neuron `j`, whose argument is an affine function of earlier variables.
//!
//! Means over `k` positions are not dyadic; they are carried as a common `divisor`. Neuron `j` with divisor `d` stands for
//! `d * phi(u / d)` with `u = row . z + constant`, which has the same slopes as `phi`. A maximum is unrolled by
//! `max(a, b) = b + relu(a - b)`, which is exact; padding of a maximum never wins.

use super::LipError;
use super::dyadic::Dyadic;
use crate::kernel::net::{Activation, Network, Op, Parameters, Size, Source};
use std::collections::BTreeMap;
use std::ops::Range;

/// Nonzero coefficients, by increasing variable.
pub type Row = Vec<(usize, Dyadic)>;

/// More coefficients than this are refused: a matter of memory, not of mathematics.
const COEFFICIENT_LIMIT: usize = 1 << 23;

/// `(row . z + constant) / divisor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affine {
    pub row: Row,
    pub constant: Dyadic,
    /// A positive integer.
    pub divisor: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neuron {
    pub argument: Affine,
    pub activation: Activation,
}

/// All neurons of a network in topological order, and its outputs.
#[derive(Clone, Debug)]
pub struct System {
    pub inputs: usize,
    pub neurons: Vec<Neuron>,
    /// Consecutive neurons that do not read each other.
    pub groups: Vec<Range<usize>>,
    pub outputs: Vec<Affine>,
}

impl Affine {
    pub(super) fn variable(index: usize, divisor: u64) -> Affine {
        Affine { row: vec![(index, Dyadic::ONE)], constant: Dyadic::ZERO, divisor }
    }

    fn is_variable(&self) -> bool {
        self.divisor == 1 && self.constant.is_zero() && matches!(self.row.as_slice(), [(_, c)] if *c == Dyadic::ONE)
    }
}

/// `sum of coefficient * term + constant`.
pub(super) fn combine(terms: &[(Dyadic, &Affine)], constant: &Dyadic) -> Result<Affine, LipError> {
    let increasing = terms.windows(2).all(|pair| match (pair[0].1.row.first(), pair[1].1.row.first()) {
        (Some((a, _)), Some((b, _))) => a < b,
        _ => false,
    });
    if increasing && terms.iter().all(|(_, term)| term.is_variable()) {
        let row = terms
            .iter()
            .filter(|(coefficient, _)| !coefficient.is_zero())
            .filter_map(|(coefficient, term)| term.row.first().map(|(index, _)| (*index, coefficient.clone())))
            .collect();
        return Ok(Affine { row, constant: constant.clone(), divisor: 1 });
    }
    let mut divisor: u64 = 1;
    for (_, term) in terms {
        divisor = divisor
            .checked_mul(term.divisor / num_integer::gcd(divisor, term.divisor))
            .ok_or_else(|| LipError::too_large("a common divisor of pooling windows below 2^64"))?;
    }
    let mut sum: BTreeMap<usize, Dyadic> = BTreeMap::new();
    let mut total = constant * &Dyadic::natural(divisor);
    for (coefficient, term) in terms {
        if coefficient.is_zero() {
            continue;
        }
        let factor = coefficient * &Dyadic::natural(divisor / term.divisor);
        total = &total + &(&factor * &term.constant);
        for (index, value) in &term.row {
            let entry = sum.entry(*index).or_insert(Dyadic::ZERO);
            *entry = &*entry + &(&factor * value);
        }
    }
    let row = sum.into_iter().filter(|(_, value)| !value.is_zero()).collect();
    Ok(Affine { row, constant: total, divisor })
}

pub(super) fn size(n: Size) -> Result<usize, LipError> {
    usize::try_from(n)
        .ok()
        .filter(|&n| n <= COEFFICIENT_LIMIT)
        .ok_or_else(|| LipError::too_large("a layer below 2^23 units"))
}

/// A three-dimensional array of affine functions.
struct Image {
    channels: usize,
    height: usize,
    width: usize,
}

impl Image {
    fn of(shape: &[Size]) -> Result<Image, LipError> {
        match shape {
            [c, h, w] => Ok(Image { channels: size(*c)?, height: size(*h)?, width: size(*w)? }),
            other => Err(LipError::Unsupported(format!(
                "expected an input of shape channels, height, width, found {other:?}"
            ))),
        }
    }

    /// The entry at a padded position, or `None` in the padding.
    fn index(&self, channel: usize, y: usize, x: usize, pad: (usize, usize)) -> Option<usize> {
        let (y, x) = (y.checked_sub(pad.0)?, x.checked_sub(pad.1)?);
        (y < self.height && x < self.width).then(|| (channel * self.height + y) * self.width + x)
    }
}

struct Builder {
    inputs: usize,
    neurons: Vec<Neuron>,
    coefficients: usize,
}

impl Builder {
    fn push(&mut self, argument: Affine, activation: &Activation) -> Result<Affine, LipError> {
        self.charge(argument.row.len())?;
        let divisor = argument.divisor;
        let index = self.inputs + self.neurons.len();
        self.neurons.push(Neuron { argument, activation: activation.clone() });
        Ok(Affine::variable(index, divisor))
    }

    fn charge(&mut self, coefficients: usize) -> Result<(), LipError> {
        self.coefficients += coefficients;
        if self.coefficients > COEFFICIENT_LIMIT {
            return Err(LipError::too_large("a network of less than 2^23 coefficients after unrolling"));
        }
        Ok(())
    }
}

pub(super) fn missing() -> LipError {
    LipError::Unsupported("expected parameters of the shapes that the architecture states".to_string())
}

fn get<T>(items: &[T], index: usize) -> Result<&T, LipError> {
    items.get(index).ok_or_else(missing)
}

impl System {
    /// Unrolls a network. Errors: an activation that is not Lipschitz, or a network too large to unroll.
    pub fn new(network: &Network) -> Result<System, LipError> {
        let architecture = network.architecture();
        let shapes = architecture.shapes().map_err(|e| LipError::Unsupported(e.to_string()))?;
        let mut inputs = 1usize;
        for &n in &architecture.input {
            inputs =
                inputs.checked_mul(size(n)?).ok_or_else(|| LipError::too_large("an input below 2^23 coordinates"))?;
        }
        size(inputs as Size)?;
        let mut builder = Builder { inputs, neurons: Vec::new(), coefficients: 0 };
        let input: Vec<Affine> = (0..inputs).map(|i| Affine::variable(i, 1)).collect();
        let mut values: Vec<Vec<Affine>> = Vec::with_capacity(architecture.nodes.len());
        for (i, node) in architecture.nodes.iter().enumerate() {
            let mut sources: Vec<&[Affine]> = Vec::with_capacity(node.inputs.len());
            for source in &node.inputs {
                sources.push(match source {
                    Source::Input => &input,
                    Source::Node(j) => get(&values, *j)?,
                });
            }
            let source = *get(&sources, 0)?;
            let shape = architecture.shape_of(&shapes, *get(&node.inputs, 0)?);
            let parameters = get(network.parameters(), i)?.as_ref();
            let out = get(&shapes, i)?;
            let value = match &node.op {
                Op::Activation(activation) if *activation != Activation::Identity => {
                    let mut value = Vec::with_capacity(source.len());
                    for argument in source {
                        value.push(builder.push(argument.clone(), activation)?);
                    }
                    value
                }
                Op::MaxPool { window, stride, pad } => {
                    max_pool(&mut builder, source, shape, out, *window, *stride, *pad)?
                }
                Op::Gradients(_) => return Err(super::product::discontinuous()),
                linear => affine(linear, &sources, shape, out, parameters)?,
            };
            builder.charge(value.iter().map(|affine| affine.row.len()).sum())?;
            values.push(value);
        }
        let outputs = values.pop().ok_or_else(missing)?;
        let groups = groups(builder.inputs, &builder.neurons);
        Ok(System { inputs, neurons: builder.neurons, groups, outputs })
    }
}

/// Maximal runs of consecutive neurons none of which reads another of its run.
fn groups(inputs: usize, neurons: &[Neuron]) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = 0;
    for (j, neuron) in neurons.iter().enumerate() {
        if neuron.argument.row.last().is_some_and(|(index, _)| *index >= inputs + start) {
            groups.push(start..j);
            start = j;
        }
    }
    if start < neurons.len() {
        groups.push(start..neurons.len());
    }
    groups
}

/// Whether a node computes an affine function of its sources.
pub(super) fn is_affine(op: &Op) -> bool {
    !matches!(op, Op::MaxPool { .. } | Op::Gradients(_))
        && !matches!(op, Op::Activation(a) if *a != Activation::Identity)
}

/// The outputs of an affine node; `shape` is that of its first source.
pub(super) fn affine(
    op: &Op,
    sources: &[&[Affine]],
    shape: &[Size],
    out: &[Size],
    parameters: Option<&Parameters>,
) -> Result<Vec<Affine>, LipError> {
    let source = *get(sources, 0)?;
    match op {
        Op::Flatten | Op::Activation(Activation::Identity) => Ok(source.to_vec()),
        Op::Concat => Ok(sources.concat()),
        Op::Add => {
            let mut value = Vec::with_capacity(source.len());
            for k in 0..source.len() {
                let mut terms = Vec::with_capacity(sources.len());
                for source in sources {
                    terms.push((Dyadic::ONE, get(source, k)?));
                }
                value.push(combine(&terms, &Dyadic::ZERO)?);
            }
            Ok(value)
        }
        Op::Dense { .. } => dense(source, parameters.ok_or_else(missing)?),
        Op::Conv { kernel, stride, pad, groups, .. } => {
            convolution(source, shape, out, *kernel, *stride, *pad, *groups, parameters.ok_or_else(missing)?)
        }
        Op::BatchNorm | Op::FixedAffine => {
            let parameters = parameters.ok_or_else(missing)?;
            let shift = parameters.bias.as_ref().ok_or_else(missing)?;
            let count = parameters.weight.data.len();
            if count == 0 || !source.len().is_multiple_of(count) {
                return Err(missing());
            }
            // Channels are the first axis: coordinate k belongs to channel k / (positions per channel).
            let positions = source.len() / count;
            let mut value = Vec::with_capacity(source.len());
            for (k, term) in source.iter().enumerate() {
                let scale = Dyadic::from(get(&parameters.weight.data, k / positions)?);
                value.push(combine(&[(scale, term)], &Dyadic::from(get(&shift.data, k / positions)?))?);
            }
            Ok(value)
        }
        Op::AvgPool { window, stride } => average(source, shape, out, *window, *stride),
        Op::GlobalAvgPool => {
            let image = Image::of(shape)?;
            average(source, shape, out, (image.height as Size, image.width as Size), (1, 1))
        }
        other => Err(LipError::Unsupported(format!("expected an affine operation, found {other:?}"))),
    }
}

fn dense(source: &[Affine], parameters: &Parameters) -> Result<Vec<Affine>, LipError> {
    let weight = &parameters.weight.data;
    if source.is_empty() || !weight.len().is_multiple_of(source.len()) {
        return Err(missing());
    }
    let mut value = Vec::with_capacity(weight.len() / source.len());
    for (i, row) in weight.chunks(source.len()).enumerate() {
        let terms: Vec<(Dyadic, &Affine)> = row.iter().map(Dyadic::from).zip(source).collect();
        value.push(combine(&terms, &bias(parameters, i)?)?);
    }
    Ok(value)
}

fn bias(parameters: &Parameters, i: usize) -> Result<Dyadic, LipError> {
    match &parameters.bias {
        Some(bias) => Ok(Dyadic::from(get(&bias.data, i)?)),
        None => Ok(Dyadic::ZERO),
    }
}

#[expect(clippy::too_many_arguments, reason = "a convolution has this many parameters")]
fn convolution(
    source: &[Affine],
    shape: &[Size],
    out: &[Size],
    kernel: (Size, Size),
    stride: (Size, Size),
    pad: (Size, Size),
    groups: Size,
    parameters: &Parameters,
) -> Result<Vec<Affine>, LipError> {
    let (image, result) = (Image::of(shape)?, Image::of(out)?);
    let (kh, kw, sy, sx) = (size(kernel.0)?, size(kernel.1)?, size(stride.0)?, size(stride.1)?);
    let (pad, groups) = ((size(pad.0)?, size(pad.1)?), size(groups)?.max(1));
    let (group_in, group_out) = (image.channels / groups, (result.channels / groups).max(1));
    let factors = [result.channels, result.height, result.width, group_in, kh, kw];
    let coefficients = factors.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    if coefficients.is_none_or(|n| n > COEFFICIENT_LIMIT) {
        return Err(LipError::too_large("a convolution of at most 2^23 coefficients"));
    }
    let mut value = Vec::with_capacity(result.channels * result.height * result.width);
    for channel in 0..result.channels {
        let first = channel / group_out * group_in;
        let constant = bias(parameters, channel)?;
        for y in 0..result.height {
            for x in 0..result.width {
                let mut terms = Vec::with_capacity(group_in * kh * kw);
                for c in 0..group_in {
                    for dy in 0..kh {
                        for dx in 0..kw {
                            if let Some(index) = image.index(first + c, y * sy + dy, x * sx + dx, pad) {
                                let position = ((channel * group_in + c) * kh + dy) * kw + dx;
                                let weight = Dyadic::from(get(&parameters.weight.data, position)?);
                                terms.push((weight, get(source, index)?));
                            }
                        }
                    }
                }
                value.push(combine(&terms, &constant)?);
            }
        }
    }
    Ok(value)
}

fn average(
    source: &[Affine],
    shape: &[Size],
    out: &[Size],
    window: (Size, Size),
    stride: (Size, Size),
) -> Result<Vec<Affine>, LipError> {
    let (image, result) = (Image::of(shape)?, Image::of(out)?);
    let (h, w, sy, sx) = (size(window.0)?, size(window.1)?, size(stride.0)?, size(stride.1)?);
    let count = (h as u64).saturating_mul(w as u64);
    let mut value = Vec::with_capacity(result.channels * result.height * result.width);
    for channel in 0..result.channels {
        for y in 0..result.height {
            for x in 0..result.width {
                let mut terms = Vec::with_capacity(h * w);
                for dy in 0..h {
                    for dx in 0..w {
                        let index = image.index(channel, y * sy + dy, x * sx + dx, (0, 0)).ok_or_else(missing)?;
                        terms.push((Dyadic::ONE, get(source, index)?));
                    }
                }
                let mut sum = combine(&terms, &Dyadic::ZERO)?;
                sum.divisor = sum
                    .divisor
                    .checked_mul(count)
                    .ok_or_else(|| LipError::too_large("a common divisor of pooling windows below 2^64"))?;
                value.push(sum);
            }
        }
    }
    Ok(value)
}

/// Takes the windows' positions one after another, so that the comparisons of one position form one group of neurons.
fn max_pool(
    builder: &mut Builder,
    source: &[Affine],
    shape: &[Size],
    out: &[Size],
    window: (Size, Size),
    stride: (Size, Size),
    pad: (Size, Size),
) -> Result<Vec<Affine>, LipError> {
    let (image, result) = (Image::of(shape)?, Image::of(out)?);
    let (h, w, sy, sx) = (size(window.0)?, size(window.1)?, size(stride.0)?, size(stride.1)?);
    let pad = (size(pad.0)?, size(pad.1)?);
    let mut best: Vec<Option<Affine>> = vec![None; result.channels * result.height * result.width];
    for dy in 0..h {
        for dx in 0..w {
            for (k, best) in best.iter_mut().enumerate() {
                let (channel, y, x) =
                    (k / (result.height * result.width), k / result.width % result.height, k % result.width);
                let Some(index) = image.index(channel, y * sy + dy, x * sx + dx, pad) else { continue };
                let entry = get(source, index)?;
                let next = match best.take() {
                    None => entry.clone(),
                    Some(old) => {
                        let minus = Dyadic::integer(-1);
                        let excess = combine(&[(Dyadic::ONE, &old), (minus, entry)], &Dyadic::ZERO)?;
                        let gain = builder.push(excess, &Activation::Relu)?;
                        combine(&[(Dyadic::ONE, entry), (Dyadic::ONE, &gain)], &Dyadic::ZERO)?
                    }
                };
                *best = Some(next);
            }
        }
    }
    best.into_iter().collect::<Option<Vec<Affine>>>().ok_or_else(|| {
        LipError::Unsupported("expected a pooling window that meets its input, found one in the padding".to_string())
    })
}
