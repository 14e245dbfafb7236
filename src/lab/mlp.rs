//! Dense networks as plain floats. Trust: untrusted.
//!
//! INVARIANT: an [`Mlp`] has at least one layer, positive sizes, and one weight and bias per place; [`Mlp::new`] checks it.

use super::elementary::{arctan, exp, normal_density, normal_distribution, sigmoid, softplus, tanh};
use super::gradient::Passes;
use super::random::{Random, Stream};
use crate::kernel::net::{Activation, Architecture, NetError, Network, Op, Parameters, Source, Tensor, Weight};
use num_traits::ToPrimitive;
use std::fmt;

/// More parameters than this are refused (0.8 GB of weights, four times that while training).
pub const MAX_PARAMETERS: u128 = 100_000_000;

/// Why something cannot be trained, drawn or observed.
#[derive(Clone, Debug, PartialEq)]
pub enum LabError {
    /// An option out of its range: name, what was expected, what was found.
    Option { name: &'static str, expected: &'static str, found: String },
    /// Sizes, inputs or labels that do not fit together.
    Shape(String),
    /// An architecture or activation that the laboratory cannot train.
    Unsupported(String),
    /// More work or memory than the laboratory accepts.
    TooLarge(String),
    /// The loss or a weight stopped being a finite number.
    Diverged { epoch: usize },
    /// The progress hook asked to stop.
    Interrupted { epoch: usize },
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabError::Option { name, expected, found } => write!(f, "`{name}`: expected {expected}, found {found}"),
            LabError::Shape(text) | LabError::Unsupported(text) | LabError::TooLarge(text) => f.write_str(text),
            LabError::Diverged { epoch } => {
                write!(f, "training diverged in epoch {epoch}: expected finite weights, found an overflow; lower `lr`")
            }
            LabError::Interrupted { epoch } => write!(f, "training interrupted in epoch {epoch}"),
        }
    }
}

impl std::error::Error for LabError {}

impl From<NetError> for LabError {
    fn from(error: NetError) -> LabError {
        LabError::Shape(error.to_string())
    }
}

/// How the first weights are drawn, layer by layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Init {
    /// Weights and biases uniform on `±1/sqrt(fan_in)` (the default of PyTorch's `Linear`).
    #[default]
    PyTorch,
    /// Weights uniform on `±sqrt(6/fan_in)`, biases 0 (He, Zhang, Ren, Sun 2015).
    He,
    /// Weights uniform on `±sqrt(6/(fan_in + fan_out))`, biases 0 (Glorot, Bengio 2010).
    Glorot,
}

/// An activation with its constants rounded to floats.
#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Identity,
    Clamp { low: f64, high: f64 },
    Leaky(f64),
    Sigmoid,
    Tanh,
    Arctan,
    Softplus,
    Softsign,
    Elu(f64),
    Silu,
    Gelu,
    GeluTanh,
    Gaussian,
}

impl Unit {
    pub(super) fn of(activation: &Activation) -> Result<Unit, LabError> {
        let float = |value: &num_rational::BigRational| {
            value.to_f64().filter(|v| v.is_finite()).ok_or_else(|| {
                LabError::Unsupported("expected an activation's constant within the range of f64".to_string())
            })
        };
        Ok(match activation {
            Activation::Identity => Unit::Identity,
            Activation::Relu => Unit::Clamp { low: 0.0, high: f64::INFINITY },
            Activation::Relu6 => Unit::Clamp { low: 0.0, high: 6.0 },
            Activation::HardTanh => Unit::Clamp { low: -1.0, high: 1.0 },
            Activation::LeakyRelu(slope) => Unit::Leaky(float(slope)?),
            Activation::Elu(alpha) => Unit::Elu(float(alpha)?),
            Activation::Sigmoid => Unit::Sigmoid,
            Activation::Tanh => Unit::Tanh,
            Activation::Arctan => Unit::Arctan,
            Activation::Softplus => Unit::Softplus,
            Activation::Softsign => Unit::Softsign,
            Activation::Silu => Unit::Silu,
            Activation::Gelu => Unit::Gelu,
            Activation::GeluTanh => Unit::GeluTanh,
            Activation::Gaussian => Unit::Gaussian,
            Activation::Heaviside => {
                return Err(LabError::Unsupported(
                    "expected an activation with a slope, found `heaviside`, whose gradient is 0".to_string(),
                ));
            }
        })
    }

