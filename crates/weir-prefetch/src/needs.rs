//! What a release needs to be used, and what of that is not here.

use std::collections::BTreeSet;

use weir_index::{Index, IndexError};
use weir_model::{Dependency, Platform, Release, Scope};
use weir_rules::best;

/// A release that needs more others is not fetched ahead.
const MOST: usize = 2000;

/// Who looks through what is needed.
#[derive(Debug)]
pub struct Needs<'a> {
    index: &'a Index,
    platform: &'a Platform,
}

impl<'a> Needs<'a> {
    /// By what `index` has for `platform`.
    pub fn new(index: &'a Index, platform: &'a Platform) -> Self {
        Self { index, platform }
    }

    /// A release and all that it needs, itself first. Nothing if a part of that cannot be had from its registry.
    ///
    /// # Errors
    ///
    /// When the index cannot be read.
    pub fn of(&self, release: Release) -> Result<Option<Vec<Release>>, IndexError> {
        let mut seen = BTreeSet::from([release.id.clone()]);
        let mut all = vec![release];
        let mut next = 0;
        while let Some(release) = all.get(next).cloned() {
            next += 1;
            for dependency in release.dependencies.iter().filter(|needed| needed.scope == Scope::Run) {
                let Some(needed) = self.chosen(dependency)? else { return Ok(None) };
                if seen.insert(needed.id.clone()) {
                    all.push(needed);
                }
            }
            if seen.len() > MOST {
                return Ok(None);
            }
        }
        Ok(Some(all))
    }

    /// The release that a dependency was fixed to, or the newest that would do.
    fn chosen(&self, dependency: &Dependency) -> Result<Option<Release>, IndexError> {
        if let Some(id) = dependency.baked_id() {
            let view = self.index.release(&id)?.filter(|view| view.standing().is_usable());
            return Ok(view.map(|view| view.release));
        }
        let Some(package) = self.index.package(&dependency.name)? else { return Ok(None) };
        let chosen = best(package.releases, &dependency.range, self.platform);
        Ok(chosen.map(|view| view.release))
    }
}
