//! Points with a large Jacobian. Trust: untrusted; the kernel evaluates what is exhibited.

use super::branch::dyadic_point;
use super::dual::Noise;
use super::graph::to_f64;
use crate::kernel::lipschitz::{Dyadic, LowerWitness, Norm, Norms, Region, System};
use crate::kernel::net::Activation;
use num_traits::ToPrimitive;

type Sparse = Vec<(usize, f64)>;

/// The rows of a system in f64.
struct Rows<'a> {
    system: &'a System,
    /// Row, constant and divisor of every argument.
    arguments: Vec<(Sparse, f64, f64)>,
    /// Row and constant of every output, divided.
    outputs: Vec<(Sparse, f64)>,
}

impl<'a> Rows<'a> {
    fn new(system: &'a System) -> Rows<'a> {
        let floats = |row: &[(usize, Dyadic)]| row.iter().map(|(v, value)| (*v, to_f64(value, 0))).collect::<Vec<_>>();
        let arguments = system.neurons.iter().map(|neuron| {
            let argument = &neuron.argument;
            (floats(&argument.row), to_f64(&argument.constant, 0), argument.divisor as f64)
        });
        let outputs = system.outputs.iter().map(|output| {
            let divisor = output.divisor as f64;
            let row = floats(&output.row).into_iter().map(|(v, x)| (v, x / divisor)).collect();
            (row, to_f64(&output.constant, 0) / divisor)
        });
        Rows { system, arguments: arguments.collect(), outputs: outputs.collect() }
    }

    /// Values of all variables, and slopes of all neurons, at a point.
    fn values(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut values = x.to_vec();
        let mut slopes = Vec::with_capacity(self.arguments.len());
        for ((row, constant, divisor), neuron) in self.arguments.iter().zip(&self.system.neurons) {
            let argument: f64 = row.iter().map(|(v, w)| w * values[*v]).sum::<f64>() + constant;
            let (value, slope) = activation(&neuron.activation, argument / divisor);
            values.push(value * divisor);
            slopes.push(slope);
        }
        (values, slopes)
    }

    fn adjoint(&self, slopes: &[f64], y: &[f64]) -> Vec<f64> {
        let inputs = self.system.inputs;
        let mut messages = vec![0.0; inputs + slopes.len()];
        for ((row, _), y) in self.outputs.iter().zip(y) {
            row.iter().for_each(|(v, w)| messages[*v] += w * y);
        }
        for (j, ((row, _, _), slope)) in self.arguments.iter().zip(slopes).enumerate().rev() {
            let factor = messages[inputs + j] * slope;
            if factor != 0.0 {
                row.iter().for_each(|(v, w)| messages[*v] += w * factor);
            }
        }
        messages.truncate(inputs);
        messages
    }
}

/// Margins of a classifier and their gradients.
pub struct Descent<'a>(Rows<'a>);

impl<'a> Descent<'a> {
    pub fn new(system: &'a System) -> Descent<'a> {
        Descent(Rows::new(system))
    }

    /// The margin of `label` against `other` and its gradient.
    pub fn against(&self, x: &[f64], label: usize, other: usize) -> (f64, Vec<f64>) {
        let (values, slopes) = self.0.values(x);
        let mut weights = vec![0.0; self.0.outputs.len()];
        if let [weight] = weights.as_mut_slice() {
            *weight = if label == 1 { 1.0 } else { -1.0 };
        } else {
            weights.iter_mut().enumerate().filter(|(k, _)| *k == label).for_each(|(_, weight)| *weight = 1.0);
            weights.iter_mut().enumerate().filter(|(k, _)| *k == other).for_each(|(_, weight)| *weight = -1.0);
        }
        let output = |(row, constant): &(Sparse, f64)| row.iter().map(|(v, w)| w * values[*v]).sum::<f64>() + constant;
        let margin = self.0.outputs.iter().zip(&weights).map(|(o, weight)| weight * output(o)).sum();
        (margin, self.0.adjoint(&slopes, &weights))
    }

    /// The least margin of `label`.
    pub fn margin(&self, x: &[f64], label: usize) -> f64 {
        let (values, _) = self.0.values(x);
        let outputs: Vec<f64> = self
            .0
            .outputs
            .iter()
            .map(|(row, constant)| row.iter().map(|(v, w)| w * values[*v]).sum::<f64>() + constant)
            .collect();
        match outputs.as_slice() {
            [one] => *one * if label == 1 { 1.0 } else { -1.0 },
            many => {
                let own = many.get(label).copied().unwrap_or(f64::NEG_INFINITY);
                let others = many.iter().enumerate().filter(|(k, _)| *k != label).map(|(_, y)| *y);
                own - others.fold(f64::NEG_INFINITY, f64::max)
            }
        }
    }
}

/// The system in f64 rows.
pub struct Explorer<'a> {
    rows: Rows<'a>,
    norms: Norms,
    /// Square of the largest norm of a Jacobian seen.
    pub best: f64,
    point: Vec<f64>,
    direction: Vec<f64>,
    scale: Vec<f64>,
    /// Points stay between these ends, a little inside the box, and in this ball.
    ends: Option<Vec<(f64, f64)>>,
    ball: Option<(Vec<f64>, f64, Norm)>,
}

