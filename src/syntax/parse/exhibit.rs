//! Tables and plots.

use super::expr::{expr, required};
use super::input::*;
use super::item::block;
use crate::syntax::ast::*;
use nom::Parser;
use nom::combinator::{cut, opt};
use nom::sequence::preceded;

pub fn table(input: Input<'_>) -> Parse<'_, Table> {
    let (rest, title) = string("the name of the table in double quotes").parse(input)?;
    let (rest, entries) = block(table_entry).parse(rest)?;
    Ok((rest, Table { title, entries }))
}

fn table_entry(input: Input<'_>) -> Parse<'_, TableEntry> {
    let at = input.advance();
    match &*input.text(0) {
        "rows" => {
            let (rest, (var, values)) = ranged(at)?;
            Ok((rest, TableEntry::Rows { var, values }))
        }
        "cols" => cut(comma_list(column)).map(TableEntry::Cols).parse(at),
        "sort" => cut(expr).map(TableEntry::Sort).parse(at),
        "caption" => cut(string("a caption in double quotes")).map(TableEntry::Caption).parse(at),
        _ => input.expected("`rows`, `cols`, `sort`, `caption` or `}`"),
    }
}

/// `[NAME "in"] expr`
fn ranged(input: Input<'_>) -> Parse<'_, (Option<Ident>, Expr)> {
    let mut var = None;
    let mut rest = input;
    if input.at_name(0) && input.at_word(1, "in") {
        let (next, ident) = cut(name("a variable")).parse(input)?;
        var = Some(ident);
        rest = next.advance();
    }
    let (rest, values) = required(rest)?;
    Ok((rest, (var, values)))
}

fn label<'a>() -> impl Parser<Input<'a>, Output = Text, Error = Fault> {
    preceded(word("`as`"), cut(string("a label in double quotes")))
}

fn column(input: Input<'_>) -> Parse<'_, Column> {
    let (rest, value) = expr(input)?;
    let (rest, header) = opt(label()).parse(rest)?;
    Ok((rest, Column { value, header }))
}

pub fn plot(input: Input<'_>) -> Parse<'_, Plot> {
    let (rest, title) = string("the name of the plot in double quotes").parse(input)?;
    let (rest, entries) = block(plot_entry).parse(rest)?;
    Ok((rest, Plot { title, entries }))
}

fn plot_entry(input: Input<'_>) -> Parse<'_, PlotEntry> {
    let at = input.advance();
    match &*input.text(0) {
        "x" => {
            let (rest, (var, values)) = ranged(at)?;
            let log = rest.at_word(0, "log");
            Ok((if log { rest.advance() } else { rest }, PlotEntry::X { var, values, log }))
        }
        "y" => {
            let (mut rest, value) = required(at)?;
            let mut style = Vec::new();
            while let Some((next, more)) = plot_style(rest)? {
                style.push(more);
                rest = next;
            }
            Ok((rest, PlotEntry::Y { value, style }))
        }
        "mark" => {
            let (rest, value) = required(at)?;
            let (rest, label) = cut(label()).parse(rest)?;
            Ok((rest, PlotEntry::Mark { value, label }))
        }
        _ => input.expected("`x`, `y`, `mark` or `}`"),
    }
}

fn plot_style(input: Input<'_>) -> Result<Option<(Input<'_>, PlotStyle)>, nom::Err<Fault>> {
    Ok(match &*input.text(0) {
        "dashed" => Some((input.advance(), PlotStyle::Dashed)),
        "log" => Some((input.advance(), PlotStyle::Log)),
        "as" => {
            let (rest, text) = label().parse(input)?;
            Some((rest, PlotStyle::As(text)))
        }
        "band" => {
            let (rest, level) = required(input.advance())?;
            Some((rest, PlotStyle::Band(level)))
        }
        _ => None,
    })
}
