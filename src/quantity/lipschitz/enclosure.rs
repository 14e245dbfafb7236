//! The dual value in intervals: a rigorous lower end of the relaxation's optimum. Trust: untrusted (it is reported, never proved with).
//!
//! Every choice of vectors `|u_j| <= 1` and of an input `Y_0` of norm at most 1 is dual feasible (see [`super::dual`]), also with
//! the original weights and the exact slopes. So the value of the forward pass, evaluated downwards, is at most the optimum.
//! Intervals widen from layer to layer, so the precision grows with the depth.

use super::graph::Graph;
use crate::kernel::lipschitz::{Dyadic, Norm, Slope, System};
use crate::num::MpInterval;
use num_rational::BigRational;
use std::ops::Range;

/// A lower bound of the constant (not its square) that the relaxation of these outputs has as its optimum.
pub fn optimum_below<const K: usize>(
    system: &System,
    outputs: Range<usize>,
    slopes: &[Slope],
    graph: &Graph,
    norm: Norm,
    x: &[[f64; K]],
) -> Option<BigRational> {
    let precision = u32::try_from(64 + 8 * system.groups.len()).ok()?;
    let exact = |value: &Dyadic| MpInterval::from_rational(precision, &value.to_rational());
    let zero = MpInterval::from_integer(precision, 0);
    let mut values: Vec<Vec<MpInterval>> = Vec::with_capacity(system.inputs + system.neurons.len());
    for row in graph.original_input(&x[..graph.inputs]) {
        values.push(points(precision, &row)?);
    }
    match norm {
        Norm::Linf => values.iter_mut().try_for_each(|row| shrink(std::slice::from_mut(row)))?,
        _ => shrink(&mut values)?,
    }
    let combine = |row: &[(usize, Dyadic)], values: &[Vec<MpInterval>]| -> Option<Vec<MpInterval>> {
        let mut sum = vec![zero.clone(); K];
        for (variable, value) in row {
            let weight = exact(value);
            for (sum, z) in sum.iter_mut().zip(values.get(*variable)?) {
                *sum = &*sum + &(&weight * z);
            }
        }
        Some(sum)
    };
    for (j, (neuron, slope)) in system.neurons.iter().zip(slopes).enumerate() {
        let v = combine(&neuron.argument.row, &values)?;
        let half = |a: &Dyadic| exact(&a.scaled(-1));
        let (middle, radius) = (half(&(&slope.lower + &slope.upper)), half(&(&slope.upper - &slope.lower)));
        let mut u = [points(precision, x.get(graph.inputs + j)?)?];
        shrink(&mut u)?;
        let reach = &radius * &length(&v)?;
        values.push(v.iter().zip(&u[0]).map(|(v, u)| &(&middle * v) + &(&reach * u)).collect());
    }
    let mut images = Vec::new();
    for output in system.outputs.get(outputs)? {
        let divisor = MpInterval::from_integer(precision, i128::from(output.divisor));
        for y in combine(&output.row, &values)? {
            images.push(y.checked_div(&divisor).ok()?);
        }
    }
    length(&images)?.to_rationals().ok().map(|(low, _)| low)
}

fn points<const K: usize>(precision: u32, row: &[f64; K]) -> Option<Vec<MpInterval>> {
    row.iter().map(|x| MpInterval::from_f64(precision, *x).ok()).collect()
}

fn length(entries: &[MpInterval]) -> Option<MpInterval> {
    let (first, rest) = entries.split_first()?;
    rest.iter().fold(first.sqr(), |sum, x| &sum + &x.sqr()).sqrt().ok()
}

/// Divides by an upper bound of the norm of all entries.
fn shrink(rows: &mut [Vec<MpInterval>]) -> Option<()> {
    let entries: Vec<MpInterval> = rows.iter().flatten().cloned().collect();
    let length = length(&entries)?;
    let (_, most) = length.to_rationals().ok()?;
    if num_traits::Zero::is_zero(&most) {
        return Some(());
    }
    let most = MpInterval::from_rational(length.precision(), &most);
    for x in rows.iter_mut().flatten() {
        *x = x.checked_div(&most).ok()?;
    }
    Some(())
}
