//! Examples and rejects of a theorem, run through the kernel.
//!
//! An example gives the conclusion's bound for some values of the parameters; the kernel evaluates the conclusion and the two
//! must agree, and no requirement may be false. A reject breaks one requirement: the kernel must find it false, or find
//! nothing that establishes it where it speaks of objects that the reject leaves open.

use super::instance::{Instance, bare};
use super::{Entry, Library};
use crate::kernel::derive::{Step, Theorems, Workspace, structures};
use crate::kernel::eval::EvalError;
use crate::kernel::object::Objects;
use crate::kernel::real::Truth;
use crate::kernel::term::{Formula, Relation};
use crate::kernel::value::Value;
use crate::point;
use crate::syntax::ast::{Binding, Example, Expr, ExprKind, Reject};
use crate::syntax::{lower, print_prop};
use crate::text::Diagnostic;
use std::collections::BTreeMap;

/// What a theorem's examples and rejects have wrong, with places in the theorem's own file.
pub fn check(entry: &Entry, library: &Library) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for case in &entry.block.examples {
        problems.extend(example(entry, case, library).err());
    }
    for case in &entry.block.rejects {
        problems.extend(reject(entry, case, library).err());
    }
    problems
}

/// Requirements that no reject breaks, and a theorem without example: for those who maintain a library.
pub fn gaps(entry: &Entry) -> Vec<Diagnostic> {
    let parameters = names(entry);
    let broken: Vec<Formula> =
        entry.block.rejects.iter().filter_map(|reject| broken(reject, &parameters).ok()).collect();
    let mut gaps = Vec::new();
    for (requirement, prop) in entry.theorem.requires.iter().zip(&entry.block.requires) {
        if !broken.contains(requirement) {
            gaps.push(
                Diagnostic::warning("W0602", format!("expected a reject that breaks `{requirement}`, found none"))
                    .at(prop.span, "this requirement")
                    .help(format!("write `reject ... breaks {}`", print_prop(prop))),
            );
        }
    }
    if entry.block.examples.is_empty() {
        let title = format!("expected an example of `{}`, found none", entry.theorem.name);
        gaps.push(
            Diagnostic::warning("W0603", title)
                .at(entry.block.name.span, "")
                .help("write `example NAME = VALUE, ... gives VALUE` with a value that was computed independently"),
        );
    }
    gaps
}

fn names(entry: &Entry) -> Vec<String> {
    entry.theorem.parameters.iter().map(|(name, _)| name.clone()).collect()
}

fn broken(reject: &Reject, parameters: &[String]) -> Result<Formula, Diagnostic> {
    lower::formula(&reject.breaks, &super::compile::Parameters(parameters.to_vec()))
}

/// Whether a requirement holds in an instance; `None` where it speaks of what the instance leaves open.
fn decide(workspace: &Workspace, instance: &Instance, requirement: &Formula) -> Result<Option<Truth>, EvalError> {
    let formula = instance.formula(requirement);
    if instance.holding.contains(&formula) {
        return Ok(Some(Truth::True));
    }
    if instance.is_open(&formula) {
        return Ok(None);
    }
    workspace.decide(&formula).map(|(truth, _)| Some(truth))
}

/// The name under which the kernel evaluates the conclusion of an example. No theorem can be called so.
const CONCLUSION: &str = "the conclusion";

/// A theorem's statement for some values of its parameters.
pub struct Evaluated {
    /// The truth of every requirement; `None` where it speaks of what the values leave open.
    pub requirements: Vec<Option<Truth>>,
    /// The right side of the conclusion: its lower and its upper end, the same term in a one-sided conclusion.
    pub right: (Value, Value),
    /// What the conclusion says of its quantity: integers are rounded inward.
    pub fact: Value,
}

/// Evaluates a theorem for the bindings of an example. Errors: values that do not fit, a conclusion that they leave open.
pub fn evaluate(entry: &Entry, bindings: &[Binding], library: &Library) -> Result<Evaluated, Diagnostic> {
    let instance = Instance::new(bindings, &names(entry))?;
    let conclusion = instance.conclusion(&entry.theorem.ensures);
    let run = within(&instance, library, Some(conclusion.clone()), |workspace| {
        let requirements = &entry.theorem.requires;
        let requirements = requirements.iter().map(|r| decide(workspace, &instance, r)).collect::<Result<_, _>>()?;
        let (low, high) = match &conclusion {
            Formula::Compare(_, _, right) => (right, right),
            Formula::Within(_, low, high) => (low, high),
            other => return Err(EvalError::Meaningless(format!("expected a bound on a quantity, found `{other}`"))),
        };
        let right = (workspace.evaluate(low)?.0, workspace.evaluate(high)?.0);
        let fact = workspace.apply(&Step::Theorem { name: CONCLUSION.to_string(), bindings: Vec::new() })?;
        Ok(Evaluated { requirements, right, fact: workspace.facts()[fact].value.clone() })
    });
    run.map_err(|error| Diagnostic::error("E0209", format!("the example cannot be evaluated: {error}")))
}

