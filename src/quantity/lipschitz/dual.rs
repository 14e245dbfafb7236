//! The dual of LipSDP-Neuron as a maximization over vector-valued networks. Trust: untrusted.
//!
//! The dual maximizes `tr C Z C'` over positive semidefinite `Z` with unit trace on the input and `p_j' Z q_j <= 0`. Write
//! `Z = Y Y'` with rows in `R^K`: neuron `j` takes the value `z = (a + b)/2 v + (b - a)/2 |v| u` with any unit vector `u`, where
//! `v` is its argument, and meets its constraint with equality. So every choice of unit vectors is dual feasible, and its value
//! a lower bound of the relaxation. For fixed messages `h` the best `u` is `h / |h|`, and `T = |h| / ((b - a) |v|)` are the
//! multipliers of the primal at a fixed point (a minorization-maximization step, which never decreases the value).
//! With `K = 1` and slopes `[0, 1]` a point is an activation pattern, so numerical rank 1 says that the relaxation is exact.

use super::graph::{Graph, Slopes};
use crate::kernel::lipschitz::Norm;

pub type Point<const K: usize> = Vec<[f64; K]>;

#[inline]
pub fn inner<const K: usize>(a: &[f64; K], b: &[f64; K]) -> f64 {
    let mut sum = 0.0;
    for q in 0..K {
        sum += a[q] * b[q];
    }
    sum
}

fn flat<const K: usize>(a: &[[f64; K]], b: &[[f64; K]]) -> f64 {
    a.iter().zip(b).map(|(a, b)| inner(a, b)).sum()
}

/// A small deterministic generator of normal-like numbers (sums of twelve uniform ones).
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(0x0139_408d_cbbf_7a44 ^ seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    pub fn point<const K: usize>(&mut self, n: usize) -> Point<K> {
        (0..n).map(|_| std::array::from_fn(|_| self.normal())).collect()
    }
}

/// The dual problem of one graph.
pub struct Dual<'a> {
    pub graph: &'a Graph,
    pub slopes: &'a Slopes,
    pub input_norm: Norm,
}

/// Arguments, their lengths and values at a point.
struct Forward<const K: usize> {
    /// Of the neurons.
    argument: Vec<[f64; K]>,
    length: Vec<f64>,
    /// Values of inputs and neurons.
    values: Point<K>,
    output: Vec<[f64; K]>,
    value: f64,
}

pub struct Evaluation<const K: usize> {
    /// Natural logarithm of the dual value.
    log: f64,
    gradient: Point<K>,
    curvature: Vec<f64>,
}

/// One step of minorization-maximization.
pub struct Step<const K: usize> {
    pub point: Point<K>,
    /// Per neuron.
    pub multipliers: Vec<f64>,
    /// Length of the message to each input coordinate.
    pub input: Vec<f64>,
    pub value: f64,
    /// Per free neuron `T |v|^2 (1 - |cos(u, v)|)`, zero for a neuron that has decided.
    pub indecision: Vec<f64>,
}

