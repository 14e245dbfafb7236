//! See the architecture page in `lib.rs`.

pub mod lipschitz;
