//! Smooth activations, their values and slopes in the kernel's dyadic arithmetic, against MPFR. The kernel computes them at one precision
//! (96 bits; slopes leave it with 53) by series that stop where their stated remainders do.
#![cfg(feature = "engine")]

mod kernel_support;

use kernel_support::integer;
use num_bigint::BigInt;
use num_rational::BigRational;
use proptest::prelude::*;
use rug::Float;
use rug::float::Constant;
use supremum::kernel::lipschitz::Dyadic;
use supremum::kernel::lipschitz::slope::Range;
use supremum::kernel::lipschitz::smooth::{slope, value};
use supremum::kernel::net::Activation;

const PREC: u32 = 2000;

fn all() -> Vec<Activation> {
    let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
    vec![
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
        Activation::Arctan,
        Activation::Softsign,
        Activation::Elu(ratio(1, 2)),
        Activation::Elu(ratio(3, 2)),
        Activation::Elu(ratio(-1, 2)),
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Gaussian,
    ]
}

fn float(x: &Dyadic) -> Float {
    let (mantissa, exponent) = x.to_parts();
    Float::with_val(PREC, integer(&mantissa)) << i32::try_from(exponent).expect("an exponent of MPFR's range")
}

fn rational(q: &BigRational) -> Float {
    Float::with_val(PREC, integer(q.numer())) / integer(q.denom())
}

fn sigmoid(x: &Float) -> Float {
    (Float::with_val(PREC, -x).exp() + 1u32).recip()
}

/// `Phi(x)` and the density.
fn normal(x: &Float) -> (Float, Float) {
    let root = Float::with_val(PREC, 2).sqrt();
    let phi = (Float::with_val(PREC, -x) / &root).erfc() / 2u32;
    let density = bell(x) / (Float::with_val(PREC, Constant::Pi) * 2u32).sqrt();
    (phi, density)
}

fn bell(x: &Float) -> Float {
    (Float::with_val(PREC, x * x) / -2i32).exp()
}

/// `tanh(k (x + c x^3))` and `k (1 + 3 c x^2)`.
fn gelu_tanh(x: &Float) -> (Float, Float) {
    let k = (Float::with_val(PREC, 2) / Float::with_val(PREC, Constant::Pi)).sqrt();
    let square = Float::with_val(PREC, x * x) * 44_715u32 / 1_000_000u32;
    let t = (Float::with_val(PREC, &square * x) + x) * &k;
    (t.tanh(), (square * 3u32 + 1u32) * k)
}

/// The function and its derivative by their definitions.
fn judge(activation: &Activation, x: &Float) -> (Float, Float) {
    let one = || Float::with_val(PREC, 1);
    match activation {
        Activation::Tanh => {
            let t = x.clone().tanh();
            (t.clone(), one() - t.square())
        }
        Activation::Sigmoid => {
            let s = sigmoid(x);
            (s.clone(), Float::with_val(PREC, &s * (one() - &s)))
        }
        Activation::Softplus => (x.clone().exp().ln_1p(), sigmoid(x)),
        Activation::Arctan => (x.clone().atan(), (x.clone().square() + 1u32).recip()),
        Activation::Softsign => {
            let base = x.clone().abs() + 1u32;
            (Float::with_val(PREC, x / &base), base.square().recip())
        }
        Activation::Elu(alpha) if x.is_sign_negative() => {
            let alpha = rational(alpha);
            (Float::with_val(PREC, &alpha * x.clone().exp_m1()), alpha * x.clone().exp())
        }
        Activation::Elu(_) => (x.clone(), one()),
        Activation::Silu => {
            let s = sigmoid(x);
            let derivative = Float::with_val(PREC, x * (one() - &s)) + 1u32;
            (Float::with_val(PREC, x * &s), derivative * s)
        }
        Activation::Gelu => {
            let (phi, density) = normal(x);
            (Float::with_val(PREC, x * &phi), phi + density * x)
        }
        Activation::GeluTanh => {
            let (t, v) = gelu_tanh(x);
            let derivative = (one() + &t + Float::with_val(PREC, x * (one() - t.clone().square())) * v) / 2u32;
            (Float::with_val(PREC, x * (t + 1u32)) / 2u32, derivative)
        }
        Activation::Gaussian => (bell(x), -bell(x) * x),
        other => panic!("{other:?} is piecewise linear"),
    }
}

