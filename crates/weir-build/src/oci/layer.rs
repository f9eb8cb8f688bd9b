//! Putting layers on each other: a layer adds, replaces, and by *whiteouts* removes.
//!
//! Paths are looked up in the root as if it were `/`: the kernel itself keeps a look-up from leaving it
//! (`openat2` with `RESOLVE_IN_ROOT`), whatever links a layer made before.

use std::collections::HashSet;
use std::ffi::{CString, OsStr};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps};
use rustix::io::Errno;
use tar::EntryType;

use super::member::{self, Member};
use crate::scratch;

/// The most bytes of all files together.
const MAX_BYTES: u64 = 64 << 30;

/// The most entries of all layers together.
const MAX_ENTRIES: u64 = 2_000_000;

/// The longest path.
const MAX_PATH: usize = 4096;

/// The deepest path.
const MAX_DEPTH: usize = 100;

/// A whiteout is a file of this name and that of what it removes.
const WHITEOUT: &[u8] = b".wh.";

/// A whiteout of all that lower layers have in a folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// A root file system that layers are put into.
pub(super) struct Root {
    path: PathBuf,
    folder: OwnedFd,
    entries: u64,
    bytes: u64,
    /// What the layer that is being put into it made, and the folders above: whiteouts spare it.
    made: HashSet<Vec<u8>>,
}

/// Why a layer is not put into a root.
pub(super) enum LayerError {
    Refused(String),
    TooLarge(&'static str),
    Io(io::Error),
}

impl From<io::Error> for LayerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
                Self::Refused(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

impl From<Errno> for LayerError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

impl Root {
    /// Makes the folder `path`, which must not exist.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        fs_err::create_dir(path)?;
        let folder = rustix::fs::open(path, folder_flags(), Mode::empty())?;
        Ok(Self { path: path.to_owned(), folder, entries: 0, bytes: 0, made: HashSet::new() })
    }

    /// Puts a layer, a tar, on what is there.
    pub(super) fn apply(&mut self, layer: &mut dyn Read) -> Result<(), LayerError> {
        self.made.clear();
        member::read(layer, |member, content| {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(LayerError::TooLarge("two million entries"));
            }
            self.member(member, content).map_err(|error| match error {
                LayerError::Io(error) => LayerError::Refused(format!(
                    "`{}`: {error}",
                    String::from_utf8_lossy(&member.path).escape_debug()
                )),
                other => other,
            })
        })
    }

    /// How many entries and bytes were read.
    pub(super) fn finish(self) -> io::Result<(u64, u64)> {
        // Folders that let nobody in could not be removed again, nor shown in a sandbox.
        scratch::open_up(&self.path)?;
        Ok((self.entries, self.bytes))
    }

