//! Drawing instances, deciding them with the kernel, reporting the first that fails.

use super::capacity::{self, Known, World};
use super::chance::{GIVEN, Model, Seen};
use crate::kernel::derive::{Theorems, Workspace, structures};
use crate::kernel::object::Objects;
use crate::kernel::real::Truth;
use crate::kernel::signature;
use crate::kernel::structure::Structure;
use crate::kernel::term::{Big, Formula, Op, Relation, Substitution, Term};
use crate::kernel::theorem::{Sort, Theorem};
use crate::kernel::value::Value;
use crate::lab::random::{Random, Stream};
use crate::point;
use crate::prove::STRUCTURAL;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// How long to search.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub instances: usize,
    pub seed: u64,
}

/// What the search found.
#[derive(Clone, Debug)]
pub enum Finding {
    /// An instance that meets the requirements and not the conclusion.
    Counterexample {
        /// Parameters with their values, and objects in words.
        instance: Vec<(String, String)>,
        /// The failing comparison, with the numbers put in.
        statement: String,
        /// How many instances were decided before.
        after: usize,
    },
    /// So many instances met the requirements, and the conclusion held in all.
    Survived { instances: usize },
    /// No instance could be decided: these quantities or properties cannot be computed here.
    OutOfReach { missing: BTreeSet<String> },
    /// The search was stopped.
    Stopped { instances: usize },
}

/// Looks for a counterexample. `step` is called before each instance with its number and the count; it stops the search by `false`.
pub fn falsify(theorem: &Theorem, options: &Options, step: &mut dyn FnMut(usize, usize) -> bool) -> Finding {
    let mut random = Random::new(options.seed, Stream::Other(7));
    let mut decided = 0;
    let mut missing = BTreeSet::new();
    let is_chance = capacity::mentions(theorem, "risk");
    for instance in 0..options.instances {
        if !step(instance, options.instances) {
            return Finding::Stopped { instances: decided };
        }
        let outcome = if is_chance { chance(theorem, &mut random) } else { capacity(theorem, &mut random) };
        match outcome {
            Outcome::Holds => decided += 1,
            Outcome::Skipped => {}
            Outcome::Missing(what) => {
                missing.insert(what);
            }
            Outcome::Fails { instance, statement } => {
                return Finding::Counterexample { instance, statement, after: decided };
            }
        }
    }
    if decided == 0 { Finding::OutOfReach { missing } } else { Finding::Survived { instances: decided } }
}

enum Outcome {
    Holds,
    /// The requirements are not met, or nothing can be decided.
    Skipped,
    Missing(String),
    Fails {
        instance: Vec<(String, String)>,
        statement: String,
    },
}

/// Replaces closed quantities by what is known of them exactly. A quantity that the kernel computes from the objects stays.
fn replaced(term: &Term, known: &dyn Fn(&str, &[Term]) -> Option<Term>, missing: &mut Option<String>) -> Term {
    let mut inner = |term: &Term| replaced(term, known, missing);
    match term {
        Term::Apply(op, arguments) => Term::Apply(*op, arguments.iter().map(inner).collect()),
        Term::Big { big, variable, from, to, body } => {
            let (from, to) = (inner(from), inner(to));
            match unrolled(*big, variable, &from, &to, body) {
                Some(term) => inner(&term),
                None => Term::Big {
                    big: *big,
                    variable: variable.clone(),
                    from: Box::new(from),
                    to: Box::new(to),
                    body: Box::new(inner(body)),
                },
            }
        }
        Term::Cases(branches) => {
            Term::Cases(branches.iter().map(|(condition, value)| (condition.clone(), inner(value))).collect())
        }
        Term::Quantity(head, arguments) if signature::quantity(head).is_some() => match known(head, &folded(arguments))
        {
            Some(value) => value,
            None => {
                if !is_computed(head) {
                    missing.get_or_insert_with(|| head.clone());
                }
                term.clone()
            }
        },
        other => other.clone(),
    }
}

