//! Certified constants of published networks, against an independent solver and enumeration.
//!
//! The optima of LipSDP-Neuron were computed by another program and confirmed by a 200-bit factorization; the maxima over
//! activation patterns of the two tiny networks by enumeration.
mod lipschitz_support;
use lipschitz_support::*;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use supremum::kernel::lipschitz::*;
use supremum::kernel::net::Activation;
use supremum::quantity::lipschitz::*;

fn root(square: &BigRational) -> f64 {
    square.to_f64().unwrap().sqrt()
}

#[test]
fn relaxations_reach_their_optima() {
    for (name, below, above) in [
        ("lipsdp_random", 36.482_230_154_8, 36.482_230_155_9),
        ("hcas_pra0_tau00", 1_608.102_363_9, 1_608.102_365),
        ("nnet_TestNetwork", 88_258.819_229, 88_258.819_3),
        ("nv_cartpole", 724.960_755, 724.960_757),
        ("eclipse_lyr2n80", 0.737_256_982_67, 0.737_256_982_68),
        ("ecl_lyr5n20", 0.568_873_175, 0.568_873_177),
        ("ecl_lyr10n20", 0.027_640_810_35, 0.027_640_810_5),
        ("rnd_tiny_2_8_8_2", 1.967_282_881_4, 1.967_282_883),
        ("nv_small", 24.0, 24.000_000_001),
    ] {
        let network = load(name);
        let bound = relaxation(&network, Norms::L2, None, Effort::default()).unwrap();
        let value = root(&bound.square);
        assert!(value >= below && value <= above, "{name}: {value:.12} not in [{below}, {above}]");
        assert_eq!(check_upper(&network, Norms::L2, None, &bound.witness).unwrap(), bound.square);
        let closed = layerwise(&network, Norms::L2, None).unwrap();
        let spectral = product(&network, Norms::L2).unwrap();
        assert!(
            bound.square <= closed.square && root(&closed.square) <= root(&spectral.square) * (1.0 + 1e-9),
            "{name}"
        );
    }
}

#[test]
fn products_of_norms() {
    // numpy.linalg.norm of the layers, multiplied.
    let network = load("lipsdp_random");
    let close =
        |found: &BigRational, expected: f64| assert!((root(found) / expected - 1.0).abs() < 1e-9, "{}", root(found));
    close(&product(&network, Norms::L2).unwrap().square, 43.305_574_375_065_646);
    close(&product(&network, Norms::LINF).unwrap().square, 141.078_564_304_545_55);
    close(&product(&network, Norms::L1).unwrap().square, 84.710_361_654_243_24);
    close(&absolute_product(&network, Norms::LINF, None).unwrap().square, 37.031_909_506_388_74);
    let rows = almost_orthogonal(&network, Norms::L2).unwrap();
    assert!(root(&rows.square) >= 43.305_574_375);
}

#[test]
fn the_recursion_of_combettes_and_pesquet_on_a_chain() {
    // Their constant theta by an independent program: a sum over subsets of layers, and the recursion in numpy.
    let network = load("lipsdp_random");
    for (norms, expected) in [(Norms::L2, 39.860_916_221_185_77), (Norms::LINF, 80.358_092_714_648_82)] {
        let bound = combettes_pesquet(&network, norms, None).unwrap();
        assert!((root(&bound.square) / expected - 1.0).abs() < 1e-9, "{}", root(&bound.square));
        assert_eq!(check_upper(&network, norms, None, &bound.witness).unwrap(), bound.square);
    }
    // A proposal below the spectral norm of one of the maps is refused.
    let bound = combettes_pesquet(&network, Norms::L2, None).unwrap();
    let Witness::Averaged(mut squares) = bound.witness else { panic!("expected maps") };
    let square = squares[2][1].clone().unwrap();
    squares[2][1] = Some(&square * &(&Dyadic::ONE - &Dyadic::ONE.scaled(-20)));
    assert_eq!(check_upper(&network, Norms::L2, None, &Witness::Averaged(squares)), Err(LipError::NotProved));
}

#[test]
fn trees_reach_the_largest_pattern() {
    for (name, exact) in [
        ("rnd_tiny_2_8_8_2", 1.850_011_4),
        ("rnd_tiny_2_5_5_5_1", 8.929_960_8),
        ("nv_cartpole", 679.797_210),
        ("hcas_pra0_tau00", 1_501.660_69),
        ("ecl_lyr5n20", 0.494_697_887),
    ] {
        let network = load(name);
        let found = branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| true).unwrap();
        let upper = root(&check_upper(&network, Norms::L2, None, &found.upper.witness).unwrap());
        assert!(found.closed);
        assert!((upper / exact - 1.0).abs() < 1.2e-6, "{name}: {upper}");
        assert!(found.lower.unwrap().square <= found.upper.square);
    }
}

