//! Changing what a registry offers. What publishing tells is told by `weir-project` itself.

use schemars::JsonSchema;
use serde::Serialize;
use weir_project::Affected;
use weir_promote::PromotionReport;
use weir_registry::{Outcome, Receipt};
use weir_wire::promotion::PromotionRequest;

/// `weir promote`: one of these.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Promotion {
    /// What was promoted, waits, or would be promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) promotion: Option<PromotionReport>,
    /// With `--list`, what waits for approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests: Option<Vec<PromotionRequest>>,
    /// With `--withdraw`, what was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) withdrawn: Option<PromotionRequest>,
}

/// `weir yank`, `unyank`, `quarantine`, `unquarantine`, `unpublish` and `claim`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Submission {
    /// What the registry answered; nothing with `--dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<Receipt>,
    /// With `--dry-run`, what would become of each release or owner.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) preview: Vec<Outcome>,
    /// Of `weir quarantine`, how many are affected by each version; nothing of those that nothing needs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) affected: Vec<Affected>,
}
