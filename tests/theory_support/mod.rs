//! A statement of the library as the kernel evaluates it, for tests that compare it with something else.
#![allow(dead_code)]

use num_bigint::BigInt;
use num_rational::BigRational;
use supremum::kernel::real::Dyadic;
use supremum::syntax::{self, ast};
use supremum::text::Source;
use supremum::theory::{Library, check};

pub fn library() -> Library {
    let (library, problems) = Library::embedded();
    assert!(problems.is_empty(), "{problems:?}");
    library
}

/// Bindings as an example writes them.
pub fn parsed(bindings: &str) -> Vec<ast::Binding> {
    let text = format!("theorem t() ensures 0 <= 1 example {bindings} gives 0");
    let source = Source::new("bindings", text).expect("a source");
    let parsed = syntax::parse(&source);
    assert!(parsed.diagnostics.is_empty(), "{bindings}: {:?}", parsed.diagnostics);
    match &parsed.file.items[0].kind {
        ast::ItemKind::Theorem(theorem) => theorem.examples[0].bindings.clone(),
        _ => unreachable!("a theorem was written"),
    }
}

pub fn evaluate(library: &Library, theorem: &str, bindings: &str) -> check::Evaluated {
    let entry = library.find(theorem).unwrap_or_else(|| panic!("no theorem {theorem}"));
    check::evaluate(entry, &parsed(bindings), library)
        .unwrap_or_else(|problem| panic!("{theorem} at {bindings}: {problem:?}"))
}

pub fn rational(end: Option<&Dyadic>) -> BigRational {
    end.expect("a bounded value").to_rational().expect("a rational")
}

/// The upper end of what the conclusion says: rounded up, unless the quantity is an integer.
pub fn upper(library: &Library, theorem: &str, bindings: &str) -> BigRational {
    let fact = evaluate(library, theorem, bindings).fact;
    let exact = fact.high().and_then(|surd| surd.as_rational());
    exact.unwrap_or_else(|| rational(fact.enclosure().hi()))
}

/// The lower end of what the conclusion says.
pub fn lower(library: &Library, theorem: &str, bindings: &str) -> BigRational {
    let fact = evaluate(library, theorem, bindings).fact;
    let exact = fact.low().and_then(|surd| surd.as_rational());
    exact.unwrap_or_else(|| rational(fact.enclosure().lo()))
}

pub fn q(numerator: i64, denominator: i64) -> BigRational {
    BigRational::new(BigInt::from(numerator), BigInt::from(denominator))
}

/// A small generator of pseudo-random integers: the cases are the same in every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub fn within(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.below(u64::try_from(high - low + 1).expect("a range"))).expect("small")
    }
}

/// Subsets of 0..m as bit masks, by size.
pub fn subsets(m: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..1u32 << m).map(move |mask| (0..m).filter(|i| mask >> i & 1 == 1).collect())
}

/// The largest size of a set S that is shattered in Natarajan's sense: two labellings differ everywhere on it and every mixture of them occurs.
pub fn natarajan<T: PartialEq>(family: &[Vec<T>], m: usize) -> usize {
    let is_shattered = |s: &Vec<usize>| {
        family.iter().any(|f| {
            family.iter().any(|g| {
                s.iter().all(|&i| f[i] != g[i])
                    && (0..1u32 << s.len()).all(|mask| {
                        let wanted = |k: usize, i: usize| if mask >> k & 1 == 1 { &f[i] } else { &g[i] };
                        family.iter().any(|h| s.iter().enumerate().all(|(k, &i)| &h[i] == wanted(k, i)))
                    })
            })
        })
    };
    subsets(m).filter(is_shattered).map(|s| s.len()).max().unwrap_or(0)
}

/// The sum over all signs of `max(|S+|, |S-|)`, where `S+` adds the first `ones` of `m` signs and `S-` the others.
pub fn larger_sums(m: u32, ones: u32) -> i64 {
    let (all, plus) = ((1u32 << m) - 1, (1u32 << ones) - 1);
    let sum = |signs: u32, of: u32, n: u32| (2 * i64::from((signs & of).count_ones()) - i64::from(n)).abs();
    (0..=all).map(|signs| sum(signs, plus, ones).max(sum(signs, all & !plus, m - ones))).sum()
}
