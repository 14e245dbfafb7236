//! Columns that an author has lined up stay: extra blanks between words are the author's, everything else is canonical.

use crate::syntax::lex::lex;
use crate::syntax::token::{Symbol, Token, TokenKind};
use crate::text::{Source, Span};

/// An item written on one line of at most this many columns stays on one line.
const LINE: usize = 120;

/// The canonical text of an item with the blanks of the written one wherever both have blanks on one line. Before a colon no
/// blank will do: `claim  slope: ...` lines up with `claim range : ...`. Parentheses that the canonical text does without are
/// passed over; texts that differ otherwise have nothing to line up.
pub fn align(canonical: &str, written: &str) -> String {
    let is_line = |text: &str| !text.contains('\n') && text.chars().count() <= LINE;
    let line = is_line(written).then(|| aligned(canonical, written, Breaks::Joined)).flatten();
    line.filter(|text| is_line(text))
        .or_else(|| aligned(canonical, written, Breaks::Kept))
        .unwrap_or_else(|| canonical.to_string())
}

/// What becomes of the canonical line breaks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Kept,
    /// Where the author has blanks instead, these.
    Joined,
}

fn aligned(canonical: &str, written: &str, breaks: Breaks) -> Option<String> {
    let (our_source, their_source) = (Source::new("", canonical).ok()?, Source::new("", written).ok()?);
    let (ours, theirs) = (lex(&our_source).tokens, lex(&their_source).tokens);
    let is_same = |a: &Token, b: &Token| {
        let is_spelled = matches!(a.kind, TokenKind::Name | TokenKind::Number | TokenKind::Str);
        a.kind == b.kind && (!is_spelled || a.text(&our_source) == b.text(&their_source))
    };
    let mut out = String::with_capacity(canonical.len().max(written.len()));
    let mut theirs = theirs.iter();
    // Where the last token ended in each text; `None` behind parentheses that were passed over.
    let mut ends = (0, Some(0));
    for our in &ours {
        let mut their = theirs.next()?;
        while !is_same(our, their) {
            if !matches!(their.kind, TokenKind::Symbol(Symbol::OpenParen | Symbol::CloseParen)) {
                return None;
            }
            their = theirs.next()?;
            ends.1 = None;
        }
        let gap = our_source.slice(Span::new(ends.0, our.span().start));
        let written = ends.1.map(|end| their_source.slice(Span::new(end, their.span().start)));
        let is_free = |written: &&str| match gap {
            "" => false,
            gap if gap.contains('\n') => breaks == Breaks::Joined && is_blank(written),
            _ => is_blank(written) || written.is_empty() && our.kind == TokenKind::Symbol(Symbol::Colon),
        };
        out.push_str(written.filter(is_free).unwrap_or(gap));
        out.push_str(our_source.slice(our.span()));
        ends = (our.span().end, Some(their.span().end));
    }
    Some(out)
}

fn is_blank(gap: &str) -> bool {
    !gap.is_empty() && gap.bytes().all(|byte| byte == b' ')
}
