//! One table, four formats: terminal, Markdown, CSV, LaTeX.
//!
//! Rows come sorted; a renderer never reorders or rounds. Short rows are filled with empty cells.

use super::latex;
use super::layout::{Canvas, Paint, Style, clean, width, wrap};
use super::symbols::superscript;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    /// For numbers.
    Right,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub title: String,
    pub align: Align,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Cell {
    pub text: String,
    /// Positions in the table's list of footnotes, from 0. One beyond the end is not shown.
    pub footnotes: Vec<usize>,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell { text: text.to_string(), footnotes: Vec::new() }
    }
}

/// A table as its readers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableView {
    /// As in the spec; it names the files and the LaTeX label.
    pub name: String,
    pub caption: Option<String>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    pub footnotes: Vec<String>,
    /// What the rows are sorted by, for the reader.
    pub sort: Option<String>,
}

/// What a LaTeX file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latex {
    /// A `table` for `\input` into a document that loads `booktabs`.
    Fragment,
    /// A document of its own.
    Standalone,
}

impl TableView {
    fn cell(&self, row: usize, column: usize) -> Option<&Cell> {
        self.rows.get(row)?.get(column)
    }

    /// Numbers (from 1) of the footnotes of a cell.
    fn marks(&self, cell: &Cell) -> Vec<usize> {
        cell.footnotes.iter().filter(|&&f| f < self.footnotes.len()).map(|f| f + 1).collect()
    }

    fn title(&self) -> &str {
        self.caption.as_deref().unwrap_or(&self.name)
    }
}

/// Narrowest column of the terminal's table; with less, rows are printed as lists.
const NARROWEST: usize = 8;
const GAP: usize = 3;

/// For a terminal. Never wider than the style: cells wrap, and a table of very many columns becomes a list.
pub fn terminal(table: &TableView, style: Style) -> String {
    let mut canvas = Canvas::new(style);
    let columns = table.columns.len();
    let title = canvas.fit(table.title());
    canvas.block(Paint::Bold, 0, 2, &title);
    let mark = |n: &usize| if style.ascii { format!("[{n}]") } else { superscript(*n) };
    let text = |canvas: &Canvas, cell: Option<&Cell>| -> String {
        let Some(cell) = cell else { return String::new() };
        let marks: Vec<String> = table.marks(cell).iter().map(mark).collect();
        let text = canvas.fit(&cell.text);
        [text].into_iter().chain(marks).collect::<Vec<_>>().join("\u{a0}")
    };
    let titles: Vec<String> = table.columns.iter().map(|c| canvas.fit(&c.title)).collect();
    let rows: Vec<Vec<String>> =
        (0..table.rows.len()).map(|r| (0..columns).map(|c| text(&canvas, table.cell(r, c))).collect()).collect();
    let room = style.columns().saturating_sub(2 + GAP * columns.saturating_sub(1));
    let mut widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().map(|row| width(&row[c])).chain([width(&titles[c])]).max().unwrap_or(0))
        .collect();
    if columns * NARROWEST > room {
        list(&mut canvas, &titles, &rows);
    } else {
        // The widest column gives way first. The loop ends: all columns at their narrowest fit.
        while widths.iter().sum::<usize>() > room {
            if let Some(widest) = widths.iter_mut().max() {
                *widest -= 1;
            }
        }
        let line = |canvas: &mut Canvas, paint: Paint, cells: &[String]| {
            let wrapped: Vec<Vec<String>> = cells.iter().zip(&widths).map(|(text, &w)| wrap(text, w)).collect();
            for i in 0..wrapped.iter().map(Vec::len).max().unwrap_or(0) {
                let mut start = 2;
                for ((lines, &w), column) in wrapped.iter().zip(&widths).zip(&table.columns) {
                    let text = lines.get(i).cloned().unwrap_or_default();
                    let indent = if column.align == Align::Right { w.saturating_sub(width(&text)) } else { 0 };
                    canvas.tab(start + indent, 0);
                    canvas.put(paint, text);
                    start += w + GAP;
                }
                canvas.end_line();
            }
        };
        line(&mut canvas, Paint::Bold, &titles);
        let rule = widths.iter().sum::<usize>() + GAP * columns.saturating_sub(1);
        let rule = if style.ascii { "-" } else { "─" }.repeat(rule);
        canvas.block(Paint::Dim, 2, 0, &rule);
        for row in &rows {
            line(&mut canvas, Paint::Plain, row);
        }
    }
    if let Some(sort) = &table.sort {
        let text = canvas.fit(&format!("sorted by {sort}"));
        canvas.block(Paint::Dim, 2, 2, &text);
    }
    for (i, note) in table.footnotes.iter().enumerate() {
        let mark = mark(&(i + 1));
        let text = canvas.fit(note);
        canvas.block(Paint::Dim, 2, width(&mark) + 1, &format!("{mark} {text}"));
    }
    canvas.finish()
}

