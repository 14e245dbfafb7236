//! How far an input may move before a classifier's decision changes. Trust: kernel.
//!
//! A network with several outputs decides for the strictly largest one, a network with one output for class 1 where it is at
//! least 0 (class 0 elsewhere). Write `m_j = f_y - f_j` (or `f`, `-f`) for the margins of class `y`. If `m_j` has the Lipschitz
//! constant `L_j` from a norm and `m_j(x) > L_j r` for every other class `j`, then `m_j > 0` on the closed ball of radius `r` around
//! `x`, so every point there is decided as `y`. Hence the decision holds at least up to `min_j m_j(x) / L_j`.

use super::dyadic::{Dyadic, sqrt_above};
use super::lower::{enclosed_outputs, norm_squared};
use super::sdp::{Multipliers, certify};
use super::system::{Affine, System, combine};
use super::{LipError, Norm, Norms, Witness, check_upper, possible};
use crate::kernel::net::{Network, Weight};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

/// What bounds the constants of the margins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Semidefinite multipliers for `f_i - f_j`, `i < j`, in this order; for one output those of the output itself.
    Pairs(Vec<Multipliers>),
    /// A bound `L` of the network: a margin has at most the constant `sqrt(2) L` for l2 outputs, `2 L` for linf.
    Whole(Box<Witness>),
}

/// A classifier with constants of all its margins.
pub struct Classifier {
    system: System,
    norm: Norm,
    /// The square of the constant of `f_i - f_j`, symmetric; one entry for a single output.
    squares: Vec<Vec<Dyadic>>,
}

/// The differences `f_i - f_j`, `i < j`, as outputs; a single output stands for itself.
pub fn margins(system: &System) -> Result<System, LipError> {
    let outputs = &system.outputs;
    let mut margins: Vec<Affine> = Vec::new();
    for (i, a) in outputs.iter().enumerate() {
        for b in outputs.iter().skip(i + 1) {
            margins.push(combine(&[(Dyadic::ONE, a), (Dyadic::integer(-1), b)], &Dyadic::ZERO)?);
        }
    }
    if outputs.len() == 1 {
        margins.clone_from(outputs);
    }
    Ok(System { outputs: margins, ..system.clone() })
}

impl Classifier {
    /// Errors: a certificate that proves nothing.
    pub fn new(network: &Network, norm: Norm, certificate: &Certificate) -> Result<Classifier, LipError> {
        let system = System::new(network)?;
        let outputs = system.outputs.len();
        let mut squares = vec![vec![Dyadic::ZERO; outputs]; outputs];
        match certificate {
            Certificate::Pairs(multipliers) => {
                let margins = margins(&system)?;
                if multipliers.len() != margins.outputs.len() {
                    let expected = format!("{} certificates", margins.outputs.len());
                    return Err(LipError::shape(&expected, &multipliers.len().to_string()));
                }
                let slopes = possible(&system, None)?;
                let norms = Norms { input: norm, output: Norm::L2 };
                let pairs = (0..outputs).flat_map(|i| (i + 1..outputs.max(2)).map(move |j| (i, j % outputs)));
                for (k, ((i, j), multipliers)) in pairs.zip(multipliers).enumerate() {
                    certify(&margins, &slopes, k..k + 1, multipliers)?;
                    let square = norms.weight(multipliers, system.inputs);
                    squares[i][j] = square.clone();
                    squares[j][i] = square;
                }
            }
            Certificate::Whole(witness) => {
                let norms = match norm {
                    Norm::L1 | Norm::L2 => Norms::L2,
                    Norm::Linf => Norms::LINF,
                };
                // |f_i - f_j| <= sqrt(2) |f|_2 and <= 2 |f|_inf; |x|_2 <= |x|_1 makes the l2 constant one for l1 inputs.
                let factor = match (outputs, norm) {
                    (1, _) => 0,
                    (_, Norm::L1 | Norm::L2) => 1,
                    (_, Norm::Linf) => 2,
                };
                let square = Dyadic::above(&check_upper(network, norms, None, witness)?, 128).scaled(factor);
                squares = vec![vec![square; outputs]; outputs];
            }
        }
        Ok(Classifier { system, norm, squares })
    }

