//! The map of one layer at its input size, and its operator norms. Trust: kernel.
//!
//! A layer is a node of the graph; it maps the values that it reads, side by side, to its own value. A convolution is the matrix
//! that it is on inputs of its size, with its padding, stride and groups: neither the reshaped kernel nor a circulant matrix, which
//! have other norms. The normalizations that alone read a dense or convolution layer are folded into it. A sum or a concatenation
//! reads the values where its affine branches begin, so that `x + W x` is `I + W`.
//!
//! A maximum over windows is not linear. Its derivatives select one entry per window, so `J'J` is diagonal and counts the windows
//! that select an entry; the count `m` of the entry with most windows is reached where it is the largest of all of them. The
//! Lipschitz constants are therefore `m` (l1), `sqrt(m)` (l2) and 1 (linf): the norms of a column of `m` ones.

use super::dyadic::Dyadic;
use super::operator::Operator;
use super::product::{certified, discontinuous};
use super::system::{Affine, Row, affine, is_affine, missing, size};
use super::{LayerNorm, LipError, Norm};
use crate::kernel::net::{Network, Op, Size, Source};
use num_bigint::BigInt;
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};

/// `operator / divisor`: means over windows are not dyadic.
#[derive(Clone, Debug)]
pub struct LayerMap {
    pub operator: Operator,
    /// A positive integer.
    pub divisor: u64,
}

/// The map of an affine node, followed by the normalizations that alone read it.
fn run(network: &Network, first: usize) -> Vec<usize> {
    let nodes = &network.architecture().nodes;
    let mut run = vec![first];
    loop {
        let last = run[run.len() - 1];
        let mut readers = nodes.iter().enumerate().filter(|(_, node)| node.inputs.contains(&Source::Node(last)));
        match (readers.next(), readers.next()) {
            (Some((next, node)), None) if matches!(node.op, Op::BatchNorm | Op::FixedAffine) => run.push(next),
            _ => return run,
        }
    }
}

/// The node whose value is that of the dense or convolution node `first` after folding.
pub fn folded(network: &Network, first: usize) -> usize {
    run(network, first).pop().unwrap_or(first)
}

/// The number of coordinates of a shape.
fn coordinates(shape: &[Size]) -> Result<usize, LipError> {
    let mut count: Size = 1;
    for &n in shape {
        count = count.checked_mul(n).ok_or_else(|| LipError::too_large("a layer below 2^23 units"))?;
    }
    size(count)
}

/// Coordinates in the order of positions keep the Gram matrix of a convolution narrow; permutations are isometries.
fn by_position(shape: &[Size], k: usize) -> usize {
    match shape {
        [channels, height, width] => {
            let (channels, positions) = (*channels as usize, (*height * *width) as usize);
            k % positions * channels + k / positions
        }
        _ => k,
    }
}

