//! What a resolver asks of the world: the releases of a package, and what each of them needs.

use std::sync::Arc;

use weir_model::record::Hold;
use weir_model::{Dependency, InputDigest, KindName, PackageName, Platform, Version};
use weir_rules::{Offer, Standing};

/// What registries currently offer, as a resolver sees it.
///
/// A [`Resolver`](crate::Resolver) asks for the candidates of a name once, and for the
/// dependencies of a candidate once, and keeps the answers. The two are apart because a solver
/// looks at every candidate of a package but at the dependencies of one or two of them.
pub trait View {
    /// Why a question could not be answered.
    type Error: std::error::Error + 'static;

    /// Every release of a package, in any order and for any platform; nothing if the name is unknown.
    ///
    /// `registry` is the registry that the requirement named. Without one, the view answers from
    /// the registry to which it has bound the name.
    fn candidates(
        &self,
        name: &PackageName,
        registry: Option<&str>,
    ) -> Result<Option<Candidates>, Self::Error>;

    /// What one of these candidates needs, in every scope.
    fn dependencies(&self, name: &PackageName, candidate: &Candidate)
    -> Result<Vec<Dependency>, Self::Error>;

    /// Whether a release can be used without fetching anything. Asked only where [`Here`](crate::Here) makes it count.
    fn is_here(&self, name: &PackageName, candidate: &Candidate) -> bool {
        let _ = (name, candidate);
        false
    }

    /// Other registries than `registry` that offer a package of this name. Asked only to explain a failure.
    fn elsewhere(&self, name: &PackageName, registry: &str) -> Vec<Arc<str>> {
        let _ = (name, registry);
        Vec::new()
    }

    /// Releases of a package that a registry has above it, and that its policy keeps out, the newest first. Asked only to explain a failure.
    fn held(&self, name: &PackageName) -> Vec<Hold> {
        let _ = name;
        Vec::new()
    }

    /// The newest version of a package that registries further up than those of the view offer, as far as that is known. Asked only to explain a
    /// failure.
    fn further_up(&self, name: &PackageName) -> Option<Version> {
        let _ = name;
        None
    }

    /// Names that someone who wrote `name` may have meant, the likeliest first. Asked only to explain a failure.
    fn similar_names(&self, name: &PackageName) -> Vec<PackageName> {
        let _ = name;
        Vec::new()
    }
}

impl<T: View + ?Sized> View for &T {
    type Error = T::Error;

    fn candidates(
        &self,
        name: &PackageName,
        registry: Option<&str>,
    ) -> Result<Option<Candidates>, Self::Error> {
        (**self).candidates(name, registry)
    }

    fn dependencies(
        &self,
        name: &PackageName,
        candidate: &Candidate,
    ) -> Result<Vec<Dependency>, Self::Error> {
        (**self).dependencies(name, candidate)
    }

    fn is_here(&self, name: &PackageName, candidate: &Candidate) -> bool {
        (**self).is_here(name, candidate)
    }

    fn elsewhere(&self, name: &PackageName, registry: &str) -> Vec<Arc<str>> {
        (**self).elsewhere(name, registry)
    }

    fn held(&self, name: &PackageName) -> Vec<Hold> {
        (**self).held(name)
    }

    fn further_up(&self, name: &PackageName) -> Option<Version> {
        (**self).further_up(name)
    }

    fn similar_names(&self, name: &PackageName) -> Vec<PackageName> {
        (**self).similar_names(name)
    }
}

/// The releases of one package.
#[derive(Debug, Clone)]
pub struct Candidates {
    /// What sort of package it is; decides how it is resolved.
    pub kind: KindName,
    /// The registry that answered.
    pub registry: Arc<str>,
    /// Its releases, in any order. Quarantined ones belong here too, so that they can be explained.
    pub releases: Vec<Candidate>,
}

/// A release that may be chosen.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its version.
    pub version: Version,
    /// Where it runs.
    pub platform: Platform,
    /// How often it was built again.
    pub revision: u32,
    /// The digest of its inputs.
    pub input_digest: InputDigest,
    /// Whether it may be chosen; a yanked one only by a lockfile, or by a release that was published with it.
    pub standing: Standing,
    /// Why it was withdrawn, if it was and somebody said why.
    pub reason: Option<Arc<str>>,
    /// Whatever helps the view to find this release again, such as a row number.
    pub handle: u64,
}

impl Offer for Candidate {
    fn version(&self) -> &Version {
        &self.version
    }

    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn standing(&self) -> Standing {
        self.standing
    }
}
