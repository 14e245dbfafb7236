//! `supremum check SPEC`: parse, compute, train, prove, report.

use super::output::{self, Console};
use super::run::{self, Lint, Request, Run, exit};
use super::verify::Problem;
use crate::certificate::{self, Draft, Item};
use crate::data::file::Sha256Hash;
use crate::kernel::certificate::document::FileRecord;
use crate::kernel::check::Verdict as KernelVerdict;
use crate::report;
use crate::report::view::{ItemKind, Verdict};
use crate::text::Diagnostic;
use std::path::{Path, PathBuf};

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
    /// Write a certificate of everything that is proved or refuted, for `supremum verify`.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
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
    let mut run = run::run(&Request { path: &args.spec, theory: &args.theory, deny: &args.deny, only: None });
    if let Some(path) = &args.certificate {
        match certify(&run, &args.spec, path) {
            Ok(written) => run.view.written = written,
            Err(problem) => {
                run.view.exit = run::worst(&[run.view.exit, problem.exit]);
                run.diagnostics.push(Diagnostic::error(problem.code, problem.text));
            }
        }
    }
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

/// Writes the certificate and returns the names of its files. Errors: nothing to certify, or a file that cannot be written.
fn certify(run: &Run, spec: &Path, path: &Path) -> Result<Vec<String>, Problem> {
    let name = path.file_name().map(|name| name.to_string_lossy().to_string()).unwrap_or_default();
    let items = items(run);
    let (Some(session), Some(source), false) = (&run.session, &run.source, items.is_empty()) else {
        return Err(Problem::new("E0825", exit::PROVED, "nothing was proved or refuted: no certificate was written"));
    };
    let draft = Draft {
        spec: FileRecord {
            path: spec.file_name().map_or_else(|| "-".to_string(), |name| name.to_string_lossy().to_string()),
            sha256: Sha256Hash::of(source.text().as_bytes()).to_string(),
        },
        title: run.spec.title.clone(),
        files: run
            .view
            .files
            .iter()
            .map(|file| FileRecord { path: file.path.clone(), sha256: file.sha256.clone() })
            .collect(),
        objects: &session.objects,
        library: &run.library,
        budget: run::budget(&run.spec),
        items,
        side: format!("{name}.bin"),
    };
    let (text, side) = certificate::write(&draft)
        .map_err(|error| Problem::new("E0070", exit::DISAGREEMENT, format!("engine and kernel disagree: {error}")))?;
    let side_path = path.with_file_name(&draft.side);
    let mut files = vec![(path, text.as_bytes())];
    if !side.is_empty() {
        // The text names the side file's hash, so the side file must be there first.
        files.insert(0, (&side_path, &side));
    }
    for (path, bytes) in &files {
        let is_file = std::fs::symlink_metadata(path).map_or(true, |metadata| metadata.is_file());
        let written =
            if is_file { output::write_whole(path, bytes) } else { Err(std::io::ErrorKind::AlreadyExists.into()) };
        written.map_err(|error| {
            let text = format!("`{}` cannot be written ({})", path.display(), error.kind());
            Problem::new("E0826", exit::OUTPUT, text)
        })?;
    }
    Ok(files.iter().rev().map(|(path, _)| path.display().to_string()).collect())
}

/// What the kernel proved or refuted and the report says so.
fn items(run: &Run) -> Vec<Item> {
    let item = |result: &super::items::Result| {
        let outcome = result.outcome.as_ref()?;
        let is_decided = matches!(
            result.view.verdict,
            Verdict::Proved { .. } | Verdict::Refuted | Verdict::Consistent | Verdict::Contradicted | Verdict::Measured
        );
        let kind = match result.view.kind {
            ItemKind::Claim => "claim",
            ItemKind::Bound => "bound",
            ItemKind::Expect => "expect",
            ItemKind::Measure => "measure",
        };
        let claim = outcome.claim.clone().filter(|_| is_decided && outcome.verdict() != KernelVerdict::Unknown)?;
        Some(Item { name: result.view.name.clone(), kind, claim, steps: outcome.steps.clone() })
    };
    run.results.iter().filter_map(item).collect()
}
