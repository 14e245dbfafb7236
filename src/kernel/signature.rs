//! The vocabulary: every quantity, constructor and predicate with the sorts of its arguments. Trust: kernel.
//!
//! A quantity without a computation here gets its value from facts: theorems and checked witnesses.

use super::theorem::Sort;
use std::collections::HashMap;
use std::sync::LazyLock;

const NET: Sort = Sort::Net;
const CLASS: Sort = Sort::Class;
const MAP: Sort = Sort::Map;
const DOMAIN: Sort = Sort::Domain;
const SAMPLE: Sort = Sort::Sample;
const LAW: Sort = Sort::Law;
const PREDICTOR: Sort = Sort::Predictor;
const NORM: Sort = Sort::Norm;
const LOSS: Sort = Sort::Loss;
const ACTIVATION: Sort = Sort::Activation;
const NAT: Sort = Sort::Natural;
const REAL: Sort = Sort::Real;

/// The values that a quantity can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codomain {
    /// Integers >= 0: an upper bound is rounded down, a lower bound up.
    Natural,
    /// Reals >= 0.
    NonNegative,
    /// Reals >= 1.
    AtLeastOne,
    /// Probabilities.
    Unit,
    Real,
}

#[derive(Clone, Copy, Debug)]
pub struct Quantity {
    pub name: &'static str,
    pub arguments: &'static [Sort],
    pub codomain: Codomain,
    pub meaning: &'static str,
}

/// A constructor of classes: `sign(F)` and the standard classes of the theory.
#[derive(Clone, Copy, Debug)]
pub struct Constructor {
    pub name: &'static str,
    pub arguments: &'static [Sort],
    pub result: Sort,
    pub meaning: &'static str,
}

#[derive(Clone, Copy, Debug)]
pub struct Predicate {
    pub name: &'static str,
    pub arguments: &'static [Sort],
    pub meaning: &'static str,
}

const fn q(name: &'static str, arguments: &'static [Sort], codomain: Codomain, meaning: &'static str) -> Quantity {
    Quantity { name, arguments, codomain, meaning }
}

const fn c(name: &'static str, arguments: &'static [Sort], result: Sort, meaning: &'static str) -> Constructor {
    Constructor { name, arguments, result, meaning }
}

const fn p(name: &'static str, arguments: &'static [Sort], meaning: &'static str) -> Predicate {
    Predicate { name, arguments, meaning }
}

use Codomain::{AtLeastOne, Natural, NonNegative, Real, Unit};

