//! What the projects of a machine use of one registry.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{OwnerName, PackageName, Range, ReleaseId, Version};

/// A project, as far as it is about one registry.
#[derive(Debug, Clone, Default)]
pub struct UsedProject {
    /// What its manifest asks for.
    pub asked: Vec<Asked>,
    /// The releases that it was installed with.
    pub releases: Vec<ReleaseId>,
}

/// A package that a project asks for itself.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which one.
    pub name: PackageName,
    /// What will do.
    pub range: Range,
}

/// What all projects together use.
pub(crate) struct Used {
    /// Each package, with the versions in use.
    pub(crate) packages: BTreeMap<PackageName, BTreeSet<Version>>,
    /// Each owner of whom a project asks for something.
    pub(crate) owners: BTreeMap<OwnerName, UsedOwner>,
}

/// An owner of whom a project asks for something.
#[derive(Default)]
pub(crate) struct UsedOwner {
    /// How many projects do.
    pub(crate) projects: usize,
    /// For how many different packages of theirs.
    pub(crate) packages: usize,
}

impl Used {
    pub(crate) fn by(projects: &[UsedProject]) -> Self {
        let mut used = Self { packages: BTreeMap::new(), owners: BTreeMap::new() };
        for project in projects {
            for release in &project.releases {
                let versions = used.packages.entry(release.name.clone()).or_default();
                versions.insert(release.version.clone());
            }
            let owners: BTreeSet<OwnerName> =
                project.asked.iter().map(|asked| asked.name.owner_name()).collect();
            for owner in owners {
                used.owners.entry(owner).or_default().projects += 1;
            }
        }
        let asked = projects.iter().flat_map(|project| &project.asked);
        let asked: BTreeSet<&PackageName> = asked.map(|asked| &asked.name).collect();
        for name in asked {
            used.owners.entry(name.owner_name()).or_default().packages += 1;
        }
        used
    }

    /// Whether this version of a package is in use.
    pub(crate) fn has(&self, id: &ReleaseId) -> bool {
        self.packages.get(&id.name).is_some_and(|versions| versions.contains(&id.version))
    }

    /// The newest version of a package that is in use.
    pub(crate) fn newest(&self, name: &PackageName) -> Option<&Version> {
        self.packages.get(name)?.last()
    }
}
