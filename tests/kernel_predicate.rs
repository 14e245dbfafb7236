//! Properties that theorems require, against what they say of the functions and of hostile objects. Activations are evaluated by an
//! independent floating-point program; a property that the kernel affirms must hold at every point of a grid.

use num_rational::BigRational;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use supremum::kernel::derive::{Step, Theorems, Workspace, structures};
use supremum::kernel::eval::Evaluation;
use supremum::kernel::net::{Activation, Architecture, Network, Node, Op, Parameters, Source, Tensor, Weight};
use supremum::kernel::object::{
    Assumption, AssumptionKind, Constraint, Dependence, Domain, Entry, Examples, NetObject, Object, Objects, Origin,
    Part, Sample,
};
use supremum::kernel::predicate::{self, Holding};
use supremum::kernel::real::Truth;
use supremum::kernel::term::{Formula, Term};
use supremum::theory::Library;

fn q(n: i64, d: i64) -> BigRational {
    BigRational::new(n.into(), d.into())
}

/// An activation, and the function it stands for.
type Case = (Activation, Box<dyn Fn(f64) -> f64>);

fn activations() -> Vec<Case> {
    let gauss = |t: f64| (-t * t / 2.0).exp();
    // The normal distribution function by Simpson's rule from 0.
    let phi = move |t: f64| {
        let steps = 200;
        let h = t / f64::from(steps);
        let sum: f64 = (0..=steps)
            .map(|i| {
                let weight = if i == 0 || i == steps {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                weight * gauss(f64::from(i) * h)
            })
            .sum();
        0.5 + sum * h / 3.0 / (2.0 * std::f64::consts::PI).sqrt()
    };
    let tanh_gelu =
        |t: f64| 0.5 * t * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (t + 0.044715 * t * t * t)).tanh());
    let mut all: Vec<Case> = vec![
        (Activation::Relu, Box::new(|t| t.max(0.0))),
        (Activation::Relu6, Box::new(|t| t.clamp(0.0, 6.0))),
        (Activation::HardTanh, Box::new(|t| t.clamp(-1.0, 1.0))),
        (Activation::Heaviside, Box::new(|t| if t > 0.0 { 1.0 } else { 0.0 })),
        (Activation::Sigmoid, Box::new(|t| 1.0 / (1.0 + (-t).exp()))),
        (Activation::Tanh, Box::new(f64::tanh)),
        (Activation::Arctan, Box::new(f64::atan)),
        (Activation::Softplus, Box::new(|t| (1.0 + t.exp()).ln())),
        (Activation::Softsign, Box::new(|t| t / (1.0 + t.abs()))),
        (Activation::Silu, Box::new(|t| t / (1.0 + (-t).exp()))),
        (Activation::Gelu, Box::new(move |t| t * phi(t))),
        (Activation::GeluTanh, Box::new(tanh_gelu)),
        (Activation::Gaussian, Box::new(gauss)),
    ];
    for (n, d) in [(0, 1), (1, 100), (1, 1), (-1, 2), (2, 1), (-3, 1)] {
        let a = n as f64 / d as f64;
        all.push((Activation::LeakyRelu(q(n, d)), Box::new(move |t| if t >= 0.0 { t } else { a * t })));
        all.push((Activation::Elu(q(n, d)), Box::new(move |t| if t >= 0.0 { t } else { a * (t.exp() - 1.0) })));
    }
    all
}

fn entry(
    architecture: Architecture,
    network: Option<Network>,
    constraints: Vec<Constraint>,
    dependence: Dependence,
) -> Entry {
    Entry { object: Object::Net(NetObject { architecture, network: network.map(Arc::new), constraints }), dependence }
}

fn nothing() -> Dependence {
    Dependence::Known(BTreeSet::new())
}

fn chain(sizes: &[u128], activation: &Activation) -> Architecture {
    Architecture::dense_chain(sizes, activation).expect("a chain")
}

