//! Fetching, while there is a network, what this machine is likely to want without one.
//!
//! What is likely is told by what is on this machine: manifests and lockfiles of the projects that use the store, and the synced indexes of their
//! registries. Nobody is told what is used here; a registry sees which packs are fetched.

mod used;

use std::collections::BTreeMap;

use serde::Serialize;
use weir_model::ReleaseId;
use weir_prefetch::{Chosen, Offers, Wanted, Why, wishes, within};
use weir_reach::{Connection, KnownRegistry, Offline, Session, connect, in_use};

use crate::error::ProjectError;
use crate::fetch::fetch_releases;
use crate::project::Project;
use used::Used;

/// How much to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefetchOptions {
    /// The most bytes of packs.
    pub budget: u64,
    /// Whether to tell what would be fetched and fetch nothing.
    pub dry_run: bool,
}

/// What was fetched ahead of need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PrefetchReport {
    /// From how many projects it was learned what is used here.
    pub projects: usize,
    /// The most bytes of packs that were to be fetched.
    pub budget: u64,
    /// What was fetched, what is wanted most first, each before what only it needs.
    pub releases: Vec<Prefetched>,
    /// The bytes of their packs together.
    pub bytes: u64,
    /// How many more would be wanted and are beyond the budget, without what only they need.
    pub beyond: usize,
    /// Whether this only tells what would be done.
    pub dry_run: bool,
}

/// A release that was fetched ahead of need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Prefetched {
    /// Which one.
    pub release: ReleaseId,
    /// The bytes of its pack.
    pub bytes: u64,
    /// Why it is likely to be wanted.
    pub why: Why,
}

/// Fetches what this machine is likely to want without a network, within a budget.
///
/// # Errors
///
/// When no registry can be followed, one is not believed, or something cannot be fetched. What was fetched by then stays.
pub fn prefetch(session: &Session, options: &PrefetchOptions) -> Result<PrefetchReport, ProjectError> {
    if session.offline {
        return Err(Offline::needs("fetching ahead").into());
    }
    let store = session.open_store()?;
    let registered = store.projects()?;
    let (used, connections) = look_at(session, &registered)?;
    let store = store.session()?;
    let platform = session.platform();
    let mut wanted = Vec::new();
    for connection in &connections {
        let offers = Offers::new(connection.replica.index(), &platform);
        for wish in wishes(&offers, used.of(connection.replica.name()))? {
            let mut missing = Vec::new();
            for needed in offers.closure(wish.release.clone())?.unwrap_or_default() {
                if store.tree(&needed.tree)?.is_none() {
                    missing.push(needed);
                }
            }
            wanted.push((connection, Wanted { wish, missing }));
        }
    }
    let (chosen, beyond) = within(options.budget, wanted, |release| release.size);
    let releases = chosen.iter().map(|Chosen { release, why, .. }| Prefetched {
        release: release.id.clone(),
        bytes: release.size,
        why: why.clone(),
    });
    let report = PrefetchReport {
        projects: registered.len(),
        budget: options.budget,
        bytes: chosen.iter().map(|chosen| chosen.release.size).sum(),
        releases: releases.collect(),
        beyond,
        dry_run: options.dry_run,
    };
    if !options.dry_run {
        let wanted: Vec<_> = chosen.into_iter().map(|chosen| (chosen.from, chosen.release)).collect();
        if let Err(error) = fetch_releases(session, &store, &wanted) {
            let mut here = 0;
            for (_, release) in &wanted {
                here += u64::from(store.tree(&release.tree)?.is_some());
            }
            session.warn(format!("{here} of {} releases were fetched, and stay", wanted.len()));
            return Err(error);
        }
    }
    Ok(report)
}

/// What this user's projects use, and the registries that they come from, each followed once.
fn look_at(
    session: &Session,
    registered: &[weir_store::Project],
) -> Result<(Used, Vec<Connection>), ProjectError> {
    let mut used = Used::default();
    let mut known: BTreeMap<String, KnownRegistry> = BTreeMap::new();
    let mut add = |registries: Vec<KnownRegistry>| {
        for registry in registries {
            known.entry(registry.location.clone()).or_insert(registry);
        }
    };
    add(weir_reach::registries(session, None)?);
    for registered in registered {
        // One that is gone, on another machine or somebody else's says nothing of registries and ranges.
        let project = Project::open(&registered.path, &session.owners).ok();
        if let Ok(lock) = &registered.installed {
            used.add(lock, project.as_ref());
        }
        if let Some(project) = project {
            add(in_use(session, project.registries())?);
        }
    }
    Ok((used, reached(session, known.values())?))
}

/// Follows each registry. One that is away is in no other's way: the session is told of it.
fn reached<'k>(
    session: &Session,
    known: impl Iterator<Item = &'k KnownRegistry>,
) -> Result<Vec<Connection>, ProjectError> {
    let mut reached = Vec::new();
    let mut away = Vec::new();
    for known in known {
        match connect(session, known) {
            Ok(connection) => reached.push(connection),
            Err(error) if error.is_unbelieved() => return Err(error.into()),
            Err(error) => away.push((known, error)),
        }
    }
    for (known, error) in away {
        if reached.is_empty() {
            return Err(error.into());
        }
        let (name, why) = (&known.name, weir_model::chain(&error));
        session.warn(format!("nothing is fetched from the registry `{name}`: {why}"));
    }
    Ok(reached)
}
