//! Any bytes as a safetensors file: tensors or a named refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supremum::data::{file::Contents, safetensors};

fuzz_target!(|bytes: &[u8]| {
    if let Err(error) = safetensors::read(&Contents::new("fuzz.safetensors", bytes.to_vec())) {
        assert!(!error.to_string().is_empty());
    }
});
