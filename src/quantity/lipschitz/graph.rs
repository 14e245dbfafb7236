//! The unrolled network in f64, as groups of neurons joined by matrices. Trust: untrusted.
//!
//! Group 0 is the input, group `g >= 1` the kernel's group `g - 1`, and the last pseudo-group the output. Every group's variables
//! are scaled by a power of two, `z = 2^exponent z'`, so that networks whose constants leave the range of f64 stay inside it; the
//! relaxation is invariant under this scaling because it is homogeneous.

use crate::kernel::lipschitz::{Dyadic, Norm, Slope, System};
use std::ops::Range;

/// A dense or sparse matrix with its transpose.
#[derive(Clone, Debug)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    forward: Layout,
    backward: Layout,
}

#[derive(Clone, Debug)]
enum Layout {
    /// Row-major.
    Dense(Vec<f64>),
    /// Row starts, columns, values.
    Sparse(Vec<usize>, Vec<usize>, Vec<f64>),
}

impl Layout {
    fn new(rows: usize, columns: usize, entries: &[(usize, usize, f64)]) -> Layout {
        if entries.len() * 3 > rows * columns {
            let mut data = vec![0.0; rows * columns];
            for &(i, j, value) in entries {
                data[i * columns + j] = value;
            }
            return Layout::Dense(data);
        }
        let mut starts = vec![0; rows + 1];
        for &(i, _, _) in entries {
            starts[i + 1] += 1;
        }
        for i in 0..rows {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let (mut index, mut values) = (vec![0; entries.len()], vec![0.0; entries.len()]);
        for &(i, j, value) in entries {
            index[next[i]] = j;
            values[next[i]] = value;
            next[i] += 1;
        }
        Layout::Sparse(starts, index, values)
    }

    fn scale(&mut self, factor: f64) {
        match self {
            Layout::Dense(data) | Layout::Sparse(_, _, data) => data.iter_mut().for_each(|x| *x *= factor),
        }
    }

    /// `out += A z` for `k` columns at once.
    fn multiply<const K: usize>(&self, columns: usize, z: &[[f64; K]], out: &mut [[f64; K]]) {
        match self {
            Layout::Dense(data) => {
                let mut rows = data.chunks_exact(columns).zip(out.iter_mut());
                // Four rows at a time read every z once.
                while let Some((a, out_a)) = rows.next() {
                    let rest: Vec<(&[f64], &mut [f64; K])> = rows.by_ref().take(3).collect();
                    if let [(b, _), (c, _), (d, _)] = rest.as_slice() {
                        let mut sums = [[0.0; K]; 4];
                        for ((((z, a), b), c), d) in z.iter().zip(a).zip(*b).zip(*c).zip(*d) {
                            for q in 0..K {
                                sums[0][q] += a * z[q];
                                sums[1][q] += b * z[q];
                                sums[2][q] += c * z[q];
                                sums[3][q] += d * z[q];
                            }
                        }
                        let outs = std::iter::once(out_a).chain(rest.into_iter().map(|(_, out)| out));
                        for (out, sum) in outs.zip(&sums) {
                            (0..K).for_each(|q| out[q] += sum[q]);
                        }
                    } else {
                        for (row, out) in std::iter::once((a, out_a)).chain(rest) {
                            for (z, a) in z.iter().zip(row) {
                                (0..K).for_each(|q| out[q] += a * z[q]);
                            }
                        }
                    }
                }
            }
            Layout::Sparse(starts, index, values) => {
                for (i, out) in out.iter_mut().enumerate() {
                    for (j, value) in index[starts[i]..starts[i + 1]].iter().zip(&values[starts[i]..starts[i + 1]]) {
                        (0..K).for_each(|q| out[q] += value * z[*j][q]);
                    }
                }
            }
        }
    }
}

impl Matrix {
    fn new(rows: usize, columns: usize, entries: &[(usize, usize, f64)]) -> Matrix {
        let transposed: Vec<(usize, usize, f64)> = entries.iter().map(|&(i, j, value)| (j, i, value)).collect();
        Matrix {
            rows,
            columns,
            forward: Layout::new(rows, columns, entries),
            backward: Layout::new(columns, rows, &transposed),
        }
    }

    fn scale(&mut self, factor: f64) {
        self.forward.scale(factor);
        self.backward.scale(factor);
    }

    /// `out += A z`
    pub fn apply<const K: usize>(&self, z: &[[f64; K]], out: &mut [[f64; K]]) {
        self.forward.multiply(self.columns, z, out);
    }

    /// `out += A' h`
    pub fn adjoint<const K: usize>(&self, h: &[[f64; K]], out: &mut [[f64; K]]) {
        self.backward.multiply(self.rows, h, out);
    }

