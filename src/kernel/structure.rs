//! Counts and shapes of an architecture, as the theorems use them. Trust: kernel.
//!
//! Layers are affine maps, counted from 1; layer 0 is the input. Every count is an exact big integer.

use super::net::{Activation, Architecture, NetError, Op, Size, Source};
use num_bigint::BigInt;
use num_traits::Zero;

/// One affine map of a chain, or of a sequence of layers with shared weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Index of the node in the architecture.
    pub node: usize,
    pub inputs: Size,
    pub units: Size,
    pub has_bias: bool,
    /// Distinct weights and biases of this layer, and of this and all earlier layers.
    pub params: BigInt,
    pub params_upto: BigInt,
    /// The activation that follows, `Identity` if none does.
    pub activation: Activation,
    /// Pairs of outputs, or of their activations, that max-pooling before the next layer compares; 0 without it.
    pub comparisons: BigInt,
}

/// What the kernel knows of an architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    pub params: BigInt,
    /// Number of affine maps (dense and convolution nodes).
    pub affine_maps: usize,
    pub units: BigInt,
    pub width: Size,
    pub hidden_width: Size,
    pub input_dim: Size,
    pub output_dim: Size,
    /// The layers, where the architecture is a sequence of dense maps and convolutions with activations between them.
    pub layers: Option<Vec<Layer>>,
    /// Whether these are dense maps only: what most theorems call a network.
    pub is_dense: bool,
    /// Whether maxima over windows are among them.
    pub has_maxima: bool,
}

fn count(shape: &[Size]) -> BigInt {
    shape.iter().map(|&n| BigInt::from(n)).product()
}

/// Number of coordinates of a shape, saturated: shapes beyond `u128` have no concrete use.
fn coordinates(shape: &[Size]) -> Size {
    shape.iter().fold(1, |product, &n| product.saturating_mul(n))
}

impl Structure {
    /// Errors: the architecture is not well formed.
    pub fn of(architecture: &Architecture) -> Result<Structure, NetError> {
        let shapes = architecture.shapes()?;
        let mut params = BigInt::zero();
        let mut units = BigInt::zero();
        let mut affine_maps = 0;
        let input_dim = coordinates(&architecture.input);
        let output_dim = shapes.last().map_or(0, |shape| coordinates(shape));
        let mut widths = Vec::new();
        for (i, node) in architecture.nodes.iter().enumerate() {
            let input = node.inputs.first().map_or(&architecture.input[..], |s| architecture.shape_of(&shapes, *s));
            let Some(of_map) = affine_params(&node.op, input) else {
                if node.op == Op::BatchNorm {
                    params += BigInt::from(2) * BigInt::from(input[0]);
                }
                continue;
            };
            params += of_map;
            affine_maps += 1;
            units += count(&shapes[i]);
            widths.push(coordinates(&shapes[i]));
        }
        // The last affine map is the output layer of a chain; elsewhere every affine map counts as hidden but the last.
        let hidden_width = widths.split_last().map_or(0, |(_, hidden)| hidden.iter().copied().max().unwrap_or(0));
        let width = widths.iter().copied().chain([input_dim, output_dim]).max().unwrap_or(0);
        let layers = layers(architecture, &shapes);
        let any = |property: fn(&Op) -> bool| architecture.nodes.iter().any(|node| property(&node.op));
        let has_maxima = any(|op| matches!(op, Op::MaxPool { .. }));
        let is_shared = any(|op| matches!(op, Op::Conv { .. } | Op::AvgPool { .. } | Op::GlobalAvgPool));
        let is_dense = !is_shared && !has_maxima;
        Ok(Structure {
            params,
            affine_maps,
            units,
            width,
            hidden_width,
            input_dim,
            output_dim,
            layers,
            is_dense,
            has_maxima,
        })
    }

    /// The layers of a chain of dense maps.
    pub fn chain(&self) -> Option<&[Layer]> {
        self.layers.as_deref().filter(|_| self.is_dense)
    }

