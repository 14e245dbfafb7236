//! `use "setting.spec" as base`: the names of the used spec under another roof, so that two settings can stand side by side.
//!
//! The spec that uses writes `base.f`; the object is called `base_f`, since the kernel reads a dot as "part of a data set".

use crate::syntax::ast::*;
use std::collections::BTreeSet;

/// What the object `name` of the spec used as `alias` is called.
pub fn under(alias: &str, name: &str) -> String {
    format!("{alias}_{name}")
}

/// The names that an item declares.
pub fn declared(item: &Item) -> Option<&str> {
    Some(match &item.kind {
        ItemKind::Let(item) => &item.name.name,
        ItemKind::Param(item) => &item.name.name,
        ItemKind::Domain(item) | ItemKind::Posterior(item) | ItemKind::Prior(item) => &item.name.name,
        ItemKind::Network(item) => &item.name.name,
        ItemKind::Class(item) => &item.name.name,
        ItemKind::Data(item) => &item.name.name,
        ItemKind::Assume(item) => &item.name.name,
        ItemKind::Train(item) => &item.name.name,
        ItemKind::Use(Use { alias: Some(alias), .. }) => &alias.name,
        _ => return None,
    })
}

/// Gives every one of `names`, wherever it is declared, bound or mentioned in the tree, its name under `alias`. A bound variable
/// that shadows one of them is renamed with its uses, so no meaning changes.
#[derive(Clone)]
pub struct Renaming {
    pub alias: String,
    pub names: BTreeSet<String>,
}

impl Renaming {
    fn name(&self, name: &mut String) {
        if self.names.contains(name) {
            *name = under(&self.alias, name);
        }
    }

    fn idents(&self, idents: &mut [Ident]) {
        idents.iter_mut().for_each(|ident| self.name(&mut ident.name));
    }

    /// An item that declares something; items that claim or show are not taken over and stay as they are.
    pub fn item(&self, item: &mut Item) {
        match &mut item.kind {
            ItemKind::Confidence(expr) => self.expr(expr),
            ItemKind::Let(item) => {
                self.name(&mut item.name.name);
                self.idents(&mut item.params);
                self.expr(&mut item.value);
            }
            ItemKind::Param(item) => {
                self.name(&mut item.name.name);
                if let Some((_, bound)) = &mut item.constraint {
                    self.expr(bound);
                }
            }
            ItemKind::Domain(item) | ItemKind::Posterior(item) | ItemKind::Prior(item) => {
                self.name(&mut item.name.name);
                self.expr(&mut item.value);
            }
            ItemKind::Network(item) => self.network(item),
            ItemKind::Class(item) => {
                self.name(&mut item.name.name);
                self.idents(&mut item.params);
                self.expr(&mut item.base);
                item.constraints.iter_mut().for_each(|prop| self.prop(prop));
                item.index.iter_mut().for_each(|binder| self.binder(binder));
            }
            ItemKind::Data(item) => {
                self.name(&mut item.name.name);
                if let DataSource::Generated(expr) = &mut item.source {
                    self.expr(expr);
                }
            }
            ItemKind::Split(item) => {
                self.expr(&mut item.data);
                item.parts.iter_mut().for_each(|part| self.expr(&mut part.size));
            }
            ItemKind::Assume(item) => {
                self.name(&mut item.name.name);
                match &mut item.body {
                    Assumption::Prop(prop) => self.prop(prop),
                    Assumption::Depends { subject, on } => {
                        self.name(&mut subject.name);
                        on.iter_mut().for_each(|expr| self.expr(expr));
                    }
                }
            }
            ItemKind::Train(item) => {
                self.name(&mut item.name.name);
                self.expr(&mut item.architecture);
                self.expr(&mut item.data);
                // The name of a loss belongs to the language.
                let values = item.options.iter_mut().filter(|option| option.key.name != "loss");
                values.filter_map(|option| option.value.as_mut()).for_each(|expr| self.expr(expr));
            }
            ItemKind::Use(Use { alias: Some(alias), .. }) => self.name(&mut alias.name),
            _ => {}
        }
    }

    fn network(&self, item: &mut Network) {
        self.name(&mut item.name.name);
        self.idents(&mut item.params);
        match &mut item.body {
            NetworkBody::Chain(chain) | NetworkBody::File { layout: Some(Layout::As(chain)), .. } => self.chain(chain),
            NetworkBody::File { layout: Some(Layout::Like(other)), .. } => self.name(&mut other.name),
            NetworkBody::File { layout: None, .. } => {}
            NetworkBody::Formula(expr) => self.expr(expr),
            NetworkBody::Layers(layers) => self.layers(layers),
        }
    }

