//! Quantities that the kernel computes from the objects themselves. Trust: kernel.

use super::eval::{EvalError, Evaluation};
use super::law;
use super::lipschitz::{LayerMap, LipError};
use super::matrix_norm;
use super::net::{Activation, Network, Op};
use super::object::{Domain, Law, Part};
use super::path;
use super::structure::{Layer, Structure};
use super::surd::Surd;
use super::term::Term;
use super::theorem::Sort;
use super::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::sync::Arc;

/// The value of a quantity with canonical arguments, if it is one that the kernel computes.
/// Errors: an argument that means nothing here.
pub fn value(evaluation: &mut Evaluation, head: &str, arguments: &[Term]) -> Result<Option<Value>, EvalError> {
    let bits = evaluation.bits();
    let memo = &evaluation.workspace().objects().memo;
    let integer = |n: BigInt| Ok(Some(Value::integer(n, bits)));
    match (head, arguments) {
        ("params", [net]) => integer(structure(evaluation, net)?.params.clone()),
        ("depth", [net]) => integer(BigInt::from(structure(evaluation, net)?.affine_maps)),
        ("width", [net]) => integer(BigInt::from(structure(evaluation, net)?.width)),
        ("hidden_width", [net]) => integer(BigInt::from(structure(evaluation, net)?.hidden_width)),
        ("units", [net]) => integer(structure(evaluation, net)?.units.clone()),
        ("input_dim", [net]) => integer(BigInt::from(structure(evaluation, net)?.input_dim)),
        ("output_dim", [net]) => integer(BigInt::from(structure(evaluation, net)?.output_dim)),
        ("layer_params", [net, l]) => integer(layer(evaluation, net, l)?.params.clone()),
        ("params_upto", [net, l]) => integer(layer(evaluation, net, l)?.params_upto.clone()),
        ("layer_units", [net, l]) if *l == Term::int(0) => integer(BigInt::from(structure(evaluation, net)?.input_dim)),
        ("layer_units", [net, l]) => integer(BigInt::from(layer(evaluation, net, l)?.units)),
        ("pool_comparisons", [net, l]) => integer(layer(evaluation, net, l)?.comparisons.clone()),
        ("activation_patterns", [net]) => match structure(evaluation, net)?.activation_patterns() {
            Some(count) => integer(count),
            None => Err(EvalError::TooLarge(format!(
                "expected dense layers of at most 4096 units, one of them hidden, found `{net}`"
            ))),
        },
        ("breakpoints", [net]) => integer(BigInt::from(largest_pieces(evaluation, net)?.0)),
        ("degree", [net]) => integer(BigInt::from(largest_pieces(evaluation, net)?.1)),
        ("weight_bits", [net]) => {
            let name = symbol(net)?;
            match evaluation.workspace().objects().net(name).and_then(|net| net.network.as_ref()) {
                // A bound by the number of stored bits must see every stored number: scales and shifts that an importer
                // keeps beside the parameters may have been read off the sample.
                Some(network) if BigInt::from(network.stored()) != structure(evaluation, net)?.params => {
                    Err(EvalError::Meaningless(format!(
                        "expected a network that stores its {} parameters alone, found {} numbers in `{name}`",
                        structure(evaluation, net)?.params,
                        network.stored()
                    )))
                }
                Some(network) if !network.is_in_its_format() => Err(EvalError::Meaningless(format!(
                    "expected numbers of a format of {} bits in `{name}`, found others",
                    network.weight_bits()
                ))),
                Some(network) => integer(BigInt::from(network.weight_bits())),
                None => Err(EvalError::Meaningless(format!("expected a network with weights, found `{name}`"))),
            }
        }
        ("nonzero", [net]) => {
            let name = symbol(net)?;
            let Some(network) = evaluation.workspace().objects().net(name).and_then(|net| net.network.as_ref()) else {
                return Err(EvalError::Meaningless(format!("expected a network with weights, found `{name}`")));
            };
            let tensors = network.parameters().iter().flatten().flat_map(|p| [Some(&p.weight), p.bias.as_ref()]);
            let count = tensors.flatten().flat_map(|t| t.data.iter()).filter(|w| w.mantissa != 0).count();
            integer(BigInt::from(count))
        }
        ("layer_lipschitz", [net, l]) => {
            let activation = layer(evaluation, net, l)?.activation.symbol();
            let subject = Term::Quantity("activation_lipschitz".to_string(), vec![activation]);
            Ok(Some(evaluation.known(&subject, super::signature::Codomain::NonNegative)?))
        }
        ("weight_norm", [net, l, norm]) => parameter_norm(evaluation, Part::Weight, net, l, norm),
        ("bias_norm", [net, l, norm]) => parameter_norm(evaluation, Part::Bias, net, l, norm),
        ("operator_norm", [net, l, norm]) => operator_norm(evaluation, net, l, norm),
        ("radius", [domain, norm]) => Ok(Some(radius(evaluation, domain, norm)?)),
        ("dim", [domain]) => {
            let name = symbol(domain)?;
            match domain_of(evaluation, name)?.dimension() {
                Some(dimension) => integer(BigInt::from(dimension)),
                None => Err(EvalError::TooLarge(format!("expected a dimension below 2^128 for `{name}`"))),
            }
        }
        ("path_norm", [net]) => {
            let name = symbol(net)?;
            match evaluation.workspace().objects().net(name).and_then(|net| net.network.as_ref()) {
                Some(network) => {
                    let compute = || Ok(Value::rational(&path::path_norm(network)?, bits));
                    Ok(Some(memo.value(network, Term::name(head), bits, compute)?))
                }
                None => Ok(None),
            }
        }
        ("moment", [sample, norm]) => {
            let name = symbol(sample)?;
            match evaluation.workspace().objects().sample(name).and_then(|sample| sample.examples.as_ref()) {
                Some(examples) => {
                    let compute = || Ok(Value::rational(&path::moment(examples, symbol(norm)?)?, bits));
                    Ok(Some(memo.value(examples, Term::quantity(head, vec![norm.clone()]), bits, compute)?))
                }
                None => Err(EvalError::Meaningless(format!("expected a sample with examples, found `{name}`"))),
            }
        }
        ("variance", [law]) => Ok(Some(Value::rational(&law_of(evaluation, law)?.variance, bits))),
        ("noisy_params", [law]) => {
            integer(law::noisy_parameters(evaluation.workspace().objects(), law_of(evaluation, law)?)?)
        }
        ("squared_distance", [law, other]) => {
            let objects = evaluation.workspace().objects();
            let distance = law::squared_distance(objects, law_of(evaluation, law)?, symbol(other)?)?;
            Ok(Some(Value::rational(&distance, bits)))
        }
        ("samples", [sample]) => integer(BigInt::from(sample_of(evaluation, sample)?.0)),
        ("classes", [sample]) => integer(BigInt::from(sample_of(evaluation, sample)?.1)),
        ("empirical_risk", [net, sample, loss]) if *loss == Term::name("zero_one") => {
            let size = sample_of(evaluation, sample)?.0;
            if size == 0 {
                return Err(EvalError::Undefined(format!("expected a nonempty sample, found `{sample}`")));
            }
            let errors = evaluation.term(&Term::quantity("errors", vec![net.clone(), sample.clone()]))?;
            let unit = Value::between(&Value::integer(0, bits), &Value::integer(1, bits))?;
            Ok(Some(errors.div(&Value::integer(size, bits), bits)?.intersect(&unit)?))
        }
        _ => Ok(None),
    }
}

