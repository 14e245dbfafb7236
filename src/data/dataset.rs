//! Data sets: exact inputs, labels, and parts. Trust: checked.
//!
//! A byte `u` of an image stands for a real number, and programs disagree on which: the quotient `u / scale`, or that quotient
//! rounded to float32 (what PyTorch feeds to a network; for scale 255 the two differ for 254 of 256 values). The data set says
//! which; numbers of other files are exact as stored.

use super::error::{DataError, DataErrorKind, Result, malformed, missing, near};
use super::file::{Contents, DATA_BYTES, Folder, Sha256Hash, compare_hash};
use super::idx::{Idx, gunzip, read_idx};
use super::npy::{Array, Numbers, read_npy, read_npz};
use super::{csv, number};
use crate::kernel::net::Weight;
use num_rational::BigRational;
use num_traits::{One, ToPrimitive};
use std::collections::BTreeMap;

/// What a byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteValue {
    /// The rational `u / scale`.
    Quotient { scale: u16 },
    /// `u / scale` rounded to the nearest float32.
    Float32 { scale: u16 },
}

impl ByteValue {
    pub fn rational(self, byte: u8) -> BigRational {
        match self {
            ByteValue::Quotient { scale } => BigRational::new(byte.into(), scale.max(1).into()),
            ByteValue::Float32 { .. } => self.dyadic(byte).map(number::to_rational).unwrap_or_default(),
        }
    }

    /// The value as a dyadic number, if it is one.
    pub fn dyadic(self, byte: u8) -> Option<Weight> {
        match self {
            ByteValue::Quotient { scale } if scale.is_power_of_two() => {
                number::dyadic(i64::from(byte), -i32::try_from(scale.trailing_zeros()).ok()?)
            }
            ByteValue::Quotient { scale } => {
                let quotient = u16::from(byte).checked_div(scale)?;
                (u16::from(byte) % scale == 0).then(|| number::from_integer(i64::from(quotient)))
            }
            // IEEE 754 division of two exactly represented integers is correctly rounded on every platform.
            ByteValue::Float32 { scale } => number::from_f32(f32::from(byte) / f32::from(scale.max(1))),
        }
    }
}

/// The inputs of all examples, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs {
    Bytes { bytes: Vec<u8>, value: ByteValue },
    Dyadic(Vec<Weight>),
    Rational(Vec<BigRational>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    Classes(Vec<u32>),
    /// `-1` or `1`.
    Signs(Vec<i8>),
    Real(Vec<BigRational>),
}

impl Labels {
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes(labels) => labels.len(),
            Labels::Signs(labels) => labels.len(),
            Labels::Real(labels) => labels.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Examples with labels; see the module's page for what the numbers mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The name in the spec.
    pub name: String,
    /// Number of examples.
    pub len: usize,
    /// Shape of one input: `[n]`, or `[channels, height, width]`.
    pub shape: Vec<usize>,
    pub inputs: Inputs,
    pub labels: Option<Labels>,
    /// Names of the input columns of a table.
    pub columns: Vec<String>,
    /// Named parts, such as `train` and `test`, as indices of examples.
    pub parts: BTreeMap<String, Vec<usize>>,
    /// Every file that was read, with its hash.
    pub sources: Vec<(String, Sha256Hash)>,
}

/// How to read a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What bytes mean.
    pub bytes: ByteValue,
    /// The column of a table that holds the label; the last one otherwise.
    pub label: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options { bytes: ByteValue::Float32 { scale: 255 }, label: None }
    }
}

impl Dataset {
    /// Numbers in one input.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The input of one example, exactly.
    pub fn row(&self, row: usize) -> Option<Vec<BigRational>> {
        let range = self.range(row)?;
        Some(match &self.inputs {
            Inputs::Bytes { bytes, value } => bytes.get(range)?.iter().map(|&byte| value.rational(byte)).collect(),
            Inputs::Dyadic(weights) => weights.get(range)?.iter().map(|&weight| number::to_rational(weight)).collect(),
            Inputs::Rational(rationals) => rationals.get(range)?.to_vec(),
        })
    }

    /// The input of one example, if every number of it is dyadic.
    pub fn row_dyadic(&self, row: usize) -> Option<Vec<Weight>> {
        let range = self.range(row)?;
        match &self.inputs {
            Inputs::Bytes { bytes, value } => bytes.get(range)?.iter().map(|&byte| value.dyadic(byte)).collect(),
            Inputs::Dyadic(weights) => Some(weights.get(range)?.to_vec()),
            Inputs::Rational(_) => None,
        }
    }

