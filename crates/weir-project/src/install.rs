//! The install journey: resolve if the lockfile does not fit, fetch what is missing, lay it out, write the lockfile.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use weir_kind::{Layout, LayoutLink, PACKAGES_FOLDER};
use weir_kinds::kind;
use weir_model::{Digest, Lockfile, ReleaseId, Sha256};

use crate::changes::Changes;
use crate::closure::{closure, used};
use crate::error::ProjectError;
use crate::files::{MAX_MANIFEST, in_folder};
use crate::fits::{difference, fits};
use crate::layout::{Before, MadeFrom, Records};
use crate::moving::Moving;
use crate::platforms::lock_for_others;
use crate::project::{Project, ProjectLock};
use crate::resolve::{PlannedLock, resolve};
use crate::{fetch, layout, quarantined, references};
use weir_reach::{Amount, Connections, Session, Work};

/// How to install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstallOptions {
    /// Whether the lockfile must be there, fit, and stay as it is.
    pub locked: bool,
    /// Whether to tell what would be done and do nothing.
    pub dry_run: bool,
    /// Whether packages that only development needs are installed.
    pub with_dev: bool,
}

impl Default for InstallOptions {
    fn default() -> Self {
        Self { locked: false, dry_run: false, with_dev: true }
    }
}

/// What installing did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct InstallReport {
    /// Whether all was as it should be already.
    pub nothing_to_do: bool,
    /// How many packages the project uses.
    pub packages: usize,
    /// What was fetched.
    pub fetched: Vec<ReleaseId>,
    /// Its bytes, as they came: of a release of which another was here, perhaps only what differs.
    pub fetched_bytes: u64,
    /// How many more bytes it would have been without deltas.
    pub saved_bytes: u64,
    /// How many external files were fetched besides.
    pub fetched_references: usize,
    /// How the lockfile changed.
    pub changes: Changes,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Whether this only tells what would be done.
    pub dry_run: bool,
}

/// What the caller asked for beyond manifest and lockfile.
fn choice(session: &Session, options: &InstallOptions) -> String {
    let platform = session.platform.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("dev={} platform={platform} store={}", options.with_dev, session.store_folder().display())
}

/// How many packages the project in `folder` has, if it is installed as it should be: manifest, lockfile and every
/// link as they were left. Nothing is parsed, no registry is asked.
pub fn installed(session: &Session, folder: &Path, options: &InstallOptions) -> Option<usize> {
    layout::current(&Records::new(session.home.layouts()), folder, &choice(session, options))
}

/// Installs what the project in `folder` asks for.
///
/// # Errors
///
/// When it cannot be resolved, fetched or laid out. The project is then as it was, or a run away from right.
pub fn install(
    session: &Session,
    folder: &Path,
    options: &InstallOptions,
) -> Result<InstallReport, ProjectError> {
    if let Some(packages) = installed(session, folder, options) {
        return Ok(InstallReport {
            nothing_to_do: true,
            packages,
            dry_run: options.dry_run,
            warnings: quarantined::warn_where_installed(session, folder).into_iter().collect(),
            ..InstallReport::default()
        });
    }
    install_alone(session, folder, options, &ProjectLock::wait(session, folder)?)
}

/// The same for who keeps everybody else from changing the project.
pub(crate) fn install_alone(
    session: &Session,
    folder: &Path,
    options: &InstallOptions,
    alone: &ProjectLock,
) -> Result<InstallReport, ProjectError> {
    let mut project = Project::open(folder, &session.owners)?.on(session.platform());
    let connections = Connections::of(session, project.registries())?;
    let lock = wanted_lock(session, &connections, &project, options.locked, Moving::Nothing)?;
    install_lock(session, &connections, &mut project, alone, (lock, Moving::Nothing), options)
}

/// The lockfile that the manifest asks for: the one that is there if it fits, or a new one.
pub(crate) fn wanted_lock(
    session: &Session,
    connections: &Connections<'_>,
    project: &Project,
    locked: bool,
    moving: Moving<'_>,
) -> Result<PlannedLock, ProjectError> {
    if matches!(moving, Moving::Nothing)
        && let Some(lock) = &project.lock
        && fits(session, project)?
    {
        return Ok(PlannedLock::known(lock.clone()));
    }
    if let Some(broken) = &project.broken_lock {
        let error = project.unreadable_lock(broken);
        if locked {
            return Err(error);
        }
        let kept = broken.remains.releases.len();
        session.warn(format!(
            "{error}; it is made anew, with the choices of {kept} releases that could still be read"
        ));
    }
    if locked && project.lock.is_none() {
        return Err(ProjectError::NotLocked);
    }
    let lock = resolve(session, connections, project, moving)?;
    match &project.lock {
        Some(before) if locked => match difference(project, before, &lock) {
            Some(reason) => Err(ProjectError::LockOutdated { manifest: project.manifest_name(), reason }),
            None => Ok(lock),
        },
        _ => Ok(lock),
    }
}

