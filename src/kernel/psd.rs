//! A positive-semidefiniteness test in integers. Trust: kernel.
//!
//! The test factors an integer matrix `A` as `L L' + R` with integer `L` (a Cholesky factorization whose divisions are rounded)
//! and accepts when `R` is diagonally dominant with a nonnegative diagonal. Then `R` is positive semidefinite by Gershgorin's
//! circle theorem (1931), so is `L L'`, and so is `A`. No property of the rounding is used: `R` is the exact difference.
//!
//! Only entries of `L` that can differ from zero are computed, see [`Symmetric::pattern`]. How many there are depends on the order of
//! the rows; [`positions`] finds a good one. Definiteness does not depend on it.

use std::ops::Range;

/// Binary digits of one unit of the factor `L`; entries of `A` are on the grid `2^(-2 * DIGITS)` relative to a unit diagonal.
pub const DIGITS: i64 = 57;

/// A bound of the factor's entries, so that one product stays below `2^122`.
const FACTOR_LIMIT: i128 = 1 << 61;

/// Products that are added without a check: so many stay below `2^126`.
const UNCHECKED: usize = 16;

/// Largest order of a matrix whose rows are put into another order, which takes a bit per entry.
const ORDERED: usize = 1 << 14;

/// A symmetric integer matrix, lower triangle, with a bound of the error of each row.
#[derive(Clone, Debug)]
pub struct Symmetric {
    /// Columns of the terms of every row, and their values; a column may occur more than once.
    columns: Vec<Vec<u32>>,
    values: Vec<Vec<i128>>,
    error: Vec<i128>,
}

/// Columns of the factor's rows left of the diagonal, as intervals from left to right.
type Pattern = Vec<Vec<Range<usize>>>;

impl Symmetric {
    /// The zero matrix.
    pub fn new(order: usize) -> Symmetric {
        Symmetric { columns: vec![Vec::new(); order], values: vec![Vec::new(); order], error: vec![0; order] }
    }

    pub fn order(&self) -> usize {
        self.error.len()
    }

    /// Adds `value` to the entries `(i, j)` and `(j, i)`; the true number may exceed `value` by less than one unit, in either
    /// direction. `None` outside the matrix or on overflow.
    pub fn add(&mut self, i: usize, j: usize, value: i128) -> Option<()> {
        let (row, column) = if i >= j { (i, j) } else { (j, i) };
        self.columns.get_mut(row)?.push(u32::try_from(column).ok()?);
        self.values.get_mut(row)?.push(value);
        self.error[row] = self.error[row].checked_add(1)?;
        if row != column {
            self.error[column] = self.error[column].checked_add(1)?;
        }
        Some(())
    }

    /// Whether every symmetric matrix within the stated error of this one is proved positive semidefinite. `false` proves nothing.
    pub fn is_semidefinite(&self) -> bool {
        self.certify().unwrap_or(false)
    }

    /// Where the factor may differ from zero, and how many rows below each diagonal entry may.
    ///
    /// Let `P_i` be the columns of row `i`, and the parent of a column `k` the first row below it with `k` in `P_i`. `P_i` collects,
    /// from every nonzero entry of the matrix, the columns that parents lead to, up to `i` (Liu 1990). If `k < j < i` and `k` lies in
    /// both `P_j` and `P_i`, then so does the parent of `k`, unless it is `j` itself, and in the end `j` lies in `P_i`. So
    /// for `j` outside `P_i` the sum of `L_ik L_jk` over `k < j` has no terms, and neither has the matrix an entry there.
    fn pattern(&self) -> (Pattern, Vec<i128>) {
        let n = self.order();
        let mut parent = vec![n; n];
        let mut seen = vec![n; n];
        let mut below = vec![0; n];
        let mut pattern = Vec::with_capacity(n);
        for (i, entries) in self.columns.iter().enumerate() {
            let mut columns: Vec<usize> = Vec::new();
            for &entry in entries {
                let mut k = entry as usize;
                while k < i && seen[k] != i {
                    seen[k] = i;
                    below[k] += 1;
                    columns.push(k);
                    parent[k] = parent[k].min(i);
                    k = parent[k];
                }
            }
            columns.sort_unstable();
            let mut runs: Vec<Range<usize>> = Vec::new();
            for k in columns {
                match runs.last_mut().filter(|run| run.end == k) {
                    Some(run) => run.end = k + 1,
                    None => runs.push(k..k + 1),
                }
            }
            pattern.push(runs);
        }
        (pattern, below)
    }

