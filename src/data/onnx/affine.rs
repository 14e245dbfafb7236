//! Affine operators: dense layers, convolutions, biases and input normalization. Trust: checked.
//!
//! Scalings (`alpha` and `beta` of Gemm) are folded into the weights exactly, or refused where the exact product does not fit.

use super::super::error::{Result, malformed, unsupported};
use super::constant::Constant;
use super::graph::{Builder, Flow, Value, tensor};
use super::op::Call;
use crate::data::number;
use crate::kernel::net::{Activation, Op, Parameters, Size, Weight};
use std::sync::Arc;

const INEXACT: &str = "its exact value needs more than 63 bits; fold the factor into the weights before the export";

/// `Y = alpha A B + beta C` with the data as A.
pub(super) fn gemm(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(2, 3)?;
    let attributes = call.attributes(&["alpha", "beta", "transA", "transB"])?;
    if attributes.int("transA", 0)? != 0 {
        return call.refuse("transA = 1 would exchange the batch and the features");
    }
    let flow = call.flow(0)?;
    if flow.shape.len() != 2 {
        return malformed(call.label, "an input of shape batch, features", format!("shape {:?}", flow.shape));
    }
    let transposed = attributes.int("transB", 0)? != 0;
    let Some(weight) = call.constant(1)?.scaled(attributes.float("alpha", 1.0)?) else {
        return call.refuse(INEXACT);
    };
    let bias = match call.input(2) {
        None => None,
        Some(_) => match call.constant(2)?.scaled(attributes.float("beta", 1.0)?) {
            Some(bias) => Some(bias),
            None => return call.refuse(INEXACT),
        },
    };
    dense(builder, call, flow, &weight, transposed, bias.as_ref())
}

pub(super) fn matmul(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(2, 2)?;
    call.attributes(&[])?;
    if let (Some(Value::Constant(_)), Some(Value::Flow(_))) = (call.input(0), call.input(1)) {
        return call.refuse("a constant on the left of the data is not read; export the layer as a linear layer");
    }
    dense(builder, call, call.flow(0)?, call.constant(1)?, false, None)
}

/// A dense layer; `weight` is `[units, features]` if `transposed`, else `[features, units]`.
fn dense(
    builder: &mut Builder<'_>,
    call: &Call<'_>,
    flow: &Flow,
    weight: &Constant,
    transposed: bool,
    bias: Option<&Constant>,
) -> Result<Value> {
    let [rows, columns] = *weight.shape.as_slice() else {
        return malformed(call.label, "a weight with two axes", format!("shape {:?}", weight.shape));
    };
    let Some((&features, leading)) = flow.shape.split_last() else {
        return malformed(call.label, "an input with at least one axis", "a scalar");
    };
    if leading.iter().any(|&axis| axis != 1) {
        return call
            .refuse(&format!("it acts on the last axis of shape {:?}; only single vectors are read", flow.shape));
    }
    let (units, inner) = if transposed { (rows, columns) } else { (columns, rows) };
    if inner != features {
        return malformed(
            call.label,
            format!("a weight for {features} features"),
            format!("one of shape {rows}x{columns} for {inner}"),
        );
    }
    if !weight.dtype.is_float() {
        return unsupported("integer weights", call.label, "quantized weights are not read");
    }
    let data = if transposed {
        weight.data.clone()
    } else {
        builder.spend(weight.data.len())?;
        match weight.transposed(&[1, 0]) {
            Some(weight) => weight.data,
            None => return malformed(call.label, "a weight with two axes", format!("shape {:?}", weight.shape)),
        }
    };
    builder.stored(weight);
    let mut shape = leading.to_vec();
    shape.push(units);
    let bias = match bias {
        None => None,
        Some(bias) => {
            builder.stored(bias);
            builder.spend(units)?;
            match bias.broadcast(&shape) {
                Some(data) => Some(tensor(call.label, vec![units], data)?),
                None => {
                    return malformed(
                        call.label,
                        format!("a bias for {units} units"),
                        format!("shape {:?}", bias.shape),
                    );
                }
            }
        }
    };
    let parameters = Parameters { weight: shared(call.label, vec![units, features], data)?, bias };
    let op = Op::Dense { units: units as Size, bias: parameters.bias.is_some() };
    let source = builder.flat(flow);
    let source = builder.push(op, vec![source], vec![units], Some(parameters));
    Ok(Value::Flow(Flow { source, shape, fixed: false, exclusive: true }))
}

/// A tensor that shares the entries of a constant.
fn shared(label: &str, shape: Vec<usize>, data: Arc<Vec<Weight>>) -> Result<crate::kernel::net::Tensor> {
    let size = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
    if size != Some(data.len()) {
        return malformed(label, format!("{size:?} entries"), data.len());
    }
    Ok(crate::kernel::net::Tensor { shape, data })
}

