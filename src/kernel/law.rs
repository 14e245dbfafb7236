//! Laws on networks: Gaussian noise around the parameters of one network. Trust: kernel.
//!
//! A law is the product of independent normal laws, one for each noisy parameter, with the network's parameter as mean and
//! one variance for all; the other parameters are those of the network. A prior and a posterior are laws.

use super::eval::EvalError;
use super::matrix_norm::Grid;
use super::net::{Network, Op, Tensor};
use super::object::{Law, Noise, Objects};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// The network around which a law is centred, or the network itself.
pub fn centre<'o>(objects: &'o Objects, name: &'o str) -> &'o str {
    objects.law(name).map_or(name, |law| law.mean.as_str())
}

fn network<'o>(objects: &'o Objects, name: &'o str) -> Result<&'o Network, EvalError> {
    let mean = centre(objects, name);
    let network = objects.net(mean).and_then(|net| net.network.as_deref());
    network.ok_or_else(|| EvalError::Meaningless(format!("expected a network with weights, found `{mean}`")))
}

/// Whether the parameters of each node carry noise; constants of a node that is no trained layer never do.
fn noisy(network: &Network, noise: Noise) -> Vec<bool> {
    let mut nodes: Vec<bool> =
        network.architecture().nodes.iter().map(|node| !matches!(node.op, Op::FixedAffine)).collect();
    for (node, parameters) in nodes.iter_mut().zip(network.parameters()) {
        *node &= parameters.is_some();
    }
    if noise == Noise::LastLayer {
        let last = nodes.iter().rposition(|node| *node);
        for (i, node) in nodes.iter_mut().enumerate() {
            *node &= Some(i) == last;
        }
    }
    nodes
}

/// Weights and biases of the nodes that are noisy, or of those that are not.
fn tensors(network: &Network, noise: Noise, is_noisy: bool) -> Vec<&Tensor> {
    let nodes = noisy(network, noise).into_iter().zip(network.parameters());
    let chosen = nodes.filter(|(node, _)| *node == is_noisy).filter_map(|(_, parameters)| parameters.as_ref());
    chosen.flat_map(|p| [Some(&p.weight), p.bias.as_ref()]).flatten().collect()
}

/// The number of parameters that carry noise.
pub fn noisy_parameters(objects: &Objects, law: &Law) -> Result<BigInt, EvalError> {
    let network = network(objects, &law.mean)?;
    Ok(tensors(network, law.noise, true).iter().map(|tensor| BigInt::from(tensor.data.len())).sum())
}

/// The exact squared Euclidean distance between the mean of a law and another network or mean, over the noisy parameters.
/// Errors: another architecture.
pub fn squared_distance(objects: &Objects, law: &Law, other: &str) -> Result<BigRational, EvalError> {
    let (a, b) = (network(objects, &law.mean)?, network(objects, other)?);
    if a.architecture() != b.architecture() {
        return Err(EvalError::Meaningless(format!(
            "expected networks of one architecture, found `{}` and `{other}`",
            law.mean
        )));
    }
    let mut total = BigRational::zero();
    for (x, y) in tensors(a, law.noise, true).into_iter().zip(tensors(b, law.noise, true)) {
        // Both tensors in units of one grid, so that the sum runs over integers.
        let both: Vec<_> = x.data.iter().chain(y.data.iter()).copied().collect();
        let grid = Grid::of(&both);
        let pairs = x.data.iter().zip(y.data.iter());
        let squares: BigInt = pairs.map(|(v, w)| (grid.integer(v) - grid.integer(w)).pow(2)).sum();
        total += grid.value(squares, 2);
    }
    Ok(total)
}

