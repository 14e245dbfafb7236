//! Exit codes, as the README lists them.

pub const PROVED: u8 = 0;
pub const REFUTED: u8 = 1;
pub const SPEC: u8 = 3;
pub const UNKNOWN: u8 = 4;
pub const DENIED: u8 = 5;
pub const CERTIFICATE: u8 = 6;
pub const DATA: u8 = 7;
pub const LIMIT: u8 = 8;
pub const OUTPUT: u8 = 9;
pub const DISAGREEMENT: u8 = 70;
pub const INTERRUPTED: u8 = 130;

/// When several apply, the first of this list wins.
const PRECEDENCE: [u8; 10] =
    [DISAGREEMENT, INTERRUPTED, SPEC, DATA, LIMIT, OUTPUT, CERTIFICATE, REFUTED, DENIED, UNKNOWN];

/// The exit code of the most important reason.
pub fn worst(codes: &[u8]) -> u8 {
    PRECEDENCE.into_iter().find(|code| codes.contains(code)).unwrap_or(PROVED)
}
