//! Certificates of Lipschitz constants on networks small enough to work out by hand. What is just true is accepted, what is just false is
//! refused: slack in a certificate would hide a wrong rule.

#[path = "lipschitz_support/chain.rs"]
mod support;

use num_bigint::BigInt;
use num_rational::BigRational;
use support::{chain, tensor};
use supremum::kernel::lipschitz::bounds::{Domain, is_infeasible};
use supremum::kernel::lipschitz::operator::Operator;
use supremum::kernel::lipschitz::sdp::certify;
use supremum::kernel::lipschitz::system::{Affine, Neuron};
use supremum::kernel::lipschitz::{
    Dyadic, LipError, LowerWitness, Multipliers, Norm, Norms, Region, Sign, Slope, System, check_lower, jacobian,
    possible, product, robust,
};
use supremum::kernel::net::{Activation, Architecture, Network, Node, Op, Parameters, Source, Tensor, Weight};

fn integer(n: i64) -> Dyadic {
    Dyadic::integer(n)
}

/// `1 + n 2^-20`, a little off one.
fn near_one(n: i64) -> Dyadic {
    &Dyadic::ONE + &integer(n).scaled(-20)
}

/// 2 -> 3 -> 1 with `|W_2| |W_1| = (14, 18)`.
fn small_network() -> Network {
    let layers = [(vec![1.0, 2.0, 3.0, -4.0, -5.0, 6.0], vec![0.0; 3]), (vec![1.0, -1.0, 2.0], vec![0.0])];
    chain(&[2, 3, 1], &Activation::Relu, &layers)
}

fn small() -> System {
    System::new(&small_network()).expect("a system")
}

#[test]
fn products_of_magnitudes() {
    let bound = |slopes: [i64; 3], norm| product::absolute(&small(), &slopes.map(integer), norm).expect("a bound");
    // linf: the row sum; l1: the largest column; l2: at most the root of their product.
    assert_eq!(bound([1, 1, 1], Norm::Linf), integer(32 * 32));
    assert_eq!(bound([1, 1, 1], Norm::L1), integer(18 * 18));
    assert_eq!(bound([1, 1, 1], Norm::L2), integer(32 * 18));
    // (1, 2) + 2 * 2 * (5, 6)
    assert_eq!(bound([1, 0, 2], Norm::Linf), integer(47 * 47));
    assert_eq!(bound([1, 0, 2], Norm::L1), integer(26 * 26));
}

#[test]
fn relaxed_jacobians() {
    let bound = |system: &System, low: i64, norms| {
        let slope = Slope { lower: integer(low), upper: Dyadic::ONE };
        jacobian::bound(system, &vec![slope; system.neurons.len()], norms).expect("a bound")
    };
    // Slopes that are known to be one leave the linear map (1, 2) - (3, -4) + 2 (-5, 6) = (-12, 18).
    assert_eq!(bound(&small(), 1, Norms::LINF), integer(30 * 30));
    assert_eq!(bound(&small(), 1, Norms::L1), integer(18 * 18));
    // Slopes in [0, 1]: half of it, and half of the rows' norms times the last weights: linf 3, 7, 11; l1 2, 4, 6.
    let linf = 6 + 9 + (3 + 7 + 22) / 2;
    assert_eq!(bound(&small(), 0, Norms::LINF), integer(linf * linf));
    assert_eq!(bound(&small(), 0, Norms::L1), integer((9 + 9) * (9 + 9)));
    // Paths that cancel: relu(x) - relu(x).
    let layers = [(vec![1.0, 1.0], vec![0.0; 2]), (vec![1.0, -1.0], vec![0.0])];
    let twice = System::new(&chain(&[1, 2, 1], &Activation::Relu, &layers)).expect("a system");
    assert_eq!(bound(&twice, 1, Norms::LINF), Dyadic::ZERO);
    assert_eq!(bound(&twice, 0, Norms::LINF), Dyadic::ONE);
    // Two outputs 2 x and 3 x: the sum of both from linf to l1, the larger one to linf.
    let layers = [(vec![1.0], vec![0.0]), (vec![2.0, 3.0], vec![0.0; 2])];
    let fork = System::new(&chain(&[1, 1, 2], &Activation::Relu, &layers)).expect("a system");
    assert_eq!(bound(&fork, 1, Norms { input: Norm::Linf, output: Norm::L1 }), integer(5 * 5));
    assert_eq!(bound(&fork, 1, Norms::LINF), integer(3 * 3));
    // A coefficient of more bits than are kept is rounded, and never below the truth.
    let w = 1.0 + f64::EPSILON;
    let layers = [(vec![w], vec![0.0]), (vec![w], vec![0.0]), (vec![w], vec![0.0])];
    let long = System::new(&chain(&[1, 1, 1, 1], &Activation::Relu, &layers)).expect("a system");
    let exact = &Dyadic::ONE + &Dyadic::ONE.scaled(-52);
    let cube = &(&exact * &exact) * &exact;
    let found = bound(&long, 1, Norms::LINF);
    assert!(found >= &cube * &cube && found < near_one(1), "{found:?}");
}

