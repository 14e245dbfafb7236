//! Hostile inputs through the command line, case by case of `tests/data/adversarial/cases.json`. Exit codes are those of the file;
//! numbers are from exact arithmetic (bc, Python's integers) and stated beside the case.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A case in the language: its id, the spec, the exit code, and a text that the answer contains.
type Case = (&'static str, &'static str, i32, &'static str);

const NET: &str = "network f = 2 -> 3 -> 1 relu\ndata D = two_moons(n: 100, noise: 0.1, seed: 1)\n\
                   split D into train 50, test 50\n\
                   train h : f on D.train { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n";

/// exp(1) rounded up to 60 digits (bc, 1000 digits).
const E_UP: &str = "claim t : exp(1) <= 2.71828182845904523536028747135266249775724709369995957496697";

const CASES: &[Case] = &[
    ("num-decimal-exact", "claim t : 0.1 + 0.2 = 0.3", 0, "proved"),
    ("num-tiny", "let d = 1e-400\nclaim t : ln(1/d) <= 921.0341", 0, "proved"),
    ("num-huge-params", "network f = 1000000000 -> 1000000000\nclaim t : params(f) = 1000000001000000000", 0, "proved"),
    (
        "num-huge-params",
        "network f = 1000000000000000 -> 1000000000000000\nclaim t : params(f) = 1000000000000001000000000000000",
        0,
        "proved",
    ),
    (
        "num-usize-overflow",
        // 2 (2^126 + 2^63)
        "network f = 9223372036854775808 -> 9223372036854775808 -> 9223372036854775808\n\
         claim t : params(f) = 170141183460469231750134047789593657344",
        0,
        "proved",
    ),
    ("num-forms", "claim t : 1. <= 2", 3, ":1:"),
    ("num-forms", "claim t : .5 <= 2", 3, ":1:11"),
    ("num-forms", "claim t : 0x10 <= 20", 3, "expected a decimal number, found `0x10`"),
    ("num-forms", "claim t : 1,000 <= 2000", 3, ":1:12"),
    ("num-forms", "claim t : +3 <= 4", 3, ":1:11"),
    ("num-forms", "claim t : --3 <= 4", 3, "error"),
    ("num-forms", "claim t : \u{661}\u{662} <= 20", 3, "U+0661"),
    ("num-forms", "claim t : \u{bd} <= 1", 3, "U+00BD"),
    ("num-forms", "claim t : \u{ff13} <= 4", 3, "U+FF13"),
    ("num-forms", "claim t : 1e5 = 1E+5", 0, "proved"),
    ("num-forms", "claim t : 1_000 = 1000", 0, "proved"),
    ("num-neg-zero", "claim t : 1/(-0) >= 0", 3, "divisor"),
    ("num-div-zero-lit", "claim t : 1/0 <= 5", 3, "divisor"),
    ("cmp-true-by-1ulp", E_UP, 0, "proved"),
    ("cmp-equal-transcendental", "claim t : exp(ln(2)) <= 2", 4, "unknown"),
    ("cmp-strict-equal", "claim t : exp(ln(2)) < 2", 4, "unknown"),
    ("cmp-sqrt-equal", "claim t : sqrt(4) = 2\nclaim u : sqrt(1/9) = 1/3", 0, "2 proved"),
    ("cmp-near-integer", "claim t : exp(pi*sqrt(163)) < 262537412640768744", 0, "proved"),
    ("cmp-chain", "claim t : 1 <= 2 <= 1", 1, "fails at 2 > 1"),
    ("dom-log-cross", "claim t : forall x in [-1, 2] : ln(x) <= 1", 3, "`ln`"),
    ("dom-log-zero", "claim t : forall x in [0, 1] : ln(x) <= 0", 3, "`ln`"),
    ("dom-pow", "claim t : forall x in [-1, 1] : x^0.5 <= 1", 3, "found [-1, 1]"),
    ("dom-pow", "claim t : forall x in [-1, 1] : x^(-1) <= 1", 3, "divisor"),
    ("dom-pow", "claim t : forall x in [-1, 1] : x^(1/3) <= 1", 3, "found [-1, 1]"),
    ("dom-pow", "claim t : 0^0 = 1", 0, "proved"),
    ("dom-pow", "claim t : 0^(ln(2) - ln(2)) = 1", 3, "base"),
    ("dom-inf", "claim t : forall x in [0, inf] : exp(-x) <= 1", 0, "proved"),
    ("dom-inf-times-zero", "claim t : forall x in [0, inf] : x*0 = 0", 0, "proved"),
    ("dom-dependency", "claim t : forall x in [0, 1] : x - x = 0", 4, "unknown"),
    ("dom-overflow-f64", "let x = 1e308\nclaim t : x*10 <= 1e309", 0, "proved"),
    (
        "thm-wrong-activation",
        "network f = 2 -> 3 -> 1 sigmoid\nclaim t : vcdim(sign(f)) <= ? by bhlm2019",
        3,
        "piecewise_polynomial",
    ),
    ("thm-m-lt-vc", "claim t : growth(halfspaces(99), 10) <= ? by sauer_shelah", 3, "d <= m"),
    (
        "thm-noniid",
        "network f = 2 -> 3 -> 1 relu\ndata D = two_moons(n: 100, noise: 0.1, seed: 1)\nassume order : time_series(D)\n\
         split D into train 50, test 50\n\
         train h : f on D.train { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n\
         claim t : risk(h, zero_one) <= ? with probability >= 0.99 by test_set(D.test)",
        3,
        "`D.test` is declared a time series",
    ),
    ("thm-zero-width", "network f = 784 -> 0 -> 10 relu\nclaim t : params(f) = 1", 3, "E0120"),
    ("thm-depth-zero", "network f = 784 relu\nclaim t : params(f) = 1", 3, "E01"),
    ("thm-depth-zero", "network f { input 784 }\nclaim t : params(f) = 1", 3, "E01"),
    ("p-unicode-ident", "let \u{430} = 3\nlet a = 4\nclaim t : a = 4", 3, "U+0430"),
    ("p-unicode-ident", "-- \u{202e} comment\nclaim t : 1 <= 2", 3, "U+202E"),
    ("p-empty", "", 3, "E0136"),
    ("p-empty", "-- only a comment\n", 3, "E0136"),
    ("p-empty", "network f = 2 -> 1\n", 3, "E0136"),
    ("p-self", "let a = a\nclaim t : 1 <= 2", 3, "E0131"),
    ("p-duplicate", "network f = 2 -> 1\nnetwork f = 3 -> 1\nclaim t : params(f) = 3", 3, "first declared here"),
    ("p-duplicate", "let a = 1\nlet a = 2\nclaim t : a = 2", 3, "first declared here"),
    ("p-duplicate", "claim t : 1 <= 2\nclaim t : 2 <= 1", 3, "first declared here"),
    ("p-shadow-builtin", "let pi = 3\nclaim t : 1 <= 2", 3, "E0128"),
    ("p-shadow-builtin", "let exp = 1\nclaim t : 1 <= 2", 3, "E0128"),
    ("p-trailing", "claim t : 1 <= 2 garbage", 3, "E0116"),
    ("r-print-rounding", "claim t : ln(2) <= ?", 0, "ln(2) <= 0.6931472"),
    ("r-print-rounding", "claim t : ln(2) >= ?", 0, "ln(2) >= 0.6931471"),
];

/// Cases that the surface does not reach, and why.
const UNREACHED: &[(&str, &str)] = &[(
    "w-changed-under",
    "a file is read once and its hash is of the bytes read (`data::file`): there is no second reading",
)];

/// Cases that need files, by the tests below.
const ELSEWHERE: &[&str] = &[
    "num-many-digits",
    "dom-subnormal",
    "thm-unbounded-loss",
    "thm-data-dependent",
    "thm-circular",
    "w-inf",
    "w-f16-bf16",
    "w-neg-zero",
    "w-huge-norm",
    "w-missing-tensor",
    "w-st-header-len",
    "w-st-offsets",
    "w-onnx-varint",
    "w-onnx-unsupported",
    "w-onnx-external",
    "w-path-traversal",
    "w-symlink",
    "w-fp-execution",
    "w-big-M-gadget",
    "p-nonutf8",
    "p-utf16",
    "p-deep-parens",
    "p-long-chain",
    "p-exp-growth",
    "p-stdin",
    "r-disk-full",
    "r-kill9",
    "r-two-runs",
    "r-threads",
    "r-clock",
    "r-timeout",
    "r-rounding-env",
    "r-sigpipe",
    "r-ctrl-c",
    "r-latex-injection",
];

/// A fresh folder, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("supremum-adversarial-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Scratch(folder)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Scratch {
        std::fs::write(self.0.join(name), bytes).expect("written");
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_supremum"));
        command.current_dir(&self.0).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        answer(&self.command(arguments).stdin(Stdio::null()).output().expect("the binary runs"))
    }

    fn check(&self, spec: impl AsRef<[u8]>) -> (i32, String) {
        self.write("case.spec", spec).run(&["check", "case.spec"])
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Exit code and everything printed. A panic prints one of these words.
fn answer(output: &Output) -> (i32, String) {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("panicked") && !text.contains("overflowed its stack"), "{text}");
    (output.status.code().unwrap_or(-1), text)
}

