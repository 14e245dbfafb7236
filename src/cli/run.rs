//! One run over a spec: parse, resolve, build, prove; what `check`, `why` and `table` share.

use super::block;
pub use super::exit::{self, worst};
use super::fits;
use super::items;
use super::rows;
use super::session::Session;
use super::uses;
use crate::data::DataErrorKind;
use crate::data::file::Folder;
use crate::kernel::derive::structures;
use crate::kernel::object::{Object, Objects};
use crate::model::{self, Spec};
use crate::prove::{Context, Search};
use crate::quantity::{Engine, interrupt};
use crate::recheck;
use crate::report::view::{CheckView, DiagnosticView, FileView, LedgerView, Severity};
use crate::syntax::{self, ast};
use crate::text::{Diagnostic, Kind, Source, Span};
use crate::theory::{self, Library, compile};
use num_rational::BigRational;
use num_traits::{One, Zero};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// What a proved number of a network with weights is about.
const SEMANTICS: &str = "exact real arithmetic on the stored weights; floating-point rounding is not covered";

/// Lints that `--deny` turns into failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lint {
    Vacuous,
    Assumptions,
    Unproved,
    Observed,
}

/// What a run needs.
pub struct Request<'a> {
    pub path: &'a Path,
    pub theory: &'a [PathBuf],
    pub deny: &'a [Lint],
    /// Only this item is worked on, where one is named.
    pub only: Option<&'a str>,
}

/// Everything a run found.
pub struct Run {
    pub source: Option<Source>,
    pub spec: Spec,
    pub view: CheckView,
    /// Fuller than the view's: with code, places and fixes.
    pub diagnostics: Vec<Diagnostic>,
    /// What is wrong in the files of `--theory`: their places are not in the spec.
    pub theory: Vec<Problem>,
    /// What became of each item, in the order of the view's items.
    pub results: Vec<items::Result>,
    pub library: Library,
    pub session: Option<Session>,
    /// Claims about the rows of published tables.
    tables: recheck::Split,
}

/// The exit code that a diagnostic asks for.
pub fn code(diagnostic: &Diagnostic) -> u8 {
    match diagnostic.kind {
        Kind::Spec => exit::SPEC,
        Kind::Limit => exit::LIMIT,
        Kind::Data => exit::DATA,
    }
}

/// The failure probability that all claims together may draw: 1/20 where the spec does not say.
pub fn budget(spec: &Spec) -> BigRational {
    spec.budget.clone().unwrap_or_else(|| BigRational::new(1.into(), 20.into()))
}

/// Reads the spec's text. Errors: a missing or unreadable file, a text that is no spec.
pub fn read(path: &Path) -> Result<Source, Diagnostic> {
    let name = path.to_string_lossy().to_string();
    if name == "-" {
        use std::io::Read;
        let mut bytes = Vec::new();
        let limit = u64::try_from(crate::text::MAX_FILE).unwrap_or(u64::MAX) + 1;
        return match std::io::stdin().take(limit).read_to_end(&mut bytes) {
            Ok(_) => Source::from_bytes("stdin", &bytes),
            Err(error) => Err(Diagnostic::error("E0111", format!("standard input cannot be read ({})", error.kind()))),
        };
    }
    let folder = Folder::of_spec(path);
    let file = path.file_name().map(|name| name.to_string_lossy().to_string()).unwrap_or_default();
    let limit = u64::try_from(crate::text::MAX_FILE).unwrap_or(u64::MAX);
    match folder.and_then(|folder| folder.read(&file, limit)) {
        Ok(contents) => Source::from_bytes(name, &contents.bytes),
        Err(error) => {
            let title = match &error.kind {
                DataErrorKind::Missing { .. } => format!("expected a spec, found no file `{name}`"),
                _ => format!("the spec cannot be read: {error}"),
            };
            Err(Diagnostic::error("E0137", title)
                .help("`supremum check FILE`, or `supremum check -` for standard input"))
        }
    }
}

/// A diagnostic on a file of theorems, with the file where it was read.
pub type Problem = (Option<Source>, Diagnostic);

/// The library with the files of `--theory`, and what is wrong in them. Their examples and rejects are run.
pub fn library(theory: &[PathBuf]) -> (Library, Vec<Problem>) {
    let (mut library, mut problems) = Library::embedded();
    for path in theory {
        match read(path) {
            Ok(source) => {
                let first = library.entries.len();
                let mut diagnostics = library.add_source(&source, compile::Origin::User);
                let added = library.entries[first..].iter();
                diagnostics.extend(added.flat_map(|entry| theory::check::check(entry, &library)));
                problems.extend(diagnostics.into_iter().map(|diagnostic| (Some(source.clone()), diagnostic)));
            }
            Err(diagnostic) => problems.push((None, diagnostic)),
        }
    }
    (library, problems)
}

