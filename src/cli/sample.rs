//! Samples of a spec: generated or read, split, and handed to the kernel exactly and to the laboratory as floats.

use crate::data::dataset::{self, ByteValue, Dataset, Inputs, Labels, Options};
use crate::data::file::Folder;
use crate::data::{DataError, DataErrorKind, number};
use crate::kernel::gradient::GradientMap;
use crate::kernel::net::Weight;
use crate::kernel::object::{Examples, Origin};
use crate::kernel::readout::pixel;
use crate::lab::random::{Random, Stream};
use crate::lab::{self, LabError};
use crate::model::{Generator, Part, TrainOptions};
use crate::report::view::FileView;
use num_bigint::BigInt;
use num_integer::Integer;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};
use std::sync::Arc;

/// A sample with exact inputs.
#[derive(Clone)]
pub struct Data {
    pub examples: Arc<Examples>,
    pub classes: u32,
    pub origin: Origin,
    pub description: String,
}

#[derive(Debug)]
pub enum SplitError {
    Data(DataError),
    TooMany { expected: usize, found: usize },
}

impl Data {
    pub fn len(&self) -> usize {
        self.examples.labels.len()
    }

    fn select(&self, indices: &[usize], origin: Origin) -> Data {
        let d = self.examples.dimension;
        let values = indices.iter().flat_map(|&i| self.examples.values[i * d..(i + 1) * d].iter().copied()).collect();
        let labels = indices.iter().map(|&i| self.examples.labels[i]).collect();
        let examples = Examples { dimension: d, values, scale: self.examples.scale.clone(), labels };
        Data { examples: Arc::new(examples), classes: self.classes, origin, description: String::new() }
    }

    /// Floats for the laboratory, the inputs themselves or their features, with distorted copies where the options ask for them: labels are
    /// -1 and 1 for the logistic and squared losses of two classes. Errors: inputs that are no square images where they have to be.
    pub fn for_training(&self, options: &TrainOptions, features: Option<GradientMap>) -> Result<lab::Sample, LabError> {
        let Examples { dimension, values, scale, labels } = &*self.examples;
        let unit = scale.to_f64().unwrap_or(1.0);
        let float = |w: &Weight| w.mantissa as f64 * f64::from(w.exponent).exp2() * unit;
        let inputs: Vec<f64> = match features {
            None => values.iter().map(float).collect(),
            Some(_) => values.iter().map(|weight| f64::from(pixel(weight, scale))).collect(),
        };
        let inputs = match options.distort {
            0 => inputs,
            copies => lab::with_distorted(&inputs, *dimension, copies, options.seed)?,
        };
        let (inputs, width) = match features {
            None => (inputs, *dimension),
            Some(map) => (lab::features_of(&inputs, *dimension, map)?, map.features()),
        };
        let is_signed = self.classes == 2 && options.loss != "cross_entropy";
        let label = |label: &u32| if is_signed { 2.0 * f64::from(*label) - 1.0 } else { f64::from(*label) };
        let labels: Vec<f64> = labels.iter().map(label).collect();
        lab::Sample::new(inputs, width, labels.repeat(options.distort + 1))
    }
}

/// Draws a generated sample. Errors: parameters out of range.
pub fn generate(generator: &Generator) -> Result<Data, LabError> {
    let Generator::TwoMoons { n, noise, seed } = generator;
    let sample = lab::two_moons(*n, noise.to_f64().unwrap_or(0.0), *seed)?;
    let values = sample.inputs().iter().map(|x| number::from_f64(*x)).collect::<Option<Vec<Weight>>>();
    let values = values.ok_or_else(|| LabError::Shape("expected finite inputs, found an infinite one".to_string()))?;
    let labels = sample.labels().iter().map(|y| u32::from(*y > 0.0)).collect();
    let examples = Examples { dimension: sample.dim(), values, scale: BigRational::one(), labels };
    Ok(Data {
        examples: Arc::new(examples),
        classes: 2,
        origin: Origin::Generated("two_moons".to_string()),
        description: format!("two moons, {n} points, noise {noise}, seed {seed}"),
    })
}

type Loaded = (Data, Vec<FileView>, Vec<(String, Data)>);

/// Reads a data set and its named parts. Errors: see [`DataErrorKind`].
pub fn load(folder: &Folder, path: &str, sha256: Option<&str>) -> Result<Loaded, DataError> {
    let mut set = dataset::load(folder, path, &Options::default(), sha256)?;
    // A file of small pixel values (digits: 0 to 16) is scaled by its largest value's natural unit, 16; others by 255.
    if let Inputs::Bytes { bytes, value } = &mut set.inputs
        && bytes.iter().all(|byte| *byte <= 16)
    {
        *value = ByteValue::Float32 { scale: 16 };
    }
    let files =
        set.sources.iter().map(|(name, hash)| FileView { path: name.clone(), sha256: hash.to_string() }).collect();
    let whole = convert(&set)?;
    let mut parts = Vec::new();
    for (name, indices) in &set.parts {
        parts.push((name.clone(), whole.select(indices, Origin::File)));
    }
    Ok((whole, files, parts))
}

