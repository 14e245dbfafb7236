//! The whole certificate, read one entry at a time. Trust: kernel.
//!
//! What is held of a certificate is its text (at most [`TEXT_LIMIT`]), the places of its entries, its objects, and of the side file one
//! piece and a hash per piece. A claim is read when it is checked, a step with its witness when its turn comes, and both are dropped then.

use super::array::{Side, Source, hexadecimal, rational};
use super::claim::{self, ClaimRecord};
use super::json::{Document, Field, Json};
use super::{FORMAT, Reason, Refusal, SIDE_LIMIT, TEXT_LIMIT, VERSION};
use super::{object as objects, point, step as steps};
use crate::kernel::derive::Step;
use crate::kernel::object::Objects;
use crate::kernel::point::Points;
use crate::kernel::theorem::Status;
use num_rational::BigRational;
use num_traits::{One, Signed};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Parts that every certificate has, and parts that are left out where there is nothing to say.
const PARTS: [&str; 5] = ["claims", "format", "ledger", "spec", "version"];
const OPTIONAL: [&str; 8] = ["assumptions", "definitions", "files", "objects", "points", "side", "steps", "theorems"];

/// A certificate as text, before its side file is at hand.
pub struct Text {
    document: Document,
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

/// A certificate that was read and not yet checked.
pub struct Certificate {
    document: Document,
    side_file: Side,
    pub spec: FileRecord,
    pub title: Option<String>,
    pub files: Vec<FileRecord>,
    pub side: Option<SideRecord>,
    pub objects: Objects,
    pub theorems: Vec<TheoremRecord>,
    pub budget: BigRational,
    pub spent: BigRational,
}

pub const STATUSES: [(&str, Status); 4] = [
    ("proved", Status::Proved),
    ("derived", Status::Derived),
    ("recalled", Status::Recalled),
    ("unproved", Status::Unproved),
];

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
pub(super) fn line(field: &Field) -> Result<String, Refusal> {
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

/// A list of lines that is left out where it is empty.
pub(super) fn texts(field: Option<&Field>) -> Result<BTreeSet<String>, Refusal> {
    field.map_or(Ok(BTreeSet::new()), |field| field.list()?.iter().map(line).collect())
}

impl Text {
    /// Reads the text. Errors: it is too long, no canonical JSON, of another format or version, or has other parts.
    pub fn parse(bytes: Vec<u8>) -> Result<Text, Refusal> {
        if bytes.len() > TEXT_LIMIT {
            let text = format!("expected a certificate of at most {TEXT_LIMIT} bytes, found {}", bytes.len());
            return Err(Refusal::new(Reason::Limit, text));
        }
        let document = Document::parse(bytes)?;
        let refuse = |reason, text: String| Err(Refusal::new(reason, format!("the certificate: {text}")));
        match (document.whole("format")?, document.whole("version")?) {
            (Json::Text(format), Json::Integer(VERSION)) if format == FORMAT => {}
            (Json::Text(format), Json::Integer(version)) if format == FORMAT => {
                let help = if version > VERSION { "; it was written by a newer program" } else { "" };
                return refuse(Reason::Version, format!("expected version {VERSION}, found {version}{help}"));
            }
            _ => return refuse(Reason::Version, format!("expected the format `{FORMAT}`, found another")),
        }
        let keys: BTreeSet<&str> = document.keys().collect();
        if let Some(key) = keys.iter().find(|key| !PARTS.contains(key) && !OPTIONAL.contains(key)) {
            return refuse(Reason::Field, format!("expected no field `{key}`"));
        }
        if let Some(key) = PARTS.iter().find(|key| !keys.contains(**key)) {
            return refuse(Reason::Field, format!("expected a field `{key}`, found none"));
        }
        if let Some(key) = OPTIONAL.iter().find(|key| keys.contains(**key) && document.count(key) == 0) {
            return refuse(Reason::Spelling, format!("expected no field `{key}` where there is nothing to say"));
        }
        let sha256 = hexadecimal(&Sha256::digest(document.bytes()));
        Ok(Text { document, sha256 })
    }

    /// The side file that the certificate needs. Errors: a name that leaves the certificate's folder.
    pub fn side(&self) -> Result<Option<SideRecord>, Refusal> {
        let json = self.document.whole("side")?;
        if json == Json::Null {
            return Ok(None);
        }
        let [bytes, file, sha256] = Field::new(&json, "side").fields(["bytes", "file", "sha256"])?;
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

    /// Reads everything but claims and steps, given the side file (anything where there is none).
    pub fn read(self, side: Box<dyn Source>) -> Result<Certificate, Refusal> {
        let record = self.side()?;
        let side_file = match &record {
            Some(record) => Side::open(record, side)?,
            None => Side::none(),
        };
        let document = self.document;
        let (spec, ledger) = (document.whole("spec")?, document.whole("ledger")?);
        let ([file, sha256], [title]) = Field::new(&spec, "spec").record(["file", "sha256"], ["title"])?;
        let spec = FileRecord { path: line(&file)?, sha256: hash(&sha256)? };
        let title = title.as_ref().map(line).transpose()?;
        let [budget, spent] = Field::new(&ledger, "ledger").fields(["budget", "spent"])?;
        let (budget, spent) = (probability(&budget)?, probability(&spent)?);
        let (mut files, mut theorems) = (Vec::new(), Vec::new());
        for i in 0..document.count("files") {
            let (_, json) = document.entry("files", i)?;
            let [path, sha256] = Field::new(&json, format!("files[{i}]")).fields(["path", "sha256"])?;
            files.push(FileRecord { path: line(&path)?, sha256: hash(&sha256)? });
        }
        for i in 0..document.count("theorems") {
            let (name, json) = document.entry("theorems", i)?;
            theorems.push(theorem(name, &Field::new(&json, format!("theorems.{name}")))?);
        }
        let mut objects = objects::objects(&document, &side_file)?;
        objects.points = Points::given(point::points(&document)?);
        let certificate =
            Certificate { document, side_file, spec, title, files, side: record, objects, theorems, budget, spent };
        certificate.listed()?;
        Ok(certificate)
    }
}

/// A probability in `[0, 1)`.
pub(super) fn probability(field: &Field) -> Result<BigRational, Refusal> {
    let value = rational(field)?;
    if value.is_negative() || value >= BigRational::one() {
        return field.refuse(Reason::Number, format!("expected a probability below 1, found {value}"));
    }
    Ok(value)
}

fn theorem(name: &str, field: &Field) -> Result<TheoremRecord, Refusal> {
    let ([sha256, status], [text]) = field.record(["sha256", "status"], ["text"])?;
    let Some((_, known)) = STATUSES.iter().find(|(word, _)| status.text() == Ok(*word)) else {
        return status.refuse(Reason::Field, "expected proved, derived, recalled or unproved");
    };
    let text = text.map(|text| text.text().map(str::to_string)).transpose()?;
    Ok(TheoremRecord { name: name.to_string(), sha256: hash(&sha256)?, status: *known, text })
}

impl Certificate {
    pub fn claims(&self) -> usize {
        self.document.count("claims")
    }

    pub fn steps(&self) -> usize {
        self.document.count("steps")
    }

    /// A claim by its number.
    pub fn claim(&self, number: usize) -> Result<ClaimRecord, Refusal> {
        let (_, json) = self.document.entry("claims", number)?;
        claim::claim(&Field::new(&json, format!("claims[{number}]")), self.steps())
    }

    /// A step by its number, with the quantity that a theorem is said to bound.
    pub fn step(&self, number: usize) -> Result<(Step, Option<String>), Refusal> {
        let (_, json) = self.document.entry("steps", number)?;
        steps::step(&Field::new(&json, format!("steps[{number}]")), &self.side_file)
    }

    /// Every theorem of a step is listed, and every listed theorem is one of a step.
    fn listed(&self) -> Result<(), Refusal> {
        let known: BTreeSet<&str> = self.theorems.iter().map(|theorem| theorem.name.as_str()).collect();
        let mut used = BTreeSet::new();
        for i in 0..self.steps() {
            let (_, json) = self.document.entry("steps", i)?;
            if let Some(theorem) = Field::new(&json, format!("steps[{i}]")).find("theorem") {
                let name = theorem.text()?;
                if !known.contains(name) {
                    let text = format!("expected the hash of `{name}`, which a step uses, found none");
                    return Err(Refusal::new(Reason::Theorem, text));
                }
                used.insert(name.to_string());
            }
        }
        match known.iter().find(|name| !used.contains(**name)) {
            None => Ok(()),
            Some(name) => {
                Err(Refusal::new(Reason::Theorem, format!("theorems.{name}: expected a step that uses it, found none")))
            }
        }
    }
}
