//! Whether a lockfile is what its manifest asks for.
//!
//! A lockfile is text that anybody may have edited, so nothing that it says of itself counts. It fits if resolving with it,
//! and nothing free to move, gives it again, word by word: then every requirement is met in range, no edge is missing, every
//! source is one that a manifest names, and every tree, input digest and fact is the registry's own. There is no second rule that could
//! disagree with the resolver.
//!
//! What registries say is taken as this machine remembers it; only a lockfile that does not fit that asks them anew.
//! Which lockfiles were found to fit is remembered in the user's own folders, never beside the project.

use std::path::PathBuf;
use std::sync::Arc;

use weir_model::lockfile::LockedRelease;
use weir_model::{
    Baked, Dependency, InputDigest, Lockfile, PackageName, Range, ReleaseId, Scope, Sha256, chain,
};
use weir_registry::ReplicaError;
use weir_resolve::{Candidate, Candidates, Here, View};
use weir_rules::Standing;

use weir_reach::{Connections, Offline, ReachError, Session};

use crate::changes::Changes;
use crate::choose::Chooser;
use crate::error::ProjectError;
use crate::files::keep_note;
use crate::local::package_manifest;
use crate::moving::Moving;
use crate::project::Project;
use crate::resolve::{Locking, PlannedLock, Registered, resolve};

/// The most lockfiles that are remembered to fit.
const MOST_REMEMBERED: usize = 4096;

/// Whether the lockfile is what the manifest asks for, as far as this machine knows the registries.
pub(crate) fn fits(session: &Session, project: &Project) -> Result<bool, ProjectError> {
    let Some(lock) = &project.lock else { return Ok(false) };
    let connections = Connections::remembered(session, project.registries())?;
    let remembered = Remembered::new(session, project, &connections);
    if !depends_on_folders(lock) && remembered.is_there() {
        return Ok(true);
    }
    // Why it does not fit is told by whoever asks the registries.
    let fits = again(session, &connections, project, lock)
        .is_ok_and(|again| again.open.is_empty() && project.has_locked(&again.lock));
    if fits {
        remembered.keep();
    }
    Ok(fits)
}

/// In what the lockfile is not what the manifest asks for and the registries say; nothing if it fits.
pub(crate) fn misfit(session: &Session, project: &Project) -> Result<Option<String>, ProjectError> {
    let Some(lock) = &project.lock else { return Ok(None) };
    let connections = Connections::remembered(session, project.registries())?;
    Ok(match again(session, &connections, project, lock) {
        Ok(again) => difference(project, lock, &again).map(|difference| {
            let manifest = project.manifest_name();
            format!("`weir.lock` is not what `{manifest}` and the registries give: {difference}")
        }),
        Err(error) => Some(format!("`weir.lock` does not fit: {}", chain(&error))),
    })
}

/// The lockfile that the manifest gives with the choices of the one that is there.
fn again(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    lock: &Lockfile,
) -> Result<PlannedLock, ProjectError> {
    match resolve(session, connections, project, Moving::Nothing) {
        Err(ProjectError::Reach(
            ReachError::Replica(ReplicaError::NeverSynced(_)) | ReachError::NoRegistry { .. },
        )) if session.offline => resolve_from_store(session, connections, project, lock),
        again => again,
    }
}

/// The first thing in which a project's lockfile is not `after`, in words.
pub(crate) fn difference(project: &Project, before: &Lockfile, after: &PlannedLock) -> Option<String> {
    if let Some(open) = after.open.first() {
        return Some(format!("it does not say what the reference `{}` is", open.reference.name));
    }
    let after = &after.lock;
    if project.has_locked(after) {
        return None;
    }
    let changes = Changes::between(Some(before), after);
    if let Some(added) = changes.added.first() {
        return Some(format!("`{added}` would be added"));
    }
    if let Some(moved) = changes.moved.first() {
        return Some(format!("`{}` would move from {} to {}", moved.name, moved.from(), moved.to()));
    }
    if let Some(removed) = changes.removed.first() {
        return Some(format!("`{removed}` would be removed"));
    }
    for after in &after.releases {
        let id = after.id();
        if let Some(what) = before.release(&id).and_then(|before| table_difference(before, after)) {
            return Some(format!("`{id}` has another {what}"));
        }
    }
    if before.references != after.references {
        return Some("`weir.toml` asks for other external files".into());
    }
    Some(format!("it has something that `{}` does not ask for", project.manifest_name()))
}

