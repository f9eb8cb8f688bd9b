//! What somebody does on a page: withdraw a release, or take that back.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_model::{ReleaseId, WithdrawalVerb};
use weir_registry::{Acting, Batch, Intent, Registry as _, Withdraw};
use weir_rules::Standing;
use weir_web::{Done, address, seen};

use super::account::go_told;
use super::form::{CHANGED, Form, instead, unreadable};
use super::reading::{Build, no_release};
use super::{queue, reading};
use crate::accounting::Accounting;
use crate::api::Asked;
use crate::app::App;
use crate::problem::Problem;

/// `POST /{registry}/-/packages/{owner}/{name}/{version}/withdraw`
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Path((registry, owner, name, version)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    form: Form,
) -> Result<Response, Problem> {
    let asker = &form.visitor.asker;
    let asked = Asked::of(&app, asker, &registry).await?;
    asker.speaker()?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    let verb = form
        .field("verb")
        // What cannot be taken back is not done by a button.
        .and_then(|verb| WithdrawalVerb::ALL.into_iter().find(|known| known.as_str() == verb))
        .filter(|verb| *verb != WithdrawalVerb::Remove);
    let verb = verb.ok_or_else(|| unreadable("it is not said what is to become of the release"))?;
    let reason = form.reason();
    if reason.is_none() && matches!(verb, WithdrawalVerb::Yank | WithdrawalVerb::Quarantine) {
        return Err(unreadable("say why: whoever uses the release reads it"));
    }
    let accounting = Accounting::of(&app, asker, Some(&registry), verb.as_str()).because(reason.clone());
    let found = asked.carry_out(move |acting| build.find(acting.view()?.index())).await?;
    let (view, _) = found.ok_or_else(no_release)?;
    let in_queue = form.field("back") == Some("queue");
    if form.saw_another(&seen::release(&view))? {
        drop(asked);
        let visitor = form.visitor.told(CHANGED);
        return instead(
            StatusCode::CONFLICT,
            match in_queue {
                true => queue::queue(State(app), Path(registry), visitor).await,
                false => {
                    let at = Path((registry, owner, name, version));
                    reading::release((State(app), at, RawQuery(query), visitor)).await
                }
            },
        );
    }
    let id = view.release.id;
    let withdrawal = Withdraw { reason, ..Withdraw::exactly(verb, id.clone()) };
    let batch = Batch { intents: vec![Intent::Withdraw(withdrawal)] };
    let came = asked.carry_out(move |acting| acting.submit(&batch)).await;
    accounting.about(id.to_string()).note_batch(came, |receipt| &receipt.outcomes).await?;
    let to = match in_queue {
        true => address::queue(&registry),
        false => address::release(&registry, &id),
    };
    Ok(go_told(&app, &form.visitor, &to, Done::said(format!("`{id}` {}", became(verb)))))
}

/// What became of a release.
fn became(verb: WithdrawalVerb) -> &'static str {
    match verb {
        WithdrawalVerb::Yank => "is yanked: new resolutions avoid it",
        WithdrawalVerb::Unyank => "is yanked no longer",
        WithdrawalVerb::Quarantine => "is quarantined: nobody gets it any longer",
        WithdrawalVerb::Unquarantine => "is quarantined no longer",
        WithdrawalVerb::Remove => "is removed",
    }
}

/// What whoever looks may have become of a release: the registry itself is asked.
pub(super) fn may(acting: &Acting, id: &ReleaseId, standing: Standing) -> Vec<WithdrawalVerb> {
    use WithdrawalVerb::{Quarantine, Unquarantine, Unyank, Yank};
    let verbs: &[WithdrawalVerb] = match standing {
        Standing::Offered => &[Yank, Quarantine],
        Standing::Yanked => &[Unyank, Quarantine],
        Standing::Quarantined => &[Unquarantine],
        Standing::Removed => &[],
    };
    let permitted = |verb: &WithdrawalVerb| {
        let withdrawal = Withdraw::exactly(*verb, id.clone());
        acting.preview(&Batch { intents: vec![Intent::Withdraw(withdrawal)] }).is_ok()
    };
    verbs.iter().copied().filter(permitted).collect()
}
