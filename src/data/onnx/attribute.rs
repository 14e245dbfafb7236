//! Attributes of an ONNX node, checked by name and type. Trust: checked.

use super::super::error::{Result, malformed, unsupported};
use super::message::{Attribute, Node, TensorProto};
use crate::data::number;
use crate::kernel::net::{Size, Weight};

/// Codes of `AttributeProto.AttributeType`.
const FLOAT: i32 = 1;
const INT: i32 = 2;
const STRING: i32 = 3;
const TENSOR: i32 = 4;
const FLOATS: i32 = 6;
const INTS: i32 = 7;

/// The attributes of one node.
pub(super) struct Attributes<'a> {
    /// How messages name the node.
    pub label: &'a str,
    op: &'a str,
    list: &'a [Attribute],
}

impl<'a> Attributes<'a> {
    /// Errors: an attribute that is not in `known` (it might change the meaning), given twice, or a reference.
    pub fn of(node: &'a Node, label: &'a str, op: &'a str, known: &[&str]) -> Result<Attributes<'a>> {
        for (i, attribute) in node.attribute.iter().enumerate() {
            let name = attribute.name.as_deref().unwrap_or("");
            if !known.contains(&name) {
                return unsupported(
                    format!("attribute `{name}` of {op}"),
                    label,
                    format!("expected {}", listed(known)),
                );
            }
            if node.attribute.iter().take(i).any(|other| other.name == attribute.name) {
                return malformed(label, format!("attribute `{name}` once"), "it twice");
            }
            if attribute.reference.as_deref().is_some_and(|reference| !reference.is_empty()) || attribute.g.is_some() {
                return unsupported(format!("attribute `{name}` of {op}"), label, "expected a plain value");
            }
        }
        Ok(Attributes { label, op, list: &node.attribute })
    }

    fn find(&self, name: &str, kind: i32) -> Result<Option<&'a Attribute>> {
        match self.list.iter().find(|attribute| attribute.name.as_deref() == Some(name)) {
            Some(attribute) if attribute.kind.is_none_or(|found| found == kind) => Ok(Some(attribute)),
            Some(attribute) => malformed(
                self.label,
                format!("attribute `{name}` of type {kind}"),
                format!("type {}", attribute.kind.unwrap_or(0)),
            ),
            None => Ok(None),
        }
    }

    pub fn int(&self, name: &str, default: i64) -> Result<i64> {
        Ok(self.find(name, INT)?.map_or(default, |attribute| attribute.i.unwrap_or(0)))
    }

    /// A float32 attribute, exactly as stored.
    pub fn float(&self, name: &str, default: f32) -> Result<Weight> {
        let value = self.find(name, FLOAT)?.map_or(default, |attribute| attribute.f.unwrap_or(0.0));
        match number::from_f32(value) {
            Some(weight) => Ok(weight),
            None => malformed(self.label, format!("a finite attribute `{name}`"), value),
        }
    }

    pub fn float_if_any(&self, name: &str) -> Result<Option<Weight>> {
        if self.find(name, FLOAT)?.is_none() { Ok(None) } else { self.float(name, 0.0).map(Some) }
    }

    pub fn floats(&self, name: &str) -> Result<Option<&'a [f32]>> {
        Ok(self.find(name, FLOATS)?.map(|attribute| attribute.floats.as_slice()))
    }

    pub fn ints(&self, name: &str) -> Result<Option<&'a [i64]>> {
        Ok(self.find(name, INTS)?.map(|attribute| attribute.ints.as_slice()))
    }

    pub fn text(&self, name: &str) -> Result<Option<String>> {
        let text = self.find(name, STRING)?.map(|attribute| attribute.s.clone().unwrap_or_default());
        Ok(text.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>> {
        Ok(self.find(name, TENSOR)?.and_then(|attribute| attribute.t.as_ref()))
    }

    /// Two positive sizes such as a kernel; `default` where the attribute is absent.
    pub fn pair(&self, name: &str, default: Option<(Size, Size)>) -> Result<(Size, Size)> {
        match (self.ints(name)?, default) {
            (None, Some(default)) => Ok(default),
            (Some([a, b]), _) if *a > 0 && *b > 0 => Ok((a.unsigned_abs().into(), b.unsigned_abs().into())),
            (found, _) => {
                malformed(self.label, format!("two positive sizes in `{name}` (images are 2-d)"), format!("{found:?}"))
            }
        }
    }

    /// Padding, equal at both ends of each axis.
    pub fn padding(&self) -> Result<(Size, Size)> {
        match self.text("auto_pad")?.as_deref() {
            None | Some("" | "NOTSET") => {}
            Some("VALID") => return Ok((0, 0)),
            Some(other) => {
                return unsupported(
                    format!("auto_pad {other} of {}", self.op),
                    self.label,
                    "write the padding out as `pads`",
                );
            }
        }
        match self.ints("pads")? {
            None => Ok((0, 0)),
            Some([top, left, bottom, right]) if top == bottom && left == right && *top >= 0 && *left >= 0 => {
                Ok((top.unsigned_abs().into(), left.unsigned_abs().into()))
            }
            Some(pads) => unsupported(
                format!("pads {pads:?} of {}", self.op),
                self.label,
                "expected four sizes, equal at both ends of each axis",
            ),
        }
    }

    /// Errors: a dilation other than 1.
    pub fn no_dilation(&self) -> Result<()> {
        match self.ints("dilations")? {
            Some(dilations) if dilations.iter().any(|&d| d != 1) => {
                unsupported(format!("dilations {dilations:?} of {}", self.op), self.label, "expected 1 on each axis")
            }
            _ => Ok(()),
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "no attribute".to_string() } else { format!("only {}", names.join(", ")) }
}