impl Dual<'_> {
    pub fn normalize<const K: usize>(&self, x: &mut [[f64; K]]) {
        let inputs = self.graph.inputs;
        let unit = |row: &mut [f64; K]| {
            let length = inner(row, row).sqrt();
            if length > 0.0 {
                row.iter_mut().for_each(|x| *x /= length);
            }
        };
        if self.input_norm == Norm::Linf {
            x[..inputs].iter_mut().for_each(unit);
        } else {
            let length = flat(&x[..inputs], &x[..inputs]).sqrt();
            if length > 0.0 {
                x[..inputs].iter_mut().flatten().for_each(|x| *x /= length);
            }
        }
        x[inputs..].iter_mut().for_each(unit);
    }

    fn forward<const K: usize>(&self, x: &[[f64; K]]) -> Forward<K> {
        let (graph, inputs) = (self.graph, self.graph.inputs);
        let neurons = graph.variables - inputs;
        let mut z: Point<K> = Vec::with_capacity(graph.variables);
        z.extend_from_slice(&x[..inputs]);
        let (mut argument, mut length) = (Vec::with_capacity(neurons), Vec::with_capacity(neurons));
        for group in &graph.groups[graph.hidden()] {
            let mut v = vec![[0.0; K]; group.variables.len()];
            for block in &group.blocks {
                block.matrix.apply(&z[graph.groups[block.source].variables.clone()], &mut v);
            }
            for (v, index) in v.iter().zip(group.variables.clone()) {
                let j = index - inputs;
                let norm = inner(v, v).sqrt().max(1e-300);
                let (middle, radius) = self.middle_radius(j);
                let u = &x[index];
                z.push(std::array::from_fn(|q| middle * v[q] + radius * norm * u[q]));
                length.push(norm);
            }
            argument.extend_from_slice(&v);
        }
        let mut output = Vec::new();
        if let Some(group) = graph.groups.last() {
            output = vec![[0.0; K]; group.variables.len()];
            for block in &group.blocks {
                block.matrix.apply(&z[graph.groups[block.source].variables.clone()], &mut output);
            }
        }
        let value = flat(&output, &output);
        Forward { argument, length, values: z, output, value }
    }

    fn middle_radius(&self, j: usize) -> (f64, f64) {
        let (a, b) = (self.slopes.lower[j], self.slopes.upper[j]);
        (0.5 * (a + b), 0.5 * (b - a))
    }

    /// Sends messages from the output to the input; `relay(j, message)` turns the message at neuron `j` into that at its argument.
    fn backward<const K: usize>(
        &self,
        output: &[[f64; K]],
        mut relay: impl FnMut(usize, &[f64; K]) -> [f64; K],
    ) -> Vec<[f64; K]> {
        let graph = self.graph;
        let mut messages = vec![[0.0; K]; graph.variables];
        let last = graph.groups.len() - 1;
        let mut current = output.to_vec();
        for g in (1..=last).rev() {
            let group = &graph.groups[g];
            if g < last {
                current.clear();
                current.extend(group.variables.clone().map(|index| relay(index - graph.inputs, &messages[index])));
            }
            for block in &group.blocks {
                let range = graph.groups[block.source].variables.clone();
                block.matrix.adjoint(&current, &mut messages[range]);
            }
        }
        messages.truncate(graph.inputs);
        messages
    }

    /// Values of inputs and neurons at a point: the rows of `Y`.
    pub fn values<const K: usize>(&self, x: &[[f64; K]]) -> Point<K> {
        self.forward(x).values
    }

    pub fn evaluate<const K: usize>(&self, x: &[[f64; K]]) -> Evaluation<K> {
        let inputs = self.graph.inputs;
        let mut forward = self.forward(x);
        let value = forward.value.max(1e-300);
        forward.output.iter_mut().flatten().for_each(|y| *y /= value);
        let mut gradient = vec![[0.0; K]; x.len()];
        let mut curvature = vec![0.0; x.len()];
        let at_input = self.backward(&forward.output, |j, h| {
            let (middle, radius) = self.middle_radius(j);
            if radius == 0.0 {
                return std::array::from_fn(|q| middle * h[q]);
            }
            let (u, v, length) = (&x[inputs + j], &forward.argument[j], forward.length[j]);
            let along = inner(h, u);
            let factor = 2.0 * radius * length;
            curvature[inputs + j] = factor * inner(h, h).sqrt();
            gradient[inputs + j] = std::array::from_fn(|q| factor * (h[q] - along * u[q]));
            std::array::from_fn(|q| middle * h[q] + radius * along / length * v[q])
        });
        if self.input_norm == Norm::Linf {
            for (i, h) in at_input.iter().enumerate() {
                let along = inner(h, &x[i]);
                gradient[i] = std::array::from_fn(|q| 2.0 * (h[q] - along * x[i][q]));
                curvature[i] = 2.0 * inner(h, h).sqrt();
            }
        } else {
            let along = flat(&at_input, &x[..inputs]);
            let norm = flat(&at_input, &at_input).sqrt();
            for (i, h) in at_input.iter().enumerate() {
                gradient[i] = std::array::from_fn(|q| 2.0 * (h[q] - along * x[i][q]));
                curvature[i] = 2.0 * norm;
            }
        }
        let floor = 1e-3 * curvature.iter().sum::<f64>() / curvature.len().max(1) as f64;
        curvature.iter_mut().for_each(|d| *d = d.max(floor).max(1e-300));
        Evaluation { log: value.ln(), gradient, curvature }
    }

    pub fn step<const K: usize>(&self, x: &[[f64; K]]) -> Step<K> {
        let inputs = self.graph.inputs;
        let forward = self.forward(x);
        let mut point = x.to_vec();
        let neurons = forward.length.len();
        let (mut multipliers, mut indecision) = (vec![1.0; neurons], vec![0.0; neurons]);
        let at_input = self.backward(&forward.output, |j, h| {
            let (a, b) = (self.slopes.lower[j], self.slopes.upper[j]);
            let (v, length, size) = (&forward.argument[j], forward.length[j], inner(h, h).sqrt());
            if a >= b {
                // Exact slopes may differ where these do not; a large multiplier then binds the neuron to its line.
                multipliers[j] = (size / length * super::recovery::BINDING).clamp(1e-120, 1e280);
                return std::array::from_fn(|q| a * h[q]);
            }
            if size > 0.0 {
                point[inputs + j] = std::array::from_fn(|q| h[q] / size);
                let cosine = inner(h, v).abs() / (size * length);
                indecision[j] = size * length * (1.0 - cosine.min(1.0));
            }
            let u = &point[inputs + j];
            let t = (size / ((b - a) * length)).clamp(1e-280, 1e280);
            multipliers[j] = t;
            let (middle, radius) = self.middle_radius(j);
            std::array::from_fn(|q| {
                let z = middle * v[q] + radius * length * u[q];
                t * ((a + b) * z - 2.0 * a * b * v[q])
            })
        });
        let input = at_input.iter().map(|h| inner(h, h).sqrt()).collect();
        point[..inputs].copy_from_slice(&at_input);
        self.normalize(&mut point);
        Step { point, multipliers, input, value: forward.value, indecision }
    }

    /// Root mean square of the values of every group, and of the output.
    pub fn sizes<const K: usize>(&self, x: &[[f64; K]]) -> Vec<f64> {
        let forward = self.forward(x);
        let graph = self.graph;
        let mut sizes = vec![1.0];
        for group in &graph.groups[graph.hidden()] {
            let range = group.variables.start - graph.inputs..group.variables.end - graph.inputs;
            let sum: f64 = forward.length[range].iter().map(|x| x * x).sum();
            sizes.push((sum / group.variables.len().max(1) as f64).sqrt());
        }
        sizes.push(forward.value.sqrt());
        sizes
    }
}

