//! Matrix products, positive semidefiniteness and spectral norms against exact rational arithmetic and known values.
#![cfg(feature = "engine")]

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use proptest::prelude::*;
use std::path::Path;
use supremum::num::cholesky::{certainly_psd, factor};
use supremum::num::matrix::euclidean_norm;
use supremum::num::product::{enclosure, matvec, product, product_enclosure};
use supremum::num::spectral::{UpperMethod, cholesky_upper, gram_iteration_upper, spectral_norm};
use supremum::num::{Interval, Matrix, MidRad, NumError, decimal, exact};

type Exact = Vec<Vec<BigRational>>;

fn rational(x: f64) -> BigRational {
    exact::rational_of_f64(x).expect("finite")
}

fn exactly(a: &Matrix) -> Exact {
    a.iter_rows().map(|row| row.iter().map(|x| rational(*x)).collect()).collect()
}

fn matrix(rows: usize, cols: usize, entry: impl Fn(usize, usize) -> f64) -> Matrix {
    let data = (0..rows * cols).map(|k| entry(k / cols, k % cols)).collect();
    Matrix::new(rows, cols, data).expect("finite entries")
}

/// Exact product of rational matrices.
fn times(a: &Exact, b: &Exact) -> Exact {
    let entry = |row: &Vec<BigRational>, j: usize| row.iter().zip(b).map(|(x, r)| x * &r[j]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|j| entry(row, j)).collect()).collect()
}

fn transposed(a: &Exact) -> Exact {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j].clone()).collect()).collect()
}

/// Exact symmetric elimination: all pivots nonnegative, and a zero pivot only with a zero row.
fn exactly_psd(a: &Exact) -> bool {
    let mut a = a.clone();
    let n = a.len();
    for k in 0..n {
        let pivot = a[k][k].clone();
        if pivot.is_negative() || pivot.is_zero() && (k + 1..n).any(|j| !a[k][j].is_zero()) {
            return false;
        }
        if pivot.is_zero() {
            continue;
        }
        let top = a[k].clone();
        for row in a.iter_mut().skip(k + 1) {
            let ratio = &row[k] / &pivot;
            for (x, y) in row.iter_mut().zip(&top).skip(k + 1) {
                *x -= &ratio * y;
            }
        }
    }
    true
}

/// sigma_max(A) <= s, decided exactly: s^2 I - A'A is positive semidefinite.
fn sigma_at_most(a: &Exact, s: &BigRational) -> bool {
    let gram = times(&transposed(a), a);
    let shifted = (0..gram.len())
        .map(|i| (0..gram.len()).map(|j| if i == j { s * s - &gram[i][j] } else { -gram[i][j].clone() }).collect())
        .collect();
    s >= &BigRational::zero() && exactly_psd(&shifted)
}

/// All three upper bounds and the lower bound, against exact elimination and the exact Rayleigh quotient.
fn check_exactly(a: &Matrix, relative_gap: f64) {
    let exact_a = exactly(a);
    let norm = spectral_norm(a).expect("finite");
    let small = if a.rows() < a.cols() { transposed(&exact_a) } else { exact_a.clone() };
    for upper in [Some(norm.upper), Some(gram_iteration_upper(a).expect("finite")), cholesky_upper(a).expect("finite")]
    {
        if let Some(upper) = upper.filter(|u| u.is_finite()) {
            assert!(sigma_at_most(&small, &rational(upper)), "{upper:e} is no upper bound of {a:?}");
        }
    }
    assert!(norm.lower <= norm.upper);
    // The lower bound, by the witness: ||A v||^2 >= lower^2 ||v||^2.
    let v: Exact = norm.vector.iter().map(|x| vec![rational(*x)]).collect();
    let square = |x: &Exact| x.iter().map(|r| &r[0] * &r[0]).sum::<BigRational>();
    let lower = rational(norm.lower);
    assert!(square(&times(&small, &v)) >= &lower * &lower * square(&v), "{:e} is no lower bound", norm.lower);
    assert!(
        norm.upper <= norm.lower * (1.0 + relative_gap) + f64::MIN_POSITIVE,
        "[{:e}, {:e}]",
        norm.lower,
        norm.upper
    );
}

