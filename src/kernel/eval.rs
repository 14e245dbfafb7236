//! Evaluation of terms and formulas. Trust: kernel.
//!
//! Inclusion principle: the value of a term contains the number that the term denotes, for every assignment of the reals in
//! the enclosures of its variables and for every value of its quantities that the facts allow. A formula is `True` only if it
//! holds for all of these, `False` only if it fails for all of these.
//!
//! A point where a term is undefined is an error, not a smaller set. Work, depth and sizes are limited by named constants.

use super::derive::Workspace;
use super::real::{self, Bits, Enclosure, Question, RealError, Truth};
use super::signature::{self, Codomain};
use super::term::{Big, Op, Term};
use super::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Most terms that one evaluation may visit.
pub const WORK_LIMIT: u64 = 20_000_000;
/// Deepest nesting of terms and definitions.
pub const DEPTH_LIMIT: u32 = 600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalError {
    /// A function was used outside its domain; the text names function and argument.
    Undefined(String),
    /// A name, quantity or argument that means nothing here.
    Meaningless(String),
    /// A requirement of a theorem does not hold, or could not be decided.
    Requirement { theorem: String, formula: String, found: String, refuted: bool },
    /// A named limit was reached.
    TooLarge(String),
    /// A witness does not prove what it should.
    Witness(String),
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvalError::Undefined(text)
            | EvalError::Meaningless(text)
            | EvalError::TooLarge(text)
            | EvalError::Witness(text) => f.write_str(text),
            EvalError::Requirement { theorem, formula, found, refuted } => {
                let verb = if *refuted { "is false" } else { "is not established" };
                write!(f, "`{formula}` {verb}: {found}; `{theorem}` needs it")
            }
        }
    }
}

impl std::error::Error for EvalError {}

impl From<RealError> for EvalError {
    fn from(error: RealError) -> EvalError {
        match error {
            RealError::TooLarge { .. } => EvalError::TooLarge(error.to_string()),
            _ => EvalError::Undefined(error.to_string()),
        }
    }
}

/// What an evaluation rested on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// Indices of the facts used.
    pub facts: BTreeSet<usize>,
    /// Assumptions that a predicate rested on, in words.
    pub assumptions: BTreeSet<String>,
    /// Conditions that nothing establishes and no assumption declares, in words.
    pub undischarged: BTreeSet<String>,
    /// Quantities that were needed and on which no fact bounds this end: what a prover should establish next.
    pub missing: BTreeSet<(Term, End)>,
}

/// An end of an enclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Low,
    High,
}

impl Grounds {
    pub fn absorb(&mut self, other: Grounds) {
        self.facts.extend(other.facts);
        self.assumptions.extend(other.assumptions);
        self.undischarged.extend(other.undischarged);
        self.missing.extend(other.missing);
    }
}

pub struct Evaluation<'w, 'o> {
    workspace: &'w Workspace<'o>,
    pub(super) bits: Bits,
    pub(super) variables: Vec<(String, Value)>,
    definitions: BTreeMap<String, Value>,
    /// Values met before, of quantities in canonical form and of sums and long series without free variables: neither objects nor facts
    /// change during an evaluation.
    met: BTreeMap<Term, Value>,
    binomials: real::Binomials,
    work: u64,
    pub(super) depth: u32,
    pub grounds: Grounds,
}

impl<'w, 'o> Evaluation<'w, 'o> {
    pub fn new(workspace: &'w Workspace<'o>, bits: Bits) -> Evaluation<'w, 'o> {
        Evaluation {
            workspace,
            bits,
            variables: Vec::new(),
            definitions: BTreeMap::new(),
            met: BTreeMap::new(),
            binomials: real::Binomials::default(),
            work: 0,
            depth: 0,
            grounds: Grounds::default(),
        }
    }

    pub fn bits(&self) -> Bits {
        self.bits
    }

    pub fn workspace(&self) -> &'w Workspace<'o> {
        self.workspace
    }

    pub(super) fn enter(&mut self) -> Result<(), EvalError> {
        self.work += 1;
        self.depth += 1;
        if self.work > WORK_LIMIT {
            return Err(EvalError::TooLarge(format!("expected at most {WORK_LIMIT} evaluation steps, found more")));
        }
        if self.depth > DEPTH_LIMIT {
            return Err(EvalError::TooLarge(format!("expected nesting up to {DEPTH_LIMIT}, found deeper")));
        }
        Ok(())
    }

