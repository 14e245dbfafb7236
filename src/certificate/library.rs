//! The library for other programs: every theorem with its statement as certificates spell terms and formulas, and the vocabulary.
//! Trust: untrusted; a second checker reads it and can compare it with the texts beside it.

use super::encode::{formula, map, term, text};
use crate::kernel::certificate::json::Json;
use crate::kernel::signature::{self, Codomain};
use crate::theory::compile::sort_word;
use crate::theory::{Entry, Library};

/// All theorems and quantities, by name, as one JSON text in the spelling of certificates.
pub fn library(library: &Library) -> String {
    let theorems = library.entries.iter().map(|entry| (entry.theorem.name.clone(), theorem(entry))).collect();
    let quantities =
        signature::QUANTITIES.iter().map(|quantity| (quantity.name.to_string(), text(codomain(quantity.codomain))));
    map([("quantities", Json::Map(quantities.collect())), ("theorems", Json::Map(theorems))]).render()
}

/// One theorem.
pub fn theorem(entry: &Entry) -> Json {
    let theorem = &entry.theorem;
    let parameters = theorem.parameters.iter().map(|(name, sort)| Json::List(vec![text(name), text(sort_word(*sort))]));
    map([
        ("ensures", formula(&theorem.ensures)),
        ("failure", theorem.failure.as_ref().map_or(Json::Null, term)),
        ("parameters", Json::List(parameters.collect())),
        ("requires", Json::List(theorem.requires.iter().map(formula).collect())),
        ("sha256", text(&entry.hash)),
        ("status", text(super::word(theorem.status))),
        ("text", text(&entry.text)),
    ])
}

fn codomain(codomain: Codomain) -> &'static str {
    match codomain {
        Codomain::Natural => "natural",
        Codomain::NonNegative => "nonnegative",
        Codomain::AtLeastOne => "at_least_one",
        Codomain::Unit => "unit",
        Codomain::Real => "real",
    }
}
