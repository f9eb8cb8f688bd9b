//! Unpacking: from a hostile stream to a folder that holds exactly one tree.

use std::io::Read;
use std::path::Path;

use weir_model::TreeDigest;

use super::Expected;
use super::read::{open, read_target};
use super::stream::PackStream;
use crate::landing::{Access, Landing};
use crate::manifest::{Entry, Mode, TreeManifest};
use crate::{Limits, TreeError};

/// A tree that was written to disk from a pack or a delta, and checked byte by byte. Only [`unpack`] and
/// [`apply_delta`](super::apply_delta) make one.
#[derive(Debug, Clone)]
pub struct VerifiedTree {
    manifest: TreeManifest,
    pack_bytes: u64,
}

impl VerifiedTree {
    /// Vouches for a tree of which every byte was checked.
    pub(super) fn new(manifest: TreeManifest, pack_bytes: u64) -> Self {
        Self { manifest, pack_bytes }
    }

    /// What is in the tree.
    pub fn manifest(&self) -> &TreeManifest {
        &self.manifest
    }

    /// The digest that names the tree.
    pub fn digest(&self) -> TreeDigest {
        self.manifest.digest()
    }

    /// How many bytes the pack had, or the delta.
    pub fn pack_bytes(&self) -> u64 {
        self.pack_bytes
    }

    /// Gives up the proof for the manifest.
    pub fn into_manifest(self) -> TreeManifest {
        self.manifest
    }
}

/// Unpacks the expected tree into the new folder `destination`.
///
/// Files get the modes 0444 or 0555 whatever the umask is, folders 0755. If anything is wrong, what was made of
/// `destination` is removed again. Nothing is forced out to the disk: a caller that promises to survive a power cut
/// syncs before it gives the folder its final name.
///
/// # Errors
///
/// When `destination` exists, when the pack is not the expected one in any respect, when it exceeds
/// a limit, or when the system refuses to write.
pub fn unpack<R: Read>(
    reader: R,
    expected: &Expected,
    limits: &Limits,
    destination: &Path,
) -> Result<VerifiedTree, TreeError> {
    let (stream, manifest) = open(reader, expected, limits)?;
    let landing = Landing::create(destination, Access::ReadOnly)?;
    match fill(stream, &manifest, landing) {
        Ok(pack_bytes) => Ok(VerifiedTree { manifest, pack_bytes }),
        Err(error) => {
            // What was wrong matters more than whether the half-made folder could be removed.
            let _ = fs_err::remove_dir_all(destination);
            Err(error)
        }
    }
}

fn fill<R: Read>(
    mut stream: PackStream<'static, R>,
    manifest: &TreeManifest,
    mut landing: Landing,
) -> Result<u64, TreeError> {
    let mut links = Vec::new();
    for entry in manifest.entries() {
        match entry.mode {
            Mode::Link => links.push((entry, read_target(&mut stream, entry)?)),
            Mode::File | Mode::Executable => write_file(&mut stream, entry, &mut landing)?,
        }
    }
    let pack_bytes = stream.finish()?;
    for (entry, target) in links {
        landing.link(&entry.path, &target)?;
    }
    Ok(pack_bytes)
}

pub(super) fn write_file<R: Read>(
    stream: &mut PackStream<'_, R>,
    entry: &Entry,
    landing: &mut Landing,
) -> Result<(), TreeError> {
    // A small file is checked before it is made, straight from the decompressor's buffer.
    if let Some(content) = stream.small(entry)? {
        let mut file = landing.file(&entry.path, entry.mode)?;
        return file.write(content);
    }
    let mut file = landing.file(&entry.path, entry.mode)?;
    stream.content(entry, |piece| file.write(piece))
}
