//! Removing what is read-only.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Removes a file or a folder with everything in it, as far as that goes. What stays is in `tmp/`, where the
/// next sweep finds it.
pub(crate) fn remove(path: &Path) {
    match fs_err::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            if fs_err::remove_dir_all(path).is_err() {
                unlock_folders(path);
                let _ = fs_err::remove_dir_all(path);
            }
        }
        Ok(_) => {
            let _ = fs_err::remove_file(path);
        }
        Err(_) => {}
    }
}

/// Lets the owner write in every folder below `top`.
fn unlock_folders(top: &Path) {
    let mut folders: Vec<PathBuf> = vec![top.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs_err::set_permissions(&folder, Permissions::from_mode(0o755));
        let entries = fs_err::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
}

/// Renames a file or a folder out of its place. A folder that its owner may not write cannot be moved to
/// another parent (its `..` would change), so it is made writable first where that is needed.
pub(crate) fn rename_away(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs_err::rename(from, to) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            fs_err::set_permissions(from, Permissions::from_mode(0o755))?;
            fs_err::rename(from, to)
        }
        done => done,
    }
}
