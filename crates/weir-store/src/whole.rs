//! Whether a tree is still whole: a cheap look, for what cleaners of disks take away.
//!
//! A folder from which something is taken, or into which something is put, has another time than [sealed](crate::seal) ones have. Where one has, or the
//! store was copied without its times, every folder is listed and the files are counted. What a file holds is not looked at:
//! [`Session::verify`] does that.

use std::path::Path;

use weir_model::TreeDigest;

use crate::error::{AtPath as _, StoreError};
use crate::remove::remove;
use crate::seal;
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
        if seal::is_untouched(tree.path(), &manifest) || count(tree.path())? == manifest.entries().len() {
            return Ok(Some(tree));
        }
        match self.take_away(digest) {
            Ok(()) | Err(StoreError::ReadOnly { .. }) => Ok(None),
            Err(error) => Err(error),
        }
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
