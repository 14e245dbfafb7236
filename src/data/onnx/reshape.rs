//! Operators that move no number: reshapes, transpositions, concatenation, and the small integers of shapes. Trust: checked.

use super::super::error::{Result, malformed};
use super::constant::{Constant, RANK};
use super::graph::{Builder, Flow, Value};
use super::op::Call;
use crate::kernel::net::{Op, Source};

/// A value in another shape of the same size; the row-major order of the numbers stays.
fn reshaped(call: &Call<'_>, value: &Value, shape: Vec<usize>) -> Result<Value> {
    let old = match value {
        Value::Constant(constant) => &constant.shape,
        Value::Flow(flow) => &flow.shape,
    };
    let size = |shape: &[usize]| shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
    if shape.len() > RANK || size(old) != size(&shape) || size(old).is_none() {
        return malformed(call.label, format!("a shape of the size of {old:?}"), format!("{shape:?}"));
    }
    Ok(match value {
        Value::Flow(flow) => Value::Flow(Flow { shape, ..flow.clone() }),
        Value::Constant(constant) => match constant.reshaped(shape) {
            Some(constant) => Value::Constant(constant),
            None => return malformed(call.label, "a shape of equal size", "another"),
        },
    })
}

/// Flatten, Reshape, Squeeze and Unsqueeze.
pub(super) fn reshape(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 2)?;
    let attributes = call.attributes(match call.op {
        "Flatten" => &["axis"],
        "Reshape" => &["allowzero"],
        _ => &["axes"],
    })?;
    let Some(value) = call.input(0) else {
        return malformed(call.label, format!("an input of {}", call.op), "none");
    };
    let old: Vec<usize> = match value {
        Value::Constant(constant) => constant.shape.clone(),
        Value::Flow(flow) => flow.shape.clone(),
    };
    let shape = match call.op {
        "Flatten" => {
            let axis = position(call, attributes.int("axis", 1)?, old.len(), true)?;
            let (before, after) = old.split_at(axis.min(old.len()));
            let product = |axes: &[usize]| axes.iter().fold(1usize, |size, &axis| size.saturating_mul(axis));
            vec![product(before), product(after)]
        }
        "Reshape" => {
            let keep_zero = attributes.int("allowzero", 0)? == 0 || builder.opset < 14;
            match call.constant(1)?.integers() {
                Some(target) => target_shape(call, &old, &target, keep_zero)?,
                None => return malformed(call.label, "a short list of integers as the shape", "another tensor"),
            }
        }
        "Squeeze" => {
            let mut drop = vec![false; old.len()];
            match call.integers(1, &attributes, "axes")? {
                Some(axes) => {
                    for axis in axes {
                        let axis = position(call, axis, old.len(), false)?;
                        if let Some(slot) = drop.get_mut(axis) {
                            *slot = true;
                        }
                    }
                }
                None => drop.iter_mut().zip(&old).for_each(|(slot, &axis)| *slot = axis == 1),
            }
            if old.iter().zip(&drop).any(|(&axis, &drop)| drop && axis != 1) {
                return malformed(call.label, "axes of size 1 to squeeze", format!("shape {old:?}"));
            }
            old.iter().zip(&drop).filter(|(_, drop)| !**drop).map(|(&axis, _)| axis).collect()
        }
        _ => {
            let Some(axes) = call.integers(1, &attributes, "axes")? else {
                return malformed(call.label, "`axes`", "none");
            };
            let rank = old.len().saturating_add(axes.len());
            let mut fresh = vec![false; rank.min(2 * RANK)];
            for axis in axes {
                let axis = position(call, axis, rank, false)?;
                match fresh.get_mut(axis) {
                    Some(slot) if !*slot => *slot = true,
                    _ => return malformed(call.label, "each axis once", format!("axis {axis} again")),
                }
            }
            let mut rest = old.iter().copied();
            fresh.iter().map(|&fresh| if fresh { 1 } else { rest.next().unwrap_or(1) }).collect()
        }
    };
    reshaped(call, value, shape)
}

