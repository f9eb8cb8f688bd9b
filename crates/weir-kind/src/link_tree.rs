//! Link trees: folders of links into the store that many packages share.
//!
//! Where a program must find the files of many packages in one folder, links to folders do not do. A link tree has
//! a hard link for each file, which costs no space and one system call. Some text files must name
//! the folder that they lie in; they are written anew.
//!
//! What a link tree is made of is decided here; [`make`] carries it out, [`place`] writes paths anew.

mod make;
mod place;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use weir_fs::Folder;
use weir_model::{Digest, EntryDigest, Sha256};
use weir_tree::{LinkTarget, TreePath};

pub use place::{find_path, replace_path};

/// The largest file that is written anew, in bytes.
pub const MAX_REWRITTEN: u64 = 16 << 20;

/// The first line of what a link tree's digest is computed of. It grows when link trees of the same plan are made otherwise.
const FORMAT: &str = "weir-link-tree v1";

/// A plan of a folder, file by file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkTree {
    /// The path that files which are written anew name in place of the link tree's own.
    pub prefix: &'static str,
    /// The files and links, sorted by path, none twice and none below another.
    pub files: Vec<LinkTreeFile>,
}

/// A file or link of a link tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTreeFile {
    /// Where it is, relative to the link tree.
    pub path: TreePath,
    /// What it is.
    pub content: LinkTreeContent,
}

/// What the files of a link tree have to do with their originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They are the same files, under another name, where the file system permits it.
    Linked,
    /// They are files of their own, which may be written to. The file system shares their blocks where it can.
    Copied,
}

/// What a file of a link tree is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTreeContent {
    /// The same file as one elsewhere.
    Same(Original),
    /// That file, with the link tree's place in it wherever it has the prefix.
    Rewritten(Original),
    /// A symbolic link that stays within the link tree.
    Link(LinkTarget),
}

/// A file elsewhere, mostly in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Where it is.
    pub file: PathBuf,
    /// The digest of its bytes.
    pub digest: EntryDigest,
    /// Whether it can be executed.
    pub executable: bool,
}

impl LinkTree {
    /// The digest of all that decides what [`LinkTree::make`] makes for the place `seen`.
    pub fn digest(&self, seen: &Path) -> Sha256 {
        let mut text = format!("{FORMAT}\n{}\n", self.prefix).into_bytes();
        text.extend_from_slice(seen.as_os_str().as_encoded_bytes());
        for file in &self.files {
            match &file.content {
                LinkTreeContent::Same(original) => original.describe("\nsame ", &file.path, &mut text),
                LinkTreeContent::Rewritten(original) => {
                    original.describe("\nrewritten ", &file.path, &mut text);
                }
                // A target has no line breaks, and neither has a path.
                LinkTreeContent::Link(target) => {
                    for part in ["\nlink ", target.as_str(), "\n", file.path.as_str()] {
                        text.extend_from_slice(part.as_bytes());
                    }
                }
            }
        }
        Digest::of(text)
    }

    /// Makes the link tree at `at`, where programs see it as `seen`: an absolute path, and another than `at` where a
    /// sandbox shows it elsewhere. What was at `at` is replaced: there is all of the old or all of the new.
    ///
    /// # Errors
    ///
    /// When a file cannot be linked, read or written, or when `seen` has characters that the scripts in
    /// the link tree would take for syntax.
    pub fn make(&self, at: &Path, seen: &Path) -> io::Result<()> {
        self.make_of(at, seen, Files::Linked)
    }

    /// The same in a folder that is open, under `name`.
    ///
    /// # Errors
    ///
    /// As [`LinkTree::make`].
    pub fn make_in(&self, folder: &Folder, name: impl AsRef<OsStr>, seen: &Path) -> io::Result<()> {
        self.check_place(seen)?;
        make::make(self, folder, name.as_ref(), seen, Files::Linked)
    }

    /// As [`LinkTree::make`], with files as `files` says.
    ///
    /// # Errors
    ///
    /// As [`LinkTree::make`].
    pub fn make_of(&self, at: &Path, seen: &Path, files: Files) -> io::Result<()> {
        let (Some(folder), Some(name)) = (at.parent(), at.file_name()) else {
            let message = format!("`{}` is not a place for a folder", at.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        self.check_place(seen)?;
        make::make(self, &Folder::make(folder)?, name, seen, files)
    }

    fn check_place(&self, seen: &Path) -> io::Result<()> {
        if let Some(file) =
            self.files.iter().find(|file| matches!(file.content, LinkTreeContent::Rewritten(_)))
        {
            place::check(seen, &file.path)?;
        }
        Ok(())
    }
}

impl Original {
    /// One line of what a link tree's digest is computed of. A link tree has thousands, so nothing is formatted.
    fn describe(&self, what: &str, path: &TreePath, text: &mut Vec<u8>) {
        let executable = if self.executable { "true" } else { "false" };
        for part in [what, executable, " ", EntryDigest::PREFIX, &self.digest.to_hex(), " ", path.as_str()] {
            text.extend_from_slice(part.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests;
