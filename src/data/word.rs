//! Code words of ternary readouts, as files. Trust: checked (the kernel recomputes the length from the network itself).
//!
//! The code, for images of a given side and a given number of classes (both belong to the setting, not to the word): a bit 0 (1 opens
//! other codes), 10 bits for the feature map, the number `m` of nonzero weights, their places as a number among all subsets of size
//! `m` (Cover 1973), and `m` signs (1 is plus). A field's width follows from the fields before it, so no word begins another.
//!
//! A file is text: `readout SIDE CLASSES BITS`, then the word in hexadecimal digits, the last filled with zero bits; `#` begins a
//! remark that runs to the end of the line.

use super::error::{DataError, DataErrorKind, Result};
use super::file::Contents;
use crate::kernel::gradient::{GradientMap, SIDE_LIMIT};
use crate::kernel::net::{Architecture, Network, Node, Op, Parameters, Size, Source, Tensor, Weight};
use num_bigint::BigUint;
use num_traits::{One, Zero};

/// Most weights of a readout.
pub const WEIGHT_LIMIT: usize = 1 << 16;
/// Bits of the field for the feature map.
const MAP_BITS: usize = 10;

/// A readout as code words describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readout {
    pub side: usize,
    pub classes: usize,
    pub map: GradientMap,
    /// -1, 0 or 1, class by class.
    pub weights: Vec<i8>,
}

impl Readout {
    pub fn network(&self) -> std::result::Result<Network, crate::kernel::net::NetError> {
        let features = Node { op: Op::Gradients(self.map), inputs: vec![Source::Input] };
        let dense = Op::Dense { units: self.classes as Size, bias: false };
        let dense = Node { op: dense, inputs: vec![Source::Node(0)] };
        let input = vec![(self.side * self.side) as Size];
        let weights = self.weights.iter().map(|w| Weight { mantissa: i64::from(*w), exponent: 0 }).collect();
        let weight = Tensor::new(vec![self.classes, self.map.features()], weights)?;
        let architecture = Architecture { input, nodes: vec![features, dense] };
        Network::new(architecture, vec![None, Some(Parameters { weight, bias: None })], 2)
    }

    /// The word's bits.
    pub fn word(&self) -> Vec<bool> {
        let d = self.weights.len();
        let m = self.weights.iter().filter(|w| **w != 0).count();
        let mut bits = vec![false];
        push(&mut bits, &BigUint::from(self.map.index()), MAP_BITS);
        push(&mut bits, &BigUint::from(m), count_bits(d));
        // The number of subsets before this one: at each member, those that leave it out.
        let mut place = BigUint::zero();
        let mut subsets = binomial(d, m);
        let width = choice_bits(&subsets);
        let mut left = m;
        for (i, weight) in self.weights.iter().enumerate() {
            let (without, with) = branches(&subsets, d - i, left);
            if *weight != 0 {
                place += without;
                subsets = with;
                left -= 1;
            } else {
                subsets = without;
            }
        }
        push(&mut bits, &place, width);
        bits.extend(self.weights.iter().filter(|w| **w != 0).map(|w| *w > 0));
        bits
    }

    /// The file of this readout, with a remark on where it came from.
    pub fn text(&self, remark: &str) -> String {
        let bits = self.word();
        let mut text = format!("# {remark}\nreadout {} {} {}\n", self.side, self.classes, bits.len());
        for line in bits.chunks(4 * 64) {
            for nibble in line.chunks(4) {
                let digit = (0..4).fold(0, |n, i| 2 * n + u32::from(nibble.get(i).copied().unwrap_or(false)));
                text.push(char::from_digit(digit, 16).unwrap_or('0'));
            }
            text.push('\n');
        }
        text
    }

