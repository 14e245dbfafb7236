//! Any bytes as a certificate without a side file: checked or refused by name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supremum::kernel::certificate::{Refusal, Text};

fn verify(bytes: &[u8]) -> Result<(), Refusal> {
    let text = Text::parse(bytes.to_vec())?;
    text.side()?;
    let certificate = text.read(Box::new(std::io::empty()))?;
    let theorems = supremum::certificate::theorems(&certificate)?;
    certificate.verify(&theorems, drop)
}

fuzz_target!(|bytes: &[u8]| {
    if let Err(refusal) = verify(bytes) {
        assert!(!refusal.to_string().is_empty());
    }
});
