//! Tables in CSV files. Trust: checked (each number is the exact value of its decimal literal).
//!
//! Format: RFC 4180 with `,`, quotes, and either line end. The first row is a header if none of its cells is a number.

use super::error::{Result, limit, malformed, missing, near};
use super::number;
use num_rational::BigRational;

/// Most cells; an exact number takes some 60 bytes.
const CELLS: usize = 1 << 24;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Number(BigRational),
    Text(String),
}

/// A rectangular table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns: the header's, or `c1`, `c2`, ...
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    /// Line in the file of each row, from 1.
    pub lines: Vec<usize>,
}

impl Table {
    /// The position of a column. Errors: none of that name (near ones are listed).
    pub fn column(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column == name) {
            Some(position) => Ok(position),
            None => missing(format!("column `{name}`"), near(name, self.columns.iter().map(String::as_str))),
        }
    }

    /// A number in the table. Errors: a text, named with its line and column.
    pub fn number(&self, row: usize, column: usize) -> Result<&BigRational> {
        let place = || {
            let line = self.lines.get(row).copied().unwrap_or(0);
            format!("line {line}, column `{}`", self.columns.get(column).map_or("", String::as_str))
        };
        match self.rows.get(row).and_then(|row| row.get(column)) {
            Some(Cell::Number(number)) => Ok(number),
            Some(Cell::Text(text)) => malformed(place(), "a finite decimal number", format!("`{text}`")),
            None => malformed(place(), "a cell", "none"),
        }
    }
}

/// Reads a table. Errors: bytes that are not UTF-8, rows of different lengths, an open quote, no row at all.
pub fn read_csv(bytes: &[u8]) -> Result<Table> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => return malformed(format!("byte {}", error.valid_up_to()), "UTF-8 text", "other bytes"),
    };
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    let mut cells = 0usize;
    for record in records(text)? {
        let (line, record) = record;
        cells = cells.saturating_add(record.len());
        if cells > CELLS {
            return limit("cells of the table", CELLS, format!("more than {CELLS}"));
        }
        let row: Vec<Cell> = record
            .into_iter()
            .map(|cell| match number::from_decimal(cell.trim()) {
                Some(number) => Cell::Number(number),
                None => Cell::Text(cell),
            })
            .collect();
        let Some(columns) = &columns else {
            let names: Vec<String> = row
                .iter()
                .filter_map(|cell| match cell {
                    Cell::Text(text) => Some(text.trim().to_string()),
                    Cell::Number(_) => None,
                })
                .collect();
            if names.len() == row.len() {
                for (i, name) in names.iter().enumerate() {
                    if names.iter().take(i).any(|other| other == name) {
                        return malformed("header", "each column once", format!("`{name}` twice"));
                    }
                }
                columns = Some(names);
            } else {
                columns = Some((1..=row.len()).map(|i| format!("c{i}")).collect());
                rows.push(row);
                lines.push(line);
            }
            continue;
        };
        if row.len() != columns.len() {
            return malformed(format!("line {line}"), format!("{} cells", columns.len()), row.len());
        }
        rows.push(row);
        lines.push(line);
    }
    match columns {
        Some(columns) if !rows.is_empty() => Ok(Table { columns, rows, lines }),
        _ => malformed("table", "at least one row of data", "none"),
    }
}

/// The records with the line each starts on. Empty lines are skipped.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut was_quoted = false;
    let (mut line, mut start) = (1usize, 1usize);
    let mut chars = text.chars().peekable();
    let mut total = 0usize;
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            '"' => return malformed(format!("line {line}"), "a quote at the start of a cell", "one inside"),
            _ if quoted => {
                line += usize::from(c == '\n');
                cell.push(c);
            }
            ',' => {
                record.push(std::mem::take(&mut cell));
                was_quoted = false;
            }
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                if !(record.is_empty() && cell.is_empty() && !was_quoted) {
                    record.push(std::mem::take(&mut cell));
                    total = total.saturating_add(record.len());
                    if total > CELLS {
                        return limit("cells of the table", CELLS, format!("more than {CELLS}"));
                    }
                    records.push((start, std::mem::take(&mut record)));
                }
                was_quoted = false;
                line += 1;
                start = line;
            }
            _ if was_quoted => return malformed(format!("line {line}"), "`,` after a closing quote", format!("`{c}`")),
            _ => cell.push(c),
        }
    }
    if quoted {
        return malformed(format!("line {start}"), "a closing quote", "the end of the file");
    }
    if !(record.is_empty() && cell.is_empty() && !was_quoted) {
        record.push(cell);
        records.push((start, record));
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_with_and_without_header() {
        let table = read_csv(b"name,x\r\n\"a, \"\"b\"\"\",0.1\r\nc,-2e1\r\n").unwrap();
        assert_eq!(table.columns, ["name", "x"]);
        assert_eq!(table.rows[0][0], Cell::Text("a, \"b\"".to_string()));
        assert_eq!(*table.number(0, 1).unwrap(), BigRational::new(1.into(), 10.into()));
        assert_eq!(*table.number(1, 1).unwrap(), BigRational::from_integer((-20).into()));
        assert!(table.number(1, 0).unwrap_err().to_string().contains("line 3, column `name`"));
        assert!(table.column("nam").unwrap_err().to_string().contains("`name`"));
        let table = read_csv(b"1,2\n3,4").unwrap();
        assert_eq!((table.columns.as_slice(), table.rows.len()), (["c1".to_string(), "c2".to_string()].as_slice(), 2));
    }

    #[test]
    fn bad_tables_are_refused_with_their_line() {
        let refusal = |text: &[u8]| read_csv(text).unwrap_err().to_string();
        assert!(refusal(b"a,b\n1,2\n3\n").contains("line 3: expected 2 cells, found 1"));
        assert!(refusal(b"a\n\"1").contains("closing quote"));
        assert!(refusal(b"a\n1\"2").contains("quote at the start"));
        assert!(refusal(b"a\n\xff").contains("byte 2"));
        assert!(refusal(b"").contains("at least one row"));
        assert!(refusal(b"a,b\n").contains("at least one row"));
        assert!(refusal(b"a,a\n1,2\n").contains("`a` twice"));
    }
}
