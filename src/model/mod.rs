//! The resolved meaning of a spec: declarations in order, claims as kernel statements, experiments and exhibits.
//!
//! Nothing here reads a file or trains; a [`Spec`] says what is to be read and trained. Names are resolved once, every item is
//! either given its meaning or answered by a diagnostic: nothing is skipped silently.

mod class;
mod domain;
mod law;
mod names;
mod network;
mod plot;
mod rename;
mod resolve;
mod sample;
mod sorts;
mod statement;

pub use domain::describe as describe_domain;
pub use names::Names;
pub use network::describe as describe_architecture;
pub use plot::{Plot, Series};
pub use resolve::resolve;

use crate::kernel::check::Statement;
use crate::kernel::net::Architecture;
use crate::kernel::object::{AssumptionKind, Constraint, Domain, Law};
use crate::kernel::term::{Definition, Formula, Term};
use crate::syntax::ast;
use crate::text::{Diagnostic, Source, Span};
use num_rational::BigRational;
use std::collections::BTreeMap;
use std::time::Duration;

/// Specs that others use, by their names relative to the folder of the spec itself.
pub type Imports = BTreeMap<String, (ast::File, Source)>;

/// The folder of a name, empty or ending in `/`.
pub fn folder_of(name: &str) -> &str {
    name.rfind('/').map_or("", |slash| &name[..=slash])
}

/// A name in a file of the folder `base`, relative to the spec's own folder; `..` may lead out, which reading refuses.
pub fn joined(base: &str, name: &str) -> String {
    if name.starts_with('/') {
        return name.to_string();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(name.split('/')).filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// A resolved spec.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    pub title: Option<String>,
    /// Failure probability that all probabilistic claims together may draw.
    pub budget: Option<BigRational>,
    /// Objects, in the order in which they are declared.
    pub declarations: Vec<Declaration>,
    pub definitions: BTreeMap<String, Definition>,
    /// Where the names are declared.
    pub places: BTreeMap<String, Span>,
    /// Claims, expectations, measurements and bounds, in order.
    pub items: Vec<Item>,
    pub tables: Vec<Table>,
    pub plots: Vec<Plot>,
    /// Theorems that the spec itself states.
    pub theorems: Vec<ast::Theorem>,
}

#[derive(Clone, Debug)]
pub struct Declaration {
    pub name: String,
    pub span: Span,
    pub kind: DeclarationKind,
}

#[derive(Clone, Debug)]
pub enum DeclarationKind {
    Domain(Domain),
    /// A ball around an example.
    Around {
        sample: String,
        index: usize,
        radius: BigRational,
        norm: String,
    },
    Architecture(Architecture),
    NetworkFile {
        path: String,
        layout: Option<Layout>,
    },
    /// One output of another network, counted from 0.
    Output {
        network: String,
        index: usize,
    },
    /// `text` is the class as written.
    Class {
        base: String,
        constraints: Vec<Constraint>,
        text: String,
    },
    Generated(Generator),
    DataFile {
        path: String,
        sha256: Option<String>,
    },
    Split {
        parent: String,
        permutation: Option<u64>,
        parts: Vec<(String, Part)>,
    },
    Assumption(AssumptionKind),
    /// A sample whose examples depend on each other.
    TimeSeries(String),
    Law(Law),
    Train {
        architecture: String,
        data: String,
        options: TrainOptions,
    },
}

/// How the tensors of a file without a graph are laid out.
#[derive(Clone, Debug)]
pub enum Layout {
    As(Architecture),
    Like(String),
}

/// A seeded generator of a sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    TwoMoons { n: usize, noise: BigRational, seed: u64 },
}

/// One part of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The next `n` examples.
    Next(usize),
    /// The examples whose indices a text file lists, one per line.
    Indices(String),
}

/// Options of `train`, checked for their ranges but not yet for their combination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainOptions {
    pub loss: String,
    pub optimizer: String,
    pub learning_rate: BigRational,
    pub momentum: BigRational,
    pub weight_decay: BigRational,
    /// `decay`: the step size falls linearly to 0.
    pub decay: bool,
    /// `distort n`: every image is joined by `n` distorted copies.
    pub distort: usize,
    pub epochs: usize,
    pub batch: usize,
    pub seed: u64,
}

/// Something that the report has a line for.
#[derive(Clone, Debug)]
pub struct Item {
    pub name: String,
    pub span: Span,
    /// The statement as written, for the report.
    pub text: String,
    pub kind: ItemKind,
}

#[derive(Clone, Debug)]
pub enum ItemKind {
    Claim(Box<Claim>),
    Expect(Formula),
    Measure(Term),
    Bounds {
        target: Term,
        methods: Vec<MethodCall>,
    },
    /// A claim that means nothing, by the error that it expects.
    Refused(Box<Diagnostic>),
}

#[derive(Clone, Debug)]
pub struct Claim {
    pub statement: Statement,
    /// Failure probability from `with probability >= p`; `None` where the claim does not say.
    pub failure: Option<BigRational>,
    pub method: Option<MethodCall>,
    pub expecting: Option<ast::Expected>,
    /// The declared assumptions that the claim may use; empty: all.
    pub assuming: Vec<String>,
}

/// `test_set(D.test)`, with lowered arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MethodCall {
    pub name: String,
    pub positional: Vec<Term>,
    pub named: Vec<(String, Term)>,
    /// `within 60`: the time that a search may take.
    pub within: Option<Duration>,
    pub span: Span,
}

/// The names of the rows of a `bounds` block: `B.test_set`, and `B.test_set_2` where a method stands there twice.
pub fn rows_of(block: &str, methods: &[MethodCall]) -> Vec<String> {
    let name = |(place, call): (usize, &MethodCall)| {
        let before = methods[..place].iter().filter(|other| other.name == call.name).count();
        let suffix = if before == 0 { String::new() } else { format!("_{}", before + 1) };
        format!("{block}.{}{suffix}", call.name)
    };
    methods.iter().enumerate().map(name).collect()
}

/// A table of the spec: what its rows are and which columns it has.
#[derive(Clone, Debug)]
pub struct Table {
    pub title: String,
    pub caption: Option<String>,
    pub rows: TableRows,
    pub columns: Vec<TableColumn>,
    pub sort: Option<String>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum TableRows {
    /// `rows claims`
    Claims,
    /// `rows B`: the rows of a `bounds` block.
    Bounds(String),
    /// `rows {res, left}`: these claims.
    Items(Vec<String>),
    /// `rows a in {f, g}`: these objects, named by the variable in the columns.
    Objects { variable: String, members: Vec<Term> },
}

#[derive(Clone, Debug)]
pub struct TableColumn {
    pub header: String,
    pub value: TableValue,
}

#[derive(Clone, Debug)]
pub enum TableValue {
    /// A field of an item: `bound`, `value`, `method`, `status`, `source`, `assumptions`, `delta`.
    Field(String),
    /// An expression in `value`, `lower` and `upper` of the row's item.
    OfField(Term),
    /// A quantity of the row's object.
    Term(Term),
}
