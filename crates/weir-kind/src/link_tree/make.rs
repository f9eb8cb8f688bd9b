//! Making a link tree: beside its place, then moved there in one step.
//!
//! A link tree has thousands of files, and much of the work is walking down to each of them again. So the folder that is
//! being filled and the one that was linked from last are kept open: neighbours in a link tree are mostly neighbours in the store.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, mkdirat, openat, symlinkat};
use rustix::io::Errno;
use weir_fs::Folder;

use super::{Files, LinkTree, LinkTreeContent, MAX_REWRITTEN, Original, replace_path};

/// Makes a link tree as `name` in `folder`, where programs see it as `seen`: there is all of the old or all of the new.
pub(super) fn make(
    link_tree: &LinkTree,
    folder: &Folder,
    name: &OsStr,
    seen: &Path,
    files: Files,
) -> io::Result<()> {
    let draft = folder.draft_folder()?;
    fill(link_tree, draft.folder(), seen, files)?;
    Ok(draft.replace(name)?)
}

fn fill(link_tree: &LinkTree, beside: &Folder, seen: &Path, files: Files) -> io::Result<()> {
    let mut filled = Filled { beside, open: Vec::new() };
    let mut lender = Lender::default();
    for file in &link_tree.files {
        let path = file.path.as_str();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let folder = filled.enter(folder)?;
        match &file.content {
            LinkTreeContent::Link(target) => symlinkat(target.as_str(), folder, name)
                .map_err(|error| at_path(&beside.path().join(path), error))?,
            LinkTreeContent::Same(original) if files == Files::Copied => {
                copy(original, folder, name, Mode::WUSR)
                    .map_err(|error| at_path(&beside.path().join(path), error))?;
            }
            LinkTreeContent::Same(original) => match lender.lend(&original.file, folder, name) {
                Err(error) if cannot_be_linked(error) => {
                    copy(original, folder, name, Mode::empty())
                        .map_err(|error| at_path(&beside.path().join(path), error))?;
                }
                lent => lent.map_err(|error| at_path(&original.file, error))?,
            },
            LinkTreeContent::Rewritten(original) => {
                let text = weir_fs::read(&original.file, MAX_REWRITTEN)?;
                let text = replace_path(&text, link_tree.prefix, seen.as_os_str().as_bytes());
                new_file(original, folder, name, Mode::empty())
                    .and_then(|mut file| file.write_all(&text))
                    .map_err(|error| at_path(&beside.path().join(path), error))?;
            }
        }
    }
    Ok(())
}

/// The folder of a link tree that is being filled, and those above it.
struct Filled<'f> {
    beside: &'f Folder,
    /// From the link tree down to the folder, each with its path in the link tree.
    open: Vec<(&'f str, OwnedFd)>,
}

impl<'f> Filled<'f> {
    /// Goes to the folder with this path in the link tree, making it if it is new.
    fn enter(&mut self, folder: &'f str) -> io::Result<BorrowedFd<'_>> {
        while self.open.pop_if(|(above, _)| !is_at_or_below(folder, above)).is_some() {}
        let mut done = self.open.last().map_or(0, |(above, _)| above.len());
        while done < folder.len() {
            let start = if done == 0 { 0 } else { done + 1 };
            done = folder[start..].find('/').map_or(folder.len(), |length| start + length);
            let inside = make_folder(self.current(), &folder[start..done])
                .map_err(|error| at_path(&self.beside.path().join(&folder[..done]), error))?;
            self.open.push((&folder[..done], inside));
        }
        Ok(self.current())
    }

    fn current(&self) -> BorrowedFd<'_> {
        self.open.last().map_or(self.beside.as_fd(), |(_, folder)| folder.as_fd())
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
fn copy(original: &Original, folder: BorrowedFd<'_>, name: &str, more: Mode) -> io::Result<()> {
    let mut file = new_file(original, folder, name, more)?;
    io::copy(&mut weir_fs::open(&original.file)?, &mut file)?;
    Ok(())
}

/// A file of the link tree. Nobody can open it for writing again, unless there is `more` that may be done with it.
fn new_file(original: &Original, folder: BorrowedFd<'_>, name: &str, more: Mode) -> io::Result<File> {
    let mode = Mode::from_raw_mode(if original.executable { 0o555 } else { 0o444 }) | more;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(openat(folder, name, flags, mode)?))
}

fn at_path(path: &Path, error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    io::Error::new(error.kind(), format!("`{}` cannot be laid out: {error}", path.display()))
}
