//! A text with a name, and the checks every text passes before anybody reads it.

use super::{Diagnostic, Span};

/// Longest accepted file. A spec is written by a person; a larger one is a mistake or an attack.
pub const MAX_FILE: usize = 4 << 20;

/// A text to be parsed and the name under which diagnostics show it.
///
/// Invariant: the text is at most [`MAX_FILE`] bytes long, has no byte order mark, and contains no character that changes the
/// direction of writing (such a character makes a text read differently from what it says).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    /// Offset of the first byte of every line; the first entry is 0.
    lines: Vec<usize>,
}

/// A place for people, both counted from 1; `column` counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Unicode's direction controls (UAX 9): embeddings, overrides, isolates and the three marks.
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

impl Source {
    /// Reads the bytes of a file. Errors: too large, UTF-16, not UTF-8, or a control character that hides text.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Result<Source, Diagnostic> {
        let name = name.into();
        if bytes.len() > MAX_FILE {
            return Err(Diagnostic::limit(
                "E0110",
                format!("{name}: expected at most {MAX_FILE} bytes, found {}", bytes.len()),
            )
            .help("split the file and join the parts by `use`"));
        }
        if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
            return Err(Diagnostic::error("E0109", format!("{name}: expected UTF-8, found UTF-16"))
                .help("save the file as UTF-8 (`iconv -f UTF-16 -t UTF-8`)"));
        }
        let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Source::new(name, text),
            Err(e) => {
                let offset = e.valid_up_to();
                let line = bytes.iter().take(offset).filter(|b| **b == b'\n').count() + 1;
                let byte = bytes.get(offset).copied().unwrap_or(0);
                Err(Diagnostic::error(
                    "E0109",
                    format!("{name}: expected UTF-8, found byte 0x{byte:02X} at offset {offset} (line {line})"),
                )
                .help("save the file as UTF-8"))
            }
        }
    }

    /// Takes a text that is known to be UTF-8. Errors as in [`Source::from_bytes`].
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Result<Source, Diagnostic> {
        let (name, text) = (name.into(), text.into());
        if text.len() > MAX_FILE {
            return Err(Diagnostic::limit(
                "E0110",
                format!("{name}: expected at most {MAX_FILE} bytes, found {}", text.len()),
            )
            .help("split the file and join the parts by `use`"));
        }
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        let source = Source { name, text, lines };
        match source.text.char_indices().find(|(_, c)| is_bidi_control(*c)) {
            None => Ok(source),
            Some((offset, c)) => {
                let Position { line, column } = source.position(offset);
                Err(Diagnostic::error(
                    "E0108",
                    format!(
                        "{}: expected visible text, found the direction control U+{:04X} at {line}:{column}",
                        source.name, c as u32
                    ),
                )
                .help("delete the character: it makes the line read differently from what it says"))
            }
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text at `span`; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column of a byte offset; an offset beyond the end counts as the end.
    pub fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.line_span(line).start;
        let column = self.text.get(start..offset).map_or(1, |before| before.chars().count() + 1);
        Position { line, column }
    }

    /// The bytes of a line, counted from 1, without its line break; empty for a line that does not exist.
    pub fn line_span(&self, line: usize) -> Span {
        let Some(&start) = line.checked_sub(1).and_then(|i| self.lines.get(i)) else {
            return Span::at(self.text.len());
        };
        let end = self.lines.get(line).map_or(self.text.len(), |next| next - 1);
        Span::new(start, end)
    }
}
