//! Expressions and statements. Parentheses are printed where the grammar needs them, and around a function within a relation.

use crate::syntax::ast::*;

/// How tightly an expression binds; a part is put in parentheses if it binds less tightly than its place demands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Lambda,
    Range,
    Sum,
    Product,
    Neg,
    Power,
    Atom,
}

fn level(expr: &Expr) -> Level {
    match &expr.kind {
        ExprKind::Lambda { .. } => Level::Lambda,
        ExprKind::Range { .. } => Level::Range,
        ExprKind::Sum(_) => Level::Sum,
        ExprKind::Product(_) => Level::Product,
        ExprKind::Neg(_) => Level::Neg,
        ExprKind::Power { .. } => Level::Power,
        _ => Level::Atom,
    }
}

#[derive(Default)]
pub struct Printer {
    pub out: String,
    /// Columns by which a broken line begins.
    pub indent: usize,
    /// Between bars, where a norm needs parentheses.
    inside_bars: bool,
}

impl Printer {
    pub fn indented(indent: usize) -> Printer {
        Printer { indent, ..Printer::default() }
    }

    pub fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    pub fn newline(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', self.indent));
    }

    /// `list` separated by `separator`.
    pub fn joined<T>(&mut self, list: &[T], separator: &str, mut print: impl FnMut(&mut Printer, &T)) {
        for (i, element) in list.iter().enumerate() {
            if i > 0 {
                self.put(separator);
            }
            print(self, element);
        }
    }

    /// Prints between brackets, within which bars may open again.
    fn bracketed(&mut self, open: &str, close: &str, inner: impl FnOnce(&mut Printer)) {
        let outside = std::mem::replace(&mut self.inside_bars, false);
        self.put(open);
        inner(self);
        self.put(close);
        self.inside_bars = outside;
    }

    pub fn expr(&mut self, expr: &Expr) {
        self.expr_at(expr, Level::Lambda);
    }

    /// One side of a relation, or the range of a variable.
    pub fn side(&mut self, expr: &Expr) {
        self.expr_at(expr, Level::Range);
    }

    fn expr_at(&mut self, expr: &Expr, least: Level) {
        let bare_norm = self.inside_bars && matches!(expr.kind, ExprKind::Norm { .. });
        if level(expr) < least || bare_norm {
            self.bracketed("(", ")", |p| p.bare_expr(expr));
        } else {
            self.bare_expr(expr);
        }
    }