fn list(canvas: &mut Canvas, titles: &[String], rows: &[Vec<String>]) {
    for row in rows {
        canvas.put(Paint::Plain, "  -");
        canvas.end_line();
        for (title, text) in titles.iter().zip(row) {
            canvas.block(Paint::Plain, 4, 2, &format!("{title}: {text}"));
        }
    }
}

/// Text inside Markdown: nothing in it is markup, a cell border, or HTML.
fn markdown_escape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in clean(text).replace("<=", "≤").replace(">=", "≥").chars() {
        match c {
            '&' => result.push_str("&amp;"),
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '|' => result.push_str("&#124;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '$' | '!' => {
                result.push('\\');
                result.push(c);
            }
            c => result.push(c),
        }
    }
    result
}

/// A table of GitHub's Markdown, its caption above, its footnotes below.
pub fn markdown(table: &TableView) -> String {
    let mut text = format!("**{}**\n\n", markdown_escape(table.title()).trim());
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text += &line(table.columns.iter().map(|c| markdown_escape(&c.title)).collect());
    let rule = |c: &Column| if c.align == Align::Right { "---:" } else { "---" }.to_string();
    text += &line(table.columns.iter().map(rule).collect());
    for row in 0..table.rows.len() {
        let cell = |column: usize| match table.cell(row, column) {
            Some(cell) => {
                let marks: Vec<String> = table.marks(cell).iter().map(usize::to_string).collect();
                let mark = if marks.is_empty() { String::new() } else { format!("<sup>{}</sup>", marks.join(",")) };
                markdown_escape(&cell.text) + &mark
            }
            None => String::new(),
        };
        text += &line((0..table.columns.len()).map(cell).collect());
    }
    if let Some(sort) = &table.sort {
        text += &format!("\nSorted by {}.\n", markdown_escape(sort));
    }
    for (i, note) in table.footnotes.iter().enumerate() {
        text += &format!("\n<sup>{}</sup> {}\n", i + 1, markdown_escape(note));
    }
    text
}

/// A number as spreadsheets know it, or a fraction: nothing that could be a formula.
fn is_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).map_or((unsigned, None), |(m, e)| (m, Some(e)));
    if exponent.is_some_and(|e| !digits(e.strip_prefix(['-', '+']).unwrap_or(e))) {
        return false;
    }
    match (mantissa.split_once('.'), mantissa.split_once('/')) {
        (Some((whole, fraction)), _) => digits(whole) && digits(fraction),
        (_, Some((p, q))) => exponent.is_none() && digits(p) && digits(q),
        _ => digits(mantissa),
    }
}

