//! Times rigorous spectral norms of dense matrices read from a file: `cargo bench --bench spectral -- FILE`.
//!
//! The file holds little-endian u64 rows and cols, then rows * cols little-endian f64, matrix after matrix. For each round the norms
//! of all matrices are computed; one line `lower upper method seconds` per matrix and the least total of all rounds are
//! printed. Driven by `spectral.py`, which measures numpy beside it.

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
    for _ in 0..ROUNDS {
        norms.clear();
        let start = Instant::now();
        for (matrix, least) in matrices.iter().zip(&mut least) {
            let start = Instant::now();
            norms.push(spectral_norm(matrix)?);
            *least = least.min(start.elapsed().as_secs_f64());
        }
        least_total = least_total.min(start.elapsed().as_secs_f64());
    }
    for (norm, seconds) in norms.iter().zip(&least) {
        println!("{:e} {:e} {:?} {seconds:e}", norm.lower, norm.upper, norm.method);
    }
    println!("total {least_total:e}");
    Ok(())
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
