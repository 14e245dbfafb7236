//! The whole certificate: reading it, and checking every claim from nothing. Trust: kernel.

use super::array::{Side, end, rational};
use super::json::{Field, Json};
use super::{COUNT_LIMIT, FORMAT, Reason, Refusal, SIDE_LIMIT, TEXT_LIMIT, VERSION};
use super::{name, object as objects, point, step as steps, term};
use crate::kernel::check::{self, Checked, Claim, Draw, Statement, Verdict};
use crate::kernel::derive::{PRECISIONS, Step, Theorems, Workspace};
use crate::kernel::object::Objects;
use crate::kernel::point::Points;
use crate::kernel::real::Truth;
use crate::kernel::structure::Structure;
use crate::kernel::theorem::Status;
use crate::kernel::value::Value;
use num_rational::BigRational;
use num_traits::{One, Signed};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A certificate as text, before its side file is at hand.
pub struct Text {
    json: Json,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: String,
}

/// A file by name and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    pub path: String,
    pub sha256: String,
}

/// The file of long arrays beside the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideRecord {
    /// A plain file name.
    pub file: String,
    pub bytes: u64,
    pub sha256: String,
}

/// A theorem that steps use: its name, the hash of its canonical text, and the text itself where it is a user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TheoremRecord {
    pub name: String,
    pub sha256: String,
    pub status: Status,
    pub text: Option<String>,
}

/// One step of a claim's derivation and what the certificate says that it proves.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// Which of the certificate's steps.
    pub step: usize,
    /// The quantity, as printed.
    pub of: String,
    /// Earlier steps of the derivation that it uses.
    pub uses: BTreeSet<usize>,
    pub low: Option<Value>,
    pub high: Option<Value>,
}

/// A claim and what the certificate says of it.
#[derive(Clone, Debug)]
pub struct ClaimRecord {
    pub name: String,
    /// `claim`, `bound` (a row of a block of bounds), `expect` or `measure`.
    pub kind: String,
    pub claim: Claim,
    pub verdict: Verdict,
    pub low: Option<Value>,
    pub high: Option<Value>,
    /// The failure probability that it draws.
    pub spent: BigRational,
    pub assumptions: BTreeSet<String>,
    pub undischarged: BTreeSet<String>,
    pub theorems: BTreeSet<String>,
    pub derivation: Vec<StepRecord>,
}

/// A certificate that was read and not yet checked.
pub struct Certificate {
    pub spec: FileRecord,
    pub title: Option<String>,
    pub files: Vec<FileRecord>,
    pub side: Option<SideRecord>,
    pub objects: Objects,
    pub theorems: Vec<TheoremRecord>,
    pub steps: Vec<Step>,
    pub claims: Vec<ClaimRecord>,
    pub budget: BigRational,
    pub spent: BigRational,
}

/// A claim that the kernel has derived again. Only [`Certificate::verify`] makes one.
pub struct Certified<'c> {
    record: &'c ClaimRecord,
    checked: Checked,
}

impl Certified<'_> {
    pub fn record(&self) -> &ClaimRecord {
        self.record
    }

    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// What the claim rests on beyond checked theorems and declared assumptions.
    pub fn holes(&self) -> Vec<String> {
        let mut holes = Vec::new();
        for (name, status) in self.checked.theorems() {
            match status {
                Status::Proved | Status::Derived => {}
                Status::Recalled => holes.push(format!("`{name}` is recalled, not checked against its source")),
                Status::Unproved => holes.push(format!("`{name}` is unproved")),
            }
        }
        holes.extend(self.checked.undischarged().iter().map(|text| format!("assumed without declaration: {text}")));
        holes
    }
}

pub const STATUSES: [(&str, Status); 4] = [
    ("proved", Status::Proved),
    ("derived", Status::Derived),
    ("recalled", Status::Recalled),
    ("unproved", Status::Unproved),
];

fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// 64 hexadecimal digits.
fn hash(field: &Field) -> Result<String, Refusal> {
    let text = field.text()?;
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(text.to_string());
    }
    field.refuse(Reason::Field, "expected 64 hexadecimal digits")
}

/// A text that is shown as it is: short, without control characters and without those that reorder or hide what stands beside
/// them (Unicode's Bidi_Control, zero-width and line separators).
fn line(field: &Field) -> Result<String, Refusal> {
    let text = field.text()?;
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if text.len() <= 4096 && !text.chars().any(misleads) {
        return Ok(text.to_string());
    }
    field.refuse(Reason::Field, "expected one line")
}

