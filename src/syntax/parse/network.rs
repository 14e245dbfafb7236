//! Networks: chains, formulas, files and layer blocks.

use super::expr::{arguments, expr, method, required};
use super::input::*;
use super::item::{block, params};
use crate::syntax::ast::*;
use crate::syntax::token::{Symbol, TokenKind, is_item_word, is_reserved};
use crate::text::{Diagnostic, did_you_mean};
use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

pub fn network(input: Input<'_>) -> Parse<'_, Network> {
    let (rest, name) = name("the name of the network").parse(input)?;
    let (rest, params) = params(rest)?;
    let (mut rest, body) = committed(body(rest))?;
    let mut options = Vec::new();
    while rest.at_symbol(0, Symbol::Comma) {
        let (next, option) = committed(option(rest.advance()))?;
        options.push(option);
        rest = next;
    }
    Ok((rest, Network { name, params, body, options }))
}

fn option(input: Input<'_>) -> Parse<'_, NetworkOption> {
    let (rest, key) = any_word("an option (`parameterization ntk`, `train first`)").parse(input)?;
    let (rest, value) = cut(any_word("the value of the option")).parse(rest)?;
    Ok((rest, NetworkOption { key, value }))
}

fn body(input: Input<'_>) -> Parse<'_, NetworkBody> {
    if input.at_symbol(0, Symbol::Eq) {
        let input = input.advance();
        // `network f = 784 relu`: a size alone is no network, and a formula does not go on with a name.
        let next = input.peek(1).kind;
        if input.token().kind == TokenKind::Number && matches!(next, TokenKind::Name | TokenKind::End) {
            let found = input.advance().found();
            return fail(
                Diagnostic::error("E0101", format!("expected `->` and a size, found {found}"))
                    .at(input.token().span(), "a size alone is no network")
                    .help("a network has at least one layer: `784 -> 10`"),
            );
        }
        return match at_chain(input) {
            true => chain(input).map(|(rest, chain)| (rest, NetworkBody::Chain(chain))),
            false => required(input).map(|(rest, formula)| (rest, NetworkBody::Formula(formula))),
        };
    }
    if input.at_symbol(0, Symbol::OpenBrace) {
        return block(layer).map(NetworkBody::Layers).parse(input);
    }
    if !input.at_word(0, "from") {
        return input.expected("`=`, `from` or `{`");
    }
    let (rest, path) = cut(string("a file name in double quotes")).parse(input.advance())?;
    let like = preceded(word("`like`"), cut(name("the name of a network"))).map(Layout::Like);
    let layout = nom::branch::alt((preceded(word("`as`"), cut(chain)).map(Layout::As), like));
    let (rest, layout) = opt(layout).parse(rest)?;
    Ok((rest, NetworkBody::File { path, layout }))
}

/// A size and an arrow stand here.
pub fn at_chain(input: Input<'_>) -> bool {
    matches!(input.token().kind, TokenKind::Number | TokenKind::Name) && input.at_symbol(1, Symbol::Arrow)
}

/// `size "->" size { "->" size } [activation]`
pub fn chain(input: Input<'_>) -> Parse<'_, Chain> {
    let (mut rest, first) = size(input)?;
    let mut sizes = vec![first];
    loop {
        let (next, _) = match symbol(Symbol::Arrow).parse(rest) {
            Err(error) if sizes.len() < 2 => return committed(Err(error)),
            Err(_) => break,
            Ok(next) => next,
        };
        let (next, size) = committed(size(next))?;
        sizes.push(size);
        rest = next;
    }
    // A name that follows is the activation, unless it plainly begins or continues something else.
    let word = rest.text(0);
    let other = is_reserved(&word) || is_item_word(&word) || matches!(&*word, "gives" | "breaks");
    let (rest, activation) = match rest.at_name(0) && !other {
        true => method(rest).map(|(rest, activation)| (rest, Some(activation)))?,
        false => (rest, None),
    };
    Ok((rest, Chain { sizes, activation, span: rest.span_from(input) }))
}

/// A natural number or a name.
fn size(input: Input<'_>) -> Parse<'_, Expr> {
    let (rest, size) = match input.token().kind {
        TokenKind::Number => super::number::number(input)?,
        TokenKind::Bad => {
            return Ok((input.advance(), Expr::new(ExprKind::Name("_".to_string()), input.token().span())));
        }
        _ => {
            let (rest, name) = name("the size of a layer (a natural number or a name)").parse(input)?;
            return Ok((rest, Expr::new(ExprKind::Name(name.name), name.span)));
        }
    };
    match &size.kind {
        ExprKind::Number(number) if number.value.is_integer() => Ok((rest, size)),
        _ => fail(
            Diagnostic::error("E0104", "expected a natural number, found a fraction")
                .at(size.span, "not the size of a layer"),
        ),
    }
}

fn layer(input: Input<'_>) -> Parse<'_, Layer> {
    if input.at_word(0, "repeat") {
        let (rest, count) = required(input.advance())?;
        let (rest, layers) = nested(rest, |input| block(layer).parse(input))?;
        return Ok((rest, Layer::Repeat { count, layers, span: rest.span_from(input) }));
    }
    let (mut rest, first) = unit(input)?;
    let mut units = vec![first];
    while rest.at_word(0, "then") {
        let (next, unit) = committed(unit(rest.advance()))?;
        units.push(unit);
        rest = next;
    }
    Ok((rest, Layer::Units(units)))
}

fn unit(input: Input<'_>) -> Parse<'_, Unit> {
    let at = input.advance();
    let (rest, kind) = match &*input.text(0) {
        // The word of an item is no activation: printed on a line of its own it would begin that item.
        word if !input.at_name(0) || is_item_word(word) => return input.expected("a layer"),
        "input" => {
            let (rest, sizes) = cut(comma_list(expr)).parse(at)?;
            (rest, UnitKind::Input(sizes))
        }
        "conv" => {
            let (rest, channels) = required(at)?;
            let (rest, options) = options(rest)?;
            (rest, UnitKind::Conv { channels, options })
        }
        "dense" => required(at).map(|(rest, units)| (rest, UnitKind::Dense(units)))?,
        "batchnorm" => (at, UnitKind::BatchNorm),
        "flatten" => (at, UnitKind::Flatten),
        "maxpool" => {
            let (rest, window) = required(at)?;
            let (rest, options) = options(rest)?;
            (rest, UnitKind::MaxPool { window, options })
        }
        "avgpool" if at.at_word(0, "global") => (at.advance(), UnitKind::GlobalAvgPool),
        "avgpool" => {
            let (rest, window) = required(at)?;
            let (rest, options) = options(rest)?;
            (rest, UnitKind::AvgPool { window, options })
        }
        "residual" => {
            let (rest, layers) = nested(at, |input| block(layer).parse(input))?;
            let via = preceded(word("`via`"), |input| nested(input, |input| committed(unit(input))));
            let (rest, via) = opt(via).parse(rest)?;
            (rest, UnitKind::Residual { layers, via: via.map(Box::new) })
        }
        _ => {
            let (rest, name) = name("a layer").parse(input)?;
            let (rest, args) = opt(|input| nested(input, arguments)).parse(rest)?;
            let span = rest.span_from(input);
            (rest, UnitKind::Activation(Method { name, args: args.unwrap_or_default(), span }))
        }
    };
    Ok((rest, Unit { kind, span: rest.span_from(input) }))
}

/// `{ "," ("kernel"|"pad"|"stride"|"groups") expr }`
fn options(input: Input<'_>) -> Parse<'_, Vec<UnitOption>> {
    let keys = [UnitKey::Kernel, UnitKey::Pad, UnitKey::Stride, UnitKey::Groups];
    let mut rest = input;
    let mut options = Vec::new();
    while rest.at_symbol(0, Symbol::Comma) {
        let start = rest.advance();
        let Some(key) = keys.into_iter().find(|key| start.at_word(0, key.word())) else {
            let title = format!("expected `kernel`, `pad`, `stride` or `groups`, found {}", start.found());
            let diagnostic = Diagnostic::error("E0115", title).at(start.token().span(), "not an option of this layer");
            return fail(match did_you_mean(&start.text(0), keys.map(UnitKey::word)) {
                Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
                None => diagnostic,
            });
        };
        let (next, value) = required(start.advance())?;
        options.push(UnitOption { key, value, span: next.span_from(start) });
        rest = next;
    }
    Ok((rest, options))
}
