//! The semidefinite certificate of a Lipschitz constant (LipSDP-Neuron). Trust: kernel.
//!
//! Let `z = (x, outputs of the neurons)` collect increments. Neuron `j` with slopes `[a, b]` satisfies
//! `(z_j - a u_j)(z_j - b u_j) <= 0` for `u_j = c_j . z` (Fazlyab, Robey, Hassani, Morari, Pappas 2019). So for multipliers
//! `T_j >= 0` and weights `t_i >= 0`, positive semidefiniteness of
//!
//! ```text
//! sum_i t_i x_i^2 + sum_j 2 T_j (z_j - a_j u_j)(z_j - b_j u_j) - |C z|^2
//! ```
//!
//! proves `|C z|^2 <= sum_i t_i x_i^2`. That is at most `max t |x|_2^2`, at most `sum t |x|_inf^2` and at most `max t |x|_1^2`.
//! The form is tested in its bordered shape: with `C = D^-1 C~` it is semidefinite if and only if
//! `[[M0, -C~'], [-C~, D^2]]` is (Schur complement). Coupling multipliers between neurons are not valid for increments and do
//! not exist here. Neurons whose slopes agree are linear and are substituted exactly.
//!
//! Scaling rows and columns by powers of two is a congruence, and makes the diagonal about one. Every entry is then rounded to
//! the grid of [`crate::kernel::psd`], which carries the error.

use super::LipError;
use super::dyadic::Dyadic;
use super::slope::Slope;
use super::system::{Row, System};
use crate::kernel::psd::{DIGITS, Symmetric, positions};
use std::borrow::Cow;
use std::ops::Range;

/// Weights and multipliers of one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipliers {
    /// Weight of every input coordinate, or one weight for all.
    pub input: Vec<Dyadic>,
    /// One per neuron; those of linear neurons are not read.
    pub neurons: Vec<Dyadic>,
}

impl Multipliers {
    /// `max t_i`
    pub fn largest(&self) -> Dyadic {
        self.input.iter().max().cloned().unwrap_or(Dyadic::ZERO)
    }

    /// `sum t_i` over `inputs` coordinates.
    pub fn total(&self, inputs: usize) -> Dyadic {
        match self.input.as_slice() {
            [one] => one * &Dyadic::natural(inputs as u64),
            many => many.iter().fold(Dyadic::ZERO, |sum, t| &sum + t),
        }
    }
}

/// Rows over inputs and free neurons only.
struct Reduced<'a> {
    /// Argument rows of the free neurons, with the neurons' indices.
    free: Vec<(usize, Cow<'a, Row>)>,
    outputs: Vec<Cow<'a, Row>>,
}

/// `sum coefficient * expression`, where a variable without expression stands for its own index.
///
/// `sums` holds zeros for all variables, before and after.
fn substitute<'a>(
    row: &'a Row,
    inputs: usize,
    expressions: &[Option<Row>],
    index: &[usize],
    sums: &mut [Dyadic],
) -> Cow<'a, Row> {
    let is_linear =
        |variable: usize| variable >= inputs && expressions.get(variable - inputs).is_some_and(Option::is_some);
    let renamed =
        |variable: usize| variable.checked_sub(inputs).and_then(|j| index.get(j)).copied().unwrap_or(variable);
    if !row.iter().any(|(variable, _)| is_linear(*variable)) {
        if row.iter().all(|(variable, _)| renamed(*variable) == *variable) {
            return Cow::Borrowed(row);
        }
        return Cow::Owned(row.iter().map(|(variable, value)| (renamed(*variable), value.clone())).collect());
    }
    let mut touched = Vec::new();
    let mut add = |variable: usize, value: Dyadic| {
        if let Some(entry) = sums.get_mut(variable) {
            if entry.is_zero() {
                touched.push(variable);
                *entry = value;
            } else {
                *entry = &*entry + &value;
            }
        }
    };
    for (variable, value) in row {
        match variable.checked_sub(inputs).and_then(|j| expressions.get(j)).and_then(Option::as_ref) {
            Some(expression) => expression.iter().for_each(|(inner, factor)| add(*inner, value * factor)),
            None => add(renamed(*variable), value.clone()),
        }
    }
    // A sum that returned to zero may have been touched twice; the second time it is found empty.
    touched.sort_unstable();
    let taken = touched.into_iter().filter_map(|variable| {
        let value = sums.get_mut(variable).map(|entry| std::mem::replace(entry, Dyadic::ZERO))?;
        (!value.is_zero()).then_some((variable, value))
    });
    Cow::Owned(taken.collect())
}

fn reduce<'a>(system: &'a System, slopes: &[Slope], outputs: Range<usize>) -> Result<Reduced<'a>, LipError> {
    let mut expressions: Vec<Option<Row>> = Vec::with_capacity(system.neurons.len());
    let mut index: Vec<usize> = Vec::with_capacity(system.neurons.len());
    let mut free = Vec::new();
    let mut sums = vec![Dyadic::ZERO; system.inputs + system.neurons.len()];
    for (j, (neuron, slope)) in system.neurons.iter().zip(slopes).enumerate() {
        let row = substitute(&neuron.argument.row, system.inputs, &expressions, &index, &mut sums);
        index.push(system.inputs + free.len());
        if slope.is_linear() {
            let expression = if slope.lower.is_zero() {
                Row::new()
            } else {
                row.iter().map(|(variable, value)| (*variable, value * &slope.lower)).collect()
            };
            expressions.push(Some(expression));
        } else {
            expressions.push(None);
            free.push((j, row));
        }
    }
    let rows =
        system.outputs.get(outputs).ok_or_else(|| LipError::shape("outputs of the network", "a range beyond them"))?;
    let outputs =
        rows.iter().map(|affine| substitute(&affine.row, system.inputs, &expressions, &index, &mut sums)).collect();
    Ok(Reduced { free, outputs })
}

