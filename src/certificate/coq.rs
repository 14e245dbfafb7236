//! A certificate's arithmetic as a Coq script for coq-interval. Trust: untrusted; Coq checks what it can state.
//!
//! One section per claim. Quantities are real variables; the theorems of the library are hypotheses, instantiated as the
//! derivation uses them; witnesses and counts, which the kernel checks in integers, are hypotheses on their quantities.
//! What Coq proves is the arithmetic between: every stated end follows from these hypotheses. What the tactic `interval` has no
//! symbol for is left out and named.

mod term;

use crate::kernel::certificate::{Certificate, ClaimRecord, term as terms};
use crate::kernel::check::{Statement, Verdict};
use crate::kernel::derive::{Theorems, Workspace, structures};
use crate::kernel::object::Objects;
use crate::kernel::point::Points;
use crate::kernel::signature::{self, Codomain};
use crate::kernel::structure::Structure;
use crate::kernel::term::{Formula, Op, Relation, Substitution, Term};
use crate::kernel::value::Value;
use crate::point;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Signed;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Precision of `interval`, in bits. From 60 on it uses no hardware floating point and none of its axioms.
const PRECISION: u32 = 320;
/// Bits of the ends that the first lemma of a claim proves; every later one rounds a little more, so that roundings do not add up
/// to more than the next end allows.
const FIRST_BITS: u32 = 200;
const LAST_BITS: u32 = 80;
/// Most terms of a sum or product and members of a range that are written out.
const TERM_LIMIT: i64 = 128;
/// Most lemmas on exact values of a claim: every proof of it tries to rewrite with them.
const VALUE_LIMIT: usize = 32;
/// Longest number in the script, in bits.
const BIT_LIMIT: u64 = 1 << 14;

/// `values` rewrites the exact values that lemmas of the section have proved, outermost first. `enclose` proves a comparison of
/// closed terms and of variables with known ends; what `interval` cannot, an equality, is left to `lra`, `field` and, with the squares
/// of square roots, `nra`. `refute` proves the negation of a conjunction by one of its members.
const TACTICS: &str = "Ltac values := idtac.
Ltac square_roots := repeat match goal with |- context [sqrt ?x] =>
  let s := fresh in let P := fresh in assert (P : sqrt x * sqrt x = x) by (apply sqrt_sqrt; lra); set (s := sqrt x) in * end.
Ltac bisect := match goal with x : R |- _ => solve [ interval with (i_prec PRECISION, i_bisect x) ] end.
Ltac nonzero := repeat split; first [ lra | apply Rgt_not_eq; interval | apply Rlt_not_eq; interval ].
Ltac same := solve [ field; nonzero | square_roots; field_simplify; try nra; nonzero ].
Ltac enclose := values; first [ interval with (i_prec PRECISION) | lra | same | apply Req_le; same | apply Req_ge; same
  | square_roots; nra | bisect ].
Ltac refute := let H := fresh in intro H; repeat match goal with A : _ /\\ _ |- _ => destruct A end;
  first [ lra | match goal with
  | A : ?a <= ?b |- _ => solve [ refine (Rlt_not_le _ _ _ A); enclose ]
  | A : ?a < ?b |- _ => solve [ refine (Rle_not_lt _ _ _ A); enclose ]
  | A : ?a >= ?b |- _ => solve [ refine (Rlt_not_ge _ _ _ A); enclose ]
  | A : ?a > ?b |- _ => solve [ refine (Rle_not_gt _ _ _ A); enclose ]
  | A : ?a = ?b |- _ => solve [ refine (Rlt_not_eq _ _ _ A); enclose | refine (Rgt_not_eq _ _ _ A); enclose ]
  end ].
";

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
    // A script may look at inverses elsewhere than the certificate does.
    let objects = Objects { points: Points::proposed(point::propose), ..certificate.objects.clone() };
    let structures = structures(&objects).map_err(|error| error.to_string())?;
    let mut script = Script { text: header(certificate), replayed: Vec::new(), omitted: Vec::new() };
    for number in 0..certificate.claims() {
        let record = &certificate.claim(number).map_err(|refusal| refusal.message)?;
        let mut section = Section::new(certificate, record, &objects, theorems, &structures);
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
         From Coq Require Import Reals ZArith Lia Lra Psatz.\nFrom Flocq Require Import Core.\n\
         From Interval Require Import Tactic.\nOpen Scope R_scope.\n\n{}",
        comment(&certificate.spec.path),
        TACTICS.replace("PRECISION", &PRECISION.to_string())
    )
}

/// A text that ends no comment.
fn comment(text: &str) -> String {
    text.replace("(*", "( *").replace("*)", "* )").replace('"', "'")
}

struct Section<'c> {
    certificate: &'c Certificate,
    record: &'c ClaimRecord,
    workspace: Workspace<'c>,
    /// Coq names of quantities, by their printed form.
    variables: BTreeMap<String, String>,
    text: String,
    omitted: Vec<Omitted>,
    /// Names of what is known about variables: to be put in front of every proof.
    known: Vec<String>,
    /// Lemmas that give a subterm its exact value.
    values: Vec<String>,
    /// How many variables were named so far.
    named: usize,
}

