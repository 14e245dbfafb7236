//! What a spec says of the rows of a table.

use super::sheet::Sheet;
use crate::data::DataError;
use crate::data::file::Folder;
use crate::kernel::term::{Formula, Op, Relation, Substitution, Term};
use crate::syntax::ast::{self, DataSource, Expected, Expr, ExprKind, ItemKind, Prop, PropKind, Quantifier, Rel};
use crate::syntax::lower::{self, Scope};
use crate::text::{Diagnostic, Kind, Source, Span, did_you_mean};
use std::collections::{BTreeMap, BTreeSet};

/// Most nodes of a formula after its definitions are written out.
const SIZE_LIMIT: usize = 20_000;

/// How a computed value is rounded before it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Up,
    Down,
    Nearest,
}

/// The printed number of a row and the formula it is compared with.
#[derive(Clone, Debug)]
pub struct Printed {
    pub column: String,
    /// The formula without its rounding, in the names `r.n`.
    pub formula: Term,
    pub relation: Relation,
    pub rounding: Option<Rounding>,
    /// Decimals of the rounding, where the spec says so.
    pub decimals: Option<u32>,
}

/// `forall r in paper.rows : ...`
#[derive(Clone, Debug)]
pub struct RowClaim {
    pub name: String,
    pub span: Span,
    /// The statement as written.
    pub text: String,
    pub variable: String,
    /// Index of the sheet.
    pub sheet: usize,
    /// The statement on one row, in the names `r.n`, definitions written out.
    pub formula: Formula,
    /// Where the statement compares a formula with a column.
    pub printed: Option<Printed>,
    pub expecting: Option<Expected>,
}

impl RowClaim {
    /// Whether the claim equates a formula with a printed number, and says nothing of rounding.
    pub fn compares_digits(&self) -> bool {
        self.printed.as_ref().is_some_and(|printed| printed.relation == Relation::Eq && printed.rounding.is_none())
    }
}

/// A spec taken apart: what is about tables, and the rest.
#[derive(Debug, Default)]
pub struct Split {
    pub sheets: Vec<Sheet>,
    pub claims: Vec<RowClaim>,
    /// Whether the spec has claims about tables, with or without faults.
    pub has_claims: bool,
    /// The spec without the tables, the claims about them and the definitions that read rows.
    pub rest: ast::File,
    pub diagnostics: Vec<Diagnostic>,
}

/// The sheet and variable of `forall r in paper.rows`.
fn quantified(prop: &Prop) -> Option<(&str, &str, &Prop)> {
    let PropKind::Quantified { quantifier: Quantifier::Forall, binders, body } = &prop.kind else { return None };
    let [binder] = binders.as_slice() else { return None };
    let ExprKind::Field { base, field } = &binder.bound.kind else { return None };
    let is_rows = binder.rel == Rel::In && field.name == "rows";
    is_rows.then_some((binder.var.name.as_str(), base.as_name()?, body.as_ref()))
}

