//! The folder that a tree is written into.
//!
//! Everything is made relative to an open folder, never through a path, and never following a link: whoever
//! else can write there cannot lead the writing elsewhere. Paths come sorted, so everything below a folder comes together: each folder
//! is made and opened once, and a file costs `openat`, `write` and `close`.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode as Bits, OFlags, chmodat, fchmod, fstat, mkdirat, open, openat, symlinkat};
use rustix::io::Errno;

use crate::link::LinkTarget;
use crate::manifest::Mode;
use crate::{TreeError, TreePath};

const FOLDER_MODE: Bits = Bits::from_raw_mode(0o755);

/// Whether files can be written to once they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// 0444 and 0555: a tree that is shared and must stay what it is.
    ReadOnly,
    /// 0644 and 0755: a folder for a person to work in.
    Writable,
}

pub(crate) struct Landing {
    root: PathBuf,
    access: Access,
    root_folder: OwnedFd,
    /// The folders from the root to the last path that was made, each with the length of its path.
    open: Vec<(usize, OwnedFd)>,
    /// The path of the innermost open folder.
    inside: String,
    /// Whether the process's umask takes away modes that a tree's files must have.
    masked: bool,
}

/// A file that is being written.
pub(crate) struct NewFile<'a> {
    file: OwnedFd,
    path: &'a TreePath,
    root: &'a Path,
}

impl Landing {
    /// Makes the folder `root`, which must not exist.
    pub(crate) fn create(root: &Path, access: Access) -> Result<Self, TreeError> {
        match rustix::fs::mkdir(root, FOLDER_MODE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(TreeError::DestinationExists { path: root.to_owned() }),
            Err(source) => return Err(TreeError::io(root, source)),
        }
        let failed = |source| TreeError::io(root, source);
        let root_folder = open(root, folder_flags(), Bits::empty()).map_err(failed)?;
        let made = fstat(&root_folder).map_err(failed)?;
        let masked = Bits::from_raw_mode(made.st_mode) & FOLDER_MODE != FOLDER_MODE;
        if masked {
            fchmod(&root_folder, FOLDER_MODE).map_err(failed)?;
        }
        let (open, inside) = (Vec::new(), String::new());
        Ok(Self { root: root.to_owned(), access, root_folder, open, inside, masked })
    }

    /// The folder `root`, which was made by one of these before, to be gone on with as this one is; for links.
    pub(crate) fn elsewhere(&self, root: &Path) -> Result<Self, TreeError> {
        let opened = open(root, folder_flags(), Bits::empty());
        let root_folder = opened.map_err(|source| TreeError::io(root, source))?;
        let (open, inside) = (Vec::new(), String::new());
        Ok(Self { root: root.to_owned(), root_folder, open, inside, ..*self })
    }

    /// Opens a file that was made here, for reading.
    pub(crate) fn read_back(&mut self, path: &TreePath) -> Result<File, TreeError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = self.folder_of(path)?;
        let file = openat(folder, path.file_name(), flags, Bits::empty());
        file.map(File::from).map_err(|source| self.fault(path, source))
    }

    /// Makes a file with its final mode. Whoever makes it can write to it, but nobody can open it for writing again.
    pub(crate) fn file<'f>(&'f mut self, path: &'f TreePath, mode: Mode) -> Result<NewFile<'f>, TreeError> {
        let bits = match (self.access, mode) {
            (Access::ReadOnly, Mode::Executable) => 0o555,
            (Access::ReadOnly, _) => 0o444,
            (Access::Writable, Mode::Executable) => 0o755,
            (Access::Writable, _) => 0o644,
        };
        let bits = Bits::from_raw_mode(bits);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = self.folder_of(path)?;
        let file =
            openat(folder, path.file_name(), flags, bits).map_err(|source| self.fault(path, source))?;
        if self.masked {
            fchmod(&file, bits).map_err(|source| self.fault(path, source))?;
        }
        Ok(NewFile { file, path, root: &self.root })
    }

    /// Makes a symbolic link.
    pub(crate) fn link(&mut self, path: &TreePath, target: &LinkTarget) -> Result<(), TreeError> {
        let folder = self.folder_of(path)?;
        symlinkat(target.as_str(), folder, path.file_name()).map_err(|source| self.fault(path, source))
    }

    /// The open folder that `path` is in; made if it is new.
    fn folder_of(&mut self, path: &TreePath) -> Result<BorrowedFd<'_>, TreeError> {
        let folder = path.folder().unwrap_or_default();
        if folder != self.inside {
            self.enter(folder)?;
        }
        Ok(self.innermost())
    }

    fn enter(&mut self, folder: &str) -> Result<(), TreeError> {
        while self.open.last().is_some_and(|(length, _)| !is_at_or_below(folder, &self.inside[..*length])) {
            self.open.pop();
        }
        let mut start = self.open.last().map_or(0, |(length, _)| length + 1);
        while start < folder.len() {
            let end = folder[start..].find('/').map_or(folder.len(), |length| start + length);
            let made = self.make_folder(&folder[start..end]);
            let made = made.map_err(|source| TreeError::io(self.root.join(&folder[..end]), source))?;
            self.open.push((end, made));
            start = end + 1;
        }
        folder.clone_into(&mut self.inside);
        Ok(())
    }

    /// Makes a folder in the innermost one and opens it. It may be there already when files do not come
    /// sorted, or when links return to folders that were left; a link in its place is not followed.
    fn make_folder(&self, name: &str) -> Result<OwnedFd, Errno> {
        let parent = self.innermost();
        match mkdirat(parent, name, FOLDER_MODE) {
            Ok(()) if self.masked => chmodat(parent, name, FOLDER_MODE, AtFlags::empty())?,
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
        openat(parent, name, folder_flags(), Bits::empty())
    }

    fn innermost(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.root_folder.as_fd(), |(_, folder)| folder.as_fd())
    }

    fn fault(&self, path: &TreePath, source: Errno) -> TreeError {
        TreeError::io(self.root.join(path), source)
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl NewFile<'_> {
    /// Writes all of `bytes`.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<(), TreeError> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.file, bytes) {
                Ok(0) => return Err(self.fault(Errno::IO)),
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(source) => return Err(self.fault(source)),
            }
        }
        Ok(())
    }

    fn fault(&self, source: Errno) -> TreeError {
        let path: PathBuf = self.root.join(self.path);
        TreeError::io(path, source)
    }
}
