//! From a resolved spec to the kernel's objects: files are read and hashed, samples drawn and split, networks trained.

use super::sample::{self, Data};
use crate::data::file::{Folder, NETWORK_BYTES};
use crate::data::{DataError, assemble, onnx, safetensors, select, word};
use crate::kernel::lipschitz::Dyadic;
use crate::kernel::net::{Architecture, Network};
use crate::kernel::object::{
    Assumption, AssumptionKind, Dependence, Domain, Entry, NetObject, Noise, Object, Objects, Origin, Sample,
};
use crate::kernel::structure::Structure;
use crate::lab::{self, LabError, Mlp};
use crate::model::{
    Declaration, DeclarationKind, Generator, Layout, Spec, TrainOptions, describe_architecture, describe_domain,
};
use crate::point;
use crate::report::view::{FileView, SettingView, TrainingView};
use crate::text::{Diagnostic, Source, Span};
use num_rational::BigRational;
use num_traits::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Everything the claims speak of, and what the report says of it.
pub struct Session {
    pub objects: Objects,
    pub setting: Vec<SettingView>,
    pub files: Vec<FileView>,
    pub training: Vec<TrainingView>,
    samples: BTreeMap<String, Data>,
    /// Which data set a generator and seed, or a file of this hash, has been read into.
    origins: BTreeMap<String, String>,
    /// Parts of every split sample, and whether they cover it.
    splits: BTreeMap<String, (Vec<String>, bool)>,
}

/// Endings of checkpoints that other programs write, where reading would run their code or guess, and of files that hold no network.
const FOREIGN: [&str; 16] = [
    "pt", "pth", "ckpt", "pkl", "pickle", "h5", "keras", "pb", "tflite", "mat", "nnet", "gguf", "npz", "npy", "csv",
    "spec",
];

/// A diagnostic for a file that could not be used.
fn data_problem(error: &DataError, span: Span) -> Diagnostic {
    if error.is_limit() {
        Diagnostic::limit("E0503", error.to_string()).at(span, "")
    } else if error.is_unsupported() {
        Diagnostic::data("E0501", error.to_string()).at(span, "")
    } else {
        Diagnostic::data("E0502", error.to_string()).at(span, "")
    }
}

fn lab_problem(error: &LabError, span: Span) -> Diagnostic {
    match error {
        LabError::TooLarge(_) => Diagnostic::limit("E0123", error.to_string()).at(span, ""),
        _ => Diagnostic::error("E0127", error.to_string()).at(span, ""),
    }
}

impl Session {
    /// Builds all objects. Errors: the first declaration that cannot be carried out.
    pub fn build(spec: &Spec, folder: &Folder, source: &Source) -> Result<Session, Diagnostic> {
        let mut session = Session {
            objects: Objects { definitions: spec.definitions.clone(), ..Objects::proposing(point::propose) },
            setting: Vec::new(),
            files: Vec::new(),
            training: Vec::new(),
            samples: BTreeMap::new(),
            origins: BTreeMap::new(),
            splits: BTreeMap::new(),
        };
        // Splits come first: what a sample's atoms are depends on all of them.
        for declaration in &spec.declarations {
            session.declare(declaration, folder, source)?;
        }
        session.settle_atoms();
        for declaration in &spec.declarations {
            if let DeclarationKind::TimeSeries(sample) = &declaration.kind {
                session.order_in_time(sample);
            }
        }
        Ok(session)
    }

    fn insert(&mut self, name: &str, object: Object, dependence: Dependence) {
        self.objects.entries.insert(name.to_string(), Entry { object, dependence });
    }

    fn describe(&mut self, name: &str, text: String) {
        self.setting.push(SettingView { name: name.to_string(), text });
    }

