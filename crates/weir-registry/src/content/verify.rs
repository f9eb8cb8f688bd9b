//! Reading what is held from end to end: what it must be, and no more of it than is said.

use std::io::{self, Read};

use weir_model::{Hasher, Observer, Release, Sha256, TreeDigest};
use weir_tree::{Expected, Handled, Limits, TreeManifest, VerifiedPack, Watched, check_pack};

use super::error::ContentError;
use super::files::LARGEST_FILE;
use crate::ports::{Object, Objects};

/// What is said of a pack: it bounds what is read of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// The bytes of the pack.
    pub size: u64,
    /// What it unpacks to. Who names a pack as a source does not say.
    pub unpacked: Option<Unpacked>,
}

/// What a pack unpacks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes of its files together.
    pub bytes: u64,
    /// How many files and links there are.
    pub files: u64,
}

impl Stated {
    /// A pack of so many bytes, of which nothing else is said.
    pub const fn size(size: u64) -> Self {
        Self { size, unpacked: None }
    }
}

impl From<&Release> for Stated {
    fn from(release: &Release) -> Self {
        Self {
            size: release.size,
            unpacked: Some(Unpacked { bytes: release.unpacked, files: release.files }),
        }
    }
}

impl From<&TreeManifest> for Unpacked {
    fn from(tree: &TreeManifest) -> Self {
        Self { bytes: tree.unpacked_size(), files: tree.files() }
    }
}

impl std::fmt::Display for Unpacked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} files", self.bytes, self.files)
    }
}

/// As [`Objects::verify_pack`].
pub(crate) fn held_pack<O: Objects + ?Sized>(
    objects: &O,
    tree: &TreeDigest,
    stated: &Stated,
    withheld: bool,
    observer: &dyn Observer<Handled>,
) -> Result<u64, ContentError> {
    let Some(held) = objects.find(Object::Pack(*tree))? else {
        // It may be a part of it that is lost, which is told by whoever wants to read it.
        return Err(objects
            .open(Object::Pack(*tree), 0)
            .err()
            .unwrap_or_else(|| ContentError::no_pack(tree)));
    };
    match (withheld, held.withheld) {
        (true, false) => return Err(ContentError::pack_still_served(tree)),
        (false, true) => return Err(ContentError::pack_out_of_reach(tree)),
        _ => {}
    }
    let pack = objects.open(Object::Pack(*tree), 0)?.ok_or_else(|| ContentError::no_pack(tree))?;
    if held.made_of.is_some() {
        return made_as_stated(Watched::new(pack, observer), held.size, tree, stated);
    }
    Ok(pack_as_stated(Watched::new(pack, observer), tree, Some(stated.size), stated.unpacked)?.bytes())
}

/// Checks a pack that was made again, and whose note says that it has `noted` bytes, against its name and what is said of it. It has to come out with as many
/// bytes as are said: readers stop there.
pub(crate) fn made_as_stated(
    pack: impl Read,
    noted: u64,
    tree: &TreeDigest,
    stated: &Stated,
) -> Result<u64, ContentError> {
    if noted != stated.size {
        return Err(ContentError::pack_of_other_size(tree, stated.size, noted));
    }
    let bytes = pack_as_stated(pack, tree, None, stated.unpacked)?.bytes();
    match bytes == stated.size {
        true => Ok(bytes),
        false => Err(ContentError::pack_of_other_size(tree, stated.size, bytes)),
    }
}

/// Checks a pack against its name and what is said of it.
pub(crate) fn pack_as_stated(
    pack: impl Read,
    tree: &TreeDigest,
    size: Option<u64>,
    unpacked: Option<Unpacked>,
) -> Result<VerifiedPack, ContentError> {
    let limits = match unpacked {
        Some(unpacked) => Limits::stated(unpacked.bytes, Some(unpacked.files)),
        None => Limits::default(),
    };
    let expected = Expected { tree: *tree, pack_bytes: size };
    let checked = check_pack(pack, &expected, &limits);
    let checked = checked.map_err(|reason| ContentError::BadPack { tree: *tree, reason })?;
    let held = Unpacked::from(checked.manifest());
    match unpacked.filter(|said| *said != held) {
        Some(said) => Err(ContentError::UnpacksToOther { tree: *tree, said, held }),
        None => Ok(checked),
    }
}

/// As [`Objects::verify_file`].
pub(crate) fn held_file<O: Objects + ?Sized>(
    objects: &O,
    sha256: &Sha256,
    size: Option<u64>,
    withheld: bool,
    observer: &dyn Observer<Handled>,
) -> Result<u64, ContentError> {
    let absent = || ContentError::no_file(sha256);
    let found = objects.find(Object::File(*sha256))?.ok_or_else(absent)?;
    match (withheld, found.withheld) {
        (true, false) => return Err(ContentError::file_still_served(sha256)),
        (false, true) => return Err(ContentError::file_out_of_reach(sha256)),
        _ => {}
    }
    let held = found.size;
    if held > LARGEST_FILE {
        return Err(ContentError::TooLarge { sha256: *sha256, limit: LARGEST_FILE });
    }
    if let Some(expected) = size.filter(|expected| *expected != held) {
        return Err(ContentError::BadSize { sha256: *sha256, expected, actual: held });
    }
    let bytes = objects.open(Object::File(*sha256), 0)?.ok_or_else(absent)?;
    let (actual, _) = digest_of(Watched::new(bytes, observer).take(held.saturating_add(1)))?;
    same(sha256, actual)?;
    Ok(held)
}

pub(super) fn same(expected: &Sha256, actual: Sha256) -> Result<(), ContentError> {
    if *expected == actual {
        return Ok(());
    }
    Err(ContentError::BadFile { expected: *expected, actual })
}

/// The digest of all that `from` brings, and how many bytes that is.
pub(crate) fn digest_of(mut from: impl Read) -> io::Result<(Sha256, u64)> {
    let mut hasher = Hasher::new();
    let size = io::copy(&mut from, &mut hasher)?;
    Ok((hasher.finish(), size))
}
