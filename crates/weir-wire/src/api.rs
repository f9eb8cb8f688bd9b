//! The documents of the API of a server, level 1. What each route takes and gives stands in `docs/reference/api.md`.

use serde::{Deserialize, Serialize};

use crate::receipt::Outcome;
use crate::refusal::{Code, Refusal};

/// The level of the protocol that is spoken.
pub const LEVEL: u32 = 1;

/// The header by which a batch is known again: who sends the same batch with the same key is given the same answer.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header that says how many bytes of an upload are there, or from which byte on one goes on
/// (draft-ietf-httpbis-resumable-upload).
pub const UPLOAD_OFFSET: &str = "upload-offset";

/// The header that says whether an upload is whole: `?1`, or `?0`.
pub const UPLOAD_COMPLETE: &str = "upload-complete";

/// What a registry can do, at `/{registry}/api/v1`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Capabilities {
    /// Always 1: what makes it an answer of Weir.
    pub weir: u32,
    /// The level of the protocol.
    pub level: u32,
    /// What the registry calls itself.
    pub name: String,
    /// What it can do beyond being read.
    pub features: Vec<String>,
    /// What nobody may exceed.
    pub limits: CapabilityLimits,
}

/// What nobody may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CapabilityLimits {
    /// Bytes of one upload.
    pub upload_bytes: u64,
    /// Bytes of one batch.
    pub batch_bytes: u64,
}

/// What would become of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Preview {
    /// What would become of each intent, in order.
    pub outcomes: Vec<Outcome>,
}

/// Whether what is held of an object is what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verified {
    /// Whether it is all there and unchanged.
    pub whole: bool,
}

/// Bytes of an upload that is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Uploaded {
    /// Bytes of what is held now.
    pub size: u64,
}

/// A log that was signed anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Renewed {
    /// The checkpoint, as it is signed.
    pub checkpoint: String,
}

/// What is asked of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CollectRequest {
    /// Also what only releases name that were removed before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_before: Option<jiff::Timestamp>,
    /// Whether to tell what would go and leave it.
    #[serde(default)]
    pub dry_run: bool,
}

/// Why a request was not answered (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ProblemDocument {
    /// `urn:weir:problem:` and the code.
    pub r#type: String,
    /// What it means in general.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened, for programs. Codes do not change.
    pub code: String,
    /// What happened, for people.
    pub detail: String,
    /// The release, package or owner that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The policy that decided, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The same as the code, as OAuth spells it, where the request was one of OAuth (RFC 6749, section 5.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ProblemDocument {
    /// What a registry said, if it was a registry that refused and not the server before it.
    pub fn refusal(&self) -> Option<Refusal> {
        let code: Code = serde_json::from_value(self.code.clone().into()).ok()?;
        let Self { detail, subject, policy, .. } = self.clone();
        Some(Refusal { code, message: detail, subject, policy })
    }
}
