//! Backward search: which theorems and witnesses bound a quantity. Trust: untrusted; the kernel re-derives what is found.
//!
//! A goal is one end of one quantity. Candidates come from witness producers and from the theorems that conclude a bound on
//! it. A theorem's free parameters are chosen here (the kernel only substitutes): those tied to a quantity by an inequality
//! take the best bound found for it; the other natural parameters take the least value that meets the requirements, or, where
//! the requirements leave them free, the value with the best conclusion (a theorem whose conclusion holds for all values at
//! once may be used at a value chosen after seeing the data; a theorem for which that is false requires `fixed(..)`).

mod parameters;

use super::fold::{fold, guess};
use super::free::{follows, grid_value, is_free, least, least_natural, mentions, points, range_of};
use super::height::Height;
use super::method::Method;
use crate::kernel::check::Draw;
use crate::kernel::derive::{End, Step, Theorems, Workspace};
use crate::kernel::eval::{EvalError, Evaluation, Grounds};
use crate::kernel::intrinsic::has_sort;
use crate::kernel::object::{Object, Objects};
use crate::kernel::predicate::{self, Holding};
use crate::kernel::real::{Bits, Truth};
use crate::kernel::structure::Structure;
use crate::kernel::term::{Formula, Op, Relation, Substitution, Term};
use crate::kernel::theorem::{Sort, Theorem};
use crate::kernel::value::Value;
use crate::quantity::{Producers, Request};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{FromPrimitive, ToPrimitive, Zero};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Deepest chain of theorems.
const DEPTH_LIMIT: usize = 6;
/// Precision that decides most comparisons of a search.
const QUICK_BITS: Bits = 64;
/// Most members of a sum that the search writes out unasked. Longer ones are those of binomials, where Sauer and Shelah's closed form is
/// as good but for half of the logarithm of their number.
const MEMBER_LIMIT: i64 = 1024;
/// Largest natural parameter that the search tries.
const NATURAL_LIMIT_BITS: u64 = 100;

/// What the search works on.
pub struct Context<'a> {
    pub objects: &'a Objects,
    pub theorems: &'a Theorems,
    pub structures: &'a BTreeMap<String, Structure>,
    /// Former names by theorem, for methods.
    pub aliases: &'a BTreeMap<String, Vec<String>>,
    /// Theorems in the order of the library.
    pub order: &'a [String],
    pub producers: &'a dyn Producers,
}

impl Context<'_> {
    /// The place of a theorem in the library; producers come first.
    pub fn rank(&self, method: &str) -> usize {
        self.order.iter().position(|name| name == method).map_or(0, |position| position + 1)
    }
}

/// A way to bound a quantity: steps that the kernel accepted in order, the last on the goal itself.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub steps: Vec<Step>,
    pub value: Value,
    /// The last step's theorem or witness, in words.
    pub method: String,
    pub notes: Vec<String>,
    /// The events of the steps, with the places of those in `steps`.
    pub draws: Vec<(usize, Draw)>,
}

impl Candidate {
    /// The probability that the steps spend.
    pub fn spent(&self) -> BigRational {
        self.draws.iter().map(|(_, draw)| &draw.probability).sum()
    }
}

/// Why a theorem that concludes the goal did not apply.
#[derive(Clone, Debug)]
pub struct Obstacle {
    pub theorem: String,
    /// What was bound before anything was computed: objects, and numbers that a method states.
    pub bindings: Substitution,
    pub error: EvalError,
}

#[derive(Default)]
pub struct Found {
    /// Best first.
    pub candidates: Vec<Candidate>,
    pub obstacles: Vec<Obstacle>,
}

type Goal = (Term, End);

/// A derivation being put together: its steps, the facts they gave, and the goals that were tried for it.
struct Draft<'a, 'p> {
    workspace: Workspace<'a>,
    steps: Vec<Step>,
    tried: BTreeSet<Goal>,
    /// What the claim allows; goals inside the derivation draw on the same failure probability.
    demand: &'p Demand,
    /// The goals that led here, against circles.
    path: &'p mut Vec<Goal>,
}

pub struct Search<'a> {
    context: &'a Context<'a>,
    /// Every workspace of the search shares what was decided of the objects.
    root: Workspace<'a>,
    choices: Choices,
    /// The best candidate of goals met before, as steps or not, where no method or probability was involved.
    known: RefCell<BTreeMap<(Goal, bool), Option<Candidate>>>,
}

