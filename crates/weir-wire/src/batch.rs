//! What a caller asks a registry to do: a batch of intents, all carried out or none.

use std::fmt;

use serde::{Deserialize, Serialize};
use weir_model::advisory::{Advisory, AdvisoryId};
use weir_model::record::{Origin, Quota, Retention};
use weir_model::{OwnerName, PackageName, Platform, ReleaseId, Version, WithdrawalVerb};

use crate::draft::Draft;

/// Things to be done together, under one new checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// What is to be done, in this order.
    pub intents: Vec<Intent>,
}

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Intent {
    /// Offer a new release, whose pack has been uploaded.
    Publish(Box<Draft>),
    /// Offer a release of a registry below as it is there, once its content has been uploaded.
    Promote(Box<Promotion>),
    /// Change whether releases may be used.
    Withdraw(Withdraw),
    /// Say to whom an owner belongs.
    Claim {
        /// The owner.
        owner: OwnerName,
        /// To whom it belongs from now on.
        who: Vec<String>,
    },
    /// Say what is known against versions of packages. Its document has been uploaded, and says this.
    Advise(Box<Advisory>),
    /// Have an advisory count no more.
    Dismiss {
        /// Which.
        id: AdvisoryId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Say how many bytes somebody may hold.
    Quota(Quota),
    /// Say which releases the registry keeps. Nothing is removed by that.
    Retain(Retention),
    /// Keep a package here that came from a registry above, or give it back.
    Adopt {
        /// The package.
        name: PackageName,
        /// Whether it is given back.
        #[serde(default)]
        back: bool,
    },
}

impl Intent {
    /// The release it offers, if it offers one.
    pub fn published(&self) -> Option<&ReleaseId> {
        self.draft().map(|draft| &draft.id)
    }

    /// What it says of that release.
    pub fn draft(&self) -> Option<&Draft> {
        match self {
            Self::Publish(draft) => Some(draft),
            Self::Promote(promotion) => Some(&promotion.draft),
            Self::Withdraw(_)
            | Self::Claim { .. }
            | Self::Advise(_)
            | Self::Dismiss { .. }
            | Self::Quota(_)
            | Self::Retain(_)
            | Self::Adopt { .. } => None,
        }
    }
}

/// A release of another registry, to be offered here as it is there: fixed to the same, so of the same input digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// The release. Its input digest is that which it has there.
    pub draft: Draft,
    /// What its dependencies are fixed to: a release for each that neither may move nor is for development, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baked: Vec<ReleaseId>,
    /// Where it stands there. The registry is named by the key that signed for it, which begins with its name.
    pub from: Origin,
    /// Its record, as it stands there.
    pub entry: String,
    /// That the record is there: a `tlog-proof`, with a checkpoint that this key signed.
    pub proof: String,
}

/// Which releases a withdrawal is about: every platform and revision of a version, or fewer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// What becomes of them.
    pub verb: WithdrawalVerb,
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Only this platform, if one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Only this revision, if one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u32>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a quarantine, an advisory that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<String>,
    /// Of a removal, the release whose removal or update caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
