//! Unified kinds: the PubGrub algorithm over ranks.

use std::cell::Cell;
use std::cmp::Reverse;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree, Map,
    PackageResolutionStatistics, PubGrubError,
};

use crate::catalogue::{Catalogue, CatalogueError, PackageId, Preferred};
use crate::ranks::{Rank, RankSet};
use crate::view::View;

/// How many decisions a search may take. Real ones take hundreds; a hostile one would take for ever.
const MAX_STEPS: u32 = 1_000_000;

/// Why a set of requirements has no solution, as the algorithm derived it.
pub(crate) type Proof = DerivationTree<PackageId, RankSet, NoReason>;

/// The algorithm's place for reasons of our own, of which there are none: every refusal is a dependency that nothing meets.
pub(crate) type NoReason = std::convert::Infallible;

/// The chosen rank of each unified package.
pub(crate) type Selection = Map<PackageId, Rank>;

/// What is required of one unified package.
pub(crate) type Constraint = (PackageId, RankSet);

/// The two ways in which a search ends without a selection.
pub(crate) enum Unsolved<E: std::error::Error + 'static> {
    Impossible(Proof),
    Failed(CatalogueError<E>),
}

/// Chooses one release for each package that `roots` reach, or proves that it cannot be done.
pub(crate) fn solve<V: View>(
    catalogue: &Catalogue<V>,
    roots: &[Constraint],
    preferred: &Preferred,
) -> Result<Selection, Unsolved<V::Error>> {
    let problem = Problem { catalogue, roots, preferred, steps: Cell::new(0) };
    match pubgrub::resolve(&problem, PackageId::ROOT, 0_u32) {
        Ok(selected) => Ok(selected.into_iter().filter(|(package, _)| *package != PackageId::ROOT).collect()),
        Err(PubGrubError::NoSolution(proof)) => Err(Unsolved::Impossible(proof)),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => Err(Unsolved::Failed(source)),
    }
}

struct Problem<'a, V> {
    catalogue: &'a Catalogue<V>,
    roots: &'a [Constraint],
    preferred: &'a Preferred,
    steps: Cell<u32>,
}

impl<V: View> DependencyProvider for Problem<'_, V> {
    type P = PackageId;
    type V = Rank;
    type VS = RankSet;
    type Priority = (u32, Reverse<u32>);
    type M = NoReason;
    type Err = CatalogueError<V::Error>;

    /// Packages in most conflicts first, then those with the fewest releases to choose from.
    fn prioritize(
        &self,
        _package: &PackageId,
        range: &RankSet,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        (statistics.conflict_count(), Reverse(range.count()))
    }

    fn choose_version(&self, package: &PackageId, range: &RankSet) -> Result<Option<Rank>, Self::Err> {
        Ok(self.preferred.choose(*package, range))
    }

    fn get_dependencies(
        &self,
        id: &PackageId,
        rank: &Rank,
    ) -> Result<Dependencies<PackageId, RankSet, NoReason>, Self::Err> {
        if *id == PackageId::ROOT {
            return Ok(Dependencies::Available(self.roots.iter().cloned().collect()));
        }
        let package = self.catalogue.package(*id)?;
        let needs = self.catalogue.needs(&package, *rank)?;
        let mut constraints = Vec::with_capacity(needs.len());
        for need in needs.iter() {
            let mut accepts = need.accepts.clone();
            if self.preferred.widens(need.package) {
                let target = self.catalogue.package(need.package)?;
                accepts = self.preferred.widen(need.package, &target, &need.demand, &accepts);
            }
            let meets_itself = need.package == *id && pubgrub::VersionSet::contains(&accepts, rank);
            // An isolated package is no part of this search, unless nothing of it would do.
            if !meets_itself && (need.unified || accepts.is_empty()) {
                constraints.push((need.package, accepts));
            }
        }
        Ok(Dependencies::Available(DependencyConstraints::from_iter(constraints)))
    }

    fn should_cancel(&self) -> Result<(), Self::Err> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS { Err(CatalogueError::GaveUp { steps: MAX_STEPS }) } else { Ok(()) }
    }
}
