//! A registry, at work for one caller: each thing that they ask is put to the gate first.

use std::io::Read;
use std::ops::Deref;
use std::sync::Arc;

use weir_index::RegistryFacts;
use weir_log::{Checkpoint, InclusionProof, Source, read_entry};
use weir_model::descriptor::Descriptor;
use weir_model::{KindName, ReleaseId, Sha256, TreeDigest};
use weir_policy::{Caller, Verb};
use weir_wire::storage::Storage;
use weir_wire::{Batch, Outcome, Receipt};

use super::{Registrar, stamp};
use crate::collect::{Collect, Collected};
use crate::compact::{Compact, Compacted};
use crate::content::{Delta, Stored};
use crate::deltas::{AskedDelta, DeltasMade, MakeDeltas};
use crate::error::SubmitError;
use crate::ports::Object;
use crate::registry::Registry;
use crate::replica::Replica;

/// A registry, at work for one caller.
pub struct Acting {
    registrar: Arc<Registrar>,
    caller: Caller,
}

impl Acting {
    pub(super) fn new(registrar: Arc<Registrar>, caller: Caller) -> Self {
        Self { registrar, caller }
    }

    /// The files that readers read.
    ///
    /// # Errors
    ///
    /// When the caller may not read them.
    pub fn source(&self) -> Result<Arc<dyn Source>, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        Ok(self.registrar.source())
    }

    /// What is offered, up to date: to be asked, and dropped soon.
    ///
    /// # Errors
    ///
    /// When the caller may not read it, or the log cannot be followed.
    pub fn view(&self) -> Result<impl Deref<Target = Replica> + use<'_>, SubmitError> {
        self.registrar.view_for(&self.caller)
    }

    /// The entry `index` of the log, byte for byte, and the proof that the log holds it, which was checked. `None` where the
    /// log is shorter.
    ///
    /// # Errors
    ///
    /// When the caller may not read it, or the log is not what was signed.
    pub fn entry(&self, index: u64) -> Result<Option<(Vec<u8>, InclusionProof)>, SubmitError> {
        let view = self.view()?;
        let Some(newest) = view.checkpoint().filter(|newest| index < newest.size()) else { return Ok(None) };
        let log = Checkpoint::verify(newest.note().as_bytes(), view.keys()).map_err(std::io::Error::other)?;
        let entry = read_entry(&*self.registrar.source(), &log, view.keys(), index);
        Ok(Some(entry.map_err(std::io::Error::other)?))
    }

    /// Whether the caller may ask for something of the registry as a whole: better before its bytes are sent than after.
    ///
    /// # Errors
    ///
    /// When they may not.
    pub fn may(&self, verb: Verb) -> Result<(), SubmitError> {
        self.registrar.permit(&self.caller, verb).map(drop)
    }

    /// What the log says of the registry itself.
    ///
    /// # Errors
    ///
    /// When the caller may not read it, or it cannot be read.
    pub fn facts(&self) -> Result<RegistryFacts, SubmitError> {
        self.registrar.facts(&self.caller)
    }

    /// Bytes of an object, if it is held.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or it cannot be found out.
    pub fn size_of(&self, object: Object) -> Result<Option<u64>, SubmitError> {
        self.find(object)
    }

    /// Makes the deltas to the newest releases that are not there yet, within bounds.
    ///
    /// # Errors
    ///
    /// When the caller may not look after the storage, or it cannot be read or written.
    pub fn make_deltas(&self, what: &MakeDeltas) -> Result<DeltasMade, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Collect)?;
        self.registrar.make_deltas(&permit, what)
    }

    /// Keeps old releases as deltas, or all whole again, within bounds.
    ///
    /// # Errors
    ///
    /// When the caller may not look after the storage, or it cannot be read or written.
    pub fn compact(&self, what: &Compact) -> Result<Compacted, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Collect)?;
        self.registrar.compact(&permit, what)
    }

    /// Makes the delta that a reader asks for, if it is one between releases of a package and worth it.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or the storage cannot be read or written.
    pub fn make_delta(&self, delta: &Delta) -> Result<AskedDelta, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.make_delta_asked_for(&permit, delta)
    }

    /// Carries out a batch whose promotions were approved by others.
    ///
    /// # Errors
    ///
    /// As [`submit`](Registry::submit).
    pub fn submit_approved(&self, batch: &Batch, approved_by: &[String]) -> Result<Receipt, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.submit(&self.caller, batch, approved_by)
    }

    /// Whether only approvals keep a batch from being carried out.
    ///
    /// # Errors
    ///
    /// When anything else does, or its content is not there.
    pub fn waits_for_approval(&self, batch: &Batch) -> Result<bool, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.waits_for_approval(&self.caller, batch)
    }

    /// Which of `batches` the caller may approve.
    ///
    /// # Errors
    ///
    /// When the caller may not read, or it cannot be found out.
    pub fn approvable(&self, batches: &[Batch]) -> Result<Vec<bool>, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.approvable(&self.caller, batches)
    }

    /// Whether the caller may approve what a batch promotes.
    ///
    /// # Errors
    ///
    /// When they may not approve all of it.
    pub fn may_approve(&self, batch: &Batch) -> Result<(), SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.may_approve(&self.caller, batch)
    }

    /// The same registry, at work for somebody else.
    #[must_use]
    pub fn instead_for(&self, caller: Caller) -> Self {
        Self { registrar: self.registrar.clone(), caller }
    }

    fn find(&self, object: Object) -> Result<Option<u64>, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        Ok(self.registrar.ports.objects.find(object)?.map(|held| held.size))
    }

    fn put(&self, object: Object, from: &mut dyn Read) -> Result<u64, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Upload)?;
        Ok(self.registrar.ports.objects.put(&permit, object, from)?)
    }
}

