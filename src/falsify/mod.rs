//! A search for counterexamples to theorems, on instances so small that both sides are known exactly. Trust: an instance that is
//! reported fails in the kernel's arithmetic; surviving the search proves nothing.
//!
//! Two kinds of small worlds:
//!
//! - [`capacity`]: classes and networks whose growth functions, VC dimensions, Lipschitz constants and complexities are found by
//!   enumeration, exactly or as a bound from the side that can refute;
//! - [`chance`]: laws on a few points with a finite class of predictors, where the probability that a bound fails is a finite sum.
//! - [`values`]: quantities of numbers alone, which both may meet.
//!
//! [`enumerate`] has the counting itself, for use elsewhere.

pub mod capacity;
pub mod chance;
pub mod enumerate;
pub mod search;
pub mod values;

pub use search::{Finding, Options, falsify};
