//! Making a tree read-only. What is unpacked has read-only files already; its folders follow when nothing is to
//! be added any more.

use std::path::Path;

use rustix::fs::chmod;
use weir_tree::{Mode, TreeManifest};

use crate::error::{AtPath as _, StoreError};
use crate::readers::Readers;

const READ_ONLY: rustix::fs::Mode = rustix::fs::Mode::from_raw_mode(0o444);
const EXECUTABLE: rustix::fs::Mode = rustix::fs::Mode::from_raw_mode(0o555);

/// Makes the folders below `top` read-only. `top` itself must stay writable to be moved: a move changes
/// its `..`.
pub(crate) fn folders(top: &Path, manifest: &TreeManifest) -> Result<(), StoreError> {
    for folder in manifest.folders() {
        let path = top.join(folder);
        chmod(&path, EXECUTABLE).at(&path)?;
    }
    Ok(())
}

/// Gives files that somebody made by hand the modes that unpacked ones have.
pub(crate) fn files(top: &Path, manifest: &TreeManifest) -> Result<(), StoreError> {
    for entry in manifest.entries() {
        let mode = match entry.mode {
            Mode::File => READ_ONLY,
            Mode::Executable => EXECUTABLE,
            Mode::Link => continue,
        };
        let path = top.join(&entry.path);
        chmod(&path, mode).at(&path)?;
    }
    Ok(())
}

/// Makes a tree's own folder read-only, once it is in its place. That it may fail on a store that other
/// users write too does no harm: the tree is whole.
pub(crate) fn top(place: &Path, readers: Readers) {
    let _ = chmod(place, rustix::fs::Mode::from_raw_mode(readers.of_mode(0o555)));
}
