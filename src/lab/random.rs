//! Pseudo-random numbers, the same on every machine. Trust: untrusted.
//!
//! xoshiro256++ (Blackman and Vigna 2021, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4)), its state filled
//! by SplitMix64 (Steele, Lea and Flood 2014) as the authors advise. Integers only; floats are made from the top 53 bits.

use super::elementary::ln;

/// What a stream of random numbers is for. One seed serves several uses without sharing numbers between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Data,
    Weights,
    Order,
    Distortions,
    Other(u32),
}

impl Stream {
    fn id(self) -> u64 {
        match self {
            Stream::Data => 1,
            Stream::Weights => 2,
            Stream::Order => 3,
            Stream::Distortions => 4,
            Stream::Other(n) => (1 << 32) + u64::from(n),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
    /// The second variate of the polar method.
    spare: Option<f64>,
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    pub fn new(seed: u64, stream: Stream) -> Random {
        let (mut of_seed, mut of_stream) = (seed, stream.id());
        // Mixed before they meet: seed 1, stream 2 shall not be seed 2, stream 1.
        let mut state = split_mix(&mut of_seed) ^ split_mix(&mut of_stream).rotate_left(32);
        let state = std::array::from_fn(|_| split_mix(&mut state));
        Random { state, spare: None }
    }

    pub fn next_u64(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform on the multiples of 2^-53 in `[0, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on `0..n` (0 for `n = 0`), without bias: multiply and reject (Lemire 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    pub fn coin(&mut self) -> bool {
        self.next_u64() >> 63 == 1
    }

    /// Standard normal variate by the polar method (Marsaglia and Bray 1964).
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let u = 2.0 * self.uniform() - 1.0;
            let v = 2.0 * self.uniform() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let scale = (-2.0 * ln(s) / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// A uniformly random order (Fisher and Yates 1938, Durstenfeld 1964).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let j = self.below(i as u64 + 1) as usize;
            items.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_values() {
        // SplitMix64 from state 1234567: the reference values published with the algorithm (prng.di.unimi.it, Rosetta Code).
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
        // xoshiro256++ from state (1, 2, 3, 4): the values of the `rand_xoshiro` crate's test, made with the authors' C code.
        let mut random = Random { state: [1, 2, 3, 4], spare: None };
        for expected in [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386] {
            assert_eq!(random.next_u64(), expected);
        }
    }

    #[test]
    fn streams_and_seeds_differ() {
        let first = |seed, stream| Random::new(seed, stream).next_u64();
        assert_ne!(first(1, Stream::Data), first(1, Stream::Weights));
        assert_ne!(first(1, Stream::Weights), first(2, Stream::Data));
        assert_ne!(first(1, Stream::Data), first(2, Stream::Data));
        assert_eq!(first(1, Stream::Order), first(1, Stream::Order));
    }

    #[test]
    fn moments_and_range() {
        let mut random = Random::new(3, Stream::Other(0));
        let n = 100_000;
        let (mut sum, mut squares, mut heads) = (0.0, 0.0, 0);
        for _ in 0..n {
            let x = random.normal();
            sum += x;
            squares += x * x;
            heads += i32::from(random.coin());
            assert!(random.below(7) < 7);
            let u = random.uniform();
            assert!((0.0..1.0).contains(&u));
        }
        // Five standard deviations each.
        assert!((sum / f64::from(n)).abs() < 0.016);
        assert!((squares / f64::from(n) - 1.0).abs() < 0.023);
        assert!((f64::from(heads) / f64::from(n) - 0.5).abs() < 0.008);
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn shuffle_permutes() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new(5, Stream::Order).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
