//! Why a repository of built packages is not what it should be.

use std::path::PathBuf;

use weir_git::GitError;
use weir_model::{PackageName, ReleaseId, TreeDigest};
use weir_project::ProjectError;
use weir_reach::{Offline, ReachError};

use crate::{FailedBuild, LeftOut};

/// Why something could not be done for a repository of built packages.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// It was asked to stop.
    #[error("it was interrupted")]
    Interrupted,
    /// A path in the layout folder is not the layout's.
    #[error("`{}` is in the way: it was not made by weir", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
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
        before: TreeDigest,
        /// What it is.
        after: TreeDigest,
    },
    /// A recipe takes its source from a folder that is not the recipes'.
    #[error(
        "`{name}` takes its source from `{}`, which is not in `{}`: what is built from it would be published with it",
        folder.display(), own.display()
    )]
    SourceOutside {
        /// The package.
        name: PackageName,
        /// The folder, without links in its path.
        folder: PathBuf,
        /// Where sources may be.
        own: PathBuf,
    },
    /// None of the recipes that were asked for can be built.
    #[error("{}", none_to_build(left_out))]
    NoneToBuild {
        /// All of them, with the reasons.
        left_out: Vec<LeftOut>,
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
        /// What of the plan is offered all the same, because it is whole without them.
        offered: Vec<ReleaseId>,
    },
    /// Somebody else changed the registry after an action was planned and before it was carried out.
    #[error("the registry was changed by somebody else meanwhile")]
    Overtaken(#[source] Box<weir_registry::SubmitError>),
    /// Packages do not fit into one sysroot.
    #[error(transparent)]
    Sysroot(#[from] weir_native::SysrootError),
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
    /// What a project can do as well fails: resolving, fetching.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] weir_store::StoreError),
    /// A tree or a pack is wrong.
    #[error(transparent)]
    Tree(#[from] weir_tree::TreeError),
    /// What was built makes no release.
    #[error(transparent)]
    Package(#[from] weir_package::PackageError),
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
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl RepoError {
    /// The same of a plan of which these are offered all the same.
    pub(crate) fn but_offered(self, these: Vec<ReleaseId>) -> Self {
        match self {
            Self::BuildsFailed { failed, skipped, built, .. } => {
                Self::BuildsFailed { failed, skipped, built, offered: these }
            }
            other => other,
        }
    }
}

fn none_to_build(left_out: &[LeftOut]) -> String {
    const MOST: usize = 10;
    let mut text = "none of the recipes can be built".to_owned();
    for LeftOut { name, reason } in left_out.iter().take(MOST) {
        text.push_str(&format!("\n`{name}`: {reason}"));
    }
    match left_out.len().saturating_sub(MOST) {
        0 => {}
        more => text.push_str(&format!("\nand {more} more")),
    }
    text
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