impl LayerMap {
    /// The map of node `i`. Errors: an activation, integer features, or a layer too large to unroll.
    pub fn of(network: &Network, i: usize) -> Result<LayerMap, LipError> {
        let architecture = network.architecture();
        let shapes = architecture.shapes().map_err(|e| LipError::Unsupported(e.to_string()))?;
        let node = architecture.nodes.get(i).ok_or_else(missing)?;
        let own = match &node.op {
            Op::Dense { .. } | Op::Conv { .. } => run(network, i),
            Op::MaxPool { window, stride, pad } => {
                let shape = architecture.shape_of(&shapes, *node.inputs.first().ok_or_else(missing)?);
                let ([_, h, w], [_, rows, columns]) = (shape, shapes.get(i).ok_or_else(missing)?.as_slice()) else {
                    return Err(missing());
                };
                let most = windows(*h, *rows, window.0, stride.0, pad.0)?
                    .checked_mul(windows(*w, *columns, window.1, stride.1, pad.1)?)
                    .ok_or_else(|| LipError::too_large("fewer windows"))?;
                let ones: Vec<Row> = (0..size(most as Size)?).map(|_| vec![(0, Dyadic::ONE)]).collect();
                return Ok(LayerMap { operator: Operator { columns: 1, rows: ones }, divisor: 1 });
            }
            Op::Gradients(_) => return Err(discontinuous()),
            op if is_affine(op) => vec![i],
            op => return Err(LipError::Unsupported(format!("expected an affine layer, found {op:?}"))),
        };
        // Value 0 is the network's input, value `j + 1` that of node `j`.
        let value = |source: &Source| match source {
            Source::Input => 0,
            Source::Node(j) => j + 1,
        };
        let is_joint = matches!(node.op, Op::Add | Op::Concat);
        let inside = |k: usize| {
            let j = k.checked_sub(1)?;
            let node = architecture.nodes.get(j)?;
            (own.contains(&j) || is_joint && is_affine(&node.op)).then_some((j, node))
        };
        let last = own.last().map_or(0, |j| j + 1);
        let (mut needed, mut open) = (BTreeSet::from([last]), vec![last]);
        while let Some(k) = open.pop() {
            if let Some((_, node)) = inside(k) {
                open.extend(node.inputs.iter().map(value).filter(|k| needed.insert(*k)));
            }
        }
        let mut columns = 0usize;
        let mut values: BTreeMap<usize, Vec<Affine>> = BTreeMap::new();
        for k in needed {
            let computed = match inside(k) {
                Some((j, node)) => {
                    let mut sources = Vec::with_capacity(node.inputs.len());
                    for source in &node.inputs {
                        sources.push(values.get(&value(source)).ok_or_else(missing)?.as_slice());
                    }
                    let from = architecture.shape_of(&shapes, *node.inputs.first().ok_or_else(missing)?);
                    let parameters = network.parameters().get(j).and_then(Option::as_ref);
                    affine(&node.op, &sources, from, shapes.get(j).ok_or_else(missing)?, parameters)?
                }
                None => {
                    let shape = k.checked_sub(1).map_or(architecture.input.as_slice(), |j| shapes[j].as_slice());
                    let count = coordinates(shape)?;
                    let first = columns;
                    columns = size((columns + count) as Size)?;
                    (0..count).map(|c| Affine::variable(first + by_position(shape, c), 1)).collect()
                }
            };
            values.insert(k, computed);
        }
        let value = values.remove(&last).ok_or_else(missing)?;
        let mut divisor: u64 = 1;
        for affine in &value {
            divisor = divisor
                .checked_mul(affine.divisor / num_integer::gcd(divisor, affine.divisor))
                .ok_or_else(|| LipError::too_large("a common divisor of pooling windows below 2^64"))?;
        }
        let out = shapes.get(last.saturating_sub(1)).ok_or_else(missing)?;
        let mut rows = vec![Row::new(); value.len()];
        for (k, affine) in value.into_iter().enumerate() {
            let factor = Dyadic::natural(divisor / affine.divisor);
            let mut row: Row = affine.row.into_iter().map(|(j, w)| (j, &w * &factor)).collect();
            row.sort_by_key(|(j, _)| *j);
            *rows.get_mut(by_position(out, k)).ok_or_else(missing)? = row;
        }
        Ok(LayerMap { operator: Operator { columns, rows }, divisor })
    }

    /// The norm from l1 to l1.
    pub fn column_sum(&self) -> BigRational {
        self.operator.column_sum().to_rational() / BigRational::from_integer(self.divisor.into())
    }

    /// The norm from linf to linf.
    pub fn row_sum(&self) -> BigRational {
        self.operator.row_sum().to_rational() / BigRational::from_integer(self.divisor.into())
    }

    /// What a certificate proves to be at least the square of the norm from l2 to l2. Errors: it proves nothing.
    pub fn square_below(&self, certificate: &LayerNorm) -> Result<BigRational, LipError> {
        let square = certified(&self.operator, Norm::L2, Some(certificate))?.to_rational();
        Ok(square / BigRational::from_integer(BigInt::from(self.divisor).pow(2)))
    }

    /// `|W v|^2 / |v|^2`, at most the square of the norm from l2 to l2. `None`: a zero vector or one of another length.
    pub fn rayleigh_quotient(&self, vector: &[BigInt]) -> Option<BigRational> {
        Some(self.operator.rayleigh_quotient(vector)? / BigRational::from_integer(BigInt::from(self.divisor).pow(2)))
    }
}

/// The number of windows, along one axis, of the position that belongs to most of them.
fn windows(length: Size, count: Size, window: Size, stride: Size, pad: Size) -> Result<usize, LipError> {
    let (length, count) = (size(length)?, size(count)?);
    let (window, stride, pad) = (size(window)?, size(stride)?, size(pad)?);
    let mut covered = vec![0usize; length];
    for first in (0..count).map(|k| k * stride) {
        covered
            .iter_mut()
            .take((first + window).saturating_sub(pad))
            .skip(first.saturating_sub(pad))
            .for_each(|n| *n += 1);
    }
    Ok(covered.into_iter().max().unwrap_or(0))
}
