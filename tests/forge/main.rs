//! Forged certificates. Every attack is a small edit of a valid certificate; every one is refused for its own reason.
//!
//! Expected reasons follow from the format's rules in `docs/certificate.md`. The edits are made on the parsed text and spelled
//! canonically again, and the hash of the side file is set right again, so that no attack is refused for its spelling alone.

mod attacks;
mod mutation;
mod support;
