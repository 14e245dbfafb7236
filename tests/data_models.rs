//! Import of networks against independent references: `outputs_hp` were computed with 320-bit MPFR from the weights as PyTorch
//! holds them (45 digits), `outputs64` with NumPy. See `tests/data/models/README.md`.

use rug::ops::Pow;
use serde_json::Value;
use std::path::{Path, PathBuf};
use supremum::data::assemble::{assemble, assemble_like};
use supremum::data::file::{Folder, NETWORK_BYTES};
use supremum::data::forward::{Interval, forward};
use supremum::data::{DataErrorKind, number, onnx, safetensors};
use supremum::kernel::net::{Activation, Architecture, Network, Op, Size, Weight};

const BITS: u32 = 256;

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn models() -> Folder {
    Folder::new(&root("specs/models")).unwrap()
}

fn variants() -> Folder {
    Folder::new(&root("tests/data/models/variants")).unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn reference(name: &str) -> Value {
    json(&root("tests/data/models/torch").join(format!("{name}.ref.json")))
}

fn import(folder: &Folder, name: &str) -> supremum::data::Result<onnx::Import> {
    let contents = folder.read(name, NETWORK_BYTES)?;
    onnx::read(&contents, Some(&folder.beside(name)?))
}

fn tensors(folder: &Folder, name: &str) -> supremum::data::Result<safetensors::Tensors> {
    safetensors::read(&folder.read(name, NETWORK_BYTES)?)
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// The five inputs of a reference: bytes over a scale, rounded to float32, or reals.
fn inputs(reference: &Value) -> Vec<Vec<Interval>> {
    let inputs = &reference["inputs"];
    let exact = |x: Weight| Interval::from_weight(x);
    if let Some(values) = inputs.get("values") {
        let row = |row: &Value| numbers(row).into_iter().map(|x| exact(number::from_f64(x).unwrap())).collect();
        return values.as_array().unwrap().iter().map(row).collect();
    }
    let scale = inputs["scale"].as_f64().unwrap() as f32;
    let row = |row: &Value| {
        numbers(row).into_iter().map(|byte| exact(number::from_f32(byte as f32 / scale).unwrap())).collect()
    };
    inputs["bytes"].as_array().unwrap().iter().map(row).collect()
}

/// Whether each output contains the decimal of the reference, up to the half unit of its last of 45 digits.
fn enclosed(name: &str, network: &Network, reference: &Value, outputs_hp: &Value) -> Result<(), String> {
    let unit = rug::Rational::from((1, rug::Integer::from(10).pow(42)));
    for (input, expected) in inputs(reference).iter().zip(outputs_hp.as_array().unwrap()) {
        let outputs = forward(network, input, BITS).unwrap();
        let expected = expected.as_array().unwrap();
        assert_eq!(outputs.len(), expected.len(), "{name}");
        for (output, expected) in outputs.iter().zip(expected) {
            let decimal = supremum::data::number::from_decimal(expected.as_str().unwrap()).unwrap();
            let decimal = Interval::from_rational(&decimal, 512);
            let low = rug::Rational::from(&output.lower.to_rational().unwrap() - &unit);
            let high = rug::Rational::from(&output.upper.to_rational().unwrap() + &unit);
            if !(decimal.lower >= low && decimal.upper <= high) {
                return Err(format!("{name}: {expected} outside {output:?}"));
            }
            let width = rug::Rational::from(&high - &low);
            assert!(width < rug::Rational::from((1, rug::Integer::from(10).pow(40))), "{name}: too wide {output:?}");
        }
    }
    Ok(())
}

fn assert_encloses(name: &str, network: &Network, reference: &Value, outputs_hp: &Value) {
    enclosed(name, network, reference, outputs_hp).unwrap();
}

fn assert_near(name: &str, network: &Network, reference: &Value, outputs64: &Value, tolerance: f64) {
    for (input, expected) in inputs(reference).iter().zip(outputs64.as_array().unwrap()) {
        let outputs = forward(network, input, BITS).unwrap();
        for (output, expected) in outputs.iter().zip(numbers(expected)) {
            assert!((output.lower.to_f64() - expected).abs() < tolerance, "{name}: {expected} against {output:?}");
        }
    }
}

fn stored_numbers(network: &Network) -> usize {
    let parts = network.parameters().iter().flatten();
    parts.map(|p| p.weight.data.len() + p.bias.as_ref().map_or(0, |bias| bias.data.len())).sum()
}

/// The dense chain that a model's description lists, or `None` if it has other layers.
fn dense_chain(description: &Value) -> Option<Architecture> {
    let mut sizes: Vec<Size> = Vec::new();
    let mut activation = Activation::Identity;
    for layer in description["layers"].as_array().unwrap() {
        match layer["op"].as_str().unwrap() {
            "dense" => {
                let [input, output] = ["in", "out"].map(|key| Size::from(layer[key].as_u64().unwrap()));
                if sizes.is_empty() {
                    sizes.push(input);
                }
                sizes.push(output);
            }
            "relu" => activation = Activation::Relu,
            "tanh" => activation = Activation::Tanh,
            _ => return None,
        }
    }
    Some(Architecture::dense_chain(&sizes, &activation).unwrap())
}

fn file_names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(root(folder)).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_model_is_the_function_of_its_reference() {
    let mut dense = 0;
    let mut convolutional = 0;
    for file in file_names("specs/models") {
        let name = file.split('.').next().unwrap();
        let description = root("tests/data/models/torch").join(format!("{name}.json"));
        if !description.is_file() {
            continue;
        }
        let (description, reference) = (json(&description), reference(name));
        let parameters = description["parameters"].as_u64().unwrap() as usize;
        let chain = dense_chain(&description);
        if file.ends_with(".safetensors") {
            let tensors = tensors(&models(), &file).unwrap();
            assert_eq!(tensors.parameter_count(), parameters, "{file}");
            match chain {
                Some(chain) => {
                    let network = assemble(&chain, &tensors).unwrap();
                    assert_eq!(stored_numbers(&network), parameters, "{file}");
                    assert_encloses(&file, &network, &reference, &reference["outputs_hp"]);
                    dense += 1;
                }
                None => convolutional += 1,
            }
        } else if file.ends_with(".onnx") {
            let network = import(&models(), &file).unwrap_or_else(|error| panic!("{error}")).network;
            let own = &reference["onnx"][&file]["outputs_hp"];
            // A text there says that the function is that of the state dictionary.
            let outputs = if own.is_array() { own } else { &reference["outputs_hp"] };
            assert_encloses(&file, &network, &reference, outputs);
            // Folding turns the scale and shift of each of five normalized layers of 8 channels into one bias.
            let folded = if name == "digits_resnet" { parameters - 5 * 8 } else { parameters };
            assert_eq!(stored_numbers(&network), folded, "{file}");
            if chain.is_some() { dense += 1 } else { convolutional += 1 }
        }
    }
    assert!(dense >= 12 && convolutional >= 7, "{dense} dense, {convolutional} convolutional");
}

#[test]
fn the_two_formats_give_the_same_network() {
    for name in ["digits_mlp", "square_relu", "pinn_poisson", "digits_mlp_nobias_binary"] {
        let network = import(&models(), &format!("{name}.onnx")).unwrap().network;
        let tensors = tensors(&models(), &format!("{name}.safetensors")).unwrap();
        assert_eq!(assemble_like(network.architecture(), &tensors).unwrap(), network, "{name}");
    }
    let tensors = tensors(&models(), "mnist_mlp_init.safetensors").unwrap();
    let trained = import(&models(), "mnist_mlp.onnx").unwrap().network;
    let initial = assemble_like(trained.architecture(), &tensors).unwrap();
    assert_eq!(initial.architecture(), trained.architecture());
    assert_ne!(initial, trained);
}

#[test]
fn convolutions_are_assembled_and_batch_normalization_is_refused() {
    let network = import(&models(), "digits_cnn.onnx").unwrap().network;
    let tensors_of = |name: &str| tensors(&models(), name).unwrap();
    assert_eq!(assemble_like(network.architecture(), &tensors_of("digits_cnn.safetensors")).unwrap(), network);
    let resnet = import(&models(), "digits_resnet.onnx").unwrap().network;
    let error = assemble_like(resnet.architecture(), &tensors_of("digits_resnet.safetensors")).unwrap_err();
    assert!(error.to_string().contains("batch normalization"), "{error}");
}

#[test]
fn external_data_are_read_and_hashed() {
    let import = import(&models(), "digits_cnn.dynamo_ext.onnx").unwrap();
    assert_eq!(import.external.len(), 1);
    let (name, hash) = &import.external[0];
    assert_eq!(name, "digits_cnn.dynamo_ext.onnx.data");
    assert_eq!(hash.to_string(), reference("digits_cnn")["sha256"][name.as_str()].as_str().unwrap());
    let contents = models().read("digits_cnn.dynamo_ext.onnx", NETWORK_BYTES).unwrap();
    assert!(onnx::read(&contents, None).unwrap_err().to_string().contains("external data"));
}

/// What each refusal must name, beyond being one.
fn reason(file: &str) -> &'static [&'static str] {
    match file {
        "unsupported_softmax.onnx" => &["operator Softmax"],
        "unsupported_lstm.onnx" => &["operator Expand"],
        "unsupported_custom_relu.onnx" => &["com.example::Relu"],
        "bad_gemm_transA.onnx" => &["transA"],
        "bad_truncated.onnx" | "bad_random.onnx" => &["protobuf"],
        "bad_empty.onnx" => &["an IR version and a graph"],
        "bad_nan_weight.onnx" => &["`W1` [3,5]", "finite"],
        "bad_raw_too_short.onnx" => &["`W0`", "8192 bytes", "8184 bytes"],
        "bad_negative_dims.onnx" => &["`W0`", "[-32, -64]"],
        "bad_huge_dims.onnx" => &["`W0`", "fits 64 bits"],
        "bad_missing_initializer.onnx" => &["`W1`", "node `g1`"],
        "bad_shape_mismatch.onnx" => &["32 features", "32x31"],
        "bad_cycle.onnx" => &["cycle"],
        "bad_external_path.onnx" => &["`W0`", "`..`"],
        "bad_external_missing.onnx" => &["not_there.data", "`W0`"],
        "bad_duplicate_initializer.onnx" => &["`W0` twice"],
        "bad_truncated.safetensors" => &["data_offsets"],
        "bad_header_len.safetensors" => &["header length"],
        "bad_offset_past_end.safetensors" => &["data_offsets"],
        "bad_overlap.safetensors" => &["data_offsets"],
        "bad_shape_size.safetensors" => &["bytes for shape"],
        "bad_dtype.safetensors" => &["dtype F7"],
        "bad_duplicate_key.safetensors" => &["duplicate key `0.bias`"],
        "bad_not_json.safetensors" => &["JSON"],
        "bad_nan_weight.safetensors" => &["`2.weight` [3,5]"],
        other => panic!("{other} has no expected reason"),
    }
}

#[test]
fn every_variant_behaves_as_the_manifest_says() {
    let manifest = json(&root("tests/data/models/variants/manifest.json"));
    let chain = dense_chain(&json(&root("tests/data/models/torch/digits_mlp.json"))).unwrap();
    let mut seen = Vec::new();
    for entry in manifest.as_array().unwrap() {
        let file = entry["file"].as_str().unwrap();
        seen.push(file.to_string());
        let network = if file.ends_with(".onnx") {
            import(&variants(), file).map(|import| import.network)
        } else {
            tensors(&variants(), file).and_then(|tensors| assemble(&chain, &tensors))
        };
        if entry["kind"] == "valid" {
            let network = network.unwrap_or_else(|error| panic!("{error}"));
            let base = entry["reference"].as_str().unwrap_or("digits_mlp");
            let reference = reference(base);
            match entry.get("outputs64") {
                Some(outputs64) => assert_near(file, &network, &reference, outputs64, 1e-12),
                None => assert_encloses(file, &network, &reference, &reference["outputs_hp"]),
            }
        } else {
            let error = network.err().unwrap_or_else(|| panic!("{file} was read")).to_string();
            assert!(error.contains(file), "{error}");
            for part in reason(file) {
                assert!(error.contains(part), "{file}: expected `{part}` in: {error}");
            }
        }
    }
    seen.push("manifest.json".to_string());
    seen.sort();
    assert_eq!(seen, file_names("tests/data/models/variants"));
}

#[test]
fn input_normalization_is_fixed_and_not_counted_as_trained() {
    let network = import(&variants(), "exporter_normalize.onnx").unwrap().network;
    let fixed = network.architecture().nodes.iter().filter(|node| node.op == Op::FixedAffine).count();
    assert_eq!(fixed, 2);
    let plain = import(&variants(), "exporter_linear_3d.onnx").unwrap().network;
    assert!(
        plain
            .architecture()
            .nodes
            .iter()
            .all(|node| matches!(node.op, Op::Dense { bias: true, .. } | Op::Activation(_)))
    );
}

#[test]
fn every_network_of_the_lipschitz_set_is_a_chain() {
    let folder = Folder::new(&root("specs/lipschitz/models")).unwrap();
    let mut count = 0;
    for file in file_names("specs/lipschitz/models").iter().filter(|file| file.ends_with(".safetensors")) {
        let description = json(&root("specs/lipschitz/models").join(file.replace(".safetensors", ".json")));
        let sizes: Vec<Size> =
            description["dims"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap().into()).collect();
        let chain = Architecture::dense_chain(&sizes, &Activation::Relu).unwrap();
        let network = assemble(&chain, &tensors(&folder, file).unwrap()).unwrap_or_else(|error| panic!("{error}"));
        let biases = network.architecture().nodes.iter().any(|node| matches!(node.op, Op::Dense { bias: true, .. }));
        assert_eq!(biases, description["has_bias"].as_bool().unwrap(), "{file}");
        let pairs = sizes.windows(2).map(|pair| pair[0] * pair[1] + if biases { pair[1] } else { 0 });
        assert_eq!(stored_numbers(&network) as Size, pairs.sum::<Size>(), "{file}");
        count += 1;
    }
    assert!(count >= 20);
}

#[test]
fn wrong_architectures_are_refused() {
    let tensors = tensors(&models(), "digits_mlp.safetensors").unwrap();
    let refusal = |sizes: &[Size]| {
        let chain = Architecture::dense_chain(sizes, &Activation::Relu).unwrap();
        assemble(&chain, &tensors).unwrap_err()
    };
    assert!(matches!(refusal(&[64, 32, 10]).kind, DataErrorKind::Malformed { .. }));
    assert!(refusal(&[64, 32, 31, 10]).to_string().contains("`2.weight`"));
}

#[test]
fn a_weight_moved_by_its_last_bit_is_another_function() {
    let reference = reference("digits_mlp");
    let network = import(&models(), "digits_mlp.onnx").unwrap().network;
    assert!(enclosed("same", &network, &reference, &reference["outputs_hp"]).is_ok());
    let mut parameters = network.parameters().to_vec();
    let bias = parameters.last_mut().unwrap().as_mut().unwrap().bias.as_mut().unwrap();
    let mut data = bias.data.to_vec();
    data[3].mantissa += 1;
    bias.data = data.into();
    let moved = Network::new(network.architecture().clone(), parameters, network.weight_bits()).unwrap();
    assert!(enclosed("moved", &moved, &reference, &reference["outputs_hp"]).is_err());
}
