//! Packs that are not kept: made again of the pack of another release and the delta from that.
//!
//! ```text
//! pack/<aa>/<tree>.made       how the pack is made again: a note, in the place of the pack
//! ```
//!
//! # Invariants
//!
//! * There is a note only beside the delta that it needs and a pack of the base that is kept whole, so nothing takes more than one delta.
//! * When the note was written, what is made again was the pack, byte for byte.
//! * Whoever takes a base out of readers' reach has the packs made whole before that need it. Which those are is not kept here: the log says which notes to
//!   look at ([`crate::made_of`]).

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};

use weir_log::{FolderSource, Source, SourceError};
use weir_model::{Digest, TreeDigest};
use weir_tree::{
    Expected, ExpectedDelta, Limits, PACK_LEVEL, PackFiles, QUICK_PACK_LEVEL, TreeError, remake_pack,
};

use super::error::ContentError;
use super::folder::ContentFolder;
use super::{Delta, delta_path, digest_of, pack_path, sharded};

/// The levels that programs of ours pack with, the usual one first. A note that says another would have its readers work for minutes.
const LEVELS: [i32; 2] = [PACK_LEVEL, QUICK_PACK_LEVEL];

/// The most bytes of a note.
const NOTE_BYTES: u64 = 256;

/// Where the note is by which the pack of `tree` is made again, below the registry.
pub fn pack_note_path(tree: &TreeDigest) -> String {
    sharded("pack", tree, ".made")
}

/// Which packs are made again of which was told here by earlier versions.
const OLD_HINTS: &str = ".compacted";

/// How a pack is made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackNote {
    /// The tree whose pack is kept, and from which there is a delta.
    pub base: TreeDigest,
    /// zstd's level.
    pub level: i32,
    /// The bytes of the pack.
    pub bytes: u64,
}

impl PackNote {
    fn to_text(self) -> String {
        format!("weir-made v1\nbase {}\nlevel {}\nbytes {}\n", self.base.to_hex(), self.level, self.bytes)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        (lines.next()? == "weir-made v1").then_some(())?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let note = Self {
            base: Digest::from_hex(field("base")?).ok()?,
            level: field("level")?.parse().ok().filter(|level| LEVELS.contains(level))?,
            bytes: field("bytes")?.parse().ok()?,
        };
        lines.next().is_none().then_some(note)
    }
}

/// Reads the note of a pack, wherever the registry is; `None` if there is none.
///
/// # Errors
///
/// When it cannot be read, or is none.
pub fn pack_note(source: &dyn Source, tree: &TreeDigest) -> Result<Option<PackNote>, ContentError> {
    let bad = || {
        let reason = "the note by which it is made again is none".into();
        ContentError::BadPack { tree: *tree, reason: TreeError::Damaged { what: "pack", reason } }
    };
    match source.read(&pack_note_path(tree), NOTE_BYTES) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => PackNote::parse(&text).map(Some).ok_or_else(bad),
        Err(SourceError::TooLarge { .. }) => Err(bad()),
        Err(error) => Err(error.into()),
    }
}

/// A pack that was made again. Not checked: the delta said what is in it, and whoever reads it checks that.
#[derive(Debug)]
pub struct RemadePack {
    /// The pack, in a file without a name, from its beginning.
    pub pack: File,
    /// Its bytes. Another version of zstd than the one that packed it may make more or fewer of them than the note says.
    pub bytes: u64,
    /// What the note says.
    pub note: PackNote,
}

impl RemadePack {
    /// The same, if it came out with as many bytes as are said of the pack of `tree`.
    ///
    /// # Errors
    ///
    /// When it did not: whoever reads it up to there would take it for damaged.
    pub fn of_size(self, tree: &TreeDigest, said: u64) -> Result<Self, ContentError> {
        match self.bytes == said {
            true => Ok(self),
            false => Err(ContentError::pack_of_other_size(tree, said, self.bytes)),
        }
    }
}

/// Makes the pack of `tree` again, wherever the registry is; `None` if it does not keep it so. What is made has at most what `limits` say.
///
/// # Errors
///
/// When something of what it takes cannot be read, is not there, or is not what it must be.
pub fn remade_pack(
    source: &dyn Source,
    tree: &TreeDigest,
    limits: &Limits,
) -> Result<Option<RemadePack>, ContentError> {
    pack_note(source, tree)?.map(|note| remade_by(source, tree, note, limits)).transpose()
}

fn remade_by(
    source: &dyn Source,
    tree: &TreeDigest,
    note: PackNote,
    limits: &Limits,
) -> Result<RemadePack, ContentError> {
    let delta = Delta { from: note.base, to: *tree };
    let base = source.open(&pack_path(&note.base), 0)?.ok_or_else(|| ContentError::no_base(&delta))?;
    let bytes = source.open(&delta_path(&delta), 0)?.ok_or_else(|| ContentError::no_delta(&delta))?;
    let (pack, bytes) = remake(base, bytes, &delta, &note, limits)?;
    Ok(RemadePack { pack, bytes, note })
}

/// Opens the pack of `tree`, however the registry keeps it; `None` if it does not. Of one that is made again it is known here already whether it has as many
/// bytes as are `said` of it; what else is in it, whoever reads it checks.
///
/// # Errors
///
/// When it cannot be read, or what it is made of is not there or not what it must be, or it comes out with other bytes.
pub fn open_kept_pack(
    source: &dyn Source,
    tree: &TreeDigest,
    said: Option<u64>,
) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
    if let Some(pack) = source.open(&pack_path(tree), 0)? {
        return Ok(Some(pack));
    }
    let Some(made) = remade_pack(source, tree, &Limits::default())? else { return Ok(None) };
    let made = match said {
        Some(said) => made.of_size(tree, said)?,
        None => made,
    };
    Ok(Some(Box::new(made.pack)))
}

