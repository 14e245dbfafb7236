//! `supremum falsify FILE`: a search for a counterexample to the theorems of a file, on tiny instances.

use super::output::{self, Console};
use super::run::{self, exit};
use crate::falsify::{Finding, Options, falsify};
use crate::lab::progress::Bar;
use crate::syntax::{self, ast};
use crate::text::{Diagnostic, did_you_mean};
use crate::theory::{Entry, Library, compile};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A file of theorems, or a spec that states some; `library` is the embedded library.
    file: PathBuf,
    /// Only this theorem.
    #[arg(long)]
    theorem: Option<String>,
    /// Instances to draw for each theorem.
    #[arg(long, default_value_t = 400)]
    instances: usize,
    /// The same seed draws the same instances.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs the command; returns the exit code: 1 where a counterexample was found, 4 where no theorem could be tried.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let library = match theorems(args, console) {
        Ok(library) => library,
        Err(code) => return code,
    };
    let wanted: Vec<&Entry> = match &args.theorem {
        None => library.entries.iter().collect(),
        Some(name) => match library.find(name) {
            Some(entry) => vec![entry],
            None if library.rate(name).is_some() => {
                let found = Diagnostic::error("E0014", format!("`{name}` is a rate: no number of it can be wrong"));
                output::complain_all(None, &[found.help("name a theorem with a constant")], console, false);
                return exit::SPEC;
            }
            None => {
                let near = did_you_mean(name, library.entries.iter().map(|entry| entry.theorem.name.as_str()));
                let help = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                console.complain(&format!("error: expected a theorem of the file, found `{name}`{help}"));
                return exit::SPEC;
            }
        },
    };
    if wanted.is_empty() {
        let found = Diagnostic::error("E0643", "expected a theorem to look at, found none");
        output::complain_all(None, &[found.help("write `theorem my.bound(N) ensures ...`")], console, false);
        return exit::SPEC;
    }
    let options = Options { instances: args.instances, seed: args.seed };
    let (mut broken, mut tried) = (false, false);
    for entry in wanted {
        let name = &entry.theorem.name;
        let mut bar = Bar::new(name);
        let finding = falsify(&entry.theorem, &options, &mut |done, of| {
            bar.step(done, of);
            true
        });
        drop(bar);
        broken |= matches!(finding, Finding::Counterexample { .. });
        tried |= !matches!(finding, Finding::OutOfReach { .. });
        console.print(&text(name, &finding));
    }
    match (broken, tried) {
        (true, _) => exit::REFUTED,
        (false, false) => exit::UNKNOWN,
        (false, true) => exit::PROVED,
    }
}

/// The theorems of the file, or the exit code of what is wrong with it.
fn theorems(args: &Args, console: &Console) -> Result<Library, u8> {
    if args.file.as_os_str() == "library" {
        return Ok(Library::embedded().0);
    }
    let fail = |source: Option<&crate::text::Source>, diagnostics: &[Diagnostic]| {
        output::complain_all(source, diagnostics, console, false);
        run::worst(&diagnostics.iter().map(run::code).collect::<Vec<_>>())
    };
    let source = run::read(&args.file).map_err(|diagnostic| fail(None, &[diagnostic]))?;
    let parsed = syntax::parse(&source);
    let mut library = Library::default();
    let mut diagnostics = parsed.diagnostics.clone();
    for item in &parsed.file.items {
        if let ast::ItemKind::Theorem(block) = &item.kind {
            diagnostics.extend(library.add(block, compile::Origin::User).err());
        }
    }
    if diagnostics.iter().any(Diagnostic::is_error) {
        return Err(fail(Some(&source), &diagnostics));
    }
    Ok(library)
}

fn text(name: &str, finding: &Finding) -> String {
    let plural = |n: usize| format!("{n} instance{}", if n == 1 { "" } else { "s" });
    match finding {
        Finding::Counterexample { instance, statement, after } => {
            let mut lines = vec![format!("✗ {name}: a counterexample, after {} that agreed", plural(*after))];
            let width = instance.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            lines.extend(instance.iter().map(|(name, value)| format!("    {name:<width$} = {value}")));
            lines.push(format!("    {statement}"));
            lines.join("\n")
        }
        Finding::Survived { instances } => format!("· {name}: no counterexample in {}", plural(*instances)),
        Finding::Stopped { instances } => format!("· {name}: stopped; no counterexample in {}", plural(*instances)),
        Finding::OutOfReach { missing } if missing.is_empty() => {
            format!("? {name}: no tiny instance meets the requirements")
        }
        Finding::OutOfReach { missing } => {
            let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
            format!("? {name}: not computed on tiny instances: {}", missing.join(", "))
        }
    }
}
