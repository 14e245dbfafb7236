//! A rigorous forward pass, for checking imports. Trust: checked.
//!
//! Each value is an interval of MPFR numbers whose ends are rounded outward after every operation, so the result encloses the
//! exact real function of the stored weights on the given inputs. Sums use `add_assign_round(w * x)`, which MPFR rounds once.
//! An end that is not finite (it would need an overflow of MPFR's exponent range) is an error, never a value.

use super::error::{Result, malformed};
use crate::kernel::net::{Activation, Network, Op, Parameters, Source, Tensor, Weight};
use num_rational::BigRational;
use rug::Float;
use rug::float::{Constant, Round};
use rug::ops::{AddAssignRound, AssignRound, DivAssignRound};
use std::cmp::Ordering;

/// A closed interval `[lower, upper]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Interval {
    pub lower: Float,
    pub upper: Float,
}

const DOWN: Round = Round::Down;
const UP: Round = Round::Up;

fn exact(weight: Weight) -> Float {
    // 64 bits hold any i64, and a shift only moves MPFR's exponent.
    let mut value = Float::with_val(64, weight.mantissa);
    if weight.exponent >= 0 {
        value <<= u32::from(weight.exponent.unsigned_abs());
    } else {
        value >>= u32::from(weight.exponent.unsigned_abs());
    }
    value
}

impl Interval {
    pub fn from_weight(weight: Weight) -> Interval {
        let value = exact(weight);
        Interval { lower: value.clone(), upper: value }
    }

    /// The tightest enclosure with `bits` bits.
    pub fn from_rational(value: &BigRational, bits: u32) -> Interval {
        let integer = |value: &num_bigint::BigInt| {
            let (sign, digits) = value.to_u64_digits();
            let magnitude = rug::Integer::from_digits(&digits, rug::integer::Order::Lsf);
            if sign == num_bigint::Sign::Minus { -magnitude } else { magnitude }
        };
        let quotient = rug::Rational::from((integer(value.numer()), integer(value.denom())));
        let part = |round: Round| Float::with_val_round(bits, &quotient, round).0;
        Interval { lower: part(DOWN), upper: part(UP) }
    }

    fn zero(bits: u32) -> Interval {
        Interval { lower: Float::new(bits), upper: Float::new(bits) }
    }

    fn point(value: i32, bits: u32) -> Interval {
        Interval { lower: Float::with_val(bits, value), upper: Float::with_val(bits, value) }
    }

    pub fn contains(&self, value: &rug::Rational) -> bool {
        self.lower <= *value && self.upper >= *value
    }

    /// A function that increases, computed by `f` with the rounding it is given.
    fn increasing(&self, bits: u32, f: impl Fn(&Float, Round, u32) -> Float) -> Interval {
        Interval { lower: f(&self.lower, DOWN, bits), upper: f(&self.upper, UP, bits) }
    }

    fn hull(mut self, other: Interval) -> Interval {
        if other.lower < self.lower {
            self.lower = other.lower;
        }
        if other.upper > self.upper {
            self.upper = other.upper;
        }
        self
    }

    fn add_assign(&mut self, other: &Interval) {
        self.lower.add_assign_round(&other.lower, DOWN);
        self.upper.add_assign_round(&other.upper, UP);
    }

    /// The product: a bilinear form on a box is extremal at a corner.
    fn product(&self, other: &Interval, bits: u32) -> Interval {
        let corners = [
            (&self.lower, &other.lower),
            (&self.lower, &other.upper),
            (&self.upper, &other.lower),
            (&self.upper, &other.upper),
        ];
        let mut out: Option<Interval> = None;
        for (a, b) in corners {
            let lower = Float::with_val_round(bits, a * b, DOWN).0;
            let upper = Float::with_val_round(bits, a * b, UP).0;
            if lower.is_nan() || upper.is_nan() {
                return Interval { lower, upper };
            }
            let corner = Interval { lower, upper };
            out = Some(match out {
                Some(hull) => hull.hull(corner),
                None => corner,
            });
        }
        out.unwrap_or_else(|| Interval::zero(bits))
    }