fn texts(field: &Field) -> Result<BTreeSet<String>, Refusal> {
    field.list()?.iter().map(line).collect()
}

fn limited<'j>(field: &Field<'j>) -> Result<Vec<Field<'j>>, Refusal> {
    let list = field.list()?;
    if list.len() <= COUNT_LIMIT {
        return Ok(list);
    }
    field.refuse(Reason::Limit, format!("expected at most {COUNT_LIMIT} entries, found {}", list.len()))
}

impl Text {
    /// Reads the text. Errors: it is too long, no canonical JSON, or of another format or version.
    pub fn parse(bytes: &[u8]) -> Result<Text, Refusal> {
        if bytes.len() > TEXT_LIMIT {
            let text = format!("expected a certificate of at most {TEXT_LIMIT} bytes, found {}", bytes.len());
            return Err(Refusal::new(Reason::Limit, text));
        }
        let json = Json::parse(bytes)?;
        let root = Field::root(&json);
        let format = root.find("format").filter(Field::is_text).and_then(|field| field.text().ok());
        let version = root.find("version").and_then(|field| field.natural().ok());
        match (format, version) {
            (Some(FORMAT), Some(version)) if version as u64 == VERSION => {}
            (Some(FORMAT), Some(version)) => {
                let help = if version as u64 > VERSION { "; it was written by a newer program" } else { "" };
                return root.refuse(Reason::Version, format!("expected version {VERSION}, found {version}{help}"));
            }
            _ => return root.refuse(Reason::Version, format!("expected the format `{FORMAT}`, found another")),
        }
        Ok(Text { json, sha256: hexadecimal(bytes) })
    }

    /// The side file that the certificate needs. Errors: a name that leaves the certificate's folder.
    pub fn side(&self) -> Result<Option<SideRecord>, Refusal> {
        let Some(field) = Field::root(&self.json).find("side").filter(|field| !field.is_null()) else {
            return Ok(None);
        };
        let [bytes, file, sha256] = field.fields(["bytes", "file", "sha256"])?;
        let name = line(&file)?;
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', ':']) {
            return file
                .refuse(Reason::Side, format!("expected the name of a file beside the certificate, found `{name}`"));
        }
        let length = bytes.natural()? as u64;
        if length > SIDE_LIMIT {
            return bytes.refuse(Reason::Limit, format!("expected at most {SIDE_LIMIT} bytes, found {length}"));
        }
        Ok(Some(SideRecord { file: name, bytes: length, sha256: hash(&sha256)? }))
    }

    /// Reads everything, given the bytes of the side file (none where there is no side file).
    pub fn read(&self, side_bytes: &[u8]) -> Result<Certificate, Refusal> {
        let root = Field::root(&self.json);
        let [assumptions, claims, definitions, files, _, ledger, entries, points, _, spec, step_list, theorem_map, _] =
            root.fields([
                "assumptions",
                "claims",
                "definitions",
                "files",
                "format",
                "ledger",
                "objects",
                "points",
                "side",
                "spec",
                "steps",
                "theorems",
                "version",
            ])?;
        let side_record = self.side()?;
        if let Some(record) = &side_record {
            if side_bytes.len() as u64 != record.bytes {
                let text = format!("expected {} bytes in `{}`, found {}", record.bytes, record.file, side_bytes.len());
                return Err(Refusal::new(Reason::Side, text));
            }
            if hexadecimal(side_bytes) != record.sha256 {
                let text = format!("`{}` was altered: its SHA-256 is not the certificate's", record.file);
                return Err(Refusal::new(Reason::Side, text));
            }
        }
        let side = Side(if side_record.is_some() { side_bytes } else { &[] });
        let [file, sha256, title] = spec.fields(["file", "sha256", "title"])?;
        let spec = FileRecord { path: line(&file)?, sha256: hash(&sha256)? };
        let title = if title.is_null() { None } else { Some(line(&title)?) };
        let file = |field: Field| {
            let [path, sha256] = field.fields(["path", "sha256"])?;
            Ok(FileRecord { path: line(&path)?, sha256: hash(&sha256)? })
        };
        let files = limited(&files)?.into_iter().map(file).collect::<Result<_, Refusal>>()?;
        let [budget, spent] = ledger.fields(["budget", "spent"])?;
        let (budget, spent) = (probability(&budget)?, probability(&spent)?);
        let theorems = theorem_map.entries()?.into_iter().map(theorem).collect::<Result<Vec<_>, _>>()?;
        let steps = limited(&step_list)?;
        let steps = steps.iter().map(|field| steps::step(field, side)).collect::<Result<Vec<_>, _>>()?;
        listed(&steps, &theorems)?;
        let claims = limited(&claims)?.iter().map(|field| claim(field, steps.len())).collect::<Result<Vec<_>, _>>()?;
        if claims.is_empty() {
            return root.refuse(Reason::Verdict, "expected at least one claim, found none");
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = claims.iter().find(|claim| !seen.insert(claim.name.clone())) {
            return root.refuse(Reason::Name, format!("expected every claim once, found `{}` twice", twice.name));
        }
        let mut objects = objects::objects(&entries, &definitions, &assumptions, side)?;
        objects.points = Points::given(point::points(&limited(&points)?)?);
        Ok(Certificate { spec, title, files, side: side_record, objects, theorems, steps, claims, budget, spent })
    }
}

