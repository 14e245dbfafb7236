//! The kernel's test of positive semidefiniteness and its spectral norms: what it must accept, and what it must refuse.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Zero};
use proptest::prelude::*;
use std::sync::Arc;
use supremum::kernel::lipschitz::operator::Operator;
use supremum::kernel::lipschitz::{Dyadic, LayerMap, LayerNorm};
use supremum::kernel::net::{Tensor, Weight};
use supremum::kernel::psd::{DIGITS, Symmetric};
use supremum::quantity::spectral_witness::{propose_lower, propose_upper};

fn tensor(rows: usize, entries: &[(i64, i16)]) -> LayerMap {
    let data = entries.iter().map(|&(mantissa, exponent)| Weight { mantissa, exponent }).collect();
    map(&Tensor { shape: vec![rows, entries.len() / rows], data: Arc::new(data) }).expect("a matrix")
}

fn map(matrix: &Tensor) -> Option<LayerMap> {
    Some(LayerMap { operator: Operator::matrix(matrix).ok()?, divisor: 1 })
}

fn integers(rows: usize, entries: &[i64]) -> LayerMap {
    tensor(rows, &entries.iter().map(|&n| (n, 0)).collect::<Vec<_>>())
}

fn power_of_two(k: i64) -> BigRational {
    let power = BigRational::from_integer(BigInt::one() << k.unsigned_abs());
    if k >= 0 { power } else { power.recip() }
}

fn decimal(text: &str) -> BigRational {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: BigInt = format!("{whole}{fraction}").parse().expect("digits");
    BigRational::new(digits, BigInt::from(10).pow(fraction.len() as u32))
}

/// The proposed upper bound of the square, as the kernel accepts it.
fn upper(matrix: &LayerMap) -> (LayerNorm, BigRational) {
    let certificate = propose_upper(&matrix.operator).expect("a certificate");
    let square = matrix.square_below(&certificate).expect("an accepted certificate");
    (certificate, square)
}

fn accepts(matrix: &LayerMap, square: &BigRational) -> bool {
    matrix.square_below(&LayerNorm::Spectral(Dyadic::below(square, 120))).is_ok()
}

/// Integer matrices of tests/data/matrices with sigma_max to 50 digits (mpmath at 120 digits).
#[test]
fn spectral_norms_meet_known_values() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/matrices/matrices.json");
    let text = std::fs::read_to_string(path).expect("the matrices");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
    let mut seen = 0;
    for case in &cases {
        let rows = case["A"].as_array().expect("rows");
        let entries: Option<Vec<i64>> =
            rows.iter().flat_map(|row| row.as_array().expect("a row")).map(|x| x.as_str()?.parse().ok()).collect();
        let Some(entries) = entries else { continue };
        let name = case["name"].as_str().unwrap_or("");
        let matrix = integers(rows.len(), &entries);
        let sigma = decimal(case["sigma_max_50"].as_str().expect("digits"));
        // The printed digits are within 10^-30 relative of the true value.
        let width = decimal("0.000000000000000000000000000001");
        let (low, high) = (&sigma * (BigRational::one() - &width), &sigma * (BigRational::one() + &width));
        let (_, square) = upper(&matrix);
        assert!(square >= &low * &low, "{name}: {square}");
        assert!(square <= &high * &high * (BigRational::one() + power_of_two(-40)), "{name}: {square} is not tight");
        let quotient =
            matrix.rayleigh_quotient(&propose_lower(&matrix.operator).unwrap_or(vec![BigInt::one(); rows.len()]));
        let quotient = quotient.expect("a nonzero vector");
        assert!(quotient <= &high * &high, "{name}: {quotient}");
        assert!(quotient >= &low * &low * (BigRational::one() - power_of_two(-40)), "{name}: {quotient} is not tight");
        if !sigma.is_zero() {
            assert!(!accepts(&matrix, &(&low * &low * (BigRational::one() - power_of_two(-60)))), "{name}");
        }
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}

/// The largest eigenvalue of [[1, 1], [1, 2]] is the golden ratio plus one: the larger root of s^2 - 3 s + 1.
#[test]
fn a_shear_is_bounded_by_the_golden_ratio() {
    let shear = integers(2, &[1, 1, 0, 1]);
    let (_, square) = upper(&shear);
    let three = BigRational::from_integer(3.into());
    let above = |s: &BigRational| s * s - &three * s + BigRational::one() >= BigRational::zero();
    assert!(above(&square) && square < three);
    assert!(!above(&(&square * (BigRational::one() - power_of_two(-40)))), "{square} is not tight");
}

#[test]
fn multiples_of_isometries_are_exact() {
    let one = BigRational::one();
    assert_eq!(upper(&integers(3, &[1, 0, 0, 0, 1, 0, 0, 0, 1])).1, one);
    assert_eq!(upper(&integers(2, &[1, 1, 1, -1])), (LayerNorm::Gram, BigRational::from_integer(2.into())));
    assert_eq!(upper(&integers(1, &[3, 4])).1, BigRational::from_integer(25.into()));
    assert_eq!(
        upper(&tensor(1, &[(3, -400), (-4, -400)])).1,
        BigRational::from_integer(25.into()) * power_of_two(-800)
    );
}

