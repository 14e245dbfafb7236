//! Spectral norms of a network's layers. Trust: untrusted.

use super::Production;
use super::spectral_witness;
use crate::kernel::derive::End;
use crate::kernel::lipschitz::LayerMap;
use crate::kernel::lipschitz::operator::Operator;
use crate::kernel::net::Network;
use crate::kernel::object::Objects;
use crate::kernel::structure::Structure;
use crate::kernel::term::Term;
use crate::kernel::witness::Witness;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// The matrix that `weight_norm` (affine layers of a chain) or `operator_norm` (layers of a graph) speaks of, up to a divisor.
fn operator(objects: &Objects, head: &str, net: &str, l: &BigRational) -> Option<Operator> {
    let network: &Network = objects.net(net)?.network.as_ref()?;
    let l = l.to_integer().to_usize()?;
    if head == "operator_norm" {
        return Some(LayerMap::of(network, l.checked_sub(1)?).ok()?.operator);
    }
    let structure = Structure::of(network.architecture()).ok()?;
    let node = structure.layer(l)?.node;
    Operator::matrix(&network.parameters().get(node)?.as_ref()?.weight).ok()
}

/// A witness for one end of `weight_norm(net, l, l2)` or `operator_norm(net, l, l2)`.
pub fn spectral(
    objects: &Objects,
    subject: &Term,
    head: &str,
    net: &str,
    l: &BigRational,
    end: End,
) -> Option<Production> {
    let operator = operator(objects, head, net, l)?;
    let witness = match end {
        End::High => Witness::SpectralUpper(spectral_witness::propose_upper(&operator)?),
        End::Low => Witness::SpectralLower { vector: spectral_witness::propose_lower(&operator)? },
    };
    Some(Production::new(subject, witness, "spectral_norm"))
}
