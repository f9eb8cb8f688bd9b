//! What a lock prefers, in ranks: worked out for a package when it is first needed, so that a
//! package that has left the project is never asked for.

use std::cell::RefCell;
use std::sync::Arc;

use pubgrub::{Map, VersionSet as _};
use weir_model::ReleaseId;
use weir_rules::Standing;

use crate::catalogue::{Catalogue, Demand, Package, PackageId};
use crate::ranks::{Rank, RankSet};
use crate::request::Lock;

/// The choices of a lock, by package.
#[derive(Default)]
pub(crate) struct Preferred<'a> {
    locked: Map<PackageId, &'a [ReleaseId]>,
    known: RefCell<Map<PackageId, Arc<Preference>>>,
}

struct Preference {
    ranks: RankSet,
    /// Those of them that may be used only because the lock names them.
    yanked: RankSet,
}

impl<'a> Preferred<'a> {
    pub(crate) fn new<V: crate::View>(catalogue: &Catalogue<V>, lock: &'a Lock) -> Self {
        let locked = lock.releases().map(|(name, ids)| (catalogue.intern(name), ids)).collect();
        Self { locked, known: RefCell::default() }
    }

    /// Whether the lock says anything about a package.
    pub(crate) fn speaks_of(&self, id: PackageId) -> bool {
        self.locked.contains_key(&id)
    }

    /// The highest rank of what the lock prefers in a set.
    pub(crate) fn locked(&self, id: PackageId, package: &Package, set: &RankSet) -> Option<Rank> {
        self.of(id, package).and_then(|preference| preference.ranks.intersection(set).highest())
    }

    /// What a demand accepts, with the yanked releases that the lock names.
    pub(crate) fn widen(
        &self,
        id: PackageId,
        package: &Package,
        demand: &Demand,
        accepts: &RankSet,
    ) -> RankSet {
        let Some(preference) = self.of(id, package) else { return accepts.clone() };
        let replaced = package.fixed.is_some()
            && (package.is_unified() || demand.from_root || demand.overridden.is_some());
        if preference.yanked.is_empty() || demand.baked.is_some() || replaced {
            return accepts.clone();
        }
        accepts.union(&RankSet::of(package.ranked.len(), |rank| {
            let rank = rank as Rank;
            preference.yanked.contains(&rank) && demand.range.contains(package.version(rank))
        }))
    }

    fn of(&self, id: PackageId, package: &Package) -> Option<Arc<Preference>> {
        let ids = self.locked.get(&id)?;
        let mut known = self.known.borrow_mut();
        Some(known.entry(id).or_insert_with(|| Arc::new(Preference::new(package, ids))).clone())
    }
}

impl Preference {
    fn new(package: &Package, ids: &[ReleaseId]) -> Self {
        let mut preference = Self { ranks: RankSet::empty(), yanked: RankSet::empty() };
        for rank in ids.iter().filter_map(|id| package.rank_of(id)) {
            let one = RankSet::singleton(rank);
            preference.ranks = preference.ranks.union(&one);
            if package.ranked[rank as usize].candidate.standing == Standing::Yanked {
                preference.yanked = preference.yanked.union(&one);
            }
        }
        preference
    }
}
