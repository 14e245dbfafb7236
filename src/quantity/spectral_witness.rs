//! Integer factors that prove spectral norm bounds. Trust: untrusted; [`crate::kernel::psd`] checks them.
//!
//! The factor must be that of `m I - V'V` minus about half the available slack: then the residual of the rounded factor is
//! positive on its diagonal and small off it.

use crate::kernel::net::{Tensor, Weight};
use crate::kernel::psd::{Rounded, Witness, rounded};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, One, ToPrimitive, Zero};

/// Relative slacks of the squared norm, tried in turn.
const SLACKS: [f64; 5] = [4e-12, 6e-11, 1e-9, 3e-8, 1e-6];

/// A rigorous upper bound of `sigma_max(W)^2` and its witness.
pub fn propose_upper(matrix: &Tensor) -> Option<(BigRational, Witness)> {
    let rounded = rounded(matrix);
    let n = rounded.rows.min(rounded.columns);
    if rounded.entries.iter().all(|w| *w == 0) {
        return Some((BigRational::zero(), Witness { t: 0, factor: vec![0; n * (n + 1) / 2] }));
    }
    // Entries in units of 2^52, so that the Gram matrix is of moderate size.
    let unit = (rounded.entries.iter().map(|w| w.unsigned_abs()).max()? as f64).log2().ceil();
    let scaled: Vec<f64> = rounded.entries.iter().map(|w| *w as f64 * (-unit).exp2()).collect();
    let gram = gram(&scaled, rounded.rows, rounded.columns);
    let top = largest_eigenvalue(&gram, n);
    for slack in SLACKS {
        let bound = top * (1.0 + slack);
        if let Some(proposal) = attempt(&rounded, &gram, n, bound, top * slack, unit)
            && crate::kernel::psd::spectral_norm_at_most(matrix, &proposal.0, &proposal.1).is_ok()
        {
            return Some(proposal);
        }
    }
    None
}

fn gram(matrix: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let n = rows.min(columns);
    let mut gram = vec![0.0; n * n];
    let vectors: Vec<Vec<f64>> = if rows <= columns {
        matrix.chunks(columns).map(<[f64]>::to_vec).collect()
    } else {
        (0..columns).map(|j| matrix.iter().skip(j).step_by(columns).copied().collect()).collect()
    };
    for i in 0..n {
        for j in 0..=i {
            let product: f64 = vectors[i].iter().zip(&vectors[j]).map(|(a, b)| a * b).sum();
            gram[i * n + j] = product;
            gram[j * n + i] = product;
        }
    }
    gram
}

/// Power iteration from a fixed start, with enough steps to be close whatever the gap.
fn largest_eigenvalue(gram: &[f64], n: usize) -> f64 {
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64 * 0.618_033_988_749).fract()).collect();
    let mut value = 0.0;
    for _ in 0..2000 {
        let w: Vec<f64> = gram.chunks(n).map(|row| row.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
        let norm = w.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            return value;
        }
        let previous = std::mem::replace(&mut value, norm / v.iter().map(|x| x * x).sum::<f64>().sqrt());
        v = w.iter().map(|x| x / norm).collect();
        if (value - previous).abs() <= 1e-15 * value {
            break;
        }
    }
    value
}

/// The factor of `(bound - shift/2) I - gram` in the checker's units.
fn attempt(
    rounded: &Rounded,
    gram: &[f64],
    n: usize,
    bound: f64,
    slack: f64,
    unit: f64,
) -> Option<(BigRational, Witness)> {
    let mut l = vec![0.0f64; n * n];
    for i in 0..n {
        for j in 0..=i {
            let mut s = -gram[i * n + j];
            if i == j {
                s += bound - slack / 2.0;
            }
            for k in 0..j {
                s -= l[i * n + k] * l[j * n + k];
            }
            if i == j {
                if s.is_nan() || s <= 0.0 {
                    return None;
                }
                l[i * n + i] = s.sqrt();
            } else {
                l[i * n + j] = s / l[j * n + j];
            }
        }
    }
    // In units: V = 2^unit scaled, so L is 2^unit times the float factor, times 2^t for the witness. Entries of about 2^60.
    let largest = l.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    let t = (60.0 - unit - largest.log2().ceil()).clamp(0.0, 60.0);
    let factor = (0..n)
        .flat_map(|i| (0..=i).map(move |j| (i, j)))
        .map(|(i, j)| (l[i * n + j] * (unit + t).exp2()).round().to_i64())
        .collect::<Option<Vec<i64>>>()?;
    // The bound on W in exact form: (sqrt(bound) 2^unit + error)^2 in grid units, rounded up a little.
    let m = BigRational::from_f64(bound)? * power_of_two(2 * unit as i64);
    let m = m.ceil();
    let bound_squared = if rounded.error.is_zero() {
        m
    } else {
        let root = BigRational::from_integer((m.to_integer() << 40u32).sqrt() + 1) / power_of_two(20);
        let s = root + &rounded.error + power_of_two(-18);
        &s * &s
    };
    Some((bound_squared * power_of_two(2 * rounded.exponent), Witness { t: t as u32, factor }))
}

fn power_of_two(exponent: i64) -> BigRational {
    let power = BigInt::one() << exponent.unsigned_abs();
    if exponent >= 0 { BigRational::from_integer(power) } else { BigRational::new(BigInt::one(), power) }
}

/// An integer vector close to the top right singular vector.
pub fn propose_lower(matrix: &Tensor) -> Option<Vec<BigInt>> {
    let columns = matrix.shape.iter().skip(1).product::<usize>().max(1);
    let top = |w: &Weight| i32::from(w.exponent) + 64 - w.mantissa.unsigned_abs().leading_zeros() as i32;
    let scale = matrix.data.iter().filter(|w| w.mantissa != 0).map(top).max()?;
    let value = |w: &Weight| w.mantissa as f64 * f64::from(i32::from(w.exponent) - scale).exp2();
    let entries: Vec<f64> = matrix.data.iter().map(value).collect();
    let mut v: Vec<f64> = (0..columns).map(|i| 1.0 + (i as f64 * 0.618_033_988_749).fract()).collect();
    for _ in 0..300 {
        let w: Vec<f64> = entries.chunks(columns).map(|row| row.iter().zip(&v).map(|(a, b)| a * b).sum()).collect();
        let mut next = vec![0.0; columns];
        for (row, x) in entries.chunks(columns).zip(&w) {
            for (entry, out) in row.iter().zip(&mut next) {
                *out += entry * x;
            }
        }
        let norm = next.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm == 0.0 {
            break;
        }
        v = next.iter().map(|x| x / norm).collect();
    }
    let vector: Vec<BigInt> = v.iter().map(|x| BigInt::from_f64((x * 40f64.exp2()).round())).collect::<Option<_>>()?;
    vector.iter().any(|x| !x.is_zero()).then_some(vector)
}
