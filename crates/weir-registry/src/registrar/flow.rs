//! What a registry above withdraws of releases that were admitted is withdrawn here too, and what it takes back is taken back.
//!
//! What was withdrawn here by somebody's own decision stays as it is: a withdrawal that followed says from where. So does what was taken back
//! here of such a one: it follows once, when the log above is first seen to say it. An adopted package is this registry's to keep and to offer;
//! that something of it is quarantined above follows all the same, for whoever adopted it may not know.

use std::collections::{BTreeMap, BTreeSet};

use weir_index::{Dependent, Index, ReleaseView, Withdrawn};
use weir_model::record::Withdrawal;
use weir_model::{Dependency, Release, ReleaseId, WithdrawalVerb};

use crate::error::SubmitError;

/// What has to be withdrawn in `own`, or taken back, of what was admitted from the registry `upstream`, whose view is `above` and of whose log
/// so many entries were `seen` before.
pub(super) fn withdrawals(
    own: &Index,
    above: &Index,
    upstream: &str,
    seen: u64,
) -> Result<Vec<Withdrawal>, SubmitError> {
    let mut due = Vec::new();
    for there in above.withdrawn()? {
        let Some(here) = own.release(&there.release.id)? else { continue };
        if came(&here, upstream) {
            due.extend(withdraw(&here, &there, upstream, seen));
        }
    }
    for here in own.withdrawn()?.into_iter().filter(|here| came(here, upstream)) {
        let there = above.release(&here.release.id)?;
        due.extend(there.iter().flat_map(|there| take_back(&here, there, upstream)));
    }
    let mut adopted = BTreeMap::new();
    for one in &due {
        let name = &one.id.name;
        adopted.insert(name.clone(), own.adoption_of(name)?.is_some());
    }
    due.retain(|one| {
        let is_quarantine = matches!(one.verb, WithdrawalVerb::Quarantine | WithdrawalVerb::Unquarantine);
        is_quarantine || !adopted[&one.id.name]
    });
    Ok(due)
}

/// Takes out of `due` the removals of releases that something was built with which stays, or is `coming`.
pub(super) fn keep_what_is_needed<'a>(
    own: &Index,
    coming: impl IntoIterator<Item = &'a Release>,
    due: &mut Vec<Withdrawal>,
) -> Result<(), SubmitError> {
    let removals = due.iter().filter(|one| one.verb == WithdrawalVerb::Remove);
    let mut leaving: BTreeSet<ReleaseId> = removals.map(|one| one.id.clone()).collect();
    for release in coming {
        for baked in release.dependencies.iter().filter_map(Dependency::baked_id) {
            leaving.remove(&baked);
        }
    }
    // What stays may have been built with what leaves, which stays then.
    loop {
        let mut needed = BTreeSet::new();
        for id in &leaving {
            let stays = |dependent: &Dependent| {
                dependent.dependency.baked_id().as_ref() == Some(id) && !leaving.contains(&dependent.id)
            };
            if own.dependents(&id.name)?.iter().any(stays) {
                needed.insert(id.clone());
            }
        }
        if needed.is_empty() {
            break;
        }
        leaving.retain(|id| !needed.contains(id));
    }
    due.retain(|one| one.verb != WithdrawalVerb::Remove || leaving.contains(&one.id));
    Ok(())
}

/// What has to be withdrawn of one that comes in only now.
pub(super) fn as_it_comes(there: &ReleaseView, upstream: &str) -> Option<Withdrawal> {
    there.yanked.as_ref().map(|yanked| withdrawal(WithdrawalVerb::Yank, there, Some(yanked), upstream))
}

/// Whether a release is here because the other registry had it.
fn came(here: &ReleaseView, upstream: &str) -> bool {
    here.removed.is_none() && here.origin.as_ref().is_some_and(|origin| origin.registry == upstream)
}

/// What was withdrawn there since its log was `seen` last. A removal may have had to wait, for what was built with the release.
fn withdraw(here: &ReleaseView, there: &ReleaseView, upstream: &str, seen: u64) -> Vec<Withdrawal> {
    let new = |there: &Option<Withdrawn>, here: &Option<Withdrawn>| {
        here.is_none() && there.as_ref().is_some_and(|there| there.mark.index >= seen)
    };
    let mut due = Vec::new();
    if there.removed.is_some() && here.removed.is_none() {
        return vec![withdrawal(WithdrawalVerb::Remove, there, there.removed.as_ref(), upstream)];
    }
    if new(&there.quarantined, &here.quarantined) {
        due.push(withdrawal(WithdrawalVerb::Quarantine, there, there.quarantined.as_ref(), upstream));
    }
    if new(&there.yanked, &here.yanked) {
        due.push(withdrawal(WithdrawalVerb::Yank, there, there.yanked.as_ref(), upstream));
    }
    due
}

fn take_back(here: &ReleaseView, there: &ReleaseView, upstream: &str) -> Vec<Withdrawal> {
    let over = |here: &Option<Withdrawn>, there: &Option<Withdrawn>| {
        there.is_none() && here.as_ref().is_some_and(|here| here.from.as_deref() == Some(upstream))
    };
    let mut due = Vec::new();
    if over(&here.quarantined, &there.quarantined) {
        due.push(withdrawal(WithdrawalVerb::Unquarantine, here, None, upstream));
    }
    if over(&here.yanked, &there.yanked) {
        due.push(withdrawal(WithdrawalVerb::Unyank, here, None, upstream));
    }
    due
}

fn withdrawal(
    verb: WithdrawalVerb,
    view: &ReleaseView,
    said: Option<&Withdrawn>,
    upstream: &str,
) -> Withdrawal {
    Withdrawal {
        verb,
        id: view.release.id.clone(),
        reason: said.and_then(|said| said.reason.clone()),
        advisory: said.and_then(|said| said.advisory.clone()),
        because: None,
        from: Some(upstream.to_owned()),
    }
}
