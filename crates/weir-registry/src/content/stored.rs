//! Everything that lies in the storage, so that it can be compared with what the log names.

use std::fmt;
use std::io;

use jiff::Timestamp;
use weir_fs::{Folder, Sort};
use weir_model::{ChunkDigest, Digest, Sha256, TreeDigest};

use super::error::ContentError;
use super::folder::ContentFolder;
use super::{
    Delta, chunk_list_path, chunk_path, delta_path, file_path, held_chunk_list_path, held_file_path,
    held_path, pack_note_path, pack_path,
};
use crate::ports::Listing;
use crate::replica::snapshot_path;

/// How the names of temporary files begin: those of `weir_fs`, and others'.
const UNFINISHED: [&str; 2] = [".weir-", ".tmp"];

/// Something in the storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// A pack.
    Pack {
        /// Its tree.
        tree: TreeDigest,
        /// Its bytes.
        size: u64,
        /// Whether it is withheld.
        held: bool,
    },
    /// The note by which a pack is made again that is not kept.
    Made {
        /// Its tree.
        tree: TreeDigest,
        /// The tree whose pack it takes.
        base: TreeDigest,
        /// Bytes of the note.
        size: u64,
    },
    /// A delta between two trees.
    Delta {
        /// Which one.
        delta: Delta,
        /// Its bytes.
        size: u64,
    },
    /// A file that a reference names.
    File {
        /// Its digest.
        sha256: Sha256,
        /// Bytes of the file, or of its chunk list.
        size: u64,
        /// Whether it is kept as a list of chunks.
        chunked: bool,
        /// Whether it is withheld.
        held: bool,
    },
    /// A chunk of a file.
    Chunk {
        /// Its digest.
        digest: ChunkDigest,
        /// Its bytes.
        size: u64,
    },
    /// A snapshot of the view.
    Snapshot {
        /// Its digest.
        sha256: Sha256,
        /// Its bytes.
        size: u64,
    },
    /// Something that is being written, or was when its writer was stopped.
    Unfinished {
        /// Its path below the registry.
        path: String,
        /// Its bytes.
        size: u64,
    },
    /// Something that no writer of content puts there.
    Stray {
        /// Its path below the registry.
        path: String,
    },
}

impl Stored {
    /// Its bytes; of a stray thing nobody asked.
    pub const fn size(&self) -> u64 {
        match self {
            Self::Pack { size, .. }
            | Self::Made { size, .. }
            | Self::Delta { size, .. }
            | Self::File { size, .. }
            | Self::Chunk { size, .. }
            | Self::Snapshot { size, .. }
            | Self::Unfinished { size, .. } => *size,
            Self::Stray { .. } => 0,
        }
    }

    /// Where it is, below the registry.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Pack { tree, held: false, .. } => pack_path(tree),
            Self::Pack { tree, held: true, .. } => held_path(tree),
            Self::Made { tree, .. } => pack_note_path(tree),
            Self::Delta { delta, .. } => delta_path(delta),
            Self::File { sha256, chunked: false, held: false, .. } => file_path(sha256),
            Self::File { sha256, chunked: true, held: false, .. } => chunk_list_path(sha256),
            Self::File { sha256, chunked: false, held: true, .. } => held_file_path(sha256),
            Self::File { sha256, chunked: true, held: true, .. } => held_chunk_list_path(sha256),
            Self::Chunk { digest, .. } => chunk_path(digest),
            Self::Snapshot { sha256, .. } => snapshot_path(sha256),
            Self::Unfinished { path, .. } | Self::Stray { path } => path.clone(),
        }
    }
}

