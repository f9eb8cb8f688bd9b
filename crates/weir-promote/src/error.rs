//! Why nothing was promoted.

use weir_index::IndexError;
use weir_log::SourceError;
use weir_model::{PackageName, ReleaseId, Sha256, TreeDigest, Version};
use weir_reach::ReachError;
use weir_registry::content::ContentError;
use weir_registry::{ReplicaError, SubmitError};
use weir_remote::RemoteError;
use weir_rules::Standing;

/// Why nothing was promoted. What was sent already is found again when it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum PromoteError {
    /// A registry cannot be reached or is not known.
    #[error(transparent)]
    Reach(#[from] ReachError),
    /// A registry refuses it.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The log of the registry below does not prove it.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// A server says no.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// Content cannot be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The registry below cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A view cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// No registry is above.
    #[error("no registry is above `{registry}`")]
    NoUpstream {
        /// The registry below.
        registry: String,
    },
    /// Both are one registry.
    #[error("the registry `{registry}` cannot be promoted into itself")]
    SameRegistry {
        /// Which one.
        registry: String,
    },
    /// There is no such build.
    #[error("there is no such build of `{name}` {version}")]
    NoSuchBuild {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
        /// The builds that there are.
        there: Vec<ReleaseId>,
    },
    /// The release was withdrawn below.
    #[error("`{id}` is {standing}")]
    Withdrawn {
        /// The release.
        id: ReleaseId,
        /// How it stands.
        standing: Standing,
    },
    /// The registry below does not have what waits to be promoted from it, or has it no longer.
    #[error("`{id}` is not in the registry `{registry}` any longer")]
    NotBelow {
        /// The release.
        id: ReleaseId,
        /// The registry below.
        registry: String,
    },
    /// The release was withdrawn above.
    #[error("`{id}` is {standing} in the registry `{registry}`")]
    WithdrawnAbove {
        /// The release.
        id: ReleaseId,
        /// How it stands there.
        standing: Standing,
        /// The registry above.
        registry: String,
    },
    /// The registry above has the release with other content.
    #[error("`{id}` is in the registry `{registry}` with other content, and a release never changes")]
    Differs {
        /// The release.
        id: ReleaseId,
        /// Its tree below.
        below: TreeDigest,
        /// Its tree above.
        above: TreeDigest,
        /// The registry above.
        registry: String,
    },
    /// A release came from a third registry.
    #[error(
        "{}`{id}`, which the registry `{registry}` has from `{from}` and `{above}` does not have",
        needed_by.as_ref().map_or_else(String::new, |by| format!("`{by}` needs "))
    )]
    NotOwn {
        /// The release.
        id: ReleaseId,
        /// What needs it, if it was not asked for itself.
        needed_by: Option<ReleaseId>,
        /// The registry below.
        registry: String,
        /// Where it has it from.
        from: String,
        /// The registry above.
        above: String,
    },
    /// There is too much that would move.
    #[error("more than {most} releases would move at once")]
    TooMany {
        /// How many may.
        most: usize,
    },
    /// The view and the log say different things.
    #[error("the record {index} of the log is not that of `{id}`")]
    OtherRecord {
        /// The release.
        id: ReleaseId,
        /// The record.
        index: u64,
    },
    /// A pack is gone from the registry below.
    #[error("the registry has lost the pack of the tree {tree}")]
    LostPack {
        /// The tree.
        tree: TreeDigest,
    },
    /// A file is gone from the registry below.
    #[error("the registry has lost the file {sha256}")]
    LostFile {
        /// The file.
        sha256: Sha256,
    },
}
