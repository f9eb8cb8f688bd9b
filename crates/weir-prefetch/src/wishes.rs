//! Which releases are likely to be wanted, and why.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weir_index::{IndexError, PackageFilter, PackageSummary};
use weir_model::{OwnerName, PackageName, Range, Release, ReleaseId, Scope, Version};

use crate::chances;
use crate::offers::Offers;
use crate::used::{Used, UsedProject};

/// So many packages of an owner are looked at.
const MOST_OF_OWNER: usize = 5000;

/// So many of the packages that most others need are looked at.
const MOST_POPULAR: usize = 10_000;

/// So many of the packages that nobody here asks for are wished for, the likeliest.
const MOST_NEW: usize = 4000;

/// A release that is likely to be wanted.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Which one.
    pub release: Release,
    /// The likeliest reason.
    pub why: Why,
    /// How likely, from 0 to 1.
    pub chance: f64,
    /// How likely for that reason alone.
    by_why: f64,
}

impl Wish {
    /// A wish for one reason.
    pub fn new(release: Release, why: Why, chance: f64) -> Self {
        Self { release, why, chance, by_why: chance }
    }
}

/// Why a release is likely to be wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "WhyPrefetched")]
pub enum Why {
    /// Projects ask for its package, and it is the newest in their range: their next update takes it.
    Update {
        /// The newest version in use.
        from: Option<Version>,
        /// How many ask for it so.
        projects: usize,
    },
    /// Something in use needs its package, and it is the newest that will do for that.
    UpdateBelow {
        /// What needs it.
        by: ReleaseId,
    },
    /// It is the newest of a package that projects ask for in another range.
    Newest {
        /// The newest version in use.
        from: Option<Version>,
        /// How many ask for the package.
        projects: usize,
    },
    /// It is another package of somebody whose packages are asked for.
    SameOwner {
        /// Whose.
        owner: OwnerName,
        /// How many projects ask for a package of theirs.
        projects: usize,
    },
    /// Many packages of the registry need it.
    Popular {
        /// How many.
        dependents: u64,
    },
    /// Another release that is fetched needs it.
    NeededBy {
        /// Which one.
        release: ReleaseId,
    },
}

/// What is likely to be wanted of what a registry offers, each release once.
///
/// # Errors
///
/// When the index cannot be read.
pub fn wishes(offers: &Offers<'_>, projects: &[UsedProject]) -> Result<Vec<Wish>, IndexError> {
    let mut looking = Looking { offers, used: Used::by(projects), wishes: BTreeMap::new() };
    looking.what_is_asked_for(projects)?;
    looking.what_is_below(projects)?;
    looking.what_is_new()?;
    Ok(looking.wishes.into_values().collect())
}

struct Looking<'a> {
    offers: &'a Offers<'a>,
    used: Used,
    wishes: BTreeMap<ReleaseId, Wish>,
}

