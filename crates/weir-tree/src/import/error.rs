//! Why an archive was not imported.

use std::io;
use std::path::PathBuf;

use crate::{LinkError, ManifestError, PathError, TreeError};

/// Why an archive was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The archive could not be read from the disk.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither the first bytes nor the name are those of a known archive.
    #[error(
        "`{name}` is no archive that is known: neither tar (alone or in gzip, xz, zstd or bzip2) nor zip"
    )]
    UnknownFormat {
        /// The archive's name.
        name: String,
    },
    /// The archive is damaged, or written in a way that is not supported.
    #[error("the archive cannot be read: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// Something in the archive has another checksum than it says.
    #[error("the archive is damaged: {reason}")]
    Checksum {
        /// What does not fit.
        reason: String,
    },
    /// The archive is not what its own table of contents says.
    #[error("the archive contradicts itself: {reason}")]
    Contradiction {
        /// Where.
        reason: String,
    },
    /// A member of the archive is refused.
    #[error("`{}` in the archive is refused: {trick}", .member.escape_debug())]
    Refused {
        /// The member's path, as far as it can be shown.
        member: String,
        /// Why.
        trick: Trick,
    },
    /// More comes out of the archive than is allowed.
    #[error("the archive is too large: {got} {what}, and {limit} are allowed")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is, as far as it was counted.
        got: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// The files together do not make a tree.
    #[error("the files of the archive do not make a tree: {0}")]
    NotATree(#[source] ManifestError),
    /// The folder could not be written.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What is wrong with a member of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trick {
    /// Its path cannot be in a tree: absolute, with `..`, not UTF-8, …
    #[error("{0}")]
    Path(PathError),
    /// A link whose target cannot be in a tree.
    #[error("{0}")]
    Link(LinkError),
    /// A hard link to something that is not an earlier file of the archive.
    #[error("it is a hard link to `{target}`, which is no earlier file of the archive")]
    HardLink {
        /// What it is a link to.
        target: String,
    },
    /// A device, a named pipe or a socket.
    #[error("it is a {what}")]
    Special {
        /// What it is.
        what: &'static str,
    },
    /// A sparse file; readers disagree about how they are written.
    #[error("it is a sparse file")]
    Sparse,
    /// A sort of member that is not known.
    #[error("it is of an unknown sort: {sort:?}")]
    UnknownSort {
        /// The letter of the sort.
        sort: char,
    },
    /// A folder or link that says it has content, which some readers skip and some do not.
    #[error("it is no file and yet has {size} bytes")]
    UnexpectedContent {
        /// How much it says.
        size: u64,
    },
    /// Two places of the archive give it different sizes.
    #[error("its size is {one} in one place of the archive and {other} in another")]
    SizesDisagree {
        /// The one.
        one: u64,
        /// The other.
        other: u64,
    },
    /// Its content ends early.
    #[error("its content ends after {got} of {size} bytes")]
    Truncated {
        /// How long it should be.
        size: u64,
        /// How long it is.
        got: u64,
    },
    /// It is there twice, with different content.
    #[error("it is in the archive twice, with different content")]
    Twice,
    /// It is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// Its extended header is broken, ambiguous or changes what it must not.
    #[error("its extended header has {what}")]
    ExtendedHeader {
        /// What is wrong with it.
        what: &'static str,
    },
}

impl ImportError {
    pub(super) fn refused(member: impl AsRef<[u8]>, trick: Trick) -> Self {
        let member: String = String::from_utf8_lossy(member.as_ref()).chars().take(300).collect();
        Self::Refused { member, trick }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
    pub(super) fn damaged(reason: impl ToString) -> Self {
        let reason = reason.to_string();
        // What decodes has no other word for it.
        let lower = reason.to_ascii_lowercase();
        match ["checksum", "crc"].iter().any(|word| lower.contains(word)) {
            true => Self::Checksum { reason },
            false => Self::Damaged { reason },
        }
    }

    /// Whether the bytes are not those that somebody wrote.
    pub fn is_integrity(&self) -> bool {
        match self {
            Self::Checksum { .. } | Self::Contradiction { .. } => true,
            Self::Tree(error) => error.is_integrity(),
            _ => false,
        }
    }
}
