//! Lipschitz constants of trained networks.
//!
//! Every producer proposes a witness in f64 and lets the kernel decide; see [`crate::kernel::lipschitz`]. Upper bounds hold for
//! the exact real function of the stored weights, on the whole space or on a box. All bounds are squares of constants.
//!
//! From cheap to tight: [`product`](fn@product), [`absolute_product`], [`relaxation`](fn@relaxation) (LipSDP-Neuron, solved through
//! its dual), [`branch_and_bound`]. Lower bounds: [`attained`].

#![expect(clippy::neg_cmp_op_on_partial_ord, reason = "a comparison with NaN must count as a failure")]

pub mod branch;
pub mod dual;
pub mod graph;
pub mod lower;
pub mod product;
pub mod recovery;
pub mod relaxation;

pub use branch::{Limits, Progress};
pub use relaxation::Effort;

use crate::kernel::lipschitz::{
    Branch, Domain, LipError, LowerWitness, Norm, Norms, Region, Slope, System, Witness, check_lower, check_upper,
    lower as exhibit, tree,
};
use crate::kernel::net::Network;
use dual::Noise;
use graph::{Slopes, ldexp, to_f64};
use lower::Explorer;
use num_rational::BigRational;
use relaxation::Relaxation;

/// How a bound was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Product,
    AlmostOrthogonal,
    AbsoluteProduct,
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

/// The product of the bounds `|W|^2 <= max_i sum_j |W'W|_ij`.
pub fn almost_orthogonal(network: &Network, norms: Norms) -> Result<Bound, LipError> {
    let (witness, square) = product::almost_orthogonal(network, norms)?;
    Ok(Bound { square, witness, method: Method::AlmostOrthogonal, notes: Vec::new() })
}

/// The norm of the product of the layers' magnitudes; on a domain an interval Jacobian.
pub fn absolute_product(network: &Network, norms: Norms, domain: Option<&Domain>) -> Result<Bound, LipError> {
    let witness = Witness::AbsoluteProduct;
    let square = check_upper(network, norms, domain, &witness)?;
    Ok(Bound { square, witness, method: Method::AbsoluteProduct, notes: Vec::new() })
}

fn node_slopes(system: &System, region: Option<&Region>) -> Result<Vec<Slope>, LipError> {
    let signs = vec![None; system.neurons.len()];
    tree::slopes(system, region, &signs)?.ok_or(LipError::NotProved)
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
    let slopes = node_slopes(&system, region.as_ref())?;
    let floats = Slopes::new(&slopes);
    let count = system.outputs.len();
    let parts: Vec<std::ops::Range<usize>> = if norms.output_is_l2(count)? {
        std::iter::once(0..count).collect()
    } else {
        (0..count).map(|o| o..o + 1).collect()
    };
    let input = if norms.input == Norm::Linf { Norm::Linf } else { Norm::L2 };
    let (mut certificates, mut notes, mut settled) = (Vec::new(), Vec::new(), true);
    for outputs in parts {
        let relaxation = Relaxation::new(&system, outputs, input, &floats);
        let solution = match effort {
            Some(effort) => relaxation.solve(&slopes, effort)?,
            None => relaxation.solve_layerwise(&slopes)?,
        };
        if effort.is_some() {
            let dual = ldexp(solution.dual.sqrt(), solution.exponent / 2);
            notes.push(format!("the relaxation's optimum is at least about {dual:.10e} ({} passes)", solution.passes));
        }
        if solution.rank == 1 {
            notes.push(
                "the dual optimum has numerical rank 1: the relaxation equals its largest activation pattern".into(),
            );
        }
        settled &= to_f64(&solution.upper, -solution.exponent) <= 1.02 * solution.dual;
        certificates.push(solution.multipliers);
    }
    let witness = Witness::Tree(vec![Branch::Leaf(certificates)]);
    let square = check_upper(network, norms, domain, &witness)?;
    let method = if effort.is_some() { Method::LipSdpNeuron } else { Method::Layerwise };
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
    let slopes = node_slopes(&system, region.as_ref())?;
    let found = branch::Search::new(&system, norms, region.as_ref(), &slopes, limits)?.run(region.clone(), progress)?;
    // Every leaf has passed the kernel already; the whole tree is checked where the bound is used.
    let (witness, square) = (Witness::Tree(found.tree), found.upper.to_rational());
    let lower = match domain {
        Some(_) => found.witness.and_then(|witness| {
            let square = exhibit::check(&system, norms, domain, &witness).ok()?;
            Some(Attained { square, witness })
        }),
        None => attained_on(&system, norms, None, 200).ok(),
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

fn attained_on(system: &System, norms: Norms, domain: Option<&Domain>, tries: usize) -> Result<Attained, LipError> {
    let mut noise = Noise::new(11);
    let explorer = match domain.map(Region::new) {
        Some(region) => {
            let mut explorer = Explorer::new(system, norms, &region, true);
            explorer.sample(&region, &mut noise, tries);
            explorer.climb(&mut noise, tries);
            explorer
        }
        None => {
            // Kinks lie where biases balance weights; boxes of several sizes meet them.
            let cube = |exponent: i64| Region {
                lower: vec![-&crate::kernel::lipschitz::Dyadic::ONE.scaled(exponent); system.inputs],
                upper: vec![crate::kernel::lipschitz::Dyadic::ONE.scaled(exponent); system.inputs],
            };
            let mut explorer = Explorer::new(system, norms, &cube(0), false);
            for exponent in [-2, 0, 2, 4, 7] {
                explorer.sample(&cube(exponent), &mut noise, tries / 5 + 1);
            }
            explorer.climb(&mut noise, tries);
            explorer
        }
    };
    let witness = explorer.witness().ok_or(LipError::NotProved)?;
    let square = exhibit::check(system, norms, domain, &witness)?;
    Ok(Attained { square, witness })
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
