//! Certificates outside the kernel: written after a check, and given their theorems before they are checked again.
//!
//! Trust: [`verify`] hands the kernel the statements of the embedded library, whose text must have the hash that the certificate
//! states, and theorems whose text the certificate itself holds. Everything else here is untrusted: whatever is written, the kernel
//! derives again.

pub mod coq;
mod encode;
pub mod library;
mod write;

pub use write::{Draft, Item, write};

use crate::kernel::certificate::document::TheoremRecord;
use crate::kernel::certificate::{Certificate, Reason, Refusal};
use crate::kernel::derive::Theorems;
use crate::kernel::theorem::{Status, Theorem};
use crate::syntax::{self, ast};
use crate::text::Source;
use crate::theory::{Library, compile};

/// The statements that the certificate's theorems stand for. Errors: a name that neither the library nor the certificate
/// explains, or a text with another hash.
pub fn theorems(certificate: &Certificate) -> Result<Theorems, Refusal> {
    let (library, _) = Library::embedded();
    let mut theorems = Theorems::new();
    for record in &certificate.theorems {
        theorems.insert(record.name.clone(), statement(record, &library)?);
    }
    Ok(theorems)
}

fn statement(record: &TheoremRecord, library: &Library) -> Result<Theorem, Refusal> {
    let name = &record.name;
    let refuse = |reason, text: String| Err(Refusal::new(reason, format!("theorems.{name}: {text}")));
    let embedded = library.entries.iter().find(|entry| entry.theorem.name == *name);
    let compiled;
    let entry = match (embedded, &record.text) {
        (Some(entry), None) => entry,
        (Some(_), Some(_)) => {
            return refuse(Reason::Theorem, "expected no text, as the library has a theorem of this name".to_string());
        }
        (None, None) => {
            return refuse(Reason::Theorem, "expected a theorem of the library, found another name".to_string());
        }
        (None, Some(text)) => {
            compiled = match block(text) {
                Ok(block) => compile::compile(&block, compile::Origin::User),
                Err(problem) => return refuse(Reason::Theorem, problem),
            };
            match &compiled {
                Ok(entry) if entry.theorem.name == *name && entry.text == *text => entry,
                Ok(_) => {
                    return refuse(
                        Reason::Theorem,
                        "expected the canonical text of a theorem of this name".to_string(),
                    );
                }
                Err(diagnostic) => return refuse(Reason::Theorem, diagnostic.title.clone()),
            }
        }
    };
    if entry.hash != record.sha256 {
        return refuse(
            Reason::TheoremText,
            format!("expected SHA-256 {} of its text, found {}", entry.hash, record.sha256),
        );
    }
    if entry.theorem.status != record.status {
        return refuse(Reason::TheoremText, format!("expected the status {}", word(entry.theorem.status)));
    }
    Ok(entry.theorem.clone())
}

/// The one theorem of a text.
fn block(text: &str) -> Result<ast::Theorem, String> {
    let source = Source::new("theorem", text).map_err(|diagnostic| diagnostic.title)?;
    let parsed = syntax::parse(&source);
    if let Some(diagnostic) = parsed.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        return Err(diagnostic.title.clone());
    }
    match parsed.file.items.as_slice() {
        [ast::Item { kind: ast::ItemKind::Theorem(block), .. }] => Ok((**block).clone()),
        _ => Err("expected the text of one theorem".to_string()),
    }
}

/// The word for a status.
pub fn word(status: Status) -> &'static str {
    crate::kernel::certificate::document::STATUSES.iter().find(|(_, s)| *s == status).map_or("", |(word, _)| word)
}
