//! Oriented-gradient features of a grey image, in integers. Trust: kernel.
//!
//! The maps are total functions on `R^(side^2)` that no data set had a part in: a family of 1024, written down here, of which a code
//! word names one by 10 bits. Every division rounds down, `isqrt` is the integer part of the square root. Docs: `docs/occam.md`.

/// Longest side of an image: with it every sum below stays under `2^62`.
pub const SIDE_LIMIT: usize = 64;
/// Number of maps; an index has 10 bits.
pub const MAPS: u16 = 1024;

/// Unit vectors of a full turn, in 1/256: `(cos, sin)` of `0, 1/n, .., (n-1)/n`.
const DIRECTIONS: [&[(i64, i64)]; 4] = [
    &[(256, 0), (0, 256), (-256, 0), (0, -256)],
    &[(256, 0), (128, 222), (-128, 222), (-256, 0), (-128, -222), (128, -222)],
    &[(256, 0), (181, 181), (0, 256), (-181, 181), (-256, 0), (-181, -181), (0, -256), (181, -181)],
    &[
        (256, 0),
        (222, 128),
        (128, 222),
        (0, 256),
        (-128, 222),
        (-222, 128),
        (-256, 0),
        (-222, -128),
        (-128, -222),
        (0, -256),
        (128, -222),
        (222, -128),
    ],
];

/// A map from images to features, of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GradientMap {
    index: u16,
}

impl GradientMap {
    pub fn new(index: u16) -> Option<GradientMap> {
        (index < MAPS).then_some(GradientMap { index })
    }

    pub fn index(self) -> u16 {
        self.index
    }

    fn field(self, shift: u16, bits: u16) -> u16 {
        (self.index >> shift) & ((1 << bits) - 1)
    }

    fn directions(self) -> &'static [(i64, i64)] {
        DIRECTIONS[usize::from(self.field(0, 2))]
    }

    /// Cells along a side: 3, 4, 5 or 7.
    fn cells(self) -> usize {
        [4, 3, 5, 7][usize::from(self.field(2, 2))]
    }

    fn drops_corners(self) -> bool {
        self.field(4, 1) == 0
    }

    fn deskews(self) -> bool {
        self.field(5, 1) == 0
    }

    fn smooths(self) -> bool {
        self.field(6, 1) == 0
    }

    /// The last feature, the same for every image.
    fn constant(self) -> i64 {
        [614, 0, 154, 307, 922, 1229, 2458, 4096][usize::from(self.field(7, 3))]
    }

    /// Number of features: one per direction and cell, and the constant.
    pub fn features(self) -> usize {
        let cells = self.cells() * self.cells() - if self.drops_corners() { 4 } else { 0 };
        self.directions().len() * cells + 1
    }

    /// The features of an image with values in `0..=255`, row by row; `None` if it is not `side` by `side` or too large.
    pub fn apply(self, image: &[u8], side: usize) -> Option<Vec<i64>> {
        if side == 0 || side > SIDE_LIMIT || image.len() != side * side {
            return None;
        }
        let straight = self.straighten(image, side);
        let energy = self.energies(&straight, side);
        let roots: Vec<i64> = energy.iter().map(|e| isqrt(*e)).collect();
        let norm = isqrt(roots.iter().map(|s| s * s).sum()).max(1);
        let scaled: Vec<i64> = roots.iter().map(|s| 4096 * s / norm).collect();
        let mean = scaled.iter().sum::<i64>().div_euclid(scaled.len() as i64);
        let g = self.cells();
        let is_corner = |cell: usize| [0, g - 1].contains(&(cell / g)) && [0, g - 1].contains(&(cell % g));
        let kept = (0..scaled.len()).filter(|i| !(self.drops_corners() && is_corner(i % (g * g))));
        let mut features: Vec<i64> = kept.map(|i| scaled[i] - mean).collect();
        features.push(self.constant());
        Some(features)
    }

    /// Shifts the centre of mass to the centre of the image and shears so that the mass stands upright: coordinates in 1/64 pixel,
    /// bilinear interpolation, values in 1/16.
    fn straighten(self, image: &[u8], side: usize) -> Vec<i64> {
        let n = side as i64;
        let (mut mass, mut sx, mut sy, mut syy, mut sxy) = (0i64, 0, 0, 0, 0);
        for (i, &value) in image.iter().enumerate() {
            let (x, y, u) = ((i % side) as i64, (i / side) as i64, i64::from(value));
            mass += u;
            sx += u * x;
            sy += u * y;
            syy += u * y * y;
            sxy += u * x * y;
        }
        let mass = mass.max(1);
        let spread = (mass * syy - sy * sy).max(1);
        let shear = if self.deskews() { (64 * (mass * sxy - sx * sy)).div_euclid(spread).clamp(-128, 128) } else { 0 };
        let (cx, cy) = (64 * sx / mass, 64 * sy / mass);
        let at = |x: i64, y: i64| {
            let inside = (0..n).contains(&x) && (0..n).contains(&y);
            if inside { i64::from(image[(y * n + x) as usize]) } else { 0 }
        };
        let mut straight = Vec::with_capacity(image.len());
        for y in 0..n {
            for x in 0..n {
                let xs = 64 * x + (shear * (2 * y - (n - 1))).div_euclid(2) + cx - 32 * (n - 1);
                let ys = 64 * y + cy - 32 * (n - 1);
                let (x0, y0, fx, fy) = (xs.div_euclid(64), ys.div_euclid(64), xs.rem_euclid(64), ys.rem_euclid(64));
                let upper = at(x0, y0) * (64 - fx) + at(x0 + 1, y0) * fx;
                let lower = at(x0, y0 + 1) * (64 - fx) + at(x0 + 1, y0 + 1) * fx;
                straight.push((upper * (64 - fy) + lower * fy) / 256);
            }
        }
        straight
    }

    /// For each direction and cell the sum of squares of the positive part of the directional derivative (Sobel), after a sum
    /// over 3 by 3 neighbours where the map smooths. Outside the image everything is 0.
    fn energies(self, image: &[i64], side: usize) -> Vec<i64> {
        let (directions, g) = (self.directions(), self.cells());
        let reach = usize::from(self.smooths());
        // How often position t is counted in each cell: once for every position of the cell within reach.
        let shares: Vec<Vec<(usize, i64)>> = (0..side)
            .map(|t| {
                let mut counts = vec![0; g];
                for near in t.saturating_sub(reach)..=(t + reach).min(side - 1) {
                    counts[near * g / side] += 1;
                }
                counts.into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
            })
            .collect();
        let mut energy = vec![0i64; directions.len() * g * g];
        let row = |y: usize| -> &[i64] { &image[y * side..(y + 1) * side] };
        let zeros = vec![0i64; side];
        for y in 0..side {
            let above = if y > 0 { row(y - 1) } else { &zeros[..] };
            let below = if y + 1 < side { row(y + 1) } else { &zeros[..] };
            let here = row(y);
            for x in 0..side {
                let left = |row: &[i64]| if x > 0 { row[x - 1] } else { 0 };
                let right = |row: &[i64]| if x + 1 < side { row[x + 1] } else { 0 };
                let gx = right(above) - left(above) + 2 * (right(here) - left(here)) + right(below) - left(below);
                let gy = left(below) - left(above) + 2 * (below[x] - above[x]) + right(below) - right(above);
                if gx == 0 && gy == 0 {
                    continue;
                }
                for (direction, (c, s)) in directions.iter().enumerate() {
                    let along = (c * gx + s * gy) >> 8;
                    if along <= 0 {
                        continue;
                    }
                    for &(cy, ny) in &shares[y] {
                        for &(cx, nx) in &shares[x] {
                            energy[(direction * g + cy) * g + cx] += ny * nx * along * along;
                        }
                    }
                }
            }
        }
        energy
    }
}

