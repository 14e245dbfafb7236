//! Writing a certificate: the objects, theorems and steps that a check's claims rest on, and nothing else.

use super::encode::{self, Side, by_name, map, natural, positive, record, text, texts};
use crate::kernel::certificate::array::hexadecimal;
use crate::kernel::certificate::document::FileRecord;
use crate::kernel::certificate::{FORMAT, VERSION, json::Json};
use crate::kernel::check::{self, Checked, Claim, Draw, Statement, Verdict};
use crate::kernel::derive::{Step, Theorems, structures};
use crate::kernel::eval::EvalError;
use crate::kernel::object::{Assumption, AssumptionKind, Object, Objects};
use crate::theory::{Entry, Library};
use num_rational::BigRational;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What a check has proved or refuted.
pub struct Item {
    pub name: String,
    /// `claim`, `bound`, `expect` or `measure`.
    pub kind: &'static str,
    pub claim: Claim,
    pub steps: Vec<Step>,
}

/// Everything that goes into a certificate.
pub struct Draft<'a> {
    pub spec: FileRecord,
    pub title: Option<String>,
    pub files: Vec<FileRecord>,
    pub objects: &'a Objects,
    pub library: &'a Library,
    pub budget: BigRational,
    pub items: Vec<Item>,
    /// The name of the side file, should one be needed.
    pub side: String,
}

/// The text of the certificate, and the side file's bytes (none where nothing is long). Errors: the kernel refuses a derivation.
pub fn write(draft: &Draft) -> Result<(String, Vec<u8>), EvalError> {
    let theorems = draft.library.theorems();
    let structures = structures(draft.objects)?;
    let mut steps: Vec<Step> = Vec::new();
    let mut subjects: Vec<String> = Vec::new();
    let mut claims = Vec::new();
    let mut points = BTreeMap::new();
    let mut spent = BigRational::from_integer(0.into());
    for item in &draft.items {
        let kept = needed(draft.objects, &theorems, &structures, item)?;
        let checked = check::check(draft.objects, &theorems, &structures, &item.claim, &kept)?;
        let mut places = Vec::new();
        for (step, fact) in kept.iter().zip(checked.facts()) {
            places.push(steps.iter().position(|known| known == step).unwrap_or_else(|| {
                steps.push(step.clone());
                subjects.push(fact.subject.to_string());
                steps.len() - 1
            }));
        }
        spent += checked.spent();
        points.extend(checked.points().clone());
        claims.push(claim(item, &checked, &places));
    }
    let used = used(draft, &steps);
    let mut side = Side::default();
    let entries: Vec<(String, Json)> = draft
        .objects
        .entries
        .iter()
        .filter(|(name, _)| used.contains_key(*name))
        .map(|(name, entry)| (name.clone(), side.entry(entry, used.get(name) == Some(&true))))
        .collect();
    let definitions = draft.objects.definitions.iter().filter(|(name, _)| used.contains_key(*name)).map(|(name, d)| {
        (name.clone(), record([("body", encode::term(&d.body))], [("parameters", texts(&d.parameters))]))
    });
    let assumptions = draft.objects.assumptions.iter().filter(|a| is_used(a, draft.objects, &used)).map(assumption);
    let step_list: Vec<Json> = steps.iter().zip(&subjects).map(|(step, of)| side.step(step, of)).collect();
    let side_record = if side.bytes.is_empty() {
        Json::Null
    } else {
        map([
            ("bytes", natural(side.bytes.len())),
            ("file", text(&draft.side)),
            ("sha256", text(hexadecimal(&Sha256::digest(&side.bytes)))),
        ])
    };
    let file = |file: &FileRecord| map([("path", text(&file.path)), ("sha256", text(&file.sha256))]);
    let spec = record(
        [("file", text(&draft.spec.path)), ("sha256", text(&draft.spec.sha256))],
        [("title", draft.title.as_ref().map_or(Json::Null, text))],
    );
    let root = record(
        [
            ("claims", Json::List(claims)),
            ("format", text(FORMAT)),
            ("ledger", map([("budget", text(draft.budget.to_string())), ("spent", text(spent.to_string()))])),
            ("spec", spec),
            ("version", Json::Integer(VERSION)),
        ],
        [
            ("assumptions", Json::List(assumptions.collect())),
            ("definitions", by_name(definitions)),
            ("files", Json::List(draft.files.iter().map(file).collect())),
            ("objects", by_name(entries)),
            ("points", Json::List(points.iter().map(|(question, at)| encode::point(question, at)).collect())),
            ("side", side_record),
            ("steps", Json::List(step_list)),
            ("theorems", by_name(theorem_records(draft.library, &steps))),
        ],
    );
    Ok((root.render(), side.bytes))
}

/// The steps that the claim rests on. A step that may fail stays, used or not: its probability was drawn when it was looked at.
fn needed(
    objects: &Objects,
    theorems: &Theorems,
    structures: &BTreeMap<String, crate::kernel::structure::Structure>,
    item: &Item,
) -> Result<Vec<Step>, EvalError> {
    let checked = check::check(objects, theorems, structures, &item.claim, &item.steps)?;
    let mut keep = checked.used().clone();
    for (i, fact) in checked.facts().iter().enumerate().rev() {
        if keep.contains(&i) || !fact.events.is_empty() {
            keep.insert(i);
            keep.extend(fact.premises.iter().copied());
        }
    }
    Ok(item.steps.iter().enumerate().filter(|(i, _)| keep.contains(i)).map(|(_, step)| step.clone()).collect())
}

