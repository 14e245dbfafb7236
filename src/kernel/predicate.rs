//! Properties of objects: decided from structure, or from provenance and declared assumptions. Trust: kernel.

use super::eval::{EvalError, Evaluation};
use super::intrinsic::{structure, symbol};
use super::law;
use super::net::{Activation, Op};
use super::object::{AssumptionKind, Constraint, Dependence, Noise, Objects, Origin, Part};
use super::readout::Readout;
use super::signature;
use super::term::{Formula, Relation, Term};
use num_bigint::BigInt;
use num_rational::BigRational;
use std::collections::BTreeSet;

/// Whether a property holds, and on what it rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holding {
    Yes,
    /// By an assumption that the spec declares or that the construction of the object implies, in words.
    Assumed(String),
    /// Nothing establishes it and nothing declares it: the result is proved modulo this condition.
    Undischarged(String),
    /// It fails, for this reason.
    No(String),
}

fn yes_if(condition: bool, reason: impl FnOnce() -> String) -> Holding {
    if condition { Holding::Yes } else { Holding::No(reason()) }
}

/// Decides a property. Errors: an unknown property or an argument of another sort.
pub fn decide(evaluation: &Evaluation, name: &str, arguments: &[Term]) -> Result<Holding, EvalError> {
    let Some(predicate) = signature::predicate(name) else {
        return Err(EvalError::Meaningless(format!("expected a property, found `{name}(..)`")));
    };
    if predicate.arguments.len() != arguments.len() {
        return Err(EvalError::Meaningless(format!(
            "expected {} argument(s) for `{name}`, found {}",
            predicate.arguments.len(),
            arguments.len()
        )));
    }
    let activations = |reason: &str, property: fn(&Activation) -> bool| -> Result<Holding, EvalError> {
        let net = &arguments[0];
        let Some(mut activations) = structure(evaluation, net)?.hidden_activations() else {
            return Ok(Holding::No(format!("`{net}` is not a sequence of layers")));
        };
        Ok(match activations.find(|activation| !property(activation)) {
            None => Holding::Yes,
            Some(activation) => {
                Holding::No(format!("`{net}` has the activation `{}`, which is not {reason}", activation.name()))
            }
        })
    };
    let objects = evaluation.workspace().objects();
    match (name, arguments) {
        ("chain", [net]) => {
            let is_chain = structure(evaluation, net)?.chain().is_some();
            Ok(yes_if(is_chain, || format!("`{net}` is not a chain of dense layers")))
        }
        ("layered", [net]) => {
            let structure = structure(evaluation, net)?;
            Ok(yes_if(structure.layers.is_some() && !structure.has_maxima, || {
                format!("`{net}` is not a sequence of dense maps, convolutions, means and activations")
            }))
        }
        ("pooled", [net]) => {
            let structure = structure(evaluation, net)?;
            Ok(yes_if(structure.layers.is_some() && structure.has_maxima, || {
                format!("`{net}` is not a sequence of dense maps, convolutions, means, maxima and activations")
            }))
        }
        ("piecewise_polynomial", _) => activations("piecewise polynomial", |a| a.pieces().is_some()),
        ("piecewise_linear", _) => {
            activations("continuous and piecewise linear", |a| a.pieces().is_some_and(|(_, degree)| degree == 1))
        }
        ("homogeneous", _) => activations("positively homogeneous", Activation::is_homogeneous),
        ("identity_on_positives", _) => activations("the identity on t >= 0", Activation::is_identity_on_positives),
        ("contractive", _) => activations("bounded by |t|", Activation::is_contractive),
        ("nonexpansive", _) => activations("1-Lipschitz", Activation::is_nonexpansive),
        ("threshold_units", _) => activations("the Heaviside function", |a| *a == Activation::Heaviside),
        ("sigmoid_units", _) => activations("the logistic sigmoid", |a| *a == Activation::Sigmoid),
        ("vanishes_at_zero", [activation]) => {
            let name = match activation {
                Term::Name(name) | Term::Quantity(name, _) => name.as_str(),
                other => return Err(EvalError::Meaningless(format!("expected an activation, found `{other}`"))),
            };
            let vanishes = matches!(
                name,
                "relu"
                    | "leaky_relu"
                    | "relu6"
                    | "hard_tanh"
                    | "tanh"
                    | "arctan"
                    | "softsign"
                    | "elu"
                    | "silu"
                    | "gelu"
            );
            Ok(yes_if(vanishes, || format!("`{name}` is not 0 at 0")))
        }
        ("relu_units", _) => activations("ReLU", |a| *a == Activation::Relu),
        ("biased", [net]) => {
            let layers = structure(evaluation, net)?.chain();
            let biased = layers.is_some_and(|l| l.iter().all(|layer| layer.has_bias));
            Ok(yes_if(biased, || format!("`{net}` has a layer without bias, or is not a chain of dense layers")))
        }
        ("unconstrained", [net]) => {
            let name = symbol(net)?;
            let is_free = objects.net(name).is_some_and(|net| net.network.is_none() && net.constraints.is_empty());
            Ok(yes_if(is_free, || format!("`{name}` is not the set of all networks of its architecture")))
        }
        ("member", [net, class]) => {
            let (name, class) = (symbol(net)?, symbol(class)?);
            let (Some(net), Some(set)) = (objects.net(name), objects.net(class)) else {
                return Err(EvalError::Meaningless(format!("expected two nets, found `{name}` and `{class}`")));
            };
            if net.network.is_none() || set.network.is_some() {
                return Ok(Holding::No(format!("`{name}` is not one network, or `{class}` not a class of networks")));
            }
            // Constants that are no parameters belong to a class; an architecture does not say which they are.
            if net.architecture.nodes.iter().any(|node| node.op == Op::FixedAffine) {
                return Ok(Holding::No(format!("`{class}` does not say the constants of its fixed scaling")));
            }
            Ok(yes_if(net.architecture == set.architecture, || {
                format!("`{name}` and `{class}` have different architectures")
            }))
        }
        ("vector_norm", [norm]) => {
            let norm = symbol(norm)?;
            Ok(yes_if(matches!(norm, "l1" | "l2" | "linf"), || format!("expected l1, l2 or linf, found `{norm}`")))
        }
        ("supported", [sample, domain]) => supported(objects, symbol(sample)?, symbol(domain)?),
        ("stores_bits", [net, sample, bits]) => Ok(Holding::Undischarged(format!(
            "every network that the algorithm of `{net}` may give from data like `{sample}` has at most {bits} bits per parameter"
        ))),
        ("scalar_output", [net]) => {
            let outputs = structure(evaluation, net)?.output_dim;
            Ok(yes_if(outputs == 1, || format!("`{net}` has {outputs} outputs")))
        }
        ("no_bias", [net]) => {
            let constraints = objects.net(symbol(net)?).map_or(&[][..], |net| &net.constraints[..]);
            // A class may say that its biases are 0.
            let is_zero = |l: usize| {
                let of_bias = |c: &&Constraint| c.part == Part::Bias && c.layer == l;
                constraints.iter().filter(of_bias).any(|c| c.bound == Term::int(0))
            };
            let layers = structure(evaluation, net)?.chain();
            let is_free = layers.is_some_and(|l| l.iter().zip(1..).all(|(layer, l)| !layer.has_bias || is_zero(l)));
            Ok(yes_if(is_free, || format!("`{net}` has biases")))
        }
        ("concrete", [net]) => {
            let has_network = objects.net(symbol(net)?).is_some_and(|net| net.network.is_some());
            Ok(yes_if(has_network, || format!("`{net}` is a class, not one network with known parameters")))
        }
        ("norm_class", [net, norm]) => norm_class(evaluation, net, symbol(norm)?),
        ("iid", [sample]) => iid(evaluation, symbol(sample)?),
        ("independent", [net, sample]) => independent(evaluation, symbol(net)?, symbol(sample)?),
        ("fixed_before", [value, sample]) => fixed_before(evaluation, value, symbol(sample)?),
        ("centred", [law, net]) => {
            let (name, net) = (symbol(law)?, symbol(net)?);
            let mean = objects.law(name).map(|law| law.mean.as_str());
            Ok(yes_if(mean == Some(net), || format!("`{name}` is not centred at `{net}`")))
        }
        ("last_layer_noise", [law]) => {
            let name = symbol(law)?;
            let is_last = objects.law(name).is_some_and(|law| law.noise == Noise::LastLayer);
            Ok(yes_if(is_last, || format!("`{name}` has noise in all layers")))
        }
        ("comparable", [q, p]) => {
            let (q, p) = (symbol(q)?, symbol(p)?);
            let (Some(a), Some(b)) = (objects.law(q), objects.law(p)) else {
                return Err(EvalError::Meaningless(format!("expected two laws, found `{q}` and `{p}`")));
            };
            Ok(law::incomparable(objects, a, b)?.map_or(Holding::Yes, Holding::No))
        }
        ("ternary_readout", [net]) => {
            let name = symbol(net)?;
            let network = objects.net(name).and_then(|net| net.network.as_ref());
            let is_readout = network.is_some_and(|network| Readout::of(network).is_some());
            Ok(yes_if(is_readout, || format!("`{name}` is not a ternary readout of gradient features")))
        }
        // A statement about history, which no computation can decide: the report shows it.
        ("codes_fixed_before", [sample]) => {
            let sample = symbol(sample)?;
            Ok(Holding::Assumed(format!("the code was fixed before `{sample}` was drawn")))
        }
        ("bounded_loss", [loss]) => {
            let loss = symbol(loss)?;
            Ok(yes_if(matches!(loss, "zero_one" | "ramp"), || format!("the loss `{loss}` is not bounded by 1")))
        }
        ("fits", [net, sample]) => {
            let net = Term::name(law::centre(objects, symbol(net)?));
            let structure = structure(evaluation, &net)?;
            let name = symbol(sample)?;
            let Some(sample) = objects.sample(name) else {
                return Err(EvalError::Meaningless(format!("expected a sample, found `{name}`")));
            };
            let (inputs, outputs) = (structure.input_dim, structure.output_dim);
            let Some(examples) = &sample.examples else {
                return Ok(Holding::No(format!("`{name}` has no examples")));
            };
            let dimension = examples.dimension as u128;
            if inputs != dimension {
                return Ok(Holding::No(format!("`{net}` takes {inputs} inputs, `{name}` has {dimension}")));
            }
            let classes = u128::from(sample.classes);
            Ok(yes_if(outputs == classes || (outputs == 1 && classes == 2), || {
                format!("`{net}` has {outputs} outputs, `{name}` has {classes} classes")
            }))
        }
        _ => Err(EvalError::Meaningless(format!("expected a property that the kernel decides, found `{name}`"))),
    }
}

