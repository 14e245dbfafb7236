//! Points with a large Jacobian. Trust: untrusted; the kernel evaluates what is exhibited.
//!
//! Four deterministic searches: samples, random steps of all lengths from the best points, ascents of a smoothed norm, and steps over
//! kinks. In an ascent the slope of a neuron is averaged over a window around its argument, which gives the norm a gradient also
//! where it is piecewise constant; the windows shrink on the way. A step over a kink moves a point along the gradient of the
//! argument of one neuron, whose other slope would raise the norm to first order.

use super::branch::dyadic_point;
use super::dual::Noise;
use super::graph::{dot, ldexp, to_f64};
use super::inside::{Inside, length};
use super::rows::Rows;
use crate::kernel::lipschitz::{LowerWitness, Norm, Norms, Region, System};
use crate::kernel::net::Activation;
use crate::quantity::interrupt;
use num_traits::ToPrimitive;

/// Window widths of an ascent, and steps with each of them.
const WIDTHS: [f64; 7] = [1.0, 0.5, 0.25, 0.12, 0.06, 0.03, 0.01];
const STEPS: usize = 5;
/// Random points of which the steepest starts an ascent.
const STARTS: usize = 8;
/// Sweeps of an alternating maximization that is only compared with another.
const ROUGH: usize = 6;
const SWEEPS: usize = 200;
/// Coefficients that a search reads per try, and passes at most.
const WORK: u64 = 1_500_000;
const PASSES: u64 = 200;
/// The part of all passes that may be spent in vain.
const IDLE: u64 = 8;
/// Passes of a search that was interrupted.
const HASTY: u64 = 200;
/// Up to so many inputs or outputs the Jacobian is written out.
const SMALL: usize = 16;
/// Lines of points, each of which is replaced by what is steeper and near it.
const POOL: usize = 8;
/// Random steps between ascents, and neurons whose kinks are crossed in a round.
const BURST: usize = 96;
const KINKS: usize = 12;

/// The system in f64 rows.
pub struct Explorer<'a> {
    rows: Rows<'a>,
    norms: Norms,
    /// Square of the largest norm of a Jacobian seen, of outputs in their unit.
    pub best: f64,
    point: Vec<f64>,
    direction: Vec<f64>,
    /// Lengths of steps.
    scale: Vec<f64>,
    inside: Inside,
    /// Points of several lines with the squares of their norms, steepest first.
    pool: Vec<(f64, Vec<f64>)>,
    /// Passes through the network.
    passes: u64,
}

fn widths(region: &Region) -> Vec<f64> {
    region.lower.iter().zip(&region.upper).map(|(l, u)| to_f64(&(u - l), 0)).collect()
}