#[test]
fn semidefinite_forms_are_sharp() {
    // y = 3 relu(2 x): the square of the constant is 36, by the multiplier 9.
    let layers = [(vec![2.0], vec![1.0]), (vec![3.0], vec![0.0])];
    let system = System::new(&chain(&[1, 1, 1], &Activation::Relu, &layers)).expect("a system");
    let slopes = [Slope { lower: Dyadic::ZERO, upper: Dyadic::ONE }];
    let form = |input: Dyadic, neuron: Dyadic| {
        certify(&system, &slopes, 0..1, &Multipliers { input: vec![input], neurons: vec![neuron] })
    };
    assert_eq!(form(&integer(36) * &near_one(1), integer(9)), Ok(()));
    for neuron in [integer(9), integer(10), integer(8), &integer(9) * &near_one(1), Dyadic::ONE] {
        assert_eq!(form(&integer(36) * &near_one(-1), neuron), Err(LipError::NotProved));
    }
    // Slopes in [1/2, 1] do not change that; slopes that are known to be 1/2 leave y = 3 x.
    let half = Dyadic::ONE.scaled(-1);
    let form = |lower: &Dyadic, upper: &Dyadic, input: Dyadic| {
        let slopes = [Slope { lower: lower.clone(), upper: upper.clone() }];
        certify(&system, &slopes, 0..1, &Multipliers { input: vec![input], neurons: vec![integer(18)] })
    };
    assert_eq!(form(&half, &Dyadic::ONE, &integer(36) * &near_one(1)), Ok(()));
    assert_eq!(form(&half, &Dyadic::ONE, &integer(36) * &near_one(-1)), Err(LipError::NotProved));
    assert_eq!(form(&half, &half, &integer(9) * &near_one(1)), Ok(()));
    assert_eq!(form(&half, &half, &integer(9) * &near_one(-1)), Err(LipError::NotProved));
}

fn image(shape: Vec<u128>, op: Op, weight: Option<Tensor>) -> System {
    let architecture = Architecture { input: shape, nodes: vec![Node { op, inputs: vec![Source::Input] }] };
    let parameters = vec![weight.map(|weight| Parameters { weight, bias: None })];
    System::new(&Network::new(architecture, parameters, 64).expect("a network")).expect("a system")
}

fn affine(row: &[(usize, i64)], divisor: u64) -> Affine {
    Affine { row: row.iter().map(|(i, n)| (*i, integer(*n))).collect(), constant: Dyadic::ZERO, divisor }
}

