//! Ternary readouts with a small Occam bound, found by simulated annealing on the bound itself. Trust: untrusted.
//!
//! The bound of a readout with `k` errors on `n` examples and `m` nonzero weights among `d` is `kl_inverse(k/n, (L ln 2 + ln 20)/n)`
//! with the code length `L = 11 + log2(d+1) + log2 binomial(d, m) + m`: the kl form of the theorem at confidence 0.95, close to its
//! binomial form and quick. Logits and errors are integers; a run is a function of its seed, and the best run is taken in the order
//! of the seeds, so that the result is the same for every number of threads.

use super::elementary::{exp, ln};
use super::mlp::LabError;
use super::random::{Random, Stream};
use super::ternary;
use rayon::prelude::*;

/// Most proposals of all runs together.
pub const STEP_LIMIT: u64 = 1 << 36;
/// Hot and cold end of the temperature in errors per example, and where this is more, in units of the bound.
const HOT: (f64, f64) = (1.6, 2e-4);
const COLD: (f64, f64) = (0.032, 4e-6);
/// Stages of equal temperature.
const STAGES: u64 = 1000;
const LN_2: f64 = std::f64::consts::LN_2;
const LN_20: f64 = 2.995_732_273_553_991;

/// Integer features, one column each, with labels.
pub struct Problem {
    columns: Vec<Vec<i16>>,
    labels: Vec<i32>,
    classes: usize,
}

impl Problem {
    /// `rows` are the features of the examples. Errors: no example, rows of different lengths, features beyond 2^13, labels out
    /// of range.
    pub fn new(rows: &[Vec<i64>], labels: &[u32], classes: usize) -> Result<Problem, LabError> {
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) || rows.len() != labels.len() {
            return Err(LabError::Shape("expected one row of features and one label per example".to_string()));
        }
        let mut columns = vec![Vec::with_capacity(rows.len()); width];
        for row in rows {
            for (column, value) in columns.iter_mut().zip(row) {
                // Two changed weights move a logit by at most 4 * 2^13 = 2^15.
                match i16::try_from(*value) {
                    Ok(value) if value.unsigned_abs() < 1 << 13 => column.push(value),
                    _ => return Err(LabError::Shape(format!("expected features below 2^13, found {value}"))),
                }
            }
        }
        let label = |label: &u32| i32::try_from(*label).ok().filter(|y| (*y as usize) < classes);
        match labels.iter().map(label).collect() {
            Some(labels) => Ok(Problem { columns, labels, classes }),
            None => Err(LabError::Shape(format!("expected labels below {classes}, found a larger one"))),
        }
    }

    pub(super) fn columns(&self) -> &[Vec<i16>] {
        &self.columns
    }

    pub(super) fn labels(&self) -> &[i32] {
        &self.labels
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// Number of weights of a readout.
    fn weights(&self) -> usize {
        self.columns.len() * self.classes
    }
}

/// A readout and what it scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// -1, 0 or 1, class by class.
    pub weights: Vec<i8>,
    pub errors: usize,
    /// The bound that was minimized.
    pub bound: f64,
}

/// The best of `runs` runs of `steps` proposals with the seeds `seed, seed + 1, ..`. `progress` is told of proposals made.
/// Errors: too many proposals, or none.
pub fn anneal(
    problem: &Problem,
    steps: u64,
    runs: u64,
    seed: u64,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Found, LabError> {
    if steps.checked_mul(runs).is_none_or(|total| total == 0 || total > STEP_LIMIT) {
        return Err(LabError::TooLarge(format!("expected 1 to 2^36 proposals, found {steps} times {runs}")));
    }
    let seeds: Vec<u64> = (0..runs).map(|run| seed.wrapping_add(run)).collect();
    let found: Vec<Found> = seeds.par_iter().map(|seed| Run::new(problem, *seed).anneal(steps, progress)).collect();
    let best = found.into_iter().reduce(|best, next| if next.bound < best.bound { next } else { best });
    best.ok_or_else(|| LabError::TooLarge("expected at least one run, found none".to_string()))
}

// Sums below wrap where they cannot overflow (logits stay below 2^13 times the number of features): checked sums do not vectorize.

/// Logits of all examples and what decides whether a change of one class's logits makes or mends an error.
struct State<'p> {
    problem: &'p Problem,
    /// Class by class.
    logits: Vec<Vec<i32>>,
    /// The logit of the label, the two largest others, and the class of the larger.
    own: Vec<i32>,
    first: Vec<i32>,
    second: Vec<i32>,
    who: Vec<i32>,
    errors: usize,
}

