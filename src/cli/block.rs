//! Bounds of the rows of `bounds` blocks inside other items: `min(B) < 1`, `B.test_set <= B.occam`.
//!
//! A row's name stands for the number printed in the row, rounded up, so what is claimed of rows is claimed of numbers: no
//! probability is spent on it again.

use super::items::{self, Result};
use crate::kernel::check::Statement;
use crate::kernel::term::{Substitution, Term};
use crate::model::{self, Item, ItemKind, Spec};
use std::collections::BTreeSet;

/// What is known of the rows so far.
#[derive(Default)]
pub struct Rows {
    bounds: Substitution,
}

impl Rows {
    /// Takes over the rows of an item that was worked on.
    pub fn learn(&mut self, item: &Item, results: &[Result]) {
        let ItemKind::Bounds { target, .. } = &item.kind else { return };
        for result in results {
            let checked = result.outcome.as_ref().and_then(|outcome| outcome.checked.as_ref());
            if let Some(value) = checked.and_then(|checked| items::row_value(target, checked)) {
                self.insert(&result.view.name, Term::Number(value));
            }
        }
    }

    pub fn insert(&mut self, row: &str, bound: Term) {
        self.bounds.insert(row.to_string(), bound);
    }

    /// The item with numbers for rows. Errors: the name of a row that has none.
    pub fn fill(&self, item: &Item, spec: &Spec) -> std::result::Result<Item, String> {
        let used = used(item, spec);
        if let Some(row) = used.iter().find(|row| !self.bounds.contains_key(*row)) {
            return Err(row.clone());
        }
        let mut filled = item.clone();
        match &mut filled.kind {
            ItemKind::Claim(claim) => claim.statement = self.statement(&claim.statement),
            ItemKind::Expect(formula) => *formula = formula.substitute(&self.bounds),
            ItemKind::Measure(term) => *term = term.substitute(&self.bounds),
            ItemKind::Bounds { .. } | ItemKind::Refused(_) => {}
        }
        Ok(filled)
    }

    pub fn statement(&self, statement: &Statement) -> Statement {
        statement.substitute(&self.bounds)
    }
}

/// The rows that an item speaks of.
fn used(item: &Item, spec: &Spec) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    match &item.kind {
        ItemKind::Claim(claim) => match &claim.statement {
            Statement::Formula(formula) => formula.names(&mut names),
            Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => term.names(&mut names),
        },
        ItemKind::Expect(formula) => formula.names(&mut names),
        ItemKind::Measure(term) => term.names(&mut names),
        ItemKind::Bounds { .. } | ItemKind::Refused(_) => {}
    }
    let blocks = spec.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Bounds { methods, .. } => Some(model::rows_of(&item.name, methods)),
        _ => None,
    });
    blocks.flatten().filter(|row| names.contains(row)).collect()
}

/// Whether an item needs the rows of this block.
pub fn needs(item: &Item, block: &Item, spec: &Spec) -> bool {
    let part = format!("{}.", block.name);
    matches!(block.kind, ItemKind::Bounds { .. }) && used(item, spec).iter().any(|row| row.starts_with(&part))
}
