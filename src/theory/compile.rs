//! From a theorem block to the kernel's theorem: lowering, sorts, canonical text.

use super::Entry;
use crate::kernel::signature;
use crate::kernel::term::{Formula, Op, Term};
use crate::kernel::theorem::{Sort, Status, Theorem};
use crate::syntax::{ast, lower, print_item};
use crate::text::{Diagnostic, Span, did_you_mean};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where a block comes from: a user's theorem never counts as proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Library,
    User,
}

/// A theorem's scope: its parameters only.
pub(super) struct Parameters(pub(super) Vec<String>);

impl lower::Scope for Parameters {
    fn arity(&self, _: &str) -> Option<usize> {
        None
    }

    fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|parameter| parameter == name)
    }

    fn suggestions(&self) -> Vec<String> {
        self.0.clone()
    }
}

/// The sort that a word in a parameter list names.
pub fn sort(name: &str) -> Option<Sort> {
    Some(match name {
        "net" | "network" => Sort::Net,
        "law" => Sort::Law,
        "predictor" => Sort::Predictor,
        "map" => Sort::Map,
        "domain" => Sort::Domain,
        "sample" => Sort::Sample,
        "class" => Sort::Class,
        "norm" => Sort::Norm,
        "loss" => Sort::Loss,
        "activation" => Sort::Activation,
        "nat" | "natural" => Sort::Natural,
        "real" | "probability" => Sort::Real,
        _ => return None,
    })
}

const SORTS: &[&str] = &[
    "net",
    "law",
    "predictor",
    "map",
    "domain",
    "sample",
    "class",
    "norm",
    "loss",
    "activation",
    "natural",
    "real",
    "probability",
];

/// The word for a sort.
pub fn sort_word(of: Sort) -> &'static str {
    SORTS.iter().find(|word| sort(word) == Some(of)).copied().unwrap_or_default()
}

/// The sorts that a block names. Errors: a word that is no sort, a parameter called like a constant.
pub fn sorts(block: &ast::Theorem) -> Result<BTreeMap<String, Sort>, Diagnostic> {
    let mut sorts: BTreeMap<String, Sort> = BTreeMap::new();
    for parameter in &block.params {
        // Inside a formula the name would be the constant.
        let name = &parameter.name;
        if matches!(name.name.as_str(), "pi" | "e" | "inf") {
            let title = format!("expected a new name, found `{}`, which has a meaning already", name.name);
            return Err(Diagnostic::error("E0128", title).at(name.span, "a constant").help("rename the parameter"));
        }
        let Some(word) = &parameter.sort else { continue };
        let Some(sort) = sort(&word.name) else {
            let diagnostic =
                Diagnostic::error("E0206", format!("expected a sort, found `{}`", word.name)).at(word.span, "");
            return Err(match did_you_mean(&word.name, SORTS.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.note(format!("sorts: {}", SORTS.join(", "))),
            });
        };
        sorts.insert(parameter.name.name.clone(), sort);
    }
    Ok(sorts)
}

/// Compiles a block. Errors: an unknown name, a wrong number of arguments, a wrong sort, a conclusion that bounds nothing.
pub fn compile(block: &ast::Theorem, origin: Origin) -> Result<Entry, Diagnostic> {
    let names: Vec<String> = block.params.iter().map(|p| p.name.name.clone()).collect();
    let scope = Parameters(names.clone());
    let mut sorts = sorts(block)?;
    let requires = block.requires.iter().map(|prop| lower::formula(prop, &scope)).collect::<Result<Vec<_>, _>>()?;
    let ensures = lower::formula(&block.ensures, &scope)?;
    let failure = match &block.probability {
        // `with probability >= 1 - delta`: the failure is 1 minus it.
        Some(expr) => {
            let probability = lower::term(expr, &scope)?;
            Some(failure_of(probability))
        }
        None => None,
    };
    let mut checker = Checker { sorts: &mut sorts, names: &names, span: block.name.span };
    for formula in requires.iter().chain([&ensures]) {
        checker.formula(formula)?;
    }
    let is_bound = match &ensures {
        Formula::Compare(left @ Term::Quantity(..), ..) | Formula::Within(left @ Term::Quantity(..), ..) => {
            matches!(left, Term::Quantity(head, _) if signature::quantity(head).is_some())
        }
        _ => false,
    };
    if !is_bound {
        return Err(Diagnostic::error(
            "E0207",
            "expected a conclusion with one quantity on the left, such as `vcdim(H) <= ...`",
        )
        .at(block.ensures.span, "not a bound on a quantity"));
    }
    let status = match (origin, block.status.as_ref().map(|status| status.name.as_str())) {
        (Origin::User, _) | (_, Some("unproved")) => Status::Unproved,
        (_, Some("proved")) => Status::Proved,
        (_, Some("derived")) => Status::Derived,
        (_, Some("recalled") | None) => Status::Recalled,
        (_, Some(other)) => {
            return Err(Diagnostic::error("E0208", format!("expected a status, found `{other}`"))
                .at(block.name.span, "in this theorem")
                .help("one of: proved, derived, recalled, unproved"));
        }
    };
    // What is used in no formula is a number: only a number can be given without an object.
    let parameters =
        names.iter().map(|name| (name.clone(), sorts.get(name).copied().unwrap_or(Sort::Real))).collect::<Vec<_>>();
    let theorem = Theorem { name: block.name.name.clone(), parameters, requires, ensures, failure, status };
    let item = ast::Item { kind: ast::ItemKind::Theorem(Box::new(block.clone())), span: block.name.span };
    let text = print_item(&item);
    let hash = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let content = |field: &Option<ast::Text>| field.as_ref().map(|text| text.text.clone());
    Ok(Entry {
        theorem,
        title: content(&block.title).unwrap_or_else(|| block.name.name.clone()),
        source: content(&block.source).unwrap_or_else(|| "no source".to_string()),
        survey: content(&block.survey),
        formal: content(&block.formal),
        note: content(&block.note),
        aliases: block.aliases.iter().map(|alias| alias.name.clone()).collect(),
        block: block.clone(),
        text,
        hash,
    })
}