/// The norm of a Jacobian (squared), a direction that attains it (nearly), and weights of the outputs with `y . J v = |J v|`, up to
/// a factor.
struct Attaining {
    square: f64,
    direction: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Explorer<'a> {
    /// Points stay inside `region` when `bounded`; its widths set the lengths of steps.
    pub fn new(system: &'a System, norms: Norms, region: &Region, bounded: bool) -> Explorer<'a> {
        let scale = widths(region);
        Explorer {
            rows: Rows::new(system),
            norms,
            best: 0.0,
            point: Vec::new(),
            direction: vec![1.0; system.inputs],
            scale,
            inside: if bounded { Inside::new(region) } else { Inside::default() },
            pool: Vec::new(),
            passes: 0,
        }
    }

    /// Outputs are measured in units of this power of two.
    pub fn unit(&self) -> i64 {
        self.rows.unit
    }

    fn norm(&mut self, slopes: &[f64], start: &[f64], sweeps: usize) -> Attaining {
        if self.is_small() {
            return self.whole(slopes, start);
        }
        match self.norms.input {
            Norm::Linf => self.largest_row(slopes, start),
            Norm::L1 => self.largest_column(slopes, start, sweeps),
            Norm::L2 => self.power(slopes, start, sweeps),
        }
    }

    /// Whether the user asked to stop, and enough was seen to show a point.
    fn is_stopped(&self) -> bool {
        self.passes >= HASTY && interrupt::is_requested()
    }

    fn is_small(&self) -> bool {
        self.rows.system.inputs.min(self.rows.output_count()) <= SMALL
    }

    /// The norm of a Jacobian that is written out.
    fn whole(&mut self, slopes: &[f64], start: &[f64]) -> Attaining {
        let jacobian = self.rows.jacobian(slopes);
        let (inputs, outputs) = (start.len(), jacobian.len());
        self.passes += inputs.min(outputs) as u64;
        let image = |v: &[f64]| -> Vec<f64> { jacobian.iter().map(|row| dot(row, v)).collect() };
        let adjoint = |y: &[f64]| {
            let mut sum = vec![0.0; inputs];
            jacobian.iter().zip(y).for_each(|(row, y)| sum.iter_mut().zip(row).for_each(|(s, w)| *s += w * y));
            sum
        };
        let sign = |x: &f64| if *x < 0.0 { -1.0 } else { 1.0 };
        let unit = |n: usize, k: usize| -> Vec<f64> { (0..n).map(|i| f64::from(u8::from(i == k))).collect() };
        match self.norms.input {
            Norm::Linf => {
                let sizes = jacobian.iter().map(|row| length(Norm::L1, row)).enumerate();
                let (o, size) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
                let direction = jacobian.get(o).map_or_else(Vec::new, |row| row.iter().map(sign).collect());
                Attaining { square: size * size, direction, weights: unit(outputs, o) }
            }
            Norm::L1 => {
                let size = |i: usize| jacobian.iter().map(|row| row[i].abs()).sum::<f64>();
                let sizes = (0..inputs).map(|i| (i, size(i)));
                let (i, size) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
                let direction = unit(inputs, i);
                Attaining { square: size * size, weights: image(&direction).iter().map(sign).collect(), direction }
            }
            // One row attains its own norm, exactly where it is exact itself: it is scaled by a power of two only.
            Norm::L2 if outputs == 1 && length(Norm::L2, &jacobian[0]) > 0.0 => {
                let row = &jacobian[0];
                let exponent = length(Norm::Linf, row).log2().floor() as i64;
                let direction = row.iter().map(|x| ldexp(*x, -exponent)).collect();
                Attaining { square: dot(row, row), direction, weights: vec![1.0] }
            }
            Norm::L2 => {
                // Power iteration with the Gram matrix of the smaller side.
                let mut small = if outputs <= inputs { image(start) } else { start.to_vec() };
                let columns: Vec<Vec<f64>> = if outputs <= inputs {
                    jacobian.clone()
                } else {
                    (0..inputs).map(|i| jacobian.iter().map(|row| row[i]).collect()).collect()
                };
                let mut gram = vec![vec![0.0; columns.len()]; columns.len()];
                for (i, a) in columns.iter().enumerate() {
                    for (j, b) in columns.iter().enumerate().take(i + 1) {
                        gram[i][j] = dot(a, b);
                        gram[j][i] = gram[i][j];
                    }
                }
                let mut value = 0.0;
                for _ in 0..SWEEPS {
                    let size = length(Norm::L2, &small);
                    if !(size > 0.0) || !size.is_finite() {
                        break;
                    }
                    small.iter_mut().for_each(|x| *x /= size);
                    let next: Vec<f64> = gram.iter().map(|row| dot(row, &small)).collect();
                    let quotient = dot(&next, &small);
                    small = next;
                    if !(quotient > value * (1.0 + 1e-13)) {
                        break;
                    }
                    value = quotient;
                }
                let mut direction = if outputs <= inputs { adjoint(&small) } else { small };
                let size = length(Norm::L2, &direction);
                if !(size > 0.0) || !size.is_finite() {
                    return Attaining { square: 0.0, direction: start.to_vec(), weights: vec![0.0; outputs] };
                }
                direction.iter_mut().for_each(|x| *x /= size);
                let weights = image(&direction);
                Attaining { square: dot(&weights, &weights), direction, weights }
            }
        }
    }

    /// The norm from linf to linf is the largest l1 norm of a row; signs of that row attain it.
    fn largest_row(&mut self, slopes: &[f64], start: &[f64]) -> Attaining {
        let outputs = self.rows.output_count();
        let mut best = Attaining { square: 0.0, direction: start.to_vec(), weights: vec![0.0; outputs] };
        self.passes += outputs as u64;
        for o in 0..outputs {
            let mut weights = vec![0.0; outputs];
            weights[o] = 1.0;
            let row = self.rows.adjoint(slopes, &weights);
            let square = length(Norm::L1, &row).powi(2);
            if square > best.square {
                let direction = row.iter().map(|x| if *x < 0.0 { -1.0 } else { 1.0 }).collect();
                best = Attaining { square, direction, weights };
            }
        }
        best
    }

    /// The norm from l1 to l1 is the largest l1 norm of a column, found by alternating between columns and signs of outputs.
    fn largest_column(&mut self, slopes: &[f64], start: &[f64], sweeps: usize) -> Attaining {
        let outputs = self.rows.output_count();
        let largest = |v: &[f64]| v.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).map(|(i, _)| i);
        let mut best = Attaining { square: 0.0, direction: start.to_vec(), weights: vec![0.0; outputs] };
        let mut column = largest(start);
        for _ in 0..sweeps {
            let Some(i) = column else { break };
            let mut direction = vec![0.0; start.len()];
            direction[i] = 1.0;
            let (_, y) = self.rows.motion(slopes, &direction);
            self.passes += 2;
            let square = length(Norm::L1, &y).powi(2);
            if !(square > best.square) {
                break;
            }
            let weights: Vec<f64> = y.iter().map(|y| if *y < 0.0 { -1.0 } else { 1.0 }).collect();
            column = largest(&self.rows.adjoint(slopes, &weights));
            best = Attaining { square, direction, weights };
        }
        best
    }

