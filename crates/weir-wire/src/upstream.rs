//! The registries above one that a server serves, as its API tells of them.

use serde::{Deserialize, Serialize};
use weir_model::record::UpstreamMode;

/// A registry above another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamDocument {
    /// Its name: the origin of its log.
    pub name: String,
    /// Where it is reached; nothing where whoever keeps the registry has yet to say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The key that signs for it, or one that its rotations lead from.
    pub key: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
}

/// All of them, the nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UpstreamList {
    /// They.
    pub upstreams: Vec<UpstreamDocument>,
}

/// A registry that is to be above another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WantedUpstream {
    /// Where it is reached.
    pub address: String,
    /// The key that must sign for it; trusted on first use where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What of it is admitted.
    #[serde(default)]
    pub mode: UpstreamMode,
    /// Whether it comes before those that are there, and not after them.
    #[serde(default)]
    pub first: bool,
}

/// What becomes of the registries above one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum UpstreamChange {
    /// One is named, or named anew with another address, key or mode.
    Add(WantedUpstream),
    /// One is named no longer. What was admitted from it stays.
    Remove {
        /// Its name.
        name: String,
    },
}