    /// Value and derivative; at a kink the derivative from the left (0 for ReLU at 0, as in PyTorch).
    #[inline]
    pub(super) fn value_and_slope(self, x: f64) -> (f64, f64) {
        match self {
            Unit::Identity => (x, 1.0),
            // Compared, not clamped: a NaN must stay one, to be seen as divergence.
            Unit::Clamp { low, high } => {
                if x <= low {
                    (low, 0.0)
                } else if x >= high {
                    (high, 0.0)
                } else {
                    (x, 1.0)
                }
            }
            Unit::Leaky(slope) => {
                if x > 0.0 {
                    (x, 1.0)
                } else {
                    (slope * x, slope)
                }
            }
            Unit::Sigmoid => {
                let s = sigmoid(x);
                (s, s * (1.0 - s))
            }
            Unit::Tanh => {
                let t = tanh(x);
                (t, 1.0 - t * t)
            }
            Unit::Arctan => (arctan(x), 1.0 / (1.0 + x * x)),
            Unit::Softplus => (softplus(x), sigmoid(x)),
            Unit::Softsign => {
                let d = 1.0 + x.abs();
                (x / d, 1.0 / (d * d))
            }
            Unit::Elu(alpha) => {
                if x > 0.0 {
                    (x, 1.0)
                } else {
                    let e = alpha * exp(x);
                    (e - alpha, e)
                }
            }
            Unit::Silu => {
                let s = sigmoid(x);
                (x * s, s + x * s * (1.0 - s))
            }
            Unit::Gelu => {
                let p = normal_distribution(x);
                (x * p, p + x * normal_density(x))
            }
            Unit::GeluTanh => {
                const C: f64 = 0.797_884_560_802_865_4; // sqrt(2 / pi)
                let t = tanh(C * (x + 0.044715 * x * x * x));
                let inner = C * (1.0 + 3.0 * 0.044715 * x * x);
                (0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner)
            }
            Unit::Gaussian => {
                let e = exp(-0.5 * x * x);
                (e, -x * e)
            }
        }
    }
}

/// A chain of dense layers; the activation stands between layers, not after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    sizes: Vec<usize>,
    activation: Activation,
    /// Per layer, row-major `[units][inputs]`.
    weights: Vec<Vec<f64>>,
    /// Per layer, `[units]`.
    biases: Vec<Vec<f64>>,
}

impl Mlp {
    /// `weights[l]` is row-major with `sizes[l + 1]` rows and `sizes[l]` columns.
    /// Errors: fewer than two sizes, a size of 0, too many parameters, a list of another length.
    pub fn new(
        sizes: Vec<usize>,
        activation: Activation,
        weights: Vec<Vec<f64>>,
        biases: Vec<Vec<f64>>,
    ) -> Result<Mlp, LabError> {
        check_sizes(&sizes)?;
        let lengths = |lists: &[Vec<f64>]| lists.iter().map(Vec::len).collect::<Vec<_>>();
        let expected: Vec<usize> = sizes.windows(2).map(|w| w[0] * w[1]).collect();
        if lengths(&weights) != expected {
            return Err(LabError::Shape(format!("expected {expected:?} weights, found {:?}", lengths(&weights))));
        }
        if lengths(&biases) != sizes[1..] {
            return Err(LabError::Shape(format!("expected {:?} biases, found {:?}", &sizes[1..], lengths(&biases))));
        }
        Ok(Mlp { sizes, activation, weights, biases })
    }