    /// The nonzero entries of row `i`.
    pub fn row(&self, i: usize) -> Vec<(usize, f64)> {
        match &self.forward {
            Layout::Dense(data) => data[i * self.columns..(i + 1) * self.columns]
                .iter()
                .copied()
                .enumerate()
                .filter(|(_, value)| *value != 0.0)
                .collect(),
            Layout::Sparse(starts, index, values) => {
                let range = starts[i]..starts[i + 1];
                index[range.clone()].iter().copied().zip(values[range].iter().copied()).collect()
            }
        }
    }
}

/// A matrix from an earlier group.
#[derive(Clone, Debug)]
pub struct Block {
    pub source: usize,
    pub matrix: Matrix,
}

#[derive(Clone, Debug)]
pub struct Group {
    /// Its variables; inputs come first.
    pub variables: Range<usize>,
    pub blocks: Vec<Block>,
    /// `z = 2^exponent z'`
    pub exponent: i64,
    /// Length of the longest path from here to the output, in groups.
    pub height: i32,
}

/// The network in f64. `groups[0]` is the input, the last group the output.
#[derive(Clone, Debug)]
pub struct Graph {
    pub groups: Vec<Group>,
    /// Inputs after trimming, see [`Graph::new`].
    pub inputs: usize,
    /// Inputs and neurons.
    pub variables: usize,
    /// Orthonormal rows that span the trimmed input, when it was trimmed.
    basis: Option<Vec<Vec<f64>>>,
}

/// `value * 2^shift` in f64, to nearest up to an ulp.
pub fn to_f64(value: &Dyadic, shift: i64) -> f64 {
    let (mantissa, exponent) = value.round_down(64).parts().unwrap_or((0, 0));
    ldexp(mantissa as f64, exponent + shift)
}

/// `x * 2^k`
pub fn ldexp(mut x: f64, k: i64) -> f64 {
    let mut k = k.clamp(-4000, 4000);
    while k > 1000 {
        x *= 2f64.powi(1000);
        k -= 1000;
    }
    while k < -1000 {
        x *= 2f64.powi(-1000);
        k += 1000;
    }
    x * 2f64.powi(k as i32)
}

/// The exact dyadic number of a finite f64, times `2^shift`.
pub fn from_f64(x: f64, shift: i64) -> Option<Dyadic> {
    if !x.is_finite() {
        return None;
    }
    if x == 0.0 {
        return Some(Dyadic::ZERO);
    }
    let bits = x.abs().to_bits();
    let (mantissa, exponent) = match (bits >> 52) as i64 {
        0 => (bits as i64, -1074),
        field => (((bits & ((1 << 52) - 1)) | (1 << 52)) as i64, field - 1075),
    };
    Dyadic::new(if x < 0.0 { -mantissa } else { mantissa }, exponent.checked_add(shift)?)
}

impl Graph {
    /// The outputs `outputs` of a system. For the l2 norm an input that feeds the first group only, and is wider than it, is
    /// replaced by the triangular factor of its matrix, which has the same Gram matrix.
    pub fn new(system: &System, outputs: Range<usize>, input_norm: Norm) -> Graph {
        let mut groups = vec![Group { variables: 0..system.inputs, blocks: Vec::new(), exponent: 0, height: 0 }];
        let group_of = |groups: &[Group], variable: usize| {
            groups.partition_point(|group| group.variables.end <= variable).min(groups.len() - 1)
        };
        let count = system.groups.len();
        let rows = &system.outputs[outputs];
        for g in 0..=count {
            let arguments: Vec<_> = match system.groups.get(g) {
                Some(range) => system.neurons[range.clone()].iter().map(|neuron| (&neuron.argument, 1)).collect(),
                None => rows.iter().map(|affine| (affine, affine.divisor)).collect(),
            };
            // The largest coefficient becomes about one.
            let exponent = arguments
                .iter()
                .flat_map(|(argument, _)| &argument.row)
                .filter_map(|(variable, value)| {
                    Some(value.magnitude()? + groups[group_of(&groups, *variable)].exponent)
                })
                .max()
                .unwrap_or(0);
            let mut entries: Vec<Vec<(usize, usize, f64)>> = vec![Vec::new(); groups.len()];
            for (i, (argument, divisor)) in arguments.iter().enumerate() {
                for (variable, value) in &argument.row {
                    let source = group_of(&groups, *variable);
                    let from = &groups[source];
                    let entry = to_f64(value, from.exponent - exponent) / *divisor as f64;
                    entries[source].push((i, variable - from.variables.start, entry));
                }
            }
            let blocks = entries
                .into_iter()
                .enumerate()
                .filter(|(_, entries)| !entries.is_empty())
                .map(|(source, entries)| Block {
                    source,
                    matrix: Matrix::new(arguments.len(), groups[source].variables.len(), &entries),
                })
                .collect();
            let start = groups[g].variables.end;
            groups.push(Group { variables: start..start + arguments.len(), blocks, exponent, height: 0 });
        }
        for g in (1..groups.len()).rev() {
            let height = groups[g].height + 1;
            let sources: Vec<usize> = groups[g].blocks.iter().map(|block| block.source).collect();
            for source in sources {
                groups[source].height = groups[source].height.max(height);
            }
        }
        let variables = groups[count].variables.end;
        let mut graph = Graph { groups, inputs: system.inputs, variables, basis: None };
        if input_norm == Norm::L2 {
            graph.trim_input();
        }
        graph
    }

