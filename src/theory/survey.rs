//! Which items of the survey are in the library, and how.

use super::Library;
use super::render::{WIDTH, columns};

/// How an item stands in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The statement, or a sharper one.
    Whole,
    Part,
    /// Printed with unspecified constants.
    Rate,
    Definition,
    /// Nothing that could be proved.
    Nothing,
    /// Checked on instances, or corrected, in a specification.
    Spec,
}

impl Kind {
    fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "whole" => Kind::Whole,
            "part" => Kind::Part,
            "rate" => Kind::Rate,
            "definition" => Kind::Definition,
            "none" => Kind::Nothing,
            "spec" => Kind::Spec,
            _ => return None,
        })
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Whole => "stated",
            Kind::Part => "in part",
            Kind::Rate => "rate, no constants",
            Kind::Definition => "definition",
            Kind::Nothing => "no statement",
            Kind::Spec => "in a spec",
        }
    }
}

/// A line of the coverage table.
#[derive(Clone, Debug)]
pub struct Item {
    pub item: String,
    pub words: String,
    pub kind: Kind,
    pub theorems: Vec<String>,
}

impl Item {
    /// What the table says of it: the theorems, or why there are none.
    pub fn status(&self) -> String {
        match (self.kind, self.theorems.join(", ")) {
            (Kind::Whole, theorems) => theorems,
            (kind, theorems) if theorems.is_empty() => kind.words().to_string(),
            (kind, theorems) => format!("{}: {theorems}", kind.words()),
        }
    }
}

/// All items, in the order of the survey. A line of the data file that cannot be read is left out; a test counts them.
pub fn items(library: &Library) -> Vec<Item> {
    let lines = include_str!("survey.txt").lines().filter(|line| !line.starts_with('#'));
    let item = |line: &str| -> Option<Item> {
        let mut fields = line.split('|').map(str::trim);
        let (item, words, kind) = (fields.next()?, fields.next()?, Kind::named(fields.next()?)?);
        let stated = library.entries.iter().filter(|entry| entry.survey.as_deref() == Some(item));
        let mut theorems: Vec<String> = stated.map(|entry| entry.theorem.name.clone()).collect();
        let rates = library.rates.iter().filter(|rate| kind == Kind::Rate && rate.survey.as_deref() == Some(item));
        theorems.extend(rates.map(|rate| rate.name.clone()));
        for name in fields.next().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if !theorems.iter().any(|known| known == name) {
                theorems.push(name.to_string());
            }
        }
        Some(Item { item: item.to_string(), words: words.to_string(), kind, theorems })
    };
    lines.filter_map(item).collect()
}

/// `63 items: 7 stated, ...`
pub fn summary(items: &[Item]) -> String {
    let kinds = [Kind::Whole, Kind::Part, Kind::Rate, Kind::Definition, Kind::Nothing, Kind::Spec];
    let count = |kind: Kind| items.iter().filter(|item| item.kind == kind).count();
    let parts: Vec<String> = kinds.iter().map(|kind| format!("{} {}", count(*kind), kind.words())).collect();
    format!("{} items: {}", items.len(), parts.join("; "))
}

const TITLE: &str = "Berner, Grohs, Kutyniok, Petersen 2023, The modern mathematics of deep learning (v2)";

pub fn text(library: &Library) -> String {
    let items = items(library);
    let mut lines = vec![TITLE.to_string(), String::new()];
    for item in &items {
        let row = [(13, item.item.as_str()), (44, item.words.as_str()), (WIDTH - 57, item.status().as_str())]
            .map(|(width, text)| (width, text.to_string()));
        lines.extend(columns(&row));
    }
    lines.push(String::new());
    lines.push(summary(&items));
    lines.join("\n")
}

pub fn markdown(library: &Library) -> String {
    let items = items(library);
    let mut lines = vec![
        format!("Items of {TITLE}."),
        String::new(),
        "| item | what it says | in the library |".to_string(),
        "| --- | --- | --- |".to_string(),
    ];
    for item in &items {
        let theorems: Vec<String> = item.theorems.iter().map(|name| format!("`{name}`")).collect();
        let status = Item { theorems, ..item.clone() }.status();
        lines.push(format!("| {} | {} | {status} |", item.item, item.words));
    }
    lines.push(String::new());
    lines.push(format!("{}.", summary(&items)));
    lines.join("\n")
}
