//! Producers of witnesses: floating-point searches whose results the kernel checks. Trust: untrusted.

pub mod interrupt;
pub mod lipschitz;
mod norm;
mod robustness;
mod sensitivity;
pub mod spectral_witness;

use crate::kernel::derive::{End, Step};
use crate::kernel::object::{Noise, Objects};
use crate::kernel::term::Term;
use crate::kernel::witness::Witness;
use std::time::Duration;

/// A step that the engine proposes for a quantity.
#[derive(Clone, Debug)]
pub struct Production {
    pub step: Step,
    /// The method, as a report names it.
    pub method: String,
    pub notes: Vec<String>,
}

impl Production {
    fn new(subject: &Term, witness: Witness, method: &str) -> Production {
        let step = Step::Witness { subject: subject.clone(), witness };
        Production { step, method: method.to_string(), notes: Vec::new() }
    }
}

/// Which method a claim names, and its options (`tol: 1%`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    pub method: Option<&'a str>,
    pub options: &'a [(String, Term)],
    /// What a search with bounds on both sides may take; without it such a search is limited by its work.
    pub within: Option<Duration>,
    /// On the way to a bound of another constant of the same kind, where slow methods have their own turn.
    pub quick: bool,
}

impl Request<'_> {
    /// Whether a producer with one of these names is asked for, or nothing particular is.
    pub fn admits(&self, names: &[&str]) -> bool {
        self.method.is_none_or(|method| names.contains(&method))
    }
}

/// Methods that a claim may name beside theorems.
pub const METHODS: &[&str] = &[
    "interval_propagation",
    "norm_product",
    "absolute_product",
    "jacobian",
    "combettes_pesquet",
    "aol",
    "eclipse_fast",
    "lipsdp",
    "branch_and_bound",
    "attained",
    "margin_over_lipschitz",
    "adversarial_example",
];

/// The producers as the search sees them.
pub trait Producers {
    /// Proposals for one end of a quantity with canonical arguments.
    fn produce(&self, objects: &Objects, subject: &Term, end: End, request: Request) -> Vec<Production>;

    /// Why nothing is proposed, where that has a reason that a user can act on.
    fn why_not(&self, _objects: &Objects, _subject: &Term, _end: End, _request: Request) -> Option<String> {
        None
    }
}

/// All producers of this module.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

impl Producers for Engine {
    fn why_not(&self, objects: &Objects, subject: &Term, end: End, request: Request) -> Option<String> {
        match subject {
            Term::Quantity(head, arguments) if head == "lip" => match arguments.as_slice() {
                [map, Term::Name(norm)] => sensitivity::why_not(objects, map, norm, end, request),
                _ => None,
            },
            _ => None,
        }
    }

    fn produce(&self, objects: &Objects, subject: &Term, end: End, request: Request) -> Vec<Production> {
        let Term::Quantity(head, arguments) = subject else { return Vec::new() };
        match (head.as_str(), arguments.as_slice()) {
            ("errors", [_, _]) | ("margin_error" | "margin_quantile", [_, _, _]) if request.method.is_none() => {
                vec![Production::new(subject, Witness::Computation, "exact_evaluation")]
            }
            ("drawn_errors", [Term::Name(law), _, Term::Number(_)])
                if request.method.is_none() && objects.law(law).is_some_and(|law| law.noise == Noise::LastLayer) =>
            {
                vec![Production::new(subject, Witness::Computation, "seeded_draws")]
            }
            // The kernel's quadrature; a law with noise in all layers must be drawn from.
            ("empirical_gibbs_risk", [Term::Name(law), _, _])
                if request.method.is_none() && objects.law(law).is_some_and(|law| law.noise == Noise::LastLayer) =>
            {
                vec![Production::new(subject, Witness::Computation, "quadrature")]
            }
            ("range", [Term::Quantity(on, map)]) if on == "on" && request.admits(&["interval_propagation"]) => {
                let is_concrete = matches!(map.as_slice(), [Term::Name(net), _]
                    if objects.net(net).is_some_and(|net| net.network.is_some()));
                if is_concrete {
                    vec![Production::new(subject, Witness::Computation, "interval_propagation")]
                } else {
                    Vec::new()
                }
            }
            ("weight_norm" | "operator_norm", [Term::Name(net), Term::Number(l), Term::Name(norm)])
                if norm == "l2" && request.method.is_none() =>
            {
                norm::spectral(objects, subject, head, net, l, end).into_iter().collect()
            }
            ("robust_radius" | "robust_errors", arguments) => {
                robustness::produce(objects, subject, (head, arguments), end, request)
            }
            ("lip", [map, Term::Name(norm)]) => sensitivity::produce(objects, subject, map, norm, end, request),
            _ => Vec::new(),
        }
    }
}
