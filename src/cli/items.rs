//! Items of a spec, worked on one by one: claims proved, expectations observed, measurements taken, bounds compared.

pub use super::bound::{display, high, low};
use super::counterexample::counterexample;
use super::run::{Lint, exit};
use crate::kernel::check::{Statement, Verdict as KernelVerdict};
use crate::kernel::derive::{End, Step};
use crate::kernel::eval::EvalError;
use crate::kernel::term::{Formula, Relation, Term};
use crate::kernel::theorem::Status;
use crate::kernel::value::Value;
use crate::model::{self, MethodCall};
use crate::prove::{self, Method, Outcome, Search, Vacuity};
use crate::report::decimal::{Direction, exact_or_decimal};
use crate::report::view::{ItemKind, ItemView, Verdict};
use crate::syntax::ast::Expected;
use crate::text::{Diagnostic, Source, Span};
use crate::theory::Library;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

/// What became of an item.
pub struct Result {
    pub view: ItemView,
    pub outcome: Option<Outcome>,
    pub spent: BigRational,
    pub diagnostics: Vec<Diagnostic>,
    pub exit: u8,
}

/// A method call as the search takes it.
pub fn method(call: &MethodCall) -> Method {
    Method {
        name: call.name.clone(),
        positional: call.positional.clone(),
        named: call.named.clone(),
        within: call.within,
    }
}

/// What a claim or row that states no probability may draw: an equal part of what the stated ones leave.
pub fn share(spec: &model::Spec, budget: &BigRational) -> BigRational {
    let (mut stated, mut open) = (BigRational::zero(), 0usize);
    for item in &spec.items {
        match &item.kind {
            model::ItemKind::Claim(claim) => match &claim.failure {
                Some(failure) => stated += failure,
                None if mentions_risk(&claim.statement) => open += 1,
                None => {}
            },
            model::ItemKind::Bounds { methods, .. } => open += methods.len(),
            _ => {}
        }
    }
    let left = budget - stated;
    if open == 0 || left <= BigRational::zero() {
        BigRational::zero()
    } else {
        left / BigRational::from_integer(open.into())
    }
}

fn mentions_risk(statement: &Statement) -> bool {
    let text = match statement {
        Statement::Formula(formula) => formula.to_string(),
        Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => term.to_string(),
    };
    text.contains("risk(")
}