fn claim(item: &Item, checked: &Checked, places: &[usize]) -> Json {
    let derivation = checked.facts().iter().zip(places).map(|(fact, place)| {
        let ends = [natural(*place), encode::end(&fact.value, true), encode::end(&fact.value, false)];
        Json::List(ends.into_iter().chain(fact.premises.iter().map(|i| natural(*i))).collect())
    });
    let side = |low| checked.value().map_or(Json::Null, |value| encode::end(value, low));
    let unless = |word: &str, default: &str| if word == default { Json::Null } else { text(word) };
    record(
        [("name", text(&item.name)), ("statement", encode::statement(&item.claim.statement))],
        [
            ("assumptions", texts(checked.assumptions())),
            ("derivation", Json::List(derivation.collect())),
            ("draws", Json::List(item.claim.draws.iter().map(draw).collect())),
            ("failure", positive(&item.claim.failure)),
            ("high", side(false)),
            ("kind", unless(item.kind, "claim")),
            ("low", side(true)),
            ("spent", positive(&checked.spent())),
            ("stated", by_name(item.claim.stated.iter().map(|(name, value)| (name.clone(), encode::term(value))))),
            ("undischarged", texts(checked.undischarged())),
            ("verdict", unless(if checked.verdict() == Verdict::Refuted { "refuted" } else { "proved" }, "proved")),
        ],
    )
}

fn draw(draw: &Draw) -> Json {
    map([
        ("objects", by_name(draw.objects.iter().map(|(name, term)| (name.clone(), encode::term(term))))),
        ("probability", text(draw.probability.to_string())),
        ("theorem", text(&draw.theorem)),
    ])
}

/// Objects and definitions that claims and steps mention, directly or through others; `true` where a sample's examples are
/// needed, `false` where an assumption only speaks of its atoms.
fn used(draft: &Draft, steps: &[Step]) -> BTreeMap<String, bool> {
    let objects = draft.objects;
    let mut found = BTreeSet::new();
    for item in &draft.items {
        item.claim.stated.values().for_each(|term| term.names(&mut found));
        match &item.claim.statement {
            Statement::Formula(formula) => formula.names(&mut found),
            Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => term.names(&mut found),
        }
    }
    for step in steps {
        match step {
            Step::Theorem { bindings, .. } => bindings.iter().for_each(|(_, term)| term.names(&mut found)),
            Step::Witness { subject, .. } => subject.names(&mut found),
        }
    }
    loop {
        let mut more = found.clone();
        for name in &found {
            if let Some(definition) = objects.definitions.get(name) {
                definition.body.names(&mut more);
            }
            if let Some(Object::Law(law)) = objects.entries.get(name).map(|entry| &entry.object) {
                more.insert(law.mean.clone());
            }
            if let Some(net) = objects.net(name) {
                net.constraints.iter().for_each(|constraint| constraint.bound.names(&mut more));
            }
        }
        if more.len() == found.len() {
            break;
        }
        found = more;
    }
    let mut used: BTreeMap<String, bool> = found.into_iter().map(|name| (name, true)).collect();
    for assumption in objects.assumptions.iter().filter(|a| is_used(a, objects, &used)).collect::<Vec<_>>() {
        if let AssumptionKind::Iid { sample } | AssumptionKind::Supported { sample, .. } = &assumption.kind {
            used.entry(sample.clone()).or_insert(false);
        }
    }
    used
}

/// An assumption about an object that is used, or about a sample that shares atoms with a sample that is used.
fn is_used(assumption: &Assumption, objects: &Objects, used: &BTreeMap<String, bool>) -> bool {
    let shares_atoms = |sample: &String| {
        objects.sample(sample).is_some_and(|declared| {
            used.keys().any(|name| objects.sample(name).is_some_and(|other| !other.atoms.is_disjoint(&declared.atoms)))
        })
    };
    match &assumption.kind {
        AssumptionKind::DependsOn { object, .. } => used.contains_key(object),
        AssumptionKind::Iid { sample } => shares_atoms(sample),
        AssumptionKind::Supported { sample, domain } => used.contains_key(domain) && shares_atoms(sample),
    }
}

fn assumption(assumption: &Assumption) -> Json {
    let name = ("name", text(&assumption.name));
    match &assumption.kind {
        AssumptionKind::Iid { sample } => map([("iid", text(sample)), name]),
        AssumptionKind::DependsOn { object, atoms } => {
            map([("depends_on", texts(atoms)), name, ("object", text(object))])
        }
        AssumptionKind::Supported { sample, domain } => {
            map([("domain", text(domain)), name, ("supported", text(sample))])
        }
    }
}

fn theorem_records(library: &Library, steps: &[Step]) -> Vec<(String, Json)> {
    let (embedded, _) = Library::embedded();
    let is_embedded = |entry: &Entry| {
        embedded.entries.iter().any(|known| known.theorem.name == entry.theorem.name && known.hash == entry.hash)
    };
    let named: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Theorem { name, .. } => Some(name.as_str()),
            Step::Witness { .. } => None,
        })
        .collect();
    let record = |entry: &Entry| {
        record(
            [("sha256", text(&entry.hash)), ("status", text(super::word(entry.theorem.status)))],
            [("text", if is_embedded(entry) { Json::Null } else { text(&entry.text) })],
        )
    };
    let entries = library.entries.iter().filter(|entry| named.contains(entry.theorem.name.as_str()));
    entries.map(|entry| (entry.theorem.name.clone(), record(entry))).collect()
}
