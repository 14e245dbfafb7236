//! Degenerate and huge networks.
mod lipschitz_support;
use lipschitz_support::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};
use supremum::kernel::lipschitz::*;
use supremum::kernel::net::Activation;
use supremum::quantity::lipschitz::*;

fn whole(n: i64) -> BigRational {
    BigRational::from_integer(n.into())
}

fn close(square: &BigRational, expected: f64) {
    let found = square.to_f64().unwrap().sqrt();
    assert!(
        found >= expected * (1.0 - 1e-15) && found <= expected * (1.0 + 1e-7),
        "expected about {expected}, found {found}"
    );
}

#[test]
fn one_layer_is_its_spectral_norm() {
    let network = chain(&[2, 2], &Activation::Relu, &[(vec![3.0, 0.0, 4.0, 0.0], vec![0.0; 2])]);
    for bound in [
        product(&network, Norms::L2).unwrap(),
        relaxation(&network, Norms::L2, None, Effort::default()).unwrap(),
        branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| true).unwrap().upper,
    ] {
        close(&bound.square, 5.0);
        assert_eq!(check_upper(&network, Norms::L2, None, &bound.witness).unwrap(), bound.square);
    }
    // Exact operator norms: rows (3, 0), (4, 0).
    assert_eq!(product(&network, Norms::LINF).unwrap().square, whole(16));
    assert_eq!(product(&network, Norms::L1).unwrap().square, whole(49));
}

#[test]
fn zero_layers_and_dead_neurons() {
    // The middle layer is zero: the network is constant.
    let zero = chain(&[2, 3, 1], &Activation::Relu, &[(vec![0.0; 6], vec![1.0; 3]), (vec![1.0, 2.0, 3.0], vec![0.0])]);
    assert_eq!(product(&zero, Norms::L2).unwrap().square, BigRational::zero());
    let bound = relaxation(&zero, Norms::L2, None, Effort::default());
    let square = bound.map(|bound| bound.square).unwrap();
    assert!(square.to_f64().unwrap() < 1e-100, "{square}");
    let zero = chain(&[2, 3, 1], &Activation::Relu, &[(vec![1.0; 6], vec![1.0; 3]), (vec![0.0; 3], vec![0.0])]);
    assert_eq!(absolute_product(&zero, Norms::LINF, None).unwrap().square, BigRational::zero());
    assert_eq!(jacobian(&zero, Norms::LINF, None).unwrap().square, BigRational::zero());
    assert!(relaxation(&zero, Norms::L2, None, Effort::default()).unwrap().square.to_f64().unwrap() < 1e-100);
    // Neurons that read nothing, or that nothing reads, do not matter: x -> 2 relu(x) in one of three neurons.
    let dead =
        chain(&[1, 3, 1], &Activation::Relu, &[(vec![1.0, 0.0, 5.0], vec![0.0; 3]), (vec![2.0, 7.0, 0.0], vec![0.0])]);
    let found = branch_and_bound(&dead, Norms::L2, None, Limits::default(), |_| true).unwrap();
    close(&found.upper.square, 2.0);
    assert!(found.closed);
}

#[test]
fn width_one_chain() {
    let layers: Vec<_> = (0..6).map(|i| (vec![if i % 2 == 0 { 2.0 } else { -0.5 }], vec![0.25])).collect();
    let network = chain(&[1; 7], &Activation::Relu, &layers);
    for norms in [Norms::L2, Norms::LINF, Norms::L1] {
        close(&relaxation(&network, norms, None, Effort::default()).unwrap().square, 1.0);
        assert_eq!(absolute_product(&network, norms, None).unwrap().square, BigRational::one());
        assert_eq!(jacobian(&network, norms, None).unwrap().square, BigRational::one());
    }
}

