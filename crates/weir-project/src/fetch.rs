//! Bringing what a lockfile names into the store, in parallel, everything checked on the way.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use weir_log::{Source, SourceError};
use weir_model::lockfile::{LockedGit, LockedReference, LockedRelease};
use weir_model::manifest::GitTag;
use weir_model::{Lockfile, Release, ReleaseId, TreeDigest};
use weir_registry::content::{
    CHUNKED_ABOVE, ContentError, LocalChunks, NoChunks, OldVersion, fetch_file, pack_path,
};
use weir_store::EnsureError;
use weir_tree::Limits;

use crate::error::ProjectError;
use weir_git::{GitError, Submodules};
use weir_reach::{Event, KnownRegistry, Offline, ReachError, Session, connect, own_name, source_of};

/// Packs at once: more than there are cores, for much of the time is waiting, for a server or the file system.
const DOWNLOADS: usize = 8;

/// What was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Each release whose tree was not in the store.
    pub releases: Vec<ReleaseId>,
    /// The bytes of their packs together.
    pub bytes: u64,
}

/// A registry that content can be fetched from.
#[derive(Clone)]
pub(crate) struct Supplier {
    pub(crate) known: KnownRegistry,
    pub(crate) source: Arc<dyn Source>,
}

/// The registries by the names they give themselves, each known well enough to fetch from: no index is needed
/// to fetch what a lockfile names.
pub(crate) fn suppliers(
    session: &Session,
    known: &[KnownRegistry],
    wanted: &Lockfile,
) -> Result<BTreeMap<String, Supplier>, ProjectError> {
    let names = || wanted.releases.iter().filter_map(|release| release.registry.as_ref());
    let mut suppliers = BTreeMap::new();
    for known in known {
        if names().all(|name| suppliers.contains_key(name)) {
            break;
        }
        let source = source_of(session, &known.location)?;
        let Some(name) = own_name(session, known, &*source)? else { continue };
        suppliers.entry(name).or_insert(Supplier { known: known.clone(), source });
    }
    Ok(suppliers)
}

/// Fetches every tree of `lock`, the lockfile of the project in `folder`, that the store does not have.
///
/// # Errors
///
/// When one cannot be had, or is not what the lockfile says.
pub fn fetch_missing(
    session: &Session,
    store: &weir_store::Session,
    known: &[KnownRegistry],
    folder: &Path,
    lock: &Lockfile,
) -> Result<Fetched, ProjectError> {
    let mut missing: Vec<(&LockedRelease, TreeDigest)> = Vec::new();
    for release in &lock.releases {
        if let Some(tree) = release.tree
            && store.whole_tree(&tree)?.is_none()
        {
            missing.push((release, tree));
        }
    }
    if missing.is_empty() {
        return Ok(Fetched::default());
    }
    if session.offline {
        let missing = missing.iter().map(|(release, _)| release.id().to_string()).collect();
        return Err(Offline { missing }.into());
    }
    let suppliers = suppliers(session, known, lock)?;
    let mut jobs = Vec::with_capacity(missing.len());
    for (release, tree) in missing {
        match &release.git {
            Some(git) => fetch_git(session, store, folder, release, git, tree)?,
            None => jobs.push(job(&suppliers, release, tree)?),
        }
    }
    // The largest first, so that no core is left with it at the end.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.bytes()));
    let bytes = jobs.iter().map(Job::bytes).sum();
    session.report(&Event::Fetching { releases: jobs.len(), bytes });
    run(session, store, &jobs)?;
    Ok(Fetched { releases: jobs.into_iter().map(|job| job.id).collect(), bytes })
}

/// One tree to be fetched.
struct Job {
    id: ReleaseId,
    tree: TreeDigest,
    /// What the record states; nothing if the lockfile does not say.
    pack_bytes: Option<u64>,
    limits: Limits,
    supplier: Supplier,
}

