//! The recursion of Combettes and Pesquet for averaged activations, on any graph. Trust: kernel.
//!
//! A neuron with slopes `[a, b]` is `phi(u) = m u + r psi(u)` with `m = (a + b)/2`, `r = (b - a)/2` and `psi` of slopes in
//! `[-1, 1]`. Take the values `w_g = r psi(v_g)` of every group of neurons as inputs of their own: the argument of a later group
//! is the linear map `v_k = A_k0 x + sum_(0 < g < k) A_kg w~_g` with `w~_g = psi(v_g)`, where the groups between act by their `m`.
//! In any of the norms l1, l2, linf `psi`, applied to every coordinate, is nonexpansive, so
//!
//! ```text
//! D_0 = 1,   D_k = sum_(g < k) |A_kg| D_g
//! ```
//!
//! bounds the constants of the arguments one after another, and at the outputs that of the network. On a chain this is the bound
//! of Combettes and Pesquet 2020 (SIAM J. Math. Data Sci. 2, their constant theta), which they write as a sum over `2^(k-1)`
//! subsets of layers, in the form of Fazlyab, Entesari, Roy, Chellappa 2023 (LipLT).
//!
//! The matrices are products of many factors. Every entry is rounded to a fixed number of bits; what that may change in norm is
//! carried along: `|A^ - A|` grows by the magnitudes of the factors, plus the new rounding.

use super::dyadic::{Dyadic, sqrt_above};
use super::operator::Operator;
use super::slope::Slope;
use super::system::{Row, System};
use super::{LipError, Norm};
use num_rational::BigRational;
use std::ops::Range;

/// Most multiplications: a matter of time, not of mathematics.
const WORK_LIMIT: u64 = 1 << 27;

/// Bits of the constants `D_k` and of the errors.
const BITS: u32 = 128;

/// One map `A_kg`.
pub struct Pair {
    pub operator: Operator,
    /// `|A^ - A|` in the operator norm.
    error: Dyadic,
}

/// All maps, by target and then by source.
pub struct Maps {
    norm: Norm,
    pub pairs: Vec<Vec<Pair>>,
}

/// Rows of one stage over the variables before it, with their divisors.
struct Stage<'a> {
    rows: Vec<(&'a Row, u64)>,
}

impl Maps {
    /// Errors: slopes that do not fit, or a network too large.
    pub fn new(system: &System, slopes: &[Slope], norm: Norm) -> Result<Maps, LipError> {
        if slopes.len() != system.neurons.len() {
            return Err(LipError::shape("slopes of every neuron", &slopes.len().to_string()));
        }
        let inputs = system.inputs;
        let groups = system.groups.iter().map(|group| inputs + group.start..inputs + group.end);
        let sources: Vec<Range<usize>> = std::iter::once(0..inputs).chain(groups).collect();
        let mut stages: Vec<Stage> = Vec::new();
        for group in &system.groups {
            let neurons = system.neurons.get(group.clone()).unwrap_or_default();
            stages.push(Stage { rows: neurons.iter().map(|neuron| (&neuron.argument.row, 1)).collect() });
        }
        stages.push(Stage { rows: system.outputs.iter().map(|output| (&output.row, output.divisor)).collect() });
        let coefficients: u64 = stages.iter().flat_map(|stage| &stage.rows).map(|(row, _)| row.len() as u64).sum();
        if coefficients.saturating_mul((inputs + system.neurons.len()) as u64) > WORK_LIMIT {
            return Err(LipError::too_large("fewer than 2^27 multiplications in the recursion"));
        }
        // Cancellation in products of k factors costs some bits per factor.
        let bits = 96 + 4 * u32::try_from(stages.len()).unwrap_or(u32::MAX).min(4096);
        let half = |a: &Dyadic| a.scaled(-1);
        let middle: Vec<Dyadic> = slopes.iter().map(|slope| half(&(&slope.lower + &slope.upper))).collect();
        let radius: Vec<Dyadic> = slopes.iter().map(|slope| half(&(&slope.upper - &slope.lower))).collect();
        let growth = growth(&stages, &sources, &middle, inputs, norm);
        let mut pairs: Vec<Vec<Pair>> = stages.iter().map(|_| Vec::new()).collect();
        for (g, source) in sources.iter().enumerate() {
            let columns = source.len();
            // What every variable is as a function of the source; `None` is zero.
            let mut images: Vec<Option<Vec<Dyadic>>> = vec![None; inputs + system.neurons.len()];
            for (j, variable) in source.clone().enumerate() {
                let mut unit = vec![Dyadic::ZERO; columns];
                if let Some(entry) = unit.get_mut(j) {
                    *entry = variable.checked_sub(inputs).and_then(|j| radius.get(j)).cloned().unwrap_or(Dyadic::ONE);
                }
                images[variable] = Some(unit);
            }
            let mut errors: Vec<Dyadic> = vec![Dyadic::ZERO; stages.len()];
            for (k, stage) in stages.iter().enumerate().skip(g) {
                let mut rows = Vec::with_capacity(stage.rows.len());
                for (i, (row, divisor)) in stage.rows.iter().enumerate() {
                    let dense = image(row, *divisor, &images, columns, bits);
                    let index = sources.get(k + 1).map(|target| target.start + i);
                    if let (Some(dense), Some(index)) = (&dense, index) {
                        let m = index.checked_sub(inputs).and_then(|j| middle.get(j)).unwrap_or(&Dyadic::ZERO);
                        let scaled = || dense.iter().map(|a| (a * m).round_down(bits)).collect();
                        images[index] = (!m.is_zero()).then(scaled);
                    }
                    let sparse = dense.unwrap_or_default().into_iter().enumerate().filter(|(_, a)| !a.is_zero());
                    rows.push(sparse.collect::<Row>());
                }
                let operator = Operator { columns, rows };
                // Two roundings per entry, each below 2^(1 - bits) of it, and what earlier stages carried.
                let mut error = (&magnitude(&operator, norm) * &Dyadic::ONE.scaled(2 - i64::from(bits))).round_up(BITS);
                for (s, factor) in &growth[k] {
                    error = (&error + &(factor * &errors[*s])).round_up(BITS);
                }
                errors[k] = error.clone();
                pairs[k].push(Pair { operator, error });
            }
        }
        Ok(Maps { norm, pairs })
    }

