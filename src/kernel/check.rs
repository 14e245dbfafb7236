//! The check: a claim, a derivation, a verdict. Trust: kernel.
//!
//! Only this module builds a [`Checked`]. It runs every step of the derivation from nothing, evaluates the claim on the facts
//! that result, and adds up the probabilities of all events of the derivation (union bound). A derivation that computes
//! several bounds and uses the best is charged for every one: choosing after seeing the data is not free.

use super::derive::{Fact, Step, Theorems, Workspace};
use super::eval::{EvalError, Grounds};
use super::object::Objects;
use super::real::Truth;
use super::structure::Structure;
use super::term::{Formula, Term};
use super::theorem::Status;
use super::value::Value;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::{BTreeMap, BTreeSet};

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    Formula(Formula),
    /// `term <= ?`: some finite upper bound is proved.
    Upper(Term),
    /// `term >= ?`
    Lower(Term),
    /// `term = ?` or `term in ?`
    Both(Term),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub statement: Statement,
    /// The claim may fail with at most this probability; zero for a certain claim.
    pub failure: BigRational,
    /// Values that the claim states for parameters of theorems, by name: `by finite_class(bits: 32)`.
    pub stated: BTreeMap<String, Term>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proved,
    Refuted,
    Unknown,
}

/// A verdict with everything it rests on. The fields are private: only [`check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked {
    verdict: Verdict,
    value: Option<Value>,
    events: BTreeMap<usize, BigRational>,
    assumptions: BTreeSet<String>,
    undischarged: BTreeSet<String>,
    theorems: BTreeMap<String, Status>,
    facts: Vec<Fact>,
    used: BTreeSet<usize>,
}

impl Checked {
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// An enclosure of the claim's left side.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The probability that the claim draws: the sum over all events of the derivation.
    pub fn spent(&self) -> BigRational {
        self.events.values().sum()
    }

    pub fn assumptions(&self) -> &BTreeSet<String> {
        &self.assumptions
    }

    /// Conditions that nothing establishes and nothing declares.
    pub fn undischarged(&self) -> &BTreeSet<String> {
        &self.undischarged
    }

    pub fn theorems(&self) -> &BTreeMap<String, Status> {
        &self.theorems
    }

    /// All facts of the derivation, in the order of its steps.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Indices of the facts that the claim uses directly.
    pub fn used(&self) -> &BTreeSet<usize> {
        &self.used
    }
}

/// The left side of a statement: the term whose enclosure is reported.
fn subject(statement: &Statement) -> Option<&Term> {
    match statement {
        Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => Some(term),
        Statement::Formula(Formula::Compare(a, ..) | Formula::Within(a, ..)) => Some(a),
        Statement::Formula(_) => None,
    }
}

/// Re-derives everything and decides. Errors: a step that establishes nothing, or a term that is undefined.
pub fn check(
    objects: &Objects,
    theorems: &Theorems,
    structures: &BTreeMap<String, Structure>,
    claim: &Claim,
    steps: &[Step],
) -> Result<Checked, EvalError> {
    let mut workspace = Workspace::new(objects, theorems, structures).stating(claim.stated.clone());
    for step in steps {
        workspace.apply(step)?;
    }
    let mut grounds = Grounds::default();
    let mut value = None;
    if let Some(term) = subject(&claim.statement) {
        let (enclosure, used) = workspace.evaluate(term)?;
        value = Some(enclosure);
        grounds = used;
    }
    let truth = match &claim.statement {
        Statement::Formula(formula) => {
            let (truth, used) = workspace.decide(formula)?;
            grounds = used;
            truth
        }
        bound => {
            let (low, high) =
                value.as_ref().map_or((false, false), |v| (v.low_end().is_some(), v.high_end().is_some()));
            let is_bounded = match bound {
                Statement::Upper(_) => high,
                Statement::Lower(_) => low,
                _ => low && high,
            };
            if is_bounded { Truth::True } else { Truth::Unknown }
        }
    };
    let mut checked = Checked {
        verdict: Verdict::Unknown,
        value,
        events: BTreeMap::new(),
        assumptions: grounds.assumptions,
        undischarged: grounds.undischarged,
        theorems: BTreeMap::new(),
        facts: workspace.facts().to_vec(),
        used: grounds.facts,
    };
    for fact in &checked.facts {
        checked.events.extend(fact.events.iter().map(|(step, q)| (*step, q.clone())));
    }
    let mut populations = BTreeSet::new();
    for &i in &checked.used {
        let fact = &checked.facts[i];
        populations.extend(fact.populations.iter());
        checked.assumptions.extend(fact.assumptions.iter().cloned());
        checked.undischarged.extend(fact.undischarged.iter().cloned());
        checked.theorems.extend(fact.theorems.iter().map(|(name, status)| (name.clone(), *status)));
    }
    // A risk has no law in its name: facts from samples of two data sets speak of one number only if the laws agree.
    if populations.len() > 1 {
        let names: Vec<String> = populations.iter().map(|name| format!("`{name}`")).collect();
        checked.undischarged.insert(format!("{} follow one law", names.join(" and ")));
    }
    let spent = checked.spent();
    let rests_on_recalled = checked.theorems.values().any(|s| matches!(s, Status::Recalled | Status::Unproved));
    checked.verdict = match truth {
        Truth::True if spent <= claim.failure => Verdict::Proved,
        // A refutation must be certain: neither an event that may fail, nor a condition that nothing establishes, nor a
        // statement that was not checked refutes anything.
        Truth::False if spent.is_zero() && checked.undischarged.is_empty() && !rests_on_recalled => Verdict::Refuted,
        _ => Verdict::Unknown,
    };
    Ok(checked)
}
