//! Thousands of random networks and boxes: what is attained never exceeds what is certified.
mod lipschitz_support;
use lipschitz_support::*;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use supremum::kernel::lipschitz::*;
use supremum::kernel::net::*;
use supremum::quantity::lipschitz::dual::Noise;
use supremum::quantity::lipschitz::*;

fn activations() -> Vec<Activation> {
    let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
    vec![
        Activation::Relu,
        Activation::LeakyRelu(ratio(1, 4)),
        Activation::LeakyRelu(ratio(3, 1)),
        Activation::Relu6,
        Activation::HardTanh,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Arctan,
        Activation::Softplus,
        Activation::Softsign,
        Activation::Elu(ratio(1, 1)),
        Activation::Elu(ratio(2, 1)),
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Gaussian,
    ]
}

/// A random graph of dense layers with activations between them, in which some layers are added to earlier ones and some join two.
fn residual(seed: u64, activation: &Activation) -> Network {
    let mut noise = Noise::new(seed);
    let width = 2 + (seed % 3) as usize;
    let (mut nodes, mut parameters) = (Vec::new(), Vec::new());
    let mut dense = |nodes: &mut Vec<Node>, noise: &mut Noise, inputs: usize, units: usize, from: Source| {
        let mut values = |n: usize| (0..n).map(|_| f64::from((0.7 * noise.normal()) as f32)).collect::<Vec<_>>();
        let weight = tensor(vec![units, inputs], &values(units * inputs));
        let bias = Some(tensor(vec![units], &values(units)));
        nodes.push(Node { op: Op::Dense { units: units as Size, bias: true }, inputs: vec![from] });
        parameters.push(Some(Parameters { weight, bias }));
        Source::Node(nodes.len() - 1)
    };
    let mut last = dense(&mut nodes, &mut noise, 2, width, Source::Input);
    let mut earlier = last;
    for block in 0..3 {
        nodes.push(Node { op: Op::Activation(activation.clone()), inputs: vec![last] });
        let activated = Source::Node(nodes.len() - 1);
        let inner = dense(&mut nodes, &mut noise, width, width, activated);
        last = inner;
        if noise.uniform() < 0.6 {
            nodes.push(Node { op: Op::Add, inputs: vec![inner, earlier] });
            last = Source::Node(nodes.len() - 1);
        }
        if block == 1 {
            earlier = last;
        }
    }
    dense(&mut nodes, &mut noise, width, 2, last);
    // Parameters stand at their own nodes.
    let mut own = parameters.into_iter();
    let placed = nodes
        .iter()
        .map(|node| if matches!(node.op, Op::Dense { .. }) { own.next().flatten() } else { None })
        .collect();
    Network::new(Architecture { input: vec![2], nodes }, placed, 32).unwrap()
}

/// One convolution with random shape, an activation, pooling or none, and a dense layer.
fn image(seed: u64, activation: &Activation) -> Network {
    let mut noise = Noise::new(seed);
    let pick = |noise: &mut Noise, n: u64| (noise.uniform() * n as f64) as Size;
    let (side, kernel) = (3 + pick(&mut noise, 2), 1 + pick(&mut noise, 3));
    let (pad, stride, channels) = (pick(&mut noise, 2), 1 + pick(&mut noise, 2), 1 + pick(&mut noise, 2));
    let groups = if noise.uniform() < 0.3 { 2 } else { 1 };
    let (inputs, channels) = (if groups == 2 { 2 } else { 1 }, channels * groups);
    let node = |op: Op, from: Source| Node { op, inputs: vec![from] };
    let square = |n: Size| (n, n);
    let mut nodes = vec![
        node(
            Op::Conv {
                channels,
                kernel: square(kernel),
                stride: square(stride),
                pad: square(pad.min(kernel - 1)),
                groups,
                bias: true,
            },
            Source::Input,
        ),
        node(Op::BatchNorm, Source::Node(0)),
        node(Op::Activation(activation.clone()), Source::Node(1)),
    ];
    match pick(&mut noise, 3) {
        0 => nodes.push(node(Op::MaxPool { window: (1, 1), stride: (1, 1), pad: (0, 0) }, Source::Node(2))),
        1 => nodes.push(node(Op::AvgPool { window: (1, 1), stride: (1, 1) }, Source::Node(2))),
        _ => nodes.push(node(Op::GlobalAvgPool, Source::Node(2))),
    }
    nodes.push(node(Op::Flatten, Source::Node(3)));
    nodes.push(node(Op::Dense { units: 2, bias: false }, Source::Node(4)));
    let architecture = Architecture { input: vec![inputs, side, side], nodes };
    let features = architecture.shapes().unwrap()[4][0] as usize;
    let mut values = |shape: Vec<usize>| {
        let n = shape.iter().product();
        tensor(shape, &(0..n).map(|_| f64::from((0.7 * noise.normal()) as f32)).collect::<Vec<_>>())
    };
    let (c, k) = (channels as usize, kernel as usize);
    let parameters = vec![
        Some(Parameters { weight: values(vec![c, (inputs / groups) as usize, k, k]), bias: Some(values(vec![c])) }),
        Some(Parameters { weight: values(vec![c]), bias: Some(values(vec![c])) }),
        None,
        None,
        None,
        Some(Parameters { weight: values(vec![2, features]), bias: None }),
    ];
    Network::new(architecture, parameters, 32).unwrap()
}

