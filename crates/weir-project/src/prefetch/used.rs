//! What the projects of this machine use, by the lockfiles that were installed last.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{OwnerName, PackageName, Version};
use weir_store::Project;

/// What is used of each registry, by the name that it gives itself.
pub(super) struct Used {
    registries: BTreeMap<String, UsedOf>,
}

/// What is used of one registry.
#[derive(Default)]
pub(super) struct UsedOf {
    /// Each package, with the projects that use it.
    pub(super) packages: BTreeMap<PackageName, UsedPackage>,
    /// Each owner, with the projects that use a package of theirs.
    pub(super) owners: BTreeMap<OwnerName, usize>,
}

/// How a package is used.
#[derive(Default)]
pub(super) struct UsedPackage {
    /// Each version, with how many projects use it.
    pub(super) versions: BTreeMap<Version, usize>,
}

impl UsedPackage {
    /// How many projects use it, in any version.
    pub(super) fn projects(&self) -> usize {
        self.versions.values().sum()
    }
}

impl Used {
    /// Counts what projects use. One whose lockfile cannot be read uses nothing that is known.
    pub(super) fn by(projects: &[Project]) -> Self {
        let mut registries: BTreeMap<String, UsedOf> = BTreeMap::new();
        for lock in projects.iter().filter_map(|project| project.installed.as_ref().ok()) {
            let mut owners = BTreeSet::new();
            for release in &lock.releases {
                let Some(registry) = &release.registry else { continue };
                let used = registries.entry(registry.clone()).or_default();
                let package = used.packages.entry(release.name.clone()).or_default();
                *package.versions.entry(release.version.clone()).or_default() += 1;
                owners.insert((registry.clone(), release.name.owner_name()));
            }
            for (registry, owner) in owners {
                if let Some(used) = registries.get_mut(&registry) {
                    *used.owners.entry(owner).or_default() += 1;
                }
            }
        }
        Self { registries }
    }

    pub(super) fn of(&self, registry: &str) -> Option<&UsedOf> {
        self.registries.get(registry)
    }
}
