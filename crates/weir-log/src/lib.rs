//! The log: an append-only, Merkle-hashed, signed list of entries, kept as plain files.
//!
//! A registry's index *is* such a log. This crate knows nothing of what the entries say: to it they
//! are byte strings of at most [`MAX_ENTRY`] bytes. It writes them ([`LogFolder`], [`LogWriter`]),
//! reads what is new and proves that nothing old changed ([`follow()`]), recomputes everything
//! ([`audit()`]) and makes proofs that others can check ([`InclusionProof`], [`ConsistencyProof`]).
//!
//! # On disk, and byte for byte over HTTP
//!
//! ```text
//! checkpoint               signed note: origin, size, root, extension lines, signatures
//! tile/<L>/<N>[.p/<W>]     hashes: 256 a tile, or W of them while the tile is not full
//! tile/entries/<N>[.p/<W>] the entries themselves, each behind a big-endian u16 length
//! ```
//!
//! This is [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) with a
//! [C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint), unchanged, so tools that are not ours
//! can check it.
//!
//! # Invariants
//!
//! * A file that a checkpoint covers never changes. Files that no checkpoint covers may be leftovers
//!   of an append that was cut short: nobody reads them, and the next append replaces them.
//! * The checkpoint is replaced last, by a rename, after everything it covers is on the disk.
//! * A [`CheckedCheckpoint`] carries a valid signature by a key its maker trusted.
//! * A [`Position`] agrees with the checkpoint it was reached under: size and root.

mod ahead;
mod append;
mod audit;
mod bundle;
mod checkpoint;
mod deadline;
mod edge;
mod entry;
mod faults;
mod follow;
mod frontier;
mod hash;
mod key;
mod position;
mod proof;
mod signed_tiles;
mod source;
mod tile;
mod writer;

pub use ahead::{Ahead, files_since};
pub use append::{append_to, begin_log};
pub use audit::{AuditReport, Problem, audit};
pub use bundle::{BundleError, EntryReader, MAX_ENTRY, parse_bundle};
pub use checkpoint::{CheckedCheckpoint, Checkpoint, CheckpointError, MAX_CHECKPOINT, Snapshot, Stamp};
pub use entry::read_entry;
pub use faults::{Faults, NoFaults, POINTS};
pub use follow::{EntrySink, FollowError, Follower, SinkError, Update, follow};
pub use frontier::{Frontier, FrontierError};
pub use hash::{Hash, HashError};
pub use key::{KeyError, Origin, Signers, SigningKey, TrustedKeys, VerifyingKey};
pub use position::{Position, PositionError, Prefix};
pub use proof::{
    ConsistencyProof, InclusionProof, ProofError, leaf_hashes, prove_consistency, prove_inclusion, root_at,
};
pub use signed_tiles::TileError;
pub use source::{Distrust, FolderSource, Found, ProxyProblem, Source, SourceError};
pub use tile::{is_tile, tile_paths};
pub use writer::{LogFolder, LogWriter, WriteError};

/// The largest log this crate accepts, in entries. Far above any registry, and low enough that tile
/// and shift arithmetic on a signed but absurd size cannot overflow.
pub const MAX_SIZE: u64 = 1 << 40;
