//! What a registry did.

use serde::{Deserialize, Serialize};
use weir_model::{InputDigest, ReleaseId, WithdrawalVerb};

/// What a registry did with a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Receipt {
    /// What became of each intent, in order.
    pub outcomes: Vec<Outcome>,
    /// The identity of the batch; `None` when there was nothing to append.
    pub batch: Option<String>,
    /// The size of the log afterwards.
    pub size: u64,
    /// The checkpoint afterwards, as it is signed.
    pub checkpoint: String,
    /// What whoever asked should know: who holds nearly as much as they may, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What became of one intent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Outcome {
    /// The release or owner it was about.
    pub subject: String,
    /// What was done.
    pub done: Done,
    /// The policy that permitted it.
    pub policy: String,
    /// Of a publication, the input digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<InputDigest>,
    /// Of a publication, what each dependency was baked to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baked: Vec<ReleaseId>,
}

/// What was done. Written as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Done {
    /// A release is offered now.
    Published,
    /// A release of a registry below is offered now.
    Promoted,
    /// Nothing: it was so already.
    Already,
    /// Whether a release may be used changed.
    Withdrawn(WithdrawalVerb),
    /// An owner belongs to somebody now.
    Claimed,
    /// A package that came from above is kept here now.
    Adopted,
    /// Such a package comes from above again.
    GivenBack,
    /// An advisory is known now, as it says now.
    Advised,
    /// An advisory counts no more.
    Dismissed,
    /// Somebody may hold so much now.
    Limited,
    /// The registry keeps something else now.
    Ruled,
}

impl Done {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Promoted => "promoted",
            Self::Already => "already",
            Self::Withdrawn(verb) => verb.done(),
            Self::Claimed => "claimed",
            Self::Adopted => "adopted",
            Self::GivenBack => "given-back",
            Self::Advised => "advised",
            Self::Dismissed => "dismissed",
            Self::Limited => "limited",
            Self::Ruled => "ruled",
        }
    }
}

impl From<Done> for &'static str {
    fn from(done: Done) -> Self {
        done.as_str()
    }
}

impl TryFrom<String> for Done {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let withdrawn = WithdrawalVerb::ALL.into_iter().map(Self::Withdrawn);
        let plain = [
            Self::Published,
            Self::Promoted,
            Self::Already,
            Self::Claimed,
            Self::Adopted,
            Self::GivenBack,
            Self::Advised,
            Self::Dismissed,
            Self::Limited,
            Self::Ruled,
        ];
        let mut all = plain.into_iter().chain(withdrawn);
        all.find(|done| done.as_str() == word)
            .ok_or_else(|| format!("nothing that is done is called `{word}`"))
    }
}
