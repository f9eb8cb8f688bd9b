//! Appending to a log in a folder.
//!
//! One writer at a time holds the lock file; it reads the checkpoint, takes up the right edge of the
//! tree, writes new tiles and bundles, and replaces the checkpoint last. Until then readers see the old
//! log; a crash leaves files that no checkpoint covers, which the next append replaces.
//!
//! Who may read a log is said by the mode of its folder, and not by the habits of whoever appended last: one writer
//! whose own files are private would otherwise take the checkpoint away from everybody else.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use weir_fs::{Access, Batch, BatchStep, Folder, Settled};

use crate::bundle::{MAX_BUNDLE, parse_bundle, write_entry};
use crate::checkpoint::{CheckedCheckpoint, Checkpoint, CheckpointError, MAX_CHECKPOINT, Stamp};
use crate::deadline::Deadline;
use crate::edge::Edge;
use crate::faults::{
    AFTER_CHECKPOINT, BEFORE_CHECKPOINT, Faults, LOCKED, NoFaults, PRUNED, TILE_RENAMED, TILE_WRITTEN,
    TILES_SYNCED,
};
use crate::key::{Signers, TrustedKeys};
use crate::signed_tiles::{TileError, read_edge};
use crate::source::{FolderSource, Source, SourceError};
use crate::tile::{TILE_WIDTH, TileId, TileLevel, hashes_to_bytes};
use crate::{Hash, MAX_ENTRY, MAX_SIZE};

/// Where the checkpoint is.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The file whose lock orders the writers of a folder.
const LOCK: &str = ".log.lock";

/// Partial versions kept of a tile that still grows, for readers that hold a checkpoint some appends old.
const PARTIALS_KEPT: usize = 8;

/// A log in a folder, as one who writes it sees it: where, how long to wait for others, what to break.
#[derive(Clone)]
pub struct LogFolder {
    root: PathBuf,
    lock_wait: Duration,
    faults: Arc<dyn Faults>,
    settled: Settled,
}

/// The one writer of a log, until it is dropped.
pub struct LogWriter {
    folder: LogFolder,
    /// The folder, held open: what it becomes a link to meanwhile is nothing to its writer.
    root: Folder,
    signers: Signers,
    trusted: TrustedKeys,
    end: LogEnd,
    /// An attempt to replace the checkpoint failed: which one is on the disk must be looked up.
    unsure: bool,
    /// Held for its lock, which the system gives up with the process.
    _lock: File,
}

/// What appending goes on from.
struct LogEnd {
    checkpoint: CheckedCheckpoint,
    edge: Edge,
    /// Bytes of the unfinished bundle.
    bundle: Vec<u8>,
}

/// Why a log could not be made, opened for writing, or appended to.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is no log in the folder.
    #[error("there is no log in `{folder}`")]
    NoLog {
        /// The folder.
        folder: PathBuf,
    },
    /// There is one already.
    #[error("there is a log in `{folder}` already")]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// Another writer kept the lock for too long.
    #[error("another process has been writing to `{folder}` for {} seconds", waited.as_secs())]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// The signing keys are for another log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file of the log cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The files of the log do not have the root its checkpoint signs.
    #[error("the log in `{folder}` is damaged: {reason}")]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// Which file, relative to it, and what is wrong with it.
        reason: String,
    },
    /// An entry is longer than a bundle can hold.
    #[error("an entry of {length} bytes is longer than the {MAX_ENTRY} a log can hold")]
    EntryTooLong {
        /// Its bytes.
        length: usize,
    },
    /// The log would become larger than this program reads.
    #[error("a log cannot have more than {MAX_SIZE} entries")]
    TooManyEntries,
    /// The disk failed or is full. The log is as it was.
    #[error("the log in `{folder}` cannot be written: {error}")]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said; it names the file.
        #[source]
        error: io::Error,
    },
}

