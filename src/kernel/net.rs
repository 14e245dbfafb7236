//! Architectures and networks. Trust: kernel.
//!
//! An architecture is a directed acyclic graph in topological order: node `i` reads the network's input (`Source::Input`) or
//! nodes before it. Sizes are `u128`, so that an architecture of the theory may be far wider than any memory; a [`Network`]
//! adds exact dyadic parameters. Weights and biases are counted per *distinct* parameter.
//!
//! Invariant: a [`Network`] is built by [`Network::new`] only, which checks every parameter's shape against the architecture.

use super::gradient::{GradientMap, SIDE_LIMIT};
use num_rational::BigRational;
use std::sync::Arc;

/// A number of coordinates, units or channels.
pub type Size = u128;

/// A scalar activation, applied to every coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activation {
    Identity,
    /// `max(x, 0)`
    Relu,
    /// `x` for `x >= 0`, `slope * x` below.
    LeakyRelu(BigRational),
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `min(max(x, -1), 1)`
    HardTanh,
    /// `1` for `x > 0`, else `0` (the survey's Heaviside function).
    Heaviside,
    Sigmoid,
    Tanh,
    Arctan,
    /// `ln(1 + e^x)`
    Softplus,
    /// `x / (1 + |x|)`
    Softsign,
    /// `x` for `x >= 0`, `alpha (e^x - 1)` below.
    Elu(BigRational),
    /// `x * sigmoid(x)`
    Silu,
    /// `x * Phi(x)` with the normal distribution function `Phi`.
    Gelu,
    /// The tanh approximation of GELU with constant 0.044715.
    GeluTanh,
    /// `e^(-x^2 / 2)`
    Gaussian,
}

/// What a node computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// `W x + b` on a flat input; weight `[units, input]`, bias `[units]`.
    Dense {
        units: Size,
        bias: bool,
    },
    /// 2-d cross-correlation with zero padding; weight `[channels, input channels / groups, kernel.0, kernel.1]`, bias `[channels]`.
    Conv {
        channels: Size,
        kernel: (Size, Size),
        stride: (Size, Size),
        pad: (Size, Size),
        groups: Size,
        bias: bool,
    },
    Activation(Activation),
    /// `scale * x + shift` per channel, parameters `[channels]` each (batch normalization at inference, folded to its affine map).
    BatchNorm,
    /// `scale * x + shift` per coordinate with *fixed* constants that are not counted as parameters (input normalization).
    FixedAffine,
    MaxPool {
        window: (Size, Size),
        stride: (Size, Size),
        pad: (Size, Size),
    },
    AvgPool {
        window: (Size, Size),
        stride: (Size, Size),
    },
    /// Mean over all positions of each channel.
    GlobalAvgPool,
    Flatten,
    /// Sum of two or more equal shapes.
    Add,
    /// Concatenation along the first axis.
    Concat,
    /// Fixed integer features of a flat square grey image; nothing in it is learned.
    Gradients(GradientMap),
}

impl Op {
    /// The name of the kind of layer, as messages list it.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Dense { .. } => "dense",
            Op::Conv { .. } => "convolution",
            Op::Activation(activation) => activation.name(),
            Op::BatchNorm => "batch_norm",
            Op::FixedAffine => "fixed_affine",
            Op::MaxPool { .. } => "max_pool",
            Op::AvgPool { .. } => "avg_pool",
            Op::GlobalAvgPool => "global_avg_pool",
            Op::Flatten => "flatten",
            Op::Add => "sum",
            Op::Concat => "concatenation",
            Op::Gradients(_) => "gradients",
        }
    }
}

/// Where a node reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Input,
    Node(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub op: Op,
    pub inputs: Vec<Source>,
}

/// A network without its parameters. The output is the last node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// Shape of one input: `[n]`, or `[channels, height, width]`.
    pub input: Vec<Size>,
    pub nodes: Vec<Node>,
}

/// Why an architecture or a network is not well formed. The text says what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError {
    pub node: Option<usize>,
    pub message: String,
}

