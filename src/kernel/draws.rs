//! Errors of networks drawn from a law with noise in the last layer, on examples drawn from a sample. Trust: kernel.
//!
//! A draw needs one uniform number for the example and one per output. The words come from SHA-256 of a fixed text and a counter;
//! that they behave like random ones is an assumption, which the report shows. A word of 53 bits leaves the real number behind it
//! open within `2^-53`: its normal quantile is enclosed by the table of [`super::gibbs`], and a draw that this leaves undecided
//! may be an error.

use super::eval::EvalError;
use super::forward::{Forward, LastLayer};
use super::gibbs::{STEPS, Table, UNIT_BITS, deviation};
use super::net::Network;
use super::object::Examples;
use num_rational::BigRational;
use sha2::{Digest, Sha256};

/// Most draws.
pub const DRAW_LIMIT: u64 = 10_000_000;
/// What the report says of the generator.
pub const ASSUMPTION: &str = "the draws made from SHA-256 behave like independent random ones";
const TEXT: &[u8] = b"supremum draws";
const WORD_BITS: u32 = 53;

/// Words of 64 bits: four of each digest.
struct Words {
    counter: u64,
    left: Vec<u64>,
}

impl Words {
    fn next(&mut self) -> u64 {
        if self.left.is_empty() {
            let digest = Sha256::new().chain_update(TEXT).chain_update(self.counter.to_le_bytes()).finalize();
            self.counter += 1;
            let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
            self.left = digest.chunks(8).rev().map(word).collect();
        }
        self.left.pop().unwrap_or(0)
    }

