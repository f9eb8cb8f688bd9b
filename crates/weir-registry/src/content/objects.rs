//! A folder as one who holds objects.

use std::io::{self, Read, Seek as _, SeekFrom};

use weir_model::{ChunkDigest, Hasher, TreeDigest, of};
use weir_policy::Authorized;

use super::chunks::Chunk;
use super::error::ContentError;
use super::files::KeptAs;
use super::stored::Stored;
use super::{ContentFolder, Delta, PackNote, chunk_path, delta_folder, delta_path, held_path, pack_path};
use crate::ports::{Held, Listing, Object, Objects};
use crate::replica::snapshot_path;

impl Objects for ContentFolder {
    fn put(&self, _: &Authorized, object: Object, from: &mut dyn Read) -> Result<u64, ContentError> {
        match object {
            Object::Pack(tree) => self.put_pack(from, &tree)?,
            Object::Delta(delta) => self.put_delta(from, &delta)?,
            Object::File(sha256) => self.put_file(from, &sha256)?,
            Object::Snapshot(sha256) => self.put_snapshot(from, &sha256)?,
        }
        Ok(self.find(object)?.map(|held| held.size).unwrap_or_default())
    }

    fn find(&self, object: Object) -> Result<Option<Held>, ContentError> {
        let there = |size, withheld| Held { size, withheld, made_of: None };
        let made = |note: PackNote| Held { made_of: Some(note.base), ..there(note.bytes, false) };
        Ok(match object {
            Object::Pack(tree) => match self.size_of(&pack_path(&tree))? {
                Some(size) => Some(there(size, false)),
                None => match self.size_of(&held_path(&tree))? {
                    Some(size) => Some(there(size, true)),
                    None => self.note_in_force(&tree)?.map(made),
                },
            },
            Object::Delta(delta) => self.size_of(&delta_path(&delta))?.map(|size| there(size, false)),
            Object::Snapshot(sha256) => self.size_of(&snapshot_path(&sha256))?.map(|size| there(size, false)),
            Object::File(sha256) => self.kept_file(&sha256)?.map(|kept| match kept.how {
                KeptAs::Whole { size, .. } => there(size, kept.withheld),
                KeptAs::Chunks(list) => there(list.size(), kept.withheld),
            }),
        })
    }

    fn open(&self, object: Object, offset: u64) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
        match object {
            Object::Pack(tree) => match self.open_at(&pack_path(&tree), offset)? {
                None => match self.open_at(&held_path(&tree), offset)? {
                    None => self.remade_at(&tree, offset),
                    withheld => Ok(withheld),
                },
                served => Ok(served),
            },
            Object::Delta(delta) => self.open_at(&delta_path(&delta), offset),
            Object::Snapshot(sha256) => self.open_at(&snapshot_path(&sha256), offset),
            Object::File(sha256) => match self.kept_file(&sha256)?.map(|kept| kept.how) {
                None => Ok(None),
                Some(KeptAs::Whole { path, .. }) => self.open_at(&path, offset),
                Some(KeptAs::Chunks(list)) => {
                    Ok(Some(Box::new(Chunks::from(self.clone(), list.chunks(), offset))))
                }
            },
        }
    }

    fn list(&self) -> Result<Listing, ContentError> {
        self.stored()
    }

    fn parts(&self, stored: &Stored) -> Result<Vec<ChunkDigest>, ContentError> {
        Ok(self.listed_chunks(std::slice::from_ref(stored))?.into_iter().collect())
    }

    fn deltas_to(&self, tree: &TreeDigest) -> Result<usize, ContentError> {
        let folder = self.folder()?.find_folder(delta_folder(tree))?;
        Ok(folder.map(|folder| folder.entries()).transpose()?.map_or(0, |entries| entries.len()))
    }

    fn withhold(&self, _: &Authorized, object: Object) -> Result<(), ContentError> {
        match object {
            Object::Pack(tree) => self.withhold_pack(&tree),
            Object::File(sha256) => self.withhold_file(&sha256),
            Object::Delta(_) | Object::Snapshot(_) => Ok(()),
        }
    }

    fn restore(&self, _: &Authorized, object: Object) -> Result<(), ContentError> {
        match object {
            Object::Pack(tree) => self.restore_pack(&tree),
            Object::File(sha256) => self.restore_file(&sha256),
            Object::Delta(_) | Object::Snapshot(_) => Ok(()),
        }
    }

    fn compact(&self, _: &Authorized, delta: &Delta) -> Result<Option<u64>, ContentError> {
        ContentFolder::compact(self, delta)
    }

    fn make_whole(&self, _: &Authorized, tree: &TreeDigest) -> Result<(), ContentError> {
        ContentFolder::make_whole(self, tree)
    }

    fn remove(&self, _: &Authorized, stored: &Stored) -> Result<(), ContentError> {
        // However it is kept.
        if let Stored::Pack { tree, held: false, .. } = stored {
            self.forget_with_delta(tree)?;
        }
        ContentFolder::remove(self, &stored.path())
    }

    fn remove_parts(&self, _: &Authorized) -> Result<(), ContentError> {
        self.collect_chunks().map(drop)
    }
}

