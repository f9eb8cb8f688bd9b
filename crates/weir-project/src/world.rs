//! What all known registries offer together: the view that a project is resolved against.
//!
//! A name belongs to one registry. It is the one that the requirement names, or that the lockfile has
//! it from, or that the user names for this run, or the one that it [belongs](crate::belongs) to. Registries beside the default one are
//! asked only when they have to be.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use weir_index::ReleaseView;
use weir_model::record::Hold;
use weir_model::{Dependency, PackageName, Platform, ReleaseId, Version, nearest};
use weir_resolve::{Candidate, Candidates, View};

use crate::advisories::AdvisedRelease;
use crate::belongs::{Belongs, belongs};
use crate::error::ProjectError;
use crate::tools;
use weir_reach::{Connection, Connections, ReachError};

/// The registries a project may use, as one view.
pub(crate) struct World<'c> {
    connections: &'c Connections<'c>,
    /// The registry's own name, for each name that the lockfile has.
    locked: BTreeMap<PackageName, String>,
    /// What is on this machine.
    store: weir_store::Session,
    /// What the lockfile has and is to stay: it counts as here.
    kept: BTreeSet<ReleaseId>,
    /// Tools that releases are written for, and the versions of them that will do.
    tools: BTreeMap<PackageName, Vec<Version>>,
    found: RefCell<HashMap<PackageName, Option<Found<'c>>>>,
}

/// A package in the registry it belongs to.
#[derive(Clone)]
struct Found<'c> {
    connection: &'c Connection,
    candidates: Rc<weir_index::Candidates>,
}

impl<'c> Found<'c> {
    fn in_registry(connection: &'c Connection, name: &PackageName) -> Result<Option<Self>, WorldError> {
        let candidates = connection.replica.index().candidates(name)?;
        Ok(candidates.map(|candidates| Self { connection, candidates: Rc::new(candidates) }))
    }
}

/// Why the registries could not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    /// Something failed on the way.
    #[error(transparent)]
    Reach(Box<ReachError>),
    /// Two registries offer one name, or have its owner bound.
    #[error(
        "`{name}` may be that of `{first}` or that of `{second}`, and neither goes before the other: say which with `--registry {first}` this once, or with `registry = \"{first}\"` in `weir.toml`"
    )]
    Ambiguous {
        /// The name.
        name: PackageName,
        /// One registry.
        first: String,
        /// The other.
        second: String,
    },
}

impl From<ReachError> for WorldError {
    fn from(error: ReachError) -> Self {
        Self::Reach(Box::new(error))
    }
}

impl From<weir_index::IndexError> for WorldError {
    fn from(error: weir_index::IndexError) -> Self {
        ReachError::from(error).into()
    }
}

impl From<WorldError> for ProjectError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Reach(error) => Self::Reach(*error),
            ambiguous => Self::Resolver(ambiguous.to_string()),
        }
    }
}

impl<'c> World<'c> {
    pub(crate) fn new(
        connections: &'c Connections<'c>,
        locked: BTreeMap<PackageName, String>,
        store: weir_store::Session,
        kept: BTreeSet<ReleaseId>,
        tools: BTreeMap<PackageName, Vec<Version>>,
    ) -> Self {
        Self { connections, locked, store, kept, tools, found: RefCell::default() }
    }

