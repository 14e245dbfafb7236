//! What `verify` reads again on request: network files, data sets, the spec itself.

use super::block::Rows;
use super::exit;
use super::items;
use super::run;
use super::sample::{self, Data};
use super::session::Session;
use super::verify::Problem;
use crate::data::file::{Folder, NETWORK_BYTES, Sha256Hash};
use crate::data::{DataError, assemble, onnx, safetensors};
use crate::kernel::certificate::{Certificate, Certified, term};
use crate::kernel::check::{Draw, Statement};
use crate::kernel::object::{Entry, Examples, Object, Sample};
use crate::kernel::term::Term;
use crate::model::{self, ItemKind, Spec};
use crate::prove::Search;
use crate::recheck::{self, RowClaim};
use crate::text::Source;
use crate::theory::{Library, compile};
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Checks everything that is asked for; returns the hashes of the files that were read again.
pub fn files(
    certificate: &Certificate,
    certified: &[Certified],
    networks: &[String],
    data: &[String],
    spec: Option<&Path>,
) -> Result<BTreeSet<String>, Problem> {
    let mut again = BTreeSet::new();
    for request in networks {
        let (name, path) = named(request)?;
        network(certificate, name, Path::new(path), &mut again)?;
    }
    for request in data {
        let (name, path) = named(request)?;
        data_set(certificate, name, Path::new(path), &mut again)?;
    }
    if let Some(path) = spec {
        whole_spec(certificate, certified, path, &mut again)?;
    }
    Ok(again)
}

fn named(request: &str) -> Result<(&str, &str), Problem> {
    request
        .split_once('=')
        .ok_or_else(|| Problem::new("E0823", exit::DATA, format!("expected `name=path`, found `{request}`")))
}

fn folder(path: &Path) -> Result<(Folder, String), Problem> {
    let folder = Folder::of_spec(path).map_err(|error| Problem::new("E0823", exit::DATA, error.to_string()))?;
    Ok((folder, path.file_name().map(|name| name.to_string_lossy().to_string()).unwrap_or_default()))
}

fn recorded(certificate: &Certificate, path: &str, sha256: &str) -> Result<(), Problem> {
    if certificate.files.iter().any(|file| file.sha256 == sha256) {
        return Ok(());
    }
    let text = format!("`{path}` has SHA-256 {sha256}, which is none of the certificate's files");
    Err(Problem::new("E0823", exit::DATA, text))
}

/// A network's file has a hash of the certificate and gives the certificate's network.
fn network(certificate: &Certificate, name: &str, path: &Path, again: &mut BTreeSet<String>) -> Result<(), Problem> {
    let Some(known) = certificate.objects.net(name).and_then(|net| net.network.as_ref()) else {
        let text = format!("expected a network of the certificate, found `{name}`");
        return Err(Problem::new("E0823", exit::DATA, text));
    };
    let (folder, file) = folder(path)?;
    let unreadable = |error: DataError| Problem::new("E0823", exit::DATA, error.to_string());
    let contents = folder.read(&file, NETWORK_BYTES).map_err(unreadable)?;
    let mut hashes = vec![(file.clone(), contents.sha256.to_string())];
    let network = if file.to_ascii_lowercase().ends_with(".onnx") {
        let import = onnx::read(&contents, Some(&folder)).map_err(unreadable)?;
        hashes.extend(import.external.iter().map(|(name, hash)| (name.clone(), hash.to_string())));
        import.network
    } else {
        let tensors = safetensors::read(&contents).map_err(unreadable)?;
        assemble::assemble_like(known.architecture(), &tensors).map_err(unreadable)?
    };
    for (path, sha256) in hashes {
        recorded(certificate, &path, &sha256)?;
        again.insert(sha256);
    }
    if network != **known {
        let text = format!("`{file}` holds other weights than `{name}` of the certificate");
        return Err(Problem::new("E0823", exit::DATA, text));
    }
    Ok(())
}

/// Files of a data set have hashes of the certificate and hold the examples of its samples.
fn data_set(certificate: &Certificate, name: &str, path: &Path, again: &mut BTreeSet<String>) -> Result<(), Problem> {
    let (folder, file) = folder(path)?;
    let (data, files, _) =
        sample::load(&folder, &file, None).map_err(|error| Problem::new("E0823", exit::DATA, error.to_string()))?;
    for file in files {
        // Index files and labels that the certificate's claims did not need are not recorded.
        recorded(certificate, &file.path, &file.sha256)?;
        again.insert(file.sha256);
    }
    let part = format!("{name}.");
    let mut found = false;
    for (other, entry) in &certificate.objects.entries {
        let Object::Sample(sample) = &entry.object else { continue };
        if *other == name || other.starts_with(&part) {
            found = true;
            contained(other, sample, &data)?;
        }
    }
    if found {
        return Ok(());
    }
    Err(Problem::new("E0823", exit::DATA, format!("expected a sample of the certificate, found `{name}`")))
}

