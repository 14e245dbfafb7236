//! Robust radii of classifiers, as productions for the search. Trust: untrusted.

use super::lipschitz::inside::length;
use super::lipschitz::rows::Descent;
use super::lipschitz::{self, Effort};
use super::{Production, Request};
use crate::kernel::derive::End;
use crate::kernel::lipschitz::robust::{self, Certificate};
use crate::kernel::lipschitz::{Dyadic, LipError, Norm, Norms, System, possible};
use crate::kernel::net::Network;
use crate::kernel::object::{Examples, Objects};
use crate::kernel::term::Term;
use crate::kernel::witness::{self, Witness};
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// Networks of at most this many neurons get a certificate per pair of classes, others one for all.
const PAIRS_LIMIT: usize = 600;

/// Names of the methods.
pub const METHODS: [&str; 2] = ["margin_over_lipschitz", "adversarial_example"];

/// Proposals for one end of `robust_radius(f, S, k, p)` or `robust_errors(f, S, r, p)`.
pub fn produce(
    objects: &Objects,
    subject: &Term,
    (head, arguments): (&str, &[Term]),
    end: End,
    request: Request,
) -> Vec<Production> {
    let [Term::Name(net), Term::Name(sample), Term::Number(parameter), Term::Name(norm)] = arguments else {
        return Vec::new();
    };
    let network = objects.net(net).and_then(|net| net.network.as_deref());
    let examples = objects.sample(sample).and_then(|sample| sample.examples.as_deref());
    let (Some(network), Some(examples), Ok(norms)) = (network, examples, witness::norms(norm)) else {
        return Vec::new();
    };
    let production = match (head, end) {
        ("robust_errors", End::High) | ("robust_radius", End::Low) if request.admits(&METHODS[..1]) => {
            certificate(network, norms.input)
                .ok()
                .map(|certificate| Production::new(subject, Witness::Robust(certificate), METHODS[0]))
        }
        ("robust_errors", End::Low) if request.method.is_none() => {
            Some(Production::new(subject, Witness::Computation, "exact_evaluation"))
        }
        ("robust_radius", End::High) if request.admits(&METHODS[1..]) => {
            adversarial(network, norms.input, examples, parameter)
                .map(|point| Production::new(subject, Witness::Adversarial(point), METHODS[1]))
        }
        _ => None,
    };
    production.into_iter().collect()
}

/// Constants of all margins.
pub fn certificate(network: &Network, norm: Norm) -> Result<Certificate, LipError> {
    let system = System::new(network)?;
    if system.neurons.len() <= PAIRS_LIMIT {
        let margins = robust::margins(&system)?;
        return lipschitz::scalar_certificates(&margins, &possible(&system, None)?, norm).map(Certificate::Pairs);
    }
    let norms = if norm == Norm::Linf { Norms::LINF } else { Norms::L2 };
    let effort = Effort { gap: 1e-3, passes: 600, enclose: false };
    lipschitz::relaxation(network, norms, None, effort).map(|bound| Certificate::Whole(Box::new(bound.witness)))
}

/// A point near example `index` that is decided otherwise: on the segment to the nearest example of another decision, or along
/// the steepest descent of the smallest margin, whichever meets the boundary first.
fn adversarial(network: &Network, norm: Norm, examples: &Examples, index: &BigRational) -> Option<Vec<Dyadic>> {
    let system = System::new(network).ok()?;
    let index = index.to_integer().to_usize()?;
    let dimension = examples.dimension.max(1);
    let exact = |i: usize| -> Option<Vec<f64>> {
        let values = examples.values.chunks(dimension).nth(i)?;
        robust::point(values, &examples.scale).iter().map(ToPrimitive::to_f64).collect()
    };
    let label = *examples.labels.get(index)? as usize;
    let x = exact(index)?;
    let explorer = Descent::new(&system);
    let mut best: Option<(f64, Vec<f64>)> = None;
    let mut propose = |direction: &[f64]| {
        let along = |t: f64| x.iter().zip(direction).map(|(x, d)| x + t * d).collect::<Vec<f64>>();
        if explorer.margin(&along(1.0), label) >= 0.0 {
            return;
        }
        // The last point on the segment that is still decided as the label, by bisection.
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if explorer.margin(&along(middle), label) < 0.0 { high = middle } else { low = middle }
        }
        let size = length(norm, direction);
        // A little beyond the boundary, so that the exact evaluation is certain.
        let reach = high + 1e-9;
        if best.as_ref().is_none_or(|(least, _)| reach * size < *least) {
            best = Some((reach * size, along(reach)));
        }
    };
    if explorer.margin(&x, label) < 0.0 {
        propose(&vec![0.0; x.len()]);
    }
    for other in (0..examples.labels.len().min(2000)).filter(|i| examples.labels[*i] as usize != label) {
        if let Some(y) = exact(other) {
            propose(&y.iter().zip(&x).map(|(y, x)| y - x).collect::<Vec<f64>>());
        }
    }
    for other in 0..system.outputs.len().max(2) {
        if other == label {
            continue;
        }
        // Newton steps on the margin against one class, with the steepest direction in the norm.
        let mut point = x.clone();
        for _ in 0..60 {
            let (margin, gradient) = explorer.against(&point, label, other);
            let (dual, direction) = steepest(norm, &gradient);
            if dual.is_nan() || dual <= 0.0 {
                break;
            }
            let step = (margin + 1e-6 * margin.abs().max(1e-6)) / dual;
            point.iter_mut().zip(&direction).for_each(|(x, d)| *x -= step * d);
            let direction: Vec<f64> = point.iter().zip(&x).map(|(y, x)| y - x).collect();
            propose(&direction);
        }
    }
    let (_, point) = best?;
    lipschitz::branch::dyadic_point(&point)
}

/// The dual norm of a gradient, and the unit step along which a linear function grows fastest.
fn steepest(norm: Norm, gradient: &[f64]) -> (f64, Vec<f64>) {
    match norm {
        Norm::L2 => {
            let size = length(Norm::L2, gradient);
            (size, gradient.iter().map(|g| g / size).collect())
        }
        Norm::Linf => (length(Norm::L1, gradient), gradient.iter().map(|g| g.signum()).collect()),
        Norm::L1 => {
            let size = length(Norm::Linf, gradient);
            let first = gradient.iter().position(|g| g.abs() == size).unwrap_or(0);
            let unit = |(i, g): (usize, &f64)| if i == first { g.signum() } else { 0.0 };
            (size, gradient.iter().enumerate().map(unit).collect())
        }
    }
}