/// The known matrices, rounded to f64; the rounding moves sigma by at most the Frobenius norm of the change.
#[test]
fn known_matrices() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/matrices/matrices.json");
    let text = std::fs::read_to_string(path).expect("the matrices are part of the repository");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a list");
    assert_eq!(cases.len(), 14);
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let fraction = |text: &str| text.parse::<BigRational>().expect("a fraction");
        let rows: Exact = case["A"]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| row.as_array().expect("a row").iter().map(|x| fraction(x.as_str().expect("text"))).collect())
            .collect();
        let a = matrix(rows.len(), rows[0].len(), |i, j| exact::f64_up(&rows[i][j]));
        let change: BigRational =
            exactly(&a).iter().flatten().zip(rows.iter().flatten()).map(|(x, y)| (x - y).abs()).sum();
        let sigma = decimal::parse(case["sigma_max_50"].as_str().expect("digits")).expect("a decimal");
        // The reference has 50 digits.
        let margin = change + &sigma / BigRational::from_integer(BigInt::from(10).pow(48));
        let norm = spectral_norm(&a).expect("finite");
        assert!(
            rational(norm.lower) <= &sigma + &margin && rational(norm.upper) >= &sigma - &margin,
            "{name}: {norm:?}"
        );
        let gap = rational(norm.upper) - rational(norm.lower);
        assert!(gap <= &sigma * rational(1e-12), "{name}: {norm:?}");
        check_exactly(&a, 1e-12);
        check_exactly(&a.transpose(), 1e-12);
        if let Some(psd) = case.get("psd").and_then(serde_json::Value::as_bool) {
            // The rounded matrix is another matrix: exact elimination says what it is.
            let symmetric = a == a.transpose();
            if symmetric && certainly_psd(&a).expect("symmetric") {
                assert!(exactly_psd(&exactly(&a)), "{name}");
            }
            assert!(!psd || exactly_psd(&rows), "{name}");
            assert_eq!(exactly_psd(&rows), psd, "{name}");
        }
    }
}

#[test]
fn closed_forms() {
    let zero = spectral_norm(&matrix(3, 5, |_, _| 0.0)).expect("finite");
    assert_eq!((zero.lower, zero.upper), (0.0, 0.0));
    // A rank-one matrix of small integers: Frobenius is exact, 5 * 13.
    let rank_one = matrix(2, 2, |i, j| [3.0, 4.0][i] * [5.0, 12.0][j]);
    assert_eq!(rank_one.frobenius_norm(), Interval::from(65u32));
    let norm = spectral_norm(&rank_one).expect("finite");
    assert!(norm.lower <= 65.0 && 65.0 <= norm.upper && norm.upper < 65.0 * (1.0 + 1e-14));
    // Started at its second axis, a naive power iteration reports 1.
    let trap = spectral_norm(&matrix(2, 2, |i, j| if i != j { 0.0 } else { [3.0, 1.0][i] })).expect("finite");
    assert!(trap.enclosure().contains(3.0) && trap.lower > 2.999_999);
    // All 16 singular values equal: the Gram iteration is off by the factor 16^(2^-10), row sums and Cholesky proof are not.
    let hadamard = matrix(16, 16, |i, j| if (i & j).count_ones() % 2 == 0 { 1.0 } else { -1.0 });
    let norm = spectral_norm(&hadamard).expect("finite");
    assert!(norm.enclosure().contains(4.0) && norm.upper < 4.0 * (1.0 + 1e-13), "{norm:?}");
    assert_eq!(norm.method, UpperMethod::RowSums);
    let by_cholesky = cholesky_upper(&hadamard).expect("finite").expect("a proof");
    assert!((4.0..4.0 * (1.0 + 1e-13)).contains(&by_cholesky));
    let by_gram = gram_iteration_upper(&hadamard).expect("finite");
    assert!(by_gram > 4.0 * 1.0027 && by_gram < 4.0 * 1.0028);
}