impl Job {
    /// For progress only: what is unknown counts nothing.
    fn bytes(&self) -> u64 {
        self.pack_bytes.unwrap_or_default()
    }
}

fn job(
    suppliers: &BTreeMap<String, Supplier>,
    release: &LockedRelease,
    tree: TreeDigest,
) -> Result<Job, ProjectError> {
    let name = release.registry.clone().unwrap_or_default();
    let supplier = suppliers.get(&name).cloned();
    let wanted = || format!("the registry `{name}` of `weir.lock`");
    let supplier = supplier.ok_or_else(|| ReachError::NoRegistry { wanted: wanted() })?;
    let limits = release.unpacked.map_or_else(Limits::default, |bytes| Limits::stated(bytes, None));
    Ok(Job { id: release.id(), tree, pack_bytes: release.size, limits, supplier })
}

/// A repository is asked only when the store lacks its tree: whoever has the lockfile and the store needs it no more.
fn fetch_git(
    session: &Session,
    store: &weir_store::Session,
    folder: &Path,
    release: &LockedRelease,
    git: &LockedGit,
    tree: TreeDigest,
) -> Result<(), ProjectError> {
    let locked = GitTag { url: git.url.clone(), tag: git.tag.clone() };
    let tag = weir_git::at(&locked, folder);
    let fetched = session
        .git()
        .fetch(store, &tag, Submodules::LeftOut)
        .map_err(|error| ProjectError::from_git("weir.lock", &release.name, &locked, error))?;
    if fetched.commit != git.commit {
        let (before, after) = (git.commit.clone(), fetched.commit);
        return Err(GitError::TagMoved { url: tag.url, tag: tag.tag, before, after }.into());
    }
    if fetched.tree != tree {
        return Err(ProjectError::WrongContent {
            location: git.url.clone(),
            id: release.id(),
            reason: format!("the commit gives the tree {}, the lockfile has {tree}", fetched.tree),
        });
    }
    Ok(())
}

fn run(session: &Session, store: &weir_store::Session, jobs: &[Job]) -> Result<(), ProjectError> {
    let workers = session.threads.max(DOWNLOADS);
    let next = AtomicUsize::new(0);
    let observer = &*session.observer;
    let work = || -> Result<(), (usize, Failure)> {
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(position) else { return Ok(()) };
            let fetched = ensure(store, &*job.supplier.source, &job.tree, job.pack_bytes, &job.limits);
            if let Err(failure) = fetched {
                // The others finish what they are at and take nothing more.
                next.store(jobs.len(), Ordering::Relaxed);
                return Err((position, failure));
            }
            observer.event(&Event::FetchedBytes { bytes: job.bytes() });
            observer.event(&Event::Fetched { release: job.id.clone() });
        }
    };
    let failed = std::thread::scope(|scope| {
        let extra: Vec<_> = (1..workers.min(jobs.len())).map(|_| scope.spawn(work)).collect();
        let own = work().err();
        let others = extra.into_iter().filter_map(|thread| match thread.join() {
            Ok(result) => result.err(),
            Err(panic) => std::panic::resume_unwind(panic),
        });
        own.into_iter().chain(others).min_by_key(|(position, _)| *position)
    });
    match failed {
        None => Ok(()),
        Some((position, failure)) => Err(explain(session, &jobs[position], failure)),
    }
}

/// Why one tree could not be had.
enum Failure {
    Absent,
    Source(SourceError),
    Store(weir_store::StoreError),
}

fn ensure(
    store: &weir_store::Session,
    source: &dyn Source,
    tree: &TreeDigest,
    size: Option<u64>,
    limits: &Limits,
) -> Result<PathBuf, Failure> {
    let open = || -> Result<Box<dyn Read + Send>, Failure> {
        match source.open(&pack_path(tree), 0) {
            Ok(Some(stream)) => Ok(stream),
            Ok(None) => Err(Failure::Absent),
            Err(error) => Err(Failure::Source(error)),
        }
    };
    match store.ensure_tree(tree, size, limits, open) {
        Ok(stored) => Ok(stored.path().to_owned()),
        Err(EnsureError::Source(failure)) => Err(failure),
        Err(EnsureError::Store(error)) => Err(match error.pack_source().and_then(SourceError::of) {
            Some(error) => Failure::Source(error.clone()),
            None => Failure::Store(error),
        }),
    }
}