    fn certify(&self) -> Option<bool> {
        let n = self.order();
        let (pattern, below) = self.pattern();
        // Entries of every row left of the diagonal in the order of its pattern, and the pivot.
        let mut factor: Vec<(Vec<i64>, i128)> = Vec::with_capacity(n);
        let mut load: Vec<i128> = self.error.clone();
        let mut slack: Vec<i128> = Vec::with_capacity(n);
        // Row i of the matrix and of the factor, spread out over all columns; zero between rows.
        let (mut entries, mut spread) = (vec![0i128; n], vec![0i64; n]);
        for i in 0..n {
            for (&j, value) in self.columns[i].iter().zip(&self.values[i]) {
                let entry = &mut entries[j as usize];
                *entry = entry.checked_add(*value)?;
            }
            let mut row: Vec<i64> = Vec::new();
            for j in pattern[i].iter().cloned().flatten() {
                let (other, pivot) = &factor[j];
                let rest = std::mem::take(&mut entries[j]).checked_sub(spread_dot(&pattern[j], other, &spread)?)?;
                let quotient = rounded_quotient(rest, *pivot)?;
                if quotient.abs() >= FACTOR_LIMIT {
                    return Some(false);
                }
                let remainder = rest.checked_sub(quotient.checked_mul(*pivot)?)?.checked_abs()?;
                load[i] = load[i].checked_add(remainder)?;
                load[j] = load[j].checked_add(remainder)?;
                spread[j] = quotient as i64;
                row.push(quotient as i64);
            }
            pattern[i].iter().cloned().for_each(|run| spread[run].fill(0));
            let rest = std::mem::take(&mut entries[i]).checked_sub(dot(&row, &row)?)?;
            if rest <= 0 {
                return Some(false);
            }
            let most = rest.isqrt();
            // Leave room for the remainders, of at most half a pivot, that later rows will put into column i.
            let room = load[i].checked_add(below[i].checked_mul(most / 2 + 1)?)?;
            let square = rest.checked_sub(room)?;
            if square <= 0 {
                return Some(false);
            }
            let pivot = square.isqrt();
            if pivot <= 0 || pivot >= FACTOR_LIMIT {
                return Some(false);
            }
            slack.push(rest.checked_sub(pivot.checked_mul(pivot)?)?);
            factor.push((row, pivot));
        }
        Some(slack.iter().zip(&load).all(|(slack, load)| slack >= load))
    }
}

/// Sum of products of a row, given by its pattern, with one that is spread out; `None` on overflow.
fn spread_dot(runs: &[Range<usize>], row: &[i64], spread: &[i64]) -> Option<i128> {
    let (mut sum, mut rest) = (0i128, row);
    for run in runs {
        let (part, others) = rest.split_at_checked(run.len())?;
        sum = sum.checked_add(dot(part, spread.get(run.clone())?)?)?;
        rest = others;
    }
    Some(sum)
}

/// Sum of products of entries of the factor; `None` on overflow.
fn dot(a: &[i64], b: &[i64]) -> Option<i128> {
    let mut sum: i128 = 0;
    for (a, b) in a.chunks(UNCHECKED).zip(b.chunks(UNCHECKED)) {
        // Factors are below `FACTOR_LIMIT`, so that nothing wraps.
        let part = a.iter().zip(b).fold(0i128, |sum, (x, y)| sum.wrapping_add(i128::from(*x) * i128::from(*y)));
        sum = sum.checked_add(part)?;
    }
    Some(sum)
}

