//! Facts and the steps that establish them. Trust: kernel.
//!
//! A step applies a theorem, or checks a witness for a quantity. The fact it yields is an enclosure of one quantity, with
//! everything it rests on: the events that may fail and their probabilities, assumptions, theorems, earlier facts.

pub use super::eval::End;
use super::eval::{EvalError, Evaluation, Grounds};
use super::intrinsic;
use super::object::{Object, Objects, Sample};
use super::real::{Bits, Dyadic, Question, Truth};
use super::signature::{self, Codomain};
use super::structure::Structure;
use super::term::{Formula, Relation, Substitution, Term};
use super::theorem::{Status, Theorem};
use super::value::Value;
use super::witness::{self, Witness};
use num_rational::BigRational;
use num_traits::{One, Zero};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Working precisions, tried in turn until a requirement is decided.
pub const PRECISIONS: [Bits; 4] = [128, 256, 1024, 4096];

/// One step of a derivation. Theorems are named; the kernel has their statements.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Theorem { name: String, bindings: Vec<(String, Term)> },
    Witness { subject: Term, witness: Witness },
}

#[derive(Clone, Debug)]
pub struct Fact {
    /// The quantity, with canonical arguments.
    pub subject: Term,
    pub value: Value,
    /// What the step was, in words: a theorem's name, or the kind of witness.
    pub rule: String,
    /// Events that may fail, by the step that introduced them.
    pub events: BTreeMap<usize, BigRational>,
    pub assumptions: BTreeSet<String>,
    pub undischarged: BTreeSet<String>,
    /// Data sets whose laws the derivation so far speaks of: those of its i.i.d. samples.
    pub populations: BTreeSet<String>,
    /// Theorems used here and above, with their status.
    pub theorems: BTreeMap<String, Status>,
    /// Facts that this one uses directly.
    pub premises: BTreeSet<usize>,
    /// The theorem's requirements, instantiated.
    pub requirements: Vec<Formula>,
    /// The theorem's conclusion, instantiated; `None` for a witness.
    pub conclusion: Option<Formula>,
}

/// The statements that the kernel may use, by name.
pub type Theorems = BTreeMap<String, Theorem>;

pub struct Workspace<'o> {
    objects: &'o Objects,
    theorems: &'o Theorems,
    structures: &'o BTreeMap<String, Structure>,
    /// Values that the claim states for parameters of theorems, by name.
    stated: BTreeMap<String, Term>,
    facts: Vec<Fact>,
    index: BTreeMap<Term, Vec<usize>>,
    /// Points that inverses were checked at.
    points: RefCell<BTreeMap<Question, Dyadic>>,
    /// Comparisons that rest on the objects alone. INVARIANT: shared by workspaces on the same objects only, which they borrow.
    truths: Rc<RefCell<BTreeMap<Formula, Truth>>>,
    /// Sides of conclusions that rest on the objects alone. INVARIANT: as for `truths`.
    sides: Rc<RefCell<BTreeMap<Term, Value>>>,
}

/// The structure of every net of the spec. Errors: an architecture that is not well formed.
pub fn structures(objects: &Objects) -> Result<BTreeMap<String, Structure>, EvalError> {
    let mut structures = BTreeMap::new();
    for (name, entry) in &objects.entries {
        if let Object::Net(net) = &entry.object {
            let structure = Structure::of(&net.architecture)
                .map_err(|error| EvalError::Meaningless(format!("`{name}` is not well formed: {error}")))?;
            structures.insert(name.clone(), structure);
        }
    }
    Ok(structures)
}

