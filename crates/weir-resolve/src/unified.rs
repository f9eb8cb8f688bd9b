//! Unified kinds: a first try without backtracking, then the PubGrub algorithm, over ranks.

use std::cell::Cell;
use std::cmp::Reverse;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, DerivationTree, Map,
    PackageResolutionStatistics, PubGrubError,
};

use crate::catalogue::{CatalogueError, PackageId};
use crate::greedy;
use crate::ranks::{Rank, RankSet};
use crate::view::View;
use crate::walk::Walker;

/// How many decisions a search may take. Real ones take thousands at most; a hostile one would take for ever.
pub(crate) const MAX_STEPS: u32 = 200_000;

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
    walker: Walker<'_, V>,
    roots: &[Constraint],
) -> Result<Selection, Unsolved<V::Error>> {
    match greedy::choose(walker, roots) {
        Ok(Some(selection)) => return Ok(selection),
        Ok(None) => {}
        Err(error) => return Err(Unsolved::Failed(error)),
    }
    let problem = Problem { walker, roots, steps: Cell::new(0) };
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
    walker: Walker<'a, V>,
    roots: &'a [Constraint],
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
        self.walker.choose_unified(*package, range)
    }

    fn get_dependencies(
        &self,
        id: &PackageId,
        rank: &Rank,
    ) -> Result<Dependencies<PackageId, RankSet, NoReason>, Self::Err> {
        if *id == PackageId::ROOT {
            return Ok(Dependencies::Available(self.roots.iter().cloned().collect()));
        }
        let mut constraints = Vec::new();
        self.walker.each_constraint(*id, *rank, |id, accepts| constraints.push((id, accepts.clone())))?;
        Ok(Dependencies::Available(DependencyConstraints::from_iter(constraints)))
    }

    fn should_cancel(&self) -> Result<(), Self::Err> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS { Err(CatalogueError::GaveUp { steps: MAX_STEPS }) } else { Ok(()) }
    }
}