    /// The value of a term. Errors: see [`EvalError`].
    pub fn term(&mut self, term: &Term) -> Result<Value, EvalError> {
        self.enter()?;
        let value = self.term_inner(term);
        self.depth -= 1;
        value
    }

    fn term_inner(&mut self, term: &Term) -> Result<Value, EvalError> {
        let bits = self.bits;
        match term {
            Term::Number(q) => Ok(Value::rational(q, bits)),
            Term::Pi => Ok(Value::approximate(real::pi(bits))),
            Term::Euler => Ok(Value::approximate(real::e(bits))),
            Term::Infinity => Err(EvalError::Undefined("expected a number, found `inf`".to_string())),
            Term::Name(name) => self.name(name),
            Term::Apply(op, arguments) if op.is_costly() => self.once(term, |this| this.apply(*op, arguments)),
            Term::Apply(op, arguments) => self.apply(*op, arguments),
            Term::Big { big, variable, from, to, body } => {
                self.once(term, |this| this.big(*big, variable, from, to, body))
            }
            Term::Cases(branches) => {
                for (condition, value) in branches {
                    match condition {
                        None => return self.term(value),
                        Some(condition) => match self.formula(condition)? {
                            Truth::True => return self.term(value),
                            Truth::False => {}
                            Truth::Unknown => {
                                return Err(EvalError::Undefined(format!(
                                    "the case `{condition}` could not be decided"
                                )));
                            }
                        },
                    }
                }
                Err(EvalError::Undefined("no case applies".to_string()))
            }
            Term::Quantity(head, arguments) => self.quantity(head, arguments),
        }
    }

    /// The value of a term that takes long: an arithmetic one is computed once, one outside of all bound variables once in an evaluation.
    fn once(
        &mut self,
        term: &Term,
        compute: impl FnOnce(&mut Self) -> Result<Value, EvalError>,
    ) -> Result<Value, EvalError> {
        if !term.is_arithmetic() {
            if !self.variables.is_empty() {
                return compute(self);
            }
            if let Some(value) = self.met.get(term) {
                return Ok(value.clone());
            }
            let value = compute(self)?;
            self.met.insert(term.clone(), value.clone());
            return Ok(value);
        }
        let memo = &self.workspace.objects().memo;
        if let Some(value) = memo.arithmetic(term, self.bits) {
            return Ok(value);
        }
        let value = compute(self)?;
        memo.keep_arithmetic(term, self.bits, &value);
        Ok(value)
    }

    fn name(&mut self, name: &str) -> Result<Value, EvalError> {
        if let Some((_, value)) = self.variables.iter().rev().find(|(n, _)| n == name) {
            return Ok(value.clone());
        }
        if let Some(value) = self.definitions.get(name) {
            return Ok(value.clone());
        }
        match self.workspace.objects().definitions.get(name) {
            Some(definition) if definition.parameters.is_empty() => {
                // A definition is closed: the variables in scope here are not in scope in its body.
                let hidden = std::mem::take(&mut self.variables);
                let value = self.term(&definition.body);
                self.variables = hidden;
                let value = value?;
                self.definitions.insert(name.to_string(), value.clone());
                Ok(value)
            }
            Some(definition) => Err(EvalError::Meaningless(format!(
                "expected {} argument(s) for `{name}`, found none",
                definition.parameters.len()
            ))),
            None => Err(EvalError::Meaningless(format!("expected a number, found `{name}`"))),
        }
    }

