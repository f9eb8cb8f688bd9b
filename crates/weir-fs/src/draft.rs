//! What is being written and has no name yet.
//!
//! Where the file system can, a draft of a file has no name at all until it is whole (`O_TMPFILE`): a process that is killed
//! leaves nothing. Elsewhere it has one that nobody can foresee, made exclusively.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::error::AtPath as _;
use crate::folder::Folder;
use crate::name::{is_unforeseen, unforeseen};
use crate::{Access, Durability, FsError, Result, Sort};

/// A file that is being written, in the folder it will be in. It is gone when it is dropped without having been given a name.
#[derive(Debug)]
pub struct Draft {
    folder: Folder,
    file: File,
    access: Access,
    /// The name it has meanwhile, where the file system gives none away later.
    meanwhile: Option<String>,
}

/// A folder that is being filled, beside the place it will have. It is removed when it is dropped without having been given a name.
#[derive(Debug)]
pub struct FolderDraft {
    above: Folder,
    folder: Folder,
    meanwhile: String,
    done: bool,
}

impl Folder {
    /// Begins a file that will be in this folder.
    ///
    /// # Errors
    ///
    /// When the folder cannot be written.
    pub fn draft(&self, access: Access) -> Result<Draft> {
        let mode = Mode::from_raw_mode(match access {
            Access::Kept | Access::Usual | Access::Public => 0o666,
            Access::Executable => 0o777,
            Access::Private => 0o600,
        });
        let folder = self.again()?;
        let (file, meanwhile) = match self.unnamed(mode)? {
            Some(file) => (file, None),
            None => self.named(mode).map(|(file, name)| (file, Some(name)))?,
        };
        let draft = Draft { folder, file, access, meanwhile };
        if access == Access::Public {
            // A file system without modes, such as a USB stick's, has nothing to say here.
            let _ = rustix::fs::fchmod(&draft.file, Mode::from_raw_mode(0o644));
        }
        Ok(draft)
    }

    /// A file without a name, where the file system and `/proc` can give it one later.
    fn unnamed(&self, mode: Mode) -> Result<Option<File>> {
        if !names_can_be_given() {
            return Ok(None);
        }
        match rustix::fs::openat(self, ".", OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, mode) {
            Ok(fd) => Ok(Some(File::from(fd))),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT | Errno::NOSYS) => Ok(None),
            Err(error) => Err(FsError::io(self.path(), error)),
        }
    }

    fn named(&self, mode: Mode) -> Result<(File, String)> {
        let name = unforeseen().at(self.path())?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(self, &name, flags, mode).at(self.path())?);
        mark_as_ours(&file);
        Ok((file, name))
    }

    /// Removes the drafts of files in this folder whose makers are gone: killed before they could do it themselves. What is young stays,
    /// and so does everything where the file system knows no locks.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub fn remove_abandoned_drafts(&self) -> Result<()> {
        for entry in self.entries()?.iter().filter(|entry| !entry.is_folder && is_unforeseen(&entry.name)) {
            let Ok(file) = self.open_file(&entry.name) else { continue };
            let age = file.metadata().and_then(|found| found.modified()).map(|modified| modified.elapsed());
            let is_young = age.ok().and_then(std::result::Result::ok).is_none_or(|age| age < YOUNG);
            let free = rustix::fs::flock(file.file(), FlockOperation::NonBlockingLockExclusive).is_ok();
            if free && !is_young {
                self.remove_file(&entry.name)?;
            }
        }
        Ok(())
    }

    /// Begins a folder that will be in this one.
    ///
    /// # Errors
    ///
    /// When this one cannot be written.
    pub fn draft_folder(&self) -> Result<FolderDraft> {
        let meanwhile = unforeseen().at(self.path())?;
        rustix::fs::mkdirat(self, &meanwhile, Mode::from_raw_mode(0o777)).at(self.path())?;
        let folder = self.enter(OsStr::new(&meanwhile))?;
        Ok(FolderDraft { above: self.again()?, folder, meanwhile, done: false })
    }
}

/// A draft may be this old before it is locked by whoever makes it.
const YOUNG: Duration = Duration::from_secs(60);

