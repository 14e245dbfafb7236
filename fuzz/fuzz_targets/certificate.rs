//! Any bytes as a certificate without a side file: checked or refused by name.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supremum::kernel::certificate::{Refusal, Text};

fn verify(bytes: &[u8]) -> Result<(), Refusal> {
    let text = Text::parse(bytes)?;
    text.side()?;
    let certificate = text.read(&[])?;
    let theorems = supremum::certificate::theorems(&certificate)?;
    certificate.verify(&theorems).map(|_| ())
}

fuzz_target!(|bytes: &[u8]| {
    if let Err(refusal) = verify(bytes) {
        assert!(!refusal.to_string().is_empty());
    }
});
