//! The walk over an ONNX graph: names, liveness, and the network under construction. Trust: checked.
//!
//! Every value is either a constant or a flow of data. The batch axis is taken as one example, so each shape is concrete.
//! Reshapes that keep the row-major order cost nothing: the flow remembers its ONNX shape beside the node that delivers it,
//! and a `flatten` node is inserted where a flat reader meets an image.

use super::super::error::{DataError, Result, limit, malformed, missing, near, unsupported};
use super::constant::{Constant, External};
use super::message::{Dimension, Graph, Node as Proto, ValueInfo};
use super::op;
use crate::kernel::net::{Architecture, Network, Node, Op, Parameters, Size, Source, Tensor, Weight};
use std::collections::{BTreeMap, BTreeSet};

/// Most numbers in all constants, copies by transposition included; 16 bytes each in memory.
const ENTRIES: usize = 1 << 26;
/// Largest input or layer.
const WIDTH: usize = 1 << 31;

/// Data on its way through the network.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub source: Source,
    /// The shape that ONNX sees, with a batch of one.
    pub shape: Vec<usize>,
    /// Whether only fixed (not trained) maps stand between the network's input and here.
    pub fixed: bool,
    /// Whether exactly one operator reads the delivering node, so that a bias may be merged into it.
    pub exclusive: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Constant(Constant),
    Flow(Flow),
}

/// The network under construction.
pub(super) struct Builder<'a> {
    pub external: External<'a>,
    pub opset: i64,
    input: Vec<usize>,
    nodes: Vec<Node>,
    shapes: Vec<Vec<usize>>,
    parameters: Vec<Option<Parameters>>,
    bits: u32,
    entries: usize,
}

impl Builder<'_> {
    /// Accounts for `count` more numbers in memory.
    pub fn spend(&mut self, count: usize) -> Result<()> {
        self.entries = self.entries.saturating_add(count);
        if self.entries > ENTRIES {
            return limit("numbers in constants", ENTRIES, format!("more than {ENTRIES}"));
        }
        Ok(())
    }

    /// The shape of what a source delivers: `[n]` or `[channels, height, width]`.
    pub fn delivered(&self, source: Source) -> &[usize] {
        match source {
            Source::Input => &self.input,
            Source::Node(node) => self.shapes.get(node).map_or(&[], Vec::as_slice),
        }
    }

    /// Appends a node whose output has the architecture shape `shape`.
    pub fn push(&mut self, op: Op, inputs: Vec<Source>, shape: Vec<usize>, parameters: Option<Parameters>) -> Source {
        self.nodes.push(Node { op, inputs });
        self.shapes.push(shape);
        self.parameters.push(parameters);
        Source::Node(self.nodes.len() - 1)
    }

    /// The flow as a flat vector.
    pub fn flat(&mut self, flow: &Flow) -> Source {
        let shape = self.delivered(flow.source);
        if shape.len() == 1 {
            return flow.source;
        }
        let size = shape.iter().product();
        self.push(Op::Flatten, vec![flow.source], vec![size], None)
    }

    /// `[channels, height, width]` of a flow whose ONNX shape is `[1, channels, height, width]`.
    ///
    /// A flat input that is first reshaped to an image makes the network's input that image: the order is the same.
    pub fn image(&mut self, flow: &Flow, op: &str, label: &str) -> Result<[usize; 3]> {
        let [1, c, h, w] = *flow.shape.as_slice() else {
            return malformed(label, format!("a batch of one image for {op}"), format!("shape {:?}", flow.shape));
        };
        let read = self.nodes.iter().any(|node| node.inputs.contains(&Source::Input));
        if flow.source == Source::Input && self.input.len() == 1 && !read {
            self.input = vec![c, h, w];
        }
        if self.delivered(flow.source) != [c, h, w] {
            let found = format!("Reshape to {:?}", flow.shape);
            return unsupported(found, label, "only the network's input can be reshaped to an image");
        }
        Ok([c, h, w])
    }

    /// Counts the number format of a parameter.
    pub fn stored(&mut self, constant: &Constant) {
        self.bits = self.bits.max(constant.dtype.bits());
    }

    /// The node that delivers a flow, if it is an affine map without bias that nothing else reads.
    pub fn without_bias(&mut self, flow: &Flow) -> Option<(&mut Op, &mut Parameters)> {
        let Source::Node(node) = flow.source else { return None };
        if !flow.exclusive {
            return None;
        }
        let op = &mut self.nodes.get_mut(node)?.op;
        let parameters = self.parameters.get_mut(node)?.as_mut()?;
        let affine = matches!(op, Op::Dense { bias: false, .. } | Op::Conv { bias: false, .. });
        affine.then_some((op, parameters))
    }

    /// What the node that delivers a flow reads first.
    pub fn reads(&self, flow: &Flow) -> Option<Source> {
        let Source::Node(node) = flow.source else { return None };
        self.nodes.get(node)?.inputs.first().copied()
    }

    /// Removes the last node if it delivers `flow` alone and satisfies `test`; returns what it read.
    pub fn take_last(&mut self, flow: &Flow, test: impl Fn(&Op) -> bool) -> Option<Source> {
        let last = self.nodes.last()?;
        let is_last = flow.exclusive && flow.source == Source::Node(self.nodes.len() - 1);
        let source = *last.inputs.first()?;
        if !is_last || !test(&last.op) {
            return None;
        }
        self.nodes.pop();
        self.shapes.pop();
        self.parameters.pop();
        Some(source)
    }

    fn finish(mut self, output: &Flow) -> Result<Network> {
        if output.shape.iter().filter(|&&axis| axis != 1).count() <= 1 {
            self.flat(output);
        }
        let last = self.nodes.len().checked_sub(1);
        let delivers = matches!(output.source, Source::Node(node) if Some(node) == last)
            || matches!(self.nodes.last(), Some(Node { op: Op::Flatten, inputs }) if inputs.contains(&output.source));
        if !delivers {
            return unsupported("graph", "output", "expected the output to come from the last operator");
        }
        let input = self.input.iter().map(|&axis| axis as Size).collect();
        Network::new(Architecture { input, nodes: self.nodes }, self.parameters, self.bits)
            .or_else(|error| malformed("graph", "a well-formed network", error))
    }
}

