//! Constants of an ONNX graph: initializers, `Constant` nodes, and what can be computed from them exactly. Trust: checked.

use super::super::error::{DataError, Result, limit, malformed, unsupported};
use super::super::file::{Folder, NETWORK_BYTES};
use super::super::safetensors::{Dtype, entry_name};
use super::message::TensorProto;
use crate::data::number;
use crate::kernel::net::Weight;
use prost::bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most axes of a tensor.
pub(super) const RANK: usize = 8;

/// A constant array in row-major order; integers are stored exactly as well.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub shape: Vec<usize>,
    pub data: Arc<Vec<Weight>>,
    pub dtype: Dtype,
}

/// Files with external data, each read once.
pub(super) struct External<'a> {
    folder: Option<&'a Folder>,
    files: BTreeMap<String, Bytes>,
    /// Name and hash of each file read.
    pub sources: Vec<(String, crate::data::file::Sha256Hash)>,
}

impl<'a> External<'a> {
    pub fn new(folder: Option<&'a Folder>) -> External<'a> {
        External { folder, files: BTreeMap::new(), sources: Vec::new() }
    }

    fn read(&mut self, name: &str) -> Result<Bytes> {
        if let Some(bytes) = self.files.get(name) {
            return Ok(bytes.clone());
        }
        let Some(folder) = self.folder else {
            return unsupported("external data", name, "this network was read without a folder");
        };
        let contents = folder.read(name, NETWORK_BYTES)?;
        let bytes = Bytes::from(contents.bytes);
        self.sources.push((name.to_string(), contents.sha256));
        self.files.insert(name.to_string(), bytes.clone());
        Ok(bytes)
    }
}

/// Codes of `TensorProto.DataType`.
fn dtype(code: i32) -> Option<Dtype> {
    Some(match code {
        1 => Dtype::F32,
        2 => Dtype::U8,
        3 => Dtype::I8,
        4 => Dtype::U16,
        5 => Dtype::I16,
        6 => Dtype::I32,
        7 => Dtype::I64,
        9 => Dtype::Bool,
        10 => Dtype::F16,
        11 => Dtype::F64,
        12 => Dtype::U32,
        16 => Dtype::Bf16,
        _ => return None,
    })
}

/// The declared shape and number type of a tensor. Errors: negative sizes, too many axes or entries, unknown types.
fn declared(name: &str, tensor: &TensorProto) -> Result<(Dtype, Vec<usize>, usize)> {
    let at = || format!("tensor `{name}`");
    let code = tensor.data_type.unwrap_or(0);
    let Some(dtype) = dtype(code) else {
        return unsupported(
            format!("data type {code}"),
            at(),
            "float, double, float16, bfloat16 and integers are read",
        );
    };
    if tensor.dims.len() > RANK {
        return limit(format!("axes of tensor `{name}`"), RANK, tensor.dims.len());
    }
    let mut size = dtype.bytes();
    let mut shape = Vec::with_capacity(tensor.dims.len());
    for &dim in &tensor.dims {
        let Ok(axis) = usize::try_from(dim) else {
            return malformed(at(), "dimensions of at least 0", format!("{:?}", tensor.dims));
        };
        match size.checked_mul(axis) {
            Some(product) => size = product,
            None => return malformed(at(), "a size that fits 64 bits", format!("dimensions {:?}", tensor.dims)),
        }
        shape.push(axis);
    }
    Ok((dtype, shape, size))
}

impl Constant {
    /// The exact values of a tensor. Nothing is allocated before the data are seen to have the declared size.
    pub fn read(name: &str, tensor: &TensorProto, external: &mut External<'_>) -> Result<Constant> {
        let (dtype, shape, size) = declared(name, tensor)?;
        let at = || format!("tensor `{name}`");
        if tensor.segment.is_some() {
            return unsupported("a segmented tensor", at(), "store the tensor in one piece");
        }
        let count = size / dtype.bytes();
        let typed =
            [tensor.float_data.len(), tensor.int32_data.len(), tensor.int64_data.len(), tensor.double_data.len()];
        let typed_fields = typed.iter().filter(|&&n| n > 0).count();
        let is_external = tensor.data_location == Some(1);
        let fields = typed_fields + usize::from(tensor.raw_data.is_some()) + usize::from(is_external);
        if fields > 1 {
            return malformed(at(), "its data in one field", format!("{fields}"));
        }
        let data = if is_external {
            let bytes = external_bytes(name, tensor, external)?;
            raw(name, dtype, &shape, size, &bytes)?
        } else if let Some(bytes) = &tensor.raw_data {
            raw(name, dtype, &shape, size, bytes)?
        } else {
            let found: usize = typed.iter().sum();
            if found != count {
                return malformed(at(), format!("{count} numbers for shape {shape:?}"), found);
            }
            typed_values(name, dtype, &shape, tensor)?
        };
        Ok(Constant { shape, data: Arc::new(data), dtype })
    }