/// A registry that does not serve what it offered may have withdrawn it: its log says so.
fn explain(session: &Session, job: &Job, failure: Failure) -> ProjectError {
    let location = job.supplier.known.location.clone();
    let id = job.id.clone();
    match failure {
        Failure::Source(source) => {
            ProjectError::NotFetched { id, registry: job.supplier.known.name.clone(), source }
        }
        Failure::Store(error) if error.is_integrity() => {
            ProjectError::WrongContent { location, id, reason: weir_model::chain(&error) }
        }
        Failure::Store(error) => error.into(),
        Failure::Absent => {
            let view = connect(session, &job.supplier.known)
                .ok()
                .and_then(|connection| connection.replica.index().release(&job.id).ok().flatten());
            let withdrawn = view.as_ref().and_then(|view| {
                let withdrawn = view.withdrawn()?;
                let reason = withdrawn.reason.as_deref().unwrap_or("no reason was given");
                Some(format!(
                    "it is {} since {}, by {}: {reason}",
                    view.standing(),
                    withdrawn.mark.at,
                    withdrawn.mark.by
                ))
            });
            ProjectError::ContentMissing { location, id, tree: job.tree, withdrawn }
        }
    }
}

/// Makes sure that a release's tree is in the store, and says where.
///
/// # Errors
///
/// [`ProjectError::ContentMissing`] when the registry does not serve it, and what the registry or the store says.
pub fn ensure_release(
    store: &weir_store::Session,
    source: &dyn Source,
    release: &Release,
) -> Result<PathBuf, ProjectError> {
    let limits = Limits::stated(release.unpacked, Some(release.files));
    ensure(store, source, &release.tree, Some(release.size), &limits).map_err(|failure| match failure {
        Failure::Absent => ProjectError::ContentMissing {
            location: source.describe(),
            id: release.id.clone(),
            tree: release.tree,
            withdrawn: None,
        },
        Failure::Source(error) => {
            ProjectError::NotFetched { id: release.id.clone(), registry: source.describe(), source: error }
        }
        Failure::Store(error) => error.into(),
    })
}

/// Makes sure that a tree is in the store, from a registry that may hold its pack; nothing if it does not.
///
/// # Errors
///
/// What the registry or the store says.
pub fn pack_from_registry(
    store: &weir_store::Session,
    source: &dyn Source,
    tree: &TreeDigest,
    size: u64,
) -> Result<Option<PathBuf>, ProjectError> {
    match ensure(store, source, tree, Some(size), &Limits::default()) {
        Ok(path) => Ok(Some(path)),
        Err(Failure::Absent) => Ok(None),
        Err(Failure::Source(error)) => Err(error.into()),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

/// Brings a referenced file from a registry that holds it into `to`; says whether it does. What `old`, an
/// earlier version of the file, has in common with it does not travel.
pub(crate) fn file_from_registry(
    session: &Session,
    source: &dyn Source,
    reference: &LockedReference,
    old: Option<&Path>,
    to: &Path,
) -> Result<bool, ProjectError> {
    let streams = NonZeroUsize::new(session.threads.max(DOWNLOADS)).unwrap_or(NonZeroUsize::MIN);
    let old = match old {
        Some(path) if reference.size > CHUNKED_ABOVE => OldVersion::open(path).ok(),
        _ => None,
    };
    let local: &dyn LocalChunks = match &old {
        Some(old) => old,
        None => &NoChunks,
    };
    match fetch_file(source, &reference.sha256, reference.size, local, to, streams, &|_| {}) {
        Ok(_) => Ok(true),
        Err(ContentError::Absent { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
