//! Changing what a registry offers. What publishing tells is told by `weir-project` itself.

use schemars::JsonSchema;
use serde::Serialize;
use weir_project::Affected;
use weir_registry::{Outcome, Receipt};

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
