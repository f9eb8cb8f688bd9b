//! References to files of this machine: which of them are taken, and who may read what is kept of them.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use weir_client::Mirror;
use weir_model::manifest::Reference;
use weir_reach::Session;
use weir_store::Readers;

use crate::error::ProjectError;
use crate::named;

/// Refuses a reference of a manifest in `folder` if one of its addresses is a file outside, unless the user trusts the folder or named the
/// very file.
pub(super) fn refuse_outside(
    session: &Session,
    reference: &Reference,
    mirrors: &[Mirror],
    folder: &Path,
) -> Result<(), ProjectError> {
    match named::unnamed(session, named::outside(files(mirrors), folder)?, folder) {
        Some(file) => Err(ProjectError::OutsideFile {
            reference: Box::new(reference.clone()),
            file,
            folder: folder.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Remembers that the user named these files for the manifest in `folder`.
pub(super) fn remember_named(
    session: &Session,
    mirrors: &[Mirror],
    folder: &Path,
) -> Result<(), ProjectError> {
    named::remember(session, named::outside(files(mirrors), folder)?, folder);
    Ok(())
}

/// Who may read what is kept of a reference: only the user, if one of its addresses is a file that others of this machine cannot read.
pub(super) fn readers(mirrors: &[Mirror]) -> Readers {
    match files(mirrors).all(|path| others_can_read(&path)) {
        true => Readers::Everybody,
        false => Readers::Owner,
    }
}

/// The files among these addresses.
fn files(mirrors: &[Mirror]) -> impl Iterator<Item = PathBuf> {
    mirrors.iter().filter_map(|mirror| match mirror {
        Mirror::Http(_) => None,
        Mirror::File(path) => Some(path.clone()),
    })
}

/// Whether any user of this machine could read a file: it, and every folder on the way to it, lets them.
fn others_can_read(path: &Path) -> bool {
    let Ok(path) = fs_err::canonicalize(path) else { return true };
    let lets = |path: &Path, right: u32| fs_err::metadata(path).is_ok_and(|found| found.mode() & right != 0);
    lets(&path, 0o004) && path.ancestors().skip(1).all(|folder| lets(folder, 0o001))
}
