//! What is in the store, by its names.

use std::io;
use std::path::{Path, PathBuf};

use weir_model::of::Subject;
use weir_model::{Digest, InputDigest, Sha256, TreeDigest};

use crate::error::{AtPath as _, StoreError};
use crate::layout::{Layout, MANIFEST_SUFFIX};

/// The trees in the store, sorted.
pub(crate) fn trees(layout: &Layout) -> Result<Vec<TreeDigest>, StoreError> {
    digests(&layout.trees(), "")
}

/// The trees whose manifests are in the store, sorted.
pub(crate) fn manifests(layout: &Layout) -> Result<Vec<TreeDigest>, StoreError> {
    digests(&layout.trees(), MANIFEST_SUFFIX)
}

/// The referenced files in the store, sorted.
pub(crate) fn files(layout: &Layout) -> Result<Vec<Sha256>, StoreError> {
    digests(&layout.files(), "")
}

/// The inputs from which trees were derived, sorted.
pub(crate) fn derivations(layout: &Layout) -> Result<Vec<InputDigest>, StoreError> {
    digests(&layout.derivations(), "")
}

/// The digests that name something in a sharded folder; what has another name is not ours to touch.
fn digests<S: Subject>(folder: &Path, suffix: &str) -> Result<Vec<Digest<S>>, StoreError> {
    let mut digests = Vec::new();
    for shard in children(folder)? {
        for path in children(&shard)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(Ok(digest)) = name.strip_suffix(suffix).map(Digest::from_hex) {
                digests.push(digest);
            }
        }
    }
    digests.sort_unstable();
    Ok(digests)
}

fn children(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(StoreError::io(folder, error)),
    };
    entries.map(|entry| Ok(entry.at(folder)?.path())).collect()
}
