//! Products of matrices with an a-priori error bound that holds for every order of summation.
//!
//! Trust: untrusted.
//!
//! The products themselves come from a fast kernel (blocked, vectorized, fused or not). What is assumed of it: every entry is
//! evaluated by some tree of rounded additions over the rounded products, each possibly fused with an addition. Strassen-like
//! algorithms are excluded. Then, with u = 2^-53, eta = 2^-1074, gamma_k = k u/(1 - k u), a finite computed s of x . y satisfies
//!
//!   |s - x . y| <= gamma_k |x| . |y| + k eta   (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1, with underflow),
//!
//! because each product passes at most k - 1 additions and one rounding of its own, errors of underflowing products at most
//! double on the way, and no NaN or infinity can turn finite again.

use super::error::NumError;
use super::interval::Interval;
use super::matrix::{Matrix, MidRad};
use super::round::{ETA, U, add_down, add_up, mul_down, mul_up, sub_down};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

/// The greatest inner size for which the bounds are proved.
pub const MAX_INNER: usize = 1 << 25;

fn fit(a: &Matrix, b: &Matrix) -> Result<usize, NumError> {
    if a.cols() != b.rows() {
        return Err(NumError::Shape {
            expected: format!("a right factor of {} rows", a.cols()),
            found: format!("{} rows", b.rows()),
        });
    }
    if a.cols() > MAX_INNER {
        return Err(NumError::TooLarge { what: "an inner size", limit: MAX_INNER as u64 });
    }
    Ok(a.cols())
}

/// c := c + sign a b, or a b for `sign` = 0, in some order of summation. The caller has matched the shapes.
pub(crate) fn accumulate(sign: f64, a: &ArrayView2<'_, f64>, b: &ArrayView2<'_, f64>, c: &mut ArrayViewMut2<'_, f64>) {
    // A factor of 1 or -1 and an addition to the old entry are one more node of the tree; beta = 0 overwrites.
    let (alpha, beta) = if sign == 0.0 { (1.0, 0.0) } else { (sign, 1.0) };
    general_mat_mul(alpha, a, b, beta, c);
}

/// fl(a b) entry by entry, without any bound and possibly with infinities.
fn rounded(a: &ArrayView2<'_, f64>, b: &ArrayView2<'_, f64>) -> Result<Vec<f64>, NumError> {
    let (rows, cols) = (a.nrows(), b.ncols());
    let mut data = vec![0.0; rows.saturating_mul(cols)];
    let mut c = ArrayViewMut2::from_shape((rows, cols), &mut data).map_err(|_| NumError::NotFinite)?;
    accumulate(0.0, a, b, &mut c);
    Ok(data)
}

/// The product rounded in some order: a proposal, not an enclosure.
///
/// # Errors
/// `Shape` if the inner sizes differ, `NotFinite` if an entry overflows.
pub fn product(a: &Matrix, b: &Matrix) -> Result<Matrix, NumError> {
    fit(a, b)?;
    Matrix::new(a.rows(), b.cols(), rounded(&a.view()?, &b.view()?)?).map_err(|_| NumError::NotFinite)
}

/// The symmetric matrix of the products of columns, fl(A'A) above and on the diagonal, mirrored below. `a` is row-major with
/// `cols` columns; every entry obeys the bound at the top of this module.
pub(crate) fn gram(a: &ArrayView2<'_, f64>) -> Result<Vec<f64>, NumError> {
    // Strips of rows of the result, each from the diagonal rightwards: about half the work of the full product.
    const STRIP: usize = 64;
    let n = a.ncols();
    let mut data = vec![0.0; n.saturating_mul(n)];
    for (k, strip) in data.chunks_mut(STRIP.saturating_mul(n).max(1)).enumerate() {
        let (left, height) = (k * STRIP, strip.len() / n);
        let mut c = ArrayViewMut2::from_shape((height, n), strip).map_err(|_| NumError::NotFinite)?;
        let columns = a.slice_axis(Axis(1), Slice::from(left..left + height));
        let right = Slice::from(left..);
        accumulate(0.0, &columns.t(), &a.slice_axis(Axis(1), right), &mut c.slice_axis_mut(Axis(1), right));
    }
    let mut done = 1;
    while done < n {
        let (above, below) = data.split_at_mut(done * n);
        for (target, row) in below.iter_mut().take(done).zip(above.chunks_exact(n)) {
            *target = row.get(done).copied().unwrap_or(f64::NAN);
        }
        done += 1;
    }
    Ok(data)
}

/// x . y in some order of summation, without any bound.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    // Independent partial sums let the compiler vectorize.
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let tail = xs.remainder().iter().zip(ys.remainder()).fold(0.0, |sum, (a, b)| sum + a * b);
    for (a, b) in xs.zip(ys) {
        for ((sum, p), q) in sums.iter_mut().zip(a).zip(b) {
            *sum += p * q;
        }
    }
    sums.iter().fold(tail, |total, sum| total + sum)
}