    /// The readout of a word. Errors: what is wrong with it.
    fn of_word(side: usize, classes: usize, bits: &[bool]) -> std::result::Result<Readout, (String, String)> {
        let mut rest = bits;
        let mut take = |width: usize, what: &str| {
            if rest.len() < width {
                return Err((format!("{width} bits for {what}"), format!("{} bits", rest.len())));
            }
            let (field, after) = rest.split_at(width);
            rest = after;
            Ok(field.iter().fold(BigUint::zero(), |n, bit| (n << 1u32) + u32::from(*bit)))
        };
        if !take(1, "the kind of code")?.is_zero() {
            return Err(("a word that begins with 0".to_string(), "1, which opens other codes".to_string()));
        }
        let index = take(MAP_BITS, "the feature map")?.iter_u32_digits().next().unwrap_or(0);
        let map = u16::try_from(index).ok().and_then(GradientMap::new);
        let Some(map) = map else { return Err(("a feature map below 1024".to_string(), index.to_string())) };
        let d = classes * map.features();
        if d == 0 || d > WEIGHT_LIMIT {
            return Err((format!("1 to {WEIGHT_LIMIT} weights"), d.to_string()));
        }
        let m = take(count_bits(d), "the number of nonzero weights")?;
        let m = m.iter_u32_digits().next().unwrap_or(0) as usize;
        if m > d {
            return Err((format!("at most {d} nonzero weights"), m.to_string()));
        }
        let mut subsets = binomial(d, m);
        let mut place = take(choice_bits(&subsets), "the places of the nonzero weights")?;
        if place >= subsets {
            return Err((format!("a subset of {m} of {d} weights"), "a number beyond the last".to_string()));
        }
        let mut weights = vec![0i8; d];
        let mut left = m;
        for (i, weight) in weights.iter_mut().enumerate() {
            let (without, with) = branches(&subsets, d - i, left);
            if place >= without {
                place -= without;
                subsets = with;
                left -= 1;
                *weight = if take(1, "a sign")?.is_zero() { -1 } else { 1 };
            } else {
                subsets = without;
            }
        }
        if !rest.is_empty() {
            return Err(("the end of the word".to_string(), format!("{} bits more", rest.len())));
        }
        Ok(Readout { side, classes, map, weights })
    }
}

fn push(bits: &mut Vec<bool>, number: &BigUint, width: usize) {
    bits.extend((0..width).rev().map(|i| number.bit(i as u64)));
}

/// Bits that tell `0..=d` apart.
fn count_bits(d: usize) -> usize {
    choice_bits(&BigUint::from(d + 1))
}

/// Bits that tell `n >= 1` things apart: `ceil(log2 n)`.
fn choice_bits(n: &BigUint) -> usize {
    (n - BigUint::one()).bits() as usize
}

/// Number of subsets of size `m` of `d` things.
fn binomial(d: usize, m: usize) -> BigUint {
    (0..m.min(d - m)).fold(BigUint::one(), |n, i| n * (d - i) / (i + 1))
}

/// Of `subsets = binomial(length, left)` those without and with the first thing.
fn branches(subsets: &BigUint, length: usize, left: usize) -> (BigUint, BigUint) {
    (subsets * (length - left) / length, subsets * left / length)
}

