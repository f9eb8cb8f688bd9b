//! Writing: all of the new, or all of the old.

use std::io::Write as _;
use std::path::Path;

use crate::error::AtPath as _;
use crate::folder::Folder;
use crate::name::split;
use crate::{FsError, Result};

/// Whether a write waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Bytes and name are on the disk when it returns: for what cannot be made again.
    Durable,
    /// They reach it when the system sees fit. After a power cut the file may be empty, or the old one: for what is checked
    /// when it is read and made again.
    Quick,
}

/// Who may read, write and run a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the file that it replaces; [`Access::Usual`] where there was none.
    Kept,
    /// What the user's mask leaves of `0666`.
    Usual,
    /// What the user's mask leaves of `0777`.
    Executable,
    /// Only its owner: a key.
    Private,
    /// Everybody may read it, whatever the mask of whoever wrote it: a file that is served.
    Public,
}

impl Folder {
    /// Puts `bytes` at a path below, in the place of the file or the link that is there, in one step. A link is replaced and not
    /// followed.
    ///
    /// # Errors
    ///
    /// When it cannot be written; the file is then as it was. When a name on the way to it is a link, or no folder.
    pub fn replace(
        &self,
        below: impl AsRef<Path>,
        bytes: impl AsRef<[u8]>,
        access: Access,
        durability: Durability,
    ) -> Result<()> {
        let (above, name) = split(below.as_ref())?;
        let folder = self.folder(above)?;
        folder.filled_draft(bytes.as_ref(), access)?.replace(name, durability)
    }

    /// Puts `bytes` at a path below where nothing has that name. Answers whether it did.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or a name on the way to it is a link, or no folder.
    pub fn create(
        &self,
        below: impl AsRef<Path>,
        bytes: impl AsRef<[u8]>,
        access: Access,
        durability: Durability,
    ) -> Result<bool> {
        let (above, name) = split(below.as_ref())?;
        let folder = self.folder(above)?;
        if folder.look(name)?.is_some() {
            return Ok(false);
        }
        folder.filled_draft(bytes.as_ref(), access)?.create(name, durability)
    }

    /// Begins a file that will be in this folder, and holds `bytes`.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn filled_draft(&self, bytes: &[u8], access: Access) -> Result<crate::Draft> {
        let mut draft = self.draft(access)?;
        draft.write_all(bytes).at(self.path())?;
        Ok(draft)
    }
}

/// Puts `bytes` at `path`, in the place of the file or the link that is there, in one step. The caller vouches for the folder that
/// `path` is in, which is made if it is missing.
///
/// # Errors
///
/// When it cannot be written; the file is then as it was.
pub fn replace(
    path: impl AsRef<Path>,
    bytes: impl AsRef<[u8]>,
    access: Access,
    durability: Durability,
) -> Result<()> {
    let path = path.as_ref();
    let (above, name) = (path.parent(), path.file_name());
    let (Some(above), Some(name)) = (above, name) else {
        return Err(FsError::Outside { path: path.to_owned() });
    };
    Folder::make(above)?.replace(name, bytes, access, durability)
}
