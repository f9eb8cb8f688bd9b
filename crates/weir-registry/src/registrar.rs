//! The registrar: what may be registered, by whom, in which order. It plans, asks the gate and writes records; where things
//! are kept is the business of the [`Ports`].
//!
//! Changes take turns. In its turn a batch is planned on the view that is up to date, its records appended under one
//! checkpoint, and only then is anything visible. Content is there before: a crash before the checkpoint leaves
//! nothing but bytes that the next upload finds again.

mod acting;
mod begin;
mod derive;
mod govern;
mod promote;
mod rotate;
mod upstreams;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use weir_index::RegistryFacts;
use weir_log::{Checkpoint, Position, Snapshot, Source, Stamp};
use weir_model::{KindName, Sha256, TreeDigest, Unobserved};
use weir_policy::{Authorized, Caller, Gate, Request, Verb, authorize};
use weir_wire::{Batch, Outcome, Receipt};

use crate::content::{ContentError, Stated, digest_of, held_delta};
use crate::error::SubmitError;
use crate::plan::{Everything, Plan, Planner, Uploaded};
use crate::ports::{Entry, Object, PortError, Ports, Turn};
use crate::replica::{Replica, ReplicaHome, position_of};

pub use acting::Acting;
pub use begin::NewRegistry;
pub use govern::SetPolicy;

/// A snapshot is made when the log has grown by this many records, or by a tenth, since the last.
const SNAPSHOT_STEP: u64 = 1024;

/// So often a batch is planned again because somebody else was faster.
const MOST_ATTEMPTS: u32 = 16;

/// A registry, for those who write to it.
pub struct Registrar {
    ports: Ports,
    home: ReplicaHome,
    gate: Box<dyn Gate>,
    faults: Arc<dyn weir_log::Faults>,
}

impl Registrar {
    /// The registry that is kept in `ports`. Its view is kept up to date in `home`.
    ///
    /// # Errors
    ///
    /// When there is no registry.
    pub fn open(ports: Ports, home: &ReplicaHome, gate: Box<dyn Gate>) -> Result<Self, SubmitError> {
        crate::replica::read_descriptor(&*ports.sequencer.source())?;
        Ok(Self { ports, home: home.clone(), gate, faults: Arc::new(weir_log::NoFaults) })
    }

    /// Tells `faults` of each point that a change passes, for tests that interrupt it.
    #[must_use]
    pub fn with_faults(self, faults: Arc<dyn weir_log::Faults>) -> Self {
        Self { faults, ..self }
    }

    /// The registry, at work for `caller`.
    pub fn acting_for(self: Arc<Self>, caller: Caller) -> Acting {
        Acting::new(self, caller)
    }

