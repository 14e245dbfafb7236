//! Many architectures in one spec: their claims go to all processors in chunks. The bounds do not depend on how many there are.

use std::io::Write;
use std::process::{Command, Stdio};

/// Networks `3 -> width^depth -> 1` for depths 1 to 6 and widths 2 to 5, six claims each: more than one chunk.
fn spec() -> (String, Vec<(u32, u64)>) {
    let mut text = String::from("spec \"Architectures\"\nlet m = 60_000\nlet delta = 1/100\n");
    let mut shapes = Vec::new();
    for depth in 1..=6u32 {
        for width in 2..=5u64 {
            let i = shapes.len();
            let hidden = vec![width.to_string(); depth as usize].join(" -> ");
            text += &format!(
                "network a{i} = 3 -> {hidden} -> 1 relu\n\
                 class F{i} = a{i} where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..{}\n\
                 claim size{i} : params(a{i}) = ?\n\
                 claim vc{i} : vcdim(sign(a{i})) <= ?\n\
                 claim growth{i} : growth(sign(a{i}), 1000) <= ?\n\
                 claim regions{i} : regions(a{i}) <= ?\n\
                 claim lip{i} : lip(F{i}, l2) <= ?\n\
                 claim gap{i} : sqrt((32*params(a{i})*ln(2) + ln(1/delta))/(2*m)) <= ?\n",
                depth + 1
            );
            shapes.push((depth, width));
        }
    }
    (text, shapes)
}

fn check(spec: &str, threads: &str) -> serde_json::Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .args(["check", "-", "--format", "json"])
        .env("RAYON_NUM_THREADS", threads)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("standard input").write_all(spec.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("output");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).expect("an object")
}

#[test]
fn bounds_of_many_architectures_do_not_depend_on_the_number_of_threads() {
    let (text, shapes) = spec();
    let one = check(&text, "1");
    assert!(one == check(&text, "2"), "other results with two threads");
    let items = one["items"].as_array().expect("items");
    assert_eq!(items.len(), 6 * shapes.len());
    let upper =
        |name: String| items.iter().find(|item| item["name"] == name.as_str()).expect("an item")["upper"].clone();
    for (i, &(depth, width)) in shapes.iter().enumerate() {
        let params = 4 * width + (u64::from(depth) - 1) * width * (width + 1) + width + 1;
        assert_eq!(upper(format!("size{i}")), params.to_string());
        // Layers of norm 2, and ReLU does not expand.
        assert_eq!(upper(format!("lip{i}")), 2u64.pow(depth + 1).to_string());
    }
}
