//! usage: supremum-mutants WORK [--jobs N] [--only TEXT] [--longest SECONDS]
//!
//! WORK is a crate made by `scripts/mutate-kernel.sh`. Plants every fault of its kernel behind a switch, builds once, learns which test
//! reaches which fault, and then runs for every fault the tests that reach it, quick ones first, until one fails. What became of each is
//! appended to `WORK/faults.txt` at once; a second run goes on where the first was stopped. `--only` keeps the faults whose line there
//! would hold TEXT; tests that take longer than `--longest` (10 s) are not run.

mod plant;
mod run;

use plant::{Fault, Planter};
use quote::ToTokens;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use syn::visit_mut::VisitMut;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1));
    let Some(work) = arguments.first() else {
        eprintln!("usage: supremum-mutants WORK [--jobs N] [--only TEXT] [--longest SECONDS]");
        return ExitCode::from(2);
    };
    let number = |name: &str, usual| option(name).and_then(|n| n.parse().ok()).unwrap_or(usual);
    let asked = run::Asked {
        jobs: number("--jobs", 2) as usize,
        only: option("--only").map_or("", String::as_str),
        longest: Duration::from_secs(number("--longest", 10)),
    };
    match all(Path::new(work), &asked) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn all(work: &Path, asked: &run::Asked) -> Result<(), String> {
    let (faults, left_out) = build(work)?;
    let tests = run::Test::list(work)?;
    run::hunt(work, &faults, &left_out, &tests, asked)
}

/// Plants and builds until what is left compiles: the faults, and the numbers of those left out.
fn build(work: &Path) -> Result<(Vec<Fault>, HashSet<usize>), String> {
    let list = work.join("left-out.txt");
    let mut left_out: HashSet<usize> = fs::read_to_string(&list)
        .map(|text| text.lines().filter_map(|line| line.parse().ok()).collect())
        .unwrap_or_default();
    loop {
        let faults = plant(work, &left_out)?;
        let bad = errors(work)?;
        println!("{} faults, {} left out, {} more do not compile", faults.len(), left_out.len(), bad.len());
        if bad.is_empty() {
            return Ok((faults, left_out));
        }
        left_out.extend(bad);
        let mut numbers: Vec<String> = left_out.iter().map(usize::to_string).collect();
        numbers.sort();
        fs::write(&list, numbers.join("\n")).map_err(|e| e.to_string())?;
    }
}

/// Writes the kernel with all faults that are not left out.
fn plant(work: &Path, left_out: &HashSet<usize>) -> Result<Vec<Fault>, String> {
    let origin = work.join("origin");
    let mut files = Vec::new();
    find(&origin, "rs", &mut files);
    files.sort();
    let mut faults = Vec::new();
    for path in files {
        let name = path.strip_prefix(&origin).map_err(|e| e.to_string())?;
        let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut file = syn::parse_file(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        Planter::new(&name.display().to_string(), left_out, &mut faults).visit_file_mut(&mut file);
        // Tests inside the kernel run too; they are not altered.
        let printed = prettyplease::unparse(&syn::parse2(file.to_token_stream()).map_err(|e| e.to_string())?);
        fs::write(work.join("src/kernel").join(name), printed).map_err(|e| e.to_string())?;
    }
    Ok(faults)
}

/// Files below a folder whose names end so.
fn find(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, ending, found);
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
}

/// The numbers of faults that do not compile: of each error, the last switch before it.
fn errors(work: &Path) -> Result<HashSet<usize>, String> {
    let output = Command::new("cargo")
        .args(["check", "--lib", "--quiet", "--message-format=json"])
        .current_dir(work)
        .output()
        .map_err(|e| e.to_string())?;
    let mut bad = HashSet::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let message = &value["message"];
        if message["level"] != "error" {
            continue;
        }
        for span in message["spans"].as_array().into_iter().flatten().filter(|span| span["is_primary"] == true) {
            let (Some(file), Some(at)) = (span["file_name"].as_str(), span["byte_start"].as_u64()) else { continue };
            let text = fs::read_to_string(work.join(file)).map_err(|e| format!("{file}: {e}"))?;
            let before = text.get(..at as usize + "crate::fault(0".len()).or(text.get(..at as usize)).unwrap_or(&text);
            let number = before.rfind("crate::fault(").and_then(|start| {
                let digits: String =
                    text[start + "crate::fault(".len()..].chars().take_while(char::is_ascii_digit).collect();
                digits.parse().ok()
            });
            let number =
                number.ok_or_else(|| format!("{file}: an error before every fault: {}", message["rendered"]))?;
            bad.insert(number);
        }
    }
    if bad.is_empty() && !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(bad)
}
