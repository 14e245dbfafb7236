//! Certificates: what a check found, in a form that this kernel alone re-derives. Trust: kernel.
//!
//! A certificate is one JSON text and, for long arrays, one side file. It holds the objects that its claims speak of, the names and
//! hashes of the theorems they use, and for every claim its derivation. Reading rebuilds the arguments of
//! [`super::check::check`]; nothing that the text *says* was proved is believed. `docs/certificate.md` describes the format.
//!
//! The text is canonical: what is read and written again gives the same bytes. So a certificate has one spelling, every number has
//! one spelling, and a key that occurs twice, a number like `2/4` or a byte after the end is refused before anything is read from it.

pub mod array;
pub mod claim;
pub mod document;
pub mod json;
pub mod name;
pub mod object;
pub mod point;
pub mod step;
pub mod term;
pub mod verify;

pub use claim::ClaimRecord;
pub use document::{Certificate, Text};
pub use json::Json;
pub use verify::Certified;

use super::eval::EvalError;
use std::fmt;

/// The format of this version; a certificate states the version it was written for.
pub const FORMAT: &str = "supremum certificate";
pub const VERSION: u64 = 3;

/// Longest text of a certificate, and longest side file, in bytes.
pub const TEXT_LIMIT: usize = 64 << 20;
pub const SIDE_LIMIT: u64 = 1 << 30;
/// Most claims, steps, objects, and other entries of a part.
pub const COUNT_LIMIT: usize = 100_000;
/// Most texts, numbers, lists and maps in one entry.
pub const VALUE_LIMIT: usize = 1 << 21;
/// Most decimal digits of a numerator, a denominator or a mantissa.
pub const DIGIT_LIMIT: usize = 20_000;
/// Largest magnitude of the exponent of two of a weight or witness.
pub const EXPONENT_LIMIT: i64 = 1 << 13;
/// Most inputs of a network with parameters.
pub const INPUT_LIMIT: u128 = 1 << 24;

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Not a JSON text of the allowed kind.
    Malformed,
    /// The text ends early.
    Truncated,
    /// Bytes after the end.
    Trailing,
    DuplicateKey,
    /// A named limit.
    Limit,
    /// Another format or version.
    Version,
    /// A field is missing, unknown, or of another kind.
    Field,
    /// A number without its canonical spelling.
    Number,
    /// The text is not spelled canonically.
    Spelling,
    /// The side file is missing, of another length or another hash, or not beside the certificate.
    Side,
    /// An object that is none: an empty interval, a negative radius, parameters that do not fit.
    Object,
    /// A name that could be mistaken for something else.
    Name,
    /// A theorem that is neither in the library nor in the certificate, or one that may not be used.
    Theorem,
    /// A theorem whose text is not the one that was used.
    TheoremText,
    /// A step that refers to itself, to a later one, or to none.
    Order,
    /// A step that the kernel refuses.
    Step,
    /// A step proves less than the certificate says of it.
    Enclosure,
    /// The derivation does not prove the claim.
    Verdict,
    /// Assumptions, theorems or probabilities that are not those of the derivation.
    Grounds,
    /// The failure probabilities do not add up, or exceed the budget.
    Ledger,
}

impl Reason {
    /// The diagnostic code, with its section in `text/explain/E08.md`.
    pub fn code(self) -> &'static str {
        match self {
            Reason::Malformed => "E0801",
            Reason::Truncated => "E0802",
            Reason::Trailing => "E0803",
            Reason::DuplicateKey => "E0804",
            Reason::Limit => "E0805",
            Reason::Version => "E0806",
            Reason::Field => "E0807",
            Reason::Number => "E0808",
            Reason::Spelling => "E0809",
            Reason::Side => "E0810",
            Reason::Object => "E0811",
            Reason::Name => "E0812",
            Reason::Theorem => "E0813",
            Reason::TheoremText => "E0814",
            Reason::Order => "E0815",
            Reason::Step => "E0816",
            Reason::Enclosure => "E0817",
            Reason::Verdict => "E0818",
            Reason::Grounds => "E0819",
            Reason::Ledger => "E0820",
        }
    }
}

/// Why a certificate is refused: a reason, and in words the place, what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    pub message: String,
}

impl Refusal {
    pub fn new(reason: Reason, message: impl Into<String>) -> Refusal {
        Refusal { reason, message: message.into() }
    }

    /// A refusal by the kernel's evaluation at `place`; its limits stay limits.
    pub fn step(reason: Reason, place: &str, error: &EvalError) -> Refusal {
        let reason = if matches!(error, EvalError::TooLarge(_)) { Reason::Limit } else { reason };
        Refusal::new(reason, format!("{place}: {error}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
