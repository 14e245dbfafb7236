//! The Gibbs risk on a sample of a law with noise in the last layer, by quadrature. Trust: kernel.
//!
//! Given the input `h` of the last layer, its outputs are independent normals with the means `m_c` of the mean network and one
//! variance `v^2 = s^2 (|h|^2 + 1)`, `s^2` the law's variance (without biases `s^2 |h|^2`). With the noise of the label's output
//! written `v t`, an example of label `y` is classified rightly with probability
//!
//!   `integral of g(t) dPhi(t)`,  `g(t) = prod over c != y of Phi((m_y - m_c)/v + t)`.
//!
//! `g` increases from 0 to 1, so on a grid `t_0 < .. < t_N` the sums of `g(t_i) (Phi(t_(i+1)) - Phi(t_i))` and of
//! `g(t_(i+1)) (Phi(t_(i+1)) - Phi(t_i))` enclose the integral over `[t_0, t_N]`; beyond it `g` lies between 0 or its last value
//! and its first value or 1. Values of `Phi` come from a table of enclosures, and arguments are rounded to its grid outward:
//! that costs width, not truth.

use super::eval::EvalError;
use super::forward::{Forward, LastLayer};
use super::net::Network;
use super::object::Examples;
use super::real::{Enclosure, RealError};
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::sync::OnceLock;

/// Table entries per unit.
pub(super) const STEPS: i128 = 512;
/// The table reaches from -8 to 8: `Phi(-8) < 10^-15`.
const REACH: i128 = 8 * STEPS;
/// The grid of the quadrature: 1/64, from -6 to 6.
const NODE: i128 = STEPS / 64;
const END: i128 = 6 * STEPS;
/// Probabilities are integers in units of `2^-60`.
pub(super) const UNIT_BITS: u32 = 60;
const UNIT: u128 = 1 << UNIT_BITS;

/// Enclosures of `Phi(k/STEPS)` for `0 <= k <= REACH`.
pub(super) struct Table {
    low: Vec<u128>,
    high: Vec<u128>,
}

impl Table {
    fn new() -> Result<Table, RealError> {
        let bits = 80;
        let root = Enclosure::exact_int(2).sqrt(bits)?;
        let unit = BigRational::from(BigInt::one() << UNIT_BITS);
        let (mut low, mut high) = (Vec::new(), Vec::new());
        for k in 0..=REACH {
            let x = Enclosure::point(&BigRational::new(BigInt::from(k), BigInt::from(STEPS)), bits);
            let phi = Enclosure::exact_int(1).add(&x.div(&root, bits)?.erf(bits)?, bits);
            let phi = phi.div(&Enclosure::exact_int(2), bits)?;
            let end = |end: Option<&super::real::Dyadic>| end.and_then(|end| end.to_rational().ok());
            let floor = end(phi.lo()).and_then(|lo| (lo * &unit).floor().to_integer().to_u128());
            let ceil = end(phi.hi()).and_then(|hi| (hi * &unit).ceil().to_integer().to_u128());
            low.push(floor.unwrap_or(0));
            high.push(ceil.unwrap_or(UNIT).min(UNIT));
        }
        Ok(Table { low, high })
    }