    fn range(&self, row: usize) -> Option<std::ops::Range<usize>> {
        if row >= self.len {
            return None;
        }
        let begin = row.checked_mul(self.width())?;
        Some(begin..begin.checked_add(self.width())?)
    }

    /// One hash for the whole set: of the only file, or of the lines `hash  name` of all files, sorted by name.
    pub fn sha256(&self) -> Sha256Hash {
        match self.sources.as_slice() {
            [(_, hash)] => *hash,
            sources => {
                let mut sorted: Vec<&(String, Sha256Hash)> = sources.iter().collect();
                sorted.sort();
                let lines: String = sorted.iter().map(|(name, hash)| format!("{hash}  {name}\n")).collect();
                Sha256Hash::of(lines.as_bytes())
            }
        }
    }

    /// Errors: the labels are not classes below `classes`; the first that is not is named with its row.
    pub fn check_classes(&self, classes: u32) -> Result<&[u32]> {
        let result = match &self.labels {
            Some(Labels::Classes(labels)) => match labels.iter().position(|&label| label >= classes) {
                None => return Ok(labels),
                Some(row) => {
                    let found = labels.get(row).copied().unwrap_or(0);
                    malformed(format!("label of row {row}"), format!("a class below {classes}"), found)
                }
            },
            Some(_) => malformed("labels", "classes 0, 1, ...", "other numbers"),
            None => malformed("labels", "classes 0, 1, ...", "no labels"),
        };
        result.map_err(|error: DataError| error.named(&self.name))
    }

    /// A named part. Errors: none of that name.
    pub fn part(&self, name: &str) -> Result<Dataset> {
        match self.parts.get(name) {
            Some(indices) => self.select(indices),
            None => missing(format!("part `{name}`"), near(name, self.parts.keys().map(String::as_str)))
                .map_err(|error: DataError| error.named(&self.name)),
        }
    }

    /// The examples at `indices`, in that order. Errors: an index that is no example, or occurs twice.
    pub fn select(&self, indices: &[usize]) -> Result<Dataset> {
        check_indices(indices, self.len).map_err(|error| error.named(&self.name))?;
        let width = self.width();
        let inputs = match &self.inputs {
            Inputs::Bytes { bytes, value } => Inputs::Bytes { bytes: rows(bytes, width, indices), value: *value },
            Inputs::Dyadic(weights) => Inputs::Dyadic(rows(weights, width, indices)),
            Inputs::Rational(rationals) => Inputs::Rational(rows(rationals, width, indices)),
        };
        let labels = self.labels.as_ref().map(|labels| match labels {
            Labels::Classes(labels) => Labels::Classes(rows(labels, 1, indices)),
            Labels::Signs(labels) => Labels::Signs(rows(labels, 1, indices)),
            Labels::Real(labels) => Labels::Real(rows(labels, 1, indices)),
        });
        Ok(Dataset {
            name: self.name.clone(),
            len: indices.len(),
            shape: self.shape.clone(),
            inputs,
            labels,
            columns: self.columns.clone(),
            parts: BTreeMap::new(),
            sources: self.sources.clone(),
        })
    }
}

fn rows<T: Clone>(values: &[T], width: usize, indices: &[usize]) -> Vec<T> {
    let row = |&index: &usize| values.get(index.saturating_mul(width)..index.saturating_add(1).saturating_mul(width));
    indices.iter().filter_map(row).flatten().cloned().collect()
}

fn check_indices(indices: &[usize], len: usize) -> Result<()> {
    let mut seen = vec![false; len];
    for (line, &index) in indices.iter().enumerate() {
        match seen.get_mut(index) {
            Some(slot) if !*slot => *slot = true,
            Some(_) => return malformed(format!("index {}", line + 1), "each example once", format!("{index} again")),
            None => return malformed(format!("index {}", line + 1), format!("an example below {len}"), index),
        }
    }
    Ok(())
}

/// Reads a file of indices, one a line, into examples of a set of `len`.
pub fn read_indices(folder: &Folder, name: &str, len: usize) -> Result<(Vec<usize>, Sha256Hash)> {
    let contents = folder.read(name, DATA_BYTES)?;
    let parse = || {
        let text = String::from_utf8_lossy(&contents.bytes);
        let mut indices = Vec::new();
        for (i, line) in text.lines().enumerate() {
            match line.trim().parse::<usize>() {
                Ok(index) => indices.push(index),
                Err(_) => return malformed(format!("line {}", i + 1), "one index", format!("`{line}`")),
            }
        }
        check_indices(&indices, len)?;
        Ok(indices)
    };
    match parse() {
        Ok(indices) => Ok((indices, contents.sha256)),
        Err(error) => Err(error.named(name)),
    }
}