#[test]
fn products_beyond_floating_point_are_exact() {
    // Eight layers of weight 2^700 on width one: the product is 2^5600.
    let big = 2f64.powi(700);
    let layers: Vec<_> = (0..8).map(|_| (vec![big], vec![0.0])).collect();
    let network = chain(&[1; 9], &Activation::Relu, &layers);
    let expected = BigRational::from_integer(BigInt::one() << 11_200u32);
    assert_eq!(product(&network, Norms::LINF).unwrap().square, expected);
    assert_eq!(absolute_product(&network, Norms::L1, None).unwrap().square, expected);
    let ratio = |square: BigRational| (square / &expected).to_f64().unwrap();
    let spectral = ratio(product(&network, Norms::L2).unwrap().square);
    assert!((1.0..1.0 + 1e-9).contains(&spectral), "{spectral}");
    let relaxed = ratio(relaxation(&network, Norms::L2, None, Effort::default()).unwrap().square);
    assert!((1.0..1.0 + 1e-7).contains(&relaxed), "{relaxed}");
    let tiny = chain(&[1; 9], &Activation::Relu, &vec![(vec![1.0 / big], vec![0.0]); 8]);
    let ratio = |square: BigRational| (square * &expected).to_f64().unwrap();
    let relaxed = ratio(relaxation(&tiny, Norms::L2, None, Effort::default()).unwrap().square);
    assert!((1.0..1.0 + 1e-7).contains(&relaxed), "{relaxed}");
}

#[test]
fn a_thousand_layers() {
    // Scaled rotations with |W|^2 = 0.75^2 + 0.5^2.
    let layers: Vec<_> = (0..1000).map(|_| (vec![0.75, -0.5, 0.5, 0.75], vec![0.0; 2])).collect();
    let network = chain(&[2; 1001], &Activation::Relu, &layers);
    let effort = Effort { gap: 1e-6, passes: 60, enclose: false };
    let spectral = product(&network, Norms::L2).unwrap();
    let expected = 0.8125f64.powi(1000);
    assert!((spectral.square.to_f64().unwrap() / expected - 1.0).abs() < 1e-6);
    let relaxed = relaxation(&network, Norms::L2, None, effort).unwrap();
    // The closed form is below the product of norms, up to its slack of 1e-12 per layer.
    let ratio = (&relaxed.square / &spectral.square).to_f64().unwrap();
    assert!(ratio <= 1.0 + 1e-8, "{ratio}");
    assert_eq!(check_upper(&network, Norms::L2, None, &relaxed.witness).unwrap(), relaxed.square);
}

#[test]
fn an_interrupted_search_keeps_its_bound() {
    let network = load("rnd_tiny_2_8_8_2");
    let root = relaxation(&network, Norms::L2, None, Effort::default()).unwrap();
    let mut calls = 0;
    let found = branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| {
        calls += 1;
        calls <= 2
    })
    .unwrap();
    assert!(!found.closed);
    assert_eq!(check_upper(&network, Norms::L2, None, &found.upper.witness).unwrap(), found.upper.square);
    assert!(found.upper.square.to_f64().unwrap() < root.square.to_f64().unwrap());
    assert!(found.upper.square.to_f64().unwrap().sqrt() > 1.8500114 * (1.0 - 1e-7));
}

#[test]
fn a_margin_and_a_constant_give_a_radius() {
    let margin = BigRational::new(3.into(), 2.into());
    // The square root is taken upwards: 2.25 / 9 = (0.5)^2.
    assert_eq!(robust_radius(&margin, &whole(9)), Some(BigRational::new(1.into(), 2.into())));
    assert!(
        robust_radius(&margin, &whole(2)).unwrap() * robust_radius(&margin, &whole(2)).unwrap()
            <= &margin * &margin / whole(2)
    );
    assert_eq!(robust_radius(&whole(0), &whole(2)), None);
    assert_eq!(robust_radius(&margin, &whole(0)), None);
}

#[test]
fn denormal_weights_are_exact() {
    // 2^-1074 on width one, three layers: the constant is 2^-3222, far below every float.
    let least = f64::from_bits(1);
    let network = chain(&[1; 4], &Activation::Relu, &vec![(vec![least], vec![0.0]); 3]);
    let expected = BigRational::new(BigInt::one(), BigInt::one() << 6444u32);
    assert_eq!(product(&network, Norms::LINF).unwrap().square, expected);
    let relaxed = relaxation(&network, Norms::L2, None, Effort::default()).unwrap().square;
    let ratio = (relaxed / &expected).to_f64().unwrap();
    assert!((1.0..1.0 + 1e-7).contains(&ratio), "{ratio}");
    // The slope is the same on the whole half line, so that the point attains the constant.
    assert_eq!(attained(&network, Norms::LINF, None, 5).unwrap().square, expected);
}

