//! Vacuous bounds, and what it would take to make them say something. Trust: untrusted (for the report only).

use super::search::Search;
use crate::kernel::check::{Checked, Claim, Statement};
use crate::kernel::derive::{Step, Workspace};
use crate::kernel::real::Truth;
use crate::kernel::term::{Formula, Relation, Substitution, Term};
use crate::kernel::theorem::Theorem;
use crate::kernel::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};

/// A bound that says no more than the trivial one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacuity {
    /// The trivial bound, in words: `risk <= 1`.
    pub trivial: String,
    /// Examples needed for a bound below 1 and below 1/2, all else equal.
    pub needs: Option<(BigInt, Option<BigInt>)>,
}

/// Whether the claim's bound on a risk is at least 1.
pub fn vacuity(search: &Search, claim: &Claim, checked: &Checked, steps: &[Step]) -> Option<Vacuity> {
    let subject = match &claim.statement {
        Statement::Upper(term) => term,
        Statement::Formula(Formula::Compare(term, Relation::Le | Relation::Lt, _)) => term,
        _ => return None,
    };
    let Term::Quantity(head, _) = subject else { return None };
    if !matches!(head.as_str(), "risk" | "gibbs_risk") {
        return None;
    }
    let one = Value::integer(1, 64);
    // The risk's own codomain caps the value at 1; the theorem's uncapped conclusion shows the factor.
    let high = checked.facts().iter().rev().find(|fact| fact.subject == *subject)?.value.high_end()?;
    if one.le(&high) != Truth::True {
        return None;
    }
    let needs = steps.iter().rev().find_map(|step| match step {
        Step::Theorem { name, bindings } => {
            let theorem = search.context().theorems.get(name)?;
            let size = size_parameter(theorem)?;
            let bindings: Substitution = bindings.iter().cloned().collect();
            let workspace = replay(search, claim, steps)?;
            let below = |limit: &BigRational| examples_needed(&workspace, theorem, size, &bindings, limit);
            let half = BigRational::new(1.into(), 2.into());
            below(&BigRational::one()).map(|n| (n, below(&half)))
        }
        Step::Witness { .. } => None,
    });
    Some(Vacuity { trivial: format!("{subject} <= 1"), needs })
}

fn replay<'a>(search: &Search<'a>, claim: &Claim, steps: &[Step]) -> Option<Workspace<'a>> {
    let mut workspace = search.workspace().stating(claim.stated.clone());
    for step in steps {
        workspace.apply(step).ok()?;
    }
    Some(workspace)
}

/// The parameter that a requirement `samples(S) = m` ties to the sample size.
fn size_parameter(theorem: &Theorem) -> Option<&str> {
    theorem.requires.iter().find_map(|requirement| match requirement {
        Formula::Compare(Term::Quantity(head, _), Relation::Eq, Term::Name(parameter)) if head == "samples" => {
            Some(parameter.as_str())
        }
        _ => None,
    })
}

/// The least number of examples at which the theorem's right side falls below the limit, with error rates kept.
fn examples_needed(
    workspace: &Workspace,
    theorem: &Theorem,
    size: &str,
    bindings: &Substitution,
    limit: &BigRational,
) -> Option<BigInt> {
    let Formula::Compare(_, _, right) = &theorem.ensures else { return None };
    let Some(Term::Number(current)) = bindings.get(size) else { return None };
    let counts: Vec<&str> = theorem
        .requires
        .iter()
        .filter_map(|requirement| match requirement {
            Formula::Compare(Term::Quantity(head, _), Relation::Le, Term::Name(parameter)) if head == "errors" => {
                Some(parameter.as_str())
            }
            _ => None,
        })
        .collect();
    let is_below = |n: &BigInt| -> bool {
        let mut trial = bindings.clone();
        let n = BigRational::from_integer(n.clone());
        for count in &counts {
            if let Some(Term::Number(k)) = bindings.get(*count) {
                trial.insert((*count).to_string(), Term::Number((k * &n / current).ceil()));
            }
        }
        trial.insert(size.to_string(), Term::Number(n));
        match workspace.evaluate(&right.substitute(&trial)) {
            Ok((value, _)) => value.lt(&Value::rational(limit, 64)) == Truth::True,
            Err(_) => false,
        }
    };
    let mut high = current.to_integer();
    if !high.is_positive() {
        return None;
    }
    while !is_below(&high) {
        high *= 2;
        if high.bits() > 80 {
            return None;
        }
    }
    let mut low = BigInt::one();
    while &high - &low > BigInt::one() {
        let middle: BigInt = (&low + &high) / 2;
        if is_below(&middle) { high = middle } else { low = middle }
    }
    Some(high)
}