    /// The network before training.
    pub fn initial(sizes: &[usize], activation: &Activation, init: Init, seed: u64) -> Result<Mlp, LabError> {
        check_sizes(sizes)?;
        let mut random = Random::new(seed, Stream::Weights);
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for pair in sizes.windows(2) {
            let (fan_in, fan_out) = (pair[0] as f64, pair[1] as f64);
            let (weight, bias) = match init {
                Init::PyTorch => (1.0 / fan_in.sqrt(), 1.0 / fan_in.sqrt()),
                Init::He => ((6.0 / fan_in).sqrt(), 0.0),
                Init::Glorot => ((6.0 / (fan_in + fan_out)).sqrt(), 0.0),
            };
            let mut draw = |count: usize, bound: f64| -> Vec<f64> {
                (0..count).map(|_| (2.0 * random.uniform() - 1.0) * bound).collect()
            };
            weights.push(draw(pair[0] * pair[1], weight));
            biases.push(draw(pair[1], bias));
        }
        Mlp::new(sizes.to_vec(), activation.clone(), weights, biases)
    }

    /// Sizes and activation of an architecture that is a chain of dense layers with biases.
    /// Errors: any other layer or wiring, differing activations, an activation after the last layer.
    pub fn chain_of(architecture: &Architecture) -> Result<(Vec<usize>, Activation), LabError> {
        let refuse = |found: String| {
            Err(LabError::Unsupported(format!(
                "expected a chain of `dense` layers with one activation between them, found {found}"
            )))
        };
        let [input] = architecture.input[..] else {
            return refuse(format!("an input of shape {:?}", architecture.input));
        };
        let mut sizes = vec![input];
        let mut activation: Option<&Activation> = None;
        let mut after_dense = false;
        for (i, node) in architecture.nodes.iter().enumerate() {
            let expected = if i == 0 { Source::Input } else { Source::Node(i - 1) };
            if node.inputs != [expected] {
                return refuse(format!("layer {} reading another layer than the one before it", i + 1));
            }
            match &node.op {
                Op::Dense { units, bias: true } => {
                    // Two dense layers in a row are a chain with the identity between them.
                    if after_dense && **activation.get_or_insert(&Activation::Identity) != Activation::Identity {
                        return refuse(format!("layer {} without an activation before it", i + 1));
                    }
                    sizes.push(*units);
                    after_dense = true;
                }
                Op::Activation(found) => {
                    if !after_dense || i + 1 == architecture.nodes.len() {
                        return refuse(format!("an activation as layer {}", i + 1));
                    }
                    if *activation.get_or_insert(found) != found {
                        return refuse(format!("another activation as layer {}", i + 1));
                    }
                    after_dense = false;
                }
                Op::Dense { bias: false, .. } => return refuse(format!("layer {} without biases", i + 1)),
                _ => return refuse(format!("another kind of layer as layer {}", i + 1)),
            }
        }
        let mut narrow = Vec::with_capacity(sizes.len());
        for size in sizes {
            match usize::try_from(size) {
                Ok(size) => narrow.push(size),
                Err(_) => return Err(LabError::TooLarge(format!("expected sizes that fit into memory, found {size}"))),
            }
        }
        check_sizes(&narrow)?;
        Ok((narrow, activation.cloned().unwrap_or(Activation::Identity)))
    }

    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    pub fn activation(&self) -> &Activation {
        &self.activation
    }

    /// Per layer, row-major.
    pub fn weights(&self) -> &[Vec<f64>] {
        &self.weights
    }

    pub fn biases(&self) -> &[Vec<f64>] {
        &self.biases
    }

    pub fn inputs(&self) -> usize {
        self.sizes[0]
    }