/// Asserts `lower <= v <= upper`, where the judge may be off by its own rounding.
#[track_caller]
fn assert_between(lower: &Dyadic, upper: &Dyadic, v: &Float, what: &str) {
    let slack = (v.clone().abs() + 1u32) >> 1500;
    let (lower, upper) = (float(lower), float(upper));
    assert!(lower <= Float::with_val(PREC, v + &slack), "{what}: {v} below {lower}");
    assert!(upper >= Float::with_val(PREC, v - &slack), "{what}: {v} above {upper}");
}

fn at_a_point(activation: &Activation, x: &Dyadic) {
    let (f, derivative) = judge(activation, &float(x));
    let what = format!("{activation:?} at {}", float(x).to_f64());
    let found = value(activation, x).expect("a value");
    assert_between(&found.lower, &found.upper, &f, &what);
    let scale = f.abs().max(&Float::with_val(PREC, 1));
    assert!(float(&(&found.upper - &found.lower)) <= scale >> 80, "{what} is too wide");
    let range = Range { lower: Some(x.clone()), upper: Some(x.clone()) };
    let found = slope(activation, 1, &range).expect("slopes");
    assert_between(&found.lower, &found.upper, &derivative, &format!("slope of {what}"));
    // Far out and next to an extreme of the slope the kernel states the global range.
    let is_far = x.abs() > Dyadic::integer(1 << 20);
    let size = float(&x.abs()).to_f64();
    let is_extreme = size == 1.0 || (1.41..1.42).contains(&size) || (2.39..2.41).contains(&size);
    assert!(
        is_far || is_extreme || float(&(&found.upper - &found.lower)) <= Float::with_val(PREC, 1) >> 50,
        "slope of {what} is too wide"
    );
}

#[test]
fn values_and_slopes_at_special_points() {
    let mut points = Vec::new();
    for n in [0i64, 1, 2, 3, 5, 11, 12, 13, 19, 20, 38, 1023, 1024, 1025, 4000] {
        for (m, e) in [(0i64, 0i64), (1, -60), (1, -20), (-1, -20), (1, -1), (-1, -60)] {
            points.push(&Dyadic::integer(n) + &Dyadic::integer(m).scaled(e));
        }
    }
    // Next to the places of the extremes of the slopes.
    points.extend(
        [1414, 1415, 1418, 1419, 2399, 2400]
            .map(|n| Dyadic::below(&BigRational::new(BigInt::from(n), 1000.into()), 80)),
    );
    for activation in all() {
        for x in &points {
            at_a_point(&activation, x);
            at_a_point(&activation, &-x);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn values_and_slopes_at_random_points(which in 0usize..12, mantissa in -(1i64 << 52)..(1i64 << 52), e in -70i64..-46) {
        at_a_point(&all()[which], &Dyadic::integer(mantissa).scaled(e));
    }

    /// Every slope inside a range lies between the two that are stated for it.
    #[test]
    fn slopes_inside_a_range(
        which in 0usize..12, low in -3000i64..3000, width in 1i64..4000, divisor in 1u64..4, ts in prop::collection::vec(0i64..=1024, 12),
    ) {
        let activation = &all()[which];
        let end = |n: i64| Dyadic::integer(n).scaled(-8);
        let range = Range { lower: Some(end(low)), upper: Some(end(low + width)) };
        let found = slope(activation, divisor, &range).expect("slopes");
        let inside = |x: &Float| *x >= float(&end(low)) && *x <= float(&end(low + width));
        // Random points, the ends, and both sides of zero, where ELU has a corner.
        let mut points: Vec<Float> = ts.iter().map(|t| float(&Dyadic::integer(low * 1024 + width * t).scaled(-18))).collect();
        points.extend([end(low), end(low + width), Dyadic::ONE.scaled(-40), -&Dyadic::ONE.scaled(-40)].map(|x| float(&x)));
        for x in points.iter().filter(|x| inside(x)) {
            let (_, derivative) = judge(activation, &Float::with_val(PREC, x / divisor));
            assert_between(&found.lower, &found.upper, &derivative, &format!("{activation:?} / {divisor} on [{low}, +{width}] at {x:.5}"));
        }
    }
}
