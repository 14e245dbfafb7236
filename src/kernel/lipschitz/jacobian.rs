//! Bounds by a linear relaxation of the Jacobian. Trust: kernel.
//!
//! Along a segment in direction `v`, `|v|_p <= 1`, the derivative of neuron `j` is almost everywhere `s u`, where `u` is a linear
//! function of the derivatives before it and `s` a slope that the domain allows. Every derivative is kept as an affine form
//!
//! `u = sum_i a_i v_i + sum_k b_k e_k + d`, `|e_k| <= 1`, `|d| <= rest`, hence `|u| <= |a|_q + |b|_1 + rest`, `1/p + 1/q = 1`.
//!
//! With the middle `m` and the radius `r` of the slopes, `s u = m u + (s - m) u` and `|(s - m) u| <= r |u|`: the form of the neuron
//! is `m` times that of its argument with one new unknown `e_j`. Unlike products of magnitudes the forms keep what cancels between
//! paths, and neurons that are linear on the domain add no unknown. (Relaxations of Jacobians: Shi, Wang, Zhang, Kolter, Hsieh 2022;
//! affine forms of them: Jordan, Dimakis 2021.) Coefficients are rounded, and `rest` pays for it: `|v_i| <= 1` in every norm.

use super::dyadic::{Dyadic, sqrt_above};
use super::product::over;
use super::slope::Slope;
use super::system::{Row, System};
use super::{LipError, Norm, Norms};

/// Mantissa bits of coefficients.
const BITS: u32 = 64;
/// Most multiplications: a matter of time.
const WORK_LIMIT: usize = 1 << 25;

/// Unknown `i < inputs` is `v_i`, unknown `inputs + j` is `e_j`.
struct Form {
    row: Row,
    rest: Dyadic,
}

impl Form {
    /// `|a|_q`, and `|b|_1 + rest`.
    fn sizes(&self, inputs: usize, norm: Norm) -> (Dyadic, Dyadic) {
        let split = self.row.partition_point(|(k, _)| *k < inputs);
        let (own, others) = self.row.split_at(split);
        let total = |row: &[(usize, Dyadic)]| row.iter().fold(Dyadic::ZERO, |sum, (_, c)| &sum + &c.abs());
        let size = match norm {
            Norm::Linf => total(own),
            Norm::L1 => own.iter().map(|(_, c)| c.abs()).max().unwrap_or(Dyadic::ZERO),
            Norm::L2 => root(own.iter().fold(Dyadic::ZERO, |sum, (_, c)| &sum + &(c * c))),
        };
        (size.round_up(BITS), (&total(others) + &self.rest).round_up(BITS))
    }
}

fn root(square: Dyadic) -> Dyadic {
    sqrt_above(&square.to_rational(), BITS)
}

/// Sums of multiples of forms, with the room that they need.
struct Sums {
    dense: Vec<Dyadic>,
    work: usize,
}

impl Sums {
    /// The form of `row . z`. Errors: too much work.
    fn form(&mut self, row: &Row, forms: &[Form]) -> Result<Form, LipError> {
        let mut rest = Dyadic::ZERO;
        for (variable, w) in row {
            let Some(form) = forms.get(*variable) else { continue };
            self.work = self.work.saturating_add(form.row.len());
            if self.work > WORK_LIMIT {
                return Err(LipError::too_large("fewer than 2^25 multiplications in the relaxation of the Jacobian"));
            }
            for (k, c) in &form.row {
                if let Some(entry) = self.dense.get_mut(*k) {
                    *entry = &*entry + &(w * c);
                }
            }
            rest = &rest + &(&w.abs() * &form.rest);
        }
        let mut sum = Form { row: Row::new(), rest };
        for (k, entry) in self.dense.iter_mut().enumerate().filter(|(_, entry)| !entry.is_zero()) {
            let exact = std::mem::replace(entry, Dyadic::ZERO);
            sum.push(k, exact);
        }
        sum.rest = sum.rest.round_up(BITS);
        Ok(sum)
    }
}

impl Form {
    /// Adds a term, rounded.
    fn push(&mut self, unknown: usize, exact: Dyadic) {
        let rounded = exact.round_down(BITS);
        self.rest = &self.rest + &(&exact - &rounded);
        if !rounded.is_zero() {
            self.row.push((unknown, rounded));
        }
    }
}

/// The square of the bound. `slopes[j]` are the slopes of neuron `j` that are possible.
pub fn bound(system: &System, slopes: &[Slope], norms: Norms) -> Result<Dyadic, LipError> {
    if slopes.len() != system.neurons.len() {
        return Err(LipError::shape("slopes of every neuron", &slopes.len().to_string()));
    }
    let inputs = system.inputs;
    let mut sums = Sums { dense: vec![Dyadic::ZERO; inputs + slopes.len()], work: 0 };
    let mut forms: Vec<Form> = (0..inputs).map(|i| Form { row: vec![(i, Dyadic::ONE)], rest: Dyadic::ZERO }).collect();
    for (j, (neuron, slope)) in system.neurons.iter().zip(slopes).enumerate() {
        let argument = sums.form(&neuron.argument.row, &forms)?;
        let middle = (&slope.lower + &slope.upper).scaled(-1);
        let radius = (&slope.upper - &slope.lower).scaled(-1);
        let mut form = Form { row: Row::new(), rest: &argument.rest * &middle.abs() };
        if !middle.is_zero() {
            argument.row.iter().for_each(|(k, c)| form.push(*k, c * &middle));
        }
        if !radius.is_zero() {
            let (own, others) = argument.sizes(inputs, norms.input);
            form.row.push((inputs + j, (&radius * &(&own + &others)).round_up(BITS)));
        }
        form.rest = form.rest.round_up(BITS);
        forms.push(form);
    }
    let (mut largest, mut total, mut squares, mut unknown) = (Dyadic::ZERO, Dyadic::ZERO, Dyadic::ZERO, Dyadic::ZERO);
    let mut columns = vec![Dyadic::ZERO; inputs];
    for output in &system.outputs {
        let form = sums.form(&output.row, &forms)?;
        let (own, others) = form.sizes(inputs, norms.input);
        let size = over(&(&own + &others), output.divisor);
        unknown = &unknown + &over(&others, output.divisor);
        for (i, c) in form.row.iter().filter(|(k, _)| *k < inputs) {
            if let Some(column) = columns.get_mut(*i) {
                *column = &*column + &over(&c.abs(), output.divisor);
            }
        }
        total = &total + &size;
        squares = &squares + &(&size * &size);
        largest = largest.max(size);
    }
    let bound = match norms.output {
        Norm::Linf => largest,
        Norm::L2 => return Ok(squares),
        // A convex function of `v` is largest at a vertex of the cross-polytope.
        Norm::L1 if norms.input == Norm::L1 => &columns.into_iter().max().unwrap_or(Dyadic::ZERO) + &unknown,
        Norm::L1 => total,
    };
    Ok(&bound * &bound)
}