/// Points of networks whose products leave the range of f64: found in units of powers of two, and evaluated exactly.
#[test]
fn huge_and_tiny_constants_are_attained() {
    for size in [1e200, 1e-310, 1e300, f64::MAX, f64::from_bits(1)] {
        // A rotation by weights of one size, three times, and an output that reads both.
        let rotation = || vec![size, -size, size, size];
        let layers = [(rotation(), vec![0.0; 2]), (rotation(), vec![0.0; 2]), (vec![size, size], vec![0.0])];
        let network = chain(&[2, 2, 2, 1], &Activation::Relu, &layers);
        for norms in [Norms::L2, Norms::LINF, Norms::L1] {
            let upper = absolute_product(&network, norms, None).unwrap();
            let lower = attained(&network, norms, None, 10).unwrap();
            let ratio = (&lower.square / &upper.square).to_f64().unwrap().sqrt();
            assert!((0.3..=1.0).contains(&ratio), "{size:e} {norms:?}: {ratio}");
        }
        // Both neurons of the last pair are active where all arguments are positive: (x, y) -> size^3 times a fixed row.
        let upper = branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| true).unwrap().upper;
        let lower = attained(&network, Norms::L2, None, 10).unwrap();
        let ratio = (&lower.square / &upper.square).to_f64().unwrap().sqrt();
        assert!((0.999..=1.0).contains(&ratio), "{size:e}: {ratio}");
    }
    // Biases of ordinary size beside huge and tiny weights.
    for size in [1e200, 1e-310] {
        let layers = [(vec![size, 0.0, 0.0, size], vec![1.0, -1.0]), (vec![size, size], vec![0.5])];
        let network = chain(&[2, 2, 1], &Activation::LeakyRelu(BigRational::new(1.into(), 4.into())), &layers);
        let lower = attained(&network, Norms::L2, None, 10).unwrap();
        assert!(lower.square > BigRational::zero(), "{size:e}");
        assert!(lower.square <= product(&network, Norms::L2).unwrap().square, "{size:e}");
    }
}

#[test]
fn mixed_huge_and_tiny_weights_stay_above_what_is_attained() {
    // 1e200 in one layer and 1e-200 in the next; another path has ordinary weights.
    let network = chain(
        &[2, 2, 1],
        &Activation::Relu,
        &[(vec![1e200, 0.0, 0.0, 3.0], vec![0.0; 2]), (vec![1e-200, 1.0], vec![0.0])],
    );
    let exact = 1e200f64 * 1e-200;
    let expected = (exact * exact + 9.0).sqrt();
    for bound in [
        relaxation(&network, Norms::L2, None, Effort::default()).unwrap(),
        combettes_pesquet(&network, Norms::L2, None).unwrap(),
        layerwise(&network, Norms::L2, None).unwrap(),
    ] {
        let value = bound.square.to_f64().unwrap().sqrt();
        assert!(value >= expected * (1.0 - 1e-14), "{value}");
    }
    let seen = attained(&network, Norms::L2, None, 20).unwrap().square.to_f64().unwrap().sqrt();
    assert!(seen <= expected * (1.0 + 1e-14), "{seen}");
}

#[test]
fn a_domain_that_is_none_is_refused() {
    let end = |n: i64| whole(n);
    assert!(Domain::new(vec![(end(1), end(0))]).is_err());
    assert!(Domain::ball(vec![end(0)], end(-1), Norm::L2).is_err());
    // A domain of another dimension.
    let network = load("rnd_tiny_2_8_8_2");
    let on = cube(3, 0, 1, 1);
    assert!(relaxation(&network, Norms::L2, Some(&on), Effort::default()).is_err());
    assert!(absolute_product(&network, Norms::L2, Some(&on)).is_err());
    assert!(branch_and_bound(&network, Norms::L2, Some(&on), Limits::default(), |_| true).is_err());
    assert!(attained(&network, Norms::L2, Some(&on), 5).is_err());
    // A point is a domain: nothing moves on it, and every bound holds.
    let point = cube(2, 1, 1, 2);
    assert!(attained(&network, Norms::L2, Some(&point), 5).is_err());
    assert!(relaxation(&network, Norms::L2, Some(&point), Effort::default()).is_ok());
}