/// The truth of a property of objects.
fn decide(objects: &Objects, property: &str, arguments: &[&str]) -> Truth {
    let theorems = Theorems::new();
    let structures = structures(objects).expect("well formed");
    let workspace = Workspace::new(objects, &theorems, &structures);
    let arguments = arguments.iter().map(|name| Term::name(name)).collect();
    workspace.decide(&Formula::Holds(property.to_string(), arguments)).expect("a decision").0
}

fn single(architecture: Architecture) -> Objects {
    let mut objects = Objects::default();
    objects.entries.insert("N".to_string(), entry(architecture, None, Vec::new(), nothing()));
    objects
}

#[test]
fn properties_of_activations_are_what_they_say() {
    let grid: Vec<f64> = (-400..=400).map(|i| f64::from(i) / 32.0).collect();
    let pairs = || grid.windows(2).map(|pair| (pair[0], pair[1]));
    let tiny = 1e-9;
    for (activation, s) in activations() {
        let objects = single(chain(&[2, 3, 1], &activation));
        let holds = |property: &str| decide(&objects, property, &["N"]) == Truth::True;
        let name = format!("{activation:?}");
        let contractive = grid.iter().all(|&t| s(t).abs() <= t.abs() + tiny);
        let nonexpansive = pairs().all(|(a, b)| (s(a) - s(b)).abs() <= (b - a).abs() + tiny);
        let homogeneous = grid
            .iter()
            .all(|&t| [0.5, 2.0, 3.0].iter().all(|&c| (s(c * t) - c * s(t)).abs() <= tiny * (1.0 + t.abs())));
        let identity = grid.iter().filter(|t| **t >= 0.0).all(|&t| (s(t) - t).abs() <= tiny);
        for (property, truth) in [
            ("contractive", contractive),
            ("nonexpansive", nonexpansive),
            ("homogeneous", homogeneous),
            ("identity_on_positives", identity),
        ] {
            // Affirmed only where it holds, and denied only where the grid has a counterexample: the slope of ELU with parameter 0
            // below is 0, so that it is homogeneous without being known for it.
            assert!(!holds(property) || truth, "{name} is not {property}");
            let is_known_gap = matches!(&activation, Activation::Elu(a) if *a == q(0, 1)) && property == "homogeneous";
            assert!(holds(property) || !truth || is_known_gap, "{name} is {property}");
        }
        // Second differences of a piecewise linear function vanish but next to at most two breakpoints.
        let bends = grid.windows(3).filter(|t| (s(t[0]) - 2.0 * s(t[1]) + s(t[2])).abs() > tiny).count();
        let jumps = pairs().filter(|&(a, b)| (s(a) - s(b)).abs() > 0.5).count();
        assert_eq!(
            holds("piecewise_linear") || matches!(&activation, Activation::Elu(a) if *a == q(0, 1)),
            bends <= 2 && jumps == 0,
            "{name}"
        );
        assert!(!holds("piecewise_polynomial") || bends <= 2, "{name}");
        assert_eq!(holds("threshold_units"), activation == Activation::Heaviside, "{name}");
        assert_eq!(holds("relu_units"), activation == Activation::Relu, "{name}");
    }
}