    pub(super) fn shared() -> Result<&'static Table, EvalError> {
        static TABLE: OnceLock<Result<Table, RealError>> = OnceLock::new();
        TABLE.get_or_init(Table::new).as_ref().map_err(|error| error.clone().into())
    }

    /// At most `Phi(k/STEPS)`.
    pub(super) fn below(&self, k: i128) -> u128 {
        match usize::try_from(k.min(REACH)) {
            Ok(k) => self.low[k],
            // Phi(-x) = 1 - Phi(x); beyond the table nothing is known but Phi >= 0.
            Err(_) if -k <= REACH => UNIT - self.high[(-k) as usize],
            Err(_) => 0,
        }
    }

    /// At least `Phi(k/STEPS)`.
    pub(super) fn above(&self, k: i128) -> u128 {
        match usize::try_from(k) {
            Ok(k) if k as i128 <= REACH => self.high[k],
            Ok(_) => UNIT,
            Err(_) => UNIT - self.low[(-k).min(REACH) as usize],
        }
    }

    /// Enclosure of the probability of a right answer, given enclosures of `(m_y - m_c)/v` in units of the table.
    fn right(&self, gaps: &[(i128, i128)]) -> (u128, u128) {
        let low_at = |t: i128| {
            gaps.iter().try_fold(UNIT, |product, (low, _)| match (product * self.below(low + t)) >> UNIT_BITS {
                0 => None,
                product => Some(product),
            })
        };
        let high_at =
            |t: i128| gaps.iter().fold(UNIT, |product, (_, high)| (product * self.above(high + t)).div_ceil(UNIT));
        // Left of the grid g is between 0 and g(-6), right of it between g(6) and 1.
        let mut low = low_at(END).unwrap_or(0) * (UNIT - self.above(END));
        let mut high = high_at(-END) * self.above(-END) + UNIT * (UNIT - self.below(END));
        let mut t = -END;
        while t < END {
            let next = t + NODE;
            low += low_at(t).unwrap_or(0) * self.below(next).saturating_sub(self.above(t));
            high += high_at(next) * (self.above(next) - self.below(t));
            t = next;
        }
        (low >> UNIT_BITS, high.div_ceil(UNIT).min(UNIT))
    }
}

/// Integer ends of `gap / v` in units of the table, for an enclosure of `gap` and `0 < v_low <= v <= v_high`.
fn quotient(gap: (i128, i128), v: (i128, i128)) -> Option<(i128, i128)> {
    let scaled = (gap.0.checked_mul(STEPS)?, gap.1.checked_mul(STEPS)?);
    // The quotient is smallest with the larger v where the gap is positive, with the smaller one where it is negative.
    let low = scaled.0.div_euclid(if scaled.0 >= 0 { v.1 } else { v.0 });
    let high = -(-scaled.1).div_euclid(if scaled.1 >= 0 { v.0 } else { v.1 });
    // Far outside the table only the side matters.
    Some((low.clamp(-4 * REACH, 4 * REACH), high.clamp(-4 * REACH, 4 * REACH)))
}

/// An enclosure of `v` in units of the pass's grid; `None` where it may be 0 or is too large.
pub(super) fn deviation(variance: &BigRational, layer: &LastLayer) -> Option<(i128, i128)> {
    if variance.is_negative() {
        return None;
    }
    let (mut low, mut high): (i128, i128) = (0, 0);
    for (a, b) in &layer.inputs {
        let nearest = if *a <= 0 && *b >= 0 { 0 } else { a.abs().min(b.abs()) };
        let farthest = a.abs().max(b.abs());
        low = low.checked_add(nearest.checked_mul(nearest)?)?;
        high = high.checked_add(farthest.checked_mul(farthest)?)?;
    }
    if layer.has_bias {
        let one = 1i128 << (2 * layer.grid);
        (low, high) = (low.checked_add(one)?, high.checked_add(one)?);
    }
    let below = (variance.numer() * low).div_floor(variance.denom()).sqrt();
    let above = (variance.numer() * high).div_floor(variance.denom()).sqrt() + BigInt::one();
    let (below, above) = (below.to_i128()?, above.to_i128()?);
    (below > 0).then_some((below, above))
}

/// Enclosure of the probability of a right answer on one example, in units of `2^-60`.
fn right(table: &Table, variance: &BigRational, layer: &LastLayer, label: u32) -> Option<(u128, u128)> {
    let v = deviation(variance, layer)?;
    if let [(low, high)] = layer.outputs[..] {
        // One output: class 1 where it is >= 0. A value of exactly 0 has probability 0.
        let gap = match label {
            0 => (-high, -low),
            1 => (low, high),
            _ => return None,
        };
        let (low, high) = quotient(gap, v)?;
        return Some((table.below(low), table.above(high)));
    }
    let own = usize::try_from(label).ok()?;
    let (own_low, own_high) = *layer.outputs.get(own)?;
    let rivals = layer.outputs.iter().enumerate().filter(|(class, _)| *class != own);
    let gaps: Option<Vec<_>> = rivals.map(|(_, (low, high))| quotient((own_low - high, own_high - low), v)).collect();
    Some(table.right(&gaps?))
}