/// Positions of the rows of a matrix in an order that leaves the factor sparse: the row with the fewest neighbours comes next, and its
/// neighbours become neighbours of each other (Tinney and Walker 1967, scheme 2). `entries` names places off the diagonal.
pub fn positions(order: usize, entries: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    if order > ORDERED {
        return (0..order).collect();
    }
    let mut near = vec![vec![0u64; order.div_ceil(64)]; order];
    for (i, j) in entries.filter(|(i, j)| i != j) {
        if i < order && j < order {
            near[i][j / 64] |= 1 << (j % 64);
            near[j][i / 64] |= 1 << (i % 64);
        }
    }
    let count = |row: &[u64]| row.iter().map(|word| word.count_ones() as usize).sum::<usize>();
    let mut degree: Vec<usize> = near.iter().map(|row| count(row)).collect();
    let mut left: Vec<usize> = (0..order).collect();
    let mut positions = vec![0; order];
    // Where all are neighbours the order does not matter.
    while let Some(place) = (0..left.len()).min_by_key(|place| degree[left[*place]])
        && degree[left[place]] + 1 < left.len()
    {
        let next = left.remove(place);
        positions[next] = order - left.len() - 1;
        let own = std::mem::take(&mut near[next]);
        for &i in left.iter().filter(|i| own[**i / 64] >> (**i % 64) & 1 == 1) {
            near[i].iter_mut().zip(&own).for_each(|(word, new)| *word |= new);
            near[i][i / 64] &= !(1 << (i % 64));
            near[i][next / 64] &= !(1 << (next % 64));
            degree[i] = count(&near[i]);
        }
    }
    let first = order - left.len();
    left.into_iter().enumerate().for_each(|(k, i)| positions[i] = first + k);
    positions
}

