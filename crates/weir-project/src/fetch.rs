//! Bringing what a lockfile names into the store, in parallel, everything checked on the way.

mod bases;
mod delta;
mod pack;
mod pool;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use weir_log::Source;
use weir_model::lockfile::{LockedReference, LockedRelease};
use weir_model::{Lockfile, Release, ReleaseId, TreeDigest};
use weir_tree::Limits;

use crate::error::ProjectError;
use crate::project::Project;
use crate::references::{Current, Fetcher, OpenReference, locked, place};
use crate::resolve::PlannedLock;
use bases::Bases;
use delta::Asked;
use pack::{Came, PackJob};
pub use pack::{ensure_release, pack_from_registry};
use weir_reach::{
    Amount, Connection, KnownRegistry, Offline, ReachError, Session, Work, own_name, source_of,
};

/// Packs and files at once: more than there are cores, for much of the time is waiting, for a server or the file system.
const DOWNLOADS: usize = 8;

/// What was fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Each release whose tree was not in the store.
    pub releases: Vec<ReleaseId>,
    /// The bytes that came for them.
    pub bytes: u64,
    /// How many more the packs would have been of those that came as a delta from another release.
    pub saved: u64,
    /// How many external files were not in the store.
    pub references: usize,
}

/// A registry that content can be fetched from.
#[derive(Clone)]
pub(crate) struct Supplier {
    pub(crate) known: KnownRegistry,
    pub(crate) source: Arc<dyn Source>,
    /// What came of asking it for deltas.
    asked: Arc<Asked>,
}

impl Supplier {
    fn new(known: KnownRegistry, source: Arc<dyn Source>) -> Self {
        Self { known, source, asked: Arc::default() }
    }
}

/// Fetches every tree of `planned` that the store does not have, and the external files of the project and of those releases that
/// are `used`; gives the lockfile that says what all of it is.
///
/// # Errors
///
/// When something cannot be had, or is not what the lockfile says.
pub fn fetch_missing(
    session: &Session,
    store: &weir_store::Session,
    known: &[KnownRegistry],
    project: &Project,
    planned: PlannedLock,
    used: &BTreeSet<ReleaseId>,
) -> Result<(Lockfile, Fetched), ProjectError> {
    let mut missing: Vec<(&LockedRelease, TreeDigest)> = Vec::new();
    for release in &planned.lock.releases {
        if let Some(tree) = release.tree
            && store.whole_tree(&tree)?.is_none()
        {
            missing.push((release, tree));
        }
    }
    let references = References::missing(store, project, &planned, used)?;
    if session.offline && !missing.is_empty() {
        let missing = missing.iter().map(|(release, _)| release.id().to_string()).collect();
        return Err(Offline::Lacks { missing }.into());
    }
    let asks_registries = !missing.is_empty() || references.of_releases();
    let suppliers = match asks_registries && !session.offline {
        true => suppliers(session, known, &planned.lock)?,
        false => BTreeMap::new(),
    };
    let mut packs = Vec::with_capacity(missing.len());
    let mut bases = Bases::new(session, store);
    for (release, tree) in missing {
        match &release.git {
            Some(git) => pack::fetch_git(session, store, &project.folder, release, git, tree)?,
            None => packs.push(pack_job(&suppliers, &mut bases, release, tree)?),
        }
    }
    let releases = packs.iter().map(|job| job.id.clone()).collect();
    let count = references.wanted.len();
    let (found, came) = references.fetch_with(session, store, packs, &suppliers)?;
    let fetched = Fetched { releases, bytes: came.bytes, saved: came.saved, references: count };
    Ok((planned.settled(found), fetched))
}

/// Fetches what has to be here before it can be said what a lockfile is; gives it.
pub(crate) fn settle(
    session: &Session,
    project: &Project,
    planned: PlannedLock,
) -> Result<Lockfile, ProjectError> {
    if planned.open.is_empty() {
        return Ok(planned.lock);
    }
    let store = session.open_store()?.session()?;
    let mut references = References { project, wanted: Vec::new() };
    references.wanted.extend(planned.open.iter().cloned().map(Wanted::Open));
    let (found, _) = references.fetch_with(session, &store, Vec::new(), &BTreeMap::new())?;
    Ok(planned.settled(found))
}