/// A norm of a vector.
pub fn length(norm: Norm, v: &[f64]) -> f64 {
    match norm {
        Norm::L1 => v.iter().map(|x| x.abs()).sum(),
        Norm::L2 => v.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Norm::Linf => v.iter().fold(0.0, |most, x| x.abs().max(most)),
    }
}

/// Value and derivative of an activation, to ordinary accuracy.
pub fn activation(activation: &Activation, x: f64) -> (f64, f64) {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match activation {
        Activation::Identity => (x, 1.0),
        Activation::Relu => (x.max(0.0), f64::from(x > 0.0)),
        Activation::LeakyRelu(slope) => {
            let slope = slope.to_f64().unwrap_or(0.0);
            if x >= 0.0 { (x, 1.0) } else { (slope * x, slope) }
        }
        Activation::Relu6 => (x.clamp(0.0, 6.0), f64::from(x > 0.0 && x < 6.0)),
        Activation::HardTanh => (x.clamp(-1.0, 1.0), f64::from(x > -1.0 && x < 1.0)),
        Activation::Heaviside => (f64::from(x > 0.0), 0.0),
        Activation::Sigmoid => (sigmoid(x), sigmoid(x) * sigmoid(-x)),
        Activation::Tanh => (x.tanh(), 1.0 - x.tanh() * x.tanh()),
        Activation::Arctan => (x.atan(), 1.0 / (1.0 + x * x)),
        Activation::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x)),
        Activation::Softsign => (x / (1.0 + x.abs()), (1.0 + x.abs()).powi(-2)),
        Activation::Elu(alpha) => {
            let alpha = alpha.to_f64().unwrap_or(1.0);
            if x >= 0.0 { (x, 1.0) } else { (alpha * x.exp_m1(), alpha * x.exp()) }
        }
        Activation::Silu => (x * sigmoid(x), sigmoid(x) * (1.0 + x * sigmoid(-x))),
        Activation::Gelu | Activation::GeluTanh => {
            let k = (2.0 / std::f64::consts::PI).sqrt();
            let t = (k * (x + 0.044715 * x * x * x)).tanh();
            let v = k * (1.0 + 3.0 * 0.044715 * x * x);
            (0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * v)
        }
        Activation::Gaussian => ((-0.5 * x * x).exp(), -x * (-0.5 * x * x).exp()),
    }
}

impl<'a> Explorer<'a> {
    /// Points stay inside `region` when `bounded`; its widths set the lengths of steps.
    pub fn new(system: &'a System, norms: Norms, region: &Region, bounded: bool) -> Explorer<'a> {
        let scale: Vec<f64> = region.lower.iter().zip(&region.upper).map(|(l, u)| to_f64(&(u - l), 0)).collect();
        let ends = region.lower.iter().zip(&region.upper).zip(&scale).map(|((l, u), width)| {
            let margin = width * 2f64.powi(-30);
            (to_f64(l, 0) + margin, to_f64(u, 0) - margin)
        });
        let ends = bounded.then(|| ends.collect());
        let ball = region.ball.as_ref().filter(|_| bounded).map(|ball| {
            let center = ball.center.iter().map(|c| to_f64(c, 0)).collect();
            (center, to_f64(&ball.radius, 0) * (1.0 - 2f64.powi(-30)), ball.norm)
        });
        Explorer {
            rows: Rows::new(system),
            norms,
            best: 0.0,
            point: Vec::new(),
            direction: vec![1.0; system.inputs],
            scale,
            ends,
            ball,
        }
    }

    fn forward(&self, slopes: &[f64], v: &[f64]) -> Vec<f64> {
        let mut motion = v.to_vec();
        for ((row, _, _), slope) in self.rows.arguments.iter().zip(slopes) {
            let speed = if *slope == 0.0 { 0.0 } else { row.iter().map(|(v, w)| w * motion[*v]).sum::<f64>() * slope };
            motion.push(speed);
        }
        self.rows.outputs.iter().map(|(row, _)| row.iter().map(|(v, w)| w * motion[*v]).sum()).collect()
    }

    /// The square of the norm of the Jacobian for the given slopes, and a direction that attains it (nearly).
    fn norm(&self, slopes: &[f64], start: &[f64]) -> (f64, Vec<f64>) {
        let outputs = self.rows.outputs.len();
        if self.norms.input == Norm::Linf {
            // The norm from linf to linf is the largest l1 norm of a row; signs of that row attain it.
            let mut best = (0.0, start.to_vec());
            for o in 0..outputs {
                let mut y = vec![0.0; outputs];
                y[o] = 1.0;
                let row = self.rows.adjoint(slopes, &y);
                let sum: f64 = row.iter().map(|x| x.abs()).sum();
                if sum * sum > best.0 {
                    best = (sum * sum, row.iter().map(|x| if *x < 0.0 { -1.0 } else { 1.0 }).collect());
                }
            }
            return best;
        }
        let mut v: Vec<f64> = start.to_vec();
        let mut value = 0.0;
        for _ in 0..200 {
            let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
            if !(length > 0.0) || !length.is_finite() {
                return (0.0, start.to_vec());
            }
            v.iter_mut().for_each(|x| *x /= length);
            let y = self.forward(slopes, &v);
            let next = y.iter().map(|x| x * x).sum::<f64>();
            if next <= value * (1.0 + 1e-13) {
                value = next.max(value);
                break;
            }
            value = next;
            v = self.rows.adjoint(slopes, &y);
        }
        let length = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            v.iter_mut().for_each(|x| *x /= length);
        }
        (value, v)
    }