/// What a property asks beyond [`decide`]: a member of a class meets its constraints, a class given by norms is not empty.
pub fn conditions(evaluation: &Evaluation, name: &str, arguments: &[Term]) -> Vec<Formula> {
    let constraints = |class: &str| evaluation.workspace().objects().net(class).map_or(&[][..], |c| &c.constraints[..]);
    let (net, constraints) = match (name, arguments) {
        ("member", [net, Term::Name(class)]) => (net, constraints(class)),
        // A bound below 0 leaves the class empty.
        ("norm_class", [Term::Name(class), _]) => {
            let is_met = |c: &Constraint| Formula::Compare(Term::int(0), Relation::Le, c.bound.clone());
            return constraints(class).iter().map(is_met).collect();
        }
        _ => return Vec::new(),
    };
    let condition = |constraint: &Constraint| {
        let head = match constraint.part {
            Part::Weight => "weight_norm",
            Part::Bias => "bias_norm",
        };
        let layer = Term::Number(BigRational::from_integer(BigInt::from(constraint.layer)));
        let norm = Term::quantity(head, vec![net.clone(), layer, Term::name(&constraint.norm)]);
        Formula::Compare(norm, Relation::Le, constraint.bound.clone())
    };
    constraints.iter().map(condition).collect()
}

