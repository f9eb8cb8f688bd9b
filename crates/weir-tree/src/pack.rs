//! Packs: a tree as one stream.
//!
//! One zstd frame over the manifest's length (u64, little-endian), the manifest, then the content of each file and link
//! in the manifest's order, nothing between. Whoever reads it knows every size before the first byte of content.
//!
//! The identity is the tree's digest. The bytes of a pack are **not** part of it: one version of zstd makes the same bytes
//! of one tree at one level, another version may not.
//!
//! Invariants of a reader here: nothing is written before the manifest's digest is the expected one; nothing is read
//! beyond the stated size; memory stays under the window (8 MiB), a buffer, the manifest and the links' targets, however large
//! the files are.

mod delta;
mod files;
mod read;
mod stream;
mod unpack;
mod write;

pub use delta::{
    DeltaParts, DeltaSummary, ExpectedDelta, apply_delta, check_delta, remake_pack, write_delta,
};
pub use files::PackFiles;
pub use read::{VerifiedPack, check_pack};
pub use unpack::{VerifiedTree, unpack};
pub use write::{PackSummary, write_pack, write_pack_observed};

use weir_model::TreeDigest;

/// The largest window a pack may need, as a power of two: 8 MiB. Level 19 of zstd uses that much; larger
/// windows gain little on source code, and cost every reader the memory.
const WINDOW_LOG: u32 = 23;

/// zstd's level for packs that a person publishes once and many read.
pub const PACK_LEVEL: i32 = 12;

/// zstd's level for packs that a server makes while somebody waits.
pub const QUICK_PACK_LEVEL: i32 = 9;

/// What a pack should hold, from a record that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The digest of the tree.
    pub tree: TreeDigest,
    /// The size of the pack in bytes, where a record states it. Packs of one tree may differ in
    /// size if other versions of zstd made them.
    pub pack_bytes: Option<u64>,
}