/// Runs a spec.
pub fn run(request: &Request) -> Run {
    let mut run = Run {
        source: None,
        spec: Spec::default(),
        view: empty_view(request.path),
        diagnostics: Vec::new(),
        theory: Vec::new(),
        results: Vec::new(),
        library: Library::default(),
        session: None,
        tables: recheck::Split::default(),
    };
    (run.library, run.theory) = library(request.theory);
    match read(request.path) {
        Ok(source) => {
            let parsed = syntax::parse(&source);
            run.diagnostics.extend(parsed.diagnostics.iter().cloned());
            if !parsed.has_errors() {
                let tables = tables(&parsed.file, &source, request, &mut run.diagnostics);
                let name = request.path.file_name().map(|name| name.to_string_lossy().to_string()).unwrap_or_default();
                let imports = match Folder::of_spec(request.path) {
                    Ok(folder) => uses::read(&parsed.file, &name, &folder, &run.library, &mut run.diagnostics),
                    Err(_) => model::Imports::new(),
                };
                let (spec, _, diagnostics) = model::resolve(&tables.rest, &source, &imports);
                // A spec may consist of claims about tables.
                let is_missed = |diagnostic: &Diagnostic| diagnostic.code != "E0136" || !tables.has_claims;
                run.diagnostics.extend(diagnostics.into_iter().filter(is_missed));
                run.tables = tables;
                run.spec = spec;
                let first = run.library.entries.len();
                for theorem in &run.spec.theorems {
                    run.diagnostics.extend(run.library.add(theorem, compile::Origin::User).err());
                }
                for entry in &run.library.entries[first..] {
                    run.diagnostics.extend(theory::check::check(entry, &run.library));
                }
                check_methods(&mut run.spec, &run.library, &mut run.diagnostics);
            }
            let in_theory = run.theory.iter().map(|(_, diagnostic)| diagnostic);
            if !run.diagnostics.iter().chain(in_theory).any(Diagnostic::is_error) {
                prove(&mut run, request, &source);
            }
            run.source = Some(source);
        }
        Err(diagnostic) => run.diagnostics.push(diagnostic),
    }
    finish(&mut run, request);
    run
}

/// Takes the claims about published tables out of a spec.
fn tables(file: &ast::File, source: &Source, request: &Request, diagnostics: &mut Vec<Diagnostic>) -> recheck::Split {
    match Folder::of_spec(request.path) {
        Ok(folder) => {
            let mut split = recheck::split(file, source, &folder);
            diagnostics.append(&mut split.diagnostics);
            split
        }
        Err(error) => {
            diagnostics.push(Diagnostic::data("E0502", error.to_string()));
            recheck::Split::default()
        }
    }
}

/// Every method named in the spec must be one.
fn check_methods(spec: &mut Spec, library: &Library, diagnostics: &mut Vec<Diagnostic>) {
    for item in &mut spec.items {
        let refused = match &item.kind {
            model::ItemKind::Claim(claim) => {
                let refused = claim.method.as_ref().and_then(|call| no_method(call, library));
                let is_expected = |refused: &Diagnostic| claim.expecting.is_some_and(|e| e.is_error(refused.code));
                match refused {
                    Some(refused) if is_expected(&refused) => {
                        item.kind = model::ItemKind::Refused(Box::new(refused));
                        continue;
                    }
                    refused => refused.into_iter().collect(),
                }
            }
            model::ItemKind::Bounds { methods, .. } => {
                methods.iter().filter_map(|call| no_method(call, library)).collect()
            }
            _ => Vec::new(),
        };
        diagnostics.extend(refused);
    }
}

