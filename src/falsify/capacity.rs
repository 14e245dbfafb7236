//! Small classes and networks, and what enumeration knows of them.

use super::{enumerate, values};
use crate::kernel::net::{Activation, Architecture, Network, Node, Op, Parameters, Source, Tensor, Weight};
use crate::kernel::object::{Constraint, Dependence, Domain, Entry, NetObject, Object, Objects, Part};
use crate::kernel::term::{Op as Operation, Term};
use crate::kernel::theorem::{Sort, Theorem};
use crate::lab::random::Random;
use crate::point;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, ToPrimitive, Zero};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of a quantity: ends as closed terms.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub low: Option<Term>,
    pub high: Option<Term>,
}

impl Known {
    pub fn exactly(term: Term) -> Known {
        Known { low: Some(term.clone()), high: Some(term) }
    }

    fn count(n: u64) -> Known {
        Known::exactly(number(n))
    }

    pub fn at_least(term: Term) -> Known {
        Known { low: Some(term), high: None }
    }
}

fn number(n: u64) -> Term {
    Term::Number(BigRational::from_integer(BigInt::from(n)))
}

/// How a network parameter is made up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// All networks of an architecture.
    Architecture,
    /// All networks without biases and with every norm of every layer at most a bound.
    Bounded,
    /// One network with small integer weights.
    Concrete,
}

/// One network parameter of a theorem, drawn.
#[derive(Clone, Debug)]
struct Drawn {
    sizes: Vec<u32>,
    activation: Activation,
    style: Style,
    /// The common bound of a bounded class.
    bound: BigRational,
    /// Weights of a concrete network, layer by layer, row by row, and biases.
    layers: Vec<(Vec<Vec<i64>>, Vec<i64>)>,
}

/// Objects for the parameters of a theorem.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub objects: Objects,
    /// Parameters with a value that is drawn freely, or an object's own name.
    pub values: BTreeMap<String, Term>,
    nets: BTreeMap<String, Drawn>,
    /// Half the side of the cube that a domain is, and its dimension.
    cubes: BTreeMap<String, (BigRational, u32)>,
}

/// Whether a theorem speaks of this quantity anywhere.
pub fn mentions(theorem: &Theorem, word: &str) -> bool {
    let texts = theorem.requires.iter().chain([&theorem.ensures]).map(ToString::to_string);
    texts.into_iter().any(|text| text.contains(&format!("{word}(")))
}

fn style(theorem: &Theorem) -> Style {
    let has = |words: &[&str]| words.iter().any(|word| mentions(theorem, word));
    if has(&["vcdim", "growth", "pdim", "regions", "unconstrained"]) {
        Style::Architecture
    } else if has(&["rademacher", "norm_class", "parameter_lipschitz", "cover"]) {
        Style::Bounded
    } else {
        Style::Concrete
    }
}

fn small(random: &mut Random, most: u64) -> i64 {
    i64::try_from(random.below(2 * most + 1)).unwrap_or(0) - i64::try_from(most).unwrap_or(0)
}

/// A positive rational with a small numerator and denominator.
pub fn positive(random: &mut Random) -> BigRational {
    BigRational::new(BigInt::from(1 + random.below(6)), BigInt::from(1 + random.below(4)))
}

/// A probability that is neither 0 nor 1.
pub fn probability(random: &mut Random) -> BigRational {
    let denominator = 2 + random.below(19);
    BigRational::new(BigInt::from(1 + random.below(denominator - 1)), BigInt::from(denominator))
}

fn class(random: &mut Random) -> Term {
    let n = number(1 + random.below(3));
    match random.below(6) {
        0 => Term::quantity("halfspaces", vec![n]),
        1 => Term::quantity("homogeneous_halfspaces", vec![n]),
        2 => Term::quantity("intervals", Vec::new()),
        3 => Term::quantity("boxes", vec![number(1 + random.below(2))]),
        4 => Term::quantity("polynomials", vec![number(1), n]),
        _ => Term::quantity("finite_class", vec![number(1 + random.below(9))]),
    }
}

