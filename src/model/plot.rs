//! Plots: `plot "growth" { x m in 1..20  y growth(halfspaces(2), m) log as "half-planes" }`.

use super::names::Names;
use super::sorts;
use super::statement;
use crate::kernel::check::Statement;
use crate::kernel::term::{Substitution, Term};
use crate::syntax::ast::{self, Expr, ExprKind, PlotEntry, PlotStyle};
use crate::text::{Diagnostic, Span};
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

/// Most places on the horizontal axis.
const PLACE_LIMIT: usize = 1000;

/// A plot of the spec: what is to be evaluated where.
#[derive(Clone, Debug)]
pub struct Plot {
    pub title: String,
    /// The variable of the horizontal axis, and its values in order.
    pub variable: String,
    pub places: Vec<BigRational>,
    pub x_log: bool,
    pub y_log: bool,
    pub series: Vec<Series>,
    pub marks: Vec<(BigRational, String)>,
}

#[derive(Clone, Debug)]
pub struct Series {
    pub label: String,
    pub is_dashed: bool,
    /// One term for each place.
    pub terms: Vec<Term>,
}

fn unsupported(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0900", format!("{what} is not supported yet"))
        .at(span, "")
        .help("what works: `x m in 1..20`, `y` with a quantity of `m`, `as \"label\"`, `dashed`, `log`, and `mark 7 as \"label\"`")
}

pub fn plot(names: &Names, plot: &ast::Plot, span: Span) -> Result<Plot, Diagnostic> {
    let mut axes = plot.entries.iter().filter_map(|entry| match entry {
        PlotEntry::X { var, values, log } => Some((var, values, *log)),
        _ => None,
    });
    let (Some((variable, values, x_log)), None) = (axes.next(), axes.next()) else {
        return Err(Diagnostic::error("E0013", "expected one `x ... in ...` in a plot").at(span, ""));
    };
    let Some(variable) = variable else { return Err(unsupported("a plot of recorded values", values.span)) };
    let mut resolved = Plot {
        title: plot.title.text.clone(),
        variable: variable.name.clone(),
        places: places(names, values)?,
        x_log,
        y_log: false,
        series: Vec::new(),
        marks: Vec::new(),
    };
    for entry in &plot.entries {
        match entry {
            PlotEntry::X { .. } => {}
            PlotEntry::Mark { value, label } => resolved.marks.push((names.rational(value)?, label.text.clone())),
            PlotEntry::Y { value, style } => {
                let series = series(names, value, style, &resolved)?;
                resolved.y_log |= style.contains(&PlotStyle::Log);
                resolved.series.push(series);
            }
        }
    }
    if resolved.series.is_empty() {
        return Err(Diagnostic::error("E0013", "expected at least one `y ...` in a plot").at(span, ""));
    }
    Ok(resolved)
}

/// `1..20`, `{2^k for k in 1..10}` or `{1, 2, 5}`.
fn places(names: &Names, values: &Expr) -> Result<Vec<BigRational>, Diagnostic> {
    let too_many = || {
        Diagnostic::limit("E0123", format!("expected at most {PLACE_LIMIT} places of a plot, found more"))
            .at(values.span, "")
    };
    let range = |start: &Expr, end: &Expr| -> Result<Vec<BigRational>, Diagnostic> {
        let (start, end) = (names.rational(start)?, names.rational(end)?);
        if (&end - &start).to_integer().to_usize().is_none_or(|n| n >= PLACE_LIMIT) && end >= start {
            return Err(too_many());
        }
        Ok(std::iter::successors(Some(start), |x| Some(x + BigRational::one())).take_while(|x| *x <= end).collect())
    };
    let found = match &values.kind {
        ExprKind::Range { start, end } => range(start, end)?,
        ExprKind::Set(members) => members.iter().map(|m| names.rational(m)).collect::<Result<_, _>>()?,
        ExprKind::SetComprehension { element, binder } => {
            let ExprKind::Range { start, end } = &binder.bound.kind else {
                return Err(unsupported("this set of places", values.span));
            };
            let term = names.term_with(element, &binder.var.name)?;
            let at = |value: BigRational| {
                let place = term.substitute(&Substitution::from([(binder.var.name.clone(), Term::Number(value))]));
                names.constant(&place).map_err(|error| error.at(element.span, ""))
            };
            range(start, end)?.into_iter().map(at).collect::<Result<_, _>>()?
        }
        _ => return Err(unsupported("this set of places", values.span)),
    };
    match found.len() {
        0 => Err(Diagnostic::error("E0013", "expected at least one place of a plot, found none").at(values.span, "")),
        n if n > PLACE_LIMIT => Err(too_many()),
        _ => Ok(found),
    }
}

fn series(names: &Names, value: &Expr, style: &[PlotStyle], plot: &Plot) -> Result<Series, Diagnostic> {
    let term = names.term_with(value, &plot.variable)?;
    let mut series = Series { label: term.to_string(), is_dashed: false, terms: Vec::new() };
    for style in style {
        match style {
            PlotStyle::As(text) => series.label = text.text.clone(),
            PlotStyle::Dashed => series.is_dashed = true,
            PlotStyle::Log => {}
            PlotStyle::Band(expr) => return Err(unsupported("a band", expr.span)),
        }
    }
    for place in &plot.places {
        let at = term.substitute(&Substitution::from([(plot.variable.clone(), Term::Number(place.clone()))]));
        let term = statement::closed_term(names, at).map_err(|error| error.at(value.span, ""))?;
        sorts::check(names, &Statement::Both(term.clone()), value.span)?;
        series.terms.push(term);
    }
    Ok(series)
}