/// A field of RFC 4180. A text that a spreadsheet might run as a formula gets an apostrophe in front.
fn csv_field(text: &str) -> String {
    let text = clean(text);
    // Digits grouped for readers are one number for a program.
    let plain = text.replace(['\u{a0}', '\u{2009}', '\u{202f}'], "");
    if is_number(&plain) {
        return plain;
    }
    // Spreadsheets skip blanks, and some take the full-width signs.
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let text = if formula { format!("'{text}") } else { text };
    if text.contains(['"', ',', ';']) || text.starts_with(' ') || text.ends_with(' ') {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

/// Comma-separated values with a header line, lines ending with `\n`. Footnotes become a last column, `notes`.
pub fn csv(table: &TableView) -> String {
    let mut titles: Vec<String> = table.columns.iter().map(|c| csv_field(&c.title)).collect();
    if !table.footnotes.is_empty() {
        titles.push("notes".to_string());
    }
    let mut text = titles.join(",") + "\n";
    for row in 0..table.rows.len() {
        let cells: Vec<Option<&Cell>> = (0..table.columns.len()).map(|column| table.cell(row, column)).collect();
        let mut fields: Vec<String> =
            cells.iter().map(|cell| cell.map_or(String::new(), |c| csv_field(&c.text))).collect();
        if !table.footnotes.is_empty() {
            let mut marks: Vec<usize> = cells.iter().flatten().flat_map(|cell| table.marks(cell)).collect();
            marks.sort_unstable();
            marks.dedup();
            let notes: Vec<&str> =
                marks.iter().filter_map(|n| table.footnotes.get(n - 1)).map(String::as_str).collect();
            fields.push(csv_field(&notes.join("; ")));
        }
        text += &(fields.join(",") + "\n");
    }
    text
}

/// LaTeX with `booktabs`. Footnotes stand below the table, in its width-free `\footnotesize`.
pub fn latex(table: &TableView, kind: Latex) -> String {
    let mut text = String::new();
    if kind == Latex::Standalone {
        text += "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n";
    }
    text += "\\begin{table}\n  \\centering\n";
    if let Some(caption) = &table.caption {
        text += &format!("  \\caption{{{}}}\n", latex::escape(caption));
    }
    // A label takes no escapes: letters, digits and a few signs survive.
    let label: String =
        table.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.:".contains(c) { c } else { '-' }).collect();
    text += &format!("  \\label{{tab:{label}}}\n");
    let letters: String = table.columns.iter().map(|c| if c.align == Align::Right { 'r' } else { 'l' }).collect();
    let letters = if letters.is_empty() { "l".to_string() } else { letters };
    text += &format!("  \\begin{{tabular}}{{@{{}}{letters}@{{}}}}\n    \\toprule\n");
    let line = |cells: Vec<String>| format!("    {} \\\\\n", cells.join(" & "));
    text += &line(table.columns.iter().map(|c| latex::escape(&c.title)).collect());
    text += "    \\midrule\n";
    for row in 0..table.rows.len() {
        let cell = |column: usize| match table.cell(row, column) {
            Some(cell) => {
                let marks: Vec<String> = table.marks(cell).iter().map(usize::to_string).collect();
                let mark = if marks.is_empty() { String::new() } else { format!("$^{{{}}}$", marks.join(",")) };
                latex::escape(&cell.text) + &mark
            }
            None => String::new(),
        };
        text += &line((0..table.columns.len()).map(cell).collect());
    }
    text += "    \\bottomrule\n  \\end{tabular}\n";
    if !table.footnotes.is_empty() || table.sort.is_some() {
        text += "  \\par\\smallskip\n  {\\footnotesize\\raggedright\n";
        if let Some(sort) = &table.sort {
            text += &format!("  Sorted by {}.\\par\n", latex::escape(sort));
        }
        for (i, note) in table.footnotes.iter().enumerate() {
            text += &format!("  $^{{{}}}$ {}\\par\n", i + 1, latex::escape(note));
        }
        text += "  }\n";
    }
    text += "\\end{table}\n";
    if kind == Latex::Standalone {
        text += "\\end{document}\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_runs_no_formula() {
        for (text, field) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(1)", "'@SUM(1)"),
            (" =1+1", "' =1+1"),
            ("+x", "'+x"),
            ("-1+1", "'-1+1"),
            ("-0x1", "'-0x1"),
            ("＝1", "'＝1"),
            ("-3.5e-7", "-3.5e-7"),
            ("-1/3", "-1/3"),
            ("+8", "+8"),
            ("8\u{a0}214", "8214"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "two lines"),
            ("", ""),
        ] {
            assert_eq!(csv_field(text), field);
        }
    }

    #[test]
    fn numbers() {
        for yes in ["1", "-1", "1.5", "1e5", "-2.5E-10", "1/3"] {
            assert!(is_number(yes), "{yes}");
        }
        for no in ["", "-", "1.", ".5", "1e", "1/3e5", "1/", "1+1", "1.2.3", "--1", "0x1"] {
            assert!(!is_number(no), "{no}");
        }
    }

    #[test]
    fn markdown_text_is_no_markup() {
        assert_eq!(
            markdown_escape("<b>|`x`*_[a](b)_* &amp;\n# $1$"),
            "&lt;b&gt;&#124;\\`x\\`\\*\\_\\[a\\](b)\\_\\* &amp;amp; \\# \\$1\\$"
        );
    }
}
