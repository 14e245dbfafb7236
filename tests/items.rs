//! Every kind of item means something, or is refused with what works instead; never skipped. Expected values by hand.

use std::path::PathBuf;
use std::process::Command;

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = std::env::temp_dir().join(format!("supremum-items-{}-{name}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub")).expect("a folder");
        Scratch(folder)
    }

    fn write(&self, name: &str, text: &str) -> &Scratch {
        std::fs::write(self.0.join(name), text).expect("written");
        self
    }

    fn check(&self, spec: &str) -> (i32, String) {
        self.write("t.spec", spec);
        let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
            .current_dir(&self.0)
            .args(["check", "t.spec"])
            .output()
            .expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stdout).to_string() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains("panicked"), "{text}");
        (output.status.code().expect("an exit code"), text)
    }

    fn expect(&self, spec: &str, exit: i32, part: &str) {
        let (found, text) = self.check(spec);
        assert_eq!(found, exit, "{spec}\n{text}");
        assert!(text.contains(part), "expected `{part}`\n{spec}\n{text}");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn parameters_take_their_values_from_claims() {
    let scratch = Scratch::new("param");
    let family = "param w : nat >= 4\nparam s : real > 0\nnetwork f(w) = 10 -> w -> 1 relu\n";
    // 10 w + w + w + 1
    for (claim, exit, part) in [
        ("claim t : params(f(w)) = 193  where w = 16", 0, "1 proved"),
        ("claim t : params(f(w)) = 194  where w = 16", 1, "193"),
        ("claim t : params(f(w)) <= ?  where w = 16", 0, "= 193"),
        ("claim t : forall w in 4..20 : params(f(w)) = 12*w + 1", 0, "1 proved"),
        ("claim t : s*w = 8  where s = 1/2 where w = 16", 0, "1 proved"),
        ("claim t : w >= 4", 3, "E0620"),
        ("claim t : w >= 4  where w = 3", 3, "E0620"),
        ("claim t : w >= 4  where w = 9/2", 3, "E0620"),
        ("claim t : s >= 0  where s = 0", 3, "E0620"),
        ("claim t : 1 <= 2  where v = 3", 3, "E0131"),
        ("let g = w^2\nclaim t : g = 16  where w = 4", 3, "E0620"),
        ("param w : nat\nclaim t : 1 <= 2", 3, "E0129"),
        ("param v : colour\nclaim t : 1 <= 2", 3, "E0206"),
        ("measure m : w", 3, "E0620"),
    ] {
        scratch.expect(&format!("{family}{claim}\n"), exit, part);
    }
}

#[test]
fn a_claim_rests_on_what_it_lists() {
    let scratch = Scratch::new("assuming");
    scratch.write("d.csv", "x,y,label\n1,0,1\n2,0,1\n-1,0,0\n-2,1,0\n");
    let setting = "data D from \"d.csv\"\nnetwork f = 2 -> 1\nassume iid : iid(D)\nassume other : f depends on nothing\n\
                   split D into test indices(\"i.txt\")\n";
    scratch.write("i.txt", "0\n1\n2\n3\n");
    let train =
        "data E = two_moons(n: 20, noise: 0.1, seed: 1)\ntrain h : f on E { loss logistic, epochs 2, seed 1 }\n";
    let claim = |clause: &str| {
        format!(
            "{setting}{train}claim t : risk(h, zero_one) <= ?  with probability >= 0.99  by test_set(D.test)  {clause}\n"
        )
    };
    scratch.expect(&claim("assuming iid"), 0, "`iid`");
    scratch.expect(&claim(""), 0, "`iid`");
    scratch.expect(&claim("assuming other"), 3, "E0610");
    scratch.expect(&claim("assuming idd"), 3, "did you mean `iid`?");
}

#[test]
fn a_spec_uses_the_setting_of_another() {
    let scratch = Scratch::new("use");
    scratch.write("sub/net.spec", "spec \"n\"\nnetwork f = 2 -> 3 -> 1 relu\nclaim wrong : params(f) = 14\n");
    scratch.write("sub/data.spec", "use \"net.spec\"\ndata D from \"d.csv\"\nlet k = 13\n");
    scratch.write("sub/d.csv", "x,y,label\n1,0,1\n-1,0,0\n");
    scratch.expect("use \"sub/data.spec\"\nclaim t : params(f) = k\nclaim u : samples(D) = 2\n", 0, "2 proved");
    scratch.expect("use \"sub/net.spec\"\nuse \"sub/data.spec\"\nclaim t : params(f) = k\n", 0, "1 proved");
    scratch.expect("use vc\nclaim t : 1 <= 2\n", 0, "1 proved");
    scratch.expect("use vcc\nclaim t : 1 <= 2\n", 3, "did you mean `vc`?");
    // Under a name of their own two settings stand side by side, and a name means what it meant in its own spec.
    scratch.expect(
        "use \"sub/net.spec\" as n\nnetwork f = 2 -> 1\nclaim t : params(n.f) = 13\nclaim u : params(f) = 3\n",
        0,
        "2 proved",
    );
    scratch.expect(
        "use \"sub/data.spec\" as d\nclaim t : params(d.f) = d.k\nclaim u : samples(d.D) = 2\n",
        0,
        "2 proved",
    );
    scratch.expect("use \"sub/net.spec\" as n\nclaim t : params(f) = 13\n", 3, "E0131");
    scratch.expect("use \"sub/net.spec\" as n\nlet n = 2\nclaim t : 1 <= 2\n", 3, "E0129");
    scratch.expect("use \"sub/data.spec\"\nuse \"sub/data.spec\" as d\nclaim t : 1 <= 2\n", 3, "E0138");
    scratch.write(
        "sub/outer.spec",
        "confidence 0.9\nuse \"net.spec\" as n\nlet twice(f) = 2*f\nlet k = twice(params(n.f))\nnetwork g = 2 -> 3 -> 1 relu\n\
         class F = g where |W[l]|_spec <= 2, |b[l]|_2 <= 1 for l in 1..2\nlet b = 1\n",
    );
    scratch.expect(
        "use \"sub/outer.spec\" as o\nconfidence 0.8\nclaim t : o.k = 26\nclaim u : params(o.n.f) = 13\nclaim v : o.twice(o.b) = 2\n\
         claim w : lip(o.F, l2) <= 4\n",
        0,
        "4 proved",
    );
    scratch.expect("use \"sub/net.spec\"\nnetwork f = 2 -> 1\nclaim t : 1 <= 2\n", 3, "E0129");
    scratch.expect("use \"missing.spec\"\nclaim t : 1 <= 2\n", 3, "E0137");
    scratch.expect("use \"../x.spec\"\nclaim t : 1 <= 2\n", 3, "E0137");
    scratch.expect("use \"t.spec\"\nclaim t : 1 <= 2\n", 3, "t.spec -> t.spec");
    scratch.write("sub/a.spec", "use \"b.spec\"\n").write("sub/b.spec", "use \"a.spec\"\n");
    scratch.expect("use \"sub/a.spec\"\nclaim t : 1 <= 2\n", 3, "sub/b.spec -> sub/a.spec");
    // A fault in the used spec is shown with its own place.
    scratch.write("sub/bad.spec", "network f = 2 -> \n");
    scratch.expect("use \"sub/bad.spec\"\nclaim t : 1 <= 2\n", 3, "sub/bad.spec:1:");
    scratch.write("sub/bad.spec", "network f = 2 -> 0 -> 1\n");
    scratch.expect("use \"sub/bad.spec\"\nclaim t : 1 <= 2\n", 3, "sub/bad.spec:1:18");
    scratch.write("sub/bad.spec", "\n\n\n\ndata D from \"nothing.csv\"\n");
    scratch.expect("use \"sub/bad.spec\"\nclaim t : 1 <= 2\n", 7, "sub/nothing.csv");
}

#[test]
fn plots_show_values_and_bounds() {
    let scratch = Scratch::new("plot");
    let spec = "network f(m) = 2 -> m -> 1 relu\nclaim t : 1 <= 2\n\
                plot \"growth of f\" { x m in 1..4 y params(f(m)) as \"params\" y growth(halfspaces(2), m) log dashed mark 3 as \"VC\" }\n";
    scratch.expect(spec, 0, "1 proved");
    let output = Command::new(env!("CARGO_BIN_EXE_supremum"))
        .current_dir(&scratch.0)
        .args(["plot", "t.spec", "-o", "out"])
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let svg = std::fs::read_to_string(scratch.0.join("out/growth_of_f.svg")).expect("the plot");
    // 2 m + m + m + 1 parameters; 2, 4, 8, 14 half-planes of 1 to 4 points (Cover 1965).
    for part in ["params, m = 4: 17<", "growth(halfspaces(2), m), m = 4: 14<", "m = 3: 8<", ">VC<", "</svg>"] {
        assert!(svg.contains(part), "expected `{part}`\n{svg}");
    }
    for (plot, code) in [
        ("plot \"p\" { y 1 }", "E0013"),
        ("plot \"p\" { x m in 1..3 }", "E0013"),
        ("plot \"p\" { x m in 3..1 y m }", "E0013"),
        ("plot \"p\" { x run.p log y 1 }", "E0900"),
        ("plot \"p\" { x m in 1..3 y m band 0.9 }", "E0900"),
        ("plot \"p\" { x m in 1..3 y k }", "E0131"),
        ("plot \"p\" { x m in 1..3 y params(m) }", "E0206"),
    ] {
        scratch.expect(&format!("{plot}\nclaim t : 1 <= 2\n"), 3, code);
    }
    scratch.expect("plot \"p\" { x m in 1..1000000000000 y m }\nclaim t : 1 <= 2\n", 8, "E0123");
}

#[test]
fn what_is_not_supported_says_what_is() {
    let scratch = Scratch::new("unsupported");
    let net = "network f = 2 -> 3 -> 1 relu\n";
    for item in [
        "claim t : params(f) = 13  for n >= 3",
        "semantics float32\nclaim t : 1 <= 2",
        "network g = x |-> x^2\nclaim t : 1 <= 2",
        "network g = 2 -> 1, parameterization ntk\nclaim t : 1 <= 2",
        "assume a : params(f) = 13\nclaim t : 1 <= 2",
        "simulate s { for k in 1..3 record r = k }\nclaim t : 1 <= 2",
    ] {
        let (exit, text) = scratch.check(&format!("{net}{item}\n"));
        assert_eq!(exit, 3, "{item}\n{text}");
        assert!(text.contains("E0900") && text.contains("what works: "), "{item}\n{text}");
    }
}

#[test]
fn a_claim_on_an_architecture_says_why_it_is_open() {
    let scratch = Scratch::new("open");
    scratch.expect("network f = 2 -> 3 -> 1 relu\nclaim t : lip(f, l2) <= ?\n", 4, "class F = f where");
    scratch.expect("network f from \"m.pt\"\nclaim t : lip(f, l2) <= ?\n", 7, "torch.onnx.export");
}
