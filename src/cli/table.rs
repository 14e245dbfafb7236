//! `supremum table SPEC`: the spec's tables, on the terminal or as files.

use super::output::{self, Console};
use super::run::{self, Request, Run, exit};
use crate::kernel::term::{Substitution, Term};
use crate::model::{Table, TableRows, TableValue};
use crate::prove::Search;
use crate::report::table::{self, Align, Cell, Column, Latex, TableView};
use crate::report::view::{ItemKind, ItemView};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    spec: PathBuf,
    /// Formats to write; without any, the tables are printed.
    #[arg(long, value_enum, value_delimiter = ',')]
    to: Vec<Format>,
    /// Folder for the files.
    #[arg(short, long, default_value = "tables")]
    output: PathBuf,
    #[arg(long)]
    theory: Vec<PathBuf>,
    #[arg(long)]
    ascii: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Tex,
    Md,
    Csv,
}

pub fn run(args: &Args, console: &mut Console) -> u8 {
    let run = run::run(&Request { path: &args.spec, theory: &args.theory, deny: &[], only: None });
    output::diagnostics(&run, console, args.ascii);
    if run.spec.tables.is_empty() && run.view.exit != exit::SPEC {
        console.complain("error: expected a `table` in the spec, found none");
        return exit::SPEC;
    }
    for spec in &run.spec.tables {
        let view = view(spec, &run);
        if args.to.is_empty() {
            console.print(&table::terminal(&view, console.style(args.ascii)));
        }
        for format in &args.to {
            let (ending, text) = match format {
                Format::Tex => ("tex", table::latex(&view, Latex::Fragment)),
                Format::Md => ("md", table::markdown(&view)),
                Format::Csv => ("csv", table::csv(&view)),
            };
            let path = args.output.join(format!("{}.{ending}", output::file_name(&spec.title)));
            let written =
                std::fs::create_dir_all(&args.output).and_then(|()| output::write_whole(&path, text.as_bytes()));
            if let Err(error) = written {
                console.complain(&format!("error: {} could not be written: {error}", path.display()));
                return exit::OUTPUT;
            }
            console.print(&format!("written  {}", path.display()));
        }
    }
    run.view.exit
}

fn is_of_block(block: &str, item: &ItemView) -> bool {
    item.kind == ItemKind::Bound && item.name.strip_prefix(block).is_some_and(|row| row.starts_with('.'))
}

fn is_row(rows: &TableRows, item: &ItemView) -> bool {
    match rows {
        TableRows::Claims => item.kind == ItemKind::Claim,
        TableRows::Bounds(name) => is_of_block(name, item),
        TableRows::Items(names) => names.iter().any(|name| *name == item.name || is_of_block(name, item)),
        TableRows::Objects { .. } => false,
    }
}