impl LogFolder {
    /// The log in `root`; another may keep it locked for a minute.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let (lock_wait, faults) = (Duration::from_secs(60), Arc::new(NoFaults));
        Self { root: root.into(), lock_wait, faults, settled: Settled::default() }
    }

    /// Waits this long for another writer to append something, and as often as one does: in a long queue that moves,
    /// nobody gives up.
    #[must_use]
    pub fn with_lock_wait(self, lock_wait: Duration) -> Self {
        Self { lock_wait, ..self }
    }

    /// Tells `faults` of each point an append passes.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn Faults>) -> Self {
        Self { faults, ..self }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Starts a log: signs the checkpoint of the empty tree.
    pub fn create(&self, signers: &Signers, stamp: &Stamp) -> Result<CheckedCheckpoint, WriteError> {
        let root = Folder::make(&self.root).map_err(|error| self.io(error))?;
        let _lock = self.lock(&root)?;
        if FolderSource::new(&self.root).read(CHECKPOINT, MAX_CHECKPOINT)?.is_some() {
            return Err(WriteError::Exists { folder: self.root.clone() });
        }
        let checkpoint = CheckedCheckpoint::sign(0, Hash::EMPTY, stamp, signers)?;
        self.publish(&root, &checkpoint)?;
        Ok(checkpoint)
    }

    /// Becomes the log's writer, after whoever is. The present checkpoint must be signed by one of
    /// `trusted`; new ones are signed by `signers`, which may be other keys: that is how a key is changed.
    pub fn writer(&self, signers: Signers, trusted: &TrustedKeys) -> Result<LogWriter, WriteError> {
        let root = Folder::open(&self.root).map_err(|error| match error.is_not_found() {
            true => WriteError::NoLog { folder: self.root.clone() },
            false => self.io(error),
        })?;
        let lock = self.lock(&root)?;
        let end = self.read_end(&signers, trusted)?;
        // What this writer signs it will believe, should it have to read it again.
        let keys = trusted.keys().iter().chain(signers.trusted().keys()).cloned().collect::<Vec<_>>();
        let trusted = TrustedKeys::new(keys).map_err(|_| self.other_origin(&signers, &end.checkpoint))?;
        Ok(LogWriter { folder: self.clone(), root, signers, trusted, end, unsure: false, _lock: lock })
    }

    fn read_end(&self, signers: &Signers, trusted: &TrustedKeys) -> Result<LogEnd, WriteError> {
        let source = FolderSource::new(&self.root);
        let note = source
            .read(CHECKPOINT, MAX_CHECKPOINT)?
            .ok_or_else(|| WriteError::NoLog { folder: self.root.clone() })?;
        let checkpoint = Checkpoint::verify(&note, trusted)?;
        if signers.origin() != checkpoint.origin() {
            return Err(self.other_origin(signers, &checkpoint));
        }
        let edge = read_edge(&source, &checkpoint).map_err(|error| match error {
            TileError::Source(error) => WriteError::Source(error),
            error => WriteError::Damaged { folder: self.root.clone(), reason: error.to_string() },
        })?;
        let bundle = self.read_unfinished_bundle(&source, &edge)?;
        Ok(LogEnd { checkpoint, edge, bundle })
    }

    /// What tells one checkpoint from the next without reading it: each is a new file.
    fn latest(&self) -> Option<(u64, Option<SystemTime>)> {
        let about = fs_err::metadata(self.root.join(CHECKPOINT)).ok()?;
        Some((about.ino(), about.modified().ok()))
    }

    /// Polls, because waiting with a bound is not something the system offers. Short steps: an append
    /// takes a few milliseconds.
    fn lock(&self, root: &Folder) -> Result<File, WriteError> {
        let lock = root.lock_file(LOCK).map_err(|error| self.io(error))?;
        let mut deadline = Deadline::new(self.lock_wait, Instant::now(), self.latest());
        let mut pause = Duration::from_millis(1);
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(self.io(error)),
                Err(TryLockError::WouldBlock) if deadline.is_over(Instant::now(), || self.latest()) => {
                    return Err(WriteError::Locked { folder: self.root.clone(), waited: self.lock_wait });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            }
            pause = (pause * 2).min(Duration::from_millis(16));
        }
        self.faults.at(LOCKED);
        Ok(lock)
    }

    fn read_unfinished_bundle(&self, source: &FolderSource, edge: &Edge) -> Result<Vec<u8>, WriteError> {
        let size = edge.size();
        if size.is_multiple_of(TILE_WIDTH) {
            return Ok(Vec::new());
        }
        let id = TileId::of_entry(size, size);
        let bytes = source.read(&id.path(), MAX_BUNDLE)?.ok_or_else(|| self.damaged(id, "is missing"))?;
        let entries = parse_bundle(&bytes, id.width())
            .map_err(|error| self.damaged(id, &format!("is broken: {error}")))?;
        let hashes = entries.into_iter().map(Hash::of_leaf);
        let signed = edge.unfinished().find(|(tile, _)| tile.level() == TileLevel::Hashes(0));
        match signed {
            Some((_, leaves)) if hashes.eq(leaves.iter().copied()) => Ok(bytes),
            _ => Err(self.damaged(id, "does not hold the entries that were signed")),
        }
    }

    /// Makes a checkpoint the log's: from here on readers see what it covers.
    fn publish(&self, root: &Folder, checkpoint: &Checkpoint) -> Result<(), WriteError> {
        let step = |step| match step {
            BatchStep::Written => self.faults.at(BEFORE_CHECKPOINT),
            BatchStep::Named => self.faults.at(AFTER_CHECKPOINT),
        };
        let mut files = Batch::new(root, &step, &self.settled);
        root.filled_draft(checkpoint.note().as_bytes(), Access::Public)
            .and_then(|draft| files.add(draft, CHECKPOINT))
            .and_then(|()| files.finish())
            .map_err(|error| self.io(error))
    }

    fn other_origin(&self, signers: &Signers, checkpoint: &Checkpoint) -> WriteError {
        let (expected, found) = (signers.origin().clone(), checkpoint.origin().clone());
        CheckpointError::OtherOrigin { expected, found }.into()
    }

    fn damaged(&self, file: TileId, reason: &str) -> WriteError {
        WriteError::Damaged { folder: self.root.clone(), reason: format!("`{file}` {reason}") }
    }

    fn io(&self, error: impl Into<io::Error>) -> WriteError {
        WriteError::Io { folder: self.root.clone(), error: error.into() }
    }
}

