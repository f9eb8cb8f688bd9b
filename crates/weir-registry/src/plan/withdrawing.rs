//! Withdrawals, and which content readers may have after them.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{IndexError, ReleaseView};
use weir_model::evidence::named_beside;
use weir_model::record::Withdrawal;
use weir_model::{Action, WithdrawalVerb};
use weir_policy::{Authorized, ReleaseFacts, Target};
use weir_wire::{Done, Withdraw};

use super::Planning;
use crate::advised::advised;
use crate::error::SubmitError;
use crate::ports::Object;
use crate::within_reach::{Reach, Withdrawals, content_of, reach};

/// A release whose standing a batch changes.
pub(super) struct Changed {
    standing: Withdrawals,
    /// All that it names.
    content: Vec<Object>,
    permit: Authorized,
}

impl Planning<'_> {
    pub(super) fn withdraw(&mut self, what: &Withdraw) -> Result<(), SubmitError> {
        for view in self.on.chosen(what)? {
            let id = view.release.id.clone();
            let permit = self.authorize(
                what.verb.into(),
                Target::Release(id.clone()),
                &id.name.owner_name(),
                Some(ReleaseFacts {
                    advised: advised(self.on.index, None, &id)?,
                    ..ReleaseFacts::from(&view.release).published_at(view.mark.at)
                }),
            )?;
            let before = self.standing_of(&view);
            let standing = before.after(what.verb);
            let done = if standing == before { Done::Already } else { Done::Withdrawn(what.verb) };
            self.done(id.to_string(), done, &permit);
            // Also of one that stands so already: its content may not be in its place.
            let content = content_of(&view.release).collect();
            self.changed.insert(id.clone(), Changed { standing, content, permit: permit.clone() });
            if done == Done::Already {
                continue;
            }
            if matches!(what.verb, WithdrawalVerb::Unyank | WithdrawalVerb::Unquarantine) {
                self.refuse_circle(&view.release)?;
            }
            let withdrawal = Withdrawal {
                verb: what.verb,
                id,
                reason: what.reason.clone(),
                advisory: what.advisory.clone(),
                because: what.because.clone().filter(|_| what.verb == WithdrawalVerb::Remove),
                from: None,
            };
            self.record(&permit, Action::Withdraw(withdrawal))?;
        }
        Ok(())
    }

    /// Where a release stands after what the batch has done so far.
    fn standing_of(&self, view: &ReleaseView) -> Withdrawals {
        self.changed.get(&view.release.id).map_or_else(|| view.into(), |changed| changed.standing)
    }

    /// Decides which content goes out of readers' reach and which comes back.
    pub(super) fn place_content(&mut self) -> Result<(), IndexError> {
        let changed = self.changed.values();
        let named = changed.flat_map(|one| one.content.iter().map(|object| (*object, one.permit.clone())));
        let named: BTreeMap<Object, Authorized> = named.collect();
        for (object, permit) in &named {
            let place = match self.reach(*object)?.is_withheld() {
                true => &mut self.plan.withhold,
                false => &mut self.plan.restore,
            };
            place.push((permit.clone(), *object));
        }
        // What is published, or told, may be what only quarantined releases named.
        let Some(permit) = self.plan.permit.clone() else { return Ok(()) };
        let beside = self.published.releases.values().flat_map(named_beside).map(Object::from);
        let documents = self.documents.iter().map(|document| Object::File(*document));
        for object in beside.chain(documents).collect::<BTreeSet<_>>() {
            if !named.contains_key(&object) && self.reach(object)?.quarantined {
                self.plan.restore.push((permit.clone(), object));
            }
        }
        Ok(())
    }

    /// Whether readers may have a piece of content after what the batch has done so far.
    pub(super) fn reach(&self, object: Object) -> Result<Reach, IndexError> {
        reach(self.on.index, object, self.published.offers(object), |view| self.standing_of(view))
    }
}
