//! What is offered, by name and by what it was built with.

use std::collections::BTreeMap;

use weir_model::{PackageName, Platform, Range, ReleaseId, Scope};
use weir_rules::diamond::baked;
use weir_rules::{best, preference};

use super::{Offered, World};

/// What is offered for one platform.
pub(super) struct Offers<'a> {
    platform: Platform,
    by_id: BTreeMap<&'a ReleaseId, &'a Offered>,
    /// Of each name, the one that a registry prefers last.
    by_name: BTreeMap<&'a PackageName, Vec<&'a Offered>>,
    /// What was built with a release, directly.
    dependents: BTreeMap<ReleaseId, Vec<&'a Offered>>,
}

impl<'a> Offers<'a> {
    pub(super) fn new(world: &World<'a>) -> Self {
        let serves = |offered: &&Offered| offered.id.platform.serves(&world.platform);
        let by_id: BTreeMap<_, _> =
            world.offered.iter().filter(serves).map(|offered| (&offered.id, offered)).collect();
        let mut by_name: BTreeMap<_, Vec<&Offered>> = BTreeMap::new();
        let mut dependents: BTreeMap<_, Vec<&Offered>> = BTreeMap::new();
        for offered in by_id.values() {
            by_name.entry(&offered.id.name).or_default().push(offered);
            for (_, id) in baked(&offered.dependencies).filter(|(scope, _)| *scope != Scope::Dev) {
                let dependents = dependents.entry(id).or_default();
                if dependents.last().is_none_or(|last| last.id != offered.id) {
                    dependents.push(offered);
                }
            }
        }
        for releases in by_name.values_mut() {
            releases.sort_by(|a, b| preference(a).cmp(&preference(b)));
        }
        Self { platform: world.platform.clone(), by_id, by_name, dependents }
    }

    /// The names of all that is offered.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a PackageName> {
        self.by_name.keys().copied()
    }

    /// Every release of a package.
    pub(super) fn of(&self, name: &PackageName) -> &[&'a Offered] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    /// The newest release of a package.
    pub(super) fn newest(&self, name: &PackageName) -> Option<&'a Offered> {
        self.of(name).last().copied()
    }

    /// The release that a registry would take for a dependency.
    pub(super) fn fitting(&self, name: &PackageName, range: &Range) -> Option<&'a Offered> {
        best(self.of(name).iter().copied(), range, &self.platform)
    }

    /// What was built with a release, directly, for whatever it needed it.
    pub(super) fn dependents(&self, id: &ReleaseId) -> &[&'a Offered] {
        self.dependents.get(id).map_or(&[], Vec::as_slice)
    }

    /// One release.
    pub(super) fn get(&self, id: &ReleaseId) -> Option<&'a Offered> {
        self.by_id.get(id).copied()
    }
}
