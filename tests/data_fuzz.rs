//! Mutated files: every reader answers, none panics, none allocates by what a file claims rather than by what it holds.

use proptest::prelude::*;
use std::path::Path;
use supremum::data::dataset::{Options, read};
use supremum::data::file::Contents;
use supremum::data::{onnx, safetensors};

/// The mutations of one case: positions (as a fraction of the file) and bytes, then a cut.
type Mutation = (Vec<(u32, u8)>, Option<u32>);

fn mutation() -> impl Strategy<Value = Mutation> {
    let near_start = (0u32..2_000, any::<u8>());
    let anywhere = (any::<u32>(), any::<u8>());
    (prop::collection::vec(prop_oneof![near_start, anywhere], 1..8), prop::option::weighted(0.2, any::<u32>()))
}

fn mutated(bytes: &[u8], (edits, cut): &Mutation) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, value) in edits {
        let at = *at as usize % bytes.len();
        bytes[at] = *value;
    }
    if let Some(cut) = cut {
        bytes.truncate(*cut as usize % bytes.len());
    }
    bytes
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Largest address space of this process so far, in kilobytes; an allocation counts here even if it is never touched.
#[cfg(target_os = "linux")]
fn peak_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmPeak:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(not(target_os = "linux"))]
fn peak_kilobytes() -> u64 {
    0
}

/// Runs `reader` on mutations of `seeds`; the files have some kilobytes, so half a gigabyte would be a claim taken at its word.
fn fuzz(seeds: &[&str], cases: u32, reader: impl Fn(&Contents)) {
    let before = peak_kilobytes();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    for seed in seeds {
        let bytes = file(seed);
        runner
            .run(&mutation(), |mutation| {
                reader(&Contents::new(seed, mutated(&bytes, &mutation)));
                Ok(())
            })
            .unwrap();
    }
    assert!(peak_kilobytes().saturating_sub(before) < 512 << 10, "an allocation far beyond the file");
}

#[test]
fn onnx_files() {
    let seeds = [
        "specs/models/square_relu.onnx",
        "specs/models/digits_resnet.dynamo.onnx",
        "specs/models/digits_cnn.onnx",
        "tests/data/models/variants/exporter_normalize.onnx",
        "tests/data/models/variants/exporter_linear_3d.onnx",
        "tests/data/models/variants/float_data.onnx",
        "tests/data/models/variants/relu_as_max_clip.onnx",
        "tests/data/models/variants/unsupported_lstm.onnx",
    ];
    fuzz(&seeds, 400, |contents| {
        if let Err(error) = onnx::read(contents, None) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn safetensors_files() {
    let seeds = [
        "specs/models/square_relu.safetensors",
        "specs/lipschitz/models/nv_small.safetensors",
        "specs/models/digits_resnet.safetensors",
        "tests/data/models/variants/metadata.safetensors",
    ];
    fuzz(&seeds, 400, |contents| {
        if let Err(error) = safetensors::read(contents) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn data_files() {
    let seeds = ["specs/data/digits-images.idx3-ubyte.gz", "specs/data/digits-labels.idx1-ubyte.gz"];
    fuzz(&seeds, 200, |contents| {
        let _ = read(contents, &Options::default());
    });
    // The same reader chosen by name for archives, arrays and tables, on bytes that only begin like one.
    let prefix = prop_oneof![
        Just(b"PK\x03\x04".to_vec()),
        Just(b"\x93NUMPY\x01\x00\x40\x00{'descr': '<f4', 'fortran_order': False, 'shape': (".to_vec()),
        Just(b"a,b\n1,\"2".to_vec()),
        Just(vec![0, 0, 8, 3]),
    ];
    let strategy = (
        prefix,
        prop::collection::vec(any::<u8>(), 0..300),
        prop::sample::select(vec!["x.npz", "x.npy", "x.csv", "x-idx3-ubyte", "x.csv.gz"]),
    );
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest::test_runner::TestRunner::new(config)
        .run(&strategy, |(mut bytes, rest, name)| {
            bytes.extend(rest);
            let _ = read(&Contents::new(name, bytes), &Options::default());
            Ok(())
        })
        .unwrap();
}
