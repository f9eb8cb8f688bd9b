//! What can go wrong, always with the path it went wrong at.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum FsError {
    /// A link where none may be: nothing was read or written through it.
    #[error("`{}` is a link, and Weir follows none here", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Something of another sort than is needed.
    #[error("`{}` is {found}, and {wanted} is needed there", path.display())]
    Other {
        /// Where.
        path: PathBuf,
        /// What is there.
        found: Sort,
        /// What is needed.
        wanted: Sort,
    },
    /// A file has more bytes than its reader allows.
    #[error("`{}` is larger than the {limit} bytes it may have", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many bytes are allowed.
        limit: u64,
    },
    /// A text that is none.
    #[error("`{}` is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
    /// A path that leaves its folder, or names no file.
    #[error("`{}` does not name anything below its folder", path.display())]
    Outside {
        /// The path.
        path: PathBuf,
    },
    /// The system failed.
    #[error("{}", told(path, source))]
    Io {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Whether what the system said is that the disk, or what a user may have of it, is full.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// What the system said, in the words that Weir has for it where those of the system do not say what to do.
fn told(path: &Path, source: &io::Error) -> String {
    match is_full(source) {
        true => format!("the disk is full: cannot write `{}`", path.display()),
        false => format!("`{}`: {source}", path.display()),
    }
}

/// What can be found under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A device.
    Device,
}

impl FsError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.into(), source: source.into() }
    }

    pub(crate) fn other(path: impl Into<PathBuf>, found: Sort, wanted: Sort) -> Self {
        match found {
            Sort::Link => Self::Link { path: path.into() },
            _ => Self::Other { path: path.into(), found, wanted },
        }
    }

    /// Where it went wrong.
    pub fn path(&self) -> &Path {
        match self {
            Self::Link { path }
            | Self::Other { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NotUtf8 { path }
            | Self::Outside { path }
            | Self::Io { path, .. } => path,
        }
    }

    /// Whether there is nothing under the name.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the file could be had and was not taken, because of what it is: a link, a pipe, too large.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Link { .. } | Self::Other { .. } | Self::TooLarge { .. } | Self::Outside { .. })
    }

    /// The refusal that an error of a caller's library carries, where it came from here.
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            Self::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            Self::NotUtf8 { .. } => io::ErrorKind::InvalidData,
            Self::Other { wanted: Sort::Folder, .. } => io::ErrorKind::NotADirectory,
            Self::Link { .. } | Self::Other { .. } | Self::Outside { .. } => io::ErrorKind::InvalidInput,
        }
    }
}

impl From<FsError> for io::Error {
    fn from(error: FsError) -> Self {
        Self::new(error.kind(), error)
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Folder => "a folder",
            Self::Link => "a link",
            Self::Pipe => "a named pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
        })
    }
}

/// Names the path that a call to the system was about.
pub(crate) trait AtPath<T> {
    fn at(self, path: impl Into<PathBuf>) -> crate::Result<T>;
}

impl<T> AtPath<T> for std::result::Result<T, Errno> {
    fn at(self, path: impl Into<PathBuf>) -> crate::Result<T> {
        self.map_err(|source| FsError::io(path, source))
    }
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: impl Into<PathBuf>) -> crate::Result<T> {
        self.map_err(|source| FsError::io(path, source))
    }
}