    /// Lower bounds of the margins of class `label` at a point, with the squares of their constants. `None`: no such class.
    fn margins(&self, point: &[BigRational], label: usize) -> Result<Option<Vec<(BigRational, &Dyadic)>>, LipError> {
        let outputs = enclosed_outputs(&self.system, point)?;
        if let [(low, high)] = outputs.as_slice() {
            let margin = if label == 1 { low.clone() } else { -high };
            let square = self.squares.first().and_then(|row| row.first());
            return Ok(square.filter(|_| label < 2).map(|square| vec![(margin, square)]));
        }
        let (Some((low, _)), Some(squares)) = (outputs.get(label), self.squares.get(label)) else { return Ok(None) };
        let others = outputs.iter().zip(squares).enumerate().filter(|(j, _)| *j != label);
        Ok(Some(others.map(|(_, ((_, high), square))| (low - high, square)).collect()))
    }

    /// Whether every point within `radius` of this one is proved to be decided as `label`.
    pub fn is_robust(&self, point: &[BigRational], label: usize, radius: &BigRational) -> Result<bool, LipError> {
        let Some(margins) = self.margins(point, label)? else { return Ok(false) };
        let square = radius * radius;
        Ok(!margins.is_empty()
            && margins
                .iter()
                .all(|(margin, constant)| margin.is_positive() && margin * margin > constant.to_rational() * &square))
    }

    /// A lower bound of the distance from a point to one that is not decided as `label`; zero when the point itself is not proved to
    /// be. `None`: a constant network, which no distance changes.
    pub fn radius(&self, point: &[BigRational], label: usize) -> Result<Option<BigRational>, LipError> {
        let Some(margins) = self.margins(point, label)? else { return Ok(Some(BigRational::zero())) };
        let mut least: Option<BigRational> = None;
        for (margin, square) in margins {
            if !margin.is_positive() {
                return Ok(Some(BigRational::zero()));
            }
            if square.is_zero() {
                continue;
            }
            let radius = margin / sqrt_above(&square.to_rational(), 64).to_rational();
            least = Some(least.map_or(radius.clone(), |least| least.min(radius)));
        }
        Ok(least)
    }

    pub fn norm(&self) -> Norm {
        self.norm
    }
}

/// Whether a point is certainly not decided as `label`.
pub fn is_decided_otherwise(system: &System, point: &[BigRational], label: usize) -> Result<bool, LipError> {
    let outputs = enclosed_outputs(system, point)?;
    if let [(low, high)] = outputs.as_slice() {
        return Ok(if label == 1 { high.is_negative() } else { label != 0 || !low.is_negative() });
    }
    let Some((_, high)) = outputs.get(label) else { return Ok(true) };
    // A tie decides for no class.
    Ok(outputs.iter().enumerate().any(|(j, (low, _))| j != label && low >= high))
}

/// The square of the distance between two points.
pub fn distance_squared(norm: Norm, a: &[BigRational], b: &[BigRational]) -> BigRational {
    let step: Vec<BigRational> = a.iter().zip(b).map(|(x, y)| x - y).collect();
    norm_squared(norm, &step)
}

/// The exact inputs of an example.
pub fn point(values: &[Weight], scale: &BigRational) -> Vec<BigRational> {
    let exact = |w: &Weight| {
        let power = BigRational::from_integer(BigInt::from(1) << w.exponent.unsigned_abs());
        let mantissa = BigRational::from_integer(w.mantissa.into());
        if w.exponent < 0 { mantissa / power } else { mantissa * power }
    };
    values.iter().map(|w| exact(w) * scale).collect()
}
