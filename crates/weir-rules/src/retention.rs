//! Which releases of a registry stay, by what it says it keeps.
//!
//! Whatever is said, a release stays that something was built with which stays, that what stays would be resolved to, that is quarantined
//! (it is evidence), or that came from a registry above.

use std::collections::{BTreeMap, HashMap, VecDeque};

use weir_model::record::Retention;
use weir_model::{PackageName, Platform, Release, ReleaseId, Scope};

use crate::Standing;
use crate::offer::{Offer, best, preference};

/// A release of a registry, as far as keeping it goes.
#[derive(Debug, Clone)]
pub struct Kept<'a> {
    /// It.
    pub release: &'a Release,
    /// Whether it may be used.
    pub standing: Standing,
    /// Whether it came from a registry above.
    pub from_above: bool,
    /// Whether it was published or downloaded within the days that count.
    pub recent: bool,
}

impl Offer for Kept<'_> {
    fn version(&self) -> &weir_model::Version {
        &self.release.id.version
    }

    fn platform(&self) -> &Platform {
        &self.release.id.platform
    }

    fn revision(&self) -> u32 {
        self.release.id.revision
    }

    fn standing(&self) -> Standing {
        self.standing
    }
}

/// Why a release stays.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
#[schemars(rename = "WhyKept")]
pub enum Stays {
    /// Nothing is said, so all do.
    Unruled,
    /// It is offered.
    Offered,
    /// It is among the last of its package and platform.
    Last,
    /// It was published or downloaded lately.
    Recent,
    /// It is quarantined.
    Quarantined,
    /// It came from a registry above, which decides about it.
    FromAbove,
    /// Something needs it that stays.
    Needed {
        /// What.
        by: ReleaseId,
    },
}

/// Why each of `all`, which are not removed, stays: in their order. Nothing of those that go.
pub fn retained(rule: &Retention, all: &[Kept<'_>]) -> Vec<Option<Stays>> {
    let mut packages: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
    let mut places: HashMap<&ReleaseId, usize> = HashMap::new();
    for (place, kept) in all.iter().enumerate() {
        packages.entry(&kept.release.id.name).or_default().push(place);
        places.insert(&kept.release.id, place);
    }
    let last = last(rule, all, &packages);
    let mut fates: Vec<Option<Stays>> =
        all.iter().zip(&last).map(|(kept, is_last)| by_itself(rule, kept, *is_last)).collect();
    let mut waiting: VecDeque<usize> = (0..all.len()).filter(|place| fates[*place].is_some()).collect();
    while let Some(place) = waiting.pop_front() {
        let release = all[place].release;
        for dependency in release.dependencies.iter().filter(|needed| needed.scope != Scope::Dev) {
            let needed = match dependency.baked_id() {
                Some(baked) => places.get(&baked).copied(),
                None => {
                    let of_it = packages.get(&dependency.name).map(Vec::as_slice).unwrap_or_default();
                    let candidates = of_it.iter().map(|place| &all[*place]);
                    let chosen = best(candidates, &dependency.range, &release.id.platform);
                    chosen.and_then(|chosen| places.get(&chosen.release.id).copied())
                }
            };
            if let Some(needed) = needed.filter(|needed| fates[*needed].is_none()) {
                fates[needed] = Some(Stays::Needed { by: release.id.clone() });
                waiting.push_back(needed);
            }
        }
    }
    fates
}

fn by_itself(rule: &Retention, kept: &Kept<'_>, is_last: bool) -> Option<Stays> {
    match kept.standing {
        _ if rule.is_empty() => Some(Stays::Unruled),
        _ if kept.from_above => Some(Stays::FromAbove),
        Standing::Quarantined => Some(Stays::Quarantined),
        Standing::Offered if rule.offered => Some(Stays::Offered),
        _ if is_last => Some(Stays::Last),
        _ if rule.days.is_some() && kept.recent => Some(Stays::Recent),
        _ => None,
    }
}

/// Which are among the last of their package and platform.
fn last(rule: &Retention, all: &[Kept<'_>], packages: &BTreeMap<&PackageName, Vec<usize>>) -> Vec<bool> {
    let mut is_last = vec![false; all.len()];
    let Some(last) = rule.last.and_then(|last| usize::try_from(last).ok()) else { return is_last };
    for of_it in packages.values() {
        let mut platforms: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for place in of_it {
            platforms.entry(all[*place].release.id.platform.as_str()).or_default().push(*place);
        }
        for mut of_it in platforms.into_values() {
            of_it.sort_by(|a, b| preference(&all[*b]).cmp(&preference(&all[*a])));
            of_it.into_iter().take(last).for_each(|place| is_last[place] = true);
        }
    }
    is_last
}
