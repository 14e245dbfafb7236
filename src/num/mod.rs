//! The engine's numbers: enclosures in f64 and MPFR, decimals, dense matrices with proven error bounds.
//!
//! Trust: untrusted. The kernel names nothing here and recomputes what a derivation claims. Still every bound that this
//! module returns is a theorem: each rounded operation states the inequality it rests on.
//!
//! | file | what it is |
//! | --- | --- |
//! | [`round`] | directed f64 operations without touching the rounding mode of the processor |
//! | [`interval`] | [`Interval`]: closed intervals with f64 ends |
//! | [`mpfr`] | [`MpInterval`]: closed intervals with MPFR ends at any precision, and [`mpfr::decide`] |
//! | [`mpfr_functions`] | the elementary functions of [`MpInterval`] |
//! | [`elementary`] | the same functions of [`Interval`], by MPFR at 53 bits |
//! | [`exact`] | exact conversions between f64, MPFR and rationals |
//! | [`decimal`] | outward printing, exact parsing of decimals |
//! | [`matrix`] | dense f64 matrices, operator norms, midpoint-radius matrices |
//! | [`product`] | matrix products with an a-priori error bound |
//! | [`cholesky`] | floating Cholesky as a proof of positive semidefiniteness |
//! | [`spectral`] | bounds of the largest singular value |
//! | `proposal` | approximate eigenpairs, which others prove or refuse |
//! | [`mod@self_test`] | refuses processors that flush to zero or do not round to nearest |
//!
//! # Invariants
//!
//! - An interval is never empty and never has a NaN end; its lower end is below +inf, its upper end above -inf.
//! - What is undefined at one point of the argument is an error for the whole argument; it is never widened silently.
//! - No function of the C or Rust mathematical library stands behind a bound: MPFR's correct rounding does.
//! - Results do not depend on the number of threads.

pub mod cholesky;
pub mod decimal;
pub mod elementary;
pub mod error;
pub mod exact;
pub mod interval;
pub mod matrix;
pub mod mpfr;
pub mod mpfr_functions;
pub mod product;
mod proposal;
pub mod round;
pub mod self_test;
pub mod spectral;

pub use error::NumError;
pub use interval::Interval;
pub use matrix::{Matrix, MidRad};
pub use mpfr::MpInterval;
pub use self_test::self_test;
