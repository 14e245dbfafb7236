//! The parser's input (tokens instead of characters) and its primitives, as nom parsers.
//!
//! The grammar is read without backtracking over more than a few tokens: a parser either fails on its first token
//! (`nom::Err::Error`, the caller may try something else) or is committed (`nom::Err::Failure`, the item is lost). So parsing
//! takes time linear in the number of tokens.

use crate::syntax::MAX_DEPTH;
use crate::syntax::ast::{Ident, Text};
use crate::syntax::token::{Symbol, Token, TokenKind, is_item_word, is_reserved};
use crate::text::{Diagnostic, Source, Span};
use nom::combinator::cut;
use nom::error::ErrorKind;
use nom::{Err, IResult, Parser};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};

/// What all parsers of one file share.
pub struct Context<'a> {
    pub source: &'a Source,
    tokens: &'a [Token],
    /// Complaints that do not stop the item they are about.
    pub diagnostics: RefCell<Vec<Diagnostic>>,
    /// Recursion of the parser.
    depth: Cell<usize>,
    /// Height of the tallest tree finished in the current scope.
    height: Cell<usize>,
    /// Decimal digits that exponents may still ask for; see `number`.
    pub digits_left: Cell<usize>,
    /// Between the bars of a norm, where a further bar can only close.
    pub inside_bars: Cell<bool>,
}

#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub context: &'a Context<'a>,
    pub position: usize,
}

pub type Parse<'a, T> = IResult<Input<'a>, T, Fault>;

/// Why a parser failed. Small, because most faults are discarded.
#[derive(Debug)]
pub enum Fault {
    /// The token at `position` is not `wanted`.
    Expected {
        position: usize,
        wanted: &'static str,
    },
    Report(Box<Diagnostic>),
}

impl<'a> nom::error::ParseError<Input<'a>> for Fault {
    fn from_error_kind(input: Input<'a>, _: ErrorKind) -> Fault {
        Fault::Expected { position: input.position, wanted: "something else" }
    }

    fn append(_: Input<'a>, _: ErrorKind, other: Fault) -> Fault {
        other
    }
}

/// A complaint that ends the item.
pub fn fail<'a, T>(diagnostic: Diagnostic) -> Parse<'a, T> {
    Err(Err::Failure(Fault::Report(Box::new(diagnostic))))
}

impl<'a> Context<'a> {
    pub fn new(source: &'a Source, tokens: &'a [Token]) -> Context<'a> {
        Context {
            source,
            tokens,
            diagnostics: RefCell::new(Vec::new()),
            depth: Cell::new(0),
            height: Cell::new(0),
            digits_left: Cell::new(64 << 20),
            inside_bars: Cell::new(false),
        }
    }

    pub fn report(&self, diagnostic: Diagnostic) {
        self.diagnostics.borrow_mut().push(diagnostic);
    }

    /// Forgets what an abandoned item left behind.
    pub fn reset(&self) {
        self.depth.set(0);
        self.height.set(0);
        self.inside_bars.set(false);
    }
}

impl<'a> Input<'a> {
    /// The token `ahead` places further; beyond the last one, the last one (which is `End`).
    pub fn peek(self, ahead: usize) -> Token {
        let tokens = self.context.tokens;
        let end = Token::new(TokenKind::End, Span::at(self.context.source.text().len()), 0, true);
        tokens.get(self.position.saturating_add(ahead)).or(tokens.last()).copied().unwrap_or(end)
    }

    pub fn token(self) -> Token {
        self.peek(0)
    }

    pub fn advance(self) -> Input<'a> {
        Input { position: (self.position + 1).min(self.context.tokens.len().saturating_sub(1)), ..self }
    }

    pub fn text(self, ahead: usize) -> Cow<'a, str> {
        self.peek(ahead).text(self.context.source)
    }

    pub fn at_symbol(self, ahead: usize, symbol: Symbol) -> bool {
        self.peek(ahead).kind == TokenKind::Symbol(symbol)
    }

    pub fn at_name(self, ahead: usize) -> bool {
        self.peek(ahead).kind == TokenKind::Name
    }

    pub fn at_word(self, ahead: usize, word: &str) -> bool {
        self.at_name(ahead) && self.text(ahead) == word
    }

    pub fn at_end(self) -> bool {
        self.token().kind == TokenKind::End
    }

    /// A line begins here with a word that begins an item. Only a hint, since such words may also be names.
    pub fn at_item_line(self) -> bool {
        self.token().first_on_line && self.at_name(0) && is_item_word(&self.text(0))
    }

    /// [`Input::at_item_line`], and what follows the word cannot follow a name within an expression, as `if` does in `cases`.
    pub fn at_item(self) -> bool {
        let is_name = |text: &str| !is_reserved(text) && text != "otherwise";
        self.at_item_line()
            && (matches!(self.peek(1).kind, TokenKind::Str | TokenKind::Number)
                || (self.at_name(1) && is_name(&self.text(1)))
                || (matches!(&*self.text(0), "claim" | "expect") && self.at_symbol(1, Symbol::Colon)))
    }

    /// From `start` to the end of the last token before this position.
    pub fn span_from(self, start: Input<'a>) -> Span {
        let first = start.token().span();
        match self.position.checked_sub(1).and_then(|i| self.context.tokens.get(i)) {
            Some(last) if self.position > start.position => first.to(last.span()),
            _ => Span::at(first.start),
        }
    }

    /// What stands here, for "found ...".
    pub fn found(self) -> String {
        describe(self.token(), self.context.source)
    }

    pub fn expected<T>(self, wanted: &'static str) -> Parse<'a, T> {
        Err(Err::Error(Fault::Expected { position: self.position, wanted }))
    }
}