impl std::fmt::Display for NetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.node {
            Some(node) => write!(f, "layer {}: {}", node + 1, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for NetError {}

/// A dyadic number `mantissa * 2^exponent`; every f16, bf16, f32 and finite f64 is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Weight {
    pub mantissa: i64,
    pub exponent: i16,
}

/// Binary floating-point numbers of so many bits of precision, from `2^lowest` to below `2^(highest + 1)`.
struct Format {
    precision: u32,
    lowest: i64,
    highest: i64,
}

impl Format {
    fn holds(&self, weight: Weight) -> bool {
        let (bits, exponent) = (64 - weight.mantissa.unsigned_abs().leading_zeros(), i64::from(weight.exponent));
        // The mantissa is odd: its last bit is the number's last.
        weight.mantissa == 0
            || bits <= self.precision && exponent >= self.lowest && exponent + i64::from(bits) - 1 <= self.highest
    }
}

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Arc<Vec<Weight>>,
}

/// Parameters of one node: `weight` and `bias` of an affine map, or `scale` and `shift` in the same places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    pub weight: Tensor,
    pub bias: Option<Tensor>,
}

/// An architecture with exact parameters; `parameters[i]` belongs to `architecture.nodes[i]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    architecture: Architecture,
    parameters: Vec<Option<Parameters>>,
    /// Bits of the widest stored number format (16, 32 or 64).
    weight_bits: u32,
}

fn error<T>(node: usize, message: String) -> Result<T, NetError> {
    Err(NetError { node: Some(node), message })
}

/// Output length of a sliding window.
fn window(input: Size, window: Size, stride: Size, pad: Size) -> Option<Size> {
    if stride == 0 || window == 0 {
        return None;
    }
    let padded = input.checked_add(pad.checked_mul(2)?)?;
    Some(padded.checked_sub(window)? / stride + 1)
}

/// `[channels, height, width]` of a shape, or an explanation.
fn image(node: usize, shape: &[Size]) -> Result<(Size, Size, Size), NetError> {
    match shape {
        [c, h, w] => Ok((*c, *h, *w)),
        other => error(node, format!("expected an input of shape channels, height, width, found {other:?}")),
    }
}

impl Architecture {
    /// A chain of dense layers with biases; the activation stands between layers, not after the last.
    pub fn dense_chain(sizes: &[Size], activation: &Activation) -> Result<Architecture, NetError> {
        if sizes.len() < 2 {
            return Err(NetError {
                node: None,
                message: format!("expected at least one layer (`in -> out`), found {} size(s)", sizes.len()),
            });
        }
        let mut nodes: Vec<Node> = Vec::new();
        let last = sizes.len() - 1;
        for (layer, &units) in sizes.iter().enumerate().skip(1) {
            let input = if nodes.is_empty() { Source::Input } else { Source::Node(nodes.len() - 1) };
            nodes.push(Node { op: Op::Dense { units, bias: true }, inputs: vec![input] });
            if layer < last && *activation != Activation::Identity {
                let input = Source::Node(nodes.len() - 1);
                nodes.push(Node { op: Op::Activation(activation.clone()), inputs: vec![input] });
            }
        }
        let architecture = Architecture { input: vec![sizes[0]], nodes };
        architecture.shapes()?;
        Ok(architecture)
    }

    /// The feature map at the beginning, and the architecture of what follows it.
    pub fn after_features(&self) -> Option<(GradientMap, Architecture)> {
        let (Node { op: Op::Gradients(map), .. }, rest) = self.nodes.split_first()? else { return None };
        let shifted = |source: &Source| match source {
            Source::Node(0) => Some(Source::Input),
            Source::Node(i) => Some(Source::Node(i - 1)),
            Source::Input => None,
        };
        let node = |node: &Node| {
            let inputs = node.inputs.iter().map(shifted).collect::<Option<_>>()?;
            Some(Node { op: node.op.clone(), inputs })
        };
        let nodes = rest.iter().map(node).collect::<Option<_>>()?;
        Some((*map, Architecture { input: vec![map.features() as Size], nodes }))
    }

