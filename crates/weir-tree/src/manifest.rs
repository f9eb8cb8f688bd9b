//! Tree manifests: what is in a tree, and the digest that names it.
//!
//! The text is the identity: the line `weir-tree v1`, then `<mode> <size> <blake3> <path>` a file or link, sorted by
//! the bytes of the path, every line ended by `\n`. There is one text for one tree: parsing accepts no other spelling, so
//! parsing and printing are each other's inverse. Test vectors are in `vectors/`.

mod check;
mod text;

use std::collections::BTreeSet;
use std::fmt;

use weir_model::{Digest, EntryDigest, TreeDigest};

use crate::path::{PathError, TreePath};

/// What sort of thing an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A file: `f`, mode 0444 on disk.
    File,
    /// A file that can be run: `x`, mode 0555 on disk.
    Executable,
    /// A symbolic link, whose target is its content: `l`.
    Link,
}

/// One file or link of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What sort of thing it is.
    pub mode: Mode,
    /// How many bytes it has.
    pub size: u64,
    /// The BLAKE3 hash of its bytes.
    pub digest: EntryDigest,
    /// Where it is.
    pub path: TreePath,
}

/// The files and links of a tree, sorted by the bytes of their paths, checked to be one that every
/// common file system can hold.
#[derive(Clone, PartialEq, Eq)]
pub struct TreeManifest {
    entries: Vec<Entry>,
    text_bytes: u64,
    unpacked: u64,
    digest: TreeDigest,
}

/// Why entries do not make a tree, or a text is not a tree manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The first line is not that of a tree manifest.
    #[error("not a tree manifest: its first line is not `weir-tree v1`")]
    NotAManifest,
    /// A version of the format that this program does not know.
    #[error(
        "the tree manifest is written in version `{version}` of the format, and this program knows version 1"
    )]
    Newer {
        /// The version it says.
        version: String,
    },
    /// A line is not `<mode> <size> <blake3> <path>` in its one spelling.
    #[error("line {line} of the tree manifest has {what}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A line has a path that cannot be in a tree.
    #[error("line {line} of the tree manifest: {source}")]
    Path {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with the path.
        source: PathError,
    },
    /// Two entries are not in the order of their paths.
    #[error("`{second}` comes after `{first}`, against the order of their bytes")]
    Order {
        /// What comes first.
        first: String,
        /// What should come before it.
        second: String,
    },
    /// Two entries have one path.
    #[error("`{path}` is in the tree twice")]
    Twice {
        /// The path.
        path: String,
    },
    /// Two paths that a file system which ignores case takes for one.
    #[error("`{first}` and `{second}` differ only by case")]
    Collision {
        /// The path that comes first.
        first: String,
        /// The other.
        second: String,
    },
    /// A file is below another file, or below a link.
    #[error("`{path}` is below `{above}`, which is not a folder")]
    Below {
        /// The file.
        path: String,
        /// What is above it.
        above: String,
    },
    /// A link's target has no bytes, or more than a path may have.
    #[error("the link `{path}` has a target of {size} bytes")]
    LinkSize {
        /// The link.
        path: String,
        /// Its size.
        size: u64,
    },
    /// The sizes together are more than a number can hold.
    #[error("the files of the tree have more bytes than can be counted")]
    Overflow,
}

impl TreeManifest {
    /// Makes a manifest of entries that are in order.
    ///
    /// # Errors
    ///
    /// When they are not sorted, when two paths are equal after case folding, when something is
    /// below a file or a link, or when a link has an impossible size.
    pub fn from_entries(entries: Vec<Entry>) -> Result<Self, ManifestError> {
        let unpacked = check::check(&entries)?;
        let text = text::print(&entries);
        Ok(Self { entries, text_bytes: text.len() as u64, unpacked, digest: Digest::of(&text) })
    }

    /// Makes a manifest of entries in any order.
    ///
    /// # Errors
    ///
    /// As [`TreeManifest::from_entries`], but for the order.
    pub fn from_unsorted(mut entries: Vec<Entry>) -> Result<Self, ManifestError> {
        entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Self::from_entries(entries)
    }

    /// Reads the one text of a tree's manifest.
    ///
    /// # Errors
    ///
    /// When `text` is anything but what [`TreeManifest::to_text`] prints for some tree.
    pub fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        let entries = text::parse(text)?;
        let unpacked = check::check(&entries)?;
        Ok(Self { entries, text_bytes: text.len() as u64, unpacked, digest: Digest::of(text) })
    }

    /// The text whose digest names the tree.
    pub fn to_text(&self) -> String {
        text::print(&self.entries)
    }

    /// The digest that names the tree: the BLAKE3 hash of [`TreeManifest::to_text`].
    pub fn digest(&self) -> TreeDigest {
        self.digest
    }

    /// The files and links, sorted by the bytes of their paths.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry at `path`.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by(|entry| entry.path.as_str().cmp(path)).ok()?;
        Some(&self.entries[found])
    }

    /// The folders of the tree, sorted, those above others too; not the tree's own.
    pub fn folders(&self) -> BTreeSet<&str> {
        let mut folders = BTreeSet::new();
        for entry in &self.entries {
            let mut path = entry.path.as_str();
            while let Some((folder, _)) = path.rsplit_once('/')
                && folders.insert(folder)
            {
                path = folder;
            }
        }
        folders
    }

    /// How many bytes all files have together.
    pub fn unpacked_size(&self) -> u64 {
        self.unpacked
    }

    /// How many files and links there are.
    pub fn files(&self) -> u64 {
        self.entries.len() as u64
    }

    /// How many bytes [`TreeManifest::to_text`] has.
    pub(crate) fn text_bytes(&self) -> u64 {
        self.text_bytes
    }
}

impl Mode {
    /// The letter that stands for it in a manifest.
    pub fn letter(self) -> char {
        match self {
            Self::File => 'f',
            Self::Executable => 'x',
            Self::Link => 'l',
        }
    }
}

impl fmt::Debug for TreeManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TreeManifest")
            .field("digest", &self.digest)
            .field("files", &self.entries.len())
            .finish()
    }
}
