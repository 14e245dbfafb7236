//! Certificates of Lipschitz constants of networks and their check. Trust: kernel.
//!
//! A [`Witness`] is proposed by untrusted floating point; [`check_upper`], [`check_lower`] decide with exact integers about the
//! exact real function of the exact dyadic weights. All results are *squares* of Lipschitz constants, which keeps them rational.
//!
//! The constant of `f` on a set `X` from norm `p` to norm `q` is the least `L` with `|f(x) - f(y)|_q <= L |x - y|_p` on `X`.
//! A domain is a box, which is convex: along a segment of `X` the network is absolutely continuous, and almost everywhere its
//! derivative is `J v` for a product `J` of the weights with slopes of the activations that are possible at that point.
//! Therefore a bound of `|J v|` for all possible slopes bounds the constant.

pub mod dyadic;
pub mod psd;
pub mod sdp;
pub mod slope;
pub mod system;

pub use dyadic::Dyadic;
pub use sdp::Multipliers;
pub use slope::Slope;
pub use system::System;

use std::fmt;

/// A norm of a finite-dimensional space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    L1,
    L2,
    Linf,
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LipError {
    /// The witness does not have the shape of the network.
    Shape { expected: String, found: String },
    /// The network or the pair of norms is outside the certificate's reach.
    Unsupported(String),
    /// Unrolling would take too much memory.
    TooLarge(String),
    /// A number that must be positive (or a range that must not be empty) is not.
    NotPositive { what: &'static str, position: usize },
    /// The inequality that the witness claims does not follow from it.
    NotProved,
}

impl LipError {
    fn shape(expected: &str, found: &str) -> LipError {
        LipError::Shape { expected: expected.to_string(), found: found.to_string() }
    }

    fn too_large(expected: &str) -> LipError {
        LipError::TooLarge(expected.to_string())
    }
}

impl fmt::Display for LipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LipError::Shape { expected, found } => write!(f, "lipschitz witness: expected {expected}, found {found}"),
            LipError::Unsupported(what) => f.write_str(what),
            LipError::TooLarge(what) => write!(f, "lipschitz certificate: expected {what}, found more"),
            LipError::NotPositive { what, position } => {
                write!(f, "lipschitz witness: expected a positive {what} at position {position}, found another")
            }
            LipError::NotProved => {
                f.write_str("lipschitz witness: expected a positive semidefinite form, found one that is not proved to be")
            }
        }
    }
}

impl std::error::Error for LipError {}
