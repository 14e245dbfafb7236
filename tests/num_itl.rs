//! The interval test vectors of libieeep1788 against both interval types.
//!
//! A vector `op arguments = result;` gives the tightest result. Checked: it is contained in ours, and ours is equal (operations
//! with one rounding) or at most one float wider at each end (`WIDENED`). Where the standard restricts an operation
//! to the part of its argument that lies in the domain, ours must refuse. `tests/data/itl/README.md` has the counts.
#![cfg(feature = "engine")]

use std::collections::BTreeMap;
use std::path::Path;
use supremum::num::{Interval, MpInterval, NumError};

const FILES: [&str; 5] = ["bool", "class", "elem", "num", "set"];

/// Only this one meets a subnormal quotient in the vectors, where the fallback may be one float wider than the tightest result.
const WIDENED: [&str; 1] = ["recip"];

/// An argument or result of a vector.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Interval(Interval),
    /// Empty or not an interval: we have no such value.
    Nothing,
    Number(f64),
    Truth(bool),
}

/// A decimal or hexadecimal binary64 literal of the vectors.
fn number(text: &str) -> Option<f64> {
    let (sign, body) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = body.to_ascii_lowercase();
    if let Some(hex) = lower.strip_prefix("0x") {
        return Some(sign * hexadecimal(hex));
    }
    match lower.as_str() {
        "infinity" | "inf" => Some(sign * f64::INFINITY),
        "nan" => Some(f64::NAN),
        _ => lower.parse::<f64>().ok().map(|x| sign * x),
    }
}

/// `h.hhhp+e`: exact for the literals here, which are binary64 numbers.
fn hexadecimal(text: &str) -> f64 {
    let (mantissa, exponent) = text.split_once('p').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = u128::from_str_radix(&format!("{whole}{fraction}"), 16).expect("hexadecimal digits");
    let scale = exponent.parse::<i32>().expect("an exponent") - 4 * i32::try_from(fraction.len()).expect("short");
    let significant = rug::Float::with_val(128, digits) << scale;
    let value = significant.to_f64();
    assert!(significant == value, "{text} is not a binary64 number");
    value
}

fn value(token: &str) -> Option<Value> {
    if token == "true" || token == "false" {
        return Some(Value::Truth(token == "true"));
    }
    let Some(rest) = token.strip_prefix('[') else { return number(token).map(Value::Number) };
    let (inside, _decoration) = rest.split_once(']')?;
    match inside.trim() {
        "empty" | "nai" => return Some(Value::Nothing),
        "entire" => return Some(Value::Interval(Interval::ENTIRE)),
        _ => {}
    }
    let (lo, hi) = inside.split_once(',')?;
    Interval::new(number(lo.trim())?, number(hi.trim())?).ok().map(Value::Interval)
}

/// Splits at blanks outside brackets, braces and quotes.
fn tokens(text: &str) -> Vec<String> {
    let (mut out, mut current, mut depth) = (Vec::new(), String::new(), 0i32);
    for c in text.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            _ => {}
        }
        if c.is_whitespace() && depth == 0 {
            if !current.is_empty() {
                out.push(std::mem::take(&mut current));
            }
        } else {
            current.push(c);
        }
    }
    out.extend((!current.is_empty()).then_some(current));
    out
}