    /// Adds `w * self` to `sum`: `w x` is monotone in `x`, so the ends swap for negative `w`.
    fn add_multiple(&self, w: &Float, sum: &mut Interval) {
        let (low, high) = if w.is_sign_negative() { (&self.upper, &self.lower) } else { (&self.lower, &self.upper) };
        sum.lower.add_assign_round(w * low, DOWN);
        sum.upper.add_assign_round(w * high, UP);
    }

    fn divided(mut self, count: usize) -> Interval {
        let count = Float::with_val(64, count);
        self.lower.div_assign_round(&count, DOWN);
        self.upper.div_assign_round(&count, UP);
        self
    }
}

/// The value of `network` at `input` (row-major), computed with `bits` bits.
///
/// Errors: an input of another size, or a value outside MPFR's exponent range.
pub fn forward(network: &Network, input: &[Interval], bits: u32) -> Result<Vec<Interval>> {
    let architecture = network.architecture();
    let shapes = match architecture.shapes() {
        Ok(shapes) => shapes,
        Err(error) => return malformed("network", "a well-formed architecture", error),
    };
    let narrow = |shape: &[u128]| -> Option<Vec<usize>> { shape.iter().map(|&n| usize::try_from(n).ok()).collect() };
    let size = narrow(&architecture.input).map(|shape| shape.iter().product::<usize>());
    if size != Some(input.len()) {
        return malformed("input", format!("{:?} numbers", architecture.input), input.len());
    }
    let mut values: Vec<Vec<Interval>> = Vec::with_capacity(architecture.nodes.len());
    for (i, (node, parameters)) in architecture.nodes.iter().zip(network.parameters()).enumerate() {
        let read = |source: Source| match source {
            Source::Input => input,
            Source::Node(j) => values.get(j).map_or(&[][..], Vec::as_slice),
        };
        let sources: Vec<&[Interval]> = node.inputs.iter().map(|&source| read(source)).collect();
        let first = sources.first().copied().unwrap_or(&[]);
        let from = node.inputs.first().and_then(|&source| narrow(architecture.shape_of(&shapes, source)));
        let to = shapes.get(i).and_then(|shape| narrow(shape));
        let (Some(from), Some(to)) = (from, to) else {
            return malformed(format!("layer {}", i + 1), "sizes below 2^64", "a larger one");
        };
        let value = match &node.op {
            Op::Dense { .. } => dense(parameters.as_ref(), first, bits),
            Op::Conv { stride, pad, groups, .. } => {
                let window = Window { from: &from, to: &to, stride: *stride, pad: *pad };
                conv(parameters.as_ref(), first, &window, *groups as usize, bits)
            }
            Op::Activation(activation) => first.iter().map(|x| activated(activation, x, bits)).collect(),
            Op::BatchNorm | Op::FixedAffine => affine(parameters.as_ref(), first, bits),
            Op::MaxPool { window: size, stride, pad } => {
                pool(first, &Window { from: &from, to: &to, stride: *stride, pad: *pad }, *size, true, bits)
            }
            Op::AvgPool { window: size, stride } => {
                pool(first, &Window { from: &from, to: &to, stride: *stride, pad: (0, 0) }, *size, false, bits)
            }
            Op::GlobalAvgPool => {
                let area = from.iter().skip(1).product::<usize>().max(1);
                first.chunks(area).map(|channel| total(channel, bits).divided(area)).collect()
            }
            Op::Flatten => first.to_vec(),
            Op::Add => sum_of(&sources, bits),
            Op::Concat => sources.concat(),
            Op::Gradients(_) => {
                return malformed(format!("layer {}", i + 1), "layers of real numbers", "integer features");
            }
        };
        if value.iter().any(|x| !x.lower.is_finite() || !x.upper.is_finite()) {
            return malformed(format!("layer {}", i + 1), "values in MPFR's exponent range", "an overflow");
        }
        values.push(value);
    }
    Ok(values.pop().unwrap_or_default())
}

