//! Who needs what, the other way round.

use rusqlite::params;
use weir_model::{Dependency, KindName, PackageName, ReleaseId};
use weir_rules::Standing;

use crate::error::IndexError;
use crate::index::Index;
use crate::query::clamp;
use crate::rows::package_id;
use crate::wire::parse;

/// A release that needs a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// The release.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether it may be used; never [`Standing::Removed`].
    pub standing: Standing,
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
        for dependent in self.needing(name, usize::MAX)? {
            let Some(candidates) = self.candidates(&dependent)? else { continue };
            for candidate in &candidates.releases {
                for dependency in self.dependencies(&candidates, candidate)? {
                    if dependency.name != *name {
                        continue;
                    }
                    let id = candidate.id(&dependent);
                    let (kind, standing, index) = (candidate.kind, candidate.standing, candidate.index);
                    dependents.push(Dependent { id, kind, standing, index, dependency });
                }
            }
        }
        Ok(dependents)
    }

    /// The packages with a release, not removed, that needs a package directly: at most `limit`, by name. It costs a row each.
    pub fn needing(&self, name: &PackageName, limit: usize) -> Result<Vec<PackageName>, IndexError> {
        let Some(id) = package_id(&self.connection, name.as_str())? else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached(
            "SELECT p.name FROM edge e JOIN package p ON p.id = e.package WHERE e.needed = ?1 ORDER BY p.name
             LIMIT ?2",
        )?;
        let mut found = statement.query(params![id, clamp(limit)])?;
        let mut names = Vec::new();
        while let Some(row) = found.next()? {
            let name = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            names.push(parse(name).map_err(IndexError::damaged("a name"))?);
        }
        Ok(names)
    }

    /// Whether any package needs this one.
    pub(crate) fn is_needed(&self, name: &PackageName) -> Result<bool, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM edge WHERE needed = (SELECT id FROM package WHERE name = ?1))",
        )?;
        Ok(statement.query_row([name.as_str()], |row| row.get(0))?)
    }
}
