//! The abstract syntax of `.spec` and `.thm`: one tree, a [`Span`] on every node.
//!
//! The tree says what was written, not what it means: names are not resolved, sorts not checked, and an expression such as
//! `train(f)` may well be nonsense. Three facts hold for every tree that the parser returns *without* an error diagnostic:
//!
//! - numbers are exact rationals, whatever their notation (`5%` is 1/20, `1e-400` is a rational);
//! - sums, products, relation chains, implications' binders and argument lists are flat vectors, and no path from the root
//!   is longer than a few times [`MAX_DEPTH`](super::MAX_DEPTH), so that plain recursion over the tree cannot overflow the stack;
//! - [`ExprKind::Hole`] occurs only as the right-hand side of a relation.
//!
//! Unicode spellings are gone: `‖x‖₂ ≤ δ` and `|x|_2 <= delta` give the same tree.

use crate::text::Span;

mod expr;

pub use expr::*;

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct File {
    /// In source order.
    pub items: Vec<Item>,
}

/// A name as written. Theorems, aliases and methods may be dotted (`vc.sauer_shelah`, then no blanks are kept around the dots).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

/// A string literal without its quotes. The language has no escapes: a string holds any character but `"` and a line break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub span: Span,
}

/// A declaration or statement; `span` runs from its keyword to its last token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub kind: ItemKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// `spec "Depth-3 ReLU networks on the square"`
    Spec(Text),
    /// `use "../mnist.spec" as base`
    Use(Use),
    /// `confidence 0.95`: at most one failure in twenty over all probabilistic claims together.
    Confidence(Expr),
    /// `semantics float32`
    Semantics(Ident),
    /// `let C(d) = sqrt(2) * d`
    Let(Let),
    /// `param w : nat >= 4`
    Param(ParamItem),
    /// `domain X = [-1, 1]^2`
    Domain(Definition),
    /// `network f = 2 -> 16 -> 1 relu`
    Network(Network),
    /// `class F = f where |W[l]|_spec <= 2 for l in 1..3`
    Class(Class),
    /// `data D = two_moons(n: 2000)` or `data D from "d.npz" sha256 "..."`
    Data(Data),
    /// `split D into train 1000, test 1000`
    Split(Split),
    /// `assume iid : iid(D)` or `assume prov : f depends on D.train`
    Assume(Assume),
    /// `train h : f on D.train { adam, lr 0.01, seed 7 }`
    Train(Train),
    /// `posterior Q = gaussian(mean: f, std: 0.03)`
    Posterior(Definition),
    /// `prior P = gaussian(mean: f0, std: 0.03)`
    Prior(Definition),
    /// `measure gap : risk(f, S, zero_one)`
    Measure(Measure),
    /// `claim lip : lip(F, l2) <= ? by spectral_product`
    Claim(Box<Claim>),
    /// `expect fit : risk(h, D.train, zero_one) <= 0.02`
    Expect(Expect),
    /// `bounds B for risk(f, zero_one) { test_set(D.test) vc }`
    Bounds(Bounds),
    /// A block of the library or of the user.
    Theorem(Box<Theorem>),
    /// `simulate run { for p in {5, 10} data ... train ... record ... }`
    Simulate(Simulate),
    /// `table "t" { rows claims cols bound, method }`
    Table(Table),
    /// `plot "p" { x run.p log y run.excess as "simulated" }`
    Plot(Plot),
}

/// What a `use` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseTarget {
    /// A file, relative to the spec.
    File(Text),
    /// A part of the built-in library.
    Module(Ident),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub target: UseTarget,
    pub alias: Option<Ident>,
}

/// `NAME = expr` of `domain`, `posterior`, `prior`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: Ident,
    pub value: Expr,
}

/// A definition with parameters, `let theory(p) = ...`. Without parentheses `params` is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Let {
    pub name: Ident,
    pub params: Vec<Ident>,
    pub value: Expr,
}

/// `param NAME : SORT [REL expr]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamItem {
    pub name: Ident,
    pub sort: Ident,
    pub constraint: Option<(Rel, Expr)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub name: Ident,
    pub params: Vec<Ident>,
    pub body: NetworkBody,
    /// `, parameterization ntk, train first`
    pub options: Vec<NetworkOption>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkOption {
    pub key: Ident,
    pub value: Ident,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkBody {
    /// `= 784 -> 256 -> 10 relu`
    Chain(Chain),
    /// `= x |-> x - tooth(x)/4`; usually a [`ExprKind::Lambda`].
    Formula(Expr),
    /// `from "m.onnx"`, `from "w.safetensors" as 1 -> 32 -> 1 tanh`, `from "w.safetensors" like f`
    File { path: Text, layout: Option<Layout> },
    /// `{ input 3, 32, 32  conv 6, kernel 5 then relu ... }`
    Layers(Vec<Layer>),
}

/// How the parameters of a file that has no graph are laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    As(Chain),
    Like(Ident),
}

