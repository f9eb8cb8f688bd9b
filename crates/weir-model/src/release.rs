//! A release: one published thing, as the log records it, and the digest of its inputs.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    BuildFacts, Digest, InputDigest, KindName, PackageName, Platform, Range, Sha256, TreeDigest, Version,
};

/// What tells one release of a registry from every other.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct ReleaseId {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Where it runs.
    #[serde(default)]
    pub platform: Platform,
    /// How often this version was built again for this platform; 0 at first, and only growing.
    #[serde(default)]
    pub revision: u32,
}

/// What tells one release of a package from every other of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BuildId {
    /// Its version.
    pub version: Version,
    /// Where it runs.
    pub platform: Platform,
    /// How often this version was built again for this platform.
    pub revision: u32,
}

impl BuildId {
    /// The release of this package.
    pub fn of(self, name: PackageName) -> ReleaseId {
        let Self { version, platform, revision } = self;
        ReleaseId { name, version, platform, revision }
    }
}

impl ReleaseId {
    /// What tells it from every other release of its package.
    pub fn build(self) -> BuildId {
        let Self { version, platform, revision, .. } = self;
        BuildId { version, platform, revision }
    }
}

impl fmt::Display for BuildId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_build(f, &self.version, &self.platform, self.revision)
    }
}

impl fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        write_build(f, &self.version, &self.platform, self.revision)
    }
}

fn write_build(
    f: &mut fmt::Formatter<'_>,
    version: &Version,
    platform: &Platform,
    revision: u32,
) -> fmt::Result {
    write!(f, "{version}")?;
    if !platform.is_any() {
        write!(f, " {platform}")?;
    }
    if revision > 0 {
        write!(f, " revision {revision}")?;
    }
    Ok(())
}

/// One published thing. Never changes once it is in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Release {
    /// Name, version, platform and revision.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// Bytes of its pack: what travels.
    pub size: u64,
    /// Bytes of its files together.
    pub unpacked: u64,
    /// How many files and links it has.
    pub files: u64,
    /// The digest of its inputs, see [`Release::compute_input_digest`].
    pub input_digest: InputDigest,
    /// What it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// The external files it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<ReferenceFact>,
    /// The recipe it was built by, if it was built: the SHA-256 of a document that the registry holds
    /// as a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Sha256>,
    /// The toolchain it was built with, if it was built: the SHA-256 of a document that the registry
    /// holds as a file.
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
    pub kind_facts: serde_json::Map<String, serde_json::Value>,
}

/// One thing a release needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dependency {
    /// The package needed.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// What it is needed for.
    #[serde(default)]
    pub scope: Scope,
    /// The exact release it was fixed to when this one was published; absent when it may move
    /// within its range (a *fluid* dependency, and every dependency of an `elm` package).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baked: Option<Baked>,
}

/// What a dependency is needed for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To be used.
    #[default]
    Run,
    /// To be built.
    Build,
    /// To be worked on: only the package's own developers need it.
    Dev,
}

/// The exact release a dependency was fixed to.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub struct Baked {
    /// Its version.
    pub version: Version,
    /// Its platform.
    #[serde(default)]
    pub platform: Platform,
    /// Its revision.
    #[serde(default)]
    pub revision: u32,
    /// Its input digest, by which it is recognised wherever it is offered.
    pub input_digest: InputDigest,
}

/// An external file that a release names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ReferenceFact {
    /// Its name in the manifest.
    pub name: String,
    /// The digest of its bytes; of a fluid reference, what was current at publication, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sha256>,
    /// How many bytes it has; of a fluid reference, the most that is acceptable, if there is a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Whether it may move without a new release.
    #[serde(default)]
    pub fluid: bool,
    /// Of a fluid reference to git tags, the versions that would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Whether the registry held its bytes when the release was registered: then it keeps them as long as the release. Only
    /// the registry says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

impl Dependency {
    /// The release this dependency was fixed to, if it was.
    pub fn baked_id(&self) -> Option<ReleaseId> {
        self.baked.as_ref().map(|baked| ReleaseId {
            name: self.name.clone(),
            version: baked.version.clone(),
            platform: baked.platform.clone(),
            revision: baked.revision,
        })
    }
}