/// The name of an object or symbol.
pub fn symbol(term: &Term) -> Result<&str, EvalError> {
    match term {
        Term::Name(name) => Ok(name),
        other => Err(EvalError::Meaningless(format!("expected the name of an object, found `{other}`"))),
    }
}

/// The structure of a net, which the workspace computed once.
pub fn structure<'o>(evaluation: &Evaluation<'_, 'o>, net: &Term) -> Result<&'o Structure, EvalError> {
    let name = symbol(net)?;
    evaluation
        .workspace()
        .structure(name)
        .ok_or_else(|| EvalError::Meaningless(format!("expected a network or class, found `{name}`")))
}

/// Layer `l` of a sequence of layers.
pub fn layer<'o>(evaluation: &Evaluation<'_, 'o>, net: &Term, l: &Term) -> Result<&'o Layer, EvalError> {
    let structure = structure(evaluation, net)?;
    let Some(layers) = &structure.layers else {
        return Err(EvalError::Meaningless(format!("expected a sequence of layers, found `{net}`")));
    };
    let index = match l {
        Term::Number(q) if q.is_integer() => q.to_integer().to_usize(),
        _ => None,
    };
    index.and_then(|l| structure.layer(l)).ok_or_else(|| {
        EvalError::Meaningless(format!("expected a layer in 1..{} of `{net}`, found `{l}`", layers.len()))
    })
}

