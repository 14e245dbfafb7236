//! The network in f64 at points: values, slopes, motions and messages. Trust: untrusted.
//!
//! Every neuron with a positively homogeneous activation, `phi(2^k u) = 2^k phi(u)`, is measured in units of the power of two that
//! brings its largest coefficient to about one, and so are the outputs together: networks whose products leave the range of f64
//! stay inside it. Powers of two are exact, so that nothing else changes.

use super::graph::{axpy, dot, ldexp, to_f64};
use crate::kernel::lipschitz::system::Neuron;
use crate::kernel::lipschitz::{Dyadic, System};
use crate::kernel::net::Activation;
use num_traits::ToPrimitive;

/// Coefficients of a row: a run of neighbouring variables, or variables by number.
enum Row {
    Run(usize, Vec<f64>),
    Sparse(Vec<(usize, f64)>),
}

impl Row {
    /// Variable `v` is measured in units of `2^units[v]`, the result in `2^unit`.
    fn new(row: &[(usize, Dyadic)], divisor: f64, units: &[i64], unit: i64) -> Row {
        let entry = |(v, value): &(usize, Dyadic)| (*v, to_f64(value, units[*v] - unit) / divisor);
        let entries: Vec<(usize, f64)> = row.iter().map(entry).collect();
        let (first, last) = entries.iter().fold((usize::MAX, 0), |(a, b), (v, _)| (a.min(*v), b.max(*v)));
        // Zeros between the entries cost less than their numbers.
        if entries.is_empty() || last - first >= 2 * entries.len() {
            return Row::Sparse(entries);
        }
        let mut run = vec![0.0; last - first + 1];
        entries.iter().for_each(|(v, value)| run[v - first] += value);
        Row::Run(first, run)
    }

    fn len(&self) -> usize {
        match self {
            Row::Run(_, run) => run.len(),
            Row::Sparse(entries) => entries.len(),
        }
    }

    fn product(&self, values: &[f64]) -> f64 {
        match self {
            Row::Run(first, run) => dot(run, &values[*first..first + run.len()]),
            Row::Sparse(entries) => entries.iter().map(|(v, w)| w * values[*v]).sum(),
        }
    }

    /// Adds the row, `factor` times, to one sum per variable.
    fn add(&self, factor: f64, sums: &mut [f64]) {
        match self {
            Row::Run(first, run) => {
                axpy(factor, run, &mut sums[*first..first + run.len()]);
            }
            Row::Sparse(entries) => entries.iter().for_each(|(v, w)| sums[*v] += w * factor),
        }
    }
}

/// The rows of a system in f64.
pub(super) struct Rows<'a> {
    pub system: &'a System,
    /// Row, constant and divisor of every argument.
    arguments: Vec<(Row, f64, f64)>,
    /// Row and constant of every output, divided.
    outputs: Vec<(Row, f64)>,
    /// The unit of every neuron beside the largest of its group.
    shares: Vec<f64>,
    /// Outputs are measured in units of `2^unit`.
    pub unit: i64,
}

/// Values stay below this, so that differences of them are numbers.
const MOST: f64 = 1e290;

/// The logarithm of the power of two that is about the largest coefficient of a row.
fn magnitude(row: &[(usize, Dyadic)], units: &[i64]) -> Option<i64> {
    row.iter().filter_map(|(v, value)| Some(value.magnitude()? + units[*v])).max()
}

