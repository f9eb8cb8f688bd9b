//! Reading content from wherever a registry is, and taking from an old version what did not change.

use std::collections::HashMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use weir_log::{Source, SourceError};
use weir_model::{ChunkDigest, Digest, Hasher, Release, Sha256, TreeDigest};
use weir_tree::{Expected, Limits, PackFiles, TreeError};

use super::chunks::{CHUNK_LARGEST, CHUNKED_ABOVE, Chunk, ChunkList, cut};
use super::compacted::remade_pack;
use super::error::ContentError;
use super::files::LARGEST_FILE;
use super::{chunk_list_path, chunk_path, file_path, pack_path};

/// Bytes read at a time. A chunk is never held whole: memory stays small however many come at once.
const BUFFER: usize = 64 * 1024;

/// Opens the pack of `tree` from byte `offset`; `None` if the registry does not have it. What comes is
/// not checked: whoever unpacks it does that.
///
/// # Errors
///
/// When the registry cannot be read.
pub fn open_pack(
    source: &dyn Source,
    tree: &TreeDigest,
    offset: u64,
) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
    source.open(&pack_path(tree), offset)
}

/// The pack of a release, read file by file.
pub type PackOfRelease = PackFiles<Box<dyn Read + Send>>;

/// Opens the pack of `release` to read single files out of it, within `limits` and what the release states; `None` if the registry
/// does not have it.
///
/// # Errors
///
/// When it cannot be read, or is not the pack of the release.
pub fn open_files(
    source: &dyn Source,
    release: &Release,
    limits: &Limits,
) -> Result<Option<PackOfRelease>, TreeError> {
    let opened = open_pack(source, &release.tree, 0);
    let unread = |error: SourceError| TreeError::PackRead { source: io::Error::other(error) };
    let stated = Limits::stated(release.unpacked, Some(release.files));
    let limits = Limits {
        unpacked_bytes: limits.unpacked_bytes.min(stated.unpacked_bytes),
        files: limits.files.min(stated.files),
        ..*limits
    };
    let (pack, pack_bytes): (Box<dyn Read + Send>, _) = match opened.map_err(unread)? {
        Some(pack) => (pack, Some(release.size)),
        None => match remade_pack(source, &release.tree, &limits) {
            Ok(Some(made)) => (Box::new(made.pack), None),
            Ok(None) => return Ok(None),
            Err(ContentError::BadDelta { reason, .. } | ContentError::BadPack { reason, .. }) => {
                return Err(reason);
            }
            Err(error) => return Err(TreeError::PackRead { source: io::Error::other(error) }),
        },
    };
    PackFiles::open(pack, &Expected { tree: release.tree, pack_bytes }, &limits).map(Some)
}

/// Chunks that this machine has already. Not trusted: what it gives is checked.
pub trait LocalChunks: Sync {
    /// The bytes of a chunk, or `None`. A failure to read is a chunk that is not here.
    fn chunk(&self, digest: &ChunkDigest, size: u32) -> Option<Vec<u8>>;
}

/// No chunks at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoChunks;

impl LocalChunks for NoChunks {
    fn chunk(&self, _: &ChunkDigest, _: u32) -> Option<Vec<u8>> {
        None
    }
}

/// A file of an earlier version, cut as a registry would cut it.
#[derive(Debug)]
pub struct OldVersion {
    file: fs_err::File,
    chunks: HashMap<ChunkDigest, Chunk>,
}

impl OldVersion {
    /// Cuts and hashes the file at `path`: about as fast as the machine hashes.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let mut chunks = HashMap::new();
        cut(&file, |chunk, _| -> io::Result<()> {
            chunks.insert(chunk.digest, chunk);
            Ok(())
        })?;
        Ok(Self { file, chunks })
    }
}

impl LocalChunks for OldVersion {
    fn chunk(&self, digest: &ChunkDigest, size: u32) -> Option<Vec<u8>> {
        let chunk = self.chunks.get(digest).filter(|chunk| chunk.size == size)?;
        let mut bytes = vec![0; size as usize];
        self.file.file().read_exact_at(&mut bytes, chunk.offset).ok()?;
        Some(bytes)
    }
}

/// Where the bytes of a fetched file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fetched {
    /// Bytes that were in the partial file already.
    pub resumed: u64,
    /// Bytes that were taken from local chunks.
    pub reused: u64,
    /// Bytes that came from the registry, the chunk list among them.
    pub transferred: u64,
}