/// The objects that may stand for an open parameter, by its sort.
struct Choices {
    samples: Vec<Term>,
    laws: Vec<Term>,
    domains: Vec<Term>,
    /// Architectures and classes of the spec: what a network may belong to.
    classes: Vec<Term>,
}

impl Choices {
    fn of(objects: &Objects) -> Choices {
        let all = |property: &dyn Fn(&Object) -> bool| {
            let entries = objects.entries.iter().filter(|(_, entry)| property(&entry.object));
            entries.map(|(name, _)| Term::name(name)).collect()
        };
        Choices {
            samples: all(&|object| matches!(object, Object::Sample(sample) if sample.examples.is_some())),
            laws: all(&|object| matches!(object, Object::Law(_))),
            domains: all(&|object| matches!(object, Object::Domain(_))),
            classes: all(&|object| matches!(object, Object::Net(net) if net.network.is_none())),
        }
    }
}

/// What the claim allows at the top of the search.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    pub method: Option<Method>,
    /// Failure probability that the claim may draw.
    pub failure: BigRational,
}

/// Whether a goal is a step towards the same quantity of something else, as a Lipschitz constant in one norm is for another.
fn is_step(path: &[Goal], goal: &Goal) -> bool {
    let head = |goal: &Goal| match &goal.0 {
        Term::Quantity(head, _) => Some(head.clone()),
        _ => None,
    };
    path.iter().any(|above| head(above) == head(goal))
}

