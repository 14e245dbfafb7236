//! A method of a claim: `by test_set(D.test)`, `by finite_class(bits: 32, on: D.train)`.

use crate::kernel::term::Term;
use num_rational::BigRational;
use std::collections::BTreeMap;
use std::time::Duration;

/// A method with its arguments, lowered to terms.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Method {
    pub name: String,
    pub positional: Vec<Term>,
    pub named: Vec<(String, Term)>,
    /// The time that the claim gives the method, where it is a search.
    pub within: Option<Duration>,
}

impl Method {
    pub fn argument(&self, name: &str) -> Option<&Term> {
        self.named.iter().find(|(n, _)| n == name).map(|(_, term)| term)
    }

    /// The values that a claim with this method states, by name.
    pub fn stated(&self) -> BTreeMap<String, Term> {
        self.named.iter().cloned().collect()
    }

    /// A named argument that is a number.
    pub fn number(&self, name: &str) -> Option<&BigRational> {
        match self.argument(name)? {
            Term::Number(q) => Some(q),
            _ => None,
        }
    }

    /// Whether a theorem `topic.idea` or one of its aliases answers to this method: by its full name, its idea
    /// (`bhlm2019` also names `vc.bhlm2019_implicit`), or its topic.
    pub fn names(&self, theorem: &str, aliases: &[String]) -> bool {
        let matches = |name: &str| {
            let (topic, idea) = name.split_once('.').unwrap_or(("", name));
            self.name == name
                || self.name == topic
                || idea.strip_prefix(self.name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        matches(theorem) || aliases.iter().any(|alias| matches(alias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_names_theorems_by_idea_topic_or_alias() {
        let method = |name: &str| Method { name: name.to_string(), ..Method::default() };
        for (name, theorem, expected) in [
            ("bhlm2019", "vc.bhlm2019_implicit", true),
            ("test_set", "test_set.clopper_pearson", true),
            ("vc.sauer_shelah", "vc.sauer_shelah", true),
            ("bhlm", "vc.bhlm2019_closed", false),
            ("vc", "vcx.other", false),
        ] {
            assert_eq!(method(name).names(theorem, &[]), expected, "{name} {theorem}");
        }
        assert!(method("old").names("vc.new", &["vc.old".to_string()]));
    }
}
