//! A replica: what this machine knows of a registry, kept up to date by following its log.
//!
//! The replica is the registry's view, in an index of this machine's own, and the position in the log
//! up to which it was folded. Both change in one transaction, so a sync that is cut short leaves the
//! replica as it was. Everything is checked before it is believed: the signature by a pinned key, that
//! the log only grew, and that its entries have the signed root.

mod below;
mod elsewhere;
mod proven;

use std::collections::HashSet;
use std::io::{Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weir_fs::{Access, Durability};
use weir_index::{Fold, Index, IndexError, SnapshotError, SnapshotLimits};
use weir_log::{CheckedCheckpoint, FollowError, Follower, Position, Prefix, Source, TrustedKeys};
use weir_model::descriptor::{Descriptor, DescriptorError};
use weir_model::{Digest, Observer, Sha256, TreeDigest, Unobserved};

use crate::trust::{Trust, TrustError, not_pinned, vouches};

pub use proven::ProvenRecord;
pub(crate) use proven::check_promotion;

/// Where a registry says what it is.
pub const DESCRIPTOR: &str = "weir.json";

/// The longest descriptor that is read, in bytes: it may carry a chain of rotations.
pub(crate) const MAX_DESCRIPTOR: u64 = 1 << 20;

/// The largest snapshot that is read, in bytes: that of some twenty million releases.
pub(crate) const MAX_SNAPSHOT: u64 = 1 << 30;

/// A snapshot that saves fewer entries than this is not worth a request.
const WORTH_A_SNAPSHOT: u64 = 256;

/// What this machine knows of a registry.
pub struct Replica {
    location: String,
    home: ReplicaHome,
    descriptor: Descriptor,
    keys: TrustedKeys,
    index: Index,
    checkpoint: Option<weir_log::Checkpoint>,
    /// Whether the description is what was kept from last time.
    remembered: bool,
}

/// How far a sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStep {
    /// So many records are new.
    Begin {
        /// How many.
        records: u64,
    },
    /// So many more of them were read.
    Done {
        /// How many.
        records: u64,
    },
}

/// Records that are told of together.
const TOLD_TOGETHER: u64 = 256;

/// What a sync did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SyncReport {
    /// Entries known before.
    pub before: u64,
    /// Entries known now.
    pub after: u64,
    /// Whether a snapshot was taken up.
    pub from_snapshot: bool,
}

