//! What has arrived of a download, kept in `tmp/` when it breaks off, so that the next attempt goes on from there.
//!
//! It has the name of what it is to be, is written under the lock of that, and is never longer than that is. Nothing in it is
//! believed: whoever goes on reads it again from its beginning and checks it with the rest.

use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use weir_fs::Folder;

use crate::error::{AtPath as _, StoreError};
use crate::store::Store;

/// The beginning of something, on the disk.
#[derive(Debug)]
pub(crate) struct Partial {
    file: fs_err::File,
    path: PathBuf,
}

impl Partial {
    /// Opens what there is of `item`, whose lock the caller holds. More than the `most` bytes that it can have is worth nothing.
    pub(crate) fn open(store: &Store, item: &str, most: u64) -> Result<Self, StoreError> {
        let path = store.part(item);
        let name = path.file_name().unwrap_or_default();
        let file = Folder::open(store.layout().tmp())?.resume(name)?;
        let mut partial = Self { file, path };
        if partial.bytes()? > most {
            partial.restart()?;
        }
        Ok(partial)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&mut self) -> &mut fs_err::File {
        &mut self.file
    }

    /// How many bytes are here.
    pub(crate) fn bytes(&self) -> Result<u64, StoreError> {
        Ok(self.file.metadata().at(&self.path)?.len())
    }

    /// Forgets what is here.
    pub(crate) fn restart(&mut self) -> Result<(), StoreError> {
        self.file.set_len(0).at(&self.path)?;
        self.file.seek(SeekFrom::Start(0)).at(&self.path)?;
        Ok(())
    }

    /// Removes it. One that cannot be removed costs space until it is collected.
    pub(crate) fn remove(self) {
        let _ = fs_err::remove_file(&self.path);
    }

    /// All of the download as one stream: what is here, then `rest`, which is kept as it comes.
    pub(crate) fn and_then<'p>(
        &'p mut self,
        rest: Box<dyn Read + Send + 'p>,
    ) -> Result<Whole<'p>, StoreError> {
        self.file.seek(SeekFrom::Start(0)).at(&self.path)?;
        Ok(Whole { partial: self, rest, is_at_rest: false, keeps: true })
    }
}

/// See [`Partial::and_then`].
pub(crate) struct Whole<'p> {
    partial: &'p mut Partial,
    rest: Box<dyn Read + Send + 'p>,
    is_at_rest: bool,
    keeps: bool,
}

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.is_at_rest {
            let read = self.partial.file.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            self.is_at_rest = true;
        }
        let read = self.rest.read(buffer)?;
        // Keeping is for the next time: a disk that has no room for it must not fail this one.
        if self.keeps && self.partial.file.write_all(&buffer[..read]).is_err() {
            self.keeps = false;
        }
        Ok(read)
    }
}
