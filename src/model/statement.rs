//! Claims, expectations, bounds and tables.

use super::names::Names;
use super::{Claim, MethodCall, Table, TableColumn, TableRows, TableValue};
use crate::kernel::check::Statement;
use crate::kernel::signature;
use crate::kernel::term::{Formula, Op, Term};
use crate::syntax::ast::{self, ArgValue, Expr, ExprKind, Prop, PropKind, Rel, TableEntry};
use crate::syntax::lower;
use crate::text::{Diagnostic, did_you_mean};
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive};
use std::collections::BTreeSet;
use std::time::Duration;

/// Largest number of instances that one quantifier over networks expands to.
const INSTANCE_LIMIT: i64 = 10_000;
/// In seconds.
const YEAR: f64 = 31_557_600.0;

pub fn claim(names: &Names, claim: &ast::Claim) -> Result<Claim, Diagnostic> {
    if let Some(binder) = claim.binders.first() {
        return Err(Diagnostic::error("E0900", "the clause `for NAME REL ...` of a claim is not supported yet")
            .at(binder.span, "")
            .help("what works: `forall m in 1..20 : ...`"));
    }
    let values =
        claim.conditions.iter().map(|condition| value_of_parameter(names, condition)).collect::<Result<_, _>>()?;
    let statement = with_values(names, values, |names| statement(names, &claim.prop))?;
    let failure = match &claim.probability {
        Some(expr) => {
            let probability = names.rational(expr)?;
            if !probability.is_positive() || probability >= BigRational::one() {
                return Err(Diagnostic::error(
                    "E0132",
                    format!("expected a probability strictly between 0 and 1, found {probability}"),
                )
                .at(expr.span, ""));
            }
            Some(BigRational::one() - probability)
        }
        None => None,
    };
    let mut method = claim.method.as_ref().map(|call| method(names, call)).transpose()?;
    if let Some(expr) = &claim.within {
        let within = Some(duration(names, expr)?);
        match &mut method {
            Some(call) if call.name == "branch_and_bound" => call.within = within,
            _ => {
                return Err(Diagnostic::error("E0510", "`within` limits a search, and this claim names none")
                    .at(expr.span, "no search to limit")
                    .help("write `by branch_and_bound within 60`; every other method ends by itself"));
            }
        }
    }
    let assuming = claim.assuming.iter().map(|name| assumption(names, name)).collect::<Result<_, _>>()?;
    Ok(Claim { statement, failure, method, expecting: claim.expecting.map(|(expected, _)| expected), assuming })
}

/// `within 60`: a positive number of seconds, at most a year.
fn duration(names: &Names, expr: &Expr) -> Result<Duration, Diagnostic> {
    let seconds = names.rational(expr)?;
    if !seconds.is_positive() {
        return Err(Diagnostic::error("E0132", format!("expected a positive number of seconds, found {seconds}"))
            .at(expr.span, ""));
    }
    Ok(Duration::from_secs_f64(seconds.to_f64().unwrap_or(f64::MAX).min(YEAR)))
}

/// A name behind `assuming`.
fn assumption(names: &Names, name: &ast::Ident) -> Result<String, Diagnostic> {
    use super::names::NameKind;
    if names.kind(&name.name) == Some(NameKind::Assumption) {
        return Ok(name.name.clone());
    }
    let known = names.declared.iter().filter(|(_, (kind, _))| *kind == NameKind::Assumption);
    let near = did_you_mean(&name.name, known.map(|(name, _)| name.as_str()));
    let help = near.map_or("declare it: `assume iid : iid(D)`".to_string(), |near| format!("did you mean `{near}`?"));
    Err(Diagnostic::error("E0131", format!("expected an assumption, found `{}`", name.name))
        .at(name.span, "")
        .help(help))
}

/// `where w = 16`: the value of a parameter, of its sort and within its bound.
fn value_of_parameter(names: &Names, condition: &Prop) -> Result<(String, BigRational), Diagnostic> {
    let unsupported = || {
        Diagnostic::error("E0900", "this `where` clause is not supported yet")
            .at(condition.span, "")
            .help("what works: `where w = 16`, a value for a parameter (`param w : nat`)")
    };
    let PropKind::Relation { first, rest } = &condition.kind else { return Err(unsupported()) };
    let (Some(name), [(Rel::Eq, value)]) = (first.as_name(), rest.as_slice()) else { return Err(unsupported()) };
    let Some(parameter) = names.parameters.get(name) else {
        let known = did_you_mean(name, names.parameters.keys().map(String::as_str));
        let help = known.map_or(format!("declare it: `param {name} : real`"), |near| format!("did you mean `{near}`?"));
        return Err(Diagnostic::error("E0131", format!("expected a parameter, found `{name}`"))
            .at(first.span, "")
            .help(help));
    };
    let number = names.rational(value)?;
    let is_within = match &parameter.bound {
        None => true,
        Some((Rel::Le, bound)) => number <= *bound,
        Some((Rel::Lt, bound)) => number < *bound,
        Some((Rel::Ge, bound)) => number >= *bound,
        Some((Rel::Gt, bound)) => number > *bound,
        Some(_) => false,
    };
    if parameter.is_natural && (!number.is_integer() || number.is_negative()) || !is_within {
        return Err(Diagnostic::error("E0620", format!("expected a value that `param {name}` allows, found {number}"))
            .at(value.span, ""));
    }
    Ok((name.to_string(), number))
}

