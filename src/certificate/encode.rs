//! Kernel values as JSON: the inverse of the readers in `kernel/certificate`. Trust: untrusted.

use crate::kernel::certificate::array::PLAIN_BITS;
use crate::kernel::certificate::json::Json;
use crate::kernel::certificate::point;
use crate::kernel::certificate::term::{BIGS, CONSTANTS, RELATIONS, SYMBOLS};
use crate::kernel::check::Statement;
use crate::kernel::derive::Step;
use crate::kernel::lipschitz::{self, Branch, LayerNorm, LowerWitness, Multipliers, robust};
use crate::kernel::net::{Activation, Architecture, Op, Parameters, Size, Source, Tensor, Weight};
use crate::kernel::object::{
    Constraint, Dependence, Domain, Entry, Examples, NetObject, Noise, Object, Origin, Part, Sample,
};
use crate::kernel::real::{self, Inverse, Question};
use crate::kernel::term::{Formula, Op as TermOp, Term};
use crate::kernel::value::Value;
use crate::kernel::witness::Witness;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use std::collections::BTreeMap;

/// Arrays up to this length stand in the text.
const INLINE: usize = 8;
/// Significant bits of a stated end that is not exact.
const END_BITS: u32 = 64;
/// Longest exact end in the text, in bits of numerator and denominator together.
const EXACT_BITS: u64 = 256;

pub fn text(text: impl Into<String>) -> Json {
    Json::Text(text.into())
}

pub fn map<const N: usize>(fields: [(&str, Json); N]) -> Json {
    Json::Map(fields.into_iter().map(|(key, value)| (key.to_string(), value)).collect())
}

/// A map without the fields, of those in the second list, that have nothing to say.
pub fn record<const N: usize, const M: usize>(fields: [(&str, Json); N], optional: [(&str, Json); M]) -> Json {
    let is_something = |(_, json): &(&str, Json)| match json {
        Json::Null => false,
        Json::List(list) => !list.is_empty(),
        Json::Map(map) => !map.is_empty(),
        _ => true,
    };
    let fields = fields.into_iter().chain(optional.into_iter().filter(is_something));
    Json::Map(fields.map(|(key, value)| (key.to_string(), value)).collect())
}

/// A probability that is left out where it is zero.
pub fn positive(q: &BigRational) -> Json {
    if q.is_zero() { Json::Null } else { rational(q) }
}

pub fn texts<'a>(items: impl IntoIterator<Item = &'a String>) -> Json {
    Json::List(items.into_iter().map(text).collect())
}

pub fn natural(n: usize) -> Json {
    Json::Integer(n as u64)
}

fn list(word: &str, rest: impl IntoIterator<Item = Json>) -> Json {
    Json::List(std::iter::once(text(word)).chain(rest).collect())
}

fn rational(q: &BigRational) -> Json {
    text(q.to_string())
}

fn size(n: Size) -> Json {
    text(n.to_string())
}

/// `m * 2^e` for an odd `m`, or zero.
fn dyadic_text(m: &BigInt, e: i64) -> String {
    if e == 0 || m.bits() == 0 {
        m.to_string()
    } else if e > 0 && m.bits() as i64 + e <= PLAIN_BITS {
        (m << e.unsigned_abs()).to_string()
    } else {
        format!("{m}*2^{e}")
    }
}

fn dyadic(x: &lipschitz::Dyadic) -> Json {
    let (m, e) = x.to_parts();
    text(dyadic_text(&m, e))
}

fn layer_norm(bound: &LayerNorm) -> Json {
    match bound {
        LayerNorm::Gram => text("gram"),
        LayerNorm::Schur => text("schur"),
        LayerNorm::Spectral(square) => dyadic(square),
    }
}