impl ContentFolder {
    fn open_at(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
        let Some((mut file, _)) = self.open_path(path)? else { return Ok(None) };
        file.seek(SeekFrom::Start(offset))?;
        Ok(Some(Box::new(file)))
    }
}

/// A large file, chunk after chunk: each is opened when its turn comes, and checked when it was read whole.
struct Chunks {
    content: ContentFolder,
    left: std::vec::IntoIter<Chunk>,
    now: Option<Now>,
    /// How many bytes of the next chunk are passed over.
    passed: u64,
}

/// The chunk that is being read.
struct Now {
    chunk: Chunk,
    bytes: io::Take<fs_err::File>,
    /// What was seen of it, unless it is not read from its beginning.
    hasher: Option<Hasher<of::Chunk>>,
}

impl Chunks {
    fn from(content: ContentFolder, chunks: &[Chunk], offset: u64) -> Self {
        let ends_before = |chunk: &&Chunk| chunk.offset + u64::from(chunk.size) <= offset;
        let left: Vec<Chunk> = chunks.iter().skip_while(ends_before).copied().collect();
        let passed = left.first().map_or(0, |first| offset.saturating_sub(first.offset));
        Self { content, left: left.into_iter(), now: None, passed }
    }

    fn begin(&mut self, chunk: Chunk) -> Result<Now, ContentError> {
        let opened = self.content.open_path(&chunk_path(&chunk.digest))?;
        let (mut file, actual) = opened.ok_or_else(|| ContentError::no_chunk(&chunk.digest))?;
        let expected = u64::from(chunk.size);
        if actual != expected {
            return Err(ContentError::BadChunkSize { chunk: chunk.digest, expected, actual });
        }
        let passed = std::mem::take(&mut self.passed);
        file.seek(SeekFrom::Start(passed))?;
        let hasher = (passed == 0).then(Hasher::new);
        Ok(Now { chunk, bytes: file.take(expected - passed), hasher })
    }
}

impl Now {
    fn check(self) -> Result<(), ContentError> {
        let expected = self.chunk.digest;
        match self.hasher.map(Hasher::finish).filter(|actual| *actual != expected) {
            Some(actual) => Err(ContentError::BadChunk { expected, actual }),
            None => Ok(()),
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(now) = &mut self.now {
                let read = now.bytes.read(buffer)?;
                if read > 0 {
                    if let Some(hasher) = &mut now.hasher {
                        hasher.update(&buffer[..read]);
                    }
                    return Ok(read);
                }
                self.now.take().map_or(Ok(()), Now::check).map_err(io::Error::other)?;
            }
            let Some(chunk) = self.left.next() else { return Ok(0) };
            self.now = Some(self.begin(chunk).map_err(io::Error::other)?);
        }
    }
}