impl<'c> Section<'c> {
    fn new(
        certificate: &'c Certificate,
        record: &'c ClaimRecord,
        objects: &'c Objects,
        theorems: &'c Theorems,
        structures: &'c BTreeMap<String, Structure>,
    ) -> Section<'c> {
        let workspace = Workspace::new(objects, theorems, structures).stating(record.claim.stated.clone());
        let (variables, text) = (BTreeMap::new(), String::new());
        let (omitted, known, values) = (Vec::new(), Vec::new(), Vec::new());
        Section { certificate, record, workspace, variables, text, omitted, known, values, named: 0 }
    }

    fn write(&mut self, number: usize) -> Result<String, String> {
        let statement = terms::text(&self.record.claim.statement);
        for (i, said) in self.record.derivation.iter().enumerate() {
            let (step, _) = self.certificate.step(said.step).map_err(|refusal| refusal.message)?;
            let index = self.workspace.apply(&step).map_err(|error| error.to_string())?;
            let fact = self.workspace.facts()[index].clone();
            let subject = self.variable(&fact.subject, true)?;
            let _ = writeln!(
                self.text,
                "(* step {i}: {} on {} *)",
                comment(&fact.rule),
                comment(&fact.subject.to_string())
            );
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
        let end = self.text.len();
        if let Err(reason) = self.claim() {
            self.text.truncate(end);
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
        let reset = if self.values.is_empty() { "" } else { "Ltac values ::= idtac.\n" };
        let _ = writeln!(section, "{reset}End Arithmetic.\nEnd Claim{number}.");
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
            let facts = facts(&before);
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
        let beyond = self.beyond(op, arguments)?.0;
        let Some(stated) = end(value, false, bits(i)) else { return Ok(()) };
        let facts = facts(&self.known);
        let _ = writeln!(self.text, "Hypothesis T{i}_high : forall p, 0 < p < 1 -> {beyond} -> {subject} <= p.");
        let _ = writeln!(self.text, "Lemma step{i}_high : {subject} <= {stated}.");
        let _ = writeln!(self.text, "Proof. {facts}first [lra | apply T{i}_high; [lra | enclose ..]]. Qed.");
        self.known.push(format!("step{i}_high"));
        Ok(())
    }

    fn claim(&mut self) -> Result<(), Omitted> {
        let record = self.record;
        let statement = match &record.claim.statement {
            Statement::Formula(formula) if record.verdict == Verdict::Proved => self.formula(formula)?,
            Statement::Formula(Formula::ForReal { .. }) => {
                return Err("a refuted quantifier over an interval".to_string());
            }
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
        let facts = facts(&self.known);
        let _ = writeln!(self.text, "Theorem claim : {statement}.");
        let proof = if statement.starts_with('~') { "refute" } else { "repeat split; intros; enclose" };
        let _ = writeln!(self.text, "Proof. {facts}{proof}. Qed.");
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
            Formula::ForEach { variable, members, body } => {
                let instance = |m: &Term| body.substitute(&Substitution::from([(variable.clone(), m.clone())]));
                let parts = members.iter().map(|m| self.formula(&instance(m))).collect::<Result<Vec<_>, _>>()?;
                parts.join(" /\\ ")
            }
            Formula::ForReal { variable, from, to, body } => {
                let name = self.fresh("x");
                let (from, to) = (self.expression(from)?, self.expression(to)?);
                self.variables.insert(variable.clone(), name.clone());
                let body = self.formula(body);
                self.variables.remove(variable);
                format!("(forall {name}, {from} <= {name} <= {to} -> {})", body?)
            }
            Formula::Holds(name, _) => return Err(format!("the property `{name}`")),
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

/// Puts facts into the context of a proof.
fn facts(known: &[String]) -> String {
    known.iter().map(|name| format!("assert (A{name} := {name}). ")).collect()
}

/// Bits of the ends that lemma `i` proves.
fn bits(i: usize) -> u32 {
    FIRST_BITS.saturating_sub(4u32.saturating_mul(u32::try_from(i).unwrap_or(u32::MAX))).max(LAST_BITS)
}

/// An end of a value: exact where it is a sum of square roots, else rounded outward to `bits`.
fn end(value: &Value, low: bool, bits: u32) -> Option<String> {
    let (exact, dyadic) =
        if low { (value.low(), value.enclosure().lo()) } else { (value.high(), value.enclosure().hi()) };
    let q = match exact {
        Some(surd) => match surd.as_rational() {
            Some(q) => q,
            None => {
                let root = |(radicand, q): &(u64, BigRational)| {
                    Ok(if *radicand == 1 { number(q)? } else { format!("{} * sqrt {radicand}", number(q)?) })
                };
                let parts = surd.terms().iter().map(root).collect::<Result<Vec<_>, Omitted>>().ok()?;
                return Some(format!("({})", parts.join(" + ")));
            }
        },
        None if low => dyadic?.round_down(bits).to_rational().ok()?,
        None => dyadic?.round_up(bits).to_rational().ok()?,
    };
    number(&q).ok()
}