fn cases() -> Vec<(String, String, i32)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/adversarial/cases.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).expect("cases")).expect("JSON");
    let text = |case: &serde_json::Value, key: &str| case[key].as_str().expect("a text").to_string();
    let all = json["cases"].as_array().expect("cases").iter();
    all.map(|case| (text(case, "id"), text(case, "group"), case["exit"].as_i64().expect("an exit code") as i32))
        .collect()
}

#[test]
fn every_case_is_tested_or_has_a_reason() {
    let tested: BTreeSet<&str> = CASES.iter().map(|case| case.0).collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().copied().collect();
    let unreached: BTreeSet<&str> = UNREACHED.iter().map(|case| case.0).collect();
    let known = cases();
    for (id, group, _) in known.iter().filter(|(_, group, _)| group != "certificates") {
        let places = [&tested, &elsewhere, &unreached].iter().filter(|set| set.contains(id.as_str())).count();
        assert_eq!(places, 1, "{id} of {group}");
    }
    for id in tested.iter().chain(&elsewhere).chain(&unreached) {
        assert!(known.iter().any(|(known, _, _)| known == id), "{id} is no case");
    }
}

#[test]
fn cases_in_the_language() {
    let expected = cases();
    let scratch = Scratch::new("language");
    for (id, spec, exit, part) in CASES {
        let (found, text) = scratch.check(spec);
        assert_eq!(found, *exit, "{id}: {spec}\n{text}");
        assert!(text.contains(part), "{id}: expected `{part}`\n{spec}\n{text}");
        // A case with accepted and refused forms has the exit code of the refused ones.
        let (_, _, of_file) = expected.iter().find(|(known, _, _)| known == id).expect("a case");
        assert!(found == *of_file || (found == 0 && ["num-forms", "dom-pow"].contains(id)), "{id}: {found} {of_file}");
    }
}