/// Reads a statement while the parameters have these values, and puts the values for what is left of the names.
fn with_values(
    names: &Names,
    values: Vec<(String, BigRational)>,
    read: impl FnOnce(&Names) -> Result<Statement, Diagnostic>,
) -> Result<Statement, Diagnostic> {
    let substitution = values.iter().map(|(name, value)| (name.clone(), Term::Number(value.clone()))).collect();
    names.values.replace(values.into_iter().collect());
    let statement = read(names);
    names.values.take();
    Ok(statement?.substitute(&substitution))
}

/// A proposition, with holes understood.
pub fn statement(names: &Names, prop: &Prop) -> Result<Statement, Diagnostic> {
    if let PropKind::Relation { first, rest } = &prop.kind
        && let Some((_, hole)) = rest.iter().find(|(_, expr)| expr.kind == ExprKind::Hole)
    {
        let [(relation, _)] = rest.as_slice() else {
            return Err(
                Diagnostic::error("E0133", "expected one relation beside `?`").at(hole.span, "in a chain of relations")
            );
        };
        let term = term(names, first)?;
        return match relation {
            Rel::Le | Rel::Lt => Ok(Statement::Upper(term)),
            Rel::Ge | Rel::Gt => Ok(Statement::Lower(term)),
            Rel::Eq | Rel::In => Ok(Statement::Both(term)),
            _ => Err(Diagnostic::error("E0133", "expected `<= ?`, `>= ?`, `= ?` or `in ?`").at(hole.span, "")),
        };
    }
    Ok(Statement::Formula(formula(names, prop)?))
}

/// A closed proposition; quantifiers over members of network families are expanded.
pub fn formula(names: &Names, prop: &Prop) -> Result<Formula, Diagnostic> {
    let formula = names.formula(prop)?;
    let formula = if names.mentions_family(&formula) {
        let expanded = expand(names, &formula).map_err(|error| error.at(prop.span, ""))?;
        over_terms(&expanded, &|term| names.instantiated(term)).map_err(|error| error.at(prop.span, ""))?
    } else {
        formula
    };
    over_terms(&formula, &|term| Ok(typed(names, term)))
}

/// The quantity that an expression denotes, with the conventions of statements.
pub fn term(names: &Names, expr: &Expr) -> Result<Term, Diagnostic> {
    Ok(typed(names, names.term(expr)?))
}

/// A term whose variables have values by now: members of families are named, conventions applied.
pub fn closed_term(names: &Names, term: Term) -> Result<Term, Diagnostic> {
    Ok(typed(names, names.instantiated(term)?))
}

/// `vcdim(f)` of a network means the class of its signs.
fn typed(names: &Names, term: Term) -> Term {
    match term {
        Term::Quantity(head, arguments) => {
            let is_law = |term: Option<&Term>| matches!(term, Some(Term::Name(name))
                if names.kind(name) == Some(super::names::NameKind::Law));
            // The risk of a law is that of a network drawn from it.
            let head = match head.as_str() {
                "risk" if is_law(arguments.first()) => "gibbs_risk".to_string(),
                "empirical_risk" if is_law(arguments.first()) => "empirical_gibbs_risk".to_string(),
                _ => head,
            };
            let expected = signature::quantity(&head).map_or(&[][..], |q| q.arguments);
            let arguments = arguments
                .into_iter()
                .enumerate()
                .map(|(i, argument)| {
                    let argument = typed(names, argument);
                    let wants_class = expected.get(i) == Some(&crate::kernel::theorem::Sort::Class);
                    let is_net = matches!(&argument, Term::Name(name)
                        if names.kind(name) == Some(super::names::NameKind::Net) || names.instances.borrow().contains_key(name));
                    if wants_class && is_net { Term::quantity("sign", vec![argument]) } else { argument }
                })
                .collect();
            Term::Quantity(head, arguments)
        }
        // `kl(Q, P)` of two laws is their relative entropy, of two numbers that of two coins.
        Term::Apply(Op::Kl, arguments)
            if arguments.iter().all(|argument| {
                matches!(argument, Term::Name(name) if names.kind(name) == Some(super::names::NameKind::Law))
            }) =>
        {
            Term::Quantity("divergence".to_string(), arguments)
        }
        Term::Apply(op, arguments) => Term::Apply(op, arguments.into_iter().map(|a| typed(names, a)).collect()),
        Term::Big { big, variable, from, to, body } => {
            Term::Big { big, variable, from, to, body: Box::new(typed(names, *body)) }
        }
        other => other,
    }
}

