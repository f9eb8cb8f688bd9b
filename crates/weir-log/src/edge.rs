//! The right edge of the tree: the hashes of the one unfinished tile at each level.
//!
//! Appending needs nothing else, so its cost is that of the batch and not of the log. Each full tile is
//! handed out as it fills, and its root becomes the next hash of the tile above.

use crate::tile::{TILE_WIDTH, TileId, TileLevel};
use crate::{Frontier, Hash};

/// The unfinished tile of each level, level 0 first. Each holds fewer than 256 hashes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The places of the unfinished tiles of a tree of `size`; levels whose last tile is full have none.
    pub(crate) fn tiles_of(size: u64) -> impl Iterator<Item = TileId> {
        let mut level = 0_u8;
        let mut hashes = size;
        std::iter::from_fn(move || {
            let here = (hashes > 0).then_some((
                TileLevel::Hashes(level),
                hashes / TILE_WIDTH,
                hashes % TILE_WIDTH,
            ))?;
            hashes /= TILE_WIDTH;
            level += 1;
            Some(here)
        })
        .filter(|&(_, _, width)| width > 0)
        .map(|(level, index, width)| TileId::new(level, index, width))
    }

    /// Takes up the edge of a tree of `size` from its unfinished tiles, as [`Edge::tiles_of`] lists them.
    pub(crate) fn from_tiles(size: u64, tiles: Vec<(TileId, Vec<Hash>)>) -> Self {
        let mut edge = Self { size, levels: Vec::new() };
        for (id, hashes) in tiles {
            let TileLevel::Hashes(level) = id.level() else { continue };
            edge.level(level).extend(hashes);
        }
        edge
    }

    /// Entries in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf and hands each tile that this fills to `full`.
    pub(crate) fn push<E>(
        &mut self,
        leaf: Hash,
        mut full: impl FnMut(TileId, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.size += 1;
        let mut hash = leaf;
        let mut hashes_here = self.size;
        for level in 0.. {
            let tile = self.level(level);
            tile.push(hash);
            if (tile.len() as u64) < TILE_WIDTH {
                break;
            }
            let filled = std::mem::take(tile);
            let id = TileId::new(TileLevel::Hashes(level), hashes_here / TILE_WIDTH - 1, TILE_WIDTH);
            full(id, &filled)?;
            hash = Hash::of_perfect(&filled);
            hashes_here /= TILE_WIDTH;
        }
        Ok(())
    }

    /// The unfinished tiles.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = (TileId, &[Hash])> {
        Self::tiles_of(self.size).filter_map(|id| match id.level() {
            TileLevel::Hashes(level) => Some((id, self.levels.get(usize::from(level))?.as_slice())),
            TileLevel::Entries => None,
        })
    }

    /// The frontier of the same tree: each level's hashes, cut into perfect subtrees.
    pub(crate) fn frontier(&self) -> Frontier {
        let mut subtrees = Vec::new();
        for tile in self.levels.iter().rev() {
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let (perfect, after) = rest.split_at(1 << rest.len().ilog2());
                subtrees.push(Hash::of_perfect(perfect));
                rest = after;
            }
        }
        Frontier::from_parts(self.size, subtrees).expect("an edge's tiles are as wide as its size says")
    }

    fn level(&mut self, level: u8) -> &mut Vec<Hash> {
        let level = usize::from(level);
        if self.levels.len() <= level {
            self.levels.resize_with(level + 1, Vec::new);
        }
        &mut self.levels[level]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    #[test]
    fn its_frontier_is_the_one_made_leaf_by_leaf_also_across_levels() {
        let mut edge = Edge::default();
        let mut frontier = Frontier::new();
        let mut filled = Vec::new();
        for index in 0..70_000_u64 {
            let leaf = Hash::of_leaf(&index.to_le_bytes());
            frontier.push(leaf);
            edge.push(leaf, |id, _| {
                filled.push(id.path());
                Ok::<(), Infallible>(())
            })
            .unwrap();
            if index % 997 == 0 || index > 65_500 && index < 65_600 {
                assert_eq!(edge.frontier(), frontier);
                let tiles = edge.unfinished().map(|(id, hashes)| (id, hashes.to_vec())).collect();
                assert_eq!(Edge::from_tiles(edge.size(), tiles).frontier(), frontier);
            }
        }
        assert_eq!(&filled[..2], ["tile/0/000", "tile/0/001"]);
        assert_eq!(filled.iter().filter(|path| path.starts_with("tile/1/")).count(), 1);
        let unfinished: Vec<String> = edge.unfinished().map(|(id, _)| id.path()).collect();
        assert_eq!(unfinished, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }
}