#[test]
fn numbers_and_nesting_have_limits_and_no_others() {
    let scratch = Scratch::new("limits");
    // num-many-digits
    let (exit, text) = scratch.check(format!("claim t : {} >= 0", "1".repeat(1_000_000)));
    assert_eq!(exit, 8, "{text:.200}");
    assert!(text.contains("16384 digits"));
    // p-deep-parens
    let (open, close) = ("(".repeat(100_000), ")".repeat(100_000));
    let (exit, text) = scratch.check(format!("claim t : {open}1{close} <= 2"));
    assert_eq!(exit, 8, "{text:.200}");
    assert!(text.contains("256 nested levels"));
    // p-long-chain
    let chain = "1+".repeat(299_999) + "1";
    let (exit, text) = scratch.check(format!("claim t : {chain} <= 300000"));
    assert_eq!(exit, 0, "{text:.200}");
    // p-exp-growth: 3^(2^40) has 5e11 digits.
    let mut spec = "let a0 = 3\n".to_string();
    for i in 1..=40 {
        spec += &format!("let a{i} = a{}*a{}\n", i - 1, i - 1);
    }
    let (exit, text) = scratch.check(spec + "claim t : a40 > 10^1000000000");
    assert_eq!(exit, 0, "{text}");
}

#[test]
fn samples_that_were_seen_judge_nothing() {
    let scratch = Scratch::new("seen");
    let check = |claim: &str| scratch.check(format!("{NET}claim t : {claim}"));
    let bound = |text: &str| -> f64 {
        let (_, rest) = text.split_once("zero_one) <= ").expect("a bound");
        rest.split_whitespace().next().expect("a number").parse().expect("a number")
    };
    let (exit, text) = check("risk(h, zero_one) <= ? with probability >= 0.99 by test_set(D.test)");
    assert_eq!(exit, 0, "{text}");
    let stated = bound(&text);
    // thm-circular
    let (exit, text) = check("risk(h, zero_one) <= ? with probability >= 0.99 by test_set(D.train)");
    assert_eq!(exit, 3, "{text}");
    assert!(text.contains("E0310"), "{text}");
    // thm-unbounded-loss
    let (exit, text) = check("risk(h, squared) <= ? with probability >= 0.99 by test_set(D.test)");
    assert_eq!(exit, 3, "{text}");
    assert!(text.contains("not bounded"), "{text}");
    // thm-data-dependent: a margin read off the sample is refused where the theorem is for one margin; over the grid it is paid for.
    let margin = "domain X = [-3, 3]^2\nlet g = empirical_risk(h, D.train, zero_one) + 1/10\nclaim t : risk(h, zero_one) <= ? with \
                  probability >= 0.99 by margin.rademacher(f, X, D.train, g: g, r: 1/100)";
    let (exit, text) = scratch.check(format!("{NET}{margin}"));
    assert_eq!(exit, 3, "{text}");
    assert!(text.contains("E0311") && text.contains("was read off the sample"), "{text}");
    let (exit, text) = check("risk(h, zero_one) <= ? with probability >= 0.99 by margin_grid.path_norm(f, D.train)");
    assert_eq!(exit, 0, "{text}");
    // And the best of several bounds, chosen by looking at the sample, pays for all of them.
    let (exit, text) = check("risk(h, zero_one) <= ? with probability >= 0.99");
    assert_eq!(exit, 0, "{text}");
    assert!(bound(&text) > stated, "{text}");
}

