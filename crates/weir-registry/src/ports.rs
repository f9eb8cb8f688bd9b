//! What a registry is kept in, as the [`Registrar`](crate::Registrar) sees it: who puts batches in order, who holds
//! objects, who keeps keys. A folder is one way to be all three, memory another; a database with a bucket
//! would be a third. Nothing here knows of paths, renames or lock files.
//!
//! Whatever changes something takes an [`Authorized`], so that nobody can reach around the gate.

use std::io::Read;
use std::sync::Arc;

use jiff::Timestamp;
use weir_log::{CheckedCheckpoint, Checkpoint, Origin, Signers, Source, Stamp, TrustedKeys, VerifyingKey};
use weir_model::descriptor::Descriptor;
use weir_model::evidence::HeldAs;
use weir_model::record::RECORD_VERSION;
use weir_model::{Action, ChunkDigest, Observer, Record, RecordError, Sha256, TreeDigest};
use weir_policy::Authorized;
use weir_tree::Handled;

use crate::content::{ContentError, Delta, Stated, Stored, held_file, held_pack};

/// Where one registry is kept.
#[derive(Clone)]
pub struct Ports {
    /// How the registry is named in what this machine remembers of it; for a folder, its absolute path.
    pub location: String,
    /// Who puts batches in order.
    pub sequencer: Arc<dyn Sequencer>,
    /// Who holds content.
    pub objects: Arc<dyn Objects>,
    /// Who keeps the keys.
    pub keys: Arc<dyn Keys>,
}

/// A record that somebody may append: who and when come from the permission.
#[derive(Debug, Clone)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// What `permit` permits, as a record of `batch`.
    ///
    /// # Errors
    ///
    /// When it is too long, or cannot be written.
    pub fn new(permit: &Authorized, batch: &str, action: Action) -> Result<Self, RecordError> {
        let (by, at) = (permit.actor().to_owned(), permit.at());
        Ok(Self(Record { v: RECORD_VERSION, batch: batch.to_owned(), at, by, action }.to_bytes()?))
    }

    /// The record as the log holds it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Puts batches in order: what is appended under one checkpoint becomes visible together.
pub trait Sequencer: Send + Sync {
    /// The files that readers read: log, descriptor, and content as far as it is served.
    fn source(&self) -> Arc<dyn Source>;

    /// Begins a log that has no entries yet.
    ///
    /// # Errors
    ///
    /// When there is one, or it cannot be written.
    fn create(&self, permit: &Authorized, signers: &Signers, stamp: &Stamp) -> Result<(), PortError>;

    /// Waits until nobody else is changing the registry, and keeps others out until the turn is dropped. The log's
    /// present checkpoint must be signed by one of `trusted`; new ones are signed by `signers`.
    ///
    /// # Errors
    ///
    /// When somebody else does not come to an end, or the log cannot be read.
    fn turn(&self, signers: Signers, trusted: &TrustedKeys) -> Result<Box<dyn Turn + '_>, PortError>;

    /// Shows a descriptor to those who look for the registry, in place of the one before.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn describe(&self, permit: &Authorized, descriptor: &Descriptor) -> Result<(), PortError>;
}

/// The right to change the registry, alone.
pub trait Turn {
    /// Appends `entries` under one new checkpoint, if the log still ends where `after` says; with no entries, signs it
    /// anew. All of it is visible afterwards, and survives a loss of power, or none.
    ///
    /// # Errors
    ///
    /// [`PortError::Moved`] when the turn was lost and somebody else appended meanwhile; else when it cannot be written.
    fn append(
        &mut self,
        permit: &Authorized,
        after: &Checkpoint,
        entries: &[Entry],
        stamp: &Stamp,
    ) -> Result<CheckedCheckpoint, PortError>;
}

/// What can be put, and asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// The pack of a tree. What is held is named by the tree, so another pack of it is the same object.
    Pack(TreeDigest),
    /// A delta between two trees, whose packs are held as well.
    Delta(Delta),
    /// A file, by its SHA-256.
    File(Sha256),
    /// A snapshot of the view, by its SHA-256.
    Snapshot(Sha256),
}

