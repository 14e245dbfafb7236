//! Bounds of the largest singular value of a dense matrix.
//!
//! Trust: untrusted.
//!
//! Notation: u = 2^-53, eta = 2^-1074, gamma_k = k u/(1 - k u), F the Frobenius norm. A is m x n with m >= n (a wide matrix is
//! transposed) and is scaled by a power of two to entries below 2. G = fl(A'A), one triangle mirrored.
//!
//! # Upper bounds
//!
//! |A'A - G| <= gamma_m |A|'|A| + m eta entrywise, so ||A'A||_2 <= ||G||_2 + e, e = gamma_m F(A)^2 + n m eta, and ||G||_2 is bounded by
//!
//! - *Cholesky*: t with t I - G proved positive semidefinite ([`super::cholesky`]). The diagonal t - g_ii is rounded down, which
//!   only makes the proof harder. Loses about n^2 u relative, whatever the spectrum.
//! - *Gram iteration*: G_i = 2^(-s_i) fl(G_{i-1}'G_{i-1}), K times. With b_K >= F(G_K) and b_{i-1} = sqrt(2^(s_i)(b_i + 1e-300) + e_i)
//!   rounded up, e_i >= gamma_n F(G_{i-1})^2 + n^2 eta, b_i >= ||G_i||_2 by downward induction: ||G_{i-1}||^2 = ||G_{i-1}'G_{i-1}||
//!   <= ||fl(..)|| + e_i, and 1e-300 covers the underflow of the scaling. Loses a factor r^(2^-(K+1)) with r maximal singular
//!   values, next to nothing if the largest is simple. (Delattre, Barthélemy, Araujo, Allauzen, *Efficient bound of
//!   Lipschitz constant for convolutional layers by Gram iteration*, 2023, in exact arithmetic.)
//! - *Row sums*: max_i sum_j |g_ij|, as tight as can be for a multiple of an isometry, where every direction is a top one.
//! - *Frobenius*: F(A), exact for rank one.
//!
//! # Lower bound
//!
//! ||A v||/||v|| for the approximate singular vector v: the computed w satisfies ||A v - w|| <= gamma_n F(A) ||v|| + m n eta.

use super::cholesky::certify;
use super::error::NumError;
use super::interval::Interval;
use super::matrix::{Matrix, unscale, view};
use super::product::{MAX_INNER, dot, gram, sum_of_squares};
use super::proposal::{Pair, RESIDUAL, rayleigh, start, top_eigenpair};
use super::round::{ETA, U, add_up, div_down, frexp, mul_up, scale_by_power_of_two, sqrt_down, sqrt_up, sub_down};

/// What proved the upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpperMethod {
    Cholesky,
    GramIteration,
    RowSums,
    Frobenius,
}

/// Bounds of the largest singular value, and what shows the lower one.
#[derive(Debug, Clone, PartialEq)]
pub struct SpectralNorm {
    /// `lower <= sigma_max <= upper`.
    pub lower: f64,
    pub upper: f64,
    pub method: UpperMethod,
    /// `lower` is a lower bound of ||A v||/||v|| for this v, of ||A'v||/||v|| if `of_transpose`. Of the smaller dimension.
    pub vector: Vec<f64>,
    pub of_transpose: bool,
}

impl SpectralNorm {
    /// Both bounds as an interval.
    pub fn enclosure(&self) -> Interval {
        Interval::enclose(self.lower, self.upper)
    }
}

/// Squarings of the Gram iteration.
const SQUARINGS: usize = 8;
/// Up to this order the Gram iteration runs first. Beyond, its products cost more than the Cholesky proof, which then suffices.
const SQUARED_ORDER: usize = 256;
/// Doublings of the slack of the Cholesky proof before it is given up.
const ATTEMPTS: usize = 40;

