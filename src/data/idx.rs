//! IDX files, the format of MNIST. Trust: checked.
//!
//! Format (Y. LeCun, "The MNIST database", 1998): two zero bytes, a type code (8: unsigned byte), the number of axes, each
//! axis as a big-endian 32-bit integer, then the data. A file that starts with the gzip magic is decompressed first.

use super::error::{Result, limit, malformed, unsupported};
use std::io::Read;

/// Most bytes after decompression.
const DECOMPRESSED_BYTES: u64 = 1 << 30;

/// Bytes in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Reads a plain or gzipped file.
pub fn read_idx(bytes: &[u8]) -> Result<Idx> {
    match bytes {
        [0x1f, 0x8b, ..] => parse(&gunzip(bytes)?),
        _ => parse(bytes),
    }
}

/// Decompresses gzip under a size limit.
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    match flate2::read::MultiGzDecoder::new(bytes).take(DECOMPRESSED_BYTES + 1).read_to_end(&mut content) {
        Ok(read) if read as u64 > DECOMPRESSED_BYTES => {
            limit("file after decompression", format!("{DECOMPRESSED_BYTES} bytes"), "more")
        }
        Ok(_) => Ok(content),
        Err(error) => malformed("gzip", "readable data", error),
    }
}

fn parse(bytes: &[u8]) -> Result<Idx> {
    let (code, rank, mut rest) = match bytes {
        [0, 0, code, rank, rest @ ..] => (*code, *rank, rest),
        _ => return malformed("IDX header", "two zero bytes, a type and a number of axes", "other bytes"),
    };
    if code != 8 {
        return unsupported(format!("IDX type 0x{code:02x}"), "header", "expected 0x08 (unsigned bytes)");
    }
    if !(1..=4).contains(&rank) {
        return malformed("IDX header", "1 to 4 axes", rank);
    }
    let mut shape = Vec::with_capacity(usize::from(rank));
    let mut size = 1usize;
    for _ in 0..rank {
        let Some((axis, after)) = rest.split_first_chunk::<4>() else {
            return malformed("IDX header", format!("{rank} axes"), "a shorter file");
        };
        let axis = usize::try_from(u32::from_be_bytes(*axis)).unwrap_or(usize::MAX);
        size = match size.checked_mul(axis) {
            Some(size) => size,
            None => return malformed("IDX header", "a size that fits 64 bits", format!("axes {shape:?}, {axis}")),
        };
        shape.push(axis);
        rest = after;
    }
    if rest.len() != size {
        return malformed("IDX data", format!("{size} bytes for axes {shape:?}"), format!("{} bytes", rest.len()));
    }
    Ok(Idx { shape, bytes: rest.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn plain_and_gzipped_agree() {
        let plain = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        let idx = read_idx(&plain).unwrap();
        assert_eq!((idx.shape.as_slice(), idx.bytes.as_slice()), ([2, 3].as_slice(), [1, 2, 3, 4, 5, 6].as_slice()));
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(&plain).unwrap();
        let gz = gz.finish().unwrap();
        assert_eq!(read_idx(&gz).unwrap(), idx);
        assert!(read_idx(&gz[..gz.len() - 9]).is_err());
    }

    #[test]
    fn bad_headers_are_refused() {
        for bad in [
            &[][..],
            &[0, 0, 8],
            &[0, 0, 9, 1, 0, 0, 0, 0],
            &[0, 0, 8, 0],
            &[0, 0, 8, 5],
            &[0, 0, 8, 1, 0, 0, 0, 2, 7],
            &[0, 0, 8, 1, 0, 0, 0, 1, 7, 7],
            &[0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255],
        ] {
            assert!(read_idx(bad).is_err(), "{bad:?}");
        }
    }
}
