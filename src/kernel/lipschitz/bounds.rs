//! Ranges of the arguments of all neurons on a box. Trust: kernel.
//!
//! Each neuron's range is the intersection of the interval evaluation of its row, of the bound by backward substitution of
//! linear relaxations (Zhang, Weng, Chen, Hsieh, Daniel 2018; Singh, Gehr, Pueschel, Vechev 2019) and of the sign that a branch
//! of a tree supposes. All numbers are dyadic and rounded outwards: a coefficient that is rounded pays the rounding times the
//! range of its variable.

use super::dyadic::{Dyadic, sqrt_above};
use super::lower::norm_squared;
use super::slope::Range;
use super::system::{Affine, Row, System};
use super::{LipError, Norm};
use crate::kernel::net::Activation;
use num_rational::BigRational;
use num_traits::Signed;

/// Mantissa bits of bounds, of substituted coefficients and of the slopes of relaxing lines.
const BITS: u32 = 60;
const COEFFICIENT_BITS: u32 = 40;
const LINE_BITS: u32 = 24;

/// A box with exact rational ends, or its intersection with a ball.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    intervals: Vec<(BigRational, BigRational)>,
    ball: Option<Ball<BigRational>>,
}

/// `{ x : |x - center| <= radius }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ball<T> {
    pub center: Vec<T>,
    pub radius: T,
    pub norm: Norm,
}

impl Domain {
    /// Errors: an empty interval.
    pub fn new(intervals: Vec<(BigRational, BigRational)>) -> Result<Domain, LipError> {
        match intervals.iter().position(|(lower, upper)| lower > upper) {
            Some(position) => Err(LipError::NotPositive { what: "interval (lower end, upper end)", position }),
            None => Ok(Domain { intervals, ball: None }),
        }
    }

    /// A closed ball. Errors: a negative radius.
    pub fn ball(center: Vec<BigRational>, radius: BigRational, norm: Norm) -> Result<Domain, LipError> {
        if radius.is_negative() {
            return Err(LipError::NotPositive { what: "radius", position: 0 });
        }
        let intervals = center.iter().map(|c| (c - &radius, c + &radius)).collect();
        // A ball of linf is a box.
        let ball = (norm != Norm::Linf).then_some(Ball { center, radius, norm });
        Ok(Domain { intervals, ball })
    }

    /// A coordinate in which a point of the right dimension leaves the domain; the first, where it is the ball that it leaves.
    pub fn leaves(&self, point: &[BigRational]) -> Option<usize> {
        let outside = |(x, (lower, upper)): (&BigRational, &(BigRational, BigRational))| x < lower || x > upper;
        let position = point.iter().zip(&self.intervals).position(outside);
        position.or_else(|| self.ball.as_ref().filter(|ball| ball.excess(point).is_positive()).map(|_| 0))
    }

    /// Whether a point is in the interior of the ball, where there is one.
    pub fn is_inside_ball(&self, point: &[BigRational]) -> bool {
        self.ball.as_ref().is_none_or(|ball| ball.excess(point).is_negative())
    }

    pub fn intervals(&self) -> &[(BigRational, BigRational)] {
        &self.intervals
    }
}

impl Ball<BigRational> {
    /// `|x - center|^2 - radius^2`
    fn excess(&self, point: &[BigRational]) -> BigRational {
        let step: Vec<BigRational> = point.iter().zip(&self.center).map(|(x, c)| x - c).collect();
        norm_squared(self.norm, &step) - &self.radius * &self.radius
    }
}

impl Ball<Dyadic> {
    /// An upper bound of `coefficients . x` on the ball: at the center, plus the radius times the dual norm.
    fn maximum<'a>(&self, coefficients: impl Iterator<Item = (usize, &'a Dyadic)>) -> Dyadic {
        let (mut at_center, mut dual) = (Dyadic::ZERO, Dyadic::ZERO);
        for (v, coefficient) in coefficients {
            if let Some(center) = self.center.get(v) {
                at_center = (&at_center + &(coefficient * center)).round_up(BITS);
            }
            let size = coefficient.abs();
            dual = match self.norm {
                Norm::L1 => dual.max(size),
                Norm::L2 => (&dual + &(&size * &size)).round_up(BITS),
                Norm::Linf => (&dual + &size).round_up(BITS),
            };
        }
        if self.norm == Norm::L2 {
            dual = sqrt_above(&dual.to_rational(), BITS);
        }
        (&at_center + &(&self.radius * &dual)).round_up(BITS)
    }
}

