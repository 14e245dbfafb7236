//! Spectral norms of a network's layers. Trust: untrusted.

use super::Production;
use super::spectral_witness;
use crate::kernel::derive::End;
use crate::kernel::net::{Network, Tensor};
use crate::kernel::object::Objects;
use crate::kernel::structure::Structure;
use crate::kernel::term::Term;
use crate::kernel::witness::Witness;
use num_rational::BigRational;
use num_traits::ToPrimitive;

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
    let witness = match end {
        End::High => Witness::SpectralUpper(spectral_witness::propose_upper(weights)?),
        End::Low => Witness::SpectralLower { vector: spectral_witness::propose_lower(weights)? },
    };
    Some(Production::new(subject, witness, "spectral_norm"))
}
