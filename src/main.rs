//! The `supremum` command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(supremum::cli::run(&supremum::cli::Cli::parse()))
}
