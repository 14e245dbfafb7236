//! Names that cannot be mistaken. Trust: kernel.
//!
//! A claim is read in its printed form, so no name of a certificate may look like something else: a definition called
//! `lip(f, l2)` would let `lip(f, l2) <= 0` be proved. Names are identifiers, with parts after dots (`D.train`); members of families and
//! the class of a file's architecture bear one argument list (`f(16)`, `architecture(f)`); nothing bears a name of the vocabulary.

use super::json::Field;
use super::{Reason, Refusal};
use crate::kernel::signature;
use crate::kernel::term::Op;

const LENGTH_LIMIT: usize = 256;
/// Words of the printed form of terms and formulas that no list of the vocabulary holds.
const WORDS: [&str; 12] = ["pi", "e", "inf", "sum", "prod", "cases", "if", "otherwise", "forall", "in", "and", "log"];

/// ASCII letters only: a Cyrillic letter in `lip` would be another word that looks the same.
fn is_identifier(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Words of the vocabulary that take arguments. A norm or loss is a bare name, which a definition would turn into a number where a
/// norm or loss is needed: nothing could be proved, so nothing misleading.
fn is_reserved(word: &str) -> bool {
    Op::named(word).is_some()
        || signature::quantity(word).is_some()
        || signature::constructor(word).is_some()
        || signature::predicate(word).is_some()
        || WORDS.contains(&word)
}

fn refuse<'j>(field: &Field<'j>, expected: &str, text: &str) -> Result<&'j str, Refusal> {
    let found: String = text.chars().take(60).collect();
    field.refuse(Reason::Name, format!("expected {expected}, found `{found}`"))
}

/// A definition: one identifier without a meaning of its own.
pub fn identifier<'j>(field: &Field<'j>, text: &'j str) -> Result<&'j str, Refusal> {
    if text.len() <= LENGTH_LIMIT && is_identifier(text) && !is_reserved(text) {
        return Ok(text);
    }
    refuse(field, "a new name", text)
}

/// A bound variable or parameter. Quantities and functions are followed by arguments, so a variable may share their names.
pub fn variable<'j>(field: &Field<'j>, text: &'j str) -> Result<&'j str, Refusal> {
    if text.len() <= LENGTH_LIMIT && is_identifier(text) && !WORDS.contains(&text) {
        return Ok(text);
    }
    refuse(field, "a variable", text)
}

/// The name of an assumption or of a stated value: one identifier; no term uses it.
pub fn label<'j>(field: &Field<'j>, text: &'j str) -> Result<&'j str, Refusal> {
    if text.len() <= LENGTH_LIMIT && is_identifier(text) {
        return Ok(text);
    }
    refuse(field, "a name", text)
}

/// An object: an identifier, its parts, or a member of a family.
pub fn object<'j>(field: &Field<'j>, text: &'j str) -> Result<&'j str, Refusal> {
    let first = text.split(['.', '(']).next().unwrap_or(text);
    if is_reserved(first) { refuse(field, "a new name", text) } else { mention(field, text) }
}

/// A name inside a term: of an object, a definition, a variable or a symbol.
pub fn mention<'j>(field: &Field<'j>, text: &'j str) -> Result<&'j str, Refusal> {
    let (head, arguments) = match text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        Some((head, arguments)) => (head, Some(arguments)),
        None => (text, None),
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'/' || b == b'-');
    let has_names = head.split('.').all(is_identifier) && !WORDS.contains(&head);
    // `lip(f, l2)` is a quantity, never a name.
    let is_call = arguments.is_some() && is_reserved(head);
    let has_arguments =
        arguments.is_none_or(|list| list.split(", ").all(|a| is_number(a) || a.split('.').all(is_identifier)));
    if text.len() <= LENGTH_LIMIT && has_names && has_arguments && !is_call {
        return Ok(text);
    }
    refuse(field, "a name", text)
}
