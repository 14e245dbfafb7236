//! Valid certificates, and the means to edit and judge them.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use supremum::certificate;
use supremum::kernel::certificate::{Certificate, ClaimRecord, Json, Refusal, Text};
use supremum::kernel::point::Points;
use supremum::point::propose;
use supremum::text::Source;
use supremum::theory::Library;
use supremum::theory::compile::Origin;

/// A certificate that was read, derived and written again. Nothing is lost and nothing is found: these are the bytes that were read.
pub fn rewritten(certificate: &Certificate) -> (String, Vec<u8>) {
    let (mut library, _) = Library::embedded();
    for text in certificate.theorems.iter().filter_map(|theorem| theorem.text.as_ref()) {
        let source = Source::new("theorem", text).expect("a text");
        assert!(library.add_source(&source, Origin::User).is_empty(), "{text}");
    }
    let items = claims(certificate).into_iter().map(|claim| certificate::Item {
        kind: match claim.kind.as_str() {
            "claim" => "claim",
            "bound" => "bound",
            "expect" => "expect",
            _ => "measure",
        },
        steps: claim.derivation.iter().map(|record| certificate.step(record.step).expect("a step").0).collect(),
        name: claim.name,
        claim: claim.claim,
    });
    let draft = certificate::Draft {
        spec: certificate.spec.clone(),
        title: certificate.title.clone(),
        files: certificate.files.clone(),
        objects: &certificate.objects,
        library: &library,
        budget: certificate.budget.clone(),
        items: items.collect(),
        side: certificate.side.as_ref().map_or_else(String::new, |side| side.file.clone()),
    };
    certificate::write(&draft).expect("derivations that were accepted")
}

/// All claims of a certificate.
pub fn claims(certificate: &Certificate) -> Vec<ClaimRecord> {
    (0..certificate.claims()).map(|i| certificate.claim(i).expect("a claim")).collect()
}

/// The program, which the crate of the mutants does not have.
const BINARY: Option<&str> = option_env!("CARGO_BIN_EXE_supremum");

/// A certificate under forgery.
#[derive(Clone)]
pub struct Forgery {
    pub json: Json,
    pub side: Vec<u8>,
    /// Bytes that are no rendering of `json`.
    pub raw: Option<Vec<u8>>,
}

/// A certificate that `supremum check` wrote for a spec of the repository.
pub fn written(spec: &'static str) -> Forgery {
    static CACHE: OnceLock<std::sync::Mutex<BTreeMap<&'static str, Forgery>>> = OnceLock::new();
    let mut cache = CACHE.get_or_init(Default::default).lock().expect("no panic while writing");
    cache.entry(spec).or_insert_with(|| write(spec)).clone()
}