/// Fetches the trees of releases, each with where its registry is, that the store does not have.
pub(crate) fn fetch_releases(
    session: &Session,
    store: &weir_store::Session,
    releases: &[(&Connection, Release)],
) -> Result<(), ProjectError> {
    let mut packs = Vec::new();
    let mut suppliers: BTreeMap<&str, Supplier> = BTreeMap::new();
    for (connection, release) in releases {
        if store.whole_tree(&release.tree)?.is_none() {
            let new = || Supplier::new(connection.known.clone(), Arc::clone(&connection.source));
            let supplier = suppliers.entry(&connection.known.location).or_insert_with(new).clone();
            let bases = bases::nearest(store, connection.replica.index(), &release.id)?;
            let limits = Limits::stated(release.unpacked, Some(release.files));
            packs.push(PackJob {
                id: release.id.clone(),
                tree: release.tree,
                pack_bytes: Some(release.size),
                unpacked_bytes: Some(release.unpacked),
                limits,
                supplier,
                bases,
            });
        }
    }
    if packs.is_empty() {
        return Ok(());
    }
    if session.offline {
        return Err(Offline::Lacks { missing: packs.iter().map(|job| job.id.to_string()).collect() }.into());
    }
    run(session, store, packs.into_iter().map(Job::Pack).collect()).map(drop)
}

/// The registries by the names they give themselves, each known well enough to fetch from: no index is needed
/// to fetch what a lockfile names.
fn suppliers(
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
        suppliers.entry(name).or_insert_with(|| Supplier::new(known.clone(), source));
    }
    Ok(suppliers)
}

fn pack_job(
    suppliers: &BTreeMap<String, Supplier>,
    bases: &mut Bases<'_>,
    release: &LockedRelease,
    tree: TreeDigest,
) -> Result<PackJob, ProjectError> {
    let name = release.registry.clone().unwrap_or_default();
    let supplier = suppliers.get(&name).cloned();
    let wanted = || format!("the registry `{name}` of `weir.lock`");
    let supplier = supplier.ok_or_else(|| ReachError::NoRegistry { wanted: wanted() })?;
    let limits = release.unpacked.map_or_else(Limits::default, |bytes| Limits::stated(bytes, None));
    let id = release.id();
    let bases = bases.of(&supplier.known, &id)?;
    let (pack_bytes, unpacked_bytes) = (release.size, release.unpacked);
    Ok(PackJob { id, tree, pack_bytes, unpacked_bytes, limits, supplier, bases })
}

/// The external files that are to be fetched.
struct References<'a> {
    project: &'a Project,
    wanted: Vec<Wanted<'a>>,
}

/// An external file.
enum Wanted<'a> {
    /// It is known what it is.
    Locked { of: Option<&'a LockedRelease>, reference: &'a LockedReference, folder: PathBuf },
    /// It is whatever its addresses have now.
    Open(OpenReference),
}

impl<'a> References<'a> {
    /// Those that the store does not have.
    fn missing(
        store: &weir_store::Session,
        project: &'a Project,
        planned: &'a PlannedLock,
        used: &BTreeSet<ReleaseId>,
    ) -> Result<Self, ProjectError> {
        let mut wanted: Vec<Wanted<'_>> = planned.open.iter().cloned().map(Wanted::Open).collect();
        let own = planned.lock.references.iter().map(|reference| (None, reference));
        let releases = planned.lock.releases.iter().filter(|release| used.contains(&release.id()));
        let theirs = releases
            .flat_map(|release| release.references.iter().map(move |reference| (Some(release), reference)));
        for (of, reference) in own.chain(theirs) {
            if store.file(&reference.sha256)?.is_some() {
                continue;
            }
            let folder = match of {
                None => project.folder.clone(),
                Some(LockedRelease { path: Some(path), .. }) => project.folder.join(path),
                Some(LockedRelease { tree: Some(tree), .. }) => store.place_of(tree),
                Some(_) => continue,
            };
            if of.is_some() {
                crate::references::check_published(&reference.name, &reference.mirrors)?;
            }
            wanted.push(Wanted::Locked { of, reference, folder });
        }
        Ok(Self { project, wanted })
    }

    fn of_releases(&self) -> bool {
        self.wanted.iter().any(|wanted| matches!(wanted, Wanted::Locked { of: Some(_), .. }))
    }

