//! Witnesses: what the engine found, in a form that is cheap to check. Trust: kernel.

use super::eval::{EvalError, Evaluation};
use super::forward;
use super::intrinsic::symbol;
use super::psd;
use super::term::Term;
use super::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;

#[derive(Clone, Debug, PartialEq)]
pub enum Witness {
    /// The kernel computes the quantity itself: error counts, ranges by interval propagation.
    Computation,
    /// `sigma_max(W)^2 <= bound_squared`, by an integer factor of `bound_squared I - W'W`.
    SpectralUpper { bound_squared: BigRational, factor: psd::Witness },
    /// `|W v| / |v|` for this vector is a lower bound of `sigma_max(W)`.
    SpectralLower { vector: Vec<BigInt> },
}

impl Witness {
    pub fn name(&self) -> &'static str {
        match self {
            Witness::Computation => "computation",
            Witness::SpectralUpper { .. } => "positive_semidefinite",
            Witness::SpectralLower { .. } => "rayleigh_quotient",
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
            let examples = objects.sample(sample).and_then(|sample| sample.examples.as_ref());
            let (Some(network), Some(examples)) = (network, examples) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights, or `{sample}` no examples")));
            };
            let (low, high) = forward::errors(network, examples)?;
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
            let node = super::intrinsic::layer(evaluation, net, l)?.node;
            let network = objects.net(symbol(net)?).and_then(|net| net.network.as_ref());
            let Some(parameters) = network.and_then(|n| n.parameters().get(node)).and_then(Option::as_ref) else {
                return Err(EvalError::Witness(format!("`{net}` has no weights")));
            };
            match witness {
                Witness::SpectralUpper { bound_squared, factor } => {
                    psd::spectral_norm_at_most(&parameters.weight, bound_squared, factor)
                        .map_err(|error| EvalError::Witness(error.to_string()))?;
                    Ok(Value::rational(bound_squared, bits).sqrt(bits)?.lower_unbounded())
                }
                Witness::SpectralLower { vector } => {
                    let squared = psd::rayleigh_quotient(&parameters.weight, vector)
                        .map_err(|error| EvalError::Witness(error.to_string()))?;
                    Ok(Value::rational(&squared, bits).sqrt(bits)?.upper_unbounded())
                }
                Witness::Computation => Err(EvalError::Witness("a spectral norm needs a witness".to_string())),
            }
        }
        _ => Err(EvalError::Witness(format!("a witness `{}` says nothing of `{subject}`", witness.name()))),
    }
}
