//! A start-up test of the arithmetic that every error bound assumes.
//!
//! Trust: untrusted, but its failure must stop the program.

use super::error::NumError;
use super::round::{ETA, U};
use std::hint::black_box;

/// Checks that f64 operations round to nearest, ties to even, with gradual underflow and without extended precision.
///
/// Every operand and result passes through `black_box`, so the processor computes, not the compiler.
///
/// # Errors
/// `Arithmetic` if subnormal operands or results are flushed to zero (FTZ, DAZ), if the rounding mode is not to nearest, or if
/// results carry more than 53 bits.
pub fn self_test() -> Result<(), NumError> {
    let mul = |a: f64, b: f64| black_box(black_box(a) * black_box(b));
    let add = |a: f64, b: f64| black_box(black_box(a) + black_box(b));
    let check = |ok: bool, expected: &'static str| if ok { Ok(()) } else { Err(NumError::Arithmetic { expected }) };

    // 1e-310 is subnormal: it is lost on input under DAZ; the product of two normal numbers is lost on output under FTZ.
    let subnormal = f64::from_bits(0x0000_1268_8b70_e62b);
    check(mul(subnormal, 1.0).to_bits() == subnormal.to_bits(), "subnormal operands to be kept")?;
    check(add(ETA, ETA).to_bits() == 2, "sums of subnormal numbers to be exact")?;
    check(mul(f64::MIN_POSITIVE, 0.5).to_bits() == 1 << 51, "subnormal results to be kept")?;

    // Just above and below half a unit, and the two ties: only rounding to nearest even gives all of these.
    let ulp = f64::EPSILON;
    check(add(1.0, U) == 1.0, "a tie to round to even (down)")?;
    check(add(1.0 + ulp, U) == 1.0 + 2.0 * ulp, "a tie to round to even (up)")?;
    check(add(1.0, U * (1.0 + ulp)) == 1.0 + ulp, "rounding to nearest (up)")?;
    check(add(-1.0, -U * (1.0 + ulp)) == -1.0 - ulp, "rounding to nearest (down)")?;
    check(add(1.0, U * 0.999) == 1.0, "rounding to nearest (towards zero)")?;
    check(add(-1.0, -U * 0.999) == -1.0, "rounding to nearest (towards zero)")?;

    // 1 + u - 1 is u in extended precision and 0 in binary64.
    check(add(add(1.0, U), -1.0) == 0.0, "results of 53 bits")?;
    check(black_box(black_box(2.0f64).sqrt()).to_bits() == 0x3FF6_A09E_667F_3BCD, "a correctly rounded square root")
}