/// One end of a value: exact where that is short, else rounded outward.
pub fn end(value: &Value, low: bool) -> Json {
    let (exact, dyadic) =
        if low { (value.low(), value.enclosure().lo()) } else { (value.high(), value.enclosure().hi()) };
    if let Some(q) = exact.and_then(|surd| surd.as_rational())
        && q.numer().bits() + q.denom().bits() <= EXACT_BITS
    {
        return rational(&q);
    }
    let rounded = |x: &real::Dyadic| if low { x.round_down(END_BITS) } else { x.round_up(END_BITS) };
    match dyadic.map(rounded) {
        Some(x) => real(&x),
        None => Json::Null,
    }
}

fn real(x: &real::Dyadic) -> Json {
    text(dyadic_text(x.mantissa(), x.exponent()))
}

/// The point at which an inverse is checked.
pub fn point(question: &Question, at: &real::Dyadic) -> Json {
    let inverse = match &question.inverse {
        Inverse::Kl { q, c } => list(point::KL, [real(q), real(c)]),
        Inverse::BinomialTail { n, k, delta } => {
            list(point::BINOMIAL_TAIL, [text(n.to_string()), text(k.to_string()), real(delta)])
        }
    };
    let side = point::SIDES.iter().find(|(_, side)| *side == question.side).map_or("", |(word, _)| word);
    map([("at", real(at)), ("inverse", inverse), ("side", text(side))])
}

pub fn term(value: &Term) -> Json {
    match value {
        Term::Number(q) => rational(q),
        Term::Pi | Term::Euler | Term::Infinity => {
            text(CONSTANTS.iter().find(|(_, constant)| constant == value).map_or("", |(word, _)| word))
        }
        Term::Name(name) => text(name),
        Term::Apply(op, arguments) => list(op_word(*op), arguments.iter().map(term)),
        Term::Big { big, variable, from, to, body } => {
            let word = BIGS.iter().find(|(_, b)| b == big).map_or("", |(word, _)| word);
            list(word, [text(variable), term(from), term(to), term(body)])
        }
        Term::Cases(branches) => list(
            "cases",
            branches.iter().map(|(condition, value)| {
                Json::List(vec![condition.as_ref().map_or(Json::Null, formula), term(value)])
            }),
        ),
        Term::Quantity(head, arguments) => list(head, arguments.iter().map(term)),
    }
}

fn op_word(op: TermOp) -> &'static str {
    SYMBOLS.iter().chain(TermOp::CALLS).find(|(_, o, _)| *o == op).map_or("", |(word, _, _)| word)
}

pub fn formula(value: &Formula) -> Json {
    match value {
        Formula::Compare(a, relation, b) => {
            let word = RELATIONS.iter().find(|(_, r)| r == relation).map_or("", |(word, _)| word);
            list(word, [term(a), term(b)])
        }
        Formula::Within(a, low, high) => list("within", [term(a), term(low), term(high)]),
        Formula::Holds(name, arguments) => list("holds", std::iter::once(text(name)).chain(arguments.iter().map(term))),
        Formula::And(parts) => list("and", parts.iter().map(formula)),
        Formula::ForAll { variable, from, to, body } => {
            list("forall", [text(variable), term(from), term(to), formula(body)])
        }
        Formula::ForReal { variable, from, to, body } => {
            list("forall_real", [text(variable), term(from), term(to), formula(body)])
        }
        Formula::ForEach { variable, members, body } => {
            list("forall_each", [text(variable), Json::List(members.iter().map(term).collect()), formula(body)])
        }
    }
}

pub fn statement(value: &Statement) -> Json {
    match value {
        Statement::Formula(inner) => formula(inner),
        Statement::Upper(inner) => list("upper", [term(inner)]),
        Statement::Lower(inner) => list("lower", [term(inner)]),
        Statement::Both(inner) => list("both", [term(inner)]),
    }
}

/// The side file under construction.
#[derive(Default)]
pub struct Side {
    pub bytes: Vec<u8>,
}

