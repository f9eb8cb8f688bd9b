//! A time during which the store is used, and in which nothing vanishes from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};

use crate::StoreError;
use crate::lock::{ItemLock, StoreLock};
use crate::observe::Event;
use crate::readers::is_for_others;
use crate::store::Store;

/// How old the mark of last use may grow before a use renews it. Well below any sensible grace period,
/// and long enough that a use costs a second system call twice a day at most.
const MARK_AGE: Duration = Duration::from_hours(12);

/// The lock of those who read the files of many trees carefully, and of who shares them.
const QUIET: &str = "quiet";

/// A use of the store: see [`Store::session`]. What one of its methods said is there stays there until the
/// session is dropped. May be used by many threads at once.
#[derive(Debug)]
pub struct Session {
    store: Store,
    _lock: StoreLock,
}

/// What lies under a name, and when it was last used.
pub(crate) enum Found {
    Folder,
    File { bytes: u64 },
}

impl Session {
    pub(crate) fn new(store: Store, lock: StoreLock) -> Self {
        Self { store, _lock: lock }
    }

    /// The store that is used.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Looks something up with one `lstat`, and marks it as used if that mark is old.
    pub(crate) fn look_up(&self, path: &Path) -> Result<Option<Found>, StoreError> {
        let stat = match rustix::fs::lstat(path) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(error) => return Err(StoreError::io(path, error.into())),
        };
        let used = Duration::from_secs(u64::try_from(stat.st_mtime).unwrap_or_default());
        let now = self.store.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        if now.saturating_sub(used) > MARK_AGE {
            mark_used(path);
        }
        Ok(match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
            rustix::fs::FileType::Directory => Some(Found::Folder),
            // Another user's own, on a store that is shared: whoever has the bytes may have them here too.
            rustix::fs::FileType::RegularFile if !is_for_others(stat.st_mode) && is_anothers(stat.st_uid) => {
                None
            }
            rustix::fs::FileType::RegularFile => {
                Some(Found::File { bytes: u64::try_from(stat.st_size).unwrap_or_default() })
            }
            _ => None,
        })
    }

    /// Excludes whoever shares equal files: a new link changes a file's times, and a careful reader takes
    /// that for a change of the file. A store that cannot be written has nobody to exclude.
    pub(crate) fn quiet(&self) -> Result<Option<ItemLock>, StoreError> {
        match self.lock(QUIET) {
            Ok(lock) => Ok(Some(lock)),
            Err(StoreError::ReadOnly { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes the lock for making something, telling if somebody else is at it.
    pub(crate) fn lock(&self, item: &str) -> Result<ItemLock, StoreError> {
        self.store.sweep_once();
        let path: PathBuf = self.store.layout().lock(item);
        ItemLock::take(path, || self.store.tell(Event::Waiting))
    }
}

/// Whether a file that only its owner reads is closed to this user.
fn is_anothers(owner: u32) -> bool {
    let user = rustix::process::geteuid();
    !user.is_root() && user.as_raw() != owner
}

/// The modification time of a tree's folder, or of a file, is when it was last used. Somebody else's
/// store may not let us write that down; then the grace period counts from the time before.
fn mark_used(path: &Path) {
    let omitted = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: omitted, last_modification: now };
    let _ = rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
}
