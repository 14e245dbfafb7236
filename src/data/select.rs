//! One output of a network, as a network of its own.

use crate::kernel::net::{Architecture, NetError, Network, Op, Parameters, Source, Tensor};

/// The network that has only output `index`, counted from 0: its last dense layer keeps one row.
///
/// # Errors
/// The network does not end with a dense layer, perhaps with an activation, or has no such output.
pub fn output(network: &Network, index: usize) -> Result<Network, NetError> {
    let refused = |message: String| NetError { node: None, message };
    let architecture = network.architecture();
    let is_elementwise = |op: &Op| matches!(op, Op::Activation(_) | Op::Flatten);
    let last = architecture.nodes.iter().rposition(|node| !is_elementwise(&node.op));
    // Behind the dense layer stands a chain: each node reads the one before it.
    let is_chain = |last: usize| {
        let behind = architecture.nodes.iter().enumerate().skip(last + 1);
        behind.clone().all(|(i, node)| node.inputs == [Source::Node(i - 1)])
    };
    let Some((last, (units, bias))) =
        last.filter(|last| is_chain(*last)).and_then(|last| match architecture.nodes[last].op {
            Op::Dense { units, bias } => Some((last, (units, bias))),
            _ => None,
        })
    else {
        return Err(refused("expected a network whose outputs are those of its last dense layer".to_string()));
    };
    let (Ok(count), Some(parameters)) = (usize::try_from(units), &network.parameters()[last]) else {
        return Err(refused("expected a dense layer with weights".to_string()));
    };
    if index >= count {
        return Err(refused(format!("expected an output below {count}, found {index}; outputs count from 0")));
    }
    let width = parameters.weight.data.len() / count;
    let row = parameters.weight.data[index * width..(index + 1) * width].to_vec();
    let own = Parameters {
        weight: Tensor::new(vec![1, width], row)?,
        bias: match &parameters.bias {
            Some(bias) => Some(Tensor::new(vec![1], vec![bias.data[index]])?),
            None => None,
        },
    };
    let mut nodes = architecture.nodes.clone();
    nodes[last].op = Op::Dense { units: 1, bias };
    let mut all = network.parameters().to_vec();
    all[last] = Some(own);
    Network::new(Architecture { input: architecture.input.clone(), nodes }, all, network.weight_bits())
}
