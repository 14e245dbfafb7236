//! Terms and formulas: the language in which theorems and claims are stated. Trust: kernel.
//!
//! The language is total: no recursion and no user functions beyond named definitions, whose bodies may use earlier
//! definitions only. A name is, in this order of precedence, a variable bound by a quantifier or big operator, a
//! definition, or a symbol (an object of the spec such as a network, or a fixed symbol such as the norm `l2`).
//!
//! Invariant: [`std::fmt::Display`] is injective on terms without names that differ only in case, so that the printed form
//! of a ground quantity serves as its key.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, Zero};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A numeric operation with the usual real meaning. A point outside an operation's domain is an error, never a smaller set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// n-ary sum.
    Add,
    /// n-ary product.
    Mul,
    Neg,
    Div,
    /// `x ^ y`: integer exponents for any base (`x ^ 0 = 1`), else `x > 0`, or `x >= 0` with `y > 0`.
    Pow,
    Abs,
    Min,
    Max,
    Sqrt,
    Exp,
    Ln,
    Log2,
    Tanh,
    Arctan,
    Erf,
    Erfc,
    /// `ln |Gamma(x)|` for `x > 0`.
    LnGamma,
    Gamma,
    Floor,
    Ceil,
    /// `binomial(n, k)` for integers `0 <= k`, `0 <= n`.
    Binomial,
    /// `kl(q, p) = q ln(q/p) + (1-q) ln((1-q)/(1-p))` in nats.
    Kl,
    /// `kl_inverse(q, c) = sup { p in [q, 1] : kl(q, p) <= c }`.
    KlInverse,
    /// `binomial_tail(n, k, p) = P(Bin(n, p) <= k)`.
    BinomialTail,
    /// `binomial_tail_inverse(n, k, delta) = sup { p in [0, 1] : P(Bin(n, p) <= k) >= delta }`.
    BinomialTailInverse,
}

impl Op {
    /// Every operation written as a call, with its name and number of arguments (`None`: one or more).
    pub const CALLS: &'static [(&'static str, Op, Option<usize>)] = &[
        ("abs", Op::Abs, Some(1)),
        ("min", Op::Min, None),
        ("max", Op::Max, None),
        ("sqrt", Op::Sqrt, Some(1)),
        ("exp", Op::Exp, Some(1)),
        ("ln", Op::Ln, Some(1)),
        ("log2", Op::Log2, Some(1)),
        ("tanh", Op::Tanh, Some(1)),
        ("arctan", Op::Arctan, Some(1)),
        ("erf", Op::Erf, Some(1)),
        ("erfc", Op::Erfc, Some(1)),
        ("lgamma", Op::LnGamma, Some(1)),
        ("gamma", Op::Gamma, Some(1)),
        ("floor", Op::Floor, Some(1)),
        ("ceil", Op::Ceil, Some(1)),
        ("binomial", Op::Binomial, Some(2)),
        ("kl", Op::Kl, Some(2)),
        ("kl_inverse", Op::KlInverse, Some(2)),
        ("binomial_tail", Op::BinomialTail, Some(3)),
        ("binomial_tail_inverse", Op::BinomialTailInverse, Some(3)),
    ];

    /// Whether the operation is a long series.
    pub fn is_costly(self) -> bool {
        matches!(self, Op::Erf | Op::Erfc | Op::LnGamma | Op::Gamma | Op::BinomialTail)
    }

    pub fn named(name: &str) -> Option<(Op, Option<usize>)> {
        Op::CALLS.iter().find(|(n, _, _)| *n == name).map(|&(_, op, arity)| (op, arity))
    }
}