impl From<HeldAs> for Object {
    fn from(held: HeldAs) -> Self {
        match held {
            HeldAs::Pack(tree, _) => Self::Pack(tree),
            HeldAs::File(sha256, _) => Self::File(sha256),
        }
    }
}

/// An object that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its bytes.
    pub size: u64,
    /// Whether readers are kept from it. What lies both within their reach and out of it is not.
    pub withheld: bool,
    /// Of a pack that is not kept, but made again whenever it is asked for: the tree whose pack it is made of.
    pub made_of: Option<TreeDigest>,
}

/// What is stored, as far as whoever asks may see it.
#[derive(Debug, Default)]
pub struct Listing {
    /// Each object, and when it was written.
    pub stored: Vec<(Stored, Timestamp)>,
    /// The parts of the storage that are closed to whoever asks, as the system says it.
    pub closed: Vec<std::io::Error>,
}

impl Listing {
    /// All that is stored.
    ///
    /// # Errors
    ///
    /// When a part of it is closed to whoever asks.
    pub fn whole(self) -> Result<Vec<(Stored, Timestamp)>, ContentError> {
        self.closed.into_iter().next().map_or(Ok(self.stored), |closed| Err(closed.into()))
    }
}

/// Holds content. Any number of processes may put at once.
pub trait Objects: Send + Sync {
    /// Takes in what `from` brings, checked against the object's name while it comes; gives the bytes of what is held then.
    /// What is there already stays as it is, withheld or not, and `from` is not read.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be read or written. Nothing has the name then.
    fn put(&self, permit: &Authorized, object: Object, from: &mut dyn Read) -> Result<u64, ContentError>;

    /// Whether an object is held, and how.
    ///
    /// # Errors
    ///
    /// When that cannot be found out.
    fn find(&self, object: Object) -> Result<Option<Held>, ContentError>;

    /// The bytes of an object from `offset`, withheld or not; they are not checked again. `None` if it is not held.
    ///
    /// # Errors
    ///
    /// When it cannot be read. The stream fails where a part is missing or damaged.
    fn open(&self, object: Object, offset: u64) -> Result<Option<Box<dyn Read + Send>>, ContentError>;

    /// Everything that is stored; an object that goes meanwhile may be missing.
    ///
    /// # Errors
    ///
    /// When it cannot be listed.
    fn list(&self) -> Result<Listing, ContentError>;

    /// Reads the pack of a tree from end to end, and checks it against its name and what is `stated` of it: among what is
    /// `withheld`, where it must be alone, or among what is served. Gives its bytes; `observer` is told of them as they are read.
    ///
    /// # Errors
    ///
    /// When it is missing or something else, or served although it is withheld.
    fn verify_pack(
        &self,
        tree: &TreeDigest,
        stated: &Stated,
        withheld: bool,
        observer: &dyn Observer<Handled>,
    ) -> Result<u64, ContentError> {
        held_pack(self, tree, stated, withheld, observer)
    }

    /// Reads a file from end to end, and checks it against its name and the size that is said of it, if one is: among what is
    /// `withheld`, or among what is served. Gives its bytes; `observer` is told of them as they are read.
    ///
    /// # Errors
    ///
    /// When it or a part of it is missing, or something else, or served although it is withheld.
    fn verify_file(
        &self,
        sha256: &Sha256,
        size: Option<u64>,
        withheld: bool,
        observer: &dyn Observer<Handled>,
    ) -> Result<u64, ContentError> {
        held_file(self, sha256, size, withheld, observer)
    }

    /// The parts that a stored object is kept in, by their digests; none for one that is kept whole.
    ///
    /// # Errors
    ///
    /// When it cannot be known: its parts would be taken for nobody's.
    fn parts(&self, stored: &Stored) -> Result<Vec<ChunkDigest>, ContentError>;

    /// How many deltas there are that give a tree.
    ///
    /// # Errors
    ///
    /// When that cannot be found out.
    fn deltas_to(&self, tree: &TreeDigest) -> Result<usize, ContentError>;