/// Proves `|y|_2^2 <= sum_i t_i x_i^2` for the increments `y` of the outputs in `outputs`, on a set where neuron `j` has slopes
/// `slopes[j]`. Errors: shapes that do not fit, a multiplier that is not positive, or a form not proved semidefinite.
pub fn certify(
    system: &System,
    slopes: &[Slope],
    outputs: Range<usize>,
    multipliers: &Multipliers,
) -> Result<(), LipError> {
    let inputs = system.inputs;
    if slopes.len() != system.neurons.len() || multipliers.neurons.len() != system.neurons.len() {
        let found = format!("{} slopes and {} multipliers", slopes.len(), multipliers.neurons.len());
        return Err(LipError::shape(&format!("{} of the neurons", system.neurons.len()), &found));
    }
    if multipliers.input.len() != 1 && multipliers.input.len() != inputs {
        return Err(LipError::shape(&format!("1 or {inputs} input weights"), &multipliers.input.len().to_string()));
    }
    if let Some(position) = multipliers.input.iter().position(|t| !t.is_positive()) {
        return Err(LipError::NotPositive { what: "input weight", position });
    }
    if let Some(position) = slopes.iter().position(|slope| slope.lower > slope.upper) {
        return Err(LipError::NotPositive { what: "slope range", position });
    }
    let divisors: Vec<u64> = match system.outputs.get(outputs.clone()) {
        Some(rows) => rows.iter().map(|affine| affine.divisor).collect(),
        None => return Err(LipError::shape("outputs of the network", "a range beyond them")),
    };
    let reduced = reduce(system, slopes, outputs)?;
    let mut form = Form::new(inputs + reduced.free.len() + reduced.outputs.len());
    for i in 0..inputs {
        let weight = multipliers.input.get(i).or(multipliers.input.first());
        form.add(i, i, weight.ok_or(LipError::NotProved)?.clone());
    }
    for (k, (j, row)) in reduced.free.iter().enumerate() {
        let (Some(t), Some(slope)) = (multipliers.neurons.get(*j), slopes.get(*j)) else {
            return Err(LipError::shape("a multiplier of every neuron", "less"));
        };
        if !t.is_positive() {
            return Err(LipError::NotPositive { what: "multiplier", position: *j });
        }
        let double = t.scaled(1);
        let cross = -&(t * &(&slope.lower + &slope.upper));
        let square = &double * &(&slope.lower * &slope.upper);
        form.add(inputs + k, inputs + k, double);
        for (p, (column, value)) in row.iter().enumerate() {
            form.add(inputs + k, *column, &cross * value);
            if !square.is_zero() {
                let scaled = &square * value;
                for (other, factor) in row.iter().take(p + 1) {
                    form.add(*column, *other, &scaled * factor);
                }
            }
        }
    }
    let border = inputs + reduced.free.len();
    for (o, (row, divisor)) in reduced.outputs.iter().zip(&divisors).enumerate() {
        form.add(border + o, border + o, &Dyadic::natural(*divisor) * &Dyadic::natural(*divisor));
        for (column, value) in row.iter() {
            form.add(border + o, *column, -value);
        }
    }
    if form.finish(DIGITS).ok_or(LipError::NotProved)?.is_semidefinite() { Ok(()) } else { Err(LipError::NotProved) }
}

/// Collects the terms of a symmetric form, then scales and rounds them to the grid `2^(-2 digits)`.
pub struct Form {
    terms: Vec<(u32, u32, Dyadic)>,
    magnitude: Vec<Option<i64>>,
}

impl Form {
    pub fn new(order: usize) -> Form {
        Form { terms: Vec::new(), magnitude: vec![None; order] }
    }

    /// Adds `value` at `(i, j)` and, off the diagonal, at `(j, i)`.
    pub fn add(&mut self, i: usize, j: usize, value: Dyadic) {
        let (row, column) = if i >= j { (i, j) } else { (j, i) };
        if row == column
            && let Some(magnitude) = self.magnitude.get_mut(row)
        {
            *magnitude = value.magnitude().max(*magnitude);
        }
        self.terms.push((row as u32, column as u32, value));
    }

    /// `None` when an entry is far too large beside its diagonal, which refutes semidefiniteness or is out of reach.
    pub fn finish(self, digits: i64) -> Option<Symmetric> {
        // Scaling index i by 2^s_i with s_i = -ceil(magnitude / 2) brings the largest diagonal term into [1/4, 1).
        let scale: Vec<i64> =
            self.magnitude.iter().map(|magnitude| -(magnitude.unwrap_or(0) + 1).div_euclid(2)).collect();
        let order = self.magnitude.len();
        let position = positions(order, self.terms.iter().map(|(i, j, _)| (*i as usize, *j as usize)));
        let mut matrix = Symmetric::new(order);
        for (i, j, value) in &self.terms {
            let (i, j) = (*i as usize, *j as usize);
            let entry = value.floor_scaled(2 * digits + scale.get(i)? + scale.get(j)?)?;
            matrix.add(*position.get(i)?, *position.get(j)?, entry)?;
        }
        Some(matrix)
    }
}
