//! Records: the entries of a registry's log, as JSON with sorted keys.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalError, canonical_json};
use crate::{Digest, OwnerName, Release, ReleaseId};

/// The version of the record format this code writes, and the newest it reads.
pub const RECORD_VERSION: u32 = 1;

/// The longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 65_535;

/// One entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format.
    pub v: u32,
    /// The batch it was appended in: records of one batch become visible together.
    pub batch: String,
    /// When it was appended.
    pub at: Timestamp,
    /// Who asked for it, such as `user:ann`.
    pub by: String,
    /// What happened.
    #[serde(flatten)]
    pub action: Action,
}

/// What a record says happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum Action {
    /// A release is offered.
    Publish {
        /// The release.
        release: Box<Release>,
    },
    /// A release of an upstream is offered here.
    Admit {
        /// The release.
        release: Box<Release>,
        /// Where it came from.
        from: Origin,
    },
    /// New resolutions avoid a release; lockfiles still get it.
    Yank(Withdrawal),
    /// Takes a yank back.
    Unyank(Withdrawal),
    /// A release is served to nobody but curators.
    Quarantine(Withdrawal),
    /// Takes a quarantine back.
    Release(Withdrawal),
    /// A release is gone from the view.
    Remove(Withdrawal),
    /// An owner belongs here, and to these people.
    Claim {
        /// The owner.
        owner: OwnerName,
        /// To whom it belongs.
        who: Vec<String>,
    },
    /// An upstream's checkpoint up to which this log has admitted.
    Upstream {
        /// The upstream's name.
        registry: String,
        /// The size of its log.
        size: u64,
        /// The root hash of its log.
        root: Digest,
    },
    /// The policy in force from here on.
    Policy {
        /// The digest of the policy set.
        digest: Digest,
    },
    /// The registry describes itself anew.
    Describe(Description),
}

/// Which release is withdrawn, or offered again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The release.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// Why, in a person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a quarantine, an advisory that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Of a removal, the release whose removal or update caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<ReleaseId>,
}

/// Where an admitted release came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The upstream's name.
    pub registry: String,
    /// The index of the record in its log.
    pub index: u64,
    /// The leaf hash of that record.
    pub leaf: Digest,
}

/// What a registry says of itself from here on; what is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The keys, as C2SP verifier keys, that sign its checkpoints from here on.
    /// The checkpoint of this record is signed by an earlier key, which vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// Whether it promises a closed world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// The names of the registries above it, nearest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstreams: Option<Vec<String>>,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is too long.
    #[error("the record has {bytes} bytes, {MAX_RECORD_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It is of a newer format.
    #[error(
        "the record is of format {found}, this program reads up to {RECORD_VERSION}: a newer weir is needed"
    )]
    Newer {
        /// Its format.
        found: u64,
    },
    /// It does not read as a record.
    #[error("the record cannot be read: {0}")]
    Unreadable(String),
    /// It cannot be written as canonical JSON.
    #[error(transparent)]
    NotCanonical(#[from] CanonicalError),
}

impl Record {
    /// The record as the log holds it.
    ///
    /// # Errors
    ///
    /// When it is too long, or a fact in it has no canonical JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RecordError> {
        let bytes = canonical_json(self)?.into_bytes();
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads an entry of a log. Unknown fields are ignored; the entry's own bytes keep them.
    ///
    /// # Errors
    ///
    /// When it is too long, of a newer format, or not a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong { bytes: bytes.len() });
        }
        let read: Result<Self, _> = serde_json::from_slice(bytes);
        match read {
            Ok(record) if record.v == RECORD_VERSION => Ok(record),
            Ok(record) => Err(RecordError::Newer { found: record.v.into() }),
            Err(error) => Err(newer(bytes).unwrap_or_else(|| RecordError::Unreadable(error.to_string()))),
        }
    }
}

/// A record of a newer format may not read at all: say that it is newer rather than that it is broken.
fn newer(bytes: &[u8]) -> Option<RecordError> {
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    let version: Version = serde_json::from_slice(bytes).ok()?;
    (version.v > u64::from(RECORD_VERSION)).then_some(RecordError::Newer { found: version.v })
}
