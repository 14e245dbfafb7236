//! Rates: statements whose constant nobody knows. They are listed and shown, and the prover never sees them.

use super::compile;
use crate::syntax::ast::{self, PropKind};
use crate::syntax::{print_item, print_prop};
use crate::text::{Diagnostic, Span};
use sha2::{Digest, Sha256};

/// The word after `status` that makes a theorem a rate.
pub const STATUS: &str = "rate";

/// `ensures QUANTITY in O(...) as n -> inf` with `status rate`: what is known of an order, and no number.
#[derive(Clone, Debug)]
pub struct Rate {
    pub name: String,
    pub title: String,
    /// Hypotheses and conclusion as written; their words need not be quantities of the language.
    pub requires: Vec<String>,
    pub ensures: String,
    pub source: String,
    pub survey: Option<String>,
    pub note: Option<String>,
    /// SHA-256 of the canonical text, in hexadecimal.
    pub hash: String,
}

/// Whether a block states an order, or says that it does.
pub fn is_rate(block: &ast::Theorem) -> bool {
    block.status.as_ref().is_some_and(|status| status.name == STATUS)
        || matches!(block.ensures.kind, PropKind::Asymptotic { .. })
}

/// Errors: a rate with a number, an order without the status `rate`, examples or rejects, which no rate can have.
pub fn compile(block: &ast::Theorem) -> Result<Rate, Diagnostic> {
    let wrong = |title: &str, span: Span, label: &str| Diagnostic::error("E0213", title).at(span, label);
    if !matches!(block.ensures.kind, PropKind::Asymptotic { .. }) {
        return Err(wrong("expected an order after `ensures`, found a number", block.ensures.span, "this has a value")
            .help("write `ensures QUANTITY in O(...) as n -> inf`, or another status than `rate`"));
    }
    if block.status.as_ref().is_none_or(|status| status.name != STATUS) {
        return Err(wrong(
            "expected a bound on a quantity, found an order",
            block.ensures.span,
            "no constant, no number",
        )
        .help("write `status rate`: the statement is listed, and no claim can rest on it"));
    }
    let cases = block.examples.iter().map(|e| e.span).chain(block.rejects.iter().map(|r| r.span));
    if let Some(span) = cases.min_by_key(|span| span.start) {
        return Err(wrong("expected no examples of a rate, found one", span, "a rate has no value to compare")
            .help("delete it"));
    }
    compile::sorts(block)?;
    let item = ast::Item { kind: ast::ItemKind::Theorem(Box::new(block.clone())), span: block.name.span };
    let hash = Sha256::digest(print_item(&item).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let content = |field: &Option<ast::Text>| field.as_ref().map(|text| text.text.clone());
    Ok(Rate {
        name: block.name.name.clone(),
        title: content(&block.title).unwrap_or_else(|| block.name.name.clone()),
        requires: block.requires.iter().map(print_prop).collect(),
        ensures: print_prop(&block.ensures),
        source: content(&block.source).unwrap_or_else(|| "no source".to_string()),
        survey: content(&block.survey),
        note: content(&block.note),
        hash,
    })
}