/// Layer `l` of a chain of dense layers, whose weights are a matrix.
pub fn dense_layer<'o>(evaluation: &Evaluation<'_, 'o>, net: &Term, l: &Term) -> Result<&'o Layer, EvalError> {
    if structure(evaluation, net)?.chain().is_none() {
        return Err(EvalError::Meaningless(format!(
            "expected a chain of dense layers, found `{net}`; `operator_norm({net}, {l}, p)` speaks of layers of any graph"
        )));
    }
    layer(evaluation, net, l)
}

/// A network with weights, and the node that is its layer `l`: the nodes of the graph, counted from 1.
pub fn node<'o>(evaluation: &Evaluation<'_, 'o>, net: &Term, l: &Term) -> Result<(&'o Arc<Network>, usize), EvalError> {
    let name = symbol(net)?;
    let Some(network) = evaluation.workspace().objects().net(name).and_then(|net| net.network.as_ref()) else {
        return Err(EvalError::Meaningless(format!("expected a network with weights, found `{name}`")));
    };
    let nodes = &network.architecture().nodes;
    let index = match l {
        Term::Number(q) if q.is_integer() => q.to_integer().to_usize().and_then(|l| l.checked_sub(1)),
        _ => None,
    };
    match index.filter(|i| *i < nodes.len()) {
        Some(i) => Ok((network, i)),
        None => {
            let listed: Vec<String> =
                nodes.iter().enumerate().take(24).map(|(i, node)| format!("{} {}", i + 1, node.op.name())).collect();
            let more = if nodes.len() > listed.len() { ", ..." } else { "" };
            let (count, listed) = (nodes.len(), listed.join(", "));
            Err(EvalError::Meaningless(format!(
                "expected a layer in 1..{count} of `{name}` ({listed}{more}), found `{l}`"
            )))
        }
    }
}

/// The norm of the map of a layer, where exact sums give it; for l2 a witness does.
fn operator_norm(evaluation: &mut Evaluation, net: &Term, l: &Term, norm: &Term) -> Result<Option<Value>, EvalError> {
    let bits = evaluation.bits();
    let (network, node) = node(evaluation, net, l)?;
    if let Op::Activation(activation) = &network.architecture().nodes[node].op
        && *activation != Activation::Identity
    {
        // Coordinate by coordinate, so the constant is the same in every norm.
        let subject = Term::quantity("activation_lipschitz", vec![activation.symbol()]);
        return Ok(Some(evaluation.known(&subject, super::signature::Codomain::NonNegative)?));
    }
    let sum: fn(&LayerMap) -> BigRational = match symbol(norm)? {
        "l1" => LayerMap::column_sum,
        "linf" => LayerMap::row_sum,
        "l2" => return Ok(None),
        other => return Err(EvalError::Meaningless(format!("expected l1, l2 or linf, found `{other}`"))),
    };
    let compute = || match LayerMap::of(network, node) {
        Ok(layer) => Ok(Value::rational(&sum(&layer), bits)),
        Err(error @ LipError::TooLarge(_)) => Err(EvalError::TooLarge(error.to_string())),
        Err(error) => Err(EvalError::Meaningless(error.to_string())),
    };
    let key = Term::quantity("operator_norm", vec![l.clone(), norm.clone()]);
    Ok(Some(evaluation.workspace().objects().memo.value(network, key, bits, compute)?))
}

