//! Fetching, while there is a network, what this machine is likely to want without one.
//!
//! What is likely is guessed by rules that a person would go by, and everything they look at is on this machine: the lockfiles of the projects that use
//! the store, and the synced indexes of their registries. Nobody is told what is used here; a registry sees which packs are fetched.

mod needs;
mod used;
mod wishes;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weir_model::{OwnerName, Release, ReleaseId, Version};
use weir_reach::{Connection, KnownRegistry, Offline, Session, connect, in_use};

use crate::error::ProjectError;
use crate::fetch::fetch_releases;
use crate::project::Project;
use needs::Needs;
use used::Used;
use wishes::{Wish, wishes};

/// What a request costs, in bytes: without it the smallest packages would always come first.
const REQUEST: u64 = 16 << 10;

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

/// Why a release is likely to be wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "reason", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
#[schemars(rename = "WhyPrefetched")]
pub enum Why {
    /// It is compatible with what projects use, and newer: their next update goes there.
    Update {
        /// The newest version that they use.
        from: Version,
        /// How many use it.
        projects: usize,
    },
    /// It is the newest of a package that projects use: a new project takes it.
    Newest {
        /// The newest version that they use.
        from: Version,
        /// How many use the package.
        projects: usize,
    },
    /// It is another package of somebody whose packages are used.
    SameOwner {
        /// Whose.
        owner: OwnerName,
        /// How many projects use a package of theirs.
        projects: usize,
    },
    /// Another release that is fetched needs it.
    NeededBy {
        /// Which one.
        release: ReleaseId,
    },
}

/// Fetches what this machine is likely to want without a network, within a budget.
///
/// # Errors
///
/// When a registry cannot be followed, or something cannot be fetched. What was fetched by then stays.
pub fn prefetch(session: &Session, options: &PrefetchOptions) -> Result<PrefetchReport, ProjectError> {
    if session.offline {
        return Err(Offline::needs("fetching ahead").into());
    }
    let store = session.open_store()?;
    let registered = store.projects()?;
    let used = Used::by(&registered);
    let connections = connections(session, &registered)?;
    let store = store.session()?;
    let mut ranked = Vec::new();
    for connection in &connections {
        for wish in wishes(connection, &used, &session.platform())? {
            let mut needs = Needs::new(connection.replica.index(), &store, session.platform());
            if let Some(missing) = needs.of(wish.release.clone())?.filter(|missing| !missing.is_empty()) {
                ranked.push(Ranked { connection, wish, missing });
            }
        }
    }
    ranked.sort_by(Ranked::most_wanted_first);
    let (chosen, beyond) = within(options.budget, ranked);
    let releases = chosen.iter().map(|(_, release, why)| Prefetched {
        release: release.id.clone(),
        bytes: release.size,
        why: why.clone(),
    });
    let report = PrefetchReport {
        projects: registered.len(),
        budget: options.budget,
        bytes: chosen.iter().map(|(_, release, _)| release.size).sum(),
        releases: releases.collect(),
        beyond,
        dry_run: options.dry_run,
    };
    if !options.dry_run {
        let wanted: Vec<_> =
            chosen.into_iter().map(|(connection, release, _)| (connection, release)).collect();
        fetch_releases(session, &store, &wanted)?;
    }
    Ok(report)
}

/// A wish with all that is missing for it.
struct Ranked<'c> {
    connection: &'c Connection,
    wish: Wish,
    /// Itself, unless it is here, and what it needs.
    missing: Vec<Release>,
}

impl Ranked<'_> {
    fn most_wanted_first(one: &Self, other: &Self) -> Ordering {
        let by_worth = other.worth().total_cmp(&one.worth());
        by_worth.then_with(|| one.wish.release.id.cmp(&other.wish.release.id))
    }

    /// How often it will be wanted, for each byte that it costs.
    fn worth(&self) -> f64 {
        let bytes: u64 = self.missing.iter().map(|release| release.size + REQUEST).sum();
        self.wish.uses / bytes as f64
    }
}

/// What is to be fetched, from where, and why.
type Chosen<'c> = (&'c Connection, Release, Why);

/// As much of what is ranked as a budget allows, each once; and how many wishes are beyond it.
fn within(budget: u64, ranked: Vec<Ranked<'_>>) -> (Vec<Chosen<'_>>, usize) {
    let (mut chosen, mut beyond, mut left) = (Vec::new(), 0, budget);
    let mut taken = BTreeSet::new();
    for Ranked { connection, wish, missing } in ranked {
        let missing: Vec<_> = missing.into_iter().filter(|one| !taken.contains(&one.tree)).collect();
        let Some(rest) = left.checked_sub(missing.iter().map(|one| one.size).sum()) else {
            beyond += 1;
            continue;
        };
        left = rest;
        for release in missing {
            taken.insert(release.tree);
            let why = match release.id == wish.release.id {
                true => wish.why.clone(),
                false => Why::NeededBy { release: wish.release.id.clone() },
            };
            chosen.push((connection, release, why));
        }
    }
    (chosen, beyond)
}

/// The registries that this user's projects come from, each followed once.
fn connections(
    session: &Session,
    registered: &[weir_store::Project],
) -> Result<Vec<Connection>, ProjectError> {
    let mut known: BTreeMap<String, KnownRegistry> = BTreeMap::new();
    let mut add = |registries: Vec<KnownRegistry>| {
        for registry in registries {
            known.entry(registry.location.clone()).or_insert(registry);
        }
    };
    add(weir_reach::registries(session, None)?);
    for project in registered {
        // One that is gone, on another machine or somebody else's says nothing of registries.
        if let Ok(project) = Project::open(&project.path, &session.owners) {
            add(in_use(session, project.registries())?);
        }
    }
    Ok(known.values().map(|known| connect(session, known)).collect::<Result<_, _>>()?)
}