/// Reads a data set: a `.npz`, `.npy`, `.csv` or IDX file, the common beginning `data/digits` of IDX files
/// `data/digits-images.idx3-ubyte`, `-labels.idx1-ubyte`, `-train.txt` and `-test.txt`, the same with `-others` for a file
/// `data/digits-others.idx1-ubyte` of other labels, or a folder with the files of MNIST.
///
/// Errors: see [`DataErrorKind`]; `sha256` is compared with [`Dataset::sha256`].
pub fn load(folder: &Folder, name: &str, options: &Options, sha256: Option<&str>) -> Result<Dataset> {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
    let set =
        if plain.ends_with(".npz") || plain.ends_with(".npy") || plain.ends_with(".csv") || plain.ends_with("ubyte") {
            let contents = folder.read(name, DATA_BYTES)?;
            read(&contents, options)?
        } else {
            load_idx_family(folder, name, options)?
        };
    if let Some(expected) = sha256 {
        compare_hash(name, set.sha256(), expected)?;
    }
    Ok(set)
}

/// Reads a data set that is one file; the format is told by the ending of its name.
pub fn read(contents: &Contents, options: &Options) -> Result<Dataset> {
    let lower = contents.name.to_ascii_lowercase();
    let parse = || {
        let unzipped;
        let (bytes, plain) = match lower.strip_suffix(".gz") {
            Some(plain) => {
                unzipped = gunzip(&contents.bytes)?;
                (&unzipped, plain)
            }
            None => (&contents.bytes, lower.as_str()),
        };
        if plain.ends_with(".npz") {
            from_arrays(read_npz(bytes)?, options)
        } else if plain.ends_with(".npy") {
            from_arrays(BTreeMap::from([("x".to_string(), read_npy("x", bytes)?)]), options)
        } else if plain.ends_with(".csv") {
            from_table(&csv::read_csv(bytes)?, options)
        } else {
            from_idx(read_idx(bytes)?, None, options)
        }
    };
    match parse() {
        Ok(set) => {
            Ok(Dataset { name: contents.name.clone(), sources: vec![(contents.name.clone(), contents.sha256)], ..set })
        }
        Err(error) => Err(error.named(&contents.name)),
    }
}

fn from_idx(images: Idx, labels: Option<Idx>, options: &Options) -> Result<Dataset> {
    let Some((&len, shape)) = images.shape.split_first() else {
        return malformed("images", "at least one axis", "none");
    };
    let shape = match shape {
        [height, width] => vec![1, *height, *width],
        shape => vec![shape.iter().product::<usize>().max(1)],
    };
    if let Some(labels) = &labels
        && labels.shape != [len]
    {
        return malformed("labels", format!("{len} labels for {len} examples"), format!("shape {:?}", labels.shape));
    }
    let labels = labels.map(|labels| Labels::Classes(labels.bytes.iter().map(|&label| u32::from(label)).collect()));
    finish(len, shape, Inputs::Bytes { bytes: images.bytes, value: options.bytes }, labels, Vec::new())
}

fn finish(
    len: usize,
    shape: Vec<usize>,
    inputs: Inputs,
    labels: Option<Labels>,
    columns: Vec<String>,
) -> Result<Dataset> {
    if len == 0 || shape.contains(&0) {
        return malformed(
            "data set",
            "at least one example and one number",
            format!("{len} examples of shape {shape:?}"),
        );
    }
    let (name, parts, sources) = (String::new(), BTreeMap::new(), Vec::new());
    Ok(Dataset { name, len, shape, inputs, labels, columns, parts, sources })
}

fn from_table(table: &csv::Table, options: &Options) -> Result<Dataset> {
    let label = match &options.label {
        Some(name) => table.column(name)?,
        None => table.columns.len().saturating_sub(1),
    };
    let inputs: Vec<usize> = (0..table.columns.len()).filter(|&column| column != label).collect();
    let mut values = Vec::with_capacity(inputs.len().saturating_mul(table.rows.len()));
    let mut labels = Vec::with_capacity(table.rows.len());
    for row in 0..table.rows.len() {
        for &column in &inputs {
            values.push(table.number(row, column)?.clone());
        }
        labels.push(table.number(row, label)?.clone());
    }
    let columns = inputs.iter().filter_map(|&column| table.columns.get(column).cloned()).collect();
    finish(table.rows.len(), vec![inputs.len()], Inputs::Rational(values), Some(classify(labels)), columns)
}

