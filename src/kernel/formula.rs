//! Evaluation of formulas: three-valued, by the inclusion principle of [`super::eval`]. Trust: kernel.

use super::eval::{EvalError, Evaluation};
use super::predicate::{self, Holding};
use super::real::Truth;
use super::term::{Formula, Op, Relation, Term};
use super::value::Value;

impl Evaluation<'_, '_> {
    /// The truth of a formula. Errors: see [`EvalError`].
    pub fn formula(&mut self, formula: &Formula) -> Result<Truth, EvalError> {
        self.enter()?;
        let truth = self.formula_inner(formula);
        self.depth -= 1;
        truth
    }

    fn formula_inner(&mut self, formula: &Formula) -> Result<Truth, EvalError> {
        match formula {
            Formula::Compare(a, relation, b) => self.compare(a, *relation, b),
            Formula::Within(a, low, high) => {
                let lower = self.compare(low, Relation::Le, a)?;
                let upper = self.compare(a, Relation::Le, high)?;
                Ok(and(lower, upper))
            }
            Formula::Holds(name, arguments) => {
                let mut canonical = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    canonical.push(self.canonical(argument)?);
                }
                match predicate::decide(self, name, &canonical)? {
                    Holding::Yes => {}
                    Holding::Assumed(text) => {
                        self.grounds.assumptions.insert(text);
                    }
                    Holding::Undischarged(text) => {
                        self.grounds.undischarged.insert(text);
                    }
                    Holding::No(_) => return Ok(Truth::False),
                }
                let mut truth = Truth::True;
                for condition in predicate::conditions(self, name, &canonical) {
                    truth = and(truth, self.formula(&condition)?);
                }
                Ok(truth)
            }
            Formula::And(parts) => {
                let mut truth = Truth::True;
                for part in parts {
                    truth = and(truth, self.formula(part)?);
                    if truth == Truth::False {
                        break;
                    }
                }
                Ok(truth)
            }
            Formula::ForAll { variable, from, to, body } => {
                let (from, to) = self.range(from, to)?;
                let mut truth = Truth::True;
                let mut i = from;
                while i <= to && truth != Truth::False {
                    let value = Value::integer(i, self.bits);
                    truth = and(truth, self.with(variable, value, body)?);
                    i += 1;
                }
                Ok(truth)
            }
            Formula::ForEach { variable, members, body } => {
                let mut truth = Truth::True;
                for member in members {
                    let value = self.term(member)?;
                    truth = and(truth, self.with(variable, value, body)?);
                    if truth == Truth::False {
                        break;
                    }
                }
                Ok(truth)
            }
            Formula::ForReal { variable, from, to, body } => {
                let low = match from {
                    Term::Apply(Op::Neg, x) if x.as_slice() == [Term::Infinity] => Value::entire(),
                    _ => self.term(from)?.upper_unbounded(),
                };
                let high = if *to == Term::Infinity { Value::entire() } else { self.term(to)?.lower_unbounded() };
                let value = low.intersect(&high)?;
                // One box over the whole interval: `False` there means that the formula fails at every point of it.
                self.with(variable, value, body)
            }
        }
    }

    fn with(&mut self, variable: &str, value: Value, body: &Formula) -> Result<Truth, EvalError> {
        self.variables.push((variable.to_string(), value));
        let truth = self.formula(body);
        self.variables.pop();
        truth
    }

    fn compare(&mut self, a: &Term, relation: Relation, b: &Term) -> Result<Truth, EvalError> {
        // `x <= inf` and the like hold for every real.
        if *b == Term::Infinity {
            self.term(a)?;
            return Ok(if matches!(relation, Relation::Le | Relation::Lt) { Truth::True } else { Truth::False });
        }
        let (a, b) = (self.term(a)?, self.term(b)?);
        Ok(match relation {
            Relation::Le => a.le(&b),
            Relation::Lt => a.lt(&b),
            Relation::Ge => b.le(&a),
            Relation::Gt => b.lt(&a),
            Relation::Eq => a.equals(&b),
        })
    }
}

/// Kleene's conjunction.
pub fn and(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::True, Truth::True) => Truth::True,
        _ => Truth::Unknown,
    }
}