    pub fn from_integers(values: &[i64]) -> Constant {
        let data: Vec<Weight> = values.iter().map(|&value| number::from_integer(value)).collect();
        Constant { shape: vec![values.len()], data: Arc::new(data), dtype: Dtype::I64 }
    }

    pub fn from_floats(shape: Vec<usize>, data: Vec<Weight>) -> Constant {
        Constant { shape, data: Arc::new(data), dtype: Dtype::F32 }
    }

    /// The integers of a tensor of an integer type, such as a shape.
    pub fn integers(&self) -> Option<Vec<i64>> {
        if self.dtype.is_float() || self.shape.len() > 1 || self.data.len() > 64 {
            return None;
        }
        let exact = |w: &Weight| {
            let shift = u32::try_from(w.exponent).ok()?;
            let value = i128::from(w.mantissa).checked_shl(shift).filter(|_| shift < 64)?;
            i64::try_from(value).ok()
        };
        self.data.iter().map(exact).collect()
    }

    pub fn scalar(&self) -> Option<Weight> {
        match self.data.as_slice() {
            [value] => Some(*value),
            _ => None,
        }
    }

    /// The same numbers in another shape of the same size.
    pub fn reshaped(&self, shape: Vec<usize>) -> Option<Constant> {
        let size = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
        (size == Some(self.data.len())).then(|| Constant { shape, data: self.data.clone(), dtype: self.dtype })
    }

