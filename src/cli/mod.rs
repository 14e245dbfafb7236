//! The command line: one file per command.

#[cfg(feature = "engine")]
mod block;
mod bound;
#[cfg(feature = "engine")]
mod check;
#[cfg(feature = "engine")]
mod compress;
#[cfg(feature = "engine")]
mod counterexample;
pub mod exit;
mod explain;
mod export;
#[cfg(feature = "engine")]
mod falsify;
#[cfg(feature = "engine")]
mod fits;
mod fmt;
#[cfg(feature = "engine")]
mod items;
mod output;
#[cfg(feature = "engine")]
mod plot;
#[cfg(feature = "engine")]
mod recheck;
#[cfg(feature = "engine")]
mod reread;
#[cfg(feature = "engine")]
mod rows;
#[cfg(feature = "engine")]
mod run;
#[cfg(feature = "engine")]
mod sample;
#[cfg(feature = "engine")]
mod session;
#[cfg(feature = "engine")]
mod table;
#[cfg(feature = "engine")]
mod theorems;
#[cfg(feature = "engine")]
mod uses;
mod verify;
#[cfg(feature = "engine")]
mod why;

use clap::{Parser, Subcommand};
use output::Console;

const AFTER_HELP: &str = "\
First steps:
  supremum check my.spec           a spec beside your files, such as:

    network f from \"model.onnx\"
    claim size : params(f) <= ?
    claim lip  : lip(f, l2) <= ?  by lipsdp

  supremum why my.lip              how a claim was proved
  supremum explain E0502           what an error means

Exit codes of check:
  0 proved (or as expected)   1 refuted   2 usage   3 spec   4 unknown   5 denied
  7 data   8 limit   9 output   70 engine and kernel disagree   130 interrupted";

/// Rigorous bounds of deep-learning theory, computed for your network and checked by a small kernel.
#[derive(Parser)]
#[command(name = "supremum", version, about, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prove, refute or leave open every claim of a spec.
    #[cfg(feature = "engine")]
    Check(check::Args),
    /// Show the derivation of one claim.
    #[cfg(feature = "engine")]
    Why(why::Args),
    /// Print or write the tables of a spec.
    #[cfg(feature = "engine")]
    Table(table::Args),
    /// Write the plots of a spec as SVG files.
    #[cfg(feature = "engine")]
    Plot(plot::Args),
    /// Look for counterexamples to theorems on tiny instances.
    #[cfg(feature = "engine")]
    Falsify(falsify::Args),
    /// Recompute the numbers of a published table.
    #[cfg(feature = "engine")]
    Recheck(recheck::Args),
    /// List the theorems, or show one.
    #[cfg(feature = "engine")]
    Theorems(theorems::Args),
    /// Train a classifier with a short code word, by annealing on its Occam bound.
    #[cfg(feature = "engine")]
    Compress(compress::Args),
    /// Check a certificate with the kernel alone.
    Verify(verify::Args),
    /// Write the arithmetic of a certificate for another proof assistant.
    Export(export::Args),
    /// Explain a diagnostic code.
    Explain(explain::Args),
    /// Lay out specs and theorem files canonically.
    Fmt(fmt::Args),
}

/// Runs a parsed command line; returns the exit code.
pub fn run(cli: &Cli) -> u8 {
    let mut console = Console::default();
    #[cfg(feature = "engine")]
    if let Err(error) = crate::num::self_test() {
        console.complain(&error.to_string());
        return exit::DISAGREEMENT;
    }
    // A check of a certificate has no best result so far: an interruption simply ends it.
    #[cfg(feature = "engine")]
    if !matches!(cli.command, Command::Verify(_) | Command::Export(_)) {
        interruptible();
    }
    let code = match &cli.command {
        #[cfg(feature = "engine")]
        Command::Check(args) => check::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Why(args) => why::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Table(args) => table::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Plot(args) => plot::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Falsify(args) => falsify::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Recheck(args) => recheck::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Theorems(args) => theorems::run(args, &mut console),
        #[cfg(feature = "engine")]
        Command::Compress(args) => compress::run(args, &mut console),
        Command::Verify(args) => verify::run(args, &mut console),
        Command::Export(args) => export::run(args, &mut console),
        Command::Explain(args) => explain::run(args, &mut console),
        Command::Fmt(args) => fmt::run(args, &mut console),
    };
    if console.failed { exit::OUTPUT } else { code }
}

/// The first interruption asks searches to end with what they have, the second ends the process. Without signals of this kind
/// the program simply stops.
#[cfg(feature = "engine")]
fn interruptible() {
    let flag = crate::quantity::interrupt::flag();
    let code = i32::from(exit::INTERRUPTED);
    let _ = signal_hook::flag::register_conditional_shutdown(signal_hook::consts::SIGINT, code, flag.clone());
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, flag);
}
