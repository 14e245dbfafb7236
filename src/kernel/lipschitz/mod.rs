//! Certificates of Lipschitz constants of networks and their check. Trust: kernel.
//!
//! A [`Witness`] is proposed by untrusted floating point; [`check_upper`], [`check_lower`] decide with exact integers about the
//! exact real function of the exact dyadic weights. All results are *squares* of Lipschitz constants, which keeps them rational.
//!
//! The constant of `f` on a set `X` from norm `p` to norm `q` is the least `L` with `|f(x) - f(y)|_q <= L |x - y|_p` on `X`.
//! A domain is a box, which is convex: along a segment of `X` the network is absolutely continuous, and almost everywhere its
//! derivative is `J v` for a product `J` of the weights with slopes of the activations that are possible at that point.
//! Therefore a bound of `|J v|` for all possible slopes bounds the constant.

pub mod averaged;
pub mod bounds;
pub mod dyadic;
pub mod jacobian;
pub mod layer;
pub mod lower;
pub mod operator;
pub mod product;
pub mod robust;
pub mod sdp;
pub mod slope;
pub mod smooth;
pub mod system;
pub mod tree;

pub use bounds::{Domain, Region, Sign};
pub use dyadic::Dyadic;
pub use layer::LayerMap;
pub use lower::LowerWitness;
pub use product::LayerNorm;
pub use sdp::Multipliers;
pub use slope::Slope;
pub use system::System;
pub use tree::Branch;

use crate::kernel::net::Network;
use num_rational::BigRational;
use std::fmt;

/// A norm of a finite-dimensional space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    L1,
    L2,
    Linf,
}

/// Norms of the input and of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Norms {
    pub input: Norm,
    pub output: Norm,
}

impl Norms {
    pub const L2: Norms = Norms { input: Norm::L2, output: Norm::L2 };
    pub const LINF: Norms = Norms { input: Norm::Linf, output: Norm::Linf };
    pub const L1: Norms = Norms { input: Norm::L1, output: Norm::L1 };

    /// Whether semidefinite certificates speak of all outputs at once (l2) or one by one (linf). Errors: the l1 norm of many.
    pub fn output_is_l2(self, outputs: usize) -> Result<bool, LipError> {
        match self.output {
            _ if outputs == 1 => Ok(true),
            Norm::L2 => Ok(true),
            Norm::Linf => Ok(false),
            Norm::L1 => {
                Err(LipError::Unsupported(format!("expected output norm l2 or linf, found l1 of {outputs} outputs")))
            }
        }
    }

    /// The bound of the square that proved input weights give: `sum t_i x_i^2` against the input norm.
    pub fn weight(self, multipliers: &Multipliers, inputs: usize) -> Dyadic {
        match self.input {
            Norm::Linf => multipliers.total(inputs),
            Norm::L1 | Norm::L2 => multipliers.largest(),
        }
    }

    /// The norm `p` whose p-to-p bounds hold for this pair, by `|y|_inf <= |y|_2 <= |y|_1`.
    pub fn product_norm(self, outputs: usize) -> Result<Norm, LipError> {
        let rank = |norm: Norm| match norm {
            Norm::L1 => 0,
            Norm::L2 => 1,
            Norm::Linf => 2,
        };
        if outputs == 1 || rank(self.output) >= rank(self.input) {
            return Ok(self.input);
        }
        Err(LipError::Unsupported(format!(
            "expected an output norm not above the input norm, found {:?} to {:?}",
            self.input, self.output
        )))
    }
}

/// A certificate of an upper bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The product of the layers' norms, with a certificate per affine node for l2.
    Product(Vec<Option<LayerNorm>>),
    /// The norm of the product of the layers' magnitudes; in a domain with the slopes that are possible there.
    AbsoluteProduct,
    /// Affine forms of the derivatives.
    Jacobian,
    /// The recursion of Combettes and Pesquet, with proposed squares of the maps' spectral norms for l2.
    Averaged(Vec<Vec<Option<Dyadic>>>),
    /// A branch-and-bound tree of semidefinite certificates. A single leaf is the plain semidefinite bound.
    Tree(Vec<Branch>),
}