/// The table as its readers see it; the first column names the row.
pub fn view(spec: &Table, run: &Run) -> TableView {
    let mut view = TableView {
        name: spec.title.clone(),
        caption: spec.caption.clone().or_else(|| run.spec.title.clone()),
        columns: vec![Column { title: "claim".to_string(), align: Align::Left }],
        rows: Vec::new(),
        footnotes: Vec::new(),
        sort: spec.sort.clone(),
    };
    for column in &spec.columns {
        let is_number = !matches!(&column.value, TableValue::Field(_))
            || ["bound", "value", "factor"].contains(&column.header.as_str());
        view.columns
            .push(Column { title: column.header.clone(), align: if is_number { Align::Right } else { Align::Left } });
    }
    let mut items: Vec<&ItemView> = run.view.items.iter().filter(|item| is_row(&spec.rows, item)).collect();
    if matches!(spec.sort.as_deref(), Some("value" | "bound" | "upper")) {
        let key = |item: &ItemView| item.upper.as_ref().and_then(|text| crate::num::decimal::parse(text).ok());
        items.sort_by(|a, b| match (key(a), key(b)) {
            (Some(x), Some(y)) => x.cmp(&y),
            (a, b) => b.is_some().cmp(&a.is_some()),
        });
    }
    // One search serves all computed cells; without any, none is made.
    let terms = items.iter().flat_map(|item| {
        spec.columns.iter().filter_map(|column| match &column.value {
            TableValue::OfField(term) => Some(term.substitute(&numbers(item))),
            _ => None,
        })
    });
    let terms: Vec<Term> = terms.collect();
    let computed = match &run.session {
        Some(session) if !terms.is_empty() => run::with_search(&session.objects, &run.library, |search| {
            terms.iter().map(|term| run::bound_of(term, search).unwrap_or_default()).collect()
        })
        .unwrap_or_default(),
        _ => Vec::<String>::new(),
    };
    let mut computed = computed.into_iter();
    for item in items {
        // A row of a block goes by its method.
        let name = match item.kind {
            ItemKind::Bound => item.name.split_once('.').map_or(item.name.as_str(), |(_, method)| method),
            _ => item.name.as_str(),
        };
        let mut row = vec![Cell::from(name)];
        for column in &spec.columns {
            row.push(match &column.value {
                TableValue::OfField(_) => Cell::from(computed.next().unwrap_or_default().as_str()),
                value => cell(value, item, &mut view.footnotes),
            });
        }
        view.rows.push(row);
    }
    if let TableRows::Objects { variable, members } = &spec.rows {
        if let Some(first) = view.columns.first_mut() {
            first.title = "network".to_string();
        }
        let rows = |search: &Search| -> Vec<Vec<Cell>> {
            let row = |member: &Term| {
                let cells = spec.columns.iter().map(|column| object_cell(&column.value, variable, member, search));
                std::iter::once(Cell::from(member.to_string().as_str())).chain(cells).collect()
            };
            members.iter().map(row).collect()
        };
        // Without a session there was an error, which the diagnostics show.
        if let Some(session) = &run.session {
            view.rows = run::with_search(&session.objects, &run.library, rows).unwrap_or_default();
        }
    }
    view
}

/// The numbers of an item that columns may compute with; a side that is not bounded has none.
fn numbers(item: &ItemView) -> Substitution {
    let parse = |text: &Option<String>| text.as_ref().and_then(|text| crate::num::decimal::parse(text).ok());
    let (lower, upper) = (parse(&item.lower), parse(&item.upper));
    let all = [("lower", &lower), ("upper", &upper), ("value", &upper), ("bound", &upper)];
    let known = all.into_iter().filter_map(|(field, number)| Some((field.to_string(), Term::Number(number.clone()?))));
    known.collect()
}

fn cell(value: &TableValue, item: &ItemView, footnotes: &mut Vec<String>) -> Cell {
    let TableValue::Field(field) = value else { return Cell::from("") };
    let mut note = |text: String| match footnotes.iter().position(|known| *known == text) {
        Some(position) => position,
        None => {
            footnotes.push(text);
            footnotes.len() - 1
        }
    };
    match field.as_str() {
        "bound" | "value" => Cell {
            text: item.bound.clone().unwrap_or_default(),
            footnotes: item.daggers.iter().map(|d| note(d.clone())).collect(),
        },
        "lower" => Cell::from(item.lower.as_deref().unwrap_or("")),
        "upper" => Cell::from(item.upper.as_deref().unwrap_or("")),
        "method" => Cell {
            text: match &item.method {
                Some(method) => method.clone(),
                None if item.lower.is_some() && item.lower == item.upper => "exact".to_string(),
                None => String::new(),
            },
            footnotes: item.source.iter().map(|source| note(source.clone())).collect(),
        },
        "status" => Cell::from(item.verdict.ascii()),
        "statement" => Cell::from(item.shown.as_deref().unwrap_or(&item.statement)),
        "source" => Cell::from(item.source.as_deref().unwrap_or("")),
        "assumptions" => Cell {
            text: item.assumptions.len().to_string(),
            footnotes: item.assumptions.iter().map(|a| note(a.clone())).collect(),
        },
        "delta" => Cell::from(item.delta.as_deref().unwrap_or("")),
        "factor" => Cell::from(item.factor.as_deref().unwrap_or("")),
        "vacuous" => Cell::from(if item.verdict.ascii().starts_with("vacuous") { "yes" } else { "" }),
        _ => Cell::from(item.name.as_str()),
    }
}

/// A quantity of the row's object.
fn object_cell(value: &TableValue, variable: &str, member: &Term, search: &Search) -> Cell {
    let TableValue::Term(term) = value else { return Cell::from("") };
    let term = term.substitute(&[(variable.to_string(), member.clone())].into());
    Cell::from(run::bound_of(&term, search).unwrap_or_else(|| "?".to_string()).as_str())
}
