//! Lipschitz constants of trained networks.
//!
//! Every producer proposes a witness in f64 and lets the kernel decide; see [`crate::kernel::lipschitz`]. Upper bounds hold for
//! the exact real function of the stored weights, on the whole space or on a box. All bounds are squares of constants.
//!
//! From cheap to tight: [`product`](fn@product), [`absolute_product`], [`jacobian`], [`combettes_pesquet`], [`layerwise`], [`relaxation`](fn@relaxation) (LipSDP-Neuron, solved through
//! its dual), [`branch_and_bound`]. Lower bounds: [`attained`].

#![expect(clippy::neg_cmp_op_on_partial_ord, reason = "a comparison with NaN must count as a failure")]

pub mod branch;
pub mod dual;
pub mod enclosure;
pub mod graph;
pub mod inside;
pub mod lower;
pub mod product;
pub mod progress;
pub mod recovery;
pub mod relaxation;
pub mod rows;

pub use branch::{Limits, Progress};
pub use relaxation::Effort;

use crate::kernel::lipschitz::{
    Branch, Domain, Dyadic, LipError, LowerWitness, Multipliers, Norm, Norms, Region, Slope, System, Witness, averaged,
    check_lower, check_upper, lower as exhibit, possible,
};
use crate::kernel::net::Network;
use crate::quantity::interrupt;
use dual::Noise;
use graph::{Slopes, to_f64};
use lower::Explorer;
use num_rational::BigRational;
use rayon::prelude::*;
use relaxation::Relaxation;

/// How a bound was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Product,
    AlmostOrthogonal,
    AbsoluteProduct,
    Jacobian,
    CombettesPesquet,
    /// Semidefinite multipliers in closed form, layer by layer (ECLipsE-Fast).
    Layerwise,
    LipSdpNeuron,
    BranchAndBound,
}

/// A certified upper bound.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The square of the constant is at most this.
    pub square: BigRational,
    pub witness: Witness,
    pub method: Method,
    /// What else was seen; observations, not claims.
    pub notes: Vec<String>,
}

/// A certified lower bound.
#[derive(Clone, Debug)]
pub struct Attained {
    /// The square of the constant is at least this.
    pub square: BigRational,
    pub witness: LowerWitness,
}

/// Result of [`branch_and_bound`].
#[derive(Clone, Debug)]
pub struct Enclosure {
    pub upper: Bound,
    /// Exhibited on a box; globally when the search for points found one.
    pub lower: Option<Attained>,
    /// Norm of the largest activation pattern found. The global tree closes against it; patterns need not be reachable.
    pub pattern: Option<f64>,
    /// Whether the tree was finished within the limits.
    pub closed: bool,
    pub nodes: u64,
    pub passes: u64,
}

/// The product of layer norms: exact for l1 and linf, certified spectral norms for l2.
pub fn product(network: &Network, norms: Norms) -> Result<Bound, LipError> {
    let (witness, square) = product::product(network, norms)?;
    Ok(Bound { square, witness, method: Method::Product, notes: Vec::new() })
}

/// The product of the bounds `|W|^2 <= max_i sum_j |W'W|_ij`, which is of l2: in l1 and linf the norms themselves are sums.
pub fn almost_orthogonal(network: &Network, norms: Norms) -> Result<Bound, LipError> {
    if norms.input != Norm::L2 {
        return Err(LipError::NotProved);
    }
    let (witness, square) = product::almost_orthogonal(network, norms)?;
    Ok(Bound { square, witness, method: Method::AlmostOrthogonal, notes: Vec::new() })
}

/// The norm of the product of the layers' magnitudes; on a domain an interval Jacobian.
pub fn absolute_product(network: &Network, norms: Norms, domain: Option<&Domain>) -> Result<Bound, LipError> {
    let witness = Witness::AbsoluteProduct;
    let square = check_upper(network, norms, domain, &witness)?;
    Ok(Bound { square, witness, method: Method::AbsoluteProduct, notes: Vec::new() })
}

/// Affine forms of the derivatives: a linear relaxation of the Jacobian.
pub fn jacobian(network: &Network, norms: Norms, domain: Option<&Domain>) -> Result<Bound, LipError> {
    let witness = Witness::Jacobian;
    let square = check_upper(network, norms, domain, &witness)?;
    Ok(Bound { square, witness, method: Method::Jacobian, notes: Vec::new() })
}

/// The recursion of Combettes and Pesquet (LipLT): constants of the groups of neurons one after another, in l1, l2 or linf.
pub fn combettes_pesquet(network: &Network, norms: Norms, domain: Option<&Domain>) -> Result<Bound, LipError> {
    let system = System::new(network)?;
    let slopes = possible(&system, domain.map(Region::new).as_ref())?;
    let norm = norms.product_norm(system.outputs.len())?;
    let maps = averaged::Maps::new(&system, &slopes, norm)?;
    let propose = |pair: &averaged::Pair| match norm {
        Norm::L2 => product::spectral_square(&pair.operator),
        Norm::L1 | Norm::Linf => None,
    };
    let squares: Vec<Vec<_>> = maps.pairs.iter().map(|row| row.iter().map(propose).collect()).collect();
    let square = maps.bound(&squares)?.to_rational();
    Ok(Bound { square, witness: Witness::Averaged(squares), method: Method::CombettesPesquet, notes: Vec::new() })
}