impl<'o> Workspace<'o> {
    pub fn new(
        objects: &'o Objects,
        theorems: &'o Theorems,
        structures: &'o BTreeMap<String, Structure>,
    ) -> Workspace<'o> {
        let (stated, facts, index, points, truths, sides) = Default::default();
        Workspace { objects, theorems, structures, stated, facts, index, points, truths, sides }
    }

    /// A workspace on the same objects, without facts, that shares what was decided of them.
    pub fn renewed(&self) -> Workspace<'o> {
        let (truths, sides) = (self.truths.clone(), self.sides.clone());
        Workspace { truths, sides, ..Workspace::new(self.objects, self.theorems, self.structures) }
    }

    /// The same workspace for a claim that states these values.
    pub fn stating(self, stated: BTreeMap<String, Term>) -> Workspace<'o> {
        Workspace { stated, ..self }
    }

    pub fn stated(&self) -> &BTreeMap<String, Term> {
        &self.stated
    }

    pub fn objects(&self) -> &'o Objects {
        self.objects
    }

    pub fn theorems(&self) -> &'o Theorems {
        self.theorems
    }

    /// The point that answers a question, kept for the record.
    pub(super) fn point(&self, question: &Question) -> Option<Dyadic> {
        let point = self.objects.points.at(question)?;
        self.points.borrow_mut().insert(question.clone(), point.clone());
        Some(point)
    }

    /// The points that inverses were checked at.
    pub(super) fn into_points(self) -> BTreeMap<Question, Dyadic> {
        self.points.into_inner()
    }

    pub fn structure(&self, net: &str) -> Option<&'o Structure> {
        self.structures.get(net)
    }

    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    pub fn facts_on(&self, subject: &Term) -> &[usize] {
        self.index.get(subject).map_or(&[], Vec::as_slice)
    }

    /// Establishes the fact of a step and returns its index. Errors: the step does not establish anything.
    pub fn apply(&mut self, step: &Step) -> Result<usize, EvalError> {
        let fact = match step {
            Step::Theorem { name, bindings } => self.theorem(name, bindings)?,
            Step::Witness { subject, witness } => self.witness(subject, witness)?,
        };
        let index = self.facts.len();
        self.index.entry(fact.subject.clone()).or_default().push(index);
        self.facts.push(fact);
        Ok(index)
    }

    /// Forgets the facts from `length` on: for a search that proposed them and goes another way.
    pub fn truncate(&mut self, length: usize) {
        self.facts.truncate(length);
        for facts in self.index.values_mut() {
            facts.retain(|&i| i < length);
        }
    }

    fn witness(&self, subject: &Term, witness: &Witness) -> Result<Fact, EvalError> {
        let Term::Quantity(head, arguments) = subject else {
            return Err(EvalError::Meaningless(format!("expected a quantity, found `{subject}`")));
        };
        let mut evaluation = Evaluation::new(self, PRECISIONS[0]);
        let subject = evaluation.canonical_quantity(head, arguments)?;
        let value = witness::check(&mut evaluation, &subject, witness)?;
        let value = within_codomain(&subject, value, PRECISIONS[0])?;
        let grounds = evaluation.grounds;
        let mut fact = self.resting_on(&grounds, subject, value);
        fact.rule = witness.name().to_string();
        Ok(fact)
    }

    fn theorem(&self, name: &str, bindings: &[(String, Term)]) -> Result<Fact, EvalError> {
        let Some(theorem) = self.theorems.get(name) else {
            return Err(EvalError::Meaningless(format!("expected a theorem of the library, found `{name}`")));
        };
        let substitution = self.bind(theorem, bindings)?;
        let mut grounds = Grounds::default();
        let mut populations = BTreeSet::new();
        let mut requirements = Vec::with_capacity(theorem.requires.len());
        for requirement in &theorem.requires {
            let instance = requirement.substitute(&substitution);
            let (truth, used) = self.decide(&instance)?;
            if truth != Truth::True {
                return Err(EvalError::Requirement {
                    theorem: name.to_string(),
                    found: self.describe(requirement, &instance),
                    formula: requirement.to_string(),
                    refuted: truth == Truth::False,
                });
            }
            grounds.absorb(used);
            populations.extend(self.populations(&instance));
            requirements.push(instance);
        }
        let conclusion = theorem.ensures.substitute(&substitution);
        let (subject, value) = self.conclude(&conclusion, &mut grounds)?;
        let mut fact = self.resting_on(&grounds, subject, value);
        if let Some(failure) = &theorem.failure {
            let failure = self.probability(&failure.substitute(&substitution))?;
            // The index of this step names the event.
            fact.events.insert(self.facts.len(), failure);
        }
        fact.populations.extend(populations);
        fact.rule = name.to_string();
        fact.theorems.insert(name.to_string(), theorem.status);
        fact.requirements = requirements;
        fact.conclusion = Some(conclusion);
        Ok(fact)
    }

    /// Every parameter bound once, to a canonical term of its sort.
    fn bind(&self, theorem: &Theorem, bindings: &[(String, Term)]) -> Result<Substitution, EvalError> {
        let mut evaluation = Evaluation::new(self, PRECISIONS[0]);
        let mut substitution = Substitution::new();
        for (parameter, sort) in &theorem.parameters {
            let mut found = bindings.iter().filter(|(name, _)| name == parameter);
            let (Some((_, term)), None) = (found.next(), found.next()) else {
                return Err(EvalError::Meaningless(format!(
                    "expected one value for `{parameter}` of `{}`, found none or several",
                    theorem.name
                )));
            };
            let term = evaluation.canonical(term)?;
            if !intrinsic::has_sort(&evaluation, &term, *sort) {
                return Err(EvalError::Meaningless(format!(
                    "expected a value of sort {sort:?} for `{parameter}` of `{}`, found `{term}`",
                    theorem.name
                )));
            }
            self.stated_where_fixed(theorem, parameter, &term)?;
            substitution.insert(parameter.clone(), term);
        }
        if bindings.iter().any(|(name, _)| !substitution.contains_key(name)) {
            return Err(EvalError::Meaningless(format!("a value for no parameter of `{}`", theorem.name)));
        }
        Ok(substitution)
    }

    /// A parameter that is fixed before a sample has the value that the claim states under its name: what only a derivation
    /// brings along may have been read off the sample. Errors: another value, or none stated.
    fn stated_where_fixed(&self, theorem: &Theorem, parameter: &str, value: &Term) -> Result<(), EvalError> {
        let is_fixed = |requirement: &&Formula| {
            matches!(requirement, Formula::Holds(head, arguments)
                if head == "fixed_before" && arguments.first() == Some(&Term::name(parameter)))
        };
        let Some(requirement) = theorem.requires.iter().find(is_fixed) else { return Ok(()) };
        let stated = match self.stated.get(parameter) {
            Some(stated) => Some(Evaluation::new(self, PRECISIONS[0]).canonical(stated)?),
            None => None,
        };
        if stated.as_ref() == Some(value) {
            return Ok(());
        }
        let found = match stated {
            Some(stated) => format!("the claim states {parameter} = {stated}, and {value} was used"),
            None => format!("no claim states `{parameter}`, and {value} may have been read off the sample"),
        };
        Err(EvalError::Requirement {
            theorem: theorem.name.clone(),
            formula: requirement.to_string(),
            found,
            refuted: true,
        })
    }

    /// The truth of a closed formula at rising precision, and what it rests on.
    pub fn decide(&self, formula: &Formula) -> Result<(Truth, Grounds), EvalError> {
        let is_kept = matches!(formula, Formula::Compare(..)) && self.stated.is_empty();
        if is_kept && let Some(truth) = self.truths.borrow().get(formula) {
            return Ok((*truth, Grounds::default()));
        }
        let mut last = (Truth::Unknown, Grounds::default());
        for bits in PRECISIONS {
            let mut evaluation = Evaluation::new(self, bits);
            let truth = evaluation.formula(formula)?;
            last = (truth, evaluation.grounds);
            if truth != Truth::Unknown {
                break;
            }
        }
        // A comparison that rests on nothing is one of numbers and of what the objects are: no fact changes it. (Facts that were looked
        // for and not found are grounds too.)
        if is_kept && last.1 == Grounds::default() {
            self.truths.borrow_mut().insert(formula.clone(), last.0);
        }
        Ok(last)
    }

    /// An enclosure of a closed term, and what it rests on.
    pub fn evaluate(&self, term: &Term) -> Result<(Value, Grounds), EvalError> {
        let mut evaluation = Evaluation::new(self, PRECISIONS[1]);
        let value = evaluation.term(term)?;
        Ok((value, evaluation.grounds))
    }

    fn conclude(&self, conclusion: &Formula, grounds: &mut Grounds) -> Result<(Term, Value), EvalError> {
        let bits = PRECISIONS[1];
        let mut evaluation = Evaluation::new(self, bits);
        let (left, value) = match conclusion {
            Formula::Compare(left, relation, right) => {
                let right = self.side(&mut evaluation, right)?;
                let value = match relation {
                    Relation::Le | Relation::Lt => right.lower_unbounded(),
                    Relation::Ge | Relation::Gt => right.upper_unbounded(),
                    Relation::Eq => right,
                };
                (left, value)
            }
            Formula::Within(left, low, high) => {
                let (low, high) = (self.side(&mut evaluation, low)?, self.side(&mut evaluation, high)?);
                (left, Value::between(&low, &high)?)
            }
            other => return Err(EvalError::Meaningless(format!("expected a bound on a quantity, found `{other}`"))),
        };
        let Term::Quantity(head, arguments) = left else {
            return Err(EvalError::Meaningless(format!("expected a quantity on the left, found `{left}`")));
        };
        let subject = evaluation.canonical_quantity(head, arguments)?;
        grounds.absorb(evaluation.grounds);
        Ok((subject.clone(), within_codomain(&subject, value, bits)?))
    }

    /// The value of a side of a conclusion. One that rests on nothing is a number, or read off the objects: no fact changes it.
    fn side(&self, evaluation: &mut Evaluation, side: &Term) -> Result<Value, EvalError> {
        let is_kept = self.stated.is_empty();
        if is_kept && let Some(value) = self.sides.borrow().get(side) {
            return Ok(value.clone());
        }
        let value = evaluation.term(side)?;
        if is_kept && evaluation.grounds == Grounds::default() {
            self.sides.borrow_mut().insert(side.clone(), value.clone());
        }
        Ok(value)
    }

    /// A probability in (0, 1), exactly known from the objects alone: a fact could be known with a probability only.
    fn probability(&self, term: &Term) -> Result<BigRational, EvalError> {
        let (value, grounds) = self.evaluate(term)?;
        if !grounds.facts.is_empty() {
            return Err(EvalError::Undefined(format!("expected a probability that rests on no fact, found `{term}`")));
        }
        value.as_rational().filter(|q| *q > BigRational::zero() && *q < BigRational::one()).ok_or_else(|| {
            EvalError::Undefined(format!("expected an exact probability strictly between 0 and 1, found `{term}`"))
        })
    }

    fn resting_on(&self, grounds: &Grounds, subject: Term, value: Value) -> Fact {
        let mut fact = Fact {
            subject,
            value,
            rule: String::new(),
            events: BTreeMap::new(),
            assumptions: grounds.assumptions.clone(),
            undischarged: grounds.undischarged.clone(),
            populations: BTreeSet::new(),
            theorems: BTreeMap::new(),
            premises: grounds.facts.clone(),
            requirements: Vec::new(),
            conclusion: None,
        };
        for &i in &grounds.facts {
            let premise = &self.facts[i];
            fact.events.extend(premise.events.iter().map(|(step, q)| (*step, q.clone())));
            fact.assumptions.extend(premise.assumptions.iter().cloned());
            fact.undischarged.extend(premise.undischarged.iter().cloned());
            fact.populations.extend(premise.populations.iter().cloned());
            fact.theorems.extend(premise.theorems.iter().map(|(name, status)| (name.clone(), *status)));
        }
        fact
    }

    /// The data sets whose laws a requirement `iid(S)` speaks of.
    fn populations(&self, requirement: &Formula) -> BTreeSet<String> {
        match requirement {
            Formula::Holds(name, arguments) if name == "iid" => match arguments.as_slice() {
                [Term::Name(sample)] => self.objects.sample(sample).map(Sample::populations).unwrap_or_default(),
                _ => BTreeSet::new(),
            },
            Formula::And(parts) => parts.iter().flat_map(|part| self.populations(part)).collect(),
            _ => BTreeSet::new(),
        }
    }

    /// Both sides of a failed requirement, for the message: `d = 11, m = 10`. A number that stands in the requirement itself
    /// is not repeated.
    pub fn describe(&self, requirement: &Formula, instance: &Formula) -> String {
        let show = |written: &Term, term: &Term| match (written, term) {
            (Term::Number(_), _) => None,
            (Term::Name(parameter), Term::Number(q)) => Some(format!("{parameter} = {q}")),
            _ => Some(match self.evaluate(term) {
                Ok((value, _)) => format!("`{term}` is {}", value.describe()),
                Err(error) => error.to_string(),
            }),
        };
        match (requirement, instance) {
            (Formula::Compare(left, _, right), Formula::Compare(a, _, b)) => {
                let sides: Vec<String> = [show(left, a), show(right, b)].into_iter().flatten().collect();
                sides.join(", ")
            }
            (Formula::Within(left, ..), Formula::Within(a, ..)) => show(left, a).unwrap_or_default(),
            (_, Formula::Holds(name, arguments)) => {
                let evaluation = Evaluation::new(self, PRECISIONS[0]);
                match super::predicate::decide(&evaluation, name, arguments) {
                    Ok(super::predicate::Holding::No(reason)) => reason,
                    Ok(_) => instance.to_string(),
                    Err(error) => error.to_string(),
                }
            }
            _ => format!("`{instance}`"),
        }
    }
}

/// Cuts a value to what the quantity can be: integers are rounded inward.
fn within_codomain(subject: &Term, value: Value, bits: Bits) -> Result<Value, EvalError> {
    let Term::Quantity(head, _) = subject else { return Ok(value) };
    match signature::quantity(head).map(|q| q.codomain) {
        Some(Codomain::Natural) => Ok(value.inner_integers(bits)?),
        _ => Ok(value),
    }
}
