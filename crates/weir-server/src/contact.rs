//! When the registries above one were last asked, and whether each answered: kept in memory, as long as the server runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// How asking above went last, by the names of the registries.
#[derive(Default)]
pub(crate) struct LastAsked {
    kept: Mutex<BTreeMap<String, Asked>>,
}

/// When one was asked, and why it was not reached or not believed.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Timestamp,
    pub(crate) failed: Option<String>,
}

impl LastAsked {
    /// One was asked.
    pub(crate) fn note(&self, registry: &str, at: Timestamp, failed: Option<String>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.insert(registry.to_owned(), Asked { at, failed });
    }

    /// How that went.
    pub(crate) fn of(&self, registry: &str) -> Option<Asked> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(registry).cloned()
    }
}
