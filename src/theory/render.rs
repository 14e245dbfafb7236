//! Statements for readers: text and Markdown.

use super::rate::Rate;
use super::{Entry, Library};
use crate::kernel::theorem::Status;

/// Widest line of a text.
pub const WIDTH: usize = 100;

/// A status in words.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Proved => "read in its source",
        Status::Derived => "derived, with a proof",
        Status::Recalled => "recalled, not checked against its source (†)",
        Status::Unproved => "unproved (†)",
    }
}

/// Words in lines of at most `width` characters. A longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

/// One row of columns with these widths, each wrapped.
pub fn columns(row: &[(usize, String)]) -> Vec<String> {
    let cells: Vec<Vec<String>> = row.iter().map(|(width, text)| wrapped(text, width.saturating_sub(1))).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |i: usize| {
        let parts = row.iter().zip(&cells).map(|((width, _), cell)| {
            let text = cell.get(i).map_or("", String::as_str);
            format!("{text:<width$}")
        });
        parts.collect::<String>().trim_end().to_string()
    };
    (0..height).map(line).collect()
}

fn parameters(entry: &Entry) -> String {
    let parameters = entry.theorem.parameters.iter();
    let shown: Vec<String> =
        parameters.map(|(name, sort)| format!("{name} : {}", format!("{sort:?}").to_lowercase())).collect();
    shown.join(", ")
}

/// A label of `left` characters and a text that hangs to its right.
fn hanging(label: &str, left: usize, text: &str) -> Vec<String> {
    let lines = wrapped(text, WIDTH - left).into_iter().enumerate();
    lines.map(|(i, line)| format!("{:<left$}{line}", if i == 0 { label } else { "" })).collect()
}

/// Hypotheses and conclusion.
fn statement(entry: &Entry, margin: &str) -> Vec<String> {
    let theorem = &entry.theorem;
    let left = margin.len() + 10;
    let requires = format!("{margin}requires");
    let mut lines: Vec<String> =
        theorem.requires.iter().flat_map(|formula| hanging(&requires, left, &formula.to_string())).collect();
    let probability = theorem.failure.as_ref().map_or_else(String::new, |q| format!(" with probability >= 1 - {q}"));
    lines.extend(hanging(&format!("{margin}ensures"), left, &format!("{}{probability}", theorem.ensures)));
    lines
}

/// One theorem in full: hypotheses, conclusion, source, note, hash of its canonical text.
pub fn text(entry: &Entry) -> String {
    let mut lines = wrapped(&format!("{}({})", entry.theorem.name, parameters(entry)), WIDTH);
    lines.extend([format!("  {}", entry.title), String::new()]);
    lines.extend(statement(entry, "  "));
    lines.push(String::new());
    let about = [
        ("  source", Some(&entry.source)),
        ("  status", Some(&status(entry.theorem.status).to_string())),
        ("  survey", entry.survey.as_ref()),
        ("  formal", entry.formal.as_ref()),
        ("  note", entry.note.as_ref()),
        ("  sha256", Some(&entry.hash)),
    ];
    lines.extend(about.iter().flat_map(|(label, text)| text.iter().flat_map(|text| hanging(label, 12, text))));
    lines.join("\n")
}

/// One line for the list, or two where the title is long.
pub fn line(entry: &Entry) -> Vec<String> {
    let dagger = if matches!(entry.theorem.status, Status::Recalled | Status::Unproved) { " †" } else { "" };
    columns(&[(42, entry.theorem.name.clone()), (WIDTH - 42, format!("{}{dagger}", entry.title))])
}

/// The list of all theorems, and of the rates after them.
pub fn list(library: &Library) -> String {
    let rates = library.rates.iter().flat_map(rate_line);
    library.entries.iter().flat_map(line).chain(rates).collect::<Vec<_>>().join("\n")
}

/// What is to be known of a rate, wherever one is shown.
pub const RATE: &str = "rate: no constant is known, so nothing is computed from it and no claim can rest on it";

