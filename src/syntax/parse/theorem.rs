//! Theorem blocks.

use super::expr::{expr, method, required};
use super::input::*;
use super::item::{Once, layer_index, probability};
use super::network::{at_chain, chain};
use super::prop::{binder, prop, relation_sign, required_prop};
use crate::syntax::ast::*;
use crate::syntax::token::{Symbol, TokenKind};
use crate::text::Diagnostic;
use nom::Parser;
use nom::combinator::{cut, opt};

pub fn theorem(input: Input<'_>) -> Parse<'_, Theorem> {
    let (rest, name) = dotted_name("the name of the theorem").parse(input)?;
    let (rest, params) = committed(sorted_params(rest))?;
    let (mut rest, title) = opt(string("a title")).parse(rest)?;
    let mut clauses = Clauses::default();
    while !rest.at_end() {
        match clauses.next(rest)? {
            Some(next) => rest = next,
            None => break,
        }
    }
    let Some((ensures, probability)) = clauses.ensures else {
        return fail(
            Diagnostic::error("E0101", format!("expected `ensures`, found {}", rest.found()))
                .because(name.span, "this theorem has no conclusion")
                .at(rest.token().span(), "expected `ensures` before this"),
        );
    };
    let theorem = Theorem {
        name,
        params,
        title,
        aliases: clauses.aliases,
        choose: clauses.choose,
        requires: clauses.requires,
        ensures,
        probability,
        source: clauses.source,
        survey: clauses.survey,
        formal: clauses.formal,
        status: clauses.status,
        note: clauses.note,
        proof: clauses.proof,
        examples: clauses.examples,
        rejects: clauses.rejects,
    };
    Ok((rest, theorem))
}

/// `"(" [NAME [":" SORT] {"," ...}] ")"`; a sort is shared by the names since the previous one.
fn sorted_params(input: Input<'_>) -> Parse<'_, Vec<Param>> {
    let (mut rest, _) = symbol(Symbol::OpenParen).parse(input)?;
    let mut params: Vec<Param> = Vec::new();
    let mut open = 0;
    if rest.at_symbol(0, Symbol::CloseParen) {
        return Ok((rest.advance(), params));
    }
    loop {
        let (next, name) = committed(name("a parameter").parse(rest))?;
        params.push(Param { name, sort: None });
        rest = next;
        if rest.at_symbol(0, Symbol::Colon) {
            let (next, sort) = cut(any_word("a sort (`class`, `nat`, `real`, ...)")).parse(rest.advance())?;
            for param in params.iter_mut().skip(open) {
                param.sort = Some(sort.clone());
            }
            open = params.len();
            rest = next;
        }
        if !rest.at_symbol(0, Symbol::Comma) {
            break;
        }
        rest = rest.advance();
    }
    let (rest, _) = cut(symbol(Symbol::CloseParen)).parse(rest)?;
    Ok((rest, params))
}

#[derive(Default)]
struct Clauses {
    aliases: Vec<Ident>,
    choose: Vec<Binder>,
    requires: Vec<Prop>,
    ensures: Option<(Prop, Option<Expr>)>,
    source: Option<Text>,
    survey: Option<Text>,
    formal: Option<Text>,
    status: Option<Ident>,
    note: Option<Text>,
    proof: Option<Proof>,
    examples: Vec<Example>,
    rejects: Vec<Reject>,
    once: Once,
}

impl Clauses {
    /// Reads one clause, if one begins here.
    fn next<'a>(&mut self, start: Input<'a>) -> Result<Option<Input<'a>>, nom::Err<Fault>> {
        let at = start.advance();
        let text = |wanted| cut(string(wanted)).parse(at);
        Ok(Some(match &*start.text(0) {
            "requires" => extend(&mut self.requires, cut(comma_list(prop)).parse(at)?),
            "choose" => extend(&mut self.choose, cut(comma_list(binder)).parse(at)?),
            "alias" => extend(&mut self.aliases, cut(comma_list(dotted_name("a former name"))).parse(at)?),
            "ensures" => {
                let (rest, prop) = required_prop(at)?;
                let (rest, probability) = opt(probability).parse(rest)?;
                self.once.store(start, &mut self.ensures, (rest, (prop, probability)))
            }
            "source" => self.once.store(start, &mut self.source, text("the source in double quotes")?),
            "survey" => self.once.store(start, &mut self.survey, text("an item of the survey in double quotes")?),
            "formal" => self.once.store(start, &mut self.formal, text("the name of a formal proof in double quotes")?),
            "note" => self.once.store(start, &mut self.note, text("a note in double quotes")?),
            "status" => {
                self.once.store(start, &mut self.status, cut(name("a status (`derived`, `unproved`, ...)")).parse(at)?)
            }
            "proof" => self.once.store(start, &mut self.proof, nested(at, |at| proof(start, at))?),
            "example" => {
                let (rest, bindings) = bindings(at)?;
                let (rest, _) = cut(word("`gives`")).parse(rest)?;
                let (rest, gives) = required(rest)?;
                self.examples.push(Example { bindings, gives, span: rest.span_from(start) });
                rest
            }
            "reject" => {
                let (rest, bindings) = bindings(at)?;
                let (rest, _) = cut(word("`breaks`")).parse(rest)?;
                let (rest, breaks) = required_prop(rest)?;
                self.rejects.push(Reject { bindings, breaks, span: rest.span_from(start) });
                rest
            }
            _ => return Ok(None),
        }))
    }
}