/// The results of one item: one, or one per row of a `bounds` block.
pub fn item(
    item: &model::Item,
    search: &Search,
    library: &Library,
    share: &BigRational,
    source: &Source,
) -> Vec<Result> {
    let line = source.position(item.span.start).line;
    match &item.kind {
        model::ItemKind::Claim(claim) => {
            let failure = claim.failure.clone().unwrap_or_else(|| share.clone());
            let call = claim.method.as_ref().map(method);
            let outcome = prove::prove(search, &claim.statement, call.as_ref(), &failure);
            let view = ItemView::new(ItemKind::Claim, &item.name, Verdict::Unknown, &item.text, line);
            let span = claim.method.as_ref().map_or(item.span, |call| call.span);
            let mut result = report(view, &claim.statement, claim.expecting, outcome, library, span);
            unused(&mut result, &claim.statement, call.as_ref(), claim.expecting.is_some());
            result.view.witness = refuted_at(&result, &claim.statement, search);
            unlisted(&mut result, &claim.assuming, item.span);
            if result.view.verdict == Verdict::Unknown {
                result.view.notes.extend(unspecified(search, &claim.statement));
            }
            vec![result]
        }
        model::ItemKind::Expect(formula) => {
            let statement = Statement::Formula(formula.clone());
            let outcome = prove::prove(search, &statement, None, &BigRational::zero());
            let view = ItemView::new(ItemKind::Expect, &item.name, Verdict::Unknown, &item.text, line);
            let mut result = report(view, &statement, None, outcome, library, item.span);
            let (verdict, code) = match result.view.verdict {
                Verdict::Proved { .. } => (Verdict::Consistent, exit::PROVED),
                Verdict::Refuted => (Verdict::Contradicted, exit::REFUTED),
                other => (other, result.exit),
            };
            (result.view.verdict, result.exit) = (verdict, code);
            result.view.method = None;
            result.view.source = None;
            vec![result]
        }
        model::ItemKind::Measure(term) => {
            let outcome = prove::prove(search, &Statement::Both(term.clone()), None, &BigRational::zero());
            let view = ItemView::new(ItemKind::Measure, &item.name, Verdict::Unknown, &item.text, line);
            let mut result = report(view, &Statement::Both(term.clone()), None, outcome, library, item.span);
            if matches!(result.view.verdict, Verdict::Proved { .. }) {
                result.view.verdict = Verdict::Measured;
            }
            vec![result]
        }
        model::ItemKind::Refused(diagnostic) => {
            let mut view = ItemView::new(ItemKind::Claim, &item.name, Verdict::Error, &item.text, line);
            view.expected = true;
            view.notes.push(format!("{}: {}", diagnostic.code, diagnostic.title));
            vec![Result {
                view,
                outcome: None,
                spent: BigRational::zero(),
                diagnostics: Vec::new(),
                exit: exit::PROVED,
            }]
        }
        model::ItemKind::Bounds { target, methods } => {
            let calls: Vec<Method> = methods.iter().map(method).collect();
            let rows = prove::bounds(search, target, &calls, share);
            rows.into_iter()
                .zip(methods)
                .zip(model::rows_of(&item.name, methods))
                .map(|((row, call), name)| {
                    let view = ItemView::new(ItemKind::Bound, &name, Verdict::Unknown, &item.text, line);
                    let statement = Statement::Upper(target.clone());
                    let mut result = report(view, &statement, None, row.outcome, library, call.span);
                    unused(&mut result, &statement, Some(&method(call)), false);
                    result
                })
                .collect()
        }
    }
}

/// A hole whose method gave nothing is not answered by what holds of every such quantity.
fn unused(result: &mut Result, statement: &Statement, call: Option<&Method>, is_expecting: bool) {
    let Some((call, outcome)) = call.zip(result.outcome.as_ref()) else { return };
    let is_trivial = outcome.steps.is_empty() && matches!(result.view.verdict, Verdict::Proved { .. });
    if !is_trivial || is_expecting || !mentions_risk(statement) || matches!(statement, Statement::Formula(_)) {
        return;
    }
    result.view.verdict = Verdict::Unknown;
    result.exit = exit::UNKNOWN;
    let text =
        format!("`{}` gave no bound: name its sample and what else it needs, see `supremum theorems`", call.name);
    result.view.notes.push(text);
}

/// An item that speaks of a row whose bound is not proved.
pub fn without_row(item: &model::Item, row: &str, source: &Source) -> Result {
    let kind = match item.kind {
        model::ItemKind::Expect(_) => ItemKind::Expect,
        model::ItemKind::Measure(_) => ItemKind::Measure,
        _ => ItemKind::Claim,
    };
    let line = source.position(item.span.start).line;
    let mut view = ItemView::new(kind, &item.name, Verdict::Unknown, &item.text, line);
    view.notes.push(format!("`{row}` has no proved bound"));
    Result { view, outcome: None, spent: BigRational::zero(), diagnostics: Vec::new(), exit: exit::UNKNOWN }
}

/// The bound of a row as printed, which is what other claims mean by the row's name. `None` where nothing is proved.
pub fn row_value(target: &Term, checked: &crate::kernel::check::Checked) -> Option<BigRational> {
    if checked.verdict() != KernelVerdict::Proved {
        return None;
    }
    let value = uncapped(&Statement::Upper(target.clone()), checked).or_else(|| checked.value().cloned())?;
    crate::num::decimal::parse(&display(&high(&value)?, Direction::Up)).ok()
}

/// Where a refuted formula fails.
fn refuted_at(result: &Result, statement: &Statement, search: &Search) -> Option<String> {
    let (Verdict::Refuted, Statement::Formula(formula), Some(outcome)) =
        (result.view.verdict, statement, &result.outcome)
    else {
        return None;
    };
    let mut workspace = search.workspace();
    outcome.steps.iter().try_for_each(|step| workspace.apply(step).map(|_| ())).ok()?;
    counterexample(&workspace, formula)
}

