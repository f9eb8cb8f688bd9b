//! A release to be published.

use serde::{Deserialize, Serialize};
use weir_model::{
    InputDigest, KindName, PackageName, Range, ReferenceFact, ReleaseId, Scope, Sha256, TreeDigest,
};

/// A release to be published: everything but what only the registry can say, which is what its
/// dependencies are baked to, and so its input digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Draft {
    /// Name, version, platform and revision.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// The input digest that it must come to, if whoever drafted it has computed one: then its dependencies are baked
    /// to what that was computed from, or it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<InputDigest>,
    /// Bytes of its pack.
    pub size: u64,
    /// Bytes of its files together.
    pub unpacked: u64,
    /// How many files and links it has.
    pub files: u64,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Wanted>,
    /// The external files it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFact>,
    /// The recipe it was built by, if it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Sha256>,
    /// The toolchain it was built with, if it was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<Sha256>,
    /// An SPDX licence expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// One line that says what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its kind found out about it.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// A dependency of a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The package needed.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    #[serde(default)]
    pub scope: Scope,
    /// Whether it may move within the range afterwards.
    #[serde(default)]
    pub fluid: bool,
}
