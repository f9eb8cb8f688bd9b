//! Whether a tree is still whole: a cheap look, for what cleaners of disks take away.
//!
//! A folder from which something is taken, or into which something is put, has a later time than the manifest, which is written when all folders
//! are as they stay. Where one has, or the store was copied without its times, every folder is listed and the files are counted. What a file
//! holds is not looked at: [`Session::verify`] does that.

use std::path::Path;

use weir_model::TreeDigest;
use weir_tree::TreeManifest;

use crate::error::{AtPath as _, StoreError};
use crate::remove::remove;
use crate::session::Session;
use crate::tree::{StoredTree, tree_item};

impl Session {
    /// The tree with this digest, if it is in the store with as many files as it has. One that has lost some is taken away, so
    /// that it is made again; where the store cannot be written it only counts as missing.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn whole_tree(&self, digest: &TreeDigest) -> Result<Option<StoredTree>, StoreError> {
        let Some(tree) = self.tree(digest)? else { return Ok(None) };
        let manifest = match self.manifest(digest) {
            Ok(manifest) => manifest,
            Err(StoreError::DamagedManifest { .. }) => return Ok(Some(tree)),
            Err(error) => return Err(error),
        };
        if self.is_untouched(&tree, &manifest) || count(tree.path())? == manifest.entries().len() {
            return Ok(Some(tree));
        }
        match self.take_away(digest) {
            Ok(()) | Err(StoreError::ReadOnly { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether no folder of a tree has changed since its manifest was written.
    fn is_untouched(&self, tree: &StoredTree, manifest: &TreeManifest) -> bool {
        let time = |path: &Path| fs_err::symlink_metadata(path).and_then(|about| about.modified()).ok();
        let Some(made) = time(&self.store().layout().manifest(tree.digest())) else { return false };
        let is_older = |folder: &str| time(&tree.path().join(folder)).is_some_and(|changed| changed < made);
        is_older("") && manifest.folders().into_iter().all(is_older)
    }

    /// Takes a tree out of its place. Whoever fetches it meanwhile has its lock.
    fn take_away(&self, digest: &TreeDigest) -> Result<(), StoreError> {
        let _lock = self.lock(&tree_item(digest))?;
        if let Some(away) = self.store().trash(&self.store().layout().tree(digest))? {
            remove(&away);
        }
        Ok(())
    }
}

/// How many files and links a tree has, at any depth.
fn count(top: &Path) -> Result<usize, StoreError> {
    let (mut count, mut folders) = (0, vec![top.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).at(&folder)? {
            let entry = entry.at(&folder)?;
            match entry.file_type().at(&folder)?.is_dir() {
                true => folders.push(entry.path()),
                false => count += 1,
            }
        }
    }
    Ok(count)
}