/// `2 -> 16 -> 1 relu`: at least two sizes, each a [`ExprKind::Number`] (a natural number) or a [`ExprKind::Name`]. The
/// activation stands between layers, not after the last; without one the network is affine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub sizes: Vec<Expr>,
    /// `relu`, or with parameters `leaky_relu(1/100)`.
    pub activation: Option<Method>,
    pub span: Span,
}

/// One entry of a layer block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// `conv 6, kernel 5 then relu then maxpool 2`; never empty.
    Units(Vec<Unit>),
    /// `repeat 3 { ... }`
    Repeat { count: Expr, layers: Vec<Layer>, span: Span },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    pub kind: UnitKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitKind {
    /// `input 3, 32, 32`
    Input(Vec<Expr>),
    /// `conv 16, kernel 5, pad 1, stride 2`
    Conv {
        channels: Expr,
        options: Vec<UnitOption>,
    },
    /// `dense 120`
    Dense(Expr),
    BatchNorm,
    /// `maxpool 2` or `maxpool 3, stride 2, pad 1`
    MaxPool {
        window: Expr,
        options: Vec<UnitOption>,
    },
    /// `avgpool 2`
    AvgPool {
        window: Expr,
        options: Vec<UnitOption>,
    },
    /// `avgpool global`
    GlobalAvgPool,
    Flatten,
    /// `residual { ... } via conv 32, kernel 1, stride 2`; without `via` the skip is the identity.
    Residual {
        layers: Vec<Layer>,
        via: Option<Box<Unit>>,
    },
    /// Any other name: `relu`, `tanh`, `leaky_relu(1/100)`.
    Activation(Method),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitOption {
    pub key: UnitKey,
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitKey {
    Kernel,
    Pad,
    Stride,
    Groups,
}

/// `class NAME [params] = expr where prop, prop [for l in expr]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    pub name: Ident,
    pub params: Vec<Ident>,
    pub base: Expr,
    /// Never empty.
    pub constraints: Vec<Prop>,
    /// The range of the layer index; its relation is [`Rel::In`].
    pub index: Option<Binder>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    pub name: Ident,
    pub source: DataSource,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataSource {
    Generated(Expr),
    File { path: Text, sha256: Option<Text> },
}

/// `split expr into NAME expr, NAME expr`; the parts are then `D.train`, `D.test`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    pub data: Expr,
    /// Never empty.
    pub parts: Vec<SplitPart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitPart {
    pub name: Ident,
    pub size: Expr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assume {
    pub name: Ident,
    pub body: Assumption,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assumption {
    Prop(Box<Prop>),
    /// `f depends on D.train`; `on` is `None` for `depends on nothing`.
    Depends {
        subject: Ident,
        on: Option<Expr>,
    },
}

/// `train NAME : architecture on data { options }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Train {
    pub name: Ident,
    pub architecture: Expr,
    pub data: Expr,
    pub options: Vec<TrainOption>,
}

/// `lr 0.01`, `loss logistic`, or a bare `adam`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainOption {
    pub key: Ident,
    pub value: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    pub name: Ident,
    pub value: Expr,
}

/// A statement to be proved, with its clauses in whatever order they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub name: Option<Ident>,
    pub prop: Prop,
    /// `with probability >= expr`
    pub probability: Option<Expr>,
    /// `by method`
    pub method: Option<Method>,
    /// `assuming NAME, NAME`
    pub assuming: Vec<Ident>,
    /// `where prop`, each
    pub conditions: Vec<Prop>,
    /// `for NAME REL expr`, each
    pub binders: Vec<Binder>,
    /// `within expr`, in seconds
    pub within: Option<Expr>,
    /// `expecting refuted`
    pub expecting: Option<(Expected, Span)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    Proved,
    Refuted,
    Unknown,
    Vacuous,
    /// `error E0310`: the claim does not type, or asks for a theorem whose requirement is false.
    Error(u16),
}

impl Expected {
    /// Whether this diagnostic is the expected error; a disagreement of engine and kernel never is.
    pub fn is_error(self, code: &str) -> bool {
        matches!(self, Expected::Error(expected) if expected != 70 && code == format!("E{expected:04}"))
    }
}

/// A statement to be observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    pub name: Option<Ident>,
    pub prop: Prop,
}

