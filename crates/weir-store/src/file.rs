//! Files that references name: downloaded once, resumed where they stopped.

use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use weir_model::{Hasher, Sha256, of};

use crate::error::{AtPath as _, EnsureError, StoreError};
use crate::faults;
use crate::layout::rename_into;
use crate::partial::Partial;
use crate::readers::Readers;
use crate::session::{Found, Session};

const BUFFER_BYTES: usize = 256 << 10;

/// A file that is in the store, complete. Only the store makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFile {
    digest: Sha256,
    path: PathBuf,
    bytes: u64,
}

impl StoredFile {
    /// The digest of its bytes.
    pub fn digest(&self) -> &Sha256 {
        &self.digest
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A download: bytes of a file from some offset to its end.
pub struct Part {
    /// Where the bytes begin: the offset that was asked for, or 0 from a source that cannot resume.
    pub offset: u64,
    /// The bytes.
    pub bytes: Box<dyn Read + Send>,
}

impl Session {
    /// The file with this digest, if it is in the store.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn file(&self, digest: &Sha256) -> Result<Option<StoredFile>, StoreError> {
        let path = self.store().layout().file(digest);
        Ok(match self.look_up(&path)? {
            Some(Found::File { bytes }) => Some(StoredFile { digest: *digest, path, bytes }),
            _ => None,
        })
    }

    /// The file with this digest and size, downloaded for `readers` if it is not there. `fetch` is given the
    /// number of bytes that an earlier attempt left, and answers with the rest.
    ///
    /// # Errors
    ///
    /// When `fetch` fails, when the bytes that come are not those of the file, or when the store cannot be
    /// written. What came before a stop is kept for the next attempt; what is wrong is not.
    pub fn ensure_file<E>(
        &self,
        digest: &Sha256,
        size: u64,
        readers: Readers,
        fetch: impl FnOnce(u64) -> Result<Part, E>,
    ) -> Result<StoredFile, EnsureError<E>> {
        self.make_file(digest, |item| {
            let mut download = Download::resume(self, item, digest, size)?;
            if !download.is_right()? {
                let part = fetch(download.have).map_err(EnsureError::Source)?;
                download.receive(part.offset, part.bytes)?;
            }
            Ok(download.finish(readers)?)
        })
    }

    /// Has `make` make the file, unless it is there: one at a time. It is given the name of what it makes.
    fn make_file<E>(
        &self,
        digest: &Sha256,
        make: impl FnOnce(&str) -> Result<StoredFile, EnsureError<E>>,
    ) -> Result<StoredFile, EnsureError<E>> {
        if let Some(file) = self.file(digest)? {
            return Ok(file);
        }
        let item = file_item(digest);
        let _lock = self.lock(&item)?;
        if let Some(file) = self.file(digest)? {
            return Ok(file);
        }
        make(&item)
    }
}

impl Session {
    /// The file with this digest and size. If it is not there, `fill` brings all of it, for `readers`, into the file at the path that it is given,
    /// which may hold what an earlier attempt left, from its beginning or in parts.
    ///
    /// # Errors
    ///
    /// When `fill` fails, when what it brings is not the file, or when the store cannot be written. What is there when
    /// `fill` fails is kept for the next attempt; what is wrong is not.
    pub fn fill_file<E>(
        &self,
        digest: &Sha256,
        size: u64,
        readers: Readers,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<StoredFile, EnsureError<E>> {
        self.make_file(digest, |item| {
            let partial = Partial::open(self.store(), item, size)?;
            fill(partial.path()).map_err(EnsureError::Source)?;
            drop(partial);
            Ok(Download::resume(self, item, digest, size)?.finish(readers)?)
        })
    }
}

/// The name of a file's lock and of its partial download.
pub(crate) fn file_item(digest: &Sha256) -> String {
    format!("file-{}", digest.to_hex())
}

/// Stores a file from its first byte on, in place of one that may be there. The caller holds its lock.
pub(crate) fn receive_whole(
    session: &Session,
    item: &str,
    digest: &Sha256,
    size: u64,
    bytes: impl Read,
) -> Result<StoredFile, StoreError> {
    let mut download = Download::resume(session, item, digest, size)?;
    let path = download.partial.path().to_owned();
    let readers = Readers::of(&session.store().layout().file(digest));
    let received = download.restart().and_then(|()| download.receive(0, bytes));
    let finished = received.and_then(|()| download.finish(readers));
    if finished.is_err() {
        // Nobody will go on with it. What went wrong matters more than whether it could be removed.
        let _ = fs_err::remove_file(path);
    }
    finished
}

/// A file on its way into the store, under its lock.
struct Download<'s> {
    session: &'s Session,
    digest: &'s Sha256,
    size: u64,
    partial: Partial,
    hasher: Hasher<of::Bytes>,
    have: u64,
}

impl<'s> Download<'s> {
    /// Opens what an earlier attempt left, if it did, and hashes it.
    fn resume(session: &'s Session, item: &str, digest: &'s Sha256, size: u64) -> Result<Self, StoreError> {
        let mut partial = Partial::open(session.store(), item, size)?;
        let mut hasher = Hasher::new();
        let path = partial.path().to_owned();
        let have = io::copy(partial.file(), &mut hasher).at(&path)?;
        Ok(Self { session, digest, size, partial, hasher, have })
    }

    /// Whether all is here. What is complete and wrong is dropped.
    fn is_right(&mut self) -> Result<bool, StoreError> {
        if self.have < self.size {
            return Ok(false);
        }
        if self.hasher.clone().finish() == *self.digest {
            return Ok(true);
        }
        self.restart().map(|()| false)
    }

    fn restart(&mut self) -> Result<(), StoreError> {
        self.partial.restart()?;
        self.hasher = Hasher::new();
        self.have = 0;
        Ok(())
    }

    fn receive(&mut self, offset: u64, bytes: impl Read) -> Result<(), StoreError> {
        if offset != self.have {
            if offset != 0 {
                return Err(StoreError::WrongOffset { file: *self.digest, asked: self.have, got: offset });
            }
            self.restart()?;
        }
        // One byte more than promised tells that there are more.
        let mut bytes = bytes.take((self.size - self.have).saturating_add(1));
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let got = match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(StoreError::Interrupted { file: *self.digest, at: self.have, source });
                }
            };
            let path = self.partial.path().to_owned();
            self.partial.file().write_all(&buffer[..got]).at(&path)?;
            self.hasher.update(&buffer[..got]);
            self.have += got as u64;
        }
    }

    /// Checks the whole file and moves it into its place.
    fn finish(self, readers: Readers) -> Result<StoredFile, StoreError> {
        let Self { session, digest, size, mut partial, hasher, have } = self;
        let path = partial.path().to_owned();
        if have < size {
            return Err(StoreError::WrongSize { file: *digest, expected: size, got: have });
        }
        let got = hasher.finish();
        if have > size || got != *digest {
            fs_err::remove_file(&path).at(&path)?;
            return Err(if have > size {
                StoreError::WrongSize { file: *digest, expected: size, got: have }
            } else {
                StoreError::WrongContent { expected: *digest, got }
            });
        }
        let place = session.store().layout().file(digest);
        session.store().pass(faults::FILE_WRITTEN, &path)?;
        rename_into(&path, &place).at(&place)?;
        // Only now: a read-only leftover could not be resumed. Until then it is nobody else's.
        let mode = std::fs::Permissions::from_mode(readers.of_mode(0o444));
        partial.file().set_permissions(mode).at(&place)?;
        session.store().pass(faults::FILE_RENAMED, &place)?;
        Ok(StoredFile { digest: *digest, path: place, bytes: size })
    }
}
