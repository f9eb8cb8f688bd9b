//! Removing, without following a link.

use std::ffi::OsStr;
use std::path::Path;

use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use crate::folder::Folder;
use crate::{FsError, Result, Sort};

impl Folder {
    /// Removes a file or a link below. Answers whether there was one.
    ///
    /// # Errors
    ///
    /// When it cannot be removed, or is a folder; when a name on the way to it is a link, or no folder.
    pub fn remove_file(&self, below: impl AsRef<Path>) -> Result<bool> {
        let place = match self.place(below.as_ref()) {
            Err(error) if error.is_not_found() => return Ok(false),
            place => place?,
        };
        match rustix::fs::unlinkat(place.fd(), place.name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(Errno::ISDIR) => Err(FsError::other(place.path(), Sort::Folder, Sort::File)),
            Err(error) => Err(FsError::io(place.path(), error)),
        }
    }

    /// Removes a folder below that is empty. Answers whether it did: one that is not empty, or not there, is left alone.
    ///
    /// # Errors
    ///
    /// When an empty folder cannot be removed; when a name on the way to it is a link, or no folder.
    pub fn remove_empty(&self, below: impl AsRef<Path>) -> Result<bool> {
        let place = match self.place(below.as_ref()) {
            Err(error) if error.is_not_found() => return Ok(false),
            place => place?,
        };
        match rustix::fs::unlinkat(place.fd(), place.name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR | Errno::BUSY) => Ok(false),
            Err(error) => Err(FsError::io(place.path(), error)),
        }
    }

    /// Removes whatever is below under this name, if anything is: a link itself and not what it leads to, a folder with all that is
    /// in it. Folders that their owner may not write are made writable first.
    ///
    /// # Errors
    ///
    /// When something in it cannot be removed; when a name on the way to it is a link, or no folder.
    pub fn remove_tree(&self, below: impl AsRef<Path>) -> Result<()> {
        let place = match self.place(below.as_ref()) {
            Err(error) if error.is_not_found() => return Ok(()),
            place => place?,
        };
        place.folder().remove_name(place.name)
    }

    fn remove_name(&self, name: &OsStr) -> Result<()> {
        match rustix::fs::unlinkat(self, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            // What a system says of a folder.
            Err(Errno::ISDIR | Errno::PERM) => {}
            Err(error) => return Err(FsError::io(self.at(name), error)),
        }
        let inside = self.enter(name)?;
        inside.remove_all()?;
        match rustix::fs::unlinkat(self, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(FsError::io(self.at(name), error)),
        }
    }

    /// Removes everything in it.
    fn remove_all(&self) -> Result<()> {
        let mut entries = self.entries()?.into_iter();
        let Some(first) = entries.next() else { return Ok(()) };
        if self.remove_name(&first.name).is_err() {
            // Its owner may not write in it, perhaps; whether that was it shows at once.
            let _ = rustix::fs::fchmod(self, Mode::RWXU);
            self.remove_name(&first.name)?;
        }
        entries.try_for_each(|entry| self.remove_name(&entry.name))
    }
}
