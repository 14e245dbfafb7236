//! The specs that a spec uses, read before names are resolved: `use "setting.spec"`.

use crate::data::file::Folder;
use crate::model::{self, Imports};
use crate::syntax::{self, ast};
use crate::text::{Diagnostic, Source, Span, Style};
use crate::theory::Library;
use std::collections::BTreeSet;

/// Deepest chain of uses, and most files altogether.
const DEPTH_LIMIT: usize = 16;
const FILE_LIMIT: usize = 100;

/// Reads all specs that a spec uses, directly or through others. Errors are added to the diagnostics, each at the `use` of the
/// spec itself that leads there.
pub fn read(
    file: &ast::File,
    name: &str,
    folder: &Folder,
    library: &Library,
    diagnostics: &mut Vec<Diagnostic>,
) -> Imports {
    let mut imports = Imports::new();
    for item in &file.items {
        let ast::ItemKind::Use(used) = &item.kind else { continue };
        let mut path = vec![name.to_string()];
        let outcome = match &used.target {
            ast::UseTarget::Module(topic) => module(&topic.name, topic.span, library),
            ast::UseTarget::File(text) => follow(&text.text, "", folder, item.span, &mut path, &mut imports),
        };
        diagnostics.extend(outcome.err());
    }
    imports
}

/// A part of the library is there without being asked for; a name that is none is a slip.
fn module(name: &str, span: Span, library: &Library) -> Result<(), Diagnostic> {
    let topic = |entry: &crate::theory::Entry| entry.theorem.name.split('.').next().map(str::to_string);
    let topics: BTreeSet<String> = library.entries.iter().filter_map(topic).collect();
    if topics.contains(name) {
        return Ok(());
    }
    let mut diagnostic =
        Diagnostic::error("E0011", format!("expected a part of the library, found `{name}`")).at(span, "");
    if let Some(near) = crate::text::did_you_mean(name, topics.iter().map(String::as_str)) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    Err(diagnostic.note("a file is named in double quotes: `use \"setting.spec\"`"))
}

fn follow(
    text: &str,
    base: &str,
    folder: &Folder,
    span: Span,
    path: &mut Vec<String>,
    imports: &mut Imports,
) -> Result<(), Diagnostic> {
    let name = model::joined(base, text);
    if path.contains(&name) {
        let chain: Vec<&str> = path.iter().map(String::as_str).chain([name.as_str()]).collect();
        return Err(Diagnostic::error("E0010", format!("a spec uses itself: {}", chain.join(" -> "))).at(span, ""));
    }
    if imports.contains_key(&name) {
        return Ok(());
    }
    if path.len() > DEPTH_LIMIT || imports.len() >= FILE_LIMIT {
        let title = format!("expected at most {DEPTH_LIMIT} uses in a chain and {FILE_LIMIT} specs, found more");
        return Err(Diagnostic::limit("E0123", title).at(span, ""));
    }
    let limit = u64::try_from(crate::text::MAX_FILE).unwrap_or(u64::MAX);
    let contents = folder
        .read(&name, limit)
        .map_err(|error| Diagnostic::error("E0137", format!("the spec cannot be read: {error}")).at(span, ""))?;
    let source = Source::from_bytes(&name, &contents.bytes).map_err(|error| elsewhere(error, None, span))?;
    let parsed = syntax::parse(&source);
    if let Some(error) = parsed.diagnostics.into_iter().find(Diagnostic::is_error) {
        return Err(elsewhere(error, Some(&source), span));
    }
    path.push(name.clone());
    for item in &parsed.file.items {
        if let ast::ItemKind::Use(ast::Use { target: ast::UseTarget::File(text), .. }) = &item.kind {
            follow(&text.text, model::folder_of(&name), folder, span, path, imports)?;
        }
    }
    path.pop();
    imports.insert(name, (parsed.file, source));
    Ok(())
}

/// A diagnostic of a used spec, at the place of its use; its own place is shown in a note.
fn elsewhere(diagnostic: Diagnostic, source: Option<&Source>, span: Span) -> Diagnostic {
    let shown = source.map(|source| diagnostic.render(source, Style::Ascii));
    let bare = Diagnostic { labels: Vec::new(), ..diagnostic }.at(span, "in a spec that is used here");
    match shown {
        Some(shown) => bare.note(shown),
        None => bare,
    }
}