/// What both interval types answer to an interval-valued operation: `None` for an operation we do not have.
fn apply(
    op: &str,
    x: Interval,
    y: Option<Value>,
) -> Option<(Result<Interval, NumError>, Result<MpInterval, NumError>)> {
    let exact = |x: Interval| MpInterval::from_interval(53, x);
    let mx = exact(x);
    let second = || match y {
        Some(Value::Interval(y)) => Some(y),
        _ => None,
    };
    Some(match (op, y) {
        ("neg", None) => (Ok(-x), Ok(-&mx)),
        ("abs", None) => (Ok(x.abs()), Ok(mx.abs())),
        ("sqr", None) => (Ok(x.sqr()), Ok(mx.sqr())),
        ("sqrt", None) => (x.sqrt(), mx.sqrt()),
        ("recip", None) => (x.recip(), MpInterval::from_integer(53, 1).checked_div(&mx)),
        ("exp", None) => (Ok(x.exp()), Ok(mx.exp())),
        ("exp2", None) => (Ok(x.exp2()), Ok(mx.exp2())),
        ("log", None) => (x.ln(), mx.ln()),
        ("log2", None) => (x.log2(), mx.log2()),
        ("tanh", None) => (Ok(x.tanh()), Ok(mx.tanh())),
        ("pown", Some(Value::Number(n))) => (x.powi(n as i32), mx.powi(n as i32)),
        ("add", _) => (Ok(x + second()?), Ok(&mx + &exact(second()?))),
        ("sub", _) => (Ok(x - second()?), Ok(&mx - &exact(second()?))),
        ("mul", _) => (Ok(x * second()?), Ok(&mx * &exact(second()?))),
        ("div", _) => (x.checked_div(second()?), mx.checked_div(&exact(second()?))),
        ("pow", _) => (x.pow(second()?), mx.pow(&exact(second()?))),
        ("min", _) => (Ok(x.min(second()?)), Ok(mx.min(&exact(second()?)))),
        ("max", _) => (Ok(x.max(second()?)), Ok(mx.max(&exact(second()?)))),
        ("convexHull", _) => (Ok(x.hull(second()?)), Ok(mx.hull(&exact(second()?)))),
        _ => return None,
    })
}

/// The argument reaches outside the domain of the operation, so a refusal is due.
fn outside(op: &str, x: Interval, y: Option<Value>) -> bool {
    match (op, y) {
        ("sqrt", _) => x.lo() < 0.0,
        ("log" | "log2", _) => x.lo() <= 0.0,
        ("recip", _) => x.contains_zero(),
        ("div", Some(Value::Interval(y))) => y.contains_zero(),
        ("pown", Some(Value::Number(n))) => n < 0.0 && x.contains_zero(),
        ("pow", Some(Value::Interval(y))) => !(x.lo() > 0.0 || x.lo() >= 0.0 && y.lo() > 0.0),
        _ => false,
    }
}

/// `ours` contains `tightest` and exceeds it by nothing, or by at most one float at each end if `widened`.
fn close(ours: Interval, tightest: Interval, widened: bool) -> bool {
    let lo = if widened { tightest.lo().next_down() } else { tightest.lo() };
    let hi = if widened { tightest.hi().next_up() } else { tightest.hi() };
    tightest.is_subset(ours) && lo <= ours.lo() && ours.hi() <= hi
}

/// How a vector was used.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Use {
    Checked,
    Refused,
    /// The operation, or the empty interval or decoration in it, does not exist here.
    Foreign,
}