impl<'a> Rows<'a> {
    pub fn new(system: &'a System) -> Rows<'a> {
        let mut units = vec![0; system.inputs];
        let mut arguments = Vec::with_capacity(system.neurons.len());
        let constant = |value: &Dyadic, unit: i64| to_f64(value, -unit).clamp(-MOST, MOST);
        for Neuron { argument, activation } in &system.neurons {
            let is_homogeneous = matches!(activation, Activation::Relu | Activation::LeakyRelu(_));
            let unit = magnitude(&argument.row, &units).filter(|_| is_homogeneous).unwrap_or(0);
            let row = Row::new(&argument.row, 1.0, &units, unit);
            arguments.push((row, constant(&argument.constant, unit), argument.divisor as f64));
            units.push(unit);
        }
        let unit = system.outputs.iter().filter_map(|output| magnitude(&output.row, &units)).max().unwrap_or(0);
        let outputs = system.outputs.iter().map(|output| {
            let divisor = output.divisor as f64;
            (Row::new(&output.row, divisor, &units, unit), constant(&output.constant, unit) / divisor)
        });
        let shares = system.groups.iter().flat_map(|group| {
            let own = &units[system.inputs + group.start..system.inputs + group.end];
            let most = own.iter().max().copied().unwrap_or(0);
            own.iter().map(move |unit| ldexp(1.0, unit - most))
        });
        Rows { system, arguments, outputs: outputs.collect(), shares: shares.collect(), unit }
    }

    /// Coefficients that one pass reads.
    pub fn coefficients(&self) -> usize {
        let rows = self.arguments.iter().map(|(row, _, _)| row).chain(self.outputs.iter().map(|(row, _)| row));
        rows.map(Row::len).sum()
    }

    pub fn output_count(&self) -> usize {
        self.outputs.len()
    }

    /// Values of all variables, and arguments of all neurons, at a point.
    fn arguments(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut values = x.to_vec();
        let mut arguments = Vec::with_capacity(self.arguments.len());
        for ((row, constant, divisor), neuron) in self.arguments.iter().zip(&self.system.neurons) {
            let argument = ((row.product(&values) + constant) / divisor).clamp(-MOST, MOST);
            values.push(activation(&neuron.activation, argument).0 * divisor);
            arguments.push(argument);
        }
        (values, arguments)
    }

    /// Values of all variables, and slopes of all neurons, at a point.
    pub fn values(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let (values, arguments) = self.arguments(x);
        let slope = |(neuron, u): (&Neuron, &f64)| activation(&neuron.activation, *u).1;
        (values, self.system.neurons.iter().zip(&arguments).map(slope).collect())
    }

    /// Slopes averaged over windows around the arguments at a point. A window reaches `width` times the root mean square of the
    /// arguments of its neuron's group to both sides.
    pub fn smoothed(&self, x: &[f64], width: f64) -> Smoothed {
        let (_, arguments) = self.arguments(x);
        let (mut slopes, mut bends) = (Vec::with_capacity(arguments.len()), Vec::with_capacity(arguments.len()));
        for group in &self.system.groups {
            let own = &arguments[group.clone()];
            let shares = &self.shares[group.clone()];
            let square: f64 = own.iter().zip(shares).map(|(u, share)| (u * share) * (u * share)).sum();
            let whole = (width * (square / own.len().max(1) as f64).sqrt()).max(1e-100);
            for ((neuron, u), share) in self.system.neurons[group.clone()].iter().zip(own).zip(shares) {
                let reach = whole / share;
                let (low, high) =
                    (activation(&neuron.activation, u - reach), activation(&neuron.activation, u + reach));
                slopes.push((high.0 - low.0) / (2.0 * reach));
                bends.push((high.1 - low.1) / (2.0 * reach));
            }
        }
        Smoothed { slopes, bends }
    }

    /// Speeds of the arguments and of the outputs when the input moves by `v`.
    pub fn motion(&self, slopes: &[f64], v: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut motion = v.to_vec();
        let mut speeds = Vec::with_capacity(slopes.len());
        for ((row, _, _), slope) in self.arguments.iter().zip(slopes) {
            let speed = if *slope == 0.0 { 0.0 } else { row.product(&motion) };
            motion.push(speed * slope);
            speeds.push(speed);
        }
        (speeds, self.outputs.iter().map(|(row, _)| row.product(&motion)).collect())
    }

    /// The Jacobian, row by row or column by column, whichever are fewer.
    pub fn jacobian(&self, slopes: &[f64]) -> Vec<Vec<f64>> {
        let (inputs, outputs) = (self.system.inputs, self.outputs.len());
        let unit = |n: usize, k: usize| -> Vec<f64> { (0..n).map(|i| f64::from(u8::from(i == k))).collect() };
        if outputs <= inputs {
            return (0..outputs).map(|o| self.adjoint(slopes, &unit(outputs, o))).collect();
        }
        let columns: Vec<Vec<f64>> = (0..inputs).map(|i| self.motion(slopes, &unit(inputs, i)).1).collect();
        (0..outputs).map(|o| columns.iter().map(|column| column[o]).collect()).collect()
    }

    /// For every neuron the derivative of `y . J v` in its slope.
    pub fn gains(&self, slopes: &[f64], v: &[f64], y: &[f64]) -> Vec<f64> {
        let mut motion = v.to_vec();
        let messages = self.messages(slopes, y);
        let mut gains = Vec::with_capacity(slopes.len());
        for (j, ((row, _, _), slope)) in self.arguments.iter().zip(slopes).enumerate() {
            let speed = row.product(&motion);
            motion.push(speed * slope);
            gains.push(speed * messages[self.system.inputs + j]);
        }
        gains
    }

    /// The argument of a neuron at a point, and its gradient there.
    pub fn argument(&self, x: &[f64], slopes: &[f64], neuron: usize) -> (f64, Vec<f64>) {
        let inputs = self.system.inputs;
        let mut gradient = vec![0.0; inputs + neuron];
        let (row, _, divisor) = &self.arguments[neuron];
        row.add(1.0 / divisor, &mut gradient);
        for j in (0..neuron).rev() {
            let factor = gradient[inputs + j] * slopes[j];
            if factor != 0.0 {
                self.arguments[j].0.add(factor, &mut gradient);
            }
        }
        gradient.truncate(inputs);
        (self.arguments(x).1[neuron], gradient)
    }

    pub fn adjoint(&self, slopes: &[f64], y: &[f64]) -> Vec<f64> {
        let mut messages = self.messages(slopes, y);
        messages.truncate(self.system.inputs);
        messages
    }

    /// The derivative of `y . output` in every variable.
    fn messages(&self, slopes: &[f64], y: &[f64]) -> Vec<f64> {
        let inputs = self.system.inputs;
        let mut messages = vec![0.0; inputs + slopes.len()];
        for ((row, _), y) in self.outputs.iter().zip(y) {
            row.add(*y, &mut messages);
        }
        for (j, ((row, _, _), slope)) in self.arguments.iter().zip(slopes).enumerate().rev() {
            let factor = messages[inputs + j] * slope;
            if factor != 0.0 {
                row.add(factor, &mut messages);
            }
        }
        messages
    }

    /// The gradient of `y . J v` in the point, for the Jacobian `J` of smoothed slopes.
    pub fn gradient(&self, smoothed: &Smoothed, v: &[f64], y: &[f64]) -> Vec<f64> {
        let inputs = self.system.inputs;
        let (speeds, _) = self.motion(&smoothed.slopes, v);
        let messages = self.messages(&smoothed.slopes, y);
        let mut gradient = vec![0.0; messages.len()];
        for (j, (row, _, divisor)) in self.arguments.iter().enumerate().rev() {
            // The slope itself moves with the argument.
            let bent = messages[inputs + j] * speeds[j] * smoothed.bends[j] / divisor;
            let factor = gradient[inputs + j] * smoothed.slopes[j] + bent;
            if factor != 0.0 {
                row.add(factor, &mut gradient);
            }
        }
        gradient.truncate(inputs);
        gradient
    }
}

/// Averaged slopes and their derivatives in the arguments.
pub(super) struct Smoothed {
    pub slopes: Vec<f64>,
    bends: Vec<f64>,
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
        let output = |(row, constant): &(Row, f64)| row.product(&values) + constant;
        let margin: f64 = self.0.outputs.iter().zip(&weights).map(|(o, weight)| weight * output(o)).sum();
        let unit = ldexp(1.0, self.0.unit);
        (margin * unit, self.0.adjoint(&slopes, &weights).iter().map(|g| g * unit).collect())
    }

    /// The least margin of `label`, up to a positive factor.
    pub fn margin(&self, x: &[f64], label: usize) -> f64 {
        let (values, _) = self.0.values(x);
        let outputs: Vec<f64> = self.0.outputs.iter().map(|(row, constant)| row.product(&values) + constant).collect();
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
