//! The kernel's enclosures of elementary and special functions against MPFR, a second arithmetic that shares no code with it.
#![cfg(feature = "engine")]

mod kernel_support;

use kernel_support::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use rug::Float;
use rug::float::{Constant, Round};
use rug::ops::Pow;
use std::path::Path;
use supremum::kernel::real::{Binomials, Bits, Dyadic, Enclosure, RealError, binomial, e, factorial, ln_binomial, pi};

const PRECISIONS: [Bits; 5] = [53, 64, 113, 256, 1024];
/// Bits of the judge beyond those of the enclosure.
const MARGIN: u32 = 160;

type Kernel = fn(&Enclosure, Bits) -> Result<Enclosure, RealError>;

/// A function, its judge, and where they are compared.
struct Case {
    name: &'static str,
    kernel: Kernel,
    judge: Judge,
    positive: bool,
    /// Binary exponents of arguments for which both are quick.
    tops: (i64, i64),
    /// The enclosure is at most `2^slack` units of the last place wide; `None`: no relative accuracy is promised.
    slack: Option<f64>,
}

fn cases() -> Vec<Case> {
    let case =
        |name, kernel: Kernel, judge: Judge, positive, tops, slack| Case { name, kernel, judge, positive, tops, slack };
    let judged: [(&str, Kernel, Judge); 9] = [
        ("sqrt", |x, b| x.sqrt(b), Float::sqrt_round),
        ("exp", |x, b| x.exp(b), Float::exp_round),
        ("ln", |x, b| x.ln(b), Float::ln_round),
        ("log2", |x, b| x.log2(b), Float::log2_round),
        ("tanh", |x, b| x.tanh(b), Float::tanh_round),
        ("erf", |x, b| x.erf(b), Float::erf_round),
        ("erfc", |x, b| x.erfc(b), Float::erfc_round),
        ("lgamma", |x, b| x.lgamma(b), Float::ln_gamma_round),
        ("arctan", |x, b| x.arctan(b), Float::atan_round),
    ];
    let places = [
        (true, (-3000, 3000), Some(1.0)),
        (false, (-3000, 20), Some(2.0)),
        (true, (-3000, 3000), Some(2.0)),
        (true, (-3000, 3000), Some(3.0)),
        (false, (-3000, 12), Some(3.0)),
        (false, (-3000, 5), Some(3.0)),
        (false, (-300, 4), Some(3.0)),
        // The zeros at 1 and 2 cost relative accuracy.
        (true, (-100, 60), None),
        (false, (-3000, 3000), Some(2.0)),
    ];
    let both = judged.into_iter().zip(places);
    both.map(|((name, kernel, judge), (positive, tops, slack))| case(name, kernel, judge, positive, tops, slack))
        .collect()
}

/// Containment, and the promised width.
#[track_caller]
fn compare(case: &Case, x: &Dyadic, bits: Bits) -> Enclosure {
    let what = format!("{} at {x}, {bits} bits", case.name);
    let found = (case.kernel)(&Enclosure::exact(x.clone()), bits).unwrap_or_else(|error| panic!("{what}: {error}"));
    let judged = bracket(x, bits + MARGIN, case.judge);
    assert_contains(&found, &judged, &what);
    if let Some(slack) = case.slack {
        assert_narrow(&found, &judged.0, bits, slack, &what);
    }
    found
}

fn named(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).expect("a case of this name")
}