fn over_terms(formula: &Formula, f: &impl Fn(Term) -> Result<Term, Diagnostic>) -> Result<Formula, Diagnostic> {
    Ok(match formula {
        Formula::Compare(a, relation, b) => Formula::Compare(f(a.clone())?, *relation, f(b.clone())?),
        Formula::Within(a, low, high) => Formula::Within(f(a.clone())?, f(low.clone())?, f(high.clone())?),
        Formula::Holds(name, arguments) => {
            Formula::Holds(name.clone(), arguments.iter().map(|a| f(a.clone())).collect::<Result<_, _>>()?)
        }
        Formula::And(parts) => Formula::And(parts.iter().map(|p| over_terms(p, f)).collect::<Result<_, _>>()?),
        Formula::ForAll { variable, from, to, body } => Formula::ForAll {
            variable: variable.clone(),
            from: from.clone(),
            to: to.clone(),
            body: Box::new(over_terms(body, f)?),
        },
        Formula::ForReal { variable, from, to, body } => Formula::ForReal {
            variable: variable.clone(),
            from: from.clone(),
            to: to.clone(),
            body: Box::new(over_terms(body, f)?),
        },
        Formula::ForEach { variable, members, body } => Formula::ForEach {
            variable: variable.clone(),
            members: members.clone(),
            body: Box::new(over_terms(body, f)?),
        },
    })
}

/// Replaces quantifiers over finite ranges by conjunctions.
fn expand(names: &Names, formula: &Formula) -> Result<Formula, Diagnostic> {
    let instances = |variable: &str, values: Vec<Term>, body: &Formula| -> Result<Formula, Diagnostic> {
        let mut parts = Vec::new();
        for value in values {
            parts.push(expand(names, &body.substitute(&[(variable.to_string(), value)].into()))?);
        }
        Ok(Formula::And(parts))
    };
    match formula {
        Formula::ForAll { variable, from, to, body } => {
            let (from, to) = (names.constant(from)?, names.constant(to)?);
            let count = &to - &from;
            if count > BigRational::from_integer(INSTANCE_LIMIT.into()) {
                return Err(Diagnostic::limit(
                    "E0123",
                    format!("expected at most {INSTANCE_LIMIT} networks, found {count}"),
                ));
            }
            let mut values = Vec::new();
            let mut value = from;
            while value <= to {
                values.push(Term::Number(value.clone()));
                value += BigRational::one();
            }
            instances(variable, values, body)
        }
        Formula::ForEach { variable, members, body } => instances(variable, members.clone(), body),
        Formula::And(parts) => Ok(Formula::And(parts.iter().map(|p| expand(names, p)).collect::<Result<_, _>>()?)),
        other => Ok(other.clone()),
    }
}

/// `test_set(D.test)`, `finite_class(bits: 32, on: D.train)`
pub fn method(names: &Names, call: &ast::Method) -> Result<MethodCall, Diagnostic> {
    let mut positional = Vec::new();
    let mut named = Vec::new();
    for arg in &call.args {
        let ArgValue::Expr(expr) = &arg.value else {
            return Err(Diagnostic::error("E0134", "expected plain arguments of a method").at(arg.span, ""));
        };
        let term = match &expr.kind {
            ExprKind::Str(text) => Term::Name(text.clone()),
            _ => names.term(expr)?,
        };
        let term = match names.constant(&term) {
            Ok(value) => Term::Number(value),
            Err(_) => term,
        };
        match &arg.name {
            Some(name) => named.push((name.name.clone(), term)),
            None => positional.push(term),
        }
    }
    Ok(MethodCall { name: call.name.name.clone(), positional, named, within: None, span: call.span })
}

/// Fields of an item that a column may show.
const FIELDS: &[&str] = &[
    "name",
    "statement",
    "bound",
    "value",
    "lower",
    "upper",
    "method",
    "status",
    "source",
    "assumptions",
    "delta",
    "vacuous",
    "factor",
];

