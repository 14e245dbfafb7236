//! Ternary readouts: `argmax_c Q_c phi(x)` with a map `phi` of [`GradientMap`] and every entry of `Q` in {-1, 0, 1}. Trust: kernel.
//!
//! Pixels are brought to 0..255 by `floor(255 x + 1/2)`, cut to that range, so that the classifier is a total function of the
//! real vector `x` and everything after the pixels is integer arithmetic.

use super::eval::EvalError;
use super::gradient::GradientMap;
use super::net::{Network, Op, Source, Weight};
use super::object::Examples;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};

pub struct Readout {
    map: GradientMap,
    side: usize,
    /// For every class the features that count, with their signs.
    rows: Vec<Vec<(usize, bool)>>,
}

/// -1, 0 or 1, where the weight is one of these.
fn trit(weight: &Weight) -> Option<i8> {
    let (m, e) = (weight.mantissa, weight.exponent);
    match (m, u32::try_from(-i32::from(e))) {
        (0, _) => Some(0),
        // m 2^e = ±1 with e <= 0.
        (m, Ok(places)) if places < 63 && m.unsigned_abs() == 1 << places => Some(if m > 0 { 1 } else { -1 }),
        _ => None,
    }
}

impl Readout {
    /// The network as a ternary readout; `None` if it is anything else.
    pub fn of(network: &Network) -> Option<Readout> {
        let architecture = network.architecture();
        let ([features, dense], [inputs]) = (&architecture.nodes[..], &architecture.input[..]) else { return None };
        let (Op::Gradients(map), Op::Dense { bias: false, .. }) = (&features.op, &dense.op) else { return None };
        if features.inputs != [Source::Input] || dense.inputs != [Source::Node(0)] {
            return None;
        }
        let weights = &network.parameters().get(1)?.as_ref()?.weight;
        let mut rows = Vec::new();
        for row in weights.data.chunks(map.features()) {
            let mut signs = Vec::new();
            for (j, weight) in row.iter().enumerate() {
                match trit(weight)? {
                    0 => {}
                    sign => signs.push((j, sign > 0)),
                }
            }
            rows.push(signs);
        }
        Some(Readout { map: *map, side: usize::try_from(inputs.isqrt()).ok()?, rows })
    }

    /// Number of misclassified examples; a tie is an error. Errors: examples that are no images of this size.
    pub fn errors(&self, examples: &Examples) -> Result<usize, EvalError> {
        let mut errors = 0;
        for (row, &label) in examples.values.chunks(examples.dimension.max(1)).zip(&examples.labels) {
            let image: Vec<u8> = row.iter().map(|weight| pixel(weight, &examples.scale)).collect();
            let Some(features) = self.map.apply(&image, self.side) else {
                let side = self.side;
                return Err(EvalError::Meaningless(format!(
                    "expected images of {side} by {side}, found {}",
                    row.len()
                )));
            };
            let logit = |signs: &Vec<(usize, bool)>| -> i64 {
                signs.iter().map(|&(j, is_plus)| if is_plus { features[j] } else { -features[j] }).sum()
            };
            let logits: Vec<i64> = self.rows.iter().map(logit).collect();
            let own = usize::try_from(label).ok().and_then(|label| logits.get(label).map(|own| (label, *own)));
            let is_right = own.is_some_and(|(label, own)| {
                logits.iter().enumerate().all(|(class, other)| class == label || *other < own)
            });
            errors += usize::from(!is_right);
        }
        Ok(errors)
    }
}

/// `floor(255 x + 1/2)` for the exact `x = value * scale`, cut to 0..255.
pub fn pixel(value: &Weight, scale: &BigRational) -> u8 {
    let (m, e) = (i128::from(value.mantissa), value.exponent);
    let small = (scale.numer().to_i32(), scale.denom().to_i32());
    let rounded = match (small, (-62..=0).contains(&e)) {
        // (510 m p + q 2^-e) / (2 q 2^-e), rounded down; the numerator is below 2^9 2^63 2^31 + 2^31 2^62.
        ((Some(p), Some(q)), true) => {
            let unit = i128::from(q) << -e;
            let doubled = 510 * m * i128::from(p) + unit;
            if q == 1 { doubled >> (1 - e) } else { Integer::div_floor(&doubled, &(2 * unit)) }
        }
        _ => {
            let power = BigInt::one() << e.unsigned_abs();
            let power = if e >= 0 { BigRational::from(power) } else { BigRational::new(BigInt::one(), power) };
            let half = BigRational::new(BigInt::one(), BigInt::from(2));
            let x = BigRational::from(BigInt::from(255 * m)) * power * scale + half;
            x.floor().to_integer().clamp(BigInt::from(0), BigInt::from(255)).to_i128().unwrap_or(0)
        }
    };
    u8::try_from(rounded.clamp(0, 255)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_rounded_to_nearest_and_cut() {
        let weight = |mantissa, exponent| Weight { mantissa, exponent };
        let one = BigRational::one();
        let byte = BigRational::new(1.into(), 255.into());
        for k in 0..=255i64 {
            // The f32 nearest to k/255, and the exact rational.
            let float = (k as f32 / 255.0).to_bits();
            let float = if k == 0 {
                weight(0, 0)
            } else {
                weight(i64::from((float & 0x7f_ffff) | 0x80_0000), (float >> 23) as i16 - 150)
            };
            assert_eq!(i64::from(pixel(&float, &one)), k);
            assert_eq!(i64::from(pixel(&weight(k, 0), &byte)), k);
        }
        // 255/2 rounds up; values outside are cut; shifts beyond the fast path agree.
        assert_eq!(pixel(&weight(1, -1), &one), 128);
        assert_eq!((pixel(&weight(-3, 0), &one), pixel(&weight(5, 40), &one)), (0, 255));
        assert_eq!(pixel(&weight(1, -100), &BigRational::from(BigInt::one() << 99)), 128);
    }

    #[test]
    fn trits() {
        let of = |mantissa, exponent| trit(&Weight { mantissa, exponent });
        assert_eq!((of(0, 5), of(4, -2), of(-1, 0)), (Some(0), Some(1), Some(-1)));
        assert_eq!((of(2, 0), of(1, -1), of(1, 1), of(i64::MIN, -63)), (None, None, None, None));
    }
}
