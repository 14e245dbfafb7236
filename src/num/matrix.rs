//! Dense matrices of f64, their elementary operator norms, and matrices of intervals in midpoint-radius form.
//!
//! Trust: untrusted. Norms are enclosures: sums run over ends rounded outward.

use super::error::NumError;
use super::interval::Interval;
use super::round::{add_down, add_up, sub_down};
use ndarray::ArrayView2;

/// A dense matrix, row-major, with at least one row and column and finite entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// The matrix whose row i is `data[i * cols .. (i + 1) * cols]`.
    ///
    /// # Errors
    /// `Shape` for an empty matrix or a length other than `rows * cols`; `NotANumber`, `NotFinite` for such an entry.
    pub fn new(rows: usize, cols: usize, data: Vec<f64>) -> Result<Matrix, NumError> {
        if rows == 0 || cols == 0 || rows.checked_mul(cols) != Some(data.len()) {
            return Err(NumError::Shape {
                expected: format!("{rows} times {cols} entries, at least one"),
                found: format!("{} entries", data.len()),
            });
        }
        if data.iter().any(|x| x.is_nan()) {
            return Err(NumError::NotANumber);
        }
        if data.iter().any(|x| x.is_infinite()) {
            return Err(NumError::NotFinite);
        }
        Ok(Matrix { rows, cols, data })
    }

    /// The exact matrix of f32 entries (every f32 is an f64). Errors as [`Matrix::new`].
    pub fn from_f32(rows: usize, cols: usize, data: &[f32]) -> Result<Matrix, NumError> {
        Matrix::new(rows, cols, data.iter().map(|&x| f64::from(x)).collect())
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All entries, row by row.
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// The rows in order.
    pub fn iter_rows(&self) -> impl Iterator<Item = &[f64]> {
        self.data.chunks_exact(self.cols)
    }

    /// The entry in row `i`, column `j`, counted from 0.
    pub fn get(&self, i: usize, j: usize) -> Option<f64> {
        if j >= self.cols {
            return None;
        }
        self.data.get(i.checked_mul(self.cols)?.checked_add(j)?).copied()
    }

    /// The transposed matrix.
    pub fn transpose(&self) -> Matrix {
        let mut data = vec![0.0; self.data.len()];
        // Tiles keep both the reads and the writes in the cache.
        const TILE: usize = 16;
        for (tile, rows) in self.data.chunks(TILE * self.cols).enumerate() {
            for j in (0..self.cols).step_by(TILE) {
                for (i, row) in rows.chunks_exact(self.cols).enumerate() {
                    let columns = data.chunks_exact_mut(self.rows).skip(j);
                    for (column, &x) in columns.zip(row.iter().skip(j)).take(TILE) {
                        if let Some(slot) = column.get_mut(tile * TILE + i) {
                            *slot = x;
                        }
                    }
                }
            }
        }
        Matrix { rows: self.cols, cols: self.rows, data }
    }

    /// The largest magnitude of an entry.
    pub fn max_abs(&self) -> f64 {
        self.data.iter().fold(0.0, |most, x| if x.abs() > most { x.abs() } else { most })
    }

    /// The operator norm from l1 to l1: the largest column sum of magnitudes.
    pub fn one_norm(&self) -> Interval {
        let mut sums = vec![(0.0f64, 0.0f64); self.cols];
        for row in self.iter_rows() {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum = add_magnitude(*sum, *x);
            }
        }
        greatest(sums.into_iter())
    }

    /// The operator norm from l-infinity to l-infinity: the largest row sum of magnitudes.
    pub fn infinity_norm(&self) -> Interval {
        greatest(self.iter_rows().map(|row| row.iter().fold((0.0, 0.0), |sum, x| add_magnitude(sum, *x))))
    }

    /// The Frobenius norm.
    pub fn frobenius_norm(&self) -> Interval {
        euclidean_norm(&self.data)
    }

    pub(crate) fn view(&self) -> Result<ArrayView2<'_, f64>, NumError> {
        view(self.rows, self.cols, &self.data)
    }
}

/// A two-dimensional view of a row-major slice.
pub(crate) fn view(rows: usize, cols: usize, data: &[f64]) -> Result<ArrayView2<'_, f64>, NumError> {
    ArrayView2::from_shape((rows, cols), data).map_err(|_| NumError::Shape {
        expected: format!("{rows} times {cols} entries"),
        found: format!("{} entries", data.len()),
    })
}

fn add_magnitude((lo, hi): (f64, f64), x: f64) -> (f64, f64) {
    (add_down(lo, x.abs()), add_up(hi, x.abs()))
}

