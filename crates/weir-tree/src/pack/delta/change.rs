//! What of two trees is the same, what is new, and what the new is likely to resemble.

use std::collections::HashSet;
use std::ops::Range;

use weir_model::EntryDigest;

use super::parts::{DeltaParts, Part};
use super::{CONTENT_BYTES, MANIFEST_BYTES};
use crate::manifest::{Entry, Mode, TreeManifest};

/// An old tree of at most so many bytes is a prefix as a whole: also what did not change resembles what is new. Of a larger one only what is
/// gone is, which keeps memory and time small.
const WHOLE_BYTES: u64 = 16 << 20;

/// How one tree differs from another. Entries are told by their numbers, in order.
pub(super) struct Change {
    /// What of the old tree is the prefix: each content once, and of one of which parts are taken what is left.
    pub(super) prefix: Vec<Similar>,
    /// Bytes of it.
    pub(super) prefix_bytes: u64,
    /// The entries of the new tree whose content travels: links, and files that the old tree does not have.
    pub(super) new: Vec<usize>,
    /// What of them does not, as the old tree has it in large files.
    pub(super) parts: DeltaParts,
    /// Bytes that travel.
    pub(super) new_bytes: u64,
}

/// What of one old file is in the prefix.
pub(super) struct Similar {
    pub(super) entry: usize,
    /// In order.
    pub(super) ranges: Vec<Range<u64>>,
}

impl Change {
    /// What changed from `base` to `next`; nothing if it is more than a delta is made of.
    pub(super) fn between(base: &TreeManifest, next: &TreeManifest, parts: DeltaParts) -> Option<Self> {
        if base.text_bytes().max(next.text_bytes()) > MANIFEST_BYTES {
            return None;
        }
        let old = contents(base);
        let new = numbers(next, |entry| !is_file(entry) || !old.contains(&entry.digest));
        let travels = |number: &usize| match parts.of(*number) {
            Some(parts) => parts.iter().map(Part::travels).sum(),
            None => next.entries()[*number].size,
        };
        let new_bytes = new.iter().map(travels).sum();
        if new_bytes > CONTENT_BYTES {
            return None;
        }
        let prefix = prefix(base, next, &parts);
        let prefix_bytes = prefix.iter().flat_map(|similar| &similar.ranges).map(length).sum();
        Some(Self { prefix, prefix_bytes, new, parts, new_bytes })
    }
}

/// The first [`CONTENT_BYTES`] of what the new contents may resemble.
fn prefix(base: &TreeManifest, next: &TreeManifest, parts: &DeltaParts) -> Vec<Similar> {
    let kept = contents(next);
    let takes_all = base.unpacked_size() <= WHOLE_BYTES;
    let mut seen = HashSet::new();
    let wanted = numbers(base, |entry| {
        is_file(entry) && (takes_all || !kept.contains(&entry.digest)) && seen.insert(entry.digest)
    });
    let mut room = CONTENT_BYTES;
    let mut prefix = Vec::new();
    for entry in wanted {
        let mut ranges = parts.left_of(entry, base.entries()[entry].size);
        for range in &mut ranges {
            range.end = range.end.min(range.start + room);
            room -= length(range);
        }
        ranges.retain(|range| !range.is_empty());
        prefix.push(Similar { entry, ranges });
    }
    prefix
}

fn length(range: &Range<u64>) -> u64 {
    range.end - range.start
}

/// The contents of a tree's files.
pub(super) fn contents(tree: &TreeManifest) -> HashSet<EntryDigest> {
    tree.entries().iter().filter(|entry| is_file(entry)).map(|entry| entry.digest).collect()
}

fn numbers(tree: &TreeManifest, mut wanted: impl FnMut(&Entry) -> bool) -> Vec<usize> {
    let entries = tree.entries().iter().enumerate();
    entries.filter(|(_, entry)| wanted(entry)).map(|(number, _)| number).collect()
}

pub(super) fn is_file(entry: &Entry) -> bool {
    entry.mode != Mode::Link
}
