//! Hypothesis classes: `class F = f where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..3`.

use super::names::{Names, norm_symbol};
use crate::kernel::object::{Constraint, Part};
use crate::kernel::term::Term;
use crate::syntax::ast::{self, Expr, ExprKind, Prop, PropKind, Rel};
use crate::text::{Diagnostic, Span};
use num_traits::{Signed, ToPrimitive};

/// The constraints of a class over a net with `layers` affine maps.
pub fn constraints(names: &Names, class: &ast::Class, layers: usize) -> Result<Vec<Constraint>, Diagnostic> {
    let indexed = match &class.index {
        Some(binder) => Some((binder.var.name.as_str(), indices(names, &binder.bound, layers)?)),
        None => None,
    };
    let mut constraints = Vec::new();
    for prop in &class.constraints {
        one(names, prop, indexed.as_ref(), layers, &mut constraints)?;
    }
    Ok(constraints)
}

/// `1..3`, `{1, 3}` or `layers` (all).
fn indices(names: &Names, expr: &Expr, layers: usize) -> Result<Vec<usize>, Diagnostic> {
    if expr.as_name() == Some("layers") {
        return Ok((1..=layers).collect());
    }
    let index = |expr: &Expr| -> Result<usize, Diagnostic> {
        let value = names.rational(expr)?;
        let index = if value.is_integer() { value.to_integer().to_usize() } else { None };
        index.filter(|l| (1..=layers).contains(l)).ok_or_else(|| {
            Diagnostic::error("E0125", format!("expected a layer in 1..{layers}, found {value}"))
                .at(expr.span, "no such layer")
        })
    };
    match &expr.kind {
        ExprKind::Range { start, end } => Ok((index(start)?..=index(end)?).collect()),
        ExprKind::Set(members) => members.iter().map(index).collect(),
        _ => {
            Err(Diagnostic::error("E0125", "expected a range of layers such as `1..3`, or `layers`").at(expr.span, ""))
        }
    }
}

fn not_a_constraint(span: Span) -> Diagnostic {
    Diagnostic::error("E0125", "expected a bound on a norm of a layer's weights or biases")
        .at(span, "not such a bound")
        .help("write `|W[l]|_spec <= 2`, `|W[l]|_fro <= 3`, or `|b[l]|_2 <= 1`")
}

fn one(
    names: &Names,
    prop: &Prop,
    indexed: Option<&(&str, Vec<usize>)>,
    layers: usize,
    constraints: &mut Vec<Constraint>,
) -> Result<(), Diagnostic> {
    let PropKind::Relation { first, rest } = &prop.kind else { return Err(not_a_constraint(prop.span)) };
    let [(Rel::Le, bound)] = rest.as_slice() else { return Err(not_a_constraint(prop.span)) };
    let ExprKind::Norm { expr, norm } = &first.kind else { return Err(not_a_constraint(prop.span)) };
    let ExprKind::Index { base, index } = &expr.kind else { return Err(not_a_constraint(prop.span)) };
    let part = match base.as_name() {
        Some("W") => Part::Weight,
        Some("b") => Part::Bias,
        _ => return Err(not_a_constraint(base.span)),
    };
    let symbol = norm.as_ref().map_or("", |norm| norm.name.as_str());
    let norm = match (part, norm_symbol(symbol)) {
        (Part::Weight, Some(norm)) => norm,
        (Part::Bias, Some(norm)) if matches!(norm, "l1" | "l2" | "linf") => norm,
        _ => {
            return Err(Diagnostic::error("E0125", format!("expected a norm, found `{symbol}`"))
                .at(first.span, "which norm?")
                .help("weights: spec, l1, linf, fro, max, 21; biases: 1, 2, inf"));
        }
    };
    let bound_term = match indexed {
        Some((variable, _)) => names.term_with(bound, variable)?,
        None => names.term(bound)?,
    };
    if let Ok(value) = names.constant(&bound_term)
        && value.is_negative()
    {
        return Err(
            Diagnostic::error("E0125", format!("expected a bound >= 0, found {value}")).at(bound.span, "empty class")
        );
    }
    let selected = match (indexed, index.as_name()) {
        (Some((variable, all)), Some(name)) if name == *variable => all.clone(),
        _ => indices(names, index, layers).or_else(|_| single(names, index, layers))?,
    };
    for layer in selected {
        let bound = match indexed {
            Some((variable, _)) => {
                let index = Term::int(i64::try_from(layer).unwrap_or(i64::MAX));
                bound_term.substitute(&[(variable.to_string(), index)].into())
            }
            None => bound_term.clone(),
        };
        constraints.push(Constraint { part, layer, norm: norm.to_string(), bound });
    }
    Ok(())
}

fn single(names: &Names, index: &Expr, layers: usize) -> Result<Vec<usize>, Diagnostic> {
    let value = names.rational(index)?;
    let layer = if value.is_integer() { value.to_integer().to_usize() } else { None };
    match layer.filter(|l| (1..=layers).contains(l)) {
        Some(layer) => Ok(vec![layer]),
        None => Err(Diagnostic::error("E0125", format!("expected a layer in 1..{layers}, found {value}"))
            .at(index.span, "no such layer")),
    }
}
