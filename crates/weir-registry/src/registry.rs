//! What it takes to be a registry one can write to: a folder, or a server reached over HTTP.
//!
//! Reading needs no more than a [`weir_log::Source`]: the static face of a registry is the same
//! everywhere, and a [`Replica`](crate::Replica) follows it.

use std::path::Path;

use jiff::Timestamp;
use weir_model::{Sha256, TreeDigest};

use crate::batch::{Batch, Outcome, Receipt};
use crate::error::SubmitError;

/// A registry, as one who writes to it sees it.
pub trait Registry: Send + Sync {
    /// Carries out a batch: all of it becomes visible under one new checkpoint, or none.
    ///
    /// # Errors
    ///
    /// When a policy refuses it, when it would break a promise of the registry, or when it cannot be written.
    fn submit(&self, batch: &Batch, now: Timestamp) -> Result<Receipt, SubmitError>;

    /// What would become of each intent of a batch if it were submitted now, with its content uploaded. Changes nothing.
    ///
    /// # Errors
    ///
    /// When [`submit`](Self::submit) would refuse it.
    fn preview(&self, batch: &Batch, now: Timestamp) -> Result<Vec<Outcome>, SubmitError>;

    /// Uploads a pack, which is verified on arrival. Harmless if it is there already.
    ///
    /// # Errors
    ///
    /// When it is not the pack of that tree, or cannot be written.
    fn put_pack(&self, pack: &Path, tree: &TreeDigest) -> Result<(), SubmitError>;

    /// Uploads a file that references name, which is verified on arrival. Harmless if it is there already.
    ///
    /// # Errors
    ///
    /// When it has another digest, or cannot be written.
    fn put_file(&self, file: &Path, sha256: &Sha256) -> Result<(), SubmitError>;

    /// Whether the registry holds the pack of a tree.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    fn has_pack(&self, tree: &TreeDigest) -> Result<bool, SubmitError>;

    /// Whether the registry holds a file.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    fn has_file(&self, sha256: &Sha256) -> Result<bool, SubmitError>;
}
