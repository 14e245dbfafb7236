//! Proposals for products of layer norms. Trust: untrusted; what is returned has passed the kernel.

use super::graph::{from_f64, ldexp, to_f64};
use super::recovery::eigenvalues;
use crate::kernel::lipschitz::{Dyadic, LayerNorm, LipError, Norms, Witness, check_upper};
use crate::kernel::net::{Network, Op, Tensor};
use num_rational::BigRational;

/// The product of spectral norms (l2), or of exact operator norms (l1, linf), with its square.
pub fn product(network: &Network, norms: Norms) -> Result<(Witness, BigRational), LipError> {
    let mut layers: Vec<Option<LayerNorm>> = Vec::new();
    for (node, parameters) in network.architecture().nodes.iter().zip(network.parameters()) {
        layers.push(match (&node.op, parameters) {
            (Op::Dense { .. }, Some(parameters)) => spectral(&parameters.weight).map(LayerNorm::Spectral),
            _ => None,
        });
    }
    // The kernel judges the whole product; a refused layer is retried with more slack, at last with the exact Schur bound.
    for attempt in 0..12 {
        let proposed: Vec<Option<LayerNorm>> = layers
            .iter()
            .map(|layer| match layer {
                Some(LayerNorm::Spectral(square)) => {
                    let slack = Dyadic::new(1 << (2 * attempt), -48).unwrap_or(Dyadic::ONE);
                    Some(LayerNorm::Spectral(square * &(&Dyadic::ONE + &slack)))
                }
                other => other.clone(),
            })
            .collect();
        let witness = Witness::Product(proposed);
        match check_upper(network, norms, None, &witness) {
            Ok(square) => return Ok((witness, square)),
            Err(LipError::NotProved) => {}
            Err(error) => return Err(error),
        }
    }
    let witness = Witness::Product(layers.iter().map(|layer| layer.as_ref().map(|_| LayerNorm::Schur)).collect());
    let square = check_upper(network, norms, None, &witness)?;
    Ok((witness, square))
}

/// The product of the almost-orthogonal-Lipschitz bounds of the layers, which needs no eigenvalue.
pub fn almost_orthogonal(network: &Network, norms: Norms) -> Result<(Witness, BigRational), LipError> {
    let witness = Witness::Product(
        network
            .architecture()
            .nodes
            .iter()
            .map(|node| matches!(node.op, Op::Dense { .. }).then_some(LayerNorm::Gram))
            .collect(),
    );
    let square = check_upper(network, norms, None, &witness)?;
    Ok((witness, square))
}

/// A number next to the largest eigenvalue of the smaller Gram matrix. `None` when it is not finite.
pub fn spectral(weight: &Tensor) -> Option<Dyadic> {
    let [rows, columns] = weight.shape.as_slice() else { return None };
    let (rows, columns) = (*rows, *columns);
    let entries: Vec<Dyadic> = weight.data.iter().map(Dyadic::from).collect();
    let Some(exponent) = entries.iter().filter_map(Dyadic::magnitude).max() else { return Some(Dyadic::ZERO) };
    let floats: Vec<f64> = entries.iter().map(|entry| to_f64(entry, -exponent)).collect();
    let order = rows.min(columns);
    let lines: Vec<Vec<f64>> = if rows <= columns {
        floats.chunks(columns).map(<[f64]>::to_vec).collect()
    } else {
        (0..columns).map(|j| (0..rows).map(|i| floats[i * columns + j]).collect()).collect()
    };
    let largest = if order <= 96 {
        let mut gram = vec![0.0; order * order];
        for i in 0..order {
            for j in 0..order {
                gram[i * order + j] = super::graph::dot(&lines[i], &lines[j]);
            }
        }
        eigenvalues(gram, order).into_iter().fold(0.0, f64::max)
    } else {
        power(&lines)
    };
    from_f64(ldexp(largest, 0), 2 * exponent)
}

/// Power iteration on `W W'` from a generic vector, with restarts' worth of steps; a low value costs slack, not soundness.
fn power(lines: &[Vec<f64>]) -> f64 {
    let width = lines.first().map_or(0, Vec::len);
    let mut v: Vec<f64> = (0..lines.len()).map(|i| 1.0 + 0.3 * ((i * 7919) % 13) as f64).collect();
    let mut value = 0.0;
    for _ in 0..2000 {
        let norm = super::graph::dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        let mut u = vec![0.0; width];
        for (line, x) in lines.iter().zip(&v) {
            u.iter_mut().zip(line).for_each(|(u, w)| *u += x * w);
        }
        let next = super::graph::dot(&u, &u);
        if !(next > value * (1.0 + 1e-15)) {
            return next.max(value);
        }
        value = next;
        v = lines.iter().map(|line| super::graph::dot(line, &u)).collect();
    }
    value
}
