//! What a release reaches: everything that needs it, directly or through others, and by which way.
//!
//! A release reaches another one *surely* if each on the way was baked with the next: whoever installs it gets exactly
//! that. Where a dependency may move, it reaches whatever its range admits: whoever has it locked so gets it.
//!
//! Packages are looked at when something of theirs is reached and not before, so a question costs as much as its answer.

mod graph;

use serde::Serialize;
use weir_model::{KindName, PackageName, Range, ReleaseId, Scope, Version};
use weir_rules::{Standing, newest};

use self::graph::Graph;
use crate::error::IndexError;
use crate::index::Index;

/// Releases that are looked at at most: those of the largest registries, and not without end.
const MOST_RELEASES: usize = 2_000_000;

/// Everything that some releases of a package reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Impact {
    /// The releases that were asked about.
    pub of: Vec<ReleaseId>,
    /// How many releases they reach, besides themselves.
    pub releases: u64,
    /// How many packages would still bring them to whoever installs the newest release now.
    pub now: u64,
    /// The packages they reach, by name.
    pub packages: Vec<ReachedPackage>,
    /// Whether that is all: a registry may have more than is looked at.
    pub complete: bool,
}

/// A package that somebody's releases reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReachedPackage {
    /// Its newest release that is reached.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether that release may be used.
    pub standing: Standing,
    /// Whether that is what whoever installs the package now is given.
    pub now: bool,
    /// Whether it was baked so: otherwise it depends on what was chosen for the ranges on the way.
    pub sure: bool,
    /// How many of its releases are reached.
    pub releases: u64,
    /// Whether nothing in the registry needs it: a program, or what is used by applications only.
    pub last: bool,
    /// A way from that release to the one that was asked about.
    pub way: Vec<ReleaseId>,
}

/// What a package that needs another would do if that had a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Upgrade {
    /// The newest release of the package that needs it.
    pub id: ReleaseId,
    /// The versions that it takes.
    pub range: Range,
    /// What it needs it for.
    pub scope: Scope,
    /// The version that it was baked with, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baked: Option<Version>,
    /// What it would do.
    pub does: Upgrading,
}

/// What somebody's newest release does about a version of what it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Upgrading {
    /// Its range does not admit it.
    Refuses,
    /// Its range admits it, and it was baked with another: it takes it when it is published anew.
    WhenPublished,
    /// Its range admits it, and it may move: who resolves anew gets it.
    Takes,
    /// It was baked with it.
    Has,
}

impl Index {
    /// Everything that reaches a version of a package, or any of its releases if no version is given. Releases that were
    /// removed are not among them, and what is needed only to work on a package is not passed on by it.
    pub fn impact(&self, name: &PackageName, version: Option<&Version>) -> Result<Impact, IndexError> {
        self.impact_within(name, version, MOST_RELEASES)
    }

    /// The same, for whoever must not wait long: at most so many releases are looked at.
    pub fn impact_within(
        &self,
        name: &PackageName,
        version: Option<&Version>,
        most: usize,
    ) -> Result<Impact, IndexError> {
        let _still = self.reading()?;
        let mut graph = Graph::new(self, most);
        let of =
            graph.begin(name, |candidate| version.is_none_or(|version| candidate.version == *version))?;
        graph.walk()?;
        let mut packages = graph.reached()?;
        packages.sort_by(|one, other| one.id.name.cmp(&other.id.name));
        Ok(Impact {
            of,
            releases: packages.iter().map(|package| package.releases).sum(),
            now: packages.iter().filter(|package| package.now).count() as u64,
            packages,
            complete: graph.is_complete(),
        })
    }

    /// What each package that needs `name` directly would do about its `version`, which need not be there: by what it does,
    /// then by name. Of each, its newest release that is offered answers.
    pub fn upgrades(&self, name: &PackageName, version: &Version) -> Result<Vec<Upgrade>, IndexError> {
        let _still = self.reading()?;
        let mut upgrades = Vec::new();
        for dependent in self.needing(name, usize::MAX)? {
            let Some(candidates) = self.candidates(&dependent)? else { continue };
            let Some(candidate) = newest(&candidates.releases, None) else { continue };
            for dependency in self.dependencies(&candidates, candidate)? {
                if dependency.name != *name {
                    continue;
                }
                let baked = dependency.baked.map(|baked| baked.version);
                let does = match (&baked, dependency.range.contains(version)) {
                    (Some(baked), _) if baked == version => Upgrading::Has,
                    (_, false) => Upgrading::Refuses,
                    (Some(_), true) => Upgrading::WhenPublished,
                    (None, true) => Upgrading::Takes,
                };
                let (range, scope) = (dependency.range, dependency.scope);
                upgrades.push(Upgrade { id: candidate.id(&dependent), range, scope, baked, does });
            }
        }
        upgrades.sort_by(|one, other| (one.does, &one.id.name).cmp(&(other.does, &other.id.name)));
        Ok(upgrades)
    }
}
