//! From expressions and propositions of the tree to the kernel's terms and formulas.
//!
//! What the tree says is kept: numbers stay exact, names stay names. An expression that has no meaning as a term gets a
//! diagnostic with its place. The names of a spec come in through [`Scope`]; theorems use the empty scope of their parameters.

use super::ast::{self, Arg, ArgValue, Binder, Expr, ExprKind, Prop, PropKind, Quantifier, Rel};
use super::units;
use crate::kernel::signature;
use crate::kernel::term::{Big, Formula, Op, Relation, Term};
use crate::text::{Diagnostic, Span, did_you_mean};

/// What a name may stand for beside the vocabulary of the kernel.
pub trait Scope {
    /// A definition or family with this many parameters, if the name is one.
    fn arity(&self, name: &str) -> Option<usize>;
    /// Whether a plain name is known; an unknown one is an error with a suggestion.
    fn knows(&self, name: &str) -> bool;
    /// The name that a dotted name stands for: `base.f` of a spec used as `base`.
    fn resolved(&self, dotted: String) -> String {
        dotted
    }
    /// Names to suggest.
    fn suggestions(&self) -> Vec<String>;
    /// What a name stands for that lists several values: the rows of a `bounds` block.
    fn members(&self, _name: &str) -> Option<Vec<Term>> {
        None
    }

    /// Whether a name is a prior or posterior.
    fn is_law(&self, _name: &str) -> bool {
        false
    }
}

/// Symbols that are terms by themselves.
fn is_symbol(name: &str) -> bool {
    signature::NORMS.contains(&name)
        || name == "spec"
        || signature::LOSSES.iter().any(|(loss, _)| *loss == name)
        || crate::kernel::net::Activation::named(name).is_some()
}

/// A name as the kernel writes it: `spec` is the operator norm l2.
fn symbol(name: &str) -> &str {
    if name == "spec" { "l2" } else { name }
}

struct Lowering<'s> {
    scope: &'s dyn Scope,
    /// Variables bound by quantifiers and big operators around the current place.
    bound: Vec<String>,
}

/// The term that an expression denotes.
pub fn term(expr: &Expr, scope: &dyn Scope) -> Result<Term, Diagnostic> {
    Lowering { scope, bound: Vec::new() }.term(expr)
}

/// The term of an expression in which these names are variables.
pub fn term_with(expr: &Expr, scope: &dyn Scope, variables: &[String]) -> Result<Term, Diagnostic> {
    Lowering { scope, bound: variables.to_vec() }.term(expr)
}

/// The formula that a proposition denotes.
pub fn formula(prop: &Prop, scope: &dyn Scope) -> Result<Formula, Diagnostic> {
    Lowering { scope, bound: Vec::new() }.formula(prop)
}

/// The formula of a proposition in which these names are variables.
pub fn formula_with(prop: &Prop, scope: &dyn Scope, variables: &[String]) -> Result<Formula, Diagnostic> {
    Lowering { scope, bound: variables.to_vec() }.formula(prop)
}

fn unsupported(what: &str, span: Span, works: &str) -> Diagnostic {
    Diagnostic::error("E0900", format!("{what} is not supported yet")).at(span, "").help(format!("what works: {works}"))
}

fn relation(rel: Rel) -> Option<Relation> {
    Some(match rel {
        Rel::Le => Relation::Le,
        Rel::Ge => Relation::Ge,
        Rel::Lt => Relation::Lt,
        Rel::Gt => Relation::Gt,
        Rel::Eq | Rel::Identical => Relation::Eq,
        Rel::Ne | Rel::In | Rel::Subset => return None,
    })
}

