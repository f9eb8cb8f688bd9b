//! What can go wrong for a project.

use std::ops::Range;
use std::path::{Path, PathBuf};

use weir_fs::FsError;
use weir_git::{Fault, GitError};
use weir_model::address::without_secrets;
use weir_model::advisory::{AdvisoryId, OsvError};
use weir_model::amounts::bytes;
use weir_model::lockfile::LockfileError;
use weir_model::manifest::{GitTag, Reference};
use weir_model::{
    InputDigest, LicenseError, ManifestError, OwnerName, PackageName, Platform, ReleaseId, Sha256,
    TreeDigest, chain,
};
use weir_package::PackageError;
use weir_reach::{Offline, ReachError};

/// Why something could not be done for a project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// There is no project.
    #[error("there is no {} in `{}` or any folder above it", manifests(), start.display())]
    NoProject {
        /// Where it was looked for first.
        start: PathBuf,
    },
    /// There is a project already.
    #[error("there is a `{file}` in `{}` already", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
        /// Its manifest.
        file: &'static str,
    },
    /// Something is where a new folder is to be.
    #[error("`{}` is there already", folder.display())]
    FolderExists {
        /// The folder.
        folder: PathBuf,
    },
    /// The manifest is wrong.
    #[error("{error}")]
    Manifest {
        /// Where it is.
        path: PathBuf,
        /// Its text.
        text: String,
        /// What is wrong with it.
        error: Box<ManifestError>,
    },
    /// The lockfile is wrong.
    #[error("`{}`: {error}", path.display())]
    Lockfile {
        /// Where it is.
        path: PathBuf,
        /// Its text.
        text: String,
        /// What is wrong with it.
        #[source]
        error: LockfileError,
    },
    /// A lockfile that would be written could not be read again.
    #[error("nothing was written: {0}")]
    NotWritable(#[source] LockfileError),
    /// Files that are to be advisories cannot be understood.
    #[error(
        "{} cannot be understood, and nothing was imported:{}",
        if *count == 1 { "an advisory".to_owned() } else { format!("{count} advisories") },
        problems.iter().take(10).map(|(file, error)| format!("\n  `{}`: {error}", file.display())).collect::<String>()
    )]
    Advisories {
        /// The files, and what is wrong with each: the first of them.
        problems: Vec<(PathBuf, OsvError)>,
        /// How many there are.
        count: usize,
    },
    /// There are too many files.
    #[error("`{}` has more than {most} files below it, which are not all read", folder.display())]
    TooManyFiles {
        /// The folder.
        folder: PathBuf,
        /// How many are allowed.
        most: usize,
    },
    /// There is no such advisory.
    #[error("the registry knows no advisory `{id}`")]
    UnknownAdvisory {
        /// The name that was looked for.
        id: AdvisoryId,
        /// One that was perhaps meant.
        similar: Option<String>,
    },
    /// Nobody said what a registry need not keep.
    #[error("the registry `{registry}` keeps everything")]
    KeepsEverything {
        /// The registry.
        registry: String,
    },
    /// Nothing is stored for an owner.
    #[error("the registry `{registry}` holds nothing of `{owner}`")]
    HoldsNothing {
        /// The owner.
        owner: OwnerName,
        /// The registry.
        registry: String,
    },
    /// The lockfile is needed and not there.
    #[error("there is no `weir.lock`, and `--locked` forbids to make one")]
    NotLocked,
    /// The lockfile does not fit the manifest.
    #[error("`weir.lock` is not what `{manifest}` asks for, and `--locked` forbids to change it: {reason}")]
    LockOutdated {
        /// The name of the manifest.
        manifest: &'static str,
        /// What differs.
        reason: String,
    },
    /// The requirements cannot be met.
    #[error("{0:#}")]
    NoResolution(Box<weir_resolve::Explanation>),
    /// Two platforms that the manifest names would each want another version of what is the same on both.
    #[error(
        "one lockfile cannot serve `{here}` and `{there}`: they would not have the same releases for `any` platform"
    )]
    PlatformsApart {
        /// The one that was resolved for first.
        here: Platform,
        /// The other.
        there: Platform,
    },
    /// The resolver failed.
    #[error("{0}")]
    Resolver(String),
    /// A dependency from a folder is not what was asked for.
    #[error("`{origin}` asks for `{name}` in `{}`: {reason}", folder.display())]
    PathDependency {
        /// Where it is asked for.
        origin: String,
        /// The package.
        name: PackageName,
        /// The folder.
        folder: PathBuf,
        /// Whether there is nothing.
        missing: bool,
        /// What is wrong.
        reason: String,
    },
    /// Packages from folders or git tags need each other in a circle.
    #[error("packages from folders need each other in a circle: `{}`", labels.join("` → `"))]
    Circle {
        /// The folders, as the project sees them, and repositories with their tags; the first stands at the end again.
        labels: Vec<String>,
    },
    /// A dependency from git cannot be had.
    #[error("`{origin}` asks for `{name}` at the tag `{tag}` of `{url}`: {reason}")]
    Git {
        /// Where it is asked for.
        origin: String,
        /// The package.
        name: PackageName,
        /// The repository.
        url: String,
        /// The tag.
        tag: String,
        /// What is wrong.
        reason: String,
        /// What sort of thing that is.
        fault: Fault,
    },
    /// The content of a release did not come.
    #[error("`{id}` could not be fetched from the registry `{registry}`")]
    NotFetched {
        /// The release.
        id: ReleaseId,
        /// The name of the registry.
        registry: String,
        /// What the registry, or a proxy on the way to it, did instead.
        source: weir_log::SourceError,
    },
    /// A registry does not hold what it offers, or withdrew it.
    #[error(
        "the registry at `{location}` does not serve the content of `{id}` (tree {tree}){}",
        lost.as_ref().map(|lost| format!(": {lost}")).unwrap_or_default()
    )]
    ContentMissing {
        /// Where the registry is.
        location: String,
        /// The release.
        id: ReleaseId,
        /// Its tree.
        tree: TreeDigest,
        /// Why it was withdrawn, if it was.
        withdrawn: Option<String>,
        /// What is not there, if it is a part of it.
        lost: Option<String>,
    },
    /// A registry offers other content than the lockfile has, under the digest of the same inputs: one of both was changed.
    #[error(
        "for the inputs {inputs} of `{id}`, `weir.lock` has the tree {locked}, and the registry at `{location}` offers {offered}"
    )]
    OtherThanLocked {
        /// Where the registry is.
        location: String,
        /// The release.
        id: ReleaseId,
        /// The digest of its inputs.
        inputs: InputDigest,
        /// The tree in the lockfile.
        locked: TreeDigest,
        /// That of the registry.
        offered: TreeDigest,
    },
    /// Content is not what the lockfile or the log says.
    #[error("the content of `{id}` from `{location}` is not what it must be: {reason}")]
    WrongContent {
        /// Where it came from.
        location: String,
        /// The release.
        id: ReleaseId,
        /// What is wrong.
        reason: String,
    },
    /// An external file that may move has moved, and the bytes that are locked are nowhere to be had.
    #[error(
        "the reference `{name}` has moved since it was locked: its addresses have other bytes now, and those of `weir.lock` ({sha256}) are neither in the store nor in the registry"
    )]
    ReferenceMoved {
        /// Its name.
        name: String,
        /// The digest of the bytes that are locked.
        sha256: Sha256,
    },
    /// An external file could not be had.
    #[error("the reference `{name}` could not be fetched: {reason}")]
    Reference {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
        /// What sort of failure it is.
        problem: ReferenceProblem,
    },
    /// There is no room for something in the store.
    #[error(
        "the disk is full{}: `{what}` takes {}{}",
        if free.is_some() { "" } else { ", or what this user may have of it" },
        bytes(*needs),
        free.map(|free| format!(", and {} are free where the store is", bytes(free))).unwrap_or_default()
    )]
    NoRoom {
        /// A release or a reference, in words.
        what: String,
        /// The bytes of its files.
        needs: u64,
        /// The bytes that are free, if it is those that are too few.
        free: Option<u64>,
        /// The folder that the store is in.
        store: PathBuf,
    },
    /// Several things that were fetched at once could not be had.
    #[error("{} things could not be fetched: {}", .0.len(), .0.iter().map(|error| chain(error)).collect::<Vec<_>>().join("; "))]
    Several(Vec<ProjectError>),
    /// What is installed is not what it must be.
    #[error("{} of what is installed {} not what it must be", problems.len(), if problems.len() == 1 { "thing is" } else { "things are" })]
    Damaged {
        /// What is wrong.
        problems: Vec<String>,
    },
    /// A project belongs to somebody else.
    #[error("the project in `{}` belongs to another user (number {owner})", folder.display())]
    OtherOwner {
        /// Its folder.
        folder: PathBuf,
        /// The user's number.
        owner: u32,
    },
    /// A reference without a digest names a file outside of its manifest's folder.
    #[error(
        "the reference `{}` names a file outside of `{}`, and no digest of it: `{}`",
        reference.name,
        folder.display(),
        file.display()
    )]
    OutsideFile {
        /// The reference.
        reference: Box<Reference>,
        /// The file, where links lead.
        file: PathBuf,
        /// The folder with the manifest.
        folder: PathBuf,
    },
    /// A dependency names a tag of a repository on this machine, and nobody who uses the machine did.
    #[error("`{origin}` asks for `{name}` from a repository of this machine: `{}`", repository.display())]
    LocalRepository {
        /// Where it is asked for.
        origin: String,
        /// The package.
        name: PackageName,
        /// The tag.
        git: GitTag,
        /// The repository's folder, where links lead.
        repository: PathBuf,
        /// The folder with the manifest.
        folder: PathBuf,
    },
    /// A path in the layout folder is not the layout's.
    #[error("`{}` is in the way: it was not made by weir", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
    },
    /// A command in the layout folder is not what the layout put there.
    #[error(
        "`{}` is not what this user's Weir put there, and would come before the system's commands on the `PATH`",
        path.display()
    )]
    StrangeCommand {
        /// The command.
        path: PathBuf,
    },
    /// Two layouts want the same path.
    #[error("two packages want `{path}` in `weir_packages`")]
    LayoutCollision {
        /// The path.
        path: String,
    },
    /// A file with a batch does not read.
    #[error("`{}`: {reason}", path.display())]
    BatchFile {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The package cannot be published as it is.
    #[error("`{}` cannot be published: {reason}", folder.display())]
    NotPublishable {
        /// The package's folder.
        folder: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// What it says of its licence is no licence expression.
    #[error("`{}` cannot be published: {error}", folder.display())]
    License {
        /// The package's folder.
        folder: PathBuf,
        /// What is wrong with it.
        error: LicenseError,
    },
    /// Files of a package are probably secrets.
    #[error("`{id}` would make public what is probably secret: {}", listed(files))]
    Secrets {
        /// The release it would be.
        id: ReleaseId,
        /// The files, and why each is thought to be one.
        files: Vec<(String, &'static str)>,
    },
    /// A command was not found.
    #[error(
        "there is no command `{command}`: not a script of `weir.toml`, not of an installed package, not on the PATH"
    )]
    UnknownCommand {
        /// What was asked for.
        command: String,
        /// A command that may have been meant.
        similar: Option<String>,
    },
    /// The caller asked for something that does not go together.
    #[error("{0}")]
    Usage(String),
    /// Something is not there.
    #[error("{0}")]
    NotFound(String),
    /// It is not on this machine, which is offline.
    #[error(transparent)]
    Offline(#[from] Offline),
    /// A repository does not give what it did.
    #[error(transparent)]
    Repository(#[from] GitError),
    /// A registry is not known, not reached, or not believed.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// A package is of a kind that this program does not handle.
    #[error(transparent)]
    NotHandled(#[from] weir_kinds::NotHandled),
    /// What a record says that its kind found out cannot be.
    #[error("the record of `{id}` is refused: {reason}")]
    Facts {
        /// The release.
        id: ReleaseId,
        /// What is wrong.
        reason: weir_kind::BadFacts,
    },
    /// A kind refuses.
    #[error(transparent)]
    Kind(#[from] weir_kind::KindError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] weir_store::StoreError),
    /// A tree or a pack is wrong.
    #[error(transparent)]
    Tree(#[from] weir_tree::TreeError),
    /// A foreign archive is refused.
    #[error(transparent)]
    Import(#[from] weir_tree::ImportError),
    /// A registry refused a batch.
    #[error(transparent)]
    Submit(#[from] weir_registry::SubmitError),
    /// A registry's content cannot be used.
    #[error(transparent)]
    Content(#[from] weir_registry::content::ContentError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// A file of a registry cannot be read.
    #[error(transparent)]
    Source(#[from] weir_log::SourceError),
    /// A file of a project, or of the user's own, cannot be used.
    #[error(transparent)]
    File(#[from] FsError),
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl ProjectError {
    /// Of the package in `folder`.
    pub(crate) fn of_package(folder: &Path, error: PackageError) -> Self {
        let not_publishable = |reason: String| Self::NotPublishable { folder: folder.into(), reason };
        match error {
            PackageError::NoManifest => Self::NoProject { start: folder.into() },
            PackageError::Manifest { path, text, error } => Self::Manifest { path, text, error },
            PackageError::NotPublishable(reason) => not_publishable(reason),
            PackageError::NotToml(reason) => Self::Usage(reason),
            PackageError::Facts(error) => not_publishable(error.to_string()),
            PackageError::Address(error) => not_publishable(error.to_string()),
            PackageError::License(error) => Self::License { folder: folder.into(), error },
            PackageError::NotHandled(error) => error.into(),
            PackageError::Kind(error) => error.into(),
            PackageError::File(error) => error.into(),
            PackageError::Tree(error) => error.into(),
        }
    }

    /// Of the store, which was to keep what is called `what` and takes so many bytes if that is known.
    pub(crate) fn of_store(
        store: &weir_store::Session,
        what: &impl ToString,
        needs: Option<u64>,
        error: weir_store::StoreError,
    ) -> Self {
        match (error, needs) {
            (weir_store::StoreError::DiskFull { .. }, Some(needs)) => Self::no_room(store, what, needs),
            (error, _) => error.into(),
        }
    }

    /// Of a full disk, on which the store was to keep what is called `what`.
    pub(crate) fn no_room(store: &weir_store::Session, what: &impl ToString, needs: u64) -> Self {
        let store = store.store();
        let free = store.free_bytes().filter(|free| *free < needs);
        Self::NoRoom { what: what.to_string(), needs, free, store: store.root().to_owned() }
    }

    /// Of a tag that `origin` asks for under the name of a package.
    pub fn from_git(origin: &str, name: &PackageName, asked: &GitTag, error: GitError) -> Self {
        match error {
            GitError::Unavailable { reason, fault, .. } => Self::Git {
                origin: origin.into(),
                name: name.clone(),
                url: without_secrets(&asked.url).into_owned(),
                tag: asked.tag.clone(),
                reason,
                fault,
            },
            error => error.into(),
        }
    }

    /// The text that the error is about, with its place, if it is about one.
    pub fn source_code(&self) -> Option<(&Path, &str, Range<usize>)> {
        match self {
            Self::Manifest { path, text, error } => Some((path, text, error.span.clone())),
            Self::Lockfile { path, text, error: LockfileError::Unreadable { span: Some(span), .. } } => {
                Some((path, text, span.clone()))
            }
            _ => None,
        }
    }
}

/// Files with why they are named, as many as a person reads.
fn listed(files: &[(String, &'static str)]) -> String {
    const SHOWN: usize = 10;
    let mut lines: Vec<String> =
        files.iter().take(SHOWN).map(|(path, why)| format!("`{path}` ({why})")).collect();
    if let Some(more) = files.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {more} more"));
    }
    lines.join(", ")
}

/// Why an external file could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceProblem {
    /// What came, or what is said about it, is wrong.
    Wrong,
    /// Nobody who was asked has it.
    Absent,
    /// Somebody who was asked could not be read, or refused.
    Source(weir_log::SourceError),
    /// Something else.
    Other,
}

/// What a project is known by.
fn manifests() -> String {
    let names: Vec<String> = crate::Project::manifest_files().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}
