//! Things in the making, in `tmp/`, and what becomes of them when their maker dies.
//!
//! A name there is `<item>.<machine>.<unique>`. The item's lock, `lock/<item>`, is held while the thing is
//! made, so an entry of this machine whose lock is free belongs to nobody. Of another machine's
//! locks nothing is known here; its leftovers are removed when they are older than a day.

use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::error::{AtPath as _, StoreError};
use crate::layout::Layout;
use crate::lock::{Attempt, ItemLock};
use crate::remove::remove;

/// After this long, what another machine left in `tmp/` belongs to nobody.
pub(crate) const FOREIGN_LEFTOVER: Duration = Duration::from_hours(24);

/// After this long, a download that nobody resumed is given up.
pub(crate) const FORGOTTEN_PART: Duration = Duration::from_hours(14 * 24);

/// The item that things renamed away carry: they belong to nobody already.
pub(crate) const TRASH: &str = "trash";

/// What follows the machine in the name of a partial download.
const PART: &str = "part";

/// A path in `tmp/` that is removed again unless it is moved into its place.
#[derive(Debug)]
pub(crate) struct Staging {
    path: PathBuf,
}

impl Staging {
    /// A path that nobody uses, for making `item`, whose lock the caller holds.
    pub(crate) fn new(layout: &Layout, item: &str, machine: &str) -> Self {
        let name = format!("{item}.{machine}.{}", unique());
        Self { path: layout.tmp().join(name) }
    }

    /// The path, for something whose removal does not end with this value.
    pub(crate) fn into_trash(self) -> PathBuf {
        let mut this = std::mem::ManuallyDrop::new(self);
        std::mem::take(&mut this.path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Staging {
    /// Nothing is there any more if it was moved into its place.
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// A part of a name that no other thread, process or machine makes.
pub(crate) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = std::hash::RandomState::new().hash_one(std::process::id());
    format!("{}-{count}-{random:016x}", std::process::id())
}

/// Where a partial download of `item` is kept, to be resumed by this machine.
pub(crate) fn part(layout: &Layout, item: &str, machine: &str) -> PathBuf {
    layout.tmp().join(format!("{item}.{machine}.{PART}"))
}

/// Whose an entry of `tmp/` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry<'n> {
    item: &'n str,
    machine: &'n str,
    rest: &'n str,
}

impl<'n> Entry<'n> {
    fn parse(name: &'n str) -> Option<Self> {
        let mut parts = name.splitn(3, '.');
        Some(Self { item: parts.next()?, machine: parts.next()?, rest: parts.next()? })
    }
}

/// A leftover that belongs to nobody, with its lock, so that nobody begins while it is removed.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub(crate) path: PathBuf,
    _lock: Option<ItemLock>,
}

/// The entries of `tmp/` that belong to nobody, and the downloads that nobody went on with for `forgotten_part`.
pub(crate) fn leftovers(
    layout: &Layout,
    machine: &str,
    now: SystemTime,
    forgotten_part: Duration,
) -> Result<Vec<Leftover>, StoreError> {
    let tmp = layout.tmp();
    let mut found = Vec::new();
    for entry in fs_err::read_dir(&tmp).at(&tmp)? {
        let path = entry.at(&tmp)?.path();
        let age = || age(&path, now);
        let name = path.file_name().and_then(|name| name.to_str()).and_then(Entry::parse);
        let Some(Entry { item, machine: whose, rest }) = name else {
            if age() > FOREIGN_LEFTOVER {
                found.push(Leftover { path, _lock: None });
            }
            continue;
        };
        if rest == PART && age() < forgotten_part {
            continue;
        }
        if item == TRASH {
            found.push(Leftover { path, _lock: None });
            continue;
        }
        let attempt =
            if whose == machine { ItemLock::try_take(layout.lock(item))? } else { Attempt::Unsupported };
        match attempt {
            Attempt::Taken(lock) => found.push(Leftover { path, _lock: Some(lock) }),
            Attempt::Unsupported if age() > FOREIGN_LEFTOVER => found.push(Leftover { path, _lock: None }),
            Attempt::Unsupported | Attempt::Held => {}
        }
    }
    Ok(found)
}

/// Removes the lock files that killed processes left.
pub(crate) fn remove_free_locks(layout: &Layout) -> Result<(), StoreError> {
    let locks = layout.locks();
    for entry in fs_err::read_dir(&locks).at(&locks)? {
        let path = entry.at(&locks)?.path();
        if path != layout.gc_lock() {
            // A lock that is taken goes when it is dropped, file and all.
            drop(ItemLock::try_take(path)?);
        }
    }
    Ok(())
}

/// How long ago something was last written; nothing, if that cannot be told.
pub(crate) fn age(path: &Path, now: SystemTime) -> Duration {
    let modified = fs_err::symlink_metadata(path).and_then(|metadata| metadata.modified());
    modified.ok().and_then(|modified| now.duration_since(modified).ok()).unwrap_or_default()
}
