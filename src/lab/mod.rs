//! The laboratory: draws samples, trains dense networks, observes. Trust: untrusted.
//!
//! Training is bit-reproducible: the same options and sample give the same weights on every IEEE 754 machine and for every number
//! of threads. Its elementary functions are its own (`elementary`), sums run in a fixed order over fixed pieces of a batch,
//! and nothing is contracted or vectorized across a sum.
//!
//! What is seen here is an [`Observed`] value. No conversion leads from it to a fact of the kernel: an observation never enters a
//! proof. A trained network does, but as what it then is: a list of exact dyadic weights.

pub mod anneal;
mod distort;
pub mod elementary;
mod features;
mod gradient;
pub mod mlp;
pub mod observe;
pub mod progress;
pub mod random;
pub mod sample;
mod ternary;
pub mod train;

pub use distort::with_distorted;
pub use features::{features_of, with_features};
pub use gradient::{loss_and_gradient, mean_loss};
pub use mlp::{Init, LabError, Mlp};
pub use observe::{ErrorRate, Observed, error_rate};
pub use sample::{Sample, gaussian_blobs, sphere, two_moons};
pub use train::{Loss, Optimizer, TrainOptions, train, train_from};
