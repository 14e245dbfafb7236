//! Floating Cholesky factorization as a proof of positive semidefiniteness.
//!
//! Trust: untrusted.
//!
//! A plain Cholesky factorization that completes proves nothing: rounding can hide a negative eigenvalue. What it does prove is
//! a lower bound of the least eigenvalue, so the matrix is shifted down first.
//!
//! # The theorem
//!
//! Notation: u = 2^-53, eta = 2^-1074, gamma_k = k u/(1 - k u). Rump, *Verification of positive definiteness* (2006), gives a
//! criterion of this form; the constants here follow from the proof below.
//!
//! *Factorization error.* If the factorization of A (any order, any blocking, fused or not, division by r_ii or multiplication
//! by fl(1/r_ii)) completes, then R'R = A + D with |D_ij| <= gamma_{min(i,j)+1} (|R|'|R|)_ij + omega, i, j counted from 1. For
//! entry (i, j), i <= j, the sum has the leaf a_ij and i - 1 products; divide by the roundings on the path of a_ij: every
//! other leaf keeps at most i - 1 factors; the division or reciprocal adds at most two, the square root two. Underflow: eta/2 for
//! each product, doubled at most, and r_ii eta/2 for the division, so omega <= (n + r_max) eta. (Higham, Theorem 10.3.)
//!
//! *Eigenvalue bound.* The diagonal of R'R = A + D gives |r_j|^2 <= a_jj/(1 - gamma_{j+1}), so |D_ij| <= sqrt(alpha_i a_ii)
//! sqrt(alpha_j a_jj) with alpha_i = gamma_{i+1}/(1 - gamma_{i+1}): a rank-one majorant of norm sum alpha_i a_ii. Hence
//! lambda_min(A) >= - sum alpha_i a_ii - n (n + 2 + r_max) eta.
//!
//! *Certificate.* Let all a_ii > 0, n <= 2^19, t = fl(sum fl((i + 2) a_ii)) in [1e-200, 1e200], c = fl(t fl(u (1 + 1e-9))), and A~ be
//! A with the diagonal inf(fl(a_ii - c)). If the factorization of A~ completes, A is positive semidefinite. Indeed alpha_i <= (i + 2) u, and t
//! and c lose at most n + 4 roundings, so c >= (1 + 4e-10) sum alpha_i a_ii; the surplus exceeds the underflow terms because
//! the trace is at least 1e-206; and A - c I - A~ is a nonnegative diagonal, so lambda_min(A) >= c + lambda_min(A~) >= 0.
//!
//! No NaN or infinity survives: each r_ij enters the pivot of column j as -r_ij^2, so the test `s > 0` fails.

use super::error::NumError;
use super::matrix::{Matrix, view};
use super::product::accumulate;
use super::round::{U, inf};
use ndarray::{ArrayViewMut2, Axis, Slice};

/// The greatest order for which the certificate is proved.
pub const MAX_ORDER: usize = 1 << 19;

/// Rows that are eliminated together before the rest is updated by a matrix product.
const PANEL: usize = 32;
/// Rows of the rest that are updated by one product; the part below the diagonal of such a strip is computed in vain.
const STRIP: usize = 64;

/// The upper triangular R of A = R'R in floating point, reading the upper triangle only; `None` if a pivot is not positive.
///
/// A proposal: it completes for some matrices that are not positive definite.
///
/// # Errors
/// `Shape` if the matrix is not square.
pub fn factor(a: &Matrix) -> Result<Option<Matrix>, NumError> {
    let n = square(a)?;
    let mut data = a.data().to_vec();
    if !eliminate(&mut data, n)? {
        return Ok(None);
    }
    for (i, row) in data.chunks_exact_mut(n).enumerate() {
        row.iter_mut().take(i).for_each(|x| *x = 0.0);
    }
    Matrix::new(n, n, data).map(Some)
}

/// True proves that the symmetric matrix A is positive semidefinite; false proves nothing.
///
/// Fails where the least eigenvalue is below about twice c, which is n (n + 5)/2 u times the mean of the diagonal.
///
/// # Errors
/// `Shape` if the matrix is not square or not symmetric, `TooLarge` beyond [`MAX_ORDER`].
pub fn certainly_psd(a: &Matrix) -> Result<bool, NumError> {
    let n = square(a)?;
    for (i, row) in a.iter_rows().enumerate() {
        for (j, x) in row.iter().enumerate().skip(i + 1) {
            if a.get(j, i) != Some(*x) {
                return Err(NumError::Shape {
                    expected: "a symmetric matrix".to_owned(),
                    found: format!("different entries ({i}, {j}) and ({j}, {i})"),
                });
            }
        }
    }
    certify(&mut a.data().to_vec(), n)
}

fn square(a: &Matrix) -> Result<usize, NumError> {
    if a.rows() != a.cols() {
        return Err(NumError::Shape {
            expected: "a square matrix".to_owned(),
            found: format!("{} by {}", a.rows(), a.cols()),
        });
    }
    Ok(a.rows())
}

/// The shift c of the certificate, or `None` where its hypotheses fail.
fn shift(a: &[f64], n: usize) -> Option<f64> {
    let mut sum = 0.0;
    for (i, row) in a.chunks_exact(n).enumerate() {
        // NaN fails the comparison too.
        let diagonal = row.get(i).copied().filter(|x| *x > 0.0)?;
        // Counted from 0, row i has weight i + 3.
        sum += (i as f64 + 3.0) * diagonal;
    }
    (1e-200..=1e200).contains(&sum).then_some(sum * (U * (1.0 + 1e-9)))
}