/// Signs if every label is -1 or 1 (and some is -1), classes if every one is a small integer from 0, else real numbers.
fn classify(labels: Vec<BigRational>) -> Labels {
    let one = BigRational::one();
    let sign = |label: &BigRational| {
        if *label == one {
            Some(1)
        } else if *label == -one.clone() {
            Some(-1)
        } else {
            None
        }
    };
    if let Some(signs) = labels.iter().map(sign).collect::<Option<Vec<i8>>>().filter(|signs| signs.contains(&-1)) {
        return Labels::Signs(signs);
    }
    let class = |label: &BigRational| if label.is_integer() { label.numer().to_u32() } else { None };
    match labels.iter().map(class).collect() {
        Some(classes) => Labels::Classes(classes),
        None => Labels::Real(labels),
    }
}

/// Names of inputs and labels in archives, the first pair whose inputs are there.
const ARRAYS: [(&str, &str); 7] = [
    ("x", "y"),
    ("X", "y"),
    ("images", "labels"),
    ("inputs", "labels"),
    ("data", "target"),
    ("x_test", "y_test"),
    ("X_test", "y_test"),
];

/// Arrays `x_train`, `y_train`, `x_test`, `y_test`, or one of the pairs of [`ARRAYS`].
fn from_arrays(mut arrays: BTreeMap<String, Array>, options: &Options) -> Result<Dataset> {
    if arrays.contains_key("x_train") {
        let x_train = take(&mut arrays, "x_train")?;
        let train = pair(x_train, arrays.remove("y_train"), options)?;
        let x_test = take(&mut arrays, "x_test")?;
        let test = pair(x_test, arrays.remove("y_test"), options)?;
        return join(train, test);
    }
    for (inputs, labels) in ARRAYS {
        if let Some(x) = arrays.remove(inputs) {
            return pair(x, arrays.remove(labels), options);
        }
    }
    let names: Vec<String> = arrays.keys().map(|name| format!("`{name}`")).collect();
    malformed("archive", "an array `x` of inputs and an array `y` of labels", names.join(", "))
}

fn take(arrays: &mut BTreeMap<String, Array>, name: &str) -> Result<Array> {
    match arrays.remove(name) {
        Some(array) => Ok(array),
        None => missing(format!("array `{name}`"), near(name, arrays.keys().map(String::as_str))),
    }
}

fn pair(x: Array, y: Option<Array>, options: &Options) -> Result<Dataset> {
    let Some((&len, shape)) = x.shape.split_first() else {
        return malformed("array `x`", "at least one axis", "a scalar");
    };
    let shape = match shape {
        [channels, height, width] => vec![*channels, *height, *width],
        [height, width] => vec![1, *height, *width],
        shape => vec![shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis)).unwrap_or(0)],
    };
    let labels = match y {
        None => None,
        Some(Array { shape, numbers }) => {
            let count = shape.iter().try_fold(1usize, |size, &axis| size.checked_mul(axis));
            if shape.first() != Some(&len) || count != Some(len) {
                return malformed("array `y`", format!("{len} labels for {len} examples"), format!("shape {shape:?}"));
            }
            let labels = match numbers {
                Numbers::Bytes(bytes) => Labels::Classes(bytes.into_iter().map(u32::from).collect()),
                Numbers::Dyadic(weights) => classify(weights.into_iter().map(number::to_rational).collect()),
            };
            Some(labels)
        }
    };
    let inputs = match x.numbers {
        Numbers::Bytes(bytes) => Inputs::Bytes { bytes, value: options.bytes },
        Numbers::Dyadic(weights) => Inputs::Dyadic(weights),
    };
    finish(len, shape, inputs, labels, Vec::new())
}

/// Two sets in one, with parts `train` and `test`.
fn join(train: Dataset, test: Dataset) -> Result<Dataset> {
    let different = || malformed("test set", "inputs and labels like those of the train set", "others");
    if train.shape != test.shape {
        return different();
    }
    let len = train.len.saturating_add(test.len);
    let inputs = match (train.inputs, test.inputs) {
        (Inputs::Bytes { mut bytes, value }, Inputs::Bytes { bytes: more, .. }) => {
            bytes.extend(more);
            Inputs::Bytes { bytes, value }
        }
        (Inputs::Dyadic(mut weights), Inputs::Dyadic(more)) => {
            weights.extend(more);
            Inputs::Dyadic(weights)
        }
        _ => return different(),
    };
    let labels = match (train.labels, test.labels) {
        (None, None) => None,
        (Some(Labels::Classes(mut labels)), Some(Labels::Classes(more))) => {
            labels.extend(more);
            Some(Labels::Classes(labels))
        }
        (Some(Labels::Signs(mut labels)), Some(Labels::Signs(more))) => {
            labels.extend(more);
            Some(Labels::Signs(labels))
        }
        (Some(Labels::Real(mut labels)), Some(Labels::Real(more))) => {
            labels.extend(more);
            Some(Labels::Real(labels))
        }
        _ => return different(),
    };
    let set = finish(len, train.shape, inputs, labels, Vec::new())?;
    let parts = [("train".to_string(), (0..train.len).collect()), ("test".to_string(), (train.len..len).collect())];
    Ok(Dataset { parts: BTreeMap::from(parts), ..set })
}

