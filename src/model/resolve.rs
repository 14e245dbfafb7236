//! From the tree to the model, item by item.

use super::names::{Family, NameKind, Names};
use super::{Declaration, DeclarationKind, Item, ItemKind, Layout, Spec};
use super::{class, domain, law, network, sample, statement};
use crate::kernel::object::AssumptionKind;
use crate::kernel::structure::Structure;
use crate::kernel::term::Definition;
use crate::syntax::ast::{self, Assumption, DataSource, NetworkBody, PropKind};
use crate::syntax::lower;
use crate::text::{Diagnostic, Source, Span, did_you_mean};
use num_rational::BigRational;
use num_traits::{One, Signed};
use std::collections::BTreeSet;

/// Resolves a parsed spec. Every item gets its meaning or a diagnostic.
pub fn resolve(file: &ast::File, source: &Source) -> (Spec, Names, Vec<Diagnostic>) {
    let mut resolver = Resolver { source, names: Names::default(), spec: Spec::default(), samples: BTreeSet::new() };
    let mut diagnostics = Vec::new();
    for item in &file.items {
        if let Err(diagnostic) = resolver.item(item) {
            diagnostics.push(diagnostic);
        }
    }
    let names = resolver.names;
    let mut spec = resolver.spec;
    // Members of families that statements mention are objects like any other.
    for (name, architecture) in names.instances.take() {
        let span =
            names.declared.get(name.split('(').next().unwrap_or_default()).map_or(Span::new(0, 0), |(_, span)| *span);
        spec.declarations.push(Declaration { name, span, kind: DeclarationKind::Architecture(architecture) });
    }
    spec.definitions = names.definitions.clone();
    let has_statement = file.items.iter().any(|item| {
        matches!(
            item.kind,
            ast::ItemKind::Claim(_) | ast::ItemKind::Expect(_) | ast::ItemKind::Bounds(_) | ast::ItemKind::Measure(_)
        )
    });
    if !has_statement {
        diagnostics.push(
            Diagnostic::error("E0136", "expected at least one claim, expect, measure or bounds, found none")
                .help("a spec without a claim proves nothing: write `claim size : params(f) = 337`"),
        );
    }
    (spec, names, diagnostics)
}

struct Resolver<'s> {
    source: &'s Source,
    names: Names,
    spec: Spec,
    /// Names of samples and of their parts.
    samples: BTreeSet<String>,
}

fn unsupported(what: &str, span: Span, works: &str) -> Diagnostic {
    Diagnostic::error("E0900", format!("{what} is not supported yet")).at(span, "").help(format!("what works: {works}"))
}