/// A safetensors file: a header as given and a body.
fn safetensors(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(body);
    bytes
}

/// A chain of one-by-one layers without biases, each with the same stored number.
fn scalars(dtype: &str, layers: usize, stored: &[u8]) -> Vec<u8> {
    let size = stored.len();
    let entries: Vec<String> = (0..layers)
        .map(|i| {
            let (begin, end) = (i * size, (i + 1) * size);
            format!("\"{i}.weight\":{{\"dtype\":\"{dtype}\",\"shape\":[1,1],\"data_offsets\":[{begin},{end}]}}")
        })
        .collect();
    safetensors(&format!("{{{}}}", entries.join(",")), &stored.repeat(layers))
}

#[test]
fn stored_weights_are_taken_exactly() {
    let scratch = Scratch::new("weights");
    let weight = |dtype: &str, stored: &[u8], claim: &str| {
        scratch.write("f.safetensors", scalars(dtype, 1, stored));
        scratch.check(format!("network f from \"f.safetensors\" as 1 -> 1\nclaim t : {claim}"))
    };
    for (dtype, stored, claim) in [
        // w-f16-bf16: the largest f16, the least subnormal f16, the largest bf16 = (2 - 2^-7) 2^127, the least f64.
        ("F16", vec![0xff, 0x7b], "weight_norm(f, 1, l1) = 65504"),
        ("F16", vec![0x01, 0x00], "weight_norm(f, 1, l1) = 2^-24"),
        ("BF16", vec![0x7f, 0x7f], "weight_norm(f, 1, l1) = (2 - 2^-7)*2^127"),
        ("F32", 0.1f32.to_le_bytes().to_vec(), "weight_norm(f, 1, l1) = 13421773/134217728"),
        // w-neg-zero
        ("F32", (-0.0f32).to_le_bytes().to_vec(), "lip(f, l2) <= 0"),
        // dom-subnormal
        ("F64", 5e-324f64.to_le_bytes().to_vec(), "weight_norm(f, 1, l1)/2 > 0"),
        ("F64", 5e-324f64.to_le_bytes().to_vec(), "weight_norm(f, 1, l2)/2 > 0"),
    ] {
        let (exit, text) = weight(dtype, &stored, claim);
        assert_eq!(exit, 0, "{claim}\n{text}");
    }
    // w-inf
    for stored in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let (exit, text) = weight("F32", &stored.to_le_bytes(), "lip(f, l2) <= ?");
        assert_eq!(exit, 7, "{text}");
        assert!(text.contains("finite"), "{text}");
    }
    // w-huge-norm: ((2^24 - 1) 2^104)^50 = 4.4...e1926 (Python's integers).
    scratch.write("deep.safetensors", scalars("F32", 50, &f32::MAX.to_le_bytes()));
    let chain = "1 -> ".repeat(50) + "1";
    let (exit, text) = scratch.check(format!(
        "network f from \"deep.safetensors\" as {chain} relu\nclaim t : lip(f, l2) <= 1e1927 by norm_product\n\
         claim u : lip(f, linf) <= ? by norm_product"
    ));
    assert_eq!(exit, 0, "{text}");
    // w-missing-tensor
    let (exit, text) = scratch.check("network f from \"deep.safetensors\" as 1 -> 2 relu\nclaim t : params(f) = 4");
    assert_eq!(exit, 7, "{text}");
    let (exit, text) =
        scratch.check(format!("network f from \"deep.safetensors\" as {chain} -> 1 relu\nclaim t : params(f) = 4"));
    assert_eq!(exit, 7, "{text}");
    // w-fp-execution
    scratch.write("f.safetensors", scalars("F32", 1, &1.0f32.to_le_bytes()));
    let (exit, text) = scratch.check("network f from \"f.safetensors\" as 1 -> 1\nclaim t : lip(f, l2) <= 1");
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("exact real"), "{text}");
}

