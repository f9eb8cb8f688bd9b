//! How a release differs from the one before it, as its kind tells.

use std::io::Read;

use weir_kind::{Facts, PackageFiles};
use weir_kinds::kind;
use weir_model::{KindName, TreeDigest, Version};
use weir_tree::TreeError;

use crate::error::PackageError;
use crate::pack::Unpacked;

/// A pack that can be read.
#[derive(Clone, Copy)]
pub struct Files<'a> {
    /// Of which tree it is.
    pub tree: TreeDigest,
    /// Begins to read it, from its start each time.
    pub open: &'a dyn Fn() -> Result<Box<dyn Read + Send>, TreeError>,
}

/// Whether releases of a kind are compared with those before them.
pub fn is_compared(of: KindName) -> bool {
    kind(of).is_ok_and(weir_kind::Kind::compares)
}

/// What a kind finds out of the version `now`, and of its files, beside the version `before` it and the files of that; without files,
/// of the versions alone.
///
/// # Errors
///
/// When a pack cannot be read, or the kind cannot read what is in it.
pub fn version_facts(
    of: KindName,
    now: &Version,
    before: Option<&Version>,
    files: Option<Files<'_>>,
    files_before: Option<Files<'_>>,
) -> Result<Facts, PackageError> {
    let (files, files_before) = (files.map(unpacked).transpose()?, files_before.map(unpacked).transpose()?);
    Ok(kind(of)?.compare(
        now,
        before,
        files.as_ref().map(|files| files as &dyn PackageFiles),
        files_before.as_ref().map(|files| files as &dyn PackageFiles),
    )?)
}

fn unpacked(files: Files<'_>) -> Result<Unpacked<'_>, TreeError> {
    Unpacked::new(&files.tree, files.open)
}