impl<'p> State<'p> {
    fn new(problem: &'p Problem, weights: &[i8]) -> State<'p> {
        let n = problem.labels.len();
        let mut logits = vec![vec![0; n]; problem.classes];
        for (logits, row) in logits.iter_mut().zip(weights.chunks(problem.columns.len())) {
            for (column, weight) in problem.columns.iter().zip(row).filter(|(_, weight)| **weight != 0) {
                logits.iter_mut().zip(column).for_each(|(l, f)| *l += i32::from(*weight) * i32::from(*f));
            }
        }
        let blank = vec![0; n];
        let (own, first, second, who) = (blank.clone(), blank.clone(), blank.clone(), blank);
        let mut state = State { problem, logits, own, first, second, who, errors: 0 };
        state.settle();
        state
    }

    /// Works out everything from the logits.
    fn settle(&mut self) {
        let n = self.own.len();
        let (own, first) = (&mut self.own[..n], &mut self.first[..n]);
        let (second, who, labels) = (&mut self.second[..n], &mut self.who[..n], &self.problem.labels[..n]);
        first.fill(i32::MIN);
        second.fill(i32::MIN);
        for (class, logits) in (0i32..).zip(&self.logits) {
            for (i, &logit) in logits.iter().enumerate().take(n) {
                let is_own = labels[i] == class;
                let rival = if is_own { i32::MIN } else { logit };
                let is_first = rival > first[i];
                own[i] = if is_own { logit } else { own[i] };
                second[i] = if is_first { first[i] } else { second[i].max(rival) };
                who[i] = if is_first { class } else { who[i] };
                first[i] = first[i].max(rival);
            }
        }
        self.errors = own.iter().zip(&*first).filter(|(own, rival)| own <= rival).count();
    }

    /// The errors after a change of one class's logits.
    fn errors_after(&self, class: usize, shift: &[i16]) -> usize {
        let n = self.own.len();
        let (own, first, second) = (&self.own[..n], &self.first[..n], &self.second[..n]);
        let (who, labels, logits, shift) =
            (&self.who[..n], &self.problem.labels[..n], &self.logits[class][..n], &shift[..n]);
        let class = class as i32;
        let mut errors = 0u32;
        for i in 0..n {
            let logit = logits[i].wrapping_add(i32::from(shift[i]));
            let rest = if who[i] == class { second[i] } else { first[i] };
            let is_own = labels[i] == class;
            let rival = if is_own { rest } else { rest.max(logit) };
            let mine = if is_own { logit } else { own[i] };
            errors = errors.wrapping_add(u32::from(mine <= rival));
        }
        errors as usize
    }

    /// The errors as the logits stand.
    fn errors_now(&self) -> usize {
        let is_wrong = |(i, label): (usize, &i32)| {
            let own = self.logits[*label as usize][i];
            (0i32..).zip(&self.logits).any(|(class, logits)| class != *label && logits[i] >= own)
        };
        self.problem.labels.iter().enumerate().filter(|example| is_wrong(*example)).count()
    }

    fn add(&mut self, class: usize, shift: &[i16], is_plus: bool) {
        for (logit, shift) in self.logits[class].iter_mut().zip(shift) {
            let shift = i32::from(*shift);
            *logit = logit.wrapping_add(if is_plus { shift } else { -shift });
        }
    }
}

/// The bound as a function of errors and nonzero weights, computed once per argument.
struct Bound {
    /// Bits of a word with `m` nonzero weights.
    bits: Vec<f64>,
    examples: usize,
    known: Vec<Vec<f64>>,
}

impl Bound {
    fn new(weights: usize, examples: usize) -> Bound {
        let mut ln_factorial = vec![0.0; weights + 1];
        for i in 1..=weights {
            ln_factorial[i] = ln_factorial[i - 1] + ln(i as f64);
        }
        let header = 11.0 + ln(weights as f64 + 1.0) / LN_2;
        let bits = |m: usize| {
            let ln_choices = ln_factorial[weights] - ln_factorial[m] - ln_factorial[weights - m];
            header + ln_choices / LN_2 + m as f64
        };
        Bound { bits: (0..=weights).map(bits).collect(), examples, known: vec![Vec::new(); weights + 1] }
    }

