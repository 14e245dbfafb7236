//! Interval forward pass on integers: error counts on a sample, ranges on a box. Trust: kernel.
//!
//! Values are enclosed by integer intervals on the grid `2^-GRID`, weights are integers on a grid of their own. Every product
//! and sum is exact in 128 bits (checked, not wrapped); the result is shifted back outward. A weight that is not on its grid
//! is off by at most half a unit, which is charged: the linear form then changes by at most half the sum of `|x|`.

use super::eval::EvalError;
use super::gradient::GradientMap;
use super::matrix_norm::Grid;
use super::memo::Memo;
use super::net::{Activation, Network, Op, Source, Tensor, Weight};
use super::object::{Domain, Examples};
use super::readout::{Readout, pixel};
use super::real::{Dyadic, Enclosure};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::sync::Arc;

/// Bits of a weight on its grid.
const WEIGHT_BITS: i64 = 46;
/// A value must stay below `2^VALUE_BITS` in grid units: `46 + 66 + log2(terms) < 126` for up to 8192 terms.
const VALUE_BITS: u32 = 66;
/// Grids tried in turn: values too large for the first may fit a coarser one.
const GRIDS: [u32; 4] = [40, 28, 16, 4];
/// Precision of transcendental activations.
const ACTIVATION_BITS: u32 = 80;

/// Integer ends in grid units.
pub type Range = (i128, i128);

struct Affine {
    rows: Vec<Vec<(i64, usize)>>,
    biases: Vec<BigRational>,
    /// The weights are integers times `2^-shift`.
    shift: u32,
    exact: bool,
    has_bias: bool,
}

enum Step {
    Affine(Affine),
    Activation(Activation),
    /// `scale * x + shift` per coordinate, exact rationals.
    Scale(Vec<(BigRational, BigRational)>),
}

/// A chain network prepared for evaluation.
pub struct Forward {
    /// Integer features of an image before all steps, and the image's side.
    image: Option<(GradientMap, usize)>,
    steps: Vec<Step>,
}

/// The exact value: exponents of weights are small.
fn rational(weight: &Weight) -> BigRational {
    Grid::of(std::slice::from_ref(weight)).value(BigInt::from(weight.mantissa), 1)
}

fn too_large() -> EvalError {
    EvalError::TooLarge("expected values below 2^62 in the forward pass, found larger ones".to_string())
}

impl Forward {
    /// Errors: a layer that this pass does not know.
    pub fn of(network: &Network) -> Result<Forward, EvalError> {
        let mut steps = Vec::new();
        let mut image = None;
        for (i, (node, parameters)) in network.architecture().nodes.iter().zip(network.parameters()).enumerate() {
            let expected = if i == 0 { Source::Input } else { Source::Node(i - 1) };
            if node.inputs != [expected] {
                return Err(EvalError::Meaningless(
                    "expected a chain of layers, found a branching network".to_string(),
                ));
            }
            match (&node.op, parameters) {
                (Op::Dense { .. }, Some(p)) => steps.push(Step::Affine(affine(&p.weight, p.bias.as_ref())?)),
                (Op::Flatten | Op::Activation(Activation::Identity), _) => {}
                (Op::Gradients(map), _) if i == 0 => {
                    let size = network.architecture().input.first().copied().unwrap_or(0);
                    image = Some((*map, usize::try_from(size.isqrt()).map_err(|_| too_large())?));
                }
                (Op::Activation(activation), _) => steps.push(Step::Activation(activation.clone())),
                (Op::FixedAffine, Some(p)) => {
                    let shifts = p.bias.as_ref().map_or(&[][..], |b| &b.data[..]);
                    let pairs = p.weight.data.iter().zip(shifts).map(|(a, b)| (rational(a), rational(b))).collect();
                    steps.push(Step::Scale(pairs));
                }
                (op, _) => {
                    let name = format!("{op:?}");
                    let name = name.split([' ', '(']).next().unwrap_or_default();
                    return Err(EvalError::Meaningless(format!(
                        "expected dense layers and activations in the forward pass, found `{name}`"
                    )));
                }
            }
        }
        Ok(Forward { image, steps })
    }

