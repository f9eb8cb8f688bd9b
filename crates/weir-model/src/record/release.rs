//! A release as a record says it: shorter than [`Release`], for every reader of a log fetches every record.
//!
//! What is usual is left out, and so are input digests, which follow from the records up to here: what was baked is
//! named, and is a release of the same log.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::{
    Baked, BuildId, Dependency, InputDigest, KindName, PackageName, Platform, Range, ReferenceFact, Release,
    ReleaseId, Scope, Sha256, TreeDigest, Version,
};

/// A release that is published or admitted. The fields mean what those of [`Release`] mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are told at `Release`")]
pub struct ReleaseRecord {
    pub name: PackageName,
    pub version: Version,
    #[serde(default, skip_serializing_if = "Platform::is_any")]
    pub platform: Platform,
    #[serde(default, skip_serializing_if = "is_default")]
    pub revision: u32,
    pub kind: KindName,
    pub tree: TreeDigest,
    pub size: u64,
    pub unpacked: u64,
    pub files: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<DependencyRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFact>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toolchain: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub kind_facts: Map<String, Value>,
}

/// One thing that a release needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyRecord {
    /// The package needed.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: Scope,
    /// The release of the same log that it was fixed to, as [`BuildId`] spells it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "write_build",
        deserialize_with = "read_build"
    )]
    pub baked: Option<BuildId>,
}

impl From<Release> for ReleaseRecord {
    fn from(release: Release) -> Self {
        let ReleaseId { name, version, platform, revision } = release.id;
        let dependencies =
            release.dependencies.into_iter().map(|Dependency { name, range, scope, baked }| {
                let baked = baked.map(|Baked { version, platform, revision, .. }| BuildId {
                    version,
                    platform,
                    revision,
                });
                DependencyRecord { name, range, scope, baked }
            });
        Self {
            name,
            version,
            platform,
            revision,
            kind: release.kind,
            tree: release.tree,
            size: release.size,
            unpacked: release.unpacked,
            files: release.files,
            dependencies: dependencies.collect(),
            references: release.references,
            recipe: release.recipe,
            toolchain: release.toolchain,
            license: release.license,
            description: release.description,
            kind_facts: release.kind_facts,
        }
    }
}

impl ReleaseRecord {
    /// Name, version, platform and revision.
    pub fn id(&self) -> ReleaseId {
        ReleaseId {
            name: self.name.clone(),
            version: self.version.clone(),
            platform: self.platform.clone(),
            revision: self.revision,
        }
    }

    /// The release, with its input digest. `input_digest_of` finds that of what was baked in the log up to here.
    ///
    /// # Errors
    ///
    /// What `input_digest_of` says.
    pub fn into_release<E>(
        self,
        mut input_digest_of: impl FnMut(&ReleaseId) -> Result<InputDigest, E>,
    ) -> Result<Release, E> {
        let mut dependencies = Vec::with_capacity(self.dependencies.len());
        for DependencyRecord { name, range, scope, baked } in self.dependencies {
            let baked = match baked {
                None => None,
                Some(build) => {
                    let id = build.of(name.clone());
                    let input_digest = input_digest_of(&id)?;
                    let ReleaseId { version, platform, revision, .. } = id;
                    Some(Baked { version, platform, revision, input_digest })
                }
            };
            dependencies.push(Dependency { name, range, scope, baked });
        }
        let Self { name, version, platform, revision, .. } = self;
        let mut release = Release {
            id: ReleaseId { name, version, platform, revision },
            kind: self.kind,
            tree: self.tree,
            size: self.size,
            unpacked: self.unpacked,
            files: self.files,
            input_digest: InputDigest::from_bytes([0; 32]),
            dependencies,
            references: self.references,
            recipe: self.recipe,
            toolchain: self.toolchain,
            license: self.license,
            description: self.description,
            kind_facts: self.kind_facts,
        };
        release.input_digest = release.compute_input_digest();
        Ok(release)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::ref_option, reason = "serde hands it over so")]
fn write_build<S: Serializer>(build: &Option<BuildId>, to: S) -> Result<S::Ok, S::Error> {
    build.as_ref().map(ToString::to_string).serialize(to)
}

fn read_build<'de, D: Deserializer<'de>>(from: D) -> Result<Option<BuildId>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    text.map(|text| text.parse().map_err(de::Error::custom)).transpose()
}
