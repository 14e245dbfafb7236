//! The check: a claim, a derivation, a verdict. Trust: kernel.
//!
//! Only this module builds a [`Checked`]. It runs every step of the derivation from nothing and evaluates the claim on the facts
//! that result. A derivation may be chosen after seeing the data, so it does not decide what may fail: the claim does, by its
//! [`Draw`]s. All of them are charged (union bound), used or not, and a step with an event that is none of them is refused.

use super::derive::{Fact, Step, Theorems, Workspace};
use super::eval::{EvalError, Grounds};
use super::object::Objects;
use super::real::{Dyadic, Question, Truth};
use super::structure::Structure;
use super::term::{Formula, Substitution, Term};
use super::theorem::{Sort, Status, Theorem};
use super::value::Value;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
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

impl Statement {
    /// Replaces free names, as [`Term::substitute`].
    pub fn substitute(&self, substitution: &Substitution) -> Statement {
        match self {
            Statement::Formula(formula) => Statement::Formula(formula.substitute(substitution)),
            Statement::Upper(term) => Statement::Upper(term.substitute(substitution)),
            Statement::Lower(term) => Statement::Lower(term.substitute(substitution)),
            Statement::Both(term) => Statement::Both(term.substitute(substitution)),
        }
    }
}

/// One event that may fail: a theorem's conclusion about these objects, for all values of its free numbers at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    pub theorem: String,
    /// What stands for the theorem's parameters that are no numbers.
    pub objects: BTreeMap<String, Term>,
    /// Between 0 and 1, both excluded.
    pub probability: BigRational,
}

impl Draw {
    /// The event of a theorem with these values. `None` where one of its parameters is not among the bindings.
    pub fn of(theorem: &Theorem, bindings: &[(String, Term)], probability: BigRational) -> Option<Draw> {
        let is_object = |sort: &Sort| !matches!(sort, Sort::Natural | Sort::Real);
        let bound = |name: &String| bindings.iter().find(|(bound, _)| bound == name);
        let parameters = theorem.parameters.iter().filter(|(_, sort)| is_object(sort));
        let objects = parameters.map(|(name, _)| bound(name).cloned()).collect::<Option<_>>()?;
        Some(Draw { theorem: theorem.name.clone(), objects, probability })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub statement: Statement,
    /// The claim may fail with at most this probability; zero for a certain claim.
    pub failure: BigRational,
    /// The events that a derivation may use, fixed with the claim before the sample is seen.
    pub draws: Vec<Draw>,
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
    spent: BigRational,
    assumptions: BTreeSet<String>,
    undischarged: BTreeSet<String>,
    theorems: BTreeMap<String, Status>,
    facts: Vec<Fact>,
    used: BTreeSet<usize>,
    points: BTreeMap<Question, Dyadic>,
}

impl Checked {
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// An enclosure of the claim's left side.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// The probability that the claim draws, whether its derivation uses it or not.
    pub fn spent(&self) -> BigRational {
        self.spent.clone()
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

    /// The points that inverses were checked at, in the derivation and in the claim.
    pub fn points(&self) -> &BTreeMap<Question, Dyadic> {
        &self.points
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

/// A derivation under way: steps are taken one by one, and none is needed once it has been taken.
pub struct Derivation<'o, 'c> {
    claim: &'c Claim,
    workspace: Workspace<'o>,
    /// Draws that no step has used. A draw pays for one step.
    left: Vec<&'c Draw>,
}

impl<'o, 'c> Derivation<'o, 'c> {
    /// Errors: a draw that is no probability.
    pub fn new(
        objects: &'o Objects,
        theorems: &'o Theorems,
        structures: &'o BTreeMap<String, Structure>,
        claim: &'c Claim,
    ) -> Result<Derivation<'o, 'c>, EvalError> {
        let is_probability = |draw: &&Draw| draw.probability.is_positive() && draw.probability < BigRational::one();
        if let Some(draw) = claim.draws.iter().find(|draw| !is_probability(draw)) {
            let text =
                format!("expected a probability between 0 and 1 for `{}`, found {}", draw.theorem, draw.probability);
            return Err(EvalError::Meaningless(text));
        }
        let workspace = Workspace::new(objects, theorems, structures).stating(claim.stated.clone());
        Ok(Derivation { claim, workspace, left: claim.draws.iter().collect() })
    }

    /// Takes a step and returns its fact. Errors: it establishes nothing, or its event is no draw of the claim.
    pub fn apply(&mut self, step: &Step) -> Result<&Fact, EvalError> {
        let i = self.workspace.apply(step)?;
        let event = self.workspace.facts()[i].events.get(&i).cloned();
        if let (Step::Theorem { name, bindings }, Some(probability)) = (step, event) {
            let theorem = self.workspace.theorems().get(name);
            let event = theorem.and_then(|theorem| Draw::of(theorem, bindings, probability.clone()));
            let Some(place) = self.left.iter().position(|draw| Some(*draw) == event.as_ref()) else {
                let text =
                    format!("`{name}` may fail with probability {probability}, which the claim does not draw for it");
                return Err(EvalError::Meaningless(text));
            };
            self.left.swap_remove(place);
        }
        Ok(&self.workspace.facts()[i])
    }

    /// Decides the claim on the facts so far. All its draws are charged.
    pub fn conclude(self) -> Result<Checked, EvalError> {
        let Derivation { claim, workspace, .. } = self;
        let spent = claim.draws.iter().map(|draw| &draw.probability).sum();
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
            spent,
            assumptions: grounds.assumptions,
            undischarged: grounds.undischarged,
            theorems: BTreeMap::new(),
            facts: workspace.facts().to_vec(),
            used: grounds.facts,
            points: workspace.into_points(),
        };
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
        let rests_on_recalled = checked.theorems.values().any(|s| matches!(s, Status::Recalled | Status::Unproved));
        checked.verdict = match truth {
            Truth::True if checked.spent <= claim.failure => Verdict::Proved,
            // A refutation must be certain: neither an event that may fail, nor a condition that nothing establishes, nor a
            // statement that was not checked refutes anything.
            Truth::False if checked.spent.is_zero() && checked.undischarged.is_empty() && !rests_on_recalled => {
                Verdict::Refuted
            }
            _ => Verdict::Unknown,
        };
        Ok(checked)
    }
}

/// Re-derives everything and decides. Errors: a step that establishes nothing, a term that is undefined, an event that the claim
/// does not draw.
pub fn check(
    objects: &Objects,
    theorems: &Theorems,
    structures: &BTreeMap<String, Structure>,
    claim: &Claim,
    steps: &[Step],
) -> Result<Checked, EvalError> {
    let mut derivation = Derivation::new(objects, theorems, structures, claim)?;
    for step in steps {
        derivation.apply(step)?;
    }
    derivation.conclude()
}
