//! What a batch says in words of its own: it stands in the log for ever, and everybody reads it.

use std::collections::BTreeSet;

use weir_model::OwnerName;
use weir_model::record::is_reason;
use weir_model::unseen::is_unseen;
use weir_wire::Intent;

use crate::error::SubmitError;
use weir_model::unseen::Named as _;

/// So many can an owner belong to: who are more are a group.
const MOST_HOLDERS: usize = 100;

/// Refuses what cannot be shown to those it is said for: a reason or an advisory is read by whoever uses the release.
///
/// # Errors
///
/// [`SubmitError::BadWords`].
pub fn check_words(intent: &Intent) -> Result<(), SubmitError> {
    let words = match intent {
        Intent::Withdraw(what) => {
            [("reason", what.reason.as_ref()), ("name of an advisory", what.advisory.as_ref())]
        }
        Intent::Dismiss { reason, .. } => [("reason", reason.as_ref()), ("", None)],
        _ => return Ok(()),
    };
    match words.into_iter().find(|(_, words)| words.is_some_and(|words| !is_reason(words))) {
        Some((what, _)) => Err(SubmitError::BadWords { what }),
        None => Ok(()),
    }
}

/// Whoever an owner belongs to is somebody, and is named once.
pub(super) fn refuse_bad_holders(owner: &OwnerName, who: &[String]) -> Result<(), SubmitError> {
    let nobody = who.iter().find(|who| !is_somebody(who)).map(String::as_str);
    if let Some(bad) = nobody.or(who.is_empty().then_some("")) {
        let shown = bad.named();
        return Err(SubmitError::Nobody { owner: owner.clone(), who: shown });
    }
    if who.len() > MOST_HOLDERS || who.iter().collect::<BTreeSet<_>>().len() < who.len() {
        return Err(SubmitError::TooManyHolders { owner: owner.clone(), most: MOST_HOLDERS });
    }
    Ok(())
}

/// Whether a text can say to whom something belongs: `user:ann`, `group:core`, `workload:…`.
fn is_somebody(who: &str) -> bool {
    const LONGEST: usize = 300;
    let Some((sort, name)) = who.split_once(':') else { return false };
    // Between the issuer of a workload and what that calls it there is a space.
    let printed = |c: char| !is_unseen(c) && (!c.is_whitespace() || (sort == "workload" && c == ' '));
    matches!(sort, "user" | "group" | "workload")
        && !name.is_empty()
        && who.len() <= LONGEST
        && name.chars().all(printed)
}
