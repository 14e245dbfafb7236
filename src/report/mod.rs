//! Pure functions from views to text. Trust: untrusted.
//!
//! A view ([`view`], [`table::TableView`], [`derivation::DerivationView`]) is plain data that says everything a reader sees. A renderer
//! adds no fact: it does no arithmetic on bounds but outward decimal printing ([`decimal`]), reads no file, no clock, no
//! environment. Every string in a view may come from a stranger's file; each renderer escapes it for its format, and none
//! lets a control character through.

pub mod decimal;
pub mod derivation;
pub mod json;
pub mod latex;
mod layout;
pub mod plot;
pub mod recheck;
pub mod statement;
pub mod symbols;
pub mod table;
pub mod terminal;
pub mod view;

pub use layout::Style;
pub use view::{
    CheckView, DiagnosticView, FileView, ItemKind, ItemView, LedgerView, SettingView, Severity, TrainingView, Verdict,
};