impl Lowering<'_> {
    fn term(&mut self, expr: &Expr) -> Result<Term, Diagnostic> {
        match &expr.kind {
            ExprKind::Number(number) => Ok(Term::Number(number.value.clone())),
            ExprKind::Name(name) => self.name(name, expr.span),
            ExprKind::Field { .. } => {
                let name =
                    dotted(expr).ok_or_else(|| unsupported("this field", expr.span, "parts of a sample, `D.train`"))?;
                let name = self.scope.resolved(name);
                if self.scope.knows(&name) {
                    return Ok(Term::Name(name));
                }
                Err(self.unknown(&name, expr.span))
            }
            ExprKind::Sum(terms) => {
                units::check_sum(terms)?;
                let mut lowered = Vec::with_capacity(terms.len());
                for part in terms {
                    let value = self.term(&part.expr)?;
                    lowered.push(match part.sign {
                        ast::Sign::Plus => value,
                        ast::Sign::Minus => negated(value),
                    });
                }
                Ok(Term::Apply(Op::Add, lowered))
            }
            ExprKind::Product(factors) => {
                // Divisions go left to right: a * b / c * d is ((a b) / c) d.
                let mut result: Vec<Term> = Vec::new();
                for factor in factors {
                    let value = self.term(&factor.expr)?;
                    if factor.inverse {
                        let left = match result.len() {
                            1 => result.remove(0),
                            _ => Term::Apply(Op::Mul, std::mem::take(&mut result)),
                        };
                        result = vec![Term::Apply(Op::Div, vec![left, value])];
                    } else {
                        result.push(value);
                    }
                }
                Ok(if result.len() == 1 { result.remove(0) } else { Term::Apply(Op::Mul, result) })
            }
            ExprKind::Power { base, exponent } => {
                Ok(Term::Apply(Op::Pow, vec![self.term(base)?, self.term(exponent)?]))
            }
            ExprKind::Neg(inner) => Ok(negated(self.term(inner)?)),
            ExprKind::Norm { expr: inner, norm: None } => Ok(Term::Apply(Op::Abs, vec![self.term(inner)?])),
            ExprKind::Norm { .. } => Err(unsupported("a norm of a value", expr.span, "norms of parameters in a class")),
            ExprKind::Call { function, args } => self.call(function, args, expr.span),
            ExprKind::Cases(cases) => {
                let mut branches = Vec::new();
                for case in cases {
                    let condition = match &case.condition {
                        None => None,
                        Some(condition) => {
                            let relation = relation(condition.rel).ok_or_else(|| {
                                unsupported("this condition", condition.left.span, "`<=`, `>=`, `<`, `>`, `=`")
                            })?;
                            Some(Formula::Compare(self.term(&condition.left)?, relation, self.term(&condition.right)?))
                        }
                    };
                    branches.push((condition, self.term(&case.value)?));
                }
                Ok(Term::Cases(branches))
            }
            ExprKind::Hole => Err(Diagnostic::error("E0133", "expected a value, found `?`").at(expr.span, "")),
            ExprKind::Str(_) => Err(Diagnostic::error("E0201", "expected a value, found a string").at(expr.span, "")),
            ExprKind::Index { .. }
            | ExprKind::Interval(..)
            | ExprKind::Tuple(_)
            | ExprKind::Set(_)
            | ExprKind::SetComprehension { .. }
            | ExprKind::Lambda { .. }
            | ExprKind::Range { .. } => Err(unsupported(
                "this expression as a value",
                expr.span,
                "numbers, sums, products, powers, functions and quantities",
            )),
        }
    }

    fn name(&self, name: &str, span: Span) -> Result<Term, Diagnostic> {
        if self.bound.iter().any(|bound| bound == name) {
            return Ok(Term::Name(name.to_string()));
        }
        match name {
            "pi" => return Ok(Term::Pi),
            "e" => return Ok(Term::Euler),
            "inf" => return Ok(Term::Infinity),
            _ => {}
        }
        if self.scope.knows(name) || is_symbol(name) {
            return Ok(Term::name(symbol(name)));
        }
        if let Some(constructor) = signature::constructor(name)
            && constructor.arguments.is_empty()
        {
            return Ok(Term::quantity(name, Vec::new()));
        }
        Err(self.unknown(name, span))
    }

    fn unknown(&self, name: &str, span: Span) -> Diagnostic {
        let diagnostic =
            Diagnostic::error("E0131", format!("expected a known name, found `{name}`")).at(span, "unknown");
        let mut known = self.scope.suggestions();
        known.extend(self.bound.iter().cloned());
        match did_you_mean(name, known.iter().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    }

    fn call(&mut self, function: &Expr, args: &[Arg], span: Span) -> Result<Term, Diagnostic> {
        let Some(head) = dotted(function) else {
            return Err(unsupported("a call of this expression", function.span, "calls of named functions"));
        };
        let head = self.scope.resolved(head);
        if head == "log" {
            return Err(Diagnostic::error("E0107", "which logarithm?")
                .at(function.span, "base not stated")
                .help("write `ln` or `log2`"));
        }
        if matches!(head.as_str(), "nats" | "bits") && self.scope.arity(&head).is_none() {
            units::check_conversion(&head, args, span)?;
            let [arg] = args else { return self.checked_arity(&head, 1, Vec::new(), span) };
            let (value, ln2) = (self.argument(&head, arg)?, Term::Apply(Op::Ln, vec![Term::int(2)]));
            let op = if head == "nats" { Op::Mul } else { Op::Div };
            return Ok(Term::Apply(op, vec![value, ln2]));
        }
        if let Some(big) = big_operator(&head)
            && let [Arg { name: None, value: ArgValue::Comprehension { element, binder, .. }, domain: None, .. }] = args
        {
            return self.big(big, element, binder);
        }
        // `radius(f, D.test[17], l2)` is the radius of one example; `radius(X, l2)` that of a domain.
        if let ("radius", [net, Arg { name: None, value: ArgValue::Expr(example), domain: None, .. }, norm]) =
            (head.as_str(), args)
        {
            let ExprKind::Index { base, index } = &example.kind else {
                return Err(unsupported("this point", example.span, "an example of a data set, such as `D.test[17]`"));
            };
            let (net, norm) = (self.argument(&head, net)?, self.argument(&head, norm)?);
            return Ok(Term::quantity("robust_radius", vec![net, self.term(base)?, self.term(index)?, norm]));
        }
        // `quantile(margins(f, S), q)`: margins are read in this place only.
        if let ("quantile", [list, share]) = (head.as_str(), args)
            && let ArgValue::Expr(list) = &list.value
            && let Some(("margins", [net, sample])) = list.as_call()
        {
            let (net, sample) = (self.argument("margins", net)?, self.argument("margins", sample)?);
            return Ok(Term::quantity("margin_quantile", vec![net, sample, self.argument(&head, share)?]));
        }
        if matches!(head.as_str(), "quantile" | "margins") && self.scope.arity(&head).is_none() {
            return Err(Diagnostic::error("E0203", format!("expected a quantile of margins, found `{head}`"))
                .at(function.span, "")
                .help("write `quantile(margins(f, S), 1/10)`"));
        }
        let mut lowered = Vec::with_capacity(args.len());
        for arg in args {
            match self.members(&head, arg) {
                Some(members) => lowered.extend(members),
                None => lowered.push(self.argument(&head, arg)?),
            }
        }
        // `kl(Q, P)` of two laws is their relative entropy; of two numbers it is that of two coins.
        if let ("kl", [Term::Name(q), Term::Name(p)]) = (head.as_str(), lowered.as_slice())
            && self.scope.is_law(q)
            && self.scope.is_law(p)
        {
            return Ok(Term::quantity("divergence", lowered));
        }
        if let Some((op, arity)) = Op::named(&head) {
            if arity.is_some_and(|arity| arity != lowered.len()) || lowered.is_empty() {
                let expected = arity.map_or("one or more".to_string(), |arity| arity.to_string());
                return Err(Diagnostic::error(
                    "E0202",
                    format!("expected {expected} argument(s) for `{head}`, found {}", lowered.len()),
                )
                .at(span, ""));
            }
            return Ok(Term::Apply(op, lowered));
        }
        if let Some(arity) = self.scope.arity(&head) {
            return self.checked_arity(&head, arity, lowered, span);
        }
        if matches!(head.as_str(), "round" | "round_up" | "round_down") {
            return match <[Term; 2]>::try_from(lowered) {
                Ok([x, digits]) => Ok(rounded(&head, x, digits)),
                Err(found) => self.checked_arity(&head, 2, found, span),
            };
        }
        // The risk on a sample has the sample as its second argument.
        let head = if head == "risk" && lowered.len() == 3 { "empirical_risk".to_string() } else { head };
        let arity = signature::quantity(&head)
            .map(|q| q.arguments.len())
            .or(signature::constructor(&head).map(|c| c.arguments.len()))
            .or(signature::predicate(&head).map(|p| p.arguments.len()))
            .or(matches!(head.as_str(), "leaky_relu" | "elu").then_some(1));
        match arity {
            // `lip(f, l2)` and `lip(f)`: the norm is part of the quantity and must be said.
            Some(arity) => self.checked_arity(&head, arity, lowered, span),
            None => {
                let known: Vec<&str> = signature::QUANTITIES
                    .iter()
                    .map(|q| q.name)
                    .chain(Op::CALLS.iter().map(|(name, _, _)| *name))
                    .chain(signature::CONSTRUCTORS.iter().map(|c| c.name))
                    .chain(signature::PREDICATES.iter().map(|p| p.name))
                    .collect();
                let diagnostic = Diagnostic::error("E0203", format!("expected a function or quantity, found `{head}`"))
                    .at(function.span, "unknown");
                Err(match did_you_mean(&head, known) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                })
            }
        }
    }

    fn checked_arity(&self, head: &str, arity: usize, arguments: Vec<Term>, span: Span) -> Result<Term, Diagnostic> {
        if arguments.len() == arity {
            return Ok(Term::Quantity(head.to_string(), arguments));
        }
        let mut diagnostic =
            Diagnostic::error("E0202", format!("expected {arity} argument(s) for `{head}`, found {}", arguments.len()))
                .at(span, "");
        if let Some(quantity) = signature::quantity(head) {
            let sorts: Vec<String> = quantity.arguments.iter().map(|sort| format!("{sort:?}").to_lowercase()).collect();
            diagnostic = diagnostic.help(format!("`{head}({})`: {}", sorts.join(", "), quantity.meaning));
        }
        Err(diagnostic)
    }

    fn listed(&self, kind: &ExprKind) -> Option<Vec<Term>> {
        match kind {
            ExprKind::Name(name) => self.scope.members(name),
            _ => None,
        }
    }

    /// `min(B)` is the least of the bounds of a block.
    fn members(&self, head: &str, arg: &Arg) -> Option<Vec<Term>> {
        match (head, &arg.value) {
            ("min" | "max", ArgValue::Expr(expr)) => self.listed(&expr.kind),
            _ => None,
        }
    }

    fn argument(&mut self, head: &str, arg: &Arg) -> Result<Term, Diagnostic> {
        if let Some(name) = &arg.name {
            return Err(Diagnostic::error(
                "E0202",
                format!("expected no named argument in `{head}(..)`, found `{}`", name.name),
            )
            .at(arg.span, ""));
        }
        let ArgValue::Expr(expr) = &arg.value else {
            return Err(unsupported("this argument", arg.span, "plain expressions, and `sum(l in 1..n : ...)`"));
        };
        let value = self.term(expr)?;
        match &arg.domain {
            Some(domain) => Ok(Term::quantity("on", vec![value, self.term(domain)?])),
            None => Ok(value),
        }
    }

    fn big(&mut self, big: Big, element: &Expr, binder: &Binder) -> Result<Term, Diagnostic> {
        let ExprKind::Range { start, end } = &binder.bound.kind else {
            return Err(unsupported("this range", binder.span, "`l in 1..n`"));
        };
        if binder.rel != Rel::In {
            return Err(unsupported("this range", binder.span, "`l in 1..n`"));
        }
        let (from, to) = (self.term(start)?, self.term(end)?);
        self.bound.push(binder.var.name.clone());
        let body = self.term(element);
        self.bound.pop();
        Ok(Term::Big {
            big,
            variable: binder.var.name.clone(),
            from: Box::new(from),
            to: Box::new(to),
            body: Box::new(body?),
        })
    }

    fn formula(&mut self, prop: &Prop) -> Result<Formula, Diagnostic> {
        match &prop.kind {
            PropKind::Relation { first, rest } => {
                let mut parts = Vec::new();
                let mut left = first;
                for (rel, right) in rest {
                    parts.push(self.compare(left, *rel, right, prop.span)?);
                    left = right;
                }
                Ok(if parts.len() == 1 { parts.remove(0) } else { Formula::And(parts) })
            }
            PropKind::Quantified { quantifier: Quantifier::Forall, binders, body } => self.forall(binders, body),
            PropKind::Bare { expr, domain: None } => match self.term(expr)? {
                Term::Quantity(head, arguments) if signature::predicate(&head).is_some() => {
                    Ok(Formula::Holds(head, arguments))
                }
                other => Err(Diagnostic::error("E0204", format!("expected a statement, found the value `{other}`"))
                    .at(expr.span, "no relation")
                    .help("write a relation such as `... <= ?`")),
            },
            PropKind::Quantified { quantifier: Quantifier::Exists, .. } => {
                Err(unsupported("`exists`", prop.span, "`forall` over integers, sets and intervals; `>=` claims"))
            }
            PropKind::Implies { .. } => Err(unsupported("`implies`", prop.span, "separate claims")),
            PropKind::Asymptotic { .. } => {
                Err(unsupported("an asymptotic claim", prop.span, "`forall m in 1..20 : ...`"))
            }
            PropKind::Bare { .. } => Err(unsupported("this statement", prop.span, "relations between values")),
        }
    }

    fn compare(&mut self, left: &Expr, rel: Rel, right: &Expr, span: Span) -> Result<Formula, Diagnostic> {
        if matches!(rel, Rel::In | Rel::Subset) {
            let ExprKind::Interval(low, high) = &right.kind else {
                return Err(unsupported("membership in this set", right.span, "`in [a, b]`"));
            };
            return Ok(Formula::Within(self.term(left)?, self.term(low)?, self.term(high)?));
        }
        let Some(relation) = relation(rel) else {
            return Err(unsupported(
                &format!("the relation `{}`", rel.symbol()),
                span,
                "`<=`, `>=`, `<`, `>`, `=`, `in`",
            ));
        };
        Ok(Formula::Compare(self.term(left)?, relation, self.term(right)?))
    }

    fn forall(&mut self, binders: &[Binder], body: &Prop) -> Result<Formula, Diagnostic> {
        let Some((binder, rest)) = binders.split_first() else { return self.formula(body) };
        if binder.rel != Rel::In {
            return Err(unsupported(
                "a quantifier over all integers of a ray",
                binder.span,
                "an enumerated range `forall m in 1..20`, a set `{1, 2}`, an interval `[a, b]`",
            ));
        }
        let variable = binder.var.name.clone();
        let inner = |lowering: &mut Self| -> Result<Box<Formula>, Diagnostic> {
            lowering.bound.push(variable.clone());
            let body = lowering.forall(rest, body);
            lowering.bound.pop();
            Ok(Box::new(body?))
        };
        match &binder.bound.kind {
            ExprKind::Range { start, end } => {
                let (from, to) = (self.term(start)?, self.term(end)?);
                Ok(Formula::ForAll { body: inner(self)?, variable, from, to })
            }
            ExprKind::Interval(low, high) => {
                let (from, to) = (self.term(low)?, self.term(high)?);
                Ok(Formula::ForReal { body: inner(self)?, variable, from, to })
            }
            ExprKind::Set(members) => {
                let members = members.iter().map(|member| self.term(member)).collect::<Result<_, _>>()?;
                Ok(Formula::ForEach { body: inner(self)?, variable, members })
            }
            other => match self.listed(other) {
                Some(members) => Ok(Formula::ForEach { body: inner(self)?, variable, members }),
                None => Err(unsupported(
                    "a quantifier over this set",
                    binder.span,
                    "`1..20`, `{1, 2}`, `[a, b]`, the name of a `bounds` block",
                )),
            },
        }
    }
}

