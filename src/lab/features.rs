//! Networks on integer features: trained on features in units of 512, then put behind the map with the unit in their first layer.
//! Trust: untrusted.

use super::mlp::LabError;
use crate::kernel::gradient::GradientMap;
use crate::kernel::net::{Architecture, Network, Node, Op, Parameters, Size, Source, Tensor, Weight};

const UNIT_BITS: i16 = 9;
/// Features are below 2^13; in this unit most are below 1.
const FEATURE_UNIT: f64 = 512.0;

/// Features of images with values in `0..=255`, rounded to integers, in the unit of the laboratory. Errors: images that are not square.
pub fn features_of(images: &[f64], dimension: usize, map: GradientMap) -> Result<Vec<f64>, LabError> {
    let mut features = Vec::with_capacity(images.len() / dimension.max(1) * map.features());
    for row in images.chunks(dimension.max(1)) {
        let image: Vec<u8> = row.iter().map(|value| value.round() as u8).collect();
        let Some(row) = map.apply(&image, dimension.isqrt()) else {
            let expected = "expected square images of side at most 64";
            return Err(LabError::Shape(format!("{expected}, found {dimension} numbers")));
        };
        features.extend(row.iter().map(|f| *f as f64 / FEATURE_UNIT));
    }
    Ok(features)
}

/// The network behind a feature map. The unit goes into the exponents of the first weights, so that nothing is rounded.
/// Errors: shapes that do not fit.
pub fn with_features(network: &Network, map: GradientMap, input: &[Size]) -> Result<Network, LabError> {
    let shifted = |source: &Source| match source {
        Source::Input => Source::Node(0),
        Source::Node(i) => Source::Node(i + 1),
    };
    let mut nodes = vec![Node { op: Op::Gradients(map), inputs: vec![Source::Input] }];
    for node in &network.architecture().nodes {
        nodes.push(Node { op: node.op.clone(), inputs: node.inputs.iter().map(shifted).collect() });
    }
    let mut parameters = vec![None];
    parameters.extend(network.parameters().iter().cloned());
    if let Some(first) = parameters.iter_mut().flatten().next() {
        let scaled = |w: &Weight| Weight { mantissa: w.mantissa, exponent: w.exponent - UNIT_BITS };
        let data = first.weight.data.iter().map(scaled).collect();
        let weight = Tensor::new(first.weight.shape.clone(), data)?;
        *first = Parameters { weight, bias: first.bias.clone() };
    }
    let architecture = Architecture { input: input.to_vec(), nodes };
    Ok(Network::new(architecture, parameters, network.weight_bits())?)
}
