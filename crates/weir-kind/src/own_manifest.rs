//! Manifests that the tools of an ecosystem read, and that stay what a project of that ecosystem says of itself: `elm.json`.
//!
//! A `weir.toml` may stand beside one, and adds what such a manifest has no word for: registries, overrides, scripts.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::manifest::{Package, Requirement};
use weir_model::{KindName, Manifest, PackageName, Range, ReleaseId, Version};

use crate::{Facts, KindError};

/// How the manifest of an ecosystem's own tools is read and written.
pub trait OwnManifest: std::fmt::Debug + Send + Sync {
    /// The name of the file.
    fn file(&self) -> &'static str;

    /// What sort of package it is the manifest of.
    fn kind(&self) -> KindName;

    /// Whether a `weir.toml` in the same folder adds to it, and is not the manifest of something else.
    fn is_beside(&self, manifest: &Manifest) -> bool {
        manifest.package == Package::default() || manifest.package.kind == self.kind()
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// When it cannot be understood.
    fn read(&self, text: &str) -> Result<Said, KindError>;

    /// What may be taken in the place of an exact version, where that may move a little: what is compatible with it.
    fn loosened(&self, version: &Version) -> Range;

    /// The text when `asked` is asked for and `chosen` is what it comes to; word for word the same where nothing changes.
    ///
    /// # Errors
    ///
    /// When it cannot say that.
    fn settle(&self, text: &str, asked: &[Requirement], chosen: &[Chosen<'_>]) -> Result<Settled, KindError>;

    /// The manifest of a new project or, if it has a name, of a new package, and what is beside it. `tools` are those that are here.
    fn scaffold(&self, new: &Package, tools: &BTreeMap<PackageName, Version>) -> NewManifest;
}

/// A manifest that begins a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewManifest {
    /// Its text.
    pub text: String,
    /// Files beside it: path and text.
    pub files: Vec<(String, String)>,
    /// What is to stay out of version control, as a line of `.gitignore`.
    pub ignored: Vec<String>,
}

/// What such a manifest says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// Of the package itself.
    pub package: Package,
    /// What it asks for.
    pub dependencies: Vec<Requirement>,
    /// What its tools need of every project, though nobody asks for it.
    pub implied: Vec<Requirement>,
    /// The exact versions it names, of what it asks for and of what that needs.
    pub pins: BTreeMap<PackageName, Version>,
    /// Tools that every release was written for some versions of, and the versions that will do here, the newest last.
    pub tools: BTreeMap<PackageName, Vec<Version>>,
}

/// A release that was chosen for a project.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen<'a> {
    /// Which one.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// What its kind found out about it.
    pub facts: &'a Facts,
    /// The releases it uses.
    pub dependencies: Vec<ReleaseId>,
    /// Whether a `weir.toml` beside the manifest asks for it.
    pub beside: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// The manifest's text.
    pub text: String,
    /// What it cannot ask for, and a `weir.toml` beside it has to.
    pub beside: BTreeSet<PackageName>,
}

impl Said {
    /// Both together. What the `weir.toml` says of the package and of a dependency goes before.
    #[must_use]
    pub fn with(&self, beside: Manifest) -> Manifest {
        let is_said = |own: &&Requirement| {
            beside.dependencies.iter().all(|other| (&other.name, other.scope) != (&own.name, own.scope))
        };
        let is_implied = |implied: &&Requirement| {
            let mut asked = self.dependencies.iter().chain(&beside.dependencies);
            asked.all(|asked| asked.name != implied.name)
        };
        let implied = self.implied.iter().filter(is_implied);
        let own = self.dependencies.iter().filter(is_said).chain(implied);
        let mut dependencies: Vec<Requirement> = own.cloned().collect();
        let (own, other) = (self.package.clone(), beside.package);
        dependencies.extend(beside.dependencies);
        let either = |one: Vec<String>, other: Vec<String>| if one.is_empty() { other } else { one };
        let package = Package {
            name: other.name.or(own.name),
            version: other.version.or(own.version),
            kind: own.kind,
            platform: own.platform,
            license: other.license.or(own.license),
            description: other.description.or(own.description),
            authors: either(other.authors, own.authors),
            homepage: other.homepage.or(own.homepage),
            repository: other.repository.or(own.repository),
            keywords: either(other.keywords, own.keywords),
            include: either(other.include, own.include),
            exclude: own.exclude.into_iter().chain(other.exclude).collect(),
        };
        Manifest { package, dependencies, ..beside }
    }
}
