//! One ONNX operator at a time: what each means, and which are refused. Trust: checked.
//!
//! Definitions: the ONNX operator specification (ONNX project, default domain, operator sets 7 to 25). An operator, attribute or
//! shape without an exact counterpart in [`Op`] is refused by name, never skipped.

use super::super::error::{Result, malformed, unsupported};
use super::attribute::Attributes;
use super::constant::Constant;
use super::graph::{Builder, Flow, Value};
use super::message::Node;
use super::{affine, reshape};
use crate::data::number;
use crate::kernel::net::{Activation, Op, Size, Source, Weight};

const SUPPORTED: &str = "supported are Gemm, MatMul, Conv, Add, Sub, Mul and Div by constants, residual Add, Concat, Relu, LeakyRelu, \
Elu, Tanh, Sigmoid, Softplus, Softsign, Atan, Gelu, Clip and Max with 0, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, \
ReduceMean over an image, Flatten, Reshape, Squeeze, Unsqueeze, Transpose of constants, Shape, Gather of a shape, Identity, \
Dropout at inference and Constant";

/// A node under translation.
pub(super) struct Call<'a> {
    pub node: &'a Node,
    pub op: &'a str,
    pub label: &'a str,
    pub inputs: &'a [Option<Value>],
}

impl<'a> Call<'a> {
    /// Errors: an attribute that is not listed.
    pub fn attributes(&self, known: &[&str]) -> Result<Attributes<'a>> {
        Attributes::of(self.node, self.label, self.op, known)
    }

    /// Errors: fewer than `least` or more than `most` inputs.
    pub fn arity(&self, least: usize, most: usize) -> Result<()> {
        if (least..=most).contains(&self.inputs.len()) {
            return Ok(());
        }
        malformed(self.label, format!("{least} to {most} inputs for {}", self.op), self.inputs.len())
    }

    pub fn input(&self, index: usize) -> Option<&'a Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    pub fn flow(&self, index: usize) -> Result<&'a Flow> {
        match self.input(index) {
            Some(Value::Flow(flow)) => Ok(flow),
            Some(Value::Constant(_)) => self.refuse("its data input is a constant"),
            None => malformed(self.label, format!("input {} of {}", index + 1, self.op), "none"),
        }
    }

    pub fn constant(&self, index: usize) -> Result<&'a Constant> {
        match self.input(index) {
            Some(Value::Constant(constant)) => Ok(constant),
            Some(Value::Flow(_)) => self.refuse(&format!("input {} is not a constant", index + 1)),
            None => malformed(self.label, format!("input {} of {}", index + 1, self.op), "none"),
        }
    }

    /// The integers of a constant input, or those of the attribute that older operator sets have in its place.
    pub fn integers(&self, index: usize, attributes: &Attributes<'_>, name: &str) -> Result<Option<Vec<i64>>> {
        if self.input(index).is_none() {
            return Ok(attributes.ints(name)?.map(<[i64]>::to_vec));
        }
        match self.constant(index)?.integers() {
            Some(integers) => Ok(Some(integers)),
            None => malformed(self.label, format!("a short list of integers as `{name}`"), "another tensor"),
        }
    }

    pub fn refuse<T>(&self, reason: &str) -> Result<T> {
        unsupported(self.op, self.label, reason)
    }
}

/// Translates one node whose inputs are known.
pub(super) fn translate(
    builder: &mut Builder<'_>,
    node: &Node,
    label: &str,
    inputs: &[Option<Value>],
) -> Result<Value> {
    let op = node.op_type.as_deref().unwrap_or("");
    let domain = node.domain.as_deref().unwrap_or("");
    if !matches!(domain, "" | "ai.onnx") {
        return unsupported(
            format!("operator {domain}::{op}"),
            label,
            "only operators of the default domain have a known meaning",
        );
    }
    let call = &Call { node, op, label, inputs };
    match op {
        "Gemm" => affine::gemm(builder, call),
        "MatMul" => affine::matmul(builder, call),
        "Conv" => affine::conv(builder, call),
        "Add" | "Sub" | "Mul" | "Div" => affine::arithmetic(builder, call),
        "Relu" => plain(builder, call, Activation::Relu),
        "Tanh" => plain(builder, call, Activation::Tanh),
        "Sigmoid" => plain(builder, call, Activation::Sigmoid),
        "Softplus" => plain(builder, call, Activation::Softplus),
        "Softsign" => plain(builder, call, Activation::Softsign),
        "Atan" => plain(builder, call, Activation::Arctan),
        "LeakyRelu" => {
            let slope = call.attributes(&["alpha"])?.float("alpha", 0.01)?;
            activate(builder, call, Activation::LeakyRelu(number::to_rational(slope)))
        }
        "Elu" => {
            let alpha = call.attributes(&["alpha"])?.float("alpha", 1.0)?;
            activate(builder, call, Activation::Elu(number::to_rational(alpha)))
        }
        "Gelu" => gelu(builder, call),
        "Max" => max(builder, call),
        "Clip" => clip(builder, call),
        "MaxPool" | "AveragePool" => pool(builder, call),
        "GlobalAveragePool" | "GlobalMaxPool" => global_pool(builder, call),
        "ReduceMean" => reduce_mean(builder, call),
        "Concat" => reshape::concat(builder, call),
        "Identity" => {
            call.arity(1, 1)?;
            call.attributes(&[])?;
            pass(call)
        }
        "Dropout" => dropout(builder, call),
        "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => reshape::reshape(builder, call),
        "Transpose" => reshape::transpose(builder, call),
        "Constant" => constant(builder, call),
        "Shape" => reshape::shape(call),
        "Gather" => reshape::gather(call),
        "BatchNormalization" => unsupported(
            op,
            label,
            "its factor 1/sqrt(variance + epsilon) is irrational; export in evaluation mode, which folds it into the convolution",
        ),
        "Erf" => unsupported(op, label, "export GELU as one operator (operator set 20 or later)"),
        _ => unsupported(format!("operator {op}"), label, SUPPORTED),
    }
}

