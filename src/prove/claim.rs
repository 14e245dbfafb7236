//! Proving one claim: goals from its statement, derivations from the search, the verdict from the kernel.
//!
//! A probabilistic bound that is chosen among several after seeing the data must pay for all of them. A method picks by a rule
//! that does not look at values (the first theorem of the library that applies to some sample); without a method the probability
//! is shared among all theorems that some sample allows. The claim draws for each, so that the kernel charges them.

use super::Method;
use super::choice::{self, varies};
use super::search::{Candidate, Demand, Found, Obstacle, Search};
use super::vacuity::{Vacuity, vacuity};
use crate::kernel::check::{self, Checked, Claim, Statement, Verdict};
use crate::kernel::derive::{End, Step};
use crate::kernel::eval::EvalError;
use crate::kernel::term::{Formula, Relation, Term};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use std::collections::BTreeSet;

/// A bound that was found and not used.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub subject: Term,
    pub end: End,
    pub method: String,
    /// What tells it from other instances of the method: `p = l2`.
    pub instance: Option<String>,
    pub value: crate::kernel::value::Value,
}

/// What became of a claim.
#[derive(Default)]
pub struct Outcome {
    /// What the kernel was asked to decide.
    pub claim: Option<Claim>,
    pub checked: Option<Checked>,
    pub steps: Vec<Step>,
    /// The theorem or producer whose bound the claim uses.
    pub method: Option<String>,
    /// What tells it from other instances of the method.
    pub instance: Option<String>,
    pub notes: Vec<String>,
    pub others: Vec<Attempt>,
    /// Theorems that conclude such a bound and did not apply.
    pub obstacles: Vec<Obstacle>,
    /// The statement itself is undefined.
    pub error: Option<EvalError>,
    /// The kernel refused what the search had accepted.
    pub disagreement: Option<EvalError>,
    pub vacuity: Option<Vacuity>,
}

impl Outcome {
    pub fn verdict(&self) -> Verdict {
        self.checked.as_ref().map_or(Verdict::Unknown, Checked::verdict)
    }
}

/// The formula whose evaluation shows what a statement needs.
fn probe(statement: &Statement) -> Formula {
    match statement {
        Statement::Formula(formula) => formula.clone(),
        Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => {
            Formula::Compare(term.clone(), Relation::Le, Term::Infinity)
        }
    }
}

/// Which ends to ask for, in this order, until the claim is decided.
fn ends(statement: &Statement) -> &'static [End] {
    match statement {
        Statement::Upper(Term::Quantity(..)) => &[End::High],
        Statement::Lower(Term::Quantity(..)) => &[End::Low],
        // A difference is bounded above by its subtrahend's bound below.
        Statement::Lower(_) => &[End::Low, End::High],
        Statement::Formula(Formula::Compare(_, Relation::Ge | Relation::Gt, _)) => &[End::Low, End::High],
        _ => &[End::High, End::Low],
    }
}