impl ContentFolder {
    /// Everything that is stored, sorted within each part. Nothing of it is opened but notes.
    pub(super) fn stored(&self) -> Result<Listing, ContentError> {
        let root = self.folder()?;
        let mut listing = Listing::default();
        for part in ["pack", ".held", "file", "chunk"] {
            match self.list_part(&root, part) {
                Ok(stored) => listing.stored.extend(stored),
                Err(ContentError::Io(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
                    listing.closed.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        list_deltas(&root, &mut listing)?;
        for entry in entries(&root, ".tmp")? {
            let path = format!(".tmp/{}", entry.name);
            listing.stored.push((Stored::Unfinished { path, size: entry.size }, entry.written));
        }
        beside_the_log(&root, &mut listing)?;
        Ok(listing)
    }

    fn list_part(&self, root: &Folder, part: &str) -> Result<Vec<(Stored, Timestamp)>, ContentError> {
        let mut stored = Vec::new();
        for shard in entries(root, part)? {
            let path = format!("{part}/{}", shard.name);
            if !shard.is_folder {
                stored.push((Stored::Stray { path }, shard.written));
                continue;
            }
            for entry in entries(root, &path)? {
                let known = match entry.is_file {
                    true => match recognised(part, &shard.name, &entry) {
                        None => self.recognised_note(part, &entry),
                        known => known,
                    },
                    false => None,
                };
                let stray = || Stored::Stray { path: format!("{path}/{}", entry.name) };
                stored.push((known.unwrap_or_else(stray), entry.written));
            }
        }
        Ok(stored)
    }

    /// The note that an entry is; one that is none is a stray thing.
    fn recognised_note(&self, part: &str, entry: &Entry) -> Option<Stored> {
        let tree = Digest::from_hex(entry.name.strip_suffix(".made")?).ok()?;
        let is_its_path = pack_note_path(&tree).ends_with(&entry.name) && part == "pack";
        let note = self.note(&tree).ok().flatten().filter(|_| is_its_path)?;
        Some(Stored::Made { tree, base: note.base, size: entry.size })
    }
}

/// Deltas lie one folder deeper than the rest: all that give one tree are together.
fn list_deltas(root: &Folder, listing: &mut Listing) -> Result<(), ContentError> {
    for shard in entries(root, "delta")? {
        let path = format!("delta/{}", shard.name);
        if !shard.is_folder {
            listing.stored.push((Stored::Stray { path }, shard.written));
            continue;
        }
        for tree in entries(root, &path)? {
            let path = format!("{path}/{}", tree.name);
            if !tree.is_folder {
                listing.stored.push((Stored::Stray { path }, tree.written));
                continue;
            }
            for entry in entries(root, &path)? {
                let path = format!("{path}/{}", entry.name);
                let digests = Digest::from_hex(&entry.name).ok().zip(Digest::from_hex(&tree.name).ok());
                let delta = digests.map(|(from, to)| Delta { from, to });
                let stored = match delta.filter(|delta| entry.is_file && delta_path(delta) == path) {
                    Some(delta) => Stored::Delta { delta, size: entry.size },
                    None => Stored::Stray { path },
                };
                listing.stored.push((stored, entry.written));
            }
        }
    }
    Ok(())
}

/// Snapshots, and what is written where it will be renamed. Whatever else a keeper may have put beside
/// the log, a page for visitors perhaps, is none of ours.
fn beside_the_log(root: &Folder, listing: &mut Listing) -> Result<(), ContentError> {
    for (folder, prefix) in [("snapshot", "snapshot/"), ("", "")] {
        for entry in entries(root, folder)?.into_iter().filter(|entry| entry.is_file) {
            let path = format!("{prefix}{}", entry.name);
            let hex = path.strip_prefix("snapshot/").and_then(|name| name.strip_suffix(".zst"));
            let stored = if UNFINISHED.iter().any(|beginning| entry.name.starts_with(beginning)) {
                Stored::Unfinished { path, size: entry.size }
            } else if let Some(sha256) = hex.and_then(|hex| Digest::from_hex(hex).ok()) {
                Stored::Snapshot { sha256, size: entry.size }
            } else {
                continue;
            };
            listing.stored.push((stored, entry.written));
        }
    }
    Ok(())
}

fn recognised(part: &str, shard: &str, entry: &Entry) -> Option<Stored> {
    let (hex, ending) = entry.name.split_at_checked(64)?;
    if !hex.starts_with(shard) || shard.len() != 2 {
        return None;
    }
    let size = entry.size;
    let pack = |held| Some(Stored::Pack { tree: Digest::from_hex(hex).ok()?, size, held });
    let file =
        |chunked, held| Some(Stored::File { sha256: Digest::from_hex(hex).ok()?, size, chunked, held });
    match (part, ending) {
        ("pack", ".zst") => pack(false),
        (".held", ".zst") => pack(true),
        ("file", "") => file(false, false),
        ("file", ".chunks") => file(true, false),
        (".held", "") => file(false, true),
        (".held", ".chunks") => file(true, true),
        ("chunk", "") => Some(Stored::Chunk { digest: Digest::from_hex(hex).ok()?, size }),
        _ => None,
    }
}

struct Entry {
    name: String,
    size: u64,
    is_file: bool,
    is_folder: bool,
    written: Timestamp,
}

/// What is in a folder of the registry, sorted; nothing if there is no such folder.
fn entries(root: &Folder, path: &str) -> Result<Vec<Entry>, ContentError> {
    let Some(folder) = root.find_folder(path)? else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    for entry in folder.entries()? {
        // Another writer may have named or removed it since it was listed.
        let Some(found) = folder.look(&entry.name)? else { continue };
        entries.push(Entry {
            name: entry.name.to_string_lossy().into_owned(),
            size: found.bytes,
            is_file: found.sort == Sort::File,
            is_folder: found.sort == Sort::Folder,
            written: written(found.modified)?,
        });
    }
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

/// When something was last written, of seconds and nanoseconds.
fn written((seconds, nanoseconds): (i64, i64)) -> Result<Timestamp, ContentError> {
    let nanoseconds = i32::try_from(nanoseconds).unwrap_or_default();
    Ok(Timestamp::new(seconds, nanoseconds).map_err(io::Error::other)?)
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pack { tree, held: false, .. } => write!(f, "the pack of the tree {tree}"),
            Self::Pack { tree, held: true, .. } => write!(f, "the withheld pack of the tree {tree}"),
            Self::Made { tree, .. } => write!(f, "the note of the pack of the tree {tree}"),
            Self::Delta { delta, .. } => {
                write!(f, "the delta to the tree {} from {}", delta.to, delta.from)
            }
            Self::File { sha256, held: false, .. } => write!(f, "the file {sha256}"),
            Self::File { sha256, held: true, .. } => write!(f, "the withheld file {sha256}"),
            Self::Chunk { digest, .. } => write!(f, "the chunk {digest}"),
            Self::Snapshot { sha256, .. } => write!(f, "the snapshot {sha256}"),
            Self::Unfinished { path, .. } => write!(f, "the unfinished `{path}`"),
            Self::Stray { path } => write!(f, "`{path}`"),
        }
    }
}
