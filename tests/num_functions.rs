//! Elementary functions: hardest inputs, rational series, domains, shapes.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use proptest::prelude::*;
use std::path::Path;
use supremum::num::mpfr::decide;
use supremum::num::{Interval, MpInterval, NumError, exact};

fn point(x: f64) -> Interval {
    Interval::point(x).expect("finite")
}

fn rational(x: f64) -> BigRational {
    exact::rational_of_f64(x).expect("finite")
}

/// `0x1.hhhp+e` with an optional remark after a comma.
fn hex_float(line: &str) -> f64 {
    let literal = line.split(',').next().expect("a first part").trim();
    let (sign, body) = literal.strip_prefix('-').map_or((1.0, literal), |rest| (-1.0, rest));
    let (mantissa, exponent) = body.strip_prefix("0x").and_then(|b| b.split_once('p')).expect("0x...p...");
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).expect("hexadecimal digits");
    let exponent = exponent.parse::<i32>().expect("an exponent") - 4 * i32::try_from(fraction.len()).expect("short");
    let exact = rug::Float::with_val(64, digits) << exponent;
    assert!(exact == exact.to_f64(), "{line} is not a binary64 number");
    sign * exact.to_f64()
}

type Coarse = fn(Interval) -> Result<Interval, NumError>;
type Fine = fn(&MpInterval) -> Result<MpInterval, NumError>;

/// Every hardest input: the enclosure contains the one at 320 bits and is a single float or two neighbours.
#[test]
fn hardest_inputs() {
    let cases: [(&str, usize, Coarse, Fine); 6] = [
        ("erf", 679, |x| Ok(x.erf()), |x| Ok(x.erf())),
        ("exp2", 738, |x| Ok(x.exp2()), |x| Ok(x.exp2())),
        ("expm1", 1000, |x| Ok(x.exp_m1()), |x| Ok(x.exp_m1())),
        ("log", 1000, |x| x.ln(), |x| x.ln()),
        ("log2", 323, |x| x.log2(), |x| x.log2()),
        ("tanh", 322, |x| Ok(x.tanh()), |x| Ok(x.tanh())),
    ];
    for (name, count, coarse, fine) in cases {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/wc/{name}.wc"));
        let text = std::fs::read_to_string(path).expect("the lists are part of the repository");
        assert_eq!(text.lines().count(), count, "{name}");
        for line in text.lines() {
            let x = hex_float(line);
            let ours = coarse(point(x)).expect("inside the domain");
            let sharp = fine(&MpInterval::from_f64(320, x).expect("finite")).expect("inside the domain");
            assert!(*sharp.lo() >= ours.lo() && *sharp.hi() <= ours.hi(), "{name} {line}: {ours:?} misses {sharp:?}");
            assert!(ours.hi() <= ours.lo().next_up(), "{name} {line}: {ours:?} is wider than two neighbours");
        }
    }
}

/// Partial sums of e^x with the exact remainder bound: for 0 <= x <= 1 the rest after x^n/n! is at most 2 x^(n+1)/(n+1)!.
fn exp_series(x: &BigRational) -> (BigRational, BigRational) {
    let (mut term, mut sum) = (BigRational::one(), BigRational::one());
    for n in 1..40 {
        term = term * x / BigRational::from_integer(BigInt::from(n));
        sum += &term;
    }
    let rest = &term + &term;
    (sum.clone(), sum + rest)
}

/// Partial sums of S = sum (-1)^n x^(2n+1)/(n! (2n+1)), so erf = 2 S/sqrt pi: alternating with decreasing terms for x <= 1.
fn erf_series(x: &BigRational) -> (BigRational, BigRational) {
    let square = x * x;
    let (mut power, mut sum, mut previous) = (x.clone(), x.clone(), BigRational::zero());
    for n in 1..40 {
        power = -(power * &square) / BigRational::from_integer(BigInt::from(n));
        previous = sum.clone();
        sum += &power / BigRational::from_integer(BigInt::from(2 * n + 1));
    }
    if sum < previous { (sum, previous) } else { (previous, sum) }
}

