//! The files of a project.

use std::path::Path;

use weir_fs::{Access, Durability, Folder, FsError};

pub(crate) use weir_package::MAX_MANIFEST;

/// The largest lockfile that is read, in bytes.
pub(crate) const MAX_LOCKFILE: u64 = weir_model::lockfile::MAX_BYTES as u64;

/// The bytes of a file in a folder that a manifest names, relative to `base`. How to reach the folder is the manifest's word;
/// what is in it is a stranger's.
pub(crate) fn in_folder(base: &Path, path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    let path = base.join(path);
    let (folder, name) = (path.parent().unwrap_or(base), path.file_name().unwrap_or_default());
    Folder::open(folder)?.read(name, limit)
}

/// Replaces a file that counts, in a folder that the caller vouches for. Its permissions stay as they were.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    weir_fs::replace(path, bytes, Access::Kept, Durability::Durable)
}

/// Writes a note, of which its folder keeps at most `most`: with more, all are forgotten. That one cannot be kept costs time and
/// nothing else.
pub(crate) fn keep_note(place: &Path, text: &[u8], most: usize) {
    let Some(folder) = place.parent() else { return };
    let known = fs_err::read_dir(folder).map_or(0, Iterator::count);
    if known >= most {
        let _ = fs_err::remove_dir_all(folder);
    }
    let _ = weir_fs::replace(place, text, Access::Private, Durability::Quick);
}
