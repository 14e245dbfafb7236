//! The trusted kernel: it alone says *proved*.
//!
//! It names no other module of this crate, uses exact integers and rationals only, and neither searches nor rounds to nearest.

pub mod certificate;
pub mod check;
pub mod derive;
pub mod draws;
pub mod eval;
pub mod formula;
pub mod forward;
pub mod gibbs;
pub mod gradient;
pub mod intrinsic;
pub mod law;
pub mod lipschitz;
pub mod matrix_norm;
pub mod memo;
pub mod net;
pub mod object;
pub mod path;
pub mod point;
pub mod predicate;
pub mod psd;
pub mod readout;
pub mod real;
pub mod signature;
pub mod structure;
pub mod surd;
pub mod term;
pub mod theorem;
pub mod value;
pub mod witness;
