//! Networks in ONNX files. Trust: checked (weights exact, every operator by its definition, anything else refused).
//!
//! The imported network is the exact real function of the stored weights on one example. Exporters fold batch normalization
//! into convolutions in float32, so the file may define a slightly different function than the state dictionary it came from;
//! what is certified is the file.

mod affine;
mod attribute;
mod constant;
mod graph;
mod message;
mod op;
mod reshape;
#[cfg(test)]
mod tests;

use super::error::{Result, malformed, unsupported};
use super::file::{Contents, Folder, Sha256Hash};
use crate::kernel::net::Network;

/// Operator sets of the default domain whose definitions are known here.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=25;

/// A network and the files beside it that hold some of its weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub network: Network,
    /// Name (relative to the network's file) and hash of each file of external data.
    pub external: Vec<(String, Sha256Hash)>,
}

/// Reads a network. `folder` is the folder that holds the file itself ([`Folder::beside`]), for external data.
///
/// Errors: bytes that are not an ONNX model, weights that are not finite, operators or attributes without an exact meaning here
/// (named, with the node), shapes that do not fit, external data outside the folder, a resource limit.
pub fn read(contents: &Contents, folder: Option<&Folder>) -> Result<Import> {
    translate(contents, folder).map_err(|error| {
        let file =
            if error.file.is_empty() { contents.name.clone() } else { format!("{}: {}", contents.name, error.file) };
        error.named(&file)
    })
}

fn translate(contents: &Contents, folder: Option<&Folder>) -> Result<Import> {
    let model = message::decode(contents.bytes.clone())?;
    let Some(graph) = model.graph.filter(|_| model.ir_version.is_some()) else {
        return malformed("model", "an IR version and a graph", "a file without them");
    };
    if !model.functions.is_empty() {
        return unsupported("model-local functions", "model", "export with functions inlined");
    }
    let mut versions =
        model.opset_import.iter().filter(|set| matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")));
    let opset = match (versions.next(), versions.next()) {
        (Some(set), None) => set.version.unwrap_or(0),
        (None, _) => return malformed("model", "an operator set of the default domain", "none"),
        _ => return malformed("model", "one operator set of the default domain", "several"),
    };
    if !OPSETS.contains(&opset) {
        let reason = format!("operator sets {} to {} are read", OPSETS.start(), OPSETS.end());
        return unsupported(format!("operator set {opset}"), "model", reason);
    }
    let (network, external) = graph::translate(graph, opset, constant::External::new(folder))?;
    Ok(Import { network, external: external.sources })
}
