//! Lipschitz constants of trained networks.
//!
//! Every producer proposes a witness in f64 and lets the kernel decide; see [`crate::kernel::lipschitz`].

pub mod branch;
pub mod dual;
pub mod graph;
pub mod lower;
pub mod recovery;
pub mod relaxation;
