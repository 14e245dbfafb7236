//! Distorted copies of images, to train on. Trust: untrusted.
//!
//! A copy at `x` is the image at `c + A (x - c) + t`: `c` the centre, `A` the identity plus numbers uniform on `±0.25`, `t` uniform on
//! `±side/10` in each coordinate. So it is turned, sheared and scaled by up to about a quarter, and moved by up to a tenth of its
//! side. Labels are kept: a digit stays what it is.

use super::mlp::LabError;
use super::random::{Random, Stream};

const LINEAR: f64 = 0.25;
/// Part of the side by which a copy is moved at most.
const SHIFT: f64 = 0.1;
/// Pixels of all copies that are accepted (2 GB while training).
const MAX_PIXELS: u128 = 1 << 28;

/// The images, row-major `[images][side * side]`, followed by `copies` rounds of distorted copies of all of them.
/// Errors: images that are not square, too many copies.
pub fn with_distorted(images: &[f64], dimension: usize, copies: usize, seed: u64) -> Result<Vec<f64>, LabError> {
    let side = dimension.isqrt();
    if side == 0 || side * side != dimension {
        return Err(LabError::Shape(format!("`distort`: expected square images, found {dimension} numbers per input")));
    }
    if (copies as u128 + 1) * images.len() as u128 > MAX_PIXELS {
        let found = format!("{copies} copies of {} images of {dimension} pixels", images.len() / dimension);
        return Err(LabError::TooLarge(format!("`distort`: expected at most 2^28 pixels in all, found {found}")));
    }
    let mut random = Random::new(seed, Stream::Distortions);
    let mut all = images.to_vec();
    all.reserve(copies * images.len());
    for _ in 0..copies {
        for image in images.chunks(dimension) {
            distort(image, side, &mut random, &mut all);
        }
    }
    Ok(all)
}

/// Appends one copy, by bilinear interpolation; what comes from outside the image is 0.
fn distort(image: &[f64], side: usize, random: &mut Random, copy: &mut Vec<f64>) {
    let mut uniform = |bound: f64| bound * (2.0 * random.uniform() - 1.0);
    let a = [1.0 + uniform(LINEAR), uniform(LINEAR), uniform(LINEAR), 1.0 + uniform(LINEAR)];
    let shift = SHIFT * side as f64;
    let t = [uniform(shift), uniform(shift)];
    let centre = (side as f64 - 1.0) / 2.0;
    let at = |x: i64, y: i64| {
        let inside = (0..side as i64).contains(&x) && (0..side as i64).contains(&y);
        if inside { image[y as usize * side + x as usize] } else { 0.0 }
    };
    for row in 0..side {
        for column in 0..side {
            let (dx, dy) = (column as f64 - centre, row as f64 - centre);
            let (x, y) = (centre + a[0] * dx + a[1] * dy + t[0], centre + a[2] * dx + a[3] * dy + t[1]);
            let (left, top) = (x.floor(), y.floor());
            let (u, v) = (x - left, y - top);
            let (i, j) = (left as i64, top as i64);
            let above = at(i, j) * (1.0 - u) + at(i + 1, j) * u;
            let below = at(i, j + 1) * (1.0 - u) + at(i + 1, j + 1) * u;
            copy.push(above * (1.0 - v) + below * v);
        }
    }
}