/// Errors: `net on domain` with a domain of another dimension than the net's input.
pub fn fits(evaluation: &Evaluation, head: &str, arguments: &[Term]) -> Result<(), EvalError> {
    let ("on", [Term::Name(net), Term::Name(name)]) = (head, arguments) else { return Ok(()) };
    let workspace = evaluation.workspace();
    let (Some(structure), Some(domain)) = (workspace.structure(net), workspace.objects().domain(name)) else {
        return Ok(());
    };
    if domain.dimension() == Some(structure.input_dim) {
        return Ok(());
    }
    Err(EvalError::Meaningless(format!(
        "expected a domain of {} coordinates for `{net}`, found `{name}` of another dimension",
        structure.input_dim
    )))
}

fn largest_pieces(evaluation: &Evaluation, net: &Term) -> Result<(u32, u32), EvalError> {
    let activations = structure(evaluation, net)?.hidden_activations();
    let activations =
        activations.ok_or_else(|| EvalError::Meaningless(format!("expected a sequence of layers, found `{net}`")))?;
    // A net without hidden layers counts one breakpoint and degree 1: the classes only grow.
    let mut largest = (1, 0);
    let mut any = false;
    for activation in activations {
        any = true;
        let (breakpoints, degree) = activation.pieces().ok_or_else(|| {
            EvalError::Undefined(format!("expected piecewise polynomial activations, found `{}`", activation.name()))
        })?;
        largest = (largest.0.max(breakpoints), largest.1.max(degree));
    }
    Ok(if any { largest } else { (1, 1) })
}

fn domain_of<'o>(evaluation: &Evaluation<'_, 'o>, name: &str) -> Result<&'o Domain, EvalError> {
    evaluation
        .workspace()
        .objects()
        .domain(name)
        .ok_or_else(|| EvalError::Meaningless(format!("expected a domain, found `{name}`")))
}

fn law_of<'o>(evaluation: &Evaluation<'_, 'o>, law: &Term) -> Result<&'o Law, EvalError> {
    let name = symbol(law)?;
    let law = evaluation.workspace().objects().law(name);
    law.ok_or_else(|| EvalError::Meaningless(format!("expected a prior or posterior, found `{name}`")))
}

/// Size and number of classes.
fn sample_of(evaluation: &Evaluation, sample: &Term) -> Result<(usize, u32), EvalError> {
    let name = symbol(sample)?;
    match evaluation.workspace().objects().sample(name) {
        Some(sample) => Ok((sample.size, sample.classes)),
        None => Err(EvalError::Meaningless(format!("expected a sample, found `{name}`"))),
    }
}