    /// Encloses the outputs for all inputs in the given intervals. Errors: values too large for every grid.
    pub fn outputs(&self, input: &[(BigRational, BigRational)]) -> Result<Vec<(BigRational, BigRational)>, EvalError> {
        if self.image.is_some() {
            return Err(EvalError::Meaningless("expected points, found a box: integer features jump".to_string()));
        }
        let (grid, ranges) = on_a_grid(|grid| {
            let x = input.iter().map(|(low, high)| outward(low, high, grid)).collect::<Result<_, _>>()?;
            pass(&self.steps, x, grid)
        })?;
        Ok(rationals(ranges, grid))
    }

    /// Encloses the outputs on one example. Errors: as for [`Forward::outputs`], an input that does not fit.
    pub fn outputs_at(&self, row: &[Weight], scale: &BigRational) -> Result<Vec<Interval>, EvalError> {
        let input = self.input(row, scale)?;
        let (grid, ranges) = on_a_grid(|grid| pass(&self.steps, input.on(grid)?, grid))?;
        Ok(rationals(ranges, grid))
    }

    /// What goes into the last layer on one example, and what comes out. Errors: as for [`Forward::outputs_at`], or the last
    /// step is no dense layer.
    pub fn last_layer(&self, row: &[Weight], scale: &BigRational) -> Result<LastLayer, EvalError> {
        let Some((Step::Affine(last), steps)) = self.steps.split_last() else {
            return Err(EvalError::Meaningless("expected a dense layer at the end".to_string()));
        };
        let input = self.input(row, scale)?;
        let (grid, (inputs, outputs)) = on_a_grid(|grid| {
            let inputs = pass(steps, input.on(grid)?, grid)?;
            let outputs = last.apply(&inputs, grid)?;
            Ok((inputs, outputs))
        })?;
        Ok(LastLayer { grid, inputs, outputs, has_bias: last.has_bias })
    }

    fn input<'a>(&self, row: &'a [Weight], scale: &'a BigRational) -> Result<Input<'a>, EvalError> {
        let Some((map, side)) = self.image else { return Ok(Input::Point(row, scale)) };
        let image: Vec<u8> = row.iter().map(|weight| pixel(weight, scale)).collect();
        let features = map.apply(&image, side);
        features.map(Input::Features).ok_or_else(|| EvalError::Meaningless("inputs do not fit".to_string()))
    }
}

/// An enclosure with rational ends.
type Interval = (BigRational, BigRational);

/// An exact input of the first step.
enum Input<'a> {
    /// Coordinates times a scale.
    Point(&'a [Weight], &'a BigRational),
    Features(Vec<i64>),
}

impl Input<'_> {
    fn on(&self, grid: u32) -> Result<Vec<Range>, EvalError> {
        match self {
            Input::Point(row, scale) => {
                let short = scale.numer().to_i64().zip(scale.denom().to_i64());
                let range = |w: &Weight| match short.and_then(|scale| scaled(w, scale, grid)) {
                    Some(range) => Ok(range),
                    None => {
                        let x = rational(w) * *scale;
                        outward(&x, &x, grid)
                    }
                };
                row.iter().map(range).collect()
            }
            // Features are below 2^13 in absolute value.
            Input::Features(features) => {
                Ok(features.iter().map(|f| (i128::from(*f) << grid, i128::from(*f) << grid)).collect())
            }
        }
    }
}

/// The values around the last layer, in units of `2^-grid`.
pub struct LastLayer {
    pub grid: u32,
    pub inputs: Vec<Range>,
    pub outputs: Vec<Range>,
    pub has_bias: bool,
}