impl Registry for Acting {
    fn put_pack(&self, tree: &TreeDigest, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.put(Object::Pack(*tree), from)
    }

    fn put_file(&self, sha256: &Sha256, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.put(Object::File(*sha256), from)
    }

    fn pack_size(&self, tree: &TreeDigest) -> Result<Option<u64>, SubmitError> {
        self.find(Object::Pack(*tree))
    }

    fn has_file(&self, sha256: &Sha256) -> Result<bool, SubmitError> {
        Ok(self.find(Object::File(*sha256))?.is_some())
    }

    fn is_whole(&self, object: Object) -> Result<bool, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.is_whole(object)
    }

    fn mend(&self, object: Object, from: &mut dyn Read) -> Result<u64, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Upload)?;
        if !self.registrar.is_whole(object)? {
            let stored = match object {
                Object::Pack(tree) => Stored::Pack { tree, size: 0, held: false },
                Object::Delta(delta) => Stored::Delta { delta, size: 0 },
                Object::File(sha256) => Stored::File { sha256, size: 0, chunked: false, held: false },
                Object::Snapshot(sha256) => Stored::Snapshot { sha256, size: 0 },
            };
            self.registrar.ports.objects.remove(&permit, &stored)?;
            if let Object::File(sha256) = object {
                let list = Stored::File { sha256, size: 0, chunked: true, held: false };
                self.registrar.ports.objects.remove(&permit, &list)?;
            }
        }
        self.put(object, from)
    }

    fn check(&self, kind: KindName) -> Result<(), SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.check(kind)
    }

    fn may_promote(&self, releases: &[ReleaseId], into: &str) -> Result<(), SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.may_promote(&self.caller, releases, into)
    }

    fn submit(&self, batch: &Batch) -> Result<Receipt, SubmitError> {
        self.submit_approved(batch, &[])
    }

    fn preview(&self, batch: &Batch) -> Result<Vec<Outcome>, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Read)?;
        self.registrar.preview(&self.caller, batch)
    }

    fn renew(&self) -> Result<String, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Describe)?;
        let mut writer = self.registrar.writer()?;
        let stamp = stamp(permit.at(), &writer.promises);
        Ok(writer.sign(&permit, &stamp)?.note().to_owned())
    }

    fn rotate_key(&self) -> Result<Descriptor, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Describe)?;
        self.registrar.rotate_key(&permit)
    }

    /// Whoever looks after the storage may look at it: listing it takes as long as there is much.
    fn storage(&self) -> Result<Storage, SubmitError> {
        self.registrar.permit(&self.caller, Verb::Collect)?;
        let view = self.view()?;
        crate::storage::storage(&view, &*self.registrar.ports.objects)
    }

    fn collect(&self, what: &Collect) -> Result<Collected, SubmitError> {
        let permit = self.registrar.permit(&self.caller, Verb::Collect)?;
        self.registrar.collect(&permit, what)
    }
}
