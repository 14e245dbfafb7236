//! See the architecture page in `lib.rs`.