/// Written now by the binary, or read from the folder `SUPREMUM_CERTIFICATES`, for a crate without an engine (`scripts/mutate-kernel.sh`).
fn write(spec: &str) -> Forgery {
    if let Some(folder) = std::env::var_os("SUPREMUM_CERTIFICATES") {
        return read(&Path::new(&folder).join(spec).with_extension("cert"));
    }
    let folder = std::env::temp_dir().join(format!("supremum-forge-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(Path::new(spec).with_extension("cert").file_name().expect("a name"));
    let binary = BINARY.expect("a build with the binary");
    let output = Command::new(binary)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", spec, "--certificate"])
        .arg(&path)
        .output()
        .expect("the binary runs");
    assert!(path.exists(), "{}", String::from_utf8_lossy(&output.stderr));
    let forgery = read(&path);
    std::fs::remove_dir_all(&folder).expect("removed");
    forgery
}

fn read(path: &Path) -> Forgery {
    let bytes = std::fs::read(path).expect("a certificate");
    let side = std::fs::read(path.with_extension("cert.bin")).unwrap_or_default();
    Forgery { json: Json::parse(&bytes).expect("canonical JSON"), side, raw: None }
}

/// Reads and derives a certificate as `supremum verify` does.
pub fn judge(text: &[u8], side: &[u8]) -> Result<Certificate, Refusal> {
    let text = Text::parse(text.to_vec())?;
    text.side()?;
    let certificate = text.read(Box::new(Cursor::new(side.to_vec())))?;
    let theorems = certificate::theorems(&certificate)?;
    certificate.verify(&theorems, drop)?;
    Ok(certificate)
}

impl Forgery {
    pub fn judge(&self) -> Result<Certificate, Refusal> {
        match &self.raw {
            Some(raw) => judge(raw, &self.side),
            None => judge(self.json.render().as_bytes(), &self.side),
        }
    }

    /// The value at a path like `claims/risk/derivation/0/high`: entries of lists by number or by their field `name`.
    pub fn at(&mut self, path: &str) -> &mut Json {
        at(&mut self.json, path)
    }

    /// Sets the value at a path, whose last field may be new.
    pub fn set(&mut self, path: &str, value: Json) {
        let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
        if let Json::Map(map) = self.at(parent) {
            map.insert(key.to_string(), value);
        } else {
            *self.at(path) = value;
        }
    }

    pub fn text(&mut self, path: &str) -> String {
        match self.at(path) {
            Json::Text(text) => text.clone(),
            other => panic!("{path} is {other:?}"),
        }
    }

    pub fn list(&mut self, path: &str) -> &mut Vec<Json> {
        match self.at(path) {
            Json::List(list) => list,
            other => panic!("{path} is {other:?}"),
        }
    }

    pub fn map(&mut self, path: &str) -> &mut BTreeMap<String, Json> {
        match self.at(path) {
            Json::Map(map) => map,
            other => panic!("{path} is {other:?}"),
        }
    }

    /// The definitions, of which there may be none.
    pub fn definitions(&mut self) -> &mut BTreeMap<String, Json> {
        self.map("").entry("definitions".to_string()).or_insert_with(|| Json::Map(BTreeMap::new()));
        self.map("definitions")
    }

    /// The path of the last step of a claim.
    pub fn step(&mut self, claim: &str) -> String {
        let last = self.list(&format!("claims/{claim}/derivation")).len() - 1;
        match self.at(&format!("claims/{claim}/derivation/{last}/0")) {
            Json::Integer(step) => format!("steps/{step}"),
            other => panic!("{other:?}"),
        }
    }

    /// Where an array begins in the side file.
    pub fn offset(&mut self, path: &str) -> usize {
        self.offset_of(path, 1)
    }

    fn offset_of(&mut self, path: &str, entry: usize) -> usize {
        match self.at(&format!("{path}/{entry}")) {
            Json::Integer(at) => usize::try_from(*at).expect("an offset"),
            other => panic!("{other:?}"),
        }
    }

    /// Puts in the points beside inverses that its claims need.
    pub fn point_again(&mut self) {
        let text = Text::parse(self.json.render().into_bytes()).expect("a certificate");
        let mut certificate = text.read(Box::new(Cursor::new(self.side.clone()))).expect("a certificate");
        certificate.objects.points = Points::proposed(propose);
        let (text, _) = rewritten(&certificate);
        let mut written = Json::parse(text.as_bytes()).expect("canonical JSON");
        let points = at(&mut written, "points").clone();
        self.set("points", points);
    }

    /// Reverses an array of the side file.
    pub fn reverse(&mut self, path: &str, width: usize) {
        let (start, count) = (self.offset(path), self.offset_of(path, 2));
        let array = &mut self.side[start..start + count * width];
        let reversed: Vec<u8> = array.chunks(width).rev().flatten().copied().collect();
        array.copy_from_slice(&reversed);
        self.reseal();
    }

    /// Sets the side file's length and hash right after an edit.
    pub fn reseal(&mut self) {
        let hash = sha256(&self.side);
        let bytes = self.side.len() as u64;
        self.set("side/sha256", text(&hash));
        self.set("side/bytes", Json::Integer(bytes));
    }
}

/// In hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The exit code of `supremum verify` and what it prints. `None` for a crate without the binary.
pub fn run_verify(forgery: &Forgery) -> Option<(i32, String)> {
    let binary = BINARY?;
    let folder = std::env::temp_dir().join(format!("supremum-verify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let text = forgery.raw.clone().unwrap_or_else(|| forgery.json.render().into_bytes());
    std::fs::write(folder.join("forged.cert"), text).expect("written");
    // Under the name that the certificate gives it, unless that leaves the folder.
    if let Json::Map(root) = &forgery.json
        && let Some(Json::Map(side)) = root.get("side")
        && let Json::Text(name) = &side["file"]
        && !name.contains('/')
    {
        std::fs::write(folder.join(name), &forgery.side).expect("written");
    }
    let output = Command::new(binary).arg("verify").arg(folder.join("forged.cert")).output().expect("the binary runs");
    std::fs::remove_dir_all(&folder).expect("removed");
    let printed = [output.stdout, output.stderr].concat();
    Some((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&printed).to_string()))
}

pub fn at<'j>(json: &'j mut Json, path: &str) -> &'j mut Json {
    path.split('/').filter(|key| !key.is_empty()).fold(json, |json, key| match json {
        Json::Map(map) => map.get_mut(key).unwrap_or_else(|| panic!("no {key} in {path}")),
        Json::List(list) => {
            let named = |item: &Json| matches!(item, Json::Map(map) if map.get("name") == Some(&text(key)));
            let index = key.parse().unwrap_or_else(|_| list.iter().position(named).unwrap_or(usize::MAX));
            list.get_mut(index).unwrap_or_else(|| panic!("no {key} in {path}"))
        }
        other => panic!("{key} of {other:?} in {path}"),
    })
}

pub fn text(text: &str) -> Json {
    Json::Text(text.to_string())
}

pub fn list(items: impl IntoIterator<Item = Json>) -> Json {
    Json::List(items.into_iter().collect())
}
