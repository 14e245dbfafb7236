//! Small graphs, written as messages, for operators that the reference files do not hold.

use super::message::{
    Attribute, Dimension, Graph, Model, Node, OperatorSet, Shape, TensorProto, TensorType, TypeProto, ValueInfo,
};
use super::*;
use crate::data::number;
use crate::kernel::net::{Activation, Op};
use prost::Message;

fn info(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|&value| Dimension { value: Some(value), name: None }).collect();
    let tensor = TensorType { element: Some(1), shape: Some(Shape { dim }) };
    ValueInfo { name: Some(name.to_string()), kind: Some(TypeProto { tensor: Some(tensor) }) }
}

fn floats(name: &str, dims: &[i64], data: &[f32]) -> TensorProto {
    let name = Some(name.to_string());
    TensorProto { name, dims: dims.to_vec(), data_type: Some(1), float_data: data.to_vec(), ..Default::default() }
}

fn integers(name: &str, dims: &[i64], data: &[i64]) -> TensorProto {
    let name = Some(name.to_string());
    TensorProto { name, dims: dims.to_vec(), data_type: Some(7), int64_data: data.to_vec(), ..Default::default() }
}

fn node(op: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) -> Node {
    Node {
        op_type: Some(op.to_string()),
        input: inputs.iter().map(|name| name.to_string()).collect(),
        output: vec![output.to_string()],
        attribute,
        ..Default::default()
    }
}

fn float(name: &str, f: f32) -> Attribute {
    Attribute { name: Some(name.to_string()), f: Some(f), kind: Some(1), ..Default::default() }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { name: Some(name.to_string()), i: Some(i), kind: Some(2), ..Default::default() }
}

fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute { name: Some(name.to_string()), ints: values.to_vec(), kind: Some(7), ..Default::default() }
}

fn model(input: &[i64], initializer: Vec<TensorProto>, node: Vec<Node>, opset: i64) -> Model {
    let graph =
        Graph { node, initializer, input: vec![info("x", input)], output: vec![info("y", &[])], ..Default::default() };
    let set = OperatorSet { domain: None, version: Some(opset) };
    Model { ir_version: Some(8), graph: Some(graph), opset_import: vec![set], functions: Vec::new() }
}

fn import(model: &Model) -> Result<Network> {
    read(&Contents::new("m.onnx", model.encode_to_vec()), None).map(|import| import.network)
}

fn ops(input: &[i64], initializer: Vec<TensorProto>, nodes: Vec<Node>) -> Result<Vec<Op>> {
    let network = import(&model(input, initializer, nodes, 20))?;
    Ok(network.architecture().nodes.iter().map(|node| node.op.clone()).collect())
}

fn one(op: &str, attributes: Vec<Attribute>) -> Result<Vec<Op>> {
    ops(&[1, 3], Vec::new(), vec![node(op, &["x"], "y", attributes)])
}

#[test]
fn activations_keep_their_exact_parameters() {
    let tenth = number::to_rational(number::from_f32(0.1).unwrap());
    let expected = Op::Activation(Activation::LeakyRelu(tenth.clone()));
    assert_eq!(one("LeakyRelu", vec![float("alpha", 0.1)]).unwrap(), [expected]);
    assert_eq!(one("Elu", vec![float("alpha", 0.1)]).unwrap(), [Op::Activation(Activation::Elu(tenth))]);
    for (name, activation) in [
        ("Tanh", Activation::Tanh),
        ("Sigmoid", Activation::Sigmoid),
        ("Softplus", Activation::Softplus),
        ("Softsign", Activation::Softsign),
        ("Atan", Activation::Arctan),
        ("Gelu", Activation::Gelu),
    ] {
        assert_eq!(one(name, Vec::new()).unwrap(), [Op::Activation(activation)]);
    }
    assert!(one("LeakyRelu", vec![float("alpha", f32::NAN)]).is_err());
    assert!(one("LeakyRelu", vec![int("alpha", 1)]).unwrap_err().to_string().contains("type 1"));
    assert!(
        one("Relu", vec![int("consumed_inputs", 0)]).unwrap_err().to_string().contains("attribute `consumed_inputs`")
    );
    assert!(one("Erf", Vec::new()).unwrap_err().to_string().contains("Erf"));
    let missing_name = one("", Vec::new()).unwrap_err().to_string();
    assert!(missing_name.contains("node 0 (output `y`)"), "{missing_name}");
}

#[test]
fn clips_are_the_activations_they_equal() {
    let clip = |low: f32, high: Option<f32>| {
        let mut bounds = vec![floats("low", &[], &[low])];
        bounds.extend(high.map(|high| floats("high", &[], &[high])));
        let inputs: &[&str] = if high.is_some() { &["x", "low", "high"] } else { &["x", "low"] };
        ops(&[1, 3], bounds, vec![node("Clip", inputs, "y", Vec::new())])
    };
    assert_eq!(clip(0.0, None).unwrap(), [Op::Activation(Activation::Relu)]);
    assert_eq!(clip(0.0, Some(6.0)).unwrap(), [Op::Activation(Activation::Relu6)]);
    assert_eq!(clip(-1.0, Some(1.0)).unwrap(), [Op::Activation(Activation::HardTanh)]);
    assert!(clip(0.0, Some(5.0)).is_err());
}

