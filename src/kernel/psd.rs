//! Positive semidefiniteness of integer matrices, and spectral norms by it. Trust: kernel.
//!
//! If `4^t A = L L' + R` with `R` diagonally dominant (`R_ii >= sum_(j != i) |R_ij|`), then `R` is positive semidefinite by
//! Gershgorin, `L L'` is, hence so is `A`. Integers only; nothing is rounded.

use super::matrix_norm::Grid;
use super::net::{Tensor, Weight};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// Bits of the largest entry of the rounded matrix.
const ENTRY_BITS: i64 = 52;

/// An integer factor: `4^t A - L L'` should be diagonally dominant. `factor` holds the lower triangle row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    pub t: u32,
    pub factor: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PsdError {
    /// The factor does not have `n (n + 1) / 2` entries, or the vector not one entry per column.
    Shape { expected: usize, found: usize },
    /// In this row the residual is not diagonally dominant.
    NotDominant { row: usize },
    /// The bound does not exceed the rounding of the matrix.
    BoundTooSmall,
    /// An exact sum left 128 bits, or the scaling is out of range.
    TooLarge,
}

impl std::fmt::Display for PsdError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PsdError::Shape { expected, found } => write!(f, "expected a witness of {expected} entries, found {found}"),
            PsdError::NotDominant { row } => {
                write!(f, "expected a diagonally dominant residual, found row {row} not dominant")
            }
            PsdError::BoundTooSmall => {
                f.write_str("expected a bound above the rounding of the matrix, found a smaller one")
            }
            PsdError::TooLarge => f.write_str("expected sums below 2^127, found larger ones"),
        }
    }
}

impl std::error::Error for PsdError {}

/// A matrix rounded to integers times `2^exponent`, with the squared Frobenius norm of the rounding error in grid units.
pub struct Rounded {
    pub rows: usize,
    pub columns: usize,
    pub exponent: i64,
    pub entries: Vec<i64>,
    /// `|W - 2^exponent entries|_F <= 2^exponent error`, rounded up; 0 if exact.
    pub error: BigRational,
}

/// Entries on a grid where the largest has [`ENTRY_BITS`] bits, or on the matrix's own grid if that is coarser.
pub fn rounded(matrix: &Tensor) -> Rounded {
    let columns = matrix.shape.iter().skip(1).product::<usize>().max(1);
    let rows = matrix.data.len() / columns;
    let top = |w: &Weight| i64::from(w.exponent) + 64 - i64::from(w.mantissa.unsigned_abs().leading_zeros());
    let live = || matrix.data.iter().filter(|w| w.mantissa != 0);
    let largest = live().map(top).max().unwrap_or(0);
    let finest = live().map(|w| i64::from(w.exponent) + i64::from(w.mantissa.trailing_zeros())).min().unwrap_or(0);
    let exponent = finest.max(largest - ENTRY_BITS);
    let mut inexact = 0u64;
    let entries = matrix
        .data
        .iter()
        .map(|w| {
            let shift = i64::from(w.exponent) - exponent;
            let mantissa = i128::from(w.mantissa);
            let value = if mantissa == 0 {
                0
            } else if shift >= 0 {
                // |entry| < 2^ENTRY_BITS by the choice of the exponent.
                mantissa << shift.min(64)
            } else if shift <= -100 {
                inexact += 1;
                0
            } else {
                let places = shift.unsigned_abs();
                inexact += u64::from(u64::from(mantissa.trailing_zeros()) < places);
                // Nearest integer: off by at most 1/2.
                (mantissa + (1i128 << (places - 1))) >> places
            };
            i64::try_from(value).unwrap_or(0)
        })
        .collect();
    // |E|_F <= sqrt(inexact) / 2 <= ceil(sqrt(inexact)) / 2.
    let root = BigInt::from(inexact).sqrt() + if inexact == 0 { 0 } else { 1 };
    Rounded { rows, columns, exponent, entries, error: BigRational::new(root, BigInt::from(2)) }
}

/// The smaller Gram matrix of an integer matrix, lower triangle by rows: `W'W` or `W W'`, which have the same largest
/// eigenvalue. Errors: a sum leaves 128 bits.
fn gram(matrix: &Rounded) -> Result<(usize, Vec<i128>), PsdError> {
    let (rows, columns) = (matrix.rows, matrix.columns);
    let n = rows.min(columns);
    let vectors: Vec<Vec<i64>> = if rows <= columns {
        matrix.entries.chunks(columns).map(<[i64]>::to_vec).collect()
    } else {
        (0..columns).map(|j| matrix.entries.iter().skip(j).step_by(columns).copied().collect()).collect()
    };
    // Entries have at most ENTRY_BITS + 1 bits: sums of up to 2^20 products of 2 * 53 bits stay below 2^127.
    if rows.max(columns) > 1 << 20 {
        return Err(PsdError::TooLarge);
    }
    let mut lower = Vec::with_capacity(n * (n + 1) / 2);
    for i in 0..n {
        for j in 0..=i {
            lower.push(vectors[i].iter().zip(&vectors[j]).map(|(a, b)| i128::from(*a) * i128::from(*b)).sum());
        }
    }
    Ok((n, lower))
}

