//! A folder that several users write to: what one of them makes is as open as the folder, and of its group.
//!
//! Where a file system knows no modes or groups, such as that of a USB stick, or where somebody is not of the folder's
//! group, there is nothing to keep, and nothing fails for it.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, fchown};
use std::path::Path;

/// Makes `folder`, which was just made below `root`, as open as `root` is.
///
/// # Errors
///
/// When `root` cannot be looked at.
pub fn open_as(root: &Path, folder: &Path) -> io::Result<()> {
    let above = fs_err::metadata(root)?;
    let _ = chown(folder, None, Some(above.gid()));
    let _ = fs_err::set_permissions(folder, above.permissions());
    Ok(())
}

/// Gives a new file the mode of what is served: temporary files, and those of a user with private habits, are not to be
/// read by others, and what a registry publishes is.
pub fn make_readable(file: &File) {
    let _ = file.set_permissions(Permissions::from_mode(0o644));
}

/// Opens the file `name` in `root` for locking, made if it is not there: who may write in `root` may lock it.
///
/// # Errors
///
/// When it cannot be made or opened.
pub fn open_lock(root: &Path, name: &str) -> io::Result<File> {
    let lock = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(root.join(name))?;
    let lock = lock.into_parts().0;
    let (above, about) = (fs_err::metadata(root)?, lock.metadata()?);
    let wanted = above.mode() & 0o666;
    // Whoever came first had habits of their own, or was stopped before this.
    if about.mode() & wanted != wanted {
        let _ = fchown(&lock, None, Some(above.gid()));
        let _ = lock.set_permissions(Permissions::from_mode(wanted));
    }
    Ok(lock)
}