#[test]
fn silu_is_recognized_only_where_the_gate_is_its_own() {
    let sigmoid = |input: &str| node("Sigmoid", &[input], "s", Vec::new());
    let silu = ops(&[1, 3], Vec::new(), vec![sigmoid("x"), node("Mul", &["x", "s"], "y", Vec::new())]);
    assert_eq!(silu.unwrap(), [Op::Activation(Activation::Silu)]);
    let other = vec![node("Tanh", &["x"], "t", Vec::new()), sigmoid("x"), node("Mul", &["t", "s"], "y", Vec::new())];
    assert!(ops(&[1, 3], Vec::new(), other).is_err());
    let shared =
        vec![sigmoid("x"), node("Mul", &["x", "s"], "m", Vec::new()), node("Add", &["m", "s"], "y", Vec::new())];
    assert!(ops(&[1, 3], Vec::new(), shared).is_err());
}

#[test]
fn normalization_is_exact_or_refused() {
    let by = |op: &str, divisor: f32| {
        ops(&[1, 2], vec![floats("c", &[1], &[divisor])], vec![node(op, &["x", "c"], "y", Vec::new())])
    };
    assert_eq!(by("Div", 0.5).unwrap(), [Op::FixedAffine]);
    assert_eq!(by("Mul", 0.3).unwrap(), [Op::FixedAffine]);
    assert!(by("Div", 0.3081).unwrap_err().to_string().contains("power of two"));
    assert!(by("Div", 0.0).is_err());
    let first = ops(&[1, 2], vec![floats("c", &[1], &[1.0])], vec![node("Sub", &["c", "x"], "y", Vec::new())]);
    assert_eq!(first.unwrap(), [Op::FixedAffine]);
    let later = vec![node("Relu", &["x"], "r", Vec::new()), node("Mul", &["r", "c"], "y", Vec::new())];
    assert!(
        ops(&[1, 2], vec![floats("c", &[1], &[2.0])], later)
            .unwrap_err()
            .to_string()
            .contains("fold it into the weights")
    );
}

