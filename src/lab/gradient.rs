//! Forward and backward passes, losses and their gradients. Trust: untrusted.
//!
//! Points travel in groups of [`LANES`], one lane each, so that the inner loops run across points and never reorder a sum.
//! A batch is cut into pieces of [`PIECE`] points whatever the number of threads; a piece adds its groups in order, and the pieces
//! are added in order. Threads only decide who computes a piece.

use super::elementary::{exp, ln, sigmoid, softplus};
use super::mlp::{LabError, Mlp, Unit};
use super::sample::Sample;
use super::train::Loss;
use rayon::prelude::*;

const LANES: usize = 8;
const PIECE: usize = 32;
/// Multiplications below which a batch is not worth waking threads for.
const PARALLEL_WORK: usize = 1 << 20;

type Lanes = [f64; LANES];

/// A sum over lanes as a fixed balanced tree.
#[inline(always)]
fn tree(p: &Lanes) -> f64 {
    ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]))
}

/// Lane by lane, written out: the build profile for development neither unrolls nor vectorizes loops.
#[inline(always)]
fn times(a: &Lanes, b: &Lanes) -> Lanes {
    [a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3], a[4] * b[4], a[5] * b[5], a[6] * b[6], a[7] * b[7]]
}

/// `sum + weight * x`, lane by lane, with two roundings.
#[inline(always)]
fn plus_scaled(s: &Lanes, weight: f64, x: &Lanes) -> Lanes {
    [
        s[0] + weight * x[0],
        s[1] + weight * x[1],
        s[2] + weight * x[2],
        s[3] + weight * x[3],
        s[4] + weight * x[4],
        s[5] + weight * x[5],
        s[6] + weight * x[6],
        s[7] + weight * x[7],
    ]
}

/// Where a layer's parameters lie in the list of all parameters.
#[derive(Clone, Copy)]
struct Layer {
    inputs: usize,
    units: usize,
    start: usize,
}

impl Layer {
    fn split(self, parameters: &[f64]) -> (&[f64], &[f64]) {
        let weights = self.inputs * self.units;
        parameters[self.start..self.start + weights + self.units].split_at(weights)
    }

    fn split_mut(self, parameters: &mut [f64]) -> (&mut [f64], &mut [f64]) {
        let weights = self.inputs * self.units;
        parameters[self.start..self.start + weights + self.units].split_at_mut(weights)
    }
}

/// The plan of the passes through one architecture.
pub(super) struct Passes {
    layers: Vec<Layer>,
    unit: Unit,
    count: usize,
}

/// Values of one group of points.
struct Scratch {
    /// Per layer its input; the last entry is the output.
    values: Vec<Vec<Lanes>>,
    /// Per hidden layer the activation's derivative.
    slopes: Vec<Vec<Lanes>>,
    delta: Vec<Lanes>,
    before: Vec<Lanes>,
}

/// Points by index: inputs row-major, targets row-major.
#[derive(Clone, Copy)]
pub(super) struct Points<'a> {
    pub inputs: &'a [f64],
    pub targets: &'a [f64],
    pub order: &'a [usize],
}

impl Passes {
    pub(super) fn new(mlp: &Mlp) -> Result<Passes, LabError> {
        let unit = Unit::of(mlp.activation())?;
        let mut layers = Vec::new();
        let mut count = 0;
        for pair in mlp.sizes().windows(2) {
            layers.push(Layer { inputs: pair[0], units: pair[1], start: count });
            count += pair[0] * pair[1] + pair[1];
        }
        Ok(Passes { layers, unit, count })
    }

    fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].units
    }

    fn scratch(&self) -> Scratch {
        let widest = self.layers.iter().map(|l| l.units.max(l.inputs)).max().unwrap_or(0);
        let zeros = |n: usize| vec![[0.0; LANES]; n];
        let mut values = vec![zeros(self.inputs())];
        values.extend(self.layers.iter().map(|l| zeros(l.units)));
        let slopes = self.layers.iter().map(|l| zeros(l.units)).collect();
        Scratch { values, slopes, delta: zeros(widest), before: zeros(widest) }
    }

    /// Loads up to [`LANES`] points; empty lanes are 0.
    fn load(&self, scratch: &mut Scratch, inputs: &[f64], order: &[usize]) {
        let dim = self.inputs();
        for (i, lanes) in scratch.values[0].iter_mut().enumerate() {
            *lanes = [0.0; LANES];
            for (lane, &point) in lanes.iter_mut().zip(order) {
                *lane = inputs[point * dim + i];
            }
        }
    }

    fn forward(&self, parameters: &[f64], scratch: &mut Scratch) {
        let last = self.layers.len() - 1;
        for (l, layer) in self.layers.iter().enumerate() {
            let (weights, biases) = layer.split(parameters);
            let (before, after) = scratch.values.split_at_mut(l + 1);
            let (input, output) = (&before[l], &mut after[0]);
            for ((row, &bias), value) in weights.chunks_exact(layer.inputs).zip(biases).zip(output.iter_mut()) {
                let mut sum = [bias; LANES];
                for (&weight, x) in row.iter().zip(input) {
                    sum = plus_scaled(&sum, weight, x);
                }
                *value = sum;
            }
            if l < last {
                for (value, slope) in output.iter_mut().zip(scratch.slopes[l].iter_mut()) {
                    for k in 0..LANES {
                        (value[k], slope[k]) = self.unit.value_and_slope(value[k]);
                    }
                }
            }
        }
    }

    /// Adds the gradient of a group to `gradient`; `scratch.delta` holds the loss's derivative by the outputs.
    fn backward(&self, parameters: &[f64], scratch: &mut Scratch, gradient: &mut [f64]) {
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let input = &scratch.values[l];
            let delta = &scratch.delta[..layer.units];
            let (weights, biases) = layer.split_mut(gradient);
            for ((row, bias), d) in weights.chunks_exact_mut(layer.inputs).zip(biases).zip(delta) {
                for (weight, x) in row.iter_mut().zip(input) {
                    *weight += tree(&times(d, x));
                }
                *bias += tree(d);
            }
            if l == 0 {
                return;
            }
            let before = &mut scratch.before[..layer.inputs];
            before.fill([0.0; LANES]);
            let (weights, _) = layer.split(parameters);
            for (row, d) in weights.chunks_exact(layer.inputs).zip(delta) {
                for (&weight, b) in row.iter().zip(before.iter_mut()) {
                    *b = plus_scaled(b, weight, d);
                }
            }
            for (b, slope) in before.iter_mut().zip(&scratch.slopes[l - 1]) {
                *b = times(b, slope);
            }
            std::mem::swap(&mut scratch.delta, &mut scratch.before);
        }
    }

    /// Sum of losses over `points.order`; adds `scale` times the sum's gradient to `gradient`.
    fn piece(&self, loss: Loss, parameters: &[f64], points: Points<'_>, scale: f64, gradient: &mut [f64]) -> f64 {
        let mut scratch = self.scratch();
        let outputs = self.outputs();
        let mut total = 0.0;
        for group in points.order.chunks(LANES) {
            self.load(&mut scratch, points.inputs, group);
            self.forward(parameters, &mut scratch);
            let values = &scratch.values[self.layers.len()];
            let delta = &mut scratch.delta[..outputs];
            delta.fill([0.0; LANES]);
            for (lane, &point) in group.iter().enumerate() {
                total += loss_of_point(loss, values, lane, points.targets, point, delta);
            }
            for d in delta.iter_mut() {
                for x in d.iter_mut() {
                    *x *= scale;
                }
            }
            self.backward(parameters, &mut scratch, gradient);
        }
        total
    }

    /// Mean loss over `points.order`, its gradient written to `gradient`.
    pub(super) fn batch(&self, loss: Loss, parameters: &[f64], points: Points<'_>, gradient: &mut Vec<f64>) -> f64 {
        let n = points.order.len();
        let scale = 1.0 / n as f64;
        let run = |order: &[usize]| {
            let mut part = vec![0.0; self.count];
            let sum = self.piece(loss, parameters, Points { order, ..points }, scale, &mut part);
            (sum, part)
        };
        let parallel = n > PIECE && self.count.saturating_mul(n) >= PARALLEL_WORK;
        let parts: Vec<(f64, Vec<f64>)> = if parallel {
            points.order.par_chunks(PIECE).map(run).collect()
        } else {
            points.order.chunks(PIECE).map(run).collect()
        };
        let mut total = 0.0;
        gradient.clear();
        gradient.resize(self.count, 0.0);
        for (sum, part) in &parts {
            total += sum;
            for (g, p) in gradient.iter_mut().zip(part) {
                *g += p;
            }
        }
        total * scale
    }

    /// Outputs of all points, row-major.
    pub(super) fn evaluate(&self, parameters: &[f64], inputs: &[f64]) -> Vec<f64> {
        let points: Vec<usize> = (0..inputs.len() / self.inputs()).collect();
        let outputs = self.outputs();
        let run = |order: &[usize]| {
            let mut scratch = self.scratch();
            let mut result = Vec::with_capacity(order.len() * outputs);
            for group in order.chunks(LANES) {
                self.load(&mut scratch, inputs, group);
                self.forward(parameters, &mut scratch);
                let values = &scratch.values[self.layers.len()];
                for lane in 0..group.len() {
                    result.extend(values.iter().map(|v| v[lane]));
                }
            }
            result
        };
        points.par_chunks(PIECE * LANES).map(run).collect::<Vec<_>>().concat()
    }
}

