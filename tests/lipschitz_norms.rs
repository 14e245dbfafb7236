//! Norms of single layers against an independent computation: the layer applied to unit vectors by the defining sums in floating
//! point, the matrix of these columns, its sums, and its singular values by Jacobi's rotations.
mod lipschitz_support;
use lipschitz_support::*;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use supremum::kernel::lipschitz::*;
use supremum::kernel::net::*;
use supremum::quantity::lipschitz::dual::Noise;
use supremum::quantity::spectral_witness::{propose_lower, propose_upper};

/// Rows of a matrix.
type Matrix = Vec<Vec<f64>>;

fn value(w: &Weight) -> f64 {
    w.mantissa as f64 * f64::from(w.exponent).exp2()
}

/// A node without its bias; an activation is replaced by the identity. Arrays are channels, rows, columns.
fn linear(op: &Op, sources: &[&[f64]], shape: &[Size], weight: Option<&Tensor>) -> Vec<f64> {
    let x = sources[0];
    let at = |i: usize| value(&weight.unwrap().data[i]);
    let image = || (shape[0] as usize, shape[1] as usize, shape[2] as usize);
    let mean = |window: (Size, Size), stride: (Size, Size)| {
        let ((c, h, w), (wy, wx), (sy, sx)) =
            (image(), (window.0 as usize, window.1 as usize), (stride.0 as usize, stride.1 as usize));
        let mut out = Vec::new();
        for channel in 0..c {
            for top in (0..=h - wy).step_by(sy) {
                for left in (0..=w - wx).step_by(sx) {
                    let cells = (0..wy * wx).map(|k| x[(channel * h + top + k / wx) * w + left + k % wx]);
                    out.push(cells.sum::<f64>() / (wy * wx) as f64);
                }
            }
        }
        out
    };
    match op {
        Op::Dense { units, .. } => {
            (0..*units as usize).map(|i| (0..x.len()).map(|j| at(i * x.len() + j) * x[j]).sum()).collect()
        }
        Op::Conv { channels, kernel, stride, pad, groups, .. } => {
            let (c, h, w) = image();
            let (kh, kw, groups) = (kernel.0 as usize, kernel.1 as usize, *groups as usize);
            let (own, channels) = (c / groups, *channels as usize);
            let length = |n: usize, k: usize, s: Size, p: Size| (n + 2 * p as usize - k) / s as usize + 1;
            let (rows, columns) = (length(h, kh, stride.0, pad.0), length(w, kw, stride.1, pad.1));
            let mut out = vec![0.0; channels * rows * columns];
            // Scattered from the inputs, where the engine gathers.
            for o in 0..channels {
                for c in 0..own {
                    for (y, dy) in (0..h).flat_map(|y| (0..kh).map(move |dy| (y, dy))) {
                        let top = (y + pad.0 as usize).checked_sub(dy).filter(|t| t % stride.0 as usize == 0);
                        let Some(i) = top.map(|t| t / stride.0 as usize).filter(|i| *i < rows) else { continue };
                        for (z, dz) in (0..w).flat_map(|z| (0..kw).map(move |dz| (z, dz))) {
                            let left = (z + pad.1 as usize).checked_sub(dz).filter(|l| l % stride.1 as usize == 0);
                            let Some(j) = left.map(|l| l / stride.1 as usize).filter(|j| *j < columns) else {
                                continue;
                            };
                            let from = o / (channels / groups) * own + c;
                            out[(o * rows + i) * columns + j] +=
                                at(((o * own + c) * kh + dy) * kw + dz) * x[(from * h + y) * w + z];
                        }
                    }
                }
            }
            out
        }
        Op::BatchNorm => {
            let positions = x.len() / shape[0] as usize;
            x.iter().enumerate().map(|(k, x)| at(k / positions) * x).collect()
        }
        Op::AvgPool { window, stride } => mean(*window, *stride),
        Op::GlobalAvgPool => mean((shape[1], shape[2]), (1, 1)),
        Op::Add => (0..x.len()).map(|k| sources.iter().map(|s| s[k]).sum()).collect(),
        Op::Concat => sources.concat(),
        Op::Flatten | Op::Activation(_) => x.to_vec(),
        other => panic!("not linear: {other:?}"),
    }
}

