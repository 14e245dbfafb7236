//! A first ternary readout: softmax regression whose weights are pulled to {-1, 0, 1} while it is trained. Trust: untrusted.
//!
//! The loss sees a blend of the weight and its rounding (0 up to 1/2, else the sign) that passes from one to the other between a
//! tenth and a half of the steps; the gradient is taken as if there were no rounding (the straight-through estimator of Bengio,
//! Leonard, Courville 2013). An l1 penalty keeps most weights at 0. Every sum runs in a fixed order.

use super::anneal::Problem;
use super::elementary::exp;
use super::random::{Random, Stream};

const EPOCHS: usize = 60;
const BATCH: usize = 200;
/// The factor of the l1 norm, and what it is at most times the number of examples: a bit costs less where there are more.
const PENALTY: (f32, f32) = (2e-3, 16.0);
const RATE: f32 = 0.02;
/// Features are divided by this.
const UNIT: f32 = 4096.0;
/// First factor of the logits; it is trained too.
const FACTOR: f32 = 20.0;

fn rounded(weight: f32) -> f32 {
    if weight.abs() > 0.5 { weight.signum() } else { 0.0 }
}

/// Adam (Kingma, Ba 2015) with its usual constants and a rate that falls linearly to 0.
struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
    decays: (f32, f32),
}

impl Adam {
    fn step(&mut self, rate: f32, parameters: &mut [f32], gradient: &[f32]) {
        self.decays = (self.decays.0 * 0.9, self.decays.1 * 0.999);
        for (i, (p, g)) in parameters.iter_mut().zip(gradient).enumerate() {
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * g;
            self.square[i] = 0.999 * self.square[i] + 0.001 * g * g;
            let square = self.square[i] / (1.0 - self.decays.1);
            *p -= rate * self.mean[i] / (1.0 - self.decays.0) / (square.sqrt() + 1e-8);
        }
    }
}

/// Weights in {-1, 0, 1}, class by class.
pub(super) fn start(problem: &Problem, seed: u64) -> Vec<i8> {
    let (columns, labels, classes) = (problem.columns(), problem.labels(), problem.classes());
    let width = columns.len();
    let size = width * classes;
    let inputs: Vec<f32> =
        (0..labels.len()).flat_map(|i| columns.iter().map(move |column| f32::from(column[i]) / UNIT)).collect();
    // The last parameter is the factor of the logits.
    let mut parameters = vec![0.0f32; size + 1];
    parameters[size] = FACTOR;
    let penalty = PENALTY.0.min(PENALTY.1 / labels.len() as f32);
    let mut adam = Adam { mean: vec![0.0; size + 1], square: vec![0.0; size + 1], decays: (1.0, 1.0) };
    let mut random = Random::new(seed, Stream::Order);
    let mut order: Vec<usize> = (0..labels.len()).collect();
    let total = (EPOCHS * labels.len().div_ceil(BATCH)) as f32;
    let (mut step, mut gradient, mut blended) = (0.0, vec![0.0f32; size + 1], vec![0.0f32; size]);
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            let progress = step / total;
            let blend = ((progress - 0.1) / 0.4).clamp(0.0, 1.0);
            for (blended, weight) in blended.iter_mut().zip(&parameters) {
                *blended = (1.0 - blend) * weight + blend * rounded(*weight);
            }
            slope(&inputs, labels, batch, &blended, parameters[size], &mut gradient);
            for (gradient, weight) in gradient.iter_mut().zip(&parameters[..size]) {
                *gradient += penalty * if *weight == 0.0 { 0.0 } else { weight.signum() };
            }
            adam.step(RATE * (1.0 - progress), &mut parameters, &gradient);
            step += 1.0;
        }
    }
    parameters[..size].iter().map(|weight| rounded(*weight) as i8).collect()
}

/// The gradient of the mean cross-entropy of a batch; the last entry belongs to the factor of the logits.
fn slope(inputs: &[f32], labels: &[i32], batch: &[usize], weights: &[f32], factor: f32, gradient: &mut [f32]) {
    let width = inputs.len() / labels.len();
    let last = gradient.len() - 1;
    gradient.fill(0.0);
    for &i in batch {
        let input = &inputs[i * width..(i + 1) * width];
        let forms: Vec<f32> =
            weights.chunks(width).map(|row| row.iter().zip(input).map(|(w, x)| w * x).sum::<f32>()).collect();
        let largest = forms.iter().fold(f32::MIN, |largest, form| largest.max(factor * form));
        let exps: Vec<f32> = forms.iter().map(|form| exp(f64::from(factor * form - largest)) as f32).collect();
        let sum: f32 = exps.iter().sum();
        for (class, (form, e)) in forms.iter().zip(&exps).enumerate() {
            let error = (e / sum - f32::from(labels[i] == class as i32)) / batch.len() as f32;
            gradient[last] += error * form;
            let row = &mut gradient[class * width..(class + 1) * width];
            row.iter_mut().zip(input).for_each(|(g, x)| *g += error * factor * x);
        }
    }
}
