//! From claims to derivations: backward search over theorems, forward computation of quantities. Trust: untrusted.
//!
//! Everything proposed here is re-derived by [`crate::kernel::check`].

mod choice;
mod claim;
mod fold;
mod free;
mod height;
mod method;
mod search;
mod vacuity;

pub use claim::{Attempt, Outcome, Row, bounds, prove};
pub use method::Method;
pub use search::{Candidate, Context, Obstacle, STRUCTURAL, Search};
pub use vacuity::{Vacuity, vacuity};
