//! Two releases of one package in what would be used together.

use std::collections::BTreeMap;
use std::convert::Infallible;

use weir_model::{KindName, ReleaseId, Scope};
use weir_rules::diamond::{Closures, Diamond, Node, baked};

use super::PlanError;
use super::offers::Offers;
use super::resolved::{Resolved, Taken};

/// Refuses what would be built against two releases of one package.
pub(super) fn check<E>(resolved: &[Resolved<'_>], offers: &Offers<'_>) -> Result<(), PlanError<E>> {
    let places: BTreeMap<&ReleaseId, usize> =
        resolved.iter().enumerate().map(|(place, release)| (&release.id, place)).collect();
    let node = |id: &ReleaseId| {
        let baked = match places.get(id) {
            Some(place) => built_with(&resolved[*place], resolved),
            None => offers.get(id).map(|offered| baked(&offered.dependencies).collect()).unwrap_or_default(),
        };
        Ok::<_, Infallible>(Some(Node { kind: KindName::Native, baked }))
    };
    let Ok(closures) = Closures::of(resolved.iter().map(|release| &release.id), node);
    match closures.diamonds().next() {
        Some((_, Diamond { one, other })) => Err(PlanError::Diamond { one, other }),
        None => Ok(()),
    }
}

fn built_with(release: &Resolved<'_>, resolved: &[Resolved<'_>]) -> Vec<(Scope, ReleaseId)> {
    let id = |taken: &Taken<'_>| match taken {
        Taken::Built(place) => resolved[*place].id.clone(),
        Taken::Offered(offered) => offered.id.clone(),
    };
    release.needs.iter().map(|(dependency, taken)| (dependency.scope, id(taken))).collect()
}
