//! Hostile and oversized input: a diagnostic, never a panic, never a long wait.

use std::time::{Duration, Instant};
use supremum::syntax::{MAX_DEPTH, Parsed, ast::*, parse, print};
use supremum::text::{Diagnostic, Kind, MAX_FILE, Source};

fn read(text: impl Into<String>) -> Parsed {
    parse(&Source::new("t.spec", text).unwrap())
}

fn limit(text: impl Into<String>) -> Vec<Diagnostic> {
    let parsed = read(text);
    assert!(parsed.diagnostics.iter().any(|d| d.kind == Kind::Limit), "{:?}", parsed.diagnostics.first());
    parsed.diagnostics
}

fn quick<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < Duration::from_secs(20), "{what} took {:?}", start.elapsed());
    result
}

#[test]
fn a_million_terms_are_a_flat_sum() {
    let text = format!("let s = 1{}", "+1".repeat(999_999));
    let parsed = quick("sum", || read(text));
    assert_eq!(parsed.diagnostics, vec![]);
    let ItemKind::Let(Let { value, .. }) = &parsed.file.items[0].kind else { panic!() };
    let ExprKind::Sum(terms) = &value.kind else { panic!() };
    assert_eq!(terms.len(), 1_000_000);
}

#[test]
fn depth_up_to_the_limit_is_fine_and_beyond_is_refused() {
    let shapes: [(&str, &str, &str); 14] = [
        ("(", "1", ")"),
        ("f(", "1", ")"),
        ("W[", "1", "]"),
        ("[0, ", "1", "]"),
        ("{", "1", "}"),
        ("- ", "1", ""),
        ("2^", "1", ""),
        ("x |-> ", "1", ""),
        ("", "f", "(1)"),
        ("", "f", "[1]"),
        ("", "f", ".a"),
        ("cases { ", "1", " otherwise }"),
        ("(1 + ", "1", ")"),
        ("|(", "x", ")|_2"),
    ];
    for (open, middle, close) in shapes {
        let nest = |n: usize| format!("let s = {}{middle}{}", open.repeat(n), close.repeat(n));
        let fine = if matches!(open, "(1 + " | "|(") { MAX_DEPTH / 2 - 1 } else { MAX_DEPTH - 1 };
        assert_eq!(read(nest(fine)).diagnostics, vec![], "{open}{middle}{close}");
        quick(open, || limit(nest(MAX_DEPTH + 1)));
        quick(open, || limit(nest(100_000)));
    }
    for (open, close) in [("forall x in S : ", ""), ("a <= b implies ", "")] {
        let nest = |n: usize| format!("claim s : {}a <= b{}", open.repeat(n), close.repeat(n));
        assert_eq!(read(nest(MAX_DEPTH / 4)).diagnostics, vec![], "{open}");
        limit(nest(100_000));
    }
    for (open, close) in [("repeat 2 { ", "}"), ("residual { ", "}"), ("residual { relu } via ", "")] {
        let nest = |n: usize| format!("network f {{ {}relu{} }}", open.repeat(n), close.repeat(n));
        assert_eq!(read(nest(MAX_DEPTH / 4)).diagnostics, vec![], "{open}");
        limit(nest(100_000));
    }
}

/// Chains of postfix operators inside one another must not add up to a tall tree.
#[test]
fn height_is_bounded_and_not_only_recursion() {
    let chain = format!("){}", "(1)".repeat(200));
    limit(format!("let s = {}f{}", "(".repeat(100), chain.repeat(100)));
}

#[test]
fn deep_trees_are_handled_on_a_small_stack() {
    let work = || {
        for (open, close) in
            [("f(", ")"), ("|(", ")|_2"), ("x |-> ", ""), ("cases { ", " otherwise }"), ("f(a <= f(", "))")]
        {
            let n = if open.len() == 9 { MAX_DEPTH / 3 - 1 } else { MAX_DEPTH / 2 - 1 };
            let parsed = read(format!("let s = {}1{}", open.repeat(n), close.repeat(n)));
            assert_eq!(parsed.diagnostics, vec![], "{open}");
            assert_eq!(parsed.file.clone(), parsed.file);
            assert_eq!(print(&parse(&Source::new("t", print(&parsed.file)).unwrap()).file), print(&parsed.file));
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn long_literals() {
    assert_eq!(read(format!("let s = {}", "7".repeat(10_000))).diagnostics, vec![]);
    assert_eq!(read(format!("let s = 0.{}", "7".repeat(10_000))).diagnostics, vec![]);
    quick("a long literal", || limit(format!("let s = {}", "7".repeat(1_000_000))));
    quick("a long fraction", || limit(format!("let s = 0.{}", "7".repeat(1_000_000))));
    quick("an exponent", || limit("let s = 1e1000000000"));
    quick("an exponent beyond i64", || limit("let s = 1e-99999999999999999999999999"));
    quick("many exponents", || limit(format!("let s = {{{}1}}", "1e16000, ".repeat(20_000))));
}

#[test]
fn large_files() {
    let error = Source::from_bytes("t", &vec![b' '; MAX_FILE + 1]).unwrap_err();
    assert_eq!((error.code, error.kind), ("E0110", Kind::Limit));
    for unit in [
        "(",
        ")",
        "{",
        "|",
        "claim ",
        "claim a : ",
        "1 ",
        "x |-> ",
        "\"",
        "é",
        "forall ",
        ", ",
        "-- \n",
        "theorem a(",
        "(a, ",
    ] {
        let text = unit.repeat(MAX_FILE / 8 / unit.len());
        let parsed = quick(unit, || read(text));
        assert!(parsed.diagnostics.len() <= 101, "{unit}");
    }
}

#[test]
fn many_items() {
    let parsed = quick("items", || read("claim a : f(x) <= ? by m\n".repeat(100_000)));
    assert_eq!(parsed.diagnostics, vec![]);
    assert_eq!(parsed.file.items.len(), 100_000);
}
