//! What a kind of package is: the seam that every ecosystem implements.
//!
//! A kind reads its ecosystem's own manifest, inspects a release before it is published, and plans
//! how packages are laid out for use. It never runs a package's code, and it carries nothing out
//! itself: a layout is a plan of links, small files and link trees, which the project applies.
//! To add an ecosystem is to write a crate that implements [`Kind`] and to add a row to the table.

mod facts;
mod files;
mod generic;
mod layout;
mod link_tree;
mod own_manifest;

use std::path::PathBuf;

use weir_model::{KindName, Manifest, PackageName, Platform, Range, ReleaseId, Version};
use weir_store::Session;
use weir_tree::TreeManifest;

pub use facts::{BadFacts, check_words};
pub use files::{FileContent, PackageFiles, read_file, read_text};
pub use generic::{Generic, inspect as inspect_generic, lay_out as lay_out_generic, packages_map};
pub use layout::{LINK_TREES_FOLDER, Layout, LayoutFile, LayoutLink, LayoutLinkTree, PACKAGES_FOLDER};
pub use link_tree::{
    Files as LinkTreeFiles, LinkTree, LinkTreeContent, LinkTreeFile, MAX_REWRITTEN, Original, find_path,
    replace_path,
};
pub use own_manifest::{Chosen, NewManifest, OwnManifest, Said, Settled};

/// What a kind found out about a release, in the record and the lockfile.
pub type Facts = serde_json::Map<String, serde_json::Value>;

/// An ecosystem.
pub trait Kind: Send + Sync {
    /// Which kind this is.
    fn name(&self) -> KindName;

    /// The files of a new package, beside its `weir.toml`, and what that needs beyond `[package]`.
    fn scaffold(&self, package: &str) -> Scaffold;

    /// What the ecosystem's own manifest among `files` says, as the text of a `weir.toml`; `None` when it has none.
    ///
    /// # Errors
    ///
    /// When there is one that cannot be understood.
    fn read_foreign(&self, files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError>;

    /// What a folder without any manifest probably offers, as TOML to be put below `[package]`; `None` when there is nothing of this
    /// kind in it.
    ///
    /// # Errors
    ///
    /// When a file of it cannot be read.
    fn guess(&self, _files: &dyn PackageFiles, _tree: &TreeManifest) -> Result<Option<String>, KindError> {
        Ok(None)
    }

    /// Whether a release is compared with the one before it when it is published.
    fn compares(&self) -> bool {
        false
    }

    /// What policies may want to know of a version beside the one `before` it: of the numbers, and of the files where they are there. It is
    /// told to them and is in no record, for it is true of one registry only.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    fn compare(
        &self,
        _version: &Version,
        _before: Option<&Version>,
        _files: Option<&dyn PackageFiles>,
        _files_before: Option<&dyn PackageFiles>,
    ) -> Result<Facts, KindError> {
        Ok(Facts::new())
    }

    /// Checks a release, and finds out what its kind needs to know about it. Whoever publishes it does so, and the registry
    /// does again with what was uploaded: of the same files and manifest it finds the same facts.
    ///
    /// # Errors
    ///
    /// When it may not be published as it is.
    fn inspect(
        &self,
        files: &dyn PackageFiles,
        manifest: &Manifest,
        tree: &TreeManifest,
    ) -> Result<Inspection, KindError>;

    /// The same for what was built from a recipe for `platform`, and has no manifest.
    ///
    /// # Errors
    ///
    /// When it may not be published as it is, and of every kind whose packages are not built from recipes.
    fn inspect_built(
        &self,
        _files: &dyn PackageFiles,
        _tree: &TreeManifest,
        _platform: &Platform,
    ) -> Result<Facts, KindError> {
        Err(KindError::NotAllowed(format!(
            "packages of the kind `{}` are not built from recipes",
            self.name()
        )))
    }

    /// What a publisher should know besides, and takes longer to find out; a registry does not ask for it.
    ///
    /// # Errors
    ///
    /// When a file cannot be read.
    fn look_closer(
        &self,
        _files: &dyn PackageFiles,
        _tree: &TreeManifest,
        _facts: &Facts,
    ) -> Result<Vec<String>, KindError> {
        Ok(Vec::new())
    }

