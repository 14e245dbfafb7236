//! Objects: networks, classes, domains, samples, definitions, assumptions. Trust: kernel.
//!
//! Whatever the engine guarantees of the objects it builds is checked here again: intervals are not empty, radii not negative,
//! parameters fit their architecture, labels are classes.

use super::array::{Side, rational, size};
use super::json::{Document, Field};
use super::name::{identifier, label, object, variable};
use super::term::term;
use super::{INPUT_LIMIT, Reason, Refusal};
use crate::kernel::gradient::GradientMap;
use crate::kernel::net::{Activation, Architecture, Network, Node, Op, Parameters, Size, Source, Tensor};
use crate::kernel::object::{
    Assumption, AssumptionKind, Constraint, Dependence, Domain, Entry, Examples, Law, NetObject, Noise, Object,
    Objects, Origin, Part, Sample,
};
use crate::kernel::signature::NORMS;
use crate::kernel::term::Definition;
use num_traits::{Signed, Zero};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The parts `objects`, `definitions` and `assumptions` of a certificate.
pub fn objects(document: &Document, side: &Side) -> Result<Objects, Refusal> {
    let mut objects = Objects::default();
    for i in 0..document.count("objects") {
        let (name, json) = document.entry("objects", i)?;
        let field = Field::new(&json, format!("objects.{name}"));
        object(&field, name)?;
        objects.entries.insert(name.to_string(), entry(&field, side)?);
    }
    // A definition may mention any other: a circle ends at the depth limit of evaluation, as an error.
    for i in 0..document.count("definitions") {
        let (name, json) = document.entry("definitions", i)?;
        let field = Field::new(&json, format!("definitions.{name}"));
        let ([body], [parameters]) = field.record(["body"], ["parameters"])?;
        let parameters = parameters.map_or(Ok(Vec::new()), |parameters| parameters.list())?;
        // A constant may be called `gamma`: the function of that name is always followed by an argument.
        if name == "gamma" && parameters.is_empty() {
            variable(&field, name)?
        } else {
            identifier(&field, name)?
        };
        if objects.entries.contains_key(name) {
            return field.refuse(Reason::Name, format!("expected a new name, found the object `{name}`"));
        }
        let parameter = |p: &Field| Ok(variable(p, p.text()?)?.to_string());
        let parameters = parameters.iter().map(parameter).collect::<Result<_, Refusal>>()?;
        objects.definitions.insert(name.to_string(), Definition { parameters, body: term(&body)? });
    }
    for i in 0..document.count("assumptions") {
        let (_, json) = document.entry("assumptions", i)?;
        objects.assumptions.push(assumption(&Field::new(&json, format!("assumptions[{i}]")))?);
    }
    Ok(objects)
}

fn assumption(field: &Field) -> Result<Assumption, Refusal> {
    let (name, kind) = if field.find("iid").is_some() {
        let [sample, name] = field.fields(["iid", "name"])?;
        (name, AssumptionKind::Iid { sample: object(&sample, sample.text()?)?.to_string() })
    } else if field.find("supported").is_some() {
        let [domain, name, sample] = field.fields(["domain", "name", "supported"])?;
        let sample = object(&sample, sample.text()?)?.to_string();
        (name, AssumptionKind::Supported { sample, domain: object(&domain, domain.text()?)?.to_string() })
    } else {
        let [atoms, name, of] = field.fields(["depends_on", "name", "object"])?;
        (name, AssumptionKind::DependsOn { object: object(&of, of.text()?)?.to_string(), atoms: names(&atoms)? })
    };
    Ok(Assumption { name: label(&name, name.text()?)?.to_string(), kind })
}

fn names(field: &Field) -> Result<BTreeSet<String>, Refusal> {
    let mut names = BTreeSet::new();
    for item in field.list()? {
        if !names.insert(object(&item, item.text()?)?.to_string()) {
            return item.refuse(Reason::Field, "expected every name once");
        }
    }
    Ok(names)
}