fn greatest(sums: impl Iterator<Item = (f64, f64)>) -> Interval {
    sums.fold(Interval::ZERO, |most, (lo, hi)| most.max(Interval::enclose(lo, hi)))
}

/// The Euclidean norm of a vector of finite entries.
///
/// Scaled exactly by a power of two first, so squares neither overflow nor, where it matters, underflow.
pub fn euclidean_norm(x: &[f64]) -> Interval {
    let most = x.iter().fold(0.0, |most: f64, x| if x.abs() > most { x.abs() } else { most });
    let (_, e) = super::round::frexp(most);
    let square = |x: &f64| {
        let scaled = super::round::scale_by_power_of_two(*x, -e);
        // An entry that underflows below the normal range may have been rounded: it lies within its neighbours.
        let exact = scaled.abs() >= f64::MIN_POSITIVE || *x == 0.0;
        let (lo, hi) = if exact { (scaled, scaled) } else { (scaled.next_down(), scaled.next_up()) };
        Interval::enclose(lo, hi).sqr()
    };
    let sum = x.iter().fold(Interval::ZERO, |sum, x| sum + square(x));
    let root = sum.sqrt_of_nonnegative().unwrap_or(Interval::ENTIRE);
    unscale(root, e)
}

/// x 2^e outward for x >= 0: the multiplication is exact or rounds once, so the neighbours bound it.
pub(crate) fn unscale(x: Interval, e: i32) -> Interval {
    let scale = |x: f64| super::round::scale_by_power_of_two(x, e);
    let exact = |y: f64| (y.abs() >= f64::MIN_POSITIVE && y.is_finite()) || y == 0.0 && x == Interval::ZERO;
    let (lo, hi) = (scale(x.lo()), scale(x.hi()));
    let lo = if exact(lo) { lo } else { super::round::inf(lo) };
    let hi = if exact(hi) || x.hi() == 0.0 { hi } else { super::round::sup(hi) };
    Interval::enclose(if lo > 0.0 { lo } else { 0.0 }, hi)
}

/// A matrix of intervals: entry (i, j) lies within `rad` of `mid`. Radii are nonnegative and finite.
#[derive(Debug, Clone, PartialEq)]
pub struct MidRad {
    mid: Matrix,
    rad: Matrix,
}

impl MidRad {
    /// # Errors
    /// `Shape` if the shapes differ, `Reversed` for a negative radius.
    pub fn new(mid: Matrix, rad: Matrix) -> Result<MidRad, NumError> {
        if (mid.rows, mid.cols) != (rad.rows, rad.cols) {
            return Err(NumError::Shape {
                expected: format!("a radius matrix of {} by {}", mid.rows, mid.cols),
                found: format!("{} by {}", rad.rows, rad.cols),
            });
        }
        if rad.data.iter().any(|r| *r < 0.0) {
            return Err(NumError::Reversed);
        }
        Ok(MidRad { mid, rad })
    }

    /// The exact matrix `mid`.
    pub fn point(mid: Matrix) -> MidRad {
        let rad = Matrix { rows: mid.rows, cols: mid.cols, data: vec![0.0; mid.data.len()] };
        MidRad { mid, rad }
    }

    /// The matrix of the intervals `entries`, row by row.
    ///
    /// # Errors
    /// As [`Matrix::new`]; `NotFinite` for an unbounded interval.
    pub fn from_intervals(rows: usize, cols: usize, entries: &[Interval]) -> Result<MidRad, NumError> {
        let mid = Matrix::new(rows, cols, entries.iter().map(|x| x.midpoint()).collect())?;
        let rad = Matrix::new(rows, cols, entries.iter().map(|x| x.radius()).collect())?;
        Ok(MidRad { mid, rad })
    }

    pub fn mid(&self) -> &Matrix {
        &self.mid
    }

    pub fn rad(&self) -> &Matrix {
        &self.rad
    }

    /// Entry (i, j) as an interval.
    pub fn get(&self, i: usize, j: usize) -> Option<Interval> {
        let (m, r) = (self.mid.get(i, j)?, self.rad.get(i, j)?);
        Some(Interval::enclose(sub_down(m, r), add_up(m, r)))
    }

    /// All entries, row by row.
    pub fn to_intervals(&self) -> Vec<Interval> {
        let ends = self.mid.data.iter().zip(&self.rad.data);
        ends.map(|(&m, &r)| Interval::enclose(sub_down(m, r), add_up(m, r))).collect()
    }
}