/// A big operator over the integers of a range; the empty sum is 0, the empty product 1, an empty maximum an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Big {
    Sum,
    Prod,
    Max,
    Min,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    Number(BigRational),
    Pi,
    Euler,
    Infinity,
    Name(String),
    Apply(Op, Vec<Term>),
    Big {
        big: Big,
        variable: String,
        from: Box<Term>,
        to: Box<Term>,
        body: Box<Term>,
    },
    /// The first branch whose condition certainly holds; the last branch has no condition.
    Cases(Vec<(Option<Formula>, Term)>),
    /// A quantity of an object (`params(f)`, `lip(F, l2)`), a constructed object (`sign(F)`), or a call of a definition.
    /// `F on X` is the quantity `on(F, X)`.
    Quantity(String, Vec<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    Le,
    Lt,
    Ge,
    Gt,
    Eq,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Formula {
    Compare(Term, Relation, Term),
    /// Every value of the term lies in `[low, high]`.
    Within(Term, Term, Term),
    /// A property of objects that the kernel decides from their structure and provenance.
    Holds(String, Vec<Term>),
    And(Vec<Formula>),
    /// For all integers of a range.
    ForAll {
        variable: String,
        from: Term,
        to: Term,
        body: Box<Formula>,
    },
    /// For all members of a finite set.
    ForEach {
        variable: String,
        members: Vec<Term>,
        body: Box<Formula>,
    },
    /// For all reals of a closed interval (an infinite end is open).
    ForReal {
        variable: String,
        from: Term,
        to: Term,
        body: Box<Formula>,
    },
}

/// A named abbreviation: `let C(d) = ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub parameters: Vec<String>,
    pub body: Term,
}

/// Replacement of names by terms. Replacements are closed (numbers, symbols, constructed objects), so nothing is captured.
pub type Substitution = BTreeMap<String, Term>;

impl Term {
    pub fn int(n: i64) -> Term {
        Term::Number(BigRational::from_integer(BigInt::from(n)))
    }

    pub fn name(name: &str) -> Term {
        Term::Name(name.to_string())
    }

    pub fn quantity(head: &str, arguments: Vec<Term>) -> Term {
        Term::Quantity(head.to_string(), arguments)
    }

    /// Every name and head that occurs, bound variables included.
    pub fn names(&self, found: &mut BTreeSet<String>) {
        match self {
            Term::Name(name) => {
                found.insert(name.clone());
            }
            Term::Apply(_, arguments) => arguments.iter().for_each(|argument| argument.names(found)),
            Term::Quantity(head, arguments) => {
                found.insert(head.clone());
                arguments.iter().for_each(|argument| argument.names(found));
            }
            Term::Big { from, to, body, .. } => [from, to, body].iter().for_each(|part| part.names(found)),
            Term::Cases(branches) => {
                for (condition, value) in branches {
                    condition.iter().for_each(|condition| condition.names(found));
                    value.names(found);
                }
            }
            Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => {}
        }
    }

    /// Whether the term is made of numbers and of variables that it binds itself: then its value depends on nothing else.
    pub fn is_arithmetic(&self) -> bool {
        self.is_arithmetic_in(&mut Vec::new())
    }

    fn is_arithmetic_in<'t>(&'t self, bound: &mut Vec<&'t str>) -> bool {
        match self {
            Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => true,
            Term::Name(name) => bound.contains(&name.as_str()),
            // Their points are kept for the record by whoever evaluates them.
            Term::Apply(Op::KlInverse | Op::BinomialTailInverse, _) => false,
            Term::Apply(_, arguments) => arguments.iter().all(|argument| argument.is_arithmetic_in(bound)),
            Term::Big { variable, from, to, body, .. } => {
                let ends = from.is_arithmetic_in(bound) && to.is_arithmetic_in(bound);
                bound.push(variable);
                let is_arithmetic = ends && body.is_arithmetic_in(bound);
                bound.pop();
                is_arithmetic
            }
            Term::Cases(_) | Term::Quantity(..) => false,
        }
    }

    /// Replaces free names. A bound variable hides a name of the same spelling.
    pub fn substitute(&self, substitution: &Substitution) -> Term {
        match self {
            Term::Name(name) => substitution.get(name).unwrap_or(self).clone(),
            Term::Apply(op, arguments) => {
                Term::Apply(*op, arguments.iter().map(|a| a.substitute(substitution)).collect())
            }
            Term::Quantity(head, arguments) => {
                Term::Quantity(head.clone(), arguments.iter().map(|a| a.substitute(substitution)).collect())
            }
            Term::Big { big, variable, from, to, body } => {
                let inner = without(substitution, variable);
                Term::Big {
                    big: *big,
                    variable: variable.clone(),
                    from: Box::new(from.substitute(substitution)),
                    to: Box::new(to.substitute(substitution)),
                    body: Box::new(body.substitute(&inner)),
                }
            }
            Term::Cases(branches) => Term::Cases(
                branches
                    .iter()
                    .map(|(condition, value)| {
                        (condition.as_ref().map(|c| c.substitute(substitution)), value.substitute(substitution))
                    })
                    .collect(),
            ),
            Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => self.clone(),
        }
    }
}

