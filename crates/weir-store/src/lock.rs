//! Locks that a dead process does not hold: flock(2), through the standard library.

use std::fs::TryLockError;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::{AtPath as _, StoreError};

/// A lock on one thing being made. Its file is removed when the lock is given up.
#[derive(Debug)]
pub(crate) struct ItemLock {
    path: PathBuf,
    /// Absent where the file system has no locks: the maker then works on its own, and the rename decides.
    file: Option<fs_err::File>,
}

impl ItemLock {
    /// Takes the lock, calling `waiting` first if somebody else holds it.
    pub(crate) fn take(path: PathBuf, mut waiting: impl FnMut()) -> Result<Self, StoreError> {
        loop {
            let file = open(&path)?;
            let locked = match file.file().try_lock() {
                Err(TryLockError::WouldBlock) => {
                    waiting();
                    file.file().lock()
                }
                Err(TryLockError::Error(error)) => Err(error),
                Ok(()) => Ok(()),
            };
            match locked {
                Err(error) if is_unsupported(&error) => return Ok(Self { path, file: None }),
                other => other.at(&path)?,
            }
            if is_still(&file, &path) {
                return Ok(Self { path, file: Some(file) });
            }
        }
    }

    /// Takes the lock if nobody holds it.
    pub(crate) fn try_take(path: PathBuf) -> Result<Attempt, StoreError> {
        let file = open(&path)?;
        match file.file().try_lock() {
            Err(TryLockError::WouldBlock) => Ok(Attempt::Held),
            Err(TryLockError::Error(error)) if is_unsupported(&error) => Ok(Attempt::Unsupported),
            Err(TryLockError::Error(error)) => Err(StoreError::io(&path, error)),
            Ok(()) if is_still(&file, &path) => Ok(Attempt::Taken(Self { path, file: Some(file) })),
            Ok(()) => Ok(Attempt::Held),
        }
    }
}

impl ItemLock {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// What came of trying to take a lock.
#[derive(Debug)]
pub(crate) enum Attempt {
    Taken(ItemLock),
    Held,
    /// The file system has no locks, so nothing is known of other holders.
    Unsupported,
}

impl Drop for ItemLock {
    /// Removes the file while the lock is held: whoever waits for it notices, see [`is_still`].
    fn drop(&mut self) {
        let _ = fs_err::remove_file(&self.path);
        drop(self.file.take());
    }
}

/// The lock between those who use the store and the collector. Its file stays.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: Option<fs_err::File>,
}

impl StoreLock {
    /// Held by a session. On a read-only store without the file there is no lock and no collector either.
    pub(crate) fn shared(path: &Path, waiting: impl FnOnce()) -> Result<Self, StoreError> {
        let file = match fs_err::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => match open(path) {
                Ok(file) => file,
                Err(StoreError::ReadOnly { .. }) => return Ok(Self { _file: None }),
                Err(error) => return Err(error),
            },
            Err(error) => return Err(StoreError::io(path, error)),
        };
        let locked = match file.file().try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.file().lock_shared()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        Self::held(file, locked, path)
    }

    /// Held by the collector while it renames things away.
    pub(crate) fn exclusive(path: &Path, waiting: impl FnOnce()) -> Result<Self, StoreError> {
        let file = open(path)?;
        let locked = match file.file().try_lock() {
            Err(TryLockError::WouldBlock) => {
                waiting();
                file.file().lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        Self::held(file, locked, path)
    }

    fn held(file: fs_err::File, locked: io::Result<()>, path: &Path) -> Result<Self, StoreError> {
        match locked {
            Err(error) if is_unsupported(&error) => Ok(Self { _file: None }),
            other => other.at(path).map(|()| Self { _file: Some(file) }),
        }
    }
}

fn open(path: &Path) -> Result<fs_err::File, StoreError> {
    fs_err::OpenOptions::new().create(true).append(true).open(path).at(path)
}

/// Whether the file that was locked is still the one of that name. Its last holder may have removed it
/// between the opening and the locking, and somebody else may hold a new one by now.
fn is_still(file: &fs_err::File, path: &Path) -> bool {
    match (file.file().metadata(), fs_err::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn is_unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    error.kind() == io::ErrorKind::Unsupported
        || matches!(errno, Some(Errno::NOLCK | Errno::NOTSUP | Errno::NOSYS))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::{Attempt, ItemLock};

    #[test]
    fn who_waited_for_a_lock_excludes_whoever_comes_after_its_file_was_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("item");
        let (waits, waiting) = channel();
        let first = ItemLock::take(path.clone(), || ()).unwrap();
        std::thread::scope(|scope| {
            let second =
                scope.spawn(|| ItemLock::take(path.clone(), move || waits.send(()).unwrap()).unwrap());
            waiting.recv().unwrap();
            drop(first);
            let _second = second.join().unwrap();
            assert!(matches!(ItemLock::try_take(path.clone()).unwrap(), Attempt::Held));
        });
        assert!(!path.exists());
    }
}
