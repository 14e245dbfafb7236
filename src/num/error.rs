//! What can go wrong in a computation with enclosures.
//!
//! Trust: untrusted.

use std::fmt;

/// Why a computation has no enclosure to return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumError {
    /// An end or an entry is NaN.
    NotANumber,
    /// A finite number is needed, an infinite one (or an overflow) was found.
    NotFinite,
    /// The lower end lies above the upper one, or an end lies on the wrong infinity.
    Reversed,
    /// The divisor contains zero.
    DivisionByZero,
    /// The argument reaches outside the domain of the function.
    Domain { function: &'static str, domain: &'static str },
    /// The shapes of matrices or vectors do not fit.
    Shape { expected: String, found: String },
    /// A size exceeds the limit under which the error bound is proved, or a limit on resources.
    TooLarge { what: &'static str, limit: u64 },
    /// The processor or the compiler breaks an assumption of the error bounds.
    Arithmetic { expected: &'static str },
    /// The text is not a decimal number. `at` counts bytes from the start of the text.
    Decimal { at: usize, expected: &'static str, found: String },
}

impl fmt::Display for NumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumError::NotANumber => write!(f, "expected a number, found nan"),
            NumError::NotFinite => write!(f, "expected a finite number, found an infinite one or an overflow"),
            NumError::Reversed => {
                write!(f, "expected ends in ascending order, found the lower end above the upper one")
            }
            NumError::DivisionByZero => {
                write!(f, "expected a divisor without zero, found an interval that contains zero")
            }
            NumError::Domain { function, domain } => {
                write!(f, "expected an argument of {function} inside {domain}, found one that reaches outside")
            }
            NumError::Shape { expected, found } => write!(f, "expected {expected}, found {found}"),
            NumError::TooLarge { what, limit } => write!(f, "expected {what} of at most {limit}, found more"),
            NumError::Arithmetic { expected } => {
                write!(f, "expected {expected}, found otherwise: this processor mode cannot carry the error bounds")
            }
            NumError::Decimal { at, expected, found } => write!(f, "at byte {at}: expected {expected}, found {found}"),
        }
    }
}

impl std::error::Error for NumError {}