#[test]
fn a_chain_is_dense_maps_with_one_activation_between() {
    let dense = |units: u128, from: Source| Node { op: Op::Dense { units, bias: true }, inputs: vec![from] };
    let relu = |from: usize| Node { op: Op::Activation(Activation::Relu), inputs: vec![Source::Node(from)] };
    let net = |nodes: Vec<Node>| Architecture { input: vec![2], nodes };
    let add = |a: Source, b: Source| Node { op: Op::Add, inputs: vec![a, b] };
    for (architecture, expected) in [
        (chain(&[2, 3, 1], &Activation::Relu), true),
        (net(vec![dense(2, Source::Input), dense(1, Source::Node(0))]), true),
        // An activation at the end, two in a row, one at the beginning.
        (net(vec![dense(1, Source::Input), relu(0)]), false),
        (net(vec![dense(2, Source::Input), relu(0), relu(1), dense(1, Source::Node(2))]), false),
        (
            net(vec![
                Node { op: Op::Activation(Activation::Relu), inputs: vec![Source::Input] },
                dense(1, Source::Node(0)),
            ]),
            false,
        ),
        // A residual connection, a fixed map.
        (net(vec![dense(2, Source::Input), add(Source::Input, Source::Node(0)), dense(1, Source::Node(1))]), false),
        (net(vec![Node { op: Op::FixedAffine, inputs: vec![Source::Input] }, dense(1, Source::Node(0))]), false),
        // The second map reads the input, not the first.
        (net(vec![dense(2, Source::Input), dense(1, Source::Input)]), false),
    ] {
        let found = decide(&single(architecture.clone()), "chain", &["N"]);
        assert_eq!(found == Truth::True, expected, "{architecture:?}");
    }
    // No property of hidden activations holds where the hidden activations are not known.
    let residual = net(vec![dense(2, Source::Input), add(Source::Input, Source::Node(0)), dense(1, Source::Node(1))]);
    for property in ["piecewise_polynomial", "homogeneous", "contractive", "biased", "no_bias"] {
        assert_ne!(decide(&single(residual.clone()), property, &["N"]), Truth::True, "{property}");
    }
}

/// The network x -> scale x on the line, whose scale is no parameter: another scale is another network of the same architecture.
fn scaled(scale: i64) -> (Architecture, Network) {
    let nodes = vec![Node { op: Op::FixedAffine, inputs: vec![Source::Input] }];
    let architecture = Architecture { input: vec![1], nodes };
    let tensor = |n: i64| Tensor::new(vec![1], vec![Weight { mantissa: n, exponent: 0 }]).expect("a tensor");
    let parameters = Parameters { weight: tensor(scale), bias: Some(tensor(0)) };
    let network = Network::new(architecture.clone(), vec![Some(parameters)], 32).expect("a network");
    (architecture, network)
}

/// A class that does not say its constants has no member: a bound for its parameters would hold for any constants read off the sample.
#[test]
fn constants_that_are_no_parameters_make_no_member() {
    for scale in [1, 7] {
        let (architecture, network) = scaled(scale);
        let mut objects = Objects::default();
        let mut insert = |name: &str, entry: Entry| objects.entries.insert(name.to_string(), entry);
        insert("S", entry(architecture.clone(), None, Vec::new(), nothing()));
        insert("s", entry(architecture, Some(network), Vec::new(), nothing()));
        assert_eq!(decide(&objects, "member", &["s", "S"]), Truth::False, "scale {scale}");
    }
}

/// The network x -> w x + b on the line.
fn line(w: i64, b: Option<i64>) -> (Architecture, Network) {
    let architecture = Architecture {
        input: vec![1],
        nodes: vec![Node { op: Op::Dense { units: 1, bias: b.is_some() }, inputs: vec![Source::Input] }],
    };
    let tensor =
        |shape: Vec<usize>, n: i64| Tensor::new(shape, vec![Weight { mantissa: n, exponent: 0 }]).expect("a tensor");
    let parameters = Parameters { weight: tensor(vec![1, 1], w), bias: b.map(|b| tensor(vec![1], b)) };
    let network = Network::new(architecture.clone(), vec![Some(parameters)], 32).expect("a network");
    (architecture, network)
}

fn bound(part: Part, layer: usize, norm: &str, bound: i64) -> Constraint {
    Constraint { part, layer, norm: norm.to_string(), bound: Term::int(bound) }
}

