//! The objects that claims speak of: networks, hypothesis classes, domains, samples, with their provenance. Trust: kernel.
//!
//! Provenance: every sample is a union of atoms (`D` split into `train` and `test` has the atoms `D.train` and `D.test`), and
//! every object knows the atoms it depends on, or that this is unknown. Two objects are independent when both sets are known
//! and disjoint; an unknown dependence must be declared by an assumption.

use super::net::{Architecture, Network, Size, Weight};
use super::point::{Points, Propose};
use super::term::{Definition, Term};
use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The sample atoms an object depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependence {
    Known(BTreeSet<String>),
    /// Nothing is known; only a declared assumption may say more.
    Unknown,
}

/// A network of the spec. Without parameters it stands for the set of all networks of its architecture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetObject {
    pub architecture: Architecture,
    pub network: Option<Arc<Network>>,
    /// Constraints on the parameters, where the object is a class `f where |W[l]|_spec <= 2, ...`; empty otherwise.
    pub constraints: Vec<Constraint>,
}

/// Which parameters a constraint bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Weight,
    Bias,
}

/// `norm(part of affine layer `layer`) <= bound` (layers count from 1).
///
/// Norm symbols of a weight matrix `W` acting from the input to the output: `l1`, `l2`, `linf` are operator norms, `fro` is
/// the Frobenius norm, `max` the largest absolute entry, `l21` the sum over output units of the Euclidean norms of their
/// rows. Of a bias vector: `l1`, `l2`, `linf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Constraint {
    pub part: Part,
    pub layer: usize,
    pub norm: String,
    pub bound: Term,
}

/// A set of inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// Product of closed intervals, run-length encoded: `(count, low, high)`, every `low <= high`.
    Box(Vec<(Size, BigRational, BigRational)>),
    /// `{ x : |x - center|_norm <= radius }` in `dimension` coordinates; `None` is the origin.
    Ball { dimension: Size, radius: BigRational, norm: String, center: Option<Vec<BigRational>> },
}

impl Domain {
    /// Number of coordinates; `None` beyond `u128`.
    pub fn dimension(&self) -> Option<Size> {
        match self {
            Domain::Box(runs) => runs.iter().try_fold(0u128, |sum, run| sum.checked_add(run.0)),
            Domain::Ball { dimension, .. } => Some(*dimension),
        }
    }
}

/// How a sample came about: what makes it an i.i.d. sample, if anything does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Drawn by a seeded generator of independent examples, named here.
    Generated(String),
    /// Read from a file. Independence is an assumption.
    File,
    /// A part by position of a file that was not permuted: such a file may be sorted, so it is not an i.i.d. sample.
    SortedFilePart,
    /// Declared a time series: its examples depend on each other.
    TimeSeries,
}

/// A labelled sample with exact inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Number of examples.
    pub size: usize,
    pub atoms: BTreeSet<String>,
    pub origin: Origin,
    /// Number of classes; labels are `0..classes`. A binary sample has labels 0 (for y = -1) and 1 (for y = +1).
    pub classes: u32,
    pub examples: Option<Arc<Examples>>,
}

impl Sample {
    /// The data sets that the atoms belong to: an atom is named `D` or `D.part`. Every data set has a law of its own, and
    /// `risk(f, loss)` is the expected loss under the law of the data set that a derivation uses.
    pub fn populations(&self) -> BTreeSet<String> {
        self.atoms.iter().map(|atom| atom.split('.').next().unwrap_or(atom).to_string()).collect()
    }
}

/// Inputs in row-major order, one row per example. The exact input is `value * scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examples {
    pub dimension: usize,
    pub values: Vec<Weight>,
    pub scale: BigRational,
    pub labels: Vec<u32>,
}

/// Which parameters of a law carry noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noise {
    All,
    /// Weights and biases of the last layer with parameters.
    LastLayer,
}

/// A Gaussian law on networks: independent noise around the parameters of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Law {
    /// The network of the means; the law depends on the sample atoms that this network depends on.
    pub mean: String,
    /// The square of the standard deviation of every noisy parameter.
    pub variance: BigRational,
    pub noise: Noise,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    Net(NetObject),
    Domain(Domain),
    Sample(Sample),
    Law(Law),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub object: Object,
    pub dependence: Dependence,
}

/// A declared assumption of the spec (`assume NAME : ...`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    pub name: String,
    pub kind: AssumptionKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssumptionKind {
    /// The sample (all its atoms) is independent and identically distributed.
    Iid { sample: String },
    /// The object depends on these sample atoms and no others.
    DependsOn { object: String, atoms: BTreeSet<String> },
    /// Inputs of the sample's law (that of all its atoms) lie in the domain with probability 1.
    Supported { sample: String, domain: String },
}

/// Everything a claim may refer to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Objects {
    pub entries: BTreeMap<String, Entry>,
    pub definitions: BTreeMap<String, Definition>,
    pub assumptions: Vec<Assumption>,
    /// What was computed of networks and samples so far.
    pub memo: super::memo::Memo,
    /// Where inverses are checked.
    pub points: Points,
}

impl Objects {
    /// No objects, with points for inverses as they are asked for.
    pub fn proposing(propose: Propose) -> Objects {
        Objects { points: Points::proposed(propose), ..Objects::default() }
    }

    pub fn net(&self, name: &str) -> Option<&NetObject> {
        match self.entries.get(name)?.object {
            Object::Net(ref net) => Some(net),
            _ => None,
        }
    }

    pub fn domain(&self, name: &str) -> Option<&Domain> {
        match self.entries.get(name)?.object {
            Object::Domain(ref domain) => Some(domain),
            _ => None,
        }
    }

    pub fn law(&self, name: &str) -> Option<&Law> {
        match self.entries.get(name)?.object {
            Object::Law(ref law) => Some(law),
            _ => None,
        }
    }

    pub fn sample(&self, name: &str) -> Option<&Sample> {
        match self.entries.get(name)?.object {
            Object::Sample(ref sample) => Some(sample),
            _ => None,
        }
    }
}
