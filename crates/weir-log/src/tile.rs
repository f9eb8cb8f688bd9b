//! Which file holds what: the coordinates of tiles and their paths.
//!
//! Level 0 lists leaf hashes, level 1 the roots of full level-0 tiles, and so on; entry bundles are cut
//! at the same places as level 0. A tile has 256 places. While it is not full it is stored under its
//! width, `.p/<W>`, so that a path's content never changes once a checkpoint covers it.
//!
//! C2SP's paths differ from Go's older `tile/8/0/…` that the `tlog_tiles` crate spells.

use std::fmt;

use crate::Hash;

/// Places in a tile.
pub(crate) const TILE_WIDTH: u64 = 256;

/// Bytes in a full hash tile.
pub(crate) const MAX_TILE: u64 = TILE_WIDTH * Hash::LEN as u64;

/// What a tile lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TileLevel {
    /// The entries themselves.
    Entries,
    /// Hashes of subtrees of 256^level entries.
    Hashes(u8),
}

/// One tile: level, number within it, and how many of its places are filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TileId {
    level: TileLevel,
    index: u64,
    width: u64,
}

impl TileId {
    /// A tile with `width` of its 256 places filled; a width out of range is brought into it.
    pub(crate) fn new(level: TileLevel, index: u64, width: u64) -> Self {
        Self { level, index, width: width.clamp(1, TILE_WIDTH) }
    }

    /// The bundle that holds entry `entry` of a log of `size` entries.
    pub(crate) fn of_entry(entry: u64, size: u64) -> Self {
        let index = entry / TILE_WIDTH;
        Self::new(TileLevel::Entries, index, size.saturating_sub(index * TILE_WIDTH))
    }

    /// What it lists.
    pub(crate) fn level(&self) -> TileLevel {
        self.level
    }

    /// Its number within its level.
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// Places filled: 1 to 256.
    pub(crate) fn width(&self) -> u64 {
        self.width
    }

    /// Whether it can grow no more.
    pub(crate) fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The same tile once it is full.
    #[must_use]
    pub(crate) fn to_full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Its path below the registry's root.
    pub(crate) fn path(&self) -> String {
        self.to_string()
    }

    /// The folder of its partial versions.
    pub(crate) fn partial_folder(&self) -> String {
        format!("{}.p", self.to_full())
    }
}

/// Whether `path` names a tile of a log, of hashes or of entries, spelled as C2SP spells it.
pub fn is_tile(path: &str) -> bool {
    parse(path).is_some_and(|tile| tile.path() == path)
}

/// The files of a log of `size` entries, below the registry: every tile of hashes, and the bundles that have an entry from `first` on. Each
/// with the path that it has once it is full: a log that has grown since may have it under that only.
pub fn tile_paths(size: u64, first: u64) -> impl Iterator<Item = (String, String)> {
    let tiles_of = |level: TileLevel, from: u64, size: u64| {
        let all = from..size.div_ceil(TILE_WIDTH);
        all.map(move |index| TileId::new(level, index, size - index * TILE_WIDTH))
    };
    let hashes = (0_u8..).map(move |level| (level, size.checked_shr(8 * u32::from(level)).unwrap_or(0)));
    let hashes = hashes.take_while(|(_, size)| *size > 0);
    let hashes = hashes.flat_map(move |(level, size)| tiles_of(TileLevel::Hashes(level), 0, size));
    let entries = tiles_of(TileLevel::Entries, first / TILE_WIDTH, size);
    hashes.chain(entries).map(|tile| (tile.path(), tile.to_full().path()))
}

/// The tile that a path may name. It takes more spellings than there are: who asks compares.
fn parse(path: &str) -> Option<TileId> {
    let (path, width) = match path.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
        None => (path, TILE_WIDTH),
    };
    let mut parts = path.strip_prefix("tile/")?.split('/');
    let level = match parts.next()? {
        "entries" => TileLevel::Entries,
        level => TileLevel::Hashes(level.parse().ok()?),
    };
    let index = parts.try_fold(0_u64, |index, part| {
        let group: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
        index.checked_mul(1000)?.checked_add(group)
    });
    Some(TileId::new(level, index?, width))
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            TileLevel::Entries => f.write_str("tile/entries/")?,
            TileLevel::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        while let Some(group) = groups.pop() {
            match groups.is_empty() {
                false => write!(f, "x{group:03}/")?,
                true => write!(f, "{group:03}")?,
            }
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Cuts the bytes of a hash tile into hashes; `None` when they are not `width` of them.
pub(crate) fn parse_hashes(bytes: &[u8], width: u64) -> Option<Vec<Hash>> {
    if bytes.len() as u64 != width * Hash::LEN as u64 {
        return None;
    }
    bytes.chunks_exact(Hash::LEN).map(|chunk| chunk.try_into().ok().map(Hash::from_bytes)).collect()
}

/// The bytes of a hash tile.
pub(crate) fn hashes_to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the C2SP text.
    #[test]
    fn paths_are_spelled_as_c2sp_spells_them() {
        let hashes = |level, index, width| TileId::new(TileLevel::Hashes(level), index, width).path();
        assert_eq!(hashes(0, 0, 256), "tile/0/000");
        assert_eq!(hashes(0, 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(hashes(1, 273, 5), "tile/1/273.p/5");
        assert_eq!(hashes(0, 1000, 1), "tile/0/x001/000.p/1");
        assert_eq!(TileId::of_entry(256, 300).path(), "tile/entries/001.p/44");
        assert_eq!(TileId::of_entry(255, 300).path(), "tile/entries/000");
        assert_eq!(TileId::of_entry(256, 300).partial_folder(), "tile/entries/001.p");
    }

    #[test]
    fn a_path_is_a_tiles_only_if_it_is_spelled_so() {
        for path in ["tile/0/000", "tile/0/x001/x234/067", "tile/1/273.p/5", "tile/entries/001.p/44"] {
            assert!(is_tile(path), "{path}");
        }
        for path in [
            "tile/0/0",
            "tile/0/x000/001",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/+01",
            "tile/64/",
            "tile",
        ] {
            assert!(!is_tile(path), "{path}");
        }
    }
}