/// A claim on an architecture speaks of every network of it, which nothing bounds.
fn unspecified(search: &Search, statement: &Statement) -> Option<String> {
    let term = match statement {
        Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => term,
        Statement::Formula(Formula::Compare(term, ..) | Formula::Within(term, ..)) => term,
        Statement::Formula(_) => return None,
    };
    let Term::Quantity(head, arguments) = term else { return None };
    let name = match arguments.first()? {
        Term::Name(name) => name,
        Term::Quantity(on, inner) if on == "on" => match inner.first()? {
            Term::Name(name) => name,
            _ => return None,
        },
        _ => return None,
    };
    let net = search.context().objects.net(name)?;
    let is_open = net.network.is_none() && net.constraints.is_empty();
    (is_open && matches!(head.as_str(), "lip" | "range" | "weight_norm" | "bias_norm" | "risk")).then(|| {
        format!(
            "`{name}` is an architecture, and the claim is about all of its networks: read one from a file, `train` one, or \
             bound the weights (`class F = {name} where |W[l]|_spec <= 2 for l in layers`)"
        )
    })
}

/// A claim with `assuming` rests on no declared assumption beside those that it lists.
fn unlisted(result: &mut Result, assuming: &[String], span: Span) {
    if assuming.is_empty() {
        return;
    }
    let declared = result.view.assumptions.iter().filter_map(|text| text.strip_prefix('`')?.split_once("`: "));
    let Some(name) = declared.map(|(name, _)| name).find(|name| !assuming.iter().any(|listed| listed == name)) else {
        return;
    };
    let title = format!("`{}` rests on the assumption `{name}`, which its `assuming` does not list", result.view.name);
    let list = assuming.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(", ");
    result.diagnostics.push(Diagnostic::error("E0610", title).at(span, "").help(format!("write `assuming {list}`")));
    result.view.verdict = Verdict::Error;
    result.exit = exit::SPEC;
}

/// A claim that says no more than is true of everything, unless it says so itself; rows of bounds are there to be compared.
pub fn vacuous(result: &Result, deny: &[Lint], line: Span) -> Option<Diagnostic> {
    let view = &result.view;
    let is_vacuous = matches!(view.verdict, Verdict::Proved { vacuous: true, .. });
    if !is_vacuous || view.expected || view.kind != ItemKind::Claim || deny.contains(&Lint::Vacuous) {
        return None;
    }
    let shown = view.shown.as_ref().unwrap_or(&view.statement);
    let title = format!("claim `{}` is vacuous: {shown} says no more than is true of everything", view.name);
    let needs = view.notes.iter().find_map(|note| note.strip_prefix("vacuous: "));
    let mut warning = Diagnostic::warning("W0601", title).at(line, "").help("`expecting vacuous` if that is the point");
    if let Some(needs) = needs {
        warning = warning.note(needs);
    }
    Some(warning)
}

/// What `--deny` has against a result; the place is the line of its item.
pub fn denied(result: &Result, deny: &[Lint], line: Span) -> Vec<Diagnostic> {
    let name = &result.view.name;
    let finding = |lint: &Lint| {
        let (code, title) = match lint {
            Lint::Vacuous if matches!(result.view.verdict, Verdict::Proved { vacuous: true, .. }) => {
                ("W0601", format!("`{name}` is vacuous, which `--deny vacuous` refuses"))
            }
            Lint::Assumptions if !result.view.assumptions.is_empty() => {
                ("W0604", format!("`{name}` rests on assumptions, which `--deny assumptions` refuses"))
            }
            Lint::Unproved if matches!(result.view.verdict, Verdict::Proved { modulo: true, .. }) => {
                ("W0604", format!("`{name}` carries a dagger, which `--deny unproved` refuses"))
            }
            Lint::Observed if matches!(result.view.kind, ItemKind::Expect) => {
                ("W0604", format!("`{name}` is observed, which `--deny observed` refuses"))
            }
            _ => return None,
        };
        Some(Diagnostic::warning(code, title).at(line, ""))
    };
    deny.iter().filter_map(finding).collect()
}

