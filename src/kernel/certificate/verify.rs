//! Deriving a certificate again: every claim from nothing, one after another. Trust: kernel.

use super::claim::{ClaimRecord, StepRecord};
use super::document::Certificate;
use super::{Reason, Refusal, term};
use crate::kernel::check::{Checked, Derivation, Verdict};
use crate::kernel::derive::{Fact, Theorems, structures};
use crate::kernel::real::Truth;
use crate::kernel::structure::Structure;
use crate::kernel::theorem::Status;
use crate::kernel::value::Value;
use num_rational::BigRational;
use num_traits::Zero;
use std::collections::{BTreeMap, BTreeSet};

/// A claim that the kernel has derived again. Only [`Certificate::verify`] makes one.
pub struct Certified {
    record: ClaimRecord,
    checked: Checked,
}

impl Certified {
    pub fn record(&self) -> &ClaimRecord {
        &self.record
    }

    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// What the claim rests on beyond checked theorems and declared assumptions.
    pub fn holes(&self) -> Vec<String> {
        let mut holes = Vec::new();
        for (name, status) in self.checked.theorems() {
            match status {
                Status::Proved | Status::Derived => {}
                Status::Recalled => holes.push(format!("`{name}` is recalled, not checked against its source")),
                Status::Unproved => holes.push(format!("`{name}` is unproved")),
            }
        }
        holes.extend(self.checked.undischarged().iter().map(|text| format!("assumed without declaration: {text}")));
        holes
    }
}

/// Whether what was derived lies within what is said.
fn within(derived: &Value, low: &Option<Value>, high: &Option<Value>) -> bool {
    let above = low.as_ref().is_none_or(|low| derived.low_end().is_some_and(|end| low.le(&end) == Truth::True));
    let below = high.as_ref().is_none_or(|high| derived.high_end().is_some_and(|end| end.le(high) == Truth::True));
    above && below
}

/// Whether a fact is what the certificate says of its step.
fn compare(place: &str, fact: &Fact, of: Option<&str>, said: &StepRecord) -> Result<(), Refusal> {
    let refuse = |reason, text: String| Err(Refusal::new(reason, format!("{place}: {text}")));
    let found = fact.subject.to_string();
    if let Some(of) = of
        && of != found
    {
        return refuse(Reason::Enclosure, format!("expected a step on `{of}`, found one on `{found}`"));
    }
    if fact.premises != said.uses {
        return refuse(Reason::Order, format!("expected the premises {:?}, found {:?}", fact.premises, said.uses));
    }
    if !within(&fact.value, &said.low, &said.high) {
        let proved = fact.value.describe();
        return refuse(Reason::Enclosure, format!("the step proves {proved} of `{found}`, not the stated enclosure"));
    }
    Ok(())
}

impl Certificate {
    /// Derives every claim again, hands it over, and adds the ledger up. `theorems` are the statements behind the certificate's names.
    pub fn verify(&self, theorems: &Theorems, mut each: impl FnMut(Certified)) -> Result<(), Refusal> {
        let structures = structures(&self.objects).map_err(|error| Refusal::step(Reason::Object, "objects", &error))?;
        if self.claims() == 0 {
            return Err(Refusal::new(Reason::Verdict, "claims: expected at least one claim, found none"));
        }
        let (mut names, mut used, mut points) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut total = BigRational::zero();
        for i in 0..self.claims() {
            let record = self.claim(i)?;
            if !names.insert(record.name.clone()) {
                let text = format!("claims: expected every claim once, found `{}` twice", record.name);
                return Err(Refusal::new(Reason::Name, text));
            }
            used.extend(record.derivation.iter().map(|said| said.step));
            let certified = self.derive(record, theorems, &structures)?;
            total += certified.checked.spent();
            points.extend(certified.checked.points().keys().cloned());
            each(certified);
        }
        if points.len() != self.objects.points.count() {
            let (needed, found) = (points.len(), self.objects.points.count());
            let text = format!("points: expected the {needed} that the claims need, found {found}");
            return Err(Refusal::new(Reason::Grounds, text));
        }
        if total != self.spent {
            let text = format!("ledger.spent: expected {total}, the sum over all claims, found {}", self.spent);
            return Err(Refusal::new(Reason::Ledger, text));
        }
        if total > self.budget {
            let text = format!("ledger: expected at most the budget {}, found {total} spent", self.budget);
            return Err(Refusal::new(Reason::Ledger, text));
        }
        match (0..self.steps()).find(|step| !used.contains(step)) {
            None => Ok(()),
            Some(step) => {
                Err(Refusal::new(Reason::Order, format!("steps[{step}]: expected a claim that uses it, found none")))
            }
        }
    }

    fn derive(
        &self,
        record: ClaimRecord,
        theorems: &Theorems,
        structures: &BTreeMap<String, Structure>,
    ) -> Result<Certified, Refusal> {
        let place = format!("claim `{}`", record.name);
        let refusal = |reason, text: String| Refusal::new(reason, format!("{place}: {text}"));
        let mut derivation = Derivation::new(&self.objects, theorems, structures, &record.claim)
            .map_err(|error| Refusal::step(Reason::Step, &place, &error))?;
        for (i, said) in record.derivation.iter().enumerate() {
            let place = format!("{place}, step {i}");
            // The step and its witness are dropped before the next is read.
            let (step, of) = self.step(said.step)?;
            let fact = derivation.apply(&step).map_err(|error| Refusal::step(Reason::Step, &place, &error))?;
            compare(&place, fact, of.as_deref(), said)?;
        }
        let checked = derivation.conclude().map_err(|error| Refusal::step(Reason::Step, &place, &error))?;
        if checked.verdict() != record.verdict {
            let found = match checked.verdict() {
                Verdict::Proved => "the derivation proves it",
                Verdict::Refuted => "the derivation refutes it",
                Verdict::Unknown if checked.spent() > record.claim.failure => {
                    "it fails with more probability than it allows"
                }
                Verdict::Unknown => "the derivation does not decide it",
            };
            return Err(refusal(Reason::Verdict, format!("{found}: `{}`", term::text(&record.claim.statement))));
        }
        if let Some(value) = checked.value()
            && !within(value, &record.low, &record.high)
        {
            let text = format!("the derivation proves {}, not the stated bound", value.describe());
            return Err(refusal(Reason::Enclosure, text));
        }
        if checked.spent() != record.spent {
            let text = format!("expected the probability {}, found {}", checked.spent(), record.spent);
            return Err(refusal(Reason::Ledger, text));
        }
        let differs = |what: &str, expected: &BTreeSet<String>, found: &BTreeSet<String>| {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("; ");
            let text = format!("expected the {what} [{}], found [{}]", list(expected), list(found));
            if expected == found { Ok(()) } else { Err(refusal(Reason::Grounds, text)) }
        };
        differs("assumptions", checked.assumptions(), &record.assumptions)?;
        differs("undischarged conditions", checked.undischarged(), &record.undischarged)?;
        Ok(Certified { record, checked })
    }
}