/// Layers `l` are the affine maps of a chain, counted from 1.
pub const QUANTITIES: &[Quantity] = &[
    // Structure: computed by the kernel.
    q("params", &[NET], Natural, "number of weights and biases"),
    q("depth", &[NET], Natural, "number of affine maps"),
    q("width", &[NET], Natural, "largest layer, input and output included"),
    q("hidden_width", &[NET], Natural, "largest hidden layer"),
    q("units", &[NET], Natural, "computation units: all but the inputs"),
    q("input_dim", &[NET], Natural, "number of inputs"),
    q("output_dim", &[NET], Natural, "number of outputs"),
    q("layer_params", &[NET, NAT], Natural, "weights and biases of layer l"),
    q("params_upto", &[NET, NAT], Natural, "weights and biases of layers 1..l"),
    q("layer_units", &[NET, NAT], Natural, "outputs of layer l; layer 0 is the input"),
    q("pool_comparisons", &[NET, NAT], Natural, "pairs of outputs that max-pooling after layer l compares"),
    q("breakpoints", &[NET], Natural, "most breakpoints of a hidden activation"),
    q("degree", &[NET], Natural, "largest degree of a piece of a hidden activation"),
    q("nonzero", &[NET], Natural, "weights and biases that are not 0"),
    q("weight_bits", &[NET], Natural, "bits of the widest stored parameter"),
    q("weight_norm", &[NET, NAT, NORM], NonNegative, "norm of the weight matrix of layer l (supremum over a class)"),
    q("bias_norm", &[NET, NAT, NORM], NonNegative, "norm of the bias of layer l (supremum over a class)"),
    q(
        "operator_norm",
        &[NET, NAT, NORM],
        NonNegative,
        "norm of the map of layer i of the graph, normalizations folded in, at its input size",
    ),
    q("activation_lipschitz", &[ACTIVATION], NonNegative, "Lipschitz constant of an activation"),
    q("layer_lipschitz", &[NET, NAT], NonNegative, "Lipschitz constant of the activation after layer l"),
    q("radius", &[DOMAIN, NORM], NonNegative, "largest norm of a point of the domain"),
    q("dim", &[DOMAIN], Natural, "number of coordinates of the domain"),
    q("samples", &[SAMPLE], Natural, "number of examples"),
    q("classes", &[SAMPLE], Natural, "number of classes"),
    q(
        "moment",
        &[SAMPLE, NORM],
        NonNegative,
        "mean of |x|_2^2 (l2), or the largest mean of the square of a coordinate (linf)",
    ),
    q(
        "path_norm",
        &[NET],
        NonNegative,
        "sum over all paths from an input or bias to an output of the product of absolute weights",
    ),
    q("errors", &[NET, SAMPLE], Natural, "misclassified examples; ties are errors"),
    q("cardinality", &[CLASS], AtLeastOne, "number of functions of the class"),
    q("variance", &[LAW], NonNegative, "variance of every noisy parameter: the square of the standard deviation"),
    q("noisy_params", &[LAW], Natural, "number of parameters with noise"),
    q(
        "squared_distance",
        &[LAW, PREDICTOR],
        NonNegative,
        "squared Euclidean distance of the means, noisy parameters only",
    ),
    // Capacity, sensitivity, risk: bounded by theorems and witnesses.
    q("lip", &[MAP, NORM], NonNegative, "Lipschitz constant from this norm to the same norm"),
    q("range", &[MAP], Real, "every coordinate of every output"),
    q(
        "robust_radius",
        &[NET, SAMPLE, NAT, NORM],
        NonNegative,
        "distance from example k, counted from 0, to the nearest input that is not decided as its label",
    ),
    q(
        "robust_errors",
        &[NET, SAMPLE, REAL, NORM],
        Natural,
        "examples with an input within distance r that is not decided as their label",
    ),
    q("vcdim", &[CLASS], Natural, "Vapnik-Chervonenkis dimension"),
    q("pdim", &[NET], Natural, "pseudo-dimension"),
    q("growth", &[CLASS, NAT], AtLeastOne, "most label vectors on m points"),
    q("cover", &[MAP, REAL, NORM], AtLeastOne, "covering number, closed balls, external centres"),
    q("rademacher", &[MAP, NAT], NonNegative, "expected Rademacher complexity, with absolute value, m points"),
    q("risk", &[NET, LOSS], Unit, "expected loss"),
    q("empirical_risk", &[NET, SAMPLE, LOSS], Unit, "mean loss on a sample"),
    q(
        "domain_cover",
        &[DOMAIN, REAL, NORM],
        AtLeastOne,
        "covering number of the domain, closed balls, external centres",
    ),
    q(
        "parameter_lipschitz",
        &[MAP, REAL],
        NonNegative,
        "largest change of the outputs per largest change of a parameter, all parameters of the architecture in [-R, R]",
    ),
    q("regions", &[NET], Natural, "most affine pieces of a network of the architecture"),
    q("margin_error", &[NET, SAMPLE, REAL], Unit, "fraction of examples with margin below g"),
    q(
        "margin_quantile",
        &[NET, SAMPLE, REAL],
        Real,
        "least margin that at least the share q of the examples does not exceed, 0 < q <= 1",
    ),
    q("code_length", &[NET, SAMPLE], Natural, "bits of the network's word in a prefix code fixed before the sample"),
    q("divergence", &[LAW, LAW], NonNegative, "relative entropy KL(Q || P) in nats"),
    q("gibbs_risk", &[LAW, LOSS], Unit, "expected loss of a network drawn from the law"),
    q(
        "empirical_gibbs_risk",
        &[LAW, SAMPLE, LOSS],
        Unit,
        "mean over the sample of the expected loss of a drawn network",
    ),
    q(
        "drawn_errors",
        &[LAW, SAMPLE, NAT],
        Natural,
        "errors of n independent pairs: a network drawn from the law, an example drawn from the sample",
    ),
    // Defined here and bounded by theorems of the library; a spec states what it knows of them.
    q("signed_rademacher", &[MAP, NAT], NonNegative, "expected Rademacher complexity without absolute value, m points"),
    q("coordinate_rademacher", &[MAP, NAT], NonNegative, "E sup_f (1/m) sum over i and outputs k of eps_ik f_k(x_i)"),
    q(
        "loss_rademacher",
        &[NET, LOSS, NAT],
        NonNegative,
        "expected Rademacher complexity of the losses, without absolute value",
    ),
    q(
        "entropy_coefficient",
        &[MAP, NAT],
        NonNegative,
        "least R with ln N <= R/x^2 for every radius x, in root mean square on m points",
    ),
    q(
        "entropy_scale",
        &[MAP, NAT],
        NonNegative,
        "least K with ln N <= d ln(K/x) for every radius x <= K, in root mean square on any points",
    ),
    q(
        "empirical_cover",
        &[MAP, REAL, NAT, NORM],
        AtLeastOne,
        "largest covering number of the values on m points: linf largest difference, l2 root mean square",
    ),
    q("packing", &[CLASS, REAL], AtLeastOne, "most functions at distance more than eps in L1 of one law on the points"),
    q("fat", &[MAP, REAL], Natural, "fat-shattering dimension at this margin"),
    q(
        "label_vectors",
        &[NAT, NAT, NAT],
        AtLeastOne,
        "most label vectors of a class of Natarajan dimension d with K labels on m points",
    ),
    q("compression_size", &[NET, SAMPLE], Natural, "size of the subset from which the algorithm gives the network"),
    q("errors_outside", &[NET, SAMPLE], Natural, "errors outside the compression set"),
    q(
        "self_delimiting_length",
        &[NAT],
        NonNegative,
        "bits of a word of n bits in a prefix code for words of all lengths >= 1",
    ),
    q(
        "replace_one_stability",
        &[NET, SAMPLE, LOSS],
        NonNegative,
        "uniform stability of the algorithm when one example is replaced",
    ),
    q(
        "removal_stability",
        &[NET, SAMPLE, LOSS],
        NonNegative,
        "uniform stability of the algorithm when one example is removed",
    ),
    q(
        "convex_sgd_gap",
        &[NAT, REAL, REAL, REAL, REAL],
        NonNegative,
        "largest |E gap| of SGD: n, Lipschitz, smoothness, largest step, sum of steps",
    ),
    q(
        "strongly_convex_sgd_gap",
        &[NAT, REAL, REAL, REAL, REAL],
        NonNegative,
        "largest |E gap| of projected SGD: n, Lipschitz, smoothness, strong convexity, step",
    ),
    q(
        "smooth_sgd_gap",
        &[NAT, NAT, REAL, REAL, REAL],
        NonNegative,
        "largest |E gap| of SGD on losses in [0, 1] with steps c/t: n, T, Lipschitz, smoothness, c",
    ),
    q("expected_risk", &[NET, SAMPLE, LOSS], NonNegative, "mean risk over the sample and the algorithm"),
    q(
        "expected_empirical_risk",
        &[NET, SAMPLE, LOSS],
        NonNegative,
        "mean empirical risk over the sample and the algorithm",
    ),
    q(
        "expected_gap",
        &[NET, SAMPLE, LOSS],
        NonNegative,
        "|E(risk - empirical risk)| over the sample and the algorithm",
    ),
    q(
        "mutual_information",
        &[NET, SAMPLE],
        NonNegative,
        "mutual information of the algorithm's output and the sample, nats",
    ),
    q(
        "conditional_mutual_information",
        &[NET, SAMPLE],
        NonNegative,
        "conditional mutual information given a supersample, nats",
    ),
    q(
        "rkhs_norm",
        &[NET, SAMPLE],
        NonNegative,
        "norm of the network's function in the space of a kernel fixed before the sample",
    ),
    q("kernel_trace", &[SAMPLE], NonNegative, "sum of K(x_i, x_i) over the sample"),
    q(
        "agnostic_error",
        &[NAT, NAT],
        Unit,
        "excess risk that no learner beats with probability 63/64: VC dimension d, m examples",
    ),
    q(
        "realizable_error",
        &[NAT, NAT],
        Unit,
        "risk that no learner beats with probability 99/100 in the realizable case: d, m",
    ),
    q(
        "coverage",
        &[NAT, NAT],
        Unit,
        "least probability that a fresh score is at most the r-th smallest of n exchangeable ones",
    ),
    q("expected_risk_of_any_learner", &[NAT, NAT], Unit, "best guaranteed risk after m examples on N points"),
    q(
        "likely_risk_of_any_learner",
        &[NAT, NAT],
        Unit,
        "largest a that every learner has as its risk with probability 1/7 for some labelling of N points: m examples",
    ),
    q("natarajan", &[CLASS], Natural, "Natarajan dimension of a class with several labels"),
    q(
        "activation_patterns",
        &[NET],
        AtLeastOne,
        "sum of the binomials of inactive units over layers whose images lose a dimension per inactive unit",
    ),
    q(
        "matrix_cover",
        &[REAL, REAL, NAT, NAT, REAL],
        AtLeastOne,
        "covering number in the Frobenius norm of {X A : |A|_(2,1) <= a}, |X|_F <= b, A with d rows and k columns",
    ),
    q(
        "bounded_unit_cover",
        &[NAT, NAT, NAT, REAL, REAL, REAL, REAL],
        AtLeastOne,
        "largest covering number on m points of l layers of units in [-b, b], W parameters: W, l, m, b, V, Lipschitz, eps",
    ),
    q(
        "bounded_unit_entropy",
        &[NAT, NAT, REAL, REAL, REAL, REAL],
        NonNegative,
        "log2 of the covering number in L2 of l layers of units in [-b, b] on n inputs: l, n, b, V, Lipschitz, eps",
    ),
    q(
        "empirical_loss_rademacher",
        &[NET, LOSS, SAMPLE],
        NonNegative,
        "Rademacher complexity of the losses on the sample, without absolute value",
    ),
    q(
        "component_rademacher",
        &[MAP, NAT],
        NonNegative,
        "expected Rademacher complexity, with absolute value, of the single outputs x -> f(x)_k, all k together",
    ),
    q(
        "reference_distance",
        &[NET, NAT],
        NonNegative,
        "supremum over a class of |W_l - M_l|_(2,1), M_l one matrix fixed before the sample",
    ),
    q(
        "sparse_cover",
        &[MAP, NAT, REAL],
        AtLeastOne,
        "covering number in the sup norm of the networks with at most s nonzero parameters, radius eps",
    ),
    q(
        "real_packing",
        &[MAP, REAL],
        AtLeastOne,
        "most functions at distance more than eps in L1 of one law on the points",
    ),
    q(
        "dual_linear_cover",
        &[NAT, REAL, REAL],
        AtLeastOne,
        "covering number in L2 of a sample of {x -> w.x : |w|_q <= B}, |x|_p <= C on R^n, p >= 2, 1/p + 1/q = 1: n, B C, eps",
    ),
    q(
        "group_matrix_cover",
        &[REAL, REAL, NAT, NAT, REAL, REAL],
        AtLeastOne,
        "covering number in the Frobenius norm of {X A : |A|_(q,s) <= a}, |X|_p <= b: a, b, rows, columns, r, eps",
    ),
    q(
        "group_rademacher",
        &[NAT, NAT, NAT, REAL, REAL, REAL, NAT],
        NonNegative,
        "Rademacher complexity of ReLU networks by (p,q) norms: depth, width, inputs, p, q, product of norms times B, m",
    ),
    q("cross_entropy", &[LAW, LAW], NonNegative, "mean of ln(1/P(h)) over h drawn from Q, on countably many networks"),
    q(
        "smoothed_nll",
        &[NET, NAT, REAL],
        NonNegative,
        "expected -log2((1 - a) p + a/V), p the probability that the network gives the label, V labels",
    ),
    q("empirical_smoothed_nll", &[NET, SAMPLE, NAT, REAL], NonNegative, "mean of smoothed_nll on a sample"),
    q(
        "two_layer_gd_gap",
        &[NAT, NAT, REAL, REAL, REAL, REAL],
        Real,
        "E(risk - empirical risk) of gradient descent on a smooth two-layer network: n, width, Lipschitz, smoothness, R, D",
    ),
    q(
        "separable_gd_gap",
        &[NAT, NAT, NAT, REAL, REAL, REAL, REAL, REAL],
        Real,
        "the same for the logistic loss after T rounds at an NTK margin: n, width, T, Lipschitz, smoothness, R, C, margin",
    ),
    q(
        "variation_gap",
        &[NAT, NAT, NAT, REAL, REAL, REAL],
        NonNegative,
        "E sup |risk - empirical risk| over two-layer nets of bounded variation: n, d, power, p, variation, Lipschitz",
    ),
    q(
        "barron_error",
        &[NAT, REAL, REAL],
        NonNegative,
        "squared L2 error of the best n threshold units and a constant: n, Fourier moment C, radius r",
    ),
    q(
        "hull_error",
        &[NAT, REAL, REAL],
        NonNegative,
        "squared distance of the best mean of n points of a set: n, radius b of the set, norm of a point of its hull",
    ),
    q(
        "sawtooth_error",
        &[NAT],
        NonNegative,
        "sup over [0, 1] of |x - sum_(s <= m) g_s(x)/4^s - x^2|, g_s the s-fold hat",
    ),
    q(
        "shallow_distance",
        &[NAT],
        NonNegative,
        "L1 distance on [0, 1]^d of some ReLU net of 2 k^3 + 8 layers to all of k layers and 2^k nodes",
    ),
    q(
        "crossings",
        &[NAT, NAT, NAT, NAT, NAT],
        Natural,
        "crossings of 1/2 of a sawtooth net on the line: t, m, l, a, b",
    ),
    q(
        "monomial_error",
        &[NAT, REAL, REAL, REAL, REAL],
        NonNegative,
        "error of p + 1 units for t^p by central differences: p, step, t, bound on derivative p + 2, derivative p",
    ),
    q(
        "pieces_error",
        &[NAT, REAL, REAL],
        NonNegative,
        "least sup error of n affine pieces for f'' >= k on an interval of length l: n, k, l",
    ),
    q("square_pieces_error", &[NAT], NonNegative, "least integral over [0, 1] of (g - x^2)^2 for g of n affine pieces"),
    q(
        "pruning_error",
        &[NAT, REAL],
        NonNegative,
        "L2 distance of a layer of n bounded ReLU units to one hundredth of them: n, l1 norm of the output weights",
    ),
    q(
        "mean_breakpoints",
        &[NAT, REAL, REAL],
        NonNegative,
        "expected breakpoints in [a, b] of n ReLU units with normal weights and biases: n, a, b",
    ),
    q(
        "mean_length",
        &[NAT, NAT, REAL, REAL],
        NonNegative,
        "expected length of a curve of length c after l normal layers of n ReLU units: n, l, deviation, c",
    ),
    q(
        "tangent_kernel",
        &[REAL],
        Real,
        "kernel of gradient descent on the first of two wide ReLU layers, for unit vectors with product t",
    ),
    q(
        "sgd_excess",
        &[NAT, REAL, REAL],
        Real,
        "largest excess of averaged stochastic gradient descent on convex risks: steps, |w|, norm of directions",
    ),
    q(
        "gradient_square",
        &[NAT, REAL, REAL],
        NonNegative,
        "least squared gradient of the mean square error: examples, eigenvalue of features, error",
    ),
    q(
        "linearized_error",
        &[NAT, REAL, REAL, REAL],
        NonNegative,
        "mean square error of a linear flow: examples, eigenvalue of the kernel, time, error at time 0",
    ),
    q(
        "balance_drift",
        &[REAL, REAL, REAL],
        Real,
        "change of |W_(l+1)|^2 - |W_l|^2 in a gradient step: length, squared gradients of both",
    ),
    q(
        "batch_norm_gradient",
        &[NAT, REAL, REAL, REAL, REAL, REAL],
        NonNegative,
        "squared gradient through batch normalization: batch, scale, variance, |v|^2, sum of v, (b - mean).v",
    ),
    q("smoothed_margin", &[NAT, REAL, REAL], Real, "-ln(mean of e^(-b t))/b over m margins t with least g: m, b, g"),
    q(
        "excess_risk",
        &[REAL, REAL, REAL],
        NonNegative,
        "largest risk above the Bayes risk: errors of optimization, uniform deviation, approximation",
    ),
    q(
        "one_point_trace",
        &[NAT, NAT],
        NonNegative,
        "E tr(S^+ E XX') for one sign vector, c of d coordinates equal: d, c",
    ),
    q("min_norm_variance", &[REAL], NonNegative, "limit of tr(S^+) for independent entries and d/m -> k"),
];

