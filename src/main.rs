//! The `supremum` command.

use clap::Parser;
use std::process::ExitCode;

/// Exact arithmetic makes many short integers; the system's allocator takes a third of the time.
#[cfg(feature = "engine")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(supremum::cli::run(&supremum::cli::Cli::parse()))
}
