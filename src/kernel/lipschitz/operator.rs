//! Matrices by sparse rows and their operator norms. Trust: kernel.
//!
//! The norms from l1 to l1 and from linf to linf are exact sums. For l2 the Gram matrix `G` of the smaller side is formed in
//! integers, and `s I - G` is proved semidefinite by [`crate::kernel::psd`].

use super::LipError;
use super::dyadic::{Dyadic, sqrt_above};
use super::layer::LayerMap;
use super::system::{Row, missing};
use crate::kernel::net::{Network, Op, Tensor, Weight};
use crate::kernel::psd::{DIGITS, Symmetric};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// A matrix by sparse rows.
#[derive(Clone, Debug)]
pub struct Operator {
    pub columns: usize,
    pub rows: Vec<Row>,
}

impl Operator {
    /// The operator of a dense or convolution node with its normalizations. Errors: another node, or one too large to unroll.
    pub fn of(network: &Network, first: usize) -> Result<Operator, LipError> {
        match &network.architecture().nodes.get(first).ok_or_else(missing)?.op {
            Op::Dense { .. } | Op::Conv { .. } => Ok(LayerMap::of(network, first)?.operator),
            op => Err(LipError::Unsupported(format!("expected a dense or convolution node, found {op:?}"))),
        }
    }

    /// A tensor as the matrix of its leading axis against the others.
    pub fn matrix(weight: &Tensor) -> Result<Operator, LipError> {
        let columns = weight.shape.iter().skip(1).product::<usize>();
        if columns == 0 || !weight.data.len().is_multiple_of(columns) {
            return Err(missing());
        }
        let sparse = |row: &[Weight]| row.iter().map(Dyadic::from).enumerate().filter(|(_, w)| !w.is_zero()).collect();
        Ok(Operator { columns, rows: weight.data.chunks(columns).map(sparse).collect() })
    }

    /// The norm from linf to linf: the largest sum of magnitudes in a row.
    pub fn row_sum(&self) -> Dyadic {
        let sum = |row: &Row| row.iter().fold(Dyadic::ZERO, |sum, (_, w)| &sum + &w.abs());
        self.rows.iter().map(sum).max().unwrap_or(Dyadic::ZERO)
    }

    /// The norm from l1 to l1: the largest sum of magnitudes in a column.
    pub fn column_sum(&self) -> Dyadic {
        let mut sums = vec![Dyadic::ZERO; self.columns];
        for (j, w) in self.rows.iter().flatten() {
            if let Some(sum) = sums.get_mut(*j) {
                *sum = &*sum + &w.abs();
            }
        }
        sums.into_iter().max().unwrap_or(Dyadic::ZERO)
    }

    /// `|W|_1 |W|_inf`, at least the square of the spectral norm (Schur 1911).
    pub fn schur(&self) -> Dyadic {
        &self.row_sum() * &self.column_sum()
    }

    /// `max_i sum_j |G|_ij` for the Gram matrix `G` of the smaller side, at least the square of the spectral norm by
    /// Gershgorin (Prach and Lampert 2022).
    pub fn gram_sum(&self) -> Option<Dyadic> {
        let gram = Gram::of(self)?;
        let mut sums = vec![0i128; gram.lower.len()];
        for (i, row) in gram.lower.iter().enumerate() {
            for (j, g) in (gram.first[i]..).zip(row) {
                sums[i] = sums[i].checked_add(g.checked_abs()?)?;
                if i != j {
                    sums[j] = sums[j].checked_add(g.checked_abs()?)?;
                }
            }
        }
        let most = sums.into_iter().max().unwrap_or(0);
        // |W| <= 2^e (sqrt(most) + error).
        let root = &sqrt_above(&BigRational::from_integer(most.into()), 64) + &Dyadic::natural(gram.error);
        let exact = Dyadic::below(&BigRational::from_integer(most.into()), 128);
        Some(if gram.error == 0 { exact.scaled(2 * gram.exponent) } else { (&root * &root).scaled(2 * gram.exponent) })
    }

