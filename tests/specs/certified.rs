//! check -> certificate -> verify for every shipped spec. Expected verdicts are those of `check` itself.

use crate::commands::{Scratch, json, run, text};
use crate::information;
use std::path::{Path, PathBuf};

/// Every shipped spec, in subfolders too, but for those whose data are fetched (`specs/full/`).
fn specs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.ends_with("specs/full") {
            continue;
        }
        if path.is_dir() {
            specs(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "spec") {
            found.push(path);
        }
    }
    found.sort();
}

/// The word of `verify` for a verdict of `check`.
fn certified(verdict: &str) -> Option<&'static str> {
    match verdict {
        "proved" | "consistent" | "measured" => Some("proved"),
        "refuted" | "contradicted" => Some("refuted"),
        _ => None,
    }
}

/// Checks a spec, verifies its certificate, and compares verdict by verdict.
fn certifies(scratch: &Scratch, number: usize, spec: &Path) {
    let (first, second) = (scratch.file(&format!("{number}.cert")), scratch.file(&format!("{number}-again.cert")));
    let checked = run(&["check", text(spec), "--format", "json", "--certificate", text(&first)], "1");
    let items = json(&checked)["items"].as_array().expect("items").clone();
    let verified = run(&["verify", text(&first), "--format", "json"], "1");
    let report = json(&verified);
    assert_ne!(report["result"], "invalid", "{}: {}", spec.display(), report["error"]);
    let claims = report["claims"].as_array().expect("claims");
    let decided: Vec<_> = items.iter().filter(|item| certified(item["verdict"].as_str().unwrap()).is_some()).collect();
    assert_eq!(claims.len(), decided.len(), "{}", spec.display());
    for (item, claim) in decided.iter().zip(claims) {
        assert_eq!(item["name"], claim["name"], "{}", spec.display());
        let verdict = item["verdict"].as_str().and_then(certified);
        assert_eq!(claim["verdict"].as_str(), verdict, "{}: {}", spec.display(), item["name"]);
        assert_eq!(item["delta"], claim["delta"], "{}: {}", spec.display(), item["name"]);
    }
    // Holes are exactly what carries a dagger.
    let daggers = decided.iter().any(|item| !item["daggers"].as_array().expect("daggers").is_empty());
    assert_eq!(report["result"], if daggers { "holey" } else { "valid" }, "{}", spec.display());
    assert_eq!(verified.status.code(), Some(if daggers { 6 } else { 0 }), "{}", spec.display());
    let bytes = |path: &Path| std::fs::read(path).unwrap_or_default();
    let side = bytes(&first.with_extension("cert.bin"));
    let (size, information) = (bytes(&first).len() + side.len(), information::of(&bytes(&first), &side));
    println!("{}: {size} bytes, {information} of information", spec.display());
    assert!(size <= 3 * information + information::FRAME, "{}: {size}, {information}", spec.display());
    // The same bytes whatever the number of threads. Formulas of the museum and of tables are evaluated by one; what takes long has small
    // specs of its kind in `tests/forge`, which are compared below.
    if is_long(spec) || spec.components().any(|part| part.as_os_str() == "museum" || part.as_os_str() == "recheck") {
        return;
    }
    same_bytes(spec, &first, &second);
}

/// Those with the most examples or the widest networks.
fn is_long(spec: &Path) -> bool {
    ["mnist", "pac_bayes", "images", "occam", "robust", "deep"].iter().any(|name| text(spec).contains(name))
}

/// Two threads write the certificate that one thread wrote.
fn same_bytes(spec: &Path, first: &Path, second: &Path) {
    run(&["check", text(spec), "--certificate", text(second)], "2");
    let bytes = |path: &Path| std::fs::read(path).unwrap_or_default();
    let name = |path: &Path| format!("{}.bin", path.file_name().expect("a name").to_string_lossy());
    let renamed = String::from_utf8(bytes(second)).expect("UTF-8").replace(&name(second), &name(first));
    assert!(bytes(first) == renamed.into_bytes(), "{}: other bytes with two threads", spec.display());
    let side = |path: &Path| bytes(&path.with_extension("cert.bin"));
    assert!(side(first) == side(second), "{}", spec.display());
}

#[test]
fn threads_leave_no_trace() {
    let scratch = Scratch::new("threads");
    for spec in ["base", "gibbs", "occam", "smooth"].map(|name| format!("tests/forge/{name}.spec")) {
        let (first, second) = (scratch.file("one.cert"), scratch.file("two.cert"));
        run(&["check", &spec, "--certificate", text(&first)], "1");
        assert!(first.exists(), "{spec}");
        same_bytes(Path::new(&spec), &first, &second);
    }
}

#[test]
fn every_shipped_spec_certifies_with_the_same_verdicts() {
    let scratch = Scratch::new("certify");
    let mut found = Vec::new();
    specs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("specs"), &mut found);
    assert!(found.len() >= 40, "{found:?}");
    // Several at a time, and first those with the most examples, which take longest.
    found.sort_by_key(|spec| !is_long(spec));
    let next = std::sync::atomic::AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(spec) = found.get(number) else { break };
                    certifies(&scratch, number, spec);
                }
            });
        }
    });
}
