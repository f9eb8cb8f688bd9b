//! Why the files of a package make no release.

use std::path::PathBuf;

use weir_fs::FsError;
use weir_kind::{BadFacts, KindError};
use weir_kinds::NotHandled;
use weir_model::manifest::UnpublishableAddress;
use weir_model::{LicenseError, ManifestError};
use weir_tree::TreeError;

/// Why the files of a package make no release.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// There is no manifest.
    #[error("it has no `weir.toml`, nor another manifest that is known")]
    NoManifest,
    /// The manifest is wrong.
    #[error("`{}`: {error}", path.display())]
    Manifest {
        /// Where it is.
        path: PathBuf,
        /// Its text.
        text: String,
        /// What is wrong with it.
        error: Box<ManifestError>,
    },
    /// Something that a release must have is missing, or something that none may have is there.
    #[error("{0}")]
    NotPublishable(String),
    /// What somebody wrote for a manifest to say cannot be read.
    #[error("{0}")]
    NotToml(String),
    /// What it says of its licence is no licence expression.
    #[error(transparent)]
    License(#[from] LicenseError),
    /// An external file is one of whoever installs it.
    #[error(transparent)]
    Address(#[from] UnpublishableAddress),
    /// It is of a kind that this program does not handle.
    #[error(transparent)]
    NotHandled(#[from] NotHandled),
    /// Its kind refuses it.
    #[error(transparent)]
    Kind(#[from] KindError),
    /// What is said to have been found out cannot be.
    #[error(transparent)]
    Facts(#[from] BadFacts),
    /// A file of it cannot be read.
    #[error(transparent)]
    File(#[from] FsError),
    /// Its tree cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
}