/// Takes the claims about tables out of a spec. `folder` holds the spec.
pub fn split(file: &ast::File, source: &Source, folder: &Folder) -> Split {
    let mut split = Split::default();
    let mut wanted = BTreeSet::new();
    for item in &file.items {
        if let ItemKind::Claim(claim) = &item.kind
            && let Some((_, sheet, _)) = quantified(&claim.prop)
        {
            wanted.insert(sheet.to_string());
        }
    }
    if wanted.is_empty() {
        split.rest = file.clone();
        return split;
    }
    split.has_claims = true;
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    for item in &file.items {
        if let ItemKind::Claim(claim) = &item.kind
            && let Some(name) = &claim.name
            && let Some(first) = names.insert(&name.name, name.span)
        {
            let title = format!("the name `{}` is in use", name.name);
            split.diagnostics.push(Diagnostic::error("E0129", title).at(name.span, "").because(first, "first here"));
        }
    }
    for item in &file.items {
        if let ItemKind::Data(data) = &item.kind
            && let DataSource::File { path, sha256 } = &data.source
            && wanted.contains(&data.name.name)
        {
            let hash = sha256.as_ref().map(|hash| hash.text.as_str());
            match Sheet::load(folder, &data.name.name, &path.text, hash) {
                Ok(sheet) => split.sheets.push(sheet),
                Err(error) => split.diagnostics.push(data_problem(&error, path.span)),
            }
        }
    }
    let columns: BTreeSet<String> = split.sheets.iter().flat_map(|sheet| sheet.columns().to_vec()).collect();
    let mut definitions = Definitions { known: BTreeMap::new(), columns };
    let mut unnamed = 0;
    for item in &file.items {
        match &item.kind {
            ItemKind::Data(data) if wanted.contains(&data.name.name) => {}
            ItemKind::Let(definition) => match definitions.add(definition) {
                Ok(true) => {}
                Ok(false) => split.rest.items.push(item.clone()),
                // The rest of the spec reports what is wrong with a definition that reads no row.
                Err(diagnostic)
                    if diagnostic.kind != Kind::Limit && !reads_rows(&definition.value, &definition.params) =>
                {
                    split.rest.items.push(item.clone());
                }
                Err(diagnostic) => split.diagnostics.push(diagnostic),
            },
            ItemKind::Claim(claim) => match quantified(&claim.prop) {
                Some((variable, sheet, body)) => {
                    unnamed += usize::from(claim.name.is_none());
                    let name = claim.name.as_ref().map_or(format!("table {unnamed}"), |name| name.name.clone());
                    let Some(sheet) = split.sheets.iter().position(|known| known.name == sheet) else {
                        split.diagnostics.extend(unknown_sheet(sheet, &split.sheets, item.span, &split.diagnostics));
                        continue;
                    };
                    let text = source.slice(body.span).split_whitespace().collect::<Vec<_>>().join(" ");
                    let expecting = claim.expecting.map(|(expected, _)| expected);
                    match row_claim(&definitions, &split.sheets[sheet], variable, body) {
                        Ok((formula, printed)) => split.claims.push(RowClaim {
                            name,
                            span: item.span,
                            text,
                            variable: variable.to_string(),
                            sheet,
                            formula,
                            printed,
                            expecting,
                        }),
                        // A definition that was too large is unknown here; that has been said.
                        Err(_) if split.diagnostics.iter().any(|earlier| earlier.kind == Kind::Limit) => {}
                        Err(diagnostic) => split.diagnostics.push(*diagnostic),
                    }
                }
                None => split.rest.items.push(item.clone()),
            },
            _ => split.rest.items.push(item.clone()),
        }
    }
    split
}

fn data_problem(error: &DataError, span: Span) -> Diagnostic {
    if error.is_limit() {
        Diagnostic::limit("E0503", error.to_string()).at(span, "")
    } else {
        Diagnostic::data("E0502", error.to_string()).at(span, "")
    }
}

/// A table that no `data` item names; nothing if its file was the problem.
fn unknown_sheet(name: &str, sheets: &[Sheet], span: Span, earlier: &[Diagnostic]) -> Option<Diagnostic> {
    if earlier.iter().any(|diagnostic| diagnostic.code.starts_with("E050")) {
        return None;
    }
    let diagnostic = Diagnostic::error("E0640", format!("expected a table, found `{name}`"))
        .at(span, "its rows are not known")
        .help(format!("write `data {name} from \"table.csv\"` before the claim"));
    Some(match did_you_mean(name, sheets.iter().map(|sheet| sheet.name.as_str())) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    })
}