    /// Fetches them and `packs`, the largest first, so that no core is left with it at the end; gives what those are that were open, and what
    /// the packs cost.
    fn fetch_with(
        self,
        session: &Session,
        store: &weir_store::Session,
        packs: Vec<PackJob>,
        suppliers: &BTreeMap<String, Supplier>,
    ) -> Result<(Vec<(OpenReference, Current)>, Came), ProjectError> {
        let coming: BTreeSet<TreeDigest> = packs.iter().map(|job| job.tree).collect();
        let mut jobs: Vec<Job> = packs.into_iter().map(Job::Pack).collect();
        let mut afterwards = Vec::new();
        for wanted in self.wanted {
            match wanted {
                Wanted::Open(open) => jobs.push(Job::Open(open)),
                Wanted::Locked { of, reference, folder } => {
                    let supplier = of.and_then(|of| suppliers.get(of.registry.as_ref()?)).cloned();
                    let old = older(self.project, of, &reference.name);
                    // A file of the package itself is there once its pack is.
                    let tree = of.and_then(|of| of.tree).filter(|tree| coming.contains(tree));
                    let waits =
                        tree.is_some() && !reference.mirrors.iter().all(|mirror| weir_reach::is_http(mirror));
                    let job = Job::Locked { reference: reference.clone(), supplier, old, folder };
                    if waits { afterwards.push(job) } else { jobs.push(job) }
                }
            }
        }
        let (mut found, came) = run(session, store, jobs)?;
        found.extend(run(session, store, afterwards)?.0);
        Ok((found, came))
    }
}

/// The bytes an earlier lockfile had for a reference of the same name: the project's own, or of a release of that name.
fn older(project: &Project, of: Option<&LockedRelease>, reference: &str) -> Option<LockedReference> {
    let before = project.chosen_before()?;
    let known = match of {
        None => &before.references,
        Some(of) => &before.releases.iter().find(|before| before.name == of.name)?.references,
    };
    known.iter().find(|known| known.name == reference).cloned()
}

/// One thing to be fetched.
enum Job {
    Pack(PackJob),
    Locked {
        reference: LockedReference,
        supplier: Option<Supplier>,
        old: Option<LockedReference>,
        folder: PathBuf,
    },
    Open(OpenReference),
}

impl Job {
    /// As far as it is known.
    fn bytes(&self) -> u64 {
        match self {
            Self::Pack(job) => job.bytes(),
            Self::Locked { reference, .. } => reference.size,
            Self::Open(_) => 0,
        }
    }
}

/// What doing a job gave.
enum Done {
    Pack(Came),
    Reference,
    Open(Current),
}

/// Does every job; gives what was open, and what the packs cost.
fn run(
    session: &Session,
    store: &weir_store::Session,
    mut jobs: Vec<Job>,
) -> Result<(Vec<(OpenReference, Current)>, Came), ProjectError> {
    if jobs.is_empty() {
        return Ok((Vec::new(), Came::default()));
    }
    jobs.sort_by_key(|job| std::cmp::Reverse(job.bytes()));
    let releases = jobs.iter().filter(|job| matches!(job, Job::Pack(_))).count();
    let work = Work::Fetching { releases, references: jobs.len() - releases };
    session.begin(work, Amount::Bytes(jobs.iter().map(Job::bytes).sum()));
    // As many requests at once for many files as for one.
    let fetcher = Fetcher::new(session, store, DOWNLOADS / jobs.len())?;
    let done = pool::at_once(&jobs, session.threads.max(DOWNLOADS), |job| match job {
        Job::Pack(job) => job.fetch(session, store).map(Done::Pack),
        Job::Locked { reference, supplier, old, folder } => {
            let source = supplier.as_ref().map(|supplier| &*supplier.source);
            let file = fetcher.locked(reference, source, old.as_ref(), folder)?;
            place(store, reference, &file).map(|_| Done::Reference)
        }
        Job::Open(open) => fetch_open(store, &fetcher, open).map(Done::Open),
    });
    let done = done.map_err(|mut failures| {
        // A disk that is full is so for all that come after.
        let mut is_full = false;
        failures.retain(|failure| {
            !matches!(failure, ProjectError::NoRoom { .. }) || !std::mem::replace(&mut is_full, true)
        });
        match failures.len() {
            1 => failures.remove(0),
            _ => ProjectError::Several(failures),
        }
    })?;
    let (mut found, mut came) = (Vec::new(), Came::default());
    for (job, done) in jobs.into_iter().zip(done) {
        match (job, done) {
            (Job::Open(open), Done::Open(current)) => found.push((open, current)),
            (_, Done::Pack(Came { bytes, saved })) => {
                came.bytes += bytes;
                came.saved += saved;
            }
            _ => {}
        }
    }
    Ok((found, came))
}

fn fetch_open(
    store: &weir_store::Session,
    fetcher: &Fetcher<'_>,
    open: &OpenReference,
) -> Result<Current, ProjectError> {
    let current = fetcher.current(&open.reference, &open.folder)?;
    if let Some(file) = store.file(&current.sha256)? {
        place(store, &locked(&open.reference, current.sha256, current.size), &file)?;
    }
    Ok(current)
}
