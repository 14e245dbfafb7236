//! The diagnostics that a reader of the manual meets first: each with its code, the places it shows, its cause and the fix it offers.

use std::path::Path;
use std::process::Command;

const NET: &str = "data D = two_moons(n: 100, noise: 0.1, seed: 1)
split D into prior 50, bound 50
network f = 2 -> 3 -> 1 relu
train h : f on D.bound { loss logistic, adam, lr 0.01, epochs 2, seed 1 }
prior     P = gaussian(mean: h, std: 0.01, noise: last_layer)
posterior Q = gaussian(mean: h, std: 0.01, noise: last_layer)
";

struct Case {
    /// Lines after those of `NET`, from line 7 on.
    lines: &'static str,
    arguments: &'static [&'static str],
    exit: i32,
    code: &'static str,
    /// Texts of the answer: the place, what is marked there, the cause, the fix.
    shown: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        lines: "claim t : sqrt(log(1/4)) <= 1",
        arguments: &[],
        exit: 3,
        code: "error[E0107]: which logarithm?",
        shown: &["case.spec:7:16", "base not stated", "write `ln`", "`log2`"],
    },
    Case {
        lines: "let c = code_length(f) + kl(Q, P)\nclaim t : c <= 1",
        arguments: &[],
        exit: 3,
        code: "error[E0212]: bits added to nats",
        shown: &["case.spec:7:9", " bits", " nats", "`nats(...)`", "`bits(...)`"],
    },
    Case {
        lines: "claim t : nats(kl(Q, P)) <= 1",
        arguments: &[],
        exit: 3,
        code: "error[E0212]: converted to nats twice",
        shown: &["case.spec:7:16", "in nats already", "delete `nats(...)`"],
    },
    Case {
        lines: "claim t : risk(Q, zero_one) <= ? with probability >= 0.99 by pac_bayes_kl(P, D.bound)",
        arguments: &[],
        exit: 3,
        code: "error[E0310]",
        shown: &[
            "case.spec:7:",
            "`h` depends on `D.bound`",
            "`P` depends on what `h` depends on",
            "`split D into prior 100, bound 100`",
        ],
    },
    Case {
        lines: "let b = weight_bits(h)\nclaim t : risk(h, zero_one) <= ? with probability >= 0.99 by finite_class(bits: b, on: D.bound)",
        arguments: &[],
        exit: 3,
        code: "error[E0311]",
        shown: &["case.spec:8:", "`h` depends on `D.bound`", "state the value", "`occam.binomial`"],
    },
    Case {
        lines: "confidence 0.98\ntrain k : f on D.prior { loss logistic, adam, lr 0.01, epochs 2, seed 1 }\n\
                claim a : risk(k, zero_one) <= ? with probability >= 0.99 by test_set(D.bound)\n\
                claim b : risk(k, zero_one) <= ? with probability >= 0.98 by test_set(D.bound)",
        arguments: &[],
        exit: 3,
        code: "error[E0402]: confidence overdrawn: spent 3/100 of 1/50",
        shown: &["draws 1/100", "draws 1/50", "case.spec:9:", "lower `confidence`"],
    },
    Case {
        lines: "claim t : risk(h, zero_one) <= ? with probability >= 0.99 by uniform.vc(f, D.bound)",
        arguments: &["--deny", "vacuous"],
        exit: 5,
        code: "W0601]: `t` is vacuous",
        shown: &["case.spec:7:", "needs n >="],
    },
    Case {
        lines: "claim t : risk(h, zero_one) <= ? with probability >= 0.99 by uniform.vc(f, D.bound)",
        arguments: &[],
        exit: 0,
        code: "warning[W0601]: claim `t` is vacuous",
        shown: &["case.spec:7:", "needs n >=", "`expecting vacuous`"],
    },
    Case {
        lines: "domain X = [-1, 1]^2\nassume box : supported(D.bound, X)\nclaim t : params(f) = 13",
        arguments: &[],
        exit: 3,
        code: "error[E0431]: `D.bound` contradicts the assumption",
        shown: &["case.spec:8:", "is outside `X`", "declare a larger domain"],
    },
    Case {
        lines: "claim t : vcdim(f) <= ? by bhlm2017",
        arguments: &[],
        exit: 3,
        code: "error[E0009]: unknown method `bhlm2017`",
        shown: &["case.spec:7:28", "did you mean `bhlm2019`?"],
    },
    Case {
        lines: "claim t : vcdim(f) <= ? by bartlett_maiorov_meir_order",
        arguments: &[],
        exit: 3,
        code: "error[E0014]: `vc.bartlett_maiorov_meir_order` is a rate",
        shown: &["case.spec:7:28", "in O(", "every theorem that applies is tried"],
    },
    Case {
        lines: "network g = 2 -> 3 -> 1 sigmoid\nclaim t : vcdim(g) <= ? by bhlm2019",
        arguments: &[],
        exit: 3,
        code: "error[E0302]",
        shown: &["case.spec:8:28", "`g` has the activation `sigmoid`", "shows what a theorem requires"],
    },
    Case {
        lines: "network g from \"lstm.onnx\"\nclaim t : params(g) = 1",
        arguments: &[],
        exit: 7,
        code: "error[E0501]",
        shown: &["case.spec:7:9", "operator Expand"],
    },
];