    /// Where it is kept.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    pub(crate) fn fault(&self, point: &'static str) {
        self.faults.at(point);
    }

    pub(crate) fn permit(&self, caller: &Caller, verb: Verb) -> Result<Authorized, SubmitError> {
        Ok(authorize(&*self.gate, Request::of_registry(caller, verb))?)
    }

    fn source(&self) -> Arc<dyn Source> {
        self.ports.sequencer.source()
    }

    fn replica(&self) -> Result<Replica, SubmitError> {
        Ok(Replica::open(&self.home, &self.ports.location, &*self.source(), None)?)
    }

    /// The view, up to date when it was asked for.
    pub(crate) fn view(&self) -> Result<Replica, SubmitError> {
        let mut replica = self.replica()?;
        replica.sync_writer(&*self.source())?;
        self.follow(&replica.index().facts()?)?;
        Ok(replica)
    }

    /// What the log says of the registry itself.
    ///
    /// # Errors
    ///
    /// When the caller may not read it, or it cannot be read.
    pub fn facts(&self, caller: &Caller) -> Result<RegistryFacts, SubmitError> {
        let view = self.view()?;
        self.permit(caller, Verb::Read)?;
        Ok(view.index().facts()?)
    }

    /// Has the gate decide by the set that the log says is in force, also about who may read.
    ///
    /// # Errors
    ///
    /// When the gate has another set, or the log cannot be read.
    pub fn follow_policies(&self) -> Result<(), SubmitError> {
        self.view().map(drop)
    }

    /// Has the gate decide by the set that the log says is in force, or nothing is changed.
    fn follow(&self, promises: &RegistryFacts) -> Result<(), SubmitError> {
        Ok(self.gate.follow(promises.policy.as_ref().map(|(digest, _)| digest))?)
    }

    /// Waits for its turn, and brings the view up to date in it.
    pub(crate) fn writer(&self) -> Result<Writer<'_>, SubmitError> {
        self.writer_of(self.replica()?)
    }

    fn writer_of(&self, replica: Replica) -> Result<Writer<'_>, SubmitError> {
        let writer = self.turn(replica)?;
        self.follow(&writer.promises)?;
        Ok(writer)
    }

    fn turn(&self, mut replica: Replica) -> Result<Writer<'_>, SubmitError> {
        let signers = self.ports.keys.signers(replica.keys().keys())?;
        let turn = self.ports.sequencer.turn(signers, replica.keys())?;
        replica.sync_writer(&*self.source())?;
        let promises = replica.index().facts()?;
        Ok(Writer { turn, replica, promises })
    }

    /// Finds out whether a package of this kind could be published: better before hours of work than after.
    pub(crate) fn check(&self, kind: KindName) -> Result<(), SubmitError> {
        let replica = self.view()?;
        self.ports.keys.signers(replica.keys().keys())?;
        crate::plan::refuse_kind(&replica.index().facts()?, None, kind)
    }

    /// Carries a batch out. Packs are read before the turn, since others wait meanwhile, and after all else was asked: nobody
    /// has packs read who may not publish them.
    /// `approved_by` are those who approved what it promotes.
    pub(crate) fn submit(
        &self,
        caller: &Caller,
        batch: &Batch,
        approved_by: &[String],
    ) -> Result<Receipt, SubmitError> {
        let replica = self.view()?;
        if batch.intents.iter().any(|intent| intent.draft().is_some()) {
            self.planned_on(&replica, caller, batch, approved_by)?;
            self.refuse_others_than_uploaded(batch)?;
        }
        let mut replica = Some(replica);
        for _ in 0..MOST_ATTEMPTS {
            let replica = replica.take().map_or_else(|| self.replica(), Ok)?;
            match self.try_submit(replica, caller, batch, approved_by) {
                Err(SubmitError::Port(PortError::Moved { .. })) => {}
                done => return done,
            }
        }
        Err(SubmitError::Busy)
    }

    fn try_submit(
        &self,
        replica: Replica,
        caller: &Caller,
        batch: &Batch,
        approved_by: &[String],
    ) -> Result<Receipt, SubmitError> {
        let mut writer = self.writer_of(replica)?;
        let id = ulid::Ulid::generate().to_string();
        let planner = Planner {
            index: writer.replica.index(),
            gate: &*self.gate,
            promises: &writer.promises,
            uploaded: &Held(&self.ports),
            batch: id.clone(),
            caller,
            approved_by,
        };
        let plan = planner.plan(batch)?;
        self.fault("submit:planned");
        // Withdrawn content must not be served once the log says so, nor before the log says that it may
        // be again. What a crash leaves in between, the same batch puts right: nothing of it is new then.
        for (permit, tree) in &plan.withhold {
            self.ports.objects.withhold(permit, tree)?;
        }
        self.fault("submit:withheld");
        if let Some(permit) = plan.permit.as_ref().filter(|_| !plan.entries.is_empty()) {
            writer.append(permit, &plan.entries)?;
            self.fault("submit:appended");
        }
        for (permit, tree) in &plan.restore {
            self.ports.objects.restore(permit, tree)?;
        }
        if let Some(permit) = plan.permit.as_ref().filter(|_| !plan.entries.is_empty()) {
            self.snapshot_if_due(&mut writer, permit)?;
        }
        let checkpoint = writer.checkpoint()?;
        Ok(Receipt {
            outcomes: plan.outcomes,
            batch: (!plan.entries.is_empty()).then_some(id),
            size: checkpoint.size(),
            checkpoint: checkpoint.note().to_owned(),
        })
    }

    pub(crate) fn preview(&self, caller: &Caller, batch: &Batch) -> Result<Vec<Outcome>, SubmitError> {
        Ok(self.planned_on(&self.view()?, caller, batch, &[])?.outcomes)
    }

    /// The plan of a batch if all that it names were uploaded, on a view that is nobody's turn.
    fn planned_on(
        &self,
        replica: &Replica,
        caller: &Caller,
        batch: &Batch,
        approved_by: &[String],
    ) -> Result<Plan, SubmitError> {
        let planner = Planner {
            index: replica.index(),
            gate: &*self.gate,
            promises: &replica.index().facts()?,
            uploaded: &Everything,
            batch: String::new(),
            caller,
            approved_by,
        };
        planner.plan(batch)
    }

    /// Reads what is held of an object from end to end; what is not held is not whole.
    fn is_whole(&self, object: Object) -> Result<bool, SubmitError> {
        let objects = &*self.ports.objects;
        let verified = objects.find(object).and_then(|held| {
            let Some(held) = held else { return Ok(false) };
            match object {
                Object::Pack(tree) => {
                    objects.verify_pack(&tree, &Stated::size(held.size), held.withheld, &Unobserved)?
                }
                Object::Delta(delta) => {
                    let Some(bytes) = objects.open(object, 0)? else { return Ok(false) };
                    held_delta(objects, &delta, bytes)?
                }
                Object::File(sha256) => objects.verify_file(&sha256, None, &Unobserved)?,
                Object::Snapshot(sha256) => {
                    let Some(bytes) = objects.open(object, 0)? else { return Ok(false) };
                    return Ok(digest_of(bytes)?.0 == sha256);
                }
            };
            Ok(true)
        });
        match verified {
            Err(error) if error.is_integrity() || matches!(error, ContentError::Absent { .. }) => Ok(false),
            verified => Ok(verified?),
        }
    }

    /// Makes a snapshot when the log has grown enough since the last.
    fn snapshot_if_due(&self, writer: &mut Writer<'_>, permit: &Authorized) -> Result<(), SubmitError> {
        let checkpoint = writer.checkpoint()?.clone();
        let size = checkpoint.size();
        let covered = checkpoint.snapshot().map_or(0, |snapshot| snapshot.size);
        if size < covered + SNAPSHOT_STEP.max(covered / 10) {
            return Ok(());
        }
        let index = writer.replica.index();
        let Some(position) = position_of(index)? else { return Ok(()) };
        let mut bytes = Vec::new();
        index.write_snapshot(position.prefix().to_string().as_bytes(), &mut bytes)?;
        let digest = Sha256::of(&bytes);
        self.ports.objects.put(permit, Object::Snapshot(digest), &mut bytes.as_slice())?;
        let snapshot = Snapshot { size, sha256: *digest.as_bytes() };
        let stamp = Stamp { snapshot: Some(snapshot), ..stamp(permit.at(), &writer.promises) };
        writer.sign(permit, &stamp)?;
        if let Some(old) = checkpoint.snapshot().filter(|old| old.sha256 != snapshot.sha256) {
            // A reader that was about to fetch it reads the checkpoint again.
            let old = crate::content::Stored::Snapshot { sha256: Sha256::from_bytes(old.sha256), size: 0 };
            let _ = self.ports.objects.remove(permit, &old);
        }
        Ok(())
    }
}

