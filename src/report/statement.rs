//! Theorems as LaTeX: plain LaTeX with amsmath, graphicx for what is wider than a line, and booktabs for tables.

use super::latex::escape;
use crate::kernel::term::{Big, Formula, Op, Relation, Term};
use crate::kernel::theorem::Status;
use crate::theory::rate::Rate;
use crate::theory::{Entry, Library, render, survey};
use num_rational::BigRational;
use num_traits::Signed;

/// Longest conclusion, in characters of LaTeX, that stays on one line.
const LINE: usize = 120;
/// Rows of one part of a table: a `tabular` does not break over pages.
const ROWS: usize = 18;

/// Packages, and `\fit{..}`: a display that shrinks to the line where it is wider.
const HEAD: &str = "% needs \\usepackage{amsmath,graphicx}\n\
    \\providecommand{\\fit}[1]{\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{$\\displaystyle #1$}}";

/// One theorem with what it needs.
pub fn theorem(entry: &Entry) -> String {
    format!("{HEAD}\n\n{}", paragraph(entry))
}

/// Name, hypotheses, conclusion, source.
fn paragraph(entry: &Entry) -> String {
    let statement = &entry.theorem;
    let mut lines = vec![format!("\\paragraph{{{}}} \\emph{{{}.}}", escape(&statement.name), escape(&entry.title))];
    if !statement.requires.is_empty() {
        // A long hypothesis has a line of its own; the short ones may break between them.
        let requires: Vec<String> = statement.requires.iter().map(formula).collect();
        let (long, short): (Vec<_>, Vec<_>) = requires.iter().partition(|text| text.len() > LINE);
        let short: Vec<String> = short.iter().map(|text| format!("\\({text}\\)")).collect();
        let displays: Vec<String> = long.iter().map(|text| format!("\\[{}\\]", fit(text))).collect();
        let parts: Vec<String> =
            [short.join(", ")].into_iter().chain(displays).filter(|part| !part.is_empty()).collect();
        let comma = if long.is_empty() { ", then" } else { "then" };
        lines.push(format!("If {}{comma}", parts.join("\n")));
    }
    lines.push(format!("\\[{}\\]", conclusion(&statement.ensures)));
    if let Some(failure) = &statement.failure {
        lines.push(format!("with probability at least \\(1 - {}\\).", at(failure, 2)));
    }
    let dagger = if matches!(statement.status, Status::Recalled | Status::Unproved) {
        "\\textsuperscript{$\\dagger$}"
    } else {
        ""
    };
    lines.push(format!("{}{dagger} ({}).", escape(&entry.source), escape(render::status(statement.status))));
    lines.join("\n")
}

/// All theorems.
pub fn list(library: &Library) -> String {
    // Unbreakable formulas within a paragraph leave wide gaps rather than stand over.
    let head = format!("{HEAD}\n\\sloppy");
    let statements = library.entries.iter().map(paragraph).chain(library.rates.iter().map(rate));
    std::iter::once(head).chain(statements).collect::<Vec<_>>().join("\n\n")
}

/// One rate: its statement as written.
pub fn rate(rate: &Rate) -> String {
    let mut lines = vec![format!("\\paragraph{{{}}} \\emph{{{}.}}", escape(&rate.name), escape(&rate.title))];
    if !rate.requires.is_empty() {
        lines.push(format!("If {}, then", escape(&rate.requires.join(", "))));
    }
    lines.push(format!("{}.", escape(&rate.ensures)));
    lines.push(format!("{} ({}).", escape(&rate.source), escape(render::RATE)));
    lines.join("\n")
}

/// The coverage table of the survey.
pub fn coverage(library: &Library) -> String {
    let items = survey::items(library);
    let mut lines = vec!["% needs \\usepackage{booktabs}".to_string()];
    for part in items.chunks(ROWS) {
        lines.push("\\begin{center}\\begin{tabular}{lp{0.35\\linewidth}p{0.40\\linewidth}}".to_string());
        lines.push("\\toprule".to_string());
        lines.push("item & what it says & in the library \\\\ \\midrule".to_string());
        for item in part {
            let cells = [&item.item, &item.words, &item.status()].map(|cell| escape(cell));
            lines.push(format!("{} \\\\", cells.join(" & ")));
        }
        lines.push("\\bottomrule".to_string());
        lines.push("\\end{tabular}\\end{center}".to_string());
    }
    lines.push(escape(&survey::summary(&items)));
    lines.join("\n")
}

