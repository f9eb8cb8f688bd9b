//! What can go wrong with a repository.

use weir_model::address::without_secrets;
use weir_model::manifest::GitTag;

use crate::complaint::{Complaint, Fault};

/// Why something could not be had from a repository.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The repository does not give what a tag names.
    #[error("`{tag}` of `{url}` cannot be had: {reason}")]
    Unavailable {
        /// The repository, as git was given it.
        url: String,
        /// The tag, or a commit.
        tag: String,
        /// Why not, in git's words or ours.
        reason: String,
        /// What sort of thing that is.
        fault: Fault,
    },
    /// The repository does not list its tags.
    #[error("the tags of `{url}` cannot be had: {reason}")]
    Repository {
        /// The repository, as git was given it.
        url: String,
        /// Why not, in git's words or ours.
        reason: String,
        /// What sort of thing that is.
        fault: Fault,
    },
    /// What a tag names is no tree that is kept.
    #[error("what `{tag}` of `{url}` names cannot be kept: {reason}")]
    Unusable {
        /// The repository, as git was given it.
        url: String,
        /// The tag.
        tag: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A tag names another commit than it did.
    #[error("the tag `{tag}` of `{url}` moved: it named the commit {before} and names {after} now")]
    TagMoved {
        /// The repository, as git was given it.
        url: String,
        /// The tag.
        tag: String,
        /// The commit that it named.
        before: String,
        /// The commit that it names now.
        after: String,
    },
    /// What a tag names is not on this machine, and the machine is offline.
    #[error("`{tag} of {url}` is not on this machine, which is offline")]
    Offline {
        /// The repository, as git would be given it.
        url: String,
        /// The tag.
        tag: String,
    },
    /// The store does not take what came.
    #[error(transparent)]
    Store(#[from] weir_store::StoreError),
    /// What came is no tree.
    #[error(transparent)]
    Tree(#[from] weir_tree::TreeError),
    /// A file of this machine cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl GitError {
    pub(crate) fn unavailable(git: &GitTag, Complaint { fault, reason }: Complaint) -> Self {
        Self::Unavailable { url: without_secrets(&git.url).into_owned(), tag: git.tag.clone(), reason, fault }
    }

    pub(crate) fn moved(git: &GitTag, before: String, after: String) -> Self {
        Self::TagMoved { url: git.url.clone(), tag: git.tag.clone(), before, after }
    }
}
