//! The files that references name: whole if small, in chunks if large.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};

use weir_model::{ChunkDigest, Digest, Hasher, Observer, Sha256, Unobserved};
use weir_tree::{Handled, Watched};

use super::chunks::{CHUNKED_ABOVE, Chunk, ChunkList, cut};
use super::durable::Beside;
use super::error::ContentError;
use super::folder::{ContentFolder, remove, size_of};
use super::stored::Stored;
use super::{chunk_list_path, chunk_path, file_path};
use crate::replica::snapshot_path;

/// The largest file that is taken in, in bytes.
pub(crate) const LARGEST_FILE: u64 = 1 << 36;

/// Chunks that are brought to the disk together: the first waits for the disk, the others hardly.
const TOGETHER: usize = 64;

impl ContentFolder {
    /// Whether the file `sha256` was taken in.
    pub fn has_file(&self, sha256: &Sha256) -> bool {
        [file_path(sha256), chunk_list_path(sha256)].iter().any(|path| size_of(&self.at(path)).is_some())
    }

    /// Takes in the file that `from` brings, whose digest must be `sha256`. If it is there already, nothing is read.
    ///
    /// # Errors
    ///
    /// When it has another digest, or cannot be read or written.
    pub(crate) fn put_file(&self, from: &mut dyn Read, sha256: &Sha256) -> Result<(), ContentError> {
        if self.has_file(sha256) {
            return Ok(());
        }
        // Our own copy is what is checked, before a large one is cut: a wrong file leaves no chunks behind.
        let Some(object) = self.writing().beside(from, LARGEST_FILE)? else {
            return Err(ContentError::TooLarge { sha256: *sha256, limit: LARGEST_FILE });
        };
        let (actual, size) = digest_of(object.reopened()?)?;
        same(sha256, actual)?;
        if size > CHUNKED_ABOVE {
            return self.put_large(object.reopened()?, sha256);
        }
        Ok(self.writing().name(vec![(object, file_path(sha256))])?)
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

    fn new_chunk(&self, chunk: &Chunk, bytes: &[u8]) -> io::Result<Option<(Beside, String)>> {
        let path = chunk_path(&chunk.digest);
        if size_of(&self.at(&path)) == Some(u64::from(chunk.size)) {
            return Ok(None);
        }
        Ok(Some((self.beside(bytes)?, path)))
    }

    fn beside(&self, bytes: &[u8]) -> io::Result<Beside> {
        let object = self.writing().beside(&mut &*bytes, bytes.len() as u64)?;
        object.ok_or_else(|| io::Error::other("the bytes grew while they were written"))
    }

    /// Reads the file `sha256`, and every chunk of it, and checks all of it. Returns its bytes.
    ///
    /// # Errors
    ///
    /// When something of it is missing or has other bytes.
    pub fn verify_file(&self, sha256: &Sha256) -> Result<u64, ContentError> {
        self.verify_file_observed(sha256, &Unobserved)
    }

    /// The same, telling `observer` of what was read.
    ///
    /// # Errors
    ///
    /// Those of [`ContentFolder::verify_file`].
    pub fn verify_file_observed(
        &self,
        sha256: &Sha256,
        observer: &dyn Observer<Handled>,
    ) -> Result<u64, ContentError> {
        if let Some(file) = self.open_path(&file_path(sha256))? {
            let (actual, size) = digest_of(Watched::new(file, observer))?;
            same(sha256, actual)?;
            return Ok(size);
        }
        let list = self.chunk_list(sha256)?.ok_or_else(|| ContentError::no_file(sha256))?;
        let mut whole = Hasher::new();
        for chunk in list.chunks() {
            let file = self.open_path(&chunk_path(&chunk.digest))?;
            let file = file.ok_or_else(|| ContentError::no_chunk(&chunk.digest))?;
            let mut bytes = Vec::with_capacity(chunk.size as usize);
            let file = Watched::new(file, observer);
            file.take(u64::from(chunk.size) + 1).read_to_end(&mut bytes)?;
            let actual = Digest::of(&bytes);
            if actual != chunk.digest {
                return Err(ContentError::BadChunk { expected: chunk.digest, actual });
            }
            whole.update(&bytes);
        }
        same(sha256, whole.finish())?;
        Ok(list.size())
    }

    /// Removes the chunks that no list names, waiting until no file is being taken in. Returns how many
    /// bytes that freed.
    ///
    /// # Errors
    ///
    /// When a list cannot be read: its chunks would be lost.
    pub(crate) fn collect_chunks(&self) -> Result<u64, ContentError> {
        let _lock = self.lock(File::lock)?;
        let objects = self.objects()?;
        let listed = self.listed_chunks(&objects)?;
        let mut freed = 0;
        for object in objects {
            if let Stored::Chunk { digest, size } = object
                && !listed.contains(&digest)
            {
                remove(&self.at(&chunk_path(&digest)))?;
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
    pub fn listed_chunks(&self, objects: &[Stored]) -> Result<HashSet<ChunkDigest>, ContentError> {
        let mut listed = HashSet::new();
        for object in objects {
            if let Stored::File { sha256, chunked: true, .. } = object {
                let list = self.chunk_list(sha256)?.ok_or_else(|| ContentError::no_file(sha256))?;
                listed.extend(list.chunks().iter().map(|chunk| chunk.digest));
            }
        }
        Ok(listed)
    }

    /// The list of a large file, if it is here and its size is one that a list can have.
    pub(super) fn chunk_list(&self, sha256: &Sha256) -> Result<Option<ChunkList>, ContentError> {
        let Some(mut file) = self.open_path(&chunk_list_path(sha256))? else { return Ok(None) };
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        ChunkList::parse(&text, sha256, None).map(Some)
    }

    pub(super) fn open_path(&self, path: &str) -> io::Result<Option<fs_err::File>> {
        match fs_err::File::open(self.at(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            file => file.map(Some),
        }
    }

    /// Orders those who take chunks in, together, and those who collect them, alone.
    fn lock(&self, how: impl FnOnce(&File) -> io::Result<()>) -> io::Result<File> {
        let file = weir_fs::Folder::open(self.root())?.lock_file(".content.lock")?;
        how(&file)?;
        Ok(file)
    }
}

fn same(expected: &Sha256, actual: Sha256) -> Result<(), ContentError> {
    if *expected == actual {
        return Ok(());
    }
    Err(ContentError::BadFile { expected: *expected, actual })
}

/// The digest of all that `from` brings, and how many bytes that is.
pub(crate) fn digest_of(mut from: impl Read) -> io::Result<(Sha256, u64)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 128 * 1024];
    let mut size = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finish(), size)),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