    /// Whether no registry is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.connections.known().is_empty()
    }

    /// Where a name is looked for, in words.
    pub(crate) fn describe(&self, registry: Option<&str>) -> String {
        match (registry, self.connections.known()) {
            (Some(name), _) => format!("the registry `{name}`"),
            (None, [only]) => format!("the registry `{}`", only.name),
            (None, _) => "any known registry".into(),
        }
    }

    fn find(&self, name: &PackageName, registry: Option<&str>) -> Result<Option<Found<'c>>, WorldError> {
        if let Some(found) = self.found.borrow().get(name) {
            return Ok(found.clone());
        }
        let found = self.look_for(name, registry)?;
        self.found.borrow_mut().insert(name.clone(), found.clone());
        Ok(found)
    }

    fn look_for(&self, name: &PackageName, registry: Option<&str>) -> Result<Option<Found<'c>>, WorldError> {
        let known = self.connections.known();
        if let Some(wanted) = registry {
            let Some(position) = known.iter().position(|known| known.name == wanted) else {
                let similar = nearest(wanted, known.iter().map(|known| known.name.as_str()));
                let similar = similar.map(str::to_owned);
                return Err(ReachError::UnknownRegistry { name: wanted.into(), similar }.into());
            };
            return self.look_in(position, name);
        }
        if let Some(own_name) = self.locked.get(name)
            && let Some(connection) = self.connections.by_own_name(own_name)?
            && let Some(found) = Found::in_registry(connection, name)?
        {
            return Ok(Some(found));
        }
        // Who names a registry for this one run has said which.
        if self.connections.is_first_named()
            && let Some(found) = self.look_in(0, name)?
        {
            return Ok(Some(found));
        }
        let mut asked = Vec::new();
        for place in self.connections.places_of_unmarked()? {
            asked.push((*place, self.connections.get(*place)?));
        }
        match belongs(&asked, name)? {
            Belongs::ToNobody => Ok(None),
            Belongs::To(place) => self.look_in(place, name),
            Belongs::ToSeveral(first, second) => Err(WorldError::Ambiguous {
                name: name.clone(),
                first: known[first].name.clone(),
                second: known[second].name.clone(),
            }),
        }
    }

    fn look_in(&self, position: usize, name: &PackageName) -> Result<Option<Found<'c>>, WorldError> {
        Found::in_registry(self.connections.get(position)?, name)
    }

    /// The releases of a package that are offered for a platform, what a person means who names no version first;
    /// nothing if no registry has the name.
    pub(crate) fn offered(
        &self,
        name: &PackageName,
        registry: Option<&str>,
        platform: &Platform,
    ) -> Result<Option<Vec<Version>>, ProjectError> {
        let Some(found) = self.find(name, registry)? else { return Ok(None) };
        let offered = weir_rules::newest_first(&found.candidates.releases, platform);
        let mut versions: Vec<Version> = offered.into_iter().map(|offered| offered.version.clone()).collect();
        versions.dedup();
        Ok(Some(versions))
    }

    /// Whether a release is there, but no longer offered.
    pub(crate) fn is_withdrawn(&self, id: &ReleaseId) -> Result<bool, ProjectError> {
        let Some(found) = self.find(&id.name, None)? else { return Ok(false) };
        let mut releases = found.candidates.releases.iter().filter(|release| {
            release.version == id.version
                && release.platform == id.platform
                && release.revision == id.revision
        });
        Ok(releases.any(|release| !release.standing.is_offered()))
    }

    /// What the advisories of its registry know against a release, if they know anything.
    pub(crate) fn advised(&self, id: ReleaseId) -> Result<Option<AdvisedRelease>, ProjectError> {
        let Some(found) = self.find(&id.name, None)? else { return Ok(None) };
        Ok(AdvisedRelease::find(&found.connection.replica, id)?)
    }

    /// Whether a version can be used without fetching anything.
    pub(crate) fn is_version_here(
        &self,
        name: &PackageName,
        version: &Version,
    ) -> Result<bool, ProjectError> {
        let Some(candidates) = self.candidates(name, None)? else { return Ok(false) };
        let mut releases = candidates.releases.iter().filter(|release| release.version == *version);
        Ok(releases.any(|release| self.is_here(name, release)))
    }

    /// Whether a release is in the store, and every file that its references are fixed to.
    fn is_stored(&self, id: &ReleaseId) -> Result<bool, ProjectError> {
        let Some((_, view)) = self.release(id)? else { return Ok(false) };
        if self.store.tree(&view.release.tree)?.is_none() {
            return Ok(false);
        }
        for reference in view.release.references.iter().filter(|reference| !reference.fluid) {
            if let Some(digest) = &reference.sha256
                && self.store.file(digest)?.is_none()
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Everything the log says of a release that was chosen.
    pub(crate) fn release(
        &self,
        id: &ReleaseId,
    ) -> Result<Option<(&'c Connection, ReleaseView)>, ProjectError> {
        let Some(found) = self.find(&id.name, None)? else { return Ok(None) };
        let view = found.connection.replica.index().release(id)?;
        Ok(view.map(|view| (found.connection, view)))
    }
}

impl View for World<'_> {
    type Error = WorldError;

    fn candidates(
        &self,
        name: &PackageName,
        registry: Option<&str>,
    ) -> Result<Option<Candidates>, WorldError> {
        if let Some(versions) = self.tools.get(name) {
            return Ok(Some(tools::candidates(name, versions)));
        }
        let Some(found) = self.find(name, registry)? else { return Ok(None) };
        let releases = found.candidates.releases.iter().enumerate().map(|(position, candidate)| Candidate {
            version: candidate.version.clone(),
            platform: candidate.platform.clone(),
            revision: candidate.revision,
            input_digest: candidate.input_digest,
            standing: candidate.standing,
            reason: candidate.reason.as_deref().map(Arc::from),
            handle: position as u64,
        });
        Ok(Some(Candidates {
            kind: found.candidates.kind,
            registry: Arc::from(found.connection.known.name.as_str()),
            releases: releases.collect(),
        }))
    }

    fn dependencies(&self, name: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, WorldError> {
        let Some(found) = self.find(name, None)? else { return Ok(Vec::new()) };
        let position = usize::try_from(candidate.handle).unwrap_or(usize::MAX);
        let Some(chosen) = found.candidates.releases.get(position) else { return Ok(Vec::new()) };
        let index = found.connection.replica.index();
        let mut needed = index.dependencies(&found.candidates, chosen)?;
        if !self.tools.is_empty() {
            let id = ReleaseId {
                name: name.clone(),
                version: candidate.version.clone(),
                platform: candidate.platform.clone(),
                revision: candidate.revision,
            };
            let release = index.release(&id)?.map(|view| view.release);
            needed.extend(
                release.and_then(|release| tools::need(release.kind, &release.kind_facts, &self.tools)),
            );
        }
        Ok(needed)
    }

    fn is_here(&self, name: &PackageName, candidate: &Candidate) -> bool {
        let id = ReleaseId {
            name: name.clone(),
            version: candidate.version.clone(),
            platform: candidate.platform.clone(),
            revision: candidate.revision,
        };
        // What cannot be looked at is not here: fetching it tells why.
        self.kept.contains(&id) || self.is_stored(&id).unwrap_or(false)
    }

    fn elsewhere(&self, name: &PackageName, registry: &str) -> Vec<Arc<str>> {
        let known = self.connections.known().iter().enumerate();
        let others = known.filter(|(_, known)| known.name != registry);
        // Only a hint for a message: a registry that cannot answer has none.
        let having =
            others.filter(|(position, _)| self.look_in(*position, name).is_ok_and(|found| found.is_some()));
        having.map(|(_, known)| known.name.as_str().into()).collect()
    }

    fn held(&self, name: &PackageName) -> Vec<Hold> {
        // Where the name belongs, if that is known; only to tell of: a view that cannot answer has nothing to tell.
        let of = |connection: &Connection| connection.replica.index().held_of(name).unwrap_or_default();
        let held = match self.find(name, None) {
            Ok(Some(found)) => of(found.connection),
            _ => self.connections.asked().flat_map(of).collect(),
        };
        held.into_iter().map(|held| held.hold).collect()
    }

    fn further_up(&self, name: &PackageName) -> Option<Version> {
        self.connections.only_above(name)
    }

    fn similar_names(&self, name: &PackageName) -> Vec<PackageName> {
        const ASKED: usize = 20;
        let mut names = Vec::new();
        for connection in self.connections.asked() {
            // Only a hint for a message: a view that cannot answer has no suggestion.
            names.extend(connection.replica.index().similar_names(name.as_str(), ASKED).unwrap_or_default());
        }
        // One that has the name itself does not count for it: why, is told beside.
        names.retain(|other| other != name);
        let best = nearest(name.as_str(), names.iter().map(PackageName::as_str)).map(str::to_owned);
        names.retain(|other| best.as_deref() == Some(other.as_str()));
        names.dedup();
        names
    }
}
