//! Written beside, brought to the disk, renamed: how an object comes to have a name.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use weir_log::Faults;

/// The object is on the disk and has no name yet.
const WRITTEN: &str = "content:written";
/// It has its name; the folder entry may not be on the disk.
const RENAMED: &str = "content:renamed";

/// Every point that taking something in passes, in order, once for each object.
pub const POINTS: &[&str] = &[WRITTEN, RENAMED];

/// An object that is being written: gone if it is dropped.
pub(super) struct Beside {
    file: NamedTempFile,
}

/// Where objects of one registry are written.
pub(super) struct Writing<'a> {
    pub(super) root: &'a Path,
    pub(super) faults: &'a dyn Faults,
}

impl Writing<'_> {
    /// A new object, holding what `from` brings, at most `limit` bytes. `None` if it brings more.
    pub(super) fn beside(&self, from: &mut dyn Read, limit: u64) -> io::Result<Option<Beside>> {
        let folder = self.root.join(".tmp");
        ensure_folder(self.root, &folder)?;
        let mut file = NamedTempFile::new_in(folder)?;
        let copied = io::copy(&mut from.take(limit.saturating_add(1)), file.as_file_mut())?;
        if copied > limit {
            return Ok(None);
        }
        file.as_file_mut().flush()?;
        Ok(Some(Beside { file }))
    }

    /// Gives each of `objects` its path below the root, replacing what is there; all are on the disk
    /// before the first has a name.
    pub(super) fn name(&self, objects: Vec<(Beside, String)>) -> io::Result<()> {
        for (object, _) in &objects {
            weir_log::make_readable(object.file.as_file());
            object.file.as_file().sync_all()?;
            self.faults.at(WRITTEN);
        }
        let mut folders = Vec::new();
        for (object, path) in objects {
            let target = self.root.join(path);
            let folder = target.parent().unwrap_or(self.root).to_owned();
            ensure_folder(self.root, &folder)?;
            object.file.persist(&target).map_err(|error| error.error)?;
            self.faults.at(RENAMED);
            folders.push(folder);
        }
        folders.sort_unstable();
        folders.dedup();
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

impl Beside {
    /// Reads it from its start.
    pub(super) fn reopened(&self) -> io::Result<std::fs::File> {
        self.file.reopen()
    }
}

/// Makes `folder` and what is missing above it, down from `root` and as open as that is, each entry brought to the disk.
pub(super) fn ensure_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut at = PathBuf::from(root);
    for part in folder.strip_prefix(root).unwrap_or(folder).components() {
        let above = at.clone();
        at.push(part);
        match fs_err::create_dir(&at) {
            Ok(()) => {
                weir_log::open_as(root, &at)?;
                sync_folder(&above)?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}
