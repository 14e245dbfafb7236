//! The answer of `check` on a terminal: one table, glyphs first, footnotes last.

use super::layout::{Canvas, NO_BREAK, Paint, Style, width, wrap};
use super::symbols::superscript;
use super::view::{CheckView, ItemView, TrainingView, Verdict};

/// A name longer than this gets a line of its own.
const NAME_COLUMNS: usize = 16;
/// The right-hand column is given up below this width.
const DETAIL_COLUMNS: usize = 24;
/// Digits shown of a file's hash.
const HASH_DIGITS: usize = 12;

/// Numbered remarks at the foot, each once.
struct Footnotes {
    style: Style,
    texts: Vec<String>,
}

impl Footnotes {
    fn mark(&mut self, text: String) -> String {
        let number = self.texts.iter().position(|known| *known == text).unwrap_or_else(|| {
            self.texts.push(text);
            self.texts.len() - 1
        });
        number_mark(self.style, number + 1)
    }
}

fn number_mark(style: Style, number: usize) -> String {
    if style.ascii { format!("[{number}]") } else { superscript(number) }
}

/// Where the columns of the table begin.
struct Columns {
    name: usize,
    statement: usize,
    /// `None`: no room for a right-hand column.
    detail: Option<usize>,
    end: usize,
}

fn glyph(style: Style, verdict: Verdict) -> &'static str {
    if style.ascii { verdict.ascii() } else { verdict.glyph() }
}

fn paint(item: &ItemView) -> Paint {
    match item.verdict {
        Verdict::Proved { vacuous: false, modulo: false } | Verdict::Consistent => Paint::Green,
        Verdict::Proved { .. } => Paint::Yellow,
        Verdict::Refuted | Verdict::Error if item.expected => Paint::Green,
        Verdict::Unknown if item.expected => Paint::Green,
        Verdict::Refuted | Verdict::Contradicted | Verdict::Error => Paint::Red,
        Verdict::Unknown => Paint::Yellow,
        Verdict::Measured => Paint::Plain,
    }
}

fn statement(item: &ItemView) -> &str {
    item.shown.as_deref().unwrap_or(&item.statement)
}

/// The whole report, ending with a newline. Pure: the same view and style give the same bytes.
pub fn check(view: &CheckView, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    header(&mut canvas, view, style);
    let columns = columns(&canvas, view, style);
    let mut notes = Footnotes { style, texts: Vec::new() };
    let mut training: Vec<&TrainingView> = view.training.iter().collect();
    training.sort_by_key(|run| run.line);
    let mut training = training.into_iter().peekable();
    if !view.items.is_empty() || !view.training.is_empty() {
        canvas.end_line();
    }
    for (i, item) in view.items.iter().enumerate() {
        while let Some(run) = training.next_if(|run| run.line < item.line) {
            if i > 0 {
                canvas.end_line();
            }
            training_run(&mut canvas, run, style);
        }
        item_rows(&mut canvas, item, &columns, style, &mut notes);
    }
    for run in training {
        training_run(&mut canvas, run, style);
    }
    foot(&mut canvas, view, style);
    footnotes(&mut canvas, &notes);
    summary(&mut canvas, view, style);
    canvas.finish()
}