#[test]
fn a_bit_that_floats_absorb_is_seen() {
    // w-big-M-gadget: relu(2^60 x + 1) - relu(2^60 x) - 1/2 = 1/2 at x = 1, where floats give 2^60 - 2^60 - 1/2 < 0.
    let scratch = Scratch::new("gadget");
    let header = "{\"0.weight\":{\"dtype\":\"F64\",\"shape\":[2,1],\"data_offsets\":[0,16]},\
                   \"0.bias\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[16,32]},\
                   \"1.weight\":{\"dtype\":\"F64\",\"shape\":[1,2],\"data_offsets\":[32,48]},\
                   \"1.bias\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[48,56]}}";
    let big = 2f64.powi(60);
    let numbers = [big, big, 1.0, 0.0, 1.0, -1.0, -0.5];
    let body: Vec<u8> = numbers.iter().flat_map(|x: &f64| x.to_le_bytes()).collect();
    scratch.write("f.safetensors", safetensors(header, &body)).write("d.csv", "x,label\n1,1\n2,1\n3,1\n");
    let (exit, text) = scratch.check(
        "network f from \"f.safetensors\" as 1 -> 2 -> 1 relu\ndata D from \"d.csv\"\nclaim t : errors(f, D) = 0\n",
    );
    assert_eq!(exit, 0, "{text}");
}

