//! Certified constants of published networks.
mod lipschitz_support;
use lipschitz_support::*;
use supremum::kernel::lipschitz::{Norm, System, slope};
use supremum::quantity::lipschitz::graph::{Slopes, to_f64};
use supremum::quantity::lipschitz::relaxation::{Effort, Relaxation};

#[test]
fn values() {
    let names = std::env::var("NETS").unwrap_or("lipsdp_random,hcas_pra0_tau00".to_string());
    for name in names.split(',') {
        let network = load(name);
        let t = std::time::Instant::now();
        let system = System::new(&network).unwrap();
        let slopes: Vec<_> = system.neurons.iter().map(|n| slope::global(&n.activation).unwrap()).collect();
        let t1 = t.elapsed();
        let floats = Slopes::new(&slopes);
        let relaxation = Relaxation::new(&system, 0..system.outputs.len(), Norm::L2, &floats);
        let t2 = t.elapsed();
        let solution = relaxation.solve(&slopes, Effort::default()).unwrap();
        let t3 = t.elapsed();
        supremum::kernel::lipschitz::sdp::certify(&system, &slopes, 0..system.outputs.len(), &solution.multipliers)
            .unwrap();
        let t4 = t.elapsed();
        println!(
            "{name}: {:.13e} dual {:.13e} rank {} passes {} system {:.4} graph {:.4} solve {:.4} check {:.4}",
            to_f64(&solution.upper, 0).sqrt(),
            solution.dual.sqrt() * 2f64.powi((solution.exponent / 2) as i32),
            solution.rank,
            solution.passes,
            t1.as_secs_f64(),
            (t2 - t1).as_secs_f64(),
            (t3 - t2).as_secs_f64(),
            (t4 - t3).as_secs_f64()
        );
    }
}

#[test]
fn exact() {
    use supremum::kernel::lipschitz::{Norms, tree};
    use supremum::quantity::lipschitz::branch::{Limits, Search};
    let names = std::env::var("EXACT").unwrap_or("rnd_tiny_2_8_8_2".to_string());
    for name in names.split(',') {
        let network = load(name);
        let t = std::time::Instant::now();
        let system = System::new(&network).unwrap();
        let slopes: Vec<_> = system.neurons.iter().map(|n| slope::global(&n.activation).unwrap()).collect();
        let search = Search::new(&system, Norms::L2, None, &slopes, Limits::default()).unwrap();
        let found = search.run(None, |_| true).unwrap();
        let t1 = t.elapsed().as_secs_f64();
        let proved = tree::check(&system, Norms::L2, None, &found.tree).unwrap();
        assert_eq!(proved, found.upper);
        println!(
            "{name}: pattern {:.9e} upper {:.9e} nodes {} passes {} closed {} {:.3} s check {:.3} s",
            found.lower,
            to_f64(&found.upper, 0).sqrt(),
            found.nodes,
            found.passes,
            found.closed,
            t1,
            t.elapsed().as_secs_f64() - t1
        );
    }
}