/// The result on the first grid that the values fit.
fn on_a_grid<T>(run: impl Fn(u32) -> Result<T, EvalError>) -> Result<(u32, T), EvalError> {
    let mut last = too_large();
    for grid in GRIDS {
        match run(grid) {
            Ok(result) => return Ok((grid, result)),
            Err(error @ EvalError::TooLarge(_)) => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn rationals(ranges: Vec<Range>, grid: u32) -> Vec<Interval> {
    let end = |n: i128| BigRational::new(BigInt::from(n), BigInt::one() << grid);
    ranges.into_iter().map(|(lo, hi)| (end(lo), end(hi))).collect()
}

fn pass(steps: &[Step], mut x: Vec<Range>, grid: u32) -> Result<Vec<Range>, EvalError> {
    for step in steps {
        let next = match step {
            Step::Affine(affine) => affine.apply(&x, grid)?,
            Step::Activation(activation) => {
                x.iter().map(|range| activate(activation, *range, grid)).collect::<Result<_, _>>()?
            }
            Step::Scale(pairs) => x
                .iter()
                .zip(pairs)
                .map(|(&(lo, hi), (scale, shift))| {
                    let end = |n: i128| BigRational::new(BigInt::from(n), BigInt::one() << grid) * scale + shift;
                    let (a, b) = (end(lo), end(hi));
                    if a <= b { outward(&a, &b, grid) } else { outward(&b, &a, grid) }
                })
                .collect::<Result<_, _>>()?,
        };
        x = next;
    }
    Ok(x)
}

/// Rounds an interval outward to the grid.
fn outward(low: &BigRational, high: &BigRational, grid: u32) -> Result<Range, EvalError> {
    let scale = BigInt::one() << grid;
    let lo = (low.numer() * &scale).div_floor(low.denom());
    let hi = -((-(high.numer() * &scale)).div_floor(high.denom()));
    match (lo.to_i128(), hi.to_i128()) {
        (Some(lo), Some(hi)) if lo.unsigned_abs() < 1 << VALUE_BITS && hi.unsigned_abs() < 1 << VALUE_BITS => {
            Ok((lo, hi))
        }
        _ => Err(too_large()),
    }
}

/// `w p/q` floored and ceiled to the grid, as [`outward`], where 128 bits and the limit of values suffice.
fn scaled(w: &Weight, (p, q): (i64, i64), grid: u32) -> Option<Range> {
    let places = u32::try_from(i64::from(w.exponent) + i64::from(grid)).ok()?;
    // Below 2^126; a product that is shifted and shifted back unchanged has lost nothing.
    let product = i128::from(w.mantissa) * i128::from(p);
    let numerator = product.checked_shl(places).filter(|n| n >> places == product)?;
    let (floor, rest) = numerator.div_mod_floor(&i128::from(q));
    let range = (floor, if rest == 0 { floor } else { floor + 1 });
    (range.0 > -(1 << VALUE_BITS) && range.1 < 1 << VALUE_BITS).then_some(range)
}

/// Errors: weights beyond 2^63.
fn affine(weight: &Tensor, bias: Option<&Tensor>) -> Result<Affine, EvalError> {
    let columns = weight.shape.get(1).copied().unwrap_or(1).max(1);
    let bits = |w: &Weight| i64::from(w.exponent) + 64 - i64::from(w.mantissa.unsigned_abs().leading_zeros());
    let live = || weight.data.iter().filter(|w| w.mantissa != 0);
    // The largest weight gets WEIGHT_BITS bits; a grid finer than every weight's own is not needed.
    let largest = live().map(bits).max().unwrap_or(0);
    let finest = live().map(|w| i64::from(w.exponent) + i64::from(w.mantissa.trailing_zeros())).min().unwrap_or(0);
    let shift = (WEIGHT_BITS - largest).min(-finest).max(0);
    let mut exact = true;
    let mut integer = |w: &Weight| -> Result<i128, EvalError> {
        let places = i64::from(w.exponent) + shift;
        let mantissa = i128::from(w.mantissa);
        if mantissa == 0 {
            Ok(0)
        } else if places >= 0 {
            // |mantissa| < 2^63, so a shift by at most 60 stays exact in 128 bits.
            u32::try_from(places).ok().filter(|p| *p <= 60).map(|p| mantissa << p).ok_or_else(too_large)
        } else if places < -64 {
            // Less than half a unit.
            exact = false;
            Ok(0)
        } else {
            let places = u32::try_from(-places).map_err(|_| too_large())?;
            exact &= mantissa.trailing_zeros() >= places;
            // Nearest: off by at most half a unit.
            Ok((mantissa + (1 << (places - 1))) >> places)
        }
    };
    let mut rows = Vec::with_capacity(weight.data.len() / columns);
    for row in weight.data.chunks(columns) {
        let mut sparse = Vec::with_capacity(columns);
        for (j, w) in row.iter().enumerate() {
            let w = i64::try_from(integer(w)?).map_err(|_| too_large())?;
            if w != 0 {
                sparse.push((w, j));
            }
        }
        rows.push(sparse);
    }
    let biases = match bias {
        Some(bias) => bias.data.iter().map(rational).collect(),
        None => vec![BigRational::zero(); rows.len()],
    };
    Ok(Affine { rows, biases, shift: u32::try_from(shift).unwrap_or(0), exact, has_bias: bias.is_some() })
}

impl Affine {
    fn apply(&self, x: &[Range], grid: u32) -> Result<Vec<Range>, EvalError> {
        let scale = self.shift;
        // Half a unit of the weights' grid times the sum of |x|, rounded up.
        let slack = if self.exact {
            0
        } else {
            let mut total: i128 = 0;
            for (lo, hi) in x {
                total = total.checked_add(lo.abs().max(hi.abs())).ok_or_else(too_large)?;
            }
            total / 2 + 1
        };
        // Values are rarely beyond 64 bits, and a product of two such numbers is one machine instruction.
        let short = |&(lo, hi): &Range| i64::try_from(lo).ok().zip(i64::try_from(hi).ok());
        let narrow: Option<Vec<(i64, i64)>> = x.iter().map(short).collect();
        let mut outputs = Vec::with_capacity(self.rows.len());
        for (row, bias) in self.rows.iter().zip(&self.biases) {
            let (lo, hi) = match &narrow {
                Some(x) => extremes(row, x, slack, |w, v| Some(i128::from(w) * i128::from(v)))?,
                None => extremes(row, x, slack, |w, v| i128::from(w).checked_mul(v))?,
            };
            // The bias in grid units, floored and ceiled.
            let (b_lo, b_hi) = outward(bias, bias, grid)?;
            // Beyond 127 places nothing but the sign is left, as at 127.
            let lo = (lo >> scale.min(127)) + b_lo;
            let hi = -((-hi) >> scale.min(127)) + b_hi;
            if lo.unsigned_abs() >= 1 << VALUE_BITS || hi.unsigned_abs() >= 1 << VALUE_BITS {
                return Err(too_large());
            }
            outputs.push((lo, hi));
        }
        Ok(outputs)
    }
}

/// The least and the largest value of a linear form on a box, less and plus a slack. Errors: sums beyond 128 bits.
fn extremes<T: Copy>(
    row: &[(i64, usize)],
    x: &[(T, T)],
    slack: i128,
    product: impl Fn(i64, T) -> Option<i128>,
) -> Result<Range, EvalError> {
    let (mut lo, mut hi) = (-slack, slack);
    for &(w, j) in row {
        let (a, b) = x.get(j).copied().ok_or_else(|| EvalError::Meaningless("inputs do not fit".to_string()))?;
        // A linear form is extremal at the signed corner.
        let (down, up) = if w > 0 { (a, b) } else { (b, a) };
        let low = product(w, down).and_then(|p| lo.checked_add(p));
        let high = product(w, up).and_then(|p| hi.checked_add(p));
        (lo, hi) = low.zip(high).ok_or_else(too_large)?;
    }
    Ok((lo, hi))
}

fn activate(activation: &Activation, (lo, hi): Range, grid: u32) -> Result<Range, EvalError> {
    let unit = 1i128 << grid;
    Ok(match activation {
        Activation::Identity => (lo, hi),
        Activation::Relu => (lo.max(0), hi.max(0)),
        Activation::Relu6 => (lo.clamp(0, 6 * unit), hi.clamp(0, 6 * unit)),
        Activation::HardTanh => (lo.clamp(-unit, unit), hi.clamp(-unit, unit)),
        Activation::Heaviside => (if lo > 0 { unit } else { 0 }, if hi > 0 { unit } else { 0 }),
        _ => {
            let end = |n: i128| Dyadic::new(BigInt::from(n), -i64::from(grid));
            let x = Enclosure::new(Some(end(lo)?), Some(end(hi)?))?;
            let y = smooth(activation, &x)?;
            match (y.lo(), y.hi()) {
                (Some(lo), Some(hi)) => outward(&lo.to_rational()?, &hi.to_rational()?, grid)?,
                _ => return Err(too_large()),
            }
        }
    })
}

/// The remaining activations by interval arithmetic: enclosures for every one, tight where the interval is narrow.
fn smooth(activation: &Activation, x: &Enclosure) -> Result<Enclosure, EvalError> {
    let bits = ACTIVATION_BITS;
    let one = Enclosure::exact_int(1);
    let sigmoid =
        |x: &Enclosure| -> Result<Enclosure, EvalError> { Ok(one.div(&one.add(&x.neg().exp(bits)?, bits), bits)?) };
    let negative = |x: &Enclosure| x.min(&Enclosure::exact_int(0));
    let positive = |x: &Enclosure| x.max(&Enclosure::exact_int(0));
    Ok(match activation {
        Activation::LeakyRelu(slope) => positive(x).add(&negative(x).mul(&Enclosure::point(slope, bits), bits), bits),
        Activation::Tanh => x.tanh(bits)?,
        Activation::Sigmoid => sigmoid(x)?,
        Activation::Softplus => one.add(&x.exp(bits)?, bits).ln(bits)?,
        Activation::Softsign => x.div(&one.add(&x.abs(), bits), bits)?,
        Activation::Elu(alpha) => {
            let below = negative(x).exp(bits)?.sub(&one, bits).mul(&Enclosure::point(alpha, bits), bits);
            positive(x).add(&below, bits)
        }
        Activation::Silu => x.mul(&sigmoid(x)?, bits),
        Activation::Gelu => {
            // x Phi(x) with Phi(x) = (1 + erf(x / sqrt 2)) / 2.
            let root = Enclosure::exact_int(2).sqrt(bits)?;
            let phi = one.add(&x.div(&root, bits)?.erf(bits)?, bits).div(&Enclosure::exact_int(2), bits)?;
            x.mul(&phi, bits)
        }
        Activation::Gaussian => x.mul(x, bits).div(&Enclosure::exact_int(-2), bits)?.exp(bits)?,
        other => {
            return Err(EvalError::Meaningless(format!(
                "expected an activation with a forward pass, found `{}`",
                other.name()
            )));
        }
    })
}

/// Bounds on the number of examples with margin below `g`: `y f(x)` for one output (`y = -1` for class 0), the label's output
/// minus the largest other one else. What the enclosures cannot decide counts above.
pub fn margin_errors(
    memo: &Memo,
    network: &Arc<Network>,
    examples: &Arc<Examples>,
    g: &BigRational,
) -> Result<(usize, usize), EvalError> {
    count(memo, network, examples, |output, _| match &output.margin {
        Some((low, _)) if low >= g => Verdict::Right,
        Some((_, high)) if high >= g => Verdict::Undecided,
        // A label without an output has no margin: the example counts.
        _ => Verdict::Wrong,
    })
}

/// The least margin that at least the share `q` of the examples does not exceed: of `n` margins in order, number `ceil(q n)`. An
/// order statistic increases with every margin, so those of the lower and of the upper ends enclose it. `None`: no bound.
pub fn margin_quantile(
    memo: &Memo,
    network: &Arc<Network>,
    examples: &Arc<Examples>,
    q: &BigRational,
) -> Result<(Option<BigRational>, Option<BigRational>), EvalError> {
    fit(network, examples)?;
    let place = (q * BigRational::from_integer(examples.labels.len().into())).ceil().to_integer();
    let place = place
        .to_usize()
        .filter(|place| (1..=examples.labels.len()).contains(place))
        .ok_or_else(|| EvalError::Undefined(format!("expected a share in (0, 1] of a nonempty sample, found {q}")))?;
    let outputs = memo.outputs(network, examples)?;
    // A margin without a lower bound comes before all others, one without an upper bound after them.
    let mut low: Vec<Option<&BigRational>> = Vec::with_capacity(outputs.len());
    let mut high: Vec<(bool, Option<&BigRational>)> = Vec::with_capacity(outputs.len());
    for output in outputs.iter() {
        let margin = output.as_ref().and_then(|output| output.margin.as_ref());
        low.push(margin.map(|(low, _)| low));
        high.push((margin.is_none(), margin.map(|(_, high)| high)));
    }
    low.sort();
    high.sort();
    Ok((low[place - 1].cloned(), high[place - 1].1.cloned()))
}

/// An enclosure of the margin; `None` for a label that no output stands for.
fn margin(outputs: &[(BigRational, BigRational)], label: u32) -> Option<(BigRational, BigRational)> {
    if let [(low, high)] = outputs {
        return match label {
            1 => Some((low.clone(), high.clone())),
            0 => Some((-high.clone(), -low.clone())),
            _ => None,
        };
    }
    let label = usize::try_from(label).ok()?;
    let (low, high) = outputs.get(label)?;
    let others = || outputs.iter().enumerate().filter(|(j, _)| *j != label).map(|(_, range)| range);
    let (rival_low, rival_high) = (others().map(|r| &r.0).max()?, others().map(|r| &r.1).max()?);
    Some((low - rival_high, high - rival_low))
}

/// Bounds on the number of misclassified examples. A binary network predicts class 1 where its output is >= 0; another
/// predicts the strict maximum, and a tie is an error. What the enclosures cannot decide counts as an error above.
pub fn errors(memo: &Memo, network: &Arc<Network>, examples: &Arc<Examples>) -> Result<(usize, usize), EvalError> {
    fit(network, examples)?;
    if let Some(readout) = Readout::of(network) {
        let errors = readout.errors(examples)?;
        return Ok((errors, errors));
    }
    count(memo, network, examples, |output, label| classify(&output.values, label))
}

/// Errors: examples that the network does not take, or without one label for each.
fn fit(network: &Network, examples: &Examples) -> Result<(), EvalError> {
    let inputs: u128 = network.architecture().input.iter().product();
    let expected = examples.dimension.checked_mul(examples.labels.len());
    if inputs == examples.dimension as u128 && expected == Some(examples.values.len()) {
        return Ok(());
    }
    Err(EvalError::Meaningless(format!(
        "expected labelled examples of {inputs} coordinates, found {} labels and {} values of dimension {}",
        examples.labels.len(),
        examples.values.len(),
        examples.dimension
    )))
}

/// How many examples are certainly, and how many possibly wrong in the eyes of a judge of the output enclosures.
fn count(
    memo: &Memo,
    network: &Arc<Network>,
    examples: &Arc<Examples>,
    judge: impl Fn(&Output, u32) -> Verdict,
) -> Result<(usize, usize), EvalError> {
    fit(network, examples)?;
    let (mut certain, mut possible) = (0, 0);
    for (output, &label) in memo.outputs(network, examples)?.iter().zip(&examples.labels) {
        match output.as_ref().map_or(Verdict::Undecided, |output| judge(output, label)) {
            Verdict::Right => {}
            Verdict::Wrong => {
                certain += 1;
                possible += 1;
            }
            Verdict::Undecided => possible += 1,
        }
    }
    Ok((certain, possible))
}

/// Enclosures of the outputs on one example, and of its margin where its label has an output.
pub struct Output {
    values: Vec<Interval>,
    margin: Option<Interval>,
}

/// The outputs on every example; `None` where the values are beyond every grid, which leaves the example undecided.
pub type Outputs = Vec<Option<Output>>;

/// Errors: a layer that the forward pass does not know, a sample whose inputs and labels do not match.
pub fn outputs_on(network: &Network, examples: &Examples) -> Result<Outputs, EvalError> {
    if examples.values.len() != examples.labels.len() * examples.dimension.max(1) {
        return Err(EvalError::Meaningless("expected a label for every row of inputs".to_string()));
    }
    let forward = Forward::of(network)?;
    let mut all = Vec::with_capacity(examples.labels.len());
    for (row, &label) in examples.values.chunks(examples.dimension.max(1)).zip(&examples.labels) {
        all.push(match forward.outputs_at(row, &examples.scale) {
            Ok(values) => Some(Output { margin: margin(&values, label), values }),
            Err(EvalError::TooLarge(_)) => None,
            Err(error) => return Err(error),
        });
    }
    Ok(all)
}

enum Verdict {
    Right,
    Wrong,
    Undecided,
}

fn classify(outputs: &[(BigRational, BigRational)], label: u32) -> Verdict {
    if let [(low, high)] = outputs {
        // sgn(0) = +1: class 1 iff the output is >= 0.
        return match label {
            1 if !low.is_negative() => Verdict::Right,
            1 if high.is_negative() => Verdict::Wrong,
            0 if high.is_negative() => Verdict::Right,
            0 if !low.is_negative() => Verdict::Wrong,
            0 | 1 => Verdict::Undecided,
            _ => Verdict::Wrong,
        };
    }
    let Some((low, high)) = usize::try_from(label).ok().and_then(|label| outputs.get(label)) else {
        return Verdict::Wrong;
    };
    let others = || outputs.iter().enumerate().filter(|(j, _)| *j as u64 != u64::from(label)).map(|(_, range)| range);
    if others().all(|(_, other)| low > other) {
        Verdict::Right
    } else if others().any(|(other, _)| other >= high) {
        Verdict::Wrong
    } else {
        Verdict::Undecided
    }
}

/// Encloses every output coordinate on a box. Errors: another domain, a dimension that does not fit.
pub fn range(network: &Network, domain: &Domain) -> Result<(BigRational, BigRational), EvalError> {
    let Domain::Box(runs) = domain else {
        return Err(EvalError::Meaningless("expected a box as the domain of a range, found a ball".to_string()));
    };
    let expected: u128 = network.architecture().input.iter().product();
    if domain.dimension() != Some(expected) {
        return Err(EvalError::Meaningless(format!(
            "expected a domain of {expected} coordinates, found {}",
            domain.dimension().unwrap_or_default()
        )));
    }
    let mut input = Vec::new();
    for (count, low, high) in runs {
        for _ in 0..*count {
            input.push((low.clone(), high.clone()));
        }
    }
    let outputs = Forward::of(network)?.outputs(&input)?;
    let low = outputs.iter().map(|(low, _)| low).min().cloned();
    let high = outputs.iter().map(|(_, high)| high).max().cloned();
    low.zip(high).ok_or_else(|| EvalError::Meaningless("expected at least one output, found none".to_string()))
}
