//! What the program tells about a text: a code, one plain title, every involved place, one concrete fix.

use super::{Source, Span, codes};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

/// Whose fault it is; the command line derives its exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The text is wrong.
    Spec,
    /// The text may be right but asks for more than a fixed limit.
    Limit,
    /// A file of weights or samples is missing, malformed or altered.
    Data,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// A place in the text and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    pub message: String,
    /// The place of the error itself; the other labels show its causes.
    pub primary: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable; explained by [`codes::explain`].
    pub code: &'static str,
    pub kind: Kind,
    pub severity: Severity,
    /// One line, lower case, in plain words: "expected X, found Y".
    pub title: String,
    pub labels: Vec<Label>,
    /// What to write instead.
    pub help: Vec<String>,
    pub notes: Vec<String>,
}

/// How a diagnostic is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// ASCII only.
    Ascii,
    Unicode,
    /// Unicode with terminal colours.
    Color,
}

impl Diagnostic {
    pub fn error(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            kind: Kind::Spec,
            severity: Severity::Error,
            title: title.into(),
            labels: Vec::new(),
            help: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn warning(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, title) }
    }

    /// A resource limit.
    pub fn limit(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic { kind: Kind::Limit, ..Diagnostic::error(code, title) }
    }

    /// A fault of a data or weights file.
    pub fn data(code: &'static str, title: impl Into<String>) -> Diagnostic {
        Diagnostic { kind: Kind::Data, ..Diagnostic::error(code, title) }
    }

    /// Adds the place of the error itself.
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: true });
        self
    }

    /// Adds a place that is a cause.
    pub fn because(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into(), primary: false });
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Where the first primary label, or else the first label, begins.
    pub fn span(&self) -> Option<Span> {
        let primary = self.labels.iter().find(|label| label.primary);
        primary.or(self.labels.first()).map(|label| label.span)
    }

    /// Draws the diagnostic with the involved lines of `source`. Ends without a line break.
    pub fn render(&self, source: &Source, style: Style) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.title.as_str()).id(self.code));
        for snippet in snippets(&self.labels, source) {
            group = group.element(snippet);
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for help in &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = match style {
            Style::Ascii => Renderer::plain().decor_style(DecorStyle::Ascii),
            Style::Unicode => Renderer::plain().decor_style(DecorStyle::Unicode),
            Style::Color => Renderer::styled().decor_style(DecorStyle::Unicode),
        };
        renderer.render(&[group])
    }

    /// The title of the code, for lists of codes.
    pub fn code_title(&self) -> Option<&'static str> {
        codes::find(self.code).map(|code| code.title)
    }
}

/// The most bytes of source that one diagnostic shows; a longer stretch is cut around each label.
const MAX_SHOWN: usize = 4096;
/// Bytes shown on each side of a label where the line is cut.
const MARGIN: usize = 60;

fn snippets<'a>(labels: &'a [Label], source: &'a Source) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let Some(all) = labels.iter().map(|label| label.span).reduce(Span::to) else {
        return Vec::new();
    };
    let first = source.position(all.start).line;
    let last = source.position(all.end).line;
    let window = source.line_span(first).to(source.line_span(last));
    if window.len() <= MAX_SHOWN {
        let snippet = Snippet::source(source.slice(window)).line_start(first).path(source.name());
        return vec![snippet.annotations(labels.iter().map(|label| annotation(label, window)))];
    }
    labels
        .iter()
        .map(|label| {
            let line = source.position(label.span.start).line;
            let whole = source.line_span(line);
            let start = boundary(source.text(), label.span.start.saturating_sub(MARGIN).max(whole.start));
            let end = boundary(source.text(), label.span.end.min(label.span.start + MARGIN).max(start) + MARGIN);
            let window = Span::new(start, end.min(whole.end.max(label.span.start)));
            Snippet::source(source.slice(window))
                .line_start(line)
                .path(source.name())
                .annotation(annotation(label, window))
        })
        .collect()
}

/// The last character boundary not after `offset`.
fn boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn annotation<'a>(label: &'a Label, window: Span) -> annotate_snippets::Annotation<'a> {
    let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
    let clip = |offset: usize| offset.clamp(window.start, window.end) - window.start;
    let annotation = kind.span(clip(label.span.start)..clip(label.span.end));
    if label.message.is_empty() { annotation } else { annotation.label(label.message.as_str()) }
}
