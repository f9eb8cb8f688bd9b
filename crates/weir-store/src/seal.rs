//! Making a tree read-only. What is unpacked has read-only files already; its folders follow when nothing is to
//! be added any more.
//!
//! Sealed folders have a time that no clock gives them. Whatever is put into one or taken out of one later gives it another, also within the
//! same tick of the clock: a look at the times tells that all of a tree is there. Only the tree's own folder has another: when it was used last.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, chmod, utimensat};
use weir_tree::{Mode, TreeManifest};

use crate::error::{AtPath as _, StoreError};
use crate::readers::Readers;

const READ_ONLY: rustix::fs::Mode = rustix::fs::Mode::from_raw_mode(0o444);
const EXECUTABLE: rustix::fs::Mode = rustix::fs::Mode::from_raw_mode(0o555);

/// The time of sealed folders, in seconds since 1970.
const SEALED: i64 = 1;

/// Makes the folders below `top` read-only. `top` itself must stay writable to be moved: a move changes
/// its `..`.
pub(crate) fn folders(top: &Path, manifest: &TreeManifest) -> Result<(), StoreError> {
    for folder in manifest.folders() {
        let path = top.join(folder);
        chmod(&path, EXECUTABLE).and_then(|()| give_time(&path)).at(&path)?;
    }
    Ok(())
}

fn give_time(folder: &Path) -> rustix::io::Result<()> {
    let sealed = Timespec { tv_sec: SEALED, tv_nsec: 0 };
    let sealed = Timestamps { last_access: sealed, last_modification: sealed };
    utimensat(CWD, folder, &sealed, AtFlags::SYMLINK_NOFOLLOW)
}

/// Whether every folder below `top` is there and has its time still, and `top` has as many names in it as it should.
pub(crate) fn is_untouched(top: &Path, manifest: &TreeManifest) -> bool {
    let paths = manifest.entries().iter().map(|entry| entry.path.as_str());
    let names: BTreeSet<&str> = paths.map(|path| path.split('/').next().unwrap_or(path)).collect();
    let has_all = || fs_err::read_dir(top).is_ok_and(|entries| entries.count() == names.len());
    let is_sealed = |folder: &str| {
        fs_err::symlink_metadata(top.join(folder))
            .is_ok_and(|about| about.is_dir() && (about.mtime(), about.mtime_nsec()) == (SEALED, 0))
    };
    has_all() && manifest.folders().into_iter().all(is_sealed)
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