/// The integer part of the square root of `n >= 0`.
fn isqrt(n: i64) -> i64 {
    n.max(0).isqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(side: usize) -> Vec<u8> {
        let value = |x: usize, y: usize| if (x + 2 * y) % 5 < 3 { (37 * x + 91 * y + 13 * x * y) % 256 } else { 0 };
        (0..side * side).map(|i| value(i % side, i / side) as u8).collect()
    }

    fn digest(features: &[i64]) -> i128 {
        features.iter().fold(0, |h, f| (h * 1_000_003 + i128::from(*f)).rem_euclid((1 << 61) - 1))
    }

    #[test]
    fn features_are_those_of_an_independent_program() {
        // Computed in Python from the description in docs/occam.md, with box sums written out.
        for (side, map, count, first, expected) in [
            (28, 1, 73, [10, -87, -55], 848_574_614_849_882_324),
            (28, 0, 49, [16, -103, -64], 2_299_892_985_073_074_363),
            (9, 2, 97, [-74, -57, 33], 1_150_546_226_279_441_508),
            (8, 3, 145, [-115, -143, 189], 1_320_672_352_363_492_890),
            (28, 5, 31, [-30, -108, -65], 869_938_987_920_061_347),
            (17, 26, 201, [32, -76, -24], 1_556_630_919_208_363_166),
            (28, 45, 271, [-62, -7, 0], 579_533_878_175_241_019),
            (11, 65, 73, [-36, -88, 56], 326_269_707_669_477_727),
            (28, 1023, 589, [28, -22, 3], 1_381_118_288_063_392_542),
            (1, 1, 73, [0, 0, 0], 614),
            (3, 13, 271, [-89, 499, -89], 1_289_188_129_534_371_815),
        ] {
            let map = GradientMap::new(map).expect("a map");
            let features = map.apply(&image(side), side).expect("features");
            assert_eq!((features.len(), map.features()), (count, count));
            assert_eq!((&features[..3], digest(&features)), (&first[..], expected), "{side} {map:?}");
        }
    }

    #[test]
    fn the_largest_image_stays_within_64_bits() {
        let white = vec![255; SIDE_LIMIT * SIDE_LIMIT];
        let checkers: Vec<u8> = (0..64 * 64).map(|i| if (i / 4 + i / 256) % 2 == 0 { 255 } else { 0 }).collect();
        let last: Vec<u8> = (0..64 * 64).map(|i| if i >= 64 * 63 { 255 } else { 0 }).collect();
        for image in [&white, &checkers, &last] {
            for map in 0..MAPS {
                let features = GradientMap::new(map).and_then(|map| map.apply(image, 64)).expect("features");
                // Each is a part of a vector of norm 4096 minus its mean, or the constant.
                assert!(features.iter().all(|f| f.abs() <= 4096));
            }
        }
        let map = GradientMap::new(0).expect("a map");
        assert_eq!((map.apply(&white, 65), map.apply(&white, 63), map.apply(&[], 0)), (None, None, None));
        assert_eq!(GradientMap::new(MAPS), None);
    }
}