    /// The largest number of cells into which hidden layers cut the input, by the recursion of Serra et al.: a cell of dimension at
    /// most D on which j of the next n units are inactive has an image of dimension at most min(D, n - j). `None` where a layer is
    /// not dense or has more units or inputs than 2^12, and of a net without hidden layers.
    pub fn activation_patterns(&self) -> Option<BigInt> {
        const LIMIT: Size = 1 << 12;
        let (_, hidden) = self.chain()?.split_last()?;
        if hidden.is_empty() || self.input_dim > LIMIT || hidden.iter().any(|layer| layer.units > LIMIT) {
            return None;
        }
        // patterns[D] for the layers after the current one.
        let largest = usize::try_from(self.input_dim).ok()?;
        let mut patterns = vec![BigInt::from(1); largest + 1];
        for layer in hidden.iter().rev() {
            let units = usize::try_from(layer.units).ok()?;
            // The summands of j = 0..units; the sum for D ends at min(D, units) and reads the rest at min(D, units - j).
            let mut binomials = vec![BigInt::from(1)];
            for j in 1..=units.min(largest) {
                let next = &binomials[j - 1] * BigInt::from(units - j + 1) / BigInt::from(j);
                binomials.push(next);
            }
            let count = |dimension: usize| -> BigInt {
                let inactive = binomials.iter().enumerate().take(dimension + 1);
                inactive.map(|(j, cells)| cells * &patterns[dimension.min(units - j)]).sum()
            };
            patterns = (0..=largest).map(count).collect();
        }
        patterns.pop()
    }

    pub fn layer(&self, l: usize) -> Option<&Layer> {
        self.layers.as_ref()?.get(l.checked_sub(1)?)
    }

    /// Activations between layers; `None` where the net is no sequence of layers.
    pub fn hidden_activations(&self) -> Option<impl Iterator<Item = &Activation>> {
        let layers = self.layers.as_ref()?;
        Some(layers[..layers.len().saturating_sub(1)].iter().map(|layer| &layer.activation))
    }
}

/// Reads the nodes as affine maps with at most one activation after each but the last. `Flatten`, `Identity` and means over windows
/// are skipped: the next affine map reads sums of the outputs before with fixed coefficients, so its units are polynomials of the
/// same degree in the same parameters. Max-pooling is kept as the number of pairs that it compares, at most once per layer; before the
/// first layer it is a function of the input.
fn layers(architecture: &Architecture, shapes: &[Vec<Size>]) -> Option<Vec<Layer>> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut total = BigInt::zero();
    let mut after_activation = true;
    for (i, node) in architecture.nodes.iter().enumerate() {
        let expected = if i == 0 { Source::Input } else { Source::Node(i - 1) };
        if node.inputs != [expected] {
            return None;
        }
        let input = architecture.shape_of(shapes, expected);
        match &node.op {
            Op::Flatten | Op::AvgPool { .. } | Op::GlobalAvgPool | Op::Activation(Activation::Identity) => {}
            Op::Dense { bias, .. } | Op::Conv { bias, .. } => {
                let params = affine_params(&node.op, input)?;
                total += &params;
                layers.push(Layer {
                    node: i,
                    inputs: coordinates(input),
                    units: coordinates(&shapes[i]),
                    has_bias: *bias,
                    params,
                    params_upto: total.clone(),
                    activation: Activation::Identity,
                    comparisons: BigInt::zero(),
                });
                after_activation = false;
            }
            Op::MaxPool { window, .. } => {
                if let Some(layer) = layers.last_mut() {
                    if !layer.comparisons.is_zero() {
                        return None;
                    }
                    let size = BigInt::from(window.0) * BigInt::from(window.1);
                    layer.comparisons = count(&shapes[i]) * &size * (&size - 1) / 2;
                }
            }
            Op::Activation(activation) if !after_activation => {
                layers.last_mut()?.activation = activation.clone();
                after_activation = true;
            }
            _ => return None,
        }
    }
    // An activation after the last affine map is not part of a chain in the theorems' sense.
    let last = layers.last()?;
    (last.activation == Activation::Identity).then_some(layers)
}

/// Weights and biases of an affine map that reads this shape; `None` of another operation.
fn affine_params(op: &Op, input: &[Size]) -> Option<BigInt> {
    let (outputs, weights, bias) = match op {
        Op::Dense { units, bias } => (*units, count(input), *bias),
        Op::Conv { channels, kernel, groups, bias, .. } => {
            let weights = BigInt::from(input[0] / groups) * BigInt::from(kernel.0) * BigInt::from(kernel.1);
            (*channels, weights, *bias)
        }
        _ => return None,
    };
    Some(BigInt::from(outputs) * (weights + BigInt::from(u8::from(bias))))
}