/// Locks a draft that has a name, until it is dropped or its process ends. Where there are no locks, it is nobody's to remove.
fn mark_as_ours(file: &File) {
    let _ = rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive);
}

/// Whether a file without a name can be given one: `linkat` finds it through `/proc`.
fn names_can_be_given() -> bool {
    static CAN: OnceLock<bool> = OnceLock::new();
    *CAN.get_or_init(|| Path::new("/proc/self/fd").is_dir())
}

impl Draft {
    /// The file: to be read again, or to be locked.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Gives it the name `name`, in the place of a file or a link that has it, in one step.
    ///
    /// # Errors
    ///
    /// When it cannot be brought to the disk or named; what was there is then as it was.
    pub fn replace(mut self, name: impl AsRef<OsStr>, durability: Durability) -> Result<()> {
        let name = name.as_ref();
        self.finish(name, durability)?;
        self.take_name(None, name)?;
        self.name_is_kept(durability)
    }

    /// Gives it the name `name` in `folder`, which is on the same file system, in the place of a file or a link that has it. Neither
    /// bytes nor name are brought to the disk.
    ///
    /// # Errors
    ///
    /// When it cannot be named.
    pub(crate) fn place(mut self, folder: &Folder, name: &OsStr) -> Result<()> {
        self.take_name(Some(folder), name)
    }

    /// Takes the name `name` in a folder; in its own, where none is given.
    fn take_name(&mut self, folder: Option<&Folder>, name: &OsStr) -> Result<()> {
        let path = folder.unwrap_or(&self.folder).at(name);
        // Where nothing has the name, no other is needed meanwhile, which a process that is killed would leave.
        if self.meanwhile.is_none() && self.link_as(folder.unwrap_or(&self.folder), name).is_ok() {
            return Ok(());
        }
        let meanwhile = self.has_a_name(&path)?;
        match rustix::fs::renameat(&self.folder, &meanwhile, folder.unwrap_or(&self.folder), name) {
            Ok(()) => self.meanwhile = None,
            Err(Errno::ISDIR) => return Err(FsError::other(path, Sort::Folder, Sort::File)),
            Err(error) => return Err(FsError::io(path, error)),
        }
        Ok(())
    }

    /// Gives it the name `name` if nothing has it. Answers whether it did.
    ///
    /// # Errors
    ///
    /// When it cannot be brought to the disk or named.
    pub fn create(mut self, name: impl AsRef<OsStr>, durability: Durability) -> Result<bool> {
        let name = name.as_ref();
        let path = self.folder.at(name);
        self.finish(name, durability)?;
        let meanwhile = self.has_a_name(&path)?;
        match rustix::fs::linkat(&self.folder, &meanwhile, &self.folder, name, AtFlags::empty()) {
            Ok(()) => self.name_is_kept(durability).map(|()| true),
            Err(Errno::EXIST) => Ok(false),
            // A file system without links.
            Err(_) => self.create_by_renaming(&meanwhile, name, durability),
        }
    }

    fn create_by_renaming(mut self, meanwhile: &str, name: &OsStr, durability: Durability) -> Result<bool> {
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(&self.folder, meanwhile, &self.folder, name, flags) {
            Ok(()) => self.meanwhile = None,
            Err(Errno::EXIST) => return Ok(false),
            Err(error) => return Err(FsError::io(self.folder.at(name), error)),
        }
        self.name_is_kept(durability).map(|()| true)
    }

    /// All that is done to the bytes before they have their name.
    fn finish(&self, name: &OsStr, durability: Durability) -> Result<()> {
        let path = self.folder.at(name);
        if self.access == Access::Kept
            && let Some(found) = self.folder.look(name)?
            && found.sort == Sort::File
        {
            rustix::fs::fchmod(&self.file, Mode::from_raw_mode(found.mode & 0o777)).at(&path)?;
        }
        match durability {
            Durability::Durable => self.file.sync_all().at(path),
            Durability::Quick => Ok(()),
        }
    }

    /// The name it has until it has its own.
    fn has_a_name(&mut self, path: &Path) -> Result<String> {
        if let Some(name) = &self.meanwhile {
            return Ok(name.clone());
        }
        let name = unforeseen().at(path)?;
        mark_as_ours(&self.file);
        self.link_as(&self.folder, OsStr::new(&name)).at(path)?;
        self.meanwhile = Some(name.clone());
        Ok(name)
    }

