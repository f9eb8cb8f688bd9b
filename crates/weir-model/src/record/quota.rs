//! How much a registry holds for whom, at most.

use serde::{Deserialize, Serialize};

use crate::OwnerName;

/// How many bytes somebody may hold from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Quota {
    /// Who.
    pub of: QuotaOf,
    /// How many; as many as they like, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// Whom a quota is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuotaOf {
    /// All owners together.
    Registry,
    /// Each owner that has none of its own.
    EachOwner,
    /// One owner.
    Owner(OwnerName),
}