/// A probability in `[0, 1)`.
fn probability(field: &Field) -> Result<BigRational, Refusal> {
    let value = rational(field)?;
    if value.is_negative() || value >= BigRational::one() {
        return field.refuse(Reason::Number, format!("expected a probability below 1, found {value}"));
    }
    Ok(value)
}

fn theorem((name, field): (&str, Field)) -> Result<TheoremRecord, Refusal> {
    let [sha256, status, text] = field.fields(["sha256", "status", "text"])?;
    let Some((_, known)) = STATUSES.iter().find(|(word, _)| status.text() == Ok(*word)) else {
        return status.refuse(Reason::Field, "expected proved, derived, recalled or unproved");
    };
    let text = if text.is_null() { None } else { Some(text.text()?.to_string()) };
    Ok(TheoremRecord { name: name.to_string(), sha256: hash(&sha256)?, status: *known, text })
}

/// Every theorem of a step is listed, and every listed theorem is one of a step.
fn listed(steps: &[Step], theorems: &[TheoremRecord]) -> Result<(), Refusal> {
    let used: BTreeSet<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Theorem { name, .. } => Some(name.as_str()),
            Step::Witness { .. } => None,
        })
        .collect();
    let known: BTreeSet<&str> = theorems.iter().map(|theorem| theorem.name.as_str()).collect();
    match used.symmetric_difference(&known).next() {
        None => Ok(()),
        Some(name) if used.contains(name) => {
            Err(Refusal::new(Reason::Theorem, format!("expected the hash of `{name}`, which a step uses, found none")))
        }
        Some(name) => {
            Err(Refusal::new(Reason::Theorem, format!("theorems.{name}: expected a step that uses it, found none")))
        }
    }
}

/// An event that a claim pays for: a theorem, what stands for its objects, a probability.
fn draw(field: &Field) -> Result<Draw, Refusal> {
    let [objects, of, theorem] = field.fields(["objects", "probability", "theorem"])?;
    let object = |(name, field): (&str, Field)| Ok((name::variable(&field, name)?.to_string(), term::term(&field)?));
    Ok(Draw {
        theorem: line(&theorem)?,
        objects: objects.entries()?.into_iter().map(object).collect::<Result<_, Refusal>>()?,
        probability: probability(&of)?,
    })
}

