//! The rules that entries must keep together to be a tree.
//!
//! Sorted by bytes, everything below one folder stands together (all of it starts with the folder's path and a
//! slash), so one pass with a stack of open folders sees every name beside its siblings. Folders are checked like
//! files: `A/x` and `a/y` would become one folder where case is ignored.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use super::{Entry, ManifestError, Mode};
use crate::path::{MAX_PATH_BYTES, folded};

/// A folder on the way to the entry at hand.
struct Folder<'a> {
    /// Its path with a slash behind it, or nothing for the root.
    prefix: &'a str,
    /// What is in it, by folded name.
    names: HashMap<Cow<'a, str>, Name<'a>>,
}

#[derive(Clone, Copy)]
struct Name<'a> {
    path: &'a str,
    is_folder: bool,
}

/// Checks everything, and gives the bytes of all files together.
pub(super) fn check(entries: &[Entry]) -> Result<u64, ManifestError> {
    let mut open = vec![Folder { prefix: "", names: HashMap::new() }];
    let mut unpacked = 0_u64;
    let mut before: Option<&Entry> = None;
    for entry in entries {
        if let Some(before) = before {
            check_order(before.path.as_str(), entry.path.as_str())?;
        }
        check_place(&mut open, entry.path.as_str())?;
        if entry.mode == Mode::Link && (entry.size == 0 || entry.size > MAX_PATH_BYTES as u64) {
            return Err(ManifestError::LinkSize { path: entry.path.to_string(), size: entry.size });
        }
        unpacked = unpacked.checked_add(entry.size).ok_or(ManifestError::Overflow)?;
        before = Some(entry);
    }
    Ok(unpacked)
}

fn check_order(first: &str, second: &str) -> Result<(), ManifestError> {
    match first.cmp(second) {
        std::cmp::Ordering::Less => Ok(()),
        std::cmp::Ordering::Equal => Err(ManifestError::Twice { path: first.to_owned() }),
        std::cmp::Ordering::Greater => {
            Err(ManifestError::Order { first: first.to_owned(), second: second.to_owned() })
        }
    }
}

fn check_place<'a>(open: &mut Vec<Folder<'a>>, path: &'a str) -> Result<(), ManifestError> {
    while open.last().is_some_and(|folder| !path.starts_with(folder.prefix)) {
        open.pop();
    }
    let mut start = open.last().map_or(0, |folder| folder.prefix.len());
    while let Some(length) = path[start..].find('/') {
        let end = start + length;
        add(open, &path[start..end], Name { path: &path[..end], is_folder: true }, path)?;
        open.push(Folder { prefix: &path[..=end], names: HashMap::new() });
        start = end + 1;
    }
    add(open, &path[start..], Name { path, is_folder: false }, path)
}

/// Adds a name to the innermost open folder. `entry` is the path that brought it.
fn add<'a>(open: &mut [Folder<'a>], name: &'a str, new: Name<'a>, entry: &str) -> Result<(), ManifestError> {
    let Some(folder) = open.last_mut() else { return Ok(()) };
    match folder.names.entry(folded(name)) {
        Slot::Vacant(slot) => {
            slot.insert(new);
            Ok(())
        }
        Slot::Occupied(slot) => Err(clash(*slot.get(), new, entry)),
    }
}

fn clash(old: Name<'_>, new: Name<'_>, entry: &str) -> ManifestError {
    if old.path != new.path {
        return ManifestError::Collision { first: old.path.to_owned(), second: new.path.to_owned() };
    }
    // A file sorts before what is below the same path, and one path twice is caught by the order.
    debug_assert!(!old.is_folder && new.is_folder);
    ManifestError::Below { path: entry.to_owned(), above: old.path.to_owned() }
}