/// Whether an expression has a field of one of these parameters.
fn reads_rows(expr: &Expr, params: &[ast::Ident]) -> bool {
    let inner = |expr: &Expr| reads_rows(expr, params);
    match &expr.kind {
        ExprKind::Field { base, .. } => {
            base.as_name().is_some_and(|name| params.iter().any(|param| param.name == name)) || inner(base)
        }
        ExprKind::Sum(terms) => terms.iter().any(|term| inner(&term.expr)),
        ExprKind::Product(factors) => factors.iter().any(|factor| inner(&factor.expr)),
        ExprKind::Power { base, exponent } => inner(base) || inner(exponent),
        ExprKind::Neg(expr) | ExprKind::Norm { expr, .. } => inner(expr),
        ExprKind::Call { args, .. } => args.iter().any(|arg| match &arg.value {
            ast::ArgValue::Expr(expr) => inner(expr),
            ast::ArgValue::Comprehension { element, .. } => inner(element),
            ast::ArgValue::Prop(_) => false,
        }),
        ExprKind::Cases(cases) => cases.iter().any(|case| inner(&case.value)),
        _ => false,
    }
}

/// Definitions written out, by name: parameters and body.
struct Definitions {
    known: BTreeMap<String, (Vec<String>, Term)>,
    /// Columns of all tables.
    columns: BTreeSet<String>,
}

/// The names known where some variables may stand for rows.
struct Rows<'a> {
    definitions: &'a Definitions,
    variables: &'a [String],
}

impl Scope for Rows<'_> {
    fn arity(&self, name: &str) -> Option<usize> {
        self.definitions.known.get(name).map(|(params, _)| params.len()).filter(|arity| *arity > 0)
    }

    fn knows(&self, name: &str) -> bool {
        match name.split_once('.') {
            Some((row, column)) => {
                self.variables.iter().any(|variable| variable == row) && self.definitions.columns.contains(column)
            }
            None => {
                self.variables.iter().any(|variable| variable == name)
                    || self.definitions.known.get(name).is_some_and(|(params, _)| params.is_empty())
            }
        }
    }

    fn suggestions(&self) -> Vec<String> {
        let fields = self
            .variables
            .iter()
            .flat_map(|variable| self.definitions.columns.iter().map(move |column| format!("{variable}.{column}")));
        fields.chain(self.variables.iter().cloned()).chain(self.definitions.known.keys().cloned()).collect()
    }
}

impl Definitions {
    /// Takes a definition in; whether it reads rows, so that the rest of the spec cannot use it.
    fn add(&mut self, definition: &ast::Let) -> Result<bool, Diagnostic> {
        let params: Vec<String> = definition.params.iter().map(|param| param.name.clone()).collect();
        let body = lower::term(&definition.value, &Rows { definitions: self, variables: &params })?;
        let body = self.written_out(&body, definition.name.span)?;
        let reads = reads_rows(&definition.value, &definition.params) || names_fields(&body);
        self.known.insert(definition.name.name.clone(), (params, body));
        Ok(reads)
    }

    /// Replaces calls of definitions by their bodies. Errors: a formula beyond the size limit.
    fn written_out(&self, term: &Term, span: Span) -> Result<Term, Diagnostic> {
        let mut size = 0;
        let result = self.expand(term, &mut size);
        if size > SIZE_LIMIT {
            let title = format!("expected formulas of at most {SIZE_LIMIT} symbols, found more");
            return Err(Diagnostic::limit("E0123", title).at(span, "with its definitions written out"));
        }
        Ok(result)
    }

    fn expand(&self, term: &Term, size: &mut usize) -> Term {
        *size += 1;
        if *size > SIZE_LIMIT {
            return term.clone();
        }
        match term {
            Term::Name(name) => match self.known.get(name) {
                Some((params, body)) if params.is_empty() => {
                    *size += self::size(body);
                    body.clone()
                }
                _ => term.clone(),
            },
            Term::Quantity(head, arguments) => {
                let arguments: Vec<Term> = arguments.iter().map(|argument| self.expand(argument, size)).collect();
                match self.known.get(head) {
                    Some((params, body)) if params.len() == arguments.len() => {
                        let result = body.substitute(&self.binding(params, &arguments));
                        *size += self::size(&result);
                        result
                    }
                    _ => Term::Quantity(head.clone(), arguments),
                }
            }
            Term::Apply(op, arguments) => {
                Term::Apply(*op, arguments.iter().map(|argument| self.expand(argument, size)).collect())
            }
            Term::Big { big, variable, from, to, body } => Term::Big {
                big: *big,
                variable: variable.clone(),
                from: Box::new(self.expand(from, size)),
                to: Box::new(self.expand(to, size)),
                body: Box::new(self.expand(body, size)),
            },
            Term::Cases(branches) => Term::Cases(
                branches
                    .iter()
                    .map(|(condition, value)| {
                        let condition = condition.as_ref().map(|condition| self.expand_formula(condition, size));
                        (condition, self.expand(value, size))
                    })
                    .collect(),
            ),
            Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => term.clone(),
        }
    }

