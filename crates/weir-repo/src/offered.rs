//! What the registry offers for the platform that is built for, as the planner takes it.

use std::collections::BTreeMap;

use weir_build::Offered;
use weir_index::ReleaseView;
use weir_model::{InputDigest, KindName, PackageName, Release, ReleaseId, Scope, TreeDigest, Version};
use weir_registry::BuiltBefore;
use weir_rules::Standing;

use crate::Repo;
use crate::error::RepoError;
use weir_reach::is_http;

impl Repo<'_> {
    /// Every built package that is offered for the platform of the build root.
    pub(crate) fn offered(&self) -> Result<Vec<Release>, RepoError> {
        let platform = self.root.platform();
        let mut offered = Vec::new();
        for view in self.index().live_releases() {
            let ReleaseView { release, .. } = match view? {
                view if view.standing().is_offered() => view,
                _ => continue,
            };
            if release.kind == KindName::Native && release.id.platform.serves(platform) {
                offered.push(release);
            }
        }
        Ok(offered)
    }

    /// The highest revision that a version ever had for this platform, removed ones too.
    pub(crate) fn highest_revision(
        &self,
        name: &PackageName,
        version: &Version,
    ) -> Result<Option<u32>, RepoError> {
        let package = self.index().package(name)?;
        Ok(package.and_then(|package| package.highest_revision(version, self.root.platform())))
    }

    /// What this input digest gave before, by whoever published it: if it can still be had, it need not be built
    /// again.
    pub(crate) fn built_before(&self, input_digest: &InputDigest) -> Result<Option<BuiltBefore>, RepoError> {
        Ok(BuiltBefore::find(self.index(), input_digest, |tree| self.holds(tree))?)
    }

    /// Whether a tree can be had: from this machine's store, or from the registry. One that is reached over HTTP
    /// cannot be looked into, but holds what it has not removed.
    fn holds(&self, tree: &TreeDigest) -> bool {
        let served = || {
            let named = self.index().by_tree(tree);
            named.is_ok_and(|views| views.iter().any(|view| view.standing() != Standing::Removed))
        };
        self.store.tree(tree).is_ok_and(|tree| tree.is_some())
            || if is_http(&self.known.location) { served() } else { self.held_pack(tree).is_some() }
    }
}

/// As the planner takes them.
pub(crate) fn for_planner(releases: &[Release]) -> Vec<Offered> {
    let offered = releases.iter().map(|release| Offered {
        id: release.id.clone(),
        input_digest: release.input_digest,
        recipe: release.recipe,
        toolchain: release.toolchain,
        dependencies: release.dependencies.clone(),
    });
    offered.collect()
}

/// Releases by identity, to walk what they were built with.
pub(crate) struct Closures<'r> {
    by_id: BTreeMap<&'r ReleaseId, &'r Release>,
}

impl<'r> Closures<'r> {
    pub(crate) fn new(releases: &'r [Release]) -> Self {
        Self { by_id: releases.iter().map(|release| (&release.id, release)).collect() }
    }

    /// A release, and everything that those who use it see too: what it needs to be used, all the way down.
    pub(crate) fn add(&self, id: &ReleaseId, into: &mut BTreeMap<ReleaseId, &'r Release>) {
        let mut pending = vec![id.clone()];
        while let Some(id) = pending.pop() {
            let Some(release) = self.by_id.get(&id) else { continue };
            if into.insert(id, release).is_none() {
                let below = release.dependencies.iter().filter(|dependency| dependency.scope == Scope::Run);
                pending.extend(below.filter_map(weir_model::Dependency::baked_id));
            }
        }
    }
}
