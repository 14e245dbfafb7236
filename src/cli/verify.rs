//! `supremum verify CERT`: the kernel derives every claim of a certificate again, and says in full what was certified.

use super::bound::{display, high, low};
use super::exit;
use super::output::{self, Console};
use crate::certificate;
use crate::kernel::certificate::document::FileRecord;
use crate::kernel::certificate::{
    Certificate, Certified, ClaimRecord, Reason, Refusal, SIDE_LIMIT, TEXT_LIMIT, Text, term,
};
use crate::kernel::check::{Statement, Verdict as KernelVerdict};
use crate::kernel::object::{AssumptionKind, Constraint, Dependence, Entry, Noise, Object, Objects, Origin, Part};
use crate::kernel::theorem::Status;
use crate::model::{describe_architecture, describe_domain};
use crate::report;
use crate::report::decimal::Direction;
use crate::report::view::{CheckView, FileView, ItemKind, ItemView, LedgerView, SettingView, Verdict};
use crate::text::Diagnostic;
use num_rational::BigRational;
use num_traits::{One, Zero};
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// Longest that one certificate may take.
const TIME_LIMIT: Duration = Duration::from_secs(1800);
/// Enough for terms as deep as the kernel evaluates them.
const STACK: usize = 256 << 20;

#[derive(clap::Args, Clone)]
pub struct Args {
    /// The certificate; its side file is looked for beside it.
    certificate: PathBuf,
    /// Refuse the certificate if it uses a theorem that is not listed here; listed holes are accepted.
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    permit: Vec<String>,
    /// Read a network's file again: it must hold the very weights of the certificate.
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "NAME=FILE")]
    network: Vec<String>,
    /// Read a data set again: it must have the certificate's hashes and hold its examples.
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "NAME=PATH")]
    data: Vec<String>,
    /// Demand that the claims and their setting are those of this spec.
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "SPEC")]
    spec: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// ASCII output.
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// Why a certificate fails.
pub struct Problem {
    pub code: &'static str,
    pub exit: u8,
    pub text: String,
}

impl Problem {
    pub fn new(code: &'static str, exit: u8, text: impl Into<String>) -> Problem {
        Problem { code, exit, text: text.into() }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let exit = match refusal.reason {
            Reason::Limit => exit::LIMIT,
            Reason::Side => exit::DATA,
            _ => exit::CERTIFICATE,
        };
        Problem::new(refusal.reason.code(), exit, refusal.message)
    }
}

/// What is left to say when the kernel is done.
struct Verified {
    view: CheckView,
    json: serde_json::Value,
    /// Name and status of every theorem of a step.
    theorems: Vec<(String, &'static str)>,
    sha256: String,
    /// What keeps the certificate from being valid.
    holes: Vec<String>,
    /// Whether every hole is a theorem that the caller permits.
    is_permitted: bool,
}

/// Runs the command; returns the exit code.
pub fn run(args: &Args, console: &mut Console) -> u8 {
    let (sender, receiver) = mpsc::channel();
    let work = args.clone();
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        // Nobody listens any more when the time is over.
        let _ = sender.send(examine(&work));
    });
    let result = match worker.map(|_| receiver.recv_timeout(TIME_LIMIT)) {
        Ok(Ok(result)) => result,
        Ok(Err(mpsc::RecvTimeoutError::Timeout)) => Err(Problem::new(
            "E0805",
            exit::LIMIT,
            format!("expected at most {} seconds of work", TIME_LIMIT.as_secs()),
        )),
        Ok(Err(mpsc::RecvTimeoutError::Disconnected)) | Err(_) => {
            Err(Problem::new("E0805", exit::LIMIT, "the certificate takes more memory than there is".to_string()))
        }
    };
    match result {
        Ok(verified) => show(&verified, args, console),
        Err(problem) => {
            if args.format == Format::Json {
                let certificate = args.certificate.to_string_lossy();
                let error = json!({"code": problem.code, "message": problem.text});
                console.print(&pretty(&json!({
                    "certificate": certificate, "result": "invalid", "exit": problem.exit, "error": error
                })));
            }
            complain(&problem, args, console);
            problem.exit
        }
    }
}

fn pretty(json: &serde_json::Value) -> String {
    serde_json::to_string_pretty(json).unwrap_or_default()
}

fn complain(problem: &Problem, args: &Args, console: &Console) {
    let name = args.certificate.to_string_lossy();
    let diagnostic = Diagnostic::error(problem.code, problem.text.clone()).note(format!("`{name}` is invalid"));
    output::explain(None, &diagnostic, output::diagnostic_style(args.ascii), console);
}

