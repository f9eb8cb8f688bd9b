//! Files of this machine that a manifest names by their paths: which of them are taken, and who may read what is kept of them.
//!
//! A manifest is somebody's word. Whoever made a clone could name a private file of whoever installs it, and have it copied. So a file outside
//! of the manifest's own folder is taken by its digest, which only somebody knows who has the bytes, or because the user says so
//! (`docs/decisions/0288-files-outside-of-a-project.md`).

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use weir_client::Mirror;
use weir_model::Sha256;
use weir_model::manifest::Reference;
use weir_reach::Session;
use weir_store::Readers;

use crate::error::ProjectError;
use crate::files::keep_note;

/// The most paths that are remembered to have been named.
const MOST: usize = 4096;

/// Refuses a reference of a manifest in `folder` if one of its addresses is a file outside, unless the user trusts the folder or named the
/// very file.
pub(super) fn refuse_outside(
    session: &Session,
    reference: &Reference,
    mirrors: &[Mirror],
    folder: &Path,
) -> Result<(), ProjectError> {
    match outside(mirrors, folder)?.into_iter().find(|file| !named(session, folder, file).is_file()) {
        Some(file) if !session.owners.trusts(folder) => Err(ProjectError::OutsideFile {
            reference: Box::new(reference.clone()),
            file,
            folder: folder.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Remembers that the user named these files for the manifest in `folder`.
pub(super) fn remember_named(
    session: &Session,
    mirrors: &[Mirror],
    folder: &Path,
) -> Result<(), ProjectError> {
    for file in outside(mirrors, folder)? {
        keep_note(&named(session, folder, &file), b"", MOST);
    }
    Ok(())
}

/// Who may read what is kept of a reference: only the user, if one of its addresses is a file that others of this machine cannot read.
pub(super) fn readers(mirrors: &[Mirror]) -> Readers {
    let is_private = mirrors.iter().any(|mirror| match mirror {
        Mirror::Http(_) => false,
        Mirror::File(path) => !others_can_read(path),
    });
    if is_private { Readers::Owner } else { Readers::Everybody }
}

/// The files among these addresses that are outside of `folder`, where links lead. What is not there is none.
fn outside(mirrors: &[Mirror], folder: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    let own = fs_err::canonicalize(folder)?;
    let files = mirrors.iter().filter_map(|mirror| match mirror {
        Mirror::Http(_) => None,
        Mirror::File(path) => fs_err::canonicalize(path).ok(),
    });
    Ok(files.filter(|file| !file.starts_with(&own)).collect())
}

/// The note that the user named `file` for the manifest in `folder`.
fn named(session: &Session, folder: &Path, file: &Path) -> PathBuf {
    let text = [folder.as_os_str().as_bytes(), file.as_os_str().as_bytes()].join(&0);
    session.home.data().join("named").join(Sha256::of(text).to_hex())
}

/// Whether any user of this machine could read a file: it, and every folder on the way to it, lets them.
fn others_can_read(path: &Path) -> bool {
    let Ok(path) = fs_err::canonicalize(path) else { return true };
    let lets = |path: &Path, right: u32| fs_err::metadata(path).is_ok_and(|found| found.mode() & right != 0);
    lets(&path, 0o004) && path.ancestors().skip(1).all(|folder| lets(folder, 0o001))
}
