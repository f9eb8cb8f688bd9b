//! What a policy may ask of a release.

use jiff::Timestamp;
use serde::Serialize;
use weir_model::advisory::Severity;
use weir_model::record::ReleaseRecord;
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
    /// Whether a statement of how it was built is held with it.
    pub provenance: bool,
    /// What its kind found out about it.
    pub kind_facts: &'a serde_json::Map<String, serde_json::Value>,
    /// When it was published first, if it was: here, or in the registry above that it comes from.
    pub published: Option<Timestamp>,
    /// Whether its name is new and can be mistaken for one that is there already.
    pub confusable: bool,
    /// How bad the worst is that advisories know against it, if anything is known: one that does not say how bad counts as the worst.
    pub advised: Option<Severity>,
    /// The registry above that it comes from, where it is to be admitted.
    pub upstream: Option<&'a str>,
    /// The registry below that it comes from, where it is promoted into this one; the one above, where it is to go up.
    pub promoted: Option<&'a str>,
    /// Who approved that it is promoted into this registry.
    pub approved_by: &'a [String],
}

impl ReleaseFacts<'_> {
    /// The same, of a release that was published at `at`.
    #[must_use]
    pub fn published_at(self, at: Timestamp) -> Self {
        Self { published: Some(at), ..self }
    }
}

/// Whether the facts of a kind say that there is a statement of how it was built. What it is in detail is checked elsewhere.
pub fn has_provenance(kind_facts: &serde_json::Map<String, serde_json::Value>) -> bool {
    kind_facts
        .get("build")
        .and_then(|build| build.get("provenance"))
        .is_some_and(serde_json::Value::is_string)
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
            provenance: has_provenance(&release.kind_facts),
            kind_facts: &release.kind_facts,
            published: None,
            confusable: false,
            advised: None,
            upstream: None,
            promoted: None,
            approved_by: &[],
        }
    }
}

impl<'a> From<&'a ReleaseRecord> for ReleaseFacts<'a> {
    fn from(release: &'a ReleaseRecord) -> Self {
        Self {
            kind: release.kind,
            license: release.license.as_deref(),
            size: release.size,
            unpacked: release.unpacked,
            files: release.files,
            built: release.recipe.is_some(),
            provenance: has_provenance(&release.kind_facts),
            kind_facts: &release.kind_facts,
            published: None,
            confusable: false,
            advised: None,
            upstream: None,
            promoted: None,
            approved_by: &[],
        }
    }
}
