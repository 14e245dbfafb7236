//! Training: gradients against differences, reproducibility to the bit, the setting of `relu_depth3`, refusals.

use std::ops::ControlFlow;
use supremum::kernel::net::{Activation, Op, Weight};
use supremum::lab::{
    Init, LabError, Loss, Mlp, Optimizer, Sample, TrainOptions, error_rate, gaussian_blobs, loss_and_gradient,
    mean_loss, sphere, train, train_from, two_moons, with_distorted,
};

/// [`hash`] of the trained network of `relu_depth3`.
const DEPTH3: &str = "79af1fe710e3dd12";

fn silent(_: usize, _: f64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn depth3() -> TrainOptions {
    TrainOptions { lr: 0.01, epochs: 200, batch: 64, seed: 7, ..TrainOptions::default() }
}

fn bits(mlp: &Mlp) -> Vec<u64> {
    mlp.parameters().iter().map(|w| w.to_bits()).collect()
}

/// FNV-1a over the bits of all parameters.
fn hash(mlp: &Mlp) -> u64 {
    bits(mlp)
        .iter()
        .flat_map(|w| w.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |h, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Compares the gradient with central differences, parameter by parameter.
fn gradient_matches(sizes: &[usize], activation: &Activation, loss: Loss, sample: &Sample) {
    let mlp = Mlp::initial(sizes, activation, Init::PyTorch, 11).unwrap();
    let (value, gradient) = loss_and_gradient(&mlp, loss, sample).unwrap();
    assert!((value - mean_loss(&mlp, loss, sample).unwrap()).abs() < 1e-12);
    let parameters = mlp.parameters();
    let h = 1e-6;
    for i in 0..parameters.len() {
        let at = |step: f64| {
            let mut moved = parameters.clone();
            moved[i] += step;
            mean_loss(&mlp.with_parameters(&moved).unwrap(), loss, sample).unwrap()
        };
        let difference = (at(h) - at(-h)) / (2.0 * h);
        assert!(
            (difference - gradient[i]).abs() < 1e-7 * (1.0 + gradient[i].abs()),
            "{loss:?} {activation:?} parameter {i}: difference {difference}, gradient {}",
            gradient[i]
        );
    }
}

#[test]
fn gradients_match_differences() {
    // 37 points: one full piece, and a last group with empty lanes.
    let moons = two_moons(37, 0.1, 5).unwrap();
    for activation in [Activation::Tanh, Activation::Softplus, Activation::Gelu, Activation::Relu] {
        gradient_matches(&[2, 5, 4, 1], &activation, Loss::Logistic, &moons);
    }
    gradient_matches(&[2, 3, 1], &Activation::Sigmoid, Loss::Squared, &moons);
    let labels: Vec<f64> = (0..37).map(|i| f64::from(i % 3)).collect();
    let classes = Sample::new(moons.inputs().to_vec(), 2, labels).unwrap();
    gradient_matches(&[2, 6, 3], &Activation::Tanh, Loss::CrossEntropy, &classes);
    let targets: Vec<f64> = (0..74).map(|i| f64::from(i) / 10.0).collect();
    let vectors = Sample::new(moons.inputs().to_vec(), 2, targets).unwrap();
    gradient_matches(&[2, 6, 2], &Activation::Silu, Loss::Squared, &vectors);
}

#[test]
fn depth3_fits_its_sample() {
    let sample = two_moons(2000, 0.1, 1).unwrap();
    let (fit, fresh) = (sample.slice(0..1000).unwrap(), sample.slice(1000..2000).unwrap());
    let mut losses = Vec::new();
    let mut record = |epoch: usize, loss: f64| {
        assert_eq!(epoch, losses.len() + 1);
        losses.push(loss);
        ControlFlow::Continue(())
    };
    let h = train(&[2, 16, 16, 1], &Activation::Relu, &depth3(), &fit, &mut record).unwrap();
    assert_eq!(losses.len(), 200);
    assert!(losses[0] < 0.7 && losses[199] < 0.05 * losses[0], "losses {} to {}", losses[0], losses[199]);
    assert!(error_rate(&h, &fit).unwrap().value().rate() <= 0.02);
    let test = error_rate(&h, &fresh).unwrap();
    assert!(test.value().rate() <= 0.02);
    let (low, high) = test.value().interval(0.95).unwrap();
    assert!(low <= test.value().rate() && test.value().rate() <= high);
    // The same bits on every IEEE 754 machine and in every build profile.
    assert_eq!(format!("{:016x}", hash(&h)), DEPTH3);
}

#[test]
fn threads_do_not_change_a_bit() {
    // Wide enough that batches run in parallel.
    let sample = gaussian_blobs(600, 20, 2.0, 1.0, 3).unwrap();
    let options = TrainOptions { lr: 0.01, epochs: 2, batch: 200, seed: 4, ..TrainOptions::default() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mlp = train(&[20, 96, 64, 1], &Activation::Tanh, &options, &sample, &mut silent).unwrap();
            let outputs: Vec<u64> = mlp.evaluate(sample.inputs()).unwrap().iter().map(|x| x.to_bits()).collect();
            (bits(&mlp), outputs)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn seeds_differ_and_repeat() {
    let sample = two_moons(100, 0.1, 1).unwrap();
    let run = |seed: u64| {
        let options = TrainOptions { epochs: 3, seed, ..depth3() };
        hash(&train(&[2, 8, 1], &Activation::Relu, &options, &sample, &mut silent).unwrap())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert_ne!(two_moons(10, 0.1, 1), two_moons(10, 0.1, 2));
    assert_eq!(two_moons(10, 0.1, 1).unwrap(), two_moons(20, 0.1, 1).unwrap().slice(0..10).unwrap());
}

#[test]
fn every_optimizer_lowers_its_loss() {
    let sample = sphere(200, 4, 2).unwrap();
    for optimizer in [Optimizer::Adam, Optimizer::Sgd { momentum: 0.0 }, Optimizer::Sgd { momentum: 0.9 }] {
        for init in [Init::PyTorch, Init::He, Init::Glorot] {
            let options = TrainOptions {
                loss: Loss::Squared,
                optimizer,
                init,
                lr: 0.01,
                epochs: 60,
                batch: 20,
                weight_decay: 1e-4,
                ..TrainOptions::default()
            };
            let before = Mlp::initial(&[4, 10, 1], &Activation::Tanh, init, options.seed).unwrap();
            let after = train_from(&before, &options, &sample, &mut silent).unwrap();
            let loss = |mlp: &Mlp| mean_loss(mlp, Loss::Squared, &sample).unwrap();
            assert!(loss(&after) < 0.1 * loss(&before), "{optimizer:?} {init:?}: {} {}", loss(&before), loss(&after));
        }
    }
}

#[test]
fn a_linear_step_is_the_closed_form() {
    // f(x) = w x + b, squared loss, one step of gradient descent from w = b = 0 on (1, 2), (3, 4):
    // gradient by w: -2 mean(y x) = -(2 + 12) = -14, by b: -2 mean(y) = -6; with lr 1/8, w = 1.75 and b = 0.75.
    let zero = Mlp::new(vec![1, 1], Activation::Identity, vec![vec![0.0]], vec![vec![0.0]]).unwrap();
    let sample = Sample::new(vec![1.0, 3.0], 1, vec![2.0, 4.0]).unwrap();
    let options = TrainOptions {
        loss: Loss::Squared,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        lr: 0.125,
        epochs: 1,
        batch: 10,
        ..TrainOptions::default()
    };
    let mlp = train_from(&zero, &options, &sample, &mut silent).unwrap();
    assert_eq!(mlp.parameters(), [1.75, 0.75]);
}

#[test]
fn the_network_is_exact() {
    let sample = two_moons(100, 0.1, 1).unwrap();
    let options = TrainOptions { epochs: 2, ..depth3() };
    let mlp = train(&[2, 5, 4, 1], &Activation::Relu, &options, &sample, &mut silent).unwrap();
    assert!(mlp.parameters().iter().all(|&w| f64::from(w as f32) == w));
    let network = mlp.to_network().unwrap();
    assert_eq!(network.weight_bits(), 32);
    let dense = network.architecture().nodes.iter().filter(|n| matches!(n.op, Op::Dense { .. })).count();
    assert_eq!((dense, network.architecture().nodes.len()), (3, 5));
    let mut exact: Vec<Weight> = Vec::new();
    for parameters in network.parameters().iter().flatten() {
        let bias = parameters.bias.as_ref().unwrap();
        exact.extend(parameters.weight.data.iter().chain(bias.data.iter()));
    }
    let floats: Vec<f64> = exact.iter().map(|w| w.mantissa as f64 * f64::from(w.exponent).exp2()).collect();
    assert_eq!(floats, mlp.parameters());
    assert_eq!(Mlp::chain_of(network.architecture()), Ok((vec![2, 5, 4, 1], Activation::Relu)));
}

#[test]
fn samples_hold_f32_numbers_of_their_distribution() {
    for sample in [two_moons(500, 0.3, 9), gaussian_blobs(500, 3, 2.0, 0.5, 9), sphere(500, 7, 9)] {
        assert!(sample.unwrap().inputs().iter().all(|&x| f64::from(x as f32) == x));
    }
    // Without noise the moons lie on their circles: |x| = 1, and |x - (1, 1/2)| = 1.
    let moons = two_moons(500, 0.0, 9).unwrap();
    let mut upper = 0;
    for (x, &y) in moons.inputs().chunks(2).zip(moons.labels()) {
        let (a, b) = if y == 1.0 { (x[0], x[1]) } else { (1.0 - x[0], 0.5 - x[1]) };
        assert!((a * a + b * b - 1.0).abs() < 1e-6 && b >= -1e-7, "{x:?} {y}");
        upper += i32::from(y == 1.0);
    }
    // Fair coins: within five standard deviations of one half.
    assert!((upper - 250).abs() < 56, "{upper}");
    for point in sphere(500, 7, 9).unwrap().inputs().chunks(7) {
        assert!((point.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-6);
    }
}

#[test]
fn bad_options_are_refused() {
    let sample = two_moons(20, 0.1, 1).unwrap();
    let run = |change: fn(&mut TrainOptions)| {
        let mut options = TrainOptions { epochs: 1, ..depth3() };
        change(&mut options);
        train(&[2, 3, 1], &Activation::Relu, &options, &sample, &mut silent)
    };
    assert!(run(|_| ()).is_ok());
    assert!(run(|o| o.epochs = 0).is_ok());
    type Change = fn(&mut TrainOptions);
    let bad: [(&str, Change); 10] = [
        ("lr", |o| o.lr = f64::NAN),
        ("lr", |o| o.lr = -0.1),
        ("lr", |o| o.lr = 0.0),
        ("lr", |o| o.lr = f64::INFINITY),
        ("batch", |o| o.batch = 0),
        ("epochs", |o| o.epochs = usize::MAX),
        ("weight_decay", |o| o.weight_decay = -1.0),
        ("weight_decay", |o| o.weight_decay = f64::NAN),
        ("momentum", |o| o.optimizer = Optimizer::Sgd { momentum: 1.0 }),
        ("momentum", |o| o.optimizer = Optimizer::Sgd { momentum: f64::NAN }),
    ];
    for (expected, change) in bad {
        match run(change) {
            Err(LabError::Option { name, .. }) => assert_eq!(name, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let message = run(|o| o.batch = 0).unwrap_err().to_string();
    assert_eq!(message, "`batch`: expected 1 or more points, found 0");
}

#[test]
fn bad_samples_and_networks_are_refused() {
    let sample = two_moons(20, 0.1, 1).unwrap();
    let run = |sizes: &[usize], activation: &Activation, loss: Loss, sample: &Sample| {
        train(sizes, activation, &TrainOptions { loss, epochs: 1, ..depth3() }, sample, &mut silent)
    };
    let relu = &Activation::Relu;
    assert!(matches!(run(&[3, 3, 1], relu, Loss::Logistic, &sample), Err(LabError::Shape(_))));
    assert!(matches!(run(&[2, 3, 2], relu, Loss::Logistic, &sample), Err(LabError::Shape(_))));
    assert!(matches!(run(&[2, 3, 2], relu, Loss::CrossEntropy, &sample), Err(LabError::Shape(_))));
    assert!(matches!(run(&[2, 3, 2], relu, Loss::Squared, &sample), Err(LabError::Shape(_))));
    assert!(matches!(run(&[2], relu, Loss::Squared, &sample), Err(LabError::Shape(_))));
    assert!(matches!(run(&[2, 3, 1], &Activation::Heaviside, Loss::Logistic, &sample), Err(LabError::Unsupported(_))));
    let zero_one = Sample::new(vec![0.0; 4], 2, vec![0.0, 1.0]).unwrap();
    assert!(matches!(run(&[2, 3, 1], relu, Loss::Logistic, &zero_one), Err(LabError::Shape(_))));
    assert!(Sample::new(vec![], 2, vec![]).is_err());
    assert!(Sample::new(vec![0.0; 3], 2, vec![1.0]).is_err());
    assert!(Sample::new(vec![0.0; 4], 2, vec![1.0; 3]).is_err());
    assert!(Sample::new(vec![f64::NAN; 2], 2, vec![1.0]).is_err());
    assert!(sample.slice(5..5).is_err() && sample.slice(0..21).is_err());
    assert!(two_moons(0, 0.1, 1).is_err());
    assert!(two_moons(usize::MAX, 0.1, 1).is_err());
    assert!(two_moons(5, -0.1, 1).is_err() && two_moons(5, f64::NAN, 1).is_err());
    assert!(sphere(5, 0, 1).is_err() && gaussian_blobs(5, 2, f64::INFINITY, 1.0, 1).is_err());
    let work = TrainOptions { epochs: 1_000_000, ..depth3() };
    let wide = train(&[2, 2000, 2000, 1], relu, &work, &sample, &mut silent);
    assert!(matches!(wide, Err(LabError::TooLarge(_))));
}

#[test]
fn divergence_and_interruption_are_errors() {
    let sample = two_moons(100, 0.1, 1).unwrap();
    let options =
        TrainOptions { loss: Loss::Squared, optimizer: Optimizer::Sgd { momentum: 0.0 }, lr: 1e5, ..depth3() };
    let run = train(&[2, 8, 1], &Activation::Relu, &options, &sample, &mut silent);
    assert!(matches!(run, Err(LabError::Diverged { .. })), "{run:?}");
    let mut stop = |epoch: usize, _: f64| if epoch == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let run = train(&[2, 8, 1], &Activation::Relu, &depth3(), &sample, &mut stop);
    assert_eq!(run, Err(LabError::Interrupted { epoch: 3 }));
}

/// The sum of all pixels, and the centre of mass from the centre of the image.
fn mass(image: &[f64], side: usize) -> (f64, f64, f64) {
    let centre = (side as f64 - 1.0) / 2.0;
    let total: f64 = image.iter().sum();
    let moment = |at: fn(usize, usize) -> usize| -> f64 {
        image.iter().enumerate().map(|(i, v)| v * (at(i, side) as f64 - centre)).sum::<f64>() / total
    };
    (total, moment(|i, side| i % side), moment(|i, side| i / side))
}

#[test]
fn distorted_copies_follow_their_originals() {
    // A dot off the centre, and a blank image.
    let side = 9;
    let mut images = vec![0.0; 2 * 81];
    images[2 * side + 4] = 200.0;
    let copies = 2000;
    let all = with_distorted(&images, 81, copies, 3).unwrap();
    assert_eq!(all.len(), (copies + 1) * images.len());
    assert_eq!(all[..162], images[..]);
    assert_eq!(all, with_distorted(&images, 81, copies, 3).unwrap());
    assert_ne!(all, with_distorted(&images, 81, copies, 4).unwrap());
    let (mut x, mut y) = (0.0, 0.0);
    for pair in all.chunks(162) {
        assert!(pair[..81].iter().all(|v| (0.0..=200.0).contains(v)));
        assert!(pair[81..].iter().all(|v| *v == 0.0));
        let (_, dx, dy) = mass(&pair[..81], side);
        // The dot at (0, -2) from the centre is shown at A^-1 ((0, -2) - t), within a pixel: |A^-1 - 1| <= 2/3 where A - 1 has rows
        // of sum at most 2/5, and t at most a ninth of the side.
        let farthest = 2.0 * (2.0 / 3.0) + 0.9 * (5.0 / 3.0) + 1.0;
        assert!(dx.abs() <= farthest && (dy + 2.0).abs() <= farthest, "{dx} {dy}");
        (x, y) = (x + dx, y + dy);
    }
    let mean = (x / (copies as f64 + 1.0), y / (copies as f64 + 1.0));
    // Both directions are equally likely.
    assert!(mean.0.abs() < 0.1 && (mean.1 + 2.0).abs() < 0.3, "{mean:?}");
}

#[test]
fn what_is_no_image_is_not_distorted() {
    assert!(matches!(with_distorted(&[0.5; 6], 3, 2, 1), Err(LabError::Shape(_))));
    assert!(matches!(with_distorted(&[0.5; 4], 4, 1 << 40, 1), Err(LabError::TooLarge(_))));
    assert_eq!(with_distorted(&[0.5; 4], 4, 0, 1).unwrap(), [0.5; 4]);
}
