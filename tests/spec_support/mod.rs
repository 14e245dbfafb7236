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

/// The items that `--format json` shows, by name.
#[allow(dead_code, reason = "every test uses its part")]
pub struct Items(serde_json::Value);

#[allow(dead_code, reason = "every test uses its part")]
impl Items {
    /// Those of a check that found everything as it was expected.
    pub fn of(output: &Output) -> Items {
        let [text, problems] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{problems}"));
        assert_eq!(output.status.code(), Some(0), "{text}");
        Items(json)
    }

    fn end(&self, name: &str, end: &str) -> f64 {
        let items = self.0["items"].as_array().expect("items");
        let item = items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no item {name}"));
        let text = item[end].as_str().unwrap_or_else(|| panic!("no {end} end: {item}"));
        let number = |text: &str| text.parse::<f64>().expect("a number");
        text.split_once('/').map_or_else(|| number(text), |(p, q)| number(p) / number(q))
    }

    pub fn upper(&self, name: &str) -> f64 {
        self.end(name, "upper")
    }

    pub fn lower(&self, name: &str) -> f64 {
        self.end(name, "lower")
    }
}
