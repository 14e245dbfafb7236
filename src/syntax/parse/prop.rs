//! Statements and binders.

use super::expr::expr;
use super::input::*;
use crate::syntax::ast::*;
use crate::syntax::token::{Symbol, TokenKind};
use crate::text::Diagnostic;
use nom::Parser;
use nom::combinator::cut;

/// `quantified | simple ["implies" prop]`
pub fn prop(input: Input<'_>) -> Parse<'_, Prop> {
    for (word, quantifier) in [("forall", Quantifier::Forall), ("exists", Quantifier::Exists)] {
        if input.at_word(0, word) {
            let (rest, binders) = committed(comma_list(binder).parse(input.advance()))?;
            let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
            let (rest, body) = nested(rest, |input| committed(prop(input)))?;
            let kind = PropKind::Quantified { quantifier, binders, body: Box::new(body) };
            return Ok((rest, Prop { kind, span: rest.span_from(input) }));
        }
    }
    let (rest, premise) = simple(input)?;
    if !rest.at_word(0, "implies") {
        return Ok((rest, premise));
    }
    let (rest, conclusion) = nested(rest.advance(), |input| committed(prop(input)))?;
    let kind = PropKind::Implies { premise: Box::new(premise), conclusion: Box::new(conclusion) };
    Ok((rest, Prop { kind, span: rest.span_from(input) }))
}

/// A statement that must be there.
pub fn required_prop(input: Input<'_>) -> Parse<'_, Prop> {
    committed(prop(input))
}

fn simple(input: Input<'_>) -> Parse<'_, Prop> {
    let (mut rest, first) = match expr(input) {
        Err(nom::Err::Error(Fault::Expected { position, .. })) if position == input.position => {
            return input.expected("a statement");
        }
        other => other?,
    };
    let mut bounds: Vec<(Rel, Expr)> = Vec::new();
    while let Ok((next, rel)) = relation_sign(rest) {
        if rel == Rel::In
            && bounds.is_empty()
            && let Some(order) = order(next)
        {
            return asymptotic(input, first, order, next.advance());
        }
        let (next, bound) = bound(next)?;
        bounds.push((rel, bound));
        rest = next;
    }
    if !bounds.is_empty() {
        let kind = PropKind::Relation { first, rest: bounds };
        return Ok((rest, Prop { kind, span: rest.span_from(input) }));
    }
    let mut domain = None;
    if rest.at_word(0, "on") {
        let (next, expr) = nested(rest.advance(), |input| committed(expr(input)))?;
        domain = Some(expr);
        rest = next;
    }
    Ok((rest, Prop { kind: PropKind::Bare { expr: first, domain }, span: rest.span_from(input) }))
}

/// `"?" | expr`
fn bound(input: Input<'_>) -> Parse<'_, Expr> {
    if input.at_symbol(0, Symbol::Question) {
        return Ok((input.advance(), Expr::new(ExprKind::Hole, input.token().span())));
    }
    nested(input, |input| committed(expr(input)))
}

/// `O(`, `Theta(`, `Omega(`
fn order(input: Input<'_>) -> Option<Order> {
    if !input.at_name(0) || !input.at_symbol(1, Symbol::OpenParen) {
        return None;
    }
    [Order::O, Order::Theta, Order::Omega].into_iter().find(|order| input.at_word(0, order.symbol()))
}

/// `"(" expr ")" "as" NAME "->" expr`, after `value in Theta`.
fn asymptotic<'a>(start: Input<'a>, value: Expr, order: Order, input: Input<'a>) -> Parse<'a, Prop> {
    let (rest, rate) = nested(input.advance(), |input| committed(expr(input)))?;
    let (rest, _) = cut(symbol(Symbol::CloseParen)).parse(rest)?;
    let (rest, _) = cut(word("`as`")).parse(rest)?;
    let (rest, var) = cut(name("the variable that tends to a limit")).parse(rest)?;
    let (rest, _) = cut(symbol(Symbol::Arrow)).parse(rest)?;
    let (rest, limit) = nested(rest, |input| committed(expr(input)))?;
    let kind = PropKind::Asymptotic { value, order, rate, var, limit };
    Ok((rest, Prop { kind, span: rest.span_from(start) }))
}

pub fn relation_sign(input: Input<'_>) -> Parse<'_, Rel> {
    let rel = match input.token().kind {
        TokenKind::Symbol(Symbol::Le) => Rel::Le,
        TokenKind::Symbol(Symbol::Ge) => Rel::Ge,
        TokenKind::Symbol(Symbol::Lt) => Rel::Lt,
        TokenKind::Symbol(Symbol::Gt) => Rel::Gt,
        TokenKind::Symbol(Symbol::Eq) => Rel::Eq,
        TokenKind::Symbol(Symbol::EqEq) => Rel::Identical,
        TokenKind::Symbol(Symbol::Ne) => Rel::Ne,
        TokenKind::Name if input.at_word(0, "in") => Rel::In,
        TokenKind::Name if input.at_word(0, "subset") => Rel::Subset,
        _ => return input.expected("a relation (`<=`, `>=`, `=`, `in`, ...)"),
    };
    Ok((input.advance(), rel))
}

/// `NAME REL expr`
pub fn binder(input: Input<'_>) -> Parse<'_, Binder> {
    let (rest, var) = name("a variable").parse(input)?;
    let (rest, rel) = committed(relation_sign(rest))?;
    let (rest, bound) = nested(rest, |input| committed(expr(input)))?;
    Ok((rest, Binder { var, rel, bound, span: rest.span_from(input) }))
}

/// `NAME "in" expr`
pub fn binder_in(input: Input<'_>) -> Parse<'_, Binder> {
    let (rest, found) = binder(input)?;
    if found.rel == Rel::In {
        return Ok((rest, found));
    }
    fail(
        Diagnostic::error("E0101", format!("expected `in` after `{}`, found `{}`", found.var.name, found.rel.symbol()))
            .at(found.span, "expected `NAME in SET`"),
    )
}