/// Why `--locked` stops what would write the manifest.
pub(crate) fn manifest_would_change(project: &Project) -> ProjectError {
    let manifest = project.manifest_name();
    ProjectError::LockOutdated { manifest, reason: format!("`{manifest}` would change") }
}

/// Brings a project to what a planned lockfile says, in which something may have moved.
pub(crate) fn install_lock(
    session: &Session,
    connections: &Connections<'_>,
    project: &mut Project,
    alone: &ProjectLock,
    (planned, moving): (PlannedLock, Moving<'_>),
    options: &InstallOptions,
) -> Result<InstallReport, ProjectError> {
    let mut report = InstallReport {
        packages: planned.lock.releases.len(),
        dry_run: options.dry_run,
        ..InstallReport::default()
    };
    if matches!(moving, Moving::Nothing) {
        report.warnings = moved_pins(project, &planned.lock);
        report.warnings.iter().for_each(|moved| session.warn(moved.clone()));
    }
    let store = session.open_store()?.session()?;
    if options.dry_run {
        let lock = fetch::settle(session, project, planned)?;
        lock_for_others(session, project, &lock, options.locked, moving)?;
        report.changes = Changes::between(project.chosen_before(), &lock);
        (report.fetched, report.fetched_bytes) = missing(&store, &lock)?;
        return Ok(report);
    }
    // Looked at before they are used: what changes from here on is seen the next time.
    let (watched, folders) = (watched(project, &planned.lock), copied_folders(project, &planned.lock)?);
    let used = used(project, &planned.lock, options.with_dev);
    let (lock, fetched) =
        fetch::fetch_missing(session, &store, connections.known(), project, planned, &used)?;
    lock_for_others(session, project, &lock, options.locked, moving)?;
    report.changes = Changes::between(project.chosen_before(), &lock);
    (report.fetched, report.fetched_bytes) = (fetched.releases, fetched.bytes);
    (report.saved_bytes, report.fetched_references) = (fetched.saved, fetched.references);
    let plan = plan(session, &store, project, &lock, &used)?;
    if project.settle(&lock)? && options.locked {
        return Err(manifest_would_change(project));
    }
    report.warnings.extend(plan.warnings.iter().cloned());
    for warning in &plan.warnings {
        session.warn(warning.clone());
    }
    let records = Records::new(session.home.layouts());
    layout::invalidate(&records, &project.folder)?;
    project.write_manifest(alone)?;
    project.write_lock(lock, alone)?;
    store.register_project(&project.folder, &project.lock_text)?;
    let from = MadeFrom {
        manifests: manifests(project),
        lock: Digest::of(&project.lock_text),
        choice: choice(session, options),
        packages: report.packages,
        watched,
        folders,
    };
    if layout::apply(&records, &project.folder, &plan, &from)? == Before::Strange {
        let text = format!(
            "what was in `{PACKAGES_FOLDER}` was not put there by this user's Weir, and was made anew"
        );
        session.warn(text.clone());
        report.warnings.push(text);
    }
    let locked = project.lock.as_ref();
    report.warnings.extend(locked.and_then(|lock| quarantined::warn_of(session, project, lock)));
    Ok(report)
}

/// The exact versions that a manifest names and that do not go with what else it names, where nothing was to move.
fn moved_pins(project: &Project, lock: &Lockfile) -> Vec<String> {
    const MOST_TOLD: usize = 10;
    let pins = project.pins();
    let moved = lock.releases.iter().filter_map(|release| {
        let pin = pins.get(&release.name).filter(|pin| **pin != release.version)?;
        Some((&release.name, pin, &release.version))
    });
    let moved: Vec<_> = moved.collect();
    let file = project.manifest_name();
    let told = moved.iter().take(MOST_TOLD).map(|(name, pin, version)| {
        format!("`{file}` names `{name}` {pin}, which does not go with the rest, or is not offered: {version} takes its place")
    });
    let more = moved.len().saturating_sub(MOST_TOLD);
    let more = (more > 0).then(|| format!("{more} more versions in `{file}` moved in the same way"));
    told.chain(more).collect()
}

/// What of a lockfile is not in the store, and its bytes.
fn missing(store: &weir_store::Session, lock: &Lockfile) -> Result<(Vec<ReleaseId>, u64), ProjectError> {
    let (mut missing, mut bytes) = (Vec::new(), 0);
    for release in &lock.releases {
        if let Some(tree) = release.tree
            && store.tree(&tree)?.is_none()
        {
            missing.push(release.id());
            bytes += release.size.unwrap_or_default();
        }
    }
    Ok((missing, bytes))
}

/// Finds everything that is to be laid out, and plans how.
fn plan(
    session: &Session,
    store: &weir_store::Session,
    project: &Project,
    lock: &Lockfile,
    used: &BTreeSet<ReleaseId>,
) -> Result<Layout, ProjectError> {
    let closure = closure(session, store, project, lock, used)?;
    let own = own_references(store, lock)?;
    session.begin(Work::LayingOut { packages: closure.packages.len() }, Amount::Unknown);
    layout::plan(&closure, own, store)
}

/// The manifests of a project with their digests, and those that others may have and this one has not.
fn manifests(project: &Project) -> BTreeMap<&'static str, Option<Sha256>> {
    let none = Project::manifest_files().map(|file| (file, None));
    let some = project.manifests().into_iter().map(|(file, text)| (file, Some(Digest::of(text))));
    let all: BTreeMap<_, _> = none.chain(some).collect();
    // One that is there all the same is about something else.
    all.into_iter().filter(|(file, digest)| digest.is_some() || !project.folder.join(file).exists()).collect()
}