/// The IDX files that begin with `name`, or those of MNIST in the folder `name`.
fn load_idx_family(folder: &Folder, name: &str, options: &Options) -> Result<Dataset> {
    let find = |candidates: &[String]| -> Option<String> {
        let with_gz = candidates.iter().flat_map(|file| [file.clone(), format!("{file}.gz")]);
        with_gz.into_iter().find(|file| folder.has(file))
    };
    let mut sources = Vec::new();
    let mut load_pair = |images: &str, labels: &str| -> Result<Dataset> {
        let contents = folder.read(images, DATA_BYTES)?;
        sources.push((images.to_string(), contents.sha256));
        let pixels = read_idx(&contents.bytes).map_err(|error| error.named(images))?;
        let contents = folder.read(labels, DATA_BYTES)?;
        sources.push((labels.to_string(), contents.sha256));
        let classes = read_idx(&contents.bytes).map_err(|error| error.named(labels))?;
        from_idx(pixels, Some(classes), options).map_err(|error| error.named(labels))
    };
    // Other labels for the images of a family: `data/mnist10k-randomlabels` goes with `data/mnist10k`.
    let relabelled = find(&[format!("{name}.idx1-ubyte")]).zip(name.rsplit_once('-'));
    let (whole, other, name) = match relabelled {
        Some((labels, (family, _))) => (name, Some(labels), family),
        None => (name, None, name),
    };
    let stem = |kind: &str, rank: usize| {
        vec![format!("{name}-{kind}.idx{rank}-ubyte"), format!("{name}-{kind}-idx{rank}-ubyte")]
    };
    if let Some(images) = find(&stem("images", 3)) {
        let own = || find(&stem("labels", 1)).unwrap_or_else(|| format!("{name}-labels.idx1-ubyte"));
        let labels = other.unwrap_or_else(own);
        let mut set = load_pair(&images, &labels)?;
        let mut used = vec![false; set.len];
        for part in ["train", "test"] {
            let file = format!("{name}-{part}.txt");
            if !folder.has(&file) {
                continue;
            }
            let (indices, hash) = read_indices(folder, &file, set.len)?;
            for &index in &indices {
                if let Some(slot) = used.get_mut(index)
                    && std::mem::replace(slot, true)
                {
                    return malformed("parts", "disjoint parts", format!("example {index} in both"))
                        .map_err(|error: DataError| error.named(&file));
                }
            }
            set.parts.insert(part.to_string(), indices);
            sources.push((file, hash));
        }
        return Ok(Dataset { name: whole.to_string(), sources, ..set });
    }
    let inside = |kind: &str, rank: usize, part: &str| {
        vec![format!("{name}/{part}-{kind}-idx{rank}-ubyte"), format!("{name}/{part}-{kind}.idx{rank}-ubyte")]
    };
    let family = |part: &str| Some((find(&inside("images", 3, part))?, find(&inside("labels", 1, part))?));
    if let (Some(train), Some(test)) = (family("train"), family("t10k")) {
        let train = load_pair(&train.0, &train.1)?;
        let test = load_pair(&test.0, &test.1)?;
        let set = join(train, test).map_err(|error| error.named(name))?;
        return Ok(Dataset { name: name.to_string(), sources, ..set });
    }
    // The error of reading the name itself tells what is there instead.
    match folder.read(name, DATA_BYTES) {
        Err(error) if matches!(error.kind, DataErrorKind::Missing { .. } | DataErrorKind::Limit { .. }) => Err(error),
        Err(error) if !error.to_string().contains("found a folder") => Err(error),
        _ => missing(
            "a `.npz`, `.npy`, `.csv` or IDX file, or the files `-images.idx3-ubyte` and `-labels.idx1-ubyte` of a set",
            Vec::new(),
        )
        .map_err(|error: DataError| error.named(name)),
    }
}
