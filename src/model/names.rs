//! The names of a spec: what each stands for, and the terms that expressions denote.

use super::rename;
use crate::kernel::derive::{Theorems, Workspace};
use crate::kernel::net::Architecture;
use crate::kernel::object::{Domain, Objects};
use crate::kernel::signature;
use crate::kernel::term::{Definition, Formula, Op, Substitution, Term};
use crate::point;
use crate::syntax::ast::{self, Expr, ExprKind, Rel};
use crate::syntax::lower;
use crate::text::{Diagnostic, Span};
use num_rational::BigRational;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    Net,
    Domain,
    Sample,
    /// A prior or posterior.
    Law,
    Definition,
    /// `param w : nat`: a value that every claim which speaks of it gives.
    Parameter,
    Assumption,
    Statement,
    Theorem,
    /// A spec that is used under a name.
    Alias,
}

/// A network family `network f(m) = 10 -> m -> 1 relu`: an architecture for every value of its parameters.
#[derive(Clone, Debug)]
pub struct Family {
    pub parameters: Vec<String>,
    pub chain: ast::Chain,
}

/// `param w : nat >= 4`
#[derive(Clone, Debug)]
pub struct Parameter {
    pub is_natural: bool,
    pub bound: Option<(Rel, BigRational)>,
}

#[derive(Default)]
pub struct Names {
    /// Where each name was declared.
    pub declared: BTreeMap<String, (NameKind, Span)>,
    pub definitions: BTreeMap<String, Definition>,
    pub domains: BTreeMap<String, Domain>,
    /// Architectures that are known before any file is read.
    pub architectures: BTreeMap<String, Architecture>,
    /// Data sets that are read from files.
    pub data_files: BTreeSet<String>,
    pub families: BTreeMap<String, Family>,
    /// What a parameter may be.
    pub parameters: BTreeMap<String, Parameter>,
    /// The rows of each `bounds` block: `B.test_set`.
    pub rows: BTreeMap<String, Vec<String>>,
    /// What each `measure` measures.
    pub measures: BTreeMap<String, Term>,
    /// Values of parameters in the claim at hand.
    pub values: RefCell<BTreeMap<String, BigRational>>,
    /// Members of families that statements mention, by name (`f(16)`).
    pub instances: RefCell<BTreeMap<String, Architecture>>,
}

/// The kernel's symbol for a norm as written.
pub fn norm_symbol(name: &str) -> Option<&'static str> {
    Some(match name {
        "1" | "l1" => "l1",
        "2" | "l2" | "spec" => "l2",
        "inf" | "linf" => "linf",
        "fro" => "fro",
        "max" => "max",
        "21" | "l21" => "l21",
        _ => return None,
    })
}

impl lower::Scope for Names {
    fn arity(&self, name: &str) -> Option<usize> {
        let family = self.families.get(name).map(|family| family.parameters.len());
        family.or(self.definitions.get(name).map(|definition| definition.parameters.len()).filter(|n| *n > 0))
    }

    fn knows(&self, name: &str) -> bool {
        self.declared.contains_key(name)
            || self.definitions.contains_key(name)
            || self.is_part_of_file(name)
            || self.is_row(name)
    }

    fn resolved(&self, dotted: String) -> String {
        let mut name = dotted;
        while let Some((alias, rest)) = name.split_once('.')
            && self.kind(alias) == Some(NameKind::Alias)
        {
            name = rename::under(alias, rest);
        }
        name
    }

    fn suggestions(&self) -> Vec<String> {
        self.declared.keys().chain(self.rows.values().flatten()).cloned().collect()
    }

    fn is_law(&self, name: &str) -> bool {
        self.declared.get(name).is_some_and(|(kind, _)| *kind == NameKind::Law)
    }

    fn members(&self, name: &str) -> Option<Vec<Term>> {
        self.rows.get(name).map(|rows| rows.iter().map(|row| Term::name(row)).collect())
    }
}

impl Names {
    /// Declares a name. Errors: it is taken, or belongs to the language.
    pub fn declare(&mut self, name: &str, kind: NameKind, span: Span) -> Result<(), Diagnostic> {
        let is_reserved = Op::named(name).is_some()
            || signature::quantity(name).is_some()
            || signature::constructor(name).is_some()
            || signature::predicate(name).is_some()
            || matches!(name, "pi" | "e" | "inf" | "sum" | "prod" | "relu" | "tanh" | "sigmoid" | "log" | "claims");
        // A constant may be called `gamma`: the function of that name is always followed by an argument.
        let is_reserved = is_reserved && !(name == "gamma" && kind == NameKind::Definition);
        // A claim may bear the name of a quantity (`claim vc`, `claim range`): statements are not used inside terms.
        if is_reserved && !matches!(kind, NameKind::Statement | NameKind::Assumption) {
            return Err(Diagnostic::error(
                "E0128",
                format!("expected a new name, found `{name}`, which has a meaning already"),
            )
            .at(span, "belongs to the language"));
        }
        if let Some((_, first)) = self.declared.get(name) {
            return Err(Diagnostic::error("E0129", format!("`{name}` is declared twice"))
                .at(span, "declared again here")
                .because(*first, "first declared here"));
        }
        self.declared.insert(name.to_string(), (kind, span));
        Ok(())
    }

    /// `D.train` of a data set read from a file: which parts a file has is known when it is read.
    pub fn is_part_of_file(&self, name: &str) -> bool {
        name.split_once('.').is_some_and(|(base, _)| self.data_files.contains(base))
    }

    /// Whether the name is that of a row of a `bounds` block.
    pub fn is_row(&self, name: &str) -> bool {
        self.rows.values().flatten().any(|row| row == name)
    }