/// Runs `work` in a workspace that holds the instance's facts.
fn within<T>(
    instance: &Instance,
    library: &Library,
    conclusion: Option<Formula>,
    work: impl FnOnce(&mut Workspace) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let structures = structures(&instance.objects)?;
    let (mut theorems, steps) = instance.facts(library);
    theorems.extend(conclusion.map(|ensures| (CONCLUSION.to_string(), bare(CONCLUSION, ensures))));
    let mut workspace = Workspace::new(&instance.objects, &theorems, &structures);
    for step in &steps {
        workspace.apply(step)?;
    }
    work(&mut workspace)
}

fn example(entry: &Entry, example: &Example, library: &Library) -> Result<(), Diagnostic> {
    let wrong = |title: String| Diagnostic::error("E0209", title).at(example.span, "this example");
    let evaluated = match evaluate(entry, &example.bindings, library) {
        Ok(evaluated) => evaluated,
        Err(diagnostic) if diagnostic.labels.is_empty() => return Err(diagnostic.at(example.span, "this example")),
        Err(diagnostic) => return Err(diagnostic),
    };
    let given = given(&example.gives)?;
    let violated = evaluated.requirements.iter().position(|truth| *truth == Some(Truth::False));
    if let Some(requirement) = violated.and_then(|i| entry.theorem.requires.get(i)) {
        return Err(wrong(format!("expected an example that meets the requirements, found `{requirement}` false"))
            .help("an example stands inside the theorem's hypotheses; `reject` shows a case outside"));
    }
    let value = evaluated.fact;
    let agrees = match (&entry.theorem.ensures, &given) {
        // A value is met exactly, an interval contains the bound.
        (_, Given::Value(given)) => match bound(&entry.theorem.ensures, &value) {
            Some(bound) => bound.equals(given) == Truth::True,
            None => false,
        },
        (_, Given::Interval(low, high)) => {
            let above = |end: Option<Value>| end.is_none_or(|end| low.le(&end) == Truth::True);
            let below = |end: Option<Value>| end.is_none_or(|end| end.le(high) == Truth::True);
            let is_bounded = value.low_end().is_some() || value.high_end().is_some();
            let both = |end: Option<Value>| above(end.clone()) && below(end);
            is_bounded && both(value.low_end()) && both(value.high_end())
        }
    };
    if agrees {
        return Ok(());
    }
    let found = bound(&entry.theorem.ensures, &value).map_or_else(|| value.describe(), |bound| bound.describe());
    Err(wrong(format!("expected {}, found {found}", given.describe()))
        .note(format!("`{}` with these values", entry.theorem.ensures))
        .help("correct the statement, or the example if its value was computed wrongly"))
}

/// What an example says of the conclusion's bound.
enum Given {
    Value(Value),
    Interval(Value, Value),
}

impl Given {
    fn describe(&self) -> String {
        match self {
            Given::Value(value) => value.describe(),
            Given::Interval(low, high) => format!("a bound between {} and {}", low.describe(), high.describe()),
        }
    }
}

fn given(gives: &Expr) -> Result<Given, Diagnostic> {
    let (objects, theorems, structures) = (Objects::proposing(point::propose), Theorems::new(), BTreeMap::new());
    let workspace = Workspace::new(&objects, &theorems, &structures);
    let value = |expr: &Expr| -> Result<Value, Diagnostic> {
        let term = lower::term(expr, &super::compile::Parameters(Vec::new()))?;
        let value = workspace.evaluate(&term).map(|(value, _)| value);
        value.map_err(|error| Diagnostic::error("E0211", error.to_string()).at(expr.span, ""))
    };
    Ok(match &gives.kind {
        ExprKind::Interval(low, high) => Given::Interval(value(low)?, value(high)?),
        _ => Given::Value(value(gives)?),
    })
}

/// The end that the conclusion bounds.
fn bound(ensures: &Formula, value: &Value) -> Option<Value> {
    match ensures {
        Formula::Compare(_, Relation::Le | Relation::Lt, _) => value.high_end(),
        Formula::Compare(_, Relation::Ge | Relation::Gt, _) => value.low_end(),
        _ => Some(value.clone()),
    }
}

fn reject(entry: &Entry, reject: &Reject, library: &Library) -> Result<(), Diagnostic> {
    let wrong = |title: String| Diagnostic::error("E0210", title).at(reject.span, "this reject");
    let parameters = names(entry);
    let broken = broken(reject, &parameters)?;
    if !entry.theorem.requires.contains(&broken) {
        let requirements: Vec<String> = entry.theorem.requires.iter().map(|r| format!("`{r}`")).collect();
        return Err(wrong(format!("expected a requirement of the theorem after `breaks`, found `{broken}`"))
            .note(format!("it requires {}", requirements.join(", "))));
    }
    let instance = Instance::new(&reject.bindings, &parameters)?;
    let truth = within(&instance, library, None, |workspace| decide(workspace, &instance, &broken))
        .map_err(|error| wrong(format!("the reject cannot be evaluated: {error}")))?;
    match truth {
        Some(Truth::False) => Ok(()),
        // Nothing is known of an object that is left open, so nothing establishes its property.
        None if matches!(broken, Formula::Holds(..)) => Ok(()),
        Some(Truth::True) => Err(wrong(format!("the reject is not refused: `{broken}` holds"))
            .help("choose values for which the requirement is false")),
        _ => Err(wrong(format!("the reject is not refused: `{broken}` is not decided"))
            .help("give every value that the requirement needs, such as `vcdim(H) = 4`")),
    }
}
