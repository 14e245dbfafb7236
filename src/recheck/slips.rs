//! Classic slips: one change at one place of a formula. Trust: untrusted, a hint for readers.
//!
//! The list is what the literature and public code show again and again: another logarithm, a lost or gained factor 2, a root that
//! opens or closes elsewhere, delta for delta/2, n for n - 1, bits for nats, a deviation for a variance, the arguments of kl swapped,
//! a bisection that returns its midpoint, percent for a fraction, a forgotten term.

use super::sheet::Sheet;
use crate::kernel::derive::Workspace;
use crate::kernel::real::Truth;
use crate::kernel::term::{Formula, Op, Relation, Substitution, Term};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::One;

/// Stands for the value of a changed `kl_inverse` in its formula.
pub const HOLE: &str = "?";
/// Halvings after which a bisection may have stopped.
const HALVINGS: std::ops::RangeInclusive<u32> = 4..=30;
/// Halvings for a root that no function of the kernel gives.
const SWAPPED_HALVINGS: u32 = 40;
/// Most variants of one formula.
const LIMIT: usize = 500;
/// Largest formula, in symbols, in which slips are looked for.
const SIZE_LIMIT: usize = 400;

/// A formula with one slip.
#[derive(Clone, Debug)]
pub struct Slip {
    /// What a reader is told; no two slips of a formula are told alike.
    pub text: String,
    words: String,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Formula(Term),
    /// `kl_inverse(q, c)` replaced by something that is no term: the formula with a hole, and what fills it.
    Inverse {
        place: Term,
        q: Term,
        c: Term,
        how: Inverse,
    },
}

impl Slip {
    fn new(words: String, change: Change) -> Slip {
        Slip { text: String::new(), words, change }
    }
}

/// Wrong ways to invert kl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inverse {
    /// The last midpoint after so many halvings of [q, 1].
    Midpoint(u32),
    /// `sup { p >= q : kl(p, q) <= c }`
    Swapped,
}

impl Inverse {
    /// The wrong value at a point; `None` where there is none.
    pub fn value(self, workspace: &Workspace, q: &Term, c: &Term) -> Option<BigRational> {
        let q = workspace.evaluate(q).ok()?.0.as_rational()?;
        match self {
            Inverse::Midpoint(steps) => midpoint(workspace, &q, c, steps),
            Inverse::Swapped => swapped(workspace, &q, c),
        }
    }
}

/// The middle of the bracket that holds the root after `steps - 1` halvings of [q, 1].
fn midpoint(workspace: &Workspace, q: &BigRational, c: &Term, steps: u32) -> Option<BigRational> {
    let inverse = Term::Apply(Op::KlInverse, vec![Term::Number(q.clone()), c.clone()]);
    let root = workspace.evaluate(&inverse).ok()?.0.enclosure().hi()?.to_rational().ok()?;
    let width = (BigRational::one() - q) / (BigInt::one() << (steps - 1));
    let place = ((root - q) / &width).floor();
    Some(q + (place + BigRational::new(1.into(), 2.into())) * width)
}

/// Bisection for the root of kl(p, q) = c in p.
fn swapped(workspace: &Workspace, q: &BigRational, c: &Term) -> Option<BigRational> {
    let (mut low, mut high) = (q.clone(), BigRational::one());
    for _ in 0..SWAPPED_HALVINGS {
        let middle = (&low + &high) / BigInt::from(2);
        let kl = Term::Apply(Op::Kl, vec![Term::Number(middle.clone()), Term::Number(q.clone())]);
        match workspace.decide(&Formula::Compare(kl, Relation::Le, c.clone())).ok()?.0 {
            Truth::True => low = middle,
            _ => high = middle,
        }
    }
    Some(low)
}

/// What a column seems to hold, by its name and its numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Confidence,
    Count,
    Information,
    Deviation,
    Rate,
    Other,
}

