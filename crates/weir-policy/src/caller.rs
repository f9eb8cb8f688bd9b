//! Who acts, and when.

use jiff::Timestamp;

/// Who acts, and when: known to whoever authenticated them, who makes one of these for each thing they ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    actor: String,
    at: Timestamp,
}

impl Caller {
    /// `actor`, such as `user:ann`, acts at `at`. The log has whole seconds: nobody reads fractions in it, and they
    /// would cost every snapshot some bytes.
    pub fn new(actor: impl Into<String>, at: Timestamp) -> Self {
        Self { actor: actor.into(), at: Timestamp::from_second(at.as_second()).unwrap_or(at) }
    }

    /// Who, such as `user:ann`.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// When, in whole seconds.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}