    /// `|W v|^2 / |v|^2`, at most the square of the spectral norm. `None`: a zero vector or one of another length.
    pub fn rayleigh_quotient(&self, vector: &[BigInt]) -> Option<BigRational> {
        let norm: BigInt = vector.iter().map(|x| x * x).sum();
        if vector.len() != self.columns || norm.is_zero() {
            return None;
        }
        let vector: Vec<Dyadic> = vector.iter().map(|x| Dyadic::from_parts(x.clone(), 0)).collect::<Option<_>>()?;
        let mut total = Dyadic::ZERO;
        for row in &self.rows {
            let mut image = Dyadic::ZERO;
            for (j, w) in row {
                image = &image + &(w * vector.get(*j)?);
            }
            total = &total + &(&image * &image);
        }
        Some(total.to_rational() / BigRational::from_integer(norm))
    }

    /// Whether the square of the spectral norm is proved to be at most `square`.
    pub fn is_spectral_at_most(&self, square: &Dyadic) -> bool {
        !square.is_negative() && Gram::of(self).and_then(|gram| gram.is_at_most(square)).unwrap_or(false)
    }
}

/// Bits of the entries of the rounded matrix: products of two have 112, and 2^14 of them may be added.
const ENTRY_BITS: i64 = 56;

/// The Gram matrix of `V`, where `W = 2^exponent (V + E)` with integers `V` and `|E|_F <= error`.
struct Gram {
    exponent: i64,
    error: u64,
    /// First column of every row, and the lower triangle from there.
    first: Vec<usize>,
    lower: Vec<Vec<i128>>,
}

impl Gram {
    /// `None` when a sum leaves 128 bits.
    fn of(operator: &Operator) -> Option<Gram> {
        let entries = || operator.rows.iter().flatten().map(|(_, w)| w);
        let largest = entries().filter_map(Dyadic::magnitude).max().unwrap_or(0);
        // The grid of the entries themselves, when it is not too fine.
        let finest = entries().map(|w| w.parts().map_or(i64::MIN, |(_, exponent)| exponent)).min().unwrap_or(0);
        let exponent = finest.max(largest - ENTRY_BITS);
        let mut inexact = 0u64;
        let mut integer = |w: &Dyadic| -> Option<i64> {
            inexact += u64::from(w.parts().is_none_or(|(_, e)| e < exponent));
            // The floor is off by less than one.
            i64::try_from(w.floor_scaled(-exponent)?).ok()
        };
        let mut rows: Vec<Vec<(usize, i64)>> = Vec::with_capacity(operator.rows.len());
        for row in &operator.rows {
            rows.push(row.iter().map(|(j, w)| Some((*j, integer(w)?))).collect::<Option<_>>()?);
        }
        let mut order = operator.columns;
        if rows.len() < order {
            let mut turned = vec![Vec::new(); order];
            for (i, row) in rows.iter().enumerate() {
                for (j, v) in row {
                    turned.get_mut(*j)?.push((i, *v));
                }
            }
            order = rows.len();
            rows = turned;
        }
        let mut first: Vec<usize> = (0..order).collect();
        for row in &rows {
            let Some((least, _)) = row.first() else { continue };
            for (j, _) in row {
                let first = first.get_mut(*j)?;
                *first = (*least).min(*first);
            }
        }
        let mut lower: Vec<Vec<i128>> = first.iter().enumerate().map(|(i, f)| vec![0; i - f + 1]).collect();
        for row in &rows {
            for (p, (i, v)) in row.iter().enumerate() {
                for (j, w) in &row[..=p] {
                    let entry = lower.get_mut(*i)?.get_mut(j.checked_sub(first[*i])?)?;
                    *entry = entry.checked_add(i128::from(*v) * i128::from(*w))?;
                }
            }
        }
        // |E|_F <= sqrt(inexact).
        let root = inexact.isqrt();
        let error = root + u64::from(root * root < inexact);
        Some(Gram { exponent, error, first, lower })
    }

