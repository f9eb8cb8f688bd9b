//! Reading one file of a folder that somebody may be changing meanwhile.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode as Bits, OFlags, Stat, fstat, open, readlink};
use weir_model::{EntryDigest, Hasher, Observer, Unobserved};

use crate::manifest::Mode;
use crate::{Handled, TreeError, TreePath};

/// An open file, and what it was when it was opened.
pub(crate) struct Source {
    file: File,
    path: PathBuf,
    before: Stat,
}

/// What a file holds.
pub(crate) struct Facts {
    pub(crate) mode: Mode,
    pub(crate) size: u64,
    pub(crate) digest: EntryDigest,
}

impl Source {
    /// Opens a regular file. A link or a pipe that took its place is refused, and not waited for.
    pub(crate) fn open(path: PathBuf) -> Result<Self, TreeError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = open(&path, flags, Bits::empty()).and_then(|fd| fstat(&fd).map(|before| (fd, before)));
        let (fd, before) = match opened {
            Ok(opened) => opened,
            Err(rustix::io::Errno::LOOP) => return Err(TreeError::ChangedWhileRead { path }),
            Err(source) => return Err(TreeError::io(path, source)),
        };
        if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
            return Err(TreeError::ChangedWhileRead { path });
        }
        Ok(Self { file: File::from(fd), path, before })
    }

    pub(crate) fn size(&self) -> u64 {
        u64::try_from(self.before.st_size).unwrap_or_default()
    }

    /// As git: what its owner may run is executable.
    pub(crate) fn mode(&self) -> Mode {
        if self.before.st_mode & 0o100 == 0 { Mode::File } else { Mode::Executable }
    }

    /// Reads the whole file in pieces through `buffer`, and makes sure that it stood still meanwhile.
    pub(crate) fn read(
        mut self,
        buffer: &mut [u8],
        mut piece: impl FnMut(&[u8]) -> Result<(), TreeError>,
    ) -> Result<(), TreeError> {
        let mut left = self.size();
        loop {
            let read = match self.file.read(buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => return Err(TreeError::io(self.path, source)),
            };
            let Some(rest) = left.checked_sub(read as u64) else {
                return Err(TreeError::ChangedWhileRead { path: self.path });
            };
            left = rest;
            piece(&buffer[..read])?;
            // A regular file gives less than was asked for at its end only: what is small takes one read.
            if left == 0 && read < buffer.len() {
                break;
            }
        }
        let after = fstat(&self.file).map_err(|source| TreeError::io(&self.path, source))?;
        if left > 0 || times(&self.before) != times(&after) {
            return Err(TreeError::ChangedWhileRead { path: self.path });
        }
        Ok(())
    }
}

/// What the system changes whenever a file is written to.
fn times(stat: &Stat) -> (i128, i128, i128, i128, i128) {
    let (modified, changed) = (i128::from(stat.st_mtime), i128::from(stat.st_ctime));
    (
        i128::from(stat.st_size),
        modified,
        i128::from(stat.st_mtime_nsec),
        changed,
        i128::from(stat.st_ctime_nsec),
    )
}

/// Hashes the file at `path`.
pub(crate) fn facts(path: PathBuf, buffer: &mut [u8]) -> Result<Facts, TreeError> {
    facts_observed(path, buffer, &Unobserved)
}

/// The same, telling `observer` of what was read.
pub(crate) fn facts_observed(
    path: PathBuf,
    buffer: &mut [u8],
    observer: &dyn Observer<Handled>,
) -> Result<Facts, TreeError> {
    let source = Source::open(path)?;
    let (mode, size, mut hasher) = (source.mode(), source.size(), Hasher::new());
    source.read(buffer, |piece| {
        hasher.update(piece);
        observer.event(&Handled { bytes: piece.len() as u64 });
        Ok(())
    })?;
    Ok(Facts { mode, size, digest: hasher.finish() })
}

/// The target of the link at `path`, as it is.
pub(crate) fn target(path: &Path) -> Result<Vec<u8>, TreeError> {
    let target = readlink(path, Vec::new()).map_err(|source| TreeError::io(path, source))?;
    Ok(target.into_bytes())
}

/// The path in a tree of something `relative` to the tree's folder.
pub(crate) fn tree_path(relative: &Path) -> Result<TreePath, TreeError> {
    let name: &OsStr = relative.as_os_str();
    let text = name.to_str().ok_or_else(|| crate::PathError::not_utf8(name.as_bytes()))?;
    Ok(TreePath::new(text)?)
}

/// What a thing that cannot be in a tree is called.
pub(crate) fn special(kind: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_socket() {
        "socket"
    } else if kind.is_fifo() {
        "named pipe"
    } else if kind.is_block_device() || kind.is_char_device() {
        "device"
    } else {
        "thing of an unknown sort"
    }
}

#[cfg(test)]
mod tests {
    use super::Source;
    use crate::TreeError;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_noticed() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("file");
        let change = |content: &str| {
            fs_err::write(&path, "0123456789").expect("written");
            let source = Source::open(path.clone()).expect("opened");
            // A clock that ticks coarsely must have moved on for the change to show.
            std::thread::sleep(std::time::Duration::from_millis(30));
            source.read(&mut [0; 4], |_| {
                fs_err::write(&path, content).expect("written");
                Ok(())
            })
        };
        for content in ["012345678", "0123456789+", "9876543210", ""] {
            assert!(matches!(change(content), Err(TreeError::ChangedWhileRead { .. })), "{content}");
        }
    }

    #[test]
    fn a_link_or_a_pipe_in_the_place_of_a_file_is_neither_followed_nor_waited_for() {
        let home = tempfile::tempdir().expect("a folder");
        let (link, pipe) = (home.path().join("link"), home.path().join("pipe"));
        fs_err::write(home.path().join("file"), "").expect("written");
        std::os::unix::fs::symlink("file", &link).expect("linked");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).expect("a pipe");
        for path in [link, pipe] {
            assert!(matches!(Source::open(path), Err(TreeError::ChangedWhileRead { .. })));
        }
    }
}
