//! Checking a pack without unpacking it.

use std::io::Read;

use weir_model::TreeDigest;

use super::Expected;
use super::stream::PackStream;
use crate::error::bounded;
use crate::link::LinkTarget;
use crate::manifest::{Entry, Mode, TreeManifest};
use crate::{Limits, TreeError};

/// A pack that was read from end to end and holds the tree it should. Only [`check_pack`] makes one.
#[derive(Debug, Clone)]
pub struct VerifiedPack {
    manifest: TreeManifest,
    bytes: u64,
}

impl VerifiedPack {
    /// What is in the tree.
    pub fn manifest(&self) -> &TreeManifest {
        &self.manifest
    }

    /// How many bytes the pack has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Gives up the proof for the manifest.
    pub fn into_manifest(self) -> TreeManifest {
        self.manifest
    }
}

/// Reads a whole pack and checks everything that [`unpack`](super::unpack()) checks, without writing anything.
///
/// # Errors
///
/// When the pack is not one, or not the expected one, or exceeds a limit.
pub fn check_pack<R: Read>(
    reader: R,
    expected: &Expected,
    limits: &Limits,
) -> Result<VerifiedPack, TreeError> {
    let (mut stream, manifest) = open(reader, expected, limits)?;
    for entry in manifest.entries() {
        match entry.mode {
            Mode::Link => drop(read_target(&mut stream, entry)?),
            Mode::File | Mode::Executable => stream.content(entry, |_| Ok(()))?,
        }
    }
    let bytes = stream.finish()?;
    Ok(VerifiedPack { manifest, bytes })
}

/// Starts reading a pack, up to and including its manifest, which must be the expected one.
pub(super) fn open<R: Read>(
    reader: R,
    expected: &Expected,
    limits: &Limits,
) -> Result<(PackStream<'static, R>, TreeManifest), TreeError> {
    let mut stream = PackStream::new(reader, expected.pack_bytes, limits)?;
    let manifest = stream.manifest(limits)?;
    check_manifest(&manifest, &expected.tree, limits)?;
    Ok((stream, manifest))
}

/// Makes sure that a manifest is the expected one, and that its links can be held in memory.
pub(super) fn check_manifest(
    manifest: &TreeManifest,
    expected: &TreeDigest,
    limits: &Limits,
) -> Result<(), TreeError> {
    if manifest.digest() != *expected {
        return Err(TreeError::WrongTree { expected: *expected, got: manifest.digest() });
    }
    let links = manifest.entries().iter().filter(|entry| entry.mode == Mode::Link);
    bounded("bytes of link targets", links.map(|link| link.size).sum(), limits.link_bytes)
}

/// Reads a link's content, which must be a target that stays inside the tree.
pub(super) fn read_target<R: Read>(
    stream: &mut PackStream<'_, R>,
    entry: &Entry,
) -> Result<LinkTarget, TreeError> {
    let mut target = Vec::new();
    stream.content(entry, |piece| {
        target.extend_from_slice(piece);
        Ok(())
    })?;
    LinkTarget::new(&entry.path, &target)
        .map_err(|source| TreeError::Link { path: entry.path.to_string(), source })
}
