//! What experiments show. Trust: untrusted.

use super::elementary::{exp, ln};
use super::mlp::{LabError, Mlp};
use super::sample::Sample;
use std::fmt;

/// A value that was observed. It can be shown and compared with other observations; no conversion leads to a fact of the kernel, and
/// nothing in a proof takes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Observed<T>(T);

impl<T> Observed<T> {
    pub fn new(value: T) -> Observed<T> {
        Observed(value)
    }

    pub fn value(&self) -> &T {
        &self.0
    }

    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        Observed(f(self.0))
    }
}

impl<T: fmt::Display> fmt::Display for Observed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (observed)", self.0)
    }
}

/// Errors among points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRate {
    pub errors: u64,
    pub points: u64,
}

impl ErrorRate {
    pub fn rate(self) -> f64 {
        self.errors as f64 / self.points as f64
    }

    /// Two-sided interval for the true rate of fresh i.i.d. points (Clopper and Pearson 1934), by bisection in f64.
    /// Errors: a level outside `(0, 1)`.
    pub fn interval(self, level: f64) -> Result<(f64, f64), LabError> {
        if !(level > 0.0 && level < 1.0) {
            return Err(LabError::Option {
                name: "level",
                expected: "a number between 0 and 1",
                found: level.to_string(),
            });
        }
        let tail = (1.0 - level) / 2.0;
        let upper = upper_limit(self.errors, self.points, tail);
        // P(X >= k; p) = P(n - X <= n - k; 1 - p): the lower limit is an upper limit of the successes.
        let lower = 1.0 - upper_limit(self.points.saturating_sub(self.errors), self.points, tail);
        Ok((lower, upper))
    }
}

impl fmt::Display for ErrorRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.errors, self.points)
    }
}

/// The `p` with `P(Binomial(n, p) <= k) = tail`; 1 for `k >= n`.
fn upper_limit(k: u64, n: u64, tail: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    let choose: f64 = (0..k).map(|i| ln((n - i) as f64) - ln((i + 1) as f64)).sum();
    // Tail probabilities decrease in p; at p = k/n the tail is about 1/2 or more.
    let (mut low, mut high) = (k as f64 / n as f64, 1.0);
    for _ in 0..64 {
        let p = 0.5 * (low + high);
        if tail_at(k, n, p, choose) > tail { low = p } else { high = p }
    }
    0.5 * (low + high)
}

/// `P(Binomial(n, p) <= k)` for `k/n < p < 1`, where the terms decrease downwards from `k`.
fn tail_at(k: u64, n: u64, p: f64, choose: f64) -> f64 {
    let mut term = exp(choose + k as f64 * ln(p) + (n - k) as f64 * ln(1.0 - p));
    let mut sum = term;
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64 * ((1.0 - p) / p);
        if term < 1e-18 * sum {
            break;
        }
        sum += term;
    }
    sum
}

/// Errors of a network on a sample, evaluated in f64.
///
/// One output and labels `±1`: an error where `y f(x) < 0`, or where `f(x)` is NaN. Several outputs and classes: an error unless
/// the label's output is strictly the largest. Errors: inputs or labels that do not fit.
pub fn error_rate(mlp: &Mlp, sample: &Sample) -> Result<Observed<ErrorRate>, LabError> {
    if sample.dim() != mlp.inputs() || sample.labels().len() != sample.len() {
        return Err(LabError::Shape(format!(
            "expected points of dimension {} with one label each, found dimension {} and {} labels for {} points",
            mlp.inputs(),
            sample.dim(),
            sample.labels().len(),
            sample.len()
        )));
    }
    let outputs = mlp.outputs();
    let mut errors = 0;
    for (values, &label) in mlp.evaluate(sample.inputs())?.chunks_exact(outputs).zip(sample.labels()) {
        let correct = match values {
            [value] if label == 1.0 => *value >= 0.0,
            [value] if label == -1.0 => *value <= 0.0,
            [_] => return Err(LabError::Shape(format!("expected labels 1 and -1 for one output, found {label}"))),
            _ => {
                let class = label as usize;
                match values.get(class) {
                    Some(own) if class as f64 == label => {
                        values.iter().enumerate().all(|(c, value)| c == class || value < own)
                    }
                    _ => {
                        return Err(LabError::Shape(format!("expected classes 0 to {}, found {label}", outputs - 1)));
                    }
                }
            }
        };
        errors += u64::from(!correct);
    }
    Ok(Observed::new(ErrorRate { errors, points: sample.len() as u64 }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::net::Activation;

    #[test]
    fn clopper_pearson() {
        // No error in n: the upper limit is 1 - (tail)^(1/n), here 1 - 0.025^(1/10) = 0.30850 (closed form).
        let (low, high) = ErrorRate { errors: 0, points: 10 }.interval(0.95).unwrap();
        assert_eq!(low, 0.0);
        assert!((high - (1.0 - 0.025f64.powf(0.1))).abs() < 1e-12);
        // One-sided at delta = 0.01 with 9 errors in 1000: 0.018692 (computed apart, by exact binomial sums).
        let (_, high) = ErrorRate { errors: 9, points: 1000 }.interval(0.98).unwrap();
        assert!((high - 0.018_692).abs() < 1e-6, "{high}");
        let (low, high) = ErrorRate { errors: 10, points: 10 }.interval(0.95).unwrap();
        assert!((low - 0.025f64.powf(0.1)).abs() < 1e-12);
        assert_eq!(high, 1.0);
        assert!(ErrorRate { errors: 0, points: 10 }.interval(1.0).is_err());
        assert!(ErrorRate { errors: 0, points: 10 }.interval(f64::NAN).is_err());
    }

    #[test]
    fn ties_and_labels() {
        let linear = |outputs: usize, weights: Vec<f64>| {
            Mlp::new(vec![1, outputs], Activation::Relu, vec![weights], vec![vec![0.0; outputs]]).unwrap()
        };
        let errors = |mlp: &Mlp, inputs: Vec<f64>, labels: Vec<f64>| {
            error_rate(mlp, &Sample::new(inputs, 1, labels).unwrap()).map(|rate| rate.value().errors)
        };
        let sign = linear(1, vec![1.0]);
        // A real output of 0 is no error for either label; a multiclass tie is one.
        assert_eq!(errors(&sign, vec![0.0, 0.0, 2.0, -1.0], vec![1.0, -1.0, -1.0, -1.0]), Ok(1));
        let two = linear(2, vec![1.0, -1.0]);
        assert_eq!(errors(&two, vec![0.0, 1.0, 1.0], vec![0.0, 0.0, 1.0]), Ok(2));
        assert!(errors(&sign, vec![0.0], vec![0.0]).is_err());
        assert!(errors(&two, vec![0.0], vec![2.0]).is_err());
        assert!(errors(&two, vec![0.0], vec![0.5]).is_err());
        assert!(errors(&two, vec![0.0], vec![-1.0]).is_err());
    }
}