/// Limited-memory quasi-Newton ascent of the logarithm of the dual value on a product of spheres.
pub struct Ascent<const K: usize> {
    pub x: Point<K>,
    current: Evaluation<K>,
    /// Steps, gradient differences (negated) and reciprocal curvatures.
    history: Vec<(Point<K>, Point<K>, f64)>,
    memory: usize,
    pub passes: u64,
}

impl<const K: usize> Ascent<K> {
    pub fn new(dual: &Dual, x: Point<K>, memory: usize) -> Ascent<K> {
        let current = dual.evaluate(&x);
        Ascent { x, current, history: Vec::new(), memory, passes: 1 }
    }

    /// The dual value.
    pub fn value(&self) -> f64 {
        self.current.log.exp()
    }

    fn direction(&self) -> Point<K> {
        let mut q: Point<K> = self.current.gradient.iter().map(|row| row.map(|g| -g)).collect();
        let mut weights = Vec::with_capacity(self.history.len());
        for (s, y, reciprocal) in self.history.iter().rev() {
            let weight = reciprocal * flat(s, &q);
            weights.push(weight);
            for (q, y) in q.iter_mut().zip(y) {
                (0..K).for_each(|i| q[i] -= weight * y[i]);
            }
        }
        let gamma = self.history.last().map_or(1.0, |(_, y, reciprocal)| {
            let yy: f64 = y.iter().zip(&self.current.curvature).map(|(y, d)| inner(y, y) / d).sum();
            1.0 / (reciprocal * yy)
        });
        for (q, d) in q.iter_mut().zip(&self.current.curvature) {
            q.iter_mut().for_each(|q| *q *= gamma / d);
        }
        for ((s, y, reciprocal), weight) in self.history.iter().zip(weights.iter().rev()) {
            let change = weight - reciprocal * flat(y, &q);
            for (q, s) in q.iter_mut().zip(s) {
                (0..K).for_each(|i| q[i] += change * s[i]);
            }
        }
        q.iter_mut().flatten().for_each(|q| *q = -*q);
        q
    }

