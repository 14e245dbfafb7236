//! Specs through the command line, from standard input.

use std::io::Write;
use std::process::{Command, Stdio};

/// Exit code, standard output and error of a spec.
pub fn check(spec: &str) -> (i32, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(spec.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).to_string()).concat();
    (output.status.code().expect("an exit code"), text)
}