fn convert(set: &Dataset) -> Result<Data, DataError> {
    let malformed = |expected: &str, found: String| {
        DataError::new(
            &set.name,
            DataErrorKind::Malformed { at: "labels".to_string(), expected: expected.to_string(), found },
        )
    };
    let labels: Vec<u32> = match &set.labels {
        Some(Labels::Classes(labels)) => labels.clone(),
        Some(Labels::Signs(signs)) => signs.iter().map(|sign| u32::from(*sign > 0)).collect(),
        Some(Labels::Real(_)) => return Err(malformed("classes 0, 1, ... or signs", "real numbers".to_string())),
        None => return Err(malformed("a label for every example", "none".to_string())),
    };
    let classes = match &set.labels {
        Some(Labels::Signs(_)) => 2,
        _ => labels.iter().max().map_or(2, |most| most.saturating_add(1)).max(2),
    };
    let (values, scale) = match &set.inputs {
        Inputs::Rational(rationals) => common_scale(rationals)
            .ok_or_else(|| malformed("inputs with a common denominator below 2^40", "finer decimals".to_string()))?,
        Inputs::Dyadic(weights) => (weights.clone(), BigRational::one()),
        Inputs::Bytes { bytes, value } => {
            match bytes.iter().map(|byte| value.dyadic(*byte)).collect::<Option<Vec<_>>>() {
                Some(values) => (values, BigRational::one()),
                None => {
                    let unit = value.rational(1);
                    let values = bytes.iter().map(|byte| Weight { mantissa: i64::from(*byte), exponent: 0 }).collect();
                    (values, unit)
                }
            }
        }
    };
    let examples = Examples { dimension: set.width(), values, scale, labels };
    Ok(Data {
        examples: Arc::new(examples),
        classes,
        origin: Origin::File,
        description: format!("{} examples of {} numbers, {classes} classes   {}", set.len, set.width(), set.name),
    })
}

/// All rationals as integers times one scale.
fn common_scale(rationals: &[BigRational]) -> Option<(Vec<Weight>, BigRational)> {
    let mut denominator = BigInt::one();
    for q in rationals {
        denominator = denominator.lcm(q.denom());
        if denominator.bits() > 40 {
            return None;
        }
    }
    let scale = BigRational::new(BigInt::one(), denominator.clone());
    let integer = |q: &BigRational| {
        let mantissa = (q.numer() * (&denominator / q.denom())).to_i64()?;
        Some(Weight { mantissa, exponent: 0 })
    };
    Some((rationals.iter().map(integer).collect::<Option<_>>()?, scale))
}

type Split = (Vec<(String, Data)>, Vec<FileView>);

/// The parts of a split, in order. Errors: more examples asked for than there are, an index file that does not fit.
pub fn split(
    data: &Data,
    permutation: Option<u64>,
    parts: &[(String, Part)],
    folder: &Folder,
) -> Result<Split, SplitError> {
    let mut order: Vec<usize> = (0..data.len()).collect();
    if let Some(seed) = permutation {
        Random::new(seed, Stream::Other(0)).shuffle(&mut order);
    }
    let mut files = Vec::new();
    let mut split = Vec::new();
    let mut used = vec![false; data.len()];
    let mut next = 0;
    for (name, part) in parts {
        let (indices, origin) = match part {
            Part::Next(n) => {
                let end = next + n;
                if end > order.len() {
                    return Err(SplitError::TooMany { expected: end, found: order.len() });
                }
                let indices = order[next..end].to_vec();
                next = end;
                // A part by position of a file is no random part: the file may be sorted.
                let is_sorted = data.origin == Origin::File && permutation.is_none();
                (indices, if is_sorted { Origin::SortedFilePart } else { data.origin.clone() })
            }
            Part::Indices(path) => {
                let (indices, hash) = dataset::read_indices(folder, path, data.len()).map_err(SplitError::Data)?;
                files.push(FileView { path: path.clone(), sha256: hash.to_string() });
                (indices, data.origin.clone())
            }
        };
        for &i in &indices {
            if std::mem::replace(&mut used[i], true) {
                let kind = DataErrorKind::Malformed {
                    at: format!("part `{name}`"),
                    expected: "examples of no other part".to_string(),
                    found: format!("example {i} again"),
                };
                return Err(SplitError::Data(DataError::new(name, kind)));
            }
        }
        split.push((name.clone(), data.select(&indices, origin)));
    }
    Ok((split, files))
}
