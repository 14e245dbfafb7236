//! Times of the Lipschitz engine on the test networks: `cargo bench --bench lipschitz`. One line per network and method.
#[path = "../tests/lipschitz_support/mod.rs"]
mod lipschitz_support;

use lipschitz_support::load;
use num_traits::ToPrimitive;
use std::time::Instant;
use supremum::kernel::lipschitz::{Norms, check_upper};
use supremum::quantity::lipschitz::{Bound, Effort, Limits, branch_and_bound, layerwise, product, relaxation};

fn main() {
    let default = "lipsdp_random,hcas_pra0_tau00,nnet_TestNetwork,nv_cartpole,eclipse_lyr2n80,ecl_lyr5n20,ecl_lyr10n20";
    let names = std::env::var("NETS").unwrap_or_else(|_| default.to_string());
    let exact = std::env::var("EXACT").unwrap_or_else(|_| "nv_cartpole,hcas_pra0_tau00,ecl_lyr5n20".to_string());
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let network = load(name);
        let report = |method: &str, run: &dyn Fn() -> Bound| {
            let start = Instant::now();
            let bound = run();
            let found = start.elapsed().as_secs_f64();
            let start = Instant::now();
            let square = check_upper(&network, Norms::L2, None, &bound.witness).expect("the kernel accepts");
            let check = start.elapsed().as_secs_f64();
            let value = square.to_f64().unwrap_or(f64::NAN).sqrt();
            println!(
                "{name:24} {method:10} {value:.12e}  {found:.4} s, check {check:.4} s  {}",
                bound.notes.join("; ")
            );
        };
        report("product", &|| product(&network, Norms::L2).expect("a bound"));
        report("layerwise", &|| layerwise(&network, Norms::L2, None).expect("a bound"));
        report("lipsdp", &|| relaxation(&network, Norms::L2, None, Effort::default()).expect("a bound"));
        if exact.split(',').any(|other| other == name) {
            report("exact", &|| {
                branch_and_bound(&network, Norms::L2, None, Limits::default(), |_| true).expect("a bound").upper
            });
        }
    }
}
