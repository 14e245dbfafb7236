//! The canonical layout of the language.
//!
//! [`print()`] lays out a tree, [`format()`] a text. Both use the ASCII spellings. What they print is read back to the same tree,
//! and formatting a formatted text changes nothing. `format` never loses a comment: an item with a comment inside keeps its own
//! layout. It keeps columns that are lined up with blanks.

mod align;
mod block;
mod expr;
mod item;

use super::ast::{Expr, File, Item, Prop};
use super::parse::parse;
use crate::text::{Diagnostic, Source, Span};
use expr::Printer;

/// A line longer than this is broken before its clauses.
const WIDTH: usize = 100;

/// A whole file, one item after another.
pub fn print(file: &File) -> String {
    file.items.iter().map(|item| print_item(item) + "\n").collect()
}

/// One item without a final line break.
pub fn print_item(item: &Item) -> String {
    let mut printer = Printer::default();
    printer.item(&item.kind);
    printer.out
}

/// An expression on one line, apart from `cases`.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer::default();
    printer.expr(expr);
    printer.out
}

/// A statement.
pub fn print_prop(prop: &Prop) -> String {
    let mut printer = Printer::default();
    printer.prop(prop);
    printer.out
}

/// Lays out a text. Errors: the diagnostics of a text that cannot be read; then nothing should be written.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(source);
    if parsed.has_errors() {
        return Err(parsed.diagnostics);
    }
    let mut page = Page { source, out: String::new(), end: None };
    let mut comments = parsed.comments.iter().peekable();
    for item in &parsed.file.items {
        while let Some(comment) = comments.next_if(|comment| comment.span.start < item.span.start) {
            page.comment(comment.span, comment.own_line);
        }
        let mut inside = false;
        while comments.next_if(|comment| comment.span.start < item.span.end).is_some() {
            inside = true;
        }
        let written = source.slice(item.span);
        let text = if inside { verbatim(written) } else { align::align(&print_item(item), written) };
        page.line(item.span, &text);
    }
    for comment in comments {
        page.comment(comment.span, comment.own_line);
    }
    if !page.out.is_empty() {
        page.out.push('\n');
    }
    // What cannot be read back must not replace what can: such a text keeps its own layout.
    let is_readable =
        |text: &str| Source::new(source.name(), text).is_ok_and(|laid_out| !parse(&laid_out).has_errors());
    Ok(if is_readable(&page.out) { page.out } else { source.text().to_string() })
}

fn verbatim(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// Items and comments below one another, with at most one of the blank lines that stood between them.
struct Page<'a> {
    source: &'a Source,
    out: String,
    /// Where the last piece ended in the source.
    end: Option<usize>,
}

impl Page<'_> {
    fn line(&mut self, span: Span, text: &str) {
        if let Some(end) = self.end {
            let between = self.source.slice(Span::new(end, span.start));
            let blank = between.matches('\n').count() > 1;
            self.out.push_str(if blank { "\n\n" } else { "\n" });
        }
        self.out.push_str(text);
        self.end = Some(span.end);
    }

    fn comment(&mut self, span: Span, own_line: bool) {
        let text = self.source.slice(span);
        if own_line || self.end.is_none() {
            self.line(span, text);
        } else {
            // Comments lined up behind several lines stay so.
            let gap = self.end.map_or("", |end| self.source.slice(Span::new(end, span.start)));
            let is_lined_up = gap.len() > 2 && gap.bytes().all(|byte| byte == b' ');
            self.out.push_str(if is_lined_up { gap } else { "  " });
            self.out.push_str(text);
            self.end = Some(span.end);
        }
    }
}
