//! Data, splits, training runs and simulations.

use super::expr::{expr, required};
use super::input::*;
use super::item::{block, definition};
use super::prop::binder_in;
use crate::syntax::ast::*;
use crate::syntax::token::Symbol;
use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

pub fn data(input: Input<'_>) -> Parse<'_, Data> {
    let (rest, name) = name("the name of the data set").parse(input)?;
    if rest.at_symbol(0, Symbol::Eq) {
        let (rest, value) = required(rest.advance())?;
        return Ok((rest, Data { name, source: DataSource::Generated(value) }));
    }
    if !rest.at_word(0, "from") {
        return committed(rest.expected("`=` or `from`"));
    }
    let (rest, path) = cut(string("a file name in double quotes")).parse(rest.advance())?;
    let (rest, sha256) = opt(preceded(word("`sha256`"), cut(string("a hash in double quotes")))).parse(rest)?;
    Ok((rest, Data { name, source: DataSource::File { path, sha256 } }))
}

pub fn split(input: Input<'_>) -> Parse<'_, Split> {
    let (rest, data) = expr(input)?;
    let (rest, _) = cut(word("`into`")).parse(rest)?;
    let part = (any_word("the name of a part"), required).map(|(name, size)| SplitPart { name, size });
    let (rest, parts) = cut(comma_list(part)).parse(rest)?;
    Ok((rest, Split { data, parts }))
}

pub fn train(input: Input<'_>) -> Parse<'_, Train> {
    let (rest, name) = name("the name of the trained network").parse(input)?;
    let (rest, _) = cut(symbol(Symbol::Colon)).parse(rest)?;
    let (rest, architecture) = required(rest)?;
    let (rest, data) = preceded(cut(word("`on`")), required).parse(rest)?;
    let (rest, _) = cut(symbol(Symbol::OpenBrace)).parse(rest)?;
    if rest.at_symbol(0, Symbol::CloseBrace) {
        return Ok((rest.advance(), Train { name, architecture, data, options: Vec::new() }));
    }
    let (rest, options) = cut(comma_list(option)).parse(rest)?;
    let (rest, _) = cut(symbol(Symbol::CloseBrace)).parse(rest)?;
    Ok((rest, Train { name, architecture, data, options }))
}

fn option(input: Input<'_>) -> Parse<'_, TrainOption> {
    let (rest, key) = any_word("an option (`adam`, `lr 0.01`, ...)").parse(input)?;
    let alone = rest.at_symbol(0, Symbol::Comma) || rest.at_symbol(0, Symbol::CloseBrace);
    let (rest, value) = match alone {
        true => (rest, None),
        false => required(rest).map(|(rest, value)| (rest, Some(value)))?,
    };
    Ok((rest, TrainOption { key, value }))
}

pub fn simulate(input: Input<'_>) -> Parse<'_, Simulate> {
    let (rest, name) = name("the name of the simulation").parse(input)?;
    let (rest, steps) = block(step).parse(rest)?;
    Ok((rest, Simulate { name, steps }))
}

fn step(input: Input<'_>) -> Parse<'_, SimulateStep> {
    let at = input.advance();
    match &*input.text(0) {
        "for" => cut(binder_in).map(SimulateStep::For).parse(at),
        "data" => cut(data).map(SimulateStep::Data).parse(at),
        "train" => cut(train).map(SimulateStep::Train).parse(at),
        "record" => cut(definition).map(SimulateStep::Record).parse(at),
        _ => input.expected("`for`, `data`, `train`, `record` or `}`"),
    }
}