/// The matrix of the whole network, of `only` one node, or up to a node.
fn matrix(network: &Network, nodes: std::ops::RangeInclusive<usize>) -> Matrix {
    let architecture = network.architecture();
    let shapes = architecture.shapes().unwrap();
    let first = architecture.nodes[*nodes.start()].inputs[0];
    let inputs = architecture.shape_of(&shapes, first).iter().product::<Size>() as usize;
    let columns: Vec<Vec<f64>> = (0..inputs)
        .map(|j| {
            let unit: Vec<f64> = (0..inputs).map(|i| f64::from(u8::from(i == j))).collect();
            let mut values: Vec<Vec<f64>> = vec![Vec::new(); architecture.nodes.len()];
            for i in nodes.clone() {
                let node = &architecture.nodes[i];
                let sources: Vec<&[f64]> = node
                    .inputs
                    .iter()
                    .map(|s| match s {
                        s if *s == first => unit.as_slice(),
                        Source::Node(k) => values[*k].as_slice(),
                        Source::Input => panic!("another source"),
                    })
                    .collect();
                let weight = network.parameters()[i].as_ref().map(|p| &p.weight);
                values[i] = linear(&node.op, &sources, architecture.shape_of(&shapes, node.inputs[0]), weight);
            }
            values[*nodes.end()].clone()
        })
        .collect();
    (0..columns[0].len()).map(|i| columns.iter().map(|column| column[i]).collect()).collect()
}

/// The largest eigenvalue of the Gram matrix, by cyclic Jacobi rotations of the columns (Hestenes 1958).
fn spectral(matrix: &Matrix) -> f64 {
    let mut columns: Matrix = (0..matrix[0].len()).map(|j| matrix.iter().map(|row| row[j]).collect()).collect();
    if columns.len() > matrix.len() {
        columns = matrix.clone();
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    for _ in 0..40 {
        let mut turned = false;
        for q in 1..columns.len() {
            for p in 0..q {
                let (a, b, c) =
                    (dot(&columns[p], &columns[p]), dot(&columns[q], &columns[q]), dot(&columns[p], &columns[q]));
                if c.abs() <= 1e-12 * (a * b).sqrt() {
                    continue;
                }
                turned = true;
                let zeta = (b - a) / (2.0 * c);
                let t = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cos = 1.0 / (1.0 + t * t).sqrt();
                for k in 0..columns[p].len() {
                    let (x, y) = (columns[p][k], columns[q][k]);
                    columns[p][k] = cos * (x - t * y);
                    columns[q][k] = cos * (t * x + y);
                }
            }
        }
        if !turned {
            break;
        }
    }
    columns.iter().map(|c| dot(c, c)).fold(0.0, f64::max).sqrt()
}

fn float(q: &BigRational) -> f64 {
    q.to_f64().unwrap()
}

/// The layer's norms in l1, l2 (from above and from below) and linf.
fn norms(network: &Network, node: usize) -> [f64; 4] {
    let layer = LayerMap::of(network, node).unwrap();
    let upper = layer.square_below(&propose_upper(&layer.operator).unwrap()).unwrap();
    let lower = layer.rayleigh_quotient(&propose_lower(&layer.operator).unwrap()).unwrap();
    assert!(lower <= upper);
    [float(&layer.column_sum()), float(&upper).sqrt(), float(&lower).sqrt(), float(&layer.row_sum())]
}

fn close(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected, "{what}: {found} against {expected}");
}

fn meets(network: &Network, node: usize, matrix: &Matrix, what: &str) {
    let columns = (0..matrix[0].len()).map(|j| matrix.iter().map(|row| row[j].abs()).sum());
    let rows = matrix.iter().map(|row| row.iter().map(|w| w.abs()).sum());
    let sigma = spectral(matrix);
    let found = norms(network, node);
    for (k, expected) in [columns.fold(0.0, f64::max), sigma, sigma, rows.fold(0.0, f64::max)].into_iter().enumerate() {
        close(found[k], expected, &format!("{what}, {k}"));
    }
}

