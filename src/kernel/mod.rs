//! The trusted kernel: it alone says *proved*.
//!
//! It names no other module of this crate, uses exact integers and rationals only, and neither searches nor rounds to nearest.

pub mod lipschitz;
pub mod net;
