//! The packages of a lockfile, each with where it is on this machine.

use std::collections::BTreeSet;
use std::path::PathBuf;

use weir_kind::{Closure, Placed, ProjectPlace};
use weir_model::lockfile::LockedRelease;
use weir_model::{Lockfile, ReleaseId, Scope};

use crate::error::ProjectError;
use crate::project::Project;
use crate::{references, resolve};
use weir_reach::{Offline, Session};

/// The releases of `lock` that a project uses: all, or without those that only developing it takes.
pub(crate) fn used(project: &Project, lock: &Lockfile, with_dev: bool) -> BTreeSet<ReleaseId> {
    let scopes = resolve::scopes(project);
    let wanted = |id: &ReleaseId| with_dev || scopes.get(&id.name) != Some(&Scope::Dev);
    let mut pending: Vec<ReleaseId> =
        lock.direct.iter().map(|direct| direct.0.clone()).filter(wanted).collect();
    let mut used = BTreeSet::new();
    while let Some(id) = pending.pop() {
        if let Some(release) = lock.release(&id)
            && used.insert(id)
        {
            pending.extend(release.dependencies.iter().map(|dependency| dependency.0.clone()));
        }
    }
    used
}

/// Finds every package and every reference of `lock` on this machine.
pub(crate) fn closure(
    session: &Session,
    store: &weir_store::Session,
    project: &Project,
    lock: &Lockfile,
    used: &BTreeSet<ReleaseId>,
) -> Result<Closure, ProjectError> {
    let direct: BTreeSet<&ReleaseId> = lock.direct.iter().map(|direct| &direct.0).collect();
    let mut packages = Vec::with_capacity(lock.releases.len());
    for release in &lock.releases {
        let id = release.id();
        if !used.contains(&id) {
            continue;
        }
        let content = content(store, project, release)?;
        let placed = release.references.iter().map(|reference| {
            let place = references::place_of(store, reference)?;
            Ok((reference.name.clone(), place))
        });
        let placed = placed.collect::<Result<Vec<_>, ProjectError>>()?;
        packages.push(Placed {
            direct: direct.contains(&id),
            id,
            kind: release.kind,
            content,
            facts: release.facts.clone(),
            dependencies: release.dependencies.iter().map(|dependency| dependency.0.clone()).collect(),
            references: placed,
        });
    }
    packages.sort_by(|a, b| a.id.cmp(&b.id));
    let project = ProjectPlace {
        folder: fs_err::canonicalize(&project.folder)?,
        kind: project.manifest.package.kind,
        bash: project.manifest.kind_tables.get("bash").cloned(),
        platform: session.platform(),
    };
    Ok(Closure { packages, project })
}

/// Where a package's files are.
fn content(
    store: &weir_store::Session,
    project: &Project,
    release: &LockedRelease,
) -> Result<PathBuf, ProjectError> {
    if let Some(path) = &release.path {
        return Ok(project.folder.join(path));
    }
    let missing = || Offline::lacks(release.id().to_string());
    let tree = release.tree.ok_or_else(missing)?;
    Ok(store.tree(&tree)?.ok_or_else(missing)?.path().to_owned())
}