fn remake(
    base: impl Read,
    bytes: impl Read,
    delta: &Delta,
    note: &PackNote,
    limits: &Limits,
) -> Result<(File, u64), ContentError> {
    let expected = Expected { tree: delta.from, pack_bytes: None };
    let mut base = PackFiles::open(base, &expected, &Limits::default())
        .map_err(|reason| ContentError::BadPack { tree: delta.from, reason })?;
    let mut pack = tempfile::tempfile()?;
    let expected = ExpectedDelta { from: delta.from, to: delta.to, most_bytes: note.bytes };
    let made = remake_pack(bytes, &mut base, &expected, limits, &mut pack, note.level)
        .map_err(|reason| ContentError::BadDelta { delta: *delta, reason })?;
    pack.rewind()?;
    Ok((pack, made.bytes))
}

impl ContentFolder {
    /// Keeps the pack of a tree, of which no other is made again, as the delta from another one, which must be there; tells the bytes of the delta. Nothing
    /// where that would not give the pack again byte for byte, or one of the packs is not kept whole.
    ///
    /// # Errors
    ///
    /// When something is not what it must be, or cannot be read or written.
    pub(super) fn compact(&self, delta: &Delta) -> Result<Option<u64>, ContentError> {
        let (Some(bytes), Some(_)) =
            (self.size_of(&pack_path(&delta.to))?, self.size_of(&pack_path(&delta.from))?)
        else {
            return Ok(None);
        };
        self.folder()?.remove_tree(OLD_HINTS)?;
        for level in LEVELS {
            let note = PackNote { base: delta.from, level, bytes };
            if !self.gives_the_pack(delta, &note)? {
                continue;
            }
            self.write_down(&pack_note_path(&delta.to), &note.to_text())?;
            self.remove(&pack_path(&delta.to))?;
            return self.size_of(&delta_path(delta));
        }
        Ok(None)
    }

    fn gives_the_pack(&self, delta: &Delta, note: &PackNote) -> Result<bool, ContentError> {
        let there = |path: &str| {
            let found = self.open_path(path)?;
            Ok::<_, ContentError>(found.map(|(file, _)| file))
        };
        let base = there(&pack_path(&delta.from))?.ok_or_else(|| ContentError::no_pack(&delta.from))?;
        let bytes = there(&delta_path(delta))?.ok_or_else(|| ContentError::no_delta(delta))?;
        let pack = there(&pack_path(&delta.to))?.ok_or_else(|| ContentError::no_pack(&delta.to))?;
        let (again, _) = remake(base, bytes, delta, note, &Limits::default())?;
        Ok(digest_of(pack)? == digest_of(again)?)
    }

    fn write_down(&self, path: &str, text: &str) -> Result<(), ContentError> {
        let object = self.writing().beside(&mut text.as_bytes(), NOTE_BYTES)?;
        let object = object.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
        Ok(self.writing().name(vec![(object, path.to_owned())])?)
    }

    /// The note by which the pack of `tree` is made again, if it is kept so. With one that is damaged the pack is not there, and can be taken in again.
    pub(super) fn note(&self, tree: &TreeDigest) -> Result<Option<PackNote>, ContentError> {
        match pack_note(&FolderSource::new(self.root()), tree) {
            Err(ContentError::BadPack { .. }) => Ok(None),
            note => note,
        }
    }

    /// The pack of `tree` from `offset`, if it is kept as a delta.
    pub(super) fn remade_at(
        &self,
        tree: &TreeDigest,
        offset: u64,
    ) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
        let Some(mut made) = remade_pack(&FolderSource::new(self.root()), tree, &Limits::default())? else {
            return Ok(None);
        };
        made.pack.seek(SeekFrom::Start(offset))?;
        Ok(Some(Box::new(made.pack)))
    }

    /// The note of `tree`, if what it takes is there: without that the pack is not there either, and can be taken in again.
    pub(super) fn note_in_force(&self, tree: &TreeDigest) -> Result<Option<PackNote>, ContentError> {
        let Some(note) = self.note(tree)? else { return Ok(None) };
        let delta = Delta { from: note.base, to: *tree };
        let is_there = |path: &str| Ok::<_, ContentError>(self.size_of(path)?.is_some());
        Ok((is_there(&pack_path(&note.base))? && is_there(&delta_path(&delta))?).then_some(note))
    }

    /// Keeps the pack of `tree` whole again, if it is kept as a delta. What does not come out as it was is not written, and the note stays and says so.
    pub(super) fn make_whole(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        let Some(note) = self.note(tree)? else { return Ok(()) };
        if self.size_of(&pack_path(tree))?.is_none() {
            let made = remade_by(&FolderSource::new(self.root()), tree, note, &Limits::default())?;
            self.put_whole(&mut made.of_size(tree, note.bytes)?.pack, tree)?;
        }
        self.forget(tree)
    }

    /// Takes out the note of `tree`. Harmless if there is none.
    pub(super) fn forget(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        self.remove(&pack_note_path(tree))
    }

    /// Takes out the note of `tree`, and the delta that it names.
    pub(super) fn forget_with_delta(&self, tree: &TreeDigest) -> Result<(), ContentError> {
        if let Some(note) = self.note(tree)? {
            self.remove(&delta_path(&Delta { from: note.base, to: *tree }))?;
        }
        self.forget(tree)
    }
}