impl World {
    /// Draws a value for every parameter; `None` where a sort has no small instances here.
    pub fn draw(theorem: &Theorem, random: &mut Random) -> Option<World> {
        let mut world = World { objects: Objects::proposing(point::propose), ..World::default() };
        let style = style(theorem);
        for (name, sort) in &theorem.parameters {
            let value = match sort {
                // Small numbers, and now and then one beyond the VC dimension of a small network.
                Sort::Natural if random.below(4) == 0 => number(random.below(400)),
                Sort::Natural => number(random.below(7)),
                Sort::Real if name == "delta" => Term::Number(probability(random)),
                Sort::Real => Term::Number(positive(random)),
                Sort::Norm => Term::name(["l1", "l2", "linf"][usize::try_from(random.below(3)).ok()?]),
                Sort::Class => class(random),
                Sort::Activation => Term::name(["relu", "sigmoid", "tanh"][usize::try_from(random.below(3)).ok()?]),
                Sort::Net | Sort::Map => {
                    world.network(name, Drawn::draw(style, random))?;
                    Term::name(name)
                }
                Sort::Domain => {
                    let radius = positive(random);
                    let dimension = world.nets.values().next().map_or(1, |net| net.sizes[0]);
                    let run = (u128::from(dimension), -radius.clone(), radius.clone());
                    world.insert(name, Object::Domain(Domain::Box(vec![run])));
                    world.cubes.insert(name.clone(), (radius, dimension));
                    Term::name(name)
                }
                _ => return None,
            };
            world.values.insert(name.clone(), value);
        }
        Some(world)
    }

    fn insert(&mut self, name: &str, object: Object) {
        let dependence = Dependence::Known(std::collections::BTreeSet::new());
        self.objects.entries.insert(name.to_string(), Entry { object, dependence });
    }

    fn network(&mut self, name: &str, drawn: Drawn) -> Option<()> {
        let architecture = drawn.architecture();
        let mut constraints = Vec::new();
        if drawn.style == Style::Bounded {
            for layer in 1..drawn.sizes.len() {
                for norm in ["l1", "l2", "linf", "fro", "max", "l21"] {
                    let bound = Term::Number(drawn.bound.clone());
                    constraints.push(Constraint { part: Part::Weight, layer, norm: norm.to_string(), bound });
                }
            }
        }
        let network = match drawn.style {
            Style::Concrete => Some(Arc::new(drawn.network(&architecture)?)),
            _ => None,
        };
        self.insert(name, Object::Net(NetObject { architecture, network, constraints }));
        self.nets.insert(name.to_string(), drawn);
        Some(())
    }

    /// What enumeration knows of a closed quantity.
    pub fn known(&self, head: &str, arguments: &[Term]) -> Known {
        match (head, arguments) {
            ("growth", [class, m]) => match natural(m) {
                Some(m) if m <= 8 => self.growth(class, m),
                _ => Known::default(),
            },
            ("vcdim", [class]) => self.vc_dimension(class),
            ("pdim", [Term::Name(net)]) => {
                let class = Term::quantity("sign", vec![Term::name(net)]);
                let vc = self.vc_dimension(&class);
                let is_affine = self.nets.get(net).is_some_and(|net| net.sizes.len() == 2);
                Known { high: vc.high.filter(|_| is_affine), low: vc.low }
            }
            ("cardinality", [Term::Quantity(class, k)]) if class == "finite_class" => {
                k.first().map_or_else(Known::default, |k| Known::exactly(k.clone()))
            }
            ("regions", [Term::Name(net)]) => match self.nets.get(net) {
                // On the line a hidden layer of k units with one breakpoint has k + 1 pieces at most, and attains them.
                Some(net) if net.sizes.len() == 3 && net.sizes[0] == 1 && net.activation == Activation::Relu => {
                    Known::count(u64::from(net.sizes[1]) + 1)
                }
                _ => Known::default(),
            },
            ("layer_lipschitz", [Term::Name(_), _]) => Known::count(1),
            ("depth", [Term::Name(net)]) => match self.nets.get(net) {
                Some(net) => Known::count(net.sizes.len() as u64 - 1),
                None => Known::default(),
            },
            ("cover", [map, Term::Number(eps), Term::Name(_)]) if eps.is_positive() => match self.net_of(map) {
                Some((net, Some(radius))) => net.covered(radius, eps),
                _ => Known::default(),
            },
            ("lip", [map, Term::Name(norm)]) => self.lipschitz(map, norm),
            // The class of a bounded network has with every function its negative: the modulus changes nothing.
            ("rademacher" | "signed_rademacher", [map @ (Term::Name(_) | Term::Quantity(..)), m])
                if self.net_of(map).is_some() =>
            {
                match (self.net_of(map), natural(m)) {
                    (Some((net, domain)), Some(m)) if (1..=10).contains(&m) => self.rademacher(net, domain, m),
                    _ => Known::default(),
                }
            }
            ("parameter_lipschitz", [map, Term::Number(radius)]) => match self.net_of(map) {
                Some((net, Some(reach))) if radius.is_positive() => Known::at_least(net.moved(radius, reach)),
                _ => Known::default(),
            },
            ("weight_norm", [Term::Name(net), l, Term::Name(norm)]) if norm == "l2" => {
                let layer = natural(l).and_then(|l| usize::try_from(l).ok()?.checked_sub(1));
                let norm = self.nets.get(net).zip(layer).and_then(|(net, layer)| net.spectral_norm(layer));
                norm.map_or_else(Known::default, Known::exactly)
            }
            ("domain_cover", [domain, Term::Number(eps), Term::Name(norm)]) if eps.is_positive() => {
                match self.cube(domain) {
                    // On a line all norms agree.
                    Some((r, n)) if n <= 4 && r.is_positive() && (norm == "linf" || n == 1) => {
                        Known::count(cover(&r, eps).pow(n))
                    }
                    _ => Known::default(),
                }
            }
            _ => values::known(head, arguments),
        }
    }

