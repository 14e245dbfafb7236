//! Tensors onto an architecture: `network from "w.safetensors" as 784 -> 256 -> 10 relu`. Trust: checked.
//!
//! A state dictionary names modules (`0`, `fc1`, `layers.2.attention`), not the order in which they act. Two facts fix the
//! order: shapes, and numbers inside otherwise equal names. Where they do not, the file is refused as ambiguous; a guess would
//! certify another function. Each tensor of the file must be used, but for the counters of batch normalization.

use super::error::{DataError, Result, malformed, missing, near, unsupported};
use super::safetensors::{Stored, Tensors};
use crate::kernel::net::{Architecture, Network, Node, Op, Parameters, Size};
use std::collections::BTreeMap;

/// Tensors of a batch normalization layer that are not trained.
pub(crate) fn statistic(name: &str) -> Option<&'static str> {
    let last = name.rsplit('.').next().unwrap_or(name);
    ["running_mean", "running_var", "num_batches_tracked"].into_iter().find(|kind| *kind == last)
}

/// The tensors of one module.
#[derive(Default)]
struct Module<'a> {
    weight: Option<&'a Stored>,
    bias: Option<&'a Stored>,
}

/// What a node needs: shapes of weight and bias.
struct Need {
    node: usize,
    weight: Vec<Size>,
    bias: Option<Vec<Size>>,
}

/// The network of an architecture with the weights of a file.
///
/// A file without any bias gives a network without biases, which its architecture then says; otherwise every bias that the
/// architecture has must be there. Errors: tensors missing (with near names), left over, of another shape, or ambiguous.
pub fn assemble(architecture: &Architecture, tensors: &Tensors) -> Result<Network> {
    let modules = modules(tensors).map_err(|error| error.named(&tensors.file))?;
    if modules.values().all(|module| module.bias.is_none()) {
        return assemble_checked(&without_biases(architecture), tensors, &modules);
    }
    assemble_checked(architecture, tensors, &modules)
}

/// The network `like` another: the same architecture, biases included.
pub fn assemble_like(architecture: &Architecture, tensors: &Tensors) -> Result<Network> {
    let modules = modules(tensors).map_err(|error| error.named(&tensors.file))?;
    assemble_checked(architecture, tensors, &modules)
}

/// The layout to propose for a file of dense layers: sizes in the order of the numbers in the names, `64 -> 32 -> 10`. It is a
/// proposal for a message; the activation is for the author to say.
pub fn proposed_chain(tensors: &Tensors) -> Option<String> {
    let modules = modules(tensors).ok()?;
    let numbers =
        |name: &str| -> Vec<u64> { name.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect() };
    let mut layers: Vec<(Vec<u64>, usize, usize)> = Vec::new();
    for (name, module) in &modules {
        let &[output, input] = module.weight?.tensor.shape.as_slice() else { return None };
        layers.push((numbers(name), input, output));
    }
    layers.sort();
    let is_chain = layers.windows(2).all(|pair| pair[0].2 == pair[1].1);
    let first = layers.first().map(|layer| layer.1)?;
    let sizes: Vec<String> =
        std::iter::once(first).chain(layers.iter().map(|layer| layer.2)).map(|n| n.to_string()).collect();
    is_chain.then(|| sizes.join(" -> "))
}

fn without_biases(architecture: &Architecture) -> Architecture {
    let nodes = architecture.nodes.iter().map(|node| {
        let mut op = node.op.clone();
        if let Op::Dense { bias, .. } | Op::Conv { bias, .. } = &mut op {
            *bias = false;
        }
        Node { op, inputs: node.inputs.clone() }
    });
    Architecture { input: architecture.input.clone(), nodes: nodes.collect() }
}

fn assemble_checked(
    architecture: &Architecture,
    tensors: &Tensors,
    modules: &BTreeMap<&str, Module<'_>>,
) -> Result<Network> {
    let result = needs(architecture)
        .and_then(|needs| order(&needs, modules, tensors).map(|names| (needs, names)))
        .and_then(|(needs, names)| attach(architecture, &needs, &names, modules));
    result.map_err(|error| error.named(&tensors.file))
}