/// The square of the Lipschitz constant that a witness proves, on the whole space or on a domain.
pub fn check_upper(
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    witness: &Witness,
) -> Result<BigRational, LipError> {
    let region = domain.map(Region::new);
    let square = match witness {
        Witness::Product(layers) => {
            let outputs = network.architecture().shapes().map_err(|e| LipError::Unsupported(e.to_string()))?;
            let outputs = outputs.last().map_or(0, |shape| shape.iter().fold(1u128, |n, &k| n.saturating_mul(k)));
            product::check(network, norms.product_norm(usize::try_from(outputs).unwrap_or(usize::MAX))?, layers)?
        }
        Witness::AbsoluteProduct => {
            let system = System::new(network)?;
            let slopes: Vec<Dyadic> = possible(&system, region.as_ref())?.iter().map(Slope::largest).collect();
            product::absolute(&system, &slopes, norms.product_norm(system.outputs.len())?)?
        }
        Witness::Jacobian => {
            let system = System::new(network)?;
            let slopes = possible(&system, region.as_ref())?;
            jacobian::bound(&system, &slopes, norms)?
        }
        Witness::Averaged(squares) => {
            let system = System::new(network)?;
            let slopes = possible(&system, region.as_ref())?;
            averaged::Maps::new(&system, &slopes, norms.product_norm(system.outputs.len())?)?.bound(squares)?
        }
        Witness::Tree(tree) => tree::check(&System::new(network)?, norms, region.as_ref(), tree)?,
    };
    Ok(square.to_rational())
}

/// The slopes of all neurons that are possible in the region, or anywhere.
pub fn possible(system: &System, region: Option<&Region>) -> Result<Vec<Slope>, LipError> {
    tree::slopes(system, region, &vec![None; system.neurons.len()])?.ok_or(LipError::NotProved)
}

/// The square of a lower bound of the Lipschitz constant that a witness exhibits, on the whole space or on a domain.
pub fn check_lower(
    network: &Network,
    norms: Norms,
    domain: Option<&Domain>,
    witness: &LowerWitness,
) -> Result<BigRational, LipError> {
    lower::check(&System::new(network)?, norms, domain, witness)
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LipError {
    /// The witness does not have the shape of the network.
    Shape { expected: String, found: String },
    /// The network or the pair of norms is outside the certificate's reach.
    Unsupported(String),
    /// Unrolling would take too much memory.
    TooLarge(String),
    /// A number that must be positive (or a range that must not be empty) is not.
    NotPositive { what: &'static str, position: usize },
    /// A point leaves the domain in a coordinate, or a direction moves along a flat one.
    Outside { position: usize },
    /// The point lies on a kink of a neuron.
    Kink { neuron: usize },
    /// The inequality that the witness claims does not follow from it.
    NotProved,
}

impl LipError {
    fn shape(expected: &str, found: &str) -> LipError {
        LipError::Shape { expected: expected.to_string(), found: found.to_string() }
    }

    fn too_large(expected: &str) -> LipError {
        LipError::TooLarge(expected.to_string())
    }
}

impl fmt::Display for LipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LipError::Shape { expected, found } => write!(f, "lipschitz witness: expected {expected}, found {found}"),
            LipError::Unsupported(what) => f.write_str(what),
            LipError::TooLarge(what) => write!(f, "lipschitz certificate: expected {what}, found more"),
            LipError::NotPositive { what, position } => {
                write!(f, "lipschitz witness: expected a positive {what} at position {position}, found another")
            }
            LipError::Outside { position } => {
                write!(
                    f,
                    "lipschitz witness: expected a point of the domain, found one outside in coordinate {position}"
                )
            }
            LipError::Kink { neuron } => {
                write!(f, "lipschitz witness: expected a point off the kinks, found one on a kink of neuron {neuron}")
            }
            LipError::NotProved => f.write_str(
                "lipschitz witness: expected a positive semidefinite form, found one that is not proved to be",
            ),
        }
    }
}

impl std::error::Error for LipError {}