fn entry(field: &Field, side: &Side) -> Result<Entry, Refusal> {
    let [depends_on, inner] = field.fields(["depends_on", "is"])?;
    let dependence = if depends_on.is_null() { Dependence::Unknown } else { Dependence::Known(names(&depends_on)?) };
    let object = if let Some(domain) = inner.find("box") {
        Object::Domain(intervals(&domain)?)
    } else if inner.find("radius").is_some() {
        Object::Domain(ball(&inner)?)
    } else if inner.find("variance").is_some() {
        Object::Law(law(&inner)?)
    } else if inner.find("architecture").is_some() {
        Object::Net(net(&inner, side)?)
    } else {
        Object::Sample(sample(&inner, side)?)
    };
    Ok(Entry { object, dependence })
}

fn intervals(field: &Field) -> Result<Domain, Refusal> {
    let run = |run: Field| {
        let [count, low, high] = run.tuple()?;
        let (count, low, high) = (size(&count)?, rational(&low)?, rational(&high)?);
        if count == 0 || low > high {
            return run.refuse(Reason::Object, format!("expected an interval, found [{low}, {high}]"));
        }
        Ok((count, low, high))
    };
    let runs: Vec<_> = field.list()?.into_iter().map(run).collect::<Result<_, Refusal>>()?;
    let domain = Domain::Box(runs);
    match domain.dimension() {
        Some(1..) => Ok(domain),
        _ => field.refuse(Reason::Object, "expected a dimension from 1 to 2^128"),
    }
}

fn norm(field: &Field, allowed: &[&str]) -> Result<String, Refusal> {
    let text = field.text()?;
    if allowed.contains(&text) {
        return Ok(text.to_string());
    }
    field.refuse(Reason::Field, format!("expected one of {}, found `{text}`", allowed.join(", ")))
}

fn ball(field: &Field) -> Result<Domain, Refusal> {
    let ([dimension, norm_name, radius], [center]) = field.record(["dimension", "norm", "radius"], ["center"])?;
    let (dimension, value) = (size(&dimension)?, rational(&radius)?);
    if dimension == 0 || value.is_negative() {
        return radius.refuse(Reason::Object, format!("expected a radius >= 0 and a dimension >= 1, found {value}"));
    }
    let center = match center {
        None => None,
        Some(center) => Some(center.list()?.iter().map(rational).collect::<Result<Vec<_>, _>>()?),
    };
    if center.as_ref().is_some_and(|center| u128::try_from(center.len()) != Ok(dimension)) {
        return field.refuse(Reason::Object, format!("expected a center of {dimension} coordinates"));
    }
    Ok(Domain::Ball { dimension, radius: value, norm: norm(&norm_name, &["l1", "l2", "linf"])?, center })
}

/// A Gaussian law around the parameters of a network.
fn law(field: &Field) -> Result<Law, Refusal> {
    let [mean, noise, variance] = field.fields(["mean", "noise", "variance"])?;
    let noise = match noise.text()? {
        "all" => Noise::All,
        "last_layer" => Noise::LastLayer,
        other => return noise.refuse(Reason::Field, format!("expected all or last_layer, found `{other}`")),
    };
    let value = rational(&variance)?;
    if !value.is_positive() {
        return variance.refuse(Reason::Object, format!("expected a positive variance, found {value}"));
    }
    Ok(Law { mean: object(&mean, mean.text()?)?.to_string(), variance: value, noise })
}

fn net(field: &Field, side: &Side) -> Result<NetObject, Refusal> {
    let ([architecture_field], [constraints, parameters, bits]) =
        field.record(["architecture"], ["constraints", "parameters", "weight_bits"])?;
    let architecture = architecture(&architecture_field)?;
    if let Err(error) = architecture.shapes() {
        return architecture_field.refuse(Reason::Object, error);
    }
    let constraints = constraints.map_or(Ok(Vec::new()), |constraints| constraints.list())?;
    let constraints = constraints.iter().map(constraint).collect::<Result<Vec<_>, _>>()?;
    let network = if let (Some(parameters), Some(bits)) = (&parameters, &bits) {
        if !constraints.is_empty() {
            return field.refuse(Reason::Object, "expected parameters or constraints, found both");
        }
        let inputs = architecture.input.iter().fold(1u128, |product, n| product.saturating_mul(*n));
        if inputs > INPUT_LIMIT {
            return field.refuse(Reason::Limit, format!("expected at most {INPUT_LIMIT} inputs, found {inputs}"));
        }
        let list = parameters.list()?.iter().map(|p| parameter(p, side)).collect::<Result<Vec<_>, _>>()?;
        let bits = u32::try_from(bits.natural()?).unwrap_or(0);
        match Network::new(architecture.clone(), list, bits) {
            Ok(network) if (1..=64).contains(&bits) => Some(Arc::new(network)),
            Ok(_) => return field.refuse(Reason::Object, "expected weights of 1 to 64 bits"),
            Err(error) => return parameters.refuse(Reason::Object, error),
        }
    } else if parameters.is_some() || bits.is_some() {
        return field
            .refuse(Reason::Field, "expected parameters together with the bits of a weight, found one of them");
    } else {
        None
    };
    Ok(NetObject { architecture, network, constraints })
}

