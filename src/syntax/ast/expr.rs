//! Statements and expressions.

use super::Ident;
use crate::text::Span;
use num_rational::BigRational;

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prop {
    pub kind: PropKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropKind {
    /// `forall m in 1..20, k >= 1 : body`
    Quantified { quantifier: Quantifier, binders: Vec<Binder>, body: Box<Prop> },
    /// `premise implies conclusion`; groups to the right.
    Implies { premise: Box<Prop>, conclusion: Box<Prop> },
    /// `a <= b < c`; `rest` is never empty.
    Relation { first: Expr, rest: Vec<(Rel, Expr)> },
    /// `params(f(w)) in Theta(w^2) as w -> inf`
    Asymptotic { value: Expr, order: Order, rate: Expr, var: Ident, limit: Expr },
    /// `shatters(H, S)` or, with a domain, `injective(f) on X`.
    Bare { expr: Expr, domain: Option<Expr> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Forall,
    Exists,
}

/// `O`, `Theta`, `Omega`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    O,
    Theta,
    Omega,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rel {
    /// `<=`
    Le,
    /// `>=`
    Ge,
    /// `<`
    Lt,
    /// `>`
    Gt,
    /// `=`
    Eq,
    /// `==`: equality of functions (`=` compares values).
    Identical,
    /// `!=`
    Ne,
    /// `in`
    In,
    /// `subset`
    Subset,
}

/// `l in 1..3`, `m >= 1`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binder {
    pub var: Ident,
    pub rel: Rel,
    pub bound: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    Number(Number),
    Name(String),
    Str(String),
    /// Two or more terms: `a + b - c`.
    Sum(Vec<Term>),
    /// Two or more factors: `a * b / c` is `a * b * c^-1`.
    Product(Vec<Factor>),
    /// `base ^ exponent`; binds tighter than unary minus on its left, groups to the right.
    Power {
        base: Box<Expr>,
        exponent: Box<Expr>,
    },
    Neg(Box<Expr>),
    /// `lip(f on X, l2)`, `sum(l in 1..n : e)`, `max(x*(1 - x) for x in I)`
    Call {
        function: Box<Expr>,
        args: Vec<Arg>,
    },
    /// `W[l]`
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    /// `D.train`
    Field {
        base: Box<Expr>,
        field: Ident,
    },
    /// `[a, b]`
    Interval(Box<Expr>, Box<Expr>),
    /// `(a, b)`; two or more.
    Tuple(Vec<Expr>),
    /// `{1, 2, 3}`; one or more.
    Set(Vec<Expr>),
    /// `{2^k for k in 6..13}`
    SetComprehension {
        element: Box<Expr>,
        binder: Box<Binder>,
    },
    /// `|x|` (no norm named: an absolute value) or `|W[l]|_spec`
    Norm {
        expr: Box<Expr>,
        norm: Option<Ident>,
    },
    /// `cases { a if p <= n, b otherwise }`
    Cases(Vec<Case>),
    /// `x |-> x^2`, `(x, y) |-> x*y`
    Lambda {
        params: Vec<Ident>,
        body: Box<Expr>,
    },
    /// `1..20`, both ends included
    Range {
        start: Box<Expr>,
        end: Box<Expr>,
    },
    /// `?`, only as a relation's right-hand side
    Hole,
}

/// A literal. `value` is exact; `literal` is its spelling (`30_000`, `5%`, `1e-400`), for printing only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub value: BigRational,
    pub literal: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub sign: Sign,
    pub expr: Expr,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// `true` after `/`.
    pub inverse: bool,
    pub expr: Expr,
}

/// One arm of `cases`; `condition` is `None` for `otherwise`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub value: Expr,
    pub condition: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub left: Expr,
    pub rel: Rel,
    pub right: Expr,
}

/// An argument of a call: `tol: 1%`, `f on X`, `x for x in I`, `l in 1..n : e`, `p <= n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// `tol` in `tol: 1%`
    pub name: Option<Ident>,
    pub value: ArgValue,
    /// `X` in `f on X`
    pub domain: Option<Expr>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgValue {
    Expr(Expr),
    /// `element for var in range` and `var in range : element` give the same tree; `notation` remembers which was written.
    Comprehension {
        element: Expr,
        binder: Binder,
        notation: Notation,
    },
    /// A relation or quantified statement as an argument.
    Prop(Prop),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `x^2 for x in I`
    Trailing,
    /// `l in 1..n : l^2`
    Leading,
}

impl ExprKind {
    /// The name, if the expression is a plain name.
    pub fn as_name(&self) -> Option<&str> {
        match self {
            ExprKind::Name(name) => Some(name),
            _ => None,
        }
    }
}

impl Expr {
    pub fn new(kind: ExprKind, span: Span) -> Expr {
        Expr { kind, span }
    }

    /// The name, if the expression is a plain name.
    pub fn as_name(&self) -> Option<&str> {
        self.kind.as_name()
    }

    /// Function name and arguments, if the expression is a call of a plain name.
    pub fn as_call(&self) -> Option<(&str, &[Arg])> {
        match &self.kind {
            ExprKind::Call { function, args } => Some((function.as_name()?, args)),
            _ => None,
        }
    }
}

impl Rel {
    /// The ASCII spelling.
    pub fn symbol(self) -> &'static str {
        match self {
            Rel::Le => "<=",
            Rel::Ge => ">=",
            Rel::Lt => "<",
            Rel::Gt => ">",
            Rel::Eq => "=",
            Rel::Identical => "==",
            Rel::Ne => "!=",
            Rel::In => "in",
            Rel::Subset => "subset",
        }
    }
}

impl Order {
    pub fn symbol(self) -> &'static str {
        match self {
            Order::O => "O",
            Order::Theta => "Theta",
            Order::Omega => "Omega",
        }
    }
}