/// What is held already.
struct Held<'a>(&'a Ports);

impl Uploaded for Held<'_> {
    fn pack_size(&self, tree: &TreeDigest, _: u64) -> Result<Option<u64>, SubmitError> {
        Ok(self.0.objects.find(Object::Pack(*tree))?.map(|held| held.size))
    }

    fn file(&self, sha256: &Sha256) -> Result<bool, SubmitError> {
        Ok(self.0.objects.find(Object::File(*sha256))?.is_some())
    }
}

/// Whoever has the turn, and the view as it is in it.
pub(crate) struct Writer<'a> {
    turn: Box<dyn Turn + 'a>,
    pub(crate) replica: Replica,
    pub(crate) promises: RegistryFacts,
}

impl Writer<'_> {
    fn checkpoint(&self) -> Result<&Checkpoint, SubmitError> {
        self.replica
            .checkpoint()
            .ok_or_else(|| crate::ReplicaError::NeverSynced(self.replica.location().into()).into())
    }

    /// Appends records and folds them: both, or neither.
    fn append(&mut self, permit: &Authorized, entries: &[Entry]) -> Result<(), SubmitError> {
        let known = position_of(self.replica.index())?;
        let mut prefix = known.map(|position| position.prefix().clone()).unwrap_or_default();
        let after = self.checkpoint()?.clone();
        let stamp = stamp(permit.at(), &self.promises);
        let mut fold = self.replica.index_mut().begin()?;
        for entry in entries {
            let index = prefix.push(entry.bytes());
            fold.entry(index, entry.bytes())?;
        }
        // The fold was the check that the log's rules are kept: nothing is appended that breaks one.
        let checkpoint = self.turn.append(permit, &after, entries, &stamp)?;
        let position = Position::new(prefix, (*checkpoint).clone()).map_err(std::io::Error::other)?;
        fold.finish(position.to_string().as_bytes())?;
        self.replica.set_checkpoint(checkpoint.into_inner());
        Ok(())
    }

    /// Signs the log anew as it is.
    pub(crate) fn sign(&mut self, permit: &Authorized, stamp: &Stamp) -> Result<&Checkpoint, SubmitError> {
        let after = self.checkpoint()?.clone();
        let checkpoint = self.turn.append(permit, &after, &[], stamp)?;
        self.replica.set_checkpoint(checkpoint.into_inner());
        self.checkpoint()
    }
}

pub(crate) fn stamp(now: Timestamp, promises: &RegistryFacts) -> Stamp {
    let seconds = promises.validity().map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    let expires = seconds.and_then(|seconds| now.checked_add(SignedDuration::from_secs(seconds)).ok());
    Stamp::new(now, expires)
}