/// A dyadic box, or its intersection with a ball: what certificates reason about. It contains the domain it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub lower: Vec<Dyadic>,
    pub upper: Vec<Dyadic>,
    pub ball: Option<Ball<Dyadic>>,
}

impl Region {
    pub fn new(domain: &Domain) -> Region {
        Region {
            lower: domain.intervals.iter().map(|(lower, _)| Dyadic::below(lower, BITS)).collect(),
            upper: domain.intervals.iter().map(|(_, upper)| Dyadic::above(upper, BITS)).collect(),
            ball: domain.ball.as_ref().map(|ball| {
                let center: Vec<Dyadic> = ball.center.iter().map(|c| Dyadic::below(c, BITS)).collect();
                // A rounded center is at most the sum of the roundings away, in every norm.
                let moved = ball.center.iter().zip(&center).map(|(c, rounded)| c - rounded.to_rational());
                let radius = moved.fold(ball.radius.clone(), |radius, step| radius + step);
                Ball { center, radius: Dyadic::above(&radius, BITS), norm: ball.norm }
            }),
        }
    }

    /// The cube `[-2^exponent, 2^exponent]^n`.
    pub fn cube(inputs: usize, exponent: i64) -> Region {
        let end = Dyadic::ONE.scaled(exponent);
        Region { lower: vec![-&end; inputs], upper: vec![end; inputs], ball: None }
    }

    /// Both halves at a point of coordinate `coordinate`. `None` outside the box.
    pub fn split(&self, coordinate: usize, at: &Dyadic) -> Option<(Region, Region)> {
        let (mut low, mut high) = (self.clone(), self.clone());
        let (upper, lower) = (low.upper.get_mut(coordinate)?, high.lower.get_mut(coordinate)?);
        if *at < *lower || *at > *upper {
            return None;
        }
        *upper = at.clone();
        *lower = at.clone();
        Some((low, high))
    }
}

/// What a branch supposes about a neuron's argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    /// `u <= 0`
    Negative,
    /// `u >= 0`
    Positive,
}

/// `a u + b`
#[derive(Clone, Debug)]
struct Line {
    slope: Dyadic,
    offset: Dyadic,
}

/// What is known of a neuron: the range of its output, and lines below and above it.
#[derive(Clone, Debug)]
struct Relaxed {
    value: (Dyadic, Dyadic),
    lower: Line,
    upper: Line,
}

/// Argument ranges without a box: only what the signs say.
pub fn signed(system: &System, signs: &[Option<Sign>]) -> Vec<Range> {
    (0..system.neurons.len()).map(|j| with_sign(Range::default(), signs.get(j).copied().flatten())).collect()
}

fn with_sign(mut range: Range, sign: Option<Sign>) -> Range {
    match sign {
        Some(Sign::Positive) => range.raise(Dyadic::ZERO),
        Some(Sign::Negative) => range.cut(Dyadic::ZERO),
        None => {}
    }
    range
}

/// Argument ranges (in units of the neuron's divisor) on a region with supposed signs. `Ok(None)` proves that no point of the
/// region has these signs.
pub fn ranges(system: &System, region: &Region, signs: &[Option<Sign>]) -> Result<Option<Vec<Range>>, LipError> {
    let found = Bounds::new(system, region, signs)?;
    Ok(found.map(|bounds| bounds.ranges))
}

/// Whether `sum weight_j * (+-u_j) < 0` on the whole region, where the sign is the supposed one: with weights `>= 0` this proves
/// that no point has the supposed signs (Farkas).
pub fn is_infeasible(
    system: &System,
    region: &Region,
    signs: &[Option<Sign>],
    weights: &[(usize, Dyadic)],
) -> Result<bool, LipError> {
    let Some(bounds) = Bounds::new(system, region, signs)? else { return Ok(true) };
    let mut coefficients = vec![Dyadic::ZERO; system.inputs + system.neurons.len()];
    let mut constant = Dyadic::ZERO;
    for (j, weight) in weights {
        let (Some(neuron), Some(Some(sign))) = (system.neurons.get(*j), signs.get(*j)) else {
            return Err(LipError::shape("weights of neurons whose sign is supposed", &format!("one of neuron {j}")));
        };
        if weight.is_negative() {
            return Err(LipError::NotPositive { what: "weight of a sign", position: *j });
        }
        let weight = if *sign == Sign::Positive { weight.clone() } else { -weight };
        constant = &constant + &(&weight * &neuron.argument.constant);
        for (v, value) in &neuron.argument.row {
            if let Some(entry) = coefficients.get_mut(*v) {
                *entry = &*entry + &(&weight * value);
            }
        }
    }
    Ok(bounds.maximum(coefficients, constant).is_negative())
}