/// Loss of one point; writes its derivative by the outputs into the point's lane.
fn loss_of_point(loss: Loss, values: &[Lanes], lane: usize, targets: &[f64], point: usize, delta: &mut [Lanes]) -> f64 {
    match loss {
        Loss::Logistic => {
            let (y, f) = (targets[point], values[0][lane]);
            delta[0][lane] = -y * sigmoid(-y * f);
            softplus(-y * f)
        }
        Loss::Squared => {
            let targets = &targets[point * values.len()..];
            let mut sum = 0.0;
            for ((value, d), y) in values.iter().zip(delta).zip(targets) {
                let difference = value[lane] - y;
                d[lane] = 2.0 * difference;
                sum += difference * difference;
            }
            sum
        }
        Loss::CrossEntropy => {
            let class = targets[point] as usize;
            let largest = values.iter().map(|v| v[lane]).fold(f64::NEG_INFINITY, f64::max);
            let mut sum = 0.0;
            for (value, d) in values.iter().zip(delta.iter_mut()) {
                d[lane] = exp(value[lane] - largest);
                sum += d[lane];
            }
            for (c, d) in delta.iter_mut().enumerate() {
                d[lane] = d[lane] / sum - f64::from(u8::from(c == class));
            }
            ln(sum) - (values[class][lane] - largest)
        }
    }
}

/// Checks that inputs and labels fit the network and the loss.
pub(super) fn check_sample(mlp: &Mlp, loss: Loss, sample: &Sample) -> Result<(), LabError> {
    let shape = |text: String| Err(LabError::Shape(text));
    if sample.dim() != mlp.inputs() {
        return shape(format!("expected points of dimension {}, found dimension {}", mlp.inputs(), sample.dim()));
    }
    let labels = sample.labels();
    let (n, outputs) = (sample.len(), mlp.outputs());
    let expected = if loss == Loss::Squared { n * outputs } else { n };
    if labels.len() != expected {
        return shape(format!("expected {expected} labels for {n} points, found {}", labels.len()));
    }
    match loss {
        Loss::Logistic if outputs != 1 => {
            return shape(format!("expected one output for the logistic loss, found {outputs}"));
        }
        Loss::Logistic => {
            if let Some(bad) = labels.iter().find(|&&y| y != 1.0 && y != -1.0) {
                return shape(format!("expected labels 1 and -1 for the logistic loss, found {bad}"));
            }
        }
        Loss::CrossEntropy => {
            let class = |y: f64| y >= 0.0 && y < outputs as f64 && y.fract() == 0.0;
            if let Some(bad) = labels.iter().find(|&&y| !class(y)) {
                return shape(format!("expected classes 0 to {} for the cross entropy, found {bad}", outputs - 1));
            }
        }
        Loss::Squared => {}
    }
    Ok(())
}

/// Mean loss over a sample and its gradient, in the order of [`Mlp::parameters`].
pub fn loss_and_gradient(mlp: &Mlp, loss: Loss, sample: &Sample) -> Result<(f64, Vec<f64>), LabError> {
    check_sample(mlp, loss, sample)?;
    let order: Vec<usize> = (0..sample.len()).collect();
    let points = Points { inputs: sample.inputs(), targets: sample.labels(), order: &order };
    let mut gradient = Vec::new();
    let value = Passes::new(mlp)?.batch(loss, &mlp.parameters(), points, &mut gradient);
    Ok((value, gradient))
}

/// Mean loss over a sample.
pub fn mean_loss(mlp: &Mlp, loss: Loss, sample: &Sample) -> Result<f64, LabError> {
    check_sample(mlp, loss, sample)?;
    let values = mlp.evaluate(sample.inputs())?;
    let outputs = mlp.outputs();
    let mut total = 0.0;
    let mut unused = vec![[0.0; LANES]; outputs];
    let mut group = vec![[0.0; LANES]; outputs];
    for (point, row) in values.chunks_exact(outputs).enumerate() {
        for (lanes, &value) in group.iter_mut().zip(row) {
            lanes[0] = value;
        }
        total += loss_of_point(loss, &group, 0, sample.labels(), point, &mut unused);
    }
    Ok(total / sample.len() as f64)
}