    /// Half the side and the dimension of a domain that is a cube.
    fn cube(&self, domain: &Term) -> Option<(BigRational, u32)> {
        match domain {
            Term::Name(name) => self.cubes.get(name).cloned(),
            Term::Quantity(shape, of) => match of.as_slice() {
                [n, Term::Number(r)] if shape == "cube" => Some((r.clone(), natural(n)?)),
                [n, Term::Number(r), _] if shape == "ball" && natural(n)? == 1 => Some((r.clone(), 1)),
                _ => None,
            },
            _ => None,
        }
    }

    fn growth(&self, class: &Term, m: u32) -> Known {
        let Term::Quantity(head, arguments) = class else { return Known::default() };
        let first = arguments.first().and_then(natural);
        match (head.as_str(), first) {
            ("halfspaces", Some(n)) => Known::count(enumerate::with_changes(m, n)),
            // On points (1, t, t^2, ...) the signs are those of polynomials of degree n - 1.
            ("homogeneous_halfspaces", Some(n)) if n >= 1 => Known::count(enumerate::with_changes(m, n - 1)),
            ("polynomials", Some(1)) => match arguments.get(1).and_then(natural) {
                Some(degree) => Known::count(enumerate::with_changes(m, degree)),
                None => Known::default(),
            },
            ("intervals", None) => enumerate::boxes(1, m).map_or_else(Known::default, Known::count),
            ("boxes", Some(n)) => enumerate::boxes(n, m).map_or_else(Known::default, Known::count),
            ("finite_class", Some(k)) => Known::count(u64::from(k).min(1 << m)),
            ("sign", None) => match arguments.first() {
                Some(Term::Name(net)) => self.net_growth(net, m),
                _ => Known::default(),
            },
            // With all labels positive a network errs where its sign is negative.
            ("mistakes", None) => match arguments.first() {
                Some(Term::Name(net)) => Known { high: None, ..self.net_growth(net, m) },
                _ => Known::default(),
            },
            _ => Known::default(),
        }
    }

    /// A chain `n -> 1` cuts by half-spaces. On the line k threshold units give all vectors with at most k changes and no others,
    /// and k ReLU units give at least these: one unit turns the function back after each change.
    fn net_growth(&self, net: &str, m: u32) -> Known {
        match self.nets.get(net) {
            Some(net) if net.sizes.len() == 2 => Known::count(enumerate::with_changes(m, net.sizes[0])),
            Some(net) if net.sizes.len() == 3 && net.sizes[0] == 1 => {
                let count = number(enumerate::with_changes(m, net.sizes[1]));
                if net.activation == Activation::Heaviside { Known::exactly(count) } else { Known::at_least(count) }
            }
            _ => Known::default(),
        }
    }

