//! What a recipe would build, with every dependency resolved.

use weir_model::{Baked, Dependency, Digest, InputDigest, KindName, Release, ReleaseId, Scope, Sha256};

use super::{BuildStep, Candidate, CandidateDependency, Offered, On, StepDependency};

/// A release that is to be built.
pub(super) struct Resolved<'a> {
    pub(super) id: ReleaseId,
    /// By name and scope, as a registry sorts them.
    pub(super) needs: Vec<(&'a CandidateDependency, Taken<'a>)>,
}

/// Where a dependency is taken from.
#[derive(Clone, Copy)]
pub(super) enum Taken<'a> {
    /// From the release that is built in this place.
    Built(usize),
    /// From a release that is offered.
    Offered(&'a Offered),
}

/// What a recipe asks for as far as building goes.
pub(super) fn needs(candidate: &Candidate) -> impl Iterator<Item = &CandidateDependency> {
    candidate.dependencies.iter().filter(|dependency| dependency.scope != Scope::Dev)
}

/// The needs of a recipe in the order in which a registry has them, each taken from where `take` says;
/// nothing if one can be taken from nowhere.
pub(super) fn resolve<'a>(
    candidate: &'a Candidate,
    take: impl Fn(&'a CandidateDependency) -> Option<Taken<'a>>,
) -> Option<Vec<(&'a CandidateDependency, Taken<'a>)>> {
    let mut needs: Vec<_> = needs(candidate).collect();
    needs.sort_by_key(|dependency| (&dependency.name, dependency.scope));
    needs.into_iter().map(|dependency| Some((dependency, take(dependency)?))).collect()
}

impl Taken<'_> {
    /// Which release it is, and its input digest, when `built` is what comes before.
    pub(super) fn release<'s>(&'s self, built: &'s [BuildStep]) -> (&'s ReleaseId, InputDigest) {
        match self {
            Self::Built(place) => (&built[*place].id, built[*place].input_digest),
            Self::Offered(offered) => (&offered.id, offered.input_digest),
        }
    }
}

/// How a plan shows a dependency.
pub(super) fn step_dependency(
    dependency: &CandidateDependency,
    taken: &Taken<'_>,
    built: &[BuildStep],
) -> StepDependency {
    StepDependency {
        name: dependency.name.clone(),
        range: dependency.range.clone(),
        scope: dependency.scope,
        on: match taken {
            Taken::Built(place) => On::Step(*place),
            Taken::Offered(offered) => On::Offered(offered.id.clone()),
        },
        input_digest: taken.release(built).1,
    }
}

/// The input digest that a release will have, computed of what a registry will compute it of.
pub(super) fn input_digest(
    id: &ReleaseId,
    needs: &[(&CandidateDependency, Taken<'_>)],
    recipe: Sha256,
    toolchain: Sha256,
    built: &[BuildStep],
) -> InputDigest {
    let dependency = |(dependency, taken): &(&CandidateDependency, Taken<'_>)| {
        let (id, input_digest) = taken.release(built);
        let ReleaseId { version, platform, revision, .. } = id.clone();
        Dependency {
            name: dependency.name.clone(),
            range: dependency.range.clone(),
            scope: dependency.scope,
            baked: Some(Baked { version, platform, revision, input_digest }),
        }
    };
    // The content plays no part in an input digest.
    let release = Release {
        id: id.clone(),
        kind: KindName::Native,
        tree: Digest::from_bytes([0; 32]),
        size: 0,
        unpacked: 0,
        files: 0,
        input_digest: Digest::from_bytes([0; 32]),
        dependencies: needs.iter().map(dependency).collect(),
        references: Vec::new(),
        recipe: Some(recipe),
        toolchain: Some(toolchain),
        license: None,
        description: None,
        kind_facts: serde_json::Map::new(),
    };
    release.compute_input_digest()
}
