//! The library of theorems: text blocks, compiled for the kernel.
//!
//! The statements under `library/` are part of what a result trusts: the kernel substitutes and evaluates them as written.
//! Parsing and sort inference here are checked by the blocks' own examples and rejects.

pub mod check;
pub mod compile;
mod instance;
pub mod rate;
pub mod render;
pub mod survey;

use crate::kernel::derive::Theorems;
use crate::kernel::theorem::Theorem;
use crate::syntax::ast;
use crate::text::{Diagnostic, Source};
use rate::Rate;
use std::collections::BTreeMap;

/// One theorem with what a reader wants to know of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub theorem: Theorem,
    pub title: String,
    pub source: String,
    pub survey: Option<String>,
    pub formal: Option<String>,
    pub note: Option<String>,
    pub aliases: Vec<String>,
    /// The block as parsed, with its examples and rejects.
    pub block: ast::Theorem,
    /// The canonical text of the block.
    pub text: String,
    /// SHA-256 of the canonical text, in hexadecimal.
    pub hash: String,
}

/// All theorems, in the order of the files.
#[derive(Clone, Debug, Default)]
pub struct Library {
    pub entries: Vec<Entry>,
    /// Statements without a computable constant; no derivation can use them.
    pub rates: Vec<Rate>,
    pub files: Vec<File>,
}

/// A file of theorems and the places of its theorems among the entries.
#[derive(Clone, Debug)]
pub struct File {
    pub source: Source,
    pub origin: compile::Origin,
    pub entries: std::ops::Range<usize>,
}

/// The embedded files.
const FILES: &[(&str, &str)] = &[
    ("activation.thm", include_str!("library/activation.thm")),
    ("norms.thm", include_str!("library/norms.thm")),
    ("lipschitz.thm", include_str!("library/lipschitz.thm")),
    ("range.thm", include_str!("library/range.thm")),
    ("vc.thm", include_str!("library/vc.thm")),
    ("vc_classes.thm", include_str!("library/vc_classes.thm")),
    ("pseudo_dimension.thm", include_str!("library/pseudo_dimension.thm")),
    ("regions.thm", include_str!("library/regions.thm")),
    ("covering.thm", include_str!("library/covering.thm")),
    ("entropy.thm", include_str!("library/entropy.thm")),
    ("rademacher.thm", include_str!("library/rademacher.thm")),
    ("chaining.thm", include_str!("library/chaining.thm")),
    ("uniform.thm", include_str!("library/uniform.thm")),
    ("deviation.thm", include_str!("library/deviation.thm")),
    ("occam.thm", include_str!("library/occam.thm")),
    ("finite_class.thm", include_str!("library/finite_class.thm")),
    ("pac_bayes.thm", include_str!("library/pac_bayes.thm")),
    ("margin.thm", include_str!("library/margin.thm")),
    ("margin_grid.thm", include_str!("library/margin_grid.thm")),
    ("test_set.thm", include_str!("library/test_set.thm")),
    ("held_out.thm", include_str!("library/held_out.thm")),
    ("stability.thm", include_str!("library/stability.thm")),
    ("information.thm", include_str!("library/information.thm")),
    ("kernel.thm", include_str!("library/kernel.thm")),
    ("optimization.thm", include_str!("library/optimization.thm")),
    ("double_descent.thm", include_str!("library/double_descent.thm")),
    ("no_free_lunch.thm", include_str!("library/no_free_lunch.thm")),
    ("approximation.thm", include_str!("library/approximation.thm")),
    ("rates.thm", include_str!("library/rates.thm")),
];

impl Library {
    /// The embedded library. Errors in it are caught by its tests; they are returned all the same.
    pub fn embedded() -> (Library, Vec<(Option<Source>, Diagnostic)>) {
        let mut library = Library::default();
        let mut problems = Vec::new();
        for (name, text) in FILES {
            match Source::new(format!("library/{name}"), *text) {
                Ok(source) => {
                    let diagnostics = library.add_source(&source, compile::Origin::Library);
                    problems.extend(diagnostics.into_iter().map(|diagnostic| (Some(source.clone()), diagnostic)));
                }
                Err(diagnostic) => problems.push((None, diagnostic)),
            }
        }
        (library, problems)
    }

    /// Adds every theorem of a `.thm` file. Returns the problems found; blocks without problems are added.
    pub fn add_source(&mut self, source: &Source, origin: compile::Origin) -> Vec<Diagnostic> {
        let parsed = crate::syntax::parse(source);
        let mut diagnostics = parsed.diagnostics;
        let first = self.entries.len();
        for item in &parsed.file.items {
            match &item.kind {
                ast::ItemKind::Theorem(block) => diagnostics.extend(self.add(block, origin).err()),
                _ => diagnostics.push(
                    Diagnostic::error("E0205", "expected theorems only in a file of theorems")
                        .at(item.span, "another item"),
                ),
            }
        }
        self.files.push(File { source: source.clone(), origin, entries: first..self.entries.len() });
        diagnostics
    }

    /// The theorems of a file.
    pub fn of(&self, file: &File) -> &[Entry] {
        self.entries.get(file.entries.clone()).unwrap_or_default()
    }

    /// Compiles one block. Errors: a name in use, or a statement that does not type.
    pub fn add(&mut self, block: &ast::Theorem, origin: compile::Origin) -> Result<(), Diagnostic> {
        if self.find(&block.name.name).is_some() || self.rate(&block.name.name).is_some() {
            return Err(Diagnostic::error("E0129", format!("the theorem `{}` exists already", block.name.name))
                .at(block.name.span, "a second one of this name"));
        }
        if rate::is_rate(block) {
            self.rates.push(rate::compile(block)?);
        } else {
            self.entries.push(compile::compile(block, origin)?);
        }
        Ok(())
    }

    pub fn rate(&self, name: &str) -> Option<&Rate> {
        self.rates.iter().find(|rate| rate.name == name)
    }

    /// By name or former name.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        let by_name = self.entries.iter().find(|entry| entry.theorem.name == name);
        by_name.or_else(|| self.entries.iter().find(|entry| entry.aliases.iter().any(|alias| alias == name)))
    }

    /// The statements for the kernel.
    pub fn theorems(&self) -> Theorems {
        self.entries.iter().map(|entry| (entry.theorem.name.clone(), entry.theorem.clone())).collect()
    }

    pub fn order(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.theorem.name.clone()).collect()
    }

    pub fn aliases(&self) -> BTreeMap<String, Vec<String>> {
        let with_aliases = self.entries.iter().filter(|entry| !entry.aliases.is_empty());
        with_aliases.map(|entry| (entry.theorem.name.clone(), entry.aliases.clone())).collect()
    }
}