pub(super) fn conv(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(2, 3)?;
    let attributes = call.attributes(&["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"])?;
    let flow = call.flow(0)?;
    let weight = call.constant(1)?;
    let [c, h, w] = builder.image(flow, call.op, call.label)?;
    let [channels, per_group, kernel_h, kernel_w] = *weight.shape.as_slice() else {
        return malformed(call.label, "a weight with four axes", format!("shape {:?}", weight.shape));
    };
    let kernel = (kernel_h as Size, kernel_w as Size);
    if attributes.pair("kernel_shape", Some(kernel))? != kernel {
        return malformed(call.label, format!("kernel_shape {kernel:?} as the weight has"), "another");
    }
    let group = attributes.int("group", 1)?;
    let Some(groups) = usize::try_from(group).ok().filter(|&groups| groups > 0) else {
        return malformed(call.label, "a positive group", group);
    };
    if per_group.checked_mul(groups) != Some(c) || channels % groups != 0 {
        let found = format!("{per_group} per group in {groups} groups for {channels} outputs");
        return malformed(call.label, format!("a weight for {c} channels"), found);
    }
    if !weight.dtype.is_float() {
        return unsupported("integer weights", call.label, "quantized weights are not read");
    }
    let stride = attributes.pair("strides", Some((1, 1)))?;
    let pad = attributes.padding()?;
    attributes.no_dilation()?;
    let length = |size: usize, kernel: Size, stride: Size, pad: Size| {
        let padded = (size as Size).checked_add(pad.checked_mul(2)?)?;
        usize::try_from(padded.checked_sub(kernel)? / stride + 1).ok()
    };
    let (Some(out_h), Some(out_w)) = (length(h, kernel.0, stride.0, pad.0), length(w, kernel.1, stride.1, pad.1))
    else {
        return malformed(call.label, format!("a kernel that fits {h}x{w}"), format!("{kernel:?}"));
    };
    builder.stored(weight);
    let bias = match call.input(2) {
        None => None,
        Some(_) => {
            let bias = call.constant(2)?;
            builder.stored(bias);
            if bias.shape != [channels] {
                return malformed(call.label, format!("a bias of shape [{channels}]"), format!("{:?}", bias.shape));
            }
            Some(shared(call.label, vec![channels], bias.data.clone())?)
        }
    };
    let op = Op::Conv { channels: channels as Size, kernel, stride, pad, groups: groups as Size, bias: bias.is_some() };
    let parameters = Parameters { weight: shared(call.label, weight.shape.clone(), weight.data.clone())?, bias };
    let shape = vec![channels, out_h, out_w];
    let source = builder.push(op, vec![flow.source], shape, Some(parameters));
    Ok(Value::Flow(Flow { source, shape: vec![1, channels, out_h, out_w], fixed: false, exclusive: true }))
}

/// Add, Sub, Mul and Div: residual sums, biases, `x * sigmoid(x)`, and normalization of the input.
pub(super) fn arithmetic(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(2, 2)?;
    call.attributes(&[])?;
    match (call.input(0), call.input(1)) {
        (Some(Value::Flow(a)), Some(Value::Flow(b))) if call.op == "Add" => residual(builder, call, a, b),
        (Some(Value::Flow(a)), Some(Value::Flow(b))) if call.op == "Mul" => {
            silu(builder, a, b).or_else(|| silu(builder, b, a)).map_or_else(
                || call.refuse("the product of two values is read only as x * Sigmoid(x)"),
                |flow| Ok(Value::Flow(flow)),
            )
        }
        (Some(Value::Flow(flow)), Some(Value::Constant(constant))) => {
            constant_map(builder, call, flow, constant, false)
        }
        (Some(Value::Constant(constant)), Some(Value::Flow(flow))) => constant_map(builder, call, flow, constant, true),
        (Some(Value::Constant(_)), Some(Value::Constant(_))) => {
            call.refuse("arithmetic of constants is not read; export with constant folding")
        }
        _ => call.refuse("two values are only read as a residual sum"),
    }
}

fn residual(builder: &mut Builder<'_>, call: &Call<'_>, a: &Flow, b: &Flow) -> Result<Value> {
    if a.shape != b.shape {
        return malformed(call.label, "two values of equal shape", format!("{:?} and {:?}", a.shape, b.shape));
    }
    let (mut left, mut right) = (a.source, b.source);
    if builder.delivered(left) != builder.delivered(right) {
        left = builder.flat(a);
        right = builder.flat(b);
    }
    let shape = builder.delivered(left).to_vec();
    let source = builder.push(Op::Add, vec![left, right], shape, None);
    Ok(Value::Flow(Flow { source, shape: a.shape.clone(), fixed: false, exclusive: true }))
}