/// Turns an outcome into a line of the report.
fn report(
    mut view: ItemView,
    statement: &Statement,
    expecting: Option<Expected>,
    outcome: Outcome,
    library: &Library,
    span: Span,
) -> Result {
    let mut diagnostics = Vec::new();
    let mut spent = BigRational::zero();
    let mut exit_code = exit::UNKNOWN;
    if let Some(error) = &outcome.disagreement {
        diagnostics.push(
            Diagnostic::error("E0070", format!("engine and kernel disagree on `{}`: {error}", view.name))
                .help("please report this spec: nothing was proved, and something is wrong"),
        );
        view.verdict = Verdict::Error;
        exit_code = exit::DISAGREEMENT;
    } else if let Some(error) = &outcome.error {
        diagnostics.push(undefined(error, &view.name, span));
        view.verdict = Verdict::Error;
        exit_code = if matches!(error, EvalError::TooLarge(_)) { exit::LIMIT } else { exit::SPEC };
    } else if let Some(checked) = &outcome.checked {
        spent = checked.spent();
        let daggers = daggers(checked.theorems(), checked.undischarged());
        let vacuous = outcome.vacuity.is_some();
        view.verdict = match checked.verdict() {
            KernelVerdict::Proved => Verdict::Proved { vacuous, modulo: !daggers.is_empty() },
            KernelVerdict::Refuted => Verdict::Refuted,
            KernelVerdict::Unknown => Verdict::Unknown,
        };
        exit_code = match view.verdict {
            Verdict::Proved { .. } => exit::PROVED,
            Verdict::Refuted => exit::REFUTED,
            _ => exit::UNKNOWN,
        };
        if let Some(value) = checked.value() {
            let uncapped = uncapped(statement, checked).unwrap_or_else(|| value.clone());
            view.lower = low(value).map(|q| exact_or_decimal(&q, Direction::Down));
            view.upper = high(&uncapped).map(|q| exact_or_decimal(&q, Direction::Up));
            view.shown = Some(shown(statement, &uncapped, &view.statement));
            view.bound = tabled(statement, &uncapped);
            view.factor = risk(statement).and_then(|_| high(&uncapped)).map(|q| display(&q, Direction::Up));
        }
        view.delta = Some(spent.to_string());
        view.assumptions = checked.assumptions().iter().chain(checked.undischarged()).cloned().collect();
        view.daggers = daggers;
    }
    // A hole whose method did not apply is not answered by the trivial bound.
    let is_unanswered = !matches!(statement, Statement::Formula(_))
        && outcome.steps.is_empty()
        && !outcome.obstacles.is_empty()
        && matches!(view.verdict, Verdict::Proved { .. });
    if is_unanswered {
        view.verdict = Verdict::Unknown;
        exit_code = exit::UNKNOWN;
    }
    if view.verdict == Verdict::Unknown {
        view.notes.extend(known(statement, &outcome));
        let blocked = obstacles(&outcome, library, &mut view, span);
        // A method that was asked for and whose requirement is false is an error of the spec.
        if let Some(diagnostic) = blocked {
            diagnostics.push(diagnostic);
            view.verdict = Verdict::Error;
            exit_code = exit::SPEC;
        }
    }
    if let Some(method) = &outcome.method {
        view.method = Some(method.clone());
        view.detail = outcome.instance.as_ref().map(|instance| format!("{method} ({instance})"));
        view.source = library.find(method).map(|entry| entry.source.clone());
    }
    view.notes.extend(outcome.notes.iter().cloned());
    if let Some(vacuity) = &outcome.vacuity {
        view.notes.push(needs(vacuity));
    }
    view.notes.extend(without_learning(&outcome));
    others(&outcome, statement, &mut view);
    if let Some(expected) = expecting {
        let met = matches!(
            (expected, view.verdict),
            (Expected::Refuted, Verdict::Refuted)
                | (Expected::Unknown, Verdict::Unknown)
                | (Expected::Proved, Verdict::Proved { .. })
                | (Expected::Vacuous, Verdict::Proved { vacuous: true, .. })
        ) || diagnostics.iter().any(|diagnostic| expected.is_error(diagnostic.code));
        view.expected = met;
        if met && view.verdict == Verdict::Error {
            // The error is what the claim is there to show.
            view.notes
                .extend(diagnostics.drain(..).map(|diagnostic| format!("{}: {}", diagnostic.code, diagnostic.title)));
        }
        exit_code = match (met, view.verdict) {
            (true, _) => exit::PROVED,
            (false, Verdict::Unknown) => exit::UNKNOWN,
            (false, Verdict::Error) => exit_code,
            (false, _) => {
                view.notes.push(format!("expected {expected}"));
                exit::REFUTED
            }
        };
    }
    Result { view, outcome: Some(outcome), spent, diagnostics, exit: exit_code }
}

