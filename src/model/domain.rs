//! Domains: `[-1, 1]^2`, `[0, 1]^(3, 32, 32)`, products of intervals, and balls: `ball(0, R, l2, dim: d)`, `ball((1/2, 0), R, linf)`,
//! `ball(D.test[0], R, l2)`.

use super::DeclarationKind;
use super::names::{NameKind, Names};
use crate::kernel::net::Size;
use crate::kernel::object::Domain;
use crate::syntax::ast::{ArgValue, Expr, ExprKind};
use crate::text::{Diagnostic, Span};
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};

type Run = (Size, BigRational, BigRational);

fn not_a_domain(span: Span) -> Diagnostic {
    Diagnostic::error("E0124", "expected a domain").at(span, "neither a box nor a ball").help(
        "write `[-1, 1]^2`, `[0, 1] * [-2, 2]`, `ball(0, 1, l2, dim: 10)`, `ball((1/2, 0), 1, linf)`, or \
             `ball(D.test[0], 1/10, l2)` around an example",
    )
}

/// The domain that an expression denotes.
pub fn domain(names: &Names, expr: &Expr) -> Result<DeclarationKind, Diagnostic> {
    if let Some(("ball", args)) = expr.as_call() {
        return ball(names, expr, args);
    }
    Ok(DeclarationKind::Domain(Domain::Box(runs(names, expr)?)))
}

fn runs(names: &Names, expr: &Expr) -> Result<Vec<Run>, Diagnostic> {
    match &expr.kind {
        ExprKind::Interval(low, high) => {
            let (low_value, high_value) = (names.rational(low)?, names.rational(high)?);
            if low_value > high_value {
                return Err(Diagnostic::error(
                    "E0124",
                    format!("expected low <= high, found [{low_value}, {high_value}]"),
                )
                .at(expr.span, "an empty interval"));
            }
            Ok(vec![(1, low_value, high_value)])
        }
        ExprKind::Power { base, exponent } => {
            let mut count: Size = 1;
            let factors: Vec<&Expr> = match &exponent.kind {
                ExprKind::Tuple(dims) => dims.iter().collect(),
                _ => vec![exponent],
            };
            for factor in factors {
                let size = super::network::size(names, factor)?;
                count = count.checked_mul(size).ok_or_else(|| {
                    Diagnostic::limit("E0123", "expected a dimension below 2^128").at(exponent.span, "too large")
                })?;
            }
            let base = runs(names, base)?;
            match base.as_slice() {
                [(1, low, high)] => Ok(vec![(count, low.clone(), high.clone())]),
                _ => {
                    let copies = count.to_usize().filter(|n| *n <= 1_000_000).ok_or_else(|| {
                        Diagnostic::limit("E0123", "expected at most 10^6 copies of a product of intervals")
                            .at(exponent.span, "too many")
                    })?;
                    Ok((0..copies).flat_map(|_| base.iter().cloned()).collect())
                }
            }
        }
        ExprKind::Product(factors) if factors.iter().all(|factor| !factor.inverse) => {
            let mut all = Vec::new();
            for factor in factors {
                all.extend(runs(names, &factor.expr)?);
            }
            Ok(all)
        }
        ExprKind::Name(name) => match names.domains.get(name) {
            Some(Domain::Box(runs)) => Ok(runs.clone()),
            _ => Err(not_a_domain(expr.span)),
        },
        _ => Err(not_a_domain(expr.span)),
    }
}

/// `ball(center, R, norm)`, where the centre is a point or an example; `dim: d` is the dimension around a number, which then stands
/// for all coordinates.
fn ball(names: &Names, expr: &Expr, args: &[crate::syntax::ast::Arg]) -> Result<DeclarationKind, Diagnostic> {
    let mut positional = Vec::new();
    let mut dimension = None;
    for arg in args {
        let ArgValue::Expr(value) = &arg.value else { return Err(not_a_domain(expr.span)) };
        match arg.name.as_ref().map(|name| name.name.as_str()) {
            Some("dim") => dimension = Some((super::network::size(names, value)?, value.span)),
            None => positional.push(value),
            Some(_) => return Err(not_a_domain(expr.span)),
        }
    }
    let [center, radius, norm] = positional.as_slice() else { return Err(not_a_domain(expr.span)) };
    let radius_value = names.rational(radius)?;
    if radius_value.is_negative() {
        return Err(
            Diagnostic::error("E0124", format!("expected a radius >= 0, found {radius_value}")).at(radius.span, "")
        );
    }
    let norm = super::names::norm_symbol(norm.as_name().unwrap_or_default())
        .filter(|norm| matches!(*norm, "l1" | "l2" | "linf"))
        .ok_or_else(|| Diagnostic::error("E0124", "expected the norm l1, l2 or linf").at(norm.span, "not a norm"))?
        .to_string();
    let around =
        |dimension, center| Domain::Ball { dimension, radius: radius_value.clone(), norm: norm.clone(), center };
    let ball = match (&center.kind, dimension) {
        (ExprKind::Index { base, index }, None) => {
            let sample = names.term(base)?.to_string();
            if names.kind(&sample) != Some(NameKind::Sample) && !names.is_part_of_file(&sample) {
                return Err(Diagnostic::error("E0124", format!("expected a data set, found `{sample}`"))
                    .at(base.span, "has no examples"));
            }
            let index = position(names, index)?;
            return Ok(DeclarationKind::Around { sample, index, radius: radius_value, norm });
        }
        (ExprKind::Tuple(entries), None) => {
            let center = entries.iter().map(|entry| names.rational(entry)).collect::<Result<Vec<_>, _>>()?;
            around(center.len() as Size, Some(center))
        }
        (_, Some((dimension, span))) => {
            let entry = names.rational(center)?;
            let center = if entry.is_zero() {
                None
            } else {
                let count = dimension.to_usize().filter(|n| *n <= 1_000_000).ok_or_else(|| {
                    Diagnostic::limit("E0123", "expected at most 10^6 coordinates around a centre other than 0")
                        .at(span, "too many")
                })?;
                Some(vec![entry; count])
            };
            around(dimension, center)
        }
        (_, None) => return Err(not_a_domain(expr.span)),
    };
    Ok(DeclarationKind::Domain(ball))
}

/// A place in a list that counts from 0.
pub fn position(names: &Names, expr: &Expr) -> Result<usize, Diagnostic> {
    let value = names.rational(expr)?;
    let number = if value.is_integer() { value.to_usize() } else { None };
    number.ok_or_else(|| {
        Diagnostic::error("E0120", format!("expected a place in a list, found {value}"))
            .at(expr.span, "places count from 0")
    })
}

/// One line for the report: `[-1, 1]^2`.
pub fn describe(domain: &Domain) -> String {
    match domain {
        Domain::Box(runs) => {
            let shown: Vec<String> = runs
                .iter()
                .take(4)
                .map(
                    |(count, low, high)| {
                        if *count == 1 { format!("[{low}, {high}]") } else { format!("[{low}, {high}]^{count}") }
                    },
                )
                .collect();
            let more = if runs.len() > 4 { " * ..." } else { "" };
            format!("{}{more}", shown.join(" * "))
        }
        Domain::Ball { dimension, radius, norm, center } => {
            let around = center.as_ref().map_or_else(String::new, |center| {
                let shown: Vec<String> = center.iter().take(4).map(BigRational::to_string).collect();
                format!(" around ({}{})", shown.join(", "), if center.len() > 4 { ", ..." } else { "" })
            });
            format!("ball of radius {radius} in {norm}, dimension {dimension}{around}")
        }
    }
}
