//! The size of the trusted base: every file of the kernel belongs to a part, and every part keeps to its budget.
//!
//! Lines of code are counted without blank lines, comments and unit tests. A budget is raised in the commit that needs it, with its
//! reason here and in docs/trust.md; a budget that is a third larger than its part is lowered.

use std::path::Path;

struct Part {
    name: &'static str,
    /// Files and folders below `src/kernel`.
    paths: &'static [&'static str],
    budget: usize,
}

/// The whole kernel. The first plan was 2,500 lines for bounds of architectures alone; docs/trust.md says what each part adds.
const BUDGET: usize = 12_420;

const PARTS: &[Part] = &[
    // Dyadic numbers, intervals, series and the signs of inverses (about 1,250), square roots as exact numbers, values with exact ends.
    Part { name: "arithmetic", paths: &["real", "surd.rs", "value.rs"], budget: 1_900 },
    // Terms, formulas, theorems; their evaluation, the steps of a derivation, the verdict; the list of known names (100 lines for the
    // quantities of covers by dual norms, (p,q) norms and comparisons of maxima); 25 lines so that quantities and special functions of numbers
    // are computed once, 25 more for sides of conclusions and closed sums, 40 for the list of accepted certificates.
    Part {
        name: "reasoning",
        paths: &[
            "check.rs",
            "derive.rs",
            "eval.rs",
            "formula.rs",
            "memo.rs",
            "mod.rs",
            "point.rs",
            "signature.rs",
            "term.rs",
            "theorem.rs",
            "witness.rs",
        ],
        budget: 2_700,
    },
    // What statements speak of: networks, domains, samples, their structure, provenance, exact norms and sums.
    Part {
        name: "objects",
        paths: &[
            "draws.rs",
            "gibbs.rs",
            "intrinsic.rs",
            "law.rs",
            "matrix_norm.rs",
            "net.rs",
            "object.rs",
            "path.rs",
            "predicate.rs",
            "structure.rs",
        ],
        budget: 2_300,
    },
    // Evaluation of networks on data and boxes in integers.
    Part { name: "evaluation", paths: &["forward.rs", "gradient.rs", "readout.rs"], budget: 900 },
    // Certificates of Lipschitz constants on any graph, and the one test of semidefiniteness.
    Part { name: "lipschitz", paths: &["lipschitz", "psd.rs"], budget: 3_200 },
    // Reading certificates in their one spelling, entry by entry; nothing read is believed. The reader of JSON (150 lines) stands where a
    // library of JSON was trusted before, side files are read in pieces (70) and claims and steps one at a time (60).
    Part { name: "certificate", paths: &["certificate"], budget: 2_100 },
];

/// Lines of code up to the unit tests.
fn lines(text: &str) -> usize {
    let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text);
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

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
fn the_kernel_keeps_to_its_budget() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel");
    let mut found = Vec::new();
    files(&root, &mut found);
    let mut sizes = vec![0; PARTS.len()];
    for path in &found {
        let name = path.strip_prefix(&root).expect("a file of the kernel");
        let part = PARTS.iter().position(|part| part.paths.iter().any(|prefix| name.starts_with(prefix)));
        let part = part.unwrap_or_else(|| panic!("{} belongs to no part of the trusted base", name.display()));
        sizes[part] += lines(&std::fs::read_to_string(path).expect("a text"));
    }
    let table: Vec<String> = PARTS
        .iter()
        .zip(&sizes)
        .map(|(part, size)| format!("{:<12} {size:>6} of {}", part.name, part.budget))
        .collect();
    let total: usize = sizes.iter().sum();
    let table = format!("{}\n{:<12} {total:>6} of {BUDGET}", table.join("\n"), "all");
    println!("{table}");
    for (part, size) in PARTS.iter().zip(&sizes) {
        assert!(*size <= part.budget, "{} exceeds its budget\n{table}", part.name);
    }
    assert!(total <= BUDGET, "the kernel exceeds its budget\n{table}");
    assert!(found.len() > 30 && total > 5_000, "{table}");
}

#[test]
fn comments_blank_lines_and_unit_tests_do_not_count() {
    let text =
        "//! A page.\n\nfn f() {\n    // why\n    g(); // and what\n}\n\n#[cfg(test)]\nmod tests {\n    fn h() {}\n}\n";
    assert_eq!(lines(text), 3);
}

/// The kernel does without floating point, `unsafe`, panics, threads and files.
#[test]
fn the_kernel_has_no_forbidden_word() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel");
    let mut found = Vec::new();
    files(&root, &mut found);
    for path in &found {
        let text = std::fs::read_to_string(path).expect("a text");
        let code = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(&text);
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let words: Vec<&str> = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            for word in ["f64", "f32", "unsafe", "thread", "fs"] {
                assert!(!words.contains(&word), "{}:{}: `{word}`", path.display(), number + 1);
            }
            for call in [".unwrap()", ".expect(", "panic!", "unreachable!", "todo!"] {
                assert!(!line.contains(call), "{}:{}: `{call}`", path.display(), number + 1);
            }
        }
    }
}

/// One text says what is trusted: the README, the command and the page quote it.
#[test]
fn what_is_trusted_is_said_in_the_same_words() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| std::fs::read_to_string(root.join(name)).expect("a text");
    let trusted = read("src/text/trusted.md");
    for page in ["README.md", "docs/trust.md"] {
        assert!(read(page).contains(trusted.trim_end()), "{page}");
    }
}