impl Looking<'_> {
    fn what_is_asked_for(&mut self, projects: &[UsedProject]) -> Result<(), IndexError> {
        let mut ranges: BTreeMap<&PackageName, BTreeMap<String, (&Range, usize)>> = BTreeMap::new();
        for asked in projects.iter().flat_map(|project| &project.asked) {
            let so = ranges.entry(&asked.name).or_default().entry(asked.range.to_string());
            so.or_insert((&asked.range, 0)).1 += 1;
        }
        for (name, ranges) in ranges {
            let from = self.used.newest(name).cloned();
            let mut all = 0;
            for (range, projects) in ranges.into_values() {
                all += projects;
                if let Some(release) = self.offers.best(name, range)? {
                    let why = Why::Update { from: from.clone(), projects };
                    self.wish(release, why, chances::of_several(chances::UPDATE, projects));
                }
            }
            if let Some(release) = self.offers.newest(name)? {
                self.wish(
                    release,
                    Why::Newest { from, projects: all },
                    chances::of_several(chances::NEWEST, all),
                );
            }
        }
        Ok(())
    }

    /// What was fixed when it was published does not move.
    fn what_is_below(&mut self, projects: &[UsedProject]) -> Result<(), IndexError> {
        let mut using: BTreeMap<&ReleaseId, usize> = BTreeMap::new();
        for id in projects.iter().flat_map(|project| &project.releases) {
            *using.entry(id).or_default() += 1;
        }
        for (id, projects) in using {
            let Some(view) = self.offers.index.release(id)? else { continue };
            for needed in &view.release.dependencies {
                if needed.scope != Scope::Run || needed.baked_id().is_some() {
                    continue;
                }
                if let Some(release) = self.offers.best(&needed.name, &needed.range)? {
                    let chance = chances::of_several(chances::UPDATE_BELOW, projects);
                    self.wish(release, Why::UpdateBelow { by: id.clone() }, chance);
                }
            }
        }
        Ok(())
    }

    /// What nobody here asks for: packages of owners of whom something is asked for, and what everybody needs.
    fn what_is_new(&mut self) -> Result<(), IndexError> {
        let mut coming = BTreeMap::new();
        self.what_owners_have(&mut coming)?;
        self.what_is_popular(&mut coming)?;
        let mut coming: Vec<(PackageName, Coming)> = coming.into_iter().collect();
        coming.sort_by(|(_, one), (_, other)| other.part.total_cmp(&one.part));
        for (name, Coming { part, why, .. }) in coming.into_iter().take(MOST_NEW) {
            if let Some(release) = self.offers.newest(&name)? {
                self.wish(release, why, chances::new(part));
            }
        }
        Ok(())
    }

    fn what_owners_have(&self, coming: &mut BTreeMap<PackageName, Coming>) -> Result<(), IndexError> {
        let asked: usize = self.used.owners.values().map(|owner| owner.packages).sum();
        for (owner, used) in &self.used.owners {
            let theirs = PackageFilter { owner: Some(owner.clone()), ..PackageFilter::default() };
            let mut theirs = self.offers.index.list(&theirs, None, MOST_OF_OWNER)?;
            theirs.retain(|summary| !self.used.packages.contains_key(&summary.name));
            let all = dependents(&theirs);
            let asked = share(used.packages as u64, asked as u64).unwrap_or_default();
            for summary in &theirs {
                let part = chances::of_owner(asked, share(summary.dependents, all), theirs.len());
                let why = Why::SameOwner { owner: owner.clone(), projects: used.projects };
                Coming::add(coming, &summary.name, part, why);
            }
        }
        Ok(())
    }

    fn what_is_popular(&self, coming: &mut BTreeMap<PackageName, Coming>) -> Result<(), IndexError> {
        let mut popular = self.offers.index.most_needed(MOST_POPULAR)?;
        let mut here = BTreeSet::new();
        for name in popular.iter().map(|summary| &summary.name) {
            if self.used.packages.contains_key(name)
                && self.offers.newest(name)?.is_none_or(|newest| self.used.has(&newest.id))
            {
                here.insert(name.clone());
            }
        }
        popular.retain(|summary| !here.contains(&summary.name));
        let all = dependents(&popular);
        for PackageSummary { name, dependents, .. } in popular {
            let part = chances::popular(share(dependents, all).unwrap_or_default());
            Coming::add(coming, &name, part, Why::Popular { dependents });
        }
        Ok(())
    }

    fn wish(&mut self, release: Release, why: Why, chance: f64) {
        let id = release.id.clone();
        match self.wishes.entry(id) {
            Entry::Vacant(place) => {
                place.insert(Wish::new(release, why, chance));
            }
            Entry::Occupied(mut place) => {
                let wish = place.get_mut();
                wish.chance = chances::either(chance, wish.chance);
                if chance > wish.by_why {
                    (wish.why, wish.by_why) = (why, chance);
                }
            }
        }
    }
}

/// A package that may come to be used.
struct Coming {
    /// Which part it is expected to be of all packages that come.
    part: f64,
    /// The likeliest reason.
    why: Why,
    /// The part for that reason alone.
    by_why: f64,
}

impl Coming {
    fn add(all: &mut BTreeMap<PackageName, Self>, name: &PackageName, part: f64, why: Why) {
        match all.get_mut(name) {
            None => {
                all.insert(name.clone(), Self { part, why, by_why: part });
            }
            Some(coming) => {
                coming.part += part;
                if part > coming.by_why {
                    (coming.why, coming.by_why) = (why, part);
                }
            }
        }
    }
}

/// How many packages need these, one that needs several counted as often.
fn dependents(packages: &[PackageSummary]) -> u64 {
    packages.iter().map(|package| package.dependents).sum()
}

/// Which part of `all` this is.
fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}
