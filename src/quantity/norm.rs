//! Spectral norms of a network's layers. Trust: untrusted.

use super::Production;
use super::spectral_witness;
use crate::kernel::derive::End;
use crate::kernel::net::{Network, Tensor, Weight};
use crate::kernel::object::Objects;
use crate::kernel::structure::Structure;
use crate::kernel::term::Term;
use crate::kernel::witness::Witness;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// The weight as a float: exact for everything that a file can hold.
pub fn to_f64(weight: &Weight) -> f64 {
    // Two factors, so that a subnormal result does not underflow in the scaling itself.
    let half = i32::from(weight.exponent) / 2;
    weight.mantissa as f64 * 2f64.powi(half) * 2f64.powi(i32::from(weight.exponent) - half)
}

/// The weight matrix of affine layer `l` of a chain.
pub fn layer_weights<'o>(objects: &'o Objects, net: &str, l: &BigRational) -> Option<&'o Tensor> {
    let object = objects.net(net)?;
    let network: &Network = object.network.as_ref()?;
    let structure = Structure::of(network.architecture()).ok()?;
    let node = structure.layer(l.to_integer().to_usize()?)?.node;
    network.parameters().get(node)?.as_ref().map(|parameters| &parameters.weight)
}

/// A witness for one end of `weight_norm(net, l, l2)`.
pub fn spectral(objects: &Objects, subject: &Term, net: &str, l: &BigRational, end: End) -> Option<Production> {
    let weights = layer_weights(objects, net, l)?;
    let [rows, columns] = weights.shape.as_slice() else { return None };
    let matrix: Vec<f64> = weights.data.iter().map(to_f64).collect();
    let witness = match end {
        End::High => {
            let (bound_squared, factor) = spectral_witness::propose_upper(&matrix, *rows, *columns)?;
            Witness::SpectralUpper { bound_squared, factor }
        }
        End::Low => Witness::SpectralLower { vector: spectral_witness::propose_lower(&matrix, *rows, *columns)? },
    };
    Some(Production::new(subject, witness, "spectral_norm"))
}