#[test]
fn a_network_on_the_square_is_solved_and_attained() {
    for seed in 0..3 {
        let network = random(&[2, 16, 16, 1], &Activation::Relu, seed, 2.0);
        let domain = cube(2, -1, 1, 1);
        let limits = Limits { tolerance: 0.01, ..Limits::default() };
        let found = branch_and_bound(&network, Norms::L2, Some(&domain), limits, |_| true).unwrap();
        let upper = check_upper(&network, Norms::L2, Some(&domain), &found.upper.witness).unwrap();
        let lower = check_lower(&network, Norms::L2, Some(&domain), &found.lower.unwrap().witness).unwrap();
        assert!(found.closed && lower <= upper && root(&upper) <= 1.01 * root(&lower) * (1.0 + 1e-9));
        let whole = relaxation(&network, Norms::L2, None, Effort::default()).unwrap();
        assert!(upper <= whole.square);
    }
}

#[test]
fn local_constants_of_acas_xu() {
    let network = load("nnet_TestNetwork");
    for (radius, norms, below, above) in [
        (1000, Norms::L2, 0.008_808_11, 0.008_808_2),
        (100, Norms::L2, 4.97, 4.972),
        (100, Norms::LINF, 0.2, 32.6),
        (1000, Norms::LINF, 0.010_268_09, 0.010_268_1),
    ] {
        let domain = cube(5, -1, 1, radius);
        let bound = relaxation(&network, norms, Some(&domain), Effort::default()).unwrap();
        let value = root(&bound.square);
        assert!(value >= below && value <= above, "1/{radius} {norms:?}: {value}");
        assert!(attained(&network, norms, Some(&domain), 60).unwrap().square <= bound.square);
    }
}

/// Beside interval bounds of the Jacobian (numpy), which lose what cancels, and the linear relaxation of auto_LiRPA.
#[test]
fn the_relaxed_jacobian_of_acas_xu() {
    let network = load("nnet_TestNetwork");
    for (radius, below, above) in [(100, 4.59, 46.0), (1000, 0.010_268_09, 0.010_268_1)] {
        let domain = cube(5, -1, 1, radius);
        let bound = jacobian(&network, Norms::LINF, Some(&domain)).unwrap();
        let value = root(&bound.square);
        assert!(value >= below && value <= above, "1/{radius}: {value}");
        assert_eq!(check_upper(&network, Norms::LINF, Some(&domain), &bound.witness).unwrap(), bound.square);
        assert!(bound.square <= absolute_product(&network, Norms::LINF, Some(&domain)).unwrap().square);
    }
}

/// The search for points beside five seconds of sampling by another program (`lower_bound_sampled_l2` of the reference file).
#[test]
fn points_are_as_steep_as_sampled_ones() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../specs/lipschitz/models/reference.json")).expect("reference values");
    for (name, share) in [
        ("lipsdp_random", 1.0),
        ("nnet_TestNetwork", 1.0),
        ("hcas_pra0_tau00", 1.0),
        ("hcas_pra4_tau60", 1.0),
        ("nv_cartpole", 1.0),
        ("ecl_lyr5n20", 1.0),
        ("ecl_lyr10n20", 1.0),
        ("ecl_lyr20n20", 0.95),
        ("rnd_tiny_2_8_8_2", 1.0),
    ] {
        let sampled = reference[name]["lower_bound_sampled_l2"]["value"].as_f64().expect("a sampled value");
        let network = load(name);
        let seen = attained(&network, Norms::L2, None, 1000).unwrap();
        let value = root(&check_lower(&network, Norms::L2, None, &seen.witness).unwrap());
        // Both round in the last place.
        assert!(value >= share * sampled * (1.0 - 1e-12), "{name}: {value} below {share} of {sampled}");
    }
}

/// A network of PyTorch with the largest l2, linf and l1 norms of its Jacobian at points of the data (automatic differentiation in
/// double precision; `lipschitz_lower` of its reference file).
struct Trained {
    name: &'static str,
    network: supremum::kernel::net::Network,
    seen: [f64; 3],
}

