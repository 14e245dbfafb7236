//! Reads the small networks of `specs/lipschitz/models` (f32 safetensors, dense chains).
#![allow(dead_code, reason = "every test file uses its own part")]

use supremum::kernel::net::*;

mod chain;

pub use chain::*;

pub fn folder() -> std::path::PathBuf {
    std::env::var("LIPSCHITZ_MODELS").map_or_else(
        |_| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("specs/lipschitz/models"),
        std::path::PathBuf::from,
    )
}

/// A network `layers.{i}.weight`, `layers.{i}.bias` with ReLU between layers.
pub fn load(name: &str) -> Network {
    let bytes = std::fs::read(folder().join(format!("{name}.safetensors"))).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let read = |name: &str| -> Option<(Vec<usize>, Vec<f64>)> {
        let view = file.tensor(name).ok()?;
        let data = view.data().chunks(4).map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap()))).collect();
        Some((view.shape().to_vec(), data))
    };
    let (mut sizes, mut layers) = (Vec::new(), Vec::new());
    while let Some((shape, w)) = read(&format!("layers.{}.weight", layers.len())) {
        let bias = read(&format!("layers.{}.bias", layers.len())).map_or_else(|| vec![0.0; shape[0]], |(_, b)| b);
        if sizes.is_empty() {
            sizes.push(shape[1]);
        }
        sizes.push(shape[0]);
        layers.push((w, bias));
    }
    chain(&sizes, &Activation::Relu, &layers)
}

/// A network that PyTorch exported.
pub fn import(name: &str) -> Network {
    let folder = supremum::data::file::Folder::new(&folder()).unwrap();
    let contents = folder.read(&format!("{name}.onnx"), 1 << 24).unwrap();
    supremum::data::onnx::read(&contents, None).unwrap().network
}

/// A random dense chain with f32 parameters.
pub fn random(sizes: &[usize], activation: &Activation, seed: u64, gain: f64) -> Network {
    let mut noise = supremum::quantity::lipschitz::dual::Noise::new(seed);
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

/// The box `[low / denominator, high / denominator]^n`.
pub fn cube(n: usize, low: i64, high: i64, denominator: i64) -> supremum::kernel::lipschitz::Domain {
    let end = |k: i64| num_rational::BigRational::new(k.into(), denominator.into());
    supremum::kernel::lipschitz::Domain::new(vec![(end(low), end(high)); n]).unwrap()
}
