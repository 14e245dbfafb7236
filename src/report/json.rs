//! `check --format json`: one object, stable from the first release. Fields may be added at the end, never renamed.

use super::view::{CheckView, DiagnosticView, ItemKind, ItemView, Verdict};
use serde::Serialize;

// The order of the fields is the order in the output.
#[derive(Serialize)]
struct Check<'a> {
    spec: &'a str,
    exit: u8,
    ledger: Option<Ledger<'a>>,
    items: Vec<Item<'a>>,
    diagnostics: Vec<Diagnostic<'a>>,
}

#[derive(Serialize)]
struct Ledger<'a> {
    budget: &'a str,
    spent: &'a str,
}

#[derive(Serialize)]
struct Item<'a> {
    kind: &'static str,
    name: &'a str,
    verdict: &'static str,
    vacuous: bool,
    statement: &'a str,
    lower: Option<&'a str>,
    upper: Option<&'a str>,
    method: Option<&'a str>,
    source: Option<&'a str>,
    delta: Option<&'a str>,
    assumptions: &'a [String],
    daggers: &'a [String],
    witness: Option<&'a str>,
    line: usize,
}

#[derive(Serialize)]
struct Diagnostic<'a> {
    code: &'a str,
    severity: &'static str,
    line: usize,
    column: usize,
    message: &'a str,
}

impl<'a> From<&'a ItemView> for Item<'a> {
    fn from(item: &'a ItemView) -> Item<'a> {
        Item {
            kind: match item.kind {
                ItemKind::Claim => "claim",
                ItemKind::Expect => "expect",
                ItemKind::Measure => "measure",
                ItemKind::Bound => "bound",
            },
            name: &item.name,
            verdict: item.verdict.word(),
            vacuous: matches!(item.verdict, Verdict::Proved { vacuous: true, .. }),
            statement: &item.statement,
            lower: item.lower.as_deref(),
            upper: item.upper.as_deref(),
            method: item.method.as_deref(),
            source: item.source.as_deref(),
            delta: item.delta.as_deref(),
            assumptions: &item.assumptions,
            daggers: &item.daggers,
            witness: item.witness.as_deref(),
            line: item.line,
        }
    }
}

impl<'a> From<&'a DiagnosticView> for Diagnostic<'a> {
    fn from(d: &'a DiagnosticView) -> Diagnostic<'a> {
        Diagnostic { code: &d.code, severity: d.severity.word(), line: d.line, column: d.column, message: &d.message }
    }
}

/// The object with a final newline. No error is possible for these types; the signature is serde's.
pub fn check(view: &CheckView) -> Result<String, serde_json::Error> {
    let check = Check {
        spec: &view.spec,
        exit: view.exit,
        ledger: view.ledger.as_ref().map(|l| Ledger { budget: &l.budget, spent: &l.spent }),
        items: view.items.iter().map(Item::from).collect(),
        diagnostics: view.diagnostics.iter().map(Diagnostic::from).collect(),
    };
    let mut text = serde_json::to_string_pretty(&check)?;
    text.push('\n');
    Ok(text)
}
