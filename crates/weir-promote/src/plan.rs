//! What moves: the releases that are asked for, and what they need of their registry's own that is not above yet.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{Index, IndexError, ReleaseView};
use weir_model::{Dependency, PackageName, Platform, Range, ReleaseId, Scope};
use weir_reach::{Connection, ReachError};
use weir_rules::{Standing, best, needed_first};

use crate::Promote;
use crate::error::PromoteError;

/// Releases that are promoted together at most.
const MOST: usize = 10_000;

/// What moves.
pub(crate) struct Plan {
    /// The releases, each after what it was made with, and if it can be after all that it needs.
    pub(crate) moves: Vec<ReleaseView>,
    /// What was asked for or is needed, and is above with the same content.
    pub(crate) already: Vec<ReleaseId>,
}

/// Plans a promotion on the views of both registries.
pub(crate) fn plan(below: &Connection, above: &Connection, what: &Promote) -> Result<Plan, PromoteError> {
    let (lower, upper) = (below.replica.index(), above.replica.index());
    let (_below, _above) = (lower.reading()?, upper.reading()?);
    let mut planning = Planning {
        lower,
        upper,
        below: &below.known.name,
        above: &above.known.name,
        upper_name: above.replica.name(),
        moves: BTreeMap::new(),
        already: BTreeSet::new(),
        pending: Vec::new(),
    };
    for view in asked_for(below, what)? {
        planning.pending.push((view.release.id, None));
    }
    planning.close()?;
    planning.ordered()
}

/// The releases that are meant: the latest offered build for each platform, where nothing else is said.
fn asked_for(below: &Connection, what: &Promote) -> Result<Vec<ReleaseView>, PromoteError> {
    let there = below.replica.index().releases_of_version(&what.name, &what.version)?;
    if there.is_empty() {
        let package = below.package(&what.name)?;
        let versions = package.releases.iter().map(|view| view.release.id.version.to_string());
        return Err(ReachError::UnknownVersion {
            name: what.name.clone(),
            version: what.version.to_string(),
            place: below.place(),
            versions: versions.collect(),
        }
        .into());
    }
    let meant = |view: &&ReleaseView| {
        let id = &view.release.id;
        what.platform.as_ref().is_none_or(|platform| *platform == id.platform)
            && what.revision.is_none_or(|revision| revision == id.revision)
    };
    let mut chosen: BTreeMap<Platform, ReleaseView> = BTreeMap::new();
    let mut withdrawn = None;
    for view in there.iter().filter(meant) {
        match view.standing() {
            Standing::Offered => {
                // The latest build comes first.
                chosen.entry(view.release.id.platform.clone()).or_insert_with(|| view.clone());
            }
            standing => withdrawn = Some((view.release.id.clone(), standing)),
        }
    }
    match (chosen.is_empty(), withdrawn) {
        (true, Some((id, standing))) => Err(PromoteError::Withdrawn { id, standing }),
        (true, None) => Err(PromoteError::NoSuchBuild {
            name: what.name.clone(),
            version: what.version.clone(),
            there: there.into_iter().map(|view| view.release.id).collect(),
        }),
        (false, _) => Ok(chosen.into_values().collect()),
    }
}

struct Planning<'a> {
    lower: &'a Index,
    upper: &'a Index,
    below: &'a str,
    above: &'a str,
    /// What the registry above calls itself.
    upper_name: &'a str,
    moves: BTreeMap<ReleaseId, ReleaseView>,
    already: BTreeSet<ReleaseId>,
    /// What is still to be looked at, and for which release.
    pending: Vec<(ReleaseId, Option<ReleaseId>)>,
}

