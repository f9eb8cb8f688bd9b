//! Which files and repositories of this machine the user named for a manifest.
//!
//! A manifest is somebody's word. Whoever made a clone could name what is private to whoever installs it, and have it copied. So a file outside of
//! the manifest's own folder, and any repository, is taken by its digest, which only somebody knows who has the bytes, or because the user
//! says so (`docs/decisions/0288-files-outside-of-a-project.md`).

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use weir_model::Sha256;
use weir_reach::Session;

use crate::error::ProjectError;
use crate::files::keep_note;

/// The most paths that are remembered to have been named.
const MOST: usize = 4096;

/// The first of these paths that the user neither named for the manifest in `folder` nor trusts it with.
pub(crate) fn unnamed(
    session: &Session,
    paths: impl IntoIterator<Item = PathBuf>,
    folder: &Path,
) -> Option<PathBuf> {
    let found = paths.into_iter().find(|path| !note(session, folder, path).is_file());
    found.filter(|_| !session.owners.trusts(folder))
}

/// Remembers that the user named these paths for the manifest in `folder`.
pub(crate) fn remember(session: &Session, paths: impl IntoIterator<Item = PathBuf>, folder: &Path) {
    paths.into_iter().for_each(|path| keep_note(&note(session, folder, &path), b"", MOST));
}

/// Those of these paths that are outside of `folder`, all where links lead. What is not there is none.
pub(crate) fn outside(
    paths: impl IntoIterator<Item = PathBuf>,
    folder: &Path,
) -> Result<Vec<PathBuf>, ProjectError> {
    let own = fs_err::canonicalize(folder)?;
    Ok(there(paths).filter(|path| !path.starts_with(&own)).collect())
}

/// Those of these paths that are there, where links lead.
pub(crate) fn there(paths: impl IntoIterator<Item = PathBuf>) -> impl Iterator<Item = PathBuf> {
    paths.into_iter().filter_map(|path| fs_err::canonicalize(path).ok())
}

/// The note that the user named `path` for the manifest in `folder`.
fn note(session: &Session, folder: &Path, path: &Path) -> PathBuf {
    let text = [folder.as_os_str().as_bytes(), path.as_os_str().as_bytes()].join(&0);
    session.home.data().join("named").join(Sha256::of(text).to_hex())
}
