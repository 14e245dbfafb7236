//! A positive-semidefiniteness test in integers. Trust: kernel.
//!
//! The test factors an integer matrix `A` as `L L' + R` with integer `L` (a Cholesky factorization whose divisions are rounded)
//! and accepts when `R` is diagonally dominant with a nonnegative diagonal. Then `R` is positive semidefinite by Gershgorin's
//! circle theorem (1931), so is `L L'`, and so is `A`. No property of the rounding is used: `R` is the exact difference.
//!
//! Rows are stored from their first nonzero column (a profile); a Cholesky factor has the same profile.

/// Binary digits of one unit of the factor `L`; entries of `A` are on the grid `2^(-2 * DIGITS)` relative to a unit diagonal.
pub const DIGITS: i64 = 57;

/// A bound of the factor's entries, so that one product stays below `2^122`.
const FACTOR_LIMIT: i128 = 1 << 61;

/// A symmetric integer matrix, lower triangle, with a bound of the error of each row.
#[derive(Clone, Debug)]
pub struct Symmetric {
    first: Vec<usize>,
    rows: Vec<Vec<i128>>,
    error: Vec<i128>,
}

impl Symmetric {
    /// The zero matrix whose row `i` may be nonzero in the columns `first[i]..=i`. `first[i]` above `i` counts as `i`.
    pub fn new(first: Vec<usize>) -> Symmetric {
        let first: Vec<usize> = first.iter().enumerate().map(|(i, &f)| f.min(i)).collect();
        let rows = first.iter().enumerate().map(|(i, &f)| vec![0; i - f + 1]).collect();
        let error = vec![0; first.len()];
        Symmetric { first, rows, error }
    }

    pub fn order(&self) -> usize {
        self.first.len()
    }

    /// Adds `value` to the entries `(i, j)` and `(j, i)`; the true number may exceed `value` by less than one unit, in either
    /// direction. `None` outside the profile or on overflow.
    pub fn add(&mut self, i: usize, j: usize, value: i128) -> Option<()> {
        let (row, column) = if i >= j { (i, j) } else { (j, i) };
        let first = *self.first.get(row)?;
        let entry = self.rows.get_mut(row)?.get_mut(column.checked_sub(first)?)?;
        *entry = entry.checked_add(value)?;
        self.error[row] = self.error[row].checked_add(1)?;
        if row != column {
            self.error[column] = self.error[column].checked_add(1)?;
        }
        Some(())
    }

    /// Whether every symmetric matrix within the stated error of this one is proved positive semidefinite. `false` proves nothing.
    pub fn is_semidefinite(&self) -> bool {
        self.certify().unwrap_or(false)
    }

    fn certify(&self) -> Option<bool> {
        let n = self.order();
        // Rows below `i` that reach column `i`: every one of them leaves a remainder of at most half of L_ii there.
        let mut below = vec![0i128; n + 1];
        for (i, &first) in self.first.iter().enumerate() {
            below[first] += 1;
            below[i] -= 1;
        }
        let mut reach = 0;
        let mut factor: Vec<Vec<i64>> = Vec::with_capacity(n);
        let mut load: Vec<i128> = self.error.clone();
        let mut slack: Vec<i128> = Vec::with_capacity(n);
        for i in 0..n {
            reach += below[i];
            let first = self.first[i];
            let mut row: Vec<i64> = Vec::with_capacity(i - first + 1);
            for j in first..i {
                let other = &factor[j];
                let start = first.max(self.first[j]);
                let entry = self.rows[i][j - first];
                let rest =
                    entry.checked_sub(dot(&row[start - first..], &other[start - self.first[j]..j - self.first[j]])?)?;
                let pivot = i128::from(other[j - self.first[j]]);
                let quotient = rounded_quotient(rest, pivot)?;
                if quotient.abs() >= FACTOR_LIMIT {
                    return Some(false);
                }
                let remainder = rest.checked_sub(quotient.checked_mul(pivot)?)?.checked_abs()?;
                load[i] = load[i].checked_add(remainder)?;
                load[j] = load[j].checked_add(remainder)?;
                row.push(quotient as i64);
            }
            let rest = self.rows[i][i - first].checked_sub(dot(&row, &row)?)?;
            if rest <= 0 {
                return Some(false);
            }
            let most = rest.isqrt();
            // Leave room for the remainders that later rows will put into column i.
            let room = load[i].checked_add(reach.checked_mul(most / 2 + 1)?)?;
            let square = rest.checked_sub(room)?;
            if square <= 0 {
                return Some(false);
            }
            let pivot = square.isqrt();
            if pivot <= 0 || pivot >= FACTOR_LIMIT {
                return Some(false);
            }
            slack.push(rest.checked_sub(pivot.checked_mul(pivot)?)?);
            row.push(pivot as i64);
            factor.push(row);
        }
        Some(slack.iter().zip(&load).all(|(slack, load)| slack >= load))
    }
}