    fn expand_formula(&self, formula: &Formula, size: &mut usize) -> Formula {
        match formula {
            Formula::Compare(a, relation, b) => Formula::Compare(self.expand(a, size), *relation, self.expand(b, size)),
            Formula::Within(a, low, high) => {
                Formula::Within(self.expand(a, size), self.expand(low, size), self.expand(high, size))
            }
            Formula::And(parts) => Formula::And(parts.iter().map(|part| self.expand_formula(part, size)).collect()),
            other => other.clone(),
        }
    }

    /// Parameters bound to arguments; where an argument is a row, its fields go along.
    fn binding(&self, params: &[String], arguments: &[Term]) -> Substitution {
        let mut substitution = Substitution::new();
        for (param, argument) in params.iter().zip(arguments) {
            substitution.insert(param.clone(), argument.clone());
            if let Term::Name(row) = argument {
                let fields = self.columns.iter();
                substitution
                    .extend(fields.map(|column| (format!("{param}.{column}"), Term::Name(format!("{row}.{column}")))));
            }
        }
        substitution
    }
}

fn names_fields(term: &Term) -> bool {
    match term {
        Term::Name(name) => name.contains('.'),
        Term::Apply(_, arguments) | Term::Quantity(_, arguments) => arguments.iter().any(names_fields),
        Term::Big { from, to, body, .. } => [from, to, body].into_iter().any(|part| names_fields(part)),
        Term::Cases(branches) => branches.iter().any(|(_, value)| names_fields(value)),
        Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => false,
    }
}

/// Number of symbols of a term.
pub fn size(term: &Term) -> usize {
    1 + match term {
        Term::Apply(_, arguments) | Term::Quantity(_, arguments) => arguments.iter().map(size).sum(),
        Term::Big { from, to, body, .. } => size(from) + size(to) + size(body),
        Term::Cases(branches) => branches.iter().map(|(_, value)| 2 + size(value)).sum(),
        Term::Name(_) | Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => 0,
    }
}

type Lowered = (Formula, Option<Printed>);

fn row_claim(
    definitions: &Definitions,
    sheet: &Sheet,
    variable: &str,
    body: &Prop,
) -> Result<Lowered, Box<Diagnostic>> {
    let variables = [variable.to_string()];
    let scope = Rows { definitions, variables: &variables };
    let unknown = |diagnostic: Diagnostic| {
        let columns = sheet.columns().join(", ");
        Box::new(if diagnostic.code == "E0131" { diagnostic.note(format!("columns: {columns}")) } else { diagnostic })
    };
    let formula = lower::formula_with(body, &scope, &variables).map_err(unknown)?;
    let mut size = 0;
    let formula = definitions.expand_formula(&formula, &mut size);
    if size > SIZE_LIMIT {
        let title = format!("expected formulas of at most {SIZE_LIMIT} symbols, found more");
        return Err(Box::new(Diagnostic::limit("E0123", title).at(body.span, "with its definitions written out")));
    }
    if let Some(column) = foreign_column(&formula, variable, sheet) {
        return Err(Box::new(
            Diagnostic::error("E0641", format!("expected a column of `{}`, found `{column}`", sheet.name))
                .at(body.span, "")
                .note(format!("columns: {}", sheet.columns().join(", "))),
        ));
    }
    let printed = printed(&formula, variable);
    Ok((formula, printed))
}

