//! The lockfile, `weir.lock`: the exact releases, by content, that a project uses.
//!
//! Written by the program only: sorted, one table a release, byte-identical for the same resolution.
//! What it says counts only as far as resolving gives it again; one that does not even read still has its *remains*.

mod platforms;
mod remains;
mod write;

use serde::Deserialize;

use crate::name::is_reference_name;
use crate::unseen::Named as _;
use crate::{
    FactsError, InputDigest, KindName, PackageName, Platform, Range, ReleaseId, Sha256, TreeDigest, Version,
    check_facts,
};

/// The name of the file.
pub const FILE_NAME: &str = "weir.lock";

/// The version of the format this code writes, and the newest it reads.
pub const LOCKFILE_VERSION: u32 = 1;

/// The longest lockfile that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;

/// The most tables of a lockfile that is read.
pub const MAX_TABLES: usize = 50_000;

/// The exact releases a project uses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockfile {
    /// The version of the format.
    pub version: u32,
    /// The releases that the manifest asks for itself.
    #[serde(default)]
    pub direct: Vec<ReleaseText>,
    /// Every release of the closure, sorted.
    #[serde(default, rename = "release")]
    pub releases: Vec<LockedRelease>,
    /// The project's own references, sorted.
    #[serde(default, rename = "reference")]
    pub references: Vec<LockedReference>,
}

/// One release of the closure.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedRelease {
    /// The package.
    pub name: PackageName,
    /// Its version.
    pub version: Version,
    /// Where it runs.
    #[serde(default)]
    pub platform: Platform,
    /// How often this version was built again.
    #[serde(default)]
    pub revision: u32,
    /// What sort of package it is.
    pub kind: KindName,
    /// The digest of its tree; absent for a package that is used from a folder.
    pub tree: Option<TreeDigest>,
    /// The digest of its inputs.
    #[serde(rename = "input-digest")]
    pub input_digest: Option<InputDigest>,
    /// The bytes of its pack, so that a download knows where to stop.
    pub size: Option<u64>,
    /// The bytes of its files together.
    pub unpacked: Option<u64>,
    /// The name of the registry that offers it, if it comes from one.
    pub registry: Option<String>,
    /// The folder it is used from, if it is not from a registry.
    pub path: Option<String>,
    /// The git repository and tag it is from, and the commit the tag named.
    pub git: Option<LockedGit>,
    /// The releases it uses.
    #[serde(default)]
    pub dependencies: Vec<ReleaseText>,
    /// Of the dependencies that may move: what was acceptable, and what was chosen.
    #[serde(default)]
    pub fluid: Vec<FluidChoice>,
    /// The external files it names.
    #[serde(default)]
    pub references: Vec<LockedReference>,
    /// What its kind needs to know to lay it out.
    #[serde(default)]
    pub facts: serde_json::Map<String, serde_json::Value>,
}

/// Where a package from git came from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedGit {
    /// The repository's address.
    pub url: String,
    /// The tag.
    pub tag: String,
    /// The commit it named when it was fetched.
    pub commit: String,
    /// What is said over the manifest of the commit: it decides with that which of the files belong to the package.
    pub manifest: Option<String>,
}

/// What was acceptable for a dependency that may move, and what was chosen.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FluidChoice {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// The version chosen.
    pub chosen: Version,
}

/// An external file, fixed to its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedReference {
    /// Its name in the manifest.
    pub name: String,
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// How many bytes it has.
    pub size: u64,
    /// Addresses that hold the same bytes.
    #[serde(default)]
    pub mirrors: Vec<String>,
    /// Whether it is an archive to be unpacked.
    #[serde(default)]
    pub unpack: bool,
    /// Whether it may move without a new release.
    #[serde(default)]
    pub fluid: bool,
}

/// A release named in a list, as `owner/name version`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseText(pub ReleaseId);

