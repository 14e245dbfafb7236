//! From multipliers to the least feasible weight of the input. Trust: untrusted.
//!
//! Variables are eliminated from the last to the first in the quadratic form `|C z|^2 - sum_j 2 T_j (z_j - a u_j)(z_j - b u_j)`:
//! maximizing over a free neuron adds `q q' / d`, and a linear neuron is substituted. What remains is a form `Q` in the input,
//! and the least `rho` with `rho I >= Q` is optimal for these multipliers.
//!
//! Multipliers of a nearly optimal dual point are lifted by `(1 + delta)^(2 height)`, which buys strict feasibility.

use super::graph::{Graph, Slopes, dot};
use super::relaxation::is_given_up;
use ndarray::{Array2, Axis, Slice};
use rayon::prelude::*;
use std::ops::Range;

/// Neurons that are eliminated together, so that most of the work is products of matrices.
const PANEL: usize = 64;
/// Below this many variables neurons are eliminated one by one.
const WIDE: usize = 512;

/// Factor of the multipliers of neurons whose slopes agree in f64.
pub const BINDING: f64 = 1073741824.0;

/// Multipliers with the least weight found for them.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// Factor of the given input weights.
    pub rho: f64,
    pub delta: f64,
    /// Lifted, per neuron.
    pub multipliers: Vec<f64>,
}

/// How far to scan lifts.
#[derive(Clone, Copy, Debug)]
pub struct Scan {
    /// The first lift.
    pub start: f64,
    /// The least relative excess over the guess that is tried.
    pub finest: f64,
    /// A factor below this ends the scan.
    pub enough: f64,
}

/// Rows of the whole graph over variables, made once per graph.
pub struct Elimination {
    rows: Vec<Vec<(usize, f64)>>,
    outputs: Vec<Vec<(usize, f64)>>,
    /// First column of row `v` of the form.
    first: Vec<usize>,
    heights: Vec<i32>,
    /// Variables of the groups of neurons.
    groups: Vec<Range<usize>>,
    inputs: usize,
}

impl Elimination {
    pub fn new(graph: &Graph) -> Elimination {
        let row = |g: usize, i: usize| -> Vec<(usize, f64)> {
            let mut row = Vec::new();
            for block in &graph.groups[g].blocks {
                let start = graph.groups[block.source].variables.start;
                row.extend(block.matrix.row(i).into_iter().map(|(j, value)| (start + j, value)));
            }
            row
        };
        let mut rows = Vec::with_capacity(graph.variables - graph.inputs);
        let mut heights = Vec::with_capacity(rows.capacity());
        for g in graph.hidden() {
            for i in 0..graph.groups[g].variables.len() {
                rows.push(row(g, i));
                heights.push(graph.groups[g].height);
            }
        }
        let last = graph.groups.len() - 1;
        let outputs: Vec<_> = (0..graph.groups[last].variables.len()).map(|i| row(last, i)).collect();
        // Fill spreads to everything that later variables reach.
        let mut first: Vec<usize> = (0..graph.variables).collect();
        let mut reach = outputs.iter().filter_map(|row| row.first()).map(|(v, _)| *v).min().unwrap_or(graph.variables);
        for v in (0..graph.variables).rev() {
            if let Some((least, _)) = v.checked_sub(graph.inputs).and_then(|j| rows[j].first()) {
                reach = reach.min(*least);
            }
            first[v] = reach.min(v);
        }
        if graph.inputs > 0 {
            first[..graph.inputs].iter_mut().for_each(|first| *first = 0);
        }
        let groups = graph.hidden().map(|g| graph.groups[g].variables.clone()).collect();
        Elimination { rows, outputs, first, heights, groups, inputs: graph.inputs }
    }

    /// The form that remains in the input (row-major), or `None` when a pivot is not positive.
    pub fn reduce(&self, slopes: &Slopes, multipliers: &[f64]) -> Option<Vec<f64>> {
        self.reduce_with(slopes, |v, _| multipliers[v - self.inputs])
    }

    /// Multipliers in closed form: within a group all are the largest eigenvalue `q` of the form on it, which minimizes
    /// `t^2 / (2 t - q)`. This is ECLipsE-Fast (Xu and Sivaranjani 2024) from the output backwards; it is always feasible.
    pub fn layerwise(&self, slopes: &Slopes, weights: &[f64]) -> Option<Recovered> {
        let mut multipliers = vec![1.0; self.rows.len()];
        let (mut current, mut t) = (usize::MAX, 0.0);
        let form = self.reduce_with(slopes, |v, form| {
            let g = self.groups.partition_point(|group| group.end <= v);
            if g != current {
                current = g;
                let group = self.groups[g].clone();
                let n = group.len();
                let mut block = vec![0.0; n * n];
                for (i, row) in group.clone().enumerate() {
                    for (j, column) in group.clone().enumerate().take(i + 1) {
                        let value = column.checked_sub(self.first[row]).and_then(|k| form[row].get(k)).copied();
                        block[i * n + j] = value.unwrap_or(0.0);
                        block[j * n + i] = block[i * n + j];
                    }
                }
                t = (largest_eigenvalue(&block, n) * (1.0 + 1e-12)).max(1e-120);
            }
            let free = slopes.is_free(v - self.inputs);
            multipliers[v - self.inputs] = if free { t } else { t * BINDING };
            t
        })?;
        let n = self.inputs;
        let scaled: Vec<f64> = (0..n * n).map(|k| form[k] / (weights[k / n] * weights[k % n]).sqrt()).collect();
        let rho = largest_eigenvalue(&scaled, n);
        rho.is_finite().then_some(Recovered { rho, delta: 0.0, multipliers })
    }