/// As [`line`], with its status.
pub fn rate_line(rate: &Rate) -> Vec<String> {
    columns(&[(42, rate.name.clone()), (WIDTH - 42, format!("{} (rate)", rate.title))])
}

fn rate_statement(rate: &Rate, margin: &str) -> Vec<String> {
    let left = margin.len() + 10;
    let requires = format!("{margin}requires");
    let mut lines: Vec<String> = rate.requires.iter().flat_map(|prop| hanging(&requires, left, prop)).collect();
    lines.extend(hanging(&format!("{margin}ensures"), left, &rate.ensures));
    lines
}

/// One rate in full.
pub fn rate_text(rate: &Rate) -> String {
    let mut lines = vec![rate.name.clone(), format!("  {}", rate.title), String::new()];
    lines.extend(rate_statement(rate, "  "));
    lines.push(String::new());
    let about = [
        ("  source", Some(rate.source.as_str())),
        ("  status", Some(RATE)),
        ("  survey", rate.survey.as_deref()),
        ("  note", rate.note.as_deref()),
        ("  sha256", Some(&rate.hash)),
    ];
    lines.extend(about.iter().flat_map(|(label, text)| text.iter().flat_map(|text| hanging(label, 12, text))));
    lines.join("\n")
}

pub fn rate_markdown(rate: &Rate) -> String {
    let mut lines = vec![format!("### {}", rate.name), String::new(), format!("{}.", rate.title), String::new()];
    lines.push("```text".to_string());
    lines.extend(rate_statement(rate, ""));
    lines.extend(["```".to_string(), String::new()]);
    let survey = rate.survey.as_ref().map_or_else(String::new, |survey| format!(" Survey: {survey}."));
    lines.push(format!("Source: {}. Status: rate.{survey}", rate.source));
    lines.extend(rate.note.iter().flat_map(|note| [String::new(), note.clone()]));
    lines.join("\n")
}

/// One theorem in Markdown, its block as it stands in the library without examples and rejects.
pub fn markdown(entry: &Entry) -> String {
    let name = &entry.theorem.name;
    let mut lines = vec![format!("### {name}"), String::new(), format!("{}.", entry.title), String::new()];
    lines.push("```text".to_string());
    lines.extend(wrapped(&format!("{name}({})", parameters(entry)), WIDTH));
    lines.extend(statement(entry, ""));
    lines.push("```".to_string());
    lines.push(String::new());
    let mut about = format!("Source: {}. Status: {}.", entry.source, status(entry.theorem.status));
    if let Some(survey) = &entry.survey {
        about += &format!(" Survey: {survey}.");
    }
    if let Some(formal) = &entry.formal {
        about += &format!(" Formal: {formal}.");
    }
    lines.push(about);
    if let Some(note) = &entry.note {
        lines.push(String::new());
        lines.push(note.clone());
    }
    lines.join("\n")
}

/// The page of the library: every theorem by file, and the coverage of the survey.
pub fn page(library: &Library) -> String {
    let mut parts = vec![
        "# The theorems".to_string(),
        "Written by `supremum theorems --format md`; the statements and their examples are in `src/theory/library/`, longer proofs in \
         `proofs.md`. † marks results that rest on a recalled statement."
            .to_string(),
    ];
    for file in &library.files {
        let name = file.source.name();
        let topic = name.rsplit('/').next().unwrap_or(name).trim_end_matches(".thm");
        let theorems = library.of(file);
        if !theorems.is_empty() {
            parts.push(format!("## {topic}"));
            parts.extend(theorems.iter().map(markdown));
        }
    }
    parts.push("## Rates".to_string());
    parts.push(
        "Statements of an order. No constant is known, so nothing is computed from them and no claim can rest on them."
            .to_string(),
    );
    parts.extend(library.rates.iter().map(rate_markdown));
    parts.push("## Coverage of the survey".to_string());
    parts.push(super::survey::markdown(library));
    parts.join("\n\n")
}
