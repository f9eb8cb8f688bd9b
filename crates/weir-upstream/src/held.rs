//! What is held is looked at once more: rules change, time passes, and what was withdrawn above would not come in however long one waits.

use std::collections::BTreeMap;

use weir_model::record::{Hold, Unhold};

use crate::admission::{AdmissionError, Batch, bring_with};
use crate::mirror::UNMET;
use crate::tiers::{From, Tiers};

/// What is to be told of that which is held from the upstream at `place`, where it is not as the log says: it is held no longer, or by
/// another rule.
pub(crate) fn review(tiers: &Tiers<'_>, place: usize) -> Result<Batch, AdmissionError> {
    let mut batch = Batch::default();
    let upstream = &tiers.upstreams[place].name;
    let is_up_to_date = is_up_to_date(tiers, place)?;
    if is_up_to_date && !something_was_said_here(tiers, upstream)? {
        return Ok(batch);
    }
    for held in tiers.own().held(usize::MAX)? {
        if held.hold.registry != *upstream {
            continue;
        }
        let now = match tiers.from(&held.hold.id.name)? == From::Above(place) {
            false => Now::Over("its name is bound elsewhere"),
            true if is_up_to_date => Now::Held,
            true => look_at(tiers, place, &held.hold)?,
        };
        match now {
            Now::Held => {}
            Now::HeldFor(hold) => batch.held.push(*hold),
            Now::Over(reason) => {
                let Hold { id, registry, .. } = held.hold;
                batch.over.push(Unhold { id, registry, reason: reason.into() });
            }
        }
    }
    Ok(batch)
}

/// Whether this registry's log went on since it said up to where that one was looked through: a name may be bound elsewhere since.
fn something_was_said_here(tiers: &Tiers<'_>, upstream: &str) -> Result<bool, AdmissionError> {
    let cursors = tiers.own().facts()?.cursors;
    let last = cursors.iter().find(|cursor| cursor.registry == upstream).map(|cursor| cursor.mark.index);
    let size = tiers.own().position()?.size;
    Ok(last.is_none_or(|last| size > last + 1))
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

fn look_at(tiers: &Tiers<'_>, place: usize, hold: &Hold) -> Result<Now, AdmissionError> {
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
    // What a mirror leaves out for want of something else is found out by looking at all of it.
    if hold.policy == UNMET {
        return Ok(Now::Held);
    }
    Ok(match bring_with(tiers, &hold.id, &mut BTreeMap::new())? {
        None => Now::Over("no rule keeps it out any longer"),
        Some(refused) if !refused.is_kept_out || refused.hold == *hold => Now::Held,
        Some(refused) => Now::HeldFor(Box::new(refused.hold)),
    })
}

/// Whether nothing can have changed: the upstream's log is where it was, no rule is another, and nothing is due.
pub(crate) fn is_up_to_date(tiers: &Tiers<'_>, place: usize) -> Result<bool, AdmissionError> {
    let upstream = &tiers.upstreams[place];
    let facts = tiers.own().facts()?;
    let Some(cursor) = facts.cursors.iter().find(|cursor| cursor.registry == upstream.name) else {
        return Ok(false);
    };
    let moved = upstream.index()?.position()?.size != cursor.size;
    let ruled = facts.policy.is_some_and(|(_, mark)| mark.index > cursor.mark.index);
    let named = facts.described.is_some_and(|mark| mark.index > cursor.mark.index);
    let advised = !tiers.own().advisories_since(cursor.mark.index, 1)?.is_empty();
    if moved || ruled || named || advised {
        return Ok(false);
    }
    let now = tiers.keeper.caller.at();
    let held = tiers.own().held(usize::MAX)?;
    Ok(!held
        .iter()
        .any(|held| held.hold.registry == upstream.name && held.hold.until.is_some_and(|due| due <= now)))
}
