//! Tokens to items, with recovery: an item that cannot be read costs that item only.

mod exhibit;
mod experiment;
mod expr;
mod input;
mod item;
mod network;
mod number;
mod prop;
mod theorem;

use super::ast::File;
use super::lex::{Lexed, lex};
use super::token::Comment;
use crate::text::{Diagnostic, Source};
use input::{Context, Input};

pub use number::MAX_DIGITS;

/// The result of parsing: always a tree, complete if there is no error among the diagnostics.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: File,
    /// In source order.
    pub comments: Vec<Comment>,
    /// In source order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Complaints about one file; the rest is likely to be of the same kind.
const MAX_DIAGNOSTICS: usize = 100;

/// Enough for [`MAX_DEPTH`](super::MAX_DEPTH) levels, whatever the compiler makes of the frames; a caller's thread may have
/// two megabytes only. The system commits the pages that are used.
const STACK: usize = 64 << 20;

/// Parses a `.spec` or `.thm` file.
pub fn parse(source: &Source) -> Parsed {
    std::thread::scope(|scope| {
        let parser = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || parse_items(source));
        match parser.map(|thread| thread.join()) {
            Ok(Ok(parsed)) => parsed,
            Ok(Err(bug)) => std::panic::resume_unwind(bug),
            Err(_) => {
                let title = "expected 64 MB of address space for the parser, found less";
                let diagnostics = vec![Diagnostic::limit("E0117", title)];
                Parsed { file: File::default(), comments: Vec::new(), diagnostics }
            }
        }
    })
}

fn parse_items(source: &Source) -> Parsed {
    let Lexed { tokens, comments, diagnostics } = lex(source);
    let context = Context::new(source, &tokens);
    context.diagnostics.borrow_mut().extend(diagnostics);
    let mut input = Input { context: &context, position: 0 };
    let mut file = File::default();
    while !input.at_end() && context.diagnostics.borrow().len() < MAX_DIAGNOSTICS {
        match item::item(input) {
            Ok((rest, item)) => {
                file.items.push(item);
                input = rest;
            }
            Err(error) => {
                context.reset();
                if let nom::Err::Error(fault) | nom::Err::Failure(fault) = error {
                    fault.into_diagnostic(&context).into_iter().for_each(|diagnostic| context.report(diagnostic));
                }
                input = resume(input);
            }
        }
    }
    let mut diagnostics = context.diagnostics.take();
    diagnostics.sort_by_key(|diagnostic| diagnostic.span());
    diagnostics.dedup();
    Parsed { file, comments, diagnostics }
}

/// The next line that begins with an item's word and is not indented further than the item that failed: deeper lines belong
/// to its block (`data` within `simulate`).
fn resume(failed: Input<'_>) -> Input<'_> {
    let column = |input: Input<'_>| failed.context.source.position(input.token().span().start).column;
    // What is no item at all says nothing about indentation.
    let limit = if failed.at_item_line() { column(failed) } else { usize::MAX };
    let mut input = failed.advance();
    let fresh = |input: Input<'_>| input.at_item_line() && column(input) <= limit;
    while !input.at_end() && !fresh(input) {
        input = input.advance();
    }
    input
}
