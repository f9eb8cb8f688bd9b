//! Going from path to path in a folder. Neighbours in a layout are in one folder mostly, so the one that was entered last is
//! kept open.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use weir_fs::{Folder, FsError};

/// A folder, and the one in it that was entered last.
pub(super) struct Near<'f> {
    top: &'f Folder,
    at: PathBuf,
    inside: Option<Folder>,
}

impl<'f> Near<'f> {
    pub(super) fn new(top: &'f Folder) -> Self {
        Self { top, at: PathBuf::new(), inside: None }
    }

    /// The folder that `path` is in, and its name there; `None` where there is no such folder.
    pub(super) fn find<'p>(&mut self, path: &'p Path) -> Option<(&Folder, &'p OsStr)> {
        self.enter(path, |top, above| top.folder(above)).ok()
    }

    /// The same, making the folder if it is missing.
    pub(super) fn make<'p>(&mut self, path: &'p Path) -> Result<(&Folder, &'p OsStr), FsError> {
        self.enter(path, |top, above| top.make_folder(above))
    }

    fn enter<'p>(
        &mut self,
        path: &'p Path,
        open: impl FnOnce(&Folder, &Path) -> Result<Folder, FsError>,
    ) -> Result<(&Folder, &'p OsStr), FsError> {
        let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(FsError::Outside { path: path.to_owned() });
        };
        let inside = match self.inside.take() {
            Some(inside) if self.at == above => inside,
            _ => open(self.top, above)?,
        };
        above.clone_into(&mut self.at);
        Ok((self.inside.insert(inside), name))
    }
}