fn pass(call: &Call<'_>) -> Result<Value> {
    match call.input(0) {
        Some(value) => Ok(value.clone()),
        None => malformed(call.label, format!("an input of {}", call.op), "none"),
    }
}

fn plain(builder: &mut Builder<'_>, call: &Call<'_>, activation: Activation) -> Result<Value> {
    call.attributes(&[])?;
    activate(builder, call, activation)
}

fn activate(builder: &mut Builder<'_>, call: &Call<'_>, activation: Activation) -> Result<Value> {
    call.arity(1, 1)?;
    Ok(activated(builder, call.flow(0)?, activation))
}

fn activated(builder: &mut Builder<'_>, flow: &Flow, activation: Activation) -> Value {
    let shape = builder.delivered(flow.source).to_vec();
    let source = builder.push(Op::Activation(activation), vec![flow.source], shape, None);
    Value::Flow(Flow { source, shape: flow.shape.clone(), fixed: false, exclusive: true })
}

fn gelu(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    match call.attributes(&["approximate"])?.text("approximate")?.as_deref() {
        None | Some("none") => activate(builder, call, Activation::Gelu),
        Some("tanh") => activate(builder, call, Activation::GeluTanh),
        Some(other) => malformed(call.label, "approximate = none or tanh", other),
    }
}

/// `Max(x, 0)` is ReLU.
fn max(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(2, 2)?;
    call.attributes(&[])?;
    let (flow, constant) = match (call.input(0), call.input(1)) {
        (Some(Value::Flow(flow)), Some(Value::Constant(c))) | (Some(Value::Constant(c)), Some(Value::Flow(flow))) => {
            (flow, c)
        }
        _ => return call.refuse("only the maximum of a value and the constant 0 is read"),
    };
    let zero = constant.data.iter().all(|weight| weight.mantissa == 0);
    let enlarges = constant.shape.len() > flow.shape.len() || constant.broadcast_axes(&flow.shape).is_none();
    if !zero || enlarges {
        return call.refuse("only the maximum of a value and the constant 0 is read");
    }
    Ok(activated(builder, flow, Activation::Relu))
}

fn clip(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 3)?;
    let attributes = call.attributes(&["min", "max"])?;
    let bound = |index: usize, name: &str| match call.input(index) {
        None => attributes.float_if_any(name),
        Some(_) => match call.constant(index)?.scalar() {
            Some(value) => Ok(Some(value)),
            None => malformed(call.label, format!("one number as `{name}`"), "several"),
        },
    };
    let [zero, one, six] = [0, 1, 6].map(number::from_integer);
    let minus_one = number::from_integer(-1);
    let activation = match (bound(1, "min")?, bound(2, "max")?) {
        (Some(low), None) if low == zero => Activation::Relu,
        (Some(low), Some(high)) if low == zero && high == six => Activation::Relu6,
        (Some(low), Some(high)) if low == minus_one && high == one => Activation::HardTanh,
        _ => return call.refuse("only Clip from 0, from 0 to 6 and from -1 to 1 is read"),
    };
    Ok(activated(builder, call.flow(0)?, activation))
}

/// Output length of a window; `ceil` windows are read only where rounding up changes nothing.
fn windows(call: &Call<'_>, length: usize, window: Size, stride: Size, pad: Size, ceil: bool) -> Result<usize> {
    let padded = (length as Size).checked_add(pad.saturating_mul(2));
    let Some(free) = padded.and_then(|padded| padded.checked_sub(window)) else {
        return malformed(call.label, format!("a window that fits {length} positions"), window);
    };
    if ceil && free % stride != 0 {
        return call.refuse("ceil_mode with a window that hangs over the edge is not read");
    }
    match usize::try_from(free / stride + 1) {
        Ok(count) => Ok(count),
        Err(_) => malformed(call.label, "an output size below 2^64", "a larger one"),
    }
}