/// `mantissa * 2^k` with its leading bit at `top`.
fn with_top(mantissa: i64, top: i64) -> Dyadic {
    let bits = 64 - i64::from(mantissa.unsigned_abs().leading_zeros());
    point(mantissa, top - bits)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn random_points(
        which in 0usize..9, precision in 0usize..5, mantissa in 1i64.., share in 0.0f64..1.0, near in any::<bool>(), sign in any::<bool>(),
    ) {
        let case = &cases()[which];
        // Half of the arguments have a moderate size.
        let (low, high) = if near { (case.tops.0.max(-8), case.tops.1.min(4)) } else { case.tops };
        let top = low + ((high - low) as f64 * share) as i64;
        let mantissa = if sign && !case.positive { -mantissa } else { mantissa };
        // Very long series are left to the lower precisions.
        let bits = if case.name == "lgamma" { 113 } else { PRECISIONS[precision] };
        let found = compare(case, &with_top(mantissa, top), bits);
        // More bits give a smaller set.
        let finer = (case.kernel)(&Enclosure::exact(with_top(mantissa, top)), bits + 64).unwrap();
        prop_assert!(lies_in(&finer, &found), "{} at {}: {} leaves {}", case.name, with_top(mantissa, top), finer, found);
    }

    /// `X` in `Y` gives `f(X)` in `f(Y)`, and both contain the values at the ends of `X`.
    #[test]
    fn enclosures_grow_with_their_argument(
        which in 0usize..9, a in -4000i64..4000, b in 0i64..500, c in 0i64..500, d in 0i64..500, precision in 0usize..3,
    ) {
        let case = &cases()[which];
        let a = if case.positive { a.abs() + 1 } else { a };
        let bits = PRECISIONS[precision];
        let end = |n: i64| point(n, -10);
        let interval = |lo: i64, hi: i64| Enclosure::new(Some(end(lo)), Some(end(hi))).unwrap();
        let outer = (case.kernel)(&interval(a, a + b + c + d), bits).unwrap();
        let inner = (case.kernel)(&interval(a + b, a + b + c), bits).unwrap();
        prop_assert!(lies_in(&inner, &outer), "{}: {} leaves {}", case.name, inner, outer);
        for n in [a + b, a + b + c / 2, a + b + c] {
            if !end(n).is_zero() || case.name != "ln" {
                assert_contains(&inner, &bracket(&end(n), bits + MARGIN, case.judge), case.name);
            }
        }
    }
}

/// arctan x < x by less than any of these precisions tells: x itself is the upper end.
#[test]
fn arctan_of_tiny_numbers_is_nested() {
    let x = point(15, -180);
    let [coarse, finer] = [256, 320].map(|bits| Enclosure::exact(x.clone()).arctan(bits).unwrap());
    assert!(lies_in(&finer, &coarse), "{finer} leaves {coarse}");
    assert_eq!(finer.hi(), Some(&x));
}

/// Points next to where a function is exact, flat, zero or changes its method, at every precision.
#[test]
fn special_points() {
    for case in cases() {
        for bits in [53, 113, 256] {
            for base in [-2i64, -1, 0, 1, 2, 3, 4] {
                for k in [1i64, 30, 52, 53, 64, 600] {
                    for sign in [-1, 0, 1] {
                        let x = point(base, 0).add(&point(sign, -k)).unwrap();
                        if (case.positive && !x.is_positive()) || (case.name == "lgamma" && bits > 113) {
                            continue;
                        }
                        if matches!(case.name, "lgamma") && x.top() < -200 {
                            continue;
                        }
                        compare(&case, &x, bits);
                    }
                }
            }
        }
    }
}

/// `0x1.hhhp+e` with an optional remark after a comma, as an exact dyadic number.
fn hexadecimal(line: &str) -> Dyadic {
    let literal = line.split(',').next().expect("a first part").trim();
    let (sign, body) = literal.strip_prefix('-').map_or((1, literal), |rest| (-1, rest));
    let (mantissa, exponent) = body.strip_prefix("0x").and_then(|b| b.split_once('p')).expect("0x...p...");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = i64::from_str_radix(&format!("{whole}{fraction}"), 16).expect("hexadecimal digits");
    point(sign * digits, exponent.parse::<i64>().expect("an exponent") - 4 * fraction.len() as i64)
}

/// CORE-MATH's hardest binary64 inputs: function values next to binary64 numbers and midpoints.
#[test]
fn hardest_inputs() {
    for (file, name, count) in [("erf", "erf", 679), ("log", "ln", 1000), ("log2", "log2", 323), ("tanh", "tanh", 322)]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/wc/{file}.wc"));
        let text = std::fs::read_to_string(path).expect("the lists are part of the repository");
        let case = named(name);
        let mut seen = 0;
        for line in text.lines() {
            for bits in [53, 113] {
                compare(&case, &hexadecimal(line), bits);
            }
            seen += 1;
        }
        assert_eq!(seen, count, "{name}");
    }
}

