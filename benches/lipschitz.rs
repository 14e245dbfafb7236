//! Values and times of the Lipschitz engine on the shipped networks: `RAYON_NUM_THREADS=1 cargo bench --bench lipschitz`.
//!
//! One line per network and method: the certified constant, the processor time of the search with the certificate that it ends with,
//! and that of the kernel's check of the certificate. `NETS=nv_cartpole,mnist_mlp` and `METHODS=lipsdp,exact` choose lines.
#[path = "../tests/lipschitz_support/mod.rs"]
mod lipschitz_support;

use lipschitz_support::{cube, import, load};
use num_traits::ToPrimitive;
use std::time::Instant;
use supremum::kernel::lipschitz::{Domain, LipError, Norms, check_lower, check_upper};
use supremum::kernel::net::Network;
use supremum::quantity::lipschitz::{
    Bound, Effort, Limits, attained, branch_and_bound, combettes_pesquet, layerwise, product, relaxation,
};

/// Networks, and whether their bounds over all activation patterns are searched.
const NETS: [(&str, bool); 30] = [
    ("lipsdp_random", false),
    ("lipsdp_mnist", false),
    ("nnet_TestNetwork", true),
    ("hcas_pra0_tau00", true),
    ("hcas_pra1_tau10", true),
    ("hcas_pra4_tau60", true),
    ("nv_cartpole", true),
    ("nv_acasxu_1_1_tiny4", true),
    ("nv_mnist1", true),
    ("nv_mnist_1_100", true),
    ("nv_mnist_1000", true),
    ("eclipse_lyr2n80", false),
    ("ecl_lyr5n20", true),
    ("ecl_lyr5n60", false),
    ("ecl_lyr10n20", false),
    ("ecl_lyr20n20", false),
    ("ecl_lyr50n20", false),
    ("rnd_784_16x50_10", false),
    ("rnd_tiny_2_8_8_2", true),
    ("rnd_tiny_2_5_5_5_1", true),
    ("rnd_784_64x2_10", false),
    ("digits_mlp", false),
    ("mnist_mlp", false),
    ("mnist_mlp_tanh", false),
    ("sweep_mlp_w16_true", false),
    ("sweep_mlp_w64_true", false),
    ("square_relu", false),
    ("digits_cnn", false),
    ("digits_resnet", false),
    ("mnist_lenet", false),
];

/// Processor time of the process in seconds, over all threads that live; elsewhere than on Linux the time since `start`.
fn processor(start: Instant) -> f64 {
    let nanoseconds = |entry: std::fs::DirEntry| {
        let text = std::fs::read_to_string(entry.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    };
    match std::fs::read_dir("/proc/self/task") {
        Ok(tasks) => tasks.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9,
        Err(_) => start.elapsed().as_secs_f64(),
    }
}

/// The last result and the mean time. The system counts in steps of milliseconds, so that what is quick is repeated.
fn timed<T>(run: impl Fn() -> T) -> (T, f64) {
    let start = Instant::now();
    let before = processor(start);
    let mut runs = 0;
    loop {
        let result = run();
        runs += 1;
        let spent = processor(start) - before;
        if spent > 0.2 || runs == 200 {
            return (result, spent / f64::from(runs));
        }
    }
}

fn report(
    name: &str,
    method: &str,
    (network, norms, domain): (&Network, Norms, Option<&Domain>),
    run: impl Fn() -> Result<Bound, LipError>,
) {
    let (bound, found) = timed(run);
    let bound = match bound {
        Ok(bound) => bound,
        Err(error) => return println!("{name:24} {method:12} {error}"),
    };
    let (square, check) = timed(|| check_upper(network, norms, domain, &bound.witness).expect("the kernel accepts"));
    let value = square.to_f64().unwrap_or(f64::NAN).sqrt();
    println!("{name:24} {method:12} {value:<20.12e} {found:8.4} s, check {check:.4} s  {}", bound.notes.join("; "));
}

fn main() {
    let chosen = |variable: &str, name: &str| {
        std::env::var(variable).map_or(true, |wanted| wanted.split(',').any(|one| one == name))
    };
    for (name, is_exact) in NETS.into_iter().filter(|(name, _)| chosen("NETS", name)) {
        let is_chain = lipschitz_support::folder().join(format!("{name}.safetensors")).exists();
        let network = if is_chain { load(name) } else { import(name) };
        let whole = (&network, Norms::L2, None);
        type Method = fn(&Network) -> Result<Bound, LipError>;
        let methods: [(&str, Method); 4] = [
            ("product", |network| product(network, Norms::L2)),
            ("recursion", |network| combettes_pesquet(network, Norms::L2, None)),
            ("eclipse_fast", |network| layerwise(network, Norms::L2, None)),
            ("lipsdp", |network| relaxation(network, Norms::L2, None, Effort::default())),
        ];
        for (method, run) in methods {
            if chosen("METHODS", method) {
                report(name, method, whole, || run(&network));
            }
        }
        if is_exact && chosen("METHODS", "exact") {
            let notes = |found: supremum::quantity::lipschitz::Enclosure| {
                let notes = vec![format!("{} nodes, closed: {}", found.nodes, found.closed)];
                Bound { notes, ..found.upper }
            };
            report(name, "exact", whole, || {
                branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| true).map(notes)
            });
        }
        if chosen("METHODS", "attained") {
            let (found, seconds) = timed(|| attained(&network, Norms::L2, None, 1000));
            let square = found.and_then(|found| check_lower(&network, Norms::L2, None, &found.witness));
            let value = square.map_or(f64::NAN, |square| square.to_f64().unwrap_or(f64::NAN).sqrt());
            println!("{name:24} {:12} {value:<20.12e} {seconds:8.4} s", "attained");
        }
    }
    if chosen("METHODS", "local") && chosen("NETS", "nnet_TestNetwork") {
        let network = load("nnet_TestNetwork");
        for (inverse, norms, norm) in
            [(100, Norms::L2, "l2"), (1000, Norms::L2, "l2"), (100, Norms::LINF, "linf"), (1000, Norms::LINF, "linf")]
        {
            let domain = cube(5, -1, 1, inverse);
            let name = format!("ACAS Xu, radius 1/{inverse}");
            let run = || relaxation(&network, norms, Some(&domain), Effort::default());
            report(&name, norm, (&network, norms, Some(&domain)), run);
            let (found, seconds) = timed(|| attained(&network, norms, Some(&domain), 1000));
            let value = found.map_or(f64::NAN, |found| found.square.to_f64().unwrap_or(f64::NAN).sqrt());
            println!("{name:24} {norm} attained {value:<20.12e} {seconds:8.4} s");
        }
    }
}