impl Release {
    /// The digest of the inputs of this release. Two releases of one input digest must have one tree.
    ///
    /// SHA-256 of `weir-inputs-v1\n` and the canonical JSON of name, version, kind, platform,
    /// dependencies (`[name, input digest of what is baked, or range]`, sorted), references
    /// (`[name, sha256, or range if fluid]`, sorted), recipe and toolchain. Dependencies of scope
    /// `dev` shape nothing that is published and do not count.
    pub fn compute_input_digest(&self) -> InputDigest {
        Digest::of(self.input_text())
    }

    /// Where the evidence of its build is, if it was built. Facts that cannot be read count as none:
    /// a registry takes no release with such, see [`BuildFacts::read`].
    pub fn build(&self) -> Option<BuildFacts> {
        BuildFacts::read(&self.kind_facts).ok().flatten()
    }

    /// What the input digest is the digest of. Written out by hand rather than as a JSON value, because
    /// loading a snapshot computes 200,000 input digests in a row.
    fn input_text(&self) -> String {
        let dependencies = self.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev);
        let dependencies = dependencies.map(|dependency| {
            let fixed = match &dependency.baked {
                Some(baked) => Cow::Owned(baked.input_digest.to_string()),
                None => Cow::Borrowed(dependency.range.as_str()),
            };
            (dependency.name.as_str(), fixed)
        });
        let references = self.references.iter().map(|reference| {
            let fixed = match (&reference.sha256, reference.fluid) {
                (Some(sha256), false) => Cow::Owned(sha256.to_string()),
                _ => Cow::Borrowed(reference.range.as_ref().map_or("*", Range::as_str)),
            };
            (reference.name.as_str(), fixed)
        });
        let mut text = String::with_capacity(512);
        text.push_str("weir-inputs-v1\n{\"dependencies\":");
        push_pairs(&mut text, dependencies.collect());
        text.push_str(",\"kind\":");
        push_string(&mut text, self.kind.as_str());
        text.push_str(",\"name\":");
        push_string(&mut text, self.id.name.as_str());
        text.push_str(",\"platform\":");
        push_string(&mut text, self.id.platform.as_str());
        text.push_str(",\"recipe\":");
        push_digest(&mut text, self.recipe);
        text.push_str(",\"references\":");
        push_pairs(&mut text, references.collect());
        text.push_str(",\"toolchain\":");
        push_digest(&mut text, self.toolchain);
        text.push_str(",\"version\":");
        push_string(&mut text, &self.id.version.to_string());
        text.push('}');
        text
    }
}

fn push_pairs(text: &mut String, mut pairs: Vec<(&str, Cow<'_, str>)>) {
    pairs.sort_unstable();
    text.push('[');
    for (index, (name, fixed)) in pairs.iter().enumerate() {
        text.push_str(if index == 0 { "[" } else { ",[" });
        push_string(text, name);
        text.push(',');
        push_string(text, fixed);
        text.push(']');
    }
    text.push(']');
}

fn push_digest(text: &mut String, digest: Option<Sha256>) {
    match digest {
        Some(digest) => push_string(text, &digest.to_string()),
        None => text.push_str("null"),
    }
}

/// A JSON string, as the canonical form has it.
fn push_string(text: &mut String, string: &str) {
    if string.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        text.push('"');
        text.push_str(string);
        text.push('"');
    } else {
        text.push_str(&serde_json::Value::from(string).to_string());
    }
}

/// Why a text does not name a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not name a release: {reason}")]
pub struct ReleaseIdError {
    /// What was read, cut to a printable length.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::str::FromStr for ReleaseId {
    type Err = ReleaseIdError;

    /// Reads what [`Display`](fmt::Display) prints: `owner/name version [platform] [revision N]`.
    fn from_str(text: &str) -> Result<Self, ReleaseIdError> {
        let error = |reason| ReleaseIdError::new(text, reason);
        let (name, build) =
            text.split_once(' ').ok_or_else(|| error("expected `owner/name version`".into()))?;
        let name = name.parse().map_err(|e: crate::NameError| error(e.to_string()))?;
        Ok(parse_build(build).map_err(error)?.of(name))
    }
}

