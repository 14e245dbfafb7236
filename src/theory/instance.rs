//! The small world of an example or reject: networks given as chains, values, and facts about what stays open.

use crate::kernel::derive::{Step, Theorems, Workspace};
use crate::kernel::net::{Activation, Architecture, Size};
use crate::kernel::object::{Constraint, Dependence, Entry, NetObject, Object, Objects, Part};
use crate::kernel::signature;
use crate::kernel::term::{Formula, Relation, Substitution, Term};
use crate::kernel::theorem::{Status, Theorem};
use crate::point;
use crate::syntax::ast::{self, Binding, BindingValue, Expr, ExprKind, PropKind, Rel};
use crate::syntax::lower;
use crate::text::{Diagnostic, Span};
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};

/// What the bindings of an example or reject say.
pub struct Instance {
    pub objects: Objects,
    /// Values of parameters; a network keeps the name of its parameter.
    pub values: Substitution,
    /// Parameters about which only facts are known.
    pub open: BTreeSet<String>,
    /// Quantities whose values are given.
    pub given: BTreeMap<Term, Term>,
    /// Properties that are given.
    pub holding: BTreeSet<Formula>,
}

fn malformed(title: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0211", title).at(span, "")
}

impl Instance {
    /// Errors: a value of another kind, a fact that is no equality of a quantity and no property.
    pub fn new(bindings: &[Binding], parameters: &[String]) -> Result<Instance, Diagnostic> {
        let scope = super::compile::Parameters(parameters.to_vec());
        let mut instance = Instance {
            objects: Objects::proposing(point::propose),
            values: Substitution::new(),
            open: parameters.iter().cloned().collect(),
            given: BTreeMap::new(),
            holding: BTreeSet::new(),
        };
        for binding in bindings {
            let Binding::Value { name, value } = binding else { continue };
            if !parameters.contains(&name.name) {
                return Err(malformed(
                    &format!("expected a parameter of the theorem, found `{}`", name.name),
                    name.span,
                ));
            }
            if !instance.open.remove(&name.name) {
                return Err(malformed(&format!("expected one value for `{}`", name.name), name.span));
            }
            match value {
                BindingValue::Expr(expr) => {
                    let term = lower::term(expr, &super::compile::Parameters(Vec::new()))?;
                    instance.values.insert(name.name.clone(), term);
                }
                BindingValue::Chain(chain) => instance.network(&name.name, chain, Vec::new())?,
                BindingValue::Class(class) => instance.network(&name.name, &class.chain, constraints(class)?)?,
            }
        }
        for binding in bindings {
            if let Binding::Fact(prop) = binding {
                let formula = lower::formula(prop, &scope)?.substitute(&instance.values);
                match formula {
                    Formula::Compare(quantity @ Term::Quantity(..), Relation::Eq, value) => {
                        instance.given.insert(quantity, value);
                    }
                    // `1 = 1` stands where a theorem has no parameters.
                    Formula::Compare(Term::Number(a), Relation::Eq, Term::Number(b)) if a == b => {}
                    property @ Formula::Holds(..) => {
                        instance.holding.insert(property);
                    }
                    _ => return Err(malformed("expected a value, `quantity = value` or a property", prop.span)),
                }
            }
        }
        Ok(instance)
    }

    fn network(&mut self, name: &str, chain: &ast::Chain, constraints: Vec<Constraint>) -> Result<(), Diagnostic> {
        let architecture = architecture(chain)?;
        let object = Object::Net(NetObject { architecture, network: None, constraints });
        let dependence = Dependence::Known(BTreeSet::new());
        self.objects.entries.insert(name.to_string(), Entry { object, dependence });
        Ok(())
    }

    /// A formula with the values put in, and the given quantities replaced by their values.
    pub fn formula(&self, formula: &Formula) -> Formula {
        let formula = formula.substitute(&self.values);
        let term = |term: &Term| self.replace(term);
        match &formula {
            Formula::Compare(a, relation, b) => Formula::Compare(term(a), *relation, term(b)),
            Formula::Within(a, low, high) => Formula::Within(term(a), term(low), term(high)),
            _ => formula,
        }
    }

    /// The conclusion: its left side stays a quantity.
    pub fn conclusion(&self, ensures: &Formula) -> Formula {
        match ensures.substitute(&self.values) {
            Formula::Compare(left, relation, right) => Formula::Compare(left, relation, self.replace(&right)),
            Formula::Within(left, low, high) => Formula::Within(left, self.replace(&low), self.replace(&high)),
            other => other,
        }
    }

    fn replace(&self, term: &Term) -> Term {
        if let Some(value) = self.given.get(term) {
            return value.clone();
        }
        match term {
            Term::Apply(op, arguments) => Term::Apply(*op, arguments.iter().map(|a| self.replace(a)).collect()),
            other => other.clone(),
        }
    }

    /// Whether a formula speaks of an open parameter, so that nothing but the given facts can decide it.
    pub fn is_open(&self, formula: &Formula) -> bool {
        let mut names = BTreeSet::new();
        formula.names(&mut names);
        !names.is_disjoint(&self.open)
    }

