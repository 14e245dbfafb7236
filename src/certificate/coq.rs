//! A certificate's arithmetic as a Coq script for coq-interval. Trust: untrusted; Coq checks what it can state.
//!
//! One section per claim. Quantities are real variables; the theorems of the library are hypotheses, instantiated as the
//! derivation uses them; witnesses and counts, which the kernel checks in integers, are hypotheses on their quantities.
//! What Coq proves is the arithmetic between: every stated end follows from these hypotheses. What the tactic `interval` has no
//! symbol for is left out and named.

use crate::kernel::certificate::{Certificate, ClaimRecord, term as terms};
use crate::kernel::check::{Statement, Verdict};
use crate::kernel::derive::{Theorems, Workspace, structures};
use crate::kernel::real::Truth;
use crate::kernel::signature::{self, Codomain};
use crate::kernel::structure::Structure;
use crate::kernel::term::{Big, Formula, Op, Relation, Substitution, Term, integer};
use crate::kernel::value::Value;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Precision of `interval`, in bits. From 60 on it uses no hardware floating point and none of its axioms.
const PRECISION: u32 = 320;
/// Bits of the ends that the first lemma of a claim proves; every later one rounds a little more, so that roundings do not add up
/// to more than the next end allows.
const FIRST_BITS: u32 = 200;
const LAST_BITS: u32 = 80;
/// Most terms of a sum or product that are written out.
const TERM_LIMIT: i64 = 64;
/// Longest number in the script, in bits.
const BIT_LIMIT: u64 = 1 << 14;

/// A script and what it leaves out.
pub struct Script {
    pub text: String,
    /// Claims with every step and the statement itself.
    pub replayed: Vec<String>,
    /// Claims that are left out, or in part, with the reason.
    pub omitted: Vec<(String, String)>,
}

/// Why something has no counterpart in the script.
type Omitted = String;

/// Writes the script of a certificate that the kernel has verified. Errors: the kernel refuses a step after all.
pub fn script(certificate: &Certificate, theorems: &Theorems) -> Result<Script, String> {
    let structures = structures(&certificate.objects).map_err(|error| error.to_string())?;
    let mut script = Script { text: header(certificate), replayed: Vec::new(), omitted: Vec::new() };
    for (number, record) in certificate.claims.iter().enumerate() {
        let mut section = Section::new(certificate, record, theorems, &structures);
        let body = section.write(number).map_err(|error| format!("claim `{}`: {error}", record.name))?;
        script.text.push_str(&body);
        match section.omitted.as_slice() {
            [] => script.replayed.push(record.name.clone()),
            reasons => script.omitted.push((record.name.clone(), reasons.join("; "))),
        }
    }
    Ok(script)
}

fn header(certificate: &Certificate) -> String {
    format!(
        "(* {}: the arithmetic of its certificate.\n   Hypotheses named T are theorems of the library, not proved here; hypotheses named W are witnesses\n   and counts that the kernel of supremum checks in integers. *)\n\
         From Coq Require Import Reals ZArith Lia Lra.\nFrom Interval Require Import Tactic.\nOpen Scope R_scope.\n\n\
         Ltac enclose := first [ interval with (i_prec {PRECISION}) | lra | apply Req_le; field | field ].\n",
        comment(&certificate.spec.path)
    )
}

/// A text that ends no comment.
fn comment(text: &str) -> String {
    text.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
}

struct Section<'c> {
    record: &'c ClaimRecord,
    workspace: Workspace<'c>,
    steps: Vec<&'c crate::kernel::derive::Step>,
    /// Coq names of quantities, by their printed form.
    variables: BTreeMap<String, String>,
    text: String,
    omitted: Vec<Omitted>,
    /// Names of what is known about variables: to be put in front of every proof.
    known: Vec<String>,
}

