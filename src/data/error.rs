//! Why a file could not be used. Trust: untrusted.
//!
//! Every error names the file, the place in it, what was expected and what was found; the command line maps
//! [`DataErrorKind::Limit`] to exit code 8 and every other kind to 7. No error repeats content of a file beyond names.

use std::fmt;

/// The reason, for callers that branch on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataErrorKind {
    /// A file, a tensor, a column or an array is not there; `near` holds the most similar names that are.
    Missing { what: String, near: Vec<String> },
    /// The name is not one that a spec may read from.
    Path { reason: String },
    /// The bytes are not what the format says.
    Malformed { at: String, expected: String, found: String },
    /// Well formed, but without an exact meaning here; `reason` says what works instead.
    Unsupported { op: String, node: String, reason: String },
    /// The content hash is not the one that the spec pins.
    Altered { expected: String, found: String },
    /// A resource limit; `limit` and `found` carry their unit.
    Limit { what: String, limit: String, found: String },
}

/// An error about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataError {
    /// The name as written in the spec.
    pub file: String,
    pub kind: DataErrorKind,
}

pub type Result<T> = std::result::Result<T, DataError>;

impl DataError {
    pub fn new(file: &str, kind: DataErrorKind) -> DataError {
        DataError { file: file.to_string(), kind }
    }

    /// The file is sound, and a node of its network is not one that is read.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.kind, DataErrorKind::Unsupported { .. })
    }

    pub fn is_limit(&self) -> bool {
        matches!(self.kind, DataErrorKind::Limit { .. })
    }

    pub(crate) fn named(mut self, file: &str) -> DataError {
        self.file = file.to_string();
        self
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.file), self.kind)
    }
}

impl fmt::Display for DataErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataErrorKind::Missing { what, near } => {
                write!(f, "expected {what}, found none")?;
                if !near.is_empty() {
                    let near: Vec<String> = near.iter().map(|name| format!("`{}`", shown(name))).collect();
                    write!(f, "; near: {}", near.join(", "))?;
                }
                Ok(())
            }
            DataErrorKind::Path { reason } => f.write_str(reason),
            DataErrorKind::Malformed { at, expected, found } => {
                write!(f, "{at}: expected {expected}, found {found}")
            }
            DataErrorKind::Unsupported { op, node, reason } => {
                write!(f, "unsupported {op} at {node}: {reason}")
            }
            DataErrorKind::Altered { expected, found } => {
                write!(f, "expected content with sha256 {expected}, found {found}; the file was altered")
            }
            DataErrorKind::Limit { what, limit, found } => {
                write!(f, "{what}: expected at most {limit}, found {found}")
            }
        }
    }
}

impl std::error::Error for DataError {}

/// Constructors without a file name; the reader that knows the name adds it by [`DataError::named`].
pub(crate) fn malformed<T>(
    at: impl fmt::Display,
    expected: impl fmt::Display,
    found: impl fmt::Display,
) -> std::result::Result<T, DataError> {
    let kind = DataErrorKind::Malformed {
        at: shown(&at.to_string()),
        expected: expected.to_string(),
        found: shown(&found.to_string()),
    };
    Err(DataError::new("", kind))
}

pub(crate) fn missing<T>(what: impl fmt::Display, near: Vec<String>) -> std::result::Result<T, DataError> {
    Err(DataError::new("", DataErrorKind::Missing { what: shown(&what.to_string()), near }))
}

pub(crate) fn unsupported<T>(
    op: impl fmt::Display,
    node: impl fmt::Display,
    reason: impl fmt::Display,
) -> std::result::Result<T, DataError> {
    let kind = DataErrorKind::Unsupported {
        op: shown(&op.to_string()),
        node: shown(&node.to_string()),
        reason: reason.to_string(),
    };
    Err(DataError::new("", kind))
}

pub(crate) fn limit<T>(
    what: impl fmt::Display,
    limit: impl fmt::Display,
    found: impl fmt::Display,
) -> std::result::Result<T, DataError> {
    let kind = DataErrorKind::Limit { what: what.to_string(), limit: limit.to_string(), found: found.to_string() };
    Err(DataError::new("", kind))
}

/// Names come from files: control characters would reach the terminal, and a name may be megabytes long.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 400;
    let mut out: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        out.push_str("...");
    }
    out
}

/// The names most similar to `wanted`, best first, at most three.
pub(crate) fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    const MOST_NAMES: usize = 5_000;
    let mut scored: Vec<(usize, &str)> = names
        .take(MOST_NAMES)
        .map(|name| (edit_distance(wanted, name), name))
        .filter(|(distance, _)| *distance <= wanted.chars().count().max(2).div_ceil(2) + 1)
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name.to_string()).collect()
}

/// Levenshtein distance of the first 60 characters of each.
fn edit_distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(60).collect();
    let b: Vec<char> = b.chars().take(60).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let change = diagonal + usize::from(ca != cb);
            diagonal = *cell;
            left = change.min(left + 1).min(diagonal + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("fc1.bias", "fc1.bias"), 0);
        assert_eq!(near("fc1.bias", ["fc1.weight", "fc2.bias", "zzzzzzzzzzz"].into_iter())[0], "fc2.bias");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let error: DataError = missing::<()>("\u{1b}[2J", Vec::new()).unwrap_err().named("a.onnx");
        assert!(!error.to_string().contains('\u{1b}'));
        assert!(shown(&"x".repeat(10_000)).len() < 500);
    }
}
