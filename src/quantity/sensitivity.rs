//! Lipschitz constants of networks with weights, as productions for the search. Trust: untrusted.

use super::lipschitz::graph::to_f64;
use super::lipschitz::progress::{SearchBar, spinning};
use super::lipschitz::{self, Bound, Effort, Limits};
use super::{Production, Request, interrupt};
use crate::kernel::derive::End;
use crate::kernel::lipschitz::dyadic::sqrt_above;
use crate::kernel::lipschitz::{Domain, Dyadic, LipError, LowerWitness, Norm, Norms, Region, System, possible};
use crate::kernel::net::Network;
use crate::kernel::object::Objects;
use crate::kernel::term::Term;
use crate::kernel::witness::{self, Witness};
use crate::num::decimal;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::time::Instant;

/// Work of the search for a lower bound that a claim asks for.
const TRIES: usize = 1000;
/// Nodes of a branch and bound; a limit on work, not on time, so that results do not depend on the machine.
const NODES: u64 = 20_000;
/// Part of a time limit that the search takes; the rest is for the certificates of what it leaves open.
const SEARCH_SHARE: f64 = 0.75;
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
        // A step towards another constant needs its upper end.
        End::Low if !request.quick && request.admits(&["attained", "branch_and_bound"]) => {
            let attained = spinning("attained", || lipschitz::attained(network, norms, domain.as_ref(), TRIES));
            let production = |found: lipschitz::Attained| {
                let shown = exhibited(&found.witness);
                let mut production = Production::new(subject, Witness::LipschitzLower(found.witness), "attained");
                production.notes.push(shown);
                production
            };
            attained.ok().map(production).into_iter().collect()
        }
        End::Low => Vec::new(),
    }
}

/// Why no method proposes a bound.
pub fn why_not(objects: &Objects, map: &Term, norm: &str, end: End, request: Request) -> Option<String> {
    const OTHERS: &str = "`jacobian`, `combettes_pesquet`, `absolute_product` and `norm_product`";
    let (Ok((network, domain)), Ok(norms)) = (witness::restricted(objects, map), witness::norms(norm)) else {
        return None;
    };
    let system = match System::new(network) {
        Ok(system) => system,
        Err(error @ LipError::TooLarge(_)) => {
            return Some(format!("{error}; `norm_product` in l1 and linf still works"));
        }
        Err(error) => return Some(error.to_string()),
    };
    if let Err(error) = possible(&system, domain.as_ref().map(Region::new).as_ref()) {
        return Some(error.to_string());
    }
    match (end, request.method?) {
        (End::High, "attained") => Some("a point shows a bound from below: write `>= ?`".to_string()),
        (End::High, "aol") if norms.input != Norm::L2 => {
            Some("it bounds l2; in l1 and linf `norm_product` has the norms themselves".to_string())
        }
        (End::High, "lipsdp" | "eclipse_fast" | "branch_and_bound") => {
            let error = norms.output_is_l2(system.outputs.len()).err()?;
            Some(format!("{error}; in l1 there are {OTHERS}"))
        }
        _ => None,
    }
}

/// A witness in words, when it fits on a line. The numbers are the shortest decimals that name the points' f64.
fn exhibited(witness: &LowerWitness) -> String {
    const SHOWN: usize = 6;
    let vector = |point: &[Dyadic]| {
        let shown: Vec<String> = point.iter().take(SHOWN).map(|x| to_f64(x, 0).to_string()).collect();
        match point.len().checked_sub(SHOWN) {
            None | Some(0) => format!("({})", shown.join(", ")),
            Some(rest) => format!("({}, and {rest} more)", shown.join(", ")),
        }
    };
    match witness {
        LowerWitness::Direction { point, direction } => {
            format!("attained at x = {} in the direction {}", vector(point), vector(direction))
        }
        LowerWitness::Pair { from, to } => format!("attained between x = {} and {}", vector(from), vector(to)),
    }
}

/// A named bound.
type Method = fn(&Network, Norms, Option<&Domain>) -> Result<Bound, LipError>;

/// When a method is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Always,
    /// Unless the bound is a step towards another.
    Goal,
}

/// Methods that a claim may name.
const UPPER: &[(&str, Turn, Method)] = &[
    ("norm_product", Turn::Always, |network, norms, _| lipschitz::product(network, norms)),
    ("absolute_product", Turn::Always, lipschitz::absolute_product),
    ("jacobian", Turn::Goal, lipschitz::jacobian),
    ("combettes_pesquet", Turn::Always, lipschitz::combettes_pesquet),
    ("aol", Turn::Goal, |network, norms, _| lipschitz::almost_orthogonal(network, norms)),
    ("eclipse_fast", Turn::Goal, lipschitz::layerwise),
    ("lipsdp", Turn::Goal, |network, norms, domain| {
        lipschitz::relaxation(network, norms, domain, Effort { enclose: true, ..Effort::default() })
    }),
];