impl Activation {
    /// The symbol of this activation in terms, with its parameters.
    pub fn symbol(&self) -> super::term::Term {
        use super::term::Term;
        let with = |name: &str, parameter: &num_rational::BigRational| {
            Term::quantity(name, vec![Term::Number(parameter.clone())])
        };
        match self {
            Activation::LeakyRelu(slope) => with("leaky_relu", slope),
            Activation::Elu(alpha) => with("elu", alpha),
            other => Term::name(other.name()),
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Relu => "relu",
            Activation::LeakyRelu(_) => "leaky_relu",
            Activation::Relu6 => "relu6",
            Activation::HardTanh => "hard_tanh",
            Activation::Heaviside => "heaviside",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Arctan => "arctan",
            Activation::Softplus => "softplus",
            Activation::Softsign => "softsign",
            Activation::Elu(_) => "elu",
            Activation::Silu => "silu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Gaussian => "gaussian",
        }
    }

    /// The activation of this name; `leaky_relu` and `elu` take their default parameters 1/100 and 1.
    pub fn named(name: &str) -> Option<Activation> {
        use num_rational::BigRational;
        Some(match name {
            "identity" | "linear" => Activation::Identity,
            "relu" => Activation::Relu,
            "leaky_relu" => Activation::LeakyRelu(BigRational::new(1.into(), 100.into())),
            "relu6" => Activation::Relu6,
            "hard_tanh" | "hardtanh" => Activation::HardTanh,
            "heaviside" | "sign" | "threshold" => Activation::Heaviside,
            "sigmoid" | "logistic" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "arctan" => Activation::Arctan,
            "softplus" => Activation::Softplus,
            "softsign" => Activation::Softsign,
            "elu" => Activation::Elu(BigRational::from_integer(1.into())),
            "silu" | "swish" => Activation::Silu,
            "gelu" => Activation::Gelu,
            "gelu_tanh" => Activation::GeluTanh,
            "gaussian" => Activation::Gaussian,
            _ => return None,
        })
    }

    /// `(breakpoints, largest degree of a piece)` of a piecewise polynomial activation.
    pub fn pieces(&self) -> Option<(u32, u32)> {
        match self {
            Activation::Identity => Some((0, 1)),
            Activation::Relu | Activation::LeakyRelu(_) => Some((1, 1)),
            Activation::Relu6 | Activation::HardTanh => Some((2, 1)),
            Activation::Heaviside => Some((1, 0)),
            _ => None,
        }
    }

    /// Positively homogeneous: `s(c t) = c s(t)` for `c > 0`.
    pub fn is_homogeneous(&self) -> bool {
        matches!(self, Activation::Identity | Activation::Relu | Activation::LeakyRelu(_))
    }

    /// `s(t) = t` for all `t >= 0`.
    pub fn is_identity_on_positives(&self) -> bool {
        matches!(self, Activation::Identity | Activation::Relu | Activation::LeakyRelu(_) | Activation::Elu(_))
    }

    /// `|s(t)| <= |t|` for all `t`, which gives `s(0) = 0`.
    pub fn is_contractive(&self) -> bool {
        use num_rational::BigRational;
        use num_traits::{One, Signed};
        let one = BigRational::one();
        match self {
            Activation::Identity
            | Activation::Relu
            | Activation::Relu6
            | Activation::HardTanh
            | Activation::Tanh
            | Activation::Arctan
            | Activation::Softsign
            // |x sigmoid(x)| <= |x| and |x Phi(x)| <= |x|, since both factors lie in (0, 1); tanh GELU likewise.
            | Activation::Silu
            | Activation::Gelu
            | Activation::GeluTanh => true,
            Activation::LeakyRelu(slope) => slope.abs() <= one,
            // For x < 0: |alpha (e^x - 1)| <= |alpha| |x|.
            Activation::Elu(alpha) => alpha.abs() <= one,
            Activation::Heaviside | Activation::Sigmoid | Activation::Softplus | Activation::Gaussian => false,
        }
    }

    /// 1-Lipschitz: `|s(t) - s(u)| <= |t - u|`.
    pub fn is_nonexpansive(&self) -> bool {
        use num_rational::BigRational;
        use num_traits::{One, Signed};
        let one = BigRational::one();
        match self {
            Activation::LeakyRelu(slope) => slope.abs() <= one,
            Activation::Elu(alpha) => alpha.abs() <= one,
            // Their derivatives exceed 1 somewhere.
            Activation::Silu | Activation::Gelu | Activation::GeluTanh | Activation::Heaviside => false,
            Activation::Identity
            | Activation::Relu
            | Activation::Relu6
            | Activation::HardTanh
            | Activation::Sigmoid
            | Activation::Tanh
            | Activation::Arctan
            | Activation::Softplus
            | Activation::Softsign
            // |x| e^(-x^2/2) is largest at x = 1: e^(-1/2) < 1.
            | Activation::Gaussian => true,
        }
    }
}
