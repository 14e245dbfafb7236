//! `supremum check SPEC`: parse, compute, train, prove, report.

use super::output::{self, Console};
use super::run::{self, Lint, Request, exit};
use crate::report;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The spec; `-` reads standard input.
    spec: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail (exit code 5) on results of these kinds.
    #[arg(long, value_enum, value_delimiter = ',')]
    deny: Vec<Lint>,
    /// Files with further theorems; results that use them carry a dagger.
    #[arg(long)]
    theory: Vec<PathBuf>,
    /// ASCII output.
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let run = run::run(&Request { path: &args.spec, theory: &args.theory, deny: &args.deny, only: None });
    match args.format {
        Format::Json => match report::json::check(&run.view) {
            Ok(text) => console.print(&text),
            Err(_) => return exit::OUTPUT,
        },
        Format::Text => {
            output::diagnostics(&run, console, args.ascii);
            if !run.view.items.is_empty() {
                console.print(&report::terminal::check(&run.view, console.style(args.ascii)));
            }
        }
    }
    run.view.exit
}
