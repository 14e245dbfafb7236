//! Claims about the rows of a published table, for `check` and `recheck`.

use super::items;
use super::run::exit;
use crate::kernel::check::{self, Claim, Statement, Verdict as KernelVerdict};
use crate::kernel::derive::Theorems;
use crate::kernel::object::Objects;
use crate::kernel::term::Formula;
use crate::lab::progress::Bar;
use crate::point;
use crate::prove::Outcome;
use crate::recheck::{Judged, RowClaim, Sheet, judge};
use crate::report::decimal::{Direction, decimal, exact_or_decimal};
use crate::report::recheck::{ExplanationView, RowClaimView, RowView};
use crate::report::view::{ItemKind, ItemView, Verdict};
use crate::syntax::ast::Expected;
use crate::text::Source;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeMap;

/// Significant digits of an enclosure.
const DIGITS: u32 = 8;
/// Significant digits of what a slip gives.
const SLIP_DIGITS: u32 = 5;
/// Slips that `check` names for each wrong row.
const SLIPS_NOTED: usize = 3;

fn word(judged: &Judged) -> &'static str {
    match judged {
        Judged::Agrees => "agrees",
        Judged::Disagrees => "disagrees",
        Judged::Undecided => "undecided",
        Judged::Undefined(_) => "undefined",
    }
}

/// A claim judged on all rows, and its exit code.
pub fn judged(claim: &RowClaim, sheet: &Sheet) -> (RowClaimView, u8) {
    let mut bar = Bar::new(&claim.name);
    let report = judge::judge(claim, sheet, &mut |done, of| {
        bar.step(done, of);
        true
    });
    let has = |wanted: &str| report.rows.iter().any(|row| word(&row.judged) == wanted);
    let verdict = ["undefined", "disagrees", "undecided"].into_iter().find(|word| has(word)).unwrap_or("agrees");
    let expected = match claim.expecting {
        Some(Expected::Refuted) => has("disagrees") && !has("undefined"),
        Some(Expected::Unknown) => verdict == "undecided",
        _ => false,
    };
    let code = match (verdict, claim.expecting) {
        _ if expected => exit::PROVED,
        ("undefined", _) => exit::SPEC,
        ("disagrees", _) | ("agrees", Some(Expected::Refuted)) => exit::REFUTED,
        ("undecided", _) => exit::UNKNOWN,
        _ => exit::PROVED,
    };
    let rows = report
        .rows
        .iter()
        .map(|row| RowView {
            row: row.number,
            line: row.line,
            label: row.label.clone(),
            verdict: word(&row.judged),
            lower: row.value.as_ref().map(|(low, _)| shown(low, Direction::Down)),
            upper: row.value.as_ref().map(|(_, high)| shown(high, Direction::Up)),
            printed: row.printed.as_ref().map(|q| printed(q, sheet, claim)),
            reason: match &row.judged {
                Judged::Undefined(reason) => Some(reason.clone()),
                _ => None,
            },
        })
        .collect();
    let explanations = report
        .explanations
        .iter()
        .map(|explanation| ExplanationView {
            slip: explanation.text.clone(),
            rows: explanation
                .rows
                .iter()
                .map(|(row, value)| (*row, decimal(value, SLIP_DIGITS, Direction::Down)))
                .collect(),
        })
        .collect();
    let view = RowClaimView {
        name: claim.name.clone(),
        statement: claim.text.clone(),
        verdict,
        expected,
        rows,
        explanations,
        tried: report.tried,
    };
    (view, code)
}

/// Exact where that is short, else a few digits rounded outward.
fn shown(q: &BigRational, direction: Direction) -> String {
    let exact = exact_or_decimal(q, direction);
    if exact.len() <= 12 && q.is_integer() { exact } else { decimal(q, DIGITS, direction) }
}

/// A printed number with the decimals of its column.
fn printed(q: &BigRational, sheet: &Sheet, claim: &RowClaim) -> String {
    let mut text = decimal(q, 40, Direction::Up);
    let decimals = claim.printed.as_ref().map_or(0, |printed| sheet.decimals(&printed.column));
    if decimals > 0 && !text.contains(['.', 'e']) {
        text.push('.');
    }
    if let Some((_, fraction)) = text.clone().split_once('.') {
        let missing = usize::try_from(decimals).unwrap_or(0).saturating_sub(fraction.len());
        text.push_str(&"0".repeat(missing));
    }
    text
}

/// The conjunction over all rows, with the numbers of the table.
pub fn statement(claim: &RowClaim, sheet: &Sheet) -> Statement {
    let instance = |row| claim.formula.substitute(&sheet.substitution(&claim.variable, row));
    Statement::Formula(Formula::And((0..sheet.len()).map(instance).collect()))
}

/// The claim as `check` reports it: the kernel decides it on all rows.
pub fn item(claim: &RowClaim, sheet: &Sheet, source: &Source) -> items::Result {
    let line = source.position(claim.span.start).line;
    let statement = statement(claim, sheet);
    let statement = Claim { statement, failure: BigRational::zero(), draws: Vec::new(), stated: BTreeMap::new() };
    let objects = Objects::proposing(point::propose);
    let checked = check::check(&objects, &Theorems::new(), &BTreeMap::new(), &statement, &[]);
    let mut outcome = Outcome { claim: Some(statement), ..Outcome::default() };
    let text = format!("forall {} in {}.rows : {}", claim.variable, sheet.name, claim.text);
    let mut view = ItemView::new(ItemKind::Claim, &claim.name, Verdict::Unknown, &text, line);
    let mut diagnostics = Vec::new();
    let (verdict, code) = match checked {
        Ok(checked) => {
            view.delta = Some(checked.spent().to_string());
            match outcome.checked.insert(checked).verdict() {
                KernelVerdict::Proved => (Verdict::PROVED, exit::PROVED),
                KernelVerdict::Refuted => (Verdict::Refuted, exit::REFUTED),
                KernelVerdict::Unknown => (Verdict::Unknown, exit::UNKNOWN),
            }
        }
        Err(error) => {
            diagnostics.push(items::undefined(&error, &claim.name, claim.span));
            (Verdict::Error, exit::SPEC)
        }
    };
    view.verdict = verdict;
    if verdict != Verdict::PROVED {
        view.notes = judged(claim, sheet).0.notes(SLIPS_NOTED);
        if claim.compares_digits() {
            view.notes
                .push("`=` compares exact numbers here; `supremum recheck` compares the printed digits".to_string());
        }
    }
    view.expected = matches!(
        (claim.expecting, verdict),
        (Some(Expected::Refuted), Verdict::Refuted) | (Some(Expected::Unknown), Verdict::Unknown)
    );
    let code = match (view.expected, claim.expecting, verdict) {
        (true, ..) => exit::PROVED,
        (false, Some(expected), Verdict::Proved { .. }) if expected != Expected::Proved => {
            view.notes.push(format!("expected {expected}"));
            exit::REFUTED
        }
        _ => code,
    };
    items::Result { view, outcome: Some(outcome), spent: BigRational::zero(), diagnostics, exit: code }
}
