//! Replacing what a check found damaged. The new content is made first, then takes the old one's place in
//! one step: whoever reads sees one or the other.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, RenameFlags};
use rustix::io::Errno;
use weir_model::{Sha256, TreeDigest};
use weir_tree::{Limits, Selection};

use crate::error::{AtPath as _, EnsureError, StoreError};
use crate::gc::Item;
use crate::layout::rename_into;
use crate::observe::Event;
use crate::readers::Readers;
use crate::remove::remove;
use crate::session::Session;
use crate::tree::{Draft, tree_item};
use crate::verify::{Broken, Damage, VerifyReport};
use crate::{derived, faults, seal};

/// What a damaged tree or file can be replaced with.
pub enum Replacement {
    /// The tree's pack.
    Pack {
        /// How long it is, where a record states it.
        bytes: Option<u64>,
        /// Its bytes.
        reader: Box<dyn Read + Send>,
    },
    /// The file, from its beginning.
    File {
        /// How long it is.
        bytes: u64,
        /// Its bytes.
        reader: Box<dyn Read + Send>,
    },
    /// Nobody has it. A tree that was made on this machine is then removed, and made again when it is
    /// needed; other things stay as they are.
    Nowhere,
}

/// What became of everything that was damaged.
#[derive(Debug)]
pub struct RepairReport<E> {
    /// One for each item that was damaged, in the order of the check's report.
    pub items: Vec<(Item, Mended<E>)>,
}

/// What became of something damaged.
#[derive(Debug)]
pub enum Mended<E> {
    /// It was replaced.
    Replaced,
    /// Only its manifest was damaged, and was made again from the tree.
    ManifestRestored,
    /// It was made on this machine and was removed; it will be made again.
    Removed,
    /// It is still damaged, since there is nothing to replace it with.
    Kept,
    /// It is still damaged, since replacing it failed.
    Failed(EnsureError<E>),
}

impl Session {
    /// Replaces what `report` says is damaged with what `fetch` brings, one after the other.
    ///
    /// # Errors
    ///
    /// When the store's folders cannot be read. What happened to one item is part of the report.
    pub fn repair<E>(
        &self,
        report: &VerifyReport,
        limits: &Limits,
        mut fetch: impl FnMut(&Item) -> Result<Replacement, E>,
    ) -> Result<RepairReport<E>, StoreError> {
        let made: std::collections::BTreeSet<TreeDigest> =
            derived::records(self.store())?.into_values().map(|record| record.tree).collect();
        let mut items = Vec::new();
        for broken in &report.broken {
            let is_made = matches!(&broken.item, Item::Tree(tree) if made.contains(tree));
            let mended =
                self.mend(broken, is_made, limits, &mut fetch).unwrap_or_else(|error| Mended::Failed(error));
            if !matches!(mended, Mended::Kept | Mended::Failed(_)) {
                self.store().tell(Event::Repaired { item: broken.item });
            }
            items.push((broken.item, mended));
        }
        Ok(RepairReport { items })
    }

    fn mend<E>(
        &self,
        broken: &Broken,
        is_made: bool,
        limits: &Limits,
        fetch: &mut impl FnMut(&Item) -> Result<Replacement, E>,
    ) -> Result<Mended<E>, EnsureError<E>> {
        if let (Item::Tree(digest), Damage::Manifest) = (&broken.item, &broken.damage)
            && self.restore_manifest(digest)?
        {
            return Ok(Mended::ManifestRestored);
        }
        match (&broken.item, fetch(&broken.item).map_err(EnsureError::Source)?) {
            (Item::Tree(digest), Replacement::Pack { bytes, reader }) => {
                self.replace_tree(digest, bytes, limits, reader)?;
                Ok(Mended::Replaced)
            }
            (Item::File(digest), Replacement::File { bytes, reader }) => {
                self.replace_file(digest, bytes, reader)?;
                Ok(Mended::Replaced)
            }
            (Item::Tree(digest), _) if is_made => {
                let layout = self.store().layout();
                for place in [layout.tree(digest), layout.manifest(digest)] {
                    if let Some(away) = self.store().trash(&place)? {
                        remove(&away);
                    }
                }
                Ok(Mended::Removed)
            }
            _ => Ok(Mended::Kept),
        }
    }

    /// If the tree itself is right, its manifest can be had from it.
    fn restore_manifest(&self, digest: &TreeDigest) -> Result<bool, StoreError> {
        let folder = self.store().layout().tree(digest);
        match weir_tree::read_folder(&folder, &Selection::everything()) {
            Ok(manifest) if manifest.digest() == *digest => {
                let _lock = self.lock(&tree_item(digest))?;
                self.store().write_manifest(&manifest).map(|()| true)
            }
            _ => Ok(false),
        }
    }

    fn replace_tree(
        &self,
        digest: &TreeDigest,
        pack_bytes: Option<u64>,
        limits: &Limits,
        pack: impl Read,
    ) -> Result<(), StoreError> {
        let store = self.store();
        let _lock = self.lock(&tree_item(digest))?;
        let Draft { manifest, staging, .. } = store.unpack(digest, pack_bytes, limits, pack)?;
        let place = store.layout().tree(digest);
        seal::folders(staging.path(), &manifest)?;
        store.write_manifest(&manifest)?;
        let readers = Readers::of(&place);
        exchange(staging.path(), &place)?;
        seal::top(&place, readers);
        store.pass(faults::REPAIR_RENAMED, &place)
    }

    /// Downloads into `tmp/` as at first, and renames over the damaged one.
    fn replace_file(
        &self,
        digest: &Sha256,
        size: u64,
        reader: Box<dyn Read + Send>,
    ) -> Result<(), StoreError> {
        let item = crate::file::file_item(digest);
        let _lock = self.lock(&item)?;
        crate::file::receive_whole(self, &item, digest, size, reader).map(drop)
    }
}

/// Exchanges two folders, in one step where the system can do that. `draft` is removed by its owner.
fn exchange(draft: &Path, place: &Path) -> Result<(), StoreError> {
    // A folder that its owner may not write cannot be moved to another parent.
    let _ = rustix::fs::chmod(place, Mode::from_raw_mode(0o755));
    match rustix::fs::renameat_with(CWD, draft, CWD, place, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(Errno::NOENT) => rename_into(draft, place).at(place),
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            let old: PathBuf = draft.with_extension("old");
            rename_into(place, &old).at(place)?;
            let moved = rename_into(draft, place).at(place);
            remove(&old);
            moved
        }
        Err(error) => Err(StoreError::io(place, error.into())),
    }
}
