//! Architectures from chains and layer blocks.

use super::names::Names;
use crate::kernel::gradient::{GradientMap, MAPS};
use crate::kernel::net::{Activation, Architecture, Node, Op, Size, Source};
use crate::kernel::term::Term;
use crate::syntax::ast::{self, Layer, UnitKey, UnitKind};
use crate::text::{Diagnostic, Span, did_you_mean};
use num_traits::ToPrimitive;

/// Most nodes of an architecture that a spec writes out.
const NODE_LIMIT: usize = 100_000;

/// The activations of a spec by name.
const ACTIVATIONS: &[&str] = &[
    "relu",
    "leaky_relu",
    "relu6",
    "hard_tanh",
    "sign",
    "sigmoid",
    "tanh",
    "arctan",
    "softplus",
    "softsign",
    "elu",
    "silu",
    "gelu",
    "gelu_tanh",
    "gaussian",
    "identity",
];

/// A size: a positive integer below 2^128.
pub fn size(names: &Names, expr: &ast::Expr) -> Result<Size, Diagnostic> {
    let value = names.rational(expr)?;
    let size = if value.is_integer() { value.to_integer().to_u128() } else { None };
    match size {
        Some(0) => {
            Err(Diagnostic::error("E0120", "expected a positive size, found 0").at(expr.span, "a layer of width 0"))
        }
        Some(size) => Ok(size),
        None => Err(Diagnostic::error("E0120", format!("expected a positive integer below 2^128, found {value}"))
            .at(expr.span, "not a size")),
    }
}

/// `gradients(30)`: the feature map of this index.
fn gradients(names: &Names, method: &ast::Method) -> Result<GradientMap, Diagnostic> {
    let index = match method.args.as_slice() {
        [ast::Arg { value: ast::ArgValue::Expr(expr), domain: None, .. }] => {
            super::sample::natural(names, expr, usize::from(MAPS) - 1)?
        }
        _ => 0,
    };
    u16::try_from(index).ok().and_then(GradientMap::new).filter(|_| method.args.len() == 1).ok_or_else(|| {
        Diagnostic::error("E0662", "expected the index of a feature map").at(method.span, "such as `gradients(1)`")
    })
}

/// The activation that a name and its arguments stand for.
pub fn activation(names: &Names, method: &ast::Method) -> Result<Activation, Diagnostic> {
    let name = method.name.name.as_str();
    let parameter = match method.args.as_slice() {
        [] => None,
        [ast::Arg { value: ast::ArgValue::Expr(expr), domain: None, .. }] => Some(names.rational(expr)?),
        _ => {
            return Err(Diagnostic::error(
                "E0121",
                format!("expected one parameter for `{name}`, found {}", method.args.len()),
            )
            .at(method.span, ""));
        }
    };
    match (Activation::named(name), parameter) {
        (Some(Activation::LeakyRelu(_)), Some(slope)) => Ok(Activation::LeakyRelu(slope)),
        (Some(Activation::Elu(_)), Some(alpha)) => Ok(Activation::Elu(alpha)),
        (Some(activation), None) => Ok(activation),
        (Some(_), Some(_)) => {
            Err(Diagnostic::error("E0121", format!("expected no parameter for `{name}`, found one"))
                .at(method.span, ""))
        }
        (None, _) => {
            let mut diagnostic = Diagnostic::error("E0121", format!("expected an activation, found `{name}`"))
                .at(method.name.span, "unknown activation");
            if let Some(near) = did_you_mean(name, ACTIVATIONS.iter().copied()) {
                diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            }
            Err(diagnostic.note(format!("known: {}", ACTIVATIONS.join(", "))))
        }
    }
}

/// `2 -> 16 -> 1 relu`
pub fn chain(names: &Names, chain: &ast::Chain) -> Result<Architecture, Diagnostic> {
    let sizes = chain.sizes.iter().map(|expr| size(names, expr)).collect::<Result<Vec<_>, _>>()?;
    let activation = match &chain.activation {
        Some(method) => activation(names, method)?,
        None => Activation::Identity,
    };
    Architecture::dense_chain(&sizes, &activation).map_err(|error| ill_formed(&error.to_string(), chain.span))
}

fn ill_formed(message: &str, span: Span) -> Diagnostic {
    Diagnostic::error("E0122", format!("the network is not well formed: {message}")).at(span, "")
}

/// `{ input 3, 32, 32  conv 6, kernel 5 then relu ... }`
pub fn block(names: &Names, layers: &[Layer], span: Span) -> Result<Architecture, Diagnostic> {
    let mut units = flatten(names, layers)?.into_iter();
    let Some(ast::Unit { kind: UnitKind::Input(dims), .. }) = units.next() else {
        return Err(Diagnostic::error("E0122", "expected `input ...` as the first layer").at(span, "this block"));
    };
    let input = dims.iter().map(|expr| size(names, expr)).collect::<Result<Vec<_>, _>>()?;
    let mut builder = Builder { names, nodes: Vec::new() };
    let mut last = Source::Input;
    for unit in units {
        last = builder.unit(unit, last)?;
    }
    let architecture = Architecture { input, nodes: builder.nodes };
    match architecture.shapes() {
        Ok(_) => Ok(architecture),
        Err(error) => Err(ill_formed(&error.to_string(), span)),
    }
}

