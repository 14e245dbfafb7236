//! Rows judged one by one, and the slips that would explain the wrong ones.

use super::sheet::{Sheet, unit};
use super::slips::{self, Slip};
use super::statement::{Printed, RowClaim};
use crate::kernel::derive::{Theorems, Workspace};
use crate::kernel::object::Objects;
use crate::kernel::real::Truth;
use crate::kernel::structure::Structure;
use crate::kernel::term::{Formula, Op, Relation, Term};
use crate::kernel::value::Value;
use crate::point;
use num_rational::BigRational;
use std::collections::BTreeMap;

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    Agrees,
    Disagrees,
    /// Neither is proved.
    Undecided,
    /// The formula has no value here, for this reason.
    Undefined(String),
}

#[derive(Clone, Debug)]
pub struct Row {
    /// From 1.
    pub number: usize,
    /// Line of the file.
    pub line: usize,
    pub label: Option<String>,
    pub judged: Judged,
    /// Enclosure of the formula, without its rounding.
    pub value: Option<(BigRational, BigRational)>,
    pub printed: Option<BigRational>,
}

/// A slip that reproduces the printed digits of wrong rows.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// `ln(sqrt(n)/delta) for ln(2*sqrt(n)/delta)`
    pub text: String,
    /// The numbers of the rows, with what the variant gives there.
    pub rows: Vec<(usize, BigRational)>,
}

/// A claim about a table, judged.
#[derive(Clone, Debug)]
pub struct Report {
    pub rows: Vec<Row>,
    /// Those that explain most rows first, then the likelier ones.
    pub explanations: Vec<Explanation>,
    /// Variants that were tried on every wrong row.
    pub tried: usize,
    /// Decimals that are compared.
    pub decimals: u32,
}

/// Numbers that the kernel evaluates terms without objects with.
struct Calculator {
    objects: Objects,
    theorems: Theorems,
    structures: BTreeMap<String, Structure>,
}

impl Calculator {
    fn workspace(&self) -> Workspace<'_> {
        Workspace::new(&self.objects, &self.theorems, &self.structures)
    }
}

/// The ends of a value, rounded outward to rationals.
fn ends(value: &Value) -> Option<(BigRational, BigRational)> {
    let low = |value: &Value| match value.low().and_then(crate::kernel::surd::Surd::as_rational) {
        Some(q) => Some(q),
        None => value.enclosure().lo().and_then(|lo| lo.to_rational().ok()),
    };
    Some((low(value)?, -low(&value.neg())?))
}

/// The statement that decides a row: equality of a formula with a printed number is equality of the printed digits.
fn statement(claim: &RowClaim, decimals: u32) -> Formula {
    match &claim.printed {
        Some(Printed { formula, column, .. }) if claim.compares_digits() => {
            reproduces(formula, &Term::Name(format!("{}.{column}", claim.variable)), decimals)
        }
        _ => claim.formula.clone(),
    }
}

/// `printed` is one of the two neighbours of the formula's value on the grid 10^-d: it is that value, rounded somehow.
fn reproduces(formula: &Term, printed: &Term, decimals: u32) -> Formula {
    let difference = |a: &Term, b: &Term| {
        let difference = Term::Apply(Op::Add, vec![a.clone(), Term::Apply(Op::Neg, vec![b.clone()])]);
        Formula::Compare(difference, Relation::Lt, Term::Number(unit(decimals)))
    };
    Formula::And(vec![difference(formula, printed), difference(printed, formula)])
}

/// Judges every row; `step` is called after each row and each variant, and may stop the search for explanations.
pub fn judge(claim: &RowClaim, sheet: &Sheet, step: &mut dyn FnMut(usize, usize) -> bool) -> Report {
    let objects = Objects::proposing(point::propose);
    let calculator = Calculator { objects, theorems: Theorems::new(), structures: BTreeMap::new() };
    let workspace = calculator.workspace();
    let printed = claim.printed.as_ref();
    let decimals = printed.map_or(0, |printed| printed.decimals.unwrap_or_else(|| sheet.decimals(&printed.column)));
    let statement = statement(claim, decimals);
    let mut rows = Vec::with_capacity(sheet.len());
    for index in 0..sheet.len() {
        let substitution = sheet.substitution(&claim.variable, index);
        let judged = match workspace.decide(&statement.substitute(&substitution)) {
            Ok((Truth::True, _)) => Judged::Agrees,
            Ok((Truth::False, _)) => Judged::Disagrees,
            Ok((Truth::Unknown, _)) => Judged::Undecided,
            Err(error) => Judged::Undefined(error.to_string()),
        };
        let value = printed.and_then(|printed| {
            let (value, _) = workspace.evaluate(&printed.formula.substitute(&substitution)).ok()?;
            ends(&value)
        });
        rows.push(Row {
            number: index + 1,
            line: sheet.line(index),
            label: sheet.label(index).map(str::to_string),
            judged,
            value,
            printed: printed.and_then(|printed| sheet.number(index, &printed.column)).cloned(),
        });
        step(index + 1, sheet.len());
    }
    // A rate given in percent may leave the domain of the formula.
    let is_wrong = |row: &Row| matches!(row.judged, Judged::Disagrees | Judged::Undefined(_));
    let wrong: Vec<usize> = (0..rows.len()).filter(|&index| is_wrong(&rows[index])).collect();
    let mut report = Report { rows, explanations: Vec::new(), tried: 0, decimals };
    if let Some(printed) = printed
        && !wrong.is_empty()
    {
        explain(&workspace, claim, printed, sheet, &wrong, &mut report, step);
    }
    report
}

/// Tries every slip on every wrong row. Only hints come of it, so one evaluation of each variant is enough.
fn explain(
    workspace: &Workspace,
    claim: &RowClaim,
    printed: &Printed,
    sheet: &Sheet,
    wrong: &[usize],
    report: &mut Report,
    step: &mut dyn FnMut(usize, usize) -> bool,
) {
    let slips = slips::slips(&printed.formula, &claim.variable, sheet);
    report.tried = slips.len();
    let unit = unit(report.decimals);
    let mut found: Vec<(usize, Explanation)> = Vec::new();
    for (order, slip) in slips.iter().enumerate() {
        let mut rows = Vec::new();
        for &index in wrong {
            let substitution = sheet.substitution(&claim.variable, index);
            let variant = variant(workspace, slip, &substitution);
            let value = variant.and_then(|variant| workspace.evaluate(&variant).ok());
            let (Some((low, high)), Some(number)) =
                (value.and_then(|(value, _)| ends(&value)), sheet.number(index, &printed.column))
            else {
                continue;
            };
            // The printed number is a neighbour of the value on the grid.
            if &low + &unit > *number && *number > &high - &unit {
                rows.push((index + 1, low));
            }
        }
        if !rows.is_empty() {
            found.push((order, Explanation { text: slip.text.clone(), rows }));
        }
        if !step(order + 1, slips.len()) {
            break;
        }
    }
    found.sort_by_key(|(order, explanation)| (std::cmp::Reverse(explanation.rows.len()), *order));
    report.explanations = found.into_iter().map(|(_, explanation)| explanation).collect();
}

/// The slip's formula on one row.
fn variant(workspace: &Workspace, slip: &Slip, row: &crate::kernel::term::Substitution) -> Option<Term> {
    match &slip.change {
        slips::Change::Formula(term) => Some(term.substitute(row)),
        slips::Change::Inverse { place, q, c, how } => {
            let value = how.value(workspace, &q.substitute(row), &c.substitute(row))?;
            Some(place.substitute(row).substitute(&[(slips::HOLE.to_string(), Term::Number(value))].into()))
        }
    }
}
