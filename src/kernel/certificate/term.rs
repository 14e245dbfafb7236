//! Terms and formulas as nested lists. Trust: kernel.
//!
//! A number or a name is its text; a number begins with a digit or a sign, a name does not. Everything else is a list whose first entry
//! says what it is: `["+", a, b]`, `["sqrt", x]`, `["lip", "f", "l2"]` for `lip(f, l2)`, `["<=", a, b]`,
//! `["forall", "d", from, to, formula]`. No name of an operation can be that of a quantity, a constructor or a definition.

use super::array::rational;
use super::json::Field;
use super::name::{identifier, mention, variable};
use super::{Reason, Refusal};
use crate::kernel::check::Statement;
use crate::kernel::signature;
use crate::kernel::term::{Big, Formula, Op, Relation, Term};

/// Operations that are written between or before their arguments; the others have their names in [`Op::CALLS`].
pub const SYMBOLS: [(&str, Op, Option<usize>); 5] = [
    ("+", Op::Add, None),
    ("*", Op::Mul, None),
    ("-", Op::Neg, Some(1)),
    ("/", Op::Div, Some(2)),
    ("^", Op::Pow, Some(2)),
];

pub const BIGS: [(&str, Big); 4] =
    [("sum", Big::Sum), ("prod", Big::Prod), ("max over", Big::Max), ("min over", Big::Min)];

pub const RELATIONS: [(&str, Relation); 5] =
    [("<=", Relation::Le), ("<", Relation::Lt), (">=", Relation::Ge), (">", Relation::Gt), ("=", Relation::Eq)];

fn head<'j>(field: &Field<'j>) -> Result<(&'j str, Vec<Field<'j>>), Refusal> {
    let mut parts = field.list()?.into_iter();
    let Some(first) = parts.next() else { return field.refuse(Reason::Field, "expected a term, found an empty list") };
    Ok((first.text()?, parts.collect()))
}

fn count(field: &Field, expected: usize, found: usize) -> Result<(), Refusal> {
    if expected == found {
        return Ok(());
    }
    field.refuse(Reason::Field, format!("expected {expected} argument(s), found {found}"))
}

fn terms(fields: &[Field]) -> Result<Vec<Term>, Refusal> {
    fields.iter().map(term).collect()
}

/// The head of a quantity, a constructed object, or a call of a definition.
fn quantity_head(field: &Field, word: &str) -> Result<String, Refusal> {
    let is_known = signature::quantity(word).is_some() || signature::constructor(word).is_some();
    if !is_known {
        identifier(field, word)?;
    }
    Ok(word.to_string())
}

/// Texts that are constants: no object may bear these names.
pub const CONSTANTS: [(&str, Term); 3] = [("pi", Term::Pi), ("e", Term::Euler), ("inf", Term::Infinity)];

pub fn term(field: &Field) -> Result<Term, Refusal> {
    if field.is_text() {
        let text = field.text()?;
        if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') {
            return Ok(Term::Number(rational(field)?));
        }
        let constant = CONSTANTS.into_iter().find(|(word, _)| *word == text).map(|(_, constant)| constant);
        return constant.map_or_else(|| Ok(Term::name(mention(field, text)?)), Ok);
    }
    let (word, rest) = head(field)?;
    if word == "cases" {
        let branch = |branch: &Field| {
            let [condition, value] = branch.tuple()?;
            let condition = if condition.is_null() { None } else { Some(formula(&condition)?) };
            Ok((condition, term(&value)?))
        };
        return Ok(Term::Cases(rest.iter().map(branch).collect::<Result<_, Refusal>>()?));
    }
    if let Some((_, big)) = BIGS.iter().find(|(name, _)| *name == word) {
        count(field, 4, rest.len())?;
        return Ok(Term::Big {
            big: *big,
            variable: variable(&rest[0], rest[0].text()?)?.to_string(),
            from: Box::new(term(&rest[1])?),
            to: Box::new(term(&rest[2])?),
            body: Box::new(term(&rest[3])?),
        });
    }
    match SYMBOLS.iter().chain(Op::CALLS).find(|(name, _, _)| *name == word) {
        Some((_, op, arity)) => {
            count(field, arity.unwrap_or(rest.len()), rest.len())?;
            Ok(Term::Apply(*op, terms(&rest)?))
        }
        None => Ok(Term::Quantity(quantity_head(field, word)?, terms(&rest)?)),
    }
}

pub fn formula(field: &Field) -> Result<Formula, Refusal> {
    let (word, rest) = head(field)?;
    if let Some((_, relation)) = RELATIONS.iter().find(|(name, _)| *name == word) {
        count(field, 2, rest.len())?;
        return Ok(Formula::Compare(term(&rest[0])?, *relation, term(&rest[1])?));
    }
    let bound = |field: &Field| Ok::<_, Refusal>(variable(field, field.text()?)?.to_string());
    match (word, rest.as_slice()) {
        ("within", [a, low, high]) => Ok(Formula::Within(term(a)?, term(low)?, term(high)?)),
        ("holds", [name, arguments @ ..]) if signature::predicate(name.text()?).is_some() => {
            Ok(Formula::Holds(name.text()?.to_string(), terms(arguments)?))
        }
        ("and", parts) => Ok(Formula::And(parts.iter().map(formula).collect::<Result<_, _>>()?)),
        ("forall", [name, from, to, body]) => Ok(Formula::ForAll {
            variable: bound(name)?,
            from: term(from)?,
            to: term(to)?,
            body: Box::new(formula(body)?),
        }),
        ("forall_real", [name, from, to, body]) => Ok(Formula::ForReal {
            variable: bound(name)?,
            from: term(from)?,
            to: term(to)?,
            body: Box::new(formula(body)?),
        }),
        ("forall_each", [name, members, body]) => Ok(Formula::ForEach {
            variable: bound(name)?,
            members: terms(&members.list()?)?,
            body: Box::new(formula(body)?),
        }),
        _ => field.refuse(Reason::Field, format!("expected a formula, found `{word}`")),
    }
}

/// A formula, or a bound to be found: `["upper", term]`, `["lower", term]`, `["both", term]`.
pub fn statement(field: &Field) -> Result<Statement, Refusal> {
    let (word, rest) = head(field)?;
    match (word, rest.as_slice()) {
        ("upper", [inner]) => Ok(Statement::Upper(term(inner)?)),
        ("lower", [inner]) => Ok(Statement::Lower(term(inner)?)),
        ("both", [inner]) => Ok(Statement::Both(term(inner)?)),
        _ => Ok(Statement::Formula(formula(field)?)),
    }
}

/// The statement as a reader sees it.
pub fn text(statement: &Statement) -> String {
    match statement {
        Statement::Formula(formula) => formula.to_string(),
        Statement::Upper(term) => format!("{term} <= ?"),
        Statement::Lower(term) => format!("{term} >= ?"),
        Statement::Both(term) => format!("{term} in ?"),
    }
}
