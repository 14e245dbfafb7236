//! Items that take several lines.

use super::expr::Printer;
use crate::syntax::ast::*;

impl Printer {
    /// `{ ... }` with one entry per line.
    pub fn block<T>(&mut self, entries: &[T], mut print: impl FnMut(&mut Printer, &T)) {
        self.put(" {");
        self.indent += 2;
        for entry in entries {
            self.newline();
            print(self, entry);
        }
        self.indent -= 2;
        self.newline();
        self.put("}");
    }

    pub fn layer(&mut self, layer: &Layer) {
        match layer {
            Layer::Units(units) => self.joined(units, " then ", Printer::unit),
            Layer::Repeat { count, layers, .. } => {
                self.word_expr("repeat ", count);
                self.block(layers, Printer::layer);
            }
        }
    }

    fn unit(&mut self, unit: &Unit) {
        match &unit.kind {
            UnitKind::Input(sizes) => {
                self.put("input ");
                self.joined(sizes, ", ", Printer::expr);
            }
            UnitKind::Conv { channels, options } => self.unit_options("conv ", channels, options),
            UnitKind::MaxPool { window, options } => self.unit_options("maxpool ", window, options),
            UnitKind::AvgPool { window, options } => self.unit_options("avgpool ", window, options),
            UnitKind::Dense(units) => self.word_expr("dense ", units),
            UnitKind::BatchNorm => self.put("batchnorm"),
            UnitKind::GlobalAvgPool => self.put("avgpool global"),
            UnitKind::Flatten => self.put("flatten"),
            UnitKind::Residual { layers, via } => {
                self.put("residual");
                self.block(layers, Printer::layer);
                if let Some(via) = via {
                    self.put(" via ");
                    self.unit(via);
                }
            }
            UnitKind::Activation(method) => self.method(method),
        }
    }

    fn unit_options(&mut self, word: &str, value: &Expr, options: &[UnitOption]) {
        self.word_expr(word, value);
        for option in options {
            self.put(", ");
            self.put(option.key.word());
            self.word_expr(" ", &option.value);
        }
    }

    pub fn theorem(&mut self, item: &Theorem) {
        self.put("theorem ");
        self.put(&item.name.name);
        self.put("(");
        self.params(&item.params);
        self.put(")");
        if let Some(title) = &item.title {
            self.quoted("  ", title);
        }
        self.indent += 2;
        self.clause_list("alias", &item.aliases, |p, alias| p.put(&alias.name));
        self.clause_list("choose", &item.choose, Printer::binder);
        self.clause_list("requires", &item.requires, Printer::prop);
        self.clause("ensures");
        self.prop(&item.ensures);
        if let Some(probability) = &item.probability {
            self.word_expr(" with probability >= ", probability);
        }
        for (word, text) in [("source", &item.source), ("survey", &item.survey), ("formal", &item.formal)] {
            self.clause_text(word, text.as_ref());
        }
        if let Some(status) = &item.status {
            self.clause("status");
            self.put(&status.name);
        }
        self.clause_text("note", item.note.as_ref());
        if let Some(proof) = &item.proof {
            self.proof(proof);
        }
        for example in &item.examples {
            self.clause("example");
            self.joined(&example.bindings, ", ", Printer::binding);
            self.word_expr("  gives ", &example.gives);
        }
        for reject in &item.rejects {
            self.clause("reject");
            self.joined(&reject.bindings, ", ", Printer::binding);
            self.put("  breaks ");
            self.prop(&reject.breaks);
        }
        self.indent -= 2;
    }

    /// A new line that begins with a clause's word, padded so that what follows stands in one column.
    fn clause(&mut self, word: &str) {
        self.newline();
        self.put(&format!("{word:<9}"));
    }

    fn clause_text(&mut self, word: &str, text: Option<&Text>) {
        if let Some(text) = text {
            self.clause(word);
            self.string(&text.text);
        }
    }