/// An integer next to `a / b` for `b > 0`.
fn rounded_quotient(a: i128, b: i128) -> Option<i128> {
    a.checked_add(b / 2)?.checked_div_euclid(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use num_rational::BigRational;
    use num_traits::{Signed, Zero};
    use proptest::prelude::*;

    fn dense(a: &[Vec<i128>]) -> Symmetric {
        let mut matrix = Symmetric::new(a.len());
        for (i, row) in a.iter().enumerate() {
            for (j, &entry) in row.iter().enumerate().take(i + 1) {
                matrix.add(i, j, entry).unwrap();
            }
        }
        matrix
    }

    /// Exact: all pivots of the rational LDL' elimination are nonnegative, and a zero pivot has a zero column.
    fn semidefinite(a: &[Vec<i128>]) -> bool {
        let n = a.len();
        let mut m: Vec<Vec<BigRational>> =
            a.iter().map(|row| row.iter().map(|&x| BigRational::from_integer(BigInt::from(x))).collect()).collect();
        for k in 0..n {
            if m[k][k].is_negative() || (m[k][k].is_zero() && (k + 1..n).any(|i| !m[i][k].is_zero())) {
                return false;
            }
            if m[k][k].is_zero() {
                continue;
            }
            for i in k + 1..n {
                let ratio = &m[i][k] / &m[k][k];
                let pivot = m[k].clone();
                for (entry, pivot) in m[i].iter_mut().zip(&pivot).skip(k + 1) {
                    *entry -= &ratio * pivot;
                }
            }
        }
        true
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn never_accepts_an_indefinite_matrix(
            n in 1usize..5,
            entries in prop::collection::vec(-9i128..10, 16),
            shift in -6i128..7,
            scale in 0u32..80,
            nudge in -3i128..4,
        ) {
            // B B' + shift I has exact semidefinite and slightly indefinite members.
            let b: Vec<&[i128]> = entries.chunks(4).take(n).collect();
            let a: Vec<Vec<i128>> = (0..n).map(|i| (0..n).map(|j| {
                let product: i128 = b[i].iter().zip(b[j]).map(|(x, y)| x * y).sum();
                (product << scale) + if i == j { shift + nudge } else { 0 }
            }).collect()).collect();
            if dense(&a).is_semidefinite() {
                prop_assert!(semidefinite(&a));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn sparse_matrices_in_every_order(
            n in 1usize..11,
            entries in prop::collection::vec((0usize..11, 0usize..11, -9i128..10), 0..22),
            shift in prop::sample::select(vec![-2i128, -1, 0, 1, 1 << 30]),
            seed in any::<u64>(),
        ) {
            // B B' + shift I for a matrix with few entries.
            let mut b = vec![vec![0i128; 11]; n];
            entries.iter().filter(|(i, _, _)| *i < n).for_each(|(i, j, v)| b[*i][*j] += v);
            let scale = 1i128 << 60;
            let a: Vec<Vec<i128>> = (0..n).map(|i| (0..n).map(|j| {
                b[i].iter().zip(&b[j]).map(|(x, y)| x * y).sum::<i128>() * scale + if i == j { shift * (scale >> 20) } else { 0 }
            }).collect()).collect();
            let pairs = || (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|(i, j)| a[*i][*j] != 0);
            let shuffled = {
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by_key(|i| (seed.wrapping_mul(2 * *i as u64 + 1) >> 7) % 1009);
                order
            };
            let chosen = positions(n, pairs());
            let mut sorted = chosen.clone();
            sorted.sort_unstable();
            prop_assert!(sorted.into_iter().eq(0..n));
            let exact = semidefinite(&a);
            for position in [(0..n).collect(), shuffled, chosen] {
                let mut matrix = Symmetric::new(n);
                for (i, j) in pairs().chain((0..n).map(|i| (i, i))) {
                    matrix.add(position[i], position[j], a[i][j]).unwrap();
                }
                let accepted = matrix.is_semidefinite();
                prop_assert!(exact || !accepted, "{:?} in order {:?}", a, position);
                // Far inside the cone every order is good enough.
                prop_assert!(accepted || shift < 1 << 30, "{:?} in order {:?}", a, position);
            }
        }
    }

    /// A star, and a chain of cliques: nothing is filled in when the leaves come first.
    #[test]
    fn few_neighbours_come_first() {
        let star = positions(6, (1..6).map(|i| (0, i)));
        assert!(star[0] >= 4, "{star:?}");
        let fill = |order: usize, pairs: &[(usize, usize)]| {
            let position = positions(order, pairs.iter().copied());
            let mut matrix = Symmetric::new(order);
            for (i, j) in pairs.iter().copied().chain((0..order).map(|i| (i, i))) {
                matrix.add(position[i], position[j], 1).unwrap();
            }
            matrix.pattern().0.iter().flatten().map(Range::len).sum::<usize>()
        };
        let path: Vec<(usize, usize)> = (1..40).map(|i| (i * 17 % 40, (i - 1) * 17 % 40)).collect();
        assert_eq!((fill(40, &path), fill(6, &[(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)])), (39, 5));
    }

    #[test]
    fn accepts_down_to_a_tiny_slack() {
        // The singular matrix [[1, 1], [1, 1]] plus slack on the diagonal, on the grid of unit 2^(2 DIGITS).
        let one = 1i128 << (2 * DIGITS);
        let with = |slack: i128| dense(&[vec![one + slack, one], vec![one, one + slack]]);
        assert!(with(one >> 50).is_semidefinite());
        assert!(!with(0).is_semidefinite());
        assert!(!with(-1).is_semidefinite());
    }

    #[test]
    fn refuses_overflow_and_foreign_entries() {
        let mut matrix = Symmetric::new(2);
        assert!(matrix.add(2, 0, 1).is_none());
        assert!(matrix.add(0, 3, 1).is_none());
        assert!(matrix.add(0, 0, i128::MAX).is_some());
        assert!(matrix.add(0, 0, 1).is_some());
        assert!(!matrix.is_semidefinite());
    }
}