fn run(op: &str, arguments: &[Value], expected: Value, context: &str) -> Use {
    use Value::{Interval as I, Nothing, Number, Truth};
    match (op, arguments, expected) {
        ("intersection", [I(x), I(y)], result) => {
            let ours = x.intersection(*y);
            let mp = MpInterval::from_interval(53, *x).intersection(&MpInterval::from_interval(53, *y));
            assert_eq!(ours.map_or(Nothing, I), result, "{context}");
            assert_eq!(mp.map(|m| m.to_interval()), ours, "{context}");
            Use::Checked
        }
        (_, [I(x), I(y)], Truth(expected)) => {
            let (mx, my) = (MpInterval::from_interval(53, *x), MpInterval::from_interval(53, *y));
            let ours = match op {
                "equal" => vec![x == y, mx == my],
                "subset" => vec![x.is_subset(*y), mx.is_subset(&my)],
                "disjoint" => vec![x.intersection(*y).is_none(), mx.intersection(&my).is_none()],
                "precedes" => vec![x.certainly_le(*y), mx.certainly_le(&my)],
                // The standard's relation also holds where both ends are the same infinity; no such interval precedes here.
                "strictPrecedes" => vec![x.certainly_lt(*y), mx.certainly_lt(&my)],
                _ => return Use::Foreign,
            };
            assert!(ours.iter().all(|o| *o == expected), "{context}");
            Use::Checked
        }
        ("isEntire", [I(x)], Truth(expected)) => {
            assert_eq!(*x == Interval::ENTIRE, expected, "{context}");
            Use::Checked
        }
        ("inf" | "sup" | "mag" | "mig" | "wid" | "mid" | "rad", [I(x)], Number(expected)) => {
            let ours = match op {
                "inf" => x.lo(),
                "sup" => x.hi(),
                "mag" => x.mag(),
                "mig" => x.mig(),
                "wid" => x.width(),
                "mid" => x.midpoint(),
                _ => x.radius(),
            };
            // Only `rad` depends on the midpoint, which may be rounded to either side.
            let limit = if op == "rad" { expected.next_up() } else { expected };
            assert!(expected <= ours && ours <= limit, "{context}: ours {ours:e}");
            Use::Checked
        }
        ("b-numsToInterval" | "d-numsToInterval", [Number(lo), Number(hi)], result) => {
            let ours = Interval::new(*lo, *hi).map_or(Nothing, I);
            assert_eq!(ours, result, "{context}");
            Use::Checked
        }
        (_, [I(x), rest @ ..], result) if rest.len() <= 1 => {
            let y = rest.first().copied();
            let Some((ours, mp)) = apply(op, *x, y) else { return Use::Foreign };
            if outside(op, *x, y) {
                assert!(ours.is_err() && mp.is_err(), "{context}: the argument reaches outside the domain");
                return Use::Refused;
            }
            let (ours, mp) = (ours.expect(context), mp.expect(context));
            let I(tightest) = result else { panic!("{context}: no interval expected, ours {ours}") };
            assert!(close(ours, tightest, WIDENED.contains(&op)), "{context}: ours {ours:?}");
            assert!(close(mp.to_interval(), tightest, false), "{context}: MPFR {mp:?}");
            Use::Checked
        }
        _ => Use::Foreign,
    }
}

fn all_vectors() -> BTreeMap<String, [usize; 3]> {
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for file in FILES {
        let name = format!("libieeep1788_{file}.itl");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/itl").join(&name);
        let text = std::fs::read_to_string(path).expect("the vectors are part of the repository");
        for (line, statement) in text.lines().enumerate() {
            let Some((statement, _)) = statement.trim().split_once(';') else { continue };
            let Some((left, right)) = statement.split_once('=') else { continue };
            let context = format!("{name}:{}: {statement}", line + 1);
            let left = tokens(left);
            let Some((op, arguments)) = left.split_first() else { continue };
            let arguments: Option<Vec<Value>> = arguments.iter().map(|t| value(t)).collect();
            let right = tokens(right).first().and_then(|t| value(t));
            let used = match (arguments, right) {
                (Some(arguments), Some(right)) => run(op, &arguments, right, &context),
                _ => Use::Foreign,
            };
            counts.entry(op.clone()).or_default()[used as usize] += 1;
        }
    }
    counts
}

#[test]
fn vectors_of_libieeep1788() {
    let counts = all_vectors();
    let mut table = String::new();
    for (op, [checked, refused, foreign]) in &counts {
        if checked + refused > 0 {
            table += &format!("| {op} | {checked} | {refused} | {foreign} |\n");
        }
    }
    // The table in the README is the expectation: a parser that silently skips vectors changes it.
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/itl/README.md");
    let readme = std::fs::read_to_string(readme).expect("the README is part of the repository");
    assert!(readme.contains(&table), "the table in tests/data/itl/README.md differs from the vectors run:\n{table}");
}

#[test]
fn the_comparison_rejects_wrong_results() {
    let of = |lo, hi| Interval::new(lo, hi).expect("ordered");
    assert!(close(of(1.0, 2.0), of(1.0, 2.0), false));
    assert!(!close(of(1.0, 2.0f64.next_down()), of(1.0, 2.0), true));
    assert!(!close(of(1.0, 2.0f64.next_up()), of(1.0, 2.0), false));
    assert!(close(of(1.0, 2.0f64.next_up()), of(1.0, 2.0), true));
    assert!(!close(of(1.0, 2.0f64.next_up().next_up()), of(1.0, 2.0), true));
    assert_eq!(number("0X1.999999999999AP-4"), Some(0.1));
    assert_eq!(number("-0x0.0000000000001p-1022"), Some(-f64::from_bits(1)));
}
