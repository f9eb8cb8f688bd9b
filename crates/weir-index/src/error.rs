//! What can go wrong, named for what happened.

use std::path::PathBuf;

use weir_model::{
    InputDigest, OwnerName, PackageName, RecordError, ReleaseId, Sha256, TreeDigest, WithdrawalVerb,
};

use crate::schema::SCHEMA_VERSION;
use crate::view::Tier;
use crate::wire::Malformed;

/// Why the index could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file is something else, or broken. Delete it and fold the log again.
    #[error("`{}` is not an index", path.display())]
    NotAnIndex {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by another version of the program. Delete it and fold the log again.
    #[error("`{}` is an index of format {found}, this program uses {SCHEMA_VERSION}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// The file holds something it cannot hold. Delete it and fold the log again.
    #[error("the index is damaged: {what}: {reason}")]
    Damaged {
        /// Which part of it.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Other programs kept the index locked for too long.
    #[error("the index is in use by another program that does not let go of it")]
    Busy,
    /// The disk is full.
    #[error("there is no room left on the disk for the index")]
    DiskFull,
    /// The file cannot be written.
    #[error("the index cannot be written: {0}")]
    ReadOnly(#[source] rusqlite::Error),
    /// Anything else that SQLite reports.
    #[error("the index cannot be used: {0}")]
    Sqlite(#[source] rusqlite::Error),
    /// The file system said no.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl IndexError {
    /// Whether deleting the file and folding the log again would help.
    pub(crate) fn is_cured_by_rebuilding(&self) -> bool {
        matches!(self, Self::NotAnIndex { .. } | Self::OtherVersion { .. } | Self::Damaged { .. })
    }

    pub(crate) fn damaged(what: &'static str) -> impl FnOnce(Malformed) -> Self {
        move |malformed| Self::Damaged { what, reason: malformed.0 }
    }
}

impl From<rusqlite::Error> for IndexError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { what: "the file", reason: error.to_string() }
            }
            _ => match error {
                rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..)
                | rusqlite::Error::InvalidColumnType(..) => {
                    Self::Damaged { what: "a row", reason: error.to_string() }
                }
                other => Self::Sqlite(other),
            },
        }
    }
}

