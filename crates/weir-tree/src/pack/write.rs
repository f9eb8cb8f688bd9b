//! Writing a pack.

use std::io::{self, Write};
use std::path::Path;

use weir_model::{EntryDigest, Hasher, Observer, TreeDigest, Unobserved};

use super::WINDOW_LOG;
use crate::file::{self, Source};
use crate::manifest::{Entry, Mode, TreeManifest};
use crate::parallel::READ_BYTES;
use crate::{Handled, TreeError};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackSummary {
    /// The digest of the tree that is in the pack.
    pub tree: TreeDigest,
    /// How many bytes the pack has.
    pub bytes: u64,
}

/// Writes the tree `manifest`, whose files lie in the folder `root`, as a pack.
///
/// `level` is zstd's, from 1 to 22. Every file is checked against the manifest on its way: a pack that
/// was written whole holds the tree.
///
/// # Errors
///
/// When a file cannot be read or is not what the manifest says any more, or the writer fails. What was
/// written up to there is of no use.
pub fn write_pack<W: Write>(
    root: &Path,
    manifest: &TreeManifest,
    writer: W,
    level: i32,
) -> Result<PackSummary, TreeError> {
    write_pack_observed(root, manifest, writer, level, &Unobserved)
}

/// The same, telling `observer` of the bytes of files that were packed.
///
/// # Errors
///
/// Those of [`write_pack`].
pub fn write_pack_observed<W: Write>(
    root: &Path,
    manifest: &TreeManifest,
    writer: W,
    level: i32,
    observer: &dyn Observer<Handled>,
) -> Result<PackSummary, TreeError> {
    let mut encoder = begin(writer, manifest, level)?;
    let mut buffer = vec![0; READ_BYTES];
    for entry in manifest.entries() {
        match entry.mode {
            Mode::Link => write_link(root, entry, &mut encoder)?,
            Mode::File | Mode::Executable => {
                write_file(root, entry, &mut encoder, &mut buffer, observer)?;
            }
        }
    }
    finish(encoder, manifest)
}

/// A pack that is being written.
pub(super) type PackEncoder<W> = zstd::Encoder<'static, Counted<W>>;

/// Begins a pack with its manifest. The content of every entry is to follow.
pub(super) fn begin<W: Write>(
    writer: W,
    manifest: &TreeManifest,
    level: i32,
) -> Result<PackEncoder<W>, TreeError> {
    let mut encoder = encoder(writer, manifest, level).map_err(written)?;
    let text = manifest.to_text();
    encoder.write_all(&(text.len() as u64).to_le_bytes()).map_err(written)?;
    encoder.write_all(text.as_bytes()).map_err(written)?;
    Ok(encoder)
}

/// Ends a pack whose content was written.
pub(super) fn finish<W: Write>(
    encoder: PackEncoder<W>,
    manifest: &TreeManifest,
) -> Result<PackSummary, TreeError> {
    let mut counted = encoder.finish().map_err(written)?;
    counted.inner.flush().map_err(written)?;
    Ok(PackSummary { tree: manifest.digest(), bytes: counted.bytes })
}

fn encoder<W: Write>(writer: W, manifest: &TreeManifest, level: i32) -> io::Result<PackEncoder<W>> {
    let counted = Counted::new(writer);
    let mut encoder = zstd::Encoder::new(counted, level.clamp(1, 22))?;
    // Knowing the size, zstd takes windows and tables no larger than a small tree needs.
    let size =
        manifest.text_bytes().checked_add(8).and_then(|size| size.checked_add(manifest.unpacked_size()));
    encoder.set_pledged_src_size(size)?;
    encoder.include_checksum(false)?;
    if level > 19 {
        encoder.window_log(WINDOW_LOG)?;
    }
    Ok(encoder)
}

fn write_link(root: &Path, entry: &Entry, encoder: &mut impl Write) -> Result<(), TreeError> {
    let path = root.join(&entry.path);
    let target = file::target(&path)?;
    if EntryDigest::of(&target) != entry.digest {
        return Err(TreeError::ChangedWhileRead { path });
    }
    encoder.write_all(&target).map_err(written)
}

fn write_file(
    root: &Path,
    entry: &Entry,
    encoder: &mut impl Write,
    buffer: &mut [u8],
    observer: &dyn Observer<Handled>,
) -> Result<(), TreeError> {
    let path = root.join(&entry.path);
    let source = Source::open(path.clone())?;
    if source.size() != entry.size {
        return Err(TreeError::ChangedWhileRead { path });
    }
    let mut hasher = Hasher::new();
    source.read(buffer, |piece| {
        hasher.update(piece);
        encoder.write_all(piece).map_err(written)?;
        observer.event(&Handled { bytes: piece.len() as u64 });
        Ok(())
    })?;
    if hasher.finish() != entry.digest {
        return Err(TreeError::ChangedWhileRead { path });
    }
    Ok(())
}

pub(super) fn written(source: io::Error) -> TreeError {
    TreeError::PackWrite { source }
}

/// Counts what goes through to the writer.
pub(super) struct Counted<W> {
    inner: W,
    bytes: u64,
}

impl<W> Counted<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, bytes: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
