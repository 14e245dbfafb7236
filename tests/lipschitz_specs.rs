//! The specs of `specs/lipschitz` and the robustness spec, run as a user runs them. Bounds are written in the specs: a bound that is
//! not reached is an unknown there. Here: the exit codes, and values against other programs.

mod spec_support;

use spec_support::{Items, check};
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_supremum")).current_dir(root).args(arguments).output().expect("the binary runs")
}

fn items(spec: &str) -> Items {
    Items::of(&run(&["check", spec, "--format", "json"]))
}

#[test]
fn the_relaxation_reaches_its_optimum_on_published_networks() {
    let items = items("specs/lipschitz/sdp.spec");
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../specs/lipschitz/models/reference.json")).expect("reference values");
    for (claim, network) in [
        ("L_random", "lipsdp_random"),
        ("L_mnist", "lipsdp_mnist"),
        ("L_acas", "nnet_TestNetwork"),
        ("L_hcas0", "hcas_pra0_tau00"),
        ("L_cartpole", "nv_cartpole"),
        ("L_tiny4", "nv_acasxu_1_1_tiny4"),
        ("L_lyr5n20", "ecl_lyr5n20"),
        ("L_lyr5n60", "ecl_lyr5n60"),
        ("L_lyr10n20", "ecl_lyr10n20"),
        ("L_wide", "rnd_784_64x2_10"),
    ] {
        // The other program's dual value and primal value; both carry its rounding.
        let below = reference[network]["optimum"]["sdp_lower"].as_f64().expect("a dual value");
        let upper = items.upper(claim);
        assert!(upper >= below * (1.0 - 1e-11) && upper <= below * (1.0 + 1e-8), "{network}: {upper} against {below}");
    }
    // Values of the same methods by another program: product of norms, Combettes and Pesquet's recursion.
    let close = |name: &str, expected: f64| {
        let found = items.upper(name);
        assert!((found / expected - 1.0).abs() < 1e-6, "{name}: {found} against {expected}");
    };
    close("methods.norm_product", reference["nnet_TestNetwork"]["product_l2"]["value"].as_f64().expect("a value"));
    let theta = &reference["nnet_TestNetwork"]["combettes_pesquet_theta_l2_DP"]["value"];
    close("methods.combettes_pesquet", theta.as_f64().expect("a value"));
}

#[test]
fn deep_networks_are_solved() {
    let items = items("specs/lipschitz/deep.spec");
    let (theta, closed, product) = (items.upper("theta"), items.upper("closed"), items.upper("product"));
    assert!(items.upper("L_lyr20") < closed && closed < theta && theta < product);
}

#[test]
fn patterns_are_searched_and_a_slope_refutes() {
    let items = items("specs/lipschitz/exact.spec");
    // Enumeration of all activation patterns; the slope of the one-dimensional network in exact rationals.
    for (name, exact) in [("L_tiny2", 1.850_011_4), ("L_tiny3", 8.929_960_8), ("slope", 1.888_824_169_3)] {
        assert!((items.upper(name) / exact - 1.0).abs() < 2e-6, "{name}");
    }
    assert!(items.lower("gentle") > 1.8888);
    let text = run(&["check", "specs/lipschitz/exact.spec"]);
    let text = String::from_utf8_lossy(&text.stdout);
    assert!(text.contains("attained at x = ("), "{text}");
}

#[test]
fn convolutional_and_residual_networks_are_bounded_as_graphs() {
    let items = items("specs/lipschitz/images.spec");
    // Products of the unrolled layers' spectral norms by numpy, 61.396136039548 and 3324.919183148272; the largest Jacobian at an
    // image, 18.56 and 26.84.
    assert!((61.396_136..61.396_137).contains(&items.upper("product")));
    assert!((3_324.919_183..3_324.919_19).contains(&items.upper("plain")));
    assert!((18.56..36.0).contains(&items.upper("L_cnn")));
    assert!((26.84..291.0).contains(&items.upper("L_resnet")));
    assert!(items.lower("below") <= items.upper("L_cnn") && items.lower("seen") <= items.upper("L_resnet"));
}

#[test]
fn a_controller_is_bounded_on_its_box() {
    let items = items("specs/lipschitz/controller.spec");
    assert!(items.lower("steep") <= items.upper("L") && items.upper("L") < items.upper("naive"));
    assert!(items.upper("L2") <= items.upper("global") && items.lower("fitted") > 3.0);
}

#[test]
fn images_keep_their_class_within_a_radius() {
    let items = items("specs/robust_digits.spec");
    assert!(0.0 < items.lower("safe") && items.lower("safe") <= items.upper("crossed"));
    // |d|_2 <= 8 |d|_inf in 64 dimensions.
    assert!(items.lower("safe") <= 8.0 * items.upper("crossed_pixels"));
    assert!(items.lower("pixels") <= items.lower("safe"));
    assert!(24.0 <= items.upper("near") && items.upper("near") <= items.upper("far"));
}