    fn declare(&mut self, declaration: &Declaration, folder: &Folder, source: &Source) -> Result<(), Diagnostic> {
        let (name, span) = (declaration.name.as_str(), declaration.span);
        let nothing = || Dependence::Known(BTreeSet::new());
        match &declaration.kind {
            DeclarationKind::Domain(domain) => {
                self.describe(name, describe_domain(domain));
                self.insert(name, Object::Domain(domain.clone()), nothing());
            }
            DeclarationKind::Around { sample, index, radius, norm } => {
                let domain = self.around(sample, *index, radius, norm).map_err(|error| error.at(span, ""))?;
                let dimension = domain.dimension().unwrap_or(0);
                self.describe(
                    name,
                    format!("ball of radius {radius} in {norm}, dimension {dimension}, around {sample}[{index}]"),
                );
                // It speaks of the example.
                self.insert(name, Object::Domain(domain), Dependence::Known(BTreeSet::from([sample.clone()])));
            }
            DeclarationKind::Architecture(architecture) => {
                // Members of families have their arguments in their names; they need no line of their own.
                if !name.contains('(') {
                    self.describe(name, network_line(architecture));
                }
                self.insert(name, class_object(architecture, Vec::new()), nothing());
            }
            DeclarationKind::Class { base, constraints, text } => {
                let Some(architecture) = self.objects.net(base).map(|net| net.architecture.clone()) else {
                    return Err(
                        Diagnostic::error("E0131", format!("expected an architecture, found `{base}`")).at(span, "")
                    );
                };
                self.describe(name, text.clone());
                self.insert(name, class_object(&architecture, constraints.clone()), nothing());
            }
            DeclarationKind::NetworkFile { path, layout } => {
                let network = self.network_file(path, layout.as_ref(), folder, span)?;
                let architecture = network.architecture().clone();
                self.describe(name, format!("{}   {path}", network_line(&architecture)));
                // The class of all networks of the file's architecture; why it was chosen is not known.
                let class = format!("architecture({name})");
                self.insert(&class, class_object(&architecture, Vec::new()), Dependence::Unknown);
                self.insert(name, net_object(network), Dependence::Unknown);
            }
            DeclarationKind::Output { network: base, index } => {
                let entry = self.objects.entries.get(base);
                let dependence = entry.map_or(Dependence::Unknown, |entry| entry.dependence.clone());
                let Some(network) = self.objects.net(base).and_then(|net| net.network.clone()) else {
                    return Err(Diagnostic::error("E0131", format!("expected a network with weights, found `{base}`"))
                        .at(span, ""));
                };
                let network = select::output(&network, *index)
                    .map_err(|error| Diagnostic::error("E0122", error.message).at(span, ""))?;
                let architecture = network.architecture().clone();
                self.describe(name, format!("{}   output {index} of {base}", network_line(&architecture)));
                let class = format!("architecture({name})");
                self.insert(&class, class_object(&architecture, Vec::new()), Dependence::Unknown);
                self.insert(name, net_object(network), dependence);
            }
            DeclarationKind::Generated(generator) => {
                let Generator::TwoMoons { seed, .. } = generator;
                self.claim_origin(format!("two_moons with seed {seed}"), name, span)?;
                let data = sample::generate(generator).map_err(|error| lab_problem(&error, span))?;
                self.describe(name, data.description.clone());
                self.add_sample(name, data);
            }
            DeclarationKind::DataFile { path, sha256 } => {
                let (data, sources, parts) =
                    sample::load(folder, path, sha256.as_deref()).map_err(|e| data_problem(&e, span))?;
                for file in &sources {
                    self.claim_origin(format!("the file {} (SHA-256)", file.sha256), name, span)?;
                }
                self.files.extend(sources);
                self.describe(name, data.description.clone());
                let covers = parts.iter().map(|(_, part)| part.len()).sum::<usize>() == data.len();
                let mut names = Vec::new();
                for (part, part_data) in parts {
                    let part = format!("{name}.{part}");
                    self.add_sample(&part, part_data);
                    names.push(part);
                }
                if !names.is_empty() {
                    self.splits.insert(name.to_string(), (names, covers));
                }
                self.add_sample(name, data);
            }
            DeclarationKind::Split { parent, permutation, parts } => {
                let Some(data) = self.samples.get(parent) else {
                    return Err(
                        Diagnostic::error("E0131", format!("expected a data set, found `{parent}`")).at(span, "")
                    );
                };
                if self.splits.contains_key(parent) {
                    return Err(
                        Diagnostic::error("E0129", format!("`{parent}` is split twice")).at(span, "split again here")
                    );
                }
                let (split, sources) =
                    sample::split(data, *permutation, parts, folder).map_err(|error| match error {
                        sample::SplitError::Data(error) => data_problem(&error, span),
                        sample::SplitError::TooMany { expected, found } => Diagnostic::error(
                            "E0126",
                            format!("expected parts of at most {found} examples together, found {expected}"),
                        )
                        .at(span, format!("`{parent}` has {found}")),
                    })?;
                self.files.extend(sources);
                let covers = split.iter().map(|(_, data)| data.len()).sum::<usize>() == data.len();
                self.splits.insert(parent.clone(), (split.iter().map(|(name, _)| name.clone()).collect(), covers));
                for (part, data) in split {
                    self.add_sample(&part, data);
                }
            }
            // Once all parts are known: `order_in_time`.
            DeclarationKind::TimeSeries(_) => {}
            DeclarationKind::Assumption(kind) => {
                if let AssumptionKind::Supported { sample, domain } = kind {
                    self.not_contradicted(sample, domain, span)?;
                }
                let assumption = Assumption { name: name.to_string(), kind: kind.clone() };
                self.objects.assumptions.push(assumption);
            }
            DeclarationKind::Law(law) => {
                if self.objects.net(&law.mean).is_none_or(|net| net.network.is_none()) {
                    return Err(Diagnostic::error(
                        "E0430",
                        format!("expected a network with weights as the mean, found `{}`", law.mean),
                    )
                    .at(span, "")
                    .help("a mean is a network from a file or a trained one, not an architecture"));
                }
                let noise = match law.noise {
                    Noise::All => "all layers",
                    Noise::LastLayer => "the last layer",
                };
                self.describe(
                    name,
                    format!("{} with Gaussian noise of variance {} in {noise}", law.mean, law.variance),
                );
                let dependence = self.objects.entries.get(&law.mean).map(|entry| entry.dependence.clone());
                self.insert(name, Object::Law(law.clone()), dependence.unwrap_or(Dependence::Unknown));
            }
            DeclarationKind::Train { architecture, data, options } => {
                self.train(name, architecture, data, options, span, source)?;
            }
        }
        Ok(())
    }

