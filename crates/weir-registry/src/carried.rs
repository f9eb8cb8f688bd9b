//! A registry's files in one file, to be carried where no network leads: its log and chosen content.
//!
//! The file is a tar archive (POSIX ustar) of files of the registry's static face, each under its path. The first entry,
//! `weir-export.json`, says of which registry it is and from which record on it has entries. Hashes of the log are there from its
//! beginning, for they prove what comes. Nothing is compressed: packs are already, and what takes no more room here than there cannot
//! fill a disk by surprise.
//!
//! Whoever unpacks one believes nothing of it: paths are those of a face and nothing else, sizes are bounded, and content is
//! what its name says. What the log says is checked by whoever follows it.

use std::collections::BTreeSet;
use std::io::{Read, Seek as _, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_fs::{Access, Durability, Folder};
use weir_log::{MAX_CHECKPOINT, MAX_ENTRY, Source, SourceError, tile_paths};
use weir_model::{ChunkDigest, Sha256, TreeDigest};
use weir_tree::{Expected, Limits, check_pack};

use crate::content::{
    CHUNK_LARGEST, CHUNKED_ABOVE, ChunkList, ContentError, LARGEST_FILE, chunk_list_path, chunk_path,
    digest_of, file_path, pack_path, remade_pack,
};
use crate::face::Face;
use crate::ports::Object;
use crate::replica::{DESCRIPTOR, MAX_DESCRIPTOR};

/// The name of the first entry.
const HEADER: &str = "weir-export.json";

/// The longest first entry that is read, in bytes.
const MAX_HEADER: u64 = 64 << 10;

/// The version of this format.
const VERSION: u32 = 1;

/// The most files that one archive has.
const MOST_FILES: usize = 20_000_000;

/// A bundle of entries is at most as long.
const MAX_BUNDLE: u64 = 256 * (MAX_ENTRY as u64 + 2);

/// The largest pack that is taken in, in bytes.
const MAX_PACK: u64 = 1 << 36;

/// What such a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Carried {
    /// The version of the format.
    pub version: u32,
    /// The registry, by its own name.
    pub registry: String,
    /// The first record that it has.
    pub since: u64,
    /// Records of the log: the number of the last, and one more.
    pub size: u64,
}

/// Why such a file was not written, or is not taken in.
#[derive(Debug, thiserror::Error)]
pub enum CarriedError {
    /// It is no such file, or a damaged one.
    #[error("it is not what `weir registry export` writes: {0}")]
    Unusable(String),
    /// It is of a newer format.
    #[error("it is of format {0}, and a newer weir is needed to read it")]
    Newer(u32),
    /// Content in it is not what its name says.
    #[error("`{path}` in it is not what its name says: {reason}")]
    WrongContent {
        /// Under which path it is there.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The registry that is written down lacks something.
    #[error("the registry has no `{path}`")]
    Missing {
        /// The path below it.
        path: String,
    },
    /// The registry cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Content of it cannot be used.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<weir_fs::FsError> for CarriedError {
    fn from(error: weir_fs::FsError) -> Self {
        Self::Io(error.into())
    }
}

/// Whether a file is one of these, or the beginning of one, by its first entry.
///
/// # Errors
///
/// When it cannot be read.
pub fn is_carried(file: &mut dyn Read) -> std::io::Result<bool> {
    let mut name = Vec::new();
    file.take(HEADER.len() as u64 + 1).read_to_end(&mut name)?;
    Ok(name.strip_prefix(HEADER.as_bytes()) == Some(&[0]))
}

/// What was written into such a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Exported {
    /// What it holds.
    #[serde(flatten)]
    pub carried: Carried,
    /// Packs and external files in it.
    pub objects: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Content that was wanted and that the registry does not have.
    pub lacking: Vec<String>,
}

/// Writes a registry whose signed checkpoint is `note`: entries from `carried.since` on, and `content`.
///
/// # Errors
///
/// When the registry lacks a file of its log, or something cannot be read or written.
pub fn write_carried(
    to: &mut dyn Write,
    source: &dyn Source,
    note: &[u8],
    carried: Carried,
    content: &BTreeSet<Object>,
) -> Result<Exported, CarriedError> {
    let mut archive = Archive { tar: tar::Builder::new(to), bytes: 0, done: BTreeSet::new() };
    let header = serde_json::to_vec_pretty(&carried).map_err(std::io::Error::other)?;
    archive.add(HEADER, &header)?;
    archive.copy(source, DESCRIPTOR, MAX_DESCRIPTOR)?;
    archive.add("checkpoint", note)?;
    for (path, full) in tile_paths(carried.size, carried.since) {
        match archive.copy(source, &path, MAX_BUNDLE) {
            // Full meanwhile, its beginning is the same.
            Err(CarriedError::Missing { .. }) if full != path => archive.copy(source, &full, MAX_BUNDLE)?,
            copied => copied?,
        }
    }
    let (mut objects, mut lacking) = (0, Vec::new());
    for object in content {
        match archive.object(source, object)? {
            true => objects += 1,
            false => lacking.push(told(object)),
        }
    }
    archive.tar.finish()?;
    let bytes = archive.bytes;
    Ok(Exported { carried, objects, bytes, lacking })
}

