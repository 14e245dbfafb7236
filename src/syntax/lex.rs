//! Text to tokens. Anything that is no token is reported and skipped; the result always ends with [`TokenKind::End`].

use super::token::{Comment, Symbol, Token, TokenKind, UNICODE};
use crate::text::{Diagnostic, Source, Span};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, one_of};
use nom::combinator::{opt, recognize, verify};
use nom::multi::many0_count;
use nom::sequence::{pair, preceded};
use nom::{IResult, Parser};

pub struct Lexed {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub diagnostics: Vec<Diagnostic>,
}

/// After this many complaints the rest of the text is probably not a spec at all.
const MAX_COMPLAINTS: usize = 50;

pub fn lex(source: &Source) -> Lexed {
    let mut lexer = Lexer {
        source,
        lexed: Lexed { tokens: Vec::new(), comments: Vec::new(), diagnostics: Vec::new() },
        first_on_line: true,
    };
    lexer.run();
    let end = Span::at(source.text().len());
    lexer.lexed.tokens.push(Token::new(TokenKind::End, end, 0, true));
    lexer.lexed
}

struct Lexer<'a> {
    source: &'a Source,
    lexed: Lexed,
    first_on_line: bool,
}

fn name_rest(input: &str) -> IResult<&str, &str> {
    take_while(|c: char| c.is_ascii_alphanumeric() || c == '_').parse(input)
}

fn ascii_name(input: &str) -> IResult<&str, &str> {
    recognize(pair(take_while1(|c: char| c.is_ascii_alphabetic()), name_rest)).parse(input)
}

/// Digits, single underscores allowed between them.
fn digits(input: &str) -> IResult<&str, &str> {
    recognize(pair(digit1, many0_count(preceded(char('_'), digit1)))).parse(input)
}

/// `12`, `30_000`, `0.5`, `1e-400`; a point must stand between digits, so that `1..20` is a range.
fn number(input: &str) -> IResult<&str, &str> {
    let fraction = preceded(char('.'), digits);
    let exponent = (one_of("eE"), opt(one_of("+-")), digits);
    recognize((digits, opt(fraction), opt(exponent))).parse(input)
}

/// `_2`, `_spec`, `₂`, `_∞`.
fn index(input: &str) -> IResult<&str, &str> {
    let subscript = take_while1(|c: char| ('₀'..='₉').contains(&c));
    let ascii = preceded(char('_'), take_while1(|c: char| c.is_ascii_alphanumeric()));
    alt((recognize(ascii), tag("_∞"), subscript)).parse(input)
}

fn string(input: &str) -> IResult<&str, &str> {
    recognize((char('"'), take_while(|c| c != '"' && c != '\n'), char('"'))).parse(input)
}

fn comment(input: &str) -> IResult<&str, &str> {
    recognize(pair(tag("--"), take_while(|c| c != '\n'))).parse(input)
}

fn blank(input: &str) -> IResult<&str, &str> {
    verify(take_while(|c: char| c.is_ascii_whitespace()), |blank: &str| !blank.is_empty()).parse(input)
}

fn symbol(input: &str) -> Option<(&str, Symbol)> {
    Symbol::SPELLINGS.iter().find_map(|(text, symbol)| Some((input.strip_prefix(text)?, *symbol)))
}

/// The Unicode spelling at the start: what is left, its place counted from 1, and its ASCII form.
fn unicode(input: &str) -> Option<(&str, u8, &'static str)> {
    let first = input.chars().next()?;
    let place = UNICODE.iter().position(|(c, _)| *c == first)?;
    Some((input.strip_prefix(first)?, u8::try_from(place + 1).ok()?, UNICODE.get(place)?.1))
}

impl<'a> Lexer<'a> {
    fn run(&mut self) {
        let mut rest = self.source.text();
        while !rest.is_empty() && self.lexed.diagnostics.len() < MAX_COMPLAINTS {
            rest = self.step(rest);
        }
    }

    /// The span between two positions, given by what is left of the text at each.
    fn span(&self, rest: &str, left: &str) -> Span {
        let length = self.source.text().len();
        Span::new(length.saturating_sub(rest.len()), length.saturating_sub(left.len()))
    }

    fn push(&mut self, kind: TokenKind, span: Span, alias: u8) {
        self.lexed.tokens.push(Token::new(kind, span, alias, self.first_on_line));
        self.first_on_line = false;
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.lexed.diagnostics.push(diagnostic);
    }

