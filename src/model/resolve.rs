//! From the tree to the model, item by item.

use super::names::{Family, NameKind, Names, Parameter};
use super::rename::{self, Renaming};
use super::{Declaration, DeclarationKind, Imports, Item, ItemKind, Layout, Part, Spec};
use super::{class, domain, law, network, plot, sample, sorts, statement};
use crate::kernel::check::Statement;
use crate::kernel::object::AssumptionKind;
use crate::kernel::structure::Structure;
use crate::kernel::term::{Definition, Substitution};
use crate::syntax::ast::{self, Assumption, DataSource, NetworkBody, PropKind, Rel};
use crate::syntax::lower;
use crate::text::{Diagnostic, Source, Span, Style, did_you_mean};
use num_rational::BigRational;
use num_traits::{One, Signed};
use std::collections::BTreeSet;

/// Resolves a parsed spec. Every item gets its meaning or a diagnostic.
pub fn resolve(file: &ast::File, source: &Source, imports: &Imports) -> (Spec, Names, Vec<Diagnostic>) {
    let mut resolver = Resolver {
        source,
        imports,
        base: String::new(),
        used: BTreeSet::new(),
        roof: None,
        names: Names::default(),
        spec: Spec::default(),
        samples: BTreeSet::new(),
    };
    let mut diagnostics = Vec::new();
    for item in &file.items {
        if let Err(diagnostic) = resolver.item(item) {
            diagnostics.extend(resolver.unexpected(item, diagnostic));
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
    spec.places = names.declared.iter().map(|(name, (_, span))| (name.clone(), *span)).collect();
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
    /// The text of the items at hand.
    source: &'s Source,
    imports: &'s Imports,
    /// The folder of the items at hand, relative to the spec's own.
    base: String,
    /// Specs whose items are here already, each with the name it was used as.
    used: BTreeSet<(String, Option<String>)>,
    /// The names of the items at hand, if their spec is used under a name.
    roof: Option<Renaming>,
    names: Names,
    spec: Spec,
    /// Names of samples and of their parts.
    samples: BTreeSet<String>,
}

fn unsupported(what: &str, span: Span, works: &str) -> Diagnostic {
    Diagnostic::error("E0900", format!("{what} is not supported yet")).at(span, "").help(format!("what works: {works}"))
}

impl Resolver<'_> {
    /// The setting of another spec: what it declares, not what it claims or shows.
    fn use_(&mut self, item: &ast::Use, span: Span) -> Result<(), Diagnostic> {
        let ast::UseTarget::File(text) = &item.target else { return Ok(()) };
        let name = super::joined(&self.base, &text.text);
        // A spec that could not be read was reported when it was read.
        let Some((file, source)) = self.imports.get(&name) else { return Ok(()) };
        let roof = match &item.alias {
            None => self.roof.clone(),
            Some(alias) => {
                self.names.declare(&alias.name, NameKind::Alias, alias.span)?;
                let mut names = BTreeSet::new();
                self.declared_by(&name, &mut names, &mut BTreeSet::new());
                Some(Renaming { alias: alias.name.clone(), names })
            }
        };
        if !self.used.insert((name.clone(), roof.as_ref().map(|roof| roof.alias.clone()))) {
            return Ok(());
        }
        let outer = (
            self.source,
            std::mem::replace(&mut self.base, super::folder_of(&name).to_string()),
            std::mem::replace(&mut self.roof, roof),
        );
        self.source = source;
        let known: BTreeSet<String> = self.names.declared.keys().cloned().collect();
        let declarations = self.spec.declarations.len();
        let outcome = file.items.iter().try_for_each(|item| match &item.kind {
            ast::ItemKind::Spec(_)
            | ast::ItemKind::Claim(_)
            | ast::ItemKind::Expect(_)
            | ast::ItemKind::Measure(_)
            | ast::ItemKind::Bounds(_)
            | ast::ItemKind::Table(_)
            | ast::ItemKind::Plot(_)
            | ast::ItemKind::Simulate(_) => Ok(()),
            // Under a name of its own a spec keeps its confidence to itself: it is that of its own claims.
            ast::ItemKind::Confidence(_) if self.roof.is_some() => Ok(()),
            ast::ItemKind::Theorem(theorem) => {
                Err(unsupported("a theorem in a used spec", theorem.name.span, "`--theory my.thm`"))
            }
            _ => match &self.roof {
                None => self.item(item),
                Some(roof) => {
                    let mut item = item.clone();
                    roof.item(&mut item);
                    self.item(&item)
                }
            },
        });
        (self.source, self.base, self.roof) = outer;
        // Places in the other text mean nothing in this one.
        for declaration in self.spec.declarations.iter_mut().skip(declarations) {
            declaration.span = span;
        }
        for (name, (_, place)) in &mut self.names.declared {
            if !known.contains(name) {
                *place = span;
            }
        }
        outcome.map_err(|diagnostic| {
            let shown = diagnostic.render(source, Style::Ascii);
            Diagnostic { labels: Vec::new(), ..diagnostic }.at(span, "in a spec that is used here").note(shown)
        })
    }

    /// The names that a used spec brings, its own and those of the specs that it uses without a name for them.
    fn declared_by(&self, file_name: &str, names: &mut BTreeSet<String>, seen: &mut BTreeSet<String>) {
        let Some((file, _)) = self.imports.get(file_name) else { return };
        if !seen.insert(file_name.to_string()) {
            return;
        }
        names.extend(file.items.iter().filter_map(rename::declared).map(str::to_string));
        for item in &file.items {
            if let ast::ItemKind::Use(ast::Use { target: ast::UseTarget::File(text), alias: None }) = &item.kind {
                self.declared_by(&super::joined(super::folder_of(file_name), &text.text), names, seen);
            }
        }
    }

    /// A file name of the items at hand, relative to the spec's own folder.
    fn path(&self, written: &str) -> String {
        if self.base.is_empty() { written.to_string() } else { super::joined(&self.base, written) }
    }

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
            ast::ItemKind::Param(param) => self.parameter(param),
            ast::ItemKind::Domain(item) => {
                self.names.declare(&item.name.name, NameKind::Domain, item.name.span)?;
                let kind = domain::domain(&self.names, &item.value)?;
                if let DeclarationKind::Domain(domain) = &kind {
                    self.names.domains.insert(item.name.name.clone(), domain.clone());
                }
                self.push(&item.name.name, item.name.span, kind);
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
                let text = self.written(item.value.span);
                self.names.measures.insert(item.name.name.clone(), term.clone());
                self.statement(&item.name.name, item.name.span, item.value.span, text, ItemKind::Measure(term))
            }
            ast::ItemKind::Claim(claim) => {
                let (name, span) = self.named(claim.name.as_ref(), "claim", item.span)?;
                let resolved = statement::claim(&self.names, claim)?;
                let mut text = self.written(claim.prop.span);
                for condition in &claim.conditions {
                    text += &format!(" where {}", self.written(condition.span));
                }
                self.statement(&name, span, claim.prop.span, text, ItemKind::Claim(Box::new(resolved)))
            }
            ast::ItemKind::Expect(expect) => {
                let (name, span) = self.named(expect.name.as_ref(), "expect", item.span)?;
                let formula = statement::formula(&self.names, &expect.prop)?;
                let text = self.written(expect.prop.span);
                self.statement(&name, span, expect.prop.span, text, ItemKind::Expect(formula))
            }
            ast::ItemKind::Bounds(bounds) => {
                self.names.declare(&bounds.name.name, NameKind::Statement, bounds.name.span)?;
                let target = statement::term(&self.names, &bounds.target)?;
                let methods: Vec<super::MethodCall> =
                    bounds.methods.iter().map(|call| statement::method(&self.names, call)).collect::<Result<_, _>>()?;
                let text = self.written(bounds.target.span);
                self.names.rows.insert(bounds.name.name.clone(), super::rows_of(&bounds.name.name, &methods));
                let kind = ItemKind::Bounds { target, methods };
                self.statement(&bounds.name.name, bounds.name.span, bounds.target.span, text, kind)
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
            ast::ItemKind::Use(used) => self.use_(used, item.span),
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
            ast::ItemKind::Plot(shown) => {
                let plot = plot::plot(&self.names, shown, item.span)?;
                self.spec.plots.push(plot);
                Ok(())
            }
        }
    }

    /// A claim may expect the error that it is: then the error is its result, and no diagnostic.
    fn unexpected(&mut self, item: &ast::Item, diagnostic: Diagnostic) -> Option<Diagnostic> {
        let ast::ItemKind::Claim(claim) = &item.kind else { return Some(diagnostic) };
        let expected = claim.expecting.map(|(expected, _)| expected);
        // A second claim of one name would have no name of its own.
        if diagnostic.code == "E0129" || !expected.is_some_and(|expected| expected.is_error(diagnostic.code)) {
            return Some(diagnostic);
        }
        let (name, span) = match &claim.name {
            Some(ident) => (ident.name.clone(), ident.span),
            None => (format!("claim{}", self.spec.items.len() + 1), item.span),
        };
        let text = self.written(claim.prop.span);
        self.spec.items.push(Item { name, span, text, kind: ItemKind::Refused(Box::new(diagnostic)) });
        None
    }

    /// A piece of the spec on one line.
    fn written(&self, span: Span) -> String {
        self.source.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn statement(
        &mut self,
        name: &str,
        span: Span,
        place: Span,
        text: String,
        kind: ItemKind,
    ) -> Result<(), Diagnostic> {
        let statement = match &kind {
            ItemKind::Claim(claim) => claim.statement.clone(),
            ItemKind::Expect(formula) => Statement::Formula(formula.clone()),
            ItemKind::Measure(term) | ItemKind::Bounds { target: term, .. } => Statement::Both(term.clone()),
            ItemKind::Refused(_) => return Ok(()),
        };
        sorts::check(&self.names, &statement, place)?;
        self.closed(place, |sub| statement.substitute(sub) != statement)?;
        self.spec.items.push(Item { name: name.to_string(), span, text, kind });
        Ok(())
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

    fn parameter(&mut self, item: &ast::ParamItem) -> Result<(), Diagnostic> {
        let is_natural = match item.sort.name.as_str() {
            "nat" | "natural" => true,
            "real" => false,
            other => {
                return Err(Diagnostic::error("E0206", format!("expected the sort `nat` or `real`, found `{other}`"))
                    .at(item.sort.span, ""));
            }
        };
        let bound = match &item.constraint {
            Some((rel @ (Rel::Le | Rel::Lt | Rel::Ge | Rel::Gt), expr)) => Some((*rel, self.names.rational(expr)?)),
            Some((_, expr)) => {
                return Err(
                    Diagnostic::error("E0206", "expected `<=`, `<`, `>=` or `>` and a number").at(expr.span, "")
                );
            }
            None => None,
        };
        self.names.declare(&item.name.name, NameKind::Parameter, item.name.span)?;
        self.names.parameters.insert(item.name.name.clone(), Parameter { is_natural, bound });
        Ok(())
    }

    /// Nothing is claimed of a parameter without a value.
    fn closed(&self, span: Span, changes: impl Fn(&Substitution) -> bool) -> Result<(), Diagnostic> {
        match self.names.open_parameter(changes) {
            None => Ok(()),
            Some(name) => Err(Diagnostic::error("E0620", format!("expected a value for the parameter `{name}`"))
                .at(span, "")
                .help(format!(
                    "write `where {name} = 16`, or quantify over its values: `forall {name} in 1..20 : ...`"
                ))),
        }
    }

    fn definition(&mut self, item: &ast::Let) -> Result<(), Diagnostic> {
        // The body sees earlier definitions only: the name itself is not yet one of them.
        let parameters: Vec<String> = item.params.iter().map(|p| p.name.clone()).collect();
        let body = lower::term_with(&item.value, &self.names, &parameters)?;
        self.closed(item.value.span, |sub| body.substitute(sub) != body)?;
        let mut mentioned = BTreeSet::new();
        body.names(&mut mentioned);
        if let Some(row) = mentioned.iter().find(|name| self.names.is_row(name)) {
            return Err(Diagnostic::error(
                "E0206",
                format!("expected a definition fixed before the data, found `{row}`"),
            )
            .at(item.value.span, "a row's bound was read off data")
            .help("use the row in a claim, an `expect` or a table"));
        }
        if item.name.name == "gamma" && !item.params.is_empty() {
            return Err(Diagnostic::error("E0128", "expected a new name, found `gamma`, which has a meaning already")
                .at(item.name.span, "a function of the language"));
        }
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
                DeclarationKind::NetworkFile { path: self.path(&path.text), layout }
            }
            NetworkBody::Formula(ast::Expr { kind: ast::ExprKind::Index { base, index }, .. }) => {
                let Some(network) = base.as_name() else {
                    return Err(unsupported("an output of this", base.span, "an output of a network, `f[3]`"));
                };
                self.expect_kind(network, NameKind::Net, base.span)?;
                DeclarationKind::Output { network: network.to_string(), index: domain::position(&self.names, index)? }
            }
            NetworkBody::Formula(expr) => {
                return Err(unsupported(
                    "a network given by a formula",
                    expr.span,
                    "chains (`2 -> 16 -> 1 relu`), layer blocks, files and outputs (`f[3]`)",
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
        let Some(layers) = structure.chain() else {
            return Err(unsupported(
                "a class of networks other than chains",
                item.base.span,
                "chains such as `2 -> 16 -> 1 relu`",
            ));
        };
        let constraints = class::constraints(&self.names, item, layers.len())?;
        self.names.architectures.insert(name.clone(), architecture.clone());
        let last = item.constraints.last().map_or(item.base.span.end, |prop| prop.span.end);
        let end = item.index.as_ref().map_or(last, |index| index.span.end);
        let text = self.written(Span::new(item.base.span.start, end));
        self.push(name, item.name.span, DeclarationKind::Class { base, constraints, text });
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
                path: self.path(&path.text),
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
            let part = match sample::part(&self.names, &part.size)? {
                Part::Indices(path) => Part::Indices(self.path(&path)),
                part => part,
            };
            parts.push((name, part));
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
                        Some((
                            head @ ("iid" | "time_series"),
                            [ast::Arg { value: ast::ArgValue::Expr(sample), .. }],
                        )) => Some((head, sample, None)),
                        Some((
                            head @ "supported",
                            [
                                ast::Arg { value: ast::ArgValue::Expr(sample), .. },
                                ast::Arg { value: ast::ArgValue::Expr(domain), .. },
                            ],
                        )) => Some((head, sample, Some(domain))),
                        _ => None,
                    },
                    _ => None,
                };
                let Some((head, expr, domain)) = declared else {
                    return Err(unsupported(
                        "this assumption",
                        prop.span,
                        "`assume a : iid(D)`, `assume a : time_series(D)`, `assume s : supported(D, X)`, \
                         `assume b : f depends on D.train`, `assume c : f depends on nothing`",
                    ));
                };
                let sample = self.names.dotted(expr)?;
                self.expect_kind(&sample, NameKind::Sample, expr.span)?;
                if let Some(expr) = domain {
                    let domain = self.names.dotted(expr)?;
                    self.expect_kind(&domain, NameKind::Domain, expr.span)?;
                    let kind = AssumptionKind::Supported { sample, domain };
                    self.push(&item.name.name, item.name.span, DeclarationKind::Assumption(kind));
                    return Ok(());
                }
                if head == "time_series" {
                    self.push(&item.name.name, item.name.span, DeclarationKind::TimeSeries(sample));
                    return Ok(());
                }
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