fn extend<'a, T>(list: &mut Vec<T>, found: (Input<'a>, Vec<T>)) -> Input<'a> {
    list.extend(found.1);
    found.0
}

/// `"{" expr relop expr "by" method { relop expr "by" method } "}"`
fn proof<'a>(start: Input<'a>, input: Input<'a>) -> Parse<'a, Proof> {
    let (rest, _) = cut(symbol(Symbol::OpenBrace)).parse(input)?;
    let (rest, first) = required(rest)?;
    let (mut rest, step1) = committed(step(rest))?;
    let mut steps = vec![step1];
    while !rest.at_symbol(0, Symbol::CloseBrace) {
        let (next, more) = committed(step(rest))?;
        steps.push(more);
        rest = next;
    }
    let rest = rest.advance();
    Ok((rest, Proof { start: first, steps, span: rest.span_from(start) }))
}

fn step(input: Input<'_>) -> Parse<'_, Step> {
    let (rest, rel) = relation_sign(input)?;
    let (rest, expr) = required(rest)?;
    let (rest, _) = cut(word("`by`")).parse(rest)?;
    let (rest, method) = committed(method(rest))?;
    Ok((rest, Step { rel, expr, method }))
}

fn bindings(input: Input<'_>) -> Parse<'_, Vec<Binding>> {
    cut(comma_list(binding)).parse(input)
}

/// `NAME "="` stands here.
fn at_assignment(input: Input<'_>) -> bool {
    input.at_name(0) && input.at_symbol(1, Symbol::Eq)
}

fn binding(input: Input<'_>) -> Parse<'_, Binding> {
    if !at_assignment(input) {
        return prop(input).map(|(rest, fact)| (rest, Binding::Fact(Box::new(fact))));
    }
    let (rest, name) = name("a parameter of the theorem").parse(input)?;
    let rest = rest.advance();
    let (rest, value) = if at_chain(rest) {
        chain(rest).map(|(rest, chain)| (rest, BindingValue::Chain(chain)))?
    } else if rest.at_symbol(0, Symbol::OpenParen) && at_chain(rest.advance()) {
        class_literal(rest).map(|(rest, class)| (rest, BindingValue::Class(Box::new(class))))?
    } else {
        committed(expr(rest)).map(|(rest, value)| (rest, BindingValue::Expr(value)))?
    };
    Ok((rest, Binding::Value { name, value }))
}

/// `"(" chain ")" "where" prop {"," prop} ["for" NAME "in" expr]`; a `NAME =` after a comma begins the next binding.
fn class_literal(input: Input<'_>) -> Parse<'_, ClassLiteral> {
    let (rest, chain) = committed(chain(input.advance()))?;
    let (rest, _) = cut(symbol(Symbol::CloseParen)).parse(rest)?;
    let (rest, _) = cut(word("`where`")).parse(rest)?;
    let (mut rest, first) = required_prop(rest)?;
    let mut constraints = vec![first];
    while rest.token().kind == TokenKind::Symbol(Symbol::Comma) && !at_assignment(rest.advance()) {
        let (next, more) = required_prop(rest.advance())?;
        constraints.push(more);
        rest = next;
    }
    let (rest, index) = layer_index(rest)?;
    Ok((rest, ClassLiteral { chain, constraints, index, span: rest.span_from(input) }))
}