/// Why two laws have no finite relative entropy, if so: noise in other parameters, or other values of a parameter without noise.
pub fn incomparable(objects: &Objects, q: &Law, p: &Law) -> Result<Option<String>, EvalError> {
    let (a, b) = (network(objects, &q.mean)?, network(objects, &p.mean)?);
    if a.architecture() != b.architecture() {
        return Ok(Some(format!("`{}` and `{}` have different architectures", q.mean, p.mean)));
    }
    if q.noise != p.noise {
        return Ok(Some("one law has noise in all layers, the other in the last layer only".to_string()));
    }
    let value = |tensor: &Tensor| {
        let grid = Grid::of(&tensor.data);
        tensor.data.iter().map(|w| grid.value(grid.integer(w), 1)).collect::<Vec<_>>()
    };
    let fixed = tensors(a, q.noise, false).into_iter().zip(tensors(b, p.noise, false));
    for (x, y) in fixed {
        if x.data != y.data && value(x) != value(y) {
            return Ok(Some(format!(
                "`{}` and `{}` differ in a parameter without noise, so no network has positive mass under both laws",
                q.mean, p.mean
            )));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::net::{Activation, Architecture, Parameters, Weight};
    use crate::kernel::object::{Dependence, Entry, NetObject, Object};
    use std::collections::BTreeSet;
    use std::sync::Arc;

    /// 1 -> 1 -> 1 with the given weights and no biases.
    fn objects(nets: &[(&str, [i64; 2])]) -> Objects {
        let mut objects = Objects::default();
        for (name, weights) in nets {
            let mut architecture = Architecture::dense_chain(&[1, 1, 1], &Activation::Relu).expect("a chain");
            for node in &mut architecture.nodes {
                if let Op::Dense { bias, .. } = &mut node.op {
                    *bias = false;
                }
            }
            let mut weights = weights.iter();
            let parameters = architecture.nodes.iter().map(|node| match node.op {
                Op::Dense { .. } => weights.next().map(|&mantissa| {
                    let weight = Weight { mantissa, exponent: -1 };
                    Parameters { weight: Tensor::new(vec![1, 1], vec![weight]).expect("a matrix"), bias: None }
                }),
                _ => None,
            });
            let parameters = parameters.collect();
            let network = Network::new(architecture.clone(), parameters, 32).expect("a network");
            let net = NetObject { architecture, network: Some(Arc::new(network)), constraints: Vec::new() };
            let entry = Entry { object: Object::Net(net), dependence: Dependence::Known(BTreeSet::new()) };
            objects.entries.insert((*name).to_string(), entry);
        }
        objects
    }

    fn law(mean: &str, noise: Noise) -> Law {
        Law { mean: mean.to_string(), variance: BigRational::from_integer(1.into()), noise }
    }

    #[test]
    fn distances_and_counts_are_over_the_noisy_parameters() {
        // Weights in halves: f = (3/2, 2), g = (1/2, 2), h = (3/2, 0).
        let objects = objects(&[("f", [3, 4]), ("g", [1, 4]), ("h", [3, 0])]);
        let one = BigRational::from_integer(1.into());
        for (noise, count, to_g, to_h) in [
            (Noise::All, 2, one.clone(), BigRational::from_integer(4.into())),
            (Noise::LastLayer, 1, BigRational::zero(), BigRational::from_integer(4.into())),
        ] {
            let q = law("f", noise);
            assert_eq!(noisy_parameters(&objects, &q).expect("a count"), BigInt::from(count));
            assert_eq!(squared_distance(&objects, &q, "g").expect("a distance"), to_g);
            assert_eq!(squared_distance(&objects, &q, "h").expect("a distance"), to_h);
        }
    }

    #[test]
    fn laws_with_other_fixed_parameters_are_incomparable() {
        let objects = objects(&[("f", [3, 4]), ("g", [1, 4]), ("h", [3, 0])]);
        let verdict = |a: Law, b: Law| incomparable(&objects, &a, &b).expect("a verdict").is_none();
        assert!(verdict(law("f", Noise::All), law("g", Noise::All)));
        assert!(verdict(law("f", Noise::LastLayer), law("h", Noise::LastLayer)));
        assert!(!verdict(law("f", Noise::LastLayer), law("g", Noise::LastLayer)));
        assert!(!verdict(law("f", Noise::All), law("f", Noise::LastLayer)));
    }
}