    /// Two data sets from one source share examples, so neither is fresh for what depends on the other.
    /// Errors: the source was used before.
    fn claim_origin(&mut self, origin: String, name: &str, span: Span) -> Result<(), Diagnostic> {
        match self.origins.get(&origin) {
            Some(first) if first != name => Err(Diagnostic::error(
                "E0138",
                format!("expected a source of its own for `{name}`, found that of `{first}`"),
            )
            .at(span, format!("{origin} again"))
            .help(format!("split `{first}` into parts, or draw with another seed"))),
            _ => {
                self.origins.insert(origin, name.to_string());
                Ok(())
            }
        }
    }

    /// A ball around an example.
    fn around(&self, sample: &str, index: usize, radius: &BigRational, norm: &str) -> Result<Domain, Diagnostic> {
        let examples = self.objects.sample(sample).and_then(|sample| sample.examples.clone());
        let Some(examples) = examples else {
            return Err(Diagnostic::error("E0124", format!("expected a data set with examples, found `{sample}`")));
        };
        let count = examples.labels.len();
        let row = index.checked_mul(examples.dimension).and_then(|start| examples.values.get(start..));
        let Some(row) = row.filter(|_| index < count).and_then(|row| row.get(..examples.dimension)) else {
            return Err(Diagnostic::error("E0124", format!("expected an example below {count}, found {index}"))
                .help("examples count from 0"));
        };
        let center = row.iter().map(|x| Dyadic::from(x).to_rational() * &examples.scale).collect();
        let dimension = examples.dimension as u128;
        Ok(Domain::Ball { dimension, radius: radius.clone(), norm: norm.to_string(), center: Some(center) })
    }