fn big_operator(name: &str) -> Option<Big> {
    Some(match name {
        "sum" => Big::Sum,
        "prod" => Big::Prod,
        "max" => Big::Max,
        "min" => Big::Min,
        _ => return None,
    })
}

/// `round_up(x, d)` is `ceil(x*10^d)/10^d`, `round_down` the same with `floor`, and `round` adds a half before it.
fn rounded(head: &str, x: Term, digits: Term) -> Term {
    let scale = Term::Apply(Op::Pow, vec![Term::int(10), digits]);
    let scaled = Term::Apply(Op::Mul, vec![x, scale.clone()]);
    let half = Term::Number(num_rational::BigRational::new(1.into(), 2.into()));
    let rounded = match head {
        "round_up" => Term::Apply(Op::Ceil, vec![scaled]),
        "round_down" => Term::Apply(Op::Floor, vec![scaled]),
        _ => Term::Apply(Op::Floor, vec![Term::Apply(Op::Add, vec![scaled, half])]),
    };
    Term::Apply(Op::Div, vec![rounded, scale])
}

fn negated(term: Term) -> Term {
    match term {
        Term::Number(q) => Term::Number(-q),
        other => Term::Apply(Op::Neg, vec![other]),
    }
}

/// `D.train` as one name.
pub fn dotted(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.clone()),
        ExprKind::Field { base, field } => Some(format!("{}.{}", dotted(base)?, field.name)),
        _ => None,
    }
}