/// How often each example occurs.
fn counts(examples: &Examples) -> BTreeMap<(Vec<(i64, i16)>, u32), usize> {
    let mut counts = BTreeMap::new();
    for (row, label) in examples.values.chunks(examples.dimension.max(1)).zip(&examples.labels) {
        let row = row.iter().map(|w| (w.mantissa, w.exponent)).collect();
        *counts.entry((row, *label)).or_insert(0) += 1;
    }
    counts
}

fn contained(name: &str, sample: &Sample, data: &Data) -> Result<(), Problem> {
    let Some(examples) = &sample.examples else { return Ok(()) };
    let all = counts(&data.examples);
    let is_contained = examples.dimension == data.examples.dimension
        && examples.scale == data.examples.scale
        && sample.classes == data.classes
        && counts(examples).iter().all(|(example, n)| all.get(example).is_some_and(|most| n <= most));
    if is_contained {
        return Ok(());
    }
    Err(Problem::new(
        "E0823",
        exit::DATA,
        format!("`{name}` of the certificate has examples that the data set has not"),
    ))
}

/// The certificate's claims are claims of the spec, about the objects that the spec builds.
fn whole_spec(
    certificate: &Certificate,
    certified: &[Certified],
    path: &Path,
    again: &mut BTreeSet<String>,
) -> Result<(), Problem> {
    let other = |text: String| Problem::new("E0824", exit::CERTIFICATE, text);
    let problem = |diagnostic: crate::text::Diagnostic| Problem::new("E0824", exit::SPEC, diagnostic.title);
    let source = run::read(path).map_err(problem)?;
    let hash = Sha256Hash::of(source.text().as_bytes()).to_string();
    if hash != certificate.spec.sha256 {
        return Err(other(format!(
            "expected the spec with SHA-256 {}, found one with {hash}",
            certificate.spec.sha256
        )));
    }
    let (spec, tables, folder, library) = resolved(path, &source)?;
    if run::budget(&spec) != certificate.budget {
        return Err(other(format!("expected the budget {}, found {}", run::budget(&spec), certificate.budget)));
    }
    let mut rows = Rows::default();
    for claim in certified {
        let (record, target) = (claim.record(), &claim.record().claim.statement);
        if let (true, Statement::Upper(target)) = (record.kind == "bound", target)
            && let Some(value) = items::row_value(target, claim.checked())
        {
            rows.insert(&record.name, Term::Number(value));
        }
    }
    let mut statements = statements(&spec, &rows);
    let about_rows = |claim: &RowClaim| {
        let statement = super::rows::statement(claim, &tables.sheets[claim.sheet]);
        (claim.name.clone(), "claim", statement, vec![BTreeMap::new()], BigRational::zero())
    };
    statements.extend(tables.claims.iter().map(about_rows));
    for claim in certified.iter().map(Certified::record) {
        let matches = |(name, kind, statement, stated, failure): &Stated| {
            *kind == claim.kind
                && claim.claim.failure <= *failure
                && *statement == claim.claim.statement
                && stated.contains(&claim.claim.stated)
                && is_item(name, &claim.name, kind)
        };
        if !statements.iter().any(matches) {
            let (text, failure) = (term::text(&claim.claim.statement), &claim.claim.failure);
            let text = format!(
                "`{}` is no claim of the spec: `{text}`, failing with probability at most {failure}",
                claim.name
            );
            return Err(other(text));
        }
    }
    let session = Session::build(&spec, &folder, &source).map_err(problem)?;
    for (name, entry) in &certificate.objects.entries {
        if !session.objects.entries.get(name).is_some_and(|built| is_same(entry, built)) {
            return Err(other(format!("`{name}` is not what the spec says")));
        }
    }
    // A theorem from `--theory` is none of the spec's; it stays a hole, and its text is in the certificate.
    for theorem in &certificate.theorems {
        let stated = library.entries.iter().find(|entry| entry.theorem.name == theorem.name);
        if stated.is_some_and(|entry| entry.hash != theorem.sha256) {
            return Err(other(format!("`{}` is stated otherwise by the spec", theorem.name)));
        }
    }
    for (name, definition) in &certificate.objects.definitions {
        if session.objects.definitions.get(name) != Some(definition) {
            return Err(other(format!("`{name}` is not defined so by the spec")));
        }
    }
    if let Some(assumption) = certificate.objects.assumptions.iter().find(|a| !session.objects.assumptions.contains(a))
    {
        return Err(other(format!("`{}` is no assumption of the spec", assumption.name)));
    }
    let drawn = run::with_search(&session.objects, &library, |search| {
        drawing(certified, &spec, &rows, search, &library, &source)
    });
    let drawn = drawn.map_err(problem)?;
    let listed = |draws: &[Draw]| {
        let draws = draws.iter().map(|draw| format!("{} for {}", draw.probability, draw.theorem));
        draws.collect::<Vec<_>>().join(", ")
    };
    for record in certified.iter().map(Certified::record).filter(|record| !record.claim.draws.is_empty()) {
        let (found, expected) = (&record.claim.draws, drawn.get(&record.name));
        if expected != Some(found) {
            let expected = expected.map_or_else(|| "nothing".to_string(), |draws| listed(draws));
            let text = format!("`{}` draws {}, and by the spec {expected}", record.name, listed(found));
            return Err(other(text));
        }
    }
    again.insert(hash);
    again.extend(session.files.iter().map(|file| file.sha256.clone()));
    again.extend(tables.sheets.iter().map(|sheet| sheet.sha256.clone()));
    Ok(())
}

