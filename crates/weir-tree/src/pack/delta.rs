//! Deltas: a tree, told by how it differs from another one that whoever reads it has.
//!
//! `weir-delta v1`, the digests of both trees, and two zstd frames: the manifest of the new tree, compressed with the manifest of the old
//! one before it; and the contents that are in the new tree only, in its order, compressed with [contents of the old one](Change::prefix)
//! before them. What both have does not travel: it is copied; of [large files](DeltaParts) also parts.
//!
//! The prefix is not sent, so it must be the same bytes wherever a delta is made and applied: it follows from the two manifests,
//! and says nothing of how or where a tree is kept.
//!
//! Invariants of a reader here: those of a pack. Memory stays under the two manifests, the prefix and the window, each of them bounded
//! ([`CONTENT_BYTES`], [`MANIFEST_BYTES`]), whatever the delta claims: the bounds are computed from the manifests, whose digests are
//! right before any of it is reserved. An old tree that is damaged gives a wrong digest, as a delta that lies does.

mod apply;
mod base;
mod change;
mod check;
mod make;
mod parts;
mod remake;
mod shared;
mod spool;

use std::io::Read;

use weir_model::TreeDigest;

use super::read::check_manifest;
use super::stream::{PackSource, PackStream, metered};
use crate::manifest::TreeManifest;
use crate::{Limits, TreeError};

pub use apply::apply_delta;
use change::Change;
pub use check::check_delta;
pub use make::{DeltaSummary, write_delta};
pub use parts::DeltaParts;
pub use remake::remake_pack;

/// The first line of a delta.
const HEADER: &str = "weir-delta v1\n";

/// Bytes of the header: the line, and the digests of both trees in a line.
const HEADER_BYTES: usize = HEADER.len() + 2 * (64 + 1);

/// The most bytes of a manifest between whose trees there are deltas.
const MANIFEST_BYTES: u64 = 8 << 20;

/// The most bytes of a delta's first frame: the manifest and the parts of large files, each behind its length.
const HEAD_BYTES: u64 = 8 + MANIFEST_BYTES + 8 + parts::TEXT_BYTES;

/// The most bytes of contents that a delta is compressed with, and that it brings.
const CONTENT_BYTES: u64 = 64 << 20;

/// Which delta is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectedDelta {
    /// The tree that is there.
    pub from: TreeDigest,
    /// The tree that is to be made.
    pub to: TreeDigest,
    /// The most bytes that it may have: it is worth nothing with more than the pack.
    pub most_bytes: u64,
}

/// A delta of which the manifest was read, and is the expected one.
struct Opened<R: Read> {
    /// The contents.
    rest: PackSource<R>,
    manifest: TreeManifest,
    change: Change,
}

/// Reads a delta up to and including the manifest of the new tree.
fn open<R: Read>(
    reader: R,
    base: &TreeManifest,
    expected: &ExpectedDelta,
    limits: &Limits,
) -> Result<Opened<R>, TreeError> {
    let wrong = |reason| TreeError::NotThatDelta { reason };
    if base.digest() != expected.from || base.text_bytes() > MANIFEST_BYTES {
        return Err(wrong("it is from another tree than the one that is here"));
    }
    let mut source = metered(reader, expected.most_bytes);
    read_header(&mut source, expected)?;
    let limits = Limits { manifest_bytes: limits.manifest_bytes.min(MANIFEST_BYTES), ..*limits };
    let prefix = base.to_text();
    let mut stream =
        PackStream::behind(source, prefix.as_bytes(), window_log(HEAD_BYTES), expected.most_bytes)?;
    let manifest = stream.manifest(&limits)?;
    check_manifest(&manifest, &expected.to, &limits)?;
    let parts = stream.text("bytes of parts", parts::TEXT_BYTES)?;
    let parts = DeltaParts::parse(&parts, base, &manifest)
        .ok_or(wrong("the parts of its large files do not add up"))?;
    let rest = stream.end()?;
    let change = Change::between(base, &manifest, parts)
        .ok_or(wrong("no delta is made between trees that differ by so much"))?;
    Ok(Opened { rest, manifest, change })
}

fn read_header<R: Read>(source: &mut PackSource<R>, expected: &ExpectedDelta) -> Result<(), TreeError> {
    let mut got = [0; HEADER_BYTES];
    if source.read_exact(&mut got).is_err() {
        return Err(match source.get_mut().failed() {
            Some(source) => TreeError::PackRead { source },
            None => TreeError::NotThatDelta { reason: "it ends before its first line does" },
        });
    }
    let wrong = |reason| Err(TreeError::NotThatDelta { reason });
    if !got.starts_with(HEADER.as_bytes()) {
        return wrong("it does not begin with `weir-delta v1`");
    }
    if got != *header(&expected.from, &expected.to).as_bytes() {
        return wrong("it is between other trees");
    }
    Ok(())
}

fn header(from: &TreeDigest, to: &TreeDigest) -> String {
    format!("{HEADER}{} {}\n", from.to_hex(), to.to_hex())
}

/// The power of two that a window must have to hold so many bytes; zstd knows none below 1 KiB.
fn window_log(bytes: u64) -> u32 {
    bytes.max(1 << 10).next_power_of_two().trailing_zeros()
}
