//! Files that come to stand together: one wait for the disk, and not one each.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::AtPath as _;
use crate::folder::Folder;
use crate::name::split;
use crate::{Draft, Durability, Result};

/// Drafts kept until they are brought to the disk together; bounds open files.
const TOGETHER: usize = 128;

/// Threads that wait for the disk. Four requests at once let the file system commit them together.
const THREADS: usize = 4;

/// Files on their way into a folder that several users share. Each gets its name only when its bytes are on the disk, and
/// [`Batch::finish`] returns when the names are there too. A batch that is dropped leaves what it named, and nothing else.
pub struct Batch<'a> {
    root: &'a Folder,
    step: &'a dyn Fn(BatchStep),
    drafts: Vec<(Draft, PathBuf)>,
    /// The folders that have new names, and those above them: a new folder is an entry in the one above it.
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
    /// An empty batch of files below `root`. Each `step` is told.
    pub fn new(root: &'a Folder, step: &'a dyn Fn(BatchStep)) -> Self {
        Self { root, step, drafts: Vec::new(), folders: BTreeSet::new() }
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
        // Inner folders first: nothing is named by a folder that is on the disk before what it names.
        self.folders.iter().rev().try_for_each(|folder| self.root.folder(folder)?.sync())
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
            self.folders.extend(above.ancestors().map(Path::to_path_buf));
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

fn sync_all(root: &Folder, files: &[&File]) -> Result<()> {
    if let [] | [_] = files {
        return files.iter().try_for_each(|file| file.sync_all()).at(root.path());
    }
    std::thread::scope(|scope| {
        let shares: Vec<_> = files
            .chunks(files.len().div_ceil(THREADS))
            .map(|share| scope.spawn(|| share.iter().try_for_each(|file| file.sync_all())))
            .collect();
        shares.into_iter().try_for_each(|done| match done.join() {
            Ok(result) => result.at(root.path()),
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}
