//! The registrar: what may be registered, by whom, in which order. It plans, asks the gate and writes records; where things
//! are kept is the business of the [`Ports`].
//!
//! Changes take turns. In a turn batches are planned on the view that is up to date, their records appended under one
//! checkpoint, and only then is anything visible. Content is there before: a crash before the checkpoint leaves
//! nothing but bytes that the next upload finds again.

mod acting;
mod admit;
mod begin;
mod compare;
mod derive;
mod flow;
mod from_above;
mod govern;
mod groups;
mod heard;
mod news;
mod promote;
mod rotate;
mod submit;
mod upstreams;
mod views;
mod writer;

use std::sync::Arc;

use weir_index::RegistryFacts;
use weir_log::{Snapshot, Source, Stamp};
use weir_model::{KindName, Sha256, Unobserved};
use weir_policy::{Authorized, Caller, Gate, Request, Verb, authorize};

pub use self::acting::Acting;
pub use self::admit::{Admission, Admitted, Followed, was_looked_through_lately};
pub use self::begin::NewRegistry;
pub(crate) use self::compare::{Differences, before};
pub use self::from_above::FromAbove;
pub use self::govern::SetPolicy;
use self::groups::Groups;
use self::submit::{Answer, Asked};
use self::views::{View, Views};
use self::writer::{Writer, stamp};
use crate::content::{ContentError, Stated, digest_of, held_delta};
use crate::error::SubmitError;
use crate::ports::{Object, Ports};
use crate::replica::{Replica, ReplicaHome, position_of};

/// A snapshot is made when the log has grown by this many records, or by a tenth, since the last.
const SNAPSHOT_STEP: u64 = 1024;

/// A registry, for those who write to it.
pub struct Registrar {
    ports: Ports,
    home: ReplicaHome,
    gate: Box<dyn Gate>,
    faults: Arc<dyn weir_log::Faults>,
    views: Views,
    groups: Groups<Asked, Answer>,
}

impl Registrar {
    /// The registry that is kept in `ports`. Its view is kept up to date in `home`.
    ///
    /// # Errors
    ///
    /// When there is no registry.
    pub fn open(ports: Ports, home: &ReplicaHome, gate: Box<dyn Gate>) -> Result<Self, SubmitError> {
        crate::replica::read_descriptor(&*ports.sequencer.source())?;
        let (home, faults) = (home.clone(), Arc::new(weir_log::NoFaults));
        Ok(Self { ports, home, gate, faults, views: Views::default(), groups: Groups::new() })
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

    fn replica(&self) -> Result<View<'_>, SubmitError> {
        let source = self.source();
        let open = || Replica::open(&self.home, &self.ports.location, &*source, None);
        let mut view = self.views.take(open)?;
        view.describe_again(&*source)?;
        Ok(view)
    }

    /// The view, up to date when it was asked for.
    pub(crate) fn view(&self) -> Result<View<'_>, SubmitError> {
        let mut view = self.replica()?;
        view.sync_writer(&*self.source())?;
        self.follow(&view.index().facts()?)?;
        Ok(view)
    }

    /// What the log says of the registry itself.
    ///
    /// # Errors
    ///
    /// When the caller may not read it, or it cannot be read.
    pub fn facts(&self, caller: &Caller) -> Result<RegistryFacts, SubmitError> {
        Ok(self.view_for(caller)?.index().facts()?)
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
        let writer = self.turn(self.replica()?)?;
        self.follow(&writer.promises)?;
        Ok(writer)
    }

    fn turn<'a>(&'a self, mut replica: View<'a>) -> Result<Writer<'a>, SubmitError> {
        let source = self.source();
        loop {
            let signers = self.ports.keys.signers(replica.keys().keys())?;
            let turn = self.ports.sequencer.turn(signers, replica.keys());
            // Whoever had the turn before may have changed the keys.
            if replica.describe_again(&*source)? {
                continue;
            }
            let turn = turn?;
            replica.sync_writer(&*source)?;
            let promises = replica.index().facts()?;
            return Ok(Writer { turn, replica, promises });
        }
    }

    /// Finds out whether a package of this kind could be published: better before hours of work than after.
    pub(crate) fn check(&self, kind: KindName) -> Result<(), SubmitError> {
        let replica = self.view()?;
        self.ports.keys.signers(replica.keys().keys())?;
        crate::plan::refuse_kind(&replica.index().facts()?, None, kind)
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
                Object::File(sha256) => objects.verify_file(&sha256, None, held.withheld, &Unobserved)?,
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
