//! NumPy arrays: `.npy` and `.npz`. Trust: checked (every number exact).
//!
//! Format: NumPy Enhancement Proposal 1 (versions 1.0 to 3.0). Pickled objects are never read. An archive is read entry by
//! entry under one limit for the decompressed size of all.

use super::error::{Result, limit, malformed, unsupported};
use super::number;
use crate::kernel::net::Weight;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};

/// Most bytes of an archive after decompression.
const DECOMPRESSED_BYTES: u64 = 1 << 30;
/// Most entries of an archive, longest header, most axes, and most numbers that are not bytes (16 bytes each in memory).
const ENTRIES: usize = 1000;
const HEADER_BYTES: usize = 1 << 16;
const RANK: usize = 8;
const NUMBERS: usize = 1 << 26;

/// The numbers of an array; bytes stay bytes, because images are large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Numbers {
    Bytes(Vec<u8>),
    Dyadic(Vec<Weight>),
}

/// An array in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Byte,
    Bool,
    Float(usize),
    Signed(usize),
    Unsigned(usize),
}

/// Reads one array. `name` is for messages.
pub fn read_npy(name: &str, bytes: &[u8]) -> Result<Array> {
    let at = || format!("array `{name}`");
    let (version, length, rest) = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, rest @ ..] => {
            (1, usize::from(u16::from_le_bytes([*a, *b])), rest)
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', version @ (2 | 3), _, a, b, c, d, rest @ ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]);
            (*version, usize::try_from(length).unwrap_or(usize::MAX), rest)
        }
        _ => return malformed(at(), "a NumPy array of version 1 to 3", "another file"),
    };
    if length > HEADER_BYTES {
        return limit(format!("header of {}", at()), format!("{HEADER_BYTES} bytes"), format!("{length} bytes"));
    }
    let Some((header, data)) = rest.split_at_checked(length) else {
        return malformed(at(), format!("a header of {length} bytes (version {version})"), "a shorter file");
    };
    let Some(header) = parse_header(&String::from_utf8_lossy(header)) else {
        return malformed(at(), "a header with descr, fortran_order and shape", "another header");
    };
    if header.fortran {
        return unsupported("column-major order", at(), "save `numpy.ascontiguousarray(x)`");
    }
    let Some(kind) = kind(&header.descr) else {
        return unsupported(format!("dtype {}", header.descr), at(), "little-endian floats and integers are read");
    };
    let width = match kind {
        Kind::Byte | Kind::Bool => 1,
        Kind::Float(width) | Kind::Signed(width) | Kind::Unsigned(width) => width,
    };
    if header.shape.len() > RANK {
        return limit(format!("axes of {}", at()), RANK, header.shape.len());
    }
    let size = header.shape.iter().try_fold(width, |size, &axis| size.checked_mul(axis));
    if size != Some(data.len()) {
        let expected = format!("data for shape {:?} of {}", header.shape, header.descr);
        return malformed(at(), expected, format!("{} bytes", data.len()));
    }
    if kind == Kind::Byte {
        return Ok(Array { shape: header.shape, numbers: Numbers::Bytes(data.to_vec()) });
    }
    if data.len() / width > NUMBERS {
        return limit(format!("numbers in {}", at()), NUMBERS, data.len() / width);
    }
    let mut numbers = Vec::with_capacity(data.len() / width);
    for (i, entry) in data.chunks_exact(width).enumerate() {
        match decode(kind, entry) {
            Some(weight) => numbers.push(weight),
            None => {
                let row: usize = header.shape.iter().skip(1).product::<usize>().max(1);
                let place = format!("{} row {}, column {}", at(), i / row, i % row);
                return malformed(place, "a finite number below 2^63", "another");
            }
        }
    }
    Ok(Array { shape: header.shape, numbers: Numbers::Dyadic(numbers) })
}

fn kind(descr: &str) -> Option<Kind> {
    Some(match descr {
        "|u1" => Kind::Byte,
        "|b1" => Kind::Bool,
        "|i1" => Kind::Signed(1),
        "<f2" => Kind::Float(2),
        "<f4" => Kind::Float(4),
        "<f8" => Kind::Float(8),
        "<i2" => Kind::Signed(2),
        "<i4" => Kind::Signed(4),
        "<i8" => Kind::Signed(8),
        "<u2" => Kind::Unsigned(2),
        "<u4" => Kind::Unsigned(4),
        "<u8" => Kind::Unsigned(8),
        _ => return None,
    })
}

fn decode(kind: Kind, entry: &[u8]) -> Option<Weight> {
    let mut wide = [0u8; 8];
    wide.iter_mut().zip(entry).for_each(|(slot, &byte)| *slot = byte);
    let bits = u64::from_le_bytes(wide);
    match kind {
        Kind::Float(2) => number::from_f16_bits(u16::try_from(bits).ok()?),
        Kind::Float(4) => number::from_f32(f32::from_bits(u32::try_from(bits).ok()?)),
        Kind::Float(_) => number::from_f64(f64::from_bits(bits)),
        Kind::Signed(width) => {
            // Move the sign bit to the top, then shift back with it.
            let unused = 64 - 8 * u32::try_from(width).ok()?;
            Some(number::from_integer((bits << unused).cast_signed() >> unused))
        }
        Kind::Unsigned(_) | Kind::Byte | Kind::Bool => Some(number::from_integer(i64::try_from(bits).ok()?)),
    }
}

struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// The header is a Python dictionary of three known keys: `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse_header(text: &str) -> Option<Header> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let value = after.trim_start().strip_prefix(':')?.trim_start();
        rest = match key {
            "descr" if descr.is_none() => {
                let (value, after) = quoted(value)?;
                descr = Some(value.to_string());
                after
            }
            "fortran_order" if fortran.is_none() => {
                let (value, after) = match value.strip_prefix("False") {
                    Some(after) => (false, after),
                    None => (true, value.strip_prefix("True")?),
                };
                fortran = Some(value);
                after
            }
            "shape" if shape.is_none() => {
                let (inside, after) = value.strip_prefix('(')?.split_once(')')?;
                let axes = inside.split(',').map(str::trim).filter(|axis| !axis.is_empty());
                shape = Some(axes.map(|axis| axis.parse().ok()).collect::<Option<Vec<usize>>>()?);
                after
            }
            _ => return None,
        };
        rest = rest.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    Some(Header { descr: descr?, fortran: fortran?, shape: shape? })
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text.get(1..)?.split_once(quote)
}

/// Reads every array of an archive.
pub fn read_npz(bytes: &[u8]) -> Result<BTreeMap<String, Array>> {
    let mut archive = match zip::ZipArchive::new(Cursor::new(bytes)) {
        Ok(archive) => archive,
        Err(error) => return malformed("archive", "a zip archive of arrays", error),
    };
    if archive.len() > ENTRIES {
        return limit("entries of the archive", ENTRIES, archive.len());
    }
    let mut left = DECOMPRESSED_BYTES;
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => return malformed(format!("entry {index} of the archive"), "a readable entry", error),
        };
        let Some(name) = entry.name().strip_suffix(".npy").map(str::to_string) else {
            return malformed(format!("entry `{}`", entry.name()), "an array (`.npy`)", "another file");
        };
        let mut content = Vec::new();
        // The size in the archive is a claim; what is read decides.
        match entry.by_ref().take(left.saturating_add(1)).read_to_end(&mut content) {
            Ok(read) if read as u64 > left => {
                return limit("archive after decompression", format!("{DECOMPRESSED_BYTES} bytes"), "more");
            }
            Ok(read) => left -= read as u64,
            Err(error) => return malformed(format!("entry `{name}`"), "readable data", error),
        }
        if arrays.insert(name.clone(), read_npy(&name, &content)?).is_some() {
            return malformed("archive", "each array once", format!("`{name}` twice"));
        }
    }
    Ok(arrays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn every_type_is_exact() {
        let integers = |values: &[i64]| Numbers::Dyadic(values.iter().map(|&v| number::from_integer(v)).collect());
        let read = |descr: &str, shape: &str, data: &[u8]| read_npy("x", &npy(descr, shape, data)).unwrap();
        assert_eq!(read("|u1", "(2,)", &[7, 255]).numbers, Numbers::Bytes(vec![7, 255]));
        assert_eq!(read("<i8", "(1,)", &(-5i64).to_le_bytes()).numbers, integers(&[-5]));
        assert_eq!(read("|i1", "(2,)", &[255, 128]).numbers, integers(&[-1, -128]));
        assert_eq!(read("<i4", "()", &i32::MIN.to_le_bytes()).numbers, integers(&[i64::from(i32::MIN)]));
        assert_eq!(read("<f4", "(1, 1)", &0.5f32.to_le_bytes()).shape, [1, 1]);
        assert_eq!(read("<f8", "(1,)", &(-0.0f64).to_le_bytes()).numbers, integers(&[0]));
    }

    #[test]
    fn bad_arrays_are_refused() {
        let nan = npy("<f4", "(2, 2)", &[[0u8; 12].as_slice(), &f32::NAN.to_le_bytes()].concat());
        assert!(read_npy("x", &nan).unwrap_err().to_string().contains("row 1, column 1"));
        assert!(read_npy("x", &npy("|O", "(1,)", &[0])).unwrap_err().to_string().contains("dtype |O"));
        assert!(read_npy("x", &npy(">f4", "(1,)", &[0; 4])).is_err());
        assert!(read_npy("x", &npy("<f4", "(2,)", &[0; 4])).is_err());
        assert!(read_npy("x", &npy("<f4", "(18446744073709551615, 2)", &[0; 4])).is_err());
        assert!(read_npy("x", &npy("<u8", "(1,)", &[255; 8])).is_err());
        assert!(read_npy("x", b"\x93NUMPY\x02\x00\xff\xff\xff\xff").unwrap_err().is_limit());
        assert!(read_npy("x", b"PK").is_err());
        let doubled = b"\x93NUMPY\x01\x00\x1e\x00{'descr':'<f4','descr':'<f4',}";
        assert!(read_npy("x", doubled).is_err());
    }

    #[test]
    fn archives_are_read_entry_by_entry() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("x.npy", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(&npy("|u1", "(3,)", &[1, 2, 3])).unwrap();
        let bytes = zip.finish().unwrap().into_inner();
        let arrays = read_npz(&bytes).unwrap();
        assert_eq!(arrays["x"].numbers, Numbers::Bytes(vec![1, 2, 3]));
        assert!(read_npz(&bytes[..bytes.len() / 2]).is_err());
    }
}
