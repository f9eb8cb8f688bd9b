//! A first try at unified packages, without backtracking.
//!
//! Most requirements need no search: taking, of the packages required so far, the one with the
//! fewest releases to choose from, and of it the newest (or the locked) release, meets no conflict.
//! Of the 10,924 solvable roots of the Elm registry of 2020 that is so for 87 %, and trying it
//! first took the time for all of them from 170 to 101 ms (the bare algorithm: 118 ms). At the
//! first conflict the try is given up, and the algorithm starts afresh.
//!
//! A complete lock is met without conflict, so this keeps what it names.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use pubgrub::{Map, VersionSet as _};

use crate::catalogue::{CatalogueError, PackageId};
use crate::ranks::{Rank, RankSet};
use crate::unified::{Constraint, Selection};
use crate::view::View;
use crate::walk::Walker;

/// A package that is required.
struct Slot {
    id: PackageId,
    accepts: RankSet,
    chosen: Option<Rank>,
}

/// Packages in the order in which they were first required, and which to decide next.
#[derive(Default)]
struct Board {
    slots: Vec<Slot>,
    index: Map<PackageId, usize>,
    /// How many releases a slot has to choose from, and the slot. An entry is stale once that number has changed.
    queue: BinaryHeap<Reverse<(u32, usize)>>,
}

/// The selection, or nothing at the first conflict.
pub(crate) fn choose<V: View>(
    walker: Walker<'_, V>,
    roots: &[Constraint],
) -> Result<Option<Selection>, CatalogueError<V::Error>> {
    let mut board = Board::default();
    if !roots.iter().all(|(id, accepts)| board.require(*id, accepts)) {
        return Ok(None);
    }
    while let Some(slot) = board.next() {
        let Slot { id, accepts, .. } = &board.slots[slot];
        let id = *id;
        let Some(rank) = walker.choose_unified(id, accepts)? else { return Ok(None) };
        board.slots[slot].chosen = Some(rank);
        let mut consistent = true;
        walker.each_constraint(id, rank, |id, accepts| {
            consistent = consistent && board.require(id, accepts);
        })?;
        if !consistent {
            return Ok(None);
        }
    }
    Ok(Some(board.slots.into_iter().filter_map(|slot| Some((slot.id, slot.chosen?))).collect()))
}

impl Board {
    /// Narrows what may be chosen of a package. False if nothing is left, or if the choice already made is excluded.
    fn require(&mut self, id: PackageId, accepts: &RankSet) -> bool {
        let Some(slot) = self.index.get(&id).copied() else {
            self.queue.push(Reverse((accepts.count(), self.slots.len())));
            self.index.insert(id, self.slots.len());
            self.slots.push(Slot { id, accepts: accepts.clone(), chosen: None });
            return !accepts.is_empty();
        };
        let known = &mut self.slots[slot];
        if let Some(rank) = known.chosen {
            return accepts.contains(&rank);
        }
        if !known.accepts.subset_of(accepts) {
            known.accepts = known.accepts.intersection(accepts);
            self.queue.push(Reverse((known.accepts.count(), slot)));
        }
        !known.accepts.is_empty()
    }

    /// The undecided package with the fewest releases to choose from, the one required first among equals.
    fn next(&mut self) -> Option<usize> {
        while let Some(Reverse((count, slot))) = self.queue.pop() {
            let Slot { accepts, chosen, .. } = &self.slots[slot];
            if chosen.is_none() && accepts.count() == count {
                return Some(slot);
            }
        }
        None
    }
}