fn header(canvas: &mut Canvas, view: &CheckView, style: Style) {
    let spec = canvas.fit(&view.spec);
    let columns = style.columns();
    match &view.title {
        Some(title) => {
            let title = canvas.fit(title);
            if width(&title) + 2 + width(&spec) <= columns {
                canvas.put(Paint::Bold, title);
                canvas.tab(columns - width(&spec), 2);
                canvas.put(Paint::Dim, spec);
                canvas.end_line();
            } else {
                canvas.block(Paint::Bold, 0, 2, &title);
                canvas.block(Paint::Dim, 0, 2, &spec);
            }
        }
        None => canvas.block(Paint::Bold, 0, 2, &spec),
    }
    let names: Vec<String> = view.setting.iter().map(|object| canvas.fit(&object.name)).collect();
    let widest = names.iter().map(|name| width(name)).filter(|&w| w <= NAME_COLUMNS).max().unwrap_or(0);
    for (object, name) in view.setting.iter().zip(names) {
        let text = canvas.fit(&object.text);
        let text = format!("{name}{} : {text}", " ".repeat(widest.saturating_sub(width(&name))));
        canvas.block(Paint::Plain, 2, widest + 3, &text);
    }
    for file in &view.files {
        let text = canvas.fit(&format!("{}   sha256 {}", file.path, short(&file.sha256)));
        canvas.block(Paint::Dim, 2, 2, &text);
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(HASH_DIGITS).collect()
}

/// Puts the right-hand column right of most statements: a long statement may run past it, and then the detail goes below.
fn columns(canvas: &Canvas, view: &CheckView, style: Style) -> Columns {
    let widest =
        |widths: &mut dyn Iterator<Item = usize>, limit: usize| widths.filter(|&w| w <= limit).max().unwrap_or(0);
    let glyphs = widest(&mut view.items.iter().map(|item| width(glyph(style, item.verdict))), usize::MAX);
    let names = widest(&mut view.items.iter().map(|item| width(&canvas.fit(&item.name))), NAME_COLUMNS);
    let name = 2 + glyphs + 2;
    let statement_start = name + names + 2;
    let end = style.columns();
    let room = end.saturating_sub(statement_start);
    let statements = widest(&mut view.items.iter().map(|item| width(&canvas.fit(statement(item)))), room * 3 / 5);
    let detail = statement_start + statements.max(room / 3) + 3;
    Columns { name, statement: statement_start, detail: (detail + DETAIL_COLUMNS <= end).then_some(detail), end }
}

fn item_rows(canvas: &mut Canvas, item: &ItemView, columns: &Columns, style: Style, notes: &mut Footnotes) {
    canvas.put(Paint::Plain, "  ");
    canvas.put(paint(item), glyph(style, item.verdict));
    canvas.tab(columns.name, 2);
    let name = canvas.fit(&item.name);
    if columns.name + width(&name) + 2 <= columns.statement {
        canvas.put(Paint::Bold, name);
    } else {
        let mut lines = wrap(&name, columns.end.saturating_sub(columns.name)).into_iter();
        canvas.put(Paint::Bold, lines.next().unwrap_or_default());
        canvas.end_line();
        for line in lines {
            canvas.tab(columns.name, 0);
            canvas.put(Paint::Bold, line);
            canvas.end_line();
        }
    }
    let detail = detail(canvas, item, notes);
    let shown = canvas.fit(statement(item));
    // A statement on one line that leaves the right-hand column free has its detail there, else below.
    match columns.detail {
        Some(column) if columns.statement + width(&shown) + 2 <= column => {
            canvas.tab(columns.statement, 0);
            canvas.put(Paint::Plain, shown);
            for line in wrap(&detail, columns.end.saturating_sub(column)) {
                canvas.tab(column, 0);
                canvas.put(Paint::Dim, line);
                canvas.end_line();
            }
        }
        _ => {
            canvas.block(Paint::Plain, columns.statement, 2, &shown);
            if !detail.is_empty() {
                canvas.block(Paint::Dim, columns.statement + 2, 2, &detail);
            }
        }
    }
    if let Some(witness) = &item.witness {
        let label = if item.verdict == Verdict::Refuted { "fails at" } else { "witness" };
        let text = canvas.fit(&format!("{label} {witness}"));
        canvas.block(Paint::Plain, columns.statement + 2, 2, &text);
    }
    for note in &item.notes {
        let text = canvas.fit(note);
        canvas.block(Paint::Dim, columns.statement + 2, 2, &text);
    }
}

/// The right-hand column: detail or method, with the marks of source and daggers.
fn detail(canvas: &Canvas, item: &ItemView, notes: &mut Footnotes) -> String {
    let mut parts: Vec<String> = Vec::new();
    if item.expected {
        parts.push("as expected".to_string());
    }
    if let Some(text) = item.detail.as_ref().or(item.method.as_ref()) {
        parts.push(canvas.fit(text));
    }
    let mut text = parts.join(", ");
    let mut marks: Vec<String> = Vec::new();
    if let Some(source) = &item.source {
        marks.push(notes.mark(canvas.fit(source)));
    }
    for dagger in &item.daggers {
        marks.push(notes.mark(canvas.fit(&format!("† {dagger}"))));
    }
    // Blanks between superscripts: ¹ and ² must not read as twelve.
    for mark in marks {
        if !text.is_empty() {
            text.push(NO_BREAK);
        }
        text.push_str(&mark);
    }
    text
}

fn training_run(canvas: &mut Canvas, run: &TrainingView, style: Style) {
    let left = canvas.fit(&format!("{} = {}", run.name, run.text));
    let right = canvas.fit(&format!("weights {}", short(&run.sha256)));
    if 2 + width(&left) + 2 + width(&right) <= style.columns() {
        canvas.put(Paint::Plain, format!("  {left}"));
        canvas.tab(style.columns() - width(&right), 2);
        canvas.put(Paint::Dim, right);
        canvas.end_line();
    } else {
        canvas.block(Paint::Plain, 2, 2, &left);
        canvas.block(Paint::Dim, 4, 2, &right);
    }
}

/// Assumptions and confidence.
fn foot(canvas: &mut Canvas, view: &CheckView, style: Style) {
    let mut assumptions: Vec<&String> = Vec::new();
    for assumption in view.assumptions.iter().chain(view.items.iter().flat_map(|item| &item.assumptions)) {
        if !assumptions.contains(&assumption) {
            assumptions.push(assumption);
        }
    }
    let label = |text: &str| format!("{text:<13}");
    let separator = if style.ascii { "; " } else { " · " };
    if !assumptions.is_empty() || view.semantics.is_some() || view.ledger.is_some() {
        canvas.end_line();
    }
    if let Some(semantics) = &view.semantics {
        let text = canvas.fit(semantics);
        canvas.block(Paint::Plain, 2, 13, &(label("semantics") + &text));
    }
    if !assumptions.is_empty() {
        let all: Vec<String> = assumptions.iter().map(|text| canvas.fit(text)).collect();
        canvas.block(Paint::Plain, 2, 13, &(label("assumptions") + &all.join(separator)));
    }
    if let Some(ledger) = &view.ledger {
        let mut text = format!("spent {} of {}", ledger.spent, ledger.budget);
        if !ledger.parts.is_empty() {
            let parts: Vec<String> = ledger.parts.iter().map(|(name, delta)| format!("{name} {delta}")).collect();
            text += &format!(" ({})", parts.join(", "));
        }
        if let Some(together) = &ledger.together {
            text += &format!(": all hold together w.p. ≥ {together}");
        }
        let text = canvas.fit(&text);
        canvas.block(Paint::Plain, 2, 13, &(label("confidence") + &text));
    }
}

fn footnotes(canvas: &mut Canvas, notes: &Footnotes) {
    if !notes.texts.is_empty() {
        canvas.end_line();
    }
    for (i, text) in notes.texts.iter().enumerate() {
        let mark = number_mark(notes.style, i + 1);
        canvas.block(Paint::Dim, 2, width(&mark) + 1, &format!("{mark} {text}"));
    }
}

fn summary(canvas: &mut Canvas, view: &CheckView, style: Style) {
    let separator = if style.ascii { ", " } else { " · " };
    let counts: Vec<String> =
        view.counts().iter().map(|(word, count)| format!("{count} {word}").replace(' ', "\u{a0}")).collect();
    let text = if counts.is_empty() { "nothing checked".to_string() } else { counts.join(separator) };
    canvas.end_line();
    canvas.block(if view.exit == 0 { Paint::Bold } else { Paint::Red }, 2, 2, &text);
    if !view.written.is_empty() {
        let written: Vec<String> = view.written.iter().map(|path| canvas.fit(path)).collect();
        canvas.block(Paint::Dim, 2, 6, &format!("wrote {}", written.join("  ")));
    }
}
