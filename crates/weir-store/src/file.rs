//! Files that references name: downloaded once, resumed where they stopped.

use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use weir_model::{Hasher, Sha256, of};

use crate::error::{AtPath as _, EnsureError, StoreError};
use crate::faults;
use crate::layout::rename_into;
use crate::observe::Event;
use crate::session::{Found, Session};

const BUFFER_BYTES: usize = 256 << 10;

/// A progress event is sent for each stretch of a download of about this length.
const PROGRESS_BYTES: u64 = 1 << 20;

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

    /// The file with this digest and size, downloaded if it is not there. `fetch` is given the
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
        fetch: impl FnOnce(u64) -> Result<Part, E>,
    ) -> Result<StoredFile, EnsureError<E>> {
        if let Some(file) = self.file(digest)? {
            return Ok(file);
        }
        let item = file_item(digest);
        let _lock = self.lock(&item)?;
        if let Some(file) = self.file(digest)? {
            return Ok(file);
        }
        let mut download = Download::resume(self, &item, digest, size)?;
        if !download.is_right()? {
            let part = fetch(download.have).map_err(EnsureError::Source)?;
            download.receive(part.offset, part.bytes)?;
        }
        Ok(download.finish()?)
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
    let path = download.path.clone();
    let received = download.restart().and_then(|()| download.receive(0, bytes));
    let finished = received.and_then(|()| download.finish());
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
    path: PathBuf,
    file: fs_err::File,
    hasher: Hasher<of::Bytes>,
    have: u64,
}

impl<'s> Download<'s> {
    /// Opens what an earlier attempt left, if it did, and hashes it.
    fn resume(session: &'s Session, item: &str, digest: &'s Sha256, size: u64) -> Result<Self, StoreError> {
        let path = session.store().part(item);
        let file = fs_err::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .at(&path)?;
        let mut download = Self { session, digest, size, path, file, hasher: Hasher::new(), have: 0 };
        if download.file.metadata().at(&download.path)?.len() > size {
            download.restart()?;
        }
        download.have = io::copy(&mut download.file, &mut download.hasher).at(&download.path)?;
        Ok(download)
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
        self.file.set_len(0).at(&self.path)?;
        self.file.seek(SeekFrom::Start(0)).at(&self.path)?;
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
        let mut told = self.have;
        loop {
            let got = match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    return Err(StoreError::Interrupted { file: *self.digest, at: self.have, source });
                }
            };
            self.file.write_all(&buffer[..got]).at(&self.path)?;
            self.hasher.update(&buffer[..got]);
            self.have += got as u64;
            if self.have - told >= PROGRESS_BYTES || self.have == self.size {
                told = self.have;
                let event = Event::Downloaded { file: *self.digest, bytes: self.have, of: self.size };
                self.session.store().tell(event);
            }
        }
    }

    /// Checks the whole file and moves it into its place.
    fn finish(self) -> Result<StoredFile, StoreError> {
        let Self { session, digest, size, path, file, hasher, have } = self;
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
        // Only now: a read-only leftover could not be resumed.
        file.set_permissions(std::fs::Permissions::from_mode(0o444)).at(&place)?;
        session.store().pass(faults::FILE_RENAMED, &place)?;
        Ok(StoredFile { digest: *digest, path: place, bytes: size })
    }
}