/// Fetches the file `sha256` of `size` bytes into `partial`, which may hold what an earlier call brought.
/// Large files come in chunks, `streams` of them at a time; a chunk that `local` has does not travel.
/// `progress` is told how many bytes of the file are in place, from any thread.
///
/// After `Ok`, `partial` holds exactly the file and is on the disk.
///
/// # Errors
///
/// When the registry does not have it, or sends something else, or the disk fails. What is right of
/// `partial` then serves the next call.
pub fn fetch_file(
    source: &dyn Source,
    sha256: &Sha256,
    size: u64,
    local: &dyn LocalChunks,
    partial: &Path,
    streams: NonZeroUsize,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, ContentError> {
    let file =
        fs_err::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(partial)?;
    if file.metadata()?.len() > size {
        file.set_len(0)?;
    }
    loop {
        let fetched = match chunk_list(source, sha256, size)? {
            Some((list, length)) => {
                let assembly = Assembly::new(source, local, &file, progress);
                assembly.run(&list, streams)?;
                Fetched { transferred: assembly.fetched().transferred + length, ..assembly.fetched() }
            }
            None => whole(source, sha256, size, &file, progress)?,
        };
        // The list came from whoever served it, so only the whole file's digest says that it was right.
        let actual = digest_at_start(&file)?;
        if actual == *sha256 {
            file.sync_all()?;
            return Ok(fetched);
        }
        file.set_len(0)?;
        // What was left from before may be to blame; without it, only the registry can be.
        if fetched.resumed == 0 {
            return Err(ContentError::BadFile { expected: *sha256, actual });
        }
    }
}

/// Opens the file `sha256` of a registry, however that keeps it, for whoever checks it as it comes; `None` if the registry does not have
/// it. A large one is fetched whole before.
///
/// # Errors
///
/// When the registry cannot be read, sends something else in the place of a chunk, or the disk fails.
pub fn open_file(
    source: &dyn Source,
    sha256: &Sha256,
    size: Option<u64>,
    streams: NonZeroUsize,
) -> Result<Option<Box<dyn Read + Send>>, ContentError> {
    let most = size.unwrap_or(LARGEST_FILE);
    if let Some(bytes) = source.open(&file_path(sha256), 0)? {
        return Ok(Some(Box::new(bytes.take(most.saturating_add(1)))));
    }
    let Some(list) = list_text(source, sha256, most)? else { return Ok(None) };
    let size = ChunkList::parse(&list, sha256, size)?.size();
    let folder = tempfile::tempdir()?;
    let partial = folder.path().join("file");
    fetch_file(source, sha256, size, &NoChunks, &partial, streams, &|_| {})?;
    Ok(Some(Box::new(fs_err::File::open(partial)?)))
}

/// The chunk list of a large file and its length in bytes; `None` for a file that is kept whole.
fn chunk_list(
    source: &dyn Source,
    sha256: &Sha256,
    size: u64,
) -> Result<Option<(ChunkList, u64)>, ContentError> {
    if size <= CHUNKED_ABOVE {
        return Ok(None);
    }
    let Some(text) = list_text(source, sha256, size)? else { return Ok(None) };
    Ok(Some((ChunkList::parse(&text, sha256, Some(size))?, text.len() as u64)))
}

/// The chunk list of a file of at most `size` bytes, as it is there.
fn list_text(source: &dyn Source, sha256: &Sha256, size: u64) -> Result<Option<Vec<u8>>, ContentError> {
    match source.read(&chunk_list_path(sha256), ChunkList::longest(size)) {
        Err(SourceError::TooLarge { limit, .. }) => Err(ContentError::BadList {
            file: *sha256,
            reason: format!("it has more than {limit} bytes, and no list of such a file has"),
        }),
        text => Ok(text?),
    }
}

/// Fetches a file that is kept whole, after what is there.
fn whole(
    source: &dyn Source,
    sha256: &Sha256,
    size: u64,
    file: &fs_err::File,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, ContentError> {
    let resumed = file.metadata()?.len();
    if resumed == size && size > 0 {
        return Ok(Fetched { resumed, ..Fetched::default() });
    }
    let mut at = resumed;
    let path = file_path(sha256);
    let mut stream = source.open(&path, at)?.ok_or_else(|| ContentError::no_file(sha256))?;
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = read_some(&mut stream, &mut buffer, source, &path)?;
        if read == 0 {
            break;
        }
        if at + read as u64 > size {
            return Err(ContentError::BadSize { sha256: *sha256, expected: size, actual: at + read as u64 });
        }
        file.file().write_all_at(&buffer[..read], at)?;
        at += read as u64;
        progress(at);
    }
    if at < size {
        return Err(ContentError::BadSize { sha256: *sha256, expected: size, actual: at });
    }
    Ok(Fetched { resumed, reused: 0, transferred: size - resumed })
}

/// Putting a file together from chunks, each at its place, by several threads.
struct Assembly<'a> {
    source: &'a dyn Source,
    local: &'a dyn LocalChunks,
    file: &'a fs_err::File,
    progress: &'a (dyn Fn(u64) + Sync),
    present: u64,
    resumed: AtomicU64,
    reused: AtomicU64,
    transferred: AtomicU64,
}