/// A short sum or product over the layers, written out: what is known of a layer is known by its number.
fn unrolled(big: Big, variable: &str, from: &Term, to: &Term, body: &Term) -> Option<Term> {
    let (from, to) = (number(from)?.to_integer().to_i64()?, number(to)?.to_integer().to_i64()?);
    let op = match big {
        Big::Sum => Op::Add,
        Big::Prod => Op::Mul,
        Big::Max | Big::Min => return None,
    };
    let at = |i: i64| body.substitute(&Substitution::from([(variable.to_string(), Term::int(i))]));
    (from <= to && to - from < 8).then(|| Term::Apply(op, (from..=to).map(at).collect()))
}

/// Sums and products of numbers worked out.
fn number(term: &Term) -> Option<BigRational> {
    match term {
        Term::Number(q) => Some(q.clone()),
        Term::Apply(Op::Add, terms) => terms.iter().map(number).sum(),
        Term::Apply(Op::Mul, terms) => terms.iter().map(number).product(),
        Term::Apply(Op::Neg, terms) => number(terms.first()?).map(|q| -q),
        _ => None,
    }
}

/// Arguments with sums and products of numbers worked out: `growth(H, 2*m)`.
fn folded(arguments: &[Term]) -> Vec<Term> {
    arguments.iter().map(|argument| number(argument).map_or_else(|| argument.clone(), Term::Number)).collect()
}

/// Whether the kernel computes the quantity from the objects.
fn is_computed(head: &str) -> bool {
    STRUCTURAL.contains(&head) || matches!(head, "weight_norm" | "bias_norm" | "radius" | "dim")
}

/// A formula with its closed quantities replaced.
fn closed(formula: &Formula, known: &dyn Fn(&str, &[Term]) -> Option<Term>, missing: &mut Option<String>) -> Formula {
    let mut term = |term: &Term| replaced(term, known, missing);
    match formula {
        Formula::Compare(a, relation, b) => Formula::Compare(term(a), *relation, term(b)),
        Formula::Within(a, low, high) => Formula::Within(term(a), term(low), term(high)),
        Formula::ForAll { variable, from, to, body } => Formula::ForAll {
            variable: variable.clone(),
            from: term(from),
            to: term(to),
            body: Box::new(closed(body, known, missing)),
        },
        other => other.clone(),
    }
}

/// Numeric parameters that a requirement ties to a quantity, in the order of the requirements: `vcdim(H) <= d`, `samples(S) = m`.
fn ties(theorem: &Theorem) -> Vec<(String, Term)> {
    let is_number =
        |name: &str| theorem.parameters.iter().any(|(p, sort)| p == name && matches!(sort, Sort::Natural | Sort::Real));
    let mut ties: Vec<(String, Term)> = Vec::new();
    for requirement in &theorem.requires {
        if let Formula::Compare(quantity @ Term::Quantity(..), Relation::Le | Relation::Eq, Term::Name(name)) =
            requirement
            && is_number(name)
            && !ties.iter().any(|(known, _)| known == name)
        {
            ties.push((name.clone(), quantity.clone()));
        }
    }
    ties
}

/// The values of tied parameters; one in four is left to chance where the tie is an inequality.
fn tie(
    theorem: &Theorem,
    values: &mut Substitution,
    known: &dyn Fn(&str, &[Term]) -> Option<Term>,
    random: Option<&mut Random>,
) -> Option<String> {
    let mut loose =
        random.map(|random| (0..8).map(|_| random.below(4) == 0).collect::<Vec<bool>>()).unwrap_or_default();
    for (name, quantity) in ties(theorem) {
        if loose.pop().unwrap_or(false) {
            continue;
        }
        let Term::Quantity(head, arguments) = quantity.substitute(values) else { continue };
        match known(&head, &folded(&arguments)) {
            Some(value) => {
                values.insert(name, value);
            }
            None if is_computed(&head) => {}
            None => return Some(head),
        }
    }
    None
}