/// Squares that are each just under half a unit of the running sum are lost in fl(A'A): only the a-priori bound of A'A - fl(A'A)
/// keeps the upper bounds true. The slack of the proofs themselves is far smaller.
#[test]
fn lost_squares_are_paid_for() {
    for m in [50, 200, 1000] {
        let column = matrix(m, 1, |i, _| if i == 0 { 1.0 } else { 0.9999 * 2f64.powf(-26.5) });
        check_exactly(&column, 1e-12);
        check_exactly(&column.transpose(), 1e-12);
        let two = matrix(m, 2, |i, j| if i == j { 1.0 } else { 0.9999 * 2f64.powf(-26.5) });
        check_exactly(&two, 1e-7);
    }
}

#[test]
fn elementary_norms() {
    let a = Matrix::new(2, 3, vec![1.0, -2.0, 3.0, -4.0, 5.0, -6.0]).expect("finite");
    assert_eq!((a.one_norm(), a.infinity_norm()), (Interval::from(9u32), Interval::from(15u32)));
    assert!(a.frobenius_norm().sqr().contains(91.0) && a.frobenius_norm().width() < 4e-15);
    assert_eq!(a.transpose().transpose(), a);
    assert_eq!(a.transpose().one_norm(), a.infinity_norm());
    for e in [-1060, -700, 0, 700, 1020] {
        let unit = 2f64.powi(e);
        assert!(euclidean_norm(&[3.0 * unit, 4.0 * unit]).contains(5.0 * unit));
    }
    assert_eq!(euclidean_norm(&[3.0 * 2f64.powi(700), 4.0 * 2f64.powi(700)]).hi(), 5.0 * 2f64.powi(700));
    assert!(euclidean_norm(&[f64::MAX, f64::MAX]).hi() == f64::INFINITY);
}

#[test]
fn every_scale() {
    let entry = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 - 5.0;
    for e in [-1070, -1040, -1022, -1000, -540, -500, 0, 500, 1000, 1020] {
        let a = matrix(5, 4, |i, j| entry(i, j) * 2f64.powi(e / 2) * 2f64.powi(e - e / 2));
        check_exactly(&a, if e > -1000 { 1e-12 } else { 0.2 });
    }
    // Huge and tiny entries together: the tiny ones underflow in the scaling and are paid for.
    let a = matrix(3, 3, |i, j| if i == j { [f64::MAX / 2.0, 1e-300, 5e-324][i] } else { 0.0 });
    check_exactly(&a, 1e-12);
    let overflow = spectral_norm(&matrix(4, 4, |_, _| f64::MAX)).expect("finite entries");
    assert_eq!((overflow.lower, overflow.upper), (f64::MAX, f64::INFINITY));
}

#[test]
fn invalid_matrices_are_refused() {
    assert!(matches!(Matrix::new(2, 2, vec![1.0]), Err(NumError::Shape { .. })));
    assert!(matches!(Matrix::new(0, 2, vec![]), Err(NumError::Shape { .. })));
    assert!(matches!(Matrix::new(usize::MAX, 2, vec![]), Err(NumError::Shape { .. })));
    assert_eq!(Matrix::new(1, 1, vec![f64::NAN]), Err(NumError::NotANumber));
    assert_eq!(Matrix::new(1, 1, vec![f64::INFINITY]), Err(NumError::NotFinite));
    let (a, b) = (matrix(2, 3, |_, _| 1.0), matrix(2, 3, |_, _| 1.0));
    assert!(matches!(product(&a, &b), Err(NumError::Shape { .. })));
    assert!(matches!(certainly_psd(&a), Err(NumError::Shape { .. })));
    assert!(matches!(certainly_psd(&matrix(2, 2, |i, j| (i + 2 * j) as f64)), Err(NumError::Shape { .. })));
    let large = matrix(2, 2, |_, _| 1e200);
    assert_eq!(product(&large, &large), Err(NumError::NotFinite));
    assert_eq!(matvec(&a, &[Interval::ENTIRE; 3]), Err(NumError::NotFinite));
    assert!(MidRad::new(matrix(1, 1, |_, _| 0.0), matrix(1, 1, |_, _| -1.0)).is_err());
}

