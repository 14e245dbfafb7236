//! Every example program parses without a complaint.

use std::path::{Path, PathBuf};
use supremum::syntax::parse;
use supremum::text::{Source, Style};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "spec" || e == "thm") {
            found.push(path);
        }
    }
}

#[test]
fn every_spec_parses_without_diagnostics() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("tests/data/specs"), &mut found);
    files(&root.join("specs"), &mut found);
    assert!(found.len() >= 14, "{}", found.len());
    for path in found {
        let source = Source::from_bytes(path.display().to_string(), &std::fs::read(&path).unwrap()).unwrap();
        let parsed = parse(&source);
        let shown: Vec<String> = parsed.diagnostics.iter().map(|d| d.render(&source, Style::Unicode)).collect();
        assert!(shown.is_empty(), "{}", shown.join("\n"));
        assert!(parsed.file.items.len() > 1 || path.extension().unwrap() == "thm");
    }
}