impl Formula {
    /// As [`Term::names`].
    pub fn names(&self, found: &mut BTreeSet<String>) {
        match self {
            Formula::Compare(a, _, b) => [a, b].iter().for_each(|part| part.names(found)),
            Formula::Within(a, low, high) => [a, low, high].iter().for_each(|part| part.names(found)),
            Formula::Holds(_, arguments) => arguments.iter().for_each(|argument| argument.names(found)),
            Formula::And(parts) => parts.iter().for_each(|part| part.names(found)),
            Formula::ForAll { from, to, body, .. } | Formula::ForReal { from, to, body, .. } => {
                [from, to].iter().for_each(|part| part.names(found));
                body.names(found);
            }
            Formula::ForEach { members, body, .. } => {
                members.iter().for_each(|member| member.names(found));
                body.names(found);
            }
        }
    }

    pub fn substitute(&self, substitution: &Substitution) -> Formula {
        let sub = |t: &Term| t.substitute(substitution);
        match self {
            Formula::Compare(a, relation, b) => Formula::Compare(sub(a), *relation, sub(b)),
            Formula::Within(a, low, high) => Formula::Within(sub(a), sub(low), sub(high)),
            Formula::Holds(name, arguments) => Formula::Holds(name.clone(), arguments.iter().map(sub).collect()),
            Formula::And(parts) => Formula::And(parts.iter().map(|p| p.substitute(substitution)).collect()),
            Formula::ForAll { variable, from, to, body } => Formula::ForAll {
                variable: variable.clone(),
                from: sub(from),
                to: sub(to),
                body: Box::new(body.substitute(&without(substitution, variable))),
            },
            Formula::ForReal { variable, from, to, body } => Formula::ForReal {
                variable: variable.clone(),
                from: sub(from),
                to: sub(to),
                body: Box::new(body.substitute(&without(substitution, variable))),
            },
            Formula::ForEach { variable, members, body } => Formula::ForEach {
                variable: variable.clone(),
                members: members.iter().map(sub).collect(),
                body: Box::new(body.substitute(&without(substitution, variable))),
            },
        }
    }
}

fn without(substitution: &Substitution, variable: &str) -> Substitution {
    let mut inner = substitution.clone();
    inner.remove(variable);
    inner
}

/// Binding strength of what a term prints as: 1 sum, 2 product, 3 sign, 4 power, 5 atom.
fn strength(term: &Term) -> u8 {
    match term {
        Term::Apply(Op::Add, _) => 1,
        Term::Apply(Op::Mul | Op::Div, _) => 2,
        Term::Apply(Op::Neg, _) => 3,
        Term::Apply(Op::Pow, _) => 4,
        Term::Number(q) if q.is_negative() => 3,
        Term::Number(q) if !q.is_integer() => 2,
        _ => 5,
    }
}

struct At<'a>(&'a Term, u8);

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if strength(self.0) < self.1 { write!(f, "({})", self.0) } else { write!(f, "{}", self.0) }
    }
}