impl Side {
    /// An array of `m * 2^e`: in the text if it is short, else in the smallest layout that holds it exactly.
    fn array(&mut self, numbers: &[(i64, i64)]) -> Json {
        if numbers.len() > INLINE
            && let Some((layout, exponent, bytes)) = layout(numbers)
        {
            return self.place(layout, exponent, numbers.len(), bytes);
        }
        Json::List(numbers.iter().map(|(m, e)| text(dyadic_text(&BigInt::from(*m), *e))).collect())
    }

    /// Appends an array and says where it stands.
    fn place(&mut self, layout: &str, exponent: i64, count: usize, bytes: Vec<u8>) -> Json {
        let at = self.bytes.len();
        self.bytes.extend(bytes);
        let exponent = (exponent != 0).then(|| text(exponent.to_string()));
        list(layout, [natural(at), natural(count)].into_iter().chain(exponent))
    }

    fn weights(&mut self, weights: &[Weight]) -> Json {
        self.array(&weights.iter().map(|w| (w.mantissa, i64::from(w.exponent))).collect::<Vec<_>>())
    }

    fn dyadics(&mut self, values: &[lipschitz::Dyadic]) -> Json {
        let small = |x: &lipschitz::Dyadic| {
            let (m, e) = x.to_parts();
            Some((m.to_i64()?, e))
        };
        match values.iter().map(small).collect::<Option<Vec<_>>>() {
            Some(numbers) => self.array(&numbers),
            None => Json::List(values.iter().map(dyadic).collect()),
        }
    }

    /// Integers keep the exponent zero.
    fn integers(&mut self, values: &[i64]) -> Json {
        if values.len() > INLINE {
            let (layout, bytes) = integer_bytes(values);
            return self.place(layout, 0, values.len(), bytes);
        }
        Json::List(values.iter().map(|n| text(n.to_string())).collect())
    }

    /// A step, and for a theorem the quantity that it bounds.
    pub fn step(&mut self, step: &Step, of: &str) -> Json {
        match step {
            Step::Theorem { name, bindings } => map([
                ("bindings", Json::Map(bindings.iter().map(|(name, value)| (name.clone(), term(value))).collect())),
                ("of", text(of)),
                ("theorem", text(name)),
            ]),
            Step::Witness { subject, witness } => map([("subject", term(subject)), ("witness", self.witness(witness))]),
        }
    }

    fn witness(&mut self, witness: &Witness) -> Json {
        let kind = |word: &str| ("kind", text(word));
        match witness {
            Witness::Computation => map([kind("computation")]),
            Witness::SpectralUpper(bound) => map([("bound", layer_norm(bound)), kind("spectral_upper")]),
            Witness::SpectralLower { vector } => {
                let small: Option<Vec<i64>> = vector.iter().map(ToPrimitive::to_i64).collect();
                let vector = match small {
                    Some(small) => self.integers(&small),
                    None => Json::List(vector.iter().map(|n| text(n.to_string())).collect()),
                };
                map([kind("spectral_lower"), ("vector", vector)])
            }
            Witness::LipschitzUpper(witness) => self.upper(witness),
            Witness::Robust(robust::Certificate::Pairs(pairs)) => {
                let pairs = pairs.iter().map(|pair| self.multipliers(pair)).collect();
                map([kind("robust_pairs"), ("pairs", Json::List(pairs))])
            }
            Witness::Robust(robust::Certificate::Whole(witness)) => {
                map([kind("robust_whole"), ("whole", self.upper(witness))])
            }
            Witness::Adversarial(point) => map([kind("adversarial"), ("point", self.dyadics(point))]),
            Witness::LipschitzLower(LowerWitness::Direction { point, direction }) => {
                let (point, direction) = (self.dyadics(point), self.dyadics(direction));
                map([("direction", direction), kind("direction"), ("point", point)])
            }
            Witness::LipschitzLower(LowerWitness::Pair { from, to }) => {
                let (from, to) = (self.dyadics(from), self.dyadics(to));
                map([("from", from), kind("pair"), ("to", to)])
            }
        }
    }