fn role(column: &str, sheet: &Sheet) -> Role {
    let name = column.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["delta", "alpha", "conf"]) {
        Role::Confidence
    } else if has(&["nats", "bits", "kl", "len", "info", "entropy"]) {
        Role::Information
    } else if has(&["sigma", "std", "var", "dev"]) {
        Role::Deviation
    } else if has(&["err", "risk", "loss", "acc"]) {
        Role::Rate
    } else if sheet.is_count(column) {
        Role::Count
    } else {
        Role::Other
    }
}

/// All slips of a formula in the names `variable.column`, the likelier ones first.
pub fn slips(formula: &Term, variable: &str, sheet: &Sheet) -> Vec<Slip> {
    if super::statement::size(formula) > SIZE_LIMIT {
        return Vec::new();
    }
    let context = Context { variable, sheet };
    let mut changes = Vec::new();
    context.at_every_place(formula, &|whole| whole, &mut changes);
    context.everywhere(formula, &mut changes);
    context.printed(formula, &mut changes);
    changes.sort_by_key(|change| change.0);
    let mut slips: Vec<Slip> = Vec::new();
    for (_, slip) in changes {
        // The same words for another place of the formula.
        let namesakes = slips.iter().filter(|known| known.words == slip.words).count();
        if slips.len() < LIMIT && !slips.iter().any(|known| known.change == slip.change) {
            let text =
                if namesakes == 0 { slip.words.clone() } else { format!("{} (place {})", slip.words, namesakes + 1) };
            slips.push(Slip { text, ..slip });
        }
    }
    slips
}

/// How unlikely a slip is, for the order.
type Rank = u8;

struct Context<'a> {
    variable: &'a str,
    sheet: &'a Sheet,
}

fn apply(op: Op, arguments: Vec<Term>) -> Term {
    Term::Apply(op, arguments)
}

fn half(term: &Term) -> Term {
    apply(Op::Div, vec![term.clone(), Term::int(2)])
}

fn double(term: &Term) -> Term {
    apply(Op::Mul, vec![Term::int(2), term.clone()])
}

fn hundredth(term: &Term) -> Term {
    apply(Op::Div, vec![term.clone(), Term::int(100)])
}

fn hundredfold(term: &Term) -> Term {
    apply(Op::Mul, vec![Term::int(100), term.clone()])
}

fn complement(term: &Term) -> Term {
    apply(Op::Add, vec![Term::int(1), apply(Op::Neg, vec![term.clone()])])
}

fn plus(term: &Term, n: i64) -> Term {
    apply(Op::Add, vec![term.clone(), Term::int(n)])
}

fn ln(term: Term) -> Term {
    apply(Op::Ln, vec![term])
}

