//! LipSDP-Neuron solved by its dual and certified. Trust: untrusted; what it returns has passed the kernel.

use super::dual::{Ascent, Dual, Noise, Point, numerical_rank};
use super::enclosure::optimum_below;
use super::graph::{Graph, Slopes, from_f64};
use super::recovery::{Elimination, Recovered, Scan};
use crate::kernel::lipschitz::{Dyadic, LipError, Multipliers, Norm, Slope, System, sdp};
use crate::quantity::interrupt;
use num_rational::BigRational;
use std::ops::Range;

/// When to stop. Limits count passes (one forward and one backward evaluation), so that results do not depend on the clock.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Relative duality gap of the constant (not of its square).
    pub gap: f64,
    pub passes: u64,
    /// Whether the lower end of the optimum is wanted in intervals, which costs more than a short search.
    pub enclose: bool,
}

impl Default for Effort {
    fn default() -> Effort {
        Effort { gap: 1e-9, passes: 20_000, enclose: false }
    }
}

/// A certified solution.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The certificate, accepted by the kernel.
    pub multipliers: Multipliers,
    /// Certified bound of the square of the constant.
    pub upper: Dyadic,
    /// The best dual value found, as a floating-point estimate of the relaxation's optimum (square), times `2^exponent`.
    pub dual: f64,
    /// A rigorous lower bound of the optimum as a constant (not its square).
    pub optimum_below: Option<BigRational>,
    pub exponent: i64,
    pub rank: usize,
    pub passes: u64,
}

/// The relaxation of some outputs of a system with given slopes.
pub struct Relaxation<'a> {
    system: &'a System,
    outputs: Range<usize>,
    input_norm: Norm,
    pub graph: Graph,
    elimination: Elimination,
}

/// What the ascents found together.
#[derive(Default)]
struct Ascended {
    best: Option<(Recovered, Vec<f64>)>,
    /// The best dual value in floating point, and the last one in intervals.
    value: f64,
    below: Option<BigRational>,
    rank: usize,
    passes: u64,
}

/// Above this many neurons one elimination takes seconds and one check a minute: the wanted gap is [`LARGE_GAP`] at least, and
/// proposals get room to be accepted at once.
const LARGE: usize = 2000;
const LARGE_GAP: f64 = 1e-3;
const LARGE_SLACK: f64 = 1e-6;

/// Whether a search on so many neurons is given up because the user asked: a smaller one still ends with its bound.
pub fn is_given_up(neurons: usize) -> bool {
    neurons > LARGE && interrupt::is_requested()
}

/// Widths of the factorization of the dual variable that are tried in turn.
const WIDTHS: [usize; 3] = [8, 16, 32];

