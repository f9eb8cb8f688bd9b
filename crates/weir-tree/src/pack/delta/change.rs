//! What of two trees is the same, what is new, and what the new is likely to resemble.

use std::collections::HashSet;

use weir_model::EntryDigest;

use super::{CONTENT_BYTES, MANIFEST_BYTES};
use crate::manifest::{Entry, Mode, TreeManifest};

/// An old tree of at most so many bytes is a prefix as a whole: also what did not change resembles what is new. Of a larger one only what is
/// gone is, which keeps memory and time small.
const WHOLE_BYTES: u64 = 16 << 20;

/// How one tree differs from another: numbers of their entries, in order.
pub(super) struct Change {
    /// The files of the old tree whose contents are the prefix, each content once.
    pub(super) prefix: Vec<usize>,
    /// Bytes of it.
    pub(super) prefix_bytes: u64,
    /// The entries of the new tree whose content travels: links, and files that the old tree does not have.
    pub(super) new: Vec<usize>,
    /// Bytes of them.
    pub(super) new_bytes: u64,
}

impl Change {
    /// What changed from `base` to `next`; nothing if it is more than a delta is made of.
    pub(super) fn between(base: &TreeManifest, next: &TreeManifest) -> Option<Self> {
        if base.text_bytes().max(next.text_bytes()) > MANIFEST_BYTES {
            return None;
        }
        let (old, kept) = (contents(base), contents(next));
        let takes_all = base.unpacked_size() <= WHOLE_BYTES;
        let mut seen = HashSet::new();
        let prefix = numbers(base, |entry| {
            is_file(entry) && (takes_all || !kept.contains(&entry.digest)) && seen.insert(entry.digest)
        });
        let new = numbers(next, |entry| !is_file(entry) || !old.contains(&entry.digest));
        let (prefix_bytes, new_bytes) = (size(base, &prefix), size(next, &new));
        let fits = prefix_bytes <= CONTENT_BYTES && new_bytes <= CONTENT_BYTES;
        fits.then_some(Self { prefix, prefix_bytes, new, new_bytes })
    }
}

/// The contents of a tree's files.
fn contents(tree: &TreeManifest) -> HashSet<EntryDigest> {
    tree.entries().iter().filter(|entry| is_file(entry)).map(|entry| entry.digest).collect()
}

fn numbers(tree: &TreeManifest, mut wanted: impl FnMut(&Entry) -> bool) -> Vec<usize> {
    let entries = tree.entries().iter().enumerate();
    entries.filter(|(_, entry)| wanted(entry)).map(|(number, _)| number).collect()
}

fn size(tree: &TreeManifest, numbers: &[usize]) -> u64 {
    numbers.iter().map(|number| tree.entries()[*number].size).sum()
}

pub(super) fn is_file(entry: &Entry) -> bool {
    entry.mode != Mode::Link
}
