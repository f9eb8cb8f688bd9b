//! Reading what is new in a log, and proving that nothing old changed.
//!
//! The checkpoint is read first and checked: signature, then against the last one seen. Then the new
//! entries are read, each hashed into the frontier that the reader kept; if the root reached is the
//! signed one, the entries are the log's and the old ones are still its beginning. No hash tile is
//! needed for that. Only when the roots differ are tiles read, to say *what* happened: a registry that
//! signed two histories (fork), or files that are not what it signed (tampering).
//!
//! Entries are handed out while they stream, **before** the root is known, so that a log of any size is
//! read in the memory of one entry. A caller puts them into a transaction and commits it only after
//! `Ok`.

use jiff::Timestamp;

use crate::bundle::EntryReader;
use crate::checkpoint::{CheckedCheckpoint, Checkpoint, CheckpointError, MAX_CHECKPOINT};
use crate::key::TrustedKeys;
use crate::position::{Position, Prefix};
use crate::proof::root_at;
use crate::source::{Source, SourceError};
use crate::tile::{TILE_WIDTH, TileId};
use crate::writer::CHECKPOINT;

/// What a caller's sink may fail with.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Receives each new entry with its index, in order. Nothing it receives may be believed before the
/// read returned `Ok`.
pub type EntrySink<'a> = dyn FnMut(u64, &[u8]) -> Result<(), SinkError> + 'a;

/// How often a reader takes up a newer checkpoint because the tiles of its own are gone.
const MAX_REFRESHES: u32 = 5;

/// What following a log came to.
#[derive(Debug, Clone)]
pub struct Update {
    /// The log as it is now.
    pub checkpoint: CheckedCheckpoint,
    /// What to keep for the next time.
    pub position: Position,
    /// Index of the first entry that was handed out: there are `checkpoint.size() - first` new ones.
    pub first: u64,
}

/// Why a log was not believed, or could not be read. Those with `seen` and `offered` carry both
/// checkpoints whole: they are the evidence.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// There is no checkpoint where one should be.
    #[error("there is no log at `{source_name}`")]
    NoLog {
        /// Folder or URL.
        source_name: String,
    },
    /// A file could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The checkpoint is malformed, of another log, or not signed by a trusted key.
    #[error("`{source_name}`: {error}")]
    Checkpoint {
        /// Folder or URL.
        source_name: String,
        /// What is wrong.
        #[source]
        error: CheckpointError,
    },
    /// The log is smaller than it was.
    #[error(
        "`{source_name}` went back: it offers {offered_size} entries and had {seen_size}\n\
         last seen:\n{seen}\noffered now:\n{offered}"
    )]
    Rollback {
        /// Folder or URL.
        source_name: String,
        /// Entries in the checkpoint seen before.
        seen_size: u64,
        /// Entries in the one offered.
        offered_size: u64,
        /// The checkpoint seen before.
        seen: String,
        /// The one offered.
        offered: String,
    },
    /// The newest checkpoint offered has expired: what is served stands still, or the registry does.
    #[error(
        "`{source_name}` offers a checkpoint that expired at {expired}; now it is {now}\noffered now:\n{offered}"
    )]
    Frozen {
        /// Folder or URL.
        source_name: String,
        /// When it expired.
        expired: Timestamp,
        /// The reader's clock.
        now: Timestamp,
        /// The checkpoint seen before, if there was one.
        seen: Option<String>,
        /// The one offered.
        offered: String,
    },
    /// The registry signed two histories that exclude each other.
    #[error(
        "`{source_name}` was rewritten: two checkpoints of it exclude each other\n\
         last seen:\n{seen}\noffered now:\n{offered}"
    )]
    Fork {
        /// Folder or URL.
        source_name: String,
        /// The checkpoint seen before.
        seen: String,
        /// The one offered.
        offered: String,
    },
    /// The files are not those that were signed: changed on the way or on the disk.
    #[error("`{source_name}` serves files that are not what it signed: {reason}\noffered now:\n{offered}")]
    Tampered {
        /// Folder or URL.
        source_name: String,
        /// Which files, and how they differ.
        reason: String,
        /// The checkpoint seen before, if there was one.
        seen: Option<String>,
        /// The one offered.
        offered: String,
    },
    /// A bundle that the checkpoint covers does not exist.
    #[error("`{source_name}` lacks `{file}`, which its checkpoint covers\noffered now:\n{offered}")]
    Missing {
        /// Folder or URL.
        source_name: String,
        /// The bundle.
        file: String,
        /// The checkpoint.
        offered: String,
    },
    /// The caller's sink failed.
    #[error("entry {index} of `{source_name}` was not taken: {error}")]
    Sink {
        /// Folder or URL.
        source_name: String,
        /// The entry.
        index: u64,
        /// What the sink said.
        error: SinkError,
    },
}

