//! Witnesses: what the engine found, in a form that is cheap to check. Trust: kernel.

use super::draws;
use super::eval::{EvalError, Evaluation};
use super::forward;
use super::gibbs;
use super::intrinsic::symbol;
use super::lipschitz::operator::Operator;
use super::lipschitz::{self, LayerMap, LayerNorm, LipError, LowerWitness, Norms, robust};
use super::net::Network;
use super::object::{Domain, Examples, Law, Noise, Objects};
use super::real::Bits;
use super::term::Term;
use super::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub enum Witness {
    /// The kernel computes the quantity itself: error counts, ranges by interval propagation.
    Computation,
    /// A certificate of an upper bound on the spectral norm of a weight matrix.
    SpectralUpper(LayerNorm),
    /// A certificate of an upper bound on a Lipschitz constant.
    LipschitzUpper(lipschitz::Witness),
    /// Points that exhibit a lower bound on a Lipschitz constant.
    LipschitzLower(LowerWitness),
    /// Constants of a classifier's margins: examples whose margin exceeds what a distance can change.
    Robust(robust::Certificate),
    /// A point that is not decided as the label of the example.
    Adversarial(Vec<lipschitz::Dyadic>),
    /// `|W v| / |v|` for this vector is a lower bound of `sigma_max(W)`.
    SpectralLower { vector: Vec<BigInt> },
}

impl Witness {
    pub fn name(&self) -> &'static str {
        match self {
            Witness::Computation => "computation",
            Witness::SpectralUpper(LayerNorm::Spectral(_)) => "positive_semidefinite",
            Witness::SpectralUpper(LayerNorm::Gram) => "gram_row_sums",
            Witness::SpectralUpper(LayerNorm::Schur) => "schur_test",
            Witness::SpectralLower { .. } => "rayleigh_quotient",
            Witness::LipschitzUpper(lipschitz::Witness::Product(_)) => "norm_product",
            Witness::LipschitzUpper(lipschitz::Witness::AbsoluteProduct) => "absolute_product",
            Witness::LipschitzUpper(lipschitz::Witness::Jacobian) => "jacobian",
            Witness::LipschitzUpper(lipschitz::Witness::Averaged(_)) => "combettes_pesquet",
            Witness::LipschitzUpper(lipschitz::Witness::Tree(tree)) if tree.len() == 1 => "lipsdp",
            Witness::LipschitzUpper(lipschitz::Witness::Tree(_)) => "branch_and_bound",
            Witness::LipschitzLower(_) => "attained",
            Witness::Robust(_) => "margin_over_lipschitz",
            Witness::Adversarial(_) => "adversarial_example",
        }
    }
}

