//! Promotions, as the API of a server is asked about them.

use serde::{Deserialize, Serialize};
use weir_model::ReleaseId;

/// May these releases go up?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotionCheck {
    /// The releases.
    pub releases: Vec<ReleaseId>,
    /// What the registry that they would go into calls itself.
    pub into: String,
}
