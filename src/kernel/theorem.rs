//! Theorems as the kernel sees them. Trust: kernel (the statements themselves are the library's).

use super::term::{Formula, Term};

/// How far a statement was checked against its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Read in the cited source.
    Proved,
    /// Derived, with a proof in the block's note or in the book.
    Derived,
    /// Cited from memory: every result that uses it carries a dagger.
    Recalled,
    /// A user's own conjecture: every result that uses it carries a dagger.
    Unproved,
}

/// What a parameter of a theorem stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A concrete network, an architecture (all its networks), or a class of networks.
    Net,
    Domain,
    Sample,
    /// A law on the networks of one architecture: a prior or a posterior.
    Law,
    /// A network or a law on networks.
    Predictor,
    /// A class of binary functions: `sign(N)`, `halfspaces(n)`, ...
    Class,
    /// A net, or a net on a domain (`N on X`).
    Map,
    /// A norm symbol: `l1`, `l2`, `linf`, `fro`.
    Norm,
    /// A loss symbol: `zero_one`, `ramp`, ...
    Loss,
    Activation,
    Natural,
    Real,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theorem {
    /// `topic.author_or_idea`; never renamed.
    pub name: String,
    pub parameters: Vec<(String, Sort)>,
    pub requires: Vec<Formula>,
    /// A comparison or membership whose left side is one quantity.
    pub ensures: Formula,
    /// The conclusion fails with at most this probability over the samples it names; `None` for a deterministic theorem.
    pub failure: Option<Term>,
    pub status: Status,
}