/// The first field in which two tables of one release differ.
fn table_difference(before: &LockedRelease, after: &LockedRelease) -> Option<&'static str> {
    let sorted = |release: &LockedRelease| {
        let mut dependencies = release.dependencies.clone();
        dependencies.sort();
        dependencies
    };
    let from =
        |release: &LockedRelease| (release.registry.clone(), release.path.clone(), release.git.clone());
    let fields = [
        ("source", from(before) == from(after)),
        ("kind", before.kind == after.kind),
        ("tree", before.tree == after.tree),
        ("input digest", before.input_digest == after.input_digest),
        ("size", (before.size, before.unpacked) == (after.size, after.unpacked)),
        ("list of dependencies", sorted(before) == sorted(after)),
        ("list of facts", before.facts == after.facts),
        ("list of references", before.references == after.references),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

/// What folders hold can change at any time, so a lockfile that names some is always looked at again.
fn depends_on_folders(lock: &Lockfile) -> bool {
    lock.releases.iter().any(|release| release.path.is_some())
}

/// The note that a lockfile fits: a file without content, named by the digest of all that the answer depends on.
struct Remembered(PathBuf);

impl Remembered {
    fn new(session: &Session, project: &Project, connections: &Connections<'_>) -> Self {
        let platform = session.platform.as_ref().map(ToString::to_string).unwrap_or_default();
        let asks = project.asks();
        let mut parts = vec![env!("CARGO_PKG_VERSION"), &platform, &asks, &project.lock_text];
        for known in connections.known() {
            parts.extend([&*known.name, &*known.location, known.key.as_deref().unwrap_or_default()]);
        }
        // With the length of each, so that no two lists of parts read alike.
        let text: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        let folder = session.home.data().join("fits");
        Self(folder.join(Sha256::of(text).to_hex()))
    }

    fn is_there(&self) -> bool {
        self.0.is_file()
    }

    /// That it cannot be kept costs time at the next install and nothing else.
    fn keep(&self) {
        keep_note(&self.0, b"", MOST_REMEMBERED);
    }
}

/// Where this machine has the trees and has never met their registries: the locked releases are all that is offered, and each
/// is asked for by what its own manifest says.
fn resolve_from_store(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    lock: &Lockfile,
) -> Result<PlannedLock, ProjectError> {
    session.warn(
        "`weir.lock` is held against the packages in the store alone: nothing of their registries is on this machine",
    );
    let store = session.open_store()?.session()?;
    let as_locked = |id: &ReleaseId| {
        let locked = lock.release(id).cloned();
        let locked = locked.ok_or_else(|| ProjectError::Resolver(format!("`{id}` is not locked")))?;
        let locked = LockedRelease { dependencies: Vec::new(), fluid: Vec::new(), ..locked };
        Ok(Registered { locked, with_references: None })
    };
    let moving = Moving::Nothing;
    let chooser = Chooser::new(session, connections, project, moving)?;
    let view = FromStore { lock, store: &store };
    let resolution = chooser.choose_in(&view, &chooser.requirements(), Here::Ignored)?;
    Locking { session, project, locals: &chooser.locals, moving, as_registered: &as_locked }
        .lockfile(&resolution)
}

/// A lockfile and the trees it names, as a view.
struct FromStore<'a> {
    lock: &'a Lockfile,
    store: &'a weir_store::Session,
}

impl View for FromStore<'_> {
    type Error = ProjectError;

    fn candidates(
        &self,
        name: &PackageName,
        _registry: Option<&str>,
    ) -> Result<Option<Candidates>, ProjectError> {
        let registered = self.lock.releases.iter().enumerate();
        let registered: Vec<_> =
            registered.filter(|(_, release)| release.name == *name && release.registry.is_some()).collect();
        let Some((_, first)) = registered.first() else { return Ok(None) };
        let registry = Arc::from(first.registry.as_deref().unwrap_or_default());
        let releases = registered.iter().map(|(position, release)| Candidate {
            version: release.version.clone(),
            platform: release.platform.clone(),
            revision: release.revision,
            input_digest: input_digest(release),
            standing: Standing::Offered,
            reason: None,
            handle: *position as u64,
        });
        Ok(Some(Candidates { kind: first.kind, registry, releases: releases.collect() }))
    }

    fn dependencies(
        &self,
        _name: &PackageName,
        candidate: &Candidate,
    ) -> Result<Vec<Dependency>, ProjectError> {
        let position = usize::try_from(candidate.handle).unwrap_or(usize::MAX);
        let Some(release) = self.lock.releases.get(position) else { return Ok(Vec::new()) };
        self.asked_by(release)
    }
}

impl FromStore<'_> {
    /// What the manifest in a release's tree asks for. One that was built has no manifest: there the lockfile's own word counts.
    fn asked_by(&self, release: &LockedRelease) -> Result<Vec<Dependency>, ProjectError> {
        let missing = || ProjectError::from(Offline::lacks(release.id().to_string()));
        let tree = release.tree.ok_or_else(missing)?;
        let stored = self.store.tree(&tree)?.ok_or_else(missing)?;
        let Some(manifest) = package_manifest(stored.path())? else {
            let locked = release.dependencies.iter();
            return Ok(locked.map(|on| self.dependency(release, &on.0.name, None, Scope::Run)).collect());
        };
        if manifest.package.name.as_ref().is_some_and(|own| *own != release.name)
            || manifest.package.version.as_ref().is_some_and(|own| *own != release.version)
        {
            return Err(ProjectError::WrongContent {
                location: "weir.lock".into(),
                id: release.id(),
                reason: "the manifest in its tree says another name or version".into(),
            });
        }
        let asked = manifest.dependencies.iter();
        Ok(asked.map(|on| self.dependency(release, &on.name, Some(&on.range), on.scope)).collect())
    }

    /// A dependency as it was registered: fixed to what is locked, unless the lockfile says that it may move.
    fn dependency(
        &self,
        release: &LockedRelease,
        name: &PackageName,
        range: Option<&Range>,
        scope: Scope,
    ) -> Dependency {
        let fluid = release.fluid.iter().find(|choice| choice.name == *name);
        let locked = release.dependencies.iter().find(|on| on.0.name == *name);
        let locked = locked.and_then(|on| self.lock.release(&on.0));
        let baked = locked.filter(|_| fluid.is_none()).map(|locked| Baked {
            version: locked.version.clone(),
            platform: locked.platform.clone(),
            revision: locked.revision,
            input_digest: input_digest(locked),
        });
        let range = range.cloned().or_else(|| fluid.map(|choice| choice.range.clone()));
        let range = range.or_else(|| locked.map(|locked| Range::exact(&locked.version)));
        Dependency { name: name.clone(), range: range.unwrap_or_else(Range::any), scope, baked }
    }
}

/// What a release is recognised by; one without an input digest is known by its name alone.
fn input_digest(release: &LockedRelease) -> InputDigest {
    release.input_digest.unwrap_or_else(|| InputDigest::of(release.id().to_string()))
}
