//! The policies of a registry that a server serves, as its API tells of them.

use serde::{Deserialize, Serialize};
use weir_model::Sha256;

/// A policy set: its files, as they lie in the registry's folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PolicyDocument {
    /// The files.
    pub files: Vec<PolicyText>,
    /// Also if whoever sets it could not change it again.
    #[serde(default)]
    pub lock_out: bool,
}

/// A file of a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyText {
    /// Its name.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// A set that was put in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyInForce {
    /// What it is, in a few words.
    pub summary: String,
    /// Its digest.
    pub digest: Sha256,
    /// The digest that was in force before, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Sha256>,
    /// Whether it is another one now.
    pub changed: bool,
}
