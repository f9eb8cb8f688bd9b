//! The evidence of a build: what a registry holds so that anybody can see how a release was made, and
//! make it again.

use std::fmt;

use weir_model::{BuildFacts, Digest, Release, SourceFact};

/// A piece of content that a built release names beside its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Evidence {
    /// What it is.
    #[serde(flatten)]
    pub what: EvidenceKind,
    /// The digest it is held by: of a source the digest of its tree, of everything else the SHA-256 of
    /// a file.
    pub digest: Digest,
}

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// The document that says how to build it.
    Recipe,
    /// A patch, or the script, that the recipe names.
    RecipeFile,
    /// The document that says what it was built with.
    Toolchain,
    /// What it was built from: a pack.
    Source {
        /// Bytes of the pack.
        size: u64,
    },
    /// The in-toto statement.
    Provenance,
    /// What the build printed.
    Log,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            EvidenceKind::Recipe => "the recipe",
            EvidenceKind::RecipeFile => "a file of the recipe",
            EvidenceKind::Toolchain => "the description of the toolchain",
            EvidenceKind::Source { .. } => "the source",
            EvidenceKind::Provenance => "the provenance",
            EvidenceKind::Log => "the build log",
        };
        write!(f, "{what} {}", self.digest)
    }
}

/// The evidence that a release names.
pub fn evidence(release: &Release) -> impl Iterator<Item = Evidence> + use<> {
    let BuildFacts { source, recipe_files, provenance, log, .. } = release.build().unwrap_or_default();
    let source = source.map(|SourceFact { tree, size }| (EvidenceKind::Source { size }, tree));
    let file = |what, digest: Option<Digest>| digest.map(|digest| (what, digest));
    let all = [
        file(EvidenceKind::Recipe, release.recipe),
        file(EvidenceKind::Toolchain, release.toolchain),
        source,
        file(EvidenceKind::Provenance, provenance),
        file(EvidenceKind::Log, log),
    ];
    let recipe_files = recipe_files.into_iter().map(|digest| (EvidenceKind::RecipeFile, digest));
    all.into_iter().flatten().chain(recipe_files).map(|(what, digest)| Evidence { what, digest })
}