    /// Power iteration.
    fn power(&mut self, slopes: &[f64], start: &[f64], sweeps: usize) -> Attaining {
        let mut best =
            Attaining { square: 0.0, direction: start.to_vec(), weights: vec![0.0; self.rows.output_count()] };
        let mut v = start.to_vec();
        for _ in 0..sweeps {
            let length = length(Norm::L2, &v);
            if !(length > 0.0) || !length.is_finite() {
                break;
            }
            v.iter_mut().for_each(|x| *x /= length);
            let (_, y) = self.rows.motion(slopes, &v);
            self.passes += 2;
            let square = y.iter().map(|x| x * x).sum::<f64>();
            if !(square > best.square) {
                break;
            }
            let done = square <= best.square * (1.0 + 1e-13);
            let image = self.rows.adjoint(slopes, &y);
            best = Attaining { square, direction: v, weights: y };
            v = image;
            if done {
                break;
            }
        }
        best
    }

    /// The square of the norm at a point, which is kept if it is the largest.
    fn visit(&mut self, mut x: Vec<f64>, noise: &mut Noise) -> f64 {
        self.inside.clamp(&mut x);
        let (_, slopes) = self.rows.values(&x);
        self.passes += 1;
        let start: Vec<f64> = self.direction.iter().map(|d| d + 0.1 * noise.normal()).collect();
        let mut found = self.norm(&slopes, &start, ROUGH);
        if found.square > 0.8 * self.best && self.norms.input != Norm::Linf && !self.is_small() {
            found = self.norm(&slopes, &found.direction, SWEEPS);
        }
        let square = if found.square.is_finite() { found.square } else { 0.0 };
        if square > self.best * (1.0 + 1e-13) || self.point.is_empty() {
            self.best = square;
            self.point = x;
            self.direction = found.direction;
        }
        square
    }