fn failure_of(probability: Term) -> Term {
    match probability {
        // 1 - delta
        Term::Apply(Op::Add, terms) => match terms.as_slice() {
            [one, Term::Apply(Op::Neg, inner)] if *one == Term::int(1) && inner.len() == 1 => inner[0].clone(),
            _ => Term::Apply(Op::Add, vec![Term::int(1), Term::Apply(Op::Neg, vec![Term::Apply(Op::Add, terms)])]),
        },
        other => Term::Apply(Op::Add, vec![Term::int(1), Term::Apply(Op::Neg, vec![other])]),
    }
}

/// Checks sorts against the vocabulary and infers those of unsorted parameters.
struct Checker<'a> {
    sorts: &'a mut BTreeMap<String, Sort>,
    names: &'a [String],
    span: Span,
}

impl Checker<'_> {
    fn formula(&mut self, formula: &Formula) -> Result<(), Diagnostic> {
        match formula {
            Formula::Compare(a, _, b) => {
                self.number(a)?;
                self.number(b)
            }
            Formula::Within(a, low, high) => {
                self.number(a)?;
                self.number(low)?;
                self.number(high)
            }
            Formula::Holds(name, arguments) => {
                let sorts = signature::predicate(name).map_or(&[][..], |p| p.arguments);
                self.arguments(name, sorts, arguments)
            }
            Formula::And(parts) => parts.iter().try_for_each(|part| self.formula(part)),
            Formula::ForAll { from, to, body, .. } | Formula::ForReal { from, to, body, .. } => {
                self.number(from)?;
                self.number(to)?;
                self.formula(body)
            }
            Formula::ForEach { members, body, .. } => {
                members.iter().try_for_each(|member| self.number(member))?;
                self.formula(body)
            }
        }
    }

    fn number(&mut self, term: &Term) -> Result<(), Diagnostic> {
        match term {
            Term::Name(name) => self.expect(name, Sort::Real),
            Term::Apply(_, arguments) => arguments.iter().try_for_each(|argument| self.number(argument)),
            Term::Big { from, to, body, .. } => {
                self.number(from)?;
                self.number(to)?;
                self.number(body)
            }
            Term::Cases(branches) => branches.iter().try_for_each(|(condition, value)| {
                condition.iter().try_for_each(|condition| self.formula(condition))?;
                self.number(value)
            }),
            Term::Quantity(head, arguments) => match signature::quantity(head) {
                Some(quantity) => self.arguments(head, quantity.arguments, arguments),
                None => Err(self.problem(format!("expected a number, found `{term}`"))),
            },
            Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => Ok(()),
        }
    }

    fn arguments(&mut self, head: &str, sorts: &[Sort], arguments: &[Term]) -> Result<(), Diagnostic> {
        for (sort, argument) in sorts.iter().zip(arguments) {
            self.argument(head, *sort, argument)?;
        }
        Ok(())
    }

    fn argument(&mut self, head: &str, sort: Sort, argument: &Term) -> Result<(), Diagnostic> {
        match (sort, argument) {
            (Sort::Natural | Sort::Real, _) => self.number(argument),
            (_, Term::Name(name)) => self.expect(name, sort),
            (_, Term::Quantity(constructor, inner)) => match signature::constructor(constructor) {
                Some(found) if found.result == sort => self.arguments(constructor, found.arguments, inner),
                _ => {
                    Err(self.problem(format!("expected an argument of sort {sort:?} in `{head}`, found `{argument}`")))
                }
            },
            _ => Err(self.problem(format!("expected an argument of sort {sort:?} in `{head}`, found `{argument}`"))),
        }
    }

    /// A name at a place of this sort: a parameter gets or has it, anything else is a symbol or bound variable.
    fn expect(&mut self, name: &str, sort: Sort) -> Result<(), Diagnostic> {
        if !self.names.iter().any(|parameter| parameter == name) {
            return Ok(());
        }
        let known = *self.sorts.entry(name.to_string()).or_insert(sort);
        let fits = known == sort
            || matches!((known, sort), (Sort::Natural, Sort::Real) | (Sort::Real, Sort::Natural))
            // A net is a map on its whole input space.
            || (known == Sort::Net && sort == Sort::Map)
            || (matches!(known, Sort::Net | Sort::Law) && sort == Sort::Predictor);
        if fits {
            Ok(())
        } else {
            Err(self.problem(format!("expected `{name}` of sort {sort:?}, found sort {known:?}")))
        }
    }

    fn problem(&self, title: String) -> Diagnostic {
        Diagnostic::error("E0206", title).at(self.span, "in this theorem")
    }
}