impl LogWriter {
    /// The log as it is now.
    pub fn checkpoint(&self) -> &CheckedCheckpoint {
        &self.end.checkpoint
    }

    /// Appends a batch: all of it becomes visible, under one new checkpoint, or none. An empty batch
    /// renews the checkpoint, so that it does not expire while nothing happens.
    ///
    /// On an error the log is as it was; only when the very last step failed, the sync of the folder, may
    /// it hold the batch. Whichever it is, the writer finds out before it appends again.
    pub fn append(&mut self, batch: &[Vec<u8>], stamp: &Stamp) -> Result<CheckedCheckpoint, WriteError> {
        if self.unsure {
            self.end = self.folder.read_end(&self.signers, &self.trusted)?;
            self.unsure = false;
        }
        let before = self.end.edge.size();
        if (batch.len() as u64) > MAX_SIZE - before {
            return Err(WriteError::TooManyEntries);
        }
        if let Some(entry) = batch.iter().find(|entry| entry.len() > MAX_ENTRY) {
            return Err(WriteError::EntryTooLong { length: entry.len() });
        }

        let Written { edge, bundle, full } = self.write_tiles(batch)?;
        self.folder.faults.at(TILES_SYNCED);

        let stamp = Stamp { snapshot: stamp.snapshot.or(self.end.checkpoint.snapshot()), ..*stamp };
        let checkpoint = CheckedCheckpoint::sign(edge.size(), edge.frontier().root(), &stamp, &self.signers)?;
        self.unsure = true;
        self.folder.publish(&self.root, &checkpoint)?;
        self.unsure = false;
        self.end = LogEnd { checkpoint, edge, bundle };

        self.prune(&full);
        self.folder.faults.at(PRUNED);
        Ok(self.end.checkpoint.clone())
    }