impl<'a> Assembly<'a> {
    fn new(
        source: &'a dyn Source,
        local: &'a dyn LocalChunks,
        file: &'a fs_err::File,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        let present = file.metadata().map_or(0, |metadata| metadata.len());
        let [resumed, reused, transferred] = [const { AtomicU64::new(0) }; 3];
        Self { source, local, file, progress, present, resumed, reused, transferred }
    }

    fn fetched(&self) -> Fetched {
        Fetched {
            resumed: self.resumed.load(Ordering::Relaxed),
            reused: self.reused.load(Ordering::Relaxed),
            transferred: self.transferred.load(Ordering::Relaxed),
        }
    }

    fn run(&self, list: &ChunkList, streams: NonZeroUsize) -> Result<(), ContentError> {
        let next = AtomicUsize::new(0);
        let stopped = AtomicBool::new(false);
        let failure = Mutex::new(None);
        let work = || {
            while !stopped.load(Ordering::Relaxed) {
                let Some(chunk) = list.chunks().get(next.fetch_add(1, Ordering::Relaxed)) else { return };
                if let Err(error) = self.place(chunk) {
                    stopped.store(true, Ordering::Relaxed);
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..streams.get().min(list.chunks().len()) {
                scope.spawn(work);
            }
            work();
        });
        match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn place(&self, chunk: &Chunk) -> Result<(), ContentError> {
        let size = u64::from(chunk.size);
        let counter = if self.is_there(chunk)? {
            &self.resumed
        } else if self.reuse(chunk)? {
            &self.reused
        } else {
            self.transfer(chunk)?;
            &self.transferred
        };
        counter.fetch_add(size, Ordering::Relaxed);
        let Fetched { resumed, reused, transferred } = self.fetched();
        (self.progress)(resumed + reused + transferred);
        Ok(())
    }

    /// Whether the partial file has the chunk at its place: what was there at the start is looked at.
    fn is_there(&self, chunk: &Chunk) -> io::Result<bool> {
        if chunk.offset + u64::from(chunk.size) > self.present {
            return Ok(false);
        }
        let mut bytes = vec![0; chunk.size as usize];
        self.file.file().read_exact_at(&mut bytes, chunk.offset)?;
        Ok(Digest::of(&bytes) == chunk.digest)
    }

    fn reuse(&self, chunk: &Chunk) -> io::Result<bool> {
        let Some(bytes) = self.local.chunk(&chunk.digest, chunk.size) else { return Ok(false) };
        if bytes.len() != chunk.size as usize || Digest::of(&bytes) != chunk.digest {
            return Ok(false);
        }
        self.file.file().write_all_at(&bytes, chunk.offset)?;
        Ok(true)
    }

    fn transfer(&self, chunk: &Chunk) -> Result<(), ContentError> {
        let path = chunk_path(&chunk.digest);
        let stream = self.source.open(&path, 0)?.ok_or_else(|| ContentError::no_chunk(&chunk.digest))?;
        // One byte more than there should be is enough to know, and stays out of the next chunk.
        let mut stream = stream.take(u64::from(chunk.size) + 1);
        let mut hasher = Hasher::new();
        let mut buffer = vec![0; BUFFER];
        let mut at = 0_u64;
        loop {
            let read = read_some(&mut stream, &mut buffer, self.source, &path)?;
            hasher.update(&buffer[..read]);
            if read == 0 || at + read as u64 > u64::from(chunk.size) {
                break;
            }
            self.file.file().write_all_at(&buffer[..read], chunk.offset + at)?;
            at += read as u64;
        }
        let actual = hasher.finish();
        if actual != chunk.digest {
            return Err(ContentError::BadChunk { expected: chunk.digest, actual });
        }
        Ok(())
    }
}

fn read_some(
    stream: &mut dyn Read,
    buffer: &mut [u8],
    source: &dyn Source,
    path: &str,
) -> Result<usize, ContentError> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                let what = format!("{}/{path}", source.describe());
                return Err(SourceError::from_io(what, &error).into());
            }
            Ok(read) => return Ok(read),
        }
    }
}

fn digest_at_start(file: &fs_err::File) -> io::Result<Sha256> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; CHUNK_LARGEST as usize / 8];
    let mut at = 0;
    loop {
        match file.file().read_at(&mut buffer, at) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
