//! Statements for readers: plain text and LaTeX.