#[test]
fn trained_networks_meet_their_limits_and_exceed_their_gradients() {
    let items = items("specs/lipschitz/trained.spec");
    // The largest Jacobian at an image of the data, by PyTorch in double precision.
    for (claim, seen) in [
        ("L_digits", 32.219_804),
        ("L_mnist", 20.405_216),
        ("L_smooth", 21.515_261),
        ("L_w16", 83.726_977),
        ("L_w64", 38.572_751),
    ] {
        assert!(items.upper(claim) > seen, "{claim}");
    }
}

/// Bad input ends with a message that says what was expected and where, not with a number.
#[test]
fn bad_input_is_named() {
    let folder = std::env::temp_dir().join(format!("supremum-lipschitz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let copy = |from: &str, to: &str| std::fs::copy(root.join(from), folder.join(to)).expect("a copy");
    copy("specs/lipschitz/models/nv_cartpole.safetensors", "good.safetensors");
    for name in
        ["bad_nan_weight.onnx", "bad_nan_weight.safetensors", "unsupported_softmax.onnx", "unsupported_lstm.onnx"]
    {
        copy(&format!("tests/data/models/variants/{name}"), name);
    }
    let good = "network f from \"good.safetensors\" as 4 -> 16 -> 16 -> 16 -> 2 relu\n";
    let whole = "claim a : lip(f, l2) <= ?";
    let local = "claim a : lip(f on X, l2) <= ?";
    for (text, code, words) in [
        (format!("{good}domain X = [1, 0]^4\n{local}"), 3, "empty interval"),
        (format!("{good}domain X = [0, inf]^4\n{local}"), 3, "not a constant"),
        (format!("{good}domain X = [0, 1]^3\n{local}"), 3, "dimension"),
        (format!("network f from \"bad_nan_weight.onnx\"\n{whole}"), 7, "finite"),
        (format!("network f from \"bad_nan_weight.safetensors\" as 2 -> 2 relu\n{whole}"), 7, "expected"),
        (
            format!("network f from \"unsupported_softmax.onnx\"\n{whole}"),
            7,
            "error[E0501]: unsupported_softmax.onnx: unsupported operator Softmax",
        ),
        (format!("network f from \"unsupported_lstm.onnx\"\n{whole}"), 7, "unsupported operator"),
        (format!("network f from \"good.safetensors\" as 4 -> 16 -> 16 -> 16 -> 0 relu\n{whole}"), 3, "width 0"),
        (format!("{good}{whole} by lipsdp_network"), 3, "lipsdp"),
    ] {
        let path = folder.join("bad.spec");
        std::fs::write(&path, format!("spec \"bad\"\n{text}\n")).expect("a file");
        let output = run(&["check", path.to_str().expect("a path")]);
        let all = [&output.stdout[..], &output.stderr[..]].concat();
        let all = String::from_utf8_lossy(&all);
        assert_eq!(output.status.code(), Some(code), "{text}\n{all}");
        assert!(all.contains(words), "{text}\n{all}");
    }
    std::fs::remove_dir_all(&folder).expect("the folder goes");
}

const NETWORKS: &str = "network f from \"specs/models/digits_mlp.onnx\"\n\
                        network k from \"specs/lipschitz/models/controller.safetensors\" as 2 -> 8 -> 8 -> 1 relu\n\
                        network h from \"specs/lipschitz/models/controller.safetensors\" as 2 -> 8 -> 8 -> 1 heaviside\n\
                        data D from \"specs/data/digits\"\n";

/// One output has the product of the layers' norms with its own row: numpy gives 21.98833990 in l2 and 732.0544884 in linf.
#[test]
fn one_output_is_a_network() {
    let claims = "network f3 = f[3]\n\
                  claim size : params(f3) = 64*32 + 32 + 32*32 + 32 + 32 + 1\n\
                  claim euclid : lip(f3, l2) <= 21.98835 by norm_product\n\
                  claim rows : lip(f3, linf) <= 732.0545 by norm_product\n\
                  claim tight : lip(f3, l2) <= 17.1 by lipsdp\n\
                  claim least : lip(f3, l2) <= 21.98833 by norm_product expecting unknown\n";
    let (exit, text) = check(&format!("{NETWORKS}{claims}"));
    assert_eq!(exit, 0, "{text}");
    let (exit, text) = check(&format!("{NETWORKS}network g = f[10]\nclaim size : params(g) = 1\n"));
    assert!(exit == 3 && text.contains("E0122") && text.contains("expected an output below 10, found 10"), "{text}");
}

/// Around the first test image the network has a smaller constant than anywhere, and one that is attained there.
#[test]
fn balls_have_centres() {
    let claims = "domain E = ball(D.test[0], 1/100, linf)\n\
                  domain P = ball((1/2, 1/4), 1/10, l2)\n\
                  domain Q = ball(1/4, 1/10, l1, dim: 2)\n\
                  claim near : lip(f on E, linf) <= 114.5566 by lipsdp\n\
                  claim seen : lip(f on E, linf) >= 114.55\n\
                  claim point : lip(k on P, l2) in ?\n\
                  claim same : lip(k on Q, l2) <= 3.15\n";
    let (exit, text) = check(&format!("{NETWORKS}{claims}"));
    assert_eq!(exit, 0, "{text}");
    assert!(text.contains("linf, dimension 64, around D.test[0]") && text.contains("around (1/2, 1/4)"), "{text}");
    for (domain, expected) in [
        ("ball(D.test[9999], 1, l2)", "expected an example below"),
        ("ball(f[0], 1, l2)", "expected a data set, found `f`"),
        ("ball((0, 1), -1, l2)", "expected a radius >= 0"),
        ("ball(D.test[1/2], 1, l2)", "expected a place in a list"),
    ] {
        let (exit, text) = check(&format!("{NETWORKS}domain B = {domain}\nclaim size : params(f) <= ?\n"));
        assert!(exit == 3 && text.contains(expected), "{domain}: {text}");
    }
}

/// What cannot be bounded says why, and what still works; an argument that a method does not take is refused.
#[test]
fn refusals_say_why() {
    for (claim, exit, expected) in [
        ("lip(f, l1) <= ? by lipsdp", 4, "`combettes_pesquet`, `absolute_product` and `norm_product`"),
        ("lip(f, linf) <= ? by aol", 4, "it bounds l2"),
        ("lip(h, l2) <= ?", 4, "found heaviside, which jumps at 0"),
        ("lip(k, l2) <= ? by attained", 4, "write `>= ?`"),
        ("lip(k, l2) <= ? by branch_and_bound(tolerance: 1%)", 3, "E0134"),
        ("lip(k, l2) <= ? by lipsdp_network", 3, "E0512"),
        ("lip(k, l2) <= 4 by norm_product", 4, "proved: lip(k, l2) in"),
        // The witness refutes also where the method only bounds from above.
        ("lip(k, l2) <= 3 by norm_product", 1, "attained at x = ("),
    ] {
        let (code, text) = check(&format!("{NETWORKS}claim c : {claim}\n"));
        // Lines are wrapped at blanks.
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == exit && flat.contains(expected), "{claim}: {code}\n{text}");
    }
}

/// Without a method all bounds are listed, and the best shows what is attained below it.
#[test]
fn every_bound_is_listed() {
    let (exit, text) = check(&format!("{NETWORKS}claim c : lip(k, l2) <= ?\n"));
    assert_eq!(exit, 0, "{text}");
    for method in ["lipsdp", "combettes_pesquet", "eclipse_fast", "jacobian", "norm_product", "aol", "absolute_product"]
    {
        assert!(text.contains(method), "{method}: {text}");
    }
    assert!(text.contains("attained 3.149148, gap 40.64 %"), "{text}");
}

/// The certified accuracy is one minus a bound: its lower end needs the upper end of the errors.
#[test]
fn certified_accuracy_is_a_difference() {
    let claim = "claim kept : 1 - robust_errors(f, D.test, 1/10, l2)/samples(D.test) >= ?\n";
    let (exit, text) = check(&format!("{NETWORKS}{claim}"));
    assert!(exit == 0 && text.contains(">= 0.88"), "{text}");
}

/// A file with one layer 2 -> 1.
fn layer(folder: &std::path::Path, weights: [f32; 2]) {
    let header = r#"{"layers.0.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend(weights.iter().flat_map(|weight| weight.to_le_bytes()));
    std::fs::write(folder.join("layer.safetensors"), bytes).expect("written");
}

/// Weights that are no numbers, and boxes that are none, are refused where they stand; the same spec is proved without them.
#[test]
fn what_is_no_number_and_no_box_is_refused() {
    let folder = std::env::temp_dir().join(format!("supremum-layer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let case = |weights: [f32; 2], domain: &str| {
        layer(&folder, weights);
        let spec = format!(
            "network f from \"layer.safetensors\" as 2 -> 1\ndomain X = {domain}\nclaim c : lip(f on X, l2) <= 5.000001\n"
        );
        std::fs::write(folder.join("case.spec"), spec).expect("written");
        let output = run(&["check", folder.join("case.spec").to_str().expect("a path")]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).to_string())
    };
    for (weights, domain, exit, expected) in [
        ([3.0, 4.0], "[0, 1]^2", 0, ""),
        ([3.0, f32::NAN], "[0, 1]^2", 7, "found NaN or an infinity"),
        ([f32::NEG_INFINITY, 4.0], "[0, 1]^2", 7, "found NaN or an infinity"),
        ([3.0, 4.0], "[1, 0]^2", 3, "expected low <= high, found [1, 0]"),
        ([3.0, 4.0], "[0, inf]^2", 3, "expected a number, found `inf`"),
        ([3.0, 4.0], "[-inf, 1]^2", 3, "expected a number, found `inf`"),
        ([3.0, 4.0], "[0, 1]^3", 3, "expected a domain of 2 coordinates"),
    ] {
        let (code, text) = case(weights, domain);
        assert!(code == Some(exit) && text.contains(expected), "{weights:?} {domain}: {code:?} {text}");
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}