    fn apply(&mut self, op: Op, arguments: &[Term]) -> Result<Value, EvalError> {
        let bits = self.bits;
        // n-ary operations run in a loop, so that a long sum needs no depth.
        match op {
            Op::Add | Op::Mul | Op::Min | Op::Max => {
                let mut result: Option<Value> = None;
                for argument in arguments {
                    let value = self.term(argument)?;
                    result = Some(match result {
                        None => value,
                        Some(total) => match op {
                            Op::Add => total.add(&value, bits),
                            Op::Mul => total.mul(&value, bits),
                            Op::Min => total.min(&value),
                            _ => total.max(&value),
                        },
                    });
                }
                return match (result, op) {
                    (Some(value), _) => Ok(value),
                    (None, Op::Add) => Ok(Value::integer(0, bits)),
                    (None, Op::Mul) => Ok(Value::integer(1, bits)),
                    (None, _) => Err(EvalError::Undefined("the minimum or maximum of nothing".to_string())),
                };
            }
            _ => {}
        }
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.term(argument)?);
        }
        match (op, values.as_slice()) {
            (Op::Neg, [x]) => Ok(x.neg()),
            (Op::Div, [x, y]) => x.div(y, bits).map_err(|error| match error {
                RealError::DivisionByZero => {
                    EvalError::Undefined(format!("division by zero: the divisor is `{}`", arguments[1]))
                }
                other => other.into(),
            }),
            (Op::Pow, [x, y]) => Ok(x.pow(y, bits)?),
            (Op::Abs, [x]) => Ok(x.abs()),
            (Op::Sqrt, [x]) => Ok(x.sqrt(bits)?),
            (Op::Floor, [x]) => Ok(x.floor(bits)?),
            (Op::Ceil, [x]) => Ok(x.ceil(bits)?),
            (Op::Binomial, [n, k]) => {
                let (n, k) = (natural(n, "binomial")?, natural(k, "binomial")?);
                Ok(Value::integer(self.binomials.at(&n, &k)?, bits))
            }
            (Op::Kl, [q, p]) => self.approximate(real::kl(&sharp(q, bits), &sharp(p, bits), bits)),
            (Op::KlInverse, [q, c]) => {
                let ask = |question: &Question| self.workspace.point(question);
                self.approximate(real::kl_inverse(&sharp(q, bits), c.enclosure(), &ask))
            }
            (Op::BinomialTail, [n, k, p]) => {
                let (n, k) = (small(n, "binomial_tail")?, small(k, "binomial_tail")?);
                self.approximate(real::binomial_tail(n, k, p.enclosure(), bits))
            }
            (Op::BinomialTailInverse, [n, k, delta]) => {
                let n = small(n, "binomial_tail_inverse")?;
                let k = small_range(k, "binomial_tail_inverse")?;
                let ask = |question: &Question| self.workspace.point(question);
                self.approximate(real::binomial_tail_inverse(n, k, delta.enclosure(), &ask))
            }
            (op, [x]) => self.function(op, x),
            (op, found) => Err(EvalError::Meaningless(format!("`{op:?}` does not take {} arguments", found.len()))),
        }
    }

    fn approximate(&self, enclosure: Result<Enclosure, RealError>) -> Result<Value, EvalError> {
        Ok(Value::approximate(enclosure?))
    }

    /// Elementary functions; the few exact values are kept exact.
    fn function(&self, op: Op, x: &Value) -> Result<Value, EvalError> {
        let bits = self.bits;
        let exact = x.as_integer();
        let is = |n: i64| exact.as_ref().is_some_and(|x| *x == BigInt::from(n));
        let enclosure = x.enclosure();
        match op {
            Op::Exp if is(0) => Ok(Value::integer(1, bits)),
            Op::Exp => self.approximate(enclosure.exp(bits)),
            Op::Ln if is(1) => Ok(Value::integer(0, bits)),
            Op::Ln => self.approximate(enclosure.ln(bits)),
            Op::Log2 => match exact.as_ref().and_then(power_of_two) {
                Some(exponent) => Ok(Value::integer(exponent, bits)),
                None => self.approximate(enclosure.log2(bits)),
            },
            Op::Tanh => self.approximate(enclosure.tanh(bits)),
            Op::Arctan if is(0) => Ok(Value::integer(0, bits)),
            Op::Arctan => self.approximate(enclosure.arctan(bits)),
            Op::Erf => self.approximate(enclosure.erf(bits)),
            Op::Erfc => self.approximate(enclosure.erfc(bits)),
            Op::LnGamma => self.approximate(enclosure.lgamma(bits)),
            Op::Gamma => {
                let ln = enclosure.lgamma(bits)?;
                self.approximate(ln.exp(bits))
            }
            other => Err(EvalError::Meaningless(format!("`{other:?}` does not take one argument"))),
        }
    }

    fn big(&mut self, big: Big, variable: &str, from: &Term, to: &Term, body: &Term) -> Result<Value, EvalError> {
        let bits = self.bits;
        let (from, to) = self.range(from, to)?;
        // Every member takes a step at least: a range that cannot be finished is not begun.
        if to.saturating_sub(from) >= WORK_LIMIT as i64 {
            return Err(EvalError::TooLarge(format!("expected at most {WORK_LIMIT} evaluation steps, found more")));
        }
        let mut result: Option<Value> = None;
        let mut i = from;
        while i <= to {
            self.variables.push((variable.to_string(), Value::integer(i, bits)));
            let value = self.term(body);
            self.variables.pop();
            let value = value?;
            result = Some(match result {
                None => value,
                Some(total) => match big {
                    Big::Sum => total.add(&value, bits),
                    Big::Prod => total.mul(&value, bits),
                    Big::Max => total.max(&value),
                    Big::Min => total.min(&value),
                },
            });
            i += 1;
        }
        match (result, big) {
            (Some(value), _) => Ok(value),
            (None, Big::Sum) => Ok(Value::integer(0, bits)),
            (None, Big::Prod) => Ok(Value::integer(1, bits)),
            (None, _) => Err(EvalError::Undefined("the minimum or maximum of nothing".to_string())),
        }
    }

    pub(super) fn range(&mut self, from: &Term, to: &Term) -> Result<(i64, i64), EvalError> {
        let end = |evaluation: &mut Self, term: &Term| {
            let value = evaluation.term(term)?;
            value.as_integer().and_then(|n| n.to_i64()).filter(|n| n.abs() < 1 << 40).ok_or_else(|| {
                EvalError::Meaningless(format!("expected an integer as the end of a range, found `{term}`"))
            })
        };
        Ok((end(self, from)?, end(self, to)?))
    }

    /// The argument of a quantity in canonical form: bound variables and numeric expressions become numbers, symbols stay.
    pub fn canonical(&mut self, term: &Term) -> Result<Term, EvalError> {
        self.enter()?;
        let result = self.canonical_inner(term);
        self.depth -= 1;
        result
    }

    fn canonical_inner(&mut self, term: &Term) -> Result<Term, EvalError> {
        match term {
            Term::Name(name) => {
                let is_variable = self.variables.iter().any(|(n, _)| n == name);
                if is_variable || self.workspace.objects().definitions.contains_key(name) {
                    self.number(term)
                } else {
                    Ok(term.clone())
                }
            }
            Term::Quantity(head, arguments) => {
                let is_symbolic =
                    signature::constructor(head).is_some() || matches!(head.as_str(), "leaky_relu" | "elu");
                if is_symbolic {
                    let mut canonical = Vec::with_capacity(arguments.len());
                    for argument in arguments {
                        canonical.push(self.canonical(argument)?);
                    }
                    super::intrinsic::fits(self, head, &canonical)?;
                    Ok(Term::Quantity(head.clone(), canonical))
                } else {
                    self.number(term)
                }
            }
            Term::Infinity => Ok(term.clone()),
            _ => self.number(term),
        }
    }

    fn number(&mut self, term: &Term) -> Result<Term, EvalError> {
        let value = self.term(term)?;
        match value.as_rational() {
            Some(q) => Ok(Term::Number(q)),
            None => Err(EvalError::Meaningless(format!("expected an exactly known number, found `{term}`"))),
        }
    }

    /// A quantity with canonical arguments.
    pub fn canonical_quantity(&mut self, head: &str, arguments: &[Term]) -> Result<Term, EvalError> {
        let mut canonical = Vec::with_capacity(arguments.len());
        for argument in arguments {
            canonical.push(self.canonical(argument)?);
        }
        Ok(Term::Quantity(head.to_string(), canonical))
    }

    fn quantity(&mut self, head: &str, arguments: &[Term]) -> Result<Value, EvalError> {
        if let Some(definition) = self.workspace.objects().definitions.get(head) {
            if definition.parameters.len() != arguments.len() {
                return Err(EvalError::Meaningless(format!(
                    "expected {} argument(s) for `{head}`, found {}",
                    definition.parameters.len(),
                    arguments.len()
                )));
            }
            let mut frame = Vec::with_capacity(arguments.len());
            for (parameter, argument) in definition.parameters.iter().zip(arguments) {
                frame.push((parameter.clone(), self.term(argument)?));
            }
            let hidden = std::mem::replace(&mut self.variables, frame);
            let value = self.term(&definition.body);
            self.variables = hidden;
            return value;
        }
        let Some(signature) = signature::quantity(head) else {
            return Err(EvalError::Meaningless(format!("expected a quantity, found `{head}(..)`")));
        };
        if signature.arguments.len() != arguments.len() {
            return Err(EvalError::Meaningless(format!(
                "expected {} argument(s) for `{head}`, found {}",
                signature.arguments.len(),
                arguments.len()
            )));
        }
        let subject = self.canonical_quantity(head, arguments)?;
        if let Some(value) = self.met.get(&subject) {
            return Ok(value.clone());
        }
        let Term::Quantity(_, canonical) = &subject else {
            return Err(EvalError::Meaningless(format!("expected a quantity, found `{subject}`")));
        };
        let value = match super::intrinsic::value(self, head, canonical)? {
            Some(value) => value,
            None => self.known(&subject, signature.codomain)?,
        };
        self.met.insert(subject, value.clone());
        Ok(value)
    }

    /// What the facts say of a quantity, within its codomain. The tightest lower and the tightest upper fact are used.
    pub fn known(&mut self, subject: &Term, codomain: Codomain) -> Result<Value, EvalError> {
        let bits = self.bits;
        let mut value = match codomain {
            Codomain::Natural | Codomain::NonNegative => Value::integer(0, bits).upper_unbounded(),
            Codomain::AtLeastOne => Value::integer(1, bits).upper_unbounded(),
            Codomain::Unit => Value::between(&Value::integer(0, bits), &Value::integer(1, bits))?,
            Codomain::Real => Value::entire(),
        };
        let facts = self.workspace.facts();
        let mut best_low: Option<usize> = None;
        let mut best_high: Option<usize> = None;
        for &i in self.workspace.facts_on(subject) {
            // A later fact replaces an earlier one only where it is certainly tighter.
            if let Some(low) = facts[i].value.low_end()
                && best_low.and_then(|j| facts[j].value.low_end()).is_none_or(|best| best.lt(&low) == Truth::True)
            {
                best_low = Some(i);
            }
            if let Some(high) = facts[i].value.high_end()
                && best_high.and_then(|j| facts[j].value.high_end()).is_none_or(|best| high.lt(&best) == Truth::True)
            {
                best_high = Some(i);
            }
        }
        if best_low.is_none() {
            self.grounds.missing.insert((subject.clone(), End::Low));
        }
        if best_high.is_none() {
            self.grounds.missing.insert((subject.clone(), End::High));
        }
        if let Some(i) = best_low {
            value = value.intersect(&facts[i].value.upper_unbounded())?;
            self.grounds.facts.insert(i);
        }
        if let Some(i) = best_high {
            value = value.intersect(&facts[i].value.lower_unbounded())?;
            self.grounds.facts.insert(i);
        }
        Ok(value)
    }
}