/// Searches for a derivation and has the kernel decide. `failure` is what a probabilistic claim may draw.
pub fn prove(search: &Search, statement: &Statement, method: Option<&Method>, failure: &BigRational) -> Outcome {
    let stated = method.map(Method::stated).unwrap_or_default();
    let claim = Claim { statement: statement.clone(), failure: failure.clone(), draws: Vec::new(), stated };
    let mut outcome = Outcome { claim: Some(claim), ..Outcome::default() };
    let mut tried: BTreeSet<(Term, End)> = BTreeSet::new();
    let probe = probe(statement);
    for end in ends(statement) {
        let draws = outcome.claim.as_ref().map_or(0, |claim| claim.draws.len());
        let obstacles = outcome.obstacles.len();
        let kept = (outcome.steps.len(), outcome.notes.len(), outcome.others.len(), draws);
        // Establishing one quantity may show that another is needed.
        loop {
            let mut workspace = search.workspace_of(method);
            for step in &outcome.steps {
                if let Err(error) = workspace.apply(step) {
                    outcome.disagreement = Some(error);
                    return outcome;
                }
            }
            let missing = search.missing_goals(&workspace, &probe);
            let next = missing.into_iter().find(|goal| goal.1 == *end && !tried.contains(goal));
            let Some((subject, _)) = next else { break };
            tried.insert((subject.clone(), *end));
            let is_first = ends(statement).first() == Some(end);
            establish(search, &subject, (*end, is_first), method, failure, &mut outcome);
        }
        decide(search, &mut outcome);
        // Beside a bound on the side that the claim speaks of, what does not bound the other side says little.
        if matches!(statement, Statement::Formula(Formula::Compare(_, relation, _)) if *relation != Relation::Eq)
            && kept.0 > 0
        {
            outcome.obstacles.truncate(obstacles);
        }
        // Where the end tried last decides nothing and would overdraw, its steps are not paid for.
        let is_overdrawn = outcome.checked.as_ref().is_some_and(|checked| checked.spent() > *failure);
        if kept.0 > 0 && is_overdrawn && outcome.verdict() == Verdict::Unknown {
            outcome.steps.truncate(kept.0);
            outcome.notes.truncate(kept.1);
            outcome.others.truncate(kept.2);
            if let Some(claim) = &mut outcome.claim {
                claim.draws.truncate(kept.3);
            }
            decide(search, &mut outcome);
        }
        // `x in ?` asks for both ends, also where one of them is trivial: every norm is at least 0.
        let is_half = matches!(statement, Statement::Both(_)) && *end == End::High;
        if outcome.error.is_some() || outcome.verdict() != Verdict::Unknown && !is_half {
            break;
        }
    }
    if let (Some(claim), Some(checked)) = (&outcome.claim, &outcome.checked) {
        outcome.vacuity = vacuity(search, claim, checked, &outcome.steps);
    }
    outcome
}

fn decide(search: &Search, outcome: &mut Outcome) {
    let context = search.context();
    let Some(claim) = &outcome.claim else { return };
    match check::check(context.objects, context.theorems, context.structures, claim, &outcome.steps) {
        Ok(checked) => outcome.checked = Some(checked),
        Err(error) => outcome.error = Some(error),
    }
}

/// Finds bounds on one end of a quantity, the first that is asked for or the other, and adds the chosen derivation to the outcome.
fn establish(
    search: &Search,
    subject: &Term,
    (end, is_first): (End, bool),
    method: Option<&Method>,
    failure: &BigRational,
    outcome: &mut Outcome,
) {
    let demand = Demand { method: method.cloned(), failure: failure.clone() };
    let mut found = affordable(search, subject, end, demand.clone());
    // A method speaks of the side that it bounds; the other side is found by whatever there is.
    let is_other_side = end == End::Low && found.candidates.is_empty() && (found.obstacles.is_empty() || !is_first);
    let demand = if is_other_side { Demand { method: None, failure: BigRational::zero() } } else { demand };
    if is_other_side {
        found = search.bound(subject, end, &demand);
    }
    let obstacles = std::mem::take(&mut found.obstacles);
    let is_usable = |candidate: &Candidate| match end {
        End::Low => candidate.value.low_end().is_some(),
        End::High => candidate.value.high_end().is_some(),
    };
    let mut candidates: Vec<Candidate> = found.candidates.into_iter().filter(is_usable).collect();
    let is_certain = |candidate: &Candidate| candidate.draws.is_empty();
    if demand.method.is_some() {
        // A choice by value would have to pay for all.
        match choice::first(search.context(), &candidates, &obstacles) {
            Some(first) => candidates[..=first].rotate_right(1),
            None => candidates.retain(is_certain),
        }
    } else if candidates.iter().any(|candidate| !is_certain(candidate)) {
        let others: Vec<&Obstacle> = obstacles.iter().filter(|obstacle| varies(search.context(), obstacle)).collect();
        let uncertain = candidates.iter().filter(|candidate| !is_certain(candidate)).count();
        let share = failure / BigRational::from_integer(BigInt::from(uncertain + others.len()));
        if uncertain + others.len() > 1 {
            let shared = affordable(search, subject, end, Demand { method: None, failure: share.clone() });
            candidates = shared.candidates.into_iter().filter(is_usable).collect();
        }
        for candidate in candidates.iter().skip(1).filter(|candidate| !is_certain(candidate)) {
            append(outcome, candidate);
        }
        let draws = others.into_iter().map(|obstacle| choice::untaken(search.context(), obstacle, &share));
        if let Some(claim) = &mut outcome.claim {
            claim.draws.extend(draws);
        }
    }
    outcome.obstacles.extend(obstacles);
    let instances: Vec<Option<String>> = candidates.iter().map(|candidate| instance(candidate, &candidates)).collect();
    let mut candidates = candidates.into_iter().zip(instances);
    let Some((best, instance)) = candidates.next() else { return };
    append(outcome, &best);
    if outcome.method.is_none() || end == End::High {
        outcome.method = Some(best.method);
        outcome.instance = instance;
    }
    outcome.notes.extend(best.notes);
    outcome.others.extend(candidates.map(|(candidate, instance)| Attempt {
        subject: subject.clone(),
        end,
        method: candidate.method,
        instance,
        value: candidate.value,
    }));
}