/// All parameters free up to one norm bound per weight matrix, and norm bounds on the biases: zero biases are in the class.
fn norm_class(evaluation: &Evaluation, net: &Term, norm: &str) -> Result<Holding, EvalError> {
    let structure = structure(evaluation, net)?;
    let name = symbol(net)?;
    let Some(object) = evaluation.workspace().objects().net(name) else {
        return Err(EvalError::Meaningless(format!("expected a class, found `{name}`")));
    };
    let Some(layers) = structure.chain() else {
        return Ok(Holding::No(format!("`{name}` is not a chain of dense layers")));
    };
    if object.network.is_some() {
        return Ok(Holding::No(format!("`{name}` is one network, not a class")));
    }
    for l in 1..=layers.len() {
        let mut weights = object.constraints.iter().filter(|c| c.part == Part::Weight && c.layer == l);
        let first = weights.next();
        if first.is_none_or(|c| c.norm != norm) || weights.next().is_some() {
            return Ok(Holding::No(format!("layer {l} of `{name}` is not bounded in the norm `{norm}` alone")));
        }
    }
    Ok(Holding::Yes)
}

fn iid(evaluation: &Evaluation, name: &str) -> Result<Holding, EvalError> {
    let objects = evaluation.workspace().objects();
    let Some(sample) = objects.sample(name) else {
        return Err(EvalError::Meaningless(format!("expected a sample, found `{name}`")));
    };
    match &sample.origin {
        Origin::SortedFilePart => {
            return Ok(Holding::No(format!("`{name}` is a part by position of a file that may be sorted")));
        }
        Origin::TimeSeries => return Ok(Holding::No(format!("`{name}` is declared a time series"))),
        Origin::Generated(_) | Origin::File => {}
    }
    if let Origin::Generated(generator) = &sample.origin {
        return Ok(Holding::Assumed(format!("`{name}` is i.i.d. (drawn by the seeded generator `{generator}`)")));
    }
    for assumption in &objects.assumptions {
        if let AssumptionKind::Iid { sample: declared } = &assumption.kind
            && objects.sample(declared).is_some_and(|declared| sample.atoms.is_subset(&declared.atoms))
        {
            return Ok(Holding::Assumed(format!("`{}`: `{declared}` is i.i.d.", assumption.name)));
        }
    }
    Ok(Holding::Undischarged(format!("`{name}` is i.i.d.")))
}

