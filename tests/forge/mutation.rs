//! Every number of a certificate is changed, one at a time, in several ways. The result is refused, or the certified claims are weaker
//! and still true, or they speak of other objects: then they were derived anew for those, and `--spec` tells the difference.

use super::support::{Forgery, claims, judge, written};
use num_bigint::BigInt;
use supremum::kernel::certificate::{Certificate, ClaimRecord, Json};
use supremum::kernel::real::Truth;
use supremum::kernel::value::Value;

/// Other numbers with the same form.
fn mutants(text: &str) -> Vec<String> {
    let shifted = |n: &str, by: i64| n.parse::<BigInt>().ok().map(|n| (n + by).to_string());
    let found: Vec<Option<String>> = if let Some((m, e)) = text.split_once("*2^") {
        // An odd mantissa stays odd.
        vec![
            shifted(m, 2).map(|m| format!("{m}*2^{e}")),
            shifted(m, -2).map(|m| format!("{m}*2^{e}")),
            shifted(e, 1).map(|e| format!("{m}*2^{e}")),
            shifted(e, -1).map(|e| format!("{m}*2^{e}")),
            Some("0".to_string()),
        ]
    } else if let Some((p, q)) = text.split_once('/') {
        vec![
            shifted(p, 1).map(|p| format!("{p}/{q}")),
            shifted(p, -1).map(|p| format!("{p}/{q}")),
            shifted(q, 1).map(|q| format!("{p}/{q}")),
            shifted(q, -1).map(|q| format!("{p}/{q}")),
        ]
    } else {
        vec![shifted(text, 1), shifted(text, -1), Some(format!("-{text}").replace("--", ""))]
    };
    found.into_iter().flatten().filter(|mutant| mutant != text).collect()
}

fn is_number(text: &str) -> bool {
    let digits = text.trim_start_matches('-');
    digits.starts_with(|c: char| c.is_ascii_digit())
        && text.len() < 100
        && digits.chars().all(|c| c.is_ascii_digit() || "-/*^".contains(c))
}

/// All certificates that differ from `json` in one number.
fn changed(json: &Json) -> Vec<Json> {
    match json {
        Json::Integer(n) => [n + 1, n.saturating_sub(1)].into_iter().filter(|m| m != n).map(Json::Integer).collect(),
        Json::Text(text) if is_number(text) => mutants(text).into_iter().map(Json::Text).collect(),
        Json::List(list) => list
            .iter()
            .enumerate()
            .flat_map(|(i, item)| {
                changed(item).into_iter().map(move |item| {
                    let mut list = list.clone();
                    list[i] = item;
                    Json::List(list)
                })
            })
            .collect(),
        Json::Map(map) => map
            .iter()
            .flat_map(|(key, item)| {
                changed(item).into_iter().map(move |item| {
                    let mut map = map.clone();
                    map.insert(key.clone(), item);
                    Json::Map(map)
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Each stated end of `a` is at most as strong as that of `b`.
fn is_weaker(a: &ClaimRecord, b: &ClaimRecord) -> bool {
    let below = |a: &Option<Value>, b: &Option<Value>| match (a, b) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(a), Some(b)) => a.le(b) == Truth::True,
    };
    let negated = |v: &Option<Value>| v.as_ref().map(Value::neg);
    a.verdict == b.verdict
        && below(&a.low, &b.low)
        && below(&negated(&a.high), &negated(&b.high))
        && a.spent == b.spent
        && a.assumptions == b.assumptions
        && a.undischarged == b.undischarged
}

/// What `--spec` compares.
fn speaks_of_the_same(a: &Certificate, b: &Certificate) -> bool {
    let claims = |c: &Certificate| claims(c).into_iter().map(|claim| claim.claim.statement).collect::<Vec<_>>();
    a.objects == b.objects && claims(a) == claims(b) && a.spec == b.spec && a.budget == b.budget
}

#[derive(Default, Debug)]
struct Count {
    refused: usize,
    weaker: usize,
    other: usize,
    wrong: Vec<String>,
}

fn count(forgery: &Forgery, forged: &[(String, Vec<u8>)]) -> Count {
    let original = forgery.judge().expect("accepted");
    let mut count = Count::default();
    for (text, side) in forged {
        match judge(text.as_bytes(), side) {
            Err(_) => count.refused += 1,
            Ok(found) if !speaks_of_the_same(&found, &original) => count.other += 1,
            Ok(found) if claims(&found).iter().zip(&claims(&original)).all(|(a, b)| is_weaker(a, b)) => {
                count.weaker += 1
            }
            Ok(_) => count.wrong.push(text.lines().take(400).collect::<Vec<_>>().join("\n")),
        }
    }
    count
}

/// Certificates that differ in one byte of the side file, with its hash set right.
fn altered_sides(forgery: &Forgery) -> Vec<Forgery> {
    let step = (forgery.side.len() / 50).max(1);
    let altered = |position: usize| {
        let mut other = forgery.clone();
        other.side[position] ^= 1 << (position % 8);
        other.reseal();
        other
    };
    (0..forgery.side.len()).step_by(step).map(altered).collect()
}

#[test]
fn every_change_of_a_number_is_refused_or_weakens_the_claim() {
    let mut total = Count::default();
    for spec in ["tests/forge/small.spec", "tests/forge/conjecture.spec"] {
        let forgery = written(spec);
        let mut forged: Vec<(String, Vec<u8>)> =
            changed(&forgery.json).iter().map(|json| (json.render(), forgery.side.clone())).collect();
        if !forgery.side.is_empty() {
            forged.extend(altered_sides(&forgery).into_iter().map(|other| (other.json.render(), other.side)));
        }
        let (left, right) = forged.split_at(forged.len() / 2);
        let (a, b) = std::thread::scope(|scope| {
            let other = scope.spawn(|| count(&forgery, left));
            (count(&forgery, right), other.join().expect("no panic"))
        });
        for part in [a, b] {
            total.refused += part.refused;
            total.weaker += part.weaker;
            total.other += part.other;
            total.wrong.extend(part.wrong);
        }
    }
    let Count { refused, weaker, other, wrong } = total;
    println!("{refused} refused, {weaker} weaker and true, {other} derived anew for other objects");
    assert!(wrong.is_empty(), "{} wrong, the first:\n{}", wrong.len(), wrong[0]);
    assert!(refused >= 300 && weaker >= 50, "{refused} {weaker} {other}");
}
