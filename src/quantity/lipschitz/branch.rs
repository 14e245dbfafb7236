//! Branch and bound on the signs of neurons and on the box. Trust: untrusted; its tree passes the kernel's check.
//!
//! A node is bounded by the dual relaxation with the slopes that are possible there, warm-started from its parent. It leaves the
//! queue in one of three ways only: with a certificate below the target, with a certificate as a leaf that cannot be split, or by
//! a split. On a low-dimensional box coordinates are cut; otherwise the least decided neuron is split.

use super::dual::{Ascent, Dual, Noise, Point, Step};
use super::graph::{Slopes, from_f64, ldexp, to_f64};
use super::lower::Explorer;
use super::recovery::{Recovered, Scan};
use super::relaxation::{Relaxation, is_given_up};
use crate::kernel::lipschitz::{
    Branch, Dyadic, LipError, LowerWitness, Multipliers, Norm, Norms, Region, Sign, Slope, System, tree,
};
use crate::kernel::net::Activation;
use rayon::prelude::*;
use std::collections::BinaryHeap;

/// Width of the dual variable in nodes.
const K: usize = 8;

/// Passes that an open node gets when the search ends early: more of them as long as its certificate is far from its value, and
/// above that of the worst node.
const POLISH: [u64; 3] = [60, 240, 960];
const POLISHED: f64 = 1e-4;

/// Boxes of at most this dimension are cut by coordinates.
const CUT_DIMENSION: usize = 3;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Wanted ratio of upper and lower bound, minus one.
    pub tolerance: f64,
    pub nodes: u64,
    /// Passes through the network, over all nodes.
    pub passes: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { tolerance: 1e-6, nodes: 100_000, passes: 4_000_000 }
    }
}

/// State of a running search, in constants (not squares).
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub lower: f64,
    pub upper: f64,
    pub nodes: u64,
    pub open: usize,
}

/// A finished or interrupted search.
#[derive(Clone, Debug)]
pub struct Found {
    pub tree: Vec<Branch>,
    /// The square that the tree proves.
    pub upper: Dyadic,
    /// Largest norm of an activation pattern found (globally), or of a Jacobian at a point of the box; an estimate.
    pub lower: f64,
    /// A point of the domain, when the search is on a box.
    pub witness: Option<LowerWitness>,
    pub nodes: u64,
    pub passes: u64,
    pub closed: bool,
}

/// A node of the tree under construction. A certificate holds for the slopes of its own node, not for those of the parts, so a
/// part without one makes the tree fall back to the nearest ancestor that has one.
struct Record {
    certificate: Option<usize>,
    kind: Kind,
}

enum Kind {
    Open,
    Split(Branch, usize, usize),
    Empty,
}

struct Node {
    bound: f64,
    id: usize,
    region: Option<Region>,
    signs: Vec<Option<Sign>>,
    bounded: Vec<Bounded>,
    branch: Option<Branch>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Node) -> std::cmp::Ordering {
        self.bound.total_cmp(&other.bound).then(other.id.cmp(&self.id))
    }
}

type Part = (Option<Region>, Vec<Option<Sign>>);

/// One relaxation per certificate of a leaf.
pub struct Search<'a> {
    system: &'a System,
    norms: Norms,
    relaxations: Vec<Relaxation<'a>>,
    /// Squares are measured in units of `2^unit`.
    unit: i64,
    limits: Limits,
    noise: Noise,
    explorer: Option<Explorer<'a>>,
    lower: f64,
    passes: u64,
    records: Vec<Record>,
    certificates: Vec<(Vec<Multipliers>, Dyadic)>,
}

/// A dual point of one relaxation, and multipliers when they prove something.
struct Bounded {
    /// The relaxation's optimum, from above when multipliers are known, else from below.
    estimate: f64,
    recovered: Option<(Recovered, Vec<f64>)>,
    point: Point<K>,
    lift: f64,
    passes: u64,
}

type Certified = (Vec<Multipliers>, Dyadic);

/// What one node's bounding found; made without touching the search, so that siblings run in parallel.
enum Examined {
    Empty,
    Bounded { slopes: Vec<Slope>, bounded: Vec<Bounded>, certified: Option<Certified> },
}

