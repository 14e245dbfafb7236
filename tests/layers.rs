//! The ranks of the architecture page: a module uses modules of lower rank only.

use std::path::Path;

const RANKS: &[(&str, u8)] = &[
    ("text", 0),
    ("num", 0),
    ("kernel", 0),
    ("point", 1),
    ("syntax", 1),
    ("theory", 2),
    ("model", 2),
    ("certificate", 3),
    ("data", 3),
    ("quantity", 4),
    ("prove", 5),
    ("lab", 5),
    ("recheck", 5),
    ("falsify", 6),
    ("report", 6),
    ("cli", 7),
];

fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn modules_use_lower_ranks_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut uses = 0;
    for (module, rank) in RANKS {
        let mut found = Vec::new();
        files(&root.join(module), &mut found);
        for path in found {
            let text = std::fs::read_to_string(&path).expect("a text");
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for part in line.split("crate::").skip(1) {
                    let other: String = part.chars().take_while(|c| c.is_ascii_lowercase()).collect();
                    let Some((_, other_rank)) = RANKS.iter().find(|(name, _)| *name == other) else { continue };
                    uses += 1;
                    assert!(
                        other == *module || other_rank < rank,
                        "{}: `{module}` (rank {rank}) uses `{other}` (rank {other_rank})",
                        path.display()
                    );
                }
            }
        }
    }
    assert!(uses > 100, "{uses}");
}
