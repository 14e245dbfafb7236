//! Choices among bounds that may fail: by rules that are fixed before the sample is seen. Trust: untrusted; the kernel charges what
//! the claim draws.
//!
//! Let the sample decide which of two bounds is used, each failing with probability `q`: the choice may fail with probability
//! `2 q`, even where the sample decides only which of them applies. So the first bound in a fixed order is used that applies to *some*
//! sample; where it does not apply to this one, there is none.

use super::search::{Candidate, Context, Obstacle};
use crate::kernel::check::Draw;
use crate::kernel::derive::Step;
use crate::kernel::eval::EvalError;
use crate::kernel::object::{Object, Objects};
use crate::kernel::signature::predicate;
use crate::kernel::term::{Formula, Relation, Substitution, Term};
use crate::kernel::theorem::{Sort, Theorem};
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};

/// The place of a bound in the fixed order: its theorem's place in the library, the number of constraints on its classes (every
/// network belongs to its architecture, and to a class only with luck), the names of its objects.
type Place = (usize, usize, BTreeMap<String, String>);

/// The index of the first bound that may fail, unless a sample-dependent obstacle comes before it.
pub fn first(context: &Context, candidates: &[Candidate], obstacles: &[Obstacle]) -> Option<usize> {
    let uncertain = candidates.iter().enumerate().filter(|(_, candidate)| !candidate.draws.is_empty());
    let (place, first) = uncertain.map(|(i, candidate)| (place(context, candidate), i)).min()?;
    let missed = obstacles.iter().filter(|obstacle| varies(context, obstacle));
    let is_first = missed.map(|o| spot(context, &o.theorem, &o.bindings)).all(|other| place < other);
    is_first.then_some(first)
}

fn place(context: &Context, candidate: &Candidate) -> Place {
    match candidate.steps.last() {
        Some(Step::Theorem { name, bindings }) => spot(context, name, &bindings.iter().cloned().collect()),
        _ => (0, 0, BTreeMap::new()),
    }
}

fn spot(context: &Context, theorem: &str, bindings: &Substitution) -> Place {
    let sort =
        |name: &str| context.theorems.get(theorem)?.parameters.iter().find(|(p, _)| p == name).map(|(_, sort)| *sort);
    let is_object = |name: &str| !matches!(sort(name), Some(Sort::Natural | Sort::Real) | None);
    let objects = bindings.iter().filter(|(name, _)| is_object(name));
    let names: BTreeMap<String, String> = objects.map(|(name, term)| (name.clone(), term.to_string())).collect();
    let classes = names.values().filter_map(|name| context.objects.net(name));
    (context.rank(theorem), classes.map(|class| class.constraints.len()).sum(), names)
}

/// What a claim draws for a bound that this sample did not allow.
pub fn untaken(context: &Context, obstacle: &Obstacle, share: &BigRational) -> Draw {
    let (.., names) = spot(context, &obstacle.theorem, &obstacle.bindings);
    let is_object = |(name, _): &(&String, &Term)| names.contains_key(*name);
    let objects = obstacle.bindings.iter().filter(is_object).map(|(name, term)| (name.clone(), term.clone()));
    Draw { theorem: obstacle.theorem.clone(), objects: objects.collect(), probability: share.clone() }
}

/// Whether a theorem with an event failed for a reason that another sample might not have given.
pub fn varies(context: &Context, obstacle: &Obstacle) -> bool {
    let Some(theorem) = context.theorems.get(&obstacle.theorem).filter(|theorem| theorem.failure.is_some()) else {
        return false;
    };
    match &obstacle.error {
        EvalError::Requirement { formula, .. } => {
            let failed = theorem.requires.iter().find(|requirement| requirement.to_string() == *formula);
            failed.is_none_or(|failed| depends(context.objects, theorem, &obstacle.bindings, failed))
        }
        EvalError::Undefined(_) | EvalError::TooLarge(_) => true,
        EvalError::Meaningless(_) | EvalError::Witness(_) => false,
    }
}

/// Whether a requirement's truth may depend on the sample: it speaks of an example, of a network with weights, or of a number that
/// another requirement ties to these.
fn depends(objects: &Objects, theorem: &Theorem, bindings: &Substitution, requirement: &Formula) -> bool {
    // Properties speak of structure and provenance; a member of a class has norms, which come from training.
    if let Formula::Holds(head, arguments) = &requirement.substitute(bindings)
        && predicate(head).is_some()
    {
        let net = |i: usize| match arguments.get(i) {
            Some(Term::Name(name)) => objects.net(name),
            _ => None,
        };
        let architectures = net(0).zip(net(1)).map(|(f, class)| f.architecture == class.architecture);
        return head == "member" && architectures != Some(false);
    }
    let is_random = |name: &String| match bindings.get(name) {
        Some(term) => {
            let mut names = BTreeSet::new();
            term.names(&mut names);
            names.iter().filter_map(|name| objects.entries.get(name)).any(|entry| match &entry.object {
                Object::Net(net) => net.network.is_some(),
                Object::Sample(_) | Object::Law(_) => true,
                Object::Domain(_) => false,
            })
        }
        None => false,
    };
    let mut random: BTreeSet<String> =
        theorem.parameters.iter().map(|(name, _)| name.clone()).filter(is_random).collect();
    loop {
        let before = random.len();
        for tie in &theorem.requires {
            // The size of a sample is part of the setting.
            let is_size =
                matches!(tie, Formula::Compare(Term::Quantity(head, _), Relation::Eq, _) if head == "samples");
            let mut names = BTreeSet::new();
            tie.names(&mut names);
            if is_size || matches!(tie, Formula::Holds(..)) || names.is_disjoint(&random) {
                continue;
            }
            let open = theorem.parameters.iter().filter(|(name, sort)| {
                matches!(sort, Sort::Natural | Sort::Real) && names.contains(name) && !bindings.contains_key(name)
            });
            random.extend(open.map(|(name, _)| name.clone()));
        }
        if random.len() == before {
            break;
        }
    }
    let mut names = BTreeSet::new();
    requirement.names(&mut names);
    !names.is_disjoint(&random)
}
