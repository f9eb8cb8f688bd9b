//! Two releases of one package in what would be used together.

use std::collections::{BTreeMap, VecDeque};

use weir_model::{PackageName, ReleaseId, Scope};

use super::PlanError;
use super::offers::Offers;
use super::resolved::{Resolved, Taken};

/// Refuses what would be built against two releases of one package.
///
/// What counts is what a registry counts: what a release itself is built and used with, and below that what
/// each needs to be used.
pub(super) fn check<E>(resolved: &[Resolved<'_>], offers: &Offers<'_>) -> Result<(), PlanError<E>> {
    let places: BTreeMap<&ReleaseId, usize> =
        resolved.iter().enumerate().map(|(place, release)| (&release.id, place)).collect();
    let needs = |id: &ReleaseId, own: bool| match places.get(id) {
        Some(place) => built_with(&resolved[*place], resolved, own),
        None => offers.used_by(id),
    };
    resolved.iter().try_for_each(|release| check_one(&release.id, needs))
}

fn built_with(release: &Resolved<'_>, resolved: &[Resolved<'_>], own: bool) -> Vec<ReleaseId> {
    let counts = release.needs.iter().filter(|(dependency, _)| own || dependency.scope == Scope::Run);
    let id = |taken: &Taken<'_>| match taken {
        Taken::Built(place) => resolved[*place].id.clone(),
        Taken::Offered(offered) => offered.id.clone(),
    };
    counts.map(|(_, taken)| id(taken)).collect()
}

fn check_one<E>(
    root: &ReleaseId,
    needs: impl Fn(&ReleaseId, bool) -> Vec<ReleaseId>,
) -> Result<(), PlanError<E>> {
    let mut reached_from: BTreeMap<ReleaseId, Option<ReleaseId>> = BTreeMap::from([(root.clone(), None)]);
    let mut of_name: BTreeMap<PackageName, ReleaseId> = BTreeMap::new();
    // Breadth first, so that the paths which are shown are the shortest.
    let mut queue = VecDeque::from([root.clone()]);
    while let Some(id) = queue.pop_front() {
        if let Some(first) = of_name.insert(id.name.clone(), id.clone()) {
            return Err(PlanError::Diamond {
                package: id.name.clone(),
                one: path(&reached_from, &first),
                other: path(&reached_from, &id),
            });
        }
        for needed in needs(&id, id == *root) {
            if !reached_from.contains_key(&needed) {
                reached_from.insert(needed.clone(), Some(id.clone()));
                queue.push_back(needed);
            }
        }
    }
    Ok(())
}

fn path(reached_from: &BTreeMap<ReleaseId, Option<ReleaseId>>, to: &ReleaseId) -> Vec<ReleaseId> {
    let mut path: Vec<ReleaseId> =
        std::iter::successors(Some(to), |id| reached_from.get(*id)?.as_ref()).cloned().collect();
    path.reverse();
    path
}
