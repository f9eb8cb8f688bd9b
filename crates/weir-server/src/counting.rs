//! Downloads, counted: in memory while they are answered, and written down a few times a minute.
//!
//! Whoever downloads waits for a lock and no disk. A server that is killed loses the last moments of it; one that is stopped writes
//! them down first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use weir_activity::Downloaded;
use weir_model::TreeDigest;

use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::registries::RegistryName;

/// So often it is written down.
const STEP: Duration = Duration::from_secs(15);

/// So many different contents are counted between two steps. What there is more of is not counted: a registry has fewer.
const MOST: usize = 1 << 18;

/// What was counted and is not written down yet.
#[derive(Default)]
pub(crate) struct Counting {
    waiting: Mutex<HashMap<Downloaded, u64>>,
}

impl Counting {
    /// Counts a download.
    pub(crate) fn count(&self, registry: &RegistryName, tree: TreeDigest, asker: &Asker) {
        let day = asker.day();
        let what = Downloaded { registry: registry.to_string(), tree, day, by: asker.downloader() };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MOST || waiting.contains_key(&what) {
            *waiting.entry(what).or_default() += 1;
        }
    }

    /// Writes down what was counted. What cannot be written is tried again with the next.
    pub(crate) async fn write(app: &Arc<App>) {
        let waiting =
            std::mem::take(&mut *app.counting.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return;
        }
        let counted: Vec<(Downloaded, u64)> = waiting.into_iter().collect();
        let writing = app.clone();
        let (written, counted) = blocking(move || (writing.downloads.add(&counted), counted)).await;
        if let Err(error) = written {
            tracing::error!(%error, "downloads could not be written down");
            let mut waiting = app.counting.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for (what, count) in counted {
                *waiting.entry(what).or_default() += count;
            }
        }
    }

    /// Writes it down again and again.
    pub(crate) async fn run(app: &Arc<App>) {
        loop {
            tokio::time::sleep(STEP).await;
            Self::write(app).await;
        }
    }
}
