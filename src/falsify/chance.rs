//! Laws on a few points with a finite class of predictors: how often a bound fails is a finite sum.
//!
//! A predictor is the set of points where it errs. What a theorem asks of samples and of who saw what (i.i.d., independence,
//! membership) holds by construction; a theorem that asks for the shape of a network has no instance here.

use super::enumerate;
use crate::kernel::term::{Op, Term};
use crate::lab::random::Random;
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};

/// Properties that hold by construction.
pub const GIVEN: &[&str] = &[
    "iid",
    "independent",
    "fits",
    "member",
    "supported",
    "fixed_before",
    "bounded_loss",
    "codes_fixed_before",
    "scalar_output",
];

/// A law, a class, and how many examples are drawn.
#[derive(Clone, Debug)]
pub struct Model {
    pub law: Vec<BigRational>,
    /// The points where each predictor errs, as bits.
    pub class: Vec<u32>,
    pub examples: u32,
}

/// One predictor on one sample: all that a bound sees of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    pub errors: u32,
    pub risk: BigRational,
}

impl Model {
    /// A single predictor, predictors that are right at one point only, or all predictors there are.
    pub fn draw(random: &mut Random) -> Model {
        let uniform = |points: u32| vec![BigRational::new(BigInt::one(), BigInt::from(points)); points as usize];
        let below = |random: &mut Random, n: u64| u32::try_from(random.below(n)).unwrap_or(0);
        match random.below(4) {
            0 | 1 => {
                let p = super::capacity::probability(random);
                let law = vec![p.clone(), BigRational::one() - p];
                Model { law, class: vec![1], examples: 1 + below(random, 12) }
            }
            2 => {
                let points = 2 + below(random, 7);
                let all = (1u32 << points) - 1;
                let class = (0..points).map(|i| all & !(1 << i)).collect();
                Model { law: uniform(points), class, examples: 1 + below(random, 2) }
            }
            _ => {
                let points = 1 + below(random, 4);
                let class = (0..1u32 << points).collect();
                Model { law: uniform(points), class, examples: 1 + below(random, 5) }
            }
        }
    }

    fn points(&self) -> u32 {
        u32::try_from(self.law.len()).unwrap_or(0)
    }

    /// Bits of a code of equal words for the class.
    fn bits(&self) -> u32 {
        (0..).find(|bits| 1usize << bits >= self.class.len()).unwrap_or(0)
    }

    /// All samples by their counts, with their probabilities.
    pub fn samples(&self) -> Vec<(Vec<u32>, BigRational)> {
        enumerate::samples(&self.law, self.examples)
    }

    /// What a bound sees of a predictor on a sample.
    pub fn seen(&self, predictor: u32, counts: &[u32]) -> Seen {
        let errs = |i: usize| (predictor >> i) & 1 == 1;
        let errors = counts.iter().enumerate().filter(|(i, _)| errs(*i)).map(|(_, k)| *k).sum();
        let risk = self.law.iter().enumerate().filter(|(i, _)| errs(*i)).map(|(_, p)| p).sum();
        Seen { errors, risk }
    }