type Named = (&'static str, Result<Bound, LipError>);

/// Every method that takes the norm and the domain; all must stay above what is attained.
fn agree(network: &Network, norms: Norms, domain: Option<&Domain>, what: &str) {
    let attained = attained(network, norms, domain, 6).unwrap();
    let mut bounds: Vec<Named> = vec![
        ("product", product(network, norms)),
        ("absolute", absolute_product(network, norms, domain)),
        ("recursion", combettes_pesquet(network, norms, domain)),
    ];
    if norms != Norms::L1 {
        bounds.push(("layerwise", layerwise(network, norms, domain)));
        bounds
            .push(("relaxation", relaxation(network, norms, domain, Effort { gap: 1e-2, passes: 40, enclose: false })));
    }
    for (method, bound) in bounds {
        let bound = bound.unwrap_or_else(|error| panic!("{what} {norms:?} {method}: {error}"));
        assert!(
            attained.square <= bound.square,
            "{what} {norms:?} {method}: attained {} above {}",
            attained.square.to_f64().unwrap(),
            bound.square.to_f64().unwrap()
        );
    }
}

const NORMS: [Norms; 3] = [Norms::L2, Norms::LINF, Norms::L1];

#[test]
fn dense_networks() {
    for seed in 0..1600u64 {
        let activation = &activations()[(seed % 16) as usize];
        let network = random(&[2, 3, 3, 2], activation, seed, 1.5);
        agree(&network, NORMS[(seed / 16 % 3) as usize], None, &format!("dense {seed}"));
    }
}

#[test]
fn dense_networks_on_boxes_and_balls() {
    let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
    for seed in 0..480u64 {
        let activation = &activations()[(seed % 16) as usize];
        let network = random(&[2, 3, 2], activation, seed, 2.0);
        let mut noise = Noise::new(seed);
        let at = ratio((noise.normal() * 100.0) as i64, 100);
        let reach = ratio(1 + (noise.uniform() * 100.0) as i64, 50);
        let low = at.to_f64().unwrap() * 100.0;
        let domain = match seed / 16 % 4 {
            0 => cube(2, low as i64, low as i64 + 10, 100),
            1 => Domain::ball(vec![at.clone(), -at], reach, Norm::L1).unwrap(),
            2 => Domain::ball(vec![at.clone(), -at], reach, Norm::L2).unwrap(),
            _ => Domain::ball(vec![at.clone(), -at], reach, Norm::Linf).unwrap(),
        };
        agree(&network, NORMS[(seed / 64 % 2) as usize], Some(&domain), &format!("domain {seed}"));
    }
}

#[test]
fn residual_networks() {
    for seed in 0..480u64 {
        let network = residual(seed, &activations()[(seed % 16) as usize]);
        agree(&network, NORMS[(seed / 16 % 3) as usize], None, &format!("residual {seed}"));
    }
}

#[test]
fn convolutional_networks() {
    for seed in 0..320u64 {
        let network = image(seed, &activations()[(seed % 16) as usize]);
        agree(&network, NORMS[(seed / 16 % 3) as usize], None, &format!("image {seed}"));
    }
}

/// A norm of a small random operator by power iteration in f64 is met by the certificate, from above.
#[test]
fn operators_of_convolutions() {
    for seed in 0..60u64 {
        let network = image(seed, &Activation::Relu);
        let operator = operator::Operator::of(&network, 0).unwrap();
        let mut v = vec![1.0; operator.columns];
        let mut square = 0.0;
        for _ in 0..3000 {
            let length = v.iter().map(|x: &f64| x * x).sum::<f64>().sqrt();
            let mut next = vec![0.0; operator.columns];
            square = 0.0;
            for row in &operator.rows {
                let entry = |w: &Dyadic| w.to_rational().to_f64().unwrap();
                let y: f64 = row.iter().map(|(j, w)| entry(w) * v[*j] / length).sum();
                square += y * y;
                row.iter().for_each(|(j, w)| next[*j] += entry(w) * y);
            }
            v = next;
            if square == 0.0 {
                break;
            }
        }
        let bound =
            supremum::quantity::lipschitz::product::spectral_square(&operator).unwrap().to_rational().to_f64().unwrap();
        assert!(bound >= square * (1.0 - 1e-12) && bound <= square * (1.0 + 1e-6) + 1e-300, "{seed}: {bound} {square}");
    }
}