/// What the witness proves of the quantity. Errors: it proves nothing of it.
pub fn check(evaluation: &mut Evaluation, subject: &Term, witness: &Witness) -> Result<Value, EvalError> {
    let bits = evaluation.bits();
    let Term::Quantity(head, arguments) = subject else {
        return Err(EvalError::Witness(format!("expected a quantity, found `{subject}`")));
    };
    let objects = evaluation.workspace().objects();
    match (head.as_str(), arguments.as_slice(), witness) {
        ("errors", [net, sample], Witness::Computation) => {
            let (net, sample) = (symbol(net)?, symbol(sample)?);
            let network = objects.net(net).and_then(|net| net.network.as_ref());
            let examples = objects.sample(sample).and_then(|sample| {
                // Every example of the sample is counted.
                sample.examples.as_ref().filter(|examples| examples.labels.len() == sample.size)
            });
            let (Some(network), Some(examples)) = (network, examples) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{sample}` no examples")));
            };
            let (low, high) = forward::errors(&objects.memo, network, examples)?;
            Ok(Value::between(&Value::integer(low, bits), &Value::integer(high, bits))?)
        }
        ("margin_error", [net, sample, Term::Number(g)], Witness::Computation) => {
            let (net, sample) = (symbol(net)?, symbol(sample)?);
            let network = objects.net(net).and_then(|net| net.network.as_ref());
            let examples = objects.sample(sample).and_then(|sample| sample.examples.as_ref());
            let (Some(network), Some(examples)) = (network, examples) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{sample}` no examples")));
            };
            let (low, high) = forward::margin_errors(&objects.memo, network, examples, g)?;
            let size = Value::integer(examples.labels.len(), bits);
            let fraction = |count: usize| Value::integer(count, bits).div(&size, bits);
            Ok(Value::between(&fraction(low)?, &fraction(high)?)?)
        }
        ("margin_quantile", [net, sample, Term::Number(q)], Witness::Computation) => {
            let (net, sample) = (symbol(net)?, symbol(sample)?);
            let network = objects.net(net).and_then(|net| net.network.as_ref());
            let examples = objects.sample(sample).and_then(|sample| sample.examples.as_ref());
            let (Some(network), Some(examples)) = (network, examples) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{sample}` no examples")));
            };
            let (low, high) = forward::margin_quantile(&objects.memo, network, examples, q)?;
            Ok(Value::ends(low.as_ref(), high.as_ref(), bits)?)
        }
        ("empirical_gibbs_risk", [law, sample, loss], Witness::Computation) if *loss == Term::name("zero_one") => {
            let (law, network, examples) = last_layer_noise(objects, law, sample)?;
            let (low, high) = gibbs::error(network, &law.variance, examples)?;
            Ok(Value::ends(Some(&low), Some(&high), bits)?)
        }
        ("drawn_errors", [law, sample, Term::Number(n)], Witness::Computation) => {
            let (law, network, examples) = last_layer_noise(objects, law, sample)?;
            let n = n.to_integer().to_u64().filter(|count| *n == BigRational::from(BigInt::from(*count)));
            let n = n.ok_or_else(|| EvalError::Witness("expected a number of draws".to_string()))?;
            let (low, high) = draws::errors(network, &law.variance, examples, n)?;
            evaluation.grounds.assumptions.insert(draws::ASSUMPTION.to_string());
            Ok(Value::between(&Value::integer(low, bits), &Value::integer(high, bits))?)
        }
        ("range", [Term::Quantity(on, map)], Witness::Computation) if on == "on" => {
            let [net, domain] = map.as_slice() else {
                return Err(EvalError::Witness(format!("expected `net on domain`, found `{subject}`")));
            };
            let (net, domain) = (symbol(net)?, symbol(domain)?);
            let network = objects.net(net).and_then(|net| net.network.as_ref());
            let (Some(network), Some(domain)) = (network, objects.domain(domain)) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{domain}` is no domain")));
            };
            let (low, high) = forward::range(network, domain)?;
            Ok(Value::ends(Some(&low), Some(&high), bits)?)
        }
        ("weight_norm", [net, l, norm], _) if *norm == Term::name("l2") => {
            let node = super::intrinsic::dense_layer(evaluation, net, l)?.node;
            let network = objects.net(symbol(net)?).and_then(|net| net.network.as_ref());
            let Some(parameters) = network.and_then(|n| n.parameters().get(node)).and_then(Option::as_ref) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights")));
            };
            let layer = Operator::matrix(&parameters.weight).map(|operator| LayerMap { operator, divisor: 1 });
            spectral(&layer.map_err(|error| EvalError::Witness(error.to_string()))?, subject, witness, bits)
        }
        ("operator_norm", [net, l, norm], _) if *norm == Term::name("l2") => {
            let (network, node) = super::intrinsic::node(evaluation, net, l)?;
            let layer = LayerMap::of(network, node).map_err(|error| EvalError::Witness(error.to_string()))?;
            spectral(&layer, subject, witness, bits)
        }
        ("lip", [map, norm], Witness::LipschitzUpper(witness)) => {
            let (network, domain) = restricted(objects, map)?;
            let norms = norms(symbol(norm)?)?;
            let square = objects
                .memo
                .upper(network, norms, domain.as_ref(), witness)
                .map_err(|error| EvalError::Witness(error.to_string()))?;
            Ok(Value::rational(&square, bits).sqrt(bits)?.lower_unbounded())
        }
        ("lip", [map, norm], Witness::LipschitzLower(witness)) => {
            let (network, domain) = restricted(objects, map)?;
            let norms = norms(symbol(norm)?)?;
            let square = lipschitz::check_lower(network, norms, domain.as_ref(), witness)
                .map_err(|error| EvalError::Witness(error.to_string()))?;
            Ok(Value::rational(&square, bits).sqrt(bits)?.upper_unbounded())
        }
        ("robust_radius" | "robust_errors", [net, sample, parameter, norm], witness) => {
            let (Term::Number(parameter), norm) = (parameter, norms(symbol(norm)?)?.input) else {
                return Err(EvalError::Meaningless(format!("expected a number in `{subject}`, found `{parameter}`")));
            };
            if parameter.is_negative() {
                return Err(EvalError::Meaningless(format!(
                    "expected a number >= 0 in `{subject}`, found {parameter}"
                )));
            }
            let (net, sample) = (symbol(net)?, symbol(sample)?);
            let network = objects.net(net).and_then(|net| net.network.as_ref());
            let examples = objects.sample(sample).and_then(|sample| sample.examples.as_ref());
            let (Some(network), Some(examples)) = (network, examples) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{sample}` no examples")));
            };
            let refused = |error: LipError| EvalError::Witness(error.to_string());
            if head == "robust_errors" {
                return match witness {
                    // A misclassified example is not robust at any radius.
                    Witness::Computation => {
                        let certain = forward::errors(&objects.memo, network, examples)?.0;
                        Ok(Value::integer(certain, bits).upper_unbounded())
                    }
                    Witness::Robust(certificate) => {
                        let classifier = robust::Classifier::new(network, norm, certificate).map_err(refused)?;
                        let possible = robust_errors(&classifier, examples, parameter).map_err(refused)?;
                        Ok(Value::integer(possible, bits).lower_unbounded())
                    }
                    other => Err(silent(other, subject)),
                };
            }
            let index = parameter.is_integer().then(|| parameter.to_integer().to_usize()).flatten();
            let label = index.and_then(|i| examples.labels.get(i).copied());
            let (Some(index), Some(label)) = (index, label.and_then(|label| usize::try_from(label).ok())) else {
                let size = examples.labels.len();
                return Err(EvalError::Meaningless(format!("expected an example in 0..{size}, found `{parameter}`")));
            };
            let values = examples.values.chunks(examples.dimension.max(1)).nth(index).unwrap_or_default();
            let x = robust::point(values, &examples.scale);
            match witness {
                Witness::Robust(certificate) => {
                    let classifier = robust::Classifier::new(network, norm, certificate).map_err(refused)?;
                    match classifier.radius(&x, label).map_err(refused)? {
                        Some(radius) => Ok(Value::rational(&radius, bits).upper_unbounded()),
                        None => Err(EvalError::Witness(format!("`{net}` is constant"))),
                    }
                }
                Witness::Adversarial(point) => {
                    let point: Vec<BigRational> = point.iter().map(lipschitz::Dyadic::to_rational).collect();
                    let system = lipschitz::System::new(network).map_err(refused)?;
                    if !robust::is_decided_otherwise(&system, &point, label).map_err(refused)? {
                        return Err(EvalError::Witness(
                            "expected a point decided otherwise, found another".to_string(),
                        ));
                    }
                    let square = robust::distance_squared(norm, &x, &point);
                    Ok(Value::rational(&square, bits).sqrt(bits)?.lower_unbounded())
                }
                other => Err(silent(other, subject)),
            }
        }
        _ => Err(silent(witness, subject)),
    }
}

/// What the witness proves of the norm of a linear map from l2 to l2.
fn spectral(layer: &LayerMap, subject: &Term, witness: &Witness, bits: Bits) -> Result<Value, EvalError> {
    match witness {
        Witness::SpectralUpper(certificate) => {
            let square = layer.square_below(certificate).map_err(|error| EvalError::Witness(error.to_string()))?;
            Ok(Value::rational(&square, bits).sqrt(bits)?.lower_unbounded())
        }
        Witness::SpectralLower { vector } => {
            let square = layer
                .rayleigh_quotient(vector)
                .ok_or_else(|| EvalError::Witness("expected a nonzero vector with one entry per column".to_string()))?;
            Ok(Value::rational(&square, bits).sqrt(bits)?.upper_unbounded())
        }
        other => Err(silent(other, subject)),
    }
}

fn silent(witness: &Witness, subject: &Term) -> EvalError {
    EvalError::Witness(format!("a witness `{}` says nothing of `{subject}`", witness.name()))
}

/// Examples that are not proved robust at a radius.
fn robust_errors(
    classifier: &robust::Classifier,
    examples: &Examples,
    radius: &BigRational,
) -> Result<usize, LipError> {
    let mut count = 0;
    for (values, label) in examples.values.chunks(examples.dimension.max(1)).zip(&examples.labels) {
        let x = robust::point(values, &examples.scale);
        let label = usize::try_from(*label).unwrap_or(usize::MAX);
        count += usize::from(!classifier.is_robust(&x, label, radius)?);
    }
    Ok(count)
}

/// A law with noise in the last layer only, the network of its means, and the examples of a sample.
fn last_layer_noise<'o>(
    objects: &'o Objects,
    law: &Term,
    sample: &Term,
) -> Result<(&'o Law, &'o Network, &'o Examples), EvalError> {
    let (name, sample) = (symbol(law)?, symbol(sample)?);
    let Some(law) = objects.law(name).filter(|law| law.noise == Noise::LastLayer) else {
        let expected = format!("expected a law with noise in the last layer only, found `{name}`");
        return Err(EvalError::Witness(expected));
    };
    let network = objects.net(&law.mean).and_then(|net| net.network.as_deref());
    let examples = objects.sample(sample).and_then(|sample| sample.examples.as_deref());
    match (network, examples) {
        (Some(network), Some(examples)) => Ok((law, network, examples)),
        _ => Err(EvalError::Witness(format!("`{}` has no weights, or `{sample}` no examples", law.mean))),
    }
}

/// The norm pair of a symbol.
pub fn norms(norm: &str) -> Result<Norms, EvalError> {
    match norm {
        "l1" => Ok(Norms::L1),
        "l2" => Ok(Norms::L2),
        "linf" => Ok(Norms::LINF),
        other => Err(EvalError::Meaningless(format!("expected l1, l2 or linf, found `{other}`"))),
    }
}

/// A network with parameters, and the domain it is restricted to. Errors: a class, a dimension that does not fit.
pub fn restricted<'o>(
    objects: &'o Objects,
    map: &Term,
) -> Result<(&'o Arc<Network>, Option<lipschitz::Domain>), EvalError> {
    let (net, domain) = match map {
        Term::Quantity(on, parts) if on == "on" && parts.len() == 2 => (&parts[0], Some(symbol(&parts[1])?)),
        net => (net, None),
    };
    let net = symbol(net)?;
    let Some(network) = objects.net(net).and_then(|net| net.network.as_ref()) else {
        return Err(EvalError::Witness(format!("expected a network with weights, found `{net}`")));
    };
    let Some(name) = domain else { return Ok((network, None)) };
    let inputs: u128 = network.architecture().input.iter().product();
    let Some(domain) = objects.domain(name) else {
        return Err(EvalError::Witness(format!("expected a domain, found `{name}`")));
    };
    if domain.dimension() != Some(inputs) {
        return Err(EvalError::Meaningless(format!("expected a domain of {inputs} coordinates, found `{name}`")));
    }
    let domain = match domain {
        Domain::Box(runs) => {
            let mut intervals = Vec::new();
            for (count, low, high) in runs {
                for _ in 0..*count {
                    intervals.push((low.clone(), high.clone()));
                }
            }
            lipschitz::Domain::new(intervals)
        }
        Domain::Ball { dimension, radius, norm, center } => {
            // The network exists, so its dimension fits.
            let origin = || vec![BigRational::zero(); usize::try_from(*dimension).unwrap_or(0)];
            lipschitz::Domain::ball(center.clone().unwrap_or_else(origin), radius.clone(), norms(norm)?.input)
        }
    };
    let domain = domain.map_err(|error| EvalError::Witness(error.to_string()))?;
    Ok((network, Some(domain)))
}