/// A workspace of its own for each instance.
fn with_workspace<T>(objects: &Objects, work: impl FnOnce(&Workspace) -> T) -> Option<T> {
    let structures: BTreeMap<String, Structure> = structures(objects).ok()?;
    let theorems = Theorems::new();
    Some(work(&Workspace::new(objects, &theorems, &structures)))
}

fn truth(workspace: &Workspace, formula: &Formula) -> Option<Truth> {
    workspace.decide(formula).ok().map(|(truth, _)| truth)
}

/// The ends of a value as exact numbers, where they are.
fn ends(value: &Value) -> Known {
    let number = |end: Option<&crate::kernel::surd::Surd>| end.and_then(|end| end.as_rational()).map(Term::Number);
    Known { low: number(value.low()), high: number(value.high()) }
}

/// One instance of a deterministic theorem.
fn capacity(theorem: &Theorem, random: &mut Random) -> Outcome {
    let Some(world) = World::draw(theorem, random) else {
        return Outcome::Missing("parameters of this kind".to_string());
    };
    let mut values: Substitution = world.values.clone();
    let exact = |head: &str, arguments: &[Term]| {
        let known = world.known(head, arguments);
        known.low.filter(|low| Some(low) == known.high.as_ref())
    };
    let decided = with_workspace(&world.objects, |workspace| {
        // A bound on what the kernel computes is tied to its upper end.
        let bound = |head: &str, arguments: &[Term]| match exact(head, arguments) {
            None if is_computed(head) => {
                let quantity = Term::Quantity(head.to_string(), arguments.to_vec());
                ends(&workspace.evaluate(&quantity).ok()?.0).high
            }
            value => value,
        };
        if let Some(head) = tie(theorem, &mut values, &bound, Some(random)) {
            return Outcome::Missing(head);
        }
        for requirement in &theorem.requires {
            let requirement = requirement.substitute(&values);
            if let Some((low, high, true)) = range(&requirement, &world) {
                if contains(&requirement, &low, &high, &exact, workspace) != Some(true) {
                    return Outcome::Skipped;
                }
                continue;
            }
            let mut missing = None;
            let formula = closed(&requirement, &exact, &mut missing);
            if let Some(head) = missing {
                return Outcome::Missing(head);
            }
            if truth(workspace, &formula) != Some(Truth::True) {
                return Outcome::Skipped;
            }
        }
        conclusion(&theorem.ensures.substitute(&values), &world, &exact, workspace)
    });
    match decided {
        Some(Outcome::Fails { statement, .. }) => {
            let instance = values
                .iter()
                .map(|(name, value)| (name.clone(), world.describe(name).unwrap_or_else(|| value.to_string())));
            Outcome::Fails { instance: instance.collect(), statement }
        }
        Some(outcome) => outcome,
        None => Outcome::Skipped,
    }
}

/// The ends of the range that a formula `range(N on X) in [a, b]` speaks of.
fn range(formula: &Formula, world: &World) -> Option<(BigRational, BigRational, bool)> {
    match formula {
        Formula::Within(Term::Quantity(head, map), ..) if head == "range" => world.range(map.first()?),
        _ => None,
    }
}

/// Whether the interval of a formula `.. in [a, b]` contains both numbers; `None` where that is not decided.
fn contains(
    formula: &Formula,
    low: &BigRational,
    high: &BigRational,
    exact: &dyn Fn(&str, &[Term]) -> Option<Term>,
    workspace: &Workspace,
) -> Option<bool> {
    let Formula::Within(_, from, to) = formula else { return None };
    let mut missing = None;
    let below = Formula::Compare(replaced(from, exact, &mut missing), Relation::Le, Term::Number(low.clone()));
    let above = Formula::Compare(Term::Number(high.clone()), Relation::Le, replaced(to, exact, &mut missing));
    match (truth(workspace, &below)?, truth(workspace, &above)?) {
        (Truth::True, Truth::True) => Some(true),
        (Truth::False, _) | (_, Truth::False) => Some(false),
        _ => None,
    }
}

