//! An approximate top eigenpair of a symmetric matrix, by Lanczos iteration.
//!
//! Trust: untrusted twice: nothing here is a bound. What it proposes is proved or refused elsewhere.

use super::product::dot;

/// Steps before a restart from the best vector so far.
const STEPS: usize = 72;
const RESTARTS: usize = 6;
/// Relative residual at which the eigenvalue is good to working precision, since its error is quadratic in the residual.
pub(crate) const RESIDUAL: f64 = 1e-9;

/// An eigenvalue, its vector of norm about 1, and the norm of the residual relative to the eigenvalue.
pub(crate) struct Pair {
    pub(crate) value: f64,
    pub(crate) vector: Vec<f64>,
    pub(crate) residual: f64,
}

/// A deterministic vector without structure, so that it is orthogonal to no eigenvector that data would have.
pub(crate) fn start(n: usize) -> Vec<f64> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The upper 53 bits as a number in [-1/2, 1/2).
        (state >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0) - 0.5
    };
    (0..n).map(|_| draw()).collect()
}

fn apply(g: &[f64], x: &[f64]) -> Vec<f64> {
    g.chunks_exact(x.len().max(1)).map(|row| dot(row, x)).collect()
}

fn normalize(x: &mut [f64]) -> f64 {
    let norm = dot(x, x).sqrt();
    if norm > 0.0 {
        let scale = 1.0 / norm;
        x.iter_mut().for_each(|x| *x *= scale);
    }
    norm
}

/// The Rayleigh quotient of `vector` and its residual.
pub(crate) fn rayleigh(g: &[f64], mut vector: Vec<f64>) -> Pair {
    normalize(&mut vector);
    let image = apply(g, &vector);
    let value = dot(&image, &vector);
    let rest: Vec<f64> = image.iter().zip(&vector).map(|(y, x)| y - value * x).collect();
    Pair { value, vector, residual: dot(&rest, &rest).sqrt() / value.abs() }
}

/// The top eigenpair of the symmetric row-major matrix `g`, started from `vector`.
pub(crate) fn top_eigenpair(g: &[f64], vector: Vec<f64>) -> Pair {
    let mut best = rayleigh(g, vector);
    for _ in 0..RESTARTS {
        if best.residual <= RESIDUAL {
            break;
        }
        let next = rayleigh(g, lanczos(g, &best.vector));
        // A NaN ends the search.
        if next.value >= best.value {
            best = next;
        } else {
            break;
        }
    }
    best
}

/// The top Ritz vector after at most [`STEPS`] steps with full reorthogonalization.
fn lanczos(g: &[f64], first: &[f64]) -> Vec<f64> {
    let n = first.len();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let (mut diagonal, mut off) = (Vec::new(), Vec::new());
    let mut q = first.to_vec();
    let mut weights = vec![1.0];
    for step in 1..=STEPS.min(n) {
        let mut w = apply(g, &q);
        diagonal.push(dot(&w, &q));
        basis.push(q);
        // Twice is enough to keep the basis orthogonal to working precision (Kahan, Parlett).
        for _ in 0..2 {
            for b in &basis {
                let c = dot(&w, b);
                w.iter_mut().zip(b).for_each(|(x, y)| *x -= c * y);
            }
        }
        let length = normalize(&mut w);
        let last = step == STEPS.min(n) || length.is_nan() || length <= 0.0;
        if last || step % 8 == 0 {
            let (value, vector) = top_of_tridiagonal(&diagonal, &off);
            let end = vector.last().copied().unwrap_or(0.0);
            weights = vector;
            if last || length * end.abs() <= 0.1 * RESIDUAL * value.abs() {
                break;
            }
        }
        off.push(length);
        q = w;
    }
    let mut ritz = vec![0.0; n];
    for (b, c) in basis.iter().zip(&weights) {
        ritz.iter_mut().zip(b).for_each(|(x, y)| *x += c * y);
    }
    ritz
}

/// The top eigenpair of the symmetric tridiagonal matrix with the given diagonals, by bisection and inverse iteration.
fn top_of_tridiagonal(diagonal: &[f64], off: &[f64]) -> (f64, Vec<f64>) {
    let at = |v: &[f64], i: usize| v.get(i).copied().unwrap_or(0.0);
    let before = |i: usize| if i == 0 { 0.0 } else { at(off, i - 1) };
    let k = diagonal.len();
    let (mut lo, mut hi) = (f64::MAX, f64::MIN);
    for i in 0..k {
        let reach = before(i).abs() + if i + 1 < k { at(off, i).abs() } else { 0.0 };
        lo = lo.min(at(diagonal, i));
        hi = hi.max(at(diagonal, i) + reach);
    }
    // The pivots of x I - T are all positive exactly if x lies above the spectrum.
    let above = |x: f64| {
        let mut pivot = f64::INFINITY;
        (0..k).all(|i| {
            pivot = x - at(diagonal, i) - before(i) * before(i) / pivot;
            pivot > 0.0
        })
    };
    for _ in 0..64 {
        let middle = 0.5 * (lo + hi);
        if middle <= lo || middle >= hi {
            break;
        }
        if above(middle) {
            hi = middle;
        } else {
            lo = middle;
        }
    }
    let mut vector = vec![1.0; k];
    for _ in 0..3 {
        solve_shifted(diagonal, off, hi, &mut vector);
        normalize(&mut vector);
    }
    (hi, vector)
}

/// Overwrites x by a solution of (shift I - T) y = x, for a shift just above the spectrum of T.
fn solve_shifted(diagonal: &[f64], off: &[f64], shift: f64, x: &mut [f64]) {
    let tiny = f64::EPSILON * shift.abs().max(f64::MIN_POSITIVE);
    let mut pivots = Vec::with_capacity(x.len());
    let (mut pivot, mut carried) = (1.0, 0.0);
    for (i, (d, y)) in diagonal.iter().zip(x.iter_mut()).enumerate() {
        let b = if i == 0 { 0.0 } else { off.get(i - 1).copied().unwrap_or(0.0) };
        *y += b / pivot * carried;
        pivot = (shift - d - b * b / pivot).max(tiny);
        pivots.push(pivot);
        carried = *y;
    }
    let mut following = 0.0;
    for (i, (y, pivot)) in x.iter_mut().zip(&pivots).enumerate().rev() {
        *y = (*y + off.get(i).copied().unwrap_or(0.0) * following) / pivot;
        following = *y;
    }
}
