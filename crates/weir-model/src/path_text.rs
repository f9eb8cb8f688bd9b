//! Paths in documents. A path may hold bytes that are not text, and a document cannot: `\u{fffd}` stands for them there.

use std::path::{Path, PathBuf};

use serde::Serializer;

/// A path as text.
pub fn text(path: impl AsRef<Path>) -> String {
    path.as_ref().to_string_lossy().into_owned()
}

/// Paths as texts.
pub fn texts(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Vec<String> {
    paths.into_iter().map(text).collect()
}

/// Writes a path as text, for `serialize_with`.
///
/// # Errors
///
/// When the serializer fails.
pub fn path<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// Writes a path as text, if there is one, for `serialize_with`.
///
/// # Errors
///
/// When the serializer fails.
pub fn maybe_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    match path {
        Some(path) => serializer.serialize_some(&path.to_string_lossy()),
        None => serializer.serialize_none(),
    }
}
