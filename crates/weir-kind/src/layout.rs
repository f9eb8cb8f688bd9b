//! Layouts: the links and small files by which a project reaches its packages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::LinkTree;

/// The folder, in a project, that belongs to the layout.
pub const PACKAGES_FOLDER: &str = "weir_packages";

/// The folder, below [`PACKAGES_FOLDER`], that link trees lie in, each named by its digest.
pub const LINK_TREES_FOLDER: &str = ".link-trees";

/// A plan of links and small files, below [`PACKAGES_FOLDER`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    /// Links.
    pub links: Vec<LayoutLink>,
    /// Files.
    pub files: Vec<LayoutFile>,
    /// Folders of links to files.
    pub link_trees: Vec<LayoutLinkTree>,
    /// Files of the project itself, relative to it, which are written where there are none, and are
    /// the user's from then on.
    pub starters: Vec<LayoutFile>,
    /// What the user should know, such as a command that two packages offer.
    pub warnings: Vec<String>,
}

/// A link to be made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayoutLink {
    /// Where, relative to [`PACKAGES_FOLDER`], `/`-separated.
    pub path: String,
    /// To what: relative to the link's folder, or absolute.
    pub target: PathBuf,
}

/// A file to be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LayoutFile {
    /// Where, relative to [`PACKAGES_FOLDER`], `/`-separated.
    pub path: String,
    /// What is in it.
    pub contents: Vec<u8>,
    /// Whether it can be executed.
    pub executable: bool,
}

/// A link tree to be made, with a link to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayoutLinkTree {
    /// Where programs find it: the link's path relative to [`PACKAGES_FOLDER`], `/`-separated.
    pub path: String,
    /// Its name in [`LINK_TREES_FOLDER`]: the digest of all that decides what is in it.
    pub name: String,
    /// The absolute path that its files name as their own.
    pub seen: PathBuf,
    /// What is in it.
    pub link_tree: LinkTree,
}

impl Layout {
    /// Adds a link tree, and the link at `path` by which it is found. `project` is the project's folder, absolute.
    pub fn link_tree(&mut self, project: &Path, path: impl Into<String>, link_tree: LinkTree) {
        let path = path.into();
        let seen = project.join(PACKAGES_FOLDER).join(&path);
        let name = link_tree.digest(&seen).to_hex();
        let up = "../".repeat(path.matches('/').count());
        self.link(path.clone(), format!("{up}{LINK_TREES_FOLDER}/{name}"));
        self.link_trees.push(LayoutLinkTree { path, name, seen, link_tree });
    }

    /// Adds a link.
    pub fn link(&mut self, path: impl Into<String>, target: impl Into<PathBuf>) {
        self.links.push(LayoutLink { path: path.into(), target: target.into() });
    }

    /// Adds everything of another layout.
    pub fn extend(&mut self, other: Layout) {
        self.links.extend(other.links);
        self.files.extend(other.files);
        self.link_trees.extend(other.link_trees);
        self.starters.extend(other.starters);
        self.warnings.extend(other.warnings);
    }

    /// Puts the plan in order, and leaves out what is planned twice the same.
    ///
    /// # Errors
    ///
    /// The path that is planned twice, differently.
    pub fn settle(mut self) -> Result<Self, String> {
        self.links.sort_unstable();
        self.links.dedup();
        self.files.sort_unstable();
        self.files.dedup();
        let mut seen = BTreeMap::new();
        let paths = self.links.iter().map(|link| &link.path).chain(self.files.iter().map(|file| &file.path));
        for path in paths {
            if seen.insert(path.clone(), ()).is_some() {
                return Err(path.clone());
            }
        }
        Ok(self)
    }
}
