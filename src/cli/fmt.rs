//! `supremum fmt FILE...`: canonical layout of specs and theorem files.

use super::exit;
use super::output::Console;
use crate::{syntax, text};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Change nothing; fail (exit code 1) if a file is not in canonical layout.
    #[arg(long)]
    check: bool,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    let codes: Vec<u8> = args.files.iter().map(|path| one(path, args.check, console)).collect();
    exit::worst(&codes)
}

fn one(path: &Path, check: bool, console: &mut Console) -> u8 {
    let name = path.to_string_lossy().to_string();
    let source = match std::fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| text::Source::from_bytes(name.clone(), &bytes).map_err(|diagnostic| diagnostic.title))
    {
        Ok(source) => source,
        Err(error) => {
            console.complain(&format!("error: {name}: {error}"));
            return exit::SPEC;
        }
    };
    let formatted = match syntax::format(&source) {
        Ok(formatted) => formatted,
        Err(diagnostics) => {
            for diagnostic in diagnostics {
                console.complain(&diagnostic.render(&source, text::Style::Unicode));
            }
            return exit::SPEC;
        }
    };
    if formatted == source.text() {
        return exit::PROVED;
    }
    if check {
        console.print(&format!("{name} is not in canonical layout"));
        return exit::REFUTED;
    }
    match super::output::write_whole(path, formatted.as_bytes()) {
        Ok(()) => exit::PROVED,
        Err(error) => {
            console.complain(&format!("error: {name} could not be written: {error}"));
            exit::OUTPUT
        }
    }
}
