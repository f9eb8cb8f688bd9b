//! The files of registries, opened for readers: small ones from memory, large ones from the disk.
//!
//! What is in memory is looked at again before it is given out: what may change each time, and what never changes once a
//! second, because it can still be taken away: the pack of a quarantined release. So nothing that a folder has lost is
//! served for longer than that, whoever took it.

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use weir_fs::{Found, FsError};
use weir_registry::Face;

use crate::registries::{RegistryName, Served};

/// The largest file that is kept in memory, in bytes.
const SMALL: u64 = 2 << 20;

/// For how long a file whose bytes never change is believed to be still there.
const BELIEVED: Duration = Duration::from_secs(1);

/// Bytes that keeping a file costs besides its own.
const OVERHEAD: u64 = 256;

/// Which file of which registry.
type Key = (RegistryName, Face, Arc<str>);

/// The files of all registries.
pub(crate) struct Files {
    memory: Cache<Key, Arc<Small>, ByBytes>,
    started: Instant,
}

/// A file that is open for one reader.
pub(crate) struct Opened {
    pub(crate) content: Content,
    pub(crate) version: Version,
}

/// Its bytes.
pub(crate) enum Content {
    /// In memory.
    Small(Bytes),
    /// On the disk, at its start.
    Large(File),
}

/// What changes whenever a file is replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) bytes: u64,
    pub(crate) inode: u64,
    pub(crate) modified: (i64, i64),
}

struct Small {
    bytes: Bytes,
    version: Version,
    /// When it was last seen on the disk, in milliseconds since the server started.
    seen: AtomicU64,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Arc<Small>> for ByBytes {
    fn weight(&self, _: &Key, small: &Arc<Small>) -> u64 {
        small.bytes.len() as u64 + OVERHEAD
    }
}

impl Files {
    /// Keeps `memory` bytes of small files.
    pub(crate) fn new(memory: u64) -> Self {
        let expected = usize::try_from(memory / (16 << 10)).unwrap_or(1 << 12).max(64);
        Self { memory: Cache::with_weighter(expected, memory, ByBytes), started: Instant::now() }
    }

    /// Opens a file; `None` if the registry does not have it.
    ///
    /// # Errors
    ///
    /// When the disk fails, or something that is no file has its name.
    pub(crate) async fn open(
        self: &Arc<Self>,
        registry: &Arc<Served>,
        face: Face,
        path: &str,
    ) -> Result<Option<Opened>, FsError> {
        // Of a tile the face does not say which one; of everything else it does.
        let which = if face == Face::Tile { path } else { "" };
        let key = (registry.name.clone(), face, Arc::from(which));
        if let Some(small) = self.memory.get(&key) {
            if self.is_current(&small, registry, face, path) {
                return Ok(Some(small.open()));
            }
            self.memory.remove(&key);
        }
        let (files, registry, path) = (self.clone(), registry.clone(), path.to_owned());
        blocking(move || files.read(key, &registry, &path)).await
    }

    fn is_current(&self, small: &Small, registry: &Served, face: Face, path: &str) -> bool {
        let now = self.now();
        let seen = Duration::from_millis(now.saturating_sub(small.seen.load(Ordering::Relaxed)));
        if face.is_fixed() && seen < BELIEVED {
            return true;
        }
        let is_same =
            matches!(registry.folder.look(path), Ok(Some(found)) if Version::of(&found) == small.version);
        if is_same {
            small.seen.store(now, Ordering::Relaxed);
        }
        is_same
    }

    fn read(&self, key: Key, registry: &Served, path: &str) -> Result<Option<Opened>, FsError> {
        let mut file = match registry.folder.open_file(path) {
            Err(error) if error.is_not_found() => return Ok(None),
            file => file?,
        };
        let io = |error| FsError::Io { path: registry.folder.path().join(path), source: error };
        let version = Version::opened(&file.metadata().map_err(io)?);
        if version.bytes > SMALL {
            let (file, _) = file.into_parts();
            return Ok(Some(Opened { content: Content::Large(file), version }));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(version.bytes).unwrap_or_default());
        file.by_ref().take(SMALL + 1).read_to_end(&mut bytes).map_err(io)?;
        // It may have been written to since it was opened.
        let version = Version { bytes: bytes.len() as u64, ..version };
        let small = Arc::new(Small { bytes: bytes.into(), version, seen: AtomicU64::new(self.now()) });
        self.memory.insert(key, small.clone());
        Ok(Some(small.open()))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Small {
    fn open(&self) -> Opened {
        Opened { content: Content::Small(self.bytes.clone()), version: self.version }
    }
}

impl Version {
    fn of(found: &Found) -> Self {
        Self { bytes: found.bytes, inode: found.inode, modified: found.modified }
    }

    fn opened(file: &Metadata) -> Self {
        Self { bytes: file.len(), inode: file.ino(), modified: (file.mtime(), file.mtime_nsec()) }
    }
}

/// Carries what may wait for the disk to the threads that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only when the server is being torn down: nobody waits for the answer.
            Err(_) => std::future::pending().await,
        },
    }
}