/// What is proved about the left side of a comparison that stays open.
fn known(statement: &Statement, outcome: &Outcome) -> Option<String> {
    let Statement::Formula(Formula::Compare(left, ..)) = statement else { return None };
    // The range of the quantity itself says nothing new.
    if outcome.steps.is_empty() {
        return None;
    }
    Some(match interval(outcome.checked.as_ref()?.value()?) {
        (Some(low), Some(high)) => format!("proved: {left} in [{low}, {high}]"),
        (None, Some(high)) => format!("proved: {left} <= {high}"),
        (Some(low), None) => format!("proved: {left} >= {low}"),
        (None, None) => return None,
    })
}

/// A statement or term that means nothing at some point.
pub fn undefined(error: &EvalError, name: &str, span: Span) -> Diagnostic {
    match error {
        EvalError::TooLarge(text) => Diagnostic::limit("E0123", format!("`{name}`: {text}")).at(span, ""),
        other => Diagnostic::error("E0301", format!("`{name}` is undefined: {other}")).at(span, ""),
    }
}

/// The risk that a statement bounds from above: at most 1 whatever happens.
fn risk(statement: &Statement) -> Option<&Term> {
    let (Statement::Upper(subject) | Statement::Formula(Formula::Compare(subject, Relation::Le | Relation::Lt, _))) =
        statement
    else {
        return None;
    };
    matches!(subject, Term::Quantity(head, _) if head == "risk" || head == "gibbs_risk").then_some(subject)
}

/// The bound before it is cut to the quantity's own range, so that a vacuous bound shows by how much it is.
fn uncapped(statement: &Statement, checked: &crate::kernel::check::Checked) -> Option<Value> {
    let subject = risk(statement)?;
    let fact = checked.facts().iter().rev().find(|fact| fact.subject == *subject && fact.value.high_end().is_some())?;
    let one = Value::integer(1, 64);
    let is_vacuous = one.le(&fact.value.high_end()?) == crate::kernel::real::Truth::True;
    is_vacuous.then(|| fact.value.clone())
}

/// Why a proved result carries a dagger.
fn daggers(
    theorems: &std::collections::BTreeMap<String, Status>,
    undischarged: &std::collections::BTreeSet<String>,
) -> Vec<String> {
    let mut daggers = Vec::new();
    for (name, status) in theorems {
        match status {
            Status::Recalled => daggers.push(format!("`{name}` is recalled, not checked against its source")),
            Status::Unproved => daggers.push(format!("`{name}` is unproved")),
            Status::Proved | Status::Derived => {}
        }
    }
    daggers.extend(undischarged.iter().map(|condition| format!("assumed without declaration: {condition}")));
    daggers
}

