//! The evidence of a build: what a registry holds so that anybody can see how a release was made, and
//! make it again; and with it all that a registry holds for a release beside its pack.

use std::fmt;

use crate::{BuildFacts, ReferenceFact, Release, Sha256, SourceFact, TreeDigest};

/// A piece of content that a built release names beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum Evidence {
    /// The document that says how to build it.
    Recipe {
        /// A file of the registry.
        digest: Sha256,
    },
    /// A patch, or the script, that the recipe names.
    RecipeFile {
        /// A file of the registry.
        digest: Sha256,
    },
    /// The document that says what it was built with.
    Toolchain {
        /// A file of the registry.
        digest: Sha256,
    },
    /// What it was built from.
    Source {
        /// The tree in a pack of the registry.
        digest: TreeDigest,
        /// Bytes of the pack.
        size: u64,
    },
    /// The in-toto statement.
    Provenance {
        /// A file of the registry.
        digest: Sha256,
    },
    /// What the build printed.
    Log {
        /// A file of the registry.
        digest: Sha256,
    },
}

/// As what a registry holds a piece of content that a release names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldAs {
    /// As a pack of so many bytes.
    Pack(TreeDigest, u64),
    /// As a file, of so many bytes if the release says it.
    File(Sha256, Option<u64>),
}

impl HeldAs {
    /// The bytes of its digest.
    pub fn digest(&self) -> &[u8; 32] {
        match self {
            Self::Pack(tree, _) => tree.as_bytes(),
            Self::File(sha256, _) => sha256.as_bytes(),
        }
    }
}

impl Evidence {
    /// The evidence of a release that is a document of this digest: a source is none.
    pub fn document(release: &Release, sha256: &Sha256) -> Option<Self> {
        evidence(release).find(|evidence| matches!(evidence.held(), HeldAs::File(held, _) if held == *sha256))
    }

    /// What it is, in the fewest words.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Recipe { .. } => "recipe",
            Self::RecipeFile { .. } => "file of the recipe",
            Self::Toolchain { .. } => "toolchain",
            Self::Source { .. } => "source",
            Self::Provenance { .. } => "provenance",
            Self::Log { .. } => "build log",
        }
    }

    /// As what a registry holds it.
    pub fn held(&self) -> HeldAs {
        match *self {
            Self::Source { digest, size } => HeldAs::Pack(digest, size),
            Self::Recipe { digest }
            | Self::RecipeFile { digest }
            | Self::Toolchain { digest }
            | Self::Provenance { digest }
            | Self::Log { digest } => HeldAs::File(digest, None),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipe { digest } => write!(f, "the recipe {digest}"),
            Self::RecipeFile { digest } => write!(f, "a file of the recipe {digest}"),
            Self::Toolchain { digest } => write!(f, "the description of the toolchain {digest}"),
            Self::Source { digest, .. } => write!(f, "the source {digest}"),
            Self::Provenance { digest } => write!(f, "the provenance {digest}"),
            Self::Log { digest } => write!(f, "the build log {digest}"),
        }
    }
}

/// The evidence that a release names.
pub fn evidence(release: &Release) -> impl Iterator<Item = Evidence> + use<> {
    let BuildFacts { source, recipe_files, provenance, log, .. } = release.build().unwrap_or_default();
    let all = [
        release.recipe.map(|digest| Evidence::Recipe { digest }),
        release.toolchain.map(|digest| Evidence::Toolchain { digest }),
        source.map(|SourceFact { tree, size }| Evidence::Source { digest: tree, size }),
        provenance.map(|digest| Evidence::Provenance { digest }),
        log.map(|digest| Evidence::Log { digest }),
    ];
    let recipe_files = recipe_files.into_iter().map(|digest| Evidence::RecipeFile { digest });
    all.into_iter().flatten().chain(recipe_files)
}

/// What a registry holds for a release beside its own pack: the external files that its record promises, and the evidence of its build.
pub fn held_beside(release: &Release) -> impl Iterator<Item = HeldAs> {
    beside(release, |reference| reference.held)
}

/// All content that a release names beside its own pack, whether the registry promises to hold it or it comes from elsewhere.
pub fn named_beside(release: &Release) -> impl Iterator<Item = HeldAs> {
    beside(release, |_| true)
}

fn beside(release: &Release, counts: fn(&ReferenceFact) -> bool) -> impl Iterator<Item = HeldAs> {
    let references = release.references.iter().filter(move |reference| counts(reference));
    let files = references.filter_map(|reference| Some(HeldAs::File(reference.sha256?, reference.size)));
    files.chain(evidence(release).map(|evidence| evidence.held()))
}