impl Context<'_> {
    /// A term as a reader of the table writes it: `n` for `r.n`.
    fn shown(&self, term: &Term) -> String {
        let columns = self.sheet.columns().iter();
        let names: Substitution =
            columns.map(|column| (format!("{}.{column}", self.variable), Term::Name(column.clone()))).collect();
        term.substitute(&names).to_string()
    }

    fn replaced(&self, old: &Term, new: &Term, rank: Rank, whole: Term, found: &mut Vec<(Rank, Slip)>) {
        let text = format!("{} for {}", self.shown(new), self.shown(old));
        let named = match new {
            _ if *new == hundredth(old) => format!("percent given for a fraction: {text}"),
            _ if *new == hundredfold(old) => format!("a fraction given for percent: {text}"),
            _ => text,
        };
        found.push((rank, Slip::new(named, Change::Formula(whole))));
    }

    /// The printed number itself in percent, or as a fraction where the formula is in percent.
    fn printed(&self, formula: &Term, found: &mut Vec<(Rank, Slip)>) {
        let shown = self.shown(formula);
        for (words, whole) in [
            (format!("percent printed for a fraction: 100 times {shown}"), hundredfold(formula)),
            (format!("a fraction printed for percent: a hundredth of {shown}"), hundredth(formula)),
        ] {
            found.push((2, Slip::new(words, Change::Formula(whole))));
        }
    }

    /// Visits all places; `around` puts a replacement back into the whole formula.
    fn at_every_place(&self, term: &Term, around: &dyn Fn(Term) -> Term, found: &mut Vec<(Rank, Slip)>) {
        if found.len() > LIMIT {
            return;
        }
        for (rank, new) in self.local(term) {
            self.replaced(term, &new, rank, around(new.clone()), found);
        }
        if let Term::Apply(Op::KlInverse, arguments) = term
            && let [q, c] = arguments.as_slice()
        {
            let place = around(Term::name(HOLE));
            let mut inverse = |rank, how, text: String| {
                let change = Change::Inverse { place: place.clone(), q: q.clone(), c: c.clone(), how };
                found.push((rank, Slip::new(text, change)));
            };
            inverse(3, Inverse::Swapped, "kl(p, q) for kl(q, p) in kl_inverse".to_string());
            for steps in HALVINGS {
                let text = format!("the last midpoint after {steps} halvings for kl_inverse");
                inverse(5, Inverse::Midpoint(steps), text);
            }
        }
        let arguments = match term {
            Term::Apply(_, arguments) => arguments,
            _ => return,
        };
        for (i, argument) in arguments.iter().enumerate() {
            let inner = |new: Term| {
                let mut copy = term.clone();
                if let Term::Apply(_, arguments) = &mut copy {
                    arguments[i] = new;
                }
                around(copy)
            };
            self.at_every_place(argument, &inner, found);
        }
    }

    /// Replacements of this very term.
    fn local(&self, term: &Term) -> Vec<(Rank, Term)> {
        let two = Term::int(2);
        let mut new = Vec::new();
        match term {
            Term::Apply(Op::Ln, x) => {
                new.push((1, apply(Op::Log2, x.clone())));
                new.push((1, apply(Op::Div, vec![term.clone(), ln(Term::int(10))])));
                if let [Term::Apply(Op::Div, parts)] = x.as_slice() {
                    new.push((2, apply(Op::Div, vec![ln(parts[0].clone()), parts[1].clone()])));
                }
            }
            Term::Apply(Op::Log2, x) => new.push((1, apply(Op::Ln, x.clone()))),
            Term::Apply(Op::Sqrt, x) => {
                new.extend(x.first().map(|x| (1, x.clone())));
                if let [Term::Apply(Op::Div, parts)] = x.as_slice() {
                    let root = apply(Op::Sqrt, vec![parts[0].clone()]);
                    new.push((2, apply(Op::Div, vec![root, parts[1].clone()])));
                }
            }
            Term::Apply(Op::Mul, factors) => {
                // Older forms have n or n + 1 where Maurer's has 2 sqrt(n).
                if let [Term::Number(_), Term::Apply(Op::Sqrt, x)] = factors.as_slice() {
                    new.push((2, x[0].clone()));
                    new.push((3, plus(&x[0], 1)));
                }
                for (i, factor) in factors.iter().enumerate() {
                    if matches!(factor, Term::Number(q) if *q > BigRational::one()) {
                        let mut rest = factors.clone();
                        rest.remove(i);
                        let rest = if rest.len() == 1 { rest.remove(0) } else { apply(Op::Mul, rest) };
                        new.push((1, rest));
                    }
                }
            }
            Term::Apply(Op::Div, parts) => {
                // 2 sqrt(n)/delta as 2 sqrt(n/delta): the root closes late.
                let (over, under) = (&parts[0], &parts[1]);
                let factors = match over {
                    Term::Apply(Op::Mul, factors) => factors.clone(),
                    other => vec![other.clone()],
                };
                for (i, factor) in factors.iter().enumerate() {
                    if let Term::Apply(Op::Sqrt, x) = factor {
                        let mut changed = factors.clone();
                        changed[i] = apply(Op::Sqrt, vec![apply(Op::Div, vec![x[0].clone(), under.clone()])]);
                        let product = if changed.len() == 1 { changed.remove(0) } else { apply(Op::Mul, changed) };
                        new.push((2, product));
                    }
                }
                new.push((3, apply(Op::Div, vec![over.clone(), double(under)])));
                new.push((3, apply(Op::Div, vec![double(over), under.clone()])));
            }
            Term::Apply(Op::Add, terms) if terms.len() > 1 => {
                for i in 0..terms.len() {
                    let mut rest = terms.clone();
                    rest.remove(i);
                    new.push((4, if rest.len() == 1 { rest.remove(0) } else { apply(Op::Add, rest) }));
                    // A lower bound for an upper one.
                    if i > 0 {
                        let mut signed = terms.clone();
                        signed[i] = apply(Op::Neg, vec![signed[i].clone()]);
                        new.push((5, apply(Op::Add, signed)));
                    }
                }
            }
            Term::Apply(Op::Pow, parts) if parts[1] == two => new.push((2, parts[0].clone())),
            Term::Apply(Op::Kl, parts) => new.push((3, apply(Op::Kl, vec![parts[1].clone(), parts[0].clone()]))),
            Term::Apply(Op::KlInverse, parts) => {
                let pinsker = apply(Op::Sqrt, vec![half(&parts[1])]);
                new.push((4, apply(Op::Add, vec![parts[0].clone(), pinsker])));
            }
            Term::Name(name) => new.extend(self.of_column(term, name)),
            _ => {}
        }
        new
    }

    /// Replacements of a column.
    fn of_column(&self, term: &Term, name: &str) -> Vec<(Rank, Term)> {
        let Some(column) = name.strip_prefix(self.variable).and_then(|rest| rest.strip_prefix('.')) else {
            return Vec::new();
        };
        let ln2 = || ln(Term::int(2));
        match role(column, self.sheet) {
            // A level of confidence is one minus it.
            Role::Confidence => vec![
                (1, half(term)),
                (1, double(term)),
                (2, complement(term)),
                (3, hundredth(term)),
                (3, hundredfold(term)),
            ],
            Role::Count => vec![(2, plus(term, -1)), (2, plus(term, 1)), (3, double(term)), (3, half(term))],
            Role::Information => {
                vec![(1, apply(Op::Mul, vec![term.clone(), ln2()])), (1, apply(Op::Div, vec![term.clone(), ln2()]))]
            }
            Role::Deviation => {
                vec![(1, apply(Op::Pow, vec![term.clone(), Term::int(2)])), (1, apply(Op::Sqrt, vec![term.clone()]))]
            }
            Role::Rate => vec![(3, complement(term)), (3, hundredth(term)), (3, hundredfold(term))],
            Role::Other => Vec::new(),
        }
    }

    /// Replacements of a column at all its places at once.
    fn everywhere(&self, formula: &Term, found: &mut Vec<(Rank, Slip)>) {
        let mut names = std::collections::BTreeSet::new();
        super::statement::collect(formula, &mut names);
        for name in names {
            let term = Term::Name(name.clone());
            if occurrences(formula, &name) < 2 {
                continue;
            }
            for (rank, new) in self.of_column(&term, &name) {
                let whole = formula.substitute(&[(name.clone(), new.clone())].into());
                let text = format!("{} for {} throughout", self.shown(&new), self.shown(&term));
                found.push((rank.saturating_add(1), Slip::new(text, Change::Formula(whole))));
            }
        }
    }
}

fn occurrences(term: &Term, name: &str) -> usize {
    match term {
        Term::Name(other) => usize::from(other == name),
        Term::Apply(_, arguments) | Term::Quantity(_, arguments) => {
            arguments.iter().map(|argument| occurrences(argument, name)).sum()
        }
        Term::Big { from, to, body, .. } => [from, to, body].into_iter().map(|part| occurrences(part, name)).sum(),
        Term::Cases(branches) => branches.iter().map(|(_, value)| occurrences(value, name)).sum(),
        Term::Number(_) | Term::Pi | Term::Euler | Term::Infinity => 0,
    }
}
