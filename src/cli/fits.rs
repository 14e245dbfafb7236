//! Whether the networks of a statement take the examples that it counts on them.

use super::items::Result;
use super::{exit, items};
use crate::kernel::check::Statement;
use crate::kernel::eval::Evaluation;
use crate::kernel::predicate::{Holding, decide};
use crate::kernel::term::{Formula, Term};
use crate::model;
use crate::prove::Search;
use crate::report::view::Verdict;
use crate::text::{Diagnostic, Source};

/// Quantities of a network or a law, and a sample.
const COUNTS: [&str; 6] =
    ["errors", "margin_error", "margin_quantile", "empirical_risk", "empirical_gibbs_risk", "drawn_errors"];

/// An item that counts errors of a network on examples of other dimensions, or with labels that none of its outputs stands for. No theorem takes
/// such a number, and as a number it would say nothing of a mistake in the spec.
pub fn refused(item: &model::Item, search: &Search, source: &Source) -> Option<Result> {
    let mut found = Vec::new();
    match &item.kind {
        model::ItemKind::Claim(claim) => match &claim.statement {
            Statement::Formula(formula) => in_formula(formula, &mut found),
            Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => in_term(term, &mut found),
        },
        model::ItemKind::Expect(formula) => in_formula(formula, &mut found),
        model::ItemKind::Measure(term) => in_term(term, &mut found),
        model::ItemKind::Bounds { .. } | model::ItemKind::Refused(_) => {}
    }
    let workspace = search.workspace();
    let evaluation = Evaluation::new(&workspace, 64);
    let reason = found.into_iter().find_map(|(head, pair)| match decide(&evaluation, "fits", &pair) {
        Ok(Holding::No(reason)) => Some((head, reason)),
        _ => None,
    });
    let (head, reason) = reason?;
    let mut result = items::without_row(item, head, source);
    result.view.notes.clear();
    result.view.verdict = Verdict::Error;
    result.exit = exit::SPEC;
    let title = format!("`{}` counts on examples that do not fit: {reason}", item.name);
    let help = "a sample fits a network with as many inputs as its examples have and one output for each class";
    let is_meant =
        matches!(&item.kind, model::ItemKind::Claim(claim) if claim.expecting.is_some_and(|e| e.is_error("E0432")));
    if is_meant {
        result.view.expected = true;
        result.view.notes.push(format!("E0432: {title}"));
        result.exit = exit::PROVED;
    } else {
        result.diagnostics.push(Diagnostic::error("E0432", title).at(item.span, "").help(help));
    }
    Some(result)
}

fn in_formula<'t>(formula: &'t Formula, found: &mut Vec<(&'t str, Vec<Term>)>) {
    match formula {
        Formula::Compare(a, _, b) => [a, b].into_iter().for_each(|term| in_term(term, found)),
        Formula::Within(a, low, high) => [a, low, high].into_iter().for_each(|term| in_term(term, found)),
        _ => {}
    }
}

fn in_term<'t>(term: &'t Term, found: &mut Vec<(&'t str, Vec<Term>)>) {
    match term {
        Term::Apply(_, arguments) => arguments.iter().for_each(|argument| in_term(argument, found)),
        Term::Quantity(head, arguments) => match arguments.as_slice() {
            [net @ Term::Name(_), sample @ Term::Name(_), ..] if COUNTS.contains(&head.as_str()) => {
                found.push((head, vec![net.clone(), sample.clone()]));
            }
            _ => {}
        },
        _ => {}
    }
}
