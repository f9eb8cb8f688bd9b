//! What is asked of a registry about promotions: out of it, and into it.

use weir_index::Index;
use weir_model::ReleaseId;
use weir_policy::{Authorized, Caller, ReleaseFacts, Request, Target, Verb, authorize};
use weir_wire::{Batch, Intent};

use super::Registrar;
use crate::advised::advised;
use crate::error::SubmitError;
use crate::plan::facts_of;
use crate::ports::Object;

impl Registrar {
    /// Whether releases of this registry may go up into the one that is called `into`.
    pub(crate) fn may_promote(
        &self,
        caller: &Caller,
        releases: &[ReleaseId],
        into: &str,
    ) -> Result<(), SubmitError> {
        let view = self.view()?;
        let index = view.index();
        for id in releases {
            let found = index
                .release(id)?
                .ok_or_else(|| SubmitError::UnknownBuild { wanted: id.to_string(), there: Vec::new() })?;
            let facts = ReleaseFacts {
                promoted: Some(into),
                advised: advised(index, None, id)?,
                ..ReleaseFacts::from(&found.release)
            };
            self.permit_of(index, caller, Verb::Promote, id, facts.published_at(found.mark.at))?;
        }
        Ok(())
    }

    /// Whether only approvals keep a batch from being carried out; everything else that could is an error.
    pub(crate) fn waits_for_approval(&self, caller: &Caller, batch: &Batch) -> Result<bool, SubmitError> {
        match self.planned_on_view(caller, batch, &[]) {
            Ok(_) => return Ok(false),
            Err(SubmitError::NeedsApproval { .. }) => {}
            Err(error) => return Err(error),
        }
        for draft in batch.intents.iter().filter_map(Intent::draft) {
            if self.ports.objects.find(Object::Pack(draft.tree))?.is_none() {
                return Err(SubmitError::NotUploaded { id: draft.id.clone(), tree: draft.tree });
            }
        }
        // Who is asked for an approval sees what the packs say, not what somebody says of them.
        self.refuse_others_than_uploaded(batch)?;
        Ok(true)
    }

    /// Which of `batches` the caller may approve.
    pub(crate) fn approvable(&self, caller: &Caller, batches: &[Batch]) -> Result<Vec<bool>, SubmitError> {
        let view = self.view()?;
        batches
            .iter()
            .map(|batch| match self.may_approve_on(view.index(), caller, batch) {
                Ok(()) => Ok(true),
                Err(SubmitError::Refused(_)) => Ok(false),
                Err(error) => Err(error),
            })
            .collect()
    }

    /// Whether `caller` may approve everything that a batch promotes.
    pub(crate) fn may_approve(&self, caller: &Caller, batch: &Batch) -> Result<(), SubmitError> {
        self.may_approve_on(self.view()?.index(), caller, batch)
    }

    fn may_approve_on(&self, index: &Index, caller: &Caller, batch: &Batch) -> Result<(), SubmitError> {
        for intent in &batch.intents {
            let Intent::Promote(promotion) = intent else { continue };
            let id = &promotion.draft.id;
            let facts = ReleaseFacts {
                promoted: Some(&promotion.from.registry),
                advised: advised(index, None, id)?,
                ..facts_of(&promotion.draft)
            };
            self.permit_of(index, caller, Verb::Approve, id, facts)?;
        }
        Ok(())
    }

    /// Asks the gate about one release.
    fn permit_of(
        &self,
        index: &Index,
        caller: &Caller,
        verb: Verb,
        id: &ReleaseId,
        facts: ReleaseFacts<'_>,
    ) -> Result<Authorized, SubmitError> {
        let request = Request {
            caller,
            verb,
            target: Target::Release(id.clone()),
            owner_belongs_to: index.owner(&id.name.owner_name())?.map(|claim| claim.who),
            release: Some(facts),
        };
        Ok(authorize(&*self.gate, request)?)
    }
}