    /// The array with its axes in the order `order`, which must be a permutation of them.
    pub fn transposed(&self, order: &[usize]) -> Option<Constant> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return None;
        }
        let shape: Option<Vec<usize>> = order.iter().map(|&axis| self.shape.get(axis).copied()).collect();
        let shape = shape?;
        if self.data.is_empty() {
            return Some(Constant { shape, data: self.data.clone(), dtype: self.dtype });
        }
        // No axis is zero here, so every stride divides the number of entries and cannot overflow.
        let mut strides = vec![1usize; self.shape.len()];
        let mut stride = 1usize;
        for (slot, &axis) in strides.iter_mut().zip(&self.shape).rev() {
            *slot = stride;
            stride *= axis;
        }
        let steps: Option<Vec<usize>> = order.iter().map(|&axis| strides.get(axis).copied()).collect();
        let data = self.gather(&shape, &steps?)?;
        Some(Constant { shape, data: Arc::new(data), dtype: self.dtype })
    }

    /// Every entry times `factor`, exactly.
    pub fn scaled(&self, factor: Weight) -> Option<Constant> {
        if factor == number::from_integer(1) {
            return Some(self.clone());
        }
        let data: Option<Vec<Weight>> = self.data.iter().map(|&w| number::product(w, factor)).collect();
        Some(Constant { shape: self.shape.clone(), data: Arc::new(data?), dtype: self.dtype })
    }

    /// How far each axis of `shape` moves in this array when it is broadcast to `shape` by the rule of numpy.
    pub fn broadcast_axes(&self, shape: &[usize]) -> Option<Vec<usize>> {
        let offset = shape.len().checked_sub(self.shape.len())?;
        if self.data.is_empty() {
            return None;
        }
        let mut steps = vec![0usize; shape.len()];
        let mut stride = 1usize;
        for (axis, &own) in self.shape.iter().enumerate().rev() {
            if own != 1 && own != *shape.get(offset + axis)? {
                return None;
            }
            *steps.get_mut(offset + axis)? = if own == 1 { 0 } else { stride };
            stride = stride.checked_mul(own)?;
        }
        Some(steps)
    }

    /// The entries of this array broadcast to `shape`, or `None` where the rule of numpy does not apply.
    pub fn broadcast(&self, shape: &[usize]) -> Option<Vec<Weight>> {
        let steps = self.broadcast_axes(shape)?;
        self.gather(shape, &steps)
    }

    /// The entries at `sum of index * step` for every index of `shape`, in row-major order.
    fn gather(&self, shape: &[usize], steps: &[usize]) -> Option<Vec<Weight>> {
        let size = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis))?;
        let mut out = Vec::with_capacity(size);
        let mut index = vec![0usize; shape.len()];
        let mut position = 0usize;
        for _ in 0..size {
            out.push(*self.data.get(position)?);
            for ((i, &length), &step) in index.iter_mut().zip(shape).zip(steps).rev() {
                *i += 1;
                position += step;
                if *i < length {
                    break;
                }
                position -= step * length;
                *i = 0;
            }
        }
        Some(out)
    }
}

fn raw(name: &str, dtype: Dtype, shape: &[usize], size: usize, bytes: &[u8]) -> Result<Vec<Weight>> {
    if bytes.len() != size {
        let expected = format!("{size} bytes for shape {shape:?} of {dtype:?}");
        return malformed(format!("tensor `{name}`"), expected, format!("{} bytes", bytes.len()));
    }
    dtype.decode_all(name, shape, bytes)
}

/// Values in the typed fields; 16-bit and smaller types travel in `int32_data`, floats of 16 bits as their bit patterns.
fn typed_values(name: &str, dtype: Dtype, shape: &[usize], tensor: &TensorProto) -> Result<Vec<Weight>> {
    let named = |at: usize, value: Option<Weight>, expected: &str, found: &dyn std::fmt::Display| match value {
        Some(weight) => Ok(weight),
        None => malformed(entry_name(name, shape, at), expected, found),
    };
    let finite = "a finite number";
    match dtype {
        Dtype::F32 if tensor.float_data.len() == count(shape) => {
            tensor.float_data.iter().enumerate().map(|(i, &v)| named(i, number::from_f32(v), finite, &v)).collect()
        }
        Dtype::F64 if tensor.double_data.len() == count(shape) => {
            tensor.double_data.iter().enumerate().map(|(i, &v)| named(i, number::from_f64(v), finite, &v)).collect()
        }
        Dtype::I64 if tensor.int64_data.len() == count(shape) => {
            Ok(tensor.int64_data.iter().map(|&value| number::from_integer(value)).collect())
        }
        Dtype::F16 | Dtype::Bf16 if tensor.int32_data.len() == count(shape) => {
            let decode = if dtype == Dtype::F16 { number::from_f16_bits } else { number::from_bf16_bits };
            let value = |v: i32| u16::try_from(v).ok().and_then(decode);
            tensor.int32_data.iter().enumerate().map(|(i, &v)| named(i, value(v), finite, &v)).collect()
        }
        Dtype::I32 | Dtype::I16 | Dtype::I8 | Dtype::U16 | Dtype::U8 | Dtype::Bool
            if tensor.int32_data.len() == count(shape) =>
        {
            Ok(tensor.int32_data.iter().map(|&value| number::from_integer(i64::from(value))).collect())
        }
        _ => malformed(format!("tensor `{name}`"), format!("its data in the field for {dtype:?}"), "another field"),
    }
}