fn claim(field: &Field, steps: usize) -> Result<ClaimRecord, Refusal> {
    let [
        assumptions,
        derivation,
        draws,
        failure,
        high,
        kind,
        low,
        name,
        spent,
        stated,
        statement,
        text,
        theorems,
        undischarged,
        verdict,
    ] = field.fields([
        "assumptions",
        "derivation",
        "draws",
        "failure",
        "high",
        "kind",
        "low",
        "name",
        "spent",
        "stated",
        "statement",
        "text",
        "theorems",
        "undischarged",
        "verdict",
    ])?;
    let kind_text = kind.text()?;
    if !["claim", "bound", "expect", "measure"].contains(&kind_text) {
        return kind.refuse(Reason::Field, format!("expected claim, bound, expect or measure, found `{kind_text}`"));
    }
    let verdict = match verdict.text()? {
        "proved" => Verdict::Proved,
        "refuted" => Verdict::Refuted,
        other => return verdict.refuse(Reason::Field, format!("expected proved or refuted, found `{other}`")),
    };
    // `on` is a word of the grammar and the name of an argument of methods.
    let state = |(name, field): (&str, Field)| Ok((name::label(&field, name)?.to_string(), term::term(&field)?));
    let claim = Claim {
        statement: term::statement(&statement)?,
        failure: probability(&failure)?,
        draws: limited(&draws)?.iter().map(draw).collect::<Result<_, Refusal>>()?,
        stated: stated.entries()?.into_iter().map(state).collect::<Result<_, Refusal>>()?,
    };
    let expected = term::text(&claim.statement);
    if text.text()? != expected {
        return text.refuse(Reason::Field, format!("expected the statement's text `{expected}`, found another"));
    }
    let (low_end, high_end) = (end(&low, PRECISIONS[1])?, end(&high, PRECISIONS[1])?);
    let needs = match &claim.statement {
        Statement::Upper(_) => high_end.is_some(),
        Statement::Lower(_) => low_end.is_some(),
        Statement::Both(_) => low_end.is_some() && high_end.is_some(),
        Statement::Formula(_) => true,
    };
    if !needs {
        return field.refuse(Reason::Field, "expected the bound that the claim asks for, found null");
    }
    ordered(field, &low_end, &high_end)?;
    let derivation = limited(&derivation)?
        .iter()
        .enumerate()
        .map(|(i, field)| record(field, i, steps))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ClaimRecord {
        name: object_name(&name)?,
        kind: kind_text.to_string(),
        claim,
        verdict,
        low: low_end,
        high: high_end,
        spent: probability(&spent)?,
        assumptions: texts(&assumptions)?,
        undischarged: texts(&undischarged)?,
        theorems: texts(&theorems)?,
        derivation,
    })
}

fn object_name(field: &Field) -> Result<String, Refusal> {
    // Claims may bear names of quantities: they are not used in terms.
    let name = line(field)?;
    if name.is_empty() { field.refuse(Reason::Name, "expected a name") } else { Ok(name) }
}

fn ordered(field: &Field, low: &Option<Value>, high: &Option<Value>) -> Result<(), Refusal> {
    if let (Some(low), Some(high)) = (low, high)
        && low.le(high) == Truth::False
    {
        return field.refuse(Reason::Object, "expected a lower end below the upper end, found an empty interval");
    }
    Ok(())
}

fn record(field: &Field, position: usize, steps: usize) -> Result<StepRecord, Refusal> {
    let [high, low, of, step, uses] = field.fields(["high", "low", "of", "step", "uses"])?;
    let index = step.natural()?;
    if index >= steps {
        return step.refuse(Reason::Order, format!("expected one of {steps} steps, found number {index}"));
    }
    let mut used = BTreeSet::new();
    for earlier in uses.list()? {
        let i = earlier.natural()?;
        if i >= position {
            return earlier
                .refuse(Reason::Order, format!("expected a step before number {position}, found number {i}"));
        }
        used.insert(i);
    }
    let (low, high) = (end(&low, PRECISIONS[1])?, end(&high, PRECISIONS[1])?);
    ordered(field, &low, &high)?;
    Ok(StepRecord { step: index, of: of.text()?.to_string(), uses: used, low, high })
}

/// Whether what was derived lies within what is said.
fn within(derived: &Value, low: &Option<Value>, high: &Option<Value>) -> bool {
    let above = low.as_ref().is_none_or(|low| derived.low_end().is_some_and(|end| low.le(&end) == Truth::True));
    let below = high.as_ref().is_none_or(|high| derived.high_end().is_some_and(|end| end.le(high) == Truth::True));
    above && below
}

