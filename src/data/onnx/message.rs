//! The protobuf messages of ONNX, as far as they are read. Trust: untrusted (hostile bytes).
//!
//! Field numbers are those of `onnx.proto` (ONNX project, IR version 3 to 13). Fields that are not declared are skipped.
//! Nested graphs, sparse tensors and functions are declared as bytes, so that their presence is seen and nothing recurses.

use super::super::error::{Result, limit, malformed};
use prost::Message;
use prost::bytes::Bytes;

/// Most messages in a file. An empty message takes two bytes in a file but hundreds in memory, so they are counted first.
const MESSAGES: usize = 200_000;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Model {
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    #[prost(bytes = "bytes", repeated, tag = "25")]
    pub functions: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
    #[prost(bytes = "bytes", repeated, tag = "15")]
    pub sparse_initializer: Vec<Bytes>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    #[prost(string, optional, tag = "7")]
    pub domain: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    pub s: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub t: Option<TensorProto>,
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub g: Option<Bytes>,
    #[prost(float, repeated, tag = "7")]
    pub floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    #[prost(int32, optional, tag = "20")]
    pub kind: Option<i32>,
    #[prost(string, optional, tag = "21")]
    pub reference: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub segment: Option<Bytes>,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub raw_data: Option<Bytes>,
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<StringEntry>,
    #[prost(int32, optional, tag = "14")]
    pub data_location: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct StringEntry {
    #[prost(string, optional, tag = "1")]
    pub key: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    #[prost(message, optional, tag = "2")]
    pub kind: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorType {
    #[prost(int32, optional, tag = "1")]
    pub element: Option<i32>,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
}

/// Decodes a model. Errors: bytes that are not protobuf, or more messages than the limit.
pub(super) fn decode(bytes: Vec<u8>) -> Result<Model> {
    let mut count = 0;
    if count_messages(&bytes, MODEL, &mut count).is_none() {
        return malformed("protobuf", "a well-formed ONNX model", "a field that does not end inside the file");
    }
    if count > MESSAGES {
        return limit("protobuf messages", MESSAGES, format!("more than {MESSAGES}"));
    }
    match Model::decode(Bytes::from(bytes)) {
        Ok(model) => Ok(model),
        Err(error) => malformed("protobuf", "a well-formed ONNX model", error),
    }
}

/// Which fields of a message are messages or texts that cost memory each, and what is inside them.
struct Kind(&'static [(u64, Option<&'static Kind>)]);

const TEXTS: Kind = Kind(&[]);
const TENSOR: Kind = Kind(&[(13, Some(&TEXTS))]);
const ATTRIBUTE: Kind = Kind(&[(5, Some(&TENSOR))]);
const NODE: Kind = Kind(&[(1, None), (2, None), (5, Some(&ATTRIBUTE))]);
const SHAPE: Kind = Kind(&[(1, None)]);
const TENSOR_TYPE: Kind = Kind(&[(2, Some(&SHAPE))]);
const TYPE: Kind = Kind(&[(1, Some(&TENSOR_TYPE))]);
const VALUE: Kind = Kind(&[(2, Some(&TYPE))]);
const GRAPH: Kind = Kind(&[(1, Some(&NODE)), (5, Some(&TENSOR)), (11, Some(&VALUE)), (12, Some(&VALUE)), (15, None)]);
const MODEL: Kind = Kind(&[(7, Some(&GRAPH)), (8, Some(&TEXTS)), (25, None)]);

/// Counts without allocating; stops early beyond the limit. `None`: not well formed. The depth is that of the constants above.
fn count_messages(mut bytes: &[u8], kind: Kind, count: &mut usize) -> Option<()> {
    while !bytes.is_empty() && *count <= MESSAGES {
        let key = varint(&mut bytes)?;
        match key & 7 {
            0 => {
                varint(&mut bytes)?;
            }
            1 => bytes = bytes.get(8..)?,
            5 => bytes = bytes.get(4..)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (inside, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                if let Some((_, nested)) = kind.0.iter().find(|(field, _)| *field == key >> 3) {
                    *count += 1;
                    if let Some(nested) = nested {
                        count_messages(inside, Kind(nested.0), count)?;
                    }
                }
            }
            // Groups (3, 4) left the format before ONNX began; 6 and 7 never were in it.
            _ => return None,
        }
    }
    Some(())
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7F);
        if shift == 63 && part > 1 {
            return None;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_have_at_most_ten_bytes() {
        assert_eq!(varint(&mut &[0x96, 0x01][..]), Some(150));
        assert_eq!(varint(&mut &[[0xFF; 9].as_slice(), &[1]].concat()[..]), Some(u64::MAX));
        assert_eq!(varint(&mut &[0xFF; 10][..]), None);
        assert_eq!(varint(&mut &[0x80; 11][..]), None);
        assert_eq!(varint(&mut &[0x80][..]), None);
    }

    #[test]
    fn hostile_bytes_are_refused_without_recursion() {
        let length_2_63 = [0x3A, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        assert!(decode(length_2_63.to_vec()).is_err());
        assert!(decode(vec![0x0B; 100_000]).is_err()); // groups inside groups
        let mut nested = Vec::new();
        for _ in 0..2_000 {
            let mut outer = vec![0x3A];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.extend_from_slice(&nested);
            nested = outer;
        }
        assert!(decode(nested).is_ok()); // depth is bounded by the declared messages
    }

    #[test]
    fn many_empty_messages_are_a_limit() {
        let nodes = [0x0A, 0x00].repeat(MESSAGES + 2);
        let mut bytes = vec![0x3A];
        prost::encoding::encode_varint(nodes.len() as u64, &mut bytes);
        bytes.extend_from_slice(&nodes);
        assert!(decode(bytes).unwrap_err().is_limit());
    }
}