    /// Uniform on `0..n`, up to a bias below `n 2^-64`, which the table's rounding dwarfs and the assumption covers.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// Bounds on the number of errors in `n` draws. Errors: a network without a forward pass, no example, too many draws.
pub fn errors(network: &Network, variance: &BigRational, examples: &Examples, n: u64) -> Result<(u64, u64), EvalError> {
    if n > DRAW_LIMIT {
        return Err(EvalError::TooLarge(format!("expected at most {DRAW_LIMIT} draws, found {n}")));
    }
    if examples.labels.is_empty() {
        return Err(EvalError::Undefined("expected a nonempty sample, found an empty one".to_string()));
    }
    let table = Table::shared()?;
    let forward = Forward::of(network)?;
    let mut layers = Vec::with_capacity(examples.labels.len());
    for row in examples.values.chunks(examples.dimension.max(1)) {
        layers.push(match forward.last_layer(row, &examples.scale) {
            Ok(layer) => deviation(variance, &layer).map(|v| (layer, v)),
            Err(EvalError::TooLarge(_)) => None,
            Err(error) => return Err(error),
        });
    }
    let mut words = Words { counter: 0, left: Vec::new() };
    let (mut certain, mut possible) = (0, 0);
    for _ in 0..n {
        let i = words.below(examples.labels.len());
        let label = examples.labels[i];
        // An example without an enclosure takes no words: the numbers of the others stay what they are, and it may be an error.
        let Some((layer, v)) = layers.get(i).and_then(Option::as_ref) else {
            possible += 1;
            continue;
        };
        match is_wrong(table, layer, *v, label, &mut words) {
            Some(false) => {}
            Some(true) => {
                certain += 1;
                possible += 1;
            }
            None => possible += 1,
        }
    }
    Ok((certain, possible))
}

/// Whether the drawn network errs; `None` where the enclosures cannot tell.
fn is_wrong(table: &Table, layer: &LastLayer, v: (i128, i128), label: u32, words: &mut Words) -> Option<bool> {
    let mut drawn = Vec::with_capacity(layer.outputs.len());
    for (low, high) in &layer.outputs {
        let noise = table.quantile(words.next() >> (64 - WORD_BITS), WORD_BITS);
        drawn.push(noise.and_then(|noise| noisy((*low, *high), v, noise)));
    }
    let own = match (&drawn[..], label) {
        ([one], 0 | 1) => {
            let (low, high) = (*one)?;
            // Class 1 where the output is >= 0.
            return match (low >= 0, high < 0) {
                (true, _) => Some(label == 0),
                (_, true) => Some(label == 1),
                _ => None,
            };
        }
        _ => usize::try_from(label).ok()?,
    };
    let (own_low, own_high) = (*drawn.get(own)?)?;
    let mut is_decided = true;
    for (_, other) in drawn.iter().enumerate().filter(|(class, _)| *class != own) {
        match other {
            Some((low, _)) if *low >= own_high => return Some(true),
            Some((_, high)) if *high < own_low => {}
            _ => is_decided = false,
        }
    }
    is_decided.then_some(false)
}

/// Enclosure of `STEPS (m + v g)` for a noise `g` in units of the table.
fn noisy(mean: (i128, i128), v: (i128, i128), noise: (i128, i128)) -> Option<(i128, i128)> {
    let low = noise.0.checked_mul(if noise.0 >= 0 { v.0 } else { v.1 })?;
    let high = noise.1.checked_mul(if noise.1 >= 0 { v.1 } else { v.0 })?;
    Some((mean.0.checked_mul(STEPS)?.checked_add(low)?, mean.1.checked_mul(STEPS)?.checked_add(high)?))
}

impl Table {
    /// Integers around the normal quantile of every number in `[word, word + 1] 2^-bits`; `None` beyond the table.
    fn quantile(&self, word: u64, bits: u32) -> Option<(i128, i128)> {
        let scale = UNIT_BITS - bits;
        let (from, to) = (u128::from(word) << scale, (u128::from(word) + 1) << scale);
        // Phi(low) <= from and Phi(high) >= to, both certain; the table increases.
        let (mut low, mut high) = (-8 * STEPS, 8 * STEPS);
        if self.above(low) > from || self.below(high) < to {
            return None;
        }
        let (mut a, mut b) = (low, high);
        while b - a > 1 {
            let middle = (a + b) / 2;
            if self.above(middle) <= from { a = middle } else { b = middle }
        }
        low = a;
        let (mut a, mut b) = (low, high);
        while b - a > 1 {
            let middle = (a + b) / 2;
            if self.below(middle) >= to { b = middle } else { a = middle }
        }
        high = b;
        Some((low, high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_enclosed() {
        let table = Table::shared().expect("a table");
        // mpmath: quantiles of 1/2, 1/4, 0.975 (as 53-bit words), in units of 1/512.
        for (word, quantile) in [
            (1u64 << 52, 0.0),
            (1 << 51, -0.674_489_750_196_081_7),
            ((0.975 * (1u64 << 53) as f64) as u64, 1.959_963_984_540_054),
        ] {
            let (low, high) = table.quantile(word, 53).expect("inside");
            let scaled = quantile * STEPS as f64;
            assert!(low as f64 <= scaled && scaled <= high as f64 && high - low <= 2, "{word} {low} {high}");
        }
        assert_eq!(table.quantile(0, 53), None);
        assert_eq!(table.quantile((1 << 53) - 1, 53), None);
    }

    #[test]
    fn words_are_those_of_sha_256() {
        let mut words = Words { counter: 0, left: Vec::new() };
        // hashlib.sha256(b"supremum draws" + (0).to_bytes(8, "little")), then 1.
        let found: Vec<u64> = (0..5).map(|_| words.next()).collect();
        assert_eq!(found, WORDS);
    }

    #[test]
    fn noise_is_scaled_outward() {
        assert_eq!(noisy((1, 2), (3, 4), (-5, 6)), Some((512 - 20, 1024 + 24)));
        assert_eq!(noisy((1, 1), (3, 4), (2, 2)), Some((512 + 6, 512 + 8)));
        assert_eq!(noisy((i128::MAX, 0), (1, 1), (0, 0)), None);
    }

    const WORDS: [u64; 5] = [
        0x3456_2a4c_4f0d_a0dd,
        0x287f_fd64_f18e_6702,
        0x0613_efc0_718f_06a7,
        0x54ac_d865_54f6_f59b,
        0x6b27_bed5_b63e_9530,
    ];
}