    fn vc_dimension(&self, class: &Term) -> Known {
        let end = |pick: &dyn Fn(&Known) -> Option<u64>| {
            let growth = |m: u32| if m == 0 { Some(1) } else { pick(&self.growth(class, m)) };
            let limit = (0..=8).take_while(|m| growth(*m).is_some()).last().unwrap_or(0);
            let d = enumerate::vc_dimension(|m| growth(m).unwrap_or(0), limit);
            // Where the enumeration stops before the class does, nothing is known from above.
            (growth(1).is_some(), d, d < limit)
        };
        let value = |term: &Option<Term>| term.as_ref().and_then(natural).map(u64::from);
        let (has_low, low, _) = end(&|known| value(&known.low));
        let (has_high, high, is_whole) = end(&|known| value(&known.high));
        Known {
            low: has_low.then(|| number(u64::from(low))),
            high: (has_high && is_whole).then(|| number(u64::from(high))),
        }
    }

    /// The network of `N` or `N on X`, with the radius of X.
    fn net_of(&self, map: &Term) -> Option<(&Drawn, Option<&BigRational>)> {
        match map {
            Term::Name(net) => Some((self.nets.get(net)?, None)),
            Term::Quantity(head, arguments) if head == "on" => match arguments.as_slice() {
                [Term::Name(net), Term::Name(domain)] => Some((self.nets.get(net)?, Some(&self.cubes.get(domain)?.0))),
                _ => None,
            },
            _ => None,
        }
    }

    /// The largest operator norm of a Jacobian at small points: attained, so a lower bound.
    fn lipschitz(&self, map: &Term, norm: &str) -> Known {
        let Some((net, radius)) = self.net_of(map) else { return Known::default() };
        match net.style {
            Style::Concrete => net.steepest(norm, radius).map_or_else(Known::default, Known::at_least),
            // At most the product of the norms, and one unit per layer with the largest weight has it: x -> c^L x on one side.
            Style::Bounded => Known::exactly(Term::Number(net.slope())),
            Style::Architecture => Known::default(),
        }
    }

    /// The law that puts everything on one point x of norm r, and the functions c^L x and 0: E |sum of signs| c^L r/m.
    fn rademacher(&self, net: &Drawn, radius: Option<&BigRational>, m: u32) -> Known {
        let (Style::Bounded, Some(radius)) = (net.style, radius) else { return Known::default() };
        let reach = net.slope() * radius;
        let value = enumerate::mean_absolute_sum(m) * reach / BigInt::from(m);
        Known::at_least(Term::Number(value))
    }

    /// The least and the largest output on a domain, and whether they are the ends of the range or only attained.
    pub fn range(&self, map: &Term) -> Option<(BigRational, BigRational, bool)> {
        let (net, radius) = self.net_of(map)?;
        match net.style {
            // Without biases |f(x)| <= c^L |x| in the largest modulus, attained in a corner.
            Style::Bounded => {
                let reach = net.slope() * radius?;
                Some((-reach.clone(), reach, true))
            }
            Style::Concrete => {
                let (low, high) = net.outputs(radius?)?;
                Some((low, high, false))
            }
            Style::Architecture => None,
        }
    }

    /// The drawn objects in words.
    pub fn describe(&self, name: &str) -> Option<String> {
        if let Some(net) = self.nets.get(name) {
            return Some(net.describe());
        }
        self.cubes.get(name).map(|(radius, dimension)| format!("[-{radius}, {radius}]^{dimension}"))
    }
}

/// The number of intervals of length 2 eps that a greedy walk needs for [-r, r]: the least there is.
fn cover(r: &BigRational, eps: &BigRational) -> u64 {
    let (mut left, mut count) = (-r.clone(), 0);
    while left < *r && count < 1000 {
        left += eps * BigInt::from(2);
        count += 1;
    }
    count
}

fn natural(term: &Term) -> Option<u32> {
    match term {
        Term::Number(q) if q.is_integer() && !q.is_negative() => q.to_integer().to_u32(),
        _ => None,
    }
}

impl Drawn {
    fn draw(style: Style, random: &mut Random) -> Drawn {
        let activation =
            if style == Style::Architecture && random.coin() { Activation::Heaviside } else { Activation::Relu };
        let width = 1 + u32::try_from(random.below(3)).unwrap_or(0);
        let sizes = match (style, random.below(4)) {
            (_, 0) => vec![width, 1],
            (Style::Architecture, _) => vec![1, width, 1],
            (_, 1) => vec![1, 1, 1, 1],
            (Style::Concrete, 2) => vec![2, 2, 1],
            (Style::Concrete, _) if width == 2 => vec![1, 2, 2],
            (_, _) => vec![1, width, 1],
        };
        let layers = sizes
            .windows(2)
            .map(|pair| {
                let row = |random: &mut Random| (0..pair[0]).map(|_| small(random, 3)).collect::<Vec<i64>>();
                let rows = (0..pair[1]).map(|_| row(random)).collect();
                (rows, (0..pair[1]).map(|_| small(random, 2)).collect())
            })
            .collect();
        Drawn { sizes, activation, style, bound: positive(random), layers }
    }

