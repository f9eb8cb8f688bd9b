//! What a release needs to be used, and what of that is not here.

use std::collections::BTreeSet;

use weir_index::Index;
use weir_model::{Dependency, Platform, Release, Scope};
use weir_rules::best;

use crate::error::ProjectError;

/// A release that needs more others is not fetched ahead.
const MOST: usize = 2000;

/// Who looks through what is needed.
pub(super) struct Needs<'a> {
    index: &'a Index,
    store: &'a weir_store::Session,
    platform: Platform,
}

impl<'a> Needs<'a> {
    pub(super) fn new(index: &'a Index, store: &'a weir_store::Session, platform: Platform) -> Self {
        Self { index, store, platform }
    }

    /// What of a release, and of all that it needs, is not in the store, itself first. Nothing if a part of that cannot be had from its registry.
    pub(super) fn of(&mut self, release: Release) -> Result<Option<Vec<Release>>, ProjectError> {
        let mut seen = BTreeSet::from([release.id.clone()]);
        let (mut waiting, mut missing) = (vec![release], Vec::new());
        while let Some(release) = waiting.pop() {
            for dependency in release.dependencies.iter().filter(|needed| needed.scope == Scope::Run) {
                let Some(needed) = self.chosen(dependency)? else { return Ok(None) };
                if seen.insert(needed.id.clone()) {
                    waiting.push(needed);
                }
            }
            if seen.len() > MOST {
                return Ok(None);
            }
            if self.store.tree(&release.tree)?.is_none() {
                missing.push(release);
            }
        }
        Ok(Some(missing))
    }

    /// The release that a dependency was fixed to, or the newest that would do.
    fn chosen(&self, dependency: &Dependency) -> Result<Option<Release>, ProjectError> {
        if let Some(id) = dependency.baked_id() {
            let view = self.index.release(&id)?.filter(|view| view.standing().is_usable());
            return Ok(view.map(|view| view.release));
        }
        let Some(package) = self.index.package(&dependency.name)? else { return Ok(None) };
        let chosen = best(package.releases, &dependency.range, &self.platform);
        Ok(chosen.map(|view| view.release))
    }
}
