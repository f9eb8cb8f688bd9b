//! The difference between two lockfiles, as a person would tell it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use weir_model::{Lockfile, PackageName, ReleaseId, Sha256, TreeDigest, Version};

/// What changed from one lockfile to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Changes {
    /// Releases of packages that were not used before.
    pub added: Vec<ReleaseId>,
    /// Releases of packages that are no longer used.
    pub removed: Vec<ReleaseId>,
    /// Packages of which another release is used.
    pub moved: Vec<Move>,
    /// References whose bytes changed.
    pub references: Vec<ReferenceMove>,
}

/// A package of which another release is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Move {
    /// The package.
    pub name: PackageName,
    /// The version used before.
    pub before: Version,
    /// How often that was built again.
    #[serde(skip_serializing_if = "is_first")]
    pub before_revision: u32,
    /// The version used now.
    pub after: Version,
    /// How often that was built again.
    #[serde(skip_serializing_if = "is_first")]
    pub after_revision: u32,
    /// Which way it went.
    pub direction: Direction,
}

/// Which way a package moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To a newer version.
    Up,
    /// To an older version.
    Down,
    /// To other content of the same version: another revision, tag or folder.
    Content,
}

/// A reference whose bytes changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct ReferenceMove {
    /// Its name.
    pub name: String,
    /// The digest before, if it was there.
    pub before: Option<Sha256>,
    /// The digest now, if it is there.
    pub after: Option<Sha256>,
}

/// Whether something was not built again: then nobody speaks of revisions.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn is_first(revision: &u32) -> bool {
    *revision == 0
}

/// A version, and how often it was built again if it was.
pub(crate) fn built(version: &Version, revision: u32) -> String {
    match revision {
        0 => version.to_string(),
        _ => format!("{version} revision {revision}"),
    }
}

impl Move {
    /// What was used before, in words.
    pub fn from(&self) -> String {
        built(&self.before, self.before_revision)
    }

    /// What is used now, in words.
    pub fn to(&self) -> String {
        built(&self.after, self.after_revision)
    }
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What changed from `before` (nothing, if there was no lockfile) to `after`.
    pub fn between(before: Option<&Lockfile>, after: &Lockfile) -> Self {
        let mut changes = Self::default();
        let old = by_name(before);
        let new = by_name(Some(after));
        let names: BTreeSet<&PackageName> = old.keys().chain(new.keys()).copied().collect();
        let none = Vec::new();
        for name in names {
            let olds = old.get(name).unwrap_or(&none);
            let news = new.get(name).unwrap_or(&none);
            let mut gone: Vec<_> = olds.iter().filter(|release| !news.contains(release)).collect();
            let mut come: Vec<_> = news.iter().filter(|release| !olds.contains(release)).collect();
            while let (Some(from), Some(to)) = (gone.last(), come.last()) {
                let direction = match to.0.version.cmp(&from.0.version) {
                    std::cmp::Ordering::Greater => Direction::Up,
                    std::cmp::Ordering::Less => Direction::Down,
                    std::cmp::Ordering::Equal => Direction::Content,
                };
                changes.moved.push(Move {
                    name: name.clone(),
                    before: from.0.version.clone(),
                    before_revision: from.0.revision,
                    after: to.0.version.clone(),
                    after_revision: to.0.revision,
                    direction,
                });
                gone.pop();
                come.pop();
            }
            changes.removed.extend(gone.into_iter().map(|release| release.0.clone()));
            changes.added.extend(come.into_iter().map(|release| release.0.clone()));
        }
        changes.references = references(before, after);
        changes
    }
}

/// A release and the content it had.
type Used = (ReleaseId, Option<TreeDigest>);

fn by_name(lock: Option<&Lockfile>) -> BTreeMap<&PackageName, Vec<Used>> {
    let mut used: BTreeMap<&PackageName, Vec<Used>> = BTreeMap::new();
    for release in lock.into_iter().flat_map(|lock| &lock.releases) {
        used.entry(&release.name).or_default().push((release.id(), release.tree));
    }
    used.values_mut().for_each(|releases| releases.sort());
    used
}

fn references(before: Option<&Lockfile>, after: &Lockfile) -> Vec<ReferenceMove> {
    let collect = |lock: Option<&Lockfile>| -> BTreeMap<String, Sha256> {
        let own = lock.into_iter().flat_map(|lock| &lock.references);
        own.map(|reference| (reference.name.clone(), reference.sha256)).collect()
    };
    let (old, new) = (collect(before), collect(Some(after)));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| ReferenceMove {
            name: name.clone(),
            before: old.get(name).copied(),
            after: new.get(name).copied(),
        })
        .collect()
}