/// Enclosure of the mean over the examples of the probability of an error. An example whose values are beyond every grid, or
/// whose outputs may have no noise, may have any probability. Errors: a network without a forward pass, an empty sample.
pub fn error(
    network: &Network,
    variance: &BigRational,
    examples: &Examples,
) -> Result<(BigRational, BigRational), EvalError> {
    let table = Table::shared()?;
    let forward = Forward::of(network)?;
    let (mut low, mut high) = (0u128, 0u128);
    for (row, &label) in examples.values.chunks(examples.dimension.max(1)).zip(&examples.labels) {
        let layer = match forward.last_layer(row, &examples.scale) {
            Ok(layer) => Some(layer),
            Err(EvalError::TooLarge(_)) => None,
            Err(error) => return Err(error),
        };
        let (below, above) = layer.and_then(|layer| right(table, variance, &layer, label)).unwrap_or((0, UNIT));
        low += UNIT - above;
        high += UNIT - below;
    }
    let total = BigInt::from(UNIT) * examples.labels.len();
    if total.is_zero() {
        return Err(EvalError::Undefined("expected a nonempty sample, found an empty one".to_string()));
    }
    Ok((BigRational::new(BigInt::from(low), total.clone()), BigRational::new(BigInt::from(high), total)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(n: u128) -> f64 {
        n as f64 / UNIT as f64
    }

    #[test]
    fn the_table_encloses_known_values() {
        let table = Table::shared().expect("a table");
        // Phi(1), Phi(-1.5), Phi(3), Phi(-8) from mpmath.
        for (k, expected) in [
            (512, 0.841_344_746_068_542_9),
            (-768, 0.066_807_201_268_858_07),
            (1536, 0.998_650_101_968_369_9),
            (-4096, 6.220_960_574_271_785e-16),
        ] {
            assert!((share(table.below(k)) - expected).abs() < 1e-15, "{k}");
            assert!(table.below(k) <= table.above(k) && table.above(k) - table.below(k) <= 4, "{k}");
        }
        assert_eq!((table.below(-4097), table.above(4097)), (0, UNIT));
        assert!(table.above(-5000) >= table.above(-4096) && table.below(5000) == table.below(4096));
    }

    #[test]
    fn two_classes_have_a_closed_form() {
        let table = Table::shared().expect("a table");
        // P(g + N_y > N_c) = Phi(g/sqrt 2): mpmath, for g = 0, 1, -2, 5.
        for (gap, expected) in [
            (0, 0.5),
            (512, 0.760_249_938_906_523_3),
            (-1024, 0.078_649_603_525_142_6),
            (2560, 0.999_796_521_312_876_4),
        ] {
            let (low, high) = table.right(&[(gap, gap)]);
            assert!(share(low) <= expected && expected <= share(high), "{gap} {} {}", share(low), share(high));
            assert!(share(high - low) < 0.006, "{gap}");
        }
    }

    #[test]
    fn equal_outputs_are_right_one_time_in_all_classes() {
        let table = Table::shared().expect("a table");
        for classes in [2usize, 3, 10] {
            let (low, high) = table.right(&vec![(0, 0); classes - 1]);
            let expected = 1.0 / classes as f64;
            assert!(share(low) <= expected && expected <= share(high), "{classes}");
            assert!(share(high - low) < 0.01, "{classes}");
        }
        // Wider arguments give wider results.
        let (inner, outer) = (table.right(&[(10, 20), (300, 310)]), table.right(&[(5, 25), (290, 320)]));
        assert!(outer.0 <= inner.0 && inner.1 <= outer.1);
    }

    #[test]
    fn quotients_are_rounded_outward() {
        assert_eq!(quotient((3, 3), (2, 2)), Some((768, 768)));
        assert_eq!(quotient((-3, 3), (2, 4)), Some((-768, 768)));
        assert_eq!(quotient((1, 1), (3, 3)), Some((170, 171)));
        assert_eq!(quotient((-1, -1), (3, 3)), Some((-171, -170)));
        assert_eq!(quotient((i128::MAX, i128::MAX), (1, 1)), None);
    }
}
