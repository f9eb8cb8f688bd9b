//! Sharing equal files of different trees by hard links.
//!
//! Off the hot path, since finding out costs more than unpacking. A link takes a file's place by renaming, so
//! whoever reads has the old bytes or the same new ones. Files of different modes are not shared: the mode
//! belongs to what is linked. What is shared was hashed just before, so that a damaged file is replaced by
//! a good one and never the other way round.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use weir_model::{EntryDigest, Hasher};
use weir_tree::{Mode, TreeManifest};

use crate::error::{AtPath as _, StoreError};
use crate::observe::{Event, Work};
use crate::session::Session;
use crate::{catalogue, faults};

/// The lock and the drafts of whoever shares files: one at a time.
const ITEM: &str = "optimise";

/// What sharing gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OptimiseReport {
    /// How many files were looked at.
    pub files: u64,
    /// How many were replaced by a link to an equal one.
    pub linked: u64,
    /// The bytes that are now on the disk once less.
    pub saved: u64,
}

impl Session {
    /// Shares equal files of all trees. Doing it again does nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read or written. What was shared by then is shared.
    pub fn optimise(&self) -> Result<OptimiseReport, StoreError> {
        let store = self.store();
        let _quiet = self.quiet()?;
        let _lock = self.lock(ITEM)?;
        let mut trees = Vec::new();
        for digest in catalogue::trees(store.layout())? {
            // A tree whose manifest is damaged is for `verify` to tell of.
            if let Ok(manifest) = store.manifest(&digest) {
                trees.push((store.layout().tree(&digest), manifest));
            }
        }
        let bytes = trees.iter().map(|(_, manifest)| manifest.unpacked_size()).sum();
        store.tell(Event::Began { work: Work::Sharing, items: trees.len() as u64, bytes });
        let mut sharing = Sharing { session: self, report: OptimiseReport::default() };
        for ((digest, _), equal) in equal_files(&trees) {
            sharing.report.files += equal.len() as u64;
            if equal.len() > 1 {
                sharing.share(&digest, &equal)?;
            }
            store.tell(Event::Advanced { bytes: equal.iter().map(|file| file.size).sum() });
        }
        Ok(sharing.report)
    }
}

/// A file in a tree of the store.
struct Placed<'t> {
    tree: &'t Path,
    path: &'t str,
    size: u64,
}

impl Placed<'_> {
    fn on_disk(&self) -> PathBuf {
        self.tree.join(self.path)
    }
}

/// The files of all trees that have any bytes, by content and mode.
fn equal_files(trees: &[(PathBuf, TreeManifest)]) -> BTreeMap<(EntryDigest, Mode), Vec<Placed<'_>>> {
    let mut equal: BTreeMap<_, Vec<Placed<'_>>> = BTreeMap::new();
    for (tree, manifest) in trees {
        for entry in manifest.entries() {
            if entry.mode != Mode::Link && entry.size > 0 {
                let placed = Placed { tree, path: entry.path.as_str(), size: entry.size };
                equal.entry((entry.digest, entry.mode)).or_default().push(placed);
            }
        }
    }
    equal
}

struct Sharing<'s> {
    session: &'s Session,
    report: OptimiseReport,
}

impl Sharing<'_> {
    /// Makes all of `equal` links to one of them.
    fn share(&mut self, digest: &EntryDigest, equal: &[Placed<'_>]) -> Result<(), StoreError> {
        let mut original: Option<Original> = None;
        for file in most_linked_first(equal) {
            let path = file.on_disk();
            // Gone since the manifest was read, or never there: not ours to mend.
            let Ok(metadata) = fs_err::symlink_metadata(&path) else { continue };
            if !metadata.is_file() {
                continue;
            }
            match &original {
                Some(one) if one.inode == (metadata.dev(), metadata.ino()) => {}
                Some(one) if one.mode == metadata.permissions().mode() && one.inode.0 == metadata.dev() => {
                    match self.replace(file, &one.path) {
                        Err(StoreError::Io { source, .. }) if is_full_of_links(&source) => {
                            original = Original::check(path, digest)?;
                        }
                        Err(error) => return Err(error),
                        Ok(()) => self.count(&metadata),
                    }
                }
                Some(_) => {}
                None => original = Original::check(path, digest)?,
            }
        }
        Ok(())
    }

    /// Puts a link to `original` in a file's place.
    fn replace(&self, file: &Placed<'_>, original: &Path) -> Result<(), StoreError> {
        let store = self.session.store();
        let target = file.on_disk();
        let draft = store.staging(ITEM);
        fs_err::hard_link(original, draft.path()).at(&target)?;
        store.pass(faults::OPTIMISE_LINKED, &target)?;
        let folder = Unlocked::folder_of(&target, file.tree)?;
        take_place(draft.path(), &target).at(&target)?;
        drop(folder);
        store.pass(faults::OPTIMISE_RENAMED, &target)
    }

    /// Bytes are saved when a file's last name is taken.
    fn count(&mut self, replaced: &std::fs::Metadata) {
        self.report.linked += 1;
        if replaced.nlink() == 1 {
            self.report.saved += replaced.len();
        }
    }
}

/// Puts the draft in the target's place in one step. Exchanging them leaves the old file to be removed with
/// the draft. Renaming would do, but makes ext4 write the draft's bytes out first and wait.
fn take_place(draft: &Path, target: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, draft, CWD, target, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs_err::rename(draft, target),
        done => Ok(done?),
    }
}

/// A file whose bytes are what its manifest says.
struct Original {
    path: PathBuf,
    inode: (u64, u64),
    mode: u32,
}

impl Original {
    fn check(path: PathBuf, digest: &EntryDigest) -> Result<Option<Self>, StoreError> {
        let mut file = fs_err::File::open(&path).at(&path)?;
        let mut hasher = Hasher::new();
        std::io::copy(&mut file, &mut hasher).at(&path)?;
        let metadata = file.metadata().at(&path)?;
        let (inode, mode) = ((metadata.dev(), metadata.ino()), metadata.permissions().mode());
        Ok((hasher.finish() == *digest).then_some(Self { path, inode, mode }))
    }
}

/// What is shared widely already stays, so that doing it again does nothing.
fn most_linked_first<'a, 't>(equal: &'a [Placed<'t>]) -> Vec<&'a Placed<'t>> {
    let mut files: Vec<_> = equal
        .iter()
        .map(|file| (fs_err::symlink_metadata(file.on_disk()).map_or(0, |metadata| metadata.nlink()), file))
        .collect();
    files.sort_by_key(|(links, _)| std::cmp::Reverse(*links));
    files.into_iter().map(|(_, file)| file).collect()
}

fn is_full_of_links(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TooManyLinks || Errno::from_io_error(error) == Some(Errno::MLINK)
}

/// A folder that may be written for a moment. Its permissions and its time, which for a tree's own folder
/// tells when the tree was last used, are put back.
struct Unlocked {
    folder: PathBuf,
    before: std::fs::Metadata,
}

impl Unlocked {
    fn folder_of(file: &Path, tree: &Path) -> Result<Self, StoreError> {
        let folder = file.parent().unwrap_or(tree).to_owned();
        let before = fs_err::metadata(&folder).at(&folder)?;
        fs_err::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).at(&folder)?;
        Ok(Self { folder, before })
    }
}

impl Drop for Unlocked {
    fn drop(&mut self) {
        let _ = fs_err::set_permissions(&self.folder, self.before.permissions());
        if let (Ok(folder), Ok(modified)) = (fs_err::File::open(&self.folder), self.before.modified()) {
            let _ = folder.file().set_modified(modified);
        }
    }
}