fn describe(token: Token, source: &Source) -> String {
    match token.kind {
        TokenKind::End => "the end of the file".to_string(),
        _ => {
            let text = source.slice(token.span());
            let short: String = text.chars().take(30).collect();
            if short.len() < text.len() { format!("`{short}...`") } else { format!("`{short}`") }
        }
    }
}

impl Fault {
    /// What to tell, or nothing if the trouble has been reported before.
    pub fn into_diagnostic(self, context: &Context<'_>) -> Option<Diagnostic> {
        let (position, wanted) = match self {
            Fault::Report(diagnostic) => return Some(*diagnostic),
            Fault::Expected { position, wanted } => (position, wanted),
        };
        let input = Input { context, position };
        let token = input.token();
        if token.kind == TokenKind::Bad {
            return None;
        }
        let diagnostic = Diagnostic::error("E0101", format!("expected {wanted}, found {}", input.found()));
        let before = position.checked_sub(1).and_then(|i| context.tokens.get(i));
        let diagnostic = match before {
            // What is missing belongs to the end of the line before.
            Some(last) if token.first_on_line => {
                let place = diagnostic.at(Span::at(last.span().end), format!("expected {wanted}"));
                if token.kind == TokenKind::End { place } else { place.because(token.span(), "found this instead") }
            }
            _ => diagnostic.at(token.span(), format!("expected {wanted}")),
        };
        Some(match hint(input) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        })
    }
}

/// Advice about mistakes that people bring along from other notations.
pub fn hint(input: Input<'_>) -> Option<&'static str> {
    let before = input.position.checked_sub(1).map(|position| Input { position, ..input });
    let glued = |a: Input<'_>, b: Input<'_>| a.token().span().end == b.token().span().start;
    if input.at_symbol(0, Symbol::Dot) && input.peek(1).kind == TokenKind::Number {
        return Some("write a digit before the point, as in `0.5`");
    }
    if input.at_symbol(0, Symbol::Star) && before.is_some_and(|b| b.at_symbol(0, Symbol::Star)) {
        return Some("powers are written `x^2`");
    }
    if input.at_symbol(0, Symbol::Eq) && before.is_some_and(|b| b.at_symbol(0, Symbol::Colon)) {
        return Some("definitions are written with `=`");
    }
    if input.peek(0).kind == TokenKind::Number
        && before.is_some_and(|b| b.at_symbol(0, Symbol::Comma) && glued(b, input))
        && input.context.source.slice(input.token().span()).len() == 3
    {
        return Some("a comma does not group digits: write `1_000`");
    }
    if before.is_some_and(|b| matches!(b.peek(0).kind, TokenKind::Number | TokenKind::Name))
        && matches!(input.token().kind, TokenKind::Name | TokenKind::Number)
        && !input.token().first_on_line
        && !is_reserved(&input.text(0))
    {
        return Some("a product needs `*`");
    }
    if input.at_name(0) && is_reserved(&input.text(0)) {
        return Some("the word is reserved and cannot name a value");
    }
    None
}

/// One symbol.
pub fn symbol<'a>(symbol: Symbol) -> impl Parser<Input<'a>, Output = Token, Error = Fault> {
    move |input: Input<'a>| {
        if input.at_symbol(0, symbol) { Ok((input.advance(), input.token())) } else { input.expected(quoted(symbol)) }
    }
}

/// Symbols in backquotes, as they are named in messages.
fn quoted(symbol: Symbol) -> &'static str {
    match symbol {
        Symbol::OpenParen => "`(`",
        Symbol::CloseParen => "`)`",
        Symbol::OpenBracket => "`[`",
        Symbol::CloseBracket => "`]`",
        Symbol::OpenBrace => "`{`",
        Symbol::CloseBrace => "`}`",
        Symbol::Comma => "`,`",
        Symbol::Colon => "`:`",
        Symbol::Arrow => "`->`",
        Symbol::Bar => "`|`",
        Symbol::MapsTo => "`|->`",
        Symbol::Eq => "`=`",
        Symbol::Ge => "`>=`",
        other => other.spelling(),
    }
}

/// One keyword; `quoted` is the word in backquotes.
pub fn word<'a>(quoted: &'static str) -> impl Parser<Input<'a>, Output = Span, Error = Fault> {
    move |input: Input<'a>| {
        if input.at_word(0, quoted.trim_matches('`')) {
            Ok((input.advance(), input.token().span()))
        } else {
            input.expected(quoted)
        }
    }
}