/// The manifests of packages in folders: when one changes, there is something to do.
fn watched(project: &Project, lock: &Lockfile) -> BTreeMap<String, Sha256> {
    let paths = lock.releases.iter().filter_map(|release| release.path.as_ref());
    let files = paths.flat_map(|path| Project::manifest_files().map(move |file| format!("{path}/{file}")));
    let manifests = files.filter_map(|path| {
        let text = in_folder(&project.folder, Path::new(&path), MAX_MANIFEST).ok()?;
        Some((path, Digest::of(text)))
    });
    manifests.collect()
}

/// The folders of packages that the layout holds copies of: when any file in one changes, there is something to do. One that
/// cannot be told apart is not named, and is looked at whenever there is something else to do.
fn copied_folders(project: &Project, lock: &Lockfile) -> Result<BTreeMap<String, Sha256>, ProjectError> {
    let mut copied = BTreeMap::new();
    for release in &lock.releases {
        if let Some(path) = &release.path
            && kind(release.kind)?.copies_files()
            && let Some(stamp) = layout::stamp(&project.folder.join(path))
        {
            copied.insert(path.clone(), stamp);
        }
    }
    Ok(copied)
}

/// Links to the project's own references.
fn own_references(store: &weir_store::Session, lock: &Lockfile) -> Result<Vec<LayoutLink>, ProjectError> {
    let links = lock.references.iter().map(|reference| {
        let target = references::place_of(store, reference)?;
        Ok(LayoutLink { path: format!("references/{}", reference.name), target })
    });
    links.collect()
}

/// What locking did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct LockReport {
    /// Whether the lockfile changed, or would.
    pub changed: bool,
    /// How many packages it names.
    pub packages: usize,
    /// How it changed.
    pub changes: Changes,
    /// Whether this only tells what would be done.
    pub dry_run: bool,
}

/// Writes the lockfile without installing.
///
/// # Errors
///
/// When the manifest cannot be resolved; with `locked`, when the lockfile is not what it asks for.
pub fn lock(
    session: &Session,
    project: &mut Project,
    options: &InstallOptions,
) -> Result<LockReport, ProjectError> {
    let alone = project.hold(session)?;
    project.use_on(session.platform());
    let connections = Connections::of(session, project.registries())?;
    let planned = wanted_lock(session, &connections, project, options.locked, Moving::Nothing)?;
    let lock = fetch::settle(session, project, planned)?;
    lock_for_others(session, project, &lock, options.locked, Moving::Nothing)?;
    let changes = Changes::between(project.chosen_before(), &lock);
    let packages = lock.releases.len();
    if project.settle(&lock)? && options.locked {
        return Err(manifest_would_change(project));
    }
    let changed = if options.dry_run {
        project.would_change(&lock)
    } else {
        project.write_manifest(&alone)?;
        project.write_lock(lock, &alone)?
    };
    Ok(LockReport { changed, packages, changes, dry_run: options.dry_run })
}