    /// Checks what a record, a lockfile or a draft says that this kind found out, as if an enemy had written it.
    ///
    /// # Errors
    ///
    /// [`BadFacts`] when it is not what inspecting a package can give.
    fn check_facts(&self, facts: &Facts) -> Result<(), BadFacts> {
        check_words(facts)
    }

    /// Plans how the packages of this kind in `closure` are laid out in a project. May make derived
    /// trees in the store, which is how a package is rewritten without being touched.
    ///
    /// # Errors
    ///
    /// When they cannot stand side by side.
    fn lay_out(&self, closure: &Closure, store: &Session) -> Result<Layout, KindError>;

    /// Does a project want to be laid out by this kind before it uses any package of it, because files must be there, or because
    /// what it says of such packages is to be looked at?
    fn lays_out_without_packages(&self, _project: &ProjectPlace) -> bool {
        false
    }

    /// The manifest that tools of its ecosystem read, if a project of this kind says there, and not in a `weir.toml`, what it asks for.
    fn own_manifest(&self) -> Option<&'static dyn OwnManifest> {
        None
    }

    /// The tool that a release was written for, as a package of which a project uses one version, and the versions of it that will do.
    fn tool(&self, _facts: &Facts) -> Option<(PackageName, Range)> {
        None
    }

    /// Can a layout hold copies of a package's files, where other kinds only link to its folder? Then a layout is out of date
    /// as soon as any file of a package in somebody's folder changes.
    fn copies_files(&self) -> bool {
        false
    }
}

impl From<weir_fs::FsError> for KindError {
    fn from(error: weir_fs::FsError) -> Self {
        Self::Io(error.into())
    }
}

/// The files of a new package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scaffold {
    /// TOML to be put below `[package]` in its `weir.toml`.
    pub manifest: String,
    /// Files: path, text, and whether it can be executed.
    pub files: Vec<(String, String, bool)>,
}

/// An ecosystem's own manifest, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreign {
    /// The file that was read.
    pub file: PathBuf,
    /// The same as a `weir.toml`.
    pub manifest: String,
    /// What was doubtful, and how it was understood.
    pub warnings: Vec<String>,
}

/// What inspecting a release found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inspection {
    /// What goes into the record.
    pub facts: Facts,
    /// What the publisher should know.
    pub warnings: Vec<String>,
}

/// The packages a project uses, each with where it is on this machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Closure {
    /// Every package, sorted by release.
    pub packages: Vec<Placed>,
    /// The project that uses them.
    pub project: ProjectPlace,
}

/// What a kind may know of the project that it lays packages out for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProjectPlace {
    /// Its folder, absolute and free of links.
    pub folder: PathBuf,
    /// What sort of package it is itself.
    pub kind: KindName,
    /// The text of the table in its manifest that says how Bash packages are used in it.
    pub bash: Option<String>,
    /// Where what is built in it is to run.
    pub platform: Platform,
}

/// One package of a closure.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Which release it is.
    pub id: ReleaseId,
    /// What sort of package it is.
    pub kind: KindName,
    /// Whether the project asks for it itself.
    pub direct: bool,
    /// Its files: a tree of the store, or the folder a path dependency names.
    pub content: PathBuf,
    /// What its kind found out about it when it was published.
    pub facts: Facts,
    /// The releases it uses.
    pub dependencies: Vec<ReleaseId>,
    /// Its references by name, and where their bytes are: a file, or a folder if they were unpacked.
    pub references: Vec<(String, PathBuf)>,
}

impl Closure {
    /// The package that is this release.
    pub fn get(&self, id: &ReleaseId) -> Option<&Placed> {
        self.packages.binary_search_by(|placed| placed.id.cmp(id)).ok().map(|index| &self.packages[index])
    }
}

/// Why a kind refuses.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// A file of the package cannot be read, or is not what it should be.
    #[error("`{}`: {reason}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A command, a completion or a man page is offered by two packages.
    #[error("`{file}` is offered by both `{first}` and `{second}`")]
    Collision {
        /// What both offer, such as `bin/greet`.
        file: String,
        /// One that offers it.
        first: Box<ReleaseId>,
        /// The other.
        second: Box<ReleaseId>,
    },
    /// Packages cannot be laid into one folder.
    #[error("{0}")]
    Clash(String),
    /// The manifest asks for something that this kind does not allow.
    #[error("{0}")]
    NotAllowed(String),
    /// The store failed.
    #[error(transparent)]
    Store(Box<dyn std::error::Error + Send + Sync>),
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