fn parameter(field: &Field, side: &Side) -> Result<Option<Parameters>, Refusal> {
    if field.is_null() {
        return Ok(None);
    }
    let tensor = |field: &Field| {
        let [shape, data] = field.tuple()?;
        let shape = shape.list()?.iter().map(Field::natural).collect::<Result<_, _>>()?;
        Tensor::new(shape, side.weights(&data)?).or_else(|error| field.refuse(Reason::Object, error))
    };
    let ([weight], [bias]) = field.record(["weight"], ["bias"])?;
    Ok(Some(Parameters { weight: tensor(&weight)?, bias: bias.as_ref().map(tensor).transpose()? }))
}

fn constraint(field: &Field) -> Result<Constraint, Refusal> {
    let [bound, layer, norm_name, part] = field.fields(["bound", "layer", "norm", "part"])?;
    let part = match part.text()? {
        "weight" => Part::Weight,
        "bias" => Part::Bias,
        other => return part.refuse(Reason::Field, format!("expected weight or bias, found `{other}`")),
    };
    Ok(Constraint { part, layer: layer.natural()?, norm: norm(&norm_name, NORMS)?, bound: term(&bound)? })
}

fn sizes(field: &Field) -> Result<Vec<Size>, Refusal> {
    field.list()?.iter().map(size).collect()
}

fn architecture(field: &Field) -> Result<Architecture, Refusal> {
    let [input, nodes] = field.fields(["input", "nodes"])?;
    let source = |field: &Field| {
        if field.is_text() && field.text()? == "input" {
            return Ok(Source::Input);
        }
        Ok(Source::Node(field.natural()?))
    };
    // An operation alone takes what the node before it gives, the first the input.
    let node = |(i, field): (usize, Field)| {
        let last = vec![i.checked_sub(1).map_or(Source::Input, Source::Node)];
        if !field.is_map() {
            return Ok(Node { op: op(&field)?, inputs: last });
        }
        let [inputs, op_field] = field.fields(["inputs", "op"])?;
        let inputs = inputs.list()?.iter().map(source).collect::<Result<Vec<_>, Refusal>>()?;
        if inputs == last {
            return field.refuse(Reason::Spelling, "expected the operation alone, as it follows the node before");
        }
        Ok(Node { op: op(&op_field)?, inputs })
    };
    let nodes = nodes.list()?.into_iter().enumerate().map(node).collect::<Result<_, Refusal>>()?;
    Ok(Architecture { input: sizes(&input)?, nodes })
}

fn pair(field: &Field) -> Result<(Size, Size), Refusal> {
    let [a, b] = field.tuple()?;
    Ok((size(&a)?, size(&b)?))
}