#[test]
fn a_bias_is_merged_only_into_a_layer_that_nothing_else_reads() {
    let weight = || floats("w", &[2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let bias = || floats("b", &[2], &[5.0, 6.0]);
    let matmul = || node("MatMul", &["x", "w"], "m", Vec::new());
    let merged =
        import(&model(&[1, 2], vec![weight(), bias()], vec![matmul(), node("Add", &["m", "b"], "y", Vec::new())], 13))
            .unwrap();
    assert_eq!(merged.architecture().nodes[0].op, Op::Dense { units: 2, bias: true });
    // The weight of MatMul is stored input by output; the kernel's is the transpose.
    let expected: Vec<_> = [1, 3, 2, 4].map(number::from_integer).into();
    assert_eq!(*merged.parameters()[0].as_ref().unwrap().weight.data, expected);
    let both = vec![matmul(), node("Add", &["m", "b"], "a", Vec::new()), node("Add", &["a", "m"], "y", Vec::new())];
    assert!(ops(&[1, 2], vec![weight(), bias()], both).unwrap_err().to_string().contains("bias"));
    let copied = vec![
        matmul(),
        node("Identity", &["m"], "i", Vec::new()),
        node("Add", &["i", "b"], "a", Vec::new()),
        node("Add", &["a", "m"], "y", Vec::new()),
    ];
    assert!(ops(&[1, 2], vec![weight(), bias()], copied).is_err());
}

#[test]
fn shapes_computed_by_old_exporters_are_read() {
    // x.view(x.size(0), -1) as exported before static shapes.
    let nodes = vec![
        node("Shape", &["x"], "shape", Vec::new()),
        node("Gather", &["shape", "zero"], "batch", vec![int("axis", 0)]),
        node("Unsqueeze", &["batch", "axes"], "batch1", Vec::new()),
        node("Concat", &["batch1", "rest"], "target", vec![int("axis", 0)]),
        node("Reshape", &["x", "target"], "flat", Vec::new()),
        node("Gemm", &["flat", "w"], "y", vec![int("transB", 1)]),
    ];
    let constants = vec![
        integers("zero", &[], &[0]),
        integers("axes", &[1], &[0]),
        integers("rest", &[1], &[-1]),
        floats("w", &[1, 4], &[1.0, 0.0, 0.0, 1.0]),
    ];
    let found = ops(&[1, 1, 2, 2], constants, nodes).unwrap();
    assert_eq!(found, [Op::Flatten, Op::Dense { units: 1, bias: false }]);
}

#[test]
fn images_keep_their_order() {
    let pool = |attributes| ops(&[1, 2, 4, 4], Vec::new(), vec![node("MaxPool", &["x"], "y", attributes)]);
    let window = || ints("kernel_shape", &[2, 2]);
    let expected = Op::MaxPool { window: (2, 2), stride: (2, 2), pad: (0, 0) };
    assert_eq!(pool(vec![window(), ints("strides", &[2, 2]), int("ceil_mode", 1)]).unwrap(), [expected]);
    assert!(pool(vec![window(), ints("strides", &[3, 3]), int("ceil_mode", 1)]).is_err());
    assert!(pool(vec![window(), ints("dilations", &[2, 2])]).is_err());
    assert!(pool(vec![window(), ints("pads", &[0, 0, 1, 1])]).is_err());
    assert!(pool(vec![]).unwrap_err().to_string().contains("kernel_shape"));
    let moved = |perm: &[i64]| {
        ops(
            &[1, 2, 1, 3],
            Vec::new(),
            vec![node("Transpose", &["x"], "t", vec![ints("perm", perm)]), node("Relu", &["t"], "y", Vec::new())],
        )
    };
    assert!(moved(&[0, 2, 1, 3]).is_ok());
    assert!(moved(&[0, 3, 1, 2]).is_err());
    assert!(moved(&[0, 0, 1, 2]).is_err());
    let two = vec![node("Relu", &["x"], "r", Vec::new()), node("Concat", &["x", "r"], "y", vec![int("axis", 1)])];
    let network = import(&model(&[1, 2, 1, 3], Vec::new(), two, 13)).unwrap();
    assert_eq!(network.architecture().shapes().unwrap().last().unwrap(), &[4, 1, 3]);
}

#[test]
fn a_flat_input_may_be_made_an_image() {
    let nodes = vec![
        node("Reshape", &["x", "target"], "image", Vec::new()),
        node("MaxPool", &["image"], "y", vec![ints("kernel_shape", &[2, 2])]),
    ];
    let network = import(&model(&[1, 4], vec![integers("target", &[4], &[-1, 1, 2, 2])], nodes, 13)).unwrap();
    assert_eq!(network.architecture().input, [1, 2, 2]);
}

#[test]
fn what_has_no_exact_meaning_is_refused_by_name() {
    let refusal = |model: &Model| import(model).unwrap_err().to_string();
    let identity = || vec![node("Relu", &["x"], "y", Vec::new())];
    assert!(refusal(&model(&[1, 3], Vec::new(), identity(), 6)).contains("operator set 6"));
    assert!(refusal(&model(&[1, 3], Vec::new(), identity(), 99)).contains("operator set 99"));
    assert!(refusal(&model(&[4, 3], Vec::new(), identity(), 13)).contains("batch of 4"));
    let normalized = vec![node("BatchNormalization", &["x", "s", "b", "m", "v"], "y", Vec::new())];
    let ones = ["s", "b", "m", "v"].map(|name| floats(name, &[3], &[1.0; 3])).to_vec();
    assert!(refusal(&model(&[1, 3], ones, normalized, 15)).contains("BatchNormalization"));
    let training = TensorProto { data_type: Some(9), int32_data: vec![1], ..integers("t", &[], &[]) };
    let training = TensorProto { dims: Vec::new(), int64_data: Vec::new(), ..training };
    let dropout = vec![node("Dropout", &["x", "", "t"], "y", Vec::new())];
    assert!(refusal(&model(&[1, 3], vec![training], dropout, 13)).contains("training mode"));
    let mut with_function = model(&[1, 3], Vec::new(), identity(), 13);
    with_function.functions = vec![prost::bytes::Bytes::from_static(b"f")];
    assert!(refusal(&with_function).contains("functions"));
    let mut two_outputs = model(&[1, 3], Vec::new(), identity(), 13);
    two_outputs.graph.as_mut().unwrap().output.push(info("x", &[1, 3]));
    assert!(refusal(&two_outputs).contains("one output"));
    let twice = vec![node("Relu", &["x"], "y", Vec::new()), node("Tanh", &["x"], "y", Vec::new())];
    assert!(refusal(&model(&[1, 3], Vec::new(), twice, 13)).contains("a second time"));
}

#[test]
fn weights_of_half_precision_are_exact_in_typed_data() {
    let weight = TensorProto {
        data_type: Some(10),
        float_data: Vec::new(),
        int32_data: vec![0x7BFF, 1],
        ..floats("w", &[1, 2], &[])
    };
    let gemm = vec![node("Gemm", &["x", "w"], "y", vec![int("transB", 1)])];
    let network = import(&model(&[1, 2], vec![weight], gemm, 13)).unwrap();
    let expected = [number::dyadic(65504, 0).unwrap(), number::dyadic(1, -24).unwrap()];
    assert_eq!(*network.parameters()[0].as_ref().unwrap().weight.data, expected);
    assert_eq!(network.weight_bits(), 16);
}
