//! What is in the store, how large, when it was last used and by whom.

use std::path::PathBuf;
use std::time::SystemTime;

use weir_model::{Sha256, TreeDigest};

use crate::catalogue;
use crate::error::StoreError;
use crate::store::Store;
use crate::uses::{Users, Uses};

/// Everything in the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// The trees, sorted by digest.
    pub trees: Vec<ListedTree>,
    /// The files that references name, sorted by digest.
    pub files: Vec<ListedFile>,
}

/// A tree in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTree {
    /// The tree.
    pub digest: TreeDigest,
    /// The bytes of its files together, and how many there are; nothing if its manifest is damaged.
    pub size: Option<(u64, u64)>,
    /// When it was last used, to within half a day.
    pub used: Option<SystemTime>,
    /// The projects whose lockfiles name it.
    pub projects: Vec<PathBuf>,
}

/// A referenced file in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// The file.
    pub digest: Sha256,
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was last used, to within half a day.
    pub used: Option<SystemTime>,
    /// The projects whose lockfiles name it.
    pub projects: Vec<PathBuf>,
}

impl Store {
    /// Lists everything in the store.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn list(&self) -> Result<Listing, StoreError> {
        let uses = Uses::gather(self)?;
        let layout = self.layout();
        let mut listing = Listing::default();
        for digest in catalogue::trees(layout)? {
            let size = self.manifest(&digest).ok().map(|m| (m.unpacked_size(), m.files()));
            let used = fs_err::metadata(layout.tree(&digest)).and_then(|metadata| metadata.modified()).ok();
            listing.trees.push(ListedTree { digest, size, used, projects: paths(uses.of_tree(&digest)) });
        }
        for digest in catalogue::files(layout)? {
            let metadata = fs_err::metadata(layout.file(&digest)).ok();
            let bytes = metadata.as_ref().map_or(0, std::fs::Metadata::len);
            let used = metadata.and_then(|metadata| metadata.modified().ok());
            listing.files.push(ListedFile { digest, bytes, used, projects: paths(uses.of_file(&digest)) });
        }
        Ok(listing)
    }
}

fn paths(users: Option<&Users>) -> Vec<PathBuf> {
    users.into_iter().flatten().map(|path| path.to_path_buf()).collect()
}
