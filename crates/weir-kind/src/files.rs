//! The files of a package, wherever they are.

use std::io::{Read, Seek};
use std::path::PathBuf;

use weir_fs::{Folder, FsError};

/// What a kind reads of a package: regular files and nothing else, from a folder that a stranger may have made, or out of a pack
/// that was uploaded. Whoever reads many goes in the order of the tree: a pack is one stream.
pub trait PackageFiles {
    /// Opens a file, by its path with `/` between the parts; `None` if there is nothing of that name.
    ///
    /// # Errors
    ///
    /// When it is no regular file, or cannot be read.
    fn open(&self, path: &str) -> Result<Option<Box<dyn FileContent>>, FsError>;

    /// The names of what is in a folder, sorted; none if there is no such folder.
    ///
    /// # Errors
    ///
    /// When it cannot be listed.
    fn list(&self, folder: &str) -> Result<Vec<String>, FsError>;

    /// What to call a file when telling a person about it.
    fn place(&self, path: &str) -> PathBuf;
}

/// The bytes of a file, to be read from any place.
pub trait FileContent: Read + Seek {}

impl<T: Read + Seek> FileContent for T {}

/// The bytes of a file, at most `limit` of them; `None` if there is nothing of that name.
///
/// # Errors
///
/// As [`PackageFiles::open`], and when it has more.
pub fn read_file(files: &dyn PackageFiles, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FsError> {
    let Some(content) = files.open(path)? else { return Ok(None) };
    let mut bytes = Vec::new();
    let read = content.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|source| FsError::Io { path: files.place(path), source })?;
    if bytes.len() as u64 > limit {
        return Err(FsError::TooLarge { path: files.place(path), limit });
    }
    Ok(Some(bytes))
}

/// The text of a file, of at most `limit` bytes; `None` if there is nothing of that name.
///
/// # Errors
///
/// As [`read_file`], and when it is not UTF-8.
pub fn read_text(files: &dyn PackageFiles, path: &str, limit: u64) -> Result<Option<String>, FsError> {
    let Some(bytes) = read_file(files, path, limit)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(|_| FsError::NotUtf8 { path: files.place(path) })?;
    Ok(Some(text))
}

impl PackageFiles for Folder {
    fn open(&self, path: &str) -> Result<Option<Box<dyn FileContent>>, FsError> {
        match self.open_file(path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, FsError> {
        let Some(folder) = self.find_folder(folder)? else { return Ok(Vec::new()) };
        let entries = folder.entries()?.into_iter();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.name.into_string().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn place(&self, path: &str) -> PathBuf {
        self.path().join(path)
    }
}
