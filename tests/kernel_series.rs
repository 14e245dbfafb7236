//! The kernel's series without guard bits and stopped early: their remainder terms alone must carry the bounds.
//!
//! Guard bits hide a wrong remainder from any number of random tests, so here the slack is none.
#![cfg(feature = "engine")]

mod kernel_support;

use kernel_support::*;
use num_bigint::BigInt;
use num_traits::One;
use proptest::prelude::*;
use rug::Float;
use rug::float::Constant;
use supremum::kernel::real::series::{atanh, erf_sum, exp_unit, ln2, pi};
use supremum::kernel::real::{Dyadic, Enclosure, Slack, Toward};

const PREC: u32 = 400;
const TERMS: [u32; 8] = [1, 2, 3, 4, 5, 8, 13, u32::MAX];

/// `lo <= 2^w value <= hi`.
#[track_caller]
fn assert_grid(found: &(BigInt, BigInt), w: i64, value: &Float, what: &str) {
    let scaled = Float::with_val(PREC, value << i32::try_from(w).expect("a small grid"));
    assert!(integer(&found.0) <= scaled && scaled <= integer(&found.1), "{what}: {scaled} not in {found:?}");
}

/// `n / d` at the judge's precision.
fn ratio(n: &BigInt, d: &BigInt) -> Float {
    Float::with_val(PREC, integer(n)) / integer(d)
}

fn slacks() -> impl Iterator<Item = Slack> {
    TERMS.into_iter().flat_map(|terms| [0, 1, 3].map(|guard| Slack { guard, terms }))
}

/// Every grid up to 2^-9 completely: all arguments, all stops.
#[test]
fn exponentials_on_coarse_grids() {
    for w in 1i64..=9 {
        for x in 0..=1i64 << w {
            let value = Float::with_val(PREC, Float::with_val(PREC, x) >> w as i32).exp();
            for slack in slacks() {
                let found = exp_unit(&BigInt::from(x), w, slack);
                assert_grid(&found, w, &value, &format!("exp({x}/2^{w}) with {slack:?}"));
            }
        }
    }
}

#[test]
fn inverse_hyperbolic_tangents_on_coarse_grids() {
    for w in 1i64..=12 {
        for b in 1i64..=60 {
            for a in 0..=b / 3 {
                let value = Float::with_val(PREC, Float::with_val(PREC, a) / b).atanh();
                for slack in slacks() {
                    let found = atanh(&BigInt::from(a), &BigInt::from(b), w, slack);
                    assert_grid(&found, w, &value, &format!("atanh({a}/{b}) on 2^-{w} with {slack:?}"));
                }
            }
        }
    }
}

#[test]
fn constants_on_every_grid() {
    let machin = Float::with_val(PREC, Constant::Pi);
    let two = Float::with_val(PREC, Constant::Log2);
    for w in 1i64..=300 {
        for slack in slacks() {
            assert_grid(&pi(w, slack), w, &machin, &format!("pi on 2^-{w} with {slack:?}"));
            assert_grid(&ln2(w, slack), w, &two, &format!("ln 2 on 2^-{w} with {slack:?}"));
        }
    }
}

/// `sum t_n = sqrt(pi)/2 e^(x^2) erf x`.
#[test]
fn error_function_sums_on_coarse_grids() {
    let half_root = Float::with_val(PREC, Constant::Pi).sqrt() >> 1;
    for w in 1i64..=10 {
        for x in 1..=(5i64 << w).min(600) {
            let point = Float::with_val(PREC, x) >> w as i32;
            let square = Float::with_val(PREC, &point * &point);
            let value = Float::with_val(PREC, square.exp_ref()) * point.erf() * &half_root;
            // x^2 in units of 2^-w, rounded to the side.
            let exact = BigInt::from(x) * x;
            let floor = &exact >> w;
            let ceil: BigInt = -((-exact) >> w);
            for terms in TERMS {
                let lo = erf_sum(&BigInt::from(x), &floor, w, terms, Toward::Down);
                let hi = erf_sum(&BigInt::from(x), &ceil, w, terms, Toward::Up);
                assert_grid(&(lo, hi), w, &value, &format!("the sum at {x}/2^{w}, {terms} terms"));
            }
        }
    }
}

