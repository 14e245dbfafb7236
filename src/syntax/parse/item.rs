//! Items: one parser each, chosen by the item's first word.

use super::expr::{method, required};
use super::input::*;
use super::network::network;
use super::prop::{binder, binder_in, prop, required_prop};
use super::theorem::theorem;
use super::{exhibit, experiment};
use crate::syntax::ast::*;
use crate::syntax::token::{ITEM_WORDS, Symbol, TokenKind, is_item_word};
use crate::text::{Diagnostic, Span, did_you_mean};
use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::{delimited, preceded};

/// Words that begin a clause within an item; a misspelt one ends the item too early.
const CLAUSE_WORDS: [&str; 24] = [
    "with",
    "by",
    "assuming",
    "where",
    "for",
    "within",
    "expecting",
    "requires",
    "ensures",
    "source",
    "survey",
    "formal",
    "status",
    "note",
    "proof",
    "example",
    "reject",
    "alias",
    "choose",
    "gives",
    "breaks",
    "from",
    "into",
    "like",
];

pub fn item(input: Input<'_>) -> Parse<'_, Item> {
    let at = input.advance();
    let (rest, kind) = match &*input.text(0) {
        _ if !input.at_name(0) => return no_item(input),
        "spec" => map(cut(string("the title of the spec in double quotes")).parse(at), ItemKind::Spec),
        "use" => map(committed(use_(at)), ItemKind::Use),
        "confidence" => map(required(at), ItemKind::Confidence),
        "semantics" => map(cut(name("the name of a semantics")).parse(at), ItemKind::Semantics),
        "let" => map(committed(let_(at)), ItemKind::Let),
        "param" => map(committed(param(at)), ItemKind::Param),
        "domain" => map(committed(definition(at)), ItemKind::Domain),
        "network" => map(committed(network(at)), ItemKind::Network),
        "class" => map(committed(class(at)), ItemKind::Class),
        "data" => map(committed(experiment::data(at)), ItemKind::Data),
        "split" => map(committed(experiment::split(at)), ItemKind::Split),
        "assume" => map(committed(assume(at)), ItemKind::Assume),
        "train" => map(committed(experiment::train(at)), ItemKind::Train),
        "posterior" => map(committed(definition(at)), ItemKind::Posterior),
        "prior" => map(committed(definition(at)), ItemKind::Prior),
        "measure" => map(committed(measure(at)), ItemKind::Measure),
        "claim" => map(committed(claim(at)), |claim| ItemKind::Claim(Box::new(claim))),
        "expect" => map(committed(expect(at)), ItemKind::Expect),
        "bounds" => map(committed(bounds(at)), ItemKind::Bounds),
        "theorem" => map(committed(theorem(at)), |theorem| ItemKind::Theorem(Box::new(theorem))),
        "simulate" => map(committed(experiment::simulate(at)), ItemKind::Simulate),
        "table" => map(committed(exhibit::table(at)), ItemKind::Table),
        "plot" => map(committed(exhibit::plot(at)), ItemKind::Plot),
        _ => return no_item(input),
    }?;
    Ok((rest, Item { kind, span: rest.span_from(input) }))
}

fn map<'a, T, U>(result: Parse<'a, T>, f: impl FnOnce(T) -> U) -> Parse<'a, U> {
    result.map(|(rest, value)| (rest, f(value)))
}

fn no_item<'a, T>(input: Input<'a>) -> Parse<'a, T> {
    let text = input.text(0);
    if input.token().kind == TokenKind::Bad {
        return input.expected("an item");
    }
    let diagnostic = Diagnostic::error("E0116", format!("expected an item, found {}", input.found()))
        .at(input.token().span(), "no item begins with this, and it does not continue the item before");
    let words = ITEM_WORDS.into_iter().chain(CLAUSE_WORDS);
    fail(match did_you_mean(&text, words) {
        Some(word) if input.at_name(0) => diagnostic.help(format!("did you mean `{word}`?")),
        _ if hint(input).is_some() => diagnostic.help(hint(input).unwrap_or_default()),
        _ if text == "|" => diagnostic.help("bars close before the next bar opens: put inner bars in parentheses"),
        _ => diagnostic.help("items begin with a word such as `network`, `class`, `data`, `claim`, `expect`, `table`"),
    })
}

