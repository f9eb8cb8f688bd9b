//! What an ask would use of what a view offers.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::record::Hold;
use weir_model::{Dependency, PackageName, Range, ReleaseId};
use weir_resolve::{
    Candidate, Candidates, Lock, Origin, Override, Replacement, Request, Requirement, Resolution,
    ResolveError, Resolver, Settings, View,
};
use weir_wire::upstream::Ask;

/// Why an ask was not resolved.
#[derive(Debug, thiserror::Error)]
pub enum Unresolved<E: std::error::Error + 'static> {
    /// The view could not answer.
    #[error(transparent)]
    View(E),
    /// The search took too long.
    #[error("{0}")]
    GaveUp(String),
}

/// Resolves what is asked over what a view offers; nothing where nothing is asked, or that cannot be had together.
///
/// # Errors
///
/// When the view cannot answer, or the search takes too long.
pub fn resolve<V: View>(view: &V, ask: &Ask) -> Result<Option<Resolution>, Unresolved<V::Error>> {
    let origin = Origin::new("what is asked for");
    let mut requirements = Vec::with_capacity(ask.requirements.len());
    for asked in &ask.requirements {
        // What is neither here nor above may be in another registry that who asks has above as well: the rest is resolved without it.
        if view.candidates(&asked.name, None).map_err(Unresolved::View)?.is_none() {
            continue;
        }
        requirements.push(Requirement {
            name: asked.name.clone(),
            range: asked.range.clone(),
            registry: None,
            fluid: asked.fluid,
            origin: origin.clone(),
        });
    }
    if requirements.is_empty() {
        return Ok(None);
    }
    let mut lock = Lock::new();
    for id in &ask.prefer {
        lock.add_release(id.clone());
    }
    let mut overrides: BTreeMap<&PackageName, Override> = BTreeMap::new();
    for asked in &ask.overrides {
        overrides.entry(&asked.name).or_insert_with(|| Override {
            name: asked.name.clone(),
            replacement: Replacement::Range(asked.range.clone()),
            origin: origin.clone(),
        });
    }
    let settings = Settings {
        platform: ask.platform.clone(),
        overrides: overrides.into_values().collect(),
        newest: ask.newest.iter().cloned().collect(),
        ..Settings::default()
    };
    let gave_up = |error: &dyn std::error::Error| Unresolved::GaveUp(error.to_string());
    let view = &Without { view, releases: ask.without.iter().collect() };
    let resolver = Resolver::new(view, settings).map_err(|error| gave_up(&error))?;
    match resolver.resolve(Request { requirements: &requirements, lock: Some(&lock) }) {
        Ok(resolution) => Ok(Some(resolution)),
        Err(ResolveError::Impossible(_)) => Ok(None),
        Err(ResolveError::View(error)) => Err(Unresolved::View(error)),
        Err(error) => Err(gave_up(&error)),
    }
}

/// The same ask with every range that whoever asks may leave behind open to what is newer than what was chosen; nothing where they stay in
/// all of them.
pub(crate) fn beyond(ask: &Ask, chosen: Option<&Resolution>) -> Option<Ask> {
    let open: BTreeSet<&PackageName> = ask.beyond.iter().collect();
    let mut wider = ask.clone();
    for asked in wider.requirements.iter_mut().filter(|asked| open.contains(&asked.name)) {
        let nodes = chosen.iter().flat_map(|chosen| &chosen.nodes);
        let within =
            nodes.filter(|node| node.id.name == asked.name && asked.range.contains(&node.id.version));
        let newer =
            within.map(|node| &node.id.version).max().map(|now| format!("{} || >={now}", asked.range));
        asked.range = newer.and_then(|range| range.parse().ok()).unwrap_or_else(Range::any);
    }
    wider.newest.extend(ask.beyond.iter().cloned());
    wider.prefer.retain(|id| !open.contains(&id.name));
    (!open.is_empty()).then_some(wider)
}

/// A view without the releases that who asks does not take.
struct Without<'a, V> {
    view: &'a V,
    releases: BTreeSet<&'a ReleaseId>,
}

impl<V: View> View for Without<'_, V> {
    type Error = V::Error;

    fn candidates(&self, name: &PackageName, registry: Option<&str>) -> Result<Option<Candidates>, V::Error> {
        let mut candidates = self.view.candidates(name, registry)?;
        if let Some(candidates) = candidates.as_mut().filter(|_| !self.releases.is_empty()) {
            candidates.releases.retain(|candidate| {
                let Candidate { version, platform, revision, .. } = candidate.clone();
                !self.releases.contains(&ReleaseId { name: name.clone(), version, platform, revision })
            });
        }
        Ok(candidates)
    }

    fn dependencies(&self, name: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, V::Error> {
        self.view.dependencies(name, candidate)
    }

    fn held(&self, name: &PackageName) -> Vec<Hold> {
        self.view.held(name)
    }
}