    fn trim_input(&mut self) {
        let reads: usize = self.groups.iter().flat_map(|group| &group.blocks).filter(|block| block.source == 0).count();
        let Some(first) = self.groups.get_mut(1) else { return };
        let height = first.variables.len();
        let [block] = first.blocks.as_mut_slice() else { return };
        if reads != 1 || block.source != 0 || height >= self.inputs {
            return;
        }
        // Gram-Schmidt on the rows, twice for accuracy: row_i = sum_k r_ik q_k.
        let mut basis: Vec<Vec<f64>> = Vec::with_capacity(height);
        let mut entries = Vec::new();
        for i in 0..height {
            let mut row = vec![0.0; self.inputs];
            block.matrix.row(i).into_iter().for_each(|(j, value)| row[j] = value);
            let norm = dot(&row, &row).sqrt();
            let mut coefficients = vec![0.0; basis.len()];
            for _ in 0..2 {
                for (q, coefficient) in basis.iter().zip(&mut coefficients) {
                    let along = dot(q, &row);
                    *coefficient += along;
                    row.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
                }
            }
            let rest = dot(&row, &row).sqrt();
            entries.extend(coefficients.iter().enumerate().map(|(k, &value)| (i, k, value)));
            if rest > 1e-14 * norm {
                row.iter_mut().for_each(|x| *x /= rest);
                entries.push((i, basis.len(), rest));
                basis.push(row);
            }
        }
        let width = basis.len().max(1);
        block.matrix = Matrix::new(height, width, &entries);
        let removed = self.inputs - width;
        if basis.is_empty() {
            basis.push(vec![0.0; self.inputs]);
        }
        self.basis = Some(basis);
        self.inputs = width;
        self.variables -= removed;
        self.groups[0].variables = 0..width;
        for group in &mut self.groups[1..] {
            group.variables = group.variables.start - removed..group.variables.end - removed;
        }
    }

    /// The rows of an input before trimming.
    pub fn original_input<const K: usize>(&self, x: &[[f64; K]]) -> Vec<[f64; K]> {
        let Some(basis) = &self.basis else { return x.to_vec() };
        let mut rows = vec![[0.0; K]; basis.first().map_or(0, Vec::len)];
        for (direction, y) in basis.iter().zip(x) {
            for (row, d) in rows.iter_mut().zip(direction) {
                (0..K).for_each(|q| row[q] += d * y[q]);
            }
        }
        rows
    }

    /// Divides the variables of group `g` by `2^k` more.
    pub fn rescale(&mut self, g: usize, k: i64) {
        self.groups[g].exponent += k;
        for group in g..self.groups.len() {
            let factor = if group == g { ldexp(1.0, -k) } else { ldexp(1.0, k) };
            for block in &mut self.groups[group].blocks {
                if group == g || block.source == g {
                    block.matrix.scale(factor);
                }
            }
        }
    }

    pub fn output_exponent(&self) -> i64 {
        self.groups.last().map_or(0, |group| group.exponent)
    }

    /// The groups of neurons, without input and output.
    pub fn hidden(&self) -> Range<usize> {
        1..self.groups.len() - 1
    }
}

/// Slopes in f64; a neuron with equal ends is linear.
#[derive(Clone, Debug, PartialEq)]
pub struct Slopes {
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
}

impl Slopes {
    pub fn new(slopes: &[Slope]) -> Slopes {
        Slopes {
            lower: slopes.iter().map(|slope| to_f64(&slope.lower, 0)).collect(),
            upper: slopes.iter().map(|slope| to_f64(&slope.upper, 0)).collect(),
        }
    }

    pub fn is_free(&self, j: usize) -> bool {
        self.lower[j] < self.upper[j]
    }
}

pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let ((a8, a), (b8, b)) = (a[..n].as_chunks::<8>(), b[..n].as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (x, y) in a8.iter().zip(b8) {
        // Written out: a loop here costs several times as much where it is not unrolled.
        sums[0] += x[0] * y[0];
        sums[1] += x[1] * y[1];
        sums[2] += x[2] * y[2];
        sums[3] += x[3] * y[3];
        sums[4] += x[4] * y[4];
        sums[5] += x[5] * y[5];
        sums[6] += x[6] * y[6];
        sums[7] += x[7] * y[7];
    }
    sums.iter().sum::<f64>() + a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>()
}

/// Adds `factor` times `a` to `sums`.
pub fn axpy(factor: f64, a: &[f64], sums: &mut [f64]) {
    let n = a.len().min(sums.len());
    let ((a8, a), (s8, s)) = (a[..n].as_chunks::<8>(), sums[..n].as_chunks_mut::<8>());
    for (x, s) in a8.iter().zip(s8) {
        s[0] += factor * x[0];
        s[1] += factor * x[1];
        s[2] += factor * x[2];
        s[3] += factor * x[3];
        s[4] += factor * x[4];
        s[5] += factor * x[5];
        s[6] += factor * x[6];
        s[7] += factor * x[7];
    }
    s.iter_mut().zip(a).for_each(|(s, x)| *s += factor * x);
}