/// The norm of a layer's parameters: from the constraints of a class, from the entries of a concrete network, or from facts.
fn parameter_norm(
    evaluation: &mut Evaluation,
    part: Part,
    net: &Term,
    l: &Term,
    norm: &Term,
) -> Result<Option<Value>, EvalError> {
    let bits = evaluation.bits();
    let (name, norm) = (symbol(net)?, symbol(norm)?);
    let layer = dense_layer(evaluation, net, l)?;
    let (node, has_bias, fan_in, units) = (layer.node, layer.has_bias, layer.inputs, layer.units);
    if part == Part::Bias && !has_bias {
        return Ok(Some(Value::integer(0, bits)));
    }
    let Some(object) = evaluation.workspace().objects().net(name) else {
        return Ok(None);
    };
    if let Some(network) = &object.network {
        let parameters = network.parameters().get(node).and_then(Option::as_ref);
        let tensor = parameters.and_then(|p| match part {
            Part::Weight => Some(&p.weight),
            Part::Bias => p.bias.as_ref(),
        });
        let Some(tensor) = tensor else { return Ok(None) };
        if (part, norm) == (Part::Weight, "l2") {
            return Ok(None);
        }
        let head = if part == Part::Weight { "weight_norm" } else { "bias_norm" };
        let key = Term::quantity(head, vec![l.clone(), Term::name(norm)]);
        let compute = || {
            let value = matrix_norm::of(tensor, part, norm, bits)?;
            value.ok_or_else(|| EvalError::Meaningless(format!("expected a norm, found `{norm}`")))
        };
        return Ok(Some(evaluation.workspace().objects().memo.value(network, key, bits, compute)?));
    }
    let index = match l {
        Term::Number(q) => q.to_integer().to_usize(),
        _ => None,
    };
    let mut best: Option<Value> = None;
    let workspace = evaluation.workspace();
    let constraints = workspace.objects().net(name).map_or(&[][..], |net| &net.constraints[..]);
    for constraint in constraints {
        if constraint.part != part || Some(constraint.layer) != index {
            continue;
        }
        let Some(factor) = conversion(part, &constraint.norm, norm, fan_in, units) else { continue };
        let bound = evaluation.term(&constraint.bound)?;
        // The supremum over the class is the bound itself where the norm is the constrained one, and at most
        // `factor * bound` otherwise.
        let Some(factor) = Surd::sqrt(&BigRational::from_integer(factor)) else { continue };
        let bound = bound.mul(&Value::surd(factor, bits), bits);
        let is_same = constraint.norm == norm
            && constraints.iter().filter(|c| c.part == part && Some(c.layer) == index).count() == 1;
        let bound = if is_same { bound } else { Value::between(&Value::integer(0, bits), &bound)? };
        best = Some(match best {
            None => bound,
            Some(other) => other.intersect(&Value::between(&Value::integer(0, bits), &bound)?)?,
        });
    }
    // A negative bound describes no network at all.
    best.map(|bound| Ok(bound.intersect(&Value::integer(0, bits).upper_unbounded())?)).transpose()
}

/// The square of a factor `c` with `norm <= c * constrained norm`, for a matrix with `units` rows and `fan_in` columns or a
/// vector with `units` entries. Sources: the standard norm inequalities (e.g. Horn and Johnson 2013, section 5.6).
fn conversion(part: Part, constrained: &str, norm: &str, fan_in: u128, units: u128) -> Option<BigInt> {
    let one = BigInt::from(1);
    let (rows, columns) = (BigInt::from(units), BigInt::from(fan_in));
    match part {
        Part::Weight => match (constrained, norm) {
            (a, b) if a == b => Some(one),
            // Every entry is at most each of these norms, and the operator norm at most the Frobenius norm.
            ("l1" | "l2" | "linf" | "fro" | "l21", "max") | ("fro", "l2") | ("l21", "l2" | "fro") => Some(one),
            // |Wx|_inf <= |Wx|_2 <= s |x|_2 <= s sqrt(n) |x|_inf.
            ("l2" | "fro", "linf") => Some(columns),
            ("l2" | "fro", "l1") => Some(rows),
            ("l2", "fro") => Some(rows.min(columns)),
            ("max", "linf") => Some(&columns * &columns),
            ("max", "l1") => Some(&rows * &rows),
            ("max", "fro" | "l2") => Some(rows * columns),
            _ => None,
        },
        Part::Bias => match (constrained, norm) {
            (a, b) if a == b => Some(one),
            ("l1", "l2" | "linf") | ("l2", "linf") => Some(one),
            ("l2", "l1") | ("linf", "l2") => Some(rows),
            ("linf", "l1") => Some(&rows * &rows),
            _ => None,
        },
    }
}