struct Graph {
    input: Vec<Size>,
    nodes: Vec<Node>,
    parameters: Vec<Option<Parameters>>,
    noise: Noise,
}

impl Graph {
    fn new(input: &[Size], seed: u64) -> Graph {
        Graph { input: input.to_vec(), nodes: Vec::new(), parameters: Vec::new(), noise: Noise::new(seed) }
    }

    fn push(&mut self, op: Op, inputs: &[Source], weight: Option<Vec<usize>>) -> Source {
        let own = weight.map(|shape| {
            let n = shape.iter().product();
            let values = |noise: &mut Noise, n: usize| (0..n).map(|_| noise.normal()).collect::<Vec<_>>();
            let bias = Some(tensor(vec![shape[0]], &values(&mut self.noise, shape[0])));
            Parameters { weight: tensor(shape, &values(&mut self.noise, n)), bias }
        });
        self.nodes.push(Node { op, inputs: inputs.to_vec() });
        self.parameters.push(own);
        Source::Node(self.nodes.len() - 1)
    }

    fn conv(
        &mut self,
        channels: (usize, usize),
        kernel: usize,
        stride: Size,
        pad: Size,
        groups: usize,
        from: Source,
    ) -> Source {
        let square = |n: Size| (n, n);
        let op = Op::Conv {
            channels: channels.1 as Size,
            kernel: square(kernel as Size),
            stride: square(stride),
            pad: square(pad),
            groups: groups as Size,
            bias: true,
        };
        self.push(op, &[from], Some(vec![channels.1, channels.0 / groups, kernel, kernel]))
    }

    fn network(&self) -> Network {
        let architecture = Architecture { input: self.input.clone(), nodes: self.nodes.clone() };
        Network::new(architecture, self.parameters.clone(), 64).unwrap()
    }
}

#[test]
fn convolutions_with_strides_padding_groups_and_folded_normalizations() {
    let mut seed = 0;
    for (kernel, stride, pad) in [(1, 1, 0), (2, 1, 1), (2, 2, 0), (3, 1, 1), (3, 2, 1), (3, 3, 0), (4, 2, 2)] {
        for (channels, groups) in [((1, 2), 1), ((2, 4), 2), ((2, 2), 2), ((3, 1), 1)] {
            for normal in [false, true] {
                seed += 1;
                let mut graph = Graph::new(&[channels.0 as Size, 5, 4], seed);
                let conv = graph.conv(channels, kernel, stride, pad, groups, Source::Input);
                if normal {
                    graph.push(Op::BatchNorm, &[conv], Some(vec![channels.1]));
                }
                let network = graph.network();
                let whole = matrix(&network, 0..=usize::from(normal));
                meets(&network, 0, &whole, &format!("convolution {kernel} {stride} {pad} {channels:?} {normal}"));
                if normal {
                    meets(&network, 1, &matrix(&network, 1..=1), "normalization alone");
                }
            }
        }
    }
}

#[test]
fn means_over_windows() {
    for (window, stride) in [((2, 2), (2, 2)), ((3, 2), (1, 1)), ((3, 3), (2, 1)), ((5, 4), (1, 1))] {
        let mut graph = Graph::new(&[2, 5, 4], 1);
        graph.push(Op::AvgPool { window, stride }, &[Source::Input], None);
        let network = graph.network();
        meets(&network, 0, &matrix(&network, 0..=0), &format!("mean {window:?} {stride:?}"));
    }
    let mut graph = Graph::new(&[2, 5, 4], 1);
    graph.push(Op::GlobalAvgPool, &[Source::Input], None);
    let found = norms(&graph.network(), 0);
    close(found[0], 1.0 / 20.0, "global mean in l1");
    close(found[1], (1.0f64 / 20.0).sqrt(), "global mean in l2");
    close(found[3], 1.0, "global mean in linf");
}