/// Bounds of the sum of squares, below and above.
///
/// For a block of k squares with float sum s the exact T obeys (1 - u)^k T - k eta <= s <= (1 + u)^k T + k eta, so
/// (s - k eta)(1 - k u) <= T <= (s + k eta)(1 + (k + 1) u) for k (k + 1) u <= 1; block sums are added outward.
pub(crate) fn sum_of_squares(x: &[f64]) -> (f64, f64) {
    const BLOCK: usize = 4096;
    let (mut lo, mut hi) = (0.0, 0.0);
    for block in x.chunks(BLOCK) {
        let (s, k) = (dot(block, block), block.len() as f64);
        lo = add_down(lo, mul_down(sub_down(s, k * ETA), 1.0 - k * U));
        hi = add_up(hi, mul_up(add_up(s, k * ETA), add_up(1.0, (k + 1.0) * U)));
    }
    (if lo > 0.0 { lo } else { 0.0 }, hi)
}

/// The entrywise magnitude.
fn magnitude(a: &Matrix) -> Vec<f64> {
    a.data().iter().map(|x| x.abs()).collect()
}

/// An enclosure of the product of two exact matrices, at the cost of two products.
///
/// With p = fl(|x| . |y|) in any order and k <= 2^26 the radius fl(fl((k + 2) u p) + (2k + 2) eta) suffices. Since p is at least
/// (1 - u)^k |x| . |y| - k eta, the error is at most gamma_k (1 + gamma_k)(p + k eta) + k eta; and (1 - u)^2 (k + 2) is at least
/// k/(1 - k u)^2 because (k + 1)(k + 2) u <= 1, while (1 - u)(2k + 3/2) eta >= k eta (1 + gamma_k (1 + gamma_k)).
///
/// # Errors
/// `Shape` if the inner sizes differ, `TooLarge` beyond [`MAX_INNER`], `NotFinite` if an entry or a radius overflows.
pub fn product_enclosure(a: &Matrix, b: &Matrix) -> Result<MidRad, NumError> {
    let k = fit(a, b)? as f64;
    let mid = product(a, b)?;
    let (abs_a, abs_b) =
        (Matrix::new(a.rows(), a.cols(), magnitude(a))?, Matrix::new(b.rows(), b.cols(), magnitude(b))?);
    let bound = product(&abs_a, &abs_b)?;
    // (k + 2) u and (2k + 2) eta are floats.
    let rad = bound.data().iter().map(|p| (k + 2.0) * U * p + (2.0 * k + 2.0) * ETA).collect();
    MidRad::new(mid, Matrix::new(bound.rows(), bound.cols(), rad).map_err(|_| NumError::NotFinite)?)
}

/// An enclosure of all products of a member of `a` and a member of `b`, at the cost of three products.
///
/// With C = fl(mA mB), S = fl(fl(fl((k + 4) u |mB|) + eta) + rB), T = fl(|mB| + rB), P1 = fl(|mA| S), P2 = fl(rA T) the radius is
/// R = fl(fl(fl(P1 + P2) (1 + (2k + 12) u)) + (8k + 8) eta). It suffices for k <= 2^25:
/// A B - mA mB = (A - mA) B + mA (B - mB), so |A B - C| <= |mA| rB + rA (|mB| + rB) + gamma_k |mA| |mB| + k eta. Here
/// (k + 4) u >= gamma_k and the inner eta repays an underflow of (k + 4) u |mB| *before* it is multiplied by |mA| (without it
/// the radius fails for |mA| near 1e300 and |mB| near 2^-1030). P1 + P2 >= (1 - u)^k (|mA| S + rA T) - 2k eta, S and T lose at most
/// three roundings, the last steps three; 1 + (2k + 12) u pays for all k + 6, and (8k + 8) eta for the rest.
///
/// # Errors
/// `Shape` if the inner sizes differ, `TooLarge` beyond [`MAX_INNER`], `NotFinite` if an entry or a radius overflows.
pub fn enclosure(a: &MidRad, b: &MidRad) -> Result<MidRad, NumError> {
    let k = fit(a.mid(), b.mid())? as f64;
    let mid = product(a.mid(), b.mid())?;
    let pairs = || b.mid().data().iter().zip(b.rad().data());
    let shape = |m: &Matrix, data: Vec<f64>| Matrix::new(m.rows(), m.cols(), data).map_err(|_| NumError::NotFinite);
    let s = shape(b.mid(), pairs().map(|(m, r)| ((k + 4.0) * U * m.abs() + ETA) + r).collect())?;
    let p1 = product(&shape(a.mid(), magnitude(a.mid()))?, &s)?;
    let exact_left = a.rad().data().iter().all(|r| *r == 0.0);
    let sum = if exact_left {
        // P2 is exactly zero.
        p1.data().to_vec()
    } else {
        let t = shape(b.mid(), pairs().map(|(m, r)| m.abs() + r).collect())?;
        let p2 = product(a.rad(), &t)?;
        p1.data().iter().zip(p2.data()).map(|(x, y)| x + y).collect()
    };
    // 1 + (2k + 12) u = 1 + (k + 6) 2u is a float.
    let inflation = 1.0 + (2.0 * k + 12.0) * U;
    let rad = sum.iter().map(|p| p * inflation + (8.0 * k + 8.0) * ETA).collect();
    MidRad::new(mid, shape(&p1, rad)?)
}

/// Enclosures of the entries of A x.
///
/// # Errors
/// `Shape` if x has another length than A has columns, `NotFinite` for an unbounded entry of x or an overflow.
pub fn matvec(a: &Matrix, x: &[Interval]) -> Result<Vec<Interval>, NumError> {
    let column = MidRad::from_intervals(x.len(), 1, x)?;
    Ok(enclosure(&MidRad::point(a.clone()), &column)?.to_intervals())
}
