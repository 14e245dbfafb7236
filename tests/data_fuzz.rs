//! Mutated files: every reader answers, none panics, none allocates by what a file claims rather than by what it holds.

use proptest::prelude::*;
use std::path::Path;
use supremum::data::dataset::{Options, read};
use supremum::data::file::Contents;
use supremum::data::{onnx, safetensors};
use supremum::kernel::certificate::{Refusal, Text};

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

/// A small archive as NumPy writes it, stored or compressed.
fn archive(method: zip::CompressionMethod) -> Vec<u8> {
    let array = |descr: &str, shape: &str, data: &[u8]| {
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    };
    let inputs: Vec<u8> = (0..12u8).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    let labels: Vec<u8> = (0..4i64).flat_map(i64::to_le_bytes).collect();
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in [("x.npy", array("<f4", "(4, 3)", &inputs)), ("y.npy", array("<i8", "(4,)", &labels))] {
        writer.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut writer, &bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
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
    let seeds: Vec<(&str, Vec<u8>)> = seeds.iter().map(|seed| (*seed, file(seed))).collect();
    fuzz_bytes(&seeds, cases, reader);
}

/// [`fuzz`] with the bytes of each named seed.
fn fuzz_bytes(seeds: &[(&str, Vec<u8>)], cases: u32, reader: impl Fn(&Contents)) {
    let before = peak_kilobytes();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    for (seed, bytes) in seeds {
        runner
            .run(&mutation(), |mutation| {
                reader(&Contents::new(seed, mutated(bytes, &mutation)));
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

/// Valid files of every kind of table and array, changed a little: this reaches behind the first bytes.
#[test]
fn archives_arrays_and_tables() {
    let stored = archive(zip::CompressionMethod::Stored);
    // The second array's bytes begin at its own magic number.
    let start = stored.windows(6).rposition(|window| window == b"\x93NUMPY").unwrap();
    let seeds = [
        ("x.npz", stored.clone()),
        ("x.npz", archive(zip::CompressionMethod::Deflated)),
        ("x.npy", stored[start..start + 160].to_vec()),
        ("x.csv", b"a,b,label\n0.5,-1e3,0\n\"2\",3,1\n".to_vec()),
        ("x-idx1-ubyte", [&[0, 0, 8, 1, 0, 0, 0, 4][..], &[1, 2, 3, 4]].concat()),
    ];
    for (name, bytes) in seeds.iter().take(2) {
        let data = read(&Contents::new(name, bytes.clone()), &Options::default()).unwrap();
        assert_eq!(data.len, 4, "{name}");
    }
    fuzz_bytes(&seeds, 400, |contents| {
        if let Err(error) = read(contents, &Options::default()) {
            assert!(!error.to_string().is_empty());
        }
    });
}

/// The certificate reader on changed bytes: it answers, and what it still accepts says no more than it has derived anew.
#[test]
fn certificates() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzzed-certificate");
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("small.cert");
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["check", "tests/forge/small.spec", "--certificate"])
        .arg(&path)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let text = std::fs::read(&path).unwrap();
    let side = std::fs::read(path.with_extension("cert.bin")).unwrap_or_default();
    let read_back = |text: &[u8], side: &[u8]| -> Result<(), Refusal> {
        let text = Text::parse(text.to_vec())?;
        text.side()?;
        let certificate = text.read(Box::new(std::io::Cursor::new(side.to_vec())))?;
        let theorems = supremum::certificate::theorems(&certificate)?;
        certificate.verify(&theorems, drop)
    };
    assert!(read_back(&text, &side).is_ok());
    fuzz_bytes(&[("small.cert", text.clone())], 300, |contents| {
        if let Err(refusal) = read_back(&contents.bytes, &side) {
            assert!(!refusal.to_string().is_empty());
        }
    });
    if !side.is_empty() {
        fuzz_bytes(&[("small.cert.bin", side.clone())], 100, |contents| {
            // The text names the hash of its side file.
            assert!(contents.bytes == side || read_back(&text, &contents.bytes).is_err());
        });
    }
}
