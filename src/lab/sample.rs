//! Samples drawn from written distributions. Trust: untrusted (but what is drawn is exact: every coordinate is an f32 number).
//!
//! Points are independent and identically distributed, labels included: a label is a fair coin, not one half of the list, so any split
//! of a sample is again i.i.d. A longer sample begins with the shorter one of the same seed.

use super::elementary::sin_cos_pi;
use super::mlp::LabError;
use super::random::{Random, Stream};

/// More coordinates than this are refused (1 GB).
pub const MAX_COORDINATES: u128 = 1 << 27;

/// Points with labels. Labels are `±1`, classes `0, 1, ...`, or real targets, as the loss needs them.
///
/// INVARIANT: `dim >= 1`, at least one point, all numbers finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    inputs: Vec<f64>,
    dim: usize,
    labels: Vec<f64>,
}

impl Sample {
    /// `inputs` row-major `[points][dim]`; `labels` one or more per point.
    /// Errors: no point, lengths that do not fit, a number that is not finite.
    pub fn new(inputs: Vec<f64>, dim: usize, labels: Vec<f64>) -> Result<Sample, LabError> {
        if dim == 0 || inputs.is_empty() || !inputs.len().is_multiple_of(dim) {
            return Err(LabError::Shape(format!(
                "expected one or more points of dimension {dim}, found {} coordinates",
                inputs.len()
            )));
        }
        let points = inputs.len() / dim;
        if labels.is_empty() || !labels.len().is_multiple_of(points) {
            return Err(LabError::Shape(format!("expected labels for {points} points, found {}", labels.len())));
        }
        if let Some(bad) = inputs.iter().chain(&labels).find(|x| !x.is_finite()) {
            return Err(LabError::Shape(format!("expected finite numbers, found {bad}")));
        }
        Ok(Sample { inputs, dim, labels })
    }

    /// Row-major `[points][dim]`.
    pub fn inputs(&self) -> &[f64] {
        &self.inputs
    }

    pub fn dim(&self) -> usize {
        self.dim
    }

    pub fn labels(&self) -> &[f64] {
        &self.labels
    }

    /// Number of points, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a sample is never empty")]
    pub fn len(&self) -> usize {
        self.inputs.len() / self.dim
    }

    /// The points of a range of positions. Errors: an empty range, or one beyond the end.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Result<Sample, LabError> {
        if range.start >= range.end || range.end > self.len() {
            return Err(LabError::Shape(format!("expected points within 0..{}, found {range:?}", self.len())));
        }
        let width = self.labels.len() / self.len();
        Ok(Sample {
            inputs: self.inputs[range.start * self.dim..range.end * self.dim].to_vec(),
            dim: self.dim,
            labels: self.labels[range.start * width..range.end * width].to_vec(),
        })
    }
}

/// The value kept for a drawn coordinate: the nearest f32, without a negative zero.
fn stored(x: f64) -> f64 {
    f64::from(x as f32) + 0.0
}

fn check_size(n: usize, dim: usize) -> Result<(), LabError> {
    if n == 0 {
        return Err(LabError::Option { name: "n", expected: "1 or more points", found: "0".to_string() });
    }
    if dim == 0 {
        return Err(LabError::Option { name: "dim", expected: "1 or more", found: "0".to_string() });
    }
    if n as u128 * dim as u128 > MAX_COORDINATES {
        return Err(LabError::TooLarge(format!(
            "expected at most 2^27 coordinates, found {n} points of dimension {dim}"
        )));
    }
    Ok(())
}

fn check_scale(name: &'static str, value: f64) -> Result<(), LabError> {
    if (0.0..=1e6).contains(&value) {
        return Ok(());
    }
    Err(LabError::Option { name, expected: "a number from 0 to 1000000", found: value.to_string() })
}

/// Two interleaved half circles in the plane (those of scikit-learn). A fair coin gives `y`, `u` is uniform on `[0, 1)`, and
///
/// ```text
/// y = +1:  x = (cos pi u, sin pi u) + noise Z        y = -1:  x = (1 - cos pi u, 1/2 - sin pi u) + noise Z
/// ```
///
/// with `Z` standard normal in the plane. Errors: `n = 0` or too large, `noise` negative or not finite.
pub fn two_moons(n: usize, noise: f64, seed: u64) -> Result<Sample, LabError> {
    check_size(n, 2)?;
    check_scale("noise", noise)?;
    let mut random = Random::new(seed, Stream::Data);
    let (mut inputs, mut labels) = (Vec::with_capacity(2 * n), Vec::with_capacity(n));
    for _ in 0..n {
        let upper = random.coin();
        let (s, c) = sin_cos_pi(random.uniform());
        let (x, y, label) = if upper { (c, s, 1.0) } else { (1.0 - c, 0.5 - s, -1.0) };
        inputs.push(stored(x + noise * random.normal()));
        inputs.push(stored(y + noise * random.normal()));
        labels.push(label);
    }
    Sample::new(inputs, 2, labels)
}

/// Two normal clouds: `y` a fair coin, `x = y (distance/2) e_1 + noise Z` with `Z` standard normal in `R^dim`.
/// Errors as for [`two_moons`].
pub fn gaussian_blobs(n: usize, dim: usize, distance: f64, noise: f64, seed: u64) -> Result<Sample, LabError> {
    check_size(n, dim)?;
    check_scale("distance", distance)?;
    check_scale("noise", noise)?;
    let mut random = Random::new(seed, Stream::Data);
    let (mut inputs, mut labels) = (Vec::with_capacity(dim * n), Vec::with_capacity(n));
    for _ in 0..n {
        let label = if random.coin() { 1.0 } else { -1.0 };
        for i in 0..dim {
            let mean = if i == 0 { label * distance / 2.0 } else { 0.0 };
            inputs.push(stored(mean + noise * random.normal()));
        }
        labels.push(label);
    }
    Sample::new(inputs, dim, labels)
}

/// Uniform on the unit sphere of `R^dim`, up to the rounding of the coordinates to f32; the label is the first coordinate (by rotation
/// invariance, any linear target of norm 1). Errors as for [`two_moons`].
pub fn sphere(n: usize, dim: usize, seed: u64) -> Result<Sample, LabError> {
    check_size(n, dim)?;
    let mut random = Random::new(seed, Stream::Data);
    let (mut inputs, mut labels) = (Vec::with_capacity(dim * n), Vec::with_capacity(n));
    for _ in 0..n {
        let mut point = vec![0.0; dim];
        let mut norm = 0.0;
        while norm == 0.0 {
            point.iter_mut().for_each(|x| *x = random.normal());
            norm = point.iter().map(|x| x * x).sum::<f64>().sqrt();
        }
        point.iter_mut().for_each(|x| *x = stored(*x / norm));
        labels.push(point[0]);
        inputs.extend(point);
    }
    Sample::new(inputs, dim, labels)
}