/// An axis counted from the end if negative. `end` allows the position after the last axis.
fn position(call: &Call<'_>, axis: i64, rank: usize, end: bool) -> Result<usize> {
    let signed = rank as i64;
    let at = if axis < 0 { axis.saturating_add(signed) } else { axis };
    match usize::try_from(at) {
        Ok(at) if at < rank || (end && at == rank) => Ok(at),
        _ => malformed(call.label, format!("an axis of {rank}"), axis),
    }
}

/// The target of Reshape: -1 is inferred, and 0 copies the axis of the input if `keep_zero`.
fn target_shape(call: &Call<'_>, old: &[usize], target: &[i64], keep_zero: bool) -> Result<Vec<usize>> {
    let refuse = || malformed(call.label, format!("a target shape for {old:?}"), format!("{target:?}"));
    let mut shape = Vec::with_capacity(target.len());
    let mut inferred = None;
    let mut known = 1usize;
    for (at, &axis) in target.iter().enumerate() {
        let axis = match axis {
            -1 if inferred.is_none() => {
                inferred = Some(at);
                1
            }
            0 if keep_zero => match old.get(at) {
                Some(&axis) => axis,
                None => return refuse(),
            },
            axis => match usize::try_from(axis) {
                Ok(axis) => axis,
                Err(_) => return refuse(),
            },
        };
        known = match known.checked_mul(axis) {
            Some(known) => known,
            None => return refuse(),
        };
        shape.push(axis);
    }
    if let Some(slot) = inferred.and_then(|at| shape.get_mut(at)) {
        let size = old.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
        match size {
            Some(size) if known > 0 && size % known == 0 => *slot = size / known,
            _ => return refuse(),
        }
    }
    Ok(shape)
}

/// Constants are transposed; data only where the order of the numbers does not change.
pub(super) fn transpose(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 1)?;
    let attributes = call.attributes(&["perm"])?;
    let Some(value) = call.input(0) else {
        return malformed(call.label, "an input of Transpose", "none");
    };
    let rank = match value {
        Value::Constant(constant) => constant.shape.len(),
        Value::Flow(flow) => flow.shape.len(),
    };
    let order: Option<Vec<usize>> = match attributes.ints("perm")? {
        Some(perm) => perm.iter().map(|&axis| usize::try_from(axis).ok()).collect(),
        None => Some((0..rank).rev().collect()),
    };
    let is_permutation = |order: &Vec<usize>| {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        sorted.iter().copied().eq(0..rank)
    };
    let Some(order) = order.filter(is_permutation) else {
        return malformed(call.label, format!("a permutation of {rank} axes"), "another `perm`");
    };
    match value {
        Value::Constant(constant) => {
            builder.spend(constant.data.len())?;
            match constant.transposed(&order) {
                Some(constant) => Ok(Value::Constant(constant)),
                None => malformed(call.label, format!("a permutation of {rank} axes"), "another `perm`"),
            }
        }
        Value::Flow(flow) => {
            let moved: Vec<usize> =
                order.iter().copied().filter(|&axis| flow.shape.get(axis).is_some_and(|&size| size != 1)).collect();
            if !moved.is_sorted() {
                return call.refuse("a transposition of the data is read only where it keeps the order of the numbers");
            }
            let shape = order.iter().filter_map(|&axis| flow.shape.get(axis).copied()).collect();
            Ok(Value::Flow(Flow { shape, ..flow.clone() }))
        }
    }
}