/// What claims with events draw by the spec, by name. The rule looks at objects and not at values, so the same search draws the same.
fn drawing(
    certified: &[Certified],
    spec: &Spec,
    rows: &Rows,
    search: &Search,
    library: &Library,
    source: &Source,
) -> BTreeMap<String, Vec<Draw>> {
    let share = items::share(spec, &run::budget(spec));
    let draws = |item: &&model::Item| {
        let mut claims = certified.iter().map(Certified::record).filter(|claim| !claim.claim.draws.is_empty());
        claims.any(|claim| is_item(&item.name, &claim.name, &claim.kind))
    };
    let filled = spec.items.iter().filter(draws).filter_map(|item| rows.fill(item, spec).ok());
    let results = filled.flat_map(|item| items::item(&item, search, library, &share, source));
    results.filter_map(|result| Some((result.view.name, result.outcome?.claim?.draws))).collect()
}

fn resolved(path: &Path, source: &Source) -> Result<(Spec, recheck::Split, Folder, Library), Problem> {
    let (folder, name) = folder(path)?;
    let mut diagnostics = Vec::new();
    let (mut library, _) = run::library(&[]);
    let parsed = crate::syntax::parse(source);
    let imports = super::uses::read(&parsed.file, &name, &folder, &library, &mut diagnostics);
    let mut tables = recheck::split(&parsed.file, source, &folder);
    diagnostics.append(&mut tables.diagnostics);
    let (spec, _, mut more) = model::resolve(&tables.rest, source, &imports);
    more.retain(|diagnostic| diagnostic.code != "E0136" || !tables.has_claims);
    if let Some(diagnostic) = parsed.diagnostics.iter().chain(&diagnostics).chain(&more).find(|d| d.is_error()) {
        return Err(Problem::new("E0824", exit::SPEC, diagnostic.title.clone()));
    }
    let added = spec.theorems.iter().filter_map(|theorem| library.add(theorem, compile::Origin::User).err());
    if let Some(diagnostic) = added.collect::<Vec<_>>().first() {
        return Err(Problem::new("E0824", exit::SPEC, diagnostic.title.clone()));
    }
    Ok((spec, tables, folder, library))
}

/// Name, kind and statement of an item, what its methods state, and the largest probability of failure that the spec allows it.
type Stated = (String, &'static str, Statement, Vec<BTreeMap<String, Term>>, BigRational);

fn statements(spec: &Spec, rows: &Rows) -> Vec<Stated> {
    let stating = |calls: &[model::MethodCall]| -> Vec<BTreeMap<String, Term>> {
        calls.iter().map(|call| call.named.iter().cloned().collect()).collect()
    };
    let nothing = || vec![BTreeMap::new()];
    let share = items::share(spec, &run::budget(spec));
    let statement = |item: &model::Item| {
        let (kind, statement, stated, failure) = match &item.kind {
            ItemKind::Claim(claim) => {
                let stated = claim.method.as_ref().map_or_else(nothing, |call| stating(std::slice::from_ref(call)));
                ("claim", claim.statement.clone(), stated, claim.failure.clone().unwrap_or_else(|| share.clone()))
            }
            ItemKind::Expect(formula) => {
                ("expect", Statement::Formula(formula.clone()), nothing(), BigRational::zero())
            }
            ItemKind::Measure(term) => ("measure", Statement::Both(term.clone()), nothing(), BigRational::zero()),
            ItemKind::Bounds { target, methods } => {
                ("bound", Statement::Upper(target.clone()), stating(methods), share.clone())
            }
            // What means nothing is not certified.
            ItemKind::Refused(_) => return None,
        };
        Some((item.name.clone(), kind, rows.statement(&statement), stated, failure))
    };
    spec.items.iter().filter_map(statement).collect()
}

/// A row of a block of bounds is named after the block.
fn is_item(item: &str, claim: &str, kind: &str) -> bool {
    if kind == "bound" { claim.strip_prefix(item).is_some_and(|rest| rest.starts_with('.')) } else { item == claim }
}

/// Equal, but for the examples of a sample that the certificate knows by its size only.
fn is_same(entry: &Entry, built: &Entry) -> bool {
    match (&entry.object, &built.object) {
        (Object::Sample(a), Object::Sample(b)) if a.examples.is_none() => {
            (a.size, &a.atoms, &a.origin, a.classes) == (b.size, &b.atoms, &b.origin, b.classes)
                && entry.dependence == built.dependence
        }
        _ => entry == built,
    }
}
