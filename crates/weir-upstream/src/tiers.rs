//! A registry and those above it as one view: what it offers, and what its policy would admit.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use weir_index::{Index, IndexError, PackageFilter, ReleaseView, Tier};
use weir_model::record::{Hold, Only, UpstreamMode};
use weir_model::{Dependency, KindName, OwnerName, PackageName, Platform, ReleaseId, Version};
use weir_registry::Followed;
use weir_resolve::{Candidate, Candidates, View};
use weir_wire::upstream::Newer;

use crate::gatekeeper::{Gatekeeper, Refused};

/// A registry above, as it was followed.
pub struct Above<'a> {
    /// Its name, as the log of the registry below says it.
    pub name: String,
    /// What of it is admitted.
    pub mode: UpstreamMode,
    /// The packages that may come from it.
    pub only: Only,
    /// Its view and its files; or why it was not followed.
    pub followed: Result<Followed<'a>, String>,
    /// What it says is newer further up. It is only told on.
    pub newer: Vec<Newer>,
}

impl Above<'_> {
    pub(crate) fn index(&self) -> Result<&Index, TiersError> {
        match &self.followed {
            Ok(followed) => Ok(followed.replica.index()),
            Err(reason) => Err(TiersError::Unreached { upstream: self.name.clone(), reason: reason.clone() }),
        }
    }
}

/// Why a question cannot be answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TiersError {
    /// A view cannot be asked.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A registry above decides, and was not followed.
    #[error("the upstream `{upstream}` was not followed: {reason}")]
    Unreached {
        /// Which.
        upstream: String,
        /// Why.
        reason: String,
    },
}

/// Where the releases of an owner come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// From nowhere but here.
    Here,
    /// From the registry above at this place.
    Above(usize),
}

/// Where a candidate is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Own(usize),
    Above(usize),
}

/// A package, of this registry and of the one above that its name is bound to.
pub(crate) struct Found {
    kind: KindName,
    own: Option<weir_index::Candidates>,
    above: Option<(usize, weir_index::Candidates)>,
    /// Those that may be chosen, each with where it is.
    places: Vec<Place>,
    /// Those that may not.
    pub(crate) refused: Vec<Refused>,
}

/// A registry and those above it.
pub(crate) struct Tiers<'a> {
    pub(crate) keeper: Gatekeeper<'a>,
    pub(crate) upstreams: &'a [Above<'a>],
    owners: RefCell<HashMap<OwnerName, From>>,
    found: RefCell<HashMap<PackageName, Option<Rc<Found>>>>,
    /// What turned out not to be admissible, though its own facts are.
    excluded: RefCell<BTreeMap<ReleaseId, Refused>>,
}

impl<'a> Tiers<'a> {
    pub(crate) fn new(keeper: Gatekeeper<'a>, upstreams: &'a [Above<'a>]) -> Self {
        Self {
            keeper,
            upstreams,
            owners: RefCell::default(),
            found: RefCell::default(),
            excluded: RefCell::default(),
        }
    }

    pub(crate) fn own(&self) -> &'a Index {
        self.keeper.own
    }

    /// Where the releases of a package come from.
    pub(crate) fn from(&self, name: &PackageName) -> Result<From, TiersError> {
        let above = |registry: &str| self.upstreams.iter().position(|above| above.name == registry);
        let from = match self.own().tier_of(name)? {
            Some(Tier::Here) => From::Here,
            // What is above no longer is nobody's to admit from.
            Some(Tier::Above(registry)) => above(&registry).map_or(From::Here, From::Above),
            None => self.tier_of_unbound(name.owner_name())?,
        };
        // What is not taken of the one that has an owner is taken from no other: names do not fall through.
        Ok(match from {
            From::Above(place) if !self.upstreams[place].only.takes(name) => From::Here,
            // Of one that was not followed there is what came of it before. That may do, and keeps nothing of another away; who needs what is newer, or
            // was never here, is told that it was not followed.
            From::Above(place)
                if self.upstreams[place].followed.is_err() && self.own().kind_of(name)?.is_some() =>
            {
                From::Here
            }
            from => from,
        })
    }

