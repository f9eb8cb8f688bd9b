//! Packages of Elm cannot need one another: the compiler never ends on them. What is baked cannot either, of any kind, and is found while the
//! batch is put in order.

use std::collections::BTreeMap;

use weir_model::{Dependency, KindName, PackageName, Release, ReleaseId, Scope};
use weir_rules::best;

use super::Planning;
use crate::error::SubmitError;

/// The most packages that are looked into.
const MOST: usize = 10_000;

impl Planning<'_> {
    /// Refuses a release of Elm, a new one or one that is offered again, if the newest of what it needs, of here or of the batch, leads back to
    /// its name.
    pub(super) fn refuse_circle(&self, release: &Release) -> Result<(), SubmitError> {
        if release.kind != KindName::Elm {
            return Ok(());
        }
        // For each package that was come to, the release that was looked into, and the one that needs it.
        let mut ways: BTreeMap<PackageName, (ReleaseId, ReleaseId)> = BTreeMap::new();
        let mut waiting = vec![(release.id.clone(), release.dependencies.clone())];
        while let Some((from, needed)) = waiting.pop() {
            for needed in needed.into_iter().filter(|needed| needed.scope == Scope::Run) {
                if needed.name == release.id.name {
                    return Err(SubmitError::BakedCycle { cycle: cycle(&ways, from, &release.id) });
                }
                if ways.len() >= MOST || ways.contains_key(&needed.name) {
                    continue;
                }
                if let Some((id, needs)) = self.newest(&needed)? {
                    ways.insert(needed.name, (id.clone(), from.clone()));
                    waiting.push((id, needs));
                }
            }
        }
        Ok(())
    }

    /// The newest release that meets a need, with what that needs.
    fn newest(&self, needed: &Dependency) -> Result<Option<(ReleaseId, Vec<Dependency>)>, SubmitError> {
        let in_batch =
            self.published.releases.values().filter(|release| {
                release.id.name == needed.name && needed.range.contains(&release.id.version)
            });
        if let Some(newest) = in_batch.max_by(|a, b| a.id.version.cmp(&b.id.version)) {
            return Ok(Some((newest.id.clone(), newest.dependencies.clone())));
        }
        let index = self.on.index;
        let Some(candidates) = index.candidates(&needed.name)? else { return Ok(None) };
        let Some(chosen) = best(&candidates.releases, &needed.range, &weir_model::Platform::any()) else {
            return Ok(None);
        };
        let id = ReleaseId {
            name: needed.name.clone(),
            version: chosen.version.clone(),
            platform: chosen.platform.clone(),
            revision: chosen.revision,
        };
        Ok(Some((id, index.dependencies(&candidates, chosen)?)))
    }
}

/// From a release through what led to `last`, and back to it.
fn cycle(
    ways: &BTreeMap<PackageName, (ReleaseId, ReleaseId)>,
    last: ReleaseId,
    release: &ReleaseId,
) -> Vec<ReleaseId> {
    let mut way = vec![release.clone()];
    let mut at = last;
    while at != *release {
        let before = ways.get(&at.name).map_or_else(|| release.clone(), |(_, from)| from.clone());
        way.push(std::mem::replace(&mut at, before));
    }
    way.push(release.clone());
    way.reverse();
    way
}
