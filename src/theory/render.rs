//! Statements for readers.

use super::Entry;
use crate::kernel::theorem::Status;

fn status(status: Status) -> &'static str {
    match status {
        Status::Proved => "read in its source",
        Status::Derived => "derived, with a proof",
        Status::Recalled => "recalled, not checked against its source (†)",
        Status::Unproved => "unproved (†)",
    }
}

/// One theorem in full: hypotheses, conclusion, source, note, hash of its canonical text.
pub fn text(entry: &Entry) -> String {
    let theorem = &entry.theorem;
    let parameters: Vec<String> = theorem
        .parameters
        .iter()
        .map(|(name, sort)| format!("{name} : {}", format!("{sort:?}").to_lowercase()))
        .collect();
    let mut lines =
        vec![format!("{}({})", theorem.name, parameters.join(", ")), format!("  {}", entry.title), String::new()];
    for requirement in &theorem.requires {
        lines.push(format!("  requires  {requirement}"));
    }
    lines.push(format!("  ensures   {}", theorem.ensures));
    if let Some(failure) = &theorem.failure {
        lines.push(format!("            with probability >= 1 - {failure}"));
    }
    lines.push(String::new());
    lines.push(format!("  source    {}", entry.source));
    lines.push(format!("  status    {}", status(theorem.status)));
    lines.extend(entry.survey.iter().map(|item| format!("  survey    {item}")));
    lines.extend(entry.formal.iter().map(|name| format!("  formal    {name}")));
    lines.extend(entry.note.iter().map(|note| format!("  note      {note}")));
    lines.push(format!("  sha256    {}", entry.hash));
    lines.join("\n")
}

/// One line for the list.
pub fn line(entry: &Entry) -> String {
    let dagger = if matches!(entry.theorem.status, Status::Recalled | Status::Unproved) { " †" } else { "" };
    format!("{:<40} {}{dagger}", entry.theorem.name, entry.title)
}