/// The statement with its holes filled.
fn shown(statement: &Statement, value: &Value, text: &str) -> String {
    let upper = high(value).map(|q| display(&q, Direction::Up));
    let lower = low(value).map(|q| display(&q, Direction::Down));
    match (statement, lower, upper) {
        (Statement::Upper(term), _, Some(upper)) => format!("{term} <= {upper}"),
        (Statement::Lower(term), Some(lower), _) => format!("{term} >= {lower}"),
        (Statement::Both(term), Some(lower), Some(upper)) if lower == upper => format!("{term} = {lower}"),
        (Statement::Both(term), Some(lower), Some(upper)) => format!("{term} in [{lower}, {upper}]"),
        _ => text.to_string(),
    }
}

/// The bound for a table: the side that the statement is about.
fn tabled(statement: &Statement, value: &Value) -> Option<String> {
    use Relation::{Ge, Gt};
    let (lower, upper) = interval(value);
    Some(match (statement, lower, upper) {
        (_, Some(a), Some(b)) if a == b => a,
        (Statement::Lower(_) | Statement::Formula(Formula::Compare(_, Ge | Gt, _)), Some(a), _) => format!(">= {a}"),
        (Statement::Both(_) | Statement::Formula(Formula::Within(..)), Some(a), Some(b)) => format!("[{a}, {b}]"),
        (_, _, Some(b)) => format!("<= {b}"),
        (_, Some(a), None) => format!(">= {a}"),
        (_, None, None) => return None,
    })
}

/// A PAC-Bayes bound at divergence 0 pays for all posteriors and uses one that is known before the sample.
fn without_learning(outcome: &Outcome) -> Option<String> {
    let Step::Theorem { name, bindings } = outcome.steps.last()? else { return None };
    let value = |parameter: &str| bindings.iter().find(|(name, _)| name == parameter).map(|(_, term)| term);
    let is_still = name.starts_with("pac_bayes.") && value("C") == Some(&Term::int(0));
    let sample = value("S").filter(|_| is_still)?;
    Some(format!(
        "the divergence is 0, nothing was learned from `{sample}`: `test_set({sample})` for the network itself pays less"
    ))
}

fn needs(vacuity: &Vacuity) -> String {
    let thousands = |n: &BigInt| crate::report::decimal::grouped(n);
    match &vacuity.needs {
        Some((one, Some(half))) => {
            format!("vacuous: needs n >= {} to be below 1, n >= {} for 1/2", thousands(one), thousands(half))
        }
        Some((one, None)) => format!("vacuous: needs n >= {} to be below 1", thousands(one)),
        None => format!("vacuous: says no more than {}", vacuity.trivial),
    }
}

/// Both ends for the terminal, where there are any.
fn interval(value: &Value) -> (Option<String>, Option<String>) {
    (low(value).map(|q| display(&q, Direction::Down)), high(value).map(|q| display(&q, Direction::Up)))
}

/// Other bounds that were found on what the claim bounds, best first. Those on other quantities would only confuse.
fn others(outcome: &Outcome, statement: &Statement, view: &mut ItemView) {
    let (subject, end) = match statement {
        Statement::Upper(term) | Statement::Both(term) => (term, End::High),
        Statement::Lower(term) => (term, End::Low),
        Statement::Formula(Formula::Compare(term, Relation::Ge | Relation::Gt, _)) => (term, End::Low),
        Statement::Formula(Formula::Compare(term, ..) | Formula::Within(term, ..)) => (term, End::High),
        Statement::Formula(_) => return,
    };
    let is_range = matches!(subject, Term::Quantity(head, _) if head == "range");
    let idea = |name: &str| name.rsplit('.').next().unwrap_or_default().to_string();
    let mut seen = vec![(outcome.method.as_deref().map(idea), shown_bound(outcome, is_range, end))];
    let mut shown = Vec::new();
    for attempt in outcome.others.iter().filter(|attempt| attempt.subject == *subject && attempt.end == end) {
        let Some(bound) = bound(&attempt.value, is_range, end) else { continue };
        // The engine's number and the theorem's that it instantiates are one and the same.
        let key = (Some(idea(&attempt.method)), Some(bound.clone()));
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let instance = attempt.instance.as_ref().map_or_else(String::new, |text| format!(" ({text})"));
        // No line break inside an entry.
        shown.push(format!("{}{instance} {bound}", attempt.method).replace(' ', "\u{a0}"));
    }
    if !shown.is_empty() && matches!(view.verdict, Verdict::Proved { .. }) {
        // The bounds on one network are few; of theorems there may be dozens.
        let is_lip = matches!(subject, Term::Quantity(head, _) if head == "lip");
        shown.truncate(if is_lip { usize::MAX } else { 4 });
        view.notes.push(format!("also: {}", shown.join(", ")));
    }
}