/// An entry that is the largest of `m` windows moves `m` outputs, and no derivative has a longer column.
#[test]
fn maxima_over_windows_that_overlap() {
    for (window, stride, pad, m) in [
        ((2, 2), (2, 2), (0, 0), 1.0),
        ((3, 3), (1, 1), (1, 1), 9.0),
        ((3, 3), (2, 2), (1, 1), 4.0),
        ((3, 3), (2, 2), (0, 0), 4.0),
        ((1, 3), (1, 2), (0, 0), 2.0),
        ((5, 5), (1, 1), (0, 0), 1.0),
    ] {
        let mut graph = Graph::new(&[2, 5, 5], 1);
        graph.push(Op::MaxPool { window, stride, pad }, &[Source::Input], None);
        let found = norms(&graph.network(), 0);
        let what = format!("maximum {window:?} {stride:?}");
        close(found[0], m, &what);
        close(found[1], f64::sqrt(m), &what);
        close(found[2], f64::sqrt(m), &what);
        close(found[3], 1.0, &what);
    }
}

#[test]
fn sums_and_concatenations_of_affine_branches() {
    for seed in 0..20 {
        let mut graph = Graph::new(&[2, 4, 3], seed);
        let start = graph.push(Op::Activation(Activation::Relu), &[Source::Input], None);
        let conv = graph.conv((2, 2), 3, 1, 1, 1, start);
        let normal = graph.push(Op::BatchNorm, &[conv], Some(vec![2]));
        // `x + W x`, then both side by side, then everything twice.
        let sum = graph.push(Op::Add, &[normal, start], None);
        let both = graph.push(Op::Concat, &[start, sum], None);
        graph.push(Op::Add, &[both, both], None);
        let network = graph.network();
        for node in [3, 4, 5] {
            meets(&network, node, &matrix(&network, 1..=node), &format!("branches {seed}, {node}"));
        }
    }
}

/// A residual block whose branches begin at different activations: the norm of `[I, C]`, by `[I, C] [I, C]' = I + C C'`.
#[test]
fn trained_networks_layer_by_layer() {
    for name in ["digits_cnn", "digits_resnet"] {
        let network = import(name);
        let nodes = &network.architecture().nodes;
        let mut seen = 0;
        for (i, node) in nodes.iter().enumerate() {
            match node.op {
                Op::Dense { .. } | Op::Conv { .. } | Op::GlobalAvgPool | Op::AvgPool { .. } => {
                    meets(&network, i, &matrix(&network, i..=i), &format!("{name} {i}"));
                }
                Op::Add => {
                    let is_conv = |s: &&Source| matches!(s, Source::Node(k) if matches!(nodes[*k].op, Op::Conv { .. }));
                    let convs: Vec<&Source> = node.inputs.iter().filter(is_conv).collect();
                    let [Source::Node(conv)] = convs.as_slice() else {
                        panic!("{name} {i}: one branch is an identity")
                    };
                    let branch = matrix(&network, *conv..=*conv);
                    let found = norms(&network, i);
                    let sigma = (1.0 + spectral(&branch).powi(2)).sqrt();
                    close(found[1], sigma, &format!("{name} {i}"));
                    close(found[2], sigma, &format!("{name} {i}"));
                    let row = |row: &Vec<f64>| 1.0 + row.iter().map(|w| w.abs()).sum::<f64>();
                    close(found[3], branch.iter().map(row).fold(0.0, f64::max), &format!("{name} {i}"));
                }
                _ => continue,
            }
            seen += 1;
        }
        assert!(seen >= 3, "{name}: {seen}");
    }
}

#[test]
fn layers_without_a_map_are_refused() {
    let mut graph = Graph::new(&[3], 1);
    graph.push(Op::Activation(Activation::Tanh), &[Source::Input], None);
    let network = graph.network();
    assert!(matches!(LayerMap::of(&network, 0), Err(LipError::Unsupported(_))));
    assert!(matches!(LayerMap::of(&network, 1), Err(LipError::Unsupported(_))));
    // A convolution of 2^25 coefficients: named, not begun.
    let mut graph = Graph::new(&[1, 4096, 4096], 1);
    graph.conv((1, 2), 1, 1, 0, 1, Source::Input);
    assert!(matches!(LayerMap::of(&graph.network(), 0), Err(LipError::TooLarge(_))));
}