#[test]
fn exact_values_are_points() {
    let integer = |n: i64| Enclosure::exact_int(n);
    for bits in PRECISIONS {
        assert_eq!(integer(0).exp(bits), Ok(integer(1)));
        assert_eq!(integer(1).ln(bits), Ok(integer(0)));
        assert_eq!(integer(0).tanh(bits), Ok(integer(0)));
        assert_eq!(integer(0).erf(bits), Ok(integer(0)));
        assert_eq!(integer(0).arctan(bits), Ok(integer(0)));
        for n in [0i64, 1, 4, 9, 144, 1 << 40] {
            let root = (n as f64).sqrt() as i64;
            assert_eq!(integer(n).sqrt(bits), Ok(integer(root)));
        }
        let quarter = Enclosure::exact(point(1, -2000));
        assert_eq!(quarter.sqrt(bits), Ok(Enclosure::exact(point(1, -1000))));
    }
}

#[test]
fn constants() {
    for bits in PRECISIONS {
        for (found, constant, name) in
            [(pi(bits), Constant::Pi, "pi"), (Enclosure::exact_int(2).ln(bits).unwrap(), Constant::Log2, "ln 2")]
        {
            let down = Float::with_val_round(bits + MARGIN, constant, Round::Down).0;
            let up = Float::with_val_round(bits + MARGIN, constant, Round::Up).0;
            assert_narrow(&found, &down, bits, 1.0, name);
            assert_contains(&found, &(down, up), name);
        }
        let euler = bracket(&Dyadic::one(), bits + MARGIN, Float::exp_round);
        assert_contains(&e(bits), &euler, "e");
        assert_narrow(&e(bits), &euler.0, bits, 1.0, "e");
    }
}

/// Arguments beyond every range of exponents are answered at once, by true if wide bounds.
#[test]
fn extreme_exponents() {
    for top in [-(1i64 << 40) + 70, -(1 << 33), -(1 << 21), 1 << 21, 1 << 33, (1 << 40) - 70] {
        for sign in [1i64, -1] {
            let x = Enclosure::exact(with_top(sign * 0x5555_5555_5555, top));
            let (zero, one, two) = (Dyadic::zero(), Dyadic::one(), Dyadic::from(2));
            let positive = sign > 0;
            let tanh = x.tanh(64).unwrap();
            let erf = x.erf(64).unwrap();
            for bounded in [&tanh, &erf] {
                let (lo, hi) = (bounded.lo().unwrap(), bounded.hi().unwrap());
                assert!(*lo >= one.neg() && *hi <= one && lo < hi);
                assert!(if positive { lo.is_positive() } else { hi.is_negative() }, "top {top}: {bounded}");
            }
            let exp = x.exp(64).unwrap();
            assert!(exp.lo().is_some_and(|lo| !lo.is_negative()));
            if top < 0 {
                assert!(exp.hi().is_some_and(|hi| *hi < two) && exp.lo() > Some(&zero));
            } else {
                assert!(if positive { exp.lo() > Some(&two) } else { exp.hi().unwrap() < &one });
            }
            let erfc = x.erfc(64).unwrap();
            assert!(
                erfc.lo().unwrap() <= erfc.hi().unwrap()
                    && !erfc.lo().unwrap().is_negative()
                    && *erfc.hi().unwrap() <= two
            );
            if positive {
                let ln = x.ln(64).unwrap();
                // ln x = top ln 2 within 1, and 0.69 < ln 2 < 0.7.
                let (low, high) = (
                    top as f64 * if top < 0 { 0.7 } else { 0.69 } - 1.0,
                    top as f64 * if top < 0 { 0.69 } else { 0.7 },
                );
                assert!(float(ln.lo().unwrap()) > low && float(ln.hi().unwrap()) < high + 1.0);
                let root = x.sqrt(64).unwrap();
                let square = root.mul(&root, 64);
                assert!(lies_in(&x, &square));
                x.lgamma(64).unwrap();
            }
        }
    }
}

