//! Files that come to stand together: one wait for the disk, and not one each.

use std::collections::{BTreeSet, HashSet};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::AtPath as _;
use crate::folder::{Folder, Identity};
use crate::name::split;
use crate::{Draft, Durability, Result};

/// Drafts kept until they are brought to the disk together; bounds open files.
const TOGETHER: usize = 128;

/// Threads that wait for the disk. Four requests at once let the file system commit them together.
const THREADS: usize = 4;

/// So many folders are remembered to be settled.
const MOST_SETTLED: usize = 1 << 16;

/// Folders whose own names are known to be on the disk, to whoever makes batches in them again and again. Finding a name there does not tell: whoever
/// made it may have been stopped before it waited for the disk.
#[derive(Debug, Clone, Default)]
pub struct Settled(Arc<Mutex<HashSet<Identity>>>);

impl Settled {
    fn has(&self, folder: &Folder) -> Result<bool> {
        let identity = folder.identity()?;
        // Where the system does not tell when it was made, another may have its number by now.
        Ok(identity.made.is_some() && self.all().contains(&identity))
    }

    fn add(&self, folder: &Folder) -> Result<()> {
        let mut all = self.all();
        if all.len() >= MOST_SETTLED {
            all.clear();
        }
        all.insert(folder.identity()?);
        Ok(())
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashSet<Identity>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Files on their way into a folder that several users share. Each gets its name only when its bytes are on the disk, and
/// [`Batch::finish`] returns when the names are there too. A batch that is dropped leaves what it named, and nothing else.
pub struct Batch<'a> {
    root: &'a Folder,
    step: &'a dyn Fn(BatchStep),
    settled: &'a Settled,
    drafts: Vec<(Draft, PathBuf)>,
    /// The folders in which files have new names.
    folders: BTreeSet<PathBuf>,
}

/// What a batch has just done with one file: where a test interrupts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchStep {
    /// Its bytes are on the disk, and it has no name.
    Written,
    /// It has its name, which may not be on the disk.
    Named,
}

impl<'a> Batch<'a> {
    /// An empty batch of files below `root`. Each `step` is told. No folder that is `settled` is waited for on account of its own name.
    pub fn new(root: &'a Folder, step: &'a dyn Fn(BatchStep), settled: &'a Settled) -> Self {
        Self { root, step, settled, drafts: Vec::new(), folders: BTreeSet::new() }
    }

    /// Adds a file that is to be at `below`, in the place of what is there. The draft is one of a folder of the same file system.
    ///
    /// # Errors
    ///
    /// When files that were added before cannot be brought to the disk.
    pub fn add(&mut self, draft: Draft, below: impl Into<PathBuf>) -> Result<()> {
        self.drafts.push((draft, below.into()));
        if self.drafts.len() >= TOGETHER { self.name() } else { Ok(()) }
    }

    /// Waits until every file and every folder that names one is on the disk.
    ///
    /// # Errors
    ///
    /// When the disk fails or is full. Some files may have their names.
    pub fn finish(mut self) -> Result<()> {
        self.name()?;
        let filled = self.folders.iter().map(|below| self.root.folder(below)).collect::<Result<Vec<_>>>()?;
        sync_all(self.root, &filled)?;
        // A new folder is an entry in the one above it. Inner ones first: nothing is named by a folder that is on the disk before what it names.
        let mut on_disk: BTreeSet<&Path> = self.folders.iter().map(PathBuf::as_path).collect();
        for below in with_those_above(&self.folders).into_iter().rev() {
            let folder = self.root.folder(below)?;
            if self.settled.has(&folder)? {
                continue;
            }
            let above = below.parent().unwrap_or(Path::new(""));
            if on_disk.insert(above) {
                self.root.folder(above)?.sync()?;
            }
            self.settled.add(&folder)?;
        }
        Ok(())
    }

    /// Brings the bytes of all drafts to the disk, and then gives each its name.
    fn name(&mut self) -> Result<()> {
        let drafts = std::mem::take(&mut self.drafts);
        sync_all(self.root, &drafts.iter().map(|(draft, _)| draft.file()).collect::<Vec<_>>())?;
        for (draft, below) in drafts {
            (self.step)(BatchStep::Written);
            let (above, name) = split(&below)?;
            let folder = self.root.make_shared_folder(above, Durability::Quick)?;
            draft.place(&folder, name)?;
            self.folders.insert(above.to_path_buf());
            (self.step)(BatchStep::Named);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("root", self.root).field("drafts", &self.drafts).finish_non_exhaustive()
    }
}

/// All folders, and those above them, but for the outermost.
fn with_those_above(folders: &BTreeSet<PathBuf>) -> BTreeSet<&Path> {
    let all = folders.iter().flat_map(|folder| folder.ancestors());
    all.filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// Brings files or folders to the disk, several at once.
fn sync_all(root: &Folder, all: &[impl AsFd + Sync]) -> Result<()> {
    let sync = |one| rustix::fs::fsync(one);
    if let [] | [_] = all {
        return all.iter().try_for_each(sync).at(root.path());
    }
    std::thread::scope(|scope| {
        let shares: Vec<_> = all
            .chunks(all.len().div_ceil(THREADS))
            .map(|share| scope.spawn(move || share.iter().try_for_each(sync)))
            .collect();
        shares.into_iter().try_for_each(|done| match done.join() {
            Ok(result) => result.at(root.path()),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Access;

    #[test]
    fn a_folder_is_settled_once_its_name_is_on_the_disk_and_another_of_that_name_is_not() {
        let place = tempfile::tempdir().unwrap();
        let root = Folder::open(place.path()).unwrap();
        let settled = Settled::default();
        let put = |below: &str| {
            let mut batch = Batch::new(&root, &|_| {}, &settled);
            batch.add(root.filled_draft(b"x", Access::Public).unwrap(), below).unwrap();
            batch.finish().unwrap();
        };
        let is_settled = |below: &str| settled.has(&root.folder(below).unwrap()).unwrap();
        put("tile/0/1");
        assert!(is_settled("tile") && is_settled("tile/0"));
        // By somebody else, who may have been stopped before it was on the disk.
        fs_err::create_dir(place.path().join("pack")).unwrap();
        assert!(!is_settled("pack"));
        put("pack/2");
        assert!(is_settled("pack"));
        root.remove_tree("tile/0").unwrap();
        fs_err::create_dir(place.path().join("tile/0")).unwrap();
        assert!(is_settled("tile") && !is_settled("tile/0"));
    }

    #[test]
    fn those_above_are_named_once_and_the_outermost_never() {
        let folders = ["", "a/b/c", "a/d"].map(PathBuf::from).into();
        let all: Vec<_> = with_those_above(&folders).into_iter().collect();
        assert_eq!(all, ["a", "a/b", "a/b/c", "a/d"].map(Path::new));
    }
}