    fn chain(&self, chain: &mut Chain) {
        chain.sizes.iter_mut().for_each(|size| self.expr(size));
        chain.activation.iter_mut().for_each(|activation| self.args(&mut activation.args));
    }

    fn layers(&self, layers: &mut [Layer]) {
        for layer in layers {
            match layer {
                Layer::Units(units) => units.iter_mut().for_each(|unit| self.unit(unit)),
                Layer::Repeat { count, layers, .. } => {
                    self.expr(count);
                    self.layers(layers);
                }
            }
        }
    }

    fn unit(&self, unit: &mut Unit) {
        match &mut unit.kind {
            UnitKind::Input(sizes) => sizes.iter_mut().for_each(|size| self.expr(size)),
            UnitKind::Conv { channels: value, options }
            | UnitKind::MaxPool { window: value, options }
            | UnitKind::AvgPool { window: value, options } => {
                self.expr(value);
                options.iter_mut().for_each(|option| self.expr(&mut option.value));
            }
            UnitKind::Dense(size) => self.expr(size),
            UnitKind::BatchNorm | UnitKind::GlobalAvgPool | UnitKind::Flatten => {}
            UnitKind::Residual { layers, via } => {
                self.layers(layers);
                via.iter_mut().for_each(|unit| self.unit(unit));
            }
            UnitKind::Activation(method) => self.args(&mut method.args),
        }
    }

    fn binder(&self, binder: &mut Binder) {
        self.name(&mut binder.var.name);
        self.expr(&mut binder.bound);
    }

    fn prop(&self, prop: &mut Prop) {
        match &mut prop.kind {
            PropKind::Quantified { binders, body, .. } => {
                binders.iter_mut().for_each(|binder| self.binder(binder));
                self.prop(body);
            }
            PropKind::Implies { premise, conclusion } => {
                self.prop(premise);
                self.prop(conclusion);
            }
            PropKind::Relation { first, rest } => {
                self.expr(first);
                rest.iter_mut().for_each(|(_, expr)| self.expr(expr));
            }
            PropKind::Asymptotic { value, rate, var, limit, .. } => {
                self.name(&mut var.name);
                [value, rate, limit].into_iter().for_each(|expr| self.expr(expr));
            }
            PropKind::Bare { expr, domain } => {
                self.expr(expr);
                domain.iter_mut().for_each(|expr| self.expr(expr));
            }
        }
    }

    fn args(&self, args: &mut [Arg]) {
        for arg in args {
            match &mut arg.value {
                ArgValue::Expr(expr) => self.expr(expr),
                ArgValue::Comprehension { element, binder, .. } => {
                    self.expr(element);
                    self.binder(binder);
                }
                ArgValue::Prop(prop) => self.prop(prop),
            }
            arg.domain.iter_mut().for_each(|expr| self.expr(expr));
        }
    }

    fn expr(&self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Number(_) | ExprKind::Str(_) | ExprKind::Hole => {}
            ExprKind::Name(name) => self.name(name),
            ExprKind::Sum(terms) => terms.iter_mut().for_each(|term| self.expr(&mut term.expr)),
            ExprKind::Product(factors) => factors.iter_mut().for_each(|factor| self.expr(&mut factor.expr)),
            ExprKind::Power { base: a, exponent: b }
            | ExprKind::Interval(a, b)
            | ExprKind::Range { start: a, end: b } => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::Index { base, index } => {
                // In a class `W[l]` and `b[l]` are the parameters of a layer, whatever else bears these names.
                if !matches!(base.as_name(), Some("W" | "b")) {
                    self.expr(base);
                }
                self.expr(index);
            }
            ExprKind::Neg(inner) | ExprKind::Norm { expr: inner, .. } | ExprKind::Field { base: inner, .. } => {
                self.expr(inner);
            }
            ExprKind::Call { function, args } => {
                self.expr(function);
                self.args(args);
            }
            ExprKind::Tuple(parts) | ExprKind::Set(parts) => parts.iter_mut().for_each(|part| self.expr(part)),
            ExprKind::SetComprehension { element, binder } => {
                self.expr(element);
                self.binder(binder);
            }
            ExprKind::Cases(cases) => {
                for case in cases {
                    self.expr(&mut case.value);
                    if let Some(condition) = &mut case.condition {
                        self.expr(&mut condition.left);
                        self.expr(&mut condition.right);
                    }
                }
            }
            ExprKind::Lambda { params, body } => {
                self.idents(params);
                self.expr(body);
            }
        }
    }
}