/// The conclusion, with the end of its left side that can refute it and the end of its right side that the kernel would conclude.
fn conclusion(
    ensures: &Formula,
    world: &World,
    exact: &dyn Fn(&str, &[Term]) -> Option<Term>,
    workspace: &Workspace,
) -> Outcome {
    if let Some((low, high, is_exact)) = range(ensures, world) {
        return match contains(ensures, &low, &high, exact, workspace) {
            Some(true) => Outcome::Holds,
            Some(false) => {
                let word = if is_exact { "is" } else { "contains" };
                let statement = format!("the range {word} [{low}, {high}], the theorem says {ensures}");
                Outcome::Fails { instance: Vec::new(), statement }
            }
            None => Outcome::Skipped,
        };
    }
    let Formula::Compare(subject @ Term::Quantity(head, arguments), relation, right) = ensures else {
        return Outcome::Missing("conclusions of this form".to_string());
    };
    let mut missing = None;
    let right = replaced(right, exact, &mut missing);
    if let Some(head) = missing {
        return Outcome::Missing(head);
    }
    let mut left = world.known(head, arguments);
    if left.low.is_none() && left.high.is_none() && is_computed(head) {
        left = workspace.evaluate(subject).map_or_else(|_| Known::default(), |(value, _)| ends(&value));
    }
    let is_exact = left.low.is_some() && left.low == left.high;
    let mut sides: Vec<(Term, Relation)> = Vec::new();
    if matches!(relation, Relation::Le | Relation::Lt | Relation::Eq) {
        sides.extend(left.low.map(|low| (low, Relation::Le)));
    }
    if matches!(relation, Relation::Ge | Relation::Gt | Relation::Eq) {
        sides.extend(left.high.map(|high| (high, Relation::Ge)));
    }
    if sides.is_empty() {
        return Outcome::Missing(head.clone());
    }
    let Ok((right, _)) = workspace.evaluate(&right) else { return Outcome::Skipped };
    let mut outcome = Outcome::Skipped;
    for (side, relation) in sides {
        let Ok((value, _)) = workspace.evaluate(&side) else { continue };
        let truth = match relation {
            Relation::Le => right.high_end().map(|bound| value.le(&bound)),
            _ => right.low_end().map(|bound| bound.le(&value)),
        };
        match truth {
            Some(Truth::False) => {
                let is = match (is_exact, relation) {
                    (true, _) => "is",
                    (_, Relation::Le) => "is at least",
                    _ => "is at most",
                };
                let statement = format!("{subject} {is} {side}, the theorem says {relation} {}", right.describe());
                return Outcome::Fails { instance: Vec::new(), statement };
            }
            Some(Truth::True) => outcome = Outcome::Holds,
            _ => {}
        }
    }
    outcome
}