    fn at(&mut self, errors: usize, nonzero: usize) -> f64 {
        let row = &mut self.known[nonzero];
        if row.is_empty() {
            row.resize(self.examples + 1, f64::NAN);
        }
        if row[errors].is_nan() {
            let n = self.examples as f64;
            row[errors] = kl_inverse(errors as f64 / n, (self.bits[nonzero] * LN_2 + LN_20) / n);
        }
        row[errors]
    }
}

/// `sup { p >= q : kl(q, p) <= c }` to about 2^-45.
fn kl_inverse(q: f64, c: f64) -> f64 {
    let (mut low, mut high) = (q, 1.0);
    for _ in 0..45 {
        let p = 0.5 * (low + high);
        let part = |a: f64, b: f64| if a > 0.0 { a * ln(a / b) } else { 0.0 };
        if part(q, p) + part(1.0 - q, 1.0 - p) > c { high = p } else { low = p }
    }
    high
}

/// A weight gets a value; perhaps another one too.
struct Move {
    place: usize,
    value: i8,
    other: Option<(usize, i8)>,
}

struct Run<'p> {
    problem: &'p Problem,
    random: Random,
    weights: Vec<i8>,
    /// Places of nonzero weights, and where each is listed.
    nonzero: Vec<usize>,
    listed: Vec<Option<usize>>,
    state: State<'p>,
    bound: Bound,
}