    /// Keeps the pack that a delta gives as no more than the delta, which is held, as the pack is that it is from. No other may be made again of that pack. Gives
    /// the bytes of the delta; nothing where the pack would not come out byte for byte, where one of them is not kept whole, or where packs are always kept so.
    ///
    /// # Errors
    ///
    /// When that cannot be done, or something is not what it must be.
    fn compact(&self, permit: &Authorized, delta: &Delta) -> Result<Option<u64>, ContentError> {
        let _ = (permit, delta);
        Ok(None)
    }

    /// Keeps the pack of a tree whole, if it is not. Harmless when done twice, or when there is no such pack.
    ///
    /// # Errors
    ///
    /// When that cannot be done, or what it is made of is gone or not what it must be; nothing is changed then.
    fn make_whole(&self, permit: &Authorized, tree: &TreeDigest) -> Result<(), ContentError> {
        let _ = (permit, tree);
        Ok(())
    }

    /// Keeps readers from a pack or a file; of a pack, takes out the deltas that give it. What others are made again of is withheld only when
    /// those were made whole. Harmless when done twice, or when it is not
    /// there. Nobody is kept from a delta for itself, or from a snapshot.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    fn withhold(&self, permit: &Authorized, object: Object) -> Result<(), ContentError>;

    /// Gives a pack or a file back to readers. Harmless when done twice, or when it is not there.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    fn restore(&self, permit: &Authorized, object: Object) -> Result<(), ContentError>;

    /// Takes something out for good; a pack, however it is kept. Harmless when it is not there.
    ///
    /// # Errors
    ///
    /// When that cannot be done.
    fn remove(&self, permit: &Authorized, stored: &Stored) -> Result<(), ContentError>;

    /// Takes out the parts of large objects that belong to none; of those that keep large objects in parts.
    ///
    /// # Errors
    ///
    /// When that cannot be done, or it cannot be known which they are.
    fn remove_parts(&self, permit: &Authorized) -> Result<(), ContentError>;
}

/// Keeps the keys that sign for the registry. A key is never replaced: it stays beside the next.
pub trait Keys: Send + Sync {
    /// The keys kept for logs of this name.
    ///
    /// # Errors
    ///
    /// When they cannot be looked for.
    fn kept(&self, origin: &Origin) -> Result<Vec<VerifyingKey>, KeysError>;

    /// Makes a key and keeps it, for this registry at this place.
    ///
    /// # Errors
    ///
    /// When it cannot be made or kept.
    fn generate(&self, permit: &Authorized, origin: &Origin) -> Result<VerifyingKey, KeysError>;

    /// What signs with those of `keys` that are kept here.
    ///
    /// # Errors
    ///
    /// When none is, or when one was made for the registry at another place.
    fn signers(&self, keys: &[VerifyingKey]) -> Result<Signers, KeysError>;

    /// The note by which `old` vouches for `new`.
    ///
    /// # Errors
    ///
    /// When `old` is not kept here, or was made for another place.
    fn vouch(&self, permit: &Authorized, old: &VerifyingKey, new: &VerifyingKey)
    -> Result<String, KeysError>;
}

/// Why a log could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Somebody else appended since the batch was planned.
    #[error("the log has {now} entries now and had {before} when the change was planned")]
    Moved {
        /// Its entries when the batch was planned.
        before: u64,
        /// Its entries now.
        now: u64,
    },
    /// There is a log already.
    #[error("there is a log already")]
    Exists,
    /// The log cannot be read or written.
    #[error(transparent)]
    Write(#[from] weir_log::WriteError),
    /// The descriptor cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Why a key cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// It is not kept here.
    #[error("the key of the registry `{origin}` is not on this machine: it is signed by {}, none of which is in `{place}`", keys.join(", "))]
    Missing {
        /// The registry's name.
        origin: String,
        /// The keys that readers believe.
        keys: Vec<String>,
        /// Where keys are kept.
        place: String,
    },
    /// It signs for the registry at another place.
    #[error("the key of the registry `{origin}` signs for `{bound}`, not for `{here}`")]
    OtherPlace {
        /// The registry's name.
        origin: String,
        /// The place that it signs for.
        bound: String,
        /// The place where it is asked for.
        here: String,
    },
    /// What is kept is not a key.
    #[error("`{place}`: {reason}")]
    Bad {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] weir_log::KeyError),
    /// What is kept cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