/// A name that a person chooses or refers to: any word that is not reserved.
pub fn name<'a>(wanted: &'static str) -> impl Parser<Input<'a>, Output = Ident, Error = Fault> {
    move |input: Input<'a>| {
        if !input.at_name(0) || input.at_item() {
            return input.expected(wanted);
        }
        let text = input.text(0);
        if is_reserved(&text) {
            return fail(
                Diagnostic::error("E0105", format!("expected {wanted}, found the reserved word `{text}`"))
                    .at(input.token().span(), "cannot be used as a name"),
            );
        }
        any_word(wanted).parse(input)
    }
}

/// A word in a place where no keyword can stand: behind a point, among options.
pub fn any_word<'a>(wanted: &'static str) -> impl Parser<Input<'a>, Output = Ident, Error = Fault> {
    move |input: Input<'a>| {
        if !input.at_name(0) {
            return input.expected(wanted);
        }
        let ident = Ident { name: input.text(0).into_owned(), span: input.token().span() };
        Ok((input.advance(), ident))
    }
}

/// `vc.sauer_shelah`
pub fn dotted_name<'a>(wanted: &'static str) -> impl Parser<Input<'a>, Output = Ident, Error = Fault> {
    move |input: Input<'a>| {
        let (mut rest, mut ident) = name(wanted).parse(input)?;
        while rest.at_symbol(0, Symbol::Dot) {
            let (next, part) = cut(any_word("a name after `.`")).parse(rest.advance())?;
            ident.name.push('.');
            ident.name.push_str(&part.name);
            ident.span = ident.span.to(part.span);
            rest = next;
        }
        Ok((rest, ident))
    }
}

pub fn string<'a>(wanted: &'static str) -> impl Parser<Input<'a>, Output = Text, Error = Fault> {
    move |input: Input<'a>| {
        if input.token().kind != TokenKind::Str {
            return input.expected(wanted);
        }
        let span = input.token().span();
        let text = input.context.source.slice(span).trim_matches('"').to_string();
        Ok((input.advance(), Text { text, span }))
    }
}

/// One or more, separated by commas; committed after a comma.
pub fn comma_list<'a, T>(
    mut element: impl Parser<Input<'a>, Output = T, Error = Fault>,
) -> impl Parser<Input<'a>, Output = Vec<T>, Error = Fault> {
    move |input: Input<'a>| {
        let (mut rest, first) = element.parse(input)?;
        let mut list = vec![first];
        while rest.at_symbol(0, Symbol::Comma) {
            let (next, more) = committed(element.parse(rest.advance()))?;
            list.push(more);
            rest = next;
        }
        Ok((rest, list))
    }
}

/// As many as there are, until `close` or the end of the file.
pub fn until_brace<'a, T>(
    mut element: impl Parser<Input<'a>, Output = T, Error = Fault>,
) -> impl Parser<Input<'a>, Output = Vec<T>, Error = Fault> {
    move |input: Input<'a>| {
        let mut rest = input;
        let mut list = Vec::new();
        while !rest.at_symbol(0, Symbol::CloseBrace) && !rest.at_end() {
            let (next, more) = element.parse(rest)?;
            list.push(more);
            rest = next;
        }
        Ok((rest, list))
    }
}

/// The result of a parser that must not fail any more.
pub fn committed<T>(result: Parse<'_, T>) -> Parse<'_, T> {
    result.map_err(|error| match error {
        Err::Error(fault) => Err::Failure(fault),
        other => other,
    })
}

/// Runs `inner` one level deeper. The tree it returns will hang below one more node.
pub fn nested<'a, T>(input: Input<'a>, inner: impl FnOnce(Input<'a>) -> Parse<'a, T>) -> Parse<'a, T> {
    let context = input.context;
    let depth = context.depth.get() + 1;
    let outside = context.height.get();
    if depth > MAX_DEPTH {
        return too_deep(input.token().span());
    }
    context.depth.set(depth);
    context.height.set(0);
    let result = inner(input);
    context.depth.set(depth - 1);
    context.height.set(outside.max(context.height.get() + 1));
    result
}

/// Runs `inner` with a fresh height, so that [`grow`] measures one chain of postfix operators and not its neighbours.
pub fn measured<'a, T>(input: Input<'a>, inner: impl FnOnce(Input<'a>) -> Parse<'a, T>) -> Parse<'a, T> {
    let outside = input.context.height.replace(0);
    let result = inner(input);
    input.context.height.set(outside.max(input.context.height.get()));
    result
}

/// Puts one more node on top of the tree in the current scope.
pub fn grow(input: Input<'_>) -> Parse<'_, ()> {
    let height = input.context.height.get() + 1;
    input.context.height.set(height);
    if height > MAX_DEPTH { too_deep(input.token().span()) } else { Ok((input, ())) }
}

fn too_deep<'a, T>(span: Span) -> Parse<'a, T> {
    fail(
        Diagnostic::limit("E0112", format!("expected at most {MAX_DEPTH} nested levels, found more"))
            .at(span, "nested too deeply")
            .help("give inner parts a name with `let`"),
    )
}
