//! Times rigorous spectral norms of dense matrices read from a file: `cargo bench --bench spectral -- FILE`.
//!
//! The file holds little-endian u64 rows and cols, then rows * cols little-endian f64, matrix after matrix. For each round the norms
//! of all matrices are computed; one line `lower upper method seconds` per matrix and the least total of all rounds are
//! printed, in processor time of the thread. Driven by `spectral.py`, which measures numpy beside it.

use std::time::Instant;
use supremum::num::spectral::{SpectralNorm, spectral_norm};
use supremum::num::{Matrix, self_test};

const ROUNDS: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    self_test()?;
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with("--")) else {
        // Cargo starts every bench target without arguments.
        println!("usage: cargo bench --bench spectral -- FILE (see benches/spectral.py)");
        return Ok(());
    };
    let matrices = read(&std::fs::read(path)?)?;
    let mut least_total = f64::INFINITY;
    let mut least = vec![f64::INFINITY; matrices.len()];
    let mut norms: Vec<SpectralNorm> = Vec::new();
    let clock = Clock(Instant::now());
    for _ in 0..ROUNDS {
        norms.clear();
        let start = clock.seconds();
        for (matrix, least) in matrices.iter().zip(&mut least) {
            let start = clock.seconds();
            norms.push(spectral_norm(matrix)?);
            *least = least.min(clock.seconds() - start);
        }
        least_total = least_total.min(clock.seconds() - start);
    }
    for (norm, seconds) in norms.iter().zip(&least) {
        println!("{:e} {:e} {:?} {seconds:e}", norm.lower, norm.upper, norm.method);
    }
    println!("total {least_total:e}");
    Ok(())
}

/// Processor time of this thread where Linux tells it, else the time of day.
struct Clock(Instant);

impl Clock {
    fn seconds(&self) -> f64 {
        // The kernel brings the count up to date when the thread yields.
        std::thread::yield_now();
        let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
            .ok()
            .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        nanoseconds.map_or_else(|| self.0.elapsed().as_secs_f64(), |n| n as f64 * 1e-9)
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Matrix>, Box<dyn std::error::Error>> {
    let mut words = bytes.chunks_exact(8).map(|word| word.try_into().map(u64::from_le_bytes));
    let mut matrices = Vec::new();
    while let (Some(rows), Some(cols)) = (words.next().transpose()?, words.next().transpose()?) {
        let (rows, cols) = (usize::try_from(rows)?, usize::try_from(cols)?);
        let count = rows.checked_mul(cols).ok_or("too many entries")?;
        let data = words.by_ref().take(count).map(|word| word.map(f64::from_bits)).collect::<Result<Vec<f64>, _>>()?;
        matrices.push(Matrix::new(rows, cols, data)?);
    }
    Ok(matrices)
}