/// LipSDP-Neuron on the whole space or on a domain: its optimum up to `effort.gap`, certified.
pub fn relaxation(network: &Network, norms: Norms, domain: Option<&Domain>, effort: Effort) -> Result<Bound, LipError> {
    let (bound, settled) = match semidefinite(network, norms, domain, Some(effort)) {
        Ok((bound, settled)) => (Ok(bound), settled),
        Err(error) => (Err(error), false),
    };
    if settled {
        return bound;
    }
    // Very deep networks may end far from the optimum, and constant ones have none: the cheap bounds stand beside it.
    let cheap = [product(network, norms), absolute_product(network, norms, domain)];
    let cheapest = cheap.into_iter().flatten().min_by(|a, b| a.square.cmp(&b.square));
    match (bound, cheapest) {
        (Ok(bound), Some(cheap)) if cheap.square < bound.square => Ok(cheap),
        (Ok(bound), _) => Ok(bound),
        (Err(LipError::NotProved), Some(cheap)) => Ok(cheap),
        (Err(error), _) => Err(error),
    }
}

/// Certificates for every output by itself, of a system with given slopes.
pub fn scalar_certificates(system: &System, slopes: &[Slope], norm: Norm) -> Result<Vec<Multipliers>, LipError> {
    let floats = Slopes::new(slopes);
    let input = if norm == Norm::Linf { Norm::Linf } else { Norm::L2 };
    let effort = Effort { gap: 1e-6, passes: 4000, enclose: false };
    let solve = |o: usize| Relaxation::new(system, o..o + 1, input, &floats).solve(slopes, effort);
    (0..system.outputs.len()).into_par_iter().map(|o| solve(o).map(|solution| solution.multipliers)).collect()
}

/// Semidefinite multipliers in closed form: no iteration, for any graph.
pub fn layerwise(network: &Network, norms: Norms, domain: Option<&Domain>) -> Result<Bound, LipError> {
    semidefinite(network, norms, domain, None).map(|(bound, _)| bound)
}

/// The bound, and whether it is within a percent of the dual value.
fn semidefinite(
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    effort: Option<Effort>,
) -> Result<(Bound, bool), LipError> {
    let system = System::new(network)?;
    let region = domain.map(Region::new);
    let slopes = possible(&system, region.as_ref())?;
    let floats = Slopes::new(&slopes);
    let count = system.outputs.len();
    let parts: Vec<std::ops::Range<usize>> = if norms.output_is_l2(count)? {
        std::iter::once(0..count).collect()
    } else {
        (0..count).map(|o| o..o + 1).collect()
    };
    let input = if norms.input == Norm::Linf { Norm::Linf } else { Norm::L2 };
    let (mut certificates, mut square, mut settled) = (Vec::new(), Dyadic::ZERO, true);
    // The bound is the largest of all parts, and so is the optimum.
    let (mut optimum, mut is_pattern) = (None, false);
    let solve = |outputs: std::ops::Range<usize>, effort: Option<Effort>| {
        let relaxation = Relaxation::new(&system, outputs, input, &floats);
        match effort {
            Some(effort) => relaxation.solve(&slopes, effort),
            None => relaxation.solve_layerwise(&slopes),
        }
    };
    // The lower end of one part is enough, that of the part with the largest bound.
    let is_whole = parts.len() == 1;
    let first = effort.map(|effort| Effort { enclose: effort.enclose && is_whole, ..effort });
    let solutions: Vec<_> = parts.par_iter().map(|outputs| solve(outputs.clone(), first)).collect();
    let mut solutions = solutions.into_iter().collect::<Result<Vec<_>, _>>()?;
    let worst = (0..solutions.len()).max_by(|a, b| solutions[*a].upper.cmp(&solutions[*b].upper));
    if let (Some(worst), false, Some(true)) = (worst, is_whole, effort.map(|effort| effort.enclose)) {
        solutions[worst] = solve(parts[worst].clone(), effort)?;
    }
    for solution in solutions {
        optimum = optimum.max(solution.optimum_below);
        is_pattern = solution.rank == 1;
        settled &= to_f64(&solution.upper, -solution.exponent) <= 1.02 * solution.dual;
        // The kernel has accepted each of them.
        square = square.max(solution.upper);
        certificates.push(solution.multipliers);
    }
    let (witness, certificates) = (Witness::Tree(vec![Branch::Leaf(certificates.clone())]), certificates.len());
    let square = square.to_rational();
    let method = if effort.is_some() { Method::LipSdpNeuron } else { Method::Layerwise };
    let mut notes = Vec::new();
    if let Some(optimum) = optimum {
        notes.push(format!("the optimum of LipSDP-Neuron is at least {}", crate::num::decimal::lower(&optimum, 12)));
    }
    if is_pattern && certificates == 1 {
        notes.push("numerical rank 1: LipSDP-Neuron is exact over activation patterns".to_string());
    }
    Ok((Bound { square, witness, method, notes }, settled))
}

