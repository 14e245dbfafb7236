//! The safetensors format. Trust: checked (each stored value is exact).
//!
//! A file is a little-endian 64-bit header length, a JSON header of that length, and the raw data. The format's own rules are
//! enforced here, before anything is allocated: no duplicate key, and the byte ranges cover the data without overlap or hole.
//! NaN and infinities are refused with tensor and index.

use super::error::{DataError, Result, limit, malformed, missing, near, unsupported};
use super::file::Contents;
use super::number;
use crate::kernel::net::{Tensor, Weight};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use std::collections::BTreeMap;

/// Longest header, most tensors and most axes that are read.
const HEADER_BYTES: u64 = 16 << 20;
const TENSORS: usize = 100_000;
const RANK: usize = 8;

/// How the numbers of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U32,
    U16,
    U8,
    Bool,
}

impl Dtype {
    fn of(name: &str) -> Option<Dtype> {
        Some(match name {
            "F64" => Dtype::F64,
            "F32" => Dtype::F32,
            "F16" => Dtype::F16,
            "BF16" => Dtype::Bf16,
            "I64" => Dtype::I64,
            "I32" => Dtype::I32,
            "I16" => Dtype::I16,
            "I8" => Dtype::I8,
            "U32" => Dtype::U32,
            "U16" => Dtype::U16,
            "U8" => Dtype::U8,
            "BOOL" => Dtype::Bool,
            _ => return None,
        })
    }

    pub fn bytes(self) -> usize {
        match self {
            Dtype::F64 | Dtype::I64 => 8,
            Dtype::F32 | Dtype::I32 | Dtype::U32 => 4,
            Dtype::F16 | Dtype::Bf16 | Dtype::I16 | Dtype::U16 => 2,
            Dtype::I8 | Dtype::U8 | Dtype::Bool => 1,
        }
    }

    pub fn bits(self) -> u32 {
        self.bytes() as u32 * 8
    }

    pub fn is_float(self) -> bool {
        matches!(self, Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::Bf16)
    }

    /// The exact value of one little-endian entry; `None` for NaN and infinities, or for a slice of another length.
    pub(crate) fn decode(self, entry: &[u8]) -> Option<Weight> {
        match self {
            Dtype::F64 => number::from_f64(f64::from_le_bytes(entry.try_into().ok()?)),
            Dtype::F32 => number::from_f32(f32::from_le_bytes(entry.try_into().ok()?)),
            Dtype::F16 => number::from_f16_bits(u16::from_le_bytes(entry.try_into().ok()?)),
            Dtype::Bf16 => number::from_bf16_bits(u16::from_le_bytes(entry.try_into().ok()?)),
            Dtype::I64 => Some(number::from_integer(i64::from_le_bytes(entry.try_into().ok()?))),
            Dtype::I32 => Some(number::from_integer(i64::from(i32::from_le_bytes(entry.try_into().ok()?)))),
            Dtype::I16 => Some(number::from_integer(i64::from(i16::from_le_bytes(entry.try_into().ok()?)))),
            Dtype::I8 => Some(number::from_integer(i64::from(i8::from_le_bytes(entry.try_into().ok()?)))),
            Dtype::U32 => Some(number::from_integer(i64::from(u32::from_le_bytes(entry.try_into().ok()?)))),
            Dtype::U16 => Some(number::from_integer(i64::from(u16::from_le_bytes(entry.try_into().ok()?)))),
            Dtype::U8 | Dtype::Bool => Some(number::from_integer(i64::from(*entry.first()?))),
        }
    }

    /// All entries of a tensor. Errors: a NaN or infinity, named with its index.
    pub(crate) fn decode_all(self, name: &str, shape: &[usize], bytes: &[u8]) -> Result<Vec<Weight>> {
        let mut data = Vec::with_capacity(bytes.len() / self.bytes());
        for (at, entry) in bytes.chunks_exact(self.bytes()).enumerate() {
            match self.decode(entry) {
                Some(weight) => data.push(weight),
                None => {
                    return malformed(entry_name(name, shape, at), "a finite number", "NaN or an infinity");
                }
            }
        }
        Ok(data)
    }
}

/// `tensor w [3,5]` for the entry at a row-major position.
pub(crate) fn entry_name(name: &str, shape: &[usize], mut at: usize) -> String {
    let mut index: Vec<String> = Vec::with_capacity(shape.len());
    for &size in shape.iter().rev() {
        let size = size.max(1);
        index.push((at % size).to_string());
        at /= size;
    }
    index.reverse();
    format!("tensor `{name}` [{}]", index.join(","))
}

/// A tensor and how it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub dtype: Dtype,
    pub tensor: Tensor,
}

/// The tensors of one file by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensors {
    /// The name of the file, for messages.
    pub file: String,
    pub by_name: BTreeMap<String, Stored>,
}