#[test]
fn a_layer_without_units_is_refused() {
    use supremum::kernel::net::*;
    let node = Node { op: Op::Dense { units: 0, bias: false }, inputs: vec![Source::Input] };
    let architecture = Architecture { input: vec![2], nodes: vec![node] };
    let weight = Tensor::new(vec![0, 2], Vec::new());
    let network = weight
        .ok()
        .and_then(|weight| Network::new(architecture, vec![Some(Parameters { weight, bias: None })], 64).ok());
    assert!(network.is_none(), "a network without outputs");
}

/// Concatenation stacks the two maps: `(x, 2 x)` has the norms `sqrt 5`, 2 and 3.
#[test]
fn concatenation_combines_by_the_norm() {
    use supremum::kernel::net::*;
    let nodes = vec![
        Node { op: Op::Dense { units: 1, bias: false }, inputs: vec![Source::Input] },
        Node { op: Op::Concat, inputs: vec![Source::Input, Source::Node(0)] },
    ];
    let architecture = Architecture { input: vec![1], nodes };
    let weight = tensor(vec![1, 1], &[2.0]);
    let network = Network::new(architecture, vec![Some(Parameters { weight, bias: None }), None], 64).unwrap();
    let squares = [Norms::L2, Norms::LINF, Norms::L1].map(|norms| product(&network, norms).unwrap().square);
    close(&squares[0], 5f64.sqrt());
    assert_eq!(squares[1..], [whole(4), whole(9)]);
    close(&relaxation(&network, Norms::L2, None, Effort::default()).unwrap().square, 5f64.sqrt());
    close(&relaxation(&network, Norms::LINF, None, Effort::default()).unwrap().square, 2.0);
}

/// Pooling in l1 and linf, and a normalization that is folded into its convolution.
#[test]
fn pooling_and_normalization_by_the_norm() {
    use supremum::kernel::net::*;
    let single = |input: Vec<Size>, op: Op| {
        let architecture = Architecture { input, nodes: vec![Node { op, inputs: vec![Source::Input] }] };
        Network::new(architecture, vec![None], 64).unwrap()
    };
    // The mean of four numbers moves by a quarter of one of them, and by all if all move.
    let mean = single(vec![1, 2, 2], Op::AvgPool { window: (2, 2), stride: (2, 2) });
    assert_eq!(product(&mean, Norms::L1).unwrap().square, BigRational::new(1.into(), 16.into()));
    assert_eq!(product(&mean, Norms::LINF).unwrap().square, whole(1));
    // Windows of two at stride one: the middle number counts twice, by halves in the mean.
    let means = single(vec![1, 1, 3], Op::AvgPool { window: (1, 2), stride: (1, 1) });
    assert_eq!(product(&means, Norms::L1).unwrap().square, whole(1));
    close(&relaxation(&means, Norms::L2, None, Effort::default()).unwrap().square, 0.75f64.sqrt());
    let most = single(vec![1, 1, 3], Op::MaxPool { window: (1, 2), stride: (1, 1), pad: (0, 0) });
    assert_eq!(product(&most, Norms::LINF).unwrap().square, whole(1));
    assert_eq!(product(&most, Norms::L1).unwrap().square, whole(4));
    // (3 x + 4 y) scaled by -2: the norm of one row (6, 8), not 2 * 5 twice.
    let nodes = vec![
        Node {
            op: Op::Conv { channels: 1, kernel: (1, 2), stride: (1, 1), pad: (0, 0), groups: 1, bias: false },
            inputs: vec![Source::Input],
        },
        Node { op: Op::BatchNorm, inputs: vec![Source::Node(0)] },
    ];
    let parameters = vec![
        Some(Parameters { weight: tensor(vec![1, 1, 1, 2], &[3.0, 4.0]), bias: None }),
        Some(Parameters { weight: tensor(vec![1], &[-2.0]), bias: Some(tensor(vec![1], &[7.0])) }),
    ];
    let network = Network::new(Architecture { input: vec![1, 1, 2], nodes }, parameters, 64).unwrap();
    close(&product(&network, Norms::L2).unwrap().square, 10.0);
    assert_eq!(product(&network, Norms::LINF).unwrap().square, whole(196));
    assert_eq!(product(&network, Norms::L1).unwrap().square, whole(64));
}

