//! What a server keeps, in one folder:
//!
//! ```text
//! weir-server.toml      what an administrator writes
//! registries/<name>/    a registry each, byte for byte as without a server
//! ```

use std::path::{Path, PathBuf};

/// The folder of a server.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
}

/// The folder of a server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A person named another folder than they meant, perhaps: nothing was written there.
    #[error("`{}` is not empty, and holds no server's data", folder.display())]
    Strange {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl DataFolder {
    /// The name of the file of the settings.
    pub const SETTINGS: &str = "weir-server.toml";

    /// The name of the folder of the registries.
    const REGISTRIES: &str = "registries";

    /// The data of a server in `root`. Nothing is touched yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file of the settings, which need not be there.
    pub fn settings(&self) -> PathBuf {
        self.root.join(Self::SETTINGS)
    }

    /// The folder of the registries.
    pub fn registries(&self) -> PathBuf {
        self.root.join(Self::REGISTRIES)
    }

    /// Makes what is missing of it. Harmless when nothing is.
    ///
    /// # Errors
    ///
    /// When there is something else in the folder, or it cannot be written.
    pub fn make(&self) -> Result<(), DataError> {
        if !self.settings().exists() && !self.registries().exists() && !self.is_free()? {
            return Err(DataError::Strange { folder: self.root.clone() });
        }
        Ok(fs_err::create_dir_all(self.registries())?)
    }

    fn is_free(&self) -> Result<bool, std::io::Error> {
        match fs_err::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            entries => Ok(entries?.next().is_none()),
        }
    }
}