    fn add_sample(&mut self, name: &str, data: Data) {
        let atoms = BTreeSet::from([name.to_string()]);
        let object = Sample {
            size: data.len(),
            atoms: atoms.clone(),
            origin: data.origin.clone(),
            classes: data.classes,
            examples: Some(data.examples.clone()),
        };
        self.insert(name, Object::Sample(object), Dependence::Known(atoms));
        self.samples.insert(name.to_string(), data);
    }

    /// An input outside a domain contradicts the assumption that all are inside with probability 1. Nothing is proved by the test, so it is in
    /// floating point, with a margin.
    fn not_contradicted(&self, sample: &str, domain: &str, span: Span) -> Result<(), Diagnostic> {
        let examples = self.objects.sample(sample).and_then(|sample| sample.examples.as_ref());
        let set = self.objects.entries.get(domain).map(|entry| &entry.object);
        let (Some(examples), Some(Object::Domain(set))) = (examples, set) else { return Ok(()) };
        let scale = examples.scale.to_f64().unwrap_or(f64::NAN);
        let rows = examples.values.chunks(examples.dimension.max(1));
        for (number, row) in rows.enumerate() {
            let x: Vec<f64> =
                row.iter().map(|w| w.mantissa as f64 * 2f64.powi(i32::from(w.exponent)) * scale).collect();
            let (excess, unit) = outside(set, &x);
            if excess > 1e-9 * unit {
                let title =
                    format!("`{sample}` contradicts the assumption: example {} is outside `{domain}`", number + 1);
                return Err(Diagnostic::error("E0431", title).at(span, "").help("declare a larger domain"));
            }
        }
        Ok(())
    }

    /// A split sample consists of the atoms of its parts, and of a rest where the parts do not cover it.
    fn settle_atoms(&mut self) {
        let names: Vec<String> = self.samples.keys().cloned().collect();
        let atoms: BTreeMap<String, BTreeSet<String>> =
            names.iter().map(|name| (name.clone(), self.atoms(name, 0))).collect();
        let expand = |set: &BTreeSet<String>| -> BTreeSet<String> {
            set.iter()
                .flat_map(|name| atoms.get(name).cloned().unwrap_or_else(|| BTreeSet::from([name.clone()])))
                .collect()
        };
        for entry in self.objects.entries.values_mut() {
            if let Object::Sample(sample) = &mut entry.object {
                sample.atoms = expand(&sample.atoms);
            }
            if let Dependence::Known(set) = &mut entry.dependence {
                *set = expand(set);
            }
        }
        for assumption in &mut self.objects.assumptions {
            if let AssumptionKind::DependsOn { atoms: set, .. } = &mut assumption.kind {
                *set = expand(set);
            }
        }
    }

    /// A sample whose examples depend on each other, with all of its parts and all that it is part of.
    fn order_in_time(&mut self, name: &str) {
        let Some(declared) = self.objects.sample(name).map(|sample| sample.atoms.clone()) else { return };
        for entry in self.objects.entries.values_mut() {
            if let Object::Sample(sample) = &mut entry.object
                && !sample.atoms.is_disjoint(&declared)
            {
                sample.origin = Origin::TimeSeries;
            }
        }
    }