/// Small image networks whose constants are known.
#[test]
fn unrolled_operations() {
    use supremum::kernel::net::*;
    let single = |input: Vec<Size>, op: Op, parameters: Option<Parameters>| {
        let architecture = Architecture { input, nodes: vec![Node { op, inputs: vec![Source::Input] }] };
        Network::new(architecture, vec![parameters], 64).unwrap()
    };
    let l2 = |network: &Network| relaxation(network, Norms::L2, None, Effort::default()).unwrap().square;
    let linf = |network: &Network| relaxation(network, Norms::LINF, None, Effort::default()).unwrap().square;
    // The mean of four numbers.
    let mean = single(vec![1, 2, 2], Op::AvgPool { window: (2, 2), stride: (2, 2) }, None);
    close(&l2(&mean), 0.5);
    close(&linf(&mean), 1.0);
    close(&product(&mean, Norms::L2).unwrap().square, 0.5);
    let all = single(vec![2, 3, 1], Op::GlobalAvgPool, None);
    close(&l2(&all), (1.0f64 / 3.0).sqrt());
    // A maximum of four, and of windows that overlap.
    let most = single(vec![1, 2, 2], Op::MaxPool { window: (2, 2), stride: (2, 2), pad: (0, 0) }, None);
    close(&branch_and_bound(&most, Norms::L2, None, Limits::default(), |_| true).unwrap().upper.square, 1.0);
    close(&product(&most, Norms::L2).unwrap().square, 1.0);
    let overlapping = single(vec![1, 1, 3], Op::MaxPool { window: (1, 2), stride: (1, 1), pad: (0, 0) }, None);
    // The middle number may be the maximum of both windows.
    close(
        &branch_and_bound(&overlapping, Norms::L2, None, Limits::default(), |_| true).unwrap().upper.square,
        2f64.sqrt(),
    );
    let conv = |kernel: (Size, Size), pad: (Size, Size), stride: (Size, Size), groups: Size, channels: Size| Op::Conv {
        channels,
        kernel,
        stride,
        pad,
        groups,
        bias: false,
    };
    let weights = |shape: Vec<usize>, data: &[f64]| Some(Parameters { weight: tensor(shape, data), bias: None });
    let full =
        single(vec![1, 2, 2], conv((2, 2), (0, 0), (1, 1), 1, 1), weights(vec![1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]));
    close(&l2(&full), 30f64.sqrt());
    close(&linf(&full), 10.0);
    // With padding on one pixel only the centre of the kernel acts.
    let padded = single(
        vec![1, 1, 1],
        conv((3, 3), (1, 1), (1, 1), 1, 1),
        weights(vec![1, 1, 3, 3], &[9.0, 9.0, 9.0, 9.0, 2.0, 9.0, 9.0, 9.0, 9.0]),
    );
    close(&l2(&padded), 2.0);
    // Two groups see one channel each.
    let grouped = single(vec![2, 1, 1], conv((1, 1), (0, 0), (1, 1), 2, 2), weights(vec![2, 1, 1, 1], &[3.0, 4.0]));
    close(&l2(&grouped), 4.0);
    close(&product(&grouped, Norms::LINF).unwrap().square, 4.0);
    // Stride two: each output sees its own two columns.
    let strided = single(vec![1, 1, 4], conv((1, 2), (0, 0), (1, 2), 1, 1), weights(vec![1, 1, 1, 2], &[3.0, 4.0]));
    close(&l2(&strided), 5.0);
    assert_eq!(product(&strided, Norms::L1).unwrap().square, whole(16));
    // A skip: x + W x.
    let nodes = vec![
        Node { op: Op::Dense { units: 2, bias: false }, inputs: vec![Source::Input] },
        Node { op: Op::Add, inputs: vec![Source::Node(0), Source::Input] },
    ];
    let architecture = Architecture { input: vec![2], nodes };
    let skip = Network::new(architecture, vec![weights(vec![2, 2], &[1.0, 0.0, 0.0, -3.0]), None], 64).unwrap();
    close(&l2(&skip), 2.0);
    close(&product(&skip, Norms::L2).unwrap().square, 4.0);
}
