//! A folder that is held open, and what is reached from it.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, Stat, StatxFlags};
use rustix::io::Errno;

use crate::error::AtPath as _;
use crate::name::{names, split};
use crate::{FsError, Result, Sort};

/// A folder, held open. Every path given to it is relative to it, is made of plain names, and is walked one name at a time
/// without following a link.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// What is under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub sort: Sort,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its permission bits, such as `0o644`.
    pub mode: u32,
    /// The number of the user whom it belongs to.
    pub owner: u32,
    /// The number of its inode: a file that was replaced has another.
    pub inode: u64,
    /// Seconds since 1970, and nanoseconds, when it was last written to.
    pub modified: (i64, i64),
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name.
    pub name: OsString,
    /// Whether it is a folder, and not a link to one.
    pub is_folder: bool,
}

/// What tells one folder from every other that this machine has or had: its inode and when that was made, to the nanosecond.
/// Neither can be chosen by who fills a folder, so a copy of it has another. A folder that is moved keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The number of its inode.
    pub inode: u64,
    /// Seconds and nanoseconds when it was made, where the file system remembers that.
    pub made: Option<(i64, u32)>,
}

/// A folder, opened to be read, and not a link to one.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `path`, which the caller vouches for: links in it are followed.
    ///
    /// # Errors
    ///
    /// When it is not there, is no folder or cannot be opened.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let here = if path.as_os_str().is_empty() { Path::new(".") } else { path.as_path() };
        let fd = rustix::fs::open(here, flags, Mode::empty()).at(&path)?;
        Ok(Self { fd, path })
    }

    /// Opens the folder at `path`, which the caller vouches for; it and what is missing above it are made.
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened.
    pub fn make(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        match Self::open(&path) {
            Err(error) if error.is_not_found() => {
                fs_err::create_dir_all(&path).at(&path)?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// Its path, for messages and for programs that are started in it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of what is `below` it, for messages.
    pub(crate) fn at(&self, below: impl AsRef<Path>) -> PathBuf {
        self.path.join(below)
    }

    /// Opens a folder below.
    ///
    /// # Errors
    ///
    /// When it is not there or cannot be opened; when a name on the way is a link, or no folder.
    pub fn folder(&self, below: impl AsRef<Path>) -> Result<Self> {
        let mut folder = self.again()?;
        for name in names(below.as_ref())? {
            folder = folder.enter(name)?;
        }
        Ok(folder)
    }

    /// Opens a folder below, or tells that it, or one above it, is not there.
    ///
    /// # Errors
    ///
    /// As [`Folder::folder`].
    pub fn find_folder(&self, below: impl AsRef<Path>) -> Result<Option<Self>> {
        match self.folder(below) {
            Err(error) if error.is_not_found() => Ok(None),
            folder => folder.map(Some),
        }
    }

    /// Opens a folder below; it and what is missing above it are made.
    ///
    /// # Errors
    ///
    /// When it cannot be made or opened; when a name on the way is a link, or no folder.
    pub fn make_folder(&self, below: impl AsRef<Path>) -> Result<Self> {
        let mut folder = self.again()?;
        for name in names(below.as_ref())? {
            folder = match folder.enter(name) {
                Err(error) if error.is_not_found() => {
                    folder.new_folder(name)?;
                    folder.enter(name)?
                }
                entered => entered?,
            };
        }
        Ok(folder)
    }

    /// Makes the folder `name`; one that is there already is as good.
    pub(crate) fn new_folder(&self, name: &OsStr) -> Result<()> {
        match rustix::fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(FsError::io(self.at(name), error)),
        }
    }

    /// What is under a name; `None` where nothing is. A link is a link, and is not followed.
    ///
    /// # Errors
    ///
    /// When that cannot be told; when a name on the way to it is a link, or no folder.
    pub fn look(&self, below: impl AsRef<Path>) -> Result<Option<Found>> {
        let below = below.as_ref();
        let place = match self.place(below) {
            Err(error) if error.is_not_found() => return Ok(None),
            place => place?,
        };
        place.look()
    }

    /// What a link holds, as it is.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is no link.
    pub fn read_link(&self, below: impl AsRef<Path>) -> Result<PathBuf> {
        let place = self.place(below.as_ref())?;
        let target = rustix::fs::readlinkat(place.fd(), place.name, Vec::new()).at(place.path())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// Whether `name` in this folder is a link that holds `target`, and something is where it leads. Costs two calls to the system.
    pub fn has_link(&self, name: impl AsRef<OsStr>, target: &[u8]) -> bool {
        let (name, mut buffer) = (name.as_ref(), [0_u8; 4096]);
        match rustix::fs::readlinkat_raw(&self.fd, name, &mut buffer[..]) {
            Ok(length) => {
                buffer[..length] == *target
                    && rustix::fs::accessat(&self.fd, name, Access::EXISTS, AtFlags::empty()).is_ok()
            }
            Err(_) => false,
        }
    }

    /// Whether there is something at `below` in the folder that the link `name` leads to, wherever that is.
    pub fn has_behind(&self, name: impl AsRef<OsStr>, below: &Path) -> bool {
        let path = Path::new(name.as_ref()).join(below);
        rustix::fs::accessat(&self.fd, path, Access::EXISTS, AtFlags::empty()).is_ok()
    }

    /// Sees to it that there is a link to `target`. A link to elsewhere is replaced in one step.
    ///
    /// # Errors
    ///
    /// When it cannot be made, or something other than a link has its name.
    pub fn put_link(&self, below: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<()> {
        let (place, target) = (self.place(below.as_ref())?, target.as_ref());
        match rustix::fs::symlinkat(target, place.fd(), place.name) {
            Ok(()) => return Ok(()),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(FsError::io(place.path(), error)),
        }
        match rustix::fs::readlinkat(place.fd(), place.name, Vec::new()) {
            Ok(there) if there.as_bytes() == target.as_os_str().as_bytes() => Ok(()),
            Ok(_) => place.replace_link(target),
            Err(error) => Err(match place.look()? {
                Some(found) => FsError::other(place.path(), found.sort, Sort::Link),
                None => FsError::io(place.path(), error),
            }),
        }
    }

    /// The names in it, in no order.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.fd).at(&self.path)? {
            let entry = entry.at(&self.path)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let is_folder = match entry.file_type() {
                FileType::Unknown => self.look(name)?.is_some_and(|found| found.sort == Sort::Folder),
                sort => sort == FileType::Directory,
            };
            entries.push(Entry { name: name.to_owned(), is_folder });
        }
        Ok(entries)
    }

    /// Gives something another name, replacing a file or an empty folder that has it.
    ///
    /// # Errors
    ///
    /// When that is not possible.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        let (from, to) = (self.place(from.as_ref())?, self.place(to.as_ref())?);
        rustix::fs::renameat(from.fd(), from.name, to.fd(), to.name).at(to.path())
    }

    /// Waits until what was named in it is on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub fn sync(&self) -> Result<()> {
        rustix::fs::fsync(&self.fd).at(&self.path)
    }

    /// What tells it from every other folder.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn identity(&self) -> Result<Identity> {
        let wanted = StatxFlags::INO | StatxFlags::BTIME;
        match rustix::fs::statx(&self.fd, "", AtFlags::EMPTY_PATH, wanted) {
            Ok(told) => {
                let knows = told.stx_mask & StatxFlags::BTIME.bits() != 0;
                let made = knows.then_some((told.stx_btime.tv_sec, told.stx_btime.tv_nsec));
                Ok(Identity { inode: told.stx_ino, made })
            }
            // An old kernel, or a sandbox that does not know the call.
            Err(_) => {
                let stat = rustix::fs::fstat(&self.fd).at(&self.path)?;
                Ok(Identity { inode: stat.st_ino, made: None })
            }
        }
    }

    /// Seconds since 1970, and nanoseconds, when something came into it or left it last.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn modified(&self) -> Result<(i64, i64)> {
        let stat = rustix::fs::fstat(&self.fd).at(&self.path)?;
        Ok(found(&stat).modified)
    }

    /// The number of the user whom it belongs to.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn owner(&self) -> Result<u32> {
        Ok(rustix::fs::fstat(&self.fd).at(&self.path)?.st_uid)
    }

    /// Another handle on the same folder.
    pub(crate) fn again(&self) -> Result<Self> {
        let fd = rustix::io::fcntl_dupfd_cloexec(&self.fd, 0).at(&self.path)?;
        Ok(Self { fd, path: self.path.clone() })
    }

    pub(crate) fn enter(&self, name: &OsStr) -> Result<Self> {
        match rustix::fs::openat(&self.fd, name, FOLDER, Mode::empty()) {
            Ok(fd) => Ok(Self { fd, path: self.at(name) }),
            Err(error @ (Errno::NOTDIR | Errno::LOOP)) => Err(match self.look(name)? {
                Some(found) => FsError::other(self.at(name), found.sort, Sort::Folder),
                None => FsError::io(self.at(name), error),
            }),
            Err(error) => Err(FsError::io(self.at(name), error)),
        }
    }

    /// Where something below is: the folder that it is in, open, and its name there.
    pub(crate) fn place<'p>(&'p self, below: &'p Path) -> Result<Place<'p>> {
        let (above, name) = split(below)?;
        let parent = match above.as_os_str().is_empty() {
            true => Parent::Lent(self),
            false => Parent::Own(self.folder(above)?),
        };
        Ok(Place { parent, name })
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A name in an open folder.
pub(crate) struct Place<'p> {
    parent: Parent<'p>,
    pub(crate) name: &'p OsStr,
}