/// Bounds of the largest singular value.
///
/// # Errors
/// `TooLarge` if a dimension exceeds the limits of the proofs, `NotFinite` if a product overflows (not for entries scaled
/// here), `Shape` never for a valid matrix.
pub fn spectral_norm(a: &Matrix) -> Result<SpectralNorm, NumError> {
    let of_transpose = a.rows() < a.cols();
    let problem = Problem::new(a, of_transpose)?;
    if problem.zero {
        let mut vector = vec![0.0; problem.n];
        vector.iter_mut().take(1).for_each(|x| *x = 1.0);
        return Ok(SpectralNorm { lower: 0.0, upper: 0.0, method: UpperMethod::Frobenius, vector, of_transpose });
    }
    let g = gram(&view(problem.m, problem.n, &problem.data)?)?;

    // The Cholesky proof cannot go below its shift, about half of the first slack: what reaches that is good enough.
    let slack = first_slack(problem.n);
    let is_close = |bound: f64, value: f64| bound <= value * (1.0 + 0.5 * slack);
    let (first, row_sums) = (rayleigh(&g, start(problem.n)), row_sums_upper(&g, problem.n));
    let (quick, guess) = if is_close(row_sums, first.value) {
        (Some((row_sums, UpperMethod::RowSums)), first.vector)
    } else if problem.n <= SQUARED_ORDER {
        let (bound, vector) = gram_iteration(&g, problem.n)?;
        (Some((bound, UpperMethod::GramIteration)), vector)
    } else {
        (None, first.vector)
    };
    let mut pair = rayleigh(&g, guess);
    if pair.residual.is_nan() || pair.residual > RESIDUAL {
        pair = top_eigenpair(&g, pair.vector);
    }

    let mut best = (problem.frobenius_upper(), UpperMethod::Frobenius);
    let mut offer = |gram_bound: f64, method: UpperMethod| {
        let bound = problem.sigma_upper(gram_bound);
        if bound < best.0 {
            best = (bound, method);
        }
    };
    if let Some((bound, method)) = quick {
        offer(bound, method);
    }
    if !quick.is_some_and(|(bound, _)| is_close(bound, pair.value)) {
        let ceiling = quick.map_or(f64::INFINITY, |(bound, _)| bound).min(problem.frobenius_squared);
        if let Some(bound) = cholesky_bound(&g, problem.n, pair.value, ceiling)? {
            offer(bound, UpperMethod::Cholesky);
        }
    }
    let lower = problem.sigma_lower(&pair);
    let scaled = Interval::enclose(lower, best.0);
    let result = unscale(scaled, problem.exponent);
    Ok(SpectralNorm { lower: result.lo(), upper: result.hi(), method: best.1, vector: pair.vector, of_transpose })
}

/// An upper bound of the largest singular value by Gram iteration alone.
///
/// # Errors
/// As [`spectral_norm`].
pub fn gram_iteration_upper(a: &Matrix) -> Result<f64, NumError> {
    let problem = Problem::new(a, a.rows() < a.cols())?;
    if problem.zero {
        return Ok(0.0);
    }
    let g = gram(&view(problem.m, problem.n, &problem.data)?)?;
    let (bound, _) = gram_iteration(&g, problem.n)?;
    Ok(unscale(Interval::enclose(0.0, problem.sigma_upper(bound)), problem.exponent).hi())
}

/// An upper bound of the largest singular value by the Cholesky proof alone; `None` if no proof was found.
///
/// # Errors
/// As [`spectral_norm`].
pub fn cholesky_upper(a: &Matrix) -> Result<Option<f64>, NumError> {
    let problem = Problem::new(a, a.rows() < a.cols())?;
    if problem.zero {
        return Ok(Some(0.0));
    }
    let g = gram(&view(problem.m, problem.n, &problem.data)?)?;
    let pair = top_eigenpair(&g, start(problem.n));
    let bound = cholesky_bound(&g, problem.n, pair.value, f64::INFINITY)?;
    Ok(bound.map(|t| unscale(Interval::enclose(0.0, problem.sigma_upper(t)), problem.exponent).hi()))
}

/// The tall matrix A 2^(-exponent) with the largest magnitude in [1, 2).
struct Problem {
    m: usize,
    n: usize,
    data: Vec<f64>,
    exponent: i32,
    zero: bool,
    /// At least F^2 of the scaled matrix.
    frobenius_squared: f64,
    /// At least the norm of what the scaling rounded away: sqrt(mn) eta/2 if an entry became subnormal.
    lost: f64,
}

impl Problem {
    fn new(a: &Matrix, transpose: bool) -> Result<Problem, NumError> {
        let (m, n) = if transpose { (a.cols(), a.rows()) } else { (a.rows(), a.cols()) };
        if m > MAX_INNER {
            return Err(NumError::TooLarge { what: "a dimension", limit: MAX_INNER as u64 });
        }
        let most = a.max_abs();
        let exponent = frexp(most).1 - 1;
        let mut data = if transpose { a.transpose().data().to_vec() } else { a.data().to_vec() };
        let mut exact = true;
        if exponent != 0 {
            for x in &mut data {
                let scaled = scale_by_power_of_two(*x, -exponent);
                exact &= scaled.abs() >= f64::MIN_POSITIVE || *x == 0.0;
                *x = scaled;
            }
        }
        let (_, frobenius_squared) = sum_of_squares(&data);
        let lost = if exact { 0.0 } else { mul_up(sqrt_up(mul_up(m as f64, n as f64)), ETA) };
        Ok(Problem { m, n, data, exponent, zero: most == 0.0, frobenius_squared, lost })
    }

    fn frobenius_upper(&self) -> f64 {
        add_up(sqrt_up(self.frobenius_squared), self.lost)
    }

    /// sqrt(bound + e) for bound >= ||G||_2.
    fn sigma_upper(&self, bound: f64) -> f64 {
        let e = product_defect(self.m, self.n, self.frobenius_squared);
        add_up(sqrt_up(add_up(bound, e)), self.lost)
    }