/// pi between consecutive partial sums of Machin's alternating series 16 atan(1/5) - 4 atan(1/239).
fn pi() -> (BigRational, BigRational) {
    let atan = |inverse: i64| {
        let x = BigRational::new(BigInt::one(), BigInt::from(inverse));
        let (mut power, mut sum, mut previous) = (x.clone(), x.clone(), BigRational::zero());
        for n in 1..30 {
            power = -(power * &x * &x);
            previous = sum.clone();
            sum += &power / BigRational::from_integer(BigInt::from(2 * n + 1));
        }
        if sum < previous { (sum, previous) } else { (previous, sum) }
    };
    let times = |k: i64, x: &BigRational| x * BigRational::from_integer(BigInt::from(k));
    let ((a, b), (c, d)) = (atan(5), atan(239));
    (times(16, &a) - times(4, &d), times(16, &b) - times(4, &c))
}

proptest! {
    // Exact series are slow; few cases suffice.
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// MPFR against rational series that share nothing with it.
    #[test]
    fn exp_and_ln_against_rational_series(k in 0u32..=4096) {
        let x = f64::from(k) / 4096.0;
        let (lo, hi) = exp_series(&rational(x));
        let ours = point(x).exp();
        prop_assert!(rational(ours.lo()) <= hi && lo <= rational(ours.hi()));
        let sharp = MpInterval::from_f64(120, x).expect("finite").exp();
        let (a, b) = sharp.to_rationals().expect("bounded");
        prop_assert!(a <= hi && lo <= b);
        // exp is increasing: exp(ln_lower(y)) <= y <= exp(ln_upper(y)) for y in [1, e].
        let y = ours.lo().max(1.0);
        let log = point(y).ln().expect("positive");
        prop_assert!(log.lo() <= 0.0 || exp_series(&rational(log.lo().min(1.0))).0 <= rational(y));
        prop_assert!(log.hi() >= 1.0 || exp_series(&rational(log.hi())).1 >= rational(y));
    }

    #[test]
    fn erf_against_rational_series(k in 1u32..=4096) {
        let x = f64::from(k) / 4096.0;
        // erf^2 pi / 4 = S^2, everything positive.
        let (s_lo, s_hi) = erf_series(&rational(x));
        let (pi_lo, pi_hi) = pi();
        let four = BigRational::from_integer(BigInt::from(4));
        let ours = point(x).erf();
        let (lo, hi) = (rational(ours.lo()), rational(ours.hi()));
        prop_assert!(&lo * &lo * pi_lo <= &s_hi * &s_hi * &four);
        prop_assert!(&hi * &hi * pi_hi >= &s_lo * &s_lo * &four);
        // 1 - erf, computed apart.
        let complement = point(x).erfc();
        prop_assert!((Interval::ONE - ours).intersection(complement).is_some());
    }

}

proptest! {
    /// Inclusion monotonicity: a smaller argument gives a smaller result.
    #[test]
    fn functions_are_inclusion_monotone(a in -30.0f64..30.0, w in 0.0f64..5.0, s in 0.0f64..1.0, t in 0.0f64..1.0) {
        let outer = Interval::new(a, a + w).expect("ordered");
        let (p, q) = (a + w * s.min(t), a + w * s.max(t));
        let inner = Interval::new(p.clamp(a, a + w), q.clamp(a, a + w)).expect("ordered");
        let total: [fn(Interval) -> Interval; 6] =
            [Interval::exp, Interval::exp2, Interval::exp_m1, Interval::tanh, Interval::erf, Interval::erfc];
        for f in total {
            prop_assert!(f(inner).is_subset(f(outer)));
        }
        for n in -4..5 {
            if let (Ok(i), Ok(o)) = (inner.powi(n), outer.powi(n)) {
                prop_assert!(i.is_subset(o));
            }
        }
        let (inner, outer) = (inner.abs() + point(1e-3), outer.abs() + point(1e-3));
        let partial: [fn(Interval) -> Result<Interval, NumError>; 4] =
            [Interval::ln, Interval::log2, Interval::ln_1p, Interval::ln_gamma];
        for f in partial {
            prop_assert!(f(inner).expect("positive").is_subset(f(outer).expect("positive")));
        }
        prop_assert!(inner.pow(point(a)).expect("positive").is_subset(outer.pow(Interval::new(a, a + 1.0).expect("ordered")).expect("positive")));
    }

    /// The f64 tier is the MPFR tier rounded outward, at any precision.
    #[test]
    fn both_tiers_agree(x in 1e-6f64..700.0, precision in 53u32..300) {
        let (coarse, fine) = (point(x), MpInterval::from_f64(precision, x).expect("finite"));
        let pairs = [
            (coarse.exp(), fine.exp()),
            (coarse.tanh(), fine.tanh()),
            (coarse.erfc(), fine.erfc()),
            (coarse.ln().expect("positive"), fine.ln().expect("positive")),
            (coarse.ln_gamma().expect("positive"), fine.ln_gamma().expect("positive")),
        ];
        for (c, f) in pairs {
            prop_assert!(f.to_interval().is_subset(c));
            prop_assert!(c.hi() <= c.lo().next_up());
        }
    }

    /// x^n by the function against the exact power.
    #[test]
    fn integer_powers_against_rationals(x in -50.0f64..50.0, n in -20i32..20) {
        prop_assume!(x != 0.0);
        let exact = num_traits::Pow::pow(&rational(x), n);
        let ours = point(x).powi(n).expect("not zero");
        prop_assert!(ours.contains_rational(&exact));
        prop_assert!(ours.hi() <= ours.lo().next_up());
    }
}

