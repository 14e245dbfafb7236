//! Every fault of a file at once, each behind a switch.
//!
//! `a < b` becomes `match (&a, &b) { (l, r) => if fault(7) { l <= r } else { l < r } }`: one build holds all faults, and an environment
//! variable says which one is on. Operands are evaluated once, in their order. A fault that does not compile is left out of the next
//! build; its number stays.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use std::collections::HashSet;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, BinOp, Block, Expr, ImplItem, Item, LitInt, Pat, ReturnType, Signature, Stmt, Type, UnOp, parse_quote};

/// One fault that can be switched on.
#[derive(Clone, Debug)]
pub struct Fault {
    pub number: usize,
    pub file: String,
    pub line: usize,
    pub function: String,
    pub what: String,
}

/// Methods whose exchange turns a direction, a quantifier or an operation around.
const METHODS: [(&str, &str); 10] = [
    ("min", "max"),
    ("any", "all"),
    ("floor", "ceil"),
    ("div_floor", "div_ceil"),
    ("round_down", "round_up"),
    ("is_positive", "is_negative"),
    ("is_some", "is_none"),
    ("low", "high"),
    ("lower", "upper"),
    ("checked_add", "checked_sub"),
];

/// The same for names of variants.
const VARIANTS: [(&str, &str); 5] =
    [("Down", "Up"), ("True", "False"), ("Low", "High"), ("Lower", "Upper"), ("Less", "Greater")];

