//! Lipschitz constants of networks with weights, as productions for the search. Trust: untrusted.

use super::lipschitz::{self, Bound, Limits};
use super::{Production, Request};
use crate::kernel::derive::End;
use crate::kernel::lipschitz::{Domain, LipError, Norms};
use crate::kernel::net::Network;
use crate::kernel::object::Objects;
use crate::kernel::term::Term;
use crate::kernel::witness::{self, Witness};
use num_traits::ToPrimitive;

/// Points tried for a lower bound.
const TRIES: usize = 200;
/// Nodes of a branch and bound; a limit on work, not on time, so that results do not depend on the machine.
const NODES: u64 = 20_000;
const PASSES: u64 = 2_000_000;

/// Proposals for one end of `lip(map, norm)`.
pub fn produce(
    objects: &Objects,
    subject: &Term,
    map: &Term,
    norm: &str,
    end: End,
    request: Request,
) -> Vec<Production> {
    let (Ok((network, domain)), Ok(norms)) = (witness::restricted(objects, map), witness::norms(norm)) else {
        return Vec::new();
    };
    match end {
        End::High => upper(subject, network, norms, domain.as_ref(), request),
        End::Low if request.admits(&["attained", "branch_and_bound"]) => {
            let attained = lipschitz::attained(network, norms, domain.as_ref(), TRIES);
            let production = |found: lipschitz::Attained| {
                Production::new(subject, Witness::LipschitzLower(found.witness), "attained")
            };
            attained.ok().map(production).into_iter().collect()
        }
        End::Low => Vec::new(),
    }
}

fn upper(
    subject: &Term,
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    request: Request,
) -> Vec<Production> {
    let mut found: Vec<(Result<Bound, LipError>, &str)> = Vec::new();
    if request.admits(&["norm_product"]) {
        found.push((lipschitz::product(network, norms), "norm_product"));
    }
    if request.admits(&["absolute_product"]) {
        found.push((lipschitz::absolute_product(network, norms, domain), "absolute_product"));
    }
    if request.method == Some("aol") {
        found.push((lipschitz::almost_orthogonal(network, norms), "aol"));
    }
    if request.admits(&["lipsdp"]) {
        found.push((lipschitz::relaxation(network, norms, domain, lipschitz::Effort::default()), "lipsdp"));
    }
    if request.method == Some("branch_and_bound") {
        return branch_and_bound(subject, network, norms, domain, request).into_iter().collect();
    }
    let production = |(bound, name): (Result<Bound, LipError>, &str)| {
        let bound = bound.ok()?;
        let mut production = Production::new(subject, Witness::LipschitzUpper(bound.witness), name);
        production.notes = bound.notes;
        Some(production)
    };
    found.into_iter().filter_map(production).collect()
}

/// `branch_and_bound(tol: 1%)`.
fn branch_and_bound(
    subject: &Term,
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    request: Request,
) -> Option<Production> {
    let tolerance = request.options.iter().find_map(|(name, term)| match term {
        Term::Number(q) if name == "tol" => q.to_f64(),
        _ => None,
    });
    let limits = Limits { tolerance: tolerance.unwrap_or(0.01).max(1e-9), nodes: NODES, passes: PASSES };
    let found = lipschitz::branch_and_bound(network, norms, domain, limits, |_| true).ok()?;
    let mut production = Production::new(subject, Witness::LipschitzUpper(found.upper.witness), "branch_and_bound");
    if let Some(lower) = &found.lower {
        let attained = lower.square.to_f64().unwrap_or(0.0).sqrt();
        let upper = found.upper.square.to_f64().unwrap_or(f64::INFINITY).sqrt();
        let gap = 100.0 * (upper / attained - 1.0);
        production.notes.push(format!("attained {attained:.6}, gap {gap:.2} %, {} nodes", found.nodes));
    }
    if !found.closed {
        production.notes.push(format!("stopped at {} nodes before the tolerance was reached", found.nodes));
    }
    Some(production)
}