impl std::str::FromStr for BuildId {
    type Err = ReleaseIdError;

    /// Reads what [`Display`](fmt::Display) prints: `version [platform] [revision N]`.
    fn from_str(text: &str) -> Result<Self, ReleaseIdError> {
        parse_build(text).map_err(|reason| ReleaseIdError::new(text, reason))
    }
}

impl ReleaseIdError {
    fn new(text: &str, reason: String) -> Self {
        Self { text: text.chars().take(200).collect(), reason }
    }
}

fn parse_build(text: &str) -> Result<BuildId, String> {
    let mut words = text.split(' ').peekable();
    let version = words.next().unwrap_or_default();
    let version = version.parse().map_err(|error: crate::VersionError| error.to_string())?;
    let mut build = BuildId { version, platform: Platform::any(), revision: 0 };
    if let Some(word) = words.next_if(|word| *word != "revision") {
        build.platform = word.parse().map_err(|error: crate::PlatformError| error.to_string())?;
    }
    if words.next().is_some() {
        let number = words.next().and_then(|word| word.parse().ok());
        build.revision = number.ok_or("expected a number after `revision`")?;
    }
    match words.next() {
        None => Ok(build),
        Some(_) => Err("there is more after it".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Baked, Dependency, ReferenceFact, Release, Scope};
    use crate::canonical::canonical_json;
    use crate::{Digest, InputDigest, KindName, Sha256};

    fn release() -> Release {
        let dependency = |name: &str, scope, baked: Option<Baked>| Dependency {
            name: name.parse().unwrap(),
            range: "1.0.0 <= v < 2.0.0".parse().unwrap(),
            scope,
            baked,
        };
        let baked = Baked {
            version: "1.4.2".parse().unwrap(),
            platform: "any".parse().unwrap(),
            revision: 3,
            input_digest: Digest::of("baked"),
        };
        let reference = |name: &str, sha256, fluid, range: Option<&str>| ReferenceFact {
            name: name.into(),
            sha256,
            size: Some(1),
            fluid,
            range: range.map(|range| range.parse().unwrap()),
            held: fluid,
        };
        Release {
            id: "acme/greet 1.2.0-beta.1 x86-64-debian-12 revision 4".parse().unwrap(),
            kind: KindName::Native,
            tree: Digest::of("tree"),
            size: 1,
            unpacked: 2,
            files: 3,
            input_digest: Digest::of("inputs"),
            dependencies: vec![
                dependency("b/two", Scope::Run, None),
                dependency("a/one", Scope::Build, Some(baked)),
                dependency("a/none", Scope::Dev, None),
            ],
            references: vec![
                reference("z \"quoted\"\u{1}", Some(Digest::of("z")), false, None),
                reference("é", Some(Digest::of("é")), true, Some(">=1, <2")),
                reference("a", None, true, None),
            ],
            recipe: Some(Digest::of("recipe")),
            toolchain: None,
            license: None,
            description: None,
            kind_facts: serde_json::Map::new(),
        }
    }

    #[test]
    fn the_input_digest_is_the_digest_of_the_canonical_json_of_the_inputs() {
        let release = release();
        let inputs = json!({
            "name": "acme/greet", "version": "1.2.0-beta.1", "kind": "native", "platform": "x86-64-debian-12",
            "dependencies": [["a/one", InputDigest::of("baked")], ["b/two", "1.0.0 <= v < 2.0.0"]],
            "references": [["a", "*"], ["z \"quoted\"\u{1}", Sha256::of("z")], ["é", ">=1, <2"]],
            "recipe": Sha256::of("recipe"), "toolchain": null,
        });
        let text = format!("weir-inputs-v1\n{}", canonical_json(&inputs).unwrap());
        assert_eq!(release.input_text(), text);
        assert_eq!(release.compute_input_digest(), Digest::of(text));
    }
}