    fn upper(&mut self, witness: &lipschitz::Witness) -> Json {
        let kind = |word: &str| ("kind", text(word));
        match witness {
            lipschitz::Witness::Product(layers) => {
                let layer = |layer: &Option<LayerNorm>| layer.as_ref().map_or(Json::Null, layer_norm);
                map([kind("norm_product"), ("layers", Json::List(layers.iter().map(layer).collect()))])
            }
            lipschitz::Witness::AbsoluteProduct => map([kind("absolute_product")]),
            lipschitz::Witness::Jacobian => map([kind("jacobian")]),
            lipschitz::Witness::Averaged(squares) => {
                let square = |x: &Option<lipschitz::Dyadic>| x.as_ref().map_or(Json::Null, dyadic);
                let row = |row: &Vec<Option<lipschitz::Dyadic>>| Json::List(row.iter().map(square).collect());
                map([kind("averaged"), ("squares", Json::List(squares.iter().map(row).collect()))])
            }
            lipschitz::Witness::Tree(tree) => {
                let branches = tree.iter().map(|branch| self.branch(branch)).collect();
                map([("branches", Json::List(branches)), kind("tree")])
            }
        }
    }

    fn multipliers(&mut self, multipliers: &Multipliers) -> Json {
        Json::List(vec![self.dyadics(&multipliers.input), self.dyadics(&multipliers.neurons)])
    }

    fn branch(&mut self, branch: &Branch) -> Json {
        match branch {
            Branch::Input { coordinate, at } => list("input", [natural(*coordinate), dyadic(at)]),
            Branch::Neuron(j) => list("neuron", [natural(*j)]),
            Branch::Empty(weights) => {
                let weight = |(j, weight): &(usize, lipschitz::Dyadic)| Json::List(vec![natural(*j), dyadic(weight)]);
                list("empty", [Json::List(weights.iter().map(weight).collect())])
            }
            Branch::Leaf(certificates) => {
                let leaves = certificates.iter().map(|c| self.multipliers(c)).collect();
                list("leaf", [Json::List(leaves)])
            }
        }
    }

    /// An object and what it depends on. Without `examples` a sample is described by its size and atoms only.
    pub fn entry(&mut self, entry: &Entry, examples: bool) -> Json {
        let depends_on = match &entry.dependence {
            Dependence::Unknown => Json::Null,
            Dependence::Known(atoms) => texts(atoms),
        };
        let inner = match &entry.object {
            Object::Net(net) => self.net(net),
            Object::Domain(domain) => self::domain(domain),
            Object::Sample(sample) => self.sample(sample, examples),
            Object::Law(law) => map([
                ("mean", text(&law.mean)),
                ("noise", text(if law.noise == Noise::All { "all" } else { "last_layer" })),
                ("variance", rational(&law.variance)),
            ]),
        };
        map([("depends_on", depends_on), ("is", inner)])
    }

    fn net(&mut self, net: &NetObject) -> Json {
        let parameters = net.network.as_ref().map_or(Json::Null, |network| {
            Json::List(
                network.parameters().iter().map(|p| p.as_ref().map_or(Json::Null, |p| self.parameters(p))).collect(),
            )
        });
        let bits = net.network.as_ref().map_or(Json::Null, |network| natural(network.weight_bits() as usize));
        record(
            [("architecture", architecture(&net.architecture))],
            [
                ("constraints", Json::List(net.constraints.iter().map(constraint).collect())),
                ("parameters", parameters),
                ("weight_bits", bits),
            ],
        )
    }

    fn parameters(&mut self, parameters: &Parameters) -> Json {
        let mut tensor = |tensor: &Tensor| {
            let shape = tensor.shape.iter().map(|n| natural(*n)).collect();
            Json::List(vec![Json::List(shape), self.weights(&tensor.data)])
        };
        let weight = tensor(&parameters.weight);
        record([("weight", weight)], [("bias", parameters.bias.as_ref().map_or(Json::Null, tensor))])
    }

