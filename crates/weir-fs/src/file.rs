//! Reading: regular files only, and never more than is allowed.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::AtPath as _;
use crate::folder::{Folder, found};
use crate::{FsError, Result, Sort};

/// A pipe that nobody writes to is opened at once, and told by what it is.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a regular file below.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be opened; when it, or a name on the way to it, is a link; when it is no regular file.
    pub fn open_file(&self, below: impl AsRef<Path>) -> Result<fs_err::File> {
        let place = self.place(below.as_ref())?;
        match rustix::fs::openat(place.fd(), place.name, READ | OFlags::NOFOLLOW, Mode::empty()) {
            Ok(fd) => regular(fd, place.path()),
            // What cannot be opened, such as a socket, is told by what it is.
            Err(error) => Err(match place.look()? {
                Some(found) if found.sort != Sort::File => {
                    FsError::other(place.path(), found.sort, Sort::File)
                }
                _ => FsError::io(place.path(), error),
            }),
        }
    }

    /// The bytes of a regular file below, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// As [`Folder::open_file`], and when it has more.
    pub fn read(&self, below: impl AsRef<Path>, limit: u64) -> Result<Vec<u8>> {
        all(self.open_file(below)?, limit)
    }

    /// The text of a regular file below, of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// As [`Folder::read`], and when it is not UTF-8.
    pub fn read_text(&self, below: impl AsRef<Path>, limit: u64) -> Result<String> {
        let below = below.as_ref();
        text(self.read(below, limit)?, || self.at(below))
    }

    /// The bytes of a regular file below, at most `limit` of them, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Folder::read`].
    pub fn find(&self, below: impl AsRef<Path>, limit: u64) -> Result<Option<Vec<u8>>> {
        match self.read(below, limit) {
            Err(error) if error.is_not_found() => Ok(None),
            bytes => bytes.map(Some),
        }
    }

    /// The text of a regular file below, of at most `limit` bytes, if there is one.
    ///
    /// # Errors
    ///
    /// As [`Folder::read_text`].
    pub fn find_text(&self, below: impl AsRef<Path>, limit: u64) -> Result<Option<String>> {
        match self.read_text(below, limit) {
            Err(error) if error.is_not_found() => Ok(None),
            text => text.map(Some),
        }
    }
}

/// Opens the regular file at `path`, which the caller vouches for: links are followed. A pipe is not waited for.
///
/// # Errors
///
/// When it is not there, cannot be opened or is no regular file.
pub fn open(path: impl Into<PathBuf>) -> Result<fs_err::File> {
    let path = path.into();
    let opened = match rustix::fs::open(&path, READ, Mode::empty()) {
        // Nobody reads what is written to a socket or to some devices this way.
        Err(Errno::NXIO) => return Err(FsError::other(path, Sort::Socket, Sort::File)),
        opened => opened.at(&path)?,
    };
    regular(opened, path)
}

/// The bytes of the regular file at `path`, which the caller vouches for, at most `limit` of them.
///
/// # Errors
///
/// As [`open`], and when it has more.
pub fn read(path: impl Into<PathBuf>, limit: u64) -> Result<Vec<u8>> {
    all(open(path)?, limit)
}

/// The text of the regular file at `path`, which the caller vouches for, of at most `limit` bytes.
///
/// # Errors
///
/// As [`read`], and when it is not UTF-8.
pub fn read_text(path: impl Into<PathBuf>, limit: u64) -> Result<String> {
    let path = path.into();
    text(read(&path, limit)?, || path)
}

pub(crate) fn regular(fd: OwnedFd, path: PathBuf) -> Result<fs_err::File> {
    let stat = rustix::fs::fstat(&fd).at(&path)?;
    match found(&stat).sort {
        Sort::File => Ok(fs_err::File::from_parts(File::from(fd), path)),
        other => Err(FsError::other(path, other, Sort::File)),
    }
}

/// All of a file. It may grow while it is read, so its size is a hint and not a bound.
fn all(file: fs_err::File, limit: u64) -> Result<Vec<u8>> {
    let (file, path) = file.into_parts();
    let size = file.metadata().at(&path)?.len();
    let too_large = |path| FsError::TooLarge { path, limit };
    if size > limit {
        return Err(too_large(path));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).at(&path)?;
    if bytes.len() as u64 > limit { Err(too_large(path)) } else { Ok(bytes) }
}

fn text(bytes: Vec<u8>, path: impl FnOnce() -> PathBuf) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| FsError::NotUtf8 { path: path() })
}
