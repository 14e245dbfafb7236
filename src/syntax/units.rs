//! Bits and nats: information in a sum has one unit.

use super::ast::{Arg, ArgValue, Expr, ExprKind, Term};
use crate::text::{Diagnostic, Span};

/// The unit of an amount of information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bits,
    Nats,
}

const IN_BITS: &[&str] = &["code_length", "weight_bits", "self_delimiting_length", "smoothed_nll", "bits"];
const IN_NATS: &[&str] =
    &["kl", "divergence", "mutual_information", "conditional_mutual_information", "cross_entropy", "nats"];

/// The unit of an expression, where its head tells it: a product with a logarithm may be a conversion, and has none.
pub fn unit(expr: &Expr) -> Option<Unit> {
    match &expr.kind {
        ExprKind::Product(factors) => {
            let mut found = None;
            for factor in factors {
                match (&factor.expr.kind, unit(&factor.expr)) {
                    (ExprKind::Number(_), _) => {}
                    (_, Some(unit)) if found.is_none() && !factor.inverse => found = Some(unit),
                    _ => return None,
                }
            }
            found
        }
        ExprKind::Sum(terms) => terms.iter().find_map(|term| unit(&term.expr)),
        _ => {
            let (head, _): (&str, &[Arg]) = expr.as_call()?;
            let is_in = |names: &[&str]| names.contains(&head);
            is_in(IN_BITS).then_some(Unit::Bits).or(is_in(IN_NATS).then_some(Unit::Nats))
        }
    }
}

/// Errors: a sum of bits and nats.
pub fn check_sum(terms: &[Term]) -> Result<(), Diagnostic> {
    let of = |wanted: Unit| terms.iter().map(|term| &term.expr).find(|expr| unit(expr) == Some(wanted));
    let (Some(bits), Some(nats)) = (of(Unit::Bits), of(Unit::Nats)) else { return Ok(()) };
    Err(Diagnostic::error("E0212", "bits added to nats")
        .at(bits.span, "bits")
        .because(nats.span, "nats")
        .help("one bit is ln 2 = 0.6931... nats: write `nats(...)` around the bits, or `bits(...)` around the nats"))
}

/// The factor of `nats(x)`, x in bits, and `bits(x)`, x in nats. Errors: x is in the unit that it is to be converted to.
pub fn check_conversion(head: &str, args: &[Arg], span: Span) -> Result<(), Diagnostic> {
    let to = if head == "nats" { Unit::Nats } else { Unit::Bits };
    let [Arg { value: ArgValue::Expr(expr), .. }] = args else {
        return Err(Diagnostic::error("E0202", format!("expected 1 argument(s) for `{head}`, found {}", args.len()))
            .at(span, ""));
    };
    if unit(expr) == Some(to) {
        return Err(Diagnostic::error("E0212", format!("converted to {head} twice"))
            .at(expr.span, format!("in {head} already"))
            .help(format!("delete `{head}(...)`")));
    }
    Ok(())
}
