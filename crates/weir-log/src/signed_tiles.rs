//! Reading hash tiles that nobody has to be believed for: each is checked against the signed root.
//!
//! The unfinished tiles at the right edge must together have that root; a full tile's own root must
//! stand at its place in the tile above. Every tile on the way up is checked the same way.
//!
//! (`tlog_tiles` has such a reader. As of 0.2.0 it skips the check of a full tile whenever several
//! subtrees of the root lie in one tile, which they usually do; hence this one.)

use std::cell::RefCell;
use std::collections::HashMap;

use crate::Hash;
use crate::checkpoint::Checkpoint;
use crate::edge::Edge;
use crate::source::{Source, SourceError};
use crate::tile::{MAX_TILE, TILE_WIDTH, TileId, TileLevel, parse_hashes};

/// Levels of the tree within one tile.
const TILE_HEIGHT: u8 = 8;

/// Why a hash tile could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// It could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It does not exist.
    #[error("`{file}` is missing, and the checkpoint covers it")]
    Missing {
        /// Its path.
        file: String,
    },
    /// Its length is not that of the hashes its name says.
    #[error("`{file}` does not hold {width} hashes")]
    Malformed {
        /// Its path.
        file: String,
        /// How many it should hold.
        width: u64,
    },
    /// Its hashes do not lead to the signed root.
    #[error("the hashes in `{file}` do not have the signed root")]
    NotSigned {
        /// Its path, or those of the right edge.
        file: String,
    },
}

/// Reads one tile, unchecked. A partial one may have been cleared away since it was completed; the
/// full one begins with the same hashes.
fn read_tile(source: &dyn Source, id: TileId) -> Result<Vec<Hash>, TileError> {
    for path in [id.path(), id.to_full().path()] {
        let Some(mut bytes) = source.read(&path, MAX_TILE)? else { continue };
        if path != id.path() {
            bytes.truncate(id.width() as usize * Hash::LEN);
        }
        return parse_hashes(&bytes, id.width())
            .ok_or_else(|| TileError::Malformed { file: path, width: id.width() });
    }
    Err(TileError::Missing { file: id.path() })
}

/// Reads the unfinished tile of each level and checks that together they have the signed root.
pub(crate) fn read_edge(source: &dyn Source, log: &Checkpoint) -> Result<Edge, TileError> {
    let tiles = Edge::tiles_of(log.size()).map(|id| Ok((id, read_tile(source, id)?)));
    let edge = Edge::from_tiles(log.size(), tiles.collect::<Result<_, TileError>>()?);
    if edge.frontier().root() == log.root() {
        return Ok(edge);
    }
    let paths: Vec<String> = Edge::tiles_of(log.size()).map(|id| id.path()).collect();
    Err(TileError::NotSigned { file: paths.join("`, `") })
}

/// The hashes of a signed log, for the proofs of `tlog_tiles`.
pub(crate) struct SignedTiles<'a> {
    source: &'a dyn Source,
    size: u64,
    /// Tiles that were checked.
    known: RefCell<HashMap<TileId, Vec<Hash>>>,
    /// What went wrong: the error type of `tlog_tiles` cannot carry it.
    failure: RefCell<Option<TileError>>,
}

impl<'a> SignedTiles<'a> {
    /// Reads and checks the right edge.
    pub(crate) fn new(source: &'a dyn Source, log: &Checkpoint) -> Result<Self, TileError> {
        let edge = read_edge(source, log)?;
        let known = edge.unfinished().map(|(id, hashes)| (id, hashes.to_vec())).collect();
        Ok(Self { source, size: log.size(), known: RefCell::new(known), failure: RefCell::new(None) })
    }

    /// What made the last reading fail, if it was a tile.
    pub(crate) fn into_failure(self) -> Option<TileError> {
        self.failure.into_inner()
    }

    fn id(&self, level: u8, index: u64) -> TileId {
        let hashes_at_level = self.size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
        TileId::new(TileLevel::Hashes(level), index, hashes_at_level.saturating_sub(index * TILE_WIDTH))
    }

    /// Reads a tile, and those above it up to one that is known, and checks them from there down.
    fn learn(&self, level: u8, index: u64) -> Result<(), TileError> {
        let mut unknown = Vec::new();
        let (mut above, mut place) = (level, index);
        while !self.known.borrow().contains_key(&self.id(above, place)) {
            unknown.push((above, place));
            (above, place) = (above + 1, place / TILE_WIDTH);
        }
        while let Some((level, index)) = unknown.pop() {
            let id = self.id(level, index);
            let hashes = read_tile(self.source, id)?;
            let parent = self.id(level + 1, index / TILE_WIDTH);
            let mut known = self.known.borrow_mut();
            let signed = known.get(&parent).and_then(|hashes| hashes.get((index % TILE_WIDTH) as usize));
            if signed != Some(&Hash::of_perfect(&hashes)) {
                return Err(TileError::NotSigned { file: id.path() });
            }
            known.insert(id, hashes);
        }
        Ok(())
    }

    /// The root of the `number`th perfect subtree of 2^`level` leaves.
    fn subtree(&self, level: u8, number: u64) -> Result<Hash, TileError> {
        let (tile_level, within) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = number << within;
        let (index, place) = (first / TILE_WIDTH, (first % TILE_WIDTH) as usize);
        self.learn(tile_level, index)?;
        let id = self.id(tile_level, index);
        let known = self.known.borrow();
        known
            .get(&id)
            .and_then(|hashes| hashes.get(place..place + (1 << within)))
            .map(Hash::of_perfect)
            .ok_or_else(|| TileError::NotSigned { file: id.path() })
    }
}

impl tlog_tiles::HashReader for SignedTiles<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let hashes: Result<Vec<_>, TileError> = indexes
            .iter()
            .map(|&index| {
                let (level, number) = tlog_tiles::split_stored_hash_index(index);
                self.subtree(level, number).map(tlog_tiles::Hash::from)
            })
            .collect();
        hashes.map_err(|failure| {
            *self.failure.borrow_mut() = Some(failure);
            tlog_tiles::Error::InconsistentTile
        })
    }
}
