//! Data sets of the repository, and files a spec may and may not name.

use num_rational::BigRational;
use std::path::{Path, PathBuf};
use supremum::data::dataset::{ByteValue, Inputs, Labels, Options, load, read_indices};
use supremum::data::file::{Contents, DATA_BYTES, Folder, Sha256Hash};
use supremum::data::{DataErrorKind, number};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn specs() -> Folder {
    Folder::new(&root("specs")).unwrap()
}

/// A fresh folder for one test, inside cargo's own.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if path.exists() {
        std::fs::remove_dir_all(&path).unwrap();
    }
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn reference(name: &str) -> serde_json::Value {
    let path = root("tests/data/models/torch").join(format!("{name}.ref.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn digits_and_mnist_hold_the_images_of_the_references() {
    for (set, model, scale, len, train) in
        [("digits", "digits_mlp", 16, 1797, 1297), ("mnist10k", "mnist_mlp", 255, 10_000, 8_000)]
    {
        let options = Options { bytes: ByteValue::Float32 { scale }, label: None };
        let data = load(&specs(), &format!("data/{set}"), &options, None).unwrap();
        assert_eq!((data.len, data.parts["train"].len(), data.parts["test"].len()), (len, train, len - train));
        assert_eq!(data.check_classes(10).unwrap().len(), len);
        assert!(data.check_classes(9).is_err());
        let reference = &reference(model)["inputs"];
        for (i, index) in reference["indices"].as_array().unwrap().iter().enumerate() {
            let index = index.as_u64().unwrap() as usize;
            let row = data.row_dyadic(index).unwrap();
            let bytes = reference["bytes"][i].as_array().unwrap();
            assert_eq!(row.len(), bytes.len());
            for (found, byte) in row.iter().zip(bytes) {
                let expected = byte.as_u64().unwrap() as f32 / f32::from(scale);
                assert_eq!(Some(*found), number::from_f32(expected));
            }
            let Some(Labels::Classes(labels)) = &data.labels else { panic!("no classes") };
            assert_eq!(u64::from(labels[index]), reference["labels"][i].as_u64().unwrap());
        }
        let test = data.part("test").unwrap();
        assert_eq!(test.row(0), data.row(data.parts["test"][0]));
        assert!(data.part("tset").unwrap_err().to_string().contains("`test`"));
    }
}

/// `u / 255` and its float32 rounding differ for every byte but 0 and 255, because 255 is odd.
#[test]
fn the_meaning_of_a_byte_is_exact() {
    let quotient = ByteValue::Quotient { scale: 255 };
    let float = ByteValue::Float32 { scale: 255 };
    let differ = (0..=255u8).filter(|&byte| quotient.rational(byte) != float.rational(byte)).count();
    assert_eq!(differ, 254);
    assert_eq!(quotient.rational(51), BigRational::new(1.into(), 5.into()));
    assert_eq!((quotient.dyadic(51), quotient.dyadic(255)), (None, Some(number::from_integer(1))));
    for byte in 0..=16 {
        let [a, b] = [ByteValue::Quotient { scale: 16 }, ByteValue::Float32 { scale: 16 }];
        assert_eq!(a.dyadic(byte), b.dyadic(byte));
    }
}

#[test]
fn a_set_is_pinned_by_one_hash() {
    let options = Options::default();
    let data = load(&specs(), "data/digits", &options, None).unwrap();
    let hash = data.sha256().to_string();
    assert!(load(&specs(), "data/digits", &options, Some(&hash.to_uppercase())).is_ok());
    let error = load(&specs(), "data/digits", &options, Some(&"0".repeat(64))).unwrap_err();
    assert!(matches!(error.kind, DataErrorKind::Altered { .. }), "{error}");
    assert!(
        load(&specs(), "data/digits", &options, Some("placeholder"))
            .unwrap_err()
            .to_string()
            .contains("64 hexadecimal")
    );
    assert_eq!(data.sources.len(), 4);
    // FIPS 180-4, the example "abc".
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(Sha256Hash::of(b"abc").to_string(), abc);
    assert!(Contents::new("x", b"abc".to_vec()).check_hash(abc).is_ok());
}

#[test]
fn tables_keep_decimals_and_name_bad_cells() {
    let folder = scratch("tables");
    std::fs::write(folder.join("t.csv"), "a,b,y\n0.1,2,-1\n0.3,4,1\n").unwrap();
    std::fs::write(folder.join("nan.csv"), "a,y\n1,0\nnan,1\n").unwrap();
    std::fs::write(folder.join("reg.csv"), "y,a\n0.5,1\n2,3\n").unwrap();
    let folder = Folder::new(&folder).unwrap();
    let data = load(&folder, "t.csv", &Options::default(), None).unwrap();
    assert_eq!(data.labels, Some(Labels::Signs(vec![-1, 1])));
    assert_eq!(data.columns, ["a", "b"]);
    assert_eq!(data.row(1).unwrap()[0], BigRational::new(3.into(), 10.into()));
    assert!(matches!(data.inputs, Inputs::Rational(_)));
    let error = load(&folder, "nan.csv", &Options::default(), None).unwrap_err().to_string();
    assert!(error.contains("line 3, column `a`"), "{error}");
    let options = Options { label: Some("y".to_string()), ..Options::default() };
    let data = load(&folder, "reg.csv", &options, None).unwrap();
    assert!(matches!(data.labels, Some(Labels::Real(_))));
    let options = Options { label: Some("z".to_string()), ..Options::default() };
    assert!(load(&folder, "reg.csv", &options, None).unwrap_err().to_string().contains("column `z`"));
}

#[test]
fn splits_must_be_sets_of_examples() {
    let path = scratch("splits");
    for (name, text) in [("good.txt", "2\n0\n"), ("twice.txt", "1\n1\n"), ("far.txt", "3\n"), ("word.txt", "one\n")] {
        std::fs::write(path.join(name), text).unwrap();
    }
    let folder = Folder::new(&path).unwrap();
    assert_eq!(read_indices(&folder, "good.txt", 3).unwrap().0, [2, 0]);
    assert!(read_indices(&folder, "twice.txt", 3).unwrap_err().to_string().contains("1 again"));
    assert!(read_indices(&folder, "far.txt", 3).unwrap_err().to_string().contains("below 3"));
    assert!(read_indices(&folder, "word.txt", 3).unwrap_err().to_string().contains("line 1"));
    // Overlapping parts would put a test example into the training set.
    let idx = |len: u8| [&[0, 0, 8, 1, 0, 0, 0, len][..], &vec![0; usize::from(len)]].concat();
    std::fs::write(
        path.join("d-images.idx3-ubyte"),
        [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1][..], &[1, 2, 3]].concat(),
    )
    .unwrap();
    std::fs::write(path.join("d-labels.idx1-ubyte"), idx(3)).unwrap();
    std::fs::write(path.join("d-train.txt"), "0\n1\n").unwrap();
    std::fs::write(path.join("d-test.txt"), "2\n").unwrap();
    assert!(load(&folder, "d", &Options::default(), None).is_ok());
    std::fs::write(path.join("d-test.txt"), "1\n").unwrap();
    assert!(load(&folder, "d", &Options::default(), None).unwrap_err().to_string().contains("disjoint"));
    std::fs::write(path.join("d-labels.idx1-ubyte"), idx(2)).unwrap();
    assert!(load(&folder, "d", &Options::default(), None).unwrap_err().to_string().contains("3 labels"));
}

#[test]
fn names_stay_inside_the_folder() {
    let path = scratch("names");
    std::fs::create_dir(path.join("inner")).unwrap();
    std::fs::write(path.join("secret.txt"), "secret").unwrap();
    std::fs::write(path.join("inner/weights.onnx"), "w").unwrap();
    let folder = Folder::new(&path.join("inner")).unwrap();
    let refusal = |name: &str| folder.read(name, DATA_BYTES).unwrap_err();
    assert!(folder.read("weights.onnx", DATA_BYTES).is_ok());
    assert!(folder.read("./weights.onnx", DATA_BYTES).is_ok());
    let absolute = path.join("secret.txt").to_string_lossy().into_owned();
    for name in [
        "",
        "../secret.txt",
        "a/../../secret.txt",
        &absolute,
        "C:\\x",
        "\\x",
        "c:x",
        "a\\b",
        "weights.onnx\0",
        "/dev/zero",
    ] {
        let error = refusal(name);
        assert!(matches!(error.kind, DataErrorKind::Path { .. }), "{name:?}: {error}");
        assert!(!error.to_string().contains("secret\n"));
    }
    assert!(refusal("weight.onnx").to_string().contains("`weights.onnx`"));
    assert!(refusal(".").to_string().contains("found a folder"));
    let large = folder.read("weights.onnx", 0).unwrap_err();
    assert!(large.is_limit() && large.to_string().contains("at most 0 bytes"), "{large}");
    assert!(refusal(&"x/".repeat(10_000)).is_limit());
}

#[cfg(unix)]
#[test]
fn links_pipes_and_devices_are_refused_without_hanging() {
    use std::os::unix::fs::symlink;
    let path = scratch("links");
    std::fs::create_dir(path.join("inner")).unwrap();
    std::fs::write(path.join("outside"), "x").unwrap();
    std::fs::write(path.join("inner/inside"), "x").unwrap();
    for (target, link) in
        [("../outside", "out"), ("inside", "in"), ("loop", "loop"), ("/dev/zero", "zero"), ("gone", "dangling")]
    {
        symlink(target, path.join("inner").join(link)).unwrap();
    }
    let pipe = std::process::Command::new("mkfifo").arg(path.join("inner/pipe")).status().unwrap();
    assert!(pipe.success());
    let folder = Folder::new(&path.join("inner")).unwrap();
    let refusal = |name: &str| folder.read(name, DATA_BYTES).unwrap_err().to_string();
    assert!(folder.read("in", DATA_BYTES).is_ok());
    assert!(refusal("out").contains("a link that leaves it"));
    assert!(refusal("zero").contains("a link that leaves it"));
    assert!(refusal("loop").contains("cannot be read"));
    assert!(refusal("pipe").contains("found a device, pipe or socket"));
    assert!(refusal("dangling").contains("expected a file, found none"));
}
