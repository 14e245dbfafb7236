//! Proposals for products of layer norms. Trust: untrusted; what is returned has passed the kernel.

use super::graph::{dot, from_f64, ldexp, to_f64};
use super::recovery::eigenvalues;
use crate::kernel::lipschitz::operator::Operator;
use crate::kernel::lipschitz::{Dyadic, LayerNorm, LipError, Norm, Norms, Witness, check_upper};
use crate::kernel::net::{Network, Op};
use num_rational::BigRational;

/// Relative slacks of the square that are tried in turn: `2^-48`, `2^-46`, ... `2^-2`.
const SLACKS: std::ops::Range<i64> = 0..24;

/// The product of spectral norms (l2), or of exact operator norms (l1, linf), with its square.
pub fn product(network: &Network, norms: Norms) -> Result<(Witness, BigRational), LipError> {
    let is_spectral = norms.input == Norm::L2;
    proposal(network, norms, |node| if is_spectral { spectral(network, node) } else { LayerNorm::Schur })
}

/// The product of the almost-orthogonal-Lipschitz bounds of the layers, which needs no eigenvalue.
pub fn almost_orthogonal(network: &Network, norms: Norms) -> Result<(Witness, BigRational), LipError> {
    proposal(network, norms, |_| LayerNorm::Gram)
}

fn proposal(
    network: &Network,
    norms: Norms,
    layer: impl Fn(usize) -> LayerNorm,
) -> Result<(Witness, BigRational), LipError> {
    let nodes = network.architecture().nodes.iter().enumerate();
    let layers =
        nodes.map(|(i, node)| matches!(node.op, Op::Dense { .. } | Op::Conv { .. }).then(|| layer(i))).collect();
    let witness = Witness::Product(layers);
    let square = check_upper(network, norms, None, &witness)?;
    Ok((witness, square))
}

/// A number next to the square of a node's spectral norm that the kernel accepts, or the exact Schur bound.
fn spectral(network: &Network, node: usize) -> LayerNorm {
    let square = Operator::of(network, node).ok().and_then(|operator| spectral_square(&operator));
    square.map_or(LayerNorm::Schur, LayerNorm::Spectral)
}

/// A number next to the square of the spectral norm that the kernel accepts as a bound.
pub fn spectral_square(operator: &Operator) -> Option<Dyadic> {
    let square = largest_square(operator)?;
    let mut proposals = SLACKS.map(|k| &square * &(&Dyadic::ONE + &Dyadic::ONE.scaled(2 * k - 48)));
    proposals.find(|square| operator.is_spectral_at_most(square))
}

/// A number next to the largest eigenvalue of the smaller Gram matrix. `None` when it is not finite.
fn largest_square(operator: &Operator) -> Option<Dyadic> {
    let entries = || operator.rows.iter().flatten();
    let Some(exponent) = entries().filter_map(|(_, w)| w.magnitude()).max() else { return Some(Dyadic::ZERO) };
    let rows: Vec<Vec<(usize, f64)>> =
        operator.rows.iter().map(|row| row.iter().map(|(j, w)| (*j, to_f64(w, -exponent))).collect()).collect();
    let order = rows.len().min(operator.columns);
    let largest = if order <= 96 {
        let dense: Vec<Vec<f64>> = if rows.len() <= operator.columns {
            let spread = |row: &Vec<(usize, f64)>| {
                let mut line = vec![0.0; operator.columns];
                row.iter().for_each(|(j, w)| line[*j] = *w);
                line
            };
            rows.iter().map(spread).collect()
        } else {
            let mut lines = vec![vec![0.0; rows.len()]; operator.columns];
            for (i, row) in rows.iter().enumerate() {
                row.iter().for_each(|(j, w)| lines[*j][i] = *w);
            }
            lines
        };
        let gram = (0..order * order).map(|k| dot(&dense[k / order], &dense[k % order])).collect();
        eigenvalues(gram, order).into_iter().fold(0.0, f64::max)
    } else {
        power(&rows, operator.columns).0
    };
    from_f64(ldexp(largest, 0), 2 * exponent)
}

/// Power iteration on `W'W` from a generic vector; a low value costs slack, not soundness. The square of the norm, and the vector.
pub fn power(rows: &[Vec<(usize, f64)>], columns: usize) -> (f64, Vec<f64>) {
    let mut v: Vec<f64> = (0..columns).map(|i| 1.0 + 0.3 * ((i * 7919) % 13) as f64).collect();
    let mut value = 0.0;
    for _ in 0..2000 {
        let norm = dot(&v, &v).sqrt();
        v.iter_mut().for_each(|x| *x /= norm);
        let image: Vec<f64> = rows.iter().map(|row| row.iter().map(|(j, w)| w * v[*j]).sum()).collect();
        let next = dot(&image, &image);
        if !(next > value * (1.0 + 1e-15)) {
            return (next.max(value), v);
        }
        value = next;
        v.fill(0.0);
        for (row, y) in rows.iter().zip(&image) {
            row.iter().for_each(|(j, w)| v[*j] += w * y);
        }
    }
    (value, v)
}