fn list(f: &mut fmt::Formatter<'_>, terms: &[Term]) -> fmt::Result {
    for (i, term) in terms.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{term}")?;
    }
    Ok(())
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Number(q) => write!(f, "{q}"),
            Term::Pi => f.write_str("pi"),
            Term::Euler => f.write_str("e"),
            Term::Infinity => f.write_str("inf"),
            Term::Name(name) => f.write_str(name),
            Term::Apply(Op::Add, terms) => {
                for (i, term) in terms.iter().enumerate() {
                    match term {
                        Term::Apply(Op::Neg, inner) if i > 0 && inner.len() == 1 => {
                            write!(f, " - {}", At(&inner[0], 2))?;
                        }
                        Term::Number(q) if i > 0 && q.is_negative() => {
                            write!(f, " - {}", At(&Term::Number(-q.clone()), 2))?;
                        }
                        _ if i > 0 => write!(f, " + {}", At(term, 2))?,
                        _ => write!(f, "{}", At(term, 2))?,
                    }
                }
                Ok(())
            }
            Term::Apply(Op::Mul, terms) => {
                for (i, term) in terms.iter().enumerate() {
                    if i > 0 {
                        f.write_str("*")?;
                    }
                    write!(f, "{}", At(term, if i == 0 { 2 } else { 3 }))?;
                }
                Ok(())
            }
            Term::Apply(Op::Div, terms) if terms.len() == 2 => {
                write!(f, "{}/{}", At(&terms[0], 2), At(&terms[1], 4))
            }
            Term::Apply(Op::Neg, terms) if terms.len() == 1 => write!(f, "-{}", At(&terms[0], 4)),
            Term::Apply(Op::Pow, terms) if terms.len() == 2 => {
                write!(f, "{}^{}", At(&terms[0], 5), At(&terms[1], 4))
            }
            Term::Apply(op, terms) => {
                let name = Op::CALLS.iter().find(|(_, o, _)| o == op).map_or("?", |(name, _, _)| name);
                write!(f, "{name}(")?;
                list(f, terms)?;
                f.write_str(")")
            }
            Term::Big { big, variable, from, to, body } => {
                let name = match big {
                    Big::Sum => "sum",
                    Big::Prod => "prod",
                    Big::Max => "max",
                    Big::Min => "min",
                };
                write!(f, "{name}({variable} in {from}..{to} : {body})")
            }
            Term::Cases(branches) => {
                f.write_str("cases { ")?;
                for (i, (condition, value)) in branches.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    match condition {
                        Some(condition) => write!(f, "{value} if {condition}")?,
                        None => write!(f, "{value} otherwise")?,
                    }
                }
                f.write_str(" }")
            }
            Term::Quantity(head, arguments) if head == "on" && arguments.len() == 2 => {
                write!(f, "{} on {}", arguments[0], arguments[1])
            }
            Term::Quantity(head, arguments) if head == "robust_radius" && arguments.len() == 4 => {
                write!(f, "radius({}, {}[{}], {})", arguments[0], arguments[1], arguments[2], arguments[3])
            }
            Term::Quantity(head, arguments) => {
                write!(f, "{head}(")?;
                list(f, arguments)?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Relation::Le => "<=",
            Relation::Lt => "<",
            Relation::Ge => ">=",
            Relation::Gt => ">",
            Relation::Eq => "=",
        })
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Formula::Compare(a, relation, b) => write!(f, "{a} {relation} {b}"),
            Formula::Within(a, low, high) => write!(f, "{a} in [{low}, {high}]"),
            Formula::Holds(name, arguments) => {
                write!(f, "{name}(")?;
                list(f, arguments)?;
                f.write_str(")")
            }
            Formula::And(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 {
                        f.write_str(" and ")?;
                    }
                    write!(f, "{part}")?;
                }
                Ok(())
            }
            Formula::ForAll { variable, from, to, body } => write!(f, "forall {variable} in {from}..{to} : {body}"),
            Formula::ForReal { variable, from, to, body } => write!(f, "forall {variable} in [{from}, {to}] : {body}"),
            Formula::ForEach { variable, members, body } => {
                write!(f, "forall {variable} in {{")?;
                list(f, members)?;
                write!(f, "}} : {body}")
            }
        }
    }
}

/// The integer value of a number, if it is one.
pub fn integer(q: &BigRational) -> Option<&BigInt> {
    if q.denom().is_one() { Some(q.numer()) } else { None }
}

/// `true` for 0 < q.
pub fn is_positive(q: &BigRational) -> bool {
    !q.is_zero() && q.is_positive()
}