/// The functions themselves, with argument reduction, at a few bits and without slack.
#[test]
fn functions_without_slack() {
    let mut points: Vec<Dyadic> = Vec::new();
    for n in [1i64, 3, 5, 13, 97, 127, 1025] {
        for exponent in [-12, -9, -6, -3, -1, 0, 2] {
            points.push(point(n, exponent));
            points.push(point(-n, exponent));
        }
    }
    let judges: [Judge; 5] =
        [Float::exp_round, Float::erf_round, Float::erfc_round, Float::ln_round, Float::atan_round];
    for x in &points {
        let judged = judges.map(|judge| bracket(x, PREC, judge));
        let at = Enclosure::exact(x.clone());
        for bits in [2u32, 3, 5, 8, 24, 53] {
            for slack in
                [(0, 1), (0, 2), (0, 4), (0, 8), (0, u32::MAX), (2, 3)].map(|(guard, terms)| Slack { guard, terms })
            {
                let what = |name: &str| format!("{name} at {x}, {bits} bits, {slack:?}");
                if x.top() < 5 {
                    assert_contains(&at.exp_with(bits, slack), &judged[0], &what("exp"));
                    assert_contains(&at.erf_with(bits, slack).unwrap(), &judged[1], &what("erf"));
                    assert_contains(&at.erfc_with(bits, slack).unwrap(), &judged[2], &what("erfc"));
                }
                assert_contains(&at.arctan_with(bits, slack).unwrap(), &judged[4], &what("arctan"));
                if x.is_positive() {
                    assert_contains(&at.ln_with(bits, slack).unwrap(), &judged[3], &what("ln"));
                }
            }
        }
    }
}

/// Stirling's series cut off after one, two, ... terms: the rest lies between 0 and the first omitted one.
#[test]
fn stirling_stopped_early() {
    for n in [1i64, 3, 7, 29, 101, 1001, 5003, 70_001] {
        for exponent in [-9, -3, -2, 0, 3] {
            let x = point(n, exponent);
            for bits in [5u32, 13, 30, 64, 113] {
                for terms in [1, 2, 3, 5, u32::MAX] {
                    for guard in [0, 4] {
                        let found = Enclosure::exact(x.clone()).lgamma_with(bits, Slack { guard, terms }).unwrap();
                        let judged = bracket(&x, PREC, Float::ln_gamma_round);
                        assert_contains(&found, &judged, &format!("lgamma at {x}, {bits} bits, {terms} terms"));
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn fine_grids(w in 1i64..200, x in 0.0f64..=1.0, a in 0i64..=1_000_000_007, which in 0usize..8, guard in 0i64..5) {
        let slack = Slack { guard, terms: TERMS[which] };
        let argument = dyadic(&Float::with_val(PREC, Float::with_val(PREC, x) << w as i32).floor());
        let argument = argument.mantissa() * (BigInt::one() << argument.exponent().unsigned_abs());
        let value = ratio(&argument, &(BigInt::one() << w as u64)).exp();
        assert_grid(&exp_unit(&argument, w, slack), w, &value, "exp");
        let (a, b) = (BigInt::from(a), BigInt::from(3_000_000_021u64));
        assert_grid(&atanh(&a, &b, w, slack), w, &ratio(&a, &b).atanh(), "atanh");
    }
}

/// With the usual slack every series is within a few units of its grid.
#[test]
fn the_usual_slack_is_enough() {
    for w in [20i64, 53, 64, 113, 256, 1024] {
        let width = |(lo, hi): (BigInt, BigInt)| hi - lo;
        let third = (BigInt::one() << w as u64) / 3;
        let widths = [
            width(exp_unit(&third, w, Slack::USUAL)),
            width(atanh(&BigInt::from(2), &BigInt::from(7), w, Slack::USUAL)),
            width(pi(w, Slack::USUAL)),
            width(ln2(w, Slack::USUAL)),
        ];
        assert!(widths.iter().all(|width| *width <= BigInt::from(2)), "{w}: {widths:?}");
    }
}