impl<'c> Section<'c> {
    fn new(
        certificate: &'c Certificate,
        record: &'c ClaimRecord,
        theorems: &'c Theorems,
        structures: &'c BTreeMap<String, Structure>,
    ) -> Section<'c> {
        let workspace = Workspace::new(&certificate.objects, theorems, structures).stating(record.claim.stated.clone());
        let steps = record.derivation.iter().filter_map(|said| certificate.steps.get(said.step)).collect();
        let (variables, text) = (BTreeMap::new(), String::new());
        Section { record, workspace, steps, variables, text, omitted: Vec::new(), known: Vec::new() }
    }

    fn write(&mut self, number: usize) -> Result<String, String> {
        let statement = terms::text(&self.record.claim.statement);
        for i in 0..self.steps.len() {
            let step = self.steps[i];
            let index = self.workspace.apply(step).map_err(|error| error.to_string())?;
            let fact = self.workspace.facts()[index].clone();
            let said = &self.record.derivation[i];
            let subject = self.variable(&fact.subject, true)?;
            let _ = writeln!(self.text, "(* step {i}: {} on {} *)", comment(&fact.rule), comment(&said.of));
            match &fact.conclusion {
                None => self.hypothesis(i, &subject, &fact.value),
                Some(conclusion) => {
                    if let Err(reason) = self.lemma(i, &fact.subject, &subject, conclusion, &fact.value) {
                        self.omitted.push(format!("step {i} uses {reason}"));
                        self.hypothesis(i, &subject, &fact.value);
                    }
                }
            }
        }
        if let Err(reason) = self.claim() {
            self.omitted.push(format!("the statement uses {reason}"));
        }
        let mut section = format!(
            "\n(* {}: {} *)\nModule Claim{number}.\nSection Arithmetic.\n",
            comment(&self.record.name),
            comment(&statement)
        );
        for (quantity, name) in &self.variables {
            let _ = writeln!(section, "Variable {name} : R. (* {} *)", comment(quantity));
        }
        section.push_str(&self.text);
        let _ = writeln!(section, "End Arithmetic.\nEnd Claim{number}.");
        Ok(section)
    }

    /// The kernel's ends as hypotheses: checked there, not here.
    fn hypothesis(&mut self, i: usize, subject: &str, value: &Value) {
        for (side, relation) in [("low", ">="), ("high", "<=")] {
            if let Some(end) = end(value, side == "low", u32::MAX) {
                let _ = writeln!(self.text, "Hypothesis W{i}_{side} : {subject} {relation} {end}.");
                self.known.push(format!("W{i}_{side}"));
            }
        }
    }

    fn lemma(
        &mut self,
        i: usize,
        quantity: &Term,
        subject: &str,
        conclusion: &Formula,
        value: &Value,
    ) -> Result<(), Omitted> {
        if let Formula::Compare(
            _,
            Relation::Le,
            Term::Apply(op @ (Op::BinomialTailInverse | Op::KlInverse), arguments),
        ) = conclusion
        {
            return self.inverse(i, subject, *op, arguments, value);
        }
        let (low, high) = match conclusion {
            Formula::Compare(_, Relation::Le | Relation::Lt, right) => (None, Some(self.expression(right)?)),
            Formula::Compare(_, Relation::Ge | Relation::Gt, right) => (Some(self.expression(right)?), None),
            Formula::Compare(_, Relation::Eq, right) => {
                let right = self.expression(right)?;
                (Some(right.clone()), Some(right))
            }
            Formula::Within(_, low, high) => (Some(self.expression(low)?), Some(self.expression(high)?)),
            _ => return Err("a conclusion that bounds nothing".to_string()),
        };
        let is_natural = matches!(quantity, Term::Quantity(head, _)
            if signature::quantity(head).is_some_and(|q| q.codomain == Codomain::Natural));
        if is_natural {
            let _ = writeln!(self.text, "Hypothesis N{i} : exists n, {subject} = IZR n.");
        }
        let before = self.known.clone();
        for (side, relation, bound) in [("low", ">=", low), ("high", "<=", high)] {
            let (Some(bound), Some(stated)) = (bound, end(value, side == "low", bits(i))) else { continue };
            let facts: String = before.iter().map(|name| format!("assert (A{name} := {name}). ")).collect();
            let _ = writeln!(self.text, "Hypothesis T{i}_{side} : {subject} {relation} {bound}.");
            let _ = writeln!(self.text, "Lemma step{i}_{side} : {subject} {relation} {stated}.");
            let whole = stated.trim_matches(['(', ')']).parse::<BigInt>().ok().filter(|_| is_natural);
            let proof = match whole {
                // An integer below n + 1 is at most n.
                Some(n) => {
                    let (next, strict) = if side == "low" { (n - 1, ">") } else { (n + 1, "<") };
                    format!(
                        "destruct N{i} as [n Hn]. assert (B : {subject} {strict} ({next})). {{ assert (C := T{i}_{side}). assert (D : {bound} {strict} ({next})) by enclose. lra. }} rewrite Hn in *. {}.",
                        if side == "low" {
                            "apply Rle_ge, IZR_le. apply Rgt_lt, lt_IZR in B. lia"
                        } else {
                            "apply IZR_le. apply lt_IZR in B. lia"
                        }
                    )
                }
                None => format!("assert (C := T{i}_{side}). assert (D : {bound} {relation} {stated}) by enclose. lra."),
            };
            let _ = writeln!(self.text, "Proof. {facts}{proof} Qed.");
            self.known.push(format!("step{i}_{side}"));
        }
        Ok(())
    }

    /// A bound by the inverse of a monotone function: the theorem holds at every point beyond the inverse, and one such point
    /// is the stated end.
    fn inverse(&mut self, i: usize, subject: &str, op: Op, arguments: &[Term], value: &Value) -> Result<(), Omitted> {
        let whole = |section: &Self, term: &Term| {
            let value = section.workspace.evaluate(term).ok().and_then(|(value, _)| value.as_integer());
            value.and_then(|n| n.to_i64()).ok_or_else(|| format!("the count `{term}`"))
        };
        let beyond = match (op, arguments) {
            (Op::BinomialTailInverse, [n, k, delta]) => {
                let (n, k) = (whole(self, n)?, whole(self, k)?);
                if k >= TERM_LIMIT || n > 10_000 {
                    return Err(format!("a binomial tail of {} terms", k + 1));
                }
                let mut ways = BigInt::from(1);
                let mut terms = Vec::new();
                for j in 0..=k {
                    terms.push(format!("{ways} * p ^ {j} * (1 - p) ^ {}", n - j));
                    ways = ways * (n - j) / (j + 1);
                }
                format!("{} < {}", terms.join(" + "), self.expression(delta)?)
            }
            (_, [q, c]) => {
                let exact = self.workspace.evaluate(q).ok().and_then(|(value, _)| value.as_rational());
                let kl = if exact.is_some_and(|q| q.is_zero()) {
                    // 0 ln 0 = 0.
                    "- ln (1 - p)".to_string()
                } else {
                    let q = self.expression(q)?;
                    format!("{q} * ln ({q} / p) + (1 - {q}) * ln ((1 - {q}) / (1 - p))")
                };
                format!("{} < {kl}", self.expression(c)?)
            }
            _ => return Err("an inverse".to_string()),
        };
        let Some(stated) = end(value, false, bits(i)) else { return Ok(()) };
        let facts: String = self.known.iter().map(|name| format!("assert (A{name} := {name}). ")).collect();
        let _ = writeln!(self.text, "Hypothesis T{i}_high : forall p, 0 < p < 1 -> {beyond} -> {subject} <= p.");
        let _ = writeln!(self.text, "Lemma step{i}_high : {subject} <= {stated}.");
        let _ = writeln!(self.text, "Proof. {facts}apply T{i}_high; [lra | enclose]. Qed.");
        self.known.push(format!("step{i}_high"));
        Ok(())
    }

    fn claim(&mut self) -> Result<(), Omitted> {
        let record = self.record;
        let statement = match &record.claim.statement {
            Statement::Formula(formula) if record.verdict == Verdict::Proved => self.formula(formula)?,
            Statement::Formula(formula) => format!("~ ({})", self.formula(formula)?),
            Statement::Upper(term) | Statement::Lower(term) | Statement::Both(term) => {
                let subject = self.expression(term)?;
                let mut parts = Vec::new();
                let wants_low = !matches!(record.claim.statement, Statement::Upper(_));
                let wants_high = !matches!(record.claim.statement, Statement::Lower(_));
                if let Some(low) =
                    record.low.as_ref().and_then(|value| end(value, true, u32::MAX)).filter(|_| wants_low)
                {
                    parts.push(format!("{subject} >= {low}"));
                }
                if let Some(high) =
                    record.high.as_ref().and_then(|value| end(value, false, u32::MAX)).filter(|_| wants_high)
                {
                    parts.push(format!("{subject} <= {high}"));
                }
                if parts.is_empty() {
                    return Err("a number of too many digits".to_string());
                }
                parts.join(" /\\ ")
            }
        };
        let facts: String = self.known.iter().map(|name| format!("assert (A{name} := {name}). ")).collect();
        let _ = writeln!(self.text, "Theorem claim : {statement}.");
        let _ = writeln!(self.text, "Proof. {facts}repeat split; try (intro; lra); enclose. Qed.");
        Ok(())
    }

    fn formula(&mut self, formula: &Formula) -> Result<String, Omitted> {
        Ok(match formula {
            Formula::Compare(a, relation, b) => {
                let sign = match relation {
                    Relation::Le => "<=",
                    Relation::Lt => "<",
                    Relation::Ge => ">=",
                    Relation::Gt => ">",
                    Relation::Eq => "=",
                };
                format!("{} {sign} {}", self.expression(a)?, self.expression(b)?)
            }
            Formula::Within(a, low, high) => {
                let (a, low, high) = (self.expression(a)?, self.expression(low)?, self.expression(high)?);
                format!("{low} <= {a} /\\ {a} <= {high}")
            }
            Formula::And(parts) => {
                let parts = parts.iter().map(|part| self.formula(part)).collect::<Result<Vec<_>, _>>()?;
                parts.join(" /\\ ")
            }
            Formula::ForAll { variable, from, to, body } => {
                let (from, to) = self.range(from, to)?;
                let instance = |i: i64| body.substitute(&Substitution::from([(variable.clone(), Term::int(i))]));
                let parts = (from..=to).map(|i| self.formula(&instance(i))).collect::<Result<Vec<_>, _>>()?;
                parts.join(" /\\ ")
            }
            Formula::ForEach { .. } | Formula::ForReal { .. } => return Err("a quantifier over a set".to_string()),
            Formula::Holds(name, _) => return Err(format!("the property `{name}`")),
        })
    }

    /// A quantity by name. One that the kernel knows exactly is its value; another gets the bounds that the kernel knows.
    fn variable(&mut self, quantity: &Term, is_subject: bool) -> Result<String, String> {
        let key = quantity.to_string();
        if let Some(name) = self.variables.get(&key) {
            return Ok(name.clone());
        }
        let name = format!("q{}", self.variables.len());
        if !is_subject {
            let (value, grounds) = self.workspace.evaluate(quantity).map_err(|error| error.to_string())?;
            if let Some(exact) = value.as_rational().filter(|_| grounds.facts.is_empty()) {
                return number(&exact);
            }
            for (side, relation) in [("low", ">="), ("high", "<=")] {
                if let Some(end) = end(&value, side == "low", u32::MAX) {
                    let _ = writeln!(self.text, "Hypothesis W{name}_{side} : {name} {relation} {end}.");
                    self.known.push(format!("W{name}_{side}"));
                }
            }
        }
        self.variables.insert(key, name.clone());
        Ok(name)
    }

    fn range(&self, from: &Term, to: &Term) -> Result<(i64, i64), Omitted> {
        let whole = |term: &Term| {
            let value = self.workspace.evaluate(term).ok().and_then(|(value, _)| value.as_integer());
            value.and_then(|n| n.to_i64()).ok_or_else(|| format!("the range end `{term}`"))
        };
        let (from, to) = (whole(from)?, whole(to)?);
        if to - from >= TERM_LIMIT { Err(format!("a range of {} members", to - from + 1)) } else { Ok((from, to)) }
    }

    fn expression(&mut self, term: &Term) -> Result<String, Omitted> {
        match term {
            Term::Number(q) => number(q),
            Term::Pi => Ok("PI".to_string()),
            Term::Euler => Ok("(exp 1)".to_string()),
            Term::Infinity => Err("infinity".to_string()),
            Term::Name(name) => match self.workspace.objects().definitions.get(name) {
                Some(definition) if definition.parameters.is_empty() => self.expression(&definition.body.clone()),
                _ => Err(format!("the name `{name}`")),
            },
            Term::Quantity(head, arguments) => match self.workspace.objects().definitions.get(head) {
                Some(definition) => {
                    let substitution = definition.parameters.iter().cloned().zip(arguments.iter().cloned()).collect();
                    self.expression(&definition.body.substitute(&substitution))
                }
                None => self.variable(term, false),
            },
            Term::Cases(branches) => {
                for (condition, value) in branches {
                    let truth = match condition {
                        None => Truth::True,
                        Some(condition) => self.workspace.decide(condition).map_err(|error| error.to_string())?.0,
                    };
                    match truth {
                        Truth::True => return self.expression(value),
                        Truth::False => {}
                        Truth::Unknown => break,
                    }
                }
                Err("an undecided case".to_string())
            }
            Term::Big { big, variable, from, to, body } => {
                let (from, to) = self.range(from, to)?;
                let sign = match big {
                    Big::Sum => " + ",
                    Big::Prod => " * ",
                    Big::Max => return Err("`max`".to_string()),
                    Big::Min => return Err("`min`".to_string()),
                };
                let instance = |i: i64| body.substitute(&Substitution::from([(variable.clone(), Term::int(i))]));
                let parts = (from..=to).map(|i| self.expression(&instance(i))).collect::<Result<Vec<_>, _>>()?;
                let empty = if *big == Big::Sum { "0" } else { "1" };
                Ok(if parts.is_empty() { empty.to_string() } else { format!("({})", parts.join(sign)) })
            }
            Term::Apply(op, arguments) => self.apply(*op, arguments),
        }
    }

    fn apply(&mut self, op: Op, arguments: &[Term]) -> Result<String, Omitted> {
        if let (Op::Pow, [base, exponent]) = (op, arguments) {
            let base_text = self.expression(base)?;
            let value = self.workspace.evaluate(exponent).ok().and_then(|(value, _)| value.as_rational());
            return match value.as_ref().and_then(integer).and_then(ToPrimitive::to_i64) {
                Some(n) if (0..=1000).contains(&n) => Ok(format!("({base_text} ^ {n})")),
                Some(n) if (-1000..0).contains(&n) => Ok(format!("(/ ({base_text} ^ {}))", -n)),
                // x^y = exp(y ln x), which needs x > 0.
                _ => Ok(format!("(exp ({} * ln {base_text}))", self.expression(exponent)?)),
            };
        }
        let parts = arguments.iter().map(|a| self.expression(a)).collect::<Result<Vec<_>, _>>()?;
        Ok(match (op, parts.as_slice()) {
            (Op::Add, []) => "0".to_string(),
            (Op::Mul, []) => "1".to_string(),
            (Op::Add, parts) => format!("({})", parts.join(" + ")),
            (Op::Mul, parts) => format!("({})", parts.join(" * ")),
            (Op::Neg, [x]) => format!("(- {x})"),
            (Op::Div, [x, y]) => format!("({x} / {y})"),
            (Op::Abs, [x]) => format!("(Rabs {x})"),
            (Op::Sqrt, [x]) => format!("(sqrt {x})"),
            (Op::Exp, [x]) => format!("(exp {x})"),
            (Op::Ln, [x]) => format!("(ln {x})"),
            (Op::Log2, [x]) => format!("(ln {x} / ln 2)"),
            (Op::Tanh, [x]) => format!("(1 - 2 / (exp (2 * {x}) + 1))"),
            (Op::Kl, [q, p]) => format!("({q} * ln ({q} / {p}) + (1 - {q}) * ln ((1 - {q}) / (1 - {p})))"),
            _ => {
                let name = Op::CALLS.iter().find(|(_, o, _)| *o == op).map_or("?", |(name, _, _)| name);
                return Err(format!("`{name}`"));
            }
        })
    }
}

fn number(q: &BigRational) -> Result<String, Omitted> {
    if q.numer().bits() + q.denom().bits() > BIT_LIMIT {
        return Err("a number of too many digits".to_string());
    }
    let numerator = if q.is_negative() { format!("(- {})", q.numer().abs()) } else { q.numer().to_string() };
    Ok(if q.is_integer() { numerator } else { format!("({numerator} / {})", q.denom()) })
}

/// Bits of the ends that lemma `i` proves.
fn bits(i: usize) -> u32 {
    FIRST_BITS.saturating_sub(4u32.saturating_mul(u32::try_from(i).unwrap_or(u32::MAX))).max(LAST_BITS)
}

/// An end of a value as a number: exact where it is rational, else rounded outward to `bits`.
fn end(value: &Value, low: bool, bits: u32) -> Option<String> {
    let (exact, dyadic) =
        if low { (value.low(), value.enclosure().lo()) } else { (value.high(), value.enclosure().hi()) };
    let q = match exact.and_then(|surd| surd.as_rational()) {
        Some(q) => q,
        None if low => dyadic?.round_down(bits).to_rational().ok()?,
        None => dyadic?.round_up(bits).to_rational().ok()?,
    };
    number(&q).ok()
}