#[test]
fn ln_gamma_at_integers_is_ln_of_the_factorial() {
    let mut factorial = BigRational::one();
    for n in 1..60 {
        let x = MpInterval::from_integer(128, n);
        let log = MpInterval::from_rational(128, &factorial).ln().expect("positive");
        let ours = x.ln_gamma().expect("positive");
        assert!(ours.intersection(&log).is_some(), "n = {n}");
        factorial *= BigRational::from_integer(BigInt::from(n));
    }
}

/// DLMF 5.4.19, 5.4.20: Gamma is least at 1.46163 21449 68362 34126..., where it is 0.88560 31944 10888 70027...
#[test]
fn ln_gamma_across_its_minimum() {
    let across = Interval::new(1.4, 1.6).expect("ordered").ln_gamma().expect("positive");
    // ln 0.8856031944108887 = -0.12148629053584961 (A030171 of the OEIS: 0.1214862905358496080955...)
    let least = BigRational::new(
        -BigInt::parse_bytes(b"1214862905358496080955", 10).expect("digits"),
        num_traits::pow(BigInt::from(10), 22),
    );
    assert!(across.contains_rational(&least));
    assert!((rational(across.lo()) - &least).abs() < BigRational::new(BigInt::one(), BigInt::from(10).pow(16)));
    // At higher precision the bound is as tight, and still below the value at any point.
    for precision in [64, 200, 400] {
        let x = MpInterval::from_interval(precision, Interval::new(1.0, 2.0).expect("ordered"));
        let y = x.ln_gamma().expect("positive");
        let (lo, hi) = y.to_rationals().expect("bounded");
        assert!(hi.is_zero());
        let unit = BigRational::new(BigInt::one(), BigInt::one() << precision.min(64));
        assert!(lo <= &least + &unit && lo >= &least - &unit - &unit, "{precision}");
    }
    let near = Interval::new(1.46, 1.47).expect("ordered").ln_gamma().expect("positive");
    assert!(near.is_subset(across));
    // Away from the minimum, on both branches.
    let left = Interval::new(0.5, 1.0).expect("ordered").ln_gamma().expect("positive");
    assert_eq!(left.lo(), 0.0);
    let right = Interval::new(2.0, 3.0).expect("ordered").ln_gamma().expect("positive");
    assert_eq!(right.lo(), 0.0);
}

#[test]
fn exact_values_stay_exact() {
    assert_eq!(point(0.0).exp(), Interval::ONE);
    assert_eq!(point(0.0).erf(), Interval::ZERO);
    assert_eq!(point(1.0).ln().expect("positive"), Interval::ZERO);
    assert_eq!(point(f64::from_bits(1)).log2().expect("positive"), point(-1074.0));
    assert_eq!(point(10.0).exp2(), point(1024.0));
    assert_eq!(point(0.0).powi(0).expect("0^0 = 1"), Interval::ONE);
    assert_eq!(point(9.0).pow(point(0.5)).expect("positive"), point(3.0));
}

