//! Requirements in one open number, folded so that they are quick to evaluate at many values of it. Trust: untrusted; what is chosen with
//! them the kernel decides again in the requirement as it stands.

use super::free::mentions;
use crate::kernel::derive::Workspace;
use crate::kernel::eval::Evaluation;
use crate::kernel::real::Bits;
use crate::kernel::term::{Big, Formula, Op, Relation, Term};
use num_traits::ToPrimitive;

/// Longest range that is written out.
const RANGE_LIMIT: i64 = 64;

/// The formula with every part that does not mention `open` and has an exactly known value replaced by this value, and short ranges of
/// parts that do mention it written out.
pub fn fold(formula: &Formula, open: &str, workspace: &Workspace, bits: Bits) -> Formula {
    match formula {
        Formula::Compare(left, relation, right) => {
            let part = |term| fold_term(term, open, workspace, bits);
            Formula::Compare(part(left), *relation, part(right))
        }
        other => other.clone(),
    }
}

fn fold_term(term: &Term, open: &str, workspace: &Workspace, bits: Bits) -> Term {
    let part = |term: &Term| fold_term(term, open, workspace, bits);
    let is_closed = !mentions(term, open);
    if is_closed && let Some(value) = exact(term, workspace, bits) {
        return value;
    }
    match term {
        Term::Apply(op, arguments) => Term::Apply(*op, arguments.iter().map(part).collect()),
        Term::Big { big, variable, from, to, body } if !is_closed => {
            let end = |term| match exact(term, workspace, bits) {
                Some(Term::Number(q)) if q.is_integer() => q.to_i64(),
                _ => None,
            };
            let Some((from, to)) = end(from).zip(end(to)) else { return term.clone() };
            if !(0..RANGE_LIMIT).contains(&to.saturating_sub(from)) {
                return term.clone();
            }
            let member = |i| part(&body.substitute(&[(variable.clone(), Term::int(i))].into()));
            let op = match big {
                Big::Sum => Op::Add,
                Big::Prod => Op::Mul,
                Big::Max => Op::Max,
                Big::Min => Op::Min,
            };
            Term::Apply(op, (from..=to).map(member).collect())
        }
        other => other.clone(),
    }
}

/// The value of a closed term as a number, where it is exactly known and every quantity in it too.
fn exact(term: &Term, workspace: &Workspace, bits: Bits) -> Option<Term> {
    let mut evaluation = Evaluation::new(workspace, bits);
    let value = evaluation.term(term).ok()?.as_rational()?;
    evaluation.grounds.missing.is_empty().then_some(Term::Number(value))
}

/// By about how much the right side of a comparison `<=` or `<` exceeds the left where the open number is `n`; `None` for what has no
/// value in plain floating point.
pub fn excess(formula: &Formula, open: &str, n: f64) -> Option<f64> {
    let Formula::Compare(left, Relation::Le | Relation::Lt, right) = formula else { return None };
    let gap = about(right, open, n)? - about(left, open, n)?;
    (!gap.is_nan()).then_some(gap)
}

fn about(term: &Term, open: &str, n: f64) -> Option<f64> {
    match term {
        Term::Number(q) => q.to_f64(),
        Term::Pi => Some(std::f64::consts::PI),
        Term::Euler => Some(std::f64::consts::E),
        Term::Name(name) => (name == open).then_some(n),
        Term::Apply(op, arguments) => {
            let values: Option<Vec<f64>> = arguments.iter().map(|argument| about(argument, open, n)).collect();
            match (op, values?.as_slice()) {
                (Op::Add, values) => Some(values.iter().sum()),
                (Op::Mul, values) => Some(values.iter().product()),
                (Op::Min, values) => values.iter().copied().reduce(f64::min),
                (Op::Max, values) => values.iter().copied().reduce(f64::max),
                (Op::Neg, [x]) => Some(-x),
                (Op::Div, [x, y]) => Some(x / y),
                (Op::Pow, [x, y]) => Some(x.powf(*y)),
                (Op::Sqrt, [x]) => Some(x.sqrt()),
                (Op::Exp, [x]) => Some(x.exp()),
                (Op::Ln, [x]) => Some(x.ln()),
                (Op::Log2, [x]) => Some(x.log2()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// About the least natural number up to 2^`limit` at which every excess is at least 0, where larger numbers have larger ones; `None` where
/// floating point does not tell.
pub fn guess(formulas: &[Formula], open: &str, limit: u64) -> Option<f64> {
    let meets = |n: f64| -> Option<bool> {
        let mut all = true;
        for formula in formulas {
            all &= excess(formula, open, n)? >= 0.0;
        }
        Some(all)
    };
    let (mut low, mut high) = (0.0, 1.0);
    while !meets(high)? {
        (low, high) = (high, 2.0 * high);
        if high.log2() > limit as f64 {
            return None;
        }
    }
    // Halving stops where floats or naturals are neighbours.
    while high - low > 1.0 {
        let middle = (0.5 * (low + high)).floor();
        if middle <= low || middle >= high {
            break;
        }
        if meets(middle)? { high = middle } else { low = middle }
    }
    Some(high)
}
