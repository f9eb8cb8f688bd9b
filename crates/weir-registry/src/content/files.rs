//! The files that references name: whole if small, in chunks if large.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};

use weir_model::{ChunkDigest, Hasher, Sha256};

use super::chunks::{CHUNKED_ABOVE, Chunk, ChunkList, cut};
use super::durable::Beside;
use super::error::ContentError;
use super::folder::ContentFolder;
use super::stored::Stored;
use super::verify::{digest_of, same};
use super::{chunk_list_path, chunk_path, file_path, held_chunk_list_path, held_file_path};
use crate::replica::snapshot_path;

/// The largest file that is taken in, in bytes.
pub(crate) const LARGEST_FILE: u64 = 1 << 36;

/// Chunks that are brought to the disk together: the first waits for the disk, the others hardly.
const TOGETHER: usize = 64;

impl ContentFolder {
    /// Takes in the file that `from` brings, whose digest must be `sha256`. If it is there already, served or withheld, nothing
    /// is read.
    ///
    /// # Errors
    ///
    /// When it has another digest, or cannot be read or written.
    pub(crate) fn put_file(&self, from: &mut dyn Read, sha256: &Sha256) -> Result<(), ContentError> {
        if self.has_file(sha256, Within::Reach)? || self.has_file(sha256, Within::Held)? {
            return Ok(());
        }
        // Our own copy is what is checked, before a large one is cut: a wrong file leaves no chunks behind.
        let Some(object) = self.writing().beside(from, LARGEST_FILE)? else {
            return Err(ContentError::TooLarge { sha256: *sha256, limit: LARGEST_FILE });
        };
        let (actual, size) = digest_of(object.reopened()?)?;
        same(sha256, actual)?;
        match size > CHUNKED_ABOVE {
            true => self.put_large(object.reopened()?, sha256)?,
            false => self.writing().name(vec![(object, file_path(sha256))])?,
        }
        // It may have been withheld while it was being taken in a second time.
        if self.has_file(sha256, Within::Held)? {
            self.withhold_file(sha256)?;
        }
        Ok(())
    }

    /// Whether a file was taken in and lies there.
    fn has_file(&self, sha256: &Sha256, within: Within) -> Result<bool, ContentError> {
        let there = |path: String| Ok::<_, ContentError>(self.size_of(&path)?.is_some());
        Ok(there(within.whole(sha256))? || there(within.list(sha256))?)
    }

    /// Keeps readers from a file. Of a large one that is its list; its chunks may be other files' as well.
    pub(super) fn withhold_file(&self, sha256: &Sha256) -> Result<(), ContentError> {
        if self.has_file(sha256, Within::Reach)? {
            self.ensure_held()?;
        }
        self.move_file(sha256, Within::Reach, Within::Held)
    }

    /// Gives a file back to readers.
    pub(super) fn restore_file(&self, sha256: &Sha256) -> Result<(), ContentError> {
        self.move_file(sha256, Within::Held, Within::Reach)
    }

    fn move_file(&self, sha256: &Sha256, from: Within, to: Within) -> Result<(), ContentError> {
        self.moved(&from.whole(sha256), &to.whole(sha256))?;
        self.moved(&from.list(sha256), &to.list(sha256))
    }

    /// Takes in a snapshot of the view, whose digest must be `sha256`.
    pub(crate) fn put_snapshot(&self, from: &mut dyn Read, sha256: &Sha256) -> Result<(), ContentError> {
        let Some(object) = self.writing().beside(from, LARGEST_FILE)? else {
            return Err(ContentError::TooLarge { sha256: *sha256, limit: LARGEST_FILE });
        };
        same(sha256, digest_of(object.reopened()?)?.0)?;
        Ok(self.writing().name(vec![(object, snapshot_path(sha256))])?)
    }

    /// Takes in a file as chunks and, when all of them are on the disk, their list.
    fn put_large(&self, from: File, sha256: &Sha256) -> Result<(), ContentError> {
        let _lock = self.lock(File::lock_shared)?;
        let mut hasher = Hasher::new();
        let mut size = 0_u64;
        let mut chunks: Vec<Chunk> = Vec::new();
        let mut waiting = Vec::new();
        cut(from, |chunk, bytes| -> Result<(), ContentError> {
            hasher.update(&bytes);
            size += u64::from(chunk.size);
            chunks.push(chunk);
            waiting.extend(self.new_chunk(&chunk, &bytes)?);
            if waiting.len() >= TOGETHER {
                self.writing().name(std::mem::take(&mut waiting))?;
            }
            Ok(())
        })?;
        same(sha256, hasher.finish())?;
        self.writing().name(waiting)?;

        let list = ChunkList::new(*sha256, size, chunks).to_text();
        let list = self.beside(list.as_bytes())?;
        Ok(self.writing().name(vec![(list, chunk_list_path(sha256))])?)
    }

