//! Fetching what differs from a release that is here, in the place of the whole.
//!
//! A registry has deltas or has none, and nothing says which: they are asked for by name. One that does not have the first few has
//! none, and is not asked for more in this run. Whatever is wrong with a delta, the pack is fetched then.

use std::io::Read;
use std::sync::atomic::{AtomicU32, Ordering};

use weir_model::{TreeDigest, chain};
use weir_reach::{Counter, Session};
use weir_registry::DELTAS_FROM;
use weir_registry::content::{Delta, delta_path};
use weir_store::EnsureError;

use super::pack::PackJob;

/// So many that a registry does not have, and it is asked for no more.
const PATIENCE: u32 = 4;

/// What came of asking one registry for deltas.
#[derive(Debug, Default)]
pub(super) struct Asked {
    had: AtomicU32,
    had_not: AtomicU32,
}

impl Asked {
    fn is_worth_it(&self) -> bool {
        self.had.load(Ordering::Relaxed) > 0 || self.had_not.load(Ordering::Relaxed) < PATIENCE
    }
}

/// Why there is no delta.
enum Failure {
    Absent,
    NotReached,
}

/// Brings the tree of `job` into the store from another release that is here, and tells how many bytes came. Nothing where that cannot be done.
pub(super) fn fetch(
    job: &PackJob,
    session: &Session,
    store: &weir_store::Session,
    counter: &Counter,
) -> Option<u64> {
    // What a delta may cost is known only where the pack's size is.
    let pack_bytes = job.pack_bytes.filter(|bytes| *bytes >= DELTAS_FROM)?;
    for base in &job.bases {
        if !job.supplier.asked.is_worth_it() {
            return None;
        }
        match from(job, base, pack_bytes, store, counter) {
            Ok(()) => return Some(counter.at()),
            Err(EnsureError::Store(error)) if error.is_integrity() => session.warn(format!(
                "the delta to `{}` that the registry `{}` has is not what it must be, so the whole pack is fetched: {}",
                job.id,
                job.supplier.known.name,
                chain(&error)
            )),
            // Where the registry or the disk fails, the pack will tell.
            Err(EnsureError::Store(_) | EnsureError::Source(Failure::NotReached)) => return None,
            Err(EnsureError::Source(Failure::Absent)) => {}
        }
        counter.to(0);
    }
    None
}

fn from(
    job: &PackJob,
    base: &TreeDigest,
    pack_bytes: u64,
    store: &weir_store::Session,
    counter: &Counter,
) -> Result<(), EnsureError<Failure>> {
    let asked = &job.supplier.asked;
    let path = delta_path(&Delta { from: *base, to: job.tree });
    store
        .update_tree(&job.tree, base, pack_bytes, &job.limits, || -> Result<Box<dyn Read + Send>, Failure> {
            match job.supplier.source.open(&path, 0) {
                Ok(Some(stream)) => {
                    asked.had.fetch_add(1, Ordering::Relaxed);
                    Ok(Box::new(counter.read(stream)))
                }
                Ok(None) => {
                    asked.had_not.fetch_add(1, Ordering::Relaxed);
                    Err(Failure::Absent)
                }
                Err(_) => Err(Failure::NotReached),
            }
        })
        .map(drop)
}
