//! Standard output and error: colours on a terminal only, a closed pipe is no failure.

#[cfg(feature = "engine")]
use super::run::{Problem, Run};
use crate::report;
use crate::text;
use std::io::{IsTerminal, Write};

pub struct Console {
    is_terminal: bool,
    /// Whether a write failed for another reason than a closed pipe.
    pub failed: bool,
    closed: bool,
}

impl Default for Console {
    fn default() -> Console {
        Console { is_terminal: std::io::stdout().is_terminal(), failed: false, closed: false }
    }
}

impl Console {
    pub fn style(&self, ascii: bool) -> report::Style {
        let color = self.is_terminal && std::env::var_os("NO_COLOR").is_none();
        report::Style { ascii, color, width: 100 }
    }

    /// Prints a text, with a line break at its end.
    pub fn print(&mut self, text: &str) {
        if self.closed || self.failed {
            return;
        }
        let mut out = std::io::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(error) =
            out.write_all(text.as_bytes()).and_then(|()| out.write_all(end.as_bytes())).and_then(|()| out.flush())
        {
            match error.kind() {
                std::io::ErrorKind::BrokenPipe => self.closed = true,
                _ => self.failed = true,
            }
        }
    }

    /// Prints a text to standard error; nothing depends on whether it arrives.
    pub fn complain(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
    }
}

/// Writes all diagnostics of a run to standard error.
#[cfg(feature = "engine")]
pub fn diagnostics(run: &Run, console: &Console, ascii: bool) {
    problems(&run.theory, console, ascii);
    complain_all(run.source.as_ref(), &run.diagnostics, console, ascii);
}

/// Writes diagnostics to standard error, with their places in the source.
#[cfg(feature = "engine")]
pub fn complain_all(source: Option<&text::Source>, diagnostics: &[text::Diagnostic], console: &Console, ascii: bool) {
    let style = diagnostic_style(ascii);
    for diagnostic in diagnostics {
        explain(source, diagnostic, style, console);
    }
}

/// Writes diagnostics on files of theorems to standard error.
#[cfg(feature = "engine")]
pub fn problems(problems: &[Problem], console: &Console, ascii: bool) {
    let style = diagnostic_style(ascii);
    for (source, diagnostic) in problems {
        explain(source.as_ref(), diagnostic, style, console);
    }
}

/// How diagnostics are drawn on this terminal.
pub fn diagnostic_style(ascii: bool) -> text::Style {
    match (ascii, std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()) {
        (true, _) => text::Style::Ascii,
        (false, true) => text::Style::Color,
        (false, false) => text::Style::Unicode,
    }
}

/// Writes one diagnostic to standard error.
pub fn explain(source: Option<&text::Source>, diagnostic: &text::Diagnostic, style: text::Style, console: &Console) {
    let empty = text::Source::new("spec", "");
    if let Some(source) = source.or(empty.as_ref().ok()) {
        console.complain(&format!("{}\n", diagnostic.render(source, style)));
    }
}

/// A title as the name of a file: letters, digits and `_`.
#[cfg(feature = "engine")]
pub fn file_name(title: &str) -> String {
    title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Writes a whole file or nothing: to a temporary file beside it, then a rename.
pub fn write_whole(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = std::path::PathBuf::from(temporary);
    let result = std::fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&temporary, path));
    if result.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    result
}
