//! One at a time.

use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use crate::error::AtPath as _;
use crate::folder::Folder;
use crate::{FsError, Result};

/// A lock on a folder, held until it is dropped or its process ends.
///
/// It is on the folder itself: there is no file for it that somebody could put a link in the place of, or that would be left.
#[derive(Debug)]
pub struct Lock {
    _fd: Option<OwnedFd>,
}

impl Folder {
    /// Waits until nobody else holds the lock of this folder, and takes it. `waiting` is called once if it is held.
    ///
    /// Where the file system knows no locks of folders, such as some of a network, nobody is waited for.
    ///
    /// # Errors
    ///
    /// When the system fails.
    pub fn lock(&self, waiting: impl FnOnce()) -> Result<Lock> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Opened once more: a lock belongs to what was opened, and a copy of a handle shares it.
        let fd = rustix::fs::openat(self, ".", flags, Mode::empty()).at(self.path())?;
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Lock { _fd: Some(fd) }),
            Err(Errno::WOULDBLOCK) => waiting(),
            Err(_) => return Ok(Lock { _fd: None }),
        }
        loop {
            match rustix::fs::flock(&fd, FlockOperation::LockExclusive) {
                Ok(()) => return Ok(Lock { _fd: Some(fd) }),
                Err(Errno::INTR) => {}
                Err(error) => return Err(FsError::io(self.path(), error)),
            }
        }
    }
}