/// What is wrong with a method that is none.
fn no_method(call: &model::MethodCall, library: &Library) -> Option<Diagnostic> {
    let method = items::method(call);
    let is_theorem = library.entries.iter().any(|entry| method.names(&entry.theorem.name, &entry.aliases));
    if is_theorem {
        return None;
    }
    if crate::quantity::METHODS.contains(&call.name.as_str()) {
        return misplaced(call);
    }
    if call.name == "lipsdp_network" {
        let title = "LipSDP-Network is no bound: its multipliers are not valid for increments";
        let diagnostic = Diagnostic::error("E0512", title).at(call.span, "");
        return Some(diagnostic.help("write `by lipsdp`, or `by branch_and_bound` for a sharper bound"));
    }
    if let Some(rate) = library.rates.iter().find(|rate| method.names(&rate.name, &[])) {
        let title = format!("`{}` is a rate: no constant is known, so it bounds nothing", rate.name);
        let diagnostic = Diagnostic::error("E0014", title).at(call.span, &rate.ensures);
        return Some(diagnostic.help("delete the `by` clause: every theorem that applies is tried"));
    }
    let mut known: Vec<&str> = crate::quantity::METHODS.to_vec();
    for entry in &library.entries {
        known.push(&entry.theorem.name);
        known.extend(entry.theorem.name.split('.'));
    }
    let mut diagnostic = Diagnostic::error("E0009", format!("unknown method `{}`", call.name)).at(call.span, "");
    if let Some(near) = crate::text::did_you_mean(&call.name, known) {
        diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
    }
    Some(diagnostic.note("`supremum theorems` lists the theorems; each is a method"))
}

/// What is wrong with the arguments of a procedure.
fn misplaced(call: &model::MethodCall) -> Option<Diagnostic> {
    let takes: &[&str] = if call.name == "branch_and_bound" { &["tol"] } else { &[] };
    let named = call.named.iter().map(|(name, _)| name.as_str()).find(|name| !takes.contains(name));
    let found = named.or((!call.positional.is_empty()).then_some("an argument without a name"))?;
    let title = format!("`{}` takes no argument `{found}`", call.name);
    let help = match takes {
        [] => format!("write `by {}`", call.name),
        _ => "write `by branch_and_bound(tol: 1%)`".to_string(),
    };
    Some(Diagnostic::error("E0134", title).at(call.span, "").help(help))
}

fn prove(run: &mut Run, request: &Request, source: &Source) {
    let session = Folder::of_spec(request.path)
        .map_err(|error| Diagnostic::data("E0502", error.to_string()))
        .and_then(|folder| Session::build(&run.spec, &folder, source));
    let session = match session {
        Ok(session) => session,
        Err(diagnostic) => {
            run.diagnostics.push(diagnostic);
            return;
        }
    };
    let budget = budget(&run.spec);
    let share = items::share(&run.spec, &budget);
    let is_asked = |item: &&model::Item| request.only.is_none_or(|only| only == item.name);
    let asked: Vec<&model::Item> = run.spec.items.iter().filter(is_asked).collect();
    let is_wanted =
        |item: &&model::Item| is_asked(item) || asked.iter().any(|asked| block::needs(asked, item, &run.spec));
    let wanted: Vec<&model::Item> = run.spec.items.iter().filter(is_wanted).collect();
    let worked = work(&session, run, &wanted, &share, source);
    let results = match worked {
        Ok(results) => results,
        Err(diagnostic) => {
            run.diagnostics.push(diagnostic);
            return;
        }
    };
    let about_rows = run.tables.claims.iter().filter(|claim| request.only.is_none_or(|only| only == claim.name));
    let mut results = results;
    results.extend(about_rows.map(|claim| rows::item(claim, &run.tables.sheets[claim.sheet], source)));
    results.sort_by_key(|result| result.view.line);
    let (mut spent, mut parts) = (BigRational::zero(), Vec::new());
    for result in results {
        if !result.spent.is_zero() {
            spent += &result.spent;
            parts.push((result.view.name.clone(), result.spent.to_string()));
        }
        let diagnostics = result.diagnostics.iter().cloned();
        run.diagnostics.extend(diagnostics.map(|diagnostic| with_causes(diagnostic, &run.spec)));
        run.view.items.push(result.view.clone());
        run.results.push(result);
    }
    if spent > budget {
        let drawn: Vec<String> = parts.iter().map(|(name, q)| format!("{name} {q}")).collect();
        let mut overdrawn = Diagnostic::error("E0402", format!("confidence overdrawn: spent {spent} of {budget}"));
        for item in &run.spec.items {
            let of_item = |name: &str| name == item.name || name.starts_with(&format!("{}.", item.name));
            let share: Vec<&str> = parts.iter().filter(|(name, _)| of_item(name)).map(|(_, q)| q.as_str()).collect();
            if !share.is_empty() {
                overdrawn = overdrawn.because(item.span, format!("draws {}", share.join(" + ")));
            }
        }
        run.diagnostics.push(
            overdrawn
                .note(format!("claims: {}", drawn.join(", ")))
                .help("lower `confidence`, raise the claims' probabilities, or drop claims"),
        );
    }
    if !parts.is_empty() {
        let together = (BigRational::one() - &spent).to_string();
        run.view.ledger = Some(LedgerView {
            budget: budget.to_string(),
            spent: spent.to_string(),
            parts,
            together: Some(crate::report::decimal::decimal(
                &(BigRational::one() - &spent),
                6,
                crate::report::decimal::Direction::Down,
            ))
            .filter(|text| !text.is_empty())
            .or(Some(together)),
        });
    }
    let has_weights =
        |entry: &crate::kernel::object::Entry| matches!(&entry.object, Object::Net(net) if net.network.is_some());
    if session.objects.entries.values().any(has_weights) {
        run.view.semantics = Some(SEMANTICS.to_string());
    }
    run.view.title = run.spec.title.clone();
    run.view.setting = session.setting.clone();
    run.view.files = session.files.clone();
    let sheets = run.tables.sheets.iter();
    run.view.files.extend(sheets.map(|sheet| FileView { path: sheet.path.clone(), sha256: sheet.sha256.clone() }));
    run.view.training = session.training.clone();
    run.session = Some(session);
}