/// At the caps of the exponents bounds become wider, never wrong.
#[test]
fn numbers_at_the_caps_stay_enclosed() {
    for top in [(1i64 << 40) - 1, 1 << 40] {
        for x in [point(1, top - 1), point(-1, top - 1), point(1, -top - 1), point(-1, -top - 1)] {
            let at = Enclosure::exact(x.clone());
            let product = at.mul(&Enclosure::exact_int(1), 64);
            assert!(lies_in(&at, &product), "{x}: {product}");
            assert!(lies_in(&at, &at.add(&Enclosure::exact_int(0), 64)));
            let square = at.mul(&at, 64);
            let (lo, hi) = (square.lo().cloned().unwrap(), square.hi().cloned());
            assert!(!lo.is_negative() && hi.is_none_or(|hi| hi.is_positive()), "{square}");
            assert!(top < 0 || x.exponent() < 0 || square.hi().is_none(), "{square} should be unbounded");
        }
    }
}

#[test]
fn points_outside_the_domain_are_errors() {
    let outside = |found: Result<Enclosure, RealError>| matches!(found, Err(RealError::OutsideDomain { .. }));
    let interval = |lo: i64, hi: i64| Enclosure::new(Some(Dyadic::from(lo)), Some(Dyadic::from(hi))).unwrap();
    for x in [interval(-1, 1), interval(0, 1), interval(0, 0), interval(-3, -2), Enclosure::entire()] {
        assert!(outside(x.ln(64)) && outside(x.log2(64)) && outside(x.lgamma(64)), "{x}");
    }
    assert!(outside(interval(-1, 4).sqrt(64)));
    for divisor in [interval(-1, 1), interval(0, 1), interval(-1, 0), interval(0, 0), Enclosure::entire()] {
        assert_eq!(interval(1, 2).div(&divisor, 64), Err(RealError::DivisionByZero), "{divisor}");
    }
    assert_eq!(interval(-1, 2).powi(-1, 64), Err(RealError::DivisionByZero));
    assert!(outside(interval(-1, 2).pow(&Enclosure::exact(point(1, -1)), 64)));
    assert!(outside(interval(0, 2).pow(&interval(-1, 1), 64)));
}

/// Binomials in the order of a sum, of several upper indices in turn: as the definition by factorials says.
#[test]
fn binomials_one_after_another() {
    let mut binomials = Binomials::default();
    for k in 0..80u64 {
        for n in [0u64, 1, 40, 63, 64, 65, 70] {
            let expected = if k > n {
                BigInt::from(0)
            } else {
                factorial(n).unwrap() / (factorial(k).unwrap() * factorial(n - k).unwrap())
            };
            assert_eq!(binomials.at(&BigInt::from(n), &BigInt::from(k)), Ok(expected), "{n} over {k}");
        }
        assert_eq!(binomials.at(&BigInt::from(64), &BigInt::from(k)), binomial(&BigInt::from(64), &BigInt::from(k)));
    }
    assert_eq!(binomials.at(&BigInt::from(9), &BigInt::from(-1)), Ok(BigInt::from(0)));
    let huge = BigInt::from(1u64 << 40);
    assert!(binomials.at(&huge, &BigInt::from(1 << 20)).is_err());
}