    /// `|V|^2 <= m` is proved by `m I - G >= 0`, and suffices when `sqrt(m) + error <= sqrt(s)`, where `s` is `square` in units of
    /// the grid: `m = s - 2 error sqrt(s)` is at most `(sqrt(s) - error)^2`, and its being positive gives `sqrt(s) > error`.
    fn is_at_most(&self, square: &Dyadic) -> Option<bool> {
        if self.lower.iter().flatten().all(|g| *g == 0) && self.error == 0 {
            return Some(true);
        }
        let s = square.scaled(-2 * self.exponent);
        let loss = &Dyadic::natural(self.error).scaled(1) * &sqrt_above(&s.to_rational(), 64);
        let m = &s - &loss;
        if !m.is_positive() {
            return Some(false);
        }
        let shift = 2 * DIGITS - m.magnitude()?;
        let diagonal = m.floor_scaled(shift)?;
        let mut matrix = Symmetric::new(self.first.len());
        for (i, row) in self.lower.iter().enumerate() {
            matrix.add(i, i, diagonal)?;
            for (j, g) in (self.first[i]..).zip(row).filter(|(_, g)| **g != 0) {
                matrix.add(i, j, shifted(g.checked_neg()?, shift)?)?;
            }
        }
        Some(matrix.is_semidefinite())
    }
}

/// `floor(g 2^shift)`; `None` beyond 126 bits.
fn shifted(g: i128, shift: i64) -> Option<i128> {
    if shift <= 0 {
        return Some(g >> shift.unsigned_abs().min(127));
    }
    let places = u32::try_from(shift).ok()?;
    let bits = 128 - g.unsigned_abs().leading_zeros();
    if g == 0 { Some(0) } else { (bits.checked_add(places)? <= 126).then(|| g << places) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operator(columns: usize, entries: &[i64]) -> Operator {
        let rows = entries.chunks(columns).map(|row| {
            row.iter().enumerate().filter(|(_, w)| **w != 0).map(|(j, w)| (j, Dyadic::integer(*w))).collect()
        });
        Operator { columns, rows: rows.collect() }
    }

    #[test]
    fn the_spectral_norm_of_small_matrices_is_met_from_above_only() {
        // diag(3, 4) and the rank-one [[1, 2], [2, 4], [3, 6]] of squared norm 14 * 5.
        for (columns, entries, square) in
            [(2, &[3, 0, 0, 4][..], 16), (2, &[1, 2, 2, 4, 3, 6], 70), (3, &[1, 2, 3, 2, 4, 6], 70), (1, &[0, 0], 0)]
        {
            let operator = operator(columns, entries);
            let exact = Dyadic::integer(square);
            let above = &exact * &(&Dyadic::ONE + &Dyadic::ONE.scaled(-40));
            assert!(operator.is_spectral_at_most(&above), "{entries:?}");
            let below = &exact * &(&Dyadic::ONE - &Dyadic::ONE.scaled(-40));
            assert!(square == 0 || !operator.is_spectral_at_most(&below), "{entries:?}");
            assert!(operator.gram_sum().is_some_and(|g| g >= exact) && operator.schur() >= exact);
        }
    }

    #[test]
    fn entries_beyond_the_grid_are_paid_for() {
        // sqrt(1 + 2^-100) does not fit the grid beside 1.
        let row: Row = vec![(0, Dyadic::ONE), (1, Dyadic::ONE.scaled(-50)), (2, Dyadic::ONE.scaled(-400))];
        let operator = Operator { columns: 3, rows: vec![row] };
        assert!(!operator.is_spectral_at_most(&Dyadic::ONE));
        assert!(operator.is_spectral_at_most(&(&Dyadic::ONE + &Dyadic::ONE.scaled(-48))));
        assert!(operator.gram_sum().is_some_and(|g| g > Dyadic::ONE));
    }
}