enum Parent<'p> {
    Lent(&'p Folder),
    Own(Folder),
}

impl Place<'_> {
    pub(crate) fn folder(&self) -> &Folder {
        match &self.parent {
            Parent::Lent(folder) => folder,
            Parent::Own(folder) => folder,
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.folder().as_fd()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder().at(self.name)
    }

    pub(crate) fn look(&self) -> Result<Option<Found>> {
        match rustix::fs::statat(self.fd(), self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(found(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(FsError::io(self.path(), error)),
        }
    }

    fn replace_link(&self, target: &Path) -> Result<()> {
        let draft = crate::name::unforeseen().at(self.path())?;
        rustix::fs::symlinkat(target, self.fd(), &draft).at(self.path())?;
        let renamed = rustix::fs::renameat(self.fd(), &draft, self.fd(), self.name);
        if renamed.is_err() {
            let _ = rustix::fs::unlinkat(self.fd(), &draft, AtFlags::empty());
        }
        renamed.at(self.path())
    }
}

pub(crate) fn found(stat: &Stat) -> Found {
    Found {
        sort: sort(stat),
        bytes: u64::try_from(stat.st_size).unwrap_or_default(),
        mode: stat.st_mode & 0o7777,
        owner: stat.st_uid,
        inode: stat.st_ino,
        modified: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
    }
}

fn sort(stat: &Stat) -> Sort {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Sort::File,
        FileType::Directory => Sort::Folder,
        FileType::Symlink => Sort::Link,
        FileType::Fifo => Sort::Pipe,
        FileType::Socket => Sort::Socket,
        _ => Sort::Device,
    }
}
