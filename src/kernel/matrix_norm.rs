//! Norms of a weight matrix or bias vector that exact sums give: l1, linf, max, fro, l21. Trust: kernel.
//!
//! The operator norm l2 is not among them: its upper bound needs a witness.

use super::eval::EvalError;
use super::net::{Tensor, Weight};
use super::object::Part;
use super::real::Bits;
use super::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// The norm, or `None` where this module does not compute it.
pub fn of(tensor: &Tensor, part: Part, norm: &str, bits: Bits) -> Result<Option<Value>, EvalError> {
    let grid = Grid::of(&tensor.data);
    let columns = match part {
        Part::Weight => tensor.shape.iter().skip(1).product::<usize>().max(1),
        Part::Bias => 1,
    };
    let magnitude = |w: &Weight| grid.integer(w).abs();
    let rows = || tensor.data.chunks(columns);
    let value = match (part, norm) {
        (_, "max") | (Part::Bias, "linf") => grid.value(tensor.data.iter().map(magnitude).max().unwrap_or_default(), 1),
        // |Wx|_inf <= max_i sum_j |w_ij| |x|_inf, attained at a sign vector.
        (Part::Weight, "linf") => {
            grid.value(rows().map(|row| row.iter().map(magnitude).sum()).max().unwrap_or_else(BigInt::zero), 1)
        }
        // |Wx|_1 <= max_j sum_i |w_ij| |x|_1, attained at a unit vector.
        (Part::Weight, "l1") => {
            let mut sums = vec![BigInt::zero(); columns];
            for row in rows() {
                for (sum, w) in sums.iter_mut().zip(row) {
                    *sum += magnitude(w);
                }
            }
            grid.value(sums.into_iter().max().unwrap_or_default(), 1)
        }
        (Part::Bias, "l1") => grid.value(tensor.data.iter().map(magnitude).sum(), 1),
        (Part::Weight, "fro") | (Part::Bias, "l2" | "fro") => {
            let squares = tensor.data.iter().map(|w| magnitude(w).pow(2)).sum();
            return Ok(Some(Value::rational(&grid.value(squares, 2), bits).sqrt(bits)?));
        }
        // The sum over output units of the Euclidean norms of their rows.
        (Part::Weight, "l21") => {
            let mut total = Value::integer(0, bits);
            for row in rows() {
                let squares = row.iter().map(|w| magnitude(w).pow(2)).sum();
                total = total.add(&Value::rational(&grid.value(squares, 2), bits).sqrt(bits)?, bits);
            }
            return Ok(Some(total));
        }
        _ => return Ok(None),
    };
    Ok(Some(Value::rational(&value, bits)))
}

/// The common grid `2^exponent` of dyadic numbers.
pub struct Grid {
    exponent: i32,
}

impl Grid {
    pub fn of(weights: &[Weight]) -> Grid {
        let exponent = weights.iter().filter(|w| w.mantissa != 0).map(|w| i32::from(w.exponent)).min().unwrap_or(0);
        Grid { exponent }
    }

    /// The weight in units of the grid.
    pub fn integer(&self, weight: &Weight) -> BigInt {
        if weight.mantissa == 0 {
            return BigInt::zero();
        }
        // The grid is at most the weight's own exponent, so the shift is not negative.
        let shift = u32::try_from(i32::from(weight.exponent) - self.exponent).unwrap_or(0);
        BigInt::from(weight.mantissa) << shift
    }

    /// `n` units of the grid to this power.
    pub fn value(&self, n: BigInt, power: i32) -> BigRational {
        let exponent = self.exponent * power;
        let scale = BigInt::one() << exponent.unsigned_abs();
        if exponent >= 0 { BigRational::from_integer(n * scale) } else { BigRational::new(n, scale) }
    }
}