    /// Statements that give the facts on networks to the kernel, and the steps that use them. The Lipschitz constants of the
    /// networks' activations come from the library.
    pub fn facts(&self, library: &super::Library) -> (Theorems, Vec<Step>) {
        let mut theorems = library.theorems();
        let mut steps = Vec::new();
        for (quantity, value) in &self.given {
            let ensures = Formula::Compare(quantity.clone(), Relation::Eq, value.clone());
            if !self.is_open(&ensures) {
                let name = format!("given.{}", steps.len());
                steps.push(Step::Theorem { name: name.clone(), bindings: Vec::new() });
                theorems.insert(name.clone(), bare(&name, ensures));
            }
        }
        for entry in self.objects.entries.values() {
            let Object::Net(net) = &entry.object else { continue };
            for node in &net.architecture.nodes {
                if let crate::kernel::net::Op::Activation(activation) = &node.op {
                    steps.extend(library.entries.iter().filter_map(|entry| lipschitz(&entry.theorem, activation)));
                }
            }
        }
        (theorems, steps)
    }
}

/// A statement without parameters and requirements.
pub fn bare(name: &str, ensures: Formula) -> Theorem {
    Theorem {
        name: name.to_string(),
        parameters: Vec::new(),
        requires: Vec::new(),
        ensures,
        failure: None,
        status: Status::Unproved,
    }
}

/// The step that gives the Lipschitz constant of an activation, where the theorem states it.
fn lipschitz(theorem: &Theorem, activation: &Activation) -> Option<Step> {
    let Formula::Compare(Term::Quantity(head, arguments), ..) = &theorem.ensures else { return None };
    if head != "activation_lipschitz" {
        return None;
    }
    let bindings = match (arguments.as_slice(), activation.symbol()) {
        ([Term::Quantity(a, parameter)], Term::Quantity(b, value)) if *a == b => match parameter.as_slice() {
            [Term::Name(name)] => vec![(name.clone(), value.first()?.clone())],
            _ => return None,
        },
        ([a], b) if *a == b => Vec::new(),
        _ => return None,
    };
    Some(Step::Theorem { name: theorem.name.clone(), bindings })
}

fn number(expr: &Expr) -> Result<BigRational, Diagnostic> {
    let term = lower::term(expr, &super::compile::Parameters(Vec::new()))?;
    let (objects, theorems, structures) = (Objects::proposing(point::propose), Theorems::new(), BTreeMap::new());
    let value = Workspace::new(&objects, &theorems, &structures).evaluate(&term).map(|(value, _)| value.as_rational());
    value.ok().flatten().ok_or_else(|| malformed(&format!("expected an exact number, found `{term}`"), expr.span))
}

fn architecture(chain: &ast::Chain) -> Result<Architecture, Diagnostic> {
    let mut sizes: Vec<Size> = Vec::new();
    for expr in &chain.sizes {
        let value = number(expr)?;
        let size = if value.is_integer() { value.to_integer().to_u128() } else { None };
        let size = size.filter(|size| *size > 0);
        sizes.push(size.ok_or_else(|| malformed(&format!("expected a positive size, found {value}"), expr.span))?);
    }
    let activation = match &chain.activation {
        None => Activation::Identity,
        Some(method) => activation(method)?,
    };
    Architecture::dense_chain(&sizes, &activation).map_err(|error| malformed(&error.to_string(), chain.span))
}

fn activation(method: &ast::Method) -> Result<Activation, Diagnostic> {
    let parameter = match method.args.as_slice() {
        [] => None,
        [ast::Arg { value: ast::ArgValue::Expr(expr), .. }] => Some(number(expr)?),
        _ => return Err(malformed("expected one parameter of the activation", method.span)),
    };
    match (Activation::named(&method.name.name), parameter) {
        (Some(Activation::LeakyRelu(_)), Some(slope)) => Ok(Activation::LeakyRelu(slope)),
        (Some(Activation::Elu(_)), Some(alpha)) => Ok(Activation::Elu(alpha)),
        (Some(activation), None) => Ok(activation),
        _ => Err(malformed(&format!("expected an activation, found `{}`", method.name.name), method.span)),
    }
}

/// `|W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..3`
fn constraints(class: &ast::ClassLiteral) -> Result<Vec<Constraint>, Diagnostic> {
    let wrong =
        |span| malformed("expected `|W[l]|_norm <= bound` or `|b[l]|_norm <= bound`, with `for l in 1..n`", span);
    let Some(binder) = &class.index else { return Err(wrong(class.span)) };
    let ExprKind::Range { start, end } = &binder.bound.kind else { return Err(wrong(binder.span)) };
    let (from, to) = (number(start)?.to_integer().to_usize(), number(end)?.to_integer().to_usize());
    let (Some(from), Some(to)) = (from, to) else { return Err(wrong(binder.span)) };
    let mut constraints = Vec::new();
    for prop in &class.constraints {
        let PropKind::Relation { first, rest } = &prop.kind else { return Err(wrong(prop.span)) };
        let ([(Rel::Le, bound)], ExprKind::Norm { expr, norm: Some(norm) }) = (rest.as_slice(), &first.kind) else {
            return Err(wrong(prop.span));
        };
        let part = match &expr.kind {
            ExprKind::Index { base, .. } if base.as_name() == Some("W") => Part::Weight,
            ExprKind::Index { base, .. } if base.as_name() == Some("b") => Part::Bias,
            _ => return Err(wrong(prop.span)),
        };
        let norm = match norm.name.as_str() {
            "spec" | "2" => "l2",
            "1" => "l1",
            "inf" => "linf",
            other => other,
        };
        if !signature::NORMS.contains(&norm) {
            return Err(wrong(prop.span));
        }
        let bound = Term::Number(number(bound)?);
        let constraint = |layer| Constraint { part, layer, norm: norm.to_string(), bound: bound.clone() };
        constraints.extend((from..=to).map(constraint));
    }
    Ok(constraints)
}
