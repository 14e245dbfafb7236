//! Dense chains with given weights.

use supremum::kernel::net::*;

pub fn weight(x: f64) -> Weight {
    if x == 0.0 {
        return Weight { mantissa: 0, exponent: 0 };
    }
    let bits = x.abs().to_bits();
    let (mut mantissa, mut exponent) = match (bits >> 52) as i64 {
        0 => (bits as i64, -1074),
        field => (((bits & ((1 << 52) - 1)) | (1 << 52)) as i64, field - 1075),
    };
    let zeros = i64::from(mantissa.trailing_zeros());
    mantissa >>= zeros;
    exponent += zeros;
    Weight { mantissa: if x < 0.0 { -mantissa } else { mantissa }, exponent: exponent as i16 }
}

pub fn tensor(shape: Vec<usize>, data: &[f64]) -> Tensor {
    Tensor::new(shape, data.iter().map(|&x| weight(x)).collect()).unwrap()
}

/// A dense chain with the given weights (row-major) and biases.
pub fn chain(sizes: &[usize], activation: &Activation, layers: &[(Vec<f64>, Vec<f64>)]) -> Network {
    let wide: Vec<Size> = sizes.iter().map(|&n| n as Size).collect();
    let architecture = Architecture::dense_chain(&wide, activation).unwrap();
    let mut parameters = Vec::new();
    let mut layer = 0;
    for node in &architecture.nodes {
        if matches!(node.op, Op::Dense { .. }) {
            let (n, m) = (sizes[layer], sizes[layer + 1]);
            let (w, b) = &layers[layer];
            parameters.push(Some(Parameters { weight: tensor(vec![m, n], w), bias: Some(tensor(vec![m], b)) }));
            layer += 1;
        } else {
            parameters.push(None);
        }
    }
    Network::new(architecture, parameters, 64).unwrap()
}
