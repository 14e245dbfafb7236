//! Readers of networks and data sets, with content hashes. Trust: checked (values are exact, files are hashed as read).
//!
//! Everything here meets bytes that someone else made: no reader panics, allocates beyond its named limits, recurses without a
//! bound, or leaves the spec's folder. A number is taken exactly as stored or refused; no import rounds.

pub mod assemble;
pub mod csv;
pub mod dataset;
mod error;
pub mod file;
pub mod forward;
pub mod idx;
pub mod npy;
pub mod number;
pub mod onnx;
pub mod safetensors;
pub mod select;
pub mod word;

pub use error::{DataError, DataErrorKind, Result};