impl<'de> Deserialize<'de> for ReleaseText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Why a text is not a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockfileError {
    /// It is of a newer format.
    #[error(
        "the lockfile is of format {found}, this program reads up to {LOCKFILE_VERSION}: a newer weir is needed"
    )]
    Newer {
        /// Its format.
        found: i64,
    },
    /// It does not read as a lockfile.
    #[error("the lockfile cannot be read: {message}")]
    Unreadable {
        /// What is wrong.
        message: String,
        /// The bytes of the text that it is about, if they are known.
        span: Option<std::ops::Range<usize>>,
    },
    /// A list names a release that no table describes.
    #[error("the lockfile names `{missing}`, needed by {by}, but has no table for it")]
    Incomplete {
        /// The release without a table.
        missing: ReleaseId,
        /// What names it.
        by: String,
    },
    /// Two tables describe one release.
    #[error("the lockfile describes `{0}` twice")]
    Twice(ReleaseId),
    /// A release has facts that no kind can have found.
    #[error("the lockfile's table of `{id}`: {error}")]
    Facts {
        /// The release.
        id: ReleaseId,
        /// What is wrong with them.
        #[source]
        error: FactsError,
    },
    /// A reference has a name that no manifest could give it, such as one that leaves the folder it is laid
    /// out in.
    #[error("the lockfile names a reference `{}`, which no reference can be called", .name.named())]
    ReferenceName {
        /// What it is called.
        name: String,
    },
}

impl LockedRelease {
    /// Name, version, platform and revision.
    pub fn id(&self) -> ReleaseId {
        ReleaseId {
            name: self.name.clone(),
            version: self.version.clone(),
            platform: self.platform.clone(),
            revision: self.revision,
        }
    }
}

impl Lockfile {
    /// Reads a lockfile.
    ///
    /// # Errors
    ///
    /// When it is of a newer format, does not read, or does not describe everything it names.
    pub fn parse(text: &str) -> Result<Self, LockfileError> {
        if text.len() > MAX_BYTES {
            let message = format!("it is longer than {MAX_BYTES} bytes");
            return Err(LockfileError::Unreadable { message, span: None });
        }
        if has_too_many_tables(text) {
            let message = format!("it has more than {MAX_TABLES} tables");
            return Err(LockfileError::Unreadable { message, span: None });
        }
        let unreadable = |error: toml_edit::de::Error| LockfileError::Unreadable {
            message: error.message().to_owned(),
            span: error.span(),
        };
        let lockfile: Self = toml_edit::de::from_str(text)
            .map_err(|error| newer(text).unwrap_or_else(|| unreadable(error)))?;
        if lockfile.version > LOCKFILE_VERSION {
            return Err(LockfileError::Newer { found: lockfile.version.into() });
        }
        lockfile.check()?;
        Ok(lockfile)
    }

    fn check(&self) -> Result<(), LockfileError> {
        let mut known = std::collections::HashSet::new();
        for release in &self.releases {
            if !known.insert(release.id()) {
                return Err(LockfileError::Twice(release.id()));
            }
        }
        let complete =
            |names: &[ReleaseText], by: String| match names.iter().find(|name| !known.contains(&name.0)) {
                Some(missing) => Err(LockfileError::Incomplete { missing: missing.0.clone(), by }),
                None => Ok(()),
            };
        complete(&self.direct, "the project".into())?;
        for release in &self.releases {
            complete(&release.dependencies, format!("`{}`", release.id()))?;
            check_facts(&release.facts).map_err(|error| LockfileError::Facts { id: release.id(), error })?;
        }
        let mut references =
            self.references.iter().chain(self.releases.iter().flat_map(|release| &release.references));
        match references.find(|reference| !is_reference_name(&reference.name)) {
            Some(reference) => Err(LockfileError::ReferenceName { name: reference.name.clone() }),
            None => Ok(()),
        }
    }

    /// The lockfile's text.
    pub fn to_text(&self) -> String {
        write::lockfile(self)
    }

    /// The table of a release.
    pub fn release(&self, id: &ReleaseId) -> Option<&LockedRelease> {
        self.releases.iter().find(|release| {
            release.name == id.name
                && release.version == id.version
                && release.platform == id.platform
                && release.revision == id.revision
        })
    }
}

fn has_too_many_tables(text: &str) -> bool {
    text.lines().filter(|line| line.trim_start().starts_with('[')).nth(MAX_TABLES).is_some()
}

/// A lockfile of a newer format may not read at all: say that it is newer rather than that it is broken.
fn newer(text: &str) -> Option<LockfileError> {
    let document = toml_edit::Document::parse(text).ok()?;
    let found = document.get("version")?.as_integer()?;
    (found > i64::from(LOCKFILE_VERSION)).then_some(LockfileError::Newer { found })
}

#[cfg(test)]
mod tests;
