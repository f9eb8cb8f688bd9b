//! What a caller asks of a resolver.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use weir_model::{Dependency, KindName, PackageName, Platform, Range, ReleaseId};

use crate::resolution::Resolution;
use crate::view::Candidate;

/// Where a requirement was written, so that a failure can name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Origin {
    /// Such as `weir.toml:12`, or `the command line`.
    pub label: Arc<str>,
}

impl Origin {
    /// An origin that is shown as `label`.
    pub fn new(label: impl Into<Arc<str>>) -> Self {
        Self { label: label.into() }
    }
}

/// A package that must be in the resolution.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The package.
    pub name: PackageName,
    /// The versions that would do.
    pub range: Range,
    /// The registry it must come from, if one was named.
    pub registry: Option<Arc<str>>,
    /// Whether any release in range will do, so that there is no need to fetch one if another is here.
    pub fluid: bool,
    /// Where this was written.
    pub origin: Origin,
}

/// A path or git dependency: a candidate that no registry offers.
///
/// It meets every root requirement on its name. Below the roots it stands in for a unified
/// package where its version is in range, and for an isolated one only through an [`Override`].
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The package.
    pub name: PackageName,
    /// What sort of package it is.
    pub kind: KindName,
    /// The release it stands for.
    pub candidate: Candidate,
    /// What it needs.
    pub dependencies: Vec<Dependency>,
    /// Where it is, as shown to people and kept in [`Source::Fixed`](crate::Source::Fixed).
    pub label: Arc<str>,
}

/// A replacement for every requirement on a package, wherever it is made.
#[derive(Debug, Clone)]
pub struct Override {
    /// The package.
    pub name: PackageName,
    /// What is used instead of what was asked for.
    pub replacement: Replacement,
    /// Where this was written.
    pub origin: Origin,
}

/// What an [`Override`] puts in the place of a requirement.
#[derive(Debug, Clone)]
pub enum Replacement {
    /// Another range; what was baked counts no longer.
    Range(Range),
    /// The [`Fixed`] candidate of that name, whatever its version.
    Fixed,
}

/// What it counts for that a release is on this machine. What a lock names comes first in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Here {
    /// Nothing: the newest is taken.
    #[default]
    Ignored,
    /// Where a need is fluid, what is here is taken first: any release in range will do.
    FirstIfFluid,
    /// What is here is taken first.
    First,
    /// What is not here is not taken at all.
    Only,
}

/// What holds for every request to one resolver.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where the releases are to run; releases for `any` platform serve too.
    pub platform: Platform,
    /// Path and git dependencies, one a name.
    pub fixed: Vec<Fixed>,
    /// Replacements, one a name.
    pub overrides: Vec<Override>,
    /// What it counts for that a release is on this machine.
    pub here: Here,
    /// Packages of which the newest is taken, though an older release is here and would do.
    pub newest: BTreeSet<PackageName>,
}

/// Why settings contradict themselves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Two path or git dependencies of one name.
    #[error("`{name}` comes from two places: `{first}` and `{second}`")]
    FixedTwice {
        /// The package.
        name: PackageName,
        /// One place.
        first: Arc<str>,
        /// The other.
        second: Arc<str>,
    },
    /// Two overrides of one name.
    #[error("`{name}` is overridden twice: in `{first}` and in `{second}`")]
    OverriddenTwice {
        /// The package.
        name: PackageName,
        /// Where the first was written.
        first: Arc<str>,
        /// Where the second was written.
        second: Arc<str>,
    },
    /// An override to a path or git dependency that was not given.
    #[error("`{origin}` overrides `{name}` with a path or git dependency, but there is none of that name")]
    NothingFixed {
        /// The package.
        name: PackageName,
        /// Where the override was written.
        origin: Arc<str>,
    },
}

/// The choices of a lockfile, preferred while they satisfy.
///
/// Choices are kept for each edge, because several releases of an isolated package may stand side by side.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    releases: BTreeMap<PackageName, Vec<ReleaseId>>,
    edges: BTreeMap<(Option<ReleaseId>, PackageName), Vec<Choice>>,
}

/// The range that was acceptable on an edge, and what was chosen.
type Choice = (Range, ReleaseId);

impl Lock {
    /// A lock that prefers nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prefers `id` wherever it satisfies and no edge says otherwise.
    pub fn add_release(&mut self, id: ReleaseId) {
        let releases = self.releases.entry(id.name.clone()).or_default();
        if !releases.contains(&id) {
            releases.push(id);
        }
    }

    /// Records that `from` (the project itself, if none) had `to` chosen for `range`.
    pub fn add_edge(&mut self, from: Option<ReleaseId>, range: Range, to: ReleaseId) {
        self.edges.entry((from, to.name.clone())).or_default().push((range, to));
    }

    /// Lets the choice of `name` move.
    pub fn forget(&mut self, name: &PackageName) {
        self.releases.remove(name);
        self.edges.retain(|(_, target), _| target != name);
    }

    /// Whether nothing is preferred.
    pub fn is_empty(&self) -> bool {
        self.releases.is_empty()
    }

    pub(crate) fn releases(&self) -> impl Iterator<Item = (&PackageName, &[ReleaseId])> {
        self.releases.iter().map(|(name, ids)| (name, ids.as_slice()))
    }

    /// What was chosen on one edge, best match first.
    pub(crate) fn edge(
        &self,
        from: Option<ReleaseId>,
        name: &PackageName,
        range: &Range,
    ) -> Option<&ReleaseId> {
        if self.edges.is_empty() {
            return None;
        }
        let choices = self.edges.get(&(from, name.clone()))?;
        choices.iter().find(|(written, _)| written == range).or_else(|| choices.first()).map(|(_, id)| id)
    }
}

impl From<&Resolution> for Lock {
    fn from(resolution: &Resolution) -> Self {
        let mut lock = Self::new();
        for node in &resolution.nodes {
            lock.add_release(node.id.clone());
        }
        let all = resolution.nodes.iter().map(|node| (Some(&node.id), &node.edges));
        for (from, edges) in std::iter::once((None, &resolution.roots)).chain(all) {
            for edge in edges {
                if let (Some(range), Some(to)) = (&edge.fluid, resolution.nodes.get(edge.to)) {
                    lock.add_edge(from.cloned(), range.clone(), to.id.clone());
                }
            }
        }
        lock
    }
}