fn count(shape: &[usize]) -> usize {
    shape.iter().fold(1usize, |count, &axis| count.saturating_mul(axis))
}

fn external_bytes(name: &str, tensor: &TensorProto, external: &mut External<'_>) -> Result<Bytes> {
    let at = || format!("external data of tensor `{name}`");
    let value = |key: &str| {
        tensor
            .external_data
            .iter()
            .find(|entry| entry.key.as_deref() == Some(key))
            .and_then(|entry| entry.value.as_deref())
    };
    let number = |key: &str| match value(key) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => malformed(at(), format!("an integer `{key}`"), text),
        },
    };
    let Some(location) = value("location") else {
        return malformed(at(), "a `location`", "none");
    };
    let offset = number("offset")?.unwrap_or(0);
    let length = number("length")?;
    let bytes = external.read(location).map_err(|error: DataError| {
        let file = error.file.clone();
        error.named(&format!("{file} (external data of tensor `{name}`)"))
    })?;
    let end = match length {
        Some(length) => offset.checked_add(length),
        None => Some(bytes.len()),
    };
    match end {
        Some(end) if offset <= end && end <= bytes.len() => Ok(bytes.slice(offset..end)),
        _ => malformed(
            at(),
            format!("a range inside the {} bytes of `{location}`", bytes.len()),
            format!("offset {offset}, length {length:?}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(shape: &[usize]) -> Constant {
        let size: usize = shape.iter().product();
        let data = (0..size as i64).map(number::from_integer).collect();
        Constant { shape: shape.to_vec(), data: Arc::new(data), dtype: Dtype::I64 }
    }

    #[test]
    fn transposition_moves_entries_as_defined() {
        // out[i, j, k] = in[j, k, i] for the order (2, 0, 1).
        let c = constant(&[2, 3, 4]);
        let t = c.transposed(&[2, 0, 1]).unwrap();
        assert_eq!(t.shape, [4, 2, 3]);
        for i in 0..4 {
            for j in 0..2 {
                for k in 0..3 {
                    assert_eq!(t.data[(i * 2 + j) * 3 + k], c.data[(j * 3 + k) * 4 + i]);
                }
            }
        }
        assert!(c.transposed(&[0, 0, 1]).is_none());
        assert!(c.transposed(&[0, 1]).is_none());
        assert!(c.transposed(&[0, 1, 3]).is_none());
    }

    #[test]
    fn broadcasting_follows_numpy() {
        let row = constant(&[3]);
        assert_eq!(row.broadcast(&[2, 3]).unwrap(), [row.data.as_slice(), row.data.as_slice()].concat());
        let column = constant(&[2, 1]);
        let [zero, one] = [number::from_integer(0), number::from_integer(1)];
        assert_eq!(column.broadcast(&[2, 2]).unwrap(), [zero, zero, one, one]);
        assert!(row.broadcast(&[2, 2]).is_none());
        assert!(constant(&[1, 1, 3]).broadcast(&[3]).is_none());
    }

    #[test]
    fn sizes_are_checked_before_data_are_allocated() {
        let mut external = External::new(None);
        let mut read = |dims: &[i64], raw: usize| {
            let tensor = TensorProto {
                dims: dims.to_vec(),
                data_type: Some(1),
                raw_data: Some(Bytes::from(vec![0; raw])),
                ..TensorProto::default()
            };
            Constant::read("w", &tensor, &mut external).map(|c| c.data.len())
        };
        assert_eq!(read(&[2, 3], 24), Ok(6));
        assert!(read(&[2, 3], 20).is_err());
        assert!(read(&[-2, -3], 24).is_err());
        assert!(read(&[1 << 40, 1 << 40], 24).is_err());
        assert!(read(&[1 << 20, 1 << 20], 0).is_err());
        assert!(read(&[1; 9], 4).unwrap_err().is_limit());
    }
}
