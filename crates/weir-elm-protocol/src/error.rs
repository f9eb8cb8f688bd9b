//! What can go wrong while something is answered.

/// Why something is not answered.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// The view cannot be read.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// A pack cannot be read.
    #[error(transparent)]
    Tree(#[from] weir_tree::TreeError),
    /// A package is larger than an Elm package may be.
    #[error("the package has more than {0} bytes in `src`, which is more than is sent as a zip archive")]
    TooLarge(u64),
    /// The archive cannot be written.
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
