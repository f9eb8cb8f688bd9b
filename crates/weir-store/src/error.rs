//! What can go wrong in the store.

use std::io;
use std::path::{Path, PathBuf};

use weir_fs::FsError;
use weir_model::{InputDigest, Sha256, TreeDigest};
use weir_tree::TreeError;

use crate::layout::FORMAT;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store was written by a newer program.
    #[error(
        "the store `{path}` is of format `{found}`, this program knows `{FORMAT}`: a newer weir is needed"
    )]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// What its format file says.
        found: String,
    },
    /// The folder holds something else.
    #[error("`{path}` is not a store: it has no `format` file, and holds `{holds}`")]
    NotAStore {
        /// The folder.
        path: PathBuf,
        /// One of the names in it.
        holds: String,
    },
    /// The disk, or what this user may use of it, is full.
    #[error("the disk is full: cannot write `{path}`")]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store, or a part of it, may not be written.
    #[error("the store cannot be written: `{path}`")]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something else.
    #[error("cannot use `{path}`")]
    Io {
        /// What was being used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tree could not be read, written or unpacked.
    #[error("tree `{digest}` cannot be stored")]
    Tree {
        /// The tree that was asked for.
        digest: TreeDigest,
        /// What is wrong.
        source: TreeError,
    },
    /// A tree that was made from others could not be read.
    #[error("what was made from the inputs `{inputs}` cannot be stored")]
    Derived {
        /// What it was made from.
        inputs: InputDigest,
        /// What is wrong.
        source: TreeError,
    },
    /// A folder could not be read as a tree.
    #[error("`{path}` cannot be read as a tree")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong.
        source: TreeError,
    },
    /// A tree's manifest is not the one its name promises.
    #[error("the manifest of tree `{digest}` is damaged: `{path}`")]
    DamagedManifest {
        /// The tree.
        digest: TreeDigest,
        /// The manifest.
        path: PathBuf,
    },
    /// A downloaded file is not the one asked for. Nothing of it is kept.
    #[error("a referenced file has the wrong content: expected `{expected}`, got `{got}`")]
    WrongContent {
        /// The file asked for.
        expected: Sha256,
        /// What came.
        got: Sha256,
    },
    /// A downloaded file has another size than promised. What came up to there is kept if it was too little.
    #[error("a referenced file has the wrong size: `{file}` should have {expected} bytes, got {got}")]
    WrongSize {
        /// The file asked for.
        file: Sha256,
        /// Its size.
        expected: u64,
        /// How many bytes came, or one more than expected if there were more.
        got: u64,
    },
    /// The source of a download started at neither the offset it was asked for nor at the beginning.
    #[error("the download of `{file}` was to go on at byte {asked} and went on at {got}")]
    WrongOffset {
        /// The file.
        file: Sha256,
        /// Where it was to go on.
        asked: u64,
        /// Where it did.
        got: u64,
    },
    /// A download stopped in the middle. What came is kept, to go on from there.
    #[error("the download of `{file}` stopped at byte {at}")]
    Interrupted {
        /// The file.
        file: Sha256,
        /// How many bytes are here.
        at: u64,
        /// What happened.
        source: io::Error,
    },
    /// A project was named by a path that depends on the current folder.
    #[error("a project is registered by its absolute path, not `{path}`")]
    RelativePath {
        /// The path.
        path: PathBuf,
    },
    /// Things that were to be used are not in the store.
    #[error("not in the store: {} trees and {} files", missing.trees.len(), missing.files.len())]
    Missing {
        /// All that is missing.
        missing: crate::Missing,
    },
}

/// Why something could not be brought into the store: the source failed, or the store did.
#[derive(Debug, thiserror::Error)]
pub enum EnsureError<E> {
    /// The caller's own source failed.
    #[error(transparent)]
    Source(E),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// Whether bytes are not what their name or a promise says they must be.
    pub fn is_integrity(&self) -> bool {
        match self {
            Self::Tree { source, .. } => !source.is_of_the_system(),
            Self::DamagedManifest { .. } | Self::WrongContent { .. } | Self::WrongSize { .. } => true,
            _ => false,
        }
    }

    /// What the source of a pack failed with, if it was the source that failed.
    pub fn pack_source(&self) -> Option<&io::Error> {
        match self {
            Self::Tree { source: TreeError::PackRead { source }, .. } => Some(source),
            _ => None,
        }
    }

    /// Tells a full disk and a read-only folder from a tree that is wrong.
    pub(crate) fn tree(digest: &TreeDigest, source: TreeError) -> Self {
        match source {
            TreeError::Io { path, source } => Self::io(&path, source),
            source => Self::Tree { digest: *digest, source },
        }
    }

    /// Tells a full disk and a read-only folder from other refusals.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            _ if weir_fs::is_full(&source) => Self::DiskFull { path, source },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::ReadOnly { path, source }
            }
            _ => Self::Io { path, source },
        }
    }
}

impl From<FsError> for StoreError {
    fn from(error: FsError) -> Self {
        match error {
            FsError::Io { path, source } => Self::io(&path, source),
            error => {
                let path = error.path().to_owned();
                Self::io(&path, error.into())
            }
        }
    }
}

/// Adds the path to an error of the system.
pub(crate) trait AtPath<T> {
    fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::io(path, error))
    }
}

impl<T> AtPath<T> for rustix::io::Result<T> {
    fn at(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::io(path, error.into()))
    }
}