pub const CONSTRUCTORS: &[Constructor] = &[
    c("sign", &[NET], CLASS, "the functions 1[f(x) >= 0]"),
    c(
        "mistakes",
        &[NET],
        CLASS,
        "the functions (x, y) -> 1[f errs on (x, y)] of all networks f of the architecture; a tie errs",
    ),
    c(
        "polynomial_signs",
        &[NAT, NAT, NAT],
        CLASS,
        "a Boolean function of the signs of k polynomials of degree l in d parameters",
    ),
    c(
        "polynomial_formulas",
        &[NAT, NAT, NAT],
        CLASS,
        "Boolean formulas of s polynomial predicates of degree d, k parameters",
    ),
    c("programs", &[NAT, NAT], CLASS, "programs of at most t arithmetic operations and comparisons, d parameters"),
    c("exponential_programs", &[NAT, NAT, NAT], CLASS, "as programs(d, t), with q exponentials"),
    c("integer_inputs", &[NET, NAT], CLASS, "the signs of the networks on inputs in {-D, ..., D}^n"),
    c("quantized", &[NET, NAT], CLASS, "the signs of the networks whose parameters have b bits each, one format"),
    c("codebook", &[NET, NAT, NAT], CLASS, "the signs of the networks with K shared parameter values of b bits"),
    c("sparse", &[NET, NAT, NAT], CLASS, "the signs of the networks with at most s nonzero parameters of b bits"),
    c("bit_extraction", &[NAT, NAT, NAT], CLASS, "the networks of Bartlett et al. 2019, Theorem 11"),
    c("finite_functions", &[NAT, REAL], MAP, "k functions with values in [-r, r]"),
    c("composed", &[MAP, ACTIVATION], MAP, "the functions s(f(x))"),
    c("lipschitz_losses", &[MAP, REAL], MAP, "the functions h(f(x), y), L-Lipschitz in the Euclidean norm of f(x)"),
    c("on", &[NET, DOMAIN], MAP, "the functions restricted to a domain"),
    c("halfspaces", &[NAT], CLASS, "affine half-spaces of R^n"),
    c("homogeneous_halfspaces", &[NAT], CLASS, "half-spaces of R^n through the origin"),
    c("finite_class", &[NAT], CLASS, "a class of k functions"),
    c("polynomials", &[NAT, NAT], CLASS, "signs of polynomials of degree <= D on R^n"),
    c("boolean_polynomials", &[NAT, NAT], CLASS, "signs of polynomials of degree <= D on the cube {0, 1}^n"),
    c("intervals", &[], CLASS, "intervals of the line"),
    c("boxes", &[NAT], CLASS, "axis-parallel boxes of R^n"),
    c("function_space", &[NAT], CLASS, "the sets {g + f > 0}, f in a k-dimensional space of functions, g one function"),
    c("linear_multiclass", &[NAT], CLASS, "the classifiers argmax_y w.psi(x, y), w in R^d"),
    c("two_layer_relu", &[REAL, REAL], MAP, "sum_j w_j relu(u_j.x) with sum |w_j| |u_j| <= B on |x| <= C, any width"),
    c("cube", &[NAT, REAL], DOMAIN, "[-r, r]^n"),
    c("ball", &[NAT, REAL, NORM], DOMAIN, "closed ball of R^n around the origin"),
    c("leaky_relu", &[REAL], ACTIVATION, "t for t >= 0, a t below"),
    c("elu", &[REAL], ACTIVATION, "t for t >= 0, a (e^t - 1) below"),
];