    fn sample(&mut self, sample: &Sample, with_examples: bool) -> Json {
        let origin = match &sample.origin {
            Origin::File => text("file"),
            Origin::SortedFilePart => text("sorted_file_part"),
            Origin::TimeSeries => text("time_series"),
            Origin::Generated(generator) => map([("generator", text(generator))]),
        };
        let examples = sample.examples.as_ref().filter(|_| with_examples);
        record(
            [
                ("atoms", texts(&sample.atoms)),
                ("classes", natural(sample.classes as usize)),
                ("origin", origin),
                ("size", natural(sample.size)),
            ],
            [("examples", examples.map_or(Json::Null, |examples| self.examples(examples)))],
        )
    }

    fn examples(&mut self, examples: &Examples) -> Json {
        let labels: Vec<i64> = examples.labels.iter().map(|label| i64::from(*label)).collect();
        map([
            ("dimension", natural(examples.dimension)),
            ("labels", self.integers(&labels)),
            ("scale", rational(&examples.scale)),
            ("values", self.weights(&examples.values)),
        ])
    }
}

fn domain(domain: &Domain) -> Json {
    match domain {
        Domain::Box(runs) => {
            let run = |(count, low, high): &(Size, BigRational, BigRational)| {
                Json::List(vec![size(*count), rational(low), rational(high)])
            };
            map([("box", Json::List(runs.iter().map(run).collect()))])
        }
        Domain::Ball { dimension, radius, norm, center } => record(
            [("dimension", size(*dimension)), ("norm", text(norm)), ("radius", rational(radius))],
            [("center", center.as_ref().map_or(Json::Null, |c| Json::List(c.iter().map(rational).collect())))],
        ),
    }
}

fn constraint(constraint: &Constraint) -> Json {
    let part = match constraint.part {
        Part::Weight => "weight",
        Part::Bias => "bias",
    };
    map([
        ("bound", term(&constraint.bound)),
        ("layer", natural(constraint.layer)),
        ("norm", text(&constraint.norm)),
        ("part", text(part)),
    ])
}

fn architecture(architecture: &Architecture) -> Json {
    let source = |source: &Source| match source {
        Source::Input => text("input"),
        Source::Node(j) => natural(*j),
    };
    let nodes = architecture.nodes.iter().enumerate().map(|(i, node)| {
        let last = i.checked_sub(1).map_or(Source::Input, Source::Node);
        if node.inputs == [last] {
            return op(&node.op);
        }
        map([("inputs", Json::List(node.inputs.iter().map(source).collect())), ("op", op(&node.op))])
    });
    map([
        ("input", Json::List(architecture.input.iter().map(|n| size(*n)).collect())),
        ("nodes", Json::List(nodes.collect())),
    ])
}

fn op(op: &Op) -> Json {
    let pair = |(a, b): (Size, Size)| Json::List(vec![size(a), size(b)]);
    match op {
        Op::Dense { units, bias } => list("dense", [size(*units), Json::Truth(*bias)]),
        Op::Conv { channels, kernel, stride, pad, groups, bias } => {
            list("conv", [size(*channels), pair(*kernel), pair(*stride), pair(*pad), size(*groups), Json::Truth(*bias)])
        }
        Op::Activation(activation) => {
            let parameter = match activation {
                Activation::LeakyRelu(q) | Activation::Elu(q) => Some(rational(q)),
                _ => None,
            };
            list("activation", std::iter::once(text(activation.name())).chain(parameter))
        }
        Op::BatchNorm => list("batch_norm", []),
        Op::FixedAffine => list("fixed_affine", []),
        Op::MaxPool { window, stride, pad } => list("max_pool", [pair(*window), pair(*stride), pair(*pad)]),
        Op::AvgPool { window, stride } => list("avg_pool", [pair(*window), pair(*stride)]),
        Op::GlobalAvgPool => list("global_avg_pool", []),
        Op::Flatten => list("flatten", []),
        Op::Add => list("add", []),
        Op::Concat => list("concat", []),
        Op::Gradients(map) => list("gradients", [natural(usize::from(map.index()))]),
    }
}

