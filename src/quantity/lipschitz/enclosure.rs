//! The dual value in intervals: a rigorous lower end of the relaxation's optimum. Trust: untrusted (it is reported, never proved with).
//!
//! Every choice of vectors `|u_j| <= 1` and of an input `Y_0` of norm at most 1 is dual feasible (see [`super::dual`]), also with
//! the original weights and exact slopes. So the value of the forward pass, evaluated downwards, is at most the optimum.

use super::graph::{Graph, from_f64, ldexp, to_f64};
use crate::kernel::lipschitz::{Dyadic, Norm, Slope, System};
use crate::num::Interval;
use std::ops::Range;

/// A lower bound of the square of the optimum, in units of `4^exponent`. `None` outside the range of f64.
pub fn value_below<const K: usize>(
    system: &System,
    outputs: Range<usize>,
    slopes: &[Slope],
    graph: &Graph,
    norm: Norm,
    x: &[[f64; K]],
) -> Option<f64> {
    let inputs = graph.original_input(&x[..graph.inputs]);
    let exponents = exponents(system, graph);
    let mut values: Vec<[Interval; K]> = Vec::with_capacity(exponents.len());
    for row in &inputs {
        values.push(points(row)?);
    }
    shrink(&mut values, norm)?;
    let combine = |row: &[(usize, Dyadic)], exponent: i64, values: &[[Interval; K]]| -> Option<[Interval; K]> {
        let mut sum = [Interval::ZERO; K];
        for (variable, value) in row {
            let weight = enclosed(value, exponents.get(*variable)? - exponent)?;
            let z = values.get(*variable)?;
            (0..K).for_each(|q| sum[q] = sum[q] + weight * z[q]);
        }
        Some(sum)
    };
    for (j, (neuron, slope)) in system.neurons.iter().zip(slopes).enumerate() {
        let v = combine(&neuron.argument.row, exponents[system.inputs + j], &values)?;
        let (a, b) = (enclosed(&slope.lower, 0)?, enclosed(&slope.upper, 0)?);
        let half = Interval::point(0.5).ok()?;
        let (middle, radius) = ((a + b) * half, (b - a) * half);
        let mut u = [points(x.get(graph.inputs + j)?)?];
        shrink(&mut u, Norm::Linf)?;
        let length = v.iter().fold(Interval::ZERO, |sum, v| sum + v.sqr()).sqrt_of_nonnegative().ok()?;
        values.push(std::array::from_fn(|q| middle * v[q] + radius * length * u[0][q]));
    }
    let mut total = Interval::ZERO;
    for output in system.outputs.get(outputs)? {
        let y = combine(&output.row, graph.output_exponent(), &values)?;
        let divisor = Interval::from(output.divisor);
        for y in y {
            total = total + y.checked_div(divisor).ok()?.sqr();
        }
    }
    (total.lo() >= 0.0 && total.hi().is_finite()).then(|| total.lo())
}

/// The exponent of the scaling of every variable of the system.
fn exponents(system: &System, graph: &Graph) -> Vec<i64> {
    let mut exponents = vec![0; system.inputs];
    for g in graph.hidden() {
        let group = &graph.groups[g];
        exponents.extend(std::iter::repeat_n(group.exponent, group.variables.len()));
    }
    exponents
}

fn points<const K: usize>(row: &[f64; K]) -> Option<[Interval; K]> {
    let mut out = [Interval::ZERO; K];
    for (out, x) in out.iter_mut().zip(row) {
        *out = Interval::point(*x).ok()?;
    }
    Some(out)
}

/// Divides by an upper bound of the norm: each row's for linf, that of all entries for l2.
fn shrink<const K: usize>(rows: &mut [[Interval; K]], norm: Norm) -> Option<()> {
    let length = |rows: &[[Interval; K]]| {
        let square = rows.iter().flatten().fold(Interval::ZERO, |sum, x| sum + x.sqr());
        let length = square.sqrt_of_nonnegative().ok()?.hi();
        Interval::point(if length > 0.0 { length } else { 1.0 }).ok()
    };
    let divide = |rows: &mut [[Interval; K]]| {
        let length = length(rows)?;
        for x in rows.iter_mut().flatten() {
            *x = x.checked_div(length).ok()?;
        }
        Some(())
    };
    match norm {
        Norm::Linf => rows.chunks_mut(1).try_for_each(divide),
        _ => divide(rows),
    }
}

/// `value * 2^shift`
fn enclosed(value: &Dyadic, shift: i64) -> Option<Interval> {
    let near = to_f64(value, shift);
    let exact = from_f64(near, -shift)?;
    let (down, up) = (near.next_down(), near.next_up());
    match value.cmp(&exact) {
        std::cmp::Ordering::Equal => Interval::point(near).ok(),
        // The conversion rounds at most twice.
        std::cmp::Ordering::Less => Interval::new(down.next_down(), near).ok(),
        std::cmp::Ordering::Greater => Interval::new(near, up.next_up()).ok(),
    }
}

/// The square root of a lower bound of a square, rounded down, times `2^exponent`.
pub fn root_below(square: f64, exponent: i64) -> Option<f64> {
    let root = Interval::point(square).ok()?.sqrt_of_nonnegative().ok()?.lo();
    let scaled = ldexp(root, exponent);
    (scaled.is_normal() && scaled.is_finite()).then_some(scaled)
}
