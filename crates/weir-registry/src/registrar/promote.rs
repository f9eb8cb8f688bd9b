//! What is asked of a registry about promotions: out of it, and into it.

use weir_model::ReleaseId;
use weir_policy::{Caller, ReleaseFacts, Request, Target, Verb, authorize};
use weir_wire::{Batch, Intent};

use super::Registrar;
use crate::error::SubmitError;
use crate::plan::facts_of;

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
            let facts = ReleaseFacts { promoted: Some(into), ..ReleaseFacts::from(&found.release) };
            authorize(
                &*self.gate,
                Request {
                    caller,
                    verb: Verb::Promote,
                    target: Target::Release(id.clone()),
                    owner_belongs_to: index.owner(&id.name.owner_name())?.map(|claim| claim.who),
                    release: Some(facts.published_at(found.mark.at)),
                },
            )?;
        }
        Ok(())
    }

    /// Whether `caller` may approve everything that a batch promotes.
    pub(crate) fn may_approve(&self, caller: &Caller, batch: &Batch) -> Result<(), SubmitError> {
        let view = self.view()?;
        let index = view.index();
        for intent in &batch.intents {
            let Intent::Promote(promotion) = intent else { continue };
            let id = &promotion.draft.id;
            let facts =
                ReleaseFacts { promoted: Some(&promotion.from.registry), ..facts_of(&promotion.draft) };
            authorize(
                &*self.gate,
                Request {
                    caller,
                    verb: Verb::Approve,
                    target: Target::Release(id.clone()),
                    owner_belongs_to: index.owner(&id.name.owner_name())?.map(|claim| claim.who),
                    release: Some(facts),
                },
            )?;
        }
        Ok(())
    }
}