impl Certificate {
    /// Derives every claim again and adds the ledger up. `theorems` are the statements behind the certificate's names.
    pub fn verify(&self, theorems: &Theorems) -> Result<Vec<Certified<'_>>, Refusal> {
        let structures = crate::kernel::derive::structures(&self.objects)
            .map_err(|error| Refusal::step(Reason::Object, "objects", &error))?;
        let certified: Vec<Certified> =
            self.claims.iter().map(|claim| self.derive(claim, theorems, &structures)).collect::<Result<_, _>>()?;
        let needed: BTreeSet<_> = certified.iter().flat_map(|claim| claim.checked.points().keys()).collect();
        if needed.len() != self.objects.points.count() {
            let found = self.objects.points.count();
            let text = format!("points: expected the {} that the claims need, found {found}", needed.len());
            return Err(Refusal::new(Reason::Grounds, text));
        }
        let total: BigRational = certified.iter().map(|claim| claim.checked.spent()).sum();
        if total != self.spent {
            let text = format!("ledger.spent: expected {total}, the sum over all claims, found {}", self.spent);
            return Err(Refusal::new(Reason::Ledger, text));
        }
        if total > self.budget {
            let text = format!("ledger: expected at most the budget {}, found {total} spent", self.budget);
            return Err(Refusal::new(Reason::Ledger, text));
        }
        Ok(certified)
    }

    fn derive<'c>(
        &'c self,
        record: &'c ClaimRecord,
        theorems: &Theorems,
        structures: &BTreeMap<String, Structure>,
    ) -> Result<Certified<'c>, Refusal> {
        let name = &record.name;
        // Steps were counted when they were read.
        let steps: Vec<Step> = record.derivation.iter().filter_map(|r| self.steps.get(r.step)).cloned().collect();
        let checked = match check::check(&self.objects, theorems, structures, &record.claim, &steps) {
            Ok(checked) => checked,
            Err(error) => {
                let stated = record.claim.stated.clone();
                let mut workspace = Workspace::new(&self.objects, theorems, structures).stating(stated);
                let failing =
                    steps.iter().enumerate().find_map(|(i, step)| workspace.apply(step).err().map(|e| (i, e)));
                let (place, error) = match failing {
                    Some((i, error)) => (format!("claim `{name}`, step {i}"), error),
                    None => (format!("claim `{name}`"), error),
                };
                return Err(Refusal::step(Reason::Step, &place, &error));
            }
        };
        for (i, (said, fact)) in record.derivation.iter().zip(checked.facts()).enumerate() {
            let place = format!("claim `{name}`, step {i}");
            if fact.subject.to_string() != said.of {
                let text = format!("{place}: expected a step on `{}`, found one on `{}`", said.of, fact.subject);
                return Err(Refusal::new(Reason::Enclosure, text));
            }
            if fact.premises != said.uses {
                let text = format!("{place}: expected the premises {:?}, found {:?}", fact.premises, said.uses);
                return Err(Refusal::new(Reason::Order, text));
            }
            if !within(&fact.value, &said.low, &said.high) {
                let text = format!(
                    "{place}: the step proves {} of `{}`, not the stated enclosure",
                    fact.value.describe(),
                    said.of
                );
                return Err(Refusal::new(Reason::Enclosure, text));
            }
        }
        if checked.verdict() != record.verdict {
            let found = match checked.verdict() {
                Verdict::Proved => "the derivation proves it",
                Verdict::Refuted => "the derivation refutes it",
                Verdict::Unknown if checked.spent() > record.claim.failure => {
                    "it fails with more probability than it allows"
                }
                Verdict::Unknown => "the derivation does not decide it",
            };
            return Err(Refusal::new(
                Reason::Verdict,
                format!("claim `{name}`: {found}: `{}`", term::text(&record.claim.statement)),
            ));
        }
        if let Some(value) = checked.value()
            && !within(value, &record.low, &record.high)
        {
            let text = format!("claim `{name}`: the derivation proves {}, not the stated bound", value.describe());
            return Err(Refusal::new(Reason::Enclosure, text));
        }
        if checked.spent() != record.spent {
            let text = format!("claim `{name}`: expected the probability {}, found {}", checked.spent(), record.spent);
            return Err(Refusal::new(Reason::Ledger, text));
        }
        let used: BTreeSet<String> = checked.theorems().keys().cloned().collect();
        let differs = |what: &str, expected: &BTreeSet<String>, found: &BTreeSet<String>| {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("; ");
            let text = format!("claim `{name}`: expected the {what} [{}], found [{}]", list(expected), list(found));
            if expected == found { Ok(()) } else { Err(Refusal::new(Reason::Grounds, text)) }
        };
        differs("assumptions", checked.assumptions(), &record.assumptions)?;
        differs("undischarged conditions", checked.undischarged(), &record.undischarged)?;
        differs("theorems", &used, &record.theorems)?;
        Ok(Certified { record, checked })
    }
}
