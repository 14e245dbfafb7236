//! Any bytes as an ONNX model: a network or a named refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supremum::data::{file::Contents, onnx};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = onnx::read(&Contents::new("fuzz.onnx", bytes.to_vec()), None) {
        assert!(!error.to_string().is_empty());
    }
});