fn total(values: &[Interval], bits: u32) -> Interval {
    let mut sum = Interval::zero(bits);
    values.iter().for_each(|value| sum.add_assign(value));
    sum
}

fn sum_of(sources: &[&[Interval]], bits: u32) -> Vec<Interval> {
    let mut sums = vec![Interval::zero(bits); sources.first().map_or(0, |first| first.len())];
    for source in sources {
        sums.iter_mut().zip(*source).for_each(|(sum, x)| sum.add_assign(x));
    }
    sums
}

/// The bias of an output, or zero, with `bits` bits and rounded outward.
fn start(bias: Option<&Tensor>, unit: usize, bits: u32) -> Interval {
    match bias.and_then(|bias| bias.data.get(unit)) {
        Some(&weight) => Interval {
            lower: Float::with_val_round(bits, exact(weight), DOWN).0,
            upper: Float::with_val_round(bits, exact(weight), UP).0,
        },
        None => Interval::zero(bits),
    }
}

fn dense(parameters: Option<&Parameters>, input: &[Interval], bits: u32) -> Vec<Interval> {
    let Some(parameters) = parameters else { return Vec::new() };
    let rows = parameters.weight.data.chunks(input.len().max(1)).enumerate();
    rows.map(|(unit, row)| {
        let mut sum = start(parameters.bias.as_ref(), unit, bits);
        for (&weight, x) in row.iter().zip(input).filter(|(weight, _)| weight.mantissa != 0) {
            x.add_multiple(&exact(weight), &mut sum);
        }
        sum
    })
    .collect()
}

fn affine(parameters: Option<&Parameters>, input: &[Interval], bits: u32) -> Vec<Interval> {
    let Some(parameters) = parameters else { return Vec::new() };
    // Batch normalization has one factor per channel, fixed normalization one per coordinate.
    let repeat = (input.len() / parameters.weight.data.len().max(1)).max(1);
    let scale = |i: usize| parameters.weight.data.get(i / repeat).copied().unwrap_or_default();
    let map = |(i, x): (usize, &Interval)| {
        let mut sum = start(parameters.bias.as_ref(), i / repeat, bits);
        x.add_multiple(&exact(scale(i)), &mut sum);
        sum
    };
    input.iter().enumerate().map(map).collect()
}

/// Shapes `[channels, height, width]` before and after a sliding window.
struct Window<'a> {
    from: &'a [usize],
    to: &'a [usize],
    stride: (u128, u128),
    pad: (u128, u128),
}

impl Window<'_> {
    fn sizes(shape: &[usize]) -> (usize, usize, usize) {
        match shape {
            [c, h, w] => (*c, *h, *w),
            _ => (0, 0, 0),
        }
    }

    /// The position in the input's channel `c` of window offset `k` at output position `out`; `None` in the padding.
    fn position(&self, c: usize, out: (usize, usize), k: (usize, usize)) -> Option<usize> {
        let (_, h, w) = Window::sizes(self.from);
        let along = |out: usize, stride: u128, k: usize, pad: u128, size: usize| {
            let at = (out as u128).checked_mul(stride)?.checked_add(k as u128)?.checked_sub(pad)?;
            usize::try_from(at).ok().filter(|&at| at < size)
        };
        let row = along(out.0, self.stride.0, k.0, self.pad.0, h)?;
        let column = along(out.1, self.stride.1, k.1, self.pad.1, w)?;
        Some((c * h + row) * w + column)
    }

    fn outputs(&self) -> impl Iterator<Item = (usize, (usize, usize))> {
        let (channels, h, w) = Window::sizes(self.to);
        (0..channels).flat_map(move |c| (0..h).flat_map(move |i| (0..w).map(move |j| (c, (i, j)))))
    }
}

