//! Files of a log that are there before they are asked for: many read at a time, or brought along with an answer. Over a network that saves a
//! round trip each. They are believed as any other file is: not at all, until they lead to a signed root.

use std::collections::{BTreeSet, HashMap};
use std::io::{Cursor, Read};
use std::ops::Deref;

use crate::MAX_SIZE;
use crate::checkpoint::{Checkpoint, MAX_CHECKPOINT};
use crate::edge::Edge;
use crate::source::{Found, Source, SourceError};
use crate::tile::{MAX_TILE, TILE_WIDTH, TileId, TileLevel, is_tile};
use crate::writer::CHECKPOINT;

/// A log that has grown by more entries than this is followed by reading it.
const MOST_ENTRIES: u64 = 2048;

/// The most bytes that are brought along, and the most files.
const MOST_BYTES: usize = 4 << 20;
const MOST_FILES: usize = 64;

/// A source of which some files are there already.
pub struct Ahead<Under> {
    under: Under,
    /// Those that are known, and of some that they are not there.
    files: HashMap<String, Option<Vec<u8>>>,
}

impl<Under> Ahead<Under> {
    /// With a checkpoint and tiles that somebody brought along; any other file is left out.
    pub fn new(under: Under, files: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let files =
            files.into_iter().take(MOST_FILES).filter(|(path, _)| path == CHECKPOINT || is_tile(path));
        Self { under, files: files.map(|(path, bytes)| (path, Some(bytes))).collect() }
    }
}

impl<'a> Ahead<&'a dyn Source> {
    /// With the hash tiles of a log of `size` entries that have the leaves `indexes`, and all above those, read together. What could not be
    /// read is tried again by whoever needs it.
    pub(crate) fn of_leaves(under: &'a dyn Source, size: u64, indexes: &[u64]) -> Self {
        let mut tiles: BTreeSet<String> = Edge::tiles_of(size).map(|id| id.path()).collect();
        for level in 0_u8.. {
            let bits = 8 * u32::from(level);
            let hashes = size.checked_shr(bits).unwrap_or(0);
            if hashes == 0 {
                break;
            }
            let places: BTreeSet<u64> =
                indexes.iter().map(|index| index.checked_shr(bits + 8).unwrap_or(0) * TILE_WIDTH).collect();
            let there = places.into_iter().filter(|first| *first < hashes);
            let tile = |first: u64| TileId::new(TileLevel::Hashes(level), first / TILE_WIDTH, hashes - first);
            tiles.extend(there.map(|first| tile(first).path()));
        }
        let tiles: Vec<String> = tiles.into_iter().collect();
        let read = under.read_each(&tiles, MAX_TILE);
        let files = tiles.into_iter().zip(read).filter_map(|(path, read)| Some((path, read.ok()?))).collect();
        Self { under, files }
    }
}

impl<Under> Source for Ahead<Under>
where
    Under: Deref + Send + Sync,
    Under::Target: Source,
{
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        match self.files.get(path) {
            Some(Some(bytes)) if bytes.len() as u64 <= limit => Ok(Some(bytes.clone())),
            Some(None) => Ok(None),
            _ => self.under.read(path, limit),
        }
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        match self.files.get(path) {
            Some(Some(bytes)) => {
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(Some(Box::new(Cursor::new(bytes[from..].to_vec()))))
            }
            Some(None) => Ok(None),
            None => self.under.open(path, offset),
        }
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        self.under.find(path)
    }

    fn mend(&self, path: &str) -> Result<bool, SourceError> {
        self.under.mend(path)
    }

    fn describe(&self) -> String {
        self.under.describe()
    }
}

/// The files that whoever knows the first `known` entries of a log will read next: its checkpoint, the entries after those, and the hashes of
/// them. Nothing where that is too much to be brought along.
///
/// # Errors
///
/// When a file cannot be read.
pub fn files_since(source: &dyn Source, known: u64) -> Result<Vec<(String, Vec<u8>)>, SourceError> {
    let Some(note) = source.read(CHECKPOINT, MAX_CHECKPOINT)? else { return Ok(Vec::new()) };
    let size = Checkpoint::parse(&note).map_or(0, |checkpoint| checkpoint.size());
    let is_little = size <= MAX_SIZE && size.checked_sub(known).is_some_and(|new| new <= MOST_ENTRIES);
    if !is_little {
        return Ok(Vec::new());
    }
    let (mut files, mut bytes) = (vec![(CHECKPOINT.to_owned(), note)], 0);
    for tile in tiles_since(size, known) {
        let (path, limit) = match tile.level() {
            TileLevel::Entries => (tile.path(), MOST_BYTES as u64),
            TileLevel::Hashes(_) => (tile.path(), MAX_TILE),
        };
        // One that was completed since is under another name, and whoever needs it looks there.
        let Some(read) = source.read(&path, limit)? else { continue };
        bytes += read.len();
        if bytes > MOST_BYTES || files.len() == MOST_FILES {
            return Ok(Vec::new());
        }
        files.push((path, read));
    }
    Ok(files)
}

/// The tiles of a log of `size` entries that have anything of its entries from `first` on, and its right edge.
fn tiles_since(size: u64, first: u64) -> impl Iterator<Item = TileId> {
    let tiles = |level: TileLevel, first: u64, size: u64| {
        (first / TILE_WIDTH..size.div_ceil(TILE_WIDTH))
            .map(move |index| TileId::new(level, index, size - index * TILE_WIDTH))
    };
    let levels = (0_u8..).map(move |level| {
        let hashes = |entries: u64| entries.checked_shr(8 * u32::from(level)).unwrap_or(0);
        (level, hashes(first), hashes(size))
    });
    let levels = levels.take_while(|(_, _, size)| *size > 0);
    let hashes = levels.flat_map(move |(level, first, size)| {
        // The edge is needed also where nothing is new in it.
        tiles(TileLevel::Hashes(level), first.min(size.saturating_sub(1)), size)
    });
    hashes.chain(tiles(TileLevel::Entries, first, size))
}

#[cfg(test)]
mod tests {
    use super::tiles_since;

    #[test]
    fn what_follows_is_the_new_entries_and_the_edge() {
        let paths = |size, first| tiles_since(size, first).map(|id| id.path()).collect::<Vec<_>>();
        assert_eq!(paths(3, 1), ["tile/0/000.p/3", "tile/entries/000.p/3"]);
        assert_eq!(
            paths(70_000, 69_900),
            ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]
        );
        assert_eq!(paths(512, 512), ["tile/0/001", "tile/1/000.p/2"]);
    }
}
