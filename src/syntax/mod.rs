//! The language of `.spec` and `.thm` files: tree, parser, printer.
//!
//! Parsing never fails hard: it returns the tree of what it understood and a list of diagnostics.

pub mod ast;

/// How deeply brackets, operators and quantifiers may nest. Deeper input is refused, so that recursion over the tree is safe.
pub const MAX_DEPTH: usize = 256;
