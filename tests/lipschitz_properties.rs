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

/// A convolution of random shape with a normalization and an activation, perhaps a residual connection, a pooling (of windows that
/// may overlap and reach into the padding), perhaps a concatenation, and a dense layer.
fn image(seed: u64, activation: &Activation) -> Network {
    let mut noise = Noise::new(seed);
    let pick = |noise: &mut Noise, n: u64| (noise.uniform() * n as f64) as Size;
    let (side, kernel) = (3 + pick(&mut noise, 2), 1 + pick(&mut noise, 3));
    let (pad, stride, channels) =
        (pick(&mut noise, 2).min(kernel - 1), 1 + pick(&mut noise, 2), 1 + pick(&mut noise, 2));
    let groups = if noise.uniform() < 0.3 { 2 } else { 1 };
    let (inputs, channels) = (if groups == 2 { 2 } else { 1 }, channels * groups);
    let square = |n: Size| (n, n);
    let conv =
        Op::Conv { channels, kernel: square(kernel), stride: square(stride), pad: square(pad), groups, bias: true };
    let (c, k) = (channels as usize, kernel as usize);
    let random = |shape: Vec<usize>, noise: &mut Noise| {
        let n = shape.iter().product();
        tensor(shape, &(0..n).map(|_| f64::from((0.7 * noise.normal()) as f32)).collect::<Vec<_>>())
    };
    let with = |weight: Vec<usize>, bias: Option<usize>, noise: &mut Noise| {
        let weight = random(weight, noise);
        Some(Parameters { weight, bias: bias.map(|n| random(vec![n], noise)) })
    };
    let (mut nodes, mut parameters) = (Vec::new(), Vec::new());
    let mut push = |op: Op, inputs: Vec<Source>, own: Option<Parameters>| {
        nodes.push(Node { op, inputs });
        parameters.push(own);
        Source::Node(nodes.len() - 1)
    };
    let filter = vec![c, (inputs / groups) as usize, k, k];
    let convolved = push(conv, vec![Source::Input], with(filter, Some(c), &mut noise));
    let normal = push(Op::BatchNorm, vec![convolved], with(vec![c], Some(c), &mut noise));
    let mut last = push(Op::Activation(activation.clone()), vec![normal], None);
    if noise.uniform() < 0.5 {
        last = push(Op::Add, vec![last, normal], None);
    }
    let out = (side + 2 * pad - kernel) / stride + 1;
    let window = 1 + pick(&mut noise, 2).min(out - 1);
    let step = 1 + pick(&mut noise, window as u64);
    last = match pick(&mut noise, 4) {
        0 => {
            let pad = pick(&mut noise, window as u64);
            push(Op::MaxPool { window: square(window), stride: square(step), pad: square(pad) }, vec![last], None)
        }
        1 => push(Op::AvgPool { window: square(window), stride: square(step) }, vec![last], None),
        2 => push(Op::GlobalAvgPool, vec![last], None),
        _ => last,
    };
    last = push(Op::Flatten, vec![last], None);
    if noise.uniform() < 0.3 {
        let whole = push(Op::Flatten, vec![Source::Input], None);
        last = push(Op::Concat, vec![last, whole], None);
    }
    let Source::Node(before) = last else { unreachable!("a node") };
    nodes.push(Node { op: Op::Dense { units: 2, bias: false }, inputs: vec![last] });
    let architecture = Architecture { input: vec![inputs, side, side], nodes };
    let features = architecture.shapes().unwrap()[before][0] as usize;
    parameters.push(with(vec![2, features], None, &mut noise));
    Network::new(architecture, parameters, 32).unwrap()
}

/// A random box or ball around a random point.
fn domain(seed: u64, dimension: usize) -> Domain {
    let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
    let mut noise = Noise::new(seed);
    let center: Vec<BigRational> = (0..dimension).map(|_| ratio((noise.normal() * 100.0) as i64, 100)).collect();
    let radius = ratio(1 + (noise.uniform() * 100.0) as i64, 50);
    match seed % 4 {
        0 => {
            let width = |noise: &mut Noise| ratio((noise.uniform() * 100.0) as i64, 50);
            Domain::new(center.iter().map(|c| (c - width(&mut noise), c + width(&mut noise))).collect()).unwrap()
        }
        1 => Domain::ball(center, radius, Norm::L1).unwrap(),
        2 => Domain::ball(center, radius, Norm::L2).unwrap(),
        _ => Domain::ball(center, radius, Norm::Linf).unwrap(),
    }
}

type Named = (&'static str, Result<Bound, LipError>);

/// Every method that takes the norm and the domain; all must stay above what is attained.
fn agree(network: &Network, norms: Norms, domain: Option<&Domain>, what: &str) {
    let attained = attained(network, norms, domain, 6).unwrap();
    let mut bounds: Vec<Named> = vec![
        ("product", product(network, norms)),
        ("absolute", absolute_product(network, norms, domain)),
        ("jacobian", jacobian(network, norms, domain)),
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
    for seed in 0..480u64 {
        let activation = &activations()[(seed % 16) as usize];
        let network = random(&[2, 3, 2], activation, seed, 2.0);
        let on = domain(seed / 16, 2);
        agree(&network, NORMS[(seed / 64 % 3) as usize], Some(&on), &format!("domain {seed}"));
    }
}

#[test]
fn residual_networks() {
    for seed in 0..480u64 {
        let network = residual(seed, &activations()[(seed % 16) as usize]);
        let on = (seed % 3 == 0).then(|| domain(seed / 48, 2));
        agree(&network, NORMS[(seed / 16 % 3) as usize], on.as_ref(), &format!("residual {seed}"));
    }
}

#[test]
fn convolutional_networks() {
    for seed in 0..480u64 {
        let network = image(seed, &activations()[(seed % 16) as usize]);
        let inputs = network.architecture().input.iter().product::<Size>() as usize;
        let on = (seed % 3 == 0).then(|| domain(seed / 48, inputs));
        agree(&network, NORMS[(seed / 16 % 3) as usize], on.as_ref(), &format!("image {seed}"));
    }
}

/// What is attained is more than nothing for every activation, so that the comparisons above can fail: within a factor of the bound.
#[test]
fn every_activation_is_attained() {
    for activation in activations() {
        let network = random(&[2, 4, 1], &activation, 5, 1.0);
        let on = cube(2, -1, 1, 1);
        let limits = Limits { tolerance: 0.05, nodes: 400, passes: 100_000 };
        let upper = branch_and_bound(&network, Norms::L2, Some(&on), limits, |_| true).unwrap().upper;
        let lower = attained(&network, Norms::L2, Some(&on), 20).unwrap();
        let ratio = (&lower.square / &upper.square).to_f64().unwrap().sqrt();
        assert!((0.9..=1.0).contains(&ratio), "{activation:?}: {ratio}");
    }
}

/// A norm of a small random operator by power iteration in f64 is met by the certificate, from above.
#[test]
fn operators_of_convolutions() {
    for seed in 0..60u64 {
        let network = image(seed, &Activation::Relu);
        let operator = operator::Operator::of(&network, 0).unwrap();
        let mut v: Vec<f64> = (0..operator.columns).map(|i| 1.0 + 0.3 * ((i * 7919) % 13) as f64).collect();
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
