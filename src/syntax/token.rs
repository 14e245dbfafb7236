//! Tokens and their Unicode spellings.

use crate::text::{Source, Span};
use std::borrow::Cow;

/// Spellings beyond ASCII, each with the form it stands for. Nothing else outside ASCII is accepted, except in strings and comments.
///
/// A Greek letter may begin a longer name (`δ1` is `delta1`); `₀` to `₉` after a bar are norm indices (`‖x‖₂` is `|x|_2`).
pub const UNICODE: [(char, &str); 23] = [
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('→', "->"),
    ('↦', "|->"),
    ('‖', "|"),
    ('·', "*"),
    ('×', "*"),
    ('−', "-"),
    ('∈', "in"),
    ('⊂', "subset"),
    ('∀', "forall"),
    ('∃', "exists"),
    ('∞', "inf"),
    ('√', "sqrt"),
    ('π', "pi"),
    ('δ', "delta"),
    ('ε', "eps"),
    ('λ', "lambda"),
    ('γ', "gamma"),
    ('σ', "sigma"),
    ('Θ', "Theta"),
    ('Ω', "Omega"),
];

/// Words with which an item begins.
pub const ITEM_WORDS: [&str; 23] = [
    "spec",
    "use",
    "confidence",
    "semantics",
    "let",
    "param",
    "domain",
    "network",
    "class",
    "data",
    "split",
    "assume",
    "train",
    "posterior",
    "prior",
    "measure",
    "claim",
    "expect",
    "bounds",
    "theorem",
    "simulate",
    "table",
    "plot",
];

/// Words that cannot name anything, because they end or join expressions. All other keywords are contextual.
pub const RESERVED: [&str; 16] = [
    "in",
    "on",
    "by",
    "with",
    "for",
    "where",
    "as",
    "if",
    "then",
    "implies",
    "forall",
    "exists",
    "assuming",
    "within",
    "expecting",
    "subset",
];

pub fn is_item_word(word: &str) -> bool {
    ITEM_WORDS.contains(&word)
}

pub fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Name,
    Number,
    Str,
    /// `_2`, `_spec`: a norm's index after a bar.
    Index,
    Symbol(Symbol),
    /// Something already reported; stands for an expression.
    Bad,
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol {
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    OpenBrace,
    CloseBrace,
    Comma,
    Colon,
    Dot,
    DotDot,
    Plus,
    Minus,
    Star,
    Slash,
    Caret,
    Percent,
    Bar,
    MapsTo,
    Arrow,
    Question,
    Le,
    Ge,
    Lt,
    Gt,
    Eq,
    EqEq,
    Ne,
}

impl Symbol {
    /// Longest spellings first, so that the first match is the right one.
    pub const SPELLINGS: [(&'static str, Symbol); 27] = [
        ("|->", Symbol::MapsTo),
        ("->", Symbol::Arrow),
        ("..", Symbol::DotDot),
        ("<=", Symbol::Le),
        (">=", Symbol::Ge),
        ("==", Symbol::EqEq),
        ("!=", Symbol::Ne),
        ("(", Symbol::OpenParen),
        (")", Symbol::CloseParen),
        ("[", Symbol::OpenBracket),
        ("]", Symbol::CloseBracket),
        ("{", Symbol::OpenBrace),
        ("}", Symbol::CloseBrace),
        (",", Symbol::Comma),
        (":", Symbol::Colon),
        (".", Symbol::Dot),
        ("+", Symbol::Plus),
        ("-", Symbol::Minus),
        ("*", Symbol::Star),
        ("/", Symbol::Slash),
        ("^", Symbol::Caret),
        ("%", Symbol::Percent),
        ("|", Symbol::Bar),
        ("?", Symbol::Question),
        ("<", Symbol::Lt),
        (">", Symbol::Gt),
        ("=", Symbol::Eq),
    ];

    pub fn spelling(self) -> &'static str {
        Symbol::SPELLINGS.iter().find(|(_, symbol)| *symbol == self).map_or("", |(text, _)| text)
    }
}

/// Sixteen bytes, because a file of [`MAX_FILE`](crate::text::MAX_FILE) bytes may have as many tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    start: u32,
    end: u32,
    /// Place in [`UNICODE`] of a name's first character, counted from 1; 0 for ASCII.
    alias: u8,
    /// No token precedes it on its line.
    pub first_on_line: bool,
}

impl Token {
    /// INVARIANT: offsets fit 32 bits, because a source is at most `MAX_FILE` bytes long.
    pub fn new(kind: TokenKind, span: Span, alias: u8, first_on_line: bool) -> Token {
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Token { kind, start: narrow(span.start), end: narrow(span.end), alias, first_on_line }
    }

    pub fn span(self) -> Span {
        Span::new(self.start as usize, self.end as usize)
    }

    /// The text in ASCII.
    pub fn text(self, source: &Source) -> Cow<'_, str> {
        let written = source.slice(self.span());
        match usize::from(self.alias).checked_sub(1).and_then(|i| UNICODE.get(i)) {
            None => Cow::Borrowed(written),
            Some((c, ascii)) => match written.strip_prefix(*c) {
                None | Some("") => Cow::Borrowed(ascii),
                Some(rest) => Cow::Owned(format!("{ascii}{rest}")),
            },
        }
    }
}

/// A comment; `span` runs from its dashes to the end of the line, trailing blanks excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    pub span: Span,
    /// No token precedes it on its line.
    pub own_line: bool,
}
