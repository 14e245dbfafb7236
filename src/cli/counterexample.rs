//! What a refuted claim fails at: the first instance that the kernel finds false, with both sides evaluated there.

use super::items::{display, high, low};
use crate::kernel::derive::Workspace;
use crate::kernel::real::Truth;
use crate::kernel::term::{Formula, Relation, Term};
use crate::kernel::value::Value;
use crate::report::decimal::{Direction, exact_or_decimal};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// Instances of a quantifier that are looked at.
const INSTANCE_LIMIT: i64 = 100_000;
/// Longest exact number that is shown as it is.
const EXACT_WIDTH: usize = 24;

/// The first false instance in words, such as `t = 3: 7/8 >= 9/10`; `None` where none can be singled out.
pub fn counterexample(workspace: &Workspace, formula: &Formula) -> Option<String> {
    match formula {
        Formula::Compare(a, relation, b) => {
            let side = |term: &Term| workspace.evaluate(term).ok().and_then(|(value, _)| number(&value));
            Some(format!("{} {} {}", side(a)?, negated(*relation), side(b)?))
        }
        Formula::Within(a, low, high) => {
            let parts = [
                Formula::Compare(a.clone(), Relation::Ge, low.clone()),
                Formula::Compare(a.clone(), Relation::Le, high.clone()),
            ];
            first_false(workspace, &parts)
        }
        Formula::And(parts) => first_false(workspace, parts),
        Formula::ForAll { variable, from, to, body } => {
            let (from, to) = (integer(workspace, from)?, integer(workspace, to)?);
            let members = (from..=to.min(from.saturating_add(INSTANCE_LIMIT)))
                .map(|i| Term::Number(BigRational::from_integer(BigInt::from(i))));
            instance(workspace, variable, members, body)
        }
        Formula::ForEach { variable, members, body } => instance(workspace, variable, members.iter().cloned(), body),
        Formula::Holds(..) | Formula::ForReal { .. } => None,
    }
}

fn is_false(workspace: &Workspace, formula: &Formula) -> bool {
    workspace.decide(formula).is_ok_and(|(truth, _)| truth == Truth::False)
}

fn first_false(workspace: &Workspace, parts: &[Formula]) -> Option<String> {
    counterexample(workspace, parts.iter().find(|part| is_false(workspace, part))?)
}

fn instance(
    workspace: &Workspace,
    variable: &str,
    mut members: impl Iterator<Item = Term>,
    body: &Formula,
) -> Option<String> {
    let (member, body) = members.find_map(|member| {
        let body = body.substitute(&[(variable.to_string(), member.clone())].into());
        is_false(workspace, &body).then_some((member, body))
    })?;
    let rest = counterexample(workspace, &body)?;
    let separator = if rest.contains(" = ") && rest.contains(": ") { ", " } else { ": " };
    Some(format!("{variable} = {member}{separator}{rest}"))
}

fn integer(workspace: &Workspace, term: &Term) -> Option<i64> {
    workspace.evaluate(term).ok()?.0.as_integer()?.to_i64()
}

/// The relation that holds instead.
fn negated(relation: Relation) -> &'static str {
    match relation {
        Relation::Le => ">",
        Relation::Lt => ">=",
        Relation::Ge => "<",
        Relation::Gt => "<=",
        Relation::Eq => "!=",
    }
}

/// Exact where that is short, else a few digits of both ends, rounded outward.
fn number(value: &Value) -> Option<String> {
    let (low, high) = (low(value)?, high(value)?);
    let exact = exact_or_decimal(&low, Direction::Down);
    Some(if low == high && exact.len() <= EXACT_WIDTH {
        exact
    } else {
        format!("[{}, {}]", display(&low, Direction::Down), display(&high, Direction::Up))
    })
}
