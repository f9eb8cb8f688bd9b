//! Why content cannot be taken in, given out or vouched for.

use std::io;

use weir_log::SourceError;
use weir_model::{ChunkDigest, Sha256, TreeDigest};
use weir_tree::TreeError;

use super::Delta;
use super::verify::Unpacked;

/// Why content cannot be taken in, given out or vouched for.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A pack is not the pack of its tree.
    #[error("the pack of the tree {tree} is not what it must be: {reason}")]
    BadPack {
        /// The tree it should hold.
        tree: TreeDigest,
        /// What is wrong with it.
        reason: TreeError,
    },
    /// A delta does not give its tree.
    #[error("the delta to the tree {} from {} is not what it must be: {reason}", delta.to, delta.from)]
    BadDelta {
        /// Between which trees it should be.
        delta: Delta,
        /// What is wrong with it.
        reason: TreeError,
    },
    /// A file has other bytes than its name says.
    #[error("the file {expected} has other bytes: their digest is {actual}")]
    BadFile {
        /// The digest it should have.
        expected: Sha256,
        /// The digest it has.
        actual: Sha256,
    },
    /// A chunk has another size than its list states.
    #[error("the chunk {chunk} has {actual} bytes instead of {expected}")]
    BadChunkSize {
        /// The chunk.
        chunk: ChunkDigest,
        /// Bytes wanted.
        expected: u64,
        /// Bytes it has.
        actual: u64,
    },
    /// A file has another size than the record states.
    #[error("the file {sha256} has {actual} bytes instead of {expected}")]
    BadSize {
        /// The file.
        sha256: Sha256,
        /// Bytes wanted.
        expected: u64,
        /// Bytes it has, or at least has.
        actual: u64,
    },
    /// A file has more bytes than any may have.
    #[error("the file {sha256} has more than the {limit} bytes that a file may have")]
    TooLarge {
        /// The file.
        sha256: Sha256,
        /// The bytes that one may have.
        limit: u64,
    },
    /// What a build printed cannot be unpacked.
    #[error("the build log {sha256} cannot be unpacked: {reason}")]
    BadLog {
        /// The file.
        sha256: Sha256,
        /// What is wrong with it.
        reason: io::Error,
    },
    /// A chunk has other bytes than its name says.
    #[error("the chunk {expected} has other bytes: their digest is {actual}")]
    BadChunk {
        /// The digest it should have.
        expected: ChunkDigest,
        /// The digest it has.
        actual: ChunkDigest,
    },
    /// A chunk list cannot be what a writer of it wrote.
    #[error("the chunk list of the file {file} cannot be used: {reason}")]
    BadList {
        /// The file.
        file: Sha256,
        /// What is wrong with it.
        reason: String,
    },
    /// A pack unpacks to something else than is said of it.
    #[error("the pack of the tree {tree} unpacks to {held}, and is said to unpack to {said}")]
    UnpacksToOther {
        /// The tree.
        tree: TreeDigest,
        /// What is said.
        said: Unpacked,
        /// What is in it.
        held: Unpacked,
    },
    /// Something is not there.
    #[error("{what} is not in the registry")]
    Absent {
        /// `the pack of the tree …`, `the file …`, `the chunk …`.
        what: String,
    },
    /// What must not be given out lies where everybody can have it.
    #[error("{what} is quarantined and served all the same: `weir registry gc` takes it out of reach")]
    StillServed {
        /// `the pack of the tree …`, `the file …`.
        what: String,
    },
    /// What may be given out lies where nobody can have it.
    #[error(
        "{what} is kept from readers, although nothing of it is quarantined: `weir registry gc` gives it back to them"
    )]
    OutOfReach {
        /// `the pack of the tree …`, `the file …`.
        what: String,
    },
    /// It could not be read from where it is.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It could not be written, or read from the disk.
    #[error("{}", told(.0))]
    Io(#[source] io::Error),
}

fn told(error: &io::Error) -> String {
    match weir_fs::is_full(error) {
        true => "the disk is full: content cannot be written".to_owned(),
        false => format!("content of the registry cannot be read or written: {error}"),
    }
}

impl From<io::Error> for ContentError {
    /// What a stream of content complains of comes out of it as it went in.
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }
}

impl From<weir_fs::FsError> for ContentError {
    fn from(error: weir_fs::FsError) -> Self {
        Self::Io(error.into())
    }
}

impl ContentError {
    pub(crate) fn no_pack(tree: &TreeDigest) -> Self {
        Self::Absent { what: pack(tree) }
    }

    /// The pack is gone that the one of `delta.to` is made again of.
    pub(crate) fn no_base(delta: &Delta) -> Self {
        Self::Absent { what: format!("{}, of which {} is made again,", pack(&delta.from), pack(&delta.to)) }
    }

    /// A pack has another number of bytes than is said of it.
    pub(crate) const fn pack_of_other_size(tree: &TreeDigest, expected: u64, got: u64) -> Self {
        Self::BadPack { tree: *tree, reason: TreeError::WrongSize { expected, got } }
    }

    pub(crate) fn no_delta(delta: &Delta) -> Self {
        Self::Absent { what: format!("the delta to the tree {} from {}", delta.to, delta.from) }
    }

    pub(crate) fn no_file(sha256: &Sha256) -> Self {
        Self::Absent { what: file(sha256) }
    }

    pub(crate) fn pack_still_served(tree: &TreeDigest) -> Self {
        Self::StillServed { what: pack(tree) }
    }

    pub(crate) fn file_still_served(sha256: &Sha256) -> Self {
        Self::StillServed { what: file(sha256) }
    }

    pub(crate) fn pack_out_of_reach(tree: &TreeDigest) -> Self {
        Self::OutOfReach { what: pack(tree) }
    }

    pub(crate) fn file_out_of_reach(sha256: &Sha256) -> Self {
        Self::OutOfReach { what: file(sha256) }
    }

    pub(crate) fn no_chunk(digest: &ChunkDigest) -> Self {
        Self::Absent { what: format!("the chunk {digest}") }
    }

    /// Whether it is closed to whoever asks.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::PermissionDenied)
    }

    /// Whether content is gone, or is not what it must be: not what the system says of what is there.
    pub fn is_lost_or_wrong(&self) -> bool {
        matches!(self, Self::Absent { .. }) || self.is_integrity()
    }

    /// Whether bytes are not what a digest or the log says they are.
    pub fn is_integrity(&self) -> bool {
        match self {
            Self::BadPack { reason, .. } | Self::BadDelta { reason, .. } => !reason.is_of_the_system(),
            Self::BadFile { .. }
            | Self::TooLarge { .. }
            | Self::UnpacksToOther { .. }
            | Self::BadSize { .. }
            | Self::BadLog { .. }
            | Self::BadChunk { .. }
            | Self::BadChunkSize { .. }
            | Self::BadList { .. }
            | Self::StillServed { .. }
            | Self::OutOfReach { .. } => true,
            Self::Absent { .. } | Self::Source(_) | Self::Io(_) => false,
        }
    }
}

/// A pack, in words.
fn pack(tree: &TreeDigest) -> String {
    format!("the pack of the tree {tree}")
}

/// A file, in words.
fn file(sha256: &Sha256) -> String {
    format!("the file {sha256}")
}