struct Bounds<'a> {
    system: &'a System,
    region: &'a Region,
    ranges: Vec<Range>,
    relaxed: Vec<Relaxed>,
}

impl<'a> Bounds<'a> {
    fn new(system: &'a System, region: &'a Region, signs: &[Option<Sign>]) -> Result<Option<Bounds<'a>>, LipError> {
        if region.lower.len() != system.inputs || region.upper.len() != system.inputs {
            return Err(LipError::shape(
                &format!("a box of dimension {}", system.inputs),
                &region.lower.len().to_string(),
            ));
        }
        let neurons = system.neurons.len();
        let mut bounds =
            Bounds { system, region, ranges: Vec::with_capacity(neurons), relaxed: Vec::with_capacity(neurons) };
        for (j, neuron) in system.neurons.iter().enumerate() {
            let (lower, upper) = bounds.interval(&neuron.argument);
            let mut range = Range { lower: Some(lower), upper: Some(upper) };
            range = with_sign(range, signs.get(j).copied().flatten());
            let first_layer = neuron.argument.row.last().is_none_or(|(v, _)| *v < system.inputs);
            let silent = neuron.activation == Activation::Relu && range.is_at_most(&Dyadic::ZERO);
            if !first_layer && !silent && !range.is_empty() {
                range.cut(bounds.substituted(&neuron.argument, false));
                range.raise(-&bounds.substituted(&neuron.argument, true));
            }
            if range.is_empty() {
                return Ok(None);
            }
            bounds.relaxed.push(relax(&neuron.activation, neuron.argument.divisor, &range)?);
            bounds.ranges.push(range);
        }
        Ok(Some(bounds))
    }

    fn variable(&self, v: usize) -> (Dyadic, Dyadic) {
        match v.checked_sub(self.system.inputs).and_then(|j| self.relaxed.get(j)) {
            Some(relaxed) => relaxed.value.clone(),
            None => match (self.region.lower.get(v), self.region.upper.get(v)) {
                (Some(lower), Some(upper)) => (lower.clone(), upper.clone()),
                _ => (Dyadic::ZERO, Dyadic::ZERO),
            },
        }
    }

    fn interval(&self, argument: &Affine) -> (Dyadic, Dyadic) {
        let (mut lower, mut upper) = (argument.constant.clone(), argument.constant.clone());
        for (v, value) in &argument.row {
            let (low, high) = self.variable(*v);
            let (low, high) = if value.is_negative() { (high, low) } else { (low, high) };
            lower = (&lower + &(value * &low)).round_down(BITS);
            upper = (&upper + &(value * &high)).round_up(BITS);
        }
        let reads_inputs = argument.row.last().is_none_or(|(v, _)| *v < self.system.inputs);
        if let (Some(ball), true) = (&self.region.ball, reads_inputs) {
            let row = argument.row.iter().map(|(v, value)| (*v, value));
            upper = upper.min(&argument.constant + &ball.maximum(row));
            let turned: Vec<(usize, Dyadic)> = argument.row.iter().map(|(v, value)| (*v, -value)).collect();
            lower = lower.max(&argument.constant - &ball.maximum(turned.iter().map(|(v, value)| (*v, value))));
        }
        (lower, upper)
    }

    /// An upper bound of `+-(row . z + constant)`.
    fn substituted(&self, argument: &Affine, negate: bool) -> Dyadic {
        let sign = |value: &Dyadic| if negate { -value } else { value.clone() };
        let mut coefficients = vec![Dyadic::ZERO; argument.row.last().map_or(0, |(v, _)| v + 1)];
        for (v, value) in &argument.row {
            if let Some(entry) = coefficients.get_mut(*v) {
                *entry = sign(value);
            }
        }
        self.maximum(coefficients, sign(&argument.constant))
    }

    /// An upper bound of `coefficients . z + constant` by backward substitution.
    fn maximum(&self, mut coefficients: Vec<Dyadic>, constant: Dyadic) -> Dyadic {
        let mut total = constant.round_up(BITS);
        while coefficients.len() > self.system.inputs {
            let Some(exact) = coefficients.pop() else { break };
            if exact.is_zero() {
                continue;
            }
            let j = coefficients.len() - self.system.inputs;
            let (Some(relaxed), Some(neuron)) = (self.relaxed.get(j), self.system.neurons.get(j)) else { continue };
            let coefficient = exact.round_down(COEFFICIENT_BITS);
            let rest = &exact - &coefficient;
            if !rest.is_zero() {
                // rest > 0, so rest * z <= rest * (largest z).
                total = (&total + &(&rest * &relaxed.value.1)).round_up(BITS);
            }
            let line = if coefficient.is_negative() { &relaxed.lower } else { &relaxed.upper };
            let slope = &coefficient * &line.slope;
            let offset = &(&coefficient * &line.offset) + &(&slope * &neuron.argument.constant);
            total = (&total + &offset).round_up(BITS);
            add_row(&mut coefficients, &slope, &neuron.argument.row);
        }
        let mut on_box = Dyadic::ZERO;
        for (v, coefficient) in coefficients.iter().enumerate() {
            let (lower, upper) = self.variable(v);
            let end = if coefficient.is_negative() { lower } else { upper };
            on_box = (&on_box + &(coefficient * &end)).round_up(BITS);
        }
        let inputs = match &self.region.ball {
            Some(ball) => on_box.min(ball.maximum(coefficients.iter().enumerate())),
            None => on_box,
        };
        (&total + &inputs).round_up(BITS)
    }
}