    /// The exact value of a quantity for one predictor on one sample.
    pub fn known(&self, head: &str, arguments: &[Term], seen: &Seen) -> Option<Term> {
        let number = |n: u64| Some(Term::Number(BigRational::from_integer(BigInt::from(n))));
        match head {
            // A posterior is one predictor, the prior gives all of them the same weight.
            "risk" | "gibbs_risk" => Some(Term::Number(seen.risk.clone())),
            // Every predictor has the value 1 or -1: the margin is 1 where it is right.
            "margin_error" => match arguments {
                [.., Term::Number(g)] if *g > BigRational::one() => number(1),
                _ => self.known("empirical_risk", arguments, seen),
            },
            "empirical_risk" | "empirical_gibbs_risk" => {
                Some(Term::Number(BigRational::new(BigInt::from(seen.errors), BigInt::from(self.examples))))
            }
            "divergence" | "cross_entropy" if self.class.len() == 1 => number(0),
            "divergence" | "cross_entropy" => {
                Some(Term::Apply(Op::Ln, vec![Term::int(i64::try_from(self.class.len()).ok()?)]))
            }
            // The values are the label, negated where the predictor errs; signs absorb the label.
            "rademacher" | "signed_rademacher" => {
                self.complexity(arguments.get(1)?, |errs| if errs { -1 } else { 1 }, head == "rademacher")
            }
            "loss_rademacher" => self.complexity(arguments.get(2)?, i64::from, false),
            "errors" => number(u64::from(seen.errors)),
            "samples" => number(u64::from(self.examples)),
            "code_length" | "weight_bits" => number(u64::from(self.bits())),
            // One parameter of as many bits as the class needs.
            "params" => number(1),
            "cardinality" => number(self.class.len() as u64),
            "growth" => match arguments {
                [_, Term::Number(m)] if m.is_integer() => {
                    let m = m.to_integer().to_u32()?;
                    number(enumerate::growth(&self.class, self.points(), m))
                }
                _ => None,
            },
            "vcdim" => {
                let growth = |d| enumerate::growth(&self.class, self.points(), d);
                number(u64::from(enumerate::vc_dimension(growth, self.points())))
            }
            _ => None,
        }
    }

    /// `E sup_f (1/m) sum eps_i v(f errs on x_i)` over samples and signs, with or without modulus.
    fn complexity(&self, m: &Term, value: fn(bool) -> i64, has_modulus: bool) -> Option<Term> {
        let Term::Number(m) = m else { return None };
        let m = m.to_integer().to_u32().filter(|m| (1..=8).contains(m))?;
        let mut total = BigRational::zero();
        for (counts, probability) in enumerate::samples(&self.law, m) {
            let places: Vec<usize> =
                counts.iter().enumerate().flat_map(|(i, k)| std::iter::repeat_n(i, *k as usize)).collect();
            let mut sum = 0i64;
            for signs in 0..1u32 << m {
                let of = |f: &u32| -> i64 {
                    let signed = |(i, x): (usize, &usize)| {
                        let v = value((f >> x) & 1 == 1);
                        if (signs >> i) & 1 == 1 { v } else { -v }
                    };
                    places.iter().enumerate().map(signed).sum()
                };
                let sums = self.class.iter().map(of);
                sum += if has_modulus { sums.map(i64::abs).max()? } else { sums.max()? };
            }
            total += probability * BigRational::from_integer(BigInt::from(sum));
        }
        let mean = total / (BigInt::from(m) << m);
        Some(Term::Number(mean))
    }

    /// The probability that a bound fails: for some predictor at once, or for the worst fixed one.
    pub fn failure(&self, fails: &dyn Fn(&Seen) -> bool, at_once: bool) -> BigRational {
        let samples = self.samples();
        let of = |class: &[u32]| {
            let failing = samples.iter().filter(|(counts, _)| class.iter().any(|f| fails(&self.seen(*f, counts))));
            failing.map(|(_, p)| p).sum::<BigRational>()
        };
        if at_once {
            of(&self.class)
        } else {
            self.class.iter().map(|f| of(&[*f])).max().unwrap_or_else(BigRational::zero)
        }
    }

    pub fn describe(&self) -> String {
        let law: Vec<String> = self.law.iter().map(ToString::to_string).collect();
        let sets: Vec<String> = self
            .class
            .iter()
            .take(16)
            .map(|f| {
                let points: Vec<String> =
                    (0..self.points()).filter(|i| (f >> i) & 1 == 1).map(|i| (i + 1).to_string()).collect();
                format!("{{{}}}", points.join(" "))
            })
            .collect();
        let more = if self.class.len() > 16 { ", ..." } else { "" };
        let plural = if self.examples == 1 { "" } else { "s" };
        format!(
            "points of probability {}; predictors that err on {}{more}; {} example{plural}",
            law.join(", "),
            sets.join(", "),
            self.examples
        )
    }
}