impl<'a> Search<'a> {
    pub fn new(context: &'a Context<'a>) -> Search<'a> {
        let root = Workspace::new(context.objects, context.theorems, context.structures);
        let choices = Choices::of(context.objects);
        Search { context, root, choices, known: RefCell::new(BTreeMap::new()) }
    }

    pub fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// A workspace without facts.
    pub fn workspace(&self) -> Workspace<'a> {
        self.root.renewed()
    }

    /// A workspace without facts for a claim by this method.
    pub fn workspace_of(&self, method: Option<&Method>) -> Workspace<'a> {
        self.workspace().stating(method.map(Method::stated).unwrap_or_default())
    }

    /// All ways found to bound one end of a quantity, best first.
    pub fn bound(&self, subject: &Term, end: End, demand: &Demand) -> Found {
        let found = self.bound_at(subject, end, demand, &mut Vec::new());
        // Later claims may need what this one asked for.
        if demand.method.is_none()
            && let Some(best) = found.candidates.iter().find(|candidate| candidate.draws.is_empty())
        {
            let goal = ((subject.clone(), end), false);
            self.known.borrow_mut().entry(goal).or_insert_with(|| Some(best.clone()));
        }
        found
    }

    fn bound_at(&self, subject: &Term, end: End, demand: &Demand, path: &mut Vec<Goal>) -> Found {
        let goal = (subject.clone(), end);
        let mut found = Found::default();
        if path.len() >= DEPTH_LIMIT || path.contains(&goal) {
            return found;
        }
        let quick = is_step(path, &goal);
        path.push(goal);
        let request = match &demand.method {
            Some(method) => {
                Request { method: Some(&method.name), options: &method.named, within: method.within, quick }
            }
            None => Request { quick, ..Request::default() },
        };
        for production in self.context.producers.produce(self.context.objects, subject, end, request) {
            let mut workspace = self.workspace();
            match workspace.apply(&production.step) {
                Ok(_) => found.candidates.extend(candidate(
                    &workspace,
                    vec![production.step],
                    production.method,
                    production.notes,
                )),
                Err(error) => {
                    let theorem = production.method;
                    found.obstacles.push(Obstacle { theorem, bindings: Substitution::new(), error });
                }
            }
        }
        if path.len() == 1
            && found.candidates.is_empty()
            && let Some(reason) = self.context.producers.why_not(self.context.objects, subject, end, request)
        {
            let theorem = demand.method.as_ref().map_or_else(|| subject.to_string(), |method| method.name.clone());
            let error = EvalError::Meaningless(reason);
            found.obstacles.push(Obstacle { theorem, bindings: Substitution::new(), error });
        }
        for theorem in self.context.theorems.values() {
            if let Some(method) = &demand.method {
                let aliases = self.context.aliases.get(&theorem.name).map_or(&[][..], Vec::as_slice);
                if !method.names(&theorem.name, aliases) {
                    continue;
                }
            }
            if !concludes(theorem, end) {
                continue;
            }
            let Some(mut bindings) = unify_conclusion(theorem, subject) else { continue };
            if demand.method.as_ref().is_some_and(|method| !self.bind_arguments(theorem, method, &mut bindings)) {
                continue;
            }
            for bindings in self.open_objects(theorem, bindings) {
                match self.complete(theorem, bindings.clone(), demand, path) {
                    Ok(candidate) => found.candidates.push(candidate),
                    Err(error) => {
                        found.obstacles.push(Obstacle { theorem: theorem.name.clone(), bindings, error });
                    }
                }
            }
        }
        path.pop();
        found.candidates.sort_by(|a, b| tighter(a, b, end));
        found
    }

    /// The best certain candidate for a goal inside a derivation, else the first that may fail: no method, remembered.
    fn best(&self, subject: &Term, end: End, failure: &BigRational, path: &mut Vec<Goal>) -> Option<Candidate> {
        let goal = (subject.clone(), end);
        let goal = (goal.clone(), is_step(path, &goal));
        if let Some(known) = self.known.borrow().get(&goal) {
            return known.clone();
        }
        let demand = Demand { method: None, failure: failure.clone() };
        let found = self.bound_at(subject, end, &demand, path);
        let best = match found.candidates.iter().find(|candidate| candidate.draws.is_empty()) {
            Some(certain) => Some(certain.clone()),
            None => super::choice::first(self.context, &found.candidates, &found.obstacles)
                .and_then(|first| found.candidates.get(first))
                .cloned(),
        };
        // What was found at a shallow depth without drawing on the failure probability holds anywhere.
        if best.as_ref().is_none_or(|candidate| candidate.draws.is_empty()) && path.len() <= DEPTH_LIMIT / 2 {
            self.known.borrow_mut().insert(goal, best.clone());
        }
        best
    }

    /// Puts a method's arguments into the theorem's parameters: by name, or by sort in the order written.
    fn bind_arguments(&self, theorem: &Theorem, method: &Method, bindings: &mut Substitution) -> bool {
        let workspace = self.workspace();
        let evaluation = Evaluation::new(&workspace, 64);
        for (name, term) in &method.named {
            let by_name = theorem.parameters.iter().find(|(parameter, _)| parameter == name);
            // `on: D.train` names the sample, whatever the theorem calls it.
            let target = by_name.or_else(|| {
                (name == "on").then(|| theorem.parameters.iter().find(|(_, sort)| *sort == Sort::Sample)).flatten()
            });
            match target {
                Some((parameter, _)) => {
                    if bindings.get(parameter).is_some_and(|bound| bound != term) {
                        return false;
                    }
                    bindings.insert(parameter.clone(), term.clone());
                }
                None => return false,
            }
        }
        for term in &method.positional {
            let open = theorem
                .parameters
                .iter()
                .find(|(parameter, sort)| !bindings.contains_key(parameter) && has_sort(&evaluation, term, *sort));
            match open {
                Some((parameter, _)) => {
                    bindings.insert(parameter.clone(), term.clone());
                }
                // An argument that the conclusion already fixed may be repeated.
                None if bindings.values().any(|bound| bound == term) => {}
                None => return false,
            }
        }
        true
    }

    /// Parameters that stand for objects and are still open: every object of the sort is tried.
    fn open_objects(&self, theorem: &Theorem, bindings: Substitution) -> Vec<Substitution> {
        let mut all = vec![bindings];
        for (parameter, sort) in &theorem.parameters {
            if all.first().is_none_or(|bindings| bindings.contains_key(parameter)) {
                continue;
            }
            let choices: Vec<Term> = match sort {
                Sort::Sample => self.choices.samples.clone(),
                Sort::Law => self.choices.laws.clone(),
                Sort::Domain => self.choices.domains.clone(),
                Sort::Net => self.choices.classes.clone(),
                Sort::Loss => vec![Term::name("zero_one")],
                Sort::Norm => ["l1", "l2", "linf"].iter().map(|norm| Term::name(norm)).collect(),
                _ => continue,
            };
            all = all
                .iter()
                .flat_map(|bindings| {
                    choices.iter().map(move |choice| {
                        let mut bindings = bindings.clone();
                        bindings.insert(parameter.clone(), choice.clone());
                        bindings
                    })
                })
                .collect();
        }
        all
    }

    /// Chooses what is open, establishes what is missing, and applies the theorem.
    fn complete(
        &self,
        theorem: &Theorem,
        mut bindings: Substitution,
        demand: &Demand,
        path: &mut Vec<Goal>,
    ) -> Result<Candidate, EvalError> {
        if let Some(method) = &demand.method {
            self.unseen(theorem, method, &bindings)?;
        }
        let workspace = self.workspace_of(demand.method.as_ref());
        let mut draft = Draft { workspace, steps: Vec::new(), tried: BTreeSet::new(), demand, path };
        if theorem.failure.is_some()
            && !demand.failure.is_zero()
            && theorem.parameters.iter().any(|(p, _)| p == "delta")
        {
            bindings.entry("delta".to_string()).or_insert_with(|| Term::Number(demand.failure.clone()));
        }
        self.tie_all(theorem, &mut bindings, &mut draft)?;
        draft.tried.clear();
        self.choose_naturals(theorem, &mut bindings, &mut draft)?;
        self.choose_free(theorem, &mut bindings, &mut draft);
        if let Some((parameter, _)) = theorem.parameters.iter().find(|(p, _)| !bindings.contains_key(p)) {
            let is_fixed = theorem.requires.iter().any(|requirement| {
                matches!(requirement, Formula::Holds(head, arguments)
                    if head == "fixed_before" && arguments.first() == Some(&Term::name(parameter)))
            });
            let hint = match parameter.as_str() {
                "delta" => "; write `with probability >= ...`".to_string(),
                _ if is_fixed => format!("; it must be chosen before the sample is seen: write `{parameter}: ...`"),
                _ => String::new(),
            };
            return Err(EvalError::Meaningless(format!(
                "expected a value for `{parameter}` of `{}`, found none{hint}",
                theorem.name
            )));
        }
        let conclusion = theorem.ensures.substitute(&bindings);
        if demand.method.is_none()
            && let Some(members) = longest(&conclusion).filter(|members| *members > MEMBER_LIMIT)
        {
            let found = format!("`{}` has a sum of {members} members here; ask for it with `by`", theorem.name);
            return Err(EvalError::TooLarge(found));
        }
        let requirements: Vec<Formula> = theorem.requires.iter().map(|r| r.substitute(&bindings)).collect();
        for requirement in &requirements {
            self.supply(requirement, &mut draft)?;
        }
        self.supply_conclusion(&conclusion, &mut draft)?;
        let step = Step::Theorem { name: theorem.name.clone(), bindings: bindings.into_iter().collect() };
        if let Err(error) = draft.workspace.apply(&step) {
            let is_open = matches!(error, EvalError::Requirement { refuted: false, .. });
            let refuted = is_open.then(|| self.refuted(theorem, &requirements, &draft.workspace)).flatten();
            return Err(refuted.unwrap_or(error));
        }
        draft.steps.push(step);
        candidate(&draft.workspace, draft.steps, theorem.name.clone(), Vec::new())
            .ok_or_else(|| EvalError::Meaningless(format!("`{}` bounds nothing here", theorem.name)))
    }

    /// Values that a theorem wants fixed before a sample, and that the claim states in words that speak of the sample: they are
    /// refused before they are computed. Errors: there is one.
    fn unseen(&self, theorem: &Theorem, method: &Method, bindings: &Substitution) -> Result<(), EvalError> {
        for requirement in &theorem.requires {
            let Formula::Holds(head, arguments) = requirement else { continue };
            let ("fixed_before", [Term::Name(parameter), Term::Name(sample)]) = (head.as_str(), arguments.as_slice())
            else {
                continue;
            };
            let (Some(stated), Some(Term::Name(sample))) = (method.argument(parameter), bindings.get(sample)) else {
                continue;
            };
            if let Ok(Holding::No(reason)) = predicate::unseen(self.context.objects, stated, sample) {
                return Err(EvalError::Requirement {
                    theorem: theorem.name.clone(),
                    formula: requirement.to_string(),
                    found: format!("`{stated}` was read off the sample: {reason}"),
                    refuted: true,
                });
            }
        }
        Ok(())
    }

    /// A requirement that is false says more than one that is not established. Independence is the first to be named.
    fn refuted(&self, theorem: &Theorem, instances: &[Formula], workspace: &Workspace) -> Option<EvalError> {
        let is_false = |instance: &Formula| matches!(workspace.decide(instance), Ok((Truth::False, _)));
        let is_provenance = |formula: &Formula| matches!(formula, Formula::Holds(head, _) if head == "independent");
        let mut pairs: Vec<(&Formula, &Formula)> = theorem.requires.iter().zip(instances).collect();
        pairs.sort_by_key(|(requirement, _)| !is_provenance(requirement));
        let (requirement, instance) = pairs.into_iter().find(|(_, instance)| is_false(instance))?;
        Some(EvalError::Requirement {
            theorem: theorem.name.clone(),
            formula: requirement.to_string(),
            found: workspace.describe(requirement, instance),
            refuted: true,
        })
    }

    /// Establishes the quantities that a formula needs and that no fact bounds yet.
    fn supply(&self, formula: &Formula, draft: &mut Draft<'a, '_>) -> Result<(), EvalError> {
        loop {
            let (truth, grounds) = match draft.workspace.decide(formula) {
                Ok(decided) => decided,
                // An unbounded quantity may leave a function's domain; what is missing is found by evaluating once more.
                Err(_) => (Truth::Unknown, missing(&draft.workspace, formula)),
            };
            if truth == Truth::True && grounds.missing.iter().all(|(_, end)| *end == End::Low) {
                return Ok(());
            }
            if !self.establish(&grounds.missing, draft) {
                return Ok(());
            }
        }
    }

    fn supply_conclusion(&self, conclusion: &Formula, draft: &mut Draft<'a, '_>) -> Result<(), EvalError> {
        let sides: Vec<&Term> = match conclusion {
            Formula::Compare(_, _, right) => vec![right],
            Formula::Within(_, low, high) => vec![low, high],
            _ => return Ok(()),
        };
        let definitions = &draft.workspace.objects().definitions;
        for side in sides.into_iter().filter(|side| asks(side, &|name| definitions.contains_key(name))) {
            loop {
                let probe = Formula::Compare(side.clone(), Relation::Le, Term::Infinity);
                let missing = missing(&draft.workspace, &probe).missing;
                if !self.establish(&missing, draft) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Adds the steps of the best candidate for every missing goal not tried yet; `false` when nothing was added.
    fn establish(&self, missing: &BTreeSet<Goal>, draft: &mut Draft<'a, '_>) -> bool {
        let mut progress = false;
        for (subject, end) in missing {
            if !draft.tried.insert((subject.clone(), *end)) {
                continue;
            }
            // A fact of this run may have bounded both ends at once.
            let is_bounded = draft.workspace.facts_on(subject).iter().any(|&i| {
                let value = &draft.workspace.facts()[i].value;
                match end {
                    End::Low => value.low_end().is_some(),
                    End::High => value.high_end().is_some(),
                }
            });
            if is_bounded {
                progress = true;
                continue;
            }
            let Some(candidate) = self.best(subject, *end, &draft.demand.failure, draft.path) else { continue };
            for step in candidate.steps {
                if !draft.steps.contains(&step) && draft.workspace.apply(&step).is_ok() {
                    draft.steps.push(step);
                    progress = true;
                }
            }
        }
        progress
    }

    /// The ends of quantities that a formula needs and no fact bounds.
    pub fn missing_goals(&self, workspace: &Workspace, formula: &Formula) -> BTreeSet<Goal> {
        missing(workspace, formula).missing
    }
}

/// Quantities that the kernel reads off an architecture.
pub const STRUCTURAL: [&str; 12] = [
    "params",
    "depth",
    "width",
    "hidden_width",
    "units",
    "input_dim",
    "output_dim",
    "layer_params",
    "params_upto",
    "layer_units",
    "breakpoints",
    "degree",
];

/// Whether an evaluation of the term may ask for a fact: it may speak of more than numbers and the structure of nets.
fn asks(term: &Term, is_defined: &dyn Fn(&str) -> bool) -> bool {
    match term {
        Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => false,
        Term::Name(name) => is_defined(name),
        Term::Apply(_, arguments) => arguments.iter().any(|argument| asks(argument, is_defined)),
        Term::Big { from, to, body, .. } => [from, to, body].into_iter().any(|part| asks(part, is_defined)),
        Term::Quantity(head, _) => !STRUCTURAL.contains(&head.as_str()),
        Term::Cases(_) => true,
    }
}

/// The most members of a sum in a bound, where both of its ends are stated.
fn longest(conclusion: &Formula) -> Option<i64> {
    fn of(term: &Term) -> Option<i64> {
        match term {
            Term::Apply(_, arguments) => arguments.iter().filter_map(of).max(),
            Term::Big { from, to, body, .. } => {
                let members = match (from.as_ref(), to.as_ref()) {
                    (Term::Number(from), Term::Number(to)) => (to - from).to_integer().to_i64(),
                    _ => None,
                };
                members.max(of(body))
            }
            _ => None,
        }
    }
    match conclusion {
        Formula::Compare(_, _, right) => of(right),
        _ => None,
    }
}

/// What an evaluation of the formula asks for, even where it ends in an error.
fn missing(workspace: &Workspace, formula: &Formula) -> Grounds {
    let mut evaluation = Evaluation::new(workspace, 64);
    let _ = evaluation.formula(formula);
    evaluation.grounds
}

fn candidate(workspace: &Workspace, steps: Vec<Step>, method: String, notes: Vec<String>) -> Option<Candidate> {
    let fact = workspace.facts().last()?;
    let mut draws = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        if let (Step::Theorem { name, bindings }, Some(q)) = (step, workspace.facts().get(i)?.events.get(&i)) {
            draws.push((i, Draw::of(workspace.theorems().get(name)?, bindings, q.clone())?));
        }
    }
    Some(Candidate { value: fact.value.clone(), steps, method, notes, draws })
}

/// Orders candidates by the end that the goal asks for; an absent end comes last.
fn tighter(a: &Candidate, b: &Candidate, end: End) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    // Rounded outward: two ends of which only one is known exactly compare all the same.
    let key = |candidate: &Candidate| match end {
        End::High => Height::of(&candidate.value),
        End::Low => Height::of(&candidate.value.neg()),
    };
    match (key(a), key(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn upper_rational(value: &Value) -> Option<BigRational> {
    match value.high() {
        Some(surd) if surd.as_rational().is_some() => surd.as_rational(),
        _ => value.enclosure().hi().and_then(|hi| hi.to_rational().ok()),
    }
}

/// Whether the conclusion bounds this end of its quantity.
fn concludes(theorem: &Theorem, end: End) -> bool {
    match &theorem.ensures {
        Formula::Compare(_, Relation::Le | Relation::Lt, _) => end == End::High,
        Formula::Compare(_, Relation::Ge | Relation::Gt, _) => end == End::Low,
        Formula::Compare(_, Relation::Eq, _) | Formula::Within(..) => true,
        _ => false,
    }
}

/// Binds the parameters in the conclusion's quantity so that it becomes the subject.
fn unify_conclusion(theorem: &Theorem, subject: &Term) -> Option<Substitution> {
    let (Formula::Compare(pattern, ..) | Formula::Within(pattern, ..)) = &theorem.ensures else {
        return None;
    };
    let mut bindings = Substitution::new();
    unify(pattern, subject, theorem, &mut bindings).then_some(bindings)
}

fn unify(pattern: &Term, term: &Term, theorem: &Theorem, bindings: &mut Substitution) -> bool {
    match (pattern, term) {
        (Term::Name(name), _) if theorem.parameters.iter().any(|(parameter, _)| parameter == name) => {
            match bindings.get(name) {
                Some(bound) => bound == term,
                None => {
                    bindings.insert(name.clone(), term.clone());
                    true
                }
            }
        }
        (Term::Quantity(head, arguments), Term::Quantity(other, others)) => {
            head == other
                && arguments.len() == others.len()
                && arguments.iter().zip(others).all(|(a, b)| unify(a, b, theorem, bindings))
        }
        _ => pattern == term,
    }
}