fn add_row(coefficients: &mut [Dyadic], factor: &Dyadic, row: &Row) {
    if factor.is_zero() {
        return;
    }
    for (v, value) in row {
        if let Some(entry) = coefficients.get_mut(*v) {
            *entry = &*entry + &(factor * value);
        }
    }
}

fn relax(activation: &Activation, divisor: u64, range: &Range) -> Result<Relaxed, LipError> {
    let zero = || Line { slope: Dyadic::ZERO, offset: Dyadic::ZERO };
    let one = || Line { slope: Dyadic::ONE, offset: Dyadic::ZERO };
    let (Some(l), Some(u)) = (&range.lower, &range.upper) else { return Err(LipError::NotProved) };
    match activation {
        Activation::Relu if !l.is_negative() => {
            Ok(Relaxed { value: (l.clone(), u.clone()), lower: one(), upper: one() })
        }
        Activation::Relu if !u.is_positive() => {
            Ok(Relaxed { value: (Dyadic::ZERO, Dyadic::ZERO), lower: zero(), upper: zero() })
        }
        Activation::Relu => {
            // relu is convex, so a line that is above it at both ends is above it between; and it is above `a u` for a in [0, 1].
            let slope = chord_slope(u, &(u - l));
            let at_lower = -&(&slope * l);
            let at_upper = u - &(&slope * u);
            let offset = at_lower.max(at_upper);
            let lower = if u > &-l { one() } else { zero() };
            Ok(Relaxed { value: (Dyadic::ZERO, u.clone()), lower, upper: Line { slope, offset } })
        }
        other => {
            let value = super::smooth::enclose(other, divisor, l, u)?;
            // With slopes of at least a >= 0: f(l) + a (x - l) <= f(x) <= f(u) + a (x - u).
            let slope = super::slope::on(other, divisor, range)?.lower.round_down(LINE_BITS).max(Dyadic::ZERO);
            let lower = Line { offset: &value.0 - &(&slope * l), slope: slope.clone() };
            let upper = Line { offset: &value.1 - &(&slope * u), slope };
            Ok(Relaxed { value, lower, upper })
        }
    }
}