impl<'p> Run<'p> {
    fn new(problem: &'p Problem, seed: u64) -> Run<'p> {
        let weights = ternary::start(problem, seed);
        let nonzero: Vec<usize> = (0..weights.len()).filter(|i| weights[*i] != 0).collect();
        let mut listed = vec![None; weights.len()];
        nonzero.iter().enumerate().for_each(|(at, place)| listed[*place] = Some(at));
        Run {
            problem,
            random: Random::new(seed, Stream::Other(1)),
            state: State::new(problem, &weights),
            bound: Bound::new(problem.weights(), problem.labels.len()),
            weights,
            nonzero,
            listed,
        }
    }

    /// Two moves in three touch a nonzero weight; half of these, where they clear it, put it elsewhere.
    fn propose(&mut self) -> Move {
        let size = self.weights.len();
        let random = &mut self.random;
        let kind = random.below(3);
        let place = match self.nonzero.len() {
            m if kind > 0 && m > 0 => self.nonzero[random.below(m as u64) as usize],
            _ => random.below(size as u64) as usize,
        };
        let old = self.weights[place];
        let value = match old {
            0 if random.coin() => 1,
            0 => -1,
            _ if random.below(4) > 0 => 0,
            _ => -old,
        };
        let mut other = None;
        if kind == 2 && old != 0 && value == 0 {
            let width = self.problem.columns.len();
            let is_same = random.coin();
            let class = if is_same { place / width } else { random.below(self.problem.classes as u64) as usize };
            let target = class * width + random.below(width as u64) as usize;
            if self.weights[target] == 0 {
                other = Some((target, if random.below(8) > 0 { old } else { -old }));
            }
        }
        Move { place, value, other }
    }

    /// Writes `change` times a column into `shift`, or adds it.
    fn column(&self, place: usize, change: i8, shift: &mut [i16], is_first: bool) {
        let column = &self.problem.columns[place % self.problem.columns.len()];
        let change = i16::from(change);
        for (shift, feature) in shift.iter_mut().zip(column) {
            let before = if is_first { 0 } else { *shift };
            *shift = before.wrapping_add(change.wrapping_mul(*feature));
        }
    }

    fn set(&mut self, place: usize, value: i8) {
        self.weights[place] = value;
        match (self.listed[place], value) {
            (None, 1 | -1) => {
                self.listed[place] = Some(self.nonzero.len());
                self.nonzero.push(place);
            }
            (Some(at), 0) => {
                self.listed[place] = None;
                self.nonzero.swap_remove(at);
                if let Some(moved) = self.nonzero.get(at) {
                    self.listed[*moved] = Some(at);
                }
            }
            _ => {}
        }
    }

    fn anneal(mut self, steps: u64, progress: &(dyn Fn(u64) + Sync)) -> Found {
        let n = self.problem.labels.len();
        let width = self.problem.columns.len();
        let mut current = self.bound.at(self.state.errors, self.nonzero.len());
        let mut best = Found { weights: self.weights.clone(), errors: self.state.errors, bound: current };
        let (mut shift, mut second) = (vec![0i16; n], vec![0i16; n]);
        let stage = steps.div_ceil(STAGES);
        let [mut temperature, cold] = [HOT, COLD].map(|(errors, most)| most.min(errors / n as f64));
        let cooling = exp(ln(cold / temperature) / STAGES as f64);
        for step in 0..steps {
            if step > 0 && step % stage == 0 {
                temperature *= cooling;
                progress(stage);
            }
            let change = self.propose();
            let class = change.place / width;
            let old = self.weights[change.place];
            self.column(change.place, change.value - old, &mut shift, true);
            // A second weight of another class changes that class's logits too.
            let elsewhere = change.other.filter(|(place, _)| place / width != class);
            let errors = match (change.other, elsewhere) {
                (_, Some((place, value))) => {
                    self.column(place, value, &mut second, true);
                    self.state.add(class, &shift, true);
                    self.state.add(place / width, &second, true);
                    self.state.errors_now()
                }
                (Some((place, value)), None) => {
                    self.column(place, value, &mut shift, false);
                    self.state.errors_after(class, &shift)
                }
                (None, None) => self.state.errors_after(class, &shift),
            };
            let added = usize::from(change.value != 0) + usize::from(change.other.is_some());
            let nonzero = self.nonzero.len() + added - usize::from(old != 0);
            let bound = self.bound.at(errors, nonzero);
            if bound <= current || self.random.uniform() < exp((current - bound) / temperature) {
                if elsewhere.is_none() {
                    self.state.add(class, &shift, true);
                }
                self.set(change.place, change.value);
                if let Some((place, value)) = change.other {
                    self.set(place, value);
                }
                self.state.settle();
                current = bound;
                if current < best.bound {
                    best = Found { weights: self.weights.clone(), errors, bound };
                }
            } else if let Some((place, _)) = elsewhere {
                self.state.add(class, &shift, false);
                self.state.add(place / width, &second, false);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two classes on two features: the label is the larger feature, with a few examples turned around.
    fn problem() -> Problem {
        let mut random = Random::new(5, Stream::Data);
        let mut rows = Vec::new();
        let mut labels = Vec::new();
        for i in 0..400u32 {
            let row: Vec<i64> = (0..6).map(|_| random.below(2000) as i64 - 1000).collect();
            labels.push(u32::from(row[1] > row[0]) ^ u32::from(i % 40 == 0));
            rows.push(row);
        }
        Problem::new(&rows, &labels, 2).expect("a problem")
    }

    #[test]
    fn counts_are_kept_up_to_date() {
        let problem = problem();
        let mut run = Run::new(&problem, 3);
        let mut shift = vec![0; 400];
        for _ in 0..200 {
            let change = run.propose();
            let old = run.weights[change.place];
            let class = change.place / 6;
            run.column(change.place, change.value - old, &mut shift, true);
            let predicted = run.state.errors_after(class, &shift);
            run.state.add(class, &shift, true);
            run.set(change.place, change.value);
            run.state.settle();
            assert_eq!((predicted, run.state.errors_now()), (run.state.errors, run.state.errors));
            let fresh = State::new(&problem, &run.weights);
            assert_eq!((&fresh.logits, fresh.errors), (&run.state.logits, run.state.errors));
            let mut listed = run.nonzero.clone();
            listed.sort_unstable();
            assert_eq!(listed, (0..12).filter(|i| run.weights[*i] != 0).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_rule_behind_the_labels_is_found() {
        let problem = problem();
        let found = anneal(&problem, 4000, 3, 1, &|_| {}).expect("a readout");
        // Only the ten labels turned around are wrong, and only the two features that decide are used.
        assert_eq!(found.errors, 10);
        assert!(found.weights.iter().enumerate().all(|(i, w)| i % 6 < 2 || *w == 0), "{found:?}");
        assert_eq!(State::new(&problem, &found.weights).errors, 10);
        assert_eq!(anneal(&problem, 4000, 3, 1, &|_| {}), Ok(found));
    }

    #[test]
    fn the_bound_is_the_one_of_the_theorem() {
        // mpmath: 594 bits, 230 of 8000 errors: kl_inverse = 0.116538...; the header is rounded there and not here.
        let mut bound = Bound::new(730, 8000);
        assert!((bound.bits[116] - 593.0).abs() < 1.0, "{}", bound.bits[116]);
        assert!((bound.at(230, 116) - 0.1167).abs() < 5e-4, "{}", bound.at(230, 116));
        assert!(anneal(&problem(), u64::MAX, 2, 1, &|_| {}).is_err());
    }
}
