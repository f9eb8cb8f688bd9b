//! What a registry holds beside its log: packs, and the files that references name.
//!
//! ```text
//! pack/<aa>/<tree>.zst        the pack of a tree
//! delta/<aa>/<tree>/<base>    how a tree differs from another
//! pack/<aa>/<tree>.made       how a pack is made again that is not kept
//! file/<aa>/<sha256>          a file of at most 16 MiB, as it is
//! file/<aa>/<sha256>.chunks   a larger file: the list of its chunks
//! chunk/<aa>/<sha256>         a chunk, as it is; files and versions of files share them
//! .held/<aa>/…                packs and files that only quarantined releases name: not served, open to writers only
//! .tmp/                       what is being written
//! ```
//!
//! `<aa>` is the first two hex digits of the name after it. All of it is content-addressed, so any web
//! server can serve it and any cache keep it for ever; what starts with a dot is the registry's own.
//!
//! A *chunk list* is text: `weir-chunks v1`, then `<sha256> <size>` of the file, then `<sha256> <size>`
//! of each chunk in order. Where a file is cut depends on its bytes only ([FastCDC 2020][paper], gear
//! table and masks of the `fastcdc` crate, normalization level 1, 256 KiB to 4 MiB, 1 MiB on average),
//! so that two versions of a data set have most chunks in common, wherever bytes were inserted. The list
//! is not trusted: a reader checks each chunk and then the whole file. Chunks lie there uncompressed: a
//! data set worth 16 MiB is compressed already, or its publisher did not care to.
//!
//! # Invariants
//!
//! * What has a name here has the bytes of that name: it is written beside, checked, brought to the disk
//!   and then renamed. Two writers of one object do no harm, and neither does a crash.
//! * A chunk list is there only when all its chunks are.
//! * A delta is there only beside the pack that it stands for: it holds as much of the tree.
//! * A pack is in `pack/` or in `.held/`, and a file or its chunk list in `file/` or there; uploading again what is held does
//!   not bring it back. Chunks stay where they are: other files may have them too, and only a list says which belong together.
//!
//! [paper]: https://ieeexplore.ieee.org/document/9055082

mod chunks;
mod compacted;
mod deltas;
mod durable;
mod error;
mod evidence;
mod fetch;
mod files;
mod folder;
mod objects;
mod shown;
mod stored;
#[cfg(test)]
mod tests;
mod verify;

use weir_model::of::Subject;
use weir_model::{ChunkDigest, Digest, Sha256, TreeDigest};

pub use chunks::{CHUNK_AVERAGE, CHUNK_LARGEST, CHUNK_SMALLEST, CHUNKED_ABOVE, Chunk, ChunkList};
pub use compacted::{PackNote, RemadePack, open_kept_pack, pack_note, pack_note_path, remade_pack};
pub(crate) use deltas::{held_delta, open_pack as open_held_pack};
pub use durable::POINTS;
pub use error::ContentError;
pub use evidence::shown_evidence;
pub use fetch::{
    Fetched, LocalChunks, NoChunks, OldVersion, PackOfRelease, fetch_file, open_file, open_files, open_pack,
};
pub(crate) use files::LARGEST_FILE;
pub use folder::ContentFolder;
pub use shown::{ShownFile, ShownTree, shown_file, shown_texts, shown_tree};
pub use stored::Stored;
pub use verify::{Stated, Unpacked};
pub(crate) use verify::{digest_of, held_file, held_pack, made_as_stated, pack_as_stated};

/// Where the pack of `tree` is, below the registry.
pub fn pack_path(tree: &TreeDigest) -> String {
    sharded("pack", tree, ".zst")
}

/// Which delta: what has to be there, and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delta {
    /// The tree that whoever applies it has.
    pub from: TreeDigest,
    /// The tree that they have afterwards.
    pub to: TreeDigest,
}

/// Where a delta is, below the registry.
pub fn delta_path(delta: &Delta) -> String {
    format!("{}/{}", delta_folder(&delta.to), delta.from.to_hex())
}

/// Where the deltas are that give `tree`.
pub(crate) fn delta_folder(tree: &TreeDigest) -> String {
    sharded("delta", tree, "")
}

/// Where the file `sha256` is, if it is small.
pub fn file_path(sha256: &Sha256) -> String {
    sharded("file", sha256, "")
}

/// Where the chunk list of the file `sha256` is, if it is large.
pub fn chunk_list_path(sha256: &Sha256) -> String {
    sharded("file", sha256, ".chunks")
}

/// Where the chunk `digest` is.
pub fn chunk_path(digest: &ChunkDigest) -> String {
    sharded("chunk", digest, "")
}

fn held_path(tree: &TreeDigest) -> String {
    sharded(".held", tree, ".zst")
}

fn held_file_path(sha256: &Sha256) -> String {
    sharded(".held", sha256, "")
}

fn held_chunk_list_path(sha256: &Sha256) -> String {
    sharded(".held", sha256, ".chunks")
}

fn sharded<S: Subject>(folder: &str, digest: &Digest<S>, ending: &str) -> String {
    let hex = digest.to_hex();
    format!("{folder}/{}/{hex}{ending}", &hex[..2])
}
