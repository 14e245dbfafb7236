//! `supremum recheck SPEC`: the numbers of a published table, recomputed row by row.

use super::output::{self, Console};
use super::rows;
use super::run::{self, exit};
use crate::data::file::Folder;
use crate::recheck;
use crate::report::recheck::{self as report, RecheckView, RowClaimView, SheetView};
use crate::syntax::{self, ast};
use crate::text::{Diagnostic, Source};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The spec that names the table and states its numbers; `-` reads standard input.
    spec: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Slips named for each row that disagrees.
    #[arg(long, default_value_t = 3)]
    slips: usize,
    /// ASCII output.
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Md,
    Json,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let view = match view(args) {
        Ok(view) => view,
        Err((source, diagnostics)) => {
            output::complain_all(source.as_ref(), &diagnostics, console, args.ascii);
            return run::worst(&diagnostics.iter().map(run::code).collect::<Vec<_>>());
        }
    };
    match args.format {
        Format::Text => console.print(&report::text(&view, args.slips, console.style(args.ascii))),
        Format::Md => console.print(&report::markdown(&view, args.slips)),
        Format::Json => match report::json(&view) {
            Ok(text) => console.print(&text),
            Err(_) => return exit::OUTPUT,
        },
    }
    view.exit
}

type Failed = (Option<Source>, Vec<Diagnostic>);

fn view(args: &Args) -> Result<RecheckView, Failed> {
    let source = run::read(&args.spec).map_err(|diagnostic| (None, vec![diagnostic]))?;
    let parsed = syntax::parse(&source);
    if parsed.has_errors() {
        return Err((Some(source), parsed.diagnostics));
    }
    let folder = match Folder::of_spec(&args.spec) {
        Ok(folder) => folder,
        Err(error) => return Err((Some(source), vec![Diagnostic::data("E0502", error.to_string())])),
    };
    let split = recheck::split(&parsed.file, &source, &folder);
    let mut diagnostics = split.diagnostics;
    if split.claims.is_empty() && diagnostics.is_empty() {
        diagnostics.push(
            Diagnostic::error("E0642", "expected a claim about the rows of a table, found none")
                .help("write `claim t : forall r in paper.rows : round_up(FORMULA, 3) <= r.COLUMN`"),
        );
    }
    if !diagnostics.is_empty() {
        return Err((Some(source), diagnostics));
    }
    let title = parsed.file.items.iter().find_map(|item| match &item.kind {
        ast::ItemKind::Spec(title) => Some(title.text.clone()),
        _ => None,
    });
    let tables = split
        .sheets
        .iter()
        .map(|sheet| SheetView {
            name: sheet.name.clone(),
            file: sheet.path.clone(),
            rows: sheet.len(),
            sha256: sheet.sha256.clone(),
        })
        .collect();
    let claims: Vec<(RowClaimView, u8)> =
        split.claims.iter().map(|claim| rows::judged(claim, &split.sheets[claim.sheet])).collect();
    let exit = run::worst(&claims.iter().map(|(_, code)| *code).collect::<Vec<_>>());
    let claims = claims.into_iter().map(|(view, _)| view).collect();
    let spec = args.spec.to_string_lossy().to_string();
    Ok(RecheckView { spec, exit, title, tables, claims })
}