/// Proves `sigma_max(W)^2 <= bound_squared`. Errors: the witness does not prove it.
///
/// With `W = 2^e (V + E)`, `|E|_2 <= |E|_F <= error`: it suffices that `sigma_max(V) <= s - error` for some rational `s` with
/// `s^2 <= bound_squared / 4^e`. The integer `m = floor((s - error)^2)` is the bound that is tested: `m I - V'V` by its factor.
pub fn spectral_norm_at_most(matrix: &Tensor, bound_squared: &BigRational, witness: &Witness) -> Result<(), PsdError> {
    let rounded = rounded(matrix);
    let m = tested_bound(&rounded, bound_squared)?;
    let (n, gram) = gram(&rounded)?;
    let expected = n * (n + 1) / 2;
    if witness.factor.len() != expected {
        return Err(PsdError::Shape { expected, found: witness.factor.len() });
    }
    if witness.t > 60 {
        return Err(PsdError::TooLarge);
    }
    let scale = BigInt::one() << (2 * witness.t);
    let row = |i: usize| &witness.factor[i * (i + 1) / 2..i * (i + 1) / 2 + i + 1];
    // Sums of absolute values of the off-diagonal residual, row by row and column by column.
    let mut off = vec![BigInt::zero(); n];
    let mut diagonal = Vec::with_capacity(n);
    for i in 0..n {
        for j in 0..=i {
            let product = dot(row(i), row(j), j + 1)?;
            let entry = -&gram[i * (i + 1) / 2 + j] * &scale - product;
            if i == j {
                diagonal.push(entry + &m * &scale);
            } else {
                let size = entry.abs();
                off[i] += &size;
                off[j] += size;
            }
        }
    }
    match diagonal.iter().zip(&off).position(|(d, s)| d < s) {
        Some(row) => Err(PsdError::NotDominant { row }),
        None => Ok(()),
    }
}

/// `sum_k a_k b_k` over the first `count` entries, exact.
fn dot(a: &[i64], b: &[i64], count: usize) -> Result<BigInt, PsdError> {
    let mut sum = 0i128;
    for (x, y) in a.iter().zip(b).take(count) {
        let product = i128::from(*x) * i128::from(*y);
        sum = sum.checked_add(product).ok_or(PsdError::TooLarge)?;
    }
    Ok(BigInt::from(sum))
}

/// The integer bound on the squared norm of the rounded matrix that proves the bound on the matrix.
pub fn tested_bound(rounded: &Rounded, bound_squared: &BigRational) -> Result<BigInt, PsdError> {
    if bound_squared.is_negative() || rounded.exponent.unsigned_abs() > 20_000 {
        return Err(PsdError::TooLarge);
    }
    let power = BigInt::one() << (2 * rounded.exponent.unsigned_abs());
    let in_units = if rounded.exponent >= 0 {
        bound_squared / BigRational::from_integer(power)
    } else {
        bound_squared * BigRational::from_integer(power)
    };
    if rounded.error.is_zero() {
        return Ok(in_units.floor().to_integer());
    }
    // A lower bound of the square root with 20 fractional bits.
    let s = BigRational::new((in_units.numer() << 40u32).div_floor(in_units.denom()).sqrt(), BigInt::one() << 20);
    let s = s - &rounded.error;
    if s.is_negative() {
        return Err(PsdError::BoundTooSmall);
    }
    Ok((&s * &s).floor().to_integer())
}

/// `|W v|^2 / |v|^2`, a lower bound of `sigma_max(W)^2`. Errors: a zero vector or one of another length.
pub fn rayleigh_quotient(matrix: &Tensor, vector: &[BigInt]) -> Result<BigRational, PsdError> {
    let columns = matrix.shape.iter().skip(1).product::<usize>().max(1);
    let norm: BigInt = vector.iter().map(|x| x * x).sum();
    if vector.len() != columns || norm.is_zero() {
        return Err(PsdError::Shape { expected: columns, found: vector.len() });
    }
    let grid = Grid::of(&matrix.data);
    let mut total = BigInt::zero();
    for row in matrix.data.chunks(columns) {
        let product: BigInt = row.iter().zip(vector).map(|(w, x)| grid.integer(w) * x).sum();
        total += &product * &product;
    }
    Ok(grid.value(total, 2) / BigRational::from_integer(norm))
}
