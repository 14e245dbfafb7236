//! The VC dimension of networks with shared weights: values of `data/theory/reference.json` (VC.cnn_shared_implicit), computed there from
//! the distinct parameters and the unit outputs of every layer, and what the theorem does not cover.

mod spec_support;

use spec_support::check;

const ONE: &str = "network f {
  input 1, 28, 28
  conv 8, kernel 3 then relu
  avgpool 2
  flatten then dense 1
}
";

const LENET: &str = "network f {
  input 1, 28, 28
  conv 6, kernel 5 then relu
  avgpool 2
  conv 16, kernel 5 then relu
  avgpool 2
  flatten then dense 120 then relu
  dense 84 then relu
  dense 1
}
";

#[test]
fn distinct_parameters_and_all_outputs_are_counted() {
    for (net, params, value) in [(ONE, 1433, 10_880), (LENET, 43_661, 1_765_660)] {
        let units = if net == ONE { "layer_units(f, 1) = 5408" } else { "layer_units(f, 1) = 3456" };
        let spec = format!(
            "{net}claim params : params(f) = {params}\nclaim units : {units}\nclaim vc : vcdim(f) <= {value} by shared_weights\n"
        );
        let (exit, text) = check(&spec);
        assert_eq!(exit, 0, "{text}");
        // The value is that of the reference: one less is not proved.
        let (exit, text) = check(&format!("{net}claim vc : vcdim(f) <= {} by shared_weights\n", value - 1));
        assert_eq!(exit, 4, "{text}");
    }
}

#[test]
fn theorems_on_matrices_do_not_read_convolutions() {
    for claim in [
        "vcdim(f) <= ? by bhlm2019_implicit",
        "vcdim(f) <= ? by bhlm2019_closed",
        "weight_norm(f, 1, fro) <= ?",
        "lip(f, l2) <= ? by spectral_product",
    ] {
        let (exit, text) = check(&format!("{ONE}claim a : {claim}\n"));
        assert!(exit == 3 || exit == 4, "{claim}: {exit}\n{text}");
        assert!(!text.contains("proved  "), "{claim}\n{text}");
    }
    // A maximum over a window compares outputs with each other, which the count does not contain.
    let (exit, text) =
        check(&format!("{}claim a : vcdim(f) <= ? by shared_weights\n", ONE.replace("avgpool", "maxpool")));
    assert_eq!(exit, 3, "{text}");
    assert!(text.contains("layered(N)"), "{text}");
}

/// Values of the implicit bound with a factor per max-pooling, solved independently in 40 digits.
#[test]
fn maxima_over_windows_pay_for_their_comparisons() {
    for (net, pairs, value) in [(ONE, 8 * 13 * 13 * 6, 13_111), (LENET, 6 * 12 * 12 * 6, 1_837_655)] {
        let net = net.replace("avgpool 2", "maxpool 2, stride 2");
        let spec = format!(
            "{net}claim pairs : pool_comparisons(f, 1) = {pairs}\nclaim last : pool_comparisons(f, depth(f)) = 0\n\
             claim vc : vcdim(f) <= {value} by max_pooling\nclaim any : vcdim(f) <= {value}\n"
        );
        let (exit, text) = check(&spec);
        assert_eq!(exit, 0, "{text}");
        let (exit, text) = check(&format!("{net}claim vc : vcdim(f) <= {} by max_pooling\n", value - 1));
        assert_eq!(exit, 4, "{text}");
    }
    // Two maxima without parameters between them, and theorems on matrices.
    let twice = ONE.replace("avgpool 2", "maxpool 2, stride 2 then maxpool 2, stride 2");
    let (exit, text) = check(&format!("{twice}claim a : vcdim(f) <= ? by max_pooling\n"));
    assert!(exit == 3 && text.contains("pooled(N)"), "{text}");
    let (exit, text) =
        check(&format!("{}claim a : vcdim(f) <= ? by bhlm2019_implicit\n", ONE.replace("avgpool", "maxpool")));
    assert!(exit == 3 && text.contains("chain(N)"), "{text}");
}