    fn reduce_with(&self, slopes: &Slopes, mut multiplier: impl FnMut(usize, &[Vec<f64>]) -> f64) -> Option<Vec<f64>> {
        let mut form: Vec<Vec<f64>> =
            self.first.iter().enumerate().map(|(v, first)| vec![0.0; v - first + 1]).collect();
        for row in &self.outputs {
            for (p, (v, value)) in row.iter().enumerate() {
                for (w, other) in &row[..=p] {
                    form[*v][w - self.first[*v]] += value * other;
                }
            }
        }
        let mut wide = vec![0.0; self.first.len()];
        // Eliminated neurons whose products wait for rows below `start`, with the reciprocals of their pivots.
        let mut panel: Vec<(usize, f64, Vec<f64>)> = Vec::new();
        let mut start = self.first.len();
        for v in (self.inputs..self.first.len()).rev() {
            if v < start {
                if is_given_up(self.rows.len()) {
                    return None;
                }
                self.flush(&mut form, &mut panel, start);
                let group = self.groups.partition_point(|group| group.end <= v);
                let least = self.groups.get(group).map_or(v, |group| group.start);
                start = if v < WIDE { v } else { least.max((v + 1).saturating_sub(PANEL)) };
            }
            for (u, factor, q) in &panel {
                let first = self.first[*u];
                if let Some(value) = v.checked_sub(first).and_then(|k| q.get(k)).filter(|value| **value != 0.0) {
                    axpy(value * factor, &q[..=v - first], &mut form[v][first - self.first[v]..]);
                }
            }
            let j = v - self.inputs;
            let (a, b, row) = (slopes.lower[j], slopes.upper[j], &self.rows[j]);
            let t = multiplier(v, &form);
            let mut q = std::mem::take(&mut form[v]);
            let first = self.first[v];
            let own = q.pop().unwrap_or(0.0);
            if a < b {
                let pivot = 2.0 * t - own;
                if !(pivot > 1e-14 * t) {
                    return None;
                }
                for (w, value) in row {
                    q[w - first] += t * (a + b) * value;
                }
                let square = 2.0 * t * a * b;
                if square != 0.0 {
                    for (p, (w, value)) in row.iter().enumerate() {
                        for (x, other) in &row[..=p] {
                            form[*w][x - self.first[*w]] -= square * value * other;
                        }
                    }
                }
                panel.push((v, 1.0 / pivot, q));
            } else if a != 0.0 {
                // z_v = w . z with w = a c, kept dense in `wide`; the form gains q w' + w q' + own w w' = s w' + w s'.
                for (w, value) in row {
                    wide[w - first] = a * value;
                    q[w - first] += 0.5 * own * a * value;
                }
                let w = &wide[..q.len()];
                for k in 0..q.len() {
                    let target = &mut form[first + k];
                    let offset = first - self.first[first + k];
                    if q[k] != 0.0 {
                        axpy(q[k], &w[..=k], &mut target[offset..]);
                    }
                    if w[k] != 0.0 {
                        axpy(w[k], &q[..=k], &mut target[offset..]);
                    }
                }
                wide[..q.len()].fill(0.0);
            }
        }
        self.flush(&mut form, &mut panel, start);
        let n = self.inputs;
        let mut square = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                square[i * n + j] = form[i][j];
                square[j * n + i] = form[i][j];
            }
        }
        Some(square)
    }

    /// Adds `q q' / pivot` of every neuron of the panel to the rows below `start`, and empties the panel.
    fn flush(&self, form: &mut [Vec<f64>], panel: &mut Vec<(usize, f64, Vec<f64>)>, start: usize) {
        let panel = std::mem::take(panel);
        let Some(first) = panel.iter().map(|(u, _, _)| self.first[*u]).min().filter(|first| *first < start) else {
            return;
        };
        if panel.len() < 8 {
            for (u, factor, q) in &panel {
                let own = self.first[*u];
                for (k, &value) in q.iter().take(start.saturating_sub(own)).enumerate() {
                    if value != 0.0 {
                        axpy(value * factor, &q[..=k], &mut form[own + k][own - self.first[own + k]..]);
                    }
                }
            }
            return;
        }
        let width = start - first;
        let (mut left, mut right) =
            (Array2::<f64>::zeros((width, panel.len())), Array2::<f64>::zeros((panel.len(), width)));
        for (p, (u, factor, q)) in panel.iter().enumerate() {
            let own = self.first[*u] - first;
            for (k, &value) in q.iter().enumerate().take(width - own) {
                left[(own + k, p)] = value * factor;
                right[(p, own + k)] = value;
            }
        }
        let update = |(block, rows): (usize, &mut [Vec<f64>])| {
            let low = block * PANEL;
            let high = low + rows.len();
            let product =
                left.slice_axis(Axis(0), Slice::from(low..high)).dot(&right.slice_axis(Axis(1), Slice::from(..high)));
            for (k, row) in rows.iter_mut().enumerate() {
                let offset = first - self.first[first + low + k];
                for (x, y) in row[offset..].iter_mut().zip(product.row(k)) {
                    *x += y;
                }
            }
        };
        form[first..start].par_chunks_mut(PANEL).enumerate().for_each(update);
    }

    /// Scans the lift upwards and keeps the least weight. `weights` are relative weights of the input coordinates,
    /// `guess` a lower bound of the factor (a dual value).
    pub fn recover(
        &self,
        slopes: &Slopes,
        multipliers: &[f64],
        weights: &[f64],
        guess: f64,
        scan: Scan,
    ) -> Option<Recovered> {
        let mut best: Option<Recovered> = None;
        let mut delta = scan.start;
        let mut worse = 0;
        while delta < 0.5 && !is_given_up(self.rows.len()) {
            let lifted: Vec<f64> =
                multipliers.iter().zip(&self.heights).map(|(t, &height)| t * (1.0 + delta).powi(2 * height)).collect();
            if let Some(mut form) = self.reduce(slopes, &lifted) {
                let n = self.inputs;
                for i in 0..n {
                    for j in 0..n {
                        form[i * n + j] /= (weights[i] * weights[j]).sqrt();
                    }
                }
                if let Some(rho) = largest_eigenvalue_above(&form, n, guess, scan.finest) {
                    if best.as_ref().is_none_or(|best| rho < best.rho) {
                        best = Some(Recovered { rho, delta, multipliers: lifted });
                        worse = 0;
                        if rho < scan.enough {
                            break;
                        }
                    } else {
                        worse += 1;
                        if worse >= 1 {
                            break;
                        }
                    }
                }
            }
            delta *= 10.0;
        }
        best
    }
}