#[test]
fn each_has_its_place_its_cause_and_a_fix() {
    let folder = std::env::temp_dir().join(format!("supremum-diagnostics-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let variants = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/models/variants");
    std::fs::copy(variants.join("unsupported_lstm.onnx"), folder.join("lstm.onnx")).expect("copied");
    for case in CASES {
        std::fs::write(folder.join("case.spec"), format!("{NET}{}\n", case.lines)).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
            .current_dir(&folder)
            .args(["check", "case.spec"])
            .args(case.arguments)
            .output()
            .expect("the binary runs");
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).to_string()).concat();
        assert_eq!(output.status.code(), Some(case.exit), "{}\n{text}", case.lines);
        for part in case.shown.iter().chain([&case.code]) {
            assert!(text.contains(part), "{}\nexpected `{part}` in\n{text}", case.lines);
        }
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// A claim that says itself that it is vacuous is not warned of, nor is a row of bounds.
#[test]
fn vacuity_that_is_meant_is_no_warning() {
    let folder = std::env::temp_dir().join(format!("supremum-vacuous-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for lines in [
        "claim t : risk(h, zero_one) <= ? with probability >= 0.99 by uniform.vc(f, D.bound) expecting vacuous",
        "bounds B for risk(h, zero_one) { uniform.vc(f, D.bound) }",
    ] {
        std::fs::write(folder.join("case.spec"), format!("{NET}{lines}\n")).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
            .current_dir(&folder)
            .args(["check", "case.spec"])
            .output()
            .expect("the binary runs");
        let errors = String::from_utf8_lossy(&output.stderr).to_string();
        assert!(output.status.code() == Some(0) && errors.is_empty(), "{lines}\n{errors}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}

/// A rate is listed, and says of itself that nothing follows from it.
#[test]
fn rates_say_so() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_supremum")).args(arguments).output().expect("the binary runs");
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).to_string()).concat();
        (output.status.code(), text)
    };
    let name = "margin.bartlett_foster_telgarsky_order";
    let (exit, list) = run(&["theorems"]);
    assert_eq!(exit, Some(0));
    let line = list.lines().position(|line| line.starts_with(name)).expect("the rate is listed");
    assert!(list.lines().skip(line).take(2).any(|line| line.ends_with("(rate)")), "{list}");
    let (exit, text) = run(&["theorems", name]);
    assert_eq!(exit, Some(0));
    assert!(text.contains("status    rate: no constant is known, so nothing is computed from it"), "{text}");
    assert!(text.contains("With constants: margin.bartlett_foster_telgarsky"), "{text}");
    let (exit, text) = run(&["explain", "E0014"]);
    assert!(exit == Some(0) && text.contains("a rate bounds nothing"), "{text}");
}
