//! From what a manifest asks for to a lockfile.

use std::collections::BTreeMap;

use weir_model::lockfile::{FluidChoice, LOCKFILE_VERSION, LockedReference, LockedRelease, ReleaseText};
use weir_model::{Lockfile, PackageName, ReleaseId, Scope, check_facts};
use weir_resolve::Resolution;

use crate::choose::Chooser;
use crate::error::ProjectError;
use crate::local::Locals;
use crate::moving::Moving;
use crate::project::Project;
use crate::references;
use crate::world::World;
use weir_reach::{Connections, Event, Session};

/// Chooses releases, keeping the lockfile's while they satisfy and may stay.
///
/// # Errors
///
/// [`ProjectError::NoResolution`] when the requirements cannot be met together; when a registry is not reached, or a
/// folder or a repository that is asked for is no package.
pub fn resolve(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    moving: Moving<'_>,
) -> Result<Lockfile, ProjectError> {
    let chooser = Chooser::new(session, connections, project, moving)?;
    let requirements = chooser.requirements();
    session.report(&Event::Resolving);
    let resolution = chooser.choose(&requirements)?;
    session.report(&Event::Resolved { packages: resolution.nodes.len() });
    if session.offline {
        chooser.warn_of_what_is_not_here(&requirements, &resolution);
    }
    chooser.warn_of_unused_overrides(&resolution);
    let as_registered = |id: &ReleaseId| as_registered(session, project, &chooser.world, moving, id);
    let as_registered = &as_registered;
    Locking { session, project, locals: &chooser.locals, moving, as_registered }.lockfile(&resolution)
}

/// What a resolution is written down with.
pub(crate) struct Locking<'a> {
    pub(crate) session: &'a Session,
    pub(crate) project: &'a Project,
    pub(crate) locals: &'a Locals,
    pub(crate) moving: Moving<'a>,
    /// The table of a release that a registry offers.
    pub(crate) as_registered: &'a dyn Fn(&ReleaseId) -> Result<LockedRelease, ProjectError>,
}

impl Locking<'_> {
    pub(crate) fn lockfile(&self, resolution: &Resolution) -> Result<Lockfile, ProjectError> {
        let Self { session, project, locals, moving, .. } = *self;
        let id_of = |edge: &weir_resolve::Edge| resolution.target(edge).id.clone();
        let mut direct: Vec<ReleaseText> =
            resolution.roots.iter().map(|edge| ReleaseText(id_of(edge))).collect();
        direct.sort();
        direct.dedup();
        let mut releases = Vec::with_capacity(resolution.nodes.len());
        for node in &resolution.nodes {
            let mut locked = match &node.source {
                weir_resolve::Source::Fixed(label) => locals
                    .get(label)
                    .cloned()
                    .ok_or_else(|| ProjectError::Resolver(format!("`{label}` was chosen and never read")))?,
                weir_resolve::Source::Registry(_) => (self.as_registered)(&node.id)?,
            };
            locked.dependencies = node.edges.iter().map(|edge| ReleaseText(id_of(edge))).collect();
            locked.dependencies.sort();
            locked.dependencies.dedup();
            let fluid = node.edges.iter().filter_map(|edge| {
                let (range, target) = (edge.fluid.clone()?, resolution.target(edge));
                Some(FluidChoice { name: target.id.name.clone(), range, chosen: target.id.version.clone() })
            });
            locked.fluid = fluid.collect();
            if node.yanked {
                session.warn(format!(
                    "`{}` has been yanked: it stays because the lockfile or another release has it",
                    node.id
                ));
            }
            releases.push(locked);
        }
        Ok(Lockfile {
            version: LOCKFILE_VERSION,
            direct,
            releases,
            references: references::lock_own(session, project, moving)?,
        })
    }
}

/// The table of a release as its registry has it, unless the lockfile knows another content under its input digest.
fn as_registered(
    session: &Session,
    project: &Project,
    world: &World<'_>,
    moving: Moving<'_>,
    id: &ReleaseId,
) -> Result<LockedRelease, ProjectError> {
    let Some((connection, view)) = world.release(id)? else {
        return Err(ProjectError::Resolver(format!("`{id}` was chosen, and is gone from the view")));
    };
    let release = view.release;
    weir_kinds::check_facts(release.kind, &release.kind_facts)
        .map_err(|reason| ProjectError::Facts { id: id.clone(), reason })?;
    let before = project.chosen_before().and_then(|lock| lock.release(id));
    if let Some(before) = before
        && before.tree.is_some_and(|tree| tree != release.tree)
        && before.input_digest == Some(release.input_digest)
    {
        return Err(ProjectError::WrongContent {
            location: connection.known.location.clone(),
            id: id.clone(),
            reason: format!(
                "for the inputs {} `weir.lock` has the tree {}, and the registry now offers {}",
                release.input_digest,
                before.tree.unwrap_or(release.tree),
                release.tree
            ),
        });
    }
    check_facts(&release.kind_facts).map_err(|error| ProjectError::WrongContent {
        location: connection.known.location.clone(),
        id: id.clone(),
        reason: error.to_string(),
    })?;
    let known: &[LockedReference] = before.map_or(&[], |before| &before.references);
    let references = references::lock_release(session, &*connection.source, &release, known, moving)?;
    Ok(LockedRelease {
        name: id.name.clone(),
        version: id.version.clone(),
        platform: id.platform.clone(),
        revision: id.revision,
        kind: release.kind,
        tree: Some(release.tree),
        input_digest: Some(release.input_digest),
        size: Some(release.size),
        unpacked: Some(release.unpacked),
        registry: Some(connection.replica.name().to_owned()),
        path: None,
        git: None,
        dependencies: Vec::new(),
        fluid: Vec::new(),
        references,
        facts: release.kind_facts,
    })
}

/// What a project needs each of its direct dependencies for, by name; of one that it asks for twice, the first of using,
/// building and working on it.
pub(crate) fn scopes(project: &Project) -> BTreeMap<&PackageName, Scope> {
    let mut scopes: BTreeMap<&PackageName, Scope> = BTreeMap::new();
    for requirement in &project.manifest.dependencies {
        let scope = scopes.entry(&requirement.name).or_insert(requirement.scope);
        *scope = requirement.scope.min(*scope);
    }
    scopes
}