#[test]
fn the_zero_matrix_has_norm_zero() {
    let zero = integers(2, &[0; 6]);
    assert!(upper(&zero).1.is_zero());
    assert!(accepts(&zero, &BigRational::zero()));
    assert!(!accepts(&zero, &-BigRational::one()));
}

#[test]
fn a_bound_that_is_negative_or_zero_is_refused() {
    let matrix = integers(2, &[1, 2, 3, 4]);
    assert!(!accepts(&matrix, &BigRational::zero()));
    assert!(!accepts(&matrix, &-BigRational::from_integer(100.into())));
}

/// A shape that does not fit the data is no matrix.
#[test]
fn shapes_must_fit_the_data() {
    for (shape, entries) in [(vec![2, 2], 3), (vec![2, 0], 0), (vec![1, 4], 6)] {
        let data = Arc::new(vec![Weight { mantissa: 1, exponent: 0 }; entries]);
        assert!(map(&Tensor { shape: shape.clone(), data }).is_none(), "{shape:?}");
    }
    let matrix = integers(2, &[1, 2, 3, 4, 5, 6]);
    for length in [0, 2, 4] {
        assert!(matrix.rayleigh_quotient(&vec![BigInt::one(); length]).is_none());
    }
    assert!(matrix.rayleigh_quotient(&vec![BigInt::zero(); 3]).is_none());
}

fn symmetric(order: usize, entry: impl Fn(usize, usize) -> i128) -> Symmetric {
    let mut matrix = Symmetric::new(order);
    for i in 0..order {
        for j in 0..=i {
            matrix.add(i, j, entry(i, j)).expect("an entry within 128 bits");
        }
    }
    matrix
}

#[test]
fn semidefiniteness_is_refused_where_it_fails() {
    let unit = 1i128 << (2 * DIGITS);
    // A negative and a zero diagonal entry, and a residual that no factor makes dominant.
    assert!(
        !symmetric(2, |i, j| if i != j {
            0
        } else if i == 0 {
            unit
        } else {
            -unit
        })
        .is_semidefinite()
    );
    assert!(
        !symmetric(2, |i, j| if i != j {
            unit / 4
        } else if i == 0 {
            unit
        } else {
            0
        })
        .is_semidefinite()
    );
    assert!(!symmetric(3, |i, j| if i == j { unit } else { -(unit / 2) - (unit >> 50) }).is_semidefinite());
    assert!(symmetric(3, |i, j| if i == j { unit } else { -(unit / 2) + (unit >> 40) }).is_semidefinite());
}

/// `[[I, v], [v', 1]]` with every `v_i^2` just below half an ulp of 1: indefinite by `|v|^2 > 1 - small`, and invisible in f64.
#[test]
fn an_indefinite_matrix_that_deceives_floating_point_is_refused() {
    let unit = 1i128 << (2 * DIGITS);
    for order in [24usize, 60] {
        let t = (unit >> 27) / 10_000 * 9_999;
        let last = unit - (unit >> 53) * ((order as i128 - 2) / 4);
        let matrix = |corner: i128| {
            symmetric(order + 1, |i, j| match (i == order, j == order) {
                (true, true) => corner,
                (true, false) => {
                    if j + 1 == order {
                        last
                    } else {
                        t
                    }
                }
                _ => {
                    if i == j {
                        unit
                    } else {
                        0
                    }
                }
            })
        };
        // Exactly: 1 - |v|^2 with |v|^2 = last^2 + (order - 1) t^2, in units of 2^-228.
        let square = |x: i128| BigInt::from(x) * BigInt::from(x);
        let norm = square(last) + square(t) * BigInt::from(order - 1);
        assert!(norm > square(unit), "the matrix is indefinite");
        assert!(!matrix(unit).is_semidefinite());
        assert!(matrix(unit + (unit >> 40)).is_semidefinite());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// The proposal brackets the norm tightly, for small and huge scales, tall and wide.
    #[test]
    fn random_matrices_are_bracketed_tightly(
        rows in 1usize..7,
        columns in 1usize..7,
        mantissas in prop::collection::vec(-(1i64 << 24)..(1 << 24), 36),
        exponent in -300i16..300,
        spread in 0i16..12,
    ) {
        let entries: Vec<(i64, i16)> =
            (0..rows * columns).map(|k| (mantissas[k], exponent + (k as i16 * 5) % (spread + 1))).collect();
        let matrix = tensor(rows, &entries);
        prop_assume!(entries.iter().any(|e| e.0 != 0));
        let (_, square) = upper(&matrix);
        let low = matrix.rayleigh_quotient(&propose_lower(&matrix.operator).unwrap()).unwrap();
        prop_assert!(low <= square);
        prop_assert!(square <= &low * (BigRational::one() + power_of_two(-36)), "{} {}", low, square);
        prop_assert!(!accepts(&matrix, &(&low * (BigRational::one() - power_of_two(-70)))));
    }
}
