//! What a caller asks a registry to do, as plain data: a batch of intents, all carried out or none.

use std::fmt;

use serde::Serialize;
use weir_model::{
    InputDigest, KindName, OwnerName, PackageName, Platform, Range, ReferenceFact, ReleaseId, Scope, Sha256,
    TreeDigest, Version, WithdrawalVerb,
};

/// Things to be done together, under one new checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who asks, such as `user:ann`.
    pub by: String,
    /// What is to be done, in this order.
    pub intents: Vec<Intent>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Intent {
    /// Offer a new release, whose pack has been uploaded.
    Publish(Box<Draft>),
    /// Change whether releases may be used.
    Withdraw(Withdraw),
    /// Say to whom an owner belongs.
    Claim {
        /// The owner.
        owner: OwnerName,
        /// To whom it belongs from now on.
        who: Vec<String>,
    },
}

impl Intent {
    /// The release it offers, if it offers one.
    pub fn published(&self) -> Option<&ReleaseId> {
        match self {
            Self::Publish(draft) => Some(&draft.id),
            _ => None,
        }
    }
}

/// Which releases an intent is about: every platform and revision of a version, or fewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdraw {
    /// What becomes of them.
    pub verb: WithdrawalVerb,
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Only this platform, if one is given.
    pub platform: Option<Platform>,
    /// Only this revision, if one is given.
    pub revision: Option<u32>,
    /// Why.
    pub reason: Option<String>,
    /// Of a quarantine, an advisory that explains it.
    pub advisory: Option<String>,
    /// Of a removal, the release whose removal or update caused it.
    pub because: Option<ReleaseId>,
}

impl Withdraw {
    /// Exactly one release, for no reason that is known yet.
    pub fn exactly(verb: WithdrawalVerb, id: ReleaseId) -> Self {
        let ReleaseId { name, version, platform, revision } = id;
        Self {
            verb,
            name,
            version,
            platform: Some(platform),
            revision: Some(revision),
            reason: None,
            advisory: None,
            because: None,
        }
    }

    /// Whether it is about this release.
    pub fn means(&self, id: &ReleaseId) -> bool {
        self.name == id.name
            && self.version == id.version
            && self.platform.as_ref().is_none_or(|platform| *platform == id.platform)
            && self.revision.is_none_or(|revision| revision == id.revision)
    }
}

impl fmt::Display for Withdraw {
    /// As a [`ReleaseId`] prints, with what is left open left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        if let Some(platform) = &self.platform {
            write!(f, " {platform}")?;
        }
        match self.revision {
            Some(revision) => write!(f, " revision {revision}"),
            None => Ok(()),
        }
    }
}

/// A release to be published: everything but what only the registry can say, which is what its
/// dependencies are baked to, and so its input digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Name, version, platform and revision.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// The input digest that it must come to, if whoever drafted it has computed one: then its dependencies are baked
    /// to what that was computed from, or it is refused.
    pub input_digest: Option<InputDigest>,
    /// Bytes of its pack.
    pub size: u64,
    /// Bytes of its files together.
    pub unpacked: u64,
    /// How many files and links it has.
    pub files: u64,
    /// What it needs.
    pub dependencies: Vec<Wanted>,
    /// The external files it names.
    pub references: Vec<ReferenceFact>,
    /// The recipe it was built by, if it was built.
    pub recipe: Option<Sha256>,
    /// The toolchain it was built with, if it was built.
    pub toolchain: Option<Sha256>,
    /// An SPDX licence expression.
    pub license: Option<String>,
    /// One line that says what it is.
    pub description: Option<String>,
    /// What its kind found out about it.
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// A dependency of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The package needed.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    pub scope: Scope,
    /// Whether it may move within the range afterwards.
    pub fluid: bool,
}

impl Wanted {
    pub(crate) fn need(&self) -> weir_rules::Need<'_> {
        weir_rules::Need { range: &self.range, scope: self.scope, fluid: self.fluid }
    }
}

/// What a registry did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Receipt {
    /// What became of each intent, in order.
    pub outcomes: Vec<Outcome>,
    /// The identity of the batch; `None` when there was nothing to append.
    pub batch: Option<String>,
    /// The size of the log afterwards.
    pub size: u64,
    /// The checkpoint afterwards, as it is signed.
    pub checkpoint: String,
}

/// What became of one intent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// The release or owner it was about.
    pub subject: String,
    /// What was done.
    pub done: Done,
    /// The policy that permitted it.
    pub policy: String,
    /// Of a publication, the input digest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<InputDigest>,
    /// Of a publication, what each dependency was baked to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub baked: Vec<ReleaseId>,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// A release is offered now.
    Published,
    /// Nothing: it was so already.
    Already,
    /// Whether a release may be used changed.
    Withdrawn(WithdrawalVerb),
    /// An owner belongs to somebody now.
    Claimed,
}

impl Done {
    /// What was done, as receipts spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Already => "already",
            Self::Withdrawn(verb) => verb.done(),
            Self::Claimed => "claimed",
        }
    }
}

impl Serialize for Done {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
