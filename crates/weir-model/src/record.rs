//! Records: the entries of a registry's log, as JSON with sorted keys.

mod advice;
mod quota;
mod release;
mod retention;
mod tier;
mod upstream;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::advice::{Advice, Dismissal};
pub use self::quota::{Quota, QuotaOf};
pub use self::release::{DependencyRecord, ReleaseRecord};
pub use self::retention::Retention;
pub use self::tier::{Adoption, Hold, Unhold};
pub use self::upstream::{Only, Taken, Upstream, UpstreamMode};
use crate::canonical::{CanonicalError, canonical_json};
use crate::unseen::is_unseen;
use crate::{KindName, OwnerName, ReleaseId, Sha256};

/// The version of the record format this code writes, and the newest it reads.
pub const RECORD_VERSION: u32 = 1;

/// The longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 65_535;

/// The most characters that a reason has, and an advisory that is named with it.
pub const LONGEST_REASON: usize = 1000;

/// Whether a registry takes these words as a reason: they stand in its log for ever, and everybody reads them.
pub fn is_reason(words: &str) -> bool {
    words.chars().count() <= LONGEST_REASON && !words.contains(|c: char| c != '\n' && is_unseen(c))
}

/// A reason as it is kept and told. One that is longer than any registry takes was made up by whoever keeps the one above, or put together
/// from several: it is cut.
pub fn reason(mut words: String) -> String {
    if words.len() > LONGEST_REASON
        && let Some((last, _)) = words.char_indices().nth(LONGEST_REASON - 1)
        && words[last..].chars().nth(1).is_some()
    {
        words.truncate(last);
        words.push('…');
    }
    words
}

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
        release: Box<ReleaseRecord>,
    },
    /// A release of an upstream is offered here.
    Admit {
        /// The release.
        release: Box<ReleaseRecord>,
        /// Where it came from.
        from: Origin,
    },
    /// A release of a registry below is offered here, as it is there: somebody brought it up.
    Promote {
        /// The release.
        release: Box<ReleaseRecord>,
        /// Where it stood then, as was proven by what that registry had signed.
        from: Origin,
    },
    /// A release of an upstream is kept out.
    Hold(Hold),
    /// A release of an upstream is kept out no longer, whether it comes in or not.
    Unhold(Unhold),
    /// A package of an upstream is kept here, or given back.
    Adopt(Adoption),
    /// Something is known against versions of packages.
    Advise(Box<Advice>),
    /// That counts no more here.
    Dismiss(Dismissal),
    /// How much may be held for somebody from here on.
    Quota(Quota),
    /// What the registry keeps from here on.
    Retain(Retention),
    /// Whether a release may be used changes.
    Withdraw(Withdrawal),
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
        root: Sha256,
    },
    /// The policy in force from here on.
    Policy {
        /// The digest of the policy set.
        digest: Sha256,
    },
    /// The registry describes itself anew.
    Describe(Description),
}

/// What a withdrawal does to a release.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum WithdrawalVerb {
    /// New resolutions avoid it; lockfiles still get it.
    Yank,
    /// Takes a yank back.
    Unyank,
    /// It is served to nobody but curators.
    Quarantine,
    /// Takes a quarantine back.
    Unquarantine,
    /// It is gone from the view.
    Remove,
}

impl WithdrawalVerb {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Yank, Self::Unyank, Self::Quarantine, Self::Unquarantine, Self::Remove];

    /// The verb as records spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yank => "yank",
            Self::Unyank => "unyank",
            Self::Quarantine => "quarantine",
            Self::Unquarantine => "unquarantine",
            Self::Remove => "remove",
        }
    }

    /// What was done when it was carried out.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Yank => "yanked",
            Self::Unyank => "unyanked",
            Self::Quarantine => "quarantined",
            Self::Unquarantine => "unquarantined",
            Self::Remove => "removed",
        }
    }
}

impl std::fmt::Display for WithdrawalVerb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which release is withdrawn, or offered again, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// What becomes of it.
    pub verb: WithdrawalVerb,
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
    /// The registry above that withdrew it, where that is all there is to it: what that takes back is taken back here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Where a release of another registry stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Origin {
    /// The name of that registry; of one that a release was promoted from, the key that signed for it, which begins with its name.
    pub registry: String,
    /// The index of the record in its log.
    pub index: u64,
    /// The leaf hash of that record.
    pub leaf: Sha256,
}

impl Origin {
    /// What the registry calls itself.
    pub fn registry_name(&self) -> &str {
        self.registry.split('+').next().unwrap_or_default()
    }

    /// The registry in a few characters: its name, and if it is named by its key, the number of that: `team+5e1a9c3f`.
    pub fn short(&self) -> &str {
        match self.registry.match_indices('+').nth(1) {
            Some((end, _)) => &self.registry[..end],
            None => &self.registry,
        }
    }
}

/// What a registry says of itself from here on; what is absent stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its name: the origin of its log. Said once, when the registry is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The keys, as C2SP verifier keys, that sign its checkpoints from here on.
    /// The checkpoint of this record is signed by an earlier key, which vouches for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
    /// Whether it promises a closed world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
    /// The kinds of package it takes; all kinds where the list is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<KindName>>,
    /// For how many seconds its checkpoints are valid; 0 for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<u64>,
    /// The registries above it, nearest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstreams: Option<Vec<Upstream>>,
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