    /// Moves the best point a little.
    pub fn nudge(&mut self, noise: &mut Noise) {
        let scale = self.scale.clone();
        let mut x: Vec<f64> = self.point.iter().zip(&scale).map(|(x, s)| x + 1e-6 * s * noise.normal()).collect();
        self.inside.clamp(&mut x);
        let (_, slopes) = self.rows.values(&x);
        let start = self.direction.clone();
        let found = self.norm(&slopes, &start, SWEEPS);
        (self.best, self.point, self.direction) = (found.square, x, found.direction);
    }

    /// Begins a line, in the place of the least steep one.
    fn offer(&mut self, square: f64, x: Vec<f64>) {
        let place = self.pool.partition_point(|(other, _)| *other > square);
        self.pool.insert(place, (square, x));
        self.pool.truncate(POOL);
    }

    /// A line, the steep ones more often.
    fn line(&self, noise: &mut Noise) -> usize {
        (noise.uniform().powi(2) * self.pool.len() as f64) as usize
    }

    /// Replaces the end of a line by something steeper.
    fn renew(&mut self, line: usize, square: f64, x: Vec<f64>) {
        if line < self.pool.len() && square > self.pool[line].0 {
            self.pool.remove(line);
            self.offer(square, x);
        }
    }

    /// Tries the centre and random points of a region.
    pub fn sample(&mut self, region: &Region, noise: &mut Noise, tries: usize) {
        for k in 0..tries {
            if self.is_stopped() {
                return;
            }
            let mut x = draw(region, || if k == 0 { 0.5 } else { noise.uniform() });
            self.inside.clamp(&mut x);
            let square = self.visit(x.clone(), noise);
            self.offer(square, x);
        }
    }

    /// Random steps of falling length from the best point; every other step moves a few coordinates only.
    fn climb(&mut self, noise: &mut Noise, steps: usize) {
        let mut size = 0.3;
        for k in 0..steps {
            if self.point.is_empty() || self.is_stopped() {
                return;
            }
            let mut x = self.point.clone();
            let share = if k % 2 == 0 { 1.0 } else { (2.0 / x.len() as f64).max(0.1) };
            for (x, scale) in x.iter_mut().zip(&self.scale) {
                if share == 1.0 || noise.uniform() < share {
                    *x += size * scale * noise.normal();
                }
            }
            let before = self.best;
            self.visit(x, noise);
            size = if self.best > before { (size * 1.5_f64).min(1.0) } else { (size * 0.93).max(1e-7) };
        }
    }

    /// Random steps from the points of the pool, of lengths between a thousandth of the point (or of the domain) and twice that.
    fn spread(&mut self, noise: &mut Noise, steps: usize) {
        for _ in 0..steps {
            if self.is_stopped() {
                return;
            }
            let line = self.line(noise);
            let Some((_, point)) = self.pool.get(line) else { return };
            let mean = length(Norm::L1, point) / point.len().max(1) as f64;
            let size = 10f64.powf(3.3 * noise.uniform() - 3.0);
            let share = if noise.uniform() < 0.5 { 1.0 } else { (2.0 / point.len() as f64).max(0.1) };
            let mut x = point.clone();
            for (x, scale) in x.iter_mut().zip(&self.scale) {
                if share == 1.0 || noise.uniform() < share {
                    *x += size * if self.inside.is_bounded() { 0.3 * scale } else { mean } * noise.normal();
                }
            }
            self.inside.clamp(&mut x);
            let square = self.visit(x.clone(), noise);
            self.renew(line, square, x);
        }
    }