/// One instance of a theorem about samples.
fn chance(theorem: &Theorem, random: &mut Random) -> Outcome {
    let model = Model::draw(random);
    let mut free = Substitution::new();
    for (name, sort) in &theorem.parameters {
        let value = match sort {
            Sort::Natural => Term::int(i64::try_from(1 + random.below(6)).unwrap_or(1)),
            Sort::Real if name == "delta" => Term::Number(capacity::probability(random)),
            Sort::Real => Term::Number(capacity::positive(random)),
            Sort::Loss => Term::name("zero_one"),
            _ => Term::name(name),
        };
        free.insert(name.clone(), value);
    }
    let at_once = theorem.requires.iter().any(|requirement| {
        let text = requirement.to_string();
        text.starts_with("member(") || text.contains("code_length(")
    });
    // One event serves all posteriors.
    let at_once = at_once || theorem.parameters.iter().any(|(_, sort)| *sort == Sort::Law);
    let (missing, met) = (RefCell::new(None), RefCell::new(false));
    let verdicts: RefCell<BTreeMap<Seen, bool>> = RefCell::new(BTreeMap::new());
    let objects = Objects::proposing(point::propose);
    let failing = with_workspace(&objects, |workspace| {
        let fails = |seen: &Seen| {
            if let Some(verdict) = verdicts.borrow().get(seen) {
                return *verdict;
            }
            let verdict = match bound_fails(theorem, &model, seen, &free, workspace) {
                Ok(Some(verdict)) => {
                    *met.borrow_mut() = true;
                    verdict
                }
                Ok(None) => false,
                Err(what) => {
                    missing.borrow_mut().get_or_insert(what);
                    false
                }
            };
            verdicts.borrow_mut().insert(seen.clone(), verdict);
            verdict
        };
        let failing = model.failure(&fails, at_once);
        let allowed = theorem.failure.as_ref().map_or_else(
            || Some(BigRational::from_integer(0.into())),
            |failure| workspace.evaluate(&failure.substitute(&free)).ok()?.0.as_rational(),
        );
        allowed.map(|allowed| (failing, allowed))
    });
    if let Some(what) = missing.into_inner() {
        return Outcome::Missing(what);
    }
    match failing.flatten() {
        _ if !met.into_inner() => Outcome::Skipped,
        Some((failing, allowed)) if failing > allowed => {
            let mut instance = vec![("law".to_string(), model.describe())];
            let numbers = free.iter().filter(|(_, value)| matches!(value, Term::Number(_)));
            let tied = ties(theorem);
            let numbers = numbers.filter(|(name, _)| !tied.iter().any(|(tied, _)| tied == *name));
            instance.extend(numbers.map(|(name, value)| (name.clone(), value.to_string())));
            let statement = format!("the bound fails with probability {failing}, the theorem allows {allowed}");
            Outcome::Fails { instance, statement }
        }
        Some(_) => Outcome::Holds,
        None => Outcome::Skipped,
    }
}

/// Whether the bound fails for a predictor on a sample; `None` where the requirements are not met. Errors: what is not known.
fn bound_fails(
    theorem: &Theorem,
    model: &Model,
    seen: &Seen,
    free: &Substitution,
    workspace: &Workspace,
) -> Result<Option<bool>, String> {
    // A margin may be written as an expression.
    let exact = |argument: &Term| match argument {
        Term::Apply(..) => {
            workspace.evaluate(argument).ok().and_then(|(value, _)| value.as_rational()).map(Term::Number)
        }
        _ => None,
    };
    let known = |head: &str, arguments: &[Term]| {
        let arguments: Vec<Term> = arguments.iter().map(|a| exact(a).unwrap_or_else(|| a.clone())).collect();
        model.known(head, &arguments, seen)
    };
    // A number that is not exactly known is bounded by a rational one.
    let bound = |head: &str, arguments: &[Term]| match known(head, arguments) {
        Some(term @ Term::Apply(..)) => {
            let (value, _) = workspace.evaluate(&term).ok()?;
            value.enclosure().hi()?.to_rational().ok().map(Term::Number)
        }
        value => value,
    };
    let mut values = free.clone();
    if let Some(head) = tie(theorem, &mut values, &bound, None) {
        return Err(head);
    }
    for requirement in &theorem.requires {
        if let Formula::Holds(name, _) = requirement {
            if GIVEN.contains(&name.as_str()) {
                continue;
            }
            return Err(name.clone());
        }
        let mut missing = None;
        let formula = closed(&requirement.substitute(&values), &known, &mut missing);
        if let Some(head) = missing {
            return Err(head);
        }
        if truth(workspace, &formula) != Some(Truth::True) {
            return Ok(None);
        }
    }
    let mut missing = None;
    let formula = closed(&theorem.ensures.substitute(&values), &known, &mut missing);
    match (missing, truth(workspace, &formula)) {
        (Some(head), _) => Err(head),
        // A bound that cannot be told from the risk counts as kept.
        (None, verdict) => Ok(Some(verdict == Some(Truth::False))),
    }
}