/// Sum of products over the common prefix of two slices; `None` on overflow.
fn dot(a: &[i64], b: &[i64]) -> Option<i128> {
    let mut sum: i128 = 0;
    for (x, y) in a.iter().zip(b) {
        sum = sum.checked_add(i128::from(*x) * i128::from(*y))?;
    }
    Some(sum)
}

/// An integer next to `a / b` for `b > 0`.
fn rounded_quotient(a: i128, b: i128) -> Option<i128> {
    a.checked_add(b / 2)?.checked_div_euclid(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use num_traits::{Signed, Zero};
    use proptest::prelude::*;

    fn dense(a: &[Vec<i128>]) -> Symmetric {
        let mut matrix = Symmetric::new(vec![0; a.len()]);
        for (i, row) in a.iter().enumerate() {
            for (j, &entry) in row.iter().enumerate().take(i + 1) {
                matrix.add(i, j, entry).unwrap();
            }
        }
        matrix
    }

    /// Exact: all pivots of the rational LDL' elimination are nonnegative, and a zero pivot has a zero column.
    fn semidefinite(a: &[Vec<i128>]) -> bool {
        let n = a.len();
        let mut m: Vec<Vec<BigRational>> =
            a.iter().map(|row| row.iter().map(|&x| BigRational::from_integer(BigInt::from(x))).collect()).collect();
        for k in 0..n {
            if m[k][k].is_negative() || (m[k][k].is_zero() && (k + 1..n).any(|i| !m[i][k].is_zero())) {
                return false;
            }
            if m[k][k].is_zero() {
                continue;
            }
            for i in k + 1..n {
                let ratio = &m[i][k] / &m[k][k];
                let pivot = m[k].clone();
                for (entry, pivot) in m[i].iter_mut().zip(&pivot).skip(k + 1) {
                    *entry -= &ratio * pivot;
                }
            }
        }
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn never_accepts_an_indefinite_matrix(
            n in 1usize..5,
            entries in prop::collection::vec(-9i128..10, 16),
            shift in -6i128..7,
            scale in 0u32..80,
            nudge in -3i128..4,
        ) {
            // B B' + shift I has exact semidefinite and slightly indefinite members.
            let b: Vec<&[i128]> = entries.chunks(4).take(n).collect();
            let a: Vec<Vec<i128>> = (0..n).map(|i| (0..n).map(|j| {
                let product: i128 = b[i].iter().zip(b[j]).map(|(x, y)| x * y).sum();
                (product << scale) + if i == j { shift + nudge } else { 0 }
            }).collect()).collect();
            if dense(&a).is_semidefinite() {
                prop_assert!(semidefinite(&a));
            }
        }
    }

    #[test]
    fn accepts_down_to_a_tiny_slack() {
        // The singular matrix [[1, 1], [1, 1]] plus slack on the diagonal, on the grid of unit 2^(2 DIGITS).
        let one = 1i128 << (2 * DIGITS);
        let with = |slack: i128| dense(&[vec![one + slack, one], vec![one, one + slack]]);
        assert!(with(one >> 50).is_semidefinite());
        assert!(!with(0).is_semidefinite());
        assert!(!with(-1).is_semidefinite());
    }

    #[test]
    fn refuses_overflow_and_foreign_entries() {
        let mut matrix = Symmetric::new(vec![0, 1]);
        assert!(matrix.add(1, 0, 1).is_none());
        assert!(matrix.add(2, 0, 1).is_none());
        assert!(matrix.add(0, 0, i128::MAX).is_some());
        assert!(matrix.add(0, 0, 1).is_none());
        assert!(!matrix.is_semidefinite());
    }
}