/// `bounds NAME for expr { method method ... }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub name: Ident,
    pub target: Expr,
    pub methods: Vec<Method>,
}

/// A theorem, method, activation or coder by its (possibly dotted) name, with arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    pub name: Ident,
    pub args: Vec<Arg>,
    pub span: Span,
}

/// A theorem block. Clauses may be written in any order, each of the single ones once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theorem {
    /// Dotted: `vc.sauer_shelah`.
    pub name: Ident,
    pub params: Vec<Param>,
    /// The one-line title after the parameters.
    pub title: Option<Text>,
    /// `alias vc.sauer, vc.shelah`: former names.
    pub aliases: Vec<Ident>,
    /// Constants the engine may choose freely: `choose eps > 0, k in 1..64`.
    pub choose: Vec<Binder>,
    pub requires: Vec<Prop>,
    pub ensures: Prop,
    /// `ensures prop with probability >= expr`
    pub probability: Option<Expr>,
    pub source: Option<Text>,
    /// `survey "Thm 1.17"`: the item of the survey, by its own number.
    pub survey: Option<Text>,
    /// The name of a machine-checked proof elsewhere.
    pub formal: Option<Text>,
    pub status: Option<Ident>,
    pub note: Option<Text>,
    pub proof: Option<Proof>,
    pub examples: Vec<Example>,
    pub rejects: Vec<Reject>,
}

/// A parameter of a theorem. In `(H : class, m, d : nat)` both `m` and `d` are `nat`: a sort holds for all names since the
/// previous sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: Ident,
    pub sort: Option<Ident>,
}

/// `proof { a <= b by m  = c by n }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub start: Expr,
    /// Never empty.
    pub steps: Vec<Step>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub rel: Rel,
    pub expr: Expr,
    pub method: Method,
}

/// `example m = 10, d = 3 gives [743.90, 743.92]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub bindings: Vec<Binding>,
    /// An [`ExprKind::Interval`] that must enclose the conclusion's bound, or a value that it must equal.
    pub gives: Expr,
    pub span: Span,
}

/// `reject m = 10, d = 11 breaks d <= m`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    pub bindings: Vec<Binding>,
    pub breaks: Prop,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Binding {
    /// `m = 10`, `N = 2 -> 3 -> 1 relu`
    Value { name: Ident, value: BindingValue },
    /// `vcdim(H) = 4`: a fact about a parameter that is left open.
    Fact(Box<Prop>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BindingValue {
    Expr(Expr),
    Chain(Chain),
    /// `(2 -> 3 -> 1 relu) where |W[l]|_spec <= 2 for l in 1..2`
    Class(Box<ClassLiteral>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassLiteral {
    pub chain: Chain,
    /// Never empty.
    pub constraints: Vec<Prop>,
    pub index: Option<Binder>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulate {
    pub name: Ident,
    pub steps: Vec<SimulateStep>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimulateStep {
    /// `for p in {5, 10}`; its relation is [`Rel::In`].
    For(Binder),
    Data(Data),
    Train(Train),
    /// `record excess = expr`
    Record(Definition),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub title: Text,
    pub entries: Vec<TableEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableEntry {
    /// `rows B` or `rows a in {f, g}`
    Rows {
        var: Option<Ident>,
        values: Expr,
    },
    /// `cols params(a), lip(a, l2) as "Lip"`
    Cols(Vec<Column>),
    Sort(Expr),
    Caption(Text),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub value: Expr,
    pub header: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    pub title: Text,
    pub entries: Vec<PlotEntry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlotEntry {
    /// `x run.p log` or `x m in 1..20`
    X { var: Option<Ident>, values: Expr, log: bool },
    /// `y run.excess as "simulated" band 0.9`
    Y { value: Expr, style: Vec<PlotStyle> },
    /// `mark n as "threshold"`
    Mark { value: Expr, label: Text },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlotStyle {
    As(Text),
    Dashed,
    Log,
    Band(Expr),
}

impl Expected {
    pub fn word(self) -> &'static str {
        match self {
            Expected::Proved => "proved",
            Expected::Refuted => "refuted",
            Expected::Unknown => "unknown",
            Expected::Vacuous => "vacuous",
            Expected::Error(_) => "error",
        }
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expected::Error(code) => write!(f, "error E{code:04}"),
            other => f.write_str(other.word()),
        }
    }
}

impl UnitKey {
    pub fn word(self) -> &'static str {
        match self {
            UnitKey::Kernel => "kernel",
            UnitKey::Pad => "pad",
            UnitKey::Stride => "stride",
            UnitKey::Groups => "groups",
        }
    }
}
