//! The search over everything, for where what isolated packages prefer leads nowhere: each of their needs may take
//! another release.
//!
//! To the algorithm every need of an isolated package is a package of its own, whose releases are those that it
//! accepts; each of them needs one more, which stands for that very release and needs what the release needs. So
//! several releases of an isolated package may stand side by side, and what is not to be had, or does not go with
//! something else, is gone around. It finds a way if there is one. It is slow beside the first search, and says
//! nothing that a person could read if it fails: so it comes second.

use std::cell::Cell;
use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use pubgrub::{
    Dependencies, DependencyConstraints, DependencyProvider, Map, PackageResolutionStatistics, PubGrubError,
    VersionSet as _,
};

use crate::catalogue::{CatalogueError, Need, PackageId};
use crate::ranks::{Rank, RankSet};
use crate::unified::{MAX_STEPS, NoReason, Selection};
use crate::view::View;
use crate::walk::{Asker, Picks, Root, Walker};

/// What is chosen for unified packages, and for each need of an isolated one.
pub(crate) type Found = (Selection, Picks);

/// What the algorithm takes for a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Part {
    Project,
    Unified(PackageId),
    /// A need of an isolated package. Its releases are those of the package.
    Need(Asker),
    /// A release of an isolated package. It has one release, 0.
    Isolated(PackageId, Rank),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Looks for any way to meet `roots`. Nothing if there is none, or it takes too long to find.
pub(crate) fn search<V: View>(
    walker: Walker<'_, V>,
    roots: &[Root],
) -> Result<Option<Found>, CatalogueError<V::Error>> {
    let problem = Problem { walker, roots, steps: Cell::new(0) };
    match pubgrub::resolve(&problem, Part::Project, 0_u32) {
        Ok(selected) => {
            let (mut selection, mut picks) = Found::default();
            for (part, rank) in selected {
                match part {
                    Part::Unified(id) => drop(selection.insert(id, rank)),
                    Part::Need(asker) => drop(picks.insert(asker, rank)),
                    Part::Project | Part::Isolated(..) => {}
                }
            }
            Ok(Some((selection, picks)))
        }
        Err(PubGrubError::NoSolution(_)) => Ok(None),
        Err(
            PubGrubError::ErrorRetrievingDependencies { source, .. }
            | PubGrubError::ErrorChoosingVersion { source, .. }
            | PubGrubError::ErrorInShouldCancel(source),
        ) => match source {
            CatalogueError::GaveUp { .. } => Ok(None),
            failed => Err(failed),
        },
    }
}

struct Problem<'a, V> {
    walker: Walker<'a, V>,
    roots: &'a [Root],
    steps: Cell<u32>,
}

type Constraints = Map<Part, RankSet>;

impl<V: View> Problem<'_, V> {
    fn of_project(&self) -> Constraints {
        let mut constraints = Constraints::default();
        for root in self.roots {
            let part = match root.package.is_unified() {
                true => Part::Unified(root.id),
                false => Part::Need(Asker::Project(root.id)),
            };
            require(&mut constraints, part, &root.accepts);
        }
        constraints
    }

    fn of_release(&self, id: PackageId, rank: Rank) -> Result<Constraints, CatalogueError<V::Error>> {
        let Walker { catalogue, preferred, .. } = self.walker;
        let package = catalogue.package(id)?;
        let mut constraints = Constraints::default();
        for (index, need) in catalogue.needs(&package, rank)?.iter().enumerate() {
            let target = catalogue.package(need.package)?;
            let accepts = preferred.widen(need.package, &target, &need.demand, &need.accepts);
            let meets_itself = need.unified && need.package == id && accepts.contains(&rank);
            if !meets_itself {
                let part = match need.unified {
                    true => Part::Unified(need.package),
                    false => Part::Need(Asker::Release { id, rank, need: index }),
                };
                require(&mut constraints, part, &accepts);
            }
        }
        Ok(constraints)
    }

    /// The package that is asked for.
    fn target(&self, asker: Asker) -> Result<PackageId, CatalogueError<V::Error>> {
        match asker {
            Asker::Project(id) => Ok(id),
            Asker::Release { id, rank, need } => Ok(self.needs(id, rank)?[need].package),
        }
    }

    fn needs(&self, id: PackageId, rank: Rank) -> Result<Arc<[Need]>, CatalogueError<V::Error>> {
        let package = self.walker.catalogue.package(id)?;
        self.walker.catalogue.needs(&package, rank)
    }

    /// What a need prefers of a set.
    fn prefer(&self, asker: Asker, set: &RankSet) -> Result<Option<Rank>, CatalogueError<V::Error>> {
        let catalogue = self.walker.catalogue;
        match asker {
            Asker::Project(id) => {
                let root = self.roots.iter().find(|root| root.id == id);
                Ok(root.and_then(|root| self.walker.prefer(None, id, &root.package, &root.demand, set)))
            }
            Asker::Release { id, rank, need } => {
                let (from, need) = (catalogue.package(id)?, &self.needs(id, rank)?[need]);
                let target = catalogue.package(need.package)?;
                let from = Some((&*from, rank));
                Ok(self.walker.prefer(from, need.package, &target, &need.demand, set))
            }
        }
    }
}

/// Adds a constraint to those on the same part.
fn require(constraints: &mut Constraints, part: Part, accepts: &RankSet) {
    let all = constraints.entry(part).or_insert_with(RankSet::full);
    *all = all.intersection(accepts);
}

impl<V: View> DependencyProvider for Problem<'_, V> {
    type P = Part;
    type V = Rank;
    type VS = RankSet;
    type Priority = (u32, Reverse<u32>);
    type M = NoReason;
    type Err = CatalogueError<V::Error>;

    fn prioritize(
        &self,
        _part: &Part,
        range: &RankSet,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        (statistics.conflict_count(), Reverse(range.count()))
    }

    fn choose_version(&self, part: &Part, range: &RankSet) -> Result<Option<Rank>, Self::Err> {
        match *part {
            Part::Project | Part::Isolated(..) => Ok(range.highest()),
            Part::Unified(id) => self.walker.choose_unified(id, range),
            Part::Need(asker) => self.prefer(asker, range),
        }
    }

    fn get_dependencies(
        &self,
        part: &Part,
        rank: &Rank,
    ) -> Result<Dependencies<Part, RankSet, NoReason>, Self::Err> {
        let constraints = match *part {
            Part::Project => self.of_project(),
            Part::Unified(id) => self.of_release(id, *rank)?,
            Part::Isolated(id, rank) => self.of_release(id, rank)?,
            Part::Need(asker) => {
                let release = Part::Isolated(self.target(asker)?, *rank);
                Constraints::from_iter([(release, RankSet::singleton(0))])
            }
        };
        Ok(Dependencies::Available(DependencyConstraints::from_iter(constraints)))
    }

    fn should_cancel(&self) -> Result<(), Self::Err> {
        let steps = self.steps.get() + 1;
        self.steps.set(steps);
        if steps > MAX_STEPS { Err(CatalogueError::GaveUp { steps: MAX_STEPS }) } else { Ok(()) }
    }
}
