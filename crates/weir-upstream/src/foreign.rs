//! Registries that are none of Weir's: they have no log to follow, and nobody signs what they say.
//!
//! What such a registry has is written down, when somebody asks for it, into a registry of Weir's that is kept for nothing else: its
//! *transcript*. What was seen first stays, under a signature of this machine. From there on the transcript is a registry above like
//! any other: it is followed, its releases are proved and admitted by policy, and its content comes at first use.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_fs::Folder;
use weir_log::SourceError;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{PackageName, ReleaseId, Version};
use weir_policy::Caller;
use weir_registry::{Registrar, SubmitError};
use weir_wire::upstream::Ask;

/// A registry that is none of Weir's.
pub trait Foreign {
    /// What vouches for what it says, in words: whoever admits from it should know.
    fn trust(&self) -> String;

    /// Writes down what a resolution of what is asked would use of it, and of one that is mirrored all that it has; of nothing but the
    /// packages that `only` names. What is in the transcript already is not asked for again. What went wrong with one release is no reason to lose those before it.
    ///
    /// # Errors
    ///
    /// When it is not reached, is not what it was, sends something else than it said it would, or the transcript cannot be written.
    fn write_down(
        &self,
        transcript: &Transcript<'_>,
        ask: &Ask,
        mode: UpstreamMode,
        only: &Only,
    ) -> Result<u64, ForeignError>;

    /// Forgets what it told before, so that it may tell something else: somebody looked, and wants that. The transcript stays.
    ///
    /// # Errors
    ///
    /// When notes cannot be removed.
    fn begin_anew(&self, notes: &Folder) -> Result<(), ForeignError>;
}

/// Where what a foreign registry has is written down.
pub struct Transcript<'a> {
    /// What writes to it.
    pub registrar: Arc<Registrar>,
    /// In whose name.
    pub caller: &'a Caller,
    /// A folder for what is no release: what was told and not fetched yet.
    pub notes: &'a Folder,
    /// Takes what whoever asks should know, and nothing stops for.
    pub tell: &'a dyn Fn(String),
}

impl Transcript<'_> {
    /// Tells whoever asks.
    pub fn tell(&self, what: String) {
        (self.tell)(what);
    }

    /// The releases that are written down, removed ones too.
    ///
    /// # Errors
    ///
    /// When the transcript cannot be read.
    pub fn releases(&self) -> Result<BTreeSet<(PackageName, Version)>, ForeignError> {
        let view = self.registrar.view_for(self.caller)?;
        let releases = view.index().all_releases().map(|view| {
            let id = view.map_err(SubmitError::from)?.release.id;
            Ok((id.name, id.version))
        });
        releases.collect()
    }
}

impl ForeignError {
    /// Whether a release needs what the transcript lacks.
    pub fn is_unsatisfied(&self) -> bool {
        matches!(self, Self::Release { error, .. } if matches!(**error, SubmitError::Unsatisfiable { .. }))
    }

    /// Whether what it says is not believed, as opposed to not heard.
    pub fn is_unbelieved(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::Different { .. })
    }

    /// The release that something is wrong with, if it is one alone.
    pub fn release(&self) -> Option<&ReleaseId> {
        match self {
            Self::Unusable { id, .. }
            | Self::Different { id, .. }
            | Self::Gone { id, .. }
            | Self::Release { id, .. } => Some(id),
            Self::Unreached(_)
            | Self::Changed { .. }
            | Self::Unreadable { .. }
            | Self::GaveUp(_)
            | Self::Submit(_)
            | Self::Io(_) => None,
        }
    }
}

/// Why something is not written down.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// It was not reached, or did not answer.
    #[error(transparent)]
    Unreached(#[from] SourceError),
    /// It is not the registry that it was.
    #[error("`{address}` is not what it was: {reason}")]
    Changed {
        /// Where it is.
        address: String,
        /// What is otherwise, in words.
        reason: String,
    },
    /// What it says or sends of a release is not what a release must be.
    #[error("`{id}` is not taken from `{address}`: {reason}")]
    Unusable {
        /// The release.
        id: Box<ReleaseId>,
        /// Where it was to come from.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A release is another than the one that it says it is.
    #[error("`{id}` is not taken from `{address}`: {reason}")]
    Different {
        /// The release.
        id: Box<ReleaseId>,
        /// Where it was to come from.
        address: String,
        /// What is otherwise, in words.
        reason: String,
    },
    /// Something of a release is not there any more, or is not given out.
    #[error("`{id}` is not to be had: {reason}")]
    Gone {
        /// The release.
        id: Box<ReleaseId>,
        /// What is missing, in words.
        reason: String,
    },
    /// What it says cannot be read.
    #[error("`{address}` answers with what cannot be read: {reason}")]
    Unreadable {
        /// What was asked for.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The search took too long.
    #[error("{0}")]
    GaveUp(String),
    /// The transcript does not take it.
    #[error("`{id}` cannot be written down: {error}")]
    Release {
        /// The release.
        id: Box<ReleaseId>,
        /// Why not.
        error: Box<SubmitError>,
    },
    /// The transcript cannot be read.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// Notes cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