    fn member(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), LayerError> {
        let Some(path) = clean(&member.path)? else { return Ok(()) };
        let (parent, name) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&path[..0], &path[..]),
        };
        if name == OPAQUE {
            return self.clear(parent);
        }
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            // Names with two whiteouts are notes of old file systems to themselves.
            return if hidden.starts_with(WHITEOUT) { Ok(()) } else { self.remove(parent, hidden) };
        }
        let folder = self.make_folder(parent)?;
        match member.sort {
            EntryType::Directory => make_folder_in(&folder, name, member.mode)?,
            EntryType::Regular | EntryType::Continuous => self.file(&folder, name, member, content)?,
            EntryType::Symlink => {
                remove_in(&folder, name)?;
                rustix::fs::symlinkat(&member.target[..], &folder, name)?;
            }
            EntryType::Link => self.hard_link(&folder, name, &member.target)?,
            // Devices and pipes: the sandbox has its own.
            _ => return Ok(()),
        }
        self.remember(&path);
        Ok(())
    }

    fn file(
        &mut self,
        folder: &OwnedFd,
        name: &[u8],
        member: &Member,
        content: &mut dyn Read,
    ) -> Result<(), LayerError> {
        self.bytes = self.bytes.saturating_add(member.size);
        if self.bytes > MAX_BYTES {
            return Err(LayerError::TooLarge("64 GiB"));
        }
        remove_in(folder, name)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut file = std::fs::File::from(file);
        let written = io::copy(content, &mut file)?;
        if written != member.size {
            return Err(LayerError::Refused("a file ends early".into()));
        }
        // Readable for its owner, who is whoever builds; and nobody's rights come with a file.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(member.mode & 0o755 | 0o400))?;
        let time = Timespec { tv_sec: i64::try_from(member.modified).unwrap_or(0), tv_nsec: 0 };
        rustix::fs::futimens(&file, &Timestamps { last_access: time, last_modification: time })?;
        Ok(())
    }

    fn hard_link(&self, folder: &OwnedFd, name: &[u8], target: &[u8]) -> Result<(), LayerError> {
        let Some(target) = clean(target)? else {
            return Err(LayerError::Refused("a hard link leads nowhere".into()));
        };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let found = self.look_up(&target, flags)?;
        if FileType::from_raw_mode(rustix::fs::fstat(&found)?.st_mode) == FileType::Directory {
            return Err(LayerError::Refused("a hard link leads to a folder".into()));
        }
        let (parent, base) = match target.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (self.look_up(&target[..slash], folder_flags())?, &target[slash + 1..]),
            None => (rustix::io::dup(&self.folder)?, &target[..]),
        };
        // A link to itself would lose what it leads to.
        let same = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok_and(|here| {
            rustix::fs::fstat(&found)
                .is_ok_and(|there| (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino))
        });
        if same {
            return Ok(());
        }
        remove_in(folder, name)?;
        rustix::fs::linkat(&parent, base, folder, name, AtFlags::empty())?;
        Ok(())
    }

    /// Opens what is at a path of the root. No link leads out of it.
    fn look_up(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let path = if path.is_empty() { b".".as_slice() } else { path };
        rustix::fs::openat2(
            &self.folder,
            path,
            flags,
            Mode::empty(),
            ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
        )
    }

    /// Opens a folder, making it and those above it where they are not there.
    fn make_folder(&self, path: &[u8]) -> Result<OwnedFd, LayerError> {
        match self.look_up(path, folder_flags()) {
            Ok(folder) => return Ok(folder),
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        let mut end = 0;
        let mut folder = rustix::io::dup(&self.folder)?;
        for part in path.split(|byte| *byte == b'/') {
            let whole = end + part.len();
            folder = match self.look_up(&path[..whole], folder_flags()) {
                Err(Errno::NOENT) => {
                    rustix::fs::mkdirat(&folder, part, Mode::from_raw_mode(0o755))?;
                    self.look_up(&path[..whole], folder_flags())?
                }
                other => other?,
            };
            end = whole + 1;
        }
        Ok(folder)
    }

    fn remember(&mut self, path: &[u8]) {
        let mut path = path.to_vec();
        loop {
            let above = path.iter().rposition(|byte| *byte == b'/');
            let cut = above.map(|slash| path[..slash].to_vec());
            if !self.made.insert(path) {
                return;
            }
            match cut {
                Some(cut) => path = cut,
                None => return,
            }
        }
    }

    /// Removes what lower layers have at a path.
    fn remove(&self, parent: &[u8], name: &[u8]) -> Result<(), LayerError> {
        if name.is_empty() || name == b"." || name == b".." {
            return Err(LayerError::Refused("a whiteout removes nothing that can be named".into()));
        }
        let path = if parent.is_empty() { name.to_vec() } else { [parent, b"/", name].concat() };
        if self.made.contains(&path) {
            return Ok(());
        }
        match self.look_up(parent, folder_flags()) {
            Ok(folder) => remove_in(&folder, name),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes all that lower layers have in a folder.
    fn clear(&self, path: &[u8]) -> Result<(), LayerError> {
        let mut folders = vec![path.to_vec()];
        while let Some(path) = folders.pop() {
            let folder = match self.look_up(&path, folder_flags()) {
                Ok(folder) => folder,
                Err(Errno::NOENT | Errno::NOTDIR) => continue,
                Err(error) => return Err(error.into()),
            };
            for name in names_in(&folder)? {
                let name = name.as_bytes();
                let inner = if path.is_empty() { name.to_vec() } else { [&path[..], b"/", name].concat() };
                if !self.made.contains(&inner) {
                    remove_in(&folder, name)?;
                } else if is_folder(&folder, name) {
                    folders.push(inner);
                }
            }
        }
        Ok(())
    }
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn is_folder(folder: &OwnedFd, name: &[u8]) -> bool {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn names_in(folder: &OwnedFd) -> Result<Vec<CString>, LayerError> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if name.as_bytes() != b"." && name.as_bytes() != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Makes a folder, unless there is one; anything else that is there goes.
fn make_folder_in(folder: &OwnedFd, name: &[u8], mode: u32) -> Result<(), LayerError> {
    if !is_folder(folder, name) {
        remove_in(folder, name)?;
        rustix::fs::mkdirat(folder, name, Mode::RWXU)?;
    }
    Ok(rustix::fs::chmodat(folder, name, Mode::from_raw_mode(mode & 0o755 | 0o700), AtFlags::empty())?)
}

/// Removes what is there, if anything is.
fn remove_in(folder: &OwnedFd, name: &[u8]) -> Result<(), LayerError> {
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => Ok(scratch::remove_in(folder, OsStr::from_bytes(name))?),
        Err(error) => Err(error.into()),
    }
}

/// A path without `.`, and without slashes at its ends; `None` for the root itself. Refused if it leads upwards.
fn clean(path: &[u8]) -> Result<Option<Vec<u8>>, LayerError> {
    let mut parts = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(LayerError::Refused("a path leads upwards".into())),
            part if part.contains(&0) => return Err(LayerError::Refused("a path holds a zero byte".into())),
            part => parts.push(part),
        }
    }
    if path.len() > MAX_PATH || parts.len() > MAX_DEPTH {
        return Err(LayerError::TooLarge("4096 bytes in a path, or 100 folders in each other"));
    }
    Ok((!parts.is_empty()).then(|| parts.join(&b'/')))
}