    /// Writes what `batch` adds and waits until it is on the disk.
    fn write_tiles(&self, batch: &[Vec<u8>]) -> Result<Written, WriteError> {
        let io = |error: weir_fs::FsError| self.folder.io(error);
        let step = |step| match step {
            BatchStep::Written => self.folder.faults.at(TILE_WRITTEN),
            BatchStep::Named => self.folder.faults.at(TILE_RENAMED),
        };
        let mut files = Batch::new(&self.root, &step, &self.folder.settled);
        let mut write =
            |id: TileId, bytes: &[u8]| files.add(self.root.filled_draft(bytes, Access::Public)?, id.path());
        let mut edge = self.end.edge.clone();
        let mut bundle = self.end.bundle.clone();
        let mut full = Vec::new();
        for entry in batch {
            write_entry(&mut bundle, entry).map_err(|length| WriteError::EntryTooLong { length })?;
            edge.push(Hash::of_leaf(entry), |id, hashes| {
                full.push(id);
                write(id, &hashes_to_bytes(hashes))
            })
            .map_err(io)?;
            if edge.size().is_multiple_of(TILE_WIDTH) {
                let id = TileId::of_entry(edge.size() - 1, edge.size());
                full.push(id);
                write(id, &bundle).map_err(io)?;
                bundle.clear();
            }
        }
        self.clear_leftovers(edge.size()).map_err(io)?;
        let covered = unfinished_tiles(self.end.edge.size());
        for (id, hashes) in edge.unfinished().filter(|(id, _)| !covered.contains(id)) {
            write(id, &hashes_to_bytes(hashes)).map_err(io)?;
        }
        let last = TileId::of_entry(edge.size(), edge.size());
        if !bundle.is_empty() && !covered.contains(&last) {
            write(last, &bundle).map_err(io)?;
        }
        files.finish().map_err(io)?;
        Ok(Written { edge, bundle, full })
    }

    /// Removes what an append that was cut short left beside the tiles that are now to be unfinished,
    /// so that each version of them that exists is one that a checkpoint covers: a reader whose partial
    /// tile was pruned looks for the full one, and must not find that of a log that never was.
    fn clear_leftovers(&self, size: u64) -> weir_fs::Result<()> {
        let covered = unfinished_tiles(self.end.edge.size());
        for tile in unfinished_tiles(size) {
            self.root.remove_file(tile.to_full().path())?;
            let widest = covered.iter().find(|old| old.to_full() == tile.to_full()).map_or(0, TileId::width);
            for width in self.widths(tile).into_iter().filter(|&width| width > widest) {
                self.root.remove_file(version(tile, width))?;
            }
        }
        Ok(())
    }

    /// Removes partial tiles that newer ones stand for. They are a convenience for readers a few
    /// checkpoints behind, who read the checkpoint again when one is gone; so a failure here is no
    /// failure of the append.
    fn prune(&self, full: &[TileId]) {
        for tile in full {
            let _ = self.root.remove_tree(tile.partial_folder());
        }
        for tile in unfinished_tiles(self.end.edge.size()) {
            let mut widths = self.widths(tile);
            widths.sort_unstable_by(|a, b| b.cmp(a));
            for &width in widths.iter().skip(PARTIALS_KEPT) {
                let _ = self.root.remove_file(version(tile, width));
            }
        }
    }

    /// The widths of which there is a version of a tile.
    fn widths(&self, tile: TileId) -> Vec<u64> {
        let Ok(folder) = self.root.folder(tile.partial_folder()) else { return Vec::new() };
        let entries = folder.entries().unwrap_or_default();
        let widths = entries.iter().filter_map(|entry| entry.name.to_str()?.parse().ok());
        widths.filter(|width| (1..TILE_WIDTH).contains(width)).collect()
    }
}

/// Where the version of a tile that has `width` hashes is.
fn version(tile: TileId, width: u64) -> String {
    TileId::new(tile.level(), tile.index(), width).path()
}

/// What an append put on the disk and did not yet sign.
struct Written {
    edge: Edge,
    bundle: Vec<u8>,
    /// Tiles that became full.
    full: Vec<TileId>,
}

/// Every unfinished tile of a log of `size` entries: hashes and the bundle.
fn unfinished_tiles(size: u64) -> Vec<TileId> {
    let bundle = (!size.is_multiple_of(TILE_WIDTH)).then(|| TileId::of_entry(size, size));
    Edge::tiles_of(size).chain(bundle).collect()
}
