//! All diagnostic codes with their explanations.
//!
//! A code is added by one section in the file of its hundred under `explain/`: a heading `# E0107 which logarithm?` and half a
//! page below it. Nothing else lists the codes.

use std::sync::OnceLock;

/// A diagnostic code: `E` for errors, `W` for warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    pub code: &'static str,
    /// The plain title of the heading.
    pub title: &'static str,
    /// Half a page: what it means, why it matters, what to write instead.
    pub explanation: &'static str,
}

/// One file per hundred.
const FILES: [&str; 10] = [
    include_str!("explain/E00.md"),
    include_str!("explain/E01.md"),
    include_str!("explain/E02.md"),
    include_str!("explain/E03.md"),
    include_str!("explain/E04.md"),
    include_str!("explain/E05.md"),
    include_str!("explain/E06.md"),
    include_str!("explain/E08.md"),
    include_str!("explain/E09.md"),
    include_str!("explain/W06.md"),
];

/// Every code, in the order of the files.
pub fn all() -> &'static [Code] {
    static TABLE: OnceLock<Vec<Code>> = OnceLock::new();
    TABLE.get_or_init(|| FILES.iter().flat_map(|file| sections(file)).collect())
}

/// The code itself, in any case (`e0107`).
pub fn find(code: &str) -> Option<&'static Code> {
    all().iter().find(|entry| entry.code.eq_ignore_ascii_case(code.trim()))
}

/// The explanation as `explain CODE` prints it: the heading and the text below it.
pub fn explain(code: &str) -> Option<String> {
    find(code).map(|entry| format!("{}: {}\n\n{}\n", entry.code, entry.title, entry.explanation))
}

fn sections(file: &'static str) -> Vec<Code> {
    let body = file.strip_prefix("# ").unwrap_or(file);
    body.split("\n# ")
        .filter_map(|section| {
            let (heading, explanation) = section.split_once('\n')?;
            let (code, title) = heading.trim().split_once(' ')?;
            Some(Code { code, title: title.trim(), explanation: explanation.trim() })
        })
        .collect()
}