/// Why an entry of a log cannot be folded into the view. The index stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The entry is no record this program reads.
    #[error("entry {index} of the log: {source}")]
    Record {
        /// The entry.
        index: u64,
        /// What is wrong with it.
        #[source]
        source: RecordError,
    },
    /// An entry was left out.
    #[error("entry {found} of the log was given where entry {expected} comes next")]
    Gap {
        /// The entry that comes next.
        expected: u64,
        /// The entry that was given.
        found: u64,
    },
    /// An input digest is bound to one tree and met with another.
    #[error(
        "the input digest {input_digest} is bound to two trees: entry {first} of the log says {first_tree}, entry {index} says {tree}"
    )]
    SecondTree {
        /// The input digest.
        input_digest: InputDigest,
        /// The entry that bound it.
        first: u64,
        /// The tree it is bound to.
        first_tree: TreeDigest,
        /// The entry that contradicts it.
        index: u64,
        /// The other tree.
        tree: TreeDigest,
    },
    /// A release is published again.
    #[error("`{id}` is published twice: by entry {first} of the log and by entry {index}")]
    Duplicate {
        /// The release.
        id: Box<ReleaseId>,
        /// The entry that published it.
        first: u64,
        /// The entry that does so again.
        index: u64,
    },
    /// A revision is lower than one that was there before.
    #[error("`{id}` comes at entry {index} of the log, after revision {newest} at entry {first}")]
    RevisionWentBack {
        /// The release.
        id: Box<ReleaseId>,
        /// The newest revision there was.
        newest: u32,
        /// The entry that published it.
        first: u64,
        /// The entry that goes back.
        index: u64,
    },
    /// A release was built with one that was never here.
    #[error("entry {index} of the log publishes `{id}` as built with `{baked}`, which was never published")]
    UnknownBaked {
        /// The release.
        id: Box<ReleaseId>,
        /// What it says it was built with.
        baked: Box<ReleaseId>,
        /// The entry.
        index: u64,
    },
    /// Something is said about a release that was never here.
    #[error("entry {index} of the log is a `{verb}` of `{id}`, which was never published")]
    UnknownRelease {
        /// What was said.
        verb: WithdrawalVerb,
        /// The release.
        id: Box<ReleaseId>,
        /// The entry.
        index: u64,
    },
    /// Something is said about a release that is gone.
    #[error("entry {index} of the log is a `{verb}` of `{id}`, which entry {removed} removed")]
    Removed {
        /// What was said.
        verb: WithdrawalVerb,
        /// The release.
        id: Box<ReleaseId>,
        /// The entry that removed it.
        removed: u64,
        /// The entry.
        index: u64,
    },
    /// An upstream's log shrank.
    #[error(
        "the upstream `{registry}` went back: entry {first} of the log saw {first_size} of its records, entry {index} sees {size}"
    )]
    UpstreamWentBack {
        /// The upstream.
        registry: String,
        /// The earlier entry.
        first: u64,
        /// Its size then.
        first_size: u64,
        /// The later entry.
        index: u64,
        /// Its size now.
        size: u64,
    },
    /// An upstream's log was rewritten.
    #[error(
        "the upstream `{registry}` was rewritten: for {size} records entry {first} of the log has the root {first_root}, entry {index} has {root}"
    )]
    UpstreamRewritten {
        /// The upstream.
        registry: String,
        /// The size of its log.
        size: u64,
        /// The earlier entry.
        first: u64,
        /// Its root then.
        first_root: Sha256,
        /// The later entry.
        index: u64,
        /// Its root now.
        root: Sha256,
    },
    /// A name is bound to another tier than the one that a release comes from.
    #[error("entry {index} of the log offers `{id}`, whose owner is bound to {to}")]
    OtherTier {
        /// The release.
        id: Box<ReleaseId>,
        /// The tier that its name is bound to.
        to: Tier,
        /// The entry.
        index: u64,
    },
    /// An owner is claimed while releases of it are offered that came from above.
    #[error(
        "entry {index} of the log claims `{owner}`, which is bound to the registry `{registry}`: releases of `{name}` are offered that came from there"
    )]
    ClaimedAbove {
        /// The owner.
        owner: OwnerName,
        /// The registry that it is bound to.
        registry: String,
        /// A package of which something is offered that came from there.
        name: PackageName,
        /// The entry.
        index: u64,
    },
    /// A package cannot be adopted, or given back.
    #[error("entry {index} of the log adopts `{name}`, or gives it back: {reason}")]
    NotAdopted {
        /// The package.
        name: PackageName,
        /// Why it cannot be.
        reason: &'static str,
        /// The entry.
        index: u64,
    },
    /// A release is said to be kept out that is here.
    #[error("entry {index} of the log holds `{id}`, which was offered here")]
    HeldHere {
        /// The release.
        id: Box<ReleaseId>,
        /// The entry.
        index: u64,
    },
    /// An earlier entry failed; the fold can only be dropped.
    #[error("the fold failed at an earlier entry")]
    Failed,
    /// The index itself failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl FoldError {
    /// Whether the log contradicts itself, or is no log: evidence against whoever wrote it.
    pub fn is_integrity(&self) -> bool {
        !matches!(
            self,
            Self::Gap { .. }
                | Self::Failed
                | Self::Index(_)
                | Self::Record { source: RecordError::Newer { .. }, .. }
        )
    }
}

impl From<rusqlite::Error> for FoldError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error.into())
    }
}

/// Why a snapshot could not be written or loaded.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are no snapshot.
    #[error("the snapshot cannot be read: {0}")]
    Malformed(String),
    /// It is of a newer format.
    #[error("the snapshot is of format {found}, this program reads up to {known}: a newer weir is needed")]
    Newer {
        /// Its format.
        found: u64,
        /// The newest this program reads.
        known: u64,
    },
    /// It is larger than the reader is willing to hold.
    #[error("the snapshot is larger than {limit} bytes when unpacked")]
    TooLarge {
        /// The bound.
        limit: u64,
    },
    /// It can only be loaded into an empty index.
    #[error("the index already holds {size} records; a snapshot loads into an empty one")]
    NotEmpty {
        /// How many records it holds.
        size: u64,
    },
    /// What it says breaks a rule of the log.
    #[error("the snapshot contradicts itself: {0}")]
    Contradiction(String),
    /// Reading or writing its bytes failed.
    #[error("the snapshot's bytes: {0}")]
    Io(#[from] std::io::Error),
    /// The index itself failed.
    #[error(transparent)]
    Index(#[from] IndexError),
}

impl SnapshotError {
    /// Whether the snapshot is none, or contradicts itself: evidence against whoever signed it.
    pub const fn is_integrity(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::TooLarge { .. } | Self::Contradiction(_))
    }
}

impl From<Malformed> for SnapshotError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed.0)
    }
}

impl From<rusqlite::Error> for SnapshotError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error.into())
    }
}
