//! What can still be read of a lockfile that cannot be read as one.
//!
//! A merge leaves marks in it, a disk that is full cuts it short, a newer program writes what this one does not know. None of
//! that may cost the choices that were written down: they are preferred when the lockfile is made anew, so whatever reads
//! as the table of a release is kept, from both sides of a conflict. Nothing here is believed: it is a wish to the resolver.

use std::collections::HashSet;

use serde::Deserialize;
use toml_edit::{DocumentMut, TableLike};

use super::{
    LOCKFILE_VERSION, LockedReference, LockedRelease, Lockfile, MAX_BYTES, ReleaseText, has_too_many_tables,
};
use crate::ReleaseId;

/// What says which release it is, and where from: enough to prefer it.
const ESSENTIAL: [&str; 7] = ["name", "version", "platform", "revision", "kind", "registry", "dependencies"];

/// The side of a conflict that a line belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Ours,
    /// What both came from, which `merge.conflictStyle = diff3` shows too.
    Base,
    Theirs,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    direct: Vec<ReleaseText>,
}

#[derive(Deserialize)]
struct Releases {
    release: Vec<LockedRelease>,
}

#[derive(Deserialize)]
struct References {
    reference: Vec<LockedReference>,
}

/// What was found before.
#[derive(Default)]
struct Known {
    releases: HashSet<ReleaseId>,
    references: HashSet<String>,
    direct: HashSet<ReleaseId>,
}

impl Lockfile {
    /// What can be read of a text that does not parse: releases and references, without any promise that they are complete
    /// or fit together. Of two tables for one release, or one reference, the first counts.
    pub fn remains(text: &str) -> Self {
        let mut remains = Self {
            version: LOCKFILE_VERSION,
            direct: Vec::new(),
            releases: Vec::new(),
            references: Vec::new(),
        };
        if text.len() > MAX_BYTES || has_too_many_tables(text) {
            return remains;
        }
        let (ours, theirs) = sides(text);
        let mut known = Known::default();
        remains.gather(&ours, &mut known);
        if theirs != ours {
            remains.gather(&theirs, &mut known);
        }
        remains
    }

    fn gather(&mut self, text: &str, known: &mut Known) {
        for table in tables(text) {
            if table.starts_with("[[release]]") {
                for release in releases(table) {
                    if known.releases.insert(release.id()) {
                        self.releases.push(release);
                    }
                }
            } else if table.starts_with("[[reference]]") {
                let found = toml_edit::de::from_str::<References>(table).map(|read| read.reference);
                for reference in found.unwrap_or_default() {
                    if known.references.insert(reference.name.clone()) {
                        self.references.push(reference);
                    }
                }
            } else if let Ok(head) = toml_edit::de::from_str::<Head>(table) {
                self.direct
                    .extend(head.direct.into_iter().filter(|direct| known.direct.insert(direct.0.clone())));
            }
        }
    }
}

/// The two texts that a text with conflicts was made of; twice the same where it has none.
fn sides(text: &str) -> (String, String) {
    let (mut ours, mut theirs) = (String::new(), String::new());
    let mut side = Side::Both;
    for line in text.split_inclusive('\n') {
        let next = match line.as_bytes() {
            [b'<', b'<', b'<', b'<', b'<', b'<', b'<', ..] => Some(Side::Ours),
            [b'|', b'|', b'|', b'|', b'|', b'|', b'|', ..] => Some(Side::Base),
            [b'=', b'=', b'=', b'=', b'=', b'=', b'=', ..] => Some(Side::Theirs),
            [b'>', b'>', b'>', b'>', b'>', b'>', b'>', ..] => Some(Side::Both),
            _ => None,
        };
        if let Some(next) = next {
            side = next;
            continue;
        }
        if matches!(side, Side::Both | Side::Ours) {
            ours.push_str(line);
        }
        if matches!(side, Side::Both | Side::Theirs) {
            theirs.push_str(line);
        }
    }
    (ours, theirs)
}

/// The text cut before every `[[…]]`, so that what is wrong with one table leaves the others whole.
fn tables(text: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("[[") && at > 0 {
            starts.push(at);
        }
        at += line.len();
    }
    starts.push(text.len());
    (1..starts.len()).map(move |end| &text[starts[end - 1]..starts[end]])
}

/// The release of a table: as it is, or what is essential of it where the rest is not understood.
fn releases(table: &str) -> Vec<LockedRelease> {
    if let Ok(read) = toml_edit::de::from_str::<Releases>(table) {
        return read.release;
    }
    let Some(lines) = longest_readable(table) else { return Vec::new() };
    let Ok(mut document) = lines.parse::<DocumentMut>() else { return Vec::new() };
    if let Some(tables) = document.get_mut("release").and_then(|item| item.as_array_of_tables_mut()) {
        for table in tables.iter_mut() {
            let unknown: Vec<String> = TableLike::iter(table)
                .map(|(key, _)| key.to_owned())
                .filter(|key| !ESSENTIAL.contains(&key.as_str()))
                .collect();
            unknown.iter().for_each(|key| drop(table.remove(key)));
        }
    }
    toml_edit::de::from_str::<Releases>(&document.to_string()).map(|read| read.release).unwrap_or_default()
}

/// The whole table if it is TOML, or as many of its first lines as are: one that was cut ends anywhere, and what is essential
/// stands first.
fn longest_readable(table: &str) -> Option<&str> {
    const MOST_LINES: usize = 24;
    let is_toml = |text: &str| text.parse::<DocumentMut>().is_ok();
    if is_toml(table) {
        return Some(table);
    }
    let ends: Vec<usize> = table.match_indices('\n').map(|(at, _)| at + 1).take(MOST_LINES).collect();
    ends.iter().rev().map(|&end| &table[..end]).find(|lines| is_toml(lines))
}
