//! Claims and their derivations, as a certificate states them. Trust: kernel.

use super::array::end;
use super::document::{line, probability, texts};
use super::json::Field;
use super::{Reason, Refusal, name, term};
use crate::kernel::check::{Claim, Draw, Statement, Verdict};
use crate::kernel::derive::PRECISIONS;
use crate::kernel::real::Truth;
use crate::kernel::value::Value;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::BTreeSet;

/// One step of a claim's derivation and what the certificate says that it proves.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// Which of the certificate's steps.
    pub step: usize,
    /// Earlier steps of the derivation that it uses.
    pub uses: BTreeSet<usize>,
    pub low: Option<Value>,
    pub high: Option<Value>,
}

/// A claim and what the certificate says of it.
#[derive(Clone, Debug)]
pub struct ClaimRecord {
    pub name: String,
    /// `claim`, `bound` (a row of a block of bounds), `expect` or `measure`.
    pub kind: String,
    pub claim: Claim,
    pub verdict: Verdict,
    pub low: Option<Value>,
    pub high: Option<Value>,
    /// The failure probability that it draws.
    pub spent: BigRational,
    pub assumptions: BTreeSet<String>,
    pub undischarged: BTreeSet<String>,
    pub derivation: Vec<StepRecord>,
}

/// The entries of a list that is left out where it is empty.
fn entries<'j>(field: Option<&Field<'j>>) -> Result<Vec<Field<'j>>, Refusal> {
    field.map_or(Ok(Vec::new()), |field| field.list())
}

/// A probability that is left out where it is zero.
fn positive(field: Option<&Field>) -> Result<BigRational, Refusal> {
    let Some(field) = field else { return Ok(BigRational::zero()) };
    let value = probability(field)?;
    if value.is_zero() {
        field.refuse(Reason::Spelling, "expected no field where the probability is zero")
    } else {
        Ok(value)
    }
}

/// An event that a claim pays for: a theorem, what stands for its objects, a probability.
fn draw(field: &Field) -> Result<Draw, Refusal> {
    let [objects, of, theorem] = field.fields(["objects", "probability", "theorem"])?;
    let object = |(name, field): (&str, Field)| Ok((name::variable(&field, name)?.to_string(), term::term(&field)?));
    Ok(Draw {
        theorem: line(&theorem)?,
        objects: objects.entries()?.into_iter().map(object).collect::<Result<_, Refusal>>()?,
        probability: probability(&of)?,
    })
}

pub fn claim(field: &Field, steps: usize) -> Result<ClaimRecord, Refusal> {
    let (
        [name, statement],
        [assumptions, derivation, draws, failure, high, kind, low, spent, stated, undischarged, verdict],
    ) = field.record(
        ["name", "statement"],
        [
            "assumptions",
            "derivation",
            "draws",
            "failure",
            "high",
            "kind",
            "low",
            "spent",
            "stated",
            "undischarged",
            "verdict",
        ],
    )?;
    let kind = match kind {
        None => "claim".to_string(),
        Some(kind) => match kind.text()? {
            word @ ("bound" | "expect" | "measure") => word.to_string(),
            word => return kind.refuse(Reason::Field, format!("expected bound, expect or measure, found `{word}`")),
        },
    };
    let verdict = match verdict {
        None => Verdict::Proved,
        Some(verdict) => match verdict.text()? {
            "refuted" => Verdict::Refuted,
            word => return verdict.refuse(Reason::Field, format!("expected refuted or no verdict, found `{word}`")),
        },
    };
    // `on` is a word of the grammar and the name of an argument of methods.
    let state = |(name, field): (&str, Field)| Ok((name::label(&field, name)?.to_string(), term::term(&field)?));
    let claim = Claim {
        statement: term::statement(&statement)?,
        failure: positive(failure.as_ref())?,
        draws: entries(draws.as_ref())?.iter().map(draw).collect::<Result<_, Refusal>>()?,
        stated: stated
            .map_or(Ok(Vec::new()), |stated| stated.entries())?
            .into_iter()
            .map(state)
            .collect::<Result<_, Refusal>>()?,
    };
    let bound = |field: Option<Field>| field.map_or(Ok(None), |field| end(&field, PRECISIONS[1]));
    let (low_end, high_end) = (bound(low)?, bound(high)?);
    let needs = match &claim.statement {
        Statement::Upper(_) => high_end.is_some(),
        Statement::Lower(_) => low_end.is_some(),
        Statement::Both(_) => low_end.is_some() && high_end.is_some(),
        Statement::Formula(_) => true,
    };
    if !needs {
        return field.refuse(Reason::Field, "expected the bound that the claim asks for, found null");
    }
    ordered(field, &low_end, &high_end)?;
    let derivation = entries(derivation.as_ref())?
        .iter()
        .enumerate()
        .map(|(i, field)| record(field, i, steps))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(ClaimRecord {
        name: object_name(&name)?,
        kind,
        claim,
        verdict,
        low: low_end,
        high: high_end,
        spent: positive(spent.as_ref())?,
        assumptions: texts(assumptions.as_ref())?,
        undischarged: texts(undischarged.as_ref())?,
        derivation,
    })
}

fn object_name(field: &Field) -> Result<String, Refusal> {
    // Claims may bear names of quantities: they are not used in terms.
    let name = line(field)?;
    if name.is_empty() { field.refuse(Reason::Name, "expected a name") } else { Ok(name) }
}

fn ordered(field: &Field, low: &Option<Value>, high: &Option<Value>) -> Result<(), Refusal> {
    if let (Some(low), Some(high)) = (low, high)
        && low.le(high) == Truth::False
    {
        return field.refuse(Reason::Object, "expected a lower end below the upper end, found an empty interval");
    }
    Ok(())
}

/// `[step, low, high, uses...]`.
fn record(field: &Field, position: usize, steps: usize) -> Result<StepRecord, Refusal> {
    let list = field.list()?;
    let [step, low, high, earlier @ ..] = list.as_slice() else {
        return field
            .refuse(Reason::Field, "expected the number of a step, two ends, and the numbers of earlier entries");
    };
    let index = step.natural()?;
    if index >= steps {
        return step.refuse(Reason::Order, format!("expected one of {steps} steps, found number {index}"));
    }
    let mut uses = BTreeSet::new();
    for earlier in earlier {
        let i = earlier.natural()?;
        if i >= position {
            return earlier
                .refuse(Reason::Order, format!("expected a step before number {position}, found number {i}"));
        }
        if uses.last().is_some_and(|last| *last >= i) {
            return earlier.refuse(Reason::Spelling, "expected rising numbers of earlier steps");
        }
        uses.insert(i);
    }
    let (low, high) = (end(low, PRECISIONS[1])?, end(high, PRECISIONS[1])?);
    ordered(field, &low, &high)?;
    Ok(StepRecord { step: index, uses, low, high })
}