impl<'a> Relaxation<'a> {
    /// The relaxation with output norm l2 over `outputs`; `input_norm` l2 or linf.
    pub fn new(system: &'a System, outputs: Range<usize>, input_norm: Norm, slopes: &Slopes) -> Relaxation<'a> {
        let mut graph = Graph::new(system, outputs.clone(), input_norm);
        // Values of a random point, and then of a better one, are brought to size one group after another.
        for round in 0..2 {
            let mut x: Point<4> = Noise::new(round).point(graph.variables);
            for g in 1..graph.groups.len() {
                let dual = Dual { graph: &graph, slopes, input_norm };
                if g == 1 {
                    dual.normalize(&mut x);
                    for _ in 0..8 * round {
                        x = dual.step(&x).point;
                    }
                }
                let size = dual.sizes(&x)[g];
                if size > 0.0 && size.is_finite() {
                    graph.rescale(g, size.log2().round() as i64);
                }
            }
        }
        let elimination = Elimination::new(&graph);
        Relaxation { system, outputs, input_norm, graph, elimination }
    }

    pub fn dual<'b>(&'b self, slopes: &'b Slopes) -> Dual<'b> {
        Dual { graph: &self.graph, slopes, input_norm: self.input_norm }
    }

    /// Relative weights of the (trimmed) input coordinates at a dual point.
    fn weights(&self, messages: &[f64]) -> Vec<f64> {
        if self.input_norm == Norm::Linf {
            let total: f64 = messages.iter().sum::<f64>().max(1e-300);
            messages.iter().map(|m| (m / total).max(1e-14)).collect()
        } else {
            vec![1.0; self.graph.inputs]
        }
    }

    /// Recovers multipliers from a dual point. The factor `rho` multiplies the weights.
    pub fn recover<const K: usize>(
        &self,
        slopes: &Slopes,
        x: &[[f64; K]],
        scan: Scan,
    ) -> (f64, Option<(Recovered, Vec<f64>)>) {
        let step = self.dual(slopes).step(x);
        let weights = self.weights(&step.input);
        // For linf the weights are normalized to sum one, so the bound is rho in both cases.
        let recovered = self.elimination.recover(slopes, &step.multipliers, &weights, step.value, scan);
        (step.value, recovered.map(|recovered| (recovered, weights)))
    }

    /// Multipliers in closed form, with weights of the input.
    pub fn layerwise(&self, slopes: &Slopes) -> Option<(Recovered, Vec<f64>)> {
        let n = self.graph.inputs.max(1);
        let weights = vec![if self.input_norm == Norm::Linf { 1.0 / n as f64 } else { 1.0 }; self.graph.inputs];
        self.elimination.layerwise(slopes, &weights).map(|recovered| (recovered, weights))
    }

    /// The certified bound of the closed form, without any iteration.
    pub fn solve_layerwise(&self, slopes: &[Slope]) -> Result<Solution, LipError> {
        let (recovered, weights) = self.layerwise(&Slopes::new(slopes)).ok_or(LipError::NotProved)?;
        let slack = if self.system.neurons.len() > LARGE { LARGE_SLACK } else { 1e-12 };
        let (multipliers, upper) = self.certify(slopes, &recovered, &weights, slack)?;
        let exponent = 2 * self.graph.output_exponent();
        Ok(Solution { multipliers, upper, dual: 0.0, optimum_below: None, exponent, rank: 0, passes: 0 })
    }

    /// Solves to the wanted gap and certifies. Errors: the kernel refuses every proposal.
    pub fn solve(&self, slopes: &[Slope], effort: Effort) -> Result<Solution, LipError> {
        let floats = Slopes::new(slopes);
        let is_large = self.system.neurons.len() > LARGE;
        let effort = if is_large { Effort { gap: effort.gap.max(LARGE_GAP), ..effort } } else { effort };
        let mut run = Ascended::default();
        for width in WIDTHS {
            let done = match width {
                8 => self.ascend::<8>(slopes, &floats, effort, &mut run),
                16 => self.ascend::<16>(slopes, &floats, effort, &mut run),
                _ => self.ascend::<32>(slopes, &floats, effort, &mut run),
            };
            if done {
                break;
            }
        }
        let Ascended { best, value: dual, below, rank, passes } = run;
        // The closed form stands in when no dual point became feasible, and beats one that is far from its optimum.
        let near = best.as_ref().is_some_and(|(best, _)| is_large && best.rho < 1.1 * dual);
        let closed = if near { None } else { self.layerwise(&floats) };
        let mut proposals: Vec<(Recovered, Vec<f64>)> = best.into_iter().chain(closed).collect();
        proposals.sort_by(|(a, _), (b, _)| a.rho.total_cmp(&b.rho));
        let mut certified = Err(LipError::NotProved);
        for (recovered, weights) in &proposals {
            certified = self.certify(slopes, recovered, weights, if is_large { LARGE_SLACK } else { 2e-14 });
            if certified.is_ok() {
                break;
            }
        }
        let (multipliers, upper) = certified?;
        let exponent = 2 * self.graph.output_exponent();
        Ok(Solution { multipliers, upper, dual, optimum_below: below, exponent, rank, passes })
    }

    /// Returns whether no larger width is wanted.
    fn ascend<const K: usize>(&self, exact: &[Slope], slopes: &Slopes, effort: Effort, run: &mut Ascended) -> bool {
        let dual = self.dual(slopes);
        let mut x: Point<K> = Noise::new(0).point(self.graph.variables);
        dual.normalize(&mut x);
        for _ in 0..8 {
            x = dual.step(&x).point;
        }
        let before = run.passes + 8;
        let mut ascent = Ascent::new(&dual, x, 8);
        let (mut check, mut start) = (30, (effort.gap * 1e-3).clamp(1e-10, 1e-5));
        loop {
            let used = ascent.passes + before;
            if is_given_up(self.system.neurons.len()) {
                return true;
            }
            let is_over = used >= effort.passes || interrupt::is_requested();
            if ascent.passes >= check || is_over {
                check = ascent.passes * 5 / 4 + 30;
                let (found, recovered) = self.recover(slopes, &ascent.x, Scan { start, finest: 1e-13, enough: 0.0 });
                run.value = run.value.max(found);
                start = match recovered {
                    Some((recovered, weights)) => {
                        let next = (recovered.delta * 1e-3).max(effort.gap * 1e-5);
                        if run.best.as_ref().is_none_or(|(best, _)| recovered.rho < best.rho) {
                            run.best = Some((recovered, weights));
                        }
                        next
                    }
                    None => 1e-12,
                };
                run.rank = numerical_rank(&dual.values(&ascent.x), 1e-9);
                let gap = run.best.as_ref().map_or(f64::INFINITY, |(best, _)| (best.rho / run.value).sqrt() - 1.0);
                let done = gap < effort.gap || is_over || !(run.value > 0.0);
                // A full-rank factor may hide a spurious maximum: continue with a wider one.
                if done || (K < 32 && numerical_rank(&ascent.x, 1e-5) == K && ascent.passes > 600) {
                    run.passes = used;
                    if effort.enclose {
                        let outputs = self.outputs.clone();
                        let x = &ascent.x;
                        run.below = optimum_below(self.system, outputs, exact, &self.graph, self.input_norm, x);
                    }
                    return done;
                }
            }
            ascent.advance(&dual);
        }
    }

    /// Rounds a proposal to dyadic numbers and gives the input weights the least inflation from `slack` upwards that the kernel accepts.
    pub fn certify(
        &self,
        slopes: &[Slope],
        recovered: &Recovered,
        weights: &[f64],
        slack: f64,
    ) -> Result<(Multipliers, Dyadic), LipError> {
        if is_given_up(self.system.neurons.len()) {
            return Err(LipError::NotProved);
        }
        let output = self.graph.output_exponent();
        let mut neurons = Vec::with_capacity(self.system.neurons.len());
        for g in self.graph.hidden() {
            let group = &self.graph.groups[g];
            for v in group.variables.clone() {
                let t = recovered.multipliers[v - self.graph.inputs];
                neurons.push(from_f64(t.max(1e-290), 2 * (output - group.exponent)).ok_or(LipError::NotProved)?);
            }
        }
        let mut inflation = slack;
        loop {
            let rho = recovered.rho.max(1e-290) * (1.0 + inflation);
            let input = if self.input_norm == Norm::Linf {
                weights.iter().map(|w| from_f64(rho * w, 2 * output)).collect::<Option<Vec<Dyadic>>>()
            } else {
                from_f64(rho, 2 * output).map(|rho| vec![rho])
            };
            let multipliers = Multipliers { input: input.ok_or(LipError::NotProved)?, neurons: neurons.clone() };
            match sdp::certify(self.system, slopes, self.outputs.clone(), &multipliers) {
                Ok(()) => {
                    let upper = match self.input_norm {
                        Norm::Linf => multipliers.total(self.system.inputs),
                        _ => multipliers.largest(),
                    };
                    return Ok((multipliers, upper));
                }
                Err(LipError::NotProved) if inflation < 1e-2 && !is_given_up(neurons.len()) => inflation *= 4.0,
                Err(error) => return Err(error),
            }
        }
    }
}
