//! Why a registry did nothing.

use serde::{Deserialize, Serialize};

/// Why a registry did nothing, flat: it says what happened to whom it may concern, and nothing of the machine that
/// the registry runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What happened, for programs. Codes do not change.
    pub code: Code,
    /// What happened, for people.
    pub message: String,
    /// The release, package or owner that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The policy that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// A policy says no.
    NotPermitted,
    /// It may be done once others have approved it.
    NeedsApproval,
    /// The release is there with other content.
    AlreadyPublished,
    /// The release was there and is gone.
    WasRemoved,
    /// The package is of another kind.
    OtherKind,
    /// The registry takes other kinds of package only.
    KindNotTaken,
    /// The name can be mistaken for another.
    Confusable,
    /// The pack, or what it was built from, has not been uploaded.
    NotUploaded,
    /// What was uploaded is not what its name says.
    BadContent,
    /// The draft says otherwise than what was uploaded.
    DraftDiffers,
    /// What was uploaded makes no release, whatever the draft says.
    NotPublishable,
    /// Its dependencies would be baked to others than those it was built against.
    UnexpectedInputs,
    /// The content was withdrawn for everyone.
    Quarantined,
    /// The same inputs gave another tree before.
    SecondTree,
    /// Nothing that is offered meets a dependency.
    Unsatisfiable,
    /// Packages would be baked into one another.
    BakedCycle,
    /// Somebody would hold more than they may.
    BeyondQuota,
    /// Two builds of one package would meet.
    Diamond,
    /// Something was built with what is to be removed.
    WouldBreak,
    /// The name is bound to another registry, above or below.
    OtherTier,
    /// A registry cannot be the upstream of another one.
    NoUpstream,
    /// There is no such package, version, build or upstream.
    NotFound,
    /// What the batch says breaks a rule of the log.
    BadRecord,
    /// Others changed the registry all the while: asking again helps.
    Busy,
    /// The registry could not do it, for a reason of its own.
    Unavailable,
}
