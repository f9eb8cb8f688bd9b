//! What a registry above withdraws of releases that were admitted is withdrawn here too, and what it takes back is taken back.
//!
//! What was withdrawn here by somebody's own decision stays as it is: a withdrawal that followed says from where.

use std::collections::BTreeSet;

use weir_index::{Dependent, Index, ReleaseView, Withdrawn};
use weir_model::record::Withdrawal;
use weir_model::{Dependency, Release, ReleaseId, WithdrawalVerb};

use crate::error::SubmitError;

/// What has to be withdrawn in `own`, or taken back, of what was admitted from the registry `upstream`, whose view is `above`.
pub(super) fn withdrawals(
    own: &Index,
    above: &Index,
    upstream: &str,
) -> Result<Vec<Withdrawal>, SubmitError> {
    let mut due = Vec::new();
    for there in above.withdrawn()? {
        let Some(here) = own.release(&there.release.id)? else { continue };
        if followed(own, &here, upstream)? {
            due.extend(withdraw(&here, &there, upstream));
        }
    }
    for here in own.withdrawn()? {
        if !followed(own, &here, upstream)? {
            continue;
        }
        let there = above.release(&here.release.id)?;
        due.extend(there.iter().flat_map(|there| take_back(&here, there, upstream)));
    }
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

/// Whether the other registry decides about a release: it came from there, and nobody adopted it.
fn followed(own: &Index, here: &ReleaseView, upstream: &str) -> Result<bool, SubmitError> {
    let came = here.origin.as_ref().is_some_and(|origin| origin.registry == upstream);
    Ok(came && here.removed.is_none() && own.adoption_of(&here.release.id.name)?.is_none())
}

fn withdraw(here: &ReleaseView, there: &ReleaseView, upstream: &str) -> Vec<Withdrawal> {
    let new = |there: &Option<Withdrawn>, here: &Option<Withdrawn>| there.is_some() && here.is_none();
    let mut due = Vec::new();
    if new(&there.removed, &here.removed) {
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