fn pool(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 1)?;
    let known =
        ["kernel_shape", "strides", "pads", "auto_pad", "dilations", "ceil_mode", "storage_order", "count_include_pad"];
    let attributes = call.attributes(&known)?;
    let flow = call.flow(0)?;
    let [c, h, w] = builder.image(flow, call.op, call.label)?;
    let window = attributes.pair("kernel_shape", None)?;
    let stride = attributes.pair("strides", Some((1, 1)))?;
    let pad = attributes.padding()?;
    let ceil = attributes.int("ceil_mode", 0)? != 0;
    attributes.no_dilation()?;
    let shape =
        vec![c, windows(call, h, window.0, stride.0, pad.0, ceil)?, windows(call, w, window.1, stride.1, pad.1, ceil)?];
    let op = match call.op {
        "MaxPool" if pad.0 < window.0 && pad.1 < window.1 => Op::MaxPool { window, stride, pad },
        "MaxPool" => return malformed(call.label, "padding smaller than the window", format!("{pad:?}")),
        _ if pad == (0, 0) => Op::AvgPool { window, stride },
        _ => return call.refuse("average pooling with padding is not read"),
    };
    Ok(image_flow(builder, op, flow.source, shape))
}

fn image_flow(builder: &mut Builder<'_>, op: Op, source: Source, shape: Vec<usize>) -> Value {
    let onnx_shape = std::iter::once(1).chain(shape.iter().copied()).collect();
    let source = builder.push(op, vec![source], shape, None);
    Value::Flow(Flow { source, shape: onnx_shape, fixed: false, exclusive: true })
}

fn global_pool(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 1)?;
    call.attributes(&[])?;
    let flow = call.flow(0)?;
    let [c, h, w] = builder.image(flow, call.op, call.label)?;
    let op = if call.op == "GlobalMaxPool" {
        Op::MaxPool { window: (h as Size, w as Size), stride: (1, 1), pad: (0, 0) }
    } else {
        Op::GlobalAvgPool
    };
    Ok(image_flow(builder, op, flow.source, vec![c, 1, 1]))
}

/// The mean over height and width is global average pooling.
fn reduce_mean(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 2)?;
    let attributes = call.attributes(&["axes", "keepdims", "noop_with_empty_axes"])?;
    let flow = call.flow(0)?;
    let mut axes = call.integers(1, &attributes, "axes")?.unwrap_or_default();
    let rank = flow.shape.len() as i64;
    axes.iter_mut().filter(|axis| **axis < 0).for_each(|axis| *axis = axis.saturating_add(rank));
    axes.sort_unstable();
    if rank != 4 || axes != [2, 3] {
        return call.refuse("only the mean over height and width of an image is read");
    }
    let [c, _, _] = builder.image(flow, call.op, call.label)?;
    let source = builder.push(Op::GlobalAvgPool, vec![flow.source], vec![c, 1, 1], None);
    let shape = if attributes.int("keepdims", 1)? != 0 { vec![1, c, 1, 1] } else { vec![1, c] };
    Ok(Value::Flow(Flow { source, shape, fixed: false, exclusive: true }))
}

/// Dropout at inference is the identity.
fn dropout(builder: &Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(1, 3)?;
    let attributes = call.attributes(&["ratio", "seed", "is_test"])?;
    let training = match call.input(2) {
        None => false,
        Some(Value::Constant(mode)) => mode.data.iter().any(|weight| weight.mantissa != 0),
        Some(Value::Flow(_)) => true,
    };
    if training || (builder.opset < 7 && attributes.int("is_test", 0)? == 0) {
        return call.refuse("dropout in training mode is random; export the network in evaluation mode");
    }
    pass(call)
}

fn constant(builder: &mut Builder<'_>, call: &Call<'_>) -> Result<Value> {
    call.arity(0, 0)?;
    let known = ["value", "value_float", "value_floats", "value_int", "value_ints"];
    let attributes = call.attributes(&known)?;
    if call.node.attribute.len() != 1 {
        return malformed(call.label, "one value", call.node.attribute.len());
    }
    let name = call.node.output.first().map_or("", String::as_str);
    let constant = if let Some(tensor) = attributes.tensor("value")? {
        Constant::read(name, tensor, &mut builder.external)?
    } else if let Some(ints) = attributes.ints("value_ints")? {
        Constant::from_integers(ints)
    } else if let Some(floats) = attributes.floats("value_floats")? {
        let values: Option<Vec<Weight>> = floats.iter().map(|&value| number::from_f32(value)).collect();
        match values {
            Some(values) => Constant::from_floats(vec![floats.len()], values),
            None => return malformed(call.label, "finite numbers", "NaN or an infinity"),
        }
    } else if let Some(value) = attributes.float_if_any("value_float")? {
        Constant::from_floats(Vec::new(), vec![value])
    } else {
        let value = Constant::from_integers(&[attributes.int("value_int", 0)?]);
        value.reshaped(Vec::new()).unwrap_or(value)
    };
    builder.spend(constant.data.len())?;
    Ok(Value::Constant(constant))
}