fn conv(
    parameters: Option<&Parameters>,
    input: &[Interval],
    window: &Window<'_>,
    groups: usize,
    bits: u32,
) -> Vec<Interval> {
    let Some(parameters) = parameters else { return Vec::new() };
    let [_, per_group, kernel_h, kernel_w] = *parameters.weight.shape.as_slice() else { return Vec::new() };
    let weights: Vec<Float> = parameters.weight.data.iter().map(|&weight| exact(weight)).collect();
    let channels_per_group = (window.to.first().copied().unwrap_or(0) / groups.max(1)).max(1);
    let value = |(channel, out): (usize, (usize, usize))| {
        let mut sum = start(parameters.bias.as_ref(), channel, bits);
        for c in 0..per_group {
            for (i, j) in (0..kernel_h).flat_map(|i| (0..kernel_w).map(move |j| (i, j))) {
                let weight = weights.get(((channel * per_group + c) * kernel_h + i) * kernel_w + j);
                let from = channel / channels_per_group * per_group + c;
                let x = window.position(from, out, (i, j)).and_then(|at| input.get(at));
                if let (Some(weight), Some(x)) = (weight, x) {
                    x.add_multiple(weight, &mut sum);
                }
            }
        }
        sum
    };
    window.outputs().map(value).collect()
}

fn pool(input: &[Interval], window: &Window<'_>, size: (u128, u128), max: bool, bits: u32) -> Vec<Interval> {
    let (h, w) = (size.0 as usize, size.1 as usize);
    let value = |(c, out): (usize, (usize, usize))| {
        let offsets = (0..h).flat_map(|i| (0..w).map(move |j| (i, j)));
        let inside: Vec<Interval> =
            offsets.filter_map(|k| window.position(c, out, k).and_then(|at| input.get(at)).cloned()).collect();
        if !max {
            return total(&inside, bits).divided(h * w);
        }
        // `Float::max` would round to the precision of one of the two.
        let larger = |a: Interval, b: Interval| Interval {
            lower: if b.lower > a.lower { b.lower } else { a.lower },
            upper: if b.upper > a.upper { b.upper } else { a.upper },
        };
        inside.into_iter().reduce(larger).unwrap_or_else(|| Interval::zero(bits))
    };
    window.outputs().map(value).collect()
}

/// The image of an interval. Each monotone function is evaluated at the ends, rounding outward at every step.
fn activated(activation: &Activation, x: &Interval, bits: u32) -> Interval {
    match activation {
        Activation::Identity => x.clone(),
        Activation::Relu => clamp(x, Some(0), None, bits),
        Activation::Relu6 => clamp(x, Some(0), Some(6), bits),
        Activation::HardTanh => clamp(x, Some(-1), Some(1), bits),
        Activation::LeakyRelu(slope) => {
            let negative = clamp(x, None, Some(0), bits).product(&Interval::from_rational(slope, bits), bits);
            pieces(x, negative, bits)
        }
        Activation::Elu(alpha) => {
            let decay = clamp(x, None, Some(0), bits)
                .increasing(bits, |x, round, bits| Float::with_val_round(bits, x.exp_m1_ref(), round).0);
            pieces(x, decay.product(&Interval::from_rational(alpha, bits), bits), bits)
        }
        Activation::Heaviside => {
            let step = |x: &Float, _: Round, bits: u32| Float::with_val(bits, u32::from(*x > 0));
            x.increasing(bits, step)
        }
        Activation::Tanh => x.increasing(bits, |x, round, bits| Float::with_val_round(bits, x.tanh_ref(), round).0),
        Activation::Arctan => x.increasing(bits, |x, round, bits| Float::with_val_round(bits, x.atan_ref(), round).0),
        Activation::Sigmoid => x.increasing(bits, sigmoid),
        // ln(1 + e^x) is a composition of increasing functions: rounding each in one direction bounds it.
        Activation::Softplus => x.increasing(bits, |x, round, bits| {
            let mut y = Float::with_val_round(bits, x.exp_ref(), round).0;
            y.ln_1p_round(round);
            y
        }),
        Activation::Softsign => x.increasing(bits, softsign),
        Activation::Silu => x.product(&x.increasing(bits, sigmoid), bits),
        Activation::Gelu => x.product(&x.increasing(bits, normal_distribution), bits),
        Activation::GeluTanh => gelu_tanh(x, bits),
        Activation::Gaussian => {
            let square = squared(x, bits);
            // e^(-s/2) decreases in s, and halving is exact.
            let value = |s: &Float, round: Round| {
                let mut half = -Float::with_val(s.prec(), s);
                half >>= 1;
                half.exp_round(round);
                half
            };
            Interval { lower: value(&square.upper, DOWN), upper: value(&square.lower, UP) }
        }
    }
}