/// Longest value that tells one instance of a theorem from another: beyond are numbers that nobody reads.
const TELLING: usize = 32;

/// The bindings of a candidate's theorem that other candidates by the same theorem choose differently: `p = l2`.
fn instance(candidate: &Candidate, all: &[Candidate]) -> Option<String> {
    let bindings = |candidate: &Candidate| match candidate.steps.last() {
        Some(Step::Theorem { bindings, .. }) => bindings.clone(),
        _ => Vec::new(),
    };
    let others: Vec<_> = all.iter().filter(|other| other.method == candidate.method).map(bindings).collect();
    let telling: Vec<String> = bindings(candidate)
        .into_iter()
        .filter(|binding| others.iter().any(|other| !other.contains(binding)))
        .map(|(parameter, term)| (parameter, term.to_string()))
        .filter(|(_, value)| value.len() <= TELLING)
        .map(|(parameter, value)| format!("{parameter} = {value}"))
        .collect();
    (!telling.is_empty()).then(|| telling.join(", "))
}

/// Candidates that spend no more than is allowed. A derivation with several events spends the probability several times at
/// first; then all of its events share.
fn affordable(search: &Search, subject: &Term, end: End, demand: Demand) -> Found {
    let found = search.bound(subject, end, &demand);
    let largest = found.candidates.iter().map(Candidate::spent).max();
    match largest {
        Some(spent) if spent > demand.failure && demand.failure.is_positive() => {
            let failure = &demand.failure * &demand.failure / spent;
            search.bound(subject, end, &Demand { failure, ..demand })
        }
        _ => found,
    }
}

/// Adds the steps of a candidate that are new, and draws for their events.
fn append(outcome: &mut Outcome, candidate: &Candidate) {
    for (i, step) in candidate.steps.iter().enumerate() {
        if outcome.steps.contains(step) {
            continue;
        }
        outcome.steps.push(step.clone());
        if let Some(claim) = &mut outcome.claim {
            claim.draws.extend(candidate.draws.iter().filter(|(place, _)| *place == i).map(|(_, draw)| draw.clone()));
        }
    }
}

/// One row of a `bounds` block.
pub struct Row {
    pub method: Method,
    pub outcome: Outcome,
}

/// Bounds a target by each method, every row drawing `failure` of its own.
pub fn bounds(search: &Search, target: &Term, methods: &[Method], failure: &BigRational) -> Vec<Row> {
    methods
        .iter()
        .map(|method| {
            let outcome = prove(search, &Statement::Upper(target.clone()), Some(method), failure);
            Row { method: method.clone(), outcome }
        })
        .collect()
}
