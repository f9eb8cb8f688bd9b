//! Files that a user names, and the user's own.

use std::io;
use std::path::Path;

use weir_fs::{Access, Durability};

use crate::error::ReachError;

/// Opens a file that the user named.
///
/// # Errors
///
/// [`ReachError::NoFile`], [`ReachError::NotAFile`], or that it cannot be opened.
pub fn open_named(path: &Path) -> Result<fs_err::File, ReachError> {
    let file = match fs_err::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ReachError::NoFile { path: path.into() });
        }
        file => file?,
    };
    // Opening a folder succeeds, and what reading it tells is of no help.
    if file.metadata()?.is_dir() {
        return Err(ReachError::NotAFile { path: path.into() });
    }
    Ok(file)
}

/// Replaces a file of the user's own, and waits for the disk. Its permissions stay as they were.
///
/// # Errors
///
/// That it cannot be written; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Ok(weir_fs::replace(path, bytes, Access::Kept, Durability::Durable)?)
}