/// `ln n!` and `ln binomial(n, k)` by MPFR's gamma function; MPFR's error is far below the margin.
#[test]
fn logarithms_of_binomials() {
    let gamma = |n: u64, prec: u32| Float::with_val(prec, n + 1).ln_gamma();
    for bits in [53, 113, 256] {
        let prec = bits + MARGIN;
        for (n, k) in [(1u64, 0u64), (1, 1), (10, 3), (64, 32), (1000, 500), (60_000, 1000), (1 << 40, 3), (5000, 4999)]
        {
            let found = ln_binomial(&BigInt::from(n), &BigInt::from(k), bits).unwrap();
            let value = gamma(n, prec) - gamma(k, prec) - gamma(n - k, prec);
            let error = Float::with_val(prec, 1) >> (bits + 60);
            assert_contains(&found, &(value.clone() - &error, value + &error), &format!("ln binomial({n}, {k})"));
        }
    }
    assert_eq!(factorial(20), Ok(BigInt::from(2_432_902_008_176_640_000u64)));
    assert_eq!(ln_binomial(&BigInt::from(3), &BigInt::from(4), 64).map_err(|_| ()), Err(()));
}

/// Rational ends of random intervals.
fn interval(n: [i64; 2], d: [i64; 2]) -> (Enclosure, [BigRational; 2]) {
    let [a, b] = [0, 1].map(|i| BigRational::new(n[i].into(), d[i].into()));
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let hull = Enclosure::point(&a, 60).hull(&Enclosure::point(&b, 60));
    (hull, [a, b])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    /// Exact rational results at the ends and between lie in the enclosures, at low precision too.
    #[test]
    fn operations_contain_exact_results(
        n in prop::array::uniform4(-1000i64..1000), d in prop::array::uniform4(1i64..1000), t in 0i64..=8, s in 0i64..=8, bits in 1u32..80, k in -5i64..8,
    ) {
        let (x, [a, b]) = interval([n[0], n[1]], [d[0], d[1]]);
        let (y, [c, e]) = interval([n[2], n[3]], [d[2], d[3]]);
        let between = |a: &BigRational, b: &BigRational, t: i64| a + (b - a) * BigRational::new(t.into(), 8.into());
        let (p, q) = (between(&a, &b, t), between(&c, &e, s));
        let holds = |set: &Enclosure, value: &BigRational| {
            set.lo().is_none_or(|lo| lo.to_rational().unwrap() <= *value) && set.hi().is_none_or(|hi| *value <= hi.to_rational().unwrap())
        };
        let zero = BigRational::from_integer(0.into());
        prop_assert!(holds(&x.add(&y, bits), &(&p + &q)));
        prop_assert!(holds(&x.sub(&y, bits), &(&p - &q)));
        prop_assert!(holds(&x.mul(&y, bits), &(&p * &q)));
        prop_assert!(holds(&x.neg(), &-&p));
        let size = if p < zero { -&p } else { p.clone() };
        prop_assert!(holds(&x.abs(), &size));
        prop_assert!(holds(&x.min(&y), (&p).min(&q)));
        prop_assert!(holds(&x.max(&y), (&p).max(&q)));
        if let Ok(quotient) = x.div(&y, bits) {
            prop_assert!(q != zero && holds(&quotient, &(&p / &q)));
        } else {
            prop_assert!(c <= zero && zero <= e || !y.lo().is_some_and(|lo| lo.is_positive()));
        }
        if let Ok(power) = x.powi(k, bits) {
            prop_assert!(holds(&power, &p.pow(k as i32)), "{} ^ {k} = {}", p, power);
        }
    }

    /// Real powers against MPFR, over intervals of bases and exponents, with exponents of either sign.
    #[test]
    fn real_powers(base in 1i64..4000, wide in 0i64..4000, exponent in -3000i64..3000, spread in 0i64..2000, t in 0i64..=4, s in 0i64..=4, bits in 20u32..120) {
        let x = Enclosure::new(Some(point(base, -10)), Some(point(base + wide, -10))).unwrap();
        let y = Enclosure::new(Some(point(exponent, -9)), Some(point(exponent + spread, -9))).unwrap();
        let found = x.pow(&y, bits).unwrap();
        let p = float(&point(4 * base + t * wide, -12));
        let q = float(&point(4 * exponent + s * spread, -11));
        let value = Float::with_val(bits + MARGIN, p) .pow(&q);
        let error = Float::with_val(bits + MARGIN, &value >> (bits + 100));
        assert_contains(&found, &(value.clone() - &error, value + &error), "x^y");
    }
}