#[test]
fn classes_are_told_from_architectures_and_networks() {
    let (biased, network) = line(3, Some(1));
    let (unbiased, other) = line(2, None);
    let mut objects = Objects::default();
    let mut insert = |name: &str, entry: Entry| objects.entries.insert(name.to_string(), entry);
    insert("A", entry(biased.clone(), None, Vec::new(), nothing()));
    insert("f", entry(biased.clone(), Some(network), Vec::new(), nothing()));
    insert("U", entry(unbiased.clone(), None, Vec::new(), nothing()));
    insert("g", entry(unbiased, Some(other), Vec::new(), nothing()));
    let wide = vec![bound(Part::Weight, 1, "linf", 3)];
    insert("wide", entry(biased.clone(), None, wide, nothing()));
    insert("narrow", entry(biased.clone(), None, vec![bound(Part::Weight, 1, "linf", 2)], nothing()));
    insert("still", entry(biased.clone(), None, vec![bound(Part::Bias, 1, "linf", 0)], nothing()));
    let twice = vec![bound(Part::Weight, 1, "linf", 3), bound(Part::Weight, 1, "max", 1)];
    insert("twice", entry(biased.clone(), None, twice, nothing()));
    insert(
        "empty",
        entry(biased, None, vec![bound(Part::Weight, 1, "linf", 3), bound(Part::Bias, 1, "linf", -1)], nothing()),
    );
    for (property, arguments, expected) in [
        ("unconstrained", vec!["A"], Truth::True),
        ("unconstrained", vec!["wide"], Truth::False),
        ("unconstrained", vec!["f"], Truth::False),
        ("biased", vec!["A"], Truth::True),
        ("biased", vec!["U"], Truth::False),
        ("no_bias", vec!["U"], Truth::True),
        ("no_bias", vec!["A"], Truth::False),
        ("member", vec!["f", "A"], Truth::True),
        ("member", vec!["f", "wide"], Truth::True),
        // |3| > 2; its bias is 1; another architecture; a class in a class; a network as a class.
        ("member", vec!["f", "narrow"], Truth::False),
        ("member", vec!["f", "still"], Truth::False),
        ("member", vec!["g", "A"], Truth::False),
        ("member", vec!["wide", "A"], Truth::False),
        ("member", vec!["f", "f"], Truth::False),
        ("norm_class", vec!["wide", "linf"], Truth::True),
        ("norm_class", vec!["wide", "fro"], Truth::False),
        ("norm_class", vec!["A", "linf"], Truth::False),
        ("norm_class", vec!["twice", "linf"], Truth::False),
        ("norm_class", vec!["f", "linf"], Truth::False),
        // A bound below 0: no network is in the class, so nothing is attained in it.
        ("norm_class", vec!["empty", "linf"], Truth::False),
        ("concrete", vec!["f"], Truth::True),
        ("concrete", vec!["wide"], Truth::False),
    ] {
        assert_eq!(decide(&objects, property, &arguments), expected, "{property}{arguments:?}");
    }
}