/// An object, in words.
fn told(object: &Object) -> String {
    match object {
        Object::Pack(tree) => format!("the pack of the tree {tree}"),
        Object::File(sha256) => format!("the file {sha256}"),
        Object::Delta(_) | Object::Snapshot(_) => "a delta or a snapshot".to_owned(),
    }
}

struct Archive<'a> {
    tar: tar::Builder<&'a mut dyn Write>,
    bytes: u64,
    done: BTreeSet<String>,
}

impl Archive<'_> {
    fn add(&mut self, path: &str, bytes: &[u8]) -> Result<(), CarriedError> {
        self.append(path, bytes.len() as u64, bytes)
    }

    fn append(&mut self, path: &str, size: u64, from: impl Read) -> Result<(), CarriedError> {
        let mut header = tar::Header::new_ustar();
        header.set_path(path)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        self.tar.append(&header, from)?;
        self.bytes += size;
        Ok(())
    }

    /// A small file of the registry, which must be there.
    fn copy(&mut self, source: &dyn Source, path: &str, limit: u64) -> Result<(), CarriedError> {
        let bytes = source.read(path, limit)?;
        let bytes = bytes.ok_or_else(|| CarriedError::Missing { path: path.to_owned() })?;
        self.add(path, &bytes)
    }

    /// A file of the registry, if it is there. How long it is has to be known before it is written.
    fn stream(&mut self, source: &dyn Source, path: String) -> Result<bool, CarriedError> {
        if self.done.contains(&path) {
            return Ok(true);
        }
        let Some(from) = source.open(&path, 0)? else { return Ok(false) };
        let mut spooled = tempfile::tempfile()?;
        let size = std::io::copy(&mut from.take(MAX_PACK), &mut spooled)?;
        spooled.rewind()?;
        self.append(&path, size, spooled)?;
        self.done.insert(path);
        Ok(true)
    }

    /// A pack that the registry makes again, whole.
    fn remade(&mut self, source: &dyn Source, tree: &TreeDigest) -> Result<bool, CarriedError> {
        let made = match remade_pack(source, tree, &Limits::default()) {
            Ok(None) | Err(ContentError::Absent { .. }) => return Ok(false),
            Ok(Some(made)) => made,
            Err(error) => return Err(error.into()),
        };
        let said = made.note.bytes;
        let made = made.of_size(tree, said)?;
        let path = pack_path(tree);
        self.append(&path, made.bytes, made.pack)?;
        self.done.insert(path);
        Ok(true)
    }

    fn object(&mut self, source: &dyn Source, object: &Object) -> Result<bool, CarriedError> {
        match object {
            Object::Pack(tree) => Ok(self.stream(source, pack_path(tree))? || self.remade(source, tree)?),
            Object::File(sha256) => {
                Ok(self.chunked(source, sha256)? || self.stream(source, file_path(sha256))?)
            }
            Object::Delta(_) | Object::Snapshot(_) => Ok(false),
        }
    }

    fn chunked(&mut self, source: &dyn Source, sha256: &Sha256) -> Result<bool, CarriedError> {
        let path = chunk_list_path(sha256);
        let Some(list) = source.read(&path, ChunkList::longest(LARGEST_FILE))? else { return Ok(false) };
        for chunk in ChunkList::parse(&list, sha256, None)?.chunks() {
            if !self.stream(source, chunk_path(&chunk.digest))? {
                return Ok(false);
            }
        }
        self.add(&path, &list)?;
        Ok(true)
    }
}