#[test]
fn convolutions_and_means_are_unrolled() {
    let conv = |pad| Op::Conv { channels: 1, kernel: (1, 2), stride: (1, 1), pad: (0, pad), groups: 1, bias: false };
    let weight = || Some(tensor(vec![1, 1, 1, 2], &[2.0, 5.0]));
    let rows = [affine(&[(0, 2), (1, 5)], 1), affine(&[(1, 2), (2, 5)], 1)];
    assert_eq!(image(vec![1, 1, 3], conv(0), weight()).outputs, rows);
    let [a, b] = rows;
    assert_eq!(image(vec![1, 1, 3], conv(1), weight()).outputs, [affine(&[(0, 5)], 1), a, b, affine(&[(2, 2)], 1)]);
    let mean = image(vec![1, 2, 2], Op::AvgPool { window: (1, 2), stride: (1, 1) }, None);
    assert_eq!(mean.outputs, [affine(&[(0, 1), (1, 1)], 2), affine(&[(2, 1), (3, 1)], 2)]);
    // The mean of two numbers changes by at most 1/sqrt 2 of the change.
    let form = |input: Dyadic| certify(&mean, &[], 0..1, &Multipliers { input: vec![input], neurons: Vec::new() });
    assert_eq!(form(near_one(1).scaled(-1)), Ok(()));
    assert_eq!(form(near_one(-1).scaled(-1)), Err(LipError::NotProved));
    // max(a, b) = b + relu(a - b)
    let most = image(vec![1, 1, 2], Op::MaxPool { window: (1, 2), stride: (1, 2), pad: (0, 0) }, None);
    assert_eq!((most.neurons.len(), most.outputs.len()), (1, 1));
    assert_eq!(possible(&most, None).expect("slopes"), [Slope { lower: Dyadic::ZERO, upper: Dyadic::ONE }]);
}

/// A certificate per output or one for all; of a single output every norm is the absolute value.
#[test]
fn one_output_has_one_certificate() {
    for norms in [Norms::L1, Norms::L2, Norms::LINF] {
        assert_eq!(norms.output_is_l2(1), Ok(true));
    }
    assert_eq!(Norms::L2.output_is_l2(2), Ok(true));
    assert_eq!(Norms::LINF.output_is_l2(2), Ok(false));
    assert!(Norms::L1.output_is_l2(2).is_err());
}

/// Entries finer than the grid are rounded; the error is charged, on the right side.
#[test]
fn norms_of_rounded_matrices() {
    let accepts = |weights: &[(i64, i16)], square: &BigRational| {
        let data: Vec<Weight> = weights.iter().map(|&(mantissa, exponent)| Weight { mantissa, exponent }).collect();
        let matrix = Tensor::new(vec![1, data.len()], data).expect("a tensor");
        let operator = Operator::matrix(&matrix).expect("a matrix");
        operator.is_spectral_at_most(&Dyadic::below(square, 200))
    };
    let power = |k: u32| BigRational::new(1.into(), BigInt::from(2).pow(k));
    let one = || BigRational::from_integer(1.into());
    // (1 - 2^-62)^2 lies between (1 - 2^-60)^2 and 1.
    let w = [((1 << 62) - 1, -62)];
    assert!(accepts(&w, &(one() + power(40))));
    assert!(!accepts(&w, &((one() - power(60)) * (one() - power(60)))));
    assert!(!accepts(&w, &(one() - power(40))));
    // (1 + 2^-61)^2 + (1 + 2^-61)^2
    let w = [((1 << 61) + 1, -61), ((1 << 61) + 1, -61)];
    let two = || one() + one();
    assert!(accepts(&w, &(two() + power(40))));
    assert!(!accepts(&w, &(two() + power(61))));
    assert!(!accepts(&w, &two()));
}