/// Opens a regular file of limited size.
fn open(path: &Path, limit: u64, code: &'static str, follow: bool) -> Result<fs::File, Problem> {
    let name = path.to_string_lossy();
    let metadata = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let unreadable =
        |error: std::io::Error| Problem::new(code, exit::DATA, format!("`{name}` cannot be read ({})", error.kind()));
    let metadata = metadata.map_err(unreadable)?;
    if !metadata.is_file() {
        let kind = if metadata.is_symlink() { "a symbolic link" } else { "something else" };
        return Err(Problem::new(code, exit::DATA, format!("expected a regular file, found {kind}: `{name}`")));
    }
    if metadata.len() > limit {
        let text = format!("`{name}`: expected at most {limit} bytes, found {}", metadata.len());
        return Err(Problem::new("E0805", exit::LIMIT, text));
    }
    fs::File::open(path).map_err(unreadable)
}

/// Opens a certificate with its side file. What is long is read when it is needed.
pub fn load(path: &Path) -> Result<(Certificate, String), Problem> {
    let limit = TEXT_LIMIT as u64;
    let unreadable = |error: std::io::Error| {
        let text = format!("`{}` cannot be read ({})", path.to_string_lossy(), error.kind());
        Problem::new("E0821", exit::DATA, text)
    };
    // A file that grows meanwhile is read one byte beyond the limit and refused by the kernel.
    let file = open(path, limit, "E0821", true)?;
    let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |metadata| metadata.len().min(limit) as usize + 1));
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = Text::parse(bytes)?;
    let sha256 = text.sha256.clone();
    let Some(record) = text.side()? else { return Ok((text.read(Box::new(std::io::empty()))?, sha256)) };
    let folder = path.parent().unwrap_or(Path::new(""));
    // A longer file than the certificate says is another file.
    let side = open(&folder.join(&record.file), record.bytes.min(SIDE_LIMIT), "E0810", false)
        .map_err(|problem| Problem::new("E0810", exit::DATA, problem.text))?;
    Ok((text.read(Box::new(side))?, sha256))
}

fn examine(args: &Args) -> Result<Verified, Problem> {
    let (certificate, sha256) = load(&args.certificate)?;
    if !args.permit.is_empty()
        && let Some(theorem) = certificate.theorems.iter().find(|theorem| !args.permit.contains(&theorem.name))
    {
        let text = format!("expected permitted theorems only, found `{}`", theorem.name);
        return Err(Problem::new("E0822", exit::CERTIFICATE, text));
    }
    let theorems = certificate::theorems(&certificate)?;
    let (mut items, mut claims, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut holes, mut is_permitted) = (BTreeSet::new(), !args.permit.is_empty());
    let is_listed = |(name, status): (&String, &Status)| {
        matches!(status, Status::Proved | Status::Derived) || args.permit.contains(name)
    };
    #[cfg(feature = "engine")]
    let mut kept = Vec::new();
    certificate.verify(&theorems, |claim| {
        items.push(item(&claim, items.len() + 1));
        claims.push(claim_json(&claim));
        if !claim.record().spent.is_zero() {
            parts.push((claim.record().name.clone(), claim.record().spent.to_string()));
        }
        holes.extend(claim.holes());
        is_permitted &= claim.checked().undischarged().is_empty() && claim.checked().theorems().iter().all(is_listed);
        // Only the comparison with a spec looks at claims once more.
        #[cfg(feature = "engine")]
        if args.spec.is_some() {
            kept.push(claim);
        }
    })?;
    #[cfg(feature = "engine")]
    let again = super::reread::files(&certificate, &kept, &args.network, &args.data, args.spec.as_deref())?;
    #[cfg(not(feature = "engine"))]
    let again = BTreeSet::new();
    let theorems = certificate.theorems.iter().map(|t| (t.name.clone(), certificate::word(t.status)));
    let path = args.certificate.to_string_lossy();
    Ok(Verified {
        view: view(&path, &certificate, items, parts, &again),
        json: json(&path, &sha256, &certificate, claims, &again),
        theorems: theorems.collect(),
        sha256,
        holes: holes.into_iter().collect(),
        is_permitted,
    })
}

fn show(verified: &Verified, args: &Args, console: &mut Console) -> u8 {
    let exit = if verified.holes.is_empty() || verified.is_permitted { exit::PROVED } else { exit::CERTIFICATE };
    let result = if verified.holes.is_empty() { "valid" } else { "holey" };
    if args.format == Format::Json {
        let mut json = verified.json.clone();
        json["result"] = result.into();
        json["holes"] = verified.holes.clone().into();
        json["exit"] = exit.into();
        console.print(&pretty(&json));
        return exit;
    }
    let mut view = verified.view.clone();
    view.exit = exit;
    console.print(&report::terminal::check(&view, console.style(args.ascii)));
    let widest = verified.theorems.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let label = |i: usize| if i == 0 { "theorems" } else { "" };
    let theorem =
        |(i, (name, status)): (usize, &(String, &str))| format!("  {:<11}  {name:<widest$}  {status}", label(i));
    let mut lines: Vec<String> = verified.theorems.iter().enumerate().map(theorem).collect();
    lines.push(format!("  certificate  sha256 {}", verified.sha256));
    lines.push(String::new());
    match verified.holes.as_slice() {
        [] => lines.push("  valid: the kernel derived every claim again".to_string()),
        holes => {
            lines.push("  holey: the kernel derived every claim again, from what nothing establishes".to_string());
            lines.extend(holes.iter().map(|hole| format!("    {hole}")));
        }
    }
    console.print(&lines.join("\n"));
    exit
}

