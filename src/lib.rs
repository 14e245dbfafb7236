//! `supremum` computes the bounds of deep-learning theory as rigorous enclosures and has a small kernel check every one.
//!
//! # Bird's-eye view
//!
//! A claim flows through the crate in one direction:
//!
//! text -> AST (`syntax`) -> typed model (`model`, weights and samples by `data`) -> goals and candidate theorems (`prove`,
//! statements by `theory`) -> quantities with witnesses (`quantity`, floating point by `num`) -> derivation ->
//! [`kernel::check`] -> verdict -> report (`report`, files and arguments by `cli`).
//!
//! # Ranks
//!
//! The number is the rank. A module uses modules of lower rank only; rank 0 uses nothing of ours. `tests/layers.rs` enforces it.
//!
//! | rank | module | what it is |
//! | --- | --- | --- |
//! | 0 | `text` | source files, spans, diagnostics |
//! | 0 | `num` | the engine's numbers: f64 and MPFR intervals, matrices (untrusted) |
//! | 0 | `kernel` | **trusted**: terms, enclosures, networks, theorems, derivations, the check |
//! | 1 | `point` | where the kernel looks at the sign beside an inverse (untrusted) |
//! | 1 | `syntax` | the parser and printer of `.spec` and `.thm` |
//! | 2 | `theory` | the library of theorems, compiled for the kernel and rendered for readers |
//! | 2 | `model` | the resolved meaning of a spec |
//! | 3 | `certificate` | certificates: written after a check, given their theorems before they are checked again |
//! | 3 | `data` | readers of weights and samples, content hashes |
//! | 4 | `quantity` | producers of enclosures with witnesses |
//! | 5 | `prove` | goals, backward search, derivations |
//! | 5 | `lab` | training and sampling; observes, never proves |
//! | 5 | `recheck` | published tables recomputed row by row |
//! | 6 | `falsify` | counterexamples to theorems on tiny instances |
//! | 6 | `report` | pure functions from views to text |
//! | 7 | `cli` | one file per command |
//!
//! # Invariants
//!
//! - Only `kernel::check` builds a proved verdict; engine and kernel disagreeing is exit code 70.
//! - `kernel` names no other module; no floating point, no tolerance, no `unsafe`, no panic, no threads, no I/O.
//! - `lab` cannot reach `prove`: observed values never enter a claim.
//! - Only `cli` and `data` touch files; only `main` exits.
#![forbid(unsafe_code)]

pub mod certificate;
pub mod cli;
pub mod kernel;
pub mod model;
pub mod point;
pub mod report;
pub mod syntax;
pub mod text;
pub mod theory;

#[cfg(feature = "engine")]
pub mod data;
#[cfg(feature = "engine")]
pub mod falsify;
#[cfg(feature = "engine")]
pub mod lab;
#[cfg(feature = "engine")]
pub mod num;
#[cfg(feature = "engine")]
pub mod prove;
#[cfg(feature = "engine")]
pub mod quantity;
#[cfg(feature = "engine")]
pub mod recheck;
