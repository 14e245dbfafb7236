mod lipschitz_support;
use lipschitz_support::*;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use supremum::kernel::lipschitz::*;
use supremum::kernel::net::Activation;
use supremum::quantity::lipschitz::dual::Noise;
use supremum::quantity::lipschitz::*;

fn r(n: i64, d: i64) -> BigRational {
    BigRational::new(n.into(), d.into())
}

fn root(square: &BigRational) -> f64 {
    square.to_f64().unwrap().sqrt()
}

pub fn random(sizes: &[usize], activation: &Activation, seed: u64, gain: f64) -> supremum::kernel::net::Network {
    let mut noise = Noise::new(seed);
    let layers: Vec<_> = sizes
        .windows(2)
        .map(|s| {
            let scale = gain / (s[0] as f64).sqrt();
            let w = (0..s[0] * s[1]).map(|_| f64::from((noise.normal() * scale) as f32)).collect();
            let b = (0..s[1]).map(|_| f64::from((noise.normal() * 0.3) as f32)).collect();
            (w, b)
        })
        .collect();
    chain(sizes, activation, &layers)
}

#[test]
fn square() {
    for seed in 0..4 {
        for tolerance in [0.01, 1e-4] {
            let network = random(&[2, 16, 16, 1], &Activation::Relu, seed, 2.0);
            let domain = Domain::new(vec![(r(-1, 1), r(1, 1)); 2]).unwrap();
            let t = std::time::Instant::now();
            let found =
                branch_and_bound(&network, Norms::L2, Some(&domain), Limits { tolerance, ..Limits::default() }, |_| {
                    true
                })
                .unwrap();
            let t1 = t.elapsed().as_secs_f64();
            let square = check_upper(&network, Norms::L2, Some(&domain), &found.upper.witness).unwrap();
            assert_eq!(square, found.upper.square);
            let lower = found.lower.unwrap();
            let global = relaxation(&network, Norms::L2, None, Effort::default()).unwrap();
            println!(
                "seed {seed}: [{:.6}, {:.6}] global {:.6} nodes {} passes {} closed {} {:.3} s check {:.3}",
                root(&lower.square),
                root(&square),
                root(&global.square),
                found.nodes,
                found.passes,
                found.closed,
                t1,
                t.elapsed().as_secs_f64() - t1
            );
        }
    }
}

#[test]
fn acas() {
    let network = load("nnet_TestNetwork");
    for (n, d) in [(1, 1000), (1, 100), (5, 100)] {
        for norms in [Norms::L2, Norms::LINF] {
            let domain = Domain::around(&vec![r(0, 1); 5], &r(n, d)).unwrap();
            let t = std::time::Instant::now();
            let bound = relaxation(&network, norms, Some(&domain), Effort::default()).unwrap();
            let absolute = absolute_product(&network, norms, Some(&domain)).unwrap();
            let t1 = t.elapsed().as_secs_f64();
            let lower = attained(&network, norms, Some(&domain), 200).unwrap();
            println!(
                "{n}/{d} {norms:?}: [{:.7}, {:.7}] absolute {:.5} {t1:.3} s",
                root(&lower.square),
                root(&bound.square),
                root(&absolute.square)
            );
        }
    }
}
