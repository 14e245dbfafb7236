//! What a check has to say, as plain data.

/// The kind of an item of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    Claim,
    Expect,
    Measure,
    /// One row of a `bounds` block, named `B.method`.
    Bound,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// `vacuous`: says no more than the trivial bound. `modulo`: rests on an unproved theorem or an undischarged assumption.
    Proved {
        vacuous: bool,
        modulo: bool,
    },
    Refuted,
    Unknown,
    /// `expect` only.
    Consistent,
    /// `expect` only.
    Contradicted,
    Measured,
    Error,
}

impl Verdict {
    pub const PROVED: Verdict = Verdict::Proved { vacuous: false, modulo: false };

    /// The word of the JSON format.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Proved { .. } => "proved",
            Verdict::Refuted => "refuted",
            Verdict::Unknown => "unknown",
            Verdict::Consistent => "consistent",
            Verdict::Contradicted => "contradicted",
            Verdict::Measured => "measured",
            Verdict::Error => "error",
        }
    }

    pub fn glyph(self) -> &'static str {
        match self {
            Verdict::Proved { vacuous: false, modulo: false } => "✓",
            Verdict::Proved { vacuous: true, modulo: false } => "✓∅",
            Verdict::Proved { vacuous: false, modulo: true } => "✓†",
            Verdict::Proved { vacuous: true, modulo: true } => "✓∅†",
            Verdict::Refuted => "✗",
            Verdict::Unknown => "?",
            Verdict::Consistent => "≈",
            Verdict::Contradicted => "≉",
            Verdict::Measured => "·",
            Verdict::Error => "!",
        }
    }

    /// What stands for the glyph where only ASCII is allowed; `*` is the dagger.
    pub fn ascii(self) -> &'static str {
        match self {
            Verdict::Proved { vacuous: true, modulo: false } => "vacuous",
            Verdict::Proved { vacuous: false, modulo: true } => "proved*",
            Verdict::Proved { vacuous: true, modulo: true } => "vacuous*",
            other => other.word(),
        }
    }
}

/// One claim, expectation, measurement or bound, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemView {
    pub kind: ItemKind,
    pub name: String,
    pub verdict: Verdict,
    /// In the language of specs.
    pub statement: String,
    /// For the terminal, instead of `statement`: holes filled, in mathematical notation.
    pub shown: Option<String>,
    /// A few words for the right-hand column, instead of `method`.
    pub detail: Option<String>,
    /// Whole lines below the item.
    pub notes: Vec<String>,
    /// Name of the theorem or procedure.
    pub method: Option<String>,
    /// Author, year, number.
    pub source: Option<String>,
    /// Enclosure of the left-hand quantity: an integer, `p/q`, or an outward-rounded decimal of 17 digits or more.
    pub lower: Option<String>,
    pub upper: Option<String>,
    /// The bound for a table, with a few digits: `8`, `<= 7344`, `[-1, 1]`.
    pub bound: Option<String>,
    /// How many times the trivial bound 1 an upper bound of a risk is.
    pub factor: Option<String>,
    /// Failure probability drawn from the ledger, in the same form.
    pub delta: Option<String>,
    pub assumptions: Vec<String>,
    /// Why the verdict carries a dagger.
    pub daggers: Vec<String>,
    /// A counterexample, or the best known example.
    pub witness: Option<String>,
    /// The verdict is the one that `expecting` asks for.
    pub expected: bool,
    /// 1-based line of the spec.
    pub line: usize,
}

impl ItemView {
    /// An item without anything optional.
    pub fn new(kind: ItemKind, name: &str, verdict: Verdict, statement: &str, line: usize) -> ItemView {
        ItemView {
            kind,
            name: name.to_string(),
            verdict,
            statement: statement.to_string(),
            shown: None,
            detail: None,
            notes: Vec::new(),
            method: None,
            source: None,
            lower: None,
            upper: None,
            bound: None,
            factor: None,
            delta: None,
            assumptions: Vec::new(),
            daggers: Vec::new(),
            witness: None,
            expected: false,
            line,
        }
    }
}

/// An object of the setting with its one-line description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingView {
    pub name: String,
    pub text: String,
}

/// A file that the check read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileView {
    pub path: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
}

/// A training run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainingView {
    pub name: String,
    pub text: String,
    /// Hash of the trained weights.
    pub sha256: String,
    pub line: usize,
}

/// The failure budget of the spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerView {
    pub budget: String,
    pub spent: String,
    /// Who drew how much.
    pub parts: Vec<(String, String)>,
    /// `1 - spent`: the probability with which everything holds at once.
    pub together: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
    Note,
}

impl Severity {
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// One diagnostic, as scripts want it. People read the full rendering, which is made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiagnosticView {
    pub code: String,
    pub severity: Severity,
    /// 1-based.
    pub line: usize,
    /// 1-based.
    pub column: usize,
    pub message: String,
}

/// Everything that `check` says about one spec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckView {
    pub title: Option<String>,
    /// Path of the spec as the user wrote it.
    pub spec: String,
    pub setting: Vec<SettingView>,
    pub files: Vec<FileView>,
    pub training: Vec<TrainingView>,
    /// In the order of the spec.
    pub items: Vec<ItemView>,
    /// Of the whole spec; those of single items are added when shown.
    pub assumptions: Vec<String>,
    /// What the numbers are about.
    pub semantics: Option<String>,
    pub ledger: Option<LedgerView>,
    pub diagnostics: Vec<DiagnosticView>,
    /// Files that the check wrote.
    pub written: Vec<String>,
    pub exit: u8,
}

impl CheckView {
    /// How many items have which verdict, in a fixed order, zeros left out. A verdict that was asked for counts apart.
    pub fn counts(&self) -> Vec<(&'static str, usize)> {
        const ORDER: [&str; 15] = [
            "proved",
            "vacuous",
            "proved modulo",
            "vacuous modulo",
            "refuted",
            "refuted as expected",
            "unknown",
            "unknown as expected",
            "consistent",
            "contradicted",
            "measured",
            "error",
            "error as expected",
            "warning",
            "warnings",
        ];
        let class = |item: &ItemView| match (item.verdict, item.expected) {
            (Verdict::Proved { vacuous: true, modulo: true }, _) => "vacuous modulo",
            (Verdict::Proved { vacuous: true, modulo: false }, _) => "vacuous",
            (Verdict::Proved { vacuous: false, modulo: true }, _) => "proved modulo",
            (Verdict::Refuted, true) => "refuted as expected",
            (Verdict::Unknown, true) => "unknown as expected",
            (Verdict::Error, true) => "error as expected",
            (verdict, _) => verdict.word(),
        };
        let warnings = self.diagnostics.iter().filter(|d| d.severity == Severity::Warning).count();
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for word in ORDER {
            let count = match word {
                "warning" => usize::from(warnings == 1),
                "warnings" => {
                    if warnings > 1 {
                        warnings
                    } else {
                        0
                    }
                }
                word => self.items.iter().filter(|item| class(item) == word).count(),
            };
            if count > 0 {
                counts.push((word, count));
            }
        }
        counts
    }
}
