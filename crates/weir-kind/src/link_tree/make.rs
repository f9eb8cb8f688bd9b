//! Making a link tree: beside its place, then moved there in one step.
//!
//! A link tree has thousands of files, and much of the work is walking down to each of them again. So the folder that is
//! being filled and the one that was linked from last are kept open: neighbours in a link tree are mostly neighbours in the store.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, linkat, mkdirat, openat, renameat_with, symlinkat,
};
use rustix::io::Errno;

use super::{Files, LinkTree, LinkTreeContent, MAX_REWRITTEN, Original, replace_path};

/// Makes a link tree at `at`, where programs see it as `seen`: there is all of the old or all of the new.
pub(super) fn make(link_tree: &LinkTree, at: &Path, seen: &Path, files: Files) -> io::Result<()> {
    let (folder, beside) = beside(at)?;
    fs_err::create_dir_all(&folder)?;
    let made = fill(link_tree, &beside, seen, files).and_then(|()| put(&beside, at));
    // After an exchange this is what was there before.
    let removed = remove(&beside);
    made.and(removed)
}

fn fill(link_tree: &LinkTree, beside: &Path, seen: &Path, files: Files) -> io::Result<()> {
    fs_err::create_dir(beside)?;
    let mut filled = Filled::open(beside)?;
    let mut lender = Lender::default();
    for file in &link_tree.files {
        let path = file.path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = filled.enter(folder)?;
        match &file.content {
            LinkTreeContent::Link(target) => {
                symlinkat(target.as_str(), folder, name)
                    .map_err(|error| at_path(&beside.join(path), error))?;
            }
            LinkTreeContent::Same(original) if files == Files::Copied => {
                let to = beside.join(path);
                copy(original, &to)?;
                let mode = if original.executable { 0o755 } else { 0o644 };
                fs_err::set_permissions(to, std::fs::Permissions::from_mode(mode))?;
            }
            LinkTreeContent::Same(original) => match lender.lend(&original.file, folder, name) {
                Err(error) if cannot_be_linked(error) => copy(original, &beside.join(path))?,
                lent => lent.map_err(|error| at_path(&original.file, error))?,
            },
            LinkTreeContent::Rewritten(original) => {
                let text =
                    replace_path(&read(&original.file)?, link_tree.prefix, seen.as_os_str().as_bytes());
                write(&text, original.executable, folder, name)
                    .map_err(|error| at_path(&beside.join(path), error))?;
            }
        }
    }
    Ok(())
}

/// The folder of a link tree that is being filled, and those above it.
struct Filled<'f> {
    beside: &'f Path,
    top: OwnedFd,
    /// From the link tree down to the folder, each with its path in the link tree.
    open: Vec<(&'f str, OwnedFd)>,
}

impl<'f> Filled<'f> {
    fn open(beside: &'f Path) -> io::Result<Self> {
        Ok(Self { beside, top: fs_err::File::open(beside)?.into_parts().0.into(), open: Vec::new() })
    }

    /// Goes to the folder with this path in the link tree, making it if it is new.
    fn enter(&mut self, folder: &'f str) -> io::Result<BorrowedFd<'_>> {
        while self.open.pop_if(|(above, _)| !is_at_or_below(folder, above)).is_some() {}
        let mut done = self.open.last().map_or(0, |(above, _)| above.len());
        while done < folder.len() {
            let start = if done == 0 { 0 } else { done + 1 };
            done = folder[start..].find('/').map_or(folder.len(), |length| start + length);
            let inside = make_folder(self.current(), &folder[start..done])
                .map_err(|error| at_path(&self.beside.join(&folder[..done]), error))?;
            self.open.push((&folder[..done], inside));
        }
        Ok(self.current())
    }

    fn current(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.top.as_fd(), |(_, folder)| folder.as_fd())
    }
}

fn is_at_or_below(folder: &str, above: &str) -> bool {
    folder.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn make_folder(above: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    match mkdirat(above, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    openat(above, name, FOLDER, Mode::empty())
}

/// A folder, and not a link to one.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder that was linked from last.
#[derive(Default)]
struct Lender<'f> {
    open: Option<(&'f Path, OwnedFd)>,
}

impl<'f> Lender<'f> {
    /// Gives `file` a second name, `name` in `folder`.
    fn lend(&mut self, file: &'f Path, folder: BorrowedFd<'_>, name: &str) -> Result<(), Errno> {
        let (Some(from), Some(original)) = (file.parent(), file.file_name()) else {
            return Err(Errno::ISDIR);
        };
        let lender = match &mut self.open {
            Some((path, lender)) if path.as_os_str() == from.as_os_str() => lender,
            _ => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                &mut self.open.insert((from, openat(CWD, from, flags, Mode::empty())?)).1
            }
        };
        linkat(lender, original, folder, name, AtFlags::empty())
    }
}

/// Another file system, too many links, a file of somebody else, or a file system without links.
fn cannot_be_linked(error: Errno) -> bool {
    matches!(
        error,
        Errno::XDEV
            | Errno::MLINK
            | Errno::PERM
            | Errno::ACCESS
            | Errno::OPNOTSUPP
            | Errno::NOSYS
            | Errno::INVAL
    )
}

/// Shares the blocks where the file system can.
fn copy(original: &Original, to: &Path) -> io::Result<()> {
    fs_err::copy(&original.file, to)?;
    let mode = if original.executable { 0o555 } else { 0o444 };
    fs_err::set_permissions(to, std::fs::Permissions::from_mode(mode))
}

/// A text that is to be written anew.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    fs_err::File::open(file)?.take(MAX_REWRITTEN + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_REWRITTEN {
        let message = format!("`{}` is too large to be written anew", file.display());
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}

fn write(text: &[u8], executable: bool, folder: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    let mode = Mode::from_raw_mode(if executable { 0o555 } else { 0o444 });
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, mode)?;
    std::fs::File::from(file).write_all(text)
}

/// Moves what was made into its place; what was there is then where it was made.
fn put(beside: &Path, at: &Path) -> io::Result<()> {
    match renameat_with(CWD, beside, CWD, at, RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(Errno::EXIST) => {}
        // The file system knows no flags.
        Err(_) if at.symlink_metadata().is_err() => return fs_err::rename(beside, at),
        Err(_) => {}
    }
    if renameat_with(CWD, beside, CWD, at, RenameFlags::EXCHANGE).is_ok() {
        return Ok(());
    }
    let (_, away) = self::beside(at)?;
    fs_err::rename(at, &away)?;
    fs_err::rename(beside, at)?;
    remove(&away)
}

/// Removes a link tree, or whatever else is there, if anything is.
///
/// # Errors
///
/// When something cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(path),
        Ok(_) => fs_err::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// The folder of `at`, and a path in it that nobody uses.
fn beside(at: &Path) -> io::Result<(PathBuf, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = at.file_name() else {
        let message = format!("`{}` is not a place for a folder", at.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    };
    let folder = match at.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}-{count}", std::process::id()));
    let beside = folder.join(beside);
    // A process of the same number died while it made one.
    remove(&beside)?;
    Ok((folder.to_owned(), beside))
}

fn at_path(path: &Path, error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    io::Error::new(error.kind(), format!("`{}` cannot be laid out: {error}", path.display()))
}
