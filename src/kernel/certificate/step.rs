//! Steps of derivations and their witnesses. Trust: kernel.

use super::array::{Side, dyadic};
use super::json::Field;
use super::term::term;
use super::{Reason, Refusal};
use crate::kernel::derive::Step;
use crate::kernel::lipschitz::{self, Branch, LayerNorm, LowerWitness, Multipliers, robust};
use crate::kernel::witness::Witness;
use num_bigint::BigInt;

/// A step, and the quantity that it is said to be about: `{"bindings": {...}, "of": text, "theorem": name}`, or
/// `{"subject": term, "witness": {...}}`, whose quantity is its subject.
pub fn step(field: &Field, side: &Side) -> Result<(Step, Option<String>), Refusal> {
    if field.find("theorem").is_some() {
        let [bindings, of, theorem] = field.fields(["bindings", "of", "theorem"])?;
        let bind = |(name, value): (&str, Field)| Ok((name.to_string(), term(&value)?));
        let bindings = bindings.entries()?.into_iter().map(bind).collect::<Result<_, Refusal>>()?;
        return Ok((Step::Theorem { name: theorem.text()?.to_string(), bindings }, Some(of.text()?.to_string())));
    }
    let [subject, found] = field.fields(["subject", "witness"])?;
    Ok((Step::Witness { subject: term(&subject)?, witness: witness(&found, side)? }, None))
}

fn witness(field: &Field, side: &Side) -> Result<Witness, Refusal> {
    let Some(kind) = field.find("kind") else {
        return field.refuse(Reason::Field, "expected a field `kind`, found none");
    };
    Ok(match kind.text()? {
        "computation" => {
            let [_] = field.fields(["kind"])?;
            Witness::Computation
        }
        "spectral_upper" => {
            let [bound, _] = field.fields(["bound", "kind"])?;
            match layer_norm(&bound)? {
                Some(bound) => Witness::SpectralUpper(bound),
                None => return bound.refuse(Reason::Field, "expected a bound, found null"),
            }
        }
        "spectral_lower" => {
            let [_, vector] = field.fields(["kind", "vector"])?;
            Witness::SpectralLower { vector: side.integers(&vector)?.into_iter().map(BigInt::from).collect() }
        }
        "norm_product" | "absolute_product" | "jacobian" | "averaged" | "tree" => {
            Witness::LipschitzUpper(upper(field, side)?)
        }
        "robust_pairs" => {
            let [_, pairs] = field.fields(["kind", "pairs"])?;
            let pairs = pairs.list()?.iter().map(|pair| multipliers(pair, side)).collect::<Result<_, _>>()?;
            Witness::Robust(robust::Certificate::Pairs(pairs))
        }
        "robust_whole" => {
            let [_, whole] = field.fields(["kind", "whole"])?;
            Witness::Robust(robust::Certificate::Whole(Box::new(upper(&whole, side)?)))
        }
        "adversarial" => {
            let [_, point] = field.fields(["kind", "point"])?;
            Witness::Adversarial(side.dyadics(&point)?)
        }
        "direction" => {
            let [direction, _, point] = field.fields(["direction", "kind", "point"])?;
            let (point, direction) = (side.dyadics(&point)?, side.dyadics(&direction)?);
            Witness::LipschitzLower(LowerWitness::Direction { point, direction })
        }
        "pair" => {
            let [from, _, to] = field.fields(["from", "kind", "to"])?;
            Witness::LipschitzLower(LowerWitness::Pair { from: side.dyadics(&from)?, to: side.dyadics(&to)? })
        }
        other => return kind.refuse(Reason::Field, format!("expected a kind of witness, found `{other}`")),
    })
}

/// An upper bound on a Lipschitz constant.
fn upper(field: &Field, side: &Side) -> Result<lipschitz::Witness, Refusal> {
    let Some(kind) = field.find("kind") else {
        return field.refuse(Reason::Field, "expected a field `kind`, found none");
    };
    Ok(match kind.text()? {
        "norm_product" => {
            let [_, layers] = field.fields(["kind", "layers"])?;
            lipschitz::Witness::Product(layers.list()?.iter().map(layer_norm).collect::<Result<_, _>>()?)
        }
        "absolute_product" => {
            let [_] = field.fields(["kind"])?;
            lipschitz::Witness::AbsoluteProduct
        }
        "jacobian" => {
            let [_] = field.fields(["kind"])?;
            lipschitz::Witness::Jacobian
        }
        "averaged" => {
            let [_, squares] = field.fields(["kind", "squares"])?;
            let square = |f: &Field| if f.is_null() { Ok(None) } else { dyadic(f).map(Some) };
            let row = |row: &Field| row.list()?.iter().map(square).collect::<Result<Vec<_>, Refusal>>();
            lipschitz::Witness::Averaged(squares.list()?.iter().map(row).collect::<Result<_, _>>()?)
        }
        "tree" => {
            let [branches, _] = field.fields(["branches", "kind"])?;
            lipschitz::Witness::Tree(branches.list()?.iter().map(|b| branch(b, side)).collect::<Result<_, _>>()?)
        }
        other => return kind.refuse(Reason::Field, format!("expected a bound of a constant, found `{other}`")),
    })
}

fn multipliers(field: &Field, side: &Side) -> Result<Multipliers, Refusal> {
    let [input, neurons] = field.tuple()?;
    Ok(Multipliers { input: side.dyadics(&input)?, neurons: side.dyadics(&neurons)? })
}

/// `null`, `"gram"`, `"schur"`, or the square of a spectral norm's bound.
fn layer_norm(field: &Field) -> Result<Option<LayerNorm>, Refusal> {
    if field.is_null() {
        return Ok(None);
    }
    Ok(Some(match field.text()? {
        "gram" => LayerNorm::Gram,
        "schur" => LayerNorm::Schur,
        _ => LayerNorm::Spectral(dyadic(field)?),
    }))
}

/// `["input", coordinate, at]`, `["neuron", j]`, `["empty", [[j, weight], ...]]`, `["leaf", [[input, neurons], ...]]`.
fn branch(field: &Field, side: &Side) -> Result<Branch, Refusal> {
    let list = field.list()?;
    let Some((word, rest)) = list.split_first() else { return field.refuse(Reason::Field, "expected a branch") };
    Ok(match (word.text()?, rest) {
        ("input", [coordinate, at]) => Branch::Input { coordinate: coordinate.natural()?, at: dyadic(at)? },
        ("neuron", [j]) => Branch::Neuron(j.natural()?),
        ("empty", [weights]) => {
            let weight = |field: &Field| {
                let [j, weight] = field.tuple()?;
                Ok((j.natural()?, dyadic(&weight)?))
            };
            Branch::Empty(weights.list()?.iter().map(weight).collect::<Result<_, Refusal>>()?)
        }
        ("leaf", [certificates]) => {
            let multipliers = |field: &Field| multipliers(field, side);
            Branch::Leaf(certificates.list()?.iter().map(multipliers).collect::<Result<_, Refusal>>()?)
        }
        (word, _) => return field.refuse(Reason::Field, format!("expected a branch, found `{word}`")),
    })
}
