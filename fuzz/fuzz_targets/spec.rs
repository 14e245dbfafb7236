//! Any bytes as a spec: the parser answers with items or diagnostics, and the layout of a valid spec is its own layout.
#![no_main]

use libfuzzer_sys::fuzz_target;
use supremum::syntax::{format, parse};
use supremum::text::{Source, Style};

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::from_bytes("fuzz.spec", bytes) else { return };
    let parsed = parse(&source);
    for diagnostic in &parsed.diagnostics {
        assert!(!diagnostic.render(&source, Style::Unicode).is_empty());
    }
    if parsed.diagnostics.is_empty() {
        let formatted = format(&source).expect("a layout of a valid spec");
        let again = Source::new("fuzz.spec", &formatted).expect("a source");
        assert!(parse(&again).diagnostics.is_empty(), "not read back:\n{formatted}");
        assert_eq!(format(&again).expect("a layout"), formatted);
    }
});