/// [[I, v], [v', 1]] with v = (t, ..., t, 1 - k 2^-53): every t^2 is just under half a unit of 1 and is lost.
fn absorbing(n: usize) -> Matrix {
    let t = 0.9999 * 2f64.powi(-27);
    // |v|^2 - 1 = (n - 2) t^2 - 2 k u + k^2 u^2 > 0 for k just below (n - 2)/4.
    let k = ((n - 2) as f64 * 0.9998 / 4.0 - 0.05).floor();
    let v = move |i: usize| if i + 2 == n { 1.0 - k * 2f64.powi(-53) } else { t };
    matrix(n, n, |i, j| match (i + 1 == n, j + 1 == n) {
        (true, false) => v(j),
        (false, true) => v(i),
        _ => f64::from(u8::from(i == j)),
    })
}

/// Without the shift the factorization "proves" a matrix that is not positive semidefinite; with it the proof is refused.
#[test]
fn plain_cholesky_accepts_what_the_certificate_refuses() {
    for n in [8, 16, 24, 32] {
        let a = absorbing(n);
        let square: BigRational = (0..n - 1).map(|i| rational(a.get(i, n - 1).expect("inside"))).map(|x| &x * &x).sum();
        assert!(square > BigRational::one(), "n = {n}: the matrix is not positive semidefinite");
        assert!(factor(&a).expect("square").is_some(), "n = {n}: plain Cholesky completes");
        assert!(!certainly_psd(&a).expect("symmetric"), "n = {n}");
    }
    // Larger ones span several panels.
    for n in [60, 100, 333, 600] {
        assert!(!certainly_psd(&absorbing(n)).expect("symmetric"), "n = {n}");
    }
}

#[test]
fn the_certificate_accepts_definite_matrices() {
    for n in [1, 2, 31, 32, 33, 64, 65, 97, 130, 300] {
        // Diagonally dominant.
        let a = matrix(n, n, |i, j| if i == j { n as f64 } else { -0.9 / (1.0 + (i + j) as f64) });
        assert!(certainly_psd(&a).expect("symmetric"), "n = {n}");
        // R'R gives the matrix back to working precision, across panels and strips.
        let r = factor(&a).expect("square").expect("definite");
        let back = product(&r.transpose(), &r).expect("finite");
        for (x, y) in back.data().iter().zip(a.data()) {
            assert!((x - y).abs() <= 1e-13 * n as f64, "n = {n}");
        }
        // One negative eigenvalue hidden in the last corner.
        let b = matrix(n, n, |i, j| if i == j { if i + 1 == n { -1e-3 } else { 1.0 } } else { 0.0 });
        assert!(!certainly_psd(&b).expect("symmetric"), "n = {n}");
        let c = matrix(n, n, |_, _| 1.0);
        // Singular for n > 1: true, but beyond what floating point can prove.
        assert_eq!(certainly_psd(&c).expect("symmetric"), n == 1);
    }
    let zero_diagonal = matrix(2, 2, |i, j| if i == j && i == 0 { 1.0 } else { 0.0 });
    assert!(!certainly_psd(&zero_diagonal).expect("symmetric"));
    let tiny = matrix(2, 2, |i, j| if i == j { 1e-250 } else { 0.0 });
    assert!(!certainly_psd(&tiny).expect("symmetric"), "outside the range of the proof");
}

/// Blocked products against exact ones, at sizes that meet all edges of the blocking.
#[test]
fn products_with_wide_exponents() {
    let mut state = 12345u64;
    let mut draw = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        state >> 11
    };
    for (m, k, n) in [(1, 1, 1), (3, 70, 2), (9, 17, 33), (2, 300, 2), (17, 5, 1)] {
        let mut random = |rows: usize, cols: usize, spread: i32| {
            let data = (0..rows * cols).map(|_| {
                let sign = if draw() & 1 == 0 { 1.0 } else { -1.0 };
                let e = i32::try_from(draw() % 1000).expect("small") - 500;
                sign * (1.0 + draw() as f64 / 9e15) * 2f64.powi(e * spread / 500)
            });
            Matrix::new(rows, cols, data.collect()).expect("finite")
        };
        for spread in [0, 20, 480] {
            let (a, b) = (random(m, k, spread), random(k, n, spread));
            let exact_product = times(&exactly(&a), &exactly(&b));
            let computed = [
                product_enclosure(&a, &b).expect("no overflow"),
                enclosure(&MidRad::point(a.clone()), &MidRad::point(b.clone())).expect("no overflow"),
            ];
            for c in computed {
                for (i, row) in exact_product.iter().enumerate() {
                    for (j, x) in row.iter().enumerate() {
                        let distance = (rational(c.mid().get(i, j).expect("inside")) - x).abs();
                        assert!(distance <= rational(c.rad().get(i, j).expect("inside")), "{m} {k} {n} {spread}");
                    }
                }
            }
        }
    }
}