pub const PREDICATES: &[Predicate] = &[
    p("chain", &[NET], "a chain of dense layers with activations between them and none after the last"),
    p("layered", &[NET], "as chain, with convolutions and average pooling: units with shared weights"),
    p("pooled", &[NET], "as layered, with maxima over windows, at most once per layer"),
    p("piecewise_polynomial", &[NET], "every hidden activation is piecewise polynomial"),
    p("piecewise_linear", &[NET], "every hidden activation is continuous and piecewise linear"),
    p("homogeneous", &[NET], "every hidden activation is positively homogeneous"),
    p("identity_on_positives", &[NET], "every hidden activation is the identity on t >= 0"),
    p("contractive", &[NET], "every hidden activation has |s(t)| <= |t|"),
    p("nonexpansive", &[NET], "every hidden activation is 1-Lipschitz"),
    p("threshold_units", &[NET], "every hidden activation is the Heaviside function"),
    p("sigmoid_units", &[NET], "every hidden activation is the logistic sigmoid"),
    p("vanishes_at_zero", &[ACTIVATION], "the activation is 0 at 0"),
    p("relu_units", &[NET], "every hidden activation is ReLU"),
    p("biased", &[NET], "every layer has a bias"),
    p("unconstrained", &[NET], "all networks of the architecture"),
    p("member", &[NET, NET], "the first, one network, belongs to the second, a class or an architecture"),
    p("vector_norm", &[NORM], "l1, l2 or linf"),
    p("supported", &[SAMPLE, DOMAIN], "inputs of the sample's law lie in the domain with probability 1"),
    p(
        "stores_bits",
        &[NET, SAMPLE, NAT],
        "every network that the algorithm may give has at most so many bits per parameter",
    ),
    p("scalar_output", &[NET], "one output"),
    p("no_bias", &[NET], "no layer has a bias, or all biases of the class are 0"),
    p("concrete", &[NET], "one network with known parameters"),
    p("norm_class", &[NET, NORM], "all networks with weight norms and bias norms at most given bounds, none below"),
    p("iid", &[SAMPLE], "the sample is independent and identically distributed"),
    p("independent", &[PREDICTOR, SAMPLE], "the network, class or law does not depend on the sample"),
    p("fixed_before", &[REAL, SAMPLE], "the claim states the number, by its name, without looking at the sample"),
    p("centred", &[LAW, NET], "the means of the law are the parameters of the network"),
    p("last_layer_noise", &[LAW], "only weights and biases of the last layer carry noise"),
    p("comparable", &[LAW, LAW], "noise in the same parameters, and the same values of all others"),
    p("ternary_readout", &[NET], "gradient features, then one dense layer without bias and with weights in {-1, 0, 1}"),
    p("codes_fixed_before", &[SAMPLE], "the codes of the library were fixed before the sample was drawn"),
    p("bounded_loss", &[LOSS], "the loss takes values in [0, 1]"),
    p(
        "fits",
        &[PREDICTOR, SAMPLE],
        "the network takes the sample's inputs and has an output per class (one for two classes)",
    ),
];

/// Norm symbols; which of them a quantity takes is its own affair.
pub const NORMS: &[&str] = &["l1", "l2", "linf", "fro", "max", "l21"];

/// Loss symbols and what they mean.
pub const LOSSES: &[(&str, &str)] = &[
    ("zero_one", "1 where the prediction is wrong; a tie is wrong"),
    ("ramp", "1 at margin <= 0, 0 at margin >= 1, linear between"),
    ("squared", "(f(x) - y)^2, unbounded"),
    ("logistic", "ln(1 + e^(-y f(x))), unbounded"),
    ("cross_entropy", "-ln softmax_y(f(x)), unbounded"),
];

pub fn quantity(name: &str) -> Option<&'static Quantity> {
    // Looked up at every evaluation of every quantity.
    static BY_NAME: LazyLock<HashMap<&str, &Quantity>> =
        LazyLock::new(|| QUANTITIES.iter().map(|quantity| (quantity.name, quantity)).collect());
    BY_NAME.get(name).copied()
}

pub fn constructor(name: &str) -> Option<&'static Constructor> {
    CONSTRUCTORS.iter().find(|c| c.name == name)
}

pub fn predicate(name: &str) -> Option<&'static Predicate> {
    PREDICATES.iter().find(|p| p.name == name)
}