/// Reads a word's file. Errors: see [`DataErrorKind`].
pub fn read(contents: &Contents) -> Result<Readout> {
    let malformed = |at: &str, expected: &str, found: String| {
        let kind = DataErrorKind::Malformed { at: at.to_string(), expected: expected.to_string(), found };
        DataError::new(&contents.name, kind)
    };
    let text = std::str::from_utf8(&contents.bytes)
        .map_err(|error| malformed("text", "UTF-8", format!("byte {}", error.valid_up_to())))?;
    let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let header = lines.by_ref().find(|line| !line.is_empty()).unwrap_or_default();
    let numbers: Vec<usize> = header.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    let (true, [side, classes, length]) = (header.starts_with("readout "), &numbers[..]) else {
        return Err(malformed("first line", "`readout SIDE CLASSES BITS`", "another line".to_string()));
    };
    if !(1..=SIDE_LIMIT).contains(side) || !(2..=WEIGHT_LIMIT).contains(classes) {
        let found = format!("side {side}, {classes} classes");
        return Err(malformed("first line", "a side of 1 to 64 and at least 2 classes", found));
    }
    let mut bits = Vec::new();
    for digit in lines.flat_map(str::chars).filter(|c| !c.is_whitespace()) {
        let Some(value) = digit.to_digit(16) else {
            return Err(malformed("word", "hexadecimal digits", "another character".to_string()));
        };
        bits.extend((0..4).rev().map(|i| value >> i & 1 == 1));
    }
    if bits.len() != length.next_multiple_of(4) || bits[*length..].contains(&true) {
        let found = format!("{} bits", bits.len());
        return Err(malformed("word", &format!("{length} bits, filled with zeros to a whole digit"), found));
    }
    Readout::of_word(*side, *classes, &bits[..*length]).map_err(|(expected, found)| malformed("word", &expected, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readout(map: u16, classes: usize, weights: &[(usize, i8)]) -> Readout {
        let map = GradientMap::new(map).expect("a map");
        let mut all = vec![0; classes * map.features()];
        weights.iter().for_each(|(i, w)| all[*i] = *w);
        Readout { side: 8, classes, map, weights: all }
    }

    fn back(text: &str) -> std::result::Result<Readout, String> {
        read(&Contents::new("f.word", text.as_bytes().to_vec())).map_err(|error| error.to_string())
    }

    #[test]
    fn words_decode_to_what_they_encode() {
        let dense: Vec<(usize, i8)> = (0..2 * 49).map(|i| (i, if i % 3 == 0 { -1 } else { 1 })).collect();
        for readout in [
            readout(0, 2, &[]),
            readout(1, 10, &[(0, 1), (1, -1), (729, 1)]),
            readout(1023, 2, &[(5, -1)]),
            readout(0, 2, &dense),
        ] {
            assert_eq!(back(&readout.text("test")), Ok(readout.clone()));
            let d = readout.weights.len();
            let m = readout.weights.iter().filter(|w| **w != 0).count();
            let expected = 11 + (d as f64 + 1.0).log2().ceil() as usize + choice_bits(&binomial(d, m)) + m;
            assert_eq!(readout.word().len(), expected);
        }
        // binomial(730, 116), computed with Python's `math.comb`, has 457 bits.
        assert_eq!(choice_bits(&binomial(730, 116)), 457);
    }

    #[test]
    fn no_word_begins_another() {
        // All 3^8 readouts of the map with 4 directions and 5 cells that use the first 8 weights only.
        let mut words = Vec::new();
        for n in 0..3usize.pow(8) {
            let trits: Vec<(usize, i8)> = (0..8).map(|i| (i, (n / 3usize.pow(i as u32) % 3) as i8 - 1)).collect();
            words.push(readout(4, 2, &trits).word());
        }
        words.sort();
        for pair in words.windows(2) {
            assert!(!pair[1].starts_with(&pair[0]), "{pair:?}");
        }
    }

    #[test]
    fn altered_words_are_refused_or_decode_to_another_readout() {
        let original = readout(1, 10, &[(3, 1), (70, -1), (500, 1)]);
        let text = original.text("test");
        let digits = text.lines().last().expect("digits").to_string();
        for i in 0..digits.len() {
            for digit in "0123456789abcdef".chars() {
                let mut altered: Vec<char> = digits.chars().collect();
                if std::mem::replace(&mut altered[i], digit) != digit {
                    let altered: String = altered.into_iter().collect();
                    assert_ne!(back(&text.replace(&digits, &altered)).as_ref(), Ok(&original), "{i} {digit}");
                }
            }
        }
        for bad in
            ["", "readout 8 10", "readout 0 10 4\n0", "readout 8 10 4\nf", "readout 8 10 4\ng", "readout 8 10 400\n0"]
        {
            assert!(back(bad).is_err(), "{bad}");
        }
    }
}
