//! Writing files so that a crash leaves the old or the new, and so that what was reported as written
//! is on the disk.
//!
//! Each file is written beside its place and renamed into it. Files of one batch are synced together
//! before anything refers to them: nobody reads a file that no checkpoint covers, so it does not matter
//! that a rename may reach the disk before the bytes do.
//!
//! Who may read a log is said by the mode of its folder, and not by the habits of whoever appended last: one writer
//! whose own files are private would otherwise take the checkpoint away from everybody else.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::faults::{Faults, TILE_RENAMED, TILE_WRITTEN};
use crate::shared::{make_readable, open_as};

/// Open files kept until they are synced together; bounds descriptors on a large batch.
const SYNC_BATCH: usize = 128;

/// Threads that sync. The disk is what is waited for: four requests at once let the file system
/// commit them together.
const SYNC_THREADS: usize = 4;

/// What is appended to the name of a file while it is being written.
const UNFINISHED: &str = ".new";

/// Files written and not yet known to be on the disk.
pub(crate) struct Batch<'a> {
    root: &'a Path,
    faults: &'a dyn Faults,
    unsynced: Vec<fs_err::File>,
    folders: BTreeSet<PathBuf>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(root: &'a Path, faults: &'a dyn Faults) -> Self {
        Self { root, faults, unsynced: Vec::new(), folders: BTreeSet::new() }
    }

    /// Puts `bytes` at `path` below the root, replacing what an earlier attempt may have left there.
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(self.root);
        if !self.folders.contains(folder) {
            make_folder(self.root, folder)?;
            // A new folder is an entry in the one above it, up to the registry's own.
            let within = folder.ancestors().take_while(|above| above.starts_with(self.root));
            self.folders.extend(within.map(Path::to_path_buf));
        }
        let file = write_beside(&target, bytes)?;
        self.faults.at(TILE_WRITTEN);
        fs_err::rename(unfinished(&target), &target)?;
        self.faults.at(TILE_RENAMED);
        self.unsynced.push(file);
        if self.unsynced.len() >= SYNC_BATCH { self.sync_files() } else { Ok(()) }
    }

    /// Waits until every file and every folder that names one is on the disk.
    pub(crate) fn sync(mut self) -> io::Result<()> {
        self.sync_files()?;
        self.folders.iter().rev().try_for_each(|folder| sync_folder(folder))
    }

    fn sync_files(&mut self) -> io::Result<()> {
        let files = std::mem::take(&mut self.unsynced);
        let share = files.len().div_ceil(SYNC_THREADS).max(1);
        if share == 1 && files.len() <= 1 {
            return files.iter().try_for_each(fs_err::File::sync_all);
        }
        std::thread::scope(|scope| {
            let shares: Vec<_> = files
                .chunks(share)
                .map(|share| scope.spawn(|| share.iter().try_for_each(fs_err::File::sync_all)))
                .collect();
            shares.into_iter().try_for_each(|done| match done.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })
    }
}

/// Replaces one file; `before` runs when the new bytes are on the disk and the old file still stands.
pub(crate) fn replace(target: &Path, bytes: &[u8], before: impl FnOnce()) -> io::Result<()> {
    write_beside(target, bytes)?.sync_all()?;
    before();
    fs_err::rename(unfinished(target), target)
}

/// Makes `folder` and what is missing above it, each as open as `root` is.
fn make_folder(root: &Path, folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(above) = folder.parent().filter(|above| above.starts_with(root)) {
        make_folder(root, above)?;
    }
    fs_err::create_dir(folder)?;
    open_as(root, folder)
}

/// Waits until a folder's entries are on the disk.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    fs_err::File::open(folder)?.sync_all()
}

fn unfinished(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(UNFINISHED);
    PathBuf::from(name)
}

/// Writes all of `bytes` to the unfinished name; a failure (a full disk) leaves nothing behind.
fn write_beside(target: &Path, bytes: &[u8]) -> io::Result<fs_err::File> {
    let path = unfinished(target);
    let mut file = match fs_err::File::create(&path) {
        // Another user was stopped before renaming it: who may write here may replace it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs_err::remove_file(&path)?;
            fs_err::File::create(&path)?
        }
        file => file?,
    };
    make_readable(file.file());
    match file.write_all(bytes) {
        Ok(()) => Ok(file),
        Err(error) => {
            let _ = fs_err::remove_file(&path);
            Err(error)
        }
    }
}
