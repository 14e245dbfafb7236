//! Every diagnostic code that the sources mention is explained, and every explanation is in order.

use std::path::Path;
use supremum::text::codes;

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// String literals such as "E0107".
fn mentioned(text: &str) -> Vec<&str> {
    let code = |word: &&str| {
        word.len() == 5 && word.starts_with(['E', 'W']) && word.chars().skip(1).all(|c| c.is_ascii_digit())
    };
    text.split('"').filter(code).collect()
}

#[test]
fn every_code_is_explained() {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let mut count = 0;
    for (path, text) in &found {
        for code in mentioned(text) {
            count += 1;
            assert!(
                codes::find(code).is_some(),
                "{path} uses {code}: add a section to src/text/explain/{}.md",
                &code[..3]
            );
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn explanations_are_in_order() {
    let all = codes::all();
    assert!(all.len() >= 24, "{}", all.len());
    for pair in all.windows(2) {
        let key = |c: &codes::Code| (c.code.starts_with('W'), c.code);
        assert!(key(&pair[0]) < key(&pair[1]), "{} stands before {}", pair[0].code, pair[1].code);
    }
    for code in all {
        assert_eq!(mentioned(&format!("\"{}\"", code.code)).len(), 1, "{}", code.code);
        assert!(!code.title.is_empty() && code.explanation.len() > 150, "{} is not explained", code.code);
    }
    assert!(codes::explain("e0107").unwrap().starts_with("E0107: which logarithm?\n\n`log` alone"));
    assert_eq!(codes::explain("E9999"), None);
    for code in ["E0009", "E0107", "E0212", "E0310", "E0311", "E0402", "E0501", "W0601"] {
        assert!(codes::find(code).is_some(), "{code}");
    }
}