/// Groups `module.weight`, `module.bias` and the statistics of batch normalization.
fn modules(tensors: &Tensors) -> Result<BTreeMap<&str, Module<'_>>> {
    let mut modules: BTreeMap<&str, Module<'_>> = BTreeMap::new();
    for (name, stored) in &tensors.by_name {
        let (module, kind) = name.rsplit_once('.').unwrap_or(("", name));
        if statistic(name).is_some() {
            return unsupported(
                "batch normalization",
                format!("tensor `{name}`"),
                "its factor 1/sqrt(variance + epsilon) is irrational; export the network to ONNX, which folds it into the \
                 convolution (a slightly different function, but an exact one)",
            );
        }
        let entry = modules.entry(module).or_default();
        match kind {
            "weight" => entry.weight = Some(stored),
            "bias" => entry.bias = Some(stored),
            _ => {
                return malformed(
                    format!("tensor `{name}`"),
                    "a name that ends in `.weight` or `.bias`",
                    format!("`{kind}`"),
                );
            }
        }
        if !stored.dtype.is_float() {
            return unsupported(
                format!("dtype {:?}", stored.dtype),
                format!("tensor `{name}`"),
                "quantized weights are not read; store them as F64, F32, F16 or BF16",
            );
        }
    }
    Ok(modules)
}

fn needs(architecture: &Architecture) -> Result<Vec<Need>> {
    let shapes = match architecture.shapes() {
        Ok(shapes) => shapes,
        Err(error) => return malformed("architecture", "a well-formed one", error),
    };
    let mut needs = Vec::new();
    for (node, Node { op, inputs }) in architecture.nodes.iter().enumerate() {
        let Some(&source) = inputs.first() else { continue };
        let input = architecture.shape_of(&shapes, source).first().copied().unwrap_or(0);
        match op {
            Op::Dense { units, bias } => {
                needs.push(Need { node, weight: vec![*units, input], bias: bias.then(|| vec![*units]) });
            }
            Op::Conv { channels, kernel, groups, bias, .. } => {
                let weight = vec![*channels, input / (*groups).max(1), kernel.0, kernel.1];
                needs.push(Need { node, weight, bias: bias.then(|| vec![*channels]) });
            }
            Op::BatchNorm | Op::FixedAffine => {
                return unsupported(
                    "normalization",
                    format!("layer {}", node + 1),
                    "a file of tensors does not hold its exact factors; import the network from ONNX",
                );
            }
            _ => {}
        }
    }
    Ok(needs)
}

/// The module of each need, in the order of the needs.
fn order<'a>(needs: &[Need], modules: &BTreeMap<&'a str, Module<'_>>, tensors: &Tensors) -> Result<Vec<&'a str>> {
    for (name, module) in modules {
        if module.weight.is_none() {
            let wanted = tensor_name(name, "weight");
            return missing_tensor(&wanted, tensors);
        }
    }
    let names: Vec<&str> = modules.keys().copied().collect();
    if names.len() != needs.len() {
        let described: Vec<String> = modules
            .iter()
            .map(|(name, module)| format!("{} {:?}", tensor_name(name, "weight"), weight_shape(module)))
            .collect();
        return malformed(
            "layers",
            format!("weights for {} affine layers", needs.len()),
            format!("{}: {}", names.len(), described.join(", ")),
        );
    }
    // One family of numbered names: the numbers are the order, and shapes must agree with it.
    if let Some(sorted) = numbered(&names) {
        return check_shapes(needs, sorted, modules, tensors);
    }
    // Several families: a shape decides where only one module has it, numbers decide inside one shape.
    let mut by_shape: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    for (name, module) in modules {
        by_shape.entry(weight_shape(module).to_vec()).or_default().push(name);
    }
    let mut queues: BTreeMap<Vec<usize>, std::collections::VecDeque<&str>> = BTreeMap::new();
    for (shape, names) in by_shape {
        match numbered(&names) {
            Some(sorted) => queues.insert(shape, sorted.into()),
            None => {
                return malformed(
                    format!("weights of shape {shape:?}"),
                    "names whose numbers give the order of the layers",
                    format!("{} in no certain order", names.join(", ")),
                );
            }
        };
    }
    let mut ordered = Vec::with_capacity(needs.len());
    for need in needs {
        let shape: Option<Vec<usize>> = need.weight.iter().map(|&n| usize::try_from(n).ok()).collect();
        let next = shape.and_then(|shape| queues.get_mut(&shape)).and_then(std::collections::VecDeque::pop_front);
        match next {
            Some(name) => ordered.push(name),
            None => {
                return malformed(
                    format!("layer {}", need.node + 1),
                    format!("a weight of shape {:?}", need.weight),
                    format!("none left among {}", names.join(", ")),
                );
            }
        }
    }
    check_shapes(needs, ordered, modules, tensors)
}