/// Why a registry's log could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// There is no registry at that place.
    #[error("there is no registry at `{0}`: it has no `weir.json`")]
    NoRegistry(String),
    /// This machine has never synced with the registry.
    #[error("nothing of the registry at `{0}` is on this machine yet")]
    NeverSynced(String),
    /// The registry's description is unusable.
    #[error("`{location}`: {error}")]
    Descriptor {
        /// Where the registry is.
        location: String,
        /// What is wrong.
        #[source]
        error: DescriptorError,
    },
    /// The registry could not be read.
    #[error(transparent)]
    Source(#[from] weir_log::SourceError),
    /// The registry is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The log was not believed.
    #[error(transparent)]
    Follow(#[from] Box<FollowError>),
    /// This machine has seen more of the same registry at another place, or something else.
    #[error("the registry is known from `{other}` as well, and this is not what goes on from there: {error}")]
    NotAsElsewhere {
        /// Where it was seen.
        other: String,
        /// How it differs.
        #[source]
        error: Box<FollowError>,
    },
    /// The log is not what the log of a registry below says that it was.
    #[error(
        "`{location}` is not the registry that `{below}` has admitted releases from: that had {size} records, {}",
        if now < size { format!("and this one has {now}") } else { "and the first of this one are others".to_owned() }
    )]
    NotAsBelow {
        /// Where the registry is.
        location: String,
        /// The registry below, by its own name.
        below: String,
        /// How many records it had when the one below looked it through last.
        size: u64,
        /// How many there are now.
        now: u64,
    },
    /// A record is not proven to be in the log.
    #[error("`{location}`: its record {index} is not proven by what its keys signed: {error}")]
    Unproven {
        /// Where the registry is.
        location: String,
        /// The record.
        index: u64,
        /// What does not hold.
        #[source]
        error: weir_log::ProofError,
    },
    /// The snapshot is not the one that was signed.
    #[error("`{what}` is not the snapshot that the checkpoint signs")]
    Snapshot {
        /// The snapshot.
        what: String,
    },
    /// The snapshot cannot be taken up.
    #[error(transparent)]
    LoadSnapshot(#[from] weir_index::SnapshotError),
    /// The log contradicts itself.
    #[error(transparent)]
    Fold(#[from] weir_index::FoldError),
    /// The index of this machine cannot be used.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// A file of this machine cannot be used.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl ReplicaError {
    /// Whether the registry was read, and what it says is not what it must be: it has forgotten, forked or lied, or somebody in between has.
    pub fn is_unbelieved(&self) -> bool {
        match self {
            Self::Descriptor { .. } | Self::Snapshot { .. } | Self::NotAsBelow { .. } => true,
            Self::Trust(error) => !matches!(error, TrustError::Io(_)),
            Self::Follow(error) | Self::NotAsElsewhere { error, .. } => is_unbelieved(error),
            Self::Unproven { error, .. } => {
                !matches!(error, weir_log::ProofError::Tile(weir_log::TileError::Source(_)))
            }
            Self::LoadSnapshot(error) => error.is_integrity(),
            Self::Fold(error) => error.is_integrity(),
            Self::NoRegistry(_) | Self::NeverSynced(_) | Self::Source(_) | Self::Index(_) | Self::Io(_) => {
                false
            }
        }
    }
}

/// Here entries are taken in by a fold, which tells what is wrong with one.
fn is_unbelieved(error: &FollowError) -> bool {
    match error {
        FollowError::Sink { error, .. } => {
            error.downcast_ref::<weir_index::FoldError>().is_some_and(weir_index::FoldError::is_integrity)
        }
        error => error.is_integrity(),
    }
}

impl From<FollowError> for ReplicaError {
    fn from(error: FollowError) -> Self {
        Self::Follow(Box::new(error))
    }
}

/// The file beside a view that names the trees which are quarantined, a line each.
const QUARANTINED: &str = "quarantined";

/// So many are named: those that were published last.
const MOST_QUARANTINED: usize = 10_000;

const MAX_QUARANTINED: u64 = 1 << 20;

/// Where a machine keeps what it knows of registries.
#[derive(Debug, Clone)]
pub struct ReplicaHome {
    /// Indexes, a folder a registry.
    pub indexes: PathBuf,
    /// Pinned keys.
    pub trust: Trust,
    /// Whether views stay open for long, and nobody else opens them.
    lasting: bool,
}

impl ReplicaHome {
    /// Keeps replicas below `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { indexes: folder.join("replicas"), trust: Trust::new(folder.join("trust")), lasting: false }
    }

    /// The same for a program that runs for long, has views open all that time, and is alone with them: what it folds into one
    /// [waits for nothing](Index::commit_without_waiting).
    #[must_use]
    pub fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    fn folder(&self, location: &str) -> PathBuf {
        self.indexes.join(&Sha256::of(location).to_hex()[..16])
    }

    fn index(&self, location: &str) -> PathBuf {
        self.folder(location).join(Index::FILE_NAME)
    }

    fn descriptor(&self, location: &str) -> PathBuf {
        self.folder(location).join(DESCRIPTOR)
    }

    /// The trees of what is quarantined in the registries that this machine knows, as far as it knows. To find that out no view is opened: whoever
    /// has nothing to do asks it, too.
    pub fn quarantined(&self) -> HashSet<TreeDigest> {
        // Only told: what cannot be read has nothing to tell.
        let folders = fs_err::read_dir(&self.indexes).into_iter().flatten().flatten();
        let noted =
            folders.filter_map(|folder| weir_fs::read(folder.path().join(QUARANTINED), MAX_QUARANTINED).ok());
        let trees = noted.flat_map(|noted| {
            let lines = String::from_utf8_lossy(&noted).into_owned();
            lines.lines().filter_map(|hex| TreeDigest::from_hex(hex).ok()).collect::<Vec<_>>()
        });
        trees.collect()
    }

    /// Forgets what is known of the registry at `location`, its pinned keys included.
    ///
    /// # Errors
    ///
    /// When a file cannot be removed.
    pub fn forget(&self, location: &str) -> Result<(), ReplicaError> {
        self.trust.forget(location)?;
        match fs_err::remove_dir_all(self.folder(location)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Replica {
    /// What is known already, without asking the registry.
    ///
    /// # Errors
    ///
    /// When nothing is known yet, or by another key than the `given` one.
    pub fn offline(home: &ReplicaHome, location: &str, given: Option<&str>) -> Result<Self, ReplicaError> {
        let never = || ReplicaError::NeverSynced(location.into());
        let mut replica = Self::remembered(home, location)?.ok_or_else(never)?;
        replica.check_given(given)?;
        replica.checkpoint = position_of(&replica.index)?.map(|position| position.seen().clone());
        if replica.checkpoint.is_none() {
            return Err(never());
        }
        Ok(replica)
    }

    /// Refuses the registry at `source` if its log went back behind what was seen of it from here, or is another: for whoever is about to
    /// write. What is written into such a log can never be a part of the one that readers know. Of a registry that is not known here
    /// nothing is found out, and whatever else is wrong is found by whoever reads.
    ///
    /// # Errors
    ///
    /// [`ReplicaError::Follow`] when it went back.
    pub fn refuse_one_that_went_back(
        home: &ReplicaHome,
        location: &str,
        source: &dyn Source,
        now: Timestamp,
    ) -> Result<(), ReplicaError> {
        let Some(known) = Self::remembered(home, location)? else { return Ok(()) };
        let position = position_of(&known.index)?;
        let head = Follower { source, keys: &known.keys, now }.head(position.as_ref().map(Position::seen));
        match head {
            Err(error @ (FollowError::Rollback { .. } | FollowError::Fork { .. })) => {
                Err(ReplicaError::Follow(Box::new(error)))
            }
            _ => Ok(()),
        }
    }

    /// Opens what is known of a registry, to be followed; reads its description only if it was never met. If
    /// its keys have changed since, [`sync`](Self::sync) finds out and reads it then.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_remembered(
        home: &ReplicaHome,
        location: &str,
        source: &dyn Source,
        given: Option<&str>,
    ) -> Result<Self, ReplicaError> {
        match Self::remembered(home, location)? {
            Some(replica) if replica.check_given(given).is_ok() => Ok(replica),
            // A key that is not known here may be newer than what is: its own description says.
            _ => Self::open(home, location, source, given),
        }
    }

    /// Refuses a key that is neither pinned nor vouched for by the pinned one.
    fn check_given(&self, given: Option<&str>) -> Result<(), TrustError> {
        let (Some(given), Some(pin)) = (given, self.home.trust.pin(&self.location)?) else { return Ok(()) };
        if vouches(given, &pin.keys, &self.descriptor.rotations) {
            Ok(())
        } else {
            Err(not_pinned(&pin, given))
        }
    }

    fn remembered(home: &ReplicaHome, location: &str) -> Result<Option<Self>, ReplicaError> {
        let bytes = match fs_err::read(home.descriptor(location)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            bytes => bytes?,
        };
        let Some(pin) = home.trust.pin(location)? else { return Ok(None) };
        let descriptor = parse_descriptor(location, &bytes)?;
        let keys = crate::trust::parse_keys(&pin.keys).map_err(TrustError::from)?;
        Self::with(home, location, descriptor, keys, true).map(Some)
    }

    fn with(
        home: &ReplicaHome,
        location: &str,
        descriptor: Descriptor,
        keys: TrustedKeys,
        remembered: bool,
    ) -> Result<Self, ReplicaError> {
        let (index, _) = Index::open_or_rebuild(&home.index(location))?;
        let (location, home) = (location.into(), home.clone());
        let replica = Self { location, home, descriptor, keys, index, checkpoint: None, remembered };
        replica.settle()?;
        Ok(replica)
    }

    /// Where the view stays open, has later folds wait for nothing.
    fn settle(&self) -> Result<(), IndexError> {
        if self.home.lasting { self.index.commit_without_waiting() } else { Ok(()) }
    }

    /// Reads the registry's description and decides whom to trust; nothing is synced yet.
    ///
    /// # Errors
    ///
    /// When there is no registry, or it is not the one that was met before.
    pub fn open(
        home: &ReplicaHome,
        location: &str,
        source: &dyn Source,
        given: Option<&str>,
    ) -> Result<Self, ReplicaError> {
        let (descriptor, keys) = meet(home, location, source, given)?;
        Self::with(home, location, descriptor, keys, false)
    }

    /// Follows the log to its end.
    ///
    /// # Errors
    ///
    /// When the log cannot be read or is not believed; the replica is then as it was.
    pub fn sync(&mut self, source: &dyn Source, now: Timestamp) -> Result<SyncReport, ReplicaError> {
        self.sync_observed(source, now, &Unobserved)
    }

    /// The same, telling `observer` how far it is.
    ///
    /// # Errors
    ///
    /// Those of [`Replica::sync`].
    pub fn sync_observed(
        &mut self,
        source: &dyn Source,
        now: Timestamp,
        observer: &dyn Observer<SyncStep>,
    ) -> Result<SyncReport, ReplicaError> {
        match self.follow(source, now, observer) {
            Err(ReplicaError::Follow(error))
                if self.remembered && matches!(*error, FollowError::Checkpoint { .. }) =>
            {
                // Signed by a key this machine does not know: the registry may have changed its keys.
                (self.descriptor, self.keys) = meet(&self.home, &self.location, source, None)?;
                self.remembered = false;
                self.follow(source, now, observer)
            }
            followed => followed,
        }
    }

    fn follow(
        &mut self,
        source: &dyn Source,
        now: Timestamp,
        observer: &dyn Observer<SyncStep>,
    ) -> Result<SyncReport, ReplicaError> {
        loop {
            // Each time it is overtaken, less is left to do.
            if let Some(report) = self.try_to_follow(source, now, observer)? {
                return Ok(report);
            }
        }
    }

    /// Follows the log to its end; nothing if another program took the replica further meanwhile. What that one
    /// has seen is newer than what was started from here, and must neither be forgotten nor mixed with it.
    fn try_to_follow(
        &mut self,
        source: &dyn Source,
        now: Timestamp,
        observer: &dyn Observer<SyncStep>,
    ) -> Result<Option<SyncReport>, ReplicaError> {
        let known = position_of(&self.index)?;
        let seen = known.as_ref().map(Position::seen);
        let follower = Follower { source, keys: &self.keys, now };
        let head = follower.head(seen)?;
        let before = known.as_ref().map_or(0, Position::size);
        if known.as_ref().is_some_and(|known| known.seen().note() == head.note()) {
            self.checkpoint = Some(head.into_inner());
            return Ok(Some(SyncReport { before, after: before, from_snapshot: false }));
        }
        if known.is_none() {
            self.forget_where_it_went_through()?;
        }
        observer.event(&SyncStep::Begin { records: head.size().saturating_sub(before) });
        let snapshot = match &known {
            None => fetch_snapshot(source, &head)?,
            Some(_) => None,
        };
        let from_snapshot = snapshot.is_some();
        // What a snapshot brings becomes visible only together with the entries after it, when the root
        // they lead to is the signed one.
        let (mut fold, start) = match snapshot {
            Some(snapshot) => match load_snapshot(&mut self.index, snapshot) {
                Err(ReplicaError::LoadSnapshot(SnapshotError::NotEmpty { .. })) => return Ok(None),
                loaded => loaded?,
            },
            None => {
                let start = known.as_ref().map(|known| known.prefix().clone()).unwrap_or_default();
                let fold = self.index.begin()?;
                if fold.size() != before {
                    return Ok(None);
                }
                (fold, start)
            }
        };
        observer.event(&SyncStep::Done { records: start.size().saturating_sub(before) });
        let mut untold = 0;
        let update = follower.entries(head, seen, start, &mut |index, bytes| {
            untold += 1;
            if untold == TOLD_TOGETHER {
                observer.event(&SyncStep::Done { records: std::mem::take(&mut untold) });
            }
            fold.entry(index, bytes).map_err(Into::into)
        })?;
        let quarantines = fold.changes_quarantines();
        fold.finish(update.position.to_string().as_bytes())?;
        if before == 0 {
            self.settle()?;
        }
        if quarantines {
            self.note_quarantined();
        }
        let after = update.position.size();
        self.checkpoint = Some(update.checkpoint.into_inner());
        Ok(Some(SyncReport { before, after, from_snapshot }))
    }

    /// Follows the log to its end for one who is about to write to it, and may renew what has expired.
    pub(crate) fn sync_writer(&mut self, source: &dyn Source) -> Result<SyncReport, ReplicaError> {
        self.sync(source, Timestamp::UNIX_EPOCH)
    }

    /// Reads the registry's description once more, if it is another one now; whether it was. Only it says which keys sign from
    /// now on: while keys change, both the old and the new one do.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not the registry that was met before.
    pub fn describe_again(&mut self, source: &dyn Source) -> Result<bool, ReplicaError> {
        let (_, descriptor) = fetch_descriptor(&self.location, source)?;
        let is_another = descriptor != self.descriptor;
        if is_another {
            (self.descriptor, self.keys) = meet(&self.home, &self.location, source, None)?;
        }
        Ok(is_another)
    }

    /// Notes beside the view which trees are quarantined. It is only told, by whoever uses one: a note that cannot be written is as good as none,
    /// and the view says what is so.
    pub(crate) fn note_quarantined(&self) {
        let Ok(trees) = self.index.quarantined_trees(MOST_QUARANTINED) else { return };
        let lines: String = trees.iter().map(|tree| format!("{}\n", tree.to_hex())).collect();
        let _ = keep(&self.home.folder(&self.location).join(QUARANTINED), lines.as_bytes());
    }

    pub(crate) fn set_checkpoint(&mut self, checkpoint: weir_log::Checkpoint) {
        self.checkpoint = Some(checkpoint);
    }

    /// The registry's view, as far as it is known.
    pub fn index(&self) -> &Index {
        &self.index
    }

    pub(crate) fn index_mut(&mut self) -> &mut Index {
        &mut self.index
    }

    /// The name of the registry.
    pub fn name(&self) -> &str {
        &self.descriptor.name
    }

    /// Where the registry is.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// What the registry says of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The keys that are pinned for it.
    pub fn keys(&self) -> &TrustedKeys {
        &self.keys
    }

    /// Whether the registry's log had this root when it had `size` records, which then are the first of it still.
    ///
    /// # Errors
    ///
    /// When its hashes cannot be read, or are not what its newest checkpoint says.
    pub fn went_through(&self, source: &dyn Source, size: u64, root: Sha256) -> Result<bool, ReplicaError> {
        let Some(seen) = self.checkpoint.as_ref().filter(|seen| size <= seen.size()) else {
            return Ok(false);
        };
        let unproven = |error| ReplicaError::Unproven {
            location: self.name().to_owned(),
            index: size.saturating_sub(1),
            error,
        };
        let log = weir_log::Checkpoint::verify(seen.note().as_bytes(), self.keys());
        let log = log.map_err(|error| unproven(error.into()))?;
        let then = weir_log::root_at(source, &log, size).map_err(unproven)?;
        Ok(recorded(then) == root)
    }

    /// The newest checkpoint that was believed.
    pub fn checkpoint(&self) -> Option<&weir_log::Checkpoint> {
        self.checkpoint.as_ref()
    }
}

/// Reads what a registry says of itself, decides whom to trust, and remembers both.
fn meet(
    home: &ReplicaHome,
    location: &str,
    source: &dyn Source,
    given: Option<&str>,
) -> Result<(Descriptor, TrustedKeys), ReplicaError> {
    let (bytes, descriptor) = fetch_descriptor(location, source)?;
    let keys =
        home.trust.decide(location, &descriptor.name, &descriptor.keys, &descriptor.rotations, given)?;
    fs_err::create_dir_all(home.folder(location))?;
    keep(&home.descriptor(location), &bytes)?;
    Ok((descriptor, keys))
}

/// What the registry at `source` says of itself, believed or not.
pub(crate) fn read_descriptor(source: &dyn Source) -> Result<Descriptor, ReplicaError> {
    Ok(fetch_descriptor(&source.describe(), source)?.1)
}

fn fetch_descriptor(location: &str, source: &dyn Source) -> Result<(Vec<u8>, Descriptor), ReplicaError> {
    let bytes =
        source.read(DESCRIPTOR, MAX_DESCRIPTOR)?.ok_or_else(|| ReplicaError::NoRegistry(location.into()))?;
    let descriptor = parse_descriptor(location, &bytes)?;
    Ok((bytes, descriptor))
}

/// A hash of a log, as records name it.
pub(crate) fn recorded(hash: weir_log::Hash) -> Sha256 {
    Sha256::from_bytes(*hash.as_bytes())
}

fn parse_descriptor(location: &str, bytes: &[u8]) -> Result<Descriptor, ReplicaError> {
    Descriptor::from_bytes(bytes)
        .map_err(|error| ReplicaError::Descriptor { location: location.into(), error })
}

/// The position up to which an index was folded; `None` before the first sync.
pub(crate) fn position_of(index: &Index) -> Result<Option<Position>, ReplicaError> {
    let saved = index.position()?;
    if saved.state.is_empty() {
        return Ok(None);
    }
    let parsed = std::str::from_utf8(&saved.state).ok().and_then(|text| text.parse().ok());
    let damaged = IndexError::Damaged { what: "its position in the log", reason: "it does not read".into() };
    Ok(Some(parsed.ok_or(damaged)?))
}

/// A snapshot whose bytes are those that a checkpoint signs.
struct SignedSnapshot {
    file: std::fs::File,
    size: u64,
    what: String,
}

/// Fetches the snapshot that `head` signs, if there is one that saves enough.
fn fetch_snapshot(
    source: &dyn Source,
    head: &CheckedCheckpoint,
) -> Result<Option<SignedSnapshot>, ReplicaError> {
    let Some(snapshot) = head.snapshot().filter(|snapshot| snapshot.size >= WORTH_A_SNAPSHOT) else {
        return Ok(None);
    };
    let digest = Digest::from_bytes(snapshot.sha256);
    let path = snapshot_path(&digest);
    let Some(mut stream) = source.open(&path, 0)? else { return Ok(None) };
    let what = format!("{}/{path}", source.describe());
    let mut file = tempfile::tempfile()?;
    if !copy_hashed(&mut stream, &mut file, &digest)? {
        return Err(ReplicaError::Snapshot { what });
    }
    file.rewind()?;
    Ok(Some(SignedSnapshot { file, size: snapshot.size, what }))
}

/// Reads a snapshot into an empty index, and gives the log's beginning that it stands for.
fn load_snapshot(index: &mut Index, snapshot: SignedSnapshot) -> Result<(Fold<'_>, Prefix), ReplicaError> {
    let loaded = index.load_snapshot(snapshot.file, SnapshotLimits::default())?;
    let prefix = std::str::from_utf8(&loaded.frontier).ok().and_then(|text| text.parse::<Prefix>().ok());
    match prefix {
        Some(prefix) if prefix.size() == snapshot.size && loaded.size == snapshot.size => {
            Ok((loaded.fold, prefix))
        }
        _ => Err(ReplicaError::Snapshot { what: snapshot.what }),
    }
}

/// Where a snapshot is, in a registry.
pub(crate) fn snapshot_path(digest: &Sha256) -> String {
    format!("snapshot/{}.zst", digest.to_hex())
}

/// Copies a stream; says whether it has the digest it should have and is not beyond all bounds.
fn copy_hashed(
    stream: &mut dyn Read,
    out: &mut std::fs::File,
    digest: &Sha256,
) -> Result<bool, std::io::Error> {
    let mut hasher = weir_model::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0_u64;
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish() == *digest);
        }
        size += read as u64;
        if size > MAX_SNAPSHOT {
            return Ok(false);
        }
        hasher.update(&buffer[..read]);
        out.write_all(&buffer[..read])?;
    }
}

/// Replaces a file, unless it is there already with these bytes.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), std::io::Error> {
    if weir_fs::read(path, bytes.len() as u64).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    Ok(weir_fs::replace(path, bytes, Access::Kept, Durability::Quick)?)
}