fn view(
    path: &str,
    certificate: &Certificate,
    items: Vec<ItemView>,
    parts: Vec<(String, String)>,
    again: &BTreeSet<String>,
) -> CheckView {
    let one_minus = |q: &BigRational| (BigRational::one() - q).to_string();
    let ledger = (!certificate.spent.is_zero()).then(|| LedgerView {
        budget: certificate.budget.to_string(),
        spent: certificate.spent.to_string(),
        parts,
        together: Some(one_minus(&certificate.spent)),
    });
    let spec = FileRecord { path: certificate.spec.path.clone(), sha256: certificate.spec.sha256.clone() };
    let file = |file: &FileRecord| {
        let state = if again.contains(&file.sha256) { "read again" } else { "as recorded" };
        FileView { path: format!("{} ({state})", file.path), sha256: file.sha256.clone() }
    };
    CheckView {
        title: certificate.title.clone(),
        spec: path.to_string(),
        setting: setting(&certificate.objects),
        files: std::iter::once(&spec).chain(&certificate.files).map(file).collect(),
        training: Vec::new(),
        items,
        assumptions: certificate.objects.assumptions.iter().filter_map(declared).collect(),
        ledger,
        semantics: None,
        diagnostics: Vec::new(),
        written: Vec::new(),
        exit: 0,
    }
}

fn item(certified: &Certified, line: usize) -> ItemView {
    let record = certified.record();
    let kind = match record.kind.as_str() {
        "bound" => ItemKind::Bound,
        "expect" => ItemKind::Expect,
        "measure" => ItemKind::Measure,
        _ => ItemKind::Claim,
    };
    let is_proved = record.verdict == KernelVerdict::Proved;
    let verdict = match (kind, is_proved) {
        (ItemKind::Expect, true) => Verdict::Consistent,
        (ItemKind::Expect, false) => Verdict::Contradicted,
        (ItemKind::Measure, _) => Verdict::Measured,
        (_, true) => Verdict::Proved { vacuous: false, modulo: !certified.holes().is_empty() },
        (_, false) => Verdict::Refuted,
    };
    let mut item = ItemView::new(kind, &record.name, verdict, &restated(record), line);
    let theorems: Vec<&str> = certified.checked().theorems().keys().map(String::as_str).collect();
    let witnesses: BTreeSet<&str> = certified
        .checked()
        .facts()
        .iter()
        .filter(|fact| fact.conclusion.is_none())
        .map(|fact| fact.rule.as_str())
        .collect();
    let methods: Vec<&str> = theorems.into_iter().chain(witnesses).collect();
    item.method = (!methods.is_empty()).then(|| methods.join(", "));
    if !record.claim.stated.is_empty() {
        let stated: Vec<String> = record.claim.stated.iter().map(|(name, term)| format!("{name} = {term}")).collect();
        item.notes.push(format!("states {}", stated.join(", ")));
    }
    if !record.claim.draws.is_empty() {
        let draws = record.claim.draws.iter().map(|draw| format!("{} for {}", draw.probability, draw.theorem));
        item.notes.push(format!("draws {}", draws.collect::<Vec<_>>().join(", ")));
    }
    item.assumptions = record.assumptions.union(&record.undischarged).cloned().collect();
    item.daggers = certified.holes();
    item
}

/// The claim in full: holes filled with the certified ends, and the probability with which it holds.
fn restated(record: &ClaimRecord) -> String {
    let lower = record.low.as_ref().and_then(low).map(|q| display(&q, Direction::Down));
    let upper = record.high.as_ref().and_then(high).map(|q| display(&q, Direction::Up));
    let mut text = match (&record.claim.statement, lower, upper) {
        (Statement::Upper(term), _, Some(upper)) => format!("{term} <= {upper}"),
        (Statement::Lower(term), Some(lower), _) => format!("{term} >= {lower}"),
        (Statement::Both(term), Some(lower), Some(upper)) if lower == upper => format!("{term} = {lower}"),
        (Statement::Both(term), Some(lower), Some(upper)) => format!("{term} in [{lower}, {upper}]"),
        (statement, ..) => term::text(statement),
    };
    if !record.spent.is_zero() {
        text.push_str(&format!(" with probability >= {}", BigRational::one() - &record.spent));
    }
    text
}

