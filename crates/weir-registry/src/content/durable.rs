//! Written without a name, brought to the disk, named: how an object comes to stand.

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::Path;

use weir_fs::{Access, Batch, BatchStep, Draft, Durability, Folder, Settled};
use weir_log::Faults;

/// The object is on the disk and has no name yet.
const WRITTEN: &str = "content:written";
/// It has its name; the folder entry may not be on the disk.
const RENAMED: &str = "content:renamed";

/// Every point that taking something in passes, in order, once for each object.
pub const POINTS: &[&str] = &[WRITTEN, RENAMED];

/// Where objects are until they have a name, on file systems that know no files without one.
const UNFINISHED: &str = ".tmp";

/// An object that is being written: gone if it is dropped.
pub(super) struct Beside {
    draft: Draft,
}

/// Where objects of one registry are written.
pub(super) struct Writing<'a> {
    pub(super) root: &'a Path,
    pub(super) faults: &'a dyn Faults,
    pub(super) settled: &'a Settled,
}

impl Writing<'_> {
    /// A new object, holding what `from` brings, at most `limit` bytes. `None` if it brings more.
    pub(super) fn beside(&self, from: &mut dyn Read, limit: u64) -> io::Result<Option<Beside>> {
        let folder = Folder::open(self.root)?.make_shared_folder(UNFINISHED, Durability::Quick)?;
        let mut draft = folder.draft(Access::Public)?;
        let copied = io::copy(&mut from.take(limit.saturating_add(1)), &mut draft)?;
        Ok((copied <= limit).then_some(Beside { draft }))
    }

    /// Gives each of `objects` its path below the root, replacing what is there; each is on the disk before it has a name.
    pub(super) fn name(&self, objects: Vec<(Beside, String)>) -> io::Result<()> {
        let root = Folder::open(self.root)?;
        let step = |step| match step {
            BatchStep::Written => self.faults.at(WRITTEN),
            BatchStep::Named => self.faults.at(RENAMED),
        };
        let mut batch = Batch::new(&root, &step, self.settled);
        for (object, path) in objects {
            batch.add(object.draft, path)?;
        }
        Ok(batch.finish()?)
    }
}

impl Beside {
    /// Reads it from its start.
    pub(super) fn reopened(&self) -> io::Result<File> {
        let mut file = self.draft.file().try_clone()?;
        file.rewind()?;
        Ok(file)
    }
}