    fn clamp(&self, x: &mut [f64]) {
        if let Some(ends) = &self.ends {
            x.iter_mut().zip(ends).filter(|(_, (l, u))| l <= u).for_each(|(x, (l, u))| *x = x.clamp(*l, *u));
        }
        if let Some((center, radius, norm)) = &self.ball {
            let step: Vec<f64> = x.iter().zip(center).map(|(x, c)| x - c).collect();
            let length = length(*norm, &step);
            if length > *radius {
                x.iter_mut().zip(center).zip(&step).for_each(|((x, c), s)| *x = c + s * radius / length);
            }
        }
    }

    fn visit(&mut self, mut x: Vec<f64>, noise: &mut Noise) -> bool {
        self.clamp(&mut x);
        let (_, slopes) = self.rows.values(&x);
        let start: Vec<f64> = self.direction.iter().map(|d| d + 0.1 * noise.normal()).collect();
        let (square, direction) = self.norm(&slopes, &start);
        let better = square > self.best * (1.0 + 1e-13) && square.is_finite();
        if better || self.point.is_empty() {
            self.best = if square.is_finite() { square } else { 0.0 };
            self.point = x;
            self.direction = direction;
        }
        better
    }

    /// Tries the centre and random points of a region, and points next to the best one.
    pub fn sample(&mut self, region: &Region, noise: &mut Noise, tries: usize) {
        let ends: Vec<(f64, f64)> =
            region.lower.iter().zip(&region.upper).map(|(l, u)| (to_f64(l, 0), to_f64(u, 0))).collect();
        for k in 0..tries {
            let x = ends
                .iter()
                .map(|(l, u)| {
                    let share = if k == 0 { 0.5 } else { noise.uniform() };
                    l + (u - l) * share
                })
                .collect();
            self.visit(x, noise);
        }
    }

    /// Random steps of falling length from the best point.
    pub fn climb(&mut self, noise: &mut Noise, steps: usize) {
        let mut size = 0.3;
        for _ in 0..steps {
            if self.point.is_empty() {
                return;
            }
            let mut x = self.point.clone();
            for (i, x) in x.iter_mut().enumerate() {
                *x += size * self.scale.get(i).copied().unwrap_or(1.0) * noise.normal();
            }
            size = if self.visit(x, noise) { (size * 1.5_f64).min(1.0) } else { (size * 0.95).max(1e-6) };
        }
    }

    /// Climbs from a random point of a region, with a best point of its own on the way.
    pub fn restart(&mut self, region: &Region, noise: &mut Noise, steps: usize) {
        let draw = |(l, u): (&Dyadic, &Dyadic)| {
            let (l, u) = (to_f64(l, 0), to_f64(u, 0));
            l + (u - l) * noise.uniform()
        };
        let start: Vec<f64> = region.lower.iter().zip(&region.upper).map(draw).collect();
        let found = (self.best, std::mem::take(&mut self.point), self.direction.clone());
        self.best = 0.0;
        self.visit(start, noise);
        self.climb(noise, steps);
        if self.best <= found.0 {
            (self.best, self.point, self.direction) = found;
        }
    }

    /// The best point as something to exhibit. Smooth networks exhibit two near points.
    pub fn witness(&self) -> Option<LowerWitness> {
        if self.point.is_empty() {
            return None;
        }
        let smooth =
            self.rows.system.neurons.iter().any(|neuron| {
                !matches!(neuron.activation, Activation::Relu | Activation::Relu6 | Activation::HardTanh)
            });
        let point = dyadic_point(&self.point)?;
        if !smooth {
            return Some(LowerWitness::Direction { point, direction: dyadic_point(&self.direction)? });
        }
        let step = self.scale.iter().fold(1e-4, |least: f64, s| least.min(1e-4 * s)).max(1e-12);
        let mut to: Vec<f64> = self.point.iter().zip(&self.direction).map(|(x, d)| x + step * d).collect();
        self.clamp(&mut to);
        if to == self.point {
            to = self.point.iter().zip(&self.direction).map(|(x, d)| x - step * d).collect();
            self.clamp(&mut to);
        }
        let to = dyadic_point(&to)?;
        Some(LowerWitness::Pair { from: point, to })
    }
}
