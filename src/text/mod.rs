//! Source files, places in them, and diagnostics. Uses nothing else of this crate.

mod span;

pub use span::Span;
