//! From what a manifest asks for to a lockfile.

use std::collections::BTreeMap;

use weir_model::lockfile::{FluidChoice, LOCKFILE_VERSION, LockedRelease, ReleaseText};
use weir_model::{Lockfile, PackageName, Release, ReleaseId, Scope, check_facts};
use weir_resolve::Resolution;

use crate::choose::Chooser;
use crate::error::ProjectError;
use crate::fetch;
use crate::local::Locals;
use crate::moving::Moving;
use crate::project::Project;
use crate::references::{Current, Fixed, Fixing, OpenReference, locked};
use crate::world::World;
use weir_reach::{Amount, Connection, Connections, Event, Offline, Session, Work};

/// A lockfile in the making: what some references are is not known before they are fetched.
#[derive(Debug, Clone)]
pub struct PlannedLock {
    /// Without those.
    pub(crate) lock: Lockfile,
    pub(crate) open: Vec<OpenReference>,
}

impl PlannedLock {
    /// One in which nothing is open.
    pub(crate) fn known(lock: Lockfile) -> Self {
        Self { lock, open: Vec::new() }
    }

    /// The releases that were chosen.
    pub fn releases(&self) -> &[LockedRelease] {
        &self.lock.releases
    }

    /// The lockfile, with what is known now of what was open.
    pub(crate) fn settled(self, found: Vec<(OpenReference, Current)>) -> Lockfile {
        let mut lock = self.lock;
        for (OpenReference { of, reference, .. }, Current { sha256, size }) in found {
            let references = match of {
                None => Some(&mut lock.references),
                Some(id) => {
                    let release = lock.releases.iter_mut().find(|release| release.id() == id);
                    release.map(|release| &mut release.references)
                }
            };
            if let Some(references) = references {
                references.push(locked(&reference, sha256, size));
            }
        }
        lock
    }
}

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
) -> Result<PlannedLock, ProjectError> {
    let chooser = Chooser::new(session, connections, project, moving)?;
    let requirements = chooser.requirements();
    session.begin(Work::Resolving, Amount::Unknown);
    let resolution = chooser.choose(&requirements)?;
    session.report(&Event::Resolved { packages: resolution.nodes.len() });
    if session.offline {
        chooser.warn_of_what_is_not_here(&requirements, &resolution);
    }
    chooser.warn_of_unused_overrides(&resolution);
    let as_registered = |id: &ReleaseId| as_registered(project, &chooser.world, id);
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
    pub(crate) as_registered: &'a dyn Fn(&ReleaseId) -> Result<Registered<'a>, ProjectError>,
}

/// A release that a registry offers, as it is locked.
pub(crate) struct Registered<'a> {
    pub(crate) locked: LockedRelease,
    /// The release and where it is, if its references are still to be found out.
    pub(crate) with_references: Option<(&'a Connection, Release)>,
}

impl Locking<'_> {
    pub(crate) fn lockfile(&self, resolution: &Resolution) -> Result<PlannedLock, ProjectError> {
        let Self { session, locals, .. } = *self;
        let id_of = |edge: &weir_resolve::Edge| resolution.target(edge).id.clone();
        let mut direct: Vec<ReleaseText> =
            resolution.roots.iter().map(|edge| ReleaseText(id_of(edge))).collect();
        direct.sort();
        direct.dedup();
        let mut releases = Vec::with_capacity(resolution.nodes.len());
        let mut asking = Vec::new();
        for node in &resolution.nodes {
            let mut locked = match &node.source {
                weir_resolve::Source::Fixed(label) => locals
                    .get(label)
                    .cloned()
                    .ok_or_else(|| ProjectError::Resolver(format!("`{label}` was chosen and never read")))?,
                weir_resolve::Source::Registry(_) => {
                    let registered = (self.as_registered)(&node.id)?;
                    asking.extend(registered.with_references);
                    registered.locked
                }
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
        let lock = Lockfile { version: LOCKFILE_VERSION, direct, releases, references: Vec::new() };
        self.with_references(lock, &asking)
    }

    /// Finds out what is known of the references of the project and of the releases that are `asking`.
    fn with_references(
        &self,
        mut lock: Lockfile,
        asking: &[(&Connection, Release)],
    ) -> Result<PlannedLock, ProjectError> {
        let Self { session, project, moving, .. } = *self;
        if asking.is_empty() && project.manifest.references.is_empty() {
            return Ok(PlannedLock::known(lock));
        }
        let store = session.open_store()?.session()?;
        fetch::fetch_releases(session, &store, asking)?;
        let fixing = Fixing::new(session, project, moving)?;
        let Fixed { locked, mut open } = fixing.own()?;
        lock.references = locked;
        for (_, release) in asking {
            let missing = || Offline::lacks(release.id.to_string());
            let tree = store.tree(&release.tree)?.ok_or_else(missing)?;
            let fixed = fixing.of_release(release, tree.path())?;
            open.extend(fixed.open);
            if let Some(table) = lock.releases.iter_mut().find(|table| table.id() == release.id) {
                table.references = fixed.locked;
            }
        }
        Ok(PlannedLock { lock, open })
    }
}

/// The table of a release as its registry has it, unless the lockfile knows another content under its input digest.
fn as_registered<'a>(
    project: &Project,
    world: &World<'a>,
    id: &ReleaseId,
) -> Result<Registered<'a>, ProjectError> {
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
        return Err(ProjectError::OtherThanLocked {
            location: connection.known.location.clone(),
            id: id.clone(),
            inputs: release.input_digest,
            locked: before.tree.unwrap_or(release.tree),
            offered: release.tree,
        });
    }
    check_facts(&release.kind_facts).map_err(|error| ProjectError::WrongContent {
        location: connection.known.location.clone(),
        id: id.clone(),
        reason: error.to_string(),
    })?;
    let locked = LockedRelease {
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
        references: Vec::new(),
        facts: release.kind_facts.clone(),
    };
    let with_references = (!release.references.is_empty()).then_some((connection, release));
    Ok(Registered { locked, with_references })
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