/// `x * sigmoid(x)` where `gate` is the sigmoid of `x` and nothing else reads it.
fn silu(builder: &mut Builder<'_>, x: &Flow, gate: &Flow) -> Option<Flow> {
    if x.shape != gate.shape || x.source == gate.source {
        return None;
    }
    let sigmoid = |op: &Op| *op == Op::Activation(Activation::Sigmoid);
    let reads = builder.reads(gate)?;
    if reads != x.source {
        return None;
    }
    builder.take_last(gate, sigmoid)?;
    let shape = builder.delivered(x.source).to_vec();
    let source = builder.push(Op::Activation(Activation::Silu), vec![x.source], shape, None);
    Some(Flow { source, shape: x.shape.clone(), fixed: false, exclusive: true })
}

/// A map of data and a constant; `constant_first` tells the order of the operands.
fn constant_map(
    builder: &mut Builder<'_>,
    call: &Call<'_>,
    flow: &Flow,
    constant: &Constant,
    constant_first: bool,
) -> Result<Value> {
    if constant.broadcast_axes(&flow.shape).is_none() {
        return malformed(
            call.label,
            format!("a constant that broadcasts to shape {:?}", flow.shape),
            format!("shape {:?}", constant.shape),
        );
    }
    if flow.fixed {
        return normalization(builder, call, flow, constant, constant_first);
    }
    let sign = match call.op {
        "Add" => number::from_integer(1),
        "Sub" if !constant_first => number::from_integer(-1),
        _ => {
            return call.refuse(
                "a constant factor inside the network is read only at its input; fold it into the weights before the export",
            );
        }
    };
    let Some(bias) = constant.scaled(sign) else { return call.refuse(INEXACT) };
    merge_bias(builder, call, flow, &bias)
}

/// A constant added to the output of a layer without bias is its bias.
fn merge_bias(builder: &mut Builder<'_>, call: &Call<'_>, flow: &Flow, constant: &Constant) -> Result<Value> {
    const ELSEWHERE: &str =
        "a constant is added only to the input, or as the bias of a linear layer or convolution without one";
    builder.stored(constant);
    let Some((op, parameters)) = builder.without_bias(flow) else {
        return call.refuse(ELSEWHERE);
    };
    let (units, per_unit) = match op {
        Op::Dense { bias, .. } => {
            *bias = true;
            (flow.shape.last().copied().unwrap_or(0), flow.shape.clone())
        }
        Op::Conv { bias, .. } => {
            let [1, channels, _, _] = *flow.shape.as_slice() else { return call.refuse(ELSEWHERE) };
            *bias = true;
            (channels, vec![1, channels, 1, 1])
        }
        _ => return call.refuse(ELSEWHERE),
    };
    // The bias of a convolution is constant over the image, so it must broadcast to one number per channel.
    let Some(data) = constant.broadcast(&per_unit).filter(|data| data.len() == units) else {
        return call.refuse("an added constant that is not one number per unit is not read");
    };
    parameters.bias = Some(tensor(call.label, vec![units], data)?);
    Ok(Value::Flow(flow.clone()))
}

/// `scale * x + shift` with constants of the exporter, before any trained layer.
fn normalization(
    builder: &mut Builder<'_>,
    call: &Call<'_>,
    flow: &Flow,
    constant: &Constant,
    constant_first: bool,
) -> Result<Value> {
    let (zero, one) = (number::from_integer(0), number::from_integer(1));
    let map = |c: Weight| -> Option<(Weight, Weight)> {
        Some(match (call.op, constant_first) {
            ("Add", _) => (one, c),
            ("Sub", false) => (one, number::negated(c)?),
            ("Sub", true) => (number::negated(one)?, c),
            ("Mul", _) => (c, zero),
            ("Div", false) => (number::reciprocal(c)?, zero),
            _ => return None,
        })
    };
    let shape = builder.delivered(flow.source).to_vec();
    let size = shape.iter().product();
    builder.spend(2usize.saturating_mul(size))?;
    let Some(constants) = constant.broadcast(&flow.shape) else {
        return malformed(call.label, "a constant that broadcasts to the input", format!("shape {:?}", constant.shape));
    };
    let mut scale = Vec::with_capacity(size);
    let mut shift = Vec::with_capacity(size);
    for c in constants {
        let Some((s, t)) = map(c) else {
            return call.refuse(
                "a divisor that is not a power of two has no exact reciprocal in binary; normalize the data instead, or \
                 multiply by the stored reciprocal",
            );
        };
        scale.push(s);
        shift.push(t);
    }
    let parameters = Parameters {
        weight: tensor(call.label, shape.clone(), scale)?,
        bias: Some(tensor(call.label, shape.clone(), shift)?),
    };
    let source = builder.push(Op::FixedAffine, vec![flow.source], shape, Some(parameters));
    Ok(Value::Flow(Flow { source, shape: flow.shape.clone(), fixed: true, exclusive: true }))
}
