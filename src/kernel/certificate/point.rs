//! The points at which inverses are checked. Trust: kernel.
//!
//! `{"at": point, "inverse": ["kl_inverse", q, c], "side": "above"}`, or `["binomial_tail_inverse", n, k, delta]`, or `"below"`. The numbers
//! are dyadic. Sorted by inverse and side, the points below first, each once.

use super::array::{integer, point as dyadic};
use super::json::{Document, Field};
use super::{Reason, Refusal};
use crate::kernel::real::{Dyadic, Inverse, Question, Toward};
use std::collections::BTreeMap;

pub const SIDES: [(&str, Toward); 2] = [("below", Toward::Down), ("above", Toward::Up)];
pub const KL: &str = "kl_inverse";
pub const BINOMIAL_TAIL: &str = "binomial_tail_inverse";

pub fn points(document: &Document) -> Result<BTreeMap<Question, Dyadic>, Refusal> {
    let mut points = BTreeMap::new();
    for i in 0..document.count("points") {
        let (_, json) = document.entry("points", i)?;
        let field = Field::new(&json, format!("points[{i}]"));
        let [at, of, side] = field.fields(["at", "inverse", "side"])?;
        let Some((_, toward)) = SIDES.iter().find(|(word, _)| side.text() == Ok(*word)) else {
            return side.refuse(Reason::Field, "expected below or above");
        };
        let question = Question { inverse: inverse(&of)?, side: *toward };
        if points.last_key_value().is_some_and(|(last, _)| *last >= question) {
            return field.refuse(Reason::Order, "expected the points in order, each once");
        }
        points.insert(question, dyadic(&at)?);
    }
    Ok(points)
}

fn inverse(field: &Field) -> Result<Inverse, Refusal> {
    let parts = field.list()?;
    let count = |field: &Field| {
        let n = integer(field, field.text()?)?;
        u64::try_from(n).or_else(|_| field.refuse(Reason::Number, "expected an integer from 0 to 2^64"))
    };
    match parts.as_slice() {
        [head, q, c] if head.text()? == KL => Ok(Inverse::Kl { q: dyadic(q)?, c: dyadic(c)? }),
        [head, n, k, delta] if head.text()? == BINOMIAL_TAIL => {
            Ok(Inverse::BinomialTail { n: count(n)?, k: count(k)?, delta: dyadic(delta)? })
        }
        _ => field.refuse(Reason::Field, "expected kl_inverse or binomial_tail_inverse with its arguments"),
    }
}