/// The exact constant up to a tolerance: on a box of the network itself, globally over all activation patterns.
/// `progress` returning `false` interrupts; the bound reached so far is certified all the same.
pub fn branch_and_bound(
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    limits: Limits,
    progress: impl FnMut(Progress) -> bool,
) -> Result<Enclosure, LipError> {
    let system = System::new(network)?;
    let region = domain.map(Region::new);
    let slopes = possible(&system, region.as_ref())?;
    let found = branch::Search::new(&system, norms, region.as_ref(), &slopes, limits)?.run(region.clone(), progress)?;
    // Every leaf has passed the kernel already; the whole tree is checked where the bound is used.
    let (witness, square) = (Witness::Tree(found.tree), found.upper.to_rational());
    let lower = match domain {
        Some(_) => found.witness.and_then(|witness| {
            let square = exhibit::check(&system, norms, domain, &witness).ok()?;
            Some(Attained { square, witness })
        }),
        None => attained_on(&system, norms, None, BRIEF).ok(),
    };
    let pattern = domain.is_none().then_some(found.lower);
    let upper = Bound { square, witness, method: Method::BranchAndBound, notes: Vec::new() };
    Ok(Enclosure { upper, lower, pattern, closed: found.closed, nodes: found.nodes, passes: found.passes })
}

/// A lower bound by a point with a large Jacobian (or two near points), found by sampling and climbing; `tries` scales the work.
pub fn attained(network: &Network, norms: Norms, domain: Option<&Domain>, tries: usize) -> Result<Attained, LipError> {
    let attained = attained_on(&System::new(network)?, norms, domain, tries)?;
    // The kernel's entry point judges once more.
    let square = check_lower(network, norms, domain, &attained.witness)?;
    Ok(Attained { square, ..attained })
}

/// Work of a search for points that only shows how far an upper bound may be off.
pub const BRIEF: usize = 40;
/// Steps off a kink that are tried.
const NUDGES: usize = 8;
/// A lower bound is searched several times from this many tries on: in pairs, until both find the same.
const LONG: usize = 100;
const PAIRS: u64 = 2;
const AGREEMENT: f64 = 1e-4;

fn attained_on(system: &System, norms: Norms, domain: Option<&Domain>, tries: usize) -> Result<Attained, LipError> {
    // Kinks lie where biases balance weights; boxes of several sizes meet them.
    let regions: Vec<Region> = match domain {
        Some(domain) => vec![Region::new(domain)],
        None => [0, -1, 1, 2, -2, 3, 4, 7].map(|exponent| Region::cube(system.inputs, exponent)).into(),
    };
    let Some(first) = regions.first() else { return Err(LipError::NotProved) };
    let explore = |seed: u64| {
        let mut explorer = Explorer::new(system, norms, first, domain.is_some());
        explorer.search(&regions, &mut Noise::new(11 + seed), tries as u64);
        explorer
    };
    let mut explorers = Vec::new();
    if tries < LONG {
        explorers.push(explore(0));
    } else {
        // Steep points are few: several searches that know nothing of each other find more than a long one.
        for pair in 0..PAIRS {
            let (first, second) = rayon::join(|| explore(2 * pair), || explore(2 * pair + 1));
            let agree = (first.best - second.best).abs() <= AGREEMENT * first.best;
            explorers.extend([first, second]);
            if agree || interrupt::is_requested() {
                break;
            }
        }
    }
    let best = explorers.into_iter().max_by(|a, b| a.best.total_cmp(&b.best));
    let mut best = best.ok_or(LipError::NotProved)?;
    // The best point may lie on a kink, where there is no derivative; beside it there is.
    let mut noise = Noise::new(11);
    for _ in 0..NUDGES {
        let witness = best.witness().ok_or(LipError::NotProved)?;
        match exhibit::check(system, norms, domain, &witness) {
            Err(LipError::Kink { .. }) => best.nudge(&mut noise),
            result => return result.map(|square| Attained { square, witness }),
        }
    }
    Err(LipError::NotProved)
}

/// A certified radius: no perturbation of norm at most the result changes the decision of a classifier whose margin at the point
/// is `margin`, when the margin function has the Lipschitz constant `sqrt(square)`. Rounded down; `None` without a positive margin.
///
/// `|m(x) - m(y)| <= L |x - y|`, so the margin stays nonnegative within `margin / L`.
pub fn robust_radius(margin: &BigRational, square: &BigRational) -> Option<BigRational> {
    use num_traits::{Signed, Zero};
    if !margin.is_positive() || square.is_negative() || square.is_zero() {
        return None;
    }
    let constant = crate::kernel::lipschitz::dyadic::sqrt_above(square, 64).to_rational();
    Some(margin / constant)
}