#[test]
fn malformed_files_are_refused_before_they_are_believed() {
    let scratch = Scratch::new("files");
    let spec = |file: &str| format!("network f from \"{file}\" as 1 -> 1\nclaim t : params(f) = 1");
    let refused = |file: &str, part: &str| {
        let (exit, text) = scratch.check(spec(file));
        assert_eq!(exit, 7, "{file}\n{text}");
        assert!(text.contains(part), "{file}: expected `{part}`\n{text}");
    };
    // w-st-header-len
    for length in [1 << 63, u64::MAX, 1_000_000, 0, 1] {
        let mut bytes = u64::to_le_bytes(length).to_vec();
        bytes.extend(b"{}");
        scratch.write("f.safetensors", bytes);
        refused("f.safetensors", "f.safetensors");
    }
    // w-st-offsets: reversed, beyond the end, a hole, no match with the shape, an overflowing shape, overlapping.
    for (shape, offsets) in [
        ("[1,1]", "[4,0]"),
        ("[1,1]", "[0,8]"),
        ("[1,1]", "[4,8]"),
        ("[1,2]", "[0,4]"),
        ("[4294967296,4294967296]", "[0,4]"),
        ("[18446744073709551615,2]", "[0,4]"),
    ] {
        let header = format!("{{\"0.weight\":{{\"dtype\":\"F32\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}");
        scratch.write("f.safetensors", safetensors(&header, &[0; 4]));
        refused("f.safetensors", "f.safetensors");
    }
    let entry = |name: &str| format!("\"{name}\":{{\"dtype\":\"F32\",\"shape\":[1,1],\"data_offsets\":[0,4]}}");
    scratch.write("f.safetensors", safetensors(&format!("{{{},{}}}", entry("0.weight"), entry("1.weight")), &[0; 4]));
    refused("f.safetensors", "f.safetensors");
    // w-onnx-varint: eleven bytes of continuation; a length of 2^63; groups nested 100 000 deep.
    let mut length = vec![0x3a];
    length.extend([0x80; 8].iter().chain(&[0x80, 0x01]));
    for bytes in [vec![0xff; 11], length, vec![0x0b; 100_000], Vec::new(), vec![0; 64]] {
        scratch.write("f.onnx", bytes);
        refused("f.onnx", "f.onnx");
    }
    let variants = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/variants");
    for (file, part) in [
        // w-onnx-unsupported
        ("unsupported_lstm.onnx", "operator Expand"),
        ("unsupported_custom_relu.onnx", "com.example::Relu"),
        ("unsupported_softmax.onnx", "operator Softmax"),
        // w-onnx-external
        ("bad_external_path.onnx", "`..`"),
        ("bad_external_missing.onnx", "not_there.data"),
    ] {
        scratch.write(file, std::fs::read(variants.join(file)).expect("a variant"));
        refused(file, part);
    }
}

#[test]
fn names_stay_inside_the_folder() {
    let scratch = Scratch::new("paths");
    // w-path-traversal
    for (path, code) in [
        ("../../../etc/passwd", 7),
        ("/etc/passwd", 7),
        ("C:\\\\x", 7),
        ("a\\\\b", 7),
        ("", 7),
        (".", 7),
        ("case.spec/x", 7),
        ("nul\u{0}.onnx", 7),
    ] {
        let path = path.replace("\\\\", "\\");
        for item in [format!("network f from \"{path}\" as 1 -> 1"), format!("data f from \"{path}\"")] {
            let (exit, text) = scratch.check(format!("{item}\nclaim t : 1 <= 2"));
            assert_eq!(exit, code, "{item}\n{text}");
            assert!(!text.contains("root:"), "{text}");
        }
    }
}

#[cfg(unix)]
#[test]
fn only_regular_files_of_the_folder_are_opened() {
    // w-symlink
    let scratch = Scratch::new("links");
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, scratch.0.join(name)).expect("a link");
    link("/etc/passwd", "outside.onnx");
    link("loop.onnx", "loop.onnx");
    link("/dev/zero", "device.onnx");
    std::fs::create_dir(scratch.0.join("folder.onnx")).expect("a folder");
    let made = Command::new("mkfifo").arg(scratch.0.join("pipe.onnx")).status().expect("mkfifo");
    assert!(made.success());
    for file in ["outside.onnx", "loop.onnx", "device.onnx", "folder.onnx", "pipe.onnx"] {
        let (exit, text) = scratch.check(format!("network f from \"{file}\"\nclaim t : params(f) = 1"));
        assert_eq!(exit, 7, "{file}\n{text}");
        assert!(!text.contains("root:"), "{text}");
    }
    // p-stdin
    let (exit, text) = scratch.run(&["check", "folder.onnx"]);
    assert_eq!(exit, 3, "{text}");
    let (exit, text) = scratch.run(&["check", "pipe.onnx"]);
    assert_eq!(exit, 3, "{text}");
    let (exit, text) = scratch.run(&["check", "no_such.spec"]);
    assert_eq!(exit, 3, "{text}");
    let (exit, text) = scratch.run(&["check", "-"]);
    assert_eq!(exit, 3, "{text}");
    let (exit, text) = scratch.run(&["check", "/dev/stdin"]);
    assert_eq!(exit, 3, "{text}");
}