/// `x >= c` and `x <= -c` exclude each other if `c > 0`, and only then.
#[test]
fn signs_that_contradict_each_other() {
    let system = |c: i64| {
        let argument = |sign: i64| Affine { row: vec![(0, integer(sign))], constant: integer(-c), divisor: 1 };
        let neuron = |sign| Neuron { argument: argument(sign), activation: Activation::Relu };
        let output = Affine { row: vec![(1, Dyadic::ONE)], constant: Dyadic::ZERO, divisor: 1 };
        System {
            inputs: 1,
            neurons: vec![neuron(1), neuron(-1)],
            groups: std::iter::once(0..2).collect(),
            outputs: vec![output],
        }
    };
    let region = Region::cube(1, 4);
    let both = [Some(Sign::Positive), Some(Sign::Positive)];
    let is_empty = |c, weights: &[(usize, Dyadic)]| is_infeasible(&system(c), &region, &both, weights);
    let equal = [(0, Dyadic::ONE), (1, Dyadic::ONE)];
    assert_eq!(is_empty(1, &equal), Ok(true));
    assert_eq!(is_empty(0, &equal), Ok(false));
    assert_eq!(is_empty(-1, &equal), Ok(false));
    // Weights that leave x in the sum show nothing, and a negative weight is none.
    assert_eq!(is_empty(1, &[(0, Dyadic::ONE)]), Ok(false));
    assert_eq!(is_empty(1, &[(0, Dyadic::ONE), (1, integer(2))]), Ok(false));
    assert!(is_empty(1, &[(0, Dyadic::ONE), (1, integer(-1))]).is_err());
    assert!(is_empty(1, &[(2, Dyadic::ONE)]).is_err());
}

#[test]
fn margins_are_differences_of_outputs() {
    // One output stands for itself.
    assert_eq!(robust::margins(&small()).expect("margins").outputs.len(), 1);
    let layers = [(vec![1.0], vec![0.0]), (vec![2.0, 3.0, 7.0], vec![0.0; 3])];
    let system = System::new(&chain(&[1, 1, 3], &Activation::Relu, &layers)).expect("a system");
    let margins = robust::margins(&system).expect("margins");
    assert_eq!(margins.outputs.len(), 3);
    // 2 - 3, 2 - 7, 3 - 7: the largest constant of a margin is 5.
    let slope = Slope { lower: Dyadic::ONE, upper: Dyadic::ONE };
    assert_eq!(jacobian::bound(&margins, &[slope], Norms::LINF).expect("a bound"), integer(25));
}

/// A point or a step that is not of the domain shows nothing about it.
#[test]
fn exhibited_points_lie_in_the_domain() {
    let network = small_network();
    let whole = |n: i64| BigRational::from_integer(n.into());
    let square = Domain::new(vec![(whole(-1), whole(1)), (whole(-1), whole(1))]).expect("a domain");
    let line = Domain::new(vec![(whole(-1), whole(1))]).expect("a domain");
    let point = |x: i64, y: i64| vec![integer(x), integer(y)];
    let pair = |from: Vec<Dyadic>, to: Vec<Dyadic>, domain: &Domain| {
        check_lower(&network, Norms::L2, Some(domain), &LowerWitness::Pair { from, to })
    };
    // f(1, 1) - f(0, 0): relu(3) - relu(-1) + 2 relu(1) = 5 over a step of length sqrt 2.
    assert_eq!(pair(point(0, 0), point(1, 1), &square).expect("a slope"), BigRational::new(25.into(), 2.into()));
    for (from, to) in [(point(0, 0), point(2, 1)), (point(0, -2), point(1, 1))] {
        assert!(matches!(pair(from, to, &square), Err(LipError::Outside { .. })));
    }
    assert!(pair(point(0, 0), point(1, 1), &line).is_err());
    assert!(pair(point(0, 0), vec![integer(1)], &square).is_err());
    assert!(pair(point(1, 1), point(1, 1), &square).is_err());
    let along = |x: Vec<Dyadic>, direction: Vec<Dyadic>| {
        let witness = LowerWitness::Direction { point: x, direction };
        check_lower(&network, Norms::L2, Some(&square), &witness)
    };
    // Between the corner's sides every way leads out, or both ways do.
    assert!(along(point(1, 1), point(1, 1)).is_ok());
    assert!(matches!(along(point(1, 1), point(1, -1)), Err(LipError::Outside { .. })));
    assert!(matches!(along(point(2, 1), point(-1, -1)), Err(LipError::Outside { .. })));
    assert!(along(point(1, 1), vec![integer(1)]).is_err());
    assert!(along(point(1, 1), point(0, 0)).is_err());
}