pub fn table(names: &Names, table: &ast::Table, span: crate::text::Span) -> Result<Table, Diagnostic> {
    let mut resolved = Table {
        title: table.title.text.clone(),
        caption: None,
        rows: TableRows::Claims,
        columns: Vec::new(),
        sort: None,
        span,
    };
    let mut has_rows = false;
    let mut row_variable = None;
    for entry in &table.entries {
        match entry {
            TableEntry::Rows { var, values } => {
                has_rows = true;
                row_variable = var.as_ref().map(|var| var.name.clone());
                resolved.rows = rows(names, row_variable.clone(), values)?;
            }
            TableEntry::Caption(text) => resolved.caption = Some(text.text.clone()),
            TableEntry::Sort(expr) => {
                let field = expr.as_name().filter(|name| FIELDS.contains(name));
                resolved.sort = Some(
                    field
                        .ok_or_else(|| Diagnostic::error("E0135", "expected a column to sort by").at(expr.span, ""))?
                        .to_string(),
                );
            }
            TableEntry::Cols(_) => {}
        }
    }
    if !has_rows {
        return Err(Diagnostic::error("E0135", "expected `rows ...` in a table").at(span, "no rows"));
    }
    for entry in &table.entries {
        let TableEntry::Cols(columns) = entry else { continue };
        for column in columns {
            resolved.columns.push(table_column(names, column, row_variable.as_deref())?);
        }
    }
    Ok(resolved)
}

fn rows(names: &Names, variable: Option<String>, values: &Expr) -> Result<TableRows, Diagnostic> {
    if let Some(variable) = variable {
        let ExprKind::Set(members) = &values.kind else {
            return Err(Diagnostic::error("E0135", "expected a set such as `{f, g}` as the rows").at(values.span, ""));
        };
        let members = members.iter().map(|m| names.term(m)).collect::<Result<_, _>>()?;
        return Ok(TableRows::Objects { variable, members });
    }
    match &values.kind {
        ExprKind::Name(name) if name == "claims" => Ok(TableRows::Claims),
        ExprKind::Name(name) if names.kind(name) == Some(super::names::NameKind::Statement) => {
            Ok(TableRows::Bounds(name.clone()))
        }
        ExprKind::Set(members) => {
            Ok(TableRows::Items(members.iter().map(|m| names.dotted(m)).collect::<Result<_, _>>()?))
        }
        _ => Err(Diagnostic::error("E0135", "expected `rows claims`, the name of a `bounds` block, or a set")
            .at(values.span, "")),
    }
}

/// Fields that are numbers, for expressions such as `value - gap`.
pub const NUMBERS: &[&str] = &["value", "bound", "lower", "upper"];

/// An expression in the numbers of a row and in what the spec measures; `None` where it is none.
fn of_fields(names: &Names, value: &Expr) -> Option<Term> {
    let variables = NUMBERS.iter().map(|field| field.to_string()).chain(names.measures.keys().cloned());
    let term = lower::term_with(value, names, &variables.collect::<Vec<_>>()).ok()?;
    let mut mentioned = BTreeSet::new();
    term.names(&mut mentioned);
    NUMBERS.iter().any(|field| mentioned.contains(*field)).then_some(term)
}

fn table_column(names: &Names, column: &ast::Column, variable: Option<&str>) -> Result<TableColumn, Diagnostic> {
    let field = column.value.as_name().filter(|name| FIELDS.contains(name));
    if let Some(field) = field {
        let header = column.header.as_ref().map_or(field, |text| text.text.as_str());
        return Ok(TableColumn { header: header.to_string(), value: TableValue::Field(field.to_string()) });
    }
    let Some(variable) = variable else {
        if let Some(term) = of_fields(names, &column.value) {
            let header = column.header.as_ref().map_or_else(|| term.to_string(), |text| text.text.clone());
            let measured = names.measures.clone();
            return Ok(TableColumn { header, value: TableValue::OfField(term.substitute(&measured)) });
        }
        let name = column.value.as_name().unwrap_or_default();
        let mut diagnostic =
            Diagnostic::error("E0135", "expected a field of the row's claim").at(column.value.span, "");
        if let Some(near) = did_you_mean(name, FIELDS.iter().copied()) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        return Err(diagnostic.note(format!("fields: {}", FIELDS.join(", "))));
    };
    let term = names.term_with(&column.value, variable)?;
    let header = column.header.as_ref().map_or_else(|| term.to_string(), |text| text.text.clone());
    Ok(TableColumn { header, value: TableValue::Term(term) })
}
