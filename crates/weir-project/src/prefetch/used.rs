//! What the projects of this machine use: what their manifests ask for, and the lockfiles that were installed last.

use std::collections::BTreeMap;

use weir_model::{Lockfile, PackageName, Range};
use weir_prefetch::{Asked, UsedProject};

use crate::project::Project;

/// The projects that use something of each registry, by the name that it gives itself.
#[derive(Default)]
pub(super) struct Used(BTreeMap<String, Vec<UsedProject>>);

impl Used {
    /// Adds a project by the lockfile that it was installed from, and by its manifest where that is still there.
    pub(super) fn add(&mut self, lock: &Lockfile, project: Option<&Project>) {
        let mut of: BTreeMap<&str, UsedProject> = BTreeMap::new();
        for release in &lock.releases {
            let Some(registry) = &release.registry else { continue };
            of.entry(registry).or_default().releases.push(release.id());
        }
        for direct in &lock.direct {
            let registry = lock.release(&direct.0).and_then(|release| release.registry.as_deref());
            let Some(used) = registry.and_then(|registry| of.get_mut(registry)) else { continue };
            let name = direct.0.name.clone();
            let range = project.and_then(|project| asked_range(project, &name));
            let range = range.unwrap_or_else(|| Range::caret(&direct.0.version));
            used.asked.push(Asked { name, range });
        }
        for (registry, used) in of {
            self.0.entry(registry.to_owned()).or_default().push(used);
        }
    }

    pub(super) fn of(&self, registry: &str) -> &[UsedProject] {
        self.0.get(registry).map_or(&[], Vec::as_slice)
    }
}

fn asked_range(project: &Project, name: &PackageName) -> Option<Range> {
    let asked = project.manifest.dependencies.iter().find(|asked| asked.name == *name)?;
    Some(asked.range.clone())
}
