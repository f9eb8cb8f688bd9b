//! The evidence of a build: what a registry holds so that anybody can see how a release was made, and
//! make it again.

use std::fmt;

use weir_model::{BuildFacts, Release, Sha256, SourceFact, TreeDigest};

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

/// As what a registry holds a piece of evidence.
pub(crate) enum Held {
    /// As a pack of so many bytes.
    Pack(TreeDigest, u64),
    /// As a file.
    File(Sha256),
}

impl Evidence {
    pub(crate) fn held(&self) -> Held {
        match *self {
            Self::Source { digest, size } => Held::Pack(digest, size),
            Self::Recipe { digest }
            | Self::RecipeFile { digest }
            | Self::Toolchain { digest }
            | Self::Provenance { digest }
            | Self::Log { digest } => Held::File(digest),
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
