//! Items.

use super::WIDTH;
use super::expr::Printer;
use crate::syntax::ast::*;

impl Printer {
    pub fn item(&mut self, item: &ItemKind) {
        match item {
            ItemKind::Spec(title) => self.quoted("spec ", title),
            ItemKind::Use(target) => self.use_(target),
            ItemKind::Confidence(level) => self.word_expr("confidence ", level),
            ItemKind::Semantics(name) => {
                self.put("semantics ");
                self.put(&name.name);
            }
            ItemKind::Let(item) => {
                self.head("let ", &item.name, &item.params);
                self.word_expr(" = ", &item.value);
            }
            ItemKind::Param(item) => {
                self.head("param ", &item.name, &[]);
                self.put(" : ");
                self.put(&item.sort.name);
                if let Some((rel, bound)) = &item.constraint {
                    self.rel(*rel);
                    self.expr(bound);
                }
            }
            ItemKind::Domain(item) => self.definition("domain ", item),
            ItemKind::Posterior(item) => self.definition("posterior ", item),
            ItemKind::Prior(item) => self.definition("prior ", item),
            ItemKind::Network(item) => self.network(item),
            ItemKind::Class(item) => {
                self.head("class ", &item.name, &item.params);
                self.word_expr(" = ", &item.base);
                self.where_(&item.constraints, item.index.as_ref());
            }
            ItemKind::Data(item) => self.data(item),
            ItemKind::Split(item) => {
                self.word_expr("split ", &item.data);
                self.put(" into ");
                self.joined(&item.parts, ", ", |p, part| {
                    p.put(&part.name.name);
                    p.word_expr(" ", &part.size);
                });
            }
            ItemKind::Assume(item) => self.assume(item),
            ItemKind::Train(item) => self.train(item),
            ItemKind::Measure(item) => {
                self.head("measure ", &item.name, &[]);
                self.word_expr(" : ", &item.value);
            }
            ItemKind::Claim(item) => self.claim(item),
            ItemKind::Expect(item) => self.statement("expect", item.name.as_ref(), &item.prop),
            ItemKind::Bounds(item) => {
                self.head("bounds ", &item.name, &[]);
                self.word_expr(" for ", &item.target);
                self.block(&item.methods, Printer::method);
            }
            ItemKind::Theorem(item) => self.theorem(item),
            ItemKind::Simulate(item) => self.simulate(item),
            ItemKind::Table(item) => self.table(item),
            ItemKind::Plot(item) => self.plot(item),
        }
    }

    pub fn word_expr(&mut self, word: &str, expr: &Expr) {
        self.put(word);
        self.expr(expr);
    }

    pub fn quoted(&mut self, word: &str, text: &Text) {
        self.put(word);
        self.string(&text.text);
    }

    fn head(&mut self, word: &str, name: &Ident, params: &[Ident]) {
        self.put(word);
        self.put(&name.name);
        if !params.is_empty() {
            self.put("(");
            self.idents(params);
            self.put(")");
        }
    }

    pub fn definition(&mut self, word: &str, item: &Definition) {
        self.head(word, &item.name, &[]);
        self.word_expr(" = ", &item.value);
    }

    fn use_(&mut self, item: &Use) {
        match &item.target {
            UseTarget::File(path) => self.quoted("use ", path),
            UseTarget::Module(name) => {
                self.put("use ");
                self.put(&name.name);
            }
        }
        if let Some(alias) = &item.alias {
            self.put(" as ");
            self.put(&alias.name);
        }
    }

    pub fn where_(&mut self, constraints: &[Prop], index: Option<&Binder>) {
        self.put(" where ");
        self.joined(constraints, ", ", Printer::prop);
        if let Some(index) = index {
            self.put(" for ");
            self.binder(index);
        }
    }