fn check_shapes<'a>(
    needs: &[Need],
    names: Vec<&'a str>,
    modules: &BTreeMap<&'a str, Module<'_>>,
    tensors: &Tensors,
) -> Result<Vec<&'a str>> {
    for (need, name) in needs.iter().zip(&names) {
        let Some(module) = modules.get(name) else { continue };
        let layer = need.node + 1;
        if !same(weight_shape(module), &need.weight) {
            return malformed(
                format!("tensor `{}`", tensor_name(name, "weight")),
                format!("shape {:?} for layer {layer}", need.weight),
                format!("{:?}", weight_shape(module)),
            );
        }
        let bias = tensor_name(name, "bias");
        match (&need.bias, module.bias) {
            (Some(expected), Some(stored)) if !same(&stored.tensor.shape, expected) => {
                let at = format!("tensor `{bias}`");
                return malformed(
                    at,
                    format!("shape {expected:?} for layer {layer}"),
                    format!("{:?}", stored.tensor.shape),
                );
            }
            (Some(_), None) => return missing_tensor(&bias, tensors),
            (None, Some(_)) => {
                return malformed(format!("tensor `{bias}`"), format!("no bias for layer {layer}"), "a bias");
            }
            _ => {}
        }
    }
    Ok(names)
}

fn attach(
    architecture: &Architecture,
    needs: &[Need],
    names: &[&str],
    modules: &BTreeMap<&str, Module<'_>>,
) -> Result<Network> {
    let mut parameters: Vec<Option<Parameters>> = vec![None; architecture.nodes.len()];
    let mut bits = 0;
    for (need, name) in needs.iter().zip(names) {
        let Some(Module { weight: Some(weight), bias }) = modules.get(name) else { continue };
        bits = bits.max(weight.dtype.bits()).max(bias.map_or(0, |bias| bias.dtype.bits()));
        if let Some(slot) = parameters.get_mut(need.node) {
            *slot = Some(Parameters { weight: weight.tensor.clone(), bias: bias.map(|bias| bias.tensor.clone()) });
        }
    }
    Network::new(architecture.clone(), parameters, bits)
        .or_else(|error| malformed("network", "tensors that fit the architecture", error))
}

fn missing_tensor<T>(wanted: &str, tensors: &Tensors) -> std::result::Result<T, DataError> {
    missing(format!("tensor `{wanted}`"), near(wanted, tensors.by_name.keys().map(String::as_str)))
}

fn tensor_name(module: &str, kind: &str) -> String {
    if module.is_empty() { kind.to_string() } else { format!("{module}.{kind}") }
}

fn weight_shape<'a>(module: &Module<'a>) -> &'a [usize] {
    module.weight.map_or(&[], |stored| stored.tensor.shape.as_slice())
}

fn same(found: &[usize], expected: &[Size]) -> bool {
    found.len() == expected.len() && found.iter().zip(expected).all(|(&a, &b)| a as Size == b)
}

/// The names in the order of their numbers, if they differ in nothing but numbers; a single name is always in order.
fn numbered<'a>(names: &[&'a str]) -> Option<Vec<&'a str>> {
    let mut keyed: Vec<(Vec<u64>, &str)> = Vec::with_capacity(names.len());
    let mut texts: Option<Vec<String>> = None;
    for name in names {
        let (text, numbers) = split_numbers(name)?;
        if texts.get_or_insert_with(|| text.clone()) != &text {
            return None;
        }
        keyed.push((numbers, name));
    }
    keyed.sort();
    // `fc1` and `fc01` are two names for one number.
    if keyed.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
        return None;
    }
    Some(keyed.into_iter().map(|(_, name)| name).collect())
}

