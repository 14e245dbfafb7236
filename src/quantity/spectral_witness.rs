//! Certificates of spectral norms. Trust: untrusted; [`crate::kernel::lipschitz::operator`] checks them.

use super::lipschitz::graph::{from_f64, to_f64};
use super::lipschitz::product::power;
use crate::kernel::lipschitz::operator::Operator;
use crate::kernel::lipschitz::{Dyadic, LayerNorm};
use crate::num::matrix::Matrix;
use crate::num::spectral::spectral_norm;
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Zero};

/// Up to this order the exact row sums of the Gram matrix are tried, which meet the norm of a multiple of an isometry.
const GRAM_ORDER: usize = 64;
/// Relative slacks `8^k 2^-47` of the squared norm, tried in turn. The kernel's factor loses about `n 2^-57`.
const ATTEMPTS: i64 = 12;
/// Matrices with more entries are not written out.
const DENSE_ENTRIES: usize = 1 << 20;

/// A certificate of an upper bound of `sigma_max(W)`, exact where a cheap exact bound is the norm.
pub fn propose_upper(operator: &Operator) -> Option<LayerNorm> {
    let (value, exponent, _) = approximate(operator)?;
    let square = from_f64(value, exponent)?;
    let square = &square * &square;
    let close = &square * &(&Dyadic::ONE + &Dyadic::new(1, -44)?);
    if operator.schur() <= close {
        return Some(LayerNorm::Schur);
    }
    let order = operator.rows.len().min(operator.columns);
    if order <= GRAM_ORDER && operator.gram_sum().is_some_and(|bound| bound <= close) {
        return Some(LayerNorm::Gram);
    }
    let mut proposals = (0..ATTEMPTS).map(|k| &square * &(&Dyadic::ONE + &Dyadic::ONE.scaled(3 * k - 47)));
    let spectral = proposals.find(|square| operator.is_spectral_at_most(square))?;
    // The approximation may lie further below the norm than the exact bound lies above it.
    Some(if operator.schur() <= spectral { LayerNorm::Schur } else { LayerNorm::Spectral(spectral) })
}

/// An integer vector close to the top right singular vector.
pub fn propose_lower(operator: &Operator) -> Option<Vec<BigInt>> {
    let (_, _, right) = approximate(operator)?;
    let largest = right.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let vector: Vec<BigInt> =
        right.iter().map(|x| BigInt::from_f64((x / largest * 48f64.exp2()).round())).collect::<Option<_>>()?;
    vector.iter().any(|x| !x.is_zero()).then_some(vector)
}

/// The norm in units of `2^exponent`, the exponent, and the top right singular vector.
fn approximate(operator: &Operator) -> Option<(f64, i64, Vec<f64>)> {
    let (rows, columns) = (operator.rows.len(), operator.columns);
    let exponent = operator.rows.iter().flatten().filter_map(|(_, w)| w.magnitude()).max().unwrap_or(0);
    let entries: Vec<Vec<(usize, f64)>> =
        operator.rows.iter().map(|row| row.iter().map(|(j, w)| (*j, to_f64(w, -exponent))).collect()).collect();
    if rows.saturating_mul(columns) > DENSE_ENTRIES {
        let (square, vector) = power(&entries, columns);
        return Some((square.sqrt(), exponent, vector));
    }
    let mut dense = vec![0.0; rows * columns];
    for (line, row) in dense.chunks_mut(columns).zip(&entries) {
        row.iter().for_each(|(j, w)| line[*j] = *w);
    }
    let norm = spectral_norm(&Matrix::new(rows, columns, dense.clone()).ok()?).ok()?;
    if !norm.of_transpose {
        return Some((norm.lower, exponent, norm.vector));
    }
    let mut right = vec![0.0; columns];
    for (row, x) in dense.chunks(columns).zip(&norm.vector) {
        right.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * x);
    }
    Some((norm.lower, exponent, right))
}