/// The law is that of all examples, so what is declared of a sample holds for its parts. No look at the examples could tell.
fn supported(objects: &Objects, sample: &str, domain: &str) -> Result<Holding, EvalError> {
    let Some(atoms) = objects.sample(sample).map(|sample| &sample.atoms) else {
        return Err(EvalError::Meaningless(format!("expected a sample, found `{sample}`")));
    };
    for assumption in &objects.assumptions {
        if let AssumptionKind::Supported { sample: declared, domain: within } = &assumption.kind
            && within == domain
            && objects.sample(declared).is_some_and(|declared| atoms.is_subset(&declared.atoms))
        {
            let name = &assumption.name;
            return Ok(Holding::Assumed(format!(
                "`{name}`: inputs of `{declared}` lie in `{domain}` with probability 1"
            )));
        }
    }
    Ok(Holding::Undischarged(format!("inputs like those of `{sample}` lie in `{domain}` with probability 1")))
}

/// An object does not depend on a sample, nor does anything that it is defined by.
fn independent(evaluation: &Evaluation, object: &str, sample: &str) -> Result<Holding, EvalError> {
    let objects = evaluation.workspace().objects();
    let parts = defining(objects, BTreeSet::from([object.to_string()]));
    if parts.is_empty() {
        return Err(EvalError::Meaningless(format!("expected an object, found `{object}`")));
    }
    let mut holding = Holding::Yes;
    for name in parts {
        let part = match independent_entry(objects, &name, sample)? {
            Holding::No(reason) if name != object => {
                Holding::No(format!("`{object}` is defined by `{name}`: {reason}"))
            }
            part => part,
        };
        holding = both(holding, part);
    }
    Ok(holding)
}