fn shown_bound(outcome: &Outcome, is_range: bool, end: End) -> Option<String> {
    bound(outcome.checked.as_ref()?.value()?, is_range, end)
}

fn bound(value: &Value, is_range: bool, end: End) -> Option<String> {
    match (interval(value), end) {
        ((Some(a), Some(b)), _) if is_range => Some(format!("[{a}, {b}]")),
        ((_, b), End::High) => b,
        ((a, _), End::Low) => a,
    }
}

const LIBRARY: &str = "`supremum theorems NAME` shows what a theorem requires";
const SPLIT: &str = "split the data: let this depend on one part and state the bound on the other, as in `split D into prior 100, bound \
                     100` with a network or prior from `D.prior` and the bound on `D.bound`; or take a theorem that pays for the choice";
const STATED: &str = "state the value, chosen before the sample is seen, as in `by finite_class(bits: 32, on: D.train)` or `by \
                      margin(g: 1/2)`, or take a theorem that holds for all values at once and pays for it";

/// A form of the theorem that pays for a union over its constants, or over the norms of its class (E0310).
fn uniform<'l>(theorem: &str, code: &str, library: &'l Library) -> Option<&'l str> {
    let (topic, idea) = theorem.split_once('.').unwrap_or(("", theorem));
    let forms = match topic {
        _ if code == "E0302" => Vec::new(),
        "margin" if code == "E0310" => vec![format!("margin_grid.{idea}"), "margin_grid.frobenius".to_string()],
        "margin" => {
            vec![format!("margin_grid.{idea}"), format!("{theorem}_uniform"), "margin_grid.frobenius".to_string()]
        }
        "pac_bayes" => vec![format!("{theorem}_grid"), "pac_bayes.prior_grid".to_string()],
        "finite_class" => vec!["occam.binomial".to_string()],
        _ => Vec::new(),
    };
    forms.iter().find_map(|form| library.find(form)).map(|entry| entry.theorem.name.as_str())
}

/// Notes on what stood in the way; a diagnostic where a theorem's requirement is false.
fn obstacles(outcome: &Outcome, library: &Library, view: &mut ItemView, span: Span) -> Option<Diagnostic> {
    let refuted = outcome
        .obstacles
        .iter()
        .find(|obstacle| matches!(&obstacle.error, EvalError::Requirement { refuted: true, .. }));
    for obstacle in outcome.obstacles.iter().take(4) {
        view.notes.push(format!("{}: {}", obstacle.theorem, obstacle.error));
    }
    let is_without_candidate = outcome.steps.is_empty();
    match refuted {
        Some(obstacle) if is_without_candidate => {
            let (code, help) = match &obstacle.error {
                EvalError::Requirement { formula, .. } if formula.starts_with("independent(") => ("E0310", SPLIT),
                EvalError::Requirement { formula, .. } if formula.starts_with("fixed_before(") => ("E0311", STATED),
                _ => ("E0302", LIBRARY),
            };
            let mut diagnostic =
                Diagnostic::error(code, format!("a requirement fails: {}", obstacle.error)).at(span, "");
            for other in outcome.obstacles.iter().filter(|other| other.theorem != obstacle.theorem).take(3) {
                diagnostic = diagnostic.note(format!("{}: {}", other.theorem, other.error));
            }
            view.notes.clear();
            // The theorem that pays, where there is one.
            match uniform(&obstacle.theorem, code, library) {
                Some(form) => Some(diagnostic.help(format!("{help}: `{form}`"))),
                None => Some(diagnostic.help(help)),
            }
        }
        _ => None,
    }
}
