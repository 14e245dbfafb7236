//! Exact real arithmetic by enclosures. Trust: kernel.
//!
//! A real number is known by an [`Enclosure`]: a closed interval with exact dyadic ends that contains it. Everything is integer
//! arithmetic; the only approximation is rounding an integer quotient to the safe side, so that every function carries the
//! bound "lower end <= value <= upper end" through each step, and no error constant has to be counted.
//!
//! Two principles keep this part small:
//! - **Directed, not bounded.** A lower end is computed by lower bounds of every part, an upper end by upper bounds.
//! - **Positive series.** All power series have positive terms, so that a truncated sum is a lower bound, and the sum plus a
//!   geometric rest is an upper one.
//!
//! Precision is counted in significant [`Bits`] and capped at [`MAX_BITS`], magnitudes at `2^±MAX_EXPONENT`; beyond these caps
//! results become wider, never wrong.

mod dyadic;
mod elementary;
mod enclosure;
mod inverse;
pub mod series;
mod special;

pub use dyadic::{Dyadic, MAX_BITS, MAX_EXPONENT, Toward};
pub use elementary::{e, pi};
pub use enclosure::{Enclosure, Truth};
pub use inverse::{Ask, Inverse, Question, Tail, binomial_tail, binomial_tail_inverse, kl, kl_inverse};
pub use series::Slack;
pub use special::{Binomials, binomial, factorial, ln_binomial};

/// A precision in significant bits.
pub type Bits = u32;

/// Why a real expression has no enclosure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealError {
    /// The argument is not known to lie where the function is defined.
    OutsideDomain {
        /// The function and its domain, e.g. "`ln` of a positive number".
        function: &'static str,
        argument: String,
    },
    /// The divisor's enclosure contains zero.
    DivisionByZero,
    /// An exact result would exceed a resource limit.
    TooLarge { what: &'static str, limit: u64 },
    /// The lower end exceeds the upper end.
    Empty,
    /// A point beside an inverse is missing, or its sign is not the one asked for.
    Point { question: String, found: String },
}

impl std::fmt::Display for RealError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RealError::OutsideDomain { function, argument } => write!(f, "expected {function}, found {argument}"),
            RealError::DivisionByZero => f.write_str("expected a divisor away from zero, found one that may be zero"),
            RealError::TooLarge { what, limit } => write!(f, "expected {what} of at most {limit}, found a larger one"),
            RealError::Point { question, found } => write!(f, "expected a point {question}, found {found}"),
            RealError::Empty => f.write_str("expected a lower end below the upper end, found an empty enclosure"),
        }
    }
}

impl std::error::Error for RealError {}