/// The conclusion; a long sum is broken before its signs.
fn conclusion(ensures: &Formula) -> String {
    let whole = formula(ensures);
    let Formula::Compare(left, relation, Term::Apply(Op::Add, terms)) = ensures else {
        return if whole.len() <= LINE { whole } else { fit(&whole) };
    };
    if whole.len() <= LINE {
        return whole;
    }
    if terms.len() < 2 {
        return fit(&whole);
    }
    let mut lines = vec![format!("{} {} {{}} & {}", term(left), sign(*relation), summand(&terms[0], true))];
    lines.extend(terms.iter().skip(1).map(|part| format!("& {}", summand(part, false))));
    fit(&format!("\\begin{{aligned}}\n{}\n\\end{{aligned}}", lines.join(" \\\\\n")))
}

fn fit(text: &str) -> String {
    format!("\\fit{{{text}}}")
}

fn sign(relation: Relation) -> &'static str {
    match relation {
        Relation::Le => "\\le",
        Relation::Lt => "<",
        Relation::Ge => "\\ge",
        Relation::Gt => ">",
        Relation::Eq => "=",
    }
}

pub fn formula(f: &Formula) -> String {
    match f {
        Formula::Compare(a, relation, b) => format!("{} {} {}", term(a), sign(*relation), term(b)),
        Formula::Within(a, low, high) => format!("{} \\in [{}, {}]", term(a), term(low), term(high)),
        Formula::Holds(name, arguments) => call(name, arguments),
        Formula::And(parts) => parts.iter().map(formula).collect::<Vec<_>>().join(" \\text{ and } "),
        Formula::ForAll { variable, from, to, body } => {
            format!("{} \\text{{ for }} {} = {}, \\dots, {}", formula(body), name(variable), term(from), term(to))
        }
        Formula::ForReal { variable, from, to, body } => {
            format!("{} \\text{{ for }} {} \\in [{}, {}]", formula(body), name(variable), term(from), term(to))
        }
        Formula::ForEach { variable, members, body } => {
            format!("{} \\text{{ for }} {} \\in \\{{{}\\}}", formula(body), name(variable), list_of(members))
        }
    }
}

fn list_of(terms: &[Term]) -> String {
    terms.iter().map(term).collect::<Vec<_>>().join(", ")
}

/// A name of the language in upright letters: `\operatorname{layer\_units}`.
fn upright(name: &str) -> String {
    format!("\\operatorname{{{}}}", name.replace('_', "\\_"))
}

fn call(head: &str, arguments: &[Term]) -> String {
    format!("{}({})", upright(head), list_of(arguments))
}

const GREEK: &[&str] = &[
    "alpha", "beta", "gamma", "delta", "eps", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi", "rho",
    "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Sigma", "Phi", "Psi",
    "Omega",
];

fn name(name: &str) -> String {
    match name {
        "l1" => "\\ell_1".to_string(),
        "l2" => "\\ell_2".to_string(),
        "linf" => "\\ell_\\infty".to_string(),
        "eps" => "\\varepsilon".to_string(),
        "phi" => "\\varphi".to_string(),
        greek if GREEK.contains(&greek) => format!("\\{greek}"),
        letter if letter.chars().count() == 1 => letter.to_string(),
        word => format!("\\mathrm{{{}}}", word.replace('_', "\\_")),
    }
}

/// Binding strength of what is typeset: 1 sum, 2 product, 3 sign, 4 power, 5 fraction, 6 atom. Only a power binds a fraction.
fn strength(t: &Term) -> u8 {
    match t {
        Term::Apply(Op::Add, _) => 1,
        Term::Apply(Op::Mul, _) | Term::Big { .. } => 2,
        Term::Apply(Op::Neg, _) => 3,
        Term::Apply(Op::Pow | Op::Exp, _) => 4,
        Term::Number(q) if q.is_negative() => 3,
        Term::Number(q) if !q.is_integer() => 5,
        Term::Apply(Op::Div, _) => 5,
        _ => 6,
    }
}

fn at(t: &Term, least: u8) -> String {
    if strength(t) < least { format!("\\left({}\\right)", term(t)) } else { term(t) }
}

fn number(q: &BigRational) -> String {
    if q.is_integer() {
        q.to_string()
    } else if q.is_negative() {
        format!("-\\tfrac{{{}}}{{{}}}", -q.numer(), q.denom())
    } else {
        format!("\\tfrac{{{}}}{{{}}}", q.numer(), q.denom())
    }
}

/// A term of a sum with its sign; the first has none where it is positive.
fn summand(t: &Term, is_first: bool) -> String {
    match t {
        Term::Apply(Op::Neg, inner) if inner.len() == 1 => format!("- {}", at(&inner[0], 2)),
        Term::Number(q) if q.is_negative() => format!("- {}", number(&-q.clone())),
        other if is_first => at(other, 2),
        other => format!("+ {}", at(other, 2)),
    }
}