impl Tensors {
    /// Errors: no such tensor; the message lists near names.
    pub fn get(&self, name: &str) -> Result<&Stored> {
        match self.by_name.get(name) {
            Some(stored) => Ok(stored),
            None => missing(format!("tensor `{name}`"), near(name, self.by_name.keys().map(String::as_str)))
                .map_err(|error: DataError| error.named(&self.file)),
        }
    }

    /// Trainable numbers: floating-point tensors without the running statistics of batch normalization.
    pub fn parameter_count(&self) -> usize {
        let trainable =
            |name: &str, stored: &Stored| stored.dtype.is_float() && super::assemble::statistic(name).is_none();
        self.by_name.iter().filter(|(name, stored)| trainable(name, stored)).map(|(_, s)| s.tensor.data.len()).sum()
    }
}

/// Reads the tensors of a file. Errors: any deviation from the format, a number that is not finite, a limit.
pub fn read(contents: &Contents) -> Result<Tensors> {
    match parse(&contents.bytes) {
        Ok(by_name) => Ok(Tensors { file: contents.name.clone(), by_name }),
        Err(error) => Err(error.named(&contents.name)),
    }
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Stored>> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        return malformed("header", "at least 8 bytes", format!("{} bytes", bytes.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > rest.len() as u64 {
        return malformed(
            "header length",
            format!("at most the {} bytes that follow", rest.len()),
            format!("{length} (0x{length:x})"),
        );
    }
    if length > HEADER_BYTES {
        return limit("header", format!("{HEADER_BYTES} bytes"), format!("{length} bytes"));
    }
    let split = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
    let (header, data) = rest.split_at(split);
    if header.first() != Some(&b'{') {
        return malformed("header", "a JSON object that starts with `{`", format!("{} bytes without it", header.len()));
    }
    let Header(mut entries) = match serde_json::from_slice(header) {
        Ok(header) => header,
        Err(error) => return malformed("header", "a JSON object of tensors", error),
    };
    check_cover(&mut entries, data.len())?;
    let mut tensors = BTreeMap::new();
    for (name, entry) in entries {
        let (dtype, shape, range) = check_entry(&name, &entry, data.len())?;
        let Some(bytes) = data.get(range) else {
            return malformed(format!("tensor `{name}`"), "offsets inside the file", "offsets beyond it");
        };
        let values = dtype.decode_all(&name, &shape, bytes)?;
        match Tensor::new(shape, values) {
            Ok(tensor) => tensors.insert(name, Stored { dtype, tensor }),
            Err(error) => return malformed(format!("tensor `{name}`"), "entries that fill the shape", error),
        };
    }
    Ok(tensors)
}

/// Sorts the entries by offset and checks that they cover `[0, size)` exactly once.
fn check_cover(entries: &mut [(String, Entry)], size: usize) -> Result<()> {
    entries.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut expected: u64 = 0;
    for (name, entry) in entries.iter() {
        let [begin, end] = entry.data_offsets;
        let at = format!("data_offsets of tensor `{name}`");
        if end < begin || end > size as u64 {
            return malformed(at, format!("begin <= end <= {size}"), format!("[{begin}, {end}]"));
        }
        if begin != expected {
            let kind = if begin < expected { "an overlap" } else { "a hole" };
            return malformed(at, format!("begin = {expected}"), format!("{begin} ({kind})"));
        }
        expected = end;
    }
    if expected != size as u64 {
        return malformed("data", format!("{expected} bytes, as the header says"), format!("{size} bytes"));
    }
    Ok(())
}

fn check_entry(name: &str, entry: &Entry, size: usize) -> Result<(Dtype, Vec<usize>, std::ops::Range<usize>)> {
    let at = || format!("tensor `{name}`");
    let Some(dtype) = Dtype::of(&entry.dtype) else {
        return unsupported(
            format!("dtype {}", entry.dtype),
            at(),
            "F64, F32, F16, BF16 and integers up to 64 bits (without U64) are read",
        );
    };
    if entry.shape.len() > RANK {
        return limit(format!("axes of tensor `{name}`"), RANK, entry.shape.len());
    }
    let mut count: u64 = dtype.bytes() as u64;
    let mut shape = Vec::with_capacity(entry.shape.len());
    for &axis in &entry.shape {
        let product = count.checked_mul(axis).and_then(|count| Some((count, usize::try_from(axis).ok()?)));
        let Some((product, axis)) = product else {
            return malformed(at(), "a shape whose size fits 64 bits", format!("{:?}", entry.shape));
        };
        count = product;
        shape.push(axis);
    }
    let [begin, end] = entry.data_offsets;
    if end.checked_sub(begin) != Some(count) {
        let found = format!("offsets [{begin}, {end}]");
        return malformed(at(), format!("{count} bytes for shape {:?} of {}", entry.shape, entry.dtype), found);
    }
    match (usize::try_from(begin), usize::try_from(end)) {
        (Ok(begin), Ok(end)) => Ok((dtype, shape, begin..end)),
        _ => malformed(at(), format!("offsets up to {size}"), format!("[{begin}, {end}]")),
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The header as a list, so that a repeated key is seen: a map would silently keep the last one.
struct Header(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Header, D::Error> {
        struct HeaderVisitor;
        impl<'de> Visitor<'de> for HeaderVisitor {
            type Value = Header;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Header, A::Error> {
                let mut seen = std::collections::BTreeSet::new();
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    if !seen.insert(key.clone()) {
                        return Err(A::Error::custom(format!("duplicate key `{}`", super::error::shown(&key))));
                    }
                    if seen.len() > TENSORS {
                        return Err(A::Error::custom(format!("more than {TENSORS} tensors")));
                    }
                    if key == "__metadata__" {
                        map.next_value::<BTreeMap<String, String>>()?;
                    } else {
                        entries.push((key, map.next_value()?));
                    }
                }
                Ok(Header(entries))
            }
        }
        deserializer.deserialize_map(HeaderVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Contents {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        Contents::new("t.safetensors", bytes)
    }

    fn refusal(header: &str, data: &[u8]) -> String {
        read(&file(header, data)).unwrap_err().to_string()
    }

    #[test]
    fn every_dtype_is_exact() {
        let f16 =
            read(&file(r#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, &[0xFF, 0x7B, 1, 0])).unwrap();
        assert_eq!(
            *f16.get("a").unwrap().tensor.data,
            [Weight { mantissa: 2047, exponent: 5 }, Weight { mantissa: 1, exponent: -24 }]
        );
        let bf16 = read(&file(r#"{"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}"#, &[0x7F, 0x7F])).unwrap();
        assert_eq!(*bf16.get("a").unwrap().tensor.data, [Weight { mantissa: 255, exponent: 120 }]);
        let i64 = read(&file(r#"{"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#, &6i64.to_le_bytes())).unwrap();
        assert_eq!(*i64.get("n").unwrap().tensor.data, [Weight { mantissa: 3, exponent: 1 }]);
        assert_eq!(i64.parameter_count(), 0);
    }

    #[test]
    fn ranges_must_cover_the_data_once() {
        let two = |a: &str, b: &str| {
            format!(
                r#"{{"a":{{"dtype":"U8","shape":[2],"data_offsets":{a}}},"b":{{"dtype":"U8","shape":[2],"data_offsets":{b}}}}}"#
            )
        };
        assert!(read(&file(&two("[0,2]", "[2,4]"), &[0; 4])).is_ok());
        assert!(read(&file(&two("[2,4]", "[0,2]"), &[0; 4])).is_ok());
        assert!(refusal(&two("[0,2]", "[1,3]"), &[0; 4]).contains("overlap"));
        assert!(refusal(&two("[0,2]", "[3,5]"), &[0; 5]).contains("hole"));
        assert!(refusal(&two("[0,2]", "[4,2]"), &[0; 4]).contains("begin <= end"));
        assert!(refusal(&two("[0,2]", "[2,4]"), &[0; 5]).contains("5 bytes"));
        assert!(refusal(&two("[0,2]", "[2,4]"), &[0; 3]).contains("begin <= end <= 3"));
    }

    #[test]
    fn hostile_headers_are_refused_before_allocation() {
        for length in [0u64, 1, 1 << 62, 1 << 63, u64::MAX, 9] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.extend_from_slice(b"{}");
            assert!(read(&Contents::new("h", bytes)).is_err(), "{length}");
        }
        assert!(read(&Contents::new("h", vec![2, 0, 0, 0, 0, 0, 0, 0, b'{', b'}'])).is_ok());
        assert!(read(&Contents::new("h", vec![1, 2, 3])).is_err());
        let overflow = r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#;
        assert!(refusal(overflow, &[]).contains("fits 64 bits"));
        let unknown = r#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,1]}}"#;
        assert!(refusal(unknown, &[0]).contains("dtype F7"));
        let twice = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
        assert!(refusal(twice, &[0]).contains("duplicate key `a`"));
        assert!(refusal(&"[".repeat(100_000), &[]).contains("header"));
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(refusal(&deep, &[]).contains("header"));
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        let mut data = [0u8; 24];
        data[20..].copy_from_slice(&f32::INFINITY.to_le_bytes());
        let text = refusal(r#"{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#, &data);
        assert!(text.contains("tensor `w` [1,2]"), "{text}");
    }

    #[test]
    fn a_missing_tensor_lists_near_names() {
        let tensors = read(&file(r#"{"fc1.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, &[0])).unwrap();
        assert!(tensors.get("fc.weight").unwrap_err().to_string().contains("`fc1.weight`"));
    }
}