/// Unpacks such a file below `into`, which is empty; gives what it says it holds, and the paths of its files in their order. Nothing
/// of its log is believed yet.
///
/// # Errors
///
/// When it is no such file, content in it is not what it must be, or something cannot be written. What was unpacked before stays for
/// the caller to remove.
pub fn unpack_carried(from: impl Read, into: &Folder) -> Result<(Carried, Vec<String>), CarriedError> {
    let unusable = |reason: String| CarriedError::Unusable(reason);
    let damaged = |error: std::io::Error| CarriedError::Unusable(error.to_string());
    let mut archive = tar::Archive::new(from);
    let mut header: Option<Carried> = None;
    let mut paths = Vec::new();
    // Extensions of the format would let an entry have another name or length than its header says: there are none here.
    for entry in archive.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8(entry.path_bytes().into_owned())
            .map_err(|_| unusable("a name is no text".into()))?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(unusable(format!("`{path}` in it is no file")));
        }
        if header.is_none() {
            header = Some(read_header(&path, &mut entry)?);
            continue;
        }
        if paths.len() >= MOST_FILES {
            return Err(unusable(format!("it has more than {MOST_FILES} files")));
        }
        let face =
            Face::parse(&path).ok_or_else(|| unusable(format!("`{path}` is no file of a registry")))?;
        let most = most_of(face).ok_or_else(|| unusable(format!("`{path}` does not belong in it")))?;
        if entry.size() > most {
            return Err(unusable(format!("`{path}` has more than the {most} bytes that it may have")));
        }
        put(into, &path, &mut entry)?;
        check(into, &path, face)?;
        paths.push(path);
    }
    let header = header.ok_or_else(|| unusable("it is empty".into()))?;
    check_end(archive.into_inner())?;
    for needed in [DESCRIPTOR, "checkpoint"] {
        if !paths.iter().any(|path| path == needed) {
            return Err(unusable(format!("`{needed}` is not in it")));
        }
    }
    Ok((header, paths))
}

/// An archive ends with two blocks of zeros, of which the first was read: what lacks them was cut short between two files.
fn check_end(rest: impl Read) -> Result<(), CarriedError> {
    const BLOCK: usize = 512;
    let mut end = Vec::new();
    rest.take(BLOCK as u64 + 1).read_to_end(&mut end)?;
    let wrong = match end.len() {
        BLOCK if end.iter().all(|byte| *byte == 0) => return Ok(()),
        0..BLOCK => "it was cut short: it has no end",
        _ => "something follows its end",
    };
    Err(CarriedError::Unusable(wrong.into()))
}

fn read_header(path: &str, entry: &mut impl Read) -> Result<Carried, CarriedError> {
    let unusable = |reason: String| CarriedError::Unusable(reason);
    if path != HEADER {
        return Err(unusable(format!("it does not begin with `{HEADER}`")));
    }
    let mut bytes = Vec::new();
    entry.take(MAX_HEADER).read_to_end(&mut bytes).map_err(|error| unusable(error.to_string()))?;
    let header: Carried = serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
    match header.version {
        0..=VERSION => Ok(header),
        newer => Err(CarriedError::Newer(newer)),
    }
}

/// How many bytes a file may have; nothing for what is not carried.
fn most_of(face: Face) -> Option<u64> {
    match face {
        Face::Descriptor => Some(MAX_DESCRIPTOR),
        Face::Checkpoint => Some(MAX_CHECKPOINT),
        Face::Tile => Some(MAX_BUNDLE),
        Face::Pack(_) => Some(MAX_PACK),
        Face::File(_) => Some(CHUNKED_ABOVE),
        Face::ChunkList(_) => Some(ChunkList::longest(LARGEST_FILE)),
        Face::Chunk(_) => Some(CHUNK_LARGEST as u64),
        Face::PackNote(_) | Face::Delta(_) | Face::Snapshot(_) => None,
    }
}

/// Writes one file; what has its name already was in the archive twice.
fn put(into: &Folder, path: &str, from: &mut impl Read) -> Result<(), CarriedError> {
    let path_ = Path::new(path);
    let folder = match path_.parent().filter(|above| !above.as_os_str().is_empty()) {
        Some(above) => into.make_folder(above)?,
        None => into.make_folder("")?,
    };
    let mut draft = folder.draft(Access::Usual)?;
    std::io::copy(from, &mut draft)?;
    let name = path_.file_name().unwrap_or_default();
    match draft.create(name, Durability::Quick)? {
        true => Ok(()),
        false => Err(CarriedError::Unusable(format!("`{path}` is in it twice"))),
    }
}

/// Content must be what its name says; the log is checked by whoever follows it.
fn check(into: &Folder, path: &str, face: Face) -> Result<(), CarriedError> {
    let wrong = |reason: String| CarriedError::WrongContent { path: path.to_owned(), reason };
    let open = || into.open_file(path).map_err(CarriedError::from);
    match face {
        Face::Pack(tree) => {
            let expected = Expected { tree, pack_bytes: None };
            check_pack(open()?, &expected, &Limits::default()).map_err(|error| wrong(error.to_string()))?;
        }
        Face::File(sha256) if digest_of(open()?)?.0 != sha256 => {
            return Err(wrong("it has another digest".into()));
        }
        Face::Chunk(chunk) if ChunkDigest::of(into.read(path, u64::from(CHUNK_LARGEST))?) != chunk => {
            return Err(wrong("it has another digest".into()));
        }
        Face::ChunkList(sha256) => {
            let text = into.read(path, ChunkList::longest(LARGEST_FILE))?;
            ChunkList::parse(&text, &sha256, None).map_err(|error| wrong(error.to_string()))?;
        }
        _ => {}
    }
    Ok(())
}