/// The certificate for the upper triangle of the row-major `a`, whose entries are finite. Overwrites `a`.
pub(crate) fn certify(a: &mut [f64], n: usize) -> Result<bool, NumError> {
    if n > MAX_ORDER {
        return Err(NumError::TooLarge { what: "the order of a matrix", limit: MAX_ORDER as u64 });
    }
    let Some(c) = shift(a, n) else { return Ok(false) };
    for (i, row) in a.chunks_exact_mut(n).enumerate() {
        if let Some(x) = row.get_mut(i) {
            *x = inf(*x - c);
        }
    }
    eliminate(a, n)
}

/// Overwrites the upper triangle by R; false as soon as a pivot is not positive. What lies below the diagonal is scratch.
fn eliminate(a: &mut [f64], n: usize) -> Result<bool, NumError> {
    let mut start = 0;
    let mut rest = a;
    while start < n {
        let height = PANEL.min(n - start);
        let (panel, below) = rest.split_at_mut(height * n);
        if !eliminate_panel(panel, n, start) {
            return Ok(false);
        }
        let next = start + height;
        update(&view(height, n, panel)?, below, n, next)?;
        start = next;
        rest = below;
    }
    Ok(true)
}

/// Factors the rows of `panel`, the first of which has its pivot in column `start`.
fn eliminate_panel(panel: &mut [f64], n: usize, start: usize) -> bool {
    let mut rest = panel;
    let mut column = start;
    while !rest.is_empty() {
        let (row, below) = rest.split_at_mut(n);
        let Some((pivot, right)) = row.get_mut(column..).and_then(|r| r.split_first_mut()) else { return false };
        // Written so that NaN fails.
        if !(*pivot > 0.0 && *pivot < f64::INFINITY) {
            return false;
        }
        *pivot = pivot.sqrt();
        let reciprocal = 1.0 / *pivot;
        right.iter_mut().for_each(|x| *x *= reciprocal);
        for (k, target) in below.chunks_exact_mut(n).enumerate() {
            let Some((&factor, tail)) = right.get(k..).and_then(|r| r.split_first()) else { return false };
            let Some((diagonal, others)) = target.get_mut(column + 1 + k..).and_then(|r| r.split_first_mut()) else {
                return false;
            };
            *diagonal -= factor * factor;
            others.iter_mut().zip(tail).for_each(|(x, y)| *x -= factor * y);
        }
        column += 1;
        rest = below;
    }
    true
}

/// Subtracts R'R of the finished panel from the upper triangle of the rows below, whose first row has number `next`.
fn update(panel: &ndarray::ArrayView2<'_, f64>, below: &mut [f64], n: usize, next: usize) -> Result<(), NumError> {
    for (k, strip) in below.chunks_mut(STRIP * n).enumerate() {
        let left = next + k * STRIP;
        let height = strip.len() / n;
        let mut target = ArrayViewMut2::from_shape((height, n), strip)
            .map_err(|_| NumError::Shape { expected: format!("{height} rows"), found: "others".to_owned() })?;
        let factor = panel.slice_axis(Axis(1), Slice::from(left..left + height));
        let right = Slice::from(left..);
        accumulate(-1.0, &factor.t(), &panel.slice_axis(Axis(1), right), &mut target.slice_axis_mut(Axis(1), right));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The family that a shift of a hundredth of c would let pass, so the constant is tested by something that can fail:
    /// [[I, v], [v', 1]] with v = (t, ..., t, 1 - k 2^-53), t^2 just under half a unit of 1, |v| > 1. Random matrices do not show it.
    fn absorbing(n: usize) -> Vec<f64> {
        let k = ((n - 2) as f64 * 0.9998 / 4.0 - 0.05).floor();
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 1.0;
            let v = if i + 2 == n { 1.0 - k * U } else { 0.9999 * 2f64.powi(-27) };
            if i + 1 < n {
                a[i * n + n - 1] = v;
            }
        }
        a
    }

    fn passes(n: usize, part: f64) -> bool {
        let mut a = absorbing(n);
        let c = part * shift(&a, n).unwrap();
        for i in 0..n {
            a[i * n + i] = inf(a[i * n + i] - c);
        }
        eliminate(&mut a, n).unwrap()
    }

    #[test]
    fn a_hundredth_of_the_shift_is_not_enough() {
        assert!(passes(24, 0.0));
        assert!(passes(24, 0.01));
        assert!(!passes(24, 1.0));
        assert!(certify(&mut absorbing(24), 24) == Ok(false));
    }

    /// The blocked elimination is the textbook one up to rounding, at orders around the panel and strip heights.
    #[test]
    fn blocked_and_plain_elimination_agree() {
        for n in [1, 5, 31, 32, 33, 63, 64, 65, 100, 161] {
            let entry = |i: usize, j: usize| if i == j { 2.0 * n as f64 } else { ((i * j) % 7) as f64 / 7.0 - 0.4 };
            let mut blocked: Vec<f64> = (0..n * n).map(|k| entry((k / n).min(k % n), (k / n).max(k % n))).collect();
            let mut plain = blocked.clone();
            for j in 0..n {
                for i in 0..=j {
                    let s = (0..i).fold(plain[i * n + j], |s, k| s - plain[k * n + i] * plain[k * n + j]);
                    plain[i * n + j] = if i == j { s.sqrt() } else { s / plain[i * n + i] };
                }
            }
            assert_eq!(eliminate(&mut blocked, n), Ok(true));
            for i in 0..n {
                for j in i..n {
                    assert!((blocked[i * n + j] - plain[i * n + j]).abs() < 1e-12 * n as f64, "{n} {i} {j}");
                }
            }
        }
    }
}