    fn network(&mut self, item: &Network) {
        self.head("network ", &item.name, &item.params);
        match &item.body {
            NetworkBody::Chain(chain) => {
                self.put(" = ");
                self.chain(chain);
            }
            NetworkBody::Formula(formula) => self.word_expr(" = ", formula),
            NetworkBody::Layers(layers) => self.block(layers, Printer::layer),
            NetworkBody::File { path, layout } => {
                self.quoted(" from ", path);
                match layout {
                    None => {}
                    Some(Layout::As(chain)) => {
                        self.put(" as ");
                        self.chain(chain);
                    }
                    Some(Layout::Like(name)) => {
                        self.put(" like ");
                        self.put(&name.name);
                    }
                }
            }
        }
        for option in &item.options {
            self.put(", ");
            self.put(&option.key.name);
            self.put(" ");
            self.put(&option.value.name);
        }
    }

    pub fn chain(&mut self, chain: &Chain) {
        self.joined(&chain.sizes, " -> ", Printer::expr);
        if let Some(activation) = &chain.activation {
            self.put(" ");
            self.method(activation);
        }
    }

    pub fn data(&mut self, item: &Data) {
        self.head("data ", &item.name, &[]);
        match &item.source {
            DataSource::Generated(value) => self.word_expr(" = ", value),
            DataSource::File { path, sha256 } => {
                self.quoted(" from ", path);
                if let Some(hash) = sha256 {
                    self.quoted(" sha256 ", hash);
                }
            }
        }
    }

    fn assume(&mut self, item: &Assume) {
        self.head("assume ", &item.name, &[]);
        self.put(" : ");
        match &item.body {
            Assumption::Prop(prop) => self.prop(prop),
            Assumption::Depends { subject, on } => {
                self.put(&subject.name);
                self.put(" depends on ");
                match on {
                    None => self.put("nothing"),
                    Some(on) => self.expr(on),
                }
            }
        }
    }

    pub fn train(&mut self, item: &Train) {
        self.head("train ", &item.name, &[]);
        self.word_expr(" : ", &item.architecture);
        self.word_expr(" on ", &item.data);
        self.put(" {");
        if !item.options.is_empty() {
            self.put(" ");
            self.joined(&item.options, ", ", |p, option| {
                p.put(&option.key.name);
                if let Some(value) = &option.value {
                    p.word_expr(" ", value);
                }
            });
            self.put(" ");
        }
        self.put("}");
    }

    fn statement(&mut self, word: &str, name: Option<&Ident>, prop: &Prop) {
        self.put(word);
        if let Some(name) = name {
            self.put(" ");
            self.put(&name.name);
        }
        self.put(" : ");
        self.prop(prop);
    }

    /// The statement, then its clauses: on the same line if they fit, else one per line.
    fn claim(&mut self, item: &Claim) {
        let mut clauses: Vec<String> = Vec::new();
        let mut clause = |word: &str, print: &dyn Fn(&mut Printer)| {
            let mut printer = Printer::indented(2);
            printer.put(word);
            print(&mut printer);
            clauses.push(printer.out);
        };
        for condition in &item.conditions {
            clause("where ", &|p| p.prop(condition));
        }
        for binder in &item.binders {
            clause("for ", &|p| p.binder(binder));
        }
        if let Some(probability) = &item.probability {
            clause("with probability >= ", &|p| p.expr(probability));
        }
        if let Some(method) = &item.method {
            clause("by ", &|p| p.method(method));
        }
        if !item.assuming.is_empty() {
            clause("assuming ", &|p| p.idents(&item.assuming));
        }
        if let Some(seconds) = &item.within {
            clause("within ", &|p| p.expr(seconds));
        }
        if let Some((verdict, _)) = &item.expecting {
            clause("expecting ", &|p| p.put(&verdict.to_string()));
        }
        self.statement("claim", item.name.as_ref(), &item.prop);
        let line = self.out.chars().count() + clauses.iter().map(|c| c.chars().count() + 2).sum::<usize>();
        for clause in clauses {
            self.put(if line <= WIDTH { "  " } else { "\n  " });
            self.put(&clause);
        }
    }
}
