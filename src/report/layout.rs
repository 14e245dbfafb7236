//! Widths, wrapping and colours of terminal text.
//!
//! INVARIANT: what [`Canvas`] returns has no control character but newline and its own colours, and no line wider than the style says.

use super::symbols::ascii;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How a terminal text is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Only ASCII.
    pub ascii: bool,
    /// ANSI colours. They never carry meaning alone.
    pub color: bool,
    /// Columns; taken as 40 if below, 100 if above.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Style {
        Style { ascii: false, color: false, width: 100 }
    }
}

impl Style {
    pub(super) fn columns(self) -> usize {
        self.width.clamp(40, 100)
    }
}

/// A blank where no line may break; printed as a blank.
pub(super) const NO_BREAK: char = '\u{a0}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Plain,
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Paint::Plain => "",
            Paint::Bold => "\x1b[1m",
            Paint::Dim => "\x1b[2m",
            Paint::Green => "\x1b[32m",
            Paint::Red => "\x1b[31m",
            Paint::Yellow => "\x1b[33m",
        }
    }
}

/// Characters that move the cursor or reorder text. A stranger's name must not redraw the screen or hide what it says.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{61c}')
}

/// The text on one line: white space as blanks, other control characters spelled out.
pub(super) fn clean(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => result.push(' '),
            c if is_control(c) => result.extend(c.escape_unicode()),
            c => result.push(c),
        }
    }
    result
}

pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Breaks at blanks into lines of at most `columns` (at least 1); a longer word is cut. At least one line.
pub(super) fn wrap(text: &str, columns: usize) -> Vec<String> {
    wrap_hanging(text, columns, 0)
}

/// As [`wrap`], with lines after the first shorter by `hang`.
fn wrap_hanging(text: &str, first: usize, hang: usize) -> Vec<String> {
    let room = |lines: &[String]| if lines.is_empty() { first.max(1) } else { first.saturating_sub(hang).max(1) };
    let mut lines = Vec::new();
    let mut line = String::new();
    // Runs of blanks inside a line are kept: they align things.
    for piece in text.split_inclusive(' ') {
        let word = piece.trim_end_matches(' ');
        if width(&line) + width(word) > room(&lines) {
            if !line.trim_end().is_empty() {
                lines.push(line.trim_end().to_string());
            }
            line.clear();
        }
        if width(word) <= room(&lines) {
            line.push_str(piece);
            continue;
        }
        for c in piece.chars() {
            if width(&line) + c.width().unwrap_or(0) > room(&lines) {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_string());
    }
    lines
}

/// Collects lines of painted pieces.
pub(super) struct Canvas {
    style: Style,
    text: String,
    line: Vec<(Paint, String)>,
}

impl Canvas {
    pub(super) fn new(style: Style) -> Canvas {
        Canvas { style, text: String::new(), line: Vec::new() }
    }

    /// A stranger's text, made fit for this terminal. No-break blanks stay until [`Canvas::put`].
    pub(super) fn fit(&self, text: &str) -> String {
        let text = clean(text);
        if !self.style.ascii {
            return text;
        }
        let parts: Vec<String> = text.split(NO_BREAK).map(ascii).collect();
        parts.join("\u{a0}")
    }

    pub(super) fn put(&mut self, paint: Paint, text: impl Into<String>) {
        self.line.push((paint, text.into().replace(NO_BREAK, " ")));
    }

    /// Blanks up to a column; at least `gap` of them, unless the line is empty.
    pub(super) fn tab(&mut self, column: usize, gap: usize) {
        let used: usize = self.line.iter().map(|(_, text)| width(text)).sum();
        let gap = if self.line.is_empty() { 0 } else { gap };
        self.put(Paint::Plain, " ".repeat(column.saturating_sub(used).max(gap)));
    }

    pub(super) fn end_line(&mut self) {
        // No blank at the end of a line, whatever piece it is in.
        while let Some((_, last)) = self.line.last_mut() {
            last.truncate(last.trim_end_matches(' ').len());
            if !last.is_empty() {
                break;
            }
            self.line.pop();
        }
        for (paint, text) in self.line.drain(..) {
            if self.style.color && paint != Paint::Plain && !text.is_empty() {
                self.text.push_str(paint.code());
                self.text.push_str(&text);
                self.text.push_str("\x1b[0m");
            } else {
                self.text.push_str(&text);
            }
        }
        self.text.push('\n');
    }

    /// Text from a column on, wrapped; later lines are indented `hang` columns more.
    pub(super) fn block(&mut self, paint: Paint, column: usize, hang: usize, text: &str) {
        let columns = self.style.columns();
        let room = columns.saturating_sub(column);
        for (i, line) in wrap_hanging(text, room, hang).into_iter().enumerate() {
            self.tab(if i == 0 { column } else { column + hang }, 0);
            self.put(paint, line);
            self.end_line();
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("a    b", 10), ["a    b"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("漢字漢字", 5), ["漢字", "漢字"]);
    }

    #[test]
    fn strangers_cannot_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2Jb\u{202e}c\nd"), "a\\u{1b}[2Jb\\u{202e}c d");
    }

    proptest! {
        #[test]
        fn no_line_is_wider(text in "\\PC{0,200}", columns in 2usize..60) {
            for line in wrap(&clean(&text), columns) {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }

        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-z ≤²]{0,100}( {1,4}[a-z]{1,30}){0,6}", columns in 1usize..30) {
            let squeeze = |s: &str| s.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(squeeze(&wrap(&text, columns).concat()), squeeze(&text));
        }
    }
}
