//! The check of a branch-and-bound tree. Trust: kernel.
//!
//! A tree is a list in preorder. A split cuts the region of its node at a coordinate, or its points by the sign of a neuron's
//! argument; both closed parts cover the node. A leaf carries certificates for its own slopes, or a proof that it is empty. The
//! parts are derived here and never read from the witness, so leaves cannot overlap wrongly or leave a gap; a list that ends
//! early or goes on after the last leaf is refused.
//!
//! Along a segment of the domain almost every point lies in some leaf, whose slopes are then possible there, so the largest
//! leaf bounds the constant. Without a region only signs are split, and the result bounds all activation patterns.

use super::bounds::{Region, Sign, is_infeasible, ranges, signed};
use super::dyadic::Dyadic;
use super::sdp::{Multipliers, certify};
use super::slope::{Range, Slope, on};
use super::system::System;
use super::{LipError, Norms};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branch {
    /// Cut the region at `at` in a coordinate: the part below comes first.
    Input { coordinate: usize, at: Dyadic },
    /// Suppose the sign of a neuron's argument: the positive part comes first.
    Neuron(usize),
    /// One certificate for the l2 norm of the outputs, or one per output for linf.
    Leaf(Vec<Multipliers>),
    /// Weights of supposed signs that contradict each other, see [`is_infeasible`].
    Empty(Vec<(usize, Dyadic)>),
}

/// Slopes on a node; `None` when the node is proved empty.
pub fn slopes(
    system: &System,
    region: Option<&Region>,
    signs: &[Option<Sign>],
) -> Result<Option<Vec<Slope>>, LipError> {
    let ranges = match region {
        Some(region) => ranges(system, region, signs)?,
        None => Some(signed(system, signs)),
    };
    ranges.map(|ranges| slopes_on(system, &ranges)).transpose()
}

fn slopes_on(system: &System, ranges: &[Range]) -> Result<Vec<Slope>, LipError> {
    system
        .neurons
        .iter()
        .zip(ranges)
        .map(|(neuron, range)| on(&neuron.activation, neuron.argument.divisor, range))
        .collect()
}

/// The bound of the square that the certificates of one node prove.
pub fn leaf(system: &System, norms: Norms, slopes: &[Slope], certificates: &[Multipliers]) -> Result<Dyadic, LipError> {
    let count = system.outputs.len();
    let expected = if norms.output_is_l2(count)? { 1 } else { count };
    if certificates.len() != expected {
        return Err(LipError::shape(&format!("{expected} certificates"), &certificates.len().to_string()));
    }
    let mut most = Dyadic::ZERO;
    for (o, multipliers) in certificates.iter().enumerate() {
        let outputs = if expected == 1 { 0..count } else { o..o + 1 };
        certify(system, slopes, outputs, multipliers)?;
        most = most.max(norms.weight(multipliers, system.inputs));
    }
    Ok(most)
}

/// The bound of the square that a tree proves. Errors: a list that is not a tree, or a leaf that proves nothing.
pub fn check(system: &System, norms: Norms, region: Option<&Region>, tree: &[Branch]) -> Result<Dyadic, LipError> {
    let mut open = vec![(region.cloned(), vec![None; system.neurons.len()])];
    let mut most = Dyadic::ZERO;
    for (position, branch) in tree.iter().enumerate() {
        let Some((region, mut signs)) = open.pop() else {
            return Err(LipError::shape("the end of the tree", &format!("another branch at position {position}")));
        };
        match branch {
            Branch::Input { coordinate, at } => {
                let parts = region.as_ref().and_then(|region| region.split(*coordinate, at));
                let Some((low, high)) = parts else {
                    return Err(LipError::shape("a cut inside the box", &format!("another at position {position}")));
                };
                open.push((Some(high), signs.clone()));
                open.push((Some(low), signs));
            }
            Branch::Neuron(j) => {
                let found = signs.get(*j).copied();
                if found != Some(None) {
                    let found = format!("neuron {j} at position {position}");
                    return Err(LipError::shape("a neuron whose sign is not yet supposed", &found));
                }
                let mut positive = signs.clone();
                positive[*j] = Some(Sign::Positive);
                signs[*j] = Some(Sign::Negative);
                open.push((region.clone(), signs));
                open.push((region, positive));
            }
            Branch::Leaf(certificates) => {
                if let Some(slopes) = slopes(system, region.as_ref(), &signs)? {
                    most = most.max(leaf(system, norms, &slopes, certificates)?);
                }
            }
            Branch::Empty(weights) => {
                let empty = match &region {
                    Some(region) => is_infeasible(system, region, &signs, weights)?,
                    None => false,
                };
                if !empty {
                    let found = format!("other weights at position {position}");
                    return Err(LipError::shape("weights that show a region without points", &found));
                }
            }
        }
    }
    if !open.is_empty() {
        return Err(LipError::shape("a complete tree", &format!("{} open branches at its end", open.len())));
    }
    Ok(most)
}