#[test]
fn texts_that_are_no_text() {
    let scratch = Scratch::new("bytes");
    for (bytes, part) in [
        // p-nonutf8
        (b"claim t : 1 <= 2 -- \xff\n".as_slice(), "offset 20"),
        (b"claim \xff : 1 <= 2\n", "offset 6"),
        // p-utf16
        (b"\xff\xfec\0l\0a\0i\0m\0", "UTF-16"),
        (b"\xfe\xff\0c\0l\0a\0i\0m", "UTF-16"),
    ] {
        let (exit, text) = scratch.check(bytes);
        assert_eq!(exit, 3, "{text}");
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn what_cannot_be_written_is_said() {
    let scratch = Scratch::new("output");
    scratch.write("t.spec", "claim t : 1 <= 2\ntable \"t\" { rows claims cols bound }\n");
    // r-disk-full
    let (exit, text) = scratch.run(&["table", "t.spec", "--to", "csv", "-o", "t.spec/inside"]);
    assert_eq!(exit, 9, "{text}");
    if Path::new("/dev/full").exists() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let output = scratch.command(&["check", "t.spec"]).stdout(full).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(9));
    }
    assert_eq!(std::fs::read_dir(&scratch.0).expect("the folder").count(), 1, "nothing half written is left");
    // In the middle of a file: as on a full disk, no file may grow beyond a thousand bytes. What stood there before is left as it was.
    #[cfg(unix)]
    {
        let many: String = (0..80).map(|i| format!("claim t{i} : {i} <= {}\n", i + 1)).collect();
        scratch.write("many.spec", many + "table \"t\" { rows claims cols bound }\n");
        scratch.write("old.cert", "old");
        let limited = |arguments: &str| {
            let script = format!("trap '' XFSZ; ulimit -f 1; exec {} {arguments}", env!("CARGO_BIN_EXE_supremum"));
            answer(&Command::new("sh").current_dir(&scratch.0).args(["-c", &script]).output().expect("a shell"))
        };
        for arguments in ["table many.spec --to csv,md,tex -o out", "check many.spec --certificate old.cert"] {
            let (exit, text) = limited(arguments);
            assert_eq!(exit, 9, "{text}");
            assert!(text.contains("could not be written") || text.contains("cannot be written"), "{text}");
        }
        assert_eq!(std::fs::read(scratch.0.join("old.cert")).expect("the old file"), b"old");
        assert_eq!(std::fs::read_dir(scratch.0.join("out")).expect("the folder").count(), 0);
        assert_eq!(std::fs::read_dir(&scratch.0).expect("the folder").count(), 4, "nothing half written is left");
    }
    // r-sigpipe
    let mut child =
        scratch.command(&["theorems"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary runs");
    drop(child.stdout.take());
    let (exit, text) = answer(&child.wait_with_output().expect("output"));
    assert_eq!((exit, text.as_str()), (0, ""));
}

/// What a check prints and certifies depends on the spec alone.
#[test]
fn runs_leave_the_same_bytes_whatever_happens_around_them() {
    let scratch = Scratch::new("bytes");
    let claims = "domain X = [-1, 1]^2\nclaim l : lip(h on X, l2) <= ? by branch_and_bound(tol: 1%)\n\
                  claim t : risk(h, zero_one) <= ? with probability >= 0.99 by test_set(D.test)\n";
    scratch.write("t.spec", format!("{NET}{claims}"));
    let check = |folder: &str, environment: &[(&str, &str)]| {
        std::fs::create_dir_all(scratch.0.join(folder)).expect("a folder");
        let mut command = scratch.command(&["check", "t.spec", "--certificate", &format!("{folder}/t.cert")]);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the binary runs")
    };
    let files =
        |folder: &str| ["t.cert", "t.cert.bin"].map(|name| std::fs::read(scratch.0.join(folder).join(name)).ok());
    let done = |child: std::process::Child, folder: &str| {
        let (exit, text) = answer(&child.wait_with_output().expect("output"));
        assert_eq!(exit, 0, "{text}");
        (text.replace(&format!("{folder}/"), ""), files(folder))
    };
    let first = done(check("one", &[("RAYON_NUM_THREADS", "1")]), "one");
    assert!(first.1[0].is_some());
    // r-threads
    for threads in ["2", "16"] {
        assert!(done(check(threads, &[("RAYON_NUM_THREADS", threads)]), threads) == first, "{threads} threads");
    }
    // r-clock
    assert!(done(check("clock", &[("SOURCE_DATE_EPOCH", "1"), ("TZ", "Pacific/Kiritimati")]), "clock") == first);
    // r-two-runs, into the same files
    let both = [check("both", &[]), check("both", &[])];
    for child in both {
        assert!(done(child, "both").0 == first.0);
    }
    assert!(files("both") == first.1);
    // r-kill9: what is there is whole, and the next run is as any other.
    for milliseconds in [1, 40, 160] {
        let mut child = check("killed", &[]);
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        child.kill().expect("killed");
        child.wait().expect("ended");
        for (found, expected) in files("killed").iter().zip(&first.1) {
            assert!(found.is_none() || found == expected, "torn after {milliseconds} ms");
        }
    }
    assert!(done(check("killed", &[]), "killed") == first);
}

#[test]
fn a_search_out_of_time_keeps_what_it_has() {
    // r-timeout: the root of the tree proves 1.53, the constant is about 1.06; a thousandth of a second allows no more.
    let scratch = Scratch::new("time");
    let setting = "network f = 2 -> 32 -> 32 -> 1 relu\ndata D = two_moons(n: 100, noise: 0.1, seed: 1)\n\
                   train h : f on D { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\ndomain X = [-3, 3]^2\n";
    let check = |claim: &str| scratch.check(format!("{setting}claim t : lip(h on X, l2) <= {claim}"));
    let (exit, text) = check("1.2 by branch_and_bound within 1/1000");
    assert_eq!(exit, 4, "{text}");
    assert!(text.contains("out of time") && text.contains("attained 1.0") && text.contains("gap"), "{text}");
    let (exit, text) = check("? by branch_and_bound within 1/1000");
    assert!(exit == 0 && text.contains("lip(h on X, l2) <= 1.5"), "{text}");
    let (exit, text) = check("1.2 by branch_and_bound");
    assert_eq!(exit, 0, "{text}");
}

#[test]
fn names_are_text_in_every_format() {
    // r-latex-injection
    let scratch = Scratch::new("injection");
    scratch.write(
        "t.spec",
        "spec \"%_& \\input{/etc/passwd} =cmd\"\nclaim t : 1 <= 2\ntable \"=cmd|' /C calc'!A0\" { rows claims cols bound as \"\\input{x}\" }\n",
    );
    let (exit, text) = scratch.run(&["table", "t.spec", "--to", "tex,md,csv", "-o", "out"]);
    assert_eq!(exit, 0, "{text}");
    for entry in std::fs::read_dir(scratch.0.join("out")).expect("tables") {
        let text = std::fs::read_to_string(entry.expect("a file").path()).expect("UTF-8");
        assert!(!text.contains("\\input{") || !text.contains("\\begin{table}"), "{text}");
        assert!(text.lines().all(|line| !line.starts_with('=')), "{text}");
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn another_rounding_mode_stops_the_program() {
    // r-rounding-env
    let scratch = Scratch::new("rounding");
    scratch.write(
        "up.c",
        "#include <fenv.h>\n__attribute__((constructor)) static void up(void) { fesetround(FE_UPWARD); }\n",
    );
    let built = Command::new("cc")
        .current_dir(&scratch.0)
        .args(["-shared", "-fPIC", "-o", "up.so", "up.c", "-lm"])
        .status()
        .expect("a C compiler, which the build needs too");
    assert!(built.success());
    scratch.write("t.spec", "claim t : 1 <= 2\n");
    let output = scratch
        .command(&["check", "t.spec"])
        .env("LD_PRELOAD", scratch.0.join("up.so"))
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(70), "{}", String::from_utf8_lossy(&output.stderr));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_program_without_a_verdict() {
    use std::os::unix::process::ExitStatusExt;
    // r-ctrl-c: a shell shows the signal as 130.
    let scratch = Scratch::new("interrupt");
    let spec = "network f = 2 -> 64 -> 64 -> 1 relu\ndata D = two_moons(n: 2000, noise: 0.1, seed: 1)\n\
                train h : f on D { loss logistic, adam, lr 0.01, epochs 100000, seed 1 }\nclaim t : params(h) = 4417\n";
    scratch.write("t.spec", spec);
    let child = scratch
        .command(&["check", "t.spec"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let output = child.wait_with_output().expect("output");
    assert!(output.status.signal() == Some(2) || output.status.code() == Some(130), "{:?}", output.status);
    assert!(output.stdout.is_empty());
}