    /// The shape after every node. Errors: a missing or later source, shapes that do not fit, a zero size, no node at all.
    pub fn shapes(&self) -> Result<Vec<Vec<Size>>, NetError> {
        if self.input.is_empty() || self.input.contains(&0) {
            return Err(NetError {
                node: None,
                message: format!("expected positive input sizes, found {:?}", self.input),
            });
        }
        if self.nodes.is_empty() {
            return Err(NetError { node: None, message: "expected at least one layer, found none".to_string() });
        }
        let mut shapes: Vec<Vec<Size>> = Vec::with_capacity(self.nodes.len());
        for (i, node) in self.nodes.iter().enumerate() {
            let mut inputs: Vec<&[Size]> = Vec::with_capacity(node.inputs.len());
            for source in &node.inputs {
                match *source {
                    Source::Input => inputs.push(&self.input),
                    Source::Node(j) if j < i => inputs.push(&shapes[j]),
                    Source::Node(j) => {
                        return error(i, format!("expected an earlier layer, found a reference to layer {}", j + 1));
                    }
                }
            }
            let Some(&first) = inputs.first() else {
                return error(i, "expected an input, found none".to_string());
            };
            let many = matches!(node.op, Op::Add | Op::Concat);
            if !many && inputs.len() != 1 {
                return error(i, format!("expected one input, found {}", inputs.len()));
            }
            let shape = output_shape(i, &node.op, first, &inputs)?;
            if shape.contains(&0) {
                return error(i, format!("expected positive sizes, found {shape:?}"));
            }
            shapes.push(shape);
        }
        Ok(shapes)
    }

    /// Shape of what a source delivers, given the result of [`Architecture::shapes`].
    pub fn shape_of<'a>(&'a self, shapes: &'a [Vec<Size>], source: Source) -> &'a [Size] {
        match source {
            Source::Input => &self.input,
            Source::Node(j) => &shapes[j],
        }
    }
}

fn output_shape(i: usize, op: &Op, first: &[Size], inputs: &[&[Size]]) -> Result<Vec<Size>, NetError> {
    Ok(match op {
        Op::Dense { units, .. } => {
            if first.len() != 1 {
                return error(
                    i,
                    format!("expected a flat input for `dense`, found shape {first:?}; write `flatten` before it"),
                );
            }
            vec![*units]
        }
        Op::Conv { channels, kernel, stride, pad, groups, .. } => {
            let (c, h, w) = image(i, first)?;
            if *groups == 0 || c % groups != 0 || channels % groups != 0 {
                return error(i, format!("expected channels divisible by {groups} groups, found {c} -> {channels}"));
            }
            match (window(h, kernel.0, stride.0, pad.0), window(w, kernel.1, stride.1, pad.1)) {
                (Some(h), Some(w)) => vec![*channels, h, w],
                _ => return error(i, format!("expected a kernel that fits the input, found {kernel:?} on {first:?}")),
            }
        }
        Op::Activation(_) | Op::FixedAffine => first.to_vec(),
        Op::Gradients(map) => match first {
            [n] if n.isqrt() * n.isqrt() == *n && n.isqrt() <= SIDE_LIMIT as Size => vec![map.features() as Size],
            _ => {
                let found = format!("expected a flat square image of side at most {SIDE_LIMIT}, found shape {first:?}");
                return error(i, found);
            }
        },
        Op::BatchNorm => first.to_vec(),
        Op::MaxPool { window: size, stride, pad } => {
            let (c, h, w) = image(i, first)?;
            match (window(h, size.0, stride.0, pad.0), window(w, size.1, stride.1, pad.1)) {
                (Some(h), Some(w)) => vec![c, h, w],
                _ => return error(i, format!("expected a window that fits the input, found {size:?} on {first:?}")),
            }
        }
        Op::AvgPool { window: size, stride } => {
            let (c, h, w) = image(i, first)?;
            match (window(h, size.0, stride.0, 0), window(w, size.1, stride.1, 0)) {
                (Some(h), Some(w)) => vec![c, h, w],
                _ => return error(i, format!("expected a window that fits the input, found {size:?} on {first:?}")),
            }
        }
        Op::GlobalAvgPool => {
            let (c, _, _) = image(i, first)?;
            vec![c, 1, 1]
        }
        Op::Flatten => match first.iter().try_fold(1u128, |product, &size| product.checked_mul(size)) {
            Some(size) => vec![size],
            None => return error(i, format!("expected a size below 2^128, found shape {first:?}")),
        },
        Op::Add => {
            if inputs.len() < 2 || inputs.iter().any(|shape| *shape != first) {
                return error(i, format!("expected two or more inputs of equal shape, found {inputs:?}"));
            }
            first.to_vec()
        }
        Op::Concat => {
            let mut shape = first.to_vec();
            for other in &inputs[1..] {
                if other.len() != shape.len() || other[1..] != shape[1..] {
                    return error(i, format!("expected shapes equal beyond the first axis, found {inputs:?}"));
                }
                match shape[0].checked_add(other[0]) {
                    Some(size) => shape[0] = size,
                    None => return error(i, format!("expected a size below 2^128, found {inputs:?}")),
                }
            }
            shape
        }
    })
}

