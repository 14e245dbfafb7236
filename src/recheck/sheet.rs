//! The file of a published table.

use crate::data::csv::{self, Cell};
use crate::data::file::Folder;
use crate::data::{DataError, Result};
use crate::kernel::term::{Substitution, Term};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Pow};

/// Largest file of a table.
const SHEET_BYTES: u64 = 16 << 20;
/// Most decimals that are told apart.
const DECIMALS_LIMIT: u32 = 40;

/// A published table as read.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub name: String,
    pub path: String,
    pub sha256: String,
    table: csv::Table,
}

impl Sheet {
    /// Errors: a file that is missing, altered or no table.
    pub fn load(folder: &Folder, name: &str, path: &str, sha256: Option<&str>) -> Result<Sheet> {
        let contents = folder.read(path, SHEET_BYTES)?;
        if let Some(expected) = sha256 {
            contents.check_hash(expected)?;
        }
        let table = csv::read_csv(&contents.bytes).map_err(|error| DataError::new(path, error.kind))?;
        Ok(Sheet { name: name.to_string(), path: path.to_string(), sha256: contents.sha256.to_string(), table })
    }

    pub fn columns(&self) -> &[String] {
        &self.table.columns
    }

    pub fn len(&self) -> usize {
        self.table.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.table.rows.is_empty()
    }

    pub fn line(&self, row: usize) -> usize {
        self.table.lines.get(row).copied().unwrap_or(0)
    }

    /// The first text of the row: what the paper calls it.
    pub fn label(&self, row: usize) -> Option<&str> {
        self.table.rows.get(row)?.iter().find_map(|cell| match cell {
            Cell::Text(text) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        })
    }

    /// The number in a cell; `None` for a text.
    pub fn number(&self, row: usize, column: &str) -> Option<&BigRational> {
        let position = self.table.columns.iter().position(|name| name == column)?;
        match self.table.rows.get(row)?.get(position)? {
            Cell::Number(number) => Some(number),
            Cell::Text(_) => None,
        }
    }

    /// Decimals that the column is printed with: the most of any of its cells.
    pub fn decimals(&self, column: &str) -> u32 {
        (0..self.len()).filter_map(|row| self.number(row, column)).map(decimals).max().unwrap_or(0)
    }

    /// Whether every number of the column is an integer above 1: a count.
    pub fn is_count(&self, column: &str) -> bool {
        let mut numbers = (0..self.len()).filter_map(|row| self.number(row, column)).peekable();
        numbers.peek().is_some() && numbers.all(|q| q.is_integer() && *q > BigRational::one())
    }

    /// `r.n` and so on for the numbers of a row.
    pub fn substitution(&self, variable: &str, row: usize) -> Substitution {
        let columns = self.columns().iter();
        let numbers = columns.filter_map(|column| Some((column, self.number(row, column)?)));
        numbers.map(|(column, q)| (format!("{variable}.{column}"), Term::Number(q.clone()))).collect()
    }
}

/// The least d with 10^d q an integer, up to a limit.
fn decimals(q: &BigRational) -> u32 {
    (0..DECIMALS_LIMIT).find(|d| (q * unit(*d).recip()).is_integer()).unwrap_or(DECIMALS_LIMIT)
}

/// 10^-d
pub fn unit(d: u32) -> BigRational {
    BigRational::new(BigInt::one(), Pow::pow(BigInt::from(10), d))
}
