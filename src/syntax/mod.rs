//! The language of `.spec` and `.thm` files: tree, parser, printer. The grammar is written down in `docs/language.md`.
//!
//! Parsing never fails hard: [`parse`] returns the tree of what it understood and a list of diagnostics. It takes time linear in
//! the length of the text, and neither it nor any recursion over its tree can overflow the stack.

pub mod ast;
mod lex;
pub mod lower;
mod parse;
mod print;
mod token;
mod units;

pub use parse::{MAX_DIGITS, Parsed, parse};
pub use print::{format, print, print_expr, print_item, print_prop};
pub use token::{Comment, ITEM_WORDS, RESERVED, UNICODE};

/// How deeply brackets, operators and quantifiers may nest. Deeper input is refused, so that recursion over the tree is safe.
pub const MAX_DEPTH: usize = 256;
