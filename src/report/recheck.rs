//! `recheck`: a published table, row by row, as text, Markdown and JSON.

use super::layout::{Canvas, Paint, Style, width};
use serde::Serialize;

/// Rows named one by one before the rest is counted.
const ROWS_SHOWN: usize = 40;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecheckView {
    pub spec: String,
    pub exit: u8,
    #[serde(skip)]
    pub title: Option<String>,
    pub tables: Vec<SheetView>,
    pub claims: Vec<RowClaimView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SheetView {
    pub name: String,
    pub file: String,
    pub rows: usize,
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowClaimView {
    pub name: String,
    pub statement: String,
    /// `agrees`, `disagrees`, `undecided` or `undefined`: the worst of its rows.
    pub verdict: &'static str,
    /// The verdict is the one that `expecting` asks for.
    pub expected: bool,
    pub rows: Vec<RowView>,
    pub explanations: Vec<ExplanationView>,
    /// Formulas with one slip that were tried.
    pub tried: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowView {
    pub row: usize,
    pub line: usize,
    pub label: Option<String>,
    pub verdict: &'static str,
    /// Enclosure of the formula.
    pub lower: Option<String>,
    pub upper: Option<String>,
    pub printed: Option<String>,
    /// Why the formula has no value.
    pub reason: Option<String>,
}

/// A slip, and what it gives on the rows it reproduces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplanationView {
    pub slip: String,
    pub rows: Vec<(usize, String)>,
}

impl RowView {
    fn name(&self) -> String {
        match &self.label {
            Some(label) => format!("row {} ({label})", self.row),
            None => format!("row {}", self.row),
        }
    }

    /// `the formula gives [0.13742918, 0.13742919], the table says 0.136`
    fn finding(&self) -> String {
        let says = self.printed.as_ref().map_or(String::new(), |printed| format!(", the table says {printed}"));
        match (&self.reason, &self.lower, &self.upper) {
            (Some(reason), ..) => format!("{}: {reason}", self.verdict),
            (None, Some(lower), Some(upper)) if lower == upper => format!("the formula gives {lower}{says}"),
            (None, Some(lower), Some(upper)) => format!("the formula gives [{lower}, {upper}]{says}"),
            _ => format!("{}{says}", self.verdict),
        }
    }
}

impl RowClaimView {
    /// What is to be said of the rows, as whole lines.
    pub fn notes(&self, explanations: usize) -> Vec<String> {
        let mut lines = Vec::new();
        for row in self.others().take(ROWS_SHOWN) {
            lines.push(format!("{}: {}", row.name(), row.finding()));
            let slips = self.explanations_of(row.row).into_iter().take(explanations);
            lines.extend(slips.map(|(slips, value)| format!("  {value} from {}", slips.join(", or "))));
        }
        let agreeing = self.agreeing();
        if !agreeing.is_empty() && self.verdict != "agrees" {
            let verb = if agreeing.len() == 1 { "agrees" } else { "agree" };
            lines.push(format!("{} {verb}", runs(&agreeing)));
        }
        lines
    }

    fn agreeing(&self) -> Vec<usize> {
        self.rows.iter().filter(|row| row.verdict == "agrees").map(|row| row.row).collect()
    }

    fn others(&self) -> impl Iterator<Item = &RowView> {
        self.rows.iter().filter(|row| row.verdict != "agrees")
    }

    /// Explanations of one row, the best first. Slips that give the same number stand together.
    fn explanations_of(&self, row: usize) -> Vec<(Vec<&str>, &str)> {
        let mut found: Vec<(Vec<&str>, &str)> = Vec::new();
        for explanation in &self.explanations {
            let Some((_, value)) = explanation.rows.iter().find(|(number, _)| *number == row) else { continue };
            match found.iter_mut().find(|(_, known)| known == value) {
                Some((slips, _)) => slips.push(&explanation.slip),
                None => found.push((vec![&explanation.slip], value)),
            }
        }
        found
    }
}

/// Runs of numbers: `rows 1-3 5`.
fn runs(numbers: &[usize]) -> String {
    let mut text = String::from(if numbers.len() == 1 { "row" } else { "rows" });
    let mut rest = numbers;
    while let [first, ..] = rest {
        let length = rest.iter().enumerate().take_while(|(i, number)| **number == first + i).count();
        let last = first + length - 1;
        text += &match length {
            1 => format!(" {first}"),
            2 => format!(" {first} {last}"),
            _ => format!(" {first}-{last}"),
        };
        rest = &rest[length..];
    }
    text
}

fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The last line: how many rows of how many disagree.
fn summary(view: &RecheckView) -> String {
    let rows: usize = view.claims.iter().map(|claim| claim.rows.len()).sum();
    let count_of =
        |verdict: &str| view.claims.iter().flat_map(|claim| &claim.rows).filter(|row| row.verdict == verdict).count();
    let mut parts = Vec::new();
    for (verdict, words) in [("disagrees", "disagree"), ("undecided", "are undecided"), ("undefined", "have no value")]
    {
        match count_of(verdict) {
            0 => {}
            n => parts.push(format!("{n} of {} {words}", count(rows, "row"))),
        }
    }
    if parts.is_empty() { format!("{} agree", count(rows, "row")) } else { parts.join(", ") }
}

/// For a terminal. `explanations` is how many slips are named per row.
pub fn text(view: &RecheckView, explanations: usize, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    let spec = canvas.fit(&view.spec);
    let columns = style.columns();
    let title = canvas.fit(view.title.as_deref().unwrap_or("Recheck"));
    if width(&title) + 2 + width(&spec) <= columns {
        canvas.put(Paint::Bold, title);
        canvas.tab(columns - width(&spec), 2);
        canvas.put(Paint::Dim, spec);
        canvas.end_line();
    } else {
        canvas.block(Paint::Bold, 0, 2, &title);
        canvas.block(Paint::Dim, 0, 2, &spec);
    }
    for sheet in &view.tables {
        let hash: String = sheet.sha256.chars().take(12).collect();
        let line = format!("{} : {}   {}   sha256 {hash}", sheet.name, sheet.file, count(sheet.rows, "row"));
        let line = canvas.fit(&line);
        canvas.block(Paint::Plain, 2, 4, &line);
    }
    for claim in &view.claims {
        canvas.end_line();
        claim_rows(&mut canvas, claim, explanations, style);
    }
    canvas.end_line();
    let paint = if view.exit == 0 { Paint::Bold } else { Paint::Red };
    canvas.block(paint, 2, 2, &summary(view));
    canvas.finish()
}

fn claim_rows(canvas: &mut Canvas, claim: &RowClaimView, explanations: usize, style: Style) {
    let glyph = match (claim.verdict, style.ascii) {
        ("agrees", false) => "✓",
        ("disagrees", false) => "✗",
        ("undecided", false) => "?",
        ("undefined", false) => "!",
        (word, _) => word,
    };
    let good = claim.verdict == "agrees" || claim.expected;
    canvas.put(Paint::Plain, "  ");
    canvas.put(if good { Paint::Green } else { Paint::Red }, glyph);
    let head = canvas.fit(&format!("  {}   {}", claim.name, claim.statement));
    canvas.put(Paint::Bold, head);
    canvas.end_line();
    if claim.expected {
        canvas.block(Paint::Dim, 5, 2, "as expected");
    }
    for row in claim.others().take(ROWS_SHOWN) {
        let line = canvas.fit(&format!("{}: {}", row.name(), row.finding()));
        canvas.block(Paint::Plain, 5, 2, &line);
        for (slips, value) in claim.explanations_of(row.row).into_iter().take(explanations) {
            let line = canvas.fit(&format!("{value} from {}", slips.join(", or ")));
            canvas.block(Paint::Yellow, 7, 2, &line);
        }
    }
    let hidden = claim.others().count().saturating_sub(ROWS_SHOWN);
    if hidden > 0 {
        canvas.block(Paint::Dim, 5, 2, &format!("and {}", count(hidden, "more row")));
    }
    let agreeing = claim.agreeing();
    if !agreeing.is_empty() && claim.verdict != "agrees" {
        let verb = if agreeing.len() == 1 { "agrees" } else { "agree" };
        canvas.block(Paint::Dim, 5, 2, &format!("{} {verb}", runs(&agreeing)));
    }
    if claim.tried > 0 {
        let line = format!(
            "{} of {} with one slip reproduce printed digits; that is a hint, not a proof",
            claim.explanations.len(),
            count(claim.tried, "formula")
        );
        canvas.block(Paint::Dim, 5, 2, &line);
    }
}

/// Characters that Markdown would take for its own, escaped; a cell stays on one line.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Markdown to paste into a review.
pub fn markdown(view: &RecheckView, explanations: usize) -> String {
    let mut out = format!("### {}\n", escaped(view.title.as_deref().unwrap_or("Recheck")));
    for claim in &view.claims {
        out += &format!("\n**{}**: {}\n\n", escaped(&claim.name), escaped(&claim.statement));
        out += "| row | printed | the formula gives | verdict | a slip that gives the printed digits |\n";
        out += "| --- | --- | --- | --- | --- |\n";
        for row in &claim.rows {
            let value = match (&row.lower, &row.upper) {
                (Some(lower), Some(upper)) if lower == upper => lower.clone(),
                (Some(lower), Some(upper)) => format!("[{lower}, {upper}]"),
                _ => row.reason.clone().unwrap_or_default(),
            };
            let slips: Vec<String> = claim
                .explanations_of(row.row)
                .into_iter()
                .take(explanations)
                .map(|(slips, _)| escaped(&slips.join(", or ")))
                .collect();
            let label = row.label.as_ref().map_or(String::new(), |label| format!(" {label}"));
            out += &format!(
                "| {}{} | {} | {} | {} | {} |\n",
                row.row,
                escaped(&label),
                escaped(row.printed.as_deref().unwrap_or("")),
                escaped(&value),
                row.verdict,
                slips.join("; ")
            );
        }
    }
    out += &format!("\n{}.\n", summary(view));
    out
}

/// One object with a final newline. No error is possible for these types; the signature is serde's.
pub fn json(view: &RecheckView) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(view)?;
    text.push('\n');
    Ok(text)
}