/// Units in order, with `repeat` unrolled.
fn flatten<'a>(names: &Names, layers: &'a [Layer]) -> Result<Vec<&'a ast::Unit>, Diagnostic> {
    let mut units = Vec::new();
    for layer in layers {
        match layer {
            Layer::Units(row) => units.extend(row),
            Layer::Repeat { count, layers, span } => {
                let inner = flatten(names, layers)?;
                for _ in 0..size(names, count)? {
                    units.extend(inner.iter().copied());
                    if units.len() > NODE_LIMIT {
                        return Err(Diagnostic::limit(
                            "E0123",
                            format!("expected at most {NODE_LIMIT} layers, found more"),
                        )
                        .at(*span, "repeated here"));
                    }
                }
            }
        }
    }
    Ok(units)
}

struct Builder<'n> {
    names: &'n Names,
    nodes: Vec<Node>,
}

impl Builder<'_> {
    fn push(&mut self, op: Op, inputs: Vec<Source>) -> Source {
        self.nodes.push(Node { op, inputs });
        Source::Node(self.nodes.len() - 1)
    }

    fn unit(&mut self, unit: &ast::Unit, input: Source) -> Result<Source, Diagnostic> {
        let names = self.names;
        let op = match &unit.kind {
            UnitKind::Input(_) => {
                return Err(
                    Diagnostic::error("E0122", "expected `input` once, at the start").at(unit.span, "a second `input`")
                );
            }
            UnitKind::Conv { channels, options } => {
                let kernel = option(names, options, UnitKey::Kernel)?.ok_or_else(|| {
                    Diagnostic::error("E0122", "expected a kernel size for `conv`")
                        .at(unit.span, "write `conv 6, kernel 5`")
                })?;
                let stride = option(names, options, UnitKey::Stride)?.unwrap_or(1);
                let pad = option(names, options, UnitKey::Pad)?.unwrap_or(0);
                let groups = option(names, options, UnitKey::Groups)?.unwrap_or(1);
                let channels = size(names, channels)?;
                Op::Conv {
                    channels,
                    kernel: (kernel, kernel),
                    stride: (stride, stride),
                    pad: (pad, pad),
                    groups,
                    bias: true,
                }
            }
            UnitKind::Dense(units) => Op::Dense { units: size(names, units)?, bias: true },
            UnitKind::BatchNorm => Op::BatchNorm,
            UnitKind::MaxPool { window, options } => {
                let window = size(names, window)?;
                let stride = option(names, options, UnitKey::Stride)?.unwrap_or(window);
                let pad = option(names, options, UnitKey::Pad)?.unwrap_or(0);
                Op::MaxPool { window: (window, window), stride: (stride, stride), pad: (pad, pad) }
            }
            UnitKind::AvgPool { window, options } => {
                let window = size(names, window)?;
                let stride = option(names, options, UnitKey::Stride)?.unwrap_or(window);
                Op::AvgPool { window: (window, window), stride: (stride, stride) }
            }
            UnitKind::GlobalAvgPool => {
                let pooled = self.push(Op::GlobalAvgPool, vec![input]);
                return Ok(self.push(Op::Flatten, vec![pooled]));
            }
            UnitKind::Flatten => Op::Flatten,
            UnitKind::Activation(method) if method.name.name == "gradients" => Op::Gradients(gradients(names, method)?),
            UnitKind::Activation(method) => Op::Activation(activation(names, method)?),
            UnitKind::Residual { layers, via } => {
                let mut branch = input;
                for unit in flatten(names, layers)? {
                    branch = self.unit(unit, branch)?;
                }
                let skip = match via {
                    Some(unit) => self.unit(unit, input)?,
                    None => input,
                };
                return Ok(self.push(Op::Add, vec![branch, skip]));
            }
        };
        Ok(self.push(op, vec![input]))
    }
}

/// An option of a unit; padding may be 0.
fn option(names: &Names, options: &[ast::UnitOption], key: UnitKey) -> Result<Option<Size>, Diagnostic> {
    let Some(option) = options.iter().find(|option| option.key == key) else { return Ok(None) };
    if key == UnitKey::Pad && names.rational(&option.value)? == num_rational::BigRational::from_integer(0.into()) {
        return Ok(Some(0));
    }
    size(names, &option.value).map(Some)
}

/// One line for the report: `2 -> 16 -> 16 -> 1 relu`.
pub fn describe(architecture: &Architecture) -> Option<String> {
    if let Some((map, chain)) = architecture.after_features() {
        let after = describe(&chain)?;
        return Some(format!("{} pixels -> gradients({}) -> {after}", architecture.input.first()?, map.index()));
    }
    let structure = crate::kernel::structure::Structure::of(architecture).ok()?;
    let layers = structure.chain()?;
    let mut text = structure.input_dim.to_string();
    for layer in layers {
        text.push_str(&format!(" -> {}", layer.units));
    }
    let hidden: Vec<Term> = layers[..layers.len() - 1].iter().map(|layer| layer.activation.symbol()).collect();
    match hidden.first() {
        Some(first) if hidden.iter().all(|term| term == first) => text.push_str(&format!(" {first}")),
        Some(_) => text.push_str(" mixed activations"),
        None => {}
    }
    Some(text)
}