impl Tensor {
    /// Errors: the product of `shape` is not the number of entries.
    pub fn new(shape: Vec<usize>, data: Vec<Weight>) -> Result<Tensor, NetError> {
        let size = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
        if size != Some(data.len()) {
            return Err(NetError {
                node: None,
                message: format!("expected {size:?} entries for shape {shape:?}, found {}", data.len()),
            });
        }
        Ok(Tensor { shape, data: Arc::new(data) })
    }
}

impl Network {
    /// Errors: an ill-formed architecture, or a parameter that is missing, superfluous or of another shape.
    pub fn new(
        architecture: Architecture,
        parameters: Vec<Option<Parameters>>,
        weight_bits: u32,
    ) -> Result<Network, NetError> {
        let shapes = architecture.shapes()?;
        if parameters.len() != architecture.nodes.len() {
            return Err(NetError {
                node: None,
                message: format!(
                    "expected parameters for {} layers, found {}",
                    architecture.nodes.len(),
                    parameters.len()
                ),
            });
        }
        for (i, node) in architecture.nodes.iter().enumerate() {
            let input = architecture.shape_of(&shapes, node.inputs[0]);
            let expected: Option<(Vec<Size>, Option<Vec<Size>>)> = match &node.op {
                Op::Dense { units, bias } => Some((vec![*units, input[0]], bias.then(|| vec![*units]))),
                Op::Conv { channels, kernel, groups, bias, .. } => {
                    Some((vec![*channels, input[0] / groups, kernel.0, kernel.1], bias.then(|| vec![*channels])))
                }
                Op::BatchNorm => Some((vec![input[0]], Some(vec![input[0]]))),
                Op::FixedAffine => Some((input.to_vec(), Some(input.to_vec()))),
                _ => None,
            };
            let found =
                parameters[i].as_ref().map(|p| (wide(&p.weight.shape), p.bias.as_ref().map(|b| wide(&b.shape))));
            if expected != found {
                return error(i, format!("expected parameters of shapes {expected:?}, found {found:?}"));
            }
        }
        Ok(Network { architecture, parameters, weight_bits })
    }

    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    pub fn parameters(&self) -> &[Option<Parameters>] {
        &self.parameters
    }

    /// Numbers that the network stores: weights, biases, and fixed scales and shifts.
    pub fn stored(&self) -> usize {
        let sizes = |p: &Parameters| p.weight.data.len() + p.bias.as_ref().map_or(0, |bias| bias.data.len());
        self.parameters.iter().flatten().map(sizes).sum()
    }

    pub fn weight_bits(&self) -> u32 {
        self.weight_bits
    }

    /// Whether every stored number is one of the `2^weight_bits` numbers of its format, which was fixed before all data: -1, 0 and 1
    /// of 2 bits; binary16 or bfloat16; binary32; binary64.
    pub fn is_in_its_format(&self) -> bool {
        let formats: &[Format] = match self.weight_bits {
            2 => &[Format { precision: 1, lowest: 0, highest: 0 }],
            16 => &[
                Format { precision: 11, lowest: -24, highest: 15 },
                Format { precision: 8, lowest: -133, highest: 127 },
            ],
            32 => &[Format { precision: 24, lowest: -149, highest: 127 }],
            64 => &[Format { precision: 53, lowest: -1074, highest: 1023 }],
            _ => &[],
        };
        let arrays = || self.parameters.iter().flatten().flat_map(|p| std::iter::once(&p.weight).chain(&p.bias));
        formats.iter().any(|format| arrays().all(|array| array.data.iter().all(|weight| format.holds(*weight))))
    }
}

fn wide(shape: &[usize]) -> Vec<Size> {
    shape.iter().map(|&n| n as Size).collect()
}