impl<'a> Search<'a> {
    pub fn new(
        system: &'a System,
        norms: Norms,
        region: Option<&Region>,
        slopes: &[Slope],
        limits: Limits,
    ) -> Result<Search<'a>, LipError> {
        let count = system.outputs.len();
        let floats = Slopes::new(slopes);
        // A single input makes all norms of the input equal.
        let input = if norms.input == Norm::Linf { Norm::Linf } else { Norm::L2 };
        let relaxations: Vec<Relaxation> = if norms.output_is_l2(count)? {
            vec![Relaxation::new(system, 0..count, input, &floats)]
        } else {
            (0..count).map(|o| Relaxation::new(system, o..o + 1, input, &floats)).collect()
        };
        let unit = 2 * relaxations.iter().map(|r| r.graph.output_exponent()).max().unwrap_or(0);
        let explorer = region.map(|region| Explorer::new(system, norms, region, true));
        Ok(Search {
            system,
            norms,
            relaxations,
            unit,
            limits,
            noise: Noise::new(7),
            explorer,
            lower: 0.0,
            passes: 0,
            records: Vec::new(),
            certificates: Vec::new(),
        })
    }

    fn target(&self) -> f64 {
        self.lower * (1.0 + self.limits.tolerance).powi(2)
    }

    /// Squares of relaxation `r` in the common unit.
    fn in_unit(&self, r: usize, square: f64) -> f64 {
        ldexp(square, 2 * self.relaxations[r].graph.output_exponent() - self.unit)
    }

    /// Ascends until the node is known to be below the target, or settles above it.
    fn bound(&self, r: usize, slopes: &Slopes, parent: Option<&Bounded>, passes: u64) -> Bounded {
        let relaxation = &self.relaxations[r];
        let scale = ldexp(1.0, self.unit - 2 * relaxation.graph.output_exponent());
        let stop = self.target() * scale;
        let dual = relaxation.dual(slopes);
        let mut x = match parent {
            Some(parent) => parent.point.clone(),
            None => {
                let mut x: Point<K> = Noise::new(7).point(relaxation.graph.variables);
                dual.normalize(&mut x);
                x
            }
        };
        for _ in 0..3 {
            x = dual.step(&x).point;
        }
        let mut ascent = Ascent::new(&dual, x, 6);
        let mut best: Option<(Recovered, Vec<f64>)> = None;
        let (mut check, mut last) = (8, 0.0);
        let mut lift = parent.map_or(1e-9, |parent| parent.lift);
        let mut estimate;
        loop {
            if ascent.passes >= check || ascent.passes > passes {
                check = ascent.passes + 8 + ascent.passes / 4;
                let value = ascent.value();
                estimate = value;
                if value > stop && parent.is_some() {
                    // The node cannot be closed; a settled point is all that its split needs.
                    if value - last < 0.1 * (value - stop) {
                        break;
                    }
                } else {
                    let enough = if parent.is_some() { stop } else { 0.0 };
                    let (_, recovered) =
                        relaxation.recover(slopes, &ascent.x, Scan { start: lift, finest: 1e-8, enough });
                    if let Some((recovered, weights)) = recovered {
                        lift = (recovered.delta * 0.1).max(1e-12);
                        if best.as_ref().is_none_or(|(best, _)| recovered.rho < best.rho) {
                            best = Some((recovered, weights));
                        }
                    }
                    let upper = best.as_ref().map_or(f64::INFINITY, |(best, _)| best.rho);
                    estimate = upper;
                    if upper < stop * (1.0 - 1e-10) || upper / value - 1.0 < 1e-7 {
                        break;
                    }
                }
                last = value;
                if ascent.passes > passes || !(value > 0.0) {
                    break;
                }
            }
            if is_given_up(self.system.neurons.len()) {
                estimate = f64::INFINITY;
                break;
            }
            ascent.advance(&dual);
        }
        let passes = ascent.passes + 4;
        Bounded { estimate: estimate / scale, recovered: best, point: ascent.x, lift, passes }
    }

    /// The norm of an activation pattern near a dual point, by alternating maximization with `K = 1`.
    fn pattern(&mut self, r: usize, slopes: &Slopes, x: &Point<K>) {
        let relaxation = &self.relaxations[r];
        let dual: Dual = relaxation.dual(slopes);
        let along: [f64; K] = std::array::from_fn(|_| self.noise.normal());
        let mut y: Point<1> = x.iter().map(|row| [super::dual::inner(row, &along)]).collect();
        dual.normalize(&mut y);
        y.iter_mut().filter(|y| y[0] == 0.0).for_each(|y| y[0] = 1.0);
        let mut last = 0.0;
        for _ in 0..60 {
            let step: Step<1> = dual.step(&y);
            self.passes += 1;
            let done = step.value <= last * (1.0 + 1e-12);
            last = step.value.max(last);
            if done {
                break;
            }
            y = step.point;
        }
        self.lower = self.lower.max(self.in_unit(r, last));
    }

    fn explore(&mut self, region: Option<&Region>, slopes: &Slopes, bounded: &[Bounded], tries: usize) {
        if let (Some(explorer), Some(region)) = (&mut self.explorer, region) {
            explorer.sample(region, &mut self.noise, 4 * tries);
            self.lower = self.lower.max(ldexp(explorer.best, 2 * explorer.unit() - self.unit));
            return;
        }
        for (r, one) in bounded.iter().enumerate() {
            for _ in 0..tries {
                self.pattern(r, slopes, &one.point);
            }
        }
    }

    /// Which split promises most; `None` for a node that cannot be split.
    fn choose(
        &self,
        region: Option<&Region>,
        signs: &[Option<Sign>],
        slopes: &[Slope],
        floats: &Slopes,
        bounded: &[Bounded],
    ) -> Option<Branch> {
        if let Some(region) = region
            && region.lower.len() <= CUT_DIMENSION
        {
            if slopes.iter().all(Slope::is_linear) {
                return None;
            }
            let widths = region.lower.iter().zip(&region.upper).map(|(lower, upper)| to_f64(&(upper - lower), 0));
            let (coordinate, width) = widths.enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
            let (lower, upper) = (region.lower.get(coordinate)?, region.upper.get(coordinate)?);
            let at = (lower + upper).scaled(-1).round_down(40);
            return (width > 1e-9 && at > *lower && at < *upper).then_some(Branch::Input { coordinate, at });
        }
        let mut best: Option<(f64, usize)> = None;
        for (relaxation, one) in self.relaxations.iter().zip(bounded) {
            let step = relaxation.dual(floats).step(&one.point);
            for (j, score) in step.indecision.iter().enumerate() {
                let kinked = matches!(self.system.neurons[j].activation, Activation::Relu | Activation::LeakyRelu(_));
                if kinked && signs[j].is_none() && !slopes[j].is_linear() && best.is_none_or(|(most, _)| *score > most)
                {
                    best = Some((*score, j));
                }
            }
        }
        best.map(|(_, j)| Branch::Neuron(j))
    }

    fn examine(
        &self,
        region: Option<&Region>,
        signs: &[Option<Sign>],
        parent: Option<&Node>,
    ) -> Result<Examined, LipError> {
        let Some(slopes) = tree::slopes(self.system, region, signs)? else { return Ok(Examined::Empty) };
        let floats = Slopes::new(&slopes);
        let passes = if parent.is_none() { 2000 } else { 400 };
        let bounded: Vec<Bounded> = (0..self.relaxations.len())
            .map(|r| self.bound(r, &floats, parent.and_then(|parent| parent.bounded.get(r)), passes))
            .collect();
        let upper = bounded.iter().map(|one| one.estimate).fold(0.0, f64::max);
        let certified = if upper <= self.target() || parent.is_none() {
            match self.certify(&slopes, &floats, &bounded) {
                Err(LipError::NotProved) => None,
                result => Some(result?),
            }
        } else {
            None
        };
        Ok(Examined::Bounded { slopes, bounded, certified })
    }

    /// Closes a node or puts it into the queue.
    fn admit(
        &mut self,
        heap: &mut BinaryHeap<Node>,
        (region, signs): Part,
        examined: Examined,
        parent: Option<f64>,
    ) -> Result<usize, LipError> {
        let id = self.records.len();
        let Examined::Bounded { slopes, bounded, certified } = examined else {
            self.records.push(Record { certificate: None, kind: Kind::Empty });
            return Ok(id);
        };
        self.passes += bounded.iter().map(|one| one.passes).sum::<u64>();
        let mut bound = bounded.iter().map(|one| one.estimate).fold(0.0, f64::max);
        self.records.push(Record { certificate: None, kind: Kind::Open });
        if let Some(parent) = parent {
            bound = bound.min(parent);
        }
        let floats = Slopes::new(&slopes);
        if bound > self.target() {
            let tries = if parent.is_none() { 40 } else { 3 };
            self.explore(region.as_ref(), &floats, &bounded, tries);
        }
        match certified {
            Some((certificates, square)) => {
                self.records[id].certificate = Some(self.certificates.len());
                self.certificates.push((certificates, square));
                if self.proved(id) {
                    return Ok(id);
                }
            }
            // Every other node may fall back to the root.
            None if parent.is_none() => return Err(LipError::NotProved),
            None => {}
        }
        let branch = self.choose(region.as_ref(), &signs, &slopes, &floats, &bounded);
        let node = Node { bound, id, region, signs, bounded, branch };
        if node.branch.is_none() {
            self.settle(&node)?;
            if self.proved(id) {
                return Ok(id);
            }
        }
        heap.push(node);
        Ok(id)
    }

    /// Gives a waiting node a certificate of its own.
    fn settle(&mut self, node: &Node) -> Result<(), LipError> {
        if self.proved(node.id) {
            return Ok(());
        }
        let Some(slopes) = tree::slopes(self.system, node.region.as_ref(), &node.signs)? else { return Ok(()) };
        if let Ok((certificates, square)) = self.certify(&slopes, &Slopes::new(&slopes), &node.bounded) {
            self.records[node.id].certificate = Some(self.certificates.len());
            self.certificates.push((certificates, square));
        }
        Ok(())
    }

    /// Gives every open node of a search that ends early a certificate near its own optimum: their points were left as soon as they
    /// were known to lie above the target. A node that fails falls back to an ancestor.
    fn settle_all(&mut self, open: &[Node]) {
        let unproved: Vec<&Node> = open.iter().filter(|node| !self.proved(node.id)).collect();
        // The bound of the whole is that of the worst node: for the others a certificate below it is as good as any.
        let most = open.iter().fold(self.target(), |most, node| most.max(node.bound));
        let found: Vec<Option<Certified>> = unproved.par_iter().map(|node| self.polished(node, most)).collect();
        for (node, certified) in unproved.into_iter().zip(found) {
            if let Some(certified) = certified {
                self.records[node.id].certificate = Some(self.certificates.len());
                self.certificates.push(certified);
            }
        }
    }

    fn polished(&self, node: &Node, most: f64) -> Option<Certified> {
        let slopes = tree::slopes(self.system, node.region.as_ref(), &node.signs).ok()??;
        let floats = Slopes::new(&slopes);
        let mut bounded = Vec::with_capacity(node.bounded.len());
        for (r, (relaxation, one)) in self.relaxations.iter().zip(&node.bounded).enumerate() {
            let dual = relaxation.dual(&floats);
            let mut ascent = Ascent::new(&dual, one.point.clone(), 6);
            let mut recovered = None;
            for passes in POLISH {
                while ascent.passes < passes {
                    ascent.advance(&dual);
                }
                let scan = Scan { start: 1e-9, finest: 1e-8, enough: 0.0 };
                recovered = relaxation.recover(&floats, &ascent.x, scan).1;
                let enough = |rho: f64| {
                    rho <= ascent.value() * (1.0 + POLISHED) || self.in_unit(r, rho) <= most * (1.0 + POLISHED)
                };
                if recovered.as_ref().is_some_and(|(found, _)| enough(found.rho)) {
                    break;
                }
            }
            bounded.push(Bounded { recovered, point: ascent.x, ..*one });
        }
        self.certify(&slopes, &floats, &bounded).ok()
    }

    fn certify(&self, slopes: &[Slope], floats: &Slopes, bounded: &[Bounded]) -> Result<Certified, LipError> {
        let mut certificates = Vec::with_capacity(bounded.len());
        let mut most = Dyadic::ZERO;
        for (relaxation, one) in self.relaxations.iter().zip(bounded) {
            let fresh = match one.recovered {
                Some(_) => None,
                None => relaxation.recover(floats, &one.point, Scan { start: 1e-12, finest: 1e-8, enough: 0.0 }).1,
            };
            let slack = (self.limits.tolerance * 1e-3).min(1e-9);
            let proposals = one.recovered.iter().chain(&fresh);
            let certified = proposals
                .map(|(recovered, weights)| relaxation.certify(slopes, recovered, weights, slack))
                .find(Result::is_ok);
            let (multipliers, _) = match certified {
                Some(certified) => certified?,
                None => {
                    let (recovered, weights) = relaxation.layerwise(floats).ok_or(LipError::NotProved)?;
                    relaxation.certify(slopes, &recovered, &weights, slack)?
                }
            };
            most = most.max(self.norms.weight(&multipliers, self.system.inputs));
            certificates.push(multipliers);
        }
        Ok((certificates, most))
    }

    /// Runs until the bounds meet, the limits are reached, or `progress` returns `false`.
    pub fn run(
        mut self,
        region: Option<Region>,
        mut progress: impl FnMut(Progress) -> bool,
    ) -> Result<Found, LipError> {
        let mut heap = BinaryHeap::new();
        self.explore(region.as_ref(), &Slopes { lower: Vec::new(), upper: Vec::new() }, &[], 50);
        let signs = vec![None; self.system.neurons.len()];
        let root = self.examine(region.as_ref(), &signs, None)?;
        self.admit(&mut heap, (region, signs), root, None)?;
        let mut stuck = Vec::new();
        let mut closed = true;
        while let Some(node) = heap.pop() {
            if node.bound <= self.target() {
                self.settle(&node)?;
                if self.proved(node.id) {
                    continue;
                }
            }
            let upper = stuck.iter().fold(node.bound, |most: f64, bound| most.max(*bound));
            let constant = |square: f64| ldexp(square.sqrt(), self.unit / 2);
            let state = Progress {
                lower: constant(self.lower),
                upper: constant(upper),
                nodes: self.records.len() as u64,
                open: heap.len() + 1,
            };
            let over = state.nodes >= self.limits.nodes || self.passes >= self.limits.passes;
            if over || !progress(state) {
                closed = false;
                let mut open = heap.into_vec();
                open.push(node);
                self.settle_all(&open);
                break;
            }
            let Some(branch) = node.branch.clone() else {
                stuck.push(node.bound);
                continue;
            };
            let (first, second) = self.parts(&node, &branch)?;
            // Both parts see the same target, so the result does not depend on the number of threads.
            let (left, right) = rayon::join(
                || self.examine(first.0.as_ref(), &first.1, Some(&node)),
                || self.examine(second.0.as_ref(), &second.1, Some(&node)),
            );
            let first = self.admit(&mut heap, first, left?, Some(node.bound))?;
            let second = self.admit(&mut heap, second, right?, Some(node.bound))?;
            self.records[node.id].kind = Kind::Split(branch, first, second);
        }
        closed &= stuck.is_empty();
        let (tree, upper) = self.assemble();
        let witness = self.explorer.as_ref().and_then(Explorer::witness);
        let lower = ldexp(self.lower.sqrt(), self.unit / 2);
        Ok(Found { tree, upper, lower, witness, nodes: self.records.len() as u64, passes: self.passes, closed })
    }

    fn proved(&self, id: usize) -> bool {
        self.own(id).is_some_and(|(_, square)| to_f64(square, -self.unit) <= self.target())
    }

    fn own(&self, id: usize) -> Option<&Certified> {
        self.certificates.get(self.records[id].certificate?)
    }

    fn parts(&self, node: &Node, branch: &Branch) -> Result<(Part, Part), LipError> {
        match (branch, &node.region) {
            (Branch::Input { coordinate, at }, Some(region)) => {
                let (low, high) = region.split(*coordinate, at).ok_or(LipError::NotProved)?;
                Ok(((Some(low), node.signs.clone()), (Some(high), node.signs.clone())))
            }
            (Branch::Neuron(j), region) => {
                let with = |sign| {
                    let mut signs = node.signs.clone();
                    signs[*j] = Some(sign);
                    (region.clone(), signs)
                };
                Ok((with(Sign::Positive), with(Sign::Negative)))
            }
            _ => Err(LipError::NotProved),
        }
    }

    /// The tree in preorder and the largest certificate in it.
    fn assemble(&self) -> (Vec<Branch>, Dyadic) {
        // What each subtree proves at best, from the leaves up (parts have larger numbers than their node), and whether by its
        // own certificate. `None` marks a subtree with an uncertified part.
        let mut best: Vec<Option<(Dyadic, bool)>> = vec![None; self.records.len()];
        for (id, record) in self.records.iter().enumerate().rev() {
            let below = match &record.kind {
                Kind::Empty => Some(Dyadic::ZERO),
                Kind::Open => None,
                Kind::Split(_, first, second) => {
                    let parts = best[*first].as_ref().zip(best[*second].as_ref());
                    parts.map(|(first, second)| first.0.clone().max(second.0.clone()))
                }
            };
            let own = self.own(id).map(|(_, square)| square.clone());
            best[id] = match (own, below) {
                (Some(own), Some(below)) if own <= below => Some((own, true)),
                (_, Some(below)) => Some((below, false)),
                (Some(own), None) => Some((own, true)),
                (None, None) => None,
            };
        }
        let mut tree = Vec::new();
        let mut open = vec![0];
        while let Some(id) = open.pop() {
            let is_leaf = best[id].as_ref().is_none_or(|(_, own)| *own);
            match (&self.records[id].kind, self.own(id)) {
                (_, Some((certificates, _))) if is_leaf => tree.push(Branch::Leaf(certificates.clone())),
                (Kind::Split(branch, first, second), _) => {
                    tree.push(branch.clone());
                    open.push(*second);
                    open.push(*first);
                }
                _ => tree.push(Branch::Empty(Vec::new())),
            }
        }
        let most = best.swap_remove(0).map_or(Dyadic::ZERO, |(square, _)| square);
        (tree, most)
    }
}

/// A dyadic point next to a floating-point one.
pub fn dyadic_point(x: &[f64]) -> Option<Vec<Dyadic>> {
    x.iter().map(|x| from_f64(*x, 0)).collect()
}