/// `layer2.conv10` is the texts `layer`, `.conv`, `` and the numbers 2, 10.
fn split_numbers(name: &str) -> Option<(Vec<String>, Vec<u64>)> {
    let mut texts = vec![String::new()];
    let mut numbers: Vec<u64> = Vec::new();
    let mut in_number = false;
    for c in name.chars() {
        match c.to_digit(10) {
            Some(digit) if in_number => {
                let last = numbers.last_mut()?;
                *last = last.checked_mul(10)?.checked_add(u64::from(digit))?;
            }
            Some(digit) => {
                numbers.push(u64::from(digit));
                texts.push(String::new());
                in_number = true;
            }
            None => {
                texts.last_mut()?.push(c);
                in_number = false;
            }
        }
    }
    Some((texts, numbers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::safetensors::Dtype;
    use crate::kernel::net::{Activation, Tensor, Weight};

    fn tensors(shapes: &[(&str, &[usize])]) -> Tensors {
        let by_name = shapes.iter().map(|(name, shape)| {
            let size = shape.iter().product();
            let tensor = Tensor::new(shape.to_vec(), vec![Weight::default(); size]).unwrap();
            (name.to_string(), Stored { dtype: Dtype::F32, tensor })
        });
        Tensors { file: "t".to_string(), by_name: by_name.collect() }
    }

    fn chain(sizes: &[Size]) -> Architecture {
        Architecture::dense_chain(sizes, &Activation::Relu).unwrap()
    }

    #[test]
    fn numbers_are_ordered_as_numbers() {
        assert_eq!(numbered(&["layers.10", "layers.2"]), Some(vec!["layers.2", "layers.10"]));
        assert_eq!(numbered(&["fc1", "out"]), None);
        assert_eq!(numbered(&["fc1", "fc01"]), None);
        assert_eq!(numbered(&["out"]), Some(vec!["out"]));
    }

    #[test]
    fn shapes_decide_between_families_and_ambiguity_is_refused() {
        let files =
            tensors(&[("out.weight", &[1, 3]), ("out.bias", &[1]), ("hidden.weight", &[3, 2]), ("hidden.bias", &[3])]);
        assert!(assemble(&chain(&[2, 3, 1]), &files).is_ok());
        let square = tensors(&[
            ("encode.weight", &[2, 2]),
            ("encode.bias", &[2]),
            ("decode.weight", &[2, 2]),
            ("decode.bias", &[2]),
        ]);
        assert!(assemble(&chain(&[2, 2, 2]), &square).unwrap_err().to_string().contains("no certain order"));
    }

    #[test]
    fn a_missing_bias_is_named_with_near_names() {
        let files = tensors(&[("0.weight", &[3, 2]), ("0.bias", &[3]), ("2.weight", &[1, 3])]);
        let text = assemble(&chain(&[2, 3, 1]), &files).unwrap_err().to_string();
        assert!(text.contains("`2.bias`") && text.contains("`0.bias`"), "{text}");
    }

    #[test]
    fn a_file_without_biases_gives_a_network_without() {
        let files = tensors(&[("0.weight", &[3, 2]), ("2.weight", &[1, 3])]);
        let network = assemble(&chain(&[2, 3, 1]), &files).unwrap();
        assert!(network.architecture().nodes.iter().all(|node| !matches!(node.op, Op::Dense { bias: true, .. })));
        assert!(assemble_like(&chain(&[2, 3, 1]), &files).is_err());
        assert!(assemble_like(network.architecture(), &files).is_ok());
    }

    #[test]
    fn leftovers_and_wrong_shapes_are_refused() {
        let more = tensors(&[("0.weight", &[3, 2]), ("2.weight", &[1, 3]), ("4.weight", &[1, 1])]);
        assert!(assemble(&chain(&[2, 3, 1]), &more).unwrap_err().to_string().contains("2 affine layers"));
        let wide = tensors(&[("0.weight", &[4, 2]), ("2.weight", &[1, 4])]);
        let text = assemble(&chain(&[2, 3, 1]), &wide).unwrap_err().to_string();
        assert!(text.contains("[3, 2]") && text.contains("[4, 2]"), "{text}");
        let other = tensors(&[("0.weight_g", &[3, 2])]);
        assert!(assemble(&chain(&[2, 3]), &other).unwrap_err().to_string().contains("`.weight` or `.bias`"));
        let bn = tensors(&[("0.weight", &[3, 2]), ("1.running_mean", &[3])]);
        assert!(assemble(&chain(&[2, 3]), &bn).unwrap_err().to_string().contains("batch normalization"));
    }
}
