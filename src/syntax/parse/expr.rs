//! Expressions.

use super::input::*;
use super::number::number;
use super::prop::{binder_in, prop, relation_sign};
use crate::syntax::ast::*;
use crate::syntax::token::{Symbol, TokenKind, is_reserved};
use crate::text::Diagnostic;
use nom::combinator::{cut, opt};
use nom::sequence::delimited;
use nom::{Err, Parser};

/// `lambda | sum [".." sum]`
pub fn expr(input: Input<'_>) -> Parse<'_, Expr> {
    if let Some((params, body)) = lambda_head(input) {
        let (rest, body) = nested(body, |input| committed(expr(input)))?;
        let kind = ExprKind::Lambda { params, body: Box::new(body) };
        return Ok((rest, Expr::new(kind, rest.span_from(input))));
    }
    let (rest, start) = sum(input)?;
    if !rest.at_symbol(0, Symbol::DotDot) {
        return Ok((rest, start));
    }
    let (rest, end) = nested(rest.advance(), |input| committed(sum(input)))?;
    let kind = ExprKind::Range { start: Box::new(start), end: Box::new(end) };
    Ok((rest, Expr::new(kind, rest.span_from(input))))
}

/// The parameters of `x |-> ...` or `(x, y) |-> ...` and the start of the body, if that is what stands here.
fn lambda_head(input: Input<'_>) -> Option<(Vec<Ident>, Input<'_>)> {
    let free = |i: usize| input.at_name(i) && !is_reserved(&input.text(i));
    let mut end = if free(0) && input.at_symbol(1, Symbol::MapsTo) {
        1
    } else if input.at_symbol(0, Symbol::OpenParen) {
        let mut i = 1;
        while free(i) && input.at_symbol(i + 1, Symbol::Comma) {
            i += 2;
        }
        if !(free(i) && input.at_symbol(i + 1, Symbol::CloseParen) && input.at_symbol(i + 2, Symbol::MapsTo)) {
            return None;
        }
        i + 2
    } else {
        return None;
    };
    let mut params = Vec::new();
    let mut rest = input;
    while end > 0 {
        if rest.at_name(0) {
            params.push(Ident { name: rest.text(0).into_owned(), span: rest.token().span() });
        }
        rest = rest.advance();
        end -= 1;
    }
    Some((params, rest.advance()))
}

/// `product { ("+"|"-") product }`, flat.
fn sum(input: Input<'_>) -> Parse<'_, Expr> {
    let (mut rest, first) = product(input)?;
    let mut terms = Vec::new();
    let mut first = Some(first);
    loop {
        let sign = match rest.token().kind {
            TokenKind::Symbol(Symbol::Plus) => Sign::Plus,
            TokenKind::Symbol(Symbol::Minus) => Sign::Minus,
            _ => break,
        };
        if let Some(expr) = first.take() {
            terms.push(Term { sign: Sign::Plus, expr });
        }
        let (next, expr) = nested(rest.advance(), |input| committed(product(input)))?;
        terms.push(Term { sign, expr });
        rest = next;
    }
    match first {
        Some(alone) => Ok((rest, alone)),
        None => Ok((rest, Expr::new(ExprKind::Sum(terms), rest.span_from(input)))),
    }
}

/// `unary { ("*"|"/") unary }`, flat.
fn product(input: Input<'_>) -> Parse<'_, Expr> {
    let (mut rest, first) = unary(input)?;
    let mut factors = Vec::new();
    let mut first = Some(first);
    loop {
        let inverse = match rest.token().kind {
            TokenKind::Symbol(Symbol::Star) => false,
            TokenKind::Symbol(Symbol::Slash) => true,
            _ => break,
        };
        if let Some(expr) = first.take() {
            factors.push(Factor { inverse: false, expr });
        }
        let (next, expr) = nested(rest.advance(), |input| committed(unary(input)))?;
        factors.push(Factor { inverse, expr });
        rest = next;
    }
    match first {
        Some(alone) => Ok((rest, alone)),
        None => Ok((rest, Expr::new(ExprKind::Product(factors), rest.span_from(input)))),
    }
}

/// `"-" unary | postfix ["^" unary]`
fn unary(input: Input<'_>) -> Parse<'_, Expr> {
    if input.at_symbol(0, Symbol::Minus) {
        let (rest, inner) = nested(input.advance(), |input| committed(unary(input)))?;
        return Ok((rest, Expr::new(ExprKind::Neg(Box::new(inner)), rest.span_from(input))));
    }
    let (rest, base) = postfix(input)?;
    if !rest.at_symbol(0, Symbol::Caret) {
        return Ok((rest, base));
    }
    let (rest, exponent) = nested(rest.advance(), |input| committed(unary(input)))?;
    let kind = ExprKind::Power { base: Box::new(base), exponent: Box::new(exponent) };
    Ok((rest, Expr::new(kind, rest.span_from(input))))
}

/// `atom { "(" args ")" | "[" expr "]" | "." NAME }`
fn postfix(input: Input<'_>) -> Parse<'_, Expr> {
    measured(input, |input| {
        let (mut rest, mut tree) = atom(input)?;
        loop {
            if !at_postfix(rest) {
                return Ok((rest, tree));
            }
            grow(rest)?;
            let kind = match rest.token().kind {
                TokenKind::Symbol(Symbol::OpenParen) => {
                    bare_log(input, &tree);
                    let (next, args) = nested(rest, arguments)?;
                    rest = next;
                    ExprKind::Call { function: Box::new(tree), args }
                }
                TokenKind::Symbol(Symbol::OpenBracket) => {
                    let (next, index) = nested(rest.advance(), |input| unbarred(input, expr))?;
                    let (next, _) = cut(symbol(Symbol::CloseBracket)).parse(next)?;
                    rest = next;
                    ExprKind::Index { base: Box::new(tree), index: Box::new(index) }
                }
                TokenKind::Symbol(Symbol::Dot) => {
                    let (next, field) = cut(any_word("a name after `.`")).parse(rest.advance())?;
                    rest = next;
                    ExprKind::Field { base: Box::new(tree), field }
                }
                _ => return Ok((rest, tree)),
            };
            tree = Expr::new(kind, rest.span_from(input));
        }
    })
}

fn at_postfix(input: Input<'_>) -> bool {
    [Symbol::OpenParen, Symbol::OpenBracket, Symbol::Dot].into_iter().any(|symbol| input.at_symbol(0, symbol))
}

/// A logarithm must say its base; the item is otherwise in order and is kept.
fn bare_log(input: Input<'_>, function: &Expr) {
    if function.as_name() == Some("log") {
        input.context.report(
            Diagnostic::error("E0107", "which logarithm?")
                .at(function.span, "base not stated")
                .help("write `ln` (natural, nats) or `log2` (binary, bits)"),
        );
    }
}

/// Runs `inner` inside brackets, where bars may be opened again.
fn unbarred<'a, T>(input: Input<'a>, inner: impl FnOnce(Input<'a>) -> Parse<'a, T>) -> Parse<'a, T> {
    let outside = input.context.inside_bars.replace(false);
    let result = committed(inner(input));
    input.context.inside_bars.set(outside);
    result
}

fn atom(input: Input<'_>) -> Parse<'_, Expr> {
    let token = input.token();
    match token.kind {
        TokenKind::Number => number(input),
        TokenKind::Bad => {
            let kind = ExprKind::Number(Number { value: num_traits::Zero::zero(), literal: "0".to_string() });
            Ok((input.advance(), Expr::new(kind, token.span())))
        }
        TokenKind::Str => {
            let (rest, text) = string("a string").parse(input)?;
            Ok((rest, Expr::new(ExprKind::Str(text.text), text.span)))
        }
        TokenKind::Name => named(input),
        TokenKind::Symbol(Symbol::OpenParen) => nested(input.advance(), |inside| {
            let (rest, first) = unbarred(inside, expr)?;
            if !rest.at_symbol(0, Symbol::Comma) {
                let (rest, _) = close_paren(rest)?;
                return Ok((rest, Expr::new(first.kind, rest.span_from(input))));
            }
            let (rest, more) = unbarred(rest.advance(), |input| comma_list(expr).parse(input))?;
            let (rest, _) = close_paren(rest)?;
            let tuple = std::iter::once(first).chain(more).collect();
            Ok((rest, Expr::new(ExprKind::Tuple(tuple), rest.span_from(input))))
        }),
        TokenKind::Symbol(Symbol::OpenBracket) => nested(input.advance(), |inside| {
            let (rest, low) = unbarred(inside, expr)?;
            let (rest, _) = cut(symbol(Symbol::Comma)).parse(rest)?;
            let (rest, high) = unbarred(rest, expr)?;
            let (rest, _) = cut(symbol(Symbol::CloseBracket)).parse(rest)?;
            let kind = ExprKind::Interval(Box::new(low), Box::new(high));
            Ok((rest, Expr::new(kind, rest.span_from(input))))
        }),
        TokenKind::Symbol(Symbol::OpenBrace) => nested(input.advance(), |inside| set(input, inside)),
        TokenKind::Symbol(Symbol::Bar) => nested(input.advance(), |inside| norm(input, inside)),
        TokenKind::Symbol(Symbol::Question) => fail(
            Diagnostic::error("E0114", "expected an expression, found `?`")
                .at(token.span(), "not the right-hand side of a relation")
                .help("a hole stands alone on the right of `<=`, `>=` or `=`: `lip(f, l2) <= ?`"),
        ),
        _ => input.expected("an expression"),
    }
}

/// A relation in plain parentheses is the likeliest reason for a missing `)`.
fn close_paren(input: Input<'_>) -> Parse<'_, ()> {
    match (symbol(Symbol::CloseParen).parse(input), relation_sign(input)) {
        (Ok((rest, _)), _) => Ok((rest, ())),
        (_, Ok(_)) => fail(
            Diagnostic::error("E0101", format!("expected `)`, found {}", input.found()))
                .at(input.token().span(), "expected `)`")
                .help("a relation cannot stand in parentheses: separate statements by `,`, or write two claims"),
        ),
        (Err(e), _) => committed(Err(e)),
    }
}

fn named(input: Input<'_>) -> Parse<'_, Expr> {
    let text = input.text(0);
    if text == "cases" && input.at_symbol(1, Symbol::OpenBrace) {
        return nested(input.advance(), |inside| cases(input, inside));
    }
    if is_reserved(&text) || input.at_item() {
        return input.expected("an expression");
    }
    if input.context.source.slice(input.token().span()) == "√" && !input.at_symbol(1, Symbol::OpenParen) {
        return fail(
            Diagnostic::error("E0101", format!("expected `(` after `√`, found {}", input.advance().found()))
                .at(input.advance().token().span(), "expected `(`")
                .help("write `√(2)` or `sqrt(2)`"),
        );
    }
    let kind = ExprKind::Name(text.into_owned());
    Ok((input.advance(), Expr::new(kind, input.token().span())))
}

fn set<'a>(start: Input<'a>, inside: Input<'a>) -> Parse<'a, Expr> {
    let (rest, first) = unbarred(inside, expr)?;
    if rest.at_word(0, "for") {
        let (rest, binder) = unbarred(rest.advance(), binder_in)?;
        let (rest, _) = cut(symbol(Symbol::CloseBrace)).parse(rest)?;
        let kind = ExprKind::SetComprehension { element: Box::new(first), binder: Box::new(binder) };
        return Ok((rest, Expr::new(kind, rest.span_from(start))));
    }
    let mut elements = vec![first];
    let mut rest = rest;
    if rest.at_symbol(0, Symbol::Comma) {
        let (next, more) = unbarred(rest.advance(), |input| comma_list(expr).parse(input))?;
        elements.extend(more);
        rest = next;
    }
    let (rest, _) = cut(symbol(Symbol::CloseBrace)).parse(rest)?;
    Ok((rest, Expr::new(ExprKind::Set(elements), rest.span_from(start))))
}

/// `|x|`, `|x|_2`. Bars do not nest without parentheses, because `||x||` would be a norm to most readers.
fn norm<'a>(start: Input<'a>, inside: Input<'a>) -> Parse<'a, Expr> {
    if start.context.inside_bars.replace(true) {
        return fail(
            Diagnostic::error("E0113", "expected an expression, found a bar inside bars")
                .at(start.token().span(), "opens a second pair of bars")
                .help("a norm is `|x|_2`, not `||x||_2`; put inner bars in parentheses: `|1 - (|x|)|`"),
        );
    }
    let (rest, inner) = committed(expr(inside))?;
    start.context.inside_bars.set(false);
    let (rest, _) = cut(symbol(Symbol::Bar)).parse(rest)?;
    let index = rest.token();
    let mut norm = None;
    let mut end = rest;
    if index.kind == TokenKind::Index {
        norm = Some(Ident { name: index_name(rest.context.source.slice(index.span())), span: index.span() });
        end = rest.advance();
    }
    let kind = ExprKind::Norm { expr: Box::new(inner), norm };
    Ok((end, Expr::new(kind, end.span_from(start))))
}

/// `_2` and `₂` are the norm `2`, `_∞` is `inf`.
fn index_name(written: &str) -> String {
    let digit = |c: char| match c {
        '₀'..='₉' => char::from_digit(u32::from(c).saturating_sub(u32::from('₀')), 10).unwrap_or(c),
        _ => c,
    };
    match written.trim_start_matches('_') {
        "∞" => "inf".to_string(),
        name => name.chars().map(digit).collect(),
    }
}

fn cases<'a>(start: Input<'a>, inside: Input<'a>) -> Parse<'a, Expr> {
    let body = delimited(
        cut(symbol(Symbol::OpenBrace)),
        |input| unbarred(input, |input| comma_list(case).parse(input)),
        cut(symbol(Symbol::CloseBrace)),
    );
    let mut body = body;
    let (rest, cases) = body.parse(inside)?;
    Ok((rest, Expr::new(ExprKind::Cases(cases), rest.span_from(start))))
}

fn case(input: Input<'_>) -> Parse<'_, Case> {
    let (rest, value) = expr(input)?;
    if rest.at_word(0, "otherwise") {
        return Ok((rest.advance(), Case { value, condition: None }));
    }
    let (rest, _) = cut(word("`if`")).parse(rest)?;
    let (rest, left) = committed(expr(rest))?;
    let (rest, rel) = committed(relation_sign(rest))?;
    let (rest, right) = committed(expr(rest))?;
    Ok((rest, Case { value, condition: Some(Condition { left, rel, right }) }))
}

/// `"(" [arg {"," arg}] ")"`
pub fn arguments(input: Input<'_>) -> Parse<'_, Vec<Arg>> {
    let (rest, _) = symbol(Symbol::OpenParen).parse(input)?;
    let (rest, args) = unbarred(rest, |input| {
        if input.at_symbol(0, Symbol::CloseParen) { Ok((input, Vec::new())) } else { comma_list(arg).parse(input) }
    })?;
    let (rest, _) = cut(symbol(Symbol::CloseParen)).parse(rest)?;
    Ok((rest, args))
}

/// `[NAME ":"] (expr ["on" expr] | expr "for" NAME "in" expr | NAME "in" expr ":" expr | prop)`
fn arg(input: Input<'_>) -> Parse<'_, Arg> {
    let mut name = None;
    let mut rest = input;
    if input.at_name(0) && input.at_symbol(1, Symbol::Colon) {
        // An option may be called anything: `finite_class(bits: 32, on: D.train)`.
        let (next, ident) = any_word("a name").parse(input)?;
        name = Some(ident);
        rest = next.advance();
    }
    let (rest, prop) = match prop(rest) {
        Err(Err::Error(fault)) if name.is_some() => Err(Err::Failure(fault)),
        other => other,
    }?;
    let (rest, value, domain) = match prop.kind {
        PropKind::Bare { expr: element, domain: None } if rest.at_word(0, "for") => {
            let (rest, binder) = committed(binder_in(rest.advance()))?;
            (rest, ArgValue::Comprehension { element, binder, notation: Notation::Trailing }, None)
        }
        PropKind::Bare { expr, domain } => (rest, ArgValue::Expr(expr), domain),
        kind => leading(rest, Prop { kind, span: prop.span })?,
    };
    Ok((rest, Arg { name, value, domain, span: rest.span_from(input) }))
}

/// `NAME "in" expr` followed by `":" expr` is a comprehension, any other relation an argument by itself.
fn leading(rest: Input<'_>, prop: Prop) -> Result<(Input<'_>, ArgValue, Option<Expr>), Err<Fault>> {
    if !rest.at_symbol(0, Symbol::Colon) {
        return Ok((rest, ArgValue::Prop(prop), None));
    }
    let span = prop.span;
    let PropKind::Relation { first: Expr { kind: ExprKind::Name(name), span: at }, rest: mut bounds } = prop.kind
    else {
        return Err(Err::Failure(Fault::Expected { position: rest.position, wanted: "`,` or `)`" }));
    };
    match (bounds.pop(), bounds.is_empty()) {
        (Some((Rel::In, bound)), true) if bound.kind != ExprKind::Hole => {
            let (rest, element) = nested(rest.advance(), |input| committed(expr(input)))?;
            let binder = Binder { var: Ident { name, span: at }, rel: Rel::In, bound, span };
            Ok((rest, ArgValue::Comprehension { element, binder, notation: Notation::Leading }, None))
        }
        _ => Err(Err::Failure(Fault::Expected { position: rest.position, wanted: "`,` or `)`" })),
    }
}

/// `NAME ["(" args ")"]`, where the name may be dotted.
pub fn method(input: Input<'_>) -> Parse<'_, Method> {
    let (rest, name) = dotted_name("a method").parse(input)?;
    let (rest, args) = opt(|input| nested(input, arguments)).parse(rest)?;
    Ok((rest, Method { name, args: args.unwrap_or_default(), span: rest.span_from(input) }))
}

/// An expression that must be there.
pub fn required(input: Input<'_>) -> Parse<'_, Expr> {
    committed(expr(input))
}