impl FollowError {
    /// Whether the log was read, and is not what it must be: evidence against whoever signs it, or serves it. What whoever took in its
    /// entries says of them is theirs to judge.
    pub const fn is_integrity(&self) -> bool {
        match self {
            Self::Checkpoint { .. }
            | Self::Rollback { .. }
            | Self::Frozen { .. }
            | Self::Fork { .. }
            | Self::Tampered { .. }
            | Self::Missing { .. } => true,
            Self::NoLog { .. } | Self::Source(_) | Self::Sink { .. } => false,
        }
    }
}

/// Reads the log at `source` from where `previous` left off.
///
/// `sink` receives the new entries; see [`EntrySink`] for when to believe them.
pub fn follow(
    source: &dyn Source,
    keys: &TrustedKeys,
    previous: Option<&Position>,
    now: Timestamp,
    sink: &mut EntrySink<'_>,
) -> Result<Update, FollowError> {
    let follower = Follower { source, keys, now };
    let seen = previous.map(Position::seen);
    let head = follower.head(seen)?;
    let start = previous.map(|position| position.prefix().clone()).unwrap_or_default();
    follower.entries(head, seen, start, sink)
}

/// The steps of [`follow`], for a caller that decides between them: a cold sync reads the head, takes up
/// the snapshot it names, and then reads the entries after that.
#[derive(Clone, Copy)]
pub struct Follower<'a> {
    /// Where the log is.
    pub source: &'a dyn Source,
    /// Who may sign it.
    pub keys: &'a TrustedKeys,
    /// The reader's clock.
    pub now: Timestamp,
}

/// A bundle's path and its bytes from some offset.
type OpenBundle = (String, Box<dyn std::io::Read + Send>);

/// How reading one bundle ended.
enum Bundle {
    Read,
    Absent,
    Short,
}