    fn new_chunk(&self, chunk: &Chunk, bytes: &[u8]) -> Result<Option<(Beside, String)>, ContentError> {
        let path = chunk_path(&chunk.digest);
        if self.size_of(&path)? == Some(u64::from(chunk.size)) {
            return Ok(None);
        }
        Ok(Some((self.beside(bytes)?, path)))
    }

    fn beside(&self, bytes: &[u8]) -> io::Result<Beside> {
        let object = self.writing().beside(&mut &*bytes, bytes.len() as u64)?;
        object.ok_or_else(|| io::Error::other("the bytes grew while they were written"))
    }

    /// Removes the chunks that no list names, waiting until no file is being taken in. Returns how many
    /// bytes that freed.
    ///
    /// # Errors
    ///
    /// When a list cannot be read: its chunks would be lost.
    pub(crate) fn collect_chunks(&self) -> Result<u64, ContentError> {
        let _lock = self.lock(File::lock)?;
        let objects: Vec<Stored> = self.stored()?.whole()?.into_iter().map(|(stored, _)| stored).collect();
        let listed = self.listed_chunks(&objects)?;
        let mut freed = 0;
        for object in objects {
            if let Stored::Chunk { digest, size } = object
                && !listed.contains(&digest)
            {
                self.remove(&chunk_path(&digest))?;
                freed += size;
            }
        }
        Ok(freed)
    }

    /// The chunks that the lists among `objects` name.
    ///
    /// # Errors
    ///
    /// When a list cannot be read.
    pub(super) fn listed_chunks(&self, objects: &[Stored]) -> Result<HashSet<ChunkDigest>, ContentError> {
        let mut listed = HashSet::new();
        for object in objects {
            if let Stored::File { sha256, chunked: true, held, .. } = object {
                let within = if *held { Within::Held } else { Within::Reach };
                let list = self.chunk_list(sha256, within)?.ok_or_else(|| ContentError::no_file(sha256))?;
                listed.extend(list.chunks().iter().map(|chunk| chunk.digest));
            }
        }
        Ok(listed)
    }

    /// A file that is held: within readers' reach, if it is there.
    pub(super) fn kept_file(&self, sha256: &Sha256) -> Result<Option<KeptFile>, ContentError> {
        for within in [Within::Reach, Within::Held] {
            let withheld = matches!(within, Within::Held);
            let path = within.whole(sha256);
            if let Some(size) = self.size_of(&path)? {
                // No writer keeps a large one so.
                if size > CHUNKED_ABOVE {
                    return Err(ContentError::TooLarge { sha256: *sha256, limit: CHUNKED_ABOVE });
                }
                return Ok(Some(KeptFile { withheld, how: KeptAs::Whole { path, size } }));
            }
            if let Some(list) = self.chunk_list(sha256, within)? {
                return Ok(Some(KeptFile { withheld, how: KeptAs::Chunks(list) }));
            }
        }
        Ok(None)
    }

    /// The list of a large file, if it lies there.
    fn chunk_list(&self, sha256: &Sha256, within: Within) -> Result<Option<ChunkList>, ContentError> {
        let text = self.folder()?.find(within.list(sha256), ChunkList::longest(LARGEST_FILE))?;
        text.map(|text| ChunkList::parse(&text, sha256, None)).transpose()
    }

    /// Orders those who take chunks in, together, and those who collect them, alone.
    fn lock(&self, how: impl FnOnce(&File) -> io::Result<()>) -> io::Result<File> {
        let file = weir_fs::Folder::open(self.root())?.lock_file(".content.lock")?;
        how(&file)?;
        Ok(file)
    }
}

/// A file that is held.
pub(super) struct KeptFile {
    /// Whether readers are kept from it.
    pub(super) withheld: bool,
    pub(super) how: KeptAs,
}

/// As what a file is held.
pub(super) enum KeptAs {
    Whole { path: String, size: u64 },
    Chunks(ChunkList),
}

/// Where files lie.
#[derive(Clone, Copy)]
enum Within {
    /// Within readers' reach.
    Reach,
    /// Among what is withheld.
    Held,
}

impl Within {
    fn whole(self, sha256: &Sha256) -> String {
        match self {
            Self::Reach => file_path(sha256),
            Self::Held => held_file_path(sha256),
        }
    }

    fn list(self, sha256: &Sha256) -> String {
        match self {
            Self::Reach => chunk_list_path(sha256),
            Self::Held => held_chunk_list_path(sha256),
        }
    }
}