/// The largest norm of a point of a domain.
fn radius(evaluation: &Evaluation, domain: &Term, norm: &Term) -> Result<Value, EvalError> {
    let bits = evaluation.bits();
    let (name, norm) = (symbol(domain)?, symbol(norm)?);
    match domain_of(evaluation, name)? {
        Domain::Box(runs) => {
            // The norm is largest at a corner: coordinate by coordinate, the larger of the two ends.
            let mut total = BigRational::zero();
            for (count, low, high) in runs {
                let largest = low.abs().max(high.abs());
                let count = BigRational::from_integer(BigInt::from(*count));
                match norm {
                    "linf" => total = total.max(largest),
                    "l1" => total += count * largest,
                    "l2" => total += count * &largest * &largest,
                    other => return Err(EvalError::Meaningless(format!("expected l1, l2 or linf, found `{other}`"))),
                }
            }
            let value = Value::rational(&total, bits);
            if norm == "l2" { Ok(value.sqrt(bits)?) } else { Ok(value) }
        }
        Domain::Ball { dimension, radius, norm: ball, center } => {
            let factor = conversion(Part::Bias, ball, norm, 0, *dimension)
                .ok_or_else(|| EvalError::Meaningless(format!("expected l1, l2 or linf, found `{norm}`")))?;
            let factor = Value::rational(&BigRational::from_integer(factor), bits).sqrt(bits)?;
            let mut value = Value::rational(radius, bits).mul(&factor, bits);
            if let Some(center) = center {
                // |x| <= |c| + |x - c|.
                let distance = vector_norm(center, norm, bits)?;
                value = Value::between(&distance, &value.add(&distance, bits))?;
            }
            Ok(value)
        }
    }
}

fn vector_norm(entries: &[BigRational], norm: &str, bits: super::real::Bits) -> Result<Value, EvalError> {
    let total = entries.iter().fold(BigRational::zero(), |total, x| match norm {
        "linf" => total.max(x.abs()),
        "l1" => total + x.abs(),
        _ => total + x * x,
    });
    let value = Value::rational(&total, bits);
    if norm == "l2" { Ok(value.sqrt(bits)?) } else { Ok(value) }
}

/// Whether a canonical term may stand for a parameter of this sort.
pub fn has_sort(evaluation: &Evaluation, term: &Term, sort: Sort) -> bool {
    let objects = evaluation.workspace().objects();
    match (sort, term) {
        (Sort::Net, Term::Name(name)) => objects.net(name).is_some(),
        (Sort::Domain, Term::Name(name)) => objects.domain(name).is_some(),
        (Sort::Sample, Term::Name(name)) => objects.sample(name).is_some(),
        (Sort::Law, Term::Name(name)) => objects.law(name).is_some(),
        (Sort::Predictor, Term::Name(name)) => objects.net(name).is_some() || objects.law(name).is_some(),
        (Sort::Norm, Term::Name(name)) => super::signature::NORMS.contains(&name.as_str()),
        (Sort::Loss, Term::Name(name)) => super::signature::LOSSES.iter().any(|(loss, _)| loss == name),
        (Sort::Activation, Term::Name(name)) => {
            super::net::Activation::named(name).is_some_and(|activation| activation.name() == name)
        }
        (Sort::Activation, Term::Quantity(head, arguments)) => {
            matches!(head.as_str(), "leaky_relu" | "elu") && matches!(arguments.as_slice(), [Term::Number(_)])
        }
        (Sort::Natural, Term::Number(q)) => q.is_integer() && !q.is_negative(),
        (Sort::Real, Term::Number(_)) => true,
        (Sort::Map, Term::Name(name)) => objects.net(name).is_some(),
        (Sort::Class | Sort::Map, Term::Quantity(head, arguments)) => match super::signature::constructor(head) {
            Some(constructor) => {
                constructor.result == sort
                    && constructor.arguments.len() == arguments.len()
                    && constructor.arguments.iter().zip(arguments).all(|(sort, term)| has_sort(evaluation, term, *sort))
            }
            None => false,
        },
        _ => false,
    }
}
