//! Specs through the command line, from standard input.

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// What `supremum check -` answers to a spec, with further arguments.
pub fn run(spec: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(spec.as_bytes()).expect("written");
    child.wait_with_output().expect("output")
}

/// Exit code, standard output and error of a spec.
#[allow(dead_code, reason = "every test uses its part")]
pub fn check(spec: &str) -> (i32, String) {
    let output = run(spec, &[]);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).to_string()).concat();
    (output.status.code().expect("an exit code"), text)
}