    fn bare_expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(number) => self.put(&number.literal),
            ExprKind::Name(name) => self.put(name),
            ExprKind::Str(text) => self.string(text),
            ExprKind::Sum(terms) => {
                for (i, term) in terms.iter().enumerate() {
                    self.put(match (i, term.sign) {
                        (0, Sign::Plus) => "",
                        (0, Sign::Minus) => "-",
                        (_, Sign::Plus) => " + ",
                        (_, Sign::Minus) => " - ",
                    });
                    self.expr_at(&term.expr, Level::Product);
                }
            }
            ExprKind::Product(factors) => {
                for (i, factor) in factors.iter().enumerate() {
                    self.put(match (i, factor.inverse) {
                        (0, false) => "",
                        (0, true) => "1/",
                        (_, false) => "*",
                        (_, true) => "/",
                    });
                    self.expr_at(&factor.expr, Level::Neg);
                }
            }
            ExprKind::Power { base, exponent } => {
                self.expr_at(base, Level::Atom);
                self.put("^");
                self.expr_at(exponent, Level::Neg);
            }
            ExprKind::Neg(inner) => {
                self.put("-");
                // Two dashes would begin a comment.
                let least = if matches!(inner.kind, ExprKind::Neg(_)) { Level::Power } else { Level::Neg };
                self.expr_at(inner, least);
            }
            ExprKind::Call { function, args } => {
                self.expr_at(function, Level::Atom);
                self.args(args);
            }
            ExprKind::Index { base, index } => {
                self.expr_at(base, Level::Atom);
                self.bracketed("[", "]", |p| p.expr(index));
            }
            ExprKind::Field { base, field } => {
                self.expr_at(base, Level::Atom);
                self.put(".");
                self.put(&field.name);
            }
            ExprKind::Interval(low, high) => self.bracketed("[", "]", |p| {
                p.expr(low);
                p.put(", ");
                p.expr(high);
            }),
            ExprKind::Tuple(elements) => self.bracketed("(", ")", |p| p.joined(elements, ", ", Printer::expr)),
            ExprKind::Set(elements) => self.bracketed("{", "}", |p| p.joined(elements, ", ", Printer::expr)),
            ExprKind::SetComprehension { element, binder } => self.bracketed("{", "}", |p| {
                p.expr(element);
                p.put(" for ");
                p.binder(binder);
            }),
            ExprKind::Norm { expr, norm } => {
                self.put("|");
                let outside = std::mem::replace(&mut self.inside_bars, true);
                self.expr(expr);
                self.inside_bars = outside;
                self.put("|");
                if let Some(norm) = norm {
                    self.put("_");
                    self.put(&norm.name);
                }
            }
            ExprKind::Cases(cases) => self.cases(cases),
            ExprKind::Lambda { params, body } => {
                match params.as_slice() {
                    [one] => self.put(&one.name),
                    many => self.bracketed("(", ")", |p| p.idents(many)),
                }
                self.put(" |-> ");
                self.expr(body);
            }
            ExprKind::Range { start, end } => {
                self.expr_at(start, Level::Sum);
                self.put("..");
                self.expr_at(end, Level::Sum);
            }
            ExprKind::Hole => self.put("?"),
        }
    }

    pub fn idents(&mut self, idents: &[Ident]) {
        self.joined(idents, ", ", |p, ident| p.put(&ident.name));
    }

    pub fn string(&mut self, text: &str) {
        self.put("\"");
        self.put(text);
        self.put("\"");
    }

    /// One arm per line.
    fn cases(&mut self, cases: &[Case]) {
        self.put("cases {");
        self.indent += 2;
        self.bracketed("", "", |p| {
            for (i, case) in cases.iter().enumerate() {
                p.put(if i > 0 { "," } else { "" });
                p.newline();
                p.expr(&case.value);
                match &case.condition {
                    None => p.put(" otherwise"),
                    Some(condition) => {
                        p.put(" if ");
                        p.side(&condition.left);
                        p.rel(condition.rel);
                        p.side(&condition.right);
                    }
                }
            }
        });
        self.indent -= 2;
        self.newline();
        self.put("}");
    }

    /// The argument list with its parentheses.
    pub fn args(&mut self, args: &[Arg]) {
        self.bracketed("(", ")", |p| p.joined(args, ", ", Printer::arg));
    }

    fn arg(&mut self, arg: &Arg) {
        if let Some(name) = &arg.name {
            self.put(&name.name);
            self.put(": ");
        }
        match &arg.value {
            ArgValue::Expr(expr) => self.expr(expr),
            ArgValue::Comprehension { element, binder, notation: Notation::Trailing } => {
                self.expr(element);
                self.put(" for ");
                self.binder(binder);
            }
            ArgValue::Comprehension { element, binder, notation: Notation::Leading } => {
                self.binder(binder);
                self.put(" : ");
                self.expr(element);
            }
            ArgValue::Prop(prop) => self.prop(prop),
        }
        self.domain(arg.domain.as_ref());
    }

    fn domain(&mut self, domain: Option<&Expr>) {
        if let Some(domain) = domain {
            self.put(" on ");
            self.side(domain);
        }
    }

    /// A method, activation or layer with its arguments.
    pub fn method(&mut self, method: &Method) {
        self.put(&method.name.name);
        if !method.args.is_empty() {
            self.args(&method.args);
        }
    }

    pub fn binder(&mut self, binder: &Binder) {
        self.put(&binder.var.name);
        self.rel(binder.rel);
        self.side(&binder.bound);
    }

    pub fn rel(&mut self, rel: Rel) {
        self.put(" ");
        self.put(rel.symbol());
        self.put(" ");
    }

    pub fn prop(&mut self, prop: &Prop) {
        match &prop.kind {
            PropKind::Quantified { quantifier, binders, body } => {
                self.put(match quantifier {
                    Quantifier::Forall => "forall ",
                    Quantifier::Exists => "exists ",
                });
                self.joined(binders, ", ", Printer::binder);
                self.put(" : ");
                self.prop(body);
            }
            PropKind::Implies { premise, conclusion } => {
                self.prop(premise);
                self.put(" implies ");
                self.prop(conclusion);
            }
            PropKind::Relation { first, rest } => {
                self.side(first);
                for (rel, expr) in rest {
                    self.rel(*rel);
                    self.side(expr);
                }
            }
            PropKind::Asymptotic { value, order, rate, var, limit } => {
                self.side(value);
                self.put(" in ");
                self.put(order.symbol());
                self.bracketed("(", ")", |p| p.expr(rate));
                self.put(" as ");
                self.put(&var.name);
                self.put(" -> ");
                self.side(limit);
            }
            PropKind::Bare { expr, domain } => {
                match domain {
                    None => self.expr(expr),
                    Some(_) => self.side(expr),
                }
                self.domain(domain.as_ref());
            }
        }
    }
}