    fn architecture(&self) -> Architecture {
        let mut nodes: Vec<Node> = Vec::new();
        for (layer, units) in self.sizes.iter().enumerate().skip(1) {
            let input = |nodes: &Vec<Node>| match nodes.len() {
                0 => Source::Input,
                n => Source::Node(n - 1),
            };
            let op = Op::Dense { units: u128::from(*units), bias: self.style != Style::Bounded };
            nodes.push(Node { inputs: vec![input(&nodes)], op });
            if layer + 1 < self.sizes.len() {
                nodes.push(Node { inputs: vec![input(&nodes)], op: Op::Activation(self.activation.clone()) });
            }
        }
        Architecture { input: vec![u128::from(self.sizes[0])], nodes }
    }

    fn network(&self, architecture: &Architecture) -> Option<Network> {
        let weight = |mantissa: i64| Weight { mantissa, exponent: 0 };
        let mut layers = self.layers.iter();
        let mut parameters = Vec::new();
        for node in &architecture.nodes {
            parameters.push(match &node.op {
                Op::Dense { .. } => {
                    let (rows, biases) = layers.next()?;
                    let shape = vec![rows.len(), rows.first()?.len()];
                    let data = rows.iter().flatten().map(|w| weight(*w)).collect();
                    let bias = Tensor::new(vec![biases.len()], biases.iter().map(|b| weight(*b)).collect()).ok()?;
                    Some(Parameters { weight: Tensor::new(shape, data).ok()?, bias: Some(bias) })
                }
                _ => None,
            });
        }
        Network::new(architecture.clone(), parameters, 32).ok()
    }

    /// The largest slope of a bounded class.
    fn slope(&self) -> BigRational {
        num_traits::pow(self.bound.clone(), self.sizes.len() - 1)
    }

    /// At the corner of the cube the functions a x with |a| <= c^L take all values up to c^L r in modulus, which is an interval to cover.
    fn covered(&self, radius: &BigRational, eps: &BigRational) -> Known {
        match self.style {
            Style::Bounded => Known::at_least(number(cover(&(self.slope() * radius), eps).max(1))),
            _ => Known::default(),
        }
    }

    /// The least and the largest output at the corners, the middles of the sides and the centre of a cube.
    fn outputs(&self, radius: &BigRational) -> Option<(BigRational, BigRational)> {
        let dimension = self.sizes[0];
        let values = (0..3u32.pow(dimension)).map(|place| {
            let coordinate = |j: u32| radius * integer(i64::from(place / 3u32.pow(j) % 3) - 1);
            let x: Vec<BigRational> = (0..dimension).map(coordinate).collect();
            self.layers.iter().enumerate().fold(x, |x, (l, (weights, biases))| {
                let sums = weights
                    .iter()
                    .zip(biases)
                    .map(|(w, b)| w.iter().zip(&x).map(|(w, t)| integer(*w) * t).sum::<BigRational>() + integer(*b));
                let is_last = l + 1 == self.layers.len();
                sums.map(|sum| if is_last { sum } else { sum.max(BigRational::zero()) }).collect()
            })
        });
        let outputs: Vec<BigRational> = values.flatten().collect();
        Some((outputs.iter().min()?.clone(), outputs.iter().max()?.clone()))
    }

    /// The Jacobian at a point where no unit is at its kink, row by row; `None` at a kink.
    fn jacobian(&self, x: &[BigRational]) -> Option<Vec<Vec<BigRational>>> {
        let identity = (0..x.len()).map(|i| (0..x.len()).map(|j| integer(i64::from(i == j))).collect()).collect();
        let (mut values, mut rows): (Vec<BigRational>, Vec<Vec<BigRational>>) = (x.to_vec(), identity);
        for (l, (weights, biases)) in self.layers.iter().enumerate() {
            let is_last = l + 1 == self.layers.len();
            let (mut next_values, mut next_rows) = (Vec::new(), Vec::new());
            for (w, b) in weights.iter().zip(biases) {
                let value = w.iter().zip(&values).map(|(w, v)| integer(*w) * v).sum::<BigRational>() + integer(*b);
                let slope: Vec<BigRational> = (0..x.len())
                    .map(|j| w.iter().zip(&rows).map(|(w, row)| integer(*w) * &row[j]).sum::<BigRational>())
                    .collect();
                if is_last || value.is_positive() {
                    next_values.push(value);
                    next_rows.push(slope);
                } else if value.is_negative() {
                    next_values.push(BigRational::zero());
                    next_rows.push(vec![BigRational::zero(); x.len()]);
                } else {
                    return None;
                }
            }
            (values, rows) = (next_values, next_rows);
        }
        Some(rows)
    }

