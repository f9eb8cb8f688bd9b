//! A folder that several users write to: what one of them makes in it is as open as the folder, and of its group.
//!
//! Where a file system knows no modes or groups, such as that of a USB stick, or where somebody is not of the folder's
//! group, there is nothing to keep, and nothing fails for it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;

use rustix::fs::{Gid, Mode, OFlags};

use crate::error::AtPath as _;
use crate::folder::Folder;
use crate::name::names;
use crate::{Durability, Result};

/// The bits of a mode that say who may read and write a file.
const READ_AND_WRITE: u32 = 0o666;

impl Folder {
    /// Opens a folder below; it and what is missing above it are made, each as open as this one is and of its group.
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened; when a name on the way is a link, or no folder.
    pub fn make_shared_folder(&self, below: impl AsRef<Path>, durability: Durability) -> Result<Self> {
        let mut folder = self.again()?;
        for name in names(below.as_ref())? {
            folder = match folder.enter(name) {
                Err(error) if error.is_not_found() => {
                    folder.new_folder(name)?;
                    let made = folder.enter(name)?;
                    self.share(&made);
                    if durability == Durability::Durable {
                        folder.sync()?;
                    }
                    made
                }
                entered => entered?,
            };
        }
        Ok(folder)
    }

    /// Makes `folder`, which was just made below, as open as this one.
    fn share(&self, folder: &Self) {
        let (Ok(above), Ok(made)) = (rustix::fs::fstat(self), rustix::fs::fstat(folder)) else { return };
        if made.st_gid != above.st_gid {
            let _ = rustix::fs::fchown(folder, None, Some(Gid::from_raw(above.st_gid)));
        }
        if made.st_mode != above.st_mode {
            let _ = rustix::fs::fchmod(folder, Mode::from_raw_mode(above.st_mode & 0o7777));
        }
    }

    /// Opens the file `name` for locking, made if it is not there: who may write in this folder may lock it.
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened, or is a link.
    pub fn lock_file(&self, name: impl AsRef<OsStr>) -> Result<File> {
        let name = name.as_ref();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd =
            rustix::fs::openat(self, name, flags, Mode::from_raw_mode(READ_AND_WRITE)).at(self.at(name))?;
        let (above, about) =
            (rustix::fs::fstat(self).at(self.path())?, rustix::fs::fstat(&fd).at(self.at(name))?);
        let wanted = above.st_mode & READ_AND_WRITE;
        // Whoever came first had habits of their own, or was stopped before this.
        if about.st_mode & wanted != wanted {
            let _ = rustix::fs::fchown(&fd, None, Some(Gid::from_raw(above.st_gid)));
            let _ = rustix::fs::fchmod(&fd, Mode::from_raw_mode(wanted));
        }
        Ok(File::from(fd))
    }
}
