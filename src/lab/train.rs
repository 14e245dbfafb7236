//! Training by stochastic gradients. Trust: untrusted.
//!
//! One epoch visits every point once, in a fresh random order, in batches (the last may be smaller). A batch's loss is the mean over
//! the batch. After the last epoch every parameter is rounded to f32; the rounded network is the result.

use super::gradient::{Passes, Points, check_sample};
use super::mlp::{Init, LabError, Mlp};
use super::random::{Random, Stream};
use super::sample::Sample;
use crate::kernel::net::Activation;
use std::ops::ControlFlow;

/// More multiplications than this are refused (about a day).
const MAX_WORK: u128 = 100_000_000_000_000;
const MAX_EPOCHS: usize = 1_000_000;

/// The loss of one point; training minimizes its mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `ln(1 + e^(-y f(x)))` for `y = ±1` and one output.
    Logistic,
    /// `|f(x) - y|_2^2`, without a factor 1/2.
    Squared,
    /// `-ln softmax(f(x))_y` for a class `y`, in nats.
    CrossEntropy,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// `v <- momentum v + g`, `theta <- theta - lr v`.
    Sgd { momentum: f64 },
    /// Kingma and Ba 2015, Algorithm 1, with their constants 0.9, 0.999 and 1e-8.
    Adam,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TrainOptions {
    pub loss: Loss,
    pub optimizer: Optimizer,
    /// Step size, above 0.
    pub lr: f64,
    pub epochs: usize,
    /// Points per step; a larger number than there are points means all of them (gradient descent).
    pub batch: usize,
    pub seed: u64,
    /// `weight_decay * theta` is added to the gradient, biases included. The reported loss is without it.
    pub weight_decay: f64,
    /// Whether the step size falls linearly to 0.
    pub decay: bool,
    pub init: Init,
}

impl Default for TrainOptions {
    fn default() -> TrainOptions {
        TrainOptions {
            loss: Loss::Logistic,
            optimizer: Optimizer::Adam,
            lr: 0.001,
            epochs: 100,
            batch: 64,
            seed: 0,
            weight_decay: 0.0,
            decay: false,
            init: Init::default(),
        }
    }
}

impl TrainOptions {
    /// Errors: an option out of its range, named.
    pub fn check(&self) -> Result<(), LabError> {
        let option = |name, expected, found: String| Err(LabError::Option { name, expected, found });
        if !(self.lr > 0.0 && self.lr <= 1e6) {
            return option("lr", "a number above 0 and at most 1000000", format!("{:?}", self.lr));
        }
        if self.batch == 0 {
            return option("batch", "1 or more points", "0".to_string());
        }
        if self.epochs > MAX_EPOCHS {
            return option("epochs", "at most 1000000", self.epochs.to_string());
        }
        if !(0.0..=1e6).contains(&self.weight_decay) {
            return option("weight_decay", "a number from 0 to 1000000", self.weight_decay.to_string());
        }
        match self.optimizer {
            Optimizer::Sgd { momentum } if !(0.0..1.0).contains(&momentum) => {
                option("momentum", "a number from 0 to below 1", momentum.to_string())
            }
            _ => Ok(()),
        }
    }
}

/// What an optimizer remembers between steps.
enum State {
    Sgd { momentum: f64, velocity: Vec<f64> },
    Adam { mean: Vec<f64>, square: Vec<f64>, mean_power: f64, square_power: f64 },
}

impl State {
    fn new(optimizer: Optimizer, count: usize) -> State {
        match optimizer {
            Optimizer::Sgd { momentum } => State::Sgd { momentum, velocity: vec![0.0; count] },
            Optimizer::Adam => {
                State::Adam { mean: vec![0.0; count], square: vec![0.0; count], mean_power: 1.0, square_power: 1.0 }
            }
        }
    }

    fn step(&mut self, lr: f64, parameters: &mut [f64], gradient: &[f64]) {
        match self {
            State::Sgd { momentum, velocity } => {
                for ((p, v), g) in parameters.iter_mut().zip(velocity).zip(gradient) {
                    *v = *momentum * *v + g;
                    *p -= lr * *v;
                }
            }
            State::Adam { mean, square, mean_power, square_power } => {
                const MEAN: f64 = 0.9;
                const SQUARE: f64 = 0.999;
                *mean_power *= MEAN;
                *square_power *= SQUARE;
                let (of_mean, of_square) = (1.0 / (1.0 - *mean_power), 1.0 / (1.0 - *square_power));
                for (((p, m), s), g) in parameters.iter_mut().zip(mean).zip(square).zip(gradient) {
                    *m = MEAN * *m + (1.0 - MEAN) * g;
                    *s = SQUARE * *s + (1.0 - SQUARE) * (g * g);
                    *p -= lr * (*m * of_mean) / ((*s * of_square).sqrt() + 1e-8);
                }
            }
        }
    }
}

/// Draws a dense network and trains it; see [`train_from`].
pub fn train(
    sizes: &[usize],
    activation: &Activation,
    options: &TrainOptions,
    sample: &Sample,
    progress: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Mlp, LabError> {
    options.check()?;
    train_from(&Mlp::initial(sizes, activation, options.init, options.seed)?, options, sample, progress)
}

/// Trains from a given network (`options.init` is not used). `progress` sees every finished epoch, counted from 1, with the mean of its
/// batches' losses, and may stop the training. The result's parameters are f32 numbers.
///
/// Errors: an option out of range, a sample that does not fit, an activation without slope, too much work, divergence, interruption.
pub fn train_from(
    initial: &Mlp,
    options: &TrainOptions,
    sample: &Sample,
    progress: &mut dyn FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Mlp, LabError> {
    options.check()?;
    check_sample(initial, options.loss, sample)?;
    let passes = Passes::new(initial)?;
    let mut parameters = initial.parameters();
    let work = 3 * parameters.len() as u128 * sample.len() as u128 * options.epochs as u128;
    if work > MAX_WORK {
        return Err(LabError::TooLarge(format!(
            "expected at most 10^14 multiplications in training, found {work}: {} parameters, {} points, {} epochs",
            parameters.len(),
            sample.len(),
            options.epochs
        )));
    }
    let mut state = State::new(options.optimizer, parameters.len());
    let mut random = Random::new(options.seed, Stream::Order);
    let mut order: Vec<usize> = (0..sample.len()).collect();
    let mut gradient = Vec::new();
    let (mut done, steps) = (0usize, options.epochs * sample.len().div_ceil(options.batch));
    for epoch in 1..=options.epochs {
        random.shuffle(&mut order);
        let mut total = 0.0;
        for batch in order.chunks(options.batch) {
            let points = Points { inputs: sample.inputs(), targets: sample.labels(), order: batch };
            total += passes.batch(options.loss, &parameters, points, &mut gradient) * batch.len() as f64;
            if options.weight_decay > 0.0 {
                for (g, p) in gradient.iter_mut().zip(&parameters) {
                    *g += options.weight_decay * p;
                }
            }
            let left = if options.decay { 1.0 - done as f64 / steps as f64 } else { 1.0 };
            state.step(options.lr * left, &mut parameters, &gradient);
            done += 1;
        }
        if !total.is_finite() || parameters.iter().any(|p| !p.is_finite()) {
            return Err(LabError::Diverged { epoch });
        }
        if progress(epoch, total / sample.len() as f64).is_break() {
            return Err(LabError::Interrupted { epoch });
        }
    }
    initial.with_parameters(&parameters)?.rounded().ok_or(LabError::Diverged { epoch: options.epochs })
}
