//! What can go wrong for a project, and what to do about it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use weir_build::RootError;
use weir_log::{Distrust, SourceError};
use weir_model::lockfile::LockfileError;
use weir_model::{Digest, ManifestError, PackageName, ReleaseId};
use weir_registry::{Diamond, OpenError, ReplicaError, SubmitError};

use crate::repo::FailedBuild;

/// An error with everything that led to it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// All went well.
    Done = 0,
    /// Something failed that has no code of its own.
    Failed = 1,
    /// The program was called wrongly.
    Usage = 2,
    /// The requirements cannot be met together.
    NoResolution = 3,
    /// A policy said no.
    Refused = 4,
    /// Something is not there, or the machine is offline and does not have it.
    NotFound = 5,
    /// A hash, a signature or a log is not what it must be.
    Integrity = 6,
    /// A build failed.
    BuildFailed = 7,
    /// Something would be overwritten, or the closed world broken.
    Conflict = 8,
    /// The user stopped it.
    Interrupted = 130,
}

/// Why something could not be done for a project.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It was asked to stop.
    #[error("it was interrupted")]
    Interrupted,
    /// There is no project.
    #[error("there is no `weir.toml` in `{}` or any folder above it", start.display())]
    NoProject {
        /// Where it was looked for first.
        start: PathBuf,
    },
    /// There is a project already.
    #[error("there is a `weir.toml` in `{}` already", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
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
    /// The lockfile is needed and not there.
    #[error("there is no `weir.lock`, and `--locked` forbids to make one")]
    NotLocked,
    /// The lockfile does not fit the manifest.
    #[error("`weir.lock` is not what `weir.toml` asks for, and `--locked` forbids to change it: {reason}")]
    LockOutdated {
        /// What differs.
        reason: String,
    },
    /// The user's configuration is wrong.
    #[error("`{}`: {reason}", path.display())]
    Config {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No registry is known.
    #[error("no registry is known for {wanted}")]
    NoRegistry {
        /// For what one is wanted.
        wanted: String,
    },
    /// A registry was named that is not known.
    #[error("no registry is named `{name}`")]
    UnknownRegistry {
        /// The name.
        name: String,
        /// The one that may have been meant.
        similar: Option<String>,
    },
    /// A registry's address is not one.
    #[error("`{address}` is not the address of a registry: {reason}")]
    BadAddress {
        /// What was given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A registry can only be read.
    #[error("the registry at `{location}` can only be read: it is served as plain files")]
    ReadOnlyRegistry {
        /// Where it is.
        location: String,
    },
    /// The requirements cannot be met.
    #[error("{0}")]
    NoResolution(Box<weir_resolve::Explanation>),
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
        /// What is wrong.
        reason: String,
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
    },
    /// A tag names another commit than it did.
    #[error("the tag `{tag}` of `{url}` moved: it named the commit {before} and names {after} now")]
    TagMoved {
        /// The repository.
        url: String,
        /// The tag.
        tag: String,
        /// The commit that is locked.
        before: String,
        /// The commit it names now.
        after: String,
    },
    /// A package is not there.
    #[error("there is no package `{name}` in {place}")]
    UnknownPackage {
        /// The name.
        name: PackageName,
        /// Where it was looked for.
        place: String,
        /// A name that may have been meant.
        similar: Option<String>,
    },
    /// A version is not there.
    #[error("there is no version {version} of `{name}` in {place}")]
    UnknownVersion {
        /// The package.
        name: PackageName,
        /// The version.
        version: String,
        /// Where it was looked for.
        place: String,
        /// The versions there are.
        versions: Vec<String>,
    },
    /// Content is not on this machine, and the machine is offline.
    #[error("{} not on this machine, which is offline: {}", if missing.len() == 1 { "a release is" } else { "some releases are" }, list(missing))]
    Offline {
        /// What is missing.
        missing: Vec<String>,
    },
    /// A registry does not hold what it offers, or withdrew it.
    #[error("the registry at `{location}` does not serve the content of `{id}` (tree {tree})")]
    ContentMissing {
        /// Where the registry is.
        location: String,
        /// The release.
        id: ReleaseId,
        /// Its tree.
        tree: Digest,
        /// Why it was withdrawn, if it was.
        withdrawn: Option<String>,
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
    /// Outside data could not be had.
    #[error("the reference `{name}` could not be fetched: {reason}")]
    Reference {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
        /// Whether what came was wrong, and not only missing.
        integrity: bool,
    },
    /// What is installed is not what it must be.
    #[error("{} of what is installed {} not what it must be", problems.len(), if problems.len() == 1 { "thing is" } else { "things are" })]
    Damaged {
        /// What is wrong.
        problems: Vec<String>,
    },
    /// A path in the layout folder is not the layout's.
    #[error("`{}` is in the way: it was not made by weir", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
    },
    /// Two layouts want the same path.
    #[error("two packages want `{path}` in `weir_packages`")]
    LayoutCollision {
        /// The path.
        path: String,
    },
    /// The package cannot be published as it is.
    #[error("`{}` cannot be published: {reason}", folder.display())]
    NotPublishable {
        /// The package's folder.
        folder: PathBuf,
        /// What is missing or wrong.
        reason: String,
    },
    /// The recipes of a repository cannot be read.
    #[error(transparent)]
    Recipes(#[from] weir_native::RecipeSetError),
    /// A recipe that is needed is not there.
    #[error(transparent)]
    UnknownRecipe(#[from] weir_native::UnknownRecipe),
    /// A file that a recipe names cannot be used.
    #[error(transparent)]
    RecipeInput(#[from] weir_native::InputError),
    /// There is nothing to build in.
    #[error(transparent)]
    Root(#[from] weir_build::RootError),
    /// Builds cannot be contained.
    #[error(transparent)]
    Sandbox(#[from] weir_build::SandboxError),
    /// A repository is asked to change what is not offered.
    #[error("{reason}")]
    NotOffered {
        /// What is not.
        reason: String,
        /// What to do now.
        help: Option<String>,
    },
    /// What a repository is asked for cannot be.
    #[error("{reason}")]
    Plan {
        /// Why not.
        reason: String,
        /// What to do now.
        help: Option<String>,
    },
    /// A source is not what it was.
    #[error("the source of `{name}` changed: it was the tree {before}, and is {after} now")]
    SourceChanged {
        /// The package.
        name: PackageName,
        /// What it was.
        before: Digest,
        /// What it is.
        after: Digest,
    },
    /// Builds failed.
    #[error("{}", builds_failed(failed, skipped))]
    BuildsFailed {
        /// Those that failed.
        failed: Vec<FailedBuild>,
        /// Those that were not tried because of it.
        skipped: Vec<ReleaseId>,
        /// How many were built, now or earlier.
        built: usize,
    },
    /// Packages do not fit into one sysroot.
    #[error(transparent)]
    Sysroot(#[from] weir_native::SysrootError),
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
    /// A registry could not be followed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// A registry could not be made or opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A registry refused a batch.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// A registry's content cannot be used.
    #[error(transparent)]
    Content(#[from] weir_registry::content::ContentError),
    /// The index failed.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// A file of a registry cannot be read.
    #[error(transparent)]
    Source(#[from] weir_log::SourceError),
    /// A key is unusable.
    #[error(transparent)]
    Key(#[from] weir_log::KeyError),
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn builds_failed(failed: &[FailedBuild], skipped: &[ReleaseId]) -> String {
    let mut text = match failed {
        [one] => format!("`{}` could not be built: {}", one.id, one.reason),
        many => format!("{} packages could not be built", many.len()),
    };
    match skipped.len() {
        0 => {}
        1 => text.push_str("; one more was not tried"),
        count => text.push_str(&format!("; {count} more were not tried")),
    }
    text
}

fn list(items: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<String> = items.iter().take(SHOWN).map(|item| format!("`{item}`")).collect();
    if items.len() > SHOWN {
        shown.push(format!("{} more", items.len() - SHOWN));
    }
    shown.join(", ")
}

impl ProjectError {
    /// How the program ends because of it.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::BadAddress { .. } => ExitCode::Usage,
            Self::NoResolution(_) => ExitCode::NoResolution,
            Self::NoProject { .. }
            | Self::UnknownPackage { .. }
            | Self::UnknownVersion { .. }
            | Self::Offline { .. }
            | Self::ContentMissing { .. }
            | Self::NoRegistry { .. }
            | Self::UnknownRegistry { .. }
            | Self::UnknownCommand { .. }
            | Self::NotFound(_)
            | Self::NotOffered { .. }
            | Self::NotLocked => ExitCode::NotFound,
            Self::WrongContent { .. }
            | Self::TagMoved { .. }
            | Self::SourceChanged { .. }
            | Self::Damaged { .. } => ExitCode::Integrity,
            Self::Recipes(weir_native::RecipeSetError::NotARecipeSet { .. })
            | Self::Root(
                RootError::NotARoot { .. } | RootError::NoFolder { .. } | RootError::NoCompiler { .. },
            ) => ExitCode::NotFound,
            Self::BuildsFailed { .. } => ExitCode::BuildFailed,
            Self::Interrupted => ExitCode::Interrupted,
            Self::Plan { .. } => ExitCode::NoResolution,
            Self::UnknownRecipe(_) => ExitCode::NotFound,
            Self::Sysroot(_) => ExitCode::Conflict,
            Self::Reference { integrity, .. } => {
                if *integrity {
                    ExitCode::Integrity
                } else {
                    ExitCode::NotFound
                }
            }
            Self::Exists { .. }
            | Self::FolderExists { .. }
            | Self::LockOutdated { .. }
            | Self::InTheWay { .. }
            | Self::LayoutCollision { .. } => ExitCode::Conflict,
            Self::Kind(weir_kind::KindError::Collision { .. } | weir_kind::KindError::Clash(_)) => {
                ExitCode::Conflict
            }
            Self::Replica(error) => replica_code(error),
            Self::Open(error) => open_code(error),
            Self::Submit(error) => submit_code(error),
            Self::Store(error) if error.is_integrity() => ExitCode::Integrity,
            Self::Tree(error) if error.is_integrity() => ExitCode::Integrity,
            Self::Content(error) if error.is_integrity() => ExitCode::Integrity,
            Self::Source(weir_log::SourceError::Refused { .. }) => ExitCode::Refused,
            _ => ExitCode::Failed,
        }
    }

    /// What to do now, if that is known.
    pub fn help(&self) -> Option<String> {
        let did_you_mean =
            |similar: &Option<String>| similar.as_ref().map(|name| format!("did you mean `{name}`?"));
        match self {
            Self::Plan { help, .. } | Self::NotOffered { help, .. } => help.clone(),
            Self::Recipes(weir_native::RecipeSetError::NotARecipeSet { .. }) => {
                Some("name the folder with the recipes: `--recipes FOLDER`".into())
            }
            Self::Root(error) => error.help().map(str::to_owned),
            Self::Sandbox(error) => Some(error.help().into()),
            Self::Sysroot(error) => error.help(),
            Self::BuildsFailed { .. } => Some(
                "the registry is as it was; run the same command again when it is mended: what was built is kept"
                    .into(),
            ),
            Self::SourceChanged { .. } => Some(
                "an archive or a tag must not change: ask why it did; if the new content is right, give it another version"
                    .into(),
            ),
            Self::NoProject { .. } => Some("`weir init` makes a project of this folder".into()),
            Self::Exists { .. } => Some("`weir init --force` writes a new one over it".into()),
            Self::FolderExists { .. } => Some("name a folder that is not there yet: `--into FOLDER`".into()),
            Self::Manifest { error, .. } => error.help.clone(),
            Self::Lockfile { .. } => Some("`weir lock` makes it anew from `weir.toml`".into()),
            Self::NotLocked | Self::LockOutdated { .. } => {
                Some("run `weir lock`, look at the difference, and commit `weir.lock`".into())
            }
            Self::NoRegistry { .. } => Some(
                "name one: `weir registry add NAME FOLDER-OR-ADDRESS --default`, or make one: `weir registry init FOLDER`"
                    .into(),
            ),
            Self::UnknownRegistry { similar, .. } => {
                did_you_mean(similar).or_else(|| Some("`weir registry list` shows those that are known".into()))
            }
            Self::ReadOnlyRegistry { .. } => {
                Some("publish where its folder is: `--registry FOLDER`".into())
            }
            Self::UnknownPackage { similar, .. } => did_you_mean(similar).or_else(|| Some("`weir search WORDS` finds packages".into())),
            Self::UnknownVersion { versions, .. } => Some(format!("there are: {}", versions.join(", "))),
            Self::UnknownCommand { similar, .. } => did_you_mean(similar),
            Self::TagMoved { .. } => Some(
                "a tag must not move: ask why it did; if the new content is right, `weir update NAME` takes it".into(),
            ),
            Self::Offline { .. } => Some("run it once without `--offline`, or bring them with `weir store import FILE`".into()),
            Self::ContentMissing { withdrawn, .. } => withdrawn.clone(),
            Self::Damaged { .. } => Some("`weir store repair` fetches damaged trees again; `weir install` mends links".into()),
            Self::InTheWay { .. } => Some("move it away: nothing is replaced but what weir made".into()),
            Self::Replica(error) => replica_help(error),
            Self::Source(error) => source_help(error),
            Self::Open(OpenError::NoKey { .. } | OpenError::OldKey { .. }) => {
                Some("only who has the key can change the registry: copy it from the machine that made it".into())
            }
            Self::Submit(error) => submit_help(error),
            _ => None,
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

fn replica_code(error: &ReplicaError) -> ExitCode {
    match error {
        ReplicaError::NoRegistry(_) | ReplicaError::NeverSynced(_) => ExitCode::NotFound,
        ReplicaError::Source(weir_log::SourceError::Refused { .. }) => ExitCode::Refused,
        ReplicaError::Source(_) | ReplicaError::Io(_) | ReplicaError::Index(_) => ExitCode::Failed,
        ReplicaError::Follow(error) => match **error {
            weir_log::FollowError::NoLog { .. } => ExitCode::NotFound,
            weir_log::FollowError::Source(_) => ExitCode::Failed,
            _ => ExitCode::Integrity,
        },
        ReplicaError::Trust(weir_registry::TrustError::Io(_)) => ExitCode::Failed,
        _ => ExitCode::Integrity,
    }
}

/// What to do about a server that is not believed to be the one that was asked.
fn source_help(error: &SourceError) -> Option<String> {
    let SourceError::Untrusted { why, .. } = error else { return None };
    match why {
        Distrust::UnknownIssuer => Some(
            "if your organisation has an authority of its own, name the file with its certificate: `ca-file = \"…\"` under `[http]` in `config.toml`, or the variable `SSL_CERT_FILE`".into(),
        ),
        Distrust::OtherName { .. } => Some("use the address that the certificate is for".into()),
        Distrust::Expired | Distrust::NotValidYet => {
            Some("whoever runs the server has to renew its certificate; is the clock of this machine right?".into())
        }
        Distrust::Other(_) => None,
    }
}

fn replica_help(error: &ReplicaError) -> Option<String> {
    match error {
        ReplicaError::Source(error) => source_help(error),
        ReplicaError::NoRegistry(_) => Some("check the address; `weir registry init FOLDER` makes a new registry".into()),
        ReplicaError::NeverSynced(_) => Some("run `weir install` once without `--offline`".into()),
        ReplicaError::Trust(weir_registry::TrustError::OtherOrigin { .. } | weir_registry::TrustError::BadRotation { .. }) => Some(
            "if this really is another registry now, `weir registry remove` forgets the old one and its key".into(),
        ),
        ReplicaError::Follow(error) => match **error {
            weir_log::FollowError::Rollback { .. }
            | weir_log::FollowError::Fork { .. }
            | weir_log::FollowError::Tampered { .. } => Some(
                "nothing was changed on this machine. Keep the two checkpoints: they are the evidence. Ask whoever runs the registry".into(),
            ),
            weir_log::FollowError::Source(ref error) => source_help(error),
            weir_log::FollowError::Frozen { .. } => {
                Some("the copy you read stands still: try another address, or `weir registry renew` where the registry is".into())
            }
            _ => None,
        },
        _ => None,
    }
}

fn open_code(error: &OpenError) -> ExitCode {
    match error {
        OpenError::NotEmpty(_) | OpenError::Exists(_) => ExitCode::Conflict,
        OpenError::NoKey { .. } | OpenError::OldKey { .. } => ExitCode::Refused,
        OpenError::Replica(error) => replica_code(error),
        _ => ExitCode::Failed,
    }
}

fn submit_code(error: &SubmitError) -> ExitCode {
    match error {
        SubmitError::Refused(_)
        | SubmitError::QuarantinedContent { .. }
        | SubmitError::KindNotTaken { .. } => ExitCode::Refused,
        SubmitError::AlreadyPublished { .. }
        | SubmitError::WasRemoved { .. }
        | SubmitError::OtherKind { .. }
        | SubmitError::Confusable { .. }
        | SubmitError::BakedCycle { .. }
        | SubmitError::Diamond { .. }
        | SubmitError::WouldBreak { .. } => ExitCode::Conflict,
        SubmitError::Unsatisfiable { .. } => ExitCode::NoResolution,
        SubmitError::UnknownPackage { .. }
        | SubmitError::UnknownVersion { .. }
        | SubmitError::UnknownBuild { .. } => ExitCode::NotFound,
        SubmitError::SecondTree { .. } => ExitCode::Integrity,
        SubmitError::Replica(error) => replica_code(error),
        SubmitError::Open(error) => open_code(error),
        SubmitError::Content(error) if error.is_integrity() => ExitCode::Integrity,
        _ => ExitCode::Failed,
    }
}

fn submit_help(error: &SubmitError) -> Option<String> {
    match error {
        SubmitError::AlreadyPublished { .. } | SubmitError::WasRemoved { .. } => {
            Some("raise `version` in `weir.toml` and publish that".into())
        }
        SubmitError::KindNotTaken { .. } => Some(
            "publish it in another registry: `--registry REGISTRY`; `weir registry show` tells which kinds one takes".into(),
        ),
        SubmitError::Unsatisfiable { similar: Some(similar), .. } => {
            Some(format!("did you mean `{similar}`?"))
        }
        SubmitError::Unsatisfiable { versions, .. } if versions.is_empty() => {
            Some("publish it first, or both together: `weir publish FOLDER FOLDER`".into())
        }
        SubmitError::Unsatisfiable { versions, .. } => Some(format!("it offers: {}", versions.join(", "))),
        SubmitError::UnknownPackage { similar, .. } => {
            similar.as_ref().map(|name| format!("did you mean `{name}`?"))
        }
        SubmitError::UnknownVersion { versions, .. } => Some(format!("there are: {}", versions.join(", "))),
        SubmitError::BakedCycle { .. } => Some("make one of the dependencies fluid: `fluid = true`".into()),
        SubmitError::UnknownBuild { there, .. } => {
            let there: Vec<_> = there.iter().map(ToString::to_string).collect();
            Some(format!("there are: {}", there.join(", ")))
        }
        SubmitError::SecondTree { .. } => Some(
            "a build that gives other bytes each time cannot be repeated: take what was built before, or change the recipe"
                .into(),
        ),
        SubmitError::Diamond { diamond, .. } => diamond_help(diamond),
        SubmitError::WouldBreak { .. } => {
            Some("remove them in the same batch, or `weir yank` it instead".into())
        }
        SubmitError::Refused(refusal) if refusal.decision.policy == "owner-claim" => {
            Some("somebody the owner belongs to can add you: `weir claim OWNER PEOPLE`".into())
        }
        SubmitError::Open(error) => match **error {
            OpenError::NoKey { .. } => Some(
                "only who has the key can change the registry: copy it from the machine that made it".into(),
            ),
            _ => None,
        },
        _ => None,
    }
}

/// What to build again so that two builds of one package no longer meet: whatever has the older one.
fn diamond_help(diamond: &Diamond) -> Option<String> {
    let standing = |path: &&Vec<ReleaseId>| path.last().map(|id| (id.version.clone(), id.revision));
    let mut paths = [&diamond.one, &diamond.other];
    paths.sort_by_key(standing);
    let [older, newer] = paths;
    let [.., user, _] = older.as_slice() else { return None };
    Some(format!("build `{}` again with `{}`, in the same batch", user.name, newer.last()?))
}