/// Some number in `[0, 1]` next to `rise / run`.
fn chord_slope(rise: &Dyadic, run: &Dyadic) -> Dyadic {
    let Some(magnitude) = run.magnitude() else { return Dyadic::ONE };
    let shift = 40 - magnitude;
    match (rise.floor_scaled(shift), run.floor_scaled(shift)) {
        (Some(rise), Some(run)) if run > 0 => {
            let quotient = (rise << LINE_BITS).div_euclid(run).clamp(0, 1 << LINE_BITS);
            Dyadic::integer(quotient as i64).scaled(-i64::from(LINE_BITS))
        }
        _ => Dyadic::ONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::lipschitz::system::Neuron;

    fn dyadic(n: i64) -> Dyadic {
        Dyadic::integer(n)
    }

    /// `u1 = x + y`, `u2 = x - y`, `u3 = relu(u1) - relu(u2)` on `[-1, 1]^2`.
    fn example() -> (System, Region) {
        let neuron = |row: Row| Neuron {
            argument: Affine { row, constant: Dyadic::ZERO, divisor: 1 },
            activation: Activation::Relu,
        };
        let neurons = vec![
            neuron(vec![(0, dyadic(1)), (1, dyadic(1))]),
            neuron(vec![(0, dyadic(1)), (1, dyadic(-1))]),
            neuron(vec![(2, dyadic(1)), (3, dyadic(-1))]),
        ];
        let outputs = vec![Affine { row: vec![(4, dyadic(1))], constant: Dyadic::ZERO, divisor: 1 }];
        let system = System { inputs: 2, neurons, groups: vec![0..2, 2..3], outputs };
        (system, Region { lower: vec![dyadic(-1); 2], upper: vec![dyadic(1); 2], ball: None })
    }

    #[test]
    fn ranges_contain_every_point_and_meet_the_extremes() {
        let (system, region) = example();
        let found = ranges(&system, &region, &[None; 3]).unwrap().unwrap();
        assert_eq!(found[0], Range { lower: Some(dyadic(-2)), upper: Some(dyadic(2)) });
        let third = &found[2];
        for (x, y) in [(-1, -1), (-1, 1), (1, -1), (1, 1), (0, 1), (0, -1)] {
            let u = dyadic(i64::max(x + y, 0) - i64::max(x - y, 0));
            assert!(*third.lower.as_ref().unwrap() <= u && u <= *third.upper.as_ref().unwrap());
        }
        // On the set where x + y >= 0 and x - y >= 0 the third argument is 2 y, at most 2.
        let both = [Some(Sign::Positive), Some(Sign::Positive), None];
        let found = ranges(&system, &region, &both).unwrap().unwrap();
        assert_eq!(found[2].upper, Some(dyadic(2)));
    }

    #[test]
    fn a_ball_is_smaller_than_its_box() {
        let (system, _) = example();
        let ratio = |n: i64, d: i64| BigRational::new(n.into(), d.into());
        for (norm, most) in [(Norm::L1, 1.0), (Norm::L2, 2f64.sqrt()), (Norm::Linf, 2.0)] {
            let domain = Domain::ball(vec![ratio(0, 1); 2], ratio(1, 1), norm).unwrap();
            let found = ranges(&system, &Region::new(&domain), &[None; 3]).unwrap().unwrap();
            // x + y is at most |(1, 1)| in the dual norm.
            let upper = num_traits::ToPrimitive::to_f64(&found[0].upper.as_ref().unwrap().to_rational()).unwrap();
            assert!(upper >= most * (1.0 - 1e-15) && upper <= most * (1.0 + 1e-12), "{norm:?} {upper}");
        }
        let third = Domain::ball(vec![ratio(1, 3); 2], ratio(1, 7), Norm::L2).unwrap();
        assert_eq!(third.leaves(&[ratio(1, 3) + ratio(1, 7), ratio(1, 3)]), None);
        assert_eq!(third.leaves(&[ratio(1, 3) + ratio(1, 8), ratio(1, 3) + ratio(1, 8)]), Some(0));
        assert!(third.is_inside_ball(&[ratio(1, 3), ratio(1, 3)]));
        assert!(!third.is_inside_ball(&[ratio(1, 3) + ratio(1, 7), ratio(1, 3)]));
        assert!(Domain::ball(vec![], ratio(-1, 1), Norm::L1).is_err());
    }

    #[test]
    fn contradictory_signs_are_found_and_possible_ones_are_not() {
        let (system, mut region) = example();
        region.lower[0] = Dyadic::ONE.scaled(-1);
        // x >= 1/2 contradicts x + y <= 0 and x - y <= 0, whose sum is 2 x <= 0; no single bound shows it.
        let both = [Some(Sign::Negative), Some(Sign::Negative), None];
        let weights = [(0, dyadic(1)), (1, dyadic(1))];
        assert_eq!(is_infeasible(&system, &region, &both, &weights), Ok(true));
        assert_eq!(is_infeasible(&system, &region, &both, &weights[..1]), Ok(false));
        let one = [Some(Sign::Negative), None, None];
        assert_eq!(is_infeasible(&system, &region, &one, &weights[..1]), Ok(false));
        assert!(is_infeasible(&system, &region, &one, &weights).is_err());
        assert!(is_infeasible(&system, &region, &both, &[(0, dyadic(-1))]).is_err());
        assert!(ranges(&system, &Region { lower: vec![], upper: vec![], ball: None }, &both).is_err());
    }
}