fn upper(
    subject: &Term,
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    request: Request,
) -> Vec<Production> {
    if request.method == Some("branch_and_bound") {
        return branch_and_bound(subject, network, norms, domain, request).into_iter().collect();
    }
    let wanted = UPPER.iter().filter(|(name, turn, _)| match request.method {
        Some(method) => method == *name,
        None => *turn == Turn::Always || *turn == Turn::Goal && !request.quick,
    });
    let is_wanted = |_: &&(&'static str, Turn, Method)| request.method.is_some() || !interrupt::is_requested();
    let bound = |(name, _, method): &(&'static str, Turn, Method)| {
        let bound = spinning(name, || method(network, norms, domain)).ok()?;
        let mut production = Production::new(subject, Witness::LipschitzUpper(bound.witness), name);
        production.notes = bound.notes;
        Some((bound.square, production))
    };
    let mut found: Vec<(BigRational, Production)> = wanted.take_while(is_wanted).filter_map(bound).collect();
    // Among all methods the best shows how far it may be off.
    if request.method.is_none()
        && !request.quick
        && !interrupt::is_requested()
        && let Some((square, best)) = found.iter_mut().min_by(|a, b| a.0.cmp(&b.0))
        && let Ok(attained) = spinning("attained", || lipschitz::attained(network, norms, domain, lipschitz::BRIEF))
    {
        best.notes.push(distance(square, &attained.square));
    }
    found.into_iter().map(|(_, production)| production).collect()
}

/// What is attained below a bound, and the gap; both by their squares, which may lie beyond the range of f64.
fn distance(upper: &BigRational, attained: &BigRational) -> String {
    if attained.is_zero() {
        return "attained 0".to_string();
    }
    let ratio = (upper / attained).to_f64().unwrap_or(f64::INFINITY).sqrt();
    let constant = sqrt_above(attained, 64).to_rational();
    format!("attained {}, gap {}", decimal::lower(&constant, DIGITS), gap(ratio))
}

/// Digits of numbers that only inform.
const DIGITS: usize = 7;

/// How far a ratio is above 1.
fn gap(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    if percent < 1e6 { format!("{percent:.2} %") } else { format!("{percent:.1e} %") }
}

/// `branch_and_bound(tol: 1%)`.
fn branch_and_bound(
    subject: &Term,
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    request: Request,
) -> Option<Production> {
    let number = |key: &str| {
        request.options.iter().find_map(|(name, term)| match term {
            Term::Number(q) if name == key => q.to_f64(),
            _ => None,
        })
    };
    let tolerance = number("tol").unwrap_or(0.01).max(1e-9);
    // Without a time the work is limited, so that results do not depend on the machine.
    let (nodes, passes) = if request.within.is_some() { (u64::MAX, u64::MAX) } else { (NODES, PASSES) };
    let start = Instant::now();
    let mut bar = SearchBar::new();
    let mut stopped = None;
    let found = lipschitz::branch_and_bound(network, norms, domain, Limits { tolerance, nodes, passes }, |progress| {
        bar.show(progress);
        if interrupt::is_requested() {
            stopped = Some("interrupted".to_string());
        } else if request.within.is_some_and(|within| start.elapsed() >= within.mul_f64(SEARCH_SHARE)) {
            stopped = Some("out of time".to_string());
        }
        stopped.is_none()
    });
    drop(bar);
    let found = found.ok()?;
    let mut production = Production::new(subject, Witness::LipschitzUpper(found.upper.witness), "branch_and_bound");
    if let Some(lower) = &found.lower {
        production.notes.push(format!("{}, {} nodes", distance(&found.upper.square, &lower.square), found.nodes));
    }
    let upper = found.upper.square.to_f64().unwrap_or(f64::INFINITY).sqrt();
    // Both are only compared where they are within the range of f64.
    if let Some(pattern) = found.pattern.filter(|pattern| pattern.is_normal() && upper.is_normal()) {
        production.notes.push(format!(
            "the largest activation pattern found has norm about {}, gap {}; patterns need not be reachable",
            BigRational::from_float(pattern).map_or_else(|| pattern.to_string(), |x| decimal::lower(&x, DIGITS)),
            gap(upper / pattern)
        ));
    }
    if !found.closed {
        let why = stopped.unwrap_or_else(|| "stopped".to_string());
        production.notes.push(format!("{why} at {} nodes, before the tolerance was reached", found.nodes));
    }
    Some(production)
}