/// An enclosure of an exactly known value that is not widened by how it was computed: 6/6 is 1, and stays in [0, 1].
fn sharp(value: &Value, bits: Bits) -> Enclosure {
    value.exact().map_or_else(|| value.enclosure().clone(), |surd| surd.enclosure(bits))
}

fn natural(value: &Value, function: &str) -> Result<BigInt, EvalError> {
    value
        .as_integer()
        .filter(|n| !n.is_negative())
        .ok_or_else(|| EvalError::Undefined(format!("expected integers >= 0 for `{function}`, found something else")))
}

fn small(value: &Value, function: &str) -> Result<u64, EvalError> {
    natural(value, function)?
        .to_u64()
        .ok_or_else(|| EvalError::TooLarge(format!("expected integers below 2^64 for `{function}`, found larger ones")))
}

/// Integer ends of a value, rounded outward; the lower end is at least 0.
fn small_range(value: &Value, function: &str) -> Result<(u64, u64), EvalError> {
    let outside = || EvalError::Undefined(format!("expected a bounded count for `{function}`, found an unbounded one"));
    let low = value.enclosure().lo().map_or_else(BigRational::zero, |lo| lo.to_rational().unwrap_or_default().floor());
    let high = value.enclosure().hi().ok_or_else(outside)?.to_rational()?.ceil();
    let low = if low.is_negative() { 0 } else { low.to_integer().to_u64().ok_or_else(outside)? };
    Ok((low, high.to_integer().to_u64().ok_or_else(outside)?))
}

/// The exponent, where `n` is a power of two.
fn power_of_two(n: &BigInt) -> Option<i64> {
    if !n.is_positive() {
        return None;
    }
    let exponent = n.trailing_zeros()?;
    (n.bits() == exponent + 1).then_some(exponent).and_then(|e| i64::try_from(e).ok())
}
