//! The command line: one file per command.

mod sample;
mod session;