/// Items that one search works on at least, where there are many, and most such chunks: what a search remembers does not depend on the
/// number of threads.
const CHUNK: usize = 64;
const CHUNKS: usize = 32;
/// Terms nest deeply.
const STACK: usize = 64 << 20;

/// Works on the items. Those about architectures alone go to all processors in chunks of fixed size; networks with weights and data are
/// worked on in turn, since what was computed of them serves the next item.
fn work(
    session: &Session,
    run: &Run,
    items: &[&model::Item],
    share: &BigRational,
    source: &Source,
) -> Result<Vec<items::Result>, Diagnostic> {
    let (library, spec) = (&run.library, &run.spec);
    let several = |objects: &Objects, items: &[&model::Item]| {
        with_search(objects, library, |search| {
            let mut rows = block::Rows::default();
            let mut results = Vec::new();
            // The item that the user interrupted shows how far it came; those after it are left.
            for item in items.iter().take_while(|_| !interrupt::is_requested()) {
                let found = match rows.fill(item, spec) {
                    Ok(filled) => match fits::refused(&filled, search, source) {
                        Some(refused) => vec![refused],
                        None => items::item(&filled, search, library, share, source),
                    },
                    Err(row) => vec![items::without_row(item, &row, source)],
                };
                rows.learn(item, &found);
                results.extend(found);
            }
            results
        })
    };
    let is_concrete = |object: &Object| match object {
        Object::Net(net) => net.network.is_some(),
        Object::Sample(_) | Object::Law(_) => true,
        Object::Domain(_) => false,
    };
    // Claims about a block of bounds need its rows first.
    let is_block = |item: &&model::Item| matches!(item.kind, model::ItemKind::Bounds { .. });
    if items.len() <= CHUNK
        || items.iter().any(is_block)
        || session.objects.entries.values().any(|entry| is_concrete(&entry.object))
    {
        return several(&session.objects, items);
    }
    let Ok(pool) = rayon::ThreadPoolBuilder::new().stack_size(STACK).build() else {
        return several(&session.objects, items);
    };
    let size = items.len().div_ceil(CHUNKS).max(CHUNK);
    let chunks: Vec<(Objects, &[&model::Item])> =
        items.chunks(size).map(|chunk| (session.objects.clone(), chunk)).collect();
    let worked: Result<Vec<_>, _> =
        pool.install(|| chunks.into_par_iter().map(|(objects, chunk)| several(&objects, chunk)).collect());
    Ok(worked?.into_iter().flatten().collect())
}

/// A requirement of provenance fails through declarations: they are shown, from the data on.
fn with_causes(diagnostic: Diagnostic, spec: &Spec) -> Diagnostic {
    if !matches!(diagnostic.code, "E0310" | "E0311") {
        return diagnostic;
    }
    let title = diagnostic.title.clone();
    let is_named = |name: &str| title.contains(&format!("`{name}`"));
    let mut shown = diagnostic;
    for declaration in spec.declarations.iter().filter(|declaration| is_named(&declaration.name)) {
        let name = &declaration.name;
        let cause = match &declaration.kind {
            model::DeclarationKind::Train { data, .. } => format!("`{name}` depends on `{data}`"),
            model::DeclarationKind::Law(law) => format!("`{name}` depends on what `{}` depends on", law.mean),
            model::DeclarationKind::Class { text, .. } => format!("`{name}` is {text}"),
            _ => continue,
        };
        shown = shown.because(declaration.span, cause);
    }
    for name in spec.definitions.keys().filter(|name| is_named(name)) {
        if let Some(place) = spec.places.get(name) {
            shown = shown.because(*place, format!("`{name}` is defined here"));
        }
    }
    shown
}

