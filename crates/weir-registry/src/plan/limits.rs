//! How much is held, and what is kept.

use weir_index::IndexError;
use weir_model::Action;
use weir_model::record::{Quota, QuotaOf, Retention};
use weir_policy::{Request, Verb, authorize};
use weir_wire::Done;

use super::Planning;
use crate::error::SubmitError;
use crate::quota::Change;

impl Planning<'_> {
    /// What the batch adds to what owners hold, and takes away.
    pub(super) fn change(&self) -> Result<Change, IndexError> {
        let mut change = Change::default();
        for release in self.published.releases.values() {
            change.add(release.id.name.owner_name(), release.size);
        }
        for id in self.leaving {
            // One that is removed already frees nothing a second time.
            if let Some(view) = self.on.index.release(id)?.filter(|view| view.removed.is_none()) {
                change.free(&view.release);
            }
        }
        Ok(change)
    }

    /// Says how much somebody may hold. It is governing: whoever may change the policies may.
    pub(super) fn limit(&mut self, quota: &Quota) -> Result<(), SubmitError> {
        let permit = authorize(self.on.gate, Request::of_registry(self.on.caller, Verb::Govern))?;
        let before = self.on.index.quotas()?.into_iter().find(|set| set.of == quota.of).map(|set| set.bytes);
        let done = if before == quota.bytes { Done::Already } else { Done::Limited };
        let subject = match &quota.of {
            QuotaOf::Registry => "all owners together".to_owned(),
            QuotaOf::EachOwner => "each owner".to_owned(),
            QuotaOf::Owner(owner) => owner.to_string(),
        };
        self.done(subject, done, &permit);
        match done {
            Done::Already => Ok(()),
            _ => self.record(&permit, Action::Quota(quota.clone())),
        }
    }

    /// Says what the registry keeps. It is governing, too.
    pub(super) fn retain(&mut self, rule: &Retention) -> Result<(), SubmitError> {
        let permit = authorize(self.on.gate, Request::of_registry(self.on.caller, Verb::Govern))?;
        let done = if self.on.promises.retention == *rule { Done::Already } else { Done::Ruled };
        self.done(rule.to_string(), done, &permit);
        match done {
            Done::Already => Ok(()),
            _ => self.record(&permit, Action::Retain(rule.clone())),
        }
    }
}
