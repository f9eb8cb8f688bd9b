//! Batches: planned one after the other in one turn, and appended together, however many wait for it.
//!
//! An append waits for the disk several times. Who publishes alone waits for that; of many who publish at once, each waits once for
//! all of them. Each batch is still carried out as a whole or not at all.

use std::sync::Arc;

use weir_model::{Sha256, TreeDigest};
use weir_policy::{Authorized, Caller};
use weir_wire::{Batch, Intent, Outcome, Receipt};

use super::writer::Gathered;
use super::{Differences, Registrar};
use crate::advised::{Repeats, refuse_other_than_held};
use crate::error::SubmitError;
use crate::made_of;
use crate::plan::{Everything, Plan, Planner, Uploaded};
use crate::ports::{Object, PortError, Ports};

/// So often batches are planned again because somebody else was faster.
const MOST_ATTEMPTS: u32 = 16;

/// A batch that somebody asks to be carried out.
#[derive(Clone)]
pub(super) struct Asked {
    caller: Caller,
    batch: Arc<Batch>,
    /// Who approved what it promotes.
    approved_by: Arc<[String]>,
    /// How what it publishes differs from what was there.
    differences: Arc<Differences>,
}

/// What becomes of it.
pub(super) type Answer = Result<Receipt, SubmitError>;

/// A batch whose records were gathered.
struct Planned {
    plan: Plan,
    /// Its name in the log, if anything is new.
    id: Option<String>,
}

impl Registrar {
    /// Carries a batch out. Packs are read before the turn, since others wait meanwhile, and after all else was asked: nobody
    /// has packs read who may not publish them. `approved_by` are those who approved what it promotes.
    pub(crate) fn submit(&self, caller: &Caller, batch: &Batch, approved_by: &[String]) -> Answer {
        let reads = |intent: &Intent| intent.draft().is_some() || matches!(intent, Intent::Advise(_));
        if batch.intents.iter().any(reads) {
            self.planned_on_view(caller, batch, approved_by)?;
            self.refuse_others_than_uploaded(batch)?;
        }
        for intent in &batch.intents {
            if let Intent::Advise(advisory) = intent {
                refuse_other_than_held(&*self.ports.objects, advisory, Repeats::All)?;
            }
        }
        let differences = Arc::new(self.differences(batch)?);
        let (batch, approved_by) = (Arc::new(batch.clone()), approved_by.into());
        let asked = Asked { caller: caller.clone(), batch, approved_by, differences };
        self.groups.ask(asked, |group| self.carry_out(group))
    }

    /// What would become of each intent if all that the batch names were uploaded.
    pub(crate) fn preview(&self, caller: &Caller, batch: &Batch) -> Result<Vec<Outcome>, SubmitError> {
        Ok(self.planned_on_view(caller, batch, &[])?.outcomes)
    }

    /// The plan of a batch if all that it names were uploaded, on the view as it is when nobody has the turn.
    pub(super) fn planned_on_view(
        &self,
        caller: &Caller,
        batch: &Batch,
        approved_by: &[String],
    ) -> Result<Plan, SubmitError> {
        let view = self.view()?;
        let promises = view.index().facts()?;
        let planner = Planner {
            index: view.index(),
            gate: &*self.gate,
            promises: &promises,
            uploaded: &Everything,
            batch: String::new(),
            caller,
            approved_by,
            // What the packs say is found out only of what may be published otherwise.
            differences: &Differences::new(),
        };
        for _ in 1..MOST_ATTEMPTS {
            let before = view.index().position()?.size;
            let planned = planner.plan(batch);
            // What somebody else appended meanwhile was seen by some of the questions and not by others: what is refused then may
            // be refused for no reason, or for another one. The view is not held still, since planning may take long.
            if planned.is_ok() || view.index().position()?.size == before {
                return planned;
            }
        }
        planner.plan(batch)
    }

    fn carry_out(&self, group: &[Asked]) -> Vec<Answer> {
        match until_nobody_was_faster(|| self.in_turn(group)) {
            Ok(answers) => answers,
            Err(error) if group.len() == 1 => vec![Err(error)],
            // Each is to hear what stands in its own way.
            Err(_) => group.iter().flat_map(|asked| self.carry_out(std::slice::from_ref(asked))).collect(),
        }
    }

    fn in_turn(&self, group: &[Asked]) -> Result<Vec<Answer>, SubmitError> {
        let mut writer = self.writer()?;
        let mut planned = Vec::new();
        let appended = writer.append_gathered(|gathered| {
            planned.extend(group.iter().map(|asked| self.gather(gathered, asked)));
            self.fault("submit:withheld");
            Ok(permit(&planned))
        })?;
        if appended {
            self.fault("submit:appended");
        }
        for (permit, object) in planned.iter().flatten().flat_map(|planned| &planned.plan.restore) {
            self.ports.objects.restore(permit, *object)?;
        }
        if let Some(permit) = permit(&planned).filter(|_| appended) {
            self.snapshot_if_due(&mut writer, &permit)?;
        }
        let checkpoint = writer.checkpoint()?;
        let receipt = |Planned { plan, id }: Planned| Receipt {
            outcomes: plan.outcomes,
            warnings: plan.warnings,
            batch: id,
            size: checkpoint.size(),
            checkpoint: checkpoint.note().to_owned(),
        };
        Ok(planned.into_iter().map(|planned| planned.map(receipt)).collect())
    }

    /// Plans a batch on the view as those before it leave it, and adds its records to what is to be appended.
    fn gather(&self, gathered: &mut Gathered<'_>, asked: &Asked) -> Result<Planned, SubmitError> {
        let id = ulid::Ulid::generate().to_string();
        let planner = Planner {
            index: gathered.view()?,
            gate: &*self.gate,
            promises: gathered.promises,
            uploaded: &Held(&self.ports),
            batch: id.clone(),
            caller: &asked.caller,
            approved_by: &asked.approved_by,
            differences: &asked.differences,
        };
        let plan = planner.plan(&asked.batch)?;
        self.fault("submit:planned");
        // Withdrawn content must not be served once the log says so, nor before the log says that it may
        // be again. What a crash leaves in between, the same batch puts right: nothing of it is new then.
        for (permit, object) in &plan.withhold {
            made_of::withhold(&*self.ports.objects, permit, planner.index, *object)?;
        }
        gathered.add(&plan.entries)?;
        Ok(Planned { id: (!plan.entries.is_empty()).then_some(id), plan })
    }
}

/// Tries until nobody else appended meanwhile, so often.
pub(super) fn until_nobody_was_faster<T>(
    attempt: impl Fn() -> Result<T, SubmitError>,
) -> Result<T, SubmitError> {
    for _ in 0..MOST_ATTEMPTS {
        match attempt() {
            Err(SubmitError::Port(PortError::Moved { .. })) => {}
            done => return done,
        }
    }
    Err(SubmitError::Busy)
}

/// The permission to append: that of the last who has anything to append, whose time is the latest.
fn permit(planned: &[Result<Planned, SubmitError>]) -> Option<Authorized> {
    let new = planned.iter().rev().flatten().find(|planned| planned.id.is_some());
    new.and_then(|planned| planned.plan.permit.clone())
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
