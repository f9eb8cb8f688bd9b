//! Why a tree could not be read, packed, unpacked or checked.

use std::io;
use std::path::{Path, PathBuf};

use weir_model::{EntryDigest, TreeDigest};

use crate::link::LinkError;
use crate::manifest::ManifestError;
use crate::path::PathError;

/// Why a tree could not be read, packed, unpacked or checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The system refused something.
    #[error("cannot use `{}`", path.display())]
    Io {
        /// What was being used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file's name cannot be in a tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A link's target cannot be in a tree.
    #[error("the link `{path}` cannot be in a tree")]
    Link {
        /// The link.
        path: String,
        /// What is wrong with its target.
        source: LinkError,
    },
    /// The files do not make a tree, or a text is not the manifest of one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Something that is neither a file, a folder nor a symbolic link.
    #[error("`{}` is a {what}; a tree holds files and symbolic links only", path.display())]
    Special {
        /// What was found.
        path: PathBuf,
        /// What it is: `socket`, `device`, …
        what: &'static str,
    },
    /// A file was written to, replaced or cut while it was being read.
    #[error("`{}` changed while it was being read", path.display())]
    ChangedWhileRead {
        /// The file.
        path: PathBuf,
    },
    /// A pattern of `include` or `exclude` cannot be read.
    #[error("`{pattern}` is not a pattern: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A folder's ignore rules could not be applied.
    #[error("cannot list `{}`: {reason}", path.display())]
    Listing {
        /// The folder that was being listed.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The folder to unpack into exists.
    #[error("`{}` exists; a tree is unpacked into a new folder only", path.display())]
    DestinationExists {
        /// The folder.
        path: PathBuf,
    },
    /// A pack holds another tree than was asked for. Nothing of it was written.
    #[error("the pack holds another tree: expected `{expected}`, got `{got}`")]
    WrongTree {
        /// The tree that was asked for.
        expected: TreeDigest,
        /// The tree in the pack.
        got: TreeDigest,
    },
    /// A file in a pack has other bytes than the manifest says.
    #[error("`{path}` has the wrong content: expected `{expected}`, got `{got}`")]
    WrongContent {
        /// The file.
        path: String,
        /// What the manifest says.
        expected: EntryDigest,
        /// What the pack holds.
        got: EntryDigest,
    },
    /// A pack has another size than its record states.
    #[error("the pack has the wrong size: expected {expected} bytes, got {got}")]
    WrongSize {
        /// What the record states.
        expected: u64,
        /// How many bytes came; reading stops soon after the expected size.
        got: u64,
    },
    /// A pack, or a delta, ends before its tree does.
    #[error("the {what} ends after {bytes} bytes, in the middle of a tree")]
    Truncated {
        /// `pack` or `delta`.
        what: &'static str,
        /// How many bytes came.
        bytes: u64,
    },
    /// A pack goes on after its tree.
    #[error("the pack goes on after the end of its tree")]
    TrailingBytes,
    /// The bytes of a pack, or of a delta, are not what Weir's compressor makes.
    #[error("the {what} is damaged: {reason}")]
    Damaged {
        /// `pack` or `delta`.
        what: &'static str,
        /// What is wrong with them.
        reason: String,
    },
    /// A delta is none, or is between other trees.
    #[error("it is not the delta that it should be: {reason}")]
    NotThatDelta {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pack could not be read from where it comes from.
    #[error("cannot read the pack")]
    PackRead {
        /// What the source said.
        source: io::Error,
    },
    /// A pack could not be written to where it goes.
    #[error("{}", if weir_fs::is_full(source) { "the disk is full: cannot write the pack" } else { "cannot write the pack" })]
    PackWrite {
        /// What the destination said.
        source: io::Error,
    },
    /// A tree or a pack is larger than allowed.
    #[error("too large: {got} {what}, and {limit} are allowed")]
    TooLarge {
        /// What there is too much of: `files`, `bytes of pack`, …
        what: &'static str,
        /// How much there is, as far as it was counted.
        got: u64,
        /// How much is allowed.
        limit: u64,
    },
}

impl TreeError {
    /// Whether bytes are not what a digest, a size or the format says they must be; otherwise the system failed,
    /// or a folder cannot be a tree.
    pub fn is_integrity(&self) -> bool {
        matches!(
            self,
            Self::WrongTree { .. }
                | Self::WrongContent { .. }
                | Self::WrongSize { .. }
                | Self::Truncated { .. }
                | Self::TrailingBytes
                | Self::Damaged { .. }
                | Self::NotThatDelta { .. }
        )
    }

    /// Whether the system failed, or whoever sends a pack. Whatever else is wrong with a pack is in its bytes, and they
    /// are not what its digest promised.
    pub fn is_of_the_system(&self) -> bool {
        matches!(
            self,
            Self::Io { .. }
                | Self::PackRead { .. }
                | Self::PackWrite { .. }
                | Self::DestinationExists { .. }
                | Self::ChangedWhileRead { .. }
        )
    }

    pub(crate) fn io(path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.as_ref().to_owned(), source: source.into() }
    }
}

/// Refuses `got` of something if more than `limit`.
pub(crate) fn bounded(what: &'static str, got: u64, limit: u64) -> Result<(), TreeError> {
    if got > limit { Err(TreeError::TooLarge { what, got, limit }) } else { Ok(()) }
}
