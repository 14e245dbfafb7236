//! Certificates of spectral norms. Trust: untrusted; [`crate::kernel::lipschitz::product`] and [`crate::kernel::matrix_norm`]
//! check them.

use super::lipschitz::graph::{from_f64, to_f64};
use crate::kernel::lipschitz::product::spectral_norm_squared;
use crate::kernel::lipschitz::{Dyadic, LayerNorm};
use crate::kernel::net::{Tensor, Weight};
use crate::num::matrix::Matrix;
use crate::num::spectral::{SpectralNorm, spectral_norm};
use num_bigint::BigInt;
use num_traits::{FromPrimitive, Zero};

/// Up to this order the exact row sums of the Gram matrix are tried, which meet the norm of a multiple of an isometry.
const GRAM_ORDER: usize = 64;
/// Relative slacks `8^k 2^-47` of the squared norm, tried in turn. The kernel's factor loses about `n 2^-57`.
const ATTEMPTS: i64 = 12;

/// A certificate of an upper bound of `sigma_max(W)`, exact where a cheap exact bound is the norm.
pub fn propose_upper(matrix: &Tensor) -> Option<LayerNorm> {
    let found = approximate(matrix)?;
    let square = from_f64(found.norm.lower, found.exponent)?;
    let square = &square * &square;
    let close = &square * &(&Dyadic::ONE + &Dyadic::new(1, -44)?);
    let order = found.rows.min(found.columns);
    let exact = [LayerNorm::Schur, LayerNorm::Gram];
    for certificate in exact.into_iter().take(1 + usize::from(order <= GRAM_ORDER)) {
        if spectral_norm_squared(matrix, &certificate).is_ok_and(|bound| bound <= close) {
            return Some(certificate);
        }
    }
    (0..ATTEMPTS)
        .filter_map(|k| Some(LayerNorm::Spectral(&square * &(&Dyadic::ONE + &Dyadic::new(1, 3 * k - 47)?))))
        .find(|certificate| spectral_norm_squared(matrix, certificate).is_ok())
}

/// An integer vector close to the top right singular vector.
pub fn propose_lower(matrix: &Tensor) -> Option<Vec<BigInt>> {
    let found = approximate(matrix)?;
    let right = if found.norm.of_transpose {
        let mut right = vec![0.0; found.columns];
        for (row, x) in found.entries.chunks(found.columns).zip(&found.norm.vector) {
            right.iter_mut().zip(row).for_each(|(sum, w)| *sum += w * x);
        }
        right
    } else {
        found.norm.vector
    };
    let largest = right.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let vector: Vec<BigInt> =
        right.iter().map(|x| BigInt::from_f64((x / largest * 48f64.exp2()).round())).collect::<Option<_>>()?;
    vector.iter().any(|x| !x.is_zero()).then_some(vector)
}

/// A matrix in floating point, divided by `2^exponent`, with its spectral norm.
struct Approximate {
    rows: usize,
    columns: usize,
    exponent: i64,
    entries: Vec<f64>,
    norm: SpectralNorm,
}

fn approximate(matrix: &Tensor) -> Option<Approximate> {
    let columns = matrix.shape.iter().skip(1).product::<usize>().max(1);
    let rows = matrix.data.len() / columns;
    let top = |w: &Weight| i64::from(w.exponent) + 64 - i64::from(w.mantissa.unsigned_abs().leading_zeros());
    let exponent = matrix.data.iter().filter(|w| w.mantissa != 0).map(top).max().unwrap_or(0);
    let entries: Vec<f64> = matrix.data.iter().map(|w| to_f64(&Dyadic::from(w), -exponent)).collect();
    let norm = spectral_norm(&Matrix::new(rows, columns, entries.clone()).ok()?).ok()?;
    Some(Approximate { rows, columns, exponent, entries, norm })
}
