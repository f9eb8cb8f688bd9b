//! What batches were answered: who did not hear the answer asks again with the same key, and gets it.
//!
//! Answers are kept in memory. When the server was started anew meanwhile, the batch is carried out again: what was done is done
//! already then, and the answer says so.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use weir_model::Sha256;
use weir_wire::Receipt;

use crate::registries::RegistryName;

/// Bytes of answers that are kept.
const MEMORY: u64 = 32 << 20;

/// Bytes that an outcome takes, about.
const OUTCOME: u64 = 256;

/// The most characters that a key may have.
pub(crate) const MAX_KEY: usize = 64;

/// Whose batch it was: the registry, who asked, and the key that they gave it.
type Key = (RegistryName, String, String);

/// The batch, and what it was answered.
type Kept = (Sha256, Arc<Receipt>);

/// The answers to batches.
pub(crate) struct Answers {
    kept: Cache<Key, Kept, ByOutcomes>,
}

#[derive(Clone)]
struct ByOutcomes;

impl Weighter<Key, Kept> for ByOutcomes {
    fn weight(&self, _: &Key, (_, receipt): &Kept) -> u64 {
        OUTCOME * (receipt.outcomes.len() as u64 + 4)
    }
}

impl Answers {
    pub(crate) fn new() -> Self {
        let expected = usize::try_from(MEMORY / OUTCOME / 8).unwrap_or(1 << 10);
        Self { kept: Cache::with_weighter(expected, MEMORY, ByOutcomes) }
    }

    /// What was answered to a batch that came with this key: `Err` if it was another batch.
    pub(crate) fn find(&self, key: &Key, batch: &Sha256) -> Result<Option<Arc<Receipt>>, ()> {
        match self.kept.get(key) {
            Some((kept, receipt)) if kept == *batch => Ok(Some(receipt)),
            Some(_) => Err(()),
            None => Ok(None),
        }
    }

    pub(crate) fn keep(&self, key: Key, batch: Sha256, receipt: Arc<Receipt>) {
        self.kept.insert(key, (batch, receipt));
    }
}
