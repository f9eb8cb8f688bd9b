//! Promotions that wait for approvals, as the API of a server tells of them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_model::{ReleaseId, TreeDigest};

use crate::receipt::Receipt;

/// May these releases go up?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotionCheck {
    /// The releases.
    pub releases: Vec<ReleaseId>,
    /// What the registry that they would go into calls itself.
    pub into: String,
}

/// A promotion that waits for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PromotionRequest {
    /// What it is called.
    pub id: String,
    /// The registry that it is to go into.
    pub registry: String,
    /// The registry that it comes from, as that calls itself.
    pub from: String,
    /// The key that signed for that registry.
    pub key: String,
    /// What would be promoted.
    pub releases: Vec<ReleaseId>,
    /// What each of them consists of, in the same order: another release of that name has another tree.
    pub trees: Vec<TreeDigest>,
    /// Who asked for it: `user:ann`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who approved it so far.
    pub approvals: Vec<Approval>,
}

impl PromotionRequest {
    /// Whether somebody has approved it: `user:ann`.
    pub fn is_approved_by(&self, who: &str) -> bool {
        self.approvals.iter().any(|approval| approval.by == who)
    }
}

/// That somebody approved a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Promotions that wait for approvals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PromotionRequests {
    /// They, the oldest first.
    pub requests: Vec<PromotionRequest>,
}

/// What became of a promotion: it waits, or it was carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeptPromotion {
    /// The request that it waits as, or waited as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<PromotionRequest>,
    /// What was done, if it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// Whether it was asked for, or approved, before: then nothing changed, unless enough others had approved and it was carried out now.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub already: bool,
}
