//! What it takes to be a registry one can write to: a folder, or a server reached over HTTP.
//!
//! Reading needs no more than a [`weir_log::Source`]: the static face of a registry is the same
//! everywhere, and a [`Replica`](crate::Replica) follows it. Who writes, and when, is settled when one of these is
//! made for them.

use std::io::Read;

use weir_model::descriptor::Descriptor;
use weir_model::{KindName, ReleaseId, Sha256, TreeDigest};
use weir_wire::storage::Storage;
use weir_wire::{Batch, Outcome, Receipt};

use crate::collect::{Collect, Collected};
use crate::error::SubmitError;
use crate::ports::Object;

/// A registry, as one who writes to it sees it.
pub trait Registry: Send + Sync {
    /// Uploads the pack of a tree, verified as it arrives; gives the bytes of the pack that the registry holds then, which
    /// may be another of the same tree that was there before.
    ///
    /// # Errors
    ///
    /// When it is not the pack of that tree, or cannot be written.
    fn put_pack(&self, tree: &TreeDigest, from: &mut dyn Read) -> Result<u64, SubmitError>;

    /// Uploads a file, verified as it arrives; gives its bytes. Harmless if it is there already.
    ///
    /// # Errors
    ///
    /// When it has another digest, or cannot be written.
    fn put_file(&self, sha256: &Sha256, from: &mut dyn Read) -> Result<u64, SubmitError>;

    /// Bytes of the pack of a tree, if the registry holds one.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    fn pack_size(&self, tree: &TreeDigest) -> Result<Option<u64>, SubmitError>;

    /// Whether the registry holds a file.
    ///
    /// # Errors
    ///
    /// When it cannot be asked.
    fn has_file(&self, sha256: &Sha256) -> Result<bool, SubmitError>;

    /// Whether what the registry holds of an object is all there and what its name says: its bytes are read.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn is_whole(&self, object: Object) -> Result<bool, SubmitError>;

    /// Uploads an object in place of what the registry holds of it, if that is damaged; gives the bytes of what it holds then.
    ///
    /// # Errors
    ///
    /// When it is something else, or cannot be written.
    fn mend(&self, object: Object, from: &mut dyn Read) -> Result<u64, SubmitError>;

    /// Finds out whether a package of this kind could be published at all: better before hours of work than after.
    ///
    /// # Errors
    ///
    /// When it could not.
    fn check(&self, kind: KindName) -> Result<(), SubmitError>;

    /// Finds out whether releases of this registry may be promoted into the one that is called `into`: whatever that one says.
    ///
    /// # Errors
    ///
    /// When a policy refuses it, or one of them is not there.
    fn may_promote(&self, releases: &[ReleaseId], into: &str) -> Result<(), SubmitError>;

    /// Carries out a batch: all of it becomes visible under one new checkpoint, or none.
    ///
    /// # Errors
    ///
    /// When a policy refuses it, when it would break a promise of the registry, or when it cannot be written.
    fn submit(&self, batch: &Batch) -> Result<Receipt, SubmitError>;

    /// What would become of each intent of a batch if it were submitted now, with its content uploaded. Changes nothing.
    ///
    /// # Errors
    ///
    /// When [`submit`](Self::submit) would refuse it.
    fn preview(&self, batch: &Batch) -> Result<Vec<Outcome>, SubmitError>;

    /// Signs the log anew, so that it does not expire while nothing is published; gives the new checkpoint.
    ///
    /// # Errors
    ///
    /// When the log cannot be written.
    fn renew(&self) -> Result<String, SubmitError>;

    /// Gives the registry a new key, which the old one vouches for.
    ///
    /// # Errors
    ///
    /// When the old key is not here, or something cannot be written.
    fn rotate_key(&self) -> Result<Descriptor, SubmitError>;

    /// Who holds how much of the storage.
    ///
    /// # Errors
    ///
    /// When the storage cannot be read.
    fn storage(&self) -> Result<Storage, SubmitError>;

    /// Takes out of the storage what it need not hold.
    ///
    /// # Errors
    ///
    /// When the storage cannot be read or changed.
    fn collect(&self, what: &Collect) -> Result<Collected, SubmitError>;
}
