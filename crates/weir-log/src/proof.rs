//! Proofs about a log that fit on a page and need no log to check: that an entry is in it, and that a
//! later log continues an earlier one.
//!
//! They are made from hash tiles, each of which is checked against the signed root first.
//! An inclusion proof is written as [C2SP tlog-proof](https://c2sp.org/tlog-proof): it carries its
//! checkpoint, so it can be checked offline with nothing but the entry and the registry's key.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 73894
//! gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
//!
//! org
//! 109482
//! …
//! ```
//!
//! For consistency C2SP names no text; ours has the same shape: `weir-log-consistency v1`,
//! `old <size>`, `new <size>`, then a hash a line.

use std::fmt;
use std::str::FromStr;

use crate::ahead::Ahead;
use crate::checkpoint::{CheckedCheckpoint, Checkpoint, CheckpointError};
use crate::key::TrustedKeys;
use crate::signed_tiles::{SignedTiles, TileError};
use crate::source::Source;
use crate::{Hash, MAX_SIZE};

const INCLUSION_HEADER: &str = "c2sp.org/tlog-proof@v1";
const CONSISTENCY_HEADER: &str = "weir-log-consistency v1";

/// Hashes a proof may have; a log of [`MAX_SIZE`] entries needs 40.
const MAX_HASHES: usize = 63;

/// Why a proof could not be made or does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is nothing to prove: an entry beyond the end, or an old log larger than the new.
    #[error("a log of {size} entries has no entry {index}, and does not continue one of that size")]
    OutOfRange {
        /// The entry, or the old size.
        index: u64,
        /// Entries in the log.
        size: u64,
    },
    /// A tile is missing, cannot be read, or is not what was signed.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The text is not a proof.
    #[error("not a proof: {reason}")]
    Malformed {
        /// Which rule it breaks.
        reason: String,
    },
    /// The checkpoint in the proof is not to be believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof does not prove it.
    #[error("the proof does not hold")]
    Invalid,
}

/// Proof that a log holds an entry at an index. Carries the checkpoint it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: Checkpoint,
}

/// Proof that a log of one size is the beginning of a larger one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    old: u64,
    new: u64,
    hashes: Vec<Hash>,
}

/// Makes the proof that `log` holds its entry `index`.
pub fn prove_inclusion(
    source: &dyn Source,
    log: &CheckedCheckpoint,
    index: u64,
) -> Result<InclusionProof, ProofError> {
    if index >= log.size() {
        return Err(ProofError::OutOfRange { index, size: log.size() });
    }
    let hashes = with_tiles(source, log, |tiles| tlog_tiles::prove_record(log.size(), index, tiles))?;
    Ok(InclusionProof { index, hashes: ours(hashes), checkpoint: (**log).clone() })
}

/// The leaf hashes of the entries at `indexes`, in their order: each is proved to be in `log`, for the tiles that they are read from have
/// its signed root.
///
/// # Errors
///
/// When an index is beyond the end, or a tile is missing or not the one that was signed.
pub fn leaf_hashes(
    source: &dyn Source,
    log: &CheckedCheckpoint,
    indexes: &[u64],
) -> Result<Vec<Hash>, ProofError> {
    if let Some(index) = indexes.iter().copied().find(|index| *index >= log.size()) {
        return Err(ProofError::OutOfRange { index, size: log.size() });
    }
    if indexes.is_empty() {
        return Ok(Vec::new());
    }
    let source = &Ahead::of_leaves(source, log.size(), indexes);
    let stored: Vec<u64> = indexes.iter().map(|index| tlog_tiles::stored_hash_index(0, *index)).collect();
    Ok(ours(with_tiles(source, log, |tiles| tlog_tiles::HashReader::read_hashes(tiles, &stored))?))
}

/// Makes the proof that `log` continues the log of its first `old` entries; at least one.
pub fn prove_consistency(
    source: &dyn Source,
    log: &CheckedCheckpoint,
    old: u64,
) -> Result<ConsistencyProof, ProofError> {
    if !(1..=log.size()).contains(&old) {
        return Err(ProofError::OutOfRange { index: old, size: log.size() });
    }
    let hashes = with_tiles(source, log, |tiles| tlog_tiles::prove_tree(log.size(), old, tiles))?;
    Ok(ConsistencyProof { old, new: log.size(), hashes: ours(hashes) })
}

/// The root that `log` had when it had `size` entries, as its signed root implies it.
///
/// # Errors
///
/// When it never had so many, or a tile is missing or is not what the root says.
pub fn root_at(source: &dyn Source, log: &CheckedCheckpoint, size: u64) -> Result<Hash, ProofError> {
    match size {
        0 => Ok(Hash::EMPTY),
        _ if size > log.size() => Err(ProofError::OutOfRange { index: size, size: log.size() }),
        _ => with_tiles(source, log, |tiles| tlog_tiles::tree_hash(size, tiles)).map(Hash::from),
    }
}

