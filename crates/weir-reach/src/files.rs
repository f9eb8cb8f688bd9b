//! Writing files so that each is either as before or as after.

use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

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

/// Replaces a file: written beside, synced, renamed. Its permissions stay as they were.
///
/// # Errors
///
/// That it cannot be written; the file is then as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let ordinary = std::fs::Permissions::from_mode(0o666);
    let mut beside = tempfile::Builder::new()
        .prefix(".weir-")
        .permissions(ordinary)
        .tempfile_in(folder)
        .map_err(|error| at(path, &error))?;
    beside.write_all(bytes).map_err(|error| at(path, &error))?;
    if let Ok(metadata) = fs_err::metadata(path) {
        beside.as_file().set_permissions(metadata.permissions()).map_err(|error| at(path, &error))?;
    }
    beside.as_file().sync_all().map_err(|error| at(path, &error))?;
    beside.persist(path).map_err(|error| at(path, &error.error))?;
    Ok(())
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("`{}` cannot be written: {error}", path.display()))
}
