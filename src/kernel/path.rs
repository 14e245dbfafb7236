//! Norms that one pass gives exactly: the path norm of a network, second moments of a sample. Trust: kernel.

use super::eval::EvalError;
use super::matrix_norm::Grid;
use super::net::{Network, Op, Tensor};
use super::object::Examples;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};

/// `|W_L| (... |W_2| (|W_1| 1 + |b_1|) + |b_2| ...) + |b_L|`, summed over the outputs: the sum over all paths from an input or
/// a bias to an output of the product of the absolute weights. Errors: a layer that is neither dense nor an activation.
pub fn path_norm(network: &Network) -> Result<BigRational, EvalError> {
    let inputs: u128 = network.architecture().input.iter().product();
    let inputs = usize::try_from(inputs).map_err(|_| EvalError::TooLarge("expected fewer inputs".to_string()))?;
    // The values are integers in units of 1/scale.
    let (mut values, mut scale) = (vec![BigInt::one(); inputs], BigRational::one());
    for (node, parameters) in network.architecture().nodes.iter().zip(network.parameters()) {
        match (&node.op, parameters) {
            (Op::Dense { .. }, Some(p)) => {
                let grid = Grid::of(&p.weight.data);
                let columns = values.len().max(1);
                let sums = p
                    .weight
                    .data
                    .chunks(columns)
                    .map(|row| row.iter().zip(&values).map(|(w, v)| grid.integer(w).abs() * v).sum::<BigInt>());
                let sums: Vec<BigInt> = sums.collect();
                scale *= grid.value(BigInt::one(), 1);
                (values, scale) = with_bias(sums, scale, p.bias.as_ref());
            }
            (Op::Flatten | Op::Activation(_), _) => {}
            _ => {
                return Err(EvalError::Meaningless(
                    "expected dense layers and activations for a path norm, found another layer".to_string(),
                ));
            }
        }
    }
    let total: BigInt = values.into_iter().sum();
    Ok(BigRational::from_integer(total) * scale)
}

/// Adds absolute biases to `values * scale`, on a grid that both fit.
fn with_bias(values: Vec<BigInt>, scale: BigRational, bias: Option<&Tensor>) -> (Vec<BigInt>, BigRational) {
    let Some(bias) = bias else { return (values, scale) };
    let grid = Grid::of(&bias.data);
    let step = grid.value(BigInt::one(), 1);
    // Both scales are powers of two, so one divides the other.
    let ratio = &scale / &step;
    let (unit, of_value, of_bias) = if ratio.is_integer() {
        (step, ratio.to_integer(), BigInt::one())
    } else {
        (scale, BigInt::one(), ratio.recip().to_integer())
    };
    let sums = values.into_iter().zip(bias.data.iter());
    (sums.map(|(v, b)| v * &of_value + grid.integer(b).abs() * &of_bias).collect(), unit)
}

/// The mean over the examples of the square of every coordinate. Errors: no examples.
fn mean_squares(examples: &Examples) -> Result<Vec<BigRational>, EvalError> {
    let rows = examples.labels.len();
    if rows == 0 || examples.dimension == 0 {
        return Err(EvalError::Undefined("expected a nonempty sample, found none".to_string()));
    }
    let grid = Grid::of(&examples.values);
    let mut sums = vec![BigInt::zero(); examples.dimension];
    for row in examples.values.chunks(examples.dimension) {
        for (sum, x) in sums.iter_mut().zip(row) {
            if x.mantissa != 0 {
                *sum += grid.integer(x).pow(2);
            }
        }
    }
    let scale = &examples.scale * &examples.scale / BigRational::from_integer(BigInt::from(rows));
    Ok(sums.into_iter().map(|sum| grid.value(sum, 2) * &scale).collect())
}

/// The mean of `|x|_2^2` (norm `l2`), or the largest mean of the square of one coordinate (`linf`).
pub fn moment(examples: &Examples, norm: &str) -> Result<BigRational, EvalError> {
    let squares = mean_squares(examples)?;
    match norm {
        "l2" => Ok(squares.into_iter().sum()),
        "linf" => Ok(squares.into_iter().max().unwrap_or_else(BigRational::zero)),
        other => Err(EvalError::Meaningless(format!("expected l2 or linf, found `{other}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::net::{Activation, Architecture, Parameters, Weight};

    fn weights(mantissas: &[i64], exponent: i16) -> Vec<Weight> {
        mantissas.iter().map(|&mantissa| Weight { mantissa, exponent }).collect()
    }

    #[test]
    fn a_path_norm_counts_paths_from_inputs_and_biases() {
        // W1 = [[1/2, -1], [3/2, 0]], b1 = (-1/4, 0), W2 = [[-2, 1]], b2 = (1/8): 2 (3/2 + 1/4) + 3/2 + 1/8 = 41/8.
        let architecture = Architecture::dense_chain(&[2, 2, 1], &Activation::Relu).expect("a chain");
        let mut layers = vec![
            (vec![2, 2], weights(&[1, -2, 3, 0], -1), weights(&[-1, 0], -2)),
            (vec![1, 2], weights(&[-2, 1], 0), weights(&[1], -3)),
        ]
        .into_iter();
        let parameters = architecture.nodes.iter().map(|node| match node.op {
            Op::Dense { .. } => layers.next().map(|(shape, weight, bias)| Parameters {
                weight: Tensor::new(shape, weight).expect("a matrix"),
                bias: Some(Tensor::new(vec![bias.len()], bias).expect("a vector")),
            }),
            _ => None,
        });
        let parameters = parameters.collect();
        let network = Network::new(architecture, parameters, 32).expect("a network");
        assert_eq!(path_norm(&network).expect("a norm"), BigRational::new(41.into(), 8.into()));
    }

    #[test]
    fn moments_are_means_of_squares() {
        // Points (1, 2) and (3, 0), scale 1/2: squares 1/4, 1; 9/4, 0.
        let examples = Examples {
            dimension: 2,
            values: weights(&[1, 2, 3, 0], 0),
            scale: BigRational::new(1.into(), 2.into()),
            labels: vec![0, 1],
        };
        assert_eq!(moment(&examples, "l2").expect("a moment"), BigRational::new(7.into(), 4.into()));
        assert_eq!(moment(&examples, "linf").expect("a moment"), BigRational::new(5.into(), 4.into()));
        let empty = Examples { values: Vec::new(), labels: Vec::new(), ..examples };
        assert!(moment(&empty, "l2").is_err());
    }
}
