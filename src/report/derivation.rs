//! A derivation as an indented tree: one inequality per node, with its theorem, source, requirements and value.

use super::layout::{Canvas, Paint, Style, width, wrap};

/// One step of a derivation and the steps it uses.
#[derive(Debug, Default)]
pub struct DerivationView {
    pub statement: String,
    /// Name of the theorem, rule or procedure.
    pub rule: Option<String>,
    /// Author, year, number.
    pub source: Option<String>,
    /// Name of a formal proof elsewhere.
    pub formal: Option<String>,
    /// The enclosure computed at this step.
    pub value: Option<String>,
    /// What the theorem requires, and how each requirement was discharged.
    pub requirements: Vec<(String, String)>,
    /// Why this step carries a dagger.
    pub dagger: Option<String>,
    pub children: Children,
}

/// The steps that a step uses.
#[derive(Debug, Default)]
pub struct Children(pub Vec<DerivationView>);

impl From<Vec<DerivationView>> for Children {
    fn from(steps: Vec<DerivationView>) -> Children {
        Children(steps)
    }
}

impl Drop for Children {
    /// Without recursion: a derivation may be deeper than the stack.
    fn drop(&mut self) {
        let mut rest = std::mem::take(&mut self.0);
        while let Some(mut node) = rest.pop() {
            rest.append(&mut node.children.0);
        }
    }
}

/// Columns of one level.
const STEP: usize = 3;

struct Lines {
    tee: &'static str,
    corner: &'static str,
    bar: &'static str,
    stem: &'static str,
    bullet: &'static str,
}

const UNICODE: Lines = Lines { tee: "├─ ", corner: "└─ ", bar: "│  ", stem: "│ ", bullet: "•" };
const ASCII: Lines = Lines { tee: "|- ", corner: "`- ", bar: "|  ", stem: "| ", bullet: "-" };

/// The tree as text, ending with a newline; never wider than the style.
pub fn tree(root: &DerivationView, style: Style) -> String {
    let lines = if style.ascii { &ASCII } else { &UNICODE };
    let mut canvas = Canvas::new(style);
    // Half of the columns may be indentation; deeper steps say their level instead.
    let levels = style.columns() / 2 / STEP;
    // A node with its level, and whether it is the last of its siblings.
    let mut stack: Vec<(&DerivationView, usize, bool)> = vec![(root, 0, true)];
    // For each level, whether more siblings follow there.
    let mut open: Vec<bool> = Vec::new();
    while let Some((node, level, last)) = stack.pop() {
        open.truncate(level.saturating_sub(1));
        let shown = open.len().saturating_sub(levels - 1);
        let bars: String = open[shown..].iter().map(|&more| if more { lines.bar } else { "   " }).collect();
        let (head, below) = match (level, last) {
            (0, _) => (String::new(), String::new()),
            (_, false) => (format!("{bars}{}", lines.tee), format!("{bars}{}", lines.bar)),
            (_, true) => (format!("{bars}{}", lines.corner), format!("{bars}   ")),
        };
        if level > 0 {
            open.push(!last);
        }
        let stem = if node.children.0.is_empty() { "  " } else { lines.stem };
        let detail = format!("{below}{stem}");
        let statement = canvas.fit(&node.statement);
        let statement = if level > levels { format!("(level {level}) {statement}") } else { statement };
        put(&mut canvas, style, Paint::Bold, &head, &detail, &statement);
        let mut say = |paint: Paint, text: String| {
            let text = canvas.fit(&text);
            put(&mut canvas, style, paint, &detail, &format!("{detail}  "), &text);
        };
        if let Some(rule) = &node.rule {
            say(Paint::Plain, format!("by {rule}"));
        }
        if let Some(source) = &node.source {
            say(Paint::Dim, format!("source  {source}"));
        }
        if let Some(formal) = &node.formal {
            say(Paint::Dim, format!("formal  {formal}"));
        }
        if let Some(value) = &node.value {
            say(Paint::Plain, format!("value   {value}"));
        }
        for (text, how) in &node.requirements {
            say(Paint::Plain, format!("{} {text}: {how}", lines.bullet));
        }
        if let Some(dagger) = &node.dagger {
            say(Paint::Yellow, format!("† {dagger}"));
        }
        let children = node.children.0.len();
        for (i, child) in node.children.0.iter().enumerate().rev() {
            stack.push((child, level.saturating_add(1), i + 1 == children));
        }
    }
    canvas.finish()
}

/// Text behind a prefix, wrapped behind another.
fn put(canvas: &mut Canvas, style: Style, paint: Paint, first: &str, later: &str, text: &str) {
    let used = width(first).max(width(later));
    let room = style.columns().saturating_sub(used).max(1);
    for (i, line) in wrap(text, room).into_iter().enumerate() {
        canvas.put(Paint::Dim, if i == 0 { first } else { later });
        canvas.put(paint, line);
        canvas.end_line();
    }
}