pub fn term(t: &Term) -> String {
    match t {
        Term::Number(q) => number(q),
        Term::Pi => "\\pi".to_string(),
        Term::Euler => "e".to_string(),
        Term::Infinity => "\\infty".to_string(),
        Term::Name(n) => name(n),
        Term::Apply(op, arguments) => apply(*op, arguments),
        Term::Big { big, variable, from, to, body } => {
            let operator = match big {
                Big::Sum => "\\sum",
                Big::Prod => "\\prod",
                Big::Max => "\\max",
                Big::Min => "\\min",
            };
            let (variable, from, to) = (name(variable), term(from), term(to));
            match big {
                Big::Sum | Big::Prod => format!("{operator}_{{{variable}={from}}}^{{{to}}} {}", at(body, 2)),
                Big::Max | Big::Min => format!("{operator}_{{{from} \\le {variable} \\le {to}}} {}", at(body, 2)),
            }
        }
        Term::Cases(branches) => {
            let branch = |(condition, value): &(Option<Formula>, Term)| match condition {
                Some(condition) => format!("{} & \\text{{if }} {}", term(value), formula(condition)),
                None => format!("{} & \\text{{otherwise}}", term(value)),
            };
            let branches: Vec<String> = branches.iter().map(branch).collect();
            format!("\\begin{{cases}} {} \\end{{cases}}", branches.join(" \\\\ "))
        }
        Term::Quantity(head, arguments) if head == "on" && arguments.len() == 2 => {
            format!("{}|_{{{}}}", term(&arguments[0]), term(&arguments[1]))
        }
        Term::Quantity(head, arguments) => call(head, arguments),
    }
}

fn apply(op: Op, arguments: &[Term]) -> String {
    let inner = || list_of(arguments);
    match (op, arguments) {
        (Op::Add, terms) => {
            terms.iter().enumerate().map(|(i, part)| summand(part, i == 0)).collect::<Vec<_>>().join(" ")
        }
        (Op::Mul, factors) => {
            // Numbers side by side need a dot; so does a number after anything.
            let mut text = String::new();
            for (i, factor) in factors.iter().enumerate() {
                // What stands behind a sum's sign belongs to the sum, up to the next plus.
                let is_last = i + 1 == factors.len();
                let is_closed =
                    i == 0 && !matches!(factor, Term::Big { .. }) || is_last && matches!(factor, Term::Big { .. });
                let next = at(factor, if is_closed { 2 } else { 3 });
                let needs_dot = i > 0 && next.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '\\');
                text.push_str(if i == 0 {
                    ""
                } else if needs_dot {
                    " \\cdot "
                } else {
                    " \\, "
                });
                text.push_str(&next);
            }
            text
        }
        (Op::Neg, [x]) => format!("-{}", at(x, 4)),
        (Op::Div, [x, y]) => format!("\\frac{{{}}}{{{}}}", term(x), term(y)),
        (Op::Pow, [x, y]) => format!("{}^{{{}}}", at(x, 6), term(y)),
        (Op::Abs, [x]) => format!("\\left|{}\\right|", term(x)),
        (Op::Sqrt, [x]) => format!("\\sqrt{{{}}}", term(x)),
        (Op::Floor, [x]) => format!("\\left\\lfloor {}\\right\\rfloor", term(x)),
        (Op::Ceil, [x]) => format!("\\left\\lceil {}\\right\\rceil", term(x)),
        (Op::Binomial, [n, k]) => format!("\\binom{{{}}}{{{}}}", term(n), term(k)),
        (Op::Min, _) => format!("\\min\\left({}\\right)", inner()),
        (Op::Max, _) => format!("\\max\\left({}\\right)", inner()),
        (Op::Exp, [x]) => format!("e^{{{}}}", term(x)),
        (Op::Ln, _) => format!("\\ln\\left({}\\right)", inner()),
        (Op::Log2, _) => format!("\\log_2\\left({}\\right)", inner()),
        (Op::Tanh, _) => format!("\\tanh\\left({}\\right)", inner()),
        (Op::Arctan, _) => format!("\\arctan\\left({}\\right)", inner()),
        (Op::Gamma, _) => format!("\\Gamma\\left({}\\right)", inner()),
        (Op::LnGamma, _) => format!("\\ln\\Gamma\\left({}\\right)", inner()),
        (Op::Kl, [q, p]) => format!("\\operatorname{{kl}}\\left({} \\,\\middle\\|\\, {}\\right)", term(q), term(p)),
        (Op::KlInverse, _) => format!("\\operatorname{{kl}}^{{-1}}\\left({}\\right)", inner()),
        (op, _) => {
            let name = Op::CALLS.iter().find(|(_, other, _)| *other == op).map_or("f", |(name, _, _)| name);
            format!("{}\\left({}\\right)", upright(name), inner())
        }
    }
}