/// Those with a reference file in `tests/data/models/torch`, and three whose reference is too long to ship.
fn trained() -> Vec<Trained> {
    use supremum::data::{assemble, file::Folder, onnx, safetensors};
    let folder = Folder::new(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/models")).unwrap();
    let read = |name: &str| folder.read(name, 1 << 24).unwrap();
    let import = |name: &str| onnx::read(&read(&format!("{name}.onnx")), None).unwrap().network;
    let dense = import("mnist_mlp");
    let like = |name: &str| {
        let tensors = safetensors::read(&read(&format!("{name}.safetensors"))).unwrap();
        assemble::assemble_like(dense.architecture(), &tensors).unwrap()
    };
    let reference = |name: &str| {
        let path = format!("{}/tests/data/models/torch/{name}.ref.json", env!("CARGO_MANIFEST_DIR"));
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        ["spectral", "inf", "one"].map(|norm| json["lipschitz_lower"]["norms"][norm]["value"].as_f64().unwrap())
    };
    let mut all = Vec::new();
    for name in ["mnist_mlp_init", "mnist_mlp_f16", "mnist_mlp_bf16"] {
        all.push(Trained { name, network: like(name), seen: reference(name) });
    }
    for name in [
        "digits_mlp",
        "digits_mlp_nobias_binary",
        "digits_cnn",
        "digits_resnet",
        "mnist_mlp",
        "mnist_mlp_tanh",
        "mnist_lenet",
        "pinn_poisson",
        "square_relu",
    ] {
        all.push(Trained { name, network: import(name), seen: reference(name) });
    }
    for (name, seen) in [
        ("sweep_mlp_w16_true", [83.726_977_459_901_75, 1_303.066_755_968_190_1, 52.342_604_687_696_04]),
        ("sweep_mlp_w64_true", [38.572_751_735_086_05, 478.148_507_474_595_36, 15.911_142_044_246_835]),
    ] {
        all.push(Trained { name, network: lipschitz_support::import(name), seen });
    }
    let seen = [132.743_391_262_745_72, 1_896.268_756_771_136_2, 76.729_965_768_518_95];
    all.push(Trained { name: "sweep_mlp_w256_random", network: import("sweep_mlp_w256_random"), seen });
    all
}

/// Every upper bound exceeds the largest gradient that PyTorch saw, in every norm and by every method that is quick there.
#[test]
fn bounds_exceed_the_gradients_of_pytorch() {
    let trained = trained();
    assert_eq!(trained.len(), 15);
    for Trained { name, network, seen } in &trained {
        let system = System::new(network).unwrap();
        let (hidden, is_small) = (system.neurons.len(), system.inputs <= 64);
        for (norms, seen) in [(Norms::L2, seen[0]), (Norms::LINF, seen[1]), (Norms::L1, seen[2])] {
            let mut bounds = vec![("product", product(network, norms).unwrap())];
            if hidden <= 300 && is_small {
                bounds.push(("absolute", absolute_product(network, norms, None).unwrap()));
                bounds.push(("recursion", combettes_pesquet(network, norms, None).unwrap()));
            }
            if hidden <= 300 && is_small && norms == Norms::L2 {
                let effort = Effort { gap: 1e-2, passes: 60, enclose: false };
                bounds.push(("layerwise", layerwise(network, norms, None).unwrap()));
                bounds.push(("relaxation", relaxation(network, norms, None, effort).unwrap()));
            }
            for (method, bound) in bounds {
                let value = root(&check_upper(network, norms, None, &bound.witness).unwrap());
                // PyTorch rounds in the last places; where a bound is sharp it may print more than the constant.
                assert!(value >= seen * (1.0 - 1e-12), "{name} {norms:?} {method}: {value} below {seen}");
                assert!(value <= seen * 1e5, "{name} {norms:?} {method}: {value} says nothing beside {seen}");
            }
        }
    }
}

/// The same for networks whose points were sampled for five seconds by another program, in all three norms.
#[test]
fn bounds_exceed_sampled_points() {
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../specs/lipschitz/models/reference.json")).expect("reference values");
    let networks = reference.as_object().expect("networks");
    let mut count = 0;
    for (name, values) in networks.iter().filter(|(_, values)| values.get("lower_bound_sampled_l2").is_some()) {
        let network = load(name);
        count += 1;
        for (norms, norm) in [(Norms::L2, "l2"), (Norms::LINF, "linf"), (Norms::L1, "l1")] {
            let seen = values[format!("lower_bound_sampled_{norm}")]["value"].as_f64().expect("a sampled value");
            let mut bounds =
                vec![("product", product(&network, norms)), ("absolute", absolute_product(&network, norms, None))];
            // It is quadratic in the depth, and some networks have fifty layers.
            if System::new(&network).unwrap().neurons.len() <= 300 {
                bounds.push(("recursion", combettes_pesquet(&network, norms, None)));
            }
            if norms == Norms::L2 {
                bounds.push(("layerwise", layerwise(&network, norms, None)));
            }
            for (method, bound) in bounds {
                let value = root(&bound.unwrap().square);
                assert!(value >= seen * (1.0 - 1e-12), "{name} {norms:?} {method}: {value} below {seen}");
            }
        }
    }
    assert_eq!(count, 24);
}