    /// The largest singular value of a weight matrix with one row, one column, or two of both.
    fn spectral_norm(&self, layer: usize) -> Option<Term> {
        let (rows, _) = self.layers.get(layer).filter(|_| self.style == Style::Concrete)?;
        let squares = rows.iter().flatten().map(|w| w * w).sum::<i64>();
        let root = |term: Term| Term::Apply(Operation::Sqrt, vec![term]);
        match rows.as_slice() {
            // The singular values s and t have s^2 + t^2 = squares and s t = |determinant|.
            [a, b] if a.len() == 2 => {
                let determinant = a[0] * b[1] - a[1] * b[0];
                let gap = squares * squares - 4 * determinant * determinant;
                let gap = root(Term::int(gap));
                let sum = Term::Apply(Operation::Add, vec![Term::int(squares), gap]);
                Some(root(Term::Apply(Operation::Div, vec![sum, Term::int(2)])))
            }
            _ if rows.len() == 1 || self.sizes[layer] == 1 => Some(root(Term::int(squares))),
            _ => None,
        }
    }

    /// How far the output moves per unit when all parameters go from the corner R inward, at the corner of the domain.
    fn moved(&self, radius: &BigRational, reach: &BigRational) -> Term {
        let output = |weight: &BigRational| {
            let bias = if self.style == Style::Bounded { BigRational::zero() } else { weight.clone() };
            self.sizes.windows(2).fold(reach.clone(), |value, pair| value * weight * BigInt::from(pair[0]) + &bias)
        };
        let step = radius / BigInt::from(1000);
        Term::Number((output(radius) - output(&(radius - &step))) / step)
    }

    /// The largest norm of a Jacobian on a small grid. For l2 the largest norm of a column or row, which is a lower bound.
    fn steepest(&self, norm: &str, radius: Option<&BigRational>) -> Option<Term> {
        let n = usize::try_from(self.sizes[0]).ok()?;
        let unit = radius.cloned().unwrap_or_else(|| integer(8)) / BigInt::from(17);
        let mut best: Option<BigRational> = None;
        for i in 0..17i64 {
            let x: Vec<BigRational> =
                (0..n).map(|j| &unit * integer(2 * ((i + 5 * i64::try_from(j).unwrap_or(0)) % 17) - 16)).collect();
            let Some(rows) = self.jacobian(&x) else { continue };
            let column = |j: usize| rows.iter().map(|row| row[j].clone()).collect::<Vec<_>>();
            let sum = |v: &[BigRational]| v.iter().map(|q| q.abs()).sum::<BigRational>();
            let squares = |v: &[BigRational]| v.iter().map(|q| q * q).sum::<BigRational>();
            let value = match norm {
                "linf" => rows.iter().map(|row| sum(row)).max(),
                "l1" => (0..n).map(|j| sum(&column(j))).max(),
                _ => rows.iter().map(|row| squares(row)).chain((0..n).map(|j| squares(&column(j)))).max(),
            };
            best = best.max(value);
        }
        let value = Term::Number(best?);
        Some(if norm == "l2" { Term::Apply(Operation::Sqrt, vec![value]) } else { value })
    }

    fn describe(&self) -> String {
        let chain: Vec<String> = self.sizes.iter().map(ToString::to_string).collect();
        let chain = format!("{} {}", chain.join(" -> "), self.activation.name());
        match self.style {
            Style::Architecture => chain,
            Style::Bounded => format!("{chain} without biases, all norms at most {}", self.bound),
            Style::Concrete => {
                let layers: Vec<String> =
                    self.layers.iter().map(|(weights, biases)| format!("W = {weights:?}, b = {biases:?}")).collect();
                format!("{chain}, {}", layers.join("; "))
            }
        }
    }
}

fn integer(n: i64) -> BigRational {
    BigRational::from_integer(BigInt::from(n))
}
