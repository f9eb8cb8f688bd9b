//! Copying a tree, as files that can be changed.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::manifest::{Mode, TreeManifest};

/// Copies the files and links that `manifest` lists from the folder `from` into the new folder `to`, where
/// they can be written to. Nothing is checked: read the copy again to know what it is.
///
/// # Errors
///
/// When `to` is there already, or a file cannot be read or written; the error names it.
pub fn copy_tree(from: &Path, manifest: &TreeManifest, to: &Path) -> io::Result<()> {
    fs_err::create_dir(to)?;
    for entry in manifest.entries() {
        let (source, target) = (from.join(entry.path.as_str()), to.join(entry.path.as_str()));
        if let Some(folder) = target.parent() {
            fs_err::create_dir_all(folder)?;
        }
        if entry.mode == Mode::Link {
            fs_err::os::unix::fs::symlink(fs_err::read_link(&source)?, &target)?;
            continue;
        }
        fs_err::copy(&source, &target)?;
        let mode = if entry.mode == Mode::Executable { 0o755 } else { 0o644 };
        fs_err::set_permissions(&target, std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