    pub fn outputs(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// All parameters in one list: per layer its weights, then its biases.
    pub fn parameters(&self) -> Vec<f64> {
        let mut all = Vec::new();
        for (weights, biases) in self.weights.iter().zip(&self.biases) {
            all.extend_from_slice(weights);
            all.extend_from_slice(biases);
        }
        all
    }

    /// The same architecture with other parameters, in the order of [`Mlp::parameters`].
    pub fn with_parameters(&self, parameters: &[f64]) -> Result<Mlp, LabError> {
        let (mut weights, mut biases, mut rest) = (Vec::new(), Vec::new(), parameters);
        for pair in self.sizes.windows(2) {
            let Some((head, tail)) = rest.split_at_checked(pair[0] * pair[1]) else { break };
            let Some((bias, tail)) = tail.split_at_checked(pair[1]) else { break };
            weights.push(head.to_vec());
            biases.push(bias.to_vec());
            rest = tail;
        }
        if !rest.is_empty() {
            return Err(LabError::Shape(format!("expected fewer parameters, found {}", parameters.len())));
        }
        Mlp::new(self.sizes.clone(), self.activation.clone(), weights, biases)
    }

    /// Outputs in f64, row-major `[points][outputs]`, for inputs row-major `[points][inputs]`.
    pub fn evaluate(&self, inputs: &[f64]) -> Result<Vec<f64>, LabError> {
        if !inputs.len().is_multiple_of(self.inputs()) {
            return Err(LabError::Shape(format!(
                "expected points of dimension {}, found {} coordinates",
                self.inputs(),
                inputs.len()
            )));
        }
        Ok(Passes::new(self)?.evaluate(&self.parameters(), inputs))
    }

    /// Every parameter rounded to the nearest f32 (ties to even); `None` where one is not finite there.
    pub fn rounded(&self) -> Option<Mlp> {
        let round = |lists: &[Vec<f64>]| -> Option<Vec<Vec<f64>>> {
            lists
                .iter()
                .map(|list| list.iter().map(|&w| Some(f64::from(w as f32)).filter(|w| w.is_finite())).collect())
                .collect()
        };
        Some(Mlp { weights: round(&self.weights)?, biases: round(&self.biases)?, ..self.clone() })
    }

    /// The exact network of the parameters rounded to f32. Errors: a parameter that is not finite in f32.
    pub fn to_network(&self) -> Result<Network, LabError> {
        let rounded = self
            .rounded()
            .ok_or_else(|| LabError::Shape("expected parameters within the range of f32, found an overflow".into()))?;
        let sizes: Vec<u128> = self.sizes.iter().map(|&n| n as u128).collect();
        let architecture = Architecture::dense_chain(&sizes, &self.activation)?;
        let exact = |list: &[f64]| list.iter().map(|&w| dyadic(w as f32)).collect::<Vec<Weight>>();
        let mut layers = rounded.weights.iter().zip(&rounded.biases).zip(self.sizes.windows(2));
        let mut parameters = Vec::with_capacity(architecture.nodes.len());
        for node in &architecture.nodes {
            parameters.push(match (&node.op, layers.len()) {
                (Op::Dense { .. }, 1..) => match layers.next() {
                    Some(((weights, biases), pair)) => Some(Parameters {
                        weight: Tensor::new(vec![pair[1], pair[0]], exact(weights))?,
                        bias: Some(Tensor::new(vec![pair[1]], exact(biases))?),
                    }),
                    None => None,
                },
                _ => None,
            });
        }
        Ok(Network::new(architecture, parameters, 32)?)
    }
}

fn check_sizes(sizes: &[usize]) -> Result<(), LabError> {
    if sizes.len() < 2 || sizes.contains(&0) {
        return Err(LabError::Shape(format!("expected two or more positive sizes, found {sizes:?}")));
    }
    let mut count: u128 = 0;
    for pair in sizes.windows(2) {
        // Sizes are below 2^64, so one product fits, and the sum stops at the first excess.
        count += pair[0] as u128 * pair[1] as u128 + pair[1] as u128;
        if count > MAX_PARAMETERS {
            return Err(LabError::TooLarge(format!(
                "expected at most {MAX_PARAMETERS} parameters to train, found more in sizes {sizes:?}"
            )));
        }
    }
    Ok(())
}

/// The exact value of a finite f32; an odd mantissa unless it is 0.
fn dyadic(w: f32) -> Weight {
    let bits = w.to_bits();
    let field = ((bits >> 23) & 0xff) as i16;
    let fraction = i64::from(bits & 0x007f_ffff);
    let (mantissa, exponent) = if field == 0 { (fraction, -149) } else { (fraction | 0x0080_0000, field - 150) };
    if mantissa == 0 {
        return Weight::default();
    }
    let shift = mantissa.trailing_zeros() as i16;
    let mantissa = mantissa >> shift;
    Weight { mantissa: if bits >> 31 == 1 { -mantissa } else { mantissa }, exponent: exponent + shift }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dyadics_are_exact() {
        for w in [0.0f32, -0.0, 1.0, -1.5, 0.1, f32::MAX, f32::MIN_POSITIVE, 1e-45, -3.4e-40, 123.456] {
            let exact = dyadic(w);
            // 2^exponent in two factors: both are f64 numbers even for the smallest f32.
            let half = f64::from(exact.exponent / 2);
            let rest = f64::from(exact.exponent) - half;
            assert_eq!(exact.mantissa as f64 * half.exp2() * rest.exp2(), f64::from(w));
            assert!(exact.mantissa == 0 || exact.mantissa % 2 != 0);
        }
    }

    #[test]
    fn derivatives_match_differences() {
        let half = num_rational::BigRational::new(1.into(), 2.into());
        let all = [
            Activation::Identity,
            Activation::Relu,
            Activation::LeakyRelu(half.clone()),
            Activation::Relu6,
            Activation::HardTanh,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::Arctan,
            Activation::Softplus,
            Activation::Softsign,
            Activation::Elu(half),
            Activation::Silu,
            Activation::Gelu,
            Activation::GeluTanh,
            Activation::Gaussian,
        ];
        for activation in all {
            let unit = Unit::of(&activation).unwrap();
            for i in -40..40 {
                // Off the kinks at 0, ±1 and 6.
                let (x, h) = (f64::from(i) * 0.173 + 0.01, 1e-5);
                let difference = (unit.value_and_slope(x + h).0 - unit.value_and_slope(x - h).0) / (2.0 * h);
                let slope = unit.value_and_slope(x).1;
                assert!((difference - slope).abs() < 1e-8, "{activation:?} at {x}: {difference} against {slope}");
            }
        }
        assert!(Unit::of(&Activation::Heaviside).is_err());
    }

    #[test]
    fn chains_are_recognized_and_others_refused() {
        let chain = Architecture::dense_chain(&[2, 16, 16, 1], &Activation::Relu).unwrap();
        assert_eq!(Mlp::chain_of(&chain), Ok((vec![2, 16, 16, 1], Activation::Relu)));
        let linear = Architecture::dense_chain(&[2, 3, 1], &Activation::Identity).unwrap();
        assert_eq!(Mlp::chain_of(&linear), Ok((vec![2, 3, 1], Activation::Identity)));
        let mut after = chain.clone();
        after
            .nodes
            .push(crate::kernel::net::Node { op: Op::Activation(Activation::Relu), inputs: vec![Source::Node(4)] });
        assert!(Mlp::chain_of(&after).is_err());
        let mut mixed = chain.clone();
        mixed.nodes[3].op = Op::Activation(Activation::Tanh);
        assert!(Mlp::chain_of(&mixed).is_err());
        let mut skip = chain.clone();
        skip.nodes[4].inputs = vec![Source::Node(1)];
        assert!(Mlp::chain_of(&skip).is_err());
        let mut image = chain;
        image.input = vec![1, 2, 2];
        assert!(Mlp::chain_of(&image).is_err());
    }

    #[test]
    fn shapes_are_checked() {
        let layer = |w: usize, b: usize| Mlp::new(vec![2, 3], Activation::Relu, vec![vec![0.0; w]], vec![vec![0.0; b]]);
        assert!(layer(6, 3).is_ok());
        assert!(layer(5, 3).is_err());
        assert!(layer(6, 2).is_err());
        assert!(Mlp::new(vec![2], Activation::Relu, vec![], vec![]).is_err());
        assert!(Mlp::initial(&[2, 0, 1], &Activation::Relu, Init::He, 0).is_err());
        assert!(matches!(
            Mlp::initial(&[usize::MAX, usize::MAX, 1], &Activation::Relu, Init::He, 0),
            Err(LabError::TooLarge(_))
        ));
        let mlp = Mlp::initial(&[2, 3, 1], &Activation::Relu, Init::He, 0).unwrap();
        assert_eq!(mlp.with_parameters(&mlp.parameters()).as_ref(), Ok(&mlp));
        assert!(mlp.with_parameters(&[0.0; 14]).is_err());
        assert!(mlp.with_parameters(&[0.0; 12]).is_err());
        assert!(mlp.evaluate(&[0.0; 3]).is_err());
    }
}