/// The radius must repay the underflow of (k + 4) u |mB| before it is multiplied by a huge |mA|.
#[test]
fn underflow_in_the_radius_is_repaid_early() {
    for k in [1usize, 2, 5, 8] {
        let a = matrix(1, k, |_, j| 1e300 * (1.0 + j as f64 * 2f64.powi(-52)));
        let b = matrix(k, 1, |i, _| 2f64.powi(-1030) * (1.0 + (i as f64 + 1.0) * 2f64.powi(-40)));
        let ours = enclosure(&MidRad::point(a.clone()), &MidRad::point(b.clone())).expect("no overflow");
        let value = &times(&exactly(&a), &exactly(&b))[0][0];
        assert!(ours.get(0, 0).expect("inside").contains_rational(value), "k = {k}");
        // 1e300 eta is the least that the radius has to be if anything is lost.
        assert!(ours.rad().get(0, 0).expect("inside") >= 1e300 * 5e-324);
    }
}

/// Small integers times a power of two: entries whose spectrum is anything.
fn small_matrix() -> impl Strategy<Value = Matrix> {
    (1usize..6, 1usize..6).prop_flat_map(|(m, n)| {
        proptest::collection::vec(-8i32..=8, m * n).prop_map(move |v| {
            Matrix::new(m, n, v.into_iter().map(|x| f64::from(x) * 0.125).collect()).expect("finite")
        })
    })
}

