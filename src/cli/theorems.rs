//! `supremum theorems [NAME]`: the library, or one theorem in full.

use super::output::Console;
use super::run::{self, exit};
use crate::text::did_you_mean;
use crate::theory::render;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A theorem's name; without one, all are listed.
    name: Option<String>,
    /// List the theorems that state an item of the survey, by its number.
    #[arg(long)]
    survey: bool,
    /// Files with further theorems.
    #[arg(long)]
    theory: Vec<PathBuf>,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    let mut diagnostics = Vec::new();
    let library = run::library(&args.theory, &mut diagnostics);
    for diagnostic in &diagnostics {
        console.complain(&format!("{}: {}", diagnostic.code, diagnostic.title));
    }
    let Some(name) = &args.name else {
        let lines: Vec<String> = if args.survey {
            let mut lines: Vec<String> = library
                .entries
                .iter()
                .filter_map(|entry| entry.survey.as_ref().map(|item| format!("{item:<12} {}", render::line(entry))))
                .collect();
            lines.sort();
            lines
        } else {
            library.entries.iter().map(render::line).collect()
        };
        console.print(&lines.join("\n"));
        return if diagnostics.is_empty() { exit::PROVED } else { exit::SPEC };
    };
    match library.find(name) {
        Some(entry) => {
            console.print(&render::text(entry));
            exit::PROVED
        }
        None => {
            let near = did_you_mean(name, library.entries.iter().map(|entry| entry.theorem.name.as_str()));
            let help = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            console.complain(&format!("error: expected a theorem, found `{name}`{help}"));
            exit::SPEC
        }
    }
}
