//! What a policy may ask of a release.

use serde::Serialize;
use weir_model::{KindName, Release};

/// What a release is, as far as a policy may ask.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ReleaseFacts<'a> {
    /// What sort of package it is.
    pub kind: KindName,
    /// Its SPDX licence expression, if it has one.
    pub license: Option<&'a str>,
    /// Bytes of its pack.
    pub size: u64,
    /// Bytes of its files together.
    pub unpacked: u64,
    /// How many files and links it has.
    pub files: u64,
    /// Whether it was built from source by a recipe.
    pub built: bool,
    /// What its kind found out about it.
    pub kind_facts: &'a serde_json::Map<String, serde_json::Value>,
}

impl<'a> From<&'a Release> for ReleaseFacts<'a> {
    fn from(release: &'a Release) -> Self {
        Self {
            kind: release.kind,
            license: release.license.as_deref(),
            size: release.size,
            unpacked: release.unpacked,
            files: release.files,
            built: release.recipe.is_some(),
            kind_facts: &release.kind_facts,
        }
    }
}
