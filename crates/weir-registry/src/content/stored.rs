//! Everything that lies in the storage, so that it can be compared with what the log names.

use std::fmt;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use weir_model::{ChunkDigest, Digest, Sha256, TreeDigest};

use super::error::ContentError;
use super::folder::{ContentFolder, remove};
use super::{chunk_list_path, chunk_path, file_path, held_path, pack_path};
use crate::replica::snapshot_path;

/// How the names of temporary files begin.
const UNFINISHED: &str = ".tmp";

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
    /// A file that a reference names.
    File {
        /// Its digest.
        sha256: Sha256,
        /// Bytes of the file, or of its chunk list.
        size: u64,
        /// Whether it is kept as a list of chunks.
        chunked: bool,
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
            | Self::File { size, .. }
            | Self::Chunk { size, .. }
            | Self::Snapshot { size, .. }
            | Self::Unfinished { size, .. } => *size,
            Self::Stray { .. } => 0,
        }
    }

    /// Where it is, below the registry.
    fn path(&self) -> String {
        match self {
            Self::Pack { tree, held: false, .. } => pack_path(tree),
            Self::Pack { tree, held: true, .. } => held_path(tree),
            Self::File { sha256, chunked: false, .. } => file_path(sha256),
            Self::File { sha256, chunked: true, .. } => chunk_list_path(sha256),
            Self::Chunk { digest, .. } => chunk_path(digest),
            Self::Snapshot { sha256, .. } => snapshot_path(sha256),
            Self::Unfinished { path, .. } | Self::Stray { path } => path.clone(),
        }
    }
}

impl ContentFolder {
    /// When something was last written; nothing if it is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be looked at.
    pub fn modified(&self, stored: &Stored) -> Result<Option<Timestamp>, ContentError> {
        let modified = match fs_err::symlink_metadata(self.at(&stored.path())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            metadata => metadata?.modified()?,
        };
        Ok(Some(Timestamp::try_from(modified).map_err(io::Error::other)?))
    }

    /// Takes something out for good. Harmless when it is not there.
    ///
    /// # Errors
    ///
    /// When it cannot be removed.
    pub(crate) fn remove_stored(&self, stored: &Stored) -> Result<(), ContentError> {
        Ok(remove(&self.at(&stored.path()))?)
    }

    /// Everything that is stored, sorted within each part. Nothing of it is opened.
    ///
    /// # Errors
    ///
    /// When a folder cannot be listed.
    pub fn objects(&self) -> Result<Vec<Stored>, ContentError> {
        let (objects, closed) = self.objects_in_reach()?;
        closed.into_iter().next().map_or(Ok(objects), |closed| Err(closed.into()))
    }

    /// As [`objects`](Self::objects), but without those in folders that are closed to whoever asks, and which
    /// folders those are.
    ///
    /// # Errors
    ///
    /// When a folder cannot be listed for another reason.
    pub fn objects_in_reach(&self) -> Result<(Vec<Stored>, Vec<io::Error>), ContentError> {
        let mut objects = Vec::new();
        let mut closed = Vec::new();
        for part in ["pack", ".held", "file", "chunk"] {
            match self.part(part) {
                Ok(stored) => objects.extend(stored),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => closed.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        for entry in entries(&self.at(".tmp"))? {
            let path = format!(".tmp/{}", entry.name);
            objects.push(Stored::Unfinished { path, size: entry.size });
        }
        self.beside_the_log(&mut objects)?;
        Ok((objects, closed))
    }

    fn part(&self, part: &str) -> io::Result<Vec<Stored>> {
        let mut objects = Vec::new();
        for shard in entries(&self.at(part))? {
            self.shard(part, &shard, &mut objects)?;
        }
        Ok(objects)
    }

    /// Snapshots, and what is written where it will be renamed. Whatever else a keeper may have put beside
    /// the log, a page for visitors perhaps, is none of ours.
    fn beside_the_log(&self, objects: &mut Vec<Stored>) -> Result<(), ContentError> {
        for (folder, prefix) in [("snapshot", "snapshot/"), (".", "")] {
            for entry in entries(&self.at(folder))?.into_iter().filter(|entry| entry.is_file) {
                let path = format!("{prefix}{}", entry.name);
                let hex = path.strip_prefix("snapshot/").and_then(|name| name.strip_suffix(".zst"));
                if entry.name.starts_with(UNFINISHED) {
                    objects.push(Stored::Unfinished { path, size: entry.size });
                } else if let Some(sha256) = hex.and_then(|hex| Digest::from_hex(hex).ok()) {
                    objects.push(Stored::Snapshot { sha256, size: entry.size });
                }
            }
        }
        Ok(())
    }

    fn shard(&self, part: &str, shard: &Entry, objects: &mut Vec<Stored>) -> io::Result<()> {
        let path = format!("{part}/{}", shard.name);
        if shard.is_file {
            objects.push(Stored::Stray { path });
            return Ok(());
        }
        for entry in entries(&self.at(&path))? {
            let known = entry.is_file.then(|| recognised(part, &shard.name, &entry)).flatten();
            let stray = || Stored::Stray { path: format!("{path}/{}", entry.name) };
            objects.push(known.unwrap_or_else(stray));
        }
        Ok(())
    }
}

fn recognised(part: &str, shard: &str, entry: &Entry) -> Option<Stored> {
    let (hex, ending) = entry.name.split_at_checked(64)?;
    if !hex.starts_with(shard) || shard.len() != 2 {
        return None;
    }
    let size = entry.size;
    let pack = |held| Some(Stored::Pack { tree: Digest::from_hex(hex).ok()?, size, held });
    let file = |chunked| Some(Stored::File { sha256: Digest::from_hex(hex).ok()?, size, chunked });
    match (part, ending) {
        ("pack", ".zst") => pack(false),
        (".held", ".zst") => pack(true),
        ("file", "") => file(false),
        ("file", ".chunks") => file(true),
        ("chunk", "") => Some(Stored::Chunk { digest: Digest::from_hex(hex).ok()?, size }),
        _ => None,
    }
}

struct Entry {
    name: String,
    size: u64,
    is_file: bool,
}

/// What is in `folder`, sorted; nothing if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let listed = match fs_err::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut entries = Vec::new();
    for entry in listed {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.metadata() {
            // Another writer named or removed it since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            metadata => {
                let metadata = metadata?;
                entries.push(Entry { name, size: metadata.len(), is_file: !metadata.is_dir() });
            }
        }
    }
    entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(entries)
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pack { tree, held: false, .. } => write!(f, "the pack of the tree {tree}"),
            Self::Pack { tree, held: true, .. } => write!(f, "the withheld pack of the tree {tree}"),
            Self::File { sha256, .. } => write!(f, "the file {sha256}"),
            Self::Chunk { digest, .. } => write!(f, "the chunk {digest}"),
            Self::Snapshot { sha256, .. } => write!(f, "the snapshot {sha256}"),
            Self::Unfinished { path, .. } => write!(f, "the unfinished `{path}`"),
            Self::Stray { path } => write!(f, "`{path}`"),
        }
    }
}