/// `tensor` for a parameter; the shape is the kernel's, not necessarily ONNX's.
pub(super) fn tensor(label: &str, shape: Vec<usize>, data: Vec<Weight>) -> Result<Tensor> {
    Tensor::new(shape, data).or_else(|error| malformed(label, "a parameter of its shape", error))
}

/// How messages name a node.
fn label(node: &Proto, index: usize) -> String {
    match node.name.as_deref() {
        Some(name) if !name.is_empty() => format!("node `{name}`"),
        _ => format!("node {index} (output `{}`)", node.output.first().map_or("", String::as_str)),
    }
}

/// Translates a graph. Errors: see [`super::read`].
pub(super) fn translate(graph: Graph, opset: i64, external: External<'_>) -> Result<(Network, External<'_>)> {
    if !graph.sparse_initializer.is_empty() {
        return unsupported("sparse initializers", "graph", "store the weights densely");
    }
    let mut initializers = BTreeMap::new();
    for tensor in &graph.initializer {
        let name = tensor.name.as_deref().unwrap_or("");
        if initializers.insert(name, tensor).is_some() {
            return malformed("initializers", "each name once", format!("`{name}` twice"));
        }
    }
    let (input_name, input_shape) = single_input(&graph, &initializers)?;
    let output_name = match graph.output.as_slice() {
        [output] => output.name.as_deref().unwrap_or(""),
        outputs => return malformed("graph", "one output", format!("{}", outputs.len())),
    };
    let (produced, live, uses) = scan(&graph, input_name, output_name, &initializers)?;

    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    let arch_input = match input_shape.as_slice() {
        [1, c, h, w] => vec![*c, *h, *w],
        shape => vec![shape.iter().product()],
    };
    let mut builder = Builder {
        external,
        opset,
        input: arch_input,
        nodes: Vec::new(),
        shapes: Vec::new(),
        parameters: Vec::new(),
        bits: 0,
        entries: 0,
    };
    let single = |name: &str| uses.get(name) == Some(&1);
    let input = Flow { source: Source::Input, shape: input_shape, fixed: true, exclusive: single(input_name) };
    values.insert(input_name, Value::Flow(input));

    for (index, node) in graph.node.iter().enumerate().filter(|(index, _)| live.contains(index)) {
        let label = label(node, index);
        let mut inputs: Vec<Option<Value>> = Vec::with_capacity(node.input.len());
        for name in &node.input {
            if name.is_empty() {
                inputs.push(None);
                continue;
            }
            if !values.contains_key(name.as_str()) {
                let Some(tensor) = initializers.get(name.as_str()) else {
                    return undefined(name, &label, &produced, &initializers);
                };
                let constant = Constant::read(name, tensor, &mut builder.external)?;
                builder.spend(constant.data.len())?;
                values.insert(name, Value::Constant(constant));
            }
            inputs.push(values.get(name.as_str()).cloned());
        }
        let needed = node.output.iter().skip(1).find(|name| uses.contains_key(name.as_str()));
        if let Some(second) = needed {
            let op = node.op_type.as_deref().unwrap_or("");
            return unsupported(
                format!("output `{second}` of {op}"),
                label,
                "only the first output of an operator is read",
            );
        }
        let mut value = op::translate(&mut builder, node, &label, &inputs)?;
        let Some(name) = node.output.first() else { continue };
        if let Value::Flow(flow) = &mut value {
            let size = flow.shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
            if size.is_none_or(|size| size > WIDTH) {
                return limit(format!("size of {label}"), WIDTH, format!("shape {:?}", flow.shape));
            }
            flow.exclusive = flow.exclusive && single(name);
        }
        values.insert(name, value);
    }
    match values.get(output_name) {
        Some(Value::Flow(flow)) => {
            let flow = flow.clone();
            let external = std::mem::replace(&mut builder.external, External::new(None));
            Ok((builder.finish(&flow)?, external))
        }
        Some(Value::Constant(_)) => malformed("graph output", "a value that depends on the input", "a constant"),
        None => undefined(output_name, "the graph's output", &produced, &initializers),
    }
}