impl Planning<'_> {
    /// Looks at everything that is needed, until nothing is left.
    fn close(&mut self) -> Result<(), PromoteError> {
        while let Some((id, needed_by)) = self.pending.pop() {
            if self.moves.contains_key(&id) || self.is_there(&id)? {
                continue;
            }
            let view = self.release(&id, needed_by.as_ref())?;
            for dependency in &view.release.dependencies {
                if let Some(needed) = self.needs(&view, dependency)? {
                    self.pending.push((needed, Some(id.clone())));
                }
            }
            self.moves.insert(id, view);
            if self.moves.len() > MOST {
                return Err(PromoteError::TooMany { most: MOST });
            }
        }
        Ok(())
    }

    /// Whether a release is above, as it is here. One that is there otherwise is a conflict: a release never changes.
    fn is_there(&mut self, id: &ReleaseId) -> Result<bool, PromoteError> {
        if self.already.contains(id) {
            return Ok(true);
        }
        let (Some(there), Some(here)) = (self.upper.release(id)?, self.lower.release(id)?) else {
            return Ok(false);
        };
        let same = there.release.tree == here.release.tree
            && there.release.input_digest == here.release.input_digest;
        if !same {
            return Err(PromoteError::Differs {
                id: id.clone(),
                below: here.release.tree,
                above: there.release.tree,
                registry: self.above.to_owned(),
            });
        }
        if !there.standing().is_usable() {
            return Err(PromoteError::WithdrawnAbove {
                id: id.clone(),
                standing: there.standing(),
                registry: self.above.to_owned(),
            });
        }
        self.already.insert(id.clone());
        Ok(true)
    }

    /// A release of the registry's own that may move.
    fn release(&self, id: &ReleaseId, needed_by: Option<&ReleaseId>) -> Result<ReleaseView, PromoteError> {
        let missing = || PromoteError::NoSuchBuild {
            name: id.name.clone(),
            version: id.version.clone(),
            there: Vec::new(),
        };
        let view = self.lower.release(id)?.ok_or_else(missing)?;
        // What was yanked here would be offered above.
        if view.standing() != Standing::Offered {
            return Err(PromoteError::Withdrawn { id: id.clone(), standing: view.standing() });
        }
        if let Some(origin) = &view.origin {
            // What came from a third registry is not this one's to offer.
            return Err(PromoteError::NotOwn {
                id: id.clone(),
                needed_by: needed_by.cloned(),
                registry: self.below.to_owned(),
                from: origin.registry.clone(),
                above: self.upper_name.to_owned(),
            });
        }
        Ok(view)
    }

    /// What has to move for one dependency of a release that does.
    fn needs(&self, view: &ReleaseView, dependency: &Dependency) -> Result<Option<ReleaseId>, PromoteError> {
        if dependency.scope == Scope::Dev {
            return Ok(None);
        }
        if let Some(baked) = dependency.baked_id() {
            return Ok(Some(baked));
        }
        let platform = &view.release.id.platform;
        let (name, range) = (&dependency.name, &dependency.range);
        if *name == view.release.id.name || self.has_moving(name, range, platform) {
            return Ok(None);
        }
        if offered(self.upper, name, range, platform)?.is_some() {
            return Ok(None);
        }
        // What is not here either, the registry above says.
        Ok(offered(self.lower, name, range, platform)?)
    }

    fn has_moving(&self, name: &PackageName, range: &Range, platform: &Platform) -> bool {
        let moving = self.moves.keys().chain(self.pending.iter().map(|(id, _)| id));
        let mut fitting = moving.filter(|id| id.name == *name && range.contains(&id.version));
        fitting.any(|id| id.platform.serves(platform))
    }

    /// Each after what it needs.
    fn ordered(self) -> Result<Plan, PromoteError> {
        let moves: Vec<ReleaseView> = self.moves.into_values().collect();
        let places: BTreeMap<ReleaseId, usize> =
            moves.iter().enumerate().map(|(place, view)| (view.release.id.clone(), place)).collect();
        let mut by_name: BTreeMap<&PackageName, Vec<usize>> = BTreeMap::new();
        for (place, view) in moves.iter().enumerate() {
            by_name.entry(&view.release.id.name).or_default().push(place);
        }
        let baked = |place: usize| -> Vec<usize> {
            let baked = moves[place].release.dependencies.iter().filter_map(Dependency::baked_id);
            baked.filter_map(|id| places.get(&id).copied()).collect()
        };
        let any = |place: usize| -> Vec<usize> {
            let needed = |dependency: &Dependency| {
                let there = by_name.get(&dependency.name)?.iter();
                let fits = |other: &&usize| dependency.range.contains(&moves[**other].release.id.version);
                there.copied().find(|other| fits(&other)).filter(|other| *other != place)
            };
            let moving = moves[place].release.dependencies.iter().filter(|one| one.baked.is_none());
            baked(place).into_iter().chain(moving.filter_map(needed)).collect()
        };
        // What may move may need each other in a circle; what is baked cannot, in a log that was folded.
        let order = needed_first(moves.len(), any).or_else(|_| needed_first(moves.len(), baked));
        let order = order.unwrap_or_else(|_| (0..moves.len()).collect());
        let mut slots: Vec<Option<ReleaseView>> = moves.into_iter().map(Some).collect();
        let moves = order.into_iter().filter_map(|place| slots.get_mut(place)?.take()).collect();
        Ok(Plan { moves, already: self.already.into_iter().collect() })
    }
}

/// The release that would be taken of a package.
fn offered(
    index: &Index,
    name: &PackageName,
    range: &Range,
    platform: &Platform,
) -> Result<Option<ReleaseId>, IndexError> {
    let Some(candidates) = index.candidates(name)? else { return Ok(None) };
    let best = best(&candidates.releases, range, platform);
    Ok(best.map(|one| ReleaseId {
        name: name.clone(),
        version: one.version.clone(),
        platform: one.platform.clone(),
        revision: one.revision,
    }))
}