/// A number was chosen without looking at a sample: the claim states it, in terms of what does not depend on the sample. A
/// value that only a derivation brings along may have been read off the sample, however it was computed.
fn fixed_before(evaluation: &Evaluation, value: &Term, sample: &str) -> Result<Holding, EvalError> {
    let workspace = evaluation.workspace();
    let mut failed = format!("the claim does not state {value}, which may have been read off `{sample}`");
    for (parameter, stated) in workspace.stated() {
        let mut alone = Evaluation::new(workspace, evaluation.bits());
        // A value that rests on facts may rest on the sample through them.
        if alone.canonical(stated).ok().as_ref() != Some(value) || !alone.grounds.facts.is_empty() {
            continue;
        }
        let text = format!("{parameter} = {value} was chosen before `{sample}` was seen, as the spec states");
        match both(Holding::Assumed(text), unseen(workspace.objects(), stated, sample)?) {
            Holding::No(reason) => failed = format!("{parameter} = {value} was read off the sample: {reason}"),
            holding => return Ok(holding),
        }
    }
    Ok(Holding::No(failed))
}

/// A term, as written, speaks of nothing that depends on a sample.
pub fn unseen(objects: &Objects, stated: &Term, sample: &str) -> Result<Holding, EvalError> {
    let mut names = BTreeSet::new();
    stated.names(&mut names);
    let mut holding = Holding::Yes;
    for name in defining(objects, names) {
        let part = match independent_entry(objects, &name, sample)? {
            Holding::No(_) if name == sample => Holding::No(format!("it is computed from `{sample}`")),
            part => part,
        };
        holding = both(holding, part);
    }
    Ok(holding)
}

/// The objects that these names lead to: a definition through its body, a class through the bounds of its constraints, a law
/// through its mean. A law's variance is a constant of the spec, so it depends on what its mean depends on.
fn defining(objects: &Objects, names: BTreeSet<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = names;
    while let Some(name) = open.pop_first() {
        if !found.insert(name.clone()) {
            continue;
        }
        let mut next = BTreeSet::new();
        if let Some(definition) = objects.definitions.get(&name) {
            definition.body.names(&mut next);
        }
        for constraint in objects.net(&name).map_or(&[][..], |class| &class.constraints) {
            constraint.bound.names(&mut next);
        }
        next.extend(objects.law(&name).map(|law| law.mean.clone()));
        open.extend(next.into_iter().filter(|name| !found.contains(name)));
    }
    found.retain(|name| objects.entries.contains_key(name) && objects.law(name).is_none());
    found
}

/// Both conditions: the worse of the two, with what each rests on.
fn both(a: Holding, b: Holding) -> Holding {
    use Holding::{Assumed, No, Undischarged, Yes};
    match (a, b) {
        (No(reason), _) | (_, No(reason)) => No(reason),
        (Yes, other) | (other, Yes) => other,
        (Assumed(a), Assumed(b)) => Assumed(format!("{a}; {b}")),
        (Assumed(a) | Undischarged(a), Assumed(b) | Undischarged(b)) => Undischarged(format!("{a}; {b}")),
    }
}

fn independent_entry(objects: &Objects, object: &str, sample: &str) -> Result<Holding, EvalError> {
    let (Some(entry), Some(atoms)) = (objects.entries.get(object), objects.sample(sample).map(|s| &s.atoms)) else {
        return Err(EvalError::Meaningless(format!(
            "expected an object and a sample, found `{object}` and `{sample}`"
        )));
    };
    let overlap = |used: &BTreeSet<String>| used.intersection(atoms).next().cloned();
    if let Dependence::Known(used) = &entry.dependence {
        return Ok(match overlap(used) {
            Some(atom) => Holding::No(format!("`{object}` depends on `{atom}`")),
            None => Holding::Yes,
        });
    }
    for assumption in &objects.assumptions {
        if let AssumptionKind::DependsOn { object: declared, atoms: used } = &assumption.kind
            && declared == object
        {
            return Ok(match overlap(used) {
                Some(atom) => Holding::No(format!("`{}`: `{object}` depends on `{atom}`", assumption.name)),
                None => Holding::Assumed(format!("`{}`: `{object}` does not depend on `{sample}`", assumption.name)),
            });
        }
    }
    Ok(Holding::Undischarged(format!("`{object}` does not depend on `{sample}`")))
}