    /// The first of the upstreams that has anything of an owner that may come from it.
    fn tier_of_unbound(&self, owner: OwnerName) -> Result<From, TiersError> {
        if let Some(known) = self.owners.borrow().get(&owner) {
            return Ok(*known);
        }
        let filter = PackageFilter { owner: Some(owner.clone()), ..PackageFilter::default() };
        let mut from = From::Here;
        for (place, above) in self.upstreams.iter().enumerate() {
            let has_something = match above.only.of_owner(&owner) {
                None => !above.index()?.list(&filter, None, 1)?.is_empty(),
                Some(named) => {
                    let mut has = false;
                    for name in named {
                        has |= above.index()?.kind_of(name)?.is_some();
                    }
                    has
                }
            };
            if has_something {
                from = From::Above(place);
                break;
            }
        }
        self.owners.borrow_mut().insert(owner, from);
        Ok(from)
    }

    /// A package; nothing if neither this registry nor the one above that it comes from ever had it.
    pub(crate) fn find(&self, name: &PackageName) -> Result<Option<Rc<Found>>, TiersError> {
        if let Some(found) = self.found.borrow().get(name) {
            return Ok(found.clone());
        }
        let found = self.look_for(name)?.map(Rc::new);
        self.found.borrow_mut().insert(name.clone(), found.clone());
        Ok(found)
    }

    fn look_for(&self, name: &PackageName) -> Result<Option<Found>, TiersError> {
        let own = self.own().candidates(name)?;
        let above = match self.from(name)? {
            From::Here => None,
            From::Above(place) => {
                self.upstreams[place].index()?.candidates(name)?.map(|candidates| (place, candidates))
            }
        };
        let Some(kind) = own.as_ref().or(above.as_ref().map(|(_, above)| above)).map(|one| one.kind) else {
            return Ok(None);
        };
        let mut found = Found { kind, own, above, places: Vec::new(), refused: Vec::new() };
        found.places.extend((0..found.own.iter().flat_map(|own| &own.releases).count()).map(Place::Own));
        self.judge(name, &mut found)?;
        Ok(Some(found))
    }

    /// Sorts what is above into what may come in and what may not.
    fn judge(&self, name: &PackageName, found: &mut Found) -> Result<(), TiersError> {
        let Some((place, above)) = &found.above else { return Ok(()) };
        let upstream = &self.upstreams[*place];
        let excluded = self.excluded.borrow();
        let mut views: HashMap<u64, ReleaseView> = HashMap::new();
        if let Some(package) = upstream.index()?.package(name)? {
            views.extend(package.releases.into_iter().map(|view| (view.mark.index, view)));
        }
        for (position, candidate) in above.releases.iter().enumerate() {
            let Some(view) = views.get(&candidate.index) else { continue };
            if self.own().release(&view.release.id)?.is_some() {
                continue;
            }
            if let Some(refused) = excluded.get(&view.release.id) {
                found.refused.push(refused.clone());
                continue;
            }
            match self.keeper.refuses(view, upstream)? {
                Some(refused) => found.refused.push(refused),
                None => found.places.push(Place::Above(position)),
            }
        }
        Ok(())
    }

    /// Takes a release out of what may be chosen.
    pub(crate) fn exclude(&self, refused: Refused) {
        let id = refused.hold.id.clone();
        self.found.borrow_mut().remove(&id.name);
        self.excluded.borrow_mut().insert(id, refused);
    }

    /// Why a release is not admissible, if that was found out.
    pub(crate) fn excluded(&self, id: &ReleaseId) -> Option<Refused> {
        self.excluded.borrow().get(id).cloned()
    }

    /// A release of a registry above that is not here, and the place of that registry.
    pub(crate) fn above(&self, id: &ReleaseId) -> Result<Option<(usize, ReleaseView)>, TiersError> {
        if self.own().release(id)?.is_some() {
            return Ok(None);
        }
        let From::Above(place) = self.from(&id.name)? else { return Ok(None) };
        Ok(self.upstreams[place].index()?.release(id)?.map(|view| (place, view)))
    }

    /// What the registry above that a name comes from keeps out itself: whoever asks here is told as well. Where the name is bound to none,
    /// the first that says something.
    pub(crate) fn held_above(&self, name: &PackageName) -> Result<Vec<Hold>, TiersError> {
        let places = match self.own().tier_of(name)? {
            Some(Tier::Here) => return Ok(Vec::new()),
            Some(Tier::Above(registry)) => {
                self.upstreams.iter().filter(|above| above.name == registry).collect::<Vec<_>>()
            }
            None => self.upstreams.iter().collect(),
        };
        // What one that was not followed keeps out is not known; that it was not is told by whoever asks.
        for above in places.into_iter().filter(|above| above.only.takes(name) && above.followed.is_ok()) {
            let held = above.index()?.held_of(name)?.into_iter().map(|held| held.hold);
            let mut all = Vec::new();
            for hold in held {
                // What is here is not held, whatever became of it above.
                if self.own().release(&hold.id)?.is_none() {
                    all.push(Hold { registry: above.name.clone(), ..hold });
                }
            }
            if !all.is_empty() {
                return Ok(all);
            }
        }
        Ok(Vec::new())
    }