    fn project(&self, dual: &Dual, q: &mut [[f64; K]]) {
        let inputs = dual.graph.inputs;
        let start = if dual.input_norm == Norm::Linf {
            0
        } else {
            let along = flat(&q[..inputs], &self.x[..inputs]);
            for (q, x) in q[..inputs].iter_mut().zip(&self.x) {
                (0..K).for_each(|i| q[i] -= along * x[i]);
            }
            inputs
        };
        for (q, x) in q[start..].iter_mut().zip(&self.x[start..]) {
            let along = inner(q, x);
            (0..K).for_each(|i| q[i] -= along * x[i]);
        }
    }

    /// One accepted step, or a restart when the line search fails.
    pub fn advance(&mut self, dual: &Dual) {
        let mut direction = self.direction();
        self.project(dual, &mut direction);
        let mut slope = flat(&self.current.gradient, &direction);
        if !(slope > 0.0) {
            self.history.clear();
            direction =
                self.current.gradient.iter().zip(&self.current.curvature).map(|(g, d)| g.map(|g| g / d)).collect();
            slope = flat(&self.current.gradient, &direction);
        }
        let largest = direction.iter().flatten().fold(0f64, |most, q| most.max(q.abs()));
        let mut size = if largest > 2.0 { 2.0 / largest } else { 1.0 };
        for _ in 0..25 {
            let mut x = self.x.clone();
            for (x, q) in x.iter_mut().zip(&direction) {
                (0..K).for_each(|i| x[i] += size * q[i]);
            }
            dual.normalize(&mut x);
            let next = dual.evaluate(&x);
            self.passes += 1;
            if next.log >= self.current.log + 1e-4 * size * slope - 1e-15 {
                let difference = |a: &[f64; K], b: &[f64; K]| std::array::from_fn(|i| a[i] - b[i]);
                let s: Point<K> = x.iter().zip(&self.x).map(|(a, b)| difference(a, b)).collect();
                let y: Point<K> =
                    self.current.gradient.iter().zip(&next.gradient).map(|(a, b)| difference(a, b)).collect();
                let sy = flat(&s, &y);
                if sy > 1e-10 * (flat(&s, &s) * flat(&y, &y)).sqrt() {
                    self.history.push((s, y, 1.0 / sy));
                    if self.history.len() > self.memory {
                        self.history.remove(0);
                    }
                }
                self.x = x;
                self.current = next;
                return;
            }
            size *= 0.4;
        }
        if self.history.is_empty() {
            self.x = dual.step(&self.x).point;
            self.current = dual.evaluate(&self.x);
            self.passes += 2;
        } else {
            self.history.clear();
        }
    }
}

/// Eigenvalue ratios of `Y'Y` tell the numerical rank; the result is the number of eigenvalues above `tolerance` times the largest.
pub fn numerical_rank<const K: usize>(x: &[[f64; K]], tolerance: f64) -> usize {
    let mut gram = vec![0.0; K * K];
    for row in x {
        for p in 0..K {
            for q in 0..K {
                gram[p * K + q] += row[p] * row[q];
            }
        }
    }
    let eigenvalues = super::recovery::eigenvalues(gram, K);
    let largest = eigenvalues.iter().fold(0f64, |most, &e| most.max(e));
    eigenvalues.iter().filter(|&&e| e > tolerance * largest).count()
}