    fn clause_list<T>(&mut self, word: &str, list: &[T], print: impl FnMut(&mut Printer, &T)) {
        if !list.is_empty() {
            self.clause(word);
            self.joined(list, ", ", print);
        }
    }

    /// A sort is written once behind the last name that has it.
    fn params(&mut self, params: &[Param]) {
        for (i, param) in params.iter().enumerate() {
            self.put(if i > 0 { ", " } else { "" });
            self.put(&param.name.name);
            let name = |param: &Param| param.sort.as_ref().map(|sort| sort.name.clone());
            let next = params.get(i + 1).and_then(name);
            if let Some(sort) = name(param).filter(|sort| next.as_ref() != Some(sort)) {
                self.put(" : ");
                self.put(&sort);
            }
        }
    }

    fn proof(&mut self, proof: &Proof) {
        self.newline();
        self.put("proof {");
        self.indent += 2;
        self.newline();
        self.side(&proof.start);
        self.indent += 2;
        for step in &proof.steps {
            self.newline();
            self.put(step.rel.symbol());
            self.put(" ");
            self.side(&step.expr);
            self.put("  by ");
            self.method(&step.method);
        }
        self.indent -= 4;
        self.newline();
        self.put("}");
    }

    fn binding(&mut self, binding: &Binding) {
        match binding {
            Binding::Fact(prop) => self.prop(prop),
            Binding::Value { name, value } => {
                self.put(&name.name);
                self.put(" = ");
                match value {
                    BindingValue::Expr(expr) => self.expr(expr),
                    BindingValue::Chain(chain) => self.chain(chain),
                    BindingValue::Class(class) => {
                        self.put("(");
                        self.chain(&class.chain);
                        self.put(")");
                        self.where_(&class.constraints, class.index.as_ref());
                    }
                }
            }
        }
    }

    pub fn simulate(&mut self, item: &Simulate) {
        self.put("simulate ");
        self.put(&item.name.name);
        self.block(&item.steps, |p, step| match step {
            SimulateStep::For(binder) => {
                p.put("for ");
                p.binder(binder);
            }
            SimulateStep::Data(data) => p.data(data),
            SimulateStep::Train(train) => p.train(train),
            SimulateStep::Record(record) => p.definition("record ", record),
        });
    }

    fn ranged(&mut self, word: &str, var: Option<&Ident>, values: &Expr) {
        self.put(word);
        if let Some(var) = var {
            self.put(&var.name);
            self.put(" in ");
        }
        self.expr(values);
    }

    pub fn table(&mut self, item: &Table) {
        self.quoted("table ", &item.title);
        self.block(&item.entries, |p, entry| match entry {
            TableEntry::Rows { var, values } => p.ranged("rows ", var.as_ref(), values),
            TableEntry::Sort(key) => p.word_expr("sort ", key),
            TableEntry::Caption(text) => p.quoted("caption ", text),
            TableEntry::Cols(columns) => {
                p.put("cols ");
                p.joined(columns, ", ", |p, column| {
                    p.expr(&column.value);
                    if let Some(header) = &column.header {
                        p.quoted(" as ", header);
                    }
                });
            }
        });
    }

    pub fn plot(&mut self, item: &Plot) {
        self.quoted("plot ", &item.title);
        self.block(&item.entries, |p, entry| match entry {
            PlotEntry::X { var, values, log } => {
                p.ranged("x ", var.as_ref(), values);
                p.put(if *log { " log" } else { "" });
            }
            PlotEntry::Mark { value, label } => {
                p.word_expr("mark ", value);
                p.quoted(" as ", label);
            }
            PlotEntry::Y { value, style } => {
                p.word_expr("y ", value);
                for style in style {
                    match style {
                        PlotStyle::As(label) => p.quoted(" as ", label),
                        PlotStyle::Dashed => p.put(" dashed"),
                        PlotStyle::Log => p.put(" log"),
                        PlotStyle::Band(level) => p.word_expr(" band ", level),
                    }
                }
            }
        });
    }
}