/// The smallest layout: integers with a common exponent, or binary floating-point numbers.
fn layout(numbers: &[(i64, i64)]) -> Option<(&'static str, i64, Vec<u8>)> {
    let exponent = numbers.iter().filter(|(m, _)| *m != 0).map(|(_, e)| *e).min().unwrap_or(0);
    let shifted = |(m, e): &(i64, i64)| {
        let by = u32::try_from(if *m == 0 { 0 } else { e - exponent }).ok().filter(|by| *by < 63)?;
        (m.checked_mul(1 << by)).filter(|n| n >> by == *m)
    };
    let integers: Option<Vec<i64>> = numbers.iter().map(shifted).collect();
    let integers = integers.map(|values| {
        let (layout, bytes) = integer_bytes(&values);
        (layout, exponent, bytes)
    });
    let floats = |layout, width: usize, exponent_bits, fraction_bits| {
        let mut bytes = Vec::with_capacity(numbers.len() * width);
        for (m, e) in numbers {
            let word = binary(*m, *e, exponent_bits, fraction_bits)?;
            bytes.extend_from_slice(&word.to_le_bytes()[..width]);
        }
        Some((layout, 0, bytes))
    };
    let narrow = floats("binary32", 4, 8, 23);
    let wide = if narrow.is_none() { floats("binary64", 8, 11, 52) } else { None };
    [integers, narrow, wide].into_iter().flatten().min_by_key(|(_, _, bytes)| bytes.len())
}

fn integer_bytes(values: &[i64]) -> (&'static str, Vec<u8>) {
    let fits = |bits: u32| values.iter().all(|n| *n >= -(1i64 << (bits - 1)) && *n < 1i64 << (bits - 1));
    let (layout, width) = match () {
        () if fits(8) => ("i8", 1),
        () if values.iter().all(|n| (0..256).contains(n)) => ("u8", 1),
        () if fits(16) => ("i16", 2),
        () if fits(32) => ("i32", 4),
        () => ("i64", 8),
    };
    (layout, values.iter().flat_map(|n| n.to_le_bytes()[..width].to_vec()).collect())
}

/// The bits of a binary floating-point number, if it is one exactly.
fn binary(m: i64, e: i64, exponent_bits: u32, fraction_bits: u32) -> Option<u64> {
    if m == 0 {
        return Some(0);
    }
    let sign = u64::from(m < 0) << (exponent_bits + fraction_bits);
    let magnitude = m.unsigned_abs();
    let length = 64 - magnitude.leading_zeros();
    let bias = (1i64 << (exponent_bits - 1)) - 1;
    // The exponent of the leading bit; at the bottom the fraction loses bits instead.
    let top = e + i64::from(length) - 1;
    let lowest = 1 - bias;
    let unit = top.max(lowest) - i64::from(fraction_bits);
    let shift = e - unit;
    if top > bias || shift < 0 && magnitude.trailing_zeros() < shift.unsigned_abs() as u32 {
        return None;
    }
    let fraction = if shift >= 0 { magnitude << shift } else { magnitude >> shift.unsigned_abs() };
    let hidden = 1u64 << fraction_bits;
    let biased = if fraction & hidden == 0 { 0 } else { (top + bias) as u64 };
    Some(sign | biased << fraction_bits | fraction & (hidden - 1))
}

/// A map of JSON values by name.
pub fn by_name(entries: impl IntoIterator<Item = (String, Json)>) -> Json {
    Json::Map(entries.into_iter().collect::<BTreeMap<_, _>>())
}