/// Random floats of several magnitudes.
fn float_matrix() -> impl Strategy<Value = Matrix> {
    (1usize..5, 1usize..5).prop_flat_map(|(m, n)| {
        let entry = (-1.0f64..1.0, -30i32..30).prop_map(|(x, e)| x * 2f64.powi(e));
        proptest::collection::vec(entry, m * n).prop_map(move |v| Matrix::new(m, n, v).expect("finite"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn norms_of_small_matrices(a in small_matrix()) {
        check_exactly(&a, 1e-12);
    }

    #[test]
    fn norms_of_float_matrices(a in float_matrix()) {
        check_exactly(&a, 1e-12);
    }

    /// Nearly singular Gram matrices, perturbed by units of the last place: a proof implies exact semidefiniteness.
    #[test]
    fn proofs_of_nearly_singular_matrices(
        n in 2usize..6,
        entries in proptest::collection::vec(-9i32..=9, 36),
        units in proptest::collection::vec(-3i32..=3, 36),
        lift in 0u32..60,
        scale in -200i32..200,
    ) {
        let base = matrix(n, n - 1, |i, j| f64::from(entries[6 * i + j]));
        let gram = product(&base, &base.transpose()).expect("finite");
        let lift = 2f64.powi(-i32::try_from(lift).expect("small"));
        let a = matrix(n, n, |i, j| {
            let (p, q) = (i.min(j), i.max(j));
            let g = gram.get(p, q).expect("inside");
            let g = g * (1.0 + f64::from(units[6 * p + q]) * f64::EPSILON) + if i == j { lift } else { 0.0 };
            g * 2f64.powi(scale)
        });
        if certainly_psd(&a).expect("symmetric") {
            prop_assert!(exactly_psd(&exactly(&a)));
        }
        if lift > 1e-9 {
            // Away from singular the proof must come.
            prop_assert!(certainly_psd(&a).expect("symmetric"));
        }
    }

    /// Members of the factors give members of the product.
    #[test]
    fn interval_products_contain_products_of_members(
        mids in proptest::collection::vec(-4.0f64..4.0, 24),
        rads in proptest::collection::vec(0.0f64..0.5, 24),
        places in proptest::collection::vec(-1.0f64..1.0, 24),
    ) {
        let of = |rows: usize, cols: usize, v: &[f64], skip: usize| matrix(rows, cols, |i, j| v[skip + i * cols + j]);
        let member = |m: &Matrix, r: &Matrix, skip: usize| -> Exact {
            let at = |i: usize, j: usize| {
                let (m, r) = (m.get(i, j).expect("inside"), r.get(i, j).expect("inside"));
                rational(m) + rational(r) * rational(places[skip + i * 3 + j])
            };
            (0..m.rows()).map(|i| (0..m.cols()).map(|j| at(i, j)).collect()).collect()
        };
        let (ma, ra) = (of(4, 3, &mids, 0), of(4, 3, &rads, 0));
        let (mb, rb) = (of(3, 3, &mids, 12), of(3, 3, &rads, 12));
        let exact_product = times(&member(&ma, &ra, 0), &member(&mb, &rb, 12));
        let ours = enclosure(&MidRad::new(ma, ra).expect("fits"), &MidRad::new(mb, rb).expect("fits")).expect("finite");
        for (i, row) in exact_product.iter().enumerate() {
            for (j, x) in row.iter().enumerate() {
                prop_assert!(ours.get(i, j).expect("inside").contains_rational(x));
            }
        }
    }

    #[test]
    fn matvec_contains_members(a in small_matrix(), lo in -3.0f64..3.0, width in 0.0f64..2.0, place in 0.0f64..1.0) {
        let x = vec![Interval::new(lo, lo + width).expect("ordered"); a.cols()];
        let ours = matvec(&a, &x).expect("finite");
        let v = rational(lo) + (rational(lo + width) - rational(lo)) * rational(place);
        for (y, row) in ours.iter().zip(exactly(&a)) {
            prop_assert!(y.contains_rational(&row.iter().map(|c| c * &v).sum()));
        }
    }

    #[test]
    fn elementary_norms_contain_exact_ones(a in float_matrix()) {
        let rows = exactly(&a);
        let sum = |row: &Vec<BigRational>| row.iter().map(Signed::abs).sum::<BigRational>();
        let infinity = rows.iter().map(sum).max().expect("a row");
        let one = transposed(&rows).iter().map(sum).max().expect("a column");
        prop_assert!(a.infinity_norm().contains_rational(&infinity) && a.one_norm().contains_rational(&one));
        let square: BigRational = rows.iter().flatten().map(|x| x * x).sum();
        let f = a.frobenius_norm();
        prop_assert!(rational(f.lo()) * rational(f.lo()) <= square && square <= rational(f.hi()) * rational(f.hi()));
    }

    /// Larger matrices, where exact elimination is too slow: the two proofs agree, and both cover the exact Rayleigh quotient.
    #[test]
    fn both_proofs_agree(seed in any::<u64>(), m in 1usize..90, n in 1usize..90) {
        let a = matrix(m, n, |i, j| {
            let h = (seed ^ (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (j as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F))
                .wrapping_mul(0xD6E8_FEB8_6659_FD93);
            ((h ^ (h >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 11) as f64 / 9_007_199_254_740_992.0 - 0.5
        });
        let norm = spectral_norm(&a).expect("finite");
        let gram = gram_iteration_upper(&a).expect("finite");
        let cholesky = cholesky_upper(&a).expect("finite").expect("a proof");
        prop_assert!(norm.lower <= gram && norm.lower <= cholesky && norm.upper <= gram);
        prop_assert!(norm.upper <= norm.lower * (1.0 + 1e-10), "{norm:?}");
        prop_assert!(norm.upper <= a.frobenius_norm().hi() * (1.0 + 1e-14));
        prop_assert!(norm.lower * norm.lower <= a.one_norm().hi() * a.infinity_norm().hi() * (1.0 + 1e-14));
    }
}