impl InclusionProof {
    /// Which entry.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The hashes beside the path from the entry to the root, lowest first.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The checkpoint it is for; a parsed one is unchecked.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Checks that a log signed by one of `keys` holds `entry`. Returns the checkpoint it is in.
    pub fn check(&self, entry: &[u8], keys: &TrustedKeys) -> Result<CheckedCheckpoint, ProofError> {
        let log = Checkpoint::verify(self.checkpoint.note().as_bytes(), keys)?;
        let hashes = theirs(&self.hashes);
        let leaf = Hash::of_leaf(entry);
        tlog_tiles::check_record(&hashes, log.size(), log.root().into(), self.index, leaf.into())
            .map_err(|_| ProofError::Invalid)?;
        Ok(log)
    }
}

impl fmt::Display for InclusionProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{INCLUSION_HEADER}\nindex {}", self.index)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint.note())
    }
}

impl FromStr for InclusionProof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let (proof, note) = text.split_once("\n\n").ok_or_else(|| malformed("no checkpoint"))?;
        let mut lines = proof.split('\n').peekable();
        if lines.next() != Some(INCLUSION_HEADER) {
            return Err(malformed(format!("the first line is not `{INCLUSION_HEADER}`")));
        }
        // Opaque to us, and covered by no signature.
        lines.next_if(|line| line.starts_with("extra "));
        let index = number(lines.next(), "index")?;
        let hashes = hash_lines(lines)?;
        Ok(Self { index, hashes, checkpoint: Checkpoint::parse(note.as_bytes())? })
    }
}

impl ConsistencyProof {
    /// Entries in the earlier log.
    pub fn old(&self) -> u64 {
        self.old
    }

    /// The hashes that connect the two roots.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Checks that the log of `new` continues the log of `old`. Both must be known to be signed.
    pub fn check(&self, old: &CheckedCheckpoint, new: &CheckedCheckpoint) -> Result<(), ProofError> {
        if (old.size(), new.size()) != (self.old, self.new) || old.origin() != new.origin() {
            return Err(ProofError::Invalid);
        }
        let (old_root, new_root) = (old.root().into(), new.root().into());
        tlog_tiles::check_tree(&theirs(&self.hashes), self.new, new_root, self.old, old_root)
            .map_err(|_| ProofError::Invalid)
    }
}

impl fmt::Display for ConsistencyProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{CONSISTENCY_HEADER}\nold {}\nnew {}", self.old, self.new)?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))
    }
}

impl FromStr for ConsistencyProof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let body = text.strip_suffix('\n').ok_or_else(|| malformed("the last line is cut short"))?;
        let mut lines = body.split('\n');
        if lines.next() != Some(CONSISTENCY_HEADER) {
            return Err(malformed(format!("the first line is not `{CONSISTENCY_HEADER}`")));
        }
        let old = number(lines.next(), "old")?;
        let new = number(lines.next(), "new")?;
        Ok(Self { old, new, hashes: hash_lines(lines)? })
    }
}

fn malformed(reason: impl Into<String>) -> ProofError {
    ProofError::Malformed { reason: reason.into() }
}

fn number(line: Option<&str>, name: &str) -> Result<u64, ProofError> {
    line.and_then(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .filter(|&number| number <= MAX_SIZE)
        .ok_or_else(|| malformed(format!("no line `{name} <number>`")))
}

fn hash_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, ProofError> {
    let hashes: Result<Vec<Hash>, _> = lines.take(MAX_HASHES + 1).map(str::parse).collect();
    let hashes = hashes.map_err(|error| malformed(error.to_string()))?;
    if hashes.len() > MAX_HASHES {
        return Err(malformed(format!("more than {MAX_HASHES} hashes")));
    }
    Ok(hashes)
}

fn ours(hashes: Vec<tlog_tiles::Hash>) -> Vec<Hash> {
    hashes.into_iter().map(Hash::from).collect()
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().copied().map(tlog_tiles::Hash::from).collect()
}

/// Runs `work` with the hashes of `log`, which must not be empty.
fn with_tiles<T>(
    source: &dyn Source,
    log: &CheckedCheckpoint,
    work: impl FnOnce(&SignedTiles<'_>) -> Result<T, tlog_tiles::Error>,
) -> Result<T, ProofError> {
    let tiles = SignedTiles::new(source, log)?;
    work(&tiles).map_err(|_| tiles.into_failure().map_or(ProofError::Invalid, ProofError::Tile))
}