pub struct Planter<'a> {
    file: &'a str,
    function: Vec<String>,
    /// Where no code runs: constants, patterns, types.
    is_fixed: bool,
    left_out: &'a HashSet<usize>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Planter<'a> {
    pub fn new(file: &'a str, left_out: &'a HashSet<usize>, faults: &'a mut Vec<Fault>) -> Planter<'a> {
        Planter { file, function: Vec::new(), is_fixed: false, left_out, faults }
    }

    /// A switch for one more fault, unless it is left out.
    fn switch(&mut self, at: Span, what: impl Into<String>) -> Option<Expr> {
        let number = self.faults.len();
        self.faults.push(Fault {
            number,
            file: self.file.to_string(),
            line: at.start().line,
            function: self.function.join("::"),
            what: what.into(),
        });
        if self.left_out.contains(&number) {
            return None;
        }
        let literal = LitInt::new(&number.to_string(), Span::call_site());
        Some(parse_quote!(crate::fault(#literal)))
    }

    /// `if switch { changed } else { original }` for every change.
    fn choice(&mut self, at: Span, original: Expr, changes: Vec<(String, Expr)>) -> Expr {
        changes.into_iter().rev().fold(original, |otherwise, (what, changed)| match self.switch(at, what) {
            Some(switch) => parse_quote!(if #switch { #changed } else { #otherwise }),
            None => otherwise,
        })
    }

    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.function.push(name);
        visit(self);
        self.function.pop();
    }

    fn fixed(&mut self, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.is_fixed, true);
        visit(self);
        self.is_fixed = before;
    }

    /// The body answers at once with a value of its type.
    fn answers(&mut self, signature: &Signature, block: &mut Block) {
        let at = signature.ident.span();
        let values: Vec<Expr> = match &signature.output {
            ReturnType::Default => vec![parse_quote!(())],
            ReturnType::Type(_, of) => values_of(of),
        };
        for value in values {
            let what = format!("answers {}", text(&value));
            if let Some(switch) = self.switch(at, what) {
                block.stmts.insert(0, parse_quote!(if #switch { return #value; }));
            }
        }
    }

    fn binary(&mut self, expr: &mut Expr) {
        let Expr::Binary(binary) = &*expr else { return };
        let (at, op) = (binary.op.span(), binary.op);
        let (left, right) = (&binary.left, &binary.right);
        let changes = operators(&op);
        if changes.is_empty() || holds_let(left) || holds_let(right) {
            return;
        }
        let what = |change: &BinOp| format!("{} for {}", text(change), text(&op));
        *expr = match op {
            BinOp::And(_) | BinOp::Or(_) => {
                let Some(switch) = self.switch(at, what(&changes[0])) else { return };
                // The left side decides alone where it is false for `and`, true for `or`; the fault turns that around.
                let decides: Expr = if matches!(op, BinOp::And(_)) {
                    parse_quote!(left__ == #switch)
                } else {
                    parse_quote!(left__ != #switch)
                };
                parse_quote!((match #left { left__ => if #decides { left__ } else { #right } }))
            }
            BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_) => {
                let changes =
                    changes.iter().map(|change| (what(change), parse_quote!(#left #change right__))).collect();
                let choice = self.choice(at, parse_quote!(#left #op right__), changes);
                parse_quote!((match #right { right__ => #choice }))
            }
            _ => {
                let compares = matches!(
                    op,
                    BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) | BinOp::Eq(_) | BinOp::Ne(_)
                );
                // Literals stay where the types of their numbers are found.
                let (l, r): (Expr, Expr) = match (is_literal(left), is_literal(right)) {
                    (true, true) => return,
                    (true, false) if compares => (parse_quote!(#left), parse_quote!(*right__)),
                    (false, true) if compares => (parse_quote!(*left__), parse_quote!(#right)),
                    (true, false) => (parse_quote!(#left), parse_quote!(right__)),
                    (false, true) => (parse_quote!(left__), parse_quote!(#right)),
                    (false, false) => (parse_quote!(left__), parse_quote!(right__)),
                };
                let changes = changes.iter().map(|change| (what(change), parse_quote!(#l #change #r))).collect();
                let choice = self.choice(at, parse_quote!(#l #op #r), changes);
                match (is_literal(left), is_literal(right), compares) {
                    (true, _, true) => parse_quote!((match &(#right) { right__ => #choice })),
                    (_, true, true) => parse_quote!((match &(#left) { left__ => #choice })),
                    (_, _, true) => parse_quote!((match (&(#left), &(#right)) { (left__, right__) => #choice })),
                    (true, _, false) => parse_quote!((match #right { right__ => #choice })),
                    (_, true, false) => parse_quote!((match #left { left__ => #choice })),
                    (_, _, false) => parse_quote!((match (#left, #right) { (left__, right__) => #choice })),
                }
            }
        };
    }

    fn unary(&mut self, expr: &mut Expr) {
        let Expr::Unary(unary) = &*expr else { return };
        let (at, op, inner) = (unary.op.span(), unary.op, &unary.expr);
        if !matches!(op, UnOp::Not(_) | UnOp::Neg(_)) {
            return;
        }
        let Some(switch) = self.switch(at, format!("no {}", text(&op))) else { return };
        *expr = if is_literal(inner) {
            parse_quote!((if #switch { #inner } else { #op #inner }))
        } else {
            parse_quote!((match #inner { inner__ => if #switch { inner__ } else { #op inner__ } }))
        };
    }

    fn method(&mut self, expr: &mut Expr) {
        let Expr::MethodCall(call) = &*expr else { return };
        let name = call.method.to_string();
        let Some(other) = other(&METHODS, &name) else { return };
        let Some(switch) = self.switch(call.method.span(), format!("{other} for {name}")) else { return };
        let mut changed = call.clone();
        changed.method = syn::Ident::new(other, Span::call_site());
        *expr = parse_quote!((if #switch { #changed } else { #call }));
    }

    fn variant(&mut self, expr: &mut Expr) {
        let Expr::Path(path) = &*expr else { return };
        let Some(last) = path.path.segments.last().filter(|_| path.path.segments.len() > 1) else { return };
        let name = last.ident.to_string();
        let Some(other) = other(&VARIANTS, &name) else { return };
        let Some(switch) = self.switch(last.ident.span(), format!("{other} for {name}")) else { return };
        let mut changed = path.clone();
        changed.path.segments.last_mut().expect("a segment").ident = syn::Ident::new(other, Span::call_site());
        *expr = parse_quote!((if #switch { #changed } else { #path }));
    }

    /// A branch without an alternative, which is where checks refuse, is never taken.
    fn branch(&mut self, expr: &mut Expr) {
        let Expr::If(branch) = expr else { return };
        if branch.else_branch.is_some() {
            return;
        }
        let at = branch.if_token.span();
        let Some(switch) = self.switch(at, "branch never taken") else { return };
        let condition = &branch.cond;
        branch.cond = if holds_let(condition) {
            Box::new(parse_quote!(!#switch && #condition))
        } else {
            Box::new(parse_quote!(!#switch && (#condition)))
        };
    }

    fn arms(&mut self, expr: &mut Expr) {
        let Expr::Match(matching) = expr else { return };
        let catches = matching.arms.iter().any(|arm| arm.guard.is_none() && catches_all(&arm.pat));
        for arm in &mut matching.arms {
            let at = arm.pat.span();
            if let Some((_, guard)) = &arm.guard
                && !holds_let(guard)
            {
                let guard = guard.clone();
                self.guard(arm, at, "guard always true", |switch| parse_quote!(#switch || (#guard)));
            }
            if catches && !catches_all(&arm.pat) {
                let guard = arm.guard.as_ref().map(|(_, guard)| guard.clone());
                self.guard(arm, at, "arm never taken", |switch| match guard {
                    Some(guard) => parse_quote!(!#switch && (#guard)),
                    None => parse_quote!(!#switch),
                });
            }
        }
    }

    fn guard(&mut self, arm: &mut Arm, at: Span, what: &str, guard: impl FnOnce(Expr) -> Expr) {
        if let Some(switch) = self.switch(at, format!("{what}: {}", text(&arm.pat))) {
            arm.guard = Some((Default::default(), Box::new(guard(switch))));
        }
    }
}

impl VisitMut for Planter<'_> {
    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            Item::Mod(module) if module.attrs.iter().any(is_test) => {}
            Item::Fn(function) if function.attrs.iter().any(is_test) || function.sig.constness.is_some() => {}
            Item::Fn(function) => {
                let name = function.sig.ident.to_string();
                self.within(name, |planter| {
                    planter.visit_block_mut(&mut function.block);
                    planter.answers(&function.sig, &mut function.block);
                });
            }
            Item::Impl(implementation) if !implementation.attrs.iter().any(is_test) => {
                let mut name = text(&implementation.self_ty);
                if let Some((_, of, _)) = &implementation.trait_ {
                    name = format!("{} for {name}", text(of));
                }
                self.within(name, |planter| visit_mut::visit_item_impl_mut(planter, implementation));
            }
            Item::Trait(_) | Item::Mod(_) => visit_mut::visit_item_mut(self, item),
            _ => {}
        }
    }

    fn visit_impl_item_mut(&mut self, item: &mut ImplItem) {
        let ImplItem::Fn(function) = item else { return };
        if function.sig.constness.is_some() || function.attrs.iter().any(is_test) {
            return;
        }
        let name = function.sig.ident.to_string();
        self.within(name, |planter| {
            planter.visit_block_mut(&mut function.block);
            planter.answers(&function.sig, &mut function.block);
        });
    }

    fn visit_pat_mut(&mut self, _: &mut Pat) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        visit_mut::visit_stmt_mut(self, statement);
        let Stmt::Expr(expr, Some(_)) = &*statement else { return };
        if self.is_fixed || !matches!(expr, Expr::Call(_) | Expr::MethodCall(_) | Expr::Try(_)) {
            return;
        }
        if let Some(switch) = self.switch(expr.span(), "statement left out") {
            *statement = parse_quote!(if !#switch { #expr; });
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Const(_) | Expr::Macro(_) => return,
            // A table that lives as long as the program must stay constant.
            Expr::Reference(reference) if matches!(*reference.expr, Expr::Array(_)) => return,
            Expr::Repeat(repeat) => {
                self.visit_expr_mut(&mut repeat.expr);
                return self.fixed(|planter| planter.visit_expr_mut(&mut repeat.len));
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
        if self.is_fixed {
            return;
        }
        match expr {
            Expr::Binary(_) => self.binary(expr),
            Expr::Unary(_) => self.unary(expr),
            Expr::MethodCall(_) => self.method(expr),
            Expr::Path(_) => self.variant(expr),
            Expr::If(_) => self.branch(expr),
            Expr::Match(_) => self.arms(expr),
            _ => {}
        }
    }
}

/// What stands for `op` in a fault.
fn operators(op: &BinOp) -> Vec<BinOp> {
    match op {
        BinOp::Lt(_) => vec![parse_quote!(<=), parse_quote!(>=)],
        BinOp::Le(_) => vec![parse_quote!(<), parse_quote!(>)],
        BinOp::Gt(_) => vec![parse_quote!(>=), parse_quote!(<=)],
        BinOp::Ge(_) => vec![parse_quote!(>), parse_quote!(<)],
        BinOp::Eq(_) => vec![parse_quote!(!=)],
        BinOp::Ne(_) => vec![parse_quote!(==)],
        BinOp::And(_) => vec![parse_quote!(||)],
        BinOp::Or(_) => vec![parse_quote!(&&)],
        BinOp::Add(_) => vec![parse_quote!(-), parse_quote!(*)],
        BinOp::Sub(_) => vec![parse_quote!(+)],
        BinOp::Mul(_) => vec![parse_quote!(+)],
        BinOp::Div(_) => vec![parse_quote!(*)],
        BinOp::Rem(_) => vec![parse_quote!(/)],
        BinOp::Shl(_) => vec![parse_quote!(>>)],
        BinOp::Shr(_) => vec![parse_quote!(<<)],
        BinOp::BitAnd(_) => vec![parse_quote!(|)],
        BinOp::BitOr(_) | BinOp::BitXor(_) => vec![parse_quote!(&)],
        BinOp::AddAssign(_) => vec![parse_quote!(-=)],
        BinOp::SubAssign(_) => vec![parse_quote!(+=)],
        BinOp::MulAssign(_) => vec![parse_quote!(+=)],
        BinOp::DivAssign(_) => vec![parse_quote!(*=)],
        BinOp::RemAssign(_) => vec![parse_quote!(/=)],
        BinOp::ShlAssign(_) => vec![parse_quote!(>>=)],
        BinOp::ShrAssign(_) => vec![parse_quote!(<<=)],
        _ => Vec::new(),
    }
}

/// Values a function of this type may answer without looking.
fn values_of(of: &Type) -> Vec<Expr> {
    let Type::Path(path) = of else {
        return match of {
            Type::Tuple(_) | Type::Array(_) => vec![parse_quote!(Default::default())],
            _ => Vec::new(),
        };
    };
    let Some(last) = path.path.segments.last() else { return Vec::new() };
    let first = match &last.arguments {
        syn::PathArguments::AngleBracketed(of) => of.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::Type(of) => Some(of.clone()),
            _ => None,
        }),
        _ => None,
    };
    match (last.ident.to_string().as_str(), first) {
        ("bool", _) => vec![parse_quote!(true), parse_quote!(false)],
        ("u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize", _) => {
            vec![parse_quote!(0), parse_quote!(1)]
        }
        ("Option", Some(of)) => {
            let mut values: Vec<Expr> = vec![parse_quote!(None)];
            values.extend(values_of(&of).into_iter().map(|value| parse_quote!(Some(#value))));
            values
        }
        ("Result", Some(of)) => match &of {
            Type::Tuple(tuple) if tuple.elems.is_empty() => vec![parse_quote!(Ok(()))],
            of => values_of(of).into_iter().map(|value| parse_quote!(Ok(#value))).collect(),
        },
        ("Truth", _) => vec![parse_quote!(Truth::True), parse_quote!(Truth::False)],
        _ => vec![parse_quote!(Default::default())],
    }
}

fn other<'n>(pairs: &[(&'n str, &'n str)], name: &str) -> Option<&'n str> {
    pairs.iter().find_map(|(a, b)| if *a == name { Some(*b) } else { (*b == name).then_some(*a) })
}

fn is_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("test") || attribute.path().is_ident("cfg") && text(&attribute.meta).contains("test")
}

fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(unary) => is_literal(&unary.expr),
        Expr::Paren(paren) => is_literal(&paren.expr),
        _ => false,
    }
}

/// A condition with `let` binds names for what follows and cannot be moved.
fn holds_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => holds_let(&binary.left) || holds_let(&binary.right),
        _ => false,
    }
}

fn catches_all(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => {
            name.subpat.is_none() && name.ident.to_string().starts_with(|c: char| c.is_lowercase() || c == '_')
        }
        _ => false,
    }
}

fn text(of: &impl ToTokens) -> String {
    quote!(#of).to_string()
}