    /// Reads one token, comment or blank; returns what is left, always less than before.
    fn step(&mut self, rest: &'a str) -> &'a str {
        if let Ok((left, blank)) = blank(rest) {
            self.first_on_line |= blank.contains('\n');
            return left;
        }
        if let Ok((left, text)) = comment(rest) {
            let start = self.span(rest, left).start;
            let span = Span::new(start, start + text.trim_end().len());
            self.lexed.comments.push(Comment { span, own_line: self.first_on_line });
            return left;
        }
        if let Ok((left, _)) = ascii_name(rest) {
            self.push(TokenKind::Name, self.span(rest, left), 0);
            return self.after_name(left);
        }
        if let Ok((left, text)) = number(rest) {
            return self.number(rest, left, text);
        }
        if let Ok((left, _)) = string(rest) {
            self.push(TokenKind::Str, self.span(rest, left), 0);
            return left;
        }
        if rest.starts_with('"') {
            let end = rest.find('\n').map_or("", |i| rest.get(i..).unwrap_or(""));
            let span = self.span(rest, end);
            self.report(
                Diagnostic::error("E0103", "expected `\"` before the end of the line, found none")
                    .at(span, "this string is not closed"),
            );
            self.push(TokenKind::Str, span, 0);
            return end;
        }
        if let Ok((left, _)) = index(rest) {
            self.push(TokenKind::Index, self.span(rest, left), 0);
            return left;
        }
        if let Some((left, symbol)) = symbol(rest) {
            self.push(TokenKind::Symbol(symbol), self.span(rest, left), 0);
            return left;
        }
        if let Some((left, place, ascii)) = unicode(rest) {
            let known = Symbol::SPELLINGS.iter().find(|(text, _)| *text == ascii);
            let Some((_, symbol)) = known else {
                // A letter may begin a longer name; `√2` must not become the name `sqrt2`.
                let letter = rest.starts_with(char::is_alphabetic);
                let left = if letter { name_rest(left).map_or(left, |(left, _)| left) } else { left };
                self.push(TokenKind::Name, self.span(rest, left), place);
                return self.after_name(left);
            };
            self.push(TokenKind::Symbol(*symbol), self.span(rest, left), 0);
            return left;
        }
        self.stranger(rest)
    }

    /// A letter beyond ASCII must not continue a name unseen.
    fn after_name(&mut self, rest: &'a str) -> &'a str {
        let foreign = |c: char| c.is_alphanumeric() && !c.is_ascii() && !('₀'..='₉').contains(&c);
        match rest.chars().next() {
            Some(c) if foreign(c) => {
                let left = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                let span = self.span(rest, left);
                let help = match c {
                    '²' => "write `^2`".to_string(),
                    '³' => "write `^3`".to_string(),
                    _ => "names consist of a-z, A-Z, 0-9 and `_`".to_string(),
                };
                self.report(
                    Diagnostic::error("E0102", format!("expected an ASCII name, found `{c}` (U+{:04X})", c as u32))
                        .at(span, "not allowed in a name")
                        .help(help),
                );
                left
            }
            _ => rest,
        }
    }

    fn number(&mut self, rest: &'a str, left: &'a str, text: &str) -> &'a str {
        let span = self.span(rest, left);
        let leading_zero =
            text.len() > 1 && text.starts_with('0') && !text.starts_with("0.") && !text.starts_with("0e");
        let glued = left.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let (bad, help) = if glued.len() < left.len() {
            let help = if text == "0" && left.starts_with(['x', 'X', 'b', 'B', 'o', 'O']) {
                "write the number in decimal"
            } else if left.starts_with('_') {
                "a single `_` may stand between digits"
            } else {
                "put an operator between number and name, as in `2*x`"
            };
            (self.span(rest, glued), help)
        } else if leading_zero {
            let after_comma = self.source.text().get(..span.start).is_some_and(|before| before.ends_with(','));
            let help =
                if after_comma { "a comma does not group digits: write `1_000`" } else { "drop the leading zero" };
            (span, help)
        } else {
            self.push(TokenKind::Number, span, 0);
            return left;
        };
        let found: String = self.source.slice(bad).chars().take(40).collect();
        self.report(
            Diagnostic::error("E0104", format!("expected a decimal number, found `{found}`"))
                .at(bad, "not a number")
                .help(help),
        );
        self.push(TokenKind::Bad, bad, 0);
        if glued.len() < left.len() { glued } else { left }
    }

    fn stranger(&mut self, rest: &'a str) -> &'a str {
        let Some(c) = rest.chars().next() else { return "" };
        let known = |c: char| c.is_ascii() || UNICODE.iter().any(|(u, _)| *u == c);
        // A whole foreign word is one complaint.
        let left = if known(c) {
            rest.get(c.len_utf8()..).unwrap_or("")
        } else {
            rest.trim_start_matches(|c: char| !known(c))
        };
        let span = self.span(rest, left);
        let shown = if c.is_control() { String::new() } else { format!("`{c}` ") };
        let diagnostic =
            Diagnostic::error("E0102", format!("expected a token of the language, found {shown}(U+{:04X})", c as u32))
                .at(span, "not part of the language");
        self.report(match c {
            '\'' | '“' | '”' | '‘' | '’' => diagnostic.help("strings stand between straight double quotes"),
            '#' => diagnostic.help("comments begin with `--`"),
            '&' => diagnostic.help("separate statements by `,`"),
            '_' => diagnostic.help("names begin with a letter"),
            '²' | '³' => diagnostic.help("write powers as `x^2`"),
            '–' | '—' => diagnostic.help("write `-`"),
            c if c.is_alphabetic() => diagnostic.help("names consist of a-z, A-Z, 0-9 and `_`"),
            _ => diagnostic,
        });
        self.push(TokenKind::Bad, span, 0);
        left
    }
}