fn undefined<T>(
    name: &str,
    label: &str,
    produced: &BTreeMap<&str, usize>,
    initializers: &BTreeMap<&str, &super::message::TensorProto>,
) -> std::result::Result<T, DataError> {
    if produced.contains_key(name) {
        return malformed(
            label,
            format!("its input `{name}` to be computed before it"),
            "a cycle or a node out of topological order",
        );
    }
    let names = initializers.keys().chain(produced.keys()).copied();
    missing(format!("value `{name}`, which {label} reads"), near(name, names))
}

type Scan<'a> = (BTreeMap<&'a str, usize>, BTreeSet<usize>, BTreeMap<&'a str, usize>);

/// Which node produces each name, which nodes the output depends on, and how often those read each name.
fn scan<'a>(
    graph: &'a Graph,
    input: &str,
    output: &'a str,
    initializers: &BTreeMap<&str, &super::message::TensorProto>,
) -> Result<Scan<'a>> {
    let mut produced: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            let taken = name == input || initializers.contains_key(name.as_str());
            if taken || produced.insert(name, index).is_some() {
                return malformed(label(node, index), "an output name of its own", format!("`{name}` a second time"));
            }
        }
    }
    let mut uses: BTreeMap<&str, usize> = BTreeMap::from([(output, 1)]);
    let mut live = BTreeSet::new();
    for (index, node) in graph.node.iter().enumerate().rev() {
        if node.output.iter().any(|name| uses.contains_key(name.as_str())) {
            live.insert(index);
            for name in node.input.iter().filter(|name| !name.is_empty()) {
                *uses.entry(name).or_default() += 1;
            }
        }
    }
    Ok((produced, live, uses))
}

/// The only input that is not an initializer, with its shape for a batch of one.
fn single_input<'a>(
    graph: &'a Graph,
    initializers: &BTreeMap<&str, &super::message::TensorProto>,
) -> Result<(&'a str, Vec<usize>)> {
    let inputs: Vec<&ValueInfo> =
        graph.input.iter().filter(|input| !initializers.contains_key(input.name.as_deref().unwrap_or(""))).collect();
    let [input] = inputs.as_slice() else {
        return malformed("graph", "one input besides the initializers", format!("{}", inputs.len()));
    };
    let name = input.name.as_deref().unwrap_or("");
    let at = || format!("input `{name}`");
    let Some(kind) = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()) else {
        return malformed(at(), "a tensor type", "none");
    };
    if !matches!(kind.element, Some(1 | 10 | 11 | 16)) {
        let code = kind.element.unwrap_or(0);
        return unsupported(format!("element type {code}"), at(), "expected a floating-point input");
    }
    let dims: &[Dimension] = match &kind.shape {
        Some(shape) if !shape.dim.is_empty() && shape.dim.len() <= super::constant::RANK => &shape.dim,
        Some(shape) => return malformed(at(), "1 to 8 axes", format!("{}", shape.dim.len())),
        None => return malformed(at(), "a shape", "none"),
    };
    let mut shape = Vec::with_capacity(dims.len());
    let mut size = 1usize;
    for (axis, dim) in dims.iter().enumerate() {
        let batch = axis == 0 && dims.len() > 1;
        let length = match dim.value.unwrap_or(0) {
            0 if batch => 1,
            1 if batch => 1,
            length if batch => {
                return unsupported(
                    format!("batch of {length}"),
                    at(),
                    "export with a batch of 1 or a named batch axis",
                );
            }
            length => match usize::try_from(length) {
                Ok(length) if length > 0 => length,
                _ => return malformed(at(), format!("a positive size on axis {axis}"), dimension(dim)),
            },
        };
        size = match size.checked_mul(length) {
            Some(size) if size <= WIDTH => size,
            _ => return limit("input size", WIDTH, format!("more than {WIDTH}")),
        };
        shape.push(length);
    }
    Ok((name, shape))
}

fn dimension(dim: &Dimension) -> String {
    match (&dim.name, dim.value) {
        (Some(name), _) => format!("`{name}`"),
        (None, Some(value)) => value.to_string(),
        (None, None) => "none".to_string(),
    }
}