impl Follower<'_> {
    /// Reads the newest checkpoint and checks all that can be checked without entries: its signature,
    /// that it did not go back, that it is no other tree of the same size, that it has not expired.
    pub fn head(&self, seen: Option<&Checkpoint>) -> Result<CheckedCheckpoint, FollowError> {
        let source_name = || self.source.describe();
        let note = self
            .source
            .read(CHECKPOINT, MAX_CHECKPOINT)?
            .ok_or_else(|| FollowError::NoLog { source_name: source_name() })?;
        let offered = Checkpoint::verify(&note, self.keys)
            .map_err(|error| FollowError::Checkpoint { source_name: source_name(), error })?;
        if let Some(seen) = seen {
            if offered.size() < seen.size() {
                return Err(FollowError::Rollback {
                    source_name: source_name(),
                    seen_size: seen.size(),
                    offered_size: offered.size(),
                    seen: seen.note().to_owned(),
                    offered: offered.note().to_owned(),
                });
            }
            if offered.size() == seen.size() && offered.root() != seen.root() {
                return Err(self.fork(seen, &offered));
            }
        }
        match offered.expires() {
            Some(expired) if offered.is_expired(self.now) => Err(FollowError::Frozen {
                source_name: source_name(),
                expired,
                now: self.now,
                seen: seen.map(|seen| seen.note().to_owned()),
                offered: offered.note().to_owned(),
            }),
            _ => Ok(offered),
        }
    }

    /// Reads the entries after `start` up to `head` and proves that they, and those before, are what
    /// `head` signs.
    ///
    /// `start` is what the caller already has: from the last [`Position`], or from a snapshot (then it
    /// is proved here, too). Unless it is the very tree that was `seen`, reaching the signed root says
    /// nothing of that one, and that `head` continues it is proved from hash tiles.
    pub fn entries(
        &self,
        mut head: CheckedCheckpoint,
        seen: Option<&Checkpoint>,
        start: Prefix,
        sink: &mut EntrySink<'_>,
    ) -> Result<Update, FollowError> {
        let first = start.size();
        if first > head.size() {
            return Err(self.tampered(
                seen,
                &head,
                format!("a start after {first} entries is beyond its end"),
            ));
        }
        let unproved = seen.filter(|seen| seen.size() != first || seen.root() != start.frontier().root());
        if let Some(seen) = unproved {
            self.check_continues(seen, &head)?;
        }
        let mut prefix = start;
        let mut refreshes = 0;
        while prefix.size() < head.size() {
            let id = TileId::of_entry(prefix.size(), head.size());
            match self.bundle(id, &mut prefix, sink)? {
                Bundle::Read => {}
                Bundle::Short => return Err(self.differs(seen, &head, format!("`{id}` ends early"))),
                Bundle::Absent => {
                    // The log grew while we read and the partial tile we know of was cleared away.
                    let newer = self.head(Some(&head))?;
                    if newer.size() == head.size() || refreshes == MAX_REFRESHES {
                        return Err(self.missing(id, &head));
                    }
                    if let Some(seen) = unproved {
                        self.check_continues(seen, &newer)?;
                    }
                    refreshes += 1;
                    head = newer;
                }
            }
        }
        match Position::new(prefix, (*head).clone()) {
            Ok(position) => Ok(Update { checkpoint: head, position, first }),
            Err(_) => Err(self.differs(seen, &head, "the entries do not have the signed root".to_owned())),
        }
    }

    /// Reads the part of one bundle that is not known yet.
    fn bundle(
        &self,
        id: TileId,
        prefix: &mut Prefix,
        sink: &mut EntrySink<'_>,
    ) -> Result<Bundle, FollowError> {
        let Some((path, bytes)) = self.open_bundle(id, prefix.offset())? else { return Ok(Bundle::Absent) };
        let mut entries = EntryReader::new(bytes);
        let end = id.index() * TILE_WIDTH + id.width();
        while prefix.size() < end {
            let entry = match entries.next_entry() {
                Ok(entry) => entry,
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(Bundle::Short),
                Err(error) => {
                    let what = format!("{}/{path}", self.source.describe());
                    return Err(SourceError::from_io(what, &error).into());
                }
            };
            let index = prefix.push(entry);
            sink(index, entry).map_err(|error| FollowError::Sink {
                source_name: self.source.describe(),
                index,
                error,
            })?;
        }
        Ok(Bundle::Read)
    }

    /// A partial tile may have been cleared away since it was completed; then the full one holds the
    /// same bytes first.
    fn open_bundle(&self, id: TileId, offset: u64) -> Result<Option<OpenBundle>, SourceError> {
        for path in [id.path(), id.to_full().path()] {
            if let Some(bytes) = self.source.open(&path, offset)? {
                return Ok(Some((path, bytes)));
            }
        }
        Ok(None)
    }

    /// Proves from hash tiles that `head` continues `seen`.
    fn check_continues(&self, seen: &Checkpoint, head: &CheckedCheckpoint) -> Result<(), FollowError> {
        match root_at(self.source, head, seen.size()) {
            Ok(root) if root == seen.root() => Ok(()),
            Ok(_) => Err(self.fork(seen, head)),
            Err(error) => Err(self.tampered(Some(seen), head, error.to_string())),
        }
    }

    /// The entries do not lead to the signed root. If the signed tree does not even contain what was
    /// seen before, the registry signed two histories; otherwise the files were changed.
    fn differs(&self, seen: Option<&Checkpoint>, head: &CheckedCheckpoint, reason: String) -> FollowError {
        match seen.map(|seen| (seen, root_at(self.source, head, seen.size()))) {
            Some((seen, Ok(root))) if root != seen.root() => self.fork(seen, head),
            _ => self.tampered(seen, head, reason),
        }
    }

    fn fork(&self, seen: &Checkpoint, offered: &Checkpoint) -> FollowError {
        FollowError::Fork {
            source_name: self.source.describe(),
            seen: seen.note().to_owned(),
            offered: offered.note().to_owned(),
        }
    }

    fn tampered(&self, seen: Option<&Checkpoint>, offered: &Checkpoint, reason: String) -> FollowError {
        FollowError::Tampered {
            source_name: self.source.describe(),
            reason,
            seen: seen.map(|seen| seen.note().to_owned()),
            offered: offered.note().to_owned(),
        }
    }

    fn missing(&self, id: TileId, offered: &Checkpoint) -> FollowError {
        FollowError::Missing {
            source_name: self.source.describe(),
            file: id.path(),
            offered: offered.note().to_owned(),
        }
    }
}
