//! What is held is looked at once more: rules change, time passes, and what was withdrawn above would not come in however long one waits.

use std::collections::BTreeMap;

use weir_index::{HeldRelease, RegistryFacts};
use weir_model::Platform;
use weir_model::record::{Hold, Unhold};

use weir_registry::was_looked_through_lately;

use crate::admission::{AdmissionError, Batch, bring_with};
use crate::tiers::{From, Tiers};
use crate::unmet::{self, is_for_what_it_needs};

/// What the log of a registry says of what is held, and how far those above were looked through.
pub(crate) struct Known {
    facts: RegistryFacts,
    held: Vec<HeldRelease>,
}

impl Known {
    pub(crate) fn of(tiers: &Tiers<'_>) -> Result<Self, AdmissionError> {
        Ok(Self { facts: tiers.own().facts()?, held: tiers.own().held(usize::MAX)? })
    }

    /// What is to be told of that which is held from the upstream at `place`, where it is not as the log says: it is held no longer, or by
    /// another rule.
    pub(crate) fn review(
        &self,
        tiers: &Tiers<'_>,
        place: usize,
        platform: &Platform,
    ) -> Result<Batch, AdmissionError> {
        let mut batch = Batch::default();
        let is_up_to_date = self.is_up_to_date(tiers, place)?;
        if is_up_to_date && !self.something_was_said_here(tiers, place)? {
            return Ok(batch);
        }
        for hold in self.of_upstream(&tiers.upstreams[place].name) {
            let now = match tiers.from(&hold.id.name)? == From::Above(place) {
                false => Now::Over("its name is bound elsewhere"),
                true if is_up_to_date => Now::Held,
                true => look_at(tiers, place, hold, platform)?,
            };
            match now {
                Now::Held => {}
                Now::HeldFor(hold) => batch.held.push(*hold),
                Now::Over(reason) => {
                    let Hold { id, registry, .. } = hold.clone();
                    batch.over.push(Unhold { id, registry, reason: reason.into() });
                }
            }
        }
        Ok(batch)
    }

    /// Whether nothing can have changed: the upstream's log is where it was, no rule is another, and nothing is due.
    pub(crate) fn is_up_to_date(&self, tiers: &Tiers<'_>, place: usize) -> Result<bool, AdmissionError> {
        let upstream = &tiers.upstreams[place];
        let Some(cursor) = self.facts.cursor(&upstream.name) else { return Ok(false) };
        let moved = upstream.index()?.position()?.size != cursor.size;
        let ruled = self.facts.policy.as_ref().is_some_and(|(_, mark)| mark.index > cursor.mark.index);
        let named = self.facts.described.as_ref().is_some_and(|mark| mark.index > cursor.mark.index);
        if moved || ruled || named || !tiers.own().advisories_since(cursor.mark.index, 1)?.is_empty() {
            return Ok(false);
        }
        let now = tiers.keeper.caller.at();
        Ok(!self.of_upstream(&upstream.name).any(|hold| hold.until.is_some_and(|due| due <= now)))
    }

    /// Whether the log says that the upstream was looked through not long ago.
    pub(crate) fn was_looked_through(&self, tiers: &Tiers<'_>, place: usize) -> bool {
        let cursor = self.facts.cursor(&tiers.upstreams[place].name);
        cursor.is_some_and(|cursor| was_looked_through_lately(cursor, tiers.keeper.caller.at()))
    }

    /// Whether this registry's log went on since it said up to where that one was looked through: a name may be bound elsewhere since.
    pub(crate) fn something_was_said_here(
        &self,
        tiers: &Tiers<'_>,
        place: usize,
    ) -> Result<bool, AdmissionError> {
        let last = self.facts.cursor(&tiers.upstreams[place].name).map(|cursor| cursor.mark.index);
        let size = tiers.own().position()?.size;
        Ok(last.is_none_or(|last| size > last + 1))
    }

    pub(crate) fn of_upstream(&self, name: &str) -> impl Iterator<Item = &Hold> {
        self.held.iter().map(|held| &held.hold).filter(move |hold| hold.registry == name)
    }
}

/// What becomes of something that is held.
enum Now {
    /// It stays so.
    Held,
    /// It does for another reason, or until another time.
    HeldFor(Box<Hold>),
    /// It is held no longer, for this reason.
    Over(&'static str),
}

fn look_at(tiers: &Tiers<'_>, place: usize, hold: &Hold, platform: &Platform) -> Result<Now, AdmissionError> {
    let upstream = &tiers.upstreams[place];
    let Some(view) = upstream.index()?.release(&hold.id)? else {
        // That registry may keep it out itself, and whoever is below it is told.
        let held_above = upstream.index()?.held_of(&hold.id.name)?;
        let told = held_above.into_iter().find(|held| held.hold.id == hold.id);
        return Ok(match told.map(|held| Hold { registry: upstream.name.clone(), ..held.hold }) {
            None => Now::Over("the registry above does not offer it"),
            Some(told) if told == *hold => Now::Held,
            Some(told) => Now::HeldFor(Box::new(told)),
        });
    };
    if !view.standing().is_offered() {
        return Ok(Now::Over("it was withdrawn above"));
    }
    if is_for_what_it_needs(hold) {
        return Ok(match unmet::review(tiers, place, hold, platform)? {
            None => Now::Over("what it needs can be had by now"),
            Some(told) if told == *hold => Now::Held,
            Some(told) => Now::HeldFor(Box::new(told)),
        });
    }
    Ok(match bring_with(tiers, &hold.id, &mut BTreeMap::new())? {
        None => Now::Over("no rule keeps it out any longer"),
        Some(refused) if !refused.is_kept_out || refused.hold == *hold => Now::Held,
        Some(refused) => Now::HeldFor(Box::new(refused.hold)),
    })
}