/// A column that another table has and this one lacks.
fn foreign_column(formula: &Formula, variable: &str, sheet: &Sheet) -> Option<String> {
    let of_term = |term: &Term| {
        let mut names = BTreeSet::new();
        collect(term, &mut names);
        names.into_iter().find_map(|name| {
            let column = name.strip_prefix(variable)?.strip_prefix('.')?;
            (!sheet.columns().iter().any(|known| known == column)).then(|| column.to_string())
        })
    };
    match formula {
        Formula::Compare(a, _, b) => of_term(a).or_else(|| of_term(b)),
        Formula::Within(a, low, high) => [a, low, high].into_iter().find_map(of_term),
        Formula::And(parts) => parts.iter().find_map(|part| foreign_column(part, variable, sheet)),
        _ => None,
    }
}

/// All names of a term.
pub fn collect(term: &Term, names: &mut BTreeSet<String>) {
    match term {
        Term::Name(name) => {
            names.insert(name.clone());
        }
        Term::Apply(_, arguments) | Term::Quantity(_, arguments) => {
            arguments.iter().for_each(|argument| collect(argument, names));
        }
        Term::Big { from, to, body, .. } => [from, to, body].into_iter().for_each(|part| collect(part, names)),
        Term::Cases(branches) => branches.iter().for_each(|(_, value)| collect(value, names)),
        Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => {}
    }
}

/// A comparison of a formula with a column, turned so that the formula is on the left.
fn printed(formula: &Formula, variable: &str) -> Option<Printed> {
    let Formula::Compare(a, relation, b) = formula else { return None };
    let column = |term: &Term| match term {
        Term::Name(name) => Some(name.strip_prefix(variable)?.strip_prefix('.')?.to_string()),
        _ => None,
    };
    let (left, relation, column) = match (column(a), column(b)) {
        (None, Some(column)) => (a, *relation, column),
        (Some(column), None) => (b, turned(*relation), column),
        _ => return None,
    };
    let (formula, rounding, decimals) = match rounded(left) {
        Some((inner, rounding, decimals)) => (inner, Some(rounding), Some(decimals)),
        None => (left.clone(), None, None),
    };
    Some(Printed { column, formula, relation, rounding, decimals })
}

fn turned(relation: Relation) -> Relation {
    match relation {
        Relation::Le => Relation::Ge,
        Relation::Lt => Relation::Gt,
        Relation::Ge => Relation::Le,
        Relation::Gt => Relation::Lt,
        Relation::Eq => Relation::Eq,
    }
}

/// Takes `round_up(x, d)`, which is `ceil(x*10^d)/10^d`, apart.
fn rounded(term: &Term) -> Option<(Term, Rounding, u32)> {
    let Term::Apply(Op::Div, parts) = term else { return None };
    let [Term::Apply(rounding @ (Op::Ceil | Op::Floor), inner), scale] = parts.as_slice() else { return None };
    let Term::Apply(Op::Pow, power) = scale else { return None };
    let [Term::Number(ten), Term::Number(digits)] = power.as_slice() else { return None };
    if *ten != num_rational::BigRational::from_integer(10.into()) {
        return None;
    }
    let decimals = num_traits::ToPrimitive::to_u32(&digits.to_integer())?;
    let scaled = |term: &Term| match term {
        Term::Apply(Op::Mul, factors) if factors.len() == 2 && factors[1] == *scale => Some(factors[0].clone()),
        _ => None,
    };
    match (rounding, inner.as_slice()) {
        (Op::Ceil, [x]) => Some((scaled(x)?, Rounding::Up, decimals)),
        (Op::Floor, [Term::Apply(Op::Add, parts)]) if parts.len() == 2 => {
            Some((scaled(&parts[0])?, Rounding::Nearest, decimals))
        }
        (Op::Floor, [x]) => Some((scaled(x)?, Rounding::Down, decimals)),
        _ => None,
    }
}