    /// Crosses the kinks of neurons whose other slope would raise the norm, from a point of the pool, as long as that helps.
    fn cross(&mut self, noise: &mut Noise) {
        let line = self.line(noise);
        let Some((mut square, mut x)) = self.pool.get(line).cloned() else { return };
        for _ in 0..KINKS {
            if self.is_stopped() {
                return;
            }
            let (_, slopes) = self.rows.values(&x);
            let start = self.direction.clone();
            let found = self.norm(&slopes, &start, ROUGH);
            let mut gains: Vec<(f64, usize)> = self
                .rows
                .gains(&slopes, &found.direction, &found.weights)
                .iter()
                .zip(&slopes)
                .zip(&self.rows.system.neurons)
                .enumerate()
                .filter_map(|(j, ((gain, slope), neuron))| {
                    let other = match &neuron.activation {
                        Activation::Relu => 1.0 - slope,
                        Activation::LeakyRelu(below) => 1.0 + below.to_f64()? - slope,
                        _ => return None,
                    };
                    let gain = gain * (other - slope);
                    (gain > 0.0).then_some((gain, j))
                })
                .collect();
            self.passes += 3;
            gains.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut next = None;
            for (_, j) in gains.into_iter().take(KINKS) {
                let (argument, gradient) = self.rows.argument(&x, &slopes, j);
                self.passes += 2;
                // The shortest step in coordinates of unit scale, and a little more.
                let steepness: f64 = gradient.iter().zip(&self.scale).map(|(g, s)| (g * s).powi(2)).sum();
                let step = -argument * (1.0 + 10f64.powf(3.0 * noise.uniform() - 3.0)) / steepness;
                if !step.is_finite() {
                    continue;
                }
                let moved = x.iter().zip(&gradient).zip(&self.scale).map(|((x, g), s)| x + step * g * s * s).collect();
                let there = self.visit(moved, noise);
                if there > square * (1.0 + 1e-12) {
                    let moved = x.iter().zip(&gradient).zip(&self.scale).map(|((x, g), s)| x + step * g * s * s);
                    next = Some((there, moved.collect()));
                    break;
                }
            }
            let Some(better) = next else { break };
            (square, x) = better;
            self.inside.clamp(&mut x);
        }
        self.renew(line, square, x);
    }

    /// Follows the gradient of the smoothed norm from a point.
    fn ascend(&mut self, mut x: Vec<f64>, noise: &mut Noise) {
        self.inside.clamp(&mut x);
        let mut v: Vec<f64> = self.direction.iter().map(|d| d + 0.3 * noise.normal()).collect();
        let mut size = 0.3;
        for width in WIDTHS {
            if self.is_stopped() {
                return;
            }
            let mut smoothed = self.rows.smoothed(&x, width);
            let mut found = self.norm(&smoothed.slopes, &v, ROUGH);
            for _ in 0..STEPS {
                let gradient = self.rows.gradient(&smoothed, &found.direction, &found.weights);
                self.passes += 4;
                // Steepest in coordinates of unit scale.
                let steepest: Vec<f64> = gradient.iter().zip(&self.scale).map(|(g, s)| g * s).collect();
                let steepness = length(Norm::L2, &steepest);
                if !(steepness > 0.0) || !steepness.is_finite() {
                    break;
                }
                let moved = x.iter().zip(&steepest).zip(&self.scale);
                let mut next: Vec<f64> = moved.map(|((x, d), s)| x + size * s * d / steepness).collect();
                self.inside.clamp(&mut next);
                let there = self.rows.smoothed(&next, width);
                let attaining = self.norm(&there.slopes, &found.direction, ROUGH);
                if attaining.square > found.square {
                    (x, smoothed, found) = (next, there, attaining);
                    size = (size * 1.5).min(2.0);
                } else {
                    size = (size * 0.5).max(1e-7);
                }
            }
            v = found.direction;
            self.visit(x.clone(), noise);
        }
    }

    /// Ascends from the steepest of some random points of a region, with a best point of its own on the way, and climbs from there.
    fn restart(&mut self, region: &Region, noise: &mut Noise, steps: usize) {
        let mut start = (f64::NEG_INFINITY, Vec::new());
        for _ in 0..STARTS {
            let mut x = draw(region, || noise.uniform());
            self.inside.clamp(&mut x);
            let (_, slopes) = self.rows.values(&x);
            let direction = self.direction.clone();
            let square = self.norm(&slopes, &direction, ROUGH).square;
            if square > start.0 {
                start = (square, x);
            }
        }
        let found = (self.best, std::mem::take(&mut self.point), self.direction.clone());
        let scale = std::mem::replace(&mut self.scale, widths(region));
        self.best = 0.0;
        self.visit(start.1.clone(), noise);
        self.ascend(start.1, noise);
        self.climb(noise, steps);
        self.scale = scale;
        self.offer(self.best, self.point.clone());
        if self.best <= found.0 {
            (self.best, self.point, self.direction) = found;
        }
    }