#[test]
fn a_derivation_cannot_bring_its_own_width() {
    let (architecture, network) = line(3, Some(1));
    let mut objects = Objects::default();
    let atoms = BTreeSet::from(["S".to_string()]);
    let zero = Weight { mantissa: 0, exponent: 0 };
    let examples = Examples { dimension: 1, values: vec![zero; 100], scale: q(1, 1), labels: vec![0; 100] };
    let sample = Sample {
        size: 100,
        atoms: atoms.clone(),
        origin: Origin::Generated("test".to_string()),
        classes: 2,
        examples: Some(Arc::new(examples)),
    };
    let mut insert = |name: &str, entry: Entry| objects.entries.insert(name.to_string(), entry);
    insert("S", Entry { object: Object::Sample(sample), dependence: Dependence::Known(atoms.clone()) });
    insert("F", entry(architecture.clone(), None, Vec::new(), nothing()));
    insert("f", entry(architecture, Some(network), Vec::new(), Dependence::Known(atoms)));
    let library = Library::embedded().0;
    let theorems = library.theorems();
    let structures = structures(&objects).expect("well formed");
    let width = |n: i64| Term::int(n);
    let read_off = Term::quantity("weight_bits", vec![Term::name("f")]);
    let bindings = |bits: Term| -> Vec<(String, Term)> {
        let term = |name: &str| Term::name(name);
        let delta = Term::Number(q(1, 20));
        [
            ("f", term("f")),
            ("F", term("F")),
            ("S", term("S")),
            ("loss", term("zero_one")),
            ("bits", bits),
            ("m", width(100)),
            ("delta", delta),
        ]
        .map(|(name, term)| (name.to_string(), term))
        .to_vec()
    };
    for (stated, used, title) in [
        (None, width(32), "no claim states `bits`"),
        (Some(("width", width(32))), width(32), "no claim states `bits`"),
        (Some(("bits", width(64))), width(32), "the claim states bits = 64, and 32 was used"),
        (Some(("bits", read_off.clone())), width(32), "`f` depends on `S`"),
        (Some(("bits", width(32))), width(32), ""),
    ] {
        let stated: BTreeMap<String, Term> = stated.into_iter().map(|(name, term)| (name.to_string(), term)).collect();
        let mut workspace = Workspace::new(&objects, &theorems, &structures).stating(stated);
        let step = Step::Theorem { name: "finite_class.hoeffding".to_string(), bindings: bindings(used) };
        match workspace.apply(&step) {
            Err(error) => {
                let error = error.to_string();
                assert!(!title.is_empty() && error.contains(title), "expected `{title}`, found `{error}`");
            }
            // What the claim states is used, and said to be an assumption.
            Ok(fact) => {
                assert_eq!(title, "");
                let assumptions = &workspace.facts()[fact].assumptions;
                assert!(
                    assumptions.contains("bits = 32 was chosen before `S` was seen, as the spec states"),
                    "{assumptions:?}"
                );
            }
        }
    }
}

/// An assumption on the law of a data set serves its parts and the domain that it names, and nothing else.
#[test]
fn a_declared_domain_serves_the_parts_of_its_sample() {
    let atoms = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<BTreeSet<String>>();
    let sample = |names: &[&str]| {
        let sample = Sample { size: 5, atoms: atoms(names), origin: Origin::File, classes: 2, examples: None };
        Entry { object: Object::Sample(sample), dependence: Dependence::Known(atoms(names)) }
    };
    let cube = |r: i64| {
        let object = Object::Domain(Domain::Box(vec![(2, q(-r, 1), q(r, 1))]));
        Entry { object, dependence: Dependence::Known(BTreeSet::new()) }
    };
    let declared = |on: &str, within: &str| {
        let mut objects = Objects::default();
        for (name, entry) in [
            ("D", sample(&["D.train", "D.test"])),
            ("S", sample(&["D.train"])),
            ("E", sample(&["E"])),
            ("X", cube(1)),
            ("Y", cube(2)),
        ] {
            objects.entries.insert(name.to_string(), entry);
        }
        let kind = AssumptionKind::Supported { sample: on.to_string(), domain: within.to_string() };
        objects.assumptions.push(Assumption { name: "box".to_string(), kind });
        objects
    };
    for (on, within, sample, domain, holds) in [
        ("D", "X", "D", "X", true),
        ("D", "X", "S", "X", true),
        ("S", "X", "S", "X", true),
        // A larger domain would follow, but is not the one that is named.
        ("D", "X", "S", "Y", false),
        ("S", "X", "D", "X", false),
        ("E", "X", "S", "X", false),
    ] {
        let objects = declared(on, within);
        let (theorems, structures) = (Theorems::new(), structures(&objects).expect("structures"));
        let workspace = Workspace::new(&objects, &theorems, &structures);
        let given = [Term::name(sample), Term::name(domain)];
        let found = predicate::decide(&Evaluation::new(&workspace, 64), "supported", &given);
        let is_declared = matches!(found, Ok(Holding::Assumed(_)));
        let is_open = matches!(found, Ok(Holding::Undischarged(_)));
        assert_eq!((is_declared, is_open), (holds, !holds), "{on} in {within}: {sample} in {domain}");
    }
}