    fn atoms(&self, name: &str, depth: usize) -> BTreeSet<String> {
        match self.splits.get(name) {
            Some((parts, covers)) if depth < 64 => {
                let mut atoms: BTreeSet<String> = parts.iter().flat_map(|part| self.atoms(part, depth + 1)).collect();
                if !covers {
                    atoms.insert(format!("{name}.rest"));
                }
                atoms
            }
            _ => BTreeSet::from([name.to_string()]),
        }
    }

    fn network_file(
        &mut self,
        path: &str,
        layout: Option<&Layout>,
        folder: &Folder,
        span: Span,
    ) -> Result<Network, Diagnostic> {
        let problem = |error: DataError| data_problem(&error, span);
        let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if FOREIGN.contains(&ending.as_str()) {
            let title = format!("{path}: expected an ONNX or safetensors file, found the ending `.{ending}`");
            return Err(Diagnostic::data("E0502", title).at(span, "").help(
                "export the network: `torch.onnx.export(model, example, \"model.onnx\")`, or save its tensors: \
                 `safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")`",
            ));
        }
        let contents = folder.read(path, NETWORK_BYTES).map_err(problem)?;
        self.files.push(FileView { path: path.to_string(), sha256: contents.sha256.to_string() });
        if path.to_ascii_lowercase().ends_with(".onnx") {
            let beside = folder.beside(path).map_err(problem)?;
            let import = onnx::read(&contents, Some(&beside)).map_err(problem)?;
            for (name, hash) in &import.external {
                self.files.push(FileView { path: name.clone(), sha256: hash.to_string() });
            }
            return Ok(import.network);
        }
        if path.to_ascii_lowercase().ends_with(".word") {
            let readout = word::read(&contents).map_err(problem)?;
            return readout.network().map_err(|error| Diagnostic::data("E0502", error.to_string()).at(span, ""));
        }
        let tensors = safetensors::read(&contents).map_err(problem)?;
        match layout {
            Some(Layout::As(architecture)) => assemble::assemble(architecture, &tensors).map_err(problem),
            Some(Layout::Like(other)) => match self.objects.net(other) {
                Some(net) => assemble::assemble_like(&net.architecture, &tensors).map_err(problem),
                None => Err(Diagnostic::error("E0131", format!("expected a network, found `{other}`")).at(span, "")),
            },
            None => {
                let chain = assemble::proposed_chain(&tensors).unwrap_or_else(|| "784 -> 256 -> 10".to_string());
                let title = format!("{path}: expected a layout, found a file of tensors without one");
                Err(Diagnostic::data("E0502", title).at(span, "").help(format!("write `as {chain} relu`, or `like f`")))
            }
        }
    }

    fn train(
        &mut self,
        name: &str,
        architecture: &str,
        data: &str,
        options: &TrainOptions,
        span: Span,
        source: &Source,
    ) -> Result<(), Diagnostic> {
        let problem = |error: LabError| lab_problem(&error, span);
        let (Some(net), Some(sample)) = (self.objects.net(architecture), self.samples.get(data)) else {
            return Err(Diagnostic::error("E0127", "expected an architecture and a data set").at(span, ""));
        };
        let features = net.architecture.after_features();
        let chain = features.as_ref().map_or(&net.architecture, |(_, chain)| chain);
        let (sizes, activation) = Mlp::chain_of(chain).map_err(problem)?;
        let map = features.as_ref().map(|(map, _)| *map);
        let points = sample.for_training(options, map).map_err(problem)?;
        let loss = match options.loss.as_str() {
            "squared" => lab::Loss::Squared,
            "cross_entropy" => lab::Loss::CrossEntropy,
            _ => lab::Loss::Logistic,
        };
        let float = |q: &num_rational::BigRational| q.to_f64().unwrap_or(f64::NAN);
        let optimizer = match options.optimizer.as_str() {
            "adam" => lab::Optimizer::Adam,
            _ => lab::Optimizer::Sgd { momentum: float(&options.momentum) },
        };
        let train_options = lab::TrainOptions {
            loss,
            optimizer,
            lr: float(&options.learning_rate),
            epochs: options.epochs,
            batch: options.batch,
            seed: options.seed,
            weight_decay: float(&options.weight_decay),
            decay: options.decay,
            ..lab::TrainOptions::default()
        };
        let mut bar = lab::progress::TrainingBar::new(name, options.epochs);
        let trained = lab::train(&sizes, &activation, &train_options, &points, &mut |epoch, loss| {
            bar.epoch(epoch, loss);
            if crate::quantity::interrupt::is_requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        drop(bar);
        let network = trained.and_then(|mlp| mlp.to_network()).map_err(problem)?;
        let network = match map {
            Some(map) => lab::with_features(&network, map, &net.architecture.input).map_err(problem)?,
            None => network,
        };
        let text = format!("{architecture} on {data}, {} epochs, seed {}", options.epochs, options.seed);
        let line = source.position(span.start).line;
        self.training.push(TrainingView { name: name.to_string(), text, sha256: weights_hash(&network), line });
        // The sample enters as it is named; its atoms are filled in when all splits are known.
        self.insert(name, net_object(network), Dependence::Known(BTreeSet::from([data.to_string()])));
        Ok(())
    }
}

fn class_object(architecture: &Architecture, constraints: Vec<crate::kernel::object::Constraint>) -> Object {
    Object::Net(NetObject { architecture: architecture.clone(), network: None, constraints })
}

fn net_object(network: Network) -> Object {
    let architecture = network.architecture().clone();
    Object::Net(NetObject { architecture, network: Some(Arc::new(network)), constraints: Vec::new() })
}

fn network_line(architecture: &Architecture) -> String {
    let chain = describe_architecture(architecture);
    let shape = chain.unwrap_or_else(|| format!("{} layers on {:?}", architecture.nodes.len(), architecture.input));
    match Structure::of(architecture) {
        Ok(structure) => format!("{shape}   {} parameters", crate::report::decimal::grouped(&structure.params)),
        Err(_) => shape,
    }
}

/// SHA-256 over all parameters in order, as mantissa and exponent.
fn weights_hash(network: &Network) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    for parameters in network.parameters().iter().flatten() {
        for tensor in [Some(&parameters.weight), parameters.bias.as_ref()].into_iter().flatten() {
            for weight in tensor.data.iter() {
                hasher.update(weight.mantissa.to_le_bytes());
                hasher.update(weight.exponent.to_le_bytes());
            }
        }
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// By how much a point is outside a domain, and what that is to be measured by.
fn outside(domain: &Domain, x: &[f64]) -> (f64, f64) {
    let float = |q: &BigRational| q.to_f64().unwrap_or(f64::NAN);
    match domain {
        Domain::Box(runs) => {
            let sides = runs.iter().flat_map(|(count, low, high)| {
                let count = usize::try_from(*count).unwrap_or(x.len()).min(x.len());
                std::iter::repeat_n((float(low), float(high)), count)
            });
            let excess =
                x.iter().zip(sides).map(|(t, (low, high))| ((low - t).max(t - high), 1.0 + low.abs().max(high.abs())));
            excess.fold(
                (0.0, 1.0),
                |worst: (f64, f64), next| if next.0 * worst.1 > worst.0 * next.1 { next } else { worst },
            )
        }
        Domain::Ball { radius, norm, center, .. } => {
            let center = center.as_ref().map(|c| c.iter().map(float).collect::<Vec<f64>>());
            let moduli = x.iter().enumerate().map(|(i, t)| (t - center.as_ref().map_or(0.0, |c| c[i])).abs());
            let length = match norm.as_str() {
                "l1" => moduli.sum::<f64>(),
                "l2" => moduli.map(|t| t * t).sum::<f64>().sqrt(),
                _ => moduli.fold(0.0, f64::max),
            };
            (length - float(radius), 1.0 + float(radius))
        }
    }
}
