//! What can be wrong with a manifest, and where.

use std::ops;

/// What is wrong with a manifest, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ManifestError {
    /// What is wrong.
    pub message: String,
    /// What to do about it, if that is known.
    pub help: Option<String>,
    /// The bytes of the text that it is about.
    pub span: ops::Range<usize>,
    /// The line those bytes begin on, from 1.
    pub line: usize,
}

impl ManifestError {
    pub(super) fn new(text: &str, span: Option<ops::Range<usize>>, message: impl Into<String>) -> Self {
        let span = span.unwrap_or(0..0);
        Self { message: message.into(), help: None, line: line_of(text, span.start), span }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

/// The line, from 1, that byte `offset` of `text` is on.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}