fn declared(assumption: &crate::kernel::object::Assumption) -> Option<String> {
    match &assumption.kind {
        AssumptionKind::Iid { .. } | AssumptionKind::Supported { .. } => None,
        AssumptionKind::DependsOn { object, atoms } => {
            let atoms: Vec<&str> = atoms.iter().map(String::as_str).collect();
            let on = if atoms.is_empty() { "no data".to_string() } else { atoms.join(", ") };
            Some(format!("`{}`: `{object}` depends on {on} only", assumption.name))
        }
    }
}

fn setting(objects: &Objects) -> Vec<SettingView> {
    let mut setting: Vec<SettingView> =
        objects.entries.iter().map(|(name, entry)| SettingView { name: name.clone(), text: describe(entry) }).collect();
    setting.extend(objects.definitions.iter().map(|(name, definition)| {
        let parameters = definition.parameters.join(", ");
        let name = if parameters.is_empty() { name.clone() } else { format!("{name}({parameters})") };
        SettingView { name, text: format!("= {}", definition.body) }
    }));
    setting
}

fn describe(entry: &Entry) -> String {
    match &entry.object {
        Object::Domain(domain) => describe_domain(domain),
        Object::Law(law) => {
            let noise = if law.noise == Noise::All { "all parameters" } else { "the last layer" };
            format!("Gaussian law around {}, variance {} on {noise}", law.mean, law.variance)
        }
        Object::Net(net) => {
            let mut text = describe_architecture(&net.architecture)
                .unwrap_or_else(|| format!("{} layers on {:?}", net.architecture.nodes.len(), net.architecture.input));
            let constraints: Vec<String> = net.constraints.iter().map(constraint).collect();
            if !constraints.is_empty() {
                text.push_str(&format!(", all with {}", constraints.join(", ")));
            }
            match (&net.network, &entry.dependence) {
                (None, _) => {}
                (Some(_), Dependence::Unknown) => text.push_str(", weights of unknown origin"),
                (Some(_), Dependence::Known(atoms)) if atoms.is_empty() => text.push_str(", weights free of data"),
                (Some(_), Dependence::Known(atoms)) => {
                    let atoms: Vec<&str> = atoms.iter().map(String::as_str).collect();
                    text.push_str(&format!(", weights from {}", atoms.join(", ")));
                }
            }
            text
        }
        Object::Sample(sample) => {
            let origin = match &sample.origin {
                Origin::Generated(generator) => format!("drawn by `{generator}`"),
                Origin::File => "from a file".to_string(),
                Origin::SortedFilePart => "part of a file by position".to_string(),
                Origin::TimeSeries => "a time series".to_string(),
            };
            format!("{} examples, {} classes, {origin}", sample.size, sample.classes)
        }
    }
}

fn constraint(constraint: &Constraint) -> String {
    let part = if constraint.part == Part::Weight { "W" } else { "b" };
    format!("|{part}[{}]|_{} <= {}", constraint.layer, constraint.norm, constraint.bound)
}

fn claim_json(claim: &Certified) -> serde_json::Value {
    let number = |q: Option<BigRational>, direction| q.map(|q| report::decimal::exact_or_decimal(&q, direction));
    let record = claim.record();
    json!({
        "name": record.name,
        "kind": record.kind,
        "verdict": if record.verdict == KernelVerdict::Proved { "proved" } else { "refuted" },
        "statement": term::text(&record.claim.statement),
        "lower": number(record.low.as_ref().and_then(low), Direction::Down),
        "upper": number(record.high.as_ref().and_then(high), Direction::Up),
        "delta": record.spent.to_string(),
        "assumptions": record.assumptions,
        "theorems": claim.checked().theorems().keys().collect::<Vec<_>>(),
        "holes": claim.holes(),
    })
}

fn json(
    path: &str,
    sha256: &str,
    certificate: &Certificate,
    claims: Vec<serde_json::Value>,
    again: &BTreeSet<String>,
) -> serde_json::Value {
    let file = |file: &FileRecord| json!({"path": file.path, "sha256": file.sha256, "read_again": again.contains(&file.sha256)});
    let theorems: Vec<serde_json::Value> = certificate
        .theorems
        .iter()
        .map(|t| json!({"name": t.name, "status": certificate::word(t.status), "sha256": t.sha256}))
        .collect();
    json!({
        "certificate": path,
        "sha256": sha256,
        "error": null,
        "spec": file(&certificate.spec),
        "files": certificate.files.iter().map(file).collect::<Vec<_>>(),
        "ledger": {"budget": certificate.budget.to_string(), "spent": certificate.spent.to_string()},
        "theorems": theorems,
        "claims": claims,
    })
}