    pub fn kind(&self, name: &str) -> Option<NameKind> {
        self.declared.get(name).map(|(kind, _)| *kind)
    }

    /// The term that an expression denotes.
    pub fn term(&self, expr: &Expr) -> Result<Term, Diagnostic> {
        let term = lower::term(expr, self)?;
        self.instantiated(term).map_err(|error| error.at(expr.span, ""))
    }

    /// The term of an expression in which `variable` stands for a value to come.
    pub fn term_with(&self, expr: &Expr, variable: &str) -> Result<Term, Diagnostic> {
        lower::term_with(expr, self, &[variable.to_string()])
    }

    /// The formula that a proposition denotes.
    pub fn formula(&self, prop: &ast::Prop) -> Result<Formula, Diagnostic> {
        lower::formula(prop, self)
    }

    /// The exact value of a term without quantities.
    pub fn constant(&self, term: &Term) -> Result<BigRational, Diagnostic> {
        let mut definitions = self.definitions.clone();
        for (name, value) in self.values.borrow().iter() {
            let body = Term::Number(value.clone());
            definitions.insert(name.clone(), Definition { parameters: Vec::new(), body });
        }
        let objects = Objects { definitions, ..Objects::proposing(point::propose) };
        let (theorems, structures) = (Theorems::new(), BTreeMap::new());
        let workspace = Workspace::new(&objects, &theorems, &structures);
        match workspace.evaluate(term) {
            Ok((value, _)) => value.as_rational().ok_or_else(|| {
                Diagnostic::error("E0130", format!("expected an exactly known rational number, found `{term}`"))
            }),
            Err(error) => Err(Diagnostic::error("E0130", error.to_string())),
        }
    }

    /// The exact rational value of an expression.
    pub fn rational(&self, expr: &Expr) -> Result<BigRational, Diagnostic> {
        if let ExprKind::Number(number) = &expr.kind {
            return Ok(number.value.clone());
        }
        let term = lower::term(expr, self)?;
        self.constant(&term).map_err(|error| error.at(expr.span, "not a constant"))
    }

    /// A sample that an expression speaks of, itself or through definitions.
    pub fn sample_in(&self, expr: &Expr) -> Option<String> {
        let mut open = BTreeSet::new();
        lower::term(expr, self).ok()?.names(&mut open);
        let mut seen = BTreeSet::new();
        while let Some(name) = open.pop_first() {
            if self.kind(&name) == Some(NameKind::Sample) || self.is_part_of_file(&name) {
                return Some(name);
            }
            if let Some(definition) = self.definitions.get(&name).filter(|_| seen.insert(name.clone())) {
                definition.body.names(&mut open);
            }
        }
        None
    }

    /// A plain or dotted name: `D`, `D.train`.
    pub fn dotted(&self, expr: &Expr) -> Result<String, Diagnostic> {
        match &expr.kind {
            ExprKind::Name(name) => Ok(name.clone()),
            ExprKind::Field { base, field } => {
                Ok(lower::Scope::resolved(self, format!("{}.{}", self.dotted(base)?, field.name)))
            }
            _ => Err(Diagnostic::error("E0131", "expected a name").at(expr.span, "not a name")),
        }
    }

    /// Replaces `f(16)` by the name of the member of the family `f`, and remembers the member.
    pub fn instantiated(&self, term: Term) -> Result<Term, Diagnostic> {
        Ok(match term {
            Term::Quantity(head, arguments) => match self.families.get(&head) {
                Some(family) => self.member(&head, family, &arguments)?,
                None => {
                    let arguments = arguments.into_iter().map(|a| self.instantiated(a)).collect::<Result<_, _>>()?;
                    Term::Quantity(head, arguments)
                }
            },
            Term::Apply(op, arguments) => {
                Term::Apply(op, arguments.into_iter().map(|a| self.instantiated(a)).collect::<Result<_, _>>()?)
            }
            Term::Big { big, variable, from, to, body } => Term::Big {
                big,
                variable,
                from: Box::new(self.instantiated(*from)?),
                to: Box::new(self.instantiated(*to)?),
                body: Box::new(self.instantiated(*body)?),
            },
            other => other,
        })
    }

    fn member(&self, head: &str, family: &Family, arguments: &[Term]) -> Result<Term, Diagnostic> {
        if arguments.len() != family.parameters.len() {
            return Err(Diagnostic::error(
                "E0131",
                format!("expected {} argument(s) for `{head}`, found {}", family.parameters.len(), arguments.len()),
            ));
        }
        let mut inner = Names { definitions: self.definitions.clone(), ..Names::default() };
        let mut values = Vec::new();
        for (parameter, argument) in family.parameters.iter().zip(arguments) {
            let value = Term::Number(self.constant(argument)?);
            values.push(value.to_string());
            inner.definitions.insert(parameter.clone(), Definition { parameters: Vec::new(), body: value });
        }
        let name = format!("{head}({})", values.join(", "));
        if !self.instances.borrow().contains_key(&name) {
            let architecture = super::network::chain(&inner, &family.chain)?;
            self.instances.borrow_mut().insert(name.clone(), architecture);
        }
        Ok(Term::Name(name))
    }

    /// A parameter that the formula speaks of, with no value for it.
    pub fn open_parameter(&self, changes: impl Fn(&Substitution) -> bool) -> Option<&str> {
        let mut names = self.parameters.keys().map(String::as_str);
        // A name occurs freely where putting a value for it changes something.
        names.find(|name| changes(&[(name.to_string(), Term::Infinity)].into()))
    }

    /// Whether a formula mentions a family, so that its quantifiers must be expanded to reach the members.
    pub fn mentions_family(&self, formula: &Formula) -> bool {
        let text = formula.to_string();
        self.families.keys().any(|name| text.contains(&format!("{name}(")))
    }
}