/// `["dense", units, bias]`, `["conv", channels, kernel, stride, pad, groups, bias]`, `["activation", name, parameter?]`, ...
fn op(field: &Field) -> Result<Op, Refusal> {
    let list = field.list()?;
    let Some((word, rest)) = list.split_first() else { return field.refuse(Reason::Field, "expected an operation") };
    Ok(match (word.text()?, rest) {
        ("dense", [units, bias]) => Op::Dense { units: size(units)?, bias: bias.truth()? },
        ("conv", [channels, kernel, stride, pad, groups, bias]) => Op::Conv {
            channels: size(channels)?,
            kernel: pair(kernel)?,
            stride: pair(stride)?,
            pad: pair(pad)?,
            groups: size(groups)?,
            bias: bias.truth()?,
        },
        ("activation", [name, parameters @ ..]) => Op::Activation(activation(field, name, parameters)?),
        ("batch_norm", []) => Op::BatchNorm,
        ("fixed_affine", []) => Op::FixedAffine,
        ("max_pool", [window, stride, pad]) => {
            Op::MaxPool { window: pair(window)?, stride: pair(stride)?, pad: pair(pad)? }
        }
        ("avg_pool", [window, stride]) => Op::AvgPool { window: pair(window)?, stride: pair(stride)? },
        ("global_avg_pool", []) => Op::GlobalAvgPool,
        ("flatten", []) => Op::Flatten,
        ("add", []) => Op::Add,
        ("concat", []) => Op::Concat,
        ("gradients", [index]) => match u16::try_from(index.natural()?).ok().and_then(GradientMap::new) {
            Some(map) => Op::Gradients(map),
            None => return index.refuse(Reason::Field, "expected the number of a map"),
        },
        (word, _) => return field.refuse(Reason::Field, format!("expected an operation, found `{word}`")),
    })
}

fn activation(field: &Field, name: &Field, parameters: &[Field]) -> Result<Activation, Refusal> {
    let text = name.text()?;
    let found = match (Activation::named(text), parameters) {
        (Some(Activation::LeakyRelu(_)), [slope]) => Some(Activation::LeakyRelu(rational(slope)?)),
        (Some(Activation::Elu(_)), [alpha]) => Some(Activation::Elu(rational(alpha)?)),
        (Some(Activation::LeakyRelu(_) | Activation::Elu(_)), _) => None,
        (found, []) => found.filter(|activation| activation.name() == text),
        _ => None,
    };
    found.map_or_else(|| field.refuse(Reason::Field, format!("expected an activation, found `{text}`")), Ok)
}

fn sample(field: &Field, side: &Side) -> Result<Sample, Refusal> {
    let ([atoms, classes, origin, count], [examples]) =
        field.record(["atoms", "classes", "origin", "size"], ["examples"])?;
    let atoms = names(&atoms)?;
    let Ok(classes) = u32::try_from(classes.natural()?) else {
        return classes.refuse(Reason::Limit, "expected at most 2^32 classes");
    };
    let origin = match (origin.is_text(), if origin.is_text() { origin.text()? } else { "" }) {
        (true, "file") => Origin::File,
        (true, "sorted_file_part") => Origin::SortedFilePart,
        (true, "time_series") => Origin::TimeSeries,
        _ => {
            let [generator] = origin.fields(["generator"])?;
            Origin::Generated(object(&generator, generator.text()?)?.to_string())
        }
    };
    let size = count.natural()?;
    let examples = examples.map(|examples| self::examples(&examples, classes, side)).transpose()?.map(Arc::new);
    if atoms.is_empty() || examples.as_ref().is_some_and(|examples| examples.labels.len() != size) {
        return field.refuse(Reason::Object, format!("expected {size} examples of at least one atom"));
    }
    Ok(Sample { size, atoms, origin, classes, examples })
}

fn examples(field: &Field, classes: u32, side: &Side) -> Result<Examples, Refusal> {
    let [dimension, labels_field, scale, values] = field.fields(["dimension", "labels", "scale", "values"])?;
    let dimension = dimension.natural()?;
    let label = |n: i64| u32::try_from(n).ok().filter(|label| *label < classes);
    let Some(labels) = side.integers(&labels_field)?.into_iter().map(label).collect::<Option<Vec<u32>>>() else {
        return labels_field.refuse(Reason::Object, format!("expected labels below {classes}"));
    };
    let (scale_value, values) = (rational(&scale)?, side.weights(&values)?);
    if scale_value <= Zero::zero() || labels.len().checked_mul(dimension) != Some(values.len()) || dimension == 0 {
        let text = format!("expected {} inputs of dimension {dimension} and a positive scale", labels.len());
        return field.refuse(Reason::Object, text);
    }
    Ok(Examples { dimension, values, scale: scale_value, labels })
}