    /// The square of the bound. `squares[k][g]` is a proposed square of the spectral norm of `A_kg`, read for l2 only; a map
    /// without one gets its Schur bound. Errors: a proposal that is not proved.
    pub fn bound(&self, squares: &[Vec<Option<Dyadic>>]) -> Result<Dyadic, LipError> {
        let root = |square: &Dyadic| sqrt_above(&square.to_rational(), BITS);
        let mut constants = vec![Dyadic::ONE];
        for (k, pairs) in self.pairs.iter().enumerate() {
            let mut sum = Dyadic::ZERO;
            for (g, (pair, constant)) in pairs.iter().zip(&constants).enumerate() {
                let operator = &pair.operator;
                let norm = match (self.norm, squares.get(k).and_then(|row| row.get(g)).and_then(Option::as_ref)) {
                    (Norm::L1, _) => operator.column_sum(),
                    (Norm::Linf, _) => operator.row_sum(),
                    (Norm::L2, None) => root(&operator.schur()),
                    (Norm::L2, Some(square)) if operator.is_spectral_at_most(square) => root(square),
                    (Norm::L2, Some(_)) => return Err(LipError::NotProved),
                };
                sum = (&sum + &(&(&norm + &pair.error) * constant)).round_up(BITS);
            }
            constants.push(sum);
        }
        let last = constants.pop().unwrap_or(Dyadic::ZERO);
        Ok(&last * &last)
    }
}

/// A row applied to the images of its variables, divided and rounded once. `None` is zero.
fn image(row: &Row, divisor: u64, images: &[Option<Vec<Dyadic>>], columns: usize, bits: u32) -> Option<Vec<Dyadic>> {
    let mut sum: Option<Vec<Dyadic>> = None;
    for (variable, value) in row {
        let Some(Some(image)) = images.get(*variable) else { continue };
        let sum = sum.get_or_insert_with(|| vec![Dyadic::ZERO; columns]);
        for (entry, a) in sum.iter_mut().zip(image).filter(|(_, a)| !a.is_zero()) {
            *entry = &*entry + &(value * a);
        }
    }
    let divided = |a: Dyadic| match divisor {
        1 => a.round_down(bits),
        d => Dyadic::below(&(a.to_rational() / BigRational::from_integer(d.into())), bits),
    };
    sum.map(|sum| sum.into_iter().map(divided).collect())
}

/// Per stage: by which factor the error of an earlier stage enters it.
fn growth(
    stages: &[Stage],
    sources: &[Range<usize>],
    middle: &[Dyadic],
    inputs: usize,
    norm: Norm,
) -> Vec<Vec<(usize, Dyadic)>> {
    let mut factors = Vec::with_capacity(stages.len());
    for (k, stage) in stages.iter().enumerate() {
        let mut blocks: Vec<Vec<Row>> = (0..k).map(|_| vec![Row::new(); stage.rows.len()]).collect();
        for (i, (row, _)) in stage.rows.iter().enumerate() {
            for (variable, value) in row.iter().filter(|(variable, _)| *variable >= inputs) {
                // Source `s + 1` holds the outputs of stage `s`.
                let s = sources.partition_point(|source| source.end <= *variable);
                let m = middle.get(variable - inputs);
                if let (Some(block), Some(m)) = (s.checked_sub(1).and_then(|s| blocks.get_mut(s)), m)
                    && let Some(source) = sources.get(s)
                {
                    block[i].push((variable - source.start, value * m));
                }
            }
        }
        let columns = |s: usize| sources.get(s + 1).map_or(0, ExactSizeIterator::len);
        let sized = blocks.into_iter().enumerate().filter(|(_, rows)| rows.iter().any(|row| !row.is_empty()));
        let block = |(s, rows): (usize, Vec<Row>)| (s, magnitude(&Operator { columns: columns(s), rows }, norm));
        factors.push(sized.map(block).collect());
    }
    factors
}

/// The norm of the matrix of magnitudes, for l2 its Schur bound.
fn magnitude(operator: &Operator, norm: Norm) -> Dyadic {
    match norm {
        Norm::L1 => operator.column_sum().round_up(BITS),
        Norm::Linf => operator.row_sum().round_up(BITS),
        Norm::L2 => sqrt_above(&operator.schur().to_rational(), BITS),
    }
}