fn finish(run: &mut Run, request: &Request) {
    let interrupted = interrupt::is_requested();
    if interrupted {
        let left = run.spec.items.len().saturating_sub(run.results.len());
        run.diagnostics.push(
            Diagnostic::error("E0511", "interrupted")
                .note(format!("bounds reached so far are proved; {left} item(s) were not worked on")),
        );
    }
    let line = |number: usize| run.source.as_ref().map_or_else(Span::default, |source| source.line_span(number));
    let denied: Vec<Diagnostic> =
        run.results.iter().flat_map(|result| items::denied(result, request.deny, line(result.view.line))).collect();
    let is_denied = !denied.is_empty();
    run.diagnostics.extend(denied);
    let vacuous = run.results.iter().filter_map(|r| items::vacuous(r, request.deny, line(r.view.line)));
    run.diagnostics.extend(vacuous.collect::<Vec<_>>());
    let in_theory = run.theory.iter().map(|(source, diagnostic)| (source.as_ref(), diagnostic));
    let in_spec = run.diagnostics.iter().map(|diagnostic| (run.source.as_ref(), diagnostic));
    let diagnostics: Vec<(Option<&Source>, &Diagnostic)> = in_theory.chain(in_spec).collect();
    let mut codes: Vec<u8> = diagnostics.iter().filter(|(_, d)| d.is_error()).map(|(_, d)| code(d)).collect();
    codes.extend(interrupted.then_some(exit::INTERRUPTED));
    codes.extend(run.results.iter().map(|result| result.exit));
    codes.extend(is_denied.then_some(exit::DENIED));
    run.view.exit = worst(&codes);
    run.view.diagnostics = diagnostics
        .iter()
        .map(|(source, diagnostic)| {
            let position = match (source, diagnostic.span()) {
                (Some(source), Some(span)) => source.position(span.start),
                _ => crate::text::Position { line: 1, column: 1 },
            };
            DiagnosticView {
                code: diagnostic.code.to_string(),
                severity: if diagnostic.is_error() { Severity::Error } else { Severity::Warning },
                line: position.line,
                column: position.column,
                message: diagnostic.title.clone(),
            }
        })
        .collect();
}

fn empty_view(path: &Path) -> CheckView {
    CheckView {
        title: None,
        spec: if path == Path::new("-") { "stdin".to_string() } else { path.to_string_lossy().to_string() },
        setting: Vec::new(),
        files: Vec::new(),
        training: Vec::new(),
        items: Vec::new(),
        assumptions: Vec::new(),
        semantics: None,
        ledger: None,
        diagnostics: Vec::new(),
        written: Vec::new(),
        exit: 0,
    }
}

/// Hands a search over the session's objects and the library's theorems to `work`. Errors: a net that is not well formed.
pub fn with_search<T>(objects: &Objects, library: &Library, work: impl FnOnce(&Search) -> T) -> Result<T, Diagnostic> {
    let structures = structures(objects).map_err(|error| Diagnostic::error("E0122", error.to_string()))?;
    let (theorems, aliases, order) = (library.theorems(), library.aliases(), library.order());
    let context = Context {
        objects,
        theorems: &theorems,
        structures: &structures,
        aliases: &aliases,
        order: &order,
        producers: &Engine,
    };
    Ok(work(&Search::new(&context)))
}

/// The best proved value or upper bound of a term, for the cells of a table of objects.
pub fn bound_of(term: &crate::kernel::term::Term, search: &Search) -> Option<String> {
    let statement = crate::kernel::check::Statement::Upper(term.clone());
    let outcome = crate::prove::prove(search, &statement, None, &BigRational::zero());
    let value = outcome.checked?.value()?.clone();
    let (low, high) = (items::low(&value), items::high(&value)?);
    let text = items::display(&high, crate::report::decimal::Direction::Up);
    Some(if low == Some(high) { text } else { format!("<= {text}") })
}
