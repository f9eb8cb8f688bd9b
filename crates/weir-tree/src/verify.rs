//! Checking a folder against the manifest of the tree it should hold.

use std::path::{Path, PathBuf};

use weir_model::{Digest, EntryDigest, Observer, Unobserved};

use crate::manifest::{Entry, Mode, TreeManifest};
use crate::{Handled, TreeError, file, parallel};

/// One way in which a folder is not the tree it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// A file or link is not there.
    #[error("missing: `{path}`")]
    Missing {
        /// Where it should be.
        path: String,
    },
    /// A file has other bytes.
    #[error("changed: `{path}`")]
    Changed {
        /// The file.
        path: String,
        /// Its digest on disk.
        got: EntryDigest,
    },
    /// A file is executable and should not be, or the other way round.
    #[error("wrong mode: `{path}`")]
    WrongMode {
        /// The file.
        path: String,
        /// What it should be.
        expected: Mode,
    },
    /// A link leads elsewhere.
    #[error("wrong target: `{path}` leads to `{got}`")]
    WrongTarget {
        /// The link.
        path: String,
        /// Where it leads.
        got: String,
    },
    /// A file is where a link should be, or a folder where a file should be, and so on.
    #[error("wrong sort: `{path}` is a {got}")]
    WrongSort {
        /// What should be something else.
        path: String,
        /// What it is.
        got: &'static str,
    },
    /// Something that is not in the tree; if it is a folder, with all that is in it.
    #[error("extra: `{path}`")]
    Extra {
        /// What should not be there, as far as its name can be shown.
        path: String,
    },
}

/// Compares the folder `root` with a tree, byte by byte, on all cores. No difference means that
/// [`read_folder`](crate::read_folder) of everything would give this manifest.
///
/// # Errors
///
/// When the folder, or a file in it, cannot be read, or a file changes meanwhile.
pub fn verify_folder(root: &Path, manifest: &TreeManifest) -> Result<Vec<Difference>, TreeError> {
    verify_folder_observed(root, manifest, parallel::cores(), &Unobserved)
}

/// The same on at most so many `cores`, telling `observer` of what was read.
///
/// # Errors
///
/// Those of [`verify_folder`].
pub fn verify_folder_observed(
    root: &Path,
    manifest: &TreeManifest,
    cores: usize,
    observer: &dyn Observer<Handled>,
) -> Result<Vec<Difference>, TreeError> {
    let mut differences = extras(root, manifest)?;
    let mut entries: Vec<&Entry> = manifest.entries().iter().collect();
    // The largest first, so that no core is left alone with one at the end.
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.size));
    for found in parallel::on(cores, &entries, |buffer, entry| compare(root, entry, buffer, observer)) {
        differences.extend(found?);
    }
    differences.sort_unstable_by(|one, other| one.path().cmp(other.path()));
    Ok(differences)
}

impl Difference {
    /// The path that differs.
    pub fn path(&self) -> &str {
        match self {
            Self::Missing { path }
            | Self::Changed { path, .. }
            | Self::WrongMode { path, .. }
            | Self::WrongTarget { path, .. }
            | Self::WrongSort { path, .. }
            | Self::Extra { path } => path,
        }
    }
}

fn compare(
    root: &Path,
    entry: &Entry,
    buffer: &mut [u8],
    observer: &dyn Observer<Handled>,
) -> Result<Option<Difference>, TreeError> {
    let path = entry.path.to_string();
    let on_disk = root.join(&entry.path);
    let found = match fs_err::symlink_metadata(&on_disk) {
        Ok(found) => found.file_type(),
        Err(error) if is_absent(&error) => return Ok(Some(Difference::Missing { path })),
        Err(source) => return Err(TreeError::io(on_disk, source)),
    };
    match entry.mode {
        Mode::Link if found.is_symlink() => compare_link(entry, &on_disk),
        Mode::File | Mode::Executable if found.is_file() => compare_file(entry, on_disk, buffer, observer),
        _ => Ok(Some(Difference::WrongSort { path, got: sort(found) })),
    }
}

fn compare_link(entry: &Entry, on_disk: &Path) -> Result<Option<Difference>, TreeError> {
    let target = file::target(on_disk)?;
    if Digest::of(&target) == entry.digest {
        return Ok(None);
    }
    let got = String::from_utf8_lossy(&target).into_owned();
    Ok(Some(Difference::WrongTarget { path: entry.path.to_string(), got }))
}

fn compare_file(
    entry: &Entry,
    on_disk: PathBuf,
    buffer: &mut [u8],
    observer: &dyn Observer<Handled>,
) -> Result<Option<Difference>, TreeError> {
    let path = entry.path.to_string();
    let facts = file::facts_observed(on_disk, buffer, observer)?;
    if facts.digest != entry.digest {
        return Ok(Some(Difference::Changed { path, got: facts.digest }));
    }
    if facts.mode != entry.mode {
        return Ok(Some(Difference::WrongMode { path, expected: entry.mode }));
    }
    Ok(None)
}

/// Everything in the folder that is not in the tree.
fn extras(root: &Path, manifest: &TreeManifest) -> Result<Vec<Difference>, TreeError> {
    let folders = manifest.folders();
    let mut extras = Vec::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        let on_disk = root.join(&folder);
        let list = fs_err::read_dir(&on_disk).map_err(|source| TreeError::io(&on_disk, source))?;
        for item in list {
            let item = item.map_err(|source| TreeError::io(&on_disk, source))?;
            let kind = item.file_type().map_err(|source| TreeError::io(item.path(), source))?;
            let path = folder.join(item.file_name());
            let known = path.to_str();
            if kind.is_dir() && known.is_some_and(|path| folders.contains(path)) {
                waiting.push(path);
            } else if known.and_then(|path| manifest.entry(path)).is_none() {
                extras.push(Difference::Extra { path: path.to_string_lossy().into_owned() });
            }
        }
    }
    Ok(extras)
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn sort(found: std::fs::FileType) -> &'static str {
    if found.is_dir() {
        "folder"
    } else if found.is_symlink() {
        "link"
    } else if found.is_file() {
        "file"
    } else {
        file::special(found)
    }
}
