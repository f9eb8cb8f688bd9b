//! Who needs what, the other way round.

use std::collections::{BTreeSet, HashMap, VecDeque};

use weir_model::{Dependency, KindName, PackageName, ReleaseId};

use crate::error::IndexError;
use crate::index::Index;
use crate::rows::package_id;
use crate::view::State;
use crate::wire::parse;

/// A release that needs a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// The release.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether it may be used; never [`State::Removed`].
    pub state: State,
    /// The index of the entry that published it.
    pub index: u64,
    /// What it needs: the range, the scope, and what was baked.
    pub dependency: Dependency,
}

impl Index {
    /// Every release, not removed, that needs a package directly: by name, then the newest first.
    pub fn dependents(&self, name: &PackageName) -> Result<Vec<Dependent>, IndexError> {
        let _still = self.reading()?;
        let mut dependents = Vec::new();
        for dependent in self.needing_packages(name)? {
            let Some(candidates) = self.candidates(&dependent)? else { continue };
            for candidate in &candidates.releases {
                for dependency in self.dependencies(&candidates, candidate)? {
                    if dependency.name != *name {
                        continue;
                    }
                    let id = ReleaseId {
                        name: dependent.clone(),
                        version: candidate.version.clone(),
                        platform: candidate.platform.clone(),
                        revision: candidate.revision,
                    };
                    let (kind, state, index) = (candidate.kind, candidate.state, candidate.index);
                    dependents.push(Dependent { id, kind, state, index, dependency });
                }
            }
        }
        Ok(dependents)
    }

    /// Every package that needs this one, directly or through others: the nearest first, then by name.
    pub fn transitive_dependents(&self, name: &PackageName) -> Result<Vec<PackageName>, IndexError> {
        let _still = self.reading()?;
        let mut seen = BTreeSet::from([name.clone()]);
        let mut found = Vec::new();
        let mut queue = VecDeque::from([name.clone()]);
        while let Some(needed) = queue.pop_front() {
            for dependent in self.needing_packages(&needed)? {
                if seen.insert(dependent.clone()) {
                    found.push(dependent.clone());
                    queue.push_back(dependent);
                }
            }
        }
        Ok(found)
    }

    /// Every release, not removed, into whose baked closure one of these went, the nearest first.
    /// The given ones are not among them, unless they were baked into one another.
    pub fn reverse_closure(&self, of: &[ReleaseId]) -> Result<Vec<ReleaseId>, IndexError> {
        let _still = self.reading()?;
        let mut by_package: HashMap<PackageName, Vec<(ReleaseId, ReleaseId)>> = HashMap::new();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut queue: VecDeque<ReleaseId> = of.iter().cloned().collect();
        while let Some(needed) = queue.pop_front() {
            if !by_package.contains_key(&needed.name) {
                let baked = self.dependents(&needed.name)?.into_iter();
                let baked =
                    baked.filter_map(|dependent| Some((dependent.dependency.baked_id()?, dependent.id)));
                by_package.insert(needed.name.clone(), baked.collect());
            }
            for (baked, dependent) in by_package.get(&needed.name).into_iter().flatten() {
                if *baked == needed && seen.insert(dependent.clone()) {
                    found.push(dependent.clone());
                    queue.push_back(dependent.clone());
                }
            }
        }
        Ok(found)
    }

    fn needing_packages(&self, name: &PackageName) -> Result<Vec<PackageName>, IndexError> {
        let Some(id) = package_id(&self.connection, name.as_str())? else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT p.name FROM edge e JOIN package p ON p.id = e.package WHERE e.needed = ?1 ORDER BY p.name",
        )?;
        let mut found = statement.query([id])?;
        let mut names = Vec::new();
        while let Some(row) = found.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            names.push(parse(name).map_err(IndexError::damaged("a name"))?);
        }
        Ok(names)
    }
}