fn use_(input: Input<'_>) -> Parse<'_, Use> {
    let file = string("a file or the name of a library part").map(UseTarget::File);
    let module = dotted_name("a file or the name of a library part").map(UseTarget::Module);
    let (rest, target) = nom::branch::alt((file, module)).parse(input)?;
    let (rest, alias) = opt(preceded(word("`as`"), cut(name("a name")))).parse(rest)?;
    Ok((rest, Use { target, alias }))
}

/// `"(" [NAME {"," NAME}] ")"`, or nothing.
pub fn params(input: Input<'_>) -> Parse<'_, Vec<Ident>> {
    if !input.at_symbol(0, Symbol::OpenParen) {
        return Ok((input, Vec::new()));
    }
    let inside = input.advance();
    if inside.at_symbol(0, Symbol::CloseParen) {
        return Ok((inside.advance(), Vec::new()));
    }
    let (rest, params) = committed(comma_list(name("a parameter")).parse(inside))?;
    let (rest, _) = cut(symbol(Symbol::CloseParen)).parse(rest)?;
    Ok((rest, params))
}

fn let_(input: Input<'_>) -> Parse<'_, Let> {
    let (rest, name) = name("a name").parse(input)?;
    let (rest, params) = params(rest)?;
    let (rest, _) = cut(symbol(Symbol::Eq)).parse(rest)?;
    let (rest, value) = required(rest)?;
    Ok((rest, Let { name, params, value }))
}

fn param(input: Input<'_>) -> Parse<'_, ParamItem> {
    let (rest, var) = name("a name").parse(input)?;
    let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
    let (rest, sort) = cut(name("a sort (`nat`, `real`, ...)")).parse(rest)?;
    let (rest, constraint) = match super::prop::relation_sign(rest) {
        Ok((next, rel)) => {
            let (next, bound) = required(next)?;
            (next, Some((rel, bound)))
        }
        Err(_) => (rest, None),
    };
    Ok((rest, ParamItem { name: var, sort, constraint }))
}

pub fn definition(input: Input<'_>) -> Parse<'_, Definition> {
    let (rest, name) = name("a name").parse(input)?;
    let (rest, _) = cut(symbol(Symbol::Eq)).parse(rest)?;
    let (rest, value) = required(rest)?;
    Ok((rest, Definition { name, value }))
}

fn class(input: Input<'_>) -> Parse<'_, Class> {
    let (rest, name) = name("the name of the class").parse(input)?;
    let (rest, params) = params(rest)?;
    let (rest, _) = cut(symbol(Symbol::Eq)).parse(rest)?;
    let (rest, base) = required(rest)?;
    let (rest, _) = cut(word("`where`")).parse(rest)?;
    let (rest, constraints) = cut(comma_list(prop)).parse(rest)?;
    let (rest, index) = layer_index(rest)?;
    Ok((rest, Class { name, params, base, constraints, index }))
}

/// `["for" NAME "in" expr]`
pub fn layer_index(input: Input<'_>) -> Parse<'_, Option<Binder>> {
    opt(preceded(word("`for`"), cut(binder_in))).parse(input)
}

fn assume(input: Input<'_>) -> Parse<'_, Assume> {
    let (rest, name) = name("the name of the assumption").parse(input)?;
    let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
    if !(rest.at_name(0) && rest.at_word(1, "depends") && rest.at_word(2, "on")) {
        let (rest, prop) = required_prop(rest)?;
        return Ok((rest, Assume { name, body: Assumption::Prop(Box::new(prop)) }));
    }
    let (rest, subject) = cut(self::name("a name")).parse(rest)?;
    let rest = rest.advance().advance();
    let (rest, on) = match rest.at_word(0, "nothing") {
        true => (rest.advance(), None),
        false => required(rest).map(|(rest, on)| (rest, Some(on)))?,
    };
    Ok((rest, Assume { name, body: Assumption::Depends { subject, on } }))
}

fn measure(input: Input<'_>) -> Parse<'_, Measure> {
    let (rest, name) = name("the name of the measurement").parse(input)?;
    let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
    let (rest, value) = required(rest)?;
    Ok((rest, Measure { name, value }))
}

/// `[NAME] ":" prop`
fn statement(input: Input<'_>) -> Parse<'_, (Option<Ident>, Prop)> {
    let (rest, name) = match input.at_symbol(0, Symbol::Colon) {
        true => (input, None),
        false => name("a name or `:`").parse(input).map(|(rest, name)| (rest, Some(name)))?,
    };
    let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
    let (rest, prop) = required_prop(rest)?;
    Ok((rest, (name, prop)))
}

fn expect(input: Input<'_>) -> Parse<'_, Expect> {
    let (rest, (name, prop)) = statement(input)?;
    Ok((rest, Expect { name, prop }))
}

fn claim(input: Input<'_>) -> Parse<'_, Claim> {
    let (mut rest, (name, prop)) = statement(input)?;
    let mut claim = Claim {
        name,
        prop,
        probability: None,
        method: None,
        assuming: Vec::new(),
        conditions: Vec::new(),
        binders: Vec::new(),
        within: None,
        expecting: None,
    };
    let mut once = Once::default();
    while !rest.at_end() {
        let start = rest;
        rest = match &*rest.text(0) {
            "with" => once.store(start, &mut claim.probability, probability(rest)?),
            "by" => once.store(start, &mut claim.method, committed(method(rest.advance()))?),
            "within" => once.store(start, &mut claim.within, required(rest.advance())?),
            "expecting" => once.store(start, &mut claim.expecting, expected(rest.advance())?),
            "assuming" => {
                let (next, names) = cut(comma_list(self::name("the name of an assumption"))).parse(rest.advance())?;
                claim.assuming.extend(names);
                next
            }
            "where" => {
                let (next, condition) = required_prop(rest.advance())?;
                claim.conditions.push(condition);
                next
            }
            "for" => {
                let (next, binder) = committed(binder(rest.advance()))?;
                claim.binders.push(binder);
                next
            }
            _ => break,
        };
    }
    Ok((rest, claim))
}

/// Where the clauses that may be written only once have been written.
#[derive(Default)]
pub struct Once {
    seen: Vec<Span>,
}

impl Once {
    /// Stores a clause that begins at `start` and was read as `found`.
    pub fn store<'a, T>(&mut self, start: Input<'a>, place: &mut Option<T>, found: (Input<'a>, T)) -> Input<'a> {
        let (rest, value) = found;
        let word = start.token().span();
        let source = start.context.source;
        if place.replace(value).is_some() {
            let first = self.seen.iter().find(|span| source.slice(**span) == source.slice(word));
            let title = format!("expected one clause {}, found a second", start.found());
            let diagnostic = Diagnostic::error("E0106", title).at(word, "stands here again");
            start.context.report(match first {
                Some(first) => diagnostic.because(*first, "first stands here"),
                None => diagnostic,
            });
        }
        self.seen.push(word);
        rest
    }
}

/// `"with" "probability" ">=" expr`
pub fn probability(input: Input<'_>) -> Parse<'_, Expr> {
    let head = (word("`with`"), cut(word("`probability`")), cut(symbol(Symbol::Ge)));
    preceded(head, required).parse(input)
}

fn expected(input: Input<'_>) -> Parse<'_, (Expected, Span)> {
    let all = [Expected::Proved, Expected::Refuted, Expected::Unknown, Expected::Vacuous];
    let span = input.token().span();
    if input.at_word(0, "error")
        && let Some(code) = error_code(&input.text(1))
    {
        return Ok((input.advance().advance(), (Expected::Error(code), span)));
    }
    if let Some(verdict) = all.into_iter().find(|verdict| input.at_word(0, verdict.word())) {
        return Ok((input.advance(), (verdict, span)));
    }
    let diagnostic = Diagnostic::error(
        "E0115",
        format!("expected `proved`, `refuted`, `unknown`, `vacuous` or `error E0302`, found {}", input.found()),
    )
    .at(span, "not a verdict");
    fail(match did_you_mean(&input.text(0), all.map(Expected::word)) {
        Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
        None => diagnostic,
    })
}

/// The number of a code such as `E0310`.
fn error_code(text: &str) -> Option<u16> {
    let digits =
        text.strip_prefix('E').filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()));
    digits?.parse().ok()
}

fn bounds(input: Input<'_>) -> Parse<'_, Bounds> {
    let (rest, name) = name("the name of the bounds").parse(input)?;
    let (rest, target) = preceded(cut(word("`for`")), required).parse(rest)?;
    let (rest, methods) = block(row).parse(rest)?;
    Ok((rest, Bounds { name, target, methods }))
}

/// The word of an item is no method: printed on a line of its own it would begin that item.
fn row(input: Input<'_>) -> Parse<'_, Method> {
    if is_item_word(&input.text(0)) { input.expected("a method") } else { method(input) }
}

/// `"{" { entry } "}"`
pub fn block<'a, T>(
    entry: impl Parser<Input<'a>, Output = T, Error = Fault>,
) -> impl Parser<Input<'a>, Output = Vec<T>, Error = Fault> {
    delimited(cut(symbol(Symbol::OpenBrace)), cut(until_brace(entry)), cut(symbol(Symbol::CloseBrace)))
}