fn axpy(factor: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

/// The largest eigenvalue of a positive semidefinite matrix, a little too large when it is found by iteration.
fn largest_eigenvalue(form: &[f64], n: usize) -> f64 {
    if n <= 48 {
        return eigenvalues(form.to_vec(), n).into_iter().fold(0.0, f64::max);
    }
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + 0.1 * ((i * 7919) % 11) as f64).collect();
    let mut value = 0.0;
    for _ in 0..100 {
        let norm = dot(&v, &v).sqrt();
        if !(norm > 0.0) {
            return 0.0;
        }
        v.iter_mut().for_each(|x| *x /= norm);
        v = form.chunks(n).map(|row| dot(row, &v)).collect();
        value = dot(&v, &v).sqrt();
    }
    value * 1.001
}

/// A number a little above the largest eigenvalue.
fn largest_eigenvalue_above(form: &[f64], n: usize, guess: f64, finest: f64) -> Option<f64> {
    if form.iter().any(|x| !x.is_finite()) {
        return None;
    }
    if n <= 16 {
        let largest = eigenvalues(form.to_vec(), n).into_iter().fold(0f64, f64::max);
        return Some(largest * (1.0 + 1e-15 * n as f64));
    }
    // The least of the factors `1 + 1.6^k finest` that passes, by bisection: a larger one passes too.
    let factor = |k: i32| guess * (1.0 + finest * 1.6f64.powi(k));
    let passes = |k: i32| {
        let mut shifted: Vec<f64> = form.iter().map(|x| -x).collect();
        (0..n).for_each(|i| shifted[i * n + i] += factor(k));
        cholesky(&mut shifted, n)
    };
    let most = ((100.0 / finest).ln() / 1.6f64.ln()).floor() as i32;
    let (mut low, mut high) = (-1, most + 1);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if passes(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    (high <= most).then(|| factor(high))
}

/// Factors in place (lower triangle); `false` unless every pivot is positive.
pub fn cholesky(a: &mut [f64], n: usize) -> bool {
    for i in 0..n {
        for j in 0..=i {
            let (low, high) = a.split_at(i * n);
            let row = if j < i { &low[j * n..j * n + j] } else { &high[..j] };
            let rest = high[j] - dot(&high[..j], row);
            if i == j {
                if !(rest > 0.0) {
                    return false;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    true
}

/// Eigenvalues of a small symmetric matrix by cyclic Jacobi rotations.
pub fn eigenvalues(mut a: Vec<f64>, n: usize) -> Vec<f64> {
    for _ in 0..30 {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i * n + j] * a[i * n + j]).sum();
        let diagonal: f64 = (0..n).map(|i| a[i * n + i] * a[i * n + i]).sum();
        if !(off > 1e-32 * diagonal) {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = c * x - s * y;
                    a[k * n + q] = s * x + c * y;
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = c * x - s * y;
                    a[q * n + k] = s * x + c * y;
                }
            }
        }
    }
    (0..n).map(|i| a[i * n + i]).collect()
}