impl Resolver<'_> {
    fn push(&mut self, name: &str, span: Span, kind: DeclarationKind) {
        self.spec.declarations.push(Declaration { name: name.to_string(), span, kind });
    }

    fn item(&mut self, item: &ast::Item) -> Result<(), Diagnostic> {
        match &item.kind {
            ast::ItemKind::Spec(title) => {
                if self.spec.title.replace(title.text.clone()).is_some() {
                    return Err(Diagnostic::error("E0129", "expected one `spec` title").at(item.span, "a second title"));
                }
                Ok(())
            }
            ast::ItemKind::Confidence(expr) => self.confidence(expr),
            ast::ItemKind::Let(item) => self.definition(item),
            ast::ItemKind::Param(param) => Err(unsupported(
                "a symbolic parameter",
                param.name.span,
                "`let w = 16`, network families `network f(m) = 10 -> m -> 1 relu`, and `forall m in 1..20`",
            )),
            ast::ItemKind::Domain(item) => {
                self.names.declare(&item.name.name, NameKind::Domain, item.name.span)?;
                let domain = domain::domain(&self.names, &item.value)?;
                self.names.domains.insert(item.name.name.clone(), domain.clone());
                self.push(&item.name.name, item.name.span, DeclarationKind::Domain(domain));
                Ok(())
            }
            ast::ItemKind::Network(network) => self.network(network),
            ast::ItemKind::Class(item) => self.class(item),
            ast::ItemKind::Data(data) => self.data(data),
            ast::ItemKind::Split(split) => self.split(split),
            ast::ItemKind::Assume(assume) => self.assume(assume),
            ast::ItemKind::Train(train) => self.train(train),
            ast::ItemKind::Measure(item) => {
                self.names.declare(&item.name.name, NameKind::Statement, item.name.span)?;
                let term = statement::term(&self.names, &item.value)?;
                self.statement(&item.name.name, item.name.span, item.value.span, ItemKind::Measure(term));
                Ok(())
            }
            ast::ItemKind::Claim(claim) => {
                let (name, span) = self.named(claim.name.as_ref(), "claim", item.span)?;
                let resolved = statement::claim(&self.names, claim)?;
                self.statement(&name, span, claim.prop.span, ItemKind::Claim(Box::new(resolved)));
                Ok(())
            }
            ast::ItemKind::Expect(expect) => {
                let (name, span) = self.named(expect.name.as_ref(), "expect", item.span)?;
                let formula = statement::formula(&self.names, &expect.prop)?;
                self.statement(&name, span, expect.prop.span, ItemKind::Expect(formula));
                Ok(())
            }
            ast::ItemKind::Bounds(bounds) => {
                self.names.declare(&bounds.name.name, NameKind::Statement, bounds.name.span)?;
                let target = statement::term(&self.names, &bounds.target)?;
                let methods =
                    bounds.methods.iter().map(|call| statement::method(&self.names, call)).collect::<Result<_, _>>()?;
                self.statement(
                    &bounds.name.name,
                    bounds.name.span,
                    bounds.target.span,
                    ItemKind::Bounds { target, methods },
                );
                Ok(())
            }
            ast::ItemKind::Theorem(theorem) => {
                self.names.declare(&theorem.name.name, NameKind::Theorem, theorem.name.span)?;
                self.spec.theorems.push((**theorem).clone());
                Ok(())
            }
            ast::ItemKind::Table(table) => {
                let table = statement::table(&self.names, table, item.span)?;
                self.spec.tables.push(table);
                Ok(())
            }
            ast::ItemKind::Use(_) => {
                Err(unsupported("`use`", item.span, "`--theory my.thm` for theorems; one spec per file"))
            }
            ast::ItemKind::Semantics(name) if name.name == "real" => Ok(()),
            ast::ItemKind::Semantics(name) => Err(unsupported(
                &format!("the semantics `{}`", name.name),
                item.span,
                "the exact real function of the stored weights (`semantics real`, the default)",
            )),
            ast::ItemKind::Posterior(item) | ast::ItemKind::Prior(item) => {
                self.names.declare(&item.name.name, NameKind::Law, item.name.span)?;
                let law = law::law(&self.names, &item.value)?;
                self.push(&item.name.name, item.name.span, DeclarationKind::Law(law));
                Ok(())
            }
            ast::ItemKind::Simulate(_) => {
                Err(unsupported("`simulate`", item.span, "`train` with `expect` and `measure` on one network"))
            }
            ast::ItemKind::Plot(_) => Err(unsupported("`plot`", item.span, "`table`")),
        }
    }

    fn statement(&mut self, name: &str, span: Span, text: Span, kind: ItemKind) {
        let text = self.source.slice(text).split_whitespace().collect::<Vec<_>>().join(" ");
        self.spec.items.push(Item { name: name.to_string(), span, text, kind });
    }

    fn named(&mut self, name: Option<&ast::Ident>, kind: &str, span: Span) -> Result<(String, Span), Diagnostic> {
        match name {
            Some(ident) => {
                self.names.declare(&ident.name, NameKind::Statement, ident.span)?;
                Ok((ident.name.clone(), ident.span))
            }
            None => Ok((format!("{kind}{}", self.spec.items.len() + 1), span)),
        }
    }

    fn confidence(&mut self, expr: &ast::Expr) -> Result<(), Diagnostic> {
        let confidence = self.names.rational(expr)?;
        if !confidence.is_positive() || confidence >= BigRational::one() {
            return Err(Diagnostic::error(
                "E0132",
                format!("expected a confidence strictly between 0 and 1, found {confidence}"),
            )
            .at(expr.span, ""));
        }
        if self.spec.budget.replace(BigRational::one() - confidence).is_some() {
            return Err(Diagnostic::error("E0129", "expected one `confidence`").at(expr.span, "a second one"));
        }
        Ok(())
    }

    fn definition(&mut self, item: &ast::Let) -> Result<(), Diagnostic> {
        // The body sees earlier definitions only: the name itself is not yet one of them.
        let parameters: Vec<String> = item.params.iter().map(|p| p.name.clone()).collect();
        let body = lower::term_with(&item.value, &self.names, &parameters)?;
        self.names.declare(&item.name.name, NameKind::Definition, item.name.span)?;
        self.names.definitions.insert(item.name.name.clone(), Definition { parameters, body });
        Ok(())
    }

    fn network(&mut self, item: &ast::Network) -> Result<(), Diagnostic> {
        let name = item.name.name.clone();
        self.names.declare(&name, NameKind::Net, item.name.span)?;
        if let Some(option) = item.options.first() {
            return Err(unsupported(
                &format!("the network option `{}`", option.key.name),
                option.key.span,
                "the standard parameterization, all layers trained",
            ));
        }
        if !item.params.is_empty() {
            let NetworkBody::Chain(chain) = &item.body else {
                return Err(unsupported(
                    "a family of networks other than chains",
                    item.name.span,
                    "`network f(m) = 10 -> m -> 1 relu`",
                ));
            };
            let parameters = item.params.iter().map(|p| p.name.clone()).collect();
            self.names.families.insert(name, Family { parameters, chain: chain.clone() });
            return Ok(());
        }
        let kind = match &item.body {
            NetworkBody::Chain(chain) => DeclarationKind::Architecture(network::chain(&self.names, chain)?),
            NetworkBody::Layers(layers) => {
                DeclarationKind::Architecture(network::block(&self.names, layers, item.name.span)?)
            }
            NetworkBody::File { path, layout } => {
                let layout = match layout {
                    None => None,
                    Some(ast::Layout::As(chain)) => Some(Layout::As(network::chain(&self.names, chain)?)),
                    Some(ast::Layout::Like(other)) => {
                        self.expect_kind(&other.name, NameKind::Net, other.span)?;
                        Some(Layout::Like(other.name.clone()))
                    }
                };
                DeclarationKind::NetworkFile { path: path.text.clone(), layout }
            }
            NetworkBody::Formula(expr) => {
                return Err(unsupported(
                    "a network given by a formula",
                    expr.span,
                    "chains (`2 -> 16 -> 1 relu`), layer blocks and files",
                ));
            }
        };
        if let DeclarationKind::Architecture(architecture) = &kind {
            self.names.architectures.insert(name.clone(), architecture.clone());
        }
        self.push(&name, item.name.span, kind);
        Ok(())
    }

    fn expect_kind(&self, name: &str, kind: NameKind, span: Span) -> Result<(), Diagnostic> {
        if self.names.kind(name) == Some(kind) || (kind == NameKind::Sample && self.names.is_part_of_file(name)) {
            return Ok(());
        }
        let what = match kind {
            NameKind::Net => "a network or class",
            NameKind::Sample => "a data set",
            _ => "another name",
        };
        let mut diagnostic = Diagnostic::error("E0131", format!("expected {what}, found `{name}`")).at(span, "");
        let known: Vec<&str> =
            self.names.declared.iter().filter(|(_, (k, _))| *k == kind).map(|(name, _)| name.as_str()).collect();
        if let Some(near) = did_you_mean(name, known) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        }
        Err(diagnostic)
    }

    fn class(&mut self, item: &ast::Class) -> Result<(), Diagnostic> {
        let name = &item.name.name;
        self.names.declare(name, NameKind::Net, item.name.span)?;
        if !item.params.is_empty() {
            return Err(unsupported("a family of classes", item.name.span, "a class for one network"));
        }
        let base = self.names.dotted(&item.base)?;
        self.expect_kind(&base, NameKind::Net, item.base.span)?;
        let Some(architecture) = self.names.architectures.get(&base) else {
            return Err(Diagnostic::error("E0125", format!("expected an architecture, found `{base}`"))
                .at(item.base.span, "a class ranges over the weights of an architecture written in the spec"));
        };
        let structure = Structure::of(architecture)
            .map_err(|error| Diagnostic::error("E0122", error.to_string()).at(item.base.span, ""))?;
        let Some(layers) = &structure.chain else {
            return Err(unsupported(
                "a class of networks other than chains",
                item.base.span,
                "chains such as `2 -> 16 -> 1 relu`",
            ));
        };
        let constraints = class::constraints(&self.names, item, layers.len())?;
        self.names.architectures.insert(name.clone(), architecture.clone());
        self.push(name, item.name.span, DeclarationKind::Class { base, constraints });
        Ok(())
    }

    fn data(&mut self, item: &ast::Data) -> Result<(), Diagnostic> {
        let name = &item.name.name;
        self.names.declare(name, NameKind::Sample, item.name.span)?;
        self.samples.insert(name.clone());
        if let DataSource::File { .. } = &item.source {
            self.names.data_files.insert(name.clone());
        }
        let kind = match &item.source {
            DataSource::Generated(expr) => DeclarationKind::Generated(sample::generator(&self.names, expr)?),
            DataSource::File { path, sha256 } => DeclarationKind::DataFile {
                path: path.text.clone(),
                sha256: sha256.as_ref().map(|text| text.text.clone()),
            },
        };
        self.push(name, item.name.span, kind);
        Ok(())
    }

    fn split(&mut self, item: &ast::Split) -> Result<(), Diagnostic> {
        let (parent, permutation) = sample::parent(&self.names, &item.data)?;
        self.expect_kind(&parent, NameKind::Sample, item.data.span)?;
        let mut parts = Vec::new();
        for part in &item.parts {
            let name = format!("{parent}.{}", part.name.name);
            self.names.declare(&name, NameKind::Sample, part.name.span)?;
            self.samples.insert(name.clone());
            parts.push((name, sample::part(&self.names, &part.size)?));
        }
        let span = item.data.span;
        self.push(&parent.clone(), span, DeclarationKind::Split { parent, permutation, parts });
        Ok(())
    }

    fn assume(&mut self, item: &ast::Assume) -> Result<(), Diagnostic> {
        self.names.declare(&item.name.name, NameKind::Assumption, item.name.span)?;
        let kind = match &item.body {
            Assumption::Depends { subject, on } => {
                self.expect_kind(&subject.name, NameKind::Net, subject.span)?;
                let atoms = match on {
                    None => BTreeSet::new(),
                    Some(expr) => {
                        let sample = self.names.dotted(expr)?;
                        self.expect_kind(&sample, NameKind::Sample, expr.span)?;
                        BTreeSet::from([sample])
                    }
                };
                AssumptionKind::DependsOn { object: subject.name.clone(), atoms }
            }
            Assumption::Prop(prop) => {
                let declared = match &prop.kind {
                    PropKind::Bare { expr, domain: None } => match expr.as_call() {
                        Some(("iid", [ast::Arg { value: ast::ArgValue::Expr(sample), .. }])) => Some(sample),
                        _ => None,
                    },
                    _ => None,
                };
                let Some(expr) = declared else {
                    return Err(unsupported(
                        "this assumption",
                        prop.span,
                        "`assume a : iid(D)`, `assume b : f depends on D.train`, `assume c : f depends on nothing`",
                    ));
                };
                let sample = self.names.dotted(expr)?;
                self.expect_kind(&sample, NameKind::Sample, expr.span)?;
                AssumptionKind::Iid { sample }
            }
        };
        self.push(&item.name.name, item.name.span, DeclarationKind::Assumption(kind));
        Ok(())
    }

    fn train(&mut self, item: &ast::Train) -> Result<(), Diagnostic> {
        let name = &item.name.name;
        self.names.declare(name, NameKind::Net, item.name.span)?;
        let architecture = self.names.dotted(&item.architecture)?;
        self.expect_kind(&architecture, NameKind::Net, item.architecture.span)?;
        let Some(base) = self.names.architectures.get(&architecture).cloned() else {
            return Err(Diagnostic::error(
                "E0127",
                format!("expected an architecture to train, found `{architecture}`"),
            )
            .at(item.architecture.span, ""));
        };
        let data = self.names.dotted(&item.data)?;
        self.expect_kind(&data, NameKind::Sample, item.data.span)?;
        let options = sample::options(&self.names, item)?;
        self.names.architectures.insert(name.clone(), base);
        self.push(name, item.name.span, DeclarationKind::Train { architecture, data, options });
        Ok(())
    }
}
