//! `supremum theorems [NAME]`: the library, one theorem in full, the survey's coverage, or a check of examples and rejects.

use super::output::{self, Console};
use super::run::{self, Problem, exit};
use crate::certificate::library as json;
use crate::kernel::theorem::Status;
use crate::report::statement;
use crate::report::symbols::ascii;
use crate::text::did_you_mean;
use crate::theory::{Library, check, compile::Origin, render, survey};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A theorem's name; without one, all are listed.
    name: Option<String>,
    /// Which items of the survey are in the library, and how.
    #[arg(long, conflicts_with = "name")]
    survey: bool,
    /// Say what a result trusts, and list the statements that were not checked against their sources.
    #[arg(long, conflicts_with_all = ["survey", "check"])]
    trusted: bool,
    /// Run all examples and rejects, and report what is missing.
    #[arg(long, conflicts_with = "survey")]
    check: bool,
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Files with further theorems.
    #[arg(long)]
    theory: Vec<PathBuf>,
    /// ASCII only.
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    /// Markdown.
    Md,
    /// LaTeX, with amsmath and booktabs.
    Tex,
    /// The statements as certificates spell them, for a second checker.
    Json,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    let (library, mut problems) = run::library(&args.theory);
    let rate = args.name.as_ref().and_then(|name| library.rate(name));
    let named = match &args.name {
        None => None,
        Some(name) => match library.find(name) {
            Some(entry) => Some(entry),
            None if rate.is_some() => None,
            None => {
                output::problems(&problems, console, args.ascii);
                let rates = library.rates.iter().map(|rate| rate.name.as_str());
                let near =
                    did_you_mean(name, library.entries.iter().map(|entry| entry.theorem.name.as_str()).chain(rates));
                let help = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                console.complain(&format!("error: expected a theorem, found `{name}`{help}"));
                return exit::SPEC;
            }
        },
    };
    if args.check {
        let checked = named.map(|entry| entry.theorem.name.as_str()).or(rate.map(|rate| rate.name.as_str()));
        let (count, found) = checked_problems(&library, checked);
        problems.extend(found);
        console.print(&summary(count, &problems));
    }
    output::problems(&problems, console, args.ascii);
    if problems.iter().any(|(_, diagnostic)| diagnostic.is_error()) {
        return exit::SPEC;
    }
    if args.check {
        return exit::PROVED;
    }
    let text = match (named, args.survey, args.format) {
        (None, _, format) if rate.is_some() => {
            let show = match format {
                Format::Text => render::rate_text,
                Format::Md => render::rate_markdown,
                Format::Tex => statement::rate,
                Format::Json => return no_json(console, "a rate"),
            };
            rate.map(show).unwrap_or_default()
        }
        (_, true, Format::Json) => return no_json(console, "the survey's coverage"),
        (Some(entry), _, Format::Json) => json::theorem(entry).render(),
        (None, _, Format::Json) => json::library(&library),
        (Some(entry), _, Format::Text) => render::text(entry),
        (Some(entry), _, Format::Md) => render::markdown(entry),
        (Some(entry), _, Format::Tex) => statement::theorem(entry),
        (None, _, _) if args.trusted => trusted(&library),
        (None, true, Format::Text) => survey::text(&library),
        (None, true, Format::Md) => survey::markdown(&library),
        (None, true, Format::Tex) => statement::coverage(&library),
        (None, false, Format::Text) => render::list(&library),
        (None, false, Format::Md) => render::page(&library),
        (None, false, Format::Tex) => statement::list(&library),
    };
    console.print(&if args.ascii { ascii(&text) } else { text });
    exit::PROVED
}

/// What has no statement to compute with is refused.
fn no_json(console: &mut Console, what: &str) -> u8 {
    console
        .complain(&format!("error: expected a theorem or none for `--format json`, found {what}; use `--format md`"));
    exit::SPEC
}

/// What a result trusts, in the words of the README.
const TRUSTED: &str = include_str!("../text/trusted.md");

/// What a result trusts, the library's statements by their status, and those that carry a dagger.
fn trusted(library: &Library) -> String {
    let mut lines = vec![TRUSTED.to_string()];
    for status in [Status::Proved, Status::Derived, Status::Recalled, Status::Unproved] {
        let entries = library.entries.iter().filter(|entry| entry.theorem.status == status);
        let names: Vec<&str> = entries.map(|entry| entry.theorem.name.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!("{:>4} {}", names.len(), render::status(status)));
            if matches!(status, Status::Recalled | Status::Unproved) {
                lines.extend(names.iter().map(|name| format!("       {name}")));
            }
        }
    }
    lines.push(format!("{:>4} {}", library.rates.len(), render::RATE));
    lines.join("\n")
}

/// How many theorems were checked, and what is wrong or missing. The files of `--theory` have run when they were read; where there
/// are such files, only they are asked for completeness.
fn checked_problems(library: &Library, name: Option<&str>) -> (usize, Vec<Problem>) {
    let has_user_files = library.files.iter().any(|file| file.origin == Origin::User);
    let (mut count, mut problems) = (0, Vec::new());
    for file in &library.files {
        if has_user_files && file.origin == Origin::Library {
            continue;
        }
        for entry in library.of(file).iter().filter(|entry| name.is_none_or(|name| name == entry.theorem.name)) {
            count += 1;
            let mut diagnostics = check::gaps(entry);
            if file.origin == Origin::Library {
                diagnostics.extend(check::check(entry, library));
            }
            problems.extend(diagnostics.into_iter().map(|diagnostic| (Some(file.source.clone()), diagnostic)));
        }
    }
    (count, problems)
}

fn summary(count: usize, problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|(_, diagnostic)| diagnostic.is_error()).count();
    let warnings = problems.len() - errors;
    let plural = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    format!("{} checked: {}, {}", plural(count, "theorem"), plural(errors, "error"), plural(warnings, "warning"))
}
