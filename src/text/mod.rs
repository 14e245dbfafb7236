//! Source files, places in them, and diagnostics. Uses nothing else of this crate.
//!
//! Invariant: nothing here knows a grammar; [`Source`] only guarantees that a text is what it looks like.

pub mod codes;
mod diagnostic;
mod source;
mod span;
mod suggest;

pub use diagnostic::{Diagnostic, Kind, Label, Severity, Style};
pub use source::{MAX_FILE, Position, Source};
pub use span::Span;
pub use suggest::did_you_mean;
