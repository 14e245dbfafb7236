//! Whether arguments are of the sorts that quantities and constructors take.

use super::names::{NameKind, Names};
use crate::kernel::check::Statement;
use crate::kernel::signature;
use crate::kernel::term::{Formula, Term};
use crate::kernel::theorem::Sort;
use crate::text::{Diagnostic, Span};
use std::collections::BTreeSet;

/// Errors: an argument that its quantity cannot take, such as a domain where a network is expected.
pub fn check(names: &Names, statement: &Statement, span: Span) -> Result<(), Diagnostic> {
    let outcome = match statement {
        Statement::Formula(formula) => in_formula(names, formula),
        Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => in_term(names, term),
    };
    outcome.map_err(|title| Diagnostic::error("E0206", title).at(span, ""))
}

fn in_formula(names: &Names, formula: &Formula) -> Result<(), String> {
    match formula {
        Formula::Compare(a, _, b) => in_term(names, a).and_then(|()| in_term(names, b)),
        Formula::Within(a, low, high) => [a, low, high].into_iter().try_for_each(|term| in_term(names, term)),
        Formula::Holds(..) => Ok(()),
        Formula::And(parts) => parts.iter().try_for_each(|part| in_formula(names, part)),
        Formula::ForAll { from, to, body, .. } | Formula::ForReal { from, to, body, .. } => {
            in_term(names, from).and_then(|()| in_term(names, to)).and_then(|()| in_formula(names, body))
        }
        Formula::ForEach { variable, members, body } => members.iter().try_for_each(|member| {
            let instance = [(variable.clone(), member.clone())].into();
            in_formula(names, &body.substitute(&instance))
        }),
    }
}

fn in_term(names: &Names, term: &Term) -> Result<(), String> {
    match term {
        Term::Name(name) => match names.kind(name) {
            Some(NameKind::Net | NameKind::Domain | NameKind::Sample | NameKind::Law | NameKind::Statement) => {
                Err(format!("expected a number, found {}", described(names, term)))
            }
            _ => Ok(()),
        },
        Term::Quantity(head, arguments) => arguments_of(names, head, arguments),
        Term::Apply(_, arguments) => arguments.iter().try_for_each(|argument| in_term(names, argument)),
        Term::Big { from, to, body, .. } => [from, to, body].into_iter().try_for_each(|term| in_term(names, term)),
        Term::Cases(branches) => branches.iter().try_for_each(|(_, value)| in_term(names, value)),
        Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => Ok(()),
    }
}

fn arguments_of(names: &Names, head: &str, arguments: &[Term]) -> Result<(), String> {
    let sorts = match (signature::quantity(head), signature::constructor(head)) {
        (Some(quantity), _) => quantity.arguments,
        (None, Some(constructor)) => constructor.arguments,
        (None, None) => return Ok(()),
    };
    for (place, (argument, sort)) in arguments.iter().zip(sorts).enumerate() {
        if !fits(names, argument, *sort) {
            let place = if sorts.len() > 1 { format!(" as argument {} of", place + 1) } else { " in".to_string() };
            return Err(format!("expected {}{place} `{head}`, found {}", word(*sort), described(names, argument)));
        }
        match (sort, argument) {
            (Sort::Natural | Sort::Real, _) => {
                in_term(names, argument)?;
                fixed(names, head, argument)?;
            }
            (_, Term::Quantity(inner, arguments)) => arguments_of(names, inner, arguments)?,
            _ => {}
        }
    }
    Ok(())
}

/// A row's bound was read off data: it stands beside quantities, never inside one.
fn fixed(names: &Names, head: &str, argument: &Term) -> Result<(), String> {
    let mut found = BTreeSet::new();
    argument.names(&mut found);
    match found.iter().find(|name| names.is_row(name)) {
        Some(row) => Err(format!("expected a number fixed before the data in `{head}`, found `{row}`")),
        None => Ok(()),
    }
}

/// Names that nothing declares are bound variables or symbols of the language; they fit where a symbol or a variable may stand.
fn fits(names: &Names, argument: &Term, sort: Sort) -> bool {
    let is_object = !matches!(sort, Sort::Norm | Sort::Loss | Sort::Activation | Sort::Natural | Sort::Real);
    match argument {
        Term::Name(name) => match names.kind(name) {
            Some(NameKind::Net) => matches!(sort, Sort::Net | Sort::Map | Sort::Class | Sort::Predictor),
            Some(NameKind::Domain) => sort == Sort::Domain,
            Some(NameKind::Sample) => sort == Sort::Sample,
            Some(NameKind::Law) => matches!(sort, Sort::Law | Sort::Predictor),
            Some(_) => true,
            None if names.is_part_of_file(name) => sort == Sort::Sample,
            None => {
                let is_norm = signature::NORMS.contains(&name.as_str());
                let is_loss = signature::LOSSES.iter().any(|(loss, _)| loss == name);
                match sort {
                    Sort::Norm => !is_loss,
                    Sort::Loss => !is_norm,
                    _ => !is_norm && !is_loss,
                }
            }
        },
        Term::Quantity(head, _) => match signature::constructor(head) {
            Some(constructor) => constructor.result == sort || sort == Sort::Map && constructor.result == Sort::Net,
            None => !is_object && !matches!(sort, Sort::Norm | Sort::Loss | Sort::Activation),
        },
        _ => matches!(sort, Sort::Natural | Sort::Real),
    }
}

fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Net => "a network or class of networks",
        Sort::Domain => "a domain",
        Sort::Sample => "a data set",
        Sort::Law => "a prior or posterior",
        Sort::Predictor => "a network, prior or posterior",
        Sort::Class => "a class of binary functions",
        Sort::Map => "a network, alone or `on` a domain",
        Sort::Norm => "a norm",
        Sort::Loss => "a loss",
        Sort::Activation => "an activation",
        Sort::Natural => "a natural number",
        Sort::Real => "a number",
    }
}

fn described(names: &Names, term: &Term) -> String {
    let Term::Name(name) = term else { return format!("`{term}`") };
    match names.kind(name) {
        Some(NameKind::Net) => format!("the network `{name}`"),
        Some(NameKind::Domain) => format!("the domain `{name}`"),
        Some(NameKind::Sample) => format!("the data set `{name}`"),
        Some(NameKind::Law) => format!("the law `{name}`"),
        Some(NameKind::Statement) => format!("`{name}`, the name of a claim or measurement"),
        _ => format!("`{name}`"),
    }
}