    /// The newest version of a package that is above, or further up by what that says, if it is newer than all that is here and nothing is
    /// known to keep it out.
    pub(crate) fn newest(
        &self,
        name: &PackageName,
        platform: &Platform,
    ) -> Result<Option<Version>, TiersError> {
        let serves = |candidate: &&weir_index::Candidate| {
            candidate.standing.is_offered() && candidate.platform.serves(platform)
        };
        let mut newest: Option<Version> = None;
        let mut here: Option<Version> = None;
        if let Some(found) = self.find(name)? {
            for place in &found.places {
                let Some(candidate) = found.candidate(*place).filter(serves) else { continue };
                let best = if matches!(place, Place::Own(_)) { &mut here } else { &mut newest };
                *best = best.take().max(Some(candidate.version.clone()));
            }
        }
        let from = match self.from(name)? {
            From::Above(place) => Some(&self.upstreams[place]),
            // Where an owner is bound to nobody yet, the first that was told of something further up.
            From::Here if self.own().tier_of(name)?.is_none() => {
                let takes = |above: &&Above<'_>| above.only.takes(name);
                self.upstreams
                    .iter()
                    .filter(takes)
                    .find(|above| above.newer.iter().any(|newer| newer.name == *name))
            }
            From::Here => None,
        };
        if let Some(above) = from {
            let held = self.own().held_of(name)?;
            let told = above.newer.iter().filter(|newer| newer.name == *name);
            for newer in told.filter(|newer| held.iter().all(|held| held.hold.id.version != newer.version)) {
                newest = newest.max(Some(newer.version.clone()));
            }
        }
        Ok(newest.filter(|newest| here.is_none_or(|here| here < *newest)))
    }

    /// Every package that was looked at.
    pub(crate) fn looked_at(&self) -> Vec<(PackageName, Rc<Found>)> {
        let found = self.found.borrow();
        let there = found.iter().filter_map(|(name, found)| Some((name.clone(), found.clone()?)));
        let mut all: Vec<_> = there.collect();
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        all
    }
}

impl Found {
    fn candidate(&self, place: Place) -> Option<&weir_index::Candidate> {
        match place {
            Place::Own(position) => self.own.as_ref()?.releases.get(position),
            Place::Above(position) => self.above.as_ref()?.1.releases.get(position),
        }
    }
}

impl View for Tiers<'_> {
    type Error = TiersError;

    fn candidates(
        &self,
        name: &PackageName,
        _registry: Option<&str>,
    ) -> Result<Option<Candidates>, TiersError> {
        let Some(found) = self.find(name)? else { return Ok(None) };
        let releases = found.places.iter().enumerate().filter_map(|(handle, place)| {
            let candidate = found.candidate(*place)?;
            Some(Candidate {
                version: candidate.version.clone(),
                platform: candidate.platform.clone(),
                revision: candidate.revision,
                input_digest: candidate.input_digest,
                standing: candidate.standing,
                reason: candidate.reason.as_deref().map(Arc::from),
                handle: handle as u64,
            })
        });
        Ok(Some(Candidates { kind: found.kind, registry: Arc::from("here"), releases: releases.collect() }))
    }

    fn dependencies(&self, name: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, TiersError> {
        let Some(found) = self.find(name)? else { return Ok(Vec::new()) };
        let handle = usize::try_from(candidate.handle).unwrap_or(usize::MAX);
        let Some(place) = found.places.get(handle).copied() else { return Ok(Vec::new()) };
        let Some(chosen) = found.candidate(place) else { return Ok(Vec::new()) };
        match (place, &found.own, &found.above) {
            (Place::Own(_), Some(own), _) => Ok(self.own().dependencies(own, chosen)?),
            (Place::Above(_), _, Some((at, above))) => {
                Ok(self.upstreams[*at].index()?.dependencies(above, chosen)?)
            }
            _ => Ok(Vec::new()),
        }
    }
}