#[test]
fn outside_the_domain_is_an_error() {
    let of = |lo, hi| Interval::new(lo, hi).expect("ordered");
    assert!(of(0.0, 1.0).ln().is_err() && of(f64::from_bits(1), 1.0).ln().is_ok());
    assert!(of(-1.0, 1.0).log2().is_err());
    assert!(of(-1.0, 0.0).ln_1p().is_err() && of((-1.0f64).next_down(), 0.0).ln_1p().is_err());
    assert!((-Interval::ONE).next_inside().ln_1p().is_ok());
    assert!(of(0.0, 1.0).ln_gamma().is_err() && of(-3.0, -2.5).ln_gamma().is_err());
    assert_eq!(of(-1.0, 1.0).powi(-1), Err(NumError::DivisionByZero));
    assert!(of(0.0, 1.0).pow(of(0.0, 1.0)).is_err() && of(0.0, 1.0).pow(of(0.5, 1.0)).is_ok());
    assert!(of(-1.0, 1.0).pow(of(2.0, 2.0)).is_err());
}

/// The float just above the point, as a helper of the domain tests.
trait NextInside {
    fn next_inside(self) -> Interval;
}

impl NextInside for Interval {
    fn next_inside(self) -> Interval {
        point(self.lo().next_up())
    }
}

#[test]
fn extreme_arguments_overflow_outward() {
    let huge = point(f64::MAX);
    assert_eq!(huge.exp(), Interval::new(f64::MAX, f64::INFINITY).expect("ordered"));
    assert_eq!((-huge).exp(), Interval::new(0.0, f64::from_bits(1)).expect("ordered"));
    assert_eq!(huge.tanh(), Interval::new(1.0f64.next_down(), 1.0).expect("ordered"));
    assert_eq!(huge.erfc(), Interval::new(0.0, f64::from_bits(1)).expect("ordered"));
    assert_eq!(huge.ln_gamma().expect("positive"), Interval::new(f64::MAX, f64::INFINITY).expect("ordered"));
    assert_eq!(Interval::ENTIRE.tanh(), Interval::new(-1.0, 1.0).expect("ordered"));
    assert_eq!(Interval::ENTIRE.exp(), Interval::new(0.0, f64::INFINITY).expect("ordered"));
    let tiny = point(f64::from_bits(1)).ln_gamma().expect("positive");
    assert!(tiny.contains(744.440_071_921_381_3));
}

/// ln(i)/ln(2) with every operation rounded up lies below log2(i) for some i; the interval quotient never does.
#[test]
fn only_intervals_compose() {
    for i in 3..400u32 {
        if i.is_power_of_two() {
            continue;
        }
        let (x, two) = (Interval::from(i), Interval::from(2u32));
        let quotient = x.ln().expect("positive").checked_div(two.ln().expect("positive")).expect("not zero");
        assert!(x.log2().expect("positive").intersection(quotient).is_some(), "{i}");
        assert!(quotient.hi() >= x.log2().expect("positive").lo());
    }
}

#[test]
fn rising_precision_decides_or_gives_up() {
    // 2^(1/2) against a rational that agrees with it to 100 bits: undecided at 64 bits, decided at 128.
    let mut asked = Vec::new();
    let two = |p| MpInterval::from_integer(p, 2);
    let close = two(100).sqrt().expect("positive").to_rationals().expect("bounded").0;
    let answer = decide(1 << 12, |p| {
        asked.push(p);
        Ok(two(p).sqrt()?.lt(&MpInterval::from_rational(p, &close)))
    });
    assert_eq!(answer, Ok(Some(false)));
    assert_eq!(asked, [64, 128]);
    // An equality is never decided by enclosures that are not points.
    let equal = decide(256, |p| Ok(two(p).ln()?.lt(&two(p).ln()?)));
    assert_eq!(equal, Ok(None));
    assert_eq!(decide::<()>(256, |_| Err(NumError::NotFinite)), Err(NumError::NotFinite));
}