    /// A lower bound of ||A v||/||v||, 0 if none better is found.
    fn sigma_lower(&self, pair: &Pair) -> f64 {
        let v = &pair.vector;
        let w: Vec<f64> = self.data.chunks_exact(self.n).map(|row| dot(row, v)).collect();
        let image = sqrt_down(sum_of_squares(&w).0);
        let length = sqrt_up(sum_of_squares(v).1);
        // gamma_n <= (n + 2) u for n <= 2^25.
        let defect = mul_up(mul_up((self.n as f64 + 2.0) * U, sqrt_up(self.frobenius_squared)), length);
        let defect = add_up(defect, mul_up(mul_up(self.m as f64, self.n as f64), ETA));
        let lower = sub_down(div_down(sub_down(image, defect), length), self.lost);
        if lower > 0.0 { lower } else { 0.0 }
    }
}

/// An upper bound of gamma_m F^2 + n m eta: (m + 2) u F^2 + (2m + 2) n eta, rounded up.
fn product_defect(m: usize, n: usize, frobenius_squared: f64) -> f64 {
    let (m, n) = (m as f64, n as f64);
    add_up(mul_up((m + 2.0) * U, frobenius_squared), mul_up(mul_up(2.0 * m + 2.0, n), ETA))
}

/// An upper bound of max_i sum_j |g_ij|, which is at least ||G||_2 as G is symmetric.
///
/// A float sum s of n numbers >= 0 is at least (1 - u)^(n-1) times the exact one, so that is at most s (1 + (n + 1) u) for n <= 2^25.
fn row_sums_upper(g: &[f64], n: usize) -> f64 {
    let sums = g.chunks_exact(n).map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
    let most = sums.fold(0.0, |most: f64, sum| if sum > most { sum } else { most });
    mul_up(most, add_up(1.0, (n as f64 + 1.0) * U))
}

fn first_slack(n: usize) -> f64 {
    let n = n as f64;
    n * (n + 5.0) * U
}

/// Some t below `ceiling` for which t I - G is proved positive semidefinite, tried just above `value`.
fn cholesky_bound(g: &[f64], n: usize, value: f64, ceiling: f64) -> Result<Option<f64>, NumError> {
    let mut slack = first_slack(n);
    let mut shifted = Vec::with_capacity(g.len());
    for _ in 0..ATTEMPTS {
        let t = value * (1.0 + slack);
        if t.is_nan() || t >= ceiling {
            return Ok(None);
        }
        shifted.clear();
        shifted.extend(g.iter().map(|x| -x));
        for (i, row) in shifted.chunks_exact_mut(n).enumerate() {
            if let Some(x) = row.get_mut(i) {
                *x = sub_down(t, -*x);
            }
        }
        if certify(&mut shifted, n)? {
            return Ok(Some(t));
        }
        slack *= 2.0;
    }
    Ok(None)
}

/// A bound of ||G||_2 by Gram iteration, and a column of the last iterate: an approximate top eigenvector.
fn gram_iteration(g: &[f64], n: usize) -> Result<(f64, Vec<f64>), NumError> {
    /// Covers n eta/2, the norm of what scaling an iterate can round away.
    const UNDERFLOW: f64 = 1e-300;
    let mut iterate = g.to_vec();
    // For each squaring the exponent s_i and the defect e_i; the first scaling has none.
    let mut steps = Vec::with_capacity(SQUARINGS);
    let first_exponent = scale_to_one(&mut iterate);
    for _ in 0..SQUARINGS {
        let defect = product_defect(n, n, sum_of_squares(&iterate).1);
        iterate = gram(&view(n, n, &iterate)?)?;
        steps.push((scale_to_one(&mut iterate), defect));
    }
    let unscaled = |bound: f64, s: i32| mul_up(add_up(bound, UNDERFLOW), scale_by_power_of_two(1.0, s));
    let mut bound = sqrt_up(sum_of_squares(&iterate).1);
    for (s, defect) in steps.into_iter().rev() {
        bound = sqrt_up(add_up(unscaled(bound, s), defect));
    }
    let bound = unscaled(bound, first_exponent);
    // The iterate is nearly v v': its row with the largest diagonal entry is the best multiple of v.
    let mut best: (f64, &[f64]) = (0.0, &[]);
    for (i, row) in iterate.chunks_exact(n).enumerate() {
        let diagonal = row.get(i).copied().unwrap_or(0.0);
        if diagonal > best.0 {
            best = (diagonal, row);
        }
    }
    let vector = if best.1.is_empty() { start(n) } else { best.1.to_vec() };
    Ok((bound, vector))
}

/// Divides by the power of two that brings the largest magnitude into [1, 2), and returns its exponent.
fn scale_to_one(x: &mut [f64]) -> i32 {
    let most = x.iter().fold(0.0, |most: f64, x| if x.abs() > most { x.abs() } else { most });
    let exponent = frexp(most).1 - 1;
    let factor = scale_by_power_of_two(1.0, -exponent);
    x.iter_mut().for_each(|x| *x *= factor);
    exponent
}