    /// Searches some regions in turn; `tries` scales the work.
    pub fn search(&mut self, regions: &[Region], noise: &mut Noise, tries: u64) {
        let size = self.rows.coefficients().max(1) as u64;
        let passes = (tries.saturating_mul(WORK) / size).clamp(100, tries.saturating_mul(PASSES).max(100));
        let samples = (passes / 200).clamp(2, 100) as usize;
        for region in regions {
            self.sample(region, noise, samples);
        }
        if !self.inside.is_bounded() {
            let end = self.passes + passes / 8;
            while self.passes < end && !self.is_stopped() {
                let size = 10f64.powf(3.5 * noise.uniform() - 2.0);
                let x: Vec<f64> = (0..self.scale.len()).map(|_| size * noise.normal()).collect();
                let square = self.visit(x.clone(), noise);
                self.offer(square, x);
            }
        }
        let climb = (passes / 100).clamp(4, 200) as usize;
        self.climb(noise, climb);
        // A search that has found nothing better for long is over: as long as it took to find the best, and a share of the whole.
        let mut record = (self.best, self.passes);
        for region in regions.iter().cycle() {
            if self.best > record.0 * (1.0 + 1e-6) {
                record = (self.best, self.passes);
            }
            if self.passes >= passes.min(2 * record.1 + passes / IDLE) || region.lower.is_empty() || self.is_stopped() {
                break;
            }
            self.restart(region, noise, climb / 4);
            self.spread(noise, BURST);
            self.cross(noise);
        }
        // The best point so far, once more by gradients and by small steps.
        if !self.point.is_empty() {
            self.ascend(self.point.clone(), noise);
        }
        self.climb(noise, climb);
    }

    /// The best point as something to exhibit. Smooth networks exhibit two near points.
    pub fn witness(&self) -> Option<LowerWitness> {
        if self.point.is_empty() {
            return None;
        }
        let is_exact = |activation: &Activation| match activation {
            Activation::Relu | Activation::Relu6 | Activation::HardTanh => true,
            Activation::LeakyRelu(slope) => slope.denom().trailing_zeros() == Some(slope.denom().bits() - 1),
            _ => false,
        };
        if self.rows.system.neurons.iter().all(|neuron| is_exact(&neuron.activation)) {
            let point = dyadic_point(&self.point)?;
            return Some(LowerWitness::Direction { point, direction: dyadic_point(&self.direction)? });
        }
        // Difference quotients over a short segment around the point, or around one beside it at an end of the domain.
        let reach = match self.inside.is_bounded() {
            true => self.scale.iter().fold(1.0, |least: f64, s| least.min(*s)),
            false => 1.0,
        };
        let step = (1e-6 * reach / length(Norm::Linf, &self.direction).max(1e-300)).max(1e-14);
        let half: Vec<f64> = self.direction.iter().map(|d| step * d).collect();
        let middle = self.inside.middle(&self.point, &half);
        let shifted = |sign: f64| {
            let mut x: Vec<f64> = middle.iter().zip(&half).map(|(x, h)| x + sign * h).collect();
            self.inside.clamp(&mut x);
            x
        };
        Some(LowerWitness::Pair { from: dyadic_point(&shifted(-1.0))?, to: dyadic_point(&shifted(1.0))? })
    }
}

/// A point of a box, by shares of its sides.
fn draw(region: &Region, mut share: impl FnMut() -> f64) -> Vec<f64> {
    let ends = region.lower.iter().zip(&region.upper);
    ends.map(|(l, u)| (to_f64(l, 0), to_f64(u, 0))).map(|(l, u)| l + (u - l) * share()).collect()
}