fn clamp(x: &Interval, low: Option<i32>, high: Option<i32>, bits: u32) -> Interval {
    let end = |value: &Float| {
        let mut value = value.clone();
        if let Some(low) = low.filter(|low| value < *low) {
            value = Float::with_val(bits, low);
        }
        if let Some(high) = high.filter(|high| value > *high) {
            value = Float::with_val(bits, high);
        }
        value
    };
    Interval { lower: end(&x.lower), upper: end(&x.upper) }
}

/// A function that is `x` for `x >= 0` and `negative` (its image of the part below 0) elsewhere.
fn pieces(x: &Interval, negative: Interval, bits: u32) -> Interval {
    let positive = clamp(x, Some(0), None, bits);
    if x.lower >= 0 {
        positive
    } else if x.upper < 0 {
        negative
    } else {
        positive.hull(negative)
    }
}

/// `1 / (1 + e^-x)`: the denominator is rounded against the quotient.
fn sigmoid(x: &Float, round: Round, bits: u32) -> Float {
    let against = if round == DOWN { UP } else { DOWN };
    let mut denominator = Float::with_val_round(bits, (-x.clone()).exp_ref(), against).0;
    denominator.add_assign_round(1, against);
    let mut value = Float::with_val(bits, 1);
    value.div_assign_round(&denominator, round);
    value
}

/// `x / (1 + |x|)`: a larger denominator moves the quotient toward 0.
fn softsign(x: &Float, round: Round, bits: u32) -> Float {
    let toward_zero = (round == DOWN) == (*x > 0);
    let mut denominator = Float::with_val(x.prec(), x).abs();
    denominator.set_prec_round(bits.max(x.prec()), DOWN);
    denominator.add_assign_round(1, if toward_zero { UP } else { DOWN });
    let mut value = Float::with_val(x.prec().max(bits), x);
    value.div_assign_round(&denominator, round);
    value
}

/// `Phi(x) = erfc(-x / sqrt 2) / 2`; `erfc` decreases, so its argument is rounded against the result.
fn normal_distribution(x: &Float, round: Round, bits: u32) -> Float {
    let against = if round == DOWN { UP } else { DOWN };
    // -x/sqrt(2) against: for a positive numerator a larger root makes it smaller.
    let numerator = -x.clone();
    let root_round = if (against == DOWN) == (numerator > 0) { UP } else { DOWN };
    let mut root = Float::with_val(bits, 2);
    root.sqrt_round(root_round);
    let mut argument = Float::with_val(bits.max(x.prec()), &numerator);
    argument.div_assign_round(&root, against);
    argument.erfc_round(round);
    argument >>= 1;
    argument
}

fn squared(x: &Interval, bits: u32) -> Interval {
    let mut square = x.product(x, bits);
    if square.lower < 0 {
        square.lower = Float::new(bits);
    }
    square
}

/// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))` by interval arithmetic.
fn gelu_tanh(x: &Interval, bits: u32) -> Interval {
    let factor = Interval::from_rational(&BigRational::new(44715.into(), 1_000_000.into()), bits);
    let mut inner = squared(x, bits).product(x, bits).product(&factor, bits);
    inner.add_assign(x);
    let root = |round: Round| {
        // pi is rounded against the quotient.
        let mut value = Float::with_val(bits, 2);
        let mut pi = Float::new(bits);
        let _: Ordering = pi.assign_round(Constant::Pi, if round == DOWN { UP } else { DOWN });
        value.div_assign_round(&pi, round);
        value.sqrt_round(round);
        value
    };
    let inner = inner.product(&Interval { lower: root(DOWN), upper: root(UP) }, bits);
    let mut value = inner.increasing(bits, |x, round, bits| Float::with_val_round(bits, x.tanh_ref(), round).0);
    value.add_assign(&Interval::point(1, bits));
    let mut product = value.product(x, bits);
    product.lower >>= 1;
    product.upper >>= 1;
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::number;
    use crate::kernel::net::{Architecture, Node};
    use proptest::prelude::*;

    fn rational(n: i64, d: i64) -> BigRational {
        BigRational::new(n.into(), d.into())
    }

    fn all() -> Vec<Activation> {
        use Activation::*;
        vec![
            Identity,
            Relu,
            LeakyRelu(rational(1, 10)),
            Relu6,
            HardTanh,
            Heaviside,
            Sigmoid,
            Tanh,
            Arctan,
            Softplus,
            Softsign,
            Elu(rational(3, 2)),
            Silu,
            Gelu,
            GeluTanh,
            Gaussian,
        ]
    }

    /// Values by Python's `math` module in float64 (good to 1e-15), at 3/4 and -3/4.
    #[test]
    fn values_agree_with_an_independent_library() {
        let expected = [
            (0.75, -0.75),
            (0.75, 0.0),
            (0.75, -0.075),
            (0.75, 0.0),
            (0.75, -0.75),
            (1.0, 0.0),
            (0.679178699175393, 0.320821300824607),
            (0.6351489523872873, -0.6351489523872873),
            (0.6435011087932844, -0.6435011087932844),
            (1.1368710061148999, 0.38687100611489994),
            (0.42857142857142855, -0.42857142857142855),
            (0.75, -0.791450170888478),
            (0.5093840243815447, -0.24061597561845527),
            (0.5800294857173488, -0.16997051428265114),
            (0.5799605551656203, -0.17003944483437966),
            (0.7548396019890073, 0.7548396019890073),
        ];
        let tolerance = 1e-14;
        for (activation, (plus, minus)) in all().iter().zip(expected) {
            for (x, y) in [(3, plus), (-3, minus)] {
                let x = Interval::from_weight(number::dyadic(x, -2).unwrap());
                let value = activated(activation, &x, 128);
                assert!((value.lower.to_f64() - y).abs() < tolerance, "{activation:?}: {value:?} against {y}");
                let width = Float::with_val(128, &value.upper - &value.lower);
                assert!(width >= 0 && width < 1e-35, "{activation:?}: {value:?}");
            }
        }
    }

    proptest! {
        /// The image of an interval contains the image of each point, and low precision contains high precision.
        #[test]
        fn images_contain_points(a in -50.0f64..50.0, width in 0.0f64..3.0, part in 0.0f64..1.0) {
            let (b, point) = (a + width, a + part * width);
            prop_assume!(a <= point && point <= b);
            let end = |x: f64| exact(number::from_f64(x).unwrap());
            let wide = Interval { lower: end(a), upper: end(b) };
            let thin = Interval { lower: end(point), upper: end(point) };
            for activation in all() {
                let image = activated(&activation, &wide, 64);
                let value = activated(&activation, &thin, 200);
                prop_assert!(image.lower <= value.lower && image.upper >= value.upper, "{:?} {:?} {:?}", activation, image, value);
            }
        }
    }

    #[test]
    fn inputs_of_another_size_are_refused() {
        let node = Node { op: Op::Activation(Activation::Relu), inputs: vec![Source::Input] };
        let architecture = Architecture { input: vec![2], nodes: vec![node] };
        let network = Network::new(architecture, vec![None], 32).unwrap();
        let x = Interval::from_rational(&rational(-1, 3), 64);
        assert!(x.lower < x.upper);
        assert!(forward(&network, std::slice::from_ref(&x), 64).is_err());
        assert_eq!(
            forward(&network, &[x.clone(), x], 64).unwrap()[0],
            Interval { lower: Float::new(64), upper: Float::new(64) }
        );
    }
}