/// Concatenation of data along its channels or features, or of shapes.
pub(super) fn concat(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    let attributes = call.attributes(&["axis"])?;
    let axis = attributes.int("axis", 0)?;
    call.arity(1, 1024)?;
    if let Some(Value::Constant(_)) = call.input(0) {
        let mut all = Vec::new();
        for index in 0..call.inputs.len() {
            match call.constant(index)?.integers() {
                Some(integers) if axis == 0 && all.len() <= RANK => all.extend(integers),
                _ => return call.refuse("constants are concatenated only where they are shapes"),
            }
        }
        return Ok(Value::Constant(Constant::from_integers(&all)));
    }
    let flows: Vec<&Flow> = (0..call.inputs.len()).map(|index| call.flow(index)).collect::<Result<_>>()?;
    let Some((first, others)) = flows.split_first() else {
        return malformed(call.label, "inputs of Concat", "none");
    };
    if others.is_empty() {
        return Ok(Value::Flow((*first).clone()));
    }
    let axis = position(call, axis, first.shape.len(), false)?;
    let mut total = 0usize;
    for flow in &flows {
        let fits = flow.shape.len() == first.shape.len()
            && flow.shape.iter().zip(&first.shape).enumerate().all(|(at, (a, b))| at == axis || a == b);
        let sum = flow.shape.get(axis).and_then(|&size| total.checked_add(size));
        match sum {
            Some(sum) if fits => total = sum,
            _ => {
                return malformed(
                    call.label,
                    format!("shapes equal beyond axis {axis}"),
                    format!("{:?} and {:?}", first.shape, flow.shape),
                );
            }
        }
    }
    // Row-major data are concatenated as they lie only if every axis before is 1.
    if first.shape.iter().take(axis).any(|&size| size != 1) {
        return call.refuse("concatenation is read along channels or features only");
    }
    let rest: Vec<usize> = first.shape.iter().skip(axis + 1).copied().collect();
    let as_images = rest.len() == 2
        && flows.iter().all(|flow| {
            let shape = builder.delivered(flow.source);
            shape.get(1..) == Some(&rest) && shape.first() == flow.shape.get(axis)
        });
    let sources: Vec<Source> = if as_images {
        flows.iter().map(|flow| flow.source).collect()
    } else {
        flows.iter().map(|flow| builder.flat(flow)).collect()
    };
    let delivered: Vec<usize> = if as_images {
        std::iter::once(total).chain(rest).collect()
    } else {
        vec![rest.iter().fold(total, |size, &axis| size.saturating_mul(axis))]
    };
    let source = builder.push(Op::Concat, sources, delivered, None);
    let mut shape = first.shape.clone();
    if let Some(slot) = shape.get_mut(axis) {
        *slot = total;
    }
    Ok(Value::Flow(Flow { source, shape, fixed: false, exclusive: true }))
}

/// The shape of a value, with a batch of one.
pub(super) fn shape(call: &Call<'_>) -> Result<Value> {
    call.arity(1, 1)?;
    call.attributes(&[])?;
    let shape = match call.input(0) {
        Some(Value::Constant(constant)) => &constant.shape,
        Some(Value::Flow(flow)) => &flow.shape,
        None => return malformed(call.label, "an input of Shape", "none"),
    };
    let integers: Vec<i64> = shape.iter().map(|&axis| i64::try_from(axis).unwrap_or(i64::MAX)).collect();
    Ok(Value::Constant(Constant::from_integers(&integers)))
}

/// One entry of a shape.
pub(super) fn gather(call: &Call<'_>) -> Result<Value> {
    call.arity(2, 2)?;
    let axis = call.attributes(&["axis"])?.int("axis", 0)?;
    let (list, index) = match (call.input(0), call.input(1)) {
        (Some(Value::Constant(list)), Some(Value::Constant(index))) => (list, index),
        _ => return call.refuse("it is read only for an entry of a shape"),
    };
    let (Some(integers), Some(indices)) = (list.integers(), index.integers()) else {
        return call.refuse("it is read only for an entry of a shape");
    };
    if axis != 0 || list.shape.len() != 1 {
        return call.refuse("it is read only for an entry of a shape");
    }
    let mut picked = Vec::with_capacity(indices.len());
    for at in indices {
        let at = position(call, at, integers.len(), false)?;
        picked.extend(integers.get(at));
    }
    let shape = index.shape.clone();
    match Constant::from_integers(&picked).reshaped(shape) {
        Some(constant) => Ok(Value::Constant(constant)),
        None => malformed(call.label, "indices of a shape", "others"),
    }
}