    /// Gives a file without a name one that nothing has.
    fn link_as(&self, folder: &Folder, name: &OsStr) -> rustix::io::Result<()> {
        let from = format!("/proc/self/fd/{}", self.file.as_fd().as_raw_fd());
        rustix::fs::linkat(CWD, from, folder, name, AtFlags::SYMLINK_FOLLOW)
    }

    fn name_is_kept(&self, durability: Durability) -> Result<()> {
        match durability {
            Durability::Durable => self.folder.sync(),
            Durability::Quick => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(name) = &self.meanwhile {
            let _ = rustix::fs::unlinkat(&self.folder, name, AtFlags::empty());
        }
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Draft {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

impl Seek for Draft {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

impl FolderDraft {
    /// The folder, to be filled.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Gives it the name `name`. Whatever had that name is removed, once it has it no more.
    ///
    /// # Errors
    ///
    /// When it cannot be named, or what was there cannot be removed.
    pub fn replace(mut self, name: impl AsRef<OsStr>) -> Result<()> {
        let name = name.as_ref();
        let path = self.above.at(name);
        if self.renamed(name, RenameFlags::NOREPLACE).is_ok() {
            self.done = true;
            return Ok(());
        }
        if self.renamed(name, RenameFlags::EXCHANGE).is_ok() {
            self.done = true;
            return self.above.remove_tree(&self.meanwhile);
        }
        // The file system knows no flags.
        let away = unforeseen().at(&path)?;
        match rustix::fs::renameat(&self.above, name, &self.above, &away) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(FsError::io(path, error)),
        }
        rustix::fs::renameat(&self.above, &self.meanwhile, &self.above, name).at(&path)?;
        self.done = true;
        self.above.remove_tree(away)
    }

    fn renamed(&self, name: &OsStr, flags: RenameFlags) -> std::result::Result<(), Errno> {
        rustix::fs::renameat_with(&self.above, &self.meanwhile, &self.above, name, flags)
    }
}

impl Drop for FolderDraft {
    fn drop(&mut self) {
        if !self.done {
            let _ = self.above.remove_tree(&self.meanwhile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_whose_maker_is_gone_are_removed_and_others_are_not() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let long_ago = std::time::SystemTime::now() - YOUNG * 2;
        let abandoned = unforeseen().unwrap();
        for name in [&*abandoned, ".weir-is-mine", "weir.lock", ".weir-0123456789abcdef0123456X"] {
            fs_err::File::create(place.path().join(name)).unwrap().file().set_modified(long_ago).unwrap();
        }
        let (held, name) = folder.named(Mode::from_raw_mode(0o666)).unwrap();
        held.set_modified(long_ago).unwrap();
        let young = unforeseen().unwrap();
        fs_err::write(place.path().join(&young), "").unwrap();
        folder.remove_abandoned_drafts().unwrap();
        assert!(folder.look(&abandoned).unwrap().is_none());
        assert!(folder.look(&name).unwrap().is_some() && folder.look(&young).unwrap().is_some());
        assert_eq!(folder.entries().unwrap().len(), 5);
    }

    /// Where a file system gives no file a name later, a draft has one meanwhile, and is the same otherwise.
    #[test]
    fn a_draft_with_a_name_is_replaced_created_and_dropped_like_one_without() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let draft = |text: &str| {
            let (mut file, name) = folder.named(Mode::from_raw_mode(0o666)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            Draft { folder: folder.again().unwrap(), file, access: Access::Kept, meanwhile: Some(name) }
        };
        assert!(draft("one").create("a", Durability::Durable).unwrap());
        assert!(!draft("two").create("a", Durability::Durable).unwrap());
        draft("three").replace("b", Durability::Durable).unwrap();
        draft("four").replace("b", Durability::Quick).unwrap();
        drop(draft("five"));
        assert_eq!(folder.read_text("a", 10).unwrap(), "one");
        assert_eq!(folder.read_text("b", 10).unwrap(), "four");
        assert_eq!(folder.entries().unwrap().len(), 2);
    }
}
